"""Large graphs and models: collapse, crowds of leaves, limits, shapes."""

from __future__ import annotations

import numpy as np
import pytest

from scalargrad import MLP, Layer, Neuron, Value, dot, draw, tanh
from scalargrad import sum as sum_of
from tests.pictures.reading import Picture, network


def chain(length: int) -> Value:
    x = Value(1.0, "x")
    for _ in range(length):
        x = x + 1.0
    return x


def test_neurons_collapse_into_one_card_each() -> None:
    root = network()
    picture = Picture(draw(root, collapse="neurons"))
    names = [card.texts[0] for card in picture.cards]
    assert [name for name in names if name.startswith("Neuron")] == [
        "Neuron 0",
        "Neuron 0",
        "Neuron 1",
        "Neuron 2",
    ]
    assert not [name for name in names if name.startswith(("W", "b"))]
    assert [rect.get("class") for rect in picture.clusters] == ["layer", "layer"]
    assert sum("3 parameters" in card.texts for card in picture.cards) == 3


def test_a_neuron_that_is_off_shows_its_0_and_its_gradient() -> None:
    y = MLP(2, [2, 1], seed=0)([0.5, -0.3])
    y.backward()
    (off,) = [value for value in y.graph() if value.op == "relu" and value.data == 0.0]
    picture = Picture(draw(y, collapse="neurons"))
    texts = picture.card("Neuron 1").texts
    assert texts[1] == "0"
    assert texts[texts.index("grad") + 1] == "−0.2689"
    assert off.grad == pytest.approx(-0.2689, abs=1e-4)
    assert f"grad {off.grad!r}" in picture.card("Neuron 1").tip


def test_the_slope_through_a_neuron_is_that_of_differences() -> None:
    def outputs(x0: float) -> list[float]:
        values = [value for value in _with_first_input(x0).graph() if value.op == "sigmoid"]
        return [value.data for value in values[:3]]

    h = 1e-6
    slopes = [
        (up - down) / (2 * h) for up, down in zip(outputs(0.5 + h), outputs(0.5 - h), strict=True)
    ]
    tips = [
        tip
        for tip in Picture(draw(network(), collapse="neurons")).edge_tips()
        if tip.startswith("x0 →")
    ]
    found = [float(tip.splitlines()[1].partition("= ")[2]) for tip in tips]
    assert found == pytest.approx(slopes, rel=1e-6)


def _with_first_input(number: float) -> Value:
    from scalargrad import sigmoid

    xs = [Value(number, "x0"), Value(-0.5, "x1")]
    hidden = [sigmoid(dot([0.1 - 0.2 * j, 0.2 - 0.2 * j], xs, 0.3 * j)) for j in range(3)]
    return sum_of(hidden)


def test_layers_collapse_into_one_card_each() -> None:
    picture = Picture(draw(network(), collapse="layers"))
    assert picture.card("Layer 1").texts[1] == "2 → 3"
    assert "9 parameters" in picture.card("Layer 1").texts
    assert "4 parameters" in picture.card("Layer 2").texts
    assert picture.clusters == []


def test_a_large_network_collapses_by_itself() -> None:
    small, large = network((2, 3, 1)), network((20, 20, 1))
    assert any(card.texts[0] == "W1[0,0]" for card in Picture(draw(small)).cards)
    picture = Picture(draw(large))
    assert sum(card.texts[0].startswith("Neuron") for card in picture.cards) == 21
    assert picture.card("20 inputs").kind == "input"


def test_collapsed_cards_still_lead_from_inputs_to_the_root() -> None:
    picture = Picture(draw(network(), collapse="neurons"))
    assert len(picture.edges) == 2 * 3 + 3 + 1 + 1  # inputs, hidden, − 1 and ** 2


def test_a_layer_that_is_wider_than_a_screen_is_one_card() -> None:
    names = [card.texts[0] for card in Picture(draw(network((100, 100, 1)))).cards]
    assert names.count("Layer 1") == 1
    picture = Picture(draw(network((100, 100, 1)), collapse="neurons"))
    assert sum(card.texts[0].startswith("Neuron") for card in picture.cards) == 101


def test_the_cards_of_wide_layers_are_small() -> None:
    for count in (8, 9, 16):
        picture = Picture(draw(network((2, count, 1)), collapse="neurons"))
        heights = [card.box[3] - card.box[1] for card in picture.cards if card.kind == "neuron"]
        assert len(heights) == count + 1
        assert sum(height < 60 for height in heights) == (count if count > 8 else 0)
    card = next(card for card in picture.cards if card.texts[0] == "Neuron 15")
    assert len(card.texts) == 3  # its name, its number and its gradient
    downward = Picture(draw(network((2, 16, 1)), collapse="neurons", direction="down"))
    narrow = next(card for card in downward.cards if card.texts[0] == "Neuron 15")
    assert narrow.texts == card.texts
    assert narrow.box[2] - narrow.box[0] < card.box[2] - card.box[0]
    assert card.texts[2].replace("−", "-") == f"{float(card.tip.split('grad ')[1].split()[0]):.4g}"


def test_many_leaves_of_one_reader_are_one_card() -> None:
    root = sum_of([Value(float(i), f"x{i}") for i in range(100)])
    root.backward()
    picture = Picture(draw(root))
    assert sorted(card.texts[0] for card in picture.cards) == ["100 leaves", "v1"]
    # the length of the gradient is the root of a hundred squares of 1
    assert picture.card("100 leaves").texts[1:] == ["x0 … x99", "‖grad‖", "10"]
    assert len(picture.edges) == 1


def test_many_weights_of_one_neuron_are_one_card() -> None:
    model = Layer(30, 1, number=1, seed=0)
    picture = Picture(draw(model([0.5] * 30), collapse="none"))
    assert picture.card("W1[0,:]").texts[1] == "30 weights"
    assert picture.card("30 numbers").kind == "constant"


def test_more_than_the_limit_is_refused_with_the_figures() -> None:
    with pytest.raises(ValueError, match=r"graph has 21 nodes, limit 10 \(limit=…\)"):
        draw(chain(20), collapse="none", limit=10)
    assert len(Picture(draw(chain(20), collapse="none", limit=21)).cards) == 21


def test_the_limit_counts_cards_after_collapse() -> None:
    model = MLP(784, [16, 16, 10], seed=0)
    root = sum_of(model([Value(0.1, f"x{i}") for i in range(784)]))
    assert len(root.graph()) > 5000
    assert "784 inputs" in draw(root).dot
    with pytest.raises(ValueError, match=r"graph has \d+ nodes \(\d+ cards\), limit 30"):
        draw(root, collapse="neurons", limit=30)


def test_a_long_chain_is_refused() -> None:
    with pytest.raises(ValueError, match=r"graph has 100001 nodes, limit 5000"):
        draw(chain(100_000))


def test_a_deep_chain_within_the_limit_has_its_text() -> None:
    assert draw(chain(3000), collapse="none").dot.count("minlen") >= 3000


def test_a_model_is_drawn_as_layers_and_shapes() -> None:
    picture = Picture(
        draw(MLP(784, [16, 16, 10], activation="sigmoid", output_activation="softplus", seed=0))
    )
    assert [card.texts[0] for card in picture.cards] == [
        "784 inputs",
        "Layer 1",
        "Layer 2",
        "Layer 3",
        "10 outputs",
    ]
    assert picture.card("Layer 1").texts[1:] == [
        "784 → 16", "W1 · 16 × 784", "12,544", "b1 · 16", "16", "parameters", "12,560", "‖grad‖", "–", "… 16", "σ",
    ]  # fmt: skip
    assert picture.card("Layer 3").texts[-1] == "softplus"
    assert "MLP 784 → 16 → 16 → 10 · 13,002 parameters" in picture.texts
    assert len(picture.edges) == 4


def test_layers_of_a_deep_model_that_are_alike_are_folded() -> None:
    model = MLP(4, [8] * 12 + [1], activation="tanh", seed=0)
    picture = Picture(draw(model))
    names = [card.texts[0] for card in picture.cards]
    assert names == [
        "4 inputs", "Layer 1", "Layer 2", "… 9 × the same …", "Layer 12", "Layer 13", "1 output",
    ]  # fmt: skip
    assert picture.card("… 9 × the same …").texts[1:4] == ["8 → 8", "parameters", f"{9 * 72}"]
    assert len(picture.edges) == 6
    assert picture.pill_texts() == sorted(["4", "8", "8", "8", "8", "1"])
    assert len(draw(MLP(4, [8] * 6, seed=0))._scene.cards) == 8


def test_a_model_shows_the_length_of_its_gradient() -> None:
    model = MLP(2, [2, 1], activation=None, seed=0)
    model([1.0, 2.0]).backward()
    length = sum(p.grad**2 for p in model.layers[1].parameters()) ** 0.5
    assert f"{length:.4g}" in Picture(draw(model)).card("Layer 2").texts


@pytest.mark.parametrize(("model", "title"), [
    (Layer(3, 2, bias=False, seed=0), "Layer 3 → 2 · 6 parameters"),
    (Neuron(3, activation=tanh, seed=0), "Neuron 3 → 1 · 4 parameters"),
])  # fmt: skip
def test_a_layer_and_a_neuron_are_models_too(model: object, title: str) -> None:
    assert title in Picture(draw(model)).texts


def test_a_neuron_alone_is_framed() -> None:
    picture = Picture(
        draw(Neuron(2, activation="tanh", seed=0)([Value(1.0, "x0"), Value(2.0, "x1")]))
    )
    assert [rect.get("class") for rect in picture.clusters] == ["neuron"]
    assert "2 → 1 · tanh" in picture.texts
    assert {"z", "a"} <= {card.texts[0] for card in picture.cards}


@pytest.mark.parametrize(("given", "text"), [
    (3.0, r"got float: a plain number has no graph; compute with Value\(3.0\)"),
    (None, r"got NoneType: did a function forget its return\?"),
    ([], r"got an empty list: give it a Value"),
    ([Value(1.0), 2], r"got int: .*in the list"),
    ("y", r"got str: draw the result of a computation"),
    (abs, r"got builtin_function_or_method: call it on Values"),
    (MLP, r"got type: call it on Values"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused_with_advice(given: object, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        draw(given)


def test_wrong_options_are_refused_with_what_to_write() -> None:
    with pytest.raises(
        ValueError,
        match=r"collapse='all' is none of 'auto', 'none', 'neurons', 'layers'",
    ):
        draw(Value(1.0), collapse="all")
    with pytest.raises(ValueError, match=r"direction='LR' is none of 'right', 'down'"):
        draw(Value(1.0), direction="LR")
    with pytest.raises(TypeError, match=r"title must be a str, got int: write title='3'"):
        draw(Value(1.0), title=3)  # type: ignore[arg-type]


def test_parameters_are_said_by_a_list_or_a_model() -> None:
    model = Neuron(1, seed=0)
    y = model.w[0] * Value(2.0, "x") + Value(1.0, "c")
    model.w[0].label, said = "slope", [value for value in y.graph() if value.label == "c"]
    kinds = {card.texts[0]: card.kind for card in Picture(draw(y, parameters=model)).cards}
    assert (kinds["slope"], kinds["x"], kinds["c"]) == ("parameter", "input", "input")
    kinds = {card.texts[0]: card.kind for card in Picture(draw(y, parameters=said)).cards}
    assert (kinds["slope"], kinds["x"], kinds["c"]) == ("input", "input", "parameter")
    with pytest.raises(TypeError, match="parameters must be a list of Values or a model, got int"):
        draw(y, parameters=[3])


def test_neurons_that_read_each_other_in_turn_are_drawn() -> None:
    layer = Layer(2, 2, activation="tanh", bias=False, number=1, seed=0)
    state = [Value(1.0, "h0"), Value(-1.0, "h1")]
    for _ in range(3):
        state = layer(state)
    picture = Picture(draw(state[0] * state[1], collapse="neurons"))
    assert [card.texts[0] for card in picture.cards if card.kind == "neuron"] == [
        "Neuron 0",
        "Neuron 1",
    ]
    between = [tip.splitlines()[0] for tip in picture.edge_tips() if tip.startswith("Neuron")]
    assert {"Neuron 0 → Neuron 1: 2 edges", "Neuron 1 → Neuron 0: 2 edges"} <= set(between)


def test_an_array_of_values_is_drawn_as_several_roots() -> None:
    x = Value(2.0, "x")
    roots = [x * x, x + 1.0]
    assert draw(np.array([roots], dtype=object)).svg == draw(roots).svg
