"""The stubs, written from the table of operations: `python -m tests.stubs` writes them anew.

Functions and methods are made from the table at run time, where no editor or type checker sees
them. The stubs say their signatures: functions.pyi, rows/value_methods.pyi and the package's own
__init__.pyi. A test compares the files with what this module writes.
"""

from pathlib import Path
from textwrap import fill, indent

import scalargrad
from scalargrad.ops import LISTS, OPS
from scalargrad.rows.documentation import PACKAGE_OPS

PACKAGE = Path(scalargrad.__file__).parent
PUBLIC = [op for op in OPS.values() if op.is_public and op in PACKAGE_OPS]
NOTE = "Written by `python -m tests.stubs`."

FUNCTIONS = f'''\
"""The functions, as editors and type checkers see them. {NOTE}"""

# fmt: off
from collections.abc import Iterable
from typing import Any, TypeVar, overload

from .rows.custom import custom_op as custom_op
from .rows.value_methods import Array, Number
from .value import Value

A = TypeVar("A")
B = TypeVar("B")
'''

METHODS = f'''\
"""Value's methods, as editors and type checkers see them. {NOTE}"""

# fmt: off
from typing import Any, Protocol, Self, SupportsFloat, TypeVar, overload

from ..ops import Op

N = TypeVar("N", covariant=True)

class Number(SupportsFloat, Protocol):
    """A real number: int, float, Fraction, Decimal, a scalar of NumPy."""
    def __hash__(self) -> int: ...  # an array has __float__ too, but no hash

class Array(Protocol):
    """An array of numbers or Values: NumPy's, a Series, or another that NumPy can read."""
    def __array__(self) -> Any: ...
    def __len__(self) -> int: ...

class Operator(Protocol[N]):
    """An operator of Value and another operand."""
    @overload
    def __call__(self, other: Methods | Number, /) -> N: ...
    @overload
    def __call__(self, other: Array, /) -> Any: ...

class Methods:
    """The fields of Value, and the methods that the table gives it."""
    __slots__ = ("_dx", "_dy", "_operation", "_x", "_y", "data", "grad", "label")
    data: float
    grad: float
    label: str
    _operation: Op | None
    _x: Any
    _y: Any
    _dx: Any
    _dy: Any
    @staticmethod
    def _record(op: Op, *operands: Any) -> Any: ...
'''


def functions():
    """The text of functions.pyi."""
    yield FUNCTIONS
    for op in PUBLIC:
        signatures = of_condition if op.name == "where" else of_lists if op.lists else of_operands
        lines = [definition(op.name, *signature) for signature in signatures(op)]
        body = docstring(getattr(scalargrad, op.name))  # of the last, where jedi looks for it
        yield "@overload\n" + " ...\n@overload\n".join(lines) + f"{body}\n"
        yield from (f"{alias} = {op.name}\n" for alias in op.aliases)


def definition(name, parameters, result):
    """The head of a function, in one line if it fits."""
    line = f"def {name}({parameters}) -> {result}:"
    if len(line) > 95:
        each_below = parameters.replace(", ", ",\n    ")
        line = f"def {name}(\n    {each_below}\n) -> {result}:"
    return line


def of_operands(op):
    """The signatures of a function of one operand, two or three.

    Either one of them is a Value, or all are numbers, or one is an array.
    """
    count = len(op.operands)
    for i in range(count):
        kinds = ["Number"] * i + ["Value"] + ["Value | Number"] * count
        yield typed(dict(zip(op.operands, kinds))), "Value"
    yield typed(dict.fromkeys(op.operands, "Number")), "float"
    for i in range(count):
        kinds = ["Value | Number"] * i + ["Array"] + ["Value | Number | Array"] * count
        yield typed(dict(zip(op.operands, kinds))), "Any"


def of_lists(op):
    """The signatures of a function of lists: of numbers, of Values in one list, of both mixed."""
    numbers, mixed = (
        {p: f"Iterable[{kind}]" if p in LISTS else kind for p in op.operands}
        for kind in ("Number", "Value | Number")
    )
    result = "list[{}]" if op.value.startswith("[") else "{}"
    yield typed(numbers), result.format("float")
    for p in op.lists:
        yield typed({**mixed, p: "Iterable[Value]"}), result.format("Value")
    yield typed(mixed), result.format("Any")


def of_condition(op):
    """The signatures of `where`: an array, or the branch itself."""
    yield "condition: Array, x: Any, y: Any", "Any"
    yield "condition: object, x: A, y: B", "A | B"


def typed(kinds):
    """Parameters with their types; a bias may be left out."""
    return ", ".join(f"{p}: {kind}{' = 0.0' * (p == 'bias')}" for p, kind in kinds.items())


def methods():
    """The text of rows/value_methods.pyi."""
    yield METHODS
    for op in PUBLIC:
        if not op.lists and not op.is_composed:
            others = [f"{p}: Methods | Number" for p in op.operands[1:]]
            parameters = ", ".join(["self", *others, "/"][: None if others else 1])
            method = getattr(scalargrad.Value, op.name)
            yield indent(f"def {op.name}({parameters}) -> Self:{docstring(method)}\n", "    ")
            yield from (f"    {alias} = {op.name}\n" for alias in op.aliases)


def docstring(function):
    """The body of a function that has nothing but its documentation."""
    return indent(f'\n"""{function.__doc__}\n"""', "    ")


def package():
    """The text of __init__.pyi."""
    yield f'"""Write scalars, see the graph, get the slopes. {NOTE}"""\n\n'
    yield "# fmt: off\n# ruff: noqa: I001, RUF022\n"
    yield "from . import functions as functions, nn as nn\n"
    homes = {**scalargrad._HOMES, "Value": "value"}
    homes |= {name: "functions" for op in PUBLIC for name in op.names}
    for home in sorted({*homes.values()}):
        names = sorted(name for name in homes if homes[name] == home)
        yield wrapped(f"from .{home} import (", [f"{name} as {name}" for name in names], ")")
    yield "\n__version__: str\n"
    yield wrapped("__all__ = [", [f'"{name}"' for name in scalargrad.__all__], "]")


def wrapped(opening, items, closing):
    """Items between brackets, in lines of at most 100 columns."""
    text = ", ".join(item.replace(" ", "~") for item in items)  # lines break between items alone
    lines = fill(text, 95, break_long_words=False, break_on_hyphens=False).replace("~", " ")
    return f"{opening}\n{indent(lines, '    ')},\n{closing}\n"


STUBS = {"functions.pyi": functions, "rows/value_methods.pyi": methods, "__init__.pyi": package}


def text_of(name):
    """The text of one stub."""
    return "".join(STUBS[name]())


if __name__ == "__main__":
    for name in STUBS:
        (PACKAGE / name).write_text(text_of(name), encoding="utf-8")
