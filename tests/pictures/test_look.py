"""What can be measured of the look: contrast, room for text, nothing on top of anything."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import matplotlib
import pytest
from matplotlib.ft2font import FT2Font

from demos import draw_pictures
from scalargrad import MLP, Value, draw
from scalargrad.pictures.text import width
from scalargrad.pictures.theme import COLOURS, OUTLINES, TEXTS
from tests.pictures.reading import SVG, Picture, box, network, neuron, overlap

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
    with pytest.raises(ValueError, match="theme='black' is unknown: write one of 'light', 'dark'"):
        draw(neuron(), theme="black")


def test_a_picture_without_its_legend_says_the_rest() -> None:
    whole, bare = Picture(draw(neuron())), Picture(draw(neuron(), legend=False))
    assert [text for text in whole.texts if text not in bare.texts] == [
        "leaf", "operation", "output", "gradient, left −, right +", "×2  local slope",
        "thicker edge: more gradient flows back",
    ]  # fmt: skip
    assert [card.texts for card in bare.cards] == [card.texts for card in whole.cards]


def test_a_picture_without_gradients_shows_the_forward_pass() -> None:
    for root, collapse in ((neuron(), "none"), (network(), "neurons"), (network(), "layers")):
        whole = Picture(draw(root, collapse=collapse))
        bare = Picture(draw(root, collapse=collapse, grads=False))
        assert any("grad" in text for text in whole.texts)
        assert not [text for text in bare.texts if "grad" in text]
        assert not [card for card in bare.cards if card.bars]
        assert len({edge[1].get("stroke-width") for edge in bare.edges}) == 1
        assert [card.texts[:2] for card in bare.cards if card.kind == "input"] == [
            card.texts[:2] for card in whole.cards if card.kind == "input"
        ]
        assert bare.pill_texts() == whole.pill_texts()


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
}


def _shared() -> Value:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    c = (a + a) * b
    return c / (a - b) + c**2


@pytest.mark.parametrize("name", ROOTS)
def test_nothing_lies_on_anything(name: str) -> None:
    picture = Picture(ROOTS[name]())
    boxes = [card.box for card in picture.cards]
    boxes += [box(pill.find(f"{SVG}rect")) for pill in picture.pills]  # type: ignore[arg-type]
    assert len(boxes) > 4
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert not overlap(one, other)


@pytest.mark.parametrize("name", ROOTS)
def test_edges_go_round_the_cards(name: str) -> None:
    drawing = ROOTS[name]()
    picture, edges = Picture(drawing), drawing._scene.edges
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
    picture = Picture(ROOTS[name]())
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
    for group in Picture(ROOTS[name]()).root.iter(f"{SVG}g"):
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


@pytest.mark.parametrize(
    ("name", "picture"), [("neuron", draw_pictures.neuron), ("xor", draw_pictures.xor)]
)
def test_the_kept_pictures_are_those_that_the_script_draws(name: str, picture) -> None:  # type: ignore[no-untyped-def]
    kept = (Path(draw_pictures.__file__).parent / "pictures" / f"{name}.svg").read_text("utf-8")
    fresh = picture().svg

    def without_places(svg: str) -> list[str]:
        return re.findall(r"<(?:text|title|desc)[^>]*>([^<]*)<", svg)

    assert without_places(kept) == without_places(
        fresh
    )  # another Graphviz may place them a little otherwise


def test_the_script_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_pictures.main(tmp_path / "new")
    assert capsys.readouterr().out.split() == [
        str(tmp_path / "new" / name) for name in ("neuron.svg", "xor.svg")
    ]
    assert (tmp_path / "new" / "xor.svg").read_text("utf-8").startswith("<svg")
