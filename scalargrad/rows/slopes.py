"""Slopes of slopes: the text of a slope, run on Values, records a graph of its own.   (floor 2)

A slope is arithmetic and calls of operations. On Values it makes a Value, which can be
differentiated again, to any order. Comparisons in a slope choose between formulas by the numbers. A
trace does not know its numbers yet, so it records the choice itself.
"""

from __future__ import annotations

import ast
from operator import le, lt

from ..arithmetic.lists import products_of_others, tie_shares
from ..arithmetic.total import inf, nan
from ..modes import is_traced
from ..ops import Op, named
from ..value import Value
from .free_functions import function_named, trace_recorder, where
from .shares import Branch
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
    >>> by_x, = on_values(named("sin"))
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


_CHOICE_SLOPES: list[Callable[..., Any]] = [  # by the condition, and by each branch
    lambda condition, x, y, out: 0.0,
    lambda condition, x, y, out: Branch(condition),
    lambda condition, x, y, out: Branch(~condition),
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
