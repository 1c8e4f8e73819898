"""The five tutorials: what `backward` finds, against what their authors derived by hand, weight by weight.

Each network is written twice: in scalars, one operator at a time, and with `nn`. Weights are compared
after each of several updates, to 1e-12.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from scalargrad import Value, exp, log, sigmoid
from scalargrad.nn import MLP, Neuron

from . import formulas

LR, UPDATES = 0.5, 10
Nested = list[list[Value]]


def same(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(
        np.asarray(actual, float), np.asarray(expected, float), rtol=0, atol=1e-12
    )


# ------------------------------------------------------------------ scalars, one operator at a time


def values(array: Any) -> Any:
    """An array as nested lists of Values."""
    return [values(row) for row in array] if np.ndim(array) else Value(float(array))


def numbers(nested: Any) -> Any:
    return [numbers(item) for item in nested] if isinstance(nested, list) else nested.data


def slopes(nested: Any) -> Any:
    return [slopes(item) for item in nested] if isinstance(nested, list) else nested.grad


def descend(nested: Any, lr: float) -> None:
    """One step down the gradient, which is then forgotten."""
    if isinstance(nested, list):
        for item in nested:
            descend(item, lr)
    else:
        nested.data -= lr * nested.grad
        nested.grad = 0.0


def logistic(z: Any) -> Any:
    return 1 / (1 + exp(-z))


def dense(W: Nested, b: list[Value] | None, x: list[Any]) -> list[Any]:
    """A sigmoid layer, W being nin × nout, in + and × alone."""
    outs = []
    for j in range(len(W[0])):
        z: Any = b[j] if b else 0.0
        for i in range(len(x)):
            z = z + x[i] * W[i][j]
        outs.append(logistic(z))
    return outs


def half_squares(outs: list[Value], y: Any) -> Any:
    return 0.5 * sum(
        ((target - out) ** 2 for out, target in zip(outs, y, strict=True)), start=Value(0.0)
    )


# ------------------------------------------------------------------ the same with nn


def put(model: MLP, weights: list[Any], biases: list[Any] | None = None) -> None:
    """Give a model the numbers of W (nin × nout) and b, layer by layer."""
    for k, layer in enumerate(model.layers):
        for j, neuron in enumerate(layer.neurons):
            for i, w in enumerate(neuron.w):
                w.data = float(weights[k][i][j])
            if biases is not None:
                neuron.b.data = float(np.ravel(biases[k])[j])


def weights_of(model: MLP) -> list[list[list[float]]]:
    """W of each layer, nin × nout."""
    return [
        [
            list(row)
            for row in zip(*([w.data for w in neuron.w] for neuron in layer.neurons), strict=True)
        ]
        for layer in model.layers
    ]


def biases_of(model: MLP) -> list[list[float]]:
    return [[neuron.b.data for neuron in layer.neurons] for layer in model.layers]


# ------------------------------------------------------------------ two layers, and XOR


@pytest.fixture
def two_layers() -> tuple[formulas.TwoLayers, formulas.Array, formulas.Array]:
    rng = np.random.default_rng(0)
    W1, b1, W2, b2 = (rng.standard_normal(shape) for shape in ((3, 4), (4,), (4, 2), (2,)))
    return formulas.TwoLayers(W1, b1, W2, b2), rng.standard_normal((5, 3)), rng.uniform(size=(5, 2))


def test_two_layers_of_scalars_have_the_gradient_of_the_thread_with_its_sign(two_layers):
    oracle, X, y = two_layers
    W1, b1, W2, b2 = (values(array) for array in (oracle.W1, oracle.b1, oracle.W2, oracle.b2))
    for _ in range(UPDATES):
        oracle.forward(X)
        for row, target in zip(X.tolist(), y.tolist(), strict=True):
            half_squares(dense(W2, b2, dense(W1, b1, row)), target).backward()
        for nested, gradient in zip((W1, b1, W2, b2), oracle.gradients(X, y), strict=True):
            same(
                slopes(nested), -gradient
            )  # the thread's gradient points uphill of minus the cost: it adds it
            descend(nested, LR)
        oracle.update(X, y, LR)
        for nested, array in zip(
            (W1, b1, W2, b2), (oracle.W1, oracle.b1, oracle.W2, oracle.b2), strict=True
        ):
            same(numbers(nested), array)


def test_fit_moves_two_layers_as_the_thread_does(two_layers):
    oracle, X, y = two_layers
    model = MLP(3, [4, 2], activation="sigmoid", output_activation="sigmoid")
    put(model, [oracle.W1, oracle.W2], [oracle.b1, oracle.b2])
    for _ in range(UPDATES):
        model.fit(
            X.tolist(),
            y.tolist(),
            loss="half_squared_error",
            optimizer="sgd",
            lr=LR,
            epochs=1,
            reduction="sum",
        )
        oracle.train(X, y, epochs=1, lr=LR)
        for W, expected in zip(weights_of(model), (oracle.W1, oracle.W2), strict=True):
            same(W, expected)
        for b, expected in zip(biases_of(model), (oracle.b1, oracle.b2), strict=True):
            same(b, expected)
    same(model.predict(X.tolist()), oracle.predict(X))


def test_xor_of_scalars_follows_the_tutorial():
    oracle = formulas.Xor(np.random.default_rng(1))
    W1, b1 = values(oracle.weights_input_hidden), values(oracle.bias_hidden[0])
    W2, b2 = values(oracle.weights_hidden_output), values(oracle.bias_output[0])
    for _ in range(UPDATES):
        oracle.backward(oracle.X, oracle.y, oracle.forward(oracle.X))
        for row, target in zip(oracle.X.tolist(), oracle.y.tolist(), strict=True):
            half_squares(dense(W2, b2, dense(W1, b1, row)), target).backward()
        descend([W1, b1, W2, b2], oracle.learning_rate)
        same(numbers(W1), oracle.weights_input_hidden)
        same(numbers(b1), oracle.bias_hidden[0])
        same(numbers(W2), oracle.weights_hidden_output)
        same(numbers(b2), oracle.bias_output[0])


def test_fit_stays_with_the_xor_tutorial_for_a_thousand_epochs():
    oracle = formulas.Xor(np.random.default_rng(2))
    model = MLP(2, [3, 1], activation="sigmoid", output_activation="sigmoid")
    put(
        model,
        [oracle.weights_input_hidden, oracle.weights_hidden_output],
        [oracle.bias_hidden, oracle.bias_output],
    )
    for _ in range(10):
        model.fit(
            oracle.X.tolist(),
            oracle.y.tolist(),
            loss="half_squared_error",
            lr=oracle.learning_rate,
            epochs=100,
            reduction="sum",
        )
        for _ in range(100):
            oracle.backward(oracle.X, oracle.y, oracle.forward(oracle.X))
        for W, expected in zip(
            weights_of(model),
            (oracle.weights_input_hidden, oracle.weights_hidden_output),
            strict=True,
        ):
            same(W, expected)
        for b, expected in zip(
            biases_of(model), (oracle.bias_hidden[0], oracle.bias_output[0]), strict=True
        ):
            same(b, expected)


# ------------------------------------------------------------------ cross-entropy without biases


@pytest.fixture
def cross_entropy() -> tuple[formulas.CrossEntropy, formulas.Array, formulas.Array]:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((2, 6))
    return (
        formulas.CrossEntropy(rng.standard_normal((4, 2)), rng.standard_normal((1, 4))),
        X,
        (X[:1] > 0.2).astype(float),
    )


def test_cross_entropy_of_scalars_follows_the_article(cross_entropy):
    oracle, X, y = cross_entropy
    W1, W2 = values(oracle.W1.T), values(oracle.W2.T)
    for _ in range(UPDATES):
        oracle.forward(X)
        cost: Any = 0.0
        for row, target in zip(X.T.tolist(), y[0].tolist(), strict=True):
            (y_hat,) = dense(W2, None, dense(W1, None, row))
            cost = cost - (target * log(y_hat) + (1 - target) * log(1 - y_hat))
        cost = cost / X.shape[1]
        same(cost.data, oracle.loss(y))
        cost.backward()
        for nested, gradient in zip((W1, W2), oracle.gradients(X, y), strict=True):
            same(slopes(nested), gradient.T)
            descend(nested, LR)
        oracle.update(X, y, LR)
        same(numbers(W1), oracle.W1.T)
        same(numbers(W2), oracle.W2.T)


def test_fit_without_biases_follows_the_article_weights_and_losses(cross_entropy):
    oracle, X, y = cross_entropy
    model = MLP(2, [4, 1], activation="sigmoid", output_activation="sigmoid", bias=False)
    put(model, [oracle.W1.T, oracle.W2.T])
    assert len(model.parameters()) == 12
    for _ in range(UPDATES):
        history = model.fit(
            X.T.tolist(), y[0].tolist(), loss="binary_cross_entropy", lr=LR, epochs=1
        )
        oracle.forward(X)
        same(history.loss, [oracle.loss(y)])
        oracle.update(X, y, LR)
        for W, expected in zip(weights_of(model), (oracle.W1.T, oracle.W2.T), strict=True):
            same(W, expected)


# ------------------------------------------------------------------ squared cost, averaged over examples


def digits(
    sizes: list[int], rows: int, scale: float = 1.0
) -> tuple[formulas.Digits, formulas.Array, formulas.Array]:
    rng = np.random.default_rng(4)
    weights = [scale * rng.standard_normal((nout, nin)) for nin, nout in pairwise(sizes)]
    biases = [rng.standard_normal(nout) for nout in sizes[1:]]
    Y = np.eye(sizes[-1])[rng.integers(sizes[-1], size=rows)]
    return formulas.Digits(weights, biases), rng.uniform(size=(rows, sizes[0])), Y


def test_squared_cost_of_scalars_follows_the_readme_example_by_example():
    oracle, X, Y = digits([5, 4, 4, 3], rows=4)
    weights, biases = [values(W.T) for W in oracle.weights], [values(b) for b in oracle.biases]
    for _ in range(UPDATES):
        cost: Any = 0.0
        for x, y_true in zip(X, Y, strict=True):
            activations = x.tolist()
            for W, b in zip(weights, biases, strict=True):
                activations = dense(W, b, activations)
            cost_one_example = 2 * half_squares(activations, y_true.tolist())
            same(cost_one_example.data, oracle.cost_one_example(x, y_true))
            cost = cost + cost_one_example / len(X)
        cost.backward()
        C_over_weights, C_over_biases = oracle.gradients(X, Y)
        for layer in range(3):
            same(slopes(weights[layer]), C_over_weights[layer].T)
            same(slopes(biases[layer]), C_over_biases[layer])
        descend([weights, biases], LR)
        oracle.update(X, Y, LR)
        for layer in range(3):
            same(numbers(weights[layer]), oracle.weights[layer].T)
            same(numbers(biases[layer]), oracle.biases[layer])


@pytest.mark.parametrize(
    ("sizes", "rows", "updates"), [([5, 4, 4, 3], 6, UPDATES), ([784, 16, 16, 10], 3, 3)]
)
def test_fit_averages_the_squared_cost_as_the_readme_does(sizes, rows, updates):
    oracle, X, Y = digits(sizes, rows, scale=1 / np.sqrt(sizes[0] / 5))
    model = MLP(sizes[0], sizes[1:], activation="sigmoid", output_activation="sigmoid")
    put(model, [W.T for W in oracle.weights], oracle.biases)
    assert len(model.parameters()) == sum(W.size for W in oracle.weights) + sum(
        b.size for b in oracle.biases
    )
    for _ in range(updates):
        history = model.fit(X.tolist(), Y.tolist(), loss="squared_error", lr=LR, epochs=1)
        same(
            history.loss,
            [np.mean([oracle.cost_one_example(x, y_true) for x, y_true in zip(X, Y, strict=True)])],
        )
        oracle.update(X, Y, LR)
        for layer, (W, b) in enumerate(zip(weights_of(model), biases_of(model), strict=True)):
            same(W, oracle.weights[layer].T)
            same(b, oracle.biases[layer])


def test_the_network_for_digits_has_13002_parameters():
    assert (
        len(MLP(784, [16, 16, 10], activation="sigmoid", output_activation="sigmoid").parameters())
        == 13_002
    )


# ------------------------------------------------------------------ from one neuron to gender


def test_a_neuron_of_numbers_is_that_of_the_blog():
    w, x, b = Value(1.2, "w"), Value(0.7, "x"), Value(-0.4, "b")
    y = sigmoid(w * x + b)
    same(y.data, formulas.neuron(1.2, -0.4, 0.7))
    same(logistic(w * x + b).data, y.data)


def test_a_neuron_of_vectors_is_that_of_the_blog():
    neuron = Neuron(2, activation="sigmoid")
    for parameter, number in zip(neuron.parameters(), [1, 2, 2], strict=True):
        parameter.data = float(number)
    same(neuron([3, 5]).data, formulas.neuron(np.array([1, 2]), 2, np.array([3, 5])))


def test_the_3_4_1_network_gives_the_activations_of_the_blog():
    blog = formulas.ThreeFourOne
    a1, a2 = blog.forward()
    scalars = dense(values(blog.w1), values(blog.b1), blog.x.tolist())
    same(numbers(scalars), a1)
    same(numbers(dense(values(blog.w2.reshape(4, 1)), [Value(blog.b2)], scalars)), [a2])

    model = MLP(3, [4, 1], activation="sigmoid", output_activation="sigmoid")
    put(model, [blog.w1, blog.w2.reshape(4, 1)], [blog.b1, [blog.b2]])
    same([out.data for out in model.layers[0](blog.x.tolist())], a1)
    same(model(blog.x.tolist()).data, a2)


ROWS = [
    (-0.2, -0.6, 1.0),
    (2.5, 0.6, 0.0),
    (1.7, 0.4, 0.0),
    (-1.5, -0.6, 1.0),
]  # height and weight about the mean, and the label
NINE = [0.3, -1.1, 0.2, 0.7, 0.4, -0.5, 1.3, -0.8, 0.1]


def test_gender_in_scalars_follows_nine_products_of_slopes_row_after_row():
    oracle = formulas.Gender(NINE)
    p = {name: Value(number, name) for name, number in zip(oracle.names, NINE, strict=True)}
    for _ in range(UPDATES):
        for x1, x2, y in ROWS:
            h1 = logistic(p["w1"] * x1 + p["w2"] * x2 + p["b1"])
            h2 = logistic(p["w3"] * x1 + p["w4"] * x2 + p["b2"])
            o = logistic(p["w5"] * h1 + p["w6"] * h2 + p["b3"])
            ((y - o) ** 2).backward()
            same([value.grad for value in p.values()], list(oracle.gradients(x1, x2, y).values()))
            descend(list(p.values()), 0.1)
            oracle.update(x1, x2, y, 0.1)
            same([value.data for value in p.values()], list(oracle.p.values()))


def test_fit_on_batches_of_one_row_follows_the_blog():
    oracle = formulas.Gender(NINE)
    model = MLP(2, [2, 1], activation="sigmoid", output_activation="sigmoid")
    for parameter, number in zip(model.parameters(), NINE, strict=True):  # in the blog's order
        parameter.data = number
    for _ in range(UPDATES):
        model.fit(
            [row[:2] for row in ROWS],
            [row[2] for row in ROWS],
            loss="mse",
            lr=0.1,
            epochs=1,
            batch_size=1,
        )
        for row in ROWS:
            oracle.update(*row, 0.1)
        same([parameter.data for parameter in model.parameters()], list(oracle.p.values()))


# ------------------------------------------------------------------ the tests, tested


def test_a_hundred_billionth_in_one_weight_is_noticed(two_layers):
    oracle = two_layers[0]
    moved = oracle.W1.copy()
    moved[2, 3] += 1e-11
    with pytest.raises(AssertionError):
        same(moved, oracle.W1)


@pytest.mark.parametrize("wrong", [-1.0, 2.0, 1 + 1e-9])
def test_a_gradient_off_by_a_factor_is_noticed(two_layers, wrong):
    oracle, X, y = two_layers
    W1, b1, W2, b2 = (values(array) for array in (oracle.W1, oracle.b1, oracle.W2, oracle.b2))
    oracle.forward(X)
    for row, target in zip(X.tolist(), y.tolist(), strict=True):
        half_squares(dense(W2, b2, dense(W1, b1, row)), target).backward()
    with pytest.raises(AssertionError):
        same(slopes(W1), -wrong * oracle.gradients(X, y)[0])
