"""W6: the residual of bundle adjustment, 2 numbers of 15, and its Jacobian, over 10,000 rows.

`python -m tests.benchmarks bundle`

ADBench's camera: rotation (Rodrigues), centre, focal length, principal point, two radial
distortions; then a point and a weight. The 2 numbers that were measured are data. A row is
r r r, C C C, f, x0 x0, k1 k2, X X X, w | u u.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from scalargrad import Value, cos, sin, sqrt

from .bundle_arrays import (
    Rows,
    again,
    casadi_c,
    hips,
    jax,
    numpy_by_columns,
    numpy_by_matrices,
    pytorch,
)
from .c import library, pointer
from .contest import AUTO, BACKENDS, EAGER, Contest, Goal, Run, scalargrad_compile
from .peers import SlotsValue
from .timing import UNHURRIED, Pace

COUNT = 10_000
JAX, CASADI = "JAX jit(vmap(jacrev))", "CasADi's C, -O3"
GOALS = (
    Goal((BACKENDS["numpy"],), JAX, at_least=1),
    Goal((BACKENDS["native"],), CASADI, at_most=1.2),
    AUTO,
)
CONTEST = Contest("W6: bundle adjustment, residual and 2 × 15 Jacobian, 10,000 rows", "ms", GOALS)


def row(rng: random.Random) -> list[float]:
    """A camera, a point some ten units in front of it, a weight; what was measured."""
    rotation = [rng.uniform(-0.5, 0.5) for _ in range(3)]
    centre = [rng.uniform(-1, 1) for _ in range(3)]
    lens = [
        rng.uniform(400, 600),
        rng.uniform(-5, 5),
        rng.uniform(-5, 5),
        rng.uniform(-0.1, 0.1),
        rng.uniform(-0.01, 0.01),
    ]
    point = [rng.uniform(-3, 3), rng.uniform(-3, 3), rng.uniform(8, 12)]
    return [
        *rotation,
        *centre,
        *lens,
        *point,
        rng.uniform(0.5, 1.5),
        rng.uniform(-200, 200),
        rng.uniform(-200, 200),
    ]


rng = random.Random(0)
ROWS = [row(rng) for _ in range(COUNT)]


def residual(
    inputs: Any,
    measured: Any,
    sqrt: Callable[[Any], Any],
    sin: Callable[[Any], Any],
    cos: Callable[[Any], Any],
) -> list[Any]:
    """The two numbers, with + * and **, of a row or, in a library of arrays, of columns."""
    r1, r2, r3, c1, c2, c3, f, u0, v0, k1, k2, x, y, z, w = inputs
    u, v = measured
    x, y, z = x - c1, y - c2, z - c3
    squared = r1 * r1 + r2 * r2 + r3 * r3
    angle = sqrt(squared)
    a1, a2, a3 = r1 * angle**-1, r2 * angle**-1, r3 * angle**-1
    c, s = cos(angle), sin(angle)
    along = (a1 * x + a2 * y + a3 * z) * (1.0 + c * -1.0)
    X = x * c + (a2 * z - a3 * y) * s + a1 * along
    Y = y * c + (a3 * x - a1 * z) * s + a2 * along
    Z = z * c + (a1 * y - a2 * x) * s + a3 * along
    p, q = X * Z**-1, Y * Z**-1
    t = p * p + q * q
    scale = f * (1.0 + k1 * t + k2 * (t * t))
    return [w * (scale * p + u0 - u), w * (scale * q + v0 - v)]


def c(rows: Rows) -> Run:
    import ctypes

    import numpy as np

    f, data, count = library("bundle.c").residuals, np.array(rows), len(rows)

    def run(n: int) -> Any:
        for _ in range(n):
            out, J = np.empty((count, 2)), np.empty((count, 2, 15))
            f(pointer(data), ctypes.c_long(count), pointer(out), pointer(J))
        return out.T, J.swapaxes(0, 1)

    return run


def eager(rows: Rows) -> Run:
    """The graph of a row, walked back from each of its two numbers."""

    def run(n: int) -> Any:
        for _ in range(n):
            out: list[list[Any]] = [[], []]
            J: list[list[Any]] = [[], []]
            for numbers in rows:
                inputs = [Value(number) for number in numbers[:15]]
                for one, values, slopes in zip(
                    residual(inputs, numbers[15:], sqrt, sin, cos), out, J
                ):
                    for x in inputs:
                        x.grad = 0.0
                    one.backward()
                    values.append(one.data)
                    slopes.append([x.grad for x in inputs])
        return out, J

    return run


def slots(rows: Rows) -> Run:
    """A graph for each of the two numbers: a second walk over one graph would add up slopes."""

    def run(n: int) -> Any:
        for _ in range(n):
            out: list[list[Any]] = [[], []]
            J: list[list[Any]] = [[], []]
            for numbers in rows:
                for i, (values, slopes) in enumerate(zip(out, J)):
                    inputs = [SlotsValue(number) for number in numbers[:15]]
                    one = residual(
                        inputs, numbers[15:], lambda q: q**0.5, SlotsValue.sin, SlotsValue.cos
                    )[i]
                    one.backward()
                    values.append(one.data)
                    slopes.append([x.grad for x in inputs])
        return out, J

    return run


def compiled(rows: Rows, backend: str) -> Run:
    """The Jacobian by `compile` with a backend."""

    def two(inputs: Any, measured: Any) -> list[Any]:
        return residual(inputs, measured, sqrt, sin, cos)

    f = scalargrad_compile()(two, rows=("inputs", "measured"), reduce=None, backend=backend)
    inputs: Any = [numbers[:15] for numbers in rows]
    measured: Any = [numbers[15:] for numbers in rows]
    if backend != "python":
        import numpy as np

        inputs, measured = np.array(inputs), np.array(measured)
    f.jacobian(inputs, measured)
    return again(lambda: f.jacobian(inputs, measured))


PEERS: dict[str, Callable[[Rows], Run]] = {
    "C -O3 by hand": c,
    EAGER: eager,
    **{name: partial(compiled, backend=backend) for backend, name in BACKENDS.items()},
    "slots Value": slots,
    "NumPy by hand, columns": numpy_by_columns,
    "NumPy by hand, small matrices": numpy_by_matrices,
    CASADI: partial(casadi_c, residual=residual),
    JAX: partial(jax, residual=residual),
    "PyTorch eager": partial(pytorch, residual=residual),
    "HIPS autograd": partial(hips, residual=residual),
}
for name, build in PEERS.items():
    CONTEST.peer(name)(partial(build, ROWS))


def main(pace: Pace = UNHURRIED) -> None:
    CONTEST.hold(pace)
