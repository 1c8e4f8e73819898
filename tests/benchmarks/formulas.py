"""fit_formula against SciPy's curve_fit, which takes differences: a decay, and two peaks on it.

`python -m tests.benchmarks.formulas`
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import curve_fit

from scalargrad import exp, fit_formula

from .timing import UNHURRIED, Pace, goal, interleaved, machine


def decay(e, t, a, k, c):
    return a * e(-k * t) + c


def peaks(e, t, a, k, b, m, s, d, n, r):
    return a * e(-k * t) + b * e(-(((t - m) / s) ** 2)) + d * e(-(((t - n) / r) ** 2))


TASKS = {
    "decay": (decay, {"a": 3, "k": 0.7, "c": 1}, {"a": 1, "k": 0.1, "c": 0}),
    "two peaks": (
        peaks,
        {"a": 3, "k": 0.3, "b": 2, "m": 1.5, "s": 0.4, "d": 1, "n": 3.5, "r": 0.6},
        {"a": 2, "k": 0.2, "b": 1, "m": 1.4, "s": 0.5, "d": 0.7, "n": 3.4, "r": 0.5},
    ),
}


def main(pace: Pace = UNHURRIED) -> None:
    rng = np.random.default_rng(0)
    for name, (formula, true, start) in TASKS.items():
        for rows in (1_000, 100_000):
            t = rng.uniform(0.0, 5.0, rows)
            y = formula(np.exp, t, *true.values()) + rng.normal(0.0, 0.1, rows)
            names = ", ".join(true)
            # both take the names of the parameters from the function's signature
            ours = eval(f"lambda t, {names}: f(e, t, {names})", {"f": formula, "e": exp})
            hand = eval(f"lambda t, {names}: f(e, t, {names})", {"f": formula, "e": np.exp})
            runs = {
                "curve_fit": lambda h=hand, t=t, y=y, p=start: curve_fit(h, t, y, [*p.values()]),
                **{
                    f"fit_formula, {backend}": lambda f=ours, t=t, y=y, p=start, b=backend: (
                        fit_formula(f, t, y, p, backend=b)
                    )
                    for backend in ("auto", "numpy", "native")
                },
            }
            gap = [*fit_formula(ours, t, y, start).parameters.values()] - runs["curve_fit"]()[0]
            times = interleaved(runs, pace)
            print(
                f"\n{name}, {len(true)} parameters, {rows:,} rows; largest difference {max(abs(gap)):.0e}"
            )
            for run, seconds in times.items():
                print(f"  {run:30}{seconds * 1e3:10.2f} ms{seconds / times['curve_fit']:8.2f}×")
            if rows == 100_000:
                ratio = times["fit_formula, auto"] / times["curve_fit"]
                goal(f"{name}: fit_formula against curve_fit", ratio, at_most=0.5, unit="×")


if __name__ == "__main__":
    print(machine())
    main()
