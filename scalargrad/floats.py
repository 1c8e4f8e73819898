"""Real arithmetic that never raises: what IEEE 754 answers where Python's `math` raises.   (floor 0)

Python's own functions are fast and raise; the ones here catch what they raise and answer with inf,
-inf or nan. Rules in `ops` are written in the names of `RAW`, the raising functions; the names of
`TOTAL` are the same, and the functions behind them total. A recorded operation takes the fast path
and, only when it raises, goes again through the total one.

>>> power(-8.0, 1 / 3), divide(1.0, 0.0), TOTAL["exp"](1000.0)
(nan, inf, inf)
"""

from __future__ import annotations

import builtins
import math
from functools import reduce
from operator import add, mul

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence, Sized

inf, nan = math.inf, math.nan
ERRORS = (ArithmeticError, ValueError)  # all that the functions of RAW raise on floats


def divide(x: float, y: float) -> float:
    """x / y, with 1/0 = inf, 1/-0.0 = -inf and 0/0 = nan."""
    try:
        return x / y
    except ZeroDivisionError:
        return nan if x == 0.0 or x != x else math.copysign(inf, x) * math.copysign(1.0, y)


def power(x: float, y: float) -> float:
    """x to the y as C's pow has it: nan for a negative base and a fractional exponent."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0.0 and y % 2.0 == 1.0 else inf
    except ValueError:
        if x == 0.0:  # a negative power of zero
            return math.copysign(inf, x) if y % 2.0 == 1.0 else inf
        return nan


def _total(function: Callable[..., float], poles: dict[float, float] | None = None, odd: bool = False) -> Callable[..., float]:
    """`function`, with overflow answered by inf, a pole by its limit and the rest by nan."""

    def total(*args: float) -> float:
        try:
            return function(*args)
        except OverflowError:
            return math.copysign(inf, args[0]) if odd else inf
        except ValueError:
            return poles.get(args[0], nan) if poles else nan

    return total


# ------------------------------------------------------------------ of many numbers

# From Python 3.12 on the builtin sum carries a correction along, which no compiled code would repeat.
_SUM_IS_PLAIN = builtins.sum([1e16, 1.0, -1e16]) == 0.0


def add_up(xs: Iterable[float], start: float = 0.0) -> float:
    """The sum from left to right, the same to the bit on every Python.

    >>> add_up([1e16, 1.0, -1e16])
    0.0
    """
    return builtins.sum(xs, start) if _SUM_IS_PLAIN else reduce(add, xs, start)


def count(xs: Sized) -> int:
    """How many there are; ValueError if there are none."""
    if not len(xs):
        raise ValueError("of no numbers: give it at least one")
    return len(xs)


def add_up_products(ws: Sequence[float], xs: Sequence[float], start: float = 0.0) -> float:
    """start + w₀x₀ + w₁x₁ + …, added from left to right."""
    if len(ws) != len(xs):
        raise ValueError(f"dot takes two lists of one length, got {len(ws)} and {len(xs)} numbers")
    return add_up(map(mul, ws, xs), start)


def largest(xs: Sequence[float]) -> float:
    """The maximum, nan if any number is nan"""
    return nan if any(x != x for x in xs) else builtins.max(xs[: count(xs)])


def smallest(xs: Sequence[float]) -> float:
    """The minimum, nan if any number is nan."""
    return nan if any(x != x for x in xs) else builtins.min(xs[: count(xs)])


def tie_shares(xs: Sequence[float], out: float) -> list[float]:
    """1/k for each of the k numbers that equal `out`, 0 for the others; nan where `out` is nan."""
    if out != out:
        return [nan] * len(xs)
    share = 1.0 / builtins.sum(x == out for x in xs)
    return [share if x == out else 0.0 for x in xs]


def products_of_others(xs: Sequence[float]) -> list[float]:
    """For each number the product of all the others, zeros among them or not.

    >>> products_of_others([2.0, 0.0, 4.0])
    [0.0, 8.0, 0.0]
    """
    before, after = [1.0], [1.0]
    for x in xs[:-1]:
        before.append(before[-1] * x)
    for x in xs[:0:-1]:
        after.append(after[-1] * x)
    return [b * a for b, a in zip(before, reversed(after), strict=True)] if xs else []


def exp_difference(x: float, y: float) -> float:
    """exp(x - y), with what rounding took from x - y given back (Knuth's two-sum residual)."""
    d = x - y
    if not -inf < d < inf:
        return 1.0 if x == y == inf else TOTAL["exp"](d)
    e = TOTAL["exp"](d)
    back = d - x
    residual = (x - (d - back)) - (y + back)
    return e + e * residual if e < inf else e


def log_sum_exp(xs: Sequence[float]) -> float:
    """log(Σ exp x), as m + log1p(Σ of the others): no overflow, no lost digits.

    >>> log_sum_exp([1000.0, 1000.0])
    1000.6931471805599
    """
    if not xs:
        return -inf
    m = largest(xs)
    if not -inf < m < inf:
        return m
    at = xs.index(m)
    return m + math.log1p(add_up(exp_difference(x, m) for i, x in enumerate(xs) if i != at))


def soft_max(xs: Sequence[float]) -> list[float]:
    """exp xᵢ / Σ exp xⱼ, without overflow."""
    m = largest(xs) if xs else nan
    es = [exp_difference(x, m) for x in xs]
    total = add_up(es)
    return [divide(e, total) for e in es]


# ------------------------------------------------------------------ the two sets of names

RAW: dict[str, object] = {
    "abs": abs, "exp": math.exp, "exp2": math.exp2, "expm1": math.expm1, "log": math.log, "log1p": math.log1p,
    "log2": math.log2, "log10": math.log10, "sqrt": math.sqrt, "cbrt": math.cbrt, "pow": math.pow,
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "asin": math.asin, "acos": math.acos, "atan": math.atan,
    "atan2": math.atan2, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh, "asinh": math.asinh,
    "acosh": math.acosh, "atanh": math.atanh, "hypot": math.hypot, "erf": math.erf, "erfc": math.erfc,
    "add_up": add_up, "add_up_products": add_up_products, "largest": largest, "smallest": smallest,
    "tie_shares": tie_shares, "log_sum_exp": log_sum_exp, "products_of_others": products_of_others,
    "softmax": soft_max, "difference_exp": exp_difference, "product": math.prod, "len": len, "inf": inf, "nan": nan,
}  # fmt: skip

_MINUS_INF_AT_0 = {0.0: -inf}
TOTAL: dict[str, Callable[..., float]] = {
    name: _total(function) if callable(function) and getattr(function, "__module__", "") == "math" else function  # type: ignore[misc]
    for name, function in RAW.items()
}
TOTAL |= {
    "pow": power,
    "divide": divide,
    "log": _total(math.log, _MINUS_INF_AT_0),
    "log2": _total(math.log2, _MINUS_INF_AT_0),
    "log10": _total(math.log10, _MINUS_INF_AT_0),
    "log1p": _total(math.log1p, {-1.0: -inf}),
    "atanh": _total(math.atanh, {1.0: inf, -1.0: -inf}),
    "sinh": _total(math.sinh, odd=True),
}


def real(number: object) -> float | None:
    """The number as an exact `float`, too large ones as ±inf; None for all that is not a real number.

    >>> from fractions import Fraction
    >>> real(True), real(Fraction(1, 4)), real(10**400), real("1"), real(1j)
    (1.0, 0.25, inf, None, None)
    """
    kind = number.__class__
    if kind is float:
        return number  # type: ignore[return-value]
    if kind is not int and kind is not bool and not _is_real(number):
        return None
    try:
        return float(number)  # type: ignore[arg-type]
    except OverflowError:
        return inf if number > 0 else -inf  # type: ignore[operator]
    except ValueError:  # Decimal's signalling nan
        return nan


def real_number(number: object, taker: str) -> float:
    """The number as an exact `float`; a TypeError that says what `taker` was given where it is none."""
    result = real(number)
    if result is not None:
        return result
    advice = ""
    if hasattr(number, "detach"):
        advice = ": use it as it is, or its .detach() for a leaf"
    elif isinstance(number, complex):
        advice = ": use its real and its imaginary part"
    elif isinstance(number, str | bytes):
        advice = f": write float({number!r})"
    elif hasattr(number, "__len__"):
        advice = ": give it one number at a time"
    raise TypeError(f"{taker} takes a real number, got {type(number).__name__}{advice}")


def _is_real(number: object) -> bool:
    from numbers import Complex, Number, Real  # not needed by a plain float

    kind = type(number)
    if kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"):
        return True
    return isinstance(number, Real) or (isinstance(number, Number) and not isinstance(number, Complex))  # Decimal
