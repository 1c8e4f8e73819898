"""Functions that a saved module carries with it.   (floor 3)

They read its arguments, and choose between raw arithmetic and total.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def numbers(content: Any, name: str, *shape: int) -> Any:
    """A number, or nested lists of floats of that shape; an axis of -1 may have any length.

    ValueError where it has another.

    >>> numbers(2, "x"), numbers([[1, 2], [3, 4]], "W", 2, 2), numbers((1, 2, 3), "y", -1)
    (2.0, [[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0, 3.0])
    """
    content = content.to_numpy() if hasattr(content, "to_numpy") else content
    content = content.tolist() if hasattr(content, "tolist") else content
    if isinstance(content, dict | set | str) or hasattr(content, "__len__") != bool(shape):
        raise ValueError(
            f"{name} must be {'a list of numbers' if shape else 'a number'}, got {content!r}"
        )
    if not shape:
        return float(content)
    if shape[0] not in (-1, len(content)):
        raise ValueError(f"{name} must have {shape[0]} items, got {len(content)}")
    if len(shape) == 1:
        try:
            return list(map(float, content))
        except TypeError as error:
            raise ValueError(f"{name} must be a list of numbers, got {content!r}") from error
    return [numbers(item, f"{name}[{i}]", *shape[1:]) for i, item in enumerate(content)]


def array(content: Any, name: str, *shape: int) -> Any:
    """An array of floats of that shape, a number as one of one; an axis of -1 may have any length.

    ValueError where it has another.
    """
    import numpy

    made = numpy.asarray(content, dtype=numpy.float64)
    if made.ndim != len(shape) or any(n not in (-1, count) for n, count in zip(shape, made.shape)):
        raise ValueError(
            f"{name} must have the shape {shape}, an axis of -1 any length, "
            f"got the shape {made.shape}"
        )
    if not shape:
        return made.reshape(1)
    return made.reshape(-1, 1) if shape == (-1,) else made


def check_rows(**arguments: Any) -> None:
    """ValueError where arguments that carry rows have different numbers of them, or none."""
    counts = {name: len(rows) for name, rows in arguments.items()}
    if len(set(counts.values())) > 1 or 0 in counts.values():
        raise ValueError(
            f"the arguments must have the same number of rows, one at least, got {counts}"
        )


def columns(rows: Any) -> Any:
    """The results of rows, tuples in tuples, as tuples of lists that have an item for each row.

    >>> columns([(1.0, ([2.0],)), (3.0, ([4.0],))])
    ([1.0, 3.0], ([[2.0], [4.0]],))
    """
    if isinstance(rows[0], tuple):
        return tuple([columns(column) for column in zip(*rows)])
    return [*rows]


def answer(raw: Callable[..., Any], total: Callable[..., Any], *contents: Any) -> Any:
    """The result of the raw function, or where it raises, or meets a gradient that is not finite,
    that of the total one.
    """
    try:
        return raw(*contents)
    except (ArithmeticError, ValueError):
        return total(*contents)
