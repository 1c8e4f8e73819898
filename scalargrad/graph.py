"""The recorded graph: how a node keeps its operands, its Values in order, a copy of it.   (floor 0)

No walk here recurses, so a chain of a million Values is listed and copied like any other graph.
"""

from __future__ import annotations

from itertools import chain

from .arithmetic.conversion import as_float

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from typing import Any, Protocol, TypeVar

    class Node(Protocol):
        """What the walks here ask of a Value."""

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

    Up to two operands, x and y, stand in fields of their own, with their slopes dx and dy. Where
    one is a plain number, x is the Value, y is None and dy the number. If there are many, x is
    None, dx holds all operands in lists, y the Values among them and dy the slopes by those. Flat
    fields take 120 bytes a node; `python -m tests.benchmarks.layouts` compares other ways.
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
    """The operands of a node in order: what `store` was given."""
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
    """The roots and all Values they were made of, operands before readers, first operands first.

    What the Values in `stop` were made of is left out. `last_first` takes last operands first, as
    `Value.backward` does: slopes that are added up in the same order are equal to the last bit.

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
    """The computed Values of a root's graph, operands before their readers, last operands first.

    This is the order for a backward walk, so it prepares one too. Shares of several readers are to
    be summed from 0, or the last digits are others. So the gradient of a leaf that is met again is
    set to 0, and goes to `before`, behind its leaf. The walk marks all it met, a computed Value in
    its grad, a leaf in its `_x`, which a leaf does not use: that is faster than a set.
    """
    if as_float(root.data) is None:
        raise misused(root) or TypeError(f"the root's data is {root.data!r}, which is no number")
    order: list[N] = []
    mark: Any = float("nan")  # an object that no other walk has
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
            if (x := node._x) is None:  # most of many are leaves, and need no place on the stack
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
    """The error that names a leaf whose data or grad was set to no number, else None."""
    for node in ordered(root):
        name = node.label or "a leaf"
        if node._operation is None and as_float(node.data) is None:
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


# ------------------------------------------------------------------ copies

KEEP = "keep"  # in deepcopy's memo: Values that it does not name are not copied, but kept


def copied(root: N, memo: dict[Any, Any]) -> N:
    """The copy of a root with all it was made of.

    `memo` is `copy.deepcopy`'s, and keeps shared Values shared.
    """

    if KEEP in memo:
        return root

    def field(content: Any) -> Any:
        if isinstance(content, tuple):
            return tuple([field(item) for item in content])
        return memo.get(id(content), content)

    for node in ordered(root):
        if id(node) not in memo:
            memo[id(node)] = copy = object.__new__(type(node))
            copy.data, copy.grad, copy.label, copy._operation = (
                node.data,
                node.grad,
                node.label,
                node._operation,
            )
            if hasattr(node, "__dict__"):  # of a subclass
                vars(copy).update(vars(node))
            copy._x, copy._y = field(node._x), field(node._y)
            copy._dx, copy._dy = field(node._dx), field(node._dy)
    return memo[id(root)]  # type: ignore[no-any-return]
