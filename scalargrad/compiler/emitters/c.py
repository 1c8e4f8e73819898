"""Rolled programs as C: a vector is an array, and a loop over its numbers computes it.   (floor 3)

Rows of data are taken in tiles of a fixed size. What carries rows is an array in which the numbers of a column stand side by side,
so that the innermost loop runs over rows and becomes vector instructions. Lines of one size share a loop, and numbers that nobody
else reads are no array. What carries no rows is computed before the tiles, or, where it needs sums over rows, behind them.
"""

from __future__ import annotations

import numpy

from ..derive_rolled import ROWS, Given, live
from ..dialects.c import text_of
from ..lower import DOT, OVER_ROWS, ROW_PRODUCTS, SHARES, SUM, Line
from ..program import Block
from ..roll import Numbers, Vector, View, has_rows, size_of
from ..strides import Strides, linear, nest_of
from .c_frame import AFTER, BEFORE, INSIDE, STEP
from .c_results import Result, Results
from .c_text import Piece, Tables, new_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

LONG = 4  # numbers in a loop that are worth vector instructions
LARGEST_LOOP = 40  # lines in a loop
TILES = 16, 64  # rows of a tile, at least and at most
CACHE = 12288  # numbers that the arrays of a tile hold, about
VARIABLES = "ijlm"


class Loop:
    """Lines that share a loop."""

    def __init__(self, key: tuple[Any, ...]) -> None:
        self.key = key
        self.vectors: list[Vector] = []


class Function(Results):
    """A function of blocks; `names` are those of the blocks and of the results."""

    def __init__(
        self,
        name: str,
        blocks: Sequence[Block],
        vectors: Sequence[Vector],
        results: Sequence[Result],
        names: dict[Any, str],
        hides: bool = True,
        moving: Collection[Block] = (),
        order: bool = False,
    ) -> None:
        super().__init__()
        self.name, self.blocks, self.results, self.hides = name, blocks, results, hides
        self.moving, self.order = moving, order
        self.vectors = live(vectors, [result.view for result in results])
        self.has_rows = any(block.has_rows for block in blocks)
        self.names = new_names()
        self.names.taken.update(names.values(), [result.name for result in results])
        self.name_of: dict[Any, str] = dict(names)
        self.tables = Tables(self.names, name)
        self.late: set[Any] = set()
        self._beside: dict[Any, Vector] = {}
        width = sum([v.size for v in self.vectors if v.has_rows])
        self.tile = max(TILES[0], min(TILES[1], CACHE // max(1, width) // STEP * STEP))
        self._scheduled()
        self._stored()
        for stage, items in enumerate(self.items):
            for item in items:
                self._item(stage, item)
        for result in results:
            self.put(result)

    # -------------------------------------------------------------- order

    def stage(self, vector: Vector) -> int:
        """Where a vector is computed."""
        carried = any(map(has_rows, vector.operands))
        if vector.has_rows or (carried and self.is_sum_of_rows(vector)):
            return INSIDE
        late = any(source in self.late for view in vector.operands for source in view.sources)
        return AFTER if late else BEFORE

    def is_sum_of_rows(self, vector: Vector) -> bool:
        """Whether a vector is summed over rows."""
        return vector.row in (OVER_ROWS, ROW_PRODUCTS)

    def _scheduled(self) -> None:
        """Put vectors in order, lines of one size together where what they read allows it."""
        self.items: tuple[list[Any], ...] = ([], [], [])
        self.stages: dict[Any, int] = {}
        self.place: dict[Any, int] = {}
        for vector in self.vectors:
            stage = self.stages[vector] = self.stage(vector)
            items, line = self.items[stage], vector.row
            if stage == AFTER or (stage == INSIDE and not vector.has_rows):
                self.late.add(vector)
            if not line.text:
                self.place[vector] = len(items)
                items.append(vector)
                continue
            carried = vector.has_rows
            is_wide = (carried or vector.size >= LONG) and text_of(line).is_wide
            key = vector.size, carried, is_wide
            least = 0
            for view in vector.operands:
                for source in view.sources:
                    if self.stages.get(source) == stage:
                        there = self.place[source]
                        joins = isinstance(items[there], Loop) and self._is_itself(view, source)
                        least = max(least, there + (not (joins and items[there].key == key)))
            at = next(
                (i for i in range(least, len(items)) if self._takes(items[i], key)), len(items)
            )
            if at == len(items):
                items.append(Loop(key))
            items[at].vectors.append(vector)
            self.place[vector] = at

    def _takes(self, item: Any, key: Any) -> bool:
        return isinstance(item, Loop) and item.key == key and len(item.vectors) < LARGEST_LOOP

    def _is_itself(self, view: View, source: Any) -> bool:
        """Whether a view is all of a source in order."""
        return len(view.sources) == 1 and view.index.ndim == 1 and self.is_whole(view)

    def is_whole(self, view: View) -> bool:
        """Whether a view looks at all of what it looks into, in order."""
        size = view.size
        return view.index.size == size and bool((view.index.ravel() == numpy.arange(size)).all())

    def _stored(self) -> None:
        """Give names to arrays: to what is read outside its own loop. A result that is a vector as it is has that's name."""
        placed: dict[Any, str] = {}
        self.placed: set[int] = set()  # results that need no copy
        for result in self.results:
            source = result.view.sources[0]
            is_plain = not result.by_rows and result.turns == (0,) and isinstance(source, Vector)
            is_plain = is_plain and not source.has_rows and self._is_itself(result.view, source)
            if is_plain and placed.setdefault(source, result.name) == result.name:
                self.placed.add(id(result))
        read: set[Any] = {source for result in self.results for source in result.view.sources}
        for vector in self.vectors:
            for view in vector.operands:
                for source in view.sources:
                    if not (source in self.place and self._in_one_loop(vector, source)):
                        read.add(source)
        self.is_stored = read
        for vector in self.vectors:
            if vector in placed:
                self.name_of[vector] = placed[vector]
                continue
            name = self.name_of[vector] = self.names.take(vector.label)
            if vector in read or not vector.row.text:
                self.arrays[name] = vector.size * (self.tile if vector.has_rows else 1)

    def _in_one_loop(self, vector: Vector, source: Any) -> bool:
        stage = self.stages[vector]
        item = self.items[stage][self.place[vector]]
        return (
            isinstance(item, Loop)
            and self.stages.get(source) == stage
            and self.place[source] == self.place[vector]
        )

    # -------------------------------------------------------------- what operands are called

    def piece(self, stage: int) -> Piece:
        """A new piece of a stage."""
        piece = Piece()
        self.pieces[stage].append(piece)
        return piece

    def use(self, piece: Piece, source: Any) -> str:
        """The name of a source's array, which a piece uses."""
        if isinstance(source, Given):
            piece.uses[source.name] = None
            return source.name
        if isinstance(source, Block) and source.has_rows:
            name = self.name_of[source]
            copied = f"{name}_t"
            if copied not in self.arrays:
                self._copied(source, copied)
            piece.uses[copied] = None
            return copied
        piece.uses[self.name_of[source]] = None
        return self.name_of[source]

    def _copied(self, block: Block, copied: str) -> None:
        """Put rows of data in columns."""
        self.names.taken.add(copied)
        width, tile = len(block.inputs), self.tile
        self.arrays[copied] = width * tile
        piece = Piece()
        piece.uses |= {copied: None}
        data = self.rows_of(piece, block)
        row = f"{data}[r * {width} + i]" if width > 1 else f"{data}[r]"
        at = f"{copied}[{linear(0, [(tile, 'i')])} + r]" if width > 1 else f"{copied}[r]"
        piece.add(
            [("i", width)],
            [f"for (long r = 0; r < {tile}; r++)", f"    {at} = r < n ? {row} : 0.0;"],
        )
        self.pieces[INSIDE].insert(0, piece)

    def beside(self, piece: Piece, stage: int, view: View) -> Any:
        """What a view of several sources looks into: one array of all, made once in a stage."""
        key = (
            stage,
            tuple(
                [source.data if isinstance(source, Numbers) else source for source in view.sources]
            ),
        )
        if key not in self._beside:
            carried = has_rows(view)
            vector = Vector(SUM, (), view.size, carried)
            name = self.name_of[vector] = self.names.take("", "all")
            self.arrays[name] = view.size * (self.tile if carried else 1)
            self._beside[key] = vector
            begin = 0
            copy = Piece()
            copy.uses[name] = None
            for source in view.sources:
                size = size_of(source)
                item = self.item(copy, stage, View((source,), numpy.arange(size)), (size,), "i")
                at = linear(begin, [(1, "i")] if size > 1 else [])
                at = (
                    f"{name}[{self.row_at(begin, [(1, 'i')] if size > 1 else [])}]"
                    if carried
                    else f"{name}[{at}]"
                )
                copy.add([("i", size), *self.rows(carried)], [f"{at} = {item};"])
                begin += size
            self.pieces[stage].append(copy)
        return self._beside[key]

    def rows(self, carried: bool) -> list[tuple[str, int | str]]:
        """The loop over the rows of a tile."""
        return [("r", self.tile)] if carried else []

    def row_at(self, first: int, terms: Sequence[tuple[int, str]]) -> str:
        """The place of row r of a number."""
        text = linear(first * self.tile, [(step * self.tile, name) for step, name in terms])
        return "r" if text == "0" else f"{text} + r"

    def looked(self, piece: Piece, stage: int, view: View) -> View:
        """A view of one source."""
        if len(view.sources) == 1:
            return view
        return View((self.beside(piece, stage, view),), view.index)

    def item(
        self, piece: Piece, stage: int, view: View, shape: tuple[int, ...], variables: str
    ) -> str:
        """The number of an operand where variables say, in loops of a shape; that of row r, where it carries rows."""
        source = view.sources[0]
        if len(view.sources) == 1 and isinstance(source, Numbers):
            data = numpy.array(source.data)[view.index.reshape(shape)]
            return self.tables.number(data, self._flat(shape, variables))
        view = self.looked(piece, stage, view)
        source = view.sources[0]
        if isinstance(source, Given):
            name = self.use(piece, source)
            return f"(double){name}" if source is ROWS else name
        if isinstance(source, Block) and self.is_number(source):
            return self.use(piece, source)
        name, at = self.place_of(piece, view, shape, variables)
        if source.has_rows:
            at = f"{at} + r" if at != "0" else "r"
        return f"{name}[{at}]"

    def place_of(
        self, piece: Piece, view: View, shape: tuple[int, ...], variables: str
    ) -> tuple[str, str]:
        """The array of a view of one source, and where in it a number stands, or its first row."""
        source, index = view.sources[0], view.index.reshape(shape)
        strides = Strides.of(index)
        if strides:
            first, terms = strides.first, list(zip(strides.steps, variables))
        else:
            table = self.tables.table(index.astype(numpy.int32))
            first, terms = 0, [(1, f"{table}[{self._flat(shape, variables)}]")]
        times = self.tile if source.has_rows else 1
        at = linear(first * times, [(step * times, name) for step, name in terms])
        return self.use(piece, source), at

    def _flat(self, shape: tuple[int, ...], variables: str) -> str:
        """The place in a table of so many axes."""
        terms, size = [], 1
        for n, variable in zip(reversed(shape), reversed(variables)):
            terms.append((size if n > 1 else 0, variable))
            size *= n
        return linear(0, reversed(terms))

    # -------------------------------------------------------------- lines

    def _item(self, stage: int, item: Any) -> None:
        if isinstance(item, Loop):
            self._loop(stage, item)
        elif item.row is OVER_ROWS:
            self.over_rows(stage, item)
        elif item.row is ROW_PRODUCTS:
            self.row_products(stage, item)
        elif item.row in (SUM, DOT, SHARES):
            self.added(stage, item)
        else:
            self.listed(stage, item)

    def _loop(self, stage: int, loop: Loop) -> None:
        """Lines in one loop over the numbers of their vectors, and over rows."""
        size, carried, is_wide = loop.key
        piece = Piece()
        own = set(loop.vectors)
        views = [v for vector in loop.vectors for v in vector.operands if v.sources[0] not in own]
        indices = [
            v.index for v in views if not isinstance(v.sources[0], Numbers) or len(v.sources) > 1
        ]
        shape = (nest_of(indices) if indices else None) or (size,)
        variables = VARIABLES[: len(shape)]
        read_here = {
            s for vector in loop.vectors for v in vector.operands for s in v.sources if s in own
        }
        lines: list[str] = []
        local: dict[Any, str] = {}
        for vector in loop.vectors:
            line: Line = vector.row
            operands = {}
            for name, view in zip(line.operands, vector.operands):
                source = view.sources[0]
                operands[name] = (
                    local[source]
                    if source in own
                    else self.item(piece, stage, view, shape, variables)
                )
            text = text_of(line)
            piece.calls |= text.called(is_wide)
            expression = text.of(operands, is_wide)
            name = self.name_of[vector]
            if vector in self.is_stored:
                piece.uses[name] = None
                terms = self._in_order(shape, variables)
                target = f"{name}[{self.row_at(0, terms) if carried else linear(0, terms)}]"
                if vector in read_here:
                    local[vector] = self.names.take("", "t")
                    lines.append(f"const double {local[vector]} = {expression};")
                    expression = local[vector]
                lines.append(f"{target} = {expression};")
            else:
                local[vector] = name
                lines.append(f"const double {name} = {expression};")
        piece.add([*zip(variables, shape), *self.rows(carried)], lines)
        self.pieces[stage].append(piece)

    def _in_order(self, shape: tuple[int, ...], variables: str) -> list[tuple[int, str]]:
        """The place of a number in loops over all of them."""
        terms, size = [], 1
        for n, variable in zip(reversed(shape), reversed(variables)):
            if n > 1:
                terms.append((size, variable))
            size *= n
        return terms[::-1]


__all__ = ["Function", "Result"]
