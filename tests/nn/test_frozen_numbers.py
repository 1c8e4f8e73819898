"""No number of a row is frozen into a trace: what asks a traced number for itself is refused, or made on Values."""

from __future__ import annotations

import collections
import functools
import json
import math
import operator
import re

import pytest

from scalargrad import TraceError, Value, compile, value_and_grad, where
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


def without_a_method(t):
    try:
        t.tanh()
    except AttributeError:
        return 2.0 if t == 1 else 1.0
    return 1.0


def without_a_float(t):
    try:
        return 2.0 if float.__eq__(t, 1.0) else 1.0
    except TypeError:
        return 1.0


@functools.singledispatch
def dispatched(t):
    return 1.0


@dispatched.register
def _(t: float):
    return 2.0 if t == 1 else 1.0


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


of_a_kind = isinstance  # another name hides nothing
# fmt: off
RARELY = {  # factors that are 2 for a target of 1 and 1 for others, and cannot tell so of a traced number
    "(t == 1) is True":       lambda t: 2.0 if (t == 1) is True else 1.0,
    "(t != 1) is False":      lambda t: 2.0 if (t != 1) is False else 1.0,
    "operator.is_":           lambda t: 2.0 if operator.is_(t == 1, True) else 1.0,
    "isinstance and t == 1":  lambda t: 2.0 if isinstance(t, float) and t == 1 else 1.0,
    "isinstance, renamed":    lambda t: 2.0 if of_a_kind(t, float) and t == 1 else 1.0,
    "type in a dict":         lambda t: {float: lambda t: 1.0 + (t == 1)}.get(type(t), lambda t: 1.0)(t),
    "singledispatch":         lambda t: dispatched(t),
    "getattr":                lambda t: 2.0 if getattr(t, "label", None) is None and t == 1 else 1.0,
    "dir":                    lambda t: 2.0 if "label" not in dir(t) and t == 1 else 1.0,
    "a method that is not":   without_a_method,
    "float.__eq__":           without_a_float,
    "a key beside a cache":   lambda t: kept(t) * 0.0 + {1.0: 2.0}.get(t, 1.0),
    "Counter beside a cache": lambda t: kept(t) * 0.0 + 1.0 + collections.Counter([t])[1.0],
    "text of a list":         lambda t: 2.0 if str([t]) == "[1.0]" else 1.0,
    "joined text":            lambda t: 2.0 if "".join(["", str(t)]) == "1.0" else 1.0,
    "text that is matched":   lambda t: 2.0 if re.match("1", str(t)) else 1.0,
    "text in JSON":           lambda t: 2.0 if json.dumps([t], default=str) == "[1.0]" else 1.0,
}
# fmt: on
MANY = [0.0 if i % 3 else 2.0 for i in range(1200)]  # of which one becomes 1
MANY[737] = 1.0


class Rarely(Module):
    def __init__(self, factor):
        self.w, self.b, self.factor = Value(0.3), Value(0.1), factor

    def __call__(self, x):
        return (self.w * x[0] + self.b) * self.factor(x[1])


@pytest.mark.parametrize("factor", RARELY.values(), ids=RARELY)
def test_a_choice_that_one_row_in_a_thousand_makes_is_not_frozen(factor):
    rows = [[0.5, t] for t in MANY]
    model = Rarely(factor)
    assert model.predict(rows) == [model(row).data for row in rows]
    found = {}
    for engine in ("eager", "auto"):
        model, line = Rarely(factor), Neuron(2, activation=None, seed=1)
        losses = model.fit(rows, MANY, lr=0.01, epochs=2, engine=engine, backend="python").loss
        losses += line.fit(
            rows, MANY, loss=weighed(factor), lr=0.01, epochs=2, engine=engine, backend="python",
            validation=(rows[730:740], MANY[730:740]),
        ).loss  # fmt: skip
        found[engine] = losses, [p.data for p in (*model.parameters(), *line.parameters())]
    assert found["auto"] == found["eager"]
    with pytest.raises(TraceError):
        model.fit(rows, MANY, epochs=1, engine="compiled")
    with pytest.raises(TraceError):
        compile(lambda w, t: factor(t) * (w - t) ** 2, rows=("t",))(0.3, MANY)


def test_validation_rows_of_another_kind_than_those_of_training_are_measured_on_values():
    def loss(p, t):
        return (p - t) ** 2 * (2.0 if isinstance(t, float) and t > 3 else 1.0)

    found = [
        Neuron(2, seed=1).fit(
            X, Y, loss=loss, epochs=300, engine=engine, validation=(X, [5.0] * len(X))
        ).validation_loss
        for engine in ("eager", "compiled")
    ]  # fmt: skip
    assert found[1] == pytest.approx(found[0], rel=1e-9)


def test_code_that_asks_and_gives_the_same_is_compiled():
    def f(w, t):
        try:
            shift = 0.0 if (w is t) is True else 1.0
        except ValueError:
            return w
        return (w - as_value(t)) ** 2 + shift if isinstance(t, Value) else (w - t) ** 2 + shift

    assert compile(f).value_and_grad(0.5, 2.0) == value_and_grad(f)(0.5, 2.0)


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
