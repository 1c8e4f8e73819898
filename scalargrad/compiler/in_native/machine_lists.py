"""The functions of `many` and `ends` that take lists, on arrays, as numba compiles them.   (floor 3)

Each gives what its namesake gives, added up and multiplied in the same order. `machine` makes copies of them that see
its names; what is called here and not defined here is found there.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from numpy import empty

    from ...arithmetic.lists import exp_difference
    from ...arithmetic.total import inf, nan

    Numbers = Any  # a one-dimensional array of float64


def add_up(xs: Numbers, start: float = 0.0) -> float:
    """The sum from left to right."""
    for x in xs:
        start += x
    return start


def add_up_products(ws: Numbers, xs: Numbers, start: float = 0.0) -> float:
    """start + w₀x₀ + w₁x₁ + …, added from left to right."""
    for i in range(len(xs)):
        start += ws[i] * xs[i]
    return start


def largest(xs: Numbers) -> float:
    """The maximum, nan if any number is nan."""
    top = -inf
    for x in xs:
        if x != x:
            return x  # type: ignore[no-any-return]
        if x > top:
            top = x
    return top


def smallest(xs: Numbers) -> float:
    """The minimum, nan if any number is nan."""
    bottom = inf
    for x in xs:
        if x != x:
            return x  # type: ignore[no-any-return]
        if x < bottom:
            bottom = x
    return bottom


def tie_shares(xs: Numbers, out: float) -> Numbers:
    """1/k for each of the k numbers that equal `out`, 0 for the others; nan where `out` is nan."""
    ties = 0.0
    for x in xs:
        if x == out:
            ties += 1.0
    shares = empty(len(xs))
    for i in range(len(xs)):
        shares[i] = nan if ties == 0.0 else 1.0 / ties if xs[i] == out else 0.0
    return shares


def product(xs: Numbers) -> float:
    """The product from left to right; 1.0 of no numbers."""
    result = 1.0
    for x in xs:
        result *= x
    return result


def products_of_others(xs: Numbers) -> Numbers:
    """For each number the product of all the others."""
    others = empty(len(xs))
    before = after = 1.0
    for i in range(len(xs)):
        others[i] = before
        before *= xs[i]
    for i in range(len(xs) - 1, -1, -1):
        others[i] *= after
        after *= xs[i]
    return others


def log_sum_exp(xs: Numbers) -> float:
    """log(Σ exp x), as m + log1p(Σ of the others)."""
    m = largest(xs)
    if not -inf < m < inf:
        return m
    total, is_first = 0.0, True
    for x in xs:
        if is_first and x == m:
            is_first = False
        else:
            total += exp_difference(x, m)
    return m + math.log1p(total)


def soft_max(xs: Numbers) -> Numbers:
    """exp xᵢ / Σ exp xⱼ, without overflow."""
    m, total, shares = largest(xs), 0.0, empty(len(xs))
    for i in range(len(xs)):
        shares[i] = exp_difference(xs[i], m)
        total += shares[i]
    for i in range(len(xs)):
        shares[i] /= total
    return shares


def _longest(xs: Numbers) -> float:
    """The largest absolute value, past all nans."""
    longest = 0.0
    for x in xs:
        if abs(x) > longest:
            longest = abs(x)
    return longest


def _length(xs: Numbers) -> float:
    """The root of the sum of squares, as math.hypot has it: inf where any number is, nan or not."""
    longest = _longest(xs)
    if longest == inf:
        return inf
    e, squares = math.frexp(longest)[1], 0.0
    for x in xs:
        squares += math.ldexp(x, -e) * math.ldexp(x, -e)
    return math.ldexp(math.sqrt(squares), e)


def unit_vector(xs: Numbers) -> Numbers:
    """Each number over the root of the sum of squares; at infinity the limit, where there is one."""
    longest, infinite, some_nan = _longest(xs), 0, False
    for x in xs:
        infinite += abs(x) == inf
        some_nan = some_nan or x != x
    e = 0 if longest == inf else math.frexp(longest)[1]
    scaled, units = empty(len(xs)), empty(len(xs))
    for i in range(len(xs)):
        scaled[i] = math.ldexp(xs[i], -e)
    h = _length(scaled)
    for i in range(len(xs)):
        m, e_x = math.frexp(xs[i])
        if some_nan or (infinite > 1 and abs(xs[i]) == inf):
            units[i] = nan
        elif longest == 0.0 or (infinite > 0 and abs(xs[i]) < inf):
            units[i] = 0.0
        else:
            units[i] = math.copysign(1.0, xs[i]) if infinite else math.ldexp(m / h, e_x - e)
    return units


def gathered(values: Numbers, places: Numbers, first: int, count: int) -> Numbers:
    """The values at so many places."""
    xs = empty(count)
    for i in range(count):
        xs[i] = values[places[first + i]]
    return xs


def send(slopes: Numbers, places: Numbers, first: int, partials: Numbers, d: float) -> None:
    """Add what partials make of a slope to the slopes at places."""
    for i in range(len(partials)):
        slopes[places[first + i]] += partials[i] * d


def add_to(xs: Numbers, first: int, ys: Numbers, begin: int, count: int) -> None:
    """Add some numbers of ys to some of xs."""
    for i in range(count):
        xs[first + i] += ys[begin + i]
