"""Programs as machine code: C that a compiler makes a library of, called with arrays.   (floor 3)

Arithmetic in C is total by itself, so that one text serves: a slope of 0 sends 0 whatever it meets, and nothing is run twice.
"""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

from . import machine
from .calling import Called, adapter
from .derive import DerivedSteps
from .derive_rolled import ROW_SHARE, ROWS, Derived, Root, constant, live, whole
from .dialects.c import RESERVED
from .emitters.c import Function, Result
from .emitters.c_lines import LineFunction, NumberResult
from .lower import OVER_ROWS, line_of
from .naming import Names
from .program import Constant, operations
from .roll import Numbers, View, has_pattern, rolled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .emitters.c_text import Source
    from .program import Program
    from .roll import Rolled

FEW = 400  # operations of a program without rows that is written out in lines
MEAN, NOT_ROWS = line_of("x / y"), line_of("x * y")


class Made(NamedTuple):
    """A function in C, and how it is to be compiled."""

    source: Source
    level: str

    def library(self, program: Program, kind: str) -> str:
        """The text of a library, with what calls the function."""
        return self.source.text + adapter(
            self.source, program, len(program.wrt) * (kind != "value")
        )


_made: WeakKeyDictionary[Program, dict[Any, Made]] = WeakKeyDictionary()


def made_of(program: Program, kind: str, reduce: str | None) -> Made:
    """What `source_of` gives, written once for a program."""
    found = _made.setdefault(program, {})
    if (kind, reduce) not in found:
        found[kind, reduce] = source_of(program, kind, reduce)
    return found[kind, reduce]


def source_of(program: Program, kind: str, reduce: str | None, name: str = "") -> Made:
    """The source of a function of a program's blocks: of its value, its value and slopes, or values and the slopes of each."""
    blocks = program.blocks
    names = Names(RESERVED)
    called = name or kind
    name_of: dict[Any, str] = {block: names.take(block.name, "v") for block in blocks}
    if not has_pattern(program) or (
        operations(program) < FEW and not any(block.has_rows for block in blocks)
    ):
        return _in_lines(program, kind, reduce, called, name_of, names)
    made = rolled(program)
    wrt = [block for block in blocks if block.wrt] if kind != "value" else []
    slope_names = [names.take(f"d{name_of[block]}", "slopes") for block in wrt]
    results = results_of(derived := derivation(made, reduce), kind, reduce, slope_names)
    function = Function(
        called, blocks, live(derived.vectors, [r.view for r in results]), results, name_of
    )
    source = function.source()
    return Made(source, source.level)


def derivation(made: Rolled, reduce: str | None) -> Derived:
    """The lines of a rolled program, to which slopes can be added; with rows and `reduce=None` those of each row."""
    return Derived(made, reduce is None and any(block.has_rows for block in made.blocks))


def results_of(
    derived: Derived, kind: str, reduce: str | None, slope_names: Sequence[str], value: str = "out"
) -> list[Result]:
    """What a function of that kind gives: its values first, then the slopes by each block."""
    made, per_row = derived.rolled, derived.per_row
    has_rows = any(block.has_rows for block in made.blocks)
    outputs = [derived.output(source, place) for source, place in made.outputs]
    if has_rows and not per_row:
        outputs = [_reduced(derived, view, reduce) for view in outputs]
    results = [Result(view, value, per_row, (i,)) for i, view in enumerate(outputs)]
    if kind != "value":
        wrt = [block for block in made.blocks if block.wrt]
        for turns, numbers in _turns(made, kind, reduce, has_rows, per_row):
            for block, name, view in zip(wrt, slope_names, derived.slopes(turns, wrt)):
                by_rows = has_rows and (block.has_rows or per_row)
                results.append(Result(view, name, by_rows, numbers))
    return results


def _in_lines(
    program: Program,
    kind: str,
    reduce: str | None,
    called: str,
    name_of: dict[Any, str],
    names: Names,
) -> Made:
    """The source of a program of single numbers."""
    has_rows = any(block.has_rows for block in program.blocks)
    per_row = has_rows and reduce is None
    derived = DerivedSteps(program, per_row)
    carriers, one = program.with_rows(), Constant(1.0)
    results = []
    wrt = [block for block in program.blocks if block.wrt] if kind != "value" else []
    slope_names = [names.take(f"d{name_of[block]}", "slopes") for block in wrt]
    for turn, output in enumerate(program.outputs):
        x: Any = derived.of(output)
        seed: Any = one
        if has_rows and not per_row:
            carried = output in carriers
            if reduce == "mean" and carried:
                x, seed = derived.put(MEAN, (derived.put(OVER_ROWS, (x,)), ROWS)), ROW_SHARE
            elif reduce == "sum":
                seed = seed if carried else ROWS
                x = derived.put(OVER_ROWS, (x,)) if carried else derived.put(NOT_ROWS, (x, ROWS))
        results.append(NumberResult(x, "out", 0, 1, per_row, turn))
        if wrt:
            inputs = [x for block in wrt for x in block.inputs]
            found = iter(
                derived.slopes([] if output.__class__ is Constant else [(output, seed)], inputs)
            )
            for block, name in zip(wrt, slope_names):
                by_rows = has_rows and (block.has_rows or per_row)
                results += [
                    NumberResult(next(found), name, place, len(block.inputs), by_rows, turn)
                    for place in range(len(block.inputs))
                ]
    function = LineFunction(called, program.blocks, results, name_of)
    count = len(function.steps)
    level = "-O2" if count < 2000 else "-O1" if count < 20000 else "-O0"
    return Made(function.source(), level)


def _reduced(derived: Derived, view: View, reduce: str | None) -> View:
    """The sum or mean over the rows."""
    carried = any(source.has_rows for source in view.sources)
    if reduce == "mean":
        return (
            derived.put(MEAN, (derived.put(OVER_ROWS, (view,), 1), whole(ROWS)), 1)
            if carried
            else view
        )
    return (
        derived.put(OVER_ROWS, (view,), 1)
        if carried
        else derived.put(NOT_ROWS, (view, whole(ROWS)), 1)
    )


def _turns(
    made: Any, kind: str, reduce: str | None, has_rows: bool, per_row: bool
) -> list[tuple[list[list[Root]], list[int]]]:
    """The roots of each walk back: all outputs of a vector take turns in one."""
    groups: dict[Any, tuple[list[list[Root]], list[int]]] = {}
    for number, (source, place) in enumerate(made.outputs):
        if isinstance(source, Numbers):
            groups[number] = [[]], [number]
            continue
        carried = source.has_rows
        seed = constant(1.0)
        if has_rows and not per_row:
            if reduce == "mean" and carried:
                seed = whole(ROW_SHARE)
            if reduce == "sum" and not carried:
                seed = whole(ROWS)
        turns, numbers = groups.setdefault(source, ([], []))
        turns.append([Root(source, place, seed)])
        numbers.append(number)
    return list(groups.values())


class NativeFunction(Called):
    """A program as machine code; `source` is the C that runs."""

    def __init__(self, program: Program, name: str, kind: str, reduce: str | None) -> None:
        machine.check()
        made = made_of(program, kind, reduce)
        self.source = made.source.text
        text = made.library(program, kind)
        function = machine.function(text, f"call_{made.source.name}", made.level)
        super().__init__(function, made.source.work, program, kind, reduce)


def has_code(program: Program, kind: str, reduce: str | None) -> bool:
    """Whether there is machine code already for such a function."""
    made = made_of(program, kind, reduce)
    return machine.is_made(made.library(program, kind), made.level)
