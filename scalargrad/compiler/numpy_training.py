"""Training on arrays: many steps by one generated function.   (floor 3)

All is fast arithmetic: an overflow raises, and what comes of the steps is good if weights, memory and losses are finite in the end.
"""

from __future__ import annotations

import itertools

import numpy

from ..rows.text import run
from .dialects.numpy import array_names
from .emitters.numpy_training import Training
from .grids import completed
from .on_numpy import NAMES, shaped
from .program import Program
from .roll import rolled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .program import Input
    from .stepwise import Numbers, State, Update

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
        loss = rolled(Program([*given, *carried], program.outputs[:1]))
        grids = (
            completed(loss)
            if all(numpy.isfinite(content).all() for content in self._table)
            else loss
        )
        self._others: Any = (
            "ignore" if grids is loss else "raise"
        )  # what is done where a number is not finite for another reason
        made = Training(grids, penalty, update, self._moving, reduce)
        self.source = made.source
        filename = f"<scalargrad training in numpy {next(_counter)}>"
        functions = run(
            self.source, filename, {**array_names(), **NAMES, "dot": numpy.dot, **made.constants}
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
