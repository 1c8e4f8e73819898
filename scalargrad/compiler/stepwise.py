"""Steps of training: what they are made of, and one at a time on any backend.   (floor 3)"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from operator import add
from typing import Any, NamedTuple, TypeVar

from . import backends
from .contents import as_array, flat, shaped
from .program import Block, Input, Program

T = TypeVar("T")
Numbers = list[float]
State = tuple[Numbers, ...]
# the weights and the state after steps, and the losses
Moved = tuple[Numbers, State, Sequence[float]]
# of weights, gradients, lr, state and step: the new weights and the new state
Update = Callable[[Numbers, Numbers, float, State, int], tuple[Numbers, State]]


class Steps(NamedTuple):
    """The steps that a loop is to make: one on each batch, at its rate."""

    weights: Numbers
    state: State
    fixed: Sequence[Any]  # the contents of blocks that are neither weights nor data
    rates: Sequence[float]
    first: int  # the number of the first step
    batches: list[list[int]]  # of each the places of its rows in the table
    update: Update


class Problem(NamedTuple):
    """All that steps of training are made of."""

    loss: Program  # of a row; its slopes are taken by all weights, and by nothing else
    penalty: Program | None
    update: Any  # the formula by which a weight moves, a program; or None
    weights: Sequence[Input]
    table: Sequence[Any]  # what the blocks of rows hold
    reduce: str
    keeps: bool = False  # whether batches come again, each as the same list
    clip: float | None = None  # the largest norm of a gradient
    # makes the loss of all rows and what slopes are taken of, if each batch is a small table
    whole: Callable[[], Program] | None = None

    @property
    def given(self) -> list[Block]:
        """The blocks without rows: those of weights, and others."""
        return [block for block in self.loss.blocks if not block.has_rows]

    @property
    def fixed(self) -> list[Block]:
        """The blocks of what is neither weights nor data."""
        return [block for block in self.given if not block.wrt]


class Loop:
    """Makes many steps of training in a call of `run`.

    The blocks `moving` hold the weights, `carried` the rows of data. `order` says which weight each
    number of the blocks is.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.moving = problem, problem.loss.wrt
        self.carried = [block for block in problem.loss.blocks if block.has_rows]
        place = {x: i for i, x in enumerate(problem.weights)}
        self.order: Any = [place[x] for block in self.moving for x in block.inputs]
        self._kept: dict[int, Any] | None = {} if problem.keeps else None
        self.load(problem.table)

    def load(self, table: Sequence[Any]) -> None:
        """Take these rows, as `table` in a problem has them."""
        self.data: list[Any] = [*table]

    def run(self, steps: Steps) -> Moved:
        """Make the steps; ArithmeticError or ValueError where a number overflows."""
        raise NotImplementedError

    def once(self, make: Callable[[list[int]], T], batch: list[int]) -> T:
        """The thing that is made of a batch, once for each if batches come again."""
        if self._kept is None:
            return make(batch)
        if id(batch) not in self._kept:
            self._kept[id(batch)] = batch, make(batch)
        return self._kept[id(batch)][1]  # type: ignore[no-any-return]


class OnArrays(Loop):
    """Steps on an array of the weights, and one of each part of the memory, in the order of blocks.

    The arrays serve the next steps, too, if nothing else changes the weights meanwhile.
    """

    _left: tuple[Any, list[Numbers]] = None, []

    def run(self, steps: Steps) -> Moved:
        import numpy

        (arrays, known), now = self._left, [steps.weights, *steps.state]
        self._left = None, []  # arrays change in place
        if now != known:
            arrays = numpy.array(now).take(self.order, axis=1)
        arrays, losses = self.moved(arrays, steps)
        back = numpy.empty((len(now), len(self.order)))
        back[:, self.order] = arrays
        weights, *state = back.tolist()
        self._left = arrays, [part.copy() for part in (weights, *state)]
        return weights, tuple(state), losses

    def moved(self, arrays: Any, steps: Steps) -> tuple[Any, Sequence[float]]:
        """The arrays after the steps, and the losses."""
        raise NotImplementedError


class Stepwise(Loop):
    """Steps by a generated gradient for each batch and the optimiser's own update, on lists.

    If there is an `executor`, it computes the gradients.
    """

    def __init__(self, problem: Problem, backend: str = "python", executor: Any = None) -> None:
        self._on_lists = backend == "python"
        super().__init__(problem)
        inputs = [x for block in self.moving for x in block.inputs]
        place = {x: i for i, x in enumerate(inputs)}
        self._wanted = [place[x] for x in problem.weights]
        self._loss, penalty = gradient_of(problem, backend, executor), problem.penalty
        given = "penalty", "value_and_grad", None
        self._penalty = penalty and backends.build(backend, penalty, *given)

    def load(self, table: Sequence[Any]) -> None:
        self.data = [*table] if self._on_lists else [*map(as_array, table)]

    def run(self, steps: Steps) -> Moved:
        weights, state, losses = steps.weights, steps.state, []
        for step, (lr, batch) in enumerate(zip(steps.rates, steps.batches), steps.first):
            loss, gradient = self.gradient(weights, steps.fixed, batch)
            weights, state = steps.update(weights, gradient, lr, state, step)
            losses.append(loss)
        return weights, state, losses

    def gradient(
        self, weights: Numbers, fixed: Sequence[Any], batch: list[int]
    ) -> tuple[float, Numbers]:
        """The loss of a batch, and its slopes by the weights."""
        there, others = iter([weights[i] for i in self.order]), iter(fixed)
        contents = [
            shaped([*islice(there, len(block.inputs))], block.shape) if block.wrt else next(others)
            for block in self.problem.given
        ]
        loss, slopes = self._loss([*contents, *self.once(self._rows, batch)])
        gradient = _joined(slopes)
        if self._penalty:
            more, slopes = self._penalty(contents)
            loss, gradient = loss + more, [*map(add, gradient, _joined(slopes))]
        return float(loss), [gradient[i] for i in self._wanted]

    def _rows(self, batch: list[int]) -> list[Any]:
        """The contents of the blocks of rows for a batch."""
        return [[x[i] for i in batch] if self._on_lists else x[batch] for x in self.data]


def gradient_of(problem: Problem, backend: str, executor: Any) -> Callable[[Sequence[Any]], Any]:
    """The function that gives the loss of rows and its slopes; workers of an executor call it."""
    loss, reduce = problem.loss, problem.reduce
    if executor is None:
        made: Callable[[Sequence[Any]], Any]
        made = backends.build(backend, loss, "loss", "value_and_grad", reduce)
        return made
    from .executors import SharedOut

    return partial(SharedOut(loss, "loss", reduce, (backend,), problem.keeps), executor)


def _joined(slopes: Sequence[Any]) -> Numbers:
    return [x for slope in slopes for x in flat(slope)]
