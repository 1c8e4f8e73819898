"""draw, and the Drawing that it returns.   (floor 3)"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from importlib import import_module

from ..arithmetic.conversion import to_text
from ..checks import one_of
from ..files import path_of, put_in_place, suggested
from ..value import Value
from ..wording import counted
from .cards import frames_of
from .dot import dot_text
from .engines import engine
from .layout import laid_out
from .naming import clean_lines
from .scene import Scene
from .svg import svg_text
from .theme import SCHEMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from .page import Page

COLLAPSE = ("auto", "none", "neurons", "layers")
DIRECTIONS = ("right", "down")
STRONG_BY = ("gradient", "weight")
IN_NOTEBOOK = 100  # cards: with more a notebook shows the text of a Value
MOST_VALUES = 20_000  # and where the graph is so large that a picture would keep the reader waiting
CONVERTED = (".png", ".pdf")  # made of the SVG
NO_CONVERTER = """a picture as {form} needs CairoSVG, and none was found:
  - pip install cairosvg   (the extra `png`); it uses the system's library cairo
  - or .save("name.svg"), which browsers show and print, and documents take"""
PATIENCE = 3.0  # a notebook waits so many seconds for the picture


class Drawing:
    """A picture: `svg` and `dot` are its texts, `save` writes a file, `page` walks through it.

    Graphviz runs when the SVG is first asked for. The DOT text needs no Graphviz.
    """

    def __init__(
        self, scene: Scene, timeout: float = 60.0, new_page: Callable[[str], Page] | None = None
    ) -> None:
        self._scene, self._timeout, self._new_page = scene, timeout, new_page

    @cached_property
    def dot(self) -> str:
        """The graph as DOT text, the input of Graphviz."""
        return dot_text(self._scene, frames_of(self._scene))

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text.

        Without Graphviz it raises RuntimeError, which says how to get one; if that takes too long,
        TimeoutError.
        """
        return svg_text(self._scene, laid_out(self._scene, frames_of(self._scene), self._timeout))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a file, by its suffix .svg, .png or .pdf, and return its path.

        If that fails, an old file is unchanged. PNG and PDF need CairoSVG, the extra `png`, and are
        light unless the theme is "dark".
        """
        path = path_of(path)
        suffix = path.suffix.lower()
        if suffix == ".svg":
            return put_in_place(path, self.svg)
        if suffix in CONVERTED:
            return put_in_place(path, self._converted(suffix.removeprefix(".")))
        raise ValueError(
            f"a drawing is saved as SVG, PNG or PDF, got {path.name!r}: "
            f"write {suggested(path, '.svg', 'graph')!r}"
        )

    def _converted(self, form: str) -> bytes:
        try:
            cairosvg = import_module("cairosvg")
        except ImportError:  # the package is not there
            raise RuntimeError(NO_CONVERTER.format(form=form.upper())) from None
        except OSError as error:  # the library it needs is not there
            raise RuntimeError(f"{NO_CONVERTER.format(form=form.upper())}\n{error}") from None
        convert = getattr(cairosvg, f"svg2{form}")
        data: bytes = convert(bytestring=self.svg.encode(), scale=2.0 if form == "png" else 1.0)
        return data

    def page(self, path: str | os.PathLike[str] | None = None, *, theme: str | None = None) -> Page:
        """A page that walks through the graph step by step; with a path it is saved there.

        One HTML file without any request: forward, then backward, each step with its arithmetic.
        Leaves can be edited, a quiz asks for gradients, and a card shows its paths to the output.
        A choice made while the graph was recorded, by `if` or `where`, stays as it was. `theme` is
        that of the drawing, or "light", "dark" or "auto". A notebook shows the page itself.

        TypeError for the drawing of a model; ValueError for a graph of more than 500 Values.
        """
        if self._new_page is None:
            raise TypeError(
                "a page walks through the graph of a computation, and this is the drawing of a "
                "model: write draw(model(x)).page(…)"
            )
        theme = self._scene.theme if theme is None else theme
        one_of("theme", theme, SCHEMES)
        page = self._new_page(theme)
        if path is not None:
            page.save(path)
        return page

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """The picture for a notebook, or the reason why there is none."""
        try:
            return {"image/svg+xml": self.svg, "text/plain": repr(self)}
        except (RuntimeError, TimeoutError) as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        scene = self._scene
        size = f"{counted(len(scene.cards), 'card')}, {counted(len(scene.edges), 'edge')}"
        return f"<Drawing of {' '.join(scene.title.split())}: {size}>"


def draw(
    root: Any,
    *,
    collapse: str = "auto",
    expand_dots: bool = False,
    limit: int = 5000,
    title: str | None = None,
    direction: str = "right",
    theme: str = "auto",
    edges: str = "gradient",
    legend: bool = True,
    grads: bool = True,
    parameters: Any = (),
    timeout: float = 60.0,
) -> Drawing:
    """Draw the graph of a Value (or of several), or the layers of a model.

    >>> from scalargrad import Value, draw
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> print(draw(a * b, title="area").dot.splitlines()[0])
    digraph {

    `collapse="neurons"` shows each neuron as one card, "layers" each layer, "none" neither; "auto"
    collapses a graph of more than 300 Values, and in one without neurons, of more than 100, Values
    that play the same role share a card. A repetition is one card, but not with "none".
    `expand_dots` shows a dot as its products and their sum. `direction` is "right" or "down".
    `theme` is "light", "dark" or "auto", the reader's own. Lines between wide layers are strong by
    the gradient that flows, or with `edges="weight"` by their weights. `legend=False` leaves out
    the legend, `grads=False` gradients and slopes, so that the picture is the forward pass.
    `parameters` is a list of leaves, or a model, to show as parameters; those of `Neuron`, `Layer`
    and `MLP` are known. Graphviz may take `timeout` seconds.

    ValueError for more than `limit` cards; TypeError for anything but Values and models.
    """
    one_of("collapse", collapse, COLLAPSE)
    one_of("direction", direction, DIRECTIONS)
    one_of("theme", theme, SCHEMES)
    one_of("edges", edges, STRONG_BY)
    if title is not None:
        title = "\n".join(clean_lines(to_text(title, "title")))
    downward = direction == "down"

    def styled(scene: Scene) -> Scene:
        return replace(scene, theme=theme, has_legend=legend and scene.has_legend)

    roots = _roots(root)
    if roots is None:
        from .models import drawn_layers, model_scene

        layers = drawn_layers(root)
        if layers is None:
            raise TypeError(_advice(root))
        return Drawing(styled(model_scene(root, layers, title, downward, grads)), timeout)
    from .graphs import graph_scene
    from .painter import Painter
    from .plan import Plan

    listed = _parameters(parameters)

    def new_page(theme: str) -> Page:
        from .page import Page

        return Page(roots, title, listed, downward, timeout, theme)

    plan = Plan(roots, collapse, limit, listed, grads=grads)
    scene = graph_scene(Painter(plan, expand_dots), title, downward, edges)
    return Drawing(styled(scene), timeout, new_page)


def _roots(given: Any) -> list[Value] | None:
    """The Values to draw, each once; None if it is neither a Value nor a list or array of them."""
    if isinstance(given, Value):
        return [given]
    if hasattr(given, "ravel"):
        given = [*given.ravel()]
    if not isinstance(given, (list, tuple)):
        return None
    if not given:
        raise TypeError("draw got an empty list: give it a Value, the result of a computation")
    for item in given:
        if not isinstance(item, Value):
            raise TypeError(f"{_advice(item)} (it is in the list)")
    return [*dict.fromkeys(given)]


def _parameters(parameters: Any) -> list[Value]:
    listed = parameters.parameters() if hasattr(parameters, "parameters") else [*parameters]
    for item in listed:
        if not isinstance(item, Value):
            raise TypeError(
                f"parameters must be a list of Values or a model, got {type(item).__name__} in it"
            )
    return listed


def _advice(given: object) -> str:
    kind = type(given).__name__
    if given is None:
        advice = "did a function forget its return?"
    elif isinstance(given, (int, float)):
        advice = f"a plain number has no graph; compute with Value({given!r}) and draw the result"
    elif callable(given):
        advice = "call it on Values and draw the result"
    else:
        advice = "draw the result of a computation on Values"
    return f"draw takes a Value, a list of Values or a model with layers, got {kind}: {advice}"


def notebook_bundle(value: Value) -> dict[str, str]:
    """The text of a Value for a notebook, and the picture of its graph if few cards show it.

    Without Graphviz, or if it takes long, there is no picture.

    >>> notebook_bundle(Value(2.0))["text/plain"]
    'Value(data=2.0, grad=0.0)'
    """
    bundle = {"text/plain": repr(value)}
    try:
        if _is_small(value) and engine() is not None:
            from .graphs import graph_scene
            from .painter import Painter
            from .plan import IN_A_CELL, Plan

            plan = Plan([value], "auto", IN_NOTEBOOK, most=IN_A_CELL)
            scene = graph_scene(Painter(plan))
            bundle["image/svg+xml"] = Drawing(scene, PATIENCE).svg
    except Exception:  # whatever is wrong with the picture, a notebook must show the text
        pass
    return bundle


def _is_small(root: Value) -> bool:
    seen: set[Value] = set()
    stack = [root]
    while stack and len(seen) <= MOST_VALUES:
        value = stack.pop()
        if value not in seen:
            seen.add(value)
            stack += [operand for operand in value.parents if isinstance(operand, Value)]
    return len(seen) <= MOST_VALUES
