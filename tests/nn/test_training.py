"""fit and predict: batches, losses as they are recorded, validation, and what may be asked of them."""

from __future__ import annotations

import copy
import random
import tracemalloc

import numpy as np
import pytest

from scalargrad import Value, detect_anomaly, no_grad
from scalargrad.nn import MLP, SGD, Adam, Layer, Module, Neuron, l2, mse
from scalargrad.nn.losses import LOSSES

XOR_X, XOR_Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
LINE_X, LINE_Y = [0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 5.0, 7.5, 8.0]


class Line(Module):
    def __init__(self, slope=0.0, height=0.0):
        self.slope, self.height = Value(slope), Value(height)

    def __call__(self, x):
        return self.slope * x + self.height

    @property
    def numbers(self):
        return self.slope.data, self.height.data


def descent(batches, epochs, lr, mean=True, decay=0.0):
    """Least squares by hand: (slope, height) and the epochs' losses, batch by batch."""
    w, b, losses = 0.0, 0.0, []
    for _ in range(epochs):
        epoch = 0.0
        for batch in batches:
            x, y = np.array([LINE_X[i] for i in batch]), np.array([LINE_Y[i] for i in batch])
            d = w * x + b - y
            n = len(batch) if mean else 1
            loss = (d**2).sum() / n + decay * (w**2 + b**2)
            epoch += loss * (len(batch) / len(LINE_X) if mean else 1)
            w, b = (
                w - lr * ((2 * d * x).sum() / n + 2 * decay * w),
                b - lr * ((2 * d).sum() / n + 2 * decay * b),
            )
        losses.append(epoch)
    return (w, b), losses


# ------------------------------------------------------------------ what a step is


@pytest.mark.parametrize(
    ("batch_size", "batches"),
    [
        (None, [range(5)]),
        (5, [range(5)]),
        (100, [range(5)]),
        (2, [[0, 1], [2, 3], [4]]),
        (1, [[0], [1], [2], [3], [4]]),
    ],
)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_fit_is_gradient_descent_batch_by_batch(batch_size, batches, reduction, decay):
    line = Line()
    penalty = (lambda model: decay * l2(model)) if decay else None
    history = line.fit(
        LINE_X,
        LINE_Y,
        lr=0.02,
        epochs=7,
        batch_size=batch_size,
        reduction=reduction,
        penalty=penalty,
    )
    numbers, losses = descent(batches, 7, 0.02, reduction == "mean", decay)
    assert line.numbers == pytest.approx(numbers, rel=1e-12)
    assert history.loss == pytest.approx(losses, rel=1e-12)


def test_loss_is_that_before_the_step():
    line = Line()
    assert line.fit(LINE_X, LINE_Y, lr=0.01, epochs=1).loss == [sum(y**2 for y in LINE_Y) / 5]


def test_shuffling_is_seeded_and_visits_every_row_once_an_epoch():
    def run(**settings):
        seen = []

        def loss(p, t):
            seen.append(t)
            return mse(p, t)

        Line().fit(LINE_X, LINE_Y, loss=loss, lr=0.01, epochs=3, batch_size=2, **settings)
        return [seen[i : i + 5] for i in (0, 5, 10)]

    assert run() == [LINE_Y] * 3
    shuffled = run(shuffle=True, seed=1)
    assert [sorted(epoch) for epoch in shuffled] == [sorted(LINE_Y)] * 3
    assert shuffled[0] != shuffled[1] != shuffled[2]
    assert run(shuffle=True, seed=1) == shuffled != run(shuffle=True, seed=2)
    random.seed(5)
    first = run(shuffle=True)
    random.seed(5)
    assert run(shuffle=True) == first


def test_seeded_shuffling_leaves_the_random_module_alone():
    state = random.getstate()
    Line().fit(LINE_X, LINE_Y, lr=0.01, epochs=2, shuffle=True, seed=1)
    assert random.getstate() == state


def test_runs_of_one_seed_are_equal_to_the_bit():
    runs = []
    for _ in range(2):
        model = MLP(2, [4, 1], activation="tanh", seed=3)
        history = model.fit(
            XOR_X, XOR_Y, optimizer="adam", epochs=20, batch_size=2, shuffle=True, seed=4
        )
        runs.append((history.loss, [p.data for p in model.parameters()]))
    assert runs[0] == runs[1]


def test_two_fits_of_one_optimiser_are_one_fit():
    a, b = Line(), Line()
    one = a.fit(LINE_X, LINE_Y, optimizer="adam", lr=0.1, epochs=10)
    adam = Adam(b.parameters(), 0.1)
    halves = [b.fit(LINE_X, LINE_Y, optimizer=lambda ps: adam, epochs=5) for _ in range(2)]
    assert one.loss == halves[0].loss + halves[1].loss
    assert a.numbers == b.numbers


@pytest.mark.parametrize(
    "optimizer", ["sgd", SGD, lambda ps: SGD(ps, 0.02)], ids=["name", "class", "function"]
)
def test_optimizer_may_be_a_name_a_class_or_a_function(optimizer):
    line = Line()
    line.fit(
        LINE_X,
        LINE_Y,
        optimizer=optimizer,
        lr=None if callable(optimizer) and optimizer is not SGD else 0.02,
        epochs=3,
    )
    assert line.numbers == pytest.approx(descent([range(5)], 3, 0.02)[0], rel=1e-12)


def test_without_a_rate_the_optimisers_own_is_taken():
    line = Line()
    line.fit(LINE_X, LINE_Y, epochs=3)
    assert line.numbers == pytest.approx(descent([range(5)], 3, 0.01)[0], rel=1e-12)


def test_rate_may_be_a_function_of_the_step():
    seen = []
    Line().fit(LINE_X, LINE_Y, lr=lambda step: seen.append(step) or 0.01, epochs=2, batch_size=2)
    assert seen == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw"])
def test_every_loss_falls_with_every_optimiser(loss, optimizer):
    outputs = 2 if loss == "cross_entropy" else 1
    targets = [-1, -1, -1, 1] if loss == "hinge" else [0, 0, 0, 1]
    last = "sigmoid" if loss == "binary_cross_entropy" else None
    model = MLP(2, [6, outputs], activation="tanh", output_activation=last, seed=0)
    history = model.fit(
        XOR_X,
        targets,
        loss=loss,
        optimizer=optimizer,
        lr=0.2 if optimizer == "sgd" else 0.02,
        epochs=60,
    )
    assert min(history.loss) < 0.8 * history.loss[0]


def test_classes_may_be_integers_or_one_hot():
    runs = []
    for y in ([0, 1, 2, 1], np.array([0, 1, 2, 1]), np.eye(3)[[0, 1, 2, 1]]):
        model = MLP(2, [3, 3], activation="tanh", seed=0)
        runs.append(model.fit(XOR_X, y, loss="cross_entropy", lr=0.1, epochs=5).loss)
    assert runs[0] == runs[1] == runs[2]


def test_a_loss_function_sees_prediction_and_target_as_they_are():
    seen = []

    def loss(p, t):
        seen.append((type(p), t))
        return mse(p, t)

    MLP(2, [1]).fit(XOR_X, XOR_Y, loss=loss, lr=0.1, epochs=1)
    MLP(2, [2]).fit(XOR_X[:1], [[1, 2]], loss=loss, lr=0.1, epochs=1)
    assert seen == [(Value, 0.0), (Value, 1.0), (Value, 1.0), (Value, 0.0), (list, (1.0, 2.0))]


def test_rows_that_cost_nothing_may_give_a_plain_0():
    line = Line()
    history = line.fit(
        [1.0, 2.0], [-1.0, 1.0], loss=lambda p, t: -p * t if t > 0 else 0, lr=0.1, epochs=2
    )
    assert line.numbers == pytest.approx((0.2, 0.1))
    assert history.loss[0] == 0.0 > history.loss[1]


# ------------------------------------------------------------------ validation, callbacks, the end


def test_validation_loss_is_that_after_the_epoch_without_penalty():
    line, seen = Line(), []

    def callback(epoch, history, model):
        w, b = model.numbers
        seen.append(((w * 10 + b - 20) ** 2 + (w * 20 + b - 40) ** 2) / 2)
        assert len(history.loss) == len(history.validation_loss) == epoch + 1

    history = line.fit(
        LINE_X,
        LINE_Y,
        lr=0.02,
        epochs=4,
        validation=([10, 20], np.array([20, 40])),
        callback=callback,
        penalty=lambda m: l2(m),
    )
    assert history.validation_loss == pytest.approx(seen, rel=1e-12)
    assert len(seen) == 4


def test_validation_changes_neither_weights_nor_gradients():
    a, b = Line(), Line()
    a.fit(LINE_X, LINE_Y, lr=0.02, epochs=3)
    b.fit(LINE_X, LINE_Y, lr=0.02, epochs=3, validation=([5.0], [11.0]))
    assert a.numbers == b.numbers
    assert a.slope.grad == b.slope.grad != 0.0


def test_validation_is_summed_where_training_is():
    history = Line().fit(
        LINE_X, LINE_Y, lr=0.0, epochs=1, reduction="sum", validation=(LINE_X, LINE_Y)
    )
    assert history.validation_loss == history.loss


@pytest.mark.parametrize("answer", [True, np.True_])
def test_callback_that_returns_true_ends_the_training(answer):
    history = Line().fit(
        LINE_X,
        LINE_Y,
        lr=0.01,
        epochs=50,
        callback=lambda epoch, history, model: answer if epoch == 3 else None,
    )
    assert len(history.loss) == 4
    assert not history.interrupted


def test_callback_may_return_anything_else():
    history = Line().fit(
        LINE_X, LINE_Y, lr=0.01, epochs=5, callback=lambda epoch, history, model: history.loss[-1]
    )
    assert len(history.loss) == 5


def test_memory_of_a_batch_is_that_of_a_row():
    model, row = MLP(50, [20, 1], seed=0), tuple([0.5] * 50)

    def once(n):
        tracemalloc.start()
        model.fit([row] * n, [1.0] * n, lr=0.001, epochs=1)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def peak(n):  # the least: other threads take memory too
        return min(once(n) for _ in range(3))

    peak(2)
    assert peak(1) > 20_000
    assert (peak(300) - peak(100)) / 200 < 1000  # bytes a row: of the table, not of a graph


# ------------------------------------------------------------------ predict


def test_predict_gives_plain_numbers_and_touches_no_gradient():
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    model([1.0, 2.0]).backward()
    before = [p.grad for p in model.parameters()]
    predicted = model.predict(XOR_X)
    assert predicted == [model(x).data for x in XOR_X]
    assert {type(p) for p in predicted} == {float}
    assert [p.grad for p in model.parameters()] == before


def test_predict_of_several_outputs_is_a_list_a_row():
    model = MLP(2, [3, 2], seed=0)
    assert model.predict(XOR_X) == [[out.data for out in model(x)] for x in XOR_X]


def test_predict_works_for_any_module():
    assert Line(2.0, 1.0).predict([0, 1, 2]) == [1.0, 3.0, 5.0]

    class Twice(Module):
        def __call__(self, x):
            return np.array([x * 2, x + 0.5])

    assert Twice().predict([1.0]) == [[2.0, 1.5]]


# ------------------------------------------------------------------ mistakes


def fit(**settings):
    return MLP(2, [3, 1], seed=0).fit(**{"X": XOR_X, "y": XOR_Y, "lr": 0.1, "epochs": 2} | settings)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        (
            {"engine": "fast"},
            ValueError,
            "engine='fast' is none of 'auto', 'eager', 'compiled': 'eager' makes steps on Values, 'compiled'",
        ),
        (
            {"backend": "c"},
            ValueError,
            "backend='c' is none of 'auto', 'python', 'numpy', 'native'",
        ),
        ({"reduction": "max"}, ValueError, "reduction='max' is none of 'mean', 'sum'"),
        (
            {"loss": "msee"},
            ValueError,
            "loss='msee' is none of 'squared_error', .*'hinge': did you mean 'mse'?",
        ),
        (
            {"loss": "zzz"},
            ValueError,
            r"loss='zzz' is none of .*: or a function of \(prediction, target\)",
        ),
        (
            {"loss": 3},
            TypeError,
            r"loss must be a function of \(prediction, target\) or one of 'squared_error', .*, got int",
        ),
        ({"loss": lambda p, t: [p]}, TypeError, "the loss must give one Value, got list"),
        (
            {"loss": lambda p, t: p.data + 1},
            TypeError,
            "the loss of row 0 is the plain number .*, not from its .data",
        ),
        (
            {"penalty": lambda m: None},
            TypeError,
            "the penalty must give one Value, got NoneType: did it forget its return",
        ),
        ({"penalty": 0.1}, TypeError, "penalty must be a function or None, got float 0.1"),
        ({"callback": "print"}, TypeError, "callback must be a function or None, got str 'print'"),
        (
            {"optimizer": "adm"},
            ValueError,
            "optimizer='adm' is none of 'sgd', 'rmsprop', 'adam', 'adamw', 'lbfgs': did you mean 'adam'?",
        ),
        (
            {"optimizer": lambda ps: SGD(ps, 0.1)},
            ValueError,
            "lr=0.1 would be lost on an optimizer that is a function",
        ),
        (
            {"optimizer": lambda ps: None, "lr": None},
            TypeError,
            r"an optimiser, with step\(\) and zero_grad\(\), got NoneType",
        ),
        ({"optimizer": SGD([Value(1.0)])}, TypeError, "got SGD: write optimizer=lambda parameters"),
        ({"lr": -1}, ValueError, "lr must be 0 or more, and finite, got -1.0"),
        ({"epochs": 0}, ValueError, "epochs must be 1 or more, got 0"),
        ({"epochs": 1.5}, TypeError, "epochs must be a whole number, got float 1.5"),
        ({"batch_size": 0}, ValueError, "batch_size must be 1 or more, got 0"),
        (
            {"seed": "a"},
            TypeError,
            "seed must be a whole number, a random.Random or None, got str 'a'",
        ),
        (
            {"validation": 0.2},
            ValueError,
            r"validation must be a pair of rows and targets, got float: write validation=\(X_val, y_val\)",
        ),
        (
            {"validation": (XOR_X, [1])},
            ValueError,
            "validation X has 4 rows and validation y has 1",
        ),
        ({"y": [0, 1]}, ValueError, "X has 4 rows and y has 2: each row of X needs its own of y"),
        (
            {"y": [[0, 1]] * 4},
            ValueError,
            "mse takes a target for each prediction, got 1 predictions and 2 targets",
        ),
        ({"X": [[1, 2, 3]] * 4}, ValueError, r"layer 1 \(2 → 3\) expects 2 inputs, got 3"),
        (
            {"X": [1, 2, 3, 4]},
            ValueError,
            r"layer 1 \(2 → 3\) expects 2 inputs, got 1, a number alone: write a row as a list",
        ),
    ],
)
def test_wrong_arguments_of_fit_are_answered(settings, error, text):
    with pytest.raises(error, match=text):
        fit(**settings)


@pytest.mark.parametrize("engine", ["eager", "auto", "compiled"])
def test_a_model_whose_prediction_holds_no_weight_is_refused(engine):
    class Still(Line):
        def __call__(self, x):
            return self.slope.data * x

    for model in (Still(), type("Constant", (Line,), {"__call__": lambda self, x: 3.0})()):
        with pytest.raises(TypeError, match="the loss of row 0 is the plain number"):
            model.fit(LINE_X, LINE_Y, epochs=1000, engine=engine, backend="python")


def test_an_error_names_its_row():
    with pytest.raises(ValueError, match="takes a class from 0 to 1, got 7") as caught:
        MLP(2, [2]).fit(XOR_X, [0, 1, 7, 0], loss="cross_entropy", lr=0.1, epochs=1)
    assert caught.value.__notes__ == ["in row 2 of X and y"]


def test_fit_within_no_grad_is_refused():
    with no_grad(), pytest.raises(ValueError, match=r"fit cannot learn within no_grad\(\)"):
        fit()


def test_fit_works_while_anomalies_are_watched():
    with detect_anomaly():
        assert len(fit().loss) == 2


def test_a_module_that_cannot_be_called_is_told_so():
    module = Module()
    module.w = Value(1.0)
    for call in (lambda: module.fit([1], [1]), lambda: module.predict([1])):
        with pytest.raises(
            TypeError, match=r"Module cannot be called: give it a method __call__\(self, x\)"
        ):
            call()


def test_a_nan_gradient_ends_fit_with_the_weights_of_the_last_whole_step():
    line = Line()
    X, y = [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]

    def loss(p, t):
        return (p - t) ** 2 if t < 3 else (p - p - 1) ** 0.5

    with pytest.raises(FloatingPointError, match="so no weight was changed") as caught:
        line.fit(X, y, loss=loss, lr=0.01, epochs=3, batch_size=2)
    twin = Line()
    twin.fit(X[:2], y[:2], lr=0.01, epochs=1)
    assert line.numbers == twin.numbers
    assert "in epoch 0 of fit" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: MLP(0, [1]), ValueError, "nin must be 1 or more, got 0"),
        (lambda: MLP(2, []), ValueError, r"nouts must name one layer at least, got \[\]: write \[1\]"),
        (lambda: MLP(2, 16), TypeError, r"nouts must be a list, .*, got 16: write \[16, 16, 1\]"),
        (lambda: MLP(2, [3, 0]), ValueError, r"nouts\[1\] must be 1 or more, got 0"),
        (lambda: MLP(2, [True]), TypeError, r"nouts\[0\] must be a whole number, got True"),
        (lambda: MLP(2.0, [1]), TypeError, "nin must be a whole number, got float 2.0"),
        (lambda: Layer(2, -1), ValueError, "nout must be 1 or more, got -1"),
        (lambda: Neuron(2, "rellu"), ValueError, r"activation='rellu' is none of the operations of one number: did you mean 'relu'\?"),
        (lambda: Neuron(2, "linear"), ValueError, "activation='linear' is none of .*, or None for a linear neuron"),
        (lambda: MLP(2, [1], output_activation="linear"), ValueError, "^output_activation='linear' is none of .{,100}, or None for a linear neuron$"),
        (lambda: MLP(2, [1], output_activation="Sigmoid"), ValueError, r"^output_activation='Sigmoid' is none of .{,40}: did you mean 'sigmoid'\?$"),
        (lambda: MLP(2, [1], output_activation=3), TypeError, "output_activation must be a name, a function or None, got int 3"),
        (lambda: MLP(2, [2, 1], activation=["relu", "tahn"]), ValueError, r"activation\[1\]='tahn' is none of .*: did you mean 'tanh'\?"),
        (lambda: MLP(2, [2, 1], activation=["relu"]), ValueError, "activation must have one for each of 2 layers, the last one too, got 1"),
        (lambda: MLP(2, [2, 1], activation=["relu", None], output_activation="tanh"), ValueError,
         "activation, a list, has one for the last layer, None: write output_activation='tanh' as the last of the list"),
        (lambda: Neuron(2, nonlin=False), TypeError, "Neuron has no argument nonlin: write activation=None for nonlin=False"),
        (lambda: Layer(2, 1, nonlin=True), TypeError, "Layer has no argument nonlin: .*activation='relu' for nonlin=True"),
        (lambda: Neuron(2, nolin=False), TypeError, "unexpected keyword argument 'nolin'"),
        (lambda: MLP(2, [1], activation="maximum"), ValueError, "activation='maximum' is none of"),
        (lambda: MLP(2, [3], output_activation="softmax"), ValueError, "softmax works on a whole layer.* use the loss 'cross_entropy'"),
        (lambda: Neuron(2, 3), TypeError, "activation must be a name, a function or None, got int 3"),
        (lambda: Neuron(2, init="hee"), ValueError, "init='hee' is none of 'uniform', .*, 'zeros': did you mean 'he'?"),
        (lambda: Neuron(2, init=0.5), TypeError, r"init must be a name, a function of \(nin, nout, rng\) or None, got float 0.5"),
        (lambda: Neuron(2, init=lambda *_: "x"), TypeError, "init takes a real number, got str"),
        (lambda: Neuron(2, seed=1.5), TypeError, "seed must be a whole number, a random.Random or None, got float 1.5"),
        (lambda: Neuron(2)([1.0]), ValueError, r"Neuron\(2\) expects 2 inputs, got 1"),
        (lambda: Neuron(1)([1.0, 2.0]), ValueError, r"Neuron\(1\) expects 1 input, got 2"),
        (lambda: Layer(3, 2)(1.0), ValueError, r"Layer\(3, 2\) expects 3 inputs, got 1, a number alone: write a row as a list"),
        (lambda: MLP(2, [3, 1])([1.0, 2.0, 3.0]), ValueError, r"layer 1 \(2 → 3\) expects 2 inputs, got 3"),
        (lambda: MLP(2, [1])(["a", "b"]), TypeError, r"layer 1 \(2 → 1\) takes a real number, got str"),
        (lambda: MLP(2, [1])("ab"), TypeError, r"layer 1 \(2 → 1\) takes a row of 2 inputs, got str"),
        (lambda: MLP(2, [1])([[1.0, 2.0], [3.0, 4.0]]), TypeError, r"one row of 2 inputs, got rows: for many rows there is predict\(X\)"),
        (lambda: MLP(2, [1])(np.eye(2)), TypeError, r"one row of 2 inputs, got rows: for many rows there is predict\(X\)"),
        (lambda: Neuron(2)([[1.0, 2.0]] * 3), TypeError, r"got rows: for many rows there is predict\(X\), or a loop, \[model\(x\) for x in X\]"),
        (lambda: Neuron(2)(np.ones((5, 2))), TypeError, r"got rows: for many rows there is predict\(X\), or a loop"),
        (lambda: MLP(2, [1])([[1.0, 2.0]]), TypeError, r"got rows: for many rows there is predict\(X\), or a loop"),
    ],
)  # fmt: skip
def test_wrong_arguments_of_models_are_answered(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_a_copy_trained_alone_leaves_the_original():
    line = Line()
    copy.deepcopy(line).fit(LINE_X, LINE_Y, lr=0.01, epochs=1)
    assert line.numbers == (0.0, 0.0)
