"""check_gradient: compares the slopes of a function with differences of its numbers.   (floor 2)

It has three parts. `_Point` records the function and calls it with numbers. `differences` judges
each slope by those numbers. A table shows the slopes, the worst first.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from inspect import signature
from math import isclose, isnan, nan
from time import perf_counter
from typing import NamedTuple

from .arithmetic.conversion import to_float
from .derivatives import argument_positions, value_and_grad
from .differences import OK, UNCLEAR, VERDICTS, WRONG, judged
from .trees import is_module, leaf_names, leaves, with_values
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any

    from .derivatives import Wrt

    Row = tuple[str, float, float, float]  # input, analytic, numeric, error

# A function is called so often, or for so long, at one input, to see whether it draws at random.
REPEATS, MOST_REPEATS, SECONDS = 20, 1000, 0.005


class GradientError(AssertionError):
    """A slope of a function differs from what differences of its numbers give.

    `rows` holds (input, analytic, numeric, error) for each slope, the worst first.
    """

    def __init__(self, text: str, rows: list[Row]) -> None:
        super().__init__(text)
        self.rows = rows


class Agreement(float):
    """The largest error divided by its tolerance: a number, 1 at most.

    `rows` are as in GradientError. `unclear` names the inputs whose slope differences cannot tell.
    """

    rows: list[Row]
    unclear: list[str]


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
    rtol: float = 1e-6,
    atol: float = 1e-9,
    most: int = 10,
    **options: Any,
) -> Agreement:
    """Compare the gradient of f at `args` with differences of f, number by number.

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
    one Value or number. A slope may be off by `atol + rtol · |slope|`. At a kink any slope between
    the slopes of the two sides is right; at the edge of the domain the slope of the one side is.
    If rounding hides a slope, the verdict is "cannot be told by differences", which is no error.

    f is called with floats some five times for each number: with arrays of floats, or a copy of a
    module with other numbers. A function that does not take floats is called with Values.

    Returns the largest error divided by its tolerance; the result's `unclear` names what cannot be
    told. If a slope is wrong, raises GradientError with a table of the `most` worst inputs. If f
    gives two results for one input, as a function that draws random numbers does, ValueError.
    """
    if not callable(f):
        raise TypeError(
            f"check_gradient takes a function and its arguments, got {type(f).__name__}: "
            "write check_gradient(f, x)"
        )
    if not (rtol >= 0 and atol >= 0):
        raise ValueError(f"rtol and atol must be at least 0, got {rtol} and {atol}")
    point = _Point(f, args, argument_positions(wrt, args), options)
    rows: list[_Checked] = []
    with _no_numpy_warnings():
        point.settle()
        for i, title in enumerate(point.titles):
            along_one = _AlongOne(point, i)
            found = judged(along_one, point.numbers[i], point.slopes[i], rtol, atol)
            if found.verdict != OK:
                along_one.repeat()
            rows.append(
                _Checked(
                    title, point.slopes[i], found.numeric, found.error, found.verdict, found.ratio
                )
            )
    rows.sort(key=lambda row: (VERDICTS.index(row.verdict), -row.ratio))
    result = [row[:4] for row in rows]
    if wrong := [row for row in rows if row.verdict == WRONG]:
        differ = "slopes differs from what" if len(wrong) == 1 else "slopes differ from what"
        title = f"{len(wrong)} of {len(rows)} {differ} differences give"
        raise GradientError(f"{title}\n{_table(rows[:most], len(rows))}", result)
    agreement = Agreement(max([row.ratio for row in rows], default=0.0))
    agreement.rows = result
    agreement.unclear = [row.title for row in rows if row.verdict == UNCLEAR]
    return agreement


# ------------------------------------------------------------------ the function on plain numbers


class _Point:
    """The function and the numbers it is checked at. It records it, and calls it with others."""

    def __init__(
        self,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        positions: tuple[int, ...],
        options: dict[str, Any],
    ) -> None:
        self.f, self.args, self.positions, self.options = f, args, positions, options
        given = leaves(tuple(args[i] for i in positions), "the argument")
        self.numbers = [x.data if isinstance(x, Value) else to_float(x, "f") for x in given]
        self.titles = [title for i in positions for title in leaf_names(args[i], _parameter(f, i))]
        self.models: dict[int, tuple[Any, list[Value]]] = {}  # by position, with their parameters
        for i in positions:
            if _holds_a_module(args[i]):
                values = [Value(0.0) for _ in leaves(args[i], "the argument")]
                self.models[i] = with_values(args[i], iter(values)), values
        self.result, *self.slopes = self.record()

    def record(self) -> list[float]:
        """The result of a call that is recorded, followed by the slopes."""

        def on_values(values: list[Value]) -> Any:
            content = iter(values)
            fresh = list(self.args)
            for i in self.positions:
                fresh[i] = with_values(self.args[i], content)
            return self.f(*fresh, **self.options)

        result, slopes = value_and_grad(on_values)(self.numbers)
        return [_as_number(x) for x in (result, *slopes)]

    def at(self, numbers: list[float]) -> float:
        """The result for these numbers; nan if the function raises an error."""
        for kind in dict.fromkeys((self.kind, Value)):
            try:  # math.sqrt(-1.0) raises, and -1.0 ** 0.5 is complex, where Values give nan
                return self._called(kind, numbers)
            except Exception:
                continue
        return nan

    def _called(self, kind: Callable[[float], Any], numbers: list[float]) -> float:
        """The result for these numbers; of a model one copy is used, whose parameters are set."""
        content = iter(numbers)
        fresh = list(self.args)
        for i in self.positions:
            if i in self.models:
                fresh[i], parameters = self.models[i]
                for parameter, number in zip(parameters, content):
                    parameter.data = number
            else:
                fresh[i] = with_values(self.args[i], map(kind, content))
        return _as_number(self.f(*fresh, **self.options))

    def settle(self) -> None:
        """Choose floats if f takes them like Values. ValueError if f gives varying results."""
        try:
            result = self._called(float, self.numbers)
            alike = _same(result, self.result) or isclose(result, self.result, rel_tol=1e-9)
        except Exception:  # it calls x.tanh(), say
            alike = False
        self.kind = float if alike else Value
        first = self.at(self.numbers)
        end = perf_counter() + SECONDS
        for k in range(MOST_REPEATS):
            if k >= REPEATS and perf_counter() > end:
                break
            _refuse_two(first, self.at(self.numbers))
        for one, two in zip((self.result, *self.slopes), self.record()):
            _refuse_two(one, two)


class _AlongOne:
    """The function of its i-th number alone, the others fixed; it remembers its results."""

    def __init__(self, point: _Point, i: int) -> None:
        self.point, self.i = point, i
        self.results: dict[float, float] = {}

    def __call__(self, x: float) -> float:
        numbers = self.point.numbers
        self.results[x] = self.point.at([*numbers[: self.i], x, *numbers[self.i + 1 :]])
        return self.results[x]

    def repeat(self) -> None:
        """Call it again at the same places; ValueError if a result differs from the one before."""
        for x, result in list(self.results.items()):
            _refuse_two(result, self(x))


def _refuse_two(first: float, second: float) -> None:
    if not _same(first, second):
        raise ValueError(
            f"the function gives two results for one input, {first!r} and {second!r}: "
            "draw random numbers before it is called, or seed their generator inside it"
        )


def _same(a: float, b: float) -> bool:
    return a == b or (isnan(a) and isnan(b))


def _as_number(result: Any) -> float:
    return result.data if isinstance(result, Value) else to_float(result, "check_gradient")


def _holds_a_module(tree: Any) -> bool:
    parts = tree.values() if isinstance(tree, dict) else tree
    return is_module(tree) or (
        isinstance(tree, list | tuple | dict) and any(map(_holds_a_module, parts))
    )


def _no_numpy_warnings() -> AbstractContextManager[Any]:
    """Silences NumPy, which would warn of steps beyond the domain of a function."""
    numpy = sys.modules.get("numpy")
    quiet: AbstractContextManager[Any] = numpy.errstate(all="ignore") if numpy else nullcontext()
    return quiet


# ------------------------------------------------------------------ the table


def _table(rows: list[_Checked], total: int) -> str:
    cells = [("input", "analytic", "numeric", "error", "verdict")]
    cells += [
        (r.title, f"{r.analytic:.6g}", f"{r.numeric:.6g}", f"{r.error:.3g}", r.verdict)
        for r in rows
    ]
    _, *widths, last = [max(len(row[k]) for row in cells) for k in range(5)]
    room = 100 - sum(widths) - last - 8
    titles = [_shortened(row[0], room) for row in cells]
    first = max(map(len, titles))
    lines = [
        "  ".join((f"{title:{first}}", *[f"{c:>{w}}" for c, w in zip(row[1:4], widths)], row[4]))
        for title, row in zip(titles, cells)
    ]
    return "\n".join(lines + ([f"… and {total - len(rows)} more"] if total > len(rows) else []))


def _shortened(text: str, room: int) -> str:
    half = (room - 1) // 2
    return text if len(text) <= room else f"{text[:half]}…{text[-half:]}"


def _parameter(f: Callable[..., Any], i: int) -> str:
    """The name of f's i-th parameter."""
    try:
        return [*signature(f).parameters][i]
    except (IndexError, TypeError, ValueError):
        return f"argument {i}"
