"""Models, losses and optimisers that change something themselves, or are changed: the same steps with every engine."""

from __future__ import annotations

import pytest

from scalargrad import TraceError, Value
from scalargrad.nn import SGD, Adam, Module, Neuron, compiled

X, Y = [0.0, 1.0, 2.0], [1.0, 3.0, 5.0]


class Line(Module):
    """A line with a factor that something else may change."""

    def __init__(self):
        self.w, self.b, self.factor, self.calls = Value(0.5, "w"), Value(0.1, "b"), 1.0, 0

    def __call__(self, x):
        return self.factor * self.w * x + self.b


def trained(engine, model=Line, epochs=400, **settings):
    made = model()
    settings = {"optimizer": lambda ps: SGD(ps, 0.01), "backend": "python", **settings}
    history = made.fit(X, Y, engine=engine, epochs=epochs, **settings)
    return [p.data for p in made.parameters()], history.loss


# ------------------------------------------------------------------ optimisers


class Warming(SGD):
    """Its rate grows with the steps."""

    def rate(self, step):
        return 0.02 * min(1.0, (step + 1) / 100)


class Cooling(SGD):
    """Its update makes the rate smaller."""

    def update(self, weights, gradients, lr):
        moved = super().update(weights, gradients, lr)
        self.lr = lr * 0.99
        return moved


class Shrinking(SGD):
    """Its update makes the rate smaller, and reads it from itself."""

    def update(self, weights, gradients, lr):
        self.lr *= 0.99
        return [w - self.lr * g for w, g in zip(weights, gradients, strict=True)], ()


class OfItself(SGD):
    """Its update reads the rate and the weights from itself."""

    def update(self, weights, gradients, lr):
        data = [p.data for p in self.parameters]
        return [w - self.lr * g for w, g in zip(data, gradients, strict=True)], ()


class OfItsRate(SGD):
    def update(self, weights, gradients, lr):
        return [w - self.lr * g for w, g in zip(weights, gradients, strict=True)], ()


class Bounded(SGD):
    """It keeps weights within bounds when it sets them."""

    def become(self, weights, state, steps):
        super().become([min(w, 1.5) for w in weights], state, steps)


class OfGradients(SGD):
    """Its update reads the gradients from the parameters."""

    def update(self, weights, gradients, lr):
        return [w - lr * p.grad for w, p in zip(weights, self.parameters, strict=True)], ()


class Falling(SGD):
    """Its rate is a property."""

    lr = property(lambda self: 0.02 / (1 + self.steps), lambda self, lr: None)


class OfKinds(SGD):
    """Its update asks for the kind of a weight."""

    def update(self, weights, gradients, lr):
        lr = lr if isinstance(weights[0], float) else 2 * lr
        return [w - lr * g for w, g in zip(weights, gradients, strict=True)], ()


class OfText(SGD):
    """Its update asks for the text of a weight."""

    def update(self, weights, gradients, lr):
        lr = lr if "".join(["", str(weights[0])])[0].isdigit() else 2 * lr
        return [w - lr * g for w, g in zip(weights, gradients, strict=True)], ()


class Counting(SGD):
    """Steps become smaller after a hundred of them, which it counts."""

    count = 0

    def update(self, weights, gradients, lr):
        self.count += 1
        return super().update(weights, gradients, lr if self.count <= 100 else lr / 2)


@pytest.mark.parametrize("is_refused", [False, True])
@pytest.mark.parametrize(
    "kind",
    [
        *(Warming, Cooling, Shrinking, Falling, Bounded, Counting),
        *(OfItself, OfItsRate, OfGradients, OfKinds, OfText),
    ],
)
def test_an_optimiser_of_one_s_own_makes_the_steps_it_makes_on_values(kind, is_refused):
    found = {}
    for engine in ("eager", "compiled" if is_refused else "auto"):
        try:
            found[engine] = trained(engine, optimizer=lambda ps: kind(ps, 0.02))
        except TraceError as error:
            assert "is its own and cannot be compiled" in str(error)  # noqa: PT017
            assert is_refused
            assert kind in (Warming, Falling, Bounded)
            return
    (weights, losses), (others, other_losses) = found.values()
    assert weights == pytest.approx(others, rel=1e-12)
    assert losses == pytest.approx(other_losses, rel=1e-9)


def test_a_rate_that_a_callback_sets_is_that_of_an_update_that_reads_it_itself():
    def fitted(engine):
        kept = []

        def cool(epoch, history, model):
            kept[0].lr *= 0.97

        return trained(
            engine, epochs=120, callback=cool,
            optimizer=lambda ps: kept.append(OfItsRate(ps, 0.05)) or kept[0],
        )  # fmt: skip

    weights, losses = fitted("compiled")
    expected, expected_losses = fitted("eager")
    assert weights == pytest.approx(expected, rel=1e-12)
    assert losses == pytest.approx(expected_losses, rel=1e-9)


# ------------------------------------------------------------------ models and losses


class CountingItsCalls(Line):
    def __call__(self, x):
        self.calls += 1
        return super().__call__(x) * (1.0 if self.calls > 100 else 0.5)


class Collecting(Line):
    def __init__(self):
        super().__init__()
        self.seen = []

    def __call__(self, x):
        self.seen.append(0)
        return super().__call__(x) * (1.0 if len(self.seen) > 100 else 0.5)


class CountingInItsClass(Line):
    count = 0

    def __call__(self, x):
        type(self).count += 1
        return super().__call__(x) * (1.0 if self.count > 100 else 0.5)


class KeepingItsLatest(Line):
    """A number that nothing reads does not matter."""

    def __call__(self, x):
        self.latest = [x, super().__call__(x)]
        return self.latest[1]


@pytest.mark.parametrize("model", [CountingItsCalls, Collecting, CountingInItsClass])
def test_a_model_that_counts_its_calls_is_trained_on_values(model):
    found = []
    for engine in ("eager", "auto", "compiled"):
        CountingInItsClass.count = 0
        if engine == "compiled":
            with pytest.raises(TraceError, match="would be frozen"):
                trained(engine, model)
        else:
            found.append(trained(engine, model, epochs=350))
    if model is not CountingInItsClass:  # calls of a trial count there, too
        assert found[0] == found[1]


def test_a_model_that_keeps_its_latest_numbers_is_compiled():
    assert trained("compiled", KeepingItsLatest)[0] == pytest.approx(
        trained("eager", KeepingItsLatest)[0], rel=1e-12
    )


def test_a_loss_that_counts_is_refused():
    counts = [0]

    def loss(p, t):
        counts[0] += 1
        return (p - t) ** 2 * (1.0 if counts[0] > 100 else 0.5)

    with pytest.raises(TraceError, match="what they count would be frozen"):
        trained("compiled", loss=loss)


def test_a_loss_that_makes_a_table_when_it_is_first_called_is_compiled():
    table = {}

    def loss(p, t):
        if not table:
            table["half"] = 0.5
        return table["half"] * (p - t) ** 2

    weights, _ = trained("compiled", loss=loss)
    assert weights == pytest.approx(trained("eager", loss=loss)[0], rel=1e-12)


# ------------------------------------------------------------------ what a callback changes


def test_code_is_made_anew_after_a_change_and_no_more_where_changes_go_on(monkeypatch):
    def fitted(engine, change):
        def callback(epoch, history, model):
            model.factor = change(epoch)

        return trained(engine, epochs=300, callback=callback)

    made = []
    build = compiled.Generated._build

    def counted(self, draws):
        build(self, draws)
        made.append(1)
        self.seconds = 0.0  # so that the first look without a change is enough

    monkeypatch.setattr(compiled.Generated, "_build", counted)
    for change, most in (
        (lambda epoch: 1.0, 1),
        (lambda epoch: 2.0 if epoch > 20 else 1.0, 2),
        (lambda epoch: 0.99**epoch, 1),
    ):
        made.clear()
        weights, losses = fitted("compiled", change)
        assert len(made) == most
        expected, expected_losses = fitted("eager", change)
        assert weights == pytest.approx(expected, rel=1e-12)
        assert losses == pytest.approx(expected_losses, rel=1e-9)


def test_adam_of_a_neuron_is_compiled_as_before():
    found = [
        Neuron(1, seed=0, activation=None).fit(X, Y, optimizer=Adam, lr=0.1, epochs=200, engine=engine).loss
        for engine in ("compiled", "eager")
    ]  # fmt: skip
    assert found[0] == pytest.approx(found[1], rel=1e-9)
