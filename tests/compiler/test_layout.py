"""Long lines are broken and mean the same; structures are written out."""

from __future__ import annotations

import ast

import pytest

from scalargrad.compiler.layout import nested, pattern, sum_of, wrapped, zeros


@pytest.mark.parametrize(
    "line",
    [
        "    z = " + " + ".join(f"W_{i} * (x_{i} + {i}.0)" for i in range(40)),
        "    (" + ", ".join(f"x_{i}" for i in range(60)) + ") = x",
        "    " + ", ".join(f"x_{i}" for i in range(60)) + " = x",
        "    return total, (" + ", ".join(f"[a_{i}, b_{i}]" for i in range(30)) + ")",
        "    d = ["
        + ", ".join("[" + ", ".join(f"a_{i}_{j} * b" for j in range(30)) + "]" for i in range(5))
        + "]",
        "    if not isfinite(" + " + ".join(f"x_{i}" for i in range(60)) + "):",
        "    for (" + ", ".join(f"x_{i}" for i in range(60)) + "), y_i in zip(x, y):",
        "    x = v[3] = " + " - ".join(f"f(a_{i}, b_{i})" for i in range(30)),
        "    values.append((v, [" + ", ".join(f"x_{i}" for i in range(60)) + "]))",
        "    total += " + " + ".join(f"x_{i}" for i in range(60)),
        "def f(" + ", ".join(f"x_{i}" for i in range(60)) + "):",
    ],
)
def test_a_long_line_is_broken_and_means_the_same(line: str) -> None:
    indent = line[: len(line) - len(line.lstrip())]
    rest = f"\n{indent}    pass" if line.endswith(":") else ""
    broken = wrapped(line, 100)
    assert len(broken) > 1
    assert max(map(len, broken)) <= 100
    around = "async def g():\n" if indent else ""

    def tree(text: str) -> str:
        return ast.dump(ast.parse(around + text + rest))

    assert tree("\n".join(broken)) == tree(line)


def test_a_line_that_can_be_broken_nowhere_stays() -> None:
    line = "    x = " + "y" * 200
    assert "".join(piece.strip() for piece in wrapped(line, 100)) in (
        line.strip(),
        f"x = ({'y' * 200})",
    )
    assert wrapped("z" * 200, 100) == ["z" * 200]


def test_structures_are_written_out() -> None:
    assert nested((), ["a"]) == "a"
    assert nested((0,), []) == "[]"
    assert nested((2, 0), []) == "[[], []]"
    assert pattern((2,), ["a", "b"]) == "a, b"
    assert pattern((1,), ["a"]) == "(a,)"
    assert pattern((3,), ["", "", ""]) == "_"
    assert pattern((2, 2), ["", "", "c", ""]) == "_, (c, _)"
    assert eval(sum_of((2, 1, 2), "d"), {"d": [[[1.0, 2.0]], [[3.0, 4.0]]]}) == 10.0
    assert "\n".join(zeros(["a"] * 100)).count("a") == 100
    assert all(
        line.endswith(" = 0.0") and len(line) <= 130
        for line in zeros([f"name_{i}" for i in range(100)])
    )
