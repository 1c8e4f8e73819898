"""Estimators by scikit-learn's rules: MLPClassifier, MLPRegressor, FormulaRegressor.   (floor 3)

>>> from sklearn.datasets import make_moons
>>> X, y = make_moons(100, noise=0.1, random_state=0)
>>> MLPClassifier([16], learning_rate_init=0.05, random_state=0).fit(X, y).score(X, y) > 0.95
True

They go into pipelines, grid searches and pickles. Arguments have the names and the defaults of
scikit-learn's own networks; activations and the loss may be functions of Values.
"""

try:
    from sklearn.utils.validation import validate_data as _since_1_6  # noqa: F401
except ImportError as error:
    raise ImportError(
        "scalargrad.estimators needs scikit-learn 1.6 or later, the 'sklearn' extra: "
        "pip install 'scikit-learn>=1.6'"
    ) from error

from .exporting import export
from .formula import FormulaRegressor, plane
from .networks import MLPClassifier, MLPRegressor

_plane = plane  # as an estimator that was pickled earlier names it

__all__ = ["FormulaRegressor", "MLPClassifier", "MLPRegressor", "export"]
