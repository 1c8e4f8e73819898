"""W2: two moons, a 2-16-16-1 network of relus, 100 rows, one step: micrograd's own demo.

`python -m tests.benchmarks moons`

The mean hinge loss plus 1e-4 Σ w² over all parameters, plain descent. Each step computes the loss.
"""

from __future__ import annotations

import random
from typing import Any

from demos.data import moons

from .c import library, pointer
from .contest import AUTO, BACKENDS, Contest, Goal, Run
from .networks import Task, casadi, enter_compiled, enter_fit, enter_libraries, flat, slopes_by_hand
from .timing import UNHURRIED, Pace

points, labels = moons(50, random.Random(0))
TASK = Task(
    sizes=(2, 16, 16, 1),
    activations=("relu", None),
    loss="hinge",
    X=points,
    y=[[2.0 * label - 1.0] for label in labels],
    penalty=1e-4,
    lr=0.1,
)
NUMPY, C = "NumPy by hand", "C -O3 by hand"
GOALS = (
    Goal((BACKENDS["numpy"],), NUMPY, at_most=1.05),
    Goal((BACKENDS["numpy"],), "PyTorch eager", at_least=1),
    Goal((BACKENDS["native"],), C, at_most=1.5),
    AUTO,
)
CONTEST = Contest(
    "W2: moons, MLP 2-16-16-1, 100 rows, a training step", "ms", GOALS, checked_after=3
)
GRADIENT = Contest(
    "W2: moons, value and gradient of the mean hinge, arrays of 100 rows", "ms",
    [Goal((BACKENDS["numpy"],), NUMPY, at_most=1.2), AUTO],
)  # fmt: skip


@CONTEST.peer("pure Python by hand")
def pure_python() -> Run:
    """Lists, the derivatives by hand."""

    def run(n: int) -> Any:
        W1, b1, W2, b2, (W3,), (b3,) = TASK.weights
        for _ in range(n):
            G1, g1, G2, g2, G3, g3, loss = (
                [[0.0, 0.0] for _ in W1],
                [0.0] * 16,
                [[0.0] * 16 for _ in W2],
                [0.0] * 16,
                [0.0] * 16,
                0.0,
                0.0,
            )
            for (x1, x2), (t,) in zip(TASK.X, TASK.y):
                a1 = [max(w[0] * x1 + w[1] * x2 + b, 0.0) for w, b in zip(W1, b1)]
                a2 = [max(sum([w * a for w, a in zip(ws, a1)], b), 0.0) for ws, b in zip(W2, b2)]
                margin = 1.0 - t * sum([w * a for w, a in zip(W3, a2)], b3)
                if margin <= 0.0:
                    continue
                loss += margin
                g3 -= t
                d1 = [0.0] * 16
                for j, a in enumerate(a2):
                    if a > 0.0:
                        G3[j] -= t * a
                        d = -t * W3[j]
                        g2[j] += d
                        G2[j] = [g + d * a for g, a in zip(G2[j], a1)]
                        d1 = [d1i + d * w for d1i, w in zip(d1, W2[j])]
                for i, a in enumerate(a1):
                    if a > 0.0:
                        G1[i][0] += d1[i] * x1
                        G1[i][1] += d1[i] * x2
                        g1[i] += d1[i]
            weights = flat([W1, b1, W2, b2, [W3], [b3]])
            loss = loss / 100 + TASK.penalty * sum([w * w for w in weights])
            W1, W2 = ([lowered(ws, gs) for ws, gs in zip(W, G)] for W, G in ((W1, G1), (W2, G2)))
            b1, b2, W3, (b3,) = (
                lowered(ws, gs) for ws, gs in ((b1, g1), (b2, g2), (W3, G3), ([b3], [g3]))
            )
        return [W1, b1, W2, b2, W3, b3]

    return run


def lowered(weights: list[float], slopes: list[float]) -> list[float]:
    """The weights after a step; the slopes are sums over 100 rows, without the penalty's."""
    return [w - 0.1 * (g / 100 + 2e-4 * w) for w, g in zip(weights, slopes)]


@CONTEST.peer(NUMPY)
def numpy_by_hand() -> Run:
    """The formulas as one writes them."""
    import numpy as np

    X, y, lr, alpha = np.array(TASK.X), np.array(TASK.y), 0.1, TASK.penalty

    def run(n: int) -> Any:
        W1, b1, W2, b2, W3, b3 = map(np.array, TASK.weights)
        for _ in range(n):
            a1 = np.maximum(X @ W1.T + b1, 0)
            a2 = np.maximum(a1 @ W2.T + b2, 0)
            margin = np.maximum(1 - y * (a2 @ W3.T + b3), 0)
            loss = margin.mean() + alpha * sum((w * w).sum() for w in (W1, b1, W2, b2, W3, b3))
            dz3 = -y * (margin > 0) / len(X)
            dz2 = dz3 @ W3 * (a2 > 0)
            dz1 = dz2 @ W2 * (a1 > 0)
            dW3, db3 = dz3.T @ a2 + 2 * alpha * W3, dz3.sum(axis=0) + 2 * alpha * b3
            dW2, db2 = dz2.T @ a1 + 2 * alpha * W2, dz2.sum(axis=0) + 2 * alpha * b2
            dW1, db1 = dz1.T @ X + 2 * alpha * W1, dz1.sum(axis=0) + 2 * alpha * b1
            W1 -= lr * dW1
            b1 -= lr * db1
            W2 -= lr * dW2
            b2 -= lr * db2
            W3 -= lr * dW3
            b3 -= lr * db3
        assert np.isfinite(loss)
        return [W1, b1, W2, b2, W3, b3]

    return run


@GRADIENT.peer(NUMPY)
def gradient_by_hand() -> Run:
    """The same without penalty and update."""
    import numpy as np

    X, y = np.array(TASK.X), np.array(TASK.y)
    W1, b1, W2, b2, W3, b3 = map(np.array, TASK.weights)

    def run(n: int) -> Any:
        for _ in range(n):
            a1 = np.maximum(X @ W1.T + b1, 0)
            a2 = np.maximum(a1 @ W2.T + b2, 0)
            margin = np.maximum(1 - y * (a2 @ W3.T + b3), 0)
            loss = margin.mean()
            dz3 = -y * (margin > 0) / len(X)
            dz2 = dz3 @ W3 * (a2 > 0)
            dz1 = dz2 @ W2 * (a1 > 0)
            slopes = slopes_by_hand((X, dz1), (a1, dz2), (a2, dz3))
        return loss, slopes

    return run


@CONTEST.peer("NumPy, tuned by hand")
def tuned() -> Run:
    """All parameters in one vector, for one penalty and one update, and a place for each result.

    Biases weigh a column of ones.
    """
    import numpy as np

    y, zero = np.array(TASK.y), np.array(0.0)
    X = np.hstack([TASK.X, np.ones((100, 1))])
    minus_y, share = -y, -y / 100
    kept, lr = np.array(1 - 0.1 * 2e-4), np.array(0.1)

    def run(n: int) -> Any:
        first, b1, second, b2, third, b3 = map(np.array, TASK.weights)
        p, g = (
            np.concatenate(
                [np.vstack([W.T, b]).ravel() for W, b in ((first, b1), (second, b2), (third, b3))]
            ),
            np.empty(337),
        )
        (W1, W2, W3), (G1, G2, G3) = (
            (v[:48].reshape(3, 16), v[48:320].reshape(17, 16), v[320:].reshape(17, 1))
            for v in (p, g)
        )
        a1, a2, d1, d2, margin, d3 = (
            np.ones((100, 17)),
            np.ones((100, 17)),
            *np.empty((2, 100, 16)),
            *np.empty((2, 100, 1)),
        )
        h1, h2, z1, z2 = a1[:, :16], a2[:, :16], *np.empty((2, 100, 16))
        for _ in range(n):
            np.maximum(np.dot(X, W1, z1), zero, out=h1)
            np.maximum(np.dot(a1, W2, z2), zero, out=h2)
            np.dot(a2, W3, margin)
            np.multiply(margin, minus_y, margin)
            np.add(margin, 1.0, margin)
            np.maximum(margin, zero, out=margin)
            loss = margin.sum() / 100 + 1e-4 * np.dot(p, p)
            np.multiply(share, margin > zero, d3)
            np.multiply(d3, W3[:16].T, d2)
            np.multiply(d2, z2 > zero, d2)
            np.dot(d2, W2[:16].T, d1)
            np.multiply(d1, z1 > zero, d1)
            np.dot(a2.T, d3, G3)
            np.dot(a1.T, d2, G2)
            np.dot(X.T, d1, G1)
            np.multiply(g, lr, g)
            np.multiply(p, kept, p)
            np.subtract(p, g, p)
        assert np.isfinite(loss)
        return [part for W in (W1, W2, W3) for part in (W[:-1].T, W[-1])]

    return run


def c(*flags: str) -> Run:
    import ctypes

    import numpy as np

    train = library("moons.c", *flags).train
    train.restype = ctypes.c_double
    X, y, rate, alpha = (
        np.array(TASK.X),
        np.array(TASK.y),
        ctypes.c_double(0.1),
        ctypes.c_double(1e-4),
    )

    def run(n: int) -> Any:
        p = np.array(flat(TASK.weights))
        train(pointer(p), pointer(X), pointer(y), ctypes.c_long(100), rate, alpha, ctypes.c_long(n))
        return p

    return run


CONTEST.peer(C)(c)
CONTEST.peer("C -O3 -ffast-math by hand")(lambda: c("-ffast-math"))


CONTEST.peer("CasADi SX, mapped over the rows")(lambda: casadi(TASK, unrolled=False))
enter_libraries(CONTEST, TASK)
enter_fit(CONTEST, TASK)
enter_compiled(GRADIENT, TASK)


def main(pace: Pace = UNHURRIED) -> None:
    CONTEST.hold(pace)
    GRADIENT.hold(pace)
