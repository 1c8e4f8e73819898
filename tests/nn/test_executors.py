"""fit with an executor: full batches shared out, the steps of NumPy's formulas, and the same bits whoever computes them."""

from __future__ import annotations

import numpy as np
import pytest

from scalargrad import TraceError, detect_anomaly, where
from scalargrad.nn import MLP, SGD, Neuron, l2

from ..late import Late

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 2))
Y = np.tanh(X @ [1.0, -2.0] + 0.5) + 0.1 * RNG.normal(size=200)


def by_hand(weights):
    """The mean squared error of a neuron with tanh, and its slopes."""
    a = np.tanh(X @ weights[:2] + weights[2])
    dz = 2 * (a - Y) * (1 - a * a) / len(Y)
    return ((a - Y) ** 2).mean(), np.array([*X.T @ dz, dz.sum()])


def neuron():
    return Neuron(2, activation="tanh", seed=0)


def numbers(model):
    return [p.data for p in model.parameters()]


class Own(SGD):
    """An update that could hide a nan, so that each step is looked at."""

    def update(self, weights, gradients, lr):
        return [w - lr * where(abs(g) < 1e9, g, 0.0) for w, g in zip(weights, gradients)], ()


@pytest.mark.parametrize("backend", ["python", "numpy", "native", "auto"])
@pytest.mark.parametrize("optimizer", ["sgd", Own])
def test_steps_are_those_of_the_formulas(backend, optimizer, threads, processes):
    weights, losses = np.array(numbers(neuron())), []
    for _ in range(20):
        loss, slopes = by_hand(weights)
        losses.append(loss)
        weights = weights - 0.3 * slopes
    found = set()
    for executor in (threads, processes, Late(0), Late(1)):
        model = neuron()
        history = model.fit(
            X, Y, optimizer=optimizer, lr=0.3, epochs=20, backend=backend, executor=executor
        )
        np.testing.assert_allclose(numbers(model), weights, rtol=1e-12)
        np.testing.assert_allclose(history.loss, losses, rtol=1e-12)
        found.add((*numbers(model), *history.loss))
    assert len(found) == 1


def test_lbfgs_finds_what_scipy_finds_of_the_formulas(threads, processes):
    from scipy.optimize import minimize

    expected = minimize(
        by_hand,
        numbers(neuron()),
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    found = set()
    for executor in (threads, processes, Late(0)):
        model = neuron()
        model.fit(X, Y, optimizer="lbfgs", epochs=200, executor=executor)
        np.testing.assert_allclose(numbers(model), expected.x, rtol=1e-3)
        found.add((*numbers(model),))
    alone = neuron()
    alone.fit(X, Y, optimizer="lbfgs", epochs=200, engine="compiled")
    np.testing.assert_allclose([*found], [numbers(alone)], rtol=1e-7)


OPTIONS = [
    {"optimizer": "adam", "penalty": lambda model: 0.01 * l2(model)},
    {
        "reduction": "sum",
        "lr": lambda step: 0.01 / (1 + step),
        "sample_weight": np.linspace(0, 2, 200),
    },
    {"validation": (X[:50], Y[:50]), "metrics": "mae", "patience": 30, "callback": lambda *_: None},
]


@pytest.mark.parametrize("options", OPTIONS, ids=["penalty", "weights", "validation"])
def test_other_options_stay_what_they_are(options):
    given = {"epochs": 25, **options}
    alone, shared = (
        MLP(2, [3, 1], activation="tanh", seed=1),
        MLP(2, [3, 1], activation="tanh", seed=1),
    )
    history = shared.fit(X, Y, executor=Late(0), **given)
    expected = alone.fit(X, Y, engine="compiled", **given)
    np.testing.assert_allclose(numbers(shared), numbers(alone), rtol=1e-9)
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-9)
    np.testing.assert_allclose(history.validation_loss, expected.validation_loss, rtol=1e-9)


def test_rows_are_sent_once():
    executor = Late(0)
    neuron().fit(X + 1.0, Y, epochs=10, executor=executor)
    assert len(executor.sent) == 160
    assert max(executor.sent[16:]) < min(executor.sent[:16])


def test_a_callback_that_changes_a_weight_counts():
    def callback(epoch, history, model):
        model.w[0].data = 0.25

    models = neuron(), neuron()
    models[0].fit(X, Y, epochs=12, callback=callback, executor=Late(0))
    models[1].fit(X, Y, epochs=12, callback=callback, engine="eager")
    np.testing.assert_allclose(*map(numbers, models), rtol=1e-12)


def of_the_sign(prediction, target):
    return (prediction - target) ** 2 if prediction > 0 else (prediction + target) ** 2


REFUSED = [
    ({"batch_size": 50}, ValueError, "executor shares out all rows, as they are: leave batch_size=50 out"),
    ({"shuffle": True}, ValueError, "executor shares out all rows, as they are: leave shuffle=True out"),
    ({"engine": "eager"}, ValueError, "engine='eager' makes steps on Values, which an executor cannot share out"),
    ({"executor": 2}, TypeError, "executor must be an executor of concurrent.futures, got int"),
    ({"loss": of_the_sign}, TraceError, "truth of a traced comparison"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "kind", "text"), REFUSED)
def test_what_an_executor_cannot_do_is_refused(options, kind, text):
    model = neuron()
    before = numbers(model)
    with pytest.raises(kind, match=text):
        model.fit(X, Y, **{"executor": Late(0), **options})
    assert numbers(model) == before


def test_values_that_somebody_watches_are_not_shared_out():
    with detect_anomaly(), pytest.raises(ValueError, match="makes no Values"):
        neuron().fit(X, Y, executor=Late(0))
