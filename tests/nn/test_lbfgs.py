"""fit by L-BFGS: where it ends, what it keeps, and the same numbers on both engines."""

from __future__ import annotations

import math
import re
import sys

import pytest

from scalargrad import Module, Value, exp
from scalargrad.nn import LBFGS, MLP, Neuron, l2

from .interrupting import AtLine

np = pytest.importorskip("numpy")
optimize = pytest.importorskip("scipy.optimize")

RNG = np.random.default_rng(2)
X = RNG.normal(size=(20, 2))
Y = np.sin(X[:, 0]) * X[:, 1]
WEIGHTS = RNG.integers(1, 4, 20)
ENGINES = ("eager", "compiled")
SEARCHES = pytest.mark.parametrize("engine", ENGINES)


def net():
    return MLP(2, [4, 1], activation="tanh", seed=3)


def numbers(model):
    return [p.data for p in model.parameters()]


def by_hand(p):
    """The mean squared error of `net` with these weights, and its slopes: NumPy's formulas."""
    W1, b1 = p[:12].reshape(4, 3)[:, :2], p[:12].reshape(4, 3)[:, 2]
    W2, b2 = p[12:16], p[16]
    a1 = np.tanh(X @ W1.T + b1)
    off = a1 @ W2 + b2 - Y
    dz2 = 2.0 * off / len(Y)
    dz1 = np.outer(dz2, W2) * (1.0 - a1**2)
    first = np.hstack([dz1.T @ X, dz1.sum(axis=0)[:, None]])
    return np.mean(off**2), np.concatenate([first.ravel(), a1.T @ dz2, [dz2.sum()]])


@SEARCHES
@pytest.mark.parametrize("backend", ["python", "numpy"])
def test_an_epoch_is_an_iteration_of_scipy_and_has_its_loss_before_it(engine, backend):
    model, losses, places = net(), [], []
    found = optimize.minimize(
        lambda p: losses.append(by_hand(p)) or losses[-1],
        numbers(model), jac=True, method="L-BFGS-B", callback=lambda p: places.append(p.copy()),
        options={"maxiter": 9},
    )  # fmt: skip
    assert found.nit == 9
    start, seen = numbers(model), []
    history = model.fit(
        X, Y, optimizer="lbfgs", epochs=9, engine=engine, backend=backend,
        callback=lambda epoch, history, model: seen.append(numbers(model)),
    )  # fmt: skip
    wanted = [by_hand(p)[0] for p in [np.array(start), *places[:-1]]]
    np.testing.assert_allclose(history.loss, wanted, rtol=1e-10)
    np.testing.assert_allclose(seen, places, rtol=1e-8)
    assert seen[-1] == numbers(model)


@SEARCHES
@pytest.mark.parametrize(
    "options",
    [
        {"penalty": lambda model: 1e-2 * l2(model)},
        {"sample_weight": WEIGHTS},
        {"reduction": "sum", "validation": (X[:5], Y[:5]), "metrics": "mae"},
        {"optimizer": lambda p: LBFGS(p, memory=2, ftol=0.0, gtol=1e-9)},
    ],
    ids=["penalty", "weights", "sum and validation", "options"],
)
def test_what_fit_takes_gives_the_same_numbers_on_values_and_compiled(engine, options):
    model, twin = net(), net()
    common = {"optimizer": "lbfgs", "epochs": 8} | options
    history, wanted = (
        model.fit(X, Y, engine=engine, **common),
        twin.fit(X, Y, engine="eager", **common),
    )
    for ours, theirs in (
        (numbers(model), numbers(twin)),
        (history.loss, wanted.loss),
        (history.validation_loss, wanted.validation_loss),
        (history.metrics.get("mae", []), wanted.metrics.get("mae", [])),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@SEARCHES
def test_a_row_of_weight_3_is_three_rows(engine):
    model, twin = net(), net()
    model.fit(X, Y, optimizer="lbfgs", epochs=6, sample_weight=WEIGHTS, engine=engine)
    twin.fit(np.repeat(X, WEIGHTS, axis=0), np.repeat(Y, WEIGHTS), optimizer="lbfgs", epochs=6)
    np.testing.assert_allclose(numbers(model), numbers(twin), rtol=1e-7)


@SEARCHES
def test_it_ends_where_nothing_is_to_be_gained(engine):
    line = Neuron(1, activation=None, init="zeros")
    history = line.fit([0, 1, 2], [1, 3, 5], optimizer="lbfgs", epochs=200, engine=engine)
    assert len(history.loss) < 15
    assert numbers(line) == pytest.approx([2.0, 1.0], abs=1e-5)
    exact = Neuron(1, activation=None, init="zeros")
    for p, number in zip(exact.parameters(), (2.0, 1.0), strict=True):
        p.data = number
    history = exact.fit([0, 1, 2], [1, 3, 5], optimizer="lbfgs", engine=engine)
    assert (history.loss, numbers(exact)) == ([0.0], [2.0, 1.0])


@SEARCHES
def test_patience_and_a_callback_end_it_and_keep_their_weights(engine):
    model, kept = net(), []

    def keep(epoch, history, model):
        kept.append(numbers(model))
        return epoch == 5

    history = model.fit(X, Y, optimizer="lbfgs", epochs=60, callback=keep, engine=engine)
    assert len(history.loss) == len(kept) == 6
    assert numbers(model) == kept[-1]
    assert [p.grad for p in model.parameters()] == [0.0] * 17
    model, kept = net(), []
    history = model.fit(
        X[:6], Y[:6], optimizer="lbfgs", epochs=200, validation=(X[6:], Y[6:]), patience=4,
        callback=lambda epoch, history, model: kept.append(numbers(model)), engine=engine,
    )  # fmt: skip
    best = int(np.argmin(history.validation_loss))
    assert history.best_epoch == best
    assert numbers(model) == kept[best]


class Scaled(Module):
    def __init__(self):
        self.w, self.scale = Value(1.0), 1.0

    def __call__(self, x):
        return self.scale * self.w * x


@SEARCHES
def test_what_a_callback_changes_counts_from_there_on(engine):
    def change(epoch, history, model):
        if epoch == 1:
            model.scale = 0.5
        if epoch == 3:
            model.w.data = 100.0

    model = Scaled()
    history = model.fit(
        [1.0, 2.0], [3.0, 6.0], optimizer="lbfgs", epochs=30, callback=change, engine=engine
    )
    assert model.w.data == pytest.approx(6.0)
    assert history.loss[4] == pytest.approx(2.5 * (50.0 - 3.0) ** 2)


@SEARCHES
def test_a_trial_whose_loss_is_not_finite_turns_back(engine):
    model = Neuron(1, activation=None, init="zeros")

    def steep(p, t):  # overflows from some 27 on
        return exp((p - t) ** 2 - 4.0)

    history = model.fit(
        [0.0, 200.0, -300.0], [1.0, 2.5, 2.0], loss=steep, optimizer="lbfgs", engine=engine
    )
    assert history.loss[-1] < history.loss[0]
    assert all(map(math.isfinite, [*history.loss, *numbers(model)]))
    model.w[0].data = 1e3
    with pytest.raises(
        FloatingPointError, match="where the search begins, so no weight was changed"
    ):
        model.fit([0.0, 200.0], [1.0, 2.5], loss=steep, optimizer="lbfgs", engine=engine)
    assert model.w[0].data == 1e3


@SEARCHES
def test_wherever_ctrl_c_comes_weights_are_those_of_the_last_epoch(engine):
    names = {"fit", "search", "run", "value_and_grad", "after_iteration", "accept", "gradient"}
    names |= {"backward", "become", "is_over"}

    def fitted(at):
        """The history and the weights where the line of that number is interrupted."""
        model = Neuron(1, activation=None, init="zeros")

        def optimizer(parameters):
            interrupt.start()
            return LBFGS(parameters)

        with AtLine(names, at) as interrupt:
            history = model.fit(
                [1.0, 2.0, 3.0], [2.0, 4.5, 6.0], optimizer=optimizer, epochs=3, engine=engine,
                backend="python",
            )  # fmt: skip
        return history, numbers(model), interrupt.lines

    whole = []
    for epochs in range(4):
        model = Neuron(1, activation=None, init="zeros")
        if epochs:
            model.fit(
                [1.0, 2.0, 3.0], [2.0, 4.5, 6.0], optimizer="lbfgs", epochs=epochs, engine=engine
            )
        whole.append(numbers(model))
    _, _, lines = fitted(0)
    assert lines > 50
    ends = set()
    for at in range(1, lines, 3):
        try:
            history, found, _ = fitted(at)
        except KeyboardInterrupt:
            continue  # before training began, or when it had ended
        assert found == pytest.approx(whole[len(history.loss)], rel=1e-12), at
        ends.add(len(history.loss))
    assert ends == {0, 1, 2, 3}


WRONG = {
    "batches": ({"batch_size": 5}, ValueError, "compares losses of all rows, as they are: leave batch_size=5 out"),
    "shuffle": ({"shuffle": True}, ValueError, "leave shuffle=True out"),
    "a length": ({"clip_norm": 1.0}, ValueError, "searches along the whole gradient: leave clip_norm out"),
    "a rate": ({"lr": 0.1}, ValueError, "L-BFGS finds the length of each step, and lr=0.1 would be lost: leave lr out"),
    "no memory": ({"optimizer": lambda p: LBFGS(p, memory=0)}, ValueError, "memory must be 1 or more, got 0"),
    "a negative end": ({"optimizer": lambda p: LBFGS(p, gtol=-1.0)}, ValueError, "gtol must be 0 or more"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_wrong_options_say_what_is_wrong(case):
    options, kind, text = case
    with pytest.raises(kind, match=re.escape(text)):
        net().fit(X, Y, **({"optimizer": "lbfgs"} | options))


def test_a_batch_of_all_rows_is_all_rows():
    assert len(net().fit(X, Y, optimizer="lbfgs", batch_size=20, epochs=2).loss) == 2


def test_without_scipy_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match="optimizer='lbfgs' needs SciPy, the 'scipy' extra"):
        net().fit(X, Y, optimizer="lbfgs")


def test_no_step_by_hand():
    with pytest.raises(TypeError, match=re.escape("write model.fit(X, y, optimizer='lbfgs')")):
        LBFGS([Value(1.0)]).step()
