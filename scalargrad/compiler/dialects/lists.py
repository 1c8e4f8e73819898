"""Functions in the part of Python that is translated to C and JavaScript.   (floor 3)

The numbers of a list `x` stand a step apart in an array, before place n; what is a list itself is
written into `slopes` in the same way. Each gives what its namesake in `arithmetic` gives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...arithmetic.extremes import scaled
from ...arithmetic.lists import exp_difference
from ...arithmetic.total import inf, nan


def largest_of(n: int, step: int, x: Sequence[float]) -> float:
    """The largest number; nan if any is nan."""
    top = -inf
    for k in range(0, n, step):
        if x[k] != x[k]:
            return x[k]
        if x[k] > top:
            top = x[k]
    return top


def smallest_of(n: int, step: int, x: Sequence[float]) -> float:
    """The smallest number; nan if any is nan."""
    bottom = inf
    for k in range(0, n, step):
        if x[k] != x[k]:
            return x[k]
        if x[k] < bottom:
            bottom = x[k]
    return bottom


def tie_shares(n: int, step: int, x: Sequence[float], out: float, slopes: list[float]) -> None:
    """1/k for each of the k numbers that are equal to out, 0 for the others."""
    ties = 0.0
    for k in range(0, n, step):
        ties += 1.0 if x[k] == out else 0.0
    for k in range(0, n, step):
        slopes[k] = nan if ties == 0.0 else 1.0 / ties if x[k] == out else 0.0


def product_of(n: int, step: int, x: Sequence[float]) -> float:
    """The product from left to right."""
    s = 1.0
    for k in range(0, n, step):
        s *= x[k]
    return s


def products_of_others(
    n: int, step: int, x: Sequence[float], out: float, slopes: list[float]
) -> None:
    """For each number the product of all the others."""
    before = 1.0
    after = 1.0
    for k in range(0, n, step):
        slopes[k] = before
        before *= x[k]
    for k in reversed(range(0, n, step)):
        slopes[k] *= after
        after *= x[k]


def log_sum_exp(n: int, step: int, x: Sequence[float]) -> float:
    """The logarithm of the sum of exp x, as m + log1p(the sum of the others)."""
    m = largest_of(n, step, x)
    s = 0.0
    others = 0.0
    if not -inf < m < inf:
        return m
    for k in range(0, n, step):
        if x[k] == m and others == 0.0:
            others = 1.0
        else:
            s += exp_difference(x[k], m)
    return m + math.log1p(s)


def soft_max(n: int, step: int, x: Sequence[float], out: float, slopes: list[float]) -> None:
    """exp x over the sum of exp x, without overflow."""
    m = largest_of(n, step, x)
    s = 0.0
    for k in range(0, n, step):
        slopes[k] = exp_difference(x[k], m)
        s += slopes[k]
    for k in range(0, n, step):
        slopes[k] = slopes[k] / s


def longest_of(n: int, step: int, x: Sequence[float]) -> float:
    """The largest distance from 0."""
    longest = 0.0
    for k in range(0, n, step):
        longest = abs(x[k]) if abs(x[k]) > longest else longest
    return longest


def scaled_length(n: int, step: int, x: Sequence[float], e: int) -> float:
    """The length of x over 2^e."""
    s = 0.0
    for k in range(0, n, step):
        s += scaled(x[k], -e) * scaled(x[k], -e)
    return math.sqrt(s)


def length_of(n: int, step: int, x: Sequence[float]) -> float:
    """The root of the sum of squares: inf where any number is, nan or not."""
    longest = longest_of(n, step, x)
    if longest == inf:
        return inf
    e = math.frexp(longest)[1]
    return scaled(scaled_length(n, step, x, e), e)


def unit_of(n: int, step: int, x: Sequence[float], out: float, slopes: list[float]) -> None:
    """Each number over the length; at infinity the limit, where there is one."""
    if 1e-290 < out < inf:
        for k in range(0, n, step):
            slopes[k] = x[k] / out
        return
    longest = longest_of(n, step, x)
    e = math.frexp(longest)[1]
    h = scaled_length(n, step, x, e)
    endless = 0.0
    missing = 0.0
    for k in range(0, n, step):
        endless += 1.0 if abs(x[k]) == inf else 0.0
        missing += 1.0 if x[k] != x[k] else 0.0
    for k in range(0, n, step):
        m, e_x = math.frexp(x[k])
        if missing > 0.0 or (endless > 1.0 and abs(x[k]) == inf):
            slopes[k] = nan
        elif longest == 0.0 or (endless > 0.0 and abs(x[k]) < inf):
            slopes[k] = 0.0
        elif endless > 0.0:
            slopes[k] = math.copysign(1.0, x[k])
        else:
            slopes[k] = scaled(m / h, e_x - e)


def modulo(x: float, y: float) -> float:
    """The remainder of x divided by y, with the sign of y."""
    if y == 0.0 or y != y or not -inf < x < inf:
        return nan
    rest = math.fmod(x, y)
    if rest == 0.0:
        return math.copysign(0.0, y)
    return rest + y if (rest < 0.0) != (y < 0.0) else rest


def whole(x: float, y: float) -> float:
    """The largest whole number that is no greater than x / y."""
    if y == 0.0 or y != y or not -inf < x < inf:
        return nan
    rest = math.fmod(x, y)
    times = (x - rest) / y
    if rest != 0.0 and (rest < 0.0) != (y < 0.0):
        times -= 1.0
    if times == 0.0:
        return math.copysign(0.0, x / y)
    below = float(math.floor(times))
    return below + 1.0 if times - below > 0.5 else below


NAMES = (
    largest_of, smallest_of, tie_shares, product_of, products_of_others, log_sum_exp, soft_max,
    longest_of, scaled_length, length_of, unit_of, modulo, whole,
)  # fmt: skip
