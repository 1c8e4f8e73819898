"""Expressions of NumPy source as forms with gaps, and what stands in them: text comes last.   (floor 3)

An expression knows what it is made of, so that what is read once is written where it is read, and
what is read twice gets a line.
"""

from __future__ import annotations

import ast
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ..naming import Names

# how tightly text holds together
LOOSE, EITHER, BOTH, SUMMED, MULTIPLIED, SIGNED, ATOM = range(7)
LEVELS: dict[type, int] = {
    ast.BitOr: EITHER, ast.BitAnd: BOTH, ast.Add: SUMMED, ast.Sub: SUMMED, ast.Mult: MULTIPLIED, ast.Div: MULTIPLIED,
    ast.MatMult: MULTIPLIED,
}  # fmt: skip
LONGEST = 70  # characters of an expression in another


class Form:
    """An expression with gaps: the text between them, and how tightly what fills each must hold together."""

    __slots__ = ("gaps", "is_view", "level", "needs", "text", "texts")

    def __init__(self, text: str, is_view: bool = False) -> None:
        self.text, self.is_view = text, is_view
        tree = ast.parse(text, mode="eval").body
        gaps = _gaps(tree, LOOSE)
        self.gaps, self.needs = [gap for gap, _ in gaps], [need for _, need in gaps]
        self.level = _level(tree)
        self.texts, rest = [], text
        for gap in self.gaps:
            before, _, rest = rest.partition(f"_{gap}")
            self.texts.append(before)
        self.texts.append(rest)

    def of(self, parts: Sequence[tuple[str, int] | str]) -> str:
        """The text with others in the gaps, each with how tightly it holds; in parentheses where it must be.

        >>> Form("_0.T @ _1").of([("a + b", SUMMED), "c"])
        '(a + b).T @ c'
        """
        made = [self.texts[0]]
        for gap, need, behind in zip(self.gaps, self.needs, self.texts[1:]):
            part = parts[gap]
            text, level = (part, ATOM) if isinstance(part, str) else part
            made += (text if level >= need else f"({text})", behind)
        return "".join(made)


def form(text: str, is_view: bool = False) -> Form:
    """The form of a text with gaps `_0`, `_1`, …; a view is of the numbers of its first gap, no copy."""
    return _form(text, is_view)


_form = lru_cache(maxsize=8192)(Form)


def _level(node: ast.expr) -> int:
    """How tightly an expression holds together."""
    if isinstance(node, ast.BinOp):
        return LEVELS[type(node.op)]
    if isinstance(node, ast.UnaryOp):
        return SIGNED
    return LOOSE if isinstance(node, (ast.Compare, ast.Lambda)) else ATOM


def _gaps(node: ast.AST, need: int) -> list[tuple[int, int]]:
    """The gaps of an expression in the order of its text, each with what it needs."""
    if isinstance(node, ast.Name):
        return [(int(node.id[1:]), need)] if node.id[0] == "_" and node.id[1:].isdigit() else []
    if isinstance(node, ast.BinOp):
        level = LEVELS[type(node.op)]
        return [*_gaps(node.left, level), *_gaps(node.right, level + 1)]
    inner = LOOSE
    if isinstance(node, ast.UnaryOp):
        inner = SIGNED
    elif isinstance(node, ast.Compare):
        inner = SUMMED
    elif isinstance(node, (ast.Attribute, ast.Subscript)):
        rest = [_gaps(node.slice, LOOSE)] if isinstance(node, ast.Subscript) else []
        return sum(rest, _gaps(node.value, ATOM))
    return [gap for child in ast.iter_child_nodes(node) for gap in _gaps(child, inner)]


class Expression:
    """A form with what fills its gaps, or, without one, a text.

    `wish` is a name for it; where `has_line`, it has one in any case.
    """

    __slots__ = ("form", "has_line", "level", "number", "operands", "text", "wish")

    def __init__(
        self, form: Form | None, operands: tuple[Expression, ...], text: str = "", wish: str = ""
    ) -> None:
        self.form, self.operands, self.text, self.wish = form, operands, text, wish
        self.level = SIGNED if text[:1] == "-" else ATOM
        self.number, self.has_line = 0, False

    @property
    def is_spread(self) -> bool:
        """Whether it is a view that has a number in several places."""
        found = self
        while found.form and found.form.is_view:
            if found.form.text.startswith("spread("):
                return True
            found = found.operands[0]
        return False

    @property
    def base(self) -> Expression:
        """What holds the numbers that this one is a view of."""
        found = self
        while found.form and found.form.is_view:
            found = found.operands[0]
        return found


class Expressions:
    """Expressions, equal ones once, in the order in which they were made."""

    def __init__(self) -> None:
        self.known: dict[Any, Expression] = {}

    def text(self, text: str) -> Expression:
        """A name or a number."""
        if text not in self.known:
            self._numbered(text, Expression(None, (), text))
        return self.known[text]

    def of(
        self, text: str | Form, *operands: Expression, wish: str = "", is_view: bool = False
    ) -> Expression:
        """A form filled with expressions."""
        filled = text if isinstance(text, Form) else form(text, is_view)
        key = (filled, *operands)
        if key not in self.known:
            self._numbered(key, Expression(filled, operands, "", wish))
        made = self.known[key]
        made.wish = made.wish or wish
        return made

    def _numbered(self, key: Any, made: Expression) -> None:
        made.number = len(self.known)
        self.known[key] = made


def reached(results: Iterable[Expression]) -> list[Expression]:
    """What results are made of, in order."""
    found, stack = dict.fromkeys(results), [*results]
    while stack:
        for operand in stack.pop().operands:
            if operand not in found:
                found[operand] = None
                stack.append(operand)
    return sorted(found, key=lambda x: x.number)


def lines_of(
    results: Sequence[Expression], names: Names, named: Iterable[Expression] = ()
) -> list[tuple[Expression, str]]:
    """The lines that compute what is read more than once, or has a line, or is `named`; each with what.

    Afterwards `text` is what an expression is written as where it is read.
    """
    order, lines = reached(results), []
    counts: dict[Expression, int] = {}
    for x in [*results, *named, *named]:
        counts[x] = counts.get(x, 0) + 1
    for x in order:
        for gap in x.form.gaps if x.form else ():
            counts[x.operands[gap]] = counts.get(x.operands[gap], 0) + 1
    for x in order:
        if x.form is None or x.text:
            continue
        x.text = x.form.of([(part.text, part.level) for part in x.operands])
        x.level = x.form.level
        if counts[x] > 1 or x.has_line or len(x.text) > LONGEST:
            name = names.take(x.wish)
            lines.append((x, f"{name} = {x.text}"))
            x.text, x.level = name, ATOM
    return lines
