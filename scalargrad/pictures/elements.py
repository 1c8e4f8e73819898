"""The elements of SVG that a picture is made of.   (floor 3)"""

from __future__ import annotations

from .text import escaped


def text_at(
    x: float, y: float, text: str, size: float, kind: str, anchor: str = "", bold: bool = False
) -> str:
    """A text of a size, of the class `kind` in the style sheet."""
    weight = ' font-weight="600"' if bold else ""
    place = f' text-anchor="{anchor}"' if anchor else ""
    form = f'class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{weight}{place}'
    return f"<text {form}>{escaped(text)}</text>"


def rect(kind: str, x: float, y: float, w: float, h: float, corner: float, more: str = "") -> str:
    """A rectangle with round corners."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"'
    return f'<rect class="{kind}" {place} rx="{corner:g}"{more}/>'


def tick(x: float, top: float, bottom: float) -> str:
    """The short line where a bar begins."""
    return f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'
