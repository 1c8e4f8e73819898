"""Functions in C: those that C has, and those that programs carry along.   (floor 3)"""

from __future__ import annotations

from .text import Writer
from .translated import TRANSLATED, Grammar, Helpers, expressions

OF_MATH = (  # under the same name in Python's table, C and JavaScript
    "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "sin", "cos", "tan", "asin",
    "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
)  # fmt: skip
FURTHER = ("exp2", "hypot", "erf", "erfc")  # in C and not in JavaScript
LIBRARY = {"abs": "fabs", "pow": "pow", **{name: name for name in (*OF_MATH, *FURTHER)}}
TYPES = {
    "float": "double ", "int": "int ", "Sequence[float]": "const double *",
    "list[float]": "double *", "-> float": "static double ", "-> None": "static void ",
    "= float": "double ", "= int": "int ",
}  # fmt: skip
GRAMMAR = Grammar(
    "    ", TYPES, "for (int k = 0; k < n; k++)", "for (int k = n - 1; k >= 0; k--)",
    expressions(Writer, LIBRARY), "/* … */", "(void){};",
)  # fmt: skip
HEAD = r"^(?:static|typedef) [^(;=]*?(\w+)(?:\(| __)"
HELPERS = Helpers("helpers.c", HEAD, GRAMMAR)
CALLS = {name: name for name in TRANSLATED}  # functions that operations call by name
OF_LISTS = {  # the value of a list, and its slopes
    "norm": "length_of", "logsumexp": "log_sum_exp", "max": "largest_of", "min": "smallest_of",
    "prod": "product_of", "_peak": "largest_of", "norm_slopes": "unit_of",
    "logsumexp_slopes": "soft_max", "max_slopes": "tie_shares", "min_slopes": "tie_shares",
    "prod_slopes": "products_of_others",
}  # fmt: skip
