"""Reads rows of data from lists, tuples, arrays and data frames.   (floor 3)

Training visits the same rows in every epoch. So before it begins they are read, checked and turned
into plain floats.
"""

from __future__ import annotations

from math import isfinite

from ..arithmetic.conversion import as_float, to_float
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Row = float | tuple[float, ...]

_floats = {float}
_numbers = {float, int, bool}
_as_they_are = {float, Value}


def to_lists(data: Any) -> Any:
    """An array, a tensor, a series or a data frame as lists of numbers; anything else as it is."""
    if hasattr(data, "to_numpy"):
        data = data.to_numpy()
    return data.tolist() if hasattr(data, "tolist") else data


def is_row(item: Any) -> bool:
    """Whether it is a list, or an array, and not a number."""
    return isinstance(to_lists(item), (list, tuple))


def items(numbers: Any, taker: str, of_rows: str = "") -> list[Any]:
    """One number or Value, or a list of them, as a list of floats and Values.

    An error about lists in the list ends with the text `of_rows`.

    >>> items(3, "mse"), items((1, 0.5), "mse")
    ([3.0], [1.0, 0.5])
    """
    if isinstance(numbers, Value):
        return [numbers]
    number = as_float(numbers)
    if number is not None:
        return [number]
    numbers = to_lists(numbers)
    if not hasattr(numbers, "__iter__") or isinstance(numbers, (str, bytes, dict)):
        return [to_float(numbers, taker)]
    found: list[Any] = list(numbers)
    if _as_they_are.issuperset(map(type, found)):
        return found
    try:
        return [item if isinstance(item, Value) else to_float(item, taker) for item in found]
    except TypeError:
        if of_rows and any(map(is_row, found)):
            raise TypeError(f"{taker} takes a real number, got list{of_rows}") from None
        raise


def rows(data: Any, name: str) -> list[float] | list[tuple[float, ...]]:
    """The rows of a table: each a tuple of floats, or a float where each row is one number.

    ValueError names a row that is longer or shorter than the first, or that holds nan or infinity.
    TypeError names a column that holds text.

    >>> rows([[0, 1], [1, 0]], "X"), rows(range(3), "y")
    ([(0.0, 1.0), (1.0, 0.0)], [0.0, 1.0, 2.0])
    """
    found = as_array(data) if hasattr(data, "dtype") or hasattr(data, "to_numpy") else None
    if found is not None:
        return [*map(tuple, found.tolist())] if found.ndim > 1 else found.tolist()
    columns = getattr(data, "columns", None)  # of a data frame
    names = None if columns is None else [*columns]
    data = to_lists(data)
    if isinstance(data, (str, bytes, dict)) or not hasattr(data, "__iter__"):
        raise TypeError(f"{name} must be a list of rows or an array, got {type(data).__name__}")
    read = [_row(row, f"row {i} of {name}", names) for i, row in enumerate(data)]
    if not read:
        raise ValueError(f"{name} has no rows")
    first = width(read[0])
    for i, row in enumerate(read):
        if width(row) != first:
            raise ValueError(
                f"row {i} of {name} is {_shown(row)}, row 0 {_shown(read[0])}: "
                "all rows must be alike"
            )
    return read  # type: ignore[return-value]


def as_array(data: Any) -> Any:
    """A table of finite numbers as an array of floats, if NumPy is installed.

    None for any other table. `rows` reads such a table row by row, and says what is wrong with it.
    """
    try:
        from numpy import array, isfinite, ndarray
    except ImportError:
        return None
    if hasattr(data, "to_numpy"):
        data = data.to_numpy()
    if isinstance(data, (list, tuple)):
        try:
            data = array(data)
        except (TypeError, ValueError):  # rows that are not alike
            return None
    if not isinstance(data, ndarray) or hasattr(data, "mask"):  # some numbers are masked
        return None
    if data.ndim not in (1, 2) or data.dtype.kind not in "fiub" or not data.size:
        return None
    data = data.astype(float, copy=False)
    return data if isfinite(data).all() else None


def checked_array(data: Any, name: str) -> Any:
    """A table of finite numbers as an array of floats; an error names the row that is wrong."""
    found = as_array(data)
    if found is None:
        from numpy import array

        found = array(rows(data, name), dtype=float)
    return found


def one_hot(classes: list[float], count: int) -> list[tuple[float, ...]]:
    """A row for each class number: 1 in the place of that number, 0 elsewhere.

    >>> one_hot([2.0, 0.0], 3)
    [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0)]
    """
    each = [tuple([1.0 if i == k else 0.0 for i in range(count)]) for k in range(count)]
    return [each[int(k)] for k in classes]


def width(row: Row) -> int | None:
    """The number of items in a row; None if the row is a number by itself."""
    return len(row) if isinstance(row, tuple) else None


def _row(row: Any, where: str, columns: list[Any] | None) -> Row:
    number = as_float(row)
    if number is not None:
        if not isfinite(number):
            raise ValueError(f"{where} is {number}: leave such rows out, or fill them in")
        return number
    row = to_lists(row)
    if isinstance(row, (Value, str, bytes, dict)) or not hasattr(row, "__iter__"):
        advice = ": give the classes numbers, 0, 1, 2 …" if isinstance(row, str) else ""
        raise TypeError(
            f"{where} must be a number or a list of numbers, got {type(row).__name__}{advice}"
        )
    numbers = tuple(row)
    if not numbers:
        raise ValueError(f"{where} is empty")
    kinds = set(map(type, numbers))
    if kinds != _floats:
        try:
            numbers = (
                tuple(map(float, numbers)) if kinds <= _numbers else _read(numbers, where, columns)
            )
        except OverflowError:  # an int is too large
            numbers = _read(numbers, where, columns)
    if not isfinite(sum(numbers)):  # one may not be finite, or all are very large
        for i, item in enumerate(numbers):
            if not isfinite(item):
                raise ValueError(
                    f"{where} has {item} in column {_column(i, columns)}: "
                    "leave such rows out, or fill them in"
                )
    return numbers


def _read(items: tuple[Any, ...], where: str, columns: list[Any] | None) -> tuple[float, ...]:
    """Numbers of any kind as floats; TypeError names the column of an item that is no number."""
    numbers = tuple(map(as_float, items))
    if None in numbers:
        i = numbers.index(None)
        raise TypeError(
            f"{where} takes a real number, got {type(items[i]).__name__} {items[i]!r} "
            f"in column {_column(i, columns)}{_advice(items[i])}"
        )
    return numbers  # type: ignore[return-value]


def _column(i: int, columns: list[Any] | None) -> str:
    return str(i) if columns is None else f"{i} ({columns[i]!r})"


def _advice(item: Any) -> str:
    if item is None:
        return ": leave such rows out, or fill them in"
    if not isinstance(item, str):
        return ""
    try:
        return f": write {float(item)}"
    except ValueError:
        return ": encode that column as numbers, say 0 and 1 for each text that stands in it"


def _shown(row: Row) -> str:
    return f"a list of {len(row)}" if isinstance(row, tuple) else "a number"
