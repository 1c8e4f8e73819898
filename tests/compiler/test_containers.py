"""Arrays come back as arrays, lists as lists."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

import scalargrad as sg
from scalargrad import MLP
from scalargrad.nn import squared_error

BACKENDS = ["python", "numpy", "native", "auto"]
SIZES = [1, 3, 100, 5000]


def decay(p, t):
    return p[0] * sg.exp(-p[1] * t)


def expected(t):
    value = 2.0 * np.exp(-0.5 * t)
    return value, np.stack([value / 2.0, -t * value], axis=1)


def is_list_of_floats(found, depth=1):
    if depth == 0:
        return type(found) is float
    return type(found) is list and all(is_list_of_floats(item, depth - 1) for item in found[:3])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n", SIZES)
def test_a_result_for_each_row_is_in_the_container_of_the_rows(backend, n):
    f = sg.compile(decay, rows="t", reduce=None, backend=backend)
    t = np.linspace(0.0, 3.0, n)
    values, slopes = expected(t)
    for rows in (t, pandas.Series(t)):
        value, gradient = f.value_and_grad(np.array([2.0, 0.5]), rows)
        assert (type(value), type(gradient)) == (np.ndarray, np.ndarray)
        assert 2 * f(np.array([2.0, 0.5]), rows) == pytest.approx(2 * values, rel=1e-12)
        assert gradient == pytest.approx(slopes, rel=1e-12)
    value, gradient = f.value_and_grad([2.0, 0.5], t.tolist())
    assert is_list_of_floats(value)
    assert is_list_of_floats(gradient, 2)
    assert is_list_of_floats(f([2.0, 0.5], t.tolist()))
    assert value == pytest.approx(values.tolist(), rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_a_gradient_is_in_the_container_of_its_argument(backend, reduce):
    t = np.linspace(0.0, 3.0, 100)
    f = sg.compile(decay, wrt=(0, 1), rows="t", reduce=reduce, backend=backend)
    for p, rows in (
        (np.array([2.0, 0.5]), t),
        (pandas.Series([2.0, 0.5]), t.tolist()),
        ([2.0, 0.5], t),
        ([2.0, 0.5], t.tolist()),
        ((2.0, 0.5), tuple(t)),
    ):
        value, gradients = f.value_and_grad(p, rows)
        assert type(value) is float
        for gradient, argument in zip(gradients, (p, rows)):
            of_arrays = isinstance(argument, np.ndarray | pandas.Series)
            assert type(gradient) is (np.ndarray if of_arrays else type(argument))
            assert of_arrays or type(gradient[0]) is float
        if reduce == "sum":
            assert [*gradients[0]] == pytest.approx(expected(t)[1].sum(axis=0), rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_jacobians_and_what_is_nested_come_back_as_they_came(backend):
    f = sg.compile(lambda p: [p[0] * p[1], p[1] ** 2], backend=backend)
    values, slopes = f.jacobian(np.array([2.0, 3.0]))
    assert (type(values), [*map(type, slopes)]) == (list, [np.ndarray, np.ndarray])
    assert f.jacobian([2.0, 3.0]) == ([6.0, 9.0], [[3.0, 2.0], [0.0, 6.0]])
    g = sg.compile(lambda p: p["w"][0] * p["W"][0][1] + p["l"][1][0] + p["t"][0], backend=backend)
    p = {"w": np.array([2.0]), "W": np.ones((1, 2)), "l": [np.ones(1), np.ones(1)], "t": (1.0,)}
    gradient = g.value_and_grad(p)[1]
    assert [type(x) for x in gradient.values()] == [np.ndarray, np.ndarray, list, tuple]
    assert gradient["W"].tolist() == [[0.0, 2.0]]
    assert [x.tolist() for x in gradient["l"]] == [[0.0], [1.0]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_slopes_of_an_array_by_arguments_of_unequal_shapes_stand_in_an_array(backend):
    def fn(p, t):
        return np.array([p[0] * t, p[1]])

    compiled = sg.compile(fn, wrt=(0, 1), backend=backend)
    of_rows = sg.compile(fn, wrt=(0, 1), rows="t", backend=backend)
    one = sg.Value(1.0)
    with_a_weight = sg.jacobian(lambda p, t: fn(p, t) * one, wrt=(0, 1))  # of Values
    for slopes in (
        sg.jacobian(fn, wrt=(0, 1))([2.0, 5.0], 3.0),
        compiled.jacobian([2.0, 5.0], 3.0)[1],
        of_rows.jacobian([2.0, 5.0], [3.0])[1],
        with_a_weight([2.0, 5.0], 3.0),
    ):
        assert slopes.shape == (2,)
        assert [p for p, _ in slopes] == [[3.0, 0.0], [0.0, 1.0]]
        assert [np.sum(t) for _, t in slopes] == [2.0, 0.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_number_that_no_row_moves_is_a_float(backend):
    f = sg.compile(lambda p, t: [p, 1], rows="t", reduce="sum", backend=backend)
    values, slopes = f.jacobian(1.0, [1, 2])
    assert (values, slopes) == ([2.0, 2.0], [2.0, 0.0])
    assert {type(x) for x in [*values, *slopes]} == {float}
    assert (
        type(sg.compile(lambda p, t: 1, rows="t", reduce="sum", backend=backend)(1.0, [1])) is float
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n", [2, 200])
def test_a_gradient_by_a_model_is_as_its_state(backend, n):
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    f = sg.compile(lambda model, x, y: squared_error(model(x), y), rows=("x", "y"), backend=backend)
    X = np.linspace(-1.0, 1.0, 2 * n).reshape(n, 2)
    state = model.state()
    for given in (model, state):
        for rows in (X, X.tolist()):
            gradient = f.value_and_grad(given, rows, [0.5] * n)[1]
            assert [*map(type, gradient.values())] == [*map(type, state.values())]
            assert [np.shape(x) for x in gradient.values()] == [np.shape(x) for x in state.values()]


@pytest.mark.parametrize("n", [3, 1500])
def test_predictions_are_in_the_container_of_the_rows(n):
    model = MLP(2, [3, 2], seed=1)
    X = np.linspace(-1.0, 1.0, 2 * n).reshape(n, 2)
    for rows in (X, pandas.DataFrame(X)):
        assert type(model.predict(rows)) is np.ndarray
    assert is_list_of_floats(model.predict(X.tolist()), 2)
