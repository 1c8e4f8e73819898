"""The look, as far as it can be measured: contrast, room for text, nothing on top of anything."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.ft2font import FT2Font

from demos import draw_pictures
from scalargrad import MLP, Drawing, Value, draw, exp, log, tanh
from scalargrad import sum as sum_of
from scalargrad.pictures.text import width
from scalargrad.pictures.theme import COLOURS, OUTLINES, TEXTS
from tests.pictures.reading import SVG, Card, Picture, box, network, neuron, overlap

COLOUR = {(selector, what): (light, dark) for selector, what, light, dark in COLOURS}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_measured_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: int) -> None:
    for text, grounds in TEXTS.items():
        for ground in grounds:
            ratio = contrast(COLOUR[text, "fill"][scheme], COLOUR[ground, "fill"][scheme])
            assert ratio >= 4.5, (text, ground, ratio)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_bars_edges_and_outlines_stand_out(scheme: int) -> None:
    grounds = {".pos .bar": ".card", ".neg .bar": ".card"}
    for mark, ground in grounds.items():
        assert contrast(COLOUR[mark, "fill"][scheme], COLOUR[ground, "fill"][scheme]) >= 3
    for kind in (
        ".card",
        ".input .card",
        ".parameter .card",
        ".output .card",
        ".constant .card",
        ".edge path",
    ):
        assert contrast(COLOUR[kind, "stroke"][scheme], COLOUR[".bg", "fill"][scheme]) >= 3


def test_every_text_of_a_picture_has_a_colour_that_is_tested() -> None:
    classes = {
        t.get("class", "")
        for drawing in (draw(neuron()), draw(network()))
        for t in Picture(drawing).root.iter(f"{SVG}text")
    }
    known = {selector.removeprefix("text").removeprefix(".") for selector in TEXTS}
    assert all(known.intersection(name.split()) for name in classes)


def test_kinds_differ_by_more_than_colour() -> None:
    assert (
        len({OUTLINES[kind] for kind in ("input", "parameter", "operation", "output", "constant")})
        == 5
    )


def test_a_picture_has_its_ground_and_both_schemes() -> None:
    svg = draw(neuron()).svg
    assert '<rect class="bg"' in svg
    assert "@media (prefers-color-scheme:dark)" in svg
    for light, dark in COLOUR.values():
        assert light in svg
        assert dark in svg


def test_a_theme_has_the_colours_of_its_own_alone() -> None:
    for theme, own, other in (("light", 0, 1), ("dark", 1, 0)):
        svg = draw(neuron(), theme=theme).svg
        assert "prefers-color-scheme" not in svg
        colours = {pair[own] for pair in COLOUR.values()}
        assert all(pair[own] in svg for pair in COLOUR.values())
        assert not [
            pair for pair in COLOUR.values() if pair[other] in svg and pair[other] not in colours
        ]
    assert draw(MLP(2, [1], seed=0), theme="dark").svg.count("#0d1420") == 1
    with pytest.raises(ValueError, match="theme='black' is none of 'light', 'dark'"):
        draw(neuron(), theme="black")


def test_a_picture_without_its_legend_says_the_rest() -> None:
    whole, bare = Picture(draw(neuron())), Picture(draw(neuron(), legend=False))
    assert [text for text in whole.texts if text not in bare.texts] == [
        "leaf", "operation", "output", "gradient, left −, right +", "×2  local slope",
        "thicker edge: more gradient flows back",
    ]  # fmt: skip
    assert [card.texts for card in bare.cards] == [card.texts for card in whole.cards]


def test_a_picture_without_gradients_shows_the_forward_pass() -> None:
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    loss = sum_of([(model([0.1 * i, 0.5]) - 1.0) ** 2 for i in range(3)])
    loss.backward()
    roots = [(neuron(), {}), (neuron(), {"expand_dots": True}), (loss, {}), (model, {})]
    roots += [(network(), {"collapse": way}) for way in ("none", "neurons", "layers")]
    roots += [(_network_of(2, 16, 1), {}), (sum_of(_squares(40)), {}), (_by_hand(), {})]
    for root, options in roots:
        whole, bare = Picture(draw(root, **options)), Picture(draw(root, grads=False, **options))
        words = "grad|slope|backward|∂|sends back"
        assert re.search(words, whole.text)
        assert not re.search(words, re.sub("<style>.*?</style>", "", bare.text, flags=re.DOTALL))
        assert not re.search(r"class=\"(bar|track|pos|neg)\"", bare.text)
        assert len({edge[1].get("stroke-width") for edge in bare.edges}) <= 1
        assert [card.texts[:2] for card in bare.cards if card.kind == "input"] == [
            card.texts[:2] for card in whole.cards if card.kind == "input"
        ]
    picture = Picture(draw(Value(3.0, "a") - Value(2.0, "b"), grads=False))
    assert picture.pill_texts() == ["①", "②"]  # the order of operands is not a gradient


def test_a_title_is_broken_into_lines_that_fit() -> None:
    def lines(title: str) -> list[str]:
        picture = Picture(draw(neuron(), title=title))
        return ["".join(t.itertext()) for t in picture.root.iter(f"{SVG}text")
                if t.get("class") == "heading"]  # fmt: skip

    assert lines("one\ntwo") == ["one", "two"]
    words = "a title of many words that is longer than its picture, " * 3
    assert " ".join(lines(words)) == words.strip()
    assert len(lines(words)) > 1
    assert lines("\n".join(f"line {i}" for i in range(12)))[-1] == "line 5 …"
    assert lines("x" * 500)[0][-1] == "…"
    assert lines(" ") == []
    assert repr(draw(neuron(), title="one\ntwo")) == "<Drawing of one two: 10 cards, 9 edges>"


def test_a_long_label_is_broken_into_lines() -> None:
    label = "the weight of the first connection in the second layer of the network"
    picture = Picture(draw(Value(1.0, label) * 3.0))
    shown = [text for text in picture.cards[0].texts if text in label]
    assert " ".join(shown) == label
    assert len(shown) > 2
    (card,) = Picture(draw(Value(1.0, "\n".join("abcdefgh")))).cards
    assert card.texts[:4] == ["a", "b", "c", "d …"]


def test_texts_are_never_wider_than_they_are_taken_to_be() -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name, bold in (("DejaVuSans.ttf", False), ("DejaVuSans-Bold.ttf", True)):
        font = FT2Font(str(folder / name))
        font.set_size(100.0, 72)
        for text in (
            "W1[0,0]",
            "−0.006606",
            "prediction − 1",
            "tanh(n)",
            "MMMM",
            "12,560 parameters",
            "v17",
            "‖grad‖",
            "×−0.188",
        ):
            font.set_text(text, 0.0)
            assert font.get_width_height()[0] / 64 <= width(text, 100.0, bold) * 1.03 + 4, text


def _network_of(*sizes: int) -> Value:
    model = MLP(sizes[0], [*sizes[1:]], activation="tanh", seed=1)
    found = model([Value(0.1 * i - 0.3, f"x{i}") for i in range(sizes[0])])
    y = found if isinstance(found, Value) else sum_of(found)
    y.backward()
    return y


def _squares(count: int) -> list[Value]:
    return [Value(float(i), f"x{i}") ** 2 for i in range(count)]


def _by_hand() -> Value:
    """A network of 6-6-6-1 in plain loops: 266 Values, of which most are alike."""
    values = [Value(0.1 * i, f"x{i}") for i in range(6)]
    for count in (6, 6, 1):
        sums = []
        for j in range(count):
            total = Value(0.1)
            for i, x in enumerate(values):
                total = total + Value(0.1 * i - 0.2 * j) * x
            sums.append(total)
        values = [tanh(z) for z in sums]
    values[0].backward()
    return values[0]


def _batch() -> Value:
    """The loss of a network on 20 rows: its neurons have 20 results each."""
    model = MLP(2, [9, 9, 1], activation="tanh", seed=0)
    loss = sum_of([(model([0.1 * i, 0.5]) - 1.0) ** 2 for i in range(20)])
    loss.backward()
    return loss


def _recurrent() -> Value:
    h, w = Value(0.1, "h0"), Value(0.5, "w")
    for step in range(5):
        h = tanh(w * h + Value(0.1 * step, f"x{step}"))
    return h


def _attention() -> Value:
    """A sum of three values, weighted by the softmax of two products each."""
    q, k, v = ([Value(0.3 * i - 0.4 * j, f"{n}{i}") for i in range(6)] for j, n in enumerate("qkv"))
    scores = [exp(q[2 * i] * k[2 * i] + q[2 * i + 1] * k[2 * i + 1]) for i in range(3)]
    total = sum_of(scores)
    loss = -log(sum_of([score / total * v[i] for i, score in enumerate(scores)]) ** 2)
    loss.backward()
    return loss


ODD = ["dense\nweight", "x" * 200, "重み", "وزن", "🎯", "a label of many words that is too long"]
ROOTS = {
    "neuron": lambda: draw(neuron()),
    "not run": lambda: draw(neuron(backward=False)),
    "network": lambda: draw(network()),
    "neurons": lambda: draw(network(), collapse="neurons"),
    "layers": lambda: draw(network(), collapse="layers"),
    "down": lambda: draw(network(), direction="down"),
    "expanded": lambda: draw(network(), expand_dots=True),
    "shared": lambda: draw(_shared()),
    "model": lambda: draw(MLP(784, [16, 16, 10], activation="tanh", seed=0)),
    "2-16-16-1": lambda: draw(_network_of(2, 16, 16, 1)),
    "wide down": lambda: draw(_network_of(2, 16, 1), direction="down"),
    "40-12-9-3": lambda: draw(_network_of(40, 12, 9, 3), collapse="neurons"),
    "by hand": lambda: draw(_by_hand()),
    "batch": lambda: draw(_batch()),
    "recurrent": lambda: draw(_recurrent()),
    "attention": lambda: draw(_attention()),
    "folded": lambda: draw(sum_of(_squares(40))),
    "odd labels": lambda: draw(sum_of([Value(1e-9 * i, x) * -3e7 for i, x in enumerate(ODD)])),
    "no grads": lambda: draw(_network_of(3, 4, 1), grads=False),
    "not finite": lambda: draw(Value(float("nan"), "a") * Value(float("inf"), "b") - 1e300),
    "a leaf": lambda: draw(Value(1.0)),
    "apart": lambda: draw([Value(1.0, "a"), Value(2.0, "b") * 3.0, Value(3.0, "c").exp()]),
    "titled": lambda: draw(neuron(), title="a\nlong title, " * 30),
}
drawn = cache(lambda name: ROOTS[name]())


def _shared() -> Value:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    c = (a + a) * b
    return c / (a - b) + c**2


@pytest.mark.parametrize("name", ROOTS)
def test_nothing_lies_on_anything(name: str) -> None:
    picture = Picture(drawn(name))
    boxes = [card.box for card in picture.cards]
    boxes += [box(pill.find(f"{SVG}rect")) for pill in picture.pills]  # type: ignore[arg-type]
    assert boxes
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert not overlap(one, other)


@pytest.mark.parametrize("name", ROOTS)
def test_the_cards_of_a_column_have_one_width(name: str) -> None:
    picture = Picture(drawn(name))
    is_downward = drawn(name)._scene.downward
    columns: dict[float, set[tuple[float, float]]] = {}
    for left, top, right, bottom in (card.box for card in picture.cards):
        middle, sides = (left + right) / 2, (left, right)
        if is_downward:  # a row, whose cards are as wide as each other
            middle, sides = (top + bottom) / 2, (0.0, round(right - left, 1))
        columns.setdefault(round(middle), set()).add(sides)
    assert all(len(sides) == 1 for sides in columns.values())


@pytest.mark.parametrize("name", ROOTS)
def test_inputs_stand_at_the_left(name: str) -> None:
    picture = Picture(drawn(name))
    side = 1 if drawn(name)._scene.downward else 0
    inputs = [card.box[side] for card in picture.cards if card.kind in ("input", "leaf")]
    assert all(place <= min(card.box[side] for card in picture.cards) for place in inputs)


@pytest.mark.parametrize("name", ROOTS)
def test_edges_lead_from_card_to_card(name: str) -> None:
    picture, scene = Picture(drawn(name)), drawn(name)._scene
    cards = {card.id: card for card in picture.cards}
    lines = [edge for edge in scene.edges if edge.strength is not None]
    paths = [line for line in picture.lines if line.find(f"{SVG}path") is not None]
    assert len(paths) == len(lines)
    tips = [line.findtext(f"{SVG}title") for line in paths]
    pairs = list(zip(paths, (next(e for e in lines if e.tip == tip) for tip in tips)))
    pairs += zip(picture.edges, (edge for edge in scene.edges if edge.strength is None))
    for group, edge in pairs:
        numbers = [float(x) for x in re.findall(r"-?[\d.]+", group[1].get("d", ""))]
        assert touches(cards[edge.tail], numbers[0], numbers[1]), edge.tip
        (x, y), tip = numbers[-2:], group.find(f"{SVG}polygon")
        if tip is not None:  # the head of the arrow
            x, y = (float(x) for x in (tip.get("points") or "").split()[0].split(","))
        assert touches(cards[edge.head], x, y), edge.tip


def touches(card: Card, x: float, y: float) -> bool:
    """Whether a point is on the outline of a card, or of its badge or of the cards behind it."""
    shapes = [box(rect) for rect in card.outline if rect.get("class") in ("card", "badge")]
    return any(
        left - 2 <= x <= right + 2
        and top - 2 <= y <= bottom + 2
        and min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) <= 2
        for left, top, right, bottom in shapes
    )


@pytest.mark.parametrize("name", ROOTS)
def test_edges_go_round_the_cards(name: str) -> None:
    picture, edges = Picture(drawn(name)), drawn(name)._scene.edges
    edges = tuple(edge for edge in edges if edge.strength is None)
    assert len(picture.edges) == len(edges)
    for group, edge in zip(picture.edges, edges):
        for x, y in points_on(group[1].get("d", "")):
            for card in picture.cards:
                left, top, right, bottom = card.box
                inside = left + 1 < x < right - 1 and top + 1 < y < bottom - 1
                assert not inside or card.id in (edge.tail, edge.head), (card.texts, edge.tip)


def points_on(path: str) -> list[tuple[float, float]]:
    """Points on a path of cubic Bézier curves, by de Casteljau's construction."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
    corners = list(zip(numbers[::2], numbers[1::2]))
    found = []
    for first in range(0, len(corners) - 1, 3):
        for step in range(11):
            points, t = corners[first : first + 4], step / 10
            while len(points) > 1:
                points = [
                    (a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]))
                    for a, b in pairwise(points)
                ]
            found += points
    return found


@pytest.mark.parametrize("name", ROOTS)
def test_all_is_within_the_picture_and_its_card(name: str) -> None:
    picture = Picture(drawn(name))
    wide, high = (float(picture.root.get(side, "")) for side in ("width", "height"))
    for group in picture.root.iter(f"{SVG}g"):
        if (group.get("class") or "").startswith("node "):
            left, top, right, bottom = box(
                next(r for r in group.findall(f"{SVG}rect") if r.get("class") == "card")
            )
            for text in group.findall(f"{SVG}text"):
                if text.get("class") != "btext":
                    start, end = extent(text)
                    assert left < start
                    assert end < right
                    assert top < float(text.get("y", "")) < bottom
    for text in picture.root.findall(f"{SVG}text"):
        assert 0 < extent(text)[0] < extent(text)[1] < wide
        assert 0 < float(text.get("y", "")) < high


def extent(text) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    x, long = (
        float(text.get("x")),
        width(
            "".join(text.itertext()), float(text.get("font-size")), text.get("font-weight") == "600"
        ),
    )
    return {"end": (x - long, x), "middle": (x - long / 2, x + long / 2)}.get(
        text.get("text-anchor"), (x, x + long)
    )


@pytest.mark.parametrize("name", ROOTS)
def test_texts_of_a_card_do_not_touch(name: str) -> None:
    for group in Picture(drawn(name)).root.iter(f"{SVG}g"):
        if (group.get("class") or "").startswith("node "):
            texts = [text for text in group.findall(f"{SVG}text") if text.get("class") != "btext"]
            for i, one in enumerate(texts):
                for other in texts[:i]:
                    if one.get("y") == other.get("y"):
                        left, right = sorted((extent(one), extent(other)))
                        assert left[1] <= right[0], (
                            "".join(one.itertext()),
                            "".join(other.itertext()),
                        )


@pytest.mark.parametrize("make", draw_pictures.SHOWN)
def test_the_kept_pictures_are_those_that_the_script_draws(make: Callable[[], Drawing]) -> None:
    folder = Path(draw_pictures.__file__).parent / "pictures"
    kept = (folder / f"{make.__name__}.svg").read_text("utf-8")
    assert f"demos/pictures/{make.__name__}.svg" in Path("README.md").read_text("utf-8")

    def without_places(svg: str) -> list[str]:
        return re.findall(r"<(?:text|title|desc)[^>]*>([^<]*)<", svg)

    # another Graphviz may place them a little otherwise
    assert without_places(kept) == without_places(make().svg)


def test_the_script_draws_twelve_pictures_and_a_sheet_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len({make.__name__ for make in draw_pictures.PICTURES}) == 12
    some = (draw_pictures.neuron, draw_pictures.chain)
    monkeypatch.setattr(draw_pictures, "PICTURES", some)
    draw_pictures.main(tmp_path / "new")
    names = ("neuron.svg", "chain.svg", "contact_sheet.svg")
    assert capsys.readouterr().out.split() == [str(tmp_path / "new" / name) for name in names]
    root = ElementTree.parse(tmp_path / "new" / "contact_sheet.svg").getroot()
    images = [image.get("href", "") for image in root.iter(f"{SVG}image")]
    shown = [b64decode(image.partition("base64,")[2]).decode() for image in images]
    assert shown == [make(theme).svg for theme in ("light", "dark") for make in some]
    assert [t.text for t in root.iter(f"{SVG}text")] == ["neuron", "chain"] * 2
