"""detect_anomaly: watch every number, and name the line where one goes wrong.   (floor 2)"""

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
    """Raise FloatingPointError at the first nan or overflow, and name operation, operands and line.

    On the way forward that is the operation whose result is nan, or is infinite though its operands
    are finite. In `backward` it is the operation whose local slope turns a finite gradient into nan
    or an infinite one. It makes everything slower, so use it to find a fault.

    >>> from scalargrad import Value, detect_anomaly, log
    >>> with detect_anomaly():
    ...     log(Value(-1.0, "p"))                                # doctest: +ELLIPSIS
    Traceback (most recent call last):
    FloatingPointError: log gave nan: log(p=-1.0), at <doctest ...>, line 2
    """
    with switched_on(_Detector()):
        yield


class _Made(Value):
    """A node that remembers the line of code that made it."""

    __slots__ = ("at",)
    at: str


class _Detector(Mode):
    """Looks at the number of each new node, and at each gradient after a backward walk."""

    watches = True

    def node_made(self, node: Value) -> Value:
        made = object.__new__(_Made)
        made.data, made.grad, made.label = node.data, node.grad, node.label
        made._operation = node._operation
        made._x, made._y, made._dx, made._dy = node._x, node._y, node._dx, node._dy
        made.at = _line(sys._getframe(2))
        operands = [p.data if isinstance(p, Value) else p for p in made.parents]
        if isnan(made.data) or (not isfinite(made.data) and all(map(isfinite, operands))):
            raise FloatingPointError(f"{made.op} gave {made.data}: {_written(made)}, at {made.at}")
        return made

    def walk_done(self, order: list[Value]) -> None:
        for node in reversed(order):
            if not (node.grad and isfinite(node.grad)):
                continue
            for operand, partial in zip(node.parents, node.partials, strict=True):
                if not isinstance(operand, Value) or partial is None or isfinite(operand.grad):
                    continue
                share = partial * node.grad
                name = operand.label or f"the operand {operand.data}"
                summed = f", and the gradients of {name} add up to {operand.grad}"
                at = f", at {place}" if (place := getattr(node, "at", "")) else ""
                raise FloatingPointError(
                    f"backward through {node.op} gave {share}{summed if isfinite(share) else ''}: "
                    f"gradient {node.grad} of {_written(node)}, times its local slope {partial} "
                    f"by {name}{at}"
                )


def _written(node: Value) -> str:
    """A node as errors show it: `mul(w=0.5, 2.0) labelled 'z'`."""
    operands = [
        f"{p.label}={p.data}" if isinstance(p, Value) and p.label else str(getattr(p, "data", p))
        for p in node.parents
    ]
    if len(operands) > 8:
        operands[4:-4] = [f"… {len(operands) - 8} more …"]
    return f"{node.op}({', '.join(operands)})" + (f" labelled {node.label!r}" if node.label else "")


def _line(frame: FrameType | None) -> str:
    """The innermost line of a call that is neither in the package nor in its generated code."""
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((_HERE, "<scalargrad ")):
            return f"{name}, line {frame.f_lineno}"
        frame = frame.f_back
    return "an unknown line"
