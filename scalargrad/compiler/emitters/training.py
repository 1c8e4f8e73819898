"""Training in C: steps on batches, each the slopes of the loss and the update.   (floor 3)

All weights are one array, and so are their slopes and each part of the optimiser's memory, so that
an update is one loop. All is raw arithmetic: what it gives is good if weights, memory and losses
are finite in the end, for neither nan nor inf ever leaves a weight.
"""

from __future__ import annotations

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


def training_source(problem: Problem, program: Program) -> tuple[str, str]:
    """The source of the function `train`, and the level of optimisation that it is worth.

    The outputs of `program` are added up: the loss of a row, or, of a batch whose rows are known,
    the part of each, and the penalty, if there is one. The blocks that slopes are taken by are
    trained.
    """
    has_rows, names = any(block.has_rows for block in program.blocks), MACHINE.names()
    names.taken.update(OWN)
    name_of: dict[Any, str] = {block: names.take(block.name, "v") for block in program.blocks}
    slopes = [names.take(f"d{name_of[block]}", "slopes") for block in program.wrt]
    is_small = not has_rows and operations(program) < FEW
    wanted = Wanted(program, "value_and_grad", problem.reduce, name_of, slopes, "loss", joined=True)
    options: Any = {"moving": program.wrt, "in_tiles": has_pattern(program) and not is_small}
    step = function_of(MACHINE, "train_step", wanted, **options).source("part")
    update = update_source(MACHINE, "train_update", problem.update)
    # what train is given, and what it gives train_step
    parameters = [("output", "weights"), ("output", "states")]
    at, count = {"n": "ends[s] - starts[s]", "loss": "losses + s"}, 0
    for block, slope in zip(program.wrt, slopes):
        at |= {name_of[block]: f"weights + {count}", slope: f"gradient + {count}"}
        count += len(block.inputs)
    for block in program.blocks:
        name, width = name_of[block], len(block.inputs)
        if block.has_rows:
            copy = names.take(f"{name}_copy", "copy")
            at[name] = f"rows_of({width}, starts[s], ends[s], order, {name}, {copy})"
            parameters += [("input", name), ("output", copy)]
        elif not block.wrt:
            parameters.append(("input" if block.shape else "number", name))
    parameters += [("places", name) for name in ("order", "starts", "ends") if has_rows]
    parameters += [("input", "rates"), ("number", "first_step"), ("count", "steps")]
    parameters += [("output", "losses"), ("room", "work")]
    memory = [f"states + {i * count}" for i in range(len(problem.update.blocks) - 4)]
    given = [str(count), "weights", "gradient", *memory, "rates[s]", "first_step + (double)s"]
    given += [f"work + {step.work + count}"] * bool(update.work)
    shorten = [] if problem.clip is None else [f"shorten({count}, gradient, {problem.clip!r});"]
    lines = [
        *["(void)states;"] * (not memory),
        f"double *gradient = work + {step.work};",
        f"{MACHINE.loop('s', 'steps')} {{",
        f"    train_step({', '.join([at.get(name, name) for _, name in step.parameters])});",
        *["    " + line for line in shorten],
        f"    train_update({', '.join(given)});",
        "}",
    ]
    text = "\n\n".join(
        [step.text, update.text, MACHINE.function("nothing", "train", parameters, lines)]
    )
    helpers = [*["rows_of"] * has_rows, *["shorten"] * len(shorten)]
    calls = step.calls | update.calls | {*helpers}
    source = Source("train", parameters, False, text, calls, step.work + count + update.work + 8)
    return file_of([source]), "-O3" if is_small else "-O2"  # few lines, made at once
