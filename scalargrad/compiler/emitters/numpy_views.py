"""Views read on arrays: all of one, a slice, turned axes, a gather.   (floor 3)

An index into a source becomes an index into the array where its numbers are, and where that is
linear in the place along each axis, no number is moved.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from math import prod
from typing import Any

import numpy

from ..derive_rolled import narrowed, one_number
from ..dialects.numpy_text import Expression
from ..program import Block
from ..roll import Numbers, View, size_of
from ..strides import Strides, nest_of, steps_of
from ..views import is_all
from .numpy_sources import Held, Sources

Shape = tuple[int, ...]


class Views(Sources):
    """Reads views in the shapes that are asked for."""

    def read(
        self, view: View, shape: Shape, exact: Collection[int] | None = None
    ) -> tuple[Expression, Shape]:
        """A view in a shape, and the shape that came.

        An axis along which the view does not change may be 1, but for the `exact` ones, which are
        all where they are not told. With none of them a number may come, whose shape is ().
        """
        exact = range(len(shape)) if exact is None else exact
        number = one_number(view)
        if number is not None and not exact:
            return self.number(number), ()
        if not view.index.size:
            return self.constant(numpy.zeros(shape)), shape
        if _is_constant(view):
            data = numpy.concatenate([source.data for source in view.sources])
            return self.constant(data[view.index].reshape(shape)), shape
        if len(view.sources) > 1 and (array := self._in_runs(view, shape)):
            return array, shape
        held, index = self.looked(view)
        if held.shape is None:
            return (self.full(held.array, shape), shape) if exact else (held.array, ())
        index = index.reshape(shape)
        if shape == held.shape and is_all(index, index.size):
            return held.array, shape
        strides = Strides.of(index)
        for one in (held, self._as_stepped(held, strides)) if strides else ():
            if one and (found := self._sliced(one, strides, shape, exact)):
                return found
        flat = self.shaped(held, (held.size,))
        return self.x.of("_0.take(_1, -1)", flat, self.constant(index)), shape

    def _as_stepped(self, held: Held, strides: Strides) -> Held | None:
        """An array in the shape that steps through it go by, if there is one."""
        steps = sorted({abs(step) for step in strides.steps if step} | {1}, reverse=True)
        sizes = [held.size, *steps]
        if any(size % step for size, step in itertools.pairwise(sizes)):
            return None
        shape = tuple([size // step for size, step in itertools.pairwise(sizes)])
        return held._replace(array=self.shaped(held, shape), shape=shape)

    def _sliced(
        self, held: Held, strides: Any, shape: Shape, exact: Collection[int]
    ) -> tuple[Expression, Shape] | None:
        """An array's slice with its axes turned, where that is what steps say."""
        sizes: Any = held.shape
        moving = [a for a, n in enumerate(shape) if n > 1 and strides.steps[a]]
        found = _axes(sizes, strides, shape, moving)
        if found is None:
            return None
        axis_of, texts = found
        order = [axis_of[b] for b in sorted(axis_of)]
        is_turned = order != sorted(order)
        items, a = [":"] * held.has_rows, 0
        for b, text in enumerate(texts):
            if b in axis_of and not is_turned:
                items += ["None"] * (axis_of[b] - a)
                a = axis_of[b] + 1
            items.append(text)
        items += [] if is_turned else ["None"] * (len(shape) - a)
        made = self._subscript(held.array, items)
        if is_turned:
            made = self._turned(made, [order.index(a) for a in sorted(order)], held.has_rows)
            items = [":" if a in order else "None" for a in range(len(shape))]
            made = self._subscript(made, [":"] * held.has_rows + items)
        got = tuple([n if a in moving else 1 for a, n in enumerate(shape)])
        if any(got[a] != shape[a] for a in exact):
            got = tuple([n if a in exact else got[a] for a, n in enumerate(shape)])
            text = f"spread(_0, {self.shape(got, held.has_rows)})"
            made = self.x.of(text, made, *[self.count] * held.has_rows)
        return made, got

    def _subscript(self, array: Expression, items: list[str]) -> Expression:
        while items and items[-1] == ":":
            items.pop()
        return self.x.of(f"_0[{', '.join(items)}]", array) if items else array

    def _turned(self, array: Expression, order: list[int], rows: bool) -> Expression:
        """An array with its axes in another order, that of the rows before them."""
        if len(order) == 2:
            return self.x.of("_0.swapaxes(-1, -2)" if rows else "_0.T", array)
        axes = [0, *[i + 1 for i in order]] if rows else order
        return self.x.of(f"_0.transpose({', '.join(map(str, axes))})", array)

    def _in_runs(self, view: View, shape: Shape) -> Expression | None:
        """Parts of several arrays side by side, where they are few; None where they are many."""
        index = view.index.ravel()
        ends = numpy.cumsum([size_of(source) for source in view.sources])
        which = numpy.searchsorted(ends, index, side="right")
        cuts = numpy.flatnonzero((numpy.diff(which) != 0) | (numpy.diff(index) != 1)) + 1
        if not len(cuts) or len(cuts) >= 2 * len(view.sources):
            return None
        parts = [narrowed(view.sources, run) for run in numpy.split(index, cuts)]
        made = self.beside([self.read(part, part.index.shape)[0] for part in parts])
        rows = any(self.of(source).has_rows for source in view.sources)
        return made if len(shape) == 1 else self.as_shape(made, shape, rows)

    def _column(self, view: View, read: tuple[Expression, Shape]) -> tuple[Expression, Shape]:
        """A view that was read, but a copy of a column of rows, whose numbers are far apart."""
        source, (array, shape) = view.sources[0], read
        is_column = isinstance(source, Block) and source.has_rows and prod(shape) == 1
        return (self.x.of("_0.copy()", array) if is_column and array.form else array), shape

    # -------------------------------------------------------------- number by number

    def elementwise(
        self, views: Sequence[View], size: int, made: Callable[[Sequence[Expression]], Expression]
    ) -> Held:
        """A formula of operands, number by number, in the shape and order that suits them."""
        own = [self.looked(view) for view in views if not _is_constant(view)]
        looked = [one for one in own if one[0].shape is not None]
        if not looked and len(own) == len(views):
            return Held(made([held.array for held, _ in own]), None)
        fixed = [view for view in views if _is_constant(view)]  # which come in any shape
        shape = _common_shape(looked or [*map(self.looked, fixed)], size)
        arrays, shapes = zip(*[self._column(view, self.read(view, shape, ())) for view in views])
        got = numpy.broadcast_shapes(*shapes)
        if not got:
            return Held(made(arrays), None)
        rows = any(held.has_rows for held, _ in own)
        result = made(arrays)
        whole = [
            array for array, view, one in zip(arrays, views, shapes)
            if rows and one == got and not _is_constant(view) and self.looked(view)[0].has_rows
        ]  # fmt: skip
        _keep_shape(result, arrays, whole)
        return Held(result, got, rows, spread_place(got, shape))


def _keep_shape(x: Expression, arrays: Sequence[Expression], whole: Sequence[Expression]) -> None:
    """Mark a formula of arrays, some of which have its shape, and its parts that keep it."""
    while x not in arrays and x.operands and _is_whole(x.operands[0], arrays, whole):
        x.keeps_shape, x = True, x.operands[0]


def _is_whole(x: Expression, arrays: Sequence[Expression], whole: Sequence[Expression]) -> bool:
    """Whether a part of a formula has the whole shape; how its arrays were made says nothing."""
    if x in arrays:
        return x in whole
    return any(_is_whole(part, arrays, whole) for part in x.operands)


def _is_constant(view: View) -> bool:
    return all(isinstance(source, Numbers) for source in view.sources)


def _axes(
    sizes: Shape, strides: Strides, shape: Shape, moving: Sequence[int]
) -> tuple[dict[int, int], list[str]] | None:
    """The axes of a view that go along those of an array, and what stands for these in a slice."""
    sigma = steps_of(sizes)
    start = [strides.first // s % n for s, n in zip(sigma, sizes)]
    axis_of: dict[int, int] = {}
    texts = [str(first) for first in start]
    for a in sorted(moving, key=lambda a: -abs(strides.steps[a])):
        for b, size in enumerate(sizes):
            times, rest = divmod(strides.steps[a], sigma[b])
            last = start[b] + times * (shape[a] - 1)
            if b not in axis_of and size > 1 and not rest and 0 <= last < size:
                axis_of[b], texts[b] = a, _slice(start[b], times, shape[a], size)
                break
        else:
            return None
    spare = [b for b, size in enumerate(sizes) if size == 1]
    for b, a in zip(spare, [a for a in range(len(shape)) if a not in moving]):
        axis_of[b], texts[b] = a, ":"
    return axis_of, texts


def _slice(start: int, step: int, count: int, size: int) -> str:
    if step == 1 and count == size:
        return ":"
    end = start + step * (count - 1) + (1 if step > 0 else -1)
    return f"{start}:{end if end >= 0 else ''}{f':{step}' if step != 1 else ''}"


def _common_shape(looked: Sequence[tuple[Held, Any]], size: int) -> Shape:
    """A shape for numbers: that of an operand that is read whole, if all fit; else of loops."""
    indices, shapes = [index for _, index in looked], []
    for held, index in looked:
        if held.size == size and is_all(index, size):
            shapes.append(tuple([n for n in held.shape or () if n > 1]) or (1,))
    fits = [s for s in shapes if all(Strides.of(index.reshape(s)) for index in indices)]
    return fits[0] if fits else nest_of(indices) or [*shapes, (size,)][0]


def spread_place(got: Sequence[int], shape: Shape) -> Any:
    """The places of a shape's numbers in an array that is 1 along some axes; None if in order."""
    if tuple(got) == shape:
        return None
    places = numpy.arange(int(numpy.prod(got, dtype=int))).reshape(got)
    return numpy.broadcast_to(places, shape).ravel()
