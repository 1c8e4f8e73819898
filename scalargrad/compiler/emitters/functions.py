"""The function of a program in a language: of its value, its value and slopes, or values and the slopes of each.   (floor 3)"""

from __future__ import annotations

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

    # by the number of a block: entries that are one parameter with others: the other block, their place, that there
    Ties = Mapping[int, Sequence[tuple[int, int, int]]]

FEW = 400  # operations of a program without rows that machine code has in lines
MANY, EACH = 20_000, 20  # or with few operations for each vector; for all outputs of a Jacobian


def function_of(
    dialect: Dialect, program: Program, kind: str, reduce: str | None, name: str, name_of: Mapping[Any, str],
    slope_names: Sequence[str], out: str, in_rows: bool = False, ties: Ties | None = None, **options: Any,
) -> Frame:  # fmt: skip
    """A function that fills arrays of these names, and returns its value where that is one number.

    With `in_rows` the outputs of a row stand together, else those of all rows.
    """
    has_rows = any(block.has_rows for block in program.blocks)
    per_row = has_rows and reduce is None
    wrt = program.wrt if kind != "value" else []
    options["returns"] = len(program.outputs) == 1 and not per_row and not in_rows
    is_small = dialect.in_blocks and not has_rows and _is_small(program)
    given: Any = program, reduce, wrt, slope_names, out, per_row, in_rows, ties or {}
    if is_small or not has_pattern(program):
        found = _in_lines(*given)
        return LineFunction(dialect, name, program.blocks, found, name_of, **options)
    derived, results = _in_vectors(*given)
    options["wishes"] = _wishes(derived)
    return Function(
        dialect, name, program.blocks, derived.vectors, results, name_of, **options
    )  # fmt: skip


def _is_small(program: Program) -> bool:
    """Whether lines are soon compiled, and run as fast as loops, or faster."""
    count = operations(program)
    if count < FEW or count * len(program.outputs) > MANY:
        return count < FEW
    return has_pattern(program) and count < EACH * len(rolled(program).vectors)


def _in_vectors(
    program: Program, reduce: str | None, wrt: Sequence[Block], slope_names: Sequence[str], out: str, per_row: bool,
    in_rows: bool, ties: Ties,
) -> tuple[Derived, list[Result]]:  # fmt: skip
    """The program in vectors, the slopes behind it, and what goes where."""
    made = rolled(program)
    derived = Derived(made, per_row)
    has_rows = any(block.has_rows for block in made.blocks)
    outputs, seeds = outputs_of(derived, reduce if has_rows and not per_row else None)
    turns: Sequence[int] = (0,) if in_rows else range(len(outputs))
    results = [Result(beside(outputs), out, per_row, turns)]
    for roots, numbers in turns_of(made, seeds) if wrt else ():
        views = _tied(derived.slopes(roots, wrt), ties, len(roots))
        for block, name, view in zip(wrt, slope_names, views):
            by_rows = has_rows and (block.has_rows or per_row)
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


def _in_lines(
    program: Program, reduce: str | None, wrt: Sequence[Block], slope_names: Sequence[str], out: str, per_row: bool,
    in_rows: bool, ties: Ties,
) -> list[NumberResult]:  # fmt: skip
    """What goes where, of a program of single numbers."""
    has_rows = any(block.has_rows for block in program.blocks)
    derived = DerivedSteps(program, per_row)
    carriers, one = program.with_rows(), Constant(1.0)
    results: list[NumberResult] = []
    for turn, output in enumerate(program.outputs):
        x, seed = derived.of(output), None
        if has_rows and not per_row:
            put = lambda line, *xs: derived.put(line, xs)  # noqa: E731
            x, seed = reduced(put, x, output in carriers, reduce)
        place: Any = (turn, len(program.outputs), per_row) if in_rows else (0, 1, per_row, turn)
        results.insert(turn, NumberResult(x, out, *place))
        roots = [] if output.__class__ is Constant else [(output, seed or one)]
        found = iter(
            derived.slopes(roots, [x for block in wrt for x in block.inputs]) if wrt else ()
        )
        slopes = [[next(found) for _ in block.inputs] for block in wrt]
        for at, entries in ties.items():
            for other, to, of in entries:
                slopes[at][to] = slopes[other][of]
        for block, name, xs in zip(wrt, slope_names, slopes):
            by_rows = has_rows and (block.has_rows or per_row)
            results += [NumberResult(x, name, i, len(xs), by_rows, turn) for i, x in enumerate(xs)]
    return results


def _wishes(derived: Derived) -> dict[Any, str]:
    """What to call vectors: z1 for a layer with weights W1, a1 for what is made of it alone."""
    named: dict[Any, str] = {}
    found: dict[Any, str] = {}
    for vector in derived.rolled.vectors:
        named[vector] = name_of(vector, lambda source: named.get(source, ""))
        sources = derived.now[vector].sources
        if named[vector] and len(sources) == 1:
            found.setdefault(sources[0], named[vector])
    return found
