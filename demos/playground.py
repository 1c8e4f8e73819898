"""Four networks that train in the browser: moons, XOR, a curve, and heights and weights.

    python -m demos.playground --open

Each page is one file and asks for no other. It makes the very steps that `fit` makes: the compiler
writes loss, slopes and update as JavaScript. Press Play, drag a point, point at a neuron.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from demos import data, show
from scalargrad.nn import MLP


def curve(count: int, rng: random.Random) -> tuple[list[float], list[float]]:
    """Points of sin(x) + x/3 with noise."""
    xs = [rng.uniform(-4, 4) for _ in range(count)]
    return xs, [math.sin(x) + x / 3 + rng.gauss(0, 0.15) for x in xs]


def standardized(rows: list[list[float]]) -> list[list[float]]:
    """The rows with mean 0 and spread 1 in each column."""
    columns = []
    for column in zip(*rows, strict=True):
        mean = sum(column) / len(column)
        spread = math.sqrt(sum((x - mean) ** 2 for x in column) / len(column))
        columns.append([(x - mean) / spread for x in column])
    return [list(row) for row in zip(*columns, strict=True)]


def main(argv: Sequence[str] | None = None) -> None:
    args = show.options(__doc__).parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    seed, rng = args.seed, random.Random(args.seed)
    logits: dict[str, Any] = {"loss": "binary_cross_entropy_with_logits"}
    people, women = data.people(60, rng)

    def tanh(nin: int, nouts: list[int]) -> MLP:
        return MLP(nin, nouts, activation="tanh", seed=seed)

    xor = MLP(
        2, [3, 1], activation="sigmoid", output_activation="sigmoid", init="normal", seed=seed
    )
    networks: dict[str, tuple[MLP, Any, Any, dict[str, Any]]] = {
        "moons": (
            tanh(2, [16, 16, 1]), *data.moons(100, rng), {**logits, "optimizer": "adam", "lr": 0.01}
        ),
        "xor": (
            xor, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0],
            {"loss": "half_squared_error", "reduction": "sum", "lr": 0.5},
        ),
        "curve": (tanh(1, [12, 12, 1]), *curve(60, rng), {"optimizer": "adam", "lr": 0.01}),
        "people": (
            tanh(2, [2, 1]), standardized(people), women,
            {**logits, "lr": 0.1, "batch_size": 16, "shuffle": True, "seed": seed},
        ),
    }  # fmt: skip
    for name, (model, X, y, options) in networks.items():
        path = args.out / f"playground_{name}.html"
        model.playground(path, X, y, **options)
        show.report(name, path, args.open)


if __name__ == "__main__":
    main()
