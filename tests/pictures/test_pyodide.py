"""Pictures in Pyodide, where no process can start: Graphviz is the page's `@viz-js/viz`. Nothing is fetched."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scalargrad.pictures import engines

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
# The page: it mounts this package beside Pyodide's library and runs two texts of Python, the second with `viz`.
PAGE = r"""
const { loadPyodide } = require("pyodide");
const { instance } = require("@viz-js/viz");
(async () => {
  const [folder, before, after] = process.argv.slice(1);
  const python = await loadPyodide();
  python.FS.mkdirTree("/package/scalargrad");
  python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/package/scalargrad");
  python.runPython("import sys; sys.path.append('/package'); sys.dont_write_bytecode = True");
  const first = python.runPython(before);
  globalThis.viz = await instance();
  console.log(JSON.stringify([first, ...JSON.parse(python.runPython(after))]));
})();
"""
LACK = """
from scalargrad import Value, draw
try:
    draw(Value(2.0) * 3.0).svg
except RuntimeError as error:
    answer = str(error)
answer
"""
DRAWING = """
import json
from scalargrad import MLP, Value, draw, tanh
x, w = Value(2.0, "x"), Value(-0.3, "w")
y = tanh(w * x + x**2)
loss = MLP(2, [3, 1], seed=0)([1.0, -2.0]) ** 2
y.backward(), loss.backward()
pictures = [draw(y), draw(loss), draw(loss, collapse="neurons"), draw(loss, collapse="layers")]
answer = json.dumps([[y.data, x.grad, w.grad, loss.data], *(each.svg for each in pictures)])
"""
BROKEN = """
from scalargrad.pictures.engines import run
try:
    run("digraph { a -> ", 1.0, "a card")
except RuntimeError as error:
    answer = json.dumps([*json.loads(answer), str(error)])
answer
"""


@pytest.fixture(scope="module")
def there() -> list[Any]:
    """The answers of Pyodide: the error without `viz`, numbers, four pictures, the error of a broken text."""
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not on this machine")
    needs = "require.resolve('pyodide'); require.resolve('@viz-js/viz')"
    if subprocess.run([node, "-e", needs], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("node finds no pyodide and @viz-js/viz: npm install --no-save brings them")
    done = subprocess.run(
        [node, "-e", PAGE, str(ROOT / "scalargrad"), LACK, DRAWING + BROKEN],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answer: list[Any] = json.loads(done.stdout)
    return answer


def test_without_a_global_the_error_says_how_the_page_makes_one(there: list[Any]) -> None:
    assert there[0] == engines.NO_ENGINE
    assert "@viz-js/viz: globalThis.viz = await instance()" in there[0]


def test_numbers_and_pictures_are_those_of_this_python(there: list[Any]) -> None:
    pytest.importorskip("pygraphviz")
    names: dict[str, Any] = {}
    exec(DRAWING, names)
    numbers, *pictures = json.loads(names["answer"])
    assert there[1] == pytest.approx(numbers, rel=1e-14)
    for mine, theirs in zip(pictures, there[2:6], strict=True):
        assert mine.count('<g class="node') > 1
        assert NUMBER.sub("#", mine) == NUMBER.sub("#", theirs)  # cards, texts, tips, edges
        for ours, other in zip(NUMBER.findall(mine), NUMBER.findall(theirs)):
            # another tanh may end in another digit
            assert math.isclose(float(ours), float(other), rel_tol=1e-9)


def test_what_graphviz_says_of_a_broken_text_is_told(there: list[Any]) -> None:
    assert there[6] == "Graphviz failed: syntax error in line 1"
