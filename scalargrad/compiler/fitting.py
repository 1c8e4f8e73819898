"""Reads an argument of a known form in each call, fast in the usual cases.   (floor 3)"""

from __future__ import annotations

import struct
from collections.abc import Callable
from importlib.util import find_spec
from itertools import chain
from math import prod
from operator import countOf
from typing import Any

from ..arithmetic.conversion import as_float
from ..copies import is_data
from ..modes import switched_on
from ..trees import is_module
from .arguments import (
    FIXED,
    LIST,
    NUMBER,
    NUMBERS,
    ROWS,
    STATE,
    Form,
    arranged_places,
    flat,
    read,
    read_rows,
    shape_of,
    shaped,
    static,
    within,
)  # fmt: skip
from .captured import IDENTITY
from .tracing import PACKAGE

Fits = Callable[[Any, list[Any]], bool]

_ONLY_LISTS = {list}


def fitting(form: Form, what: str) -> Fits:
    """A function that tells whether an argument has that form, and adds its blocks to contents.

    Where it has not, what was added is of no use.

    >>> contents = []
    >>> fits = fitting(NUMBER, "x")
    >>> fits(2.0, contents), fits([2.0], contents), contents
    (True, False, [2.0])
    """
    if form == NUMBER:
        return _fits_number
    if form[0] == ROWS and form[1] == "array":
        return _fits_array(form[2][2], True)
    if form[0] == NUMBERS and form[1][0] == "array":
        return _fits_array(form[2], False)
    if form[0] == STATE:
        return _fits_state(form)
    if form[0] == FIXED and form == static(within(form, FIXED)[0]):
        return lambda argument, contents: static(argument) == form
    if form[0] == ROWS:
        (_, outer, (_, kinds, shape)) = form

        def otherwise(rows: Any, contents: list[Any]) -> bool:
            """Whether it fits; an iterator, which can be read but once, does not."""
            is_list = isinstance(rows, list | tuple)
            return is_list and read_rows(rows, what, contents)[0] == form

        return _fits_lists((outer, *kinds), (None, *shape), otherwise)
    kinds, shape = form[1:] if form[0] == NUMBERS else ((), ())
    return _fits_lists(kinds, shape, lambda item, contents: read(item, what, contents) == form)


def _fits_lists(kinds: tuple[str, ...], shape: tuple[Any, ...], otherwise: Fits) -> Fits:
    """The same, but sooner for plain lists of floats; None stands for any count."""
    if {*kinds} != {LIST} or len(kinds) > 2:
        return otherwise
    count, *width = shape
    lengths, size = {*width}, prod(width)

    def fits(items: Any, contents: list[Any]) -> bool:
        is_list = type(items) is list and count in (None, len(items))
        inner = items
        if is_list and width:
            is_list = {*map(type, items)} == _ONLY_LISTS and {*map(len, items)} == lengths
            inner = chain.from_iterable(items)
        if is_list and countOf(map(type, inner), float) == size * len(items):
            contents.append(items)
            return True
        return otherwise(items, contents)

    return fits


def _fits_number(argument: Any, contents: list[Any]) -> bool:
    if type(argument) is float:
        contents.append(argument)
    elif type(argument) is int:
        contents.append(as_float(argument))
    else:
        return False
    return True


def _fits_array(shape: tuple[int, ...], has_rows: bool) -> Fits:
    from numpy import ndarray

    ndim = len(shape) + has_rows

    def fits(argument: Any, contents: list[Any]) -> bool:
        if type(argument) is not ndarray or argument.dtype.char != "d" or argument.ndim != ndim:
            return False
        contents.append(argument)
        return bool(argument.shape[has_rows:] == shape)

    return fits


def _fits_state(form: Form) -> Fits:
    """A module, or a state of it."""
    _, same, names, shapes, cls = form
    arrays = [("d", shape) for shape in shapes]  # of doubles
    blocks = [_fits_block(shape) for shape in shapes]
    layout = _Layout(form)

    def fits(argument: Any, contents: list[Any]) -> bool:
        if argument is same.it:
            return layout.read(contents)
        if type(argument) is not cls or (id(argument.module), argument.ties) != same.key:
            return False
        if (*argument,) != names:
            return False
        try:
            if [(block.dtype.char, block.shape) for block in argument.values()] == arrays:
                contents += argument.values()
                return True
        except AttributeError:  # lists among them
            pass
        return all(fit(block, contents) for fit, block in zip(blocks, argument.values()))

    return fits


def _fits_block(shape: tuple[int, ...]) -> Fits:
    """A block of a state, whatever it is in."""
    return _fits_lists(
        (LIST,) * len(shape), shape,
        lambda block, contents: read(block, "", contents)[:3:2] == (NUMBERS, shape),
    )  # fmt: skip


class _Layout:
    """The parameters of a module in the order of its blocks, as long as it holds the same objects.

    So a call reads nothing but their data: to find 13,000 parameters takes 30 times as long.
    """

    def __init__(self, form: Form) -> None:
        _, same, self._names, self._shapes, _ = form
        self._module, self._ties = same.it, same.key[1]
        self._held: list[Any] | None = None  # what leads to parameters; None if it is not known
        self._copies: list[Any] = []
        self._values: list[Any] = []
        size = sum(map(prod, self._shapes))
        self._packed = struct.Struct(f"{size}d") if find_spec("numpy") else None

    def read(self, contents: list[Any]) -> bool:
        """Add the numbers of the blocks; False if the module has others now."""
        if (self._held is None or self._has_changed()) and not self._is_found():
            return False
        numbers: Any = [value.data for value in self._values]
        if self._packed:
            from numpy import frombuffer

            room = bytearray(self._packed.size)
            try:
                self._packed.pack_into(room, 0, *numbers)  # a fifth of the time of array(numbers)
            except struct.error:  # there is something else than numbers
                return False
            numbers = frombuffer(room)
        start = 0
        for shape in self._shapes:
            part = numbers[start : (start := start + prod(shape))]
            contents.append(part.reshape(shape) if shape and self._packed else shaped(part, shape))
        return True

    def _has_changed(self) -> bool:
        try:
            with switched_on(IDENTITY):
                return self._held != self._copies
        except Exception:  # what cannot be compared is another
            return True

    def _is_found(self) -> bool:
        """Find the parameters; False if they are in other blocks than those of the form."""
        blocks, ties = arranged_places(self._module)
        found = (*blocks,), (*map(shape_of, blocks.values()),), ties
        if found != (self._names, self._shapes, self._ties):
            return False
        parameters = self._module.parameters()
        self._values = [parameters[place] for block in blocks.values() for place in flat(block)]
        self._held = _leading(self._module)
        self._copies = [item.copy() for item in self._held or ()]
        return True


def _leading(module: Any) -> list[Any] | None:
    """The dicts and lists that lead from a module to its parameters.

    None if others may: a module may list its parameters in a way of its own, an array hold some.
    """
    held: list[Any] = []
    found, seen = [module], set[int]()
    for item in found:  # the list grows meanwhile
        if id(item) in seen:
            continue
        seen.add(id(item))
        if is_module(item):
            if not type(item).parameters.__code__.co_filename.startswith(PACKAGE):
                return None
            item = vars(item)
        elif getattr(getattr(item, "dtype", None), "kind", "") == "O":
            return None
        elif not isinstance(item, list | dict | tuple) or is_data(item, keep=False):
            continue
        if not isinstance(item, tuple):
            held.append(item)
        found += item.values() if isinstance(item, dict) else item
    return held
