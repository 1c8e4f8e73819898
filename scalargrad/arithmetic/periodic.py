"""Remainders, and sin(πx) / (πx) with its slopes of any order.   (floor 0)

C and JavaScript have the same functions, made of the text here (`compiler.dialects.translated`).
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
    return math.sin(math.pi * r) * math.copysign(1.0, x)


def cos_pi(x: float) -> float:
    """cos(πx), with all its digits near every half."""
    r = abs(x) % 2.0
    r = 2.0 - r if r > 1.0 else r
    if 0.25 < r < 0.75:
        return math.sin(math.pi * (0.5 - r))
    return math.cos(math.pi * r) if r < 0.5 else -math.cos(math.pi * (1.0 - r))


def sinc_slope(x: float, n: float) -> float:
    """The n-th slope fₙ of f(x) = sin(πx) / (πx), for n from 0, the function itself, to 100.

    To differentiate x·f(x) = sin(πx) / π n times gives x·fₙ + n·fₙ₋₁ = πⁿ⁻¹ sin(πx + nπ/2). Far
    from 0 that gives fₙ from fₙ₋₁. Near 0 digits would cancel, so there it gives fₙ₋₁ from fₙ,
    starting at a slope so high that an error in it has vanished at n.

    >>> sinc_slope(0.5, 0.0), sinc_slope(0.0, 1.0), sinc_slope(0.0, 2.0)     # 2/π, 0, −π²/3
    (0.6366197723675814, -0.0, -3.2898681336964524)
    """
    if x != x or not 0.0 <= n <= 100.0 or n % 1.0 != 0.0:
        return nan
    if x == inf or x == -inf:
        return 0.0
    s = sin_pi(x)
    c = cos_pi(x)
    if -0.4 * n <= x <= 0.4 * n:
        if x == 0.0 and n % 2.0 == 1.0:
            return -x if n % 4.0 == 1.0 else x
        k = 0.0
        while k < n % 4.0:
            s, c = c, -s  # a quarter turn
            k += 1.0
        f = 0.0  # fₖ / πᵏ
        k = n + 4.0 * (8.0 + n)
        while k > n:
            f = (s - math.pi * x * f) / k
            s, c = -c, s  # a quarter turn back
            k -= 1.0
        return f * math.pow(math.pi, n)
    f = s / (math.pi * x) if -1e300 < x < 1e300 else s / math.pi / x
    k = 1.0
    power_of_pi = 1.0
    while k <= n:
        s, c = c, -s
        f = (power_of_pi * s - k * f) / x
        power_of_pi *= math.pi
        k += 1.0
    return f


NAMES: dict[str, Callable[..., Any]] = {  # the names that `ops` uses
    "modulo": modulo, "whole": whole, "sinc_slope": sinc_slope,
}  # fmt: skip
