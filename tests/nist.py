"""NIST's reference data for nonlinear regression: 27 sets with certified parameters and standard errors.

    python -m tests.nist

fits each from both of its starts and prints how many digits agree. Data and certified values, to 11 digits,
are from https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml (public domain); the table in `nist.json`
has one set after the other. `digits` is the log relative error that NIST proposes.
"""

from __future__ import annotations

import argparse
import json
from math import inf, log10, pi
from pathlib import Path

from scalargrad import arctan, cos, exp, log, sin

SETS = json.loads(Path(__file__).with_name("nist.json").read_text())


def cubic_over_cubic(x, b1, b2, b3, b4, b5, b6, b7):
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


def two_peaks(x, b1, b2, b3, b4, b5, b6, b7, b8):
    peaks = b3 * exp(-((x - b4) ** 2) / b5**2) + b6 * exp(-((x - b7) ** 2) / b8**2)
    return b1 * exp(-b2 * x) + peaks


def three_decays(x, b1, b2, b3, b4, b5, b6):
    return b1 * exp(-b2 * x) + b3 * exp(-b4 * x) + b5 * exp(-b6 * x)


def enso(x, b1, b2, b3, b4, b5, b6, b7, b8, b9):
    t = 2 * pi * x
    year = b2 * cos(t / 12) + b3 * sin(t / 12)
    return b1 + year + b5 * cos(t / b4) + b6 * sin(t / b4) + b8 * cos(t / b7) + b9 * sin(t / b7)


def saturating(x, b1, b2):
    return b1 * (1 - exp(-b2 * x))


def chwirut(x, b1, b2, b3):
    return exp(-b1 * x) / (b2 + b3 * x)


FORMULAS = {
    "Bennett5": lambda x, b1, b2, b3: b1 * (b2 + x) ** (-1 / b3),
    "BoxBOD": saturating, "Chwirut1": chwirut, "Chwirut2": chwirut,
    "DanWood": lambda x, b1, b2: b1 * x**b2,
    "ENSO": enso,
    "Eckerle4": lambda x, b1, b2, b3: b1 / b2 * exp(-0.5 * ((x - b3) / b2) ** 2),
    "Gauss1": two_peaks, "Gauss2": two_peaks, "Gauss3": two_peaks,
    "Hahn1": cubic_over_cubic, "Thurber": cubic_over_cubic,
    "Kirby2": lambda x, b1, b2, b3, b4, b5: (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2),
    "Lanczos1": three_decays, "Lanczos2": three_decays, "Lanczos3": three_decays,
    "MGH09": lambda x, b1, b2, b3, b4: b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4),
    "MGH10": lambda x, b1, b2, b3: b1 * exp(b2 / (x + b3)),
    "MGH17": lambda x, b1, b2, b3, b4, b5: b1 + b2 * exp(-x * b4) + b3 * exp(-x * b5),
    "Misra1a": saturating,
    "Misra1b": lambda x, b1, b2: b1 * (1 - (1 + b2 * x / 2) ** -2),
    "Misra1c": lambda x, b1, b2: b1 * (1 - (1 + 2 * b2 * x) ** -0.5),
    "Misra1d": lambda x, b1, b2: b1 * b2 * x / (1 + b2 * x),
    "Nelson": lambda x, b1, b2, b3: b1 - b2 * x[0] * exp(-b3 * x[1]),
    "Rat42": lambda x, b1, b2, b3: b1 / (1 + exp(b2 - b3 * x)),
    "Rat43": lambda x, b1, b2, b3, b4: b1 / (1 + exp(b2 - b3 * x)) ** (1 / b4),
    "Roszman1": lambda x, b1, b2, b3, b4: b1 - b2 * x - arctan(b3 / (x - b4)) / pi,
}  # fmt: skip


def data(name):
    """x and y of a set; of Nelson, whose formula is of log y, the log."""
    y = SETS[name]["y"]
    return SETS[name]["x"], [log(v) for v in y] if name == "Nelson" else y


def digits(got, certified):
    """The least number of digits in which the numbers agree with the certified ones, 11 at most."""
    worst = max(abs(got[name] - right) / abs(right) for name, right in certified.items())
    return min(11.0, -log10(worst)) if worst else 11.0


def fitted(name, start):
    from scalargrad import fit_formula

    return fit_formula(FORMULAS[name], *data(name), start=SETS[name][start], backend="numpy")


def report(name, start):
    """Digits of the parameters and of the errors; None where the search failed, and why."""
    try:
        fit = fitted(name, start)
    except (RuntimeError, ValueError) as error:
        return None, None, str(error)
    parameters = digits(fit.parameters, SETS[name]["parameters"])
    errors = -inf if fit.errors is None else digits(fit.errors, SETS[name]["errors"])
    return parameters, errors, fit.problem


def main():
    argparse.ArgumentParser(
        prog="python -m tests.nist", description=(__doc__ or "").partition("\n")[0]
    ).parse_args()
    for start in ("start 2", "start 1"):
        good = []
        print(f"{start}: digits of the parameters, digits of the standard errors")
        for name in SETS:
            parameters, errors, problem = report(name, start)
            shown = "failed" if parameters is None else f"{parameters:6.1f} {errors:6.1f}"
            print(f"  {name:10} {shown}  {problem}")
            good.append(parameters is not None and parameters >= 7)
        print(f"  {sum(good)} of {len(SETS)} with 7 digits or more")


if __name__ == "__main__":
    main()
