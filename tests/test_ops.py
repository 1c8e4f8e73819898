"""Every operation of the table: its edges, its totality, its accuracy; and operations added at run time."""

from __future__ import annotations

import ast
import itertools
import math
import operator
import pickle
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mpmath import mp, mpf

import scalargrad
from scalargrad import Value, custom_op, functions
from scalargrad.ops import OPS, Op
from scalargrad.rows.text import FAST_NAMES, on_floats, statements

from . import oracle
from .edges import EDGES, MASKED, Edge, inf, nan, same, same_slope
from .rows import test_slopes
from .rows.test_slopes import PUBLIC, RECORDED, name_of, recorded

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "pow": operator.pow,
    "neg": operator.neg, "abs": abs,
}  # fmt: skip
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


def ways(name: str) -> list[Callable[..., Any]]:
    """The operation as a free function, a method and, where there is one, an operator."""
    functions_of_op = [getattr(functions, name)]
    if not OPS[name].takes_lists:
        functions_of_op.append(
            lambda x, *rest: getattr(x if isinstance(x, Value) else Value(x), name)(*rest)
        )
    if name in OPERATORS:
        functions_of_op.append(OPERATORS[name])
    return functions_of_op


def slopes_after_backward(operands: tuple[Any, ...]) -> list[Any]:
    return [[x.grad for x in o] if isinstance(o, list) else o.grad for o in operands]


def bits(x: float) -> bytes:
    return b"nan" if x != x else struct.pack("<d", x)


def all_bits(result: Any) -> list[bytes]:
    return [bits(x) for x in oracle.flat(result if isinstance(result, (list, tuple)) else [result])]


# ------------------------------------------------------------------ the edge table


@pytest.mark.parametrize("edge", EDGES, ids=name_of)
def test_edges_of_values_are_as_the_table_has_them(edge: Edge) -> None:
    for function in ways(edge.name):
        operands = recorded(edge.operands)
        result = function(*operands)
        result.backward()
        assert same(result.data, edge.value)
        for got, expected in zip(
            oracle.flat(slopes_after_backward(operands)), oracle.flat(edge.slopes), strict=True
        ):
            assert same_slope(got, expected)


@pytest.mark.parametrize("edge", [edge for edge in EDGES if len(edge.operands) > 1], ids=name_of)
def test_edges_are_the_same_beside_constants(edge: Edge) -> None:
    for function in ways(edge.name):
        for i, expected in enumerate(edge.slopes):
            operands = [Value(x) if j == i else x for j, x in enumerate(edge.operands)]
            result = function(*operands)
            result.backward()
            assert same(result.data, edge.value)
            assert same_slope(operands[i].grad, expected)


@pytest.mark.parametrize("edge", EDGES, ids=name_of)
def test_edges_of_plain_numbers_are_plain_numbers(edge: Edge) -> None:
    result = getattr(functions, edge.name)(*edge.operands)
    assert type(result) is float
    assert same(result, edge.value)


@pytest.mark.parametrize(("at", "value", "slope"), MASKED)
def test_masked_branch_does_not_poison_its_input(at: float, value: float, slope: float) -> None:
    x = Value(at)
    result = scalargrad.where(x > 0, scalargrad.sqrt(x), 0.0) + 0.0 * x
    result.backward()
    assert (result.data, x.grad) == (value, slope)


def test_too_large_an_integer_is_infinite() -> None:
    x = Value(10.0)
    assert (x**400).data == inf
    assert functions.exp(10**400) == inf


def test_a_constant_exponent_has_no_slope() -> None:
    x = Value(-2.0)
    y = x**3
    y.backward()
    assert (y.data, x.grad, y.partials) == (-8.0, 12.0, (12.0, None))


@pytest.mark.parametrize("x", [3.0, -7.1, 1e-200, 0.0, -0.0, 1e160, 5e-324])
def test_slope_of_a_square_is_exactly_twice(x: float) -> None:
    assert (Value(x) ** 2).partials == (2.0 * x, None)


# ------------------------------------------------------------------ totality


def combinations(op: Op) -> Iterator[tuple[Any, ...]]:
    """All combinations of the numbers that are hard on an operation."""
    numbers = NUMBERS if len(op.operands) < 3 or op.takes_lists else NUMBERS[::2]
    if op.operands == ("xs",):
        yield ([],) if op.name in ("sum", "prod", "norm") else ([1.0],)
        yield from ((list(pair),) for pair in itertools.product(numbers, repeat=2))
        yield from (([1.0, *pair, 0.5],) for pair in itertools.product(numbers[::2], repeat=2))
    elif op.takes_lists:
        yield from (([a, b], [b, 2.0], a) for a, b in itertools.product(numbers, repeat=2))
    else:
        yield from itertools.product(numbers, repeat=len(op.operands))


@pytest.mark.parametrize("op", RECORDED, ids=name_of)
def test_no_operation_raises_and_recorded_is_total_to_the_bit(op: Op) -> None:
    on = on_floats(op)
    function = getattr(functions, op.name)
    for operands in combinations(op):
        total = on["total"](*operands)
        number = function(*operands)
        assert type(number) is float, operands
        if oracle.flat(operands):
            node = function(*recorded(operands))
            assert all_bits([number, *node.partials]) == all_bits(
                [node.data, *oracle.flat(total[1:])]
            ), operands
        assert all_bits(total[0]) == all_bits(number) == all_bits(on["value"](*operands)), operands


@pytest.mark.parametrize(
    "op", [op for op in RECORDED if len(op.operands) == 2 and not op.takes_lists], ids=name_of
)
def test_beside_a_constant_value_and_slope_are_the_same_to_the_bit(op: Op) -> None:
    function = getattr(functions, op.name)
    for x, y in itertools.product(NUMBERS, repeat=2):
        both, first, second = (
            function(Value(x), Value(y)),
            function(Value(x), y),
            function(x, Value(y)),
        )
        assert bits(both.data) == bits(first.data) == bits(second.data)
        assert (bits(both.partials[0]), bits(both.partials[1])) == (
            bits(first.partials[0]),
            bits(second.partials[1]),
        )
        assert first.partials[1] is second.partials[0] is None


def kernel(op: Op) -> Callable[..., Any]:
    """The source of an operation that may raise, alone."""
    forward, slopes = statements(op)
    names: dict[str, Any] = dict(FAST_NAMES)
    results = ", ".join(["out", *(f"d{o}" for o in op.operands)])
    exec(
        "\n    ".join(
            [f"def raw({', '.join(op.operands)}):", *forward, *slopes, f"return {results}"]
        ),
        names,
    )
    return names["raw"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("op", RECORDED, ids=name_of)
def test_fast_and_total_functions_agree_to_the_bit(op: Op) -> None:
    raw, total, rng = kernel(op), on_floats(op)["total"], random.Random(op.name)
    drawn = [oracle.draw(rng, op) for _ in range(200)]
    agreed = 0
    for operands in [*drawn, *combinations(op)]:
        try:
            expected = raw(*operands)
        except (ArithmeticError, ValueError):
            continue
        agreed += 1
        assert all_bits(total(*operands)) == all_bits(expected), operands
    assert agreed > 100 or op.operands == ("x",)
    assert agreed > 5


# ------------------------------------------------------------------ accuracy

ROTATING = random.SystemRandom().randrange(10**6)


def test_the_oracle_knows_every_public_operation() -> None:
    assert {op.name for op in PUBLIC} == set(oracle.REFERENCES)


@pytest.mark.parametrize("seed", [20, ROTATING], ids=["fixed", "rotating"])
@pytest.mark.parametrize("op", PUBLIC, ids=name_of)
def test_value_and_slopes_are_within_their_budget_of_ulps(op: Op, seed: int) -> None:
    print(f"python -m tests.oracle --op {op.name} --points 20 --seed {seed}")
    for what, (error, operands) in oracle.measure(op, 20, seed).items():
        assert error <= oracle.budget(op.name, what), (what, operands)


# Where the plain formula loses digits, or all: operation, operands.
HARD: list[tuple[str, tuple[Any, ...]]] = [
    ("pow", (1e-310, 1e-300)), ("pow", (1e10, 31.0)), ("pow", (1.0000000001, 7.0979e12)), ("pow", (3e-5, 71.3)), ("pow", (0.3, -589.7)),
    ("pow", (1e-300, 5e-17)), ("pow", (1e-305, 1.01)), ("pow", (3e307, 1.003)), ("div", (1e-315, 1e-3)), ("div", (5e-324, 3e-4)),
    ("arctan2", (1e-320, 1e-3)), ("arctan2", (3e-310, 4e-310)), ("arctan2", (1.5e308, 1.4e308)), ("arctan2", (1e-323, 3e-324)),
    ("arctan", (3e160,)), ("arctan", (1.7e154,)), ("hypot", (1.7e308, 1.7e308)), ("hypot", (3e-323, 4e-323)),
    ("norm", ([1e308, 1.7e308, 1e308],)), ("norm", ([3e-323, 1e-322],)), ("logaddexp", (-700.1, 3.3)),
    ("logsumexp", ([-700.1, 3.3, 1.0],)), ("silu", (-716.3,)), ("silu", (-744.0,)), ("gelu", (-38.3,)), ("gelu", (-37.9,)),
    ("gelu", (-38.51,)), ("cbrt", (1e-320,)), ("cbrt", (-1.7e308,)), ("erfc", (25.3,)), ("exp2", (1024.2,)), ("tanh", (20.0,)),
    ("tanh", (370.7,)), ("sigmoid", (-744.0,)), ("softplus", (-740.0,)), ("arcsin", (0.9999999999,)), ("reciprocal", (3e157,)),
    ("arccosh", (1.0000000001,)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operands"), HARD)
def test_hard_points_are_within_the_budget_too(name: str, operands: tuple[Any, ...]) -> None:
    before = mp.dps
    try:
        for what, error in oracle.errors(OPS[name], operands).items():
            assert error <= oracle.budget(name, what), what
    finally:
        mp.dps = before


def test_the_oracle_tells_a_slope_that_is_wrong_by_one_part_in_a_quadrillion() -> None:
    x = 0.7
    mp.dps = 400
    true = oracle.difference(oracle.REFERENCES["tanh"], [mpf(x)], 0)
    mp.dps = 15
    slope = on_floats(OPS["tanh"])["total"](x)[1]
    assert oracle.ulps(slope, true) < 4 < oracle.ulps(slope * (1 + 1e-15), true)
    assert oracle.ulps(1.0 - math.tanh(20.0) ** 2, mpf(1.699341702116635e-17)) > 1e15
    assert oracle.ulps(inf, mpf(2) ** 1025) == 0.0
    assert oracle.ulps(0.0, mpf(5e-324)) == 1.0


# ------------------------------------------------------------------ operations added at run time


def test_an_operation_added_at_run_time_appears_everywhere() -> None:
    function = custom_op(
        "ramp",
        "softplus(x) ** 2 / 2",
        "softplus(x) * sigmoid(x)",
        symbol="⌿",
        domain=((-300.0, 300.0),),
    )
    x = Value(0.4)
    assert functions.ramp is function is scalargrad.ramp
    assert "ramp" in dir(scalargrad)
    assert (
        function(x).data == x.ramp().data == function(0.4) == functions.softplus(0.4) ** 2.0 / 2.0
    )
    assert (function(x).op, function(x)._operation.symbol) == ("ramp", "⌿")
    assert any(line.split()[:2] == ["ramp", "⌿"] for line in functions.table().splitlines())
    op = OPS["ramp"]
    test_no_operation_raises_and_recorded_is_total_to_the_bit(op)
    test_fast_and_total_functions_agree_to_the_bit(op)
    oracle.REFERENCES["ramp"] = lambda x: mp.log1p(mp.exp(x)) ** 2 / 2
    try:
        assert all(worst.error < 12.0 for worst in oracle.measure(op, 40, 1).values())
        test_slopes.test_slopes_of_slopes_are_right(op)
    finally:
        del oracle.REFERENCES["ramp"]


def test_an_operation_of_two_operands_can_be_added_at_run_time() -> None:
    function = custom_op(
        "ratio",
        "e / (1 + y**2)",
        ("e / (1 + y**2)", "-2 * y * out / (1 + y**2)"),
        work=("e = exp(x)",),
    )
    x, y = Value(0.5), Value(-1.5)
    result = function(x, y)
    result.backward()
    assert (result.data, x.grad) == (math.exp(0.5) / 3.25, math.exp(0.5) / 3.25)
    assert y.grad == 3.0 * result.data / 3.25
    assert function(0.5, y).data == x.ratio(-1.5).data == function(0.5, -1.5) == result.data
    assert function(1000.0, 1.0) == inf


def test_a_name_that_is_taken_away_can_be_given_again() -> None:
    assert custom_op("again", "x + 1.0", "1.0")(1.0) == 2.0
    del OPS["again"], Value.again  # type: ignore[attr-defined]
    assert custom_op("again", "x + 2.0", "1.0")(1.0) == 3.0


def test_an_operation_may_use_constants_operations_and_what_their_values_use() -> None:
    value = "inf if x > 9.0 else nan if x < -9.0 else cube_root(x) + sigmoid(h)"
    function = custom_op("mixed", value, "inf if x == 0.0 else x", work=("h = x - x",))
    assert [function(x) for x in (10.0, 8.0)] == [inf, 2.5]
    assert math.isnan(function(-10.0))
    assert (function(Value(0.0)).partials, function(Value(8.0)).partials) == ((inf,), (8.0,))


def test_powers_and_integers_in_an_operation_are_those_of_floats() -> None:
    root = custom_op("two_thirds", "x ** (2 / 3)", "2 / 3 * x ** (-1 / 3)")
    assert math.isnan(root(-8.0))  # neither complex nor an exception
    assert math.isnan(Value(-8.0).two_thirds().data)  # type: ignore[attr-defined]
    one = custom_op("always_one", "1 if x == x else x", "0")
    result = one(Value(5.0))
    assert (type(one(5.0)), type(result.data), type(result.partials[0])) == (float, float, float)


@pytest.mark.parametrize("name", ["self", "node", "total", "other", "e", "dx", "new", "row"])
def test_work_may_have_any_name_of_its_own(name: str) -> None:
    function = custom_op("worked", f"{name} * sigmoid(x)", f"1 / {name}", work=(f"{name} = 2 * x",))
    assert function(Value(3.0)).data == function(3.0) == 6.0 * functions.sigmoid(3.0)
    assert function(Value(0.0)).partials == (inf,)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("tanh", "x", "1.0"), "'tanh' is taken"),
        (("data", "x", "1.0"), "'data' is taken"),
        (("asin", "x", "1.0"), "'asin' is taken"),
        (("two words", "x", "1.0"), "'two words' cannot be the name"),
        (("_hidden", "x", "1.0"), "'_hidden' cannot be the name"),
        (("lambda", "x", "1.0"), "'lambda' cannot be the name"),
        (("mine", "x +", "1.0"), "'x \\+' is no expression"),
        (("mine", "x + w", "1.0"), "'w' in 'x \\+ w' is neither an operand nor"),
        (("mine", "x", "w"), "'w' in 'w' is neither an operand nor"),
        (("mine", "x", "x +"), "'x \\+' is no expression"),
        (("mine", "x.real", "1.0"), "must be arithmetic"),
        (("mine", "(lambda: x)()", "1.0"), "must be arithmetic"),
        (("mine", "x % 2.0", "1.0"), "must be arithmetic"),
        (("mine", "x * 1j", "1.0"), "must be arithmetic"),
        (("mine", "'x'", "1.0"), "must be arithmetic"),
        (("mine", "exp(x, x)", "1.0"), "exp takes 1 operands"),
        (("mine", "hypot(x)", "1.0"), "hypot takes 2 operands, 'hypot\\(x\\)' gives it 1"),
        (("mine", "mean([x, x])", "1.0"), "mean is composed of other operations"),
        (("mine", "sum([x for x in [x]])", "1.0"), "must be arithmetic"),
        (("mine", "x", ()), "one slope or two"),
        (("mine", "x", ("1.0", "1.0", "1.0")), "one slope or two"),
    ],
)
def test_an_operation_that_cannot_be_is_refused_with_the_reason(
    arguments: tuple[Any, ...], says: str
) -> None:
    before = list(OPS)
    with pytest.raises(ValueError, match=says):
        custom_op(*arguments)
    assert list(OPS) == before


@pytest.mark.parametrize(
    "work",
    [
        "exp = 2.0 * x",
        "x = 2.0 * x",
        "2.0 * x",
        "out = x",
        "sigmoid = x",
        "cube_root = x",
        "inf = x",
    ],
)
def test_work_that_hides_a_name_is_refused(work: str) -> None:
    with pytest.raises(ValueError, match="mine"):
        custom_op("mine", "x", "1.0", work=(work,))
    assert "mine" not in OPS


# ------------------------------------------------------------------ the table as text


def test_each_operation_says_what_it_must() -> None:
    for op in OPS.values():
        assert op.symbol
        assert op.value
        assert op.is_composed or len(op.slopes or ()) == len(op.operands)
        assert op.takes_lists or op.name == "where" or len(op.domain) >= len(op.operands)


def test_an_operation_tells_what_it_is() -> None:
    assert repr(OPS["hypot"]) == "<op hypot(x, y)>"
    assert (OPS["mul"].formula, OPS["mul"].slope_formulas) == ("x·y", ("y", "x"))
    assert OPS["clip"].operands == ("x", "low", "high")
    assert OPS["hypot"].domain == ((-inf, inf), (-inf, inf))
    assert OPS["log"].domain == ((0, inf),)
    assert OPS["where"].domain == OPS["dot"].domain == ((-inf, inf),) * 3
    assert (OPS["arcsin"].aliases, OPS["arctan2"].aliases, OPS["exp"].aliases) == (
        ("asin",),
        ("atan2",),
        (),
    )
    assert (OPS["sub"].is_swapped, OPS["sub"].is_public, OPS["_same"].is_public) == (
        False,
        True,
        False,
    )
    assert (OPS["sub"].takes_lists, OPS["sum"].takes_lists, OPS["dot"].takes_lists) == (
        False,
        True,
        True,
    )
    assert (OPS["sub"].is_composed, OPS["mean"].is_composed) == (False, True)
    assert all(low < high for op in OPS.values() for low, high in op.domain)


def test_an_operation_is_pickled_by_its_name() -> None:
    op, twin = pickle.loads(pickle.dumps((OPS["sub"], OPS["sub"].swapped())))
    assert op is OPS["sub"]
    assert (twin.is_swapped, OPS["sub"].is_swapped) == (True, False)
    assert all(
        getattr(twin, name) == getattr(op, name) for name in Op.__slots__ if name != "is_swapped"
    )


def test_slopes_call_operations_alone() -> None:
    allowed = {"len", "tie_shares", "products_of_others"}  # of lists, and of Values as of numbers
    for op in RECORDED:
        for text in op.slopes or ():
            called = {
                ast.unparse(node.func)
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Call)
            }
            assert called <= {*OPS, *allowed}, op.name


def test_the_table_of_the_documentation_holds_every_public_operation() -> None:
    lines = functions.table().splitlines()
    public = [op for op in OPS.values() if op.is_public]
    assert lines[0].split() == ["operation", "symbol", "formula", "slopes"]
    first = [line for line in lines[1:] if line[4] != " "]  # further slopes stand below
    for line, op in zip(first, public, strict=True):
        slope = next(filter(None, op.slope_formulas))
        assert line.split() == f"{op.name} {op.symbol} {op.formula} {slope}".split()
    for slope in (slope for op in public for slope in op.slope_formulas):
        assert any(line.endswith(slope) for line in lines[1:])
    assert functions.__doc__ is not None
    assert all(line in functions.__doc__ for line in lines if line.split()[0] != "ramp")
