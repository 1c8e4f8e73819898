"""The step-through page: a reader walks forward and backward, node by node.   (floor 3)

The page is one HTML file and asks for no other. The cards are those of the picture. The scripts in
`web` walk through the graph, which stands in the file as JSON, and compute it anew with the
JavaScript of the operations if the reader edits a leaf. A user's text stands in the JSON and in the
SVG, escaped, and only ever becomes text. The page's own policy lets no script run but this one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from string import Template

from ..compiler.emitters.javascript_pages import row_functions
from ..graph import ordered
from ..ops import ATOM, SIGN
from ..value import Value
from ..wording import (
    SENTENCES,
    counted,
    figure,
    formulas,
    name_formula,
    names_of,
    operation_formula,
    operation_noun,
)
from .cards import frames_of
from .embedding import as_json, framed, hash_of, number, of_web, saved
from .graphs import graph_scene
from .layout import laid_out
from .naming import badge
from .painter import Painter, in_pairs
from .plan import Plan
from .scene import FORWARD
from .svg import svg_text
from .text import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from .scene import Scene

SCRIPTS = ("graph.js", "figures.js", "steps.js", "cards.js", "paths.js", "quiz.js", "page.js")
MOST = 500  # nobody walks through more Values
MOST_OPERANDS = 12  # of more operands a step does not write the formula
WIDE = -0.0001234  # a number that takes as much room as most
MARK = 0xE000  # from here on characters mark operands; labels cannot hold them


class Page:
    """A page that walks through a graph: `html` is its text, `save` writes a file.

    A notebook shows the page itself.

    >>> from scalargrad import Value, draw, tanh
    >>> w, x = Value(0.5, "w"), Value(2.0, "x")
    >>> draw(tanh(w * x)).page()
    <Page of tanh(w·x): 4 steps forward, 4 back>
    """

    def __init__(
        self,
        roots: Sequence[Value],
        title: str | None = None,
        parameters: Iterable[Value] = (),
        downward: bool = False,
        timeout: float = 60.0,
        theme: str = "auto",
    ) -> None:
        count = len(ordered(*roots))
        if count > MOST:
            raise ValueError(
                f"a page walks through at most {MOST} Values, and the graph has {count:,}: "
                "make a page of a part of it, a Value nearer the leaves"
            )
        self._plan = Plan(roots, "none", MOST, parameters, crowds=False)
        self._painter, self._timeout = Painter(self._plan), timeout
        self._scene = replace(graph_scene(self._painter, title, downward), theme=theme)

    @cached_property
    def html(self) -> str:
        """The page as HTML text. It needs Graphviz and raises the errors of `Drawing.svg`."""
        scene, graph = _untouched(self._scene), _Graph(self._painter, self._scene)
        layout = laid_out(scene, frames_of(_roomy(scene)), self._timeout)
        picture = svg_text(scene, layout)
        script = "\n".join([row_functions(graph.ops), *map(_text, SCRIPTS)])
        return Template(_text("page.html")).substitute(
            title=escaped(scene.title),
            script_hash=hash_of(f"\n{script}"),
            style=_style(scene.theme),
            wide=picture.partition('width="')[2].partition('"')[0],
            picture=picture,
            graph=as_json(graph.content()),
            script=script,
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file and return its path; if that fails, an old file is unchanged."""
        return saved(self.html, path, "graph")

    def _repr_html_(self) -> str:
        """The page in a frame, for a notebook, or the reason why there is none."""
        try:
            return framed(self.html, self._scene.title)
        except (RuntimeError, TimeoutError) as error:
            return f"<pre>{escaped(f'{self!r}{chr(10)}{error}')}</pre>"

    def __repr__(self) -> str:
        count = len(self._plan.values)
        back = len(ordered(self._plan.roots[0]))
        title = " ".join(self._scene.title.split())
        return f"<Page of {title}: {counted(count, 'step')} forward, {back} back>"


def _text(name: str) -> str:
    return of_web(__package__, name)


def _style(theme: str) -> str:
    """The style sheet, whose colours are the reader's own or those of one theme."""
    sheet, system = _text("page.css"), "(prefers-color-scheme: dark)"
    if theme == "auto":
        return sheet
    return sheet.replace("light dark", theme).replace(
        system, "all" if theme == "dark" else "not all"
    )


def _untouched(scene: Scene) -> Scene:
    """The scene as it is before backward has run; the page says the rest."""
    cards = [replace(card, tip=card.name, gradient=None) for card in scene.cards]
    edges = [replace(edge, tip="", flow=0.0) for edge in scene.edges]
    marks = [text for text in scene.legend if text in FORWARD]
    legend = (*marks, "thicker edge: more gradient flows back")
    description = f"{counted(len(cards), 'card')} and {counted(len(edges), 'edge')}"
    return replace(
        scene, cards=tuple(cards), edges=tuple(edges), legend=legend, has_run=False,
        description=description,
    )  # fmt: skip


def _roomy(scene: Scene) -> Scene:
    """The scene with numbers as long as those that a reader's leaves may bring."""
    cards = [
        replace(card, gradient=WIDE, value=max(card.value, figure(-0.1234), key=len))
        if card.has_gradient
        else card
        for card in scene.cards
    ]
    return replace(scene, cards=tuple(cards))


class _Graph:
    """A graph as the page's script reads it."""

    def __init__(self, painter: Painter, scene: Scene) -> None:
        self.painter, self.scene, self.plan = painter, scene, painter.plan
        self.values = self.plan.values
        self.number = {value: number for number, value in enumerate(self.values)}
        self.names = painter.names | names_of(self.values, set())
        # the operations, each once, in the order of the graph
        made = [value._operation for value in self.values if value._operation is not None]
        self.ops = [*{op.name: op for op in made}.values()]
        self.place = {op.name: place for place, op in enumerate(self.ops)}
        self.written = formulas(
            self.values, {value: name_formula(name) for value, name in self.names.items()}
        )
        self.edges: dict[tuple[str, str], list[int]] = {}
        for place, edge in enumerate(scene.edges):
            self.edges.setdefault((edge.tail, edge.head), []).append(place)

    def content(self) -> dict[str, Any]:
        """Everything that the script needs to know."""
        functions = [op.name for op in self.ops if op.is_python]
        return {
            "nodes": [self.node(value) for value in self.values],
            "pills": [bool(edge.pill) for edge in self.scene.edges],
            "walks": [
                [self.number[value] for value in reversed(ordered(root, last_first=True))]
                for root in self.plan.roots
            ],
            "python": functions[0] if functions else "",
            "sentences": SENTENCES,
        }

    def node(self, value: Value) -> dict[str, Any]:
        """One Value."""
        found: dict[str, Any] = {
            "name": self.names[value],
            "kind": self.plan.kind(value),
            "card": self.painter.id(value),
            "data": number(value.data),
        }
        if value._operation is None:
            return found
        return found | {
            "op": self.place[value._operation.name],
            "operation": operation_noun(value),
            "symbol": badge(value),
            "operands": [
                self.number[x] if isinstance(x, Value) else [number(x)] for x in value.parents
            ],
            "slopes": [None if x is None else number(x) for x in self.plan.partials[value]],
            "edges": self.edges_of(value),
            "formula": self.written.get(value, f"{value.op}(…)"),
            "figures": [*_figures(value)],
        }

    def edges_of(self, reader: Value) -> list[int | None]:
        """The number of the edge from each operand of a Value; None where it has none."""
        found: list[int | None] = [None] * len(reader.parents)
        here = {tail: iter(self.edges.get((tail, self.painter.id(reader)), ())) for tail in
                {self.painter.id(x) for x in reader.parents if isinstance(x, Value)}}  # fmt: skip
        for index in in_pairs(reader):
            operand = reader.parents[index]
            if isinstance(operand, Value):
                found[index] = next(here[self.painter.id(operand)], None)
        return found


def _figures(value: Value) -> Iterator[str | int]:
    """The formula of a Value in pieces: texts, and the places of operands among them.

    -1 - i stands for operand i where it stands in brackets if it is negative.

    >>> [*_figures(3.0 * Value(2.0).square())]
    [0, '·', -2]
    """
    count = len(value.parents)
    if count > MOST_OPERANDS:
        return
    marks = [chr(MARK + place) for place in range(count)]
    text = operation_formula(value, [(mark, ATOM) for mark in marks])[0]
    negative = operation_formula(value, [(f"−{mark}", SIGN) for mark in marks])[0]
    piece = ""
    for letter in text:
        if letter not in marks:
            piece += letter
            continue
        if piece:
            yield piece
        place, piece = ord(letter) - MARK, ""
        yield -1 - place if f"(−{letter})" in negative and f"({letter})" not in text else place
    if piece:
        yield piece
