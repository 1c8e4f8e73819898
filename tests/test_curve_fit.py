"""The demo that fits a curve finds what the data were made from, and says how sure it is as the formulas by hand do."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from demos import curve_fit

TRUE = np.array([*curve_fit.TRUE.values()])


@pytest.fixture(scope="module", params=[0, 7])
def data(request):
    return curve_fit.seen(60, request.param)


@pytest.fixture(scope="module")
def fit(data):
    return curve_fit.Fit(*data)


def slopes_by_hand(p, t):
    """∂y/∂(a, k, w, p) of a exp(-k t) cos(w t + p), a row for each time."""
    a, k, w, phase = p
    e, c, s = np.exp(-k * t), np.cos(w * t + phase), np.sin(w * t + phase)
    return np.stack([e * c, -t * a * e * c, -t * a * e * s, -a * e * s], axis=1)


def curvatures_by_hand(p, t):
    """The second derivatives of the same, a 4 × 4 matrix for each time."""
    a, k, w, phase = p
    e = np.exp(-k * t)
    c, s = e * np.cos(w * t + phase), e * np.sin(w * t + phase)
    rows = [
        [0 * t, -t * c, -t * s, -s],
        [-t * c, t * t * a * c, t * t * a * s, t * a * s],
        [-t * s, t * t * a * s, -t * t * a * c, -t * a * c],
        [-s, t * a * s, -t * a * c, -a * c],
    ]
    return np.array(rows).transpose(2, 0, 1)


def test_parameters_are_found_within_three_standard_errors(fit):
    assert fit.is_minimum
    assert np.all(np.abs(fit.parameters - TRUE) < 3 * np.array(fit.errors))


def test_the_minimum_and_its_errors_are_those_of_scipys_own_least_squares(data, fit):
    from scipy.optimize import curve_fit as scipys

    def formula(t, a, k, w, phase):
        return a * np.exp(-k * t) * np.cos(w * t + phase)

    p, covariance = scipys(
        formula, *map(np.array, data), p0=curve_fit.FIRST_GUESS, ftol=1e-14, xtol=1e-14
    )
    np.testing.assert_allclose(fit.parameters, p, rtol=1e-6)
    np.testing.assert_allclose(
        fit.errors, np.sqrt(np.diag(covariance)), rtol=0.1
    )  # scipy leaves the curvature out


def test_standard_errors_are_those_of_the_formula_with_the_jacobian(data, fit):
    """s² (JᵀJ)⁻¹ leaves out Σ r ∇²r, which is small beside it; with that term the two agree to the last digits."""
    t, y = map(np.array, data)
    a, k, w, phase = fit.parameters
    r = a * np.exp(-k * t) * np.cos(w * t + phase) - y
    J = slopes_by_hand(fit.parameters, t)
    variance = r @ r / (len(t) - 4)
    assert fit.noise == pytest.approx(np.sqrt(variance), rel=1e-12)
    without = variance * np.linalg.inv(J.T @ J)
    whole = variance * np.linalg.inv(
        J.T @ J + np.tensordot(r, curvatures_by_hand(fit.parameters, t), axes=1)
    )
    np.testing.assert_allclose(fit.errors, np.sqrt(np.diag(without)), rtol=0.1)
    np.testing.assert_allclose(fit.covariance, whole, rtol=1e-9, atol=1e-15)


def test_without_noise_the_errors_vanish_and_both_formulas_agree():
    t = np.linspace(0, 10, 30)
    fit = curve_fit.Fit(t.tolist(), [curve_fit.swing(TRUE, x) for x in t.tolist()])
    np.testing.assert_allclose(fit.parameters, TRUE, rtol=1e-7)
    assert max(fit.errors) < 1e-7


def test_the_band_is_the_error_of_the_curve(fit):
    for t in (0.0, 1.3, 9.0):
        y, error = fit.height(t)
        g = slopes_by_hand(fit.parameters, np.array([t]))[0]
        assert y == pytest.approx(curve_fit.swing(fit.parameters, t), rel=1e-15)
        assert error == pytest.approx(np.sqrt(g @ fit.covariance @ g), rel=1e-12)


def test_the_demo_prints_true_and_found_side_by_side_and_writes_the_plot(tmp_path, capsys):
    curve_fit.main(["--out", str(tmp_path / "new")])
    text = capsys.readouterr().out
    table = re.findall(
        r"^([akwp]) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+) of them$", text, re.MULTILINE
    )
    assert [row[0] for row in table] == [*curve_fit.TRUE]
    for _, true, found, error, off in table:
        assert abs(float(found) - float(true)) < 3 * float(error)
        assert float(off) < 3
    assert re.search(r"^a minimum after \d+ steps", text, re.MULTILINE)
    (path,) = re.findall(r"^fit +(\S+)$", text, re.MULTILINE)
    drawn = Path(path).read_text()
    assert "standard errors" in drawn
    assert drawn.count("<use") >= 60  # the points, and the ticks of the axes


def test_without_matplotlib_the_plot_is_left_out_and_all_else_done(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    curve_fit.main(["--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "of them" in text
    assert re.search(
        r"^fit +not drawn: it takes matplotlib \(the extra `plot`\)$", text, re.MULTILINE
    )
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("missing", "options", "message"),
    [
        (
            "scipy.optimize",
            [],
            "scipy's, which is not installed: it comes with scikit-learn (the extra `sklearn`)",
        ),
        (
            None,
            ["--epochs", "2"],
            "no minimum was found in 2 steps: allow more of them with --epochs",
        ),
        (None, ["--points", "4"], "4 points are too few for four parameters, expected 5 or more"),
    ],
)
def test_what_is_missing_ends_with_an_error_that_says_what_to_do(
    missing, options, message, tmp_path, capsys, monkeypatch
):
    if missing:
        monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit) as ended:
        curve_fit.main(["--out", str(tmp_path), *options])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
