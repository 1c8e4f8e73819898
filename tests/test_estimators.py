"""Estimators by scikit-learn's rules: its own checks, and what people do with estimators."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, make_moons
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler

from scalargrad import MLP, exp, tanh
from scalargrad.estimators import FormulaRegressor, MLPClassifier, MLPRegressor, export
from scalargrad.nn.compiled import Generated

from . import estimator_checks
from .compiler.files import NODE, in_javascript

pytestmark = pytest.mark.filterwarnings("ignore:training did not converge")

X, Y = make_moons(90, noise=0.1, random_state=0)
NAMES = np.array(["no", "yes"])[Y]
THREE = np.digitize(X[:, 0], [0.0, 1.0])
LABELS = np.stack([Y, X[:, 1] > 0.3], axis=1).astype(int)
FAST = {"hidden_layer_sizes": (6,), "learning_rate_init": 0.05, "max_iter": 40, "random_state": 0}


def swish(x):
    return x / (1.0 + exp(-x))


def fourth_power(prediction, target):
    return (prediction - target) ** 4


def test_checks_of_scikit_learn_pass():
    counts, failed = estimator_checks.failures(FormulaRegressor())
    assert counts["passed"] > 40
    assert not failed


@pytest.mark.parametrize(
    ("y", "shape"), [(Y, (90, 2)), (NAMES, (90, 2)), (THREE, (90, 3)), (LABELS, (90, 2))], ids=["numbers", "texts", "three", "labels"]
)  # fmt: skip
def test_classifiers_know_numbers_texts_and_labels(y, shape):
    model = MLPClassifier(**FAST).fit(X, y)
    chances = model.predict_proba(X)
    assert chances.shape == shape
    if y is not LABELS:
        np.testing.assert_allclose(chances.sum(axis=1), 1.0)
        assert (model.classes_[chances.argmax(axis=1)] == model.predict(X)).all()
    else:
        assert ((chances > 0.5) == model.predict(X)).all()
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), chances)
    far = model.predict_log_proba(1e6 * X)  # where chances round to 0 and 1
    assert np.isfinite(far).all()
    assert far.min() < -1e4
    assert model.score(X, y) > 0.8
    assert len(model.loss_curve_) == model.n_iter_ <= 40
    assert model.loss_ == model.loss_curve_[-1] < model.loss_curve_[0]


def test_regressors_know_several_outputs_and_functions():
    y = np.stack([X[:, 0] * X[:, 1], X[:, 0] ** 2], axis=1)
    model = MLPRegressor(**FAST, activation=swish, loss="mae").fit(X, y)
    assert model.predict(X).shape == (90, 2)
    own = MLPRegressor(
        **{**FAST, "hidden_layer_sizes": (6, 4)}, activation=[tanh, "relu"], loss=fourth_power
    )
    assert own.fit(X, y[:, 0]).predict(X).shape == (90,)
    assert [layer.activation for layer in own.model_.layers] == [tanh, "relu", None]


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_clone_pickle_and_a_seed_give_the_same(kind):
    model = kind(**FAST, activation=swish).fit(X, Y)
    again = clone(model).fit(X, Y)
    copied = pickle.loads(pickle.dumps(model))
    assert (again.predict(X) == model.predict(X)).all()
    assert (copied.predict(X) == model.predict(X)).all()
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


def test_partial_fit_and_warm_start_go_on():
    a = MLPClassifier(**FAST)
    with pytest.raises(ValueError, match="classes must be given in the first call"):
        a.partial_fit(X, NAMES)
    for i in range(3):
        a.partial_fit(X[i::3], NAMES[i::3], classes=["yes", "no"])
    assert a.n_iter_ == 3
    with pytest.raises(ValueError, match=r"classes that were not there before: \['maybe'\]"):
        a.partial_fit(X[:1], ["maybe"])
    with pytest.raises(
        ValueError, match=r"classes are not those of the first call, \['no', 'yes'\]"
    ):
        a.partial_fit(X, NAMES, classes=["no", "yes", "maybe"])
    with pytest.raises(ValueError, match=r"classes that were not in classes: \['yes'\]"):
        MLPClassifier(**FAST).partial_fit(X, NAMES, classes=["no", "maybe"])
    b = MLPClassifier(**FAST, warm_start=True).fit(X, Y)
    first = b.loss_
    assert b.fit(X, Y).loss_ < first
    assert b.n_iter_ > 40
    # a rate that changed counts, and another network cannot go on
    before = b.predict_proba(X)
    assert (b.set_params(learning_rate_init=0.0).fit(X, Y).predict_proba(X) == before).all()
    with pytest.raises(ValueError, match="goes on with the network that is there, MLP"):
        b.set_params(hidden_layer_sizes=(7,)).fit(X, Y)


def test_labels_come_in_parts_too():
    model = MLPClassifier(**FAST)
    for _ in range(40):
        model.partial_fit(X, LABELS, classes=[0, 1])
    assert (model.predict(X) == LABELS).mean() > 0.9
    with pytest.raises(ValueError, match="y has 3 labels, and had 2 before"):
        model.partial_fit(X, np.hstack([LABELS, LABELS[:, :1]]))


ARGUMENTS = [
    ({"alpha": -1}, "alpha must be 0 or more, and finite, got -1"),
    ({"tol": np.nan}, "tol must be 0 or more"),
    ({"validation_fraction": 1}, "validation_fraction must be between 0 and 1, got 1"),
    ({"validation_fraction": 0}, "validation_fraction must be between 0 and 1, got 0"),
    ({"alpha": "a"}, "alpha takes a real number, got str"),
    ({"batch_size": 0}, "batch_size must be 1 or more, got 0"),
    ({"batch_size": "all"}, "batch_size must be a whole number, got str 'all'"),
    ({"n_iter_no_change": 0}, "n_iter_no_change must be 1 or more, got 0"),
    ({"max_iter": 2.5}, "max_iter must be a whole number, got float 2.5"),
    ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes\[1\] must be 1 or more, got 0"),
]


@pytest.mark.parametrize(("wrong", "told"), ARGUMENTS)
def test_a_wrong_argument_is_named(wrong, told):
    for train in (MLPRegressor(**{**FAST, **wrong}).fit, MLPClassifier(**{**FAST, **wrong}).fit):
        with pytest.raises((TypeError, ValueError), match=told):
            train(X, Y)


def test_a_search_that_did_not_converge_warns():
    theirs = {"activation": "logistic", "hidden_layer_sizes": (3,), "random_state": 0}
    for epochs in (1, 3):
        short = MLPClassifier(**theirs, max_iter=epochs)
        with pytest.warns(ConvergenceWarning, match=f"converge within max_iter={epochs} epochs"):
            short.fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ended = MLPClassifier(**theirs, tol=0.5).fit(X, Y)
        MLPClassifier(**theirs).partial_fit(X, Y, classes=[0, 1])
        patient = {"early_stopping": True, "learning_rate_init": 0.0}
        stopped = MLPRegressor(**theirs, **patient, n_iter_no_change=2).fit(X, Y)
    assert ended.n_iter_ == 12
    assert stopped.n_iter_ == 3
    assert ended.model_.activation == "sigmoid"
    assert MLPRegressor(**{**theirs, "activation": "identity"}, tol=9).fit(X, Y).n_iter_ == 12
    never = MLPRegressor(**theirs, **patient, max_iter=9, n_iter_no_change=np.inf)
    with pytest.warns(ConvergenceWarning, match="max_iter=9"):
        never.fit(X, Y)


def test_partial_fit_keeps_its_code_as_long_as_the_rows_are_as_many(monkeypatch):
    built, build = [], Generated._build

    def counted(self, draws):
        built.append(len(self.table[0]))
        build(self, draws)

    monkeypatch.setattr(Generated, "_build", counted)
    ours = [MLPClassifier(**FAST, engine=engine) for engine in ("auto", "eager")]
    for rows in [*(slice(i, None, 6) for i in range(6)), slice(0, 40), slice(40, 80)]:
        for model in ours:
            model.partial_fit(X[rows], NAMES[rows], classes=["yes", "no"])
    assert built == [15, 40]
    np.testing.assert_allclose(*[model.predict_proba(X) for model in ours], rtol=1e-9)
    assert ours[0].loss_curve_ == pytest.approx(ours[1].loss_curve_, rel=1e-9)
    twin = pickle.loads(pickle.dumps(ours[0]))
    twin.partial_fit(X[:40], NAMES[:40])
    np.testing.assert_allclose(
        *[model.partial_fit(X[:40], NAMES[:40]).predict_proba(X) for model in ours], rtol=1e-9
    )
    np.testing.assert_allclose(*[model.predict_proba(X) for model in (ours[1], twin)], rtol=1e-9)


def own_tanh(x):
    return tanh(x)


@pytest.mark.parametrize(
    ("given", "most"), [({}, 0), ({"activation": own_tanh}, 1), ({"shuffle": False}, 1)]
)
def test_code_that_the_next_part_cannot_use_is_not_made_again_and_again(given, most, monkeypatch):
    built, build = [], Generated._build
    monkeypatch.setattr(
        Generated, "_build", lambda self, draws: (built.append(1), build(self, draws))
    )
    model = MLPClassifier(**{**FAST, **given})
    for i in range(8):  # as many rows in each part, or other ones
        model.partial_fit(X[i : i + (9 if given else 9 + i)], Y[: 9 if given else 9 + i], [0, 1])
    assert len(built) == most


def test_early_stopping_brings_the_best_weights_back():
    model = MLPRegressor(**{**FAST, "max_iter": 300}, early_stopping=True, n_iter_no_change=5).fit(
        X, X[:, 0] * X[:, 1]
    )
    curve = model.validation_loss_curve_
    assert len(curve) == model.n_iter_ < 300
    assert int(np.argmin(curve)) == len(curve) - 6


def test_lbfgs_searches_over_all_rows_to_an_end_of_its_own():
    options = FAST | {"solver": "lbfgs", "max_iter": 300, "learning_rate_init": 0.001}
    model = MLPClassifier(**options, activation="tanh").fit(X, NAMES)
    assert model.score(X, NAMES) > 0.85
    assert model.n_iter_ == len(model.loss_curve_) < 300
    assert model.loss_curve_ == sorted(model.loss_curve_, reverse=True)
    again = MLPRegressor(**options, early_stopping=True).fit(X, X[:, 0] * X[:, 1])
    assert len(again.validation_loss_curve_) == again.n_iter_
    with pytest.raises(ValueError, match="L-BFGS needs all: take solver='adam', or fit"):
        model.partial_fit(X, NAMES)


def test_sample_weight_of_3_is_three_rows():
    weights = np.arange(90) % 4
    a = MLPRegressor(**{**FAST, "max_iter": 5}).fit(X, X[:, 1], sample_weight=weights)
    b = MLPRegressor(**{**FAST, "max_iter": 5}).fit(
        X.repeat(weights, axis=0), X[:, 1].repeat(weights)
    )
    np.testing.assert_allclose(a.predict(X), b.predict(X), rtol=1e-9)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor, FormulaRegressor])
@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_a_weight_that_is_none_is_refused(kind, wrong):
    weights = np.where(np.arange(90) == 7, wrong, 1.0)
    with pytest.raises(
        ValueError, match=f"sample_weight must be 0 or more, and finite, got {wrong}"
    ):
        kind().fit(X, Y, sample_weight=weights)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("early", [False, True])
def test_a_weight_of_0_is_a_row_that_is_not_there(kind, early):
    weights = np.where(np.arange(90) % 3, 1.0, 0.0)
    model = kind(**FAST, early_stopping=early)
    a = clone(model).fit(X, Y, sample_weight=weights)
    b = clone(model).fit(X[weights > 0], Y[weights > 0])
    assert a.validation_loss_curve_ == pytest.approx(b.validation_loss_curve_, rel=1e-12)
    np.testing.assert_allclose(a.model_.state()["W1"], b.model_.state()["W1"], rtol=1e-9)


def test_grid_search_pipeline_and_data_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["height", "weight"])
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), MLPClassifier(**FAST))
    grid = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 10.0]}, cv=2, n_jobs=1)
    grid.fit(frame, NAMES)
    assert grid.best_params_ == {"mlpclassifier__alpha": 1e-4}
    assert [*grid.best_estimator_[-1].feature_names_in_] == ["height", "weight"]


def test_a_search_runs_on_dask(dask_client):
    import joblib

    grid = GridSearchCV(MLPClassifier(**FAST), {"alpha": [1e-4, 10.0]}, cv=2, n_jobs=2)
    alone = clone(grid).set_params(n_jobs=1).fit(X, NAMES)
    with joblib.parallel_config(backend="dask"):
        grid.fit(X, NAMES)
    scores = grid.cv_results_["mean_test_score"]
    assert scores == pytest.approx(alone.cv_results_["mean_test_score"], abs=1e-12)
    assert grid.best_params_ == {"alpha": 1e-4}
    assert (grid.predict(X) == alone.predict(X)).all()


# ------------------------------------------------------------------ formulas


def test_a_formula_as_an_estimator():
    t = np.linspace(0, 3, 30)[:, None]
    y = 2.0 * np.exp(-0.7 * t.ravel())
    model = FormulaRegressor(lambda x, a, k: a * exp(-k * x[0]), {"a": 1.0, "k": 0.1}).fit(t, y)
    assert model.parameters_ == pytest.approx({"a": 2.0, "k": 0.7})
    np.testing.assert_allclose(model.predict(t), y)
    assert model.score(t, y) == pytest.approx(1.0)


def test_an_estimator_that_was_pickled_when_estimators_were_one_file_is_read():
    t = np.arange(4.0)[:, None]
    model = FormulaRegressor().fit(t, [1.0, 3.0, 5.0, 7.5])
    data = pickle.dumps(model, protocol=0)
    for now, earlier in (("formula\nplane", "\n_plane"), ("formula\n", "\n")):
        data = data.replace(
            f"scalargrad.estimators.{now}".encode(), f"scalargrad.estimators{earlier}".encode()
        )
    assert b"scalargrad.estimators." not in data
    assert pickle.loads(data).predict(t).tolist() == model.predict(t).tolist()


# ------------------------------------------------------------------ export


def python_file(path):
    names: dict[str, object] = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    return names["predict"]


CASES = {
    "two classes": (MLPClassifier, Y), "three classes": (MLPClassifier, THREE),
    "labels": (MLPClassifier, LABELS), "a number": (MLPRegressor, X[:, 0] * X[:, 1]),
    "two numbers": (MLPRegressor, X**2),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("scaler", [None, StandardScaler(), MinMaxScaler((-1, 1)), StandardScaler(with_mean=False)], ids=["none", "standard", "min-max", "no mean"])  # fmt: skip
def test_an_exported_pipeline_predicts_the_same(case, scaler, tmp_path):
    kind, y = case
    network = kind(**{**FAST, "max_iter": 5}, activation="tanh")
    fitted = (make_pipeline(scaler, network) if scaler else network).fit(3.0 * X + 1.0, y)
    export(fitted, tmp_path / "net.py")
    predict = python_file(tmp_path / "net.py")
    rows = 3.0 * X[:7] + 1.0
    got = np.array([np.ravel(predict(row.tolist())) for row in rows])
    if kind is MLPRegressor:
        want = fitted.predict(rows).reshape(7, -1)
    else:
        want = fitted.predict_proba(rows)
        want = want[:, 1:] if y is Y else want
    np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-13)


@pytest.mark.skipif(not NODE, reason="node is not installed")
def test_an_exported_classifier_in_javascript(tmp_path):
    fitted = make_pipeline(StandardScaler(), MLPClassifier(**{**FAST, "max_iter": 5})).fit(X, THREE)
    export(fitted, tmp_path / "net.mjs")
    assert "stand for the classes 0 0, 1 1," in (tmp_path / "net.mjs").read_text()
    (got,) = in_javascript(tmp_path, [(tmp_path / "net.mjs", "predict", [X[0].tolist()])])
    np.testing.assert_allclose(got, fitted.predict_proba(X[:1])[0], rtol=1e-11)


def test_a_file_says_which_class_its_output_speaks_for(tmp_path):
    export(MLPClassifier(**{**FAST, "max_iter": 2}).fit(X, NAMES), tmp_path / "net.py")
    told = " ".join((tmp_path / "net.py").read_text().split())
    assert "The greater the output, the likelier the class yes, not no." in told


def test_other_steps_are_refused_by_name(tmp_path):
    for step, name in (
        (PolynomialFeatures(2), "PolynomialFeatures"),
        (MinMaxScaler(clip=True), "MinMaxScaler with clip=True"),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = make_pipeline(step, MLPRegressor(**{**FAST, "max_iter": 2})).fit(X, Y)
        with pytest.raises(TypeError, match=f"not {name}: transform the inputs before"):
            export(fitted, tmp_path / "net.c")
    own = type("StandardScaler", (StandardScaler,), {"transform": lambda self, X: 2.0 * X})
    for step in (own(), make_pipeline(StandardScaler())):
        fitted = make_pipeline(step, MLPRegressor(**{**FAST, "max_iter": 2})).fit(X, Y)
        with pytest.raises(TypeError, match=f"not {type(step).__name__}: transform the inputs"):
            export(fitted, tmp_path / "net.c")
    with pytest.raises(TypeError, match=r"got sklearn\..*\.StandardScaler"):
        export(StandardScaler().fit(X), tmp_path / "net.c")
    assert not [*tmp_path.iterdir()]


def test_steps_that_change_nothing_are_passed_over(tmp_path):
    network = MLPRegressor(**FAST).fit(X, Y)
    export(
        make_pipeline("passthrough", StandardScaler(), None, network).fit(X, Y), tmp_path / "a.py"
    )
    export(make_pipeline(StandardScaler(), network).fit(X, Y), tmp_path / "b.py")
    assert (tmp_path / "a.py").read_bytes() == (tmp_path / "b.py").read_bytes()
    with pytest.raises(TypeError, match="this package's own have theirs as model_"):
        MLP.from_sklearn(network)


def test_digits_are_learnt_as_well_as_by_scikit_learns_network():
    from sklearn.neural_network import MLPClassifier as Theirs

    images, labels = load_digits(return_X_y=True)
    data = images[:400] / 16.0, labels[:400]
    ours = MLPClassifier((20,), max_iter=40, learning_rate_init=0.01, random_state=0).fit(*data)
    theirs = Theirs((20,), max_iter=40, learning_rate_init=0.01, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has not converged
        theirs.fit(*data)
    rest = images[400:900] / 16.0, labels[400:900]
    assert ours.score(*rest) >= theirs.score(*rest) - 0.05  # the benchmark has the whole set
