"""Functions that draw random numbers, which would be frozen."""

from __future__ import annotations

import datetime
import io
import itertools
import os
import random
import secrets
import subprocess
import sys
import time
import uuid
from time import perf_counter as clock

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import Module, TraceError, Value
from scalargrad.compiler.captured import Captured
from scalargrad.compiler.draws import Draws

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
    with pytest.raises(
        TraceError, match=r"lambda draws random numbers, .* give them as an argument"
    ):
        sg.compile(fn)(1.0)


def test_a_module_s_own_generator_is_watched_too():
    class Noisy(Module):
        def __init__(self):
            self.w, self.rng = Value(2.0), random.Random(1)

        def __call__(self, x):
            return self.w * x * self.rng.random()

    model = Noisy()
    for fn, args in (
        (lambda model, x: model(x), (model, 1.0)),
        (lambda x: model(x), (1.0,)),
        (model, (1.0,)),
    ):
        with pytest.raises(TraceError, match="draws random numbers"):
            sg.compile(fn)(*args)


def test_what_is_drawn_the_same_in_each_call_is_a_constant():
    def seeded(x):
        random.seed(1)
        return x * random.random()

    assert (
        sg.compile(seeded)(1.0)
        == sg.compile(lambda x: x * random.Random(1).random())(1.0)
        == random.Random(1).random()
    )


def test_what_is_drawn_elsewhere_meanwhile_is_no_matter():
    def fn(x):
        random.random()
        return x * x

    assert sg.compile(fn)(3.0) == 9.0


def by_half(x):
    return x if random.random() < 0.5 else 2.0 * x


def as_a_coin_falls(x):
    return x if GENERATOR.integers(2) else 2.0 * x


@pytest.mark.parametrize("fn", [by_half, as_a_coin_falls])
def test_a_choice_by_chance_is_refused_though_two_calls_may_choose_alike(fn):
    for _ in range(20):
        with pytest.raises(TraceError, match="draws random numbers"):
            sg.compile(fn)(1.0)


def test_what_is_drawn_for_a_table_that_is_kept_is_a_constant():
    table = []

    def fn(x):
        if not table:
            table.append(random.random())
        return x * table[0]

    assert sg.compile(fn)(1.0) == table[0]


def endless():
    while True:
        yield 1.0
        yield 2.0


ITERATOR, GENERATED, COUNT, NEXT = (
    iter([1.0, 2.0, 3.0]),
    endless(),
    itertools.count(1),
    iter([1.0, 2.0]).__next__,
)
REST = iter([1.0, 2.0])
READ, OWN, OF_SYSTEM, OF_NUMPY = (
    time.time,
    random.Random,
    random.SystemRandom,
    np.random.default_rng,
)
SYSTEM, BITS, LINES, DRAW = (
    random.SystemRandom(),
    np.random.PCG64(1),
    io.StringIO("1\n2\n3\n"),
    random.Random(1).random,
)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x * next(ITERATOR),
        lambda x: x * next(GENERATED),
        lambda x: x * next(COUNT),
        lambda x: x * NEXT(),
        lambda x, rest=REST: sg.sum([x * w for w in rest]),
        lambda x: x * time.time(),
        lambda x: x * clock(),
        lambda x: x * datetime.datetime.now().timestamp(),
        lambda x: x * int.from_bytes(os.urandom(8), "little"),
        lambda x: x * secrets.randbits(64),
        lambda x: x * uuid.uuid4().int,
        lambda x: x * SYSTEM.random(),
        lambda x: x * random.SystemRandom().random(),
        lambda x: x * random.Random().random(),
        lambda x: x * np.random.default_rng().random(),
        lambda x: x * READ(),
        lambda x: x * OWN().random(),
        lambda x: x * OF_SYSTEM().random(),
        lambda x: x * OF_NUMPY().random(),
        lambda x: x * float(LINES.readline()),
    ],
)
def test_what_is_another_number_in_each_call_would_be_frozen(fn):
    with pytest.raises(
        TraceError,
        match=r"lambda gave another formula .* write a list .* give the number .* \(at .*, line \d+",
    ):
        sg.compile(fn)(1.0)


@pytest.mark.parametrize("fn", [lambda x: x * float(BITS.random_raw()), lambda x: x * DRAW()])
def test_generators_are_found_behind_their_bits_and_their_methods(fn):
    before = BITS.state, DRAW.__self__.getstate()
    with pytest.raises(TraceError, match="draws random numbers"):
        sg.compile(fn)(1.0)
    assert (BITS.state, DRAW.__self__.getstate()) == before


def test_what_reaches_no_number_may_vary():
    rest, seconds = iter([1.0, 2.0]), []

    def timed(x):
        start = clock()
        y = x * x if rest else x
        seconds.append(clock() - start)
        return y

    f = sg.compile(timed)
    assert f.value_and_grad(3.0) == (9.0, 6.0)
    count = len(seconds)
    assert f(4.0) == 16.0
    assert len(seconds) == count
    assert next(rest) == 1.0


def test_what_is_the_same_in_each_call_is_a_constant():
    twos = itertools.repeat(2.0)
    assert sg.compile(lambda x: x * next(twos))(3.0) == 6.0


class Counting:
    """It gives its state, and takes none."""

    def __init__(self):
        self.count = 0

    def get_state(self):
        return self.count

    def __call__(self, x):
        self.count += 1
        return x * 2.0


def test_an_object_with_a_state_that_cannot_be_put_back_is_no_generator():
    item = Counting()
    draws = Draws(lambda: Captured([item]))
    assert sg.compile(lambda x: item(x))(3.0) == 6.0
    draws.undo()
    assert item.count == 2  # calls of a trace


def test_random_numbers_of_a_module_that_the_function_imports_would_be_frozen(monkeypatch):
    def fn(x):
        import random

        return x * random.random()

    def seeded(x):
        import random

        return x * random.Random(1).random()

    for function, is_refused in ((fn, True), (seeded, False)):
        monkeypatch.delitem(sys.modules, "random")
        if is_refused:
            with pytest.raises(TraceError, match="fn draws random numbers"):
                sg.compile(function, backend="python")(1.0)
        else:
            assert sg.compile(function, backend="python")(1.0) == 0.13436424411240122


def test_random_numbers_of_numpy_first_imported_within_the_call_would_be_frozen():
    program = """
import sys, numpy as np, scalargrad as sg
assert "numpy.random" not in sys.modules
try:
    sg.compile(lambda x: x * np.random.rand())(1.0)
except sg.TraceError as error:
    print("numpy.random" in sys.modules, error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True lambda draws random numbers")


@pytest.mark.parametrize("key", ["time", "open", "random", "read", "input"])
def test_a_key_that_is_a_name_of_what_varies_makes_no_difference(key):
    calls = []

    def fn(p):
        calls.append(1)
        return p[key] * 2.0

    assert sg.compile(fn)({key: 3.0}) == 6.0
    assert len(calls) == 2
