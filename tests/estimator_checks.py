"""scikit-learn's own checks of the estimators, all of them, without an expected failure.

python -m tests.estimator_checks
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter

import sklearn
from sklearn.utils.estimator_checks import check_estimator

from scalargrad.estimators import FormulaRegressor, MLPClassifier, MLPRegressor

SMALL = {"hidden_layer_sizes": (8,), "max_iter": 30, "learning_rate_init": 0.03}
ESTIMATORS = [FormulaRegressor(), MLPRegressor(**SMALL), MLPClassifier(**SMALL)]


def failures(estimator):
    """The results of all checks, counted, and the failed ones with their errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(estimator, on_fail=None)
    failed = [
        (each["check_name"], each["exception"]) for each in found if each["status"] == "failed"
    ]
    return Counter(each["status"] for each in found), failed


def main():
    argparse.ArgumentParser(
        prog="python -m tests.estimator_checks", description=(__doc__ or "").partition("\n")[0]
    ).parse_args()
    count = 0
    for estimator in ESTIMATORS:
        counts, failed = failures(estimator)
        count += len(failed)
        told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
        print(f"scikit-learn {sklearn.__version__}, {type(estimator).__name__}: {told}")
        for name, error in failed:
            print(f"    {name}: {type(error).__name__}: {error}")
    sys.exit(count > 0)


if __name__ == "__main__":
    main()
