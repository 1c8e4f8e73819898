"""The loop of training as one Python function: weights and the optimiser's memory in locals, no object between steps.   (floor 3)

A step reads as a person would write it: forward, backward, then a line for each weight. It runs over the rows of a batch, or, of a
few rows whose numbers are known, has lines for each. All is raw arithmetic: what it gives is good if weights, memory and losses are
finite in the end, for neither nan nor inf ever leaves a weight again.
"""

from __future__ import annotations

import itertools
from math import frexp

from ...rows.text import FAST_NAMES, run
from ..forms import PLUS, TIMES, Form
from ..layout import index_of, pattern, targets, tuple_of, wrapped
from ..naming import Names
from ..program import Block, Input, Program, Step, hastened
from .body import Body
from .lines import Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ..stepwise import Numbers, State, Update

RESERVED = (
    "weights",
    "state",
    "fixed",
    "rates",
    "steps",
    "batches",
    "losses",
    "append",
    "rows",
    "count",
    "share",
    "total",
    "train",
)
LARGE = 10_000  # operations of a row that a loop is made of at most
WIDTH = 100  # characters of a line that sets names to 0

_counter = itertools.count(1)


class Loop:
    """Steps of training by one generated function, with the source `source`.

    `program` is that of a row's loss, with blocks that carry rows, or of the loss of a batch whose rows are known; what slopes are taken
    of are the outputs after the first. `update` is the formula of a weight. `fixed` are the inputs that are neither weights nor data.
    """

    def __init__(
        self,
        program: Program,
        penalty: Program | None,
        update: Program,
        weights: Sequence[Input],
        rows: Sequence[Any] | None,
    ) -> None:
        program = hastened(program)
        self._rows = rows  # of the whole table, each as the blocks that carry rows have it
        self._carried = [block for block in program.blocks if block.has_rows]
        self._weights = list(weights)
        given = [block for block in program.blocks if not block.has_rows and block.name != "share"]
        known = set(weights)
        self.fixed = [x for block in given for x in block.inputs if x not in known]
        self._state = [
            Block(f"state{i + 1}", (len(weights),)) for i in range(len(update.blocks) - 4)
        ]
        self._names = Names(RESERVED)
        self._texts = {
            x: self._name(x) for block in (*program.blocks, *self._state) for x in block.inputs
        }
        self._update, self._lr, self._step = (
            update,
            self._names.take("lr"),
            self._names.take("step"),
        )
        self._numbers: dict[str, float] = {}
        self.source = (
            "\n".join(
                self._by_rows(program, penalty) if self._carried else self._once(program, penalty)
            )
            + "\n"
        )
        filename = f"<scalargrad training {next(_counter)}>"
        self._train = run(self.source, filename, {**FAST_NAMES, **self._numbers})["train"]

    def run(
        self,
        weights: Numbers,
        state: State,
        fixed: Numbers,
        rates: Iterable[float],
        first: int,
        batches: Iterable[list[int]],
        update: Update,
    ) -> tuple[Numbers, State, Numbers]:
        """Make a step on each batch, with its rate; the weights and the state after them, and the losses."""
        rows = map(self._of_batch, batches) if self._carried else ()
        return self._train(weights, state, fixed, rates, itertools.count(first), rows)  # type: ignore[no-any-return]

    def _of_batch(self, batch: list[int]) -> list[Any]:
        assert self._rows is not None
        return [self._rows[i] for i in batch]

    # -------------------------------------------------------------- lines

    def _name(self, x: Input) -> str:
        block = x.block
        if block.name == "share":
            return "share"
        item = (
            "_".join([block.name, *map(str, index_of(x))])
            if block.shape
            else f"{block.name}_i"
            if block.has_rows
            else block.name
        )
        return self._names.take(item)

    def _body(self, program: Program, lines: Lines) -> Body:
        """A program in lines, under the names of this function."""
        return Body(
            program,
            lines,
            {x: lines.atom(self._texts[x]) for block in program.blocks for x in block.inputs},
        )

    def _once(self, program: Program, penalty: Program | None) -> list[str]:
        """A function of a batch whose rows are known."""
        lines = Lines(self._names)
        body = _Body(
            program,
            lines,
            {x: lines.atom(self._texts[x]) for block in program.blocks for x in block.inputs},
        )
        groups = [body.slopes(root, self._weights) for root in program.outputs[1:]]
        slopes = [
            lines.added([part for part in parts if part != lines.zero] or [lines.zero])
            for parts in zip(*groups)
        ]
        return self._function([], self._moved(lines, body.outputs[0], slopes, penalty))

    def _by_rows(self, program: Program, penalty: Program | None) -> list[str]:
        """A function that adds up loss and slopes over the rows of each batch."""
        inner, outer = Lines(self._names), Lines(self._names)
        body = self._body(program, inner)
        inner.varying.update(body.at[x] for block in self._carried for x in block.inputs)
        inner.say(Form.line("total += %s"), [body.outputs[0]])
        sums, slopes = [], []
        for x, slope in zip(self._weights, body.slopes(program.outputs[1], self._weights)):
            if slope == inner.zero:
                slopes.append(outer.zero)
                continue
            sums.append(self._names.take(f"d{self._texts[x]}"))
            inner.say(Form.line(f"{sums[-1]} += %s"), [slope])
            slopes.append(outer.atom(sums[-1]))
        before, lines = inner.written()
        self._numbers.update(inner.numbers)
        head = targets(
            pattern(block.shape, [self._texts[x] for x in block.inputs]) for block in self._carried
        )
        inside = [
            "count = len(rows)",
            "share = 1.0 / count",
            "total = 0.0",
            *_zeros(sums),
            *before,
            f"for {head} in rows:",
            *["    " + line for line in lines],
        ]
        is_mean = program.outputs[0] is not program.outputs[1]
        loss = outer.atom("total / count" if is_mean else "total")
        return self._function(["rows"], [*inside, *self._moved(outer, loss, slopes, penalty)])

    def _moved(
        self, lines: Lines, loss: int, slopes: list[int], penalty: Program | None
    ) -> list[str]:
        """The lines from the slopes to the new weights."""
        if penalty:
            body = self._body(penalty, lines)
            loss = lines.put(PLUS, (loss, *body.outputs))
            extra = body.slopes(penalty.outputs[0], self._weights)
            slopes = [
                slope if more == lines.zero else lines.added([slope, more])
                for slope, more in zip(slopes, extra)
            ]
        formulas, at = self._formulas(lines, slopes)
        moved = Body(formulas, lines, at).outputs
        lines.say(Form.line("append(%s)"), [loss])
        width = len(self._update.outputs)
        places = [
            x
            for i, weight in enumerate(self._weights)
            for x in (weight, *(block.inputs[i] for block in self._state))
        ]
        targets = [lines.atom(self._texts[x]) for x in places]
        assert len(targets) == len(moved) == width * len(self._weights)
        for target, number in zip(targets, moved):
            if target != number:
                lines.say(Form.line(f"{lines.texts[target]} = %s"), [number])
        _keep_apart(lines, targets, moved)
        _, written = lines.written()
        self._numbers.update(lines.numbers)
        return written

    def _formulas(self, lines: Lines, slopes: list[int]) -> tuple[Program, dict[Any, int]]:
        """The update of every weight as a program, and what stands for its inputs."""
        update = self._update
        own, (lr, step) = (
            [block.inputs[0] for block in update.blocks[:-2]],
            [block.inputs[0] for block in update.blocks[-2:]],
        )
        apart = _made_of(update.steps, own)
        at: dict[Any, int] = {lr: lines.atom(self._lr), step: lines.atom(self._step)}
        outputs: list[Any] = []
        for i, (weight, slope) in enumerate(zip(self._weights, slopes)):
            gradient = Input(update.blocks[1], i)
            at[gradient] = slope
            stands: dict[Any, Any] = dict(
                zip(own, [weight, gradient, *(block.inputs[i] for block in self._state)])
            )
            at.update((x, lines.atom(self._texts[x])) for x in stands.values() if x is not gradient)
            for one in update.steps:
                if one in apart:
                    stands[one] = Step(
                        one.row, tuple([stands.get(x, x) for x in one.operands]), one.label
                    )
            outputs += [stands.get(x, x) for x in update.outputs]
        return Program([], outputs), at

    def _function(self, rows: list[str], step: list[str]) -> list[str]:
        """The function around the lines of a step."""

        def names(inputs: Iterable[Input]) -> str:
            return f"[{', '.join([self._texts[x] for x in inputs])}]"

        state = [names(block.inputs) for block in self._state]
        counted = [self._step] if _reads(self._update, self._update.blocks[-1].inputs[0]) else []
        heads = [self._lr, *counted, *rows]
        sources = ["rates", *(["steps"] if counted else []), *(["batches"] if rows else [])]
        lines = [
            f"{names(self._weights)} = weights",
            *([f"{', '.join(state)}, = state"] if state else []),
            *([f"{names(self.fixed)} = fixed"] if self.fixed else []),
            "losses = []",
            "append = losses.append",
            f"for {', '.join(heads)} in "
            + (f"zip({', '.join(sources)}):" if len(sources) > 1 else f"{sources[0]}:"),
            *["    " + line for line in step],
            f"return {names(self._weights)}, {tuple_of(state) if state else '()'}, losses",
        ]
        return [
            "def train(weights, state, fixed, rates, steps, batches):",
            *[piece for line in lines for piece in wrapped("    " + line)],
        ]


class _Body(Body):
    """A program in which slopes that are numbers meet factors that are: c × (2 × x) is (2 c) × x."""

    def _share(self, partial: int, slope: int) -> int:
        lines, form = self.lines, self.lines.forms[partial]
        if (
            slope in lines.known
            and form
            and (found := _times(form.text))
            and frexp(found)[0] == 0.5
        ):
            factor = lines.number(lines.known[slope] * found)
            return lines.put(TIMES, (factor, lines.reads[partial][0]))
        return super()._share(partial, slope)


def _times(text: str) -> float:
    """The number in `2.0 * %s`; 0 in anything else."""
    number, _, rest = text.partition(" * ")
    return float(number) if rest == "%s" and number.replace(".", "").isdigit() else 0.0


def _zeros(names: Iterable[str]) -> list[str]:
    """Lines that set names to 0."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) < WIDTH:
            lines[-1] = f"{name} = {lines[-1]}"
        else:
            lines.append(f"{name} = 0.0")
    return lines


def _made_of(steps: Iterable[Step], inputs: Iterable[Input]) -> set[Any]:
    """Inputs, and the steps that they go into."""
    found: set[Any] = set(inputs)
    for step in steps:
        if not found.isdisjoint(step.operands):
            found.add(step)
    return found


def _reads(program: Program, x: Input) -> bool:
    return any(x in step.operands for step in program.steps) or x in program.outputs


def _keep_apart(lines: Lines, targets: Sequence[int], numbers: Sequence[int]) -> None:
    """Give those numbers a line of their own that read, where they are put in place, what was replaced before."""
    lines.decided()
    replaced: set[int] = set()
    for target, number in zip(targets, numbers):
        stack = [] if number in lines.named else [number]
        while stack:
            i = stack.pop()
            if i in replaced:
                lines.named.add(number)
                break
            stack += [j for j in lines.reads[i] if j not in lines.named]
        replaced.add(target)


__all__ = ["Loop"]
