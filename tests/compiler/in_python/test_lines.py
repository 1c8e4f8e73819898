"""Lines of source out of expressions: parentheses where they must stand, short lines, nothing that nobody reads."""

from __future__ import annotations

import ast
import random
from typing import Any

import pytest

from scalargrad.compiler.forms import ITEM, NAME, Form, asks_about, template, with_known
from scalargrad.compiler.in_python.lines import TERMS, WIDTH, Lines
from scalargrad.compiler.layout import nested, pattern, sum_of, wrapped, zeros
from scalargrad.compiler.naming import Names
from scalargrad.ops import OPS

FORMS = [
    Form.read(text, {"x", "y", "z"})
    for text in ("x + y", "x - y", "x * y", "x / y", "-x", "abs(x)", "x if y > z else z", "x if x < y and not x > z or z == y else -y",
                 "x + y * z", "(x + y) * z", "x - (y - z)", "max(x, y if z > 0.0 else 2.0)", "[x, -y, z][1]",
                 "-x * y", "(x, y)[0]", "-(x - y)")
]  # fmt: skip


def drawn(
    rng: random.Random, lines: Lines, leaves: list[int], count: int
) -> tuple[list[int], list[str]]:
    """Expressions at random, and for each the same with parentheses everywhere."""
    made, whole = list(leaves), [lines.texts[i] for i in leaves]
    for _ in range(count):
        form, names = rng.choice(FORMS)
        pick = {name: rng.randrange(max(0, len(made) - 5), len(made)) for name in names}
        made.append(lines.put(form, [made[pick[name]] for name in names]))
        whole.append("(" + form.text % tuple(f"({whole[pick[name]]})" for name in names) + ")")
    return made, whole


@pytest.mark.parametrize("seed", range(40))
def test_parentheses_stand_where_they_must(seed: int) -> None:
    rng = random.Random(seed)
    lines = Lines(Names(["a", "b", "c"]))
    leaves = [lines.atom("a"), lines.atom("b"), lines.atom("c"), lines.number(-0.5)]
    made, whole = drawn(rng, lines, leaves, 7)
    lines.say(Form.line("result = %s"), [made[-1]])
    names: dict[str, Any] = {"a": 0.75, "b": -1.5, "c": 0.3}
    exec("\n".join(lines.written()[1]), names)
    assert names["result"] == eval(whole[-1], {"a": 0.75, "b": -1.5, "c": 0.3})


def test_there_are_no_parentheses_where_none_are_needed() -> None:
    lines = Lines(Names())
    a, b, c = map(lines.atom, "abc")
    times, plus, minus = (Form.read(text, {"x", "y"})[0] for text in ("x * y", "x + y", "x - y"))
    lines.say(
        Form.line("return %s"),
        [
            lines.put(
                minus, [lines.put(plus, [lines.put(times, [a, b]), c]), lines.put(times, [b, c])]
            )
        ],
    )
    assert lines.written()[1] == ["return a * b + c - b * c"]


def test_what_is_read_once_is_nested_and_what_is_read_twice_is_named() -> None:
    lines = Lines(Names())
    x = lines.atom("x")
    square = lines.put(Form.read("x * y", {"x", "y"})[0], [x, x])
    lines.put(Form.read("exp(x)", {"x"})[0], [square])  # nobody reads it
    lines.say(Form.line("return %s / (1.0 + %s)"), [square, square])
    assert lines.written()[1] == ["v1 = x * x", "return v1 / (1.0 + v1)"]


def test_nothing_is_written_that_nobody_reads() -> None:
    lines = Lines(Names())
    x = lines.atom("x")
    for _ in range(3):
        x = lines.put(Form.read("exp(x)", {"x"})[0], [x])
    lines.say(Form.line("return 0.0"), [])
    assert lines.written()[1] == ["return 0.0"]


def test_an_expression_is_no_longer_than_it_may_be() -> None:
    lines = Lines(Names())
    x = a = lines.atom("a")
    for _ in range(500):
        x = lines.put(Form.read("(x + y) * y", {"x", "y"})[0], [x, a, a])
    lines.say(Form.line("return %s"), [x])
    written = lines.written()[1]
    assert len(written) > 20
    assert max(map(len, written)) < 1.5 * WIDTH


def test_a_chain_of_signs_does_not_nest_too_deep_for_the_parser() -> None:
    lines = Lines(Names())
    x = lines.atom("x")
    for _ in range(5000):
        x = lines.put(Form.read("-x", {"x"})[0], [x])
    lines.say(Form.line("result = %s"), [x])
    names = {"x": 3.0}
    exec("\n".join(lines.written()[1]), names)
    assert names["result"] == 3.0


def test_a_long_sum_goes_on_under_its_name() -> None:
    lines = Lines(Names())
    terms = [lines.atom(f"x{i}") for i in range(2 * TERMS + 2)]
    lines.named.add(lines.added(terms, "total_of_them"))
    lines.say(Form.line("return %s"), [lines.added(terms, "total_of_them")])
    written = lines.written()[1]
    assert [line.partition(" = ")[0] for line in written[:-1]] == ["total_of_them"] * 2
    assert written[1].startswith("total_of_them = total_of_them + x")


def test_a_sum_of_one_is_that_one() -> None:
    lines = Lines(Names())
    x = lines.atom("x")
    assert lines.added([x]) == x
    assert lines.added([lines.one]) == lines.one


def test_what_does_not_vary_stands_before_the_loop() -> None:
    lines = Lines(Names())
    w, x = lines.atom("w"), lines.atom("x")
    lines.varying.add(x)
    times = Form.read("x * y", {"x", "y"})[0]
    fixed = lines.put(times, [w, w])
    lines.say(Form.line("total += %s"), [lines.put(times, [fixed, x])])
    assert lines.written() == (["v1 = w * w"], ["total += v1 * x"])


def test_multiplying_and_dividing_by_one_is_left_out() -> None:
    lines = Lines(Names())
    x = lines.atom("x")
    times, over = (Form.read(text, {"x", "y"})[0] for text in ("x * y", "x / y"))
    assert (
        lines.put(times, [x, lines.one])
        == lines.put(times, [lines.one, x])
        == lines.put(over, [x, lines.one])
        == x
    )
    assert lines.put(over, [lines.one, x]) != x
    assert lines.put(times, [lines.one, lines.one]) == lines.one


def test_constants_are_literals_where_they_are_short_and_else_have_a_name() -> None:
    lines = Lines(Names(["k1"]))
    assert [lines.texts[lines.number(x)] for x in (0.5, -2.0, 1e300, -0.0, float("inf"), float("-inf"), float("nan"))] == [
        "0.5", "-2.0", "1e+300", "-0.0", "inf", "-inf", "nan",
    ]  # fmt: skip
    assert lines.texts[lines.number(1 / 3)] == lines.texts[lines.number(1 / 3)] == "k"
    assert lines.texts[lines.number(2 / 3)] == "k_2"
    assert lines.numbers == {"k": 1 / 3, "k_2": 2 / 3}


def test_a_place_in_a_comprehension_must_have_a_name() -> None:
    form, names = Form.read("[x / out for x in xs]", {"xs", "out", "x"})
    assert names == ("out", "xs")
    assert form.text == f"[{ITEM} / %s for {ITEM} in %s]"
    assert form.needs[0] == NAME
    assert form.holds


def test_the_choices_of_a_row_that_a_known_number_decides_are_made() -> None:
    assert (
        with_known("2.0 * x if y == 2.0 else z if y > 3.0 and x < 1.0 else 0.0", {"y": 4.0})
        == "z if x < 1.0 else 0.0"
    )
    assert with_known("0.0 if x == 0.0 and y == y else 1.0", {"x": 0.0}) == "0.0 if y == y else 1.0"
    assert with_known("0.0 if x == 0.0 or y == y else 1.0", {"x": 1.0}) == "0.0 if y == y else 1.0"
    assert with_known("0.0 if x == 0.0 else 1.0", {"x": float("nan")}) == "1.0"


@pytest.mark.parametrize("name", [op.name for op in OPS.values() if not op.is_composed])
def test_a_template_says_what_its_row_says(name: str) -> None:
    op = OPS[name]
    made = template(op, op.operands, False)
    assert len(made.partials) == len(op.operands)
    places = {*range(len(op.operands) + len(made.forward) + len(made.slopes))}
    assert {k for _, _, reads in (*made.forward, *made.slopes) for k in reads} <= places
    assert asks_about(op) <= set(op.operands)


@pytest.mark.parametrize(
    "line",
    [
        "    z = " + " + ".join(f"W_{i} * (x_{i} + {i}.0)" for i in range(40)),
        "    (" + ", ".join(f"x_{i}" for i in range(60)) + ") = x",
        "    " + ", ".join(f"x_{i}" for i in range(60)) + " = x",
        "    return total, (" + ", ".join(f"[a_{i}, b_{i}]" for i in range(30)) + ")",
        "    d = ["
        + ", ".join("[" + ", ".join(f"a_{i}_{j} * b" for j in range(30)) + "]" for i in range(5))
        + "]",
        "    if not isfinite(" + " + ".join(f"x_{i}" for i in range(60)) + "):",
        "    for (" + ", ".join(f"x_{i}" for i in range(60)) + "), y_i in zip(x, y):",
        "    x = v[3] = " + " - ".join(f"f(a_{i}, b_{i})" for i in range(30)),
        "    values.append((v, [" + ", ".join(f"x_{i}" for i in range(60)) + "]))",
        "    total += " + " + ".join(f"x_{i}" for i in range(60)),
        "def f(" + ", ".join(f"x_{i}" for i in range(60)) + "):",
    ],
)
def test_a_long_line_is_broken_and_means_the_same(line: str) -> None:
    indent = line[: len(line) - len(line.lstrip())]
    rest = f"\n{indent}    pass" if line.endswith(":") else ""
    broken = wrapped(line, 100)
    assert len(broken) > 1
    assert max(map(len, broken)) <= 100
    around = "async def g():\n" if indent else ""

    def tree(text: str) -> str:
        return ast.dump(ast.parse(around + text + rest))

    assert tree("\n".join(broken)) == tree(line)


def test_a_line_that_can_be_broken_nowhere_stays() -> None:
    line = "    x = " + "y" * 200
    assert "".join(piece.strip() for piece in wrapped(line, 100)) in (
        line.strip(),
        f"x = ({'y' * 200})",
    )
    assert wrapped("z" * 200, 100) == ["z" * 200]


def test_structures_are_written_out() -> None:
    assert nested((), ["a"]) == "a"
    assert nested((0,), []) == "[]"
    assert nested((2, 0), []) == "[[], []]"
    assert pattern((2,), ["a", "b"]) == "a, b"
    assert pattern((1,), ["a"]) == "(a,)"
    assert pattern((3,), ["", "", ""]) == "_"
    assert pattern((2, 2), ["", "", "c", ""]) == "_, (c, _)"
    assert eval(sum_of((2, 1, 2), "d"), {"d": [[[1.0, 2.0]], [[3.0, 4.0]]]}) == 10.0
    assert "\n".join(zeros(["a"] * 100)).count("a") == 100
    assert all(
        line.endswith(" = 0.0") and len(line) <= 130
        for line in zeros([f"name_{i}" for i in range(100)])
    )
