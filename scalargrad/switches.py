"""What watches recording while it is on: nobody, no_grad, detect_anomaly or a trace.   (floor 0)

While `modes` is empty a recorded operation pays one test for it.
"""

from __future__ import annotations

from _contextvars import ContextVar  # the public module imports more

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .ops import Op
    from .value import Value


class Mode:
    """Something that is told of each node as it is made, of each backward walk, and of each number that decides something."""

    turn = 0  # of several modes, the lower is told first
    records: Callable[[Op, tuple[Any, ...]], Any] | None = None  # what a function of Values records, in place of a node

    def made(self, node: Value) -> Value:
        """What is to stand for a new node."""
        return node

    def walked(self, order: list[Value]) -> None:
        """A walk has sent slopes through these, last first."""

    def asked(self, node: Value) -> None:
        """The number of a Value is about to decide something."""


modes: list[Mode] = []  # one entry for each mode that is on in any thread: no entry, no cost
active: ContextVar[tuple[Mode, ...]] = ContextVar("active", default=())  # those of this thread


def watch(node: Value) -> Value:
    """Show a new node to the modes that are on here."""
    for mode in active.get():
        node = mode.made(node)
    return node


def number(node: Value) -> float:
    """The number of a Value that is about to decide something, which modes may refuse."""
    if modes:
        for mode in active.get():
            mode.asked(node)
    return node.data


def watch_walk(order: list[Value]) -> None:
    """Show a finished backward walk to the modes that are on here."""
    for mode in active.get():
        mode.walked(order)
