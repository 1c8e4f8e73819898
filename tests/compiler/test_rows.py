"""Arguments that carry rows: added up in order, averaged, or one result each."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

import scalargrad as sg

from .tools import compiled


def line(w, x, y):
    return sg.square(w[0] * x[0] + w[1] * x[1] - y)


X, Y = [[1.0, 2.0], [3.0, 4.0], [5.0, -6.0]], [1.0, 0.0, 2.0]
W = [0.5, -0.25]


def by_hand(reduce):
    """Row after row on Values."""
    total, slopes = 0.0, [0.0, 0.0]
    for x, y in zip(X, Y):
        value, gradient = sg.value_and_grad(line)(W, x, y)
        total += value
        slopes = [s + g for s, g in zip(slopes, gradient)]
    share = 1 if reduce == "sum" else 3
    return total / share, [s / share for s in slopes]


@pytest.mark.parametrize("reduce", ["sum", "mean"])
@pytest.mark.parametrize(
    "kind",
    [list, tuple, iter, np.array, pandas.DataFrame, lambda rows: (tuple(row) for row in rows)],
)
def test_rows_are_added_in_order(reduce, kind):
    f = compiled(line, rows=("x", "y"), reduce=reduce)
    assert f.value_and_grad(W, kind(X), Y) == by_hand(reduce)
    assert f(W, kind(X), np.array(Y)) == by_hand(reduce)[0]


def test_one_row_is_enough():
    f = compiled(line, rows=("x", "y"))
    assert f.value_and_grad(W, X[:1], Y[:1]) == sg.value_and_grad(line)(W, X[0], Y[0])


def test_rows_of_numbers_and_of_matrices():
    f = compiled(lambda w, x: w * x[1][0], rows="x", reduce="sum")
    assert f.value_and_grad(2.0, np.arange(8.0).reshape(2, 2, 2)) == (16.0, 8.0)
    assert f.value_and_grad(2.0, [[(0, 1), (2, 3)], [(4, 5), (6, 7)]]) == (16.0, 8.0)


def test_without_reduction_there_is_one_result_a_row():
    f = compiled(line, rows=("x", "y"), reduce=None)
    each = [sg.value_and_grad(line)(W, x, y) for x, y in zip(X, Y)]
    assert f(W, X, Y) == [value for value, _ in each]
    assert f.value_and_grad(W, X, Y) == (
        [value for value, _ in each],
        [slopes for _, slopes in each],
    )
    g = compiled(lambda w, x: {"a": w["k"] * x, "b": [w["k"] * w["k"], x]}, rows="x", reduce=None)
    assert g({"k": 3.0}, [1.0, 2.0]) == {"a": [3.0, 6.0], "b": [[9.0, 9.0], [1.0, 2.0]]}
    values, slopes = g.jacobian({"k": 3.0}, [1.0, 2.0])
    assert values == g({"k": 3.0}, [1.0, 2.0])
    assert slopes == {"a": {"k": [1.0, 2.0]}, "b": [{"k": [6.0, 6.0]}, {"k": [0.0, 0.0]}]}


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_gradient_by_what_carries_rows_carries_rows(kind):
    rows = kind(map(tuple, X))
    f = compiled(line, wrt=(1, 2), rows=("x", "y"), reduce="sum")
    value, (dx, dy) = f.value_and_grad(W, rows, Y)
    each = [sg.value_and_grad(line, (1, 2))(W, x, y) for x, y in zip(rows, Y)]
    assert value == sum(value for value, _ in each)
    assert dx == kind(slopes[0] for _, slopes in each)
    assert dy == [slopes[1] for _, slopes in each]
    mean = compiled(line, wrt=1, rows=("x", "y")).value_and_grad(W, rows, Y)[1]
    assert mean == kind(tuple(s / 3 for s in slopes[0]) for _, slopes in each)
    assert compiled(line, wrt=1, rows=("x", "y"), reduce=None).value_and_grad(W, rows, Y)[1] == dx


def test_jacobians_over_rows_are_added_too():
    f = compiled(lambda w, x: [w * x, w * w], rows="x", reduce="sum")
    assert f.jacobian(3.0, [1.0, 2.0]) == ([9.0, 18.0], [3.0, 12.0])


def test_a_result_that_no_row_changes_counts_for_each():
    f = compiled(lambda w, x: w * w, rows="x", reduce="sum")
    assert f.value_and_grad(3.0, [1.0, 2.0]) == (18.0, 12.0)
    assert compiled(lambda w, x: 5.0, rows="x").value_and_grad(3.0, [1.0, 2.0]) == (5.0, 0.0)
    assert compiled(lambda w, x: 5.0, rows="x", reduce=None)(3.0, [1.0, 2.0]) == [5.0, 5.0]


@pytest.mark.parametrize("rows", [{1.0, 2.0}, frozenset({1.0}), np.array(3.0)])
def test_rows_are_in_an_order(rows):
    with pytest.raises(TypeError, match="x carries rows and must be a list of rows or an array"):
        sg.compile(lambda x: x, rows="x")(rows)


def test_one_that_was_compiled_for_rows_refuses_to_be_traced():
    inner = compiled(line, rows=("x", "y"))
    with pytest.raises(
        sg.TraceError,
        match=r"line was compiled for rows, and is called in a function that is traced: .* \(at .*test_rows",
    ):
        compiled(lambda w: inner(w, X, Y))(W)
