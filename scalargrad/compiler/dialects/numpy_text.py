"""Expressions of NumPy source: forms, and what stands at their places; text comes last.   (floor 3)

An expression knows what it is made of, so that what is read once is written where it is read, and
what is read twice gets a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from numpy import ufunc

from ..naming import Names
from .forms import ATOM, SIGN, SUM, Form
from .numpy_helpers import NAMES

VIEWS = "_0[", "_0.T", "_0.swapaxes(", "_0.transpose(", "_0.reshape(", "spread(_0"
LONGEST = 70  # characters of an expression in another


class Template:
    """A form, and the number of the operand that stands at each of its places.

    `is_view`: it moves no numbers, they are those of its first operand. `is_new`: it makes an
    array. Where it is `_0` and another, `operator` stands between them, and `right` is the other.
    """

    __slots__ = "form", "is_new", "is_view", "operator", "places", "right", "text"

    def __init__(self, text: str) -> None:
        self.text, self.is_view = text, text.startswith(VIEWS) and "@" not in text
        self.form, gaps = Form.read(text, _is_gap)
        self.places = tuple([int(gap[1:]) for gap in gaps])
        words = text.split()
        is_sign = words[0] == "_0" and len(words) == 3 and words[1] in "+-*/"
        self.operator, self.right = words[1:] if is_sign else ("", "")
        is_function = isinstance(NAMES.get(text.partition("(")[0]), ufunc)
        self.is_new = is_function or SUM <= self.form.binds <= SIGN

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

    `wish` is a name for it; where `has_line`, it has one in any case. If it `keeps_shape`, it has
    that of its first operand.
    """

    __slots__ = "binds", "form", "has_line", "keeps_shape", "number", "operands", "text", "wish"

    def __init__(
        self,
        form: Template | None,
        operands: tuple[Expression, ...],
        text: str = "",
        wish: str = "",
    ) -> None:
        self.form, self.operands, self.text, self.wish = form, operands, text, wish
        self.binds = SIGN if text[:1] == "-" else ATOM
        self.number, self.has_line, self.keeps_shape = 0, False, False

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
            lines += [(x, line) for line in _lines(x, name)]
            x.text, x.binds = name, ATOM
    return lines


def _lines(x: Expression, name: str) -> list[str]:
    """The lines that give an expression a name: `z = x @ W`, and `z += b` in the same array."""
    if x.keeps_shape and x.form and x.form.operator:
        first, *rest = x.operands
        if first.form and first.form.is_new and not first.text.isidentifier():
            right = rest[0].text if rest else x.form.right  # a number
            return [*_lines(first, name), f"{name} {x.form.operator}= {right}"]
    return [f"{name} = {x.text}"]
