"""Training in C: steps on batches, each the slopes of the loss and the update.   (floor 3)

All weights are one array, and so are their slopes and each part of the optimiser's memory, so that
an update is one loop. All is raw arithmetic: what it gives is good if weights, memory and losses
are finite in the end, for neither nan nor inf ever leaves a weight.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from ..derive_rolled import Derived
from ..dialects.c import MACHINE, Dialect
from ..program import Program, operations
from ..roll import has_pattern, roll
from ..stepwise import Problem
from .frame import Source, file_of
from .functions import Wanted, function_of
from .vectors import Function, Result

FEW = 100  # operations of a batch that are sooner done line by line than in loops
OWN = (
    "gradient", "weights", "states", "rates", "losses", "loss", "first_step", "steps", "starts",
    "ends", "order", "s", "train_step", "train_update",
)  # fmt: skip


def update_source(dialect: Dialect, name: str, update: Program) -> Source:
    """The function `name(n, w, g, state1, …, lr, step)` that moves n weights and their memory.

    Each weight is a row, and is written where it was.
    """
    weight, gradient, *memory, _, _ = update.blocks
    for block in (weight, gradient, *memory):
        block.has_rows = True
    derived = Derived(roll(update, together=False), fast=True)
    moved = zip([weight, *memory], derived.rolled.outputs)
    results = [Result(derived.output(*x), block.name, True) for block, x in moved]
    names = {block: block.name for block in update.blocks}
    return Function(
        dialect, name, update.blocks, derived.vectors, results, {}, names, in_tiles=False
    ).source("part")


class Training:
    """The source of the function `train`.

    The outputs of `program` are added up: the loss of a row, or, of a batch whose rows are known,
    the part of each, and the penalty, if there is one. The blocks that slopes are taken by are
    trained.
    """

    def __init__(self, problem: Problem, program: Program) -> None:
        self.problem, self.program, self.moving = problem, program, program.wrt
        self.data = [block for block in program.blocks if block.has_rows]
        names = MACHINE.names()
        names.taken.update(OWN)
        self.name_of: dict[Any, str] = {b: names.take(b.name, "v") for b in program.blocks}
        self.copies = [names.take(f"{self.name_of[block]}_copy", "copy") for block in self.data]
        self.slopes = [names.take(f"d{self.name_of[block]}", "slopes") for block in self.moving]
        is_small = not self.data and operations(program) < FEW
        given = program, "value_and_grad", problem.reduce, self.name_of, self.slopes, "loss"
        options: Any = {"moving": self.moving, "in_tiles": has_pattern(program) and not is_small}
        step = function_of(MACHINE, "train_step", Wanted(*given, joined=True), **options)
        update = update_source(MACHINE, "train_update", problem.update)
        self.source = self._source(step.source("part"), update)
        self.text = file_of([self.source])
        self.level = "-O3" if is_small else "-O2"  # few lines, made at once

    def _parameters(self) -> list[tuple[str, str]]:
        found = [("output", "weights"), ("output", "states")]
        for block in self.program.blocks:
            if block not in self.moving:
                kind = "input" if block.shape or block.has_rows else "number"
                found.append((kind, self.name_of[block]))
        if self.data:
            found += [("output", copy) for copy in self.copies]
            found += [("places", x) for x in ("order", "starts", "ends")]
        found += [("input", "rates"), ("number", "first_step"), ("count", "steps")]
        return [*found, ("output", "losses"), ("room", "work")]

    def _source(self, step: Source, update: Source) -> Source:
        *begins, count = accumulate([len(block.inputs) for block in self.moving], initial=0)
        at = {"n": "ends[s] - starts[s]", "loss": "losses + s"}
        for block, slope, begin in zip(self.moving, self.slopes, begins):
            at |= {self.name_of[block]: f"weights + {begin}", slope: f"gradient + {begin}"}
        for block, copy in zip(self.data, self.copies):
            name, width = self.name_of[block], len(block.inputs)
            at[name] = f"rows_of({width}, starts[s], ends[s], order, {name}, {copy})"
        lines = [f"train_step({', '.join([at.get(name, name) for _, name in step.parameters])});"]
        calls = step.calls | update.calls | {"rows_of"} if self.data else step.calls | update.calls
        if (clip := self.problem.clip) is not None:
            calls |= {"shorten"}
            lines.append(f"shorten({count}, gradient, {clip!r});")
        memory = [f"states + {i * count}" for i in range(len(self.problem.update.blocks) - 4)]
        given = [str(count), "weights", "gradient", *memory, "rates[s]", "first_step + (double)s"]
        given += [f"work + {step.work + count}"] * bool(update.work)
        lines.append(f"train_update({', '.join(given)});")
        lines = [
            *["(void)states;"] * (not memory),
            f"double *gradient = work + {step.work};",
            f"{MACHINE.loop('s', 'steps')} {{",
            *[MACHINE.indent + line for line in lines],
            "}",
        ]
        parameters = self._parameters()
        whole = MACHINE.function("nothing", "train", parameters, lines)
        text = "\n\n".join([step.text, update.text, whole])
        room = step.work + count + update.work + 8
        return Source("train", parameters, False, text, calls, room)
