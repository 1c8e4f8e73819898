"""Second derivatives beside kinks and at them, by every way of taking them, against differences of slopes."""

import math

import pytest

import scalargrad as sg
from scalargrad import (
    Value,
    arctan,
    compile,
    exp,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    sqrt,
    value_and_grad,
    where,
)  # fmt: skip

BESIDE = [-2.0, -0.75, 0.3, 1.5, 4.0]  # points between the kinks of these functions
# fmt: off
FUNCTIONS = {
    "relu²":           lambda x: sg.relu(x) ** 2,
    "relu(x²)":        lambda x: sg.relu(x * x),
    "-leaky³":         lambda x: -(sg.leaky_relu(x) ** 3),
    "elu²":            lambda x: sg.elu(x) ** 2,
    "|x|³":            lambda x: sg.abs(x) ** 3,
    "-|x³|":           lambda x: -sg.abs(x * x * x),
    "max with number": lambda x: sg.maximum(x * x, 1.0) * x,
    "min with number": lambda x: sg.minimum(2.0, x * x) * x,
    "max of two":      lambda x: sg.maximum(x, 1.0 - x) ** 2,
    "max, slope of 0": lambda x: (sg.maximum(x, 1.0 - x) - 1.5) ** 2,
    "max of the same": lambda x: sg.max([y := x * x, y]) * x,
    "max of many":     lambda x: sg.max([x, x * x, 1.0, -x]) ** 2,
    "min of many":     lambda x: sg.min([x, 3.0 * x * x, 2.0]) ** 2,
    "hypot":           lambda x: sg.hypot(x, 2.0) + sg.hypot(3.0 * x, x * x),
    "norm":            lambda x: sg.norm([x, x * x, 1.0 - x]) ** 3,
    "sqrt":            lambda x: sg.sqrt(x * x + 1.0) * x,
    "kink in kink":    lambda x: sg.abs(sg.relu(x) - 1.0) * x * x,
    "logistic loss":   lambda x: sg.maximum(x, 0.0) - 0.3 * x + sg.log1p(sg.exp(-sg.abs(x))),
}
AT_KINKS = {
    "|x|²":            (lambda x: sg.abs(x) ** 2, 0.0, 2.0),
    "-3|x|²":          (lambda x: -3.0 * sg.abs(x) ** 2, 0.0, -6.0),
    "|x|⁴":            (lambda x: sg.abs(x) ** 4, 0.0, 0.0),
    "|x²|²":           (lambda x: sg.abs(x * x) ** 2, 0.0, 0.0),
    "relu below 0":    (lambda x: sg.relu(x * x - 1.0), 0.0, 0.0),
    "relu above 0":    (lambda x: sg.relu(x * x + 1.0), 0.0, 2.0),
    "|x|² from 1":     (lambda x: sg.abs(x - 1.0) ** 2, 1.0, 2.0),
    "hypot²":          (lambda x: sg.hypot(x, 2.0 * x) ** 2, 0.0, 10.0),
    "norm²":           (lambda x: sg.norm([x, x]) ** 2, 0.0, 4.0),
    "logistic loss":   (FUNCTIONS["logistic loss"], 0.0, 0.25),
    "-logistic loss":  (lambda x: -FUNCTIONS["logistic loss"](x), 0.0, -0.25),
    "logistic, bent":  (lambda x: FUNCTIONS["logistic loss"](x + x * x), 0.0, 0.65),
    "logistic, back":  (lambda x: FUNCTIONS["logistic loss"](-x - x * x), 0.0, -0.15),
    "not known, |x²|": (lambda x: sg.abs(x * x), 0.0, math.nan),
    "not known, -":    (lambda x: -sg.abs(x * x), 0.0, math.nan),
    "not known, tie":  (lambda x: sg.maximum(x * x, 2.0 * x * x), 0.0, math.nan),
    "not known, -tie": (lambda x: -sg.maximum(x, -x) ** 2, 0.0, math.nan),
    "not known, max":  (lambda x: sg.max([x * x, 2 * x * x, 3 * x * x, x - 1]), 0.0, math.nan),
    "not known, min":  (lambda x: sg.min([x * x, 2 * x * x, x + 1]), 0.0, math.nan),
    "not known, > −1": (lambda x: sg.max([x + x * x, x, -1.0]), 0.0, math.nan),
    "not known, < 1":  (lambda x: sg.min([x + x * x, x, 1.0]), 0.0, math.nan),
    "not known, ≥ 0":  (lambda x: sg.maximum(0.0, x * x), 0.0, math.nan),
    "not known, 1/e":  (lambda x: sg.exp(-sg.hypot(x, 2.0 * x)), 0.0, math.nan),
    "not known, e":    (lambda x: sg.exp(sg.hypot(x, 2.0 * x)), 0.0, math.nan),
    "not known, -inf": (lambda x: sg.arccos(x) ** 2, 1.0, math.nan),
    "not known, root": (lambda x: sg.sqrt(x) ** 2, 0.0, math.nan),
    "-∞, sqrt":        (sg.sqrt, 0.0, math.nan),
    "-∞, log":         (sg.log, 0.0, math.nan),
    "-∞, log1p":       (sg.log1p, -1.0, math.nan),
    "outside, sqrt":   (sg.sqrt, -1.0, math.nan),
    "outside, log2":   (sg.log2, -2.0, math.nan),
    "outside, arctanh": (sg.arctanh, 3.0, math.nan),
}
# fmt: on


def ways(f, x):
    """The second derivative in each way of taking it."""
    yield "grad of grad", grad(grad(f))(x)
    yield "hessian", hessian(f)(x)
    yield "hvp", hvp(f)(x, 1.0)
    yield "jvp of grad", jvp(grad(f))(x, 1.0)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", BESIDE)
def test_beside_a_kink_second_derivatives_are_differences_of_slopes(name, x):
    f, h = FUNCTIONS[name], 1e-5
    wanted = (grad(f)(x + h) - grad(f)(x - h)) / (2.0 * h)
    for way, found in ways(f, x):
        assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6), way


@pytest.mark.parametrize("name", AT_KINKS)
def test_at_a_smoothed_kink_they_are_right_or_nan(name):
    f, x, wanted = AT_KINKS[name]
    for way, found in ways(f, x):
        assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12, nan_ok=True), way


@pytest.mark.parametrize("name", [name for name in AT_KINKS if math.isnan(AT_KINKS[name][2])])
def test_a_slope_of_what_is_not_known_is_not_known(name):
    f, x, _ = AT_KINKS[name]
    assert math.isnan(grad(grad(grad(f)))(x))
    assert math.isnan(jvp(grad(grad(f)))(x, 1.0))
    if name.startswith(("-∞", "outside")):  # compiled, the slope of the table counts at kinks
        for backend in ("python", "numpy"):
            assert math.isnan(compile(grad(grad(f)), backend=backend)(x))
            assert math.isnan(compile(hvp(f), backend=backend)(x, 1.0))


@pytest.mark.parametrize(
    "f", [lambda x: sg.log(x % x), lambda x: sg.log10(x % x), lambda x: sg.sqrt(x - x)]
)
def test_a_rate_is_not_known_if_anything_moves_that_a_slope_is_unknown_by(f):
    of_both = lambda p: f(p[0]) * p[1] ** 2
    for made in (lambda g: g, lambda g: compile(g, backend="python")):
        assert math.isnan(made(hvp(f))(2.0, 1.0))
        assert made(hvp(f))(2.0, 0.0) == 0.0
        assert math.isnan(made(hvp(of_both))([2.0, 3.0], [1.0, 0.0])[0])
        flat, curved = made(hvp(lambda p: f(p[0]) + p[1] ** 2))([2.0, 3.0], [0.0, 1.0])
        assert (flat, curved) == (0.0, 2.0)  # the first does not move


LEFT_OUT = {  # a slope of 0 behind one of inf or nan
    "sqrt times 0": (lambda x: sg.sqrt(x) * 0.0, 0.0),
    "a pole times 0": (lambda x: 0.0 * (1.0 / x), 0.0),
    "outside a domain": (lambda x: sg.arccos(x) * 0.0, 2.0),
    "out of the bounds of clip": (lambda x: sg.clip(sg.sqrt(x), 1.0, 2.0), 0.0),
    "to the power of 0": (lambda x: sg.log(x) ** 0, -1.0),
    "the other branch": (lambda x: sg.where(x > 0.0, sg.sqrt(x), 0.0), -1.0),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_walk_forward_leaves_out_what_a_walk_back_does(name):
    f, x = LEFT_OUT[name]
    assert (grad(f)(x), jvp(f)(x, 1.0)) == (0.0, 0.0)
    for backend in ("python", "numpy"):
        assert compile(jvp(f), backend=backend)(x, 1.0) == 0.0


@pytest.mark.parametrize("f", [sg.sqrt, sg.log, sg.reciprocal, sg.cbrt])
def test_what_does_not_move_has_the_rate_0_beside_an_infinite_slope(f):
    assert jvp(f)(0.0, 0.0) == 0.0
    assert value_and_grad(lambda x: jvp(f)(x, 0.0))(0.0)[0] == 0.0
    assert value_and_grad(lambda v: jvp(f)(0.0, v))(0.0)[0] == 0.0


@pytest.mark.parametrize("name", AT_KINKS)
def test_a_walk_forward_inside_another_derivative_has_the_slope_at_a_kink(name):
    f, x, second = AT_KINKS[name]
    slope, found = value_and_grad(lambda x: jvp(f)(x, 1.0))(x)
    assert found == pytest.approx(second, rel=1e-12, abs=1e-12, nan_ok=True)
    if not math.isnan(second):
        assert slope == grad(f)(x)


def test_what_several_results_do_not_read_has_the_slope_0():
    assert jacobian(lambda p: [p[0], 2.0 * p[0]])([1.0, 2.0]) == [[1.0, 0.0], [2.0, 0.0]]


def test_slopes_of_a_traced_root_are_constants_unless_they_are_recorded():
    def loss(x, create_graph):
        v = x * 1.0
        (slope,) = gradients(v**3, [v], create_graph=create_graph)
        return slope * x

    for create_graph, wanted in ((False, 12.0), (True, 36.0)):
        f = compile(lambda x, record=create_graph: loss(x, record), backend="python")
        assert f.value_and_grad(2.0) == (24.0, wanted)


def test_slopes_are_added_up_in_the_order_of_backward():
    x = Value(0.1)
    root = sg.sum([x * k for k in (1e16, 1.0, -1e16, 3.0, 0.7)]) + x * 1e-3
    (slope,) = gradients(root, [x])
    root.backward()
    assert slope == x.grad


@pytest.mark.parametrize(
    ("f", "orders", "x", "right"),
    [
        (lambda x: where(x > 0, x * log(x), 0.0), 2, -1.0, 0.0),
        (lambda x: where(x > 0, x * log(x), 0.0), 3, 2.0, -0.25),
        (lambda x: where(x < 0, 0.0, sqrt(x) * exp(x)), 2, -1.0, 0.0),
        (  # a number that two choices by conditions of their own read
            lambda x: twice_chosen(x, 1.0 * x),
            3,
            2.0,
            0.375 * 2.0**-2.5 - 0.25,
        ),
        (lambda x: twice_chosen(x, 1.0 * x), 3, -1.0, 0.0),
        (lambda x: where(x > -2.0, where(x > 0, log(x), x**4), sqrt(x)), 3, -1.0, -24.0),
        (lambda x: ladder(x, 1.0 * x), 2, 0.5, 2.0),
        (lambda x: ladder(x, 1.0 * x), 3, 1.5, 6.0),
        (lambda x: ladder(x, 1.0 * x), 3, 2.5, math.exp(2.5)),
        (lambda x: sg.xlogy(x % 1, x % 1), 3, 0.5, -4.0),
        (arctan, 3, 0.0, -2.0),
        (arctan, 3, 0.5, (6 * 0.25 - 2) / 1.25**3),
        (log, 3, 2.0, 0.25),
        (log, 4, 2.0, -0.375),
        (sqrt, 3, 4.0, 3 / 8 * 4.0**-2.5),
    ],
)
@pytest.mark.parametrize("backend", ["python", "numpy"])
def test_compiled_derivatives_choose_by_where_and_multiply_no_nan_by_0(
    f, orders, x, right, backend
):
    for of in (grad, jvp_along_1):
        before = derived = f
        for _ in range(orders):
            before, derived = derived, of(derived)
        wanted = pytest.approx(right, rel=1e-13, abs=1e-15)
        assert compile(derived, backend=backend)(x) == wanted
        assert compile(before, backend=backend).value_and_grad(x)[1] == wanted


def ladder(x, u):
    return where(x < 0, sqrt(u), where(x < 1, u * u, where(x < 2, u**3, exp(u))))


def twice_chosen(x, u):
    return where(x > 0, sqrt(u), 0.0) + where(x > 0, u * log(u), u * u)


def jvp_along_1(f):
    return lambda x: jvp(f)(x, 1.0)
