"""Ctrl-C in fit: whole weights, and a History of what was finished."""

from __future__ import annotations

import signal

import pytest

from scalargrad import Value
from scalargrad.nn import SGD, Neuron, mse
from scalargrad.nn.optimizers import put

from .interrupting import AtLine

X, Y = [1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]


def neuron():
    return Neuron(1, activation=None, init="zeros")


def weights(model):
    return [p.data for p in model.parameters()]


def after(steps, **settings):
    """The weights after so many whole steps of two rows each."""
    model, seen = neuron(), []

    class Noting(SGD):
        def step(self):
            super().step()
            seen.append(weights(model))

    model.fit(X, Y, optimizer=Noting, lr=0.01, epochs=3, batch_size=2, **settings)
    return seen[steps - 1]


def interrupting_loss(at, act):
    calls = []

    def loss(p, t):
        calls.append(t)
        if len(calls) == at:
            act()
        return mse(p, t)

    return loss


def ctrl_c():
    raise KeyboardInterrupt


def real_signal():
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("act", [ctrl_c, real_signal])
def test_ctrl_c_within_a_batch_leaves_the_last_whole_step(act):
    model = neuron()
    history = model.fit(
        X, Y, loss=interrupting_loss(8, act), lr=0.01, epochs=3, batch_size=2
    )  # the last row of the second epoch
    assert weights(model) == after(3)
    assert history.interrupted
    assert len(history.loss) == 1
    assert [p.grad for p in model.parameters()] == [0.0, 0.0]
    assert repr(history).endswith("interrupted=True)")
    assert history.seconds > 0


def test_ctrl_c_within_a_step_leaves_the_last_whole_step():
    class Breaking(SGD):
        def update(self, weights, gradients, lr):
            moved = super().update(weights, gradients, lr)
            if self.steps == 3:
                raise KeyboardInterrupt
            return moved

    model = neuron()
    history = model.fit(X, Y, optimizer=Breaking, lr=0.01, epochs=3, batch_size=2)
    assert weights(model) == after(3)
    assert (len(history.loss), history.interrupted) == (1, True)


def test_ctrl_c_in_validation_keeps_both_curves_of_one_length():
    model = neuron()
    history = model.fit(
        X, Y, loss=interrupting_loss(11, ctrl_c), lr=0.01, epochs=3, validation=([1.0], [2.0])
    )
    assert (
        len(history.loss) == len(history.validation_loss) == 2
    )  # an epoch is 4 rows and 1: the eleventh is in the third
    model = neuron()
    history = model.fit(
        X, Y, loss=interrupting_loss(10, ctrl_c), lr=0.01, epochs=3, validation=([1.0], [2.0])
    )
    assert len(history.loss) == len(history.validation_loss) == 1


def test_ctrl_c_in_the_first_epoch_leaves_an_empty_history():
    model = neuron()
    history = model.fit(X, Y, loss=interrupting_loss(1, ctrl_c), lr=0.01)
    assert (history.loss, history.interrupted, weights(model)) == ([], True, [0.0, 0.0])


def test_ctrl_c_in_a_callback_keeps_that_epoch():
    def callback(epoch, history, model):
        raise KeyboardInterrupt

    history = neuron().fit(X, Y, lr=0.01, callback=callback)
    assert (len(history.loss), history.interrupted) == (1, True)


def test_training_goes_on_after_ctrl_c_as_if_nothing_had_happened():
    model = neuron()
    model.fit(X, Y, loss=interrupting_loss(3, ctrl_c), lr=0.01, batch_size=2, engine="eager")
    model.fit(X[2:], Y[2:], lr=0.01, epochs=1)
    assert weights(model) == after(2)


def test_a_run_that_was_not_interrupted_says_so():
    assert neuron().fit(X, Y, lr=0.01, epochs=1).interrupted is False


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_a_signal_cannot_split_an_assignment():
    values = [Value(0.0) for _ in range(20_000)]
    names, armed, hits = ["data"] * len(values), [], []

    def ring(number, frame):
        if armed:
            armed.clear()
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, ring)
    try:
        for attempt in range(1, 40):
            numbers = [float(attempt)] * len(values)
            armed.append(True)
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-4)
                put(values, names, numbers)
            except KeyboardInterrupt:
                hits.append(attempt)
            armed.clear()
            assert len({value.data for value in values}) == 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert hits


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize(("engine", "epochs"), [("eager", 4), ("compiled", 150)])
def test_wherever_ctrl_c_comes_the_history_has_the_epochs_that_the_weights_have(
    engine, epochs, batch_size
):
    names = {
        "fit",
        "steps",
        "_at_once",
        "_one_by_one",
        "of_epochs",
        "step",
        "move",
        "become",
        "put",
    }
    lines = 0

    def fitted(at):
        """The number of steps that were made, and the losses, where a line is interrupted: the line `at` of those that make steps and take losses."""
        nonlocal lines
        kept = []

        def optimizer(parameters):
            kept.append(SGD(parameters, 0.01))
            interrupt.start()
            return kept[0]

        settings = {"epochs": epochs, "batch_size": batch_size, "engine": engine}
        with AtLine(names, at) as interrupt:
            history = neuron().fit(X, Y, optimizer=optimizer, backend="python", **settings)
        lines = interrupt.lines
        return kept[0].steps, history.loss

    size = 1 if batch_size is None else 2
    steps, losses = fitted(0)
    assert (steps, len(losses)) == (epochs * size, epochs)
    ends = 0
    for at in range(1, lines + 1, 2):  # blocks of steps come again, so others are met there
        try:
            steps, found = fitted(at)
        except KeyboardInterrupt:  # before its first line or after its last
            continue
        assert found == losses[: steps // size], at
        ends += steps < epochs * size
    assert ends > 10


@pytest.mark.parametrize("steps", [2, [], "many"])
def test_what_a_foreign_optimizer_calls_its_steps_is_no_matter(steps):
    class Foreign:
        def __init__(self, parameters):
            self.parameters, self.steps, self.made = list(parameters), steps, 0

        def zero_grad(self):
            for p in self.parameters:
                p.grad = 0.0

        def step(self):
            for p in self.parameters:
                p.data -= 0.01 * p.grad
            self.steps, self.made = self.steps * 2, self.made + 1

    whole = neuron().fit(X, Y, optimizer=Foreign, epochs=5, batch_size=2)
    for at in range(1, 21):  # an epoch is four rows
        history = neuron().fit(
            X, Y, loss=interrupting_loss(at, ctrl_c), optimizer=Foreign, epochs=5, batch_size=2
        )
        assert history.loss == whole.loss[: (at - 1) // 4]
