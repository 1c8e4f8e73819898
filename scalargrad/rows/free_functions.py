"""Makes the free function of each operation: tanh(x), maximum(x, y), sum(xs), ….   (floor 2)

A function takes Values and numbers in any mixture. For a Value it records the operation. For plain
numbers it returns a plain number. For an array it works on each element and returns an array. A
number in a trace, not known yet, brings its own recorder: the function calls its `records`.
"""

from __future__ import annotations

from ..arithmetic.conversion import as_float, to_float
from ..arithmetic.lists import count, largest
from ..modes import modes_here, modes_on
from ..ops import LISTS, OPS, Op, named
from ..value import Value
from .documentation import documented
from .recorders import list_of, recorder
from .templates import ONE_OPERAND, RECORD_TWO, SEVERAL_OPERANDS
from .text import on_floats, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_functions: dict[Op, Callable[..., Any]] = {}


def function_named(name: str) -> Callable[..., Any]:
    """The free function of that name or alias, made when first asked for; KeyError if none is.

    >>> function_named("atan") is function_named("arctan")
    True
    """
    op = named(name)
    if op is None:
        raise KeyError(name)
    if op not in _functions:
        _functions[op] = free_function(op)
    return _functions[op]


def free_function(op: Op) -> Callable[..., Any]:
    """Make the free function of an operation."""
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


# ------------------------------------------------------------------ one, two or three operands

SCALARS = {Value, float, int}


def function_of_operands(op: Op) -> Callable[..., Any]:
    """Make the function of an operation that has one, two or three operands."""
    value = on_floats(op)["value"]
    record, record_swapped = recorder(op, Value, operator=False)

    def any_kinds(*operands: Any) -> Any:
        numbers = [as_float(x) for x in operands]
        if None not in numbers:
            return value(*numbers)
        if any(map(is_elementwise, operands)):
            return on_arrays(function, operands)
        if records := trace_recorder(*operands):
            return records(op, operands)
        for name, x, number in zip(op.operands, operands, numbers):
            if number is None and not isinstance(x, Value):
                refuse(op, name, x)
        if record_swapped and not isinstance(operands[0], Value):
            return record_swapped(*reversed(operands))
        return record(*operands)

    operands = ", ".join(op.operands)
    text = ONE_OPERAND if len(op.operands) == 1 else SEVERAL_OPERANDS
    text = text.format(
        name=op.name,
        operands=operands,
        are_scalars=" and ".join(f"{x}.__class__ in SCALARS" for x in op.operands),
        record=RECORD_TWO.format(*op.operands) if record_swapped else f"return record({operands})",
    )
    names = {
        "Value": Value, "SCALARS": SCALARS, "modes_on": modes_on, "value": value,
        "record": record, "record_swapped": record_swapped, "any_kinds": any_kinds,
    }  # fmt: skip
    function: Callable[..., Any] = run(text, f"<scalargrad function {op.name}>", names)[op.name]
    return function


def refuse(op: Op, name: str, operand: object) -> None:
    """Raise the TypeError for an operand that is no Value, no number and no array."""
    if not isinstance(operand, (list, tuple)):
        to_float(operand, op.name)
    call = f"{op.name}({', '.join(op.operands)})"
    raise TypeError(
        f"{op.name} takes a Value, a number or an array as {name}, got {type(operand).__name__}: "
        f"write numpy.array({name}s), or [{call} for {name} in {name}s]"
    )


def where(condition: Any, x: Any, y: Any) -> Any:
    """The chosen branch itself; in a trace a node that will choose."""
    if condition.__class__ is bool and x.__class__ in SCALARS and y.__class__ in SCALARS:
        return x if condition else y
    if any(map(is_elementwise, (condition, x, y))):
        if getattr(getattr(condition, "dtype", None), "kind", "") == "i":
            condition = condition != 0  # no ~ made negative numbers of an array of integers
        return on_arrays(where, (condition, x, y))
    if records := trace_recorder(condition):
        return records("_choose", (condition, x, y))
    if condition.__class__ is int and condition < 0:
        raise TypeError(
            f"where got the condition {condition}, which Python makes of ~ before a truth value: "
            "leave ~ away, and exchange the two branches"
        )
    return x if condition else y


def trace_recorder(*operands: Any) -> Callable[[Op | str, tuple[Any, ...]], Any] | None:
    """The function that records an operation of these operands in a trace; None outside a trace."""
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


# ------------------------------------------------------------------ arrays


def is_elementwise(operand: Any) -> bool:
    """Whether functions work on each element of it: an array of any library, or a Series.

    A scalar of NumPy is a number.
    """
    return (
        operand.__class__ is not Value
        and hasattr(operand, "__array__")
        and as_float(operand) is None
    )


def on_arrays(function: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
    """Call a function for each element; shapes broadcast as in NumPy, a Series gives a Series.

    The result is an array of floats if all operands are numbers, else an array of objects.
    """
    import numpy

    with numpy.errstate(all="ignore"):  # a nan is an answer here, not a warning
        result = numpy.frompyfunc(function, len(operands), 1)(*operands)
    are_numbers = [as_float(x) is not None or numpy.asarray(x).dtype != object for x in operands]
    return result.astype(float) if all(are_numbers) and is_elementwise(result) else result


# ------------------------------------------------------------------ operations that call others


def function_of_others(op: Op) -> Callable[..., Any]:
    """Make the function of an operation on a list that is composed of other operations."""
    import re

    lists = [f"{p} = list_of(op, {p}, '{p}')" for p in op.operands if p in LISTS]
    body = "\n    ".join([*lists, *op.work, f"return {op.value}"])
    others = {name: function_named(name) for name in re.findall(r"\w+", body) if name in OPS}
    text = f"def {op.name}({', '.join(op.operands)}):\n    {body}\n"
    names = {**others, "peak": peak, "count": count, "op": op, "list_of": list_of}
    return run(text, f"<scalargrad {op.name}>", names)[op.name]  # type: ignore[no-any-return]


def peak(xs: Sequence[Any]) -> Any:
    """The largest number, as a constant: softmax subtracts it first, which changes no result."""
    if records := trace_recorder(*xs):
        return records("_peak", tuple(xs))
    numbers = [x.data if isinstance(x, Value) else to_float(x, "softmax") for x in xs]
    return largest(numbers) if numbers else 0.0
