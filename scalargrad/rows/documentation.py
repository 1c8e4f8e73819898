"""The help text of an operation, and a table of all operations.   (floor 1)"""

from __future__ import annotations

from ..ops import LISTS, OPS, Op
from .text import on_floats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

PACKAGE_OPS = {*OPS.values()}  # an example calls these, and no function that a user added
EXAMPLE_NUMBERS = (0.5, 2.0, 3.0)


def described(op: Op) -> str:
    """The sentence, the formula and the slopes of an operation.

    >>> print(described(OPS["tanh"]))
    The hyperbolic tangent of x: an S-shaped curve from −1 to 1.
    <BLANKLINE>
        tanh(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)
        slope: 1 − tanh(x)²
    """
    lines = [f"{op.name}({', '.join(op.operands)}) = {op.formula}"]
    if len(op.slope_formulas) == 1:
        lines.append(f"slope: {op.slope_formulas[0]}")
    else:
        slopes = zip(op.operands, op.slope_formulas)
        lines += [f"slope by {operand}: {slope}" for operand, slope in slopes if slope]
    return "\n    ".join([op.sentence + "\n", *lines])


def documented(op: Op, function: Callable[..., Any] | None = None) -> str:
    """The description, and an example that `help` shows.

    The example of an operation that is composed of others calls its `function`.

    >>> documented(OPS["square"]).splitlines()[-1]
    '(0.25, 1.0)'
    """
    if op not in PACKAGE_OPS:
        return described(op)
    lines = _call_example(op, function) if function else _slope_example(op)
    return "\n".join([described(op), "", *lines])


def _slope_example(op: Op) -> Iterator[str]:
    """An example that computes the value and its slopes."""
    names = [name for name in op.operands if name != "bias"]
    numbers = [
        [1.0 + 2 * i, 2.0 + 2 * i] if name in LISTS else _within(EXAMPLE_NUMBERS[i:], op.domain[i])
        for i, name in enumerate(names)
    ]
    zeros = [0.0] * (len(op.operands) - len(names))
    out, *slopes = on_floats(op)["total"](*numbers, *zeros)
    yield f">>> from scalargrad import Value, {op.name}"
    yield f">>> {', '.join(names)} = {', '.join(map(_as_values, numbers))}"
    yield f">>> out = {op.name}({', '.join(names)})"
    yield ">>> out.backward()"
    yield f">>> round(out.data, 4), {', '.join(map(_rounded_slope, names))}"
    yield f"({', '.join(repr(_rounded(x)) for x in (out, *slopes[: len(names)]))})"


def _call_example(op: Op, function: Callable[..., Any]) -> Iterator[str]:
    """An example that calls a function on plain numbers."""
    texts = [
        "[1.0, 2.0]" if name in LISTS else "0.5 > 0.0" if name == "condition" else f"{number}"
        for name, number in zip(op.operands, EXAMPLE_NUMBERS)
    ]
    yield f">>> from scalargrad import {op.name}"
    yield f">>> {op.name}({', '.join(texts)})"
    yield repr(function(*map(eval, texts)))


def _within(numbers: tuple[float, ...], domain: tuple[float, float]) -> float:
    """The first of the numbers that lies in the domain; ½ if none does."""
    return next((x for x in numbers if domain[0] < x < domain[1]), 0.5)


def _as_values(numbers: Any) -> str:
    if isinstance(numbers, list):
        return f"[{', '.join(map(_as_values, numbers))}]"
    return f"Value({numbers})"


def _rounded_slope(name: str) -> str:
    """The code that shows the slope by an operand in an example."""
    if name in LISTS:
        return f"[round({name[0]}.grad, 4) for {name[0]} in {name}]"
    return f"round({name}.grad, 4)"


def _rounded(number: Any) -> Any:
    return [_rounded(x) for x in number] if isinstance(number, list) else round(number + 0.0, 4)


def table() -> str:
    """All operations as a table: name, symbol, formula, and a line for each slope."""
    ops = [op for op in OPS.values() if op.is_public]
    heads = {"name": "operation", "symbol": "symbol", "formula": "formula"}
    columns = [[head, *(getattr(op, field) for op in ops)] for field, head in heads.items()]
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for slopes, *cells in zip([("slopes",), *(op.slope_formulas for op in ops)], *columns):
        start = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths))
        for slope in filter(None, slopes):
            lines.append(f"    {start}  {slope}")
            start = " " * len(start)
    return "\n".join(lines)
