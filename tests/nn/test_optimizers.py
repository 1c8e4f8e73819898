"""The optimisers against their papers' formulas in NumPy, and what a failed step leaves."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import Value
from scalargrad.nn import LBFGS, MLP, SGD, Adam, AdamW, Optimizer, RMSprop
from scalargrad.nn.choosing import OPTIMIZERS, optimizer_for

STEPS = 20
START = np.array([1.0, -2.0, 0.5, 30.0])
CURVATURE = np.array([1.0, 0.3, 5.0, 0.01])


def slope(w, t):
    """The slope of a bowl whose middle moves, so that no two steps are alike."""
    return CURVATURE * (w - np.sin(t + np.arange(4)))


# ------------------------------------------------------------------ the formulas of the papers


def sgd(w, lr=0.1, decay=0.0):
    for t in range(STEPS):
        w = w - lr * (slope(w, t) + decay * w)
        yield w


def heavy_ball(
    w, lr=0.05, mu=0.9, decay=0.0
):  # Polyak 1964, in Sutskever's and others' form with the rate outside
    v = np.zeros(4)
    for t in range(STEPS):
        v = mu * v + slope(w, t) + decay * w
        w = w - lr * v
        yield w


def nesterov(w, lr=0.05, mu=0.9):
    v = np.zeros(4)
    for t in range(STEPS):
        g = slope(w, t)
        v = mu * v + g
        w = w - lr * (g + mu * v)
        yield w


def rmsprop(w, lr=0.02, alpha=0.9, eps=1e-6, decay=0.0):
    mean_square = np.zeros(4)
    for t in range(STEPS):
        g = slope(w, t) + decay * w
        mean_square = alpha * mean_square + (1 - alpha) * g**2
        w = w - lr * g / (np.sqrt(mean_square) + eps)
        yield w


def adam(w, lr=0.05, b1=0.8, b2=0.99, eps=1e-7, decay=0.0, decoupled=0.0):
    m, v = np.zeros(4), np.zeros(4)
    for t in range(1, STEPS + 1):
        g = slope(w, t - 1) + decay * w
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
        w = w - lr * decoupled * w - lr * m_hat / (np.sqrt(v_hat) + eps)
        yield w


BETAS = {"betas": (0.8, 0.99), "eps": 1e-7}
CASES = {
    "sgd": (sgd, {}, lambda ps: SGD(ps, 0.1)),
    "sgd with decay": (sgd, {"decay": 0.2}, lambda ps: SGD(ps, 0.1, weight_decay=0.2)),
    "momentum": (heavy_ball, {}, lambda ps: SGD(ps, 0.05, momentum=0.9)),
    "momentum and decay": (heavy_ball, {"decay": 0.2}, lambda ps: SGD(ps, 0.05, 0.9, False, 0.2)),
    "nesterov": (nesterov, {}, lambda ps: SGD(ps, 0.05, momentum=0.9, nesterov=True)),
    "rmsprop": (rmsprop, {}, lambda ps: RMSprop(ps, 0.02, alpha=0.9, eps=1e-6)),
    "rmsprop with decay": (rmsprop, {"decay": 0.2}, lambda ps: RMSprop(ps, 0.02, 0.9, 1e-6, 0.2)),
    "adam": (adam, {}, lambda ps: Adam(ps, 0.05, **BETAS)),
    "adam with decay": (adam, {"decay": 0.2}, lambda ps: Adam(ps, 0.05, **BETAS, weight_decay=0.2)),
    "adam with little memory": (
        adam,
        {"b1": 0.25, "b2": 0.375},
        lambda ps: Adam(ps, 0.05, [0.25, 0.375], 1e-7),
    ),
    "rmsprop with little memory": (
        rmsprop,
        {"alpha": 0.25},
        lambda ps: RMSprop(ps, 0.02, 0.25, 1e-6),
    ),
    "adamw": (adam, {"decoupled": 0.3}, lambda ps: AdamW(ps, 0.05, **BETAS, weight_decay=0.3)),
    "defaults of sgd": (sgd, {"lr": 0.01}, SGD),
    "defaults of rmsprop": (rmsprop, {"lr": 0.01, "alpha": 0.99, "eps": 1e-8}, RMSprop),
    "defaults of adam": (adam, {"lr": 0.001, "b1": 0.9, "b2": 0.999, "eps": 1e-8}, Adam),
    "defaults of adamw": (
        adam,
        {"lr": 0.001, "b1": 0.9, "b2": 0.999, "eps": 1e-8, "decoupled": 0.01},
        AdamW,
    ),
}


def walk(parameters, optimizer):
    """Twenty steps of an optimiser on the moving bowl."""
    for t in range(STEPS):
        optimizer.zero_grad()
        for p, g in zip(parameters, slope(np.array([p.data for p in parameters]), t), strict=True):
            p.grad += float(g)
        optimizer.step()
        yield [p.data for p in parameters]


@pytest.mark.parametrize("name", CASES)
def test_twenty_steps_follow_the_formula(name):
    formula, settings, make = CASES[name]
    parameters = [Value(w) for w in START]
    for ours, expected in zip(
        walk(parameters, make(parameters)), formula(START, **settings), strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


def test_momentum_without_momentum_is_plain_descent_to_the_bit():
    a, b = [Value(w) for w in START], [Value(w) for w in START]
    assert list(walk(a, SGD(a, 0.1, momentum=0.0))) == list(walk(b, SGD(b, 0.1)))


def test_a_momentum_that_is_set_later_begins_at_rest():
    a, b = [Value(w) for w in START], [Value(w) for w in START]
    optimizer = SGD(a, 0.1)
    for momentum in (0.9, 0.0, 0.9):
        optimizer.momentum = momentum
    assert list(walk(a, optimizer)) == list(walk(b, SGD(b, 0.1, momentum=0.9)))
    with pytest.raises(ValueError, match=r"momentum must be 0 or more and below 1, got 1\.5"):
        optimizer.momentum = 1.5
    assert optimizer.momentum == 0.9


def test_a_change_of_momentum_keeps_the_speed():
    w = Value(0.0)
    optimizer = SGD([w], 1.0, momentum=0.5)
    for momentum, wanted in ((0.5, -1.0), (0.25, -1.0 - 1.25)):
        optimizer.momentum, w.grad = momentum, 1.0
        optimizer.step()
        assert w.data == wanted
    for momentum in (0.0, 0.5):
        optimizer.momentum = momentum
    optimizer.step()
    assert w.data == wanted - 1.0  # after a momentum of 0 the speed begins at 0


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "lbfgs"])
def test_one_parameter_is_enough(name):
    alone, first, second = Value(1.0), Value(1.0), Value(2.0)
    for parameters in ([alone], [first, second]):
        optimizer = OPTIMIZERS[name](parameters)
        for p in parameters:
            p.grad = 3.0
        optimizer.step()
    assert alone.data == first.data < 1.0


# ------------------------------------------------------------------ the rate


def test_rate_may_be_a_function_of_the_step_from_0():
    w, seen = Value(0.0), []

    def rate(step):
        seen.append(step)
        return 1.0 / (step + 1)

    optimizer = SGD([w], lr=rate)
    w.grad = 1.0
    for _ in range(3):
        optimizer.step()
    assert seen == [0, 1, 2]
    assert w.data == 0.0 - 1.0 - 0.5 - 1.0 / 3
    assert optimizer.steps == 3


def test_rate_may_be_changed_between_steps():
    w = Value(0.0)
    optimizer = SGD([w], lr=1.0)
    w.grad = 1.0
    optimizer.step()
    optimizer.lr = 0.25
    optimizer.step()
    assert w.data == -1.25


# ------------------------------------------------------------------ whole steps or none


def memory(optimizer):
    return [p.data for p in optimizer.parameters], copy.deepcopy(optimizer.state), optimizer.steps


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", CASES)
def test_a_gradient_that_is_no_number_changes_nothing(name, bad):
    parameters = [Value(w, f"w{i}") for i, w in enumerate(START)]
    optimizer = CASES[name][2](parameters)
    for p in parameters:
        p.grad = 1.0
    optimizer.step()
    before = memory(optimizer)
    parameters[2].grad = bad
    with pytest.raises(
        FloatingPointError, match=f"the gradient of w2 is {bad}, so no weight was changed"
    ):
        optimizer.step()
    assert memory(optimizer) == before


def test_a_gradient_without_label_is_named_by_its_place():
    w = Value(1.0)
    w.grad = float("nan")
    with pytest.raises(FloatingPointError, match="the gradient of parameter 0 is nan"):
        SGD([w], 0.1).step()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_step_that_breaks_off_changes_nothing(error):
    class Breaking(Adam):
        def update(self, weights, gradients, lr):
            super().update(weights, gradients, lr)
            raise error

    parameters = [Value(w) for w in START]
    optimizer = Breaking(parameters, 0.1)
    for p in parameters:
        p.grad = 1.0
    before = memory(optimizer)
    with pytest.raises(error):
        optimizer.step()
    assert memory(optimizer) == before


def test_a_rate_that_turns_bad_changes_nothing():
    w = Value(1.0)
    w.grad = 1.0
    optimizer = SGD([w], lr=lambda step: 0.5 - step)
    optimizer.step()
    with pytest.raises(ValueError, match=r"lr\(1\) must be 0 or more, and finite, got -0.5"):
        optimizer.step()
    assert (w.data, optimizer.steps) == (0.5, 1)


# ------------------------------------------------------------------ the object


def test_zero_grad_sets_gradients_to_0():
    w = Value(1.0)
    w.grad = 3.0
    SGD([w], 0.1).zero_grad()
    assert w.grad == 0.0


def test_parameters_may_be_a_module_or_any_iterable():
    model = MLP(2, [2], seed=0)
    assert (
        SGD(model, 0.1).parameters
        == SGD(iter(model.parameters()), 0.1).parameters
        == model.parameters()
    )


def test_a_new_optimiser_is_an_update():
    class Sign(Optimizer):
        """Steps of one size."""

        def update(self, weights, gradients, lr):
            return [
                w - lr * ((g > 0) - (g < 0)) for w, g in zip(weights, gradients, strict=True)
            ], ()

    model = MLP(1, [1], init="zeros")
    model.fit([1.0, 2.0], [3.0, 6.0], optimizer=Sign, lr=0.5, epochs=2)
    assert model.layers[0].neurons[0].w[0].data == 1.0


@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
def test_an_update_may_sum_lists(backend):
    class Summed(Optimizer):
        def update(self, weights, gradients, lr):
            return [sg.sum([w, -lr * g]) for w, g in zip(weights, gradients, strict=True)], ()

    X, y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, 1.0, 0.0]
    plain, summed = (MLP(2, [3, 1], activation="tanh", seed=0) for _ in range(2))
    plain.fit(X, y, optimizer="sgd", lr=0.1, epochs=20, engine="eager")
    summed.fit(X, y, optimizer=Summed, lr=0.1, epochs=20, engine="compiled", backend=backend)
    for p, q in zip(plain.parameters(), summed.parameters(), strict=True):
        assert q.data == pytest.approx(p.data, rel=1e-12)


def test_optimisers_can_be_copied_and_pickled_in_mid_run():
    parameters = [Value(w) for w in START]
    optimizer = Adam(parameters, 0.05)
    list(walk(parameters, optimizer))
    twins = [copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))]
    expected = list(walk(parameters, optimizer))
    for twin in twins:
        assert list(walk(twin.parameters, twin)) == expected


def test_repr_says_rate_and_steps():
    def halving(step):
        return 0.5**step

    assert repr(SGD([Value(1.0)], lr=0.5)) == "SGD(1 parameters, lr=0.5, steps=0)"
    assert repr(SGD([Value(1.0)], lr=halving)) == "SGD(1 parameters, lr=halving, steps=0)"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda w: SGD([w], lr=-0.1), ValueError, "lr must be 0 or more, and finite, got -0.1"),
        (
            lambda w: SGD([w], lr=float("nan")),
            ValueError,
            "lr must be 0 or more, and finite, got nan",
        ),
        (lambda w: SGD([w], lr="fast"), TypeError, "lr takes a real number, got str"),
        (
            lambda w: SGD([w], momentum=1.0),
            ValueError,
            "momentum must be 0 or more and below 1, got 1.0",
        ),
        (
            lambda w: SGD([w], momentum=-0.5),
            ValueError,
            "momentum must be 0 or more and below 1, got -0.5",
        ),
        (
            lambda w: SGD([w], nesterov=True),
            ValueError,
            "nesterov=True needs a momentum: write momentum=0.9",
        ),
        (
            lambda w: SGD([w], weight_decay=-1),
            ValueError,
            "weight_decay must be 0 or more, and finite, got -1.0",
        ),
        (
            lambda w: RMSprop([w], alpha=1.5),
            ValueError,
            "alpha must be 0 or more and below 1, got 1.5",
        ),
        (lambda w: RMSprop([w], eps=0), ValueError, "eps must be above 0, and finite, got 0.0"),
        (
            lambda w: Adam([w], betas=(1.0, 0.9)),
            ValueError,
            r"betas\[0\] must be 0 or more and below 1, got 1.0",
        ),
        (lambda w: Adam([w], betas=(0.9,)), ValueError, r"betas must be two numbers, got \(0.9,\)"),
        (
            lambda w: Adam([w], betas=(0.9, 0.99, 0.999)),
            ValueError,
            r"betas must be two numbers, got \(0.9, 0.99, 0.999\)",
        ),
        (
            lambda w: Adam([w], betas=(0.9, 1.0)),
            ValueError,
            r"betas\[1\] must be 0 or more and below 1, got 1.0",
        ),
        (
            lambda w: AdamW([w], betas=0.9),
            ValueError,
            r"betas must be two numbers, got 0.9: write betas=\(0.9, 0.999\)",
        ),
        (lambda w: SGD([]), ValueError, "SGD got no parameters: there is nothing to learn"),
        (lambda w: SGD([w, w]), ValueError, "SGD got a parameter twice"),
        (
            lambda w: SGD([1.0]),
            TypeError,
            r"SGD takes Values, got float: give it model.parameters\(\)",
        ),
        (lambda w: SGD([w * 2]), ValueError, "SGD takes leaves, and Value.* was computed by mul"),
    ],
)
def test_wrong_arguments_of_optimisers_are_answered(call, error, text):
    with pytest.raises(error, match=text):
        call(Value(1.0))


def test_the_names_that_fit_takes():
    known = {"sgd": SGD, "rmsprop": RMSprop, "adam": Adam, "adamw": AdamW, "lbfgs": LBFGS}
    assert known == OPTIMIZERS


def test_a_step_that_would_overflow_changes_nothing():
    w, v = Value(1e308, "w"), Value(1.0, "v")
    w.grad, v.grad = -1e300, 1.0
    with pytest.raises(
        FloatingPointError,
        match=r"the step would make w inf, so no weight was changed: take a smaller lr \(it is 10000000000.0\)",
    ):
        SGD([w, v], lr=1e10).step()
    assert (w.data, v.data) == (1e308, 1.0)


# ------------------------------------------------------------------ the choice that fit offers


def test_an_optimiser_is_chosen_by_name_class_or_function():
    parameters = [Value(1.0)]
    for chosen, lr, kind, rate in (
        ("adam", None, Adam, 0.001),
        ("sgd", 0.5, SGD, 0.5),
        (RMSprop, None, RMSprop, 0.01),
        (AdamW, 0.25, AdamW, 0.25),
        (lambda parameters: SGD(parameters, 0.125), None, SGD, 0.125),
    ):
        optimizer = optimizer_for(chosen, parameters, lr)
        assert (type(optimizer), optimizer.lr, optimizer.parameters) == (kind, rate, parameters)


class Half:
    """An object with one of the two methods of an optimiser."""

    def __init__(self, method):
        setattr(self, method, lambda: None)


@pytest.mark.parametrize(
    ("chosen", "lr", "error", "text"),
    [
        ("adm", None, ValueError, "adm"),
        (3.0, None, TypeError, "optimizer must be one of .*, a class or a function, got float$"),
        (
            SGD([Value(1.0)]),
            None,
            TypeError,
            r"got SGD: write optimizer=lambda parameters: \.\.\.$",
        ),
        (
            lambda parameters: SGD(parameters),
            0.5,
            ValueError,
            "lr=0.5 would be lost on an optimizer that is a function",
        ),
        (
            lambda parameters: Half("step"),
            None,
            TypeError,
            r"must return an optimiser, with step\(\) and zero_grad\(\), got Half",
        ),
        (
            lambda parameters: Half("zero_grad"),
            None,
            TypeError,
            "must return an optimiser, .* got Half",
        ),
        (lambda parameters: None, None, TypeError, "must return an optimiser, .* got NoneType"),
    ],
)
def test_a_choice_that_is_none_is_answered(chosen, lr, error, text):
    with pytest.raises(error, match=text):
        optimizer_for(chosen, [Value(1.0)], lr)
