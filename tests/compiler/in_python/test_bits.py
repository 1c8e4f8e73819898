"""Generated Python gives what Values give, to the bit: on random graphs, at kinks and edges, where numbers overflow."""

from __future__ import annotations

import math
import random
import struct

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import functions
from scalargrad.nn import MLP
from scalargrad.nn.losses import LOSSES
from scalargrad.ops import OPS

from ... import edges, programs, random_graphs

inf, nan = math.inf, math.nan
HARD = [0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 5e-324, -1e-310, 1.7e308, -1e200, 710.0, -745.2, 40.0]


def compiled(fn, **options):
    return sg.compile(fn, **{"backend": "python", **options})


def applied(program, xs):
    return programs.run(program, xs, lambda row, operands: getattr(functions, row)(*operands))[-1]


def same(one, other):
    """Equal to the bit, all nan alike; of gradients, any zero is the same."""
    return random_graphs.bits_but_zeros(one) == random_graphs.bits_but_zeros(other)


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
    assert random_graphs.bits([f(list(program.leaves))]) == random_graphs.bits([root.data])


@pytest.mark.parametrize("seed", range(40))
def test_one_trace_serves_all_numbers(seed):
    """What is generated for tame numbers is right for those that overflow, and are nan."""
    program = random_graphs.graph("hard", seed)
    rng = random.Random(seed)
    f = compiled(lambda xs: applied(program, xs))
    f.value_and_grad(list(program.leaves))
    for _ in range(8):
        xs = [rng.choice(HARD) for _ in program.leaves]
        value, slopes = sg.value_and_grad(lambda xs: applied(program, xs))(xs)
        assert random_graphs.bits([f(xs)]) == random_graphs.bits([value])
        assert same([*f.value_and_grad(xs)[1]], slopes), (xs, programs.source(program))
    assert len(f._traces) == 1


@pytest.mark.parametrize("seed", range(20))
def test_several_outputs_and_rows_as_well(seed):
    one, two = random_graphs.graph("a", seed), random_graphs.graph("b", seed)
    xs = [*one.leaves, *two.leaves]
    fn = lambda xs: [applied(one, xs), applied(two, xs[-len(two.leaves) :]), xs[0]]  # noqa: E731
    values, slopes = compiled(fn).jacobian(xs)
    assert random_graphs.bits(values) == random_graphs.bits([x if type(x) is float else x.data for x in fn([sg.Value(x) for x in xs])])
    for got, expected in zip(slopes, sg.jacobian(fn)(xs), strict=True):
        assert same(got, expected)
    total = compiled(lambda w, x: applied(one, [w * x, *one.leaves[1:]]), rows="x", reduce="sum")
    value, slope = 0.0, 0.0
    rows = [0.5, 2.0, -1.5]
    for x in rows:
        v, s = sg.value_and_grad(lambda w: applied(one, [w * x, *one.leaves[1:]]))(one.leaves[0])  # noqa: B023
        value, slope = value + v, slope + s
    assert same(total.value_and_grad(one.leaves[0], rows), [value, slope])


# ------------------------------------------------------------------ kinks and edges


@pytest.mark.parametrize("edge", edges.EDGES, ids=lambda edge: f"{edge.name}{edge.operands}")
def test_the_edge_table_holds(edge):
    f = compiled(lambda *operands: getattr(functions, edge.name)(*operands), wrt=tuple(range(len(edge.operands))))
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
        lambda x: sg.where((x > -1) & (x < 1), sg.arctanh(x), sg.where(x >= 1, sg.arccosh(x), x**0.5)),
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
    assert random_graphs.bits([f(x)]) == random_graphs.bits([value])
    assert same(f.value_and_grad(x), [value, slope])


@pytest.mark.parametrize("name", [op.name for op in OPS.values() if op.is_public and not op.takes_lists and not op.is_composed])
def test_every_row_at_every_hard_number(name):
    count = len(OPS[name].operands)
    fn = lambda p: getattr(functions, name)(*p)  # noqa: E731
    f = compiled(fn)
    rng = random.Random(name)
    for point in [[x] * count for x in HARD] + [[rng.choice(HARD) for _ in range(count)] for _ in range(20 * (count - 1))]:
        value, slopes = sg.value_and_grad(fn)(point)
        assert random_graphs.bits([f(point)]) == random_graphs.bits([value]), point
        assert same(f.value_and_grad(point)[1], slopes), point


# ------------------------------------------------------------------ losses


PREDICTIONS = [[0.25, 0.5, 0.875], [0.5, -1.25, 3.0], [1.0, 0.0, 1.0], [-40.0, 800.0, 0.0]]
TARGETS = {"hinge": [[1.0, -1.0, 1.0]], "cross_entropy": [[0.0, 1.0, 0.0], [0.125, 0.5, 0.375], 2, 0.0]}
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
            assert by_row.value_and_grad([prediction], [target]) == ([value], [f.value_and_grad(prediction, target)[1]])


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "cross_entropy"])
def test_losses_of_one_output(name):
    target = 1.0
    value, slope = sg.value_and_grad(LOSSES[name])(0.25, target)
    assert compiled(LOSSES[name]).value_and_grad(0.25, target) == (value, slope)
    assert compiled(LOSSES[name], wrt=1)(0.25, target) == value


def test_classes_may_be_rows():
    model = MLP(2, [4, 3], activation="tanh", seed=1)
    X, classes = [[0.5, 1.0], [-1.0, 2.0], [0.25, -0.5]], [2, 0, 1]
    f = compiled(lambda model, x, y: LOSSES["cross_entropy"](model(x), y), rows=("x", "y"), reduce="sum")
    value, gradient = f.value_and_grad(model, X, classes)
    model.zero_grad()
    total = 0.0
    for x, y in zip(X, classes):
        loss = LOSSES["cross_entropy"](model(x), y)
        loss.backward()
        total += loss.data
    assert value == total
    for name, expected in model.arranged([p.grad for p in model.parameters()]).items():
        assert np.array(gradient[name]) == pytest.approx(expected, rel=1e-14)  # on Values the order depends on the class


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
