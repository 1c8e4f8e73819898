"""The step-through page, in a headless Chromium: what it computes and says, by keyboard, in the dark, on a phone."""

from __future__ import annotations

import json
import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from scalargrad import MLP, Value, draw, explain, functions, tanh
from scalargrad.graph import ordered
from scalargrad.pictures.layout import Layout, Route
from scalargrad.pictures.page import Page
from scalargrad.pictures.scene import Scene
from scalargrad.wording import figure
from tests import programs
from tests.compiler.files import of_python_functions
from tests.pictures.browser import Browser
from tests.pictures.reading import network, neuron, overlap
from tests.pictures.test_safety import HOSTILE
from tests.random_graphs import recorded

# ------------------------------------------------------------------ reading a page


def opened(browser: Browser, root: Any, path: Path, **options: Any) -> Page:
    """The page of a graph, open in the browser; it asks for nothing and nothing goes wrong."""
    page = draw(root, **options).page(path)
    browser.open(path)
    assert browser.errors == []
    assert browser.requests == [path.as_uri()]
    return page


def said(browser: Browser, id: str = "step") -> list[str]:
    """The lines of an element, the heading first."""
    lines = f"[...document.getElementById({id!r}).children].map((line) => line.textContent)"
    return browser.evaluate(lines)  # type: ignore[no-any-return]


def text(browser: Browser, id: str) -> str:
    return browser.evaluate(f"document.getElementById({id!r}).textContent")  # type: ignore[no-any-return]


def set_to(browser: Browser, field: str, content: object) -> None:
    """Give a field this content, as if it were typed."""
    browser.evaluate(
        f"((field) => {{ field.value = {json.dumps(str(content))};"
        "for (const type of ['input', 'change']) field.dispatchEvent(new Event(type)); })"
        f"(document.querySelector({field!r}))"
    )


def click(browser: Browser, selector: str) -> None:
    browser.evaluate(f"document.querySelector({selector!r}).click()")


def step(browser: Browser, at: int) -> list[str]:
    """Move the slider; the lines that the step says."""
    set_to(browser, "#slider", at)
    return said(browser)


# ------------------------------------------------------------------ the numbers

# Loads a page into a frame that is not shown, which saves the time to paint it.
IN_FRAME = """
(html) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.srcdoc = html;
  frame.onload = () => done(true);
  document.body.replaceChildren(frame);
})
"""
# Gives the leaves these numbers, then reads what each step says and the numbers in it, all digits.
READ_STEPS = """
((document, numbers) => {
  document.querySelectorAll("#leaves input").forEach((field, i) => {
    if (!numbers) return;
    field.value = numbers[i];
    field.dispatchEvent(new Event("change"));
  });
  const slider = document.getElementById("slider"), steps = [];
  for (let at = 1; at <= Number(slider.max); at++) {
    slider.value = at;
    slider.dispatchEvent(new Event("input"));
    const lines = [...document.querySelectorAll("#step p")];
    steps.push(lines.map((line) => [...line.querySelectorAll("data")].map((data) => data.value)));
  }
  return steps;
})
"""


def heaped(scene: Scene, dot: str, timeout: float) -> Layout:
    """A layout with everything at one place, which takes no time."""
    boxes = {card.id: (0.0, 0.0, 120.0, 60.0) for card in scene.cards}
    route = Route(((0.0, 0.0),) * 4, (1.0, 1.0), (0.0, 0.0))
    return Layout(120.0, 60.0, boxes, (route,) * len(scene.edges), ())


def expected_steps(root: Value) -> Iterator[list[list[float]]]:
    """The numbers that steps end with, after `backward`: the result forward; gradient and shares backward."""
    for value in root.graph():
        yield [[value.data]]
    for value in reversed(ordered(root, last_first=True)):
        yield [[value.grad]] + [
            [slope, value.grad, slope * value.grad]
            for operand, slope in zip(value.parents, value.partials, strict=True)
            if isinstance(operand, Value) and slope is not None and value.grad != 0.0
        ]


def listed_leaves(root: Value) -> list[Value]:
    """The leaves as the page lists them: those first that are most operations from the output."""
    depth = dict.fromkeys(root.graph(), 0)
    for value in reversed(root.graph()):
        for x in value.parents:
            if isinstance(x, Value):
                depth[x] = max(depth[x], depth[value] + 1)
    return sorted((x for x in root.graph() if x.op is None), key=lambda x: -depth[x])


def check_steps(found: list[Any], root: Value, about: str, tolerance: float) -> None:
    """The numbers are Python's to within a tolerance, relative to them or to 1."""
    root.backward()
    expected = [*expected_steps(root)]
    assert len(found) == len(expected) == 2 * len(root.graph()), about
    for at, (lines, numbers) in enumerate(zip(found, expected, strict=True), 1):
        first, *others = [[float(x) for x in line] for line in lines if line]
        for ours, theirs in zip([first[-1:], *others], numbers, strict=True):
            for x, y in zip(ours, theirs, strict=True):
                near = math.isclose(x, y, rel_tol=tolerance, abs_tol=tolerance)
                assert near or (x != x and y != y), (about, at, lines, numbers)


def test_every_number_of_every_step_is_pythons_after_edited_leaves_too(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scalargrad.pictures.page.laid_out", heaped)
    browser.errors.clear()
    for seed in range(100):
        program = programs.draw(random.Random(seed))
        about = f"seed {seed}\n{programs.source(program)}"
        leaves, root = recorded(program)
        browser.evaluate(f"({IN_FRAME})({json.dumps(draw(root).page().html)})")
        read = f"{READ_STEPS}(frames[0].document"
        check_steps(browser.evaluate(f"{read})"), root, about, 0.0)
        edited = [0.75 * x + 0.125 for x in program.leaves]
        numbers = [edited[leaves.index(x)] for x in listed_leaves(root)]
        _, again = recorded(program._replace(leaves=tuple(edited)))
        check_steps(browser.evaluate(f"{read}, {json.dumps(numbers)})"), again, about, 1e-12)
    assert browser.errors == []


def test_numbers_are_rounded_as_in_python(browser: Browser, tmp_path: Path) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    rng = random.Random(0)
    numbers = [10.0 ** rng.uniform(-12, 12) * rng.choice((1, -1)) for _ in range(200)]
    numbers += [0.0, 1e-5, 1e-4, 123456.5, 1000.5, 1001.5, 10.125, 0.5, 99999.5, 1e22, 5e-324]
    numbers += [rng.randrange(10**7) / 2 for _ in range(200)]  # many a half
    for digits in (3, 4, 6):
        shown = browser.evaluate(f"{numbers}.map((x) => figure(x, {digits}))")
        assert shown == [figure(x, digits) for x in numbers]
    ends = browser.evaluate("[NaN, Infinity, -Infinity].map((x) => figure(x))")
    assert ends == [figure(x) for x in (math.nan, math.inf, -math.inf)]


def test_numbers_are_read_as_people_type_them(browser: Browser, tmp_path: Path) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    given = ["2", " −1,5 ", "1e-3", "+.5", "inf", "−∞", "NaN", "", "-", "two", "1.2.3", "__proto__"]
    read = browser.evaluate(f"{json.dumps(given)}.map((text) => String(typed(text)))")
    assert read == ["2", "-1.5", "0.001", "0.5", "Infinity", "-Infinity", "NaN"] + ["undefined"] * 5


# ------------------------------------------------------------------ what steps say


def test_steps_say_the_arithmetic(browser: Browser, tmp_path: Path) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    steps = [step(browser, at) for at in range(21)]
    assert steps[0][0] == "Start"
    assert steps[1] == ["Forward: leaf", "w1 = −3, a leaf"]
    assert steps[3] == ["Forward: ×", "w1·x1 = −3·2 = −6"]
    assert steps[9] == ["Forward: +", "v2 = v1 + b = −6 + 6.88137 = 0.881374"]
    assert steps[11] == [
        "Backward: tanh", "y.grad = 1: backward starts here", "v2.grad += 0.5 × 1 = 0.5",
    ]  # fmt: skip
    assert [line for lines in steps for line in lines if line.startswith("x1.grad +=")] == [
        "x1.grad += −3 × 0.5 = −1.5"
    ]
    assert ["Backward: leaf", "x1.grad = −1.5, the slope of y by x1"] in steps
    assert text(browser, "place") == "20 of 20"


def test_a_gradient_of_several_shares_shows_their_sum(browser: Browser, tmp_path: Path) -> None:
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    y = a * b + a * a
    y.label = "y"
    opened(browser, y, tmp_path / "page.html")
    lines = [line for at in range(1, 11) for line in step(browser, at)]
    assert "a.grad = −3 + 2 + 2 = 1, the slope of y by a" in lines
    assert "a·a = 2·2 = 4" in lines


def test_a_gradient_of_zero_passes_nothing_on(browser: Browser, tmp_path: Path) -> None:
    x = Value(-1.0, "x")
    y = (2.0 * x).relu() * 1.0
    y.label = "y"
    opened(browser, y, tmp_path / "page.html")
    lines = [line for at in range(1, 9) for line in step(browser, at)]
    assert "A gradient of 0 passes nothing on." in lines
    assert "x.grad = 0: no share comes to it" in lines


def test_edges_light_up_as_shares_flow_and_grow_with_them(browser: Browser, tmp_path: Path) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    lit = "document.querySelectorAll('.edge.now path').length"
    widths = "[...document.querySelectorAll('.edge path')].map((p) => Number(p.getAttribute('stroke-width')))"
    step(browser, 3)
    assert browser.evaluate(lit) == 2
    assert len({*browser.evaluate(widths)}) == 1  # nothing has flowed back yet
    step(browser, 13)
    assert browser.evaluate("document.querySelectorAll('.edge.now.back path').length") == 2
    step(browser, 20)
    # the shares, with x1's −1.5 the largest
    assert max(browser.evaluate(widths)) == pytest.approx(4.2)
    assert min(browser.evaluate(widths)) == pytest.approx(1.3)


def test_cards_show_numbers_when_they_are_computed(browser: Browser, tmp_path: Path) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    shown = (
        "[...document.querySelectorAll('.node')].map((card) => [card.querySelector('.name, .given').textContent, "
        "getComputedStyle(card.querySelector('.val')).visibility, card.querySelector('.num:not(.val)').textContent])"
    )
    step(browser, 3)
    first = {name: (seen, grad) for name, seen, grad in browser.evaluate(shown)}
    assert first["w1·x1"] == ("visible", "–")
    assert first["y"] == ("hidden", "–")
    step(browser, 11)  # y has sent its share to v2, and v2 none yet
    grads = {name: grad for name, _, grad in browser.evaluate(shown)}
    assert grads == {**dict.fromkeys(grads, "–"), "y": "1", "v2": "0.5"}
    step(browser, 20)
    last = {name: (seen, grad) for name, seen, grad in browser.evaluate(shown)}
    assert last["x1"] == ("visible", "−1.5")
    assert last["y"] == ("visible", "1")


def test_bars_begin_in_the_middle_and_their_side_shows_the_sign(
    browser: Browser, tmp_path: Path
) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    step(browser, 20)
    bars = browser.evaluate(
        "[...document.querySelectorAll('.node')].map((card) => [card.querySelector('text').textContent, "
        "...['.tick', '.bar'].map((at) => (b => [b.x, b.x + b.width])(card.querySelector(at).getBBox()))])"
    )
    ends = {name: (bar[0] - tick[0], bar[1] - tick[0]) for name, tick, bar in bars}
    assert ends["x1"][0] < -20.0  # −1.5, the largest
    assert ends["x1"][1] == pytest.approx(0.0, abs=0.2)
    assert ends["y"][0] == pytest.approx(0.0, abs=0.2)
    assert 10.0 < ends["y"][1] < -ends["x1"][0]
    assert ends["w2"] == pytest.approx((0.0, 0.0), abs=0.2)


def test_no_number_lies_on_another_text_after_an_edit(browser: Browser, tmp_path: Path) -> None:
    y = neuron(backward=False)
    opened(browser, y, tmp_path / "page.html")
    step(browser, 20)
    for place, number in enumerate(("-0.0001234", "123456", "1e-10", "-0.04321"), 1):
        set_to(browser, f"#leaves label:nth-child({place}) input", number)
    boxes = browser.evaluate(
        "[...document.querySelectorAll('.node')].map((card) => [...card.querySelectorAll('text')].map("
        "(t) => { const b = t.getBBox(); return [t.textContent, b.x, b.y + 4, b.x + b.width, b.y + b.height - 4]; }))"
    )
    for texts in boxes:
        for (a, *one), (b, *other) in combinations(texts, 2):
            assert not overlap(tuple(one), tuple(other)), (a, b)


def test_several_roots_are_walked_one_at_a_time(browser: Browser, tmp_path: Path) -> None:
    x = Value(3.0, "x")
    y, z = x * x, 5.0 * x
    y.label, z.label = "y", "z"
    page = opened(browser, [y, z], tmp_path / "page.html")
    assert "3 steps forward, 2 back" in repr(page)
    assert step(browser, 5)[1] == "x.grad = 3 + 3 = 6, the slope of y by x"
    set_to(browser, "#root", 1)
    assert step(browser, 5)[1] == "x.grad = 5, the slope of z by x"


def test_a_network_has_a_card_and_two_steps_for_each_value(
    browser: Browser, tmp_path: Path
) -> None:
    loss = network((3, 4, 4, 1))
    page = opened(browser, loss, tmp_path / "page.html", collapse="layers")
    count = len(loss.graph())
    assert browser.evaluate("document.querySelectorAll('.node:not(.constant)').length") == count
    assert f"{count} steps forward, {count} back" in repr(page)


# ------------------------------------------------------------------ paths


@pytest.mark.parametrize("seed", range(6))
def test_paths_are_those_of_explain(
    seed: int, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scalargrad.pictures.page.laid_out", heaped)
    rng = random.Random(seed)
    values = [Value(rng.uniform(0.5, 2.0), f"x{i}") for i in range(3)]
    for i in range(12):  # every Value has a label, so that the names are explain's too
        a, b = rng.choice(values), rng.choice(values[-3:])
        values.append(rng.choice((a * b, a + b, a - b, tanh(b))))
        values[-1].label = f"z{i}"
    opened(browser, root := values[-1], tmp_path / "page.html")
    for number, value in enumerate(root.graph()):
        set_to(browser, "#chosen", number)
        head, *rows = repr(explain(root, value, fold=False)).partition("\nwhere")[0].splitlines()
        assert text(browser, "paths").splitlines()[0] == head
        assert sorted(text(browser, "paths").splitlines()[1:]) == sorted(
            rows
        )  # equal ones first or last


def test_hovering_a_card_shows_its_paths(browser: Browser, tmp_path: Path) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    card = "[...document.querySelectorAll('.node')].find((c) => c.textContent.includes('x1'))"
    box = browser.evaluate(
        f"(b => [b.x + b.width / 2, b.y + b.height / 2])({card}.getBoundingClientRect())"
    )
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
    assert "y ← v2 ← v1 ← w1·x1 ← x1   0.5 × 1 × 1 × −3 = −1.5" in text(browser, "paths")
    assert browser.evaluate("document.querySelectorAll('.edge.on_path').length") == 4
    assert browser.evaluate("document.querySelectorAll('.node.on_path').length") == 5
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    assert browser.evaluate("document.querySelectorAll('.on_path').length") == 0


# ------------------------------------------------------------------ edited leaves


def test_a_field_holds_a_number_as_it_may_be_typed(browser: Browser, tmp_path: Path) -> None:
    numbers = [math.inf, -math.inf, math.nan, 1e-300, -0.1, 1e22]
    root = functions.sum([Value(x, f"x{i}") for i, x in enumerate(numbers)])
    opened(browser, root, tmp_path / "page.html")
    read = "[...document.querySelectorAll('#leaves input')].map((one) => String(typed(one.value)))"
    for _ in range(2):  # as recorded, and after the button that says so
        assert [float(x) for x in browser.evaluate(read)] == pytest.approx(numbers, nan_ok=True)
        click(browser, "#reset")


def test_leaves_are_listed_from_the_first_layer_on(browser: Browser, tmp_path: Path) -> None:
    x = [Value(1.0, "x1"), Value(2.0, "x2")]
    opened(browser, MLP(2, [2, 1], activation="tanh", seed=0)(x), tmp_path / "page.html")
    names = "[...document.querySelectorAll('#leaves label')].map((one) => one.textContent.trim())"
    assert browser.evaluate(names) == [
        "W1[0,0]", "W1[0,1]", "x1", "x2", "b1[0]", "W1[1,0]", "W1[1,1]", "b1[1]",
        "W2[0,0]", "W2[0,1]", "b2[0]",
    ]  # fmt: skip


def test_an_edited_leaf_changes_cards_and_slopes_and_reset_brings_them_back(
    browser: Browser, tmp_path: Path
) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    step(browser, 20)
    pills = "[...document.querySelectorAll('.pill + .ptext')].map((pill) => pill.textContent)"
    before = browser.evaluate(pills), said(browser)
    set_to(browser, "#leaves label:nth-child(2) input", "−4,5")  # x1, as people type it
    assert text(browser, "leaves_note").startswith("x1 = −4.5: y = 1")
    assert "×−4.5" in browser.evaluate(pills)
    set_to(browser, "#leaves label:nth-child(2) input", "four")
    assert text(browser, "leaves_note") == "x1 must be a number, such as −1.5."
    assert browser.evaluate("document.querySelectorAll('[aria-invalid=true]').length") == 1
    click(browser, "#reset")
    assert (browser.evaluate(pills), said(browser)) == before


def test_an_operation_of_python_functions_is_shown_and_not_computed(
    browser: Browser, tmp_path: Path
) -> None:
    with of_python_functions("ripple"):
        y = functions.ripple(Value(0.0, "x")) * 2.0  # type: ignore[attr-defined]
        opened(browser, y, tmp_path / "page.html")
    assert step(browser, 2)[1] == "ripple(x) = ripple(0) = 0"
    assert text(browser, "leaves_note").startswith("ripple is made of Python functions")
    assert browser.evaluate("document.querySelector('#leaves input').disabled")


# ------------------------------------------------------------------ the quiz


def asked(browser: Browser, answer: object) -> str:
    """The verdict on an answer; a right one is praised in the step itself."""
    browser.evaluate(f"document.getElementById('answer').value = {json.dumps(str(answer))}")
    click(browser, "#check")
    return text(browser, "verdict") or said(browser)[0]


def test_the_quiz_hides_gradients_until_they_are_found(browser: Browser, tmp_path: Path) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    click(browser, "#quiz")
    grads = "[...document.querySelectorAll('.node .num:not(.val)')].map((grad) => grad.textContent)"
    assert step(browser, 12) == [
        "Backward: +",
        "v2.grad = ?",
        "v1.grad += 1 × ? = ?",
        "b.grad += 1 × ? = ?",
    ]
    step(browser, 20)
    assert {*browser.evaluate(grads)} == {"1", "?"}
    assert "0.5" not in text(browser, "paths")
    assert not [tip for tip in browser.evaluate("[...document.querySelectorAll('.node title')].map((t) => t.textContent)") if "grad" in tip and not tip.startswith("y")]  # fmt: skip
    step(browser, 12)
    assert text(browser, "asked") == "v2.grad ="
    assert asked(browser, "0.5") == "0.5 is right."
    assert said(browser)[2:] == [
        "v2.grad = 0.5, from y",
        "v1.grad += 1 × 0.5 = ?",
        "b.grad += 1 × 0.5 = ?",
    ]
    assert "0.5" in browser.evaluate(grads)
    step(browser, 13)
    click(browser, "#show")
    assert said(browser)[0] == "This is how it is found:"
    click(browser, "#quiz")
    assert "?" not in browser.evaluate(grads)


UNEXPLAINED = "is wrong, and no mistake known here explains it"
SHARES = "Shares come from p, q, r: each is local slope × gradient."
# a.grad is 0.53 × 4.3 − 3.1 × 2.2 + 7 × 1, shares of 2.279, −6.82 and 7; {} is what `explain` says of the answer too
VERDICTS = [
    ("2.459", "{}."), ("2.4590", "{}."), ("−2.459", "{}."), ("77", "{}. " + SHARES),
    ("9.279", "{}: −3.1 × 2.2."), ("0.18", "{}: 0.53 × 4.3."), ("-4.541", "{}: 7 × 1."),
    ("16.099", "{}: −3.1 × 2.2."), ("9.459", "{}: 7 × 1."), ("11.479", "11.479 is the exact gradient with a constant factor left out: −3.1 × 2.2 is its share."),
    ("2.279", "2.279 is the exact gradient without the shares through q and r."),
    ("0.71", "0.71 is the exact gradient with the gradient of p left out: 0.53 × 4.3 is its share."),
    ("2.4605", "2.4605 is exact to 3 digits only."), ("2.6", "2.6 is exact to 1 digit only."),
    ("0", f"0 {UNEXPLAINED}. {SHARES}"), ("", "Type a number, such as −1.5."), ("x", "Type a number, such as −1.5."),
]  # fmt: skip


def test_the_quiz_says_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    a = Value(1.0, "a")
    p, q, r = 0.53 * a, -3.1 * a, 7.0 * a
    p.label, q.label, r.label = "p", "q", "r"
    y = 4.3 * p + 2.2 * q + r
    y.label = "y"
    opened(browser, y, tmp_path / "page.html")
    y.backward()
    assert a.grad == pytest.approx(2.459)
    at = [at for at in range(10, 19) if step(browser, at)[1].startswith("a.grad = ")]
    for answer, verdict in VERDICTS:
        if not browser.evaluate("document.getElementById('quiz').checked"):
            click(browser, "#quiz")
        step(browser, at[0])
        if "{}" in verdict:  # of mistakes that would give the same, the first is said
            found = explain(y, a, given=float(answer.replace("−", "-"))).diagnosis
            verdict = verdict.format(found.sentence.split(", or ")[0])
        assert asked(browser, answer) == verdict, answer
        if "is right" in verdict:
            click(browser, "#quiz")


# ------------------------------------------------------------------ for everyone


def test_the_keyboard_alone_suffices(browser: Browser, tmp_path: Path) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    browser.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft")
    assert text(browser, "place") == "2 of 20"
    browser.press("End", "ArrowLeft")
    assert text(browser, "place") == "19 of 20"
    held = {"key": "ArrowLeft", "windowsVirtualKeyCode": 37, "modifiers": 2}
    browser.ask("Input.dispatchKeyEvent", type="keyDown", **held)  # Ctrl+← is the browser's own
    assert text(browser, "place") == "19 of 20"
    browser.press("Home", " ")
    assert text(browser, "play") == "Pause"
    browser.press(" ")
    assert text(browser, "play") == "Play"
    reached = []
    for _ in range(20):
        browser.press("Tab")
        name = browser.evaluate(
            "(e => e.id || e.closest('label')?.textContent.trim() || e.textContent)(document.activeElement)"
        )
        reached.append(name)
        if name == "slider":
            browser.press("ArrowRight")
            assert text(browser, "place") == "1 of 20"
        if name == "x1":
            browser.press("ArrowLeft")  # moves the caret, not the walk
            assert text(browser, "place") == "1 of 20"
            browser.evaluate("document.activeElement.select()")
            browser.write("3")
            browser.press("Enter")
            assert text(browser, "leaves_note").startswith("x1 = 3: y = ")
    assert {
        "first",
        "back",
        "play",
        "on",
        "last",
        "slider",
        "quiz",
        "chosen",
        "w1",
        "x1",
        "reset",
    } <= {*reached}
    # the quiz: an answer, then on to the next question
    browser.evaluate("document.getElementById('quiz').focus()")
    browser.press(" ")
    step(browser, 12)
    while browser.evaluate("document.activeElement.id") != "answer":
        browser.press("Tab")
    browser.write("0.25")
    browser.press("Enter")
    assert (
        text(browser, "verdict") == "0.25 is wrong, and no mistake known here explains it. Shares "
        "come from y: each is local slope × gradient."
    )
    browser.evaluate("document.activeElement.select()")
    browser.write(browser.evaluate("String(step_node().grad)"))
    browser.press("Enter", "Enter")
    assert text(browser, "asked") == "v1.grad ="
    assert browser.evaluate("document.activeElement.id") == "answer"


def test_a_screen_reader_hears_each_step_and_every_control_has_a_name(
    browser: Browser, tmp_path: Path
) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    assert browser.evaluate("document.getElementById('step').getAttribute('aria-live')") == "polite"
    step(browser, 13)
    assert (
        browser.evaluate("document.getElementById('slider').getAttribute('aria-valuetext')")
        == "13 of 20, Backward: +"
    )
    nodes = browser.ask("Accessibility.getFullAXTree")["nodes"]
    controls = ("button", "slider", "checkbox", "textbox", "combobox", "image", "figure")
    named = [
        (node["role"]["value"], node["name"]["value"])
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in controls
    ]
    assert ("slider", "Step") in named
    assert ("textbox", "x1") in named
    assert ("button", "One step on") in named
    assert all(name for _, name in named), named
    assert len(named) >= 14


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_readable_in_light_and_dark(dark: bool, browser: Browser, tmp_path: Path) -> None:
    browser.look(1200, 800, dark=dark)
    opened(browser, neuron(), tmp_path / "page.html")
    for text_, back in (("#step", "body"), ("#leaves_note", "body"), ("#paths", "body"), ("#play", "#play"), ("#leaves input", "#leaves input")):  # fmt: skip
        colours = [
            browser.evaluate(f"getComputedStyle(document.querySelector({at!r})).{what}")
            for at, what in ((text_, "color"), (back, "backgroundColor"))
        ]
        low, high = sorted(map(luminance, colours))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text_, colours)
    assert (
        luminance(browser.evaluate("getComputedStyle(document.body).backgroundColor")) < 0.5
    ) == dark


def test_without_colours_the_current_card_and_the_flow_still_stand_out(
    browser: Browser, tmp_path: Path
) -> None:
    opened(browser, neuron(), tmp_path / "page.html")
    step(browser, 12)
    width = "parseFloat(getComputedStyle(document.querySelector('{} .card')).strokeWidth)"
    now, others = (browser.evaluate(width.format(at)) for at in (".node.now", ".node.leaf"))
    assert now >= 2 * others > 0
    assert (
        browser.evaluate(
            "getComputedStyle(document.querySelector('.edge.now path')).strokeDasharray"
        )
        != "none"
    )


def test_on_a_phone_nothing_sticks_out(browser: Browser, tmp_path: Path) -> None:
    browser.look(360, 740)
    opened(browser, network((3, 4, 1)), tmp_path / "page.html")
    for at in (0, 5, 40):
        step(browser, at)
        assert browser.evaluate("document.documentElement.scrollWidth") <= 360
    card = browser.evaluate(
        "(b => [b.left, b.right])(document.querySelector('.node.now').getBoundingClientRect())"
    )
    assert card[0] >= 0  # the graph scrolls to the card of the step
    assert card[1] <= 360
    size = browser.evaluate("document.getElementById('on').getBoundingClientRect().height")
    assert size >= 32  # a finger hits it
    browser.look(1200, 800)


# ------------------------------------------------------------------ text is text

WORSE = [
    "</script><img src=x onerror=hacked()>", "</title><script>hacked()</script>", "\u2028hacked()", "`${hacked()}`", "\\u003cscript>",
    '"; hacked(); "', "'+hacked()+'", "<!--<script>", "]]><script>hacked()</script>", "javascript:hacked()", "$title", "${script}", "\ue000\ue001",
    "<iframe srcdoc='<script>parent.hacked()</script>'>", "&lt;img onerror=hacked()&gt;", "__proto__",
]  # fmt: skip


def test_hostile_labels_run_nothing(browser: Browser, tmp_path: Path) -> None:
    labels = [*HOSTILE, *WORSE]
    leaves = [Value(1.0 + i, label) for i, label in enumerate(labels)]
    root = functions.sum([x * 2.0 for x in leaves])
    root.label = WORSE[0]
    page = opened(browser, root, tmp_path / "page.html", title=WORSE[1])
    plain = functions.sum([Value(1.0 + i, f"x{i}") * 2.0 for i in range(len(labels))])
    assert tags(page.html) == tags(draw(plain).page().html)  # no label is markup
    page.html.encode()
    click(browser, "#quiz")
    for at in range(0, browser.evaluate("Number(document.getElementById('slider').max)"), 20):
        step(browser, at)
        set_to(browser, "#chosen", at % len(labels))
    for i in range(1, 6):
        set_to(browser, f"#leaves label:nth-child({i}) input", WORSE[0])
        set_to(browser, f"#leaves label:nth-child({i}) input", "2")
    assert (
        browser.evaluate("document.querySelectorAll('img, iframe, script:not([id])').length") == 1
    )
    assert browser.evaluate("document.title") == WORSE[1]
    assert browser.errors == []
    assert browser.requests == [(tmp_path / "page.html").as_uri()]


def tags(html: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag != "text":  # a label with line breaks has several
                found.append(tag)

    Reader().feed(html)
    return found


def test_the_page_lets_no_other_script_run(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    html = draw(neuron()).page().html
    hostile = '<img src="data:," onerror="hacked = 1"><script>hacked = 1</script></header>'
    path.write_text(html.replace("</header>", hostile, 1), encoding="utf-8")
    browser.open(path)
    step(browser, 3)
    assert browser.evaluate("typeof hacked") == "undefined"
    assert text(browser, "place") == "3 of 20"


# ------------------------------------------------------------------ the file


def test_the_file_is_one_and_small_and_asks_for_nothing() -> None:
    loss = network((4, 7, 4, 1))
    page = draw(loss).page()
    assert len(page._scene.cards) >= 100
    assert len(page.html.encode()) <= 300_000
    assert {*re.findall(r"https?://[^\s\"'<]*", page.html)} == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<link|<img|\bsrc=|@import|url\(", page.html)


def test_the_same_graph_gives_the_same_bytes() -> None:
    code = "from tests.pictures.reading import neuron; from scalargrad import draw; print(draw(neuron()).page().html)"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1] == f"{draw(neuron()).page().html}\n".encode()


def test_page_saves_and_refuses_what_it_cannot(tmp_path: Path) -> None:
    page = draw(neuron(), title="a neuron").page(tmp_path / "n.html")
    assert (tmp_path / "n.html").read_text(encoding="utf-8") == page.html
    assert repr(page) == "<Page of a neuron: 10 steps forward, 10 back>"
    with pytest.raises(ValueError, match=r"saved as HTML, got 'n.svg': write 'n.html'"):
        page.save(tmp_path / "n.svg")
    with pytest.raises(FileNotFoundError, match="folder"):
        page.save(tmp_path / "no" / "n.html")
    with pytest.raises(TypeError, match=r"draw\(model\(x\)\)\.page"):
        draw(MLP(2, [2, 1], seed=0)).page()
    y = Value(1.0)
    for _ in range(500):
        y = (y + 1.0).sin()
    drawing = draw(y)
    with pytest.raises(ValueError, match=r"at most 500 Values, and the graph has 1,001"):
        drawing.page()


def test_a_page_has_the_theme_of_its_drawing_or_one_of_its_own() -> None:
    def ground(html: str) -> list[tuple[str, str]]:
        """Each condition with the ground of the picture and of the page that follow it."""
        return re.findall(r"@media ([^{]*)\{|(?:--back: ?|\.bg\{fill:)(#\w+)", html)

    light, dark = ("#fff", "#ffffff"), ("#0d1420", "#0d1420")
    drawing = draw(neuron(), theme="dark")
    for page, colours in (
        (drawing.page(), dark), (drawing.page(theme="light"), light), (draw(neuron()).page(), light),
    ):  # fmt: skip
        style = page.html.partition("<body>")[0]
        shown, condition = "", ""
        for media, colour in ground(style):
            condition = media.strip() or condition
            shown = colour if colour and condition in ("", "all") else shown
        assert shown == colours[0]
        assert f".sg .bg{{fill:{colours[1]}}}" in page.html
    assert "prefers-color-scheme" not in drawing.page().html
    assert "color-scheme: dark;" in drawing.page().html
    with pytest.raises(ValueError, match="theme='grey' is none of 'light'"):
        drawing.page(theme="grey")


def test_a_notebook_shows_the_page_in_a_frame(browser: Browser, tmp_path: Path) -> None:
    shown = draw(neuron()).page()._repr_html_()
    assert shown.startswith('<iframe title="y = tanh(')
    assert 'sandbox="allow-scripts"' in shown
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{shown}", encoding="utf-8")
    browser.open(path)
    browser.ask("Runtime.evaluate", expression="document.querySelector('iframe').focus()")
    browser.press("ArrowRight", "ArrowRight")
    assert browser.errors == []
    assert (
        browser.evaluate("document.querySelector('iframe').getBoundingClientRect().height") == 720
    )


def test_a_frame_that_may_not_submit_forms_has_a_quiz_too(browser: Browser, tmp_path: Path) -> None:
    shown = draw(neuron()).page()._repr_html_()
    # the test reads what stands in the frame, and so it must have the test's origin
    shown = shown.replace('"allow-scripts"', '"allow-scripts allow-same-origin"')
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{shown}", encoding="utf-8")
    browser.open(path)
    in_frame = "frames[0].document.getElementById('{}').{}"
    browser.evaluate(in_frame.format("quiz", "click()"))
    for _ in range(12):
        browser.evaluate(in_frame.format("on", "click()"))
    for keys in (["Enter"], ["Tab", " "]):  # in the field; on the button
        browser.evaluate(f"{in_frame.format('answer', 'value')} = '7'")
        browser.evaluate(in_frame.format("verdict", "replaceChildren()"))
        browser.evaluate(in_frame.format("answer", "focus()"))
        browser.press(*keys)
        said = browser.evaluate(in_frame.format("verdict", "textContent"))
        assert said.startswith("7 is wrong"), keys


def test_a_notebook_without_graphviz_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    page = draw(neuron()).page()

    def fail(*_: object) -> None:
        raise RuntimeError("no Graphviz <here>")

    monkeypatch.setattr("scalargrad.pictures.page.laid_out", fail)
    assert (
        page._repr_html_()
        == f"<pre>{repr(page).replace('<', '&lt;').replace('>', '&gt;')}\nno Graphviz &lt;here&gt;</pre>"
    )
