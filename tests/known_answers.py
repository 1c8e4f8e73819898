"""Functions whose derivatives were worked out with pencil and paper: the test problems of Moré, Garbow and Hillstrom.

Each is a sum of squares, Σ rᵢ². `residuals(m, p)` gives the rᵢ, with `m` the home of the functions: scalargrad or mpmath.
`slopes(p)` is the matrix of ∂rᵢ/∂pⱼ and `curvatures(p)` the stack of the Hessians of the rᵢ, both written out in NumPy;
no derivative here was made by a program. Gradient and Hessian of the sum follow by the product rule:

    ∇f = 2 Jᵀr        ∇²f = 2 (JᵀJ + Σ rᵢ ∇²rᵢ)

Source of functions, starting points and minima: J. J. Moré, B. S. Garbow, K. E. Hillstrom, "Testing Unconstrained
Optimization Software", ACM Transactions on Mathematical Software 7 (1981) 17-41. The number behind a name is theirs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np

Array = np.ndarray


class Problem(NamedTuple):
    """A sum of squares with its derivatives by hand, its standard starting point and what is known of its minimum."""

    name: str
    residuals: Callable[[Any, Any], list[Any]]
    slopes: Callable[[Array], Array]
    curvatures: Callable[[Array], Array]
    start: tuple[float, ...]
    minimum: float  # what a descent from `start` ends at
    where: tuple[float, ...] | None  # the point of it, where the article gives one
    start_value: float | None = (
        None  # f there, where it is a number that can be checked in the head
    )

    def value(self, m: Any, p: Any) -> Any:
        """Σ rᵢ², on whatever numbers `p` holds."""
        total = 0.0
        for r in self.residuals(m, p):
            total = total + r * r
        return total

    def numbers(self, p: Array) -> Array:
        """The residuals as floats, computed with 30 digits and rounded once."""
        with mpmath.workdps(30):
            return np.array(
                [float(r) for r in self.residuals(mpmath, [mpmath.mpf(float(x)) for x in p])]
            )

    def gradient(self, p: Array) -> Array:
        return 2 * self.slopes(p).T @ self.numbers(p)

    def hessian(self, p: Array) -> Array:
        J = self.slopes(p)
        return 2 * (J.T @ J + np.tensordot(self.numbers(p), self.curvatures(p), axes=1))

    def points(self) -> list[Array]:
        """The start, and four more: between it and the minimum, and off the way."""
        start = np.array(self.start)
        end = np.array(self.where if self.where else np.zeros(len(start)))
        rng = np.random.default_rng(len(start))
        off = [start + rng.uniform(-0.4, 0.4, len(start)) for _ in range(2)]
        return [start, 0.7 * start + 0.3 * end, 0.2 * start + 0.8 * end, *off]


def stack(count: int, n: int, entries: dict[tuple[int, int, int], Any]) -> Array:
    """Symmetric n × n matrices, one for each residual, from the entries (residual, row, column) on and above the diagonal."""
    H = np.zeros((count, n, n))
    for (i, j, k), entry in entries.items():
        H[i, j, k] = H[i, k, j] = entry
    return H


# ------------------------------------------------------------------ 1: Rosenbrock


def rosenbrock(m: Any, p: Any) -> list[Any]:
    x, y = p
    return [10 * (y - x * x), 1 - x]


def rosenbrock_slopes(p: Array) -> Array:
    return np.array([[-20 * p[0], 10], [-1, 0]])


def rosenbrock_curvatures(p: Array) -> Array:
    return stack(2, 2, {(0, 0, 0): -20})


# ------------------------------------------------------------------ 2: Freudenstein and Roth


def freudenstein_roth(m: Any, p: Any) -> list[Any]:
    x, y = p
    return [-13 + x + ((5 - y) * y - 2) * y, -29 + x + ((y + 1) * y - 14) * y]


def freudenstein_roth_slopes(p: Array) -> Array:
    y = p[1]
    return np.array([[1, 10 * y - 3 * y**2 - 2], [1, 3 * y**2 + 2 * y - 14]])


def freudenstein_roth_curvatures(p: Array) -> Array:
    return stack(2, 2, {(0, 1, 1): 10 - 6 * p[1], (1, 1, 1): 6 * p[1] + 2})


# ------------------------------------------------------------------ 4: Brown, badly scaled


def brown(m: Any, p: Any) -> list[Any]:
    x, y = p
    return [x - 1e6, y - 2e-6, x * y - 2]


def brown_slopes(p: Array) -> Array:
    return np.array([[1, 0], [0, 1], [p[1], p[0]]])


def brown_curvatures(p: Array) -> Array:
    return stack(3, 2, {(2, 0, 1): 1})


# ------------------------------------------------------------------ 5: Beale


def beale(m: Any, p: Any) -> list[Any]:
    x, y = p
    return [c - x * (1 - y**k) for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))]


def beale_slopes(p: Array) -> Array:
    x, y = p
    return np.array([[y - 1, x], [y**2 - 1, 2 * x * y], [y**3 - 1, 3 * x * y**2]])


def beale_curvatures(p: Array) -> Array:
    x, y = p
    return stack(
        3,
        2,
        {
            (0, 0, 1): 1,
            (1, 0, 1): 2 * y,
            (1, 1, 1): 2 * x,
            (2, 0, 1): 3 * y**2,
            (2, 1, 1): 6 * x * y,
        },
    )


# ------------------------------------------------------------------ 6: Jennrich and Sampson


def jennrich_sampson(m: Any, p: Any) -> list[Any]:
    x, y = p
    return [2 + 2 * i - (m.exp(i * x) + m.exp(i * y)) for i in range(1, 11)]


def jennrich_sampson_slopes(p: Array) -> Array:
    i = np.arange(1, 11)[:, None]
    return -i * np.exp(i * p)


def jennrich_sampson_curvatures(p: Array) -> Array:
    i = np.arange(1, 11)[:, None, None]
    return -(i**2) * np.exp(i * p[:, None]) * np.eye(2)


# ------------------------------------------------------------------ 7: the helical valley


def helical_valley(m: Any, p: Any) -> list[Any]:
    x, y, z = p
    turns = m.atan(y / x) * (0.5 / math.pi) + (0.5 if x < 0 else 0.0)
    return [10 * (z - 10 * turns), 10 * (m.hypot(x, y) - 1), z]


def helical_valley_slopes(p: Array) -> Array:
    x, y, _ = p
    q, c = x * x + y * y, 50 / np.pi
    r = np.sqrt(q)
    return np.array([[c * y / q, -c * x / q, 10], [10 * x / r, 10 * y / r, 0], [0, 0, 1]])


def helical_valley_curvatures(p: Array) -> Array:
    x, y, _ = p
    q, c = x * x + y * y, 50 / np.pi
    r3 = np.sqrt(q) ** 3
    return stack(3, 3, {
        (0, 0, 0): -2 * c * x * y / q**2, (0, 0, 1): c * (x * x - y * y) / q**2, (0, 1, 1): 2 * c * x * y / q**2,
        (1, 0, 0): 10 * y * y / r3, (1, 0, 1): -10 * x * y / r3, (1, 1, 1): 10 * x * x / r3,
    })  # fmt: skip


# ------------------------------------------------------------------ 8: Bard

BARD = np.array(
    [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]
)
BARD_U = np.arange(1.0, 16.0)
BARD_V = 16 - BARD_U
BARD_W = np.minimum(BARD_U, BARD_V)


def bard(m: Any, p: Any) -> list[Any]:
    a, b, c = p
    table = zip(BARD.tolist(), BARD_U.tolist(), BARD_V.tolist(), BARD_W.tolist(), strict=True)
    return [y - (a + u / (v * b + w * c)) for y, u, v, w in table]


def bard_slopes(p: Array) -> Array:
    d = BARD_V * p[1] + BARD_W * p[2]
    return np.stack([-np.ones(15), BARD_U * BARD_V / d**2, BARD_U * BARD_W / d**2], axis=1)


def bard_curvatures(p: Array) -> Array:
    u, v, w = BARD_U, BARD_V, BARD_W
    H = np.zeros((15, 3, 3))
    k = -2 * u / (v * p[1] + w * p[2]) ** 3
    H[:, 1, 1], H[:, 2, 2] = k * v * v, k * w * w
    H[:, 1, 2] = H[:, 2, 1] = k * v * w
    return H


# ------------------------------------------------------------------ 13: Powell, singular


def powell_singular(m: Any, p: Any) -> list[Any]:
    a, b, c, d = p
    return [a + 10 * b, m.sqrt(5) * (c - d), (b - 2 * c) ** 2, m.sqrt(10) * (a - d) ** 2]


def powell_singular_slopes(p: Array) -> Array:
    a, b, c, d = p
    s, e, f = np.sqrt(5), 2 * (b - 2 * c), 2 * np.sqrt(10) * (a - d)
    return np.array([[1, 10, 0, 0], [0, 0, s, -s], [0, e, -2 * e, 0], [f, 0, 0, -f]])


def powell_singular_curvatures(p: Array) -> Array:
    t = 2 * np.sqrt(10)
    return stack(
        4, 4, {(2, 1, 1): 2, (2, 1, 2): -4, (2, 2, 2): 8, (3, 0, 0): t, (3, 0, 3): -t, (3, 3, 3): t}
    )


# ------------------------------------------------------------------ 14: Wood


def wood(m: Any, p: Any) -> list[Any]:
    a, b, c, d = p
    return [
        10 * (b - a**2),
        1 - a,
        m.sqrt(90) * (d - c**2),
        1 - c,
        m.sqrt(10) * (b + d - 2),
        (b - d) / m.sqrt(10),
    ]


def wood_slopes(p: Array) -> Array:
    s, t = np.sqrt(90), np.sqrt(10)
    return np.array([
        [-20 * p[0], 10, 0, 0], [-1, 0, 0, 0], [0, 0, -2 * s * p[2], s], [0, 0, -1, 0], [0, t, 0, t], [0, 1 / t, 0, -1 / t],
    ])  # fmt: skip


def wood_curvatures(p: Array) -> Array:
    return stack(6, 4, {(0, 0, 0): -20, (2, 2, 2): -2 * np.sqrt(90)})


# ------------------------------------------------------------------ 26: the trigonometric function, of five


def trigonometric(m: Any, p: Any) -> list[Any]:
    cosines = [m.cos(x) for x in p]
    total = 0.0
    for c in cosines:
        total = total + c
    return [
        len(cosines) - total + i * (1 - c) - m.sin(x)
        for i, (x, c) in enumerate(zip(p, cosines, strict=True), 1)
    ]


def trigonometric_slopes(p: Array) -> Array:
    i = np.arange(1, len(p) + 1)
    return np.sin(p)[None, :] + np.diag(i * np.sin(p) - np.cos(p))


def trigonometric_curvatures(p: Array) -> Array:
    n = len(p)
    H = np.zeros((n, n, n))
    for i in range(n):
        H[i] = np.diag(np.cos(p))
        H[i, i, i] += (i + 1) * np.cos(p[i]) + np.sin(p[i])
    return H


# ------------------------------------------------------------------ 30: Broyden, tridiagonal, of six


def broyden(m: Any, p: Any) -> list[Any]:
    before, after = [0.0, *p[:-1]], [*p[1:], 0.0]
    return [(3 - 2 * x) * x - b - 2 * a + 1 for b, x, a in zip(before, p, after, strict=True)]


def broyden_slopes(p: Array) -> Array:
    n = len(p)
    return np.diag(3 - 4 * p) - np.diag(np.ones(n - 1), -1) - 2 * np.diag(np.ones(n - 1), 1)


def broyden_curvatures(p: Array) -> Array:
    return stack(len(p), len(p), {(i, i, i): -4 for i in range(len(p))})


# fmt: off
PROBLEMS = (
    #       name                  residuals          slopes                    curvatures
    Problem("Rosenbrock",         rosenbrock,        rosenbrock_slopes,        rosenbrock_curvatures,
            (-1.2, 1.0), 0.0, (1.0, 1.0), 24.2),
    Problem("Freudenstein-Roth",  freudenstein_roth, freudenstein_roth_slopes, freudenstein_roth_curvatures,
            (0.5, -2.0), 48.98425367924, (11.41277900, -0.89680525), 400.5),
    Problem("Brown",              brown,             brown_slopes,             brown_curvatures,
            (1.0, 1.0), 0.0, (1e6, 2e-6)),
    Problem("Beale",              beale,             beale_slopes,             beale_curvatures,
            (1.0, 1.0), 0.0, (3.0, 0.5), 14.203125),
    Problem("Jennrich-Sampson",   jennrich_sampson,  jennrich_sampson_slopes,  jennrich_sampson_curvatures,
            (0.3, 0.4), 124.36218235562, (0.25782521, 0.25782521)),
    Problem("helical valley",     helical_valley,    helical_valley_slopes,    helical_valley_curvatures,
            (-1.0, 0.0, 0.0), 0.0, (1.0, 0.0, 0.0), 2500.0),
    Problem("Bard",               bard,              bard_slopes,              bard_curvatures,
            (1.0, 1.0, 1.0), 0.00821487730658, (0.08241056, 1.13303609, 2.34369518)),
    Problem("Powell singular",    powell_singular,   powell_singular_slopes,   powell_singular_curvatures,
            (3.0, -1.0, 0.0, 1.0), 0.0, (0.0, 0.0, 0.0, 0.0), 215.0),
    Problem("Wood",               wood,              wood_slopes,              wood_curvatures,
            (-3.0, -1.0, -3.0, -1.0), 0.0, (1.0, 1.0, 1.0, 1.0), 19192.0),
    Problem("trigonometric",      trigonometric,     trigonometric_slopes,     trigonometric_curvatures,
            (0.2,) * 5, 0.0, None),
    Problem("Broyden",            broyden,           broyden_slopes,           broyden_curvatures,
            (-1.0,) * 6, 0.0, None, 17.0),
)
