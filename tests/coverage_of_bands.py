"""The share of simulated data sets in which bands of `fit_formula` cover the truth.

    python -m tests.coverage_of_bands --count 2000

prints the share of data sets whose 95 % bands and intervals hold the true curve, a new y and the true
parameters. Binomial noise of 2,000 sets is ± 1 % at two standard errors.
"""

from __future__ import annotations

import argparse

import numpy as np

from scalargrad import exp, fit_formula

TRUE = {"a": 2.0, "k": 0.8, "c": 0.5}
T = np.linspace(0.0, 5.0, 25)
AT = np.array([0.3, 1.7, 4.0])


def decay(t, a, k, c):
    return a * exp(-k * t) + c


def shares(count, seed, sigma):
    """The shares by name; noise of 0.1, said beforehand where `sigma` is given."""
    rng = np.random.default_rng(seed)
    curve, at = (TRUE["a"] * np.exp(-TRUE["k"] * t) + TRUE["c"] for t in (T, AT))
    inside: dict[str, list[float]] = {"curve": [], "new y": [], **{name: [] for name in TRUE}}
    for _ in range(count):
        fit = fit_formula(
            decay, T, curve + rng.normal(0.0, 0.1, len(T)), TRUE, sigma,
            absolute_sigma=sigma is not None, backend="python",
        )  # fmt: skip
        new = at + rng.normal(0.0, 0.1, len(AT))
        for name, kind, right in (("curve", "confidence", at), ("new y", "prediction", new)):
            low, high = fit.band(AT, kind=kind, sigma=sigma)
            inside[name].append(np.mean((low <= right) & (right <= high)))
        for name, (low, high) in fit.intervals().items():
            inside[name].append(low <= TRUE[name] <= high)
    return {name: float(np.mean(found)) for name, found in inside.items()}


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.coverage_of_bands", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--count", type=int, default=2000, help="data sets (default 2000)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (default 0)")
    args = parser.parse_args()
    for title, sigma in (("noise from the residuals", None), ("noise given as sigma", 0.1)):
        found = shares(args.count, args.seed, sigma)
        print(f"{title:26}" + "   ".join(f"{name} {share:.3f}" for name, share in found.items()))


if __name__ == "__main__":
    main()
