"""The layout: Graphviz gets plain boxes and answers with their positions.   (floor 3)

Positions are in pixels from the top left.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace

from .engines import run
from .plan import CROWD, MOST_SHOWN
from .text import quoted, width
from .theme import PILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Any

    from .scene import Cluster, Edge, Scene

    Point = tuple[float, float]
    Box = tuple[float, float, float, float]  # left, top, width, height


@dataclass(frozen=True)
class Frame:
    """The room that a card needs: its own, and that for what sticks out of it.

    In a column all cards have one width, and one room beside them, so that they stand in line.
    """

    inside: float  # width of the card itself
    height: float
    badge: float = 0.0  # how far the badge sticks out on the left
    stack: float = 0.0  # how far the cards behind stick out, on the right and below
    before: float = 0.0  # room on the left and on the right
    after: float = 0.0

    @property
    def width(self) -> float:
        """The whole width."""
        return self.before + self.inside + self.after


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


MOST_AT_LEFT = 16  # leaves; more would stand far from their readers

# ------------------------------------------------------------------ the question to Graphviz


def dot_text(scene: Scene, frames: Mapping[str, Frame], flipped: Collection[Cluster] = ()) -> str:
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
    beside = 0.12 if any(card.is_small for card in scene.cards) else 0.26
    between = 0.35 if has_pills and not has_fans else 0.7
    spacing = f"nodesep={beside}, ranksep={between}"
    if not scene.clusters:
        spacing += ", ordering=in"  # operands in their order
    elif any(cluster.kind == "layer" and cluster.cards for cluster in scene.clusters):
        spacing += ", mclimit=0.01"  # keeps the order of neurons, though a few more edges cross
    if len(scene.cards) > CROWD // 2:
        spacing += ", nslimit=2, nslimit1=2"  # the search for the shortest edges ends in time
    boxes, gates = _boxes_on_edges(scene)
    title = quoted(scene.title or " ")
    inside = _in_order(scene, boxes, flipped)
    lines = [
        "digraph {",
        f"  graph [rankdir={direction}, {spacing}, fontname=Helvetica, tooltip={title}]",
        "  node [shape=box, style=rounded, fixedsize=true, fontname=Helvetica, fontsize=11]",
        f"  edge [tailport={tail}, headport={head}, arrowsize=0.7]",
    ]
    for number, cluster in enumerate(scene.clusters):
        lines += _cluster_lines(cluster, f"cluster_{number}", "  ", inside)
    lines += _columns_of_lines(scene, between)
    for card in scene.cards:
        shown = [
            f"{card.badge} {card.name}".strip(),
            card.value,
            *(" ".join(line).strip() for line in card.lines),
        ]
        label = quoted("\n".join(filter(None, shown)))
        frame = frames[card.id]
        size = _size((frame.width, frame.height))
        lines.append(f"  {card.id} [{size}, label={label}, tooltip={quoted(card.tip)}]")
    if len(inputs := _inputs(scene)) > 1:
        lines.append(f"  {{rank=min; {'; '.join(inputs)}}}")
    read = {edge.tail for edge in scene.edges}
    last = [card.id for card in scene.cards if card.kind == "output" and card.id not in read]
    if len(last) > 1 and not scene.clusters:  # several roots, in their order
        lines.append(f"  {{rank=same; {' -> '.join(last)} [style=invis]}}")
    lines += _edge_lines(scene, operands, boxes, gates, columns=2 if has_pills else 1)
    return "\n".join([*lines, "}", ""])


def _inputs(scene: Scene) -> list[str]:
    """The cards that stand at the left: inputs, and leaves, which may be some.

    If there are many leaves, those that are read once are weights rather than inputs.
    """
    leaves = [card.id for card in scene.cards if card.kind == "leaf"]
    if len(leaves) > MOST_AT_LEFT:
        times = Counter(edge.tail for edge in scene.edges)
        leaves = [leaf for leaf in leaves if times[leaf] > 1]
    return [card.id for card in scene.cards if card.kind == "input"] + leaves


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


def _columns_of_lines(scene: Scene, between: float) -> Iterator[str]:
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
        gap = round((2.1 if len(tails) * len(heads) < 100 else 2.8) / between)
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
    inside: Mapping[Cluster, list[str]],
) -> Iterator[str]:
    title = quoted("  ".join(filter(None, (cluster.title, cluster.note))))
    yield f"{indent}subgraph {name} {{"
    yield f"{indent}  graph [label={title}, labeljust=l, fontsize=15, margin=14, tooltip={title}]"
    for number, inner in enumerate(cluster.inside):
        yield from _cluster_lines(inner, f"{name}_{number}", indent + "  ", inside)
    if names := inside.get(cluster):
        yield f"{indent}  {'; '.join(names)}"
    yield f"{indent}}}"


def _in_order(
    scene: Scene, boxes: Mapping[str, Cluster | None], flipped: Collection[Cluster]
) -> dict[Cluster, list[str]]:
    """The cards and boxes of each cluster, in the order of the edges, or flipped."""
    home = {card: cluster for cluster in scene.all_clusters() for card in cluster.cards}
    inside: dict[Cluster, dict[str, None]] = {}

    def put(name: str, cluster: Cluster | None) -> None:
        if cluster is not None:
            inside.setdefault(cluster, {})[name] = None

    for number, edge in enumerate(scene.edges):
        put(edge.tail, home.get(edge.tail))
        put(f"e{number}", boxes.get(f"e{number}"))
    for card in scene.cards:
        put(card.id, home.get(card.id))
    # Graphviz fills most columns of a cluster from the bottom, and its rows from the left.
    return {
        cluster: list(names) if scene.downward != (cluster in flipped) else list(reversed(names))
        for cluster, names in inside.items()
    }


# ------------------------------------------------------------------ the answer of Graphviz


def laid_out(scene: Scene, frames: Mapping[str, Frame], timeout: float) -> Layout:
    """Ask Graphviz for the layout; `engines.run` raises the errors.

    It tells which cards stand in one column. They get one width, and it is asked once more, with
    the neurons the other way round where their order is wrong. In a crowd all cards have one width
    from the start, because Graphviz takes long.
    """
    size = f"{len(scene.cards)} cards and {len(scene.edges)} edges"
    if len(scene.cards) > CROWD:
        frames = _evened(frames, [[*frames]])
    answer = json.loads(run(dot_text(scene, frames), timeout, size))
    even = _evened(frames, _columns(answer, frames, scene.downward))
    flipped = _out_of_order(scene, answer)
    if even != frames or flipped:
        answer = json.loads(run(dot_text(scene, even, flipped), timeout, size))
    return read(scene, even, answer)


def _out_of_order(scene: Scene, answer: Any) -> set[Cluster]:
    """The layers whose last neuron stands before the first."""
    place = {
        item["name"]: _numbers(item["pos"])[not scene.downward] * (1 if scene.downward else -1)
        for item in answer.get("objects", ())
        if "pos" in item
    }
    return {
        cluster
        for cluster in scene.clusters
        if cluster.kind == "layer"
        and cluster.cards
        and place[cluster.cards[0]] > place[cluster.cards[-1]]
    }


def _columns(answer: Any, frames: Mapping[str, Frame], downward: bool) -> Iterable[list[str]]:
    """The cards of each column; downward, of each row."""
    columns: dict[float, list[str]] = {}
    for item in answer.get("objects", ()):
        if item["name"] in frames:
            columns.setdefault(round(_numbers(item["pos"])[downward]), []).append(item["name"])
    return columns.values()


def _evened(frames: Mapping[str, Frame], groups: Iterable[list[str]]) -> dict[str, Frame]:
    """The frames, of one width and with one room beside the cards in each group."""
    found = dict(frames)
    for group in groups:
        members = [frames[id] for id in group]
        inside, before, after = (
            max(getattr(frame, side) for frame in members) for side in ("inside", "before", "after")
        )
        for id in group:
            found[id] = replace(found[id], inside=inside, before=before, after=after)
    return found


def read(scene: Scene, frames: Mapping[str, Frame], answer: Any) -> Layout:
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
    cards = {id: _card_in(boxes[id], frame) for id, frame in frames.items()}
    found = [
        _joined(f"e{number}", routes, boxes)
        if edge.strength is None
        else _straight(edge, cards, frames, scene.downward)
        for number, edge in enumerate(scene.edges)
    ]
    if not scene.downward:
        found = [
            _touching(route, frames[edge.tail], frames[edge.head])
            if edge.strength is None
            else route
            for route, edge in zip(found, scene.edges)
        ]
    clusters = [
        boxes[name]
        for number, cluster in enumerate(scene.clusters)
        for name in _names(cluster, f"cluster_{number}")
    ]
    return Layout(right, top, cards, tuple(found), tuple(clusters))


def _card_in(box: Box, frame: Frame) -> Box:
    x, y, _, h = box
    return x + frame.before, y, frame.inside, h - frame.stack


def _straight(
    edge: Edge, cards: Mapping[str, Box], frames: Mapping[str, Frame], downward: bool
) -> Route:
    """The route of a line between layers, from side to side."""
    (x, y, w, h), (x2, y2, w2, h2) = cards[edge.tail], cards[edge.head]
    stack = frames[edge.tail].stack
    if downward:
        return Route(((x + w / 2, y + h + stack),), (x2 + w2 / 2, y2))
    return Route(((x + w + stack, y + h / 2),), (x2 - frames[edge.head].badge, y2 + h2 / 2))


def _touching(route: Route, tail: Frame, head: Frame) -> Route:
    """The route from card to card, across the room beside them."""
    (x, y), *points = route.points
    start, end = tail.stack - tail.after, head.before - head.badge
    (last_x, last_y), (tip_x, tip_y) = points[-1], route.tip
    points[-1] = last_x + end, last_y
    return replace(route, points=((x + start, y), *points), tip=(tip_x + end, tip_y))


def _joined(name: str, routes: Mapping[str, Route], boxes: Mapping[str, Box]) -> Route:
    """The route of an edge; for an edge with a box on it, the two parts joined."""
    if name in routes:
        return routes[name]
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
