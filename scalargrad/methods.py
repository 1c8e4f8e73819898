"""Methods of Value that are made: a row of the table when it is first looked up, comparisons, refusals.   (floor 1)"""

from __future__ import annotations

from .ops import OPS, Op
from .reals import real
from .switches import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .value import Value


class recorded:
    """A method that records a row of the table; its function is generated when it is first looked up."""

    def __init__(self, name: str, swapped: bool = False, operator: bool = True) -> None:
        self.row, self.swapped, self.operator = name, swapped, operator

    def __set_name__(self, cls: type[Value], name: str) -> None:
        self.cls, self.name = cls, name

    def __get__(self, node: Value | None, owner: type[Value] | None = None) -> Callable[..., Value]:
        from .recording import recorder  # what generates source is imported when it is first needed

        function = recorder(OPS[self.row], self.cls, self.operator)[self.swapped]
        function.__name__, function.__qualname__ = self.name, f"{self.cls.__name__}.{self.name}"
        function.__doc__ = OPS[self.row].formula
        setattr(self.cls, self.name, function)
        return function if node is None else function.__get__(node)  # type: ignore[no-any-return]


def compared(test: Callable[[float, float], bool]) -> Callable[[Value, Any], bool]:
    """A comparison of data, with a Value or a number."""

    def compare(self: Value, other: Any) -> bool:
        against = number(other) if hasattr(type(other), "backward") else real(other)
        return NotImplemented if against is None else test(number(self), against)

    return compare


def refused(what: str, instead: str) -> Callable[..., Any]:
    """A method that would freeze the number, and says what to write instead."""

    def refuse(self: Value, *args: object) -> Any:
        raise TypeError(f"{what}(Value) would cut the graph; use {instead}")

    return refuse


def add_methods(cls: type[Value], op: Op) -> None:
    """Give a row its methods: exp, tanh, maximum, …; a row of lists has none."""
    if op.is_public and not op.takes_lists and not op.is_composed:
        for name in (op.name, *op.aliases):
            method = recorded(op.name, operator=False)
            method.__set_name__(cls, name)
            setattr(cls, name, method)
