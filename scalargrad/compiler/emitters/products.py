"""Sums of products in machine code, by the product of matrices where they make one.   (floor 3)"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy

from ..lower import DOT, ROW_PRODUCTS, SHARES, SUM, Given
from ..program import Block
from ..roll import Numbers, Vector, View, has_rows
from ..strides import Strides, flat_terms, linear, nest_of, steps_of
from .frame import BEFORE, Loop
from .operands import VARIABLES, Operands

SMALL = 64  # products of a matrix that are written as loops
SHORT = 3  # terms of a dot, or rows of a matrix, that no product of matrices is made for
WIDE = 32  # numbers of a row of data that products read where they stand
LARGE = 1024  # numbers of a matrix that is worth a copy where vector instructions read it fastest


class Matrix(NamedTuple):
    """An operand of products: where its numbers begin, how far apart they are along each axis, and
    from row to row of a tile.
    """

    view: View
    stands: bool  # rows of data are read where they are
    first: int
    steps: tuple[int, ...]
    row: int


class Plan(NamedTuple):
    """A product c[m, n] += Σ a[m, k] b[k, n] for each place along the other axes of a nest of
    loops.

    With `zeros`, a slope of 0 hides what it meets: 1 where slopes are in a, 2 where they are in b.
    """

    nest: tuple[int, ...]
    a: Matrix
    b: Matrix
    m: int | None
    n: int | None
    zeros: int


class Products(Operands):
    """A frame with sums of products; without `hides`, a slope of 0 hides nothing that it meets."""

    hides = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.product_of = cache(self._product_of)

    def _placed(self, block: Block) -> str:
        """A block without rows for products: a copy of a large one, which many rows read."""
        name, size = self.name_of[block], len(block.inputs)
        if self.tile == 1 or size < LARGE:
            return self.use(name)
        if block not in self.columns:
            copy = self.columns[block] = self.names.take(f"{name}_a", "copy")
            self.arrays[copy] = size
            with self.piece_of(BEFORE, first=True):
                self.put([("i", size)], [f"{self.use(copy)}[i] = {self.use(name)}[i];"])
        return self.use(self.columns[block])

    # -------------------------------------------------------------- plans

    def _matrix(self, view: View, shape: tuple[int, ...], direct: bool) -> Matrix | None:
        """An operand, if its numbers are linear in the place along some axes."""
        source, is_one = view.sources[0], len(view.sources) == 1
        if is_one and (isinstance(source, Numbers | Given) or self.is_number(source)):
            return None
        strides = Strides.of(view.index.reshape(shape))
        if strides is None:
            return None
        width = len(source.inputs) if is_one and isinstance(source, Block) else 0
        if direct and width >= WIDE and source.has_rows:
            return Matrix(view, True, strides.first, strides.steps, width)
        unit = self.tile if has_rows(view) else 1
        steps = tuple([step * unit for step in strides.steps])
        return Matrix(view, False, strides.first * unit, steps, int(has_rows(view)))

    def _text(self, matrix: Matrix, terms: list[tuple[int, str]]) -> str:
        """The place from which on a product reads."""
        if matrix.stands:
            name = self.use(self.name_of[matrix.view.sources[0]])
            terms = [*terms, (matrix.row, self.use("first"))]
        else:
            source = self.one(matrix.view).sources[0]
            is_block = isinstance(source, Block) and not source.has_rows
            name = self._placed(source) if is_block else self.array(source)
        at = linear(matrix.first, terms)
        return name if at == "0" else f"{name} + {at}"

    def _plan(
        self, x: View, y: View, direct: bool, slope: View | None, carried: bool
    ) -> Plan | None:
        """The plan for sums of products, or products over rows, as a product of matrices whose rows
        are next to one another.
        """
        nest = nest_of([x.index, y.index])
        if nest is None:
            return None
        shape = (*nest, *x.index.shape[1:])
        a, b = self._matrix(x, shape, direct), self._matrix(y, shape, direct)
        if a is None or b is None:
            return None
        axes, out = [axis for axis, n in enumerate(nest) if n > 1], steps_of(nest)

        def longest(of: Matrix, other: Matrix) -> int | None:
            found = [axis for axis in axes if of.steps[axis] and not other.steps[axis]]
            return max(found, key=lambda axis: nest[axis], default=None)

        m, n = longest(a, b), None if carried else longest(b, a)
        if n is not None and (m is None or out[n] != 1):
            a, b, m, n = b, a, n, m
        if n is not None and out[n] != 1:
            return None
        return Plan(nest, a, b, m, n, 0 if slope is None else 1 if slope is a.view else 2)

    def _product_of(self, vector: Vector) -> Plan | None:
        """The plan for dots as a product of matrices; None where they are none, or too few."""
        x, y = vector.operands[0], vector.operands[-2 if vector.op is DOT else -1]
        carried, (size, count) = vector.has_rows, x.index.shape
        is_small = count <= SHORT or size * count * (8 if carried else 1) < SMALL
        if vector.op is SUM or is_small or (has_rows(x) and has_rows(y)):
            return None
        slope = y if vector.op is SHARES and self.hides else None
        plan = self._plan(*((y, x) if has_rows(x) else (x, y)), carried, slope, carried)
        is_short = plan and carried and (plan.m is None or plan.nest[plan.m] < SHORT)
        return None if is_short else plan

    # -------------------------------------------------------------- text

    def term(self, line: Any, views: Sequence[View], shape: Any, names: str) -> str:
        """A term of a sum: a number, a product, or a share, which is nothing if its slope is 0."""
        texts = [self.item(view, shape, names) for view in views]
        if line in (SHARES, ROW_PRODUCTS) and self.hides:
            self.calls.add("share_of")
            return f"share_of({', '.join(texts)})"
        return " * ".join(f"({text})" if text[0] == "-" else text for text in texts)

    def sums(self, vector: Vector) -> None:
        """Sums that have loops of their own: a product of matrices, or each a call, where they are
        one; else term by term for all rows of a tile.
        """
        plan, line, carried, size = self.product_of(vector), vector.op, vector.has_rows, vector.size
        factors = vector.operands[:1] if line is SUM else vector.operands[:2]
        count = factors[0].index.shape[1]
        start = vector.operands[2] if line is DOT else None
        if plan and not carried and plan.n is None:
            first = self.item(start, plan.nest, VARIABLES) if start else "0.0"
            function = "shares_of" if plan.zeros else "dot_of"
            self.calls.add(function)
            sides = (plan.a, plan.b)[:: -1 if plan.zeros == 1 else 1]
            texts = [self._text(x, [*zip(x.steps[:-1], VARIABLES)]) for x in sides]
            given = ", ".join([f"{text}, {x.steps[-1]}" for x, text in zip(sides, texts)])
            text = f"{f'{first} + ' * (first != '0.0')}{function}({count}, {given})"
            place = self.at(vector, flat_terms(plan.nest, VARIABLES))
            self.put([*zip(VARIABLES, plan.nest)], [self.line(vector, place, text)])
            return
        loops, place = [("i", size), *self.rows(carried)], self.one_of(vector)
        self.put(loops, [f"{place} = {self.item(start, (size,), 'i') if start else '0.0'};"])
        if plan is None:
            term = self.term(line, factors, (size, count), "ik")
            self.put([("i", size), ("k", count), *self.rows(carried)], [f"{place} += {term};"])
            return
        b = plan.b
        if carried:  # what stands in tiles has a number for each of its rows
            wide, bn = (self.use("wide"), 1) if b.row == 1 else (self.use("here"), b.row)
        else:
            wide, bn = str(plan.nest[plan.n or 0]), b.steps[plan.n or 0]
        unit, steps = self.tile if carried else 1, (plan.a.steps[-1], b.steps[-1], bn)
        self._call(vector, plan, wide, str(count), steps, unit, [])

    def _call(
        self, vector: Vector, plan: Plan, wide: str, count: str, steps: tuple[int, int, int],
        unit: int, inner: list[tuple[str, int]],
    ) -> None:  # fmt: skip
        """A call of `product` in loops over the axes that are neither m nor n, and over those
        inside of it.
        """
        nest, a, b, m, n, zeros = plan
        out, (ak, bk, bn) = steps_of(nest), steps
        outer = [axis for axis in range(len(nest)) if axis not in (m, n) and nest[axis] > 1]
        texts = []
        for x in (a, b):
            terms = [(x.steps[axis], VARIABLES[axis]) for axis in outer]
            texts.append(self._text(x, [*terms, *[(x.steps[-1], name) for name, _ in inner]]))
        into = linear(0, [(out[axis] * unit, VARIABLES[axis]) for axis in outer])
        name = self.use(self.name_of[vector])
        c = name if into == "0" else f"{name} + {into}"
        rows, am, cm = (1, 0, 0) if m is None else (nest[m], a.steps[m], out[m] * unit)
        self.calls.add("product")
        left, right = f"{texts[0]}, {am}, {ak}", f"{texts[1]}, {bk}, {bn}"
        call = f"product({rows}, {wide}, {count}, {left}, {right}, {c}, {cm}, {zeros});"
        self.put([*[(VARIABLES[axis], nest[axis]) for axis in outer], *inner], [call])

    def over_rows(self, vector: Vector) -> None:
        """The sum over the rows of each number, or of products."""
        size, views = vector.size, vector.operands
        loops: list[Loop] = [("i", size)]
        if not any(map(has_rows, views)):  # the same in each row
            text = f"{self.use('n') and self.dialect.rows} * {self.item(views[0], (size,), 'i')}"
            self.put(loops, [self.line(vector, self.one_of(vector), text)])
            return
        with self.piece_of(BEFORE):
            at = self.one_of(vector)
            is_named = self.is_named(vector)
            self.put(loops, [self.dialect.variable(at, "0.0") if is_named else f"{at} = 0.0;"])
        if self.tile > 1:
            self._over_tile(vector)
            return
        count = views[0].index.shape[1] if views[0].index.ndim == 2 else 1
        nest = nest_of([view.index for view in views]) or (size,)
        names = VARIABLES[: len(nest)]
        term = self.term(vector.op, views, (*nest, count), f"{names}k")
        place = self.at(vector, flat_terms(nest, names))
        self.put([*zip(names, nest), ("k", count)], [f"{place} += {term};"])

    def _over_tile(self, vector: Vector) -> None:
        """Add up the rows of a tile: of numbers, or of products, as a product of matrices where
        they make one.
        """
        size, here, hides = vector.size, self.use("here"), self.hides
        x, *ys = [View(v.sources, v.index.reshape(size, -1)) for v in vector.operands]
        count = x.index.shape[1]
        if not ys:
            ys, hides = [View((Numbers((1.0,)),), numpy.zeros_like(x.index))], False
        views = x, ys[0]
        plan = self._plan(*views, True, ys[0] if hides else None, False) if has_rows(x) else None
        if plan and plan.m is not None and plan.n is not None:
            steps = plan.a.row, plan.b.row, plan.b.steps[plan.n]
            self._call(
                vector, plan, str(plan.nest[plan.n]), here, steps, 1, [("k", count)][: count - 1]
            )
            return
        function = "shares_of" if hides else "dot_of"
        self.calls.add(function)
        for k in range(count):
            parts = [self._column(View(view.sources, view.index[:, k])) for view in views]
            given = ", ".join([f"{text}, {step}" for text, step in parts])
            self.put([("i", size)], [f"{self.one_of(vector)} += {function}({here}, {given});"])

    def _column(self, view: View) -> tuple[str, int]:
        """The place where the rows of number i begin, and the step from one to the next."""
        source, i = view.sources[0], "i" if len(view.index) > 1 else ""
        if isinstance(source, Numbers) and len(view.sources) == 1:
            data = numpy.array(source.data)[view.index]
            are_alike = data.tobytes() == data[:1].tobytes() * len(data)
            table = self.tables.of(data[:1] if are_alike else data, self.names.taken)
            return f"{table} + i" if not are_alike else table, 0
        view = self.one(view)
        source = view.sources[0]
        if isinstance(source, Given) or self.is_number(source):
            return f"&{self.item(view, (len(view.index),), i)}", 0
        (terms, first), unit = self.terms(view.index, i), self.tile if has_rows(view) else 1
        at = linear(first * unit, [(step * unit, name) for step, name in terms])
        return f"&{self.array(source)}[{at}]", int(has_rows(view))
