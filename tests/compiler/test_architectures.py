"""Models that are built alike share one trace; memory is bounded and freed."""

from __future__ import annotations

import gc
import linecache
import threading

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import MLP, Module, Value
from scalargrad.compiler import function

from .tools import compiled, counted


class Line(Module):
    def __init__(self, w, factor=1.0, how=sg.sin, extra=None):
        self.w, self.b, self.factor, self.how, self.extra = Value(w), Value(0.5), factor, how, extra

    def __call__(self, x):
        return self.how(self.w * x + self.b) * self.factor


def called(model, x):
    return model(x)


def test_new_models_of_one_architecture_are_traced_once():
    fn, calls = counted(called)
    f = compiled(fn)
    for seed in range(20):
        model = MLP(2, [3, 1], activation="tanh", seed=seed)
        for _ in range(2):
            value, gradient = f.value_and_grad(model, [0.5, -1.0])
            assert value == model([0.5, -1.0]).data
            assert gradient.module is model
            expected = sg.grad(lambda model: model([0.5, -1.0]))(model)
            for name, block in expected.items():
                assert np.array_equal(gradient[name], block)
        assert f(model.state(), [0.5, -1.0]) == value
    assert len(calls) == 2


def by_lambda():
    return lambda x: x * x


@pytest.mark.parametrize(
    "other",
    [
        lambda: Line(2.0, factor=3.0),
        lambda: Line(2.0, how=sg.cos),
        lambda: Line(2.0, how=by_lambda()),
        lambda: Line(2.0, extra=Value(1.0)),
        lambda: Line(2.0, extra=threading.Lock()),
        lambda: Line(2.0, extra={"n": 1}),
        lambda: type("Twice", (Line,), {"__call__": lambda self, x: 2.0 * Line.__call__(self, x)})(
            2.0
        ),
    ],
)
def test_a_model_that_is_built_in_another_way_has_a_trace_of_its_own(other):
    fn, calls = counted(called)
    f = compiled(fn)
    for model in (Line(1.0), other(), Line(3.0), other()):
        assert f(model, 0.25) == model(0.25).data
    assert len(calls) >= 4


def test_a_model_that_is_changed_leaves_its_kin_as_they_are():
    fn, _ = counted(called)
    f = compiled(fn)
    one, two = Line(1.0), Line(2.0)
    assert [f(model, 0.25) for model in (one, two)] == [m(0.25).data for m in (one, two)]
    one.factor = 5.0
    three = Line(3.0)
    for model in (three, one, two, three, Line(4.0, factor=5.0)):
        assert f(model, 0.25) == model(0.25).data
    two.how = sg.exp
    for model in (one, two, three):
        assert f(model, 0.25) == model(0.25).data


def test_models_in_a_list_and_tied_parameters_have_kin_too():
    class Tied(Module):
        def __init__(self, w):
            self.a = [Value(w), Value(3.0)]
            self.b = [self.a[1], Value(5.0)]

        def __call__(self, x):
            return self.a[0] * self.b[0] * self.b[1] * self.a[1] * x

    class Loose(Tied):
        def __init__(self, w):
            super().__init__(w)
            self.b[0] = Value(3.0)

    fn, calls = counted(lambda models, x: models[0](x))
    f = compiled(fn)
    for made in (Tied, Tied, Loose, Tied, Loose):
        model = made(2.0 + len(calls))
        value, (gradient,) = f.value_and_grad([model], 2.0)
        expected = sg.grad(lambda model: model(2.0))(model)
        assert value == model(2.0).data
        for name, block in expected.items():
            assert np.array_equal(gradient[name], block)


# ------------------------------------------------------------------ what is kept


def test_what_is_remembered_is_bounded_by_its_size(monkeypatch):
    monkeypatch.setattr(function, "ROOM", 2_000)
    f = compiled(lambda p: sg.sum(p))
    for n in (*range(100), 3_000, 4_000):
        assert f([1.0] * n) == n
        assert len(f._traces) == 1 or sum(x.size for x in f._traces.values()) <= 2_000
    assert len(f._traces) == 1
    assert f([1.0]) == f([1.0] * 4_000) / 4_000


def test_generated_text_is_freed_after_its_function():
    def texts():
        gc.collect()
        compiled(lambda x: x + 1.0)(1.0)  # a text that is written frees those that are not needed
        return [name for name in linecache.cache if "freed_in_a_test" in name]

    def freed_in_a_test(x):
        return x * sg.exp(x) * factors[0]

    factors = [1.0]
    f = compiled(freed_in_a_test)
    for factors[0] in (1.0, 2.0, 3.0, 4.0):
        f.value_and_grad(1.5)
    names = texts()
    assert 1 <= len(names) <= 2
    del f
    gc.collect()
    assert all(name in linecache.cache for name in names)  # a traceback may be reading them now
    assert not texts()
