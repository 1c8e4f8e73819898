"""Files of plain functions: which there are, their constants, an example.   (floor 3)"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy

from ..constants import named_constants
from ..contents import flat
from ..dialects.c import Dialect
from ..program import Block
from ..traces import Request
from .frame import Source, Tables
from .functions import Wanted, function_of

ROWS_OF_EXAMPLE = 3


class Plain:
    """The functions of a request in a language, with the constants that they read."""

    def __init__(self, dialect: Dialect, request: Request) -> None:
        self.dialect, self.request, self.traces = dialect, request, request.traces
        traces = self.traces
        self.program, numbers = named_constants(traces)
        self.contents = [*request.contents[: len(request.contents) - bool(traces.taken)], *numbers]
        self.blocks = self.program.blocks
        self.has_rows, self.per_row = traces.has_rows, traces.has_rows and traces.reduce is None
        self.kinds = traces.kinds[: 1 if request.predict else 2]
        self.expected = cache(self._expected)
        names = dialect.names()
        self.name_of: dict[Any, str] = {block: names.take(block.name, "v") for block in self.blocks}
        self.slope_names = [names.take(f"d{self.name_of[block]}", "slopes") for block in self.wrt]
        self.out = names.take("y" if request.predict else "result")
        count = len(traces.program.blocks) - bool(traces.taken)
        self.constants: list[Block] = [*self.blocks[: request.fixed], *self.blocks[count:]]
        self.given = self.blocks[request.fixed : count]
        shown = self._shortened(self.given, self.contents[request.fixed : count])
        self.example = {self.name_of[b]: [*map(float, flat(x))] for b, x in zip(self.given, shown)}
        self.rows = max([len(x) for b, x in zip(self.given, shown) if b.has_rows], default=0)
        self.tables = Tables(dialect, names)
        for block in self.constants:
            array = numpy.array(flat(self.contents[self.blocks.index(block)]), dtype=float)
            self.tables.put(self.name_of[block], array)
        self.functions = {kind: self._function(kind) for kind in self.kinds}
        self.calls = {call for made in self.functions.values() for call in made.calls}
        uses = {name for made in self.functions.values() for name in made.uses}
        for block in self.constants:
            if (name := self.name_of[block]) not in uses:
                del self.tables.written[name]

    @property
    def wrt(self) -> list[Block]:
        """The blocks that slopes are taken by."""
        return self.program.wrt if len(self.kinds) > 1 else []

    def outputs(self, kind: str) -> list[tuple[str, list[int | str]]]:
        """The arrays that a function fills, or the number that it returns: names and shapes."""
        count = len(self.program.outputs)
        shape: list[int | str] = [count, *["n"] * self.per_row]
        if self.request.predict:
            shape = [*["n"] * self.has_rows, count]
        found = [(self.out, shape)]
        for block, name in zip(self.wrt, self.slope_names) if kind != "value" else ():
            by_rows = ["n"] * (block.has_rows or self.per_row)
            found.append((name, [*[count] * (kind == "jacobian"), *by_rows, *block.shape]))
        return found

    def called(self, kind: str) -> str:
        """The name of a function in the file."""
        return "predict" if self.request.predict else kind

    def _function(self, kind: str) -> Source:
        wanted = Wanted(
            self.program, kind, self.traces.reduce, self.name_of, self.slope_names, self.out,
            self.request.predict,
        )  # fmt: skip
        own: Any = {"tables": self.tables, "constants": self.constants}
        return function_of(self.dialect, self.called(kind), wanted, **own).source()

    # -------------------------------------------------------------- the example

    def _shortened(self, blocks: Sequence[Block], contents: Sequence[Any]) -> list[Any]:
        return [x[:ROWS_OF_EXAMPLE] if block.has_rows else x for block, x in zip(blocks, contents)]

    def _expected(self, kind: str) -> list[list[float]]:
        """The values that plain Python gives for the example, and the slopes by each block."""
        contents = self._shortened(self.traces.program.blocks, self.request.contents)
        result = self.traces.function("python", kind, contents)(contents)
        outputs, groups = (result, []) if kind == "value" else result
        values = numpy.array(outputs, dtype=float)
        found = [values.T if self.request.predict else values]
        if kind == "value_and_grad":
            groups = [groups]  # of the one output
        for slopes in zip(*groups):  # by a block, of each output
            found.append(numpy.array(slopes, dtype=float))
        return [array.ravel().tolist() for array in found]
