"""Expressions with places for others, which get parentheses where they must have them.   (floor 3)

The languages are Python and NumPy, which bind alike; `dialects.text` has those with braces.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ..naming import ITEM

# The strength with which an expression binds, and which a place asks of one: a looser one gets
# parentheses. An expression that is read again and again must be a NAME.
IF, OR, AND, NOT, COMPARE, EITHER, BOTH, SUM, PRODUCT, SIGN, ATOM, NAME = range(1, 13)
OPERATORS = {ast.BitOr: EITHER, ast.BitAnd: BOTH, ast.Add: SUM, ast.Sub: SUM}  # others: PRODUCT


class Form:
    """An expression with %s at the places of others.

    >>> form, names = Form.read("x * (1.0 + y) if x else 0.0", {"x", "y"}.__contains__)
    >>> form.text, names
    ('%s * (1.0 + %s) if %s else 0.0', ('x', 'y', 'x'))
    >>> form.binds == IF, form.needs == (PRODUCT, PRODUCT, OR)
    (True, True)
    >>> form.filled([("a + b", SUM), ("c", ATOM), ("d", ATOM)])
    '(a + b) * (1.0 + c) if d else 0.0'
    """

    __slots__ = ("binds", "holds", "needs", "text")

    def __init__(self, text: str, needs: tuple[int, ...], binds: int) -> None:
        self.text, self.needs, self.binds = text, needs, binds
        self.holds = NAME in needs

    @classmethod
    def read(cls, expression: str, is_place: Callable[[str], bool]) -> tuple[Form, tuple[str, ...]]:
        """The form of an expression in which some names are places, and those names in order."""
        tree = _Items().visit(ast.parse(expression, mode="eval")).body
        found = [(node, need) for node, need in _names(tree, IF, False) if is_place(node.id)]
        names = tuple([node.id for node, _ in found])
        for node, _ in found:
            node.id = "%s"
        return cls(ast.unparse(tree), tuple([need for _, need in found]), _binds(tree)), names

    @classmethod
    def line(cls, text: str, need: int = IF) -> Form:
        """A statement, or an expression, whose places are all alike."""
        return cls(text, (need,) * text.count("%s"), IF)

    def filled(self, parts: Sequence[tuple[str, int]]) -> str:
        """The text with others at its places, each with how tightly it binds."""
        texts = [
            text if binds >= need else f"({text})" for (text, binds), need in zip(parts, self.needs)
        ]
        return self.text % tuple(texts)


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
    """The names in an expression in the order of its text, each with the tightness of its place."""
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
    binds = _binds(node)
    match node:
        case ast.BinOp(left, _, right):
            return (left, binds), (right, binds + 1)
        case ast.UnaryOp(_, operand):
            return ((operand, NOT if binds == NOT else ATOM),)
        case ast.BoolOp(_, values):
            return [(value, binds + 1) for value in values]
        case ast.Compare(left, _, others):
            return [(side, SUM) for side in (left, *others)]
        case ast.IfExp(test, body, orelse):
            return (body, OR), (test, OR), (orelse, IF)
        case ast.Call(ast.Name(), arguments):
            return [(argument, IF) for argument in arguments]
        case ast.Starred(value):
            return ((value, SUM),)
        case ast.Attribute(value):
            return ((value, ATOM),)
        case ast.Subscript(value, index):
            return (value, ATOM), (index, IF)
        case ast.Lambda():
            return ()  # its names are its own
    return [(child, IF) for child in ast.iter_child_nodes(node)]


def _binds(node: Any) -> int:
    """The tightness of an expression."""
    match node:
        case ast.IfExp() | ast.Lambda():
            return IF
        case ast.BoolOp(operator):
            return OR if isinstance(operator, ast.Or) else AND
        case ast.UnaryOp(operator):
            return NOT if isinstance(operator, ast.Not) else SIGN
        case ast.Compare():
            return COMPARE
        case ast.BinOp(_, operator):
            return OPERATORS.get(type(operator), PRODUCT)
    return ATOM
