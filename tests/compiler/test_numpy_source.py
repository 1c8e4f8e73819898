"""NumPy source against plain Python's, which is bit-equal to eager: networks, layers at random, edges, rows."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import compile
from scalargrad.compiler.choices import FAST, FASTEST
from scalargrad.nn import MLP
from scalargrad.nn.losses import cross_entropy, squared_error
from scalargrad.ops import OPS, Op
from scalargrad.rows.text import FAST_NAMES, on_floats, run, source_on_floats
from tests import edges, programs, random_graphs
from tests.compiler import layered

np = pytest.importorskip("numpy")

CLOSE = 1e-12  # of the largest number; each operation is off by 2 ulp at most


def flat(result: Any) -> list[float]:
    """All numbers of a result."""
    if isinstance(result, dict):
        result = list(result.values())
    return (
        [x for part in result for x in flat(part)]
        if isinstance(result, (list, tuple))
        else np.ravel(result).tolist()
    )  # type: ignore[no-any-return]


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


def in_both(fn: Any, *args: Any, kind: str = "value_and_grad", **options: Any) -> None:
    """Value and gradient on arrays are those in plain Python."""
    on_python, on_numpy = (
        compile(fn, backend=backend, **options) for backend in ("python", "numpy")
    )
    expected = getattr(on_python, kind)(*args)
    got = getattr(on_numpy, kind)(*args)
    assert_close(got, expected)
    assert_close(on_numpy(*args), expected[0])


@pytest.mark.parametrize("seed", range(25))
def test_layers_at_random_are_what_they_are_in_python(seed: int) -> None:
    fn = layered.function(seed)
    in_both(fn, *layered.arguments(seed, 0), wrt=(0, 1, 2))
    for rows, reduce in ((5, "sum"), (3, None), (1, "mean")):
        in_both(fn, *layered.arguments(seed, rows), wrt=(0, 1, 2), rows="x", reduce=reduce)


def test_graphs_at_random_are_what_they_are_in_python() -> None:
    for number in range(50):  # `python -m tests.random_graphs` takes more
        program = random_graphs.graph(11, number)

        def fn(xs: Any, program: programs.Program = program) -> Any:
            return programs.run(
                program, list(xs), lambda row, operands: getattr(sg.functions, row)(*operands)
            )[-1]

        leaves = list(program.leaves)
        expected = compile(fn, backend="python").value_and_grad(leaves)
        # what is off in the last bit may be magnified on the way
        assert_close(compile(fn, backend="numpy").value_and_grad(leaves), expected, 1e-8)


@pytest.mark.parametrize("edge", edges.EDGES, ids=lambda edge: f"{edge.name}{edge.operands}")
def test_the_table_of_edges_holds_on_arrays(edge: edges.Edge) -> None:
    fn = getattr(sg, edge.name, None) or getattr(sg.functions, edge.name)
    operators = {
        "add": "__add__",
        "sub": "__sub__",
        "mul": "__mul__",
        "div": "__truediv__",
        "pow": "__pow__",
    }
    f = compile(fn if edge.name not in operators else lambda x, y: getattr(x, operators[edge.name])(y),
                wrt=tuple(range(len(edge.operands))), backend="numpy")  # fmt: skip
    value, slopes = f.value_and_grad(*edge.operands)
    near = (
        pytest.approx(edge.value, rel=5e-16, nan_ok=True)
        if not isinstance(edge.value, edges.About)
        else edge.value
    )
    assert float(value) == near
    for got, expected in zip(flat(slopes), flat(edge.slopes), strict=True):
        about = next((s for s in edge.slopes if isinstance(s, edges.About) and s == got), None)
        assert about is not None or got == pytest.approx(expected, rel=1e-15, abs=0.0, nan_ok=True)


@pytest.mark.parametrize(("x", "value", "slope"), edges.MASKED)
def test_a_branch_that_is_left_out_poisons_nothing(x: float, value: float, slope: float) -> None:
    f = compile(lambda x: sg.where(x > 0, sg.sqrt(x), 0.0), rows="x", reduce=None, backend="numpy")
    values, slopes = f.value_and_grad([x, 4.0, x])
    assert values == [value, 2.0, value]
    assert slopes == [slope, 0.25, slope]


@pytest.mark.parametrize("reduce", [None, "mean"])
def test_a_number_may_be_the_condition_of_a_choice(reduce: Any) -> None:
    rows = [[1.0, 2.0, 3.0], [0.0, 2.0, 3.0], [-0.0, 5.0, 0.5], [math.nan, 1.0, 2.0]]
    on_arrays, plain = (
        compile(
            lambda x: sg.where(x[0] * x[1], x[0] * x[2], sg.sin(x[2])),
            rows="x",
            reduce=reduce,
            backend=backend,
        )
        for backend in ("numpy", "python")
    )
    for got, expected in zip(
        on_arrays.value_and_grad(rows), plain.value_and_grad(rows), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-15)


def test_a_network_becomes_the_formulas_of_matrices() -> None:
    model = MLP(2, [3, 1], activation="sigmoid", output_activation="sigmoid", seed=0)
    f = compile(
        lambda model, x, y: squared_error(model(x), y),
        rows=("x", "y"),
        reduce="sum",
        backend="numpy",
    )
    source = f.source(model.state(), np.zeros((4, 2)), np.zeros((4, 1)))
    for line in (
        "z1 = x @ W1.T\n    z1 += b1",
        "z2 = a1 @ W2.T\n    z2 += b2",
        "da1 = dz2 @ W2",
        "dW2 = dz2.T @ a1",
        "db1 = ones @ dz1",
        "dW1 = dz1.T @ x",
    ):
        assert f"    {line}\n" in source


def test_sums_of_products_by_hand_become_matrices_too() -> None:
    def fn(W: Any, v: Any, x: Any) -> Any:
        hidden = [sg.tanh(sum(w * a for w, a in zip(row, x, strict=True))) for row in W]
        return sum(w * h for w, h in zip(v, hidden, strict=True))

    f = compile(fn, wrt=(0, 1), rows="x", backend="numpy")
    W, v, X = (
        np.arange(6.0).reshape(3, 2) / 7,
        np.array([1.0, -2.0, 0.5]),
        np.linspace(-1, 1, 10).reshape(5, 2),
    )
    assert " = x @ W.T\n" in f.source(W, v, X)
    hidden = np.tanh(X @ W.T)
    value, (dW, dv) = f.value_and_grad(W, v, X)
    assert float(value) == pytest.approx((hidden @ v).mean(), rel=1e-14)
    np.testing.assert_allclose(dW, (((1 - hidden**2) * v).T @ X) / 5, rtol=1e-12)
    np.testing.assert_allclose(dv, hidden.mean(0), rtol=1e-14)


def test_chunks_of_rows_give_what_all_rows_give(monkeypatch: pytest.MonkeyPatch) -> None:
    from scalargrad.compiler import on_numpy

    monkeypatch.setattr(on_numpy, "chunk_of", lambda program: 3)
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(20, 3)), rng.normal(size=3)
    for reduce in ("mean", "sum", None):
        in_both(lambda w, x: sg.tanh(sg.dot(w, x)), w, X, rows="x", reduce=reduce, wrt=(0, 1))
    f, g = (
        compile(lambda p, x: [sg.dot(p, x), x[0] * p[1]], rows="x", reduce=None, backend=b)
        for b in ("numpy", "python")
    )
    assert_close(f.jacobian(w, X), g.jacobian(w, X))


@pytest.mark.parametrize(
    "twin",
    [*FAST.values(), *FASTEST.values()],
    ids=lambda twin: f"{twin.name} = {twin.value}",
)
def test_fast_formulas_are_good_to_a_few_ulp_where_nothing_overflows(twin: Op) -> None:
    fast = run(source_on_floats(twin), "<fast>", {**FAST_NAMES, "divide": lambda x, y: x / y})[
        "total"
    ]
    careful = on_floats(OPS[twin.name])["total"]
    for i in range(-3500, 3500):
        x = i / 10
        for got, expected in zip(fast(x), careful(x), strict=True):
            assert abs(got - expected) <= 6 * math.ulp(expected), x


def test_an_overflow_in_the_fast_formulas_is_seen() -> None:
    f = compile(lambda x: sg.sigmoid(x), rows="x", reduce=None, backend="numpy")
    values, slopes = f.value_and_grad([-800.0, -720.0, -360.0, 0.0, 800.0])
    assert values == [sg.sigmoid(x) for x in (-800.0, -720.0, -360.0, 0.0, 800.0)]
    np.testing.assert_allclose(
        slopes, [sg.grad(sg.sigmoid)(x) for x in (-800.0, -720.0, -360.0, 0.0, 800.0)], rtol=1e-15
    )


def test_the_source_is_what_runs() -> None:
    f = compile(lambda x: sg.exp(x) * 2, backend="numpy")
    assert f(1.0) == 2 * math.e
    (traces,) = f._traces.values()
    assert inspect.getsource(traces.functions["value", "numpy"]._fast) in f.source(1.0)


def test_attention_is_what_it_is_in_python() -> None:
    def attention(q: Any, k: Any, v: Any) -> Any:
        rows = [sg.softmax([sg.dot(a, b) for b in k[: t + 1]]) for t, a in enumerate(q)]
        return sg.sum(
            [
                sg.dot(row, [x[i] for x in v[: t + 1]]) ** 2
                for t, row in enumerate(rows)
                for i in range(2)
            ]
        )

    rng = np.random.default_rng(1)
    in_both(attention, *rng.normal(size=(3, 6, 2)), wrt=(0, 1, 2))
    in_both(attention, *rng.normal(size=(3, 4, 6, 2)), wrt=(0, 1, 2), rows=("q", "k", "v"))


def test_classes_as_one_hot_rows_make_a_cross_entropy() -> None:
    model = MLP(2, [5, 3], activation="relu", seed=2)
    X, Y = np.random.default_rng(0).normal(size=(7, 2)), np.eye(3)[[0, 1, 2, 2, 1, 0, 0]]
    in_both(lambda m, x, y: cross_entropy(m(x), y), model.state(), X, Y, rows=("x", "y"))


def test_gradients_are_arrays_of_their_own() -> None:
    w, x, s = np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.ones(4)
    _, (dw, dx) = compile(sg.dot, wrt=(0, 1), backend="numpy").value_and_grad(w, x)
    dw *= 0.0
    assert (x.tolist(), dx.tolist()) == ([3.0, 4.0], [1.0, 2.0])
    f = compile(lambda a, b: sg.sum([*a, *b]), wrt=(0, 1), backend="numpy")
    for _ in range(2):
        _, (da, db) = f.value_and_grad(s, s)
        da += 1.0
        assert db.tolist() == [1.0] * 4
    g = compile(lambda x: 0.5 * x[0] + 0.25 * x[1], backend="numpy")
    for _ in range(2):
        slopes = g.value_and_grad(w)[1]
        assert slopes.tolist() == [0.5, 0.25]
        slopes += 1.0


def test_what_is_returned_for_each_row_is_nobody_else_s() -> None:
    X = np.ones((3, 2))
    for fn in (lambda w, x: [x[1], x[1]], lambda w, x: [w * x[0], w * x[0]]):
        first, second = compile(fn, rows="x", reduce=None, backend="numpy")(1.0, X)
        first[0] = 7.0
        assert second.tolist() == [1.0, 1.0, 1.0]
        assert (X == 1.0).all()


def test_equal_steps_that_were_not_shared_are_merged() -> None:
    from scalargrad.compiler.on_numpy import NumpyFunction
    from scalargrad.compiler.program import Block, Constant, Program, Step

    x = Block("x", (2,), has_rows=True)
    a, b = (Step(OPS["abs"], (x.inputs[0],)) for _ in range(2))
    program = Program(
        [x],
        [
            Step(
                OPS["sum"],
                (Step(OPS["mul"], (a, Constant(2.0))), Step(OPS["add"], (b, x.inputs[1]))),
            )
        ],
    )
    (total,) = NumpyFunction(program, "f", "value", "sum")([np.array([[-1.0, 2.0], [3.0, 4.0]])])
    assert total == 2.0 + 3.0 + 6.0 + 7.0


def test_sigmoids_of_infinity_are_whole() -> None:
    assert compile(lambda x: sg.sigmoid(x), backend="numpy")(math.inf) == 1.0
    assert compile(lambda x: sg.sigmoid(x), backend="numpy")(-math.inf) == 0.0


def test_a_function_of_nothing_returns_nothing() -> None:
    assert (
        compile(lambda w: [], backend="numpy")([1.0])
        == compile(lambda w: [], backend="python")([1.0])
        == []
    )


@pytest.mark.parametrize("reduce", ["mean", "sum", None])
def test_numbers_of_a_matrix_are_results(reduce: Any) -> None:
    def fn(p: Any, x: Any) -> list[Any]:
        return [p[0][1], p[1][1], p[1][0] + x[0][1], x[0][1], x[0][0]]

    matrix, rows = [[1.0, 2.0], [3.0, 4.0]], [[[5.0, 6.0]], [[7.0, 8.0]], [[9.0, 1.0]]]
    in_both(fn, matrix, rows, wrt=(0, 1), rows="x", reduce=reduce, kind="jacobian")
    in_both(fn, matrix, rows[0], wrt=(0, 1), kind="jacobian")


def test_a_number_and_a_zero_in_columns_are_no_step_before() -> None:
    in_both(
        lambda p, x: sg.mean([p * x * x, 0.0]) * x + sg.sum([x, 0.0]) * sg.dot([x], [1.0]),
        2.0,
        [1.0, 2.0, 5.0],
        rows="x",
    )


@pytest.mark.parametrize("c", [0.0, -0.0, 1.0, -2.0, math.inf])
@pytest.mark.parametrize("x", [0.5, -1.5, 0.0])
def test_constant_operands_give_what_they_give_in_python(c: float, x: float) -> None:
    for fn in (
        lambda x: [c * sg.xlogy(c, x), sg.xlogy(x, c), x],
        lambda x: [sg.erf(x) / c, x / c + x, (x + c) / 3.0],
        lambda x: [sg.log(x) * c + x, sg.maximum(x, c) + x / 3.0, 2.0],
        lambda x: [sg.hypot(x, c), sg.arctan2(c, x), x**c],
    ):
        in_both(fn, x, kind="jacobian")
        for reduce in ("mean", "sum", None):
            in_both(fn, [x, 2.0], rows="x", reduce=reduce, kind="jacobian")


def test_infinities_in_a_matrix_meet_the_slopes_of_one_row() -> None:
    def fn(w: Any, x: Any) -> Any:
        hidden = [sg.dot(row, x) for row in w]
        return sg.where(hidden[0] < math.inf, hidden[0], 0.0) + hidden[1]

    in_both(fn, [[math.inf, 1.0], [2.0, 3.0], [4.0, 5.0]], [1.0, 2.0], wrt=(0, 1))
    in_both(
        lambda w, x: fn(w, x) + sg.sum([sg.tanh(sg.dot(row, x)) for row in w]),
        [[math.inf, 1.0], [2.0, 3.0]],
        [1.0, 2.0],
        wrt=(0, 1),
    )


def test_a_sum_of_each_row_is_spread_over_the_row_before_more_is_added_to_it() -> None:
    x = np.random.default_rng(6).normal(size=(5, 4))
    total, tanh = x.sum(-1, keepdims=True), np.tanh(x)
    for fn, expected in [
        (lambda x: [2.0 * sg.sum(x) - a for a in x], 2.0 * total - x),
        (lambda x: [(sg.exp(sg.sum(x)) + a) * a for a in x], (np.exp(total) + x) * x),
        (
            lambda x: [sg.exp(sg.sum([*map(sg.tanh, x)])) / 2.0 + sg.tanh(a) for a in x],
            np.exp(tanh.sum(-1, keepdims=True)) / 2.0 + tanh,
        ),
    ]:
        values = compile(fn, rows="x", reduce=None, backend="numpy")(x)
        np.testing.assert_allclose(np.transpose(values), expected, rtol=1e-14)


def test_numbers_that_are_read_twice_in_each_of_many_layers_take_no_walk_over_all_ways() -> None:
    def layers(x: Any) -> Any:
        for _ in range(60):  # 2⁶⁰ ways lead through them
            x = [sg.tanh(a) * b + a for a, b in zip(x, [*x[1:], x[0]], strict=True)]
        return sg.sum(x)

    x = expected = np.random.default_rng(7).normal(size=4) / 10.0
    for _ in range(60):
        expected = np.tanh(expected) * np.roll(expected, -1) + expected
    assert compile(layers, backend="numpy")(x) == pytest.approx(expected.sum(), rel=1e-12)
    means = compile(layers, rows="x", backend="numpy")([x, x])
    assert means == pytest.approx(expected.sum(), rel=1e-12)
