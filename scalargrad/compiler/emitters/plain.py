"""Rolled programs as plain loops, in any language with braces: what is saved to be read and compiled elsewhere.   (floor 3)

A vector is an array and a loop over its numbers; lines of one size share a loop, and a vector of one is a number. Rows of data are
taken one after the other. Nothing depends on the language but through its dialect.
"""

from __future__ import annotations

import numpy

from ..derive_rolled import ROWS, Given, live, narrowed
from ..dialects.plain import broken
from ..lower import DOT, LIST_SLOPES, OVER_ROWS, ROW_PRODUCTS, SHARES, SUM
from ..program import Block
from ..roll import Numbers, Vector, View, has_rows, size_of
from ..strides import Strides, linear, nest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from ..dialects.plain import Dialect
    from ..naming import Names
    from .c_results import Result

BEFORE, INSIDE, AFTER = range(3)  # of the loop over rows
FEW, MANY = 4, 64  # terms of a sum that are written out; and where they stand in many places
VARIABLES = "ijlm"
SLOPES_OF_LISTS = {*LIST_SLOPES.values()}


class Tables:
    """Constants of a file: tables of numbers and of places."""

    def __init__(self, dialect: Dialect, names: Names) -> None:
        self.dialect, self.names = dialect, names
        self.lines: list[str] = []
        self.written: set[str] = set()
        self._known: dict[Any, str] = {}

    def of(self, array: Any, taken: set[str]) -> str:
        """The name of the table of an array, which is none of those that are taken."""
        is_index = array.dtype.kind == "i"
        key = is_index, array.tobytes()
        if key not in self._known:
            name = self.names.take("", "table")
            while name in taken:
                name = self.names.take("", "table")
            self.put(name, array)
            self._known[key] = name
        return self._known[key]

    def put(self, name: str, array: Any) -> None:
        """Write an array under a name."""
        self.written.add(name)
        is_index = array.dtype.kind == "i"
        items = [*map(str if is_index else self.dialect.literal, array.ravel().tolist())]
        self.lines += self.dialect.table(name, items, is_index)


class Function:
    """A function of blocks as text; `constants` are blocks whose numbers stand in the file.

    The first result is returned where `returns`; the others go to arrays of the caller. With rows, n is how many there are.
    """

    def __init__(
        self,
        dialect: Dialect,
        name: str,
        blocks: Sequence[Block],
        vectors: Sequence[Vector],
        results: Sequence[Result],
        names: dict[Any, str],
        tables: Tables,
        constants: Collection[Block] = (),
        returns: bool = False,
        wishes: Mapping[Any, str] | None = None,
    ) -> None:
        self.dialect, self.name, self.blocks, self.tables = dialect, name, blocks, tables
        self.constants, self.returns, self.wishes = constants, returns, wishes or {}
        self.returned: Result | None = results[0] if returns else None
        self.results = results[returns:]
        self.vectors = live(vectors, [result.view for result in results])
        self.has_rows = any(block.has_rows for block in blocks)
        self.names = dialect.names()
        self.names.taken |= {*names.values(), *tables.names.taken}
        self.names.taken |= {result.name for result in self.results}
        self.name_of: dict[Any, str] = dict(names)
        self.calls: set[str] = set()
        self.uses: set[str] = set()
        self.arrays: dict[str, int] = {}
        self.lines: tuple[list[str], ...] = ([], [], [])
        self.late: set[Any] = set()
        self._beside: dict[Any, Any] = {}
        self._scheduled()
        self._stored()
        for stage, items in enumerate(self.items):
            for vectors in items:
                self._item(stage, vectors)
        for result in self.results:
            self._result(result)
        if self.returned:
            self.put(AFTER, [], [f"return {self.item(AFTER, self.returned.view, (1,), 'i')};"])
        self.parameters = self._parameters()

    # -------------------------------------------------------------- order

    def _stage(self, vector: Vector) -> int:
        if vector.has_rows or any(map(has_rows, vector.operands)):
            return INSIDE
        late = any(source in self.late for view in vector.operands for source in view.sources)
        return AFTER if late else BEFORE

    def _scheduled(self) -> None:
        """Put vectors in order, lines of one size together where what they read allows it."""
        self.items: tuple[list[list[Vector]], ...] = ([], [], [])
        self.place: dict[Any, tuple[int, int]] = {}
        for vector in self.vectors:
            stage = self._stage(vector)
            if stage == AFTER or (stage == INSIDE and not vector.has_rows):
                self.late.add(vector)
            items, least = self.items[stage], 0
            for view in vector.operands:
                for source in view.sources:
                    there = self.place.get(source, (BEFORE, -1))
                    if there[0] == stage and there[1] >= 0:
                        joins = self._joins(vector, items[there[1]]) and self._is_itself(view)
                        least = max(least, there[1] + (not joins))
            at = len(items)
            if self._is_lines(vector) and vector.size > 1:
                found = [i for i in range(least, len(items)) if self._joins(vector, items[i])]
                at = found[0] if found else at
            if at == len(items):
                items.append([])
            items[at].append(vector)
            self.place[vector] = stage, at

    def _joins(self, vector: Vector, item: Sequence[Vector]) -> bool:
        """Whether a vector may stand in the loop of some others."""
        first = item[0]
        return self._is_lines(vector) and self._is_lines(first) and 1 < vector.size == first.size

    def _is_lines(self, vector: Vector) -> bool:
        """Whether a vector is an expression or a sum for each of its numbers."""
        return bool(vector.row.text) or vector.row in (SUM, DOT, SHARES)

    def _is_itself(self, view: View) -> bool:
        """Whether a view is all of a source in order."""
        index, size = view.index, view.size
        is_plain = len(view.sources) == 1 and index.ndim == 1 and len(index) == size
        return is_plain and bool((index == numpy.arange(size)).all())

    def is_number(self, source: Any) -> bool:
        """Whether a source is a number that has a name of its own."""
        if isinstance(source, Block):
            return not source.shape and not source.has_rows
        return source.size == 1 and source.row not in SLOPES_OF_LISTS

    def _stored(self) -> None:
        """Give names: to numbers, and to arrays of what is read outside its own loop; a result's own where it is one as it stands."""
        placed: dict[Any, str] = {}
        self.placed: set[int] = set()
        for result in self.results:
            source = result.view.sources[0]
            fits = not result.by_rows and [*result.turns] == [0] and isinstance(source, Vector)
            fits = fits and not self.is_number(source) and self._is_itself(result.view)
            if fits and placed.setdefault(source, result.name) == result.name:
                self.placed.add(id(result))
        every = [*self.results, *([self.returned] if self.returned else [])]
        self.read: set[Any] = {source for result in every for source in result.view.sources}
        for vector in self.vectors:
            for view in vector.operands:
                self.read.update(s for s in view.sources if self.place.get(s) != self.place[vector])
        for vector in self.vectors:
            self.name_of[vector] = placed.get(vector) or self.names.take(
                vector.label or self.wishes.get(vector, "")
            )
            if vector in placed:
                self.uses.add(placed[vector])
            elif not self.is_number(vector) and (vector in self.read or not self._is_lines(vector)):
                self.arrays[self.name_of[vector]] = vector.size

    # -------------------------------------------------------------- operands

    def put(self, stage: int, loops: Sequence[tuple[str, int]], lines: Sequence[str]) -> None:
        """Add lines in loops, none of them where a loop would run once."""
        self.lines[stage].extend(self.in_loops([loop for loop in loops if loop[1] != 1], lines))

    def in_loops(self, loops: Sequence[tuple[str, int | str]], lines: Sequence[str]) -> list[str]:
        """Lines in loops, with braces where they need them."""
        if not loops:
            return [*lines]
        inner, indent = self.in_loops(loops[1:], lines), self.dialect.indent
        brace = len(inner) > 1
        head = self.dialect.loop(*loops[0]) + " {" * brace
        return [head, *[indent + line for line in inner], *["}"] * brace]

    def item(self, stage: int, view: View, shape: tuple[int, ...], variables: str) -> str:
        """The number of an operand where variables say, in loops of a shape."""
        view = narrowed(view.sources, view.index.ravel())
        source, index = view.sources[0], view.index.reshape(shape)
        if len(view.sources) == 1 and isinstance(source, Numbers):
            return self._constants(numpy.array(source.data)[index], shape, variables)
        if len(view.sources) > 1:
            source = self._all(stage, view.sources)
        if isinstance(source, Given):
            self.uses.add("share" if source is not ROWS else "n")
            return self.dialect.rows if source is ROWS else source.name
        name = self.name_of[source]
        self.uses.add(name)
        if self.is_number(source) and not (isinstance(source, Block) and source in self.constants):
            return name
        strides = Strides.of(index)
        if strides:
            first, terms = strides.first, [*zip(strides.steps, variables)]
        else:
            table = self.tables.of(index.astype(numpy.int32), self.names.taken)
            first, terms = 0, [(1, f"{table}[{self._flat(shape, variables)}]")]
        if isinstance(source, Block) and source.has_rows:
            terms = [(len(source.inputs), "r"), *terms]
        return f"{name}[{linear(first, terms)}]"

    def _constants(self, data: Any, shape: tuple[int, ...], variables: str) -> str:
        first = data.flat[0]
        if data.tobytes() == numpy.full_like(data, first).tobytes():
            return self.dialect.literal(float(first))
        return f"{self.tables.of(data, self.names.taken)}[{self._flat(shape, variables)}]"

    def _flat(self, shape: tuple[int, ...], variables: str) -> str:
        """The place of a number in loops over all of them."""
        terms, size = [], 1
        for n, variable in zip(reversed(shape), reversed(variables)):
            terms.append((size if n > 1 else 0, variable))
            size *= n
        return linear(0, reversed(terms))

    def _all(self, stage: int, sources: tuple[Any, ...]) -> Vector:
        """Several sources as one array, which is made once in a stage."""
        key = stage, tuple([s.data if isinstance(s, Numbers) else s for s in sources])
        if key not in self._beside:
            total = sum(map(size_of, sources))
            whole = self._beside[key] = Vector(SUM, (), total, stage == INSIDE)
            name = self.name_of[whole] = self.names.take("", "all")
            self.arrays[name] = total
            begin = 0
            for source in sources:
                size = size_of(source)
                item = self.item(stage, View((source,), numpy.arange(size)), (size,), "i")
                at = linear(begin, [(1, "i")] if size > 1 else [])
                self.put(stage, [("i", size)], [f"{name}[{at}] = {item};"])
                begin += size
        return self._beside[key]  # type: ignore[no-any-return]

    def at(self, vector: Vector) -> str:
        """Where number i of a vector is."""
        name = self.name_of[vector]
        return name if self.is_number(vector) else f"{name}[{'i' if vector.size > 1 else '0'}]"

    # -------------------------------------------------------------- lines

    def _item(self, stage: int, item: list[Vector]) -> None:
        vector = item[0]
        if self._is_lines(vector):
            self._loop(stage, item)
        elif vector.row in (OVER_ROWS, ROW_PRODUCTS):
            self._over_rows(stage, vector)
        else:
            self._listed(stage, vector)

    def _loop(self, stage: int, vectors: list[Vector]) -> None:
        """Lines and sums in one loop over the numbers of their vectors."""
        size, own = vectors[0].size, set(vectors)
        views = [v for vector in vectors for v in vector.operands if v.sources[0] not in own]
        indices = [v.index for v in views if not isinstance(v.sources[0], Numbers)]
        shape = (nest_of(indices) if indices else None) or (size,)
        variables = VARIABLES[: len(shape)]
        inner = {s for vector in vectors for v in vector.operands for s in v.sources if s in own}
        lines: list[str] = []
        local: dict[Any, str] = {}

        def item(view: View) -> str:
            return local.get(view.sources[0]) or self.item(stage, view, shape, variables)

        for vector in vectors:
            line, name = vector.row, self.name_of[vector]
            is_named = self.is_number(vector) or vector not in self.read
            is_own = is_named or vector in inner
            if is_own:
                local[vector] = name if is_named else self.names.take("", "t")
            if line.text:
                operands = {each: item(view) for each, view in zip(line.operands, vector.operands)}
                text = self.dialect.text(line, operands, self.calls)
            else:
                wish = local.get(vector) or self.names.take("", "s")
                start = item(vector.operands[2]) if line is DOT else "0.0"
                added, text = self._added(stage, vector, shape, variables, start, wish)
                lines += added
            if is_own and text != local[vector]:
                lines.append(self.dialect.constant(local[vector], text))
                text = local[vector]
            if not is_named:
                lines.append(f"{name}[{self._flat(shape, variables)}] = {text};")
        self.put(stage, [*zip(variables, shape)], lines)

    def _term(self, stage: int, line: Any, views: Sequence[View], shape: Any, names: str) -> str:
        """What is added up: a number, a product, or a share, which counts for nothing if its slope is 0."""
        texts = [self.item(stage, view, shape, names) for view in views]
        if line in (SHARES, ROW_PRODUCTS):
            self.calls.add("share_of")
            return f"share_of({', '.join(texts)})"
        return " * ".join(texts)

    def _added(
        self, stage: int, vector: Vector, shape: tuple[int, ...], names: str, first: str, s: str
    ) -> tuple[list[str], str]:
        """Lines that add up items, or products of items, under the name s; and what the sum is: one expression where they are few."""
        line = vector.row
        factors = vector.operands[:1] if line is SUM else vector.operands[:2]
        count = factors[0].index.shape[1]
        is_loose = vector.size == 1 and any(len(view.sources) > 1 for view in factors)
        if count <= FEW or (is_loose and count <= MANY):
            terms = []
            for k in range(count):
                columns = [View(view.sources, view.index[:, k]) for view in factors]
                terms.append(self._term(stage, line, columns, shape, names))
            return [], " + ".join([*([first] if first != "0.0" or not terms else []), *terms])
        term = self._term(stage, line, factors, (*shape, count), f"{names}k")
        start = self.dialect.variable(s, first)
        return [start, *self.in_loops([("k", count)], [f"{s} += {term};"])], s

    def _listed(self, stage: int, vector: Vector) -> None:
        """What has a function of its own for a list: its value, or its slopes, a list again."""
        xs = vector.operands[0]
        steps, count = xs.index.shape
        function = self.dialect.lists[vector.row.name]
        self.calls.add(function)
        listed, name = self.names.take("", "xs"), self.name_of[vector]
        self.arrays[listed] = max(1, count)
        lines = []
        if count:
            item = self.item(stage, xs, (steps, count), "ik")
            at = "k" if count > 1 else "0"
            loops = [("k", count)] if count > 1 else []
            lines = self.in_loops(loops, [f"{listed}[{at}] = {item};"])
        if len(vector.operands) == 1:
            text = f"{function}({count}, {listed})"
            is_one, at = self.is_number(vector), self.at(vector)
            lines.append(self.dialect.constant(at, text) if is_one else f"{at} = {text};")
        else:
            out = self.item(stage, vector.operands[1], (steps,), "i")
            part = self.dialect.part(name, linear(0, [(count, "i")] if steps > 1 else []))
            lines.append(f"{function}({count}, {listed}, {out}, {part});")
        self.put(stage, [("i", steps)], lines)

    def _over_rows(self, stage: int, vector: Vector) -> None:
        """The sum over the rows of each number, or of products."""
        size, at = vector.size, self.at(vector)
        views = vector.operands
        if not any(map(has_rows, views)):  # the same in each row
            item = self.item(stage, views[0], (size,), "i")
            self.uses.add("n")
            text, is_one = f"{self.dialect.rows} * {item}", self.is_number(vector)
            line = self.dialect.constant(at, text) if is_one else f"{at} = {text};"
            self.put(stage, [("i", size)], [line])
            return
        is_one = self.is_number(vector)
        clear = self.dialect.variable(at, "0.0") if is_one else f"{at} = 0.0;"
        self.put(BEFORE, [("i", size)], [clear])
        count = views[0].index.shape[1] if views[0].index.ndim == 2 else 1
        nest = nest_of([view.index for view in views]) or (size,)
        names = VARIABLES[: len(nest)]
        term = self._term(stage, vector.row, views, (*nest, count), f"{names}k")
        place = at if is_one else f"{self.name_of[vector]}[{self._flat(nest, names)}]"
        self.put(stage, [*zip(names, nest), ("k", count)], [f"{place} += {term};"])

    # -------------------------------------------------------------- results

    def _result(self, result: Result) -> None:
        """Write numbers into an array of the caller."""
        if id(result) in self.placed:
            return
        flat, turns = result.view.index.ravel(), [*result.turns]
        size = len(flat) // len(turns)
        if not size:
            return
        stage = INSIDE if result.by_rows else AFTER
        self.uses.add(result.name)
        begin = 0
        while begin < len(turns):  # turns that follow one another share a loop
            end = begin + 1
            while end < len(turns) and turns[end] == turns[end - 1] + 1:
                end += 1
            shape, turn = (end - begin, size), turns[begin]
            part = narrowed(result.view.sources, flat[begin * size : end * size])
            if not result.by_rows and len(part.sources) * 2 > max(2, part.index.size):
                for at in range(part.index.size):  # each is from somewhere else
                    item = self.item(stage, View(part.sources, part.index[at : at + 1]), (1,), "i")
                    self.put(stage, [], [f"{result.name}[{turn * size + at}] = {item};"])
                begin = end
                continue
            item = self.item(stage, part, shape, "ji")
            i = [(1, "i")] if size > 1 else []
            if result.by_rows:
                row = linear(turn, [(1, "j")] if shape[0] > 1 else [])
                row = f"({row})" if " " in row else row
                row = "r" if row == "0" else f"{row} * n + r"
                self.uses |= {"n"}
                row = f"({row})" if " " in row and size > 1 else row
                place = linear(0, [(size, row), *i])
            else:
                place = linear(turn * size, [(size, "j") if shape[0] > 1 else (0, ""), *i])
            self.put(stage, [*zip("ji", shape)], [f"{result.name}[{place}] = {item};"])
            begin = end

    # -------------------------------------------------------------- the whole

    def _parameters(self) -> list[tuple[str, str]]:
        """The parameters: their kinds and names."""
        given = [block for block in self.blocks if block not in self.constants]
        outputs = dict.fromkeys([result.name for result in self.results])
        found = [("count", "n")] if self.has_rows else []
        found += [
            ("number" if self.is_number(block) else "input", self.name_of[block]) for block in given
        ]
        found += [("output", name) for name in outputs]
        return [*found, *([("room", "work")] if self.has_much else [])]

    @property
    def has_much(self) -> bool:
        """Whether its arrays are too large for a stack, and the caller makes room for them."""
        return self.room > self.dialect.most_room

    @property
    def room(self) -> int:
        """How many numbers its arrays hold."""
        return sum(self.arrays.values())

    def text(self) -> str:
        """The function."""
        dialect, indent = self.dialect, self.dialect.indent
        before, inside, after = self.lines
        room, end = [dialect.arrays(self.arrays)] if self.arrays else [], 0
        if self.has_much:
            self.uses.add("work")
            room = []
            for name, size in self.arrays.items():
                room.append(f"{dialect.types['room']}{name} = work + {end};")
                end += size
        if inside:
            inside = [f"{dialect.loop('r', 'n')} {{", *[indent + x for x in inside], "}"]
            self.uses.add("n")
        if "share" in self.uses:
            before = [dialect.constant("share", f"1.0 / {dialect.rows}"), *before]
            self.uses.add("n")
        unused = [
            line
            for _, name in self.parameters
            if name not in self.uses
            for line in dialect.unused(name)
        ]
        lines = [
            part
            for line in (*room, *unused, *before, *inside, *after)
            for part in broken(indent + line, indent * 2)
        ]
        head = dialect.head("double" if self.returns else "void", self.name, self.parameters)
        return dialect.function(head, lines)
