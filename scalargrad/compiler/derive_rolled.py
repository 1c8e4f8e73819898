"""The derivative of a rolled program, as another rolled program.   (floor 3)

The program is written in lines first, and the slopes are further vectors behind it. A slope goes
where a view looked: composing index arrays is all there is to it. A number that is read several
times gets a sum of shares; a sum of products is a `dot`, and over the rows of data a sum of
products over rows: so `x.T @ dz` comes about by itself, and no emitter knows a derivative.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy

from . import lower
from .lower import Line, decided, known, lines
from .program import Block
from .roll import Numbers, Rolled, Vector, View, has_rows, pulls, size_of
from .views import is_same, names_of

# A slope for each number, or a partial and the slope that it is multiplied by.
Share = View | tuple[View, View]


WHOLE = {"sum": lower.SUM, "dot": lower.DOT, "_choose": lower.CHOOSE, **lower.LISTED}
SINGLES = 64  # shares of single numbers of a source that are added up one by one


class Root(NamedTuple):
    """A result that slopes are taken of: a number of a source, and the slope it begins with."""

    source: Any
    place: int
    seed: View


# ------------------------------------------------------------------ views


def whole(source: Any) -> View:
    """All numbers of a source."""
    return View((source,), numpy.arange(size_of(source)))


def constant(number: float, count: int = 1) -> View:
    """A number, so many times."""
    return View((Numbers((number,)),), numpy.zeros(count, dtype=numpy.intp))


def at(view: View, index: Any) -> View:
    """The numbers of a view at an index."""
    return narrowed(view.sources, view.index.ravel()[index])


def narrowed(sources: Sequence[Any], index: Any) -> View:
    """A view without the sources that it does not look into."""
    if len(sources) == 1:
        return View(tuple(sources), index)
    ends = numpy.cumsum([size_of(source) for source in sources])
    which = numpy.searchsorted(ends, index, side="right")
    read = numpy.flatnonzero(numpy.bincount(which.ravel())).tolist()
    if len(read) == len(sources):
        return View(tuple(sources), index)
    begins = numpy.concatenate([[0], ends[:-1]])
    kept = [sources[i] for i in read]
    shift = numpy.zeros(len(sources), dtype=numpy.intp)
    shift[read] = numpy.cumsum([0, *map(size_of, kept)])[:-1]
    return View(tuple(kept), index - begins[which] + shift[which])


def beside(views: Sequence[View]) -> View:
    """One view of all, one after the other."""
    sources: list[Any] = []
    begins: dict[Any, int] = {}
    parts, end = [], 0
    for view in views:
        offsets = []
        for source in view.sources:
            key = source.bits if isinstance(source, Numbers) else source
            if key not in begins:
                begins[key] = end
                sources.append(source)
                end += size_of(source)
            offsets.append(begins[key] + numpy.arange(size_of(source)))
        parts.append(numpy.concatenate(offsets)[view.index.ravel()])
    return View(tuple(sources), numpy.concatenate(parts))


def one_number(view: View) -> float | None:
    """The constant that a view is everywhere; None where it is none."""
    if len(view.sources) != 1 or not isinstance(view.sources[0], Numbers) or not view.index.size:
        return None
    first = view.index.flat[0]
    return view.sources[0].data[first] if (view.index == first).all() else None


# ------------------------------------------------------------------ the passes


class Derived:
    """A rolled program in lines, and behind them the slopes that are asked for.

    With `fast`, operations are written as they do where nothing overflows, and a slope of 0 may
    meet an infinity: the result is right if it is finite. `per_row` says that each row has a result
    of its own, `in_lines` that vectors are single numbers: their slopes are, too, each of one sum.
    """

    def __init__(
        self, rolled: Rolled, per_row: bool = False, fast: bool = False, in_lines: bool = False
    ) -> None:
        self.rolled, self.per_row, self.fast, self.in_lines = rolled, per_row, fast, in_lines
        self.vectors: list[Vector] = []
        self.now: dict[Any, View] = {block: whole(block) for block in rolled.blocks}
        self._local: dict[Vector, dict[str, View]] = {}
        self._known: dict[Any, Vector] = {}
        self.origin: dict[Vector, tuple[Vector, str]] = {}  # the vector it is made for, and as what
        for vector in rolled.vectors:
            self.now[vector] = self._value(vector)

    def put(self, line: Line, views: Sequence[View], size: int, label: str = "") -> View:
        """A view of all of a vector; of one that computes the same already, if there is one."""
        key = line, tuple([_identity(view) for view in views])
        if key in self._known:
            return whole(self._known[key])
        carried = line not in (lower.OVER_ROWS, lower.ROW_PRODUCTS) and any(map(has_rows, views))
        vector = Vector(line, tuple(views), size, carried, label)
        self.vectors.append(vector)
        self._known[key] = vector
        return whole(vector)

    def view(self, view: View) -> View:
        """A view of the program as one of the lines."""
        numbers = [isinstance(source, Numbers) for source in view.sources]
        if all(numbers):
            return view
        parts = [
            whole(x) if is_number else self.now[x] for x, is_number in zip(view.sources, numbers)
        ]
        joined = parts[0] if len(parts) == 1 else beside(parts)
        return narrowed(joined.sources, joined.index[view.index])

    def output(self, source: Any, place: int) -> View:
        """The number that an output of the program is."""
        return self.view(View((source,), numpy.array([place])))

    def line(self, line: Line, local: dict[str, View], size: int, label: str = "") -> View:
        """The result of a line for the operands that stand in `local` under their names."""
        if line.text in local:
            return local[line.text]
        if (number := known(line)) is not None:
            return constant(number, size)
        numbers = [(name, one_number(local[name])) for name in sorted(line.asked)]
        asked: Any = tuple([pair for pair in numbers if pair[1] is not None])
        if asked and (simpler := decided(line, asked)) is not line:
            return self.line(simpler, local, size, label)
        return self.put(line, [local[name] for name in line.operands], size, label)

    def _value(self, vector: Vector) -> View:
        op, views = vector.op, [self.view(view) for view in vector.operands]
        if line := WHOLE.get(op.name):
            made = self.put(line, views, vector.size, vector.label)
            self._made_for(vector, "out", made)
            return made
        local = self._local[vector] = dict(zip(op.operands, views))
        for name, line in lines(op, fast=self.fast)[0]:
            local[name] = self.line(line, local, vector.size, vector.label * (name == "out"))
            self._made_for(vector, name, local[name])
        return local["out"]

    def _made_for(self, vector: Vector, name: str, view: View) -> None:
        """Note what a vector is for, which names it; of slopes that are the same, the last."""
        source = view.sources[0]
        if len(view.sources) == 1 and isinstance(source, Vector):
            if self.origin.get(source, (None, name))[1] == name == "slope":
                self.origin[source] = vector, name
            self.origin.setdefault(source, (vector, name))

    def wishes(self) -> dict[Vector, tuple[str, bool]]:
        """Names that people would give, and whether there is a line for each.

        They are z1 and a1 in a layer, and dz1 for what is sent back to it.
        """
        wishes, named = {}, names_of(self.rolled.vectors)
        for made, (vector, role) in self.origin.items():
            name = named[vector]
            wish = {"out": name, "slope": name and f"d{name}"}.get(role, role)
            wishes[made] = wish, bool(name)
        return wishes

    # -------------------------------------------------------------- slopes

    def slopes(self, turns: Sequence[Sequence[Root]], by: Sequence[Block]) -> list[View]:
        """For each block in `by` the slopes of each turn's roots added up, turn by turn.

        All turns are walked at once: they must begin at the same sources.
        """
        self._turns = len(turns)
        self._sent: dict[Any, list[tuple[Any, Share, bool]]] = {}
        seeds: dict[Any, list[tuple[int, View]]] = {}
        for turn, roots in enumerate(turns):
            for source, place, seed in roots:
                seeds.setdefault(source, []).append((turn * size_of(source) + place, seed))
        for source, found in seeds.items():
            index, shares = zip(*found)
            self._sent[source] = [(numpy.array(index), beside(shares), False)]
        for vector, places in pulls(self.rolled, seeds, by):
            slope = self._together(vector)
            self._made_for(vector, "slope", slope)
            for place, share in self._shares(vector, places, slope):
                self._send(vector.operands[place], share, vector.has_rows)
        return self._with_twins([*map(self._together, by)], by)

    def _with_twins(self, views: list[View], by: Sequence[Block]) -> list[View]:
        """Slopes by blocks in which entries that are one parameter have the same."""
        if not any(block.twins for block in by):
            return views
        joined, turns = beside(views), numpy.arange(self._turns)
        begins = dict(zip(by, numpy.cumsum([0, *[view.index.size for view in views]])))
        for k, block in enumerate(by):
            index = begins[block] + numpy.arange(views[k].index.size)
            for place, x in block.twins.items():
                there = begins[x.block] + x.place + turns * size_of(x.block)
                index[place + turns * size_of(block)] = there
            views[k] = at(joined, index)
        return views

    def _send(self, view: View, share: Share, carried: bool) -> None:
        """Send a share to each number that a view of the program looks at, in each turn."""
        end, flat = 0, view.index.ravel()
        for source in view.sources:
            begin, end = end, end + size_of(source)
            inside = (flat >= begin) & (flat < end)
            if isinstance(source, Numbers) or not inside.any():
                continue
            over = carried and not source.has_rows and not self.per_row
            index, part = flat[inside] - begin, share
            if self._turns > 1:
                steps = numpy.arange(self._turns)[:, None]
                index = (steps * size_of(source) + index).ravel()
            if not inside.all():
                every = numpy.tile(inside, self._turns)
                part = _each(share, lambda x, every=every: at(x, every))
            self._sent.setdefault(source, []).append((index, part, over))

    def _together(self, source: Any) -> View:
        """The slopes by a source: the sum of all shares that came."""
        size = size_of(source) * self._turns
        parts: list[View] = []
        rest: dict[tuple[bool, bool], list[tuple[Any, Share]]] = {}
        one_by_one: list[tuple[Any, Share]] = []
        for index, share, over in self._sent.pop(source, []):
            counts = numpy.bincount(index, minlength=size)
            is_one = len(index) == self._turns and not over
            if (counts == counts[0]).all() and counts[0]:  # a product of matrices, say
                if counts[0] == 1:
                    parts.append(self._made(share, numpy.argsort(index, kind="stable"), over))
                else:
                    parts.append(self._gathered([(index, share)], size, over))
            elif is_one and (self.in_lines or len(one_by_one) < SINGLES):
                one_by_one.append((index, share))
            else:
                rest.setdefault((isinstance(share, tuple), over), []).append((index, share))
        for (_, over), some in rest.items():
            parts.append(self._gathered(some, size, over))
        if one_by_one:
            parts.append(self._one_by_one(one_by_one, size))
        return self._added(parts, size) if parts else constant(0.0, size)

    def _added(self, parts: Sequence[View], size: int) -> View:
        """The sum of views of so many numbers."""
        total = parts[0]
        if self.in_lines and size == 1 < len(parts):
            joined = beside(parts)
            return self.put(lower.SUM, (View(joined.sources, joined.index[None]),), 1)
        for part in parts[1:]:
            total = self.put(lower.ADD, (total, part), size)
        return total

    def _one_by_one(self, some: Sequence[tuple[Any, Share]], size: int) -> View:
        """Shares of single numbers: those of each are added up."""
        found: dict[bytes, tuple[Any, list[View]]] = {}
        for index, share in some:
            made = self._made(share, numpy.arange(len(index)), False)
            found.setdefault(index.tobytes(), (index, []))[1].append(made)
        indices, views = zip(*[(x, self._added(parts, len(x))) for x, parts in found.values()])
        joined = _with_zero(*views)
        places = numpy.full(size, joined.index[-1])
        places[numpy.concatenate(indices)] = joined.index[:-1]
        return narrowed(joined.sources, places)

    def _gathered(self, some: Sequence[tuple[Any, Share]], size: int, over: bool) -> View:
        """Shares that come to some numbers, or several times to one.

        Numbers that get about as many are made together.
        """
        index = numpy.concatenate([index for index, _ in some])
        shares = [share for _, share in some]
        share: Any = (
            tuple(beside([x[k] for x in shares]) for k in (0, 1))  # type: ignore[index]
            if isinstance(shares[0], tuple)
            else beside(shares)  # type: ignore[arg-type]
        )
        counts = numpy.bincount(index, minlength=size)
        order = numpy.argsort(index, kind="stable")
        begins = numpy.cumsum(counts) - counts
        made, places = [constant(0.0)], numpy.zeros(size, dtype=numpy.intp)
        end = 1
        classes = _classes(counts)
        for most in sorted({*classes[classes > 0].tolist()}):
            which = numpy.flatnonzero(classes == most)
            longest = int(counts[which].max())
            places[which] = end + numpy.arange(len(which))
            end += len(which)
            column = begins[which][:, None] + numpy.arange(longest)
            is_there = numpy.arange(longest) < counts[which][:, None]
            table = numpy.where(is_there, order[numpy.minimum(column, len(order) - 1)], len(index))
            padded = share if is_there.all() else _each(share, _with_zero)
            made.append(self._made(padded, table[:, 0] if longest == 1 else table, over))
        joined = beside(made)
        return narrowed(joined.sources, joined.index[places])

    def _made(self, share: Share, index: Any, over: bool) -> View:
        """Shares at an index, one for each number or a list that is added up; over the rows too."""
        size, is_list = len(index), index.ndim == 2
        if isinstance(share, tuple):
            x, y = (at(view, index) for view in share)
            if one_number(y) == 0.0:
                return constant(0.0, size)
            if over and has_rows(y):
                return self.put(lower.ROW_PRODUCTS, (x, y), size)
            if over and has_rows(x):
                flat = self.put(lower.OVER_ROWS, (View(x.sources, x.index.ravel()),), x.index.size)
                x = View(flat.sources, flat.index.reshape(x.index.shape))
                over = False
            made = self.put(lower.SHARES, (x, y), size) if is_list else self._product(x, y, size)
        else:
            made = at(share, index)
            if is_list:
                made = self.put(lower.SUM, (made,), size)
        return self.put(lower.OVER_ROWS, (made,), size) if over else made

    def _product(self, x: View, y: View, size: int) -> View:
        number = one_number(x)
        is_finite = number is not None and number - number == 0.0
        return self.put(lower.MULTIPLY if self.fast or is_finite else lower.SHARE, (x, y), size)

    def _times(self, partial: View, slope: View) -> Share:
        """A partial and the slope it is multiplied by, or their product where one is known."""
        p, d = one_number(partial), one_number(slope)
        size = slope.index.size
        if d == 0.0:
            return constant(0.0, size)
        if p is not None and d is not None:
            return constant(p * d, size)
        if p == 1.0:
            return slope
        if p == -1.0:
            return self.put(lower.NEGATE, (slope,), size)
        return partial if d == 1.0 else (partial, slope)

    def _tiled(self, view: View) -> View:
        """A view once for each turn, flat."""
        flat = view.index.ravel()
        return View(view.sources, numpy.tile(flat, self._turns) if self._turns > 1 else flat)

    def _shares(
        self, vector: Vector, places: Sequence[int], slope: View
    ) -> Iterable[tuple[int, Share]]:
        """The shares that a vector sends to its operands."""
        op, name, size = vector.op, vector.op.name, vector.size
        views = [self.view(view) for view in vector.operands]
        count = vector.operands[0].index.shape[1] if vector.operands[0].index.ndim == 2 else 1
        which = numpy.repeat(numpy.arange(slope.index.size), count)
        spread = at(slope, which)
        if name == "sum":
            return [(0, spread)]
        if name == "dot":
            if {0, 1}.issubset(places) and is_same(*views[:2]):  # a sum of squares
                double = self.put(lower.TWICE, (slope,), slope.index.size)
                spread, places = at(double, which), [p for p in places if p != 1]
            return [
                (p, slope if p == 2 else self._times(self._tiled(views[1 - p]), spread))
                for p in places
            ]
        if name in lower.LIST_SLOPES:
            made = self.put(lower.LIST_SLOPES[name], (views[0], self.now[vector]), size * count)
            return [(0, self._times(self._tiled(made), spread))]
        if name == "_choose":
            zero, all_turns = constant(0.0, slope.index.size), self._tiled(views[0])
            ways = {1: (all_turns, slope, zero), 2: (all_turns, zero, slope)}
            return [(p, self.put(lower.CHOOSE, ways[p], slope.index.size)) for p in places]
        local = {**self._local[vector], "out": self.now[vector]}
        by = tuple(op.operands[p] for p in places)
        for made_name, line in lines(op, by, self.fast)[1]:
            local[made_name] = self.line(line, local, size)
        slopes = [self._tiled(local[f"d{operand}"]) for operand in by]
        return [(p, self._times(x, slope)) for p, x in zip(places, slopes)]


def _identity(view: View) -> Any:
    """A key that is equal for views of the same numbers."""
    sources = [source.bits if isinstance(source, Numbers) else source for source in view.sources]
    return (*sources, view.index.shape, view.index.tobytes())


def _with_zero(*views: View) -> View:
    return beside([*views, constant(0.0)])


def _each(share: Share, change: Any) -> Any:
    return tuple(map(change, share)) if isinstance(share, tuple) else change(share)


def _classes(counts: Any) -> Any:
    """Counts of shares, rounded up: all the same if that wastes little, else to powers of two."""
    some = counts > 0
    most = int(counts.max())
    if counts.sum() * 2 >= most * some.sum():
        return numpy.where(some, most, 0)
    return numpy.where(some, 2 ** numpy.ceil(numpy.log2(numpy.maximum(counts, 1))).astype(int), 0)


def live(vectors: Sequence[Vector], views: Iterable[View]) -> list[Vector]:
    """The vectors that some views are made of."""
    read = {source for view in views for source in view.sources}
    kept = []
    for vector in reversed(vectors):
        if vector in read:
            read.update(source for view in vector.operands for source in view.sources)
            kept.append(vector)
    return kept[::-1]
