"""Five tutorials' networks in NumPy, gradients derived by hand: the oracle that knows nothing of graphs.

Each class is one tutorial's network: its forward pass, its gradient, its update, in the orientation and
with the signs that the tutorial chose. Nothing here imports scalargrad.

| class            | tutorial                                                             | W is       | one step                     |
|------------------|----------------------------------------------------------------------|------------|------------------------------|
| `TwoLayers`      | a thread, "Neural Network implemented from scratch in Python"        | nin × nout | W += lr · d_W, summed        |
| `CrossEntropy`   | an article, "Code a Neural Network from Scratch in Python"           | nout × nin | W −= lr · d_W, averaged      |
| `Xor`            | a tutorial on a basic network for XOR, NumPy only                    | nin × nout | W += hᵀ·d · lr, summed       |
| `Digits`         | a README, "Neural Network from scratch", 13,002 parameters           | nout × nin | W −= lr · d_W, averaged      |
| `neuron` … `Gender` | a blog by gagan: a neuron, a 3-4-1 network, gender by height, weight | scalars    | w −= lr · d_w, row after row |
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e^−z)."""
    return 1 / (1 + np.exp(-z))


def sigmoid_derivative(s: Array) -> Array:
    """σ′ written in the sigmoid's own output s = σ(z): s(1 − s)."""
    return s * (1 - s)


class TwoLayers:
    """A hidden and an output layer, both sigmoid, of any size; X has a row for each example.

    Forward: h = σ(X·W1 + b1), o = σ(h·W2 + b2). The thread calls y − o the loss and climbs with +=, which is
    descent on ½ Σ (y − o)² over all rows and outputs:

        d2 = (y − o) · o(1 − o)          d_W2 = hᵀ·d2       d_b2 = Σ rows of d2
        d1 = (d2·W2ᵀ) · h(1 − h)         d_W1 = Xᵀ·d1       d_b1 = Σ rows of d1
    """

    def __init__(self, W1: Array, b1: Array, W2: Array, b2: Array) -> None:
        self.W1, self.b1, self.W2, self.b2 = W1.copy(), b1.copy(), W2.copy(), b2.copy()

    def forward(self, X: Array) -> Array:
        self.hidden_output = sigmoid(X @ self.W1 + self.b1)
        self.output = sigmoid(self.hidden_output @ self.W2 + self.b2)
        return self.output

    def gradients(self, X: Array, y: Array) -> tuple[Array, Array, Array, Array]:
        """d_W1, d_b1, d_W2, d_b2 of the latest forward pass: minus the slopes of ½ Σ (y − o)²."""
        d_output = (y - self.output) * sigmoid_derivative(self.output)
        d_hidden = d_output @ self.W2.T * sigmoid_derivative(self.hidden_output)
        return (
            X.T @ d_hidden,
            d_hidden.sum(axis=0),
            self.hidden_output.T @ d_output,
            d_output.sum(axis=0),
        )

    def update(self, X: Array, y: Array, lr: float) -> None:
        d_W1, d_b1, d_W2, d_b2 = self.gradients(X, y)
        self.W1 += lr * d_W1
        self.b1 += lr * d_b1
        self.W2 += lr * d_W2
        self.b2 += lr * d_b2

    def train(self, X: Array, y: Array, epochs: int, lr: float) -> None:
        for _ in range(epochs):
            self.forward(X)
            self.update(X, y, lr)

    def predict(self, X: Array) -> Array:
        return self.forward(X)


class CrossEntropy:
    """Two sigmoid layers without biases, cross-entropy; X has a column for each of the m examples.

    Forward: a1 = σ(W1·X), ŷ = σ(W2·a1). The loss is the mean of −log ŷ where y = 1 and of −log(1 − ŷ) where
    y = 0; the sigmoid's slope cancels the loss's denominator, so that

        dz2 = ŷ − y                      d_W2 = dz2·a1ᵀ / m
        dz1 = (W2ᵀ·dz2) · a1(1 − a1)     d_W1 = dz1·Xᵀ / m
    """

    def __init__(self, W1: Array, W2: Array) -> None:
        self.W1, self.W2 = W1.copy(), W2.copy()

    def forward(self, X: Array) -> Array:
        self.a1 = sigmoid(self.W1 @ X)
        self.y_hat = sigmoid(self.W2 @ self.a1)
        return self.y_hat

    def loss(self, y: Array) -> float:
        return float(-np.mean(y * np.log(self.y_hat) + (1 - y) * np.log(1 - self.y_hat)))

    def gradients(self, X: Array, y: Array) -> tuple[Array, Array]:
        """d_W1 and d_W2 of the latest forward pass: the slopes of the mean loss."""
        m = X.shape[1]
        dz2 = self.y_hat - y
        dz1 = self.W2.T @ dz2 * sigmoid_derivative(self.a1)
        return dz1 @ X.T / m, dz2 @ self.a1.T / m

    def update(self, X: Array, y: Array, lr: float) -> None:
        d_W1, d_W2 = self.gradients(X, y)
        self.W1 -= lr * d_W1
        self.W2 -= lr * d_W2


class Xor:
    """The 2-3-1 network of the XOR tutorial: normal weights, zero biases as 1 × n rows, 10,000 epochs at rate 0.1.

    The mathematics is that of `TwoLayers`; here gradient and update are one function, the gradients have no names,
    the rate stands on the right, and the biases are summed with their axis kept.
    """

    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    learning_rate, epochs = 0.1, 10_000

    def __init__(self, rng: np.random.Generator) -> None:
        self.weights_input_hidden, self.bias_hidden = rng.standard_normal((2, 3)), np.zeros((1, 3))
        self.weights_hidden_output, self.bias_output = rng.standard_normal((3, 1)), np.zeros((1, 1))

    def forward(self, x: Array) -> Array:
        self.hidden_output = sigmoid(np.dot(x, self.weights_input_hidden) + self.bias_hidden)
        return sigmoid(np.dot(self.hidden_output, self.weights_hidden_output) + self.bias_output)

    def backward(self, x: Array, y: Array, output: Array) -> None:
        d_output = (y - output) * sigmoid_derivative(output)
        d_hidden = d_output.dot(self.weights_hidden_output.T) * sigmoid_derivative(
            self.hidden_output
        )
        self.weights_hidden_output += self.hidden_output.T.dot(d_output) * self.learning_rate
        self.weights_input_hidden += x.T.dot(d_hidden) * self.learning_rate
        self.bias_output += d_output.sum(axis=0, keepdims=True) * self.learning_rate
        self.bias_hidden += d_hidden.sum(axis=0, keepdims=True) * self.learning_rate


class Digits:
    """Sigmoid layers, 784-16-16-10 in the README, with the squared cost Σ (a − y)² averaged over the examples.

    One example at a time, the layer's own slopes, with z = W·a_previous + b and a = σ(z):

        C over W           = (C over a · σ′(z)) as a column · a_previous as a row
        C over b           =  C over a · σ′(z) · 1
        C over a_previous  = (C over a · σ′(z)) as a row · W

    and C over a is 2(a − y) in the last layer, and what the layer above handed down in the others.
    """

    def __init__(self, weights: list[Array], biases: list[Array]) -> None:
        self.weights, self.biases = [W.copy() for W in weights], [b.copy() for b in biases]

    def forward_one_example(self, x: Array) -> list[Array]:
        """The activations of all layers, the input's first."""
        activations = [x]
        for W, b in zip(self.weights, self.biases, strict=True):
            activations.append(sigmoid(W @ activations[-1] + b))
        return activations

    def cost_one_example(self, x: Array, y_true: Array) -> float:
        return float(np.sum((self.forward_one_example(x)[-1] - y_true) ** 2))

    def gradients(self, X: Array, Y: Array) -> tuple[list[Array], list[Array]]:
        """The slopes of the mean cost by each W and each b."""
        C_over_weights = [np.zeros_like(W) for W in self.weights]
        C_over_biases = [np.zeros_like(b) for b in self.biases]
        for x, y_true in zip(X, Y, strict=True):
            activations = self.forward_one_example(x)
            C_over_activations = 2 * (activations[-1] - y_true)
            for layer in reversed(range(len(self.weights))):
                C_over_z = C_over_activations * sigmoid_derivative(activations[layer + 1])
                C_over_weights[layer] += (
                    C_over_z.reshape(-1, 1) @ activations[layer].reshape(1, -1) / len(X)
                )
                C_over_biases[layer] += C_over_z * 1 / len(X)
                C_over_activations = (C_over_z.reshape(1, -1) @ self.weights[layer]).reshape(-1)
        return C_over_weights, C_over_biases

    def update(self, X: Array, Y: Array, lr: float) -> None:
        C_over_weights, C_over_biases = self.gradients(X, Y)
        for W, b, C_over_W, C_over_b in zip(
            self.weights, self.biases, C_over_weights, C_over_biases, strict=True
        ):
            W -= lr * C_over_W
            b -= lr * C_over_b


def neuron(weights: Array | float, bias: float, x: Array | float) -> float:
    """A neuron of the blog, of numbers or of vectors: σ(w·x + b)."""
    return float(sigmoid(np.dot(weights, x) + bias))


class ThreeFourOne:
    """The blog's figures for a 3-4-1 network: a1 = σ(x·w1 + b1), a2 = σ(w2·a1 + b2); w1 is nin × nout."""

    x = np.array([1.0, 2.0, -2.5])
    w1 = np.array([[2.0, 1.2, 3.2, 2.45], [2.23, 3.10, 3.30, 4.5], [-0.98, 2.09, -3.2, 0.8]])
    b1 = np.array([2.3, 4.5, 3.0, -1.2])
    w2 = np.array([1.2, -0.90, 0.3, 2.0])
    b2 = 3.22

    @classmethod
    def forward(cls) -> tuple[Array, float]:
        a1 = sigmoid(np.dot(cls.x, cls.w1) + cls.b1)
        return a1, float(sigmoid(np.dot(cls.w2, a1) + cls.b2))


class Gender:
    """The blog's last network, 2-2-1, written without a matrix: one product of slopes for each of its nine numbers.

    h1 = σ(w1·x1 + w2·x2 + b1), h2 = σ(w3·x1 + w4·x2 + b2), o = σ(w5·h1 + w6·h2 + b3), L = (y − o)²; for example

        ∂L/∂w1 = ∂L/∂o · ∂o/∂h1 · ∂h1/∂w1 = −2(y − o) · o(1 − o)w5 · h1(1 − h1)x1

    The blog ends where training begins; the update after each row, w −= lr · ∂L/∂w, is the usual one for it.
    """

    names = ("w1", "w2", "b1", "w3", "w4", "b2", "w5", "w6", "b3")

    def __init__(self, numbers: list[float]) -> None:
        self.p = dict(zip(self.names, numbers, strict=True))

    def forward(self, x1: float, x2: float) -> float:
        p = self.p
        self.h1 = neuron(np.array([p["w1"], p["w2"]]), p["b1"], np.array([x1, x2]))
        self.h2 = neuron(np.array([p["w3"], p["w4"]]), p["b2"], np.array([x1, x2]))
        return neuron(np.array([p["w5"], p["w6"]]), p["b3"], np.array([self.h1, self.h2]))

    def gradients(self, x1: float, x2: float, y: float) -> dict[str, float]:
        o = self.forward(x1, x2)
        L_o = -2 * (y - o)
        o_sum, h1_sum, h2_sum = o * (1 - o), self.h1 * (1 - self.h1), self.h2 * (1 - self.h2)
        o_h1, o_h2 = self.p["w5"] * o_sum, self.p["w6"] * o_sum
        return {
            "w1": L_o * o_h1 * h1_sum * x1, "w2": L_o * o_h1 * h1_sum * x2, "b1": L_o * o_h1 * h1_sum,
            "w3": L_o * o_h2 * h2_sum * x1, "w4": L_o * o_h2 * h2_sum * x2, "b2": L_o * o_h2 * h2_sum,
            "w5": L_o * o_sum * self.h1, "w6": L_o * o_sum * self.h2, "b3": L_o * o_sum,
        }  # fmt: skip

    def update(self, x1: float, x2: float, y: float, lr: float) -> None:
        for name, slope in self.gradients(x1, x2, y).items():
            self.p[name] -= lr * slope
