"""Choices by `where`: what is left out gets nothing; slopes of Values but for the order of sums."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import exp, functions, sin, where
from tests import programs, random_graphs
from tests.compiler.emitters.tools import assert_as_eager, compiled, eager
from tests.random_graphs import bits


def with_choices(program: programs.Program, seed: int, share: float) -> Any:
    """A random program as a function, in which some results stand in a choice."""

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
def test_random_choices_are_as_in_values(share: float) -> None:
    """Slopes through branches are added up in another order: so the last bits may differ."""
    for seed in range(40):
        rng = random.Random(seed)
        program = random_graphs.graph("choices", seed)
        fn = with_choices(program, seed, share)
        made, eager_one = compiled(fn), sg.value_and_grad(fn)
        for _ in range(8):
            point = [x * rng.uniform(-2.0, 2.0) for x in program.leaves]
            value, slopes = eager_one(point)
            got, gradient = made.value_and_grad(point)
            assert bits([got]) == bits([value])
            room = 1e-12 * max([abs(x) for x in slopes if math.isfinite(x)], default=0.0)
            assert gradient == pytest.approx(slopes, rel=1e-11, abs=room, nan_ok=True), (
                seed,
                point,
            )


def test_a_choice_that_is_the_root_is_asked_first() -> None:
    def fn(x: Any) -> Any:
        u = exp(x)
        return where(x > 0.0, u, u * u * sin(u))

    f = sg.compile(fn, backend="python")
    for number in (0.5, -0.5, 2.0, -3.0):
        assert f.value_and_grad(number) == sg.value_and_grad(fn)(number)


def test_a_choice_sends_nothing_to_the_branch_that_is_left_out() -> None:
    f = compiled(lambda x: where(x > 0, sg.sqrt(x), 0.0))
    assert [f.value_and_grad(x) for x in (4.0, 0.0, -1.0)] == [(2.0, 0.25), (0.0, 0.0), (0.0, 0.0)]


def chosen(xs: Any) -> Any:
    """A chosen value with several readers: in Values they add to the branch itself."""
    x, y, z = xs
    a, b = sg.sin(x) * y, sg.exp(z) * 0.1
    c = where(x > y, a, where(z > 0, b, a * b))
    return c * x + sg.tanh(c) + c * c * 0.3 + a * 0.7 + sg.sin(c) + b


def test_what_comes_to_a_choice_adds_up_in_the_branches() -> None:
    rng = random.Random(1)
    made = compiled(chosen)
    for point in [[rng.uniform(-2.0, 2.0) for _ in range(3)] for _ in range(100)]:
        value, slopes = eager(chosen, point)
        got, gradient = made.value_and_grad(point)
        assert got == value
        assert gradient == pytest.approx(slopes, rel=1e-13, abs=1e-14)


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
