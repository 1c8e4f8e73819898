"""Neuron, Layer, MLP: what they compute, how they are made, how they are named and shown."""

from __future__ import annotations

import copy
import math
import pickle
import random
from collections import deque
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from scalargrad import (
    Value,
    compile,
    custom_op,
    detect_anomaly,
    functions,
    grad,
    no_grad,
    relu,
    tanh,
    value_and_grad,
)
from scalargrad.nn import MLP, Layer, Module, Neuron
from scalargrad.ops import OPS


def matrices(model):
    """W and b of each layer."""
    both = [
        ([[w.data for w in n.w] for n in layer.neurons], [n.b.data for n in layer.neurons])
        for layer in model.layers
    ]
    return [(np.array(W), np.array(b)) for W, b in both]


# ------------------------------------------------------------------ forward and backward


def test_network_is_the_matrix_formula():
    model = MLP(3, [4, 2], activation="tanh", output_activation="sigmoid", init="normal", seed=1)
    for p in model.parameters():
        if p.label.startswith("b"):
            p.data = len(p.label) * 0.1
    (W1, b1), (W2, b2) = matrices(model)
    x = np.array([0.3, -1.0, 2.0])
    expected = 1 / (1 + np.exp(-(np.tanh(x @ W1.T + b1) @ W2.T + b2)))
    np.testing.assert_allclose([out.data for out in model(x.tolist())], expected, rtol=1e-14)


def test_gradients_are_those_of_the_chain_rule_by_hand():
    model = MLP(3, [4, 2], activation="tanh", seed=2)
    (W1, b1), (W2, _) = matrices(model)
    x = np.array([0.3, -1.0, 2.0])
    outs = model(x.tolist())
    (outs[0] * 2 + outs[1] * 3).backward()
    dz2 = np.array([2.0, 3.0])
    a1 = np.tanh(x @ W1.T + b1)
    dz1 = (dz2 @ W2) * (1 - a1**2)
    first, second = model.layers
    np.testing.assert_allclose(
        [[w.grad for w in n.w] for n in second.neurons], np.outer(dz2, a1), rtol=1e-13
    )
    np.testing.assert_allclose(
        [[w.grad for w in n.w] for n in first.neurons], np.outer(dz1, x), rtol=1e-13
    )
    np.testing.assert_allclose([n.b.grad for n in first.neurons], dz1, rtol=1e-13)


def test_neuron_is_a_dot_and_an_activation():
    out = Neuron(3, activation="tanh")([1.0, 2.0, 3.0])
    assert out.op == "tanh"
    assert [p.op for p in out.parents] == ["dot"]
    assert sum(node.op is not None for node in out.graph()) == 2


def test_linear_neuron_is_a_dot():
    neuron = Neuron(2, activation=None)
    assert neuron([1.0, 2.0]).op == "dot"
    assert neuron([1.0, 2.0]).parents == (*neuron.w, 1.0, 2.0, neuron.b)


KINDS = {
    "floats": float,
    "ints": int,
    "fractions": Fraction,
    "leaves": Value,
    "computed": lambda x: Value(x) * 1.0,
}


@pytest.mark.parametrize("kinds", [(a, b) for a in KINDS for b in KINDS], ids=" ".join)
@pytest.mark.parametrize("as_list", [tuple, list])
def test_weights_put_in_by_hand_are_read_as_the_neurons_own(kinds, as_list):
    neuron, free = Neuron(2, activation=None, seed=0), Neuron(2, activation=None)
    free.w, free.b = (
        as_list(neuron.w),
        neuron.b,
    )  # its own are known to be Values, these are looked at
    neuron.b.data = 0.5
    xs = [KINDS[kind](x) for kind, x in zip(kinds, (2, 3), strict=True)]
    results = []
    for each in (neuron, free):
        neuron.zero_grad()
        out = each(xs)
        out.backward()
        results.append((out.data, out.parents, out.partials, [p.grad for p in neuron.parameters()]))
    assert results[0] == results[1]
    w = [w.data for w in neuron.w]
    slopes = [s if isinstance(x, Value) else None for x, s in zip(xs, w, strict=True)]
    assert results[0] == (
        functions.dot(w, [2.0, 3.0], 0.5),
        (*neuron.w, *xs, neuron.b),
        (2.0, 3.0, *slopes, 1.0),
        [2.0, 3.0, 1.0],
    )


@pytest.mark.parametrize("of_weights", [lambda w: w, tuple], ids=["as they are", "as a tuple"])
def test_a_list_made_in_the_image_of_weights_may_hold_anything(of_weights):
    """The neuron's own list is known to hold Values; numbers, traced numbers and Values of a subclass come in others of its shape."""
    weights = of_weights(Neuron(2, activation=None, init=lambda *_: 3.0).w)
    assert functions.dot(type(weights)([1.0, weights[1]]), [1.0, 2.0]).data == 7.0
    assert functions.dot(grad(lambda w: 1.0)(weights), [1.0, 2.0]) == 0.0
    assert functions.dot(grad(lambda w: w[0] * w[0])(weights), [1.0, 2.0]).data == 6.0

    def slopes(x):
        return functions.dot(
            grad(lambda w: functions.dot(w, [x, 1.0]) ** 2)(weights), [1.0, 1.0]
        )  # 2 (3x + 3) (x + 1)

    assert (
        compile(slopes, backend="python").value_and_grad(2.0)
        == value_and_grad(slopes)(2.0)
        == (54.0, 36.0)
    )
    for copied in (copy.copy(weights), copy.deepcopy(weights), pickle.loads(pickle.dumps(weights))):
        assert [w.data for w in copied] == [3.0, 3.0]


def test_neuron_without_bias_has_none_and_no_parameter_of_it():
    neuron = Neuron(2, activation=None, bias=False, init=lambda nin, nout, rng: 2)
    assert neuron.b is None
    assert len(neuron.parameters()) == 2
    assert neuron([1, 3]).data == 8.0


def test_inputs_may_be_values_and_get_gradients():
    model = MLP(2, [3, 1], activation="sigmoid", seed=0)
    x = [Value(0.5), Value(-1.0)]
    model(x).backward()
    step = 1e-6
    for i, value in enumerate(x):
        up, down = [0.5, -1.0], [0.5, -1.0]
        up[i], down[i] = up[i] + step, down[i] - step
        assert value.grad == pytest.approx(
            (model(up).data - model(down).data) / (2 * step), rel=1e-7
        )


@pytest.mark.parametrize(
    "x",
    [
        (1, 2), [1, 2.0], deque([1.0, 2]), np.array([1, 2]), np.array([1.0, 2.0], dtype=np.float32), [np.float64(1), np.int64(2)],
        pd.Series([1, 2]), [True, 2], [Value(1.0), 2], np.array([Value(1.0), Value(2.0)]), range(1, 3),
    ],
    ids=repr,
)  # fmt: skip
def test_a_row_may_be_any_list_of_numbers(x):
    assert Layer(2, 1, activation=None, init=lambda *_: 10)(x).data == 30.0


def test_one_input_may_come_as_a_number():
    model = MLP(1, [2, 1], seed=0)
    assert (
        model(0.5).data
        == model([0.5]).data
        == model(np.float64(0.5)).data
        == model(np.array(0.5)).data
        == model(Value(0.5)).data
    )


def test_layers_of_one_neuron_in_the_middle_pass_their_value_on():
    assert MLP(2, [1, 1, 3], seed=0)([1.0, 2.0])[0].op == "dot"


def test_last_layer_of_one_neuron_gives_one_value_else_a_list():
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    assert [type(out) for out in MLP(2, [3, 2])([1.0, 2.0])] == [Value, Value]


def test_no_grad_leaves_nothing_recorded():
    model = MLP(2, [3, 1], seed=0)
    with no_grad():
        out = model([1.0, 2.0])
    assert (out.op, out.parents, out.data) == (None, (), model([1.0, 2.0]).data)


def test_a_network_runs_while_anomalies_are_watched():
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    with detect_anomaly():
        watched = model([1.0, 2.0])
    assert watched.data == model([1.0, 2.0]).data


# ------------------------------------------------------------------ activations


@pytest.mark.parametrize(
    "name", [op.name for op in OPS.values() if op.is_public and op.operands == ("x",)]
)
def test_every_operation_of_one_number_is_an_activation(name):
    neuron = Neuron(1, activation=name, init=lambda *_: 1.0)
    assert neuron(0.5).op == name
    assert neuron.activation == name


def test_aliases_and_functions_are_activations():
    neurons = [
        Neuron(1, activation=a, init=lambda *_: 1.0) for a in ("atan", tanh, lambda z: z * z)
    ]
    assert [n(0.5).data for n in neurons] == [math.atan(0.5), math.tanh(0.5), 0.25]


def test_an_operation_of_ones_own_is_an_activation():
    custom_op("nn_test_cube", "x * x * x", "3.0 * x * x")
    neuron = Neuron(1, activation="nn_test_cube", init=lambda *_: 1.0)
    out = neuron(0.5)
    out.backward()
    assert (out.data, neuron.b.grad) == (0.125, 0.75)


class Doubled(Neuron):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.factor = Value(2.0)

    def __call__(self, x):
        return super().__call__(x) * self.factor


def test_a_layer_calls_a_neuron_of_a_class_of_its_own():
    layer, model = Layer(2, 3, activation=None, seed=0), MLP(2, [3, 1], activation="tanh", seed=0)
    before = [out.data for out in layer([1.0, 2.0])]
    for each in (layer, model.layers[0]):
        neuron = Doubled(2, activation=None)
        neuron.w, neuron.b = each.neurons[1].w, each.neurons[1].b
        each.neurons[1] = neuron
    assert [out.data for out in layer([1.0, 2.0])] == [before[0], 2 * before[1], before[2]]
    assert [name for name, _ in layer.named_parameters()][3:7] == [
        "W[1,0]", "W[1,1]", "b[1]", "neurons[1].factor",
    ]  # fmt: skip
    assert set(layer.state()) == {"W", "b", "neurons[1].factor"}
    twin = copy.deepcopy(model)
    eager = model.fit([[1.0, 2.0]], [5.0], lr=0.1, epochs=3, engine="eager")
    assert twin.fit([[1.0, 2.0]], [5.0], lr=0.1, epochs=3, engine="compiled").loss == eager.loss
    assert model.layers[0].neurons[1].factor.data == twin.layers[0].neurons[1].factor.data != 2.0


def test_neurons_that_make_no_matrix_are_named_one_by_one():
    layer = Layer(2, 2, seed=0)
    layer.neurons[1] = Neuron(2, bias=False)
    assert list(layer.state()) == ["neurons[0].w", "neurons[0].b", "neurons[1].w"]
    assert len(layer.parameters()) == 5


def test_activations_may_be_a_list_with_one_a_layer():
    model = MLP(2, [3, 2, 1], activation=["relu", tanh, None])
    assert [layer.activation for layer in model.layers] == ["relu", tanh, None]
    assert repr(model) == "MLP(2, [3, 2, 1], activation=['relu', tanh, None])"
    assert (
        model.layers[0].neurons[0]([1.0, 2.0]).op,
        model.layers[1].neurons[0]([1.0, 2.0, 3.0]).op,
        model([1.0, 2.0]).op,
    ) == ("relu", "tanh", "dot")


def test_default_is_relu_inside_and_linear_at_the_end_as_in_micrograd():
    assert [layer.activation for layer in MLP(2, [3, 4, 1]).layers] == ["relu", "relu", None]


# ------------------------------------------------------------------ names and order


def test_parameters_come_neuron_by_neuron_weights_then_bias():
    labels = [p.label for p in MLP(2, [2, 1]).parameters()]
    assert labels == [
        "W1[0,0]",
        "W1[0,1]",
        "b1[0]",
        "W1[1,0]",
        "W1[1,1]",
        "b1[1]",
        "W2[0,0]",
        "W2[0,1]",
        "b2[0]",
    ]


def test_labels_of_single_layers_and_neurons():
    assert [p.label for p in Layer(1, 2).parameters()] == ["W[0,0]", "b[0]", "W[1,0]", "b[1]"]
    assert [p.label for p in Layer(1, 1, number=7).parameters()] == ["W7[0,0]", "b7[0]"]
    assert [p.label for p in Neuron(2).parameters()] == ["w[0]", "w[1]", "b"]


def test_named_parameters_are_the_labels():
    for model in (MLP(3, [2, 2, 1]), Layer(2, 3), Neuron(4), MLP(2, [2], bias=False)):
        assert model.named_parameters() == [(p.label, p) for p in model.parameters()]


def test_what_the_pictures_read_is_there():
    model = MLP(3, [2, 1], activation="tanh")
    first = model.layers[0]
    assert (first.nin, first.nout, len(first.neurons), first.neurons[0].activation) == (
        3,
        2,
        2,
        "tanh",
    )
    assert isinstance(first.neurons[0].w, tuple)
    assert model.layers[1].neurons[0].activation is None


# ------------------------------------------------------------------ seeds and inits


def test_seeds_repeat_to_the_bit_and_differ_from_each_other():
    a, b, c = ([p.data for p in MLP(3, [4, 4, 1], seed=seed).parameters()] for seed in (5, 5, 6))
    assert a == b != c


def test_neurons_and_layers_of_one_seed_differ():
    model = MLP(2, [3, 2, 2], seed=0)
    rows = [tuple(w.data for w in n.w) for layer in model.layers for n in layer.neurons]
    assert len(set(rows)) == len(rows)


def test_without_a_seed_the_random_module_rules():
    random.seed(1337)
    model = MLP(2, [3, 1], init="uniform")
    random.seed(1337)
    for p in model.parameters():
        assert p.data == (0.0 if p.label.startswith("b") else random.uniform(-1, 1)), p.label


def test_a_seed_leaves_the_random_module_alone():
    random.seed(3)
    state = random.getstate()
    MLP(2, [3, 1], seed=1)
    assert random.getstate() == state


def test_a_random_object_is_a_seed():
    assert [p.data for p in MLP(2, [3], seed=random.Random(4)).parameters()] == [
        p.data for p in MLP(2, [3], seed=4).parameters()
    ]
    assert [p.data for p in Layer(2, 3, seed=np.int64(4)).parameters()] == [
        p.data for p in Layer(2, 3, seed=4).parameters()
    ]


def weights(init, activation=None, nin=50, nout=200):
    layer = Layer(nin, nout, activation=activation, init=init, seed=0)
    assert all(n.b.data == 0.0 for n in layer.neurons)
    return np.array([[w.data for w in n.w] for n in layer.neurons])


@pytest.mark.parametrize(
    ("init", "deviation", "bound"),
    [
        ("uniform", 1 / math.sqrt(3), 1.0), ("normal", 1.0, math.inf), ("he", math.sqrt(2 / 50), math.inf),
        ("xavier", math.sqrt(2 / 250), math.sqrt(6 / 250)), ("zeros", 0.0, 0.0),
    ],
)  # fmt: skip
def test_inits_have_their_spread(init, deviation, bound):
    W = weights(init)
    assert W.std() == pytest.approx(
        deviation, rel=0.03
    )  # 10,000 draws: 1 % is one standard error at most
    assert abs(W.mean()) <= 0.04 * deviation
    assert abs(W).max() <= bound


@pytest.mark.parametrize(
    ("activation", "init"),
    [("relu", "he"), (relu, "he"), ("gelu", "he"), ("tanh", "xavier"), (None, "xavier")],
)
def test_default_init_suits_the_activation(activation, init):
    assert (weights(None, activation) == weights(init, activation)).all()


def test_init_function_sees_the_sizes_of_its_layer_and_the_source():
    seen = []

    def init(nin, nout, rng):
        seen.append((nin, nout))
        return rng.random()

    model = MLP(2, [3, 1], init=init, seed=9)
    assert seen == [(2, 3)] * 6 + [(3, 1)] * 3
    rng = random.Random(9)
    assert all(p.data == rng.random() for p in model.parameters() if p.label.startswith("W"))


# ------------------------------------------------------------------ copies and text


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
def test_copies_compute_the_same_and_are_independent(clone):
    model = MLP(2, [3, 1], activation="sigmoid", seed=0)
    twin = clone(model)
    assert repr(twin) == repr(model)
    assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data
    assert not set(twin.parameters()) & set(model.parameters())
    before = model([1.0, 2.0]).data
    twin.fit([[1.0, 2.0]], [5.0], lr=0.1, epochs=1)
    assert model([1.0, 2.0]).data == before != twin([1.0, 2.0]).data


@pytest.mark.parametrize(
    "text",
    [
        "MLP(2, [3, 1], activation='sigmoid')", "MLP(2, [3, 1], activation='relu', output_activation='tanh', bias=False)",
        "MLP(2, [1], activation=None)", "Layer(2, 3, activation='relu')", "Layer(2, 3, activation=None, bias=False, number=4)",
        "Neuron(3, activation='exp', bias=False)", "MLP(2, [3, 1], activation=['relu', 'tanh'])",
    ],
)  # fmt: skip
def test_repr_makes_the_object_again(text):
    assert repr(eval(text)) == text


def test_repr_names_a_function():
    assert repr(Neuron(1, activation=math.tanh)) == "Neuron(1, activation=tanh)"


def test_summary_counts_the_parameters():
    text = MLP(784, [16, 16, 10], activation="sigmoid").summary()
    assert text.splitlines() == [
        "MLP(784, [16, 16, 10], activation='sigmoid')",
        "layer 1     784 → 16  sigmoid  12,560",
        "layer 2     16 → 16   sigmoid     272",
        "layer 3     16 → 10   linear      170",
        "parameters                     13,002",
    ]


def test_summary_of_other_modules_lists_their_parts():
    class Pair(Module):
        def __init__(self):
            self.encoder, self.scale = Layer(2, 3, number=1), Value(1.0)

    assert Pair().summary().splitlines()[1:] == [
        "encoder.W1  3 × 2        6", "encoder.b1  3            3", "scale       a number     1", "parameters              10",
    ]  # fmt: skip
    assert Neuron(2).summary().splitlines()[1] == "neuron      2 → 1  relu  3"
