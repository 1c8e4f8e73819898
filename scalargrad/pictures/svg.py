"""Writes cards, edges and a legend as SVG, at the places in the layout.   (floor 3)

A user's text stands only in <text> and <title>, escaped. The same scene with the same layout gives
the same bytes.
"""

from __future__ import annotations

from hashlib import sha256
from math import atan2, ceil, cos, hypot, isfinite, sin

from ..wording import figure
from .dot import Frame
from .scene import Bundle, Card, Cluster, Edge, Scene
from .text import escaped, shortened, width, wrapped
from .theme import (
    BAR,
    CLUSTER,
    FIRST_LINE,
    FONT,
    HEADING,
    LINE,
    MARGIN,
    NAME,
    NARROWEST,
    OUTLINES,
    PAD,
    PILL,
    SUB,
    THICKEST,
    THINNEST,
    VALUE,
    WIDEST,
    style,
)  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .layout import Box, Layout, Point, Route

MOST_DOTS = 9
MOST_LINES, HEADING_LINE = 6, 26.0  # of the title: how many, and their height
SMALL_LINE = 27.0  # height of the first line of a small card
FIGURE = 68.0  # width that a gradient takes beside its bar
MOST_NAMES = 4  # lines of a name
CHIP = 28.0  # height of a plain number
STEP = 24.0  # widths of cards are multiples of this, so that few columns differ


# ------------------------------------------------------------------ sizes


def frames_of(scene: Scene) -> dict[str, Frame]:
    """The room that each card needs."""
    return {card.id: _frame(card) for card in scene.cards}


def _frame(card: Card) -> Frame:
    badge, stack = _overhang(card), _spread(card)
    if card.kind == "constant":
        wide = max(36.0, width(card.name, NAME) + 22)
        return Frame(wide, CHIP + stack, 0.0, stack, 0.0, stack)
    gap = 14.0 if card.value else 0.0
    first, *further = [width(name, NAME, bold=card.is_given) for name in _names(card)]
    lines = [first + gap + width(card.value, VALUE), *further]
    lines += [width(left, SUB) + 14 + width(right, SUB + 1) for left, right in _lines(card)]
    inner = max(NARROWEST, min(WIDEST, PAD + _indent(card) + max(lines) + PAD))
    below = 6.0 if card.lines else 2.0
    below += 18.0 if card.dots else 0.0
    first_line, gradient = (SMALL_LINE, LINE) if card.is_small else (FIRST_LINE, LINE + BAR - 2.0)
    below += gradient if card.has_gradient else 0.0
    height = first_line + LINE * (len(further) + len(card.lines)) + below
    return Frame(ceil(inner / STEP) * STEP, height + stack, badge, stack, badge, stack)


def _names(card: Card) -> list[str]:
    """The name in lines: those of the user, or as few as fit if it is long."""
    room = WIDEST - 2 * PAD - _indent(card)
    room -= width(card.value, VALUE) + 14.0 if card.value else 0.0
    return wrapped(card.name, room, NAME, MOST_NAMES, bold=card.is_given)


def _lines(card: Card) -> list[tuple[str, str]]:
    grad = (
        [("grad", "–" if card.gradient is None else figure(card.gradient))]
        if card.has_gradient
        else []
    )
    return [*card.lines, *grad]


def _spread(card: Card) -> float:
    """The width by which cards behind stick out; they show that a card is for many leaves."""
    return 6.0 if card.is_many and card.kind in ("leaf", "input", "parameter", "constant") else 0.0


def _badge_width(card: Card) -> float:
    return (
        0.0
        if not card.badge
        else 30.0
        if len(card.badge) == 1
        else max(30.0, width(card.badge, NAME, bold=True) + 18)
    )


def _overhang(card: Card) -> float:
    """The width by which the badge sticks out on the left."""
    return min(_badge_width(card) / 2, 16.0) - (6.0 if len(card.badge) == 1 else 0.0)


def _indent(card: Card) -> float:
    """The part of the badge's width that lies on the card."""
    return max(0.0, _badge_width(card) - _overhang(card) - 6.0)


# ------------------------------------------------------------------ the picture


def svg_text(scene: Scene, layout: Layout) -> str:
    """The whole picture."""
    legend, legend_width, legend_height = _legend(scene, max(layout.width, 560.0))
    title = wrapped(scene.title, max(layout.width, legend_width, 400.0), HEADING, MOST_LINES, True)
    wide = max(width(line, HEADING, bold=True) for line in title)
    inner = max(layout.width, wide, legend_width)
    top = MARGIN + (14.0 + HEADING_LINE * len(title) if scene.title else 0.0)
    left = MARGIN + (inner - layout.width) / 2
    total = inner + 2 * MARGIN, top + layout.height + legend_height + MARGIN
    flows = [abs(edge.flow) for edge in scene.edges if isfinite(edge.flow)]
    grads = [
        abs(card.gradient)
        for card in scene.cards
        if card.gradient is not None and isfinite(card.gradient)
    ]
    body = [f'<g transform="translate({left:.1f} {top:.1f})">']
    for cluster, box in zip(scene.all_clusters(), layout.clusters):
        body.append(_rect(cluster.kind, *box, 14))
    for bundle in scene.bundles:
        body += _band(bundle, _corners(bundle, layout, scene.downward))
    order = sorted(range(len(scene.edges)), key=lambda i: abs(scene.edges[i].strength or 0.0))
    for number in order:  # the strong lines lie on the weak ones
        edge, route = scene.edges[number], layout.routes[number]
        if edge.strength is not None:
            body += _line(edge, edge.strength, route)
    for cluster, box in zip(scene.all_clusters(), layout.clusters):
        body += _cluster_title(cluster, box)
    for edge, route in zip(scene.edges, layout.routes):
        if edge.strength is None:
            body += _edge(edge, route, max(flows, default=0.0) if scene.has_run else 0.0)
    for edge, route in zip(scene.edges, layout.routes):
        body += _pill(edge, route)
    for bundle in scene.bundles:
        body += _count(bundle, _corners(bundle, layout, scene.downward))
    for card in scene.cards:
        body += _card(card, layout.cards[card.id], max(grads, default=0.0))
    body += [
        "</g>",
        f'<g transform="translate({MARGIN:.1f} {top + layout.height + 26:.1f})">',
        *legend,
        "</g>",
    ]
    heading = [
        _text(MARGIN, MARGIN + 14 + HEADING_LINE * number, line, HEADING, "heading", bold=True)
        for number, line in enumerate(title)
        if line
    ]
    mark = "sg" + sha256("".join([scene.title, *body]).encode()).hexdigest()[:8]
    w, h = f"{total[0]:.0f}", f"{total[1]:.0f}"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
        f'class="sg" role="img" aria-labelledby="{mark}t {mark}d" font-family="{FONT}">',
        f'<title id="{mark}t">{escaped(scene.title)}</title>',
        f'<desc id="{mark}d">{escaped(scene.description)}</desc>',
        f"<style>\n{style(scene.theme)}\n</style>",
        f'<rect class="bg" width="{w}" height="{h}"/>',
        *heading, *body, "</svg>", "",
    ])  # fmt: skip


def _text(
    x: float, y: float, text: str, size: float, kind: str, anchor: str = "", bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    place = f' text-anchor="{anchor}"' if anchor else ""
    form = f'class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{weight}{place}'
    return f"<text {form}>{escaped(text)}</text>"


def _rect(kind: str, x: float, y: float, w: float, h: float, corner: float, more: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"'
    return f'<rect class="{kind}" {place} rx="{corner:g}"{more}/>'


def _tick(x: float, top: float, bottom: float) -> str:
    return f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'


def _cluster_title(cluster: Cluster, box: Box) -> Iterator[str]:
    x, y, _, _ = box
    yield _text(x + 14, y + 20, cluster.title, CLUSTER, "ctext", bold=True)
    yield _text(
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
    yield _rect("pill", x - w / 2, y - 9, w, 18, 9)
    yield _text(x, y + 4, bundle.count, PILL, "ptext num", "middle") + "</g>"


def _pill(edge: Edge, route: Route) -> Iterator[str]:
    if edge.pill and route.pill:
        x, y = route.pill
        w = width(edge.pill, PILL) + 10
        yield (
            f'<g class="edge"><title>{escaped(edge.tip)}</title>'
            f"{_rect('pill', x - w / 2, y - 9, w, 18, 9)}"
            f"{_text(x, y + 4, edge.pill, PILL, 'ptext num', 'middle')}</g>"
        )


# ------------------------------------------------------------------ cards


def _card(card: Card, box: Box, most: float) -> Iterator[str]:
    x, y, w, h = box
    yield f'<g class="node {card.kind}" id="{card.id}"><title>{escaped(card.tip)}</title>'
    yield from _outline(card, x, y, w, h)
    if card.kind == "constant":
        yield _text(x + w / 2, y + CHIP / 2 + 5, card.name, NAME, "val num", "middle") + "</g>"
        return
    left, right = x + PAD + _indent(card), x + w - PAD
    room = right - left - (width(card.value, VALUE) + 10 if card.value else 0.0)
    base = y + (19.0 if card.is_small else 23.0)
    kind, bold, line = "name" if card.is_given else "given", card.is_given, base
    for name in _names(card):
        yield _text(left, line, shortened(name, room, NAME, bold), NAME, kind, bold=bold)
        room, line = right - left, line + LINE
    if card.value:
        yield _text(right, base, card.value, VALUE, "val num", "end")
    for name, shown in card.lines:
        if name:
            yield _text(left, line, name, SUB, "sub num")
        if shown:
            yield _text(right, line, shown, SUB + 1, "sub num", "end")
        line += LINE
    if card.has_gradient:
        yield from _gradient(card, left, right, line, most)
        line += LINE + BAR
    if card.dots:
        yield from _dots(card.dots, left, line - 3)
    yield from _badge(card, x - _overhang(card), y + h / 2)
    yield "</g>"


def _outline(
    card: Card, x: float, y: float, w: float, h: float, scale: float = 1.0
) -> Iterator[str]:
    corner, line, has_inner, dashes = OUTLINES[card.kind]
    corner = min(corner * scale, h / 2)
    form = f' stroke-width="{line:g}"' + (f' stroke-dasharray="{dashes}"' if dashes else "")
    for shift in (6.0, 3.0, 0.0) if _spread(card) else (0.0,):
        yield _rect("card", x + shift, y + shift, w, h, corner, form)
    if has_inner:
        yield _rect("inner", x + 4, y + 4, w - 8, h - 8, max(corner - 2, 1))


def _gradient(card: Card, left: float, right: float, y: float, most: float) -> Iterator[str]:
    grad, end, top = card.gradient, right, y + 9
    if card.is_small:  # the bar stands beside the figure
        end, top = right - FIGURE, y - 7
    middle = (left + end) / 2
    sign = "none" if grad is None or not abs(grad) > 0.0 else "pos" if grad > 0 else "neg"
    if not card.is_small:
        yield _text(left, y, "grad", SUB, "sub")
    yield _text(
        right,
        y,
        "–" if grad is None else figure(grad),
        SUB + 1,
        f"num {'sub' if sign == 'none' else sign}",
        "end",
    )
    yield f'<g class="{sign}">{_rect("track", left, top, end - left, 5, 2.5)}'
    if sign != "none" and grad is not None:
        long = (end - middle) * (1.0 if not isfinite(grad) else abs(grad) / most)
        long = max(long, 1.5)
        yield _rect("bar", middle if grad > 0 else middle - long, top, long, 5, 1.5)
    yield f"</g>{_tick(middle, top - 2, top + 7)}"


def _dots(count: int, left: float, y: float) -> Iterator[str]:
    shown = count if count <= MOST_DOTS else MOST_DOTS - 1
    for number in range(shown):
        yield f'<circle class="dot" cx="{left + 4 + 12 * number:.1f}" cy="{y:.1f}" r="3.6"/>'
    if shown < count:
        yield _text(left + 12 * shown, y + 4, f"… {count}", SUB, "sub num")


def _badge(card: Card, left: float, middle: float) -> Iterator[str]:
    if card.badge:
        w = _badge_width(card)
        size = 19 if len(card.badge) == 1 else 14
        yield _rect("badge", left, middle - 15, w, 30, 15)
        yield _text(
            left + w / 2,
            middle + (6.5 if size == 19 else 5),
            card.badge,
            size,
            "btext",
            "middle",
            bold=True,
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
        parts += [*_legend_mark(kind, x, y), _text(x + mark, y + 12, text, CLUSTER, "sub")]
        widest = max(widest, x + wide)
        x += wide + 26
    return parts, widest, y + 34


def _legend_mark(kind: str, x: float, y: float) -> Iterator[str]:
    if kind == "gradient":
        yield f'<g class="neg">{_rect("bar", x, y + 5, 26, 6, 2)}</g>'
        yield f'<g class="pos">{_rect("bar", x + 26, y + 5, 26, 6, 2)}</g>'
        yield _tick(x + 26, y + 1, y + 15)
    elif kind:
        yield f'<g class="{kind}">'
        yield from _outline(Card("", kind, "", ""), x, y, 24.0, 16.0, scale=0.35)
        yield "</g>"
