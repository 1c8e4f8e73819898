"""check_gradient: the slopes that a function's graph gives, against differences of the function itself.   (floor 2)"""

from __future__ import annotations

from inspect import signature
from math import inf, isfinite, nan

from .derivatives import chosen, value_and_grad
from .modes import no_grad
from .trees import leaves, names, with_values
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .derivatives import Wrt


class GradientError(AssertionError):
    """The slopes of a function are not what its differences say; `rows` holds (input, analytic, numeric, error), the worst first."""

    def __init__(self, text: str, rows: list[tuple[str, float, float, float]]) -> None:
        super().__init__(text)
        self.rows = rows


def check_gradient(
    f: Callable[..., Any],
    *args: Any,
    wrt: Wrt = 0,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    most: int = 10,
    **options: Any,
) -> float:
    """Compare the gradient of f at `args` with differences, number by number; return the largest error over its tolerance.

    Differences are central and extrapolated (Ridders 1982), good to some ten digits where f is smooth. A slope
    passes within `atol + rtol · |slope|`, and at a kink anywhere between the slopes to the left and the right.
    GradientError, with a table of the `most` worst inputs, where one does not.

    >>> from scalargrad import sin
    >>> check_gradient(lambda x, y: sin(x) * y, 1.0, 2.0, wrt=(0, 1)) < 1
    True
    >>> def cut(x):
    ...     return x * x.data                 # half of the graph is lost
    >>> check_gradient(cut, 3.0)
    Traceback (most recent call last):
    scalargrad.checking.GradientError: 1 of 1 slopes differs from what differences give
    input  analytic  numeric  error  verdict
    x             3        6      3  wrong
    """
    if not callable(f):
        raise TypeError(
            f"check_gradient takes a function and its arguments, got {type(f).__name__}: write check_gradient(f, x)"
        )
    if not (rtol >= 0 and atol >= 0):
        raise ValueError(f"rtol and atol must be at least 0, got {rtol} and {atol}")
    positions = chosen(wrt, args)
    numbers = [
        x.data if isinstance(x, Value) else float(x)
        for x in leaves(tuple(args[i] for i in positions), "the argument")
    ]
    titles = [title for i in positions for title in names(args[i], _parameter(f, i))]

    def of_numbers(values: list[Any]) -> Any:
        content = iter(values)
        fresh = list(args)
        for i in positions:
            fresh[i] = with_values(args[i], content)
        return f(*fresh, **options)

    def at(numbers: list[float]) -> float:
        result = of_numbers([Value(x) for x in numbers])
        return result.data if isinstance(result, Value) else float(result)

    with no_grad():  # slopes as floats, whatever else f reads
        _, slopes = value_and_grad(of_numbers)(numbers)
    rows = []
    for i, (title, analytic) in enumerate(zip(titles, slopes)):
        numeric, error = _difference(at, numbers, i, analytic)
        scale = max(abs(analytic), abs(numeric))
        tolerance = atol + rtol * scale + min(error, 1e-4 * scale)
        gap = abs(analytic - numeric)
        ratio = (
            0.0
            if analytic == numeric or (analytic != analytic and numeric != numeric)
            else gap / tolerance
            if isfinite(gap)
            else inf
        )
        rows.append((ratio, title, analytic, numeric, gap))
    rows.sort(key=lambda row: -row[0])
    wrong = [row for row in rows if not row[0] <= 1.0]
    if wrong:
        differ = f"{len(wrong)} of {len(rows)} slopes {'differs' if len(wrong) == 1 else 'differ'} from what differences give"
        raise GradientError(
            f"{differ}\n{_table(rows[:most], len(rows))}", [row[1:] for row in rows]
        )
    return rows[0][0] if rows else 0.0


def _difference(
    f: Callable[[list[float]], float], numbers: list[float], i: int, analytic: float
) -> tuple[float, float]:
    """The slope of f by its i-th number from differences, and how uncertain it is."""
    x = numbers[i]

    def beside(h: float) -> float:
        return f([*numbers[:i], x + h, *numbers[i + 1 :]])

    best, error = nan, inf
    for scale in sorted(
        {abs(x) or 1.0, 1.0}
    ):  # steps as small as x, or as f may vary; large ones alone may settle by chance
        found = _extrapolated(beside, x, 0.02 * scale)
        if found[1] < error:
            best, error = found
        if error <= 1e-7 * abs(best):
            break
    here, h = f(numbers), 1e-4 * (abs(x) or 1.0)
    near, far = (
        [(here - beside(-step)) / step, (beside(step) - here) / step] for step in (h / 2.0, h)
    )
    noise = 16.0 * 2.0**-52 * abs(here) / h
    if abs(near[1] - near[0]) > max(
        noise, 0.75 * abs(far[1] - far[0])
    ):  # the sides of a smooth function come together
        slack = 1e-9 + 1e-6 * max(map(abs, near))
        if min(near) - slack <= analytic <= max(near) + slack:
            return analytic, 0.0  # a kink: any slope between the two sides is one
    return best, error


def _extrapolated(beside: Callable[[float], float], x: float, h: float) -> tuple[float, float]:
    """Central differences of steps that are halved, extrapolated to the step 0: the slope, and how uncertain it is."""
    best, error = nan, inf
    row: list[float] = []
    for _ in range(14):
        step, left, right = (x + h) - (x - h), beside(-h), beside(h)
        new = [(right - left) / step] if step else [nan]
        noise = 2.0**-50 * max(abs(left), abs(right)) / h  # what the rounding of f makes of it
        power = 1.0
        for k, old in enumerate(row):
            power *= 4.0
            new.append(new[k] + (new[k] - old) / (power - 1.0))
            uncertain = max(abs(new[-1] - new[-2]), abs(new[-1] - old), noise)
            if uncertain < error:
                best, error = new[-1], uncertain
        row = new if all(map(isfinite, new)) else []
        h /= 2.0
    return best, error


def _table(rows: list[tuple[float, str, float, float, float]], total: int) -> str:
    cells = [("input", "analytic", "numeric", "error", "verdict")]
    cells += [
        (title, f"{a:.6g}", f"{n:.6g}", f"{e:.3g}", "ok" if ratio <= 1.0 else "wrong")
        for ratio, title, a, n, e in rows
    ]
    widths = [max(len(row[k]) for row in cells) for k in range(5)]
    lines = [
        f"{row[0]:{widths[0]}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:4], widths[1:4]))
        + f"  {row[4]}"
        for row in cells
    ]
    return "\n".join(lines + ([f"… and {total - len(rows)} more"] if total > len(rows) else []))


def _parameter(f: Callable[..., Any], i: int) -> str:
    """The name of f's i-th parameter."""
    try:
        return [*signature(f).parameters][i]
    except (IndexError, TypeError, ValueError):
        return f"argument {i}"
