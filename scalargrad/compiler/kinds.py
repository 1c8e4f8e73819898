"""Finds code that asks for the kind of its numbers, and tries it on plain ones.   (floor 3)

A traced number refuses to be read, but it cannot hide its kind: code that asks for it, by
`isinstance` say, may take another way for a traced number than for a plain one. So a function that
holds such code is called with plain numbers too, and its results are compared with the program's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from opcode import opmap
from types import BuiltinFunctionType, CodeType, FunctionType, MethodWrapperType
from typing import Any

from .tracing import LIBRARIES

# Names of what tells kinds apart.
# fmt: off
_ASKING = {
    "isinstance", "issubclass", "type", "hasattr", "getattr", "dir", "callable", "__class__",
    "__dict__", "singledispatch", "dispatch", "is_", "is_not", "isscalar", "eval", "exec",
}
# fmt: on
_IS, _CONSTANT = opmap["IS_OP"], opmap["LOAD_CONST"]
_GLOBAL, _EXTENDED = opmap["LOAD_GLOBAL"], opmap["EXTENDED_ARG"]
_CATCHING = {opmap["MATCH_CLASS"], opmap["PUSH_EXC_INFO"]}  # `case float():`; `except` and `with`
_NAMED = (type, BuiltinFunctionType, MethodWrapperType)
_FEW = 50  # numbers that code names, to be tried
_numbers = {float, int}
# Numbers to try a function on.
_POINTS = (0.3, 0.8, 0.55, 0.7), (1.0, 2.0, 0.0, 3.0), (-1.5, 2.5, -0.25, 4.0)


def asks_kinds(item: Any) -> bool:
    """Whether a function asks for kinds, whatever name it goes by.

    >>> asks_kinds(lambda x: x if isinstance(x, float) else 0.0), asks_kinds(lambda x: x + 1)
    (True, False)
    """
    if isinstance(item, FunctionType):
        code = item.__code__
        if code.co_filename.startswith(LIBRARIES):
            return item.__name__ in _ASKING or "dispatch" in vars(item)  # of singledispatch
        # the code of a dataclass asks for classes
        return code.co_filename != "<string>" and (
            not _ASKING.isdisjoint(names_in(code)) or _asks_by_operator(code)
        )
    if isinstance(item, _NAMED):
        return item.__name__ in _ASKING
    return type(item).__name__ == "singledispatchmethod"


def _asks_by_operator(code: CodeType) -> bool:
    """Whether code has a pattern of a class, a caught error, or an `is`, but with None."""
    for each in _codes(code):
        ops, places = each.co_code[::2], each.co_code[1::2]
        for i, op in enumerate(ops):
            is_none = ops[i - 1] == _CONSTANT and each.co_consts[places[i - 1]] is None
            if op in _CATCHING or (op == _IS and not is_none):
                return True
    return False


def names_in(code: CodeType) -> Iterator[str]:
    """The names in code: globals, attributes, and texts that may be names."""
    for each in _codes(code):
        yield from each.co_names
        for text in each.co_consts:
            if isinstance(text, str):
                yield from filter(str.isidentifier, text.split("."))


def globals_in(code: CodeType) -> Collection[str]:
    """The names that code reads as globals, whether there are such or not."""
    names, found = {*names_in(code)}, set[str]()
    if "globals" in names:
        return names
    for each in _codes(code):
        place = 0
        for op, low in zip(each.co_code[::2], each.co_code[1::2]):
            place = place << 8 | low
            if op == _GLOBAL:
                found.add(each.co_names[place >> 1])
            place = place if op == _EXTENDED else 0
    return found


def points(functions: Iterable[FunctionType], known: Iterable[Any]) -> Iterator[tuple[float, ...]]:
    """Numbers to try functions on: those that stand in their code too, by which they may choose."""
    yield from _POINTS
    codes = [code for function in functions for code in _codes(function.__code__)]
    constants: list[Any] = [constant for code in codes for constant in code.co_consts]
    constants = [x if isinstance(x, tuple | frozenset) else (x,) for x in constants]
    named = chain(*constants, known)
    found = dict.fromkeys(float(x) for x in named if type(x) in _numbers)
    for number in [*found][:_FEW]:  # as each argument
        point = number, *_POINTS[0][1:3]
        yield from (point[i:] + point[:i] for i in range(len(point)))


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A code, and those of the functions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
