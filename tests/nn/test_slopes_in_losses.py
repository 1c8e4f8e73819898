"""Derivatives in models, losses and penalties: forces, differential equations, penalties on slopes."""

import math

import numpy as np
import pytest

from scalargrad import grad, hessian, hvp, value_and_grad
from scalargrad.nn import MLP, Module, mse


class Force(Module):
    """Minus the slope of an energy."""

    def __init__(self):
        self.energy = MLP(1, [4, 1], activation="tanh", seed=1)

    def __call__(self, x):
        return -grad(lambda place: self.energy([place]))(x)


def decays(net):
    """The mean squared error of y' = -y on [0, 2]."""
    return mse(
        [sum(value_and_grad(lambda t: net([t]))(i / 4)) for i in range(9)],
        [0.0] * 9,
    )


def flat_in_weights(net):
    slopes = grad(lambda twin: twin([0.3]) ** 2)(net)
    return sum((s * s for row in slopes["W1"] for s in row), 0.0)


def curvature(net):
    return hessian(lambda x: net(x))([0.5])[0][0] ** 2 + hvp(lambda x: net(x))([0.1], [1.0])[0] ** 2


TIMES = [0.0, 0.5, 1.0, 1.5, 2.0]
WITH_DERIVATIVES = {
    "a force": (Force, TIMES, [math.sin(t) for t in TIMES], None),
    "a physics-informed network": (lambda: MLP(1, [5, 1], "tanh", seed=0), [[0.0]], [1.0], decays),
    "a penalty by a module": (
        lambda: MLP(1, [3, 1], "tanh", seed=0), [[t] for t in TIMES], TIMES, flat_in_weights,
    ),
    "a penalty on curvature": (
        lambda: MLP(1, [3, 1], "tanh", seed=0), [[t] for t in TIMES], TIMES, curvature,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WITH_DERIVATIVES)
def test_derivatives_in_a_model_or_a_penalty_train_alike_in_both_engines(name):
    make, X, y, penalty = WITH_DERIVATIVES[name]
    weights = []
    for engine in ("eager", "compiled"):
        model = make()
        history = model.fit(
            X, y, penalty=penalty, optimizer="adam", lr=0.02, epochs=30, engine=engine
        )
        assert history.loss[-1] < 0.7 * history.loss[0]
        weights.append([p.data for p in model.parameters()])
    np.testing.assert_allclose(weights[0], weights[1], rtol=1e-10, atol=1e-12)


def test_a_network_learns_a_differential_equation():
    """The solution of y' = -y with y(0) = 1 is exp(-t)."""
    net = MLP(1, [6, 1], activation="tanh", seed=0)
    net.fit([[0.0]], [1.0], penalty=decays, optimizer="adam", lr=0.03, epochs=1500)
    for t in TIMES:
        assert net([t]).data == pytest.approx(math.exp(-t), abs=0.02)
