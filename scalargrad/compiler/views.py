"""Meanings of indices: all in order, one number, lists that meet.   (floor 3)

Indices are NumPy arrays of integers; where a view has two axes, the last is that of a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy

from .program import Block
from .roll import Numbers, Vector, View
from .strides import Strides, nest_of

_weights, _sums = re.compile(r"[wW]\d*"), re.compile(r"z\d*")


def is_all(index: Any, size: int) -> bool:
    """Whether an index names all of `size` numbers in order, however it is shaped."""
    return index.size == size and bool((index.ravel() == numpy.arange(size)).all())


def one_of(index: Any) -> int | None:
    """The number that an index names again and again, if it is one."""
    return int(index[0]) if (index == index[0]).all() else None


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


class Meeting(NamedTuple):
    """A meeting of lists: the sizes of the axes in order, and which of them a side goes along.

    It goes there alone, or both go together.
    """

    shape: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    both: tuple[int, ...]

    def swapped(self) -> Meeting:
        """The same from the other side."""
        return self._replace(left=self.right, right=self.left)

    def size(self, axes: Sequence[int]) -> int:
        """The number of places along some axes."""
        return int(numpy.prod([self.shape[a] for a in axes], dtype=int))

    @property
    def place(self) -> Any:
        """The places of dots in the array by (both, left, right); None where they are in order."""
        order = [*self.both, *self.left, *self.right]
        sizes = [self.shape[a] for a in order]
        place = numpy.arange(self.size(order)).reshape(sizes)
        place = place.transpose([order.index(a) for a in sorted(order)])
        every = [n if a in order else 1 for a, n in enumerate(self.shape)]
        flat = numpy.broadcast_to(place.reshape(every), self.shape).ravel()
        return None if is_all(flat, self.size(order)) else flat


def meeting(x: View, y: View) -> Meeting | None:
    """The meeting of the lists of two views; None where they meet in no order."""
    both = [ids(view.index.reshape(len(view.index), -1)) for view in (x, y)]
    if (shape := nest_of(both)) is None:
        return None
    moves = [Strides.of(i.reshape(shape)).steps for i in both]  # type: ignore[union-attr]
    axes = range(len(shape))
    left = tuple(a for a in axes if moves[0][a] and not moves[1][a])
    right = tuple(a for a in axes if moves[1][a] and not moves[0][a])
    return Meeting(shape, left, right, tuple(a for a in axes if moves[0][a] and moves[1][a]))


def ids(lists: Any) -> Any:
    """A number for each list, equal for equal ones, in the order in which they come."""
    count = lists.shape[1]
    if count == 1:
        keys = lists[:, 0]
    else:
        keys = lists @ (numpy.random.default_rng(count).integers(1, 2**31, count) * 2 + 1)
    _, first, which = numpy.unique(keys, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    rank = numpy.empty(len(first), dtype=int)
    rank[first.argsort()] = numpy.arange(len(first))
    if count > 1 and not (lists == lists[first[which]]).all():
        return numpy.arange(len(lists))
    return rank[which]


def names_of(vectors: Iterable[Vector]) -> dict[Vector, str]:
    """Names of vectors, or "": z1 for a layer of weights W1, a1 for what is made of it alone."""
    named: dict[Vector, str] = {}
    for vector in vectors:
        named[vector] = _name_of(vector, named)
    return named


def _name_of(vector: Vector, named: dict[Vector, str]) -> str:
    if vector.label and vector.size == 1:
        return vector.label
    source = next(iter(vector.operands[0].sources), None)  # none of an empty list
    is_sum = vector.op.name == "dot" and not is_same(*vector.operands[:2])
    if is_sum and isinstance(source, Block) and _weights.fullmatch(source.name):
        return f"z{source.name[1:]}"
    below = named[source] if isinstance(source, Vector) and len(vector.operands) == 1 else ""
    return f"a{below[1:]}" if _sums.fullmatch(below) and vector.op.name != "neg" else ""
