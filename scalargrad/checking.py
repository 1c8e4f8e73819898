"""check_gradient: compares slopes with differences, or with what a person derived.   (floor 2)

`points` records the function and calls it with numbers. `differences` judges each slope by those
numbers, or the `doctor` says what is wrong with a gradient that was given. A table shows the
slopes, the worst first.
"""

from __future__ import annotations

from itertools import chain
from math import nan
from typing import NamedTuple

from .derivatives import argument_positions
from .differences import OK, UNCLEAR, VERDICTS, WRONG, judged
from .doctor.comparison import compared
from .doctor.diagnosis import Diagnosis
from .points import AlongOne, Point, refuse_two, without_numpy_warnings
from .wording import figure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .derivatives import Wrt
    from .doctor.comparison import Comparison

    Row = tuple[str, float, float, float]  # input, analytic, numeric, error


class GradientError(AssertionError):
    """A slope of a function differs from what differences of its numbers give, or from yours.

    `rows` holds (input, analytic, numeric, error) for each slope, the worst first. Where a gradient
    was given, they are (input, yours, exact, error), and `diagnosis` says for each argument, by its
    name, what is wrong with it.
    """

    def __init__(
        self,
        text: str,
        rows: list[Row] | None = None,  # pickle, which a pool of processes uses, adds them later
        diagnosis: dict[str, Diagnosis] | None = None,
    ) -> None:
        super().__init__(text)
        self.rows, self.diagnosis = rows or [], diagnosis or {}


class Agreement(float):
    """The largest error divided by its tolerance: a number, 1 at most.

    `rows` and `diagnosis` are as in GradientError. `unclear` names the inputs whose slope
    differences cannot tell.
    """

    rows: list[Row]
    unclear: list[str]
    diagnosis: dict[str, Diagnosis]


class _Checked(NamedTuple):
    """One slope, and the verdict on it."""

    title: str
    analytic: float
    numeric: float
    error: float
    verdict: str
    ratio: float  # error / tolerance


def check_gradient(
    f: Callable[..., Any],
    *args: Any,
    wrt: Wrt = 0,
    given: Any = None,
    rtol: float | None = None,
    atol: float | None = None,
    most: int = 10,
    **options: Any,
) -> Agreement:
    """Compare the gradient of f at `args` with differences of f, or with one derived by hand.

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

    Arguments are numbers, nested lists, tuples and dicts of numbers, arrays or modules; f returns
    one Value or number. A slope may be off by `atol + rtol · |slope|`; by default they are 1e-9 and
    1e-6. At a kink any slope between those of the two sides is right, and at the edge of the domain
    the slope of its one side. If rounding hides a slope, the verdict is "cannot be told by
    differences", which is no error.

    f is called with floats some five times for each number: with arrays of floats, or a copy of a
    module with other numbers. A function that does not take floats is called with Values.

    `given` is a gradient that you derived, in the structure of the arguments in `wrt`: a tuple if
    `wrt` is one, or a dict from the names of arguments to their gradients. It may also be a
    function of the arguments that returns one. It is compared with the exact gradient. If a single
    mistake explains all numbers, up to rounding, the error names it:

    >>> import numpy as np
    >>> X, t = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([1.0, -1.0])
    >>> def loss(w):
    ...     return np.sum((np.tanh(X @ w) - t) ** 2)
    >>> def slopes(w):
    ...     return X.T @ (2 * (np.tanh(X @ w) - t))
    >>> check_gradient(loss, np.array([0.5, 0.25]), given=slopes)
    Traceback (most recent call last):
    scalargrad.checking.GradientError: 1 of 1 gradients is wrong
    w is the exact gradient with the slope of tanh left out
    input    yours       exact  yours/exact
    w[1]   10.1381  −0.0938632     −108.009
    w[0]    7.7655    0.883808      8.78641

    The result is the largest error divided by its tolerance; its `unclear` names the inputs whose
    slopes cannot be told. A wrong slope raises GradientError with a table of the `most` worst
    inputs. If f gives two results for one input, as it does if it draws random numbers, it raises
    ValueError.
    """
    if not callable(f):
        raise TypeError(
            f"check_gradient takes a function and its arguments, got {type(f).__name__}: "
            "write check_gradient(f, x)"
        )
    if not ((rtol is None or rtol >= 0) and (atol is None or atol >= 0)):
        raise ValueError(f"rtol and atol must be at least 0, got {rtol} and {atol}")
    with without_numpy_warnings():
        if given is not None:
            tolerances = rtol or 0.0, atol or 0.0
            return _by_hand(compared(f, args, options, wrt, given, tolerances), most)
        point = Point(f, args, argument_positions(wrt, args), options)
        rtol, atol = 1e-6 if rtol is None else rtol, 1e-9 if atol is None else atol
        return _by_differences(_checked(point, rtol, atol), most)


def _checked(point: Point, rtol: float, atol: float) -> list[_Checked]:
    """Each slope with its verdict, the worst first."""
    rows: list[_Checked] = []
    result, *slopes = recorded = point.record()
    point.settle(result)
    for one, two in zip(recorded, point.record()):
        refuse_two(one, two)
    for i, (title, slope) in enumerate(zip(point.titles, slopes)):
        along_one = AlongOne(point, i)
        found = judged(along_one, point.numbers[i], slope, rtol, atol)
        if found.verdict != OK:
            along_one.repeat()
        rows.append(_Checked(title, slope, found.numeric, found.error, found.verdict, found.ratio))
    return sorted(rows, key=lambda row: (VERDICTS.index(row.verdict), -row.ratio))


def _by_differences(rows: list[_Checked], most: int) -> Agreement:
    """The agreement of the slopes with differences; GradientError if one is wrong."""
    compared = [row[:4] for row in rows]
    if wrong := [row for row in rows if row.verdict == WRONG]:
        differ = "slopes differs from what" if len(wrong) == 1 else "slopes differ from what"
        title = f"{len(wrong)} of {len(rows)} {differ} differences give"
        cells = [("input", "analytic", "numeric", "error", "verdict")]
        cells += [
            (r.title, f"{r.analytic:.6g}", f"{r.numeric:.6g}", f"{r.error:.3g}", r.verdict)
            for r in rows[:most]
        ]
        raise GradientError(f"{title}\n{_table(cells, len(rows))}", compared)
    agreement = Agreement(max([row.ratio for row in rows], default=0.0))
    agreement.rows, agreement.diagnosis = compared, {}
    agreement.unclear = [row.title for row in rows if row.verdict == UNCLEAR]
    return agreement


def _by_hand(found: Comparison, most: int) -> Agreement:
    """The agreement of a gradient that was given with the exact one; GradientError if it is wrong.

    The error tells the worst numbers of each argument.
    """
    diagnosis, wrong, right, ratio = found
    rows = [*chain(*wrong, *right)]
    if wrong:
        count = len(wrong) + len(right)
        title = f"{len(wrong)} of {count} gradients {'is' if len(wrong) == 1 else 'are'} wrong"
        lines = [title, *[one.sentence for one in diagnosis.values()]]
        cells: list[tuple[str, ...]] = [("input", "yours", "exact", "yours/exact")]
        cells += [
            (title, *_told_apart(yours, exact))
            for of_one in wrong
            for title, yours, exact, _ in of_one[: max(most // len(wrong), 2)]
        ]
        if len(cells) > 1:
            lines.append(_table(cells, sum(map(len, wrong))))
        raise GradientError("\n".join(lines), rows, diagnosis)
    agreement = Agreement(ratio)
    agreement.rows, agreement.unclear, agreement.diagnosis = rows, [], diagnosis
    return agreement


# ------------------------------------------------------------------ the table


def _table(cells: Sequence[tuple[str, ...]], total: int) -> str:
    """Rows of cells below a heading; the first cell of each is shortened if it must be."""
    is_verdict = cells[0][-1] == "verdict"  # which is a text, to be read from the left
    _, *widths = [max(map(len, column)) for column in zip(*cells)]
    room = 100 - sum(widths) - 2 * len(widths)
    titles = [_shortened(row[0], room) for row in cells]
    first = max(map(len, titles))
    lines = []
    for title, (_, *row) in zip(titles, cells):
        texts = [f"{cell:>{width}}" for cell, width in zip(row, widths)]
        if is_verdict:
            texts[-1] = row[-1]
        lines.append("  ".join((f"{title:{first}}", *texts)))
    more = total - len(cells) + 1
    return "\n".join(lines + ([f"… and {more} more"] if more else []))


def _shortened(text: str, room: int) -> str:
    half = (room - 1) // 2
    return text if len(text) <= room else f"{text[:half]}…{text[-half:]}"


def _told_apart(yours: float, exact: float) -> list[str]:
    """Both numbers and their ratio, in six digits, or in as many as show that it is not 1."""
    ratio = yours / exact if exact else nan
    digits = next((digits for digits in range(6, 18) if figure(ratio, digits) != "1"), 6)
    return [figure(x, digits) for x in (yours, exact, ratio)]
