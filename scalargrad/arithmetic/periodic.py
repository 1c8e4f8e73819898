"""Remainders, and sin(πx) / (πx) with its slopes of any order.   (floor 0)

These functions call others by plain names, so that native code can use the same text.
"""

from __future__ import annotations

import math

from .total import inf, nan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def modulo(x: float, y: float) -> float:
    """The remainder of x divided by y, with the sign of y; nan where y is 0.

    >>> modulo(7.5, 2.0), modulo(-7.5, 2.0), modulo(7.5, -2.0)
    (1.5, 0.5, -0.5)
    """
    return nan if y == 0.0 or y != y or not -inf < x < inf else x % y


def whole(x: float, y: float) -> float:
    """The largest whole number that is no greater than x / y; nan where y is 0."""
    return nan if y == 0.0 or y != y or not -inf < x < inf else x // y


def sin_pi(x: float) -> float:
    """sin(πx), with all its digits near every whole x."""
    r = abs(x) % 2.0
    r = r - 2.0 if r > 1.5 else 1.0 - r if r > 0.5 else r
    return math.sin(math.pi * (r if x > 0.0 else -r))


def cos_pi(x: float) -> float:
    """cos(πx), with all its digits near every half."""
    r = abs(x) % 2.0
    r = 2.0 - r if r > 1.0 else r
    if 0.25 < r < 0.75:
        return math.sin(math.pi * (0.5 - r))
    return math.cos(math.pi * r) if r < 0.5 else -math.cos(math.pi * (1.0 - r))


def sinc_slope(x: float, n: float) -> float:
    """The n-th slope fₙ of f(x) = sin(πx) / (πx), for n from 0, the function itself, to 100.

    To differentiate x·f(x) = sin(πx) / π n times gives x·fₙ + n·fₙ₋₁ = πⁿ⁻¹ sin(πx + nπ/2), and
    so fₙ from fₙ₋₁. Near 0 digits would cancel. There f(x) is the integral of cos(πxt) over t from
    0 to 1, and the series of that cosine is differentiated and integrated term by term.

    >>> sinc_slope(0.5, 0.0), sinc_slope(0.0, 1.0), sinc_slope(0.0, 2.0)     # 2/π, 0, −π²/3
    (0.6366197723675814, -0.0, -3.289868133696453)
    """
    if x != x or not 0.0 <= n <= 100.0 or n % 1.0 != 0.0:
        return nan
    if x == inf or x == -inf:
        return 0.0
    if -0.5 * n <= x <= 0.5 * n:
        odd = n % 2.0
        factor = 1.0
        t = math.pi * x
        m = odd + 2.0 * (13.0 + 3.0 * n)
        while m > odd:
            m -= 2.0
            factor = 1.0 - t * t * (m + n + 1.0) / ((m + 1.0) * (m + 2.0) * (m + n + 3.0)) * factor
        first = math.pow(math.pi, n + odd) / (n + odd + 1.0) * factor
        if odd == 1.0:
            first *= x
        return -first if (n + odd) % 4.0 == 2.0 else first
    s = sin_pi(x)
    c = cos_pi(x)
    f = s / (math.pi * x) if -1e300 < x < 1e300 else s / math.pi / x
    k = 1.0
    power_of_pi = 1.0
    while k <= n:
        s, c = c, -s  # a quarter turn
        f = (power_of_pi * s - k * f) / x
        power_of_pi *= math.pi
        k += 1.0
    return f


NAMES: dict[str, Callable[..., Any]] = {  # the names that `ops` uses
    "modulo": modulo, "whole": whole, "sinc_slope": sinc_slope,
}  # fmt: skip
