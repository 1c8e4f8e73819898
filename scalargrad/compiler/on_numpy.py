"""What generated NumPy source calls besides NumPy, and how it is run: whole, or in chunks of rows.   (floor 3)"""

from __future__ import annotations

import itertools
from functools import partial
from math import isfinite
from operator import attrgetter

import numpy
from numpy import ndarray, vdot

from ..rows.text import run_pieces
from . import carried
from .arguments import as_array
from .dialects.numpy import array_names
from .emitters import numpy as source
from .emitters import numpy_by_number as by_number
from .grids import completed
from .naming import is_word
from .roll import is_scattered, rolled, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .program import Block, Program
    from .roll import Rolled

CACHE = 131072  # numbers, 1 MB
ALONE = 8192  # of so many numbers BLAS computes a dot in one thread, and wakes no other
FLOATS = numpy.dtype(numpy.float64)

_only_arrays = {ndarray}
_dtype_of = attrgetter("dtype")

_counter = itertools.count(1)


def beside(*arrays: Any) -> Any:
    """Arrays one behind the other, those without rows repeated for each row of the others."""
    rows = max(array.ndim for array in arrays)
    if rows > 1:
        count = max(len(array) for array in arrays if array.ndim > 1)
        arrays = tuple(
            array if array.ndim > 1 else numpy.broadcast_to(array, (count, len(array)))
            for array in arrays
        )
    return numpy.concatenate(arrays, axis=-1)


def times(left: Any, right: Any, hides: int) -> Any:
    """The matrix product of slopes and partials, in which a slope of 0 sends 0; `hides` says which side are the slopes.

    >>> with numpy.errstate(invalid="ignore"):
    ...     times(numpy.array([0.0, 2.0]), numpy.array([[numpy.inf, 1.0], [3.0, 4.0]]), 0)
    array([6., 8.])
    """
    if numpy.isfinite(left if hides else right).all():
        return left @ right
    left, right = left[..., None], right if left.ndim == 1 else right[..., None, :, :]
    return numpy.where((right if hides else left) == 0.0, 0.0, left * right).sum(-2)


NAMES = {
    "beside": beside, "spread": numpy.broadcast_to, "times": times, "vdot": vdot, "full": numpy.full, "zeros": numpy.zeros, "array": numpy.array,
}  # fmt: skip


def function_source(
    program: Program,
    name: str,
    kind: str,
    reduce: str | None,
    total: bool = False,
    of: str = "",
    vectors: Rolled | None = None,
) -> tuple[list[str], dict[str, Any]]:
    """The source of a function of the program's blocks, in pieces, and all that it reads by name: in vectors, where these are a gain.

    `vectors` are the program's, where it is to be in others than `rolled` gives.
    """
    if is_scattered(program):
        pieces, names = by_number.function_source(program, name, kind, total, of)
    else:
        text, names = source.function_source(
            vectors or rolled(program), name, kind, reduce, total, of
        )
        pieces = [text]
    return pieces, {**array_names(), **NAMES, **names}


class NumpyFunction:
    """A program as a function of its blocks' contents as arrays: the fast one, and the total one where a slope is not finite.

    Rows that are too many for the cache are taken in chunks.
    """

    backend = "numpy"

    def __init__(self, program: Program, name: str, kind: str, reduce: str | None) -> None:
        self._program = program
        by_number = is_scattered(program)
        self._grids = None if by_number else completed(rolled(program))
        self._name, self._kind, self._reduce = name, kind, reduce
        self._of = name if is_word(name) else ""
        self._floats = (
            [FLOATS] * len(program.blocks) if all(block.shape for block in program.blocks) else []
        )
        self._carried = [i for i, block in enumerate(program.blocks) if block.has_rows]
        self._chunk = chunk_of(rolled(program)) if self._carried else 0
        self._is_single = kind == "value" and len(program.outputs) == 1
        self._made: dict[bool, Callable[..., Any]] = {}
        self.source = ""
        self._make(False)
        self._fast = self._make(False) if self._grids in (None, program.rolled) else self._on_grids
        self._called: Callable[..., Any] = partial(answer, self._fast, self._total, kind != "value")
        if by_number:
            self._called = partial(carried.answer, self._fast, self._total)

    def _make(self, total: bool) -> Callable[..., Any]:
        if total not in self._made:
            grids = None if total else self._grids
            pieces, names = function_source(
                self._program, self._kind, self._kind, self._reduce, total, self._of, grids
            )
            self.source = self.source or "\n\n".join(pieces)
            filename = f"<scalargrad {'total ' if total else ''}{self._kind} of {self._name} in numpy {next(_counter)}>"
            self._made[total] = run_pieces(pieces, filename, names)[self._kind]
        return self._made[total]

    def __call__(self, contents: Sequence[Any]) -> Any:
        if (
            not _only_arrays.issuperset(map(type, contents))
            or [*map(_dtype_of, contents)] != self._floats
        ):
            contents = [*map(shaped, contents, self._program.blocks)]
        rows = len(contents[self._carried[0]]) if self._carried else 0
        result = (
            self._in_chunks(contents, rows) if rows > 2 * self._chunk else self._called(*contents)
        )
        return (result,) if self._is_single else result

    def _in_chunks(self, arrays: Sequence[Any], rows: int) -> Any:
        """What the generated function returns, of some rows at a time."""
        share = [rows] if self._reduce == "mean" else []
        parts = []
        for start in range(0, rows, self._chunk):
            part = list(arrays)
            for i in self._carried:
                part[i] = part[i][start : start + self._chunk]
            parts.append(self._called(*part, *share))
        return self._joined(parts)

    def _on_grids(self, *arrays: Any) -> Any:
        """What the fast function returns; FloatingPointError where a number is not finite, which no mask would keep out."""
        if not are_finite(arrays):
            raise FloatingPointError("the arguments are not all finite")
        with numpy.errstate(divide="raise", invalid="raise"):
            return self._make(False)(*arrays)

    def _total(self, *arrays: Any) -> Any:
        return self._make(True)(*arrays)

    def _joined(self, parts: Sequence[Any]) -> Any:
        """The results of chunks as one: sums added up, what has rows put one behind the other."""
        if self._kind == "value_and_grad":
            return self._together([value for value, _ in parts]), self._slopes(
                [slopes for _, slopes in parts]
            )
        if self._kind == "value":
            return (
                self._together(parts)
                if self._is_single
                else tuple(map(self._together, zip(*parts)))
            )
        outputs = tuple(map(self._together, zip(*[values for values, _ in parts])))
        return outputs, tuple(map(self._slopes, zip(*[groups for _, groups in parts])))

    def _together(self, parts: Sequence[Any]) -> Any:
        return numpy.concatenate(parts) if self._reduce is None else sum(parts)

    def _slopes(self, parts: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
        blocks = zip(self._program.wrt, zip(*parts))
        return tuple(
            [
                numpy.concatenate(column) if block.has_rows else self._together(column)
                for block, column in blocks
            ]
        )


def answer(
    fast: Callable[..., Any], total: Callable[..., Any], has_slopes: bool, *arrays: Any
) -> Any:
    """What the fast function returns; where it overflows, or a slope is not finite, what the total one does."""
    try:
        with numpy.errstate(all="ignore", over="raise"):
            result = fast(*arrays)
            if not has_slopes or are_finite(result[1]):
                return result
    except ArithmeticError:  # an overflow: what is fast may be wrong then
        pass
    with numpy.errstate(all="ignore"):
        return total(*arrays)


def chunk_of(program: Rolled) -> int:
    """How many rows at a time keep what a program computes in the cache."""
    everything: list[Any] = [*program.blocks, *program.vectors]
    width = sum([size_of(x) for x in everything if x.has_rows])
    return max(256, CACHE // max(1, width))


def shaped(content: Any, block: Block) -> Any:
    """A block's content as an array of floats, a number as one of one."""
    array = (
        content
        if content.__class__ is numpy.ndarray and content.dtype is FLOATS
        else as_array(content)
    )
    if block.shape:
        return array
    return array.reshape(-1, 1) if block.has_rows else array.reshape(1)


def are_finite(slopes: Any) -> bool:
    """Whether slopes are finite, or those of several outputs, and not so large that their squares are not."""
    for slope in slopes:
        if slope.__class__ is tuple:
            if not are_finite(slope):
                return False
        elif slope.__class__ is ndarray:
            flat = slope.ravel()
            for begin in range(0, flat.size, ALONE):
                part = flat[begin : begin + ALONE]
                if not isfinite(part.dot(part)):
                    return False
        elif not isfinite(slope * slope):
            return False
    return True
