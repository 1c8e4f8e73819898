"""A function of blocks for numba, around its lines: what all kinds of them share.   (floor 3)"""

from __future__ import annotations

from ..naming import Names
from .machine import known_names
from .text import OWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from ..program import Block

    class HasTables(Protocol):
        """What has the constants that a source reads."""

        @property
        def numbers(self) -> Any: ...
        @property
        def places(self) -> Any: ...


class Source:
    """A function as text, and the constants that it reads: numbers and places."""

    def __init__(self, text: str, tables: HasTables) -> None:
        self.text, self.numbers, self.places = text, tables.numbers, tables.places


class Frame:
    """What all functions share; `kind` and `reduce` as in `in_python`."""

    def __init__(self, blocks: Sequence[Block], kind: str, reduce: str | None, total: bool) -> None:
        self.blocks, self.kind, self.total = blocks, kind, total
        self.wrt = [block for block in blocks if block.wrt] if kind != "value" else []
        self.has_rows = any(block.has_rows for block in blocks)
        self.reduce = reduce if self.has_rows else "sum"
        self.per_row = self.has_rows and reduce is None
        self.names = Names({*OWN, *known_names()})
        self.slope_names: dict[Block, str] = {}

    def by_rows(self, block: Block) -> bool:
        """Whether slopes by a block carry rows."""
        return self.has_rows and (block.has_rows or self.per_row)

    def text(self, arguments: dict[Block, str], lines: Sequence[str], checks: Sequence[str]) -> str:
        """The function around its lines."""
        listed = [*arguments.values(), "numbers", "places", "outputs", *self.slope_names.values()]
        first = next(
            (f"rows = len({arguments[block]})" for block in self.blocks if block.has_rows), ""
        )
        result = f"return {' and '.join(checks) or 'True'}"
        return (
            "\n    ".join(
                [
                    f"def {self.kind}({', '.join(listed)}):",
                    *([first] if first else []),
                    *lines,
                    result,
                ]
            )
            + "\n"
        )
