"""Rolled programs as NumPy: a vector an array, a layer a product of matrices.   (floor 3)

Nothing here knows a derivative: slopes are vectors like others. Rows are the leading axis. A vector
is written in the shape and the order in which its operands stand: nothing is turned or copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..derive_rolled import Derived, live
from ..dialects.numpy import array_names, on_arrays
from ..dialects.numpy_text import Expression, Expressions, lines_of, template
from ..layout import definition, described, tuple_of
from ..lower import DOT, MULTIPLY, OVER_ROWS, ROW_PRODUCTS, ROW_SHARE, ROWS, SHARES, SUM, Line
from ..naming import Names
from ..program import Block
from ..reduced import outputs_of, slopes_of
from ..roll import Rolled, Vector, View, has_rows
from ..views import one_of
from .numpy_products import Products, shape_of_lists
from .numpy_sources import Held

OWN = "rows", "share", "numpy"


class Arrays(Products):
    """The vectors of derived programs as expressions of arrays.

    `rows` is what the source calls the number of rows, in all, if it has a name for it.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        rows: str = "",
        total: bool = False,
        taken: Sequence[str] = (),
    ) -> None:
        names, x = Names({*OWN, *array_names(), *taken}), Expressions()
        self.blocks = {block: names.take(block.name, "a") for block in blocks}
        carried = [name for block, name in self.blocks.items() if block.has_rows]
        own = "rows" in taken
        super().__init__(names, x, rows if own else f"len({carried[0]})" if carried else "1")
        self.total = total
        every = x.text(rows) if rows else self.count
        each = x.of("1.0 / _0", every, wish="each")
        each.has_line = True
        self.held |= {ROWS: Held(every, None), ROW_SHARE: Held(each, None)}
        for block, name in self.blocks.items():
            self.held[block] = Held(x.text(name), block.shape or (1,), block.has_rows)

    def add(self, derived: Derived, views: Sequence[View], arrays: Iterable[View] = ()) -> None:
        """Write the vectors that views are made of; `arrays` are the views that are no numbers."""
        vectors = live(derived.vectors, views)
        of_arrays = {source for view in arrays for source in view.sources}
        wishes = derived.wishes()
        for vector in vectors:
            before = len(self.x.known)
            held = self.held[vector] = self._value(vector, vector not in of_arrays)
            is_new = held.array.number >= before and held.array.form is not None
            if is_new and not held.array.wish and vector in wishes:
                held.array.wish, held.array.has_line = wishes[vector]

    def result(
        self, view: View, shape: tuple[int, ...], rows: bool = False, wish: str = ""
    ) -> Expression:
        """A result: an array of a shape, or a number, for each row where it has `rows`."""
        array, _ = self.read(view, shape)
        if rows and not any(self.of(source).has_rows for source in view.sources):
            text = f"spread(_0, {self.shape(shape, True)})" if shape else "full(_1, _0)"
            array = self.x.of(text, array, self.count)
        if array.form and wish and not array.wish:
            array.wish, array.has_line = wish, True
        return array

    def _value(self, vector: Vector, as_number: bool) -> Held:
        line = vector.op
        if line is SUM:
            return self.summed(vector)
        if line in (DOT, SHARES):
            return self.dots(vector)
        if line is OVER_ROWS:
            return self.over_rows(vector, as_number)
        if line is ROW_PRODUCTS:
            return self.row_products(vector)
        return self._listed(vector) if line.takes_lists else self._line(vector)

    def _line(self, vector: Vector) -> Held:
        """A line, number by number."""
        line, size = vector.op, vector.size
        numbers = [self.known_number(view) for view in vector.operands]
        written = self.line(line, numbers)
        if isinstance(written, float):
            return Held(self.number(written), None)
        if line is MULTIPLY and _is_outer(*vector.operands):
            columns = [View(v.sources, v.index.reshape(-1, 1)) for v in vector.operands]
            return self.dots(Vector(SHARES, tuple(columns), size, True))
        views = [view for view, number in zip(vector.operands, numbers) if number is None]

        def made(arrays: Sequence[Expression]) -> Any:
            rest = iter(arrays)
            return self.line(line, [next(rest) if x is None else x for x in numbers])

        return self.elementwise(views, size, made)

    def line(self, line: Line, operands: Sequence[Any]) -> Any:
        """A line of expressions and numbers, as one of these; None is for what is not known yet."""
        numbers = [(name, x) for name, x in zip(line.operands, operands) if isinstance(x, float)]
        if line is MULTIPLY and 1.0 in operands:
            return operands[1 - operands.index(1.0)]
        part = on_arrays(line, tuple([(name, repr(x)) for name, x in numbers]))
        return part if isinstance(part, float) or None in operands else self._filled(part, operands)

    def _listed(self, vector: Vector) -> Held:
        """A function of whole lists: a number of each, or a list of each."""
        line, xs = vector.op, vector.operands[0]
        shape = shape_of_lists([xs]) or (1,)
        lists = *shape, xs.index.shape[1]
        arrays = {0: self.read(xs, lists)[0]}
        if "out" in line.operands:
            arrays[1], _ = self.read(vector.operands[1], shape)
            shape = lists
        return Held(self._filled(on_arrays(line), arrays), shape, has_rows(xs))

    def _filled(self, part: Any, arrays: Any) -> Any:
        """A part of a line with its operands."""
        if isinstance(part, int):
            return arrays[part]
        form, parts = (template(part), ()) if isinstance(part, str) else part
        return self.x.of(form, *[self._filled(each, arrays) for each in parts])


def _is_outer(x: View, y: View) -> bool:
    """Whether numbers that are the same for all rows meet one number of each row."""
    some = len(x.index) > 1 and has_rows(y) and not has_rows(x)
    return some and one_of(y.index) is not None


# ------------------------------------------------------------------ functions


def function_source(
    rolled: Rolled, name: str, kind: str, reduce: str | None, total: bool = False, of: str = ""
) -> tuple[list[str], dict[str, Any]]:
    """The source of a function of the blocks, in one piece, and all that it reads by name.

    `kind` is value, value_and_grad or jacobian. The function of a mean takes one argument more,
    `rows`: how many there are, where it is given but some of them.
    """
    by_rows = any(block.has_rows for block in rolled.blocks)
    per_row = by_rows and reduce is None
    over = reduce if by_rows else None
    arrays = Arrays(rolled.blocks, "rows" if over == "mean" else "", total)
    derived = Derived(rolled, per_row, fast=not total)
    values, seeds = outputs_of(derived, over)
    groups = slopes_of(derived, seeds, rolled.wrt) if kind != "value" else []
    slopes = [(block, view) for views in groups for block, view in zip(rolled.wrt, views)]
    views = [view for _, view in slopes]
    arrays.add(derived, [*values, *views], [view for block, view in slopes if block.shape])
    results = [(arrays.result(view, (), per_row), per_row) for view in values]
    for block, view in slopes:
        rows = by_rows and (per_row or block.has_rows)
        made = arrays.result(view, block.shape, rows, f"d{arrays.blocks[block]}")
        results.append((made, bool(block.shape) or rows))
    lines = [text for _, text in lines_of([result for result, _ in results], arrays.names)]
    texts = iter(_owned(results))
    outputs = [next(texts) for _ in values]
    listed = [tuple_of([next(texts) for _ in views]) for views in groups]
    all_values = tuple_of(outputs) if outputs else "()"
    returned = {
        "value": outputs[0] if len(outputs) == 1 else all_values,
        "value_and_grad": ", ".join([*outputs, *listed]),
        "jacobian": f"{all_values}, {tuple_of(listed)}",
    }[kind]
    first = [f"rows = rows or {arrays.count.text}"] if over == "mean" else []
    arguments = [*arrays.blocks.values(), *["rows=None"] * len(first)]
    description = described(rolled, arrays.blocks, kind, reduce, total, of)
    body = [*first, *lines, f"return {returned}"]
    source = definition(name, arguments, description, body)
    return [source], {**array_names(), **arrays.constants}


def _owned(results: Sequence[tuple[Expression, bool]]) -> list[str]:
    """Results as they are returned: copies of arguments, of one another, and of views of any."""
    taken: set[Expression] = set()
    texts = []
    for result, is_array in results:
        *views, base = result.seen
        is_spread = any(view.form and view.form.text.startswith("spread(") for view in views)
        if is_array and (base.form is None or base in taken or is_spread):
            texts.append(template("_0.copy()").of([(result.text, result.binds)]))
        else:
            texts.append(result.text)
        taken.add(base)
    return texts
