"""Which dots over rows are a matrix times a column, and how source for numba names its parts.   (floor 3)"""

from __future__ import annotations

from ..roll import Numbers, has_rows
from ..views import product_of
from .text import Strides, linear

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..roll import Vector, View
    from .loops import Place


class Layer:
    """Dots of a matrix that carries no rows (`plain`) with lists that do (`carried`): `outer` lists, each with `inner` rows of the matrix.

    `count` is how many terms a dot has; with `turned`, the matrix stands column by column.
    """

    def __init__(
        self,
        plain: View,
        carried: View,
        shape: tuple[int, int, int],
        of_plain: Strides,
        of_carried: Strides,
        turned: bool,
    ) -> None:
        self.plain, self.carried, self.of_plain, self.of_carried, self.turned = (
            plain,
            carried,
            of_plain,
            of_carried,
            turned,
        )
        self.outer, self.inner, self.count = shape

    @property
    def is_whole(self) -> bool:
        """Whether the matrix is a source that has this shape."""
        shape = (self.count, self.inner) if self.turned else (self.inner, self.count)
        return len(self.plain.sources) == 1 and getattr(self.plain.sources[0], "shape", ()) == shape

    def part(self, place: Place) -> str:
        """The numbers of the matrix as a part of a flat array."""
        first, size = self.of_plain.first, self.inner * self.count
        return place.name if size == self.plain.size else f"{place.name}[{first}:{first + size}]"

    def terms(self, place: Place, turned: bool = False) -> str:
        """The matrix, or the turned one, as arguments: its numbers, the steps down and along, how many rows and columns it has."""
        down, along = (1, self.inner) if self.turned else (self.count, 1)
        sizes = (
            (along, down, self.count, self.inner)
            if turned
            else (down, along, self.inner, self.count)
        )
        return ", ".join([self.part(place), *map(str, sizes)])

    def matrix(self, place: Place) -> str:
        """The matrix with two axes."""
        if self.is_whole and place.matrix:
            return f"{place.matrix}.T" if self.turned else place.matrix
        part = self.part(place)
        return (
            f"{part}.reshape({self.count}, {self.inner}).T"
            if self.turned
            else f"{part}.reshape({self.inner}, {self.count})"
        )

    def data(self, place: Place) -> str:
        """What the matrix is multiplied by in a turn of o, or the slopes by it."""
        return _from(place, linear(self.of_carried.first, [(self.of_carried.steps[0], "o")]))

    def result(self, place: Place) -> str:
        """What comes of it in a turn of o, or the slopes by it."""
        return _from(place, linear(0, [(self.inner if self.outer > 1 else 0, "o")]))


def _from(place: Place, index: str) -> str:
    return place.name if index == "0" else f"{place.name}[({index}) * n :]"


def layer_of(vector: Vector) -> Layer | None:
    """The layer that a vector of dots is, if it is one."""
    ws, xs, _ = vector.operands
    if has_rows(ws) == has_rows(xs):
        return None
    plain, carried = (xs, ws) if has_rows(ws) else (ws, xs)
    if isinstance(plain.sources[0], Numbers) and len(plain.sources) == 1:
        return None
    product = product_of(vector)
    outer = product.outer if product else 1
    inner, count = vector.size // outer, ws.index.shape[1]
    of_plain, of_carried = (
        Strides.of(view.index.reshape(outer, inner, count)) for view in (plain, carried)
    )
    if (
        of_plain is None
        or of_carried is None
        or not _is(of_carried, (None, 0, 1), (outer, inner, count))
    ):
        return None
    for turned, steps in ((False, (0, count, 1)), (True, (0, 1, inner))):
        if _is(of_plain, steps, (outer, inner, count)):
            return Layer(plain, carried, (outer, inner, count), of_plain, of_carried, turned)
    return None


def _is(strides: Strides, steps: tuple[Any, ...], shape: tuple[int, ...]) -> bool:
    """Whether strides are as expected, along axes of more than one number."""
    return all(
        step is None or size == 1 or step == found
        for found, step, size in zip(strides.steps, steps, shape)
    )
