"""Lines of source out of steps: parentheses where they must stand, nothing that nobody reads."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from scalargrad.compiler.derive import DerivedSteps
from scalargrad.compiler.emitters.python_lines import AFTER, INSIDE, TERMS, WIDTH, Lines
from scalargrad.compiler.lower import LIST, MULTIPLY, NEGATE, OVER_ROWS, SUM, line_of
from scalargrad.compiler.naming import Names
from scalargrad.compiler.program import Block, Program

TEXTS = (
    "x + y", "x - y", "x * y", "x / y", "-x", "abs(x)", "x if y > z else z",
    "x if x < y and not x > z or z == y else -y", "x + y * z", "(x + y) * z", "x - (y - z)",
    "max(x, y if z > 0.0 else 2.0)", "[x, -y, z][1]", "-x * y", "(x, y)[0]", "-(x - y)",
)  # fmt: skip


class Made:
    """Steps in the making: numbers a, b, c, …, some of which may be others in each row."""

    def __init__(self, names: str = "abc", varying: str = "") -> None:
        blocks = [Block(name, (), has_rows=name in varying) for name in names]
        self.inputs = [block.inputs[0] for block in blocks]
        self.derived = DerivedSteps(Program(blocks, []))

    def put(self, text: str, *operands: Any) -> Any:
        return self.derived.put(line_of(text), operands)

    def lines(self, **sums: str) -> Lines:
        """The lines; `sums` are names of sums over rows, in their order."""
        over = [step for step in self.derived.steps if step.op is OVER_ROWS]
        names = Names(x.block.name for x in self.inputs)
        lines = Lines(self.derived, self.inputs, names, dict(zip(over, sums)))
        for x in self.inputs:
            lines.at[x].text = x.block.name
        return lines

    def written(self, text: str, *read: Any) -> list[str]:
        """The lines of a statement, where there are no rows."""
        lines = self.lines()
        lines.say(text, read)
        return lines.written()[0]


@pytest.mark.parametrize("seed", range(40))
def test_parentheses_stand_where_they_must(seed: int) -> None:
    rng, made = random.Random(seed + 100), Made()
    steps = [*made.inputs, made.derived.constant(-0.5)]
    whole = ["a", "b", "c", "-0.5"]
    for _ in range(7):
        text = rng.choice(TEXTS)
        line = line_of(text)
        picked = [rng.randrange(max(0, len(steps) - 5), len(steps)) for _ in line.operands]
        steps.append(made.put(text, *[steps[k] for k in picked]))
        texts = {name: whole[k] for name, k in zip(line.operands, picked)}
        spelled = re.sub(r"\b[xyz]\b", lambda found, texts=texts: texts[found[0]], text)
        whole.append(f"({spelled})")
    names: dict[str, Any] = {"a": 0.75, "b": -1.5, "c": 0.3}
    exec("\n".join(made.written("result = %s", steps[-1])), names)
    assert names["result"] == eval(whole[-1], {"a": 0.75, "b": -1.5, "c": 0.3})


def test_there_are_no_parentheses_where_none_are_needed() -> None:
    made = Made()
    a, b, c = made.inputs
    total = made.put("x + y", made.put("x * y", a, b), c)
    difference = made.put("x - y", total, made.put("x * y", b, c))
    assert made.written("return %s", difference) == ["return a * b + c - b * c"]


def test_what_is_read_once_is_nested_and_what_is_read_twice_is_named() -> None:
    made = Made()
    square = made.put("x * y", made.inputs[0], made.inputs[0])
    made.put("exp(x)", square)  # nobody reads it
    written = made.written("return %s / (1.0 + %s)", square, square)
    assert written == ["v1 = a * a", "return v1 / (1.0 + v1)"]


def test_nothing_is_written_that_nobody_reads() -> None:
    made = Made()
    x = made.inputs[0]
    for _ in range(3):
        x = made.put("exp(x)", x)
    assert made.written("return 0.0") == ["return 0.0"]


def test_an_expression_is_no_longer_than_it_may_be() -> None:
    made = Made()
    x = made.inputs[0]
    for _ in range(500):
        x = made.put("(x + y) * y", x, made.inputs[0])
    written = made.written("return %s", x)
    assert len(written) > 20
    assert max(map(len, written)) < 1.5 * WIDTH


def test_a_chain_of_signs_does_not_nest_too_deep_for_the_parser() -> None:
    made = Made("x")
    x = made.inputs[0]
    for _ in range(5000):
        x = made.derived.put(NEGATE, (x,))
    names = {"x": 3.0}
    exec("\n".join(made.written("result = %s", x)), names)
    assert names["result"] == 3.0


def test_a_long_sum_goes_on_under_its_name() -> None:
    count = 2 * TERMS + 2
    block = Block("x", (count,))
    derived = DerivedSteps(Program([block], []))
    total = derived.put(SUM, tuple(block.inputs), "total_of_them")
    lines = Lines(derived, block.inputs, Names())
    for i, x in enumerate(block.inputs):
        lines.at[x].text = f"x{i}"
    lines.say("return %s + %s", [total, total])
    first, second, third, last = lines.written()[0]
    assert first.startswith("v1 = x0 + x1 + ")
    assert second.startswith(f"v1 = v1 + x{TERMS + 1} + ")
    assert third == f"v1 = v1 + x{count - 1}"
    assert last == "return v1 + v1"


def test_a_sum_of_one_is_that_one_and_a_difference_has_a_minus() -> None:
    made = Made()
    a, b, c = made.inputs
    alone = made.derived.put(SUM, (a,))
    total = made.derived.put(SUM, (a, made.derived.put(NEGATE, (b,)), c))
    lines = made.lines()
    assert lines.at[alone] is lines.at[a]
    assert made.written("return %s", total) == ["return a - b + c"]


def test_what_does_not_vary_stands_before_the_loop_or_behind_it() -> None:
    made = Made("wx", varying="x")
    w, x = made.inputs
    fixed = made.put("x * y", w, w)
    over = made.derived.put(OVER_ROWS, (made.put("x * y", fixed, x),))
    waits = made.put("exp(x)", w)
    moved = made.put("x - y", waits, over)
    lines = made.lines(dw="")
    lines.say("w = %s", [moved], AFTER)
    lines.say("values.append(%s)", [x], INSIDE)
    assert lines.written() == (
        ["v1 = w * w"],
        ["dw += v1 * x", "values.append(x)"],
        ["w = exp(w) - dw"],
    )
    assert lines.sums == [("dw", 0)]


def test_lists_are_added_up_over_the_rows_number_by_number() -> None:
    made = Made("wx", varying="x")
    w, x = made.inputs
    listed = made.derived.put(LIST, (x, w))
    over = made.derived.put(OVER_ROWS, (listed,))
    lines = made.lines(dw="")
    lines.say("return %s", [over], AFTER)
    assert lines.sums == [("dw", 2)]
    _, inside, after = lines.written()
    assert inside == ["dw = [a + b for a, b in zip(dw, [x, w])]"]
    assert after == ["return dw"]


def test_a_name_stands_behind_a_share_and_a_number_on_the_right_of_a_comparison() -> None:
    made = Made()
    a, b, c = made.inputs
    share = made.put("0.0 if y == 0.0 else x * y", a, made.put("x - y", b, c))
    assert made.written("return %s", share)[-1].startswith("return 0.0 if ")
    slope = made.derived._product((a, made.put("exp(x)", b)))
    assert made.written("return %s", slope) == ["return exp(b) * a"]
    less = made.put("x < y", made.derived.constant(0.5), a)
    assert made.written("return %s", less) == ["return a > 0.5"]


def test_constants_are_literals_where_they_are_short_and_else_have_a_name() -> None:
    made = Made()
    lines = made.lines()
    short = (0.5, -2.0, 1e300, -0.0, float("inf"), float("-inf"), float("nan"))
    texts = ["0.5", "-2.0", "1e+300", "-0.0", "inf", "-inf", "nan"]
    assert [lines.number(x).text for x in short] == texts
    assert lines.number(1 / 3).text == lines.number(1 / 3).text == "k"
    assert lines.number(2 / 3).text == "k_2"
    assert lines.numbers == {"k": 1 / 3, "k_2": 2 / 3}


def test_factors_of_one_and_zeros_before_squares_are_left_out() -> None:
    made = Made()
    a, b, _ = made.inputs
    one, zero = made.derived.constant(1.0), made.derived.constant(0.0)
    for line, operands in (
        (MULTIPLY, (a, one)),
        (MULTIPLY, (one, a)),
        (line_of("x / y"), (a, one)),
    ):
        local = dict(zip(line.operands, operands))
        assert made.derived.line(line, local) is a
    square = made.put("x * y", b, b)
    assert made.written("return %s", made.derived.put(SUM, (zero, a, square))) == [
        "return a + b * b"
    ]
    assert made.written("return %s", made.derived.put(SUM, (zero, a))) == ["return 0.0 + a"]
