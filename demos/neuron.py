"""From one neuron to a small network, and a guess of gender from height and weight.

    python -m demos.neuron

A neuron reads a number, then a vector; a 3-4-1 network has given weights; a 2-2-1 network learns.
The people it learns from are made up from a seed, half of them women.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from demos import show
from demos.data import people
from scalargrad import MLP, Neuron, Value, sigmoid


def main(argv: Sequence[str] | None = None) -> None:
    args = show.options(__doc__, epochs=100).parse_args(argv)

    print("1. A neuron of numbers: y = σ(w·x + b)")
    w, x, b = Value(1.2, "w"), Value(0.7, "x"), Value(-0.4, "b")
    y = sigmoid(w * x + b)
    y.label = "y"
    y.backward()
    print(f"   y = {y:.6f}   dy/dw = {w.grad:.6f}   dy/dx = {x.grad:.6f}   dy/db = {b.grad:.6f}")

    print("2. A neuron of vectors: w = [1, 2], b = 2, x = [3, 5]")
    neuron = Neuron(2, activation="sigmoid")
    neuron.load_state({"w": [1, 2], "b": 2})
    print(f"   y = {neuron([3, 5]):.10f}")

    print("3. A 3-4-1 network, x = [1, 2, −2.5]")
    network = three_four_one()
    hidden = network.layers[0]([1.0, 2.0, -2.5])
    print("   hidden", *(f"{h:.6f}" for h in hidden))
    print(f"   output {network([1.0, 2.0, -2.5]):.6f}")

    print("4. Gender from height and weight, 2-2-1")
    guess_gender(args.epochs, args.seed, args.out, args.open)

    print()
    show.write_graph(y, args.out / "neuron.svg", args.open)


def three_four_one() -> MLP:
    """The network with its given weights."""
    # As the tutorial writes them, a row for each input; `W1` here has a row for each neuron.
    weights = [[2.0, 1.2, 3.2, 2.45], [2.23, 3.10, 3.30, 4.5], [-0.98, 2.09, -3.2, 0.8]]
    network = MLP(3, [4, 1], activation="sigmoid", output_activation="sigmoid")
    network.load_state(
        {
            "W1": list(zip(*weights, strict=True)),
            "b1": [2.3, 4.5, 3.0, -1.2],
            "W2": [[1.2, -0.90, 0.3, 2.0]],
            "b2": [3.22],
        }
    )
    return network


def guess_gender(epochs: int, seed: int, out: Path, open_it: bool) -> None:
    """Train on 100 people row by row; ask about 400 others, and about two more."""
    rng = random.Random(seed)
    X, y = people(50, rng)
    model = MLP(2, [2, 1], activation="sigmoid", output_activation="sigmoid", seed=rng)
    history = model.fit(centred(X), y, loss="mse", lr=0.1, epochs=epochs, batch_size=1)
    others, genders = people(200, rng)
    right = show.accuracy(model, centred(others), genders)
    print(f"   loss {history.loss[0]:.4f} in the first epoch, {history.loss[-1]:.4f} in the last")
    print(
        f"   {right:.1%} of {len(others)} others right; the bell curves overlap, "
        "so no rule is right for more than 87 % in the long run"
    )
    for height, weight in ((162, 57), (183, 80)):
        (p,) = model.predict(centred([[height, weight]]))
        print(f"   {height} cm, {weight} kg: a woman with probability {p:.2f}")
    show.write_boundary(model, centred(others), genders, out / "neuron_boundary.svg", open_it)


def centred(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """Heights and weights about 0 and of size 1, where a sigmoid is steep."""
    return [[(height - 171) / 10, (weight - 66) / 10] for height, weight in rows]


if __name__ == "__main__":
    main()
