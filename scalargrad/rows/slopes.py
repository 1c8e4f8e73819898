"""Slopes of slopes: the text of a slope, run on Values, records a graph of its own.   (floor 2)

A slope is arithmetic and calls of operations. On Values it makes a Value, which can be
differentiated again, to any order. Comparisons in a slope choose between formulas by the numbers. A
trace does not know its numbers yet, so it records the choice itself.
"""

from __future__ import annotations

import ast
from functools import reduce
from math import isfinite
from operator import le, lt

from ..arithmetic.lists import products_of_others, tie_shares
from ..arithmetic.total import inf, nan
from ..modes import is_traced
from ..ops import LISTS, OPS, Op, named
from ..value import Value
from .free_functions import function_named, trace_recorder, where
from .text import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_functions_of: dict[tuple[Op, bool], list[Callable[..., Any]]] = {}


def data_of(x: Any) -> float:
    """The number of a Value, or a number itself."""
    return x.data if isinstance(x, Value) else x


def on_values(op: Op, traced: bool = False) -> list[Callable[..., Any]]:
    """The slopes by each operand, as functions of the operands and `out`, which may be Values.

    >>> x = Value(0.0)
    >>> by_x, = on_values(OPS["sin"])
    >>> by_x(x, x.sin()).op
    'cos'
    """
    if op.name == "_choose":
        return _CHOICE_SLOPES
    if (op, traced) not in _functions_of:
        slopes = [*zip(op.operands, op.slopes or ())]
        functions = _functions(op, slopes, traced)
        _functions_of[op, traced] = [functions[f"by_{operand}"] for operand, _ in slopes]
    return _functions_of[op, traced]


def _functions(op: Op, texts: list[tuple[str, str]], traced: bool) -> dict[str, Any]:
    """Functions by_x, by_y, … of the operands and `out`: one for each text."""
    written = _RecordChoices() if traced else _CompareNumbers()
    source = "\n\n".join(_source(op, name, text, written) for name, text in texts)
    names = NAMES | {
        word: _traced_list(called) if traced and called.is_composed else function_named(called.name)
        for word in _words(source)
        if (called := named(word))
    }
    if traced:
        names["tie_shares"] = _traced_shares
    return run(source, f"<scalargrad {'traced ' if traced else ''}slopes of {op.name}>", names)


def _traced_list(op: Op) -> Callable[[Any], Any]:
    """The function of an operation that calls others, made to record its choices in a trace."""
    if " if " not in op.value:
        return function_named(op.name)
    by_numbers = _functions(op, [("numbers", op.value)], traced=True)["by_numbers"]
    return lambda xs: by_numbers(xs, None)


def _source(op: Op, operand: str, slope: str, written: ast.NodeTransformer) -> str:
    """The source of the function for one text, with the lines of work that it reads."""

    def rewritten(expression: str) -> str:
        formula = ast.parse(expression, mode="eval").body
        # A slope that chooses between numbers alone, as relu's does, has itself the slope 0.
        if any(_words(ast.unparse(x)) - {"inf", "nan"} for x in _choices(formula)):
            formula = _with_limits(formula, op.operands)
        return ast.unparse(written.visit(formula))

    lines = [f"return {rewritten(slope)}"]
    read = _words(slope)
    for line in reversed(op.work):
        name, _, expression = line.partition(" = ")
        if name in read:
            read |= _words(expression)
            lines.append(f"{name} = {rewritten(expression)}")
    return f"def by_{operand}({', '.join([*op.operands, 'out'])}):\n    " + "\n    ".join(
        reversed(lines)
    )


def _words(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _called(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name), list(arguments), [])


def _with_limits(formula: ast.expr, operands: tuple[str, ...]) -> ast.expr:
    """The formula with a call of `limit` around an inf or nan that it chooses.

    The inf in `1.0 / x if x > 0.0 else inf` depends on x, so its own slope is not 0.
    """
    if {ast.unparse(choice) for choice in _choices(formula)} <= {"inf", "nan"}:
        return _called("limit", formula, *map(ast.Name, operands))
    if isinstance(formula, ast.IfExp):
        formula.body = _with_limits(formula.body, operands)
        formula.orelse = _with_limits(formula.orelse, operands)
    return formula


def _choices(formula: ast.expr) -> list[ast.expr]:
    """The formulas that a formula chooses between; itself, if it chooses none."""
    if isinstance(formula, ast.IfExp):
        return [*_choices(formula.body), *_choices(formula.orelse)]
    return [formula]


def _limit(number: float, *operands: Any) -> Any:
    """The number inf or nan, made of the operands; its slopes by them are nan."""
    for x in operands:
        if isinstance(x, Value):
            number = number + function_named("_unknown")(x)
    return number


class _CompareNumbers(ast.NodeTransformer):
    """Makes comparisons compare numbers, and divisions call `div`, which never raises."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _called("div", node.left, node.right) if isinstance(node.op, ast.Div) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        sides: list[ast.expr] = [
            side if isinstance(side, ast.Constant) else _called("data_of", side)
            for side in (node.left, *node.comparators)
        ]
        node.left, node.comparators = sides[0], sides[1:]
        return node


# ------------------------------------------------------------------ in a trace


class _RecordChoices(_CompareNumbers):
    """Makes comparisons, `and`, `or` and choices calls, which a trace records."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        return _joined(
            ast.BitAnd(),
            [_called(type(op).__name__, a, b) for op, a, b in zip(node.ops, sides, sides[1:])],
        )

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        return _joined(ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr(), node.values)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return _called("Not", node.operand) if isinstance(node.op, ast.Not) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return _called("choose", node.test, node.body, node.orelse)


def _joined(op: ast.operator, conditions: Sequence[ast.expr]) -> ast.expr:
    joined = conditions[0]
    for condition in conditions[1:]:
        joined = ast.BinOp(joined, op, condition)
    return joined


def _compared(
    op: str, test: Callable[[float, float], bool], swapped: bool = False
) -> Callable[[Any, Any], Any]:
    def compare(x: Any, y: Any) -> Any:
        x, y = (y, x) if swapped else (x, y)
        records = trace_recorder(x, y)
        return records(op, (x, y)) if records else test(data_of(x), data_of(y))

    return compare


def _negated(condition: Any) -> Any:
    return ~condition if is_traced(condition) else not condition


def _choose(condition: Any, x: Any, y: Any) -> Any:
    return (
        [_choose(condition, a, b) for a, b in zip(x, y)]
        if isinstance(x, list)
        else where(condition, x, y)
    )


def _traced_shares(xs: list[Any], out: Any) -> list[Any]:
    """The slopes of `max` and `min` in a trace, as `tie_shares` finds them on numbers."""
    ties = [_choose(_CHOICES["Eq"](x, out), 1.0, 0.0) for x in xs]
    count = function_named("sum")(ties)
    return [tie / count for tie in ties]


class _Branch:
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


_CHOICE_SLOPES: list[Callable[..., Any]] = [  # by the condition, and by each branch
    lambda condition, x, y, out: 0.0,
    lambda condition, x, y, out: _Branch(condition),
    lambda condition, x, y, out: _Branch(~condition),
]
_at_most = _compared("_less_equal", le)
_CHOICES: dict[str, Callable[..., Any]] = {  # the keys are the names in `ast`
    "Lt": _compared("_less", lt), "Gt": _compared("_less", lt, swapped=True),
    "LtE": _at_most, "GtE": _compared("_less_equal", le, swapped=True),
    "Eq": lambda x, y: _at_most(x, y) & _at_most(y, x),
    "NotEq": lambda x, y: _negated(_at_most(x, y) & _at_most(y, x)),
    "Not": _negated, "choose": _choose,
}  # fmt: skip


NAMES: dict[str, Any] = {  # the names in slopes that are no operations
    "inf": inf, "nan": nan, "limit": _limit, "data_of": data_of,
    "products_of_others": products_of_others,
    "tie_shares": lambda xs, out: tie_shares([data_of(x) for x in xs], data_of(out)), **_CHOICES,
}  # fmt: skip


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
    if partial.__class__ is _Branch:
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
