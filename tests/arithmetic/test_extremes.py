"""Values and slopes near the ends of the float range, against exact arithmetic."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction
from typing import Any

import mpmath
import pytest

from scalargrad.arithmetic import extremes
from scalargrad.rows.text import FAST_NAMES

from ..oracle import anywhere, ulps
from .test_total import NUMBERS


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
