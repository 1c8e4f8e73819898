"""The cards and edges of a recorded graph.   (floor 3)"""

from __future__ import annotations

from collections import Counter
from math import hypot

from ..value import Value
from ..wording import counted, figure
from .crowds import Crowds
from .naming import badge, badge_with_number, in_lines, picture_names
from .plan import MOST_SHOWN, Plan
from .scene import Card, Edge
from .tips import NOT_RUN, Tips

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from .neurons import Home

MANY = "many"  # in place of the number on a card of plain numbers
PLACES = "①②③④⑤⑥⑦⑧⑨"


class Painter:
    """Makes the cards and edges of one plan."""

    def __init__(self, plan: Plan, expand_dots: bool = False) -> None:
        self.plan, self.expand_dots = plan, expand_dots
        self.names, self.given = picture_names(plan.values, plan.neurons)
        self.tips = Tips(plan, self.names)
        self.crowds = Crowds(plan, self.names, self.given)
        self.cards: list[Card] = []
        self.ids: dict[Hashable, str] = {}
        # A pair of cards stands for several edges, drawn as one; `flows` has the gradient of each.
        self.edges: list[Edge | tuple[str, str]] = []
        self.flows: dict[tuple[str, str], list[float]] = {}
        self.homes: dict[str, Home | None] = {}  # the neuron of each card
        self.shared: dict[Hashable, str] = {}  # the cards of numbers that a layer's neurons share
        self.paint()

    def paint(self) -> None:
        """Make all cards and edges, operands before readers."""
        for value in self.plan.values:
            key = self.plan.card[value]
            if key is value:
                self.paint_value(value)
                continue
            if key not in self.ids:
                self.ids[key] = self.next_id()
                homes = {self.plan.neurons.home.get(member) for member in self.crowds.members[key]}
                self.add(
                    self.crowds.card(self.ids[key], key), homes.pop() if len(homes) == 1 else None
                )
            if key not in self.crowds.result:
                self.merge_edges(value)
                self.merge_numbers(value)
            elif self.crowds.result[key] is value:
                self.use_neuron(key, value)
                self.use_numbers(key, value)

    def add(self, card: Card, home: Home | None) -> str:
        self.cards.append(card)
        self.homes[card.id] = home
        return card.id

    def next_id(self) -> str:
        return f"n{len(self.cards)}"

    def shows(self, value: Value) -> bool:
        """Whether the card of a Value shows this Value, and not several."""
        key = self.plan.card[value]
        return key is value or self.crowds.result.get(key) is value

    def id(self, value: Value) -> str:
        return self.ids[self.plan.card[value]]

    # -------------------------------------------------------------- a Value with a card of its own

    def paint_value(self, value: Value) -> None:
        home = self.plan.neurons.home.get(value)
        is_expanded = (
            self.expand_dots and value.op == "dot" and len(value.parents) // 2 <= MOST_SHOWN
        )
        first = len(value.parents) - 1 if is_expanded else 0  # the card reads operands from here on
        with_number = badge_with_number(value)  # it stands inside the card
        numbers = {} if with_number else self.paint_numbers(value, home, first)
        products = list(self.paint_products(value, home)) if is_expanded else []
        kind = self.plan.kind(value)
        self.ids[value] = self.next_id()
        card = Card(
            self.ids[value],
            kind,
            in_lines(value) if value in self.given else self.names[value],
            self.tips.value_tip(value, kind),
            figure(value.data),
            "+" if is_expanded else with_number or badge(value),
            gradient=self.plan.gradient(value),
            has_gradient=self.plan.has_gradients,
            is_given=value in self.given,
        )
        self.add(card, home)
        flow = self.plan.gradient(value) or 0.0
        self.edges += [Edge(product, self.ids[value], tip, flow=flow) for product, tip in products]
        for index in in_pairs(value):
            if index >= first:
                self.use_operand(value, index, self.ids[value], numbers)

    def use_operand(self, value: Value, index: int, head: str, numbers: dict[int, str]) -> None:
        """Add the edge from an operand of a Value to the card that reads it."""
        operand, partial = value.parents[index], self.plan.partials[value][index]
        flow = self.plan.sent(value, index)
        if isinstance(operand, Value) and not self.shows(operand):
            self.merge(self.id(operand), head, flow)
        elif isinstance(operand, Value) or index in numbers:
            tail = self.id(operand) if isinstance(operand, Value) else numbers[index]
            self.edges.append(
                Edge(
                    tail,
                    head,
                    self.tips.edge_tip(operand, value, index),
                    self.pill(value, index, partial),
                    flow,
                )
            )

    def pill(self, value: Value, index: int, partial: float | None) -> str:
        """The text on an edge: the place of the operand if order matters, and the local slope."""
        count = len(value.parents)
        assert value._operation is not None
        has_order = (
            1 < count <= len(PLACES)
            and not value._operation.is_commutative
            and not badge_with_number(value)
        )
        place = PLACES[index] if has_order else ""
        is_plain_sum = value._operation.is_sum or (value.op == "dot" and index == count - 1)
        if (
            partial is None
            or not self.plan.has_gradients
            or (
                is_plain_sum
                and (count > MOST_SHOWN or Counter(value.parents)[value.parents[index]] == 1)
            )
        ):
            return place
        return f"{place} ×{figure(partial, 3)}".strip()

    # ----------------------------------------------------------- plain numbers, products of a dot

    def paint_numbers(self, value: Value, home: Home | None, first: int) -> dict[int, str]:
        """Add a card for each plain number among the operands, but for a bias of 0 in a dot."""
        last = len(value.parents) - 1
        numbers = [
            (index, operand)
            for index, operand in enumerate(value.parents)
            if index >= first
            and not isinstance(operand, Value)
            and not (value.op == "dot" and index == last and operand == 0.0)
        ]
        if value in self.plan.neurons.sums:
            return self.shared_numbers(value, numbers)
        if len(numbers) > MOST_SHOWN:
            return {numbers[0][0]: self.paint_many([x for _, x in numbers], home)}
        return {index: self.paint_number(x, home) for index, x in numbers}

    def shared_numbers(self, value: Value, numbers: Sequence[tuple[int, float]]) -> dict[int, str]:
        """The cards of plain numbers that a neuron reads, one for all neurons of its layer."""
        layer = self.plan.neurons.home[value][0]
        if len(numbers) > MOST_SHOWN:
            return {numbers[0][0]: self.shared_crowd(layer, [x for _, x in numbers])}
        for index, x in numbers:
            if (layer, index, x) not in self.shared:
                self.shared[layer, index, x] = self.paint_number(x, None)
        return {index: self.shared[layer, index, x] for index, x in numbers}

    def shared_crowd(self, layer: str | None, numbers: Sequence[float]) -> str:
        """The card of the many plain numbers that all neurons of a layer read."""
        if (layer, MANY) not in self.shared:
            self.shared[layer, MANY] = self.paint_many(numbers, None)
        return self.shared[layer, MANY]

    def paint_many(self, numbers: Sequence[float], home: Home | None) -> str:
        lines = [f"{len(numbers)} plain numbers", *(repr(x) for x in numbers[:MOST_SHOWN]), "…"]
        name = counted(len(numbers), "number")
        return self.add(
            Card(self.next_id(), "constant", name, "\n".join(lines), is_many=True), home
        )

    def paint_number(self, number: float, home: Home | None) -> str:
        tip = f"{number!r} · a plain number"
        tip += "\nno gradient goes back to it" if self.plan.has_gradients else ""
        return self.add(Card(self.next_id(), "constant", figure(number), tip), home)

    def paint_products(self, value: Value, home: Home | None) -> Iterator[tuple[str, str]]:
        """Add the products of a dot as cards; yield each with the tooltip of its edge."""
        count, partials = len(value.parents) // 2, self.plan.partials[value]
        for index in range(count):
            places = index, count + index
            pair = [value.parents[place] for place in places]
            # A factor may have changed since. Its number then is the slope by the other factor.
            factors = [
                factor if not isinstance(factor, Value) else factor.data if slope is None else slope
                for factor, slope in zip(pair, (partials[places[1]], partials[places[0]]))
            ]
            numbers = {
                place: self.paint_number(x, home)
                for place, x in zip(places, pair)
                if not isinstance(x, Value)
            }
            name, data = (
                "·".join(self.names[p] if isinstance(p, Value) else figure(p) for p in pair),
                factors[0] * factors[1],
            )
            gradient = self.plan.gradient(value)
            product = f"{factors[0]!r} × {factors[1]!r}"
            tip = f"{name} · product in a dot\n{product}\ndata   {data!r}"
            if self.plan.has_gradients:
                grad = NOT_RUN if gradient is None else f"grad   {gradient!r}, as the sum's"
                tip += f"\n{grad}"
            card = Card(
                self.next_id(), "operation", name, tip, figure(data), "×",
                gradient=gradient, has_gradient=self.plan.has_gradients, is_given=False,
            )  # fmt: skip
            head = self.add(card, home)
            for place in places:
                self.use_operand(value, place, head, numbers)
            slope = "\nlocal slope 1.0" if self.plan.has_gradients else ""
            yield head, f"{name} → {self.names[value]}{slope}"

    # -------------------------------------------------------------- cards that show several Values

    def use_neuron(self, key: Hashable, result: Value) -> None:
        """Add the edges into a neuron whose card shows one result, with the slopes through it."""
        slopes, gradient = self.crowds.slopes(key), self.plan.gradient(result)
        for operand, slope in slopes.items():
            flow = gradient * slope if gradient else 0.0
            if self.shows(operand):
                tip, pill = f"{self.names[operand]} → {self.names[result]}", ""
                if self.plan.has_gradients:
                    pill = f"×{figure(slope, 3)}" if len(slopes) <= MOST_SHOWN else ""
                    tip += f"\nslope through the neuron = {slope!r}"
                tip += "" if gradient is None else f"\nsends back {flow!r}"
                self.edges.append(Edge(self.id(operand), self.ids[key], tip, pill, flow))
            else:
                self.merge(self.id(operand), self.ids[key], flow)

    def use_numbers(self, key: Hashable, result: Value) -> None:
        """Add the edges from plain numbers into a neuron whose card shows one result."""
        for z in self.crowds.members[key]:
            if z in self.plan.neurons.sums:
                half = len(z.parents) // 2
                for index, card in self.paint_numbers(z, None, half).items():
                    tip = self.tips.edge_tip(z.parents[index], result, index if result is z else 0)
                    self.edges.append(Edge(card, self.ids[key], tip))

    def merge_numbers(self, z: Value) -> None:
        """Add the plain numbers that a neuron with several results reads, as one card."""
        if z in self.plan.neurons.sums and self.plan.level == "neurons":
            numbers = [
                x
                for member in self.crowds.members[self.plan.card[z]]
                if member in self.plan.neurons.sums
                for x in member.parents[len(member.parents) // 2 : -1]
                if not isinstance(x, Value)
            ]
            if numbers:
                layer = self.plan.neurons.home[z][0]
                self.merge(self.shared_crowd(layer, numbers), self.id(z), 0.0)

    def merge_edges(self, value: Value) -> None:
        head = self.id(value)
        for index, operand in enumerate(value.parents):
            if isinstance(operand, Value) and self.id(operand) != head:
                self.merge(self.id(operand), head, self.plan.sent(value, index))

    def merge(self, tail: str, head: str, flow: float) -> None:
        if (tail, head) not in self.flows:
            self.edges.append((tail, head))
        self.flows.setdefault((tail, head), []).append(flow)

    def drawn_edges(self) -> tuple[Edge, ...]:
        """All edges; those between two cards are drawn as one if a card shows several Values."""
        shown = {card.id: " ".join(card.name.split("\n")) for card in self.cards}
        edges = []
        for edge in self.edges:
            if not isinstance(edge, Edge):
                flows = self.flows[edge]
                tip = f"{shown[edge[0]]} → {shown[edge[1]]}: {counted(len(flows), 'edge')}"
                if self.plan.walked:
                    tip += f"\nthe gradients they send back have the length {hypot(*flows)!r}"
                edge = Edge(*edge, tip, flow=hypot(*flows))
            edges.append(edge)
        return tuple(edges)


def in_pairs(value: Value) -> list[int]:
    """The indices of the operands in the order that is drawn: weight and input of a dot in pairs.

    >>> from scalargrad import dot
    >>> in_pairs(dot([Value(1.0), Value(2.0)], [3.0, 4.0]))
    [0, 2, 1, 3, 4]
    """
    count = len(value.parents)
    if value.op != "dot":
        return list(range(count))
    half = count // 2
    return [
        *(place for pair in zip(range(half), range(half, 2 * half)) for place in pair),
        count - 1,
    ]
