"""Handwritten digits, a network of 784-16-16-10 sigmoids with 13,002 scalar parameters, and the squared cost.

    python -m demos.digits                     # scikit-learn's digits, scaled up to 28 × 28
    python -m demos.digits --mnist FOLDER      # MNIST's IDX files, gzipped or not

The cost of one example is Σ (a − y)² over the ten outputs, averaged over the examples of a batch. Every
parameter is a Value of its own, so this takes its time: by default 400 images are learnt from, seven times,
and 500 others are the test, in less than a minute. Of scikit-learn's some eight in ten are then right;
with --train and --epochs more of them, for those who wait.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

from demos import show
from demos.data import Images, mnist, sklearn_digits
from scalargrad.nn import MLP


def main(argv: Sequence[str] | None = None) -> None:
    parser = show.options(__doc__, epochs=7, seed=0)
    parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="the folder with MNIST's four files")
    parser.add_argument("--train", type=show.at_least_one, default=400, help="images to train on (default 400)")
    parser.add_argument("--test", type=show.at_least_one, default=500, help="images to test on (default 500)")
    args = parser.parse_args(argv)
    X, y, test_X, test_y = read(parser, args)

    model = MLP(784, [16, 16, 10], activation="sigmoid", output_activation="sigmoid", seed=args.seed)
    print(f"784-16-16-10: {len(model.parameters()):,} parameters, {len(X):,} images, {len(test_X):,} others for the test")
    print(f"before training  {accuracy(model, test_X, test_y):.1%} of the test images right")
    history = model.fit(
        X, [[float(digit == k) for k in range(10)] for digit in y],
        loss="squared_error", lr=1.5, epochs=args.epochs, batch_size=5, shuffle=True, seed=args.seed, progress=True,
    )  # fmt: skip
    print(f"cost             {' '.join(f'{cost:.4f}' for cost in history.loss)}, epoch by epoch")
    print(f"after training   {accuracy(model, test_X, test_y):.1%} of the test images right")
    show.write_curve(history, args.out / "digits_loss.svg", args.open)


def read(parser: argparse.ArgumentParser, args: argparse.Namespace) -> tuple[Images, list[int], Images, list[int]]:
    """Images and labels to train and to test on; an error ends the program with what to do."""
    if args.mnist:
        try:
            return *mnist(args.mnist, "train", args.train), *mnist(args.mnist, "t10k", args.test)
        except (OSError, ValueError) as error:
            parser.error(str(error))
    try:
        images, digits = sklearn_digits()
    except ImportError:
        parser.error("without --mnist FOLDER the images come from scikit-learn, which is not installed (the extra `sklearn`)")
    order = random.Random(args.seed).sample(range(len(images)), len(images))
    train, test = order[: args.train], order[args.train :][: args.test]
    if not test:
        parser.error(f"--train {args.train} leaves none of the {len(images)} images for the test")
    return [images[i] for i in train], [digits[i] for i in train], [images[i] for i in test], [digits[i] for i in test]


def accuracy(model: MLP, X: Images, digits: list[int]) -> float:
    """The share of images whose largest output is that of their digit."""
    return sum(max(range(10), key=outputs.__getitem__) == digit for outputs, digit in zip(model.predict(X), digits, strict=True)) / len(X)


if __name__ == "__main__":
    main()
