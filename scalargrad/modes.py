"""Modes: objects that are told of every operation while they are on.   (floor 0)

`no_grad` turns one on, for a block and in its own thread; blocks nest. While no mode is on in any
thread, an operation pays a single test for all of them.
"""

from __future__ import annotations

from _contextvars import ContextVar  # the public module imports more

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import contextmanager as contextmanager
    from typing import Any
else:

    def contextmanager(function):
        """`contextlib.contextmanager`; its slow import waits until a block begins."""

        def begin(*arguments):
            from contextlib import contextmanager

            return contextmanager(function)(*arguments)

        begin.__name__ = begin.__qualname__ = function.__name__
        begin.__doc__, begin.__module__ = function.__doc__, __name__
        return begin


class Mode:
    """An object that is told of new nodes, backward walks, and numbers that decide an `if`."""

    turn = 0  # modes with a lower turn are told first
    watches = False  # whether it must see every node; generated code makes none
    # In a trace: the function that records an operation with its operands, in place of a node.
    records: Callable[[Any, tuple[Any, ...]], Any] | None = None

    def node_made(self, node: Any) -> Any:
        """A node was made. Return it, or another that takes its place."""
        return node

    def walk_done(self, order: list[Any]) -> None:
        """A backward walk has sent slopes through these nodes, the last first."""

    def number_asked(self, node: Any) -> None:
        """The number of this Value is about to decide an `if`."""


def is_traced(number: object) -> bool:
    """Whether it is a number of a trace, not known yet: it has a mode's `records`."""
    return hasattr(number, "records")


modes_on: list[Mode] = []  # the modes of all threads: while it is empty, modes cost nothing
modes_here: ContextVar[tuple[Mode, ...]] = ContextVar("modes_here", default=())  # of this thread


@contextmanager
def switched_on(mode: Mode) -> Iterator[None]:
    """Keep a mode on while the block runs."""
    token = modes_here.set(tuple(sorted((*modes_here.get(), mode), key=lambda mode: mode.turn)))
    modes_on.append(mode)
    try:
        yield
    finally:
        modes_on.remove(mode)
        modes_here.reset(token)


# ------------------------------------------------------------------ how the engine tells them


def announced(node: Any) -> Any:
    """Tell the modes of a new node, and return it or the one that takes its place."""
    for mode in modes_here.get():
        node = mode.node_made(node)
    return node


def announce_walk(order: list[Any]) -> None:
    """Tell the modes of a finished backward walk."""
    for mode in modes_here.get():
        mode.walk_done(order)


def deciding_number(node: Any) -> float:
    """The number of a Value, to decide an `if` by; a mode may refuse it with an error."""
    if modes_on:
        for mode in modes_here.get():
            mode.number_asked(node)
    return node.data  # type: ignore[no-any-return]


# ------------------------------------------------------------------ what is differentiated


class Scope:
    """One call of a function that `grad`, or a function like it, differentiates.

    A leaf remembers the scope it was made in. Leaves that the function makes are constants of its
    own: nobody asks for a slope by them.
    """

    __slots__ = ("data", "outer")

    def __init__(self) -> None:
        self.data: dict[int, Any] = {}  # long lists of numbers that this call has looked through
        self.outer: Scope | None = scope_here.get()

    def holds(self, leaf: Any) -> bool:
        """Whether the leaf was made in this scope, or in one inside it."""
        scope = leaf._dx
        while scope is not None and scope is not self:
            scope = scope.outer
        return scope is self


scope_here: ContextVar[Scope | None] = ContextVar("scope_here", default=None)
TRAINING = Scope()


@contextmanager
def training() -> Iterator[None]:
    """Let derivatives by a module depend on its parameters.

    Elsewhere a derivative reads a module's numbers alone. In `fit`, a penalty on slopes of the
    model must reach its weights.
    """
    token = scope_here.set(TRAINING)
    try:
        yield
    finally:
        scope_here.reset(token)


# ------------------------------------------------------------------ no_grad


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: results are leaves that keep no operands.

    >>> from scalargrad import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y, y.parents
    (Value(data=9.0, grad=0.0), ())
    """
    with switched_on(_Forget()):
        yield


class _Forget(Mode):
    """Turns each new node into a leaf. A trace cuts its own nodes off, which have no number yet."""

    turn = 2

    def node_made(self, node: Any) -> Any:
        if not is_traced(node):
            node._operation = node._x = node._y = node._dy = None
            node._dx = scope_here.get()
        return node


def is_recording() -> bool:
    """Whether operations are recorded here: no `no_grad` block is open."""
    return not any(isinstance(mode, _Forget) for mode in modes_here.get())


@contextmanager
def record_anyway() -> Iterator[None]:
    """Record even inside `no_grad`, for a derivative that needs a graph of its own."""
    token = modes_here.set(
        tuple(mode for mode in modes_here.get() if not isinstance(mode, _Forget))
    )
    try:
        yield
    finally:
        modes_here.reset(token)
