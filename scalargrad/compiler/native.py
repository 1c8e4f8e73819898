"""Programs as machine code: C that a compiler makes a library of, called with arrays.   (floor 3)

Arithmetic in C is total by itself, so that one text serves: a slope of 0 sends 0 whatever it meets,
and nothing is run twice.
"""

from __future__ import annotations

from typing import NamedTuple

from . import machine
from .calling import Called, adapters, room_of
from .program import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .emitters.frame import Source

LINES = 1_000, 20_000  # steps of a function in lines for which it is told to do less, and least

BLOCKS = 128  # for more a compiler is told to do least: it takes seconds over their places alone


class Made(NamedTuple):
    """A function in C, the library of it and what calls it, and how that is to be compiled."""

    source: Source
    text: str
    level: str


def source_of(program: Program, kind: str, reduce: str | None, name: str = "") -> Made:
    """The source of a function of a program's blocks: of its value, its value and slopes, or values
    and the slopes of each.
    """
    from .dialects.c import MACHINE
    from .emitters.frame import file_of
    from .emitters.functions import Wanted, function_of

    names = MACHINE.names()
    name_of = {block: names.take(block.name, "v") for block in program.blocks}
    slopes = [names.take(f"d{name_of[block]}", "slopes") for block in program.wrt]
    out = names.take("result")
    wanted = Wanted(program, kind, reduce, name_of, slopes, out)
    made = function_of(MACHINE, name or kind, wanted)
    text = file_of([source := made.source()], adapters([source]))
    count = 0 if made.in_tiles else len(made.vectors)
    level = "-O2" if count < LINES[0] else "-O1" if count < LINES[1] else "-O0"
    level = level if len(program.blocks) <= BLOCKS else "-O0"
    return Made(source, text, level)


class NativeFunction(Called):
    """A program as machine code."""

    def __init__(self, program: Program, name: str, kind: str, reduce: str | None) -> None:
        self._given = program, kind, reduce
        library = machine.library(_key(*self._given), lambda: source_of(*self._given)[1:])
        function, size = getattr(library, f"call_{kind}"), room_of(library, kind)
        super().__init__(function, size, *self._given)

    @property
    def source(self) -> str:
        """The C that runs."""
        return source_of(*self._given).text


def has_code(program: Program, kind: str, reduce: str | None) -> bool:
    """Whether there is machine code already for such a function."""
    return machine.is_made(_key(program, kind, reduce))


def _key(program: Program, kind: str, reduce: str | None) -> str:
    return repr((program.digest, kind, reduce))
