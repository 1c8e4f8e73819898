"""Real arithmetic that never raises, and the helpers at the ends of the range, against exact arithmetic."""

from __future__ import annotations

import itertools
import math
import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from scalargrad.arithmetic import conversion, extremes, lists, total
from scalargrad.rows.text import FAST_NAMES, TOTAL_NAMES

from .edges import inf, nan, same
from .oracle import anywhere, ulps

NUMBERS = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    3.0,
    -3.0,
    0.5,
    inf,
    -inf,
    nan,
    5e-324,
    1e308,
    -1e308,
    710.0,
    -745.2,
]


@pytest.mark.parametrize("y", NUMBERS)
@pytest.mark.parametrize("x", NUMBERS)
def test_divide_and_power_answer_as_numpy_does(x: float, y: float) -> None:
    with np.errstate(all="ignore"):
        assert same(total.divide(x, y), float(np.float64(x) / np.float64(y)))
        assert same(total.power(x, y), float(np.float64(x) ** np.float64(y)))


NUMPY_NAMES = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}
OF_ONE = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "sqrt",
    "cbrt",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
]
OF_ONE += NUMPY_NAMES


@pytest.mark.parametrize("name", OF_ONE)
def test_total_functions_answer_as_numpy_does(name: str) -> None:
    numpy_function: Any = getattr(np, NUMPY_NAMES.get(name, name))
    for x in NUMBERS:
        got = TOTAL_NAMES[name](x)
        with np.errstate(all="ignore"):
            expected = float(numpy_function(x))
        if math.isfinite(expected) and expected:
            assert got == pytest.approx(expected, rel=1e-15)
        else:
            assert same(got, expected), x


def test_total_functions_are_the_raw_ones_where_those_do_not_raise() -> None:
    for name in OF_ONE:
        raw: Any = FAST_NAMES[name]
        for x in (0.3, 0.9, 1e-300, 0.0):
            try:
                expected = raw(x)
            except ValueError:
                continue
            assert TOTAL_NAMES[name](x) == expected


def test_sum_is_plain_on_every_python() -> None:
    rng = random.Random(4)
    xs = [rng.uniform(-1, 1) * 10.0 ** rng.randint(-8, 8) for _ in range(500)]
    total = 0.0
    for x in xs:
        total = total + x
    assert lists.add_up(xs) == total
    assert lists.add_up([1e16, 1.0, -1e16]) == 0.0


def test_products_of_others_are_the_products_of_the_others() -> None:
    assert lists.products_of_others([2.0, 3.0, 5.0, 7.0]) == [105.0, 70.0, 42.0, 30.0]
    assert lists.products_of_others([0.0, 3.0, 0.0]) == [0.0, 0.0, 0.0]
    assert (lists.products_of_others([4.0]), lists.products_of_others([])) == ([1.0], [])


def test_ties_share_and_nan_has_no_largest() -> None:
    assert lists.tie_shares([1.0, 3.0, 3.0, 3.0, 2.0], 3.0) == [0.0, 1 / 3, 1 / 3, 1 / 3, 0.0]
    assert all(map(math.isnan, lists.tie_shares([1.0, nan], nan)))
    assert math.isnan(lists.largest([1.0, nan]))
    assert math.isnan(lists.smallest([nan, 1.0]))
    for function in (lists.largest, lists.smallest):
        with pytest.raises(ValueError, match="at least one"):
            function([])


def test_lists_of_unlike_lengths_are_refused_with_their_lengths() -> None:
    with pytest.raises(ValueError, match="got 2 and 3"):
        lists.add_up_products([1.0, 2.0], [1.0, 2.0, 3.0])


# ------------------------------------------------------------------ the ends of the range, exactly


def test_quotients_are_right_at_the_ends_of_the_range() -> None:
    rng = random.Random(11)
    mpmath.mp.dps = 60
    pairs = [(anywhere(rng), anywhere(rng)) for _ in range(400)]
    pairs += [(x, x * 2.0 ** rng.randint(-8, 8) or x) for x, _ in pairs]
    try:
        for x, y in pairs:
            if not math.isfinite(y):
                continue
            a, b = Fraction(x), Fraction(y)
            for got, true in (
                (extremes.over_square(x, y), a / b**2),
                (extremes.over_squares(x, y), a / (a * a + b * b)),
            ):
                assert ulps(got, mpmath.mpf(true.numerator) / true.denominator) <= 4.0, (x, y)
            assert (
                ulps(
                    extremes.over_hypot(x, y),
                    mpmath.mpf(x) / mpmath.sqrt(mpmath.mpf(x) ** 2 + mpmath.mpf(y) ** 2),
                )
                <= 4.0
            ), (x, y)
    finally:
        mpmath.mp.dps = 15


def test_slopes_of_a_power_are_right_where_the_power_is_not() -> None:
    mpmath.mp.dps = 400
    try:
        for x, y in (
            (1e10, 31.5), (1e-10, 32.4), (1e-310, 1e-300), (3.0, -678.3), (7e307, 1.004), (1.5, -1837.25), (-1e10, 31.0), (-1e-200, 2.0),
        ):  # fmt: skip
            true = mpmath.mpf(y) * mpmath.power(x, mpmath.mpf(y) - 1)
            assert ulps(extremes.power_slope(x, y), true) <= 4.0, (x, y)
            if x > 0:
                assert ulps(extremes.power_log(x, y), mpmath.power(x, y) * mpmath.log(x)) <= 4.0, (
                    x,
                    y,
                )
    finally:
        mpmath.mp.dps = 15


def test_cube_roots_of_cubes_are_exact() -> None:
    for n in range(-200, 200):
        for e in (-340, -10, 0, 10, 330):
            assert extremes.cube_root(math.ldexp(float(n**3), 3 * e)) == math.ldexp(float(n), e)


@pytest.mark.parametrize(
    "name",
    ["over_square", "over_squares", "over_hypot", "power_slope", "power_log", "difference_exp"],
)
def test_helpers_of_two_numbers_never_raise(name: str) -> None:
    function: Any = FAST_NAMES[name]
    for x, y in itertools.product(NUMBERS, repeat=2):
        result = function(x, y)
        assert type(result) is float
        if math.isnan(x) and name in ("over_square", "over_squares", "over_hypot"):
            assert math.isnan(result)


@pytest.mark.parametrize("name", ["gelu_tail", "gelu_tail_slope", "cube_root"])
def test_helpers_of_one_number_never_raise(name: str) -> None:
    function: Any = FAST_NAMES[name]
    for x in (*NUMBERS, -37.5, -38.5, -40.0):
        if name == "cube_root" or not x >= -37.0:
            assert type(function(x)) is float


# ------------------------------------------------------------------ what is a number


def test_real_takes_every_kind_of_real_number() -> None:
    for number, expected in (
        (3, 3.0), (True, 1.0), (Fraction(1, 4), 0.25), (Decimal("0.1"), 0.1), (np.float32(0.5), 0.5), (np.int8(-3), -3.0),
        (np.bool_(True), 1.0), (10**400, inf), (-(10**400), -inf), (Fraction(10**400, 3), inf), (2.5, 2.5), (np.float64(2.5), 2.5),
    ):  # fmt: skip
        got = conversion.as_float(number)
        assert got == expected
        assert type(got) is float
    for unreal in (1j, "1", b"1", None, [1.0], np.array([1.0]), np.complex128(1), object()):
        assert conversion.as_float(unreal) is None


def test_decimal_nans_are_nan() -> None:
    assert all(math.isnan(conversion.as_float(Decimal(text)) or 0.0) for text in ("NaN", "sNaN"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("1", "got str: write float\\('1'\\)"),
        (1j, "got complex: use its real and"),
        (None, "got NoneType"),
        ([1.0], "got list: give it one number at a time"),
    ],
)
def test_what_is_no_real_number_is_refused_with_advice(given: object, says: str) -> None:
    with pytest.raises(TypeError, match=f"exp takes a real number, {says}"):
        conversion.to_float(given, "exp")
