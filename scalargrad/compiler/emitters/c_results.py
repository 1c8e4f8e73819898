"""Lists that have functions of their own in C, and the arrays of the caller that results are written to.   (floor 3)"""

from __future__ import annotations

from typing import NamedTuple

import numpy

from ..dialects.c_helpers import OF_LISTS
from ..roll import Vector, View
from ..strides import Strides, linear
from .c_frame import AFTER, INSIDE
from .c_products import Products
from .c_text import INDENT, Piece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

ON_STACK = 1024  # numbers of a list that is gathered


class Result(NamedTuple):
    """Numbers that go to an array of the caller: where they are, its name, and whether there is one for each row.

    `turns` says to which of several gradients, one behind the other, the numbers of each turn go.
    """

    view: View
    name: str
    by_rows: bool
    turns: Sequence[int] = (0,)


class Results(Products):
    """What a function in C is, as far as lists and results go; `Function` has the rest."""

    placed: set[int]

    def listed(self, stage: int, vector: Vector) -> None:
        """What has a function of its own for a list: its value, or its slopes, a list again."""
        piece, line, carried = Piece(), vector.row, vector.has_rows
        xs = vector.operands[0]
        steps, count = xs.index.shape
        function = OF_LISTS[line.name]
        piece.calls.add(function)
        list_of, room = self._room(piece, "xs", count)
        item = self.item(piece, stage, xs, (steps, count), "ik")
        name = self.name_of[vector]
        piece.uses[name] = None
        lines = (
            [room, f"for (long k = 0; k < {count}; k++)", f"    {list_of}[k] = {item};"]
            if count
            else [room, f"{list_of}[0] = 0.0;"]
        )
        i = [(1, "i")] if steps > 1 else []
        if len(vector.operands) == 1:
            at = self.row_at(0, i) if carried else linear(0, i)
            lines.append(f"{name}[{at}] = {function}({count}, {list_of});")
        else:
            out = self.item(piece, stage, vector.operands[1], (steps,), "i")
            slopes, more = self._room(piece, "ds", count)
            many = [(count, "i"), (1, "k")] if steps > 1 else [(1, "k")]
            at = self.row_at(0, many) if carried else linear(0, many)
            lines = [
                more, *lines, f"{function}({count}, {list_of}, {out}, {slopes});",
                f"for (long k = 0; k < {count}; k++)", f"    {name}[{at}] = {slopes}[k];",
            ]  # fmt: skip
        piece.add(
            [("i", steps), *self.rows(carried)],
            lines if steps > 1 or carried else ["{", *[INDENT + x for x in lines], "}"],
        )
        self.pieces[stage].append(piece)

    def _room(self, piece: Piece, wish: str, count: int) -> tuple[str, str]:
        """The name of an array for a list, and the line that makes it: on the stack, if it is short."""
        name = self.names.take("", wish)
        if count <= ON_STACK:
            return name, f"double {name}[{max(1, count)}];"
        room = self.names.take("", "room")
        self.arrays[room] = count
        piece.uses[room] = None
        return name, f"double *{name} = {room};"

    # -------------------------------------------------------------- results

    def put(self, result: Result) -> None:
        """Write numbers into an array of the caller."""
        view, turns = result.view, result.turns
        if id(result) in self.placed:
            return
        stage = INSIDE if result.by_rows else AFTER
        size = view.index.size // len(turns)
        piece = Piece()
        piece.uses[result.name] = None
        shape, variables = ((len(turns), size), "qi") if len(turns) > 1 else ((size,), "i")
        item = self.item(piece, stage, view, shape, variables)
        first, turn = turns[0], ""
        if len(turns) > 1:
            where = Strides.of(numpy.array(turns))
            turn = (
                linear(where.first, [(where.steps[0], "q")])
                if where
                else f"{self.tables.table(numpy.array(turns, dtype=numpy.int32))}[q]"
            )
        elif first:
            turn = str(first)
        loops: list[Any] = list(zip(variables, shape))
        if result.by_rows:
            piece.uses |= {"first": None, "n": None}
            row = "first + r"
            if turn:
                piece.uses["rows"] = None
                row = f"({turn}) * rows + first + r"
            at = f"({row}) * {size} + i" if size > 1 else row
            piece.add([*loops, ("r", "n")], [f"{result.name}[{at}] = {item};"])
        else:
            at = (
                linear(0, [(size, f"({turn})" if " " in turn else turn)] if turn else [])
                if turn
                else "0"
            )
            if turn.isdigit():
                at = str(int(turn) * size)
            at = f"{at} + i" if size > 1 and at != "0" else "i" if size > 1 else at
            piece.add(loops, [f"{result.name}[{at}] = {item};"])
        self.pieces[stage].append(piece)
