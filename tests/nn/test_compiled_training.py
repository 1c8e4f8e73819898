"""fit by generated code against fit on Values: the same weights, losses, errors and interruptions."""

from __future__ import annotations

import random
import signal
from functools import partial

import pytest

from scalargrad import Value, clip, detect_anomaly, sigmoid, where
from scalargrad.compiler import TraceError, update
from scalargrad.compiler.data import simplified
from scalargrad.compiler.program import Block, Constant, Program, Step
from scalargrad.compiler.update import update_of
from scalargrad.nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Module,
    Neuron,
    Optimizer,
    RMSprop,
    compiled,
    l2,
    mse,
    squared_error,
    training,
)
from scalargrad.nn.losses import LOSSES
from scalargrad.ops import OPS

RNG = random.Random(7)
X = [[RNG.uniform(-1, 1), RNG.uniform(-1, 1), float(i % 2)] for i in range(7)]
Y = [RNG.uniform(0, 1) for _ in X]

OPTIMIZERS = {
    "sgd": lambda ps: SGD(ps, 0.05),
    "decay": lambda ps: SGD(ps, 0.05, weight_decay=0.01),
    "momentum": lambda ps: SGD(ps, 0.02, momentum=0.9),
    "nesterov": lambda ps: SGD(ps, 0.02, 0.9, True, 0.01),
    "schedule": lambda ps: SGD(ps, lambda step: 0.1 / (1 + step)),
    "rmsprop": lambda ps: RMSprop(ps, 0.01),
    "adam": lambda ps: Adam(ps, 0.01, weight_decay=0.01),
    "adamw": lambda ps: AdamW(ps, lambda step: 0.02 * 0.99**step),
}
BATCHES = {
    "whole": {},
    "batches": {"batch_size": 3},
    "shuffled": {"batch_size": 3, "shuffle": True, "seed": 3},
    "sums": {"batch_size": 4, "reduction": "sum"},
    "penalty": {"penalty": lambda model: 1e-2 * l2(model)},
}
# How many steps must be expected for a loop, and for one with the rows written out.
PATHS = {"in turns": (10**9, 10**9), "loop": (1, 10**9), "written out": (1, 1)}


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    some, many = PATHS[request.param]
    monkeypatch.setattr(compiled, "SOME", some)
    monkeypatch.setattr(compiled, "MANY", many)
    return request.param


def run(engine, outputs=1, last=None, y=Y, epochs=100, backend="python", **settings):
    """Weights, losses, losses of validation, memory and number of steps."""
    model = MLP(3, [3, outputs], activation="tanh", output_activation=last, seed=1)
    kept = []
    make = settings.pop("optimizer", OPTIMIZERS["sgd"])

    def optimizer(ps):
        kept.append(make(ps))
        return kept[0]

    history = model.fit(
        X,
        y,
        epochs=epochs,
        engine=engine,
        backend=backend,
        optimizer=optimizer,
        validation=(X[2:5], y[2:5]),
        **settings,
    )
    memory = [x for part in kept[0].state for x in part]
    return (
        [p.data for p in model.parameters()],
        history.loss,
        history.validation_loss,
        memory,
        [kept[0].steps],
    )


def assert_same(ours, theirs, tolerance=1e-12):
    for a, b in zip(ours, theirs, strict=True):
        assert len(a) == len(b)
        assert max((abs(x - y) for x, y in zip(a, b)), default=0.0) <= tolerance


# ------------------------------------------------------------------ the same numbers


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batches", BATCHES)
def test_a_hundred_steps_are_those_on_values(optimizer, batches, path):
    settings = {
        "loss": squared_error,
        "optimizer": OPTIMIZERS[optimizer],
        "epochs": 100 if batches == "whole" else 40,
        **BATCHES[batches],
    }
    eager, ours = run("eager", **settings), run("compiled", **settings)
    assert_same(ours, eager)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_lowered_as_on_values(loss, path):
    y = {"cross_entropy": [0, 2, 1, 1, 0, 2, 1], "hinge": [1, -1, -1, 1, 1, -1, 1]}.get(
        loss, [1, 0, 0.25, 1, 0, 0.5, 1]
    )
    outputs, last = (
        3 if loss == "cross_entropy" else 1,
        "sigmoid" if loss == "binary_cross_entropy" else None,
    )
    settings = {
        "loss": loss,
        "y": y,
        "outputs": outputs,
        "last": last,
        "optimizer": OPTIMIZERS["adam"],
    }
    assert_same(run("compiled", **settings), run("eager", **settings))


def test_targets_may_be_lists():
    y = [[a, 1 - a] for a in Y]
    assert_same(run("compiled", outputs=2, y=y), run("eager", outputs=2, y=y))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batches", BATCHES)
def test_a_hundred_steps_on_arrays_are_those_on_values(optimizer, batches):
    settings = {
        "optimizer": OPTIMIZERS[optimizer],
        "epochs": 100 if batches == "whole" else 40,
        **BATCHES[batches],
    }
    assert_same(run("compiled", backend="numpy", **settings), run("eager", **settings))


PENALTIES = {
    "of some weights": lambda model: (
        0.02 * sum(w * w for neuron in model.layers[0].neurons for w in neuron.w)
    ),
    "of all, twice": lambda model: l2(model) * l2(model),
    "of one": lambda model: 0.1 * (model.parameters()[3] - 1.0) ** 2.0,
    "that curves": lambda model: sum((w * w + 1e-3).sqrt() for w in model.parameters()) * 1e-2,
    "of none": lambda model: 0.5,
    "with the same slopes in every step": lambda model: sum(
        0.01 * i * w for i, w in enumerate(model.parameters())
    ),
}


@pytest.mark.parametrize("penalty", PENALTIES)
def test_penalties_of_any_shape_are_added_on_arrays(penalty):
    settings = {"optimizer": OPTIMIZERS["momentum"], "epochs": 30, "penalty": PENALTIES[penalty]}
    assert_same(run("compiled", backend="numpy", **settings), run("eager", **settings))


class Remembering(Optimizer):
    """Its memory holds weights and slopes as they were, and two things that change places."""

    def __init__(self, parameters, lr=0.05):
        super().__init__(parameters, lr)
        count = len(self.parameters)
        self.state = ([0.0] * count, [0.0] * count, [1.0] * count, [2.0] * count, [0.0] * count)

    def update(self, weights, gradients, lr):
        before, slopes, one, other, _ = self.state
        moved = [
            w - lr * (g + 0.1 * s) * a + 0.01 * (w - b)
            for w, g, s, a, b in zip(weights, gradients, slopes, one, before)
        ]
        return moved, (weights, gradients, other, one, moved)


@pytest.mark.parametrize("backend", ["python", "numpy"])
def test_a_memory_may_hold_what_the_step_begins_and_ends_with(backend):
    settings = {"optimizer": Remembering, "epochs": 30}
    assert_same(run("compiled", backend=backend, **settings), run("eager", **settings))


@pytest.mark.parametrize("backend", ["numpy", "auto"])
@pytest.mark.parametrize("batches", BATCHES)
def test_other_backends_compute_the_same(backend, batches):
    settings = {"optimizer": OPTIMIZERS["adamw"], "epochs": 20, **BATCHES[batches]}
    assert_same(run("compiled", backend=backend, **settings), run("eager", **settings))


def test_a_second_fit_goes_on_where_the_first_ended():
    adam = {}

    def halves(engine):
        model = MLP(3, [3, 1], seed=1)
        adam[engine] = Adam(model.parameters(), 0.01)
        for _ in range(2):
            model.fit(X, Y, optimizer=lambda ps: adam[engine], epochs=30, engine=engine)
        return [[p.data for p in model.parameters()]]

    assert_same(halves("compiled"), halves("eager"))
    assert adam["compiled"].steps == 60


def test_the_same_seed_shuffles_alike_and_leaves_the_random_module_alone():
    state = random.getstate()
    settings = {"batch_size": 2, "shuffle": True, "seed": 5, "epochs": 30}
    assert run("compiled", **settings)[1] == pytest.approx(run("eager", **settings)[1], rel=1e-13)
    assert random.getstate() == state


def test_some_parameters_may_be_left_as_they_are(path):
    def last_layer(ps):
        return SGD(ps[-4:], 0.05)

    ours, eager = run("compiled", optimizer=last_layer), run("eager", optimizer=last_layer)
    assert ours[0] == pytest.approx(eager[0], rel=1e-12)
    assert (
        ours[0][:-4]
        == [p.data for p in MLP(3, [3, 1], activation="tanh", seed=1).parameters()][:-4]
    )


class Turned(Module):
    """The same weights in rows and in columns, and some of them in a third list."""

    def __init__(self):
        rng = random.Random(3)
        self.rows = [[Value(rng.gauss(0.0, 1.0)) for _ in range(3)] for _ in range(2)]
        self.columns = [[row[j] for row in self.rows] for j in range(3)]
        self.mixed = [self.rows[0][0], Value(0.3), self.rows[1][2], Value(-0.2)]

    def __call__(self, x):
        hidden = [sum(w * z for w, z in zip(row, x)) for row in self.rows]
        outputs = [sum(w * sigmoid(z) for w, z in zip(row, hidden)) for row in self.columns]
        return sum(w * z for w, z in zip(self.mixed, outputs)) + self.mixed[3]


@pytest.mark.parametrize("places", [range(8), (0, 4, 7)])
@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
def test_weights_may_stand_in_several_lists_and_beside_what_is_left_as_it_is(backend, places):
    def fitted(engine):
        model = Turned()
        some = [model.parameters()[i] for i in places]
        options = {"optimizer": lambda ps: Adam(some, 0.02), "batch_size": 3, "clip_norm": 0.5}
        history = model.fit(X, Y, epochs=100, engine=engine, backend=backend, **options)
        return [[p.data for p in model.parameters()], history.loss]

    assert_same(fitted("compiled"), fitted("eager"))


def test_values_that_the_loss_captures_count_as_they_are(path):
    def fitted(engine):
        scale, model = Value(2.0, "scale"), MLP(3, [2, 1], activation="tanh", seed=1)
        history = model.fit(
            X, Y, loss=lambda p, t: mse(p * scale, t) + 0.01 * l2(model), optimizer=lambda ps: SGD([*ps, scale], 0.05),
            epochs=40, engine=engine, backend="python",
        )  # fmt: skip
        return [[p.data for p in model.parameters()], [scale.data], history.loss]

    ours, eager = fitted("compiled"), fitted("eager")
    assert_same(ours, eager)
    assert ours[1] != [2.0]


def test_a_value_that_the_penalty_makes_in_each_call_is_refused_or_made_on_values():
    def fitted(engine):
        model = Neuron(3, seed=0)
        history = model.fit(
            X,
            Y,
            lr=0.01,
            epochs=200,
            penalty=lambda m: Value(0.5) * l2(m),
            engine=engine,
            backend="python",
        )
        return [[p.data for p in model.parameters()], history.loss]

    with pytest.raises(
        TraceError, match=r"a Value that it makes itself .* write the number in its place"
    ):
        fitted("compiled")
    assert fitted("auto") == fitted("eager")


def test_gradients_are_0_afterwards():
    model = Neuron(3)
    model.fit(X, Y, lr=0.01, epochs=3, engine="compiled")
    assert {p.grad for p in model.parameters()} == {0.0}


@pytest.mark.parametrize("backend", ["python", "numpy"])
@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("loss", [*LOSSES])
def test_every_loss_on_several_outputs_falls_as_on_values(loss, batch_size, backend):
    if backend == "numpy":
        pytest.importorskip("numpy")
    X = [[0.1, 0.2, 0.3], [0.4, -0.5, 0.6], [0.9, 0.1, -0.3], [-0.2, 0.7, 0.8]]
    y = (
        [[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]
        if loss == "hinge"
        else [[0.0, 1.0], [1.0, 0.0], [0.25, 0.75], [1.0, 0.0]]
    )

    def losses(**choice):
        model = MLP(3, [4, 2], activation="tanh", output_activation="sigmoid", seed=0)
        return model.fit(X, y, loss=loss, lr=0.1, epochs=5, batch_size=batch_size, **choice).loss

    assert losses(engine="compiled", backend=backend) == pytest.approx(
        losses(engine="eager"), rel=1e-10
    )


@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
def test_a_loss_of_nothing_is_0_in_each_step(backend):
    model, before = MLP(3, [1], seed=0), [p.data for p in MLP(3, [1], seed=0).parameters()]
    assert (
        model.fit(
            X, Y, loss=lambda p, t: 0.0, epochs=3, batch_size=2, engine="compiled", backend=backend
        ).loss
        == [0.0] * 3
    )
    assert [p.data for p in model.parameters()] == before


class Gate(Module):
    """A sigmoid that decides, and is in no other number: a nan there, where x³ is infinite, would be seen nowhere."""

    def __init__(self, decide):
        self.w, self.b, self.decide = Value(1.0), Value(0.5), decide

    def __call__(self, x):
        return self.decide(sigmoid(self.w * x * x * x), self.b)


GATES = (
    lambda share, b: where(share > 0.5, b, b * 3.0),
    lambda share, b: where(share - 1.0, b, b * 3.0),  # a number decides by not being 0
    lambda share, b: clip(b, share.detach() - 0.25, 2.0),
)
BUILDS = [
    lambda: MLP(1, [2, 1], activation="sigmoid", output_activation="sigmoid", seed=0),
    *[partial(Gate, gate) for gate in GATES],
]


@pytest.mark.parametrize("x", [800.0, -800.0, 1e200, -1e200])
@pytest.mark.parametrize("build", BUILDS)
def test_a_sigmoid_far_out_has_the_numbers_of_values(x, build):
    results = []
    for choice in ({"engine": "eager"}, {"engine": "compiled", "backend": "python"}):
        model = build()
        history = model.fit([x, 0.5], [1.0, 0.0], lr=0.01, epochs=400, **choice)
        results.append([*history.loss, *(p.data for p in model.parameters())])
    assert results[1] == pytest.approx(results[0], rel=1e-12, nan_ok=True)


# ------------------------------------------------------------------ who looks, and what they change


def test_a_callback_sees_each_epoch_and_may_end_it():
    seen = {"eager": [], "compiled": []}
    for engine, found in seen.items():
        model = MLP(3, [3, 1], seed=1)

        def callback(epoch, history, model, found=found):
            found.append((epoch, len(history.loss), [p.data for p in model.parameters()]))
            return epoch == 5

        history = model.fit(
            X,
            Y,
            lr=0.05,
            epochs=50,
            batch_size=3,
            engine=engine,
            backend="python",
            callback=callback,
        )
        assert len(history.loss) == 6
    for (epoch, count, ours), (same, also, eager) in zip(
        seen["compiled"], seen["eager"], strict=True
    ):
        assert (epoch, count) == (same, also)
        assert ours == pytest.approx(eager, rel=1e-12)


class Scaled(Module):
    """A line whose factor is a plain number."""

    def __init__(self):
        self.w, self.factor = Value(0.5, "w"), 1.0

    def __call__(self, x):
        return self.w * x * self.factor


def changes_weights(epoch, model, optimizer):
    model.w.data = 0.1 * epoch


def changes_the_rate(epoch, model, optimizer):
    optimizer.lr = 0.01 / (1 + epoch)


def changes_the_momentum(epoch, model, optimizer):
    optimizer.momentum = 0.5


def lets_go_and_takes_hold(epoch, model, optimizer):
    optimizer.momentum = 0.9 * (epoch % 3 == 1)


def changes_the_model(epoch, model, optimizer):
    model.factor = 1.0 + epoch


@pytest.mark.parametrize(
    "change",
    [
        changes_weights,
        changes_the_rate,
        changes_the_momentum,
        lets_go_and_takes_hold,
        changes_the_model,
    ],
)
def test_what_a_callback_changes_counts(change, path):
    def fitted(engine):
        model, kept = Scaled(), []
        history = model.fit(
            [1.0, 2.0, 3.0], [2.0, 4.0, 6.0], optimizer=lambda ps: kept.append(SGD(ps, 0.01, 0.9)) or kept[0], epochs=6, engine=engine,
            backend="python", callback=lambda epoch, history, model: change(epoch, model, kept[0]),
        )  # fmt: skip
        return [[model.w.data], history.loss]

    assert_same(fitted("compiled"), fitted("eager"))


def test_progress_is_told_of_every_step(monkeypatch):
    told = {"eager": [], "compiled": []}
    for engine, found in told.items():

        class Bar:
            def advance(self, steps, epoch, loss, found=found):
                found.append((steps, epoch, loss))

            def close(self, found=found):
                found.append("closed")

        monkeypatch.setattr(training, "progress_of", lambda epochs, batches, bar=Bar: bar())
        Neuron(3, seed=0).fit(
            X, Y, lr=0.01, epochs=30, batch_size=3, progress=True, engine=engine, backend="python"
        )
    assert [steps for steps, *_ in told["eager"][:-1]] == [1] * len(told["eager"][:-1])
    made = 0
    for steps, epoch, loss in told["compiled"][:-1]:
        made += steps
        assert (1, epoch, pytest.approx(loss, rel=1e-12)) == told["eager"][made - 1]
    assert made == len(told["eager"]) - 1
    assert told["eager"][-1] == told["compiled"][-1] == "closed"


# ------------------------------------------------------------------ what goes wrong


def rooted(p, t):
    """A loss that is nan when the prediction has come below 1."""
    return (p - 1.0).sqrt() + 0.0 * t


@pytest.mark.parametrize("batch_size", [None, 1])
def test_a_nan_gradient_ends_it_as_on_values(batch_size, path):
    ends = []
    for engine in ("eager", "compiled"):
        model, kept = Scaled(), []
        model.w.data = 3.0
        with pytest.raises(FloatingPointError) as caught:
            model.fit(
                [1.0, 1.5], [0.0, 0.0], loss=rooted, epochs=100, batch_size=batch_size, engine=engine, backend="python",
                optimizer=lambda ps, kept=kept: kept.append(SGD(ps, 0.05, 0.5)) or kept[0],
            )  # fmt: skip
        ends.append(
            (str(caught.value), caught.value.__notes__, model.w.data, kept[0].steps, kept[0].state)
        )
    assert ends[0][:4] == ends[1][:4]
    assert ends[0][4] == ends[1][4]
    assert ends[0][3] > 5


def test_a_step_that_would_overflow_ends_it_as_on_values(path):
    ends = []
    for engine in ("eager", "compiled"):
        model = Scaled()
        with pytest.raises(FloatingPointError) as caught:
            model.fit([1e3], [0.0], lr=1e9, epochs=1000, engine=engine, backend="python")
        ends.append((str(caught.value), caught.value.__notes__, model.w.data))
    assert ends[0] == ends[1]


def test_a_branch_that_is_left_out_may_overflow(path):
    """log and exp raise for the rows that do not take them; in total arithmetic training goes on."""

    def loss(p, t):
        return where(t > 0.5, (p - t) ** 2, 0.0) + where(t < 0.5, 0.0, 0.0 * (1000.0 * p).exp())

    def fitted(engine):
        model = Scaled()
        history = model.fit(
            [1.0, -2.0], [1.0, 0.0], loss=loss, lr=0.01, epochs=20, engine=engine, backend="python"
        )
        return [[model.w.data], history.loss]

    ours, eager = fitted("compiled"), fitted("eager")
    assert str(ours) == str(eager)


def test_wrong_targets_are_refused_with_their_row():
    for loss, y, text in (
        ("hinge", [1, -1, 0, 1, 1, 1, 1], "hinge takes targets"),
        ("cross_entropy", [0, 1, 5, 0, 0, 0, 0], "takes a class"),
    ):
        with pytest.raises(ValueError, match=text) as caught:
            MLP(3, [3 if loss == "cross_entropy" else 1]).fit(X, y, loss=loss, engine="compiled")
        assert caught.value.__notes__[0] == "in row 2 of X and y"


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (lambda p, t: p * p if p > 0 else -p, "where"),
        (lambda p, t: Value(p.data), "reading .data of a traced number"),
        (
            lambda p, t: (p - t) ** 2 * random.random(),
            "draws random numbers, and those of one call would be frozen",
        ),
    ],
)
def test_a_loss_that_cannot_be_traced_is_refused_or_made_on_values(loss, text):
    with pytest.raises(TraceError, match=text):
        MLP(3, [1], seed=0).fit(X, Y, loss=loss, lr=0.01, epochs=3, engine="compiled")
    histories = []
    for engine in ("auto", "eager"):
        random.seed(1)
        histories.append(
            MLP(3, [1], init="zeros")
            .fit(X, Y, loss=loss, lr=0.0, epochs=200, engine=engine)
            .loss[1]
        )
    assert histories[0] == histories[1] or text.startswith("what it counts")


def test_an_optimiser_with_a_step_of_its_own_is_refused_or_used_on_values():
    class Noting(SGD):
        count = 0

        def step(self):
            super().step()
            type(self).count += 1

    with pytest.raises(TraceError, match="the step of Noting is its own and cannot be compiled"):
        Neuron(3).fit(X, Y, optimizer=Noting, epochs=3, engine="compiled")
    Neuron(3).fit(X, Y, optimizer=Noting, epochs=300)
    assert Noting.count == 300


def test_within_detect_anomaly_steps_are_made_on_values():
    with detect_anomaly():
        assert len(Neuron(3).fit(X, Y, lr=0.01, epochs=300).loss) == 300
        with pytest.raises(
            ValueError, match=r"makes no Values that detect_anomaly\(\) could watch"
        ):
            Neuron(3).fit(X, Y, engine="compiled")


def test_a_rate_that_fails_leaves_the_steps_before_it():
    def rate(step):
        if step == 17:
            raise RuntimeError("no more")
        return 0.01

    weights = []
    for engine in ("eager", "compiled"):
        model = Neuron(3, seed=0)
        with pytest.raises(RuntimeError, match="no more"):
            model.fit(X, Y, lr=rate, epochs=100, engine=engine, backend="python")
        weights.append([p.data for p in model.parameters()])
    assert weights[1] == pytest.approx(weights[0], rel=1e-12)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_ctrl_c_leaves_whole_steps_and_the_epochs_that_were_finished():
    model, kept = MLP(3, [3, 1], activation="tanh", seed=1), []
    before = signal.signal(signal.SIGPROF, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        signal.setitimer(
            signal.ITIMER_PROF, 0.25
        )  # of this process's own time, however busy the machine is
        history = model.fit(
            X,
            Y,
            epochs=10**7,
            engine="compiled",
            backend="python",
            optimizer=lambda ps: kept.append(SGD(ps, 1e-6)) or kept[0],
        )
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    assert history.interrupted
    assert kept[0].steps == len(history.loss) > 100
    twin = MLP(3, [3, 1], activation="tanh", seed=1)
    twin.fit(X, Y, epochs=len(history.loss), lr=1e-6, engine="compiled", backend="python")
    assert [p.data for p in model.parameters()] == [p.data for p in twin.parameters()]


def test_where_machine_code_cannot_be_made_unasked_the_steps_are_made_without(monkeypatch):
    from scalargrad.compiler import backends
    from scalargrad.compiler.native_training import LoopOnNative

    tried = []

    def fail(*_):
        tried.append(1)
        raise RuntimeError("there is no room left")

    rows, targets = [[i / 40, i % 3] for i in range(40)], [i / 20 for i in range(40)]

    def trained(engine, backend):
        model = MLP(2, [8, 1], activation="tanh", seed=1)
        history = model.fit(rows, targets, epochs=30, lr=0.01, engine=engine, backend=backend)
        return [p.data for p in model.parameters()], history.loss

    monkeypatch.setattr(backends, "native_seconds", lambda program: 0.0)
    monkeypatch.setattr(backends, "LOADING", 0.0)
    monkeypatch.setattr(LoopOnNative, "run", fail)
    assert_same(trained("compiled", "auto"), trained("eager", "auto"))
    assert tried == [1]
    with pytest.raises(RuntimeError, match="there is no room left"):
        trained("compiled", "native")


# ------------------------------------------------------------------ optimisers of one's own


class Tanh(Optimizer):
    """Steps that a slope bounds, smaller and smaller."""

    def update(self, weights, gradients, lr):
        return [
            w - lr * g / (1.0 + abs(g)) / (self.steps + 1.0)
            for w, g in zip(weights, gradients, strict=True)
        ], ()


class Clipped(SGD):
    """The gradient's length is at most 0.1: all weights meet in it."""

    def update(self, weights, gradients, lr):
        length = sum(g * g for g in gradients) ** 0.5
        return super().update(weights, [g * min(1.0, 0.1 / length) for g in gradients], lr)


class Rated(Optimizer):
    """A rate for each weight."""

    def __init__(self, parameters, lr=0.1):
        super().__init__(parameters, lr)
        self.rates = [1.0] * (len(self.parameters) - 1) + [0.5]

    def update(self, weights, gradients, lr):
        return [w - lr * r * g for w, g, r in zip(weights, gradients, self.rates, strict=True)], ()


class Hoarder(Optimizer):
    """Keeps its memory where nobody looks."""

    def __init__(self, parameters, lr=0.1):
        super().__init__(parameters, lr)
        self.moves = [0.0] * len(self.parameters)

    def update(self, weights, gradients, lr):
        for i, g in enumerate(gradients):
            self.moves[i] = 0.9 * self.moves[i] + g
        return [w - lr * move for w, move in zip(weights, self.moves, strict=True)], ()


class Bounded(Optimizer):
    """A slope beyond 1 counts as 1, an infinite one too."""

    def update(self, weights, gradients, lr):
        return [
            w - lr * where(g > 1.0, 1.0, where(g < -1.0, -1.0, g))
            for w, g in zip(weights, gradients, strict=True)
        ], ()


class Led(Optimizer):
    """All weights move along the slope of the first."""

    def update(self, weights, gradients, lr):
        return [w - lr * gradients[0] for w in weights], ()


class InPlace(Optimizer):
    """Writes the new weights into the list that it is given."""

    def update(self, weights, gradients, lr):
        for i, g in enumerate(gradients):
            weights[i] -= lr * g
        return weights, ()


@pytest.mark.parametrize("optimizer", [Tanh, Clipped, Rated, Hoarder, Bounded, Led, InPlace])
def test_any_update_makes_the_steps_that_it_makes_on_values(optimizer, path):
    def make(ps):
        return optimizer(ps, 0.05)

    assert_same(run("compiled", optimizer=make, epochs=40), run("eager", optimizer=make, epochs=40))


def test_an_update_has_a_formula_where_it_is_the_same_for_all_weights():
    parameters = [Value(float(i)) for i in range(3)]
    found = {
        kind.__name__: update_of(kind(parameters, 0.1)) is not None
        for kind in (SGD, RMSprop, Adam, AdamW, Tanh, InPlace, Clipped, Rated, Hoarder, Led)
    }
    assert found == {
        "SGD": True, "RMSprop": True, "Adam": True, "AdamW": True, "Tanh": True, "InPlace": True,
        "Clipped": False, "Rated": False, "Hoarder": False, "Led": False,
    }  # fmt: skip
    hoarder = Hoarder(parameters)
    update_of(hoarder)
    assert hoarder.moves == [0.0, 0.0, 0.0]


def test_what_other_threads_draw_leaves_a_formula_its_update(monkeypatch):
    called = update._called

    def while_another_thread_draws(*given):
        random.random()
        return called(*given)

    monkeypatch.setattr(update, "_called", while_another_thread_draws)
    for kind in (SGD, RMSprop, Adam, AdamW):
        assert update_of(kind([Value(1.0), Value(2.0)]), is_known=True) is not None


# ------------------------------------------------------------------ the pass over known rows


def step(name, *operands):
    return Step(OPS[name], operands)


def test_zeros_and_ones_are_left_out_of_sums_and_products():
    x = Block("x", ()).inputs[0]
    zero, one, half = Constant(0.0), Constant(1.0), Constant(0.5)
    for given, expected in (
        (step("mul", x, one), x), (step("mul", one, x), x), (step("mul", x, zero), zero),
        (step("add", x, zero), x), (step("add", zero, x), x),
        (step("sub", x, zero), x), (step("div", x, one), x), (step("dot", x, zero, zero), zero), (step("dot", x, one, zero), x),
    ):  # fmt: skip
        assert simplified(Program([x.block], [given])).outputs == [expected]
    for given in (
        step("sub", zero, x),
        step("mul", x, half),
        step("div", one, x),
        step("dot", x, half, zero),
    ):
        assert simplified(Program([x.block], [given])).outputs == [given]


# ------------------------------------------------------------------ validation


@pytest.mark.parametrize("backend", ["auto", "python", "numpy", "native"])
@pytest.mark.parametrize(("loss", "reduction"), [("cross_entropy", "mean"), ("mse", "sum")])
def test_validation_of_many_rows_is_that_on_values(backend, loss, reduction):
    rng = random.Random(3)
    X = [[rng.random() for _ in range(6)] for _ in range(300)]
    y = [i % 3 if loss == "cross_entropy" else [rng.random()] * 3 for i in range(300)]
    curves = []
    for settings in ({"engine": "eager"}, {"engine": "compiled", "backend": backend}):
        model = MLP(6, [8, 3], activation="tanh", seed=0)
        history = model.fit(
            X[:20],
            y[:20],
            loss,
            lr=0.01,
            epochs=3,
            validation=(X, y),
            reduction=reduction,
            **settings,
        )
        curves.append(history.validation_loss)
    assert curves[1] == pytest.approx(curves[0], rel=1e-12)


def test_validation_sees_numbers_that_a_callback_changes():
    curves = []
    for engine in ("eager", "compiled"):
        model = MLP(6, [8, 1], activation="tanh", seed=0)
        model.layers[1].neurons[0].activation = gain = Gain()
        model.layers[1].neurons[0]._activate = gain
        X, y = [[0.1 * i] * 6 for i in range(200)], [1.0] * 200

        def anneal(epoch, history, model, gain=gain):
            gain.factor = 1.0 + epoch

        history = model.fit(
            X[:5], y[:5], lr=0.01, epochs=4, validation=(X, y), callback=anneal, engine=engine
        )
        curves.append(history.validation_loss)
    assert curves[1] == pytest.approx(curves[0], rel=1e-12)


class Gain:
    factor = 0.5

    def __call__(self, x):
        return x * self.factor
