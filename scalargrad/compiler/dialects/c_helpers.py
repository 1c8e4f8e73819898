"""Functions in C that programs carry along: ends of the range, vector instructions, lists, sums of products.   (floor 3)

Each gives what its namesake in `arithmetic` gives. None keeps anything between calls, allocates memory or needs more than C99
and its mathematics library.
"""

from __future__ import annotations

import re

from . import c_lists, c_numbers
from .text import Writer
from .translated import Grammar, Helper, Helpers, expressions

LIBRARY = {
    "abs": "fabs", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log1p": "log1p", "log2": "log2",
    "log10": "log10", "sqrt": "sqrt", "cbrt": "cbrt", "pow": "pow", "sin": "sin", "cos": "cos", "tan": "tan", "asin": "asin",
    "acos": "acos", "atan": "atan", "atan2": "atan2", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh",
    "acosh": "acosh", "atanh": "atanh", "hypot": "hypot", "erf": "erf", "erfc": "erfc",
}  # fmt: skip

_NAME = re.compile(r"^(?:static [^(;=]*?(\w+)\(|typedef double (\w+))", re.MULTILINE)


def _read(text: str) -> dict[str, Helper]:
    """The helpers of a text by name: they stand apart by empty lines."""
    pieces = re.split(r"\n\n+", text.strip())
    found = [_NAME.search(piece) for piece in pieces]
    names = [match[1] or match[2] for match in found if match]
    known = set(names)
    return {
        name: Helper(piece, _called(piece, known - {name})) for name, piece in zip(names, pieces)
    }


def _called(piece: str, known: set[str]) -> tuple[str, ...]:
    """The helpers that a piece calls, and the type of lanes where it has some."""
    words = set(re.findall(r"(\w+)\(", piece))
    if "LANES" in piece:
        words.add("lanes")
    return tuple(sorted(words & known))


TYPES = {
    "float": "double ", "int": "int ", "Sequence[float]": "const double *", "list[float]": "double *",
    "-> float": "static double ", "-> None": "static void ", "= float": "double ", "= int": "int ",
}  # fmt: skip
GRAMMAR = Grammar(
    "    ", TYPES, "for (int k = 0; k < n; k++)", "for (int k = n - 1; k >= 0; k--)",
    expressions(Writer, LIBRARY), "/* … */", "(void){};",
)  # fmt: skip
HELPERS = Helpers(_read(f"{c_numbers.TEXT}\n{c_lists.TEXT}"), GRAMMAR)
CALLS = {  # functions that operations call by name
    name: name
    for name in (
        "over_hypot", "over_squares", "over_square", "power_slope", "power_log", "cube_root", "gelu_tail", "gelu_tail_slope",
        "difference_exp",
        "modulo",
        "whole",
        "sinc_slope",
    )
}  # fmt: skip
OF_LISTS = {  # the value of a list, and its slopes
    "norm": "length_of", "logsumexp": "log_sum_exp", "max": "largest_of", "min": "smallest_of", "prod": "product_of",
    "_peak": "largest_of", "norm_slopes": "unit_of", "logsumexp_slopes": "soft_max", "max_slopes": "tie_shares",
    "min_slopes": "tie_shares", "prod_slopes": "products_of_others",
}  # fmt: skip
