"""A pass for programs in which rows of data are numbers: simpler sums and products.   (floor 3)"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import OPS
from .program import Constant, Program, Step, grouped, rewritten


def simplified(program: Program) -> Program:
    """The program without products by 0, factors of 1 and summands of 0.

    A dot with such numbers becomes the sum of what is left. All results stay the same to the bit,
    but for signs of zeros, and where something is infinite: 0 × inf is nan, and here it is 0.

    >>> from .program import Block
    >>> w, b = Block("w", (3,)).inputs, Block("b", ()).inputs
    >>> dot = Step(OPS["dot"], (*w, Constant(0.0), Constant(1.0), Constant(0.5), *b))
    >>> simplified(Program([w[0].block, b[0].block], [dot])).steps
    [<step add>, <step mul>, <step add>]
    """
    known: dict[Any, Any] = {}

    def simpler(step: Step, operands: tuple[Any, ...]) -> Any:
        found = _simple(step.op.name, operands, known)
        if found is not None and found.op is not None and not found.label:
            found.label = step.label
        return found

    return Program(program.blocks, rewritten(program, {}, simpler))


def _simple(name: str, operands: tuple[Any, ...], made: dict[Any, Any]) -> Any:
    """A simpler step or an operand in place of a sum or product; None if it stays as it is."""
    if name == "dot":
        ws, xs, bias = grouped(OPS["dot"], operands)
        is_simple = any(_is(x, 0.0, 1.0, -1.0) for x in (*ws, *xs))
        return _dot(zip(ws, xs), bias, made) if is_simple else None
    if name not in ("add", "sub", "mul", "div"):
        return None
    x, y = operands
    if name in ("add", "sub"):
        return x if _is(y, 0.0) else y if name == "add" and _is(x, 0.0) else None
    if _is(y, 1.0) or (name == "mul" and _is(x, 0.0)):
        return x
    return y if name == "mul" and (_is(x, 1.0) or _is(y, 0.0)) else None


def _dot(pairs: Iterable[tuple[Any, Any]], total: Any, made: dict[Any, Any]) -> Any:
    """start + w₀x₀ + w₁x₁ + … step by step, and no step twice."""

    def step(name: str, *operands: Any) -> Any:
        key = name, *operands
        if key not in made:
            made[key] = Step(OPS[name], operands)
        return made[key]

    for w, x in pairs:
        if _is(w, 0.0, 1.0, -1.0):
            w, x = x, w
        if _is(x, 0.0):
            continue
        term = w if _is(x, 1.0, -1.0) else step("mul", w, x)
        is_first = _is(total, 0.0) and not _is(x, -1.0)
        total = term if is_first else step("sub" if _is(x, -1.0) else "add", total, term)
    return total


def _is(x: Any, *numbers: float) -> bool:
    return x.__class__ is Constant and x.data in numbers
