"""A line's text in Python.   (floor 3)

Raw, it calls `math` and divides as it is, which raises errors where IEEE 754 has inf or nan, and
multiplies by each slope. Total, nothing raises and a slope of exactly 0 sends 0.
"""

from __future__ import annotations

import ast
import math
from functools import lru_cache

from ..lower import MULTIPLY, SHARE, Line, line_of
from .forms import ATOM, IF, NAME, PRODUCT, SIGN, SUM, Form

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
    form, names = Form.read(text, line.operands.__contains__)
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
