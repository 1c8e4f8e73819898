"""Sums over rows of data, and sums in any order, for source that numba compiles.   (floor 3)

What carries rows is a flat array here: number i of row r stands at i * n + r, where n is how many rows there are, so that
the innermost loop runs along neighbours in memory. Four terms at a time keep a sum in a register while it is added to. A
matrix is a flat array too, with the steps from one of its rows and columns to the next, so that numba compiles one function for all.

`machine` makes copies that see its names; those in `ANY_ORDER` may add in any order, by vector instructions.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Array = Any  # of float64


def columns(x: Array, first: int, n: int, into: Array) -> None:
    """Some rows of x, with the numbers of a column side by side."""
    for r in range(n):
        for k in range(x.shape[1]):
            into[k * n + r] = x[first + r, k]


def columns_of(x: Array, order: Array, first: int, n: int, into: Array) -> None:
    """Rows of x in an order, with the numbers of a column side by side."""
    for r in range(n):
        for k in range(x.shape[1]):
            into[k * n + r] = x[order[first + r], k]


def put_rows(x: Array, size: int, into: Array, first: int, n: int) -> None:
    """Write columns back as rows, one behind the other."""
    for r in range(n):
        for k in range(size):
            into[(first + r) * size + k] = x[k * n + r]


def clear(xs: Array) -> None:
    """Set all numbers of an array to 0."""
    for i in range(len(xs)):
        xs[i] = 0.0


def layer(
    w: Array, down: int, along: int, size: int, count: int, x: Array, b: Array, z: Array, n: int
) -> None:
    """zᵢ = bᵢ + Σₖ wᵢₖ xₖ in each row, added from left to right."""
    for i in range(size):
        for r in range(n):
            z[i * n + r] = b[i]
    add_dots(w, down, along, size, count, x, z, n)


def add_dots(
    w: Array, down: int, along: int, size: int, count: int, x: Array, z: Array, n: int
) -> None:
    """zᵢ += Σₖ wᵢₖ xₖ in each row, added from left to right."""
    for i in range(size):
        zi = z[i * n : i * n + n]
        k = 0
        while k + 4 <= count:
            at = i * down + k * along
            a, b, c, d = w[at], w[at + along], w[at + 2 * along], w[at + 3 * along]
            xk = x[k * n : k * n + 4 * n]
            for r in range(n):
                zi[r] = zi[r] + a * xk[r] + b * xk[n + r] + c * xk[2 * n + r] + d * xk[3 * n + r]
            k += 4
        while k < count:
            a, xk = w[i * down + k * along], x[k * n : k * n + n]
            for r in range(n):
                zi[r] += a * xk[r]
            k += 1


def add_products(
    d: Array, x: Array, g: Array, down: int, along: int, size: int, count: int, n: int
) -> None:
    """gᵢₖ += Σ dᵢ xₖ over the rows."""
    for i in range(size):
        di = d[i * n : i * n + n]
        k = 0
        while k + 4 <= count:
            xk = x[k * n : k * n + 4 * n]
            sum1 = sum2 = sum3 = sum4 = 0.0
            for r in range(n):
                sum1 += di[r] * xk[r]
                sum2 += di[r] * xk[n + r]
                sum3 += di[r] * xk[2 * n + r]
                sum4 += di[r] * xk[3 * n + r]
            at = i * down + k * along
            g[at] += sum1
            g[at + along] += sum2
            g[at + 2 * along] += sum3
            g[at + 3 * along] += sum4
            k += 4
        while k < count:
            xk, sum1 = x[k * n : k * n + n], 0.0
            for r in range(n):
                sum1 += di[r] * xk[r]
            g[i * down + k * along] += sum1
            k += 1


def add_sums(d: Array, g: Array, n: int) -> None:
    """gᵢ += Σ dᵢ over the rows."""
    for i in range(len(g)):
        g[i] += sum_of(d[i * n : i * n + n])


def dot_of(w: Array, x: Array) -> float:
    """Σₖ wₖ xₖ."""
    total = 0.0
    for k in range(len(w)):
        total += w[k] * x[k]
    return total


def sum_of(xs: Array) -> float:
    """The sum of all numbers of an array."""
    total = 0.0
    for i in range(len(xs)):
        total += xs[i]
    return total


def is_finite(xs: Array) -> bool:
    """Whether all numbers of an array are finite, as far as their sum tells."""
    return math.isfinite(sum_of(xs))


ANY_ORDER = (add_products, add_sums, dot_of, sum_of)
TYPES = {  # F: an array of floats, I: an integer; without them numba would make a function for every number that is written in a call
    "layer": "FIIIIFFFI",
    "add_dots": "FIIIIFFI",
    "add_products": "FFFIIIII",
}
