"""A number that remembers how it was made, and the walk that finds its slopes: read this file.   (floor 1)

Take y = a*b + a. Python evaluates it operation by operation, and each operation on Values makes a new Value that
remembers two things: its operands, and its local slopes, the partial derivatives by each operand at the operands'
numbers. For a*b they are b and a: nudge a by ε, and a*b moves by b·ε.

    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> ab = a * b
    >>> ab.data, ab.op, ab.partials
    (6.0, 'mul', (3.0, 2.0))

Values and what they remember form a graph, from the result back to the leaves, the Values nobody computed.
Backpropagation asks for the slope of one result, the root, by everything it was made of. For the root itself it is 1.
For any other Value the chain rule says: the sum, over all that read it, of the reader's slope times its local slope,

    operand.grad += partial * reader.grad

and that is the whole of it. The one condition is order: a Value may pass its slope on when all its readers have sent their shares, as
they have in any order of operands before readers, walked in reverse. `backward` finds one depth first, without recursion.

    >>> y = ab + a
    >>> y.backward()
    >>> a.grad, b.grad              # dy/da = b + 1, dy/db = a
    (4.0, 2.0)

Slopes come from the table in `ops`; `inspect.getsource(Value.__mul__)` shows what is made of a row.
"""

from __future__ import annotations

from _thread import RLock  # threading imports a dozen modules
from operator import ge, gt, le, lt

from . import switches
from .graph import copied, operands, ordered
from .methods import add_methods, compared, recorded, refused
from .ops import OPS, Op
from .reals import real_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_walking = RLock()  # the walks of two threads take turns; a signal's handler may walk within a walk


class Value:
    """A real number in a computation graph.

    `data` is the number, `grad` the slope of a root by it, `label` a name for people. TypeError for what is no real number.

    >>> x = Value(3.0, label="x")
    >>> y = x**2 - 2 * x + 1
    >>> y.backward()
    >>> y, x
    (Value(data=4.0, grad=1.0), Value(data=3.0, grad=4.0, label='x'))
    """

    # A computed Value holds its row of the table, its operands x and y, and its slopes dx and dy. Where one operand is a plain number,
    # x is the other, y is None and dy the number. Where there are many, x is None, y holds the Values among them, dy their slopes,
    # and dx the lists of all operands as they came. A leaf may hold a walk's mark in x.
    __slots__ = ("data", "dx", "dy", "grad", "label", "row", "x", "y")
    data: float
    grad: float
    label: str
    row: Op | None
    x: Any
    y: Any
    dx: Any
    dy: Any

    if TYPE_CHECKING:  # the rows' methods, added below

        def __getattr__(self, name: str) -> Callable[..., Value]: ...

    def __init__(self, data: Any, label: str = "") -> None:
        if not isinstance(label, str):
            raise TypeError(f"label must be a str, got {type(label).__name__}: write label={str(label)!r}")
        self.data, self.grad, self.label = real_number(data, "Value"), 0.0, label
        self.row = self.x = self.y = self.dx = self.dy = None

    __neg__ = recorded("neg")
    __abs__ = recorded("abs")
    __add__, __radd__ = recorded("add"), recorded("add", swapped=True)
    __sub__, __rsub__ = recorded("sub"), recorded("sub", swapped=True)
    __mul__, __rmul__ = recorded("mul"), recorded("mul", swapped=True)
    __truediv__, __rtruediv__ = recorded("div"), recorded("div", swapped=True)
    __pow__, __rpow__ = recorded("pow"), recorded("pow", swapped=True)

    __lt__, __le__ = compared(lt), compared(le)  # by data; == and hash stay those of
    __gt__, __ge__ = compared(gt), compared(ge)  # object, by identity: a node is itself
    __float__, __int__ = refused("float", "value.data"), refused("int", "int(value.data)")
    __round__ = refused("round", "round(value.data)")

    def __bool__(self) -> bool:
        return switches.number(self) != 0.0

    @property
    def op(self) -> str | None:
        """The name of the operation that made it; None for a leaf."""
        return self.row.name if self.row else None

    @property
    def parents(self) -> tuple[Value | float, ...]:
        """The operands in order, repeats included, a plain number as itself."""
        return operands(self)

    @property
    def partials(self) -> tuple[float | None, ...]:
        """The local slope by each operand, as it was when the operation happened; None by a plain number."""
        slopes = iter(self.dy if self.x is None else (self.dx, self.dy)) if self.row else iter(())
        return tuple(next(slopes) if isinstance(operand, Value) else None for operand in self.parents)

    def graph(self) -> list[Value]:
        """This Value and all it was made of, operands before their readers."""
        return ordered(self)

    def backward(self) -> None:
        """Find the slope of this Value by each Value it was made of.

        A leaf's `grad` is added to, so that the gradients of several roots or rows of data sum up; a computed Value's `grad` is
        its slope in the latest walk. A slope of exactly 0 is not passed on, so that a branch that `where` left out cannot
        turn 0 × inf into nan.
        """
        order: list[Value] = []  # computed Values, operands before their readers
        shared = []  # leaves with a grad from before and several readers, and that grad: it is added at the end
        seen = float("nan")  # this walk's mark, an object that no other walk has: in grad of a computed Value, in x of a leaf
        stack: list[Any] = [self]
        push, pop = stack.append, stack.pop
        with _walking:
            try:
                while stack:
                    node = pop()
                    if node is None:  # all operands of the Value below are in order, and it is next
                        order.append(pop())
                    elif node.row is None:  # a leaf with a grad from before, to which one share may be added at once
                        if node.x is seen:  # of several readers, whose shares are summed from 0: another order, other last digits
                            grad, node.grad = node.grad, 0.0
                            shared.append((node, grad))
                        node.x = seen
                    elif node.grad is not seen:
                        node.grad = seen
                        if (x := node.x) is None:
                            stack += (node, None)
                            for operand in node.y:
                                if operand.row is not None:
                                    if operand.grad is not seen:
                                        push(operand)
                                elif operand.grad:  # weights are many: those met for the first time never see the stack
                                    if operand.x is seen:
                                        push(operand)
                                    operand.x = seen
                            continue
                        x_waits = x.row is not None or x.grad
                        y_waits = (y := node.y) is not None and (y.row is not None or y.grad)
                        if x_waits or y_waits:
                            stack += (node, None)
                            if x_waits:
                                push(x)
                            if y_waits:
                                push(y)
                        else:
                            order.append(node)
                for node in order:
                    node.grad = 0.0
                self.grad += 1.0
                for node in reversed(order):
                    slope = node.grad
                    if slope:  # nan passes, 0 does not
                        if (x := node.x) is None:
                            for operand, partial in zip(node.y, node.dy):
                                operand.grad += partial * slope
                        else:
                            x.grad += node.dx * slope
                            if (y := node.y) is not None:
                                y.grad += node.dy * slope
            finally:  # nor is it lost where Ctrl-C breaks the walk
                for leaf, grad in shared:
                    leaf.grad += grad
        if switches.modes:
            switches.watch_walk(order)

    def detach(self) -> Value:
        """A leaf with the same number: no slope passes through it."""
        return Value(self.data, self.label)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data!r}, grad={self.grad!r}{label})"

    def __format__(self, spec: str) -> str:
        return format(switches.number(self), spec) if spec else repr(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        return copied(self, memo)


for _row in OPS.values():  # exp, tanh, maximum, …
    add_methods(Value, _row)
