"""Methods of Value that are made: of operations, comparisons, refusals.   (floor 1)

What generates source is imported when the first operation needs it.
"""

from __future__ import annotations

from operator import add, mod, mul, sub, truediv

from ..arithmetic.conversion import as_float
from ..modes import deciding_number
from ..ops import OPS, Op, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .value_methods import Operator

    N = TypeVar("N")


class Recorded:
    """A method that records an operation; its function is generated when first looked up."""

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
    """An operator of one operand, for type checkers a plain method."""
    return Recorded(op_name)  # type: ignore[return-value]


def evaluated(op: Op, *numbers: Any) -> tuple[Any, ...]:
    """The number of an operation and its slopes by all operands, of floats and lists of floats."""
    from .text import on_floats

    return on_floats(op)["total"](*numbers)  # type: ignore[no-any-return]


def compared(test: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    """A comparison of data, with a Value or a number."""

    def compare(self: Any, other: Any) -> bool:
        if not hasattr(type(other), "backward"):
            against = as_float(other)
        elif hasattr(other, "records"):  # it is traced, and compares itself
            against = None
        else:
            against = deciding_number(other)
        return NotImplemented if against is None else test(deciding_number(self), against)

    return compare


def refused(what: str) -> Callable[..., None]:  # so type checkers refuse it too
    """A method that would freeze the number, and says what to write instead."""
    number = "value.data" if what == "float" else f"{what}(value.data)"

    def refuse(self: Any, *args: object) -> None:
        raise TypeError(
            f"{what}(Value) would cut the graph: to keep the slope, write scalargrad.exp, not "
            "math.exp, and give an array that Values go into dtype=object; for the number alone, "
            f"write {number}"
        )

    return refuse


def add_methods(cls: type[Any], record: Callable[..., Any]) -> None:
    """Give a class all methods; `record` makes its nodes where no faster copy is generated."""
    cls._record = staticmethod(record)
    add_numpy_methods(cls)
    for op in OPS.values():
        add_method(cls, op)


def add_method(cls: type[Any], op: Op) -> None:
    """Give an operation its method: exp, tanh, maximum, …; one of lists has none."""
    if op.is_public and not op.takes_lists and not op.is_composed:
        for name in (op.name, *op.aliases):
            method = Recorded(op.name, operator=False)
            method.__set_name__(cls, name)
            setattr(cls, name, method)


# ------------------------------------------------------------------ for NumPy


def add_numpy_methods(cls: type[Any]) -> None:
    """Give Values what NumPy asks of the items of its arrays, and of an operand beside an array."""
    cls.conjugate = lambda node: node  # for var, std, vdot
    cls.__array_ufunc__ = _array_ufunc


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": add, "subtract": sub, "multiply": mul, "divide": truediv, "power": pow, "remainder": mod,
}  # fmt: skip


def _array_ufunc(self: Any, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
    """Take a Value beside an array as an array of one item.

    NumPy asks the first item for a method. That may be a float, as in np.hypot(3.0, value), and
    floats have none. Then the operation of the table of that name is recorded.
    """
    if method == "__call__" and len(operands) == 2 and isinstance(operands[0], float):
        operator = OPERATORS.get(ufunc.__name__)
        if (
            operator is not None
        ):  # one of NumPy's numbers beside a Value, as in a loop over an array
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
    from .recorders import recorder_of_many

    return numpy.frompyfunc(recorder_of_many(op, type(self)), len(operands), 1)(*arrays)


# ------------------------------------------------------------------ for code of micrograd


def add_lecture_names(cls: type[Any]) -> None:
    """Give Values the names `_prev`, `_op` and `_backward`, which code of a lecture uses.

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
