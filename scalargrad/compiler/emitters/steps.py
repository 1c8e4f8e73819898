"""Programs of single numbers as lines: one for each step, in parts of bounded length.   (floor 3)

A step is a local number where only its own part reads it, and else has a place in an array.
"""

from __future__ import annotations

from typing import NamedTuple

from ..derive import live_steps
from ..lower import DOT, LIST_SLOPES, OVER_ROWS, ROW_PRODUCTS, SUM, Given
from ..program import Constant, Input
from .frame import AFTER, BEFORE, INSIDE, Frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..program import Step

LARGEST_PART = 500  # steps of a part


class NumberResult(NamedTuple):
    """A number that goes to an array of the caller: which it is of so many in each row, and in
    which turn.
    """

    x: Any
    name: str
    place: int
    size: int
    by_rows: bool
    turn: int = 0


class LineFunction(Frame):
    """A function of steps."""

    def __init__(
        self, dialect: Any, name: str, blocks: Any, results: Sequence[NumberResult], names: Any,
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(dialect, name, blocks, results, names, **options)
        self.steps = live_steps([result.x for result in results])
        self.stage_of: dict[Any, int] = {
            x: INSIDE for block in blocks if block.has_rows for x in block.inputs
        }
        self.late: set[Any] = set()
        stages: tuple[list[Any], ...] = ([], [], [])
        for step in self.steps:
            stages[self._stage(step)].append(step)
        for result in [*self.results, *([self.returned] if self.returned else [])]:
            stages[INSIDE if result.by_rows else AFTER].append(result)
        if not self.has_rows:
            stages = [*stages[BEFORE], *stages[AFTER]], [], []
        parts = [
            (stage, items[begin : begin + LARGEST_PART])
            for stage, items in enumerate(stages)
            for begin in range(0, len(items), LARGEST_PART)
        ]
        self.in_parts = len(parts) > len({stage for stage, _ in parts})
        self._placed(parts)
        for stage, items in parts:
            self.local: dict[Any, str] = {}
            with self.piece_of(stage):
                for item in items:
                    if item is not self.returned:
                        self.piece.lines += self._lines(item)
        if returned := self.returned:
            self.ends_in(lambda: self.of(returned.x))

    def _stage(self, step: Any) -> int:
        stages = [self.stage_of.get(x, BEFORE) for x in step.operands]
        stage = INSIDE if INSIDE in stages else max(stages, default=BEFORE)
        is_over_rows = step.op in (OVER_ROWS, ROW_PRODUCTS)
        self.stage_of[step] = AFTER if is_over_rows else stage
        if is_over_rows:
            self.late.add(step)
        return stage

    def _placed(self, parts: Sequence[tuple[int, list[Any]]]) -> None:
        """The part that makes each step, and the steps that others read, which lie in an array."""
        made = {step: number for number, (_, items) in enumerate(parts) for step in items}
        self.place: dict[Any, int] = {}
        self.kept, end = self.names.take("", "kept"), 0
        for number, (_, items) in enumerate(parts):
            for item in items:
                read = (item.x,) if isinstance(item, NumberResult) else item.operands
                for x in read:
                    is_far = x in made and (made[x] != number or x in self.late)
                    is_far |= x in made and item is self.returned and self.in_parts
                    if is_far and x not in self.place:
                        self.place[x] = end
                        end += len(x.operands) if x.op in LIST_SLOPES.values() else 1
        if end:
            self.arrays[self.kept] = end

    # -------------------------------------------------------------- text

    def of(self, x: Any) -> str:
        """A number as text."""
        if x.__class__ is Constant:
            return self.dialect.literal(x.data)
        if isinstance(x, Given):
            return self.known(x)
        if isinstance(x, Input):
            name, width = self.use(self.name_of[x.block]), len(x.block.inputs)
            if x.block.has_rows:
                row = self.use("q" if self.order else "r")
                return f"{name}[{row}]" if width == 1 else f"{name}[{width} * {row} + {x.place}]"
            return name if self.is_number(x.block) else f"{name}[{x.place}]"
        return f"{self.use(self.kept)}[{self.place[x]}]" if x in self.place else self.local[x]

    def _lines(self, item: Any) -> list[str]:
        """The lines of a step or of a result."""
        if isinstance(item, NumberResult):
            return [f"{self._target(item)} = {self.of(item.x)};"]
        line, operands = item.op, item.operands
        if line in (OVER_ROWS, ROW_PRODUCTS):
            return self._over_rows_of(item)
        if line.name in self.dialect.lists:
            return self._listed(item)
        if line.name.startswith("item "):
            (made,), place = operands, int(line.name[5:])
            if made in self.place:
                return self._set(item, f"{self.use(self.kept)}[{self.place[made] + place}]")
            return self._set(item, f"{self.local[made]}[{place}]")
        texts = [self.of(x) for x in operands]
        if line in (SUM, DOT):
            texts = [f"({text})" if text[0] == "-" else text for text in texts]
            count = len(texts) // 2
            if line is DOT:
                start = texts[-1:] if texts[-1] != "0.0" or count == 0 else []
                texts = [*start, *[f"{w} * {x}" for w, x in zip(texts[:count], texts[count:-1])]]
            elif texts[0] == "0.0" and len(texts) > 1:
                texts = texts[1:]
            return self._set(item, " + ".join(texts) or "0.0")
        operands = dict(zip(line.operands, texts))
        return self._set(item, self.dialect.text(line, operands, self.calls))

    def _over_rows_of(self, step: Step) -> list[str]:
        """The lines of a sum over rows, which begins at 0."""
        texts = [self.of(x) for x in step.operands]
        place = f"{self.use(self.kept)}[{self.place[step]}]"
        if not any(self.stage_of.get(x) == INSIDE for x in step.operands):
            self.use("n")
            return [f"{place} = {self.dialect.rows} * {' * '.join(texts)};"]
        with self.piece_of(BEFORE):
            self.write([], f"{self.use(self.kept)}[{self.place[step]}]", "0.0", False)
        text = texts[0]
        if step.op is ROW_PRODUCTS:
            self.calls.add("share_of")
            text = f"share_of({', '.join(texts)})"
        return [f"{place} += {text};"]

    def _set(self, step: Step, text: str) -> list[str]:
        if step in self.place:
            return [f"{self.use(self.kept)}[{self.place[step]}] = {text};"]
        name = self.local[step] = self.names.take(step.label)
        return [self.dialect.constant(name, text)]

    def _listed(self, step: Step) -> list[str]:
        """A function of a list: its value, or its slopes, a list again."""
        function, has_one = self.dialect.lists[step.op.name], len(step.op.operands) == 1
        self.calls.add(function)
        xs = step.operands if has_one else step.operands[:-1]
        name = self.names.take("", "xs")
        lines = [self.dialect.listed(name, [self.of(x) for x in xs] or ["0.0"])]
        if has_one:
            return [*lines, *self._set(step, f"{function}({len(xs)}, {name})")]
        out = self.of(step.operands[-1])
        if step in self.place:
            slopes = self.dialect.part(self.use(self.kept), str(self.place[step]))
        else:
            slopes = self.local[step] = self.names.take("", "ds")
            lines.append(self.dialect.arrays({slopes: max(1, len(xs))}))
        return [*lines, f"{function}({len(xs)}, {name}, {out}, {slopes});"]

    def _target(self, result: NumberResult) -> str:
        name, size, row = self.use(result.name), result.size, "r"
        if not result.by_rows:
            return f"{name}[{result.turn * size + result.place}]"
        self.use("r")
        if result.turn:
            row = f"{result.turn} * {self.use('n')} + r"
        return f"{name}[{size} * ({row}) + {result.place}]" if size > 1 else f"{name}[{row}]"
