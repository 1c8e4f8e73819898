"""Lines on NumPy arrays: the text of a number as an expression of whole arrays.   (floor 3)

A choice becomes `where`, a chained comparison is joined by `&`, and what a line keeps for the ends of the range is computed for
the few elements that need it: `mended(unless(condition), value, instead, …)`. What NumPy has a function for is called by it
(`PATTERNS`). The functions that the source calls are in `numpy_helpers`; `array_names` fetches them.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections import ChainMap, Counter
from functools import lru_cache, partial

from ...arithmetic import extremes
from ...arithmetic.total import divide, inf, nan
from ...rows.text import TOTAL_NAMES, USER_NAMES, run
from ..lower import CHOOSE, LIST_SLOPES, LISTED, SHARE, Line
from .numpy_text import Form, form

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What a row says in scalars → what NumPy says, equal to the bit. a and b are any expressions, k is a number.
PATTERNS = (
    ("0.0 if a <= 0.0 else a", "maximum(a, 0.0)"),
    ("0.0 if a >= 0.0 else a", "minimum(a, 0.0)"),
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

TYPICAL = (
    -5.0,
    -0.5,
    0.5,
    5.0,
)  # a condition with one answer for all of these has it nearly everywhere

# Of lists, which are the last axis: xs is _0, the value _1.
LISTS = {
    LISTED["norm"]: "norm(_0)", LISTED["logsumexp"]: "log_of_sum(_0, exps(_0))", LISTED["max"]: "largest(_0)",
    LISTED["min"]: "smallest(_0)", LISTED["prod"]: "product(_0)", LISTED["_peak"]: "largest(_0)",
    LIST_SLOPES["logsumexp"]: "shares(exps(_0))", LIST_SLOPES["max"]: "tie_shares(_0, _1)",
    LIST_SLOPES["min"]: "tie_shares(_0, _1)", LIST_SLOPES["prod"]: "products_of_others(_0)",
    LIST_SLOPES["norm"]: "over_norm(_0, _1)",
}  # fmt: skip
KNOWN = {**LISTS, SHARE: "share(_0, _1)", CHOOSE: "where(_0, _1, _2)"}


def array_names() -> dict[str, Any]:
    """The functions that the source calls, by name: NumPy's under the names of the table, and those of `numpy_helpers`.

    >>> array_names()["asin"]
    <ufunc 'arcsin'>
    """
    from .numpy_helpers import NAMES, each

    NAMES.update({name: partial(each, function) for name, function in USER_NAMES.items()})
    return NAMES


class Part:
    """A step of a line on arrays: a form, and what stands in its gaps: operands of the line by name, or earlier parts by number."""

    def __init__(self, form: Form, operands: tuple[str | int, ...]) -> None:
        self.form, self.operands = form, operands


@lru_cache(maxsize=4096)
def on_arrays(line: Line, known: tuple[tuple[str, str], ...] = ()) -> tuple[Part, ...] | float:
    """A line on arrays, each call and each comparison a part of its own, so that equal ones are computed once; the last is the line.

    `known` are operands that are numbers, as text: what they decide is decided here, and what is left may be a number.

    >>> from scalargrad.compiler.lower import line_of
    >>> [part.form.of(["x", "y"]) for part in on_arrays(line_of("0.0 if x <= 0.0 else x"))]
    ['maximum(x, 0.0)']
    >>> on_arrays(line_of("1.0 if x > 0.0 else y"), (("x", "2.0"),))
    1.0
    """
    if line in KNOWN and not known:
        tree = parsed(KNOWN[line])
        names = {f"_{i}": name for i, name in enumerate(line.operands)}
    else:
        given = dict(known)
        taken = {*line.operands, *_TAKEN}
        names = {_unused(name, taken) if name in _TAKEN else name: name for name in line.operands}
        values = {name: parsed(given.get(name, new)) for new, name in names.items()}
        tree = _OnArrays().visit(_Replace(values).visit(parsed(line.text)))
        tree = parsed(ast.unparse(tree))  # no part of it in two places
        if (number := _number(tree)) is not None:
            return number
    parts = _Parts(tree, names)
    return tuple(parts.found)


class _Parts(ast.NodeTransformer):
    """Takes an expression to parts."""

    def __init__(self, tree: ast.expr, names: dict[str, str]) -> None:
        self.names, self.found, self.known = names, list[Part](), dict[str, int]()
        self.counts = Counter(
            ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.BinOp)
        )
        self.add(tree)

    def add(self, node: ast.expr) -> int:
        text = ast.unparse(node)
        if text not in self.known:
            node = self.generic_visit(node)  # type: ignore[assignment]
            gaps: dict[str, int] = {}
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and (inner.id in self.names or inner.id[0] == "#"):
                    gaps.setdefault(inner.id, len(gaps))
            made = _Replace({name: ast.Name(f"_{i}") for name, i in gaps.items()}).visit(node)
            operands = tuple(int(x[1:]) if x[0] == "#" else self.names[x] for x in gaps)
            self.found.append(Part(form(ast.unparse(made)), operands))
            self.known[text] = len(self.found) - 1
        return self.known[text]

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return node

    def visit(self, node: ast.AST) -> Any:
        is_part = isinstance(node, (ast.Call, ast.Compare)) or (
            isinstance(node, ast.BinOp) and self.counts[ast.unparse(node)] > 1
        )
        if is_part and _names_in(node) & self.names.keys():
            return ast.Name(f"#{self.add(node)}")  # type: ignore[arg-type]
        return super().visit(node)


def _unused(name: str, taken: set[str]) -> str:
    """A name that is not taken, for one that the text has of its own."""
    return next(new for i in itertools.count(2) if (new := f"{name}{i}") not in taken)


def parsed(text: str) -> ast.expr:
    """A text as an expression."""
    return ast.parse(text, mode="eval").body


class _Replace(ast.NodeTransformer):
    """Writes expressions in place of names, but for those that a lambda binds."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.names.get(node.id, node)  # type: ignore[no-any-return]

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        bound = {argument.arg for argument in node.args.args}
        inner = {name: text for name, text in self.names.items() if name not in bound}
        node.body = _Replace(inner).visit(node.body)
        return node


# ------------------------------------------------------------------ patterns


def _matches(pattern: Any, node: Any, bound: dict[str, ast.expr]) -> bool:
    """Whether an expression is of a pattern's shape; fills what its letters stand for."""
    if isinstance(pattern, ast.Name) and pattern.id in ("a", "b", "k"):
        if pattern.id == "k" and not isinstance(node, ast.Constant):
            return False
        return isinstance(node, ast.expr) and ast.dump(
            bound.setdefault(pattern.id, node)
        ) == ast.dump(node)
    if isinstance(pattern, list):
        return (
            isinstance(node, list)
            and len(pattern) == len(node)
            and all(_matches(p, n, bound) for p, n in zip(pattern, node))
        )
    if isinstance(pattern, ast.AST):
        fields = (field for field in pattern._fields if field != "ctx")
        return type(pattern) is type(node) and all(
            _matches(getattr(pattern, f), getattr(node, f), bound) for f in fields
        )
    return bool(pattern == node)


_PATTERNS = [(parsed(old), new) for old, new in PATTERNS]


# ------------------------------------------------------------------ conditions


def _names_in(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _answer(test: ast.expr) -> bool | None:
    """What a condition answers for all typical numbers; None if that depends on them, or if it is no comparison."""
    if not all(isinstance(part, (ast.Compare, ast.BoolOp, ast.UnaryOp)) for part in _parts(test)):
        return None
    free = sorted(_names_in(test) - TOTAL_NAMES.keys())
    function = run(
        f"def holds({', '.join(free)}):\n    return {ast.unparse(test)}\n",
        "<scalargrad condition>",
        {**TOTAL_NAMES},
    )["holds"]
    try:
        answers = {
            bool(function(*numbers)) for numbers in itertools.product(TYPICAL, repeat=len(free))
        }
    except (ArithmeticError, ValueError):
        return None
    return answers.pop() if len(answers) == 1 else None


def _parts(test: ast.expr) -> list[ast.expr]:
    """What `and`, `or` and `not` join."""
    if isinstance(test, ast.BoolOp):
        return [part for value in test.values for part in _parts(value)]
    return (
        _parts(test.operand)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        else [test]
    )


def _is_edge(node: ast.AST) -> bool:
    """Whether an expression is for the ends of the range: a choice of inf and nan, or a call of what `ends` has for them."""
    if isinstance(node, ast.IfExp):
        return _is_edge(node.body) and _is_edge(node.orelse)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in extremes.NAMES
    ):
        return True
    return (isinstance(node, ast.Name) and node.id in ("inf", "nan")) or any(
        map(_is_edge, ast.iter_child_nodes(node))
    )


def _usual(node: ast.IfExp) -> bool | None:
    """Which answer of the condition is the usual one; None if either may be."""
    edges = _is_edge(node.body), _is_edge(node.orelse)
    if edges[0] != edges[1]:
        return edges[1]
    return None if edges[0] else _answer(node.test)


def _rotated(node: ast.IfExp) -> ast.IfExp:
    """`a if c else b if d else rare` as `(a if c else b) if c or d else rare`, so that what is rare stands outside."""
    inner = node.orelse
    if (
        _usual(node) is None
        and isinstance(inner, ast.IfExp)
        and _usual(inner := _rotated(inner)) is True
    ):
        either = ast.BoolOp(ast.Or(), copy.deepcopy([node.test, inner.test]))
        return ast.IfExp(either, ast.IfExp(node.test, node.body, inner.body), inner.orelse)
    return node


# ------------------------------------------------------------------ from scalars to arrays


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name), list(arguments), [])


class _OnArrays(ast.NodeTransformer):
    """Writes an expression of scalars as one of arrays."""

    def visit(self, node: ast.AST) -> Any:
        for pattern, replacement in _PATTERNS:
            bound: dict[str, ast.expr] = {}
            if _matches(pattern, node, bound):
                return _Replace({name: self.visit(part) for name, part in bound.items()}).visit(
                    parsed(replacement)
                )
        return super().visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        node = _rotated(node)
        if not _names_in(node.test) - TOTAL_NAMES.keys():  # decided by constants
            return self.visit(node.body if _answer(node.test) else node.orelse)  # type: ignore[no-any-return]
        a, b, test = node.body, node.orelse, node.test
        if (
            isinstance(a, ast.Call)
            and isinstance(b, ast.Call)
            and ast.dump(a.func) == ast.dump(b.func)
            and len(a.args) == len(b.args)
        ):
            return ast.Call(
                a.func,
                [self.visit(ast.IfExp(copy.deepcopy(test), x, y)) for x, y in zip(a.args, b.args)],
                [],
            )
        usual = _usual(node)
        condition = self.visit(test)
        if (
            usual is None or not _names_in(a if usual else b) - _TAKEN
        ):  # a number alone would not have the condition's shape
            return _call("where", condition, self.visit(a), self.visit(b))
        if usual:
            return _call("mended", _call("unless", condition), self.visit(a), *self.instead(b))
        return _call("mended", _call("when", condition), self.visit(b), *self.instead(a))

    def instead(self, node: ast.expr) -> list[ast.expr]:
        """The arguments that tell `mended` what to compute where it must: a number, or a function and its operands."""
        node = self.visit(node)
        names = sorted(_names_in(node) - _TAKEN)
        if not names:
            return [node]
        if isinstance(node, ast.Call) and all(
            isinstance(argument, ast.Name) for argument in node.args
        ):
            return [node.func, *node.args]
        return [parsed(f"lambda {', '.join(names)}: {ast.unparse(node)}"), *map(ast.Name, names)]

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
        x, y = _number(node.left), _number(node.right)
        if (
            x is None or y is None or (isinstance(node.op, ast.Div) and y)
        ):  # a fraction is read as it is
            return node
        return parsed(
            repr(
                divide(x, y)
                if isinstance(node.op, ast.Div)
                else eval(ast.unparse(node), {"inf": inf, "nan": nan})
            )
        )


def _number(node: ast.expr) -> float | None:
    """The number that is written; None of any other expression."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return None if (number := _number(node.operand)) is None else -number
    if isinstance(node, ast.Name) and node.id in ("inf", "nan"):
        return float(node.id)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, float) else None


def _compared(x: ast.expr, op: ast.cmpop, y: ast.expr) -> ast.expr:
    """x > y, also where it is written y < x, so that the two are known to be one; a number stands on the right."""
    turned = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq}
    order = [(not _names_in(side) - _TAKEN, ast.unparse(side)) for side in (x, y)]
    if type(op) in turned and order[1] < order[0]:
        x, op, y = y, turned[type(op)](), x
    return ast.Compare(x, [op], [y])


def _joined(op: ast.operator, parts: list[ast.expr]) -> ast.expr:
    joined = parts[0]
    for part in parts[1:]:
        joined = ast.BinOp(joined, op, part)
    return joined


_OTHERS = {
    "copysign", "exps", "log_of_sum", "logical_not", "maximum", "mended", "minimum", "norm", "ones_like", "order", "share",
    "shares", "sign", "unless", "when", "where",
}  # fmt: skip
_TAKEN = ChainMap(TOTAL_NAMES, dict.fromkeys(_OTHERS)).keys()  # of operations that are added, too
