"""Programs as machine code: C that a compiler makes a library of, called with arrays.   (floor 3)

Arithmetic in C is total by itself, so that one text serves: a slope of 0 sends 0 whatever it meets,
and nothing is run twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from . import machine
from .calling import Called, adapters
from .dialects.c import MACHINE
from .emitters.frame import Source, file_of
from .emitters.functions import Wanted, function_of
from .program import Program, outline

LINES = 1_000, 20_000  # steps of a function in lines for which it is told to do less, and least


class Made(NamedTuple):
    """A function in C, the library of it and what calls it, and how that is to be compiled."""

    source: Source
    text: str
    level: str


_made: WeakKeyDictionary[Program, dict[Any, Made]] = WeakKeyDictionary()


def made_of(program: Program, kind: str, reduce: str | None) -> Made:
    """The same as `source_of`, written once for a program."""
    found = _made.setdefault(program, {})
    if (kind, reduce) not in found:
        found[kind, reduce] = source_of(program, kind, reduce)
    return found[kind, reduce]


def source_of(program: Program, kind: str, reduce: str | None, name: str = "") -> Made:
    """The source of a function of a program's blocks: of its value, its value and slopes, or values
    and the slopes of each.
    """
    names = MACHINE.names()
    name_of = {block: names.take(block.name, "v") for block in program.blocks}
    slopes = [names.take(f"d{name_of[block]}", "slopes") for block in program.wrt]
    out = names.take("result")
    wanted = Wanted(program, kind, reduce, name_of, slopes, out)
    made = function_of(MACHINE, name or kind, wanted)
    text = file_of([source := made.source()], adapters([source]))
    count = 0 if made.in_tiles else len(made.vectors)
    level = "-O2" if count < LINES[0] else "-O1" if count < LINES[1] else "-O0"
    return Made(source, text, level)


class NativeFunction(Called):
    """A program as machine code; `source` is the C that runs."""

    def __init__(self, program: Program, name: str, kind: str, reduce: str | None) -> None:
        machine.check()
        made = made_of(program, kind, reduce)
        self.source = made.text
        mark = _mark(program, kind, reduce)
        function = machine.function(self.source, f"call_{made.source.name}", made.level, mark)
        super().__init__(function, made.source.work, program, kind, reduce)


def has_code(program: Program, kind: str, reduce: str | None) -> bool:
    """Whether there is machine code already for such a function."""
    if not machine.may_be_made(mark := _mark(program, kind, reduce)):
        return False
    made = made_of(program, kind, reduce)
    return machine.is_made(made.text, made.level, mark)


def _mark(program: Program, kind: str, reduce: str | None) -> str:
    return machine.marked(outline(program), kind, reduce)
