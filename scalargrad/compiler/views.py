"""What an index says: all of it in order, one number, a slice, a matrix shared by many, a product of matrices.   (floor 3)

Indices are NumPy arrays of integers; a view's last axis, where it has two, is that of a list operand.
"""

from __future__ import annotations

import re

from .program import Block
from .roll import Numbers, Vector, View, has_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_weights, _sums = re.compile(r"[wW]\d*"), re.compile(r"z\d*")


def is_all(index: Any, size: int) -> bool:
    """Whether an index names all of `size` numbers in order, however it is shaped."""
    flat = index.ravel()
    return len(flat) == size and (not size or span_of(flat) == f"0:{size}")


def one_of(index: Any) -> int | None:
    """The number that an index names again and again, if it is one."""
    return int(index[0]) if (index == index[0]).all() else None


def span_of(index: Any) -> str | None:
    """The slice that an index of one axis is, as source; None where it is none.

    >>> import numpy
    >>> span_of(numpy.array([2, 3, 4])), span_of(numpy.array([0, 4, 8])), span_of(numpy.array([0, 1, 3]))
    ('2:5', '0:9:4', None)
    """
    first = int(index[0])
    if len(index) == 1:
        return f"{first}:{first + 1}"
    step = int(index[1]) - first
    if step <= 0 or not ((index[1:] - index[:-1]) == step).all():
        return None
    last = int(index[-1])
    return f"{first}:{last + 1}" + (f":{step}" if step > 1 else "")


def shared_row(view: View) -> View | None:
    """The list that all steps of a view read, if it is one."""
    return View(view.sources, view.index[0]) if (view.index == view.index[0]).all() else None


def is_zero(view: View) -> bool:
    """Whether it is the constant 0 for all steps: a dot without a bias."""
    only = view.sources[0]
    return len(view.sources) == 1 and isinstance(only, Numbers) and set(only.data) == {0.0}


def is_same(view: View, other: View) -> bool:
    """Whether two views look at the same numbers in the same order."""
    return (
        view.sources == other.sources
        and view.index.shape == other.index.shape
        and bool((view.index == other.index).all())
    )


class Product:
    """A matrix product: each of `outer` lists of the left times each of `inner` lists of the right, in that order."""

    def __init__(
        self, left: View, right: View, outer: int, inner: int, names: tuple[int, int]
    ) -> None:
        self.left, self.right, self.outer, self.inner = left, right, outer, inner
        self.places = names  # which operands of the dot left and right are


def product_of(vector: Any) -> Product | None:
    """The matrix product that a vector of dots is, if it is one."""
    ws, xs, _ = vector.operands
    size = vector.size
    if is_same(ws, xs):
        return None
    for places, left, right in (((1, 0), xs, ws), ((0, 1), ws, xs)):
        if (row := shared_row(left)) is not None and not has_rows(right):
            return Product(row, right, 1, size, places)
    if shared_row(xs) is not None or shared_row(ws) is not None:
        return None
    for outer in range(2, size // 2 + 1):
        if size % outer:
            continue
        shape = outer, size // outer, -1
        for places, left, right in (((1, 0), xs, ws), ((0, 1), ws, xs)):
            lefts, rights = left.index.reshape(shape), right.index.reshape(shape)
            if (lefts == lefts[:, :1]).all() and (rights == rights[:1]).all():
                return Product(
                    View(left.sources, lefts[:, 0]),
                    View(right.sources, rights[0]),
                    *shape[:2],
                    places,
                )
    return None


def inner(view: View) -> View:
    """The one list of a view that has but one, without an axis for the steps."""
    return View(view.sources, view.index[0]) if len(view.index) == 1 else view


def kept(view: View) -> str:
    """What a sum over the items of such a list is told, so that it has an axis for the steps."""
    return ", keepdims=True" if view.index.ndim == 1 else ""


def name_of(vector: Vector, named: Callable[[Any], str]) -> str:
    """What to call a vector: z1 for a layer with weights W1, a1 for what is made of it alone; nothing where there is no such name."""
    if vector.label and vector.size == 1:
        return vector.label
    source = vector.operands[0].sources[0]
    is_sum = vector.row.name == "dot" and not is_same(*vector.operands[:2])
    if is_sum and isinstance(source, Block) and _weights.fullmatch(source.name):
        return f"z{source.name[1:]}"
    is_activation = (
        vector.row.name != "neg" and len(vector.operands) == 1 and isinstance(source, Vector)
    )
    return f"a{named(source)[1:]}" if is_activation and _sums.fullmatch(named(source)) else ""
