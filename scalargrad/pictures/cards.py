"""A card as SVG: the room that it needs, and what stands in it.   (floor 3)"""

from __future__ import annotations

from math import ceil, isfinite

from ..wording import figure
from .dot import Frame
from .elements import rect, text_at, tick
from .scene import Card, Scene
from .text import escaped, shortened, width, wrapped
from .theme import BAR, FIRST_LINE, LINE, NAME, NARROWEST, OUTLINES, PAD, SUB, VALUE, WIDEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .layout import Box

MOST_DOTS = 9
SMALL_LINE = 27.0  # height of the first line of a small card
FIGURE = 68.0  # width that a gradient takes beside its bar
MOST_NAMES = 4  # lines of a name
CHIP = 28.0  # height of a plain number
STEP = 24.0  # widths of cards are multiples of this, so that few columns differ


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
    """The further lines, and that of the gradient, left and right."""
    if not card.has_gradient:
        return [*card.lines]
    return [*card.lines, ("grad", "–" if card.gradient is None else figure(card.gradient))]


def _spread(card: Card) -> float:
    """The width by which cards behind stick out; they show that a card is for many leaves."""
    return 6.0 if card.is_many and card.kind in ("leaf", "input", "parameter", "constant") else 0.0


def _badge_width(card: Card) -> float:
    if len(card.badge) < 2:
        return 30.0 * len(card.badge)
    return max(30.0, width(card.badge, NAME, bold=True) + 18)


def _overhang(card: Card) -> float:
    """The width by which the badge sticks out on the left."""
    return min(_badge_width(card) / 2, 16.0) - (6.0 if len(card.badge) == 1 else 0.0)


def _indent(card: Card) -> float:
    """The part of the badge's width that lies on the card."""
    return max(0.0, _badge_width(card) - _overhang(card) - 6.0)


# ------------------------------------------------------------------ what stands in it


def card_text(card: Card, box: Box, most: float) -> Iterator[str]:
    """The SVG of a card in its box, piece by piece; a gradient of size `most` fills its bar."""
    x, y, w, h = box
    yield f'<g class="node {card.kind}" id="{card.id}"><title>{escaped(card.tip)}</title>'
    yield from outline(card, x, y, w, h)
    if card.kind == "constant":
        yield text_at(x + w / 2, y + CHIP / 2 + 5, card.name, NAME, "val num", "middle") + "</g>"
        return
    left, right = x + PAD + _indent(card), x + w - PAD
    room = right - left - (width(card.value, VALUE) + 10 if card.value else 0.0)
    base = y + (19.0 if card.is_small else 23.0)
    kind, bold, line = "name" if card.is_given else "given", card.is_given, base
    for name in _names(card):
        yield text_at(left, line, shortened(name, room, NAME, bold), NAME, kind, bold=bold)
        room, line = right - left, line + LINE
    if card.value:
        yield text_at(right, base, card.value, VALUE, "val num", "end")
    for name, shown in card.lines:
        if name:
            yield text_at(left, line, name, SUB, "sub num")
        if shown:
            yield text_at(right, line, shown, SUB + 1, "sub num", "end")
        line += LINE
    if card.has_gradient:
        yield from _gradient(card, left, right, line, most)
        line += LINE + BAR
    if card.dots:
        yield from _dots(card.dots, left, line - 3)
    yield from _badge(card, x - _overhang(card), y + h / 2)
    yield "</g>"


def outline(
    card: Card, x: float, y: float, w: float, h: float, scale: float = 1.0
) -> Iterator[str]:
    """The SVG of a card's shape: its edge, and the edges behind it of a card for many."""
    corner, line, has_inner, dashes = OUTLINES[card.kind]
    corner = min(corner * scale, h / 2)
    form = f' stroke-width="{line:g}"' + (f' stroke-dasharray="{dashes}"' if dashes else "")
    for shift in (6.0, 3.0, 0.0) if _spread(card) else (0.0,):
        yield rect("card", x + shift, y + shift, w, h, corner, form)
    if has_inner:
        yield rect("inner", x + 4, y + 4, w - 8, h - 8, max(corner - 2, 1))


def _gradient(card: Card, left: float, right: float, y: float, most: float) -> Iterator[str]:
    grad, end, top = card.gradient, right, y + 9
    if card.is_small:  # the bar stands beside the figure
        end, top = right - FIGURE, y - 7
    middle = (left + end) / 2
    sign = "none" if grad is None or not abs(grad) > 0.0 else "pos" if grad > 0 else "neg"
    if not card.is_small:
        yield text_at(left, y, "grad", SUB, "sub")
    yield text_at(
        right,
        y,
        "–" if grad is None else figure(grad),
        SUB + 1,
        f"num {'sub' if sign == 'none' else sign}",
        "end",
    )
    yield f'<g class="{sign}">{rect("track", left, top, end - left, 5, 2.5)}'
    if sign != "none" and grad is not None:
        long = (end - middle) * (1.0 if not isfinite(grad) else abs(grad) / most)
        long = max(long, 1.5)
        yield rect("bar", middle if grad > 0 else middle - long, top, long, 5, 1.5)
    yield f"</g>{tick(middle, top - 2, top + 7)}"


def _dots(count: int, left: float, y: float) -> Iterator[str]:
    shown = count if count <= MOST_DOTS else MOST_DOTS - 1
    for number in range(shown):
        yield f'<circle class="dot" cx="{left + 4 + 12 * number:.1f}" cy="{y:.1f}" r="3.6"/>'
    if shown < count:
        yield text_at(left + 12 * shown, y + 4, f"… {count}", SUB, "sub num")


def _badge(card: Card, left: float, middle: float) -> Iterator[str]:
    if card.badge:
        w = _badge_width(card)
        size = 19 if len(card.badge) == 1 else 14
        yield rect("badge", left, middle - 15, w, 30, 15)
        yield text_at(
            left + w / 2,
            middle + (6.5 if size == 19 else 5),
            card.badge,
            size,
            "btext",
            "middle",
            bold=True,
        )
