"""From a row of the table to its free function: tanh(x), maximum(x, y), sum(xs).   (floor 2)

A function takes Values and numbers in any mixture. Given a Value it records the operation, given
plain numbers it returns a plain number, given an array it works on each element and returns an
array. A number that a trace does not know yet brings a recorder of its own, `records`.
"""

from __future__ import annotations

from ..arithmetic.conversion import as_float, to_float
from ..arithmetic.lists import count, largest
from ..modes import modes_here, modes_on
from ..ops import LISTS, OPS, Op, named
from ..value import Value
from .documentation import documented
from .recorders import list_of, recorder
from .text import on_floats, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_made: dict[Op, Callable[..., Any]] = {}


def function_named(name: str) -> Callable[..., Any]:
    """The free function of an operation, made when first asked for; KeyError if there is none.

    >>> function_named("atan") is function_named("arctan")
    True
    """
    op = named(name)
    if op is None:
        raise KeyError(name)
    if op not in _made:
        _made[op] = free_function(op)
    return _made[op]


def free_function(op: Op) -> Callable[..., Any]:
    """The function of an operation, of Values, numbers and arrays in any mixture."""
    if op.name == "where":
        function: Callable[..., Any] = where
    elif op.is_composed:
        function = function_of_others(op)
    elif op.takes_lists:
        function = recorder(op, Value, operator=False)[0]
    else:
        function = function_of_operands(op)
    function.__name__ = function.__qualname__ = op.name
    function.__module__ = "scalargrad.functions"
    function.__doc__ = documented(op, function if op.is_composed else None)
    return function


# ------------------------------------------------------------------ of one, two or three operands

# The kinds that nearly all calls have are told apart here; `of_any_kind` sees to the others.
OF_ONE = """
def {name}({operands}):
    if {operands}.__class__ is Value:
        return record({operands})
    if {operands}.__class__ is float:
        return value({operands})
    return of_any_kind({operands})
"""

OF_SEVERAL = """
def {name}({operands}):
    if {are_scalars} and not modes_on:
        {record}
    return of_any_kind({operands})
"""

RECORD_TWO = """if {0}.__class__ is Value:
            return record({0}, {1})
        if {1}.__class__ is Value:
            return record_swapped({1}, {0})"""

SCALARS = {Value, float, int}


def function_of_operands(op: Op) -> Callable[..., Any]:
    """The function of an operation of one operand, two or three."""
    value = on_floats(op)["value"]
    record, record_swapped = recorder(op, Value, operator=False)

    def of_any_kind(*operands: Any) -> Any:
        numbers = [as_float(x) for x in operands]
        if None not in numbers:
            return value(*numbers)
        if records := trace_recorder(*operands):
            return records(op, operands)
        if any(map(is_array, operands)):
            return on_arrays(function, operands)
        for name, x, number in zip(op.operands, operands, numbers):
            if number is None and not isinstance(x, Value):
                refuse(op, name, x)
        if record_swapped and not isinstance(operands[0], Value):
            return record_swapped(*reversed(operands))
        return record(*operands)

    operands = ", ".join(op.operands)
    text = OF_ONE if len(op.operands) == 1 else OF_SEVERAL
    text = text.format(
        name=op.name,
        operands=operands,
        are_scalars=" and ".join(f"{x}.__class__ in SCALARS" for x in op.operands),
        record=RECORD_TWO.format(*op.operands) if record_swapped else f"return record({operands})",
    )
    names = {
        "Value": Value, "SCALARS": SCALARS, "modes_on": modes_on, "value": value,
        "record": record, "record_swapped": record_swapped, "of_any_kind": of_any_kind,
    }  # fmt: skip
    function: Callable[..., Any] = run(text, f"<scalargrad function {op.name}>", names)[op.name]
    return function


def refuse(op: Op, name: str, operand: object) -> None:
    """Raise a TypeError: the operand is no Value, no number and no array."""
    if not isinstance(operand, (list, tuple)):
        to_float(operand, op.name)
    call = f"{op.name}({', '.join(op.operands)})"
    raise TypeError(
        f"{op.name} takes a Value, a number or an array as {name}, got {type(operand).__name__}: "
        f"write numpy.array({name}s), or [{call} for {name} in {name}s]"
    )


def where(condition: Any, x: Any, y: Any) -> Any:
    """The choice by a condition: the branch itself, or in a trace a node that chooses."""
    if condition.__class__ is bool and x.__class__ in SCALARS and y.__class__ in SCALARS:
        return x if condition else y
    if records := trace_recorder(condition):
        return records("_choose", (condition, x, y))
    if any(map(is_array, (condition, x, y))):
        return on_arrays(where, (condition, x, y))
    return x if condition else y


def trace_recorder(*operands: Any) -> Callable[[Op | str, tuple[Any, ...]], Any] | None:
    """What records an operation of these operands in a trace; None where there is no trace."""
    for operand in operands:
        if (
            operand.__class__ is not Value
            and operand.__class__ is not float
            and (records := getattr(operand, "records", None))
        ):
            return records  # type: ignore[no-any-return]
    if modes_on and any(isinstance(operand, Value) for operand in operands):
        return next((mode.records for mode in modes_here.get() if mode.records), None)
    return None


# ------------------------------------------------------------------ of arrays


def is_array(operand: Any) -> bool:
    """Whether it is an array, of NumPy or of another library; a scalar of NumPy is a number."""
    return (
        operand.__class__ is not Value
        and hasattr(operand, "__array__")
        and as_float(operand) is None
    )


def on_arrays(function: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
    """Call a function for each element, shapes broadcast as in NumPy; a Series gives a Series.

    The result is an array of floats where all operands are numbers, else one of objects.
    """
    import numpy

    with numpy.errstate(all="ignore"):  # a nan is an answer here, not a warning
        result = numpy.frompyfunc(function, len(operands), 1)(*operands)
    are_numbers = [as_float(x) is not None or numpy.asarray(x).dtype != object for x in operands]
    return result.astype(float) if all(are_numbers) and is_array(result) else result


# ------------------------------------------------------------------ composed of others


def function_of_others(op: Op) -> Callable[..., Any]:
    """The function of an operation of lists that calls other operations."""
    import re

    lists = [f"{p} = list_of(op, {p}, '{p}')" for p in op.operands if p in LISTS]
    body = "\n    ".join([*lists, *op.work, f"return {op.value}"])
    others = {name: function_named(name) for name in re.findall(r"\w+", body) if name in OPS}
    text = f"def {op.name}({', '.join(op.operands)}):\n    {body}\n"
    names = {**others, "peak": peak, "count": count, "op": op, "list_of": list_of}
    return run(text, f"<scalargrad {op.name}>", names)[op.name]  # type: ignore[no-any-return]


def peak(xs: Sequence[Any]) -> Any:
    """The largest number, as a constant: what softmax subtracts before exp changes no result."""
    if records := trace_recorder(*xs):
        return records("_peak", tuple(xs))
    numbers = [x.data if isinstance(x, Value) else to_float(x, "softmax") for x in xs]
    return largest(numbers) if numbers else 0.0
