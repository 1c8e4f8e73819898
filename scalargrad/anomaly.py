"""detect_anomaly: a mode that looks at every number and says where one went wrong.   (floor 2)"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from math import isfinite, isnan

from .modes import Mode, switched_on
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_HERE = os.path.dirname(os.path.abspath(__file__))


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise FloatingPointError at the first nan or overflow, and say where it arose.

    The error names the operation, its operands and the line. Forward, it is the operation whose
    result is nan, or infinite though its operands are finite. Backward, it is the operation whose
    local slope turns a finite gradient into one that is not. Slow: for finding a fault.

    >>> from scalargrad import Value, detect_anomaly, log
    >>> with detect_anomaly():
    ...     log(Value(-1.0, "p"))                                # doctest: +ELLIPSIS
    Traceback (most recent call last):
    FloatingPointError: log gave nan: log(p=-1.0), at <doctest ...>, line 2
    """
    with switched_on(_Watch()):
        yield


class _Made(Value):
    """A node that knows the line that made it."""

    __slots__ = ("at",)
    at: str


class _Watch(Mode):
    """Looks at each result, and at each slope that a backward walk sent."""

    watches = True

    def made(self, node: Value) -> Value:
        made = object.__new__(_Made)
        made.data, made.grad, made.label, made._operation = (
            node.data,
            node.grad,
            node.label,
            node._operation,
        )
        made._x, made._y, made._dx, made._dy = node._x, node._y, node._dx, node._dy
        made.at = _line(sys._getframe(2))
        operands = [p.data if isinstance(p, Value) else p for p in made.parents]
        if isnan(made.data) or (not isfinite(made.data) and all(map(isfinite, operands))):
            raise FloatingPointError(f"{made.op} gave {made.data}: {_written(made)}, at {made.at}")
        return made

    def walked(self, order: list[Value]) -> None:
        for node in reversed(order):
            if not (node.grad and isfinite(node.grad)):
                continue
            for operand, partial in zip(node.parents, node.partials, strict=True):
                if not isinstance(operand, Value) or partial is None or isfinite(operand.grad):
                    continue
                share = partial * node.grad
                gave = (
                    f"gave {share}"
                    if not isfinite(share)
                    else f"gave {share}, which made a sum of {operand.grad}"
                )
                at = f", at {place}" if (place := getattr(node, "at", "")) else ""
                raise FloatingPointError(
                    f"backward through {node.op} {gave}: {_written(node)} has gradient {node.grad} "
                    f"and local slope {partial} by {operand.label or operand.data}{at}"
                )


def _written(node: Value) -> str:
    """`mul(w=0.5, 2.0) labelled 'z'`."""
    operands = [
        f"{p.label}={p.data}" if isinstance(p, Value) and p.label else str(getattr(p, "data", p))
        for p in node.parents
    ]
    if len(operands) > 8:
        operands[4:-4] = [f"… {len(operands) - 8} more …"]
    return f"{node.op}({', '.join(operands)})" + (f" labelled {node.label!r}" if node.label else "")


def _line(frame: FrameType | None) -> str:
    """The nearest line outside the package and its generated code."""
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((_HERE, "<scalargrad ")):
            return f"{name}, line {frame.f_lineno}"
        frame = frame.f_back
    return "an unknown line"
