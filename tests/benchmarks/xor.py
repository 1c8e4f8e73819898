"""W1: XOR with a 2-3-1 network of sigmoids, a batch of four rows, one epoch with its update.

`python -m tests.benchmarks xor`

Numbers are few here, so overhead is compared: the loop of a tutorial. The loss is half the squared
error, summed over the rows; the rate is 0.1. `fit` records the loss as well; the others do not.
"""

from __future__ import annotations

import math
from typing import Any

from .c import library, pointer
from .contest import AUTO, BACKENDS, Contest, Goal, Run
from .networks import Task, casadi, enter_fit, enter_libraries, flat
from .timing import UNHURRIED, Pace

TASK = Task(
    sizes=(2, 3, 1),
    activations=("sigmoid", "sigmoid"),
    loss="half_squared_error",
    X=[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
    y=[[0.0], [1.0], [1.0], [0.0]],
    reduction="sum",
    lr=0.1,
    init="normal",
)
TUTORIAL, C = "NumPy, as the tutorial writes it", "C -O3 by hand"
GOALS = (
    Goal((BACKENDS["python"],), TUTORIAL, at_least=8),
    Goal((BACKENDS["python"],), "micrograd", at_least=150),
    Goal((BACKENDS["native"],), C, at_most=1.5),
    AUTO,
)
CONTEST = Contest(
    "W1: XOR, 2-3-1 sigmoids, batch of 4, an epoch with its update", "µs", GOALS, checked_after=100
)


@CONTEST.peer("pure Python by hand")
def pure_python() -> Run:
    """Lists, the derivatives by hand."""

    def sigmoid(z: float) -> float:
        return 1.0 / (1.0 + math.exp(-z))

    def run(n: int) -> Any:
        W1, b1, (W2,), (b2,) = TASK.weights
        rows = [(x[0], x[1], t) for x, (t,) in zip(TASK.X, TASK.y)]
        for _ in range(n):
            G1, g1, G2, g2 = (
                [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]],
                [0.0, 0.0, 0.0],
                [0.0, 0.0, 0.0],
                0.0,
            )
            for x1, x2, t in rows:
                hidden = [sigmoid(w[0] * x1 + w[1] * x2 + b) for w, b in zip(W1, b1)]
                out = sigmoid(W2[0] * hidden[0] + W2[1] * hidden[1] + W2[2] * hidden[2] + b2)
                d = (t - out) * out * (1.0 - out) * 0.1
                g2 += d
                for j, h in enumerate(hidden):
                    G2[j] += d * h
                    d_hidden = d * W2[j] * h * (1.0 - h)
                    G1[j][0] += d_hidden * x1
                    G1[j][1] += d_hidden * x2
                    g1[j] += d_hidden
            W1 = [[w + g for w, g in zip(ws, gs)] for ws, gs in zip(W1, G1)]
            b1 = [b + g for b, g in zip(b1, g1)]
            W2 = [w + g for w, g in zip(W2, G2)]
            b2 += g2
        return [W1, b1, W2, b2]

    return run


@CONTEST.peer(TUTORIAL)
def tutorial() -> Run:
    """The tutorial's own lines."""
    import numpy as np

    from tests.formulas import Xor

    def run(n: int) -> Any:
        network = Xor(np.random.default_rng(0))
        W1, b1, W2, b2 = map(np.array, TASK.weights)
        network.weights_input_hidden, network.bias_hidden = W1.T.copy(), b1[None].copy()
        network.weights_hidden_output, network.bias_output = W2.T.copy(), b2[None].copy()
        for _ in range(n):
            network.backward(Xor.X, Xor.y, network.forward(Xor.X))
        return [
            network.weights_input_hidden.T,
            network.bias_hidden,
            network.weights_hidden_output.T,
            network.bias_output,
        ]

    return run


@CONTEST.peer("NumPy, tuned by hand")
def tuned() -> Run:
    """A column for each row of data, so that nothing is transposed, and a place for each result.

    The bias weighs a row of ones.
    """
    import numpy as np

    one, lr = np.array(1.0), np.array(0.1)  # a Python float would be converted each time

    def sigmoid_into(out: Any, z: Any) -> None:
        np.negative(z, z)
        np.exp(z, z)
        np.add(z, one, z)
        np.divide(one, z, out)

    def run(n: int) -> Any:
        first, b1, second, b2 = map(np.array, TASK.weights)
        W1, W2 = np.hstack([first, b1[:, None]]), np.concatenate([second[0], b2])
        X_T, y = np.hstack([TASK.X, np.ones((4, 1))]), np.array(TASK.y)[:, 0]
        X, with_ones = X_T.T.copy(), np.ones((4, 4))
        hidden, W2_hidden = with_ones[:3], W2[:3, None]
        z1, s1, d1, z2, s2, d2 = (np.empty(shape) for shape in 3 * [(3, 4)] + 3 * [4])
        G1, G2 = np.empty((3, 3)), np.empty(4)
        for _ in range(n):
            np.dot(W1, X, z1)
            sigmoid_into(hidden, z1)
            np.dot(W2, with_ones, z2)
            sigmoid_into(z2, z2)
            np.subtract(y, z2, d2)
            np.subtract(one, z2, s2)
            np.multiply(s2, z2, s2)
            np.multiply(d2, s2, d2)
            np.multiply(d2, lr, d2)
            np.multiply(W2_hidden, d2, d1)
            np.subtract(one, hidden, s1)
            np.multiply(s1, hidden, s1)
            np.multiply(d1, s1, d1)
            np.add(W2, np.dot(with_ones, d2, G2), W2)
            np.add(W1, np.dot(d1, X_T, G1), W1)
        return [W1[:, :2], W1[:, 2], W2[:3], W2[3]]

    return run


@CONTEST.peer(C)
def c() -> Run:
    import ctypes

    import numpy as np

    train = library("xor.c").train
    X, y = np.array(TASK.X), np.array(TASK.y)

    def run(n: int) -> Any:
        p = np.array(flat(TASK.weights))
        train(pointer(p), pointer(X), pointer(y), ctypes.c_double(0.1), ctypes.c_long(n))
        return p

    return run


CONTEST.peer("CasADi SX, a call an epoch")(lambda: casadi(TASK, unrolled=True))
enter_libraries(CONTEST, TASK)
enter_fit(CONTEST, TASK)


def main(pace: Pace = UNHURRIED) -> None:
    CONTEST.hold(pace)
