"""The loop of training as one Python function: weights and memory in locals, no object.   (floor 3)

A step reads as a person would write it: forward, backward, then a line for each weight. It runs
over the rows of a batch, or, of a few rows whose numbers are known, has lines for each. All is raw
arithmetic: what it gives is good if weights, memory and losses are finite in the end, for neither
nan nor inf ever leaves a weight again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from ...ops import OPS
from ...rows.text import FAST_NAMES, run
from ..derive import DIVIDE, DerivedSteps
from ..layout import item_name, pattern, tuple_of, wrapped, zeros
from ..lower import ROW_SHARE, ROWS, SUM
from ..naming import Names
from ..program import Block, Constant, Input, Program, Step, hastened
from ..stepwise import Loop, Moved, Problem, Steps
from .python_lines import AFTER, BEFORE, Expression, Lines, RowSums, is_zero

RESERVED = (
    "weights", "state", "fixed", "rates", "steps", "batches", "losses", "append", "rows", "count",
    "share", "train",
)  # fmt: skip
LARGE = 10_000  # operations of a row that a loop is made of at most

_counter = itertools.count(1)


class LoopInPython(Loop):
    """Steps of training by one generated function, with the source `source`."""

    def __init__(self, problem: Problem) -> None:
        _, penalty, update, weights, _, _, _, clip, whole = problem
        program = whole() if whole else problem.loss
        super().__init__(problem._replace(loss=program))
        self._weights = list(weights)
        count = len(update.blocks) - 4
        self._state = [Block(f"state{i + 1}", (len(weights),)) for i in range(count)]
        self._lr, self._step = [block.inputs[0] for block in update.blocks[-2:]]
        self._derived = DerivedSteps(hastened(program), fast=True)
        self._names = Names(RESERVED)
        self._sums = RowSums(self._derived, self._names)
        loss, slopes = self._of_loss(penalty)
        if clip is not None:
            slopes = self._clipped(slopes, clip)
        moved = self._moved(update, slopes)
        lines = self._lines = self._written(program.blocks, loss, moved)
        self.source = "\n".join(self._function(lines.decided())) + "\n"
        filename = f"<scalargrad training {next(_counter)}>"
        self._train = run(self.source, filename, {**FAST_NAMES, **lines.numbers})["train"]

    def load(self, table: Sequence[Any]) -> None:
        self.data = [] if self.problem.whole else list(zip(*table))

    def run(self, steps: Steps) -> Moved:
        some = steps.batches if self.carried else ()
        rows = ([self.data[i] for i in batch] for batch in some)
        first = itertools.count(steps.first)
        return self._train(  # type: ignore[no-any-return]
            steps.weights, steps.state, steps.fixed, steps.rates, first, rows
        )

    # -------------------------------------------------------------- the program of a step

    def _of_loss(self, penalty: Program | None) -> tuple[Any, list[Any]]:
        """The loss of a batch and its slopes by the weights."""
        derived, one = self._derived, self._derived.constant(1.0)
        output, *roots = derived.program.outputs
        loss, is_mean = derived.of(output), self.problem.reduce == "mean"
        seed: Any = ROW_SHARE if is_mean and self.carried else one
        roots = [output] if self.carried else roots
        groups = [derived.slopes([(root, seed)], self._weights) for root in roots]
        if self.carried:
            wishes = [f"d{item_name(weight, weight.block.name)}" for weight in self._weights]
            groups = [[*map(self._sums.of, groups[0], wishes)]]
            loss = self._sums.of(loss)
            loss = derived.put(DIVIDE, (loss, ROWS)) if is_mean else loss
        if penalty:
            loss = derived.put(SUM, (loss, *derived.also(penalty)))
            groups.append(derived.slopes([(penalty.outputs[0], one)], self._weights))
        return loss, [self._sum(parts) for parts in zip(*groups)]

    def _sum(self, parts: Sequence[Any]) -> Any:
        parts = [x for x in parts if not is_zero(x)]
        if len(parts) < 2:
            return parts[0] if parts else self._derived.constant(0.0)
        return self._derived.put(SUM, tuple(parts))

    def _clipped(self, slopes: list[Any], clip: float) -> list[Any]:
        """The slopes times clip / length, where that is less than 1."""
        every, most = Block("g", (len(slopes),)), Constant(clip)
        length = Step(OPS["norm"], tuple(every.inputs))
        factor = Step(OPS["div"], (most, Step(OPS["maximum"], (most, length))))
        shorter = [Step(OPS["mul"], (x, factor)) for x in every.inputs]
        return self._derived.also(Program([every], shorter), dict(zip(every.inputs, slopes)))

    def _moved(self, update: Program, slopes: Sequence[Any]) -> list[tuple[Input, Any]]:
        """Each weight and each number of its memory, and what it is after the step."""
        own = [block.inputs[0] for block in update.blocks[:-2]]
        moved: list[tuple[Input, Any]] = []
        for i, (weight, slope) in enumerate(zip(self._weights, slopes)):
            memory = [block.inputs[i] for block in self._state]
            found = self._derived.also(update, dict(zip(own, [weight, slope, *memory])))
            moved += zip([weight, *memory], found, strict=True)
        return moved

    # -------------------------------------------------------------- text

    def _written(
        self, blocks: Sequence[Block], loss: Any, moved: Sequence[tuple[Input, Any]]
    ) -> Lines:
        names, end = self._names, AFTER if self.carried else BEFORE
        inputs = [x for block in (*blocks, *self._state) for x in block.inputs]
        texts = [names.take(item_name(x, x.block.name)) for x in inputs]
        texts += [names.take("lr"), names.take("step")]
        inputs += [self._lr, self._step]
        lines = Lines(self._derived, inputs, names, self._sums.wishes)
        for x, text in zip(inputs, texts):
            lines.at[x].text = text
        lines.say("append(%s)", [loss], end)
        for x, number in moved:
            if x is not number:
                lines.say(f"{lines.at[x].text} = %s", [number], end)
        _keep_apart(lines, [(lines.at[x], lines.at[number]) for x, number in moved])
        return lines

    def _function(self, order: Sequence[Expression]) -> list[str]:
        """The function around the lines of a step."""
        lines, text = self._lines, self._text
        before, inside, after = lines.written(order)
        step = [*before, *after]
        if self.carried:
            heads = [pattern(b.shape, [*map(text, b.inputs)], bare=False) for b in self.carried]
            step = [
                "count = len(rows)",
                "share = 1.0 / count",
                *zeros([name for name, _ in lines.sums]),
                *before,
                *[f"for {', '.join(heads)} in rows:"] * bool(inside),
                *["    " + line for line in inside],
                *after,
            ]
        state = [self._list(block.inputs) for block in self._state]
        fixed = [pattern(b.shape, [*map(text, b.inputs)], bare=False) for b in self.problem.fixed]
        used = {"rates": text(self._lr)}
        if lines.at[self._step].count:
            used["steps"] = text(self._step)
        if self.carried:
            used["batches"] = "rows"
        given = f"zip({', '.join(used)})" if len(used) > 1 else "rates"
        weights = self._list(self._weights)
        body = [
            f"{weights} = weights",
            *([f"{', '.join(state)}, = state"] if state else []),
            *([f"{', '.join(fixed)}, = fixed"] if fixed else []),
            "losses = []",
            "append = losses.append",
            f"for {', '.join(used.values())} in {given}:",
            *["    " + line for line in step],
            f"return {weights}, {tuple_of(state) if state else '()'}, losses",
        ]
        return [
            "def train(weights, state, fixed, rates, steps, batches):",
            *[piece for line in body for piece in wrapped("    " + line)],
        ]

    def _text(self, x: Input) -> str:
        text: str = self._lines.at[x].text
        return text

    def _list(self, inputs: Iterable[Input]) -> str:
        return f"[{', '.join(map(self._text, inputs))}]"


def _keep_apart(lines: Lines, moved: Iterable[tuple[Expression, Expression]]) -> None:
    """Give those numbers a line of their own that read what is replaced before them."""
    lines.decided()
    replaced = set[Expression]()
    for target, number in moved:
        stack = [] if number.has_line else [number]
        while stack:
            x = stack.pop()
            if x in replaced:
                number.has_line = True
                break
            stack += [y for y in x.reads if not y.has_line]
        replaced.add(target)
