"""No number of a row is frozen into a trace: what asks a traced number for itself is refused, or made on Values."""

from __future__ import annotations

import functools
import math

import pytest

from scalargrad import TraceError, Value, where
from scalargrad.nn import MLP, Module, Neuron

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 2.0]]
Y = [0.0, 1.0, 1.0, 0.0, 1.0]
LABELS = [0, 1, 1]


def swallowed(p, t):
    try:
        factor = 1.0 if t == 1 else 3.0
    except TypeError:
        factor = 7.0
    return factor * (p - t) ** 2


def swallowed_attribute(p, t):
    try:
        factor = 1.0 if t.is_integer() else 3.0
    except Exception:
        factor = 7.0
    return factor * (p - t) ** 2


def matched(p, t):
    match t:
        case 1:
            return 2 * (p - 1) ** 2
        case _:
            return (p - t) ** 2


def matched_by_kind(p, t):
    match t:
        case float():
            return 2 * (p - t) ** 2
        case _:
            return (p - t) ** 2


@functools.lru_cache
def kept(t):
    return 2.0 if t == 1 else 3.0


def weighed(factor):
    """The squared error times what a function makes of the target."""
    return lambda p, t: factor(t) * (p - t) ** 2


def as_value(x):
    return x if isinstance(x, Value) else Value(x)


# fmt: off
ASKING = {  # losses that ask a target for its number or its kind
    "if t == 1":                 lambda p, t: 2 * (p - 1) ** 2 if t == 1 else p**2,
    "if t != 0":                 lambda p, t: 2 * (p - 1) ** 2 if t != 0 else p**2,
    "t in (0, 1)":               weighed(lambda t: 2 if t in (1, 2) else 1),
    "t in {1}":                  weighed(lambda t: 2 if t in {1.0} else 1),
    "{0: a, 1: b}[t]":           weighed(lambda t: {0: 1.0, 1: 2.0}[t]),
    "{1: a}.get(t, b)":          weighed(lambda t: {1: 2.0}.get(t, 5.0)),
    "labels.count(t)":           weighed(lambda t: LABELS.count(t)),
    "labels.index(t)":           weighed(lambda t: 1 + LABELS.index(t)),
    "len({t, 1.0})":             weighed(lambda t: len({t, 1.0})),
    "hash(t)":                   weighed(lambda t: 2 if hash(t) == hash(1.0) else 1),
    "lru_cache":                 weighed(lambda t: kept(t)),
    "isinstance(t, float)":      weighed(lambda t: 2 if isinstance(t, float) else 1),
    "isinstance(t, Value)":      weighed(lambda t: 2 if isinstance(t, Value) else 1),
    "isinstance(…) and t > 0.5": weighed(lambda t: 2 if isinstance(t, float) and t > 0.5 else 1),
    "type(t) is float":          weighed(lambda t: 2 if type(t) is float else 1),
    "hasattr(t, 'backward')":    weighed(lambda t: 2 if hasattr(t, "backward") else 1),
    "t is an item":              weighed(lambda t: 2 if t is not Y[1] else 1),
    "case 1":                    matched,
    "case float()":              matched_by_kind,
    "str(t) == …":               weighed(lambda t: 2 if str(t) == "1.0" else 1),
    "{…}[repr(t)]":              weighed(lambda t: {"1.0": 2, "0.0": 1}[repr(t)]),
    "len(repr(t))":              weighed(lambda t: len(repr(t))),
    "f'{t}'":                    weighed(lambda t: 2 if f"{t}" == "1.0" else 1),
    "f'{t!r}'":                  weighed(lambda t: 2 if f"{t!r}" == "1.0" else 1),
    "'%s' % t":                  weighed(lambda t: 2 if "%s" % t == "1.0" else 1),  # noqa: UP031
    "bool(t)":                   weighed(lambda t: 2 if bool(t) else 1),
    "t and a or b":              weighed(lambda t: (t and 2) or 1),
    "t.is_integer()":            weighed(lambda t: 2 if t.is_integer() else 1),
    "math.isclose(t, 1)":        weighed(lambda t: 2 if math.isclose(t, 1) else 1),
    "t // 1":                    weighed(lambda t: 1 + t // 1),
    "divmod(t, 2)":              weighed(lambda t: 1 + divmod(t, 2)[1]),
    "round(t)":                  weighed(lambda t: 1 + round(t)),
    "sorted":                    weighed(lambda t: sorted([t, 0.5])[0]),
    "Value(t)":                  lambda p, t: (p - Value(t)) ** 2,
    "type(p) is Value":          lambda p, t: (p - t) ** 2 * (2 if type(p) is Value else 1),
    "a caught TraceError":       swallowed,
    "a caught AttributeError":   swallowed_attribute,
}
EQUAL = {  # losses that work on traced numbers as on others
    "where(t == 1, …)":          lambda p, t: where(t == 1, 2 * (p - 1) ** 2, p**2),
    "1 + (t == 1)":              weighed(lambda t: 1 + (t == 1)),
    "a Value, made of a number": lambda p, t: (p - as_value(t)) ** 2,
}
# fmt: on


def trained(loss, engine, model=MLP, **settings):
    made = MLP(2, [3, 1], seed=3) if model is MLP else model()
    settings = {"lr": 0.05, "epochs": 250, "backend": "python", **settings}
    history = made.fit(X, Y, loss=loss, engine=engine, **settings)
    return [p.data for p in made.parameters()], history.loss


@pytest.mark.parametrize("loss", ASKING.values(), ids=ASKING)
def test_a_loss_that_asks_a_target_is_made_on_values(loss):
    assert trained(loss, "auto") == trained(loss, "eager")
    with pytest.raises(TraceError):
        trained(loss, "compiled")


@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
@pytest.mark.parametrize("loss", EQUAL.values(), ids=EQUAL)
def test_a_loss_that_works_on_traced_numbers_is_compiled(loss, backend):
    weights, losses = trained(loss, "compiled", backend=backend, epochs=1000)
    expected, expected_losses = trained(loss, "eager", epochs=1000)
    assert weights == pytest.approx(expected, rel=1e-9)
    assert losses == pytest.approx(expected_losses, rel=1e-9)


class Asking(Module):
    """A line with another offset where an input asks for it."""

    def __init__(self):
        self.w = Value(0.0, "w")

    def __call__(self, x):
        return self.w * x[0] + self.offset(x[1])


class ByNumber(Asking):
    offset = staticmethod(lambda x: 10 if x == 1 else 0)


class ByTable(Asking):
    offset = staticmethod(lambda x: {1: 10.0}.get(x, 0.0))


class ByKind(Asking):
    offset = staticmethod(lambda x: 10.0 if isinstance(x, float) and x > 0.5 else 0.0)


class ByText(Asking):
    offset = staticmethod(lambda x: len(f"{x!r}"))


class ByWeight(Asking):
    """The kind of a weight that is 0 when training begins hides in no product."""

    def __call__(self, x):
        return self.w * (10.0 if type(self.w) is Value else 1.0)


@pytest.mark.parametrize("model", [ByNumber, ByTable, ByKind, ByText, ByWeight])
def test_a_model_that_asks_an_input_is_used_on_values(model):
    rows = [X[i % 3] for i in range(1200)]
    made = model()
    made.w.data = 0.5
    assert made.predict(rows) == made.predict(rows[:3]) * 400
    assert trained("mse", "auto", model) == trained("mse", "eager", model)
    with pytest.raises(TraceError):
        trained("mse", "compiled", model)


def test_weights_are_as_they_were_after_a_trace():
    made = Neuron(2, activation=None, seed=1)
    before = [p.data for p in made.parameters()]
    made.fit(X, Y, lr=0.0, epochs=3, engine="compiled")
    assert [p.data for p in made.parameters()] == before


def test_a_weight_that_stands_in_two_places_is_read_in_one():
    class Tied(Module):
        def __init__(self):
            self.a = [Value(0.5), Value(0.25)]
            self.b = [self.a[1], Value(2.0)]

        def __call__(self, x):
            return self.a[0] * x[0] + self.b[0] * x[1] + self.b[1] * self.a[1]

    made = Tied()
    rows = [X[i % 5] for i in range(1200)]
    assert made.predict(rows) == made.predict(rows[:5]) * 240
    assert trained("mse", "compiled", Tied)[1] == pytest.approx(trained("mse", "eager", Tied)[1])
