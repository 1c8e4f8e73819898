"""Values over rows: sum or mean, and the slope that each walk back begins with.   (floor 3)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .derive_rolled import Derived, Root, at, constant, whole
from .lower import OVER_ROWS, ROW_SHARE, ROWS, line_of
from .roll import Numbers, Rolled, View, size_of

MEAN, TIMES = line_of("x / y"), line_of("x * y")


def outputs_of(
    derived: Derived, reduce: str | None, joined: bool = False
) -> tuple[list[View], list[View]]:
    """The outputs of a program in vectors, sums or means over the rows where these are reduced, and
    the slopes they begin with.

    Those that are `joined` are added up: the first is over rows, and no other.
    """
    values, seeds, rows = [], [], whole(ROWS)
    for number, (source, place) in enumerate(derived.rolled.outputs):
        value, seed = derived.output(source, place), constant(1.0)
        over = None if joined and number else reduce
        if over and source.has_rows:
            value = derived.put(OVER_ROWS, (value,), 1)
            if over == "mean":
                value, seed = derived.put(MEAN, (value, rows), 1), whole(ROW_SHARE)
        elif over == "sum":
            value, seed = derived.put(TIMES, (value, rows), 1), rows
        values.append(value)
        seeds.append(seed)
    return values, seeds


def turns_of(made: Rolled, seeds: Sequence[View]) -> list[tuple[list[list[Root]], list[int]]]:
    """The roots of each walk back: all outputs of a vector take turns in one."""
    groups: dict[Any, tuple[list[list[Root]], list[int]]] = {}
    for number, ((source, place), seed) in enumerate(zip(made.outputs, seeds)):
        is_number = isinstance(source, Numbers)
        turns, numbers = groups.setdefault(number if is_number else source, ([], []))
        turns.append([] if is_number else [Root(source, place, seed)])
        numbers.append(number)
    return list(groups.values())


def slopes_of(derived: Derived, seeds: Sequence[View], by: Sequence[Any]) -> list[list[View]]:
    """For each output its slopes by each block."""
    found: dict[int, list[View]] = {}
    for turns, numbers in turns_of(derived.rolled, seeds):
        views = derived.slopes(turns, by)
        for i, number in enumerate(numbers):
            found[number] = [
                at(view, slice(i * size_of(block), (i + 1) * size_of(block)))
                for block, view in zip(by, views)
            ]
    return [found[number] for number in range(len(derived.rolled.outputs))]
