"""explain: the paths that a gradient is the sum of, and what each adds to it.   (floor 2)

Written out, the chain rule is a sum over all paths from the root to an input. Each path adds the
product of the local slopes along it. There may be more paths than atoms in the world. Yet a single
walk from the input to the root counts them and finds the heaviest way down from each Value: the
one with the largest product. From these the heaviest paths are built, one after the other. Each new
one follows a path found before, and leaves it at one step (Lawler 1972).
"""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from math import inf, log

from .arithmetic.conversion import to_float
from .arithmetic.lists import add_up
from .derivatives import gradients
from .doctor.blocks import Block, Given
from .doctor.diagnosis import Diagnosis
from .doctor.examination import diagnoses
from .doctor.tape import EPSILON
from .graph import ordered
from .value import Value
from .wording import (
    counted,
    figure,
    first_and_last,
    formulas,
    label_of,
    name_formula,
    names_of,
    number_formula,
    said,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Step = tuple[Value, float]  # an operand, and the local slope by it
    Ways = list[tuple[float, Step]]  # steps down, with the weight of the heaviest path through each

MOST_PATHS = 10**300  # more paths than this are not counted
DIGITS = 6


def explain(root: Value, wrt: Any, paths: int = 10, fold: bool = True, given: Any = None) -> Any:
    """Explain the slope of a root by `wrt`, a Value or its label. For a list, return a list.

    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> ab = a * b
    >>> y = ab * a + b
    >>> ab.label, y.label = "ab", "y"
    >>> explain(y, "a")
    d y/d a = 12, the sum over 2 paths:
        y ← ab ← a   2 × 3 = 6
        y ← a        6
    where
        y = ab·a + b = 6·2 + 3 = 15
        ab = a·b = 2·3 = 6
        a = 2

    A Value without a label is left out, and the slopes before and after it are multiplied;
    `fold=False` shows it too. At most `paths` paths are shown: first those whose product is nan or
    infinite, then those with the largest product.

    `given` is the slope that you derived, or a list of them. A line says whether it is right, and
    else what is wrong with it, in the words of `check_gradient`.

    >>> explain(y, "a", given=-12.0).diagnosis.sentence
    '−12 is −1 × the exact gradient: its sign is wrong'

    ValueError if the root was not made of `wrt`, or if not exactly one Value has that label.
    """
    if not isinstance(root, Value):
        raise TypeError(f"explain takes as root a Value, got {type(root).__name__}")
    if not isinstance(paths, int) or paths < 1:
        raise ValueError(f"paths={paths!r} must be a whole number, 1 or more: how many to show")
    order = ordered(root)
    if isinstance(wrt, list | tuple):
        if given is not None and (not isinstance(given, list | tuple) or len(given) != len(wrt)):
            raise ValueError(f"given must be a list of {counted(len(wrt), 'slope')}, as wrt is")
        each = [None] * len(wrt) if given is None else given
        return [
            Explanation(order, _value_of(one, order), paths, fold, slope)
            for one, slope in zip(wrt, each)
        ]
    return Explanation(order, _value_of(wrt, order), paths, fold, given)


class Path:
    """A path from a root to an input: its `values`, the `slopes` between them, their `product`.

    As in `Value.backward`, a slope of 0 passes nothing on: the product is 0, whatever follows.
    """

    def __init__(self, root: Value, steps: list[Step], fold: bool) -> None:
        self.values, self.slopes, self.product = [root], [], 1.0
        slope = 1.0  # the product since the last Value that is shown
        for operand, partial in steps:
            self.product = self.product * partial if self.product else 0.0
            slope = slope * partial if slope else 0.0
            if not fold or label_of(operand) or operand is steps[-1][0]:
                self.values.append(operand)
                self.slopes.append(slope)
                slope = 1.0


class Explanation:
    """A gradient, and the paths that it is the sum of. At a prompt it prints itself.

    `gradient` is the slope of `root` by `wrt`. `total_paths` is the number of paths, exact up to
    10**300 and inf beyond, and `paths` are the heaviest. `remainder` is the sum over the other
    paths: 0.0 if there are none, nan if a path that is shown has the product nan or inf. If a slope
    was given, `diagnosis` says what is wrong with it.
    """

    def __init__(
        self, order: list[Value], wrt: Value, most: int, fold: bool, given: Any = None
    ) -> None:
        self.root, self.wrt, self._order = order[-1], wrt, order
        self.gradient: float = gradients(self.root, wrt)
        ways, self.total_paths = _ways(order, wrt)
        found = [
            Path(self.root, steps, fold) for steps in _heaviest_paths(ways, self.root, wrt, most)
        ]
        found.sort(key=lambda path: (path.product != path.product, abs(path.product)), reverse=True)
        self.paths, shown = found, add_up([path.product for path in found])
        self.remainder = self.gradient - shown if len(found) < self.total_paths else 0.0
        self.diagnosis = None if given is None else self._diagnosis(to_float(given, "given"))

    def _diagnosis(self, given: float) -> Diagnosis:
        values = [self.wrt, *[x for x in self._order if x.op is None and x is not self.wrt]]
        names = names_of(self._order, set(values))
        blocks = [Block(names[value], (), [k]) for k, value in enumerate(values)]
        givens = [Given((), [given], EPSILON), *[None for _ in values[1:]]]
        found, _ = diagnoses(self.root, values, blocks, givens)
        (one,) = found.values()
        sentence = one.sentence.removeprefix(names[self.wrt])
        return replace(one, sentence=figure(given, DIGITS) + sentence)

    def __repr__(self) -> str:
        shown = {value for path in self.paths for value in first_and_last(path.values, None)}
        names, rest = names_of(self._order, shown), self.total_paths - len(self.paths)
        rows = []
        for path in self.paths:
            gap = said("values between", count=f"{len(path.values) - 7:,}")
            arrows = " ← ".join(names.get(x, gap) for x in first_and_last(path.values, None))
            slopes = " × ".join(
                first_and_last([figure(slope, DIGITS) for slope in path.slopes], "…")
            )
            product = f" = {figure(path.product, DIGITS)}" if len(path.slopes) > 1 else ""
            rows.append((arrows, (slopes or "1") + product))
        if rest:
            rows.append(
                (said("other paths", count=_path_count(rest)), figure(self.remainder, DIGITS))
            )
        wide = max(len(left) for left, _ in rows)
        head = said(
            "paths",
            root=names[self.root],
            leaf=names[self.wrt],
            slope=figure(self.gradient, DIGITS),
            count=_path_count(self.total_paths),
            end=said("heaviest shown" if rest else "all shown"),
        )
        lines = [f"    {left:{wide}}   {right}" for left, right in rows]
        verdict = [self.diagnosis.sentence] if self.diagnosis else []
        return "\n".join([head, *lines, *verdict, "where", *self._meanings(shown, names)])

    def _meanings(self, shown: set[Value], names: dict[Value, str]) -> Iterator[str]:
        """A line for each Value that is shown: its formula in names, in numbers, and the result."""
        numbers = {v: number_formula(v.data, DIGITS) for v in self._order if v in names or not v.op}
        texts = numbers | {v: name_formula(name) for v, name in names.items()}
        forms = [formulas(self._order, known, DIGITS) for known in (texts, numbers)]
        for value in reversed(self._order):
            if value in shown:
                written = [form.get(value, f"{value.op}(…)") for form in forms if value.op]
                parts = [names[value], *written, figure(value.data, DIGITS)]
                yield "    " + " = ".join(dict.fromkeys(parts))


def _value_of(wrt: Any, order: list[Value]) -> Value:
    """The Value `wrt`, or the one in the graph that has this label."""
    if isinstance(wrt, Value):
        return wrt
    if not isinstance(wrt, str):
        kind = type(wrt).__name__
        raise TypeError(f"explain takes as wrt a Value, its label or a list of them, got {kind}")
    found = [node for node in order if str(node.label) == wrt]
    if len(found) > 1:
        raise ValueError(f"{len(found)} Values have the label {wrt!r}: give the one as a Value")
    if not found:
        labels = dict.fromkeys(repr(label) for label in map(label_of, order) if label)
        known = ", ".join(first_and_last([*labels], "…")) or "none"
        raise ValueError(f"no Value of the graph has the label {wrt!r}: its labels are {known}")
    return found[0]


def _weight(slope: float) -> float:
    """The weight of a step, log |slope|, so that weights add up; nan counts as inf."""
    return log(abs(slope)) if 0.0 < abs(slope) < inf else inf if slope else -inf


def _added_weight(weight: float, after: float) -> float:
    """The weight of a path that goes on: their sum, but a slope of 0, inf or nan decides alone."""
    return weight if weight in (inf, -inf) else weight + after


def _ways(order: list[Value], wrt: Value) -> tuple[dict[Value, Ways], float]:
    """The steps down from each Value, the heaviest way first, and how many paths there are."""
    ways: dict[Value, Ways] = {wrt: [(0.0, (wrt, 1.0))]}
    counts: dict[Value, float] = {wrt: 1}
    for node in order:
        pairs: Any = zip(node.parents, node.partials) if node is not wrt else ()
        steps = [(x, slope) for x, slope in pairs if isinstance(x, Value) and x in ways]
        if steps:
            down = [
                (_added_weight(_weight(slope), ways[x][0][0]), (x, slope)) for x, slope in steps
            ]
            ways[node] = sorted(down, key=lambda way: way[0], reverse=True)
            total = sum(counts[x] for x, _ in steps)
            counts[node] = total if total <= MOST_PATHS else inf
    if (root := order[-1]) not in ways:
        name = label_of(root) or "root"
        raise ValueError(said("no path", root=name, leaf=label_of(wrt) or repr(wrt)))
    return ways, counts[root]


def _heaviest_paths(
    ways: dict[Value, Ways], root: Value, wrt: Value, most: int
) -> list[list[Step]]:
    """The heaviest paths, as lists of steps.

    `waiting` holds sets of paths, sorted by the heaviest path of each. The paths of a set begin
    with the first steps of a known path, and then take the way of a certain rank or a lower one.
    Known simplification: weights do not overflow. So a path whose product becomes infinite on the
    way, and small at the end, counts as small.
    """
    found: list[list[Step]] = []
    waiting: list[tuple[float, int, list[Step], int, int]] = [(0.0, 0, [], 0, 0)]
    ties = count(1)
    while waiting and len(found) < most:
        _, _, known, length, rank = heappop(waiting)
        steps, node, weight = known[:length], root, 0.0
        for operand, slope in steps:
            node, weight = operand, _added_weight(weight, _weight(slope))
        while node is not wrt:
            if rank + 1 < len(ways[node]):
                other = _added_weight(weight, ways[node][rank + 1][0])
                heappush(waiting, (-other, next(ties), steps, len(steps), rank + 1))
            node, slope = step = ways[node][rank][1]
            steps.append(step)
            weight, rank = _added_weight(weight, _weight(slope)), 0
        found.append(steps)
    return found


def _path_count(paths: float) -> str:
    if paths < 10**9:
        return counted(int(paths), "path")
    return said("about", number=f"{paths:.3g}") if paths < inf else "10^300 paths or more"
