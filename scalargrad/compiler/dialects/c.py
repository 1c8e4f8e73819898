"""Lines, loops, tables and functions as they are written in C.   (floor 3)

C's own arithmetic is total: 1/0 is inf, log(-1) is nan, and nothing raises. Its library serves
where it is good to 2 ulp; the rest are helpers, which the programs that call them carry along.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache

from ..lower import Line
from ..naming import Names
from .text import Writer, broken, wrapped
from .translated import Helpers

OF_MATH = (  # under the same name in Python's table, C and JavaScript
    "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "sin", "cos", "tan", "asin",
    "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
)  # fmt: skip
FURTHER = ("exp2", "hypot", "erf", "erfc")  # in C and not in JavaScript
LIBRARY = {"abs": "fabs", "pow": "pow", **{name: name for name in (*OF_MATH, *FURTHER)}}
OF_LISTS = {  # the value of a list, and its slopes
    "norm": "length_of", "logsumexp": "log_sum_exp", "max": "largest_of", "min": "smallest_of",
    "prod": "product_of", "_peak": "largest_of", "norm_slopes": "unit_of",
    "logsumexp_slopes": "soft_max", "max_slopes": "tie_shares", "min_slopes": "tie_shares",
    "prod_slopes": "products_of_others",
}  # fmt: skip
OF_EACH = {  # the same of lists that stand side by side in the rows of a tile
    "logsumexp": "log_sum_exp_of_each", "max": "largest_of_each", "_peak": "largest_of_each",
    "logsumexp_slopes": "soft_max_of_each",
}  # fmt: skip
WIDE = {  # for long loops: what compilers turn into vector instructions
    "abs": "fabs", "sqrt": "sqrt", "exp": "wide_exp", "tanh": "wide_tanh",
    "difference_exp": "wide_difference_exp",
}  # fmt: skip
WORDS = """
    auto break case char const continue default do double else enum extern float for goto if
    inline int long register restrict return short signed sizeof static struct switch typedef
    union unsigned void volatile while main asm typeof bool true false errno math_errhandling
    signgam linux unix near far small j0 j1 jn y0 y1 yn gamma lgamma tgamma log2 logb ilogb
    scalb scalbn scalbln ldexp frexp modf fmod fma fmax fmin fdim ceil floor trunc round lround
    llround rint lrint llrint nearbyint nextafter nexttoward remainder remquo copysign
    significand drem pow10 exp10 isnan isinf isfinite isnormal signbit fpclassify finite div
    abs memcpy memset array_of number_of objects value value_and_grad jacobian predict train
    check report LANES SHUFFLE UNROLLED FUSED INFINITY NAN HUGE_VAL HUGE_VALF HUGE_VALL
    FP_INFINITE FP_NAN FP_NORMAL FP_SUBNORMAL FP_ZERO FP_FAST_FMA FP_ILOGB0 FP_ILOGBNAN
    MATH_ERRNO MATH_ERREXCEPT SIZE_MAX TEST M_E M_LOG2E M_LOG10E M_LN2 M_LN10 M_PI M_PI_2 M_PI_4
    M_1_PI M_2_PI M_2_SQRTPI M_SQRT2 M_SQRT1_2 nullptr constexpr alignas alignof static_assert
    thread_local typeof_unqual BUFSIZ EOF FILE FILENAME_MAX FOPEN_MAX L_tmpnam NULL SEEK_CUR
    SEEK_END SEEK_SET TMP_MAX clearerr fclose feof ferror fflush fgetc fgetpos fgets fopen fpos_t
    fprintf fputc fputs fread freopen fscanf fseek fsetpos ftell fwrite getc getchar gets perror
    printf putc putchar puts remove rename rewind scanf setbuf setvbuf size_t snprintf sprintf
    sscanf stderr stdin stdout tmpfile tmpnam ungetc vfprintf vfscanf vprintf vscanf vsnprintf
    vsprintf vsscanf
"""
SIZED = ("INT", "UINT", "INT_LEAST", "UINT_LEAST", "INT_FAST", "UINT_FAST")
LIMITS = (
    "INTMAX", "UINTMAX", "INTPTR", "UINTPTR", "PTRDIFF", "WCHAR", "WINT", "SIG_ATOMIC",
    *(f"{kind}{bits}" for kind in SIZED for bits in (8, 16, 32, 64)),
)  # fmt: skip
RESERVED = {
    *WORDS.split(), *LIBRARY.values(),
    *(f"{kind}_{end}" for kind in LIMITS for end in ("MIN", "MAX")),
}  # fmt: skip
OWN = {*"ijlmkrn", "first", "here", "wide", "share", "work"}  # of what is generated


@lru_cache(maxsize=4096)
def calls_of(line: Line) -> frozenset[str]:
    """The functions that a line calls, under the names that they have in the table."""
    nodes = ast.walk(line.tree) if line.tree else ()
    names = [node.func for node in nodes if isinstance(node, ast.Call)]
    return frozenset(name.id for name in names if isinstance(name, ast.Name))


class Dialect:
    """C. As it is `in_blocks`, rows of data are taken in tiles, and products of matrices and long
    loops by vector instructions.
    """

    indent = "    "
    rows = "(double)n"  # the number of rows as a number
    types = {  # noqa: RUF012
        "number": "double ", "input": "const double *restrict ", "output": "double *restrict ",
        "count": "long ", "room": "double *restrict ", "place": "long ",
        "places": "const long *restrict ", "whole": "int ",
    }  # fmt: skip
    constant: Callable[..., str] = "const double {} = {};".format  # a number that stays as it is
    variable: Callable[..., str] = "double {} = {};".format  # a number that is added to
    whole: Callable[..., str] = "int {} = {};".format
    comment: Callable[..., str] = "/* {} */".format
    array_at: Callable[..., str] = "double *restrict {} = work + {};".format
    kinds: Mapping[str, str] = {
        "nothing": "void", "number": "double", "part": "static void", "main": "int",
        "helper": "static double",
    }  # fmt: skip
    nothing = "void"  # parameters of a function that has none
    counters = "int", "long"  # of so many, or of n
    opening = ""  # behind the head of a function, where the brace has no line of its own
    lists: Mapping[str, str] = OF_LISTS
    functions: Mapping[str, str] = LIBRARY
    reserved = frozenset(RESERVED | OWN)
    writer: type[Writer] = Writer
    file = "helpers.c", r"^(?:static|typedef) [^(;=]*?(\w+)(?:\(| __)"  # and heads in it

    def __init__(self, in_blocks: bool = False, most_room: float = 8192) -> None:
        self.in_blocks = in_blocks
        self.most_room = most_room  # numbers that a function itself makes room for

    @cached_property
    def texts(self) -> Helpers:
        """The functions that programs carry along, by name."""
        return Helpers(self, *self.file)

    def names(self) -> Names:
        """Names that may stand in the language."""
        return Names(self.reserved | self.texts.names)

    def literal(self, number: float) -> str:
        """A number as the language has it."""
        return self.writer.literal(number)

    def is_wide(self, line: Line) -> bool:
        """Whether compilers can turn a line into vector instructions."""
        return calls_of(line) <= WIDE.keys()

    def text(
        self, line: Line, operands: Mapping[str, str], calls: set[str], wide: bool = False
    ) -> str:
        """A line as an expression; what it calls is added to `calls`.

        >>> from scalargrad.compiler.lower import line_of
        >>> operands = {"e": "a[i]", "x": "x[i]", "t": "b[i]"}
        >>> C.text(line_of("(e if x < 0.0 else 1.0) / t"), operands, set())
        '(x[i] < 0.0 ? a[i] : 1.0) / b[i]'
        """
        functions = WIDE if wide else self.functions
        writer = self.writer(functions, operands)
        text, _ = writer.number(line.tree)  # type: ignore[arg-type]
        calls |= writer.called
        return text

    def arrays(self, sizes: Mapping[str, int]) -> str:
        """Room for so many numbers under each name."""
        return f"double {', '.join([f'{name}[{size}]' for name, size in sizes.items()])};"

    def part(self, name: str, at: str) -> str:
        """An array from a place on."""
        return name if at == "0" else f"{name} + {at}"

    def loop(self, variable: str, count: int | str) -> str:
        """The head of a loop."""
        kind = self.counters[isinstance(count, str)]
        return f"for ({kind} {variable} = 0; {variable} < {count}; {variable}++)"

    def table(self, name: str, items: Sequence[str], is_index: bool) -> list[str]:
        """Constants, which stand outside of functions."""
        head = f"static const {'int' if is_index else 'double'} {name}[{len(items)}] = {{"
        return wrapped(head, items, "};", self.indent)

    def head(self, kind: str, name: str, parameters: Sequence[tuple[str, str]]) -> str:
        """The head of a function that returns a number, or nothing."""
        listed = ", ".join([self.types[kind] + name for kind, name in parameters]) or self.nothing
        return f"{self.kinds[kind]} {name}({listed})"

    def function(
        self, kind: str, name: str, parameters: Sequence[tuple[str, str]], lines: Iterable[str]
    ) -> str:
        """A function around its lines, none of which is too long."""
        head = broken(self.head(kind, name, parameters) + self.opening, "    ", ", ")
        inner = [part for line in lines for part in broken(self.indent + line, self.indent * 2)]
        return "\n".join([*head, *["{"] * (not self.opening), *inner, "}"])

    def unused(self, parameters: Sequence[tuple[str, str]], uses: Collection[str]) -> list[str]:
        """Statements for parameters that nothing reads."""
        return [f"(void){name};" for _, name in parameters if name not in uses]

    def helpers(self, calls: Iterable[str]) -> str:
        """The text of functions that are called, and of those that they call."""
        return self.texts.text_of(calls)


C = Dialect()
MACHINE = Dialect(in_blocks=True, most_room=0)
