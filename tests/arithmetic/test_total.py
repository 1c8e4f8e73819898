"""Total arithmetic answers as NumPy does, and as Python's own functions where those do not raise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from scalargrad.arithmetic import total
from scalargrad.rows.text import FAST_NAMES, TOTAL_NAMES

from ..edges import inf, nan, same

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
ONE_OPERAND = [
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
ONE_OPERAND += NUMPY_NAMES


@pytest.mark.parametrize("name", ONE_OPERAND)
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


def test_total_functions_equal_those_of_python_where_those_do_not_raise() -> None:
    for name in ONE_OPERAND:
        fast: Any = FAST_NAMES[name]
        for x in (0.3, 0.9, 1e-300, 0.0):
            try:
                expected = fast(x)
            except ValueError:
                continue
            assert TOTAL_NAMES[name](x) == expected
