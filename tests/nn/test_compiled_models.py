"""Models that generated code has to ask more than once: rows to predict, what a model keeps or draws from call to call."""

from __future__ import annotations

import gc
import random
import weakref

import numpy as np
import pandas as pd
import pytest

from scalargrad import Value, no_grad, sin
from scalargrad.compiler import TraceError, backends
from scalargrad.nn import MLP, SGD, Layer, Module, Neuron, predicting, training

RNG = random.Random(7)


# ------------------------------------------------------------------ predict


def test_many_rows_are_predicted_as_one_by_one_to_the_bit(monkeypatch):
    rows = [
        [RNG.uniform(-1, 1) * 10.0 ** RNG.randrange(-3, 300) for _ in range(3)] for _ in range(40)
    ]
    for outputs, activation in ((1, "gelu"), (3, "sigmoid"), (2, "softplus")):
        model = MLP(3, [4, outputs], activation=activation, seed=1)
        one_by_one = model.predict(rows)
        monkeypatch.setattr(training, "PAYS", 1)
        assert str(model.predict(rows)) == str(one_by_one)
        monkeypatch.undo()


def test_predictions_on_arrays_are_those_of_values(monkeypatch):
    monkeypatch.setattr(predicting, "LONG", 0.0)
    X = [[RNG.uniform(-1, 1) for _ in range(3)] for _ in range(1000)]
    for outputs in (1, 2):
        model = MLP(3, [4, outputs], activation="tanh", seed=1)
        found = model.predict(X)
        with no_grad():
            one_by_one = [model(x) for x in X]
        expected = [p.data if outputs == 1 else [v.data for v in p] for p in one_by_one]
        assert (type(found), type(found[0])) == (list, float if outputs == 1 else list)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_code_for_predictions_is_made_once_and_anew_where_the_model_is_another(monkeypatch):
    made = []
    build = backends.build
    monkeypatch.setattr(backends, "build", lambda *given: made.append(given) or build(*given))
    X = [[RNG.uniform(-1, 1), 0.5] for _ in range(1000)]

    def check(times):
        assert model.predict(X) == [model(x).data for x in X]
        assert len(made) == times

    model = MLP(2, [3, 1], activation="tanh", seed=1)
    check(1)
    with no_grad():
        assert model.predict(X) == [model(x).data for x in X]
    check(1)
    model.fit(X[:5], [1.0] * 5, lr=0.1, epochs=2, engine="eager")
    check(1)
    layer = model.layers[0]
    layer.neurons[1].w = tuple(Value(w.data + 0.5) for w in layer.neurons[1].w)
    check(2)
    layer.neurons[1]._activate = sin
    check(3)
    layer.neurons[2].b = layer.neurons[1].b
    check(4)
    layer.neurons.append(Neuron(2, activation="relu", seed=2))
    model.layers[1] = Layer(4, 1, seed=3)
    check(5)


class Stack(Module):
    """Its attribute has the name of a method of modules."""

    def __init__(self):
        self._layers = [Layer(2, 3, "tanh", seed=0), Layer(3, 1, None, seed=1)]

    def __call__(self, x):
        for layer in self._layers:
            x = layer(x)
        return x


class Within(Module):
    """Its method has the name of a method of modules, and does something else."""

    def __init__(self):
        self.layer = Layer(2, 3, "tanh", seed=0)

    def _layers(self):
        raise NotImplementedError

    def __call__(self, x):
        return self.layer(x)


def test_a_method_of_any_name_may_stand_in_a_layer():
    models, table = [MLP(2, [3, 1], "tanh", seed=0) for _ in range(2)], [[0.5, 1.0], [1.0, 0.5]]
    models[0].layers[0] = Within()
    models[1].load_state(dict(zip(models[1].state(), models[0].state().values())))
    losses = [m.fit(table, [0.5, 0.0], epochs=3, engine="compiled").loss for m in models]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_an_attribute_of_any_name_may_hold_layers():
    models, table = [Stack(), MLP(2, [3, 1], "tanh")], [[i / 1000, 1.0] for i in range(1500)]
    models[1].load_state(dict(zip(models[1].state(), models[0].state().values())))
    assert models[0].predict(table) == pytest.approx(models[1].predict(table), rel=1e-12)
    losses = [model.fit(table, [0.5] * 1500, epochs=3, engine="compiled").loss for model in models]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_code_for_predictions_does_not_keep_the_model():
    model = MLP(2, [3, 1], seed=1)
    model.predict([[0.5, 1.0]] * 1000)
    watched = weakref.ref(model)
    del model
    gc.collect()
    assert watched() is None


@pytest.mark.parametrize("count", [2, 1000])
@pytest.mark.parametrize("outputs", [1, 2])
def test_predictions_come_as_the_rows_did(count, outputs):
    model = MLP(2, [outputs], seed=1)
    array = np.linspace(-1.0, 1.0, 2 * count).reshape(count, 2)
    of_list = model.predict(array.tolist())
    assert type(of_list) is list
    for X in (array, pd.DataFrame(array, columns=["a", "b"])):
        found = model.predict(X)
        assert found.shape == ((count,) if outputs == 1 else (count, outputs))
        assert (found > 0.5).tolist() == (np.array(of_list) > 0.5).tolist()
    assert type(Neuron(1, seed=0).predict(pd.Series([1.0, 2.0]))) is np.ndarray


def test_a_model_that_cannot_be_traced_predicts_many_rows(monkeypatch):
    class Step(Module):
        def __init__(self):
            self.w = Value(2.0)

        def __call__(self, x):
            return self.w * x if x > 1 else self.w * 0.0

    monkeypatch.setattr(training, "PAYS", 1)
    assert Step().predict([0.5, 2.0, 3.0]) == [0.0, 4.0, 6.0]
    with pytest.raises(ValueError, match="expects 3 inputs, got 2"):
        MLP(3, [1]).predict([[1.0, 2.0]] * 5)


# ------------------------------------------------------------------ what a model keeps from call to call


class Counting(Module):
    """A neuron whose prediction grows with each call."""

    def __init__(self):
        self.neuron, self.calls = Neuron(1, activation=None, seed=1), 0

    def __call__(self, x):
        self.calls += 1
        return self.neuron([x]) * (1.0 + 1e-6 * self.calls)


class Keeping(Module):
    """A neuron that keeps its latest prediction, which nothing reads."""

    def __init__(self):
        self.neuron, self.latest = Neuron(1, activation=None, seed=1), None

    def __call__(self, x):
        self.latest = self.neuron([x])
        return self.latest


@pytest.mark.parametrize("model", [Counting, Keeping])
def test_a_model_that_keeps_something_is_trained_as_on_values(model):
    def trained(engine):
        made = model()
        made.fit([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], lr=0.01, epochs=400, engine=engine)
        return [p.data for p in made.parameters()], made.predict([0.5] * 1000)

    if model is Counting:
        assert trained("auto") == trained("eager")
        with pytest.raises(TraceError, match="what it counts or draws at random would be frozen"):
            trained("compiled")
    else:
        assert trained("compiled")[0] == pytest.approx(trained("eager")[0], rel=1e-12)


# ------------------------------------------------------------------ what is drawn at random


class Dropout(Module):
    """A neuron that leaves inputs out, as the generator of its own says, or Python's."""

    def __init__(self, rng):
        self.neuron, self.rng = Neuron(2, activation=None, seed=1), rng

    def __call__(self, x):
        return self.neuron([x_i if self.rng.random() < 0.8 else 0.0 for x_i in x])


class Jittered(SGD):
    """Steps of random sizes."""

    def update(self, weights, gradients, lr):
        return [w - lr * g * random.random() for w, g in zip(weights, gradients, strict=True)], ()


class Shared:
    """Python's own generator, which has no seed of its own here."""

    def __init__(self, seed):
        pass

    def random(self):
        return random.random()


@pytest.mark.parametrize("rng", [random.Random, Shared])
def test_a_model_that_draws_is_trained_on_values_with_the_same_draws(rng):
    rows, targets = [[0.1 * i, 1.0 - 0.2 * i] for i in range(12)], [0.5 * i for i in range(12)]

    def trained(engine):
        random.seed(5)
        model = Dropout(rng(3))
        model.fit(rows, targets, lr=0.01, epochs=100, engine=engine)
        return [p.data for p in model.parameters()], model.predict(rows * 100)

    assert trained("auto") == trained("eager")
    with pytest.raises(TraceError, match="would be frozen"):
        trained("compiled")


def test_a_model_that_draws_from_an_epoch_on_makes_the_draws_of_eager_steps():
    class Restless(Module):
        def __init__(self):
            self.neuron, self.is_noisy = Neuron(1, activation=None, seed=1), False

        def __call__(self, x):
            return self.neuron([x]) + (random.random() if self.is_noisy else 0.0)

    def trained(engine):
        random.seed(5)
        model = Restless()
        model.fit(
            [0.0, 1.0, 2.0],
            [1.0, 3.0, 5.0],
            epochs=400,
            engine=engine,
            callback=lambda epoch, history, model: setattr(model, "is_noisy", epoch >= 2),
        )
        return [p.data for p in model.parameters()]

    assert trained("compiled") == pytest.approx(trained("eager"), rel=1e-12)


def test_an_optimizer_that_draws_makes_the_draws_of_eager_steps():
    def trained(engine):
        random.seed(5)
        model = Neuron(1, activation=None, seed=1)
        model.fit(
            [0.0, 1.0, 2.0],
            [1.0, 3.0, 5.0],
            optimizer=lambda p: Jittered(p, 0.1),
            epochs=400,
            engine=engine,
        )
        return [p.data for p in model.parameters()]

    assert trained("compiled") == pytest.approx(trained("eager"), rel=1e-12)
