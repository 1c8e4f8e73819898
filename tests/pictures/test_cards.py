"""Pictures of graphs: cards, edges, slopes, the chain rule in figures."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

import scalargrad as sg
from scalargrad import MLP, Layer, Neuron, Value, dot, draw, exp, relu, tanh
from scalargrad import sum as sum_of
from tests.pictures.reading import SVG, Picture, box, figures, network, neuron


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
    root = neuron()
    said = [value for value in root.graph() if value.label in ("w1", "w2", "b")]
    picture = Picture(draw(root, parameters=said))
    kinds = {card.texts[0]: card.kind for card in picture.cards}
    assert kinds["x1"] == "input"
    assert kinds["w1"] == kinds["b"] == "parameter"
    assert kinds["w1·x1"] == "operation"
    assert kinds["y"] == "output"


def test_a_label_says_nothing_about_what_is_a_parameter() -> None:
    kinds = {card.texts[0]: card.kind for card in Picture(draw(neuron())).cards}
    assert kinds["x1"] == kinds["w1"] == kinds["b"] == "leaf"
    weights = [[Value(0.5, f"W1[{i},{j}]") for j in range(3)] for i in range(2)]  # nin × nout
    xs = [Value(1.0, "x0"), Value(2.0, "x1")]
    hidden = [tanh(dot([row[j] for row in weights], xs)) for j in range(3)]
    picture = Picture(draw(sum_of(hidden)))
    assert picture.clusters == []
    assert {card.kind for card in picture.cards} == {"leaf", "operation", "output"}
    assert not [text for text in picture.texts if "Layer" in text or "parameter" in text]


@pytest.mark.parametrize("travel", [
    lambda model: model,
    copy.deepcopy,
    lambda model: pickle.loads(pickle.dumps(model)),
])  # fmt: skip
def test_layers_that_nn_made_are_known_wherever_they_went(travel) -> None:  # type: ignore[no-untyped-def]
    model = travel(MLP(2, [3, 1], seed=0))
    model.load_state(MLP(2, [3, 1], seed=1).state())
    picture = Picture(draw(model([Value(0.5, "x0"), Value(-0.3, "x1")]) ** 2))
    assert len(picture.clusters) == 2 + 4
    assert {card.texts[0]: card.kind for card in picture.cards}["W1[0,1]"] == "parameter"
    assert {card.texts[0]: card.kind for card in picture.cards}["x0"] == "input"
    assert "parameter" in picture.texts  # in the legend


def test_a_parameter_that_the_user_renamed_or_detached_has_no_frame() -> None:
    model = Neuron(2, seed=0)
    model.w[0].label = "mine"
    y = model([Value(1.0, "x0"), Value(2.0, "x1")]) * model.w[1].detach()
    picture = Picture(draw(y, collapse="none"))
    (frame,) = picture.clusters
    inside = [card.texts[0] for card in picture.cards if _within(card.box, frame)]
    assert inside == ["w[1]", "b"]
    assert [card.texts[0] for card in picture.cards].count("w[1]") == 2


def test_the_operation_is_a_badge() -> None:
    picture = Picture(draw(neuron()))
    assert picture.card("y").texts[-1] == "tanh"
    assert picture.card("w1·x1").texts[-1] == "×"
    assert "×" not in picture.card("w1").texts


def test_the_title_is_the_formula() -> None:
    assert "y = tanh(w1·x1 + w2·x2 + b)" in Picture(draw(neuron())).texts
    assert "mine" in Picture(draw(neuron(), title="mine")).texts


def test_a_network_is_titled_by_its_layers() -> None:
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    y = model([1.0, 2.0])
    value = f"{y.data:.2g}".replace("-", "−")
    loss = (y - 1.0) ** 2
    for root, title in (
        (y, f"MLP 2→3→1 = {value}"),
        (loss, f"pow of MLP 2→3→1 = {loss.data:.2g}"),
        ([y, loss], "MLP 2→3→1"),
    ):
        assert draw(root)._scene.title == title
    y.label, loss.label = "y", "loss"
    assert draw(y)._scene.title == f"y = MLP 2→3→1 = {value}"
    assert draw(loss)._scene.title == f"loss of MLP 2→3→1 = {loss.data:.2g}"
    assert "W1[0,0]" in draw(MLP(2, [1], seed=0)([1.0, 2.0]))._scene.title


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


def test_gradients_of_earlier_walks_are_not_shown_as_those_of_this_one() -> None:
    model = MLP(2, [2, 1], activation="tanh", seed=0)
    model.fit([[0.5, -1.0], [1.0, 2.0]], [0.3, -0.2], epochs=2, lr=0.1, engine="eager")
    assert any(p.grad for p in model.parameters())
    y = model([Value(0.5, "x0"), Value(-0.3, "x1")])
    for collapse in ("none", "neurons", "layers"):
        picture = Picture(draw(y, collapse=collapse))
        shown = [c.texts[c.texts.index("grad") + 1] for c in picture.cards if "grad" in c.texts]
        assert set(shown) <= {"–"}
        assert not any("sends back" in tip for tip in picture.edge_tips())
        assert "– no gradient yet: call backward()" in picture.texts
        assert any("gradients of an earlier walk" in text for text in picture.texts)
    tip = Picture(draw(y)).card("W1[0,0]").tip
    assert f"an earlier walk left {model.layers[0].neurons[0].w[0].grad!r} here" in tip


def test_a_note_says_that_gradients_hold_more_than_this_walk_sent() -> None:
    root = neuron()
    assert not any("elsewhere" in text for text in Picture(draw(root)).texts)
    root.backward()
    assert any("elsewhere" in text for text in Picture(draw(root)).texts)


def test_only_the_roots_that_were_walked_show_gradients() -> None:
    x, z = Value(2.0, "x"), Value(3.0, "z")
    a, b = x * x, z * z
    a.backward()
    picture = Picture(draw([a, b]))
    assert picture.card("x").texts[3] == "4"
    assert picture.card("z").texts[3] == "–"


def test_a_slope_of_0_sends_back_0_through_an_infinite_slope() -> None:
    x = Value(0.0, "x")
    y = x.sqrt() * 0.0
    y.backward()
    picture = Picture(draw(y))
    assert "sends back 0.0 = 0.0" in picture.edge_tips()[0]
    assert "nan" not in picture.text


def test_a_badge_names_no_operand() -> None:
    zs = [Value(float(i), f"z{i}") for i in range(3)]
    ps = sg.softmax(zs)
    badges = {card.texts[-1] for card in Picture(draw(ps)).cards if card.kind == "operation"}
    assert badges == {"e^(·−2)", "Σ"}
    assert Picture(draw(Value(2.0, "w").square())).cards[-1].texts[-1] == "·²"
    assert Picture(draw(abs(Value(2.0, "w")))).cards[-1].texts[-1] == "|·|"
    assert Picture(draw(sg.norm([Value(3.0), Value(4.0)]))).cards[-1].texts[-1] == "‖·‖"


def test_an_operation_that_has_no_public_name_is_written_as_its_symbol() -> None:
    x = Value(2.0, "x")
    p = sg.softmax([x, Value(1.0, "y")])[0]
    assert "(e^(x−2)) / (e^(x−2) + e^(y−2))" in Picture(draw(p)).texts
    assert not any("_exp" in card.tip for card in Picture(draw(p)).cards)


def test_a_made_name_is_never_one_that_the_user_gave() -> None:
    v1, v2 = Value(2.0, "v1"), Value(3.0, "v2")
    long = v1 * v2 * v1 * v2 + Value(1.0) * Value(2.0)
    named = Value(1.0, "v1·v2")
    names = [card.texts[0] for card in Picture(draw(long * named)).cards]
    assert len(names) == len(set(names))


def test_a_label_that_is_no_text_is_shown() -> None:
    x = Value(2.0)
    x.label = 3  # type: ignore[assignment]
    assert Picture(draw(x * x)).card("3").texts[1] == "2"
    assert len(Picture(draw(sum_of([x, *(Value(1.0) for _ in range(20))]))).cards) == 2


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


def test_a_number_of_two_operands_stands_in_the_card() -> None:
    w = Value(0.5, "w")
    for y, badge in (
        (w * 1.01, "× 1.01"), (2 * w, "× 2"), (w + 5.0, "+ 5"), (w - 1, "− 1"), (1 - w, "1 −"),
        (w / 2, "÷ 2"), (2 / w, "2 ÷"), (w**3, "** 3"), (2**w, "2 **"),
    ):  # fmt: skip
        scene = draw(y)._scene
        assert [card.badge for card in scene.cards] == ["", badge]
        assert [edge.pill[:1] in "×" for edge in scene.edges] == [True]
    assert Picture(draw(w * 1.01)).cards[-1].texts[-1] == "× 1.01"


def test_inputs_that_are_plain_numbers_are_drawn_once() -> None:
    y = MLP(3, [2, 1], seed=0)([0.5, -0.25, 0.5])
    for collapse, edges in (("none", 2 * 3), ("neurons", 2 * 3)):
        picture = Picture(draw(y, collapse=collapse))
        chips = [card for card in picture.cards if card.kind == "constant"]
        assert sorted(chip.texts[0] for chip in chips) == ["0.5", "0.5", "−0.25"]
        tips = picture.edge_tips()
        assert sum(tip.startswith(("0.5 →", "-0.25 →")) for tip in tips) == edges
    y = MLP(20, [2, 1], seed=0)([0.5] * 20)
    many = Picture(draw(y, collapse="neurons")).card("20 numbers")
    assert (many.kind, many.texts) == ("constant", ["20 numbers"])


def test_plain_numbers_are_chips_without_gradient() -> None:
    x = Value(3.0, "x")
    picture = Picture(draw(sg.maximum(2.0, x) * sg.minimum(x, 5.0)))
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
    layer = Layer(2, 1, bias=False, number=1, seed=0)
    penalty = sum_of([w * w for w in layer.parameters()])
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


def test_several_roots_stand_in_their_order() -> None:
    x = Value(2.0, "x")
    roots = [x * 2.0, exp(x), x + 1.0, x - 3.0]
    names = ["x·2", "exp(x)", "x + 1", "x − 3"]
    picture = Picture(draw(roots))
    assert sorted(names, key=lambda name: picture.card(name).box[1]) == names
    picture = Picture(draw(roots, direction="down"))
    assert sorted(names, key=lambda name: picture.card(name).box[0]) == names


def test_inputs_and_roots_stand_in_their_order() -> None:
    for down in (0, 1):
        way = ("right", "down")[down]
        zs = [Value(0.1 * i, f"z{i}") for i in range(3)]
        ps = sg.softmax(zs)
        loss = -sg.log(ps[1])
        a, b = Value(2.0, "a"), Value(3.0, "b")
        for root in (loss, ps, [a * b, a + b, a - b]):
            cards = Picture(draw(root, direction=way)).cards
            for kind in ("leaf", "output"):
                found = [c for c in cards if c.kind == kind]
                if kind == "leaf":
                    found.sort(key=lambda card: card.texts[0])
                places = [card.box[1 - down] for card in found]
                assert places == sorted(places), (way, kind)


def test_a_slope_stands_on_its_edge() -> None:
    for direction in ("right", "down"):
        drawing = draw(neuron(), direction=direction)
        picture = Picture(drawing)
        paths = {edge.findtext(f"{SVG}title"): edge[1].get("d", "") for edge in picture.edges}
        for pill in picture.pills:
            left, top, right, bottom = box(pill.find(f"{SVG}rect"))  # type: ignore[arg-type]
            numbers = [
                float(x) for x in re.findall(r"-?[\d.]+", paths[pill.findtext(f"{SVG}title")])
            ]
            points = list(zip(numbers[::2], numbers[1::2], strict=True))
            assert any(left - 3 <= x <= right + 3 and top - 3 <= y <= bottom + 3 for x, y in points)
