"""The order in which slopes are added up where branches share what is computed: to the bit that of Values."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import exp, functions, sin, where
from scalargrad.compiler.choices import TRACED
from scalargrad.compiler.in_python import order
from scalargrad.compiler.in_python.order import Fork, by_branches, of_all_branches, of_shares
from scalargrad.compiler.program import Block, Step
from scalargrad.ops import OPS
from tests import programs, random_graphs
from tests.compiler.in_python.tools import HARD, assert_as_eager, compiled, eager
from tests.random_graphs import bits_but_zeros

IN_TWO_ORDERS = re.compile(r"\+ \w+ if \w+ else \w+ \+")  # a + b + c if condition else b + c + a


def with_choices(program: programs.Program, seed: int, share: float) -> Any:
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


def compared(share: float) -> tuple[list[Any], int]:
    """Where random programs with choices differ from Values in a bit, and in how many of them a sum is written in several orders."""
    differing, in_several_orders = [], 0
    for seed in range(100):
        rng = random.Random(seed)
        program = random_graphs.graph("choices", seed)
        fn = with_choices(program, seed, share)
        compiled, eager = sg.compile(fn, backend="python"), sg.value_and_grad(fn)
        points = [list(program.leaves), [rng.choice(HARD) for _ in program.leaves]]
        points += [[x * rng.uniform(-2.0, 2.0) for x in program.leaves] for _ in range(8)]
        for point in points:
            value, slopes = eager(point)
            got, gradient = compiled.value_and_grad(point)
            if bits_but_zeros([got, *gradient]) != bits_but_zeros([value, *slopes]):
                differing.append((seed, point))
        in_several_orders += IN_TWO_ORDERS.search(compiled.source(points[0])) is not None
    return differing, in_several_orders


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_random_choices_have_the_bits_of_values(share: float) -> None:
    differing, in_several_orders = compared(share)
    assert not differing
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
    for limit in ("FEW", "STEPS"):
        monkeypatch.setattr(order, limit, -1)
    differing, in_several_orders = compared(0.3)
    assert differing
    assert not in_several_orders


def of_layers(xs: Any) -> Any:
    """Choices that share what is computed before them, in an order that none of them changes."""
    for width in (6, 6, 1):
        sums = [functions.dot(xs, xs, 0.1 * i) for i in range(width)]
        xs = [where(z > 0.3, z, 0.1 * z) for z in sums]
    return xs[0]


def test_more_orders_are_looked_for_only_where_one_is_seen_to_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    forked = order._forked

    def watched(root: Any, choices: Any, same: Any, left: int) -> Any:
        asked.append(left)
        return forked(root, choices, same, left)

    monkeypatch.setattr(order, "FEW", 5)
    monkeypatch.setattr(order, "_forked", watched)
    for fn, point, limits in (
        (of_layers, [0.3, -0.4], [5]),
        (searched, [0.5, 1.0], [5, order.STEPS]),
    ):
        f = sg.compile(fn, backend="python")
        value, slopes = sg.value_and_grad(fn)(point)
        got, gradient = f.value_and_grad(point)
        assert bits_but_zeros([got, *gradient]) == bits_but_zeros([value, *slopes])
        assert asked == limits
        asked.clear()


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
    for limit in ("FEW", "STEPS"):
        monkeypatch.setattr(order, limit, 4)
    assert by_branches(ROOT, {CHOICE}, {}) is None


def test_thousands_of_conditions_are_too_many_soon() -> None:
    """Also where a search that goes on under one more of them comes to no more steps."""
    conditions = [Step(LESS, (x, y)) for _ in range(3000)]
    choices = [Step(CHOOSE, (condition, y, LEFT)) for condition in conditions]
    assert by_branches(step("sum", *choices), set(choices), {}) is None


def test_sums_depend_on_conditions_only_where_three_shares_change_places() -> None:
    a, b, c, out = step("sin", x), step("sin", y), step("sin", z), step("exp", x)
    one, other = {a: -2, b: -1, c: 0}, {b: -2, a: -1, c: 0}
    assert of_shares([a, b, c], Fork(CONDITION, one, one)) == (0, 1, 2)
    assert of_shares([a, b, c], Fork(CONDITION, one, other)) == Fork(
        CONDITION, (0, 1, 2), (1, 0, 2)
    )
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


# ------------------------------------------------------------------ choices


def test_a_choice_sends_nothing_to_the_branch_that_is_left_out() -> None:
    f = compiled(lambda x: where(x > 0, sg.sqrt(x), 0.0))
    assert [f.value_and_grad(x) for x in (4.0, 0.0, -1.0)] == [(2.0, 0.25), (0.0, 0.0), (0.0, 0.0)]


def chosen(xs: Any) -> Any:
    """A chosen value with several readers, as they are added up in eager: one after the other, to the branch itself."""
    x, y, z = xs
    a, b = sg.sin(x) * y, sg.exp(z) * 0.1
    c = where(x > y, a, where(z > 0, b, a * b))
    return c * x + sg.tanh(c) + c * c * 0.3 + a * 0.7 + sg.sin(c) + b


def test_what_comes_to_a_choice_adds_up_in_the_branches_as_in_values() -> None:
    rng = random.Random(1)
    assert_as_eager(chosen, *[[rng.uniform(-2.0, 2.0) for _ in range(3)] for _ in range(100)])


def test_a_condition_that_is_computed_changes_no_order() -> None:
    def fn(xs: Any) -> Any:
        x, y = xs
        u, v, w = x * y, sg.sin(x * y), sg.exp(x)
        return where(u * v > w * 0.1, u + w, v) * u + v * w + u * u * w

    rng = random.Random(2)
    assert_as_eager(fn, *[[rng.uniform(-2.0, 2.0) for _ in range(2)] for _ in range(100)])


def test_choices_in_choices_are_near_however_many() -> None:
    def fn(xs: Any) -> Any:
        most = xs[0] * 1.5
        for x in xs[1:]:
            most = where(x * x > most, x * x, most)
            most = where(x > 0.9, most + x, most)
        return most * xs[0] + most

    rng = random.Random(3)
    made = compiled(fn)
    for _ in range(10):
        point = [rng.uniform(-1.0, 1.0) for _ in range(40)]
        value, slopes = eager(fn, point)
        got, gradient = made.value_and_grad(point)
        assert got == value
        assert gradient == pytest.approx(slopes, rel=1e-12)


def test_a_running_maximum_by_choices_is_traced_in_linear_size() -> None:
    def fn(xs: Any) -> Any:
        most, total = xs[0], 0.0
        for x in xs[1:]:
            most = where(x > most, x, most)
            total = total + most
        return total

    sizes = [len(compiled(fn).source([0.5] * n)) for n in (50, 100, 200)]
    assert sizes[2] - sizes[1] < 3 * (sizes[1] - sizes[0])
    assert_as_eager(fn, [0.1, 0.5, 0.3, 0.9, 0.2])


def test_conditions_joined_choose_as_they_do_in_values() -> None:
    f = compiled(lambda x, y: where((x > 0) & ~(y >= 1) | (x < -1), x * y, x + y), wrt=(0, 1))
    for x, y in itertools.product((-2.0, -0.5, 0.0, 0.5), (0.5, 1.0, 2.0)):
        product = (x > 0 and not y >= 1) or x < -1
        assert f.value_and_grad(x, y) == ((x * y, (y, x)) if product else (x + y, (1.0, 1.0)))
