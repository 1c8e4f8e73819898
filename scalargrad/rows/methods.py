"""Makes methods of Value: operations, comparisons, and methods that refuse.   (floor 1)

The modules that generate source are imported when the first operation needs them.
"""

from __future__ import annotations

from operator import add, mod, mul, sub, truediv

from ..arithmetic.conversion import as_float
from ..modes import deciding_number, is_traced
from ..ops import OPS, Op, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .value_methods import Operator

    N = TypeVar("N")


class Recorded:
    """A method that records an operation; its function is generated when it is first used."""

    def __init__(self, op_name: str, swapped: bool = False, operator: bool = True) -> None:
        self.op_name, self.swapped, self.operator = op_name, swapped, operator

    def __set_name__(self, cls: type[Any], name: str) -> None:
        self.cls, self.name = cls, name

    def __get__(self, node: N, owner: type[Any] | None = None) -> Operator[N]:
        from .documentation import described, documented
        from .recorders import recorder

        function = recorder(OPS[self.op_name], self.cls, self.operator)[self.swapped]
        function.__name__, function.__qualname__ = self.name, f"{self.cls.__name__}.{self.name}"
        function.__doc__ = (described if self.operator else documented)(OPS[self.op_name])
        setattr(self.cls, self.name, function)
        return function if node is None else function.__get__(node)  # type: ignore[no-any-return]


def unary(op_name: str) -> Callable[[N], N]:
    """An operator with one operand; type checkers see a plain method."""
    return Recorded(op_name)  # type: ignore[return-value]


def evaluated(op: Op, *numbers: Any) -> tuple[Any, ...]:
    """The number of an operation and its slopes by all operands, computed on floats."""
    from .text import on_floats

    return on_floats(op)["total"](*numbers)  # type: ignore[no-any-return]


def compared(test: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    """A method that compares the data of a Value with another Value or a number."""

    def compare(self: Any, other: Any) -> bool:
        if not hasattr(type(other), "backward"):
            against = as_float(other)
        elif hasattr(other, "records"):  # a number in a trace compares itself
            against = None
        else:
            against = deciding_number(other)
        return NotImplemented if against is None else test(deciding_number(self), against)

    return compare


def refused(what: str) -> Callable[..., None]:  # so type checkers refuse it too
    """A method that raises an error, as its result would freeze the number and cut the graph."""
    number = "value.data" if what == "float" else f"{what}(value.data)"

    def refuse(self: Any, *args: object) -> None:
        raise TypeError(
            f"{what}(Value) would cut the graph: to keep the slope, write scalargrad.exp, not "
            "math.exp, and give an array that Values go into dtype=object; for the number alone, "
            f"write {number}"
        )

    return refuse


def add_methods(cls: type[Any], record: Callable[..., Any]) -> None:
    """Give a class all methods of the table; `record` makes a node if no faster copy is there."""
    cls._record = staticmethod(record)
    add_numpy_methods(cls)
    for op in OPS.values():
        add_method(cls, op)


def add_method(cls: type[Any], op: Op) -> None:
    """Give a class the method of an operation; operations on lists have none."""
    if op.is_public and not op.takes_lists and not op.is_composed:
        for name in op.names:
            method = Recorded(op.name, operator=False)
            method.__set_name__(cls, name)
            setattr(cls, name, method)


# ------------------------------------------------------------------ for NumPy


def add_numpy_methods(cls: type[Any]) -> None:
    """Give Values the attributes that NumPy asks for: of items of an array, and beside an array."""
    cls.conjugate = _conjugate
    cls.__array_ufunc__ = _array_ufunc


def _conjugate(self: N) -> N:
    """The Value itself, which is real: NumPy asks for this in var, std and vdot."""
    return self


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": add, "subtract": sub, "multiply": mul, "divide": truediv, "power": pow, "remainder": mod,
}  # fmt: skip


def _array_ufunc(self: Any, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
    """Compute a NumPy function of a Value as if the Value were an array with one item.

    NumPy calls a method of the first item. If that is a float, as in np.hypot(3.0, value), it has
    no such method, and the operation of that name in the table is recorded.
    """
    if method == "__call__" and len(operands) == 2 and isinstance(operands[0], float):
        operator = OPERATORS.get(ufunc.__name__)
        if operator is not None:  # a number of NumPy, from a loop over an array say, and a Value
            return operator(float(operands[0]), self)
    import numpy

    def as_array(operand: Any) -> Any:
        if not hasattr(type(operand), "backward"):
            return operand
        array = numpy.empty((), object)
        array[()] = operand
        return array

    arrays = [as_array(operand) for operand in operands]
    try:
        return getattr(ufunc, method)(*arrays, **options)
    except (AttributeError, TypeError):
        op = named(ufunc.__name__)
        if op is None or method != "__call__" or options or len(op.operands) != len(operands):
            raise
    from .recorders import mixed_recorder

    traced: Any = next(filter(is_traced, operands), None)

    def record(*xs: Any) -> Any:
        return traced.records(op, xs)

    function = mixed_recorder(op, type(self)) if traced is None else record
    return numpy.frompyfunc(function, len(operands), 1)(*arrays)


# ------------------------------------------------------------------ for code of micrograd


def add_lecture_names(cls: type[Any]) -> None:
    """Give Values the names `_prev`, `_op` and `_backward`, which micrograd's lecture uses.

    >>> from scalargrad import Value
    >>> y = Value(2.0) * Value(3.0)
    >>> y._op, sorted(x.data for x in y._prev)
    ('×', [2.0, 3.0])
    """
    cls._prev = property(lambda node: {x for x in node.parents if isinstance(x, cls)})
    cls._op = property(lambda node: node._operation.symbol if node._operation else "")
    cls._backward = _pass_on


def _pass_on(node: Any) -> None:
    """Send each operand its share of this Value's slope: one step of `backward`."""
    for operand, partial in zip(node.parents, node.partials):
        if partial is not None and node.grad:
            operand.grad += partial * node.grad
