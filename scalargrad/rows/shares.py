"""The chain rule's products and sums of slopes, which may be floats or Values.   (floor 2)

In a trace a slope may have come through a branch of a choice. Where the branch was left out it is
0, and so is all that the chain rule makes of it, whatever the numbers there are.
"""

from __future__ import annotations

from functools import reduce
from math import isfinite

from ..modes import is_traced
from ..ops import LISTS, OPS, Op
from ..value import Value
from .free_functions import function_named, trace_recorder, where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Branch:
    """The slope of a choice by a branch. It chooses too, for a product 0 × nan would be nan."""

    def __init__(self, condition: Any) -> None:
        self.condition = condition  # by which it is this branch

    def times(self, slope: Any) -> Any:
        if not is_of_branch(slope):
            return where(self.condition, slope, 0.0)
        condition, inner, _ = slope.parents
        return where(condition & self.condition, inner, 0.0)


def is_of_branch(slope: Any) -> bool:
    """Whether it is a slope that came through a branch, and is 0 where that was left out."""
    is_choice = is_traced(slope) and slope.op == "_choose"
    return is_choice and slope.parents[2].__class__ is float and slope.parents[2] == 0.0


def added(one: Any, other: Any) -> Any:
    """The sum of two slopes; it is 0 without a sum where the branches of both were left out."""
    if not (is_of_branch(one) and is_of_branch(other)):
        return one + other
    (of_one, x, _), (of_other, y, _) = one.parents, other.parents
    if of_one is of_other:
        return where(of_one, x + y, 0.0)
    (outside, first), (outside_too, second) = _last(of_one), _last(of_other)
    if outside is outside_too and (_is_not(first, second) or _is_not(second, first)):
        either = where(first, x, y) if _is_not(second, first) else where(second, y, x)
        return where(outside, either, 0.0) if outside is not None else either
    return where(of_one | of_other, one + other, 0.0)


def joined(slopes: Sequence[Any]) -> Any:
    """The sum of slopes that came through branches, those of the outermost choice first."""
    of_branch: dict[int, Any] = {}
    for slope in slopes:
        key = id(slope.parents[0])
        of_branch[key] = added(of_branch[key], slope) if key in of_branch else slope
    return reduce(added, reversed(of_branch.values()))


def _last(condition: Any) -> Any:
    """The condition that was joined last, behind the one that holds outside it, or None."""
    return condition.parents if condition._operation.name == "_and" else (None, condition)


def _is_not(condition: Any, other: Any) -> bool:
    return condition._operation.name == "_not" and condition.parents[0] is other


def fresh_node(x: Any) -> Value:
    """A new node that is equal to x and, if x is a Value, depends on it.

    In a trace the node of a plain number is a constant.
    """
    node = x if isinstance(x, Value) else Value(x)
    records = trace_recorder(node)
    if records:
        return records(OPS["_same"], (x,))  # type: ignore[no-any-return]
    return node if node is not x else function_named("_same")(x)


def chain_product(partial: Any, slope: Any, product: str = "_share") -> Any:
    """partial × slope, as the chain rule has it; 0 if the slope is 0, whatever the partial is."""
    if partial.__class__ is Branch:
        return partial.times(slope)
    if slope.__class__ is float:
        if slope == 1.0:
            return partial
        if slope == 0.0:
            return 0.0
        if partial.__class__ is float:
            return partial * slope
    elif slope.__class__ is not Value and is_of_branch(slope):
        condition, inner, _ = slope.parents
        return where(condition, chain_product(partial, inner, product), 0.0)
    return function_named(product)(partial, slope)


def product_of_both(partial: Any, slope: Any) -> Any:
    """partial × slope; 0 if either is 0: through the slope of a branch that `where` left out."""
    if partial.__class__ is float and partial == 0.0:
        return 0.0
    is_varying = isinstance(slope, Value) or not isfinite(slope)
    return chain_product(partial, slope, "_both" if is_varying else "_share")


def unknown_slope(x: Value) -> Any:
    """A Value 0.0 made of x, such that all slopes by x are nan; a plain 0.0 if x is infinite."""
    return function_named("_unknown")(x) if isfinite(x.data) else 0.0


def unknown_curvature(x: Value) -> Any:
    """A Value 0.0 made of x, such that its slope by x is 0 and its second one inf - inf = nan."""
    return (x - x.data) ** 1.5 - (x - x.data) ** 1.5 if isfinite(x.data) else 0.0


def as_arguments(op: Op, flat: tuple[Any, ...]) -> list[Any]:
    """The operands of a node as arguments of its operation: a list where it takes a list."""
    are_lists = [name in LISTS for name in op.operands]
    length = (len(flat) - are_lists.count(False)) // max(1, are_lists.count(True))
    rest = iter(flat)
    return [[next(rest) for _ in range(length)] if is_list else next(rest) for is_list in are_lists]
