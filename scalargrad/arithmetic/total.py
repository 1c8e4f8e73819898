"""Real arithmetic that never raises: the answers of IEEE 754 where `math` raises.   (floor 0)

Python's own functions are fast, but raise errors at a pole and on overflow. A total function has an
answer everywhere: it catches the error and returns inf, -inf or nan. `RAISING` holds Python's
functions by name, `TOTAL` the total ones by the same names. An operation calls Python's first. Only
if they raise does it compute again with the total ones.

>>> power(-8.0, 1 / 3), divide(1.0, 0.0), TOTAL["exp"](1000.0)
(nan, inf, inf)
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

inf, nan = math.inf, math.nan
ERRORS = (ArithmeticError, ValueError)  # all that the functions of RAISING raise on floats


def divide(x: float, y: float) -> float:
    """x / y, with 1/0 = inf, 1/-0.0 = -inf and 0/0 = nan."""
    try:
        return x / y
    except ZeroDivisionError:
        return nan if x == 0.0 or x != x else math.copysign(inf, x) * math.copysign(1.0, y)


def power(x: float, y: float) -> float:
    """x to the power y, as in C: nan for a negative base with a fractional exponent."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0.0 and y % 2.0 == 1.0 else inf
    except ValueError:
        if x == 0.0:  # a negative power of zero
            return math.copysign(inf, x) if y % 2.0 == 1.0 else inf
        return nan


def _total(
    function: Callable[..., float], poles: dict[float, float] | None = None, odd: bool = False
) -> Callable[..., float]:
    """A function that returns inf where `function` overflows, and its limits at `poles`; else nan.

    Where it is `odd`, it overflows to -inf on the left.
    """

    def total(*args: float) -> float:
        try:
            return function(*args)
        except OverflowError:
            return math.copysign(inf, args[0]) if odd else inf
        except ValueError:
            return poles.get(args[0], nan) if poles else nan

    return total


RAISING: dict[str, Callable[..., Any]] = {
    "abs": abs, "exp": math.exp, "exp2": math.exp2, "expm1": math.expm1, "log": math.log,
    "log1p": math.log1p, "log2": math.log2, "log10": math.log10, "sqrt": math.sqrt,
    "cbrt": math.cbrt, "pow": math.pow, "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "asin": math.asin, "acos": math.acos, "atan": math.atan, "atan2": math.atan2,
    "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh, "asinh": math.asinh,
    "acosh": math.acosh, "atanh": math.atanh, "hypot": math.hypot, "erf": math.erf,
    "erfc": math.erfc,
}  # fmt: skip

_MINUS_INF_AT_0 = {0.0: -inf}
TOTAL: dict[str, Callable[..., Any]] = {
    name: _total(function) for name, function in RAISING.items()
} | {
    "pow": power,
    "divide": divide,
    "log": _total(math.log, _MINUS_INF_AT_0),
    "log2": _total(math.log2, _MINUS_INF_AT_0),
    "log10": _total(math.log10, _MINUS_INF_AT_0),
    "log1p": _total(math.log1p, {-1.0: -inf}),
    "atanh": _total(math.atanh, {1.0: inf, -1.0: -inf}),
    "sinh": _total(math.sinh, odd=True),
}
