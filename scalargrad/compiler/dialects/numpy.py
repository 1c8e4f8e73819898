"""Lines on NumPy arrays: the text of a number as an expression of whole arrays.   (floor 3)

A choice becomes `where`, a chained comparison is joined by `&`. A formula for the ends
of the range is computed for the few elements that need it, `mended(condition, value, instead, …)`,
number by number, as it is for floats. NumPy's own functions are called
where there are some (`PATTERNS`). `array_names` has the functions that the source calls.
"""

from __future__ import annotations

import ast
import itertools
from collections import ChainMap
from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any

from ...arithmetic import extremes
from ...rows.text import TOTAL_NAMES
from ..lower import CHOOSE, LIST_SLOPES, LISTED, SHARE, Line, computed
from .numpy_helpers import NAMES as HELPERS
from .numpy_text import Template, template

# An operand by number; a text; or a template, and what fills its gaps.
Part = int | str | tuple[Template, tuple["Part", ...]]

# The text of an operation in scalars → NumPy's, equal to the bit. a and b are any
# expressions, k is a number.
PATTERNS = (
    ("0.0 if a <= 0.0 else a", "maximum(a, 0.0)"),
    ("0.0 if a <= 0.0 else 1.0 if a > 0.0 else nan", "sign(maximum(a, 0.0))"),
    ("a if a > b or a != a else b", "maximum(a, b)"),
    ("a if a < b or a != a else b", "minimum(a, b)"),
    ("k if a > k else -k if a < -k else a", "minimum(maximum(a, -k), k)"),
    ("1.0 if a > 0.0 else -1.0 if a < 0.0 else a", "copysign(sign(a), a)"),
    ("1.0 if a > b else 0.5 if a == b else 0.0 if a < b else nan", "0.5 + 0.5 * order(a, b)"),
    ("1.0 if a > b else 0.5 if b == a else 0.0 if a < b else nan", "0.5 - 0.5 * order(b, a)"),
    ("1.0 if a < b else 0.5 if a == b else 0.0 if a > b else nan", "0.5 - 0.5 * order(a, b)"),
    ("1.0 if a < b else 0.5 if b == a else 0.0 if a > b else nan", "0.5 + 0.5 * order(b, a)"),
    ("0.01 * a if a <= 0.0 else a", "maximum(a, 0.01 * a)"),
    ("0.01 if a <= 0.0 else 1.0 if a > 0.0 else nan", "0.01 + 0.99 * sign(maximum(a, 0.0))"),
    ("exp(-a if a > 0.0 else a)", "exp(-abs(a))"),
    ("pow(a, 2.0)", "a * a"),
    ("pow(a, 3.0)", "a * a * a"),
    ("pow(a, -1.0)", "1.0 / a"),
    ("[1.0] * len(a)", "ones_like(a)"),
    ("hypot(*a)", "norm(a)"),
    ("log_sum_exp(a)", "log_of_sum(a, exps(a))"),
    ("softmax(a)", "shares(exps(a))"),
)

# Lines that have a text of their own here; their operands are a, b, c. A list is the last axis.
OWN = {
    SHARE: "share(a, b)", CHOOSE: "where(a, b, c)",
    LISTED["norm"]: "norm(a)", LISTED["logsumexp"]: "log_of_sum(a, exps(a))",
    LISTED["max"]: "largest(a)", LISTED["min"]: "smallest(a)", LISTED["prod"]: "product(a)",
    LISTED["_peak"]: "largest(a)",
    LIST_SLOPES["logsumexp"]: "shares(exps(a))", LIST_SLOPES["max"]: "tie_shares(a, b)",
    LIST_SLOPES["min"]: "tie_shares(a, b)", LIST_SLOPES["prod"]: "products_of_others(a)",
    LIST_SLOPES["norm"]: "over_norm(a, b)",
}  # fmt: skip
TAKEN = ChainMap(TOTAL_NAMES, HELPERS).keys()  # of operations that are added, too


def array_names() -> dict[str, Any]:
    """The functions that the source calls, by name; those of floats are called by `one_by_one`.

    >>> array_names()["asin"]
    <ufunc 'arcsin'>
    """
    return {**TOTAL_NAMES, **HELPERS}


@lru_cache(maxsize=4096)
def on_arrays(line: Line, known: tuple[tuple[str, str], ...] = ()) -> Part | float:
    """A line on arrays, operation by operation, so that equal ones are computed once.

    `known` are operands that are numbers, as text: what they decide is decided here, and what is
    left may be a number.

    >>> from scalargrad.compiler.lower import line_of
    >>> relu, operands = on_arrays(line_of("0.0 if x <= 0.0 else x"))
    >>> relu.text, operands
    ('maximum(_0, 0.0)', (0,))
    >>> on_arrays(line_of("1.0 if x > 0.0 else y"), (("x", "2.0"),))
    1.0
    """
    if line in OWN and (line is CHOOSE or not known):
        numbers = {"abc"[line.operands.index(name)]: parsed(text) for name, text in known}
        return _part(_Replace(numbers).visit(parsed(OWN[line])), {"a": 0, "b": 1, "c": 2})
    taken = {*line.operands, *TAKEN}
    given, places, own = dict(known), dict[str, int](), dict[str, ast.expr]()
    for i, name in enumerate(line.operands):
        new = _unused(name, taken) if name in TAKEN else name
        places[new] = i
        own[name] = parsed(given.get(name, new))
    tree = _OnArrays().visit(_Replace(own).visit(parsed(line.text)))
    tree = parsed(ast.unparse(tree))  # no part of it in two places
    number = _number(tree)
    return _part(tree, places) if number is None else number


def _part(node: ast.AST, places: Mapping[str, int]) -> Part:
    """An expression as a template and what fills it."""
    if isinstance(node, ast.Name):
        return places.get(node.id, node.id)
    if not isinstance(node, (ast.BinOp, ast.Call, ast.Compare, ast.UnaryOp)):
        return ast.unparse(node)
    inner = _Gaps(places)
    text = ast.unparse(inner.generic_visit(node))
    return (template(text), tuple(inner.parts)) if inner.parts else text


class _Gaps(ast.NodeTransformer):
    """Writes gaps in place of what is no mere text, and keeps what fills them."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self.places = places
        self.parts: list[Part] = []

    def visit(self, node: ast.AST) -> ast.AST:
        part = _part(node, self.places) if isinstance(node, ast.expr) else ""
        if isinstance(part, str):
            return node
        self.parts.append(part)
        return ast.Name(f"_{len(self.parts) - 1}")


def _unused(name: str, taken: set[str]) -> str:
    """A name that is not taken, for one that the text has of its own."""
    return next(new for i in itertools.count(2) if (new := f"{name}{i}") not in taken)


def parsed(text: str) -> ast.expr:
    """A text as an expression."""
    return ast.parse(text, mode="eval").body


class _Replace(ast.NodeTransformer):
    """Writes expressions in place of names."""

    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.names.get(node.id, node)


# ------------------------------------------------------------------ patterns


def _matches(pattern: Any, node: Any, bound: dict[str, ast.expr]) -> bool:
    """Whether an expression is of a pattern's shape; fills what its letters stand for."""
    if isinstance(pattern, ast.Name) and pattern.id in ("a", "b", "k"):
        fits = isinstance(node, ast.expr if pattern.id != "k" else ast.Constant)
        return fits and ast.dump(bound.setdefault(pattern.id, node)) == ast.dump(node)
    if isinstance(pattern, list):
        is_long = isinstance(node, list) and len(pattern) == len(node)
        return is_long and all(_matches(p, n, bound) for p, n in zip(pattern, node))
    if isinstance(pattern, ast.AST):
        fields = [field for field in pattern._fields if field != "ctx"]
        return type(pattern) is type(node) and all(
            _matches(getattr(pattern, f), getattr(node, f), bound) for f in fields
        )
    return bool(pattern == node)


_PATTERNS = [(parsed(old), new) for old, new in PATTERNS]


# ------------------------------------------------------------------ from scalars to arrays


def _names_in(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _is_edge(node: ast.AST) -> bool:
    """Whether an expression is for the ends of the range: inf or nan, or a call of `extremes`.

    It is none where a fraction may divide by 0, which floats refuse.
    """
    if isinstance(node, ast.IfExp):
        return _is_edge(node.body) and _is_edge(node.orelse)
    is_fraction = any(isinstance(inner, ast.Div) for inner in ast.walk(node))
    return not is_fraction and not _names_in(node).isdisjoint({"inf", "nan", *extremes.NAMES})


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name), list(arguments), [])


class _OnArrays(ast.NodeTransformer):
    """Writes an expression of scalars as one of arrays."""

    def visit(self, node: ast.AST) -> Any:
        for pattern, replacement in _PATTERNS:
            bound: dict[str, ast.expr] = {}
            if _matches(pattern, node, bound):
                inner = {name: self.visit(part) for name, part in bound.items()}
                return _Replace(inner).visit(parsed(replacement))
        return super().visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test, a, b = node.test, node.body, node.orelse
        visit: Any = self.visit
        if not _names_in(test) - TOTAL_NAMES.keys():  # decided by constants
            chosen: ast.expr = visit(a if computed(ast.unparse(test), {}) else b)
            return chosen
        if (
            isinstance(a, ast.Call)
            and isinstance(b, ast.Call)
            and ast.dump(a.func) == ast.dump(b.func)
        ):
            pairs = zip(a.args, b.args)
            return ast.Call(a.func, [visit(ast.IfExp(test, x, y)) for x, y in pairs], [])
        condition, edges = self.visit(parsed(ast.unparse(test))), (_is_edge(a), _is_edge(b))
        usual, rare = (b, a) if edges[0] else (a, b)
        if edges[0] == edges[1] or not _names_in(usual) - TAKEN:  # a number has no shape
            return _call("where", condition, self.visit(a), self.visit(b))
        condition = _call("logical_not", condition) if edges[0] else condition
        return _call("mended", condition, self.visit(usual), *self.instead(rare))

    def instead(self, node: ast.expr) -> list[ast.expr]:
        """The arguments by which `mended` computes it: a number, or a function and its operands."""
        names = sorted(_names_in(node) - TAKEN)
        if not names:
            return [self.visit(node)]
        if isinstance(node, ast.Call) and names == sorted(map(ast.unparse, node.args)):
            return [node.func, *node.args]
        return [parsed(f"lambda {', '.join(names)}: {ast.unparse(node)}"), *map(ast.Name, names)]

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return _call("one_by_one", node.func, *node.args) if name not in HELPERS else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        operands = [node.left, *node.comparators]
        pairs = [_compared(x, op, y) for x, op, y in zip(operands, node.ops, operands[1:])]
        return _joined(ast.BitAnd(), pairs)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        return _joined(ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr(), node.values)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return _call("logical_not", node.operand) if isinstance(node.op, ast.Not) else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        y, is_fraction = _number(node.right), isinstance(node.op, ast.Div)
        if _number(node.left) is None or y is None or (is_fraction and y):  # 1/3 reads as it is
            return node
        parts = ast.unparse(node.left), ast.unparse(node.right)
        text = f"divide({', '.join(parts)})" if is_fraction else ast.unparse(node)
        return parsed(repr(computed(text, {})))


def _number(node: ast.expr) -> float | None:
    """The number that is written; None of any other expression."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return None if (number := _number(node.operand)) is None else -number
    if isinstance(node, ast.Name) and node.id in ("inf", "nan"):
        return float(node.id)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, float) else None


def _compared(x: ast.expr, op: ast.cmpop, y: ast.expr) -> ast.expr:
    """x > y, also for y < x, so that the two are known to be one; a number stands on the right."""
    turned = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq}
    order = [(not _names_in(side) - TAKEN, ast.unparse(side)) for side in (x, y)]
    if type(op) in turned and order[1] < order[0]:
        x, op, y = y, turned[type(op)](), x
    return ast.Compare(x, [op], [y])


def _joined(op: ast.operator, parts: Sequence[ast.expr]) -> ast.expr:
    return reduce(lambda left, right: ast.BinOp(left, op, right), parts)
