"""Exported models against `predict`, in the three languages."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from typing import Any

import pytest

from scalargrad import Value
from scalargrad.nn import MLP, Layer, Module, Neuron

from ..compiler.files import (
    COMPILERS,
    NODE,
    in_javascript,
    numbers,
    of_python_functions,
    says_of_itself,
)

ENDINGS = ("py", *["c"] * bool(COMPILERS), *["mjs"] * bool(NODE))


class Line(Module):
    """A model of one number."""

    def __init__(self) -> None:
        self.slope, self.height = Value(2.0), Value(-1.0)

    def __call__(self, x: Any) -> Any:
        return self.slope * x + self.height


class Gated(Module):
    """A model of a class of its own, in which a parameter stands in two places."""

    def __init__(self) -> None:
        self.first, self.gate = Layer(2, 3, "tanh", seed=1), Layer(2, 3, "sigmoid", seed=2)
        self.gate.neurons[0].w = self.first.neurons[1].w

    def __call__(self, x: Any) -> Any:
        return [a * b for a, b in zip(self.first(x), self.gate(x), strict=True)]


class Labelled(Module):
    """Parameters with labels of their own, one of which the prediction does not read."""

    def __init__(self) -> None:
        self.shift, self.unread = Value(0.1, "x"), Layer(2, 3, seed=1)
        self.scales = [Value(2.0, "double"), Value(-1.0, "*/ y"), Value(3.0, "TEST"), Value(0.5)]

    def __call__(self, x: Any) -> Any:
        return [sum(w * a for w, a in zip(self.scales, x * 2)) + self.shift, x[0]]


MODELS: list[tuple[Any, int | None]] = [
    (MLP(2, [8, 8, 1], activation="tanh", output_activation="sigmoid", seed=0), None),
    (MLP(3, [4, 5], activation="relu", seed=1), None),
    (MLP(30, [20, 12], activation=["gelu", "softplus"], bias=False, seed=1), None),
    (Neuron(1, seed=3), None),
    (Line(), None),
    (Gated(), 2),
    (Labelled(), 2),
]


def imported(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def is_close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-13 * max(1.0, abs(b))


@pytest.mark.parametrize("rows", [False, True])
def test_exported_models_predict_as_the_model_does(tmp_path: Path, rows: bool) -> None:
    tasks, expected = [], []
    for i, (model, inputs) in enumerate(MODELS):
        width = inputs or getattr(model, "nin", None)
        X: list[Any] = [
            [random.gauss(0.0, 1.0) for _ in range(width)] if width else random.gauss(0.0, 1.0)
            for _ in range(5)
        ]
        right = [*numbers(model.predict(X) if rows else model.predict(X[:1]))]
        for ending in ENDINGS:
            path = tmp_path / f"model{i}.{ending}"
            model.export(path, rows=rows, inputs=inputs)
            given = X if rows else X[0]
            if ending == "py":
                result = imported(path).predict(given)
                assert [*numbers(result)] == right
                assert isinstance(result, list)
                assert isinstance(result[0], list) is rows
            elif ending == "c":
                compiler = COMPILERS[i % len(COMPILERS)]
                assert says_of_itself(compiler, path) == "all numbers are as in Python\n"
            else:
                tasks.append((path, "predict", [given]))
                expected.append((right, rows))
    for got, (right, by_rows) in zip(in_javascript(tmp_path, tasks) if NODE else [], expected, strict=True):  # fmt: skip
        assert all(map(is_close, numbers(got), right))
        assert isinstance(got[0], list) is by_rows


def test_a_small_network_is_short_and_its_weights_have_their_names(tmp_path: Path) -> None:
    model, _ = MODELS[0]
    model.export(path := tmp_path / "net.c", labels=["blue", "red"])
    text = path.read_text(encoding="utf-8")
    assert "the likelier the class red, not blue" in " ".join(text.replace(" * ", " ").split())
    assert "static const double W1[16] = {" in text
    beside, is_table = 0, False
    for line in text.splitlines():
        is_table = is_table or line.startswith("static const double")
        beside += not is_table
        is_table = is_table and not line.endswith("};")
    assert beside < 60
    assert max(map(len, text.splitlines())) <= 100


def test_weights_that_are_no_finite_numbers_are_exported_to_python(tmp_path: Path) -> None:
    model = Neuron(3, activation=None, seed=0)
    model.load_state({"w": [float("inf"), float("-inf"), -0.0], "b": float("nan")})
    model.export(tmp_path / "net.py")
    names: dict[str, Any] = {}
    exec((tmp_path / "net.py").read_text(), names)
    assert repr([*names["WEIGHTS"].values()]) == "[[inf, -inf, -0.0], nan]"


def test_what_cannot_be_exported_says_why(tmp_path: Path) -> None:
    for count, labels in ((3, "ab"), (2, "a"), (1, "abc")):
        with pytest.raises(ValueError, match=f"labels must name the classes .*got {len(labels)}:"):
            MLP(2, [count], seed=0).export(tmp_path / "net.c", labels=labels)
    with pytest.raises(ValueError, match=r"must end in \.py or \.c or \.js"):
        MODELS[0][0].export(tmp_path / "net.txt")
    with pytest.raises((TypeError, ValueError)) as caught:
        Gated().export(tmp_path / "net.c")
    assert "write inputs=…, how many Gated takes" in caught.value.__notes__[0]

    class Nested(Line):
        def __call__(self, x: Any) -> Any:
            return {"y": self.slope * x}

    with pytest.raises(TypeError, match="a number or a list of numbers"):
        Nested().export(tmp_path / "net.c")
    with of_python_functions("own_sin_exported") as own:
        model = MLP(2, [2], output_activation=own, seed=0)
        for ending in ("py", "c", "js"):
            with pytest.raises(ValueError, match="a file cannot hold own_sin_exported"):
                model.export(tmp_path / f"net.{ending}")
    assert not [*tmp_path.iterdir()]
