"""The free functions: exp(x), maximum(x, y), sum(xs), where(condition, x, y) … on Values and on numbers.   (floor 2)

Each is a row of `ops`, named as NumPy names it, with `math`'s name as an alias (`arctan2`, `atan2`).
Given a Value they record it; given plain numbers they return plain numbers. Those of many take one
iterable. The table, from the rows themselves:

{table}

>>> from scalargrad import Value, exp, softmax, where
>>> exp(0.0), exp(Value(0.0))
(1.0, Value(data=1.0, grad=0.0))
>>> softmax([1000.0, 1000.0])
[0.5, 0.5]
>>> x = Value(-1.0)
>>> where(x > 0, x, 0.0)            # the branch itself
0.0
"""

from __future__ import annotations

import sys
from keyword import iskeyword

from .arithmetic.conversion import as_float, to_float
from .arithmetic.lists import count, largest
from .arithmetic.total import inf
from .modes import modes_here, modes_on
from .ops import LISTS, OPS, TRACED, Op, add_row, table
from .rows.methods import add_method
from .rows.recorders import recorder
from .rows.text import FAST_NAMES, RESERVED, on_floats, run
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def __getattr__(name: str) -> Callable[..., Any]:
    """Make the function of a row when it is first asked for."""
    for op in OPS.values():
        if name == op.name or name in op.aliases:
            function = free_function(op)
            globals().update(dict.fromkeys((op.name, *op.aliases), function))
            return function
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def free_function(op: Op) -> Callable[..., Any]:
    """The function of a row that takes Values and numbers in any mixture."""
    if op.is_composed:
        function = composed(op)
    elif op.takes_lists:
        function = recorder(op, Value, operator=False)[0]
    elif len(op.operands) == 1:
        function = of_one(op)
    else:
        function = of_several(op)
    function.__name__ = function.__qualname__ = op.name
    function.__module__ = __name__
    function.__doc__ = op.formula
    return function


def of_one(op: Op) -> Callable[[Any], Any]:
    """The function of a row of one operand."""
    value = on_floats(op)["value"]
    record = getattr(Value, op.name) if op.is_public else recorder(op, Value, operator=False)[0]

    def function(x: Any) -> Any:
        if x.__class__ is Value:
            return record(x)
        if records := own_records(x):
            return records(op, (x,))
        return record(x) if isinstance(x, Value) else value(_number(op, x))

    return function


def of_several(op: Op) -> Callable[..., Any]:
    """The function of a row of two operands or three."""
    value = on_floats(op)["value"]
    record, record_swapped = recorder(op, Value, operator=False)

    def function(*operands: Any) -> Any:
        if len(operands) != len(op.operands):
            raise TypeError(
                f"{op.name} takes {len(op.operands)} operands ({', '.join(op.operands)}), got {len(operands)}"
            )
        if records := own_records(*operands):
            return records(op, operands)
        if isinstance(operands[0], Value) or record_swapped is None:
            return record(*operands)
        if isinstance(operands[1], Value):
            return record_swapped(operands[1], operands[0])
        return value(*(_number(op, operand) for operand in operands))

    return function


def own_records(*operands: Any) -> Callable[[Op, tuple[Any, ...]], Any] | None:
    """How an operand of a kind of its own, one that is traced, records an operation, or any Value during a trace; else None."""
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


def _number(op: Op, operand: object) -> float:
    """The operand as a float, or a TypeError."""
    if hasattr(operand, "__array__") and as_float(operand) is None:
        kind = type(operand).__name__
        raise TypeError(
            f"{op.name} takes a Value or a real number, got {kind}: numpy.{op.name} works on arrays of Values"
        )
    return to_float(operand, op.name)


def composed(op: Op) -> Callable[..., Any]:
    """The function of a row that calls other rows."""
    import re

    def list_of(xs: Any) -> list[Any]:
        try:
            return list(xs)
        except TypeError:
            raise TypeError(
                f"{op.name} takes an iterable of Values and numbers as xs, got {type(xs).__name__}"
            ) from None

    lists = [f"{p} = list_of({p})" for p in op.operands if p in LISTS]
    body = "\n    ".join([*lists, *op.work, f"return {op.value}"])
    rows = {name: __getattr__(name) for name in set(re.findall(r"\w+", body)) if name in OPS}
    text = f"def {op.name}({', '.join(op.operands)}):\n    {body}\n"
    function = run(
        text, f"<scalargrad {op.name}>", {"peak": peak, "count": count, "list_of": list_of, **rows}
    )[op.name]
    return _where(function) if op.name == "where" else function


def _where(eager: Callable[..., Any]) -> Callable[..., Any]:
    """The choice by a condition, or by one that is traced."""

    def function(condition: Any, x: Any, y: Any) -> Any:
        records = own_records(condition)
        return records(TRACED["_choose"], (condition, x, y)) if records else eager(condition, x, y)

    return function


def peak(xs: Sequence[Any]) -> Any:
    """The largest of the numbers, as a constant: what is subtracted before exp, whatever it is, changes no result."""
    if records := own_records(*xs):
        return records(TRACED["_peak"], tuple(xs))
    return (
        largest([x.data if isinstance(x, Value) else to_float(x, "softmax") for x in xs])
        if xs
        else 0.0
    )


def custom_op(
    name: str,
    value: str,
    slopes: str | tuple[str, ...],
    symbol: str = "",
    domain: tuple[tuple[float, float], ...] | None = None,
    work: tuple[str, ...] = (),
) -> Callable[..., Any]:
    """Add a row to the table and return its function; Values get it as a method, pictures its symbol.

    `value` is an expression of `x` (and `y`, where `slopes` has two expressions) in the names of `math`
    and of the rows; a slope is one in the names of the rows, and of `out`. ValueError for a name that
    is taken or an expression that cannot be read.

    >>> from scalargrad import Value, custom_op
    >>> cube = custom_op("cube", "x * x * x", "3.0 * x * x", symbol="x³")
    >>> x = Value(2.0)
    >>> y = cube(x) + x.cube()
    >>> y.backward()
    >>> y.data, x.grad
    (16.0, 24.0)
    """
    slopes = (slopes,) if isinstance(slopes, str) else tuple(slopes)
    for text in (name, value, *slopes, *work):
        if not isinstance(text, str):
            raise TypeError(
                f"custom_op takes expressions as text, got {type(text).__name__}: write custom_op('cube', 'x * x * x', '3.0 * x * x')"
            )
    if not 1 <= len(slopes) <= 2:
        raise ValueError(f"custom_op takes one slope or two, by x and by y; got {len(slopes)}")
    op = Op(
        name,
        "x y"[: 2 * len(slopes) - 1],
        value,
        slopes,
        symbol or name,
        domain or ((-inf, inf),) * len(slopes),
        tuple(work),
    )
    if not name.isidentifier() or iskeyword(name) or name.startswith("_"):
        raise ValueError(
            f"{name!r} cannot be the name of an operation: write an identifier that does not begin with _"
        )
    package = sys.modules[__package__ or ""]
    if (
        name in OPS
        or hasattr(Value, name)
        or name in FAST_NAMES
        or hasattr(package, name)
        or name in RESERVED
    ):
        raise ValueError(f"the name {name!r} is taken: give the operation another")
    add_row(op, known=set(FAST_NAMES))
    add_method(Value, op)
    _write_table()
    return __getattr__(name)


_TEMPLATE = __doc__ or ""


def _write_table() -> None:
    """Put the table as it is now into this module's docstring."""
    globals()["__doc__"] = _TEMPLATE.replace("{table}", table())


_write_table()
