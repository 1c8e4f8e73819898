"""The loop of training in machine code, run on lists of floats.   (floor 3)"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy

from . import machine
from .calling import room, room_of
from .program import Program, operations
from .stepwise import OnArrays, Problem, Steps

FEW = 1000  # operations of a batch whose rows are known that are written out
LONG = ctypes.c_long
pointer: Any = (ctypes.c_char * 1).from_buffer  # of an array that has numbers


class LoopOnNative(OnArrays):
    """Steps of training by one function of machine code."""

    def __init__(self, problem: Problem) -> None:
        whole, penalty = problem.whole and problem.whole(), problem.penalty
        if whole and operations(whole) < FEW:  # the loss of each row, by their count
            problem = problem._replace(loss=Program(whole.blocks, whole.outputs[1:]))
        super().__init__(problem)
        outputs = [*problem.loss.outputs, *(penalty.outputs if penalty else [])]
        self._program = Program(problem.loss.blocks, outputs)
        self._made: tuple[Any, Any] | None = None

    def load(self, table: Sequence[Any]) -> None:
        self.data = [_placed(numpy.array(x)) for x in table if self.carried]

    def moved(self, arrays: Any, steps: Steps) -> tuple[Any, Sequence[float]]:
        train, work = self._made = self._made or self._function()
        rows = self._rows(steps.batches) if self.data else []
        fixed = [x if isinstance(x, float) else numpy.array(x) for x in steps.fixed]
        rates, losses = numpy.array(steps.rates, dtype=float), numpy.empty(len(steps.batches))
        count = LONG(len(losses))
        given = [arrays[0], arrays[1:], *fixed, *rows, rates]
        train(*map(_passed, [*given, steps.first, count, losses, work]))
        return arrays, array("d", losses.tobytes())

    def has_code(self) -> bool:
        """Whether there is machine code already."""
        return machine.is_made(self._key())

    def _key(self) -> str:
        """All that the source is made of."""
        problem = self.problem
        return repr((self._program.digest, problem.update.digest, problem.reduce, problem.clip))

    def _source(self) -> tuple[str, str]:
        from .emitters.training import training_source

        return training_source(self.problem, self._program)

    def _function(self) -> tuple[Any, Any]:
        """The function, and an array to work in."""
        library = machine.library(self._key(), self._source)
        library.train.restype = None
        return library.train, room(room_of(library, "train"))

    def _rows(self, batches: list[list[int]]) -> list[Any]:
        """The data, each with an array for a batch of its rows in another order; that order; and
        where the rows of each batch begin and end in it, or, where there is none, in the data.
        """
        are_alike = batches.count(batches[0]) == len(batches)
        ranges = [self.once(_ends, batch) for batch in (batches[:1] if are_alike else batches)]
        if None not in ranges:
            ends = numpy.array(ranges, dtype=LONG).repeat(len(batches) // len(ranges), axis=0)
            return [*chain(*[(x, None) for x in self.data]), None, *ends.T.copy()]
        sizes = [*map(len, batches)]
        copies = chain(*[(x, room(max(sizes) * x[0].size)) for x in self.data])
        ends, order = numpy.cumsum(sizes, dtype=LONG), numpy.concatenate(batches).astype(LONG)
        return [*copies, order, ends - sizes, ends]


def _ends(batch: list[int]) -> tuple[int, int] | None:
    """From where to where the rows of a batch are, if they follow one another."""
    first, end = batch[0], batch[0] + len(batch)
    return (first, end) if batch == [*range(first, end)] else None


def _placed(array: Any) -> Any:
    """A copy as floats that begins where vector instructions read it fastest."""
    copy = room(array.size)[: array.size].reshape(array.shape)
    copy[...] = array
    return copy


def _passed(content: Any) -> Any:
    """An argument of a function in C, for an array or a number."""
    if isinstance(content, float | int):
        return ctypes.c_double(content)
    if isinstance(content, numpy.ndarray):
        return pointer(content) if content.size else None
    return content
