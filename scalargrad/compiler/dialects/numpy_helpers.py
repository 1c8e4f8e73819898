"""The functions that NumPy source calls: NumPy's, and those of `arithmetic` on arrays.   (floor 3)

A list there is the last axis here. They may warn: their callers run under
`numpy.errstate(all="ignore")`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...arithmetic.extremes import unit_vector


def mended(fits: Any, value: Any, instead: Any, *operands: Any) -> Any:
    """`value` where a condition holds; elsewhere a number, or a function of the numbers there.

    >>> x = np.array([1.0, 0.0, 4.0])
    >>> mended(x > 0.0, 1.0 / np.maximum(x, 1.0), lambda x: x - 1.0, x)
    array([ 1.  , -1.  ,  0.25])
    """
    if np.count_nonzero(fits) == np.size(fits):  # as nearly always
        return value
    if not operands:
        return np.where(fits, value, instead)
    fits, value, *operands = np.broadcast_arrays(fits, value, *operands)  # type: ignore[assignment]
    result, rare = np.array(value, dtype=float), ~fits
    result[rare] = [*map(instead, *[operand[rare].tolist() for operand in operands])]
    return result


def order(x: Any, y: Any) -> Any:
    """1 where x > y, 0 where they are equal, -1 where x < y, else nan."""
    result = np.sign(x - y)
    # inf - inf is nan
    return mended(result == result, result, lambda x, y: 0.0 if x == y else np.nan, x, y)


def share(partial: Any, d: Any) -> Any:
    """The chain rule: partial × d goes back along a slope d, and 0 where d is 0."""
    return np.where(d == 0.0, 0.0, partial * d)


# ------------------------------------------------------------------ of many


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
    """A ufunc over the last axis, turned to the front: many short lists side by side are faster."""
    turned = np.ascontiguousarray(xs.reshape(-1, xs.shape[-1]).T)
    return ufunc.reduce(turned).reshape(xs.shape[:-1])


def tie_shares(xs: Any, out: Any) -> Any:
    """1/k for each of the k numbers that equal `out`, 0 for the others; nan where `out` is nan."""
    ties = xs == out[..., None]
    return np.where(np.isnan(out)[..., None], np.nan, ties / ties.sum(-1, keepdims=True))


def norm(xs: Any) -> Any:
    """The root of the sum of squares, of numbers large and small."""
    squares = (xs * xs).sum(-1)
    plain = (squares > 1e-280) & (squares < np.inf)
    return _lists_mended(plain, np.sqrt(squares), lambda xs: math.hypot(*xs), xs)


def over_norm(xs: Any, out: Any) -> Any:
    """Each number over the root of the sum of squares, which is `out`."""
    plain = (out > 1e-290) & (out < np.inf)
    return _lists_mended(plain, xs / out[..., None], unit_vector, xs)


def _lists_mended(fits: Any, value: Any, instead: Any, xs: Any) -> Any:
    """`value` where a condition holds; elsewhere a function of the list there."""
    if not np.all(fits):
        value, rare = np.array(value), np.logical_not(fits)
        value[rare] = [*map(instead, xs[rare].tolist())]
    return value


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
    return mended(result == result, result, lambda x, y, e: 1.0 if x == y == np.inf else e, x, y, e)


def exps(xs: Any) -> Any:
    """exp(x - m) of each number, m being the largest over the last axis."""
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
    """x to the y; where y is the number ½, NumPy's root is nan at -inf and -0.0 at -0.0."""
    if np.ndim(y) == 0 and y == 0.5:
        return mended(x != -np.inf, np.sqrt(x) + 0.0, np.inf)
    return np.power(x, y)


# ------------------------------------------------------------------ number by number


def one_by_one(function: Callable[..., float], *operands: Any) -> Any:
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
    return special.erf(x) if special else one_by_one(math.erf, x)


def erfc(x: Any) -> Any:
    """SciPy's, or math's above ½, where SciPy's loses up to 500 ulp, and all beyond 26.6."""
    special = _of_scipy()
    if not special:
        return one_by_one(math.erfc, x)
    return mended(x <= 0.5, special.erfc(x), math.erfc, x)


def whole(x: Any, y: Any) -> Any:
    """NumPy divides by 0, where this is nan."""
    return np.floor_divide(x, np.where(np.isfinite(x) & (y != 0.0), y, np.nan))


# ------------------------------------------------------------------ whole arrays


def beside(*arrays: Any) -> Any:
    """Arrays one behind the other, those without rows repeated for each row of the others."""
    rows = max(array.ndim for array in arrays)
    if rows > 1:
        count = max(len(array) for array in arrays if array.ndim > 1)
        arrays = tuple(
            array if array.ndim > 1 else np.broadcast_to(array, (count, len(array)))
            for array in arrays
        )
    return np.concatenate(arrays, axis=-1)


def times(left: Any, right: Any, hides: int) -> Any:
    """The matrix product of slopes and partials, in which a slope of 0 sends 0.

    `hides` says which side are the slopes.

    >>> with np.errstate(invalid="ignore"):
    ...     times(np.array([0.0, 2.0]), np.array([[np.inf, 1.0], [3.0, 4.0]]), 0)
    array([6., 8.])
    """
    if np.isfinite(left if hides else right).all():
        return left @ right
    left, right = left[..., None], right if left.ndim == 1 else right[..., None, :, :]
    return np.where((right if hides else left) == 0.0, 0.0, left * right).sum(-2)


# ------------------------------------------------------------------ by name

NAMES: dict[str, Any] = {
    **{name: getattr(np, name) for name in (
        "abs", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "sin",
        "cos", "tan", "sinh", "cosh", "tanh", "hypot", "inf", "nan", "where", "maximum", "minimum",
        "sign", "copysign", "logical_not", "ones_like", "dot", "vdot", "full", "zeros", "array",
    )},
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "modulo": np.mod, "pow": power,
    "spread": np.broadcast_to,
    **{function.__name__: function for function in (
        mended, order, share, one_by_one, product, products_of_others, largest, smallest,
        tie_shares, norm, over_norm, difference_exp, exps, log_of_sum, shares, erf, erfc, whole,
        beside, times,
    )},
}  # fmt: skip
