"""A function around its lines: parameters, loop over rows, parts, room to work in.   (floor 3)

A function is made of pieces, each some lines with the names that they use. They stand before the
loop over the rows of data, in it, or behind it. Where there are many, they go into functions of
their own, which hand numbers on in one array.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any, NamedTuple

import numpy

from ..dialects.c import MACHINE, Dialect
from ..dialects.text import broken
from ..lower import ROWS, Given
from ..naming import Names
from ..program import Block

Loop = tuple[str, int | str]  # a variable, and how often

BEFORE, INSIDE, AFTER, END = range(4)  # of the loop over rows; what the function returns
STEP = 16  # rows that products take at once
LARGEST_PART = 400  # lines, about, of a function


class Piece:
    """Some lines, and the names that they use from outside."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.uses: dict[str, None] = {}


class Source(NamedTuple):
    """A function as text, the helpers and names it uses, and how many numbers it needs room for."""

    name: str
    parameters: list[tuple[str, str]]  # kinds and names
    returns: bool
    text: str
    calls: frozenset[str]
    work: int
    uses: frozenset[str] = frozenset()


class Tables:
    """Constants of a file: tables of numbers and of places."""

    def __init__(self, dialect: Dialect, names: Names, wish: str = "table") -> None:
        self.dialect, self.names, self.wish = dialect, names, wish
        self.written: dict[str, list[str]] = {}  # the lines of each
        self._known: dict[Any, str] = {}

    def of(self, array: Any, taken: Collection[str]) -> str:
        """The name of the table of an array, which is none of those that are taken."""
        key = array.dtype.kind, array.tobytes()
        if key not in self._known:
            name = self.names.take("", self.wish)
            while name in taken:
                name = self.names.take("", self.wish)
            self.put(name, array)
            self._known[key] = name
        return self._known[key]

    def put(self, name: str, array: Any) -> None:
        """Write an array under a name."""
        is_index = array.dtype.kind == "i"
        items = [*map(str if is_index else self.dialect.literal, array.ravel().tolist())]
        self.written[name] = self.dialect.table(name, items, is_index)

    @property
    def lines(self) -> list[str]:
        return [line for table in self.written.values() for line in table]


class Frame:
    """A function of blocks in the making.

    `constants` are blocks whose numbers stand in the file, `moving` those that come as arrays even
    where they are numbers. With `returns` the first result is returned; all others go to arrays of
    the caller.
    """

    def __init__(
        self, dialect: Dialect, name: str, blocks: Sequence[Block], results: Sequence[Any],
        names: Mapping[Any, str], *, tables: Tables | None = None,
        constants: Collection[Block] = (), moving: Collection[Block] = (),
        returns: bool = False,
    ) -> None:  # fmt: skip
        self.dialect, self.name, self.blocks = dialect, name, blocks
        self.constants, self.moving = constants, moving
        self.returned = results[0] if returns else None
        self.results = results[1:] if returns else results
        self.has_rows = any(block.has_rows for block in blocks)
        self.names = dialect.names()
        self.has_tables = tables is None  # of its own
        self.tables = tables or Tables(dialect, dialect.names(), f"{name}_table")
        self.names.taken |= {*names.values(), *(result.name for result in results)}
        self.names.taken |= self.tables.names.taken
        self.name_of: dict[Any, str] = dict(names)
        self.tile = 1  # rows that are taken at once
        self.arrays: dict[str, int] = {}  # how many numbers each has
        self.in_parts = False
        self.calls: set[str] = set()
        self.pieces: tuple[list[Piece], ...] = ([], [], [], [])
        self.stage, self.piece = BEFORE, Piece()  # which is being written
        self.uses: set[str] = set()

    def is_number(self, source: Any) -> bool:
        """Whether a block is handed over as a number."""
        is_given = source not in self.constants and source not in self.moving
        return is_given and not source.shape and not source.has_rows

    # -------------------------------------------------------------- lines

    @contextmanager
    def piece_of(self, stage: int, first: bool = False) -> Iterator[None]:
        """Lines written in here are a piece of their own, behind all others or in front of them."""
        before = self.stage, self.piece
        self.stage, self.piece = stage, Piece()
        yield
        self.pieces[stage].insert(0 if first else len(self.pieces[stage]), self.piece)
        self.stage, self.piece = before

    def put(self, loops: Sequence[Loop], lines: Sequence[str]) -> None:
        """Add lines in loops."""
        self.piece.lines += self.in_loops(loops, lines)

    def in_loops(self, loops: Sequence[Loop], lines: Sequence[str]) -> list[str]:
        """Lines in loops, with braces where they need them; none of them in one that runs once."""
        if not loops:
            return [*lines]
        inner, (variable, count) = self.in_loops(loops[1:], lines), loops[0]
        if count == 1:
            return inner
        brace = len(inner) > 1
        head = self.dialect.loop(variable, count) + " {" * brace
        return [head, *[self.dialect.indent + line for line in inner], *["}"] * brace]

    def use(self, name: str) -> str:
        """A name that the piece uses."""
        self.piece.uses[name] = None
        return name

    def known(self, source: Given) -> str:
        """A number that is known when the function is called."""
        self.use("n" if source is ROWS else source.name)
        return self.dialect.rows if source is ROWS else source.name

    def index_table(self, index: Any) -> str:
        """The table of some places."""
        return self.tables.of(index.astype(numpy.int32), self.names.taken)

    # -------------------------------------------------------------- parts

    def parameters(self) -> list[tuple[str, str]]:
        """The parameters: their kinds and names."""
        outputs = dict.fromkeys([result.name for result in self.results], "output")
        kinds = {"n": "count"} if self.has_rows else {}
        for block in self.blocks:
            if block not in self.constants:
                kind = "number" if self.is_number(block) else "input"
                kinds[self.name_of[block]] = outputs.get(self.name_of[block], kind)
        found = [(kind, name) for name, kind in {**kinds, **outputs}.items()]
        return [*found, ("room", "work")] if self.room > self.dialect.most_room else found

    @property
    def room(self) -> int:
        """The number of numbers that the arrays hold."""
        return sum(map(_rounded, self.arrays.values()))

    def _rooms(self) -> list[str]:
        """The lines that give each array its numbers: of its own, or in the room to work in."""
        if self.room <= self.dialect.most_room:
            return broken(self.dialect.arrays(self.arrays), "    ", ", ", 96) if self.arrays else []
        self.uses.add("work")
        ends = [0, *accumulate(map(_rounded, self.arrays.values()))]
        return [*map(self.dialect.array_at, self.arrays, ends)]

    def _groups(self, stage: int) -> list[Piece]:
        """The pieces of a stage, put together as long as they are not many lines."""
        groups: list[Piece] = []
        for piece in self.pieces[stage]:
            length = len(piece.lines) + (len(groups[-1].lines) if groups else 0)
            if not groups or (self.in_parts and length > LARGEST_PART):
                groups.append(Piece())
            groups[-1].lines += piece.lines
            groups[-1].uses |= piece.uses
        return groups

    def body(self) -> tuple[list[str], list[str]]:
        """Functions that are parts, and the lines of the function, which use the names `uses`."""
        pieces = [piece for stage in self.pieces for piece in stage]
        self.uses = {name for piece in pieces for name in piece.uses}
        kinds = {"share": "number", **dict.fromkeys(self.arrays, "output")}  # the rest are places
        kinds |= {name: kind for kind, name in self.parameters()}
        head, functions, staged = self._rooms(), list[str](), list[list[str]]()
        for groups in map(self._groups, (BEFORE, INSIDE, AFTER, END)):
            lines = [line for group in groups for line in group.lines] * (len(groups) < 2)
            for group in groups if len(groups) > 1 else ():
                part = self.names.take("", f"{self.name}_part")
                listed = [(kinds.get(name, "place"), name) for name in group.uses]
                functions.append(self.dialect.function("part", part, listed, group.lines))
                lines.append(f"{part}({', '.join(group.uses)});")
            staged.append(lines)
        before, inside, after, end = staged
        inside = self._over_rows(inside) if inside else []
        if "share" in self.uses:
            head.insert(0, self.dialect.constant("share", f"1.0 / {self.dialect.rows}"))
            self.uses.add("n")
        return functions, [*head, *before, *inside, *after, *end]

    def _over_rows(self, lines: Sequence[str]) -> list[str]:
        """Lines in the loop over rows: over single ones, or over tiles of some."""
        tile, head, lead = self.tile, self.dialect.loop("r", "n"), list[str]()
        if tile > 1:
            head = f"for (long first = 0; first < n; first += {tile})"
            if not self.uses.isdisjoint({"here", "wide"}):
                lead.append(f"const long here = n - first < {tile} ? n - first : {tile};")
            if "wide" in self.uses:
                lead.append(f"const long wide = (here + {STEP - 1}) / {STEP} * {STEP};")
        self.uses.add("n")
        return [f"{head} {{", *[self.dialect.indent + x for x in [*lead, *lines]], "}"]

    def source(self, kind: str = "nothing") -> Source:
        """The function as text; of a kind, where it returns nothing."""
        functions, lines = self.body()
        parameters = self.parameters()
        unused = self.dialect.unused(parameters, self.uses)
        kind = "number" if self.returned else kind
        whole = self.dialect.function(kind, self.name, parameters, [*unused, *lines])
        own = "\n".join(self.tables.lines * self.has_tables)
        text = "\n\n".join([x for x in [own, *functions, whole] if x])
        room = self.room if self.room > self.dialect.most_room else 0
        calls, uses = frozenset(self.calls), frozenset(self.uses)
        return Source(self.name, parameters, bool(self.returned), text, calls, room, uses)


def _rounded(size: int) -> int:
    """A size so that the next array begins where vector instructions read it fastest."""
    return -(-size // 8) * 8


def file_of(sources: Sequence[Source], others: Sequence[str] = ()) -> str:
    """A file in C of several functions, which share their helpers, and of what calls them."""
    calls = {call for source in sources for call in source.calls}
    head = "#include <math.h>\n#include <stdint.h>"
    rooms = "\n".join([f"const long room_of_{x.name} = {x.work};" for x in sources])
    texts = [head, MACHINE.helpers(calls), *[x.text for x in sources], *others, rooms]
    return "\n\n".join([text for text in texts if text]) + "\n"
