"""Differences: no right slope is called wrong, a wrong one is found wherever differences can tell."""

import math
import random
import struct

import pytest

import scalargrad as sg
from scalargrad import Value
from scalargrad.differences import OK, UNCLEAR, WRONG, judged
from scalargrad.ops import OPS

from .edges import EDGES

inf, nan = math.inf, math.nan
OF_NUMBERS = [
    op for op in OPS.values() if op.is_public and not op.takes_lists and not op.is_composed
]


def total(f):
    """The function with nan where it has no number."""

    def g(x):
        try:
            return float(f(x))
        except (ValueError, ArithmeticError, TypeError):
            return nan

    return g


def verdict(f, x, claim, rtol=1e-6, atol=1e-9):
    return judged(total(f), x, claim, rtol, atol).verdict


def single(x):
    """The number in 24 bits."""
    return struct.unpack("f", struct.pack("f", x))[0]


def raised_cosine(x):
    """(1 - cos x) / x², which loses its digits near 0."""
    return (1.0 - math.cos(x)) / (x * x)


# fmt: off
CASES = [
    # function                                      x         slope                         verdict
    (math.sin,                                      1.0,      math.cos(1.0),                OK),
    (math.sin,                                      1.0,      1.00001 * math.cos(1.0),      WRONG),
    (math.sin,                                      1e6,      math.cos(1e6),                OK),
    (math.sin,                                      1e6,      1.001 * math.cos(1e6),        WRONG),
    (math.sin,                                      1e200,    math.cos(1e200),              UNCLEAR),
    (lambda x: math.sin(1e6 * x),                   1.0,      1e6 * math.cos(1e6),          OK),
    (lambda x: math.cos(x - 1.0),                   1.0,      0.0,                          OK),
    (lambda x: math.cos(x - 1.0),                   1.0,      0.5,                          WRONG),
    (math.log,                                      1e-300,   1e300,                        OK),
    (math.log,                                      1e-300,   1.00001e300,                  WRONG),
    (lambda x: math.log(x + 1e-12),                 0.0,      1e12,                         OK),
    (lambda x: math.log(x + 1e-12),                 0.0,      1.001e12,                     WRONG),
    (lambda x: math.tanh((x - 1e-3) * 1e12),        1e-3,     1e12,                         OK),
    (lambda x: math.sqrt(x * x + 1e-20),            1e-11,    1e-11 / math.sqrt(1.01e-20),  OK),
    (lambda x: math.sqrt(x * x + 1e-20),            1e-11,    0.2,                          WRONG),
    # rounding
    (raised_cosine,                                 1e-3,     -1e-3 / 12.0,                 OK),
    (raised_cosine,                                 1e-6,     -1e-6 / 12.0,                 OK),
    (raised_cosine,                                 1e-6,     -2e6 * raised_cosine(1e-6),   WRONG),
    (raised_cosine,                                 1e-7,     -2e7 * raised_cosine(1e-7),   WRONG),
    (raised_cosine,                                 3e-8,     -2 / 3e-8 * raised_cosine(3e-8), WRONG),
    (lambda x: (x - math.sin(x)) / x**3,            1e-5,     -5e4,                         WRONG),
    (lambda x: 1e10 + math.sin(x),                  1.0,      math.cos(1.0),                OK),
    (lambda x: 1e10 + math.sin(x),                  1.0,      2.0 * math.cos(1.0),          WRONG),
    (lambda x: 1e13 + math.sin(x),                  1.0,      math.cos(1.0),                UNCLEAR),
    (lambda x: 1e20 + 3.0 * x,                      1.0,      3.0,                          UNCLEAR),
    (lambda x: 1e20 + 3.0 * x,                      1e3,      2.0,                          UNCLEAR),
    (lambda x: 1e20,                                1.0,      0.0,                          OK),
    (lambda x: single(math.sin(x)),                 1.0,      math.cos(1.0),                OK),
    (lambda x: single(math.sin(x)),                 1.0,      1.01 * math.cos(1.0),         WRONG),
    (lambda x: round(x * 1e6) / 1e6,                0.3,      1.0,                          OK),
    # kinks and jumps
    (abs,                                           0.0,      0.0,                          OK),
    (abs,                                           0.0,      0.3,                          OK),
    (abs,                                           0.0,      -1.001,                       WRONG),
    (lambda x: max(x, 0.0),                         0.0,      1.3,                          WRONG),
    (lambda x: max(x, 1.0),                         1.0000001, 1.0,                         OK),
    (lambda x: max(x, 1.0),                         1.0000001, 0.0,                         WRONG),
    (lambda x: math.sqrt(max(x, 0.0)),              0.0,      0.0,                          OK),
    (lambda x: math.copysign(1.0, x) if x else 0.0, 0.0,      0.0,                          OK),
    (lambda x: x + (x > 0.5),                       0.50001,  1.0,                          OK),
    (math.floor,                                    0.3,      1.0,                          WRONG),
    # edges of the domain, and slopes that are not finite
    (math.sqrt,                                     0.0,      inf,                          OK),
    (math.sqrt,                                     0.0,      0.0,                          WRONG),
    (math.sqrt,                                     0.0,      -inf,                         WRONG),
    (math.sqrt,                                     0.0,      nan,                          WRONG),
    (math.sqrt,                                     1.0,      inf,                          WRONG),
    (math.sqrt,                                     1.0,      nan,                          WRONG),
    (math.sqrt,                                     -1.0,     nan,                          OK),
    (math.cbrt,                                     0.0,      inf,                          OK),
    (math.cbrt,                                     0.0,      5.0,                          WRONG),
    (math.asin,                                     1.0,      inf,                          OK),
    (math.atanh,                                    1.0,      inf,                          OK),
    (lambda x: x**1.5,                              0.0,      0.0,                          OK),
    (lambda x: x * math.log(x) if x else 0.0,       0.0,      -inf,                         OK),
    (lambda x: 1.0 / x,                             1e-200,   -inf,                         OK),
]
# fmt: on


@pytest.mark.parametrize(("f", "x", "slope", "expected"), CASES)
def test_a_slope_gets_the_verdict_it_deserves(f, x, slope, expected):
    assert verdict(f, x, slope) == expected


def function_of(op, operands, k):
    """The row as a function of its k-th operand, and its slope there."""
    f = getattr(sg, op.name)
    x = Value(operands[k])
    out = f(*operands[:k], x, *operands[k + 1 :])
    slope = next(slope for p, slope in zip(out.parents, out.partials) if p is x)
    return (lambda y: f(*operands[:k], y, *operands[k + 1 :])), slope


def drawn(op, rng):
    """Operands from the row's domain or, half the time, of any magnitude."""
    if rng.random() < 0.5:
        return [
            rng.uniform(max(low, -5.0), min(high, 5.0))
            for low, high in op.domain[: len(op.operands)]
        ]
    power = rng.choice((8, 300))
    return [rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-power, power) for _ in op.operands]


@pytest.mark.parametrize("op", OF_NUMBERS, ids=lambda op: op.name)
def test_no_slope_of_a_row_is_called_wrong_and_broken_ones_are_found(op):
    rng = random.Random(op.name)
    told = missed = 0
    for _ in range(6):
        operands = drawn(op, rng)
        for k in range(len(operands)):
            f, slope = function_of(op, operands, k)
            right = judged(f, operands[k], slope, 1e-6, 0.0).verdict
            assert right != WRONG, (operands, k, slope)
            for factor in (1.001, -1.0, 2.0):
                if right == OK and 1e-200 < abs(slope) < 1e200:
                    told += 1
                    missed += judged(f, operands[k], factor * slope, 1e-6, 0.0).verdict == OK
    assert missed <= 0.1 * told


@pytest.mark.parametrize("edge", [edge for edge in EDGES if OPS[edge.name] in OF_NUMBERS])
def test_no_slope_in_the_table_of_edges_is_called_wrong(edge):
    operands = [float(x) for x in edge.operands]
    for k, x in enumerate(operands):
        f, slope = function_of(OPS[edge.name], operands, k)
        if edge.name == "xlogy" and operands == [0.0, 0.0]:
            continue  # nan by both operands together, though 0 along the one
        assert verdict(f, x, slope) != WRONG, (k, slope)


def test_a_slope_that_agrees_costs_five_evaluations_and_a_plainly_wrong_one_few_more():
    places = []

    def f(x):
        places.append(x)
        return math.sin(x)

    assert judged(f, 0.7, math.cos(0.7), 1e-6, 1e-9).verdict == OK
    assert len(places) <= 5
    places.clear()
    assert judged(f, 0.7, 1.1 * math.cos(0.7), 1e-6, 1e-9).verdict == WRONG
    assert len(places) <= 20
