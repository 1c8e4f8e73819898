"""Where numbers are in NumPy: arrays by their sources, side by side, in other shapes.   (floor 3)

The numbers of a source stand in an array in some shape and order, whichever they were computed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy

from ..derive_rolled import one_number
from ..dialects.numpy_text import Expression, Expressions, template
from ..layout import tuple_of
from ..naming import Names
from ..roll import Numbers, Vector, View, size_of
from ..views import is_all

TURNED_PRODUCT, SHAPED = template("_0.T @ _1"), "_0.reshape("


class Held(NamedTuple):
    """Where the numbers of a source are: in an array of a shape, rows apart; None if all are one.

    `place` says where in the array, flat, each number of the source stands; None for all in order.
    """

    array: Expression
    shape: tuple[int, ...] | None
    has_rows: bool = False
    place: Any = None

    @property
    def size(self) -> int:
        """The number of numbers in the array, rows apart."""
        return prod(self.shape or ())


class Sources:
    """The arrays so far, by their sources; `count` is how many rows there are, as source."""

    def __init__(self, names: Names, expressions: Expressions, count: str) -> None:
        self.x, self.names, self.count = expressions, names, expressions.text(count)
        self.held: dict[Any, Held] = {}
        self.constants: dict[str, Any] = {}  # arrays that the source reads by name
        self._constants: dict[Any, Expression] = {}
        self._numbers: dict[Expression, float] = {}
        self._beside: dict[Any, Held] = {}

    def number(self, number: float) -> Expression:
        """A number written out."""
        made = self.x.text(float.__repr__(float(number)))
        self._numbers[made] = float(number)
        return made

    def known_number(self, view: View) -> float | None:
        """The number that a view is everywhere, if it is known here."""
        number = one_number(view)
        if number is None and len(view.sources) == 1 and view.sources[0] in self.held:
            number = self._numbers.get(self.held[view.sources[0]].array)
        return number

    def constant(self, array: Any) -> Expression:
        """An array that is the same in every call."""
        key = array.tobytes(), array.shape, array.dtype
        if key not in self._constants:
            name = self.names.take("", "k")
            self.constants[name] = array
            self._constants[key] = self.x.text(name)
        return self._constants[key]

    def of(self, source: Any) -> Held:
        """Where the numbers of a source are."""
        if isinstance(source, Numbers):
            return Held(self.constant(numpy.array(source.data)), (source.size,))
        return self.held[source]

    def put(self, held: Held, size: int) -> View:
        """A view of all numbers of an array that no vector of the program is."""
        source = Vector(None, (), size, held.has_rows)
        self.held[source] = held
        return View((source,), numpy.arange(size))

    def looked(self, view: View) -> tuple[Held, Any]:
        """The one array that a view looks into, and its index there."""
        only = self.of(view.sources[0]) if len(view.sources) == 1 else None
        held = only or self._side_by_side(view.sources)
        return held, view.index if held.place is None else held.place[view.index]

    def _side_by_side(self, sources: Sequence[Any]) -> Held:
        """One array of all numbers of several sources."""
        key = tuple([s.bits if isinstance(s, Numbers) else s for s in sources])
        if key not in self._beside:
            arrays, places, end = [], [], 0
            every = [self.of(source) for source in sources]
            for source, held in zip(sources, every):
                place = numpy.arange(size_of(source)) if held.place is None else held.place
                places.append((place if held.shape is not None else place * 0) + end)
                arrays.append(self.shaped(held, (held.size,)))
                end += held.size
            place = numpy.concatenate(places)
            self._beside[key] = Held(
                self.beside(arrays), (end,), any(held.has_rows for held in every),
                None if is_all(place, end) else place,
            )  # fmt: skip
        return self._beside[key]

    def beside(self, arrays: Sequence[Expression]) -> Expression:
        """Arrays one behind the other."""
        gaps = ", ".join([f"_{i}" for i in range(len(arrays))])
        return self.x.of(f"beside({gaps})", *arrays)

    # -------------------------------------------------------------- shapes

    def sizes(self, shape: Sequence[int], rows: bool = False) -> str:
        """A shape as source, behind the number of rows, which fills the gap `_1`, if any."""
        return ", ".join(["_1"] * rows + [str(n) for n in shape])

    def shape(self, shape: Sequence[int], rows: bool = False) -> str:
        """The same as a tuple."""
        return tuple_of(self.sizes(shape, rows).split(", "))

    def full(self, number: Expression, shape: Sequence[int]) -> Expression:
        """An array that holds one number."""
        return self.x.of(f"full({self.shape(shape)}, _0)", number)

    def shaped(self, held: Held, shape: tuple[int, ...]) -> Expression:
        """An array in another shape, the rows apart."""
        if held.shape is None:
            return self.full(held.array, shape)
        same = held.shape == shape
        return held.array if same else self.as_shape(held.array, shape, held.has_rows)

    def as_shape(self, array: Expression, shape: Sequence[int], rows: bool) -> Expression:
        """An array in a shape, behind the rows if any; in place of another that it had."""
        array = self.before_shape(array)
        text = f"{SHAPED}{self.sizes(shape, rows)})"
        return self.x.of(text, array, *[self.count] * rows)

    def before_shape(self, array: Expression) -> Expression:
        """An array as it was before it got its shape."""
        is_shaped = array.form is not None and array.form.text.startswith(SHAPED)
        return array.operands[0] if is_shaped else array
