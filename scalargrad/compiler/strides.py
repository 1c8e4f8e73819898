"""Indices that are linear in the place along each axis: slices, transposed matrices.   (floor 3)"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy

DEEPEST = 4  # loops in one another


class Strides(NamedTuple):
    """An index that is linear in the place along each of its axes: a first number, and a step for
    each axis.
    """

    first: int
    steps: tuple[int, ...]

    @classmethod
    def of(cls, index: Any) -> Strides | None:
        """The strides of an index; None where it is not linear.

        >>> Strides.of(numpy.array([[4, 5], [6, 7]]))
        Strides(first=4, steps=(2, 1))
        """
        first, steps = int(index.flat[0]), []
        expected = numpy.array(index.flat[0])
        for axis, size in enumerate(index.shape):
            step = int(index.take(1, axis).flat[0]) - first if size > 1 else 0
            expected = expected[..., None] + step * numpy.arange(size)
            steps.append(step)
        return cls(first, tuple(steps)) if (index == expected).all() else None


def nest_of(indices: Sequence[Any]) -> tuple[int, ...] | None:
    """Loops one in the other in which all of some indices of one length are linear; None where
    there are no such.

    >>> nest_of([numpy.array([0, 0, 0, 1, 1, 1]), numpy.arange(6)])
    (2, 3)
    """
    count = len(indices[0])
    shape: list[int] = []
    firsts = [index if index.ndim == 1 else index[:, 0] for index in indices]
    while len(shape) < DEEPEST:
        run = min([_run(first) for first in firsts])
        if run == len(firsts[0]):
            shape.insert(0, run)
            break
        if len(firsts[0]) % run:
            return None
        shape.insert(0, run)
        firsts = [first[::run] for first in firsts]
    made = tuple(shape)
    if numpy.prod(made) != count:
        return None
    fits = all(Strides.of(index.reshape(*made, *index.shape[1:])) for index in indices)
    return made if fits else None


def _run(index: Any) -> int:
    """The number of numbers of an index that go on as its first two."""
    if len(index) < 3:
        return len(index)
    differences = index[1:] - index[:-1]
    breaks = numpy.flatnonzero(differences != differences[0])
    return int(breaks[0]) + 1 if len(breaks) else len(index)


def steps_of(shape: tuple[int, ...]) -> list[int]:
    """The steps between numbers along each axis of an array.

    >>> steps_of((4, 2, 3))
    [6, 3, 1]
    """
    return [int(numpy.prod(shape[axis + 1 :])) for axis in range(len(shape))]


def flat_terms(shape: tuple[int, ...], variables: str) -> list[tuple[int, str]]:
    """The place of a number in loops over all of them, as multiples of variables.

    >>> linear(0, flat_terms((2, 3), "ij"))
    '3 * i + j'
    """
    return [(step, x) for step, x, n in zip(steps_of(shape), variables, shape) if n > 1]


def linear(first: int, terms: Iterable[tuple[int, str]]) -> str:
    """A sum of multiples of variables as text.

    >>> linear(3, [(-1, "k"), (2, "i"), (0, "r")]), linear(0, [])
    ('2 * i - k + 3', '0')
    """
    text = ""
    for times, name in sorted(terms, key=lambda term: -term[0]):
        sign = " + " if times > 0 else " - " if text else "-"
        part = name if abs(times) == 1 else f"{abs(times)} * {name}"
        text += f"{sign if text or times < 0 else ''}{part}" if times else ""
    rest = f" {'-' if first < 0 else '+'} {abs(first)}" if text else str(first)
    return text + rest * (first != 0 or not text)
