"""A row as source on NumPy arrays: the statements of `kernels`, each an expression of whole arrays.   (floor 3)

The text is the row's own. A choice becomes `where`, a chained comparison is joined by `&`, and what the row keeps for the
ends of the range is computed for the few elements that need it: `mended(unless(condition), value, instead, …)`.
What NumPy has a function for is called by it (`PATTERNS`), and what occurs twice gets a name.
The functions that the source calls are in `on_arrays`; `array_names` fetches them.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections import ChainMap, Counter
from functools import lru_cache, partial

from ...arithmetic import extremes
from ...arithmetic.total import divide, inf, nan
from ...ops import Op
from ...rows.text import TOTAL_NAMES, USER_NAMES, run, statements
from .text import Replace, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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
OF_SLOPES = (
    ("1.0 if a > 0.0 else -1.0 if a < 0.0 else a", "sign(a)"),
)  # where the sign of a zero means nothing

TYPICAL = (
    -5.0,
    -0.5,
    0.5,
    5.0,
)  # a condition with one answer for all of these has it nearly everywhere


def array_names() -> dict[str, Any]:
    """The functions that the source calls, by name: NumPy's under the names of the rows, and those of `on_arrays`.

    >>> array_names()["asin"]
    <ufunc 'arcsin'>
    """
    from .on_arrays import NAMES, each

    NAMES.update({name: partial(each, function) for name, function in USER_NAMES.items()})
    return NAMES


def array_statements(
    op: Op, by: tuple[str, ...] | None = None, constants: Mapping[str, float] | None = None
) -> tuple[list[str], list[str]]:
    """The lines that compute `out` of arrays, and those that compute the slopes `dx`, `dy`, … (all, or only `by` some operands).

    Operands are arrays of floats whose shapes fit one another, or NumPy's floats; a list is the last axis of an array.
    `constants` are operands that are known numbers: what they decide is decided here.

    >>> from scalargrad.ops import OPS
    >>> array_statements(OPS["relu"])
    (['out = maximum(x, 0.0)'], ['dx = sign(out)'])
    >>> array_statements(OPS["sqrt"])[1]
    ['dx = mended(unless(x > 0.0), 0.5 / out, lambda x: where(x == 0.0, inf, nan), x)']
    >>> array_statements(OPS["pow"], by=("x",), constants={"y": 2.0})
    (['out = x * x'], ['dx = 2.0 * x'])
    """
    known = {name: repr(float(x)) for name, x in (constants or {}).items()}
    forward, slopes = _written(op, by, tuple(known.items()))
    return [*forward], [*slopes]


@lru_cache(maxsize=1000)  # a text takes 0.2 to 20 ms
def _written(
    op: Op, by: tuple[str, ...] | None, constants: tuple[tuple[str, str], ...]
) -> tuple[list[str], list[str]]:
    forward, slopes = statements(op, by)
    lines = [
        _Line(name, parsed(text))
        for name, text in (line.split(" = ", 1) for line in (*forward, *slopes))
    ]
    taken = {*(line.name for line in lines), *op.operands}
    fresh = {line.name: _unused(line.name, taken) for line in lines if line.name in _TAKEN}
    known = {old: parsed(new) for old, new in (*fresh.items(), *constants)}
    for i, line in enumerate(lines):
        line.name = fresh.get(line.name, line.name)
        tree = _OnArrays(i >= len(forward), op.takes_lists).visit(Replace(known).visit(line.tree))
        line.tree = parsed(ast.unparse(tree))  # no part of it in two places
    return _shared(lines, len(forward), op)


def array_expression(text: str) -> str:
    """A single expression of the table on arrays: what goes back to an operand, say.

    >>> array_expression("0.0 if condition else d")
    'where(condition, 0.0, d)'
    """
    return ast.unparse(_OnArrays(True, False).visit(parsed(text)))


class _Line:
    """An assignment: a name and the expression that it gets."""

    def __init__(self, name: str, tree: ast.expr) -> None:
        self.name, self.tree = name, tree


def _unused(name: str, taken: Iterable[str]) -> str:
    taken = {*taken, *_TAKEN}
    return (
        name
        if name not in taken
        else next(n for i in itertools.count(2) if (n := f"{name}{i}") not in taken)
    )


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


_PATTERNS, _OF_SLOPES = (
    [(parsed(old), new) for old, new in table] for table in (PATTERNS, OF_SLOPES)
)


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

    def __init__(self, is_slope: bool, of_lists: bool) -> None:
        self.patterns = [*_OF_SLOPES, *_PATTERNS] if is_slope else _PATTERNS
        self.of_lists = of_lists
        self.spread = is_slope and of_lists  # whether `out` meets lists

    def visit(self, node: ast.AST) -> Any:
        for pattern, replacement in self.patterns:
            bound: dict[str, ast.expr] = {}
            if _matches(pattern, node, bound):
                return Replace({name: self.visit(part) for name, part in bound.items()}).visit(
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
        if self.of_lists:
            return [parsed(f"lambda: {ast.unparse(node)}")]  # whole lists at once
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

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        loop = node.generators[0]
        return self.visit(Replace({ast.unparse(loop.target): loop.iter}).visit(node.elt))  # type: ignore[no-any-return]

    def visit_Call(self, node: ast.Call) -> ast.Call:
        before, self.spread = self.spread, False
        self.generic_visit(node)
        self.spread = before
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return parsed("out[..., None]") if self.spread and node.id == "out" else node


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


# ------------------------------------------------------------------ what occurs twice


def _text(node: ast.AST) -> str:
    """An expression that computes something, as text; else nothing."""
    return (
        ast.unparse(node)
        if isinstance(node, (ast.Call, ast.BinOp, ast.Compare, ast.UnaryOp))
        and _names_in(node) - _TAKEN
        else ""
    )


def _count(node: ast.AST, counts: Counter[str]) -> None:
    """Count how often each computation is read; not those of functions that may not be called."""
    if isinstance(node, ast.Lambda):
        return
    if text := _text(node):
        counts[text] += 1
        if counts[text] > 1:
            return  # its parts are read by the first
    for child in ast.iter_child_nodes(node):
        _count(child, counts)


class _Sharing(ast.NodeTransformer):
    """Writes a name in place of what is read twice, and a line that gives it the name."""

    def __init__(self, lines: list[_Line], op: Op) -> None:
        self.lines: list[_Line] = []
        self.taken = {*(line.name for line in lines), *op.operands}
        self.names: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        for line in lines:
            _count(line.tree, self.counts)

    def add(self, line: _Line) -> None:
        text = _text(line.tree)
        known: Any = self.visit if text in self.names else self.generic_visit
        line.tree = known(line.tree)
        self.names.setdefault(text, line.name)
        self.lines.append(line)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return node

    def visit(self, node: ast.AST) -> Any:
        text = _text(node)
        if self.counts[text] < 2:
            return super().visit(node)
        if text not in self.names:
            kind, tree = _kind(node), self.generic_visit(node)
            self.names[text] = _unused(kind, self.taken)
            self.taken.add(self.names[text])
            self.lines.append(_Line(self.names[text], tree))  # type: ignore[arg-type]
        return ast.Name(self.names[text])


def _shared(lines: list[_Line], forward: int, op: Op) -> tuple[list[str], list[str]]:
    """The lines with a name for what is computed twice, and without those that nothing reads."""
    sharing = _Sharing(lines, op)
    last = []
    for line in lines:
        sharing.add(line)
        last.append(len(sharing.lines))
    read = {"out", *(f"d{operand}" for operand in op.operands)}
    for line in reversed(sharing.lines):
        read |= _names_in(line.tree) if line.name in read else set()
    texts = [
        f"{line.name} = {ast.unparse(line.tree)}" if line.name in read else ""
        for line in sharing.lines
    ]
    cut = last[forward - 1]
    return [text for text in texts[:cut] if text], [text for text in texts[cut:] if text]


def _kind(node: ast.AST) -> str:
    """What to call a part that has no name yet."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("unless", "when")
    ):
        return "rare"
    is_test = isinstance(node, ast.Compare) or (
        isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr))
    )
    return "test" if is_test else "part"


_OTHERS = {
    "copysign", "exps", "log_of_sum", "logical_not", "maximum", "mended", "minimum", "norm", "ones_like", "order", "share",
    "shares", "sign", "unless", "when", "where",
}  # fmt: skip
_TAKEN = ChainMap(TOTAL_NAMES, dict.fromkeys(_OTHERS)).keys()  # of operations that are added, too
