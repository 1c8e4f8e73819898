"""Generated Python has the bits of Values: on random graphs, at kinks, where numbers overflow."""

from __future__ import annotations

import itertools
import math
import random
import struct
from typing import Any

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import functions
from scalargrad.nn import MLP
from scalargrad.nn.losses import LOSSES
from scalargrad.ops import OPS
from tests import edges, programs, random_graphs
from tests.compiler.emitters.tools import (
    HARD,
    assert_as_eager,
    at_random,
    compiled,
    same,
    traced_function,
)
from tests.random_graphs import bits

inf, nan = math.inf, math.nan


def applied(program, xs):
    return programs.run(program, xs, lambda row, operands: getattr(functions, row)(*operands))[-1]


# ------------------------------------------------------------------ random graphs


@pytest.mark.parametrize("seed", range(100))
def test_backward_value_and_grad_and_the_source_add_up_in_one_order(seed):
    program = random_graphs.graph("order", seed)
    leaves, root = random_graphs.recorded(program)
    root.backward()
    by_backward = [root.data, *(leaf.grad for leaf in leaves)]
    value, slopes = sg.value_and_grad(lambda xs: applied(program, xs))(list(program.leaves))
    assert same([value, *slopes], by_backward)
    f = compiled(lambda xs: applied(program, xs))
    value, slopes = f.value_and_grad(list(program.leaves))
    assert same([value, *slopes], by_backward)
    assert bits([f(list(program.leaves))]) == bits([root.data])


@pytest.mark.parametrize("seed", range(40))
def test_one_trace_serves_all_numbers(seed):
    """Source generated for tame numbers is right for those that overflow, and are nan."""
    program = random_graphs.graph("hard", seed)
    rng = random.Random(seed)
    f = compiled(lambda xs: applied(program, xs))
    f.value_and_grad(list(program.leaves))
    for _ in range(8):
        xs = [rng.choice(HARD) for _ in program.leaves]
        value, slopes = sg.value_and_grad(lambda xs: applied(program, xs))(xs)
        assert bits([f(xs)]) == bits([value])
        assert same([*f.value_and_grad(xs)[1]], slopes), (xs, programs.source(program))
    assert len(f._traces) == 1


@pytest.mark.parametrize("seed", range(20))
def test_several_outputs_and_rows_as_well(seed):
    one, two = random_graphs.graph("a", seed), random_graphs.graph("b", seed)
    xs = [*one.leaves, *two.leaves]
    fn = lambda xs: [applied(one, xs), applied(two, xs[-len(two.leaves) :]), xs[0]]
    values, slopes = compiled(fn).jacobian(xs)
    assert bits(values) == bits(
        [x if type(x) is float else x.data for x in fn([sg.Value(x) for x in xs])]
    )
    for got, expected in zip(slopes, sg.jacobian(fn)(xs), strict=True):
        assert same(got, expected)
    total = compiled(lambda w, x: applied(one, [w * x, *one.leaves[1:]]), rows="x", reduce="sum")
    value, slope = 0.0, 0.0
    rows = [0.5, 2.0, -1.5]
    for x in rows:
        of_row = lambda w, x=x: applied(one, [w * x, *one.leaves[1:]])
        v, s = sg.value_and_grad(of_row)(one.leaves[0])
        value, slope = value + v, slope + s
    assert same(total.value_and_grad(one.leaves[0], rows), [value, slope])


# ------------------------------------------------------------------ kinks and edges


@pytest.mark.parametrize("edge", edges.EDGES, ids=lambda edge: f"{edge.name}{edge.operands}")
def test_the_edge_table_holds(edge):
    f = compiled(
        lambda *operands: getattr(functions, edge.name)(*operands),
        wrt=tuple(range(len(edge.operands))),
    )
    value, slopes = f.value_and_grad(*edge.operands)
    assert edges.same(value, edge.value)
    assert edges.same(f(*edge.operands), edge.value)
    for got, expected in zip(slopes, edge.slopes, strict=True):
        pairs = zip(got, expected, strict=True) if isinstance(expected, list) else [(got, expected)]
        assert all(edges.same_slope(*pair) for pair in pairs)


@pytest.mark.parametrize(("x", "value", "slope"), edges.MASKED)
def test_a_masked_branch_sends_nothing(x, value, slope):
    f = compiled(lambda x: sg.where(x > 0, sg.sqrt(x), 0.0))
    assert f.value_and_grad(x) == (value, slope)
    by_rows = compiled(lambda x: sg.where(x > 0, sg.sqrt(x), 0.0), rows="x", reduce="sum")
    assert by_rows.value_and_grad([x, 4.0]) == (value + 2.0, [slope, 0.25])


@pytest.mark.parametrize("x", [*HARD, -0.5, 2.0])
@pytest.mark.parametrize(
    "fn",
    [
        lambda x: sg.where(x > 0, sg.log(x), 0.0),
        lambda x: sg.where(x > 0, sg.log(x), sg.exp(-x)) * x,
        lambda x: sg.where(x < 1, sg.sqrt(1 - x), x * sg.log(x - 1)) + 1 / x,
        lambda x: sg.where(x == 0.0, 1.0, sg.sin(x) / x),
        lambda x: sg.where(
            (x > -1) & (x < 1), sg.arctanh(x), sg.where(x >= 1, sg.arccosh(x), x**0.5)
        ),
        lambda x: sg.exp(x) * sg.exp(-x) + sg.exp(x) / sg.exp(x),
        lambda x: sg.where(x <= 0, 0.0, x) * sg.maximum(x, -x) + sg.relu(x) * sg.exp(x),
        lambda x: x * 1e200 * 1e200 * 0.0 + x,
        lambda x: (x - x) * inf,
        lambda x: 1 / (x - x) + x.detach() * x,
    ],
)
def test_choices_overflow_and_nan(fn, x):
    f = compiled(fn)
    value, slope = sg.value_and_grad(fn)(x)
    assert bits([f(x)]) == bits([value])
    assert same(f.value_and_grad(x), [value, slope])


# ------------------------------------------------------------------ each row


def test_graphs_at_random_have_the_bits_of_values() -> None:
    for fn, points in at_random(21, 100):
        assert_as_eager(fn, *points)


def test_the_total_function_answers_as_the_raw_one_where_that_answers() -> None:
    for fn, points in at_random(23, 60):
        made = compiled(fn)
        made.value_and_grad(list(points[0]))
        functions = [traced_function(fn, points[0], total) for total in (False, True)]
        try:
            value, (slopes,) = functions[0](list(points[0]))
        except (ArithmeticError, ValueError):
            continue
        other, (others,) = functions[1](list(points[0]))
        assert bits([value]) == bits([other])
        assert same(slopes, others)


@pytest.mark.parametrize(
    "op", [op for op in OPS.values() if op.is_public and not op.takes_lists], ids=lambda op: op.name
)
def test_every_row_has_the_bits_of_values_at_the_edges(op: Any) -> None:
    function = getattr(functions, op.name)
    points = [*itertools.product(HARD, repeat=len(op.operands))]
    points = random.Random(op.name).sample(points, min(400, len(points)))
    assert_as_eager(lambda xs: function(*xs), *points)
    assert_as_eager(lambda xs: function(*xs) * xs[0] + function(*xs), *points[::7])


@pytest.mark.parametrize(
    "op",
    [op for op in OPS.values() if op.is_public and len(op.operands) == 2 and not op.takes_lists],
    ids=lambda op: op.name,
)
@pytest.mark.parametrize("constant", [0.0, 1.0, 2.0, 3.0, -1.0, 0.5, 0.1, inf, nan])
def test_a_constant_operand_changes_no_bit(op: Any, constant: float) -> None:
    function = getattr(functions, op.name)
    assert_as_eager(lambda xs: function(xs[0], constant), *[[x] for x in HARD])
    assert_as_eager(lambda xs: function(constant, xs[0]), *[[x] for x in HARD])


@pytest.mark.parametrize(
    "name",
    [
        op.name
        for op in OPS.values()
        if op.takes_lists and op.is_public and op.name not in ("dot", "softmax")
    ],
)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_row_of_lists_has_the_bits_of_values(name: str, count: int) -> None:
    rng = random.Random(count)
    points = [
        [rng.choice(HARD) if rng.random() < 0.3 else rng.uniform(-2.0, 2.0) for _ in range(count)]
        for _ in range(20)
    ]
    function = getattr(functions, name)
    assert_as_eager(lambda xs: function(xs), *points)
    assert_as_eager(lambda xs: function([*xs, 0.5, xs[0]]) * xs[0], *points)


def test_softmax_and_dot_have_the_bits_of_values() -> None:
    for point in (
        [0.5, -1.0, 2.0, 0.25],
        [1000.0, 1000.0, -inf, 0.0],
        [inf, 1.0, 2.0, 3.0],
        [nan, 1.0, 0.0, -0.0],
    ):
        assert_as_eager(lambda xs: functions.dot(functions.softmax(xs), xs, xs[1]), point)
        assert_as_eager(
            lambda xs: (
                functions.dot(xs[:2], xs[2:])
                + functions.dot([1.0, xs[0], 2.0], [xs[1], 1.0, 0.0], 1.0)
            ),
            point,
        )


# ------------------------------------------------------------------ losses


PREDICTIONS = [[0.25, 0.5, 0.875], [0.5, -1.25, 3.0], [1.0, 0.0, 1.0], [-40.0, 800.0, 0.0]]
TARGETS = {
    "hinge": [[1.0, -1.0, 1.0]],
    "cross_entropy": [[0.0, 1.0, 0.0], [0.125, 0.5, 0.375], 2, 0.0],
}
UNIT = ("binary_cross_entropy", "binary_cross_entropy_with_logits")


@pytest.mark.parametrize("name", LOSSES)
def test_losses_compile_and_give_the_same(name):
    loss = LOSSES[name]
    f = compiled(loss)
    by_row = compiled(loss, rows=("prediction", "target"), reduce=None)
    for target in TARGETS.get(name, [[0.0, 1.0, 1.0], [0.0, 0.25, 1.0], [1.0, 0.0, 0.5]]):
        for prediction in PREDICTIONS[:: 2 if name == "binary_cross_entropy" else 1]:
            value, slopes = sg.value_and_grad(loss)(prediction, target)
            assert same(f.value_and_grad(prediction, target)[1], slopes)
            assert f(prediction, target) == value
            assert by_row.value_and_grad([prediction], [target]) == (
                [value],
                [f.value_and_grad(prediction, target)[1]],
            )


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "cross_entropy"])
def test_losses_of_one_output(name):
    target = 1.0
    value, slope = sg.value_and_grad(LOSSES[name])(0.25, target)
    assert compiled(LOSSES[name]).value_and_grad(0.25, target) == (value, slope)
    assert compiled(LOSSES[name], wrt=1)(0.25, target) == value


def test_classes_may_be_rows():
    model = MLP(2, [4, 3], activation="tanh", seed=1)
    X, classes = [[0.5, 1.0], [-1.0, 2.0], [0.25, -0.5]], [2, 0, 1]
    f = compiled(
        lambda model, x, y: LOSSES["cross_entropy"](model(x), y), rows=("x", "y"), reduce="sum"
    )
    value, gradient = f.value_and_grad(model, X, classes)
    model.zero_grad()
    total = 0.0
    for x, y in zip(X, classes):
        loss = LOSSES["cross_entropy"](model(x), y)
        loss.backward()
        total += loss.data
    assert value == total
    for name, expected in model.arranged([p.grad for p in model.parameters()]).items():
        assert np.array(gradient[name]) == pytest.approx(
            expected, rel=1e-14
        )  # on Values the order depends on the class


def test_a_class_that_is_none_gives_nan():
    f = compiled(LOSSES["cross_entropy"], wrt=0)
    for target in (-1, 3, nan, inf):
        value = f([0.5, 1.0, 2.0], target)
        assert value != value


def test_huber_takes_a_traced_delta():
    f = compiled(LOSSES["huber"], wrt=(0, 2))
    expected = sg.value_and_grad(LOSSES["huber"], (0, 2))([0.5, 3.0], [0.0, 0.0], 1.5)
    assert f.value_and_grad([0.5, 3.0], [0.0, 0.0], 1.5) == expected


def test_zeros_keep_their_sign():
    f = compiled(lambda x, y: [x + y, x * y, -x, x - y, sg.sum([x, y]), abs(y), sg.maximum(x, y)])
    for x in (0.0, -0.0):
        for y in (0.0, -0.0):
            values = [v.data for v in f.__wrapped__(sg.Value(x), sg.Value(y))]
            assert [struct.pack("<d", v) for v in f(x, y)] == [struct.pack("<d", v) for v in values]
