"""Module: how parameters are found and named, and how states are taken and put back."""

from __future__ import annotations

import copy
import pickle
import sys

import numpy as np
import pytest

from scalargrad import Value, maximum
from scalargrad.nn import MLP, SGD, Layer, Module, Neuron, State


class Mixed(Module):
    def __init__(self):
        self.scale = Value(1.0)
        self.size = 3
        self.net = MLP(2, [2, 1], seed=0)
        self.table = {"first": Value(2.0), "more": [Value(3.0), Value(4.0)]}
        self.grid = [[Value(5.0), Value(6.0)], [Value(7.0), Value(8.0)]]
        self.blocks = (Neuron(1), Neuron(1))
        self.array = np.array([Value(9.0), Value(10.0)])
        self.ragged = [[Value(11.0)], [Value(12.0), Value(13.0)]]


class Prelu(Module):
    def __init__(self):
        self.slope = Value(0.25, "slope")

    def __call__(self, x):
        return maximum(x, x * self.slope)


# ------------------------------------------------------------------ finding


def test_parameters_are_found_in_definition_order():
    module = Mixed()
    inner = {p for part in (module.net, *module.blocks) for p in part.parameters()}
    numbers = [p.data for p in module.parameters() if p not in inner]
    assert numbers == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0]
    assert module.parameters()[1:10] == module.net.parameters()


def test_names_are_the_way_to_a_parameter():
    names = [name for name, _ in Mixed().named_parameters()]
    assert names == [
        "scale",
        "net.W1[0,0]", "net.W1[0,1]", "net.b1[0]", "net.W1[1,0]", "net.W1[1,1]", "net.b1[1]", "net.W2[0,0]", "net.W2[0,1]", "net.b2[0]",
        "table.first", "table.more[0]", "table.more[1]", "grid[0,0]", "grid[0,1]", "grid[1,0]", "grid[1,1]",
        "blocks[0].w[0]", "blocks[0].b", "blocks[1].w[0]", "blocks[1].b",
        "array[0]", "array[1]", "ragged[0][0]", "ragged[1][0]", "ragged[1][1]",
    ]  # fmt: skip


def test_names_and_parameters_agree_in_order():
    module = Mixed()
    assert [value for _, value in module.named_parameters()] == module.parameters()


def test_shared_parameters_count_once():
    module = Module()
    module.a = module.b = Layer(2, 2)
    module.c = module.a.neurons[0].w[0]
    assert len(module.parameters()) == 6


def test_computed_values_are_no_parameters():
    module = Neuron(1)
    module.last = module(1.0)
    assert [p.label for p in module.parameters()] == ["w[0]", "b"]
    assert set(module.state()) == {"w", "b"}


def test_a_module_that_holds_its_owner_ends():
    outer = Module()
    outer.inner, outer.weight = Module(), Value(1.0)
    outer.inner.owner = outer
    assert outer.named_parameters() == [("weight", outer.weight)]


def test_an_activation_with_parameters_learns():
    model = MLP(1, [2, 1], activation=Prelu(), seed=0)
    names = dict(model.named_parameters())
    assert names["activation.slope"].label == "slope"
    assert len(names) == len(model.parameters()) == 8
    model.fit([-1.0, -2.0], [1.0, 2.0], lr=0.01, epochs=1)
    assert names["activation.slope"].data != 0.25


def test_attributes_added_to_a_network_are_parameters():
    model = MLP(1, [1])
    model.temperature = Value(3.0)
    assert [name for name, _ in model.named_parameters()] == ["W1[0,0]", "b1[0]", "temperature"]
    assert model.state()["temperature"] == 3.0


def test_zero_grad_sets_all_gradients_to_0():
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * 13


def test_a_module_without_parameters_is_told_so_by_the_optimiser():
    with pytest.raises(ValueError, match="SGD got no parameters"):
        SGD(Module(), 0.1)


def test_a_computed_attribute_that_no_parameter_has_part_in_is_named():
    class Scaled(Module):
        def __init__(self):
            self.weight, self.table = Value(1.0), {"scale": [Value(0.5) * 0.1]}

        def __call__(self, x):
            return self.weight * x * self.table["scale"][0]

    text = r"table.scale\[0\] of Scaled was computed by mul, so it is no parameter .*Value\(0.05\)"
    with pytest.warns(UserWarning, match=text) as caught:
        assert len(Scaled().parameters()) == 1
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=text) as caught:
        Scaled().fit([1.0], [2.0], lr=0.1, epochs=1)
    assert caught[0].filename == __file__


class Frozen(Module):
    """Only its head is trained."""

    def __init__(self):
        self.body, self.head = Layer(2, 2, seed=0), Neuron(2, activation=None, seed=1)

    def __call__(self, x):
        return self.head(self.body(x))

    def parameters(self):
        return self.head.parameters()


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_a_class_may_list_fewer_parameters_than_it_has(engine):
    model = Frozen()
    before = model.state()
    assert list(before) == ["body.W", "body.b", "head.w", "head.b"]
    assert [name for name, _ in model.named_parameters()] == ["head.w[0]", "head.w[1]", "head.b"]
    assert list(model.arranged(range(3))) == ["head.w", "head.b"]
    model.fit([[1.0, 2.0]], [3.0], lr=0.01, epochs=2, engine=engine)
    after = model.state()
    assert (after["body.W"] == before["body.W"]).all()
    assert (after["head.w"] != before["head.w"]).any()
    twin = Frozen()
    twin.load_state(after)
    assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data


def test_a_class_may_list_some_entries_of_a_block_and_values_from_elsewhere():
    elsewhere = Value(7.0)
    layer = Layer(1, 2, seed=0)
    layer.parameters = lambda: [layer.neurons[1].w[0], layer.neurons[1].b, elsewhere]
    named = layer.named_parameters()
    assert [name for name, _ in named] == ["W[1,0]", "b[1]", "parameters[2]"]
    assert dict(layer.arranged("abc")) == {"W[1,0]": "a", "b[1]": "b", "parameters[2]": "c"}


# ------------------------------------------------------------------ states


def test_state_is_matrices_nout_by_nin_and_remembers_its_module():
    model = MLP(3, [4, 2], seed=0)
    state = model.state()
    assert isinstance(state, State)
    assert isinstance(state, dict)
    assert state.module is model
    assert {name: array.shape for name, array in state.items()} == {
        "W1": (4, 3),
        "b1": (4,),
        "W2": (2, 4),
        "b2": (2,),
    }
    assert state["W1"][2, 1] == model.layers[0].neurons[2].w[1].data
    x = np.array([1.0, -2.0, 0.5])
    by_hand = np.maximum(x @ state["W1"].T + state["b1"], 0) @ state["W2"].T + state["b2"]
    np.testing.assert_allclose([out.data for out in model(x)], by_hand, rtol=1e-13)


def test_states_of_layers_and_neurons():
    assert {name: np.shape(part) for name, part in Layer(2, 3).state().items()} == {
        "W": (3, 2),
        "b": (3,),
    }
    assert {name: np.shape(part) for name, part in Neuron(2).state().items()} == {
        "w": (2,),
        "b": (),
    }
    assert set(MLP(2, [1], bias=False).state()) == {"W1"}


def test_state_is_nested_lists_where_numpy_is_missing(monkeypatch):
    model = MLP(2, [2, 1], seed=0)
    expected = {name: array.tolist() for name, array in model.state().items()}
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert dict(model.state()) == expected


@pytest.mark.parametrize("kind", ["arrays", "lists"])
def test_load_state_puts_a_state_back(kind):
    model, twin = MLP(2, [3, 1], seed=0), MLP(2, [3, 1], seed=1)
    state = (
        model.state()
        if kind == "arrays"
        else {name: array.tolist() for name, array in model.state().items()}
    )
    twin.load_state(state)
    assert [p.data for p in twin.parameters()] == [p.data for p in model.parameters()]
    assert all(type(p.data) is float for p in twin.parameters())


def test_a_state_does_not_follow_the_model():
    model = Neuron(1, init="zeros", activation=None)
    state = model.state()
    model.fit([1.0], [3.0], lr=0.5, epochs=1)
    assert state["w"].tolist() == [0.0] != [model.w[0].data]


def test_states_of_any_module_go_round():
    module, twin = Mixed(), Mixed()
    for i, p in enumerate(module.parameters()):
        p.data = i / 7
    twin.load_state(module.state())
    assert [p.data for p in twin.parameters()] == [p.data for p in module.parameters()]


def test_states_can_be_copied_and_pickled():
    state = MLP(2, [2], seed=0).state()
    for twin in (copy.deepcopy(state), pickle.loads(pickle.dumps(state))):
        assert type(twin) is State
        assert isinstance(twin.module, MLP)
        assert all((twin[name] == state[name]).all() for name in state)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (
            lambda s: s.pop("b2"),
            ValueError,
            r"the state lacks 'b2': MLP\(2, \[3, 1\], activation='relu'\) has 'W1', 'b1', 'W2', 'b2'",
        ),
        (lambda s: s.update(W3=1), ValueError, "has 'W3' more"),
        (lambda s: s.update(W1=s["W1"].T), ValueError, r"W1 is 3 × 2 in MLP.*, got 2 × 3"),
        (lambda s: s.update(W2=[[1, 2], [3]]), ValueError, "W2 is 1 × 3 in MLP.*, got ragged"),
        (lambda s: s.update(b1=0.5), ValueError, "b1 is 3 in MLP.*, got a number"),
        (lambda s: s.update(b2=["x"]), TypeError, "b2 takes a real number, got str"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, error, text):
    model = MLP(2, [3, 1], seed=0)
    before = [p.data for p in model.parameters()]
    state = dict(MLP(2, [3, 1], seed=1).state())
    change(state)
    with pytest.raises(error, match=text):
        model.load_state(state)
    assert [p.data for p in model.parameters()] == before


def test_two_parts_of_one_name_are_refused():
    class Mine(MLP):
        def __init__(self):
            super().__init__(2, [1], seed=0)
            self.W1 = Value(0.5)

    with pytest.raises(
        ValueError, match="two parts of the model are named 'W1': give one of them another name"
    ):
        Mine().state()
