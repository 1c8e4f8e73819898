"""A formula fitted to noisy data: a damped swing, its parameters, and how sure one may be of them.

    python -m demos.curve_fit

The swing is y(t) = a exp(-k t) cos(w t + p), seen at some times with noise. The sum of squared
errors is written down as it stands. `value_and_grad` and `hessian` make of it what SciPy's
trust-region Newton asks for, so nobody works out a derivative.

At the minimum the Hessian H says how sharp the valley is. With s² = Σ r² / (n - 4) for the noise,
the covariance of the parameters is 2 s² H⁻¹; its diagonal holds the squares of the standard errors.

SciPy comes with scikit-learn, the extra `sklearn`. The demo writes a plot of the data, of the curve
that it found, and of a band of two standard errors around the curve.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from typing import Any

from demos import show
from scalargrad import cos, exp, hessian, square, value_and_grad
from scalargrad import sum as total

TRUE = {"a": 2.0, "k": 0.3, "w": 2.5, "p": 0.6}
NOISE = 0.2
FIRST_GUESS = [1.0, 0.1, 2.3, 0.0]


def swing(p: Sequence[Any], t: float) -> Any:
    """a exp(-k t) cos(w t + p), at one time."""
    amplitude, decay, frequency, phase = p
    return amplitude * exp(-decay * t) * cos(frequency * t + phase)


def seen(count: int, seed: int) -> tuple[list[float], list[float]]:
    """Times from 0 to 10, and the swing at them with noise."""
    rng = random.Random(seed)
    times = [10 * i / (count - 1) for i in range(count)]
    return times, [swing([*TRUE.values()], t) + rng.gauss(0.0, NOISE) for t in times]


class Fit:
    """The parameters with the least squared errors, their covariance, and how the search went."""

    def __init__(self, times: Sequence[float], heights: Sequence[float], steps: int = 100) -> None:
        from numpy.linalg import inv
        from scipy.optimize import minimize

        def squares(p: Sequence[Any]) -> Any:
            return total(square(swing(p, t) - y) for t, y in zip(times, heights, strict=True))

        found = minimize(
            value_and_grad(squares), FIRST_GUESS, jac=True, hess=hessian(squares),
            method="trust-exact", options={"gtol": 1e-6, "maxiter": steps},
        )  # fmt: skip
        self.parameters: list[float] = found.x.tolist()
        self.steps: int = found.nit
        self.is_minimum = bool(found.success)
        self.noise = (found.fun / (len(times) - len(found.x))) ** 0.5
        self.covariance = 2 * self.noise**2 * inv(hessian(squares)(found.x))

    @property
    def errors(self) -> list[float]:
        """The standard error of each parameter."""
        return [float(variance) ** 0.5 for variance in self.covariance.diagonal()]

    def height(self, t: float) -> tuple[float, float]:
        """The curve at a time and its standard error √(gᵀ C g).

        g are its slopes by the parameters, C is their covariance.
        """
        y, slopes = value_and_grad(swing)(self.parameters, t)
        return y, float(slopes @ self.covariance @ slopes) ** 0.5


def main(argv: Sequence[str] | None = None) -> None:
    parser = show.options(__doc__, epochs=100)
    about_points = "how many points are seen (default 60)"
    parser.add_argument("--points", type=at_least_five, default=60, help=about_points)
    args = parser.parse_args(argv)

    times, heights = seen(args.points, args.seed)
    print(f"{len(times)} points of a exp(-k t) cos(w t + p), with noise of {NOISE}")
    try:
        fit = Fit(times, heights, args.epochs)
    except ImportError:
        parser.error(
            "the search for the minimum is scipy's, which is not installed: "
            "it comes with scikit-learn (the extra `sklearn`)"
        )
    if not fit.is_minimum:
        parser.error(
            f"no minimum was found in {args.epochs} steps: allow more of them with --epochs"
        )
    print(
        f"a minimum after {fit.steps} steps of Newton's method; "
        f"the noise is estimated at {fit.noise:.3f}"
    )

    print("\n        true     found   standard error   off by")
    for (name, true), found, error in zip(TRUE.items(), fit.parameters, fit.errors, strict=True):
        off = abs(found - true) / error
        print(f"{name}   {true:9.4f} {found:9.4f}        {error:9.4f}   {off:4.1f} of them")
    print()

    path = args.out / "curve_fit.svg"
    show.write_plot("fit", lambda ax: plot(ax, times, heights, fit), path, args.open)


def plot(ax: Any, times: Sequence[float], heights: Sequence[float], fit: Fit) -> None:
    """The data, the curve with its band, and the curve that the data were made from."""
    fine = [times[-1] * i / 400 for i in range(401)]
    curve = [fit.height(t) for t in fine]
    below, above = [y - 2 * e for y, e in curve], [y + 2 * e for y, e in curve]
    true = [swing([*TRUE.values()], t) for t in fine]
    blue, band = "#4c78a8", "± 2 standard errors"
    ax.fill_between(fine, below, above, color=blue, alpha=0.25, linewidth=0, label=band)
    ax.plot(fine, [y for y, _ in curve], color=blue, label="found")
    ax.plot(fine, true, color="#333333", linestyle="--", linewidth=1, label="true")
    ax.plot(times, heights, "o", color="#e45756", markersize=4, label="data")
    ax.set(xlabel="t", ylabel="y", title="a exp(−k t) cos(w t + p)")
    ax.legend()


def at_least_five(text: str) -> int:
    """A number of points, for argparse: four parameters and their errors take five."""
    number = int(text)
    if number < 5:
        raise argparse.ArgumentTypeError(
            f"{number} points are too few for four parameters, expected 5 or more"
        )
    return number


if __name__ == "__main__":
    main()
