"""Neural networks of Values: modules, losses, optimisers, training.   (floor 3)

>>> from scalargrad import nn
>>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
>>> model = nn.MLP(2, [4, 1], activation="tanh", output_activation="sigmoid", seed=0)
>>> history = model.fit(X, y, loss="binary_cross_entropy", optimizer="adam", lr=0.1, epochs=200)
>>> [round(p) for p in model.predict(X)]
[0, 1, 1, 0]
"""

from .formats import WeightsError
from .history import History
from .inits import he, normal, uniform, xavier, zeros
from .layers import MLP, Layer, Neuron
from .lbfgs import LBFGS
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    half_squared_error,
    hinge,
    huber,
    l2,
    mae,
    mse,
    squared_error,
)
from .module import Module, State
from .optimizers import SGD, Adam, AdamW, Optimizer, RMSprop, clip_norm

__all__ = [
    "LBFGS",
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "History",
    "Layer",
    "Module",
    "Neuron",
    "Optimizer",
    "RMSprop",
    "State",
    "WeightsError",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "clip_norm",
    "cross_entropy",
    "half_squared_error",
    "he",
    "hinge",
    "huber",
    "l2",
    "mae",
    "mse",
    "normal",
    "squared_error",
    "uniform",
    "xavier",
    "zeros",
]


def __dir__() -> list[str]:
    return __all__
