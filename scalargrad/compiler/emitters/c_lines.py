"""Programs of single numbers as C: a line for each step, in functions of bounded size.   (floor 3)

What a step computes is a local number where only its own function reads it, and else has a place in the array to work in.
"""

from __future__ import annotations

from typing import NamedTuple

from ..derive import live_steps
from ..derive_rolled import ROWS, Given
from ..dialects.c import literal, text_of
from ..dialects.c_helpers import OF_LISTS
from ..lower import DOT, OVER_ROWS, ROW_PRODUCTS, SUM
from ..program import Constant, Input
from .c_frame import AFTER, BEFORE, INSIDE, Body, Signature
from .c_text import INDENT, Source, function_text, new_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from ..program import Block, Step

LARGEST_PART = 500  # lines of a function


class NumberResult(NamedTuple):
    """A number that goes to an array of the caller: which it is of so many in each row, and in which turn."""

    x: Any
    name: str
    place: int
    size: int
    by_rows: bool
    turn: int = 0


class LineFunction(Signature):
    """A function of blocks, in lines."""

    def __init__(
        self,
        name: str,
        blocks: Sequence[Block],
        results: Sequence[NumberResult],
        names: dict[Any, str],
        moving: Collection[Block] = (),
        order: bool = False,
    ) -> None:
        self.name, self.blocks, self.results = name, blocks, results
        self.moving, self.order = moving, order
        self.names = new_names()
        self.names.taken.update(names.values(), [result.name for result in results])
        self.name_of = names
        self.has_rows = any(block.has_rows for block in blocks)
        self.calls: set[str] = set()
        self.steps = live_steps([result.x for result in results])
        self.stage_of: dict[Any, int] = {
            x: INSIDE for block in blocks if block.has_rows for x in block.inputs
        }
        self.late: set[Any] = set()
        stages: tuple[list[Any], ...] = ([], [], [])
        for step in self.steps:
            stages[self._stage(step)].append(step)
        for result in results:
            stage = INSIDE if result.by_rows else AFTER if self.has_rows else BEFORE
            stages[stage].append(result)
        self.parts: list[tuple[int, list[Any]]] = []
        for stage, items in enumerate(stages):
            for begin in range(0, len(items), LARGEST_PART):
                self.parts.append((stage, items[begin : begin + LARGEST_PART]))
        self._placed()

    def _stage(self, step: Any) -> int:
        stages = [self.stage_of.get(x, BEFORE) for x in step.operands]
        if step.row in (OVER_ROWS, ROW_PRODUCTS):
            stage = INSIDE if INSIDE in stages else max(stages)
            self.late.add(step)
            self.stage_of[step] = AFTER
            return stage
        stage = INSIDE if INSIDE in stages else max(stages, default=BEFORE)
        self.stage_of[step] = stage
        return stage

    def _placed(self) -> None:
        """Which part makes a step, and which steps others read: those have places to work in."""
        made = {step: number for number, (_, items) in enumerate(self.parts) for step in items}
        self.at: dict[Any, int] = {}
        self.room = 0
        for number, (_, items) in enumerate(self.parts):
            for item in items:
                read = (item.x,) if isinstance(item, NumberResult) else item.operands
                for x in read:
                    is_far = x in made and (made[x] != number or x in self.late)
                    if is_far and x not in self.at:
                        self.at[x] = self.room
                        self.room += len(x.operands) if x.row.name in OF_LISTS else 1

    # -------------------------------------------------------------- text

    def of(self, x: Any) -> str:
        """A number as text."""
        if x.__class__ is Constant:
            return literal(x.data)
        if isinstance(x, Given):
            self.uses[x.name] = None
            return "(double)rows" if x is ROWS else x.name
        if isinstance(x, Input):
            name = self.name_of[x.block]
            self.uses[name] = None
            if x.block.has_rows:
                row, width = "q" if self.order else "r", len(x.block.inputs)
                self.uses[row] = None
                return f"{name}[{row}]" if width == 1 else f"{name}[{row} * {width} + {x.place}]"
            return name if self.is_number(x.block) else f"{name}[{x.place}]"
        if x in self.at:
            self.uses["work"] = None
            return f"work[{self.at[x]}]"
        return self.local[x]

    def _lines(self, item: Any) -> list[str]:
        """The lines of a step or of a result."""
        if isinstance(item, NumberResult):
            return [f"{self._target(item)} = {self.of(item.x)};"]
        line, operands = item.row, item.operands
        if line in (OVER_ROWS, ROW_PRODUCTS):
            text = " * ".join(self._factor(self.of(x)) for x in operands)
            if line is ROW_PRODUCTS:
                self.calls.add("share_of")
                text = f"share_of({self.of(operands[0])}, {self.of(operands[1])})"
            self.uses["work"] = None
            if all(self.stage_of.get(x, BEFORE) != INSIDE for x in operands):
                self.uses["rows"] = None
                return [f"work[{self.at[item]}] = (double)rows * {text};"]
            return [f"work[{self.at[item]}] += {text};"]
        if line.name in OF_LISTS:
            return self._listed(item)
        if line.name.startswith("item "):
            self.uses |= {"work": None} if operands[0] in self.at else {}
            (made,), place = operands, int(line.name[5:])
            return self._set(
                item,
                f"work[{self.at[made] + place}]"
                if made in self.at
                else f"{self.lists[made]}[{place}]",
            )
        if line is SUM:
            text = " + ".join(self._factor(self.of(x)) for x in operands) or "0.0"
        elif line is DOT:
            count = len(operands) // 2
            terms = [
                f"{self._factor(self.of(w))} * {self._factor(self.of(x))}"
                for w, x in zip(operands[:count], operands[count:])
            ]
            bias = operands[-1]
            first = (
                []
                if bias.__class__ is Constant and bias.data == 0.0 and terms
                else [self._factor(self.of(bias))]
            )
            text = " + ".join([*first, *terms])
        else:
            written = text_of(line)
            self.calls |= written.called(False)
            text = written.of({name: self.of(x) for name, x in zip(line.operands, operands)})
        return self._set(item, text)

    def _factor(self, text: str) -> str:
        return f"({text})" if text[0] in "-" else text

    def _set(self, step: Step, text: str) -> list[str]:
        if step in self.at:
            self.uses["work"] = None
            return [f"work[{self.at[step]}] = {text};"]
        name = self.local[step] = self.names.take(step.label)
        return [f"const double {name} = {text};"]

    def _listed(self, step: Step) -> list[str]:
        """What has a function of its own for a list."""
        function = OF_LISTS[step.row.name]
        self.calls.add(function)
        xs = step.operands if len(step.row.operands) == 1 else step.operands[:-1]
        name = self.names.take("", "xs")
        lines = [f"const double {name}[] = {{{', '.join([self.of(x) for x in xs]) or '0.0'}}};"]
        if len(step.row.operands) == 1:
            return [*lines, *self._set(step, f"{function}({len(xs)}, {name})")]
        out = self.of(step.operands[-1])
        if step in self.at:
            self.uses["work"] = None
            return [*lines, f"{function}({len(xs)}, {name}, {out}, work + {self.at[step]});"]
        slopes = self.lists[step] = self.names.take("", "ds")
        return [
            *lines,
            f"double {slopes}[{max(1, len(xs))}];",
            f"{function}({len(xs)}, {name}, {out}, {slopes});",
        ]

    def _target(self, result: NumberResult) -> str:
        name, size = result.name, result.size
        self.uses[name] = None
        if not result.by_rows:
            return f"{name}[{result.turn * size + result.place}]"
        self.uses["r"] = None
        row = "r"
        if result.turn:
            self.uses["rows"] = None
            row = f"({result.turn} * rows + r)"
        at = f"{row} * {size} + {result.place}" if size > 1 else row.strip("()")
        return f"{name}[{at}]"

    def body(self) -> Body:
        """The lines of all stages."""
        kinds = self.kinds()
        functions: list[str] = []
        staged: tuple[list[str], ...] = ([], [], [])
        all_uses: set[str] = set()
        numbers = [sum(stage == which for stage, _ in self.parts) for which in range(3)]
        for stage, items in self.parts:
            self.uses: dict[str, None] = {}
            self.local: dict[Any, str] = {}
            self.lists: dict[Any, str] = {}
            lines = [line for item in items for line in self._lines(item)]
            all_uses |= self.uses.keys()
            if numbers[stage] == 1:
                staged[stage].extend(lines)
                continue
            part = self.names.take("", f"{self.name}_part")
            head = f"static void {part}({', '.join(kinds[name] + name for name in self.uses)})"
            functions.append(function_text(head, lines))
            staged[stage].append(f"{part}({', '.join(self.uses)});")
        before, inside, after = staged
        cleared = [f"work[{self.at[x]}] = 0.0;" for x in self.late if self._is_added_up(x)]
        if cleared:
            all_uses.add("work")
        if inside:
            all_uses.add("rows")
            if "q" in all_uses:
                all_uses.add("order")
                inside.insert(0, "const long q = order[r];")
            inside = ["for (long r = 0; r < rows; r++) {", *[INDENT + line for line in inside], "}"]
        return Body(functions, [*cleared, *before, *inside, *after], all_uses)

    def _is_added_up(self, step: Step) -> bool:
        return any(self.stage_of.get(x, BEFORE) == INSIDE for x in step.operands)

    def all_calls(self) -> set[str]:
        """The helpers that are called, once the body is written."""
        return self.calls

    def room_to_work(self) -> int:
        """How many numbers have a place to work in."""
        return self.room

    def source(self) -> Source:
        """The function as text."""
        return self.function(self.body(), self.room, self.calls)
