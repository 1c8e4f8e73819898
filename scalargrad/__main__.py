"""The command line: the value and the slopes of an expression.   (floor 3)

    python -m scalargrad "tanh(w*x + b)" w=0.5 x=2 b=-1

The expression is never run as Python. It is read into a syntax tree, and what is not allowed in the
tree is refused: it may hold numbers, the given names, + - * / % **, comparisons in `where`, lists,
and calls of the functions of the table. Arithmetic is that of the package, on floats and Values.
"""

from __future__ import annotations

import ast
import sys
import warnings
from inspect import Parameter, Signature
from io import TextIOWrapper
from itertools import chain
from keyword import iskeyword
from math import inf, isfinite
from operator import eq, ge, gt, le, lt, ne
from unicodedata import normalize

from . import functions
from .ops import LISTS, named
from .value import Value
from .wording import clean, unused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, NoReturn

HELP = """\
usage: python -m scalargrad EXPRESSION name=number … [--explain] [--svg FILE] [--page FILE]
       python -m scalargrad EXPRESSION name=number … --source | --c | --js

Print the value of an expression and its slope by each name.

  python -m scalargrad "tanh(w*x + b)" w=0.5 x=2 b=-1

EXPRESSION  numbers, names, + - * / % **, and functions such as exp, tanh, relu, sigmoid,
            maximum(x, 0), where(x > 0, x, 0), sum([x, y]), dot([w1, w2], [x1, x2], b)
--explain   the paths that each slope is the sum of
--svg FILE  write a picture of the graph
--page FILE write a page that walks through the graph step by step
--source    print only the compiled function in Python; --c in C, --js in JavaScript
"""
LONGEST = 2000  # characters of an expression
LARGEST = sys.float_info.max
DEEPEST = 100  # levels of an expression
LANGUAGES = {"--source": "", "--c": "c", "--js": "javascript"}
FILES = {"--svg": "svg", "--page": "html"}  # an option, and how its files end
OPERATORS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Mod: "mod",
    ast.Pow: "pow", ast.USub: "neg", ast.UAdd: "",
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: lt, ast.LtE: le, ast.Eq: eq, ast.Gt: gt, ast.GtE: ge, ast.NotEq: ne,
}  # fmt: skip
# operands of functions that may be more than a number
ALSO: dict[str, tuple[type[ast.AST], ...]] = {
    "condition": (ast.Compare,), **dict.fromkeys(LISTS, (ast.List,)),
}  # fmt: skip


class Refused(Exception):
    """A request that the command line refuses, in one line."""


# ------------------------------------------------------------------ reading an expression


class Expression:
    """An expression in names; called with a number or Value for each of them it gives one.

    >>> Expression("w*x + 1", ["w", "x"])(0.5, 2.0)
    2.0
    >>> Expression("x.real", ["x"])
    Traceback (most recent call last):
    scalargrad.__main__.Refused: 'x.real' may not stand in an expression
    """

    def __init__(self, text: str, names: Sequence[str]) -> None:
        if len(text) > LONGEST:
            raise Refused(f"an expression has at most {LONGEST:,} characters, got {len(text):,}")
        self.text, self.names = text.strip(), tuple(names)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.tree = ast.parse(self.text, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
            if reason == "invalid decimal literal":
                reason = "a product needs its sign, as in 2*x"
            raise Refused(f"{shown(self.text)} is no expression: {reason}") from None
        self.check(self.tree)
        # `compile` names the function and its arguments so.
        self.__name__, self.__doc__ = "expression", ast.unparse(self.tree)
        kind = Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = Signature([Parameter(name, kind) for name in names])

    def __call__(self, *numbers: Any) -> Any:
        return self.value(self.tree, dict(zip(self.names, numbers)))

    def refuse(self, node: ast.AST, reason: str = "may not stand in an expression") -> NoReturn:
        raise Refused(f"{shown(ast.get_source_segment(self.text, node) or self.text)} {reason}")

    def check(self, node: ast.AST, also: tuple[type[ast.AST], ...] = (), depth: int = 0) -> None:
        """Refuse what is not in the allow-list; what is in `also` is allowed at this place."""
        if depth > DEEPEST:
            raise Refused(
                f"an expression has at most {DEEPEST} levels: write a long sum as sum([a, b, c])"
            )
        parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                pass
            case ast.Name(id=name):
                if name not in self.names:
                    self.refuse(node, f"has no number: write {name}=1.0 behind the expression")
            case ast.BinOp(op=op) | ast.UnaryOp(op=op) if type(op) in OPERATORS:
                pass
            case ast.BinOp(op=ast.BitXor()):
                self.refuse(node, "is no power: write x**2 for x squared")
            case ast.Compare(ops=[op]) if ast.Compare in also and type(op) in COMPARISONS:
                pass
            case ast.List() | ast.Tuple() if ast.List in also:
                pass
            case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]):
                called = named(name)
                if called is None or not called.is_public:
                    self.refuse(node, f"calls {name}, which is no function of the table")
                for operand, part in zip(called.operands, parts):
                    self.check(part, ALSO.get(operand, ()), depth + 1)
                parts = parts[len(called.operands) :]
            case _:
                self.refuse(node)
        for part in parts:
            self.check(part, (), depth + 1)

    def value(self, node: ast.AST, numbers: dict[str, Any]) -> Any:
        """The value of a part of the expression, which has been checked."""
        match node:
            case ast.Constant(value=int() | float() as number):
                found: Any = float(number) if abs(number) <= LARGEST else inf
            case ast.Name(id=name):
                return numbers[name]
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return [self.value(part, numbers) for part in parts]
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return COMPARISONS[type(op)](self.value(left, numbers), self.value(right, numbers))
            case ast.UnaryOp(op=op, operand=part):
                found = self.called(node, OPERATORS[type(op)], [part], numbers)
            case ast.BinOp(op=op, left=left, right=right):
                found = self.called(node, OPERATORS[type(op)], [left, right], numbers)
            case ast.Call(func=ast.Name(id=name), args=parts):
                found = self.called(node, name, parts, numbers)
            case _:
                raise AssertionError("check lets nothing else pass")
        if isinstance(found, float) and not isfinite(found):
            self.refuse(node, f"is {found}: plain numbers must be finite")
        return found

    def called(
        self, node: ast.AST, name: str, parts: Sequence[ast.AST], numbers: dict[str, Any]
    ) -> Any:
        """The result of a function of the table."""
        given = [self.value(part, numbers) for part in parts]
        try:
            return getattr(functions, name)(*given) if name else given[0]
        except (TypeError, ValueError) as error:
            self.refuse(node, f"does not work: {error}")


def shown(text: str) -> str:
    """A text in quotes, in one line, and not too long."""
    text = clean(" ".join(text.split()))
    return repr(text if len(text) <= 60 else f"{text[:57]}…")


# ------------------------------------------------------------------ the command line


def read(arguments: Sequence[str]) -> tuple[str, dict[str, float], dict[str, str]]:
    """The expression, the numbers, and the options with their files."""
    texts: list[str] = []
    numbers: dict[str, float] = {}
    options: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, number = argument.partition("=")
        name = normalize("NFKC", name.strip())  # as Python reads names
        if name in FILES:
            options[name] = number if equals else next(rest, "")
            if not options[name] or options[name].startswith("--"):
                raise Refused(f"{name} needs a file: write {name} name.{FILES[name]}")
        elif argument in ("--explain", *LANGUAGES):
            options[argument] = ""
        elif equals and name.isidentifier():
            if iskeyword(name) or name in numbers:
                raise Refused(f"{name} " + ("is given twice" if name in numbers else "is no name"))
            try:
                numbers[name] = float(number)
            except ValueError:
                raise Refused(f"{shown(argument)}: write a number, such as {name}=0.5") from None
        elif argument.strip():
            texts.append(argument)
    for option in [text for text in texts if text.startswith("--")]:
        if option[2:].isidentifier() and option[2:] not in numbers:  # --x is the number x
            raise Refused(f"{shown(option)} is no option: --help lists them")
    if not texts:
        raise Refused('write an expression, such as "tanh(w*x)" w=0.5 x=2 (--help says more)')
    if len(texts) > 1:
        raise Refused(f"one expression is expected, and {shown(texts[1])} is another: quote it all")
    if options.keys() & LANGUAGES and len(options) > 1:
        raise Refused(f"write one of {', '.join(LANGUAGES)}, and no other option beside it")
    return texts[0], numbers, options


def run(arguments: Sequence[str]) -> Iterator[str]:
    """Do what the arguments ask for; yield the lines to print."""
    text, numbers, options = read(arguments)
    expression = Expression(text, [*numbers])
    leaves = [Value(number, name) for name, number in numbers.items()]
    found = expression(*leaves)
    if isinstance(found, list):
        raise Refused(f"{shown(text)} gives {len(found)} numbers, one is expected")
    root = found if isinstance(found, Value) else Value(found)
    for option in options.keys() & LANGUAGES:
        yield source(expression, leaves, LANGUAGES[option])
        return
    name = next(name for name in chain("yf", unused({*numbers}, "y")) if name not in numbers)
    if root._operation is not None:
        root.label = name
    root.backward()
    results = {name: root.data} | {f"d{name}/d{leaf.label}": leaf.grad for leaf in leaves}
    wide = max(map(len, results))
    yield from (f"{name:{wide}} = {number!r}" for name, number in results.items())
    if "--explain" in options:
        from .explaining import explain

        made_of = {*root.graph()}
        yield from (f"\n{explain(root, leaf)}" for leaf in leaves if leaf in made_of)
    for option in [option for option in FILES if option in options]:
        from .pictures import draw

        written = draw(root) if option == "--svg" else draw(root).page()
        yield str(written.save(options[option]))


def source(expression: Expression, leaves: Sequence[Value], language: str) -> str:
    """The compiled function as text, in a language."""
    from .compiler import compile

    if not leaves:
        raise Refused("an expression without names has no function: give it a name=number")
    f = compile(expression, wrt=tuple(range(len(leaves))), backend="python")
    return f.source(*[leaf.data for leaf in leaves], language=language).rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 2 if it refuses the arguments, 1 if something else is missing."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or {"-h", "--help"} & {*arguments}:
        print(HELP, end="")
        return 0
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may not know every sign
    try:
        for line in run(arguments):
            print(line)
    except Refused as refused:
        return told(refused, 2)
    except (OSError, ImportError, RuntimeError, ValueError) as error:
        return told(error, 1)
    return 0


def told(error: Exception, code: int) -> int:
    """Print an error in one line; the code to exit with."""
    print(f"scalargrad: {clean(' '.join(str(error).split()))}", file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
