"""Values that a function takes from outside its arguments are read in each call."""

from __future__ import annotations

import pytest

import scalargrad as sg
from scalargrad import Value

from .tools import compiled, counted


def test_values_are_read_in_each_call_without_a_trace():
    w, b = Value(2.0), Value(1.0)
    fn, calls = counted(lambda x: sg.tanh(w * x) + b)
    f = compiled(fn)
    for w.data in (2.0, -0.5, 0.25):
        for b.data in (1.0, 3.0):
            assert f.value_and_grad(0.5) == sg.value_and_grad(fn.__wrapped__)(0.5)
    assert len(calls) == 1


def test_what_is_computed_of_values_alone_is_computed_anew():
    w, ws = Value(2.0), [Value(3.0), Value(4.0)]
    fn, calls = counted(
        lambda x: (
            x * (w * w + 1.0)
            + sg.dot(ws, ws)
            + sg.softmax(ws)[0]
            + w.maximum(ws[0])
            + sg.maximum(w, 2.5)
            + sg.exp(w) / abs(-w)
            + sg.clip(w, 0.0, 9.0)
        )
    )
    f = compiled(fn)
    for w.data in (2.0, -0.5, 700.0):
        for ws[0].data in (3.0, -900.0, 800.0):
            assert f.value_and_grad(0.5) == sg.value_and_grad(fn.__wrapped__)(0.5)
    assert len(calls) == 1


@pytest.mark.parametrize(
    "name",
    [
        "maximum",
        "minimum",
        "arctan2",
        "hypot",
        "logaddexp",
        "xlogy",
        "add",
        "sub",
        "mul",
        "div",
        "pow",
    ],
)
def test_methods_of_values_take_traced_numbers(name):
    v = Value(2.0)
    fn = lambda x: getattr(v, name)(x) * x + v.clip(x, 5.0)
    f = compiled(fn)
    for v.data in (2.0, 0.25):
        assert f.value_and_grad(0.5) == sg.value_and_grad(fn)(0.5)


def test_operators_of_values_and_traced_numbers():
    v = Value(2.0)
    fn = lambda x: (
        (v + x) * (v - x) / (v * x)
        + v**x
        - x / v
        + x**v
        + sg.where(v > x, x, v)
        + sg.where(v <= x, x * x, v)
    )
    f = compiled(fn)
    for v.data in (2.0, 0.25):
        assert f.value_and_grad(0.5) == pytest.approx(sg.value_and_grad(fn)(0.5), rel=1e-15)


def test_a_value_that_was_computed_before_is_a_number_like_others():
    w = Value(2.0)
    product = w * w
    f = compiled(lambda x: x * product)
    w.data = 3.0
    assert f.value_and_grad(5.0) == (20.0, 4.0)


def test_a_captured_model_is_read_in_each_call():
    model = sg.MLP(2, [3, 1], activation="tanh", seed=1)
    fn, calls = counted(lambda x: model(x))
    f = compiled(fn)
    for _ in range(3):
        value, gradient = f.value_and_grad([0.5, -1.0])
        assert (value, gradient) == sg.value_and_grad(fn.__wrapped__)([0.5, -1.0])
        for p in model.parameters():
            p.data *= 0.9
    assert len(calls) == 1


def test_a_value_among_rows():
    w = Value(2.0)
    f = compiled(lambda x: w * x, rows="x", reduce="sum")
    assert f.value_and_grad([1.0, 2.0]) == (6.0, [2.0, 2.0])
    w.data = 3.0
    assert f.value_and_grad([1.0, 2.0]) == (9.0, [3.0, 3.0])


def test_the_function_s_own_arguments_are_watched_as_well():
    factors = [2.0]
    scale = lambda x: x * factors[0]
    f = compiled(lambda x, how: how(x))
    assert f(3.0, scale) == 6.0
    factors[0] = 5.0
    assert f(3.0, scale) == 15.0
