"""A number that remembers how it was made, and the walk that finds its slopes: read this file.   (floor 1)

Take y = a*b + a. Python evaluates it operation by operation, and each operation on Values makes a
new Value that remembers two things: its operands, and its local slopes, the partial derivatives by
each operand at the operands' numbers. For a*b they are b and a: nudge a by ε, and a*b moves by b·ε.

    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> ab = a * b
    >>> ab.data, ab.op, ab.partials
    (6.0, 'mul', (3.0, 2.0))

Values and what they remember form a graph, from the result back to the leaves, the Values nobody
computed. Backpropagation asks for the slope of one result, the root, by everything it was made
of. For the root it is 1. For any other Value the chain rule says: the sum, over all that read it, of
the reader's slope times the reader's local slope,

    operand.grad += local_slope * reader.grad

and that line is the whole of it. The one condition is order: a Value may send its slope on when it
has received the shares of all its own readers. Any order in which operands come before their readers
will do, walked in reverse; `backward` finds one by a depth-first search, without recursion, so
that a graph may be a million Values deep.

    >>> y = ab + a
    >>> y.backward()
    >>> a.grad, b.grad              # dy/da = b + 1, dy/db = a
    (4.0, 2.0)

Where the slopes come from is the table in `ops`; `recording` writes a row of it out as a function,
`print(inspect.getsource(Value.__mul__))` shows one. A node is flat, two operands and two slopes in
fields of its own: with tuples of them a graph of 100,000 operations took 1.5 times as long
and 1.6 times the memory (`python -m tests.benchmarks.layouts` measures that again).
"""

from __future__ import annotations

from threading import Lock

from . import recording
from .ops import OPS
from .recording import add_methods, recorded
from .floats import real, real_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .ops import Op

_walking = Lock()  # walks of two threads that share nodes take turns


class Value:
    """A real number in a computation graph.

    `data` is the number, `grad` the slope of the latest root by it, `label` a name for people. `op` names
    the operation that made it (None for a leaf), `parents` are its operands in order, a plain number
    among them as itself, and `partials` the local slopes by each (None by a plain number).

    >>> x = Value(3.0, label="x")
    >>> y = x**2 - 2 * x + 1
    >>> y.backward()
    >>> y, x
    (Value(data=4.0, grad=1.0), Value(data=3.0, grad=4.0, label='x'))
    """

    # A computed node holds its row, its operands x and y and its slopes dx and dy. Where one operand is a plain
    # number, x is the Value, y is None and dy the number. Of many operands, dx holds all, y the Values and dy their slopes.
    __slots__ = ("data", "grad", "label", "row", "x", "y", "dx", "dy")

    data: float
    grad: float
    label: str
    row: Op | None
    x: Any
    y: Any
    dx: Any
    dy: Any

    def __init__(self, data: Any, label: str = "") -> None:
        if not isinstance(label, str):
            raise TypeError(f"label must be a str, got {type(label).__name__}: write label={str(label)!r}")
        self.data, self.grad, self.label = real_number(data, "Value"), 0.0, label
        self.row = self.x = self.y = self.dx = self.dy = None

    # -------------------------------------------------------------- the operations

    __neg__ = recorded("neg")
    __abs__ = recorded("abs")
    __add__, __radd__ = recorded("add"), recorded("add", swapped=True)
    __sub__, __rsub__ = recorded("sub"), recorded("sub", swapped=True)
    __mul__, __rmul__ = recorded("mul"), recorded("mul", swapped=True)
    __truediv__, __rtruediv__ = recorded("div"), recorded("div", swapped=True)
    __pow__, __rpow__ = recorded("pow"), recorded("pow", swapped=True)

    def __lt__(self, other: Any) -> bool:
        return _compare(self, other, float.__lt__)

    def __le__(self, other: Any) -> bool:
        return _compare(self, other, float.__le__)

    def __gt__(self, other: Any) -> bool:
        return _compare(self, other, float.__gt__)

    def __ge__(self, other: Any) -> bool:
        return _compare(self, other, float.__ge__)

    # == and hash are those of object, by identity: a Value is a node first.

    def __bool__(self) -> bool:
        return self.data != 0.0

    def __pos__(self) -> Value:
        return self

    def __float__(self) -> float:
        raise TypeError("float(Value) would cut the graph; use value.data")

    def __int__(self) -> int:
        raise TypeError("int(Value) would cut the graph; use int(value.data)")

    def __round__(self, digits: int | None = None) -> float:
        raise TypeError("round(Value) would cut the graph; use round(value.data)")

    # -------------------------------------------------------------- what it remembers

    @property
    def op(self) -> str | None:
        """The name of the operation that made it; None for a leaf."""
        return self.row.name if self.row else None

    @property
    def parents(self) -> tuple[Value | float, ...]:
        """The operands in order, repeats included, a plain number as itself."""
        if self.row is None:
            return ()
        if self.x is None:
            return self.dx  # type: ignore[no-any-return]
        if self.y is not None:
            return self.x, self.y
        if self.dy is None:
            return (self.x,)
        return (self.dy, self.x) if self.row.is_swapped else (self.x, self.dy)

    @property
    def partials(self) -> tuple[float | None, ...]:
        """The local slope by each operand, taken when the operation happened; None by a plain number."""
        slopes = iter(self.dy if self.x is None else (self.dx, self.dy))
        return tuple(next(slopes) if isinstance(operand, Value) else None for operand in self.parents)

    def graph(self) -> list[Value]:
        """All Values it was made of and itself, operands before their readers."""
        order: list[Value] = []
        seen: set[Value] = set()
        stack: list[Value | None] = [self]
        while stack:
            node = stack.pop()
            if node is None:  # a marker: all operands of the node below it are in order
                order.append(stack.pop())  # type: ignore[arg-type]
            elif node not in seen:
                seen.add(node)
                stack += (node, None, *(p for p in reversed(node.parents) if isinstance(p, Value)))
        return order

    # -------------------------------------------------------------- the walk

    def backward(self) -> None:
        """Put the slope of this Value by each Value it was made of into their `grad`.

        A leaf's `grad` is added to, so that gradients of several roots or rows of data sum up; a computed
        Value's `grad` is its slope in the latest walk. A slope of exactly 0 sends nothing on, so that
        a branch that `where` left unused cannot turn 0 × inf into nan.
        """
        with _walking:
            order: list[Value] = []  # computed Values, operands before readers
            leaves, earlier = [], []  # leaves with a gradient, and what they held before: this walk sums from 0
            seen = float("nan")  # a fresh object, this walk's mark in `grad`: marks that a broken walk left are others
            stack: list[Any] = [self]
            push, pop = stack.append, stack.pop
            while stack:
                node = pop()
                if node is None:  # a marker: all operands of the node below it are in order
                    order.append(pop())
                elif node.row is None:
                    leaves.append(node)
                    earlier.append(node.grad)
                    node.grad = 0.0
                elif node.grad is not seen:
                    node.grad = seen
                    push(node)
                    push(None)
                    if (x := node.x) is None:
                        stack += [operand for operand in node.y if operand.row is not None]
                        full = [operand for operand in node.y if operand.grad and operand.row is None]
                        leaves += full
                        earlier += [leaf.grad for leaf in full]
                        for leaf in full: leaf.grad = 0.0
                    else:
                        if x.row is not None or x.grad:
                            push(x)
                        if (y := node.y) is not None and (y.row is not None or y.grad):
                            push(y)
            for node in order:
                node.grad = 0.0
            self.grad = 1.0
            for node in reversed(order):
                slope = node.grad
                if slope:  # nan too
                    if (x := node.x) is None:
                        for operand, partial in zip(node.y, node.dy):
                            operand.grad += partial * slope
                    else:
                        x.grad += node.dx * slope
                        if (y := node.y) is not None:
                            y.grad += node.dy * slope
            for leaf, grad in zip(leaves, earlier):
                leaf.grad += grad
        if recording.modes:
            recording.watch_walk(order)

    def detach(self) -> Value:
        """A leaf with the same number: no slope passes through it."""
        return Value(self.data, self.label)

    # -------------------------------------------------------------- for people, and for copies

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data!r}, grad={self.grad!r}{label})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        for node in self.graph():
            if id(node) not in memo:
                memo[id(node)] = copy = object.__new__(type(node))
                copy.data, copy.grad, copy.label, copy.row = node.data, node.grad, node.label, node.row
                copy.x, copy.y, copy.dx, copy.dy = (_copied(field, memo) for field in (node.x, node.y, node.dx, node.dy))
        return memo[id(self)]  # type: ignore[no-any-return]


def _copied(field: Any, memo: dict[int, Any]) -> Any:
    if isinstance(field, tuple):
        return tuple(_copied(item, memo) for item in field)
    return memo[id(field)] if isinstance(field, Value) else field


def _compare(value: Value, other: object, test: Callable[[float, float], bool]) -> bool:
    number = other.data if isinstance(other, Value) else real(other)
    return NotImplemented if number is None else test(value.data, number)


for _op in OPS.values():  # exp, tanh, maximum … and a custom_op's own: methods of the rows that take no lists
    add_methods(Value, _op)
