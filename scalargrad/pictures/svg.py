"""Writes the whole picture as SVG, at the places in the layout.   (floor 3)

A user's text stands only in <text> and <title>, escaped. The same scene with the same layout gives
the same bytes.
"""

from __future__ import annotations

from hashlib import sha256
from math import atan2, cos, hypot, isfinite, sin

from .cards import card_text, outline
from .elements import rect, text_at, tick
from .scene import Bundle, Card, Cluster, Edge, Scene
from .text import escaped, width, wrapped
from .theme import CLUSTER, FONT, HEADING, MARGIN, OUTLINES, PILL, THICKEST, THINNEST, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .layout import Box, Layout, Point, Route

MOST_LINES, HEADING_LINE = 6, 26.0  # of the title: how many, and their height


def svg_text(scene: Scene, layout: Layout) -> str:
    """The whole picture: the title, the graph below it, the legend at the bottom."""
    legend, legend_width, legend_height = _legend(scene, max(layout.width, 560.0))
    title = wrapped(scene.title, max(layout.width, legend_width, 400.0), HEADING, MOST_LINES, True)
    wide = max(width(line, HEADING, bold=True) for line in title)
    inner = max(layout.width, wide, legend_width)
    top = MARGIN + (14.0 + HEADING_LINE * len(title) if scene.title else 0.0)
    left = MARGIN + (inner - layout.width) / 2
    w, h = f"{inner + 2 * MARGIN:.0f}", f"{top + layout.height + legend_height + MARGIN:.0f}"
    heading = [
        text_at(MARGIN, MARGIN + 14 + HEADING_LINE * number, line, HEADING, "heading", bold=True)
        for number, line in enumerate(title)
        if line
    ]
    body = [
        f'<g transform="translate({left:.1f} {top:.1f})">', *_graph(scene, layout), "</g>",
        f'<g transform="translate({MARGIN:.1f} {top + layout.height + 26:.1f})">', *legend, "</g>",
    ]  # fmt: skip
    mark = "sg" + sha256("".join([scene.title, *body]).encode()).hexdigest()[:8]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
        f'class="sg" role="img" aria-labelledby="{mark}t {mark}d" font-family="{FONT}">',
        f'<title id="{mark}t">{escaped(scene.title)}</title>',
        f'<desc id="{mark}d">{escaped(scene.description)}</desc>',
        f"<style>\n{style(scene.theme)}\n</style>",
        f'<rect class="bg" width="{w}" height="{h}"/>',
        *heading, *body, "</svg>", "",
    ])  # fmt: skip


def _graph(scene: Scene, layout: Layout) -> Iterator[str]:
    """The graph, from the frames at the bottom to the cards on top."""
    flows = [abs(edge.flow) for edge in scene.edges if isfinite(edge.flow)]
    grads = [abs(card.gradient) for card in scene.cards if card.gradient is not None]
    most_flow = max(flows, default=0.0) if scene.has_run else 0.0
    most_grad = max(filter(isfinite, grads), default=0.0)
    bundles = [(each, _corners(each, layout, scene.downward)) for each in scene.bundles]
    clusters = [*zip(scene.all_clusters(), layout.clusters)]
    edges = [*zip(scene.edges, layout.routes)]
    for cluster, box in clusters:
        yield rect(cluster.kind, *box, 14)
    for bundle, corners in bundles:
        yield from _band(bundle, corners)
    for edge, route in sorted(edges, key=lambda pair: abs(pair[0].strength or 0.0)):
        if edge.strength is not None:  # the strong lines lie on the weak ones
            yield from _line(edge, edge.strength, route)
    for cluster, box in clusters:
        yield from _cluster_title(cluster, box)
    for edge, route in edges:
        if edge.strength is None:
            yield from _edge(edge, route, most_flow)
    for edge, route in edges:
        yield from _pill(edge, route)
    for bundle, corners in bundles:
        yield from _count(bundle, corners)
    for card in scene.cards:
        yield from card_text(card, layout.cards[card.id], most_grad)


def _cluster_title(cluster: Cluster, box: Box) -> Iterator[str]:
    x, y, _, _ = box
    yield text_at(x + 14, y + 20, cluster.title, CLUSTER, "ctext", bold=True)
    yield text_at(
        x + 24 + width(cluster.title, CLUSTER, bold=True), y + 20, cluster.note, CLUSTER, "ctext"
    )


# ------------------------------------------------------------------ edges


def _edge(edge: Edge, route: Route, most: float) -> Iterator[str]:
    share = min(1.0, abs(edge.flow) / most) if most and isfinite(edge.flow) else 0.0
    thick = THINNEST + (THICKEST - THINNEST) * share
    start, *rest = route.points
    path = f"M{start[0]:.1f} {start[1]:.1f}C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in rest)
    (x, y), (px, py) = route.tip, route.points[-1]
    angle = atan2(y - py, x - px)
    back = max(hypot(x - px, y - py), 1.0)
    half = 2.6 + thick * 0.7
    wings = [
        (
            x - back * cos(angle) + s * half * sin(angle),
            y - back * sin(angle) - s * half * cos(angle),
        )
        for s in (1, -1)
    ]
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in ((x, y), *wings))
    yield f'<g class="edge"><title>{escaped(edge.tip)}</title>'
    yield f'<path d="{path}" stroke-width="{thick:.2f}"/><polygon points="{points}"/></g>'


def _line(edge: Edge, strength: float, route: Route) -> Iterator[str]:
    """A straight line between layers, behind the cards."""
    (x, y), (tip_x, tip_y) = route.points[0], route.tip
    path = f"M{x:.1f} {y:.1f}L{tip_x:.1f} {tip_y:.1f}"
    size = abs(strength)
    sign = "none" if not size or edge.is_mixed else "pos" if strength > 0 else "neg"
    look = f'stroke-width="{0.7 + 2.5 * size:.2f}" opacity="{0.13 + 0.75 * size**1.5:.2f}"'
    yield f'<g class="line {sign}"><title>{escaped(edge.tip)}</title><path d="{path}" {look}/></g>'


def _span(ids: tuple[str, ...], layout: Layout) -> Box:
    """Left, top, right and bottom of several cards."""
    boxes = [layout.cards[id] for id in ids]
    return (
        min(x for x, _, _, _ in boxes), min(y for _, y, _, _ in boxes),
        max(x + w for x, _, w, _ in boxes), max(y + h for _, y, _, h in boxes),
    )  # fmt: skip


def _corners(bundle: Bundle, layout: Layout, downward: bool) -> list[Point]:
    left, top, right, bottom = _span(bundle.tails, layout)
    left2, top2, right2, bottom2 = _span(bundle.heads, layout)
    if downward:
        return [(left, bottom), (right, bottom), (right2, top2), (left2, top2)]
    return [(right, top), (right, bottom), (left2, bottom2), (left2, top2)]


def _band(bundle: Bundle, corners: list[Point]) -> Iterator[str]:
    shape = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    yield f'<g class="line none"><title>{escaped(bundle.tip)}</title>'
    yield f'<polygon points="{shape}" opacity="0.18"/></g>'


def _count(bundle: Bundle, corners: list[Point]) -> Iterator[str]:
    """The number of edges that a band stands for, in its middle."""
    x, y = (sum(numbers) / 4 for numbers in zip(*corners))
    w = width(bundle.count, PILL) + 10
    yield f'<g class="bundle"><title>{escaped(bundle.tip)}</title>'
    yield rect("pill", x - w / 2, y - 9, w, 18, 9)
    yield text_at(x, y + 4, bundle.count, PILL, "ptext num", "middle") + "</g>"


def _pill(edge: Edge, route: Route) -> Iterator[str]:
    if edge.pill and route.pill:
        x, y = route.pill
        w = width(edge.pill, PILL) + 10
        yield (
            f'<g class="edge"><title>{escaped(edge.tip)}</title>'
            f"{rect('pill', x - w / 2, y - 9, w, 18, 9)}"
            f"{text_at(x, y + 4, edge.pill, PILL, 'ptext num', 'middle')}</g>"
        )


# ------------------------------------------------------------------ the legend


def _legend(scene: Scene, room: float) -> tuple[list[str], float, float]:
    """The legend, broken into lines; its width and height."""
    if not scene.has_legend:
        return [], 0.0, 0.0
    kinds = {card.kind for card in scene.cards} - {
        "neuron",
        "layer",
    }  # such cards say it in their names
    entries = [
        (kind, "number" if kind == "constant" else kind) for kind in OUTLINES if kind in kinds
    ]
    if any(card.has_gradient for card in scene.cards):
        entries.append(("gradient", "gradient, left −, right +"))
    entries += [("", sentence) for sentence in scene.legend]
    x, y, widest, parts = 0.0, 0.0, 0.0, []
    for kind, text in entries:
        mark = {"": 0.0, "gradient": 62.0}.get(kind, 32.0)
        wide = mark + width(text, CLUSTER)
        if x and x + wide > room:
            x, y = 0.0, y + 26
        parts += [*_legend_mark(kind, x, y), text_at(x + mark, y + 12, text, CLUSTER, "sub")]
        widest = max(widest, x + wide)
        x += wide + 26
    return parts, widest, y + 34


def _legend_mark(kind: str, x: float, y: float) -> Iterator[str]:
    if kind == "gradient":
        yield f'<g class="neg">{rect("bar", x, y + 5, 26, 6, 2)}</g>'
        yield f'<g class="pos">{rect("bar", x + 26, y + 5, 26, 6, 2)}</g>'
        yield tick(x + 26, y + 1, y + 15)
    elif kind:
        yield f'<g class="{kind}">'
        yield from outline(Card("", kind, "", ""), x, y, 24.0, 16.0, scale=0.35)
        yield "</g>"
