"""The order in which slopes are added up where branches share what is computed: to the bit that of Values."""

from __future__ import annotations

import random
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import exp, functions, sin, where
from scalargrad.compiler.in_python import order
from scalargrad.compiler.in_python.order import Fork, by_branches, of_all_branches, of_shares
from scalargrad.compiler.program import Block, Step
from scalargrad.ops import OPS, TRACED
from tests import programs, random_graphs
from tests.random_graphs import bits_but_zeros

HARD = (0.0, -0.0, 1.0, -1.0, float("inf"), float("nan"), 1e200, -1e200, 5e-324)


def chosen(program: programs.Program, seed: int, share: float) -> Any:
    """A random program as a function, in which some results stand in a choice between two of all that came before."""

    def fn(xs: Any) -> Any:
        rng = random.Random(seed)
        values = [*xs]

        def apply(row: str, operands: list[Any]) -> Any:
            result = getattr(functions, row)(*operands)
            values.append(result)
            if rng.random() < share:
                one, two = rng.choice(values), rng.choice([*values, 0.5])
                branches = [result, rng.choice([*values, 2.0])]
                rng.shuffle(branches)
                result = where(one > two, *branches)
                values.append(result)
            return result

        made = programs.run(program, xs, apply)
        return made[-1] + made[len(made) // 2] * made[-1]

    return fn


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_random_choices_have_the_bits_of_values(share: float) -> None:
    in_several_orders = 0
    for seed in range(150):
        rng = random.Random(seed)
        program = random_graphs.graph("choices", seed)
        fn = chosen(program, seed, share)
        compiled, eager = sg.compile(fn, backend="python"), sg.value_and_grad(fn)
        points = [list(program.leaves), [rng.choice(HARD) for _ in program.leaves]]
        points += [[x * rng.uniform(-2.0, 2.0) for x in program.leaves] for _ in range(8)]
        for point in points:
            value, slopes = eager(point)
            got, gradient = compiled.value_and_grad(point)
            assert bits_but_zeros([got, *gradient]) == bits_but_zeros([value, *slopes]), (seed, point)
        in_several_orders += " else d" in compiled.source(points[0])
    assert in_several_orders


def searched(xs: Any) -> Any:
    """Three read x, and the difference is found before the others or after them."""
    x, y = xs
    product, difference = x * y, x - y
    total = difference + product
    return total - difference + total * sin(x) + where(y > difference, difference, 0.5)


def test_a_sum_is_written_in_both_orders() -> None:
    f = sg.compile(searched, backend="python")
    rng = random.Random(4)
    for point in [[rng.uniform(-2.0, 2.0), rng.uniform(-2.0, 2.0)] for _ in range(200)]:
        assert f.value_and_grad(point) == sg.value_and_grad(searched)(point)
    assert "[v5 + v6 + dv1 if v4 else dv1 + v5 + v6, " in f.source([0.5, 1.0])


def test_without_the_orders_last_bits_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """The random programs tell one order from another."""
    monkeypatch.setattr(order, "STEPS", -1)
    with pytest.raises(AssertionError):
        test_random_choices_have_the_bits_of_values(0.3)


# ------------------------------------------------------------------ by hand

X = Block("x", (3,), wrt=True)
LESS, CHOOSE = TRACED["_less"], TRACED["_choose"]


def step(name: str, *operands: Any) -> Step:
    return Step(OPS[name], operands)


x, y, z = X.inputs
SHARED = step("sin", x)
LEFT, RIGHT = step("exp", SHARED), step("mul", SHARED, y)
CONDITION = Step(LESS, (x, y))
CHOICE = Step(CHOOSE, (CONDITION, LEFT, RIGHT))
ROOT = step("add", CHOICE, LEFT)


def test_a_search_goes_into_the_branch_that_was_taken() -> None:
    assert of_all_branches(ROOT) == [SHARED, LEFT, RIGHT, CHOICE, ROOT]
    root = step("add", LEFT, CHOICE)
    places = by_branches(root, {CHOICE}, {})
    assert isinstance(places, Fork)
    assert places.condition is CONDITION
    assert sorted(places.if_true, key=places.if_true.get) == [None, root, LEFT, SHARED]
    assert sorted(places.if_false, key=places.if_false.get) == [None, root, LEFT, RIGHT, SHARED]


def test_a_choice_between_inputs_is_no_fork() -> None:
    choice = Step(CHOOSE, (CONDITION, y, z))
    root = step("mul", choice, SHARED)
    assert by_branches(root, {choice}, {}) == {None: -2, root: -1, SHARED: 0}


def test_conditions_that_are_the_same_fork_once() -> None:
    again = Step(LESS, (x, y))
    other = Step(CHOOSE, (again, RIGHT, LEFT))
    root = step("mul", CHOICE, other)
    places = by_branches(root, {CHOICE, other}, {again: CONDITION})
    assert isinstance(places, Fork)
    assert not isinstance(places.if_true, Fork)
    assert not isinstance(places.if_false, Fork)


def test_what_takes_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "STEPS", 4)
    assert by_branches(ROOT, {CHOICE}, {}) is None


def test_sums_depend_on_conditions_only_where_three_shares_change_places() -> None:
    a, b, c, out = step("sin", x), step("sin", y), step("sin", z), step("exp", x)
    one, other = {a: -2, b: -1, c: 0}, {b: -2, a: -1, c: 0}
    assert of_shares([a, b, c], Fork(CONDITION, one, one)) == (0, 1, 2)
    assert of_shares([a, b, c], Fork(CONDITION, one, other)) == Fork(CONDITION, (0, 1, 2), (1, 0, 2))
    assert of_shares([a, b, out], Fork(CONDITION, one, other)) == (0, 1, 2)  # two commute
    assert of_shares([out, a, b, c], other) == (2, 1, 3, 0)


def test_a_choice_that_is_the_root_is_asked_first() -> None:
    """A choice that is the root: the slope of 1 comes first."""

    def fn(x: Any) -> Any:
        u = exp(x)
        return where(x > 0.0, u, u * u * sin(u))

    f = sg.compile(fn, backend="python")
    for number in (0.5, -0.5, 2.0, -3.0):
        assert f.value_and_grad(number) == sg.value_and_grad(fn)(number)
