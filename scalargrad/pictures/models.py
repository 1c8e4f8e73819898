"""The scene of a model: a card for each layer, with its shape.   (floor 3)

A model is any object with `layers`, which have `neurons`, which have weights `w` and a bias `b`. A
layer or a neuron alone will do.
"""

from __future__ import annotations

from math import hypot

from ..ops import OPS
from ..value import Value
from ..wording import clean, counted, figure, symbol_on
from .neurons import place_of
from .scene import NORM, Card, Edge, Scene
from .tips import members_tip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def layers_of(model: Any) -> list[Any] | None:
    """The layers of a model; a layer or neuron counts as a model. None for any other object."""
    if isinstance(model, type):
        return None
    layers = getattr(model, "layers", None)
    if (
        isinstance(layers, (list, tuple))
        and layers
        and all(hasattr(layer, "neurons") for layer in layers)
    ):
        return list(layers)
    if getattr(model, "neurons", None):
        return [model]
    return [_Alone(model)] if hasattr(model, "w") and hasattr(model, "b") else None


class _Alone:
    """A neuron as a layer of one."""

    def __init__(self, neuron: Any) -> None:
        self.neurons = [neuron]


def model_scene(
    model: Any,
    layers: Sequence[Any],
    title: str | None = None,
    downward: bool = False,
    grads: bool = True,
) -> Scene:
    """The scene of a model: inputs, a card for each layer with shape and parameters, outputs."""
    groups = [_parameters(layer) for layer in layers]
    has_run = grads and any(value.grad for group in groups for values in group for value in values)
    widths = [len(layers[0].neurons[0].w), *(len(layer.neurons) for layer in layers)]
    total = sum(len(weights) + len(biases) for weights, biases in groups)
    kind = clean(type(model).__name__)
    cards = [
        Card("n0", "input", counted(widths[0], "input"), f"{counted(widths[0], 'number')} go in")
    ]
    edges = []
    for number, (layer, (weights, biases)) in enumerate(zip(layers, groups), 1):
        cards.append(_layer_card(number, layer, weights, biases, has_run, grads))
        edges.append(_edge(number - 1, widths[number - 1]))
    last = len(layers) + 1
    cards.append(
        Card(
            f"n{last}",
            "output",
            counted(widths[-1], "output"),
            f"{counted(widths[-1], 'number')} come out",
        )
    )
    edges.append(_edge(last - 1, widths[-1]))
    shape = (
        " → ".join(map(str, widths))
        if len(widths) <= 8
        else f"{widths[0]} → … → {widths[-1]}, {len(layers)} layers"
    )
    if title is None:
        title = f"{kind} {shape} · {counted(total, 'parameter')}"
    description = f"{shape}: {counted(total, 'parameter')} in {counted(len(layers), 'layer')}."
    return Scene(
        title,
        tuple(cards),
        tuple(edges),
        has_run=has_run,
        downward=downward,
        description=description,
        has_legend=False,
    )


def _parameters(layer: Any) -> tuple[list[Value], list[Value]]:
    weights = [value for neuron in layer.neurons for value in neuron.w]
    return weights, [neuron.b for neuron in layer.neurons if isinstance(neuron.b, Value)]


def _layer_card(
    number: int,
    layer: Any,
    weights: Sequence[Value],
    biases: Sequence[Value],
    has_run: bool,
    grads: bool,
) -> Card:
    nout, nin = len(layer.neurons), len(layer.neurons[0].w)
    place = place_of(weights[0]) if weights else None
    shown = place.layer or "" if place is not None else str(number)
    name, symbol = _activation(layer.neurons[0])
    lines = [(f"W{shown} · {nout} × {nin}", f"{len(weights):,}")]
    if biases:
        lines.append((f"b{shown} · {nout}", f"{len(biases):,}"))
    lines.append(("parameters", f"{len(weights) + len(biases):,}"))
    if grads:
        length = hypot(*(value.grad for value in (*weights, *biases)))
        lines.append((NORM, figure(length) if has_run else "–"))
    title = f"Layer {shown}".strip()
    head = f"{title}: {nin} → {nout}, activation {name}\n"
    head += counted(len(weights) + len(biases), "parameter")
    return Card(
        f"n{number}", "layer", title, members_tip(head, [*weights[:6], *biases], has_run),
        f"{nin} → {nout}", symbol, tuple(lines), dots=nout,
    )  # fmt: skip


def _activation(neuron: Any) -> tuple[str, str]:
    """The name of the activation, and its symbol; `linear` and no symbol if there is none."""
    given = getattr(neuron, "activation", None)
    if given is None or given == "linear":
        return "linear", ""
    name = clean(given if isinstance(given, str) else getattr(given, "__name__", "f"))
    return name, symbol_on(OPS[name], "·") if name in OPS else name[:12]


def _edge(tail: int, count: int) -> Edge:
    return Edge(f"n{tail}", f"n{tail + 1}", counted(count, "number"), str(count))
