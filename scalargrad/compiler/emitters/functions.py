"""The function of a program in a language: its value, with slopes, or a Jacobian.   (floor 3)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..derive import DerivedSteps
from ..derive_rolled import Derived, beside
from ..dialects.c import Dialect
from ..program import Block, Constant, Program, operations
from ..reduced import outputs_of, reduced, turns_of
from ..roll import Vector, View, has_pattern, rolled
from .steps import Singles
from .vectors import Function, Result

FEW = 400  # operations of a program without rows that machine code has in lines
MANY, EACH = 20_000, 20  # or with few operations for each vector; for all outputs of a Jacobian


class Wanted(NamedTuple):
    """The function of a program that is wanted, and the names of what it reads and fills.

    With `in_rows` the outputs of a row stand together, else those of all rows.
    """

    program: Program
    kind: str
    reduce: str | None
    name_of: Mapping[Any, str]
    slope_names: Sequence[str]
    out: str
    in_rows: bool = False

    @property
    def has_rows(self) -> bool:
        """Whether data has rows."""
        return any(block.has_rows for block in self.program.blocks)

    @property
    def per_row(self) -> bool:
        """Whether each row has results of its own."""
        return self.has_rows and self.reduce is None

    def wrt(self) -> list[tuple[Block, str, bool]]:
        """The blocks that slopes are taken by, their names, and whether each row has its own."""
        blocks = self.program.wrt if self.kind != "value" else []
        by_rows = [self.has_rows and (block.has_rows or self.per_row) for block in blocks]
        return [*zip(blocks, self.slope_names, by_rows)]

    def result(self, outputs: View) -> Result:
        """Where the outputs go."""
        turns: Sequence[int] = (0,) if self.in_rows else range(outputs.index.size)
        return Result(outputs, self.out, self.per_row, turns)

    def slopes(self, views: list[View], turns: Sequence[int]) -> Iterator[Result]:
        """Where slopes go by each block, turn by turn."""
        for view, (_, name, by_rows) in zip(views, self.wrt()):
            yield Result(view, name, by_rows, turns)


def function_of(dialect: Dialect, name: str, wanted: Wanted, **options: Any) -> Function:
    """A function that fills arrays, and returns its value where that is one number."""
    program, per_row = wanted.program, wanted.per_row
    options["returns"] = len(program.outputs) == 1 and not per_row and not wanted.in_rows
    is_small = dialect.in_blocks and not wanted.has_rows and _is_small(program)
    options["in_tiles"] = in_tiles = has_pattern(program) and not is_small
    made = _in_vectors(wanted) if in_tiles else _in_lines(wanted)
    return Function(dialect, name, program.blocks, *made, wanted.name_of, **options)


def _is_small(program: Program) -> bool:
    """Whether lines are soon compiled, and run as fast as loops, or faster."""
    count = operations(program)
    if count < FEW or count * len(program.outputs) > MANY:
        return count < FEW
    return has_pattern(program) and count < EACH * len(rolled(program).vectors)


def _in_vectors(wanted: Wanted) -> tuple[list[Vector], list[Result], Mapping[Any, Any]]:
    """The program in vectors and the slopes behind it, where numbers go, and names to wish for."""
    made, wrt, reduce = rolled(wanted.program), wanted.wrt(), wanted.reduce
    derived = Derived(made, wanted.per_row)
    outputs, seeds = outputs_of(derived, reduce if wanted.has_rows and not wanted.per_row else None)
    results = [wanted.result(beside(outputs))]
    for roots, numbers in turns_of(made, seeds) if wrt else ():
        views = derived.slopes(roots, [block for block, _, _ in wrt])
        results += wanted.slopes(views, numbers)
    return derived.vectors, results, derived.wishes()


def _in_lines(wanted: Wanted) -> tuple[list[Vector], list[Result], Mapping[Any, Any]]:
    """The same of a program of single numbers."""
    program, wrt = wanted.program, wanted.wrt()
    derived = DerivedSteps(program, wanted.per_row)
    carriers, one = program.with_rows(), Constant(1.0)
    inputs = [x for block, _, _ in wrt for x in block.inputs]
    outputs, slopes = [], []
    for output in program.outputs:
        x, seed = derived.of(output), None
        if wanted.has_rows and not wanted.per_row:
            put = lambda line, *xs: derived.put(line, xs)  # noqa: E731
            x, seed = reduced(put, x, output in carriers, wanted.reduce)
        outputs.append(x)
        roots = [] if output.__class__ is Constant else [(output, seed or one)]
        slopes.append(iter(derived.slopes(roots, inputs) if wrt else ()))
    by_block = [[next(found) for found in slopes for _ in block.inputs] for block, _, _ in wrt]
    made = Singles([*outputs, *[x for xs in by_block for x in xs]])
    results = [wanted.result(made.view(outputs))]
    if wrt:
        results += wanted.slopes([*map(made.view, by_block)], range(len(outputs)))
    return made.vectors, results, {}
