"""The layout: the answer of Graphviz, where everything in a scene stands.   (floor 3)

Positions are in pixels from the top left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from .dot import dot_text
from .engines import run
from .plan import CROWD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from .dot import Frame
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
