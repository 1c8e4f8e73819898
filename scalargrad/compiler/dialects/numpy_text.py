"""Expressions of NumPy source: forms, and what stands at their places; text comes last.   (floor 3)

An expression knows what it is made of, so that what is read once is written where it is read, and
what is read twice gets a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from ..naming import Names
from .forms import ATOM, SIGN, Form

VIEWS = "_0[", "_0.T", "_0.swapaxes(", "_0.transpose(", "_0.reshape(", "spread(_0"
LONGEST = 70  # characters of an expression in another


class Template:
    """A form, and the number of the operand that stands at each of its places.

    `is_view`: it moves no numbers, they are those of its first operand.
    """

    __slots__ = ("form", "is_view", "places", "text")

    def __init__(self, text: str) -> None:
        self.text, self.is_view = text, text.startswith(VIEWS) and "@" not in text
        self.form, gaps = Form.read(text, _is_gap)
        self.places = tuple([int(gap[1:]) for gap in gaps])

    def of(self, parts: Sequence[tuple[str, int]]) -> str:
        """The text with others in the gaps, each with how tightly it binds.

        >>> from scalargrad.compiler.dialects.forms import ATOM, SUM
        >>> template("_0.T @ _1").of([("a + b", SUM), ("c", ATOM)])
        '(a + b).T @ c'
        """
        return self.form.filled([parts[place] for place in self.places])


def _is_gap(name: str) -> bool:
    return name[0] == "_" and name[1:].isdigit()


@lru_cache(maxsize=8192)
def template(text: str) -> Template:
    """The template of a text with gaps `_0`, `_1`, …"""
    return Template(text)


class Expression:
    """A template and its operands, or, without one, a text.

    `wish` is a name for it; where `has_line`, it has one in any case.
    """

    __slots__ = ("binds", "form", "has_line", "number", "operands", "text", "wish")

    def __init__(
        self,
        form: Template | None,
        operands: tuple[Expression, ...],
        text: str = "",
        wish: str = "",
    ) -> None:
        self.form, self.operands, self.text, self.wish = form, operands, text, wish
        self.binds = SIGN if text[:1] == "-" else ATOM
        self.number, self.has_line = 0, False

    @property
    def seen(self) -> list[Expression]:
        """It, and what it is a view of, and so on; the last holds the numbers."""
        found: list[Expression] = [self]
        while (made := found[-1].form) and made.is_view:
            found.append(found[-1].operands[0])
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

    def of(self, text: str | Template, *operands: Expression, wish: str = "") -> Expression:
        """A template filled with expressions."""
        filled = text if isinstance(text, Template) else template(text)
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
    """The expressions that results are made of, in order."""
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
    """The lines of what is read more than once, or has a line, or is `named`; each with what.

    Afterwards `text` is what an expression is written as where it is read.
    """
    order, lines = reached(results), []
    counts: dict[Expression, int] = {}
    for x in [*results, *named, *named]:
        counts[x] = counts.get(x, 0) + 1
    for x in order:
        for place in x.form.places if x.form else ():
            counts[x.operands[place]] = counts.get(x.operands[place], 0) + 1
    for x in order:
        if x.form is None or x.text:
            continue
        x.text = x.form.of([(part.text, part.binds) for part in x.operands])
        x.binds = x.form.form.binds
        if counts[x] > 1 or x.has_line or len(x.text) > LONGEST:
            name = names.take(x.wish)
            lines.append((x, f"{name} = {x.text}"))
            x.text, x.binds = name, ATOM
    return lines
