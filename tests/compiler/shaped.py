"""Random functions of matrices as object arrays, layer after layer: products, attention, recurrences, convolutions.

Each layer makes a matrix of a matrix. It takes weights from `p` (a matrix), `q` (a list) and `s` (lists of unequal
lengths), and data from `x`, which may carry rows.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import scalargrad as sg

from .structured import Case, filled

MOST = 6  # rows and columns of a matrix


class Weights:
    """Weights of any shape that layers ask for, cut out of the arguments."""

    def __init__(self, rng: random.Random, p: Any, q: Any, s: Any) -> None:
        self.rng, self.p, self.q, self.s = rng, p, q, s

    def matrix(self, rows: int, columns: int) -> Any:
        i, j = (self.rng.randrange(MOST - n + 1) for n in (rows, columns))
        found = self.p[i : i + rows, j : j + columns]
        return found if self.rng.random() < 0.7 else self.p.T[i : i + rows, j : j + columns]

    def vector(self, count: int) -> Any:
        return np.array([self.q[(i * 2 + 1) % len(self.q)] for i in range(count)])


def products(H: Any, w: Weights) -> Any:
    made = H @ w.matrix(H.shape[1], w.rng.randint(1, MOST))
    return made + w.vector(made.shape[1]) if w.rng.random() < 0.5 else made * 0.5


def from_the_left(H: Any, w: Weights) -> Any:
    return w.matrix(w.rng.randint(1, MOST), H.shape[0]) @ H


def with_itself(H: Any, w: Weights) -> Any:
    return w.rng.choice([lambda: H @ H.T, lambda: H.T @ H])() / H.shape[0]


def activation(H: Any, w: Weights) -> Any:
    names = (
        "tanh",
        "sigmoid",
        "relu",
        "gelu",
        "softplus",
        "sin",
        "silu",
        "erf",
        "square",
        "leaky_relu",
    )
    return getattr(sg, w.rng.choice(names))(H)  # fmt: skip


def attention(H: Any, w: Weights) -> Any:
    """Each row of the matrix reads all rows, or those up to itself."""
    d = H.shape[1]
    Q, K, V = (H @ w.matrix(d, d) for _ in range(3))
    is_causal, found = w.rng.random() < 0.6, []
    for t, q in enumerate(Q):
        n = t + 1 if is_causal else len(K)
        shares = sg.softmax([sg.dot(q, k) * d**-0.5 for k in K[:n]])
        found.append([sg.dot(shares, V[:n, j]) for j in range(d)])
    return np.array(found) + H


def recurrence(H: Any, w: Weights) -> Any:
    """The rows one after the other, each with what was kept of those before."""
    d, k = H.shape[1], w.rng.randint(1, 3)
    W, U, b = w.matrix(k, k), w.matrix(k, d), w.vector(k)
    has_gate, state, found = w.rng.random() < 0.5, np.zeros(k), []
    for x in H:
        new = sg.tanh(W @ state + U @ x + b)
        if has_gate:
            gate = sg.sigmoid(U @ x)
            new = gate * new + (1.0 - gate) * state
        state = new
        found.append(state)
    return np.array(found) if w.rng.random() < 0.7 else np.array([state])


def convolution(H: Any, w: Weights) -> Any:
    rows, columns = H.shape
    k, m = w.rng.randint(1, min(3, rows)), w.rng.randint(1, min(2, columns))
    kernel = w.matrix(k, m)
    return np.array(
        [
            [
                sg.sum([kernel[a, b] * H[i + a, j + b] for a in range(k) for b in range(m)])
                for j in range(columns - m + 1)
            ]
            for i in range(rows - k + 1)
        ]
    )


def ragged(H: Any, w: Weights) -> Any:
    """Lists of unequal lengths, and reductions of what stands before each place."""
    reduce = w.rng.choice([sg.logsumexp, sg.norm, sg.mean, sg.max, sg.min, sg.prod, sg.var, sg.sum])
    flat = [*H.ravel()][:8]
    if w.rng.random() < 0.5:
        return np.array([[reduce(flat[: i + 1]) for i in range(len(flat))]])
    shares = [sg.softmax(part) for part in w.s]
    return np.array([[sg.dot(part, (flat * 5)[: len(part)]) for part in shares]])


def gathers(H: Any, w: Weights) -> Any:
    rows, columns = H.shape
    at = [w.rng.randrange(rows) for _ in range(w.rng.randint(1, MOST))]
    if w.rng.random() < 0.5:
        return H[at] if w.rng.random() < 0.5 else H[:, [i % columns for i in at]]
    return np.array([[H[i, (i + k) % columns] for k, i in enumerate(at)]])


def views(H: Any, w: Weights) -> Any:
    return w.rng.choice(
        [
            lambda: H.T,
            lambda: H[::-1],
            lambda: H[:, ::2],
            lambda: H[1:] if len(H) > 1 else H,
            lambda: H.reshape(1, -1)[:, :MOST],
            lambda: H.reshape(H.shape[::-1]),
            lambda: np.concatenate([H, H[:1]])[-MOST:],
            lambda: np.concatenate([H, H.T.reshape(H.shape)], axis=1)[:, -MOST:],
        ]
    )()


def choices(H: Any, w: Weights) -> Any:
    limit = w.rng.choice([0.1, w.q[0], w.p[0, 0]])
    if w.rng.random() < 0.4:
        return w.rng.choice([lambda: sg.maximum(H, limit), lambda: sg.clip(H, -0.7, 0.9),
                             lambda: sg.where(w.q[0] > 0.1, H, H * limit)])()  # fmt: skip
    choose = w.rng.choice(
        [
            lambda h: sg.where(h > limit, sg.sqrt(abs(h) + 0.1), h * 0.3),
            lambda h: sg.where((h < limit) & (h > -1.0), sg.sin(h), 0.25),
            lambda h: sg.where(h > 0.0, sg.log(h), 0.5),  # the branch left out is nan
        ]
    )
    return np.array([[choose(h) for h in row] for row in H])


def reductions(H: Any, w: Weights) -> Any:
    return w.rng.choice(
        [
            lambda: H - H.mean(axis=0),
            lambda: H / (1.0 + (H * H).sum(axis=1, keepdims=True)),
            lambda: H.sum(axis=w.rng.choice([0, 1]))[None, :],
            lambda: np.array([sg.softmax(row) for row in H]),
            lambda: np.array([[sg.max(row), sg.min(row), sg.norm(row)] for row in H]),
            lambda: np.outer(H[0], H[-1]),
            lambda: np.cumsum(H, axis=0),
        ]
    )()


LAYERS = (products, from_the_left, with_itself, activation, activation, attention, recurrence, convolution, ragged,
          gathers, views, choices, reductions)  # fmt: skip


def case(seed: int) -> Case:
    rng = random.Random(seed)

    def draw() -> float:
        return round(rng.gauss(0.0, 0.7), 3)

    rows = rng.choice([0, 1, 2, 5])
    shape = rng.randint(1, MOST), rng.randint(1, MOST)
    x = np.array(filled((rows, *shape) if rows else shape, draw))
    s = [filled((n,), draw) for n in (rng.randint(1, 4), 1, rng.randint(2, 5))]
    p, q = np.array(filled((MOST, MOST), draw)), filled((rng.randint(1, 7),), draw)
    results = rng.choice([1, 1, 1, 2, 3])

    def shaped(p: Any, q: Any, s: Any, x: Any) -> Any:
        rng = random.Random(f"{seed} layers")
        w, H = Weights(rng, p, q, s), np.asarray(x)
        for _ in range(rng.randint(1, 5)):
            H = rng.choice(LAYERS)(H, w)[:MOST, :MOST]
        flat = [*H.ravel()]
        out = rng.choice([sg.sum, sg.mean, sg.norm, sg.logsumexp, lambda xs: sg.dot(xs, xs)])(flat)
        if rng.random() < 0.3:
            out = out + 0.1 * sg.sum([a * a for a in [*p.ravel(), *q]])
        return out if results == 1 else [out, *(rng.choice(flat) for _ in range(results - 1))]

    wrt = rng.choice([0, 3, (0, 1), (0, 1, 2), (0, 1, 2, 3), (2, 0)])
    reduce = rng.choice(["mean", "sum", None]) if rows else "mean"
    options = {"wrt": wrt, "rows": ("x",) if rows else (), "reduce": reduce}
    each = [[p, q, s, part] for part in x] if rows else [[p, q, s, x]]
    return Case(shaped, [p, q, s, x], options, each)
