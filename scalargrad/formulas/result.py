"""FormulaFit: what a fit has found, with errors, intervals, bands and a table.   (floor 3)"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from ..checks import one_of, quoted
from ..nn.plots import axes
from ..nn.rows import checked_array
from .search import sum_of_squares

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .compiled import Data, Formula

TOO_FAR = "doubles cannot hold the squares of such numbers: divide x or y by a power of ten"


class Band(NamedTuple):
    """The lower and the upper edge of a band, an array each."""

    low: Any
    high: Any


class FormulaFit:
    """A formula fitted to data: `fit_formula` returns it; printed, it is a table.

    parameters: each parameter's value, by name.
    errors: each parameter's standard error, by name; None if `problem` says why there are none.
    problem: a sentence that says why errors cannot be estimated; "" if they can.
    covariance, correlations: of the parameters, in the order of `parameters`; or None.
    residuals: y minus the formula, for each row; not divided by sigma.
    degrees_of_freedom: rows less parameters.
    deviation: the standard deviation of the residuals (divided by sigma, where it was given).
    r_squared: the part of y's variance that the formula explains; None if y has none, or where a
        loss other than "linear" gives rows weights of its own.
    """

    def __init__(
        self, formula: Formula, found: Any, data: Data, is_absolute: bool, first: Any
    ) -> None:
        self._formula, self._data, self._is_absolute = formula, data, is_absolute
        self.evaluations = int(found.nfev)
        self.parameters = dict(zip(formula.names, found.x.tolist()))
        self.residuals = data.y - formula.values(found.x, data.x)
        self.degrees_of_freedom = len(data.y) - len(found.x)
        cost, freedom = 2.0 * float(found.cost), self.degrees_of_freedom
        self.deviation: Any = (cost / freedom) ** 0.5 if freedom > 0 else None
        self.covariance, self.problem = self._covariance(found, abs(first))

    def _covariance(self, found: Any, first: Any) -> tuple[Any, str]:
        """The covariance of the parameters, or None and a sentence that says why not."""
        import numpy

        names = [*self.parameters]
        at_bound = [name for name, side in zip(names, found.active_mask) if side]
        if at_bound:
            is_one = len(at_bound) == 1
            return None, (
                f"{' and '.join(at_bound)} {'lies' if is_one else 'lie'} at a bound, where "
                "standard errors mean nothing: leave the bound out, or make it a constant"
            )
        if self.degrees_of_freedom <= 0 and not self._is_absolute:
            return None, (
                f"{len(self._data.y)} rows for {len(names)} parameters leave no degree of freedom "
                "to estimate the noise from: take more rows, or give sigma and absolute_sigma=True"
            )
        with numpy.errstate(over="ignore"):
            scale = numpy.sqrt((found.jac**2).sum(axis=0))
        size = numpy.finfo(float).eps * sum_of_squares(self._data.y / self._data.sigma) ** 0.5
        if not numpy.isfinite([*scale, size]).all() or (found.jac[:, scale == 0.0] != 0.0).any():
            return None, TOO_FAR
        reach = numpy.maximum(abs(found.x), numpy.where(first > 0.0, first, 1.0))
        for name, effect, value in zip(names, scale, reach):
            if effect == 0.0 or value * effect <= size:
                return None, f"the formula does not depend on {name} where the search ended"
        _, sizes, turns = numpy.linalg.svd(found.jac / scale, full_matrices=False)
        if sizes[-1] < max(found.jac.shape) * numpy.finfo(float).eps * sizes[0]:
            mixed = quoted([n for n, part in zip(names, turns[-1]) if abs(part) > 0.1])
            return None, f"the data do not tell {mixed} apart: fix one of them, or take other data"
        inverse = (turns.T / sizes) / scale[:, None]
        with numpy.errstate(over="ignore", invalid="ignore"):
            noise = 1.0 if self._is_absolute else self.deviation
            covariance = (noise * inverse) @ (noise * inverse).T
        if noise > 0.0 and not covariance.diagonal().min() >= numpy.finfo(float).tiny:
            return None, TOO_FAR
        return (covariance, "") if numpy.isfinite(covariance).all() else (None, TOO_FAR)

    @property
    def r_squared(self) -> float | None:
        """The part of y's variance that the formula explains, where that means something."""
        import numpy

        y, sigma = self._data.y, self._data.sigma
        weights = sigma**-2.0 if numpy.ndim(sigma) else None
        total = sum_of_squares((y - numpy.average(y, weights=weights)) / sigma)
        is_plain = 0.0 < total < inf and self._data.loss == "linear"
        return 1.0 - sum_of_squares(self.residuals / sigma) / total if is_plain else None

    @property
    def errors(self) -> dict[str, float] | None:
        """The standard error of each parameter, by name."""
        if self.covariance is None:
            return None
        return dict(zip(self.parameters, (self.covariance.diagonal() ** 0.5).tolist()))

    @property
    def correlations(self) -> Any:
        """The correlations of the parameters, in the order of `parameters`."""
        if self.covariance is None:
            return None
        sizes = self.covariance.diagonal() ** 0.5
        return self.covariance / sizes / sizes[:, None]

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """For each parameter an interval that covers the true one in `level` of all data sets."""
        errors, times = self._needed(), self._quantile(level)
        return {
            name: (value - times * errors[name], value + times * errors[name])
            for name, value in self.parameters.items()
        }

    def predict(self, x: Any) -> Any:
        """The formula's numbers for other rows: an array."""
        return self._formula.values([*self.parameters.values()], self._rows(x))

    def _rows(self, x: Any) -> Any:
        """Rows that are like those of the data, checked."""
        found, known = checked_array(x, "x"), self._data.x
        if found.shape[1:] != known.shape[1:]:
            (has, had) = (f"{a.shape[1]} numbers" if a.ndim > 1 else "one" for a in (found, known))
            raise ValueError(f"a row of x has {has}, and that of the data had {had}")
        return found

    def band(
        self, x: Any, level: float = 0.95, kind: str = "confidence", sigma: Any = None
    ) -> Band:
        """The edges of a band around the curve at some rows.

        kind: "confidence" for where the curve lies, "prediction" for where another y would lie.
        sigma: of the new y, for a prediction of data that were fitted with sigma. Default 1.
        """
        import numpy

        one_of("kind", kind, ("confidence", "prediction"))
        if kind == "confidence" and sigma is not None:
            raise ValueError("sigma is that of a new y: write kind='prediction' too")
        self._needed()
        at, rows = [*self.parameters.values()], self._rows(x)
        values, columns = self._formula.values_and_slopes(at, rows)
        slopes = numpy.array(columns, dtype=float)
        variance = numpy.einsum("ji,jk,ki->i", slopes, self.covariance, slopes)
        if kind == "prediction":
            noise = 1.0 if self._is_absolute else self.deviation
            spread = numpy.asarray(1.0 if sigma is None else sigma, dtype=float)
            if spread.shape not in ((), values.shape) or not (spread > 0.0).all():
                raise ValueError("sigma must be a number above 0, or one for each row of x")
            variance += (noise * spread) ** 2
        half = self._quantile(level) * numpy.sqrt(variance)
        return Band(values - half, values + half)

    def summary(self) -> str:
        """A table of the parameters with errors and 95 % intervals, and how well they fit."""
        rows = [("", "value", "std. error", "95 % interval")]
        errors = self.errors
        inside = self.intervals() if errors else {}
        for name, value in self.parameters.items():
            edges = f"{inside[name][0]:.6g} … {inside[name][1]:.6g}" if errors else "–"
            rows.append((name, f"{value:.8g}", f"{errors[name]:.3g}" if errors else "–", edges))
        sizes = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(f"{cell:>{n}}" for cell, n in zip(row, sizes)) for row in rows]
        told = [f"{len(self.residuals)} rows", f"{self.degrees_of_freedom} degrees of freedom"]
        told += [f"deviation {self.deviation:.4g}"] if self.deviation is not None else []
        told += [f"R² {self.r_squared:.6g}"] if self.r_squared is not None else []
        lines.append(", ".join(told))
        return "\n".join([*lines, *[f"No standard errors: {self.problem}."] * bool(self.problem)])

    __repr__ = summary

    def plot(self, ax: Any = None, level: float = 0.95) -> Any:
        """Draw the data, the curve and its bands on matplotlib Axes, and return the Axes.

        A formula of several inputs is drawn as predictions against y.
        """
        import numpy

        ax = axes(ax, "plot")
        x, y = self._data.x, self._data.y
        if x.ndim == 2:
            ax.plot(y, y - self.residuals, ".")
            ax.axline((float(y.mean()), float(y.mean())), slope=1.0, color="gray")
            ax.set(xlabel="y", ylabel="the formula")
            return ax
        spread = self._data.sigma if self._data.has_sigma else None
        ax.errorbar(x, y, yerr=spread, fmt=".", color="gray", label="data")
        grid = numpy.linspace(x.min(), x.max(), 400)
        ax.plot(grid, self.predict(grid), label="the formula")
        if not self.problem:
            for kind, alpha in (("confidence", 0.3), ("prediction", 0.12)):
                if kind == "confidence" or spread is None:
                    low, high = self.band(grid, level, kind)
                    label = f"{100 * level:g} % {kind} band"
                    ax.fill_between(grid, low, high, alpha=alpha, color="C0", label=label)
        ax.legend()
        return ax

    def _needed(self) -> dict[str, float]:
        if self.errors is None:
            raise ValueError(f"no errors can be estimated: {self.problem}")
        return self.errors

    def _quantile(self, level: float) -> float:
        from scipy.stats import norm, t

        if not 0.0 < level < 1.0:
            raise ValueError(f"level must lie between 0 and 1, got {level}: write 0.95 for 95 %")
        both = 0.5 + level / 2.0
        freedom = self.degrees_of_freedom
        return float(norm.ppf(both) if self._is_absolute else t.ppf(both, freedom))
