"""How the loop of training in machine code is run: lists of floats in and out.   (floor 3)"""

from __future__ import annotations

import ctypes

import numpy

from . import machine
from .calling import aligned
from .emitters.training import Training
from .program import Program, operations
from .stepwise import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .stepwise import Moved, Problem, Steps

FEW = 1000  # operations of a batch whose rows are known that are written out
DOUBLE, LONG = ctypes.c_double, ctypes.c_long
pointer: Any = (ctypes.c_char * 1).from_buffer  # of an array that has numbers
PLACE = numpy.dtype(ctypes.c_long)


class LoopOnNative(Loop):
    """Steps of training by one function of machine code, with the source `source`.

    The weights are whole blocks (`update.fits`).
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        loss, penalty, update, weights, table, reduce, _, clip, whole = problem
        self._is_known = whole is not None and operations(whole) < FEW
        place = {x: i for i, x in enumerate([*weights, *self.fixed])}
        self._there = numpy.array([place[x] for block in self.moving for x in block.inputs])
        self._others = [
            (block.shape, numpy.array([place[x] for x in block.inputs]))
            for block in self.given
            if block not in self.moving
        ]
        outputs = whole.outputs if whole and self._is_known else loss.outputs[:1]
        carried = [] if self._is_known else self.carried
        self._program = Program(
            [*self.given, *carried], [*outputs, *(penalty.outputs if penalty else [])]
        )
        self._data = (
            [_placed(numpy.array(content, dtype=numpy.float64)) for content in table]
            if carried
            else []
        )
        self._update, self._has_penalty, self._reduce = update, penalty is not None, reduce
        self._clip = clip
        self._sources: dict[bool, Training] = {}
        self._made: dict[bool, tuple[Any, Any]] = {}
        self.source = ""

    def run(self, steps: Steps) -> Moved:
        weights, state, fixed, lr, first, given, _ = steps
        rows = [] if self._is_known else self._rows(given)
        train, work = self._function(len(rows) == 3)
        every: Any = numpy.array([*weights, *fixed]) if self._others else None
        others = [
            _array(every[there]) if shape else DOUBLE(every[there[0]])
            for shape, there in self._others
        ]
        now = _placed(numpy.array([weights, *state]).take(self._there, axis=1))
        losses, lrs = numpy.empty(len(given)), _filled(lr)
        states = now[1:]
        places = [numpy.ascontiguousarray(part, dtype=PLACE) for part in rows]
        arrays = [now, *self._data, *places, lrs, losses]  # for as long as the call takes
        train(
            pointer(now[0]),
            pointer(states) if states.size else None,
            *others,
            *[pointer(content) if content.size else None for content in self._data],
            *map(pointer, places),
            pointer(lrs),
            DOUBLE(first),
            LONG(len(given)),
            pointer(losses),
            pointer(work),
        )
        del arrays
        back = numpy.empty((len(now), len(weights)))
        back[:, self._there] = now
        moved, *memory = back.tolist()
        return moved, tuple(memory), losses.tolist()

    def has_code(self) -> bool:
        """Whether there is machine code already for batches as they come."""
        made = self._training(not self._is_known and self._kept is None)
        return machine.is_made(made.text, made.level)

    def _training(self, order: bool) -> Training:
        """The source, for rows that follow one another or for rows in an order."""
        if order not in self._sources:
            given = (
                self._program,
                self.moving,
                self._has_penalty,
                self._update,
                self._reduce,
            )
            self._sources[order] = Training(*given, order, self._clip)
        return self._sources[order]

    def _function(self, order: bool) -> tuple[Any, Any]:
        """The function, and an array to work in."""
        if order not in self._made:
            made = self._training(order)
            self.source = made.text
            function = machine.function(self.source, "train", made.level)
            function.restype = None
            self._made[order] = function, _placed(numpy.zeros(made.source.work))
        return self._made[order]

    def _rows(self, batches: list[list[int]]) -> list[Any]:
        """Where the rows of each batch are: from where to where in the data, or, in front of that,
        in an array of their order.
        """
        are_alike = batches.count(batches[0]) == len(batches)
        ranges = [self.once(_ends, batch) for batch in (batches[:1] if are_alike else batches)]
        if None not in ranges:
            return [
                numpy.repeat(ends, len(batches)) if are_alike else ends
                for ends in numpy.array(ranges).T.copy()
            ]
        ends = numpy.cumsum([len(batch) for batch in batches])
        return [
            numpy.concatenate([numpy.array(batch) for batch in batches]),
            numpy.concatenate([[0], ends[:-1]]),
            ends,
        ]


def _ends(batch: list[int]) -> tuple[int, int] | None:
    """From where to where the rows of a batch are, if they follow one another."""
    first, end = batch[0], batch[0] + len(batch)
    return (first, end) if batch == [*range(first, end)] else None


def _placed(array: Any) -> Any:
    """A copy in a better place."""
    made = aligned(array.shape)
    made[...] = array
    return made


def _array(numbers: Any) -> Any:
    return pointer(numbers) if numbers.size else None


def _filled(rates: list[float]) -> Any:
    """The rates as an array, soon made where they are one."""
    is_one = rates.count(rates[0]) == len(rates)
    return numpy.full(len(rates), rates[0]) if is_one else numpy.array(rates, dtype=numpy.float64)
