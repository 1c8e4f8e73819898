"""A number that remembers how it was made, and the walk that finds its slopes.   (floor 1)

Take y = a*b + a. Each operation makes a new Value, which remembers its operands and its local
slopes: the partial derivatives by each operand. For a*b they are b and a. Nudge a by ε, and a*b
moves by b·ε.

    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> ab = a * b
    >>> ab.data, ab.op, ab.partials
    (6.0, 'mul', (3.0, 2.0))

`record`, at the end of this file, makes such a Value. Operands link the Values into a graph, from
the root, the final result, back to the leaves, which nobody computed. Backpropagation finds the
slope of the root by every Value. By the root itself it is 1. For any other Value the chain rule
adds up a share from each of its readers, the operations that used it:

    operand.grad += partial * reader.grad

A Value may pass its slope on only when all its readers have sent their shares. So `backward` lists
operands before their readers, and walks the list in reverse. The table in `ops` says how each
operation computes its number and its slopes.

    >>> y = ab + a
    >>> y.backward()
    >>> a.grad, b.grad              # dy/da = b + 1, dy/db = a
    (4.0, 2.0)
"""

from __future__ import annotations

from _thread import RLock  # threading imports a dozen modules
from operator import eq, ge, gt, le, lt, ne

from . import modes
from .arithmetic.conversion import to_float, to_text
from .graph import computed, copied, misused, operands_of, ordered, store
from .ops import Op
from .rows.methods import Recorded, add_methods, compared, evaluated, refused, unary
from .rows.value_methods import Methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

one_walk_at_a_time = RLock()  # threads take turns; a signal's handler may walk within a walk


class Value(Methods):
    """A real number in a computation graph.

    `data` is the number, `grad` the slope of a root by it, and `label` a name for people.

    >>> x = Value(3.0, label="x")
    >>> y = x**2 - 2 * x + 1
    >>> y.backward()
    >>> y, x
    (Value(data=4.0, grad=1.0), Value(data=3.0, grad=4.0, label='x'))
    """

    # `graph.store` tells how the fields that begin with _ keep operands and slopes.
    __slots__ = ("_dx", "_dy", "_operation", "_x", "_y", "data", "grad", "label")

    def __init__(self, data: Any, label: str = "") -> None:
        self.data, self.grad, self.label = to_float(data, "Value"), 0.0, to_text(label, "label")
        self._operation = self._x = self._y = self._dy = None
        self._dx = modes.scope_here.get()  # the call of `grad` or the like that it is made in

    __neg__, __abs__ = unary("neg"), unary("abs")
    __add__, __radd__ = Recorded("add"), Recorded("add", swapped=True)
    __sub__, __rsub__ = Recorded("sub"), Recorded("sub", swapped=True)
    __mul__, __rmul__ = Recorded("mul"), Recorded("mul", swapped=True)
    __truediv__, __rtruediv__ = Recorded("div"), Recorded("div", swapped=True)
    __mod__, __rmod__ = Recorded("mod"), Recorded("mod", swapped=True)
    __pow__, __rpow__ = Recorded("pow"), Recorded("pow", swapped=True)

    __lt__, __le__, __eq__ = compared(lt), compared(le), compared(eq)  # by data, as in NumPy
    __gt__, __ge__, __ne__ = compared(gt), compared(ge), compared(ne)
    __hash__ = object.__hash__  # by identity, as `is`: a node is itself
    __float__, __int__, __round__ = refused("float"), refused("int"), refused("round")

    def __pos__(self) -> Value:
        return self

    def __bool__(self) -> bool:
        return modes.deciding_number(self) != 0.0

    @property
    def op(self) -> str | None:
        """The name of the operation that made this Value; None for a leaf."""
        return self._operation.name if self._operation else None

    @property
    def parents(self) -> tuple[Value | float, ...]:
        """The operands in order, repeats included; a plain number stays a plain number."""
        return operands_of(self)

    @property
    def partials(self) -> tuple[float | None, ...]:
        """The local slope by each operand, taken when it was computed; None for a plain number."""
        slopes = iter((self._dx, self._dy) if self._x is not None else self._dy or ())
        return tuple(next(slopes) if isinstance(x, Value) else None for x in self.parents)

    def graph(self) -> list[Value]:
        """This Value and all Values it was made of, operands before their readers."""
        return ordered(self)

    def backward(self) -> None:
        """Find the slope of this Value by each Value it was made of.

        A leaf adds the slope to its `grad`, so the gradients of several roots add up. A computed
        Value sets its `grad` to its slope in this walk. A slope of 0 is not passed on.
        """
        before: list[Any] = []  # leaves with several readers, each followed by the grad it had
        with one_walk_at_a_time:
            try:
                order = computed(self, before)  # the order: operands before their readers
                for node in order:
                    node.grad = 0.0
                self.grad += 1.0
                for node in reversed(order):  # the chain rule, readers first
                    slope = node.grad
                    if slope:  # nan passes, 0 does not
                        if (x := node._x) is None:  # many operands
                            for operand, partial in zip(node._y, node._dy):
                                operand.grad += partial * slope
                        else:
                            x.grad += node._dx * slope
                            if (y := node._y) is not None:
                                y.grad += node._dy * slope
            except (TypeError, ValueError) as error:  # data or grad that are no numbers
                raise misused(self) or error from None
            finally:  # add what leaves had before, after Ctrl-C too
                for leaf, grad in zip(before[::2], before[1::2]):
                    leaf.grad += grad
        if modes.modes_on:
            modes.announce_walk(order)

    def detach(self) -> Value:
        """A leaf with the same number: no slope passes through it."""
        return Value(self.data, str(self.label))

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data!r}, grad={self.grad!r}{label})"

    def __format__(self, spec: str) -> str:
        return format(modes.deciding_number(self), spec) if spec else repr(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        return copied(self, memo)


def record(op: Op, *operands: Any) -> Value:
    """Make the Value of an operation: its number, its operands, and the slope by each of them.

    Operators and functions run a faster copy, which `rows.recorders` generates for each operation.
    """

    def data_of(x: Any) -> Any:  # x is a Value, a plain number, or a tuple of them
        return [*map(data_of, x)] if isinstance(x, tuple) else x.data if isinstance(x, Value) else x

    out, *slopes = evaluated(op, *map(data_of, operands))
    node = Value(out)
    store(node, op, operands, slopes)
    return node


add_methods(Value, record)  # exp, tanh, maximum, …
