"""A plan: which card of the picture shows each Value of a graph.   (floor 3)

A Value has a card of its own. Or it is on the card of its neuron or its layer, which are collapsed,
or on a card of many leaves that have the same readers, or of what repeats (`folds`). "auto"
collapses a graph that would have more cards than `most` tells.
"""

from __future__ import annotations

from math import fsum, isclose

from ..graph import ordered
from ..value import Value
from .folds import folds
from .neurons import Neurons, place_of
from .roles import roles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

CROWD = 300  # nobody reads a picture with more nodes
# of Values, of neurons: with more, "auto" collapses; of Values that are in no neuron: with more,
# those that are alike share cards
MOST_CARDS = (CROWD, 120, 100)
WIDEST_LAYER = 40  # neurons; a wider layer is one card
FEW = 60  # with more cards, steps of a chain are folded whatever their numbers
IN_A_CELL = (20, 60, 60)  # the same for a notebook, whose cells are not wide
MOST_COMPUTED = 20_000  # more computed Values are refused, though folded they might be few cards
MOST_SHOWN = 12  # more leaves with the same readers, or operands, are drawn as one
LEVELS = ("none", "neurons", "layers")


class Plan:
    """The Values of a picture, their readers, their neurons, and the card of each.

    Parameters are the leaves that `nn` made and the leaves that the user lists. If there are any,
    the other leaves are inputs. Without `crowds` each leaf has a card of its own. Without `grads`
    it is the forward pass alone, as if there were no gradients.
    """

    def __init__(
        self,
        roots: Sequence[Value],
        collapse: str,
        limit: int,
        parameters: Iterable[Value] = (),
        crowds: bool = True,
        most: Sequence[int] = MOST_CARDS,
        grads: bool = True,
    ) -> None:
        self.roots, self.are_roots, self.has_crowds = roots, frozenset(roots), crowds
        self.has_gradients = grads
        self.has_folds = crowds and collapse != "none"
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
        # a root that backward() ran from has a gradient; else leaves hold gradients of other walks
        walked = [root for root in roots if root.grad != 0.0 and grads]
        self.walked = frozenset(ordered(*walked))
        self.card = self._card_of_each(collapse, most, limit)
        if (count := _count(self.card)) > limit:
            raise ValueError(self._refusal(limit, count))

    def kind(self, value: Value) -> str:
        """Output, operation, parameter or input; "leaf" if no leaf is known to be a parameter."""
        if value in self.are_roots:
            return "output"
        if value._operation is not None:
            return "operation"
        if value in self.parameters:
            return "parameter"
        return "input" if self.parameters else "leaf"

    def gradient(self, value: Value) -> float | None:
        """The gradient of a Value; None if backward() has not reached it."""
        return value.grad if value in self.walked else None

    def sent(self, reader: Value, index: int) -> float:
        """The share that a reader sent to an operand; a gradient of 0 sends nothing."""
        partial = self.partials[reader][index]
        if partial is None or reader not in self.walked or reader.grad == 0.0:
            return 0.0
        return reader.grad * partial

    def is_sum_of_shares(self, value: Value) -> bool:
        """Whether the gradient of a Value is the sum of the shares from readers in the picture."""
        shares = [self.sent(reader, index) for reader, index in self.readers[value]]
        size = sum(map(abs, shares))
        if value.grad != value.grad or not size < float("inf"):
            return True  # the order of additions decides between nan and inf, so nobody can tell
        return isclose(fsum(shares), value.grad, rel_tol=1e-9, abs_tol=1e-9 * size)

    def _refuse_unclustered(self, limit: int) -> None:
        """Refuse a graph early if it has too many computed Values and no neurons to group them."""
        computed = sum(value._operation is not None for value in self.values)
        if computed > max(limit, MOST_COMPUTED) and all(
            place_of(value) is None for value in self.values
        ):
            raise ValueError(self._refusal(limit, len(self.values)))

    def _refusal(self, limit: int, count: int) -> str:
        total = len(self.values)
        cards = f" ({count} cards)" if count != total else ""
        return (
            f"graph has {total} nodes{cards}, limit {limit} (limit=…): "
            "draw a part of it, a Value nearer the leaves, or raise the limit"
        )

    def _card_of_each(
        self, collapse: str, most: Sequence[int], limit: int
    ) -> dict[Value, Hashable]:
        """The card of each Value; "auto" collapses, and then joins what is alike, if it must."""
        # layers are the last resort, whatever their number
        fits: dict[str, int] = dict(zip(LEVELS, (*most[:2], limit)))
        widest = max((nout for _, nout in self.neurons.shapes.values()), default=0)
        card: dict[Value, Hashable] = {}
        for self.level in LEVELS if collapse == "auto" else (collapse,):
            most_here = min(fits[self.level], limit)
            # a graph does not count as small because its leaves share cards
            is_large = self.level == "none" and len(self.values) > most_here
            if collapse == "auto" and is_large and self.neurons.home:
                continue
            card = self._cards()
            is_small = _count(card) <= most_here and widest <= WIDEST_LAYER
            if is_small or not self.neurons.home:
                break
        if self.has_folds and _count(card) > FEW:
            card = self._cards(any_number=True)
        # a neuron that is not collapsed has a frame, round cards of its own
        has_frames = self.level == "none" and self.neurons.home
        if collapse == "auto" and _count(card) > most[2] and self.has_crowds and not has_frames:
            ways = [self._cards(folded, alike=most[2]) for folded in (False, True)]
            card = min(ways, key=_count)
        return card

    def _cards(
        self, folded: bool = True, alike: int = 0, any_number: bool = False
    ) -> dict[Value, Hashable]:
        """The cards on this level. Repeats share one, if they are `folded`.

        Values that play one role share one, if `alike` says how many cards there may be then.
        """
        card: dict[Value, Hashable] = {}
        for value in self.values:
            home = self.neurons.home.get(value)
            if home is None or self.level == "none":
                card[value] = value
            else:
                card[value] = ("layer", home[0]) if self.level == "layers" else ("neuron", *home)
        if self.has_folds and folded:
            shared = {value: key for value, key in card.items() if key is not value}
            kept = self.are_roots.union(self.neurons.home)
            card |= folds(self.values, self.readers, kept, shared, any_number or alike > 0)
        if alike:
            card |= roles(self.values, self.readers, card, self.are_roots, alike)
        return card | self._crowds(card) if self.has_crowds else card

    def _crowds(self, card: dict[Value, Hashable]) -> dict[Value, Hashable]:
        """The cards of leaves that are many, of one kind, and read by the same cards."""
        crowds: dict[Hashable, list[Value]] = {}
        for value in self.values:
            if value._operation is None and card[value] is value and value not in self.are_roots:
                readers = frozenset(card[reader] for reader, _ in self.readers[value])
                place = place_of(value)
                is_weight = place is not None and place.input is not None
                home = self.neurons.home.get(value)
                crowds.setdefault((self.kind(value), is_weight, readers, home), []).append(value)
        return {
            value: ("many", number)
            for number, crowd in enumerate(crowds.values())
            if len(crowd) > MOST_SHOWN
            for value in crowd
        }


def _count(card: dict[Value, Hashable]) -> int:
    """The number of different cards."""
    return len(set(card.values()))
