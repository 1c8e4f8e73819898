"""Programs in C against the same programs in plain Python, many to a file; clean C99 under the warnings that people turn on."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import functions
from scalargrad.compiler import machine, native
from scalargrad.compiler.calling import Called, adapter
from scalargrad.compiler.emitters import c_lines
from scalargrad.compiler.emitters.c_text import together
from scalargrad.ops import OPS

from .. import programs
from . import layered, structured

pytestmark = pytest.mark.skipif(machine.compiler() is None, reason="there is no C compiler")

STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
COUNT = 50
HARD = [*programs.HARD, 2.0, 0.5, -2.5, 3.0, 1e-300, -30.0, 0.3, -8.0, 1 / 3]


class Case:
    """A program, what goes in, and what plain Python makes of it."""

    def __init__(self, fn: Any, args: Any, kind: str = "", **options: Any) -> None:
        traces, self.contents = sg.compile(fn, backend="python", **options)._ready(args, {})
        self.program, self.reduce = traces.program, traces.reduce
        self.kind = kind or traces.kinds[-1]
        result = traces.function("python", self.kind, self.contents)(self.contents)
        self.expected = by_columns(result, self.kind) if result.__class__ is list else result


def by_columns(rows: list[Any], kind: str) -> Any:
    """The results of rows as arrays have them: the axis of rows behind that of outputs."""
    if kind == "value":
        return columns(rows)
    first = [first for first, _ in rows]
    slopes = [slopes for _, slopes in rows]
    if kind == "value_and_grad":
        return first, columns(slopes)
    return columns(first), [columns(group) for group in columns(slopes)]


def columns(rows: list[Any]) -> list[Any]:
    return [list(column) for column in zip(*rows, strict=True)]


def numbers(result: Any) -> Iterator[float]:
    """All numbers of a result, in the order in which they stand."""
    if isinstance(result, tuple | list | np.ndarray):
        for item in result:
            yield from numbers(item)
    else:
        yield float(result)


def results(cases: list[Case], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What C makes of cases, all compiled at once."""
    monkeypatch.setattr(machine, "FLAGS", (*machine.FLAGS, *STRICT))
    sources = [
        native.source_of(x.program, x.kind, x.reduce, f"f{i}").source for i, x in enumerate(cases)
    ]
    calls = [
        adapter(source, case.program, len(case.program.wrt) * (case.kind != "value"))
        for source, case in zip(sources, cases, strict=True)
    ]
    shared, _, _ = calls[0].partition("void call_")
    text = together(sources) + shared + "".join(c[c.index("void call_") :] for c in calls)
    found = []
    for case, source in zip(cases, sources, strict=True):
        function = machine.function(text, f"call_{source.name}", "-O0")
        called = Called(function, source.work, case.program, case.kind, case.reduce)
        found.append(called(case.contents))
    return found


def is_close(a: float, b: float, tolerance: float) -> bool:
    return (a != a and b != b) or a == b or abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))


def check(cases: list[Case], monkeypatch: pytest.MonkeyPatch) -> None:
    for i, (case, got) in enumerate(zip(cases, results(cases, monkeypatch), strict=True)):
        ours, theirs = list(numbers(got)), list(numbers(case.expected))
        assert len(ours) == len(theirs), i
        assert all(map(lambda a, b: is_close(a, b, 1e-9), ours, theirs)), (i, ours, theirs)


def random_cases() -> list[Case]:
    rng = random.Random()
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


def test_random_programs_are_as_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    check(random_cases(), monkeypatch)


def test_random_programs_in_lines_are_as_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "has_pattern", lambda program: False)
    monkeypatch.setattr(c_lines, "LARGEST_PART", 7)
    check(random_cases(), monkeypatch)


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
        monkeypatch.setattr(native, "has_pattern", lambda program: False)
    cases = edge_cases()
    for name, got in zip(
        cases, results([case for case, _ in cases.values()], monkeypatch), strict=True
    ):
        case, points = cases[name]
        (values, (slopes,)), (expected, (by,)) = got, case.expected
        for i, point in enumerate(points):
            assert ulps(float(values[i]), expected[i]) <= 2.0, (name, point)
            assert all(
                ulps(float(a), b) <= WORST.get(name, 2.0)
                for a, b in zip(slopes[i], by[i], strict=True)
            ), (name, point)


def test_a_slope_of_0_hides_what_it_meets_in_products_of_matrices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
        check(cases, monkeypatch)


# ------------------------------------------------------------------ random graphs


def graphs_in_c(seeds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs as `tests.random_graphs` draws them, hard numbers among them."""
    cases, drawn = [], []
    for seed in seeds:
        program = programs.draw(random.Random(seed))
        drawn.append(program)
        cases.append(Case(lambda x, p=program: recorded(p, x), (list(program.leaves),)))
    for program, case, got in zip(drawn, cases, results(cases, monkeypatch), strict=True):
        ours, theirs = list(numbers(got)), list(numbers(case.expected))
        scale = max([1.0, *(abs(x) for x in theirs if math.isfinite(x))])
        for a, b in zip(ours, theirs, strict=True):
            is_near = math.isfinite(a) and abs(a - b) <= max(1e-9 * abs(b), 1e-12 * scale)
            assert (a != a and b != b) or a == b or is_near, (programs.source(program), a, b)


def recorded(program: programs.Program, leaves: Any) -> Any:
    return programs.run(program, list(leaves), lambda row, xs: getattr(functions, row)(*xs))[-1]


@pytest.mark.parametrize("few", [0, 400])
def test_random_graphs_are_as_in_python(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "FEW", few)  # in lines only below so many operations
    begin = random.randrange(10**6)
    graphs_in_c(range(begin, begin + 100), monkeypatch)


# ------------------------------------------------------------------ names, long lists, training

TAKEN = ["double_", "int", "exp", "LANES", "TILES", "rows", "work", "share", "wide", "product", "INFINITY", "out",
         "table1", "v1", "train", "order", "INT8_MAX", "placed", "t", "n", "first", "i"]  # fmt: skip


def test_arguments_may_have_any_names(monkeypatch: pytest.MonkeyPatch) -> None:
    from scalargrad.compiler.naming import is_name

    listed = ", ".join(TAKEN)
    names: dict[str, Any] = {"sg": sg}
    text = f"def fn({listed}):\n    xs = [x for part in ({listed},) for x in part]\n    return sg.dot(xs, xs) + sg.logsumexp(xs)"
    exec(text, names)
    assert is_name("TILES")
    args = [np.array([0.5 * i, 0.25]) for i in range(len(TAKEN))]
    check([Case(names["fn"], args, wrt=tuple(range(len(TAKEN))))], monkeypatch)
    rows = [np.full((5, 2), 0.1 * i) for i in range(len(TAKEN))]
    check([Case(names["fn"], rows, wrt=(0, 1), rows=tuple(TAKEN))], monkeypatch)


def test_labels_may_be_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def labelled(x: Any) -> Any:
        made = []
        for label in ('"; system("x"); //', "dx", "out", "x", "LANES", "main", "for", "*/", "%s\n"):
            made.append(sg.tanh(x[len(made) % 2] * (len(made) + 1.0)))
            made[-1].label = label
        return sg.prod(made)

    check([Case(labelled, ([0.3, 0.4],)), Case(labelled, ([0.3, 0.4],), "value")], monkeypatch)


def test_long_lists_do_not_fill_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    xs = np.linspace(-1.0, 1.0, 3000)
    cases = [Case(lambda x, f=f: f(list(x)), (xs,)) for f in (sg.logsumexp, sg.norm, sg.max)]
    check(cases, monkeypatch)
    assert "[3000]" not in native.source_of(cases[0].program, "value_and_grad", None).source.body


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("batch", [None, 5])
@pytest.mark.parametrize("shuffle", [False, True])
def test_steps_end_where_those_in_python_do(
    optimizer: str, batch: int | None, shuffle: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scalargrad.nn import MLP

    monkeypatch.setattr(machine, "FLAGS", (*machine.FLAGS, *STRICT))
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


def squares(model: Any) -> Any:
    return 1e-3 * sg.sum([p * p for p in model.parameters()])
