"""Source code that computes an operation on floats, and functions made from it.   (floor 1)

Such source holds only text from the table and names that are chosen here.
"""

from __future__ import annotations

import ast
from itertools import chain, count
from types import CodeType

from ..arithmetic import extremes, lists, periodic, total
from ..arithmetic.conversion import as_float
from ..ops import Op, named
from .templates import ON_FLOATS, WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# The functions that the text of values and slopes may call. Some of the fast ones raise errors.
FAST_NAMES: dict[str, Any] = {
    **total.RAISING,
    **lists.NAMES,
    **extremes.NAMES,
    **periodic.NAMES,
    "inf": total.inf,
    "nan": total.nan,
}
TOTAL_NAMES: dict[str, Any] = {**FAST_NAMES, **total.TOTAL}
USER_NAMES: dict[str, Any] = {}  # the functions given to `custom_op`, in a form that never raises

RESERVED = WORDS.union(FAST_NAMES)  # no work line gets one of these names in generated code


def statements(
    op: Op, by: tuple[str, ...] | None = None, total: bool = False
) -> tuple[list[str], list[str]]:
    """The lines that compute `out`, and the lines of the slopes `dx`, `dy`, … (or of some, `by`).

    A call of another operation is replaced by the text of that operation, and equal work is done in
    one line. `**` is written as pow, and 2 as 2.0. With `total`, a division is written as a call of
    `divide`, which has an answer for 1/0.

    >>> statements(named("tanh"))[1]
    ['a = 2.0 * x', 'e = exp(-a if a > 0.0 else a)', 't = 1.0 + e', 'dx = 4.0 * (e / (t * t))']
    """
    writer, plain = _Writer(op, total), {name: name for name in op.operands}
    out = writer.written_out(op, plain, op.value)
    forward, writer.lines = [*writer.lines, f"out = {out}"], []
    writer.names.setdefault(out, "out")
    for operand, slope in zip(op.operands, op.slopes or ()):
        if by is None or operand in by:
            writer.lines.append(f"d{operand} = {writer.written_out(op, plain, slope)}")
    return forward, writer.lines


class _Writer:
    """Writes out the expressions of an operation; `lines` holds the work that they share."""

    def __init__(self, op: Op, total: bool) -> None:
        self.total = total
        self.names: dict[str, str] = {}  # expression → the local name that holds it
        self.lines: list[str] = []
        self.reserved = {*op.operands, *(f"d{x}" for x in op.operands), *RESERVED, *FAST_NAMES}

    def local(self, name: str, expression: str) -> str:
        """The local name that holds an expression: `name` for a new one, or `name2` and so on."""
        if expression not in self.names:
            taken = self.reserved.union(self.names.values())
            alike = chain([name], (f"{name}{i}" for i in count(2)))
            self.names[expression] = next(one for one in alike if one not in taken)
            self.lines.append(f"{self.names[expression]} = {expression}")
        return self.names[expression]

    def written_out(self, called: Op, arguments: dict[str, str], expression: str) -> str:
        """An expression of an operation, with the texts of arguments in place of its operands."""
        inner = _Inline(self, dict(arguments))
        for line in called.work:
            name, _, text = line.partition(" = ")
            inner.arguments[name] = self.local(name, inner.inlined(text))
        return inner.inlined(expression)


class _Inline(ast.NodeTransformer):
    """Puts the text of an operation in place of its call, arguments in place of operands."""

    def __init__(self, writer: _Writer, arguments: dict[str, str]) -> None:
        self.writer, self.arguments = writer, arguments

    def inlined(self, expression: str) -> str:
        return ast.unparse(self.visit(ast.parse(expression, mode="eval")).body)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.arguments.get(node.id, node.id))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        called = named(name)
        if name in FAST_NAMES or called is None:
            return node
        simple = (ast.Name, ast.Constant)
        arguments = [
            ast.unparse(a) if isinstance(a, simple) else self.writer.local("a", ast.unparse(a))
            for a in node.args
        ]
        operands = dict(zip(called.operands, arguments, strict=True))
        text = self.writer.written_out(called, operands, called.value)
        return ast.parse(text, mode="eval").body

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):  # ** may raise, or give a complex number
            return ast.Call(ast.Name("pow"), [node.left, node.right], [])
        if self.writer.total and isinstance(node.op, ast.Div):
            return ast.Call(ast.Name("divide"), [node.left, node.right], [])
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(as_float(node.value)) if isinstance(node.value, int) else node


def source_on_floats(op: Op) -> str:
    """The source of `total`, value and slopes in total arithmetic, and of `value` by itself."""
    forward, slopes = statements(op, total=True)
    return ON_FLOATS.format(
        operands=", ".join(op.operands),
        forward="\n    ".join(forward),
        slopes="\n    ".join(slopes),
        results=", ".join(["out", *(f"d{operand}" for operand in op.operands)]),
    ).lstrip()


def run(text: str, filename: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run generated source with these names; tracebacks and `inspect.getsource` can show it.

    The text of a function that is gone is freed when the next one is written: collection can come
    while `linecache` goes through its names, which then must not change.
    """
    import linecache
    from weakref import finalize

    while _gone:
        name, freed = _gone.pop()
        if linecache.cache.get(name) is freed:
            del linecache.cache[name]
    entry = (len(text), None, text.splitlines(keepends=True), filename)
    linecache.cache[filename] = entry
    code = compile(text, filename, "exec")
    for function in [x for x in code.co_consts if isinstance(x, CodeType)][-1:]:
        finalize(function, _gone.append, (filename, entry)).atexit = False
    exec(code, names)
    return names


_gone: list[tuple[str, object]] = []  # texts whose functions are no more


def run_pieces(pieces: Sequence[str], filename: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run generated source in pieces; to compile each by itself takes less memory."""
    for i, piece in enumerate(pieces):
        run(piece, filename if len(pieces) == 1 else f"{filename[:-1]} part {i + 1}>", names)
    return names


_on_floats: dict[object, dict[str, Any]] = {}


def on_floats(op: Op) -> dict[str, Any]:
    """The functions `total` and `value` of an operation, which take floats and lists of floats.

    >>> on_floats(named("div"))["total"](1.0, 0.0)
    (inf, inf, -inf)
    """
    key = op.name, op.value, op.work, op.slopes
    if key not in _on_floats:
        _on_floats[key] = run(
            source_on_floats(op), f"<scalargrad {op.name} on floats>", {**TOTAL_NAMES}
        )
    return _on_floats[key]
