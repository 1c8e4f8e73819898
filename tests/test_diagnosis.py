"""The gradient doctor: a sample of its proof, what it accepts, what it refuses, and its words."""

import random

import numpy as np
import pytest

from scalargrad import (
    GradientError,
    Value,
    check_gradient,
    dot,
    explain,
    log,
    tanh,
    value_and_grad,
)
from scalargrad import relu as relu_of
from scalargrad.doctor import comparison
from scalargrad.nn import MLP, squared_error

from . import diagnosis as proof
from .formulas import sigmoid

X = np.random.default_rng(0).standard_normal((6, 3))
Y = np.random.default_rng(1).standard_normal((6, 2))
W = np.random.default_rng(2).standard_normal((3, 2))
B = np.random.default_rng(3).standard_normal(2)


def loss(W, b):
    return np.sum((np.tanh(X @ W + b) - Y) ** 2)


def gradient(W, b):
    out = np.tanh(X @ W + b)
    d = 2 * (out - Y) * (1 - out**2)
    return X.T @ d, d.sum(axis=0)


def found(*args, **options):
    """The diagnosis by name; a right gradient raises nothing."""
    try:
        return check_gradient(*args, **options).diagnosis
    except GradientError as error:
        return error.diagnosis


def kinds(*args, **options):
    return {name: one.kind for name, one in found(*args, **options).items()}


# ------------------------------------------------------------------ the proof, a sample of it


@pytest.mark.parametrize("make", proof.NETWORKS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("count", [1, 2])
def test_mistakes_are_named_and_right_gradients_are_not_accused(make, count):
    network = make()
    singles = proof.places(network)
    draw = random.Random(7)
    for _ in range(3):
        mistakes = draw.sample(singles, count)
        if len({mistake.place for mistake in mistakes}) == count:
            for verdict, name, diagnosis in proof.verdicts(network, *mistakes):
                allowed = {"named", "right"} if count == 1 else {"named", "right", "unexplained"}
                assert verdict in allowed, (name, mistakes, diagnosis.sentence)


@pytest.mark.parametrize("make", proof.NETWORKS, ids=lambda make: make.__name__)
def test_right_gradients_in_double_and_single_precision_are_right(make):
    network = make()
    right = proof.broken(network)
    given = proof.in_single_precision(network)
    for gradients in (right, given):
        diagnoses = proof.asked(network, gradients)
        assert {one.kind for one in diagnoses.values()} == {"right"}, diagnoses


@pytest.mark.parametrize("make", proof.NETWORKS, ids=lambda make: make.__name__)
def test_an_error_of_a_billionth_is_found(make):
    network = make()
    given = proof.broken(network)
    given[0] = (
        given[0] * (1 + 1e-9)
        if not isinstance(given[0], list)
        else [x * (1 + 1e-9) for x in given[0]]
    )
    first, *_ = proof.asked(network, given).values()
    assert first.kind == "imprecise"


# ------------------------------------------------------------------ ways to give a gradient


def test_a_gradient_may_be_given_as_a_tuple_a_dict_or_a_function():
    dW, db = gradient(W, B)
    for given in (
        (dW, db), [dW, db], (dW.tolist(), db.tolist()), {"W": dW, "b": db}, {"b": db, "W": dW}, gradient,
        lambda W, b: dict(zip("Wb", gradient(W, b))), (dW, None), {"b": db},
    ):  # fmt: skip
        assert check_gradient(loss, W, B, wrt=(0, 1), given=given) <= 1.0
    assert check_gradient(loss, W, B, given=dW) <= 1.0
    assert check_gradient(loss, W, B, wrt=1, given=db) <= 1.0
    assert check_gradient(loss, W, B, given={"b": db}).diagnosis.keys() == {"b"}


def test_arguments_may_be_dicts_lists_and_modules():
    dW, db = gradient(W, B)
    params = {"W": W, "b": B}
    assert kinds(lambda p: loss(p["W"], p["b"]), params, given={"W": -dW, "b": db}) == {
        "W": "sign",
        "b": "right",
    }
    assert kinds(lambda p: loss(*p), [W, B], given=[dW, 2 * db]) == {
        "p[0]": "right",
        "p[1]": "factor",
    }
    assert kinds(lambda p: loss(p["W"], p["b"]), params, given={"b": db}) == {"b": "right"}
    model = MLP(3, [2, 1], activation="tanh", seed=0)
    right = value_and_grad(lambda m: squared_error(m([1.0, 2.0, 3.0]), 0.5))(model)[1]
    wrong = {**right, "W1": np.multiply(right["W1"], -1)}
    said = kinds(lambda m: squared_error(m([1.0, 2.0, 3.0]), 0.5), model, given=wrong)
    assert said == {"W1": "sign", "b1": "right", "W2": "right", "b2": "right"}


def test_a_function_in_scalars_is_diagnosed_like_one_in_arrays():
    def scalars(w, b, x):
        return (tanh(dot(w, x) + b) - 0.3) ** 2

    w, b, x = [0.5, -0.2, 0.8], 0.1, [1.0, 2.0, -0.7]
    out = np.tanh(np.dot(w, x) + b)
    left_out = [2 * (out - 0.3) * xi for xi in x]
    said = found(scalars, w, b, x, wrt=(0, 1), given=(left_out, 2 * (out - 0.3)))
    assert [(one.kind, one.operation, one.layer) for one in said.values()] == [
        ("left out", "tanh", 1)
    ] * 2


def test_names_that_two_arguments_share_are_told_apart():
    a, b = {"W": np.ones(2)}, {"W": np.ones(2)}
    said = kinds(lambda a, b: np.sum(a["W"] * b["W"] ** 2), a, b, wrt=(0, 1), given=(a, b))
    assert said == {"a['W']": "right", "b['W']": "factor"}


# ------------------------------------------------------------------ what is said


def test_the_error_is_a_line_for_each_argument_and_a_table():
    dW, db = gradient(W, B)
    with pytest.raises(GradientError) as error:
        check_gradient(loss, W, B, wrt=(0, 1), given=(-dW, db))
    lines = str(error.value).splitlines()
    assert lines[:3] == [
        "1 of 2 gradients is wrong",
        "W is −1 × the exact gradient: its sign is wrong",
        "b is right",
    ]
    assert lines[3].split() == ["input", "yours", "exact", "yours/exact"]
    assert all(line.startswith("W[") and line.endswith("−1") for line in lines[4:])
    assert len(error.value.rows) == 8
    one = error.value.diagnosis["W"]
    assert (one.kind, one.factor, one.operation, one.layer) == ("sign", -1.0, None, None)
    assert not one.is_right
    assert error.value.diagnosis["b"].is_right


def test_the_table_has_as_many_digits_as_tell_two_numbers_apart():
    with pytest.raises(GradientError) as error:
        check_gradient(loss, W, B, wrt=(0, 1), given=[x * (1 + 1e-9) for x in gradient(W, B)])
    rows = [line.rsplit(maxsplit=3) for line in str(error.value).splitlines() if "[" in line]
    assert len(rows) == 7  # five of W, two of b
    for _, yours, exact, ratio in rows:
        assert yours != exact
        assert float(ratio) == pytest.approx(1 + 1e-9, abs=1e-10)
        assert float(ratio) != 1


def test_arguments_of_a_starred_parameter_have_names():
    dW, db = gradient(W, B)
    said = kinds(lambda *P: loss(*P), W, B, wrt=(0, 1), given=(-dW, db))
    assert said == {"P[0]": "sign", "P[1]": "right"}
    with pytest.raises(GradientError, match=r"\nP\[0\]\[\d, \d\] "):
        check_gradient(lambda *P: loss(*P), W, B, given=-dW)


CASES = [  # what is done to (dW, db), the kind that W gets, a part of the sentence
    (lambda dW, db: (2 * dW, db), "factor", "added up over two calls"),
    (lambda dW, db: (dW / 6, db), "factor", "a mean over 6 for a sum"),
    (lambda dW, db: (0.37 * dW, db), "factor", "0.37 × the exact gradient"),
    (lambda dW, db: (dW.T, db), "transposed", "transposed"),
    (lambda dW, db: (dW.reshape(2, 3), db), "shape", "of the shape (2, 3): W has (3, 2)"),
    (lambda dW, db: (dW[::-1], db), "permuted", "rows in reverse order"),
    (lambda dW, db: (0 * dW, db), "zero", "0 everywhere"),
    (lambda dW, db: (dW + 0.1 * W, db), "extra penalty", "plus 0.1 × W"),
    (lambda dW, db: (dW[:2], db), "shape", "given with the shape (2, 2), expected (3, 2)"),
    (lambda dW, db: (dW + np.eye(3, 2), db), "unexplained", "2 of 6 numbers differ"),
    (lambda dW, db: (dW * np.where(W[1, 1] == W, np.nan, 1), db), "not finite", "W is nan at W[1, 1]"),
    (lambda dW, db: (dW * np.where(W[1, 1] == W, np.inf, 1), db), "not finite", "∞ at W[1, 1]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "kind", "words"), CASES, ids=lambda x: x if isinstance(x, str) else ""
)
def test_mistakes_have_words(change, kind, words):
    said = found(loss, W, B, wrt=(0, 1), given=change(*gradient(W, B)))
    assert said["W"].kind == kind
    assert words in said["W"].sentence
    assert said["b"].kind == "right"


def test_a_sum_that_is_forgotten_is_named_with_its_axis():
    out = np.tanh(X @ W + B)
    d = 2 * (out - Y) * (1 - out**2)
    assert (
        found(loss, W, B, wrt=1, given=d)["b"].sentence
        == "b is the exact gradient, not added up over the rows: write .sum(axis=0)"
    )


def test_a_penalty_is_that_of_the_argument_itself():
    V = np.random.default_rng(4).standard_normal((2, 2))

    def penalized(W, V):
        return np.sum((np.tanh(X @ W) @ V - Y) ** 2) + 0.1 * (np.sum(W**2) + np.sum(V**2))

    a = np.tanh(X @ W)
    d = 2 * (a @ V - Y)
    dW, dV = X.T @ ((d @ V.T) * (1 - a**2)), a.T @ d
    for part, change in ((0.0, "without its penalty"), (0.5, "with its penalty counted 0.5 times"),
                         (-1.0, "with its penalty subtracted, not added")):  # fmt: skip
        given = dW + part * 0.2 * W, dV + part * 0.2 * V
        for name, one in found(penalized, W, V, wrt=(0, 1), given=given).items():
            assert (one.kind, one.factor) == ("penalty", part)
            assert one.sentence == f"{name} is the exact gradient {change}"
    said = kinds(penalized, W, V, wrt=(0, 1), given=(dW, 2 * dV))
    assert said == {"W": "penalty", "V": "unexplained"}


POWERS = [  # the exponent, the slope that was given at x, and what is said
    (3, lambda x: x**2, "with x**2 in place of 3·x**2"),
    (3, lambda x: 3 * x**3, "with 3·x**3 in place of 3·x**2"),
    (2, lambda x: 2 * x**2, "with 2·x**2 in place of 2·x"),
    (-1.5, lambda x: x**-2.5, "with x**−2.5 in place of −1.5·x**−2.5"),
]


@pytest.mark.parametrize(("n", "slope", "words"), POWERS)
def test_mistakes_with_the_power_rule_are_named(n, slope, words):
    said = found(lambda x: x**n, 1.7, given=slope(1.7))["x"]
    assert (said.kind, said.sentence) == ("power", f"x is the exact gradient {words}")
    x = np.array([0.3, 0.8, 1.2, 1.7])
    said = found(lambda x: np.sum(np.tanh(x**n)), x, given=slope(x) * (1 - np.tanh(x**n) ** 2))
    assert (said["x"].kind, words in said["x"].sentence) == ("power", True)


def test_one_number_is_no_proof_of_a_share_that_is_counted_oddly():
    said = found(lambda x: log(x * x + 1), 2.0, given=0.2)["x"]  # 1 / (x² + 1), and no 2x
    assert said.kind == "unexplained"


def test_the_error_about_a_wrong_shape_has_no_empty_table():
    with pytest.raises(GradientError) as error:
        check_gradient(loss, W, B, given=gradient(W, B)[0][:2])
    assert "yours" not in str(error.value)


def test_a_number_that_is_nan_has_no_place_in_itself():
    said = found(lambda w: w**2, 3.0, given=np.nan)["w"]
    assert said.sentence == "w is nan, where the exact gradient is 6"


def test_a_row_is_right_for_a_vector_where_numpy_can_subtract_it():
    b = B.reshape(1, 2)
    assert kinds(loss, W, b, wrt=1, given=gradient(W, b)[1]) == {"b": "right"}  # (2,) for (1, 2)
    assert kinds(loss, W, B, wrt=1, given=gradient(W, B)[1].reshape(2, 1)) == {"b": "shape"}


# ------------------------------------------------------------------ kinks, relu, and what is no number


@pytest.mark.parametrize("relu", [lambda z: np.maximum(z, 0), lambda z: np.maximum(0, z), relu_of, lambda z: z * (z > 0),
                                  lambda z: np.where(z > 0, z, 0)])  # fmt: skip
def test_the_slope_of_relu_is_missed_however_it_is_written(relu):
    def f(W):
        return np.sum(relu(X @ W) ** 2)

    right = X.T @ (2 * np.maximum(X @ W, 0))
    assert kinds(f, W, given=right) == {"W": "right"}
    said = found(
        lambda W: np.sum((relu(X @ W) - Y) ** 2), W, given=X.T @ (2 * (np.maximum(X @ W, 0) - Y))
    )
    assert (said["W"].kind, said["W"].operation) == ("left out", "relu")


def test_at_a_kink_the_slopes_of_both_sides_are_right():
    w = np.zeros(3)
    for f in (lambda w: np.sum(np.maximum(X @ w, 0)), lambda w: np.sum(relu_of(X @ w))):
        for side in (0.0, 0.5, 1.0):
            assert kinds(f, w, given=side * X.sum(axis=0)) == {"w": "right"}


def test_saturated_units_are_not_accused():
    w = np.array([40.0, -30.0, 25.0])

    def f(w):
        return np.sum(sigmoid(X @ w) ** 2)

    out = sigmoid(X @ w)
    assert kinds(f, w, given=X.T @ (2 * out * out * (1 - out))) == {"w": "right"}


def test_one_of_many_equal_numbers_is_exact_where_it_is_nan_too():
    assert kinds(lambda x: np.sum(np.log(x)), np.array([0.0, 1.0]), given=[np.inf, 1.0]) == {
        "x": "right"
    }
    said = found(lambda x: np.sum(np.log(x)), np.array([0.0, 1.0]), given=[1.0, 1.0])
    assert "the exact gradient is ∞ at x[0]" in said["x"].sentence


# ------------------------------------------------------------------ what is refused

REFUSED = [
    ("a name that is none", {"V": W}, ValueError, r"given has V, but .* W, b"),
    ("too few", (W,), ValueError, r"given must have 2 gradients, of W, b, got 1: give a tuple, or a dict"),
    ("an array for two", W, ValueError, r"given must have 2 gradients, of W, b, got ndarray"),
    ("nothing", (None, None), ValueError, r"given holds no gradient: give one of W, b"),
    ("a text", ("a", B), TypeError, r"given W is str, expected a number"),
    ("complex numbers", (W * 1j, B), TypeError, r"given W\[0\]\[0\] is complex"),
    ("a dict for an array", ({"W": W}, B), ValueError, r"given for W is dict, expected its numbers"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "error", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_cannot_be_a_gradient_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        check_gradient(loss, W, B, wrt=(0, 1), given=given)


def test_gradients_of_all_arguments_need_wrt_of_all():
    with pytest.raises(
        ValueError, match=r"2 gradients, and wrt=0 .* of W alone: write wrt=\(0, 1\)"
    ):
        check_gradient(loss, W, B, given=(W, B))
    with pytest.raises(GradientError, match="1 of 1 gradients is wrong"):  # two rows of one
        check_gradient(lambda x, y: (x * y).sum(), np.ones((2, 1)), 3.0, given=([1.0], [1.0]))


def test_keys_and_lengths_of_structures_must_fit():
    with pytest.raises(ValueError, match=r"given has c, but p has W, b"):
        check_gradient(lambda p: loss(p["W"], p["b"]), {"W": W, "b": B}, given={"c": B})
    with pytest.raises(ValueError, match=r"given for p must have 2 items as it has, got 1"):
        check_gradient(lambda p: loss(*p), [W, B], given=[W])


def test_a_function_that_draws_random_numbers_is_refused():
    draw = random.Random(0)
    with pytest.raises(ValueError, match="two results for one input"):
        check_gradient(lambda w: np.sum(w * draw.random()), W, given=W)


def test_a_function_that_leaves_its_graph_is_refused_not_the_gradient():
    def cut(w):
        return w * getattr(w, "data", w)

    with pytest.raises(
        ValueError, match=r"the slope of f by w is 3 in the graph, but differences .* give 6"
    ):
        check_gradient(cut, 3.0, given=6.0)


def test_a_tolerance_of_ones_own_may_be_wider():
    dW, db = gradient(W, B)
    assert kinds(loss, W, B, wrt=(0, 1), given=(dW * 1.0001, db), rtol=1e-3) == {
        "W": "right",
        "b": "right",
    }
    assert kinds(loss, W, B, wrt=(0, 1), given=(dW + 1e-5, db), atol=1e-4) == {
        "W": "right",
        "b": "right",
    }


# ------------------------------------------------------------------ the same words elsewhere, and a bar


def test_explain_says_what_is_wrong_with_a_slope_in_the_same_words():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    y = tanh(a * b - 5.5)
    exact = 3.0 * (1 - y.data**2)
    cases = [(exact, "right"), (-exact, "sign"), (3.0, "left out"), (0.123, "unexplained")]
    for given, kind in cases:
        found = explain(y, "a", given=given)
        assert found.diagnosis.kind == kind
        assert found.diagnosis.sentence in repr(found)
    assert found.diagnosis.sentence.startswith("0.123 is wrong")
    first, second = explain(y, [a, b], given=[exact, 0.0])
    assert (first.diagnosis.kind, second.diagnosis.kind) == ("right", "zero")
    assert explain(y, "a").diagnosis is None
    with pytest.raises(ValueError, match="given must be a list of 2 slopes, as wrt is"):
        explain(y, [a, b], given=1.0)


def test_a_bar_is_shown_in_a_terminal_if_it_takes_long(monkeypatch, capsys):
    monkeypatch.setattr(comparison, "BAR_AFTER", -1.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert kinds(loss, W, B, given={"b": -gradient(W, B)[1]}) == {"b": "sign"}
    shown = capsys.readouterr().err
    assert "check_gradient █" in shown
    assert shown.endswith("\r")  # it is taken away


def test_a_sample_of_a_large_matrix_tells_what_all_of_it_would():
    wide = np.random.default_rng(5).standard_normal((40, 2))
    data = np.random.default_rng(6).standard_normal((6, 40)) / 6

    def f(W, b):
        return np.sum((np.tanh(data @ W + b) - Y) ** 2)

    out = np.tanh(data @ wide + B)
    for d, kind in (
        (2 * (out - Y) * (1 - out**2), "right"),
        (2 * (out - Y), "left out"),
        (2 * out * (1 - out**2), "elsewhere"),
    ):
        given = data.T @ d
        assert kinds(f, wide, B, wrt=(0, 1), given=(given, d.sum(axis=0))) == {"W": kind, "b": kind}
        given[39, 1] *= 1.001  # not in the sample perhaps
        expected = "imprecise" if kind == "right" else "unexplained"
        assert kinds(f, wide, B, given={"W": given}) == {"W": expected}
