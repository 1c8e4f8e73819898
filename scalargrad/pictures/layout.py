"""The layout: Graphviz gets plain boxes and answers with their positions.   (floor 3)

Positions are in pixels from the top left.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from .engines import run
from .plan import MOST_SHOWN
from .text import quoted, width
from .theme import PILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from .scene import Cluster, Edge, Scene

    Point = tuple[float, float]
    Box = tuple[float, float, float, float]  # left, top, width, height


@dataclass(frozen=True)
class Route:
    """An edge: its Bézier points, the tip of its arrow, the middle of the text on it."""

    points: tuple[Point, ...]
    tip: Point
    pill: Point | None = None


@dataclass(frozen=True)
class Layout:
    """The positions of everything in a scene."""

    width: float
    height: float
    cards: Mapping[str, Box]
    routes: tuple[Route, ...]
    clusters: tuple[Box, ...]


# ------------------------------------------------------------------ the question to Graphviz


def dot_text(scene: Scene, sizes: Mapping[str, Point]) -> str:
    """The scene as DOT: boxes of the given sizes, clusters, edges from side to side.

    The slope on an edge is a small box of its own, halfway along the edge, so that nothing lies on
    it. If the edge comes into a neuron from outside, that box is a gate among the neuron's
    parameters. Without it Graphviz would lead the edge around the cluster.
    """
    direction, tail, head = ("TB", "s", "n") if scene.downward else ("LR", "e", "w")
    operands = Counter(edge.head for edge in scene.edges if edge.strength is None)
    has_pills, has_fans = (
        any(edge.pill for edge in scene.edges),
        max(operands.values(), default=0) > MOST_SHOWN,
    )
    spacing = f"nodesep=0.26, ranksep={0.35 if has_pills and not has_fans else 0.7}"
    if not scene.clusters:
        spacing += ", ordering=in"  # operands in their order
    elif any(cluster.kind == "layer" and cluster.cards for cluster in scene.clusters):
        spacing += ", mclimit=0.01"  # keeps the order of neurons, though a few more edges cross
    boxes, gates = _boxes_on_edges(scene)
    title = quoted(scene.title or " ")
    inside = _in_order(scene, boxes)
    lines = [
        "digraph {",
        f"  graph [rankdir={direction}, {spacing}, fontname=Helvetica, tooltip={title}]",
        "  node [shape=box, style=rounded, fixedsize=true, fontname=Helvetica, fontsize=11]",
        f"  edge [tailport={tail}, headport={head}, arrowsize=0.7]",
    ]
    for number, cluster in enumerate(scene.clusters):
        lines += _cluster_lines(cluster, f"cluster_{number}", "  ", inside)
    lines += _columns_of_lines(scene)
    for card in scene.cards:
        shown = [
            f"{card.badge} {card.name}".strip(),
            card.value,
            *(" ".join(line).strip() for line in card.lines),
        ]
        label = quoted("\n".join(filter(None, shown)))
        lines.append(
            f"  {card.id} [{_size(sizes[card.id])}, label={label}, tooltip={quoted(card.tip)}]"
        )
    read = {edge.tail for edge in scene.edges}
    last = [card.id for card in scene.cards if card.kind == "output" and card.id not in read]
    if len(last) > 1 and not scene.clusters:  # several roots, in their order
        lines.append(f"  {{rank=same; {' -> '.join(last)} [style=invis]}}")
    lines += _edge_lines(scene, operands, boxes, gates, columns=2 if has_pills else 1)
    return "\n".join([*lines, "}", ""])


def _edge_lines(
    scene: Scene,
    operands: Counter[str],
    boxes: Mapping[str, Cluster | None],
    gates: set[str],
    columns: int,
) -> Iterator[str]:
    """The edges and the boxes on them; an edge from card to card is `columns` columns long."""
    readers = Counter(edge.tail for edge in scene.edges if edge.strength is None)
    for number, edge in enumerate(scene.edges):
        name, more = f"e{number}", f"tooltip={quoted(edge.tip)}"
        if operands[edge.head] == 1:
            more += ", weight=8"  # a card that reads one other card is on a level with it
        if edge.strength is not None:
            continue
        if name in boxes:
            size = _size((width(edge.pill, PILL) + 12, 18.0) if edge.pill else (2.0, 2.0))
            long = columns if name in gates else 1
            yield f"  {name} [{size}, label={quoted(edge.pill)}, {more}, color=gray]"
            yield f"  {edge.tail} -> {name} [id={name}a, {more}, minlen={long}, arrowhead=none]"
            yield f"  {name} -> {edge.head} [id={name}b, {more}, minlen={long}]"
        else:
            # the edges of a fan are so many that boxes on them would fill a column
            is_fan = operands[edge.head] > MOST_SHOWN or readers[edge.tail] > MOST_SHOWN
            long = 1 if is_fan else columns
            yield f"  {edge.tail} -> {edge.head} [id={name}, {more}, minlen={long}]"


def _columns_of_lines(scene: Scene) -> Iterator[str]:
    """The lines between two layers for Graphviz: neurons side by side, in their order.

    If it had all lines, it would keep room for each of them, and no two layers the same order.
    """
    home = {id: number for number, cluster in enumerate(scene.clusters) for id in cluster.cards}
    ends: dict[int | None, tuple[dict[str, None], dict[str, None]]] = {}
    for edge in scene.edges:
        if edge.strength is not None:
            tails, heads = ends.setdefault(home.get(edge.head), ({}, {}))
            tails[edge.tail] = heads[edge.head] = None
    for tails, heads in ends.values():
        count = max(len(tails), len(heads))
        gap = 3 if len(tails) * len(heads) < 100 else 4
        place = {card.id: number for number, card in enumerate(scene.cards)}
        sides = [sorted(side, key=place.__getitem__) for side in (tails, heads)]
        for number in range(count):
            tail, head = (side[number * len(side) // count] for side in sides)
            yield f"  {tail} -> {head} [minlen={gap}, weight=8]"


def _size(size: Point) -> str:
    return "width={:.4f}, height={:.4f}".format(*(length / 72 for length in size))


def _boxes_on_edges(scene: Scene) -> tuple[dict[str, Cluster | None], set[str]]:
    """The edges with a box on them, each with the neuron it goes to, and the edges with a gate."""
    neuron = {
        id: cluster
        for cluster in scene.all_clusters()
        if cluster.kind == "neuron"
        for id in cluster.cards
    }
    homes: dict[str, Cluster | None] = {}
    gates = set()
    for number, edge in enumerate(scene.edges):
        home = neuron.get(edge.head)
        is_gate = home is not None and home is not neuron.get(edge.tail)
        if edge.pill or is_gate:
            homes[f"e{number}"] = home
        if is_gate:
            gates.add(f"e{number}")
    return homes, gates


def _cluster_lines(
    cluster: Cluster,
    name: str,
    indent: str,
    inside: Mapping[int, list[str]],
) -> Iterator[str]:
    title = quoted("  ".join(filter(None, (cluster.title, cluster.note))))
    yield f"{indent}subgraph {name} {{"
    yield f"{indent}  graph [label={title}, labeljust=l, fontsize=15, margin=14, tooltip={title}]"
    for number, inner in enumerate(cluster.inside):
        yield from _cluster_lines(inner, f"{name}_{number}", indent + "  ", inside)
    if names := inside.get(id(cluster)):
        yield f"{indent}  {'; '.join(names)}"
    yield f"{indent}}}"


def _in_order(scene: Scene, boxes: Mapping[str, Cluster | None]) -> dict[int, list[str]]:
    """The cards and boxes of each cluster, by its id(), in the order of the edges."""
    home = {card: cluster for cluster in scene.all_clusters() for card in cluster.cards}
    inside: dict[int, dict[str, None]] = {}

    def put(name: str, cluster: Cluster | None) -> None:
        if cluster is not None:
            inside.setdefault(id(cluster), {})[name] = None

    for number, edge in enumerate(scene.edges):
        put(edge.tail, home.get(edge.tail))
        put(f"e{number}", boxes.get(f"e{number}"))
    for card in scene.cards:
        put(card.id, home.get(card.id))
    # Graphviz fills the columns of a cluster from the bottom, and its rows from the left.
    return {
        cluster: list(names) if scene.downward else list(reversed(names))
        for cluster, names in inside.items()
    }


# ------------------------------------------------------------------ the answer of Graphviz


def laid_out(scene: Scene, dot: str, timeout: float) -> Layout:
    """Ask Graphviz for the layout; `engines.run` raises the errors."""
    return read(
        scene,
        json.loads(run(dot, timeout, f"{len(scene.cards)} cards and {len(scene.edges)} edges")),
    )


def read(scene: Scene, answer: Any) -> Layout:
    """The layout in Graphviz's JSON, its origin moved from the bottom left to the top left."""
    _, _, right, top = _numbers(answer["bb"])

    def point(text: str) -> Point:
        x, y = _numbers(text)
        return x, top - y

    boxes: dict[str, Box] = {}
    for item in answer.get("objects", ()):
        if "pos" in item:
            (x, y), w, h = point(item["pos"]), float(item["width"]) * 72, float(item["height"]) * 72
            boxes[item["name"]] = (x - w / 2, y - h / 2, w, h)
        elif "bb" in item:
            x, y, x2, y2 = _numbers(item["bb"])
            boxes[item["name"]] = (x, top - y2, x2 - x, y2 - y)
    routes: dict[str, Route] = {}
    for item in answer.get("edges", ()):
        # s,x,y is the tip of an arrow at the start, e,x,y at the end; an edge back may have either
        if "id" not in item:
            continue
        parts = item["pos"].split()
        points = [point(part) for part in parts if part[0] not in "se"]
        tips = {part[0]: point(part[2:]) for part in parts if part[0] in "se"}
        points[0] = tips.get("s", points[0])
        routes[item["id"]] = Route(tuple(points), tips.get("e", points[-1]))
    _put_in_order(scene, boxes)
    cards = {card.id: boxes[card.id] for card in scene.cards}
    found = [
        _route(f"e{number}", edge, routes, boxes, scene.downward)
        for number, edge in enumerate(scene.edges)
    ]
    clusters = [
        boxes[name]
        for number, cluster in enumerate(scene.clusters)
        for name in _names(cluster, f"cluster_{number}")
    ]
    return Layout(right, top, cards, tuple(found), tuple(clusters))


def _route(
    name: str,
    edge: Edge,
    routes: Mapping[str, Route],
    boxes: Mapping[str, Box],
    downward: bool,
) -> Route:
    """The route of an edge; for an edge with a box on it, the two parts joined."""
    if name in routes:
        return routes[name]
    if edge.strength is not None:  # straight, from side to side
        (x, y, w, h), (x2, y2, w2, h2) = boxes[edge.tail], boxes[edge.head]
        if downward:
            return Route(((x + w / 2, y + h),), (x2 + w2 / 2, y2))
        return Route(((x + w, y + h / 2),), (x2, y2 + h2 / 2))
    before, after = routes[f"{name}a"], routes[f"{name}b"]
    x, y, w, h = boxes[name]
    bridge = before.points[-1], after.points[0], after.points[0]
    return Route((*before.points, *bridge, *after.points[1:]), after.tip, (x + w / 2, y + h / 2))


def _put_in_order(scene: Scene, boxes: dict[str, Box]) -> None:
    """Sort the places of a layer's neurons, where they have lines alone, which follow them."""
    bound = {id for edge in scene.edges if edge.strength is None for id in (edge.tail, edge.head)}
    for cluster in scene.clusters:
        if cluster.kind == "layer" and not bound.intersection(cluster.cards):
            places = sorted((boxes[id] for id in cluster.cards), key=lambda box: (box[1], box[0]))
            boxes.update(zip(cluster.cards, places))


def _names(cluster: Cluster, name: str) -> Iterator[str]:
    """The names in `dot_text` of a cluster and those in it, in the order of `Cluster.all`."""
    yield name
    for number, inner in enumerate(cluster.inside):
        yield from _names(inner, f"{name}_{number}")


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]
