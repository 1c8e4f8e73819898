"""Cards that show several Values: a neuron, a layer, a crowd of leaves.   (floor 3)"""

from __future__ import annotations

from math import hypot

from ..ops import OPS
from ..value import Value
from ..wording import counted, figure, label_of, symbol_on
from .naming import badge, badge_with_number
from .neurons import place_of
from .scene import NORM, Card
from .tips import members_tip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from .plan import Plan

LONGEST_SPAN = 26  # letters of the labels of many leaves
NARROW = 8  # neurons; the cards of a wider layer are smaller


class Crowds:
    """The shared cards of a plan: their Values, and the slopes through a neuron."""

    def __init__(self, plan: Plan, names: Mapping[Value, str], given: set[Value]) -> None:
        self.plan, self.names, self.given = plan, names, given
        self.members: dict[Hashable, list[Value]] = {}
        for value, key in plan.card.items():
            if key is not value:
                self.members.setdefault(key, []).append(value)
        # The Value that the card of a neuron shows: the only one that others read, if there is one.
        self.result: dict[Hashable, Value] = {}
        for key, values in self.members.items():
            outputs = self.outputs(values)
            if isinstance(key, tuple) and key[0] == "neuron" and len(outputs) == 1:
                self.result[key] = outputs[0]

    def outputs(self, values: Sequence[Value]) -> list[Value]:
        """The computed Values among them that are roots or are read outside the card."""
        inside, readers = set(values), self.plan.readers
        return [
            v
            for v in values
            if v._operation is not None
            and (v in self.plan.are_roots or any(r not in inside for r, _ in readers[v]))
        ]

    def slopes(self, key: Hashable) -> dict[Value, float]:
        """The slope of a neuron's result by each of its inputs."""
        inside, slope = set(self.members[key]), {self.result[key]: 1.0}
        for value in reversed(self.members[key]):
            if slope.get(value):  # a slope of 0 is not passed on
                for operand, partial in zip(value.parents, self.plan.partials[value]):
                    if isinstance(operand, Value):
                        share = slope[value] * (partial or 0.0)
                        slope[operand] = slope.get(operand, 0.0) + share
        taken = dict.fromkeys(
            x
            for value in self.members[key]
            for x in value.parents
            if isinstance(x, Value) and x not in inside
        )
        return {operand: slope.get(operand, 0.0) for operand in taken}

    def card(self, id: str, key: Hashable) -> Card:
        """The card of a neuron, a layer, a crowd of leaves, or of other Values."""
        assert isinstance(key, tuple)
        kinds = {
            "neuron": self.neuron, "layer": self.layer,
            "many": self.leaves, "fold": self.fold, "role": self.role,
        }  # fmt: skip
        return kinds[key[0]](id, key)

    def fold(self, id: str, key: Hashable) -> Card:
        """The card of what repeats: how often, and the operations of one repeat."""
        assert isinstance(key, tuple)
        _, _, count, symbols = key
        values = self.members[key]
        name = f"… {count:,} × the same …"
        tip = members_tip(name, values, self.plan.walked.issuperset(values))
        return Card(
            id, "operation", name, tip, lines=((symbols, ""),), is_given=False, is_many=True
        )

    def role(self, id: str, key: Hashable) -> Card:
        """The card of Values that play one role, or of a sum with its parts."""
        assert isinstance(key, tuple)
        values, count = self.members[key], key[2]
        if values[0]._operation is None:
            return self.leaves(id, key)
        tops = values[-1:] if count == 1 else values
        if 1 < count < len(values):
            tops = self.outputs(values)
        symbols = {badge_with_number(value) or badge(value) for value in tops}
        symbol = badge(tops[0]) if len(symbols) > 1 else symbols.pop()
        if len(tops) < len(values):
            symbol = symbol_on(OPS["sum"], [])
        walked, kind = self.plan.walked.issuperset(values), self.kind(values, "operation")
        if len(tops) == 1:
            (top,) = tops
            name = self.names[top]
            return Card(
                id, kind, name, members_tip(name, tops, walked), figure(top.data), symbol, (),
                self.plan.gradient(top), self.plan.has_gradients, top in self.given, is_many=True,
            )  # fmt: skip
        name = counted(count, "result")
        data = [value.data for value in tops]
        lines = [("data", f"{figure(min(data), 3)} … {figure(max(data), 3)}"), *self.norm(tops)]
        return Card(
            id, kind, name, members_tip(name, tops, walked), "", symbol, tuple(lines),
            is_given=False, is_many=True,
        )  # fmt: skip

    def neuron(self, id: str, key: Hashable) -> Card:
        """The card of a neuron: its result with the gradient, and its number of parameters."""
        values, result = self.members[key], self.result.get(key)
        home = layer, number = self.plan.neurons.home[values[0]]
        leaves = [value for value in values if value._operation is None]
        walked = self.plan.walked.issuperset(values)
        name, symbol = f"Neuron {number}", badge(self.plan.neurons.activation.get(home))
        parameters = counted(len(leaves), "parameter")
        title = f"neuron {number}" if layer is None else f"layer {layer}, neuron {number}"
        if result is None:
            results = counted(len(self.outputs(values)), "result")
            is_small = self.plan.neurons.shapes[layer][1] > NARROW
            return Card(
                id, self.kind(values, "neuron"), name, members_tip(title, leaves, walked),
                results if is_small else "", "" if is_small and self.shape(layer)[1] else symbol,
                () if is_small else ((parameters, ""), (results, "")), is_many=True,
                is_small=is_small,
            )  # fmt: skip
        title += f" · {self.names[result]} = {result.data!r}"
        title += f", grad {result.grad!r}" if walked else ""
        if result in self.given:
            name, parameters = self.names[result], f"{name} · {parameters}"
        is_small = self.plan.neurons.shapes[layer][1] > NARROW
        if is_small and self.shape(layer)[1]:  # the frame of the layer has the symbol
            symbol = ""
        return Card(
            id, self.kind(values, "neuron"), name, members_tip(title, leaves, walked),
            figure(result.data), symbol, () if is_small else ((parameters, ""),),
            self.plan.gradient(result), self.plan.has_gradients, is_many=True, is_small=is_small,
        )  # fmt: skip

    def layer(self, id: str, key: Hashable) -> Card:
        """The card of a layer: shape, number of parameters, length of their gradient."""
        values = self.members[key]
        layer = self.plan.neurons.home[values[0]][0]
        shape, symbol = self.shape(layer)
        leaves = [value for value in values if value._operation is None]
        neurons = len({self.plan.neurons.home[value] for value in values})
        title = layer_title(layer)
        tip = members_tip(title, leaves, self.plan.walked.issuperset(leaves))
        lines = (counted(len(leaves), "parameter"), ""), *self.norm(leaves)
        return Card(
            id, self.kind(values, "layer"), title, tip, shape, symbol, lines,
            is_many=True, dots=neurons,
        )  # fmt: skip

    def leaves(self, id: str, key: Hashable) -> Card:
        """The card of many leaves: their number, and the length of their gradient."""
        values = self.members[key]
        kind = self.plan.kind(values[0])
        name = counted(len(values), kind).replace("leafs", "leaves")
        lines = [*self.norm(values)]
        rows = {(place.layer, place.neuron) for value in values if (place := place_of(value))}
        if len(rows) == 1 and self.plan.neurons.home.get(values[0]) in rows:
            layer, number = rows.pop()
            name = "w[:]" if layer is None else f"W{layer}[{number},:]"
            lines.insert(0, (counted(len(values), "weight"), ""))
        elif all(label_of(value) for value in values):
            span = f"{label_of(values[0])} … {label_of(values[-1])}"
            lines[:0] = [(span, "")] if len(span) <= LONGEST_SPAN else []
        tip = members_tip(name, values, self.plan.walked.issuperset(values))
        return Card(id, kind, name, tip, lines=tuple(lines), is_many=True)

    def kind(self, values: Sequence[Value], otherwise: str) -> str:
        return "output" if self.plan.are_roots.intersection(values) else otherwise

    def norm(self, values: Sequence[Value]) -> list[tuple[str, str]]:
        """The line of a card with the length of the gradient by these leaves."""
        if not self.plan.has_gradients:
            return []
        has_run = self.plan.walked.issuperset(values)
        return [(NORM, figure(hypot(*(value.grad for value in values))) if has_run else "–")]

    def shape(self, layer: str | None) -> tuple[str, str]:
        """The shape of a layer, `2 → 3`, and the activation if all its neurons have the same."""
        neurons = self.plan.neurons
        nin, nout = neurons.shapes[layer]
        homes = {home for home in neurons.home.values() if home[0] == layer}
        symbols = {badge(neurons.activation.get(home)) for home in homes}
        shape = f"{nin} → {nout}" if nin else counted(nout, "neuron")
        return shape, symbols.pop() if len(symbols) == 1 else ""


def layer_title(layer: str | None) -> str:
    """The title of a layer, from the number in its labels."""
    return "Neuron" if layer is None else f"Layer {layer}".strip()
