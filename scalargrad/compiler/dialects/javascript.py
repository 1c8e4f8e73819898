"""A line's text in JavaScript, and how statements stand there.   (floor 3)

Its numbers are Python's floats, and its Math is good to an ulp or two; what it lacks is carried along.
"""

from __future__ import annotations

import math
from functools import lru_cache

from ..lower import Line
from .c import Writer, text_of
from .c_helpers import CALLS, OF_LISTS
from .javascript_helpers import HELPERS
from .plain import OWN, Dialect, broken, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

OF_MATH = (
    "abs", "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan", "atan2",
    "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
)  # fmt: skip
FUNCTIONS = {
    **{name: f"Math.{name}" for name in OF_MATH},
    **{name: name for name in ("exp2", "hypot", "erf", "erfc", *CALLS)},
    "pow": "power",
}
WORDS = (
    "arguments", "async", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default",
    "delete", "do", "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function", "get", "if",
    "implements", "import", "in", "instanceof", "interface", "let", "new", "null", "of", "package", "private",
    "protected", "public", "return", "set", "static", "super", "switch", "this", "throw", "true", "try", "typeof",
    "undefined", "var", "void", "while", "with", "yield", "Infinity", "NaN", "Math", "Float64Array", "Int32Array",
    "Array", "Number", "Object", "String", "ArrayBuffer", "TypeError", "RangeError", "Error", "globalThis", "window",
    "document", "self", "console", "process", "require", "module", "exports", "value", "value_and_grad", "jacobian",
    "content", "flat", "given", "shape", "counts",
)  # fmt: skip


def literal(number: float) -> str:
    """A number as JavaScript has it.

    >>> literal(0.1), literal(float("-inf"))
    ('0.1', '-Infinity')
    """
    if math.isfinite(number):
        return repr(number)
    return "NaN" if number != number else "Infinity" if number > 0.0 else "-Infinity"


class JavaScriptWriter(Writer):
    """Writes an expression in JavaScript."""

    constants, literal = {"inf": "Infinity", "nan": "NaN"}, staticmethod(literal)
    both, either, equal, different = "&&", "||", "===", "!=="


@lru_cache(maxsize=4096)
def _called(line: Line) -> frozenset[str]:
    return frozenset(FUNCTIONS[call] for call in text_of(line).calls)


class JavaScript(Dialect):
    """JavaScript as a module."""

    indent = "  "
    reserved = frozenset({*OWN, *WORDS, *HELPERS})
    comment = "/* ", " */"
    rows, most_room = "n", math.inf
    types = dict.fromkeys(Dialect.types, "")
    lists = OF_LISTS

    def literal(self, number: float) -> str:
        """A number as the language has it."""
        return literal(number)

    def text(self, line: Line, operands: Mapping[str, str], calls: set[str]) -> str:
        """A line as an expression; what it calls is added to `calls`."""
        calls |= _called(line)
        assert line.tree is not None
        return JavaScriptWriter(operands, FUNCTIONS).number(line.tree)[0]

    def constant(self, name: str, text: str) -> str:
        """A number that never changes."""
        return f"const {name} = {text};"

    def variable(self, name: str, text: str) -> str:
        """A number that is added to."""
        return f"let {name} = {text};"

    def arrays(self, sizes: Mapping[str, int]) -> str:
        """Room for so many numbers under each name."""
        listed = [f"{name} = new Float64Array({size})" for name, size in sizes.items()]
        return f"const {', '.join(listed)};"

    def loop(self, variable: str, count: int | str) -> str:
        """The head of a loop."""
        return f"for (let {variable} = 0; {variable} < {count}; {variable}++)"

    def part(self, name: str, at: str) -> str:
        """An array from a place on."""
        return name if at == "0" else f"{name}.subarray({at})"

    def table(self, name: str, items: Sequence[str], is_index: bool) -> list[str]:
        """Constants, which stand outside of functions."""
        return wrapped(f"const {name} = [", items, "];", self.indent)

    def head(self, kind: str, name: str, parameters: Sequence[tuple[str, str]]) -> str:
        """The head of a function."""
        return f"function {name}({', '.join([name for _, name in parameters])})"

    def function(self, head: str, lines: Sequence[str]) -> str:
        """A function around its lines."""
        return "\n".join([*broken(f"{head} {{", "    ", ", "), *lines, "}"])

    def unused(self, name: str) -> list[str]:
        """Nothing is said of a parameter that nothing reads."""
        return []

    def helpers(self, calls: Iterable[str]) -> str:
        """The text of functions that are called, and of those that they call."""
        wanted: set[str] = set()
        stack = [name for name in calls if name in HELPERS]
        while stack:
            name = stack.pop()
            if name not in wanted:
                wanted.add(name)
                stack += [other for other in HELPERS if f"{other}(" in HELPERS[name]]
        return "\n\n".join([text for name, text in HELPERS.items() if name in wanted])


JAVASCRIPT = JavaScript()
