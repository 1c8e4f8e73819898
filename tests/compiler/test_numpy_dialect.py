"""Rows of the table on NumPy arrays: the same numbers as on floats, element by element."""

from __future__ import annotations

import ast
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from scalargrad import custom_op, functions
from scalargrad.compiler.choices import TRACED
from scalargrad.compiler.dialects import numpy_helpers as on_arrays
from scalargrad.compiler.dialects.forms import ATOM
from scalargrad.compiler.dialects.numpy import PATTERNS, array_names
from scalargrad.compiler.dialects.numpy import on_arrays as parts_of
from scalargrad.compiler.emitters.numpy import function_source
from scalargrad.compiler.lower import LIST_SLOPES, LISTED, lines
from scalargrad.compiler.program import Block, Constant, Program, Step
from scalargrad.compiler.roll import rolled
from scalargrad.ops import LISTS, OPS, Op
from scalargrad.rows.text import TOTAL_NAMES, on_floats

from .. import oracle
from ..edges import EDGES, Edge, inf, nan
from ..test_ops import combinations

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


def source_of(op: Op, lengths: tuple[int | None, ...] = (), **constants: float) -> tuple[str, Any]:
    """The source of a function of columns that computes an operation and its slopes, and what it reads by name."""
    blocks, operands = [], list[Any]()
    for name, length in itertools.zip_longest(op.operands, lengths):
        if name in constants:
            operands.append(Constant(constants[name]))
        else:
            shape = (2 if length is None else length,) if name in LISTS else ()
            blocks.append(Block(name, shape, has_rows=True, wrt=bool(op.slopes)))
            operands += blocks[-1].inputs
    program = Program(blocks, [Step(op, tuple(operands))])
    (text,), names = function_source(rolled(program), "function", "value_and_grad", None, True)
    return text, names


def on_arrays_of(op: Op, **constants: float) -> Callable[..., tuple[Any, ...]]:
    """The operation on columns as a function: its value and all its slopes."""
    made: dict[Any, Any] = {}

    def function(*operands: Any) -> tuple[Any, ...]:
        lengths = tuple([x.shape[1] if x.ndim > 1 else None for x in operands])
        if lengths not in made:
            text, names = source_of(op, lengths, **constants)
            exec(text, names)
            made[lengths] = names["function"]
        with np.errstate(all="ignore"):
            value, slopes = made[lengths](*[x if x.ndim > 1 else x[:, None] for x in operands])
        return value, *slopes

    return function


def texts_of(op: Op, by: tuple[str, ...] = (), **constants: float) -> list[str]:
    """The lines of an operation on arrays, each whole."""
    found = []
    for name, line in itertools.chain(*lines(op, by)):
        known = tuple([(x, repr(number)) for x, number in constants.items() if x in line.operands])
        part = parts_of(line, known)
        text = part if isinstance(part, float) else written(part, line.operands)[0]
        found.append(f"{name} = {text}")
    return found


def written(part: Any, operands: Sequence[str]) -> tuple[str, int]:
    """A part of a line, and how tightly it binds."""
    if isinstance(part, int | str):
        return (operands[part] if isinstance(part, int) else part), ATOM
    template, parts = part
    return template.of([written(each, operands) for each in parts]), template.form.binds


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
    [
        op for op in ROWS if op.is_public and op.name not in ("max", "min", "sum")
    ],  # sums are NumPy's
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


def test_rows_of_no_numbers_are_those_of_empty_lists() -> None:
    empty = np.zeros((2, 0))
    names = array_names()
    assert [names[name](empty).tolist() for name in ("product", "norm")] == [
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
    seen: list[float] = []

    def instead(x: float, y: float) -> float:
        seen.append(x)
        return x + y

    x, y = np.array([[1.0, -2.0], [3.0, -4.0]]), np.array([10.0, 20.0])
    positive = on_arrays.mended(x > 0.0, x, instead, x, y)
    assert (positive.tolist(), seen) == ([[1.0, 18.0], [3.0, 16.0]], [-2.0, -4.0])
    assert on_arrays.mended(x < 9.0, x, instead, x, y) is x
    assert len(seen) == 2
    assert x.tolist() == [[1.0, -2.0], [3.0, -4.0]]


def test_a_number_is_put_in_its_place() -> None:
    x = np.array([1.0, -2.0])
    assert on_arrays.mended(x >= 0.0, x, 7.0).tolist() == [1.0, 7.0]
    assert on_arrays.mended(x < 0.0, 5.0, 7.0).tolist() == [7.0, 5.0]


# ------------------------------------------------------------------ the text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", ["v1 = maximum(x, 0.0)", "dx = sign(v1)[:, 0]"]),
        ("clip", ["out = where(low > x, low, where(high < x, high, x))"]),
        ("div", ["dy = mended(out * out > 1e-290, -out / y, lambda x, y: -over_square(x, y), x, y)"]),
        ("cbrt", ["out = mended((c > 1e-90) & (c < 1e+90) | (c > -1e+90) & (c < -1e-90),"
                  " c - (c * c * c - x) / (3.0 * c * c), cube_root, x)"]),
        ("hypot", ["v1 = hypot(x, y)", "v2 = (v1 > 1e-290) & (v1 < inf)",
                   "dx = mended(v2, x / v1, over_hypot, x, y)[:, 0]", "dy = mended(v2, y / v1, over_hypot, y, x)[:, 0]"]),
        ("norm", ["v2 = norm(v1)", "dxs = over_norm(v1, v2)[:, 0]"]),
        ("maximum", ["v1 = 0.5 * order(x, y)", "dx = (0.5 + v1)[:, 0]", "dy = (0.5 - v1)[:, 0]"]),
        ("elu", ["v1 = x > 0.0", "dx = where(v1, 1.0, exp(x))[:, 0]"]),
    ],
)  # fmt: skip
def test_the_text_is_what_one_would_write_by_hand(name: str, expected: list[str]) -> None:
    source = source_of(OPS[name])[0].split("\n") + texts_of(OPS[name], OPS[name].operands)
    assert [line for line in expected if line not in map(str.strip, source)] == []


@pytest.mark.parametrize("op", [*ROWS, *TRACED.values()], ids=lambda op: op.name)
def test_the_text_has_no_conditional_of_scalars_and_no_name_that_is_unknown(op: Op) -> None:
    if op.name in ("sum", "dot"):
        return
    if op.name in LISTED:
        made = [LISTED[op.name], *[LIST_SLOPES[op.name] for _ in op.slopes]]
    else:
        made = [line for _, line in itertools.chain(*lines(op, op.operands if op.slopes else ()))]
    for line in [line for line in made if line.operands or not line.text]:
        part = parts_of(line)
        if isinstance(part, float):
            continue
        tree = ast.parse(written(part, line.operands)[0], mode="eval")
        bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        of_numbers = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
        inner = {node for each in of_numbers for node in ast.walk(each)}
        for node in {*ast.walk(tree)} - inner:
            assert not isinstance(node, (ast.IfExp, ast.BoolOp, ast.Not, ast.ListComp, ast.Starred))
            assert not (isinstance(node, ast.Compare) and len(node.ops) > 1)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - bound
        assert names - {*line.operands} <= array_names().keys()


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_no_line_is_dead_and_none_computes_twice(op: Op) -> None:
    (function,) = ast.parse(source_of(op)[0]).body
    *body, last = function.body[1:]  # type: ignore[attr-defined]
    read = {node.id for node in ast.walk(last) if isinstance(node, ast.Name)}
    texts = [ast.unparse(line.value if isinstance(line, ast.Assign) else line) for line in body]
    for line in reversed(body):
        target = line.targets[0] if isinstance(line, ast.Assign) else line.target
        assert target.id in read
        read |= {node.id for node in ast.walk(line.value) if isinstance(node, ast.Name)}
    assert len(set(texts)) == len(texts)


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
    assert texts_of(power, ("x",), y=2.0) == ["out = x * x", "dx = 2.0 * x"]
    assert texts_of(power, y=3.0) == ["out = x * x * x"]
    assert texts_of(power, y=-1.0) == ["out = 1.0 / x"]
    assert texts_of(OPS["maximum"], ("x",), y=0.0)[1] == "dx = 0.5 + 0.5 * order(x, 0.0)"
    assert texts_of(OPS["sub"], ("y",), x=-0.0)[0] == "out = -0.0 - y"
    assert texts_of(OPS["sub"], ("y",), x=0.0)[0] == "out = 0.0 - y"


@pytest.mark.parametrize("y", [2.0, 3.0, -1.0, -0.5, 0.5, 0.0, 1.0, 2.7, -3.0, inf, -inf, nan])
def test_a_constant_exponent_gives_the_numbers_of_floats(y: float) -> None:
    op = OPS["pow"]
    group = [(x, y) for x, *_ in points(op)]
    total = [on_floats(op)["total"](*point) for point in group]
    out, dx = on_arrays_of(op, y=y)(np.array([x for x, _ in group]))
    assert_near(out, [t[0] for t in total], op, "out", group)
    assert_near(dx, [t[1] for t in total], op, "dx", group)


@pytest.mark.parametrize(
    ("name", "text"),
    [("_less", "x < y"), ("_less_equal", "x <= y"), ("_and", "x & y"), ("_or", "x | y"), ("_not", "logical_not(x)"),
     ("_choose", "where(condition, x, y)"), ("_detached", "x")],
)  # fmt: skip
def test_rows_of_a_trace_are_those_of_arrays(name: str, text: str) -> None:
    assert texts_of(TRACED[name]) == [f"out = {text}"]


# ------------------------------------------------------------------ rows added at run time


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


@pytest.mark.parametrize(
    "name", ["mended", "one_by_one", "copysign", "order", "rare", "part", "test", "a", "k"]
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
