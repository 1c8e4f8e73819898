"""The loop of training as one function of arrays: forward, backward and the update of each matrix, a line each.   (floor 3)

Weights, and what the optimiser remembers of them, are the arrays of their blocks from the first step of a run to the last. All is
fast arithmetic: an overflow raises, and what the loop gives is good if weights, memory and losses are finite in the end.
"""

from __future__ import annotations

import itertools

from ...kernels import run
from ..program import Constant, Program
from ..roll import Rolled, rolled
from .arrays import array_names, array_statements
from .source import Body, output
from .text import filled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ..program import Input
    from ..stepwise import Numbers, State, Update

_counter = itertools.count(1)


class LoopOnArrays:
    """Steps of training by one generated function, with the source `source`.

    `program` is that of a row's loss, `table` what its blocks of rows hold, `update` the formula of a weight. `fixed` are the inputs
    that are neither weights nor data. Where `keeps` is true, batches come again, each as the same list.
    """

    def __init__(
        self,
        program: Program,
        penalty: Program | None,
        update: Program,
        weights: Sequence[Input],
        table: Sequence[Any],
        reduce: str,
        keeps: bool,
    ) -> None:
        import numpy

        from .function import NAMES, shaped

        own = set(weights)
        given = [block for block in program.blocks if not block.has_rows and block.name != "share" and block.inputs]
        carried = [block for block in program.blocks if block.has_rows]
        self.fixed = [x for block in given for x in block.inputs if x not in own]
        self._moving = [block for block in given if own.issuperset(block.inputs)]
        place = {x: i for i, x in enumerate([*weights, *self.fixed])}
        self._places = [(block.shape or (1,), numpy.array([place[x] for x in block.inputs])) for block in given]
        self._of_moving = [(block.shape or (1,), numpy.array([place[x] for x in block.inputs])) for block in self._moving]
        self._table = [shaped(numpy.array(content), block) for content, block in zip(table, carried)]
        self._picked: dict[int, Any] | None = {} if keeps else None
        self._update, self._states = update, len(update.outputs) - 1
        loss = rolled(Program([*given, *carried], program.outputs[:1]))
        more = rolled(Program(given, penalty.outputs)) if penalty else None
        self.source, constants = self._written(loss, more, reduce)
        filename = f"<scalargrad training in numpy {next(_counter)}>"
        self._train = run(self.source, filename, {**array_names(), **NAMES, **constants})["train"]

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
        import numpy

        numbers = numpy.array([*weights, *fixed])
        blocks = [numbers[places].reshape(shape) for shape, places in self._places]
        memory = [numpy.array(part)[places].reshape(shape) for part in state for shape, places in self._of_moving]
        with numpy.errstate(all="ignore", over="raise"):
            moved, memory, losses = self._train(*blocks, *memory, rates, itertools.count(first), map(self._rows, batches))
        count = len(self._moving)
        parts = [self._flat(memory[i : i + count], len(weights)) for i in range(0, len(memory), count)]
        return self._flat(moved, len(weights)), tuple(parts), [float(loss) for loss in losses]

    def _flat(self, blocks: Sequence[Any], count: int) -> Numbers:
        """Blocks as the flat list of what belongs to each weight."""
        import numpy

        flat = numpy.empty(count)
        for (_, places), block in zip(self._of_moving, blocks):
            flat[places] = numpy.ravel(block)
        return flat.tolist()

    def _rows(self, batch: list[int]) -> tuple[Any, ...]:
        """What the blocks of rows hold for a batch."""
        if self._picked is None:
            return tuple([content[batch] for content in self._table])
        if id(batch) not in self._picked:
            self._picked[id(batch)] = batch, tuple([content[batch] for content in self._table])
        return self._picked[id(batch)][1]  # type: ignore[no-any-return]

    # -------------------------------------------------------------- lines

    def _written(self, loss: Rolled, penalty: Rolled | None, reduce: str) -> tuple[str, dict[str, Any]]:
        body = Body(loss, [loss.outputs], taken=("rates", "steps", "batches", "losses", "lr", "step", "train"))
        given = [body.text[block] for block in loss.blocks if not block.has_rows]
        carried = [body.text[block] for block in loss.blocks if block.has_rows]
        slopes: dict[Any, str] = dict(zip(loss.wrt, body.slopes(0, loss.outputs, "each" if reduce == "mean" else "1.0")))
        value = output(body, *loss.outputs[0], reduce)
        if penalty:
            more = Body(penalty, [penalty.outputs], beside=body)
            value += f" + {output(more, *penalty.outputs[0], reduce)}"
            for block, slope in zip(penalty.wrt, more.slopes(0, penalty.outputs, "1.0")):
                slopes[block] = f"{slopes[block]} + {slope}"
        moving = [block for block in loss.blocks if block in self._moving]
        memory = [[body.names.take(f"state{i + 1}_{body.text[block]}") for block in moving] for i in range(self._states)]
        body.lines.append(f"losses.append({value})")
        for i, block in enumerate(moving):
            self._move(body, body.text[block], slopes[block], [names[i] for names in memory])
        every = [name for names in memory for name in names]
        inside = [*([f"rows = {body.rows}", "each = 1.0 / rows"] if reduce == "mean" else []), *body.lines]
        lines = [
            "losses = []",
            f"for lr, step, ({', '.join(carried)},) in zip(rates, steps, batches):",
            *[f"    {line}" for line in inside],
            f"return ({', '.join([body.text[block] for block in moving])},), ({''.join(f'{name}, ' for name in every)}), losses",
        ]
        arguments = ", ".join([*given, *every, "rates", "steps", "batches"])
        return "\n    ".join([f"def train({arguments}):", *lines]) + "\n", body.constants

    def _move(self, body: Body, weight: str, slope: str, memory: list[str]) -> None:
        """The lines that move a block of weights: the update's formula on arrays."""
        targets = [weight, *memory]
        texts: dict[Any, str] = dict(zip([block.inputs[0] for block in self._update.blocks], [weight, slope, *memory, "lr", "step"]))
        body.known.clear()  # names hold other numbers from here on

        def text(x: Any) -> str:
            return float.__repr__(x.data) if x.__class__ is Constant else texts[x]

        for step in self._update.steps:
            local = {name: text(x) for name, x in zip(step.row.operands, step.operands)}
            numbers = {name: x.data for name, x in zip(step.row.operands, step.operands) if x.__class__ is Constant}
            for line in array_statements(step.row, (), numbers)[0]:
                name, _, form = line.partition(" = ")
                local[name] = filled(form, local)
                if name != "out":
                    local[name] = body.name(local[name], name)
            texts[step] = local["out"] if _readers(self._update, step) == 1 else body.name(local["out"])
        moved = [text(x) for x in self._update.outputs]
        changes = [(target, new) for target, new in zip(targets, moved) if target != new]
        if len(changes) == 1:
            body.lines.append(f"{changes[0][0]} = {changes[0][1]}")
        elif changes:
            body.lines.append(f"{', '.join(target for target, _ in changes)} = {', '.join(new for _, new in changes)}")


def _readers(program: Program, step: Any) -> int:
    """How often a step is read."""
    return sum(step is x for reader in program.steps for x in reader.operands) + sum(step is x for x in program.outputs)


__all__ = ["LoopOnArrays"]
