"""Functions that draw random numbers, which would be frozen."""

from __future__ import annotations

import random
from collections import namedtuple

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import Module, TraceError, Value

Point = namedtuple("Point", "x y")
NAN = float("nan")


RNG, GENERATOR = random.Random(1), np.random.default_rng(1)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x * random.random(),
        lambda x: x * random.gauss(0.0, 1.0),
        lambda x: x * RNG.random(),
        lambda x: x * GENERATOR.normal(),
        lambda x: x * np.random.rand(),
    ],
)
def test_random_numbers_would_be_frozen(fn):
    with pytest.raises(TraceError, match=r"lambda draws random numbers, .* give them as an argument"):
        sg.compile(fn)(1.0)


def test_a_module_s_own_generator_is_watched_too():
    class Noisy(Module):
        def __init__(self):
            self.w, self.rng = Value(2.0), random.Random(1)

        def __call__(self, x):
            return self.w * x * self.rng.random()

    model = Noisy()
    for fn, args in (lambda model, x: model(x), (model, 1.0)), (lambda x: model(x), (1.0,)), (model, (1.0,)):
        with pytest.raises(TraceError, match="draws random numbers"):
            sg.compile(fn)(*args)


def test_what_is_drawn_the_same_in_each_call_is_a_constant():
    def seeded(x):
        random.seed(1)
        return x * random.random()

    assert sg.compile(seeded)(1.0) == sg.compile(lambda x: x * random.Random(1).random())(1.0) == random.Random(1).random()


def test_what_is_drawn_elsewhere_meanwhile_is_no_matter():
    def fn(x):
        random.random()
        return x * x

    assert sg.compile(fn)(3.0) == 9.0
