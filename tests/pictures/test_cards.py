"""What a picture of a graph shows: cards, edges, slopes, the chain rule in figures."""

from __future__ import annotations

import pytest

from scalargrad import Value, dot, draw, exp, relu
from scalargrad import sum as sum_of
from tests.pictures.reading import Picture, figures, network, neuron


def test_each_value_has_a_card_with_its_label_data_and_gradient() -> None:
    picture = Picture(draw(neuron()))
    shown = {card.texts[0]: card.texts[1:4] for card in picture.cards}
    assert shown["x1"] == ["2", "grad", "−1.5"]
    assert shown["w1"] == ["−3", "grad", "1"]
    assert shown["w2"] == ["1", "grad", "0"]
    assert shown["b"] == ["6.881", "grad", "0.5"]
    assert shown["y"] == ["0.7071", "grad", "1"]
    assert len(picture.cards) == 10


def test_kinds_are_told_apart() -> None:
    picture = Picture(draw(neuron()))
    kinds = {card.texts[0]: card.kind for card in picture.cards}
    assert kinds["x1"] == "input"
    assert kinds["w1"] == kinds["b"] == "parameter"
    assert kinds["w1·x1"] == "operation"
    assert kinds["y"] == "output"


def test_the_operation_is_a_badge() -> None:
    picture = Picture(draw(neuron()))
    assert picture.card("y").texts[-1] == "tanh"
    assert picture.card("w1·x1").texts[-1] == "×"
    assert "×" not in picture.card("w1").texts


def test_the_title_is_the_formula() -> None:
    assert "y = tanh(w1·x1 + w2·x2 + b)" in Picture(draw(neuron())).texts
    assert "mine" in Picture(draw(neuron(), title="mine")).texts


def test_edges_carry_the_local_slope() -> None:
    picture = Picture(draw(neuron()))
    assert len(picture.edges) == 9
    assert picture.pill_texts() == ["×0", "×0.5", "×1", "×2", "×−3"]


def test_edges_are_thicker_where_more_gradient_flows() -> None:
    picture = Picture(draw(neuron()))
    names = [tip.splitlines()[0].split(" (")[0] for tip in picture.edge_tips()]
    thickness = {
        name: float(edge[1].get("stroke-width", "")) for name, edge in zip(names, picture.edges)
    }
    ordered = [thickness[name] for name in ("w2 → w2·x2", "x2 → w2·x2", "w1 → w1·x1", "x1 → w1·x1")]
    assert ordered == sorted(ordered)
    assert ordered[0] < ordered[1] < ordered[2] < ordered[3]


def test_the_bar_shows_sign_by_side_and_size_by_length() -> None:
    picture = Picture(draw(neuron()))
    (negative,), (positive,), nothing = (picture.card(name).bars for name in ("x1", "w1", "w2"))
    tick = {c.id: c for c in picture.cards}[picture.card("x1").id].box
    middle = (tick[0] + 14 + tick[2] - 14) / 2
    assert float(negative.get("x", "")) + float(negative.get("width", "")) == pytest.approx(
        middle, abs=0.2
    )
    assert float(negative.get("width", "")) == pytest.approx(
        1.5 * float(positive.get("width", "")), rel=0.02
    )
    assert nothing == []


def test_tooltips_spell_the_chain_rule_in_figures_that_add_up() -> None:
    root = neuron()
    picture = Picture(draw(root))
    checked = 0
    for value in root.graph():
        if value is root or not value.label:
            continue
        lines = picture.card(value.label).tip.splitlines()
        terms, total = lines[-2:]
        assert figures(terms) == pytest.approx(value.grad, rel=1e-12)
        assert float(total.removeprefix(" = ")) == value.grad
        checked += 1
    assert checked == 5
    assert "∂y/∂x1 = ∂y/∂(w1·x1) × ∂(w1·x1)/∂x1" in picture.card("x1").tip
    assert picture.card("y").tip.endswith("∂y/∂y = 1: backward() starts here")


def test_a_shared_value_sums_the_shares_of_its_readers() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "c")
    y = a * b + exp(a)
    y.backward()
    lines = Picture(draw(y)).card("a").tip.splitlines()
    assert lines[-3].count("×") == 2
    assert figures(lines[-2]) == a.grad


def test_a_gradient_that_accumulated_is_said_to_have() -> None:
    root = neuron()
    assert "elsewhere" not in Picture(draw(root)).card("x1").tip
    root.backward()
    assert "grad holds shares from elsewhere too" in Picture(draw(root)).card("x1").tip


def test_gradients_are_dashes_until_backward_has_run() -> None:
    picture = Picture(draw(neuron(backward=False)))
    assert all(card.texts[3] == "–" for card in picture.cards)
    assert "– no gradient yet: call backward()" in picture.texts
    assert all("backward() has not run" in card.tip for card in picture.cards)
    assert not any(card.bars for card in picture.cards)


def test_a_gradient_of_0_after_backward_is_a_0() -> None:
    x = Value(-2.0, "x")
    y = relu(x)
    y.backward()
    assert Picture(draw(y)).card("x").texts[3] == "0"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_shown(number: float) -> None:
    x = Value(number, "x")
    y = x * 2.0
    y.backward()
    y.grad = number
    shown = {"nan": "nan", "inf": "∞", "-inf": "−∞"}[str(number)]
    assert Picture(draw(y)).card("x").texts[1] == shown


def test_a_value_used_twice_has_two_edges() -> None:
    a = Value(2.0, "a")
    picture = Picture(draw(a + a))
    assert len(picture.edges) == 2
    assert picture.pill_texts() == ["×1", "×1"]
    paths = [edge[1].get("d") for edge in picture.edges]
    assert paths[0] != paths[1]


@pytest.mark.parametrize("operation", [lambda a, c: a - c, lambda a, c: a / c, lambda a, c: a**c])
def test_operands_are_marked_where_their_order_matters(operation) -> None:  # type: ignore[no-untyped-def]
    a, c = Value(2.0, "a"), Value(3.0, "c")
    for first, second in ((a, c), (c, a)):
        picture = Picture(draw(operation(first, second)))
        tips = {
            pill[0].text.splitlines()[0].split(" →")[0]: "".join(pill[2].itertext())[0]
            for pill in picture.pills
        }  # type: ignore[union-attr]
        assert tips == {first.label: "①", second.label: "②"}
        assert "① ②  operands in order" in picture.texts


def test_operands_are_not_marked_where_their_order_does_not_matter() -> None:
    a, c = Value(2.0, "a"), Value(3.0, "c")
    assert not any("①" in text for text in Picture(draw(a * c + a)).texts)


def test_plain_numbers_are_chips_without_gradient() -> None:
    x = Value(3.0, "x")
    picture = Picture(draw(2.0 * x + 5.0))
    chips = [card for card in picture.cards if card.kind == "constant"]
    assert sorted(chip.texts[0] for chip in chips) == ["2", "5"]
    assert all(len(chip.texts) == 1 and "no gradient" in chip.tip for chip in chips)


def test_a_bias_of_0_is_left_out_of_a_dot() -> None:
    x = Value(3.0, "x")
    assert not [
        card for card in Picture(draw(dot([Value(1.0, "w")], [x]))).cards if card.kind == "constant"
    ]
    assert [
        card.texts
        for card in Picture(draw(dot([Value(1.0, "w")], [x], 4.0))).cards
        if card.kind == "constant"
    ] == [["4"]]


def test_a_dot_is_one_card_or_its_products_and_their_sum() -> None:
    xs, ws = [Value(2.0, "x1"), Value(3.0, "x2")], [Value(5.0, "w1"), Value(7.0, "w2")]
    y = dot(ws, xs, Value(1.0, "b"))
    y.backward()
    whole, expanded = Picture(draw(y)), Picture(draw(y, expand_dots=True))
    assert [card.texts[-1] for card in whole.cards if card.kind == "output"] == ["Σ×"]
    assert (len(whole.cards), len(whole.edges)) == (6, 5)
    assert (len(expanded.cards), len(expanded.edges)) == (8, 7)
    assert expanded.card("w1·x1").texts[1] == "10"
    assert expanded.card("w2·x2").texts[1] == "21"
    assert expanded.pill_texts() == whole.pill_texts() == ["×2", "×3", "×5", "×7"]


def test_a_product_shows_what_it_was_when_the_dot_was_taken() -> None:
    w, x = Value(5.0, "w"), Value(2.0, "x")
    y = dot([w], [x])
    y.label = "y"
    w.data = 100.0
    assert Picture(draw(y, expand_dots=True)).card("w·x").texts[1] == "10"


def test_a_dot_with_numbers_is_expanded_with_chips() -> None:
    y = dot([Value(5.0, "w")], [2.0])
    y.label = "y"
    picture = Picture(draw(y, expand_dots=True))
    assert picture.card("w·2").texts[1] == "10"
    assert [card.texts for card in picture.cards if card.kind == "constant"] == [["2"]]


def test_several_roots_are_drawn_together() -> None:
    x = Value(2.0, "x")
    picture = Picture(draw([x * 2.0, exp(x)]))
    assert [card.kind for card in picture.cards].count("output") == 2
    assert [card.texts[0] for card in picture.cards].count("x") == 1


def test_a_leaf_alone_is_a_picture() -> None:
    picture = Picture(draw(Value(2.0, "x")))
    assert [card.texts[:2] for card in picture.cards] == [["x", "2"]]
    assert picture.edges == []


def test_neurons_and_layers_are_framed() -> None:
    picture = Picture(draw(network()))
    assert [r.get("class") for r in picture.clusters] == [
        "layer",
        "neuron",
        "neuron",
        "neuron",
        "layer",
        "neuron",
    ]
    assert [text for text in picture.texts if text.startswith(("Layer", "Neuron"))] == [
        "Layer 1", "Neuron 0", "Neuron 1", "Neuron 2", "Layer 2", "Neuron 0",
    ]  # fmt: skip
    assert "2 → 3 · σ" in picture.texts
    assert "3 → 1 · σ" in picture.texts


def test_a_neuron_written_with_binary_operations_is_framed_too() -> None:
    x = Value(2.0, "x")
    z = Value(1.0, "W1[0,0]") * x + Value(2.0, "W1[0,1]") * x + Value(0.5, "b1[0]")
    picture = Picture(draw(exp(z) - 1.0))
    assert {"z1[0]", "a1[0]"} <= {card.texts[0] for card in picture.cards}
    inside = [card.texts[0] for card in picture.cards if _within(card.box, picture.clusters[0])]
    assert set(inside) >= {"W1[0,0]", "W1[0,1]", "b1[0]", "z1[0]", "a1[0]"}
    assert "x" not in inside
    assert "a1[0] − 1" not in inside


def _within(box, rect) -> bool:  # type: ignore[no-untyped-def]
    x, y, w, h = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
    return bool(x < box[0] and box[2] < x + w and y < box[1] and box[3] < y + h)


def test_what_is_in_a_frame_belongs_there() -> None:
    picture = Picture(draw(network()))
    frames = [rect for rect in picture.clusters if rect.get("class") == "neuron"]
    for card in picture.cards:
        homes = [i for i, frame in enumerate(frames) if _within(card.box, frame)]
        label = card.texts[0]
        if label[0] in "Wb":
            layer, neuron = int(label[1]), int(label[3])
            assert homes == [neuron if layer == 1 else 3]
        elif label[0] == "x" or card.kind in ("constant", "output"):
            assert homes == []


def test_neurons_stand_in_their_order() -> None:
    picture = Picture(draw(network((2, 4, 2, 1)), collapse="none"))
    tops = [float(rect.get("y", "")) for rect in picture.clusters if rect.get("class") == "neuron"]
    assert tops[:4] == sorted(tops[:4])
    assert tops[4] < tops[5]
    picture = Picture(draw(network((2, 4, 2, 1)), collapse="neurons"))
    for layer, count in zip(picture.clusters, (4, 2, 1), strict=True):
        inside = sorted(
            (card.box[1], card.texts[0]) for card in picture.cards if _within(card.box, layer)
        )
        assert [name for _, name in inside] == [f"Neuron {j}" for j in range(count)]


def test_parameters_of_two_networks_with_the_same_labels_are_not_mixed_up() -> None:
    picture = Picture(draw([network(), network()]))
    assert picture.clusters == []


def test_a_sum_of_squared_weights_is_in_no_neuron() -> None:
    ws = [Value(1.0, "W1[0,0]"), Value(2.0, "W1[0,1]")]
    penalty = sum_of([w * w for w in ws])
    picture = Picture(draw(penalty))
    (frame,) = [rect for rect in picture.clusters if rect.get("class") == "neuron"]
    assert sorted(card.texts[0] for card in picture.cards if _within(card.box, frame)) == [
        "W1[0,0]",
        "W1[0,1]",
    ]


def test_downward_puts_operands_above_their_readers() -> None:
    picture = Picture(draw(neuron(), direction="down"))
    assert picture.card("x1").box[3] < picture.card("w1·x1").box[1] < picture.card("y").box[1]
    picture = Picture(draw(neuron()))
    assert picture.card("x1").box[2] < picture.card("w1·x1").box[0] < picture.card("y").box[0]


def test_gradients_show_where_the_root_of_a_part_has_slope_zero() -> None:
    x = Value(-1.0, "x")
    h = x.relu()
    (h * x).backward()
    assert "0" in [text for card in Picture(draw(h)).cards for text in card.texts]
    assert "–" not in [text for card in Picture(draw(h)).cards for text in card.texts]
