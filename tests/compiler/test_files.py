"""Files in C and JavaScript against plain Python: edges of all operations, random programs, networks, recurrences, attention."""

from __future__ import annotations

import ctypes
import itertools
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import Value, functions
from scalargrad.compiler import languages
from scalargrad.compiler.derive import DerivedSteps
from scalargrad.compiler.dialects.c import C
from scalargrad.compiler.dialects.javascript import JAVASCRIPT
from scalargrad.compiler.emitters import frame, vectors
from scalargrad.nn import MLP, squared_error
from scalargrad.ops import OPS

from .. import programs
from ..edges import EDGES
from ..nn.test_exporting import Gated
from . import layered, structured
from .files import (
    CLEAN,
    COMPILERS,
    NODE,
    in_javascript,
    numbers,
    of_python_functions,
    run,
    says_of_itself,
)
from .graphs import check_graphs

needs_c = pytest.mark.skipif(not COMPILERS, reason="neither gcc nor clang is installed")
needs_node = pytest.mark.skipif(not NODE, reason="node is not installed")
COUNT = 6
AS_IN_PYTHON = "all numbers are as in Python\n"


def is_close(a: float, b: float, tolerance: float = 1e-9) -> bool:
    return (a != a and b != b) or a == b or abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))


def are_close(got: Any, expected: Any) -> bool:
    ours, theirs = [*numbers(got)], [*numbers(expected)]
    return len(ours) == len(theirs) and all(map(is_close, ours, theirs))


# ------------------------------------------------------------------ programs


def attention(w: Any, x: Any) -> Any:
    """Causal attention of one head, and the loss of its results."""

    def times(rows: Any, x: Any) -> Any:
        return [sg.dot(row, x) for row in rows]

    q, k, v = ([times(w[name], each) for each in x] for name in ("q", "k", "v"))
    found = []
    for i in range(len(x)):
        shares = sg.softmax([sg.dot(q[i], k[j]) / 2.0 for j in range(i + 1)])
        found += [sg.dot(shares, [v[j][at] for j in range(i + 1)]) for at in range(len(v[0]))]
    return sg.logsumexp(found)


def recurrence(w: Any, u: Any, x: Any, y: Any) -> Any:
    h = [0.0, 0.0, 0.0]
    for each in x:
        h = [sg.tanh(sg.dot(row, h) + each * a) for row, a in zip(w, u, strict=True)]
    return (sg.sum(h) - y) ** 2


def cholesky(a: Any) -> Any:
    low = [[0.0] * 5 for _ in range(5)]
    for i in range(5):
        for j in range(i + 1):
            s = a[i][j] - sum(low[i][k] * low[j][k] for k in range(j))
            low[i][j] = sg.sqrt(s) if i == j else s / low[j][j]
    return sg.sum([sg.log(low[i][i]) for i in range(5)])


def hard_names(
    n: Any, rows: Any, double: Any, INFINITY: Any, function: Any,
    value: Any, i: Any, table1: Any, check: Any, test_x: Any,
) -> Any:  # fmt: skip
    """Arguments that are called what a language, or a file, has other uses for."""
    products = n * rows + double * INFINITY - function / value
    return products + i * sg.logsumexp([table1, check, test_x])


def written_by_hand(rng: random.Random) -> list[tuple[Any, list[Any], dict[str, Any]]]:
    def draw(*shape: int) -> Any:
        return structured.filled(shape, lambda: rng.gauss(0.0, 0.7))

    model = MLP(3, [5, 4], activation=["sigmoid", "gelu"], seed=1)
    captured = MLP(2, [2, 1], seed=2)
    square = np.array(draw(5, 5))
    return [
        (attention, [{name: draw(4, 4) for name in "qkv"}, draw(5, 4)], {"wrt": (0, 1)}),
        (recurrence, [draw(3, 3), draw(3), draw(20, 6), draw(20)], {"wrt": (0, 1), "rows": ("x", "y")}),
        (cholesky, [(square @ square.T + np.eye(5)).tolist()], {}),
        (lambda m, x, y: squared_error(m(x), y), [model.state(), draw(9, 3), draw(9, 4)], {"rows": ("x", "y")}),
        (lambda x: captured(x) * Value(0.5, "x[0]"), [draw(2)], {}),
        (lambda x: captured(x) * Value(2.0, "b1[1]"), [draw(5, 2)], {"rows": ("x",), "reduce": "sum"}),
        (lambda m, x: m(x), [model.state(), draw(3)], {}),
        (lambda x, mode: sg.tanh(x) if mode == "t" else x, [0.3, "t"], {}),
        (lambda p: p["a b"][0] * p["__proto__"] + p["z"], [{"a b": (2.0, 1.0), "__proto__": 3.0, "z": 1.0}], {}),
        (lambda x: [sg.prod(x), sg.max(x), sg.norm([]), 2.0], [draw(300)], {}),
        (hard_names, [float(i) for i in range(1, 11)], {"wrt": (2, 0, 9)}),
        (lambda result, xs1: [result * xs1, xs1, 3.0], [2.0, [1.0, 2.0]], {"wrt": (0, 1), "rows": ("xs1",), "reduce": None}),
        (lambda x, y: [x[0], [y, {"a": x[1]}], 1.0], [[1.0, 2.0], 3.0], {"wrt": (1, 0)}),
        (lambda x, none: sg.sum(x) + 1.0, [[], []], {"wrt": (0, 1)}),
        (lambda m, x: sg.sum(m(x)), [Gated().state(), draw(4, 2)], {"wrt": (0, 1), "rows": ("x",)}),
        (lambda d: d["a"][-1] * d[10**17], [{"a": {-1: 3.0}, 10**17: 2.0}], {}),
    ]  # fmt: skip


def random_programs(count: int) -> list[tuple[Any, list[Any], dict[str, Any]]]:
    rng = random.Random(126)
    found = []
    for _ in range(count):
        seed, rows = rng.randrange(10**6), rng.choice([0, 0, 2, 40])
        options: dict[str, Any] = {"wrt": (0, 1, 2), "rows": ("x",) if rows else None}
        found.append((layered.function(seed), [*layered.arguments(seed, rows)], options))
        case = structured.case(seed)
        found.append((case.fn, case.args, case.options))
    return found


class Saved:
    """A function with files of it, and what plain Python makes of the arguments."""

    def __init__(self, folder: Path, number: int, fn: Any, args: list[Any], options: Any) -> None:
        self.f, self.args = sg.compile(fn, backend="python", **options), args
        traces, _ = self.f._ready(tuple(args), {})
        self.kind = traces.kinds[-1]
        self.c, self.js = folder / f"f{number}.c", folder / f"f{number}.mjs"
        self.f.save(self.c, *args)
        self.f.save(self.js, *args)
        self.given = [arg for arg in args if not isinstance(arg, str)]

    @property
    def expected(self) -> Any:
        return getattr(self.f, self.kind)(*self.args)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> list[Saved]:
    folder = tmp_path_factory.mktemp("saved")
    cases = [*written_by_hand(random.Random(0)), *random_programs(COUNT)]
    return [Saved(folder, i, *case) for i, case in enumerate(cases)]


@needs_c
def test_files_in_c_compile_without_a_warning_and_say_that_they_are_right(
    saved: list[Saved],
) -> None:
    for i, case in enumerate(saved):
        compiler = COMPILERS[i % len(COMPILERS)]
        assert says_of_itself(compiler, case.c) == AS_IN_PYTHON, case.c.read_text()


@needs_c
def test_files_in_parts_of_few_lines_say_that_they_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (frame, vectors):
        monkeypatch.setattr(module, "LARGEST_PART", 20)
    for i, case in enumerate(written_by_hand(random.Random(1))[:3]):
        saved = Saved(tmp_path, i, *case)
        assert "_part2(" in saved.c.read_text()
        assert says_of_itself(COMPILERS[0], saved.c) == AS_IN_PYTHON


@needs_c
def test_files_in_c_read_and_write_nothing_that_is_not_theirs(saved: list[Saved]) -> None:
    flags = ("-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover")
    for case in [*saved[:4], *saved[-COUNT // 2 :]]:
        assert says_of_itself(COMPILERS[0], case.c, *flags) == AS_IN_PYTHON


@needs_c
def test_the_test_in_a_file_of_c_finds_what_is_wrong(saved: list[Saved], tmp_path: Path) -> None:
    text = saved[1].c.read_text()
    wrong = tmp_path / "wrong.c"
    wrong.write_text(text.replace("tanh(", "sin("))
    run(COMPILERS[0], *CLEAN, "-DTEST", "-o", tmp_path / "wrong", wrong, "-lm")
    with pytest.raises(AssertionError, match="Python has"):
        run(tmp_path / "wrong")


@needs_node
def test_modules_in_javascript_are_as_in_python(saved: list[Saved], tmp_path: Path) -> None:
    tasks = [(case.js, case.kind, case.given) for case in saved]
    for case, got in zip(saved, in_javascript(tmp_path, tasks), strict=True):
        assert are_close(got, case.expected), case.js.read_text()
    values = [(case.js, "value", case.given) for case in saved]
    for case, got in zip(saved, in_javascript(tmp_path, values), strict=True):
        assert are_close(got, case.f(*case.args)), case.js.read_text()


def test_keys_that_javascript_does_not_tell_apart_are_refused(tmp_path: Path) -> None:
    f = sg.compile(lambda d: d[1] * d["1"], backend="python")
    with pytest.raises(
        TypeError, match=r"of the keys \[1, '1'\] two would be the same: rename one"
    ):
        f.save(tmp_path / "f.js", {1: 3.0, "1": 4.0})
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    "language", [pytest.param("c", marks=needs_c), pytest.param("javascript", marks=needs_node)]
)
def test_random_graphs_in_files_are_as_on_values(language: str) -> None:
    check_graphs(language, 20)


# ------------------------------------------------------------------ edges

HARD = [*programs.HARD, 2.0, 0.5, -2.5, 3.0, 1e-300, -30.0, 0.3, -8.0, 1 / 3]
SIGNS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "div": lambda x, y: x / y,
    "neg": lambda x: -x, "abs": abs, "pow": lambda x, y: x**y,
}  # fmt: skip
# ulp, where several operations make a number: each may be 2 off, and digits cancel where a result is near 0
WORST = {
    "arctan2": 4.0, "erfc": 4.0, "cbrt": 3.0, "sinc": 4.0, "tanh": 4.0, "sigmoid": 4.0, "silu": 4.0, "pow": 4.0,
    "gelu": 32.0, "logaddexp": 16.0, "logsumexp": 16.0,
}  # fmt: skip


def ulps(a: float, b: float) -> float:
    if (a != a and b != b) or a == b:
        return 0.0
    return abs(a - b) / math.ulp(b) if math.isfinite(a) and math.isfinite(b) else math.inf


def of_edges(count: int) -> tuple[list[str], Any, Any]:
    """All operations of so many operands, 0 for lists, as one function; and points for it."""
    names = [
        op.name
        for op in OPS.values()
        if op.is_public and not op.is_composed and op.name != "dot"
        if (0 if op.takes_lists else len(op.operands)) == count
    ]
    made = [SIGNS.get(name) or getattr(functions, name) for name in names]
    width = count or 2
    rng = random.Random(count)  # always the same: near a slope of 0 no number of ulps is enough
    listed = [e.operands if count else e.operands[0] for e in EDGES if e.name in names]
    points = [
        *itertools.product(HARD if width < 3 else HARD[:9], repeat=width),
        *[tuple(map(float, point)) for point in listed if len(point) == width],
        *[tuple(rng.gauss(0.0, scale) for _ in range(width)) for scale in (0.1, 1, 5, 30) for _ in range(20)],
    ]  # fmt: skip

    def all_of_them(x: Any) -> Any:
        return [fn(*x) if count else fn([*x]) for fn in made]

    f = sg.compile(all_of_them, rows=("x",), reduce=None, backend="python")
    return names, f, np.array(points)


def check_edges(names: list[str], points: Any, got: Any, expected: Any) -> None:
    for name, values, slopes, right, by in zip(names, *got, *expected, strict=True):
        for i, point in enumerate(points):
            all_of = [(values[i], right[i]), *zip(slopes[i], by[i], strict=True)]
            worst = max(ulps(float(a), float(b)) for a, b in all_of)
            assert worst <= WORST.get(name, 2.0), (name, point, all_of)


@needs_node
def test_operations_in_javascript_at_their_edges_are_as_in_python(tmp_path: Path) -> None:
    edges = [of_edges(count) for count in range(4)]
    tasks = []
    for i, (_, f, points) in enumerate(edges):
        f.save(tmp_path / f"edges{i}.mjs", points)
        tasks.append((tmp_path / f"edges{i}.mjs", "jacobian", [points]))
    for (names, f, points), got in zip(edges, in_javascript(tmp_path, tasks), strict=True):
        check_edges(names, points, got, f.jacobian(points))


@needs_c
def test_operations_in_c_at_their_edges_are_as_in_python(tmp_path: Path) -> None:
    for count in range(4):
        names, f, points = of_edges(count)
        f.save(path := tmp_path / f"edges{count}.c", points)
        library = path.with_suffix(".so")
        run(COMPILERS[0], *CLEAN, "-shared", "-fPIC", "-O1", "-o", library, path, "-lm")
        values, slopes = np.empty((len(names), len(points))), np.empty((len(names), *points.shape))
        pointers = [
            array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
            for array in (np.ascontiguousarray(points), values, slopes)
        ]
        ctypes.CDLL(str(library)).jacobian(ctypes.c_long(len(points)), *pointers)
        check_edges(names, points, (values, slopes), f.jacobian(points))


# ------------------------------------------------------------------ what files look like


def test_a_program_of_many_operations_alike_has_loops() -> None:
    model = MLP(50, [40, 3], activation="tanh", seed=0)
    f = sg.compile(lambda m, x: sg.sum(model(x)) * m, rows=("x",))
    for language in ("c", "javascript"):
        text = f.source(1.0, np.ones((4, 50)), language=language)
        code = [line for line in text.splitlines() if not line.strip()[:1].isdigit()]
        assert len([line for line in code if "for (" in line]) > 5
        assert len([line for line in code if line.strip()[:1] not in "-0123456789"]) < 250


def test_lines_are_at_most_100_characters_long() -> None:
    texts = [JAVASCRIPT.texts[name].text for name in JAVASCRIPT.texts.names]
    assert all(len(line) <= 100 for text in texts for line in text.splitlines())
    model = MLP(30, [20, 3], activation="tanh", seed=0)
    f = sg.compile(lambda model, x, y: squared_error(model(x), y), rows=("x", "y"))
    for language in ("c", "javascript"):
        text = f.source(model.state(), np.ones((4, 30)), np.ones((4, 3)), language=language)
        assert max(map(len, text.splitlines())) <= 100


def test_values_that_were_captured_are_constants() -> None:
    w = Value(0.25)
    f = sg.compile(lambda x: w * x)
    assert "static const double captured[1] = {0.25};" in f.source(2.0, language="c")
    assert "const captured = [0.25];" in f.source(2.0, language="javascript")


def test_captured_weights_have_the_names_of_their_labels() -> None:
    model, twin = MLP(2, [3, 1], activation="tanh", seed=0), Value(4.0, "W2[0,0]")
    text = sg.compile(lambda x: model(x)).source([1.0, 2.0], language="c")
    for table in ("W1[6] = {", "b1[3] = {", "W2[3] = {", "b2[1] = {"):
        assert f"static const double {table}" in text
    assert "captured" not in text
    module = sg.compile(lambda x: model(x)).source([1.0, 2.0], language="python")
    assert "def raw_value(x, W1, b1, W2, b2):" in module
    assert "captured" not in module
    again = sg.compile(lambda x: model(x) * twin).source([1.0, 2.0], language="c")
    assert "static const double captured[4] = {" in again  # two have one label
    assert "static const double W1[6] = {" in again


@needs_c
def test_captured_values_may_be_labelled_as_what_the_test_in_a_file_calls(tmp_path: Path) -> None:
    weights = [Value(0.5 + i, name) for i, name in enumerate(("puts", "stdout", "check", "FILE"))]
    f = sg.compile(lambda x: sg.sum([w * x for w in weights]), backend="python")
    f.save(path := tmp_path / "labels.c", 2.0)
    assert says_of_itself(COMPILERS[-1], path) == AS_IN_PYTHON


def test_no_text_of_a_user_leads_out_of_a_comment() -> None:
    def f(x: Any) -> Any:
        r"""Mean */ int evil; /* ??/ \ and \u202e."""
        return x * x

    for language in ("c", "javascript"):
        text = sg.compile(f).source(2.0, language=language)
        comment, _, rest = text.partition("*/")
        assert "evil" in comment
        assert "evil" not in rest
        assert "\u202e" not in text


@needs_c
@pytest.mark.parametrize("standard", ["c99", "gnu17", "gnu2x"])
def test_names_that_any_standard_of_c_takes_are_free(standard: str, tmp_path: Path) -> None:
    names = ["TEST", "M_PI", "M_E", "nullptr", "constexpr", "EOF", "stdin", "NULL", "errno"]
    fn = eval(f"lambda {', '.join(names)}: sg.prod([{', '.join(names)}])", {"sg": sg})
    f = sg.compile(fn, wrt=tuple(range(len(names))), backend="python")
    f.save(path := tmp_path / "names.c", *[0.5 + i for i in range(len(names))])
    assert says_of_itself(COMPILERS[-1], path, f"-std={standard}") == AS_IN_PYTHON


@needs_c
def test_much_room_to_work_in_is_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(C, "most_room", 100)
    f = sg.compile(lambda w, x: sg.sum([sg.tanh(a * x) for a in w]))
    f.save(tmp_path / "f.c", [0.1] * 200, 0.5)
    assert "VALUE_AND_GRAD_WORK" in (tmp_path / "f.c").read_text()
    assert says_of_itself(COMPILERS[0], tmp_path / "f.c", "-fsanitize=address") == AS_IN_PYTHON


@needs_node
def test_modules_take_arrays_of_floats_and_say_what_is_wrong(tmp_path: Path) -> None:
    f = sg.compile(lambda w, x: sg.dot(w, x) ** 2, rows=("x",), reduce=None)
    f.save(tmp_path / "f.mjs", [1.0, 2.0], [[3.0, 4.0]])
    script = tmp_path / "try.mjs"
    script.write_text("""
import { value, value_and_grad } from "./f.mjs";
const w = Float64Array.of(1, 2), x = Float64Array.of(3, 4, 5, 6);
console.log(value(w, x), value_and_grad(w, x)[1] instanceof Float64Array);
for (const args of [[w, [[1]]], [[1], [[1, 2]]], [w, []], ["a", [[1, 2]]], [w, [[1, "2"]]]])
  try { value(...args); } catch (error) { console.log(error.constructor.name, error.message); }
""")
    assert NODE
    lines = run(NODE, script).splitlines()
    assert lines[0] == "Float64Array(2) [ 121, 289 ] true"
    assert lines[1:] == [
        "RangeError x must be of the shape [-1,2]",
        "RangeError w must be of the shape [2]",
        "RangeError arguments with rows must have the same number of them, got 0",
        "RangeError w must be of the shape [2]",
        "TypeError x must hold numbers, of the shape [-1,2]",
    ]


# ------------------------------------------------------------------ languages


def signs(line: Any, operands: list[str]) -> str:
    """A dialect: a line as a textbook has it."""
    text = line.text or " + ".join(line.operands)
    for name, operand in zip(line.operands, operands, strict=False):
        text = text.replace(name, operand) if len(name) == 1 else text
    return str(text.replace("*", "·"))


def formulas(request: languages.Request) -> str:
    """An emitter: a line for each step."""
    names: dict[Any, str] = {
        x: x.block.name for b in request.traces.program.blocks for x in b.inputs
    }
    made = DerivedSteps(request.traces.program).steps
    lines = []
    for number, step in enumerate(made, 1):
        names[step] = f"v{number}"
        operands = [names.get(x) or str(x.data) for x in step.operands]
        lines.append(f"v{number} = {signs(step.op, operands)}")
    return "\n".join(lines)


def test_a_language_is_a_dialect_an_emitter_and_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    toy = languages.Language((".txt",), formulas)
    monkeypatch.setitem(languages.LANGUAGES, "formulas", toy)
    f = sg.compile(lambda w, b: sg.sin(w * 2.0) + b)
    assert f.source(0.5, 1.0, language="formulas") == "v1 = w · 2.0\nv2 = sin(v1)\nv3 = v2 + b"
    f.save(tmp_path / "f.txt", 0.5, 1.0)
    assert (tmp_path / "f.txt").read_text(encoding="utf-8").startswith("v1 = w · 2.0")


def test_the_ending_of_a_name_says_the_language(tmp_path: Path) -> None:
    f = sg.compile(lambda x: x * x)
    with pytest.raises(ValueError, match=r"'f.txt' must end in .py or .c or .js or .mjs"):
        f.save("f.txt", 2.0)
    with pytest.raises(ValueError, match="language='rust' is none of 'python', 'c', 'javascript'"):
        f.source(2.0, language="rust")
    f.save(path := tmp_path / "f.py", 2.0)
    assert f.source(2.0, language="python") == path.read_text(encoding="utf-8")


def test_c_and_javascript_are_written_with_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "is_installed", lambda name: False)
    f = sg.compile(lambda x: x * x, backend="python")
    for language in ("c", "javascript"):
        with pytest.raises(ImportError, match="needs numpy, the 'numpy' extra: pip install numpy"):
            f.source(2.0, language=language)
    assert "def value" in f.source(2.0, language="python")


def test_operations_of_python_functions_are_refused_by_name(tmp_path: Path) -> None:
    with of_python_functions("own_sin_in_files") as own:
        f = sg.compile(lambda x: own(x) + 1.0)
        for ending in ("c", "js", "py"):
            with pytest.raises(ValueError, match="a file cannot hold own_sin_in_files"):
                f.save(tmp_path / f"f.{ending}", 2.0)
    assert not [*tmp_path.iterdir()]
    assert languages.LANGUAGES.keys() == {"python", "c", "javascript"}
