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
from .stepwise import OnArrays, Problem, Steps, gradient_of

_counter = itertools.count(1)


class LoopOnArrays(OnArrays):
    """Steps of training by one generated function, with the source `source`.

    If there is an `executor`, its workers compute the gradients, on a backend.
    """

    def __init__(self, problem: Problem, backend: str = "numpy", executor: Any = None) -> None:
        super().__init__(problem)
        loss = rolled(problem.loss)
        is_finite = all(numpy.isfinite(content).all() for content in self.data)
        grids = completed(loss) if is_finite and executor is None else loss
        # what is done where a number is not finite though nothing overflowed: no mask keeps it out
        self._others: Any = "ignore" if grids is loss else "raise"
        made = Training(problem, grids, is_given=executor is not None)
        self.source = made.source
        filename = f"<scalargrad training in numpy {next(_counter)}>"
        names = {**array_names(), **made.constants}
        if executor is not None:
            self._shared = gradient_of(problem, backend, executor)
            names["gradient"] = self._gradient
        functions = run(self.source, filename, names)
        self._train, self._prepared = functions["train"], functions["prepared"]

    def load(self, table: Sequence[Any]) -> None:
        contents = zip(table, self.carried)
        self.data = [shaped(numpy.array(content), block) for content, block in contents]

    def moved(self, arrays: Any, steps: Steps) -> tuple[Any, Sequence[float]]:
        others = self._others
        fixed = [*map(shaped, steps.fixed, self.problem.fixed)]
        given = arrays[0], *fixed
        if others == "raise" and not all(numpy.isfinite(array).all() for array in given):
            raise FloatingPointError("a number is not finite, which no mask would keep out")
        prepared = (self.once(self._batch, batch) for batch in steps.batches)
        with numpy.errstate(under="ignore", over="raise", divide=others, invalid=others):
            *arrays, losses = self._train(
                *arrays, *fixed, steps.rates, itertools.count(steps.first), prepared
            )
        return arrays, [float(loss) for loss in losses]

    def _gradient(self, g: Any, *contents: Any) -> Any:
        """The loss for these contents of blocks; its slopes are written to g."""
        blocks = self.problem.loss.blocks
        shapes = [(*[-1] * block.has_rows, *block.shape) for block in blocks]
        loss, slopes = self._shared([x.reshape(shape) for x, shape in zip(contents, shapes)])
        numpy.concatenate([*map(numpy.ravel, slopes)], out=g)
        return loss

    def _batch(self, batch: list[int]) -> tuple[Any, ...]:
        """The arrays that a step reads of a batch."""
        places = numpy.array(batch)
        arrays: tuple[Any, ...] = self._prepared(*[content[places] for content in self.data])
        return arrays
