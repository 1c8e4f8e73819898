"""Handwritten digits: a 784-16-16-10 network of sigmoids, with 13,002 scalar parameters.

    python -m demos.digits                     # scikit-learn's digits, scaled up to 28 × 28
    python -m demos.digits --mnist FOLDER      # MNIST's IDX files, gzipped or not

The cost of an example is Σ (a − y)² over the ten outputs; that of a batch is the mean over its
examples. Each parameter is a Value, yet training is quick: `fit` compiles the scalars to the
matrices of the tutorial. In a few seconds it goes through scikit-learn's images 40 times, and is
then right about some nineteen in twenty of the 360 that it has not seen. With --engine eager each
step is made on Values, to be looked at, some 200 times slower: lower --train and --epochs.
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
    parser = options()
    args = parser.parse_args(argv)
    X, y, test_X, test_y = read(parser, args)

    model = MLP(
        784, [16, 16, 10], activation="sigmoid", output_activation="sigmoid", seed=args.seed
    )
    print(
        f"784-16-16-10: {len(model.parameters()):,} parameters, {len(X):,} images, "
        f"{len(test_X):,} others for the test"
    )
    print(f"before training  {accuracy(model, test_X, test_y):.1%} of the test images right")
    steps = args.epochs * ceil(len(X) / BATCH)
    history = model.fit(
        X, [[float(digit == k) for k in range(10)] for digit in y], loss="squared_error",
        lr=lambda step: RATE * (1 - step / steps), epochs=args.epochs, batch_size=BATCH,
        shuffle=True, seed=args.seed, engine=args.engine, progress=True,
    )  # fmt: skip
    shown = " ".join(f"{cost:.4f}" for cost in history.loss[:: max(1, len(history.loss) // 10)])
    print(f"cost             {shown}, as it fell in {history.seconds:.1f} s")
    print(f"after training   {accuracy(model, test_X, test_y):.1%} of the test images right")
    show.write_curve(history, args.out / "digits_loss.svg", args.open)


def options() -> argparse.ArgumentParser:
    parser, count = show.options(__doc__, epochs=40), show.at_least_one
    parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="where MNIST's four files are")
    parser.add_argument("--train", type=count, help="images to train on (default: all others)")
    parser.add_argument("--test", type=count, default=360, help="images to test on (default 360)")
    parser.add_argument(
        "--engine", choices=("compiled", "eager"), default="compiled",
        help="what makes the steps (default compiled)",
    )  # fmt: skip
    return parser


def read(
    parser: argparse.ArgumentParser, args: argparse.Namespace
) -> tuple[Images, list[int], Images, list[int]]:
    """Images and labels to train and to test on; an error ends the program with what to do."""
    if args.mnist:
        try:
            train = mnist(args.mnist, "train", args.train or 60_000)
            return *train, *mnist(args.mnist, "t10k", args.test)
        except (OSError, ValueError) as error:
            parser.error(str(error))
    try:
        images, digits = sklearn_digits()
    except ImportError:
        parser.error(
            "without --mnist FOLDER the images come from scikit-learn, "
            "which is not installed (the extra `sklearn`)"
        )
    order = random.Random(args.seed).sample(range(len(images)), len(images))
    X, y = [images[i] for i in order], [digits[i] for i in order]
    count = args.train or max(1, len(X) - args.test)
    if count >= len(X):
        parser.error(f"--train {count} leaves none of the {len(X)} images for the test")
    end = count + args.test
    return X[:count], y[:count], X[count:end], y[count:end]


def accuracy(model: MLP, X: Images, digits: list[int]) -> float:
    """The share of images whose largest output is that of their digit."""
    answers = [max(range(10), key=outputs.__getitem__) for outputs in model.predict(X)]
    return sum(answer == digit for answer, digit in zip(answers, digits, strict=True)) / len(X)


if __name__ == "__main__":
    main()
