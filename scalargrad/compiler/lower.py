"""Operations of the table as lines: what a derived program is made of, whatever language it is printed in.   (floor 3)

A line is an expression of numbers, `e / (t * t)`, that stands for as many numbers as a vector has. Beside lines there are sums
and products of lists, sums over the rows of data, and what has a function of its own for a list. A choice of language is made
nowhere here.
"""

from __future__ import annotations

import ast
from functools import lru_cache

from ..ops import LISTS, Op
from ..rows.text import FAST_NAMES, TOTAL_NAMES, statements
from . import choices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Lines = tuple[tuple[str, "Line"], ...]  # each with the name of what it computes


class Line:
    """What a step of a derived program computes: an expression of its operands, or, without one, what its name says.

    >>> line_of("e / (t * t)").operands
    ('e', 't')
    """

    __slots__ = ("name", "operands", "text", "tree")

    def __init__(self, name: str, operands: tuple[str, ...], text: str = "") -> None:
        self.name, self.operands, self.text = name, operands, text
        self.tree = ast.parse(text, mode="eval").body if text else None

    @property
    def takes_lists(self) -> bool:
        """Whether an operand is a list."""
        return any(operand in LISTS for operand in self.operands)

    def __repr__(self) -> str:
        return f"<line {self.text or self.name}>"


SUM = Line("sum", ("xs",))
DOT = Line("dot", ("ws", "xs", "bias"))
SHARES = Line("shares", ("ws", "xs"))  # Σ w x, where a w counts for nothing if its slope x is 0
OVER_ROWS = Line("over_rows", ("x",))  # the sum over the rows
ROW_PRODUCTS = Line("row_products", ("x", "y"))  # the sum over the rows of x y, as in SHARES

# Of lists: the value, a number, and the slopes, a list.
LISTED = {
    name: Line(name, ("xs",)) for name in ("norm", "logsumexp", "max", "min", "prod", "_peak")
}
LIST_SLOPES = {name: Line(f"{name}_slopes", ("xs", "out")) for name in LISTED if name != "_peak"}


@lru_cache(maxsize=4096)
def line_of(text: str) -> Line:
    """The line of an expression; its operands are the names in it that no function and no constant bears."""
    names = [node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    return Line(text, tuple(sorted({name for name in names if name not in FAST_NAMES})), text)


ADD, MULTIPLY, NEGATE, TWICE = map(line_of, ("x + y", "x * y", "-x", "2.0 * x"))
CHOOSE = Line("choose", ("condition", "x", "y"), "x if condition else y")
SHARE = Line("share", ("x", "y"), "0.0 if y == 0.0 else x * y")  # the chain rule: x is the slope's


@lru_cache(maxsize=4096)
def lines(op: Op, by: tuple[str, ...] = (), fast: bool = False) -> tuple[Lines, Lines]:
    """The lines of an operation's value, and of its slopes by some operands; with `fast`, as they do where nothing overflows.

    >>> from scalargrad.ops import OPS
    >>> lines(OPS["square"], ("x",))
    ((('out', <line x * x>),), (('dx', <line 2.0 * x>),))
    """
    op = choices.fast(op) if fast else op
    value, slopes = statements(op, by if op.slopes else ())
    return _parted(value), _parted(slopes)


def _parted(statements: Sequence[str]) -> Lines:
    made = []
    for statement in statements:
        name, _, text = statement.partition(" = ")
        if text.startswith("-") and isinstance(ast.parse(text[1:], mode="eval").body, ast.Call):
            made.append((f"{name}_", line_of(text[1:])))  # which others may compute, too
            text = f"-{name}_"
        made.append((name, line_of(text)))
    return tuple(made)


def known(line: Line) -> float | None:
    """The number that a line without operands is; None where it cannot be told here."""
    if line.operands or not line.text:
        return None
    try:
        number: Any = eval(line.text, {"__builtins__": {}}, dict(TOTAL_NAMES))
    except ArithmeticError:
        return None
    return float(number)
