"""Saved modules that need NumPy: in a process of their own without the package they give the same bits."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import Value, compile, functions, where
from scalargrad.compiler import machine
from scalargrad.nn import MLP
from scalargrad.nn.losses import binary_cross_entropy, cross_entropy
from scalargrad.ops import OPS

np = pytest.importorskip("numpy")

RUN = """
import json, sys
sys.path[:0] = {paths!r}
sys.modules["scalargrad"] = None  # it cannot be imported
import saved
def plain(x):
    if isinstance(x, dict):
        return {{key: plain(item) for key, item in x.items()}}
    return [plain(item) for item in x] if isinstance(x, (list, tuple)) else x.tolist() if hasattr(x, "tolist") else x
for name, args in json.loads(sys.stdin.read()):
    print(json.dumps(plain(getattr(saved, name)(*args))))
"""


def plain(result: Any) -> Any:
    """As JSON has it."""
    if isinstance(result, dict):
        return {key: plain(item) for key, item in result.items()}
    if hasattr(result, "tolist"):
        result = result.tolist()
    if isinstance(result, (list, tuple)):
        return [plain(item) for item in result]
    return "nan" if result != result else result


def text_of(folder: Path, compiled: Any, *args: Any) -> str:
    compiled.save(folder / "saved.py", *args)
    return (folder / "saved.py").read_text(encoding="utf-8")


def saved(folder: Path, compiled: Any, args: Any, *calls: tuple[str, Any]) -> list[Any]:
    """The answer of the module in another process, which finds NumPy and not the package."""
    text_of(folder, compiled, *args)
    paths = [str(folder), str(Path(np.__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", RUN.format(paths=paths)],
        input=json.dumps([(name, plain(content)) for name, content in calls]), capture_output=True, text=True, cwd=folder, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def here(folder: Path, compiled: Any, *args: Any) -> dict[str, Any]:
    """The names of the module."""
    names: dict[str, Any] = {}
    exec(text_of(folder, compiled, *args), names)
    return names


def test_a_network_over_rows_has_the_same_bits_in_another_process(tmp_path: Path) -> None:
    model = MLP(3, [5, 1], activation="gelu", output_activation="sigmoid", seed=1)
    X, y = np.random.default_rng(0).normal(size=(7, 3)), np.array([0.0, 1, 1, 0, 1, 0, 0])
    made = compile(
        lambda model, x, y: binary_cross_entropy(model(x), y), rows=("x", "y"), backend="numpy"
    )
    state = model.state()
    hard, ones = {**plain(state), "b2": [900.0]}, np.ones(7)  # exp(900) overflows
    calls = [
        ("value", [state, X, y]),
        ("value_and_grad", [state, X, y]),
        ("value_and_grad", [hard, X, ones]),
    ]
    value, both, total = saved(tmp_path, made, (model, X, y), *calls)
    assert value == made(model, X, y)
    assert both == plain(made.value_and_grad(model, X, y))
    model.load_state(hard)
    assert all(map(math.isfinite, total[1]["W2"][0]))
    assert total == plain(made.value_and_grad(model, X, ones))
    text = (tmp_path / "saved.py").read_text()
    assert "needs nothing but NumPy." in " ".join(text.split())
    assert re.search(r"^from numpy import .*\bexp\b", text, re.MULTILINE)
    assert '- model["W1"] is 5 × 3 numbers.' in text


def test_a_choice_that_was_left_out_is_masked(tmp_path: Path) -> None:
    made = compile(lambda x: where(x > 0, sg.sqrt(x), 0.0), rows="x", reduce=None, backend="numpy")
    (both,) = saved(tmp_path, made, ([1.0, 2.0],), ("value_and_grad", [[4.0, 0.0, -1.0]]))
    assert both == [[2.0, 0.0, 0.0], [0.25, 0.0, 0.0]]


def test_places_and_numbers_are_written_to_the_last_bit(tmp_path: Path) -> None:
    order, weights = (
        [3, 0, 4, 4, 1, 2, 0, 3],
        [0.1 + 0.2, 1 / 3, math.pi, -1e-300, 5e-324, 2.0, 1e17 / 7, -0.0],
    )

    def f(x: Any) -> Any:
        return [sg.tanh(x[i]) * w for i, w in zip(order, weights)]

    made = compile(f, backend="numpy")
    x = [0.5, -0.25, 0.1, 2.0, -3.0]
    (jacobian,) = saved(tmp_path, made, (x,), ("jacobian", [x]))
    assert "= numpy.array([" in (tmp_path / "saved.py").read_text()
    assert jacobian == plain(made.jacobian(x))


def test_results_have_the_users_structure_in_floats_and_arrays(tmp_path: Path) -> None:
    scale = Value(1.5)

    def f(p: Any, q: Any) -> Any:
        return {"a": sg.sum([x * q for x in p["w"]]) * scale, "b": (p["s"] * q, 2.0)}

    made = compile(f, wrt=(0, 1), backend="numpy")
    p = {"w": [1.0, 2.0, 3.0], "s": 4.0}
    names = here(tmp_path, made, p, 0.5)
    value, slopes = names["jacobian"](p, 0.5)
    assert (value, plain(slopes)) == (made(p, 0.5), plain(made.jacobian(p, 0.5)[1]))
    assert type(value["a"]) is type(slopes["a"][1]) is type(slopes["a"][0]["s"]) is float
    assert type(slopes["a"][0]["w"]) is np.ndarray
    assert names["value"](p, 0.5) == value


def test_each_row_alone_has_its_values_and_slopes(tmp_path: Path) -> None:
    made = compile(
        lambda w, x: [sg.dot(w, x), x[0] * w[1]], wrt=(0, 1), rows="x", reduce=None, backend="numpy"
    )
    w, X = [2.0, 1.0], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    names = here(tmp_path, made, w, X)
    assert plain(names["jacobian"](w, X)) == plain(made.jacobian(w, X))
    assert plain(names["value"](w, X)) == plain(made(w, X))


@pytest.mark.parametrize(
    "op", [op for op in OPS.values() if op.is_public and op.name != "where"], ids=lambda op: op.name
)
def test_every_row_takes_along_what_it_calls(op: Any, tmp_path: Path) -> None:
    function = getattr(functions, op.name)

    def f(xs: Any) -> Any:
        out = (
            function(xs, xs)
            if op.name == "dot"
            else function(xs)
            if op.takes_lists
            else function(*xs[: len(op.operands)])
        )
        return out[0] if isinstance(out, list) else out

    made = compile(f, backend="numpy")
    names = here(tmp_path, made, [0.5, 0.25, 0.75])
    for point in (
        [0.5, 0.25, 0.75],
        [0.0] * 3,
        [-1.0, math.inf, 1e-300],
        [800.0, -0.5, math.nan],
        [-38.0, 2.0, 1e200],
        [1e200, 1e200, 1.0],
    ):
        assert plain(names["value_and_grad"](point)) == plain(made.value_and_grad(point))


def test_arguments_of_other_shapes_are_refused(tmp_path: Path) -> None:
    made = compile(lambda w, x: sg.dot(w, x), rows="x", backend="numpy")
    value = here(tmp_path, made, [1.0, 2.0], [[1.0, 2.0]])["value"]
    assert value([1, 2], [[1, 2], [3, 4]]) == 8.0
    for w, x in (([1.0], [[1.0, 2.0]]), ([1.0, 2.0], [1.0, 2.0])):
        with pytest.raises(ValueError, match="must have the shape"):
            value(w, x)
    with pytest.raises(ValueError, match="one at least"):
        value([1, 2], np.zeros((0, 2)))


def test_native_is_saved_as_what_does_without_machine_code(tmp_path: Path) -> None:
    if machine.compiler() is None:
        pytest.skip("there is no C compiler")
    small = text_of(tmp_path, compile(lambda x: x * x, backend="native"), 2.0)
    assert "import numpy" not in small
    model = MLP(4, [16, 3], activation="tanh", seed=0)
    made = compile(lambda m, x, y: cross_entropy(m(x), y), rows=("x", "y"), backend="native")
    assert "import numpy" in text_of(tmp_path, made, model, np.ones((200, 4)), np.eye(3)[[0] * 200])


def test_arguments_may_be_called_as_functions_of_numpy_are(tmp_path: Path) -> None:
    made = compile(
        lambda remainder, broadcast_to, x: sg.sum([(a % remainder) * broadcast_to for a in x]),
        rows="x", backend="numpy",
    )  # fmt: skip
    args = 2.0, 3.0, [[1.5, 0.5, 2.5], [0.25, 5.0, 1.0]]
    assert (
        here(tmp_path, made, *args)["value"](*args)
        == 3.0 * (1.5 + 0.5 + 0.5 + 0.25 + 1.0 + 1.0) / 2
    )
    value, slopes = here(tmp_path, made, *args)["value_and_grad"](*args)
    assert (value, plain(slopes)) == (made(*args), plain(made.value_and_grad(*args)[1]))
