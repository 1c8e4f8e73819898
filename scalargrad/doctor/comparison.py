"""A gradient that was derived by hand, compared with the exact one.   (floor 2)"""

from __future__ import annotations

import sys
from math import inf
from time import perf_counter
from typing import NamedTuple

from ..derivatives import argument_positions
from ..differences import WRONG, judged
from ..graph import without_collector
from ..points import AlongOne, Point, alike, name_of_argument, same
from ..trees import is_array, leaves
from ..wording import listed
from .blocks import matched
from .examination import diagnoses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..derivatives import Wrt
    from .diagnosis import Diagnosis
    from .study import Case

    Row = tuple[str, float, float, float]  # input, yours, exact, error

BAR_AFTER = 1.0  # seconds


class Comparison(NamedTuple):
    """The diagnosis for each argument, by its name, and the numbers that it is about.

    `wrong` holds the rows of each gradient that is wrong, `right` those of each other one; `ratio`
    is the largest error of all, divided by its tolerance.
    """

    diagnosis: dict[str, Diagnosis]
    wrong: list[list[Row]]
    right: list[list[Row]]
    ratio: float


def compared(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    options: dict[str, Any],
    wrt: Wrt,
    given: Any,
    tolerances: tuple[float, float],
) -> Comparison:
    """Compare the gradient that was given with the exact one.

    `given` and `wrt` are as in `check_gradient`; `tolerances` are the relative and the absolute
    one, beyond rounding. ValueError if the two do not fit, or if f leaves its graph.
    """
    with without_collector():
        if callable(given) and not is_array(given):
            given = given(*args)
        positions, parts = _judged_arguments(f, args, wrt, given)
        names = [name_of_argument(f, i) for i in positions]
        blocks, givens = matched([args[i] for i in positions], names, parts)
        point = Point(f, args, positions, options)
        root, values = point.graph()
        if not alike(point.settle(root.data, least=3), root.data):
            root, values = point.graph(with_arrays=False)
        bar = _Bar()
        diagnosis, cases = diagnoses(
            root, values, blocks, givens, _lengths(args), tolerances, bar.tell
        )
        bar.close()
        wrong = [case for case in cases if not diagnosis[case.block.name].is_right]
        for case in wrong[:3]:
            _refuse_a_cut_graph(point, case)
    right = [case for case in cases if case not in wrong]
    ratio = max([case.worst() for case in cases])
    return Comparison(diagnosis, [*map(_rows, wrong)], [*map(_rows, right)], ratio)


def _judged_arguments(
    f: Callable[..., Any], args: tuple[Any, ...], wrt: Wrt, given: Any
) -> tuple[tuple[int, ...], list[Any]]:
    """The positions of the arguments in `wrt`, and what was given for each.

    A dict whose keys are names of arguments says itself which arguments it is for.
    """
    names = [name_of_argument(f, i) for i in range(len(args))]
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


def _refuse_a_cut_graph(point: Point, case: Case) -> None:
    """ValueError if differences say that the exact slope, where yours is most wrong, is not f's."""
    numbers = case.given.numbers
    if len(numbers) != len(case.exact) or not numbers:
        return
    k = max(range(len(numbers)), key=lambda k: abs(numbers[k] - case.exact[k]))
    i = case.block.places[k]
    found = judged(AlongOne(point, i), point.numbers[i], case.exact[k], 1e-4, 1e-7)
    if found.verdict == WRONG:
        raise ValueError(
            f"the slope of f by {case.block.entry(k)} is {case.exact[k]:.6g} in the graph, but "
            f"differences of its numbers give {found.numeric:.6g}: f leaves its graph, by .data or "
            "float(…) perhaps; check it first, without given"
        )


def _rows(case: Case) -> list[Row]:
    """A row for each number of a block, the worst first."""
    numbers = case.given.numbers
    if len(numbers) != len(case.exact):
        return []
    rows = [
        (case.block.entry(k), yours, exact, 0.0 if same(yours, exact) else abs(yours - exact))
        for k, (yours, exact) in enumerate(zip(numbers, case.exact))
    ]
    return sorted(rows, key=lambda row: row[3] if row[3] == row[3] else inf, reverse=True)


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
