"""The generated source of the five tutorials' networks, as it was last read and found good.

    python -m tests.compiler.test_golden        # write the files anew, after reading what changes

A change of the source shows here, and in review as a change of a file in `tests/compiler/golden`.
"""

from __future__ import annotations

import ast
import difflib
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scalargrad import compile, exp, sigmoid
from scalargrad.nn import MLP
from scalargrad.nn.losses import binary_cross_entropy, half_squared_error, squared_error

GOLDEN = Path(__file__).parent / "golden"
BACKENDS = ("python", "numpy")
HEAD = '# ruff: noqa\n# fmt: off\n"""{}, generated for the backend {}."""\n\n'
RENEW = "python -m tests.compiler.test_golden"


class Network(NamedTuple):
    """A tutorial's network: a function, how it is compiled, and arguments of the structure it is compiled for."""

    title: str
    function: Any
    options: dict[str, Any]
    arguments: tuple[Any, ...]


def network(sizes: list[int], **options: Any) -> Any:
    return MLP(
        sizes[0], sizes[1:], activation="sigmoid", output_activation="sigmoid", seed=1, **options
    )


def two_layers(model: Any, x: Any, y: Any) -> Any:
    """Half the squared error, as the thread has it."""
    return half_squared_error(model(x), y)


def xor(model: Any, x: Any, y: Any) -> Any:
    """Half the squared error of one row."""
    return half_squared_error(model(x), y)


def cross_entropy(model: Any, x: Any, y: Any) -> Any:
    """Cross-entropy of one row."""
    return binary_cross_entropy(model(x), y)


def digits(model: Any, x: Any, y: Any) -> Any:
    """The squared cost of one example."""
    return squared_error(model(x), y)


def gender(p: Any, x1: Any, x2: Any, y: Any) -> Any:
    """The blog's network of nine numbers, written in scalars."""
    h1 = sigmoid(p["w1"] * x1 + p["w2"] * x2 + p["b1"])
    h2 = sigmoid(p["w3"] * x1 + p["w4"] * x2 + p["b2"])
    o = 1 / (1 + exp(-(p["w5"] * h1 + p["w6"] * h2 + p["b3"])))
    return (y - o) ** 2


SUMMED = {"rows": ("x", "y"), "reduce": "sum"}
MEAN = {"rows": ("x", "y")}
NETWORKS = {
    "two_layers": Network(
        "Two layers", two_layers, SUMMED, (network([3, 4, 2]), [[0.1, 0.2, 0.3]], [[0.0, 1.0]])
    ),
    "xor": Network("XOR", xor, SUMMED, (network([2, 3, 1]), [[0.0, 1.0]], [1.0])),
    "cross_entropy": Network(
        "Cross-entropy without biases",
        cross_entropy,
        MEAN,
        (network([2, 4, 1], bias=False), [[0.1, 0.2]], [1.0]),
    ),
    "digits": Network(
        "Digits of 2 × 2 pixels", digits, MEAN, (network([4, 3, 3, 2]), [[0.5] * 4], [[0.0, 1.0]])
    ),
    "gender": Network(
        "Gender by height and weight",
        gender,
        {},
        (dict.fromkeys(("w1", "w2", "b1", "w3", "w4", "b2", "w5", "w6", "b3"), 0.5), 1.0, 2.0, 0.0),
    ),
}


def source(name: str, backend: str) -> str:
    """A network's generated source, as its file has it."""
    made = NETWORKS[name]
    if backend != "python":
        pytest.importorskip(backend)
    return HEAD.format(made.title, backend) + compile(
        made.function, backend=backend, **made.options
    ).source(*made.arguments)


def file_of(name: str, backend: str) -> Path:
    return GOLDEN / f"{name}_in_{backend}.py"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_source_of_a_tutorials_network_is_as_it_was_read(name: str, backend: str) -> None:
    path, now = file_of(name, backend), source(name, backend)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if now != before:
        changes = "\n".join(
            difflib.unified_diff(
                before.splitlines(),
                now.splitlines(),
                f"{path.name} as it was",
                "now",
                lineterm="",
                n=1,
            )
        )
        pytest.fail(
            f"the generated source has changed:\n{changes}\n\nIf the new one reads better, write the files anew: {RENEW}"
        )


def test_there_is_no_file_of_a_network_that_is_gone() -> None:
    assert {path.name for path in GOLDEN.glob("*_in_*.py")} >= {
        file_of(name, backend).name for name in NETWORKS for backend in BACKENDS
    }
    assert {path.stem.rpartition("_in_")[0] for path in GOLDEN.glob("*_in_*.py")} <= set(NETWORKS)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_lines_are_short_and_begin_one_statement_each(name: str, backend: str) -> None:
    text = source(name, backend)
    assert max(map(len, text.splitlines())) <= 140
    begins = [node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    assert len(set(begins)) == len(begins)


def renew() -> None:
    """Write all files anew."""
    GOLDEN.mkdir(exist_ok=True)
    for backend in BACKENDS:
        for name in NETWORKS:
            path, text = file_of(name, backend), source(name, backend)
            changed = not path.exists() or path.read_text(encoding="utf-8") != text
            path.write_text(text, encoding="utf-8")
            print(
                f"{path.relative_to(Path.cwd())}{' (changed)' if changed else ''}", file=sys.stdout
            )


if __name__ == "__main__":
    renew()
