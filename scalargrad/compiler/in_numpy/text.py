"""Row text as NumPy source: a vector's names in place of a row's, parentheses where they are needed.   (floor 3)"""

from __future__ import annotations

import ast
import re

WORD = re.compile(r"\b[A-Za-z_]\w*\b")


class _Fill(ast.NodeTransformer):
    """Writes expressions in place of names, but for those that a lambda binds."""

    def __init__(self, local: dict[str, str]) -> None:
        self.local = {name: ast.parse(text, mode="eval").body for name, text in local.items()}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.local.get(node.id, node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        bound = {argument.arg for argument in node.args.args}
        inner = _Fill({})
        inner.local = {name: text for name, text in self.local.items() if name not in bound}
        node.body = inner.visit(node.body)
        return node


def filled(form: str, local: dict[str, str]) -> str:
    """A row's expression with the texts of this vector for its names."""
    return ast.unparse(_Fill(local).visit(ast.parse(form, mode="eval").body))


def primary(text: str) -> str:
    """An expression that can stand before a dot or an operator."""
    return text if re.fullmatch(r"[\w.]+|\w+\([^()]*\)|\w+(\[[^\[\]]*\])+", text) and text[0] != "-" else f"({text})"


def is_number(text: str) -> bool:
    """Whether an expression is a number written out."""
    return bool(re.fullmatch(r"-?[\d.]+(e-?\d+)?|inf|nan|-inf", text))


def is_constant(text: str) -> bool:
    """Whether an expression reads no name but those of functions.

    >>> is_constant("-2.0 / 1e-05"), is_constant("log(2.0)"), is_constant("log(x)")
    (True, True, False)
    """
    return not WORD.search(re.sub(r"\b(inf|nan|\d[\d.]*e[+-]?\d+|\w+(?=\())\b", "0", text))
