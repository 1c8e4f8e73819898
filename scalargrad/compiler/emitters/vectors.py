"""Programs in vectors as loops: a vector is an array, computed by a loop.   (floor 3)

Lines of one size share a loop, a vector of one is a number, and what nobody else reads has no
array. Rows of data are taken one after the other. Machine code takes them in tiles of a fixed size
instead: what carries rows is an array in which the rows of a number stand side by side, so that
the innermost loop runs over rows and becomes vector instructions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy

from ..derive_rolled import live
from ..dialects.c import OF_EACH
from ..lower import DOT, OVER_ROWS, ROW_PRODUCTS, SHARES, SUM
from ..roll import Numbers, Vector, View, has_rows
from ..strides import flat_terms, linear, nest_of
from .frame import AFTER, BEFORE, END, INSIDE, LARGEST_PART, STEP, Loop
from .operands import VARIABLES, Terms
from .products import Products

FEW, MANY = 8, 64  # terms of a sum that are written out; and where they stand in many places
LONG = 4  # numbers in a loop that are worth vector instructions
LARGEST_LOOP = 40  # lines in a loop
LOOP = 4  # lines of a vector in a loop, about
TILES = 16, 64  # rows of a tile, at least and at most
CACHE = 12288  # numbers that the arrays of a tile hold, about
SUMS = (SUM, DOT, SHARES)


class Result(NamedTuple):
    """Numbers that go to an array of the caller, and whether each row has its own.

    `turns` says to which of several gradients, one behind the other, the numbers of each turn go.
    """

    view: View
    name: str
    by_rows: bool
    turns: Sequence[int] = (0,)


class Function(Products):
    """A function of vectors.

    `wishes` are names for some, as `Derived` has them. Without `hides`, a slope of 0 hides nothing
    that it meets. Without `in_tiles`, rows of data are taken one after the other in machine code,
    too.
    """

    def __init__(
        self, dialect: Any, name: str, blocks: Any, vectors: Sequence[Vector],
        results: Sequence[Result], wishes: Mapping[Any, Any], names: Any,
        hides: bool = True, in_tiles: bool = True, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(dialect, name, blocks, results, names, **options)
        self.hides, self.wishes, self.in_tiles = hides, wishes, in_tiles
        self.vectors = live(vectors, [result.view for result in results])
        if in_tiles and dialect.in_blocks and self.has_rows:
            width = sum([v.size for v in self.vectors if v.has_rows])
            self.tile = max(TILES[0], min(TILES[1], CACHE // max(1, width) // STEP * STEP))
        self.late: set[Any] = set()
        self._scheduled()
        self._stored(results)
        for stage, items in enumerate(self.items):
            parts = self.parts[stage]
            for _, group in groupby(zip(parts, items), key=itemgetter(0)):
                with self.piece_of(stage):
                    for _, vectors in group:
                        self._item(vectors)
        for result in self.results:
            with self.piece_of(INSIDE if result.by_rows else AFTER):
                self._result(result)
        if self.returned:
            with self.piece_of(END):
                self.put([], [f"return {self.item(self.returned.view, (1,), 'i')};"])

    # -------------------------------------------------------------- order

    def _stage(self, vector: Vector) -> int:
        if vector.has_rows or any(map(has_rows, vector.operands)):
            return INSIDE
        late = any(source in self.late for view in vector.operands for source in view.sources)
        return AFTER if late else BEFORE

    def _scheduled(self) -> None:
        """Put vectors in order, lines of one size together where what they read allows it; in parts
        where all are many lines.
        """
        self.items: tuple[list[list[Vector]], ...] = ([], [], [])
        self.parts: tuple[list[int], ...] = ([], [], [])  # of each item the number of its part
        lines = [0, 0, 0]
        self.place: dict[Any, tuple[int, int]] = {}
        keys: dict[Any, Any] = {}
        for vector in self.vectors:
            stage = self._stage(vector)
            if stage == AFTER or (stage == INSIDE and not vector.has_rows):
                self.late.add(vector)
            items, least = self.items[stage], 0
            key = keys[vector] = self._key(vector)
            can_join = key is not None and key[0] * self.tile > 1
            for view in vector.operands:
                for source in view.sources:
                    there = self.place.get(source, (BEFORE, -1))
                    if there[0] == stage and there[1] >= 0:
                        joins = can_join and keys[source] == key and is_itself(view)
                        least = max(least, there[1] + (not joins))
            at = len(items)
            if can_join:
                fits = (
                    i for i in range(least, at)
                    if keys[items[i][0]] == key and len(items[i]) < LARGEST_LOOP
                )  # fmt: skip
                at = next(fits, at)
            if at == len(items):
                items.append([])
                self.parts[stage].append(lines[stage] // LARGEST_PART)
            lines[stage] += 1 if vector.size * self.tile == 1 else LOOP
            items[at].append(vector)
            self.place[vector] = stage, at
        self.in_parts = sum(lines) > LARGEST_PART

    def _key(self, vector: Vector) -> Any:
        """The same for vectors that may share a loop; None for those with loops of their own."""
        line, size, carried = vector.op, vector.size, vector.has_rows
        if line.text:
            is_wide = carried * (self.tile > 1) or size >= LONG
            return size, carried, self.dialect.in_blocks and is_wide and self._is_wide(vector)
        if line not in SUMS:
            return None
        if not self.dialect.in_blocks:
            return size, carried, False
        is_few = vector.operands[0].index.shape[1] <= FEW
        if self.product_of(vector) or not (is_few or self.tile == 1 or not carried):
            return None
        return (size, carried, is_few and (carried * (self.tile > 1) or size >= LONG))

    def _is_wide(self, vector: Vector) -> bool:
        """Whether compilers can turn a line into vector instructions: a square, too."""
        exponents = vector.operands[-1].sources if vector.op.text == "pow(x, y)" else ()
        is_square = any(isinstance(x, Numbers) and {*x.data} == {2.0} for x in exponents)
        return is_square or self.dialect.is_wide(vector.op)

    def _stored(self, results: Sequence[Result]) -> None:
        """Give numbers names, or places in an array where other parts read them; and arrays to what
        is read outside its own loop: a result's, where it is one as it stands.
        """
        part_of = {v: (stage, self.parts[stage][at]) for v, (stage, at) in self.place.items()}
        self.read: set[Any] = {source for result in results for source in result.view.sources}
        far = {*self.read, *[v for v in self.vectors if v.op in (OVER_ROWS, ROW_PRODUCTS)]}
        for vector in self.vectors:
            for source in {source for view in vector.operands for source in view.sources}:
                if self.place.get(source) != self.place[vector]:
                    self.read.add(source)
                if part_of.get(source) != part_of[vector]:
                    far.add(source)
        kept = [v for v in self.vectors if self.in_parts and v in far and self.is_number(v)]
        self.kept = {vector: at for at, vector in enumerate(kept)}
        placed: dict[Any, str] = {}
        self.placed: set[int] = set()
        for result in self.results:
            whole: Any = next(iter(result.view.sources), None)
            fits = not result.by_rows and [*result.turns] == [0] and isinstance(whole, Vector)
            fits = fits and not whole.has_rows and whole.size > 1 and is_itself(result.view)
            if fits and placed.setdefault(whole, result.name) == result.name:
                self.placed.add(id(result))
        if kept:
            self.all_kept = self.names.take("", "kept")
            self.arrays[self.all_kept] = len(kept)
        for vector in [v for v in self.vectors if v not in self.kept]:
            wish = vector.label or self.wishes.get(vector, ("",))[0]
            name = self.name_of[vector] = placed.get(vector) or self.names.take(wish)
            is_kept = vector in self.read or self._key(vector) is None
            if vector not in placed and not self.is_number(vector) and is_kept:
                self.arrays[name] = vector.size * (self.tile if vector.has_rows else 1)

    # -------------------------------------------------------------- lines

    def _item(self, item: list[Vector]) -> None:
        vector = item[0]
        if self._key(vector) is not None:
            self._loop(item)
        elif vector.op in SUMS:
            self.sums(vector)
        elif vector.op in (OVER_ROWS, ROW_PRODUCTS):
            self.over_rows(vector)
        else:
            self._listed(vector)

    def _loop(self, vectors: list[Vector]) -> None:
        """Lines and sums in one loop over the numbers of their vectors."""
        size, carried, own = vectors[0].size, vectors[0].has_rows, set(vectors)
        views = [v for vector in vectors for v in vector.operands if v.sources[0] not in own]
        are_numbers = [len(v.sources) == 1 and isinstance(v.sources[0], Numbers) for v in views]
        indices = [v.index for v, are in zip(views, are_numbers) if not are]
        shape = (nest_of(indices) if indices and size > 1 else None) or (size,)
        variables = VARIABLES[: len(shape)]
        own_read = {s for vector in vectors for v in vector.operands for s in v.sources if s in own}
        lines: list[str] = []
        local: dict[Any, str] = {}
        same: dict[str, str] = {}  # for all rows of a tile

        def item(view: View) -> str:
            if name := local.get(view.sources[0]):
                return name
            text = self.item(view, shape, variables)
            if "[" not in text or not self.rows(carried) or has_rows(view):
                return text
            if text not in same:
                same[text] = self.names.take("", "t")
            return same[text]

        is_wide = self._key(vectors[0])[2]
        for vector in vectors:
            line, name = vector.op, self.name_of.get(vector, "")
            is_named = self.is_named(vector) or vector not in self.read
            if is_own := is_named or vector in own_read:
                local[vector] = name if is_named else self.names.take("", "t")
            if line.text:
                operands = {each: item(view) for each, view in zip(line.operands, vector.operands)}
                text = self.dialect.text(line, operands, self.calls, is_wide)
            else:
                wish = local.get(vector) or self.names.take("", "s")
                start = item(vector.operands[2]) if line is DOT else "0.0"
                added, text = self._added(vector, shape, variables, start, wish)
                lines += added
            if is_own and text != local[vector]:
                lines.append(self.dialect.constant(local[vector], text))
                text = local[vector]
            if not is_named:
                terms = flat_terms(shape, variables)
                lines.append(f"{self.at(vector, terms)} = {text};")
        lead = [self.dialect.constant(name, text) for text, name in same.items()]
        inner = [*lead, *self.in_loops(self.rows(carried), lines)]
        self.put([*zip(variables, shape)], inner)

    def _added(
        self, vector: Vector, shape: tuple[int, ...], names: str, first: str, s: str
    ) -> tuple[list[str], str]:
        """Lines that add up items, or products of items, under the name s; and the sum, which is
        one expression where they are few.
        """
        line = vector.op
        factors = vector.operands[:1] if line is SUM else vector.operands[:2]
        count = factors[0].index.shape[1]
        is_loose = vector.size == 1 and any(len(view.sources) > 1 for view in factors)
        few = FEW if self.dialect.in_blocks else FEW // 2
        if count <= few or (is_loose and count <= MANY):
            terms = [first] if first != "0.0" or not count else []
            for k in range(count):
                columns = [View(view.sources, view.index[:, k]) for view in factors]
                terms.append(self.term(line, columns, shape, names))
            return [], " + ".join(terms)
        term = self.term(line, factors, (*shape, count), f"{names}k")
        start = self.dialect.variable(s, first)
        return [start, *self.in_loops([("k", count)], [f"{s} += {term};"])], s

    def _listed(self, vector: Vector) -> None:
        """A function of each of some lists: its value, or its slopes, a list again.

        In tiles the numbers of a list stand as far apart as there are rows.
        """
        xs, name, carried = vector.operands[0], vector.op.name, vector.has_rows
        (lists, count), rows = xs.index.shape, self.rows(carried)
        each = OF_EACH.get(name) if rows and count else None
        function, step = each or self.dialect.lists[name], self.tile if carried else 1
        self.calls.add(function)
        row = [(1, "r")] if rows and not each else []
        given = [str(count * step), str(step), *[str(x) for _, x in rows if each]]
        given.append(self.side_by_side(xs, carried, row))
        if len(vector.operands) > 1 or each:
            given += [self.item(x, (lists,), "j") for x in vector.operands[1:] if not each]
            width = vector.size // lists * step * (lists > 1)
            given.append(self.dialect.part(self.array(vector), linear(0, [(width, "j"), *row])))
            line = f"{function}({', '.join(given)});"
        else:
            place = self.at(vector, [(int(lists > 1), "j")])
            line = self.line(vector, place, f"{function}({', '.join(given)})")
        self.put([("j", lists), *([] if each else rows)], [line])

    # -------------------------------------------------------------- results

    def _result(self, result: Result) -> None:
        """Write numbers into an array of the caller."""
        view, count = result.view, result.view.index.size
        if id(result) in self.placed or not count:
            return
        size, every = count // len(result.turns), numpy.arange(count)
        axes = [numpy.array(result.turns)[every // size], every % size]
        rows: list[Loop] = [("r", self.use("here"))] if result.by_rows and self.tile > 1 else []
        self.write(view, axes, partial(self._target, result, size), outer=rows)

    def _target(self, result: Result, size: int, turn: Terms, i: Terms) -> str:
        """A place in an array of the caller: number i of `size`, of one of the gradients."""
        name, (turns, which), (terms, first) = self.use(result.name), turn, i
        if not result.by_rows:
            terms = [*[(step * size, x) for step, x in turns], *terms]
            return f"{name}[{linear(which * size + first, terms)}]"
        row = self.use("r") if self.tile == 1 else f"{self.use('first')} + r"
        if (text := linear(which, turns)) != "0":
            row = f"{f'({text})' if ' ' in text else text} * {self.use('n')} + {row}"
        if size > 1:
            row = linear(first, [(size, f"({row})" if " " in row else row), *terms])
        return f"{name}[{row}]"


def is_itself(view: View) -> bool:
    """Whether a view is all of a source in order."""
    index, size = view.index, view.size
    is_plain = len(view.sources) == 1 and index.ndim == 1 and len(index) == size
    return is_plain and bool((index == numpy.arange(size)).all())
