"""A table of steps for numba: what its text says, and that it is the same for all programs of the same rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import Value, compile, dot, functions, maximum, sin, softmax, tanh, where
from scalargrad.compiler.program import Block, Constant, Program, Step
from scalargrad.ops import OPS

pytest.importorskip("numba")
np: Any = pytest.importorskip("numpy")

from scalargrad.compiler.in_native import function as on_native  # noqa: E402  # need NumPy and numba
from scalargrad.compiler.in_native import source as in_native  # noqa: E402
from scalargrad.compiler.in_native.tape import TapeFunction  # noqa: E402
from tests.compiler.in_native.tools import read_by_python  # noqa: E402


@pytest.fixture
def clean() -> Iterator[None]:
    """Takes away the row that a test adds."""
    yield
    del OPS["worked"]
    for holder in (Value, functions):
        if "worked" in vars(holder):
            delattr(holder, "worked")


KINDS: tuple[Any, ...] = (
    lambda a, b, c, d, e: sin(a * b + c),
    lambda a, b, c, d, e: where(a > b, tanh(c), d) + a,
    lambda a, b, c, d, e: maximum(a, b) - c * 0.1,
    lambda a, b, c, d, e: tanh(dot([a, b], [c, e], 0.5)),
    lambda a, b, c, d, e: softmax([a, b, c])[1] + e,
)


def irregular(size: int, seed: int, kinds: Any = KINDS) -> Any:
    """A function in which each number is made of the one before it and of others at random, by a formula at random."""
    rng = random.Random(seed)
    drawn = [(rng.choice(kinds), [rng.randrange(3 + i) for _ in range(4)]) for i in range(size)]

    def function(xs: Any) -> Any:
        made = list(xs)
        for formula, places in drawn:
            made.append(formula(made[-1], *[made[place] for place in places]))
        return made[-1]

    return function


def assert_as_in_python(fn: Any, xs: Any, **options: Any) -> None:
    native, python = (compile(fn, backend=backend, **options) for backend in ("native", "python"))
    assert "def backward(values, slopes, places):" in native.source(xs)
    for got, expected in zip(native.value_and_grad(xs), python.value_and_grad(xs), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


POINTS = [[0.3, -0.7, 1.1], [1.0, 0.5, -0.2], [-2.0, 0.1, 0.4]]


def test_a_graph_without_a_pattern_is_a_table() -> None:
    """Compiled by numba: value and slopes are those of plain Python."""
    assert_as_in_python(irregular(600, 1, KINDS[:2]), POINTS[0])


def test_a_small_one_has_a_line_for_each_step() -> None:
    assert "places[at" not in compile(irregular(120, 1, KINDS[:1]), backend="native").source(
        POINTS[0]
    )


@pytest.mark.parametrize("reduce", [None, "mean", "sum"])
def test_rows_run_over_a_table_one_by_one(
    reduce: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_native, "build", read_by_python)
    monkeypatch.setattr(in_native, "FEW_UNLIKE", 0)
    assert_as_in_python(irregular(150, 1), POINTS, rows="xs", reduce=reduce)


def test_programs_of_the_same_rows_have_one_text() -> None:
    """So machine code is made once for them; other numbers of steps, other places and other constants stand in tables."""
    texts = {
        compile(irregular(size, seed), backend="native").source([0.3, -0.7, 1.1])
        for size, seed in ((400, 2), (500, 3), (700, 4))
    }
    assert len(texts) == 1


def test_the_text_has_a_branch_for_each_row() -> None:
    x, y = Block("x", (2,), wrt=True), Block("y", ())
    product = Step(OPS["mul"], (x.inputs[0], y.inputs[0]))
    total = Step(OPS["sum"], (product, product, x.inputs[1]))
    text = TapeFunction(
        Program([x, y], [Step(OPS["add"], (total, Constant(3.0)))]), "value_and_grad", None
    ).source()
    assert [line.strip() for line in text.text.splitlines() if "#" in line] == [
        "if code == 0:  # add",
        "elif code == 1:  # mul",
        "elif code == 2:  # sum",
        "if code == 0:  # add, by x",
        "elif code == 1:  # mul, by x",
        "elif code == 2:  # sum, by xs",
    ]
    assert text.numbers == [3.0]
    assert text.places[:4] == [3, 3, 7, 1]  # steps, steps that are walked back, numbers, constants
    assert text.places[4] == 6  # the output
    assert text.places[5:11] == [11, 16, 23, 23, 16, 11]  # where the steps begin
    assert text.places[11:] == [
        1,
        1,
        4,
        0,
        2,
        2,
        2,
        5,
        3,
        4,
        4,
        1,
        0,
        0,
        6,
        5,
        3,
    ]  # row, row and operands, place, operands


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("name", ["d", "at", "code", "values", "places", "expm"])
def test_work_may_have_any_name_that_a_table_has_of_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = sg.custom_op(
        "worked", f"{name} * y", ("2.0 * y", f"{name}"), work=(f"{name} = 2.0 * x",)
    )
    monkeypatch.setattr(on_native, "build", read_by_python)
    monkeypatch.setattr(in_native, "FEW_UNLIKE", 0)
    kinds = (*KINDS, lambda a, b, c, d, e: worked(a, b), lambda a, b, c, d, e: sg.expm1(a * 0.1))
    assert_as_in_python(irregular(150, 5, kinds), POINTS[0])


def test_what_is_regular_is_no_table() -> None:
    """A chain of layers, however long, has loops."""

    def deep(xs: Any) -> Any:
        for _ in range(30):
            xs = [tanh(a * b) for a, b in zip(xs, [*xs[1:], xs[0]], strict=True)]
        return sg.sum(xs)

    assert "def backward" not in compile(deep, backend="native").source(
        [0.01 * i for i in range(100)]
    )
