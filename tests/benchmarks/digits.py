"""W3: a network for digits, 784-16-16-10 sigmoids: value and gradient of one row, and of 100.

`python -m tests.benchmarks digits`

There are 13,002 parameters. The cost is the squared error Σ (a − y)², averaged over the rows. On
one row a graph of scalars, or a call of a library, costs most; on 100 rows matrices pay.
"""

from __future__ import annotations

import math
import random
from functools import partial
from typing import Any

from .c import library, pointer
from .contest import AUTO, BACKENDS, EAGER, Contest, Goal, Run
from .networks import Task, casadi, enter_compiled, enter_libraries, flat, slopes_by_hand
from .timing import UNHURRIED, Pace

NUMPY = "NumPy by hand"


def task(rows: int) -> Task:
    """The network on that many rows of noise, a tenth of them of each digit."""
    rng = random.Random(0)
    return Task(
        sizes=(784, 16, 16, 10),
        activations=("sigmoid", "sigmoid"),
        loss="squared_error",
        X=[[rng.random() for _ in range(784)] for _ in range(rows)],
        y=[[float(r % 10 == k) for k in range(10)] for r in range(rows)],
    )


ONE, HUNDRED = task(1), task(100)
ONE_ROW = Contest(
    "W3: 784-16-16-10 sigmoids, value and gradient, 1 row", "ms",
    [Goal((BACKENDS["python"],), "micrograd", at_least=300), Goal((EAGER,), "micrograd", at_least=100), AUTO],
)  # fmt: skip
HUNDRED_ROWS = Contest(
    "W3: 784-16-16-10 sigmoids, value and gradient, 100 rows", "ms",
    [Goal((BACKENDS["numpy"],), NUMPY, at_most=1.05), Goal((BACKENDS["numpy"],), "PyTorch eager", at_least=1), AUTO],
)  # fmt: skip


def pure_python(task: Task) -> Run:
    """Lists, the derivatives by hand."""

    def run(n: int) -> Any:
        weights = task.weights
        layers = list(zip(weights[::2], weights[1::2]))
        for _ in range(n):
            cost, slopes = (
                0.0,
                [([[0.0] * len(W[0]) for _ in W], [0.0] * len(b)) for W, b in layers],
            )
            for x, target in zip(task.X, task.y):
                activations = [x]
                for W, b in layers:
                    zs = [
                        sum([w * a for w, a in zip(ws, activations[-1])], bias)
                        for ws, bias in zip(W, b)
                    ]
                    activations.append([1.0 / (1.0 + math.exp(-z)) for z in zs])
                off = [a - t for a, t in zip(activations[-1], target)]
                cost += sum([d * d for d in off])
                by_a = [2.0 / len(task.X) * d for d in off]
                for layer in (2, 1, 0):
                    by_z = [d * a * (1.0 - a) for d, a in zip(by_a, activations[layer + 1])]
                    G, g = slopes[layer]
                    for j, d in enumerate(by_z):
                        g[j] += d
                        G[j] = [slope + d * a for slope, a in zip(G[j], activations[layer])]
                    if layer:
                        by_a = [
                            sum([d * w for d, w in zip(by_z, column)])
                            for column in zip(*layers[layer][0])
                        ]
        return cost / len(task.X), slopes

    return run


def numpy_by_hand(task: Task) -> Run:
    """The formulas as one writes them."""
    import numpy as np

    X, y = np.array(task.X), np.array(task.y)
    W1, b1, W2, b2, W3, b3 = map(np.array, task.weights)

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    def run(n: int) -> Any:
        for _ in range(n):
            a1 = sigmoid(X @ W1.T + b1)
            a2 = sigmoid(a1 @ W2.T + b2)
            a3 = sigmoid(a2 @ W3.T + b3)
            off = a3 - y
            cost = (off * off).sum() / len(X)
            dz3 = 2 / len(X) * off * a3 * (1 - a3)
            dz2 = dz3 @ W3 * a2 * (1 - a2)
            dz1 = dz2 @ W2 * a1 * (1 - a1)
            slopes = slopes_by_hand((X, dz1), (a1, dz2), (a2, dz3))
        return cost, slopes

    return run


def tutorial(task: Task) -> Run:
    """An example at a time, outer products added up."""
    import numpy as np

    from tests.formulas import Digits

    X, y = np.array(task.X), np.array(task.y)
    weights = [np.array(part) for part in task.weights]
    network = Digits(weights[::2], weights[1::2])

    def run(n: int) -> Any:
        for _ in range(n):
            cost = sum(network.cost_one_example(x, t) for x, t in zip(X, y)) / len(X)
            Gs, gs = network.gradients(X, y)
        return cost, list(zip(Gs, gs))

    return run


def c(task: Task) -> Run:
    import ctypes

    import numpy as np

    f = library("digits.c").value_and_grad
    f.restype = ctypes.c_double
    p, X, y = np.array(flat(task.weights)), np.array(task.X), np.array(task.y)
    rows = ctypes.c_long(len(X))

    def run(n: int) -> Any:
        for _ in range(n):
            g = np.empty_like(p)
            cost = f(pointer(p), pointer(X), pointer(y), rows, pointer(g))
        return cost, g

    return run


for contest, workload in ((ONE_ROW, ONE), (HUNDRED_ROWS, HUNDRED)):
    for name, build in (
        ("pure Python by hand", pure_python), (NUMPY, numpy_by_hand), ("NumPy, as the tutorial writes it", tutorial),
        ("C -O3 by hand", c),
    ):  # fmt: skip
        contest.peer(name)(partial(build, workload))
    enter_libraries(contest, workload, deep_walks=workload is ONE)
    enter_compiled(contest, workload)
ONE_ROW.peer("CasADi SX")(lambda: casadi(ONE, unrolled=True))


def main(pace: Pace = UNHURRIED) -> None:
    ONE_ROW.hold(pace)
    HUNDRED_ROWS.hold(pace)
