"""Which neuron a Value belongs to, found from the labels of parameters.   (floor 3)

Networks label their parameters `W1[0,2]` and `b1[0]`: layer 1, neuron 0, input 2; a layer alone `W[0,2]` and `b[0]`, a
neuron alone `w[2]` and `b`. A graph that uses such labels is grouped by them, whoever wrote it. To a neuron belong its
parameters; the products, sums and dots that read them; the sums of nothing but those; and the one operation that reads
the total alone, the activation. Parameters of several networks whose labels are the same are not grouped.
"""

from __future__ import annotations

import re
from collections import Counter

from ..value import Value
from .text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Home = tuple[str, int]  # layer as it stands in labels, neuron
    Readers = Mapping[Value, Sequence[tuple[Value, int]]]

WEIGHT = re.compile(r"W(\d{0,9})\[(\d{1,9}), ?(\d{1,9})\]", re.ASCII)
BIAS = re.compile(r"b(\d{0,9})\[(\d{1,9})\]", re.ASCII)
ALONE = re.compile(r"w\[(\d{1,9})\]", re.ASCII)
OF_ALONE = "alone"  # the layer of a neuron that has none
_PARAMETER = re.compile(r"[wb]([\d_\[₀-₉'′]|$)|weight|bias|[θΘ]|theta", re.IGNORECASE)
_LINEAR = {"add", "sub", "mul", "dot", "sum"}
_NO_ACTIVATION = {"neg", "abs", "square", "log", "pow", "reciprocal"}  # what losses do to an output


def looks_like_parameter(label: str) -> bool:
    """Whether a leaf of this label is drawn as a parameter: w, w1, W1[0,2], b, b1[0], weight …, bias …, θ."""
    return _PARAMETER.match(label) is not None


def home_of_label(label: str) -> Home | None:
    """The layer and neuron that a label names.

    >>> home_of_label("W2[0,1]"), home_of_label("b1[3]"), home_of_label("w[1]"), home_of_label("w1")
    (('2', 0), ('1', 3), ('alone', 0), None)
    """
    match = WEIGHT.fullmatch(label) or BIAS.fullmatch(label)
    if match:
        return match[1], int(match[2])
    return (OF_ALONE, 0) if ALONE.fullmatch(label) else None


class Neurons:
    """The neurons of a graph: `home` of each Value that has one, and the Values that have a role in it."""

    def __init__(self, values: Sequence[Value], readers: Readers) -> None:
        self.home: dict[Value, Home] = {}
        self.totals: set[Value] = set()  # what an activation is applied to: z
        self.activations: set[Value] = set()  # a
        self.symbols: dict[Home, str] = {}  # of the activation
        self._readers = readers
        for value in values:
            home = self._home_of_leaf(value) if value._operation is None else self._home_of(value)
            if home is not None:
                self.home[value] = home
        labels = Counter(value.label for value in self.home if value._operation is None)
        twice = {self.home[value][0] for value in self.home if labels[value.label] > 1}
        if twice:
            self.home = {value: home for value, home in self.home.items() if home[0] not in twice}
            self.totals &= self.home.keys()
            self.activations &= self.home.keys()

    def name(self, value: Value) -> str:
        """`z1[0]` for what an activation is applied to, `a1[0]` for the activation; else empty."""
        letter = "z" if value in self.totals else "a" if value in self.activations else ""
        if not letter:
            return ""
        layer, number = self.home[value]
        return letter if layer == OF_ALONE else f"{letter}{layer}[{number}]"

    def _home_of_leaf(self, value: Value) -> Home | None:
        readers = self._readers[value]
        if (
            value.label == "b" and len(readers) == 1 and readers[0][0].op == "dot"
        ):  # the bias of a neuron alone
            first = readers[0][0].parents[0]
            return (
                (OF_ALONE, 0) if isinstance(first, Value) and ALONE.fullmatch(first.label) else None
            )
        return home_of_label(value.label)

    def _home_of(self, value: Value) -> Home | None:
        operands = [p for p in value.parents if isinstance(p, Value)]
        numbers = [p for p in value.parents if not isinstance(p, Value) and p != 0.0]
        own = {self.home[p] for p in operands if p._operation is None and p in self.home}
        if own:
            has_other = bool(numbers) or any(
                p._operation is not None or p not in self.home for p in operands
            )
            if len(own) > 1 or value.op not in _LINEAR or not has_other:
                return None
            if value.op == "dot":
                self.totals.add(value)
            return own.pop()
        homes = {self.home.get(p) for p in operands}
        if len(homes) > 1 or self.activations.intersection(operands):
            return None
        if len(operands) > 1:  # a sum of products
            is_inner = value.op in ("add", "sum") and not self.totals.intersection(operands)
            return homes.pop() if is_inner else None
        return self._home_of_activation(value, operands[0])

    def _home_of_activation(self, value: Value, total: Value) -> Home | None:
        is_one_operand = value._operation is not None and len(value._operation.operands) == 1
        if value.op in _NO_ACTIVATION or not (
            is_one_operand or value.op in ("maximum", "minimum", "clip")
        ):
            return None
        if total not in self.home or len(self._readers[total]) > 1:
            return None
        home = self.home[total]
        self.totals.add(total)
        self.activations.add(value)
        self.symbols.setdefault(home, symbol_of(value))
        return home


def symbol_of(value: Value) -> str:
    """The symbol of its operation, fit to show; empty for a leaf."""
    return clean(value._operation.symbol)[:12] if value._operation else ""


def in_layers(home: Home) -> tuple[int, str, int]:
    """The key by which neurons are sorted: `2` before `10`."""
    return len(home[0]), *home
