"""How source for numba is run: arrays in, arrays that it fills out, the total variant where a slope is not finite.   (floor 3)"""

from __future__ import annotations

from importlib.util import find_spec

import numpy

from ...arithmetic.total import inf
from .frame import Source
from .machine import build, is_made
from .source import LARGE, function_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..program import Program

FLOAT = numpy.dtype(numpy.float64)


class NativeFunction:
    """A program as a function of its blocks' contents as arrays; `source` is what runs, as long as all slopes are finite."""

    backend = "native"

    def __init__(self, program: Program, name: str, kind: str, reduce: str | None) -> None:
        self._program, self._kind, self._reduce = program, kind, reduce
        self._data = next((i for i, block in enumerate(program.blocks) if block.has_rows), None)
        self._are_numbers = [not block.shape and not block.has_rows for block in program.blocks]
        per_row = self._data is not None and reduce is None
        self._is_per_row, self._count = per_row, len(program.outputs)
        lead = (self._count,) if kind == "jacobian" else ()
        self._shapes = [
            (lead, block.shape or (1,), block.has_rows or per_row) for block in program.wrt
        ]
        self._plain = [i for i, block in enumerate(program.wrt) if not block.shape]
        self._made: dict[bool, tuple[Callable[..., bool], Any, Any]] = {}
        self.source = ""
        self._raw = self._make(False)

    def _make(self, total: bool) -> tuple[Callable[..., bool], Any, Any]:
        if total not in self._made:
            source = function_source(self._program, self._kind, self._reduce, total, large())
            self.source = self.source or source.text
            self._made[total] = build(source.text, self._kind), *tables_of(source)
        return self._made[total]

    def __call__(self, contents: Sequence[Any]) -> Any:
        arrays: list[Any] = [
            float(x) if is_number else _array(x)
            for x, is_number in zip(contents, self._are_numbers)
        ]
        rows = () if self._data is None else (len(arrays[self._data]),)
        outputs = numpy.empty((self._count, *rows) if self._is_per_row else self._count)
        function, numbers, places = self._raw
        if self._kind == "value":
            function(*arrays, numbers, places, outputs)
            return tuple(outputs)
        slopes = [
            numpy.empty((*lead, *rows, *shape) if by_rows else (*lead, *shape))
            for lead, shape, by_rows in self._shapes
        ]
        if not function(*arrays, numbers, places, outputs, *slopes):
            function, numbers, places = self._make(True)
            function(*arrays, numbers, places, outputs, *slopes)
        for i in self._plain:
            slopes[i] = slopes[i][..., 0]
        if self._kind == "value_and_grad":
            return outputs[0], tuple(slopes)
        return tuple(outputs), tuple(
            [tuple([array[i] for array in slopes]) for i in range(self._count)]
        )


def has_code(program: Program, kind: str, reduce: str | None) -> bool:
    """Whether there is machine code already for such a function."""
    return is_made(function_source(program, kind, reduce, False, large()).text, kind)


def _array(content: Any) -> Any:
    """An array of floats as numba takes it without being compiled anew: in C's order, and one that can be written to."""
    if content.__class__ is not numpy.ndarray or content.dtype is not FLOAT:
        content = numpy.asarray(content, dtype=FLOAT)
    return content if content.flags.carray else content.copy()


def large() -> float:
    """From how many numbers on a matrix product goes to a library: numba calls that of SciPy."""
    return LARGE if find_spec("scipy") else inf


def tables_of(source: Source) -> tuple[Any, Any]:
    """The constants that a source reads, as arrays."""
    return numpy.array(source.numbers, dtype=FLOAT), numpy.array(source.places, dtype=numpy.int64)
