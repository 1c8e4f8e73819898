"""Nested arguments: a module is copied as far as that leads to parameters, and no further."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

from scalargrad import Value, compile, grad
from scalargrad.copies import is_data, with_values
from scalargrad.nn import MLP, Module
from scalargrad.trees import leaves


class Uncopied:
    """Something that nobody may copy."""

    def __deepcopy__(self, memo):
        raise AssertionError("copied")


class Model(Module):
    def __init__(self, held=None):
        self.w, self.held = Value(2.0, "w"), held

    def __call__(self, x=1.0):
        return self.w * self.w * x


class Slotted:
    __slots__ = ("w",)

    def __init__(self, w):
        self.w = w


def twin_of(model):
    return with_values(model, iter([Value(5.0) for _ in model.parameters()]))


HELD = {
    "a lock": threading.Lock,
    "a generator": lambda: (x for x in [1.0]),
    "a memoryview": lambda: memoryview(b"abc"),
    "an open file": functools.partial(open, __file__),
    "a package": lambda: threading,
    "an array": lambda: np.arange(100_000.0),
    "an object of its own kind": Uncopied,
    "a list of them": lambda: [Uncopied()] * 100_000,
    "a dict of lists": lambda: {"rows": [[Uncopied()]], "names": ("a", 1)},
    "a thread's event": threading.Event,
}


@pytest.mark.parametrize("kind", HELD)
def test_data_and_what_cannot_be_copied_is_shared(kind):
    held = HELD[kind]()
    model = Model(held)
    twin = twin_of(model)
    assert twin is not model
    assert twin.w.data == 5.0
    if isinstance(held, list | dict):
        assert [*twin.held] == [*held]
        assert twin.held is not held
    else:
        assert twin.held is held
    assert grad(lambda m: m())(model) == {"w": 4.0}
    assert compile(lambda m: m()).value_and_grad(model) == (4.0, {"w": 4.0})
    if hasattr(held, "close"):
        held.close()


def test_parameters_are_replaced_wherever_an_object_holds_them():
    model = Model()
    w = model.w
    model.slots, model.pairs, model.unordered = Slotted(w), OrderedDict(a=(1, [w])), {w}
    model.part = functools.partial(Model.__call__, model)
    model.method, model.array = model.__call__, np.array([[w, 1.0]], dtype=object)
    model.parent = [model]  # holds itself
    twin = twin_of(model)
    assert twin.slots.w is twin.pairs["a"][1][0] is twin.array[0, 0] is twin.w
    assert twin.unordered == {twin.w}
    assert twin.method.__self__ is twin.part.args[0] is twin.parent[0] is twin
    assert model.slots.w is model.pairs["a"][1][0] is model.array[0, 0] is model.w is w
    assert grad(lambda m: m.method() + m.part() + m.slots.w)(model)["w"] == 9.0


def test_a_forward_pass_leaves_the_model_as_it_was():
    class Counting(Model):
        def __init__(self):
            super().__init__([])
            self.calls, self.by_name = 0, {"x": 0}

        def __call__(self, x):
            self.calls += 1
            self.by_name["x"] += 1
            self.held.append(self.w * x)
            return self.held[-1]

    model = Counting()
    assert grad(lambda m: m(3.0) + m(4.0))(model) == {"w": 7.0}
    assert (model.calls, model.by_name, model.held) == (0, {"x": 0}, [])


def test_a_model_without_parameters_is_copied_no_deeper():
    model = MLP(1, [1], seed=0)
    model.layers, model.held = [], Uncopied()
    assert twin_of(model).held is model.held


def test_data_is_told_from_what_may_hold_parameters():
    w = Value(1.0)
    for data in (
        [], [1.0, 2, True, "a"], ([1.0], [2.0, 3]), {"a": [1.0], "b": {"c": (1,)}}, [1.0] * 20_000,
    ):  # fmt: skip
        assert is_data(data)
        assert is_data(data)
    itself: list[object] = [1.0]
    itself.append(itself)
    for other in ([w], [1.0, w], [[1.0], [w]], {"a": w}, {w: 1.0}, OrderedDict(a=w), itself):
        assert not is_data(other)


def test_a_long_list_that_gets_a_parameter_is_looked_through_again():
    model = Model([0.0] * 20_000)
    assert len(model.parameters()) == 1
    model.held.append(Value(1.0))
    assert len(model.parameters()) == 2
    model.held = [0.0] * 12_000 + [Value(1.0)] + [0.0] * 8_000
    assert len(model.parameters()) == 2
    assert twin_of(model).held[12_000].data == 5.0


LONG = {  # data, and where a number in them stands
    "a list": lambda: ([1.0] * 20_000, [12_345]),
    "rows": lambda: ([[1.0, 2.0] for _ in range(20_000)], [12_345, 0]),
    "a dict": lambda: (dict.fromkeys(range(20_000), 1.0), [12_345]),
    "dicts of lists": lambda: ([{"a": (2, [1.0])} for _ in range(20_000)], [12_345, "a", 1, 0]),
    "a list in a dict": lambda: ({"a": [1.0] * 20_000}, ["a", 12_345]),
    "an array of objects": lambda: (np.array([1.0] * 20_000, object), [12_345]),
    "an array in a list": lambda: ([np.array([1.0] * 20_000, object)], [0, 12_345]),
}


@pytest.mark.parametrize("kind", LONG)
def test_a_value_in_the_place_of_an_equal_number_is_seen_among_many(kind):
    data, (*outer, place) = LONG[kind]()
    model = Model(data)
    at = data
    for key in outer:
        at = at[key]
    assert len(model.parameters()) == 1
    assert twin_of(model).held is not None
    at[place] = Value(at[place])
    assert at[place] == 1.0
    assert len(model.parameters()) == 2
    slopes = grad(lambda m: m.w + 3.0 * reached(m.held, [*outer, place]))(model)
    assert sorted(leaves(dict(slopes), "the slopes")) == [1.0, 3.0]


def reached(data: Any, places: list[Any]) -> Any:
    for place in places:
        data = data[place]
    return data
