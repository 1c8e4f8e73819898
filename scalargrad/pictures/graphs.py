"""The scene of a recorded graph.   (floor 3)"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain
from math import hypot

from ..value import Value
from ..wording import counted, figure, formulas, name_formula
from .crowds import Crowds, layer_title
from .meshes import meshed
from .naming import badge, badge_with_number, in_lines, picture_names
from .plan import MOST_SHOWN, Plan
from .scene import ORDER, SLOPES, Card, Cluster, Edge, Scene
from .tips import NOT_RUN, Tips

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from .meshes import Strength
    from .neurons import Home

LINES = {  # between wide layers
    "gradient": "lines: blue +, orange −, strong where much gradient flows",
    "weight": "lines: blue +, orange −, strong where the weight is large",
}
MOST_WITH_SLOPES = 150  # cards; with more, nobody reads slopes, and Graphviz takes long
MIXED = "grey lines: several edges in one"
MANY = "many"  # in place of the number on a card of plain numbers
PLACES = "①②③④⑤⑥⑦⑧⑨"
CALL_BACKWARD = "– no gradient yet: call backward()"
LEFT_OVER = "leaves hold gradients of an earlier walk: zero_grad() sets them to 0"
ELSEWHERE = "some gradients come from elsewhere too: other roots, or earlier calls of backward()"


def graph_scene(
    plan: Plan,
    title: str | None = None,
    expand_dots: bool = False,
    downward: bool = False,
    edges: str = "gradient",
) -> Scene:
    """The scene of a graph, from its plan; lines between wide layers are strong by `edges`."""
    return Painter(plan, expand_dots, edges).scene(title, downward)


class Painter:
    """Makes the cards and edges of one plan."""

    def __init__(self, plan: Plan, expand_dots: bool = False, strong_by: str = "gradient") -> None:
        self.plan, self.expand_dots = plan, expand_dots
        self.strong_by = strong_by if plan.walked else "weight"
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

    def scene(self, title: str | None, downward: bool) -> Scene:
        """The cards and edges, with clusters, title and legend."""
        plan, edges = self.plan, self.all_edges()
        if plan.has_crowds and len(self.cards) > MOST_WITH_SLOPES:
            edges = tuple(replace(edge, pill="") for edge in edges)
        count = len(edges)
        weights = self.weights() if self.strong_by == "weight" else {}
        strengths = [self.strength(edge, weights) for edge in edges]
        edges, bundles = meshed(edges, self.into_layers(edges), strengths)
        results = ", ".join(figure(root.data) for root in plan.roots[:MOST_SHOWN])
        cards = [narrow(card) if downward and card.is_small else card for card in self.cards]
        return Scene(
            self.title() if title is None else title,
            tuple(cards),
            edges,
            self.clusters(),
            bundles,
            bool(plan.walked),
            downward,
            self.legend(edges),
            f"{counted(len(plan.values), 'value')} in {counted(len(self.cards), 'card')}, "
            f"{counted(count, 'edge')}; the result is {results}.",
        )

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

    def into_layers(self, edges: Sequence[Edge]) -> dict[str | None, list[int]]:
        """The numbers of the edges into the neurons of each layer, from outside of it."""
        found: dict[str | None, list[int]] = {}
        if self.plan.level == "neurons":
            for number, edge in enumerate(edges):
                tail, head = self.homes[edge.tail], self.homes[edge.head]
                if head is not None and (tail is None or tail[0] != head[0]):
                    found.setdefault(head[0], []).append(number)
        return found

    def strength(self, edge: Edge, weights: Mapping[tuple[str, str], list[float]]) -> Strength:
        """The strength of an edge's line, and whether it stands for several that differ."""
        ends = edge.tail, edge.head
        if self.strong_by == "gradient":
            return edge.flow, ends in self.flows
        found = weights.get(ends, [0.0])
        is_mixed = len({*found}) > 1
        return hypot(*found) if is_mixed else found[0], is_mixed

    def weights(self) -> dict[tuple[str, str], list[float]]:
        """The weights of the neurons, by the cards of the input and of the neuron."""
        found: dict[tuple[str, str], list[float]] = {}
        for z in self.plan.values:
            if z in self.plan.neurons.sums:
                layer, half = self.plan.neurons.home[z][0], len(z.parents) // 2
                for index, weight in enumerate(z.parents[:half], half):
                    x, data = z.parents[index], weight.data if isinstance(weight, Value) else weight
                    many = self.shared.get((layer, MANY), "")
                    tail = (
                        self.id(x)
                        if isinstance(x, Value)
                        else self.shared.get((layer, index, x), many)
                    )
                    found.setdefault((tail, self.id(z)), []).append(data)
        return found

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

    def all_edges(self) -> tuple[Edge, ...]:
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

    # -------------------------------------------------------------- title, clusters, legend

    def title(self) -> str:
        """The network, or the formulas of the roots if short, else how many roots and Values."""
        roots, values = self.plan.roots, self.plan.values
        if network := self.plan.neurons.network():
            if len(roots) > 1:
                return network
            (root,) = roots
            name = self.names[root] if root in self.given else ""
            if root not in self.plan.neurons.home:
                network = f"{name or root.op or 'result'} of {network}"
            elif name:
                network = f"{name} = {network}"
            return f"{network} = {figure(root.data, 2)}"
        labels = {value: name_formula(self.names[value]) for value in values if value in self.given}
        leaves = {value: label for value, label in labels.items() if value._operation is None}
        texts = formulas(values, labels) | formulas(values, leaves)
        parts = []
        for root in roots[:MOST_SHOWN]:
            name, text = self.names[root], texts.get(root, "")
            if not text and root not in self.given:  # its formula is long, and it has no label
                name = f"{root.op or 'leaf'}: {counted(len(values), 'value')}"
            if text in ("", name):
                parts.append(name)
            else:
                parts.append(f"{name} = {text}" if root in self.given else text)
        title = ",  ".join(parts)
        if len(title) <= 100 and len(parts) == len(roots):
            return title
        return f"{counted(len(roots), 'root')}, {counted(len(values), 'value')}"

    def clusters(self) -> tuple[Cluster, ...]:
        """A cluster for each layer, and in it one for each neuron that is not collapsed."""
        if self.plan.level == "layers":
            return ()
        layers: dict[str | None, dict[int, list[str]]] = {}
        homes = {home for home in self.homes.values() if home is not None}
        for home in sorted(homes, key=lambda home: (len(home[0] or ""), home[0] or "", home[1])):
            layers.setdefault(home[0], {})[home[1]] = []
        for id, place in self.homes.items():
            if place is not None:
                layers[place[0]][place[1]].append(id)
        clusters = []
        for layer, neurons in layers.items():
            title, note = layer_title(layer), " · ".join(filter(None, self.crowds.shape(layer)))
            if self.plan.level == "neurons" or layer is None:
                kind = "neuron" if layer is None else "layer"
                cards = tuple(chain.from_iterable(neurons.values()))
                clusters.append(Cluster(kind, title, note, cards))
            else:
                inside = tuple(
                    Cluster("neuron", f"Neuron {number}", "", tuple(ids))
                    for number, ids in neurons.items()
                )
                clusters.append(Cluster("layer", title, note, (), inside))
        return tuple(clusters)

    def legend(self, edges: Sequence[Edge]) -> tuple[str, ...]:
        """The sentences of the legend that apply to this picture."""
        pills = [edge.pill for edge in edges]
        sentences = []
        if any("×" in pill for pill in pills):
            sentences.append(SLOPES)
        if any(pill[:1] in PLACES for pill in pills if pill):
            sentences.append(ORDER)
        plan = self.plan
        if any(edge.strength is not None for edge in edges):
            sentences.append(LINES[self.strong_by])
            sentences += [MIXED] if any(edge.is_mixed for edge in edges) else []
        if not plan.has_gradients:
            return tuple(sentences)
        if plan.walked:
            sentences.append("thicker edge: more gradient flows back")
        if not plan.walked.issuperset(plan.values):
            sentences.append(CALL_BACKWARD)
            if any(v.grad for v in plan.values if v._operation is None and v not in plan.walked):
                sentences.append(LEFT_OVER)
        inner = plan.walked - plan.are_roots
        if not all(plan.is_sum_of_shares(value) for value in inner):
            sentences.append(ELSEWHERE)
        return tuple(sentences)


def narrow(card: Card) -> Card:
    """A small card with its number on a line of its own, as many stand side by side."""
    return replace(card, value="", lines=(("", card.value), *card.lines)) if card.value else card


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
