"""The networks of `scalargrad.estimators` against scikit-learn's own: seconds of fit, and scores.

`python -m tests.benchmarks.estimators`
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.datasets import load_digits, make_moons
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as Theirs

from scalargrad.estimators import MLPClassifier as Ours

from .timing import UNHURRIED, Pace, goal, interleaved, machine

SEEDS = 3


def main(pace: Pace = UNHURRIED) -> None:
    images, labels = load_digits(return_X_y=True)
    tasks = {
        "digits, 64-100-10": ((images / 16.0, labels), {}),
        "moons, 2-16-16-1": (
            make_moons(1000, noise=0.2, random_state=0),
            {"hidden_layer_sizes": (16, 16), "learning_rate_init": 0.01},
        ),
    }
    warnings.simplefilter("ignore")  # about convergence
    for name, ((X, y), options) in tasks.items():
        train, test, wanted, rest = train_test_split(X, y, test_size=1 / 3, random_state=0)
        scores: dict[str, list[float]] = {"scikit-learn": [], "scalargrad": []}
        epochs: dict[str, list[int]] = {"scikit-learn": [], "scalargrad": []}
        for seed in range(SEEDS):
            for kind, library in ((Theirs, "scikit-learn"), (Ours, "scalargrad")):
                fitted = kind(**options, random_state=seed).fit(train, wanted)
                scores[library].append(fitted.score(test, rest))
                epochs[library].append(fitted.n_iter_)
        times = interleaved(
            {
                "scikit-learn": lambda a=train, b=wanted, o=options: Theirs(**o, random_state=0).fit(a, b),
                "scalargrad": lambda a=train, b=wanted, o=options: Ours(**o, random_state=0).fit(a, b),
            },
            pace,
        )  # fmt: skip
        print(
            f"\n{name}, {len(train)} rows; score: the mean of {SEEDS} seeds on {len(test)} others"
        )
        for library, seconds in times.items():
            each = f"{np.mean(epochs[library]):6.0f} epochs"
            print(f"  {library:14}{seconds:8.2f} s{each}   score {np.mean(scores[library]):.4f}")
        goal(
            f"{name}: time of fit",
            times["scalargrad"] / times["scikit-learn"],
            at_most=1.0,
            unit="×",
        )
        lost = 100 * (np.mean(scores["scikit-learn"]) - np.mean(scores["scalargrad"]))
        goal(f"{name}: score lost", float(lost), at_most=0.5, unit=" %")


if __name__ == "__main__":
    print(machine())
    main()
