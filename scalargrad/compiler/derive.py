"""The derivative of a program of single numbers, as further steps of lines.   (floor 3)

It is what `derive_rolled` does, number by number, for plain Python, where rows are taken one by one
and lists are values: what computes the same of the same operands is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import frexp
from operator import add
from typing import Any

from ..arithmetic.total import inf
from . import lower
from .lower import Line, computed, decided, known, line_of, lines
from .program import Constant, Input, Program, Step, ordered, pulls

DIVIDE = line_of("x / y")
SPECIAL = 64  # lines of a program in which known operands have the choices made that they decide
ITEMS: dict[int, Line] = {}  # the lines that take a number out of a list


def item_of(place: int) -> Line:
    """The line that takes the number at a place out of a list."""
    return ITEMS.setdefault(place, Line(f"item {place}", ("xs",)))


class DerivedSteps:
    """A program in lines, and behind them the slopes that are asked for.

    `fast` is that of `derive_rolled.Derived`. Slopes are added up in the order of `Value.backward`.
    `roles` says of steps what they are: the value ("out") or a line, by its name, of a step of the
    program; or the slope ("") by a step or an input.
    """

    def __init__(self, program: Program, fast: bool = False) -> None:
        self.program, self.fast = program, fast
        self.steps: list[Step] = []
        self.sources: list[Step] = []  # the steps of the programs
        self.carriers: set[Any] = {
            x for block in program.blocks if block.has_rows for x in block.inputs
        }
        self.now = Found(lambda x: self.constant(x.data) if x.__class__ is Constant else x)
        self.roles: dict[Any, tuple[Any, str]] = {}
        self._known: dict[Any, Any] = {}
        self._special: set[Any] = set()
        self._local: dict[Step, dict[str, Any]] = {}
        self.also(program)

    def also(self, program: Program, stands: Mapping[Any, Any] | None = None) -> list[Any]:
        """The outputs of a program that is added; `stands` has what stands for its inputs."""
        self.now.update(stands or {})
        self.sources += program.steps
        for step in program.steps:
            self.now[step] = self._value(step)
        return [self.now[x] for x in program.outputs]

    def of(self, x: Any) -> Any:
        """The present form of an input, a constant or a step of the program."""
        return self.now[x]

    def constant(self, number: float) -> Constant:
        """A constant, the same for the same number."""
        key = repr(number)
        if key not in self._known:
            self._known[key] = Constant(number)
        return self._known[key]  # type: ignore[no-any-return]

    def put(self, line: Line, operands: tuple[Any, ...], label: str = "") -> Any:
        """A step, or the one that computes the same already."""
        key = line, operands
        step = self._known.get(key)
        if step is None:
            step = self._known[key] = self.new(line, operands, label)
        return step

    def new(self, line: Line, operands: tuple[Any, ...], label: str = "") -> Step:
        """A step, even if another computes the same."""
        step = Step(line, operands, label)
        self.steps.append(step)
        if line is not lower.OVER_ROWS and not self.carriers.isdisjoint(operands):
            self.carriers.add(step)
        return step

    def line(self, line: Line, local: dict[str, Any], label: str = "") -> Any:
        """The result of a line for the operands that stand in `local` under their names."""
        if line.text in local:
            return local[line.text]
        operands = tuple([local[name] for name in line.operands])
        for x in operands:
            if x.__class__ is Constant:
                return self._of_constants(line, operands, local, label)
        number = None if operands else known(line)
        return self.put(line, operands, label) if number is None else self.constant(number)

    def _of_constants(
        self, line: Line, operands: tuple[Any, ...], local: dict[str, Any], label: str
    ) -> Any:
        """A line of which some operands are known."""
        numbers = {
            name: x.data for name, x in zip(line.operands, operands) if x.__class__ is Constant
        }
        if len(numbers) == len(operands):
            number = computed(line.text, numbers)
            return (
                self.put(line, operands, label) if number is None else self.constant(float(number))
            )
        if line in (lower.MULTIPLY, DIVIDE) and numbers.get("y") == 1.0:
            return operands[0]
        if line is lower.MULTIPLY and numbers.get("x") == 1.0:
            return operands[1]
        if asked := tuple([item for item in numbers.items() if item[0] in line.asked]):
            if len(self._special) < SPECIAL:
                self._special.add((line, asked))
            if (line, asked) in self._special and (simpler := decided(line, asked)) is not line:
                return self.line(simpler, local, label)
        return self.put(line, operands, label)

    def _value(self, step: Step) -> Any:
        now, op, made = self.now, step.op, None
        local: dict[str, Any] = {}
        name, operands = op.name, tuple([now[x] for x in step.operands])
        if name == "sum":
            made = self.put(lower.SUM, (self.constant(0.0), *operands), step.label)
        elif name == "dot":
            made = self.put(lower.DOT, operands, step.label)
        elif name not in lower.LISTED:
            local = self._local[step] = dict(zip(op.operands, operands))
        else:
            if name == "prod":
                made = self.put(lower.LISTED[name], operands, step.label)
            local = self._local[step] = {"xs": self.put(lower.LIST, operands)}
        if made is not None:
            self.roles.setdefault(made, (step, "out"))
            return made
        for name, line in lines(op, (), self.fast)[0]:
            local[name] = made = self.line(line, local, step.label * (name == "out"))
            self.roles.setdefault(made, (step, name))
        return made

    # -------------------------------------------------------------- slopes

    def slopes(self, roots: Sequence[tuple[Any, Any]], by: Sequence[Input]) -> list[Any]:
        """The slopes of the sum of roots, each with the slope it begins with, by some inputs."""
        sent: dict[Any, list[Any]] = {}
        by = [x.block.twins.get(x.place, x) for x in by]
        for root, seed in roots:
            sent.setdefault(root, []).append(seed)
        starts = [root for root, _ in roots]
        for step, places in pulls(ordered(starts, last_first=True), starts, by):
            slope, operands = self._added(sent.pop(step), step), step.operands
            for place, share in self._shares(step, places, slope):
                sent.setdefault(operands[place], []).append(share)
        return [self._added(sent[x], x) if x in sent else self.constant(0.0) for x in by]

    def _added(self, shares: Sequence[Any], of: Any) -> Any:
        """The slope by a step or input: the sum of its shares."""
        slope = shares[0]
        if len(shares) == 1:
            slope = self._product(slope) if slope.__class__ is tuple else slope
        else:
            parts = tuple([self._product(x) if x.__class__ is tuple else x for x in shares])
            slope = parts[0]
            numbers = [x.data for x in parts if x.__class__ is Constant]
            if len(numbers) == len(parts):
                slope = self.constant(reduce(add, numbers))
            elif len(parts) == 2 and slope is parts[1]:
                slope = self._product((slope, self.constant(2.0)))
            else:
                slope = self.put(lower.SUM, parts)
        self.roles.setdefault(slope, (of, ""))
        return slope

    def _product(self, share: tuple[Any, Any]) -> Any:
        """A partial times a slope, which sends nothing if it is 0."""
        x, slope = share
        if slope.__class__ is Constant:
            number, of = self._merged(slope.data, x) if self.fast else (slope.data, x)
            return of if number == 1.0 else self.put(lower.MULTIPLY, (self.constant(number), of))
        is_finite = x.__class__ is Constant and -inf < x.data < inf
        if not self.fast and not is_finite:
            return self.put(lower.SHARE, share)
        return self.put(lower.MULTIPLY, (slope, x) if x.__class__ is Input else share)

    def _merged(self, number: float, x: Any) -> tuple[float, Any]:
        """A number times a step: one number if that is a number times another; no digit is lost."""
        factor = 0.0
        if x.op is lower.TWICE:
            factor = 2.0
        elif x.op is lower.MULTIPLY and x.operands[0].__class__ is Constant:
            factor = x.operands[0].data
        if 0.5 in (abs(frexp(number)[0]), abs(frexp(factor)[0])) and factor:  # a power of two
            return number * factor, x.operands[-1]
        return number, x

    def _times(self, partial: Any, slope: Any) -> Any:
        if partial.__class__ is not Constant and slope.__class__ is not Constant:
            return partial, slope
        p = partial.data if partial.__class__ is Constant else None
        d = slope.data if slope.__class__ is Constant else None
        if d == 0.0:
            return self.constant(0.0)
        if p is not None and d is not None:
            return self.constant(p * d)
        if p == 1.0:
            return slope
        if p == -1.0:
            return self.put(lower.NEGATE, (slope,))
        return partial if d == 1.0 else (partial, slope)

    def _shares(self, step: Step, places: Sequence[int], slope: Any) -> list[tuple[int, Any]]:
        """The shares that a step sends to its operands."""
        op, name = step.op, step.op.name
        now = self.now
        operands = tuple([now[x] for x in step.operands])
        if name == "sum":
            return [(place, slope) for place in places]
        if name == "dot":
            count, times = len(operands) // 2, self._times
            others = (*operands[count:-1], *operands[:count])
            return [(p, slope if p == 2 * count else times(others[p], slope)) for p in places]
        if name == "_choose":
            zero, condition = self.constant(0.0), operands[0]
            ways = {1: (condition, slope, zero), 2: (condition, zero, slope)}
            return [(p, self.put(lower.CHOOSE, ways[p])) for p in places]
        local = {**self._local[step], "out": now[step]}
        by = op.operands if name in lower.LISTED else tuple([op.operands[p] for p in places])
        for made_name, line in lines(op, by, self.fast)[1]:
            local[made_name] = made = self.line(line, local)
            if made_name[:1] != "d":
                self.roles.setdefault(made, (step, made_name))
        if name in lower.LISTED:
            listed = local[f"d{op.operands[0]}"]
            return [(p, self._times(self.put(item_of(p), (listed,)), slope)) for p in places]
        return [(p, self._times(local[f"d{operand}"], slope)) for p, operand in zip(places, by)]


class Found(dict):  # type: ignore[type-arg]
    """A dict from inputs, constants and steps to their stand-ins; `make` gives one at first use."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, x: Any) -> Any:
        self[x] = found = self.make(x)
        return found
