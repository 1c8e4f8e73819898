"""Values and slopes near the ends of the float range, where plain formulas fail.   (floor 0)

An operation calls these functions where its plain formula would overflow, or lose digits among the
subnormal numbers. They split a number into m 2ᵉ with 0.5 <= |m| < 1, compute with m and e, and
round a single time, when they join the two again. C and JavaScript have the same functions, made
of the text here (`compiler.dialects.translated`).
"""

from __future__ import annotations

import builtins
import math
from math import cbrt

from .total import TOTAL, divide, inf, nan, power

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

log: Callable[[float], float] = TOTAL["log"]


def scaled(m: float, e: int) -> float:
    """m 2ᵉ; ±inf where that is too large."""
    try:
        return math.ldexp(m, e)
    except OverflowError:
        return math.copysign(inf, m)


def unit_vector(xs: Sequence[float]) -> list[float]:
    """Each number divided by the length of the vector they form; all 0 where that length is 0.

    >>> unit_vector([1e-200, 1e-200]), unit_vector([1.7e308, 1.7e308]), unit_vector([inf, 1.0])
    ([0.7071067811865476, 0.7071067811865476], [0.7071067811865476, 0.7071067811865476], [1.0, 0.0])
    """
    if any(x != x for x in xs):
        return [nan] * len(xs)
    longest = builtins.max(map(abs, xs), default=0.0)
    if longest == 0.0:
        return [0.0] * len(xs)
    if longest == inf:  # one infinity takes all of the length; two have no limit
        size = 1.0 if builtins.sum(abs(x) == inf for x in xs) == 1 else nan
        return [math.copysign(size, x) if abs(x) == inf else 0.0 for x in xs]
    e = math.frexp(longest)[1]
    h = math.hypot(*(math.ldexp(x, -e) for x in xs))
    return [math.ldexp(m / h, e_x - e) for m, e_x in map(math.frexp, xs)]


def over_hypot(x: float, y: float) -> float:
    """x / √(x² + y²), with no overflow on the way."""
    if x != x or y != y or (abs(x) == inf and abs(y) == inf):
        return nan
    if x == 0.0 or abs(y) == inf:
        return math.copysign(0.0, x)
    if abs(x) == inf:
        return math.copysign(1.0, x)
    e = math.frexp(builtins.max(abs(x), abs(y)))[1]
    m, e_x = math.frexp(x)
    return math.ldexp(m / math.hypot(math.ldexp(x, -e), math.ldexp(y, -e)), e_x - e)


def over_squares(x: float, y: float) -> float:
    """x / (x² + y²), with no overflow or underflow on the way.

    >>> over_squares(2e-200, 4e-200), over_squares(0.0, 5e-324)
    (1e+199, 0.0)
    """
    if x != x or y != y or (x == 0.0 and y == 0.0):
        return nan
    if x == 0.0 or abs(x) == inf or abs(y) == inf:
        return math.copysign(0.0, x)
    e = math.frexp(builtins.max(abs(x), abs(y)))[1]
    m, e_x = math.frexp(x)
    h = math.hypot(math.ldexp(x, -e), math.ldexp(y, -e))
    return scaled(m / h / h, e_x - 2 * e)


def over_square(x: float, y: float) -> float:
    """x / y², with no overflow or underflow on the way."""
    if x == 0.0 or y == 0.0 or not (-inf < x < inf and -inf < y < inf):
        return divide(divide(x, y), y)
    m, e = math.frexp(x)
    m_y, e_y = math.frexp(y)
    return scaled(m / m_y / m_y, e - 2 * e_y)


def power_slope(x: float, y: float) -> float:
    """y x^(y-1), the slope of x^y by x, also where x^y itself overflows or underflows."""
    if y == 0.0 or (y < 0.0 and abs(x) == inf) or (abs(y) == inf and power(x, y) == 0.0):
        return 0.0
    if x == 0.0 or not (-inf < x < inf and -inf < y < inf) or (x < 0.0 and y % 1.0):
        return y * power(x, y - 1.0)
    d = y - 1.0
    back = d - y
    lost = (y - (d - back)) + (-1.0 - back)  # the rounding error of y - 1
    root, e_root = math.frexp(power(abs(x), 0.5 * d))
    m, e = math.frexp(-y if x < 0.0 and y % 2.0 == 0.0 else y)
    return (
        scaled(m * root * root * (1.0 + lost * math.log(abs(x))), e + 2 * e_root)
        if root < inf
        else math.copysign(inf, m)
    )


def power_log(x: float, y: float) -> float:
    """x^y log x, the slope of x^y by y, also where x^y itself overflows or underflows."""
    if x == 0.0 and y >= 0.0:
        return 0.0
    if not (0.0 < x < inf and -inf < y < inf):
        out = power(x, y)
        return out * log(x) if out != 0.0 or not x > 0.0 else 0.0
    root, e_root = math.frexp(power(x, 0.5 * y))
    return scaled(root * root * log(x), 2 * e_root) if root < inf else math.copysign(inf, log(x))


def cube_root(x: float) -> float:
    """∛x of a very large or very small x; a Newton step mends the last digit."""
    if x == 0.0 or not -inf < x < inf:
        return x
    m, e = math.frexp(x)
    rest = e % 3
    m = math.ldexp(m, rest)
    c = cbrt(m)
    return math.ldexp(c - (c * c * c - m) / (3.0 * c * c), (e - rest) // 3)


def gelu_series(x: float) -> float:
    """-x Φ(x) / φ(x) by a series that is good for x < -37.

    φ is the density of the normal distribution, Φ(x) the chance of a number below x.
    """
    z = 1.0 / x / x
    return 1.0 - z * (1.0 - z * (3.0 - z * (15.0 - z * (105.0 - z * (945.0 - z * 10395.0)))))


def gelu_factor(x: float) -> float:
    """A factor of φ(x); e⁻⁶⁴/√2π is in it, so that a subnormal result is rounded a single time."""
    t = 134217729.0 * x  # cuts x in two halves, as SPLIT in `ops` does
    h = t - (t - x)
    return 6.398279740081261e-29 * math.exp(0.5 * (h - x) * (h + x))


def gelu_rest(x: float) -> float:
    """The rest of φ(x), by which its factor is to be multiplied last."""
    t = 134217729.0 * x
    h = t - (t - x)
    return math.exp(64.0 - 0.5 * h * h)


def gelu_tail(x: float) -> float:
    """x Φ(x) far to the left, where Φ(x) is subnormal and x Φ(x) is not."""
    if x < -40.0:
        return -0.0
    return -gelu_factor(x) * gelu_series(x) * gelu_rest(x)


def gelu_tail_slope(x: float) -> float:
    """Φ(x) + x φ(x) far to the left; 1 at infinity."""
    if not -40.0 < x < 0.0:
        return 0.0 if x < 0.0 else 1.0 if x > 0.0 else nan
    return gelu_factor(x) * (x - gelu_series(x) / x) * gelu_rest(x)


NAMES: dict[str, Callable[..., Any]] = {  # the names that `ops` uses
    "_unit": unit_vector, "over_hypot": over_hypot, "over_squares": over_squares,
    "over_square": over_square,
    "power_slope": power_slope, "power_log": power_log, "cube_root": cube_root,
    "gelu_tail": gelu_tail, "gelu_tail_slope": gelu_tail_slope,
}  # fmt: skip
