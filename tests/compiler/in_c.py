"""Programs in C, many to a file, against plain Python; and random graphs by the thousand.

python -m tests.compiler.in_c [--count 100000] [--seed 1]
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np

import scalargrad as sg
from scalargrad import functions
from scalargrad.compiler import machine, native
from scalargrad.compiler.calling import Called

from .. import programs

STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
BATCH = 500  # graphs in a file


class Case:
    """A program, what goes in, and what plain Python makes of it."""

    def __init__(self, fn: Any, args: Any, kind: str = "", **options: Any) -> None:
        traces, self.contents = sg.compile(fn, backend="python", **options)._ready(args, {})
        self.program, self.reduce = traces.program, traces.reduce
        self.kind = kind or traces.kinds[-1]
        result = traces.function("python", self.kind, self.contents)(self.contents)
        self.expected = by_columns(result, self.kind) if result.__class__ is list else result


def by_columns(rows: list[Any], kind: str) -> Any:
    """The results of rows as arrays have them: the axis of rows behind that of outputs."""
    if kind == "value":
        return columns(rows)
    first = [first for first, _ in rows]
    slopes = [slopes for _, slopes in rows]
    if kind == "value_and_grad":
        return first, columns(slopes)
    return columns(first), [columns(group) for group in columns(slopes)]


def columns(rows: list[Any]) -> list[Any]:
    return [list(column) for column in zip(*rows, strict=True)]


def numbers(result: Any) -> Iterator[float]:
    """All numbers of a result, in the order in which they stand."""
    if isinstance(result, tuple | list | np.ndarray):
        for item in result:
            yield from numbers(item)
    else:
        yield float(result)


def results(cases: list[Case]) -> list[Any]:
    """What C makes of cases, all compiled at once."""
    sources = [
        native.source_of(x.program, x.kind, x.reduce, f"f{i}").source for i, x in enumerate(cases)
    ]
    text = native.library(sources)
    with mock.patch.object(machine, "FLAGS", (*machine.FLAGS, *STRICT)):
        made = [machine.function(text, f"call_{source.name}", "-O0") for source in sources]
    return [
        Called(function, source.work, x.program, x.kind, x.reduce)(x.contents)
        for function, source, x in zip(made, sources, cases, strict=True)
    ]


def is_close(a: float, b: float, tolerance: float) -> bool:
    return (a != a and b != b) or a == b or abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))


def check(cases: list[Case]) -> None:
    for i, (case, got) in enumerate(zip(cases, results(cases), strict=True)):
        ours, theirs = list(numbers(got)), list(numbers(case.expected))
        assert len(ours) == len(theirs), i
        assert all(map(lambda a, b: is_close(a, b, 1e-9), ours, theirs)), (i, ours, theirs)


def graphs_in_c(seeds: range) -> None:
    """Graphs as `tests.random_graphs` draws them, hard numbers among them."""
    cases, drawn = [], []
    for seed in seeds:
        program = programs.draw(random.Random(seed))
        drawn.append(program)
        cases.append(Case(lambda x, p=program: recorded(p, x), (list(program.leaves),)))
    for program, case, got in zip(drawn, cases, results(cases), strict=True):
        ours, theirs = list(numbers(got)), list(numbers(case.expected))
        scale = max([1.0, *(abs(x) for x in theirs if math.isfinite(x))])
        for a, b in zip(ours, theirs, strict=True):
            is_near = math.isfinite(a) and abs(a - b) <= max(1e-9 * abs(b), 1e-12 * scale)
            assert (a != a and b != b) or a == b or is_near, (programs.source(program), a, b)


def recorded(program: programs.Program, leaves: Any) -> Any:
    return programs.run(program, list(leaves), lambda row, xs: getattr(functions, row)(*xs))[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="how many graphs")
    parser.add_argument("--seed", type=int, default=1, help="of the first")
    given = parser.parse_args()
    end = given.seed + given.count
    for first in range(given.seed, end, BATCH):
        graphs_in_c(range(first, min(first + BATCH, end)))
        print(
            f"\r{min(first + BATCH, end) - given.seed:,} graphs are as in Python",
            end="",
            flush=True,
        )
    print()


if __name__ == "__main__":
    main()
