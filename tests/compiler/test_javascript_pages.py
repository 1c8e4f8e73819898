"""Single operations in JavaScript give the values and slopes that Python's floats give, each of the table."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from scalargrad.compiler.dialects.javascript import JAVASCRIPT
from scalargrad.compiler.emitters.javascript_pages import row_functions
from scalargrad.ops import LISTS, OPS
from scalargrad.rows.text import on_floats
from tests.compiler.files import NODE, of_python_functions, run
from tests.edges import EDGES

RECORDED = [op for op in OPS.values() if op.slopes is not None]
CALL = "console.log(JSON.stringify(TASKS.map(([i, xs]) => rows[i](...xs).flat().map(String))));"


def points(op: Any) -> list[list[Any]]:
    """Operands of an operation: those of the table of edges, and some within its domain."""
    rng = random.Random(op.name)
    at = [[*edge.operands] for edge in EDGES if edge.name == op.name]
    if op.takes_lists:
        at = [[[*x] if isinstance(x, (tuple, list)) else x for x in operands] for operands in at]
    for _ in range(8):
        drawn: list[Any] = []
        for name, (low, high) in zip(op.operands, op.domain, strict=True):
            low, high = max(low, -4.0), min(high, 4.0)
            drawn.append(
                [rng.uniform(low, high) for _ in range(3)]
                if name in LISTS
                else rng.uniform(low, high)
            )
        at.append(drawn)
    return at


def flat(operands: Any) -> list[float]:
    return [float(x) for o in operands for x in (o if isinstance(o, list) else [o])]


@pytest.mark.skipif(NODE is None, reason="node is not on this machine")
def test_value_and_slopes_of_every_operation_are_those_of_python(tmp_path: Path) -> None:
    tasks, expected = [], []
    for place, op in enumerate(RECORDED):
        for operands in points(op):
            numbers = ", ".join(map(JAVASCRIPT.literal, flat(operands)))
            tasks.append(f"[{place}, [{numbers}]]")
            expected.append((op.name, operands, flat(on_floats(op)["total"](*operands))))
    script = f"{row_functions(RECORDED)}\nconst TASKS = [{', '.join(tasks)}];\n{CALL}"
    path = tmp_path / "rows.js"
    path.write_text(script, encoding="utf-8")
    found = json.loads(run(NODE, path))
    assert len({name for name, *_ in expected}) == len(RECORDED)
    for (name, operands, wanted), got in zip(expected, found, strict=True):
        for x, y in zip(wanted, map(float, got), strict=True):
            near = math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-300)
            assert near or (x != x and y != y), (name, operands, wanted, got)


def test_an_operation_of_python_functions_has_none() -> None:
    with of_python_functions("wave"):
        assert row_functions([OPS["wave"]]).splitlines()[1:3] == ["  // wave", "  null,"]
