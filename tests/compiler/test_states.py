"""Modules and their states as arguments."""

from __future__ import annotations

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import MLP, Module, Neuron, Value
from scalargrad.nn.module import State

from .tools import compiled, counted, mean_of_squares


def in_lists(state):
    return {name: np.array(block).tolist() for name, block in state.items()}


def test_the_gradient_by_a_module_or_its_state_is_such_a_mapping():
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    f = compiled(mean_of_squares)
    model.zero_grad()
    loss = mean_of_squares(model, [0.5, -1.0], 1.0)
    loss.backward()
    expected = {
        name: np.array(block).tolist()
        for name, block in model.arranged([p.grad for p in model.parameters()]).items()
    }
    before = [p.data for p in model.parameters()]
    for argument in (
        model,
        model.state(),
        {name: np.array(block) for name, block in model.state().items()},
    ):
        if type(argument) is dict:
            with pytest.raises(TypeError, match="'dict' object is not callable"):
                f(argument, [0.5, -1.0], 1.0)
            continue
        value, gradient = f.value_and_grad(argument, [0.5, -1.0], 1.0)
        assert value == loss.data
        assert in_lists(gradient) == expected
        assert all(isinstance(block, np.ndarray) for block in gradient.values())
        assert type(gradient) is State
        assert gradient.module is model
    assert [p.data for p in model.parameters()] == before
    assert [p.grad for p in model.parameters()] == [
        x for row in zip(*[[p.grad for p in model.parameters()]]) for x in row
    ]


@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
def test_the_gradient_by_a_state_of_lists_is_in_lists(backend):
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    f = compiled(mean_of_squares, backend=backend)
    state = model.state()
    _, expected = f.value_and_grad(state, [0.5, -1.0], 1.0)
    for given, kind in ((in_lists, list), (lambda state: state, np.ndarray)) * 2:
        changed = model.state()
        changed.update(given(state))
        _, gradient = f.value_and_grad(changed, [0.5, -1.0], 1.0)
        assert {type(block) for block in gradient.values()} == {kind}
        assert in_lists(gradient) == in_lists(expected)
    _, gradient = f.value_and_grad(model, [0.5, -1.0], 1.0)
    assert {type(block) for block in gradient.values()} == {np.ndarray}


def test_a_state_is_read_in_each_call_and_the_model_is_left_alone():
    model = Neuron(2, activation="tanh", seed=1)
    fn, calls = counted(lambda model, x: model(x))
    f = compiled(fn)
    state = model.state()
    f(state, [1.0, 2.0])
    state["w"] = np.array([3.0, 4.0])
    state["b"] = 0.5
    assert f(state, [1.0, 2.0]) == sg.tanh(0.5 + 3.0 + 8.0)
    assert len(calls) == 2
    state["w"] = [1, 2]  # lists will do, and are another structure
    assert f(state, [1.0, 2.0]) == sg.tanh(5.5)
    assert len(calls) == 4
    assert f(model, [1.0, 2.0]) == model([1.0, 2.0]).data


def test_a_plain_mapping_is_an_argument_like_others():
    def fn(p, x):
        return sg.dot(p["W"][0], x, p["b"][0])

    p = {"W": np.array([[1.0, 2.0]]), "b": [0.5]}
    value, gradient = compiled(fn).value_and_grad(p, [3.0, 4.0])
    assert value == 11.5
    assert (gradient["W"].tolist(), gradient["b"]) == ([[3.0, 4.0]], [1.0])


def test_one_parameter_in_two_places_has_its_whole_gradient_in_both():
    class Tied(Module):
        def __init__(self):
            self.a = [Value(2.0), Value(3.0)]
            self.b = [self.a[1], Value(5.0)]
            self.c = self.a[0]

        def __call__(self, x):
            return self.a[0] * self.b[0] * self.b[1] * self.c * x

    model = Tied()
    fn = lambda model, x: model(x)
    expected = {key: np.array(block).tolist() for key, block in sg.grad(fn)(model, 2.0).items()}
    assert in_lists(compiled(fn).value_and_grad(model, 2.0)[1]) == expected
    assert in_lists(compiled(fn).value_and_grad(model.state(), 2.0)[1]) == expected
    by_rows = compiled(fn, rows="x", reduce=None).value_and_grad(model, [2.0, 0.0])[1]
    assert {key: np.array(block)[0].tolist() for key, block in by_rows.items()} == expected


class Tied(Module):
    """A list of weights, and a weight of its own."""

    def __init__(self):
        self.ws, self.w = [Value(0.5), Value(-0.3), Value(0.2)], Value(0.7)

    def __call__(self, x):
        return sg.tanh(self.ws[0] * x + self.ws[1]) * self.ws[2] * self.w


@pytest.mark.parametrize("given", [lambda model: model, Tied.state], ids=["module", "state"])
def test_a_parameter_that_is_put_in_a_second_place_has_its_whole_gradient_in_both(given):
    model, fn = Tied(), lambda model, x: model(x) ** 2
    f = compiled(fn)
    for place, value in (
        (0, model.ws[0]),
        (1, model.ws[0]),
        (1, model.ws[2]),
        (0, model.w),
        (0, Value(0.4)),
        (1, Value(0.1)),
    ):
        model.ws[place] = value
        expected = sg.value_and_grad(fn)(model, 1.5)
        found = f.value_and_grad(given(model), 1.5)
        assert found[0] == expected[0]
        assert in_lists(found[1]) == in_lists(expected[1]), (place, value)


def test_a_module_without_parameters_has_an_empty_gradient():
    class Twice(Module):
        def __call__(self, x):
            return 2.0 * x

    value, gradient = compiled(lambda model, x: model(x)).value_and_grad(Twice(), 3.0)
    assert value == 6.0
    assert gradient == {}


def test_a_module_of_one_s_own_in_a_list():
    class Line(Module):
        def __init__(self, w):
            self.w = Value(w)

        def __call__(self, x):
            return self.w * x

    models = [Line(2.0), Line(3.0)]
    value, gradient = compiled(lambda models, x: models[0](x) * models[1](x)).value_and_grad(
        models, 5.0
    )
    assert (value, gradient) == (150.0, [{"w": 75.0}, {"w": 50.0}])


def test_an_edit_of_the_module_itself_is_noticed():
    model = MLP(2, [2, 1], activation="tanh", seed=1)
    f = compiled(lambda model, x: model(x))
    state = model.state()
    f(state, [1.0, 2.0])
    for neuron in model.layers[0].neurons:
        neuron._activate = None
    assert f(state, [1.0, 2.0]) == model([1.0, 2.0]).data
    model.layers.append(Neuron(1, activation="sigmoid", seed=2))
    with pytest.raises(ValueError, match=r"is .* in MLP.*, got"):
        f(state, [1.0, 2.0])


def test_a_state_that_is_not_the_module_s_is_refused():
    model = MLP(2, [3, 1], seed=1)
    f = compiled(mean_of_squares)
    for change, text in (
        ({"W1": np.zeros((2, 2))}, r"W1 is 3 × 2 in MLP\(2, \[3, 1\].*\), got 2 × 2"),
        ({"b1": 0.0}, r"b1 is 3 in MLP\(2, \[3, 1\].*\), got a number"),
        ({"W3": [1.0]}, r"W3 is nothing in MLP\(2, \[3, 1\].*\), got 1"),
        (
            {"W1": [[1.0, 2.0], [3.0], [4.0]]},
            r"W1 of the state must be a number, or an array or equally long lists of numbers",
        ),
        ({"W1": [["a", "b"]] * 3}, r"W1 of the state must be a number, or"),
        ({"W1": [["1", "2"]] * 3}, r"W1\[0\]\[0\] is str, expected a number.*: write float\('1'\)"),
    ):
        state = model.state()
        state.update(change)
        with pytest.raises((ValueError, TypeError), match=text):
            f(state, [0.0, 1.0], 1.0)
    lacking = model.state()
    del lacking["b2"]
    with pytest.raises(ValueError, match=r"b2 is 1 in MLP.*, got nothing"):
        f(lacking, [0.0, 1.0], 1.0)


# ------------------------------------------------------------------ the module itself, called again


class Mixed(Module):
    """Parameters in a list, a tuple, a dict, a module and a number, beside plain data."""

    def __init__(self):
        self.ws, self.pair = [Value(0.5), Value(-0.25)], (Value(0.125),)
        self.table, self.inner = {"k": Value(2.0), "n": 3.0}, Neuron(1, activation=None, seed=1)
        self.b, self.data = Value(1.0), [[1.0, 2.0]] * 2000

    def __call__(self, x):
        y = self.ws[0] * x + self.ws[1] * x * x + self.pair[0]
        return self.table["k"] * y * self.table["n"] + self.b * self.inner([x]) * self.data[0][1]


def swap_in_list(model):
    model.ws[1] = Value(model.ws[1].data)
    model.ws[1].data += 1.0


def swap_in_tuple(model):
    model.pair = (Value(0.125),)
    model.pair[0].data = 7.0


def swap_in_dict(model):
    model.table["k"] = Value(2.0)
    model.table["k"].data = 5.0


def swap_inside(model):
    model.inner = Neuron(1, activation=None, seed=1)
    model.inner.w[0].data = 9.0


def swap_two(model):
    model.ws.reverse()


def move_data(model):
    for p in model.parameters():
        p.data = 0.5 * p.data + 1.0


def give_an_int(model):
    model.b.data = 4


@pytest.mark.parametrize(
    "change",
    [swap_in_list, swap_in_tuple, swap_in_dict, swap_inside, swap_two, move_data, give_an_int],
)
@pytest.mark.parametrize("backend", ["python", "numpy"])
def test_a_module_is_read_as_it_is_in_each_call(change, backend):
    model = Mixed()
    f = sg.compile(lambda model, x: model(x), backend=backend)
    for _ in range(3):
        for step in (lambda model: None, change):
            step(model)
            value, gradient = f.value_and_grad(model, 1.5)
            assert value == pytest.approx(model(1.5).data, rel=1e-12)
            expected = sg.grad(lambda model: model(1.5))(model)
            assert {name: np.array(x).tolist() for name, x in gradient.items()} == {
                name: pytest.approx(np.array(x).tolist(), rel=1e-12) for name, x in expected.items()
            }


def test_a_module_with_more_parameters_is_another_structure():
    model = Mixed()
    fn, calls = counted(lambda model, x: sg.sum(model.ws) * x)
    f = compiled(fn)
    assert f(model, 2.0) == f(model, 2.0) == 0.5
    model.ws.append(Value(1.0))
    assert f(model, 2.0) == f(model, 2.0) == 2.5
    assert len(calls) == 4
    model.ws[2].data = None
    with pytest.raises((TypeError, ValueError), match=r"ws is .* no numbers|ws.* is NoneType"):
        f(model, 2.0)


def test_a_module_that_lists_its_parameters_itself_is_asked_in_each_call():
    class Chosen(Module):
        def __init__(self):
            self.all, self.first = [Value(2.0), Value(3.0)], 0

        def parameters(self):
            return [self.all[self.first]]

        def __call__(self, x):
            return self.all[0] * self.all[1] * x

    model = Chosen()
    f = compiled(lambda model, x: model(x))
    for model.first in (0, 1, 0):
        value, gradient = f.value_and_grad(model, 5.0)
        assert value == 30.0
        assert [*gradient.values()] == [30.0 / model.all[model.first].data]


def test_a_module_is_read_without_numpy_too(monkeypatch):
    monkeypatch.setattr("scalargrad.compiler.places.find_spec", lambda name: None)
    model = Mixed()
    f = compiled(lambda model, x: model(x))
    for model.b.data in (1.0, 2.0, 3.0):
        assert f(model, 1.5) == model(1.5).data
