"""How much of a graph is shown: the card of each Value, and when there are too many.   (floor 3)

A Value has a card of its own, or shares that of its neuron or its layer (collapsed), or that of
many leaves which the same cards read. "auto" collapses a graph of more than `CROWD` nodes.
"""

from __future__ import annotations

from math import fsum, isclose

from ..graph import ordered
from ..value import Value
from .neurons import Neurons, place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

CROWD = 300  # nodes; beyond it a picture is no longer read
MANY = 12  # leaves of the same readers that still have a card each
LEVELS = ("none", "neurons", "layers")


class Plan:
    """The Values of a picture, what reads them, their neurons, and the card of each.

    Parameters are leaves that `nn` made and those the user names. Where there are any, the other
    leaves are inputs.
    """

    def __init__(
        self, roots: Sequence[Value], collapse: str, limit: int, parameters: Iterable[Value] = ()
    ) -> None:
        self.roots, self.are_roots = roots, frozenset(roots)
        self.values = ordered(*roots)
        self._refuse_unclustered(limit)
        self.readers: dict[Value, list[tuple[Value, int]]] = {value: [] for value in self.values}
        for value in self.values:
            for index, operand in enumerate(value.parents):
                if isinstance(operand, Value):
                    self.readers[operand].append((value, index))
        self.partials = {value: value.partials for value in self.values}
        self.neurons = Neurons(self.values, self.readers)
        made = {value for value in self.values if place_of(value) is not None}
        self.parameters = made.union(parameters).intersection(self.values)
        # backward() leaves a gradient at its root; without, leaves may hold those of other walks
        self.walked = frozenset(ordered(*[root for root in roots if root.grad != 0.0]))
        count = 0
        for self.level in LEVELS if collapse == "auto" else (collapse,):
            self.card: dict[Value, Hashable] = self._cards()
            count = len(set(self.card.values()))
            # crowds of leaves make no picture small enough
            shown = len(self.values) if self.level == "none" else count
            if shown <= min(CROWD, limit) or not self.neurons.home:
                break
        if count > limit:
            raise ValueError(self._refusal(limit, count))

    def kind(self, value: Value) -> str:
        """Output, operation, parameter or input; a leaf where nobody said what is a parameter."""
        if value in self.are_roots:
            return "output"
        if value._operation is not None:
            return "operation"
        if value in self.parameters:
            return "parameter"
        return "input" if self.parameters else "leaf"

    def gradient(self, value: Value) -> float | None:
        """The gradient of a Value; None where backward() has not come to it."""
        return value.grad if value in self.walked else None

    def sent(self, reader: Value, index: int) -> float:
        """The share of its gradient that a reader sent to an operand; 0 is not passed on."""
        partial = self.partials[reader][index]
        if partial is None or reader not in self.walked or reader.grad == 0.0:
            return 0.0
        return reader.grad * partial

    def is_sum_of_shares(self, value: Value) -> bool:
        """Whether the readers in the picture account for the gradient of a Value."""
        shares = [self.sent(reader, index) for reader, index in self.readers[value]]
        size = sum(map(abs, shares))
        if value.grad != value.grad or not size < float("inf"):
            return True  # the order of additions decides between nan and inf
        return isclose(fsum(shares), value.grad, rel_tol=1e-9, abs_tol=1e-9 * size)

    def _refuse_unclustered(self, limit: int) -> None:
        """Refuse early what no grouping makes small: many computed Values, no parameter of `nn`."""
        computed = sum(value._operation is not None for value in self.values)
        if computed > limit and all(place_of(value) is None for value in self.values):
            raise ValueError(self._refusal(limit, len(self.values)))

    def _refusal(self, limit: int, count: int) -> str:
        total = len(self.values)
        cards = f" ({count} cards)" if count != total else ""
        return (
            f"graph has {total} nodes{cards}, limit {limit} (limit=…): "
            "draw a part of it, a Value nearer the leaves, or raise the limit"
        )

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
                readers = frozenset(card[reader] for reader, _ in self.readers[value])
                place = place_of(value)
                is_weight = place is not None and place.input is not None
                home = self.neurons.home.get(value)
                crowds.setdefault((self.kind(value), is_weight, readers, home), []).append(value)
        for number, crowd in enumerate(crowds.values()):
            if len(crowd) > MANY:
                card.update(dict.fromkeys(crowd, ("many", number)))
        return card
