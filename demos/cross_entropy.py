"""Two interleaved half moons told apart by two layers without biases: cross-entropy, 1500 iterations.

    python -m demos.cross_entropy

Each iteration goes through all points and takes one step down the mean loss, so that the loss must fall
every time, if the steps are short enough: that is verified. Without biases z(x) + z(−x), the sum of the
outputs before the last sigmoid, is the same everywhere; moons centred on 0, each the other turned round, suit it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

from demos import show
from demos.data import moons
from scalargrad.nn import MLP


def main(argv: Sequence[str] | None = None) -> None:
    args = show.options(__doc__, epochs=1500, seed=0).parse_args(argv)

    rng = random.Random(args.seed)
    X, y = moons(30, rng)
    model = MLP(
        2,
        [8, 1],
        activation="sigmoid",
        output_activation="sigmoid",
        bias=False,
        init="normal",
        seed=rng,
    )
    print(f"{len(X)} points, a 2-8-1 network without biases, {len(model.parameters())} weights")
    history = model.fit(
        X,
        y,
        loss="binary_cross_entropy",
        lr=2.0,
        epochs=args.epochs,
        callback=show.loss_as_it_falls(args.epochs),
    )

    falls = [after < before for before, after in pairwise(history.loss)]
    print(
        f"\nthe loss fell in {sum(falls):,} of {len(falls):,} steps: {'monotonically' if all(falls) else 'the rate is too high'}"
    )
    new_X, new_y = moons(200, rng)
    print(
        f"of these points {accuracy(model, X, y):.1%} are told apart, of {len(new_X)} new ones {accuracy(model, new_X, new_y):.1%}"
    )
    show.write_curve(history, args.out / "cross_entropy_loss.svg", args.open)


def accuracy(model: MLP, X: list[list[float]], y: list[int]) -> float:
    """The share of rows whose output is on the right side of ½."""
    return sum(
        (output > 0.5) == bool(label) for output, label in zip(model.predict(X), y, strict=True)
    ) / len(y)


if __name__ == "__main__":
    main()
