"""Operands of vectors as text: the places where their numbers stand.   (floor 3)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from ..derive_rolled import narrowed
from ..lower import LIST_SLOPES, SUM, Given
from ..program import Block
from ..roll import Numbers, Vector, View, has_rows, size_of
from ..strides import Strides, flat_terms, linear, nest_of
from .frame import BEFORE, INSIDE, STEP, Frame, Loop

VARIABLES = "ijlm"
RUN = 4  # numbers, on the average, of runs that are sooner written each than all by a table
SLOPES_OF_LISTS = {*LIST_SLOPES.values()}
Terms = tuple[list[tuple[int, str]], int]  # multiples of variables, and what comes first


class Operands(Frame):
    """A frame in which vectors are arrays, or numbers with names."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kept: dict[Any, int] = {}  # numbers that other parts read, and their places
        self.all_kept = ""  # the array of these
        self._beside: dict[Any, Vector] = {}
        self.columns: dict[Block, str] = {}

    def is_number(self, source: Any) -> bool:
        """Whether a source is a number, and no array."""
        if isinstance(source, Block):
            return super().is_number(source)
        is_one = source.size == 1 and source.op not in SLOPES_OF_LISTS
        return is_one and not (source.has_rows and self.tile > 1)

    def is_named(self, vector: Vector) -> bool:
        """Whether it is a number with a name of its own."""
        return self.is_number(vector) and vector not in self.kept

    def line(self, vector: Vector, place: str, text: str) -> str:
        """A line that gives a number of a vector its place, or its name."""
        is_named = self.is_named(vector)
        return self.dialect.constant(place, text) if is_named else f"{place} = {text};"

    # -------------------------------------------------------------- places

    def rows(self, carried: bool) -> list[Loop]:
        """The loop over the rows of a tile."""
        if not carried or self.tile == 1:
            return []
        return [("r", self.use("wide") if self.tile > STEP else self.tile)]

    def at(self, source: Any, terms: Sequence[tuple[int, str]], first: int = 0) -> str:
        """The number of an array at a place; of row r, where it carries rows."""
        if source in self.kept:
            return f"{self.use(self.all_kept)}[{self.kept[source]}]"
        if self.is_number(source):
            name = self.name_of[source]
            return self.use(name) if isinstance(source, Block) else name
        row = self._row(source)
        if source.has_rows and self.tile > 1:
            first, terms = first * self.tile, [(step * self.tile, name) for step, name in terms]
            row = [(1, "r")]
        return f"{self.array(source)}[{linear(first, [*row, *terms])}]"

    def _row(self, source: Any) -> list[tuple[int, str]]:
        """The place of a row of data, where rows are taken one after the other."""
        if self.tile > 1 or not (isinstance(source, Block) and source.has_rows):
            return []
        return [(len(source.inputs), self.use("r"))]

    def one(self, view: View) -> View:
        """A view of one source: several are put into one array, once in a stage."""
        if len(view.sources) == 1:
            return view
        key = self.stage, tuple([s.data if isinstance(s, Numbers) else s for s in view.sources])
        if key not in self._beside:
            whole = View(view.sources, numpy.arange(view.size))
            self._beside[key] = self._copied(whole, has_rows(view))
        return View((self._beside[key],), view.index)

    def _copied(self, view: View, carried: bool) -> Vector:
        """The numbers of a view in an array of their own."""
        size = view.index.size
        copy = Vector(SUM, (), max(2, size), carried)
        name = self.name_of[copy] = self.names.take("", "xs")
        self.arrays[name] = copy.size * (self.tile if carried else 1)
        place = lambda to: self.at(copy, *to)  # noqa: E731
        self.write(view, [numpy.arange(size)], place, inner=self.rows(carried))
        return copy

    def write(
        self, view: View, axes: Sequence[Any], place: Any,
        outer: Sequence[Loop] = (), inner: Sequence[Loop] = (),
    ) -> None:  # fmt: skip
        """Write the numbers of a view, source by source, in loops of their own.

        `axes` say where each number goes, along some axes; `place` is the text of such a place, of
        the `terms` along them.
        """
        ends, flat = numpy.cumsum([*map(size_of, view.sources)]), view.index.ravel()
        which = numpy.searchsorted(ends, flat, side="right")
        order = numpy.argsort(which, kind="stable")
        begins = numpy.searchsorted(which[order], numpy.arange(1, len(ends)))
        parts = []
        for there, source, end in zip(numpy.split(order, begins), view.sources, ends):
            if not len(there):
                continue
            index, runs = flat - (end - size_of(source)), [there]
            if nest_of([x[there] for x in (index, *axes)]) is None:
                runs = numpy.split(there, numpy.flatnonzero(numpy.diff(there) > 1) + 1)
            are_short = len(runs) * RUN > len(there)
            parts += [(run, source, index) for run in ([there] if are_short else runs)]
        for there, source, index in sorted(parts, key=lambda part: part[0][0]):
            to = [axis[there] for axis in axes]
            shape = nest_of([index[there], *to]) or nest_of(to) or (len(there),)
            names = VARIABLES[: len(shape)]
            target = place(*[self.terms(places.reshape(shape), names) for places in to])
            number = self.item(View((source,), index[there]), shape, names)
            self.put([*outer, *zip(names, shape), *inner], [f"{target} = {number};"])

    def _number(self, source: Any, place: int) -> str:
        if isinstance(source, Numbers):
            return self.dialect.literal(source.data[place])
        return self.known(source) if isinstance(source, Given) else self.at(source, [], place)

    def item(self, view: View, shape: tuple[int, ...], variables: str) -> str:
        """The number of an operand where variables say, in loops of a shape."""
        view = narrowed(view.sources, view.index.ravel())
        if view.index.size == 1:
            return self._number(view.sources[0], view.index.item())
        index, source = view.index.reshape(shape), view.sources[0]
        if len(view.sources) == 1 and isinstance(source, Numbers):
            data = numpy.array(source.data)[index]
            if data.tobytes() == numpy.full_like(data, data.flat[0]).tobytes():
                return self.dialect.literal(float(data.flat[0]))
            table = self.tables.of(data, self.names.taken)
            return f"{table}[{linear(0, flat_terms(shape, variables))}]"
        source = self.one(view).sources[0]
        if isinstance(source, Given):
            return self.known(source)
        return self.at(source, *self.terms(index, variables))

    def terms(self, index: Any, variables: str) -> Terms:
        """Where an index looks, as multiples of variables and what comes first."""
        if strides := Strides.of(index):
            return [*zip(strides.steps, variables)], strides.first
        table = self.index_table(index)
        return [(1, f"{table}[{linear(0, flat_terms(index.shape, variables))}]")], 0

    def one_of(self, vector: Vector) -> str:
        """Where number i of a vector is."""
        return self.at(vector, [(int(vector.size > 1), "i")])

    def array(self, source: Any) -> str:
        """The array of a source; of rows of data, one where the rows of a number are neighbours."""
        if self.tile == 1 or not (isinstance(source, Block) and source.has_rows):
            return self.use(self.name_of[source])
        if source not in self.columns:
            name = self.columns[source] = self.names.take(f"{self.name_of[source]}_t", "columns")
            width, tile = len(source.inputs), self.tile
            self.arrays[name] = width * tile
            with self.piece_of(BEFORE, first=True):
                self.put([("i", width * tile)], [f"{self.use(name)}[i] = 0.0;"])
            with self.piece_of(INSIDE, first=True):
                column, row = "r", f"{self.use('first')} + r"
                if width > 1:
                    column, row = f"{tile} * i + r", f"{width} * ({row}) + i"
                number = f"{self.use(self.name_of[source])}[{row}]"
                loops: list[Loop] = [("i", width), ("r", self.use("here"))]
                self.put(loops, [f"{self.use(name)}[{column}] = {number};"])
        return self.use(self.columns[source])

    def side_by_side(self, xs: View, carried: bool, row: list[tuple[int, str]]) -> str:
        """The place where list j begins; lists that are not in an array as they are, are copied."""
        view, shape = narrowed(xs.sources, xs.index.ravel()), xs.index.shape
        source, index = view.sources[0], view.index.reshape(shape)
        strides = Strides.of(index) if index.size else None
        is_array = len(view.sources) == 1 and isinstance(source, Vector | Block)
        is_array = is_array and not self.is_number(source) and source not in self.constants
        has_gaps = not strides or strides.steps[1] != (shape[1] > 1)
        if has_gaps or not is_array or has_rows(view) < bool(self.rows(carried)):
            source, strides = self._copied(view, carried), None
        first, step = (strides.first, strides.steps[0]) if strides else (0, shape[1])
        unit = self.tile if source.has_rows else 1
        terms = [(step * unit * (shape[0] > 1), "j"), *row, *self._row(source)]
        return self.dialect.part(self.array(source), linear(first * unit, terms))
