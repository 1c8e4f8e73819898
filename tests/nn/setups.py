"""Set-ups of `fit`, on Values and compiled on every backend: weights and losses agree to 1e-10.

    python -m tests.nn.setups [--count 40] [--only 17] [--backends python,numpy,native,auto]

A set-up is an optimiser, a model with its loss and data, batches, and up to three of: a penalty, a schedule, a sum over
rows, validation, weights of rows, an annealing callback, a bound on the gradient's length. Set-up number i takes the i-th optimiser, model and batch; the
rest is drawn.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import scalargrad as sg
from scalargrad import Module, Value
from scalargrad.nn import MLP, SGD, Adam, AdamW, Neuron, Optimizer, RMSprop, l2

CLOSE = 1e-10

# ------------------------------------------------------------------ optimisers


class Signed(Optimizer):
    """A step of bounded length, with a memory and the number of the step."""

    def __init__(self, parameters: Any, lr: Any = 0.01) -> None:
        super().__init__(parameters, lr)
        self.state = ([0.0] * len(self.parameters),)

    def update(self, weights: Any, gradients: Any, lr: Any) -> Any:
        (kept,) = self.state
        kept = [0.7 * k + g for k, g in zip(kept, gradients, strict=True)]
        moved = [
            w - lr * k / (0.1 + abs(k)) / (1.0 + 0.1 * self.steps)
            for w, k in zip(weights, kept, strict=True)
        ]
        return moved, (kept,)


class Clipped(SGD):
    """The gradient's length is at most 0.5: all weights meet in it."""

    def update(self, weights: Any, gradients: Any, lr: Any) -> Any:
        length = (sum(g * g for g in gradients) + 1e-12) ** 0.5
        factor = sg.minimum(1.0, 0.5 / length)
        return super().update(weights, [g * factor for g in gradients], lr)


OPTIMIZERS: dict[str, Any] = {
    "sgd": "sgd",
    "momentum": partial(SGD, momentum=0.9),
    "nesterov": partial(SGD, momentum=0.8, nesterov=True, weight_decay=0.05),
    "rmsprop": "rmsprop",
    "rmsprop, decay": partial(RMSprop, alpha=0.9, weight_decay=0.1),
    "adam": "adam",
    "adam, decay": partial(Adam, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
    "adamw": partial(AdamW, weight_decay=0.1),
    "signed": Signed,
    "clipped": Clipped,
}

# ------------------------------------------------------------------ models, with losses and data


class Tied(Module):
    """Encodes and decodes with the same weights."""

    def __init__(self) -> None:
        self.W = [[Value(0.1 * (i + 1) * (-1) ** j) for j in range(4)] for i in range(2)]
        self.b = [Value(0.1) for _ in range(4)]

    def __call__(self, x: Any) -> Any:
        code = [sg.tanh(sg.dot(row, x)) for row in self.W]
        columns = zip(*self.W, strict=True)
        return [sg.dot(column, code, b) for column, b in zip(columns, self.b, strict=True)]


class Recurrent(Module):
    """Reads a row number by number; counts on a plain number too."""

    def __init__(self) -> None:
        self.cell, self.out = (
            MLP(3, [2], activation="tanh", seed=5),
            Neuron(2, activation=None, seed=6),
        )
        self.scale = 0.5

    def __call__(self, x: Any) -> Any:
        state = [0.0, 0.0]
        for number in x:
            state = self.cell([number * self.scale, *state])
        return self.out(state)


class Bumps(Module):
    """Centres with widths, and a choice by the row."""

    def __init__(self) -> None:
        self.centres = [[Value(c), Value(-c)] for c in (-1.0, 0.2, 1.0)]
        self.weights = [Value(0.3), Value(-0.2), Value(0.4)]
        self.width, self.low = Value(0.8, "width"), Value(-0.5, "low")

    def __call__(self, x: Any) -> Any:
        near = [
            sg.exp(-sg.sum([((a - c) / self.width) ** 2 for a, c in zip(x, centre, strict=True)]))
            for centre in self.centres
        ]
        return sg.where(x[0] > -1.0, sg.dot(self.weights, near), self.low * x[1])


class Attending(Module):
    """Three tokens of two numbers, one head."""

    def __init__(self) -> None:
        rng = random.Random(1)
        self.q, self.k, self.v = (
            [[Value(rng.gauss(0.0, 0.7)) for _ in range(2)] for _ in range(2)] for _ in range(3)
        )

    def __call__(self, x: Any) -> Any:
        tokens = [x[i : i + 2] for i in (0, 2, 4)]
        q, k, v = ([[sg.dot(r, t) for r in M] for t in tokens] for M in (self.q, self.k, self.v))
        shares = [sg.softmax([sg.dot(a, b) for b in k]) for a in q]
        return [sg.dot(share, [each[0] for each in v]) for share in shares]


def table(seed: int, rows: int, inputs: int, target: Callable[[random.Random, list[float]], Any]) -> tuple[Any, Any]:  # fmt: skip
    rng = random.Random(seed)
    X = [[rng.gauss(0.0, 1.0) for _ in range(inputs)] for _ in range(rows)]
    return X, [target(rng, x) for x in X]


def quantile(p: Any, t: Any) -> Any:
    """A loss with two slopes."""
    return sg.maximum(0.3 * (t - p), -0.7 * (t - p))


NOISY: Callable[[random.Random, list[float]], Any] = lambda rng, x: (
    math.sin(x[0]) + rng.gauss(0.0, 0.1)
)
SIGN: Callable[[random.Random, list[float]], Any] = lambda rng, x: math.copysign(1.0, x[0] * x[1])
BIT: Callable[[random.Random, list[float]], Any] = lambda rng, x: float(x[0] + x[1] > 0.0)
CLASS: Callable[[random.Random, list[float]], Any] = lambda rng, x: rng.randrange(3)


class Task(NamedTuple):
    model: Callable[[], Any]
    loss: Any
    X: Any
    y: Any


TASKS: dict[str, Task] = {
    "moons": Task(lambda: MLP(2, [8, 8, 1], activation="relu", seed=1), "hinge", *table(1, 23, 2, SIGN)),
    "curve": Task(lambda: MLP(1, [6, 1], activation="tanh", seed=2), "mse", *table(2, 40, 1, NOISY)),
    "bits": Task(lambda: MLP(2, [4, 1], activation="gelu", output_activation="sigmoid", seed=3), "binary_cross_entropy", *table(3, 31, 2, BIT)),
    "logits": Task(lambda: Neuron(2, activation=None, seed=3), "binary_cross_entropy_with_logits", *table(3, 31, 2, BIT)),
    "classes": Task(lambda: MLP(4, [5, 3], activation="silu", seed=4), "cross_entropy", *table(4, 30, 4, CLASS)),
    "wide": Task(lambda: MLP(40, [7, 1], activation="sigmoid", seed=4), "huber", *table(5, 60, 40, NOISY)),
    "tied": Task(Tied, lambda p, t: sg.mean([(a - b) ** 2 for a, b in zip(p, t, strict=True)]), *table(6, 17, 4, lambda rng, x: x)),
    "recurrent": Task(Recurrent, "mae", *table(7, 19, 5, NOISY)),
    "bumps": Task(Bumps, quantile, *table(8, 25, 2, NOISY)),
    "attending": Task(Attending, "squared_error", *table(9, 12, 6, lambda rng, x: x[:3])),
}  # fmt: skip

# ------------------------------------------------------------------ the rest

BATCHES: Sequence[dict[str, Any]] = (
    {},
    {"batch_size": 5},
    {"batch_size": 8, "shuffle": True, "seed": 3},
    {"batch_size": 1, "shuffle": True, "seed": 4},
)


class Annealed:
    """A callback that changes a weight and a plain number that the model may read."""

    def __call__(self, epoch: int, history: Any, model: Any) -> None:
        if epoch == 2:
            parameter = model.parameters()[0]
            parameter.data = 0.5 * parameter.data
            model.scale = 0.25


def extras(rng: random.Random, task: Task) -> dict[str, Any]:
    """Up to three of what else a fit may have."""
    choices: list[dict[str, Any]] = [
        {"penalty": lambda model: 1e-2 * l2(model)},
        {
            "penalty": lambda model: (
                1e-2 * sg.sum([abs(p) for p in model.parameters()])
                + 1e-3 * sg.norm(model.parameters())
            )
        },
        {"lr": lambda step: 0.02 / (1.0 + 0.05 * step)},
        {"lr": lambda step: 0.01 * (1.0 + math.cos(0.1 * step))},
        {"reduction": "sum", "lr": 0.001},
        {"validation": (task.X[:7], task.y[:7])},
        {"sample_weight": [0.5 + (i % 3) for i in range(len(task.X))]},
        {"callback": Annealed()},
        {"clip_norm": 0.3},
    ]
    found: dict[str, Any] = {}
    for choice in rng.sample(choices, rng.randint(0, 3)):
        found |= choice
    return found


class Setup(NamedTuple):
    name: str
    task: Task
    options: dict[str, Any]

    def run(self, engine: str, backend: str = "auto") -> list[float]:
        """The weights, losses and validation losses that a fit ends with."""
        model = self.task.model()
        choice = {"engine": engine, "backend": backend}
        history = model.fit(self.task.X, self.task.y, loss=self.task.loss, **self.options, **choice)
        weights = [p.data for p in model.parameters()]
        return [*weights, *history.loss, *history.validation_loss]


def setup(i: int) -> Setup:
    rng = random.Random(i)
    optimizers, tasks = [*OPTIMIZERS], [*TASKS]
    optimizer = optimizers[i % len(optimizers)]
    task = tasks[(3 * i + i // len(tasks)) % len(tasks)]
    batch = BATCHES[(i // 3) % len(BATCHES)]
    more = extras(rng, TASKS[task])
    name = f"{i}: {optimizer}, {task}, {[*batch.values()]}, {', '.join(more)}"
    options = {"lr": 0.01, "epochs": rng.choice([5, 8, 12])} | batch | more
    options["optimizer"] = chosen = OPTIMIZERS[optimizer]
    if isinstance(chosen, partial):  # fit gives a function no rate
        options["optimizer"] = partial(chosen, lr=options.pop("lr"))
    return Setup(name, TASKS[task], options)


def problem(wanted: list[float], found: list[float]) -> str:
    """Where two fits differ, or nothing."""
    if len(wanted) != len(found):
        return f"{len(found)} numbers in place of {len(wanted)}"
    for i, (a, b) in enumerate(zip(wanted, found, strict=True)):
        if not abs(a - b) <= CLOSE * max(1.0, abs(a)):
            return f"number {i} of {len(wanted)} is {b!r} in place of {a!r}"
    return ""


def check(i: int, backends: Sequence[str]) -> list[str]:
    """The faults of a set-up: a line for each backend that differs from Values."""
    made = setup(i)
    wanted, found = made.run("eager"), []
    for backend in backends:
        try:
            what = problem(wanted, made.run("compiled", backend))
        except Exception as error:
            what = f"raises {type(error).__name__}: {str(error)[:300]}"
        if what:
            found.append(f"{made.name}: {backend}: {what}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.nn.setups")
    parser.add_argument("--count", type=int, default=40, help="how many set-ups (default 40)")
    parser.add_argument("--only", type=int, help="this one alone")
    parser.add_argument("--backends", default="python,numpy,native,auto")
    given = parser.parse_args()
    numbers = range(given.count) if given.only is None else [given.only]
    wrong = []
    for i in numbers:
        found = check(i, given.backends.split(","))
        print("\n".join(found) if found else f"{setup(i).name}: as on Values", flush=True)
        wrong += found
    print(f"{len(numbers)} set-ups, {len(wrong)} differ")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
