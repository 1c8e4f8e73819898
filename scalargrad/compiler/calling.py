"""Functions in C, called with arrays by calls that cost next to nothing.   (floor 3)

ctypes takes a third of a microsecond to find out where the numbers of an array are, more than many
functions run. So a library has a second function for each, which is handed one tuple of all arrays
and floats, and finds their numbers there itself: behind the head that all objects have, an array
has the address of its numbers, and a float its number.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy

from .program import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .emitters.frame import Source

FLOAT = numpy.dtype(numpy.float64)
ARRAY, empty = numpy.ndarray, numpy.empty
HEAD, ITEMS = object.__basicsize__, tuple.__basicsize__  # bytes before what an object holds
_probe = numpy.zeros(1)
if ctypes.c_void_p.from_address(id(_probe) + HEAD).value != _probe.ctypes.data:
    raise ImportError("machine code cannot be called here: arrays are laid out in another way")


def adapters(sources: Sequence[Source]) -> list[str]:
    """The functions that are handed a tuple: the contents of blocks, the outputs, arrays of slopes,
    and one to work in.
    """
    macro = f"#define {{}}_of(object) (*(double {{}})(void *)((object) + {HEAD}))"
    macros = [macro.format(name, stars) for name, stars in (("array", "**"), ("number", "*"))]
    return ["\n".join(macros), *map(_adapter, sources)]


def _adapter(source: Source) -> str:
    kinds = [kind for kind, _ in source.parameters]
    given = kinds.count("number") + kinds.count("input")
    at = iter([*range(given), *range(given + source.returns, len(kinds) + 2)])
    texts = []
    for kind in kinds:
        sort = "number" if kind == "number" else "array"
        texts.append("rows" if kind == "count" else f"{sort}_of(x[{next(at)}])")
    result = f"*array_of(x[{given}]) = " if source.returns else ""
    lines = ",\n        ".join(texts)
    return f"""void call_{source.name}(char *objects, long rows)
{{
    char **x = (char **)(void *)(objects + {ITEMS});
    (void)rows;
    {result}{source.name}({lines});
}}"""


class Called:
    """A function in C, as one of the contents of blocks; `function` is of `adapters`."""

    def __init__(
        self, function: Any, size: int, program: Program, kind: str, reduce: str | None
    ) -> None:
        blocks, self._count = program.blocks, len(program.outputs)
        self._kind, self._function, self._room = kind, function, size
        self._data = next((i for i, block in enumerate(blocks) if block.has_rows), None)
        has_rows = self._data is not None
        self._per_row = has_rows and reduce is None
        self._are_numbers = [not block.shape and not block.has_rows for block in blocks]
        lead = (self._count,) if kind == "jacobian" else ()
        self._shapes = [
            (lead, block.shape, has_rows and (block.has_rows or self._per_row))
            for block in (program.wrt if kind != "value" else [])
        ]
        function.restype, function.argtypes = None, [ctypes.py_object, ctypes.c_long]
        self._rooms: list[Any] = []  # arrays to work in that no call uses now

    def __call__(self, contents: Sequence[Any]) -> Any:
        given = []
        for content, is_number in zip(contents, self._are_numbers):
            if is_number:
                content = content if content.__class__ is float else float(content)
            else:
                content = as_array(content)
            given.append(content)
        rows: tuple[int, ...] = () if self._data is None else (len(given[self._data]),)
        outputs = empty((self._count, *rows) if self._per_row else self._count)
        slopes = [
            empty(lead + rows + shape if by_rows else lead + shape)
            for lead, shape, by_rows in self._shapes
        ]
        try:
            work = self._rooms.pop()
        except IndexError:
            work = room(self._room)
        self._function((*given, outputs, *slopes, work), rows[0] if rows else 0)
        self._rooms.append(work)
        if self._kind == "value":
            return tuple(outputs)
        if self._kind == "value_and_grad":
            return outputs[0], tuple([slope if slope.ndim else slope[()] for slope in slopes])
        return tuple(outputs), tuple([tuple([x[i] for x in slopes]) for i in range(self._count)])


def room_of(library: Any, name: str) -> int:
    """How many numbers a function needs room for."""
    return ctypes.c_long.in_dll(library, f"room_of_{name}").value


def room(size: int) -> Any:
    """An array to work in, which begins where vector instructions read and write it fastest."""
    array = numpy.zeros(size + 8)
    return array[-(array.ctypes.data // 8) % 8 :]


def as_array(content: Any) -> Any:
    """An array of floats in C's order."""
    if content.__class__ is not ARRAY or content.dtype is not FLOAT:
        content = numpy.array(content, dtype=FLOAT, order="C")
    return content if content.flags.carray else content.copy()
