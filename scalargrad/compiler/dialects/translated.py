"""The package's own arithmetic in C and JavaScript, made of its text in Python.   (floor 3)

The text keeps to what the languages share: numbers and lists of them, conditions, loops
that count, calls.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ...arithmetic import extremes, periodic
from ...arithmetic.lists import exp_difference
from . import lists
from .text import RENAMED

FUNCTIONS: tuple[Callable[..., Any], ...] = (
    exp_difference, extremes.over_hypot, extremes.over_squares, extremes.over_square,
    extremes.power_slope, extremes.power_log, extremes.cube_root, extremes.gelu_series,
    extremes.gelu_factor, extremes.gelu_rest, extremes.gelu_tail, extremes.gelu_tail_slope,
    periodic.sin_pi, periodic.cos_pi, periodic.sinc_slope, *lists.NAMES,
)  # fmt: skip
KINDS = {"float": "number", "int": "whole", "Sequence[float]": "input", "list[float]": "output"}
RETURNS = {"float": "helper", "None": "part"}
TRANSLATED = {RENAMED.get(made.__name__, made.__name__): made for made in FUNCTIONS}


class Helper(NamedTuple):
    """A function as text, and the other helpers that it calls."""

    text: str
    calls: tuple[str, ...]


class Helpers(dict[str, Helper]):
    """The helpers of a dialect by name: those of its file, where `head` finds the name in each
    piece between empty lines, and those that are translated when they are asked for.
    """

    def __init__(self, dialect: Any, file: str, head: str) -> None:
        super().__init__()
        pieces = Path(__file__).with_name(file).read_text(encoding="utf-8").strip().split("\n\n")
        found = [(re.search(head, piece, re.MULTILINE), piece) for piece in pieces]
        written = {match[1]: piece for match, piece in found if match}
        self.dialect, self.names = dialect, {*written, *TRANSLATED}
        for name, piece in written.items():
            words = {*re.findall(r"\w+(?=\()|lanes", piece.lower())}
            self[name] = Helper(piece, tuple(sorted(words & self.names - {name})))

    def __missing__(self, name: str) -> Helper:
        made = _Translator(TRANSLATED[name], self.dialect)
        self[name] = Helper(made.text(), tuple(sorted(made.writer.called)))
        return self[name]

    def text_of(self, names: Iterable[str]) -> str:
        """The text of some, and of those that they call, each behind what it calls."""
        found: dict[str, str] = {}

        def add(name: str) -> None:
            if name in self.names and name not in found:
                helper = self[name]
                for call in helper.calls:
                    add(call)
                found[name] = helper.text

        for name in sorted(names):
            add(name)
        return "\n\n".join(found.values())


class _Translator:
    def __init__(self, function: Callable[..., Any], dialect: Any) -> None:
        self.dialect, self.writer = dialect, dialect.writer(dialect.functions)
        tree = _definitions(function.__module__)[function.__name__]
        self.name = RENAMED.get(tree.name, tree.name)
        self.comment, *self.body = tree.body
        self.parameters = [(KINDS[ast.unparse(x.annotation)], x.arg) for x in tree.args.args]
        self.kind = RETURNS[ast.unparse(tree.returns)]
        self.known = {name for _, name in self.parameters}

    def text(self) -> str:
        """The function, with the first line of Python's docstring as a comment."""
        comment = self.dialect.comment(self.comment.value.value.splitlines()[0].rstrip("."))
        read = {x.id for line in self.body for x in ast.walk(line) if isinstance(x, ast.Name)}
        lines = [*self.dialect.unused(self.parameters, read), *self._block(self.body)]
        return f"{comment}\n{self.dialect.function(self.kind, self.name, self.parameters, lines)}"

    def _block(self, statements: Iterable[ast.stmt]) -> list[str]:
        before, self.known = self.known, set(self.known)
        lines = [line for statement in statements for line in self._lines(statement)]
        self.known = before
        return lines

    def _headed(self, head: str, statements: Iterable[ast.stmt]) -> list[str]:
        inner = [self.dialect.indent + line for line in self._block(statements)]
        return [f"{head} {{", *inner, "}"]

    def _set(self, target: ast.expr, text: str, kind: str = "variable") -> str:
        name = self.writer.number(target)[0]
        if isinstance(target, ast.Name) and name not in self.known:
            self.known.add(name)
            return str(getattr(self.dialect, kind)(name, text))
        return f"{name} = {text};"

    def _lines(self, statement: ast.stmt) -> list[str]:
        number, truth = self.writer.number, self.writer.truth
        match statement:
            case ast.Return(value):
                return [f"return {number(value)[0]};" if value else "return;"]
            case ast.Assign([ast.Tuple([m, e])], ast.Call() as call):  # m, e = frexp(x)
                first = self._set(m, number(call.args[0])[0])
                exponent = self._set(e, self.writer.call("exponent", m)[0], "whole")
                return [first, exponent, self._set(m, self.writer.call("mantissa", m, e)[0])]
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)):
                (a, b), (x, y) = targets, [number(value)[0] for value in values]
                turned = ast.Name("turned")
                return [self._set(turned, x), self._set(b, y), self._set(a, "turned")]
            case ast.Assign([target], value):
                kind = "whole" if _is_whole(value) else "variable"
                return [self._set(target, number(value)[0], kind)]
            case ast.AugAssign(target, op, value):
                sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}[type(op)]
                return [f"{number(target)[0]} {sign}= {number(value)[0]};"]
            case ast.While(test, body):
                return self._headed(f"while ({truth(test)[0]})", body)
            case ast.For(_, ast.Call(ast.Name(name)), body):
                k = f"{self.dialect.counters[0]} k"
                steps = f"{k} = 0; k < n; k += step"
                back = f"{k} = n - step; k >= 0; k -= step"
                return self._headed(f"for ({back if name == 'reversed' else steps})", body)
            case ast.If(test, body, orelse):
                lines = self._headed(f"if ({truth(test)[0]})", body)
                if orelse and isinstance(orelse[0], ast.If):
                    first, *rest = self._lines(orelse[0])
                    return [*lines[:-1], f"}} else {first}", *rest]
                if orelse:
                    return [*lines[:-1], *self._headed("} else", orelse)]
                return lines
        raise AssertionError(f"no language but Python has {ast.unparse(statement)}")


@cache
def _definitions(module: str) -> dict[str, Any]:
    """The functions of a module by name."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _is_whole(value: ast.expr) -> bool:
    """Whether an expression is an exponent, or made of one: the only whole numbers there are."""
    text = ast.unparse(value)
    return text.startswith("math.frexp(") or text.endswith("% 3")
