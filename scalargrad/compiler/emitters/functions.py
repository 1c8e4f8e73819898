"""The function of a program in a language: its value, with slopes, or a Jacobian.   (floor 3)"""

from __future__ import annotations

from typing import NamedTuple

import numpy

from ..derive import DerivedSteps
from ..derive_rolled import Derived, beside, narrowed
from ..program import Constant, operations
from ..reduced import outputs_of, reduced, turns_of
from ..roll import View, has_pattern, rolled
from ..views import name_of
from .steps import LineFunction, NumberResult
from .vectors import Function, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from ..dialects.c import Dialect
    from ..program import Block, Program
    from .frame import Frame

    # by the number of a block: entries that are one parameter with others: the other block, their
    # place, that there
    Ties = Mapping[int, Sequence[tuple[int, int, int]]]

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
    ties: Ties = {}  # noqa: RUF012

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


def function_of(dialect: Dialect, name: str, wanted: Wanted, **options: Any) -> Frame:
    """A function that fills arrays, and returns its value where that is one number."""
    program, per_row = wanted.program, wanted.per_row
    options["returns"] = len(program.outputs) == 1 and not per_row and not wanted.in_rows
    is_small = dialect.in_blocks and not wanted.has_rows and _is_small(program)
    given = dialect, name, program.blocks
    if is_small or not has_pattern(program):
        return LineFunction(*given, _in_lines(wanted), wanted.name_of, **options)
    derived, results = _in_vectors(wanted)
    options["wishes"] = _wishes(derived)
    return Function(*given, derived.vectors, results, wanted.name_of, **options)


def _is_small(program: Program) -> bool:
    """Whether lines are soon compiled, and run as fast as loops, or faster."""
    count = operations(program)
    if count < FEW or count * len(program.outputs) > MANY:
        return count < FEW
    return has_pattern(program) and count < EACH * len(rolled(program).vectors)


def _in_vectors(wanted: Wanted) -> tuple[Derived, list[Result]]:
    """The program in vectors, the slopes behind it, and where numbers go."""
    made, wrt, reduce = rolled(wanted.program), wanted.wrt(), wanted.reduce
    derived = Derived(made, wanted.per_row)
    outputs, seeds = outputs_of(derived, reduce if wanted.has_rows and not wanted.per_row else None)
    turns: Sequence[int] = (0,) if wanted.in_rows else range(len(outputs))
    results = [Result(beside(outputs), wanted.out, wanted.per_row, turns)]
    for roots, numbers in turns_of(made, seeds) if wrt else ():
        views = derived.slopes(roots, [block for block, _, _ in wrt])
        for (_, name, by_rows), view in zip(wrt, _tied(views, wanted.ties, len(roots))):
            results.append(Result(view, name, by_rows, numbers))
    return derived, results


def _tied(views: list[View], ties: Ties, turns: int) -> Iterator[View]:
    """The slopes, the same in all places where one parameter stands."""
    for at, view in enumerate(views):
        for other, to, of in ties.get(at, ()):
            count, size = view.index.size, view.index.size // turns
            joined = beside([View(view.sources, view.index.ravel()), views[other]])
            index, steps = numpy.arange(count), numpy.arange(turns)
            index[to + steps * size] = count + of + steps * (views[other].index.size // turns)
            view = narrowed(joined.sources, joined.index[index])
        yield view


def _in_lines(wanted: Wanted) -> list[NumberResult]:
    """Where numbers go, of a program of single numbers."""
    program, per_row, wrt = wanted.program, wanted.per_row, wanted.wrt()
    derived = DerivedSteps(program, per_row)
    carriers, one = program.with_rows(), Constant(1.0)
    results: list[NumberResult] = []
    for turn, output in enumerate(program.outputs):
        x, seed = derived.of(output), None
        if wanted.has_rows and not per_row:
            put = lambda line, *xs: derived.put(line, xs)  # noqa: E731
            x, seed = reduced(put, x, output in carriers, wanted.reduce)
        count = len(program.outputs)
        place: Any = (turn, count, per_row) if wanted.in_rows else (0, 1, per_row, turn)
        results.insert(turn, NumberResult(x, wanted.out, *place))
        roots = [] if output.__class__ is Constant else [(output, seed or one)]
        inputs = [x for block, _, _ in wrt for x in block.inputs]
        found = iter(derived.slopes(roots, inputs) if wrt else ())
        slopes = [[next(found) for _ in block.inputs] for block, _, _ in wrt]
        for at, entries in wanted.ties.items():
            for other, to, of in entries:
                slopes[at][to] = slopes[other][of]
        for (_, name, by_rows), xs in zip(wrt, slopes):
            results += [NumberResult(x, name, i, len(xs), by_rows, turn) for i, x in enumerate(xs)]
    return results


def _wishes(derived: Derived) -> dict[Any, str]:
    """Names to wish for: z1 for a layer with weights W1, a1 for what is made of it alone."""
    named: dict[Any, str] = {}
    found: dict[Any, str] = {}
    for vector in derived.rolled.vectors:
        named[vector] = name_of(vector, lambda source: named.get(source, ""))
        sources = derived.now[vector].sources
        if named[vector] and len(sources) == 1:
            found.setdefault(sources[0], named[vector])
    return found
