"""The slopes of the table on Values: a row's text, run so that it records a graph of its own.   (floor 2)

Comparisons in a slope choose between formulas, and choose by the numbers; all else is arithmetic of Values
and calls of rows, so that what comes out can be differentiated again, to any order.
"""

from __future__ import annotations

import ast

from . import functions
from .floats import inf, nan
from .kernels import run
from .many import products_of_others, tie_shares
from .ops import LISTS, OPS, Op
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_made: dict[Op, list[Callable[..., Any]]] = {}


def number(x: Any) -> float:
    """The number of a Value, or a number itself."""
    return x.data if isinstance(x, Value) else x


def on_values(op: Op) -> list[Callable[..., Any]]:
    """For each operand of a row the slope by it, as a function of the operands and of `out`, Values among them.

    >>> x = Value(0.0)
    >>> by_x, = on_values(OPS["sin"])
    >>> by_x(x, x.sin()).op
    'cos'
    """
    if op not in _made:
        names: dict[str, Any] = {
            "inf": inf,
            "nan": nan,
            "number": number,
            "products_of_others": products_of_others,
            "tie_shares": lambda xs, out: tie_shares([number(x) for x in xs], number(out)),
        }
        source = "\n\n".join(_source(op, operand, slope) for operand, slope in zip(op.operands, op.slopes or ()))
        names |= {name: getattr(functions, name) for name in OPS if name in _words(source)}
        run(source, f"<scalargrad slopes of {op.name}>", names)
        _made[op] = [names[f"by_{operand}"] for operand in op.operands]
    return _made[op]


def _source(op: Op, operand: str, slope: str) -> str:
    """The function of one slope, with the lines of work that it reads."""
    lines = [f"return {_by_number(slope)}"]
    read = _words(slope)
    for line in reversed(op.work):
        name, _, expression = line.partition(" = ")
        if name in read:
            read |= _words(expression)
            lines.append(f"{name} = {_by_number(expression)}")
    return f"def by_{operand}({', '.join([*op.operands, 'out'])}):\n    " + "\n    ".join(reversed(lines))


def _words(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


class _ByNumber(ast.NodeTransformer):
    """Comparisons are of numbers, and division is the row `div`: of two plain numbers Python's own would raise."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return ast.Call(ast.Name("div"), [node.left, node.right], []) if isinstance(node.op, ast.Div) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        sides: list[ast.expr] = [
            side if isinstance(side, ast.Constant) else ast.Call(ast.Name("number"), [side], []) for side in (node.left, *node.comparators)
        ]
        node.left, node.comparators = sides[0], sides[1:]
        return node


def _by_number(expression: str) -> str:
    return ast.unparse(_ByNumber().visit(ast.parse(expression, mode="eval")))


def same(x: Value) -> Value:
    """A node of its own that is equal to x, and depends on it."""
    return functions._same(x)  # type: ignore[no-any-return]


def share(partial: Any, slope: Any) -> Any:
    """The product of the chain rule, 0 where the slope that comes in is 0; recorded where one of the two is a Value."""
    if slope.__class__ is float:
        if slope == 1.0:
            return partial
        if slope == 0.0:
            return 0.0
        if partial.__class__ is float:
            return partial * slope
    return functions._share(partial, slope)


def structured(op: Op, flat: tuple[Any, ...]) -> list[Any]:
    """The operands of a node as its row names them, lists as lists."""
    are_lists = [name in LISTS for name in op.operands]
    length = (len(flat) - are_lists.count(False)) // max(1, are_lists.count(True))
    rest = iter(flat)
    return [[next(rest) for _ in range(length)] if is_list else next(rest) for is_list in are_lists]
