"""A line's text in C, and the functions that it calls there.   (floor 3)

C's own arithmetic is total: 1/0 is inf, log(-1) is nan, and nothing raises. Its library serves where it is good to 2 ulp; the
rest are helpers, written in `c_helpers` and carried along by the programs that call them.
"""

from __future__ import annotations

import ast
import math
from functools import lru_cache

from ..lower import Line
from .c_helpers import CALLS, HELPERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LIBRARY = {
    "abs": "fabs", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log1p": "log1p", "log2": "log2",
    "log10": "log10", "sqrt": "sqrt", "cbrt": "cbrt", "pow": "pow", "sin": "sin", "cos": "cos", "tan": "tan", "asin": "asin",
    "acos": "acos", "atan": "atan", "atan2": "atan2", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh",
    "acosh": "acosh", "atanh": "atanh", "hypot": "hypot", "erf": "erf", "erfc": "erfc",
}  # fmt: skip
WIDE = {  # for long loops: what compilers turn into vector instructions
    "abs": "fabs", "sqrt": "sqrt", "exp": "wide_exp", "tanh": "wide_tanh", "difference_exp": "wide_difference_exp",
}  # fmt: skip
CONSTANTS = {"inf": "INFINITY", "nan": "NAN"}
RESERVED = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float", "for",
    "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct",
    "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "main", "asm", "typeof", "bool", "true", "false",
    "errno", "math_errhandling", "signgam", "linux", "unix", "near", "far", "small",
    "j0", "j1", "jn", "y0", "y1", "yn", "gamma", "lgamma", "tgamma", "log2", "logb", "ilogb", "scalb", "scalbn", "scalbln",
    "ldexp", "frexp", "modf", "fmod", "fma", "fmax", "fmin", "fdim", "ceil", "floor", "trunc", "round", "lround", "llround",
    "rint", "lrint", "llrint", "nearbyint", "nextafter", "nexttoward", "remainder", "remquo", "copysign", "significand", "drem",
    "pow10", "exp10", "isnan", "isinf", "isfinite", "isnormal", "signbit", "fpclassify", "finite", "div", "abs", "memcpy", "memset",
    "i", "j", "k", "o", "q", "r", "n", "s", "a", "b", "c", "d", "e", "m", "first", "rows", "share", "work", "value",
    "values", "order", "begin", "end", "step", "steps", "loss", "losses", "out", "value_and_grad", "jacobian", "rates", "weights", "state", "states", "train", "lr",
    "l", "wide", "first_step", "orders", "starts", "ends", "gradient", "train_update", "array_of", "number_of", "objects",
    "LANES", "SHUFFLE", "INFINITY", "NAN", "HUGE_VAL", "HUGE_VALF", "HUGE_VALL", "FP_INFINITE", "FP_NAN", "FP_NORMAL",
    "FP_SUBNORMAL", "FP_ZERO", "FP_FAST_FMA", "FP_ILOGB0", "FP_ILOGBNAN", "MATH_ERRNO", "MATH_ERREXCEPT", "SIZE_MAX",
    *(f"{kind}{bits}_{end}" for kind in ("INT", "UINT", "INT_LEAST", "UINT_LEAST", "INT_FAST", "UINT_FAST")
      for bits in (8, 16, 32, 64) for end in ("MIN", "MAX")),
    *(f"{kind}_{end}" for kind in ("INTMAX", "UINTMAX", "INTPTR", "UINTPTR", "PTRDIFF", "WCHAR", "WINT", "SIG_ATOMIC")
      for end in ("MIN", "MAX")),
    *LIBRARY.values(), *HELPERS,
}  # fmt: skip

# how tightly text holds together
CHOICE, EITHER, BOTH, COMPARED, SUMMED, MULTIPLIED, SIGNED, ATOM = range(8)
SIGNS = {
    ast.Add: ("+", SUMMED),
    ast.Sub: ("-", SUMMED),
    ast.Mult: ("*", MULTIPLIED),
    ast.Div: ("/", MULTIPLIED),
}
COMPARISONS = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def literal(number: float) -> str:
    """A number as C has it.

    >>> literal(0.1), literal(float("inf")), literal(-2.0)
    ('0.1', 'INFINITY', '-2.0')
    """
    if math.isfinite(number):
        return repr(number)
    return "NAN" if number != number else "INFINITY" if number > 0.0 else "-INFINITY"


class Text:
    """A line as C: which functions it calls, and whether compilers can turn it into vector instructions."""

    def __init__(self, line: Line) -> None:
        self.tree = line.tree
        self.calls = {
            node.func.id
            for node in ast.walk(line.tree)  # type: ignore[arg-type]
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        self.is_wide = self.calls <= WIDE.keys()

    def called(self, wide: bool) -> set[str]:
        """The C functions that it calls."""
        names = WIDE if wide and self.is_wide else {**LIBRARY, **CALLS}
        return {names[call] for call in self.calls}

    def of(self, operands: Mapping[str, str], wide: bool = False) -> str:
        """The expression with texts in place of its operands.

        >>> from scalargrad.compiler.lower import line_of
        >>> Text(line_of("(e if x < 0.0 else 1.0) / t")).of({"e": "a[i]", "x": "x[i]", "t": "b[i]"})
        '(x[i] < 0.0 ? a[i] : 1.0) / b[i]'
        """
        functions = WIDE if wide and self.is_wide else {**LIBRARY, **CALLS}
        return Writer(operands, functions).number(self.tree)[0]  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def text_of(line: Line) -> Text:
    """A line as C."""
    return Text(line)


class Writer:
    """Writes an expression; languages that have C's signs differ in what stands here first."""

    constants, literal = CONSTANTS, staticmethod(literal)
    both, either, equal, different = "&", "|", "==", "!="

    def __init__(self, operands: Mapping[str, str], functions: Mapping[str, str]) -> None:
        self.operands, self.functions = operands, functions

    def number(self, node: ast.expr) -> tuple[str, int]:
        """An expression that is a number, and how tightly it holds together."""
        match node:
            case ast.Name(name):
                text = self.operands.get(name) or self.constants[name]
                return text, SIGNED if text[0] == "-" else ATOM
            case ast.Constant(value):
                return self.literal(float(value)), ATOM  # type: ignore[arg-type]
            case ast.BinOp(left, op, right):
                sign, level = SIGNS[type(op)]
                return (
                    f"{_held(self.number(left), level)} {sign} {_held(self.number(right), level + 1)}",
                    level,
                )
            case ast.UnaryOp(ast.USub(), operand):
                return f"-{_held(self.number(operand), ATOM)}", SIGNED
            case ast.UnaryOp(ast.UAdd(), operand):
                return self.number(operand)
            case ast.IfExp(test, body, orelse):
                condition = _held(self.truth(test), COMPARED)
                return (
                    f"{condition} ? {_held(self.number(body), EITHER)} : {self.number(orelse)[0]}",
                    CHOICE,
                )
            case ast.Call(ast.Name(name), arguments):
                listed = ", ".join([self.number(argument)[0] for argument in arguments])
                return f"{self.functions[name]}({listed})", ATOM
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not()):
                return f"{_held(self.truth(node), COMPARED)} ? 1.0 : 0.0", CHOICE
        raise AssertionError(f"the table holds no such expression: {ast.unparse(node)}")

    def truth(self, node: ast.expr) -> tuple[str, int]:
        """An expression that is a condition; of numbers, whether they are not 0.

        `&` and `|` stand in place of `&&` and `||`: both sides are cheap, and no branch is in the way of vector instructions.
        """
        match node:
            case ast.Compare(left, ops, comparators):
                sides = [_held(self.number(side), SUMMED) for side in (left, *comparators)]
                signs = [self.sign(type(op)) for op in ops]
                parts = [f"{a} {sign} {b}" for a, sign, b in zip(sides, signs, sides[1:])]
                return (
                    (f" {self.both} ".join(f"({part})" for part in parts), BOTH)
                    if len(parts) > 1
                    else (parts[0], COMPARED)
                )
            case ast.BoolOp(op, values):
                sign = self.both if isinstance(op, ast.And) else self.either
                return f" {sign} ".join(_held(self.truth(value), ATOM) for value in values), EITHER
            case ast.UnaryOp(ast.Not(), operand):
                return f"!{_held(self.truth(operand), ATOM)}", SIGNED
        return f"{_held(self.number(node), SUMMED)} {self.different} 0.0", COMPARED

    def sign(self, op: type[ast.cmpop]) -> str:
        """The sign of a comparison."""
        return {ast.Eq: self.equal, ast.NotEq: self.different}.get(op) or COMPARISONS[op]


def _held(text: tuple[str, int], level: int) -> str:
    return text[0] if text[1] >= level else f"({text[0]})"


def helpers(names: Iterable[str]) -> str:
    """The text of helpers that are called, and of those that they call."""
    wanted: set[str] = set()
    stack = [name for name in names if name in HELPERS]
    while stack:
        name = stack.pop()
        if name not in wanted:
            wanted.add(name)
            stack += HELPERS[name].calls
    return "\n\n".join([HELPERS[name].text for name in HELPERS if name in wanted])
