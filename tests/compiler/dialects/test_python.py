"""Lines in Python mean what they say, raw and total."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from scalargrad.compiler.dialects.forms import NAME, Form
from scalargrad.compiler.dialects.python import form_of
from scalargrad.compiler.lower import SHARE, decided, line_of, lines
from scalargrad.compiler.naming import ITEM
from scalargrad.ops import OPS


def written(form: Form, names: tuple[str, ...]) -> Any:
    """A form with names at its places, as a tree."""
    return ast.dump(ast.parse(form.text % names))


@pytest.mark.parametrize("name", [op.name for op in OPS.values() if not op.is_composed])
def test_a_form_says_what_its_line_says(name: str) -> None:
    op = OPS[name]
    for _, line in (each for part in lines(op, op.operands) for each in part):
        form, places = form_of(line, False)
        names = tuple(line.operands[k] for k in places)
        if " for " not in line.text:
            assert written(form, names) == ast.dump(ast.parse(line.text))
        total, _ = form_of(line, True)
        assert total.text.count("divide(") == line.text.count(" / ")
        assert " / " not in total.text


def test_a_share_counts_for_nothing_where_arithmetic_is_total() -> None:
    assert form_of(SHARE, False)[0].text == "%s * %s"
    assert form_of(SHARE, True)[0].text == "0.0 if %s == 0.0 else %s * %s"


def test_a_place_in_a_comprehension_must_have_a_name() -> None:
    form, names = Form.read("[x / out for x in xs]", {"xs", "out", "x"}.__contains__)
    assert names == ("out", "xs")
    assert form.text == f"[{ITEM} / %s for {ITEM} in %s]"
    assert form.needs[0] == NAME
    assert form.holds
    assert line_of("[x / out for x in xs]").operands == ("out", "xs")


@pytest.mark.parametrize(
    ("text", "known", "left"),
    [
        (
            "2.0 * x if y == 2.0 else z if y > 3.0 and x < 1.0 else 0.0",
            4.0,
            "z if x < 1.0 else 0.0",
        ),
        ("0.0 if y == 0.0 and x == x else 1.0", 0.0, "0.0 if x == x else 1.0"),
        ("0.0 if y == 0.0 or x == x else 1.0", 1.0, "0.0 if x == x else 1.0"),
        ("0.0 if y == 0.0 else 1.0", float("nan"), "1.0"),
        ("x if not y < -4.0 else 0.0 if not x < y else 1.0", 2.0, "x"),
    ],
)
def test_the_choices_that_a_known_number_decides_are_made(
    text: str, known: float, left: str
) -> None:
    line = line_of(text)
    assert line.asked >= {"y"}
    assert decided(line, (("y", known),)).text == left
