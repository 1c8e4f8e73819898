"""Training step by step: a generated gradient and an update for each batch, in any backend, without Values.   (floor 3)"""

from __future__ import annotations

from itertools import accumulate

from . import backends
from .arguments import flat, shaped
from .program import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from .program import Input

    Numbers = list[float]
    State = tuple[Numbers, ...]
    Update = Callable[
        [Numbers, Numbers, float, State, int], tuple[Numbers, State]
    ]  # of weights, gradients, lr, state, step


class Stepwise:
    """Steps on lists of floats.

    `program` is that of a row's loss, `table` what its blocks of rows hold. `fixed` are the inputs that are neither weights
    nor data. Where `keeps` is true, batches come again, each as the same list.
    """

    def __init__(
        self,
        program: Program,
        penalty: Program | None,
        weights: Sequence[Input],
        table: Sequence[Any],
        reduce: str,
        backend: str = "python",
        keeps: bool = False,
    ) -> None:
        given = [block for block in program.blocks if not block.has_rows and block.name != "share"]
        rows = [block for block in program.blocks if block.has_rows]
        known = set(weights)
        self.fixed = [x for block in given for x in block.inputs if x not in known]
        ends = [*accumulate(len(block.inputs) for block in given)]
        self._parts = [
            (block.shape, end - len(block.inputs), end) for block, end in zip(given, ends)
        ]
        place = {x: i for i, x in enumerate([*weights, *self.fixed])}
        self._order = [
            place[x] for block in given for x in block.inputs
        ]  # of all numbers, as the blocks have them
        of_slope = {
            x: i for i, x in enumerate(x for block in given if block.wrt for x in block.inputs)
        }
        self._wanted = [of_slope[x] for x in weights]
        self._table = table
        self._picked: dict[int, tuple[list[int], list[Any]]] | None = {} if keeps else None
        self._of_a_row, self._reduce, self._backend = (
            Program([*given, *rows], program.outputs[:1]),
            reduce,
            backend,
        )
        self._value: Any = None
        self._gradient_of: Any = None
        self._penalty = penalty and backends.build(
            backend, Program(given, penalty.outputs), "penalty", "value_and_grad", None
        )

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
        losses = []
        for step, (lr, batch) in enumerate(zip(rates, batches), first):
            loss, gradient = self.gradient(weights, fixed, batch)
            weights, state = update(weights, gradient, lr, state, step)
            losses.append(loss)
        return weights, state, losses

    def gradient(self, weights: Numbers, fixed: Numbers, batch: list[int]) -> tuple[float, Numbers]:
        """The loss of a batch, and its slopes by the weights."""
        both = [*weights, *fixed]
        numbers = [both[i] for i in self._order]
        contents = [
            shaped(numbers[start:end], shape) if end > start else []
            for shape, start, end in self._parts
        ]
        loss, slopes = self._loss()([*contents, *self._rows(batch)])
        gradient = [x for slope in slopes for x in flat(slope)]
        if self._penalty:
            more, slopes = self._penalty(contents)
            loss += more
            gradient = [
                a + b for a, b in zip(gradient, [x for slope in slopes for x in flat(slope)])
            ]
        return loss, [gradient[i] for i in self._wanted]

    def value(self, weights: Numbers, fixed: Numbers, table: Sequence[Any]) -> float:
        """The loss of rows, without penalty."""
        if self._value is None:
            self._value = backends.build(
                self._backend, self._of_a_row, "loss", "value", self._reduce
            )
        both = [*weights, *fixed]
        numbers = [both[i] for i in self._order]
        contents = [
            shaped(numbers[start:end], shape) if end > start else []
            for shape, start, end in self._parts
        ]
        return float(self._value([*contents, *table])[0])

    def _loss(self) -> Any:
        """The generated function of a batch, made when the first gradient is asked for."""
        if self._gradient_of is None:
            self._gradient_of = backends.build(
                self._backend, self._of_a_row, "loss", "value_and_grad", self._reduce
            )
        return self._gradient_of

    def _rows(self, batch: list[int]) -> list[Any]:
        """What the blocks of rows hold for a batch."""
        if self._picked is None:
            return [_pick(content, batch) for content in self._table]
        if id(batch) not in self._picked:
            self._picked[id(batch)] = batch, [_pick(content, batch) for content in self._table]
        return self._picked[id(batch)][1]


class OnArrays(Stepwise):
    """Steps on arrays; `formula` is the update's, from now on a function of arrays too."""

    def __init__(
        self,
        program: Program,
        penalty: Program | None,
        weights: Sequence[Input],
        table: Sequence[Any],
        reduce: str,
        backend: str,
        keeps: bool,
        formula: Program,
    ) -> None:
        import numpy

        super().__init__(
            program,
            penalty,
            weights,
            [numpy.array(content) for content in table],
            reduce,
            backend,
            keeps,
        )
        self._order, self._wanted = numpy.array(self._order), numpy.array(self._wanted)  # type: ignore[assignment]
        for block in formula.blocks[:-2]:
            block.has_rows = True  # a weight is a row
        self._update = backends.build(backend, formula, "update", "value", None)

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
        import numpy

        now: Any = [numpy.array(weights), *map(numpy.array, state)]
        losses, others = [], numpy.array(fixed)
        for step, (lr, batch) in enumerate(zip(rates, batches), first):
            loss, gradient = self._gradient(now[0], others, batch)
            now = self._update([now[0], gradient, *now[1:], lr, float(step)])
            losses.append(loss)
        return now[0].tolist(), tuple([part.tolist() for part in now[1:]]), losses

    def gradient(self, weights: Numbers, fixed: Numbers, batch: list[int]) -> tuple[float, Numbers]:
        import numpy

        loss, gradient = self._gradient(numpy.array(weights), numpy.array(fixed), batch)
        return loss, gradient.tolist()

    def _gradient(self, weights: Any, fixed: Any, batch: list[int]) -> tuple[float, Any]:
        import numpy

        numbers = numpy.concatenate([weights, fixed])[self._order]
        contents = [numbers[start:end].reshape(shape) for shape, start, end in self._parts]
        loss, slopes = self._loss()([*contents, *self._rows(batch)])
        gradient = numpy.concatenate([numpy.ravel(slope) for slope in slopes])
        if self._penalty:
            more, slopes = self._penalty(contents)
            loss = loss + more
            gradient = gradient + numpy.concatenate([numpy.ravel(slope) for slope in slopes])
        return float(loss), gradient[self._wanted]


def _pick(content: Any, batch: list[int]) -> Any:
    return [content[i] for i in batch] if content.__class__ is list else content[batch]


__all__ = ["OnArrays", "Stepwise"]
