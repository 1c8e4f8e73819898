"""The scene of a recorded graph: cards and edges, with title, clusters and legend.   (floor 3)"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from math import hypot

from ..value import Value
from ..wording import counted, figure, formulas, name_formula
from .crowds import layer_title
from .meshes import meshed
from .painter import MANY, PLACES, Painter
from .plan import MOST_SHOWN
from .scene import ORDER, SLOPES, Card, Cluster, Edge, Scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .meshes import Strength
    from .plan import Plan

LINES = {  # between wide layers
    "gradient": "lines: blue +, orange −, strong where much gradient flows",
    "weight": "lines: blue +, orange −, strong where the weight is large",
}
MOST_WITH_SLOPES = 150  # cards; with more, nobody reads slopes, and Graphviz takes long
MIXED = "grey lines: several edges in one"
CALL_BACKWARD = "– no gradient yet: call backward()"
LEFT_OVER = "leaves hold gradients of an earlier walk: zero_grad() sets them to 0"
ELSEWHERE = "some gradients come from elsewhere too: other roots, or earlier calls of backward()"


def graph_scene(
    painter: Painter,
    title: str | None = None,
    downward: bool = False,
    strong_by: str = "gradient",
) -> Scene:
    """The scene of a graph whose cards are painted; lines between wide layers are strong by that.

    They are strong by their weights where no gradient has flowed.
    """
    plan, edges = painter.plan, painter.drawn_edges()
    strong_by = strong_by if plan.walked else "weight"
    if plan.has_crowds and len(painter.cards) > MOST_WITH_SLOPES:
        edges = tuple(replace(edge, pill="") for edge in edges)
    count = len(edges)
    strengths = _strengths(painter, edges, strong_by)
    edges, bundles = meshed(edges, _into_layers(painter, edges), strengths)
    results = ", ".join(figure(root.data) for root in plan.roots[:MOST_SHOWN])
    cards = [_narrow(card) if downward and card.is_small else card for card in painter.cards]
    return Scene(
        _title(painter) if title is None else title,
        tuple(cards),
        edges,
        _clusters(painter),
        bundles,
        bool(plan.walked),
        downward,
        _legend(plan, edges, strong_by),
        f"{counted(len(plan.values), 'value')} in {counted(len(painter.cards), 'card')}, "
        f"{counted(count, 'edge')}; the result is {results}.",
    )


def _title(painter: Painter) -> str:
    """The network, or the formulas of the roots if short, else how many roots and Values."""
    roots, values = painter.plan.roots, painter.plan.values
    if network := painter.plan.neurons.network():
        if len(roots) > 1:
            return network
        (root,) = roots
        name = painter.names[root] if root in painter.given else ""
        if root not in painter.plan.neurons.home:
            network = f"{name or root.op or 'result'} of {network}"
        elif name:
            network = f"{name} = {network}"
        return f"{network} = {figure(root.data, 2)}"
    labels = {
        value: name_formula(painter.names[value]) for value in values if value in painter.given
    }
    leaves = {value: label for value, label in labels.items() if value._operation is None}
    texts = formulas(values, labels) | formulas(values, leaves)
    parts = []
    for root in roots[:MOST_SHOWN]:
        name, text = painter.names[root], texts.get(root, "")
        if not text and root not in painter.given:  # its formula is long, and it has no label
            name = f"{root.op or 'leaf'}: {counted(len(values), 'value')}"
        if text in ("", name):
            parts.append(name)
        else:
            parts.append(f"{name} = {text}" if root in painter.given else text)
    title = ",  ".join(parts)
    if len(title) <= 100 and len(parts) == len(roots):
        return title
    return f"{counted(len(roots), 'root')}, {counted(len(values), 'value')}"


def _clusters(painter: Painter) -> tuple[Cluster, ...]:
    """A cluster for each layer, and in it one for each neuron that is not collapsed."""
    if painter.plan.level == "layers":
        return ()
    layers: dict[str | None, dict[int, list[str]]] = {}
    homes = {home for home in painter.homes.values() if home is not None}
    for home in sorted(homes, key=lambda home: (len(home[0] or ""), home[0] or "", home[1])):
        layers.setdefault(home[0], {})[home[1]] = []
    for id, place in painter.homes.items():
        if place is not None:
            layers[place[0]][place[1]].append(id)
    clusters = []
    for layer, neurons in layers.items():
        title, note = layer_title(layer), " · ".join(filter(None, painter.crowds.shape(layer)))
        if painter.plan.level == "neurons" or layer is None:
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


def _legend(plan: Plan, edges: Sequence[Edge], strong_by: str) -> tuple[str, ...]:
    """The sentences of the legend that apply to this picture."""
    pills = [edge.pill for edge in edges]
    sentences = []
    if any("×" in pill for pill in pills):
        sentences.append(SLOPES)
    if any(pill[:1] in PLACES for pill in pills if pill):
        sentences.append(ORDER)
    if any(edge.strength is not None for edge in edges):
        sentences.append(LINES[strong_by])
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


def _narrow(card: Card) -> Card:
    """A small card with its number on a line of its own, as many stand side by side."""
    return replace(card, value="", lines=(("", card.value), *card.lines)) if card.value else card


# ------------------------------------------------------------------ lines between wide layers


def _into_layers(painter: Painter, edges: Sequence[Edge]) -> dict[str | None, list[int]]:
    """The numbers of the edges into the neurons of each layer, from outside of it."""
    found: dict[str | None, list[int]] = {}
    if painter.plan.level == "neurons":
        for number, edge in enumerate(edges):
            tail, head = painter.homes[edge.tail], painter.homes[edge.head]
            if head is not None and (tail is None or tail[0] != head[0]):
                found.setdefault(head[0], []).append(number)
    return found


def _strengths(painter: Painter, edges: Sequence[Edge], strong_by: str) -> list[Strength]:
    """The strength of each edge's line, and whether it stands for several that differ."""
    if strong_by == "gradient":
        return [(edge.flow, (edge.tail, edge.head) in painter.flows) for edge in edges]
    weights, strengths = _weights(painter), []
    for edge in edges:
        found = weights.get((edge.tail, edge.head), [0.0])
        is_mixed = len({*found}) > 1
        strengths.append((hypot(*found) if is_mixed else found[0], is_mixed))
    return strengths


def _weights(painter: Painter) -> dict[tuple[str, str], list[float]]:
    """The weights of the neurons, by the cards of the input and of the neuron."""
    found: dict[tuple[str, str], list[float]] = {}
    for z in painter.plan.values:
        if z in painter.plan.neurons.sums:
            layer, half = painter.plan.neurons.home[z][0], len(z.parents) // 2
            for index, weight in enumerate(z.parents[:half], half):
                x, data = z.parents[index], weight.data if isinstance(weight, Value) else weight
                many = painter.shared.get((layer, MANY), "")
                tail = (
                    painter.id(x)
                    if isinstance(x, Value)
                    else painter.shared.get((layer, index, x), many)
                )
                found.setdefault((tail, painter.id(z)), []).append(data)
    return found
