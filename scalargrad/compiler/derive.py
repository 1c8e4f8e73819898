"""The derivative of a program of single numbers, as further steps of lines.   (floor 3)

It is what `derive_rolled` does, number by number, for programs in which few steps are alike: what computes the same of the same
operands is computed once.
"""

from __future__ import annotations

from ..arithmetic.total import inf
from .derive_rolled import Given
from .lower import (
    ADD,
    CHOOSE,
    DOT,
    LIST_SLOPES,
    LISTED,
    MULTIPLY,
    NEGATE,
    OVER_ROWS,
    ROW_PRODUCTS,
    SHARE,
    SUM,
    TWICE,
    Line,
    known,
    lines,
)  # fmt: skip
from .program import Constant, Input, Program, Step, ordered, pulls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

ITEMS: dict[int, Line] = {}  # the lines that take a number out of a list


def item_of(place: int) -> Line:
    """The line that takes the number at a place out of a list."""
    return ITEMS.setdefault(place, Line(f"item {place}", ("xs",)))


class DerivedSteps:
    """A program in lines, and behind them the slopes that are asked for; arguments as of `derive_rolled.Derived`."""

    def __init__(self, program: Program, per_row: bool = False, fast: bool = False) -> None:
        self.program, self.per_row, self.fast = program, per_row, fast
        self.steps: list[Step] = []
        self.carriers: set[Any] = {
            x for block in program.blocks if block.has_rows for x in block.inputs
        }
        self.now: dict[Any, Any] = {}
        self._carried_before = program.with_rows()
        self._known: dict[Any, Any] = {}
        self._local: dict[Step, dict[str, Any]] = {}
        for step in program.steps:
            self.now[step] = self._value(step)

    def of(self, x: Any) -> Any:
        """What an input, a constant or a step of the program is now."""
        return self.constant(x.data) if x.__class__ is Constant else self.now.get(x, x)

    def constant(self, number: float) -> Constant:
        """A constant, the same for the same number."""
        key = repr(number)
        if key not in self._known:
            self._known[key] = Constant(number)
        return self._known[key]  # type: ignore[no-any-return]

    def put(self, line: Line, operands: tuple[Any, ...], label: str = "") -> Any:
        """A step, or the one that computes the same already."""
        key = line, operands
        if key not in self._known:
            step = self._known[key] = Step(line, operands, label)  # type: ignore[arg-type]
            self.steps.append(step)
            if line not in (OVER_ROWS, ROW_PRODUCTS) and not self.carriers.isdisjoint(operands):
                self.carriers.add(step)
        return self._known[key]

    def line(self, line: Line, local: dict[str, Any], label: str = "") -> Any:
        """What a line computes of what stands under its operands' names."""
        if line.text in local:
            return local[line.text]
        if (number := known(line)) is not None:
            return self.constant(number)
        return self.put(line, tuple([local[name] for name in line.operands]), label)

    def _value(self, step: Step) -> Any:
        op, operands = step.row, tuple([self.of(x) for x in step.operands])
        if op.name in ("sum", "dot"):
            return self.put(SUM if op.name == "sum" else DOT, operands, step.label)
        if op.name in LISTED:
            return self.put(LISTED[op.name], operands, step.label)
        local = self._local[step] = dict(zip(op.operands, operands))
        for name, line in lines(op, fast=self.fast)[0]:
            local[name] = self.line(line, local, step.label * (name == "out"))
        return local["out"]

    # -------------------------------------------------------------- slopes

    def slopes(self, roots: Sequence[tuple[Any, Any]], by: Sequence[Input]) -> list[Any]:
        """The slopes of the sum of roots, each with the slope it begins with, by some inputs."""
        sent: dict[Any, list[Any]] = {}
        carried = self._carried_before

        def send(x: Any, share: Any, has_rows: bool) -> None:
            if has_rows and x not in carried and not self.per_row:
                share = self._over(share)
            sent.setdefault(x, []).append(share)

        for root, seed in roots:
            send(root, seed, False)
        for step, places in pulls(self.program.steps, [root for root, _ in roots], by):
            slope = self._added(sent.pop(step))
            for place, share in self._shares(step, places, slope):
                send(step.operands[place], share, step in carried)
        return [self._added(sent[x]) if x in sent else self.constant(0.0) for x in by]

    def _added(self, shares: Sequence[Any]) -> Any:
        total = self._product(shares[0])
        for share in shares[1:]:
            total = self.put(ADD, (total, self._product(share)))
        return total

    def _product(self, share: Any) -> Any:
        if share.__class__ is not tuple:
            return share
        x, _ = share
        is_finite = x.__class__ is Constant and -inf < x.data < inf
        return self.put(MULTIPLY if self.fast or is_finite else SHARE, share)

    def _over(self, share: Any) -> Any:
        """The sum over the rows."""
        if share.__class__ is not tuple:
            return self.put(OVER_ROWS, (share,))
        x, slope = share
        if slope in self.carriers:
            return self.put(ROW_PRODUCTS, share)
        if x in self.carriers:
            return self.put(SHARE, (self.put(OVER_ROWS, (x,)), slope))
        return self.put(OVER_ROWS, (self._product(share),))

    def _times(self, partial: Any, slope: Any) -> Any:
        p = partial.data if partial.__class__ is Constant else None
        d = slope.data if slope.__class__ is Constant else None
        if d == 0.0:
            return self.constant(0.0)
        if p is not None and d is not None:
            return self.constant(p * d)
        if p == 1.0:
            return slope
        if p == -1.0:
            return self.put(NEGATE, (slope,))
        return partial if d == 1.0 else (partial, slope)

    def _shares(self, step: Step, places: Sequence[int], slope: Any) -> list[tuple[int, Any]]:
        """What a step sends to each of its operands."""
        op, name = step.row, step.row.name
        operands = tuple([self.of(x) for x in step.operands])
        if name == "sum":
            return [(place, slope) for place in places]
        if name == "dot":
            count = len(operands) // 2
            if operands[:count] == operands[count:-1]:  # a sum of squares
                double = self.put(TWICE, (slope,))
                return [
                    (p, slope if p == 2 * count else self._times(operands[p], double))
                    for p in places
                    if p < count or p == 2 * count
                ]
            return [
                (
                    p,
                    slope
                    if p == 2 * count
                    else self._times(operands[(p + count) % (2 * count)], slope),
                )
                for p in places
            ]
        if name in LIST_SLOPES:
            made = self.put(LIST_SLOPES[name], (*operands, self.now[step]))
            return [(p, self._times(self.put(item_of(p), (made,)), slope)) for p in places]
        if name == "_choose":
            zero, condition = self.constant(0.0), operands[0]
            ways = {1: (condition, slope, zero), 2: (condition, zero, slope)}
            return [(p, self.put(CHOOSE, ways[p])) for p in places]
        local = {**self._local[step], "out": self.now[step]}
        by = tuple([op.operands[p] for p in places])
        for made_name, line in lines(op, by, self.fast)[1]:
            local[made_name] = self.line(line, local)
        return [(p, self._times(local[f"d{operand}"], slope)) for p, operand in zip(places, by)]


def live_steps(outputs: Sequence[Any]) -> list[Step]:
    """The steps that outputs are made of, operands before their readers."""
    return ordered([x for x in outputs if not isinstance(x, Given)])
