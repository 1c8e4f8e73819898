"""Modes: what is told of every operation while it is on. `no_grad` is one.   (floor 0)

A mode is on in the thread that entered it, and modes nest. While none is on anywhere, a recorded
operation pays a single test for all of them.
"""

from __future__ import annotations

from _contextvars import ContextVar  # the public module imports more

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import contextmanager
    from typing import Any

    from .graph import Node
else:

    def contextmanager(function):
        """`contextlib.contextmanager`, imported when a block begins: it takes milliseconds."""

        def begin(*arguments):
            from contextlib import contextmanager

            return contextmanager(function)(*arguments)

        begin.__name__ = begin.__qualname__ = function.__name__
        begin.__doc__, begin.__module__ = function.__doc__, __name__
        return begin


class Mode:
    """Something that is told of each new node, each backward walk and each deciding number."""

    turn = 0  # of several modes, the one with the lower turn is told first
    watches = False  # whether each node must be made: generated code makes none
    records: Callable[[Any, tuple[Any, ...]], Any] | None = (
        None  # what a function of Values records, in place of a node
    )

    def made(self, node: Any) -> Any:
        """Return what is to stand for a new node."""
        return node

    def walked(self, order: list[Any]) -> None:
        """Take note of a walk that has sent slopes through these nodes, last first."""

    def asked(self, node: Any) -> None:
        """Take note that the number of a Value is about to decide something."""


modes_on: list[Mode] = []  # one entry for each mode that is on in any thread: no entry, no cost
modes_here: ContextVar[tuple[Mode, ...]] = ContextVar(
    "modes_here", default=()
)  # those of this thread


@contextmanager
def switched_on(mode: Mode) -> Iterator[None]:
    """Have a mode on for as long as the block runs."""
    token = modes_here.set(tuple(sorted((*modes_here.get(), mode), key=lambda mode: mode.turn)))
    modes_on.append(mode)
    try:
        yield
    finally:
        modes_on.remove(mode)
        modes_here.reset(token)


# ------------------------------------------------------------------ how the engine tells them


def announced(node: Node) -> Any:
    """Tell the modes of a new node, and return what is to stand for it."""
    for mode in modes_here.get():
        node = mode.made(node)
    return node


def announce_walk(order: list[Any]) -> None:
    """Tell the modes of a finished backward walk."""
    for mode in modes_here.get():
        mode.walked(order)


def deciding(node: Node) -> float:
    """Return the number of a Value that is about to decide something, unless a mode refuses."""
    if modes_on:
        for mode in modes_here.get():
            mode.asked(node)
    return node.data


# ------------------------------------------------------------------ what is differentiated


class Scope:
    """One call of a function that is differentiated. A leaf keeps the scope it was made in.

    Leaves made in it are the function's own constants; nobody asks for the slope by one of them.
    """

    __slots__ = ("outer",)

    def __init__(self) -> None:
        self.outer: Scope | None = scope_here.get()

    def made(self, leaf: Any) -> bool:
        """Whether a leaf was made in this scope, or in one inside it."""
        scope = leaf._dx
        while scope is not None and scope is not self:
            scope = scope.outer
        return scope is self


scope_here: ContextVar[Scope | None] = ContextVar("scope_here", default=None)
TRAINING = Scope()


@contextmanager
def training() -> Iterator[None]:
    """Have derivatives remember the parameters of a module that is given as an argument.

    Elsewhere they take a module as its numbers. A penalty of a model is to reach its weights.
    """
    token = scope_here.set(TRAINING)
    try:
        yield
    finally:
        scope_here.reset(token)


# ------------------------------------------------------------------ no_grad


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: results are leaves, and nothing of what made them is kept.

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
    """Makes a leaf of each node. A traced node has no number yet: the trace itself cuts it off."""

    turn = 2

    def made(self, node: Any) -> Any:
        if not hasattr(node, "records"):
            node._operation = node._x = node._y = node._dy = None
            node._dx = scope_here.get()
        return node


def is_recording() -> bool:
    """Whether no `no_grad` is on here."""
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
