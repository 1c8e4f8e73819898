"""Edges between wide layers: straight lines by their strength, and bundles of them.   (floor 3)

If more than `MOST_PILLS` edges go into a layer of neurons, nobody follows each. Then all layers are
drawn as network diagrams draw them: thin, translucent, the strong ones strong. If
they are more than `MOST_LINES`, the strongest are drawn, and a band with a count stands for all.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from ..wording import counted
from .scene import Bundle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .scene import Edge

    Strength = tuple[float, bool]  # with a sign; whether it is that of several edges that differ

MOST_PILLS = 9
MOST_LINES = 400
STRONGEST = 120  # so many lines of a bundle are drawn, and the strongest of each neuron


class Mesh:
    """The edges into one layer: lines with a strength, or a bundle; `lines` has None for a rest."""

    def __init__(self, edges: Sequence[Edge], strengths: Sequence[Strength]) -> None:
        sizes = [abs(strength) if isfinite(strength) else 0.0 for strength, _ in strengths]
        most = max(sizes) or 1.0
        self.lines: list[Edge | None] = []
        for edge, (strength, is_mixed), size in zip(edges, strengths, sizes):
            share = max(-1.0, min(1.0, strength / most)) if size else 0.0
            self.lines.append(replace(edge, pill="", strength=share, is_mixed=is_mixed))
        self.bundle: Bundle | None = None
        if len(edges) > MOST_LINES:
            order = sorted(range(len(edges)), key=lambda number: -sizes[number])
            first: dict[tuple[str, str], int] = {}
            for number in order:  # what each neuron reads and feeds most
                first.setdefault(("tail", edges[number].tail), number)
                first.setdefault(("head", edges[number].head), number)
            kept = {*first.values(), *order[:STRONGEST]}
            self.lines = [line if i in kept else None for i, line in enumerate(self.lines)]
            count = counted(len(edges), "edge")
            tip = f"{count}, the {len(kept)} strongest are drawn"
            tails, heads = (
                {getattr(edge, end): None for edge in edges} for end in ("tail", "head")
            )
            self.bundle = Bundle(tuple(tails), tuple(heads), count, tip)


def meshed(
    edges: Sequence[Edge],
    layers: Mapping[str | None, Sequence[int]],
    strengths: Sequence[Strength],
) -> tuple[tuple[Edge, ...], tuple[Bundle, ...]]:
    """The edges, those into layers as lines where one is wide, and the bundles."""
    lines: list[Edge | None] = list(edges)
    bundles = []
    if max(map(len, layers.values()), default=0) <= MOST_PILLS:
        return tuple(edges), ()
    for places in layers.values():
        mesh = Mesh([edges[i] for i in places], [strengths[i] for i in places])
        for place, line in zip(places, mesh.lines):
            lines[place] = line
        if mesh.bundle is not None:
            bundles.append(mesh.bundle)
    return tuple(line for line in lines if line is not None), tuple(bundles)
