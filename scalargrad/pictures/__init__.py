"""Pictures: a recorded graph, or a model, as a clear SVG.   (floor 3)

`draw` turns a graph into a scene, which says what the picture shows (`painter`, `graphs`, `scene`).
Graphviz is asked where each card goes (`dot`), and answers (`layout`). Then cards and edges are
written as SVG (`cards`, `svg`), in the colours of `theme`. `page` puts the picture into a page that
walks through the graph step by step.

>>> from scalargrad import Value, draw, tanh
>>> w, x = Value(0.5, "w"), Value(2.0, "x")
>>> draw(tanh(w * x))
<Drawing of tanh(w·x): 4 cards, 3 edges>
"""

from __future__ import annotations

from .drawing import Drawing, draw, notebook_bundle

__all__ = ["Drawing", "draw", "notebook_bundle"]
