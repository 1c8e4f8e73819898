"""Rolled programs as loops for numba: a vector is an array, and a loop over its numbers computes it.   (floor 3)

Rows of data are taken in tiles of n. What carries rows is a flat array in which the n numbers of a column stand side by
side, so that the innermost loop runs over rows: it is long, and becomes vector instructions. Layers are calls of
`machine_products`, or, where they are large, NumPy's matrix products. What carries no rows is computed before the tiles.
"""

from __future__ import annotations

import re

from ...arithmetic.total import inf
from ...ops import LISTS
from ..choices import fast
from ..layout import words
from ..program import Block
from ..roll import Numbers, Rolled, Vector, View, has_rows, size_of
from ..views import is_zero, name_of
from .layers import Layer, layer_of
from .text import Strides, Tables, filled, linear, looped, once, row_text, span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ..naming import Names

    Nest = list[tuple[str, int | str]]  # loops, each a variable and how often

ROWS: tuple[str, int | str] = ("r", "n")
TERMS = 8  # of a sum in a line
LONG = 8  # numbers in a loop that are worth an exponential of vector instructions


class Place:
    """Where numbers stand: the name of a flat array, and whether it has n numbers, one for each row of a tile, for each number.

    `matrix` is a name for the same array with two axes, if it has one.
    """

    def __init__(self, name: str, carried: bool, matrix: str = "") -> None:
        self.name, self.carried, self.matrix = name, carried, matrix

    def at(self, index: str) -> str:
        """The number of an index; in a loop over rows, that of row r."""
        if not self.carried or index == "0":
            return f"{self.name}[{'r' if self.carried else index}]"
        return f"{self.name}[{times_n(index)} + r]"

    def along(self, first: int) -> str:
        """The number of a loop over all numbers of all rows, from that of an index on."""
        return f"{self.name}[{first} * n + j]" if first else f"{self.name}[j]"

    def all_rows(self, index: str) -> str:
        """The numbers of all rows of an index."""
        return (
            f"{self.name}[:n]"
            if index == "0"
            else f"{self.name}[{times_n(index)} : {times_n(index)} + n]"
        )


def times_n(index: str) -> str:
    """An index of steps as one of numbers, of which each step has n."""
    return f"{index} * n" if re.fullmatch(r"\w+(\[[^\[\]]*\])?", index) else f"({index}) * n"


class Loops:
    """The lines of a rolled program: those that make `arrays`, those `before` the tiles, and those `inside`, of a tile.

    `by` says for each vector by which of its operands slopes will be taken. With `total`, rows are written as they are right
    everywhere. With `order`, rows are taken in the order of an array. From `large` numbers on, a matrix goes to a library.
    `arguments` says what the blocks are called, `flats` those along one axis that have a name already.
    """

    def __init__(
        self,
        rolled: Rolled,
        by: dict[Vector, set[int]],
        names: Names,
        tables: Tables,
        total: bool = False,
        order: bool = False,
        large: float = inf,
        arguments: dict[Block, str] | None = None,
        flats: dict[Block, str] | None = None,
    ) -> None:
        self.rolled, self.by, self.names, self.total, self.order, self.large = (
            rolled,
            by,
            names,
            total,
            order,
            large,
        )
        self.tables = tables
        self.arrays: list[str] = []  # the lines that make them
        self.before: list[str] = []
        self.inside: list[str] = []
        self.width = 0  # numbers of a row that arrays hold
        self.at: dict[Any, Place] = {}
        self.rows: dict[
            Block, str
        ] = {}  # data, with an axis for the rows and one for the numbers of a row
        self.layers: dict[Vector, Layer] = {}
        self.kept: dict[
            Vector, dict[str, Place]
        ] = {}  # what a row names on the way to its value, and its slopes read
        self._own: dict[str, str] = {}
        self._beside: dict[tuple[Any, ...], Place] = {}
        self.flats = flats or {}
        self.arguments = arguments or {
            block: names.take(block.name, "a") for block in rolled.blocks
        }
        for block in rolled.blocks:
            if block.has_rows:
                self.rows[block] = self._flat(block)
        for vector in rolled.vectors:
            wish = name_of(vector, lambda source: self.at[source].name)
            place = self.at[vector] = self.array(vector.size, vector.has_rows, wish)
            {"dot": self._dot, "sum": self._sum}.get(vector.row.name, self._row)(vector, place)

    # -------------------------------------------------------------- names and places

    def own(self, name: str) -> str:
        """What a name in a row's text is called here."""
        if name not in self._own:
            self._own[name] = self.names.take(f"{name}_i")
        return self._own[name]

    def array(self, size: int, carried: bool, wish: str = "") -> Place:
        """A new array."""
        name = self.names.take(wish)
        self.width += size * carried
        self.arrays.append(
            f"{name} = empty({size} * TILE)" if carried else f"{name} = empty({size})"
        )
        return Place(name, carried)

    def lines(self, carried: bool) -> list[str]:
        """Where lines go: those of what carries rows into the tile."""
        return self.inside if carried else self.before

    def _flat(self, block: Block) -> str:
        """A name for the numbers of a block along one axis, behind that of the rows."""
        name = self.arguments[block]
        if len(block.shape) == 1 or block in self.flats:
            return self.flats.get(block, name)
        flat = self.names.take(f"{name}_flat")
        shaped = (
            f"{name}.reshape(len({name}), {len(block.inputs)})"
            if block.has_rows
            else f"{name}.reshape({name}.size)"
            if block.shape
            else f"_full(1, {name})"
        )
        self.arrays.append(f"{flat} = {shaped}")
        return flat

    def place(self, source: Any) -> Place:
        """Where a source stands; rows of data are put in columns where they are first read."""
        if source not in self.at:
            if source not in self.rows:
                self.at[source] = Place(self._flat(source), False)
                return self.at[source]
            turned = self.at[source] = self.array(
                len(source.inputs), True, f"{self.arguments[source]}_t"
            )
            function, order = ("columns_of", "order, ") if self.order else ("columns", "")
            self.inside.append(f"{function}({self.rows[source]}, {order}first, n, {turned.name})")
        return self.at[source]

    def beside(self, view: View) -> Place:
        """Where what a view looks into stands; several sources are put side by side."""
        if len(view.sources) == 1:
            return self.place(view.sources[0])
        if view.sources not in self._beside:
            carried, begin = has_rows(view), 0
            both = self._beside[view.sources] = self.array(view.size, carried, "beside")
            for source in view.sources:
                size = size_of(source)
                i = once("i", size)
                item = (
                    self._numbers(source, i)
                    if isinstance(source, Numbers)
                    else self.place(source).at(i)
                )
                into = both.at(linear(begin, [(1, "i")]) if size > 1 else f"{begin}")
                self.lines(carried).extend(
                    looped([("i", size), *([ROWS] if carried else [])], [f"{into} = {item}"])
                )
                begin += size
        return self._beside[view.sources]

    def _numbers(self, source: Numbers, variables: Sequence[str], index: Any = None) -> str:
        import numpy

        data = numpy.array(source.data)
        return self.tables.number(data if index is None else data[index], variables)

    def item(self, view: View, variables: Sequence[str], flat: bool = False) -> str:
        """The number of an operand where variables say, one for each axis of its index; or along all numbers of all rows."""
        only = view.sources[0]
        if len(view.sources) == 1 and isinstance(only, Numbers):
            return self._numbers(only, variables, view.index)
        place = self.beside(view)
        return (
            place.along(int(view.index[0]))
            if flat
            else place.at(self.tables.index(view.index, variables))
        )

    def is_flat(self, vector: Vector, views: Iterable[View]) -> bool:
        """Whether one loop over all numbers of all rows does: all views look at them one after the other, or are one number."""
        return vector.size > 1 and all(_is_in_order(view) for view in views)

    # -------------------------------------------------------------- values

    def text(self, vector: Vector) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """The lines of a vector's row: of its value, and of the slopes that are taken."""
        row = vector.row
        by = (
            tuple(row.operands[place] for place in sorted(self.by.get(vector, ())))
            if row.slopes
            else ()
        )
        return row_text(
            row if self.total else fast(row),
            by,
            vector.has_rows or vector.size >= LONG,
        )

    def nest(self, vector: Vector, carried: bool, flat: bool) -> Nest:
        """The loops over the numbers of a vector."""
        return (
            [("j", f"{vector.size} * n")]
            if flat
            else [("i", vector.size), *([ROWS] if carried else [])]
        )

    def number_of(self, place: Place, vector: Vector, flat: bool) -> str:
        """The number of a vector, or of what stands beside it, in such loops."""
        return place.along(0) if flat else place.at(once("i", vector.size))

    def _row(self, vector: Vector, place: Place) -> None:
        forward, slopes = self.text(vector)
        flat = (
            vector.has_rows and not vector.row.takes_lists and self.is_flat(vector, vector.operands)
        )
        lines, local = self.operands(vector, flat)
        read = {word for _, text in slopes for word in words(text)}
        kept = self.kept[vector] = {}
        for name, text in forward:
            expression = filled(text, local)
            if name == "out":
                lines.append(f"{self.number_of(place, vector, flat)} = {expression}")
                continue
            local[name] = self.own(name)
            lines.append(f"{local[name]} = {expression}")
            if name in read:
                kept[name] = self.array(vector.size, vector.has_rows, f"{name}_{place.name}")
                lines.append(f"{self.number_of(kept[name], vector, flat)} = {local[name]}")
        self.lines(vector.has_rows).extend(looped(self.nest(vector, vector.has_rows, flat), lines))

    def operands(
        self, vector: Vector, flat: bool, only: set[str] | None = None
    ) -> tuple[list[str], dict[str, str]]:
        """The lines that read the operands of a vector, or some of them, and what they are called then."""
        lines, local = [], {}
        for name, view in zip(vector.row.operands, vector.operands):
            if only is not None and name not in only:
                continue
            if name in LISTS:
                count = view.index.shape[1]
                local[name] = self.array(count, False, name).name
                lines += looped(
                    [("k", count)], [f"{local[name]}[{once('k', count)}] = {self.item(view, 'ik')}"]
                )
                continue
            text = self.item(view, "i", flat)
            local[name] = self.own(name) if "[" in text else text
            if "[" in text:
                lines.append(f"{local[name]} = {text}")
        return lines, local

    def _sum(self, vector: Vector, place: Place) -> None:
        self._added(vector, place, None, vector.operands[0])

    def _added(self, vector: Vector, place: Place, start: View | None, *factors: View) -> None:
        """A start, and terms added to it from left to right, for each number of a vector: a line of them, or a loop over many."""
        count = factors[0].index.shape[1]
        rows = [ROWS] if vector.has_rows else []
        if count <= TERMS:
            terms = [
                [View(view.sources, view.index[:, k]) for view in factors] for k in range(count)
            ]
            flat = vector.has_rows and self.is_flat(
                vector, [view for term in terms for view in term] + ([start] if start else [])
            )
            parts = [" * ".join(self.item(view, "i", flat) for view in term) for term in terms]
            text = " + ".join([*([self.item(start, "i", flat)] if start else []), *parts]) or "0.0"
            lines = [f"{self.number_of(place, vector, flat)} = {text}"]
            self.lines(vector.has_rows).extend(
                looped(self.nest(vector, vector.has_rows, flat), lines)
            )
            return
        at = place.at(once("i", vector.size))
        begin, item = (
            self.item(start, "i") if start else "0.0",
            " * ".join(self.item(view, "ik") for view in factors),
        )
        lines = [
            *looped(rows, [f"{at} = {begin}"]),
            *looped([("k", count), *rows], [f"{at} += {item}"]),
        ]
        self.lines(vector.has_rows).extend(looped([("i", vector.size)], lines))

    # -------------------------------------------------------------- dots

    def _dot(self, vector: Vector, place: Place) -> None:
        ws, xs, bias = vector.operands
        layer = layer_of(vector)
        if layer:
            self.layers[vector] = layer
            self._layer(vector, layer, place, bias)
            return
        count = ws.index.shape[1]
        starts = [Strides.of(view.index) for view in (ws, xs)]
        is_numbers = any(
            isinstance(source, Numbers)
            for view in (ws, xs)
            for source in view.sources
            if len(view.sources) == 1
        )
        if (
            not vector.has_rows
            and not is_numbers
            and all(strides and strides.steps[1] == 1 for strides in starts)
        ):
            w, x = (
                f"{self.beside(view).name}[{span(self.tables.index(view.index[:, 0], 'i'), count)}]"
                for view in (ws, xs)
            )
            start = "" if is_zero(bias) else f"{self.item(bias, 'i')} + "
            self.before += looped(
                [("i", vector.size)],
                [f"{place.at(once('i', vector.size))} = {start}dot_of({w}, {x})"],
            )
        else:
            self._added(vector, place, None if is_zero(bias) else bias, ws, xs)

    def _layer(self, vector: Vector, layer: Layer, place: Place, bias: View) -> None:
        into = layer.result(place)
        if self.is_large(layer):
            start, sums = self.item(bias, "i"), f"{place.name}_sums"
            self.inside.append(f"{sums} = {self.matrix(layer)} @ {self.data_of(layer)}")
            at = place.at(once("i", vector.size))
            self.inside += looped(
                self.nest(vector, True, False),
                [f"{at} = {start} + {sums}[{once('i', vector.size)}, r]"],
            )
            return
        data, terms = layer.data(self.beside(layer.carried)), layer.terms(self.beside(layer.plain))
        b = Strides.of(bias.index)
        if (
            layer.outer == 1
            and not has_rows(bias)
            and not isinstance(bias.sources[0], Numbers)
            and b
            and (b.steps[0] == 1 or vector.size == 1)
        ):
            where = self.beside(bias)
            part = (
                where.name
                if vector.size == bias.size
                else f"{where.name}[{span(str(b.first), vector.size)}]"
            )
            self.inside.append(f"layer({terms}, {data}, {part}, {into}, n)")
            return
        flat = self.is_flat(vector, [bias])
        start = self.item(bias, "i", flat)
        self.inside += looped(
            self.nest(vector, True, flat), [f"{self.number_of(place, vector, flat)} = {start}"]
        )
        self.inside += looped([("o", layer.outer)], [f"add_dots({terms}, {data}, {into}, n)"])

    def matrix(self, layer: Layer) -> str:
        """The matrix of a layer: a block as it was given, or a part of what is flat."""
        source = layer.plain.sources[0]
        if layer.is_whole and isinstance(source, Block):
            return f"{self.arguments[source]}.T" if layer.turned else self.arguments[source]
        return layer.matrix(Place(self.beside(layer.plain).name, False))

    def is_large(self, layer: Layer) -> bool:
        """Whether a layer is worth the matrix product of a library."""
        return layer.outer == 1 and not self.total and layer.inner * layer.count >= self.large

    def data_of(self, layer: Layer) -> str:
        """The numbers that a large layer reads, as a matrix with a column for each row of data."""
        source = layer.carried.sources[0]
        if source in self.rows and layer.count == len(source.inputs):
            return f"{self.rows[source]}[{'order[first:last]' if self.order else 'first:last'}].T"
        place, first = self.beside(layer.carried), layer.of_carried.first
        return f"{place.name}[{f'{first} * n' if first else ''}:{first + layer.count} * n].reshape({layer.count}, n)"


def _is_in_order(view: View) -> bool:
    """Whether a view of what carries rows looks at number after number, or at one constant."""
    if has_rows(view):
        strides = Strides.of(view.index)
        return strides is not None and strides.steps == (1,)
    only = view.sources[0]
    return (
        len(view.sources) == 1
        and isinstance(only, Numbers)
        and len({float.hex(only.data[j]) for j in view.index.ravel()}) == 1
    )
