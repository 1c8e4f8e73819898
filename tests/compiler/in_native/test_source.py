"""Source for numba against plain Python's, which is bit-equal to eager: read by Python itself in breadth, compiled for the rest."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import compile
from scalargrad.compiler.in_python.loop import Loop
from scalargrad.compiler.training import Objective
from scalargrad.compiler.update import update_of
from scalargrad.nn import MLP
from scalargrad.nn.losses import cross_entropy, l2, squared_error
from scalargrad.nn.optimizers import SGD, Adam, AdamW, RMSprop
from tests import edges, programs, random_graphs
from tests.compiler import layered, structured

pytest.importorskip("numba")
np: Any = pytest.importorskip("numpy")

from scalargrad.compiler.in_native import function as on_native  # noqa: E402  # need NumPy and numba
from scalargrad.compiler.in_native import loop as loop_on_native  # noqa: E402
from scalargrad.compiler.in_native import loop_source as training_on_native  # noqa: E402
from scalargrad.compiler.in_native import machine  # noqa: E402
from scalargrad.compiler.in_native import parts as native_parts  # noqa: E402
from scalargrad.compiler.in_native import source as in_native  # noqa: E402  # need NumPy and numba
from scalargrad.compiler.in_native.loop import LoopOnNative  # noqa: E402
from tests.compiler.in_native.tools import read_by_python  # noqa: E402

CLOSE = 1e-12  # of the largest number; each operation is off by 2 ulp at most


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Source is read by Python: nothing is compiled."""
    for module in (on_native, loop_on_native):
        monkeypatch.setattr(module, "build", read_by_python)


LINES, LOOPS = 10**9, 0  # operations up to which a program is written as lines


FORMS = "lines", "loops", "parts", "tape"


def write_as(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write programs as straight lines, as loops, as loops in functions of a few lines, or as a table of steps."""
    for few in ("FEW", "FEW_UNLIKE"):
        monkeypatch.setattr(in_native, few, LINES if form == "lines" else LOOPS)
    if form == "parts":
        monkeypatch.setattr(native_parts, "MOST", 8)
        monkeypatch.setattr(native_parts, "PART", 4)
    for module in (in_native, training_on_native):
        monkeypatch.setattr(module, "has_pattern", lambda program: form != "tape")


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forms of source."""
    write_as(request.param, monkeypatch)


@pytest.fixture(params=[*FORMS, "total lines", "total loops"])
def variant(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forms of source, and of those that have two the variant that is asked where a slope is not finite."""
    write_as(request.param.split()[-1], monkeypatch)
    if request.param.startswith("total"):
        source = in_native.function_source

        def total(program: Any, kind: str, reduce: str | None, is_total: bool, large: float) -> Any:
            return source(program, kind, reduce, True, large)

        monkeypatch.setattr(on_native, "function_source", total)


def flat(result: Any) -> list[float]:
    """All numbers of a result."""
    if isinstance(result, dict):
        result = list(result.values())
    return (
        [x for part in result for x in flat(part)]
        if isinstance(result, (list, tuple))
        else np.ravel(result).tolist()
    )


def assert_close(got: Any, expected: Any, tolerance: float = CLOSE) -> None:
    """The same nan and inf in the same places, and numbers that differ by little of the largest."""
    got, expected = flat(got), flat(expected)
    assert len(got) == len(expected)
    scale = max([abs(x) for x in expected if math.isfinite(x)], default=1.0)
    for a, b in zip(got, expected, strict=True):
        assert a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= tolerance * scale, (
            got,
            expected,
        )


def in_both(fn: Any, *args: Any, kind: str = "value_and_grad", **options: Any) -> Any:
    """Value and slopes in machine code are those in plain Python; they are returned."""
    on_python, native = (
        compile(fn, backend=backend, **options) for backend in ("python", "native")
    )
    expected = getattr(on_python, kind)(*args)
    got = getattr(native, kind)(*args)
    assert_close(got, expected)
    return got


# ------------------------------------------------------------------ what the source says


@pytest.mark.parametrize("seed", range(10))
def test_layers_at_random_are_what_they_are_in_python(
    seed: int, variant: None, interpreted: None
) -> None:
    fn = layered.function(seed)
    in_both(fn, *layered.arguments(seed, 0), wrt=(0, 1, 2))
    rows, reduce = ((5, "sum"), (3, None), (4, "mean"))[seed % 3]
    in_both(fn, *layered.arguments(seed, rows), wrt=(0, 1, 2), rows="x", reduce=reduce)


def several(seed: int) -> Callable[..., list[Any]]:
    """A function with many outputs: a layer, an input, a constant, a parameter, a sum."""

    def function(p: Any, x: Any, m: Any) -> list[Any]:
        rng = random.Random(seed)
        xs, ps = list(x), [*p, *(item for row in m for item in row)]
        for _ in range(rng.randint(1, 4)):
            xs = rng.choice(layered.LAYERS)(rng, xs, ps)
        return [*xs, x[0], 3.0, p[0] * 1.0, sg.sum(xs)]

    return function


@pytest.mark.parametrize("seed", range(5))
def test_jacobians_at_random_are_what_they_are_in_python(
    seed: int, variant: None, interpreted: None
) -> None:
    fn = several(seed)
    in_both(fn, *layered.arguments(seed, 0), wrt=(0, 1, 2), kind="jacobian")
    for rows, reduce in ((4, None), (3, "mean")):
        in_both(
            fn,
            *layered.arguments(seed, rows),
            wrt=(0, 1, 2),
            rows="x",
            reduce=reduce,
            kind="jacobian",
        )


@pytest.mark.parametrize("seed", range(25))
def test_structures_at_random_are_what_they_are_in_python(
    seed: int, form: None, interpreted: None
) -> None:
    fn, args, options, _ = structured.case(seed)
    in_both(fn, *args, kind="jacobian", **options)


def test_values_alone_are_what_they_are_in_python(form: None, interpreted: None) -> None:
    for seed in range(10):
        fn = layered.function(seed)
        for rows, options in ((0, {}), (3, {"rows": "x"}), (4, {"rows": "x", "reduce": None})):
            args = layered.arguments(seed, rows)
            assert_close(
                compile(fn, backend="native", **options)(*args),
                compile(fn, backend="python", **options)(*args),
            )


def test_graphs_at_random_are_what_they_are_in_python(form: None, interpreted: None) -> None:
    for number in range(60):
        program = random_graphs.graph(11, number)

        def fn(xs: Any, program: programs.Program = program) -> Any:
            return programs.run(
                program, list(xs), lambda row, operands: getattr(sg.functions, row)(*operands)
            )[-1]

        leaves = list(program.leaves)
        expected = compile(fn, backend="python").value_and_grad(leaves)
        # what is off in the last bit may be magnified on the way
        assert_close(compile(fn, backend="native").value_and_grad(leaves), expected, 1e-8)


def test_many_tiles_give_what_all_rows_give(
    form: None, interpreted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_native, "tile_of", lambda width: 8)
    monkeypatch.setattr(in_native, "CHUNK", 8)
    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(21, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)

    def fn(W: Any, b: Any, x: Any) -> Any:
        return sg.sum([sg.tanh(sg.dot(row, x, bias)) for row, bias in zip(W, b, strict=True)])

    for reduce in ("mean", "sum", None):
        in_both(fn, W, b, X, rows="x", reduce=reduce, wrt=(0, 1, 2))


@pytest.mark.parametrize("shape", [(4, 3), (1, 3), (4, 1)])
def test_large_layers_are_products_of_matrices(
    shape: tuple[int, int], interpreted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_native, "FEW", LOOPS)
    monkeypatch.setattr(on_native, "large", lambda: 1)
    nout, nin = shape
    model = MLP(nin, [nout, 2, 3], activation="tanh", seed=3)
    X, Y = np.random.default_rng(0).normal(size=(9, nin)), np.eye(3)[[0, 1, 2] * 3]
    f = compile(lambda m, x, y: cross_entropy(m(x), y), rows=("x", "y"), backend="native")
    assert " @ x[first:last].T" in f.source(model.state(), X, Y)
    in_both(lambda m, x, y: cross_entropy(m(x), y), model.state(), X, Y, rows=("x", "y"))

    def by_hand(
        W: Any, x: Any
    ) -> Any:  # a matrix the other way round, of a part of what is computed
        xs = [sg.sin(z) for z in x]
        return sum(sum(W[i][j] * xs[i + 1] for i in range(2)) ** 2 for j in range(3))

    in_both(
        by_hand, np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4), wrt=(0, 1), rows="x"
    )


def test_arguments_may_have_the_names_of_the_source(form: None, interpreted: None) -> None:
    def fn(n: Any, rows: Any, first: Any, outputs: Any, lambda_: Any, e: Any) -> Any:
        return sg.sigmoid(n * rows[0] + first) * outputs[0] ** 2 + lambda_ * e[1] * rows[1]

    args = 0.3, [[1.0, 2.0], [0.5, -1.0]], 0.7, [2.0, 1.0], 0.1, [3.0, 4.0]
    in_both(fn, *args, wrt=(0, 2, 3, 4, 5), rows="rows")


def test_arguments_may_have_the_names_of_a_table(form: None, interpreted: None) -> None:
    def fn(values: Any, places: Any, forward: Any, at: Any, d: Any, slopes: Any) -> Any:
        return sg.sigmoid(values * places[0] + forward) * at[0] ** 2 + d * slopes[1] * places[1]

    in_both(
        fn,
        0.3,
        [[1.0, 2.0], [0.5, -1.0]],
        0.7,
        [2.0, 1.0],
        0.1,
        [3.0, 4.0],
        wrt=(0, 2, 3, 4, 5),
        rows="places",
    )


def test_arguments_may_have_the_names_that_comprehensions_bind(
    form: None, interpreted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native_parts, "PART", 1000)  # the argument and the comprehension in one
    rows = [[1.0, 2.0], [2.0, 1.0], [3.0, 0.5]]
    in_both(
        lambda p, x: sg.sum([(sg.norm(x) * w) ** 2 for w in p]),
        [0.3, -0.2],
        rows,
        wrt=(0, 1),
        rows="x",
    )


def test_a_number_with_many_digits_stands_in_a_table(form: None) -> None:
    assert "0.1234" not in compile(lambda x: x * 0.1234567891234 + 2.0, backend="native").source(
        1.0
    )


def test_a_short_number_stands_in_its_line() -> None:
    assert "2.0" in compile(lambda x: x * 0.1234567891234 + 2.0, backend="native").source(1.0)


def test_a_number_with_many_digits_meets_all_rows_in_a_row(form: None, interpreted: None) -> None:
    def fn(x: Any) -> Any:
        turned = [
            sg.tanh(a - b) for a, b in zip(x, x[::-1], strict=True)
        ]  # a loop over the six, and then one over all numbers of two
        return sg.prod(turned) + sg.sum([sg.cos(sg.sin(a) * (1.0 / 3.0)) for a in turned[:2]])

    in_both(fn, np.sin(np.arange(18.0)).reshape(3, 6), rows="x")


def test_slopes_of_a_sum_of_squares_are_finite_where_they_are_on_values(
    variant: None, interpreted: None
) -> None:
    in_both(lambda p: 0.01 * sg.dot(p, p), [1e308, -1.7e308])


def test_captured_values_are_read_in_each_call(form: None, interpreted: None) -> None:
    scale = sg.Value(2.0)
    f = compile(lambda x: scale * x**2, rows="x", backend="native")
    assert f([1.0, 3.0]) == 10.0
    scale.data = 4.0
    assert f([1.0, 3.0]) == 20.0


def test_what_no_input_reaches_is_the_number_itself(form: None, interpreted: None) -> None:
    for reduce, total in (("mean", 7.0), ("sum", 21.0), (None, [7.0] * 3)):
        value, slopes = compile(
            lambda x: 7.0, rows="x", reduce=reduce, backend="native"
        ).value_and_grad([1.0, 2.0, 3.0])
        assert flat(value) == flat(total)
        assert flat(slopes) == [0.0, 0.0, 0.0]


def test_a_network_is_read_layer_by_layer() -> None:
    model = MLP(2, [16, 16, 1], activation="tanh", seed=0)
    f = compile(lambda model, x, y: squared_error(model(x), y), rows=("x", "y"), backend="native")
    source = f.source(model.state(), np.zeros((4, 2)), np.zeros((4, 1)))
    for line in (
        "layer(W2_flat, 16, 1, 16, 16, a1, b2, z2, n)",
        "add_products(dz2, a1, dW2_flat, 16, 1, 16, 16, n)",
        "add_sums(dz2, db2, n)",
        "add_dots(W2_flat, 1, 16, 16, 16, dz2, da1, n)",
    ):
        assert f"        {line}\n" in source


# ------------------------------------------------------------------ what numba makes of it


def test_a_network_of_everything_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer, choices, gathers, a list, sources side by side, parameters beside rows, and more rows than a tile has."""
    monkeypatch.setattr(in_native, "FEW", LOOPS)
    monkeypatch.setattr(in_native, "TILES", (16, 32))
    weights = {
        "W1": np.random.default_rng(1).normal(size=(6, 2)),
        "b1": np.linspace(-1, 1, 6),
        "scale": np.linspace(0.5, 1.5, 6),
    }

    def fn(p: Any, x: Any) -> Any:
        hidden = [
            sg.tanh(sg.dot(row, x, b)) * s
            for row, b, s in zip(p["W1"], p["b1"], p["scale"], strict=True)
        ]
        mixed = [*hidden, x[0], p["scale"][2]]
        return sg.logsumexp([sg.where(mixed[i] > 0.0, mixed[i], x[1]) for i in (3, 0, 7, 6, 3)])

    in_both(fn, weights, np.random.default_rng(2).normal(size=(70, 2)), rows="x")


def test_a_large_layer_compiles() -> None:
    pytest.importorskip("scipy")
    model = MLP(130, [32, 2], activation="sigmoid", seed=0)
    rng = np.random.default_rng(0)
    in_both(
        lambda m, x, y: squared_error(m(x), y),
        model.state(),
        rng.random((40, 130)),
        rng.random((40, 2)),
        rows=("x", "y"),
    )


def test_a_jacobian_of_rows_compiles() -> None:
    def fn(p: Any, x: Any) -> list[Any]:
        angle = sg.hypot(p[0], p[1])
        return [x[0] * sg.cos(angle) - p[0] * x[1], x[1] ** 3 / p[1], sg.max([p[0], x[0], 0.25])]

    in_both(
        fn,
        [0.5, -1.5],
        np.random.default_rng(0).normal(size=(9, 2)),
        rows="x",
        reduce=None,
        wrt=(0, 1),
        kind="jacobian",
    )


def test_a_branch_that_is_left_out_poisons_nothing() -> None:
    f = compile(lambda x: sg.where(x > 0, sg.sqrt(x), 0.0), rows="x", reduce=None, backend="native")
    for x, value, slope in edges.MASKED:
        values, slopes = f.value_and_grad([x, 4.0, x])
        assert values.tolist() == [value, 2.0, value]
        assert slopes.tolist() == [slope, 0.25, slope]


def test_an_overflow_in_the_fast_formulas_is_seen() -> None:
    f = compile(lambda x: sg.sigmoid(x), rows="x", reduce=None, backend="native")
    values, slopes = f.value_and_grad([-800.0, -720.0, -360.0, 0.0, 800.0])
    np.testing.assert_allclose(
        values, [sg.sigmoid(x) for x in (-800.0, -720.0, -360.0, 0.0, 800.0)], rtol=1e-15
    )
    np.testing.assert_allclose(
        slopes, [sg.grad(sg.sigmoid)(x) for x in (-800.0, -720.0, -360.0, 0.0, 800.0)], rtol=1e-15
    )


def test_other_numbers_compile_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []

    def build(source: str, name: str) -> Any:
        built.append(machine.build(source, name))
        return built[-1]

    monkeypatch.setattr(on_native, "build", build)
    f = compile(lambda w, x: sg.dot(w, x), backend="native")
    f.value_and_grad([1.0, 2.0], [3.0, 4.0])
    frozen = np.array([5.0, 6.0])
    frozen.flags.writeable = False
    arrays = (
        np.array([5.0, 6.0]),
        np.array([5, 6], dtype=np.int32),
        np.arange(4.0)[::2],
        frozen,
        np.array([5.0, 6.0], dtype=">f8"),
    )
    for w in ([1, 2], *arrays):
        value, slopes = f.value_and_grad(w, [3.0, 4.0])
        assert value == 3.0 * w[0] + 4.0 * w[1]
        assert flat(slopes) == [3.0, 4.0]
    assert [len(one.signatures) for one in built] == [1, 1]  # for lists and for arrays


# ------------------------------------------------------------------ training

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda ps: SGD(ps, lr=0.1),
    "nesterov": lambda ps: SGD(ps, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop": lambda ps: RMSprop(ps, lr=0.01),
    "adam": lambda ps: Adam(ps, lr=0.02),
    "adamw": lambda ps: AdamW(ps, lr=0.02),
}


def assert_trained_alike(
    optimizer: str,
    batches: list[list[int]],
    is_mean: bool = True,
    only: str = "",
    known: bool = False,
    penalised: bool = True,
) -> LoopOnNative:
    """Steps of a small network in machine code end where those in plain Python do; the loop is returned."""
    model = MLP(2, [5, 1], activation="tanh", seed=1)
    rng = random.Random(0)
    table = (
        [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(9)],
        [(rng.gauss(0, 1),) for _ in range(9)],
    )
    parameters = [p for p in model.parameters() if p.label.startswith(only)]
    chosen = OPTIMIZERS[optimizer](parameters)
    formula = update_of(chosen, len(parameters))
    made = Objective(
        model, parameters, squared_error, (lambda m: 1e-2 * l2(m)) if penalised else None, is_mean
    )
    program, whole = (
        made.of_a_row(table[0][0], table[1][0]),
        made.of_rows(*table) if known else None,
    )
    assert formula is not None
    ours = LoopOnNative(
        program,
        made.penalty,
        formula,
        made.weights,
        table,
        "mean" if is_mean else "sum",
        True,
        whole,
    )
    theirs = Loop(program, made.penalty, formula, made.weights, list(zip(*table, strict=True)))
    value_of = {x: value.data for value, x in made.inputs.items()}
    start = [p.data for p in parameters], chosen.state
    rates = [chosen.rate(0) * 0.9**i for i in range(len(batches))]
    ends = [
        loop.run(*start, [value_of[x] for x in loop.fixed], rates, 0, batches, chosen.update)
        for loop in (ours, theirs)
    ]
    assert_close([*ends[0]], [*ends[1]])
    assert ends[0][0] != start[0]
    return ours


ALL = [*range(9)]
SHUFFLED = random.Random(5).sample(ALL, 9)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("is_mean", [True, False], ids=["mean", "sum"])
def test_steps_end_where_those_in_python_do(
    optimizer: str, is_mean: bool, form: None, interpreted: None
) -> None:
    assert_trained_alike(optimizer, [ALL] * 6, is_mean)
    assert_trained_alike(optimizer, [ALL[:4], ALL[4:8], ALL[8:]] * 2, is_mean)
    assert_trained_alike(optimizer, [SHUFFLED[:5], SHUFFLED[5:], ALL[:3]], is_mean, penalised=False)


def test_blocks_that_are_not_trained_stay(form: None, interpreted: None) -> None:
    loop = assert_trained_alike("adam", [ALL, SHUFFLED], only="W2")
    assert len(loop.fixed) == 16
    assert_trained_alike("sgd", [ALL] * 3, only="b")


def test_rows_that_are_known_are_written_out(
    interpreted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_native, "FEW", LINES)
    for is_mean in (True, False):
        loop = assert_trained_alike("adam", [ALL] * 4, is_mean, known=True)
        assert (
            "def train(weights, states, rates, first_step, numbers, places, losses):" in loop.source
        )


def test_training_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_native, "FEW", LOOPS)
    assert_trained_alike("adam", [SHUFFLED[:6], SHUFFLED[6:]] * 10)
