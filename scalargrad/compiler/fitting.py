"""Reading an argument of a form that is known: what is asked in every call, and fast for what is most usual.   (floor 3)"""

from __future__ import annotations

from ..arithmetic.conversion import as_float
from .arguments import FIXED, NUMBER, NUMBERS, ROWS, STATE, Exact, read, read_rows, static

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .arguments import Form

    Fits = Callable[[Any, list[Any]], bool]


def fitting(form: Form, what: str) -> Fits:
    """What tells whether an argument has that form, and adds what it holds to contents.

    Where it has not, what was added is of no use.

    >>> contents = []
    >>> fits = fitting(NUMBER, "x")
    >>> fits(2.0, contents), fits([2.0], contents), contents
    (True, False, [2.0])
    """
    if form == NUMBER:
        return _fits_number
    if form[0] == ROWS and form[1] == "array":
        return _fits_array(form[2][2], rows=True)
    if form[0] == NUMBERS and form[1][0] == "array":
        return _fits_array(form[2], rows=False)
    if form[0] == STATE:
        return _fits_state(form)
    if form[0] == FIXED and isinstance(form[1], Exact):
        return lambda argument, contents: static(argument) == form
    if form[0] == ROWS:  # not an iterator, which can be read but once
        return lambda rows, contents: (
            isinstance(rows, list | tuple) and read_rows(rows, what, contents)[0] == form
        )
    return lambda argument, contents: read(argument, what, contents) == form


def _fits_number(argument: Any, contents: list[Any]) -> bool:
    if type(argument) is float:
        contents.append(argument)
        return True
    if type(argument) is int:
        contents.append(as_float(argument))
        return True
    return False


def _fits_array(shape: tuple[int, ...], rows: bool) -> Fits:
    from numpy import ndarray

    ndim = len(shape) + rows

    def fits(argument: Any, contents: list[Any]) -> bool:
        if (
            type(argument) is ndarray
            and argument.dtype.char == "d"
            and argument.shape[rows:] == shape
            and argument.ndim == ndim
        ):
            contents.append(argument)
            return True
        return False

    return fits


def _fits_state(form: Form) -> Fits:
    _, same, names, shapes, cls = form
    arrays = [("d", shape) for shape in shapes]  # of doubles

    def fits(argument: Any, contents: list[Any]) -> bool:
        if type(argument) is not cls or argument.module is not same.it or (*argument,) != names:
            return False
        try:
            if [(block.dtype.char, block.shape) for block in argument.values()] == arrays:
                contents += argument.values()
                return True
        except AttributeError:  # lists among them
            pass
        return all(
            read(block, "", contents)[:3:2] == (NUMBERS, shape)
            for block, shape in zip(argument.values(), shapes)
        )

    return fits
