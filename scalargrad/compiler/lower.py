"""Operations as lines: what a derived program is made of, whatever the language.   (floor 3)

A line is an expression of numbers, `e / (t * t)`, that stands for as many numbers as a vector has.
Beside lines there are sums and products of lists, sums over the rows of data, and what has a
function of its own for a list. A choice of language is made nowhere here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any

from ..ops import LISTS, Op
from ..rows.text import FAST_NAMES, TOTAL_NAMES, statements
from . import choices

Lines = tuple[tuple[str, "Line"], ...]  # each with the name of what it computes


class Line:
    """The formula of a step: an expression of its operands, or, without one, what its name says.

    >>> line_of("e / (t * t)").operands
    ('e', 't')
    """

    def __init__(self, name: str, operands: tuple[str, ...], text: str = "") -> None:
        self.name, self.operands, self.text = name, operands, text
        self.tree = ast.parse(text, mode="eval").body if text else None

    @property
    def takes_lists(self) -> bool:
        """Whether an operand is a list."""
        return any(operand in LISTS for operand in self.operands)

    @cached_property
    def asked(self) -> frozenset[str]:
        """The operands that it chooses by: if such a one is known, the choice can be made at once.

        >>> sorted(line_of("2.0 * x if y == 2.0 else y * x").asked), sorted(line_of("x * y").asked)
        (['y'], [])
        """
        nodes = ast.walk(self.tree) if self.tree else ()
        tests = [node.test for node in nodes if isinstance(node, ast.IfExp)]
        return _names_in(tests).intersection(self.operands)

    def __repr__(self) -> str:
        return f"<line {self.text or self.name}>"


SUM = Line("sum", ("xs",))  # from left to right
DOT = Line("dot", ("ws", "xs", "bias"))
SHARES = Line("shares", ("ws", "xs"))  # Σ w x, where a w counts for nothing if its slope x is 0
OVER_ROWS = Line("over_rows", ("x",))  # the sum over the rows
ROW_PRODUCTS = Line("row_products", ("x", "y"))  # the sum over the rows of x y, as in SHARES

# For lists: the value, a number, and the slopes, a list.
LISTED = {
    name: Line(name, ("xs",)) for name in ("norm", "logsumexp", "max", "min", "prod", "_peak")
}
LIST = Line("list", ("xs",))  # the list itself, where a line reads it
LIST_SLOPES = {name: Line(f"{name}_slopes", ("xs", "out")) for name in LISTED if name != "_peak"}


class Given:
    """A number that a function knows when it is called: how many rows there are, or one by that."""

    has_rows, size = False, 1
    operands: tuple[Any, ...] = ()
    op, label = None, ""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<given {self.name}>"


ROWS, ROW_SHARE = Given("rows"), Given("share")


@lru_cache(maxsize=4096)
def line_of(text: str) -> Line:
    """The line of an expression; its operands are the names that no function or constant bears."""
    tree = ast.parse(text)
    inner = [node.target for node in ast.walk(tree) if isinstance(node, ast.comprehension)]
    names = _names_in([tree]) - _names_in(inner)
    return Line(text, tuple(sorted(names - FAST_NAMES.keys())), text)


def _names_in(nodes: Iterable[ast.AST]) -> frozenset[str]:
    inner = [node for each in nodes for node in ast.walk(each)]
    return frozenset([node.id for node in inner if isinstance(node, ast.Name)])


ADD, MULTIPLY, NEGATE, TWICE = map(line_of, ("x + y", "x * y", "-x", "2.0 * x"))
CHOOSE = Line("choose", ("condition", "x", "y"), "x if condition else y")
SHARE = Line("share", ("x", "y"), "0.0 if y == 0.0 else x * y")  # the chain rule: x is the slope's


@lru_cache(maxsize=4096)
def lines(op: Op, by: tuple[str, ...] = (), fast: bool = False) -> tuple[Lines, Lines]:
    """The lines of an operation's value, and of its slopes by some operands.

    With `fast`, they are those that do where nothing overflows.

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


@lru_cache(maxsize=4096)
def known(line: Line) -> float | None:
    """The number that a line without operands is; None where it cannot be told here."""
    return None if line.operands or not line.text else computed(line.text, {})


def computed(text: str, numbers: dict[str, float]) -> Any:
    """The result of an expression for known numbers; None where plain arithmetic raises an error.

    >>> computed("1.0 / y", {"y": 4.0}), computed("1.0 / y", {"y": 0.0})
    (0.25, None)
    """
    try:
        return eval(text, {**TOTAL_NAMES, "__builtins__": {}, **numbers})
    except ArithmeticError:
        return None


@lru_cache(maxsize=4096)
def decided(line: Line, numbers: tuple[tuple[str, float], ...]) -> Line:
    """A line some operands of which are known: the choices are made that these decide.

    >>> decided(line_of("2.0 * x if y == 2.0 else y * pow(x, y - 1.0)"), (("y", 3.0),))
    <line y * pow(x, y - 1.0)>
    """
    tree = ast.parse(line.text, mode="eval")
    return line_of(ast.unparse(_Decided(dict(numbers)).visit(tree)))


class _Decided(ast.NodeTransformer):
    """Makes the choices that known numbers decide, and nothing else."""

    def __init__(self, numbers: dict[str, float]) -> None:
        self.numbers = numbers

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        if not _names_in([node]) <= {*self.numbers, *TOTAL_NAMES}:
            return node
        return ast.Constant(bool(computed(ast.unparse(node), self.numbers)))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant):
            return ast.Constant(not node.operand.value)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """`a and b` without what is true, or False; `a or b` without what is false, or True."""
        self.generic_visit(node)
        neutral = isinstance(node.op, ast.And)
        node.values = [x for x in node.values if getattr(x, "value", None) is not neutral]
        deciding = [x for x in node.values if isinstance(x, ast.Constant)]
        if len(node.values) > 1 and not deciding:
            return node
        return [*deciding, *node.values, ast.Constant(neutral)][0]

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.test, ast.Constant):
            return node
        return node.body if node.test.value else node.orelse
