"""Ragged vectors as whole grids, which are products of matrices.   (floor 3)

Causal attention takes dots of each question with the keys up to its own place, a triangle. Here the
other half is computed too, and read by nobody: a list that ends early is the whole list under a
mask, a choice like others. Where all numbers are finite nothing else changes; where one is not, a
mask does not keep it out of a product, and the vectors as they were are taken.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy

from .choices import TRACED
from .derive_rolled import narrowed
from .roll import Numbers, Rolled, Vector, View, size_of
from .views import ids, is_same, is_zero

MOST = 3.0  # times the numbers that are read


def completed(rolled: Rolled) -> Rolled:
    """The program with vectors filled up to grids; itself where there is nothing to fill up."""
    grids = _Grids()
    for vector in rolled.vectors:
        grids.add(vector)
    if not grids.now:
        return rolled
    now, at = grids.now, grids.at
    outputs = [(now.get(x, x), int(at[x][j]) if x in at else j) for x, j in rolled.outputs]
    return Rolled(rolled.blocks, grids.vectors, outputs)


class _Grids:
    """The vectors so far."""

    def __init__(self) -> None:
        self.vectors: list[Vector] = []
        self.now: dict[Any, Vector] = {}  # what became of those that changed
        self.shown: dict[Any, Vector] = {}  # sources under masks
        self.at: dict[Any, Any] = {}  # where the steps of those that moved stand now

    def add(self, vector: Vector) -> None:
        """Fill up a vector that is a part of a grid, or stands beside one."""
        views = tuple([self._moved(view) for view in vector.operands])
        grid = None
        if vector.op.name == "dot":
            grid = _grid_of_lists(views)
        elif not vector.op.takes_lists:
            grid = _grid_beside(views, {self.now[source] for source in self.at})
        size = vector.size
        if grid:
            size, views, self.at[vector] = grid
        views = tuple(map(self._under_mask, views))
        made = vector
        if views != vector.operands:
            made = Vector(vector.op, views, size, vector.has_rows, vector.label)
            self.now[vector] = made
        self.vectors.append(made)

    def _under_mask(self, view: View) -> View:
        """A view of lists that end early as one of whole lists under a mask."""
        if (found := masked(view)) is None:
            return view
        source, mask, number, index = found
        key = source, mask.tobytes(), number
        if key not in self.shown:
            every, none = numpy.arange(len(mask)), numpy.zeros(len(mask), dtype=int)
            is_read = View((Numbers(mask.tolist()),), every)
            views = is_read, View((source,), every), View((Numbers((number,)),), none)
            made = Vector(TRACED["_choose"], views, len(mask), source.has_rows)
            self.vectors.append(made)
            self.shown[key] = made
        return View((self.shown[key],), index)

    def _moved(self, view: View) -> View:
        """A view of where things stand now."""
        if self.now.keys().isdisjoint(view.sources):
            return view
        sources = tuple([self.now.get(source, source) for source in view.sources])
        begins = itertools.accumulate(map(size_of, sources), initial=0)
        parts = [
            self.at.get(source, numpy.arange(size_of(source))) + begin
            for source, begin in zip(view.sources, begins)
        ]
        return View(sources, numpy.concatenate(parts)[view.index])


def _grid_of_lists(views: tuple[View, ...]) -> tuple[int, tuple[View, ...], Any] | None:
    """The size, the operands, and the places of the steps in a grid of dots.

    They are of each of some lists with each of others, group by group.
    """
    ws, xs, bias = views
    if len(ws.index) < 2 or not is_zero(bias) or is_same(ws, xs):
        return None
    sides = _unpadded(xs, ws), _unpadded(ws, xs)
    fuller = (ws, sides[0]) if sides[0] is not xs else (sides[1], xs)
    (lefts, left), (rights, right) = (_distinct(view.index) for view in fuller)
    is_turned = bool((left[1:] < left[:-1]).any())
    if is_turned:
        lefts, left, rights, right = rights, right, lefts, left
    if len(lefts) == len(left):  # each meets one
        return None
    group = _groups(left, right)
    counts = numpy.bincount(group)
    width, count = int(counts[0]), len(counts)
    of_left = numpy.zeros(len(lefts), dtype=int)
    of_left[left] = group[right]
    times = numpy.arange(len(lefts))
    is_regular = width > 1 and (counts == width).all() and not len(lefts) % count
    if not is_regular or not (
        (of_left == times % count).all() or (of_left == times // (len(lefts) // count)).all()
    ):
        return None
    size = len(lefts) * width
    if size > MOST * len(left) or (size == len(left) and fuller == (ws, xs)):
        return None
    members = group.argsort(kind="stable").reshape(count, width)
    rank = numpy.empty(len(rights), dtype=int)
    rank[members] = numpy.arange(width)
    inner = members[of_left].ravel()
    indices = [lefts.repeat(width, axis=0), rights[inner]]
    indices = indices[::-1] if is_turned else indices
    made = [View(view.sources, index) for view, index in zip(fuller, indices)]
    no_bias = View(bias.sources, numpy.zeros(size, dtype=int))
    return size, (*made, no_bias), left * width + rank[right]


def masked(view: View) -> tuple[Any, Any, float, Any] | None:
    """A source of lists that end early in a view, a mask of what is read of it, the number behind
    their ends, and the index of the lists if they did not end.

    A number of the source must be read wherever it would stand then, or nowhere, and all must stand
    there equally often; None where it is not so.
    """
    kept = [source for source in view.sources if not isinstance(source, Numbers)]
    if len(kept) != 1 or len(view.sources) != 2:
        return None
    first, last = view.sources
    size, begin = size_of(kept[0]), size_of(first) if kept[0] is last else 0
    at = view.index.reshape(view.index.shape if view.index.ndim == 2 else (1, -1)) - begin
    inside = (at >= 0) & (at < size)
    numbers, before = (first, -begin) if begin else (last, size)
    others = numpy.unique(at[~inside] - before)
    if len(others) != 1 or not inside.any(1).all():
        return None
    steps = numpy.diff(at, axis=1)[inside[:, 1:] & inside[:, :-1]]
    step = int(steps[0]) if steps.size else 0
    start = inside.argmax(1)
    begins = at[numpy.arange(len(at)), start] - step * start
    every = begins[:, None] + step * numpy.arange(at.shape[1])
    if every.min() < 0 or every.max() >= size or not (every == at)[inside].all():
        return None
    counts = numpy.bincount(every.ravel(), minlength=size)
    read = numpy.bincount(at[inside], minlength=size)
    if (counts != counts[0]).any() or not ((read == 0) | (read == counts[0])).all():
        return None
    number = numbers.data[others[0]]
    return kept[0], read > 0, number, every.reshape(view.index.shape)


def _unpadded(view: View, other: View) -> View:
    """Lists that ended early in whole, where the other factors are 0 behind their ends."""

    def zeros(of: View) -> Any:
        numbers = [x.data if isinstance(x, Numbers) else [1.0] * size_of(x) for x in of.sources]
        return (numpy.concatenate(numbers) == 0.0)[of.index]

    behind = zeros(view) & zeros(other)
    if not behind.any():
        return view
    index = view.index.copy()
    first, group = _distinct(index[:, :1])
    for k in range(len(first)):
        rows = numpy.flatnonzero(group == k)
        whole = index[rows[behind[rows].sum(1).argmin()]]
        if not ((index[rows] == whole) | behind[rows]).all():
            return view
        index[rows] = whole
    return narrowed(view.sources, index)


def _distinct(lists: Any) -> tuple[Any, Any]:
    """Lists without repetitions, in order, and for each list which of these it is."""
    which = ids(lists)
    return lists[numpy.unique(which, return_index=True)[1]], which


def _groups(left: Any, right: Any) -> Any:
    """The group of each right list: lists that meet a common left one are of one group."""
    group = numpy.arange(right.max() + 1)
    while True:
        least = numpy.full(left.max() + 1, len(group))
        numpy.minimum.at(least, left, group[right])
        before = group.copy()
        numpy.minimum.at(group, right, least[left])
        if (group == before).all():
            return numpy.unique(group, return_inverse=True)[1].reshape(-1)


def _grid_beside(
    views: tuple[View, ...], grown: set[Any]
) -> tuple[int, tuple[View, ...], Any] | None:
    """The same for a formula of single numbers, of which one comes from a grid."""
    for view in views:
        source = view.sources[0]
        if (
            len(view.sources) == 1
            and source in grown
            and len(numpy.unique(view.index)) == len(view.index) < size_of(source)
        ):
            at, size = view.index, size_of(source)
            spread = [View(other.sources, _spread(other, at, size)) for other in views]
            return size, tuple(spread), at
    return None


def _spread(view: View, at: Any, size: int) -> Any:
    """An index for a whole grid; where nobody reads it, it goes on as it began."""
    if len(shift := numpy.unique(view.index - at)) == 1 and 0 <= shift[0] <= view.size - size:
        return numpy.arange(size) + shift[0]
    index = numpy.zeros(size, dtype=view.index.dtype)
    index[at] = view.index
    known = numpy.zeros(size, dtype=int)
    known[at] = at
    last = numpy.maximum.accumulate(known)
    last[: at.min()] = at.min()
    return index[last]
