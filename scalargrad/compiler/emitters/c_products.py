"""Sums of lists and of products in C, over items and over rows: where they make matrices, by the product of matrices.   (floor 3)"""

from __future__ import annotations

import numpy

from ..derive_rolled import Given
from ..lower import DOT, SHARES, SUM
from ..program import Block
from ..roll import Numbers, Vector, View, has_rows
from ..strides import Strides, linear, nest_of
from .c_frame import WIDE, Frame
from .c_text import Piece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SMALL = 64  # products of a matrix that are written as loops
SHORT = 3  # terms of a dot, or rows of a matrix, that no product of matrices is made for
FEW = 8  # terms that are added up in one line


class Matrix:
    """Where the numbers of an operand stand: text of the first, a step for each axis, and for each row of a tile."""

    def __init__(self, name: str, strides: Strides, unit: int, row: int) -> None:
        self.name, self.row = name, row
        self.first, self.steps = (
            strides.first * unit,
            tuple([step * unit for step in strides.steps]),
        )

    def at(self, terms: list[tuple[int, str]], extra: str = "") -> str:
        """The place from which on a product reads."""
        text = linear(self.first, terms)
        if extra:
            text = f"{extra} + {text}" if text != "0" else extra
        return self.name if text == "0" else f"{self.name} + {text}"


class Products(Frame):
    """What a function in C is, as far as sums and products go; `Function` has the rest."""

    hides: bool  # a slope of 0 sends 0, whatever it meets
    use: Any
    place_of: Any
    looked: Any
    item: Any
    rows: Any
    row_at: Any

    # -------------------------------------------------------------- over items

    def added(self, stage: int, vector: Vector) -> None:
        """Sums of items, or of products of items, for each number of a vector."""
        line, carried = vector.row, vector.has_rows
        factors = vector.operands[:1] if line is SUM else vector.operands[:2]
        size, count = factors[0].index.shape
        start = vector.operands[2] if line is DOT else None
        piece = Piece()
        name = self.name_of[vector]
        piece.uses[name] = None
        if (
            line is not SUM
            and count > SHORT
            and self._by_product(piece, stage, vector, factors, start)
        ):
            self.pieces[stage].append(piece)
            return
        i = [(1, "i")] if size > 1 else []
        at = f"{name}[{self.row_at(0, i) if carried else linear(0, i)}]"
        first = self.item(piece, stage, start, (size,), "i") if start is not None else "0.0"
        if line is SHARES and self.hides:
            piece.calls.add("share_of")
        if count <= FEW:
            terms = []
            for k in range(count):
                columns = [View(view.sources, view.index[:, k]) for view in factors]
                texts = [self.item(piece, stage, column, (size,), "i") for column in columns]
                terms.append(
                    f"share_of({texts[0]}, {texts[1]})"
                    if line is SHARES and self.hides
                    else " * ".join(texts)
                )
            text = " + ".join([*([first] if first != "0.0" or not terms else []), *terms])
            piece.add([("i", size), *self.rows(carried)], [f"{at} = {text};"])
            self.pieces[stage].append(piece)
            return
        texts = [self.item(piece, stage, view, (size, count), "ik") for view in factors]
        term = (
            f"share_of({texts[0]}, {texts[1]})"
            if line is SHARES and self.hides
            else " * ".join(texts)
        )
        s = self.names.take("", "s")
        if carried:
            tile = self.tile
            lines = [
                "{", f"    double {s}[{tile}];", f"    for (long r = 0; r < {tile}; r++)", f"        {s}[r] = {first};",
                f"    for (long k = 0; k < {count}; k++)", f"        for (long r = 0; r < {tile}; r++)", f"            {s}[r] += {term};",
                f"    for (long r = 0; r < {tile}; r++)", f"        {at} = {s}[r];", "}",
            ]  # fmt: skip
        else:
            lines = [
                "{",
                f"    double {s} = {first};",
                f"    for (long k = 0; k < {count}; k++)",
                f"        {s} += {term};",
                f"    {at} = {s};",
                "}",
            ]
        piece.add([("i", size)], lines)
        self.pieces[stage].append(piece)

    def _matrix(
        self, piece: Piece, stage: int, view: View, shape: tuple[int, ...], direct: bool
    ) -> Matrix | None:
        """Where an operand's numbers stand, if they are linear in the place along some axes."""
        source = view.sources[0]
        if len(view.sources) == 1 and (
            isinstance(source, Numbers) or (isinstance(source, Block) and not source.shape)
        ):
            return None
        strides = Strides.of(view.index.reshape(shape))
        if strides is None or (
            len(view.sources) == 1 and not hasattr(source, "inputs") and source not in self.name_of
        ):
            return None
        if (
            len(view.sources) == 1
            and isinstance(source, Block)
            and source.has_rows
            and direct
            and len(source.inputs) >= WIDE
        ):
            return Matrix(self.rows_of(piece, source), strides, 1, len(source.inputs))
        view = self.looked(piece, stage, view)
        source = view.sources[0]
        if isinstance(source, Block) and not source.has_rows:
            return Matrix(self.placed_of(piece, source), strides, 1, 0)
        name = self.use(piece, source)
        if source.has_rows:
            return Matrix(name, strides, self.tile, 1)
        return Matrix(name, strides, 1, 0)

    def _by_product(
        self, piece: Piece, stage: int, vector: Vector, factors: Any, start: View | None
    ) -> bool:
        """Write dots as a product of matrices, where they are one and not both matrices carry rows."""
        x, y = factors
        carried, (size, count) = vector.has_rows, x.index.shape
        if has_rows(x) and has_rows(y):
            return False
        nest = nest_of([x.index, y.index])
        if nest is None or size * count * (8 if carried else 1) < SMALL:
            return False
        shape = (*nest, count)
        found = [self._matrix(piece, stage, view, shape, carried) for view in (x, y)]
        if found[0] is None or found[1] is None:
            return False
        names = "ijlm"[: len(nest)]
        zeros = 2 if vector.row is SHARES and self.hides else 0
        left, right = found[0], found[1]
        if has_rows(x):
            left, right, zeros = right, left, zeros and 1
        out = self._steps(nest)
        name, tile = self.name_of[vector], self.tile
        first = self.item(piece, stage, start, (size,), "i") if start is not None else "0.0"
        i = [(1, "i")] if size > 1 else []
        at = f"{name}[{self.row_at(0, i) if carried else linear(0, i)}]"
        axes = [axis for axis in range(len(nest)) if nest[axis] > 1]
        rows_of = [axis for axis in axes if left.steps[axis] and not right.steps[axis]]
        columns = [axis for axis in axes if right.steps[axis] and not left.steps[axis]]
        m = max(rows_of, key=lambda axis: nest[axis], default=None)
        n = None if carried else max(columns, key=lambda axis: nest[axis], default=None)
        if carried and (m is None or nest[m] < SHORT):
            return False
        if not carried and (m is None and n is None):
            return self._by_dots(piece, vector, nest, found, first, at)
        if not carried and n is not None and (m is None or out[n] != 1):
            left, right, zeros, m, n = right, left, {0: 0, 1: 2, 2: 1}[zeros], n, m
        if not carried and n is not None and out[n] != 1:
            return False
        if not carried and n is None:
            return self._by_dots(piece, vector, nest, found, first, at)
        piece.add([("i", size), *self.rows(carried)], [f"{at} = {first};"])
        outer = [axis for axis in range(len(nest)) if axis not in (m, n)]
        into = linear(
            0,
            [
                (out[axis] * (tile if carried else 1), names[axis])
                for axis in outer
                if nest[axis] > 1
            ],
        )
        a = left.at([(left.steps[axis], names[axis]) for axis in outer])
        b = right.at([(right.steps[axis], names[axis]) for axis in outer])
        c = name if into == "0" else f"{name} + {into}"
        wide: int | str
        if carried:  # what stands in tiles has a number for each of its rows
            wide, bn = ("wide", 1) if right.row == 1 else ("n", right.row)
        else:
            wide, bn = nest[n], right.steps[n]  # type: ignore[index]
        if carried:
            piece.uses[str(wide)] = None
        of_m = (
            (nest[m], left.steps[m], out[m] * (tile if carried else 1))
            if m is not None
            else (1, 0, 0)
        )
        piece.calls.add("product")
        piece.add(
            [(names[axis], nest[axis]) for axis in outer],
            [
                f"product({of_m[0]}, {wide}, {count}, {a}, {of_m[1]}, {left.steps[-1]}, {b}, {right.steps[-1]}, {bn}, {c}, {of_m[2]}, {zeros});"
            ],
        )
        return True

    def _by_dots(
        self, piece: Piece, vector: Vector, nest: Any, found: Any, first: str, at: str
    ) -> bool:
        """Write each dot as a call."""
        names = "ijlm"[: len(nest)]
        name, count = self.name_of[vector], vector.operands[0].index.shape[1]
        if len(nest) > 1 and first not in ("0.0",) and "[" in first:
            return False
        function = "shares_of" if vector.row is SHARES and self.hides else "dot_of"
        piece.calls.add(function)
        texts = [f"{m.at([*zip(m.steps, names)])}, {m.steps[-1]}" for m in found]
        out = linear(0, [(step, v) for step, v, n in zip(self._steps(nest), names, nest) if n > 1])
        start = f"{first} + " if first != "0.0" else ""
        piece.add(
            [*zip(names, nest)],
            [f"{name}[{out}] = {start}{function}({count}, {', '.join(texts)});"],
        )
        return True

    def _steps(self, nest: tuple[int, ...]) -> list[int]:
        """How far apart the numbers of a vector are along each axis of its loops."""
        steps, size = [], 1
        for n in reversed(nest):
            steps.append(size)
            size *= n
        return steps[::-1]

    # -------------------------------------------------------------- over rows

    def over_rows(self, stage: int, vector: Vector) -> None:
        """The sum over the rows of each number."""
        view, size, name = vector.operands[0], vector.size, self.name_of[vector]
        piece = Piece()
        piece.uses[name] = None
        at = f"{name}[{linear(0, [(1, 'i')] if size > 1 else [])}]"
        if not has_rows(view):
            piece.uses["rows"] = None
            piece.add(
                [("i", size)],
                [f"{at} = (double)rows * {self.item(piece, stage, view, (size,), 'i')};"],
            )
            self.pieces[stage].append(piece)
            return
        self._cleared(vector)
        piece.calls.add("sum_of")
        piece.uses["n"] = None
        piece.add([("i", size)], [f"{at} += sum_of(n, {self._column(piece, stage, view)[0]});"])
        self.pieces[stage].append(piece)

    def _cleared(self, vector: Vector) -> None:
        name, piece = self.name_of[vector], Piece()
        piece.uses[name] = None
        i = "i" if vector.size > 1 else "0"
        piece.add([("i", vector.size)], [f"{name}[{i}] = 0.0;"])
        self.pieces[0].append(piece)

    def _column(self, piece: Piece, stage: int, view: View) -> tuple[str, int]:
        """Where the rows of number i begin, and the step from one to the next: 0 for a number that carries no rows."""
        source = view.sources[0]
        if isinstance(source, Numbers) and len(view.sources) == 1:
            name = self.tables.table(numpy.array(source.data)[view.index])
            return (f"{name} + i" if len(view.index) > 1 else name), 0
        view = self.looked(piece, stage, view)
        source = view.sources[0]
        if isinstance(source, Given) or (isinstance(source, Block) and self.is_number(source)):
            return f"&{self.use(piece, source)}", 0
        name, at = self.place_of(piece, view, (len(view.index),), "i")
        return f"&{name}[{at}]", 1 if has_rows(view) else 0

    def row_products(self, stage: int, vector: Vector) -> None:
        """The sum over the rows of products: a product of matrices where they make one."""
        x, y = vector.operands
        size, name = vector.size, self.name_of[vector]
        self._cleared(vector)
        piece = Piece()
        piece.uses |= {name: None, "n": None}
        if x.index.ndim == 1:
            x, y = (View(view.sources, view.index.reshape(-1, 1)) for view in (x, y))
        count = x.index.shape[1]
        if has_rows(x) and (nest := nest_of([x.index, y.index])):
            shape = (*nest, count)
            left, right = (self._matrix(piece, stage, view, shape, True) for view in (x, y))
            if left and right and self._matrices(piece, name, nest, count, left, right):
                self.pieces[stage].append(piece)
                return
        function = "shares_of" if self.hides else "dot_of"
        piece.calls.add(function)
        at = f"{name}[{'i' if size > 1 else '0'}]"
        for k in range(count):
            parts = [
                self._column(piece, stage, View(view.sources, view.index[:, k])) for view in (x, y)
            ]
            texts = [f"{text}, {step}" for text, step in parts]
            piece.add([("i", size)], [f"{at} += {function}(n, {', '.join(texts)});"])
        self.pieces[stage].append(piece)

    def _matrices(
        self,
        piece: Piece,
        name: str,
        nest: tuple[int, ...],
        count: int,
        left: Matrix,
        right: Matrix,
    ) -> bool:
        names, out = "ijlm"[: len(nest)], self._steps(nest)
        axes = [axis for axis in range(len(nest)) if nest[axis] > 1]
        m = max(
            [axis for axis in axes if left.steps[axis] and not right.steps[axis]],
            key=lambda a: nest[a],
            default=None,
        )
        n = max(
            [axis for axis in axes if right.steps[axis] and not left.steps[axis]],
            key=lambda a: nest[a],
            default=None,
        )
        zeros = 2 if self.hides else 0
        if m is None or n is None:
            return False
        if out[n] != 1:
            left, right, m, n, zeros = right, left, n, m, zeros and 1
        if out[n] != 1:
            return False
        outer = [axis for axis in range(len(nest)) if axis not in (m, n)]
        loops = [*[(names[axis], nest[axis]) for axis in outer], ("k", count)]
        terms = [
            [
                *[(matrix.steps[axis], names[axis]) for axis in outer],
                (matrix.steps[-1] if count > 1 else 0, "k"),
            ]
            for matrix in (left, right)
        ]
        into = linear(0, [(out[axis], names[axis]) for axis in outer if nest[axis] > 1])
        c = name if into == "0" else f"{name} + {into}"
        piece.calls.add("product")
        call = (
            f"product({nest[m]}, {nest[n]}, n, {left.at(terms[0])}, {left.steps[m]}, {left.row}, "
            f"{right.at(terms[1])}, {right.row}, {right.steps[n]}, {c}, {out[m]}, {zeros});"
        )
        piece.add(loops, [call])
        return True
