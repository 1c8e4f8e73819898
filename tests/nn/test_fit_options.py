"""fit as people expect it: metrics, patience with the best weights, weights of rows; on both engines."""

from __future__ import annotations

import math
import random
import re
from contextlib import nullcontext

import numpy as np
import pytest

from scalargrad import Value
from scalargrad.compiler import backends
from scalargrad.nn import MLP, SGD, Neuron, clip_norm, l2
from scalargrad.nn.watching import Watch

RNG = random.Random(4)
X = [[RNG.uniform(-1, 1), RNG.uniform(-1, 1)] for _ in range(24)]
Y = [x * y for x, y in X]
CLASSES = [int(x > 0) + int(y > 0) for x, y in X]
WEIGHTS = [RNG.choice([0, 1, 2, 3]) for _ in X]
ENGINES = ("eager", "compiled")


def repeated(rows):
    return [row for row, weight in zip(rows, WEIGHTS, strict=True) for _ in range(weight)]


def net(outputs=1):
    return MLP(2, [4, outputs], activation="tanh", seed=3)


def numbers(model):
    return [p.data for p in model.parameters()]


# ------------------------------------------------------------------ weights of rows


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("loss", "y", "outputs"),
    [
        ("mse", Y, 1),
        ("squared_error", [[a, -a] for a in Y], 2),
        ("cross_entropy", CLASSES, 3),
        ("cross_entropy", np.eye(3)[CLASSES], 3),
        (lambda p, t: (p - t) ** 4, Y, 1),
    ],
    ids=["a number", "several", "classes", "one-hot", "a function"],
)
def test_a_row_of_weight_3_is_three_rows(engine, reduction, loss, y, outputs):
    common = {
        "loss": loss,
        "optimizer": "adam",
        "lr": 0.02,
        "epochs": 6,
        "reduction": reduction,
        "engine": engine,
    }
    weighted, twin = net(outputs), net(outputs)
    ours = weighted.fit(X, y, sample_weight=WEIGHTS, **common)
    theirs = twin.fit(repeated(X), repeated(list(y)), **common)
    np.testing.assert_allclose(numbers(weighted), numbers(twin), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_only_ratios_of_weights_matter_for_a_mean_and_validation_has_none(engine):
    curves = []
    for scale in (1.0, 7.0):
        model = net()
        history = model.fit(
            X, Y, lr=0.1, epochs=4, batch_size=5, validation=(X[:6], Y[:6]), engine=engine,
            sample_weight=np.array([scale * w for w in WEIGHTS]),
        )  # fmt: skip
        expected = np.mean([(model(x).data - y) ** 2 for x, y in zip(X[:6], Y[:6], strict=True)])
        assert history.validation_loss[-1] == pytest.approx(expected, rel=1e-12)
        curves.append([*history.loss, *numbers(model)])
    np.testing.assert_allclose(*curves, rtol=1e-12)


# ------------------------------------------------------------------ the length of the gradient

SLOPES = np.array([[2.0, 1.0], [-1.0, 3.0]])  # of a line through these rows, in NumPy's formulas
HEIGHTS = np.array([1.0, -4.0])


@pytest.mark.parametrize(
    ("engine", "backend"),
    [("eager", "auto"), ("compiled", "python"), ("compiled", "numpy"), ("compiled", "native")],
)
@pytest.mark.parametrize("epochs", [3, 1200])  # a few steps, and a loop of many
def test_a_gradient_that_is_too_long_is_shortened(engine, backend, epochs):
    if not backends.is_installed(backend):
        pytest.skip("no C compiler here")
    line = Neuron(2, activation=None, init="zeros")
    history = line.fit(
        SLOPES, HEIGHTS, lr=0.01, epochs=epochs, clip_norm=0.5, engine=engine, backend=backend,
        penalty=lambda model: 0.1 * l2(model),
    )  # fmt: skip
    p, losses = np.zeros(3), []
    for _ in range(epochs):
        off = SLOPES @ p[:2] + p[2] - HEIGHTS
        losses.append(np.mean(off**2) + 0.1 * p @ p)
        g = np.array([*(SLOPES.T @ off), off.sum()]) + 0.2 * p
        p -= 0.01 * g * min(1.0, 0.5 / np.linalg.norm(g))
    np.testing.assert_allclose(numbers(line), p, rtol=1e-10)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-10)


def test_by_hand_it_is_a_function_between_backward_and_step():
    a, b = Value(0.0, "a"), Value(0.0, "b")
    (3 * a - 4 * b).backward()
    assert clip_norm([a, b], 10.0) == 5.0
    assert (a.grad, b.grad) == (3.0, -4.0)
    assert clip_norm([a, b], 0.5) == 5.0
    assert (a.grad, b.grad) == pytest.approx((0.3, -0.4), rel=1e-15)
    a.grad, b.grad = math.nan, 1.0
    assert math.isnan(clip_norm([a, b], 0.5))
    assert b.grad == 1.0
    with pytest.raises(FloatingPointError, match="the gradient of a is nan"):
        SGD([a, b]).step()
    a.grad = 1e200
    assert clip_norm([a, b], 1.0) == 1e200
    assert a.grad == 1.0
    with pytest.raises(ValueError, match="most must be above 0, got 0"):
        clip_norm([a], 0.0)


# ------------------------------------------------------------------ metrics


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("loss", "y", "outputs", "hits"),
    [
        ("binary_cross_entropy_with_logits", [int(a > 0) for a in Y], 1, lambda p, t: (p > 0) == t),
        ("mse", [int(a > 0) for a in Y], 1, lambda p, t: (p > 0.5) == t),
        ("hinge", [1 if a > 0 else -1 for a in Y], 1, lambda p, t: (p > 0) == (t > 0)),
        ("cross_entropy", CLASSES, 3, lambda p, t: int(np.argmax(p)) == t),
        ("cross_entropy", np.eye(3)[CLASSES], 3, lambda p, t: np.argmax(p) == np.argmax(t)),
    ],
    ids=["logits", "0 and 1", "-1 and 1", "classes", "one-hot"],
)
def test_accuracy_is_the_share_of_hits(engine, loss, y, outputs, hits):
    model = net(outputs)
    history = model.fit(X, y, loss=loss, lr=0.1, epochs=3, metrics="accuracy", engine=engine)
    want = np.mean([hits(p, t) for p, t in zip(model.predict(X), y, strict=True)])
    assert len(history.metrics["accuracy"]) == 3
    assert history.metrics["accuracy"][-1] == want


def test_metrics_are_of_the_validation_rows_if_there_are_any():
    def worst(predictions, targets):
        return max(abs(p - t) for p, t in zip(predictions, targets, strict=True))

    model = net()
    history = model.fit(
        X[6:], Y[6:], lr=0.1, epochs=2, validation=(X[:6], Y[:6]), metrics=["mae", worst]
    )
    off = np.abs(np.array(model.predict(X[:6])) - Y[:6])
    assert history.metrics["mae"][-1] == pytest.approx(off.mean())
    assert history.metrics["worst"][-1] == pytest.approx(off.max())
    assert re.search(r"mae=0\.\d+, worst=0\.\d+", repr(history))


# ------------------------------------------------------------------ patience


def overfitting(engine, patience):
    """A run whose validation loss first falls, then rises; with the weights after each epoch."""
    model, kept = net(), []

    def keep(epoch, history, model):
        kept.append(numbers(model))

    history = model.fit(
        X[:6], Y[:6], optimizer="adam", lr=0.05, epochs=400, validation=(X[6:], Y[6:]),
        patience=patience, engine=engine, callback=keep,
    )  # fmt: skip
    return model, history, kept


@pytest.mark.parametrize("engine", ENGINES)
def test_training_ends_after_so_many_epochs_without_a_better_loss(engine):
    model, history, kept = overfitting(engine, patience=5)
    best = int(np.argmin(history.validation_loss))
    assert 0 < best == history.best_epoch
    assert len(history.loss) == best + 6 < 400
    assert numbers(model) == kept[best]


def test_the_best_weights_come_back_whatever_ended_training():
    def ended_by(what):
        """A callback that ends training in epoch 250, and keeps weights and losses of all before."""

        def callback(epoch, history, model):
            kept.append((history.validation_loss[-1], numbers(model)))
            if epoch == 250:
                raise what
            return False

        return callback

    for what in (KeyboardInterrupt(), RuntimeError("the callback failed")):
        model, kept = net(), []
        with nullcontext() if isinstance(what, KeyboardInterrupt) else pytest.raises(RuntimeError):
            model.fit(
                X[:6], Y[:6], optimizer="adam", lr=0.05, epochs=300, validation=(X[6:], Y[6:]),
                patience=1000, engine="eager", callback=ended_by(what),
            )  # fmt: skip
        best = min(range(len(kept)), key=lambda epoch: kept[epoch][0])
        assert numbers(model) == kept[best][1] != kept[-1][1]


def test_the_plot_shows_validation_metrics_and_the_best_epoch():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    history = net().fit(
        X[6:], Y[6:], lr=0.1, epochs=4, validation=(X[:6], Y[:6]), metrics="mae", patience=3
    )
    ax = history.plot(Figure().subplots())
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["training", "validation", "best epoch", "mae"]
    assert [one.get_ylabel() for one in ax.figure.axes] == ["loss", "mae"]


# ------------------------------------------------------------------ what is wrong

WRONG = {
    "a metric that is none": ({"metrics": "acuracy"}, ValueError, "metrics='acuracy' is none of 'accuracy', 'squared_error'"),
    "two metrics of one name": ({"metrics": ["mse", lambda p, t: 1.0, lambda p, t: 2.0]}, ValueError, "two metrics are named '<lambda>'"),
    "a number for a metric": ({"metrics": 3}, TypeError, "metrics must be a name, a function of (predictions, targets), or a list"),
    "a metric that gives a text": ({"metrics": lambda p, t: "good"}, TypeError, "the metric <lambda> takes a real number"),
    "a gradient of length 0": ({"clip_norm": 0.0}, ValueError, "clip_norm must be above 0, and finite, got 0.0"),
    "no length": ({"clip_norm": "1"}, TypeError, "clip_norm"),
    "patience without validation": ({"patience": 3}, ValueError, "give validation=(X, y)"),
    "no patience": ({"patience": 0, "validation": (X, Y)}, ValueError, "patience must be 1 or more, got 0"),
    "too few weights": ({"sample_weight": [1.0]}, ValueError, "sample_weight has 1 numbers, and X has 24 rows"),
    "one weight": ({"sample_weight": 1.0}, TypeError, "sample_weight must have a number for each row, got float"),
    "a weight below 0": ({"sample_weight": [-1.0] + [1.0] * 23}, ValueError, "sample_weight must be numbers from 0, some of them above, got -1.0 in it"),
    "a weight that is nan": ({"sample_weight": [math.nan] + [1.0] * 23}, ValueError, "got nan in it"),
    "only weights of 0": ({"sample_weight": [0.0] * 24}, ValueError, "got 0.0 everywhere"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_wrong_options_say_what_is_wrong_and_change_nothing(case):
    options, kind, text = case
    model = net()
    before = numbers(model)
    with pytest.raises(kind, match=re.escape(text)):
        model.fit(X, Y, epochs=2, engine="eager", **options)
    assert (
        numbers(model) == before or "the metric" in text
    )  # which is first asked for after an epoch


def test_a_class_that_is_not_there_is_named_with_its_row():
    with pytest.raises(ValueError, match="class") as error:
        net(2).fit(X, CLASSES, loss="cross_entropy", sample_weight=WEIGHTS)
    assert error.value.__notes__ == [f"in row {CLASSES.index(2)} of X and y"]


# ------------------------------------------------------------------ an end where the loss falls no more


@pytest.mark.parametrize(
    ("engine", "backend"), [("eager", "auto"), ("compiled", "python"), ("compiled", "numpy")]
)
def test_a_watch_ends_training_as_a_callback_would_wherever_a_block_of_steps_ends(engine, backend):
    common = {"optimizer": "adam", "lr": 0.3, "batch_size": 7, "shuffle": True, "seed": 5}
    common |= {"epochs": 150, "engine": engine, "backend": backend}
    model, twin = net(), net()
    watch, asked = Watch(1e-3, 3), Watch(1e-3, 3)
    history = model.fit(X, Y, callback=watch, **common)
    wanted = twin.fit(X, Y, callback=lambda *given: asked(*given), **common)
    assert 5 < len(history.loss) == len(wanted.loss) < 150
    np.testing.assert_allclose(history.loss, wanted.loss, rtol=1e-10)
    np.testing.assert_allclose(numbers(model), numbers(twin), rtol=1e-10)
    fewer = net()
    fewer.fit(X, Y, **(common | {"epochs": len(history.loss)}))
    np.testing.assert_allclose(numbers(model), numbers(fewer), rtol=1e-10)


def test_a_step_that_fails_beyond_the_end_is_not_made():
    model, watch = net(), Watch(0.0, 3)

    def rate(step):  # no change for 5 epochs, then one that brings an infinity
        return 0.0 if step < 5 else 1e308

    history = model.fit(
        X, Y, lr=rate, epochs=300, callback=watch, engine="compiled", backend="python"
    )
    assert len(history.loss) == 5
    assert numbers(model) == numbers(net())
