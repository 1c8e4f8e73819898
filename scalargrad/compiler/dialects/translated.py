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
from .text import RENAMED, Writer, broken

FUNCTIONS: tuple[Callable[..., Any], ...] = (
    exp_difference, extremes.over_hypot, extremes.over_squares, extremes.over_square,
    extremes.power_slope, extremes.power_log, extremes.cube_root, extremes.gelu_series,
    extremes.gelu_factor, extremes.gelu_rest, extremes.gelu_tail, extremes.gelu_tail_slope,
    periodic.sin_pi, periodic.cos_pi, periodic.sinc_slope, *lists.NAMES,
)  # fmt: skip
TRANSLATED = {RENAMED.get(made.__name__, made.__name__): made for made in FUNCTIONS}


class Helper(NamedTuple):
    """A function as text, and the other helpers that it calls."""

    text: str
    calls: tuple[str, ...]


class Grammar(NamedTuple):
    """The differences between languages: indent, types, loops, and the writer of expressions."""

    indent: str
    types: dict[str, str]  # by annotation
    loop: str
    back: str
    writer: type[Writer]
    functions: dict[str, str]  # the language's own, where they have another name
    comment: str
    unused: str = ""


class Helpers(dict[str, Helper]):
    """The helpers of a language by name: those of a file, where `head` finds the name in each piece
    between empty lines, and those that are translated when they are asked for.
    """

    def __init__(self, file: str, head: str, grammar: Grammar) -> None:
        super().__init__()
        pieces = Path(__file__).with_name(file).read_text(encoding="utf-8").strip().split("\n\n")
        found = [(re.search(head, piece, re.MULTILINE), piece) for piece in pieces]
        written = {match[1]: piece for match, piece in found if match}
        self.grammar, self.names = grammar, {*written, *TRANSLATED}
        for name, piece in written.items():
            words = {*re.findall(r"\w+(?=\()|lanes", piece.lower())}
            self[name] = Helper(piece, tuple(sorted(words & self.names - {name})))

    def __missing__(self, name: str) -> Helper:
        made = _Translator(TRANSLATED[name], self.grammar)
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
    def __init__(self, function: Callable[..., Any], grammar: Grammar) -> None:
        self.grammar, self.writer = grammar, grammar.writer(grammar.functions)
        tree = _definitions(function.__module__)[function.__name__]
        self.name = RENAMED.get(tree.name, tree.name)
        self.comment, *self.body = tree.body
        self.parameters = [(x.arg, ast.unparse(x.annotation)) for x in tree.args.args]
        self.returns = ast.unparse(tree.returns)
        self.known = {name for name, _ in self.parameters}

    def text(self) -> str:
        """The function, with the first line of Python's docstring as a comment."""
        types, (lead, end) = self.grammar.types, self.grammar.comment.split("…")
        comment = f"{lead}{self.comment.value.value.splitlines()[0].rstrip('.')}{end}"
        listed = ", ".join([types[kind] + name for name, kind in self.parameters])
        read = {x.id for line in self.body for x in ast.walk(line) if isinstance(x, ast.Name)}
        unused = [self.grammar.unused.format(x) for x, _ in self.parameters if x not in read]
        lines = [*filter(None, unused), *self._block(self.body)]
        head = f"{types['-> ' + self.returns]}{self.name}({listed})"
        opened = [f"{head} {{"] if self.grammar.indent == "  " else [head, "{"]
        inner = [x for line in lines for x in broken(self.grammar.indent + line, "    ")]
        return "\n".join([comment, *opened, *inner, "}"])

    def _block(self, statements: Iterable[ast.stmt]) -> list[str]:
        before, self.known = self.known, set(self.known)
        lines = [line for statement in statements for line in self._lines(statement)]
        self.known = before
        return lines

    def _headed(self, head: str, statements: Iterable[ast.stmt]) -> list[str]:
        inner = [self.grammar.indent + line for line in self._block(statements)]
        return [f"{head} {{", *inner, "}"]

    def _set(self, target: ast.expr, text: str, kind: str = "float") -> str:
        name = self.writer.number(target)[0]
        is_new = isinstance(target, ast.Name) and name not in self.known
        self.known.add(name)
        return f"{self.grammar.types['= ' + kind] * is_new}{name} = {text};"

    def _lines(self, statement: ast.stmt) -> list[str]:
        number, truth = self.writer.number, self.writer.truth
        match statement:
            case ast.Return(value):
                return [f"return {number(value)[0]};" if value else "return;"]
            case ast.Assign([ast.Tuple([m, e])], ast.Call() as call):  # m, e = frexp(x)
                first = self._set(m, number(call.args[0])[0])
                exponent = self._set(e, self.writer.call("exponent", m)[0], "int")
                return [first, exponent, self._set(m, self.writer.call("mantissa", m, e)[0])]
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)):
                if isinstance(targets[0], ast.Tuple):
                    pairs: Any = zip(targets, values)
                    return [x for t, v in pairs for x in self._lines(ast.Assign([t], v))]
                (a, b), (x, y) = targets, [number(value)[0] for value in values]
                turned = ast.Name("turned")
                return [self._set(turned, x), self._set(b, y), self._set(a, "turned")]
            case ast.Assign([target], value):
                kind = "int" if _is_whole(value) else "float"
                return [self._set(target, number(value)[0], kind)]
            case ast.AugAssign(target, op, value):
                sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}[type(op)]
                return [f"{number(target)[0]} {sign}= {number(value)[0]};"]
            case ast.While(test, body):
                return self._headed(f"while ({truth(test)[0]})", body)
            case ast.For(_, ast.Call(ast.Name(name)), body):
                head = self.grammar.back if name == "reversed" else self.grammar.loop
                return self._headed(head, body)
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
