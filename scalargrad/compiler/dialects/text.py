"""Expressions and lines as languages with braces have them; these are C's.   (floor 3)"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from functools import cache

# how tightly text holds together
CHOICE, EITHER, BOTH, COMPARED, SUMMED, MULTIPLIED, SIGNED, ATOM = range(8)
SIGNS = {
    ast.Add: ("+", SUMMED), ast.Sub: ("-", SUMMED), ast.Mult: ("*", MULTIPLIED),
    ast.Div: ("/", MULTIPLIED), ast.FloorDiv: ("/", MULTIPLIED),  # the latter of whole numbers
}  # fmt: skip
RENAMED = {"exp_difference": "difference_exp", "scaled": "ldexp", "power": "pow", "max": "larger"}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


class Writer:
    """Writes an expression; languages that have C's signs differ in what stands here first.

    Operands are written as the text that they stand for. Without any, it is an expression of a
    function: names are its own, lists have places, and whole numbers stay whole.
    """

    constants: Mapping[str, str] = {"inf": "INFINITY", "nan": "NAN"}
    comparisons = COMPARISONS
    both, either = "&", "|"
    least = ATOM  # how tightly conditions must hold together beside these

    def __init__(
        self, functions: Mapping[str, str], operands: Mapping[str, str] | None = None
    ) -> None:
        self.functions, self.operands = functions, operands or {}
        self.called: set[str] = set()
        self.is_of_function = operands is None
        if self.is_of_function:
            self.both, self.either, self.least = "&&", "||", COMPARED

    @classmethod
    def literal(cls, number: float) -> str:
        """A number as the language has it.

        >>> Writer.literal(0.1), Writer.literal(float("-inf"))
        ('0.1', '-INFINITY')
        """
        if math.isfinite(number):
            return repr(number)
        name = cls.constants["nan" if number != number else "inf"]
        return f"-{name}" if number < 0.0 else name

    def number(self, node: ast.expr) -> tuple[str, int]:
        """An expression that is a number, and how tightly it holds together."""
        match node:
            case ast.Name(name):
                text = self.operands.get(name) or self.constants.get(name, name)
                return text, SIGNED if text[0] == "-" else ATOM
            case ast.Attribute(_, "pi"):
                return self.literal(math.pi), ATOM
            case ast.Constant(int(value)) if self.is_of_function:
                return str(value), ATOM
            case ast.Constant(value):
                return self.literal(float(value)), ATOM  # type: ignore[arg-type]
            case ast.BinOp(left, ast.Mod(), ast.Constant(int())):  # of an exponent
                n, x = self.number(node.right)[0], _held(self.number(left), MULTIPLIED)
                return f"({x} % {n} + {n}) % {n}", MULTIPLIED
            case ast.BinOp(left, ast.Mod(), right):
                return self.call("modulo", left, right)
            case ast.BinOp(left, op, right):
                sign, level = SIGNS[type(op)]
                x, y = _held(self.number(left), level), _held(self.number(right), level + 1)
                return f"{x} {sign} {y}", level
            case ast.UnaryOp(ast.USub(), operand):
                return f"-{_held(self.number(operand), ATOM)}", SIGNED
            case ast.UnaryOp(ast.UAdd(), operand) | ast.Call(ast.Name("float"), [operand]):
                return self.number(operand)
            case ast.IfExp(test, body, orelse):
                condition = _held(self.truth(test), COMPARED)
                first = _held(self.number(body), EITHER)
                return f"{condition} ? {first} : {self.number(orelse)[0]}", CHOICE
            case ast.Subscript(ast.Call(_, arguments)):  # frexp(x)[1]
                return self.call("exponent", *arguments)
            case ast.Subscript(items, place):
                return f"{self.number(items)[0]}[{self.number(place)[0]}]", ATOM
            case ast.Call(ast.Name("divide"), [x, y]):
                return self.number(ast.BinOp(x, ast.Div(), y))
            case ast.Call(ast.Name("pow"), [x, ast.Name(y)]) if self.operands.get(y) == "2.0":
                return self.number(ast.BinOp(x, ast.Mult(), x))
            case ast.Call(ast.Name("pow"), [ast.Name(x), ast.Name(y)]) if (
                self.operands.get(y) == "0.5"  # gcc takes sqrt for it in loops: nan at -inf
            ):
                return self.number(_parsed(f"inf if abs({x}) == inf else sqrt({x} + 0.0)"))
            case ast.Call(ast.Name(name) | ast.Attribute(_, name), arguments):
                return self.call(name, *arguments)
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not()):
                return f"{_held(self.truth(node), COMPARED)} ? 1.0 : 0.0", CHOICE
        raise AssertionError(f"no language but Python has {ast.unparse(node)}")

    def call(self, name: str, *arguments: ast.expr) -> tuple[str, int]:
        """A call of a function under the name that it has in the language."""
        name = RENAMED.get(name, name)
        name = self.functions.get(name, name)
        self.called.add(name)
        return f"{name}({', '.join([self.number(x)[0] for x in arguments])})", ATOM

    def truth(self, node: ast.expr) -> tuple[str, int]:
        """An expression that is a condition; of numbers, whether they are not 0.

        `&` and `|` stand in place of `&&` and `||`: both sides are cheap, and no branch is in the
        way of vector instructions.
        """
        match node:
            case ast.Compare(left, ops, comparators):
                sides = [_held(self.number(side), SUMMED) for side in (left, *comparators)]
                signs = [self.comparisons[type(op)] for op in ops]
                parts = [f"{a} {sign} {b}" for a, sign, b in zip(sides, signs, sides[1:])]
                if len(parts) == 1:
                    return parts[0], COMPARED
                held = [_held((part, COMPARED), self.least) for part in parts]
                return f" {self.both} ".join(held), BOTH
            case ast.BoolOp(op, values):
                sign = self.both if isinstance(op, ast.And) else self.either
                held = [_held(self.truth(value), self.least) for value in values]
                return f" {sign} ".join(held), EITHER
            case ast.UnaryOp(ast.Not(), operand):
                return f"!{_held(self.truth(operand), ATOM)}", SIGNED
        return f"{_held(self.number(node), SUMMED)} {self.comparisons[ast.NotEq]} 0.0", COMPARED


@cache
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _held(text: tuple[str, int], level: int) -> str:
    return text[0] if text[1] >= level else f"({text[0]})"


def wrapped(head: str, items: Sequence[str], end: str, indent: str) -> list[str]:
    """A list in lines that are not too long."""
    whole = f"{head}{', '.join(items)}{end}"
    if len(whole) <= 100:
        return [whole]
    lines, line = [head], indent
    for item in items:
        if len(line) + len(item) > 98 and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += f"{item}, "
    return [*lines, line.rstrip(", "), end]


def broken(line: str, indent: str, behind: str = " ", most: int = 100) -> list[str]:
    """A statement in lines of at most so many characters, broken behind blanks or commas where
    these allow it.
    """
    lead = line[: len(line) - len(line.lstrip())]
    lines: list[str] = []
    while len(line) > most:
        least, at = len(lead) + 20, most + 1
        last = at = line.rfind(behind, least, at)
        while at > 0 and line.count("[", 0, at) != line.count("]", 0, at):  # in brackets
            at = line.rfind(behind, least, at)
        at = (at if at > 0 else last) + len(behind) - 1
        if at < least:
            break
        lines.append(line[:at])
        line = lead + indent + line[at + 1 :]
    return [*lines, line]
