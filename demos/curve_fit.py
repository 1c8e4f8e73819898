"""A formula fitted to noisy data: a damped swing, its parameters, and how sure one may be of them.

    python -m demos.curve_fit

The swing is y(t) = a exp(-k t) cos(w t + p), seen at some times with noise. `fit_formula` takes the
formula as it stands, so nobody works out a derivative. It prints each parameter with its standard
error, and the demo writes a plot of the data, the curve and the bands around it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from demos import show
from scalargrad import cos, exp, fit_formula

TRUE = {"a": 2.0, "k": 0.3, "w": 2.5, "p": 0.6}
NOISE = 0.2


def swing(t: Any, a: Any, k: Any, w: Any, p: Any) -> Any:
    """A damped swing at time t."""
    return a * exp(-k * t) * cos(w * t + p)


def main(argv: Sequence[str] | None = None) -> None:
    args = show.options(__doc__).parse_args(argv)
    rng = random.Random(args.seed)
    times = [i / 6 for i in range(60)]
    heights = [swing(t, **TRUE) + rng.gauss(0.0, NOISE) for t in times]
    fit = fit_formula(swing, times, heights, start={"a": 1, "k": 0.1, "w": 2.3, "p": 0})
    print(f"60 points of a exp(-k t) cos(w t + p) with {TRUE}, and noise of {NOISE}:\n\n{fit}\n")
    show.write_plot("fit", fit.plot, args.out / "curve_fit.svg", args.open)


if __name__ == "__main__":
    main()
