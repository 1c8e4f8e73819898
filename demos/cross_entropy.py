"""Two layers without biases tell two half moons apart: cross-entropy, 1,500 iterations.

    python -m demos.cross_entropy

Each iteration reads all points and takes one step down the mean loss. If the steps are short
enough, the loss falls in every one of them; the demo checks that it did.

Let z(x) be the sum in the output neuron, before its sigmoid. Without biases z(x) + z(−x) is the
same for every x, so the moons are centred on 0, and each is the other one turned round.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

from demos import show
from demos.data import moons
from scalargrad.nn import MLP


def main(argv: Sequence[str] | None = None) -> None:
    args = show.options(__doc__, epochs=1500).parse_args(argv)

    rng = random.Random(args.seed)
    X, y = moons(30, rng)
    model = MLP(
        2, [8, 1], activation="sigmoid", output_activation="sigmoid",
        bias=False, init="normal", seed=rng,
    )  # fmt: skip
    print(f"{len(X)} points, a 2-8-1 network without biases, {len(model.parameters())} weights")
    history = model.fit(
        X, y, loss="binary_cross_entropy", lr=2.0, epochs=args.epochs,
        callback=show.loss_as_it_falls(args.epochs),
    )  # fmt: skip

    falls = [after < before for before, after in pairwise(history.loss)]
    verdict = "monotonically" if all(falls) else "the rate is too high"
    print(f"\nthe loss fell in {sum(falls):,} of {len(falls):,} steps: {verdict}")
    new_X, new_y = moons(200, rng)
    print(
        f"right for {show.accuracy(model, X, y):.1%} of these points, "
        f"and for {show.accuracy(model, new_X, new_y):.1%} of {len(new_X)} new ones"
    )
    show.write_curve(history, args.out / "cross_entropy_loss.svg", args.open)
    path = args.out / "cross_entropy_boundary.svg"
    show.write_boundary(model, new_X, new_y, path, args.open)


if __name__ == "__main__":
    main()
