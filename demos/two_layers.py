"""Two sigmoid layers, with `train` and `predict` written out: they learn to add three bits.

    python -m demos.two_layers

A full adder turns two bits and a carry into a sum and a new carry. `fit` would do here what
`train` does; the four steps of its loop are all there is to it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

from demos import show
from scalargrad import Layer, Value, no_grad
from scalargrad import sum as total
from scalargrad.nn import half_squared_error

BITS = [list(bits) for bits in product((0, 1), repeat=3)]
SUMS = [[sum(bits) % 2, sum(bits) // 2] for bits in BITS]  # the sum and the new carry


class TwoLayers:
    """A hidden and an output layer of sigmoid neurons."""

    def __init__(self, nin: int, hidden: int, nout: int, seed: int) -> None:
        rng = random.Random(seed)
        self.hidden = Layer(nin, hidden, activation="sigmoid", init="normal", seed=rng, number=1)
        self.output = Layer(hidden, nout, activation="sigmoid", init="normal", seed=rng, number=2)
        self.parameters = self.hidden.parameters() + self.output.parameters()

    def forward(self, row: Sequence[float | Value]) -> list[Value]:
        return self.output(self.hidden(row))

    def train(self, X: list[list[int]], Y: list[list[int]], epochs: int, lr: float) -> None:
        """Gradient descent on ½ Σ (y − o)² over all rows."""
        for epoch in range(epochs):
            rows = zip(X, Y, strict=True)
            loss = total(half_squared_error(self.forward(row), target) for row, target in rows)
            loss.backward()
            for p in self.parameters:
                p.data -= lr * p.grad
                p.grad = 0.0  # else the slopes of the next epoch would be added to these
            if epoch % max(1, epochs // 10) == 0 or epoch == epochs - 1:
                print(f"epoch {epoch + 1:6,}   loss {loss.data:.6f}")

    def predict(self, X: list[list[int]]) -> list[list[float]]:
        """The outputs for each row, with nothing recorded."""
        with no_grad():
            return [[output.data for output in self.forward(row)] for row in X]


def main(argv: Sequence[str] | None = None) -> None:
    args = show.options(__doc__, epochs=3000).parse_args(argv)

    network = TwoLayers(3, 6, 2, args.seed)
    print(f"a 3-6-2 network, {len(network.parameters)} parameters, learns to add three bits")
    network.train(BITS, SUMS, args.epochs, lr=0.5)

    print("\n a + b + c    sum           carry")
    for (a, b, c), (bit, carry), (s, k) in zip(BITS, SUMS, network.predict(BITS), strict=True):
        print(f" {a} + {b} + {c}    {bit}  {s:.3f}      {carry}  {k:.3f}")
    print()

    loss = half_squared_error(network.forward([Value(1.0, name) for name in "abc"]), SUMS[-1])
    loss.label = "loss"
    loss.backward()
    show.write_graph(loss, args.out / "two_layers.svg", args.open, collapse="neurons")


if __name__ == "__main__":
    main()
