"""Training on arrays: many steps by one generated function.   (floor 3)

All is fast arithmetic: an overflow raises, and what comes of the steps is good if weights, memory
and losses are finite in the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy

from ..rows.text import run
from .dialects.numpy import array_names
from .emitters.numpy_training import Training
from .grids import completed
from .on_numpy import shaped
from .roll import rolled
from .stepwise import Loop, Moved, Numbers, Problem, Steps

_counter = itertools.count(1)


class LoopOnArrays(Loop):
    """Steps of training by one generated function, with the source `source`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        fixed = [block for block in self.given if block not in self.moving]
        self._order = numpy.array(self.places(*self.moving))  # of the weights in their vector
        self._fixed = [(block.shape or (1,), len(block.inputs)) for block in fixed]
        self.load(problem.table)
        loss = rolled(problem.loss)
        is_finite = all(numpy.isfinite(content).all() for content in self.data)
        grids = completed(loss) if is_finite else loss
        # what is done where a number is not finite though nothing overflowed: no mask keeps it out
        self._others: Any = "ignore" if grids is loss else "raise"
        given = problem.penalty, problem.update, self.moving, problem.reduce, problem.clip
        made = Training(grids, *given)
        self.source = made.source
        filename = f"<scalargrad training in numpy {next(_counter)}>"
        functions = run(self.source, filename, {**array_names(), **made.constants})
        self._train, self._prepared = functions["train"], functions["prepared"]

    def load(self, table: Sequence[Any]) -> None:
        contents = zip(table, self.carried)
        self.data = [shaped(numpy.array(content), block) for content, block in contents]

    def run(self, steps: Steps) -> Moved:
        _, _, fixed, rates, first, batches, _ = steps
        vectors = self.begun(steps, self._in_vectors)
        rest, others = iter(fixed), self._others
        blocks = [
            numpy.array([*itertools.islice(rest, size)]).reshape(shape)
            for shape, size in self._fixed
        ]
        given = vectors[0], *blocks
        if others == "raise" and not all(numpy.isfinite(array).all() for array in given):
            raise FloatingPointError("a number is not finite, which no mask would keep out")
        prepared = (self.once(self._batch, batch) for batch in batches)
        with numpy.errstate(under="ignore", over="raise", divide=others, invalid=others):
            *vectors, losses = self._train(
                *vectors, *blocks, rates, itertools.count(first), prepared
            )
        moved = self.ended(vectors, *map(self._in_order, vectors))
        return *moved, [float(loss) for loss in losses]

    def _in_vectors(self, parts: list[Numbers]) -> list[Any]:
        return [numpy.array(part)[self._order] for part in parts]

    def _in_order(self, vector: Any) -> Numbers:
        """A vector as the list of what belongs to each weight."""
        numbers = numpy.empty(len(self._order))
        numbers[self._order] = vector
        return numbers.tolist()

    def _batch(self, batch: list[int]) -> tuple[Any, ...]:
        """The arrays that a step reads of a batch."""
        places = numpy.array(batch)
        arrays: tuple[Any, ...] = self._prepared(*[content[places] for content in self.data])
        return arrays
