"""The numbers of a block: as floats, nested lists or an array, and in containers.   (floor 3)"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from operator import countOf
from typing import Any

LIST, TUPLE, ARRAY = "list", "tuple", "array"  # the kinds of an axis
_PLAIN = {float, int}


def regular(items: list[Any]) -> tuple[int, ...] | None:
    """The shape of a list of floats, or of equally long lists of floats; None of all others.

    To count is faster than to look at each item.

    >>> regular([[1.0, 2.0]]), regular([1.0, 2])
    ((1, 2), None)
    """
    count = len(items)
    if not count or type(items[0]) is not list:
        return (count,) if countOf(map(type, items), float) == count else None
    if countOf(map(type, items), list) == count and len(widths := {*map(len, items)}) == 1:
        (width,) = widths
        if countOf(map(type, chain.from_iterable(items)), float) == count * width:
            return count, width
    return None


def as_floats(items: Any) -> Any:
    """The items as floats if all are floats or ints, and none of a subclass; else None.

    A list of floats is returned as it is.
    """
    kinds = {*map(type, items)}
    if kinds <= {float}:
        return items
    if not kinds <= _PLAIN:
        return None
    try:
        floats = [float(x) for x in items]
    except OverflowError:  # an int is too large
        return None
    return floats if type(items) is list else type(items)(floats)


def flat(content: Any) -> list[Any]:
    """The numbers of nested lists or of an array, as a flat list."""
    if hasattr(content, "ravel"):
        return content.ravel().tolist()  # type: ignore[no-any-return]
    if not isinstance(content, list | tuple):
        return [content]
    if _PLAIN.issuperset(map(type, content)):
        return [*content]
    return [x for item in content for x in flat(item)]


def shape_of(content: Any) -> tuple[int, ...]:
    """The shape of nested lists, by their first items.

    >>> shape_of([[1, 2, 3], [4, 5, 6]]), shape_of(1)
    ((2, 3), ())
    """
    if not isinstance(content, list):
        return ()
    return len(content), *(shape_of(content[0]) if content else ())


def as_number(result: Any) -> Any:
    """A number of rows, or an array of no dimension, as the float it holds; all else as it is."""
    if result.__class__ is not float and (
        result.__class__ is int or getattr(result, "ndim", None) == 0
    ):
        return float(result)
    return result


def as_lists(content: Any, number: type = float) -> Any:
    """The content of a block as nested lists of floats, for source in plain Python."""
    if not hasattr(content, "tolist"):
        return content
    if content.dtype.char != "d" or number is not float:
        content = content.astype(number)
    return content.tolist()


def as_array(content: Any) -> Any:
    """The content of a block as an array of floats, for source on arrays."""
    import numpy

    if type(content) is list and content:
        rows = content if type(content[0]) is list else [content]
        if len(rows[0]) > 16:
            with suppress(struct.error):  # raised where lists are nested deeper
                packed = [struct.pack(f"{len(rows[0])}d", *row) for row in rows]
                array = numpy.frombuffer(bytearray().join(packed))  # in a third of the time
                return array if rows is not content else array.reshape(len(rows), -1)
    return numpy.asarray(content, dtype=numpy.float64)


def shaped(content: list[Any], shape: tuple[int, ...], kinds: tuple[str, ...] = ()) -> Any:
    """A flat list as nested lists of a shape, as tuples or arrays where `kinds` says so.

    >>> shaped([1, 2, 3, 4], (2, 2)), shaped([1, 2, 3, 4], (2, 2), ("list", "tuple"))
    ([[1, 2], [3, 4]], [(1, 2), (3, 4)])
    """
    if not shape:
        return content[0]
    if kinds[:1] == (ARRAY,):
        from .arrays import TracedArray

        array = TracedArray(len(content), dtype=object)
        array[:] = content
        return array.reshape(shape)
    items = content
    if len(shape) > 1:
        size = len(content) // shape[0] if shape[0] else 0
        begins = range(0, shape[0] * size, size) if size else [0] * shape[0]
        items = [shaped(content[i : i + size], shape[1:], kinds[1:]) for i in begins]
    return tuple(items) if kinds[:1] == (TUPLE,) else list(items)


@lru_cache(maxsize=1024)
def handing(kinds: tuple[str, ...]) -> Callable[[Any], Any]:
    """A function that puts numbers, as a backend gave them, into containers of these kinds.

    >>> handing(("tuple", "list"))([[1.0, 2.0], [3.0, 4.0]])
    ([1.0, 2.0], [3.0, 4.0])
    """
    if len({*kinds}) < 2 and TUPLE not in kinds:
        if ARRAY in kinds:
            from numpy import ndarray

            return lambda content: content if type(content) is ndarray else as_array(content)
        return as_lists if kinds else as_number
    outer, inner = tuple if kinds[0] == TUPLE else list, handing(kinds[1:])
    return lambda content: outer(map(inner, content))
