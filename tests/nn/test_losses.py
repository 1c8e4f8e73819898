"""The losses: on numbers against NumPy and 60-digit arithmetic, on Values against differences, at the edges by hand."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from scalargrad import Value
from scalargrad.nn import (
    MLP,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    half_squared_error,
    hinge,
    huber,
    l2,
    mae,
    mse,
    squared_error,
)
from scalargrad.nn.losses import LOSSES

P, T = [0.5, -1.25, 3.0], [1.0, 0.25, 0.5]
inf, nan = math.inf, math.nan


def logistic(z):
    return 1 / (1 + np.exp(-z))


def probabilities(z):
    return np.exp(z) / np.exp(z).sum()


ORACLES = {
    "squared_error": lambda p, t: ((p - t) ** 2).sum(),
    "half_squared_error": lambda p, t: ((p - t) ** 2).sum() / 2,
    "mse": lambda p, t: ((p - t) ** 2).mean(),
    "mae": lambda p, t: np.abs(p - t).mean(),
    "huber": lambda p, t: np.where(
        np.abs(p - t) <= 1, (p - t) ** 2 / 2, np.abs(p - t) - 0.5
    ).mean(),
    "binary_cross_entropy": lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(),
    "binary_cross_entropy_with_logits": lambda p, t: (
        -(t * np.log(logistic(p)) + (1 - t) * np.log(1 - logistic(p))).mean()
    ),
    "cross_entropy": lambda p, t: -(t * np.log(probabilities(p))).sum(),
    "hinge": lambda p, t: np.maximum(0, 1 - t * p).mean(),
}
CASES = dict.fromkeys(ORACLES, (P, T)) | {
    "binary_cross_entropy": ([0.25, 0.5, 0.875], [0.0, 0.5, 1.0]),
    "binary_cross_entropy_with_logits": (P, [0.0, 0.25, 1.0]),
    "cross_entropy": (P, [0.125, 0.5, 0.375]),
    "hinge": (P, [1.0, -1.0, 1.0]),
}


def test_every_loss_has_a_case():
    assert set(LOSSES) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_losses_of_numbers_are_numpys_and_plain(name):
    prediction, target = CASES[name]
    loss = LOSSES[name](prediction, target)
    assert type(loss) is float
    assert loss == pytest.approx(ORACLES[name](np.array(prediction), np.array(target)), rel=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_losses_of_values_have_the_same_number_to_the_bit(name):
    prediction, target = CASES[name]
    assert LOSSES[name](list(map(Value, prediction)), target).data == LOSSES[name](
        prediction, target
    )
    assert LOSSES[name](list(map(Value, prediction)), list(map(Value, target))).data == LOSSES[
        name
    ](prediction, target)


@pytest.mark.parametrize("name", CASES)
def test_slopes_of_losses_are_those_of_differences(name):
    prediction, target = CASES[name]
    values = list(map(Value, prediction))
    LOSSES[name](values, target).backward()
    step = 1e-6
    for i, value in enumerate(values):
        up, down = np.array(prediction), np.array(prediction)
        up[i] += step
        down[i] -= step
        slope = (ORACLES[name](up, np.array(target)) - ORACLES[name](down, np.array(target))) / (
            2 * step
        )
        assert value.grad == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("name", [name for name in CASES if name != "cross_entropy"])
def test_a_number_is_a_list_of_one(name):
    prediction, target = CASES[name][0][0], CASES[name][1][0]
    assert LOSSES[name](prediction, target) == LOSSES[name]([prediction], [target])
    assert LOSSES[name](Value(prediction), [target]).data == LOSSES[name](
        np.float64(prediction), np.array([target])
    )


def test_squares_of_many_outputs_are_one_node_more_than_the_differences():
    loss = squared_error([Value(p) for p in P], T)
    assert [node.op for node in loss.graph() if node.op] == ["sub", "sub", "sub", "dot"]
    assert [node.op for node in squared_error(Value(1.0), 2.0).graph() if node.op] == [
        "sub",
        "square",
    ]


def test_cross_entropy_is_two_nodes():
    assert [node.op for node in cross_entropy([Value(p) for p in P], 2).graph() if node.op] == [
        "logsumexp",
        "sub",
    ]


@pytest.mark.parametrize("k", [0, 1, 2])
@pytest.mark.parametrize("kind", [int, float, np.int64])
def test_a_class_is_its_one_hot_list(k, kind):
    one_hot = [float(i == k) for i in range(3)]
    values, twins = [Value(p) for p in P], [Value(p) for p in P]
    a, b = cross_entropy(values, kind(k)), cross_entropy(twins, one_hot)
    a.backward()
    b.backward()
    assert a.data == b.data
    assert [v.grad for v in values] == [v.grad for v in twins]
    assert [v.grad for v in values] == pytest.approx(
        probabilities(np.array(P)) - one_hot, rel=1e-13
    )


# ------------------------------------------------------------------ digits, and edges


@pytest.mark.parametrize("z", [-800.0, -40.0, -1e-9, 0.3, 36.7, 40.0, 800.0])
@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
def test_binary_cross_entropy_with_logits_keeps_its_digits(z, t):
    with mpmath.workdps(800):
        p = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
        expected = float(
            -(t * mpmath.log(p) + (1 - t) * mpmath.log(1 - p))
            if 0 < t < 1
            else -mpmath.log(p if t else 1 - p)
        )
        slope = float(p - t)
    value = Value(z)
    loss = binary_cross_entropy_with_logits(value, t)
    loss.backward()
    assert loss.data == pytest.approx(expected, rel=1e-15, abs=0)
    assert value.grad == pytest.approx(slope, rel=1e-14, abs=0 if t in (0, 1) else 1e-16)


@pytest.mark.parametrize("p", [1e-300, 1e-20, 0.3, 1 - 2.0**-53])
@pytest.mark.parametrize("t", [0, 1])
def test_binary_cross_entropy_keeps_its_digits(p, t):
    with mpmath.workdps(400):
        expected = float(-mpmath.log(p if t else 1 - mpmath.mpf(p)))
    assert binary_cross_entropy(p, t) == pytest.approx(expected, rel=1e-15, abs=0)


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "expected", "slope"),
    [
        (binary_cross_entropy, 0.0, 1, inf, -inf),
        (binary_cross_entropy, 1.0, 0, inf, inf),
        (binary_cross_entropy, 1.0, 1, 0.0, -1.0),
        (binary_cross_entropy, 0.0, 0, 0.0, 1.0),
        (binary_cross_entropy, 0.0, 0.5, inf, -inf),
        (binary_cross_entropy, nan, 1, nan, nan),
        (binary_cross_entropy, 0.5, nan, nan, nan),
        (binary_cross_entropy_with_logits, inf, 1, 0.0, 0.0),
        (binary_cross_entropy_with_logits, -inf, 1, inf, -1.0),
        (binary_cross_entropy_with_logits, inf, 0, inf, 1.0),
        (hinge, 1.0, 1, 0.0, 0.0),
        (mae, 2.0, 2.0, 0.0, 0.0),
        (huber, 1e200, 0.0, 1e200, 1.0),
        (huber, -inf, 0.0, inf, -1.0),
        (huber, 1.0, 0.0, 0.5, 1.0),
        (squared_error, 1e200, 0.0, inf, 2e200),
    ],
)
def test_edges_of_losses(loss, prediction, target, expected, slope):
    value = Value(prediction)
    out = loss(value, target)
    out.backward()
    assert out.data == expected or (out.data != out.data and expected != expected)
    assert value.grad == slope or (value.grad != value.grad and slope != slope)
    number = loss(prediction, target)
    assert number == expected or (number != number and expected != expected)
    assert math.copysign(1.0, number) == 1.0 or number != number


def test_cross_entropy_of_huge_and_of_masked_logits():
    assert cross_entropy([1000.0, -1000.0], 0) == 0.0
    assert cross_entropy([1000.0, -1000.0], 1) == 2000.0
    logits = [Value(-inf), Value(0.0), Value(0.0)]
    for target in (1, [0, 1, 0]):
        loss = cross_entropy(logits, target)
        assert loss.data == math.log(2.0)


def test_huber_is_a_parabola_within_delta_and_lines_beyond():
    assert huber(3.0, 0.0, delta=2.0) == 2.0 * (3.0 - 1.0)
    assert huber(1.5, 0.0, delta=2.0) == 0.5 * 1.5**2


def test_targets_may_be_values():
    for t in (-1, 1):
        assert hinge(Value(0.25), Value(t)).data == hinge(0.25, t)
    for t in (0, 0.5, 1):
        loss = binary_cross_entropy_with_logits(Value(0.25), Value(t))
        assert loss.data == binary_cross_entropy_with_logits(0.25, t)


def test_l2_is_one_node_whose_slope_is_twice_the_weight():
    model = MLP(2, [3, 1], seed=0)
    penalty = l2(model)
    assert (penalty.op, penalty.data) == (
        "dot",
        pytest.approx(sum(p.data**2 for p in model.parameters()), rel=1e-14),
    )
    penalty.backward()
    assert [p.grad for p in model.parameters()] == [2 * p.data for p in model.parameters()]
    assert l2(model.parameters()).data == l2(p.data for p in model.parameters()) == penalty.data
    with pytest.raises(
        TypeError, match=r"^expected a module or a list of Values, got Value: .*\[w\]"
    ):
        l2(Value(3.0))


# ------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: mse([1.0, 2.0], [1.0]),
            ValueError,
            "mse takes a target for each prediction, got 2 predictions and 1 targets",
        ),
        (
            lambda: mae([], []),
            ValueError,
            "mae takes a target for each prediction, got 0 predictions and 0 targets",
        ),
        (
            lambda: hinge(0.5, 0),
            ValueError,
            "hinge takes targets of -1 and 1, got 0.0: for 0 and 1 write 2 \\* y - 1",
        ),
        (
            lambda: binary_cross_entropy(0.5, 2),
            ValueError,
            "a binary target lies between 0 and 1, got 2.0",
        ),
        (
            lambda: cross_entropy([1.0, 2.0], 2),
            ValueError,
            "cross_entropy of 2 logits takes a class from 0 to 1, got 2",
        ),
        (lambda: cross_entropy([1.0, 2.0], -1), ValueError, "class from 0 to 1, got -1"),
        (lambda: cross_entropy([1.0, 2.0], 0.5), ValueError, "class from 0 to 1, got 0.5"),
        (lambda: cross_entropy([1.0, 2.0], inf), ValueError, "class from 0 to 1, got inf"),
        (
            lambda: cross_entropy([1.0, 2.0], Value(1.0)),
            TypeError,
            "the right class as a plain number, got a Value",
        ),
        (
            lambda: cross_entropy(1.0, 0),
            ValueError,
            "takes two logits or more, got 1: .* use binary_cross_entropy_with_logits",
        ),
        (
            lambda: cross_entropy([1.0, 2.0, 3.0], [0, 1]),
            ValueError,
            "a probability for each of 3 logits; got 2 targets",
        ),
        (
            lambda: cross_entropy([1.0, 2.0], [1, 1]),
            ValueError,
            "probabilities that add up to 1, got \\[1.0, 1.0\\]",
        ),
        (lambda: cross_entropy([1.0, 2.0], [nan, 1]), ValueError, "probabilities that add up to 1"),
        (lambda: huber(1.0, 0.0, delta=0), ValueError, "huber's delta must be above 0, got 0"),
        (lambda: mse("a", 1.0), TypeError, "mse takes a real number, got str"),
        (
            lambda: half_squared_error([[1.0]], [1.0]),
            TypeError,
            "half_squared_error takes a real number, got list: a loss takes one row; for many rows, add up",
        ),
        (lambda: mse(np.eye(2), np.eye(2)), TypeError, "got list: a loss takes one row"),
        (lambda: hinge(0.5, Value(0.0)), ValueError, "targets of -1 and 1, got 0.0"),
        (lambda: binary_cross_entropy_with_logits(0.5, Value(2.0)), ValueError, "got 2.0"),
        (lambda: mse(None, 1.0), TypeError, "mse takes a real number, got NoneType"),
    ],
)
def test_wrong_arguments_of_losses_are_answered(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("p", [1.5, -0.1, Value(1.5)])
def test_binary_cross_entropy_refuses_what_is_no_probability(p):
    with pytest.raises(
        ValueError, match=r"takes probabilities, got .*output_activation='sigmoid'.*with_logits"
    ):
        binary_cross_entropy(p, 1)
