"""Derivatives against answers worked by hand, minima that are known, and parameters that the data were made from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import scalargrad as sg
from scalargrad import grad, hessian, hvp, jacobian, jvp, value_and_grad

from .known_answers import PROBLEMS, Array, Problem

problems = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)


def close(got: Any, wanted: Any, rtol: float = 1e-12) -> None:
    """Each entry within rtol of itself, or of a hundredth of the largest where terms cancel."""
    np.testing.assert_allclose(
        np.asarray(got, dtype=float), wanted, rtol=rtol, atol=rtol * 1e-2 * np.max(np.abs(wanted))
    )


def function(problem: Problem) -> Callable[[Any], Any]:
    return lambda p: problem.value(sg, p)


def direction(p: Array) -> list[float]:
    return np.random.default_rng(7).uniform(-1, 1, len(p)).tolist()


# ------------------------------------------------------------------ the answers themselves are checked


@problems
def test_the_formulas_by_hand_are_what_differences_of_40_digits_give(problem):
    h = mpmath.mpf(10) ** -20
    n = len(problem.start)
    for p in problem.points():
        with mpmath.workdps(60):
            here = [mpmath.mpf(float(x)) for x in p]
            bends = np.zeros((len(problem.numbers(p)), n, n))
            for j in range(n):
                close(problem.slopes(p)[:, j], differences(problem, here, (j,), h).astype(float))
                for k in range(n):
                    bends[:, j, k] = differences(problem, here, (j, k), h).astype(float)
        np.testing.assert_allclose(
            problem.curvatures(p), bends, rtol=1e-12, atol=1e-13 * max(1.0, np.max(np.abs(bends)))
        )


def differences(problem: Problem, p: list[Any], by: tuple[int, ...], h: Any) -> Array:
    """The central difference of each residual by the variables named, one after the other: both may be the same."""
    if not by:
        return np.array(problem.residuals(mpmath, p), dtype=object)
    first, *rest = by
    after, before = (
        [x + sign * h if i == first else x for i, x in enumerate(p)] for sign in (1, -1)
    )
    return (
        differences(problem, after, tuple(rest), h) - differences(problem, before, tuple(rest), h)
    ) / (2 * h)


@problems
def test_the_start_and_the_minimum_have_the_values_of_the_article(problem):
    if problem.start_value is not None:
        assert problem.value(sg, problem.start) == pytest.approx(problem.start_value, rel=1e-14)
    if problem.where is not None:
        assert problem.value(sg, problem.where) == pytest.approx(
            problem.minimum, rel=1e-9, abs=1e-12
        )


def test_rosenbrock_at_its_start_has_the_textbook_gradient_and_hessian():
    rosenbrock = PROBLEMS[0]
    assert grad(function(rosenbrock))([-1.2, 1.0]) == pytest.approx([-215.6, -88.0], rel=1e-14)
    H = hessian(function(rosenbrock))([-1.2, 1.0])
    assert H[0] == pytest.approx([1330.0, 480.0], rel=1e-14)
    assert H[1] == pytest.approx([480.0, 200.0], rel=1e-14)


def test_a_formula_that_is_a_tenth_of_a_percent_off_is_not_close():
    p = np.array(PROBLEMS[0].start)
    with pytest.raises(AssertionError):
        close(grad(function(PROBLEMS[0]))(p), 1.001 * PROBLEMS[0].gradient(p))


# ------------------------------------------------------------------ derivatives, each way there is to ask for them


@problems
def test_gradient_is_the_one_by_hand(problem):
    for p in problem.points():
        value, slopes = value_and_grad(function(problem))(p.tolist())
        close(value, float(np.sum(problem.numbers(p) ** 2)))
        close(slopes, problem.gradient(p))


@problems
def test_jacobian_and_jvp_of_the_residuals_are_those_by_hand(problem):
    for p in problem.points():
        J, v = problem.slopes(p), direction(p)
        close(jacobian(lambda p: problem.residuals(sg, p))(p.tolist()), J)
        close(jvp(lambda p: problem.residuals(sg, p))(p.tolist(), v), J @ v)
        close(jvp(function(problem))(p.tolist(), v), problem.gradient(p) @ v)


@problems
def test_hessian_and_hvp_are_those_by_hand(problem):
    for p in problem.points():
        H, v = problem.hessian(p), direction(p)
        close(hessian(function(problem))(p.tolist()), H)
        close(hvp(function(problem))(p.tolist(), v), H @ v)


@problems
def test_gradients_of_gradients_are_the_hessian_however_they_are_nested(problem):
    f = function(problem)
    p = problem.points()[3]
    H, v = problem.hessian(p), direction(p)
    close([grad(lambda p, j=j: grad(f)(p)[j])(p.tolist()) for j in range(len(p))], H)
    close(jacobian(grad(f))(p.tolist()), H)
    close(jvp(grad(f))(p.tolist(), v), H @ v)
    close(grad(lambda p: jvp(f)(p, v))(p.tolist()), H @ v)


@problems
def test_an_array_of_parameters_gives_arrays_of_slopes(problem):
    p = problem.points()[4]
    slopes, H = grad(function(problem))(p), hessian(function(problem))(p)
    assert (type(slopes), slopes.dtype, H.shape) == (np.ndarray, np.float64, (len(p), len(p)))
    assert slopes.tolist() == grad(function(problem))(p.tolist())
    assert H.tolist() == hessian(function(problem))(p.tolist())


# ------------------------------------------------------------------ third derivatives


def truth(
    f: Callable[[Any], Callable[..., Any]], at: tuple[float, ...], orders: tuple[int, ...]
) -> float:
    """The partial derivative of these orders, from differences of 60 digits."""
    with mpmath.workdps(60):
        return float(mpmath.diff(f(mpmath), at, orders))


THIRD = [
    ("exp sin", lambda m: lambda x: m.exp(m.sin(x)), 0.7),
    ("1/(1 + x²)", lambda m: lambda x: 1 / (1 + x * x), -1.3),
    ("log cosh", lambda m: lambda x: m.log(m.cosh(x)), 0.4),
    ("√x tanh x", lambda m: lambda x: m.sqrt(x) * m.tanh(x), 2.5),
    ("x^x", lambda m: lambda x: x**x, 1.8),
    ("erf of a square", lambda m: lambda x: m.erf(x * x), 0.6),
    ("atan exp", lambda m: lambda x: m.atan(m.exp(x)), -0.2),
]


@pytest.mark.parametrize(("f", "x"), [row[1:] for row in THIRD], ids=[row[0] for row in THIRD])
def test_first_to_fourth_derivatives_of_one_number_are_those_of_mpmath(f, x):
    derived = f(sg)
    for order in (1, 2, 3, 4):
        derived = grad(derived)
        assert derived(x) == pytest.approx(truth(f, (x,), (order,)), rel=1e-12)


MIXED = [
    ("exp(xy) sin x", lambda m: lambda x, y: m.exp(x * y) * m.sin(x)),
    ("y^x", lambda m: lambda x, y: y**x),
    ("atan2", lambda m: lambda x, y: m.atan2(y, x * x + y)),
    ("log(x² + y⁴)", lambda m: lambda x, y: m.log(x * x + y**4)),
]


@pytest.mark.parametrize("orders", [(3, 0), (2, 1), (1, 2), (0, 3)])
@pytest.mark.parametrize("f", [row[1] for row in MIXED], ids=[row[0] for row in MIXED])
def test_third_derivatives_of_two_numbers_are_those_of_mpmath_in_any_order(f, orders):
    wanted = truth(f, (0.8, 1.7), orders)
    by = [0] * orders[0] + [1] * orders[1]
    for sequence in (by, by[::-1]):
        derived = f(sg)
        for position in sequence:
            derived = grad(derived, wrt=position)
        assert derived(0.8, 1.7) == pytest.approx(wanted, rel=1e-11)


def test_the_third_derivative_of_rosenbrock_along_a_direction_is_that_of_its_expansion():
    """f = 100 (y - x²)² + (1 - x)²: ∂³f/∂x³ = 2400 x, ∂³f/∂x²∂y = -400, the others 0."""
    x, y, u, v = -1.2, 1.0, 0.3, -0.8
    along = grad(grad(grad(lambda t: function(PROBLEMS[0])([x + t * u, y + t * v]))))
    assert along(0.0) == pytest.approx(2400 * x * u**3 - 3 * 400 * u * u * v, rel=1e-13)


# ------------------------------------------------------------------ minima


@problems
def test_newtons_method_with_these_derivatives_ends_at_the_known_minimum(problem):
    """Scipy's trust region from the standard start; Powell's minimum is singular, and reached slowly."""
    from scipy.optimize import minimize

    f = function(problem)
    found = minimize(
        value_and_grad(f), problem.start, jac=True, hess=hessian(f), method="trust-exact",
        options={"gtol": 1e-10, "maxiter": 200, "max_trust_radius": 1e7},
    )  # fmt: skip
    assert found.fun == pytest.approx(problem.minimum, rel=1e-10, abs=1e-9)
    if problem.where is not None:
        np.testing.assert_allclose(
            found.x,
            problem.where,
            rtol=1e-6,
            atol=1e-2 if problem.name == "Powell singular" else 1e-6,
        )


# ------------------------------------------------------------------ least squares on data made with known parameters

T = np.linspace(0.0, 10.0, 41)
CURVES = [
    # a formula of t and its parameters; those that the data were made with; where the search begins
    (
        "saturation (as Misra's)",
        lambda m, t, a, b: a * (1 - m.exp(-b * t)),
        (2.4, 0.55),
        (1.0, 1.0),
    ),
    (
        "logistic growth",
        lambda m, t, k, r, c: k / (1 + m.exp(-r * (t - c))),
        (9.0, 1.3, 4.2),
        (7.0, 1.0, 5.0),
    ),
    (
        "Gaussian peak",
        lambda m, t, h, c, w, b: h * m.exp(-0.5 * ((t - c) / w) ** 2) + b,
        (3.0, 4.4, 0.9, 0.5),
        (2.0, 4.0, 1.3, 0.0),
    ),
    (
        "two decays",
        lambda m, t, a, k, b, l: a * m.exp(-k * t) + b * m.exp(-l * t),
        (3.0, 1.6, 1.5, 0.22),
        (2.0, 2.0, 1.0, 0.3),
    ),
]
curves = pytest.mark.parametrize(
    ("formula", "true", "start"), [row[1:] for row in CURVES], ids=[row[0] for row in CURVES]
)


def levenberg_marquardt(residuals: Callable[[Any], Any], p: Any, steps: int = 60) -> Array:
    """Least squares by Levenberg and Marquardt, with scalargrad's Jacobian of the residuals."""
    p, damping = np.array(p), 1e-3
    r = np.array(residuals(p.tolist()))
    for _ in range(steps):
        J = np.array(jacobian(residuals)(p.tolist()))
        A = J.T @ J
        trial = p - np.linalg.solve(A + damping * np.diag(np.diag(A)), J.T @ r)
        new = np.array(residuals(trial.tolist()))
        if new @ new < r @ r:
            p, r, damping = trial, new, damping / 10
        else:
            damping *= 10
            if damping > 1e12:
                break
    return p


@curves
def test_parameters_are_recovered_from_data_without_noise(formula, true, start):
    y = formula(np, T, *true).tolist()
    found = levenberg_marquardt(
        lambda p: [formula(sg, t, *p) - c for t, c in zip(T.tolist(), y, strict=True)], start
    )
    np.testing.assert_allclose(found, true, rtol=1e-9)


@curves
def test_parameters_are_recovered_from_noisy_data_as_scipy_recovers_them(formula, true, start):
    from scipy.optimize import curve_fit

    y = formula(np, T, *true) + np.random.default_rng(1981).normal(0.0, 0.05, len(T))
    found = levenberg_marquardt(
        lambda p: [formula(sg, t, *p) - c for t, c in zip(T.tolist(), y.tolist(), strict=True)],
        start,
    )
    theirs, covariance = curve_fit(
        lambda t, *p: formula(np, t, *p),
        T,
        y,
        p0=start,
        sigma=np.full(len(T), 0.05),
        absolute_sigma=True,
    )
    np.testing.assert_allclose(found, theirs, rtol=1e-5)
    assert np.all(np.abs(found - true) < 4 * np.sqrt(np.diag(covariance)))


def test_the_slope_of_a_fit_by_one_observation_is_the_hat_matrix():
    """The fitted height of a straight line at t₀ is linear in the data; differentiate through the normal equations."""

    def fitted_at_first(y: Any) -> Any:
        n, st, stt = len(T), float(sum(T)), float(sum(T * T))
        sy, sty = sg.sum(y), sg.dot(T.tolist(), y)
        slope = (n * sty - st * sy) / (n * stt - st * st)
        return (sy - slope * st) / n + slope * float(T[0])

    X = np.stack([np.ones(len(T)), T], axis=1)
    hat = X @ np.linalg.inv(X.T @ X) @ X.T
    close(grad(fitted_at_first)([math.sin(t) for t in T]), hat[0], rtol=1e-11)
