"""Rows of the table in machine code: total, and within 2 ulp an operation of what the table gives on floats."""

from __future__ import annotations

import ast
import inspect
import itertools
import math
import os
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import Any

import mpmath
import pytest

import scalargrad
from scalargrad import Value, custom_op, functions
from scalargrad.compiler.in_native import machine
from scalargrad.compiler.in_native.machine import (
    build,
    is_made,
    known_names,
    machine_names,
    machine_statements,
)
from scalargrad.ops import LISTS, OPS, Op
from scalargrad.rows.text import TOTAL_NAMES, on_floats, statements

from ... import oracle
from ...edges import EDGES, inf, nan, same

pytest.importorskip("numba")
np: Any = pytest.importorskip("numpy")

ROWS = [op for op in OPS.values() if not op.is_composed]
NUMBERS = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.3,
    -2.5,
    2.0,
    inf,
    -inf,
    nan,
    5e-324,
    -5e-324,
    1e-310,
    1e308,
    -1e308,
    1e200,
    710.0,
    -745.2,
    40.0,
    -39.0,
]
PER_OPERATION = 2.0  # ulp


def source_of(op: Op, wide: bool = False) -> str:
    """A function of the row's operands that gives its value and its slopes."""
    forward, slopes = machine_statements(op, wide=wide)
    results = ", ".join(["out", *(f"d{operand}" for operand in op.operands)])
    return "\n    ".join(
        [f"def row_{op.name}({', '.join(op.operands)}):", *forward, *slopes, f"return {results}"]
    )


@pytest.fixture(scope="module")
def rows() -> dict[str, Any]:
    """The functions of all rows, of one source."""
    source = "\n\n\n".join(source_of(op) for op in ROWS)
    return build(source, "row_exp").py_func.__globals__  # type: ignore[attr-defined, no-any-return]


def points(op: Op) -> Iterator[tuple[Any, ...]]:
    """The hard points of a row, and random ones."""
    rng = random.Random(op.name)
    yield from (edge.operands for edge in EDGES if edge.name == op.name)
    numbers = NUMBERS if len(op.operands) < 3 else NUMBERS[::2]
    if not op.takes_lists:
        yield from itertools.product(numbers, repeat=len(op.operands))
    elif op.operands == ("xs",):
        yield from (([a],) for a in numbers)
        if op.name in ("sum", "prod", "norm", "logsumexp"):
            yield ([],)
        yield from (([a, b, 0.5, a],) for a, b in itertools.product(numbers, repeat=2))
    else:
        yield from (([a, b], [b, 2.0], a) for a, b in itertools.product(numbers, repeat=2))
    yield from (tuple(oracle.draw(rng, op)) for _ in range(300))


def limit(op: Op) -> float:
    """2 ulp; where hypot is called, which numba has of its own, 2 ulp an operation (a helper has ten)."""
    forward, slopes = machine_statements(op)
    nodes = [node for line in (*forward, *slopes) for node in ast.walk(ast.parse(line))]
    called = [
        node.func.id
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    if not {"hypot", "_length", "over_hypot", "over_squares"} & {*called}:
        return PER_OPERATION
    return PER_OPERATION * sum(isinstance(node, ast.BinOp) for node in nodes) + sum(
        1 if hasattr(math, name) else 10 for name in called
    )


def distance(got: float, expected: float) -> float:
    """In ulp; infinite where one is nan, infinite or zero and the other is not."""
    if got == expected or (math.isnan(got) and math.isnan(expected)):
        return 0.0
    if not math.isfinite(got) or not math.isfinite(expected) or expected == 0.0:
        return inf
    return abs(got - expected) / math.ulp(expected)


def numbers_of(x: Any) -> list[float]:
    return x.tolist() if isinstance(x, np.ndarray) else [x]


# ------------------------------------------------------------------ rows and names


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_a_row_in_machine_code_gives_what_it_gives_on_floats(op: Op, rows: dict[str, Any]) -> None:
    compiled, total, allowed = rows[f"row_{op.name}"], on_floats(op)["total"], limit(op)
    for operands in points(op):
        expected = total(*operands)
        out, *slopes = compiled(
            *(
                np.array(x) if name in LISTS else x
                for name, x in zip(op.operands, operands, strict=True)
            )
        )
        assert same(out, expected[0]) or (out != 0.0 and distance(out, expected[0]) <= allowed), (
            operands
        )
        for got, slope in zip(
            [x for s in slopes for x in numbers_of(s)], oracle.flat(expected[1:]), strict=True
        ):
            assert distance(got, slope) <= allowed, operands


def test_every_name_of_the_table_has_one_in_machine_code() -> None:
    assert {*TOTAL_NAMES} <= {*machine_names()} == known_names() | {"__name__"}


def test_rows_of_numbers_are_written_as_they_are_on_floats() -> None:
    for op in ROWS:
        if not op.takes_lists:
            assert machine_statements(op) == statements(op)


def test_lists_in_the_text_of_a_row_become_arrays(clean: None) -> None:
    custom_op("both", "logsumexp([x, y]) + prod([x, y, 2])", ("1.0", "1.0"))
    both = build(source_of(OPS["both"]), "row_both")
    assert both(3.0, 5.0)[0] == on_floats(OPS["both"])["value"](3.0, 5.0)


@pytest.fixture
def clean() -> Iterator[None]:
    """Takes away the rows that a test adds."""
    before = {*OPS}
    yield
    for name in {*OPS} - before:
        del OPS[name]
        for holder in (Value, functions, scalargrad):
            if name in vars(holder):
                delattr(holder, name)


# ------------------------------------------------------------------ exp and tanh for long loops

LOOP = """
def run(xs, results):
    for i in range(len(xs)):
        results[i] = {name}(xs[i])
"""


@pytest.mark.parametrize(("name", "ulps", "top"), [("exp", 1.0, 709.7), ("tanh", 2.5, 25.0)])
def test_wide_functions_are_total_and_near_the_truth(name: str, ulps: float, top: float) -> None:
    rng = random.Random(name)
    xs = [
        *NUMBERS,
        709.9,
        -745.13,
        -746.0,
        1e308,
        *(rng.uniform(-top, top) for _ in range(3000)),
        *(rng.gauss(0.0, 1.0) for _ in range(3000)),
    ]
    results = np.empty(len(xs))
    build(LOOP.format(name=f"_wide_{name}"), "run")(np.array(xs), results)
    with mpmath.workdps(40):
        for x, got in zip(xs, results.tolist(), strict=True):
            expected = TOTAL_NAMES[name](x)
            if math.isfinite(x) and math.isfinite(expected) and expected:
                assert oracle.ulps(got, getattr(mpmath, name)(mpmath.mpf(x))) <= ulps, x
            else:
                assert same(got, expected), x


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="reads the instructions of one processor"
)
@pytest.mark.parametrize("op", ["sigmoid", "tanh"])
def test_a_long_loop_of_wide_functions_is_vector_instructions(op: str) -> None:
    for wide in (False, True):
        forward, slopes = machine_statements(OPS[op], wide=wide)
        lines = "\n        ".join(["x = xs[i]", *forward, *slopes, "results[i] = out * dx"])
        run = build(
            f"def run(xs, results):\n    for i in range(len(xs)):\n        {lines}\n", "run"
        )
        run(np.ones(3), np.empty(3))
        (assembly,) = run.inspect_asm().values()  # type: ignore[attr-defined]
        assert (assembly.count("mulpd") > 20) == wide, (
            "exp is a call of the C library, or 15 multiplications"
        )


# ------------------------------------------------------------------ functions

TWO_FUNCTIONS = """
@any_order
def total(xs):
    s = 0.0
    for x in xs:
        s += x
    return s

def mean_exp(xs):
    es = empty(len(xs))
    for i in range(len(xs)):
        es[i] = exp(xs[i])
    return divide(total(es), float(len(xs)))
"""
IN_A_PROCESS = """
import sys, numpy
from scalargrad.compiler.in_native.machine import build, is_made
source = sys.stdin.read()
known = is_made(source, "mean_exp") and "numba" not in sys.modules
f = build(source, "mean_exp")
print(f(numpy.arange(4.0)), sum(f.stats.cache_hits.values()), known)
"""


def test_functions_of_a_source_call_one_another_and_show_their_lines() -> None:
    mean_exp = build(TWO_FUNCTIONS, "mean_exp")
    xs = np.random.default_rng(1).normal(size=1001)
    assert mean_exp(xs) == pytest.approx(float(np.exp(xs).mean()), rel=1e-14)
    assert math.isnan(mean_exp(np.empty(0)))
    assert mean_exp(np.array([1.0, inf])) == inf
    assert inspect.getsource(mean_exp.py_func).startswith("def mean_exp(xs):")  # type: ignore[attr-defined]


def test_sums_in_any_order_keep_infinity_and_nan() -> None:
    total = build(TWO_FUNCTIONS, "mean_exp").py_func.__globals__["total"]  # type: ignore[attr-defined]
    for special in (inf, -inf, nan):
        xs = np.ones(100)
        xs[37] = special
        assert same(total(xs), special)
    assert math.isnan(total(np.array([inf, 1.0, -inf] * 9)))


def started(folder: Path) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(folder),
        "LOCALAPPDATA": str(folder),
        "HOME": str(folder),
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(
        [sys.executable, "-c", IN_A_PROCESS],
        env=environment,
        cwd=Path(__file__).parents[3],
        **pipes,
    )
    assert process.stdin
    process.stdin.write(TWO_FUNCTIONS)
    process.stdin.close()
    return process


def said(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout
    text = process.stdout.read()
    process.stdout.close()
    assert process.wait() == 0
    return text.split()


def test_a_later_process_finds_the_machine_code_on_disk(tmp_path: Path) -> None:
    value = str((1.0 + math.e + math.e**2 + math.e**3) / 4.0)
    for process in [started(tmp_path), started(tmp_path)]:  # both at once
        assert said(process)[0][:12] == value[:12]
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert [path.suffix for path in files].count(".py") == 1
    assert [path.suffix for path in files].count(".nbc") == 1
    assert said(started(tmp_path))[1:] == ["1", "True"]  # known before numba is imported
    assert files == sorted(
        path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()
    )


def test_machine_code_is_found_where_numba_is_told_to_keep_it(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folders / "numba").mkdir()
    monkeypatch.setattr("numba.config.CACHE_DIR", str(folders / "numba"))
    source = TWO_FUNCTIONS.replace("0.0", "0.375")
    assert not is_made(source, "mean_exp")
    build(source, "mean_exp")(np.zeros(3))
    assert [*(folders / "numba").rglob("*.nbi")]
    machine._built.clear()
    assert is_made(source, "mean_exp")
    monkeypatch.delitem(sys.modules, "numba")
    assert not is_made(source, "mean_exp")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folders / "numba"))
    assert is_made(source, "mean_exp")


def test_machine_code_is_kept_in_memory() -> None:
    source = TWO_FUNCTIONS.replace("0.0", "0.25")
    assert not is_made(source, "mean_exp")
    made = build(source, "mean_exp")
    assert not is_made(source, "mean_exp")  # numba compiles when it is called
    made(np.zeros(3))
    assert is_made(source, "mean_exp")
    assert build(source, "mean_exp") is made


def test_functions_that_threads_ask_for_at_once_are_built_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside, most = list[str](), list[int]()

    def declare(source: str, names: object) -> None:
        inside.append(source)
        sleep(0.01)
        most.append(len(inside))
        inside.remove(source)

    monkeypatch.setattr(machine, "_declare", declare)
    sources = [TWO_FUNCTIONS.replace("0.0", f"0.{i}") for i in range(125, 131)]
    with ThreadPoolExecutor(len(sources)) as threads:
        made = [*threads.map(lambda source: build(source, "mean_exp"), sources)]
    assert most == [1] * len(sources)
    assert [f(np.zeros(1)) for f in made] == [1.0 + float(f"0.{i}") for i in range(125, 131)]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the user's cache; there are no temporary files."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def test_where_nothing_can_be_written_only_the_caching_is_lost(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(folders / "file"))
    mean_exp = build(TWO_FUNCTIONS, "mean_exp")
    assert mean_exp(np.zeros(3)) == 1.0
    assert inspect.getsource(mean_exp.py_func).startswith("def mean_exp(xs):")  # type: ignore[attr-defined]
    assert [path.name for path in folders.iterdir()] == ["file"]


def test_a_full_disk_costs_only_the_caching(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    assert build(TWO_FUNCTIONS, "mean_exp")(np.zeros(3)) == 1.0
    assert not [path for path in folders.rglob("*") if path.suffix in (".part", ".nbc")]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="of permissions as POSIX has them")
def test_a_folder_that_others_can_write_to_is_not_used(folders: Path) -> None:
    folder = next(
        path
        for path in [folders / "scalargrad", folders / "Library/Caches/scalargrad"]
        if sys.platform != "darwin" or "Lib" in str(path)
    )
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert build(TWO_FUNCTIONS, "mean_exp")(np.zeros(3)) == 1.0
    assert not [*folder.iterdir()]
    folder.chmod(0o700)
    assert build(TWO_FUNCTIONS, "mean_exp")(np.zeros(3)) == 1.0
    assert [*folder.rglob("*.nbc")]


def test_without_numba_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ImportError, match="backend='native' needs numba, the 'native' extra"):
        build(TWO_FUNCTIONS, "mean_exp")
