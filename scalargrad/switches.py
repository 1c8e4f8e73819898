"""What watches recording while it is on: nobody, no_grad or detect_anomaly.   (floor 0)

While `modes` is empty a recorded operation pays one test for it.
"""

from __future__ import annotations

from _contextvars import ContextVar  # the public module imports more

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from .value import Value

    class Mode(Protocol):
        """Something that is told of each node as it is made, and of each backward walk."""

        def made(self, node: Value) -> Value: ...
        def walked(self, order: list[Value]) -> None: ...


modes: list[object] = []  # one entry for each mode that is on in any thread: no entry, no cost
active: ContextVar[tuple[Mode, ...]] = ContextVar("active", default=())  # those of this thread


def watch(node: Value) -> Value:
    """Show a new node to the modes that are on here."""
    for mode in active.get():
        node = mode.made(node)
    return node


def watch_walk(order: list[Value]) -> None:
    """Show a finished backward walk to the modes that are on here."""
    for mode in active.get():
        mode.walked(order)
