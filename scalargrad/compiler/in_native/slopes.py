"""The walk back over a rolled program, as loops for numba.   (floor 3)

Each vector adds its shares to the slopes of what it reads. Slopes that carry rows are arrays of a tile, and begin anew in
each; a share that goes from there to what carries no rows is summed over the rows of the tile. Slopes of what carries no
rows are walked back after the last tile.
"""

from __future__ import annotations

from ...ops import LISTS
from ..choices import sends
from ..layout import words
from ..program import Block
from ..roll import Vector, View, has_rows, size_of
from ..views import is_all
from .layers import Layer
from .loops import ROWS, Loops, Place
from .text import Strides, filled, looped, once, share, span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    Found = Sequence[tuple[Vector, list[int]]]
    Root = tuple[Any, str, str]  # a source, the place in it, and the slope that it begins with


class Slopes:
    """The lines that take the slopes of the sum of some roots: those `inside`, of a tile, and those `after` the tiles.

    `into` says where the slopes by blocks are added up that carry no rows, `carried` are the others; with `per_row`, all slopes carry
    rows. The lines are run `turns` times, for other roots in each turn q.
    """

    def __init__(
        self,
        loops: Loops,
        found: Found,
        roots: Iterable[Root],
        into: dict[Block, Place],
        carried: Iterable[Block] = (),
        per_row: bool = False,
        turns: int = 1,
    ) -> None:
        self.loops, self.per_row, self.turns = loops, per_row, turns
        self.inside: list[str] = []
        self.after: list[str] = []
        self.heads: list[str] = []  # what stands at the beginning of each turn
        self.at: dict[Any, Place] = {**into}
        self.wanted = {*[vector for vector, _ in found], *into, *carried}
        self._begun: set[str] = set()
        for source, j, seed in roots:
            if source in self.wanted:
                self._seed(source, j, seed)
        for vector, places in found:
            self._send(vector, places)

    def carries(self, source: Any) -> bool:
        """Whether slopes by a source carry rows."""
        return source.has_rows or self.per_row

    def lines(self, carried: bool) -> list[str]:
        """Where lines go."""
        return self.inside if carried else self.after

    def place(self, source: Any) -> Place:
        """Where the slopes by a source are."""
        if source not in self.at:
            loops, size, carried = self.loops, size_of(source), self.carries(source)
            name = f"d{loops.arguments[source] if isinstance(source, Block) else loops.at[source].name}"
            if carried:
                self.at[source] = loops.array(
                    size, True, f"{name}_t" if isinstance(source, Block) else name
                )
            else:
                every = loops.array(
                    self.turns * size, False, f"{name}_all" if self.turns > 1 else name
                ).name
                loops.before.append(f"clear({every})")
                self.at[source] = Place(every, False)
                if self.turns > 1:
                    self.at[source] = Place(loops.names.take(name), False)
                    self.heads.append(
                        f"{self.at[source].name} = {every}[{span(f'{size} * q', size)}]"
                    )
        return self.at[source]

    def begin(self, place: Place, size: int, is_set: bool = False) -> str:
        """How a share goes to slopes of a tile: the first one is set, where it is one for all, else added to zeros."""
        if not place.carried or place.name in self._begun:
            return "+="
        self._begun.add(place.name)
        if not is_set:
            self.inside.append(f"clear({place.name}[: {size} * n])")
        return "=" if is_set else "+="

    def _seed(self, source: Any, j: str, seed: str) -> None:
        place, size = self.place(source), size_of(source)
        sign = self.begin(place, size, size == 1)
        self.lines(place.carried).extend(
            looped([ROWS] if place.carried else [], [f"{place.at(j)} {sign} {seed}"])
        )

    # -------------------------------------------------------------- what a vector sends

    def _send(self, vector: Vector, places: list[int]) -> None:
        carried, slope = self.carries(vector), self.place(vector)
        views = {vector.operands[i].sources: vector.operands[i] for i in places}
        together = {
            sources: self._beside(view, carried)
            for sources, view in views.items()
            if len(sources) > 1
        }
        {"dot": self._send_dot, "sum": self._send_sum}.get(vector.row.name, self._send_row)(
            vector, places, slope
        )
        for sources, place in together.items():
            self._split(sources, place)

    def _beside(self, view: View, carried: bool) -> Place:
        """Slopes by several sources side by side, which begin at 0."""
        place = self.at.get(view.sources)
        if place is None or place.carried is not carried:
            place = self.at[view.sources] = self.loops.array(view.size, carried, "dbeside")
        self.lines(carried).append(
            f"clear({place.name}[: {view.size} * n])" if carried else f"clear({place.name})"
        )
        self._begun.add(place.name)
        return place

    def _split(self, sources: Sequence[Any], beside: Place) -> None:
        """Send slopes that stand side by side on to their sources."""
        begin = 0
        for source in sources:
            size, first = size_of(source), begin
            begin += size
            if source not in self.wanted:
                continue
            place, i = self.place(source), once("i", size)
            there = f"{first} + i" if size > 1 and first else i if size > 1 else f"{first}"
            if beside.carried and not place.carried:
                self.inside += looped(
                    [("i", size)], [f"{place.at(i)} += sum_of({beside.all_rows(there)})"]
                )
            else:
                sign = self.begin(place, size, True)
                loops = [("i", size), *([ROWS] if place.carried else [])]
                self.lines(beside.carried).extend(
                    looped(loops, [f"{place.at(i)} {sign} {beside.at(there)}"])
                )

    def target(self, view: View) -> Place:
        """Where slopes by what a view looks into are."""
        first, *others = view.sources
        return self.at[view.sources] if others else self.place(first)

    def spread(
        self, vector: Vector, view: View, variables: str, sent: str, alone: bool = True
    ) -> None:
        """Send a share of each number of a vector, and of each item of its lists, to where a view looks."""
        place, carried = self.target(view), self.carries(vector)
        index = self.loops.tables.index(view.index, variables)
        outer: list[tuple[str, int | str]] = list(zip(variables, view.index.shape))
        if carried and not place.carried:
            buffer = self.loops.array(1, True, "shares")
            lines = looped([ROWS], [f"{buffer.at('0')} = {sent}"])
            self.inside += looped(
                outer, [*lines, f"{place.at(index)} += sum_of({buffer.all_rows('0')})"]
            )
            return
        sign = self.begin(place, view.size, alone and is_all(view.index, view.size))
        self.lines(carried).extend(
            looped([*outer, *([ROWS] if carried else [])], [f"{place.at(index)} {sign} {sent}"])
        )

    def _pass_on(self, vector: Vector, view: View, slope: Place) -> None:
        """Send the slopes of a vector as they are: to the bias of dots."""
        place, strides = self.target(view), Strides.of(view.index)
        if slope.carried and not place.carried and strides is not None:
            first, size = strides.first, vector.size
            if strides.steps == (1,) and size > 1:
                part = place.name if size == view.size else f"{place.name}[{first}:{first + size}]"
                self.inside.append(f"add_sums({slope.name}, {part}, n)")
                return
            if strides.steps == (0,):
                self.inside.append(f"{place.at(str(first))} += sum_of({slope.name}[: {size} * n])")
                return
        self.spread(vector, view, "i", slope.at(once("i", vector.size)))

    def _send_sum(self, vector: Vector, places: list[int], slope: Place) -> None:
        self.spread(vector, vector.operands[0], "ik", slope.at(once("i", vector.size)))

    # -------------------------------------------------------------- rows

    def _send_row(self, vector: Vector, places: list[int], slope: Place) -> None:
        """The shares of a row: its slopes, or what it sends, in one loop."""
        loops, row, carried = self.loops, vector.row, self.carries(vector)
        partials, steps = self._partials(vector, places)
        read = {
            word
            for text in [*partials.values(), *(text for _, text in steps)]
            for word in words(text)
        }
        flat = self._is_flat(vector, places, read)
        lines, local = loops.operands(vector, flat, read)
        for name, place in {
            "d": slope,
            "out": loops.at[vector],
            **loops.kept.get(vector, {}),
        }.items():
            if name in read or name == "d":
                local[name] = loops.own(name)
                lines.append(f"{local[name]} = {loops.number_of(place, vector, flat)}")
        for name, text in steps:
            text = filled(text, local)
            local[name] = loops.own(name)
            lines.append(f"{local[name]} = {text}")
        behind: list[str] = []
        for i in places:
            view, name = vector.operands[i], row.operands[i]
            alone = sum(view.sources == vector.operands[other].sources for other in places) == 1
            text = filled(partials[name], local)
            if name in LISTS:
                lines += self._to_list(view, text, local["d"])
            else:
                sent = text if sends(row) else share(text, local["d"], loops.total)
                more, after = self._to_one(vector, view, sent, alone, flat)
                lines += more
                behind += after
        nest = loops.nest(vector, carried, flat)
        self.lines(carried).extend(looped(nest[:1], [*looped(nest[1:], lines), *behind]))

    def _is_flat(self, vector: Vector, places: list[int], read: set[str]) -> bool:
        """Whether one loop over all numbers of all rows does."""
        if vector.row.takes_lists or not vector.has_rows:
            return False
        views = [view for name, view in zip(vector.row.operands, vector.operands) if name in read]
        targets = [vector.operands[place] for place in places]
        return self.loops.is_flat(vector, [*views, *targets]) and all(
            self.target(view).carried for view in targets
        )

    def _partials(
        self, vector: Vector, places: list[int]
    ) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """What goes back to each operand, before the slope is multiplied in, and the lines on the way."""
        row = vector.row
        if sends(row):
            return {row.operands[place]: sends(row)[place] for place in places}, []
        steps, partials = [], {}
        wanted = {row.operands[place] for place in places}
        for name, text in self.loops.text(vector)[1]:
            operand = name[1:]
            if operand not in row.operands or operand in LISTS:
                steps.append((name, text))
            if operand in wanted:
                partials[operand] = name if operand in LISTS else text
        return partials, steps

    def _to_list(self, view: View, partials: str, d: str) -> list[str]:
        """The lines that send a share to each item of a list."""
        place, count = self.target(view), view.index.shape[1]
        sign = self.begin(place, view.size)
        sent = share(f"{partials}[{once('k', count)}]", d, self.loops.total)
        return looped(
            [("k", count)], [f"{place.at(self.loops.tables.index(view.index, 'ik'))} {sign} {sent}"]
        )

    def _to_one(
        self, vector: Vector, view: View, sent: str, alone: bool, flat: bool
    ) -> tuple[list[str], list[str]]:
        """The lines that send a share, and those behind the loop over rows where it is summed over them."""
        place = self.target(view)
        if flat:
            return [
                f"{place.along(int(view.index[0]))} {self.begin(place, view.size, alone and vector.size == view.size)} {sent}"
            ], []
        index = self.loops.tables.index(view.index, "i")
        if self.carries(vector) and not place.carried:
            buffer = self.loops.array(1, True, "shares")
            return [f"{buffer.at('0')} = {sent}"], [
                f"{place.at(index)} += sum_of({buffer.all_rows('0')})"
            ]
        return [
            f"{place.at(index)} {self.begin(place, view.size, alone and is_all(view.index, view.size))} {sent}"
        ], []

    # -------------------------------------------------------------- dots

    def _send_dot(self, vector: Vector, places: list[int], slope: Place) -> None:
        ws, xs, bias = vector.operands
        layer, d = self.loops.layers.get(vector), slope.at(once("i", vector.size))
        if 2 in places:
            self._pass_on(vector, bias, slope)
        if (
            0 in places
            and 1 in places
            and ws.sources == xs.sources
            and (ws.index == xs.index).all()
        ):  # a sum of squares
            self.spread(
                vector, ws, "ik", f"2.0 * ({share(self.loops.item(ws, 'ik'), d, self.loops.total)})"
            )
            return
        for view, place, other in ((ws, 0, xs), (xs, 1, ws)):
            if place not in places:
                continue
            target = self.target(view)
            if layer and not self.loops.total and has_rows(view):
                self._to_data(layer, slope, target)
            elif layer and not self.loops.total and not target.carried:
                self._to_matrix(layer, slope, target)
            else:
                self.spread(
                    vector,
                    view,
                    "ik",
                    share(self.loops.item(other, "ik"), d, self.loops.total),
                    alone=False,
                )

    def _to_data(self, layer: Layer, slope: Place, target: Place) -> None:
        """dxₖ += Σᵢ wᵢₖ dᵢ."""
        loops, size = self.loops, layer.carried.size
        if not loops.is_large(layer):
            self.begin(target, size)
            terms = layer.terms(loops.beside(layer.plain), turned=True)
            self.inside += looped(
                [("o", layer.outer)],
                [f"add_dots({terms}, {layer.result(slope)}, {layer.data(target)}, n)"],
            )
            return
        matrix = loops.matrix(layer)
        turned = matrix[:-2] if matrix.endswith(".T") else f"{matrix}.T"
        sums, first = f"{target.name}_sums", layer.of_carried.first
        sign = self.begin(target, size, layer.count == size)
        self.inside.append(f"{sums} = {turned} @ {self._matrix(slope, layer)}")
        k = once("k", layer.count)
        into = target.at(k if not first else f"{first} + {k}" if k == "k" else str(first))
        self.inside += looped([("k", layer.count), ROWS], [f"{into} {sign} {sums}[{k}, r]"])

    def _to_matrix(self, layer: Layer, slope: Place, target: Place) -> None:
        """dwᵢₖ += Σ dᵢ xₖ over the rows."""
        loops = self.loops
        if not loops.is_large(layer):
            data, terms = layer.data(loops.beside(layer.carried)), layer.terms(target)
            self.inside += looped(
                [("o", layer.outer)], [f"add_products({layer.result(slope)}, {data}, {terms}, n)"]
            )
            return
        data, into = loops.data_of(layer), layer.matrix(target)
        name, of = (into[:-2], ".T") if into.endswith(".T") else (into, "")
        turned = data[:-2] if data.endswith(".T") else f"{data}.T"
        product = f"{self._matrix(slope, layer)} @ {turned}"
        self.inside.append(
            f"{name}[:] += ({product}){of}" if name.endswith(")") else f"{name} += ({product}){of}"
        )

    def _matrix(self, slope: Place, layer: Layer) -> str:
        return f"{slope.name}[: {layer.inner} * n].reshape({layer.inner}, n)"
