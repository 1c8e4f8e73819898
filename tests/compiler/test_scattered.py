"""Programs with hardly two steps alike, on NumPy: plain Python computes them, results come as they would from arrays."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from typing import Any

import pytest

from scalargrad import compile, sin
from scalargrad.nn import MLP

np = pytest.importorskip("numpy")

STEPS = 300


def scattered(w: Any, c: Any) -> list[Any]:
    """Numbers made of three drawn from the latest, and divided by one."""
    rng = random.Random(1)
    made = [*w[0], *w[1]]
    for _ in range(STEPS):
        a, b, d = rng.sample(made[-20:], 3)
        made.append(sin(a * b + d) / c)
    return made[-2:]


W = [
    [random.Random(i).uniform(-1, 1) for i in range(10)],
    [random.Random(i).uniform(-1, 1) for i in range(10, 20)],
]


def test_results_are_those_of_plain_python_in_the_same_containers() -> None:
    on_arrays, plain = (
        compile(scattered, wrt=(0, 1), backend=backend) for backend in ("numpy", "python")
    )
    for w, c in (
        (W, 1.25),
        (np.array(W), np.float64(1.25)),
        (W, 0.0),
    ):  # c = 0: what raises in plain Python is inf or nan
        values, slopes = on_arrays.jacobian(w, c)
        expected, by_hand = plain.jacobian(w, c)
        np.testing.assert_array_equal(values, expected)
        for (dw, dc), (dw_expected, dc_expected) in zip(slopes, by_hand, strict=True):
            assert (type(dw), np.shape(dw), type(dc)) == (type(w), (2, 10), float)
            np.testing.assert_array_equal(dw, dw_expected)
            np.testing.assert_array_equal(dc, dc_expected)
        np.testing.assert_array_equal(on_arrays(w, c), plain(w, c))


def test_the_plan_and_the_source_say_so() -> None:
    f = compile(scattered, backend="numpy")
    assert repr(f.plan(W, 1.25)).startswith("numpy: as asked for; too few of ")
    assert repr(f.plan(W, 1.25)).endswith(
        " operations are alike for arrays: in plain Python, number by number"
    )
    assert f.source(W, 1.25) == compile(scattered, backend="python").source(W, 1.25)
    assert compile(scattered).plan(W, 1.25).backend in ("python", "native")


def test_saved_modules_give_the_same(tmp_path: Path) -> None:
    f = compile(lambda w, c: scattered(w, c)[0], backend="numpy")
    f.save(tmp_path / "saved.py", W, 1.25)
    spec: Any = importlib.util.spec_from_file_location("saved", tmp_path / "saved.py")
    saved = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(saved)
    for c in (1.25, 0.0):
        (value, slopes), (expected, by_hand) = saved.value_and_grad(W, c), f.value_and_grad(W, c)
        np.testing.assert_array_equal(value, expected)
        np.testing.assert_array_equal(slopes, by_hand)
        assert isinstance(slopes, np.ndarray)


def test_layers_and_rows_stay_vectors() -> None:
    model = MLP(20, [20, 1], activation="tanh", seed=0)
    layers = compile(lambda model, x: model(x), backend="numpy")
    assert "@" in layers.source(model.state(), [0.5] * 20)
    by_rows = compile(scattered, rows="c", backend="numpy")
    assert "number by number" not in repr(by_rows.plan(W, [1.25, 2.0]))
    assert "@" in by_rows.source(W, [1.25, 2.0])
