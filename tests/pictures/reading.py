"""A picture read back: what an XML parser, not the code under test, finds in the SVG."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from xml.etree import ElementTree

from scalargrad import Layer, Value, tanh
from scalargrad.pictures import Drawing

SVG = "{http://www.w3.org/2000/svg}"


class Picture:
    """The cards, edges and texts of an SVG."""

    def __init__(self, drawing: Drawing) -> None:
        self.text = drawing.svg
        self.root = ElementTree.fromstring(self.text)
        groups = list(self.root.iter(f"{SVG}g"))
        self.cards = [Card(g) for g in groups if g.get("class", "").startswith("node ")]
        self.edges = [
            g for g in groups if g.get("class") == "edge" and g.find(f"{SVG}path") is not None
        ]
        self.pills = [
            g for g in groups if g.get("class") == "edge" and g.find(f"{SVG}path") is None
        ]
        self.lines = [g for g in groups if g.get("class", "").startswith("line ")]
        self.texts = ["".join(t.itertext()) for t in self.root.iter(f"{SVG}text")]
        self.clusters = [
            r for r in self.root.iter(f"{SVG}rect") if r.get("class") in ("layer", "neuron")
        ]

    def card(self, name: str) -> Card:
        (found,) = [card for card in self.cards if card.texts[0] == name]
        return found

    def kinds(self) -> Counter[str]:
        return Counter(card.kind for card in self.cards)

    def edge_tips(self) -> list[str]:
        return [edge.findtext(f"{SVG}title") or "" for edge in self.edges]

    def pill_texts(self) -> list[str]:
        return sorted(
            "".join(pill.itertext()).removeprefix(pill.findtext(f"{SVG}title") or "")
            for pill in self.pills
        )


class Card:
    """One card: its kind, texts, tooltip and outline."""

    def __init__(self, group: ElementTree.Element) -> None:
        self.id, self.kind = group.get("id"), group.get("class", "").removeprefix("node ")
        self.texts = ["".join(t.itertext()) for t in group.findall(f"{SVG}text")]
        self.tip = group.findtext(f"{SVG}title") or ""
        self.outline = group.findall(f"{SVG}rect")
        self.bars = [
            r
            for g in group.findall(f"{SVG}g")
            for r in g.findall(f"{SVG}rect")
            if r.get("class") == "bar"
        ]
        # the last one lies in front of those that show that it is for many
        self.box = box([r for r in self.outline if r.get("class") == "card"][-1])


def box(rect: ElementTree.Element) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    x, y, w, h = (float(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
    return x, y, x + w, y + h


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def figures(line: str) -> float:
    """The number that a line of figures comes to: ` = 0.5 × (-3.0) + 2.0 × 1.0`."""
    expression = line.strip().removeprefix("=").replace("×", "*")
    assert re.fullmatch(r"[-+*().e\d\s]+|nan|inf", expression), line
    return float(eval(expression))


def neuron(backward: bool = True) -> Value:
    """y = tanh(w1*x1 + w2*x2 + b), slope by w1 1, by x1 -1.5, by w2 0, by x2 and b 0.5."""
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.8813735870195432, "b")
    y = tanh(w1 * x1 + w2 * x2 + b)
    y.label = "y"
    if backward:
        y.backward()
    return y


def network(sizes: tuple[int, ...] = (2, 3, 1), backward: bool = True) -> Value:
    """The squared error of the first output of a network."""
    xs = [Value(0.5 - i, f"x{i}") for i in range(sizes[0])]
    for k, (nin, nout) in enumerate(pairwise(sizes), 1):
        layer = Layer(nin, nout, activation="sigmoid", number=k)
        weights = [[0.1 * (i + 1) - 0.2 * j for i in range(nin)] for j in range(nout)]
        layer.load_state({f"W{k}": weights, f"b{k}": [0.3 * j for j in range(nout)]})
        xs = [neuron(xs) for neuron in layer.neurons]
    loss = (xs[0] - 1.0) ** 2
    loss.label = "loss"
    if backward:
        loss.backward()
    return loss
