"""fit_formula: the search for the parameters.   (floor 3)"""

from __future__ import annotations

from inspect import signature
from math import inf

from ..arithmetic.conversion import to_float
from ..checks import one_of, quoted, whole_number
from ..nn.optimizers import positive
from .compiled import Data, formula_of
from .result import FormulaFit
from .search import Residuals, Triangle, sum_of_squares

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

LOSSES = ("linear", "soft_l1", "huber", "cauchy", "arctan")
TOLERANCE = 1e-15  # of SciPy's search: near what doubles can tell apart


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
    data = Data(x, y, sigma, one_of("loss", loss, LOSSES))
    first = numpy.array([to_float(start[name], name) for name in names])
    low, high = _bounds(names, {} if bounds is None else bounds, first)
    is_bounded = numpy.isfinite([low, high]).any()
    formula = formula_of(f, names, backend)
    limit = 1000 * len(names)
    if max_evaluations is not None:
        limit = whole_number("max_evaluations", max_evaluations)

    has_many_minima = len(data.y) < len(names)
    free = not is_bounded and loss == "linear" and not has_many_minima
    rows, fewer = Residuals(formula, data), Triangle(formula, data)
    search = fewer if loss == "linear" else rows
    with numpy.errstate(all="ignore"):
        _check_start(search, rows, first)
        begun = first
        if has_many_minima and not is_bounded:
            begun = fewer.polished(first)  # beside the minimum that is nearest to the start
        found = least_squares(
            search.residuals, begun, search.slopes, (low, high), method="lm" if free else "trf",
            ftol=TOLERANCE, xtol=TOLERANCE, gtol=TOLERANCE, x_scale="jac", loss=loss,
            f_scale=positive("loss_scale", loss_scale), max_nfev=limit,
        )  # fmt: skip
        if found.status <= 0:
            raise RuntimeError(
                f"the search did not end within {found.nfev} evaluations: choose a start that is "
                "nearer, or a greater max_evaluations"
            )
        if free:
            found.x = fewer.polished(found.x)
            found.jac = fewer.slopes(found.x)
            found.cost = sum_of_squares(fewer.residuals(found.x)) / 2.0
    return FormulaFit(formula, found, data, absolute_sigma, first)


def _check_start(search: Triangle | Residuals, rows: Residuals, first: Any) -> None:
    """Refuse a start where the formula or a slope is not finite; name the first such row."""
    import numpy

    try:
        slopes = search.slopes(first)
    except TypeError as error:
        if rows.data.x.ndim == 2:
            columns = rows.data.x.shape[1]
            error.add_note(f"a row of x is a list, of length {columns}: x[0] is its first number")
        raise
    if not numpy.isfinite(slopes).all():
        table = rows.table(first)
        what, at = numpy.argwhere(~numpy.isfinite(table[::-1]))[0]
        name = rows.formula.names[-what] if what else ""
        raise ValueError(
            f"{f'the slope by {name}' if what else 'the formula'} is {table[-1 - what, at]} in row "
            f"{at} of x, {rows.data.x[at]}, where the search begins: choose another start"
        )


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
        i = names.index(one_of("bounds", name, names))
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
