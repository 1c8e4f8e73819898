"""The loop of training in machine code, run on lists of floats.   (floor 3)"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from typing import Any

import numpy

from . import machine
from .calling import room
from .emitters.training import Training
from .program import Program, operations
from .stepwise import Loop, Moved, Problem, Steps

FEW = 1000  # operations of a batch whose rows are known that are written out
pointer: Any = (ctypes.c_char * 1).from_buffer  # of an array that has numbers


class LoopOnNative(Loop):
    """Steps of training by one function of machine code, with the source `source`.

    The weights are whole blocks (`update.fits`).
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        whole, penalty, outputs = problem.whole, problem.penalty, problem.loss.outputs
        self._is_known = whole is not None and operations(whole) < FEW
        if whole and self._is_known:
            self.carried, outputs = [], whole.outputs[1:]  # the loss of each row, by their count
        self._there = numpy.array(self.places(*self.moving))
        others = [block for block in self.given if block not in self.moving]
        self._others = [(block.shape, numpy.array(self.places(block))) for block in others]
        outputs = [*outputs, *(penalty.outputs if penalty else [])]
        self._program = Program([*self.given, *self.carried], outputs)
        self.load(problem.table)
        self._sources: dict[bool, Training] = {}
        self._made: dict[bool, tuple[Any, Any]] = {}
        self.source = ""

    def load(self, table: Sequence[Any]) -> None:
        self.data = [numpy.array(x, dtype=float) for x in table if self.carried]

    def run(self, steps: Steps) -> Moved:
        """Make the steps by one call."""
        rows = [] if self._is_known else self._rows(steps.batches)
        train, work = self._function(len(rows) == 3)
        every: Any = numpy.array([*steps.weights, *steps.fixed]) if self._others else None
        others = [every[there] if shape else every[there[0]] for shape, there in self._others]
        now = self.begun(steps, lambda parts: numpy.array(parts).take(self._there, axis=1))
        rates, losses = numpy.array(steps.rates, dtype=float), numpy.empty(len(steps.batches))
        places, count = [x.astype(ctypes.c_long) for x in rows], ctypes.c_long(len(losses))
        arrays = [now[0], now[1:], *others, *self.data, *places, rates]
        train(*map(_passed, [*arrays, steps.first, count, losses, work]))
        back = numpy.empty((len(now), len(steps.weights)))
        back[:, self._there] = now
        return *self.ended(now, *back.tolist()), array("d", losses.tobytes())

    def has_code(self) -> bool:
        """Whether there is machine code already for batches as they come."""
        made = self._training(not self._is_known and not self.problem.keeps)
        return machine.is_made(made.text, made.level, self.problem.mark)

    def _training(self, order: bool) -> Training:
        """The source, for rows that follow one another or for rows in an order."""
        if order not in self._sources:
            self._sources[order] = Training(self.problem, self._program, self.moving, order)
        return self._sources[order]

    def _function(self, order: bool) -> tuple[Any, Any]:
        """The function, and an array to work in."""
        if order not in self._made:
            made = self._training(order)
            self.source = made.text
            function = machine.function(made.text, "train", made.level, self.problem.mark)
            function.restype = None
            self._made[order] = function, room(made.source.work)
        return self._made[order]

    def _rows(self, batches: list[list[int]]) -> list[Any]:
        """Where the rows of each batch are: from where to where in the data, or, in front of that,
        in an array of their order.
        """
        are_alike = batches.count(batches[0]) == len(batches)
        ranges = [self.once(_ends, batch) for batch in (batches[:1] if are_alike else batches)]
        if None not in ranges:
            times = len(batches) // len(ranges)
            return [numpy.repeat(ends, times) for ends in numpy.array(ranges).T]
        ends = numpy.cumsum([len(batch) for batch in batches])
        orders = numpy.concatenate([numpy.array(batch) for batch in batches])
        return [orders, numpy.concatenate([[0], ends[:-1]]), ends]


def _ends(batch: list[int]) -> tuple[int, int] | None:
    """From where to where the rows of a batch are, if they follow one another."""
    first, end = batch[0], batch[0] + len(batch)
    return (first, end) if batch == [*range(first, end)] else None


def _passed(content: Any) -> Any:
    """An argument of a function in C, for an array or a number."""
    if isinstance(content, float | int):
        return ctypes.c_double(content)
    if isinstance(content, numpy.ndarray):
        return pointer(content) if content.size else None
    return content
