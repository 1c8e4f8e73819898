"""The gradient doctor's proof: `python -m tests.diagnosis` breaks gradients, and counts what is named.

Eight networks stand here with gradients in NumPy, derived by hand: those of the five tutorials, as in
`formulas`, and three more. `at(place, right, wrong…)` marks a place where a person may go wrong, and
how. The proof breaks each network at each place in each way, then every finished gradient in each way,
then in two ways at once, and asks `check_gradient` what is wrong.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from scalargrad import GradientError, check_gradient

from . import formulas
from .formulas import sigmoid

Array = Any


class Mistake(NamedTuple):
    """A place where a gradient is broken, and what the doctor should call it."""

    place: str
    kind: str
    operation: str | None = None
    layer: int | None = None


@dataclass
class At:
    """Marks places: returns the right number, or the wrong one that is asked for."""

    chosen: frozenset[Mistake] = frozenset()
    met: dict[Mistake, None] = field(default_factory=dict)

    def __call__(self, place: str, right: Any, operation: str | None = None, layer: int | None = None,
                 **wrong: Any) -> Any:  # fmt: skip
        for kind, value in wrong.items():
            mistake = Mistake(place, kind.replace("_", " "), operation, layer)
            self.met[mistake] = None
            if mistake in self.chosen:
                return value
        return right


class Network(NamedTuple):
    name: str
    loss: Callable[..., Any]
    arguments: list[Any]  # arrays, or lists or dicts of them
    gradient: Callable[..., list[Any]]  # (at, *arguments)
    rows: int


# ------------------------------------------------------------------ slopes and their mistakes


def slope(at: At, name: str, z: Array, layer: int, all_layers: bool = False) -> Array:
    """The slope of an activation at z, and the ways to write it wrongly."""
    f = {"sigmoid": sigmoid, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[name]
    slopes = {
        "sigmoid": lambda z: sigmoid(z) * (1 - sigmoid(z)),
        "tanh": lambda z: 1 - np.tanh(z) ** 2,
        "relu": lambda z: (z > 0) * 1.0,
    }
    df, a = slopes[name], f(z)
    wrong = {"left_out": 1.0 + 0 * z}
    if name != "relu":
        by_result = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a**2}
        wrong |= {
            "twice": df(z) ** 2,
            "at_result": df(a),
            "at_operand": by_result[name](z),
            "other_function": by_result["tanh" if name == "sigmoid" else "sigmoid"](a),
        }
    return at(f"slope of {name} {layer}", df(z), name, layer, **wrong)


def finish(at: At, name: str, gradient: Array, rows: int, alike: Array | None = None) -> Array:
    """A finished gradient, and what may still happen to it."""
    wrong = {"sign": -gradient, "factor": rows * gradient, "zero": 0 * gradient}
    at_all = {"half": gradient / 2, "double": gradient + gradient, "nth": gradient / rows}
    if np.ndim(gradient) == 2 and min(gradient.shape) > 1:
        wrong |= {"transposed": gradient.T, "permuted": gradient[::-1]}
    elif np.ndim(gradient) == 1 and len(gradient) > 1:
        wrong["permuted"] = np.roll(gradient, 1)
    if alike is not None:
        wrong["other_argument"] = alike
    gradient = at(name, gradient, **wrong)
    for way, value in at_all.items():
        gradient = at(f"{name} {way}", gradient, factor=value)
    return gradient


def shares(at: At, name: str, parts: list[Array]) -> Array:
    """The sum over the rows, and the ways to miss a row."""
    total = sum(parts)
    return at(f"rows of {name}", total, share=total - parts[1], last_share=parts[-1],
              first_share=parts[0])  # fmt: skip


def outer(at: At, name: str, inputs: Array, slopes: Array, rows: int, scale: float = 1.0,
          extra: Array = 0.0) -> Array:  # fmt: skip
    """inputsᵀ·slopes, row by row, and a penalty's gradient; W is nin × nout."""
    parts = [scale * np.outer(x, d) for x, d in zip(inputs, slopes)]
    return finish(at, name, shares(at, name, parts) + extra, rows)


def column_sums(at: At, name: str, slopes: Array, rows: int, scale: float = 1.0) -> Array:
    parts = [scale * d for d in slopes]
    total = shares(at, name, parts)
    total = at(f"axis of {name}", total, not_summed=np.array(parts))
    return finish(at, name, total, rows)


# ------------------------------------------------------------------ the five tutorials


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def two_layers() -> Network:
    X, y = rng(1).standard_normal((5, 3)), rng(2).uniform(size=(5, 2))
    arguments = [rng(3).standard_normal(shape) for shape in ((3, 4), (4,), (4, 2), (2,))]

    def loss(W1, b1, W2, b2):
        o = sigmoid(sigmoid(X @ W1 + b1) @ W2 + b2)
        return 0.5 * np.sum((y - o) ** 2)

    def gradient(at, W1, b1, W2, b2):
        z1 = X @ W1 + b1
        h = sigmoid(z1)
        z2 = h @ W2 + b2
        o = sigmoid(z2)
        d2 = at("y − o", o - y, sign=y - o, factor=2 * (o - y)) * slope(at, "sigmoid", z2, 2)
        d1 = d2 @ W2.T * slope(at, "sigmoid", z1, 1)
        return [outer(at, "W1", X, d1, 5), column_sums(at, "b1", d1, 5),
                outer(at, "W2", h, d2, 5), column_sums(at, "b2", d2, 5)]  # fmt: skip

    net = formulas.TwoLayers(*arguments)
    net.forward(X)
    return proved("two layers", loss, arguments, gradient, 5, [-g for g in net.gradients(X, y)])


def cross_entropy() -> Network:
    X = rng(4).standard_normal((2, 6))
    y = (X[:1] > 0.2).astype(float)
    arguments = [rng(5).standard_normal((4, 2)), rng(6).standard_normal((1, 4))]

    def loss(W1, W2):
        y_hat = sigmoid(W2 @ sigmoid(W1 @ X))
        return -np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))

    def gradient(at, W1, W2):
        m = X.shape[1]
        z1 = W1 @ X
        a1 = sigmoid(z1)
        z2 = W2 @ a1
        y_hat = sigmoid(z2)
        dz2 = y_hat - y
        dz2 = at("ŷ − y", dz2, sign=-dz2)
        dz2 = at("slope of sigmoid 2", dz2, "sigmoid", 2, twice=dz2 * y_hat * (1 - y_hat))
        dz1 = (W2.T @ dz2) * slope(at, "sigmoid", z1, 1)
        return [outer(at, "W1", X.T, dz1.T, m, 1 / m).T, outer(at, "W2", a1.T, dz2.T, m, 1 / m).T]

    net = formulas.CrossEntropy(*arguments)
    net.forward(X)
    return proved("cross-entropy", loss, arguments, gradient, 6, net.gradients(X, y))


def xor() -> Network:
    X, y = formulas.Xor.X, formulas.Xor.y
    net = formulas.Xor(rng(7))
    arguments = [net.weights_input_hidden, rng(8).standard_normal((1, 3)),
                 net.weights_hidden_output, rng(9).standard_normal((1, 1))]  # fmt: skip

    def loss(W1, b1, W2, b2):
        o = sigmoid(np.dot(sigmoid(np.dot(X, W1) + b1), W2) + b2)
        return 0.5 * ((y - o) ** 2).sum()

    def gradient(at, W1, b1, W2, b2):
        z1 = X @ W1 + b1
        h = sigmoid(z1)
        z2 = h @ W2 + b2
        d2 = (sigmoid(z2) - y) * slope(at, "sigmoid", z2, 2)
        d1 = d2.dot(W2.T) * slope(at, "sigmoid", z1, 1)
        return [outer(at, "W1", X, d1, 4), column_sums(at, "b1", d1, 4)[None],
                outer(at, "W2", h, d2, 4), column_sums(at, "b2", d2, 4)[None]]  # fmt: skip

    before = [x.copy() for x in arguments]
    net.bias_hidden, net.bias_output, net.learning_rate = before[1].copy(), before[3].copy(), 1.0
    net.backward(X, y, net.forward(X))
    after = [net.weights_input_hidden, net.bias_hidden, net.weights_hidden_output, net.bias_output]
    right = [b - a for b, a in zip(before, after)]
    return proved("xor", loss, before, gradient, 4, right)


def digits() -> Network:
    sizes, n = [5, 4, 4, 3], 6
    weights = [
        rng(10 + i).standard_normal((b, a)) for i, (a, b) in enumerate(itertools.pairwise(sizes))
    ]
    biases = [rng(20 + i).standard_normal(b) for i, b in enumerate(sizes[1:])]
    X, Y = rng(30).uniform(size=(n, 5)), np.eye(3)[rng(31).integers(3, size=n)]

    def loss(weights, biases):
        total = 0.0
        for x, y in zip(X, Y):
            a = x
            for W, b in zip(weights, biases):
                a = sigmoid(W @ a + b)
            total = total + np.sum((a - y) ** 2)
        return total / len(X)

    def gradient(at, weights, biases):
        a, zs, activations = X, [], [X]
        for W, b in zip(weights, biases):
            zs.append(a @ W.T + b)
            a = sigmoid(zs[-1])
            activations.append(a)
        over_a = at("2(a − y)", 2 * (a - Y), factor=a - Y, sign=-2 * (a - Y))
        over_W, over_b = [], []
        everywhere = at(
            "all slopes", "", "sigmoid", None, left_out="left_out", at_result="at_result"
        )
        for layer in (2, 1, 0):
            s = slope(at, "sigmoid", zs[layer], layer + 1)
            if everywhere:
                s = (
                    1.0
                    if everywhere == "left_out"
                    else (lambda b: b * (1 - b))(sigmoid(sigmoid(zs[layer])))
                )
            if layer == 1:
                one_down = activations[1] * (1 - activations[1])
                s = at("layer of the slope", s, "sigmoid", 2, other_layer=one_down)
            over_z = over_a * s
            inputs = activations[layer]
            if layer == 1:
                inputs = at("layer of the inputs", inputs, layer_beside=activations[2])
            W_name, b_name = f"weights[{layer}]", f"biases[{layer}]"
            over_W.insert(0, outer(at, W_name, inputs, over_z, n, 1 / n).T)
            over_b.insert(0, column_sums(at, b_name, over_z, n, 1 / n))
            W = weights[layer]
            if layer == 1:
                W = at("Wᵀ", W, weights_transposed=W.T)
            over_a = over_z @ W
        return [over_W, over_b]

    net = formulas.Digits(weights, biases)
    return proved("digits", loss, [weights, biases], gradient, n, net.gradients(X, Y))


def gender() -> Network:
    numbers = [0.3, -1.1, 0.2, 0.7, 0.4, -0.5, 1.3, -0.8, 0.1]
    x1, x2, y = -0.2, -0.6, 1.0

    def loss(w1, w2, b1, w3, w4, b2, w5, w6, b3):
        h1, h2 = sigmoid(w1 * x1 + w2 * x2 + b1), sigmoid(w3 * x1 + w4 * x2 + b2)
        return (y - sigmoid(w5 * h1 + w6 * h2 + b3)) ** 2

    def gradient(at, w1, w2, b1, w3, w4, b2, w5, w6, b3):
        s1, s2 = w1 * x1 + w2 * x2 + b1, w3 * x1 + w4 * x2 + b2
        h1, h2 = sigmoid(s1), sigmoid(s2)
        s3 = w5 * h1 + w6 * h2 + b3
        L_o = at(
            "L over o", -2 * (y - sigmoid(s3)), sign=2 * (y - sigmoid(s3)), factor=sigmoid(s3) - y
        )
        o_sum = slope(at, "sigmoid", s3, 2)
        o_h1 = at("w5", w5, "sigmoid", 2, left_out=1.0) * o_sum
        o_h2 = w6 * o_sum
        h1_sum, h2_sum = slope(at, "sigmoid", s1, 1), sigmoid(s2) * (1 - sigmoid(s2))
        over_s1, over_s2, over_s3 = L_o * o_h1 * h1_sum, L_o * o_h2 * h2_sum, L_o * o_sum
        found = [over_s1 * x1, over_s1 * x2, over_s1, over_s2 * x1, over_s2 * x2, over_s2,
                 over_s3 * h1, over_s3 * h2, over_s3]  # fmt: skip
        turned = [*found[3:6], *found[:3], found[7], found[6]]
        return [at(name, g, sign=-g, other_argument=o, zero=0.0) if o is not None else g
                for name, g, o in zip(formulas.Gender.names, found, [*turned, None])]  # fmt: skip

    right = formulas.Gender(numbers).gradients(x1, x2, y)
    return proved(
        "gender", loss, numbers, gradient, 1, [right[name] for name in formulas.Gender.names]
    )


# ------------------------------------------------------------------ three more


def softmax() -> Network:
    X, n = rng(40).standard_normal((6, 3)), 6
    Y = np.eye(4)[rng(41).integers(4, size=n)]
    arguments = [rng(42 + i).standard_normal(s) for i, s in enumerate(((3, 5), (5,), (5, 4), (4,)))]

    def loss(W1, b1, W2, b2):
        z = np.tanh(X @ W1 + b1) @ W2 + b2
        return np.mean(np.log(np.exp(z).sum(axis=1)) - (z * Y).sum(axis=1))

    def gradient(at, W1, b1, W2, b2):
        z1 = X @ W1 + b1
        h = np.tanh(z1)
        e = np.exp(h @ W2 + b2)
        p = e / e.sum(axis=1, keepdims=True)
        d2 = at("p − y", p - Y, sign=Y - p)
        d2 = at("the y of p − y", d2, term=p, negated=p + Y)
        d1 = d2 @ W2.T * slope(at, "tanh", z1, 1)
        return [outer(at, "W1", X, d1, n, 1 / n), column_sums(at, "b1", d1, n, 1 / n),
                outer(at, "W2", h, d2, n, 1 / n), column_sums(at, "b2", d2, n, 1 / n)]  # fmt: skip

    return Network("softmax", loss, arguments, gradient, n)


def penalty(at: At, W: Array, rate: float, name: str) -> Array:
    term = 2 * rate * W
    return at(f"penalty on {name}", term, penalty=0 * W) + at(
        f"half the penalty on {name}", 0 * W, penalty=-term / 2
    )


def tanh_with_l2() -> Network:
    X, Y, n, rate = rng(50).standard_normal((7, 3)), rng(51).standard_normal((7, 2)), 7, 0.05
    arguments = [rng(52 + i).standard_normal(s) for i, s in enumerate(((3, 4), (4,), (4, 2), (2,)))]

    def loss(W1, b1, W2, b2):
        o = np.tanh(np.tanh(X @ W1 + b1) @ W2 + b2)
        return np.sum((o - Y) ** 2) / n + rate * (np.sum(W1**2) + np.sum(W2 * W2))

    def gradient(at, W1, b1, W2, b2):
        z1 = X @ W1 + b1
        h = np.tanh(z1)
        z2 = h @ W2 + b2
        d2 = at("2(o − y)", 2 * (np.tanh(z2) - Y), half=np.tanh(z2) - Y) * slope(at, "tanh", z2, 2)
        d1 = d2 @ W2.T * slope(at, "tanh", z1, 1)
        return [outer(at, "W1", X, d1, n, 1 / n, penalty(at, W1, rate, "W1")),
                column_sums(at, "b1", d1, n, 1 / n),
                outer(at, "W2", h, d2, n, 1 / n, penalty(at, W2, rate, "W2")),
                column_sums(at, "b2", d2, n, 1 / n)]  # fmt: skip

    return Network("tanh with L2", loss, arguments, gradient, n)


def relu_with_hinge() -> Network:
    X, n = rng(60).standard_normal((8, 3)), 8
    y = np.sign(rng(61).standard_normal(n))
    arguments = [
        rng(62 + i).standard_normal(s) for i, s in enumerate(((3, 6), (6,), (6, 6), (6,), (6,)))
    ]

    def loss(W1, b1, W2, b2, w3):
        s = np.maximum(np.maximum(X @ W1 + b1, 0) @ W2 + b2, 0) @ w3
        return np.mean(np.maximum(0, 1 - y * s))

    def gradient(at, W1, b1, W2, b2, w3):
        z1 = X @ W1 + b1
        h1 = np.maximum(z1, 0)
        z2 = h1 @ W2 + b2
        h2 = np.maximum(z2, 0)
        s = h2 @ w3
        ds = -y * (y * s < 1)
        ds = at("slope of hinge", ds, "relu", 3, left_out=-y) if (y * s > 1).any() else ds
        ds = at("−y", ds, sign=-ds)
        d2 = np.outer(ds, w3) * slope(at, "relu", z2, 2)
        d1 = d2 @ at("W2ᵀ", W2.T, weights_transposed=W2) * slope(at, "relu", z1, 1)
        return [outer(at, "W1", X, d1, n, 1 / n), column_sums(at, "b1", d1, n, 1 / n),
                outer(at, "W2", h1, d2, n, 1 / n), column_sums(at, "b2", d2, n, 1 / n),
                finish(at, "w3", shares(at, "w3", list(h2 * ds[:, None] / n)), n)]  # fmt: skip

    return Network("relu with hinge", loss, arguments, gradient, n)


def proved(name, loss, arguments, gradient, rows, right) -> Network:
    """The network, whose gradient without a mistake is that of the tutorial."""
    for mine, theirs in zip(flat(gradient(At(), *arguments)), flat(right), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-13)
    return Network(name, loss, arguments, gradient, rows)


NETWORKS = (two_layers, cross_entropy, xor, digits, gender, softmax, tanh_with_l2, relu_with_hinge)

# ------------------------------------------------------------------ breaking and asking


def flat(tree: Any) -> list[Any]:
    if isinstance(tree, list | tuple):
        return [x for item in tree for x in flat(item)]
    return [tree]


def asked(network: Network, given: list[Any]) -> dict[str, Any]:
    """The doctor's diagnosis of each argument."""
    wrt = tuple(range(len(network.arguments)))
    try:
        return check_gradient(network.loss, *network.arguments, wrt=wrt, given=given).diagnosis
    except GradientError as error:
        return error.diagnosis


def in_single_precision(network: Network) -> list[Any]:
    """The gradient as it is computed in float32."""

    def single(tree: Any) -> Any:
        return [*map(single, tree)] if isinstance(tree, list) else np.asarray(tree, np.float32)

    return single(network.gradient(At(), *single(network.arguments)))


def places(network: Network) -> list[Mistake]:
    at = At()
    network.gradient(at, *network.arguments)
    return [*at.met]


def broken(network: Network, *mistakes: Mistake) -> list[Any]:
    return network.gradient(At(frozenset(mistakes)), *network.arguments)


def differs(a: Any, b: Any) -> bool:
    return np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=1e-9, atol=1e-14)


ALSO = {
    "sign": ("sign", "factor"),  # −2, say, of two mistakes at once
    "half": ("factor", "term"),  # of all of a loss, or of its term beside a penalty
}


def is_named(diagnosis: Any, mistakes: tuple[Mistake, ...]) -> bool:
    """Whether one of the mistakes is what the diagnosis, or one of its alternatives, says."""
    for one in (diagnosis, *diagnosis.others):
        for mistake in mistakes:
            if one.kind not in ALSO.get(mistake.kind, (mistake.kind,)):
                continue
            if mistake.operation is None or (one.operation, one.layer) == mistake[2:]:
                return True
            layers = {other.layer for other in mistakes if other[1:3] == mistake[1:3]}
            if one.operation == mistake.operation and (
                None in layers or (one.layer is None and len(layers) > 1)
            ):
                return True  # in every layer, some of which an argument does not feel
    return False


def verdicts(network: Network, *mistakes: Mistake) -> Iterator[tuple[str, str, Any]]:
    """For each argument: right, accused, missed, named, unexplained or misnamed; and the diagnosis."""
    given, right = broken(network, *mistakes), broken(network)
    diagnoses = asked(network, given)
    for (name, diagnosis), mine, exact in zip(
        diagnoses.items(), flat(given), flat(right), strict=True
    ):
        if not differs(mine, exact):
            verdict = "right" if diagnosis.kind == "right" else "accused"
        elif diagnosis.kind == "right":
            verdict = "missed"
        elif is_named(diagnosis, mistakes) or (diagnosis.kind == "zero" and not np.any(mine)):
            verdict = "named"
        else:
            unnamed = ("unexplained", "imprecise", "shape")
            verdict = "unexplained" if diagnosis.kind in unnamed else "misnamed"
        yield verdict, name, diagnosis


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=100, help="pairs of mistakes for each network")
    parser.add_argument("--show", action="store_true", help="show what is not named")
    options = parser.parse_args()
    for title, count in (("one mistake", None), ("two mistakes", options.pairs)):
        print(f"{title:18}    cases  named  unexplained  misnamed  missed  accused  right")
        for make in NETWORKS:
            network, counts, cases = make(), Counter(), 0
            singles = places(network)
            chosen = [(one,) for one in singles]
            if count is not None:
                pairs = [p for p in itertools.combinations(singles, 2) if p[0].place != p[1].place]
                chosen = random.Random(0).sample(pairs, min(count, len(pairs)))
            for mistakes in chosen:
                cases += 1
                for verdict, name, diagnosis in verdicts(network, *mistakes):
                    counts[verdict] += 1
                    if options.show and verdict not in ("named", "right") and (
                        count is None or verdict != "unexplained"
                    ):  # fmt: skip
                        print("  ", verdict, name, [tuple(m) for m in mistakes], diagnosis.sentence)
            print(f"  {network.name:18}{cases:7}{counts['named']:7}{counts['unexplained']:13}"
                  f"{counts['misnamed']:10}{counts['missed']:8}{counts['accused']:9}{counts['right']:7}")  # fmt: skip


if __name__ == "__main__":
    main()
