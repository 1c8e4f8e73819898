"""The constants that `backend="auto"` weighs, measured here, beside those in the package.

`python -m tests.benchmarks backends`

The constants stand in `scalargrad.compiler.backends`; a factor of two is near enough. A chain of
products and tanh on rows shows the time of a call, of a vector and of a number in it; a layer of 64
shows the time of a term of a dot. Half of the chain is tanh from the C library, one at a time, so a
number may take ten times what the constant for the processor says: that is the time of a product,
or of a function in a long loop.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

from scalargrad import tanh
from scalargrad.compiler.backends import (
    BACKWARD,
    COSTS,
    LOADING,
    MAKING,
    OF_A_VECTOR,
    is_installed,
)

from .compiling import seconds_of
from .contest import scalargrad_compile
from .timing import UNHURRIED, Pace, interleaved

FEW, MANY = 4, 24  # links of a chain, two vectors each
SIZE = 64  # of a layer


def chain(links: int) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        for _ in range(links):
            x = tanh(x * 0.5)
        return x

    return function


def layer(w: Any, x: Any) -> list[Any]:
    return [sum([a * b for a, b in zip(row, x)]) for row in w]


def calls(backend: str, rows: int) -> dict[str, Callable[[], object]]:
    """The timed parts of a backend."""
    import numpy as np

    rng = np.random.default_rng(0)
    x, few = rng.random(rows), rng.random(2)
    w, matrix = rng.random((SIZE, SIZE)), rng.random((rows, SIZE))
    make = partial(scalargrad_compile(), rows="x", reduce="sum", backend=backend)
    made = {links: make(chain(links)) for links in (FEW, MANY)}
    of_layer = make(layer)
    return {
        "few": partial(made[FEW], few),
        "many": partial(made[MANY], few),
        "long": partial(made[MANY], x),
        "layer": partial(of_layer, w, matrix),
        "slopes": partial(made[MANY].value_and_grad, x),
    }


def main(pace: Pace = UNHURRIED) -> None:
    print(f"\nconstants of backend='auto'\n  {'':44}{'here':>12}{'there':>12}")

    def line(name: str, here: float, there: float) -> None:
        print(f"  {name:44}{here:12.2g}{there:12.2g}")

    factors = []
    for backend, (call, vector, number, term) in COSTS.items():
        if not is_installed("numpy") or not is_installed(backend):
            print(f"  {backend}: not here")
            continue
        rows = 200 if backend == "python" else 5000
        times = {
            name: seconds * 1e6 for name, seconds in interleaved(calls(backend, rows), pace).items()
        }
        of_link = (times["many"] - times["few"]) / (MANY - FEW)
        of_number = (times["long"] - times["many"]) / (2 * MANY * (rows - 2))
        of_vector = of_link / 2 - 2 * of_number
        line(f"{backend}: µs of a call", times["few"] - FEW * of_link, call)
        line(f"{backend}: µs of a vector", of_vector, vector)
        line(f"{backend}: µs of a number", of_number, number)
        line(
            f"{backend}: µs of a term of a dot",
            (times["layer"] - times["few"]) / (rows * SIZE * SIZE),
            term,
        )
        factors.append(times["slopes"] / times["long"])
    line("slopes with the value, times the value", statistics.median(factors), BACKWARD)
    if is_installed("native"):
        made = {name: seconds_of(name) for name in ("xor", "moons")}
        line("seconds to load W1's", made["xor"][1], LOADING)
        for name, vectors in (
            ("xor", 1.2),
            ("moons", 8.0),
        ):  # so many, or twenty operations for one
            line(
                f"seconds to make {name}'s",
                made[name][0] - made[name][1],
                MAKING + OF_A_VECTOR * vectors,
            )
