"""Large programs, written as several functions: the bits of one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import Value, functions
from scalargrad.compiler.emitters import python as in_python
from scalargrad.compiler.emitters import python_lines as lines
from scalargrad.compiler.emitters import python_parts as in_parts
from scalargrad.nn import MLP
from scalargrad.nn.losses import squared_error
from tests.compiler.emitters.tools import (
    REDUCTIONS,
    assert_as_eager,
    at_random,
    compiled,
    eager,
    same,
)


@pytest.fixture
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All programs in parts of three lines, sums in lines of two terms."""
    monkeypatch.setattr(in_python, "LARGE", 0)
    monkeypatch.setattr(in_parts, "PART", 3)
    monkeypatch.setattr(lines, "TERMS", 2)
    return


@pytest.mark.usefixtures("in_small_parts")
def test_graphs_at_random_in_parts_have_the_bits_of_values() -> None:
    for fn, points in at_random(22, 40):
        assert_as_eager(fn, *points)


def test_a_long_chain_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_python, "LARGE", 20_000)

    def fn(x: Any) -> Any:
        y = x
        for i in range(11_000):
            y = sg.sin(y) + x if i % 2 else y * 0.75
        return y

    x = Value(0.3)
    root = fn(x)
    root.backward()
    made = compiled(fn)
    assert made.value_and_grad(0.3) == (root.data, x.grad)
    assert made(0.3) == root.data
    assert "def value_and_grad_part_2(" in made.source(0.3)


@pytest.mark.parametrize("part", [1, 7, 40, 10_000])
def test_a_network_in_parts_has_the_bits_of_one_function(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = MLP(6, [5, 4, 2], activation="tanh", seed=0)
    x, y = [0.1 * i - 0.2 for i in range(6)], [0.5, -0.5]

    def cost(model: Any, x: Any, y: Any) -> Any:
        return squared_error(model(x), y)

    whole = compiled(cost, wrt=(0, 1)).value_and_grad(model, x, y)
    of_both = compiled(lambda model, x: model(x)).jacobian(model, x)
    by_rows = {
        reduce: compiled(cost, rows=("x", "y"), reduce=reduce).value_and_grad(
            model, [x, x[::-1]], [y, y]
        )
        for reduce in REDUCTIONS
    }
    monkeypatch.setattr(in_python, "LARGE", 0)
    monkeypatch.setattr(in_parts, "PART", part)
    assert repr(compiled(cost, wrt=(0, 1)).value_and_grad(model, x, y)) == repr(whole)
    assert repr(compiled(lambda model, x: model(x)).jacobian(model, x)) == repr(of_both)
    for reduce, expected in by_rows.items():
        made = compiled(cost, rows=("x", "y"), reduce=reduce)
        assert repr(made.value_and_grad(model, [x, x[::-1]], [y, y])) == repr(expected)


def test_numbers_that_would_be_called_the_same_stay_apart_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fn(w: Any, w_0: Any) -> Any:
        return functions.dot(w[0], w_0) * functions.dot(w[1], w_0) + functions.dot(w_0, w_0)

    w, w_0 = [[0.5, 2.0, -1.0, 3.0], [1.0, 0.25, 4.0, -2.0]], [1.5, -0.5, 2.5, 0.75]
    expected = compiled(fn, wrt=(0, 1)).value_and_grad(w, w_0)
    monkeypatch.setattr(in_python, "LARGE", 0)
    assert compiled(fn, wrt=(0, 1)).value_and_grad(w, w_0) == expected


def test_a_part_is_given_what_it_reads_and_returns_what_others_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(in_python, "LARGE", 0)
    monkeypatch.setattr(in_parts, "PART", 24)

    def fn(w: Any, x: Any) -> Any:
        return functions.dot(w[0], x) * functions.dot(w[1], x) * w[2][0]

    source = compiled(fn).source([[0.5] * 8] * 3, [1.0] * 8)
    for text in (
        "(w_2_0, _, _, _, _, _, _, _)",
        "    z_0 = value_and_grad_part_1(w_0_0, x_0, ",
        "    return dw_0\n",
        "    dw = [dw_0, dw_1, dw_2]\n",
    ):
        assert text in source, source
    pieces = source.split("def value_and_grad")
    assert len(pieces) > 3
    assert not any("w_2_1" in piece for piece in pieces)


@pytest.mark.usefixtures("in_small_parts")
def test_no_two_rows_of_a_gradient_are_one_list() -> None:
    """They are equal here; who changes one must not change another."""

    def fn(w: Any, x: Any) -> Any:
        return w[0][0] * w[0][1] + x

    w = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    _, first, second = compiled(fn).value_and_grad(w, 0.5)[1]
    assert first == second == [0.0, 0.0]
    assert first is not second
    made = compiled(fn, rows="x", reduce=None)
    gradients = made.value_and_grad(w, [0.5, 1.5])[1]
    assert len({id(row) for gradient in gradients for row in gradient}) == 6


def test_a_graph_shared_widely_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_python, "LARGE", 20_000)
    rng = random.Random(4)
    places = [(rng.random(), rng.random(), rng.random()) for _ in range(8000)]

    def fn(xs: Any) -> Any:
        nodes = list(xs)
        for a, b, kind in places:
            x, y = (
                nodes[-1 - int(a * min(300, len(nodes)))],
                nodes[-1 - int(b * min(300, len(nodes)))],
            )
            nodes.append(x * y if kind < 0.4 else x * 0.5 - y if kind < 0.7 else sg.tanh(x))
        return functions.sum(nodes[-200:])

    point = [rng.uniform(-1.0, 1.0) for _ in range(50)]
    value, slopes = eager(fn, point)
    got, gradient = compiled(fn).value_and_grad(point)
    assert got == value
    assert same(gradient, slopes)
