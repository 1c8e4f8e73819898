"""The recorded graph: how a node stores its operands, walks over all Values, copies.   (floor 0)

No walk here recurses, so a chain of a million Values is walked and copied like any other graph.
"""

from __future__ import annotations

import gc
from itertools import chain

from .arithmetic.conversion import as_float
from .modes import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from typing import Any, Protocol, TypeVar

    class Node(Protocol):
        """The part of a Value that the walks here need."""

        data: float
        grad: float
        label: str
        _operation: Any
        _x: Any
        _y: Any
        _dx: Any
        _dy: Any

        @property
        def parents(self) -> tuple[Any, ...]: ...

    N = TypeVar("N", bound=Node)


# ------------------------------------------------------------------ how a node keeps its operands


def store(node: Node, op: Any, operands: Sequence[Any], slopes: Any) -> None:
    """Keep an operation, its operands and the slopes by them in the fields of a node.

    One operand or two: `_x` and `_y` hold them, `_dx` and `_dy` the slopes. If one of two is a
    plain number, `_x` is the Value, `_y` is None and `_dy` is the number. Many operands: `_x` is
    None, `_dx` holds all operands in lists, `_y` the Values among them, `_dy` the slopes by those.
    Flat fields take 120 bytes a node; `python -m tests.benchmarks.layouts` compares other ways.
    """
    node._operation = op
    if op.takes_lists or len(operands) > 2:
        lists = tuple([x if isinstance(x, tuple) else (x,) for x in operands])
        each = chain(*[s if name in op.lists else (s,) for name, s in zip(op.operands, slopes)])
        pairs = [(x, s) for x, s in zip(chain(*lists), each) if hasattr(x, "backward")]
        node._x, node._dx = None, lists
        node._y, node._dy = tuple([x for x, _ in pairs]), tuple([s for _, s in pairs])
    elif len(operands) == 1:
        (node._x,), (node._dx,), node._y, node._dy = operands, slopes, None, None
    else:
        (x, y), (dx, dy) = operands, slopes
        if not hasattr(y, "backward"):
            node._x, node._y, node._dx, node._dy = x, None, dx, y
        elif not hasattr(x, "backward"):
            node._x, node._y, node._dx, node._dy = y, None, dy, x
            node._operation = op.swapped()
        else:
            node._x, node._y, node._dx, node._dy = x, y, dx, dy


def operands_of(node: Node) -> tuple[Any, ...]:
    """The operands of a node in order, as `store` was given them."""
    if node._operation is None:
        return ()
    if node._x is None:
        return tuple(chain(*node._dx))
    if node._y is not None:
        return node._x, node._y
    if node._dy is None:
        return (node._x,)
    return (node._dy, node._x) if node._operation.is_swapped else (node._x, node._dy)


def slopes_of(node: Node) -> tuple[float, ...]:
    """The slopes by the Values among the operands of a node, in order."""
    if node._x is None:
        return node._dy or ()
    return (node._dx,) if node._y is None else (node._dx, node._dy)


# ------------------------------------------------------------------ walks


def ordered(*roots: N, stop: Container[N] = frozenset(), last_first: bool = False) -> list[N]:
    """The roots and all Values they were made of, operands before their readers.

    The walk goes no further than the Values in `stop`. It takes first operands first; with
    `last_first` it takes last operands first, as `Value.backward` does. Slopes that are added up in
    the same order are equal to the last bit.

    >>> from scalargrad import Value
    >>> x = Value(2.0, "x")
    >>> [value.op or value.label for value in ordered(x * x + 1)]
    ['x', 'mul', 'add']
    """
    order: list[N] = []
    seen: set[N] = set()
    stack: list[Any] = [*reversed(roots)]
    while stack:
        node = stack.pop()
        if node is None:  # all operands of the Value below are in order, and it is next
            order.append(stack.pop())
        elif node not in seen:
            seen.add(node)
            stack += (node, None)
            if node not in stop:
                operands = node.parents if last_first else reversed(node.parents)
                stack += [operand for operand in operands if operand.__class__ is not float]
    return order


def computed(root: N, before: list[Any]) -> list[N]:
    """The computed Values of a root's graph in order for a backward walk, and leaves made ready.

    Operands come before their readers, last operands first. The shares of several readers are
    added up from 0, so that the last digits do not depend on an older gradient. So a leaf that is
    met again loses its gradient to `before`, which lists each such leaf and its gradient. The walk
    marks the Values it has met: a computed one in `grad`, a leaf in `_x`, which leaves do not use.
    That is faster than a set.
    """
    if as_float(root.data) is None:
        raise misused(root) or TypeError(f"the root's data is {root.data!r}, which is no number")
    order: list[N] = []
    mark: Any = float("nan")  # a new object, so that no mark of another walk is the same
    stack: list[Any] = [root]
    push = stack.append
    while stack:
        node = stack.pop()
        if node is None:  # all operands of the Value below are in order, and it is next
            order.append(stack.pop())
        elif node._operation is None:
            if node._x is not mark:
                node._x = mark
            elif node.grad:
                before += (node, node.grad)
                node.grad = 0.0
        elif node.grad is not mark:
            node.grad = mark
            if (x := node._x) is None:  # many operands: most are leaves, kept off the stack
                stack += (node, None)
                for operand in node._y:
                    if operand._operation is not None:
                        if operand.grad is not mark:
                            push(operand)
                    elif operand.grad:
                        if operand._x is mark:
                            before += (operand, operand.grad)
                            operand.grad = 0.0
                        else:
                            operand._x = mark
                continue
            y = node._y
            y_waits = y is not None and (y._operation is not None or y.grad)
            if x._operation is not None or x.grad:
                stack += (node, None, x, y) if y_waits else (node, None, x)
            elif y_waits:
                stack += (node, None, y)
            else:
                order.append(node)
    return order


def misused(root: Node) -> TypeError | None:
    """The error that names a Value whose data or grad is no number any more; None if all are."""
    for node in ordered(root):
        name = node.label or (
            f"a result of {node._operation.name}" if node._operation else "a leaf"
        )
        if as_float(node.data) is None:
            kind = type(node.data).__name__
            advice = (
                f": write {name}.data = ….data, or {name}.data -= 0.1 * {name}.grad"
                if hasattr(node.data, "backward")
                else ""
            )
            return TypeError(f"the data of {name} was set to a {kind}, expected a number{advice}")
        if node._operation is None and as_float(node.grad) is None:
            return TypeError(
                f"the grad of {name} was set to {node.grad!r}, expected a number: "
                f"write {name}.grad = 0.0"
            )
    return None


@contextmanager
def without_collector() -> Iterator[None]:
    """Let many objects be made and kept; the cyclic collector would go through them each time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# ------------------------------------------------------------------ copies

KEEP = "keep"  # a key in deepcopy's memo: copy no Value but those that the memo names


def copied(root: N, memo: dict[Any, Any]) -> N:
    """A copy of a root and of all it was made of; `memo` is that of `copy.deepcopy`."""
    if KEEP in memo:
        return root

    def field(content: Any) -> Any:
        if isinstance(content, tuple):
            return tuple([field(item) for item in content])
        return memo.get(id(content), content)

    for node in ordered(root):
        if id(node) not in memo:
            memo[id(node)] = copy = object.__new__(type(node))
            copy.data, copy.grad, copy.label = node.data, node.grad, node.label
            copy._operation = node._operation
            if hasattr(node, "__dict__"):  # a subclass may have more fields
                vars(copy).update(vars(node))
            copy._x, copy._y = field(node._x), field(node._y)
            copy._dx, copy._dy = field(node._dx), field(node._dy)
    return memo[id(root)]  # type: ignore[no-any-return]
