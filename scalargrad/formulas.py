"""fit_formula: the parameters of a formula that fits data, with their errors.   (floor 3)

SciPy's `least_squares` does the search. It asks for the formula's numbers in all rows, and for
their slopes by each parameter: `compile` turns the formula into code for both.
"""

from __future__ import annotations

from copy import copy
from inspect import signature
from math import inf
from types import FunctionType
from typing import NamedTuple

from .arithmetic.conversion import to_float
from .compiler import compile
from .nn.checks import look_up, quoted, whole_number
from .nn.optimizers import positive
from .nn.plots import axes
from .nn.rows import checked_array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

LOSSES = {name: name for name in ("linear", "soft_l1", "huber", "cauchy", "arctan")}
CACHE = 131072  # numbers that stay near the processor, 1 MB
PIECE, DOT = 32_000, 8192  # numbers of a table, of a column: few enough for a single thread
ALIKE = 1e-3  # where less of a column stands apart from the others, products lose its digits
KEPT = 16  # formulas that another fit finds compiled
MOST_POLISHING = 5  # steps
TOO_FAR = "doubles cannot hold the squares of such numbers: divide x or y by a power of ten"
TOLERANCE = 1e-15  # of SciPy's search: near what doubles can tell apart


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
        self, formula: _Formula, found: Any, data: _Data, is_absolute: bool, first: Any
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
        size = numpy.finfo(float).eps * _sum_of_squares(self._data.y / self._data.sigma) ** 0.5
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
        total = _sum_of_squares((y - numpy.average(y, weights=weights)) / sigma)
        is_plain = 0.0 < total < inf and self._data.loss == "linear"
        return 1.0 - _sum_of_squares(self.residuals / sigma) / total if is_plain else None

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

        look_up("kind", kind, dict.fromkeys(("confidence", "prediction")))
        if kind == "confidence" and sigma is not None:
            raise ValueError("sigma is that of a new y: write kind='prediction' too")
        self._needed()
        values, slopes = self._formula.slopes([*self.parameters.values()], self._rows(x))
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


def fit_formula(
    f: Callable[..., Any],
    x: Any,
    y: Any,
    start: Mapping[str, float],
    sigma: Any = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    loss: str = "linear",
    absolute_sigma: bool = False,
    loss_scale: float = 1.0,
    max_evaluations: int | None = None,
    backend: str = "auto",
) -> FormulaFit:
    """Find the parameters with which a formula fits data best, by least squares.

    >>> from scalargrad import exp, fit_formula
    >>> t = [0.0, 1.0, 2.0, 3.0, 4.0]
    >>> y = [2.01, 1.21, 0.74, 0.44, 0.28]
    >>> fit = fit_formula(lambda t, a, k: a * exp(-k * t), t, y, start={"a": 1, "k": 0.1})
    >>> fit
            value  std. error        95 % interval
    a   2.0075483     0.00746    1.98382 … 2.03128
    k  0.50132723     0.00363  0.489766 … 0.512889
    5 rows, 3 degrees of freedom, deviation 0.007895, R² 0.999904

    f: the formula, of a row of x and the parameters by name: a function of scalars, as `compile`
        takes it.
    x: a number a row, or a list of them, as an array, list or data frame. y: a number a row.
    start: where the search begins, by name. A good guess saves a bad search.
    sigma: the standard deviation of each y, or of all. It weighs rows; with `absolute_sigma` it is
        also taken for the noise, instead of what the residuals say.
    bounds: by name, the least and the greatest value: {"k": (0, None)}.
    loss: "linear", or one that outliers weigh less in: "soft_l1", "huber", "cauchy", "arctan", with
        `loss_scale`, the residual from which on they do. Errors are then an approximation.
    max_evaluations: the search stops with RuntimeError after so many. Default: 1000 a parameter.
    backend: as in `compile`.

    ValueError says what is wrong with data, names or bounds. Source: SciPy's `least_squares`, by
    Levenberg and Marquardt's method without bounds, else by trust regions.
    """
    import numpy

    least_squares = _least_squares()
    names = _names(f, start)
    data = _Data(x, y, sigma, look_up("loss", loss, LOSSES))
    first = numpy.array([to_float(start[name], name) for name in names])
    low, high = _bounds(names, {} if bounds is None else bounds, first)
    is_bounded = numpy.isfinite([low, high]).any()
    formula = _formula_of(f, names, backend)
    limit = 1000 * len(names)
    if max_evaluations is not None:
        limit = whole_number("max_evaluations", max_evaluations)

    free = not is_bounded and loss == "linear" and len(data.y) >= len(names)
    squares = _Search(formula, data)
    search = squares if loss == "linear" else _RobustSearch(formula, data)
    with numpy.errstate(all="ignore"):
        _check_start(search, first)
        begun = first
        if (
            len(data.y) < len(names) and not is_bounded
        ):  # of many minima, the one nearest to the start
            first = squares.polished(first)
        found = least_squares(
            search.residuals, first, search.slopes, (low, high), method="lm" if free else "trf",
            ftol=TOLERANCE, xtol=TOLERANCE, gtol=TOLERANCE, x_scale="jac", loss=loss,
            f_scale=positive("loss_scale", loss_scale), max_nfev=limit,
        )  # fmt: skip
        if found.status <= 0:
            raise RuntimeError(
                f"the search did not end within {found.nfev} evaluations: choose a start that is "
                "nearer, or a greater max_evaluations"
            )
        if free:
            found.x = squares.polished(found.x)
            found.jac = squares.slopes(found.x)
            found.cost = _sum_of_squares(squares.residuals(found.x)) / 2.0
    return FormulaFit(formula, found, data, absolute_sigma, begun)


def _check_start(search: _Search | _RobustSearch, first: Any) -> None:
    """Refuse a start where the formula or a slope is not finite; name the first such row."""
    import numpy

    try:
        slopes = search.slopes(first)
    except TypeError as error:
        if search.data.x.ndim == 2:
            columns = search.data.x.shape[1]
            error.add_note(f"a row of x is a list, of length {columns}: x[0] is its first number")
        raise
    if not numpy.isfinite(slopes).all():
        table = search.formula.table(first, search.data)
        what, at = numpy.argwhere(~numpy.isfinite(table[::-1]))[0]
        name = search.formula.names[-what] if what else ""
        raise ValueError(
            f"{f'the slope by {name}' if what else 'the formula'} is {table[-1 - what, at]} in row "
            f"{at} of x, {search.data.x[at]}, where the search begins: choose another start"
        )


class _RobustSearch:
    """Residuals, each divided by its sigma, and their slopes, a column for each parameter."""

    def __init__(self, formula: _Formula, data: _Data) -> None:
        self.formula, self.data = formula, data

    def residuals(self, p: Any) -> Any:
        return self.formula.table(p, self.data)[-1]

    def slopes(self, p: Any) -> Any:
        return self.formula.table(p, self.data)[:-1].T


class _Search(_RobustSearch):
    """The same for plain squares, in fewer rows: those of R, where [slopes | r] = Q R.

    A search by least squares looks at lengths and products of the columns only, which Q keeps. So
    a hundred thousand rows cost it no more than a hundred. R of many rows is the root of the
    columns' products, which are summed block by block, as long as these tell the columns apart.
    """

    def __init__(self, formula: _Formula, data: _Data) -> None:
        super().__init__(formula, data)
        self.seen: dict[bytes, Any] = {}  # the two latest
        self.blocks = data.blocks(CACHE // (len(formula.names) + 2))
        self.is_doubtful = len(self.blocks) == 1

    def reduced(self, p: Any) -> Any:
        """R at some parameters; it is remembered, since a search asks for it again."""
        import numpy

        key = numpy.asarray(p).tobytes()
        if key not in self.seen:
            root = None
            if not self.is_doubtful:
                root = _root(sum(self.formula.products(p, block) for block in self.blocks))
                self.is_doubtful = root is None
            if root is None:
                made = [_triangle(self.formula.table(p, block).T) for block in self.blocks]
                root = _triangle(numpy.concatenate(made)) if len(made) > 1 else made[0]
            whole = numpy.isfinite(root).all()
            self.seen[key] = root if whole else numpy.full_like(root, numpy.nan)
            if len(self.seen) > 2:
                del self.seen[next(iter(self.seen))]
        return self.seen[key]

    def residuals(self, p: Any) -> Any:
        return self.reduced(p)[:, -1]

    def slopes(self, p: Any) -> Any:
        return self.reduced(p)[:, :-1]

    def polished(self, p: Any) -> Any:
        """Parameters after a few steps of Gauss and Newton's, as long as the gradient shrinks.

        The search stops where the sum of squares no longer falls, which a double shows in half of
        the digits only; the gradient shows in all of them where the minimum is.
        """
        import numpy

        def steepness(p: Any) -> float:
            slopes, scale = self.slopes(p), numpy.sqrt((self.slopes(p) ** 2).sum(axis=0))
            return float(numpy.linalg.norm(self.residuals(p) @ (slopes / scale)))

        now = steepness(p)
        for _ in range(MOST_POLISHING):
            if not self.slopes(p).any(axis=0).all():
                break
            shift = numpy.linalg.lstsq(self.slopes(p), self.residuals(p), rcond=None)[0]
            if (abs(shift) <= numpy.finfo(float).eps * abs(p)).all():
                break
            nearer = p - shift
            then = steepness(nearer)
            if not then < now:
                break
            p, now = nearer, then
        return p


def _sum_of_squares(numbers: Any) -> float:
    import numpy

    with numpy.errstate(over="ignore"):
        return float(numpy.square(numbers).sum())


def _triangle(table: Any) -> Any:
    """R of table = Q R. Tall tables go in pieces: on those, LAPACK would share out trifles."""
    import numpy
    from scipy.linalg import get_lapack_funcs

    (factored,) = get_lapack_funcs(("geqrf",), (numpy.empty(0),))
    rows, columns = table.shape
    most = max(2 * columns, PIECE // columns)
    if rows > most:
        parts = [_triangle(table[i : i + most]) for i in range(0, rows, most)]
        return _triangle(numpy.concatenate(parts))
    return numpy.triu(factored(table)[0][:columns])


def _root(products: Any) -> Any:
    """R of Rᵀ R = products of columns, a lower triangle; None where these are too much alike."""
    import numpy

    scale = numpy.sqrt(products.diagonal())
    try:
        root = numpy.linalg.cholesky(products / scale / scale[:, None]).T
    except numpy.linalg.LinAlgError:
        return None
    return root * scale if root.diagonal().min() > ALIKE else None  # nan is not more


_made: dict[Any, _Formula] = {}  # the latest, for another fit


def _formula_of(f: Callable[..., Any], names: list[str], backend: str) -> _Formula:
    """The formula, compiled, as it may be already: what it reads from elsewhere may change."""
    is_plain = isinstance(f, FunctionType) and not (
        f.__closure__ or f.__defaults__ or f.__kwdefaults__
    )
    function = (f.__code__, id(f.__globals__)) if is_plain else id(f)
    key = function, *names, backend
    made = _made.get(key)
    if made is None:
        if len(_made) >= KEPT:
            _made.clear()
        made = _made[key] = _Formula(f, names, backend)  # which keeps f, and so its id
    return made


class _Formula:
    """A formula compiled for rows of data; parameters are given as an array."""

    def __init__(self, f: Callable[..., Any], names: list[str], backend: str) -> None:
        self.names, self._made_of = names, (f, names, backend)
        self._compiled = compile(lambda p, x: f(x, **p), rows=("x",), reduce=None, backend=backend)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Formula, self._made_of  # compiled code is made anew

    def values(self, p: Any, x: Any) -> Any:
        import numpy

        return numpy.asarray(self._compiled(self._named(p), x), dtype=float)

    def slopes(self, p: Any, x: Any) -> tuple[Any, Any]:
        """The numbers of all rows of x, and their slopes by each parameter: a row for each."""
        import numpy

        values, slopes = self._compiled.value_and_grad(self._named(p), x)
        slopes = numpy.array([slopes[name] for name in self.names], dtype=float)
        return numpy.asarray(values, dtype=float), slopes

    def columns(self, p: Any, data: _Data) -> list[Any]:
        """The slopes by each parameter and the residuals, an array for each, divided by sigma."""
        values, slopes = self._compiled.value_and_grad(self._named(p), data.x)
        found = [*[slopes[name] for name in self.names], values - data.y]
        return [column / data.sigma for column in found] if data.has_sigma else found

    def table(self, p: Any, data: _Data) -> Any:
        """The columns, each as a row."""
        import numpy

        return numpy.array(self.columns(p, data))

    def products(self, p: Any, data: _Data) -> Any:
        """The dot product of each column with those before it and itself: a lower triangle."""
        import numpy

        columns = self.columns(p, data)
        found = numpy.zeros((len(columns), len(columns)))
        for begin in range(0, len(data.y), DOT):
            parts = [column[begin : begin + DOT] for column in columns]
            for i, part in enumerate(parts):
                for j, other in enumerate(parts[: i + 1]):
                    found[i, j] += part.dot(other)
        return found

    def _named(self, p: Any) -> dict[str, float]:
        return dict(zip(self.names, map(float, p)))


class _Data:
    """Rows of data as arrays, checked; sigma is an array or a number, 1 where none is given."""

    def __init__(self, x: Any, y: Any, sigma: Any, loss: str) -> None:
        import numpy

        self.loss = loss
        self.x, self.y = checked_array(x, "x"), checked_array(y, "y")
        if self.y.ndim == 2 and self.y.shape[1] == 1:  # a data frame of one column
            self.y = self.y.ravel()
        if self.y.ndim != 1:
            raise ValueError(f"y must be a number a row, got {self.y.shape[1]} columns")
        if len(self.x) != len(self.y):
            raise ValueError(f"x has {len(self.x)} rows and y {len(self.y)}")
        self.has_sigma = sigma is not None
        is_one = not hasattr(sigma, "__len__")
        self.sigma: Any = 1.0
        if self.has_sigma:
            self.sigma = to_float(sigma, "sigma") if is_one else checked_array(sigma, "sigma")
        shape = () if is_one else self.y.shape
        if numpy.shape(self.sigma) != shape or not numpy.all(self.sigma > 0):
            raise ValueError("sigma must be a number above 0, or one for each row of y")

    def blocks(self, most: int) -> list[_Data]:
        """The rows in blocks that are about equally long."""
        found, count = [], len(self.y)
        size = -(-count // -(-count // most))
        for i in range(0, count, size):
            block, rows = copy(self), slice(i, i + size)
            block.x, block.y = self.x[rows], self.y[rows]
            block.sigma = self.sigma[rows] if hasattr(self.sigma, "__len__") else self.sigma
            found.append(block)
        return found


def _names(f: Callable[..., Any], start: Mapping[str, float]) -> list[str]:
    """The parameters' names; ValueError if they are not those that the formula takes."""
    if not hasattr(start, "keys") or not len(start):
        raise TypeError(f'start must say where each parameter begins, {{"a": 1.0}}, got {start!r}')
    names = [*start.keys()]
    taken = [*signature(f).parameters.values()][1:]
    if all(each.kind is not each.VAR_KEYWORD for each in taken):
        known = [each.name for each in taken]
        needed = [each.name for each in taken if each.default is each.empty]
        if set(names) - set(known) or set(needed) - set(names):
            raise ValueError(
                f"start has {quoted(names)}, but the formula takes {quoted(known)} after its first "
                "argument, a row of x: give each of them a start"
            )
    return names


def _bounds(names: list[str], bounds: Mapping[str, Any], first: Any) -> tuple[Any, Any]:
    import numpy

    low, high = numpy.full(len(names), -inf), numpy.full(len(names), inf)
    told = f'bounds are pairs by name, {{"{names[0]}": (0, None)}}, got'
    if not hasattr(bounds, "keys"):
        raise TypeError(f"{told} {bounds!r}")
    for name, pair in dict(bounds).items():
        if not hasattr(pair, "__len__") or len(pair) != 2:
            raise TypeError(f"{told} {pair!r} for {name}")
        i = names.index(look_up("bounds", name, dict(zip(names, names))))
        least, greatest = pair
        low[i] = -inf if least is None else to_float(least, name)
        high[i] = inf if greatest is None else to_float(greatest, name)
        if not low[i] <= first[i] <= high[i] or low[i] == high[i]:
            raise ValueError(
                f"{name} begins at {first[i]:g}, which is not between its bounds {low[i]:g} and "
                f"{high[i]:g}"
            )
    return low, high


def _least_squares() -> Any:
    try:
        from scipy.optimize import least_squares
    except ImportError:
        raise ImportError("fit_formula needs SciPy, the 'scipy' extra: pip install scipy") from None
    return least_squares


__all__ = ["Band", "FormulaFit", "fit_formula"]
