"""Workloads of `against`, by the public functions of a checkout alone, old or new.

It runs as a script in a process of that checkout: it reads a request in JSON from a line of its
input and answers with a line.
"""

from __future__ import annotations

import copy
import gc
import json
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import scalargrad as sg
from scalargrad import nn

Run = Callable[[int], Any]  # makes so many calls, or steps, and returns the last result
rng = random.Random(0)


def filled(*shape: int) -> Any:
    """Numbers from a normal distribution, nested."""
    return [filled(*shape[1:]) for _ in range(shape[0])] if shape else rng.gauss(0.0, 0.5)


class Call(NamedTuple):
    """A function, its arguments, what `compile` is told, and the method that is called."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any] = {}  # noqa: RUF012 (never changed)
    method: str = "value_and_grad"

    def build(self, backend: str) -> Run:
        f = getattr(sg.compile(self.fn, backend=backend, **self.options), self.method)
        kind = as_lists if backend == "python" else as_arrays
        args = tuple(map(kind, self.args))

        def run(n: int) -> Any:
            for _ in range(n):
                result = f(*args)
            return result

        return run


class Fit(NamedTuple):
    """Epochs of `fit`: the time of one is that of 2n less that of n."""

    model: Callable[[], Any]
    X: Any
    y: Any
    options: dict[str, Any]

    def build(self, backend: str) -> Run:
        model = self.model()
        begin = model.state()

        def run(n: int) -> Any:
            model.load_state(begin)
            choice = {"engine": "compiled", "backend": backend, "epochs": n}
            model.fit(self.X, self.y, **choice, **self.options)
            return model.state()

        return run


def as_arrays(tree: Any) -> Any:
    """Nested lists of equal lengths as arrays; a state's are arrays, a model stays as it is."""
    import numpy as np

    return np.array(tree) if isinstance(tree, list) else tree


def as_lists(tree: Any) -> Any:
    """A state's arrays as lists, as a state is without NumPy."""
    if isinstance(tree, dict):
        tree = copy.copy(tree)
        tree.update(
            (name, getattr(part, "tolist", lambda p=part: p)()) for name, part in tree.items()
        )
    return tree


# ------------------------------------------------------------------ functions


def camera(p: Any, m: Any) -> Any:
    """Bundle adjustment: rotation, centre, lens, point and weight; where it is off on the image."""
    r, c, (f, u0, v0, k1, k2), point, w = p[:3], p[3:6], p[6:11], p[11:14], p[14]
    theta = sg.sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2])
    cos, sin, (a, b, e) = sg.cos(theta), sg.sin(theta), [x / theta for x in r]
    x, y, z = [q - o for q, o in zip(point, c, strict=True)]
    along = (a * x + b * y + e * z) * (1.0 - cos)
    X = x * cos + (b * z - e * y) * sin + a * along
    Y = y * cos + (e * x - a * z) * sin + b * along
    Z = z * cos + (a * y - b * x) * sin + e * along
    X, Y = X / Z, Y / Z
    s = X * X + Y * Y
    bent = 1.0 + k1 * s + k2 * s * s
    return [w * (u0 + f * X * bent - m[0]), w * (v0 + f * Y * bent - m[1])]


def recurrent(W: Any, U: Any, b: Any, out: Any, xs: Any, t: Any) -> Any:
    h = [0.0] * len(b)
    for x in xs:
        h = [sg.tanh(sg.dot(w, h, bias) + sg.dot(u, x)) for w, u, bias in zip(W, U, b, strict=True)]
    return (sg.dot(out, h) - t) ** 2


def mixture(weights: Any, means: Any, scales: Any, x: Any) -> Any:
    """Minus the logarithm of a density that is a mixture of Gaussians."""
    each = [
        w
        + sg.sum(scale)
        - 0.5 * sg.sum(((a - m) * sg.exp(s)) ** 2 for a, m, s in zip(x, mean, scale))
        for w, mean, scale in zip(weights, means, scales, strict=True)
    ]
    return sg.logsumexp(weights) - sg.logsumexp(each)


def attention(Q: Any, K: Any, V: Any, xs: Any) -> Any:
    """Each position reads itself and those before it."""
    qs, ks, vs = ([[sg.dot(row, x) for row in M] for x in xs] for M in (Q, K, V))
    total: Any = 0.0
    for t, q in enumerate(qs):
        shares = sg.softmax([sg.dot(q, k) for k in ks[: t + 1]])
        answer = [sg.dot(shares, list(column)[: t + 1]) for column in zip(*vs, strict=True)]
        total = total + sg.dot(answer, answer)
    return total


def convolution(kernels: Any, image: Any) -> Any:
    size, k = len(image), len(kernels[0])
    places = range(size - k + 1)
    return sg.mean(
        sg.relu(sg.sum(kernel[a][b] * image[i + a][j + b] for a in range(k) for b in range(k))) ** 2
        for kernel in kernels
        for i in places
        for j in places
    )


def cholesky(A: Any) -> Any:
    """The logarithm of the determinant."""
    L: list[list[Any]] = []
    for i, row in enumerate(A):
        L.append([])
        for j in range(i + 1):
            rest = row[j] - sum(L[i][k] * L[j][k] for k in range(j))
            L[i].append(sg.sqrt(rest) if i == j else rest / L[j][j])
    return 2.0 * sum(sg.log(row[-1]) for row in L)


def bodies(places: Any) -> Any:
    """The energy of bodies that attract each other."""
    total: Any = 0.0
    for i, p in enumerate(places):
        for q in places[:i]:
            total = total - 1.0 / sg.sqrt(
                sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) + 0.01
            )
    return total


# ------------------------------------------------------------------ all


def networks() -> dict[str, Any]:
    """W1, W2, W3: value and gradient of state and of model, and training."""
    found: dict[str, Any] = {}
    X1, y1 = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [[0.0], [1.0], [1.0], [0.0]]
    X2, y2 = filled(100, 2), [[rng.choice([-1.0, 1.0])] for _ in range(100)]
    X3, y3 = filled(100, 784), [[float(i % 10 == k) for k in range(10)] for i in range(100)]
    for name, sizes, kinds, loss, X, y in (
        ("W1", (2, [3, 1]), ("sigmoid", "sigmoid"), "half_squared_error", X1, y1),
        ("W2", (2, [16, 16, 1]), ("relu", None), "hinge", X2, y2),
        ("W3", (784, [16, 16, 10]), ("sigmoid", "sigmoid"), "squared_error", X3, y3),
    ):
        make = partial(sg.MLP, *sizes, activation=kinds[0], output_activation=kinds[1], seed=0)
        measure = getattr(nn, loss)

        def cost(model: Any, x: Any, t: Any, measure: Any = measure) -> Any:
            return measure(model(x), t)

        rows = {"rows": ("x", "t")}
        found[name] = Call(cost, (make().state(), X, y), rows)
        found[f"{name} model"] = Call(cost, (make(), X, y), rows)
        found[f"{name} one row"] = Call(cost, (make().state(), X[1], y[1]))
        found[f"{name} fit"] = Fit(make, X, y, {"loss": loss, "lr": 0.1})
    return found


def gpt() -> Fit:
    from demos.gpt import GPT, surprise, tables

    names = ("argparse", "bisect", "calendar", "json", "operator", "pathlib", "random", "textwrap")
    options = {"loss": surprise, "optimizer": "adam", "lr": 0.01}
    return Fit(lambda: GPT(27, seed=0), *tables(names, "abcdefghijklmnopqrstuvwxyz"), options)


def positive() -> Any:
    B = filled(12, 12)
    return [[sg.dot(p, q) + 12.0 * (p is q) for q in B] for p in B]


rotated = [
    [*filled(11), *(x + 9.0 * (i == 2) for i, x in enumerate(filled(3))), 1.0]
    for _ in range(10_000)
]
of_attention = filled(8, 8), filled(8, 8), filled(8, 8)
WORKLOADS: dict[str, Any] = networks() | {
    "W5 fit": gpt(),
    "W6": Call(camera, (rotated, filled(10_000, 2)), {"rows": ("p", "m"), "reduce": None}, "jacobian"),
    "RNN": Call(recurrent, (filled(8, 8), filled(8, 3), filled(8), filled(8), filled(50, 10, 3), filled(50)), {"rows": ("xs", "t"), "wrt": (0, 1, 2, 3)}),
    "mixture": Call(mixture, (filled(10), filled(10, 10), filled(10, 10), filled(1000, 10)), {"rows": "x", "wrt": (0, 1, 2)}),
    "attention": Call(attention, (*of_attention, filled(10, 8)), {"wrt": (0, 1, 2)}),
    "attention rows": Call(attention, (*of_attention, filled(20, 10, 8)), {"rows": "xs", "wrt": (0, 1, 2)}),
    "convolution": Call(convolution, (filled(4, 3, 3), filled(16, 16))),
    "Cholesky": Call(cholesky, (positive(),)),
    "bodies": Call(bodies, (filled(30, 3),)),
}  # fmt: skip


def numbers(tree: Any) -> list[float]:
    """All numbers of a result in order."""
    if isinstance(tree, dict):
        tree = [*tree.values()]
    if hasattr(tree, "state"):
        tree = [*tree.state().values()]
    if hasattr(tree, "tolist"):
        tree = tree.tolist()
    return [x for part in tree for x in numbers(part)] if isinstance(tree, list | tuple) else [tree]


def serve() -> None:
    """Answer requests: `build` with a sample of the result, `time` with CPU seconds."""
    made: dict[str, Run] = {}
    for line in sys.stdin:
        answer: Any
        try:
            answer = answered(json.loads(line), made)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def answered(request: Any, made: dict[str, Run]) -> Any:
    task, key, n = request["do"], request["name"] + request["backend"], request.get("n", 1)
    start = time.process_time()
    if task == "drop":
        made.clear()
        return {}
    if task == "build":
        run = made[key] = WORKLOADS[request["name"]].build(request["backend"])
        all_numbers = numbers(run(1))
        return {"sample": [*all_numbers[:100], sum(all_numbers)], "seconds": spent(start)}
    gc.collect()
    start = time.process_time()
    made[key](n)
    seconds, beside = spent(start), 0.0
    if isinstance(WORKLOADS[request["name"]], Fit):
        start, beside = time.process_time(), seconds
        made[key](2 * n)
        seconds = spent(start) - beside
    return {"seconds": seconds, "beside": beside}


def spent(start: float) -> float:
    return time.process_time() - start


if __name__ == "__main__":
    serve()
