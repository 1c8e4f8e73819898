"""Steps as vectors of one number each, for programs in which few steps are alike.   (floor 3)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from ..derive import live_steps
from ..lower import LIST_SLOPES, OVER_ROWS, ROW_PRODUCTS, ROW_SHARE, ROWS, SUM
from ..program import Constant, Input, Step, grouped
from ..roll import Numbers, Vector, View, has_rows, size_of


class Singles:
    """The vectors that some numbers are made of, a vector for each step."""

    def __init__(self, xs: Sequence[Any]) -> None:
        self.vectors: list[Vector] = []
        self._place: dict[Any, tuple[Any, int]] = {x: (x, 0) for x in (ROWS, ROW_SHARE)}
        for step in live_steps(xs):
            self._place[step] = self._made(step)

    def _made(self, step: Step) -> tuple[Vector, int]:
        """The vector of a step, and where in it the number is."""
        line, lists = step.op, grouped(step.op, step.operands)
        if line.name.startswith("item "):
            return self._place[step.operands[0]][0], int(line.name[5:])
        if line is SUM and len(lists[0]) > 1 and str(getattr(lists[0][0], "data", "")) == "0.0":
            lists = [lists[0][1:]]
        views = [self.view([x]) if x.__class__ is not list else self._of_list(x) for x in lists]
        size = len(lists[0]) if line in LIST_SLOPES.values() else 1
        carried = line not in (OVER_ROWS, ROW_PRODUCTS) and any(map(has_rows, views))
        self.vectors.append(Vector(line, tuple(views), size, carried, step.label))
        return self.vectors[-1], 0

    def _of_list(self, xs: Sequence[Any]) -> View:
        view = self.view(xs)
        return View(view.sources, view.index[None])

    def view(self, xs: Sequence[Any]) -> View:
        """A view of numbers side by side."""
        begins: dict[Any, int] = {}
        sources: list[Any] = []
        index, end = [], 0
        for x in xs:
            source: Any
            if x.__class__ is Constant:
                key, source, place = str(x.data), Numbers((x.data,)), 0
            else:
                source, place = (x.block, x.place) if isinstance(x, Input) else self._place[x]
                key = source
            if key not in begins:
                begins[key] = end
                sources.append(source)
                end += size_of(source)
            index.append(begins[key] + place)
        return View(tuple(sources), numpy.array(index, dtype=numpy.intp))
