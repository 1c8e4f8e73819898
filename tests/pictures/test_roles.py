"""Values that play the same role share a card, so that large graphs by hand are readable."""

from __future__ import annotations

import random

import pytest

from scalargrad import MLP, Value, draw, exp, log, tanh
from scalargrad import sum as sum_of
from scalargrad.pictures import notebook_bundle
from scalargrad.pictures.plan import IN_A_CELL, Plan
from tests.pictures.reading import Picture


def network(*sizes: int, adds: bool = True) -> Value:
    """A network in plain loops, as many write it: sums of products, and tanh."""
    numbers = random.Random(0)
    values = [Value(numbers.random(), f"x{i}") for i in range(sizes[0])]
    for count in sizes[1:]:
        sums = []
        for _ in range(count):
            terms = [Value(numbers.uniform(-1, 1)) * x for x in values]
            total = Value(numbers.random(), "b")
            for term in terms if adds else ():
                total = total + term
            sums.append(total if adds else sum_of([total, *terms]))
        values = [tanh(z) for z in sums]
    values[0].backward()
    return values[0]


def attention(tokens: int = 4, width: int = 8) -> Value:
    """One head of attention and a softmax over the tokens, in scalars."""
    numbers = random.Random(1)

    def matrix(name: str) -> list[list[Value]]:
        return [
            [Value(numbers.gauss(0, 0.3), f"{name}[{i},{j}]") for j in range(width)]
            for i in range(width)
        ]

    def product(rows: list[list[Value]], xs: list[Value]) -> list[Value]:
        return [sum_of([w * x for w, x in zip(row, xs, strict=True)]) for row in rows]

    def softmax(xs: list[Value]) -> list[Value]:
        parts = [exp(x) for x in xs]
        whole = sum_of(parts)
        return [part / whole for part in parts]

    queries, keys, values = (matrix(name) for name in ("Wq", "Wk", "Wv"))
    rows = [[Value(numbers.gauss(0, 1), f"e{t}[{i}]") for i in range(width)] for t in range(tokens)]
    q = product(queries, rows[-1])
    scores = [
        sum_of([a * b for a, b in zip(q, product(keys, row), strict=True)]) * width**-0.5
        for row in rows
    ]
    weights, shown = softmax(scores), [product(values, row) for row in rows]
    out = [sum_of([w * row[i] for w, row in zip(weights, shown)]) for i in range(width)]
    loss = -log(softmax(out)[2])
    loss.label = "loss"
    loss.backward()
    return loss


def test_a_network_in_loops_is_a_card_for_each_step() -> None:
    picture = Picture(draw(network(2, 16, 16, 1)))
    shown = [card.texts[0] for card in picture.cards]
    badges = [card.texts[-1] for card in picture.cards if card.kind not in ("leaf", "input")]
    assert badges == ["×", "Σ", "tanh", "×", "Σ", "tanh", "×", "Σ", "tanh"]
    assert {"32 results", "256 results", "256 leaves", "2 leaves"} <= set(shown)
    assert picture.card("2 leaves").texts[1] == "x0 … x1"
    assert len(picture.cards) == 16


@pytest.mark.parametrize("sizes", [(6, 6, 6, 1), (2, 16, 16, 1), (30, 20, 5, 1)])
def test_additions_in_a_row_are_the_sum_that_they_make(sizes: tuple[int, ...]) -> None:
    by_hand, in_one = (Picture(draw(network(*sizes, adds=adds))) for adds in (True, False))
    assert by_hand.kinds() == in_one.kinds()
    assert len(by_hand.edges) == len(in_one.edges)


def test_attention_is_a_diagram_of_its_blocks() -> None:
    loss = attention()
    assert len(loss.graph()) > 900
    picture = Picture(draw(loss))
    assert len(picture.cards) < 40
    assert float(picture.root.get("height", "")) < 1000
    names = [text for card in picture.cards for text in card.texts]
    for matrix in ("Wq[0,0] … Wq[7,7]", "Wk[0,0] … Wk[7,7]"):
        assert names.count(matrix) == 1
    assert picture.card("loss").kind == "output"


def test_cards_of_alike_values_tell_how_many_and_their_gradient() -> None:
    root = network(2, 16, 16, 1)
    picture = Picture(draw(root))
    hidden = [v for v in root.graph() if v.op == "tanh" and v is not root]
    last = next(card for card in reversed(picture.cards) if card.texts[0] == "16 results"
                and card.texts[-1] == "tanh")  # fmt: skip
    read = {x for v in root.graph() if v.op == "mul" for x in v.parents if x in hidden[16:]}
    assert len(read) == 16
    length = sum(v.grad**2 for v in hidden[16:]) ** 0.5
    assert float(last.texts[last.texts.index("‖grad‖") + 1]) == pytest.approx(length, rel=1e-3)
    low, high = min(v.data for v in hidden[16:]), max(v.data for v in hidden[16:])
    data = last.texts[last.texts.index("data") + 1].replace("−", "-").split(" … ")
    assert [float(text) for text in data] == pytest.approx([low, high], rel=1e-2)


def test_every_value_is_on_a_card_and_every_card_is_joined() -> None:
    for root in (network(2, 16, 16, 1), attention(), network(40, 5, 1)):
        plan = Plan([root], "auto", 5000)
        assert set(plan.card) == set(root.graph())
        scene = draw(root)._scene
        joined = {end for edge in scene.edges for end in (edge.tail, edge.head)}
        assert joined == {card.id for card in scene.cards}


def test_small_graphs_show_each_value() -> None:
    root = network(3, 5, 1)
    assert 60 < len(root.graph()) < 100
    assert len(draw(root)._scene.cards) == len(root.graph())
    assert len(draw(network(6, 6, 6, 1), collapse="none")._scene.cards) == 266
    assert len({*Plan([root], "auto", 100, most=IN_A_CELL).card.values()}) < 20


def test_neurons_that_are_framed_keep_what_is_in_their_frames() -> None:
    y = MLP(9, [12, 1], seed=0)([Value(0.1 * i, f"x{i}") for i in range(9)])
    assert 100 < len(y.graph()) < 300
    picture = Picture(draw(y))
    assert len(picture.cards) == len(y.graph())
    assert len([rect for rect in picture.clusters if rect.get("class") == "neuron"]) == 13


def test_a_notebook_shows_large_graphs_by_their_roles() -> None:
    assert "image/svg+xml" in notebook_bundle(network(2, 16, 16, 1))
    assert "image/svg+xml" in notebook_bundle(attention())


def test_what_many_read_stands_at_the_left_of_a_graph_with_many_leaves() -> None:
    picture = Picture(draw(network(3, 5, 1), collapse="none"))
    assert sum(card.kind == "leaf" for card in picture.cards) > 16
    first = min(card.box[0] for card in picture.cards)
    assert all(picture.card(f"x{i}").box[0] == first for i in range(3))


def test_roots_have_cards_of_their_own() -> None:
    values = network(2, 16, 16, 1)
    hidden = [v for v in values.graph() if v.op == "tanh"][:3]
    picture = Picture(draw([values, *hidden]))
    assert sum(card.kind == "output" for card in picture.cards) == 4


def test_a_long_graph_without_a_pattern_is_a_card_for_each_kind_of_step() -> None:
    numbers = random.Random(3)
    x = v = Value(0.5, "x")
    for _ in range(200):
        v = numbers.choice([tanh, exp, lambda v: v * x, lambda v: v - x])(v * 0.1)
    assert len(draw(v)._scene.cards) < 60
    assert len(draw(v, collapse="none")._scene.cards) == len(v.graph())


def recurrent(steps: int) -> Value:
    """Two states that feed each other, with gates, as an LSTM has them."""
    h, c, gates = Value(0.1, "h"), Value(0.2, "c"), "ifoc"
    weights = {gate: [Value(0.3, f"{kind}{gate}") for kind in "wub"] for gate in gates}
    for step in range(steps):
        x = Value(0.1 * step, f"x{step}")
        i, f, o, new = (tanh(w * x + u * h + b) for w, u, b in weights.values())
        c = f * c + i * new
        h = o * tanh(c)
    h.backward()
    return h


def test_the_steps_of_a_recurrent_network_share_cards() -> None:
    sizes = []
    for steps in (12, 40):
        root = recurrent(steps)
        picture = Picture(draw(root))
        badges = {card.texts[-1] for card in picture.cards if card.kind == "operation"}
        assert {"×", "Σ", "tanh"} <= badges <= {"×", "Σ", "+", "tanh"}
        assert picture.card(f"{steps} leaves").kind == "leaf"
        sizes.append(len(picture.cards))
        scene = draw(root)._scene
        joined = {end for edge in scene.edges for end in (edge.tail, edge.head)}
        assert joined == {card.id for card in scene.cards}
    assert max(sizes) < 60
    assert sizes[0] == sizes[1]
