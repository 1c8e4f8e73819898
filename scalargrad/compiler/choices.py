"""Operations that only the compiler knows: conditions, choices, faster forms.   (floor 3)"""

from __future__ import annotations

from ..ops import OPS, Op


class Choice(Op):
    """An operation that nothing but a trace records."""

    __slots__ = ()

    def __reduce__(self) -> str | tuple[object, ...]:
        return TRACED.__getitem__, (self.name,)


def _traced(name: str, operands: str, value: str, symbol: str) -> Op:
    return Choice(name, operands, "", value=value, slopes=(), symbol=symbol)


# Conditions, the choice by one, and numbers that no slope passes through.
TRACED: dict[str, Op] = {
    op.name: op
    for op in (
        _traced("_less", "x y", "x < y", "<"),
        _traced("_less_equal", "x y", "x <= y", "≤"),
        _traced("_and", "x y", "x and y", "∧"),
        _traced("_or", "x y", "x or y", "∨"),
        _traced("_not", "x", "not x", "¬"),
        _traced("_peak", "xs", "largest(xs)", "max"),
        _traced("_detached", "x", "x", "="),
        _traced("_choose", "condition x y", "x if condition else y", "where"),
    )
}

_SENDS = {TRACED["_choose"]: ("", "d if condition else 0.0", "0.0 if condition else d")}
FAST = {  # fewer steps; the slopes are right where nothing overflows
    OPS["sigmoid"]: OPS["sigmoid"].changed(
        value="1.0 / (1.0 + e)", slopes=("e * out * out",), work=("e = exp(-x)",)
    ),
    OPS["tanh"]: OPS["tanh"].changed(
        slopes=("4.0 * e * s * s",), work=("e = exp(-2.0 * x)", "s = 1.0 / (1.0 + e)")
    ),
}
FASTEST = {  # fewer still; where something overflows, the value too is nan, or raises
    OPS["sigmoid"]: OPS["sigmoid"].changed(
        value="e / t", slopes=("out / t",), work=("e = exp(x)", "t = 1.0 + e")
    )
}


def sends(op: Op) -> tuple[str, ...]:
    """The shares that go back to the operands for a slope d; empty where they are slope × d."""
    return _SENDS.get(op, ())


def fast(op: Op) -> Op:
    """The operation in fewer steps, where there is such a form."""
    return FAST.get(op, op)


def fastest(op: Op) -> Op:
    """The operation in the fewest steps."""
    return FASTEST.get(op) or fast(op)
