"""The rows' text as forms: expressions with places for others, which know where parentheses must stand.   (floor 3)"""

from __future__ import annotations

import ast
import math
from functools import cache, lru_cache

from ..ops import Op
from ..rows.text import TOTAL_NAMES, statements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any

# How tightly an expression binds, and how tightly what stands at a place must: a looser one gets parentheses.
IF, OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, ATOM, NAME = range(
    1, 11
)  # NAME: it is read again and again, so it must have a name

ITEM = "item"  # what a list comprehension runs over


class Form:
    """An expression with %s at the places of others.

    >>> form, names = Form.read("x * (1.0 + y) if x else 0.0", {"x", "y"})
    >>> form.text, names
    ('%s * (1.0 + %s) if %s else 0.0', ('x', 'y', 'x'))
    >>> form.binds == IF, form.needs == (PRODUCT, PRODUCT, OR)
    (True, True)
    """

    __slots__ = ("binds", "holds", "needs", "size", "text")

    def __init__(self, text: str, needs: tuple[int, ...], binds: int) -> None:
        self.text, self.needs, self.binds = text, needs, binds
        self.size = len(text) - 2 * len(needs)
        self.holds = NAME in needs

    @classmethod
    def read(cls, expression: str, places: Collection[str]) -> tuple[Form, tuple[str, ...]]:
        """The form of an expression of some names, and which of them stands at each place."""
        tree = _Items().visit(ast.parse(expression, mode="eval")).body
        text = ast.unparse(tree).encode()  # columns are counted in bytes
        tree = ast.parse(text, mode="eval").body
        found = sorted(
            (node.col_offset, node.end_col_offset or 0, node.id, need)
            for node, need in _names(tree, IF, False)
            if node.id in places
        )
        pieces, at = [], 0
        for begin, end, _, _ in found:
            pieces.append(text[at:begin])
            at = end
        whole = b"%s".join([*pieces, text[at:]]).decode()
        form = (
            SAME
            if whole == SAME.text
            else cls(whole, tuple([need for *_, need in found]), _binds(tree))
        )
        return form, tuple([name for _, _, name, _ in found])

    @classmethod
    def line(cls, text: str, need: int = IF) -> Form:
        """A statement, or an expression, whose places are all alike."""
        return cls(text, (need,) * text.count("%s"), IF)


class _Items(ast.NodeTransformer):
    """Gives what a comprehension runs over a name that nothing else has."""

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        self.generic_visit(node)
        own = {
            target.target.id for target in node.generators if isinstance(target.target, ast.Name)
        }
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and inner.id in own:
                inner.id = ITEM
        return node


def _names(node: Any, need: int, held: bool) -> Iterator[tuple[ast.Name, int]]:
    """The names in an expression, each with how tightly what stands in its place must bind."""
    if isinstance(node, ast.Name):
        yield node, NAME if held else need
        return
    if isinstance(node, ast.ListComp):
        yield from _names(node.elt, IF, True)
        for generator in node.generators:
            yield from _names(generator.iter, OR, held)
        return
    for child, inner in _parts(node):
        yield from _names(child, inner, held)


def _parts(node: Any) -> Iterable[tuple[Any, int]]:
    """The expressions that one is made of, each with how tightly it must bind."""
    match node:
        case ast.BinOp(left, ast.Add() | ast.Sub(), right):
            return (left, SUM), (right, PRODUCT)
        case ast.BinOp(left, _, right):
            return (left, PRODUCT), (right, SIGN)
        case ast.UnaryOp(ast.Not(), operand):
            return ((operand, NOT),)
        case ast.UnaryOp(_, operand):
            return ((operand, ATOM),)
        case ast.BoolOp(operator, values):
            return [(value, AND if isinstance(operator, ast.Or) else NOT) for value in values]
        case ast.Compare(left, _, others):
            return [(side, SUM) for side in (left, *others)]
        case ast.IfExp(test, body, orelse):
            return (test, OR), (body, OR), (orelse, IF)
        case ast.Call(_, args):
            return [(arg, IF) for arg in args]
        case ast.Starred(value):
            return ((value, SUM),)
        case ast.Subscript(value, index):
            return (value, ATOM), (index, IF)
        case ast.List(items) | ast.Tuple(items):
            return [(item, IF) for item in items]
    return ()


def _binds(node: Any) -> int:
    """How tightly an expression binds."""
    match node:
        case ast.IfExp():
            return IF
        case ast.BoolOp(ast.Or()):
            return OR
        case ast.BoolOp():
            return AND
        case ast.UnaryOp(ast.Not()):
            return NOT
        case ast.Compare():
            return COMPARE
        case ast.BinOp(_, ast.Add() | ast.Sub()):
            return SUM
        case ast.BinOp():
            return PRODUCT
        case ast.UnaryOp():
            return SIGN
    return ATOM


SAME = Form("%s", (IF,), IF)
PLUS, LESS = Form("%s + %s", (SUM, PRODUCT), SUM), Form("%s - %s", (SUM, PRODUCT), SUM)
TIMES = Form("%s * %s", (PRODUCT, SIGN), PRODUCT)
TIMES_IF = Form("%s * %s if %s else 0.0", (PRODUCT, SIGN, OR), IF)  # a slope of exactly 0 sends 0
OVER = Form("%s / %s", (PRODUCT, SIGN), PRODUCT)
MINUS = Form("-%s", (ATOM,), SIGN)
IF_ELSE = Form("%s if %s else %s", (OR, OR, IF), IF)
IF_TRUE = Form("%s if %s else 0.0", (OR, OR), IF)
IF_FALSE = Form("0.0 if %s else %s", (OR, IF), IF)


# A line of a row: what it computes, its form, and for each place the number of what stands there.
Line = tuple[str, Form, tuple[int, ...]]


class Template:
    """A row with places for its operands: the lines of its value, then those of its slopes.

    Operands have the numbers 0, 1, …, and each line adds the next; `partials` are the numbers of the slopes.
    """

    __slots__ = ("forward", "partials", "slopes")

    def __init__(self, forward: list[Line], slopes: list[Line], partials: tuple[int, ...]) -> None:
        self.forward, self.slopes, self.partials = forward, slopes, partials


@lru_cache(maxsize=4096)
def template(
    op: Op, by: tuple[str, ...], total: bool, known: tuple[tuple[str, float], ...] = ()
) -> Template:
    """The template of a row's value and of its slopes by some operands, where some others are known numbers.

    >>> from scalargrad.ops import OPS
    >>> [form.text for _, form, _ in template(OPS["pow"], ("x",), False, (("y", 2.0),)).slopes]
    ['2.0 * %s']
    """
    forward, slopes = statements(op, by, total)
    numbers = {name: i for i, name in enumerate(op.operands)}

    def lines(texts: list[str]) -> list[Line]:
        made = []
        for text in texts:
            name, _, expression = text.partition(" = ")
            form, names = Form.read(with_known(expression, dict(known)), numbers)
            made.append((name, form, tuple([numbers[read] for read in names])))
            numbers[name] = len(numbers)
        return made

    value, rest = lines(forward), lines(slopes)
    return Template(value, rest, tuple([numbers[f"d{operand}"] for operand in by]))


@cache
def takes_lists(op: Op) -> bool:
    """Whether an operand of a row is a list."""
    return op.takes_lists


@cache
def asks_about(op: Op) -> frozenset[str]:
    """The operands that a row's value or slopes choose by: where such a one is known, the choice can be made at once.

    >>> from scalargrad.ops import OPS
    >>> sorted(asks_about(OPS["pow"])), sorted(asks_about(OPS["mul"]))
    (['x', 'y'], [])
    """
    choices = [
        node.test
        for text in (line for part in statements(op) for line in part)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.IfExp)
    ]
    return frozenset(
        name.id
        for test in choices
        for name in ast.walk(test)
        if isinstance(name, ast.Name) and name.id in op.operands
    )


def with_known(expression: str, known: dict[str, float]) -> str:
    """An expression in which some names are known numbers: choices that these decide are made, and nothing else.

    >>> with_known("2.0 * x if y == 2.0 else y * pow(x, y - 1.0)", {"y": 3.0})
    'y * pow(x, y - 1.0)'
    """
    return (
        ast.unparse(_Known(known).visit(ast.parse(expression, mode="eval")))
        if known
        else expression
    )


class _Known(ast.NodeTransformer):
    """Makes the choices that known numbers decide."""

    def __init__(self, known: dict[str, float]) -> None:
        self.known = known

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        truth = self._truth(node.test)
        if truth is None:
            self.generic_visit(node)
            return node
        return self.visit(node.body if truth else node.orelse)  # type: ignore[no-any-return]

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """What is left of `a and b` where one of them is true, of `a or b` where one is false."""
        neutral = isinstance(node.op, ast.And)
        node.values = [value for value in node.values if self._truth(value) is not neutral]
        self.generic_visit(node)
        return node if len(node.values) > 1 else node.values[0]

    def _truth(self, test: ast.expr) -> bool | None:
        """Whether a test is true; None where that is not known."""
        if isinstance(test, ast.BoolOp):
            truths = [self._truth(value) for value in test.values]
            deciding = isinstance(test.op, ast.Or)
            return deciding if deciding in truths else None if None in truths else not deciding
        names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)} - {"inf", "nan"}
        if not isinstance(test, ast.Compare) or not names <= {*self.known, *TOTAL_NAMES}:
            return None
        return bool(computed(ast.unparse(test), self.known))


def computed(expression: str, known: dict[str, float]) -> Any:
    """The number that a row's text gives for known numbers; None where the raw functions would raise.

    >>> computed("1.0 / y", {"y": 4.0}), computed("1.0 / y", {"y": 0.0})
    (0.25, None)
    """
    try:
        return eval(expression, {**TOTAL_NAMES, "__builtins__": {}, **known})
    except ArithmeticError:
        return None


def literal(number: float) -> str:
    """A short float as it is written; "" for one that is not short.

    >>> literal(0.5), literal(-2.0), literal(1 / 3), literal(float("-inf"))
    ('0.5', '-2.0', '', '-inf')
    """
    text = float.__repr__(number)
    return text if len(text) <= 8 or not math.isfinite(number) else ""
