"""Random functions written in layers, as people write them: dots, sums of products by hand, softmax, choices, gathers.

They are what re-rolling is for: every few lines make vectors of one formula, that read those before them whole, in
part, reversed, shared or one by one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import scalargrad as sg

ONE = {
    "tanh": sg.tanh, "sigmoid": sg.sigmoid, "sin": sg.sin, "relu": sg.relu, "square": sg.square, "softplus": sg.softplus, "abs": abs,
    "gelu": sg.gelu, "neg": lambda x: -x, "root": lambda x: sg.sqrt(abs(x) + 0.5), "exp": lambda x: sg.exp(sg.tanh(x)),
}  # fmt: skip
TWO = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "div": lambda x, y: x / (abs(y) + 1.5),
    "pow": lambda x, y: (abs(x) + 0.3) ** y, "maximum": sg.maximum, "hypot": sg.hypot, "logaddexp": sg.logaddexp, "arctan2": sg.arctan2,
}  # fmt: skip
MANY = (sg.sum, sg.mean, sg.logsumexp, sg.max, sg.min, sg.norm, sg.prod, sg.var)


def dots(rng: random.Random, xs: list[Any], ps: Sequence[Any]) -> list[Any]:
    bias = rng.choice([0.0, rng.choice(ps)])
    return [
        sg.dot([ps[(i * len(xs) + j) % len(ps)] for j in range(len(xs))], xs, bias)
        for i in range(rng.randint(1, 4))
    ]


def sums_by_hand(rng: random.Random, xs: list[Any], ps: Sequence[Any]) -> list[Any]:
    n, found = rng.randint(1, 4), []
    for i in range(n):
        total: Any = 0
        for j, x in enumerate(xs):
            total = total + ps[(i + n * j) % len(ps)] * x  # a matrix the other way round
        found.append(total)
    return found


def of_one(rng: random.Random, xs: list[Any], ps: Sequence[Any]) -> list[Any]:
    function = ONE[rng.choice([*ONE])]
    return [function(x) for x in xs]


def of_two(rng: random.Random, xs: list[Any], ps: Sequence[Any]) -> list[Any]:
    name = rng.choice([*TWO])
    constants = [rng.choice([2.0, 0.5, 3.0]) for _ in xs]
    partners = (
        [constants, [2.0] * len(xs)]
        if name == "pow"
        else [xs[::-1], [rng.choice(ps) for _ in xs], [xs[0]] * len(xs), constants]
    )
    return [TWO[name](x, y) for x, y in zip(xs, rng.choice(partners), strict=True)]


def of_many(rng: random.Random, xs: list[Any], ps: Sequence[Any]) -> list[Any]:
    function = rng.choice(MANY)
    return [
        function(xs),
        *([function(xs[1:]), function([xs[0], xs[-1], xs[0]])] if len(xs) > 2 else []),
    ]


def of_prefixes(rng: random.Random, xs: list[Any], ps: Sequence[Any]) -> list[Any]:
    return [sg.dot(sg.softmax(xs[: t + 1]), xs[: t + 1]) for t in range(len(xs))]


def choices(rng: random.Random, xs: list[Any], ps: Sequence[Any]) -> list[Any]:
    p = rng.choice(ps)
    return [
        sg.where(x > 0.1, sg.sqrt(x), p)
        if rng.random() < 0.6
        else sg.where((x < 0.3) & (x > -1.0), sg.sin(x), 0.25)
        for x in xs
    ]


def picked(rng: random.Random, xs: list[Any], ps: Sequence[Any]) -> list[Any]:
    return rng.choice(
        [
            [*xs[::-1], rng.choice(ps)],
            [rng.choice(xs) for _ in range(rng.randint(2, 5))],
            sg.softmax(xs),
        ]
    )


LAYERS = (dots, sums_by_hand, of_one, of_two, of_many, of_prefixes, choices, picked)


def function(seed: int) -> Callable[..., Any]:
    """A function of a list, a row and a matrix."""

    def layered(p: Sequence[Any], x: Sequence[Any], m: Sequence[Sequence[Any]]) -> Any:
        rng = random.Random(seed)
        xs, ps = list(x), [*p, *(item for row in m for item in row)]
        for _ in range(rng.randint(1, 5)):
            xs = rng.choice(LAYERS)(rng, xs, ps)
        out = sg.sum(xs) if rng.random() < 0.5 else sg.dot(xs, xs)
        return out + 0.1 * sum(w * w for w in ps) if rng.random() < 0.3 else out

    return layered


def arguments(seed: int, rows: int) -> tuple[Any, Any, Any]:
    """Numbers for it; `rows` of x, or one without an axis of rows."""
    rng = random.Random(-seed)

    def numbers(n: int) -> list[float]:
        return [round(rng.gauss(0.0, 1.0), 3) for _ in range(n)]

    p, width = numbers(rng.randint(1, 4)), rng.randint(1, 4)
    return (
        p,
        [numbers(width) for _ in range(rows)] if rows else numbers(width),
        [numbers(3), numbers(3)],
    )
