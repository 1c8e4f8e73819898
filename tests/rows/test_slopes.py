"""The texts of the table can be differentiated again: slopes of slopes of slopes, evaluated on Values, against differences.

Backpropagation is written here once more, in Values and by the texts alone: what it gives is a graph,
which is differentiated in turn. The truth is a difference of differences in mpmath.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

import pytest
from mpmath import mp, mpf

import scalargrad
from scalargrad import Value, functions
from scalargrad.ops import LISTS, OPS, Op
from scalargrad.rows.text import FAST_NAMES

from .. import oracle

RECORDED = [op for op in OPS.values() if not op.is_composed]
PUBLIC = [op for op in RECORDED if op.is_public]


def name_of(case: Any) -> str:
    return case.name if isinstance(case, Op) else f"{case.name}{case.operands}"


def recorded(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        [Value(x) for x in o] if isinstance(o, (list, tuple)) else Value(o) for o in operands
    )


class OnData(ast.NodeTransformer):
    """Comparisons, which choose a formula, compare numbers."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        node.left, *node.comparators = [
            ast.Call(ast.Name("number", ast.Load()), [side], [])
            for side in (node.left, *node.comparators)
        ]
        return ast.fix_missing_locations(node)


def number(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def slope_as_graph(op: Op, text: str, operands: dict[str, Any], out: Value) -> Any:
    """The text of a slope, evaluated on Values."""
    names: dict[str, Any] = {
        **FAST_NAMES,
        **{name: getattr(functions, name) for name in OPS},
        "number": number,
        "out": out,
        **operands,
    }

    def value(expression: str) -> Any:
        return eval(
            compile(OnData().visit(ast.parse(expression, mode="eval")), "<slope>", "eval"), names
        )

    for line in op.work:
        name, _, expression = line.partition(" = ")
        if name in text.replace("(", " ").replace(")", " ").split():
            names[name] = value(expression)
    return value(text)


def gradient(root: Any, leaves: list[Value]) -> list[Any]:
    """The slopes of `root` by the leaves as graphs: backpropagation in Values, by the texts of the table alone."""
    slopes: dict[Value, Any] = dict.fromkeys(leaves, 0.0)
    if isinstance(root, Value):
        slopes[root] = Value(1.0)
        for node in reversed(root.graph()):
            if node._operation is None or node not in slopes:
                continue
            op, parents, operands = node._operation, list(node.parents), {}
            sizes = len(parents) // 2 if op.name == "dot" else len(parents)
            for name in op.operands:
                operands[name] = (
                    [parents.pop(0) for _ in range(sizes)] if name in LISTS else parents.pop(0)
                )
            for name, text in zip(op.operands, op.slopes or (), strict=True):
                items = operands[name] if name in LISTS else [operands[name]]
                if any(isinstance(item, Value) for item in items):
                    slope = slope_as_graph(op, text, operands, node)
                    for item, s in zip(items, slope if name in LISTS else [slope], strict=True):
                        if isinstance(item, Value):
                            slopes[item] = slopes.get(item, 0.0) + s * slopes[node]
    return [slopes[leaf] for leaf in leaves]


ROUGH_AT_0 = {"abs", "sign", "relu", "leaky_relu", "elu", "cbrt", "reciprocal"}
FLAT_FAR_OUT = {"arctan", "sigmoid", "tanh", "relu", "log", "sqrt", "gelu", "silu", "erf"}
PLACES = [0.0, 0.3, -0.7, 1.6, 2.5, -6.0, 20.0]
PAIRS = [
    (0.6, 1.7),
    (2.5, 0.8),
    (0.9, 2.0),
    (3.0, 3.5),
    (1.5, -2.0),
    (0.0, 1.2),
    (1.3, 0.0),
    (0.4, 1.0),
]


def smooth_points(op: Op) -> list[tuple[Any, ...]]:
    if op.operands == ("x",):
        low, high = op.domain[0]
        places = [
            x for x in (*PLACES, -40.0) if low < x < high and (x or op.name not in ROUGH_AT_0)
        ]
        return [(x,) for x in (*places, *([1e100] if op.name in FLAT_FAR_OUT else []))]
    if op.operands == ("x", "y"):
        lows = (op.domain[0][0], op.domain[1][0])
        return [
            p
            for p in PAIRS
            if p[0] > lows[0] and p[1] > lows[1] and not (op.name == "div" and not p[1])
            if op.name != "mod" or all(p)
        ]
    listed = [([0.3],), ([0.3, 0.0, -1.2],), ([2.0, 0.0, 0.5, -0.25],)]
    return {
        "clip": [(0.5, -1.0, 1.0), (-3.0, -1.0, 1.0)],
        "dot": [([0.5, -2.0], [0.0, 1.5], 0.3)],
    }.get(op.name, listed)


def flattened(name: str, operands: tuple[Any, ...]) -> Callable[..., mpf]:
    """The reference as a function of all its numbers."""
    sizes = [len(o) if isinstance(o, list) else None for o in operands]

    def function(*numbers: mpf) -> mpf:
        left = list(numbers)
        return oracle.REFERENCES[name](
            *([left.pop(0) for _ in range(n)] if n is not None else left.pop(0) for n in sizes)
        )

    return function


def check_orders(
    function: Callable[..., mpf],
    root: Any,
    leaves: list[Value],
    at: list[mpf],
    orders: int,
    where: str,
) -> None:
    """Compare all derivatives up to an order with differences of differences."""
    for i, slope in enumerate(gradient(root, leaves)):

        def derivative(*numbers: mpf, i: int = i) -> mpf:
            return oracle.difference(function, numbers, i)

        true = float(derivative(*at))
        assert number(slope) == pytest.approx(true, rel=1e-9, abs=1e-13), f"{where} by {i}"
        if orders > 1:
            check_orders(derivative, slope, leaves, at, orders - 1, f"{where} by {i}")


@pytest.mark.parametrize("op", PUBLIC, ids=name_of)
def test_slopes_of_slopes_are_right(op: Op) -> None:
    before, mp.dps = mp.dps, 350
    try:
        for operands in smooth_points(op):
            values = recorded(operands)
            root = getattr(functions, op.name)(*values)
            leaves = [
                x for value in values for x in (value if isinstance(value, list) else [value])
            ]
            check_orders(
                flattened(op.name, operands),
                root,
                leaves,
                [mpf(x.data) for x in leaves],
                3,
                f"{op.name}{operands}",
            )
    finally:
        mp.dps = before


@pytest.mark.parametrize(
    ("exponent", "expected"),
    list(enumerate(([0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 6], [0, 0, 0]))),
)
def test_all_slopes_of_a_power_are_right_at_zero(exponent: int, expected: list[float]) -> None:
    x = Value(0.0)
    result: Any = x**exponent
    for slope in expected:
        (result,) = gradient(result, [x])
        assert number(result) == slope


def test_slopes_of_slopes_are_right_at_the_ends_of_the_range() -> None:
    x, y = Value(1e-315), Value(1e-3)  # x / y²
    (by_y,) = gradient(x / y, [y])
    assert gradient(by_y, [x])[0].data == pytest.approx(-1e6, rel=1e-12)
    x, y = Value(3e-160), Value(4e-170)  # y / (x² + y²), of numbers that square to 0
    (by_x,) = gradient(scalargrad.arctan2(x, y), [x])
    assert by_x.data == pytest.approx(4e-170 / 3e-160 / 3e-160, rel=1e-12)
    x, y = Value(1.7e308), Value(1.7e308)  # hypot overflows, its slopes do not
    (by_x,) = gradient(scalargrad.hypot(x, y), [x])
    assert by_x.data == pytest.approx(0.5**0.5, rel=1e-15)
    for scale in (1e-300, 4e307):
        x, y = Value(3.0 * scale), Value(-4.0 * scale)
        (by_y,) = gradient(scalargrad.norm([x, y]), [y])
        assert by_y.data == pytest.approx(-0.8, rel=1e-15)
        assert gradient(by_y, [x])[0].data == pytest.approx(0.48 / 5.0 / scale, rel=1e-12)


# The operations whose name begins with `_`: slopes of others, each with slopes of its own.
RULES: dict[str, Callable[..., mpf]] = {
    "_same": lambda x: x, "_share": lambda x, y: x * y, "_both": lambda x, y: x * y, "_exp_difference": lambda x, y: mp.exp(x - y),
    "_sigmoid_slope": lambda x: oracle.sigmoid(x) * oracle.sigmoid(-x),
    "_silu_slope": lambda x: oracle.sigmoid(x) * (1 + x * oracle.sigmoid(-x)),
    "_gelu_slope": lambda x: oracle.normal_cdf(x) + x * mp.npdf(x),
    "_gauss": lambda x: mp.exp(-x * x), "_normal_pdf": mp.npdf, "_normal_cdf": oracle.normal_cdf,
    "_power_slope": lambda x, y: y * x ** (y - 1), "_power_log": lambda x, y: x**y * mp.log(x),
    "_over_square": lambda x, y: x / y**2, "_over_squares": lambda x, y: x / (x * x + y * y),
    "_over_hypot": lambda x, y: x / mp.sqrt(x * x + y * y),
    "_whole": lambda x, y: mp.floor(x / y), "_sinc_slope": lambda x, y: mp.diff(oracle.REFERENCES["sinc"], x, int(y)),
    "_first_share": lambda x, y: oracle.sigmoid(x - y), "_second_share": lambda x, y: oracle.sigmoid(y - x),
}  # fmt: skip
RULES_RECORDED = [op for op in RECORDED if not op.is_public and op.name != "_unknown"]


def test_all_slopes_of_what_is_unknown_are_nan() -> None:
    x = Value(2.0)
    result: Any = functions._unknown(x)
    assert result.data == 0.0
    for _ in range(4):
        (result,) = gradient(result, [x])
        assert math.isnan(number(result))


def test_every_operation_that_is_a_slope_of_others_is_known() -> None:
    assert {op.name for op in RULES_RECORDED} == set(RULES)


@pytest.mark.parametrize("op", RULES_RECORDED, ids=name_of)
def test_rows_that_are_slopes_of_others_and_their_slopes_are_right(op: Op) -> None:
    before, mp.dps = mp.dps, 350
    try:
        points: list[tuple[float, ...]] = (
            [(x,) for x in PLACES] if op.operands == ("x",) else [p for p in PAIRS if p[0] and p[1]]
        )
        if op.name == "_sinc_slope":  # its second operand is a whole number, and a constant
            points = [(x, float(n)) for x in PLACES if x for n in range(4)]
        for point in points:
            at = [mpf(x) for x in point]
            node = getattr(functions, op.name)(*recorded(point))
            assert node.data == pytest.approx(float(RULES[op.name](*at)), rel=1e-12)
            for i, slope in enumerate(
                node.partials[:1] if op.name == "_sinc_slope" else node.partials
            ):
                true = float(oracle.difference(RULES[op.name], at, i))
                assert slope == pytest.approx(true, rel=1e-9, abs=1e-13), f"{op.name}{point} by {i}"
    finally:
        mp.dps = before


def test_slopes_of_the_slopes_of_a_power_are_their_limits_at_zero() -> None:
    x, y = Value(0.0), Value(2.5)
    assert functions._power_slope(x, y).partials == (0.0, 0.0)
    assert functions._power_log(x, y).partials == (0.0, 0.0)
    assert functions._power_log(x, Value(1.0)).partials[1] == 0.0


@pytest.mark.parametrize("name", ["silu", "gelu", "tanh", "sigmoid", "erf"])
def test_slopes_of_slopes_at_nan_are_nan(name: str) -> None:
    x = Value(math.nan)
    (slope,) = gradient(getattr(functions, name)(x), [x])
    assert all(math.isnan(number(s)) for s in (slope, *gradient(slope, [x])))


def test_slopes_that_are_not_defined_are_nan() -> None:
    whole, by_order = (
        functions._whole(Value(1.0), Value(0.0)),
        functions._sinc_slope(1.0, Value(1.0)),
    )
    assert all(math.isnan(slope) for slope in (*whole.partials, by_order.partials[1]))
