"""Pieces of C: names, tables of constants, loops, and lines with what they use.   (floor 3)"""

from __future__ import annotations

import textwrap
from typing import NamedTuple

import numpy

from ..dialects.c import RESERVED, helpers, literal
from ..naming import Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    Loop = tuple[str, int | str]  # a variable, and how often

INDENT = "    "
LARGE = 12_000  # characters of a file that takes long to compile with all that a compiler knows


class Piece:
    """Some lines, the names they use from outside, and how much there is in them for a compiler to do."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.uses: dict[str, None] = {}
        self.calls: set[str] = set()
        self.weight = 0

    def add(self, loops: Sequence[Loop], lines: Iterable[str]) -> None:
        """Put lines into loops, none of them where a loop would run once."""
        loops = [(variable, count) for variable, count in loops if count != 1]
        inner = [*lines]
        self.weight += len(inner) + 2 * len(loops)
        depth = len(loops)
        for level, (variable, count) in enumerate(loops):
            is_last = level == depth - 1
            brace = " {" if not is_last or len(inner) > 1 or inner[0].startswith("for ") else ""
            head = f"for (long {variable} = 0; {variable} < {count}; {variable}++){brace}"
            self.lines.append(INDENT * level + head)
        self.lines += [INDENT * depth + line for line in inner]
        for level in reversed(range(depth)):
            if level < depth - 1 or len(inner) > 1 or inner[0].startswith("for "):
                self.lines.append(INDENT * level + "}")


class Source(NamedTuple):
    """A function in C: its name and text, with the functions it is made of, the helpers it calls, and the room it needs to work in."""

    name: str
    body: str
    calls: frozenset[str]
    work: int

    @property
    def level(self) -> str:
        """How much a compiler is to make of it: all that it knows takes long."""
        return "-O3" if len(self.text) < LARGE else "-O2"

    @property
    def text(self) -> str:
        """A whole file."""
        return together([self])


def together(sources: Sequence[Source]) -> str:
    """One file of several functions, which share their helpers."""
    calls = {call for source in sources for call in source.calls}
    parts = [
        "#include <math.h>\n#include <stdint.h>",
        helpers(calls),
        *[source.body for source in sources],
    ]
    return "\n\n".join([part for part in parts if part]) + "\n"


def function_text(head: str, lines: Iterable[str]) -> str:
    """A function around its lines."""
    body = "\n".join([INDENT + line if line else line for line in lines])
    return f"{wrapped(head)}\n{{\n{body}\n}}"


def wrapped(head: str) -> str:
    """A head of a function in lines that are not too long."""
    if len(head) <= 100:
        return head
    return "\n".join(textwrap.wrap(head, 96, subsequent_indent=INDENT * 2, break_long_words=False))


class Tables:
    """Constants that the source reads by their place in an array of their own."""

    def __init__(self, names: Names, prefix: str) -> None:
        self.names, self.prefix = names, prefix
        self.lines: list[str] = []
        self._known: dict[Any, str] = {}

    def table(self, array: Any) -> str:
        """The name of the table of some numbers, or of some places."""
        is_index = array.dtype.kind == "i"
        key = is_index, array.tobytes()
        if key not in self._known:
            name = self._known[key] = self.names.take("", f"{self.prefix}_table")
            items = array.ravel().tolist()
            listed = ", ".join(map(str, items) if is_index else map(literal, items))
            head = f"static const {'int' if is_index else 'double'} {name}[] = {{"
            if len(head) + len(listed) < 98:
                self.lines.append(f"{head}{listed}}};")
            else:
                wrapped = textwrap.wrap(listed, 96, break_long_words=False, break_on_hyphens=False)
                self.lines += [head, *[INDENT + line for line in wrapped], "};"]
        return self._known[key]

    def number(self, data: Any, flat: str) -> str:
        """Constants as text: a literal where all are the same, else what stands in a table at a place."""
        first = data.flat[0]
        if data.tobytes() == numpy.full_like(data, first).tobytes():
            return literal(float(first))
        return f"{self.table(data)}[{flat}]"


def new_names() -> Names:
    """Names for a source in C."""
    return Names(RESERVED)
