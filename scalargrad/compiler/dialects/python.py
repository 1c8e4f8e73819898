"""A line's text in Python: an expression that knows where parentheses must stand.   (floor 3)

Raw, it calls `math` and divides as it is, which raises errors where IEEE 754 has inf or nan, and
multiplies by each slope. Total, nothing raises and a slope of exactly 0 sends 0.
"""

from __future__ import annotations

import ast
import math
from functools import lru_cache

from ..lower import MULTIPLY, SHARE, line_of
from ..naming import ITEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any

    from ..lower import Line

# How tightly an expression binds, and how tightly what stands at a place must: a looser one gets
# parentheses.
# What stands at a NAME is read again and again, so it must have a name.
IF, OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, ATOM, NAME = range(1, 11)


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
        form = cls(whole, tuple([need for *_, need in found]), _binds(tree))
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


PLUS, LESS = Form("%s + %s", (SUM, PRODUCT), SUM), Form("%s - %s", (SUM, PRODUCT), SUM)
TIMES = Form("%s * %s", (PRODUCT, SIGN), PRODUCT)
PLUS_TIMES = Form("%s + %s * %s", (SUM, PRODUCT, SIGN), SUM)
FLIPPED = {line_of("x < y"): line_of("y > x"), line_of("x <= y"): line_of("y >= x")}


@lru_cache(maxsize=4096)
def form_of(line: Line, total: bool) -> tuple[Form, tuple[int, ...]]:
    """The form of a line, and which operand stands at each place.

    >>> form_of(line_of("x / (1.0 + y)"), False)[0].text, form_of(line_of("x / y"), True)[0].text
    ('%s / (1.0 + %s)', 'divide(%s, %s)')
    """
    line = MULTIPLY if line is SHARE and not total else line
    tree = ast.parse(line.text, mode="eval")
    text = ast.unparse(_Total().visit(tree)) if total else line.text
    form, names = Form.read(text, line.operands)
    return form, tuple([line.operands.index(name) for name in names])


class _Total(ast.NodeTransformer):
    """Writes divisions as calls of what has an answer for 1/0."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            return ast.Call(ast.Name("divide"), [node.left, node.right], [])
        return node


@lru_cache(maxsize=256)
def chain(forms: tuple[Form, ...]) -> Form:
    """Forms like `%s + %s` one behind the other."""
    text = "".join([form.text[2:] for form in forms])
    needs = [need for form in forms for need in form.needs[1:]]
    return Form(f"%s{text}", (forms[0].needs[0], *needs), forms[0].binds)


@lru_cache(maxsize=256)
def row_of(count: int) -> Form:
    """The form of a list of so many."""
    return Form(f"[{', '.join(['%s'] * count)}]", (IF,) * count, ATOM)


@lru_cache(maxsize=64)
def item(place: int) -> Form:
    """The form of a number in a list."""
    return Form(f"%s[{place}]", (NAME,), ATOM)


def literal(number: float) -> str:
    """A short float as it is written; "" for one that is not short.

    >>> literal(0.5), literal(-2.0), literal(1 / 3), literal(float("-inf"))
    ('0.5', '-2.0', '', '-inf')
    """
    text = float.__repr__(number)
    return text if len(text) <= 8 or not math.isfinite(number) else ""
