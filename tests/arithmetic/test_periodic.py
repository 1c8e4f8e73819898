"""Remainders, and sin(πx) with its relatives, against exact arithmetic."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import mpmath

from scalargrad.arithmetic import periodic

from ..oracle import ulps


def test_sin_and_cos_of_halves_of_pi_are_exact() -> None:
    for n in (*range(-20, 20), 10**15, -(10**15) - 1):
        assert abs(periodic.sin_pi(float(n))) == 0.0
        assert periodic.cos_pi(float(n)) == (-1.0) ** n
        if abs(n) < 100:
            assert periodic.sin_pi(n + 0.5) == (-1.0) ** n
            assert periodic.cos_pi(n + 0.5) == 0.0


def test_sin_and_cos_of_multiples_of_pi_keep_their_digits() -> None:
    rng = random.Random(3)
    with mpmath.workdps(60):
        for x in [rng.uniform(-1, 1) * 10.0 ** rng.randint(-12, 9) for _ in range(300)]:
            assert ulps(periodic.sin_pi(x), mpmath.sinpi(x)) <= 4.0, x
            assert ulps(periodic.cos_pi(x), mpmath.cospi(x)) <= 4.0, x


def test_a_remainder_and_its_whole_number_make_up_x() -> None:
    rng = random.Random(5)
    for _ in range(300):
        x, y = rng.randint(-1000, 1000) / 8, rng.choice([-1, 1]) * rng.randint(1, 200) / 8
        rest, times = periodic.modulo(x, y), periodic.whole(x, y)
        assert Fraction(times) * Fraction(y) + Fraction(rest) == Fraction(x)
        assert math.copysign(1.0, rest) == math.copysign(1.0, y)
        assert abs(rest) < abs(y)


def test_slopes_of_sinc_of_all_orders_are_right_near_0_and_far_from_it() -> None:
    with mpmath.workdps(900):
        for n in (1, 2, 5, 9, 12, 20, 40, 100):
            for x in (
                1e-5,
                0.2,
                0.1 * n,
                0.4 * n,
                math.nextafter(0.4 * n, 99.0),
                -0.5 * n,
                2.0 * n,
            ):
                s, c = mpmath.sinpi(mpmath.mpf(x)), mpmath.cospi(mpmath.mpf(x))
                true, power = s / (mpmath.pi * x), mpmath.mpf(1)
                for k in range(1, n + 1):  # digits cancel, but there are 900
                    s, c = c, -s
                    true, power = (power * s - k * true) / x, power * mpmath.pi
                size = mpmath.pi**n / (n + 1)
                assert abs(periodic.sinc_slope(x, float(n)) - true) <= 2e-16 * (n + 4) * size, (
                    x,
                    n,
                )
