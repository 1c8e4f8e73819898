"""Functions in JavaScript: those of Math, and those that programs carry along.   (floor 3)"""

from .c_helpers import CALLS, FURTHER, OF_MATH
from .text import COMPARED, Writer
from .translated import Grammar, Helpers, expressions

FUNCTIONS = {
    **{name: f"Math.{name}" for name in ("abs", *OF_MATH)},
    **{name: name for name in (*FURTHER, *CALLS)},
    "pow": "power",
}


class JavaScriptWriter(Writer):
    """Writes an expression in JavaScript."""

    constants = {"inf": "Infinity", "nan": "NaN"}  # noqa: RUF012
    both, either, equal, different = "&&", "||", "===", "!=="
    least = COMPARED


literal = JavaScriptWriter.literal
TYPES = {
    **dict.fromkeys(("float", "int", "Sequence[float]", "list[float]"), ""),
    **dict.fromkeys(("-> float", "-> None"), "function "), "= float": "let ", "= int": "const ",
}  # fmt: skip
GRAMMAR = Grammar(
    "  ", TYPES, "for (let k = 0; k < n; k++)", "for (let k = n - 1; k >= 0; k--)",
    expressions(JavaScriptWriter, FUNCTIONS | {"larger": "Math.max", "floor": "Math.floor"}),
    "// …",
)  # fmt: skip
HELPERS = Helpers("helpers.js", r"^function (\w+)", GRAMMAR)
