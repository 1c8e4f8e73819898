"""Functions on arrays as they are called: what is read as it is, which of two functions answers, what is left as it was."""

from __future__ import annotations

import importlib.util
import math
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import compile
from scalargrad.compiler.on_numpy import NumpyFunction, are_finite
from scalargrad.nn import MLP, squared_error
from scalargrad.nn.module import State

np = pytest.importorskip("numpy")

RNG = np.random.default_rng(0)
MODEL = MLP(3, [4, 2], activation="tanh", seed=1)
X, Y = RNG.integers(-4, 5, size=(6, 3)) / 2.0, RNG.integers(-4, 5, size=(6, 2)) / 2.0


def cost(model: Any, x: Any, y: Any) -> Any:
    return squared_error(model(x), y)


def listed(result: Any) -> Any:
    """Value and gradient as plain numbers."""
    value, gradient = result
    return value, {name: np.asarray(block).tolist() for name, block in gradient.items()}


def scattered(w: Any) -> Any:
    """Sines made of one another in no order: computed number by number, between arrays."""
    made = list(w)
    for i in range(300):
        made.append(sg.sin(made[-1 - i % 7] * made[-1 - i % 11] + made[-1 - i % 13]))
    return made[-1]


# ------------------------------------------------------------------ arguments


def test_arrays_of_all_kinds_give_what_lists_give() -> None:
    f = compile(cost, rows=("x", "y"), backend="numpy")
    state = MODEL.state()
    expected = listed(f.value_and_grad(state, X.tolist(), Y.tolist()))

    class Own(np.ndarray):  # type: ignore[type-arg,name-defined]
        pass

    kinds = (
        lambda a: a,
        lambda a: pickle.loads(pickle.dumps(a)),  # its dtype is an equal one
        lambda a: a.astype(">f8"),
        lambda a: a.astype(np.float32),  # halves are exact
        lambda a: (2 * a).astype(int) / np.float32(2.0),
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=0)[::2],
        lambda a: a.view(Own),
        lambda a: [*a],
    )
    for kind in kinds:
        for _ in range(2):  # as another kind than the last, and as the same
            assert listed(f.value_and_grad(state, kind(X), kind(Y))) == expected
    blocks = {name: block.tolist() for name, block in state.items()}
    for change in (list, tuple, np.array, lambda block: np.array(block, ">f8")):
        for name, block in blocks.items():
            state[name] = change(block)  # in the same state: it is read again in each call
        assert listed(f.value_and_grad(state, X, Y)) == expected


def test_rows_that_do_not_match_are_refused_between_good_calls() -> None:
    f = compile(cost, rows=("x", "y"), backend="numpy")
    state = MODEL.state()
    for _ in range(2):
        f.value_and_grad(state, X, Y)
        with pytest.raises(
            ValueError,
            match="all arguments that carry rows must have the same number of them: x has 6, y has 5",
        ):
            f.value_and_grad(state, X, Y[:5])
        with pytest.raises(ValueError, match="x and y have no rows: give one at least"):
            f.value_and_grad(state, X[:0], Y[:0])
        with pytest.raises(ValueError, match="W1 is 4 × 3"):
            f.value_and_grad(State(MODEL, {**state, "W1": np.ones((4, 4))}), X, Y)
    assert f.value_and_grad(state, X[:5], Y[:5])[0] == pytest.approx(f(state, X[:5], Y[:5]))


def test_numbers_among_arrays_are_read_anew_in_each_call() -> None:
    f = compile(
        lambda w, c, x: sg.dot(w, x) * c, wrt=(0, 1), rows="x", reduce="sum", backend="numpy"
    )
    for c in (2.0, 3, np.float64(4.0), np.float32(0.5), 1):
        value, (dw, dc) = f.value_and_grad(
            np.array([1.0, 2.0]), c, np.array([[1.0, 2.0], [3.0, 4.0]])
        )
        assert (value, dw.tolist(), dc) == (16.0 * c, [4.0 * c, 6.0 * c], 16.0)


# ------------------------------------------------------------------ sums over the rows


@pytest.mark.parametrize("rows", [1, 2, 7, 100, 1500])
@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_slopes_of_biases_are_the_sums_over_the_rows(rows: int, reduce: str) -> None:
    f = compile(lambda w, b, x: sg.sum([sg.dot(ws, x, c) ** 2 for ws, c in zip(w, b, strict=True)]), wrt=1, rows="x", reduce=reduce,
                backend="numpy")  # fmt: skip
    w, b, x = RNG.normal(size=(3, 2)), RNG.normal(size=3), RNG.normal(size=(rows, 2))
    assert "ones @ " in f.source(w, b, x)
    slopes, z = f.value_and_grad(w, b, x)[1], x @ w.T + b
    for j, slope in enumerate(slopes):
        exact = math.fsum((2 * z[:, j]).tolist())
        most = (
            2.0**-53 * (rows + 4) * math.fsum(np.abs(2 * z[:, j]).tolist())
        )  # what so many additions may be off by
        assert abs(slope * (rows if reduce == "mean" else 1) - exact) <= most


def test_in_chunks_a_mean_is_over_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    from scalargrad.compiler import on_numpy

    whole = compile(cost, rows=("x", "y"), backend="numpy").value_and_grad(MODEL.state(), X, Y)
    monkeypatch.setattr(on_numpy, "chunk_of", lambda program: 2)
    value, gradient = compile(cost, rows=("x", "y"), backend="numpy").value_and_grad(
        MODEL.state(), X, Y
    )
    assert value == pytest.approx(whole[0], rel=1e-14)
    for name, block in gradient.items():
        np.testing.assert_allclose(block, whole[1][name], rtol=1e-12)


@pytest.mark.parametrize("big", [1e200, math.inf, math.nan])
def test_a_sum_of_squares_that_is_not_finite_is_what_it_is_in_python(big: float) -> None:
    on_arrays, plain = (
        compile(lambda w, x: sg.dot(x, x) * 1.0 + w * 0.0, rows="x", reduce="sum", backend=b)
        for b in ("numpy", "python")
    )
    rows = [[1.0, 2.0], [big, 3.0]]
    np.testing.assert_equal(on_arrays(1.0, rows), plain(1.0, rows))
    np.testing.assert_equal(on_arrays.value_and_grad(1.0, rows), plain.value_and_grad(1.0, rows))


# ------------------------------------------------------------------ which function answers


@pytest.mark.parametrize(
    ("slopes", "finite"),
    [
        ((), True),
        ((np.ones(2), np.float64(3.0)), True),
        ((np.ones((2, 3)), np.array([1.0, math.nan])), False),
        ((np.array([[1.0, -math.inf]]), np.ones(2)), False),
        ((np.ones(2), np.float64(math.inf)), False),
        (((np.ones(2),), (np.ones(3), np.zeros((0, 2)))), True),
        (((np.ones(2),), (np.array([math.nan, 1.0]),)), False),
    ],
)
def test_finite_slopes(slopes: Any, finite: bool) -> None:
    assert are_finite(slopes) == finite


def test_a_wrong_shape_in_the_fast_function_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    make = NumpyFunction._made

    def broken(self: Any, total: bool) -> Any:
        made, source = make(self, total)
        return made if total else lambda *arrays: np.ones((2, 3)) @ np.ones((2, 3)), source

    monkeypatch.setattr(NumpyFunction, "_made", broken)
    f = compile(cost, rows=("x", "y"), backend="numpy")
    with pytest.raises(ValueError, match="matmul"):
        f.value_and_grad(MODEL.state(), X, Y)


def test_a_domain_error_of_numbers_one_by_one_is_nan(tmp_path: Path) -> None:
    f, plain = (compile(scattered, backend=backend) for backend in ("numpy", "python"))
    w = [RNG.uniform(-1, 1) for _ in range(20)]
    assert "in plain Python" in repr(f.plan(w))
    np.testing.assert_equal(f.value_and_grad(w)[0], plain.value_and_grad(w)[0])
    wrong = [*w[:-1], math.inf]  # sin(inf) raises ValueError in math
    assert math.isnan(f(wrong))
    np.testing.assert_equal(f.value_and_grad(wrong)[1], plain.value_and_grad(wrong)[1])
    f.save(tmp_path / "saved.py", w)
    spec: Any = importlib.util.spec_from_file_location("saved", tmp_path / "saved.py")
    saved = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(saved)
    assert math.isnan(saved.value(wrong))
    np.testing.assert_equal(saved.value_and_grad(wrong)[1], f.value_and_grad(wrong)[1])


def test_the_caller_s_treatment_of_errors_is_left_as_it_was() -> None:
    f = compile(lambda x: sg.sigmoid(x), rows="x", reduce=None, backend="numpy")
    hard, seen = np.array([-800.0, 1.0]), []
    f(hard)

    def call(treatment: Any) -> None:
        with np.errstate(all=treatment):
            before = np.geterr()
            for _ in range(300):
                values = f(hard).tolist()
                seen.append(
                    (values == [sg.sigmoid(-800.0), sg.sigmoid(1.0)], np.geterr() == before)
                )

    threads = [
        threading.Thread(target=call, args=(treatment,))
        for treatment in ("raise", "ignore", "raise")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [(True, True)] * 900
