"""Training on arrays: slopes of the loss, the penalty and the update as one loop.   (floor 3)

The weights are one vector, and so are their slopes and each thing that the optimiser remembers: the
matrices of the formulas are views of it. Numbers that the rows of a batch decide alone are computed
once for it, by a function of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from ..derive_rolled import Derived
from ..dialects.forms import ATOM
from ..dialects.numpy_text import Expression, lines_of, reached, template
from ..layout import tuple_of
from ..program import Block, Program, rewritten
from ..reduced import outputs_of, slopes_of
from ..roll import Rolled, rolled
from ..stepwise import Problem
from .numpy import Arrays
from .numpy_sources import TURNED_PRODUCT, Held

OWN = (
    "rates", "steps", "batches", "losses", "lr", "step", "train", "prepared", "rows", "gradient",
    "loss",
)  # fmt: skip
INTO = {
    template("_0 @ _1"): template("dot(_0, _1, _2)"),
    TURNED_PRODUCT: template("dot(_0.T, _1, _2)"),
}


class Training:
    """The source of `prepared` and `train`, and the constants they read.

    `loss` is the loss of a row in vectors. Where it `is_given`, the source calls a function
    `gradient` for it, which writes the slopes to its first argument.
    """

    def __init__(self, problem: Problem, loss: Rolled, is_given: bool = False) -> None:
        self.arrays = arrays = Arrays(loss.blocks, "rows", taken=OWN)
        self.names, x, called = arrays.names, arrays.x, arrays.blocks
        self.moving = moving = loss.wrt
        self.size = sum(len(block.inputs) for block in moving)
        self.data = [name for block, name in called.items() if block.has_rows]
        self.fixed = {block: called[block] for block in problem.fixed}
        update, clip = problem.update, problem.clip
        self.p, self.g = (x.text(self.names.take(name)) for name in "pg")
        self.memory = [x.text(self.names.take(f"state{i}")) for i in range(1, len(update.outputs))]
        self.parts = {block: self.names.take(f"d{called[block]}") for block in moving}
        slopes: list[Expression] = []
        if is_given:
            wanted, value = [*map(x.text, self.data)], x.text("loss")
        else:
            value, views = self._derived(loss, moving, problem.reduce if self.data else None)
            slopes = [arrays.result(v, block.shape or (1,)) for block, v in zip(moving, views)]
            wanted = [x for s in slopes for x in (s.operands if s.form in INTO else (s,))]
        more: list[tuple[str, Expression]] = []
        if problem.penalty:
            added, more = self._penalty(problem.penalty)
            value = x.of("_0 + _1", value, added)
        moved = self._update(update)
        wanted += [*[x for _, x in more], value]
        batch, prepared = self._prepared([*wanted, *moved])
        step = [f"loss = gradient({', '.join([self.g.text, *called.values()])})"] * is_given
        step += [text for _, text in lines_of(wanted, self.names)]
        step += [self._written(*pair) for pair in zip(self.parts.values(), slopes)]
        step += [f"{name} += {x.text}" for name, x in more]
        step.append(f"losses.append({value.text})")
        if clip is not None:
            step.append(f"{self.g.text} *= {clip!r} / max({clip!r}, norm({self.g.text}))")
        step += self._moved(moved)
        self.source = self._source(batch, prepared, step)
        self.constants = arrays.constants

    # -------------------------------------------------------------- what is computed

    def _derived(
        self, of: Rolled, by: Sequence[Block], reduce: str | None
    ) -> tuple[Expression, list[Any]]:
        """The output of a program, and its slopes as views."""
        derived = Derived(of, fast=True)
        (value,), seeds = outputs_of(derived, reduce)
        (slopes,) = slopes_of(derived, seeds, by)
        self.arrays.add(derived, [value, *slopes], slopes)
        return self.arrays.result(value, ()), slopes

    def _penalty(self, penalty: Program) -> tuple[Expression, list[tuple[str, Expression]]]:
        """The penalty, and what it adds to slopes: to those by all weights at once, if it reads
        all of them.
        """
        every = Block("p", (self.size,))
        self.arrays.held[every] = Held(self.p, (self.size,))
        weights = [x for block in self.moving for x in block.inputs]
        targets, outputs = self.parts, penalty.outputs
        if {x for step in penalty.steps for x in step.operands}.issuperset(weights):
            targets = {every: self.g.text}
            outputs = rewritten(penalty, dict(zip(weights, every.inputs)))
        of = rolled(Program([*targets, *self.fixed], outputs))
        value, slopes = self._derived(of, [*targets], None)
        made = [
            (name, self.arrays.read(view, block.shape or (1,), ())[0])
            for (block, name), view in zip(targets.items(), slopes)
        ]
        return value, [(name, x) for name, x in made if x.text != "0.0"]

    def _update(self, update: Program) -> list[Expression]:
        """The new weights, and the new memory: the formula of one weight, on vectors."""
        arrays, (*own, lr, step) = self.arrays, update.blocks
        for block, vector in zip(own, (self.p, self.g, *self.memory)):
            block.has_rows = True
            arrays.held[block] = Held(vector, (1,), True)
        for block in (lr, step):
            arrays.held[block] = Held(arrays.x.text(block.name), None)
        derived = Derived(rolled(update), per_row=True, fast=True)
        views = [derived.output(*output) for output in derived.rolled.outputs]
        arrays.add(derived, views)
        return [arrays.read(view, (1,), ())[0] for view in views]

    def _prepared(self, results: Sequence[Expression]) -> tuple[list[str], list[str]]:
        """The names that a step reads of a batch, and their lines, which read data alone."""
        moving = map(self.arrays.blocks.__getitem__, self.moving)
        own = [x.text for x in (self.p, self.g, *self.memory)]
        changing = {*moving, *self.fixed.values(), *own, "lr", "step"}
        of_data: dict[Expression, bool] = {}  # False for what is the same for all batches
        read: dict[Expression, None] = {}
        for x in reached(results):
            if not x.operands:
                if x.text not in changing:
                    of_data[x] = x.text in (*self.data, "rows")
            elif all(part in of_data for part in x.operands):
                of_data[x] = any(of_data[part] for part in x.operands)
            else:
                read.update((part, None) for part in x.operands if of_data.get(part))
        read.update((x, None) for x in results if of_data.get(x))
        lines = [text for _, text in lines_of([*read], self.names, [*read])]
        return [x.text for x in read], lines

    # -------------------------------------------------------------- text

    def _source(self, batch: Sequence[str], prepared: Iterable[str], step: Iterable[str]) -> str:
        p, g, *memory = [x.text for x in (self.p, self.g, *self.memory)]
        given = [p, *memory, *self.fixed.values(), "rates", "steps", "batches"]
        train = [
            f"def train({', '.join(given)}):",
            *_parts(p, {block: self.arrays.blocks[block] for block in self.moving}),
            f"{g} = zeros({self.size})",
            *_parts(g, self.parts),
            "losses = []",
            f"for lr, step, {tuple_of(batch)} in zip(rates, steps, batches):",
            *[f"    {line}" for line in step],
            f"return {', '.join([p, *memory])}, losses",
        ]
        head = [f"def prepared({', '.join(self.data)}):", f"rows = len({self.data[0]})"]
        parts = [*head, *prepared, f"return {tuple_of(batch)}"]
        return "\n\n\n".join(["\n    ".join(lines) for lines in (parts, train)]) + "\n"

    def _written(self, name: str, slope: Expression) -> str:
        """The line that writes slopes where they belong, at once if they are a product."""
        if slope.form in INTO:
            parts = [(x.text, x.binds) for x in slope.operands]
            return INTO[slope.form].of([*parts, (name, ATOM)])
        return f"{name}[:] = {slope.text}"

    def _moved(self, moved: Sequence[Expression]) -> list[str]:
        """The lines that move the weights, in place, and what the optimiser remembers."""
        new, *kept = moved
        own = self.p, self.g  # which change in place
        kept = [self.arrays.x.of("_0.copy()", x) if x in own else x for x in kept]
        for x in kept:
            x.has_line = True  # before the weights move
        lines = [text for _, text in lines_of([new, *kept], self.names)]
        p = self.p.text
        is_step = new.form is template("_0 - _1") and new.operands[0] is self.p
        if is_step and not new.has_line:
            lines.append(f"{p} -= {new.operands[1].text}")
        elif new is not self.p:
            lines.append(f"{p}[:] = {new.text}")
        changes = [(a.text, x.text) for a, x in zip(self.memory, kept) if a is not x]
        return [*lines, *[" = ".join(map(", ".join, zip(*changes)))] * bool(changes)]


def _parts(vector: str, names: dict[Block, str]) -> list[str]:
    """The lines that name the parts of a vector."""
    ends = [*accumulate([len(block.inputs) for block in names], initial=0)]
    shapes = [f".reshape{block.shape}" if len(block.shape) > 1 else "" for block in names]
    return [
        f"{name} = {vector}[{begin}:{end}]{shape}"
        for name, begin, end, shape in zip(names.values(), ends, ends[1:], shapes)
    ]
