"""The loop of training as one function of arrays: forward, backward, and the update of all weights at once.   (floor 3)

The weights are one vector, and so are their slopes and each thing that the optimiser remembers: the matrices of the formulas are
views of it. What the rows of a batch decide alone is computed once for it, by a function of its own. All is fast arithmetic: an
overflow raises, and what the loop gives is good if weights, memory and losses are finite in the end.
"""

from __future__ import annotations

import ast
import itertools

from ...rows.text import run
from ..layout import live, tuple_of
from ..program import Block, Constant, Program, Step
from ..roll import Rolled, rolled
from ..views import is_all
from .arrays import array_names, array_statements
from .grids import completed
from .source import Body, output
from .text import filled, in_place, into, names_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ..program import Input
    from ..stepwise import Numbers, State, Update

OWN = ("rates", "steps", "batches", "losses", "lr", "step", "train", "prepared", "dot")

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
        given = [
            block
            for block in program.blocks
            if not block.has_rows and block.name != "share" and block.inputs
        ]
        carried = [block for block in program.blocks if block.has_rows]
        self._moving = [block for block in given if own.issuperset(block.inputs)]
        fixed = [block for block in given if block not in self._moving]
        self.fixed = [x for block in fixed for x in block.inputs]
        place = {x: i for i, x in enumerate(weights)}
        self._order = numpy.array(
            [place[x] for block in self._moving for x in block.inputs]
        )  # of the weights in their vector
        self._fixed = [(block.shape or (1,), len(block.inputs)) for block in fixed]
        self._table = [
            shaped(numpy.array(content), block) for content, block in zip(table, carried)
        ]
        self._kept: dict[int, Any] | None = {} if keeps else None
        self._update = update
        loss = rolled(Program([*given, *carried], program.outputs[:1]))
        grids = (
            completed(loss)
            if all(numpy.isfinite(content).all() for content in self._table)
            else loss
        )
        self._others: Any = (
            "ignore" if grids is loss else "raise"
        )  # what is done where a number is not finite for another reason
        self.source, constants = self._written(grids, penalty, reduce)
        filename = f"<scalargrad training in numpy {next(_counter)}>"
        functions = run(
            self.source, filename, {**array_names(), **NAMES, "dot": numpy.dot, **constants}
        )
        self._train, self._prepared = functions["train"], functions["prepared"]

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

        vectors = [numpy.array(part)[self._order] for part in (weights, *state)]
        numbers = iter(fixed)
        blocks = [
            numpy.array([*itertools.islice(numbers, size)]).reshape(shape)
            for shape, size in self._fixed
        ]
        if self._others == "raise" and not all(
            numpy.isfinite(array).all() for array in (vectors[0], *blocks)
        ):
            raise FloatingPointError("a number is not finite, which no mask would keep out")
        with numpy.errstate(
            under="ignore", over="raise", divide=self._others, invalid=self._others
        ):
            *vectors, losses = self._train(
                *vectors, *blocks, rates, itertools.count(first), map(self._batch, batches)
            )
        moved, *memory = map(self._in_order, vectors)
        return moved, tuple(memory), [float(loss) for loss in losses]

    def _in_order(self, vector: Any) -> Numbers:
        """A vector as the list of what belongs to each weight."""
        import numpy

        numbers = numpy.empty(len(self._order))
        numbers[self._order] = vector
        return numbers.tolist()

    def _batch(self, batch: list[int]) -> tuple[Any, ...]:
        """What a step reads of a batch."""
        if self._kept is None:
            return self._prepared(*[content[batch] for content in self._table])  # type: ignore[no-any-return]
        if id(batch) not in self._kept:
            self._kept[id(batch)] = (
                batch,
                self._prepared(*[content[batch] for content in self._table]),
            )
        return self._kept[id(batch)][1]  # type: ignore[no-any-return]

    # -------------------------------------------------------------- lines

    def _written(
        self, loss: Rolled, penalty: Program | None, reduce: str
    ) -> tuple[str, dict[str, Any]]:
        body = Body(loss, [loss.outputs], taken=OWN, rows="rows")
        carried = [body.text[block] for block in loss.blocks if block.has_rows]
        fixed = [
            body.text[block]
            for block in loss.blocks
            if not block.has_rows and block not in self._moving
        ]
        of_rows = [f"rows = len({carried[0]})", "each = 1.0 / rows"]
        p, g = body.names.take("p"), body.names.take("g")
        memory = [body.names.take(f"state{i}") for i in range(1, len(self._update.outputs))]
        slopes = dict(
            zip(loss.wrt, body.slopes(0, loss.outputs, "each" if reduce == "mean" else "1.0"))
        )
        parts = {block: body.names.take(f"d{body.text[block]}") for block in self._moving}
        body.lines += [into(parts[block], slopes[block]) for block in self._moving]
        value = output(body, *loss.outputs[0], reduce)
        if penalty:
            value += f" + {self._penalise(body, penalty, p, g, parts)}"
        body.lines.append(f"losses.append({value})")
        self._move(body, p, g, memory)
        given = [
            *[body.text[block] for block in self._moving],
            *fixed,
            p,
            g,
            *parts.values(),
            *memory,
            "lr",
            "step",
            "losses",
        ]
        before, inside = _split([*of_rows, *body.lines], given)
        read = {name for line in inside for name in names_in(line)}
        batch = [
            name
            for name in (*carried, *[line.partition(" = ")[0] for line in before])
            if name in read
        ]
        prepared = [
            f"def prepared({', '.join(carried)}):",
            *live(before, set(batch)),
            f"return {tuple_of(batch)}",
        ]
        train = [
            f"def train({', '.join([p, *memory, *fixed, 'rates', 'steps', 'batches'])}):",
            *self._views(p, {block: body.text[block] for block in self._moving}),
            f"{g} = zeros({len(self._order)})",
            *self._views(g, parts),
            "losses = []",
            f"for lr, step, {tuple_of(batch)} in zip(rates, steps, batches):",
            *[f"    {line}" for line in inside],
            f"return {', '.join([p, *memory])}, losses",
        ]
        return "\n\n\n".join(
            ["\n    ".join(lines) for lines in (prepared, train)]
        ) + "\n", body.constants

    def _views(self, whole: str, names: dict[Block, str]) -> list[str]:
        """The lines that name the parts of a vector."""
        lines, begin = [], 0
        for block, name in names.items():
            shape = f".reshape({', '.join(map(str, block.shape))})" if len(block.shape) > 1 else ""
            lines.append(f"{name} = {whole}[{begin}:{begin + len(block.inputs)}]{shape}")
            begin += len(block.inputs)
        return lines

    def _penalise(
        self, body: Body, penalty: Program, p: str, g: str, parts: dict[Block, str]
    ) -> str:
        """Add the slopes of the penalty to the others; its value. One that treats all weights alike is of their vector."""
        given = [block for block in body.rolled.blocks if not block.has_rows]
        whole = Block("p", (len(self._order),), wrt=True)
        of_all = rolled(
            _of_one(
                penalty,
                self._moving,
                whole,
                [block for block in given if block not in self._moving],
            )
        )
        is_alike = all(
            is_all(view.index, view.size)
            for vector in of_all.vectors
            for view in vector.operands
            if whole in view.sources
        )
        of = of_all if is_alike else rolled(Program(given, penalty.outputs))
        body.text[whole], targets = p, {**parts, whole: g}
        more = Body(of, [of.outputs], beside=body)
        reached = {
            source for vector in of.vectors for view in vector.operands for source in view.sources
        }
        for block, slope in zip(of.wrt, more.slopes(0, of.outputs, "1.0")):
            if block in targets and block in reached:
                body.lines.append(ast.unparse(ast.parse(f"{targets[block]} += {slope}")))
        return output(more, *of.outputs[0], None)

    def _move(self, body: Body, p: str, g: str, memory: list[str]) -> None:
        """The lines that move the weights: the update's formula on vectors, which are changed in place."""
        update = self._update
        w, *inputs = [block.inputs[0] for block in update.blocks]
        texts: dict[Any, str] = {w: p, **dict(zip(inputs, [g, *memory, "lr", "step"]))}
        targets = {x: name for x, name in zip(update.outputs[1:], memory) if x.__class__ is Step}
        body.known.clear()  # names hold other numbers from here on

        def text(x: Any) -> str:
            return float.__repr__(x.data) if x.__class__ is Constant else texts[x]

        for i, step in enumerate(update.steps):
            local = {name: text(x) for name, x in zip(step.row.operands, step.operands)}
            numbers = {
                name: x.data
                for name, x in zip(step.row.operands, step.operands)
                if x.__class__ is Constant
            }
            for line in array_statements(step.row, (), numbers)[0]:
                name, _, form = line.partition(" = ")
                local[name] = filled(form, local)
                if name != "out":
                    local[name] = body.name(local[name], name)
            texts[step] = local["out"]
            awaited = [
                x for later in update.steps[i + 1 :] for x in later.operands
            ] + update.outputs
            if step in targets and not any(
                targets[step] in names_in(texts[x]) for x in awaited if x in texts and x is not step
            ):
                texts[step] = targets[step]
                body.lines.append(f"{texts[step]} = {local['out']}")
            elif awaited.count(step) > 1 or step in targets:
                texts[step] = body.name(local["out"])
        kept = [
            body.name(f"{text(x)}.copy()") if x in (w, inputs[0]) else text(x)
            for x in update.outputs[1:]
        ]
        body.lines.append(in_place(p, text(update.outputs[0])))
        if changes := [(name, new) for name, new in zip(memory, kept) if name != new]:
            names, news = zip(*changes)
            body.lines.append(f"{', '.join(names)} = {', '.join(news)}")


def _of_one(
    program: Program, blocks: Sequence[Block], whole: Block, others: Sequence[Block]
) -> Program:
    """A program with one block in place of several."""
    now: dict[Any, Any] = dict(zip([x for block in blocks for x in block.inputs], whole.inputs))
    for step in program.steps:
        now[step] = Step(step.row, tuple([now.get(x, x) for x in step.operands]), step.label)
    return Program([whole, *others], [now.get(x, x) for x in program.outputs])


def _split(lines: Sequence[str], moving: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines that read none of the names that move from step to step, nor what is made of them; and the others."""
    moving_names, before, inside = set(moving), list[str](), list[str]()
    for line in lines:
        steady = moving_names.isdisjoint(names_in(line))
        (before if steady else inside).append(line)
        if not steady:
            moving_names.add(line.partition(" = ")[0])
    return before, inside


__all__ = ["LoopOnArrays"]
