"""How much of a graph is shown: which card stands for which Values, and when it is too much.   (floor 3)

A Value has a card of its own, or shares that of its neuron or its layer (collapsed), or that of
many leaves which the same cards read. "auto" collapses what has more than `CROWD` nodes.
"""

from __future__ import annotations

from ..value import Value
from .neurons import WEIGHT, Neurons, home_of_label, looks_like_parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

CROWD = 300  # nodes; beyond it a picture is no longer read
MANY = 12  # leaves of the same readers that still have a card each
LEVELS = ("none", "neurons", "layers")


class Plan:
    """The Values of a picture, what reads them, their neurons, and the card of each."""

    def __init__(self, roots: Sequence[Value], collapse: str, limit: int) -> None:
        self.roots, self.are_roots = roots, frozenset(roots)
        self.values = list(dict.fromkeys(value for root in roots for value in root.graph()))
        self._refuse_unclustered(limit)
        self.readers: dict[Value, list[tuple[Value, int]]] = {value: [] for value in self.values}
        for value in self.values:
            for index, operand in enumerate(value.parents):
                if isinstance(operand, Value):
                    self.readers[operand].append((value, index))
        self.partials = {value: value.partials for value in self.values}
        self.neurons = Neurons(self.values, self.readers)
        count = 0
        for self.level in LEVELS if collapse == "auto" else (collapse,):
            self.card: dict[Value, Hashable] = self._cards()
            count = len(set(self.card.values()))
            shown = (
                len(self.values) if self.level == "none" else count
            )  # crowds of leaves make no picture small enough
            if shown <= min(CROWD, limit) or not self.neurons.home:
                break
        if count > limit:
            raise ValueError(self._refusal(limit, count))

    def _refuse_unclustered(self, limit: int) -> None:
        """Refuse early what no grouping can make small: many computed Values and no parameter of a network."""
        computed = sum(value._operation is not None for value in self.values)
        if computed > limit and not any(
            value._operation is None and home_of_label(value.label) for value in self.values
        ):
            raise ValueError(self._refusal(limit, len(self.values)))

    def _refusal(self, limit: int, count: int) -> str:
        total = len(self.values)
        cards = f" ({count} cards)" if count != total else ""
        return f"graph has {total} nodes{cards}, limit {limit} (limit=…): draw a part of it, a Value nearer the leaves, or raise the limit"

    def _cards(self) -> dict[Value, Hashable]:
        card: dict[Value, Hashable] = {}
        for value in self.values:
            home = self.neurons.home.get(value)
            if home is None or self.level == "none":
                card[value] = value
            else:
                card[value] = ("layer", home[0]) if self.level == "layers" else ("neuron", *home)
        crowds: dict[Hashable, list[Value]] = {}
        for value in self.values:
            if value._operation is None and card[value] is value and value not in self.are_roots:
                audience = frozenset(card[reader] for reader, _ in self.readers[value])
                kind = looks_like_parameter(value.label), WEIGHT.fullmatch(value.label) is not None
                crowds.setdefault((*kind, audience, self.neurons.home.get(value)), []).append(value)
        for number, crowd in enumerate(crowds.values()):
            if len(crowd) > MANY:
                card.update(dict.fromkeys(crowd, ("many", number)))
        return card
