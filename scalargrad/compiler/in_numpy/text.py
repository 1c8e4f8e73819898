"""Row text as NumPy source: a vector's names in place of a row's, parentheses where they are needed.   (floor 3)"""

from __future__ import annotations

import ast
import re

from ..layout import WORD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Replace(ast.NodeTransformer):
    """Writes expressions in place of names, but for those that a lambda binds."""

    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.names.get(node.id, node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        bound = {argument.arg for argument in node.args.args}
        node.body = Replace(
            {name: text for name, text in self.names.items() if name not in bound}
        ).visit(node.body)
        return node


def parsed(text: str) -> ast.expr:
    """A text as an expression."""
    return ast.parse(text, mode="eval").body


def filled(form: str, local: Mapping[str, str]) -> str:
    """A row's expression with the texts of this vector for its names."""
    return ast.unparse(
        Replace({name: parsed(text) for name, text in local.items()}).visit(parsed(form))
    )


def primary(text: str) -> str:
    """An expression that can stand before a dot or an operator."""
    return (
        text
        if re.fullmatch(r"[\w.]+|\w+\([^()]*\)|\w+(\[[^\[\]]*\])+", text) and text[0] != "-"
        else f"({text})"
    )


def is_number(text: str) -> bool:
    """Whether an expression is a number written out."""
    return bool(re.fullmatch(r"-?[\d.]+(e-?\d+)?|inf|nan|-inf", text))


def is_constant(text: str) -> bool:
    """Whether an expression reads no name but those of functions.

    >>> is_constant("-2.0 / 1e-05"), is_constant("log(2.0)"), is_constant("log(x)")
    (True, True, False)
    """
    return not WORD.search(re.sub(r"\b(inf|nan|\d[\d.]*e[+-]?\d+|\w+(?=\())\b", "0", text))


def factored(text: str) -> tuple[str, str] | None:
    """A product as the number that it begins with and the rest; None where it begins with none.

    >>> factored("2.0 * x * y"), factored("2.0 * x + y")
    (('2.0', 'x * y'), None)
    """
    node = parsed(text)
    while isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        node = node.left
    number, times, rest = text.partition(" * ")
    return (
        (number, rest) if times and isinstance(node, ast.Constant) and is_number(number) else None
    )


def names_in(text: str) -> set[str]:
    """The names that a line or an expression reads; what is added to is read.

    >>> sorted(names_in("dW += a * b")), sorted(names_in("z = x"))
    (['a', 'b', 'dW'], ['x'])
    """
    nodes = [*ast.walk(ast.parse(text))]
    added_to = {node.target for node in nodes if isinstance(node, ast.AugAssign)}
    return {
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and (isinstance(node.ctx, ast.Load) or node in added_to)
    }


def into(name: str, text: str) -> str:
    """The statement that writes what an expression gives into an array that is there.

    >>> into("dW", "dz.T @ x"), into("db", "dz.sum(0)"), into("db", "dz")
    ('dot(dz.T, x, dW)', 'dz.sum(0, None, db)', 'db[:] = dz')
    """
    node = parsed(text)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return f"dot({ast.unparse(node.left)}, {ast.unparse(node.right)}, {name})"
    text = ast.unparse(node)
    return (
        f"{text[:-1]}, None, {name})"
        if text.endswith(".sum(0)") and isinstance(node, ast.Call)
        else f"{name}[:] = {text}"
    )


def in_place(name: str, text: str) -> str:
    """The statement that changes an array to what an expression gives.

    >>> in_place("p", "p - lr * g"), in_place("p", "p * 0.5 - g")
    ('p -= lr * g', 'p[:] = p * 0.5 - g')
    """
    node = parsed(text)
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, (ast.Add, ast.Sub))
        and ast.unparse(node.left) == name
    ):
        return f"{name} {'-' if isinstance(node.op, ast.Sub) else '+'}= {ast.unparse(node.right)}"
    return f"{name}[:] = {text}"


def turned(text: str, order: Sequence[int], with_rows: bool) -> str:
    """An array with its axes in another order, that of the rows before them.

    >>> turned("a", (0, 1), True), turned("a", (0, 2, 1), False), turned("a", (2, 0, 1), True)
    ('a', 'a.swapaxes(-2, -1)', 'a.transpose(0, 3, 1, 2)')
    """
    moved = [i for i, j in enumerate(order) if i != j]
    if len(moved) < 3:
        return (
            f"{text}.swapaxes({', '.join(str(i - len(order)) for i in moved)})" if moved else text
        )
    return f"{text}.transpose({', '.join(map(str, [0, *[i + 1 for i in order]] if with_rows else order))})"
