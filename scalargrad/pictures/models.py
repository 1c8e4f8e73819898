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

LONGEST_RUN = 6  # layers that are alike; more are folded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def drawn_layers(model: Any) -> list[Any] | None:
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
    sizes = [widths[0]]  # how many numbers leave each card
    for run in _runs(layers):
        parts = [[number] for number in run]
        if len(run) >= LONGEST_RUN:
            parts = [run[:1], run[1:-1], run[-1:]]
        for part in parts:
            id, number = f"n{len(cards)}", part[0]
            if len(part) == 1:
                layer, group = layers[number], groups[number]
                cards.append(_layer_card(id, number + 1, layer, *group, has_run, grads))
            else:
                cards.append(_same_card(id, part, layers, groups, has_run, grads))
            sizes.append(widths[run[0] + 1])
    come_out = f"{counted(widths[-1], 'number')} come out"
    cards.append(Card(f"n{len(cards)}", "output", counted(widths[-1], "output"), come_out))
    edges = [_edge(number, size) for number, size in enumerate(sizes)]
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


def _runs(layers: Sequence[Any]) -> list[list[int]]:
    """The numbers of the layers, those side by side together that have one shape and activation."""
    runs: list[list[int]] = []
    looks = [
        (len(layer.neurons), len(layer.neurons[0].w), _activation(layer.neurons[0]))
        for layer in layers
    ]
    for number, look in enumerate(looks):
        if number and look == looks[number - 1]:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _same_card(
    id: str,
    numbers: Sequence[int],
    layers: Sequence[Any],
    groups: Sequence[tuple[list[Value], list[Value]]],
    has_run: bool,
    grads: bool,
) -> Card:
    """The card of layers that are alike, in the middle of a deep model."""
    values = [value for number in numbers for values in groups[number] for value in values]
    name = f"… {len(numbers)} × the same …"
    layer = layers[numbers[0]]
    shape, symbol = (
        f"{len(layer.neurons[0].w)} → {len(layer.neurons)}",
        _activation(layer.neurons[0])[1],
    )
    lines = [("parameters", f"{len(values):,}"), *_norm(values, has_run, grads)]
    tip = members_tip(f"{counted(len(numbers), 'layer')}: {shape}", values[:6], has_run)
    return Card(id, "layer", name, tip, shape, symbol, tuple(lines), is_given=False)


def _norm(values: Sequence[Value], has_run: bool, grads: bool) -> list[tuple[str, str]]:
    """The line with the length of the gradient, if gradients are shown."""
    length = figure(hypot(*(value.grad for value in values))) if has_run else "–"
    return [(NORM, length)] if grads else []


def _layer_card(
    id: str,
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
    lines += _norm([*weights, *biases], has_run, grads)
    title = f"Layer {shown}".strip()
    head = f"{title}: {nin} → {nout}, activation {name}\n"
    head += counted(len(weights) + len(biases), "parameter")
    return Card(
        id, "layer", title, members_tip(head, [*weights[:6], *biases], has_run),
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
