"""Programs in C against the same programs in plain Python, many to a file; clean C99 under the warnings that people turn on."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import functions
from scalargrad.arithmetic.total import TOTAL
from scalargrad.compiler import machine, native
from scalargrad.compiler.emitters import frame, vectors
from scalargrad.compiler.emitters import functions as emitted
from scalargrad.compiler.native_training import LoopOnNative
from scalargrad.ops import OPS

from .. import programs
from . import layered, structured
from .files import COMPILERS, QUICK, says_of_itself
from .graphs import check_graphs
from .in_c import STRICT, Case, check, is_close, results

pytestmark = pytest.mark.skipif(machine.compiler() is None, reason="there is no C compiler")

COUNT = 50
HARD = [*programs.HARD, 2.0, 0.5, -2.5, 3.0, 1e-300, -30.0, 0.3, -8.0, 1 / 3]


def random_cases() -> list[Case]:
    rng = random.Random(33)
    found = []
    for _ in range(COUNT):
        seed = rng.randrange(10**6)
        rows = rng.choice([0, 0, 2, 40])
        found.append(
            Case(
                layered.function(seed),
                layered.arguments(seed, rows),
                wrt=(0, 1, 2),
                rows=("x",) if rows else None,
            )
        )
        drawn = structured.case(seed)
        found.append(Case(drawn.fn, drawn.args, rng.choice(["", "value"]), **drawn.options))
    return found


def test_random_programs_are_as_in_python() -> None:
    check(random_cases())


def test_eight_numbers_in_any_order_are_those_that_were_asked_for(tmp_path: Path) -> None:
    """Some compilers make vectors of such lines, and take a number from another place."""
    rng, x = random.Random(8), np.linspace(1.0, 2.0, 8)
    pairs = [(0, 1), (0, 1), range(2, 8), range(2, 8), (4, 5), (4, 5), (6, 7), (6, 7)]
    for i in range(8):
        p, q = [[*map(rng.choice, pairs)] for _ in range(2)]
        f = sg.compile(lambda x, p=p, q=q: [*(x[p] * x[q])], backend="native")
        assert np.array(f(x)) == pytest.approx(x[p] * x[q], rel=1e-15)
        if i < 2 and QUICK:
            f.save(path := tmp_path / f"eight{i}.c", x)
            said = says_of_itself(COMPILERS[0], path, "-O2", "-march=native")
            assert said == "all numbers are as in Python\n"


def test_a_number_that_the_products_of_a_tile_share_is_read_as_one() -> None:
    def of_lines(w: Any, a: Any, x: Any) -> Any:
        return sg.sum([sg.tanh(sg.dot([p, q], [a, 2.0])) for p, q in zip(w, x, strict=True)])

    def of_made(w: Any, a: Any, x: Any) -> Any:
        return of_lines(w, sg.exp(a), x)

    args = [0.1, 0.2, 0.3, 0.4], 0.5, np.random.default_rng(5).normal(size=(7, 4))
    check([Case(fn, args, wrt=(0, 1), rows="x") for fn in (of_lines, of_made)])


def test_a_slope_that_is_0_throughout_is_a_number_and_not_a_question() -> None:
    for seed in (362, 365, 368):
        case = structured.case(seed)
        text = sg.compile(case.fn, **case.options).source(*case.args, language="c")
        assert "0.0 == 0.0" not in text


def test_a_dot_of_nothing_is_its_bias() -> None:
    no_pairs = [lambda w, b: sg.dot(w, w, b), lambda w, b: sg.dot(w, w, b) * sg.dot([], [], b)]
    check([Case(fn, ([], 2.0), wrt=(0, 1)) for fn in no_pairs])


def test_random_programs_in_lines_are_as_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitted, "has_pattern", lambda program: False)
    monkeypatch.setattr(vectors, "LARGEST_PART", 7)
    check(random_cases())


def test_random_programs_in_parts_are_as_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "LARGEST_PART", 8)
    monkeypatch.setattr(frame, "LARGEST_PART", 8)
    check(random_cases())


# ------------------------------------------------------------------ edges

SIGNS = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "div": lambda x, y: x / y,
    "neg": lambda x: -x, "abs": abs, "pow": lambda x, y: x**y,
}  # fmt: skip
WORST = {"arctan2": 4.0}  # ulp, where several operations make a slope


def edge_cases() -> dict[str, tuple[Case, list[Any]]]:
    found = {}
    for op in OPS.values():
        if op.is_composed or not op.is_public or op.name == "dot":
            continue
        fn: Any = SIGNS.get(op.name) or getattr(functions, op.name)
        count = 2 if op.takes_lists else len(op.operands)
        points = [*itertools.product(HARD if count < 3 else HARD[:12], repeat=count)]
        one = (lambda x, fn=fn: fn(list(x))) if op.takes_lists else lambda x, fn=fn: fn(*x)
        found[op.name] = Case(one, (np.array(points),), rows=("x",), reduce=None), points
    return found


def ulps(a: float, b: float) -> float:
    if (a != a and b != b) or a == b:
        return 0.0
    return abs(a - b) / math.ulp(b) if math.isfinite(a) and math.isfinite(b) else math.inf


@pytest.mark.parametrize("in_lines", [False, True])
def test_operations_at_their_edges_are_as_in_python(
    in_lines: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_lines:
        monkeypatch.setattr(emitted, "has_pattern", lambda program: False)
    cases = edge_cases()
    for name, got in zip(cases, results([case for case, _ in cases.values()]), strict=True):
        case, points = cases[name]
        (values, (slopes,)), (expected, (by,)) = got, case.expected
        for i, point in enumerate(points):
            assert ulps(float(values[i]), expected[i]) <= 2.0, (name, point)
            assert all(
                ulps(float(a), b) <= WORST.get(name, 2.0)
                for a, b in zip(slopes[i], by[i], strict=True)
            ), (name, point)


@pytest.mark.parametrize("exponent", [0.5, -0.5, 1.5, 2.0, 3.0, -1.0, -2.0, 1 / 3, 0.25])
def test_powers_of_rows_are_those_of_python_at_infinity_and_zero(exponent: float) -> None:
    bases = [-math.inf, -0.0, 0.0, math.inf, -2.0, 4.0, math.nan] * 8
    f = sg.compile(lambda x: x**exponent, rows="x", reduce=None, backend="native")
    for base, got in zip(bases, f(bases), strict=True):
        expected = TOTAL["pow"](base, exponent)
        assert ulps(got, expected) <= 2.0, base
        assert got != got or math.copysign(1.0, got) == math.copysign(1.0, expected), base


@pytest.mark.parametrize(("count", "level"), [(100, "-O2"), (200, "-O0")])
def test_a_ragged_list_of_many_lists_is_soon_compiled(count: int, level: str) -> None:
    lists = [[0.5] * (1 + i % 5) for i in range(count)]
    case = Case(lambda lists: sum(sum(x) ** 2 for x in lists), [lists])
    assert native.source_of(case.program, case.kind, case.reduce).level == level


def test_a_function_without_a_result_is_refused() -> None:
    f = sg.compile(lambda x: [item * 2.0 for item in x], backend="native")
    assert f([1.0]) == [2.0]
    with pytest.raises(ValueError, match="the function gives no number"):
        f([])


def test_a_slope_of_0_hides_what_it_meets_in_products_of_matrices() -> None:
    def layers(w: Any, x: Any) -> Any:
        hidden = [sg.dot(row, x) for row in w]
        return sg.sum(
            [
                sg.where(h < 1e300, sg.dot(row, hidden), 0.0)
                for row, h in zip(w, hidden, strict=True)
            ]
        )

    for scale in (1.0, 1e200, math.inf):
        w = np.arange(1.0, 401.0).reshape(20, 20)
        w[3] *= scale
        cases = [
            Case(layers, (w, np.ones((n, 20))), wrt=(0, 1), rows=("x",), reduce="sum")
            for n in (1, 16, 40)
        ]
        check(cases)


# ------------------------------------------------------------------ random graphs


@pytest.mark.parametrize("few", [0, 400])
def test_random_graphs_are_as_on_values(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitted, "FEW", few)  # in lines only below so many operations
    monkeypatch.setattr(machine, "FLAGS", (*machine.FLAGS, f"-DFEW={few}"))  # other libraries
    check_graphs("native", 100)


# ------------------------------------------------------------------ names, long lists, training

TAKEN = ["double_", "int", "exp", "LANES", "TILES", "rows", "work", "share", "wide", "product", "INFINITY", "out",
         "table1", "v1", "train", "order", "INT8_MAX", "placed", "t", "n", "first", "i"]  # fmt: skip


def test_arguments_may_have_any_names() -> None:
    from scalargrad.compiler.naming import is_name

    listed = ", ".join(TAKEN)
    names: dict[str, Any] = {"sg": sg}
    text = f"def fn({listed}):\n    xs = [x for part in ({listed},) for x in part]\n    return sg.dot(xs, xs) + sg.logsumexp(xs)"
    exec(text, names)
    assert is_name("TILES")
    args = [np.array([0.5 * i, 0.25]) for i in range(len(TAKEN))]
    check([Case(names["fn"], args, wrt=tuple(range(len(TAKEN))))])
    rows = [np.full((5, 2), 0.1 * i) for i in range(len(TAKEN))]
    check([Case(names["fn"], rows, wrt=(0, 1), rows=tuple(TAKEN))])


def test_logarithms_of_what_is_subnormal_are_as_in_python() -> None:
    points = np.array([-714.0, -700.0, -745.0, 714.0])
    for kind in ("value", "value_and_grad"):
        check([Case(lambda x: sg.log(sg.sigmoid(x)), (x,), kind) for x in points])
        check([Case(lambda x: sg.log(sg.sigmoid(x)), (points,), rows=("x",))])


def test_labels_may_be_any_text() -> None:
    def labelled(x: Any) -> Any:
        made = []
        for label in ('"; system("x"); //', "dx", "out", "x", "LANES", "main", "for", "*/", "%s\n"):
            made.append(sg.tanh(x[len(made) % 2] * (len(made) + 1.0)))
            made[-1].label = label
        return sg.prod(made)

    check([Case(labelled, ([0.3, 0.4],)), Case(labelled, ([0.3, 0.4],), "value")])


def test_long_lists_do_not_fill_the_stack() -> None:
    xs = np.linspace(-1.0, 1.0, 3000)
    cases = [Case(lambda x, f=f: f(list(x)), (xs,)) for f in (sg.logsumexp, sg.norm, sg.max)]
    check(cases)
    assert "[3000]" not in native.source_of(cases[0].program, "value_and_grad", None).source.text


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("batch", [None, 5])
@pytest.mark.parametrize("shuffle", [False, True])
def test_steps_end_where_those_in_python_do(
    optimizer: str, batch: int | None, shuffle: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scalargrad.nn import MLP

    monkeypatch.setattr(machine, "FLAGS", (*machine.FLAGS, *STRICT))
    made: list[Any] = []
    run = LoopOnNative.run
    monkeypatch.setattr(LoopOnNative, "run", lambda *args: made.append(run(*args)) or made[-1])
    rng = np.random.default_rng(0)
    for width, reduction, penalty in ((2, "mean", None), (40, "sum", squares)):
        X, y = rng.normal(size=(23, width)), rng.normal(size=23)
        ends = []
        for backend in ("python", "native"):
            model = MLP(width, [5, 1], activation="tanh", seed=1)
            history = model.fit(
                X, y, epochs=4, optimizer=optimizer, lr=0.01, batch_size=batch, shuffle=shuffle, seed=2,
                reduction=reduction, penalty=penalty, engine="compiled", backend=backend,
            )  # fmt: skip
            ends.append([*(p.data for p in model.parameters()), *history.loss])
        assert all(map(lambda a, b: is_close(a, b, 1e-10), *ends))
        assert made  # machine code ran, and nothing in its place
        made.clear()


def squares(model: Any) -> Any:
    return 1e-3 * sg.sum([p * p for p in model.parameters()])
