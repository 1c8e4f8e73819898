"""FormulaRegressor: `fit_formula` by scikit-learn's rules.   (floor 3)"""

from __future__ import annotations

from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ..formulas import fit_formula
from ..functions import dot
from .weighted import checked_weights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


class FormulaRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A formula fitted to data by `fit_formula`, by scikit-learn's rules.

    >>> from scalargrad import exp
    >>> model = FormulaRegressor(lambda x, a, k: a * exp(-k * x[0]), {"a": 1.0, "k": 0.1})
    >>> fitted = model.fit([[0.0], [1.0], [2.0], [3.0]], [2.0, 1.2, 0.7, 0.4])
    >>> round(fitted.parameters_["a"], 3)
    2.006

    formula: a function of a row of X, a list of numbers, and of the parameters by name. Default
        None: b + w0 x[0] + w1 x[1] + …, which begins at 0.
    start: where each parameter begins, by name.
    bounds, loss, loss_scale, backend: as in `fit_formula`.

    `fit_` is the FormulaFit with errors and bands, `parameters_` the parameters by name.
    """

    def __init__(
        self,
        formula: Any = None,
        start: Any = None,
        *,
        bounds: Any = None,
        loss: str = "linear",
        loss_scale: float = 1.0,
        backend: str = "auto",
    ) -> None:
        self.formula, self.start, self.bounds = formula, start, bounds
        self.loss, self.loss_scale, self.backend = loss, loss_scale, backend

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the parameters to rows X and numbers y; a row's weight is 1 / sigma²."""
        X, y = validate_data(self, X, y, y_numeric=True, dtype=float)
        weights = checked_weights(sample_weight, X)
        sigma = None
        if weights is not None:
            X, y, sigma = X[weights > 0], y[weights > 0], weights[weights > 0] ** -0.5
        formula, start = self.formula, self.start
        if formula is None:
            formula, start = plane, {"b": 0.0, **{f"w{i}": 0.0 for i in range(X.shape[1])}}
        self.fit_ = fit_formula(
            formula, X, y, start, sigma=sigma, bounds=self.bounds, loss=self.loss,
            loss_scale=self.loss_scale, backend=self.backend,
        )  # fmt: skip
        self.parameters_ = self.fit_.parameters
        return self

    def predict(self, X: Any) -> Any:
        """The formula's number for each row."""
        check_is_fitted(self)
        return self.fit_.predict(validate_data(self, X, reset=False, dtype=float))


def plane(x: Any, b: Any, **w: Any) -> Any:
    """The formula where none is given."""
    return dot([*w.values()], x, b)
