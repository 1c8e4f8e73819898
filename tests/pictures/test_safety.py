"""Text of users is data; the same graph gives the same bytes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scalargrad import Value, draw
from tests.pictures.reading import SVG, Picture, network, neuron

HOSTILE = [
    "<script>alert(1)</script>", '"><svg onload="x">', "a & b", "&lt;", "]]>", "'quoted'", "back\\slash", "\\N\\G", "n0:port",
    "line\nbreak", "tab\t", "nul\x00", "bell\x07", "escape\x1b[31m", "right\u202eto left", "isolate\u2066x\u2069", "lone \ud800",
    "not a character \uffff", "separator\u2028", "} digraph {", "<b>bold</b>", "{{record|<f0>}}", "x[0,0]<x>", "é漢字🙂",
]  # fmt: skip


@pytest.mark.parametrize("label", HOSTILE, ids=ascii)
def test_a_hostile_label_is_text_and_nothing_else(label: str) -> None:
    x = Value(2.0, label)
    y = x * 3.0
    y.backward()
    harmless = "x\nx" if "\n" in label else "x"
    plain = Picture(draw(_labelled(harmless), title=harmless))
    drawing = draw(y, title=label)
    picture = Picture(drawing)  # it parses
    drawing.svg.encode()  # it has no lone surrogate
    assert _skeleton(picture.root) == _skeleton(plain.root)
    for element in picture.root.iter():
        for name, content in element.attrib.items():
            assert re.fullmatch(r"[\w\s.,#:/()'%-]*", content), (name, content)
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u2028\ud800-\udfff\uffff]",
        drawing.svg + drawing.dot,
    )


def _labelled(label: str) -> Value:
    y = Value(2.0, label) * 3.0
    y.backward()
    return y


def _skeleton(root: ElementTree.Element) -> list[tuple[str, str]]:
    return [(element.tag, element.get("class", "")) for element in root.iter()]


def test_a_harmless_label_is_shown_as_it_is() -> None:
    for label in ("w₁·x₁", "a & b", "<b>", "é漢字", "'\"\\"):
        assert Picture(draw(Value(1.0, label), title="t")).cards[0].texts[0] == label


def test_what_is_not_seen_is_replaced_by_a_mark() -> None:
    assert (
        Picture(draw(Value(1.0, "a\x00b\u202ec\ud800d"), title="t")).cards[0].texts[0] == "a�b�c�d"
    )


def test_a_label_of_two_lines_is_shown_in_two() -> None:
    one, two = (
        Picture(draw(Value(1.0, label))).cards[0] for label in ("one two", "one\n\ntwo\r\n")
    )
    assert one.texts[0] == "one two"
    assert two.texts[:3] == ["one", "two", "1"]
    assert two.tip.startswith("one")
    assert Picture(draw(Value(1.0, "x\n" * 1000))).cards[0].texts[:5] == [*"xxx", "x …", "1"]


def test_a_long_label_is_cut_on_the_card_and_whole_in_the_tooltip() -> None:
    for label in ("a rather long name that no card has room for, " * 4, "no_spaces" * 9):
        card = Picture(draw(Value(1.0, label))).cards[0]
        names = card.texts[: card.texts.index("1")]
        assert len(names) <= 4
        assert names[-1].endswith("…")
        assert label.startswith(" ".join(names)[:-1].strip())
        assert card.tip.startswith(label.strip())


def test_an_endless_label_does_not_make_an_endless_picture() -> None:
    assert len(draw(Value(1.0, "x" * 100_000)).svg) < 20_000


def test_user_text_is_in_text_and_title_alone() -> None:
    svg = draw(Value(1.0, "zebra") * 2.0, title="zebra crossing").svg
    root = ElementTree.fromstring(svg)
    owners = {
        element.tag.removeprefix(SVG) for element in root.iter() if "zebra" in (element.text or "")
    }
    assert owners == {"text", "title"}


def test_dot_text_keeps_labels_in_their_quotes() -> None:
    dot = draw(Value(1.0, 'say "hi" \\ {') * 2.0).dot
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", dot)
    assert "say" not in outside
    assert outside.count("{") == outside.count("}") == 1
    assert re.findall(r"^  (\w+) \[", outside, re.M) == [
        "graph",
        "node",
        "edge",
        "n0",
        "n1",
        "e0",
    ]


def test_dot_text_has_ids_boxes_and_a_tooltip_for_every_node() -> None:
    dot = draw(neuron()).dot
    nodes = re.findall(r"^  (n\d+) \[(.*)\]$", dot, re.M)
    assert [name for name, _ in nodes] == [f"n{i}" for i in range(10)]
    assert all(
        "tooltip=" in attributes and "width=" in attributes and "height=" in attributes
        for _, attributes in nodes
    )


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert draw(network()).svg == draw(network()).svg
    assert draw(network()).dot == draw(network()).dot


def test_the_same_graph_gives_the_same_bytes_in_another_process() -> None:
    program = "from tests.pictures.reading import network; from scalargrad import draw; print(ascii(draw(network()).svg))"
    root = Path(__file__).parents[2]
    printed = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", program]
        printed.append(
            subprocess.run(
                command, cwd=root, env=environment, capture_output=True, text=True, check=True
            ).stdout
        )
    assert printed[0] == printed[1]
    assert printed[0].strip() == ascii(draw(network()).svg)


def test_a_different_graph_has_different_ids_for_its_title() -> None:
    ids = [re.search(r'aria-labelledby="(\w+) ', draw(root).svg) for root in (neuron(), network())]
    assert ids[0] is not None
    assert ids[1] is not None
    assert ids[0][1] != ids[1][1]
