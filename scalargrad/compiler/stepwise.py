"""Loops of training: many steps in a call, and one that any backend can do.   (floor 3)"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar

from . import backends
from .arguments import flat, shaped
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
    fixed: Numbers  # of the inputs that are neither weights nor data
    rates: Sequence[float]
    first: int  # the number of the first step
    batches: list[list[int]]  # of each the places of its rows in the table
    update: Update


class Problem(NamedTuple):
    """All that steps of training are made of."""

    loss: Program  # of a row
    penalty: Program | None
    update: Any  # the formula by which a weight moves, a program; or None
    weights: Sequence[Input]
    table: Sequence[Any]  # what the blocks of rows hold
    reduce: str
    keeps: bool = False  # whether batches come again, each as the same list
    clip: float | None = None  # the largest norm of a gradient
    # the loss of all rows and what slopes are taken of, if each batch is the table and it is small
    whole: Program | None = None


class Loop:
    """Makes many steps of training in a call of `run`.

    The blocks `given` are those without rows, of which `moving` are weights alone; `fixed` are the
    inputs that are neither weights nor data.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, own, blocks = problem, set(problem.weights), problem.loss.blocks
        self.carried = [block for block in blocks if block.has_rows]
        self.given = [block for block in blocks if not block.has_rows]
        self.moving = [block for block in self.given if own.issuperset(block.inputs)]
        self.fixed = [x for block in self.given for x in block.inputs if x not in own]
        self._place = {x: i for i, x in enumerate([*problem.weights, *self.fixed])}
        self._kept: dict[int, Any] | None = {} if problem.keeps else None
        self._left: tuple[Any, list[Numbers]] = None, []

    def places(self, *blocks: Block) -> list[int]:
        """Where the numbers of blocks are in the list of all weights and of what is fixed."""
        return [self._place[x] for block in blocks for x in block.inputs]

    def load(self, table: Sequence[Any]) -> None:
        """Take these rows, as `table` in a problem has them."""
        self.data: list[Any] = [*table]

    def run(self, steps: Steps) -> Moved:
        """Make the steps; ArithmeticError or ValueError where a number overflows."""
        raise NotImplementedError

    def begun(self, steps: Steps, read: Callable[[list[Numbers]], T]) -> T:
        """The weights and the memory, as arrays: those that are left of the last steps, if nothing
        has changed since, else what `read` makes of the lists.
        """
        (arrays, known), now = self._left, [steps.weights, *steps.state]
        self._left = None, []  # arrays change in place
        return arrays if now == known else read(now)

    def ended(self, arrays: Any, weights: Numbers, *memory: Numbers) -> tuple[Numbers, State]:
        """The weights and the memory after steps, which are left in arrays, too."""
        self._left = arrays, [part.copy() for part in (weights, *memory)]
        return weights, memory

    def once(self, make: Callable[[list[int]], T], batch: list[int]) -> T:
        """The thing that is made of a batch, once for each if batches come again."""
        if self._kept is None:
            return make(batch)
        if id(batch) not in self._kept:
            self._kept[id(batch)] = batch, make(batch)
        return self._kept[id(batch)][1]  # type: ignore[no-any-return]


class Stepwise(Loop):
    """Steps on lists of floats: a generated gradient for each batch, the optimiser's own update.

    If there is an `executor`, it computes the gradients.
    """

    def __init__(self, problem: Problem, backend: str = "python", executor: Any = None) -> None:
        super().__init__(problem)
        self._backend, self._executor = backend, executor
        self.load(problem.table)
        given, weights = self.given, problem.weights
        ends = [*accumulate(len(block.inputs) for block in given)]
        self._parts = [(b.shape, end - len(b.inputs), end) for b, end in zip(given, ends)]
        of_slope = {x: i for i, x in enumerate(x for b in given if b.wrt for x in b.inputs)}
        self._order: Any = self.places(*given)
        self._wanted: Any = [of_slope[x] for x in weights]
        self._functions: dict[str, Any] = {}  # made when they are first called
        penalty = problem.penalty and Program(given, problem.penalty.outputs)
        self._penalty = penalty and backends.build(
            backend, penalty, "penalty", "value_and_grad", None
        )

    def run(self, steps: Steps) -> Moved:
        weights, state, losses = steps.weights, steps.state, []
        for step, (lr, batch) in enumerate(zip(steps.rates, steps.batches), steps.first):
            loss, gradient = self.gradient(weights, steps.fixed, batch)
            weights, state = steps.update(weights, gradient, lr, state, step)
            losses.append(loss)
        return weights, state, losses

    def gradient(self, weights: Numbers, fixed: Numbers, batch: list[int]) -> tuple[float, Numbers]:
        """The loss of a batch, and its slopes by the weights."""
        contents = self._contents([*weights, *fixed])
        loss, slopes = self._of("value_and_grad")([*contents, *self.once(self._rows, batch)])
        gradient = _joined(slopes)
        if self._penalty:
            more, slopes = self._penalty(contents)
            loss, gradient = loss + more, [a + b for a, b in zip(gradient, _joined(slopes))]
        return loss, [gradient[i] for i in self._wanted]

    def value(self, weights: Numbers, fixed: Numbers, table: Sequence[Any]) -> float:
        """The loss of rows, without penalty."""
        return float(self._of("value")([*self._contents([*weights, *fixed]), *table])[0])

    def _contents(self, numbers: Numbers) -> list[Any]:
        """The contents of the blocks without rows."""
        there = [numbers[i] for i in self._order]
        return [shaped(there[start:end], shape) for shape, start, end in self._parts]

    def _of(self, kind: str) -> Any:
        if kind not in self._functions:
            given = self.problem.loss, "loss", kind, self.problem.reduce
            if self._executor is None or kind == "value":
                self._functions[kind] = backends.build(self._backend, *given)
            else:
                from .executors import SharedOut

                keeps, name = self.problem.keeps, (self._backend,)
                shared = SharedOut(given[0], "loss", self.problem.reduce, name, keeps)
                self._functions[kind] = partial(shared, self._executor)
        return self._functions[kind]

    def _rows(self, batch: list[int]) -> list[Any]:
        """The contents of the blocks of rows for a batch."""
        return [[content[i] for i in batch] for content in self.data]


class OnArrays(Stepwise):
    """Steps on arrays; the formula of the update, if there is one, is a function of arrays, too."""

    def __init__(self, problem: Problem, backend: str, executor: Any) -> None:
        from numpy import array

        super().__init__(problem, backend, executor)
        self._order, self._wanted = array(self._order), array(self._wanted)
        if (update := problem.update) is not None:
            for block in update.blocks[:-2]:
                block.has_rows = True  # a weight is a row
            self._update = backends.build(backend, update, "update", "value", None)

    def run(self, steps: Steps) -> Moved:
        from numpy import array

        from .dialects.numpy_helpers import norm

        now: Any = [array(steps.weights), *map(array, steps.state)]
        losses, fixed, clip = [], array(steps.fixed), self.problem.clip
        for step, (lr, batch) in enumerate(zip(steps.rates, steps.batches), steps.first):
            loss, gradient = self._gradient(now[0], fixed, batch)
            if clip is not None:
                gradient = gradient * (clip / max(clip, norm(gradient)))
            now = self._update([now[0], gradient, *now[1:], lr, float(step)])
            losses.append(loss)
        return now[0].tolist(), tuple([part.tolist() for part in now[1:]]), losses

    def gradient(self, weights: Numbers, fixed: Numbers, batch: list[int]) -> tuple[float, Numbers]:
        loss, gradient = self._gradient(weights, fixed, batch)
        return loss, gradient.tolist()

    def _gradient(self, weights: Any, fixed: Any, batch: list[int]) -> tuple[float, Any]:
        import numpy

        numbers = numpy.concatenate([weights, fixed])[self._order]
        contents = [numbers[start:end].reshape(shape) for shape, start, end in self._parts]
        loss, slopes = self._of("value_and_grad")([*contents, *self.once(self._rows, batch)])
        gradient = numpy.concatenate([*map(numpy.ravel, slopes)])
        if self._penalty:
            more, slopes = self._penalty(contents)
            loss, gradient = loss + more, gradient + numpy.concatenate([*map(numpy.ravel, slopes)])
        return float(loss), gradient[self._wanted]

    def load(self, table: Sequence[Any]) -> None:
        from numpy import array

        self.data = [*map(array, table)]

    def _rows(self, batch: list[int]) -> list[Any]:
        return [content[batch] for content in self.data]


def _joined(slopes: Sequence[Any]) -> Numbers:
    return [x for slope in slopes for x in flat(slope)]
