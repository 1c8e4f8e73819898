"""A line's text in JavaScript, and how statements stand there.   (floor 3)

Its numbers are Python's floats, its Math is good to an ulp or two; what it lacks is carried along.
"""

from __future__ import annotations

import math

from .c import OWN, Dialect
from .javascript_helpers import FUNCTIONS, HELPERS, JavaScriptWriter
from .text import broken, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

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
    functions, writer, texts = FUNCTIONS, JavaScriptWriter, HELPERS
    reserved = frozenset({*OWN, *WORDS.split(), *HELPERS.names})

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

    def listed(self, name: str, texts: Sequence[str]) -> str:
        """An array of some numbers."""
        return f"const {name} = [{', '.join(texts)}];"

    def array_at(self, name: str, at: int) -> str:
        """An array that has its numbers in the room to work in."""
        return f"const {name} = work.subarray({at});"

    def part(self, name: str, at: str) -> str:
        """An array from a place on."""
        return name if at == "0" else f"{name}.subarray({at})"

    def loop(self, variable: str, count: int | str) -> str:
        """The head of a loop."""
        return f"for (let {variable} = 0; {variable} < {count}; {variable}++)"

    def table(self, name: str, items: Sequence[str], is_index: bool) -> list[str]:
        """Constants, which stand outside of functions."""
        return wrapped(f"const {name} = [", items, "];", self.indent)

    def function(
        self, kind: str, name: str, parameters: Sequence[tuple[str, str]], lines: Iterable[str]
    ) -> str:
        """A function around its lines."""
        head = f"function {name}({', '.join([name for _, name in parameters])}) {{"
        inner = [part for line in lines for part in broken(self.indent + line, "    ")]
        return "\n".join([*broken(head, "    ", ", "), *inner, "}"])

    def unused(self, parameters: Sequence[tuple[str, str]], uses: Collection[str]) -> list[str]:
        """Nothing is said of parameters that nothing reads."""
        return []


JAVASCRIPT = JavaScript(most_room=math.inf)
