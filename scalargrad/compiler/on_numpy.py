"""Running generated NumPy source: whole, or in chunks of rows, fast or total.   (floor 3)"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite, nan
from operator import attrgetter
from typing import Any

import numpy
from numpy import ndarray

from ..rows.text import run_pieces
from .contents import as_array
from .emitters.numpy import function_source
from .grids import completed
from .naming import is_word
from .program import Block, Program
from .roll import Rolled, rolled, size_of

CACHE = 131072  # numbers, 1 MB
ALONE = 8192  # of so many numbers BLAS computes a dot in one thread, and wakes no other
FLOATS = numpy.dtype(numpy.float64)

_only_arrays = {ndarray}
_dtype_of = attrgetter("dtype")

_counter = itertools.count(1)


class NumpyFunction:
    """A program as a function of its blocks' contents as arrays.

    The fast function answers, and the total one where a slope is not finite. Rows that are too many
    for the cache are taken in chunks.
    """

    def __init__(self, program: Program, name: str, kind: str, reduce: str | None) -> None:
        self._program, self._name, self._kind, self._reduce = program, name, kind, reduce
        blocks, by_row = program.blocks, reduce is None
        self._grids = completed(rolled(program))
        self._floats = [FLOATS] * len(blocks) if all(block.shape for block in blocks) else []
        self._carried = [i for i, block in enumerate(blocks) if block.has_rows]
        self._chunk = chunk_of(rolled(program)) if self._carried else 0
        slopes = tuple([by_row or block.has_rows for block in program.wrt])
        all_slopes = (slopes,) * len(program.outputs) if kind == "jacobian" else slopes
        self._rows: Any = by_row if kind == "value" else (by_row, all_slopes)
        self._is_single = kind == "value" and len(program.outputs) == 1
        self._fast, self.source = self._made(False)
        fast = self._fast if self._grids is program.rolled else self._on_grids
        self._function: Callable[..., Any] | None = None  # the total one, when it is asked for
        self._called: Callable[..., Any] = partial(answer, fast, self._total, kind != "value")

    def _made(self, total: bool) -> tuple[Callable[..., Any], str]:
        """The generated function, and its source."""
        of, kind = self._name if is_word(self._name) else "", self._kind
        vectors = rolled(self._program) if total else self._grids
        pieces, names = function_source(vectors, kind, kind, self._reduce, total, of)
        told = f"{'total ' * total}{kind} of {self._name} in numpy {next(_counter)}"
        return run_pieces(pieces, f"<scalargrad {told}>", names)[kind], "\n\n".join(pieces)

    def __call__(self, contents: Sequence[Any]) -> Any:
        if (
            not _only_arrays.issuperset(map(type, contents))
            or [*map(_dtype_of, contents)] != self._floats
        ):
            contents = [*map(shaped, contents, self._program.blocks)]
        rows = len(contents[self._carried[0]]) if self._carried else 0
        is_long = rows > 2 * self._chunk
        result = self._in_chunks(contents, rows) if is_long else self._called(*contents)
        return (result,) if self._is_single else result

    def _in_chunks(self, arrays: Sequence[Any], rows: int) -> Any:
        """The result of all rows, made of some at a time."""
        given = [rows] if self._reduce == "mean" else []
        parts = []
        for start in range(0, rows, self._chunk):
            part = list(arrays)
            for i in self._carried:
                part[i] = part[i][start : start + self._chunk]
            parts.append(self._called(*part, *given))
        return joined(parts, self._rows)

    def _on_grids(self, *arrays: Any) -> Any:
        """The fast function's result; FloatingPointError where a number is not finite.

        No mask would keep it out.
        """
        if not are_finite(arrays):
            raise FloatingPointError("the arguments are not all finite")
        with numpy.errstate(divide="raise", invalid="raise"):
            return self._fast(*arrays)

    def _total(self, *arrays: Any) -> Any:
        if self._function is None:
            self._function, _ = self._made(True)
        return self._function(*arrays)


def joined(parts: Sequence[Any], rows: Any) -> Any:
    """Results of chunks as one: what has rows is put one behind the other, else added up.

    `rows` says of each result whether it has rows, or of all.

    >>> joined([(1.0, numpy.ones(2)), (2.0, numpy.zeros(1))], (False, True))
    (3.0, array([1., 1., 0.]))
    """
    if isinstance(parts[0], tuple):
        every = rows if isinstance(rows, tuple) else [rows] * len(parts[0])
        return tuple(map(joined, zip(*parts), every))
    return numpy.concatenate(parts) if rows else sum(parts)


@numpy.errstate(all="ignore", over="raise")  # as a decorator in half the time
def answer(
    fast: Callable[..., Any], total: Callable[..., Any], has_slopes: bool, *arrays: Any
) -> Any:
    """The fast function's result; where that overflows, or a slope is not finite, the total's."""
    try:
        result = fast(*arrays)
        if not has_slopes or are_finite(result[1]):
            return result
    except ArithmeticError:  # an overflow: what is fast may be wrong then
        pass
    with numpy.errstate(over="ignore"):
        return total(*arrays)


def chunk_of(program: Rolled) -> int:
    """The number of rows of which all that a program computes fits in the cache."""
    everything: list[Any] = [*program.blocks, *program.vectors]
    width = sum([size_of(x) for x in everything if x.has_rows])
    return max(256, CACHE // max(1, width))


def shaped(content: Any, block: Block) -> Any:
    """A block's content as an array of floats, a number as one of one."""
    is_float = content.__class__ is ndarray and content.dtype is FLOATS
    array = content if is_float else as_array(content)
    if block.shape:
        return array
    return array.reshape(-1, 1) if block.has_rows else array.reshape(1)


def are_finite(slopes: Any) -> bool:
    """Whether slopes are finite, or those of several outputs, and the sum of their squares too."""
    squares = 0.0
    for slope in slopes:
        if slope.__class__ is ndarray:
            flat = slope.ravel()
            while flat.size > ALONE:
                part, flat = flat[:ALONE], flat[ALONE:]
                squares += part.dot(part)
            squares += flat.dot(flat)
        elif slope.__class__ is tuple:
            squares += 0.0 if are_finite(slope) else nan
        else:
            squares += slope * slope
    return isfinite(squares)
