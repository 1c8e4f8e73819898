"""Random functions of random structures: numbers, lists, tuples, dicts and arrays, some of which carry rows, with one result or several.

What `layered` never makes: several arguments that carry rows, rows that are tall or flat matrices, results that are inputs, constants or
numbers of a matrix, sums with constants in them, captured Values, and gradients by any of the arguments.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import scalargrad as sg
from scalargrad import Value

ONE: list[Callable[..., Any]] = [
    sg.tanh, sg.sigmoid, sg.sin, sg.square, sg.softplus, sg.gelu, sg.silu, sg.relu, sg.erf, sg.expm1, lambda x: sg.sqrt(abs(x) + 0.5)
]  # fmt: skip
TWO: list[Callable[..., Any]] = [
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / (abs(y) + 1.5), lambda x, y: (abs(x) + 0.3) ** y,
    sg.maximum, sg.minimum, sg.hypot, sg.logaddexp, lambda x, y: sg.xlogy(x, abs(y) + 1.0),
]  # fmt: skip
MANY: list[Callable[..., Any]] = [
    sg.sum,
    sg.mean,
    sg.prod,
    sg.max,
    sg.min,
    sg.norm,
    sg.logsumexp,
    sg.var,
    lambda xs: sg.dot(xs, xs),
]
CONSTANTS = (0.0, -0.0, 1.0, -1.0, 2.0, 0.3)
CAPTURED = [Value(0.7, "k"), Value(-1.3, "import os")]
SHAPES = ((), (), (3,), (1,), (2, 2), (1, 2), (2, 1), (2, 1, 2))


class Case(NamedTuple):
    """A function, arguments for it, and what `compile` is told."""

    fn: Callable[..., Any]
    args: list[Any]
    options: dict[str, Any]
    rows: list[list[Any]]  # the arguments of each row


def numbers(tree: Any) -> list[Any]:
    """All numbers of a structure in order."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return (
        [x for item in tree for x in numbers(item)]
        if isinstance(tree, list | tuple | np.ndarray)
        else [tree]
    )


def filled(shape: tuple[int, ...], draw: Callable[[], float]) -> Any:
    return [filled(shape[1:], draw) for _ in range(shape[0])] if shape else draw()


def argument(rng: random.Random, draw: Callable[[], float]) -> Any:
    """An argument without rows."""
    content = filled(rng.choice(SHAPES), draw)
    kind = rng.choice(["as it is", "as it is", "tuple", "array", "dict", "mixed"])
    if kind == "tuple" and isinstance(content, list):
        return tuple(content)
    if kind == "array" and isinstance(content, list):
        return np.array(content)
    return (
        {"w": content, "lambda": draw()}
        if kind == "dict"
        else [content, draw()]
        if kind == "mixed"
        else content
    )


def case(seed: int) -> Case:
    rng = random.Random(seed)

    def draw() -> float:
        return round(rng.gauss(0.0, 1.0), 3)

    count, names, rows = rng.randint(1, 3), ["p", "q", "s"], rng.choice([1, 2, 5])
    carried = [name for name in names[:count] if rng.random() < 0.4]
    args: list[Any] = []
    for name in names[:count]:
        if name in carried:
            content = filled((rows, *rng.choice(SHAPES[:-1])), draw)
            args.append(rng.choice([list, tuple, np.array])(content))
        else:
            args.append(argument(rng, draw))
    wrt: Any = (
        rng.randrange(count)
        if rng.random() < 0.5
        else tuple(rng.sample(range(count), rng.randint(1, count)))
    )
    options = {
        "wrt": wrt,
        "rows": tuple(carried),
        "reduce": rng.choice(["mean", "sum", None]) if carried else "mean",
    }
    made = function(seed, rng.choice([1, 1, 2, 3]))
    fn = {1: lambda p: made(p), 2: lambda p, q: made(p, q), 3: lambda p, q, s: made(p, q, s)}[count]
    each = [
        [a[i] if name in carried else a for name, a in zip(names, args, strict=False)]
        for i in range(rows if carried else 1)
    ]
    return Case(fn, args, options, each)


def function(seed: int, results: int) -> Callable[..., Any]:
    """A function of structures; one result, or a list of several."""

    def structured(*args: Any) -> Any:
        rng = random.Random(-seed)
        inputs = numbers(args)
        xs, known = inputs[:8], inputs[:]
        for _ in range(rng.randint(1, 5)):
            constant = rng.choice([*CONSTANTS, *CAPTURED])
            kind, one, two, many = (
                rng.randrange(6),
                rng.choice(ONE),
                rng.choice(TWO),
                rng.choice(MANY),
            )
            others = rng.choice(
                [xs[::-1], known[: len(xs)], [constant] * len(xs), [xs[0]] * len(xs)]
            )
            if kind == 0:
                xs = [one(x) for x in xs]
            elif kind == 1:
                xs = [two(x, y) for x, y in zip(xs, others, strict=True)]
            elif kind == 2:
                xs = [two(constant, x) for x in xs]
            elif kind == 3:
                xs = [many(xs), many([xs[0], 0.0]), many([*xs[1:], constant])]
            elif kind == 4:
                xs = [
                    sg.dot(
                        [known[(i + j) % len(known)] for j in range(len(xs))],
                        xs,
                        rng.choice([0.0, constant]),
                    )
                    for i in range(2)
                ]
            else:
                xs = [
                    sg.where((x > 0.1) & (y < 1.0), two(x, y), one(y))
                    for x, y in zip(xs, xs[1:] + xs[:1], strict=True)
                ]
            known = [*known, *xs]
        if results == 1:
            return rng.choice([sg.sum, sg.mean, lambda xs: xs[0], lambda xs: sg.dot(xs, xs)])(xs)
        return [rng.choice([*known, inputs[-1], 1.5]) for _ in range(results)]

    return structured
