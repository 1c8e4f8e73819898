"""check_gradient: compares slopes with differences, or with what a person derived.   (floor 2)

It has three parts. `_Point` records the function and calls it with numbers. `differences` judges
each slope by those numbers, or the `doctor` says what is wrong with a gradient that was given. A
table shows the slopes, the worst first.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from inspect import signature
from itertools import chain
from math import inf, isclose, isnan, nan
from time import perf_counter
from typing import NamedTuple

from .arithmetic.conversion import to_float
from .derivatives import argument_positions, root_of, value_and_grad
from .differences import OK, UNCLEAR, VERDICTS, WRONG, judged
from .doctor.blocks import matched
from .doctor.diagnosis import Diagnosis
from .doctor.examination import diagnoses
from .graph import without_collector
from .modes import record_anyway
from .trees import is_array, is_module, leaf_names, leaves, with_values
from .value import Value
from .wording import figure, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from .derivatives import Wrt
    from .doctor.study import Case

    Row = tuple[str, float, float, float]  # input, analytic, numeric, error

# A function is called so often, or for so long, at one input, to see whether it draws at random.
REPEATS, MOST_REPEATS, SECONDS = 20, 1000, 0.005
BAR_AFTER = 1.0  # seconds


class GradientError(AssertionError):
    """A slope of a function differs from what differences of its numbers give, or from yours.

    `rows` holds (input, analytic, numeric, error) for each slope, the worst first. Where a gradient
    was given, they are (input, yours, exact, error), and `diagnosis` says for each argument, by its
    name, what is wrong with it.
    """

    def __init__(
        self, text: str, rows: list[Row], diagnosis: dict[str, Diagnosis] | None = None
    ) -> None:
        super().__init__(text)
        self.rows, self.diagnosis = rows, diagnosis or {}


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
    if given is not None:
        return _compared(f, args, wrt, given, rtol or 0.0, atol or 0.0, most, options)
    rtol, atol = 1e-6 if rtol is None else rtol, 1e-9 if atol is None else atol
    point = _Point(f, args, argument_positions(wrt, args), options)
    rows: list[_Checked] = []
    with _no_numpy_warnings():
        result, *slopes = recorded = point.record()
        point.settle(result)
        for one, two in zip(recorded, point.record()):
            _refuse_two(one, two)
        for i, title in enumerate(point.titles):
            along_one = _AlongOne(point, i)
            found = judged(along_one, point.numbers[i], slopes[i], rtol, atol)
            if found.verdict != OK:
                along_one.repeat()
            rows.append(
                _Checked(title, slopes[i], found.numeric, found.error, found.verdict, found.ratio)
            )
    rows.sort(key=lambda row: (VERDICTS.index(row.verdict), -row.ratio))
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


# ------------------------------------------------------------------ a gradient derived by hand


def _compared(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    wrt: Wrt,
    given: Any,
    rtol: float,
    atol: float,
    most: int,
    options: dict[str, Any],
) -> Agreement:
    """Compare the gradient that was given with the exact one; GradientError says what is wrong."""
    with _no_numpy_warnings(), without_collector():
        if callable(given) and not is_array(given):
            given = given(*args)
        positions, parts = _judged_arguments(f, args, wrt, given)
        names = [_parameter(f, i) for i in positions]
        blocks, givens = matched([args[i] for i in positions], names, parts)
        point = _Point(f, args, positions, options)
        root, values = point.graph()
        if not _alike(point.settle(root.data, least=3), root.data):
            root, values = point.graph(with_arrays=False)
        bar = _Bar()
        diagnosis, cases = diagnoses(
            root, values, blocks, givens, _lengths(args), (rtol, atol), bar.tell
        )
        bar.close()
        wrong = [case for case in cases if not diagnosis[case.block.name].is_right]
        for case in wrong[:3]:
            _refuse_a_cut_graph(point, case)
    rows = [_compared_rows(case) for case in wrong] or [[]]
    others = [_compared_rows(case) for case in cases if case not in wrong]
    result = [*chain(*rows, *others)]
    if wrong:
        count = f"{len(wrong)} of {len(cases)} gradients {'is' if len(wrong) == 1 else 'are'} wrong"
        lines = [count, *[one.sentence for one in diagnosis.values()]]
        cells: list[tuple[str, ...]] = [("input", "yours", "exact", "yours/exact")]
        cells += [
            (title, *_told_apart(yours, exact))
            for of_case in rows
            for title, yours, exact, _ in of_case[: max(most // len(wrong), 2)]
        ]
        if len(cells) > 1:
            lines.append(_table(cells, sum(map(len, rows))))
        raise GradientError("\n".join(lines), result, diagnosis)
    agreement = Agreement(max([case.worst() for case in cases]))
    agreement.rows, agreement.unclear, agreement.diagnosis = result, [], diagnosis
    return agreement


def _judged_arguments(
    f: Callable[..., Any], args: tuple[Any, ...], wrt: Wrt, given: Any
) -> tuple[tuple[int, ...], list[Any]]:
    """The positions of the arguments in `wrt`, and what was given for each.

    A dict whose keys are names of arguments says itself which arguments it is for.
    """
    names = [_parameter(f, i) for i in range(len(args))]
    positions = argument_positions(wrt, args)
    if isinstance(given, dict) and given and {*given} <= {*names}:
        own = args[positions[0]]
        if not (len(positions) == 1 and isinstance(own, dict) and {*given} <= {*own}):
            return tuple(map(names.index, given)), [*given.values()]
    if not isinstance(wrt, tuple):
        own, size = args[positions[0]], len(given) if isinstance(given, list | tuple) else 0
        is_of_all = size == len(args) > 1 and is_array(own)
        if is_of_all and len(leaves(given, "given")) != own.size:
            raise ValueError(
                f"given has {size} gradients, and wrt={wrt} asks for that of "
                f"{names[positions[0]]} alone: write wrt={(*range(len(args)),)}"
            )
        return positions, [given]
    asked = [names[i] for i in positions]
    if isinstance(given, dict):
        unknown = [key for key in given if key not in names]
        raise ValueError(f"given has {listed(unknown)}, but the arguments are {listed(names)}")
    if not isinstance(given, list | tuple) or len(given) != len(positions):
        got = f"{len(given)}" if isinstance(given, list | tuple) else type(given).__name__
        raise ValueError(
            f"given must have {len(positions)} gradients, of {listed(asked)}, got {got}: "
            f"give a tuple, or a dict such as {{{asked[0]!r}: …}}"
        )
    return positions, [*given]


def _refuse_a_cut_graph(point: _Point, case: Case) -> None:
    """ValueError if differences say that the exact slope, where yours is most wrong, is not f's."""
    numbers = case.given.numbers
    if len(numbers) != len(case.exact) or not numbers:
        return
    k = max(range(len(numbers)), key=lambda k: abs(numbers[k] - case.exact[k]))
    i = case.block.places[k]
    found = judged(_AlongOne(point, i), point.numbers[i], case.exact[k], 1e-4, 1e-7)
    if found.verdict == WRONG:
        raise ValueError(
            f"the slope of f by {case.block.entry(k)} is {case.exact[k]:.6g} in the graph, but "
            f"differences of its numbers give {found.numeric:.6g}: f leaves its graph, by .data or "
            "float(…) perhaps; check it first, without given"
        )


def _compared_rows(case: Case) -> list[Row]:
    """A row for each number of a block, the worst first."""
    numbers = case.given.numbers
    if len(numbers) != len(case.exact):
        return []
    rows = [
        (case.block.entry(k), yours, exact, 0.0 if _same(yours, exact) else abs(yours - exact))
        for k, (yours, exact) in enumerate(zip(numbers, case.exact))
    ]
    return sorted(rows, key=lambda row: row[3] if row[3] == row[3] else inf, reverse=True)


def _told_apart(yours: float, exact: float) -> list[str]:
    """Both numbers and their ratio, in six digits, or in as many as show that it is not 1."""
    ratio = yours / exact if exact else nan
    digits = next((digits for digits in range(6, 18) if figure(ratio, digits) != "1"), 6)
    return [figure(x, digits) for x in (yours, exact, ratio)]


def _lengths(tree: Any) -> set[int]:
    """The lengths that a sum over arguments may have: of the axes of arrays, and their sizes."""
    if is_array(tree):
        return {*map(int, tree.shape), int(tree.size)}
    if isinstance(tree, dict):
        tree = [*tree.values()]
    if not isinstance(tree, list | tuple):
        return set()
    return {len(tree)}.union(*map(_lengths, tree))


class _Bar:
    """A bar on stderr, if it is a terminal and the work takes more than a second."""

    def __init__(self) -> None:
        self.next, self.width = perf_counter() + BAR_AFTER, 0

    def tell(self, done: float) -> None:
        """Show how much is done, from 0 to 1."""
        if perf_counter() > self.next and sys.stderr and sys.stderr.isatty():
            filled = round(30 * done)
            text = f"check_gradient {'█' * filled}{'·' * (30 - filled)} {100 * done:.0f} %"
            print(f"\r{text}", end="", file=sys.stderr, flush=True)
            self.next, self.width = perf_counter() + 0.2, len(text)

    def close(self) -> None:
        """Take the bar away."""
        if self.width:
            print("\r" + " " * self.width + "\r", end="", file=sys.stderr, flush=True)


# ------------------------------------------------------------------ the function on plain numbers


class _Point:
    """The function and the numbers it is checked at: it is recorded, and called with others."""

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

    def record(self) -> list[float]:
        """The result of a call that is recorded, followed by the slopes."""

        def on_values(values: list[Value]) -> Any:
            content = iter(values)
            fresh = list(self.args)
            for i in self.positions:
                fresh[i] = with_values(self.args[i], content)
            return root_of(self.f(*fresh, **self.options), "check_gradient")

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

    def graph(self, with_arrays: bool = True) -> tuple[Value, list[Value]]:
        """The result as it is recorded, and the Values of the numbers that it is differentiated by.

        Arrays record what NumPy decides by comparing, if f takes such arrays.
        """
        with_arrays = with_arrays and "numpy" in sys.modules
        values = [Value(x) for x in self.numbers]
        content, fresh = iter(values), list(self.args)
        for i in self.positions:
            fresh[i] = with_values(self.args[i], content)
        if with_arrays:
            from .doctor.arrays import recording

            fresh = recording(fresh)
        try:
            with record_anyway():
                result = self.f(*fresh, **self.options)
            return root_of(result, "check_gradient"), values
        except Exception:
            if with_arrays:
                return self.graph(with_arrays=False)
            raise

    def settle(self, recorded: float, least: int = REPEATS) -> float:
        """Choose floats if f takes them like Values, and return the result.

        It calls f `least` times at least, and more often where that takes no time. ValueError if f
        gives varying results.
        """
        try:
            alike = _alike(self._called(float, self.numbers), recorded)
        except Exception:  # it calls x.tanh(), say
            alike = False
        self.kind = float if alike else Value
        first = self.at(self.numbers)
        end = perf_counter() + SECONDS
        for k in range(MOST_REPEATS):
            if k >= least and perf_counter() > end:
                break
            _refuse_two(first, self.at(self.numbers))
        return first


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


def _alike(a: float, b: float) -> bool:
    return _same(a, b) or isclose(a, b, rel_tol=1e-9)


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


def _parameter(f: Callable[..., Any], i: int) -> str:
    """The name of f's i-th argument, such as P[1] where f takes *P."""
    try:
        parameters = [*signature(f).parameters.values()]
    except (TypeError, ValueError):
        parameters = []
    for place, one in enumerate(parameters[: i + 1]):
        if one.kind is one.VAR_POSITIONAL:
            return f"{one.name}[{i - place}]"
    return parameters[i].name if i < len(parameters) else f"argument {i}"
