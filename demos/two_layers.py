"""Two sigmoid layers with `train` and `predict`, written out: they learn to add three bits.

    python -m demos.two_layers

A full adder turns two bits and a carry into a sum and a new carry. `fit` would do what `train` does here;
the four lines of its loop are all there is to it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

from demos import show
from scalargrad import Layer, Value, no_grad, sum
from scalargrad.nn import half_squared_error

BITS = [list(bits) for bits in product((0, 1), repeat=3)]
SUMS = [[(a + b + c) % 2, (a + b + c) // 2] for a, b, c in BITS]


class TwoLayers:
    """A hidden and an output layer of sigmoid neurons."""

    def __init__(self, nin: int, hidden: int, nout: int, seed: int) -> None:
        rng = random.Random(seed)
        self.hidden = Layer(nin, hidden, activation="sigmoid", init="normal", seed=rng)
        self.output = Layer(hidden, nout, activation="sigmoid", init="normal", seed=rng)
        self.parameters = self.hidden.parameters() + self.output.parameters()

    def forward(self, row: list[int]) -> list[Value]:
        return self.output(self.hidden(row))

    def train(self, X: list[list[int]], Y: list[list[int]], epochs: int, lr: float) -> None:
        """Full-batch gradient descent on ½ Σ (y − o)²."""
        for epoch in range(epochs):
            loss = sum(
                half_squared_error(self.forward(row), target)
                for row, target in zip(X, Y, strict=True)
            )
            loss.backward()
            for p in self.parameters:
                p.data -= lr * p.grad
                p.grad = 0.0
            if epoch % max(1, epochs // 10) == 0 or epoch == epochs - 1:
                print(f"epoch {epoch + 1:6,}   loss {loss.data:.6f}")

    def predict(self, X: list[list[int]]) -> list[list[float]]:
        """One forward pass for each row, nothing recorded."""
        with no_grad():
            return [[output.data for output in self.forward(row)] for row in X]


def main(argv: Sequence[str] | None = None) -> None:
    args = show.options(__doc__, epochs=3000, seed=0).parse_args(argv)

    network = TwoLayers(3, 6, 2, args.seed)
    print(f"a 3-6-2 network, {len(network.parameters)} parameters, learns to add three bits")
    network.train(BITS, SUMS, args.epochs, lr=0.5)

    print("\n a + b + c    sum           carry")
    for (a, b, c), (total, carry), (s, k) in zip(BITS, SUMS, network.predict(BITS), strict=True):
        print(f" {a} + {b} + {c}    {total}  {s:.3f}      {carry}  {k:.3f}")
    print()

    loss = half_squared_error(network.forward(BITS[-1]), SUMS[-1])
    loss.label = "loss"
    loss.backward()
    show.write_graph(loss, args.out / "two_layers.svg", args.open)


if __name__ == "__main__":
    main()
