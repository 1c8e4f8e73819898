"""Handwritten digits, a network of 784-16-16-10 sigmoids with 13,002 scalar parameters, and the squared cost.

    python -m demos.digits                     # scikit-learn's digits, scaled up to 28 × 28
    python -m demos.digits --mnist FOLDER      # MNIST's IDX files, gzipped or not

The cost of one example is Σ (a − y)² over the ten outputs, averaged over the examples of a batch. Every
parameter is a Value of its own, and nobody waits for them: what they compute is compiled to the matrices of
the tutorial, and goes through all of scikit-learn's images 40 times in a few seconds. Of the 360 that were
kept for the test some nineteen in twenty are then right. With --engine eager every number is a Value in
every step, to be looked at, and some 200 times as slow: take less with --train and --epochs.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from math import ceil
from pathlib import Path

from demos import show
from demos.data import Images, mnist, sklearn_digits
from scalargrad.nn import MLP

BATCH = 5  # images a step
RATE = 1.5  # at first; it falls to 0 along a line


def main(argv: Sequence[str] | None = None) -> None:
    parser = show.options(__doc__, epochs=40, seed=0)
    parser.add_argument(
        "--mnist", type=Path, metavar="FOLDER", help="the folder with MNIST's four files"
    )
    parser.add_argument(
        "--train",
        type=show.at_least_one,
        help="images to train on (default all, but for those of the test)",
    )
    parser.add_argument(
        "--test", type=show.at_least_one, default=360, help="images to test on (default 360)"
    )
    parser.add_argument(
        "--engine",
        choices=("compiled", "eager"),
        default="compiled",
        help="what makes the steps (default compiled)",
    )
    args = parser.parse_args(argv)
    X, y, test_X, test_y = read(parser, args)

    model = MLP(
        784, [16, 16, 10], activation="sigmoid", output_activation="sigmoid", seed=args.seed
    )
    print(
        f"784-16-16-10: {len(model.parameters()):,} parameters, {len(X):,} images, {len(test_X):,} others for the test"
    )
    print(f"before training  {accuracy(model, test_X, test_y):.1%} of the test images right")
    steps = args.epochs * ceil(len(X) / BATCH)
    history = model.fit(
        X, [[float(digit == k) for k in range(10)] for digit in y],
        loss="squared_error", lr=lambda step: RATE * (1 - step / steps), epochs=args.epochs, batch_size=BATCH,
        shuffle=True, seed=args.seed, engine=args.engine, progress=True,
    )  # fmt: skip
    shown = history.loss[:: max(1, len(history.loss) // 10)]
    print(
        f"cost             {' '.join(f'{cost:.4f}' for cost in shown)}, as it fell in {history.seconds:.1f} s"
    )
    print(f"after training   {accuracy(model, test_X, test_y):.1%} of the test images right")
    show.write_curve(history, args.out / "digits_loss.svg", args.open)


def read(
    parser: argparse.ArgumentParser, args: argparse.Namespace
) -> tuple[Images, list[int], Images, list[int]]:
    """Images and labels to train and to test on; an error ends the program with what to do."""
    if args.mnist:
        try:
            return *mnist(args.mnist, "train", args.train or 60_000), *mnist(
                args.mnist, "t10k", args.test
            )
        except (OSError, ValueError) as error:
            parser.error(str(error))
    try:
        images, digits = sklearn_digits()
    except ImportError:
        parser.error(
            "without --mnist FOLDER the images come from scikit-learn, which is not installed (the extra `sklearn`)"
        )
    order = random.Random(args.seed).sample(range(len(images)), len(images))
    count = args.train or max(1, len(order) - args.test)
    train, test = order[:count], order[count:][: args.test]
    if not test:
        parser.error(f"--train {count} leaves none of the {len(images)} images for the test")
    return (
        [images[i] for i in train],
        [digits[i] for i in train],
        [images[i] for i in test],
        [digits[i] for i in test],
    )


def accuracy(model: MLP, X: Images, digits: list[int]) -> float:
    """The share of images whose largest output is that of their digit."""
    return sum(
        max(range(10), key=outputs.__getitem__) == digit
        for outputs, digit in zip(model.predict(X), digits, strict=True)
    ) / len(X)


if __name__ == "__main__":
    main()
