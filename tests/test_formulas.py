"""fit_formula: against SciPy's curve_fit, certified results of NIST, and the formulas of least squares."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import curve_fit, least_squares

from scalargrad import exp, fit_formula, sin
from scalargrad.formulas.search import CACHE

from . import coverage_of_bands, nist

RNG = np.random.default_rng(5)
T = np.linspace(0.0, 4.0, 40)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + RNG.normal(0.0, 0.05, 40)
SIGMA = RNG.uniform(0.02, 0.2, 40)
START = {"a": 1.0, "k": 0.5, "c": 0.0}


def decay(t, a, k, c):
    return a * exp(-k * t) + c


def in_numpy(t, a, k, c):
    return a * np.exp(-k * t) + c


def slopes(fit, t):
    """By hand: ∂y/∂(a, k, c), a row for each time."""
    a, k, _ = fit.parameters.values()
    return np.stack([np.exp(-k * t), -t * a * np.exp(-k * t), np.ones(len(t))], axis=1)


@pytest.mark.parametrize("name", nist.SETS)
def test_certified_parameters_and_errors_of_nist(name):
    parameters, errors, problem = nist.report(name, "start 2")
    assert parameters >= 7, problem
    # the residuals of Lanczos1 are some 1e-13: rounding of y decides their size
    assert errors >= (3 if name == "Lanczos1" else 5), problem


@pytest.mark.parametrize("backend", ["python", "numpy", "auto"])
@pytest.mark.parametrize("is_absolute", [False, True])
@pytest.mark.parametrize("sigma", [None, 0.3, SIGMA], ids=["none", "one", "each"])
def test_numbers_are_those_of_curve_fit(sigma, is_absolute, backend):
    fit = fit_formula(decay, T, Y, START, sigma, absolute_sigma=is_absolute, backend=backend)
    spread = None if sigma is None else np.broadcast_to(sigma, T.shape)
    p, covariance = curve_fit(
        in_numpy, T, Y, [*START.values()], spread, is_absolute, ftol=1e-14, xtol=1e-14
    )
    np.testing.assert_allclose([*fit.parameters.values()], p, rtol=1e-7)
    if sigma is not None or not is_absolute:
        np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose([*fit.errors.values()], np.sqrt(np.diag(fit.covariance)))
    r = Y - in_numpy(T, *fit.parameters.values())
    np.testing.assert_allclose(fit.residuals, r, rtol=1e-9, atol=1e-12)
    weighted = r / (1.0 if sigma is None else sigma)
    assert fit.degrees_of_freedom == 37
    assert fit.deviation == pytest.approx(np.sqrt(weighted @ weighted / 37))


def test_covariance_correlations_intervals_and_r_squared_by_hand():
    fit = fit_formula(decay, T, Y, START)
    J = slopes(fit, T)
    want = fit.deviation**2 * np.linalg.inv(J.T @ J)
    np.testing.assert_allclose(fit.covariance, want, rtol=1e-9)
    d = np.sqrt(np.diag(want))
    np.testing.assert_allclose(fit.correlations, want / np.outer(d, d), rtol=1e-9)
    times = stats.t.ppf(0.995, 37)
    for (low, high), value, error in zip(
        fit.intervals(0.99).values(), fit.parameters.values(), d, strict=True
    ):
        assert (low, high) == pytest.approx((value - times * error, value + times * error))
    r = fit.residuals
    assert fit.r_squared == pytest.approx(1 - r @ r / np.sum((Y - Y.mean()) ** 2))


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_bands_by_hand(level):
    fit, x = fit_formula(decay, T, Y, START), np.array([0.0, 1.0, 7.0])
    G = slopes(fit, x)
    variance = np.diag(G @ fit.covariance @ G.T)
    times = stats.t.ppf(0.5 + level / 2, 37)
    for kind, more in (("confidence", 0.0), ("prediction", fit.deviation**2)):
        band = fit.band(x, level, kind)
        half = times * np.sqrt(variance + more)
        np.testing.assert_allclose(band.low, fit.predict(x) - half, rtol=1e-9)
        np.testing.assert_allclose(band.high, fit.predict(x) + half, rtol=1e-9)
    known = fit_formula(decay, T, Y, START, SIGMA, absolute_sigma=True)
    G = slopes(known, x)
    half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(np.diag(G @ known.covariance @ G.T) + 0.09)
    np.testing.assert_allclose(
        known.band(x, level, "prediction", sigma=0.3).high, known.predict(x) + half
    )


def test_more_rows_than_a_block_give_the_same_as_curve_fit():
    count = CACHE // 2 + 77
    t = np.linspace(0.0, 4.0, count)
    y = in_numpy(t, 2.5, 1.3, 0.5) + np.random.default_rng(1).normal(0.0, 0.1, count)
    fit = fit_formula(decay, t, y, START, sigma=0.1, backend="numpy")
    p, covariance = curve_fit(in_numpy, t, y, [*START.values()], ftol=1e-14, xtol=1e-14)
    np.testing.assert_allclose([*fit.parameters.values()], p, rtol=1e-9)
    np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-5)


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy", "arctan"])
def test_robust_losses_are_those_of_scipy(loss):
    y = Y.copy()
    y[::9] += 3.0
    fit = fit_formula(decay, T, y, START, loss=loss, loss_scale=0.1)
    want = least_squares(
        lambda p: in_numpy(T, *p) - y, [*START.values()], loss=loss, f_scale=0.1, xtol=1e-14, ftol=1e-14, gtol=1e-14
    ).x  # fmt: skip
    np.testing.assert_allclose([*fit.parameters.values()], want, rtol=1e-5)
    assert fit.r_squared is None
    assert (
        abs(fit.parameters["c"] - 0.5) < 0.1 < fit_formula(decay, T, y, START).parameters["c"] - 0.5
    )


def test_bounds_hold_and_errors_at_one_are_a_sentence():
    inside = fit_formula(decay, T, Y, START, bounds={"k": (0, None), "c": (None, 10)})
    free = fit_formula(decay, T, Y, START)
    np.testing.assert_allclose(
        [*inside.parameters.values()], [*free.parameters.values()], rtol=1e-6
    )
    np.testing.assert_allclose(inside.covariance, free.covariance, rtol=1e-4)
    at = fit_formula(decay, T, Y, START, bounds={"k": (0, 0.7)})
    assert at.parameters["k"] == pytest.approx(0.7)
    assert at.problem.startswith("k lies at a bound")


PROBLEMS = {
    "two that do one thing": (lambda t, a, b: (a + b) * t, T, Y, {"a": 1, "b": 2}, "do not tell 'a', 'b' apart"),
    "one that does nothing": (lambda t, a, b: a * t + 0 * b, T, Y, {"a": 1, "b": 2}, "does not depend on b"),
    "as many rows as parameters": (lambda t, a, b: a * t + b, T[:2], Y[:2], {"a": 1, "b": 2}, "2 rows for 2 parameters leave no degree of freedom"),
    "fewer rows": (lambda t, a, b: a * t + b, T[:1], Y[:1], {"a": 1, "b": 2}, "1 rows for 2 parameters"),
    "squares beyond doubles": (lambda t, a, b: a * t + b, T, 1e200 * Y, {"a": 1e200, "b": 1e200}, "divide x or y by a power of ten"),
    "squares below doubles": (lambda t, a, b: a * t + b, T, 1e-160 * Y, {"a": 1e-160, "b": 1e-160}, "divide x or y by a power of ten"),
    "slopes beyond doubles": (lambda t, a, b: a * t + b, 1e200 * T, Y, {"a": 1e-200, "b": 1}, "divide x or y by a power of ten"),
    "slopes below doubles": (lambda t, a, b: a * t + b, 1e-200 * T, Y, {"a": 1e200, "b": 1}, "divide x or y by a power of ten"),
    "a step that is out of reach": (lambda t, a, b: a + exp(-b * (t + 30)), T, Y, {"a": 1, "b": 50}, "does not depend on b"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROBLEMS.values(), ids=PROBLEMS)
def test_errors_that_cannot_be_estimated_are_a_sentence(case):
    f, x, y, start, sentence = case
    fit = fit_formula(f, x, y, start)
    assert sentence in fit.problem
    assert fit.errors is fit.covariance is fit.correlations is None
    assert f"No standard errors: {fit.problem}." in str(fit)
    for asked in (fit.intervals, lambda: fit.band(x)):
        with pytest.raises(ValueError, match="no errors can be estimated: "):
            asked()
    assert np.isfinite(fit.predict(x)).all()


BAD = {
    "names that the formula lacks": ({"start": {"a": 1, "b": 2}}, ValueError, "start has 'a', 'b', but the formula takes 'a', 'k', 'c'"),
    "a list for a start": ({"start": [1, 2, 3]}, TypeError, 'start must say where each parameter begins, {"a": 1.0}'),
    "a text": ({"start": {**START, "a": "1"}}, TypeError, "a takes a real number, got str"),
    "rows of other numbers": ({"x": T[:9]}, ValueError, "x has 9 rows and y 40"),
    "nan in y": ({"y": [*Y[:39], np.nan]}, ValueError, "row 39 of y is nan"),
    "columns in y": ({"y": np.ones((40, 2))}, ValueError, "y must be a number a row, got 2 columns"),
    "sigma of 0": ({"sigma": 0.0}, ValueError, "sigma must be a number above 0"),
    "sigma of another length": ({"sigma": SIGMA[:3]}, ValueError, "sigma must be a number above 0, or one for each row"),
    "a loss that is none": ({"loss": "hubber"}, ValueError, "did you mean 'huber'?"),
    "a function for a loss": ({"loss": abs}, TypeError, "loss must be 'linear', 'soft_l1', 'huber', 'cauchy', 'arctan', got builtin"),
    "a bound of nobody": ({"bounds": {"z": (0, 1)}}, ValueError, "bounds='z' is none of 'a', 'k', 'c'"),
    "a start outside": ({"bounds": {"k": (1, 2)}}, ValueError, "k begins at 0.5, which is not between its bounds 1 and 2"),
    "a start at which nothing is finite": ({"start": {**START, "k": -1e9}}, ValueError, "the formula is inf in row 1 of x, 0.1025"),
    "no evaluation": ({"max_evaluations": 0}, ValueError, "max_evaluations must be 1 or more, got 0"),
    "a residual of 0 from which on": ({"loss": "huber", "loss_scale": 0}, ValueError, "loss_scale must be above 0"),
    "bounds in lists": ({"bounds": ([0, 0, 0], [1, 1, 1])}, TypeError, 'bounds are pairs by name, {"a": (0, None)}'),
    "bounds in an array": ({"bounds": np.array([[0, 1]])}, TypeError, 'bounds are pairs by name, {"a": (0, None)}, got array'),
    "half a bound": ({"bounds": {"k": 1}}, TypeError, "got 1 for k"),
    "too few evaluations": ({"max_evaluations": 2}, RuntimeError, "the search did not end within 2 evaluations"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_bad_input_says_what_is_wrong(case):
    changed, kind, text = case
    with pytest.raises(kind, match=re.escape(text)):
        fit_formula(**{"f": decay, "x": T, "y": Y, "start": START, **changed})


@pytest.mark.parametrize("start", [{"a": 1, "b": 1}, {"a": 0, "b": 0}, {"a": 3, "b": 1e-3}])
@pytest.mark.parametrize("truth", [(2.0, 0.0), (0.0, 5.0), (0.0, 0.0)])
def test_a_parameter_that_is_0_has_an_error(truth, start):
    for x in (np.arange(4.0), np.linspace(0, 1, 7), np.arange(1, 60) / 7):
        fit = fit_formula(lambda x, a, b: a * x + b, x, truth[0] * x + truth[1], start)
        np.testing.assert_allclose([*fit.parameters.values()], truth, atol=1e-14)
        assert all(0.0 <= error < 1e-13 for error in fit.errors.values())


def test_a_band_refuses_a_sigma_that_is_none():
    fit = fit_formula(decay, T, Y, START)
    for sigma in (0.0, -1.0, np.nan, [0.1, 0.2]):
        with pytest.raises(ValueError, match="sigma must be a number above 0, or one for each row"):
            fit.band(T, kind="prediction", sigma=sigma)
    with pytest.raises(ValueError, match="sigma is that of a new y: write kind='prediction' too"):
        fit.band(T, sigma=0.1)


def test_rows_of_another_length_are_refused():
    pandas = pytest.importorskip("pandas")
    fit = fit_formula(
        decay, T, pandas.DataFrame({"y": Y}), pandas.Series(START), bounds=pandas.Series()
    )
    assert fit.parameters == fit_formula(decay, T, Y, START).parameters
    for ask in (fit.predict, fit.band):
        with pytest.raises(
            ValueError, match="a row of x has 2 numbers, and that of the data had o"
        ):
            ask([[1.0, 2.0]])
    with pytest.raises(TypeError) as caught:
        fit_formula(decay, pandas.DataFrame({"t": T}), Y, START)
    assert caught.value.__notes__ == ["a row of x is a list, of length 1: x[0] is its first number"]


def test_several_inputs_a_data_frame_and_lists():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"u": T, "v": T[::-1] ** 2})
    y = 2.0 * np.sin(T) + 3.0 * frame["v"] + 1.0

    def plane(x, a, b, c):
        return a * sin(x[0]) + b * x[1] + c

    for x in (frame, frame.to_numpy(), frame.to_numpy().tolist()):
        fit = fit_formula(plane, x, y, {"a": 1, "b": 1, "c": 0})
        np.testing.assert_allclose([*fit.parameters.values()], [2, 3, 1], rtol=1e-9)
    assert fit.plot().get_ylabel() == "the formula"


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_columns_that_are_much_alike_keep_their_digits_over_many_rows(backend):
    count = CACHE // 2 + 1
    t = RNG.uniform(0.0, 1.0, count)
    y = 1.0 + 2.0 * t + 3.0 * (t + 1e-6 * np.sin(9.0 * t)) + RNG.normal(0.0, 1e-8, count)
    fit = fit_formula(
        lambda t, a, b, c: a + b * t + c * (t + 1e-6 * sin(9.0 * t)), t, y, {"a": 0, "b": 0, "c": 0},
        backend=backend,
    )  # fmt: skip
    J = np.stack([np.ones(count), t, t + 1e-6 * np.sin(9.0 * t)], axis=1)
    Q, R = np.linalg.qr(J)
    np.testing.assert_allclose([*fit.parameters.values()], np.linalg.solve(R, Q.T @ y), rtol=1e-6)
    inverse = np.linalg.inv(R)
    errors = fit.deviation * np.sqrt((inverse**2).sum(axis=1))
    np.testing.assert_allclose([*fit.errors.values()], errors, rtol=1e-6)


def test_what_a_formula_reads_counts_in_each_fit_and_formulas_are_told_apart():
    for rate in (1.3, 2.6):
        fit = fit_formula(lambda t, a, c: a * exp(-rate * t) + c, T, Y, {"a": 1, "c": 0})  # noqa: B023
        J = np.stack([np.exp(-rate * T), np.ones(40)], axis=1)
        want = np.linalg.lstsq(J, Y, rcond=None)[0]
        np.testing.assert_allclose([*fit.parameters.values()], want, rtol=1e-9)
    for power in (1, 2):
        f = [lambda t, a: a * t, lambda t, a: a * t * t][power - 1]
        fit = fit_formula(f, T, Y, {"a": 1})
        assert fit.parameters["a"] == pytest.approx(Y @ T**power / (T**power @ T**power))


rate_of_module = 1.3


class Rate:
    rate = 1.3

    def __call__(self, t, a):
        return a * exp(-self.rate * t)


def test_what_one_formula_reads_may_change_between_fits(monkeypatch):
    rate, own = 1.3, Rate()

    def by_closure(t, a):
        return a * exp(-rate * t)

    def by_global(t, a):
        return a * exp(-rate_of_module * t)

    for rate in (1.3, 2.6):
        own.rate = rate
        monkeypatch.setitem(globals(), "rate_of_module", rate)
        known = np.exp(-rate * T)
        for f in (by_closure, by_global, own):
            fit = fit_formula(f, T, Y, {"a": 1})
            assert fit.parameters["a"] == pytest.approx(Y @ known / (known @ known))


def test_a_parameter_without_effect_over_many_rows_is_a_sentence():
    t = np.linspace(0.0, 1.0, CACHE)
    fit = fit_formula(lambda t, a, b: a * t, t, 2.0 * t + 1e-3 * np.sin(t), {"a": 1, "b": 2})
    assert fit.problem == "the formula does not depend on b where the search ended"


def test_a_fit_that_was_pickled_when_formulas_were_one_file_is_read():
    fit = fit_formula(decay, T, Y, START)
    data = pickle.dumps(fit, protocol=0)
    for now, earlier in (("result\n", "\n"), ("compiled\n", "\n_")):
        data = data.replace(
            f"scalargrad.formulas.{now}".encode(), f"scalargrad.formulas{earlier}".encode()
        )
    assert b"scalargrad.formulas." not in data
    again = pickle.loads(data)
    assert again.summary() == fit.summary()
    assert again.predict([1.0]).tolist() == fit.predict([1.0]).tolist()


def test_the_plot_shows_data_curve_and_bands():
    ax = fit_formula(decay, T, Y, START).plot()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {*texts} == {"data", "the formula", "95 % confidence band", "95 % prediction band"}


def test_bands_and_intervals_cover_what_they_promise():
    for name, share in coverage_of_bands.shares(count=200, seed=3, sigma=None).items():
        assert 0.90 <= share <= 0.99, name  # 95 %, and three standard errors of 200 sets
