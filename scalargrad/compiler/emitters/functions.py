"""The function of a program in a language: its value, with slopes, or a Jacobian.   (floor 3)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..derive_rolled import Derived, beside
from ..dialects.c import Dialect
from ..lower import SUM
from ..program import Block, Program, operations
from ..reduced import outputs_of, turns_of
from ..roll import View, has_pattern, roll, rolled
from .vectors import Function, Result

FEW = 400  # operations of a program without rows that machine code has in lines
MANY, EACH = 20_000, 20  # or with few operations for each vector; for all outputs of a Jacobian


class Wanted(NamedTuple):
    """The function of a program that is wanted, and the names of what it reads and fills.

    With `in_rows` the outputs of a row stand together, else those of all rows. Outputs that are
    `joined`, a loss and its penalty, are added up in fast arithmetic: of rows is the first.
    """

    program: Program
    kind: str
    reduce: str | None
    name_of: Mapping[Any, str]
    slope_names: Sequence[str]
    out: str
    in_rows: bool = False
    joined: bool = False

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


def function_of(dialect: Dialect, name: str, wanted: Wanted, **options: Any) -> Function:
    """A function that fills arrays, and returns its value where that is one number."""
    program, per_row = wanted.program, wanted.per_row
    if not program.outputs:
        raise ValueError("the function gives no number, and code in C or JavaScript needs one")
    is_one = len(program.outputs) == 1 and not wanted.joined
    options["returns"] = is_one and not per_row and not wanted.in_rows
    if "in_tiles" not in options:
        is_small = dialect.in_blocks and not wanted.has_rows and _is_small(program)
        options["in_tiles"] = has_pattern(program) and not is_small
    options["hides"] = not wanted.joined
    made = rolled(program) if options["in_tiles"] else roll(program, together=False)
    derived = Derived(made, per_row, wanted.joined, not options["in_tiles"])
    results = _results(wanted, derived)
    given = derived.vectors, results, derived.wishes(), wanted.name_of
    return Function(dialect, name, program.blocks, *given, **options)


def _is_small(program: Program) -> bool:
    """Whether lines are soon compiled, and run as fast as loops, or faster."""
    count = operations(program)
    if count < FEW or count * len(program.outputs) > MANY:
        return count < FEW
    return has_pattern(program) and count < EACH * len(rolled(program).vectors)


def _results(wanted: Wanted, derived: Derived) -> list[Result]:
    """Where the outputs go, and the slopes behind them."""
    wrt, joined = wanted.wrt(), wanted.joined
    outputs, seeds = outputs_of(derived, wanted.reduce if wanted.has_rows else None, joined)
    walks = turns_of(derived.rolled, seeds)
    if joined and len(outputs) > 1:
        every = beside(outputs)
        outputs = [derived.put(SUM, (View(every.sources, every.index[None]),), 1)]
        walks = [([[root for turns, _ in walks for roots in turns for root in roots]], [0])]
    places = (0,) if wanted.in_rows else range(len(outputs))
    results = [Result(beside(outputs), wanted.out, wanted.per_row, places)]
    for turns, numbers in walks if wrt else ():
        views = derived.slopes(turns, [block for block, _, _ in wrt])
        results += [Result(x, name, by_rows, numbers) for x, (_, name, by_rows) in zip(views, wrt)]
    return results
