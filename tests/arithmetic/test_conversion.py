"""Real numbers of all kinds become floats; anything else is refused with advice."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from scalargrad.arithmetic import conversion

from ..edges import inf


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
