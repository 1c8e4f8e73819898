"""A scene: the cards, edges and clusters of a picture, before they have places.   (floor 3)

A scene holds text to be read and numbers to be drawn. It knows neither Values nor pixels.
`graph_scene` and `model_scene` write it, `dot`, `layout` and `svg` read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

NORM = "‖grad‖"  # the line of a card that has the length of a gradient
SLOPES = "×2  local slope"
ORDER = "① ②  operands in order"
FORWARD = (SLOPES, ORDER)  # the sentences of a legend that say nothing of gradients


@dataclass(frozen=True)
class Card:
    """One card: it shows a Value, a plain number, or several of them."""

    id: str
    kind: str  # a key of theme.OUTLINES
    name: str  # in one line or several
    tip: str
    value: str = ""  # on the first line, to the right
    badge: str = ""  # the operation's symbol
    lines: tuple[tuple[str, str], ...] = ()  # further lines, left and right
    gradient: float | None = None  # None: not known yet
    has_gradient: bool = False  # it has a line and a bar for the gradient
    is_given: bool = True  # the user named it
    is_many: bool = False  # it stands for several Values
    is_small: bool = False  # it is one of many, and has less room
    dots: int = 0  # so many neurons, shown as dots


@dataclass(frozen=True)
class Edge:
    """One use of an operand, drawn from its card to the card that reads it."""

    tail: str
    head: str
    tip: str
    pill: str = ""
    flow: float = 0.0  # the share of the gradient that goes back along it
    strength: float | None = None  # from −1 to 1, of a line between wide layers; None: no such line
    is_mixed: bool = False  # this line stands for several edges, whose signs may differ


@dataclass(frozen=True)
class Bundle:
    """A band between two layers that stands for many edges."""

    tails: tuple[str, ...]
    heads: tuple[str, ...]
    count: str  # in words
    tip: str


@dataclass(frozen=True)
class Cluster:
    """A frame around cards and other clusters."""

    kind: str  # "layer" or "neuron"
    title: str
    note: str
    cards: tuple[str, ...] = ()
    inside: tuple[Cluster, ...] = ()

    def all(self) -> Iterator[Cluster]:
        """This cluster and all clusters in it, outer ones first."""
        yield self
        for cluster in self.inside:
            yield from cluster.all()


@dataclass(frozen=True)
class Scene:
    """Everything that a picture shows."""

    title: str
    cards: tuple[Card, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    has_run: bool = False  # whether backward() has run
    downward: bool = False
    legend: tuple[str, ...] = ()  # sentences
    description: str = ""
    has_legend: bool = True
    theme: str = "auto"  # a key of theme.SCHEMES

    def all_clusters(self) -> Iterator[Cluster]:
        """Every cluster, outer ones first."""
        for cluster in self.clusters:
            yield from cluster.all()
