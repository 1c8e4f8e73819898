"""Functions of many floats, and their slopes: sums, products, the largest.   (floor 0)"""

from __future__ import annotations

import builtins
import math
from operator import mul

from .total import TOTAL, divide, inf, nan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence, Sized
    from typing import Any

exp: Callable[[float], float] = TOTAL["exp"]

# From Python 3.12 on, the builtin sum corrects its rounding errors. Compiled code does not, and
# both must give the same bits.
_SUM_IS_PLAIN = builtins.sum([1e16, 1.0, -1e16]) == 0.0


def add_up(xs: Iterable[float], start: float = 0.0) -> float:
    """The sum from left to right, the same to the bit on every Python.

    >>> add_up([1e16, 1.0, -1e16])
    0.0
    """
    if _SUM_IS_PLAIN:
        return builtins.sum(xs, start)
    for x in xs:
        start += x
    return start


def count(xs: Sized, of: str = "mean") -> int:
    """The number of items; ValueError if there are none."""
    if not len(xs):
        raise ValueError(f"{of} of no numbers: give it at least one")
    return len(xs)


def add_up_products(ws: Sequence[float], xs: Sequence[float], start: float = 0.0) -> float:
    """start + w₀x₀ + w₁x₁ + …, added from left to right."""
    if len(ws) != len(xs):
        raise ValueError(f"dot takes two lists of one length, got {len(ws)} and {len(xs)} numbers")
    return add_up(map(mul, ws, xs), start)


def largest(xs: Sequence[float]) -> float:
    """The largest number; nan if any is nan."""
    return nan if any(x != x for x in xs) else builtins.max(xs[: count(xs, "max")])


def smallest(xs: Sequence[float]) -> float:
    """The smallest number; nan if any is nan."""
    return nan if any(x != x for x in xs) else builtins.min(xs[: count(xs, "min")])


def tie_shares(xs: Sequence[float], out: float) -> list[float]:
    """1/k for each of the k numbers that equal `out`, 0 for the others; nan where `out` is nan."""
    ties = [out <= x <= out for x in xs]
    share = 1.0 / builtins.sum(ties) if any(ties) else nan
    return [share if tie or share != share else 0.0 for tie in ties]


def product(xs: Iterable[float]) -> float:
    """The product from left to right; 1.0 of no numbers."""
    return math.prod(xs, start=1.0)


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
    """exp(x - y), corrected for the rounding of x - y, which Knuth's two-sum finds."""
    d = x - y
    if not -inf < d < inf:
        return 1.0 if x == y == inf else exp(d)
    e = exp(d)
    back = d - x
    residual = (x - (d - back)) - (y + back)
    return e + e * residual if e < inf else e


def log_sum_exp(xs: Sequence[float]) -> float:
    """log(Σ exp x), as m + log1p(Σ exp(x - m)), m the largest x and Σ over the others.

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
    whole = add_up(es)
    return [divide(e, whole) for e in es]


NAMES: dict[str, Callable[..., Any]] = {  # the names that `ops` uses
    "add_up": add_up, "add_up_products": add_up_products, "largest": largest,
    "smallest": smallest, "tie_shares": tie_shares, "product": product,
    "products_of_others": products_of_others, "difference_exp": exp_difference,
    "log_sum_exp": log_sum_exp, "softmax": soft_max, "len": len,
}  # fmt: skip
