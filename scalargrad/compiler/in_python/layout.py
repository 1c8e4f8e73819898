"""A function of a program in plain Python, in the making: its arguments, its expressions, its results.   (floor 3)"""

from __future__ import annotations

from ..layout import described, tuple_of
from ..naming import Names
from .body import Body
from .lines import TERMS, Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..program import Block, Program


class Layout:
    """A function of a program in the making: the names of its arguments, its expressions, and `groups`, the slopes of each output.

    `kind` is "value", which returns the output, or several in a tuple; "value_and_grad", which returns the one output and
    a tuple of the slopes by each block; or "jacobian", which returns a tuple of outputs and one of such tuples. `reduce` is "mean" or
    "sum" over the rows, or None for a list of what it returns for each row.
    """

    def __init__(self, program: Program, kind: str, reduce: str | None, total: bool) -> None:
        self.program, self.kind, self.reduce, self.total = program, kind, reduce, total
        self.names = Names()
        self.lines = Lines(self.names)
        self.arguments = {block: self.names.take(block.name, "a") for block in program.blocks}
        self.carried = [block for block in program.blocks if block.has_rows]
        at = {x: self.lines.place() for block in program.blocks for x in block.inputs}
        self.lines.varying.update([at[x] for block in self.carried for x in block.inputs])
        self.body = Body(program, self.lines, at, total)
        by = [x for block in program.wrt for x in block.inputs]
        self.groups = (
            [self.body.slopes(root, by) for root in program.outputs] if kind != "value" else []
        )

    def by_block(self, group: list[int]) -> list[tuple[Block, list[int]]]:
        """The slopes of an output, block by block."""
        slopes = iter(group)
        return [(block, [next(slopes) for _ in block.inputs]) for block in self.program.wrt]

    def slope_names(self, arrays_only: bool = False) -> list[dict[Block, str]]:
        """For each output names for the slopes of it by each block: dW1, or of several outputs d0_dW1, …"""
        several = self.kind == "jacobian"
        blocks = {
            block: f"d{self.arguments[block]}"
            for block in self.program.wrt
            if block.shape or not arrays_only
        }
        return [
            {
                block: self.names.take(f"d{i}_{name}" if several else name, "d")
                for block, name in blocks.items()
            }
            for i in range(len(self.groups))
        ]

    def joined(self, outputs: Sequence[str], slopes: Sequence[Sequence[str]]) -> str:
        """What the function returns."""
        groups = [tuple_of(group) for group in slopes]
        if self.kind == "jacobian":
            return f"{tuple_of(outputs)}, {tuple_of(groups)}"
        return ", ".join([*([outputs[0]] if len(outputs) == 1 else [tuple_of(outputs)]), *groups])

    def totals(self) -> list[str]:
        """Names for what adds up the outputs over the rows."""
        count = len(self.program.outputs)
        return ["total"] if count == 1 else [self.names.take(f"total_{i}") for i in range(count)]

    def share(self) -> tuple[str, list[str]]:
        """What a total is divided by, and the lines before that."""
        if self.reduce != "mean":
            return "", []
        rows = self.names.take("rows")
        return f" / {rows}", [f"{rows} = len({self.arguments[self.carried[0]]})"]

    def description(self, of: str) -> str:
        """What the function computes, of which function, and the shapes of its arguments."""
        return described(self.program, self.arguments, self.kind, self.reduce, self.total, of)

    def check(self, terms: Sequence[str]) -> str:
        """A statement that raises where one of many numbers is not finite: the total function answers then."""
        added = " + ".join(terms) if len(terms) <= TERMS else f"sum([{', '.join(terms)}])"
        return f"if not isfinite({added}):\n    raise FloatingPointError"
