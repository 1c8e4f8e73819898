"""What stands around loops in C: the parameters, the loop over tiles of rows, functions of bounded size, the room to work in.   (floor 3)"""

from __future__ import annotations

from ..program import Block
from .c_text import INDENT, Piece, Source, Tables, function_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from ..naming import Names

BEFORE, INSIDE, AFTER = range(3)  # of the loop over tiles
LARGEST_PART = 400  # lines, about, of a function
WIDE = 32  # numbers of a row of data that products read where they stand
LARGE = 1024  # numbers of a matrix that is worth a copy in a better place
STEP = 16  # rows that products take at once
INPUT, OUTPUT = "const double *restrict ", "double *restrict "


class Body:
    """Lines of a function, the functions they call, and what they use from outside."""

    def __init__(self, functions: list[str], lines: list[str], uses: set[str]) -> None:
        self.functions, self.lines, self.uses = functions, lines, uses


class Signature:
    """The parameters of a function of blocks: `moving` blocks are trained, and come by reference even where they are numbers.

    With `order`, rows of data are taken in the order of an array.
    """

    name: str
    blocks: Sequence[Block]
    results: Sequence[Any]
    name_of: dict[Any, str]
    has_rows: bool
    moving: Collection[Block] = ()
    order = False

    def is_number(self, block: Block) -> bool:
        """Whether a block is handed over as a number."""
        return not block.shape and not block.has_rows and block not in self.moving

    def arguments(self) -> list[tuple[str, str]]:
        """The parameters of the function: their types and names."""
        found = [
            ("double " if self.is_number(block) else INPUT, self.name_of[block])
            for block in self.blocks
        ]
        if self.has_rows:
            found.append(("long ", "rows"))
        names = dict.fromkeys([result.name for result in self.results])
        return [*found, *[(OUTPUT, name) for name in names], (OUTPUT, "work")]

    def kinds(self) -> dict[str, str]:
        """The types of what parts of the function are handed."""
        return {
            **{name: kind for kind, name in self.arguments()},
            "first": "long ", "n": "long ", "wide": "long ", "r": "long ", "q": "long ", "share": "double ", "order": "const long *restrict ",
        }  # fmt: skip

    def function(
        self, body: Body, room: int, calls: Collection[str], tables: Sequence[str] = ()
    ) -> Source:
        """The function around its body."""
        arguments = self.arguments()
        head = f"void {self.name}({', '.join(kind + name for kind, name in arguments)})"
        uses = body.uses | ({"rows"} if "share" in body.uses else set())
        lines = [f"(void){name};" for _, name in arguments if name not in uses]
        if "share" in uses:
            lines.append("const double share = 1.0 / (double)rows;")
        parts = ["\n".join(tables), *body.functions, function_text(head, [*lines, *body.lines])]
        text = "\n\n".join([part for part in parts if part])
        return Source(self.name, text, frozenset(calls), max(8, room))


class Frame(Signature):
    """Pieces of loops by stage, and the arrays to work in."""

    names: Names
    tables: Tables
    tile: int

    def __init__(self) -> None:
        self.arrays: dict[str, int] = {}  # how many numbers each has
        self.pieces: tuple[list[Piece], ...] = ([], [], [])
        self.large: dict[
            Block, str
        ] = {}  # blocks without rows that are worth a copy in a better place
        self.extra_calls: set[str] = set()
        self.tile_rows: dict[Block, str] = {}  # data as it stands, from the first row of a tile on

    def rows_of(self, piece: Piece, block: Block) -> str:
        """The name of the rows of data of a tile, which a piece uses."""
        if block not in self.tile_rows:
            name = self.tile_rows[block] = self.names.take(f"{self.name_of[block]}_r", "rows")
            if self.order or len(block.inputs) >= WIDE:
                self.arrays[name] = len(block.inputs) * self.tile
        piece.uses |= {self.tile_rows[block]: None, "n": None}
        return self.tile_rows[block]

    def placed_of(self, piece: Piece, block: Block) -> str:
        """The name of a block without rows for products, which read a large one many times."""
        if self.is_number(block) or len(block.inputs) < LARGE:
            piece.uses[self.name_of[block]] = None
            return self.name_of[block]
        if block not in self.large:
            name = self.large[block] = self.names.take(f"{self.name_of[block]}_a", "placed")
            self.arrays[name] = len(block.inputs)
        piece.uses[self.large[block]] = None
        return self.large[block]

    def offsets(self) -> tuple[dict[str, int], int]:
        """Where each array begins in the room to work in, and how large that is."""
        found, end = {}, 0
        for name, size in self.arrays.items():
            found[name] = end
            end += -(-size // 8) * 8
        return found, end

    def body(self) -> Body:
        """The lines of all stages."""
        functions: list[str] = []
        before, inside, after = [self._parts(stage, functions) for stage in range(3)]
        uses = {name for stage in self.pieces for piece in stage for name in piece.uses}
        offsets, _ = self.offsets()
        lines = []
        for block, name in self.large.items():
            self.extra_calls.add("placed")
            data, size = self.name_of[block], len(block.inputs)
            uses.add(data)
            lines.append(f"{INPUT}{name} = placed({size}, {data}, work + {offsets[name]});")
        lines += before
        if inside:
            uses.add("rows")
            head = []
            if not uses.isdisjoint({"n", "wide"}):
                head = [f"const long n = rows - first < {self.tile} ? rows - first : {self.tile};"]
            if "wide" in uses:
                head.append(f"const long wide = (n + {STEP - 1}) / {STEP} * {STEP};")
            inside = [INDENT + line for line in [*head, *self._tile_rows(uses), *inside]]
            lines = [
                *lines,
                f"for (long first = 0; first < rows; first += {self.tile}) {{",
                *inside,
                "}",
            ]
        if not uses.isdisjoint(self.arrays):
            uses.add("work")
        return Body(functions, [*lines, *after], uses)

    def _tile_rows(self, uses: set[str]) -> list[str]:
        """The lines that find the rows of data of a tile."""
        lines = []
        offsets, _ = self.offsets()
        for block, name in self.tile_rows.items():
            data, width = self.name_of[block], len(block.inputs)
            uses |= {data, "first"}
            first = f"{data} + first{f' * {width}' if width > 1 else ''}"
            if not self.order and name in offsets:
                self.extra_calls.add("placed")
                lines.append(
                    f"{INPUT}{name} = placed(n * {width}, {first}, work + {offsets[name]});"
                )
                continue
            if not self.order:
                lines.append(f"{INPUT}{name} = {first};")
                continue
            uses.add("order")
            at = f"{name}[r * {width} + i] = {data}[order[first + r] * {width} + i];"
            lines += [
                f"double *restrict {name} = work + {offsets[name]};", "for (long r = 0; r < n; r++)",
                f"    for (long i = 0; i < {width}; i++)", f"        {at}",
            ]  # fmt: skip
        return lines

    def _parts(self, stage: int, functions: list[str]) -> list[str]:
        """The lines of a stage; in functions of their own where they are many."""
        groups: list[list[Piece]] = []
        room = 0
        for piece in self.pieces[stage]:
            if not groups or room + piece.weight > LARGEST_PART:
                groups.append([])
                room = 0
            groups[-1].append(piece)
            room += piece.weight
        offsets, _ = self.offsets()
        outside = {*self.tile_rows.values(), *self.large.values()}
        kinds = {**self.kinds(), **dict.fromkeys(outside, INPUT)}
        calls = []
        for group in groups:
            uses = dict.fromkeys([name for piece in group for name in piece.uses])
            own = [name for name in uses if name in offsets and name not in outside]
            names = [f"double *restrict {name} = work + {offsets[name]};" for name in own]
            lines = [*names, *[line for piece in group for line in piece.lines]]
            if len(groups) == 1:
                if stage == INSIDE:
                    return lines
                return ["{", *[INDENT + line for line in lines], "}"] if names else lines
            given = [name for name in uses if name not in own] + (["work"] if own else [])
            part = self.names.take("", f"{self.name}_part")
            head = f"static void {part}({', '.join(kinds[name] + name for name in given)})"
            functions.append(function_text(head, lines))
            calls.append(f"{part}({', '.join(given)});")
        return calls

    def all_calls(self) -> set[str]:
        """The helpers that are called."""
        called = {call for stage in self.pieces for piece in stage for call in piece.calls}
        return called | self.extra_calls

    def room_to_work(self) -> int:
        """How many numbers all arrays hold."""
        return self.offsets()[1]

    def source(self) -> Source:
        """The function as text."""
        body = self.body()
        return self.function(body, self.room_to_work(), self.all_calls(), self.tables.lines)
