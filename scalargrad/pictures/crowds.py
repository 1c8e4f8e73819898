"""Cards that stand for many Values: a neuron, a layer, a crowd of leaves.   (floor 3)"""

from __future__ import annotations

from math import hypot

from ..value import Value
from .neurons import ALONE, OF_ALONE, WEIGHT, looks_like_parameter
from .scene import Card
from .text import counted, figure
from .tips import of_many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from .plan import Plan


class Crowds:
    """The shared cards of a plan: their Values, what they show, and the slopes through a neuron."""

    def __init__(
        self, plan: Plan, names: Mapping[Value, str], given: set[Value], has_run: bool
    ) -> None:
        self.plan, self.names, self.given, self.has_run = plan, names, given, has_run
        self.members: dict[Hashable, list[Value]] = {}
        for value, key in plan.card.items():
            if key is not value:
                self.members.setdefault(key, []).append(value)
        # the Value that a neuron's card shows, where there is one: the only one that others read
        self.result: dict[Hashable, Value] = {}
        for key, values in self.members.items():
            outputs = self.outputs(values)
            if isinstance(key, tuple) and key[0] == "neuron" and len(outputs) == 1:
                self.result[key] = outputs[0]

    def outputs(self, values: Sequence[Value]) -> list[Value]:
        """The computed Values among them that something else reads, or nothing."""
        inside, readers = set(values), self.plan.readers
        return [
            v
            for v in values
            if v._operation is not None
            and (v in self.plan.are_roots or any(r not in inside for r, _ in readers[v]))
        ]

    def slopes(self, key: Hashable) -> dict[Value, float]:
        """The slope of a neuron's result by each Value it takes from elsewhere: the chain rule, inside the neuron."""
        inside, slope = set(self.members[key]), {self.result[key]: 1.0}
        for value in reversed(self.members[key]):
            if value in slope:
                for operand, partial in zip(value.parents, self.plan.partials[value]):
                    if isinstance(operand, Value):
                        slope[operand] = slope.get(operand, 0.0) + slope[value] * (partial or 0.0)
        return {operand: total for operand, total in slope.items() if operand not in inside}

    def card(self, id: str, key: Hashable) -> Card:
        """The card of a neuron, a layer or a crowd of leaves."""
        assert isinstance(key, tuple)
        return {"neuron": self.neuron, "layer": self.layer, "many": self.leaves}[key[0]](id, key)

    def neuron(self, id: str, key: Hashable) -> Card:
        """Its result and the gradient of that, and how many parameters it has."""
        values, result = self.members[key], self.result.get(key)
        layer, number = self.plan.neurons.home[values[0]]
        leaves = [value for value in values if value._operation is None]
        is_given = result in self.given if result else False
        name = f"Neuron {number}"
        lines = [((f"{name} · " if is_given else "") + counted(len(leaves), "parameter"), "")]
        if result is None:
            lines.append((counted(len(self.outputs(values)), "result"), ""))
        title = f"neuron {number}" if layer == OF_ALONE else f"layer {layer}, neuron {number}"
        title += f" · {self.names[result]} = {result.data!r}" if result else ""
        if result and self.has_run:
            title += f", grad {result.grad!r}"
        return Card(
            id, self.kind(values, "neuron"), self.names[result] if result and is_given else name, of_many(title, leaves, self.has_run),
            figure(result.data) if result else "", self.plan.neurons.symbols.get((layer, number), ""), tuple(lines),
            result.grad if result and self.has_run else None, result is not None, is_many=True,
        )  # fmt: skip

    def layer(self, id: str, key: Hashable) -> Card:
        """Its shape, how many parameters it has, and the length of their gradient."""
        values = self.members[key]
        number = self.plan.neurons.home[values[0]][0]
        shape, symbol = self.shape(number)
        leaves = [value for value in values if value._operation is None]
        neurons = len({self.plan.neurons.home[value] for value in values})
        return Card(
            id, self.kind(values, "layer"), layer_title(number), of_many(f"layer {number}", leaves, self.has_run), shape, symbol,
            ((counted(len(leaves), "parameter"), ""), ("‖grad‖", self.norm(leaves))), is_many=True, dots=neurons,
        )  # fmt: skip

    def leaves(self, id: str, key: Hashable) -> Card:
        """How many leaves they are, and the length of their gradient."""
        values = self.members[key]
        kind = "parameter" if looks_like_parameter(values[0].label) else "input"
        weights = [WEIGHT.fullmatch(value.label) for value in values]
        rows = {(match[1], match[2]) if match else None for match in weights}
        name, lines = counted(len(values), kind), [("‖grad‖", self.norm(values))]
        if len(rows) == 1 and (row := rows.pop()):
            name = "W{}[{},:]".format(*row)
            lines.insert(0, (counted(len(values), "weight"), ""))
        return Card(
            id, kind, name, of_many(name, values, self.has_run), lines=tuple(lines), is_many=True
        )

    def kind(self, values: Sequence[Value], otherwise: str) -> str:
        return "output" if set(values).intersection(self.plan.roots) else otherwise

    def norm(self, values: Sequence[Value]) -> str:
        return figure(hypot(*(value.grad for value in values))) if self.has_run else "–"

    def shape(self, layer: str) -> tuple[str, str]:
        """`2 → 3`, and the activation where all neurons have the same."""
        neurons = self.plan.neurons
        homes = {home for home in neurons.home.values() if home[0] == layer}
        labels = [
            value.label
            for value, home in neurons.home.items()
            if home[0] == layer and value._operation is None
        ]
        inputs = [
            int(match[match.lastindex or 0])
            for label in labels
            if (match := WEIGHT.fullmatch(label) or ALONE.fullmatch(label))
        ]
        nout = max(number for _, number in homes) + 1
        symbols = {neurons.symbols.get(home, "") for home in homes}
        return f"{max(inputs) + 1} → {nout}" if inputs else counted(
            nout, "neuron"
        ), symbols.pop() if len(symbols) == 1 else ""


def layer_title(layer: str) -> str:
    """What a layer is called by the number in its labels."""
    return "Neuron" if layer == OF_ALONE else f"Layer {layer}".strip()
