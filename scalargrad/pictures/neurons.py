"""Finds the neurons in a graph: which Values belong to a neuron that `nn` made.   (floor 3)

The label of a parameter tells its neuron (`ParameterLabel`). A neuron consists of its parameters,
the dot that reads its weights, and the activation, if nothing else reads the dot. If two networks
have the same labels, their layers are not grouped.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from ..value import Value
from ..wording import ParameterLabel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Home = tuple[str | None, int]  # the layer, as in ParameterLabel, and the neuron
    Readers = Mapping[Value, Sequence[tuple[Value, int]]]


def place_of(value: Value) -> ParameterLabel | None:
    """The place of a parameter that `nn` made; None for any other Value."""
    is_leaf = value._operation is None
    return value.label if is_leaf and isinstance(value.label, ParameterLabel) else None


class Neurons:
    """The neurons of a graph: `home` tells the neuron of each Value that is in one."""

    def __init__(self, values: Sequence[Value], readers: Readers) -> None:
        places = {value: place for value in values if (place := place_of(value)) is not None}
        count = Counter(places.values())
        twice = {place.layer for place in places.values() if count[place] > 1}
        self.home: dict[Value, Home] = {
            value: (place.layer, place.neuron)
            for value, place in places.items()
            if place.layer not in twice
        }
        # inputs and neurons of each layer; 0 inputs if the graph has no weight of it
        self.shapes: dict[str | None, tuple[int, int]] = {}
        for value, (layer, number) in self.home.items():
            inputs, neurons = self.shapes.get(layer, (0, 0))
            at = places[value].input
            self.shapes[layer] = (
                inputs if at is None else max(inputs, at + 1), max(neurons, number + 1),
            )  # fmt: skip
        self.sums: set[Value] = set()  # z, the sums that activations are applied to
        self.activations: set[Value] = set()  # a, the results of the activations
        self.activation: dict[Home, Value] = {}  # the result for each neuron
        for value in values:
            if value.op == "dot":
                weights = value.parents[: len(value.parents) // 2]
                homes = {
                    self.home.get(w) if isinstance(w, Value) and w in places else None
                    for w in weights
                }
                if len(homes) == 1 and (home := homes.pop()) is not None:
                    self.home[value] = home
                    self.sums.add(value)
            elif is_activation(value):
                (z,) = value.parents
                if isinstance(z, Value) and z in self.sums and len(readers[z]) == 1:
                    self.home[value] = self.home[z]
                    self.activations.add(value)
                    self.activation.setdefault(self.home[z], value)

    def network(self) -> str:
        """`MLP 3→4→4→1` if the layers are 1, 2, … and each reads the one before; empty if not."""
        shapes = [self.shapes.get(str(number), (0, 0)) for number in range(1, len(self.shapes) + 1)]
        if len(shapes) < 2 or any(nout != nin for (_, nout), (nin, _) in pairwise(shapes)):
            return ""
        return "MLP " + "→".join(
            str(size) for size in (shapes[0][0], *(nout for _, nout in shapes))
        )

    def name(self, value: Value) -> str:
        """`z1[0]` for the sum in a neuron, `a1[0]` for its activation, empty for other Values."""
        letter = "z" if value in self.sums else "a" if value in self.activations else ""
        if not letter:
            return ""
        layer, number = self.home[value]
        return letter if layer is None else f"{letter}{layer}[{number}]"


def is_activation(value: Value) -> bool:
    """Whether a Value may be the result of a neuron's activation."""
    op = value._operation
    return op is not None and op.is_activation and len(value.parents) == 1
