"""A line's text in JavaScript, and how statements stand there.   (floor 3)

Its numbers are Python's floats, its Math is good to an ulp or two; what it lacks is carried along.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Mapping, Sequence

from .c import OF_MATH, OWN, Dialect
from .text import COMPARED, COMPARISONS, Writer, wrapped

FUNCTIONS = {
    **{name: f"Math.{name}" for name in ("abs", "floor", *OF_MATH)},
    "larger": "Math.max", "pow": "power",
}  # fmt: skip


class JavaScriptWriter(Writer):
    """Writes an expression in JavaScript."""

    constants = {"inf": "Infinity", "nan": "NaN"}  # noqa: RUF012
    comparisons = COMPARISONS | {ast.Eq: "===", ast.NotEq: "!=="}
    both, either, least = "&&", "||", COMPARED


WORDS = """
    arguments async await break case catch class const continue debugger default delete do else
    enum eval export extends false finally for function get if implements import in instanceof
    interface let new null of package private protected public return set static super switch
    this throw true try typeof undefined var void while with yield Infinity NaN Math
    Float64Array Int32Array Array Number Object String ArrayBuffer TypeError RangeError Error
    globalThis window document self console process require module exports value value_and_grad
    jacobian content flat given shape counts
"""


class JavaScript(Dialect):
    """JavaScript as a module."""

    indent, rows = "  ", "n"
    types = dict.fromkeys(Dialect.types, "")
    kinds = dict.fromkeys(Dialect.kinds, "function")
    nothing, counters, opening = "", ("let", "let"), " {"
    functions, writer = FUNCTIONS, JavaScriptWriter
    file = "helpers.js", r"^function (\w+)"
    constant = "const {} = {};".format
    variable = "let {} = {};".format
    whole = "const {} = {};".format
    comment = "// {}".format
    reserved = frozenset({*OWN, *WORDS.split()})

    def arrays(self, sizes: Mapping[str, int]) -> str:
        """Room for so many numbers under each name."""
        listed = [f"{name} = new Float64Array({size})" for name, size in sizes.items()]
        return f"const {', '.join(listed)};"

    def part(self, name: str, at: str) -> str:
        """An array from a place on."""
        return name if at == "0" else f"{name}.subarray({at})"

    def table(self, name: str, items: Sequence[str], is_index: bool) -> list[str]:
        """Constants, which stand outside of functions."""
        return wrapped(f"const {name} = [", items, "];", self.indent)

    def unused(self, parameters: Sequence[tuple[str, str]], uses: Collection[str]) -> list[str]:
        """Nothing is said of parameters that nothing reads."""
        return []


JAVASCRIPT = JavaScript(most_room=math.inf)
