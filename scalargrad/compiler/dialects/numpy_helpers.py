"""The functions that a row's source on arrays calls: NumPy's, and those of `many` and `ends` for whole arrays.   (floor 3)

This module needs NumPy; `numpy.array_names` imports it when it is asked for a function. Each function is the one of its
name in `many` or `ends`, element by element; a list there is the last axis here. They may warn: their callers run under
`numpy.errstate(all="ignore")`.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from ...arithmetic import periodic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# ------------------------------------------------------------------ where the plain formula does not do


def unless(condition: Any) -> Any:
    """Where a condition does not hold; None if it holds everywhere, as it nearly always does."""
    return None if np.count_nonzero(condition) == np.size(condition) else np.logical_not(condition)


def when(condition: Any) -> Any:
    """Where a condition holds; None if it holds nowhere, as is nearly always so."""
    return condition if np.count_nonzero(condition) else None


def mended(rare: Any, value: Any, instead: Any, *operands: Any) -> Any:
    """`value`, but where `rare` holds a number, or a function of the operands there; one of no operands is of the whole.

    >>> x = np.array([1.0, 0.0, 4.0])
    >>> mended(unless(x > 0.0), 1.0 / np.maximum(x, 1.0), lambda x: x - 1.0, x)
    array([ 1.  , -1.  ,  0.25])
    """
    if rare is None:
        return value
    if not operands:
        other: Any = instead() if callable(instead) else instead
        return np.where(rare, other, value)
    rare, value, *operands = np.broadcast_arrays(rare, value, *operands)  # type: ignore[assignment]
    result = np.array(value, dtype=float)
    result[rare] = instead(*(operand[rare] for operand in operands))
    return result


def order(x: Any, y: Any) -> Any:
    """1 where x > y, 0 where they are equal, -1 where x < y, else nan."""
    result = np.sign(x - y)
    return mended(
        unless(result == result), result, lambda x, y: np.where(x == y, 0.0, np.nan), x, y
    )  # inf - inf is nan


def share(partial: Any, d: Any) -> Any:
    """What goes back along a slope: partial × d, and 0 where d is 0."""
    return np.where(d == 0.0, 0.0, partial * d)


# ------------------------------------------------------------------ of many


def add_up(xs: Any) -> Any:
    """The sum over the last axis."""
    return xs.sum(-1, initial=0.0)


def add_up_products(ws: Any, xs: Any, bias: Any = 0.0) -> Any:
    """The bias and the sum of the products over the last axis."""
    return (ws * xs).sum(-1) + bias


def product(xs: Any) -> Any:
    """The product over the last axis."""
    return xs.prod(-1)


def products_of_others(xs: Any) -> Any:
    """For each number the product of all the others."""
    before, after = np.ones_like(xs), np.ones_like(xs)
    before[..., 1:] = np.cumprod(xs[..., :-1], -1)
    after[..., :-1] = np.cumprod(xs[..., :0:-1], -1)[..., ::-1]
    return before * after


def largest(xs: Any) -> Any:
    """The largest over the last axis, nan where a number is."""
    return _over_last(np.maximum, xs)


def smallest(xs: Any) -> Any:
    """The smallest over the last axis, nan where a number is."""
    return _over_last(np.minimum, xs)


def _over_last(ufunc: np.ufunc, xs: Any) -> Any:
    """A ufunc over the last axis, which is turned to the front: NumPy goes through many short lists side by side several times faster."""
    return ufunc.reduce(np.ascontiguousarray(xs.reshape(-1, xs.shape[-1]).T)).reshape(xs.shape[:-1])


def tie_shares(xs: Any, out: Any) -> Any:
    """1/k for each of the k numbers that equal `out`, 0 for the others; nan where `out` is nan."""
    ties = xs == out[..., None]
    return np.where(np.isnan(out)[..., None], np.nan, ties / ties.sum(-1, keepdims=True))


def norm(xs: Any) -> Any:
    """The root of the sum of squares, of numbers large and small."""
    squares = (xs * xs).sum(-1)
    return mended(
        unless((squares > 1e-280) & (squares < np.inf)), np.sqrt(squares), lambda: _scaled_norm(xs)
    )


def _scaled_norm(xs: Any) -> Any:
    longest = np.abs(xs).max(-1, initial=0.0)
    e = np.frexp(np.where(np.isfinite(longest), longest, 0.0))[1]
    root = np.ldexp(np.sqrt((np.ldexp(xs, -e[..., None]) ** 2.0).sum(-1)), e)
    return np.where((np.abs(xs) == np.inf).any(-1), np.inf, root)


def unit_vector(xs: Any) -> Any:
    """Each number over the root of the sum of squares; 0 where all are 0."""
    longest = np.abs(xs).max(-1, initial=0.0, keepdims=True)
    scale = np.frexp(np.where(np.isfinite(longest), longest, 0.0))[1]
    h = np.sqrt((np.ldexp(xs, -scale) ** 2.0).sum(-1, keepdims=True))
    m, e = np.frexp(xs)
    infinite = np.abs(xs) == np.inf
    limit = np.where(
        infinite, np.copysign(np.where(infinite.sum(-1, keepdims=True) == 1, 1.0, np.nan), xs), 0.0
    )
    result = np.where(
        longest == np.inf, limit, np.where(longest == 0.0, 0.0, np.ldexp(m / h, e - scale))
    )
    return np.where(np.isnan(longest), np.nan, result)


def over_norm(xs: Any, out: Any) -> Any:
    """Each number over the root of the sum of squares, which is `out`."""
    n = out[..., None]
    return mended(unless((n > 1e-290) & (n < np.inf)), xs / n, lambda: unit_vector(xs))


def difference_exp(x: Any, y: Any) -> Any:
    """exp(x - y), with what rounding took from x - y given back (Knuth's two-sum residual)."""
    d = x - y
    e = np.exp(d)
    back = d - x
    result = x - (d - back)
    back += y
    result -= back
    result *= e
    result += e
    return mended(unless(result == result), result, _difference_at_the_ends, e, x, y)


def _difference_at_the_ends(e: Any, x: Any, y: Any) -> Any:
    return np.where((x == np.inf) & (y == np.inf), 1.0, e)


def exps(xs: Any) -> Any:
    """exp(x - m) of each number, m being the largest over the last axis: what logsumexp and its slopes share."""
    return difference_exp(xs, largest(xs)[..., None]) if xs.shape[-1] else xs


def log_of_sum(xs: Any, es: Any) -> Any:
    """log(Σ exp x), as m + log1p(Σ of the others), of the numbers and their `exps`."""
    n = xs.shape[-1]
    if not n:
        return np.full(xs.shape[:-1], -np.inf)
    at = np.arange(xs.size // n), xs.argmax(-1).ravel()  # where the largest are
    others = es.reshape(-1, n).copy()
    others[at] = 0.0
    m = xs.reshape(-1, n)[at]
    return np.where(np.isfinite(m), m + np.log1p(others.sum(-1)), m).reshape(xs.shape[:-1])


def shares(es: Any) -> Any:
    """Each number over the sum of all: softmax, of `exps`."""
    return es / es.sum(-1, keepdims=True)


# ------------------------------------------------------------------ the ends of the range


def power(x: Any, y: Any) -> Any:
    """x to the y; NumPy takes the root where y is the number ½, which is nan at -inf and -0.0 at -0.0."""
    if np.ndim(y) == 0 and y == 0.5:
        return mended(when(x == -np.inf), np.sqrt(x) + 0.0, np.inf)
    return np.power(x, y)


def over_hypot(x: Any, y: Any) -> Any:
    """x / hypot(x, y)."""
    return unit_vector(np.stack(np.broadcast_arrays(x, y), -1))[..., 0]


def over_squares(x: Any, y: Any) -> Any:
    """x / (x² + y²), of numbers large and small."""
    scale = np.frexp(np.maximum(np.abs(x), np.abs(y)))[1]
    m, e = np.frexp(x)
    h = np.hypot(np.ldexp(x, -scale), np.ldexp(y, -scale))
    result = np.where(
        (x == 0.0) | (np.abs(x) == np.inf) | (np.abs(y) == np.inf),
        np.copysign(0.0, x),
        np.ldexp(m / h / h, e - 2 * scale),
    )
    return np.where(np.isnan(x) | np.isnan(y) | ((x == 0.0) & (y == 0.0)), np.nan, result)


def over_square(x: Any, y: Any) -> Any:
    """x / y², of numbers large and small."""
    (m, e), (m_y, e_y) = np.frexp(x), np.frexp(y)
    plain = (x == 0.0) | (y == 0.0) | ~(np.isfinite(x) & np.isfinite(y))
    return np.where(plain, x / y / y, np.ldexp(m / m_y / m_y, e - 2 * e_y))


def power_slope(x: Any, y: Any) -> Any:
    """y x^(y-1), the slope of x^y by x, also where x^y itself overflows or underflows."""
    d = y - 1.0
    back = d - y
    lost = (y - (d - back)) + (-1.0 - back)  # what rounding took from y - 1
    root, e_root = np.frexp(power(np.abs(x), 0.5 * d))
    m, e = np.frexp(np.where((x < 0.0) & (y % 2.0 == 0.0), -y, y))
    scaled = np.ldexp(m * root * root * (1.0 + lost * np.log(np.abs(x))), e + 2 * e_root)
    plain = (x == 0.0) | ~(np.isfinite(x) & np.isfinite(y)) | ((x < 0.0) & (y % 1.0 != 0.0))
    result = np.where(
        plain, y * power(x, d), np.where(root < np.inf, scaled, np.copysign(np.inf, m))
    )
    return np.where(
        (y == 0.0)
        | ((y < 0.0) & (np.abs(x) == np.inf))
        | ((np.abs(y) == np.inf) & (power(x, y) == 0.0)),
        0.0,
        result,
    )


def power_log(x: Any, y: Any) -> Any:
    """x^y log x, the slope of x^y by y, also where x^y itself overflows or underflows."""
    out, logarithm = power(x, y), np.log(x)
    root, e = np.frexp(power(x, 0.5 * y))
    scaled = np.where(
        root < np.inf, np.ldexp(root * root * logarithm, 2 * e), np.copysign(np.inf, logarithm)
    )
    plain = np.where((out == 0.0) & (x > 0.0), 0.0, out * logarithm)
    result = np.where((x > 0.0) & np.isfinite(x) & np.isfinite(y), scaled, plain)
    return np.where((x == 0.0) & (y >= 0.0), 0.0, result)


def cube_root(x: Any) -> Any:
    """∛x, with a step of Newton's for the last digit, of numbers large and small."""
    m, e = np.frexp(x)
    m = np.ldexp(m, e % 3)
    c = np.cbrt(m)
    return np.where(
        (x == 0.0) | ~np.isfinite(x), x, np.ldexp(c - (c * c * c - m) / (3.0 * c * c), e // 3)
    )


def _gelu_tail(x: Any) -> tuple[Any, Any, Any]:
    """Factors of φ(x), and x Φ(x) / -φ(x) by its asymptotic series (good for x < -37)."""
    z = 1.0 / x / x
    series = 1.0 - z * (1.0 - z * (3.0 - z * (15.0 - z * (105.0 - z * (945.0 - z * 10395.0)))))
    t = 134217729.0 * x
    h = t - (t - x)
    e64 = np.exp(64.0 - 0.5 * h * h)
    return 6.398279740081261e-29 * np.exp(0.5 * (h - x) * (h + x)), e64, series


def gelu_tail(x: Any) -> Any:
    """x Φ(x) far to the left, where Φ is subnormal and x Φ is not."""
    factor, e64, series = _gelu_tail(x)
    return np.where(x < -40.0, -0.0, -factor * series * e64)


def gelu_tail_slope(x: Any) -> Any:
    """Φ(x) + x φ(x) far to the left; 1 at infinity."""
    factor, e64, series = _gelu_tail(x)
    ends = np.where(x < 0.0, 0.0, np.where(x > 0.0, 1.0, np.nan))
    return np.where((x > -40.0) & (x < 0.0), factor * (x - series / x) * e64, ends)


# ------------------------------------------------------------------ erf


def each(function: Callable[..., float], *operands: Any) -> Any:
    """A function of numbers, of every number of arrays."""
    arrays = np.broadcast_arrays(*operands)
    numbers = map(function, *[array.ravel().tolist() for array in arrays])
    return np.fromiter(numbers, float, arrays[0].size).reshape(arrays[0].shape)


@cache
def _of_scipy() -> Any:
    """SciPy's special functions; None without SciPy."""
    try:
        from scipy import special  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return None
    return special


def erf(x: Any) -> Any:
    """SciPy's where it is installed, else math's for each number."""
    special = _of_scipy()
    return special.erf(x) if special else each(math.erf, x)


def erfc(x: Any) -> Any:
    """SciPy's where it has its digits; it loses up to 500 ulp above ½, and all beyond 26.6, where `math` is asked."""
    special = _of_scipy()
    return (
        mended(when(x > 0.5), special.erfc(x), lambda x: each(math.erfc, x), x)
        if special
        else each(math.erfc, x)
    )


def modulo(x: Any, y: Any) -> Any:
    """Nan where y is 0, as NumPy's own, and where x is infinite."""
    return np.mod(x, y)


def whole(x: Any, y: Any) -> Any:
    """NumPy divides by 0, where this is nan."""
    return np.floor_divide(x, np.where(np.isfinite(x) & (y != 0.0), y, np.nan))


def sinc_slope(x: Any, n: Any) -> Any:
    """The n-th derivative of sinc, element by element."""
    return each(periodic.sinc_slope, x, n)


# ------------------------------------------------------------------ by name

NAMES: dict[str, Any] = {
    "abs": np.abs, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "log2": np.log2,
    "log10": np.log10, "sqrt": np.sqrt, "cbrt": np.cbrt, "pow": power, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh,
    "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "hypot": np.hypot, "erf": erf, "erfc": erfc, "inf": np.inf, "nan": np.nan,
    "where": np.where, "maximum": np.maximum, "minimum": np.minimum, "sign": np.sign, "copysign": np.copysign,
    "logical_not": np.logical_not, "ones_like": np.ones_like,
    "unless": unless, "when": when, "mended": mended, "order": order, "share": share,
    "add_up": add_up, "add_up_products": add_up_products, "product": product, "products_of_others": products_of_others,
    "largest": largest, "smallest": smallest, "tie_shares": tie_shares, "norm": norm, "over_norm": over_norm,
    "difference_exp": difference_exp, "exps": exps, "log_of_sum": log_of_sum, "shares": shares,
    "over_hypot": over_hypot, "over_squares": over_squares, "over_square": over_square, "power_slope": power_slope,
    "power_log": power_log, "cube_root": cube_root, "gelu_tail": gelu_tail, "gelu_tail_slope": gelu_tail_slope,
    "modulo": modulo, "whole": whole, "sinc_slope": sinc_slope,
}  # fmt: skip
