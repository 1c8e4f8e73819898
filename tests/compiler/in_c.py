"""Programs in C, many to a file, against plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any
from unittest import mock

import numpy as np

import scalargrad as sg
from scalargrad.compiler import machine, native
from scalargrad.compiler.calling import Called, adapters
from scalargrad.compiler.emitters.frame import file_of

STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")


class Case:
    """A program, what goes in, and what plain Python makes of it."""

    def __init__(self, fn: Any, args: Any, kind: str = "", **options: Any) -> None:
        traces, self.contents = sg.compile(fn, backend="python", **options)._ready(args, {})
        self.program, self.reduce = traces.program, traces.reduce
        self.kind, self.traces = kind or traces.kinds[-1], traces

    @cached_property
    def expected(self) -> Any:
        result = self.traces.function("python", self.kind, self.contents)(self.contents)
        return by_columns(result, self.kind) if result.__class__ is list else result


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
    """The results of cases in C, all compiled at once."""
    sources = [
        native.source_of(x.program, x.kind, x.reduce, f"f{i}").source for i, x in enumerate(cases)
    ]
    text = file_of(sources, adapters(sources))
    with mock.patch.object(machine, "FLAGS", (*machine.FLAGS, *STRICT)):
        library = machine.library(text, lambda: (text, "-O0"))
        made = [getattr(library, f"call_{source.name}") for source in sources]
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
