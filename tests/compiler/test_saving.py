"""Saved modules: they run without the package, with the same bits, and a save that fails leaves the old file."""

from __future__ import annotations

import ast
import json
import math
import os
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path
from typing import Any

import pandas
import pytest

import scalargrad as sg
from scalargrad import Value, compile, functions, where
from scalargrad.arithmetic.total import TOTAL
from scalargrad.compiler.carried import answer, check_rows, numbers
from scalargrad.compiler.standalone import Standalone
from scalargrad.files import put_in_place
from scalargrad.nn import MLP
from scalargrad.nn.losses import binary_cross_entropy
from scalargrad.ops import OPS
from scalargrad.rows.text import FAST_NAMES

RUN = """
import json, sys
sys.path.insert(0, {folder!r})
import saved
assert not any(name.startswith(("scalargrad", "numpy")) for name in sys.modules)
for name, args in json.loads(sys.stdin.read()):
    print(json.dumps(getattr(saved, name)(*args)))
"""


def text_of(compiled: Any, *args: Any) -> str:
    """The module for a compiled function."""
    with tempfile.TemporaryDirectory() as folder:
        compiled.save(Path(folder) / "made.py", *args)
        return (Path(folder) / "made.py").read_text(encoding="utf-8")


def saved(folder: Path, text: str, *calls: tuple[str, Any]) -> list[Any]:
    """The answer of a module, in a process of its own without site packages."""
    (folder / "saved.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", RUN.format(folder=str(folder))],
        input=json.dumps(calls), capture_output=True, text=True, cwd=folder, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def plain(result: Any) -> Any:
    """As JSON has it: lists and dicts, nan as a text."""
    if isinstance(result, dict):
        return {key: plain(item) for key, item in result.items()}
    if hasattr(result, "tolist"):
        result = result.tolist()
    if isinstance(result, (list, tuple)):
        return [plain(item) for item in result]
    return "nan" if result != result else result


def test_a_network_over_rows_has_the_same_bits_in_another_process(tmp_path: Path) -> None:
    model = MLP(2, [3, 1], activation="gelu", output_activation="sigmoid", seed=1)

    def loss(model: Any, x: Any, y: Any) -> Any:
        """The loss of a row, which is "cross-entropy" \\ and no more."""
        return binary_cross_entropy(model(x), y)

    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    made = compile(loss, rows=("x", "y"), backend="python")
    state = plain(model.state())
    hard = {**state, "W1": [[300.0, 1e300], [-1e300, 2.0], [0.0, -500.0]]}
    text = text_of(made, model, X, y)
    value, both, total = saved(
        tmp_path,
        text,
        ("value", [state, X, y]),
        ("value_and_grad", [state, X, y]),
        ("value_and_grad", [hard, X, y]),
    )
    assert value == made(model, X, y)
    assert both == plain(made.value_and_grad(model, X, y))
    model.load_state(hard)
    assert plain(total) == plain(made.value_and_grad(model, X, y))
    document = ast.get_docstring(ast.parse(text)) or ""
    assert 'The loss of a row, which is "cross-entropy" \\ and no more.' in document
    assert (
        '- model["b2"] is 1 number.\n- x is n rows of 2 numbers.\n- y is n numbers, one for each row.'
        in document
    )
    assert "value_and_grad(model, x, y)" in document


Point = namedtuple("Point", "x y")


def test_structures_go_in_and_come_out(tmp_path: Path) -> None:
    def f(p: Any, kind: Any, q: Any) -> Any:
        return {
            "sum": [p["w"][0][1] * q[0], p["it's"] + q[1].x],
            "rest": (p["w"][1][0] / q[1].y, kind(p["it's"]), 1.5),
        }

    made = compile(f, wrt=(2, 0), backend="python")
    p, q = {"w": [[1.0, 2.0], [3.0, 4.0]], "it's": 0.5}, (2.0, Point(3.0, 4.0))
    value, jacobian = saved(
        tmp_path, text_of(made, p, sg.tanh, q), ("value", [p, q]), ("jacobian", [p, q])
    )
    assert value == plain(made(p, sg.tanh, q))
    assert jacobian == plain(made.jacobian(p, sg.tanh, q))


def test_tuples_come_back_as_tuples() -> None:
    made = compile(lambda p: p[0][0] * p[1][1] + p[0][1], backend="python")
    names: dict[str, Any] = {}
    exec(text_of(made, ((1.0, 2.0), (3.0, 4.0))), names)
    assert names["value_and_grad"](((1, 2), (3, 4))) == (6.0, ((4.0, 1.0), (0.0, 1.0)))
    each = compile(lambda x: [x[0] * x[1], x[0]], rows="x", reduce=None, backend="python")
    exec(text_of(each, [[1.0, 2.0], [3.0, 4.0]]), names)
    assert names["jacobian"]([[1, 2], [3, 4]]) == each.jacobian([[1, 2], [3, 4]])
    assert names["value"]([[1, 2], [3, 4]]) == each([[1, 2], [3, 4]])


def test_each_row_alone_has_its_gradient() -> None:
    made = compile(
        lambda w, x: w[0] * x + w[1], wrt=(0, 1), rows="x", reduce=None, backend="python"
    )
    names: dict[str, Any] = {}
    exec(text_of(made, [2.0, 1.0], [1.0, 2.0, 3.0]), names)
    assert names["value_and_grad"]([2, 1], [1, 2, 3]) == made.value_and_grad(
        [2.0, 1.0], [1.0, 2.0, 3.0]
    )


def test_values_from_elsewhere_are_as_they_were() -> None:
    scale = Value(math.pi)
    made = compile(lambda x: x * scale + sg.exp(x), backend="python")
    names: dict[str, Any] = {}
    text = text_of(made, 1.0)
    scale.data = 100.0
    exec(text, names)
    assert names["value"](2) == 2.0 * math.pi + math.exp(2.0)
    assert "as they were when this was saved" in names["__doc__"]


@pytest.mark.parametrize(
    "op", [op for op in OPS.values() if op.is_public and op.name != "where"], ids=lambda op: op.name
)
def test_every_row_takes_along_what_it_calls(op: Any) -> None:
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

    made = compile(f, backend="python")
    names: dict[str, Any] = {}
    exec(text_of(made, [0.5, 0.25, 0.75]), names)
    for point in (
        [0.5, 0.25, 0.75],
        [0.0, 0.0, 0.0],
        [-1.0, math.inf, 1e-300],
        [800.0, -0.5, math.nan],
        [-38.0, 2.0, 1e200],
        [1e200, 1e200, 1.0],
    ):
        assert plain(names["value_and_grad"](point)) == plain(made.value_and_grad(point))


def test_only_what_is_called_is_taken_along() -> None:
    text = text_of(compile(lambda x, y: x * y + 1, backend="python"), 1.0, 2.0)
    defined = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    assert defined == {
        "raw_value", "total_value", "raw_value_and_grad", "total_value_and_grad", "_contents", "_gradient", "_numbers", "_answer",
        "value", "value_and_grad",
    }  # fmt: skip
    assert "from math import isfinite" in text
    assert "\n\n\n\n" not in text


def test_constants_keep_every_bit() -> None:
    number = 0.1 + 0.2
    made = compile(lambda x: x * number + x / 3.0000000000000004, backend="python")
    names: dict[str, Any] = {}
    text = text_of(made, 1.0)
    exec(text, names)
    assert repr(number) in text
    assert names["value"](7) == made(7.0)


def test_the_same_name_for_two_constants_becomes_two() -> None:
    standalone = Standalone()
    standalone.add("def f(x):\n    return x * k", {"k": 0.1})
    standalone.add("def g(x):\n    return x * k + exp(x)", {"k": 0.2, "exp": TOTAL["exp"]})
    standalone.add("def h(x):\n    return exp(x)", {"exp": FAST_NAMES["exp"]})
    names: dict[str, Any] = {}
    exec(standalone.text(), names)
    assert (names["f"](1.0), names["g"](1000.0), names["h"](0.0)) == (0.1, math.inf, 1.0)
    assert names["g"](0.0) == 1.0


def test_arguments_of_other_shapes_are_refused() -> None:
    for right in ([[1, 2], [3, 4]], pandas.DataFrame([[1, 2], [3, 4]])):
        assert numbers(right, "W", 2, 2) == [[1.0, 2.0], [3.0, 4.0]]
    for wrong, shape, message in (
        ([1, 2, 3], (2,), "W must have 2 items, got 3"),
        ([[1, 2], [3]], (2, 2), r"W\[1\] must have 2 items, got 1"),
        (1.0, (2,), "W must be a list of numbers, got 1.0"),
        ([1.0], (), r"W must be a number, got \[1.0\]"),
        ({1: 2.0, 3: 4.0}, (2,), "W must be a list of numbers, got {1: 2.0"),
        ("12", (-1,), "W must be a list of numbers, got '12'"),
        (pandas.DataFrame([[1.0], [2.0]]), (-1,), r"W must be a list of numbers, got \[\[1.0"),
    ):
        with pytest.raises(ValueError, match=message):
            numbers(wrong, "W", *shape)
    with pytest.raises(
        ValueError, match=r"same number of rows, one at least, got \{'x': 1, 'y': 2\}"
    ):
        check_rows(x=[1], y=[1, 2])
    with pytest.raises(ValueError, match="one at least"):
        check_rows(x=[])


def test_the_total_function_answers_where_the_raw_one_raises() -> None:
    assert answer(lambda x: 1.0 / x, lambda x: math.inf, 0.0) == math.inf
    assert answer(lambda x: 1.0 / x, lambda x: math.inf, 2.0) == 0.5
    with pytest.raises(TypeError):
        answer(lambda x: x + None, lambda x: 0.0, 1.0)


def test_a_saved_module_masks_what_a_choice_left_out() -> None:
    made = compile(lambda x: where(x > 0, sg.sqrt(x), 0.0), backend="python")
    names: dict[str, Any] = {}
    exec(text_of(made, 1.0), names)
    assert [names["value_and_grad"](x) for x in (4, 0, -1)] == [(2.0, 0.25), (0.0, 0.0), (0.0, 0.0)]


def test_keys_that_cannot_be_written_are_refused() -> None:
    made = compile(lambda p: p[(1, 2)], backend="python")
    with pytest.raises(TypeError, match="tuple is no text or whole number"):
        text_of(made, {(1, 2): 1.0})


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    def f(p: Any) -> Any:
        return p['"""\n'] * p["\\"]

    f.__doc__ = '"""\nraise SystemExit(1)\n"""\\'
    f.__name__ = "x\nraise SystemExit(1)"
    made = compile(f, backend="python")
    p = {'"""\n': 2.0, "\\": 3.0}
    assert saved(tmp_path, text_of(made, p), ("value_and_grad", [p])) == [
        [6.0, {'"""\n': 3.0, "\\": 2.0}]
    ]


def test_a_save_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.py"
    put_in_place(path, "old = 1\n")

    def full(*args: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        put_in_place(path, "new = 2\n")
    monkeypatch.undo()
    assert path.read_text() == "old = 1\n"
    assert os.listdir(tmp_path) == ["model.py"]
    put_in_place(path, "new = 2\n")
    assert path.read_text() == "new = 2\n"
