"""Hypotheses about a gradient, and all that they are made of.   (floor 2)

There are two kinds. A `Walk` is the exact gradient of the same graph with a few local slopes
changed: it tells the numbers of all arguments at once. A `Guess` is made of numbers that are known
already, for one argument: transposed, another argument's, without a row's share.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ..wording import label_of
from .blocks import Block, Given
from .structure import Group, Structure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .tape import Changes

    Numbers = list[float]


class Walk(NamedTuple):
    """A changed walk. With `free`, what the changed edges pass on is counted any number of times.

    `changes` are the edges that are other ones; with `free` they pass nothing on.
    """

    kind: str
    operation: str
    layer: int | None
    words: str
    changes: Changes
    free: bool = False
    group: int | None = None  # the number of the group whose edges are changed


class Guess(NamedTuple):
    """Numbers that one argument's gradient would have, and their tolerances."""

    kind: str
    words: str
    numbers: Numbers
    bounds: Numbers
    operation: str | None = None
    layer: int | None = None
    factor: float | None = None


class Case:
    """A block, its exact gradient, the gradient that was given, and what rounding may do to it."""

    def __init__(
        self, block: Block, given: Given, exact: Numbers, bounds: Numbers,
        rtol: float = 0.0, atol: float = 0.0,
    ) -> None:  # fmt: skip
        self.rtol, self.atol = rtol, atol
        self.block, self.given, self.exact = block, given, exact
        self.bounds = bounds  # of a rounding error of 1
        self.epsilon = given.epsilon
        self.tiny = 1e-36 if given.epsilon > 1e-9 else 1e-300  # where digits get lost

    def tolerances(self) -> Numbers:
        """The error that each number may have."""
        return [
            max(self.epsilon * bound + self.tiny, self.atol + self.rtol * abs(x))
            for bound, x in zip(self.bounds, self.exact)
        ]

    def gap(self, numbers: Numbers) -> float:
        """The largest difference to the exact gradient."""
        return max([abs(a - b) for a, b in zip(numbers, self.exact)], default=0.0)

    def worst(self) -> float:
        """The largest error divided by its tolerance; numbers that are equally nan have none."""
        pairs = zip(self.given.numbers, self.exact, self.tolerances())
        return max([abs(a - b) / t for a, b, t in pairs if a != b and b == b], default=0.0)


class Study:
    """All that the hypotheses are made of."""

    def __init__(self, structure: Structure, cases: list[Case], all_blocks: list[Block],
                 exact: Numbers, slopes: Numbers) -> None:  # fmt: skip
        self.structure, self.tape, self.cases = structure, structure.tape, cases
        self.blocks, self.exact, self.slopes = all_blocks, exact, slopes
        self.groups = self.all_groups = structure.groups()
        self.sample: set[int] | None = None
        self._sampled: dict[int, list[tuple[int, int]]] = {}
        self._shares: dict[str, list[list[tuple[float, float]]] | None] = {}
        self.readers: dict[int, list[tuple[int, float]]] = {}
        for i, edges in enumerate(self.tape.edges):
            for operand, slope in edges:
                if operand in structure.block_of:
                    self.readers.setdefault(operand, []).append((i, slope))

    def places(self, group: Group) -> list[tuple[int, int]]:
        """The places of a group; if a sample of Values is looked at, those in the sample."""
        if self.sample is None:
            return group.places
        if group.number not in self._sampled:
            self._sampled[group.number] = [p for p in group.places if p[0] in self.sample]
        return self._sampled[group.number]

    def where(self, layer: int | None) -> str:
        """The end of a sentence that names a layer, if there are several."""
        if self.structure.last_layer < 2 or layer == 0:
            return ""
        return " in every layer" if layer is None else f" in layer {layer}"

    def lengths(self) -> list[int]:
        """Numbers that a mean may be taken over: rows, and constants in divisions."""
        found = dict.fromkeys(
            len(shares) for block in self.blocks if (shares := self.shares(block))
        )
        for node in reversed(self.tape.nodes):
            if node.op in ("div", "mul") and node._y is None and node._dy:
                number = float(node._dy) if node.op == "div" else 1.0 / float(node._dy)
                if 2.0 < number < 1e9 and abs(number - round(number)) < 1e-9:
                    found[round(number)] = None
        return [*found]

    def labelled_shares(self, block: Block) -> list[tuple[str, float]]:
        """The shares in the gradient of a single number that come from Values with a label."""
        place = self.tape.leaves[block.places[0]] if len(block.places) == 1 else None
        readers = [] if place is None else self.readers.get(place, [])
        named = [(label_of(self.tape.nodes[i]), self.slopes[i] * slope) for i, slope in readers]
        return [(label, share) for label, share in named if label]

    def shares(self, block: Block) -> list[list[tuple[float, float]]] | None:
        """The shares of the rows in a block's gradient: a list of all numbers' for each row.

        Each share is (slope of the root by a reader, local slope). The readers have one role, that
        of most; readers of another role, in a penalty, belong to no row. None if the numbers of the
        block have different numbers of readers.
        """
        if block.name not in self._shares:
            roles = self.structure.roles
            lists = [
                self.readers.get(place, []) if (place := self.tape.leaves[k]) is not None else []
                for k in block.places
            ]
            found = None
            if lists and lists[0]:
                counts = Counter(roles[i] for i, _ in lists[0])
                role = max(counts, key=lambda role: counts[role])
                rows = [
                    [(self.slopes[i], s) for i, s in each if roles[i] == role] for each in lists
                ]
                if len({*map(len, rows)}) == 1:
                    found = [list(row) for row in zip(*rows)]
            self._shares[block.name] = found
        return self._shares[block.name]
