"""Values that a function takes from outside its arguments are read in each call."""

from __future__ import annotations

import operator as o
import types

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
    assert len(calls) == 2


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
    assert len(calls) == 2


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
        value, slope = sg.value_and_grad(fn)(0.5)
        assert f.value_and_grad(0.5) == pytest.approx((value, slope.data), rel=1e-14)


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
    assert len(calls) == 2


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


# ------------------------------------------------------------------ which Value it is


class Weight(Value):
    """A Value of a class of one's own: on the left of a traced number Python asks it first."""


TWO_OPERANDS = {
    **{op.__name__: op for op in (o.add, o.sub, o.mul, o.truediv, o.pow)},
    "maximum": lambda a, b: a.maximum(b),
    "arctan2": sg.arctan2,
    "dot": lambda a, b: sg.dot([a, b], [b, a]),
    **{
        test.__name__: lambda a, b, test=test: sg.where(test(a, b), a, 2.0 * b)
        for test in (o.lt, o.le, o.gt, o.ge, o.eq, o.ne)
    },
}


@pytest.mark.parametrize("operation", TWO_OPERANDS.values(), ids=TWO_OPERANDS)
def test_a_value_of_a_subclass_works_on_either_side_of_a_traced_number(operation):
    w = Weight(2.0)
    for fn in (lambda x: operation(w, x), lambda x: operation(x, w)):
        for x in (1.5, 2.0, 2.5):
            value, slope = sg.value_and_grad(lambda x, fn=fn: fn(x))(x)
            expected = [getattr(number, "data", number) for number in (value, slope)]
            assert [*compiled(fn).value_and_grad(x)] == expected


def swapped_in_a_list(a, b):
    box = [a, b]
    return lambda: box[0], box.reverse


def swapped_in_a_dict(a, b):
    box = {"a": a}
    return lambda: box["a"], lambda: box.update(a=b)


def swapped_in_a_tuple(a, b):
    box = [(a, b)]
    return lambda: box[0][0], lambda: box.__setitem__(0, (b, a))


def swapped_as_attributes(a, b):
    box = types.SimpleNamespace(a=a)
    return lambda: box.a, lambda: setattr(box, "a", b)


def in_place_of_a_number(a, b):
    box = [a.data]
    return lambda: box[0], lambda: box.__setitem__(0, b)


@pytest.mark.parametrize(
    "swapped",
    [
        swapped_in_a_list,
        swapped_in_a_dict,
        swapped_in_a_tuple,
        swapped_as_attributes,
        in_place_of_a_number,
    ],
)
def test_a_value_in_the_place_of_another_is_noticed_while_their_numbers_are_equal(swapped):
    a, b = Value(2.0, "a"), Value(2.0, "b")
    read, swap = swapped(a, b)
    f = compiled(lambda x: read() * x)
    assert f(1.0) == 2.0
    swap()
    assert f(1.0) == 2.0
    b.data = 9.0
    assert f(1.0) == 9.0


# ------------------------------------------------------------------ derivatives inside


V = Value(2.0)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: sg.gradients(sg.sin(x) * x, x, create_graph=True) ** 2 * x,
        lambda x: sg.gradients(sg.sin(x) * x, {"x": x})["x"] * x,  # without a graph: a constant
        lambda x: sg.gradients(V**3 * x, V) * x,
        lambda x: sg.gradients(sg.where(x > 0, x * x, 3.0 * x), x, create_graph=True) * x,
    ],
)
def test_gradients_in_a_compiled_function_are_those_on_values(fn):
    for x in (0.5, -0.5):
        assert compiled(fn).value_and_grad(x) == sg.value_and_grad(fn)(x)
