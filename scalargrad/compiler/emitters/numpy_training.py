"""Training on arrays: slopes of the loss, the penalty and the update as one loop.   (floor 3)

The weights are one vector, and so are their slopes and each thing that the optimiser remembers: the
matrices of the formulas are views of it. What the rows of a batch decide alone is computed once for it,
by a function of its own.
"""

from __future__ import annotations

import numpy

from ..derive_rolled import Derived
from ..dialects.forms import ATOM
from ..dialects.numpy_text import Expression, lines_of, reached, template
from ..layout import tuple_of
from ..lower import Given
from ..program import Block, Constant, Program, Step
from ..reduced import outputs_of, slopes_of
from ..roll import Numbers, Rolled, Vector, View, rolled
from ..views import is_all
from .numpy import Arrays
from .numpy_sources import TURNED_PRODUCT, Held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

OWN = ("rates", "steps", "batches", "losses", "lr", "step", "train", "prepared", "dot", "rows")
INTO = {
    template("_0 @ _1"): template("dot(_0, _1, _2)"),
    TURNED_PRODUCT: template("dot(_0.T, _1, _2)"),
}


class Training:
    """The source of `prepared` and `train`, and the constants they read.

    `loss` is the loss of a row and `penalty` that of the weights, or None; `moving` are the blocks that
    are trained, `update` the formula of a weight. `reduce` is over the rows of a batch, and `clip` the
    length that the slopes may have at most.
    """

    def __init__(
        self,
        loss: Rolled,
        penalty: Program | None,
        update: Program,
        moving: Sequence[Block],
        reduce: str,
        clip: float | None = None,
    ) -> None:
        self.loss, self.moving, self.reduce = loss, moving, reduce
        self.clip = clip
        self.size = sum(len(block.inputs) for block in moving)
        self.arrays = arrays = Arrays(loss.blocks, "rows", taken=OWN)
        self.data = [block for block in loss.blocks if block.has_rows]
        self.fixed = [b for b in loss.blocks if b not in self.data and b not in moving]
        names, x = arrays.names, arrays.x
        self.p, self.g = (x.text(names.take(name)) for name in "pg")
        self.memory = [x.text(names.take(f"state{i}")) for i in range(1, len(update.outputs))]
        self.parts = {b: names.take(f"d{arrays.blocks[b]}") for b in moving}
        value, slopes = self._slopes()
        more: list[tuple[str, Expression]] = []
        if penalty:
            added, more = self._penalty(penalty)
            value = x.of("_0 + _1", value, added)
        moved = self._update(update)
        self.source = self._source(value, slopes, more, moved)
        self.constants = arrays.constants

    # -------------------------------------------------------------- what is computed

    def _slopes(self) -> tuple[Expression, dict[Block, Expression]]:
        """The loss over the rows, and its slopes by the weights."""
        derived = Derived(self.loss, fast=True)
        (value,), seeds = outputs_of(derived, self.reduce if self.data else None)
        (slopes,) = slopes_of(derived, seeds, self.moving)
        self.arrays.add(derived, [value, *slopes], slopes)
        shapes = [block.shape or (1,) for block in self.moving]
        made = [self.arrays.result(view, shape) for view, shape in zip(slopes, shapes)]
        return self.arrays.result(value, ()), dict(zip(self.moving, made))

    def _penalty(self, penalty: Program) -> tuple[Expression, list[tuple[str, Expression]]]:
        """The penalty, and what it adds to slopes: to their vector at once, if it treats all weights alike."""
        every = Block("p", (self.size,))
        of_all = rolled(_of_one(penalty, self.moving, every, self.fixed))
        is_alike = all(
            is_all(view.index, view.size)
            for vector in of_all.vectors
            for view in vector.operands
            if every in view.sources
        )
        blocks = [every] if is_alike else [*self.moving]
        of = of_all if is_alike else rolled(Program([*self.moving, *self.fixed], penalty.outputs))
        self.arrays.held[every] = Held(self.p, (self.size,))
        derived = Derived(of, fast=True)
        (value,), seeds = outputs_of(derived, None)
        (slopes,) = slopes_of(derived, seeds, blocks)
        self.arrays.add(derived, [value, *slopes], slopes)
        targets = {every: self.g.text, **self.parts}
        made = [
            (targets[block], self.arrays.read(view, block.shape or (1,), ())[0])
            for block, view in zip(blocks, slopes)
        ]
        return self.arrays.result(value, ()), [(name, x) for name, x in made if x.text != "0.0"]

    def _update(self, update: Program) -> list[Expression]:
        """The new weights, and the new memory: the formula of one weight, on vectors."""
        *own, lr, step = update.blocks
        place = numpy.arange(self.size)
        sources: dict[Any, Any] = {}
        for block, held in zip(own, (self.p, self.g, *self.memory)):
            source = sources[block.inputs[0]] = Block(block.name, (self.size,))
            self.arrays.held[source] = Held(held, (self.size,))
        for block in (lr, step):
            given = sources[block.inputs[0]] = Given(block.name)
            self.arrays.givens[given] = self.arrays.x.text(block.name)
        blocks, vectors = list(sources.values()), []

        def view(x: Any, size: int) -> View:
            source = Numbers([x.data]) if x.__class__ is Constant else sources[x]
            return View(
                (source,),
                place[:size]
                if getattr(source, "size", self.size) > 1 or isinstance(source, Block)
                else place[:size] * 0,
            )

        for one in update.steps:
            is_one = all(
                x.__class__ is Constant or getattr(sources[x], "size", 0) == 1 for x in one.operands
            )
            size = 1 if is_one else self.size
            vector = Vector(one.op, tuple([view(x, size) for x in one.operands]), size, False)
            sources[one] = vector
            vectors.append(vector)
        derived = Derived(Rolled(blocks, vectors, []), fast=True)
        views = [derived.view(view(x, self.size)) for x in update.outputs]
        self.arrays.add(derived, views, views)
        return [self.arrays.read(view, (self.size,), ())[0] for view in views]

    # -------------------------------------------------------------- text

    def _source(
        self,
        value: Expression,
        slopes: dict[Block, Expression],
        more: Sequence[tuple[str, Expression]],
        moved: Sequence[Expression],
    ) -> str:
        arrays, names = self.arrays, self.arrays.names
        wanted = [
            x
            for slope in slopes.values()
            for x in (slope.operands if slope.form in INTO else (slope,))
        ]
        wanted += [*[x for _, x in more], value]
        batch, prepared = self._prepared([*wanted, *moved])
        lines = [text for _, text in lines_of(wanted, names)]
        lines += [self._written(self.parts[block], slope) for block, slope in slopes.items()]
        lines += [f"{name} += {x.text}" for name, x in more]
        lines.append(f"losses.append({value.text})")
        if self.clip is not None:
            lines.append(
                f"{self.g.text} *= {self.clip!r} / max({self.clip!r}, norm({self.g.text}))"
            )
        lines += self._moved(moved)
        memory = [x.text for x in self.memory]
        given = [self.p.text, *memory, *[arrays.blocks[b] for b in self.fixed]]
        data = [arrays.blocks[block] for block in self.data]
        train = [
            f"def train({', '.join([*given, 'rates', 'steps', 'batches'])}):",
            *self._views(self.p.text, {block: arrays.blocks[block] for block in self.moving}),
            f"{self.g.text} = zeros({self.size})",
            *self._views(self.g.text, self.parts),
            "losses = []",
            f"for lr, step, {tuple_of(batch)} in zip(rates, steps, batches):",
            *[f"    {line}" for line in lines],
            f"return {', '.join([self.p.text, *memory])}, losses",
        ]
        head = [f"def prepared({', '.join(data)}):", f"rows = len({data[0]})"]
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
        lines = [text for _, text in lines_of([new, *kept], self.arrays.names)]
        p = self.p.text
        is_step = new.form is template("_0 - _1") and new.operands[0] is self.p
        if is_step and not new.has_line:
            lines.append(f"{p} -= {new.operands[1].text}")
        elif new is not self.p:
            lines.append(f"{p}[:] = {new.text}")
        changes = [(a.text, x.text) for a, x in zip(self.memory, kept) if a is not x]
        return [*lines, *[" = ".join(map(", ".join, zip(*changes)))] * bool(changes)]

    def _prepared(self, results: Sequence[Expression]) -> tuple[list[str], list[str]]:
        """What a step reads of a batch, by name, and the lines that compute it of data alone."""
        data = {self.arrays.blocks[block] for block in self.data} | {"rows"}
        of_data: dict[Expression, bool] = {}  # False for what is the same for all batches
        read: dict[Expression, None] = {}
        for x in reached(results):
            if not x.operands:
                if x.text in data or x.text not in self._changing():
                    of_data[x] = x.text in data
            elif all(part in of_data for part in x.operands):
                of_data[x] = any(of_data[part] for part in x.operands)
            else:
                read.update((part, None) for part in x.operands if of_data.get(part))
        read.update((x, None) for x in results if of_data.get(x))
        lines = [text for _, text in lines_of([*read], self.arrays.names, [*read])]
        return [x.text for x in read], lines

    def _changing(self) -> set[str]:
        """The names of what moves from step to step, and of what is given from elsewhere."""
        blocks = [self.arrays.blocks[block] for block in (*self.moving, *self.fixed)]
        return {*blocks, self.p.text, self.g.text, "lr", "step", *[x.text for x in self.memory]}

    def _views(self, vector: str, names: dict[Block, str]) -> list[str]:
        """The lines that name the parts of a vector."""
        lines, begin = [], 0
        for block, name in names.items():
            shape = f".reshape({', '.join(map(str, block.shape))})" if len(block.shape) > 1 else ""
            lines.append(f"{name} = {vector}[{begin}:{begin + len(block.inputs)}]{shape}")
            begin += len(block.inputs)
        return lines


def _of_one(
    program: Program, blocks: Sequence[Block], every: Block, others: Sequence[Block]
) -> Program:
    """A program with one block in place of several."""
    now: dict[Any, Any] = dict(zip([x for block in blocks for x in block.inputs], every.inputs))
    for step in program.steps:
        now[step] = Step(step.op, tuple([now.get(x, x) for x in step.operands]), step.label)
    return Program([every, *others], [now.get(x, x) for x in program.outputs])
