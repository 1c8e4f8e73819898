"""Walks over a recorded graph that leave it as it is: its Values in order, a copy of it.   (floor 1)

No walk here recurses, so that a chain of a million Values is listed and copied like any other graph.
"""

from __future__ import annotations

from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .value import Value


def operands(node: Value) -> tuple[Any, ...]:
    """The operands of a node in order, from the fields that `Value` lays them out in."""
    if node.row is None:
        return ()
    if node.x is None:
        return tuple(chain(*node.dx))
    if node.y is not None:
        return node.x, node.y
    if node.dy is None:
        return (node.x,)
    return (node.dy, node.x) if node.row.is_swapped else (node.x, node.dy)


def ordered(*roots: Value, stop: set[Value] | frozenset[Value] = frozenset(), last_first: bool = False) -> list[Value]:
    """The roots and all Values they were made of, operands before their readers, first operands first.

    What the Values in `stop` were made of is left out. `last_first` takes last operands first, as `Value.backward` does: slopes
    that are added up in the same order are equal to the last bit.

    >>> from scalargrad import Value
    >>> x = Value(2.0, "x")
    >>> [value.op or value.label for value in ordered(x * x + 1)]
    ['x', 'mul', 'add']
    """
    order: list[Value] = []
    seen: set[Value] = set()
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


KEEP = "keep"  # in deepcopy's memo: Values that it does not name are not copied, but kept


def copied(root: Value, memo: dict[Any, Any]) -> Value:
    """The copy of a root with all it was made of; `memo` is `copy.deepcopy`'s, and keeps shared Values shared."""

    if KEEP in memo:
        return root

    def field(content: Any) -> Any:
        if isinstance(content, tuple):
            return tuple([field(item) for item in content])
        return memo.get(id(content), content)

    for node in ordered(root):
        if id(node) not in memo:
            memo[id(node)] = copy = object.__new__(type(node))
            copy.data, copy.grad, copy.label, copy.row = node.data, node.grad, node.label, node.row
            if hasattr(node, "__dict__"):  # of a subclass
                vars(copy).update(vars(node))
            copy.x, copy.y, copy.dx, copy.dy = field(node.x), field(node.y), field(node.dx), field(node.dy)
    return memo[id(root)]  # type: ignore[no-any-return]
