"""Steps of training by one function of machine code.   (floor 3)"""

from __future__ import annotations

import numpy

from .in_native import is_small
from .loop_in_native import Training
from .machine import build
from .on_native import large, tables_of
from .program import Program
from .stepwise import OnArrays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from .stepwise import State, Update


class OnNative(OnArrays):
    """Steps by one function, which makes many in a call; `whole` is the program of all rows, if each batch is that.

    `gradient` and `value` are those on arrays, and `run` too, where some of the numbers that blocks hold are not trained.
    """

    def __init__(
        self,
        program: Program,
        penalty: Program | None,
        weights: Sequence[Any],
        table: Sequence[Any],
        reduce: str,
        backend: str,
        keeps: bool,
        formula: Program,
        whole: Program | None = None,
    ) -> None:
        super().__init__(program, penalty, weights, table, reduce, backend, keeps, formula)
        if whole is not None and not is_small(whole, 1):
            whole = None
        self._is_known, self._formula, self._has_penalty = whole is not None, formula, penalty is not None
        objective = whole or self._of_a_row
        self._objective = Program(objective.blocks, [*objective.outputs, *(penalty.outputs if penalty else [])])
        place = {x: i for i, x in enumerate(weights)}
        trained = [x for block in self._objective.wrt for x in block.inputs]
        self._is_whole = place.keys() == set(trained)
        self._there = numpy.array([place.get(x, 0) for x in trained])
        plain = [block for block in self._objective.blocks if not block.has_rows]
        self._others = [(i, block) for i, block in enumerate(plain) if not block.wrt]
        self._data = [] if whole else [numpy.ascontiguousarray(content, dtype=numpy.float64) for content in self._table]
        self._ranges: dict[int, tuple[list[int], tuple[int, int] | None]] = {}  # of batches that come again
        self._made: dict[bool, tuple[Callable[..., None], Any, Any]] = {}

    def run(
        self,
        weights: list[float],
        state: State,
        fixed: list[float],
        rates: Iterable[float],
        first: int,
        batches: Iterable[list[int]],
        update: Update,
    ) -> tuple[list[float], State, list[float]]:
        """Make a step on each batch, with its rate; the weights and the state after them, and the losses."""
        if not self._is_whole:
            return super().run(weights, state, fixed, rates, first, batches, update)
        given, lr = (part if isinstance(part, list) else [*part] for part in (batches, rates))
        rows = [] if self._is_known else self._rows_of(given)
        train, numbers, places = self._function(len(rows) == 3)
        now = numpy.array([weights, *state])[:, self._there]
        losses = numpy.empty(len(given))
        train(now[0], now[1:], *self._contents(weights, fixed), *self._data, *rows, _filled(lr), first, numbers, places, losses)
        back = numpy.empty_like(now)
        back[:, self._there] = now
        moved, *memory = back.tolist()
        return moved, tuple(memory), losses.tolist()

    def _contents(self, weights: list[float], fixed: list[float]) -> list[Any]:
        """What the blocks hold that are neither trained nor data."""
        if not self._others:
            return []
        numbers = numpy.array([*weights, *fixed])[self._order]
        parts = [(block, *self._parts[i][1:]) for i, block in self._others]
        return [numbers[start:end].reshape(block.shape) if block.shape else float(numbers[start]) for block, start, end in parts]

    def _function(self, order: bool) -> tuple[Callable[..., None], Any, Any]:
        if order not in self._made:
            source = Training(self._objective, self._has_penalty, self._formula, self._reduce, order, large()).source
            self.source = source.text
            self._made[order] = build(source.text, "train"), *tables_of(source)
        return self._made[order]

    def _rows_of(self, batches: list[list[int]]) -> list[Any]:
        """Where the rows of each batch are: from where to where in the data, or, in front of that, in an array of their order."""
        are_alike = batches.count(batches[0]) == len(batches)
        ranges = [self._range(batch) for batch in (batches[:1] if are_alike else batches)]
        if None not in ranges:
            return [numpy.repeat(ends, len(batches)) if are_alike else ends for ends in numpy.array(ranges).T.copy()]
        ends = numpy.cumsum([len(batch) for batch in batches])
        return [numpy.concatenate([numpy.array(batch) for batch in batches]), numpy.concatenate([[0], ends[:-1]]), ends]

    def _range(self, batch: list[int]) -> tuple[int, int] | None:
        """From where to where the rows of a batch are, if they follow one another."""
        if self._picked is None:
            return _ends(batch)
        if id(batch) not in self._ranges:
            self._ranges[id(batch)] = batch, _ends(batch)
        return self._ranges[id(batch)][1]


def _ends(batch: list[int]) -> tuple[int, int] | None:
    first, end = batch[0], batch[0] + len(batch)
    return (first, end) if batch == [*range(first, end)] else None


def _filled(rates: list[float]) -> Any:
    """The rates as an array, soon made where they are one."""
    is_one = rates.count(rates[0]) == len(rates)
    return numpy.full(len(rates), rates[0]) if is_one else numpy.array(rates, dtype=numpy.float64)
