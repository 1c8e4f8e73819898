"""Rows of the table on NumPy arrays: the same numbers as on floats, element by element."""

from __future__ import annotations

import ast
import itertools
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from scalargrad import Value, custom_op, functions
from scalargrad.compiler.choices import TRACED, sends
from scalargrad.compiler.in_numpy import on_arrays
from scalargrad.compiler.in_numpy.arrays import (
    PATTERNS,
    array_expression,
    array_names,
    array_statements,
)
from scalargrad.ops import OPS, Op
from scalargrad.rows.text import TOTAL_NAMES, on_floats

from ... import oracle
from ...edges import EDGES, Edge, inf, nan
from ...test_ops import combinations

ROWS = [op for op in OPS.values() if not op.is_composed]
POINTS = 400
LARGEST = 1.7e308

# The ulps between a row on arrays and on floats: 2, as an operation of NumPy's may be off, but where several follow one another.
BOUNDS = {
    ("erf", "out"): 3, ("erfc", "out"): 3,  # SciPy's
    ("tanh", "out"): 3, ("tanh", "dx"): 4, ("tan", "dx"): 4, ("cbrt", "dx"): 4, ("sigmoid", "dx"): 4, ("silu", "out"): 4,
    ("silu", "dx"): 4, ("gelu", "out"): 3, ("gelu", "dx"): 4, ("log_sigmoid", "dx"): 3, ("softplus", "dx"): 3, ("arcsinh", "dx"): 3,
    ("hypot", "dx"): 3, ("hypot", "dy"): 3, ("norm", "dxs"): 3, ("arctan2", "dx"): 5, ("arctan2", "dy"): 5, ("pow", "dx"): 5,
    ("pow", "dy"): 4, ("logaddexp", "dx"): 3, ("logaddexp", "dy"): 3, ("logsumexp", "dxs"): 4, ("dot", "out"): 6,
    # slopes that rows share, and slopes of those
    ("_sigmoid_slope", "out"): 4, ("_sigmoid_slope", "dx"): 7, ("_silu_slope", "out"): 4, ("_silu_slope", "dx"): 8,
    ("_gelu_slope", "out"): 4, ("_gelu_slope", "dx"): 5, ("_normal_pdf", "dx"): 3, ("_normal_cdf", "out"): 3,
    ("_power_slope", "out"): 5, ("_power_slope", "dx"): 6, ("_power_slope", "dy"): 4, ("_power_log", "out"): 5,
    ("_power_log", "dx"): 5, ("_power_log", "dy"): 6, ("_over_squares", "out"): 5, ("_over_squares", "dx"): 8, ("_over_squares", "dy"): 9,
    ("_over_hypot", "out"): 3, ("_over_hypot", "dx"): 8, ("_over_hypot", "dy"): 7, ("_first_share", "out"): 3, ("_second_share", "out"): 3,
    ("_first_share", "dx"): 4, ("_first_share", "dy"): 4, ("_second_share", "dx"): 4, ("_second_share", "dy"): 4,
}  # fmt: skip

# Where two terms cancel, ulps are counted in the larger of them.
TERMS: dict[tuple[str, str], Callable[..., Any]] = {
    **{key: exception.term for key, exception in oracle.EXCEPTIONS.items()},
    ("_silu_slope", "out"): oracle.EXCEPTIONS["silu", "dx"].term,
    ("_silu_slope", "dx"): lambda x: 2 * oracle.sigmoid(x) * oracle.sigmoid(-x),
    ("_gelu_slope", "out"): oracle.EXCEPTIONS["gelu", "dx"].term,
    ("_over_squares", "dx"): lambda x, y: 1 / (x * x + y * y),
}


def on_arrays_of(op: Op, **constants: float) -> Callable[..., tuple[Any, ...]]:
    """The row on arrays as a function: its value and all its slopes."""
    forward, slopes = array_statements(op, constants=constants)
    results = ", ".join(["out", *(f"d{operand}" for operand in op.operands)])
    lines = [f"def function({', '.join(op.operands)}):", *forward, *slopes, f"return {results}"]
    names = dict(array_names())
    exec("\n    ".join(lines), names)

    def quiet(*operands: Any) -> tuple[Any, ...]:
        with np.errstate(all="ignore"):
            return names["function"](*operands)  # type: ignore[no-any-return]

    return quiet


def points(op: Op) -> list[tuple[Any, ...]]:
    """Operands of a row: drawn from its domain, of common size, and all combinations of the hard ones."""
    rng = random.Random(op.name)
    drawn = [tuple(oracle.draw(rng, op)) for _ in range(POINTS)]
    common = (
        []
        if op.takes_lists
        else [tuple(rng.gauss(0.0, 2.0) for _ in op.operands) for _ in range(POINTS)]
    )
    return [*drawn, *common, *combinations(op)]


def by_shape(operands: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """The points in groups whose lists are of one length."""

    def sizes(point: tuple[Any, ...]) -> list[int]:
        return [len(o) if isinstance(o, list) else -1 for o in point]

    return (list(group) for _, group in itertools.groupby(sorted(operands, key=sizes), key=sizes))


def assert_near(got: Any, expected: Any, op: Op, what: str, group: list[tuple[Any, ...]]) -> None:
    """Within the bound, with the same nan, inf and zeros."""
    expected = np.array(expected, dtype=float)
    got = np.broadcast_to(got, expected.shape)
    bound, term = BOUNDS.get((op.name, what), 2), TERMS.get((op.name, what))
    different = (got != expected) & ~(np.isnan(got) & np.isnan(expected))
    for at in map(tuple, np.argwhere(different)):
        point, x, there = group[at[0]], float(got[at]), float(expected[at])
        size = abs(there)
        if term and math.isfinite(there):
            size = max(size, min(abs(float(term(*oracle.exact(point)))), LARGEST))
        else:
            assert (x == 0.0) == (there == 0.0), (op.name, what, point)
        assert abs(x - there) <= bound * math.ulp(size) < inf, (op.name, what, point, x, there)


def assert_row_is_near(op: Op, operands: list[tuple[Any, ...]]) -> None:
    function, total = on_arrays_of(op), on_floats(op)["total"]
    for group in by_shape(operands):
        results = function(*(np.array(column, dtype=float) for column in zip(*group, strict=True)))
        expected = list(zip(*(total(*point) for point in group), strict=True))
        for what, got, truth in zip(
            ["out", *(f"d{o}" for o in op.operands)], results, expected, strict=True
        ):
            assert_near(got, truth, op, what, group)


@pytest.fixture(autouse=True)
def digits() -> Iterator[None]:
    before, mp.dps = mp.dps, 30
    yield
    mp.dps = before


# ------------------------------------------------------------------ the numbers


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_a_row_on_arrays_has_the_numbers_of_floats(op: Op) -> None:
    assert_row_is_near(op, points(op))


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge.name}{edge.operands}")
def test_edges_on_arrays_are_as_the_table_has_them(edge: Edge) -> None:
    results = on_arrays_of(OPS[edge.name])(
        *(np.array([o, o, o], dtype=float) for o in edge.operands)
    )
    for what, (got, expected) in enumerate(zip(results, (edge.value, *edge.slopes), strict=True)):
        for one in np.broadcast_to(got, (3, *np.shape(expected))):
            for x, promised in zip(
                np.ravel(one).tolist(), np.ravel(np.array(expected, dtype=object)), strict=True
            ):
                if math.isnan(promised):
                    assert math.isnan(x)
                elif promised == 0.0 and not what:
                    assert math.copysign(1.0, x) == math.copysign(1.0, promised)
                    assert x == 0.0
                else:
                    assert promised == x or abs(x - promised) <= 2 * math.ulp(
                        promised
                    )  # `promised` may be About a number


@pytest.mark.parametrize(
    "op",
    [op for op in ROWS if op.is_public and op.name not in ("max", "min")],
    ids=lambda op: op.name,
)
def test_zeros_of_values_have_the_sign_that_they_have_on_floats(op: Op) -> None:
    function, value = on_arrays_of(op), on_floats(op)["value"]
    for group in by_shape([point for point in combinations(op) if value(*point) == 0.0]):
        got = function(*(np.array(column, dtype=float) for column in zip(*group, strict=True)))[0]
        assert [math.copysign(1.0, x) for x in got] == [
            math.copysign(1.0, value(*point)) for point in group
        ]


@pytest.mark.parametrize("length", range(1, 18))
def test_no_place_in_an_array_has_a_zero_of_another_sign(length: int) -> None:
    out, dx = on_arrays_of(OPS["relu"])(np.full(length, -0.0))
    assert not np.signbit(out).any()
    assert (dx == 0.0).all()


@pytest.mark.parametrize("op", [op for op in ROWS if not op.takes_lists], ids=lambda op: op.name)
def test_shapes_fit_one_another_and_numbers_of_numpy_do(op: Op) -> None:
    function, rng = on_arrays_of(op), random.Random(op.name)
    shapes = [(3, 1), (4,), (1, 1)][: len(op.operands)]
    operands = [
        np.array([rng.uniform(0.05, 0.95) for _ in range(math.prod(shape))]).reshape(shape)
        for shape in shapes
    ]
    shape = np.broadcast_shapes(*shapes)
    operands[0][0, 0] = 0.0  # so that what is rare is there too
    results = function(*operands)
    whole = function(*(np.broadcast_to(o, shape).copy() for o in operands))
    for got, expected in zip(results, whole, strict=True):
        assert np.array_equal(
            np.broadcast_to(got, shape), np.broadcast_to(expected, shape), equal_nan=True
        )
    for at in np.ndindex(shape):
        one = function(*(np.float64(np.broadcast_to(o, shape)[at]) for o in operands))
        for got, expected in zip(one, whole, strict=True):
            number, there = float(got), float(np.broadcast_to(expected, shape)[at])
            assert (
                number == there
                or abs(number - there) <= 4 * math.ulp(there)
                or (math.isnan(number) and math.isnan(there))
            )


@pytest.mark.parametrize("op", [op for op in ROWS if op.takes_lists], ids=lambda op: op.name)
def test_a_list_is_the_last_axis_whatever_stands_before_it(op: Op) -> None:
    function, rng = on_arrays_of(op), random.Random(op.name)
    operands = [
        np.array([rng.gauss(0.0, 1.0) for _ in range(24)]).reshape(2, 3, 4)[
            ..., : None if o != "bias" else 1
        ]
        for o in op.operands
    ]
    operands = [
        o[..., 0] if name == "bias" else o for o, name in zip(operands, op.operands, strict=True)
    ]
    total = on_floats(op)["total"]
    results = function(*operands)
    for at in np.ndindex(2, 3):
        expected = total(*(o[at].tolist() for o in operands))
        for got, there in zip(results, expected, strict=True):
            np.testing.assert_allclose(
                np.broadcast_to(got, (2, 3, *np.shape(there)))[at], there, rtol=1e-15, atol=1e-15
            )


def test_rows_of_no_numbers_are_those_of_empty_lists() -> None:
    empty = np.zeros((2, 0))
    names = array_names()
    assert [names[name](empty).tolist() for name in ("add_up", "product", "norm")] == [
        [0.0, 0.0],
        [1.0, 1.0],
        [0.0, 0.0],
    ]
    assert names["log_of_sum"](empty, names["exps"](empty)).tolist() == [-inf, -inf]
    assert names["products_of_others"](empty).shape == (2, 0)


def test_the_largest_of_a_list_and_its_ties() -> None:
    xs = np.array([[2.0, 1.0, 2.0], [nan, 1.0, 2.0], [-inf, -inf, -inf]])
    out, dxs = on_arrays_of(OPS["max"])(xs)
    np.testing.assert_array_equal(out, [2.0, nan, -inf])
    np.testing.assert_array_equal(dxs, [[0.5, 0.0, 0.5], [nan] * 3, [1 / 3] * 3])


@pytest.mark.parametrize("name", ["erf", "erfc", "gelu"])
def test_without_scipy_erf_is_that_of_math(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_arrays, "_of_scipy", lambda: None)
    op = OPS[name]
    assert_row_is_near(op, points(op))
    x = np.array([[-0.3, 0.7], [26.7, -30.0]])
    for special, scalar in ((on_arrays.erf, math.erf), (on_arrays.erfc, math.erfc)):
        assert special(x).tolist() == [[scalar(v) for v in row] for row in x.tolist()]


def test_erfc_keeps_its_digits_with_scipy_too() -> None:
    for x in (0.6, 2.0, 8.0, 20.0, 26.6, 27.2):
        expected = math.erfc(x)
        assert abs(float(on_arrays.erfc(np.array([0.1, x]))[1]) - expected) <= 2 * math.ulp(
            expected
        )


def test_a_share_of_a_slope_of_nothing_is_nothing() -> None:
    with np.errstate(all="ignore"):
        shares = on_arrays.share(np.array([inf, nan, 2.0, nan]), np.array([0.0, -0.0, 3.0, 1.0]))
    np.testing.assert_array_equal(shares, [0.0, 0.0, 6.0, nan])


# ------------------------------------------------------------------ what is rare


def test_what_is_rare_is_computed_where_it_is_needed_only() -> None:
    seen: list[list[float]] = []

    def instead(x: Any, y: Any) -> Any:
        seen.append(x.tolist())
        return x + y

    x, y = np.array([[1.0, -2.0], [3.0, -4.0]]), np.array([10.0, 20.0])
    positive = on_arrays.mended(on_arrays.unless(x > 0.0), x, instead, x, y)
    assert (positive.tolist(), seen) == ([[1.0, 18.0], [3.0, 16.0]], [[-2.0, -4.0]])
    assert on_arrays.mended(on_arrays.when(x > 9.0), x, instead, x, y) is x
    assert on_arrays.mended(on_arrays.unless(x < 9.0), x, instead, x, y) is x
    assert len(seen) == 1
    assert x.tolist() == [[1.0, -2.0], [3.0, -4.0]]


def test_a_number_is_put_in_its_place() -> None:
    x = np.array([1.0, -2.0])
    assert on_arrays.mended(on_arrays.when(x < 0.0), x, 7.0).tolist() == [1.0, 7.0]
    assert on_arrays.mended(on_arrays.unless(x < 0.0), 5.0, 7.0).tolist() == [7.0, 5.0]


# ------------------------------------------------------------------ the text


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("relu", ["out = maximum(x, 0.0)", "dx = sign(out)"]),
        ("clip", ["test = low > x", "test2 = high < x", "out = where(test, low, where(test2, high, x))"]),
        ("div", ["out = x / y", "dx = 1.0 / y",
                 "dy = mended(unless(out * out > 1e-290), -out / y, lambda x, y: -over_square(x, y), x, y)"]),
        ("hypot", ["out = hypot(x, y)", "rare = unless((out > 1e-290) & (out < inf))",
                   "dx = mended(rare, x / out, over_hypot, x, y)", "dy = mended(rare, y / out, over_hypot, y, x)"]),
        ("norm", ["out = norm(xs)", "dxs = mended(unless((out[..., None] > 1e-290) & (out[..., None] < inf)), xs / out[..., None], "
                  "lambda: _unit(xs))"]),
        ("maximum", ["out = maximum(x, y)", "part = 0.5 * order(x, y)", "dx = 0.5 + part", "dy = 0.5 - part"]),
        ("sum", ["out = add_up(xs)", "dxs = ones_like(xs)"]),
        ("elu", ["test = x > 0.0", "out = where(test, x, expm1(x))", "dx = where(test, 1.0, exp(x))"]),
    ],
)  # fmt: skip
def test_the_text_is_what_one_would_write_by_hand(name: str, lines: list[str]) -> None:
    forward, slopes = array_statements(OPS[name])
    assert [*forward, *slopes][: len(lines)] == lines


@pytest.mark.parametrize("op", [*ROWS, *TRACED.values()], ids=lambda op: op.name)
def test_the_text_has_no_conditional_of_scalars_and_no_name_that_is_unknown(op: Op) -> None:
    known = {*op.operands, *array_names()}
    for line in itertools.chain(*array_statements(op)):
        name, _, text = line.partition(" = ")
        tree = ast.parse(text, mode="eval")
        for node in ast.walk(tree):
            assert not isinstance(node, (ast.IfExp, ast.BoolOp, ast.Not, ast.ListComp, ast.Starred))
            assert not (isinstance(node, ast.Compare) and len(node.ops) > 1)
            if isinstance(node, ast.arg):
                assert node.arg in known
        assert {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} <= known
        known.add(name)


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_no_line_is_dead_and_none_computes_twice(op: Op) -> None:
    for by in (None, (), op.operands[:1]):
        forward, slopes = array_statements(op, by)
        trees = [
            (line.partition(" = ")[0], ast.parse(line.partition(" = ")[2]))
            for line in (*forward, *slopes)
        ]
        wanted = {"out", *(f"d{operand}" for operand in op.operands)}
        for i, (name, _) in enumerate(trees):
            assert name in wanted or any(
                isinstance(n, ast.Name) and n.id == name
                for _, tree in trees[i + 1 :]
                for n in ast.walk(tree)
            )
        texts = [ast.unparse(tree) for _, tree in trees]
        assert len({text for text in texts if "(" in text}) == len(
            [text for text in texts if "(" in text]
        )


def test_a_pattern_says_on_arrays_what_it_says_on_floats() -> None:
    numbers = [0.0, -0.0, 1.5, -2.0, 3.0, inf, -inf, nan]
    for scalar, arrays in PATTERNS[: [old for old, _ in PATTERNS].index("pow(a, 2.0)")]:
        for a, b in itertools.product(numbers, repeat=2):
            expected = eval(scalar, {**TOTAL_NAMES, "a": a, "b": b, "k": 2.0})
            with np.errstate(all="ignore"):
                got = eval(
                    arrays, {**array_names(), "a": np.full(9, a), "b": np.full(9, b), "k": 2.0}
                )
            np.testing.assert_array_equal(
                got, np.full(9, expected), err_msg=f"{scalar} at {a}, {b}"
            )


def test_what_a_constant_decides_is_decided_in_the_text() -> None:
    power = OPS["pow"]
    assert array_statements(power, ("x",), {"y": 2.0}) == (["out = x * x"], ["dx = 2.0 * x"])
    assert array_statements(power, (), {"y": 3.0}) == (["out = x * x * x"], [])
    assert array_statements(power, (), {"y": -1.0}) == (["out = 1.0 / x"], [])
    assert array_statements(OPS["maximum"], ("x",), {"y": 0.0})[1] == [
        "dx = 0.5 + 0.5 * order(x, 0.0)"
    ]
    assert array_statements(OPS["sub"], ("y",), {"x": -0.0})[0] == ["out = -0.0 - y"]
    assert array_statements(OPS["sub"], ("y",), {"x": 0.0})[0] == ["out = 0.0 - y"]


@pytest.mark.parametrize("y", [2.0, 3.0, -1.0, -0.5, 0.5, 0.0, 1.0, 2.7, -3.0, inf, -inf, nan])
def test_a_constant_exponent_gives_the_numbers_of_floats(y: float) -> None:
    op = OPS["pow"]
    group = [(x, y) for x, *_ in points(op)]
    total = [on_floats(op)["total"](*point) for point in group]
    forward, slopes = array_statements(op, ("x",), {"y": y})
    names = {**array_names(), "x": np.array([x for x, _ in group])}
    with np.errstate(all="ignore"):
        exec("\n".join([*forward, *slopes]), names)
    assert_near(names["out"], [t[0] for t in total], op, "out", group)
    assert_near(names["dx"], [t[1] for t in total], op, "dx", group)


def test_what_is_sent_back_through_a_choice_is_an_expression_of_arrays() -> None:
    assert [array_expression(text) for text in sends(TRACED["_choose"])[1:]] == [
        "where(condition, d, 0.0)",
        "where(condition, 0.0, d)",
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [("_less", "x < y"), ("_less_equal", "x <= y"), ("_and", "x & y"), ("_or", "x | y"), ("_not", "logical_not(x)"),
     ("_choose", "where(condition, x, y)"), ("_peak", "largest(xs)"), ("_detached", "x")],
)  # fmt: skip
def test_rows_of_a_trace_are_those_of_arrays(name: str, text: str) -> None:
    assert array_statements(TRACED[name]) == ([f"out = {text}"], [])


# ------------------------------------------------------------------ rows added at run time


@pytest.fixture
def clean() -> Iterator[None]:
    """Takes away the rows that a test adds."""
    before = set(OPS)
    yield
    for name in set(OPS) - before:
        del OPS[name]
        for holder in (Value, functions):
            if name in vars(holder):
                delattr(holder, name)


@pytest.mark.usefixtures("clean")
def test_a_row_added_at_run_time_is_one_of_arrays() -> None:
    custom_op("ramp", "softplus(x) ** 2 / 2", "softplus(x) * sigmoid(x)", domain=((-300.0, 300.0),))
    custom_op(
        "ratio",
        "e / (1 + y**2)",
        ("e / (1 + y**2)", "-2 * y * out / (1 + y**2)"),
        work=("e = exp(x)",),
    )
    custom_op(
        "mixed",
        "inf if x > 9.0 else nan if x < -9.0 else cube_root(x) * sigmoid(h)",
        "inf if x == 0.0 else x",
        work=("h = x - x",),
    )
    custom_op("always_one", "1 if x == x else x", "0")
    for name, bound in (("ramp", 12), ("ratio", 6), ("mixed", 4), ("always_one", 0)):
        op = OPS[name]
        for what in ("out", "dx", "dy"):
            BOUNDS[name, what] = bound
        try:
            assert_row_is_near(op, points(op))
        finally:
            for what in ("out", "dx", "dy"):
                del BOUNDS[name, what]


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize(
    "name", ["mended", "unless", "copysign", "order", "rare", "part", "test", "a", "k"]
)
def test_work_may_have_any_name_that_the_text_has_of_its_own(name: str) -> None:
    custom_op(
        "worked",
        f"{name} * sigmoid(x)",
        f"1 / {name} if x > 0.0 else inf",
        work=(f"{name} = 2 * x",),
    )
    out, dx = on_arrays_of(OPS["worked"])(np.array([3.0, 0.0]))
    assert out[0] == pytest.approx(6.0 * functions.sigmoid(3.0), rel=1e-15)
    assert dx.tolist() == [1.0 / 6.0, inf]
