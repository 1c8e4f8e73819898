"""exp and tanh for long loops, written so that numba turns them into vector instructions.   (floor 3)

The C library's functions take one number at a time; a loop that calls these takes as many as a register holds, three to
six times as fast (and one number at a time, half as fast). They are total, exp within 1 ulp of the truth and tanh within 2.5.

    x = n log 2 + r with |r| <= ½ log 2,   exp x = 2ⁿ (1 + r + r² q(r)),   q(r) = 1/2! + r/3! + r²/4! + …

`machine` makes copies that see its names, among them the functions of bits.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy import float64, int64

    from .machine_lists import Numbers


def _reduced(x: float, least: float) -> tuple[Numbers, float]:
    """1.5 · 2⁵² + n, whose last bits are n, and r; x is cut where exp(x) is inf, and at `least`."""
    x = 710.0 if x > 710.0 else least if x < least else x
    shifted = x * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    return shifted, (
        x - n * 0.6931471803691238
    ) - n * 1.9082149292705877e-10  # n times the first part of log 2 is exact


def _grown(r: float) -> float:
    """exp(r) - 1 by Taylor's series, in short chains (Estrin's scheme)."""
    s = r * r
    low = (1 / 2 + r * (1 / 6)) + s * (1 / 24 + r * (1 / 120))
    middle = (1 / 720 + r * (1 / 5040)) + s * (1 / 40320 + r * (1 / 362880))
    high = (1 / 3628800 + r * (1 / 39916800)) + s * (1 / 479001600 + r * (1 / 6227020800))
    return r + s * (low + s * s * (middle + s * s * high))


def _wide_exp(x: float) -> float:
    """The exponential; 2ⁿ in two steps, so that what is subnormal is rounded once."""
    shifted, r = _reduced(x, -746.0)
    n = float64(shifted).view(int64) - 0x4338000000000000
    half = n >> 1
    first, second = (
        int64((half + 1023) << 52).view(float64),
        int64((n - half + 1023) << 52).view(float64),
    )
    return (1.0 + _grown(r)) * first * second


def _wide_tanh(x: float) -> float:
    """With e = exp(-2|x|): near 0 (1 - e) / (1 + e), by 1 - e = -2ⁿ (exp(r) - 1 + (1 - 2⁻ⁿ)); further out 1 - 2e / (1 + e)."""
    shifted, r = _reduced(-2.0 * abs(x), -50.0)
    n = float64(shifted).view(int64) - 0x4338000000000000
    power, inverse, grown = (
        int64((1023 + n) << 52).view(float64),
        int64((1023 - n) << 52).view(float64),
        _grown(r),
    )
    e, less = power * (1.0 + grown), -power * (grown + (1.0 - inverse))
    is_near = abs(x) < 0.6
    ratio = (less if is_near else 2.0 * e) / (2.0 - less if is_near else 1.0 + e)
    return math.copysign(ratio if is_near else 1.0 - ratio, x)
