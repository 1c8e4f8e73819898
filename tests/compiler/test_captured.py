"""Numbers that a function takes from outside its arguments are noticed when they change."""

from __future__ import annotations

import array
import contextvars
import functools
import importlib
import math
import operator
import os
import sys
import threading
import types
import weakref
from collections import OrderedDict, deque
from dataclasses import dataclass
from unittest.mock import MagicMock, Mock

import numpy as np
import pandas
import pytest

import scalargrad as sg
from scalargrad import Module, Value
from scalargrad.compiler.captured import Captured

from .tools import compiled, counted

SCALE = 2.0
WEIGHTS = [1.0, 2.0]


def by_globals(x):
    return x * SCALE + WEIGHTS[1]


def helper(x):
    return x * SCALE


@pytest.fixture
def globals_restored():
    before = SCALE, [*WEIGHTS]
    yield globals()
    globals()["SCALE"], WEIGHTS[:] = before


# ------------------------------------------------------------------ numbers: an edit is noticed


def of_list():
    ws = [1.0, 2.0]
    return lambda x: x * ws[0], lambda: ws.__setitem__(0, 5.0)


def of_list_in_list():
    ws = [[1.0], [2.0]]
    return lambda x: x * ws[0][0], lambda: ws[0].__setitem__(0, 5.0)


def of_longer_list():
    ws = [1.0]
    return lambda x: x * sum(ws), lambda: ws.append(4.0)


def of_dict():
    p = {"w": 1.0}
    return lambda x: x * p["w"], lambda: p.update(w=5.0)


def of_dict_in_tuple():
    p = ({"w": 1.0}, 2)
    return lambda x: x * p[0]["w"], lambda: p[0].update(w=5.0)


def of_set():
    s = {1.0}
    return lambda x: x * sum(s), lambda: s.add(4.0)


def of_deque():
    queue = deque([1.0])
    return lambda x: x * queue[0], lambda: queue.__setitem__(0, 5.0)


def of_array():
    a = np.array([1.0, 2.0])
    return lambda x: x * a[0], lambda: a.__setitem__(0, 5.0)


def of_series():
    s = pandas.Series([1.0, 2.0])
    return lambda x: x * s[0], lambda: s.__setitem__(0, 5.0)


def of_array_of_objects():
    a = np.array([1.0, [2.0]], dtype=object)
    return lambda x: x * a[0] * a[1][0], lambda: a[1].__setitem__(0, 10.0)


def of_cell():
    w = 1.0

    def change():
        nonlocal w
        w = 5.0

    return lambda x: x * w, change


def of_sign_of_zero():
    ws = [0.0]
    return lambda x: sg.arctan2(ws[0], -x), lambda: ws.__setitem__(0, -0.0)


def of_sign_of_a_whole_zero():
    w = 0

    def change():
        nonlocal w
        w = -0.0

    return lambda x: sg.arctan2(w, -x), change


def of_attribute():
    item = types.SimpleNamespace(w=1.0)
    return lambda x: x * item.w, lambda: setattr(item, "w", 5.0)


def of_attribute_by_text():
    item = types.SimpleNamespace(w=1.0)
    return lambda x: x * getattr(item, "w"), lambda: setattr(item, "w", 5.0)  # noqa: B009


def of_attribute_of_attribute():
    item = types.SimpleNamespace(inner=types.SimpleNamespace(ws=[1.0]))
    return lambda x: x * item.inner.ws[0], lambda: item.inner.ws.__setitem__(0, 5.0)


def of_dataclass_with_slots():
    @dataclass(slots=True)
    class Item:
        w: float

    item = Item(1.0)
    return lambda x: x * item.w, lambda: setattr(item, "w", 5.0)


def of_method():
    class Item:
        def __init__(self):
            self.w = 1.0

        def __call__(self, x):
            return self.times(x)

        def times(self, x):
            return x * self.w

    item = Item()
    return item, lambda: setattr(item, "w", 5.0)


def of_class_attribute():
    class Item:
        w = 1.0

        def times(self, x):
            return x * self.w

    return Item().times, lambda: setattr(Item, "w", 5.0)


def of_property():
    class Item:
        inner = 1.0

        @property
        def w(self):
            return self.inner

    item = Item()
    return lambda x: x * item.w, lambda: setattr(item, "inner", 5.0)


def of_replaced_method():
    class Item:
        def times(self, x):
            return x

    item = Item()
    return lambda x: item.times(x), lambda: setattr(Item, "times", lambda self, x: x * 5.0)


def of_default():
    def fn(x, ws=[1.0]):  # noqa: B006
        return x * ws[0]

    return fn, lambda: fn.__defaults__[0].__setitem__(0, 5.0)


def of_keyword_default():
    def fn(x, *, w=1.0):
        return x * w

    return fn, lambda: setattr(fn, "__kwdefaults__", {"w": 5.0})


def of_partial():
    ws = [1.0]
    return functools.partial(lambda ws, x: x * ws[0], ws), lambda: ws.__setitem__(0, 5.0)


def of_inner_function():
    ws = [1.0]

    def inner(x):
        return x * ws[0]

    return lambda x: [inner(y) for y in [x]][0], lambda: ws.__setitem__(0, 5.0)  # noqa: RUF015


def of_function_in_place_of_another():
    table = {"f": sg.sin}
    return lambda x: table["f"](x), lambda: table.update(f=sg.exp)


def of_decorated():
    ws = [1.0]

    @functools.lru_cache
    def fn(x):
        return x * ws[0]

    return fn, lambda: ws.__setitem__(0, 5.0)


def of_module():
    module = types.ModuleType("settings_of_a_test")
    module.w, module.other = 1.0, 2.0
    return lambda x: x * module.w, lambda: setattr(module, "w", 5.0)


def of_model():
    class Scaled(Module):
        def __init__(self):
            self.w, self.factor = Value(3.0), 1.0

        def __call__(self, x):
            return self.w * x * self.factor

    model = Scaled()
    return lambda x: model(x), lambda: setattr(model, "factor", 5.0)


def of_replaced_parameter():
    model = sg.Neuron(1, activation=None, seed=1)
    return lambda x: model(x), lambda: setattr(model, "w", (Value(7.0),))


def of_values_read_as_numbers():
    w = Value(1.0)
    return lambda x: x * w.data, lambda: setattr(w, "data", 5.0)


def of_detached_values():
    w = Value(1.0)
    return lambda x: x * w.detach(), lambda: setattr(w, "data", 5.0)


def of_gradients_read_as_numbers():
    w = Value(1.0)
    w.grad = 1.0
    return lambda x: x * w.grad, lambda: setattr(w, "grad", 5.0)


def of_a_state():
    model = sg.Neuron(1, activation=None, seed=1)
    return lambda x: x * float(np.sum(model.state()["w"])), lambda: setattr(model.w[0], "data", 5.0)


def of_attribute_by_a_text_that_is_made():
    item, i = types.SimpleNamespace(w0=1.0), 0
    return lambda x: x * getattr(item, f"w{i}"), lambda: setattr(item, "w0", 5.0)


def of_slot_by_a_text_that_is_made():
    class Item:
        __slots__ = ("w0",)

    item, i = Item(), 0
    item.w0 = 1.0
    return lambda x: x * getattr(item, f"w{i}"), lambda: setattr(item, "w0", 5.0)


def of_all_attributes():
    item = types.SimpleNamespace(w=1.0)
    return lambda x: x * sum(vars(item).values()), lambda: setattr(item, "w", 5.0)


def of_attribute_by_a_path():
    item = types.SimpleNamespace(inner=types.SimpleNamespace(w=1.0))
    return lambda x: x * operator.attrgetter("inner.w")(item), lambda: setattr(item.inner, "w", 5.0)


def of_attribute_of_a_list():
    class Weights(list):
        scale = 1.0

    ws = Weights([2.0])
    return lambda x: x * ws[0] * ws.scale, lambda: setattr(ws, "scale", 5.0)


def of_attribute_of_a_function():
    def fn(x):
        return x * fn.w

    fn.w = 1.0
    return fn, lambda: setattr(fn, "w", 5.0)


def of_code_in_place_of_other():
    def inner(x):
        return x * 1.0

    return lambda x: inner(x), lambda: setattr(inner, "__code__", (lambda x: x * 5.0).__code__)


def of_view():
    table = {"w": 1.0}
    view = table.values()
    return lambda x: x * sum(view), lambda: table.update(w=5.0)


def of_proxy():
    table = {"w": 1.0}
    proxy = types.MappingProxyType(table)
    return lambda x: x * proxy["w"], lambda: table.update(w=5.0)


def of_packed_numbers():
    ws = array.array("d", [1.0])
    return lambda x: x * ws[0], lambda: ws.__setitem__(0, 5.0)


def of_bytes():
    ws = memoryview(bytearray(b"\x01"))
    return lambda x: x * ws[0], lambda: ws.__setitem__(0, 5)


def of_weak_reference():
    class Item:
        w = 1.0

    item = Item()
    weak = weakref.ref(item)
    return lambda x: x * weak().w, lambda: setattr(item, "w", 5.0)


def of_environment():
    os.environ["SCALARGRAD_SCALE"] = "1.0"
    return lambda x: x * float(os.environ["SCALARGRAD_SCALE"]), lambda: os.environ.update(
        SCALARGRAD_SCALE="5.0"
    )


def of_environment_by_function():
    os.environ["SCALARGRAD_SCALE"] = "1.0"
    return lambda x: x * float(os.getenv("SCALARGRAD_SCALE")), lambda: os.environ.update(
        SCALARGRAD_SCALE="5.0"
    )


def of_environment_by_another_name():
    os.environ["SCALARGRAD_SCALE"] = "1.0"
    read = functools.partial(os.getenv, "SCALARGRAD_SCALE")
    return lambda x: x * float(read()), lambda: os.environ.update(SCALARGRAD_SCALE="5.0")


def of_attribute_by_another_name():
    item, read = types.SimpleNamespace(w=1.0), operator.attrgetter("w")
    return lambda x: x * read(item), lambda: setattr(item, "w", 5.0)


def of_context_variable():
    scale = contextvars.ContextVar("scale", default=1.0)
    return lambda x: x * scale.get(), lambda: scale.set(5.0)


def of_the_default_of_a_context_variable():
    ws = [1.0]
    scale = contextvars.ContextVar("scale", default=ws)
    return lambda x: x * scale.get()[0], lambda: ws.__setitem__(0, 5.0)


class Permissive:
    """It answers to any name."""

    def __init__(self):
        self.w = 1.0

    def __getattr__(self, name):
        return self.w


def of_an_object_that_answers_to_any_name():
    item = Permissive()
    return lambda x: x * item.w, lambda: setattr(item, "w", 5.0)


def of_a_mock():
    item = Mock(w=1.0)
    return lambda x: x * item.w, lambda: setattr(item, "w", 5.0)


def of_an_attribute_that_was_not_there():
    item = types.SimpleNamespace(other=1.0)
    return (
        lambda x: x * item.w if hasattr(item, "w") else x + 1.0,
        lambda: setattr(item, "w", 5.0),
    )


def of_the_order_of_a_dict():
    ws = {"a": 1.0, "b": 2.0}
    return lambda x: x * next(iter(ws.values())), lambda: ws.__setitem__("a", ws.pop("a"))


def of_the_order_of_keys():
    ws = OrderedDict(a=1.0, bb=2.0)
    return lambda x: x * len(next(iter(ws))), lambda: ws.move_to_end("a")


def or_else(read, other):
    """What a read gives, or another number where there is nothing to read."""
    try:
        return read()
    except (AttributeError, NameError):
        return other


def of_an_attribute_that_its_class_had_not():
    kind = type("Kind", (), {})
    item = kind()
    return lambda x: x * or_else(lambda: item.w, 2.0), lambda: setattr(kind, "w", 5.0)


def of_an_attribute_that_a_class_takes_over():
    kind = type("Kind", (type("Base", (), {"w": 2.0}),), {})
    item = kind()
    return lambda x: x * item.w, lambda: setattr(kind, "w", 5.0)


def of_an_attribute_that_a_function_had_not():
    def fn(x):
        return x * or_else(lambda: fn.w, 2.0)

    return fn, lambda: setattr(fn, "w", 5.0)


def of_an_attribute_that_a_module_had_not():
    module = types.ModuleType("rates")
    return lambda x: x * or_else(lambda: module.w, 2.0), lambda: setattr(module, "w", 5.0)


def of_a_global_that_was_not_there():
    here = {"or_else": or_else}
    fn = types.FunctionType((lambda x: x * or_else(lambda: RATE, 2.0)).__code__, here)  # noqa: F821
    return fn, lambda: here.update(RATE=5.0)


def of_a_global_by_text_that_was_not_there():
    here = {"globals": globals}
    fn = types.FunctionType((lambda x: x * globals().get("RATE", 2.0)).__code__, here)
    return fn, lambda: here.update(RATE=5.0)


def of_the_order_of_attributes():
    item = types.SimpleNamespace(a=1.0, b=2.0)
    return lambda x: x * next(iter(vars(item).values())), lambda: vars(item).update(
        a=vars(item).pop("a")
    )


def of_an_attribute_of_the_kind_of_a_class():
    kind = type("Kind", (type,), {"w": 2.0})
    cls = kind("Class", (), {})
    return lambda x: x * cls.w, lambda: setattr(kind, "w", 5.0)


def of_sign_of_zero_in_a_tuple():
    p = {"w": (1.0, (0.0,))}
    return (
        lambda x: x * math.copysign(1.0, p["w"][1][0]),
        lambda: p.update(w=(1.0, (-0.0,))),
    )


def of_another_class():
    kind, other = (type("Kind", (), {"go": lambda self, x, w=w: x * w}) for w in (1.0, 5.0))
    item = kind()
    return lambda x: item.go(x), lambda: setattr(item, "__class__", other)


CASES = [value for name, value in globals().items() if name.startswith("of_")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_an_edit_is_noticed_and_what_is_as_it_was_is_not_traced_again(case):
    fn, change = case()
    counting, calls = counted(lambda x: fn(x))
    f = compiled(counting)
    before = f(1.5)
    of_a_trace = len(calls)
    for x in (1.5, 2.5, 3.5):
        assert f(x) == sg.value_and_grad(fn)(x)[0]
    assert len(calls) == of_a_trace
    change()
    if hasattr(fn, "cache_clear"):
        fn.cache_clear()
    value, slope = sg.value_and_grad(fn)(1.5)
    assert value != before
    assert f(1.5) == value
    assert f.value_and_grad(1.5) == (value, slope)
    anew, calls_anew = counted(lambda x: fn(x))
    compiled(anew)(1.5)
    assert len(calls) == of_a_trace + len(calls_anew)


def test_each_thread_has_its_own_numbers():
    class Scale(threading.local):
        w = 2.0

    scale, context, results = Scale(), contextvars.ContextVar("context", default=1.0), []
    f = compiled(lambda x: x * scale.w * context.get())

    def elsewhere():
        results.append(f(1.5))
        scale.w = 5.0
        results.append(f(1.5))
        context.set(2.0)
        results.append(f(1.5))

    scale.w = 7.0
    assert f(1.5) == 10.5
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert results == [3.0, 7.5, 15.0]
    assert f(1.5) == 10.5


@pytest.mark.parametrize("item", [Permissive(), Mock(), MagicMock()])
def test_what_answers_to_any_name_is_neither_a_number_nor_an_array(item):
    with pytest.raises(
        TypeError,
        match=r"unsupported operand|is MagicMock, expected a number|is Permissive, expected a number",
    ):
        compiled(lambda x, item: x * item)(1.0, item)


def test_globals_are_seen_in_every_function_that_is_reached(globals_restored):
    f, g = compiled(by_globals), compiled(lambda x: helper(x))
    assert (f(1.0), g(1.0)) == (4.0, 2.0)
    globals_restored["SCALE"] = 3.0
    assert (f(1.0), g(1.0)) == (5.0, 3.0)
    WEIGHTS[1] = 10.0
    assert f(1.0) == 13.0
    globals_restored["WEIGHTS"] = [0.0, 20.0]
    assert f(1.0) == 23.0
    globals_restored["WEIGHTS"][1] = 30.0
    assert f(1.0) == 33.0
    globals_restored["WEIGHTS"] = WEIGHTS


@pytest.mark.parametrize("make", [sg.grad, sg.value_and_grad, sg.jacobian, sg.hessian])
def test_globals_of_a_function_are_seen_behind_its_derivative(make, globals_restored):
    def cubed(x):
        return helper(x) ** 3

    f = compiled(make(cubed))
    for scale in (2.0, 3.0):
        globals_restored["SCALE"] = scale
        values = {
            sg.grad: 3.0 * scale**3,
            sg.value_and_grad: (scale**3, 3.0 * scale**3),
            sg.jacobian: 3.0 * scale**3,
            sg.hessian: 6.0 * scale**3,
        }
        assert f(1.0) == values[make]


def test_an_equal_list_in_place_of_another_is_watched_in_its_stead():
    item = types.SimpleNamespace(ws=[1.0, 2.0])
    f = compiled(lambda x: x * item.ws[0])
    assert f(1.0) == 1.0
    item.ws = [1.0, 2.0]
    assert f(1.0) == 1.0
    item.ws[0] = 5.0
    assert f(1.0) == 5.0


def test_an_equal_tuple_in_place_of_another_is_no_change():
    item = types.SimpleNamespace(ws=[(0.0, (0, 2.0))])
    fn, calls = counted(lambda x: x * item.ws[0][1][1])
    f = compiled(fn)
    assert f(1.0) == 2.0
    of_a_trace = len(calls)
    item.ws[0] = (float("0"), (0, float("2")))
    assert f(1.0) == 2.0
    assert len(calls) == of_a_trace


def test_what_the_code_does_not_name_is_not_looked_at():
    class Item:
        def __init__(self):
            self.w, self.steps, self.log = 1.0, 0, []

        def times(self, x):
            return x * self.w

        def train(self):
            self.steps += 1

    item = Item()
    fn, calls = counted(item.times)
    f = compiled(fn)
    for _ in range(3):
        f(2.0)
        item.train()
        item.log.append(1)
    assert len(calls) == 2


def test_containers_that_contain_themselves_are_looked_at_once():
    ws: list[object] = [1.0]
    ws.append(ws)
    p: dict[str, object] = {"w": 2.0}
    p["p"] = p
    f = compiled(lambda x: x * ws[0] * p["w"])
    assert f(1.0) == 2.0
    ws[0] = 5.0
    assert f(1.0) == 10.0
    ws[1] = [ws]
    assert f(1.0) == 10.0


def test_a_name_that_is_not_there_yet_is_found_when_it_is(globals_restored):
    def fn(x):
        return x * LATER  # noqa: F821

    f = compiled(fn)
    with pytest.raises(NameError, match="LATER"):
        f(1.0)
    globals_restored["LATER"] = 3.0
    assert f(1.0) == 3.0
    del globals_restored["LATER"]


def test_a_cell_that_is_not_set_yet_is_no_obstacle():
    def fn(x):
        return x * later if x is None else x

    assert compiled(fn)(2.0) == 2.0
    later = 3.0


def test_a_builtin_that_a_global_hides_is_noticed(globals_restored):
    f = compiled(by_builtin)
    assert f(-2.0) == 2.0
    globals_restored["abs"] = lambda x: x * 10.0
    assert f(-2.0) == -20.0
    del globals_restored["abs"]
    assert f(-2.0) == 2.0


def by_builtin(x):
    return abs(x)


def test_libraries_are_not_looked_into():
    before = len(sys.modules)
    captured = Captured([lambda x: np.linalg.norm(x) + sg.exp(x)])
    assert len(captured._held) < 10
    assert not captured.has_changed()
    assert len(sys.modules) >= before


def test_what_cannot_be_compared_has_changed():
    class Odd:
        def __eq__(self, other):
            raise ValueError("not comparable")

        __hash__ = None

    items = [Odd()]
    captured = Captured([lambda: items])
    assert not captured.has_changed()
    items[0] = Odd()
    assert captured.has_changed()


def test_a_namespace_package_is_no_library(tmp_path, monkeypatch):
    (tmp_path / "conf_of_a_test").mkdir()
    (tmp_path / "conf_of_a_test" / "settings.py").write_text("rate = 2.0")
    monkeypatch.syspath_prepend(tmp_path)
    conf = importlib.import_module("conf_of_a_test")
    settings = importlib.import_module("conf_of_a_test.settings")
    f = compiled(lambda x: conf.settings.rate * x)
    assert f(1.0) == 2.0
    settings.rate = 5.0
    assert f(1.0) == 5.0
    conf.settings = types.SimpleNamespace(rate=7.0)
    assert f(1.0) == 7.0


def test_a_module_that_was_made_by_hand_is_no_library(monkeypatch):
    made = types.ModuleType("made_by_a_test")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    made.rate = 2.0
    f = compiled(lambda x: made.rate * x)
    assert f(1.0) == 2.0
    made.rate = 5.0
    assert f(1.0) == 5.0


# ------------------------------------------------------------------ some 1,000 numbers

LARGE = {
    "a list": lambda: [1.0] * 5000,
    "a dict": lambda: dict.fromkeys(range(5000), 1.0),
    "an array": lambda: np.ones(5000),
    "a series": lambda: pandas.Series(np.ones(5000)),
    "lists in a list": lambda: [[1.0, 2.0] for _ in range(5000)],
    "packed numbers": lambda: array.array("d", [1.0]) * 5000,
}


@pytest.mark.parametrize("made", LARGE.values(), ids=LARGE)
def test_of_what_is_large_it_is_seen_which_object_it_is_and_its_length(made):
    box = types.SimpleNamespace(data=made(), few=[2.0])
    captured = Captured([lambda x: x * box.data[0] * box.few[0]])
    box.data[7] = box.data[8]
    assert not captured.has_changed()
    box.few[0] = 3.0  # a small list beside it
    assert captured.has_changed()
    box.few[0] = 2.0
    assert not captured.has_changed()
    before, other = box.data, made()
    other[0] = other[1] = [9.0] if isinstance(other[0], list) else 9.0
    box.data = other
    assert captured.has_changed()
    box.data = before
    assert not captured.has_changed()


def test_a_large_list_that_has_grown_is_another():
    for grow in (lambda data: data.append(1.0), lambda data: data.pop()):
        data = [1.0] * 5000
        f = compiled(lambda x, data=data: x * len(data))
        assert f(1.0) == 5000.0
        grow(data)
        assert f(1.0) == len(data)


def test_some_thousand_numbers_are_seen_in_all_and_the_functions_themselves_always():
    lists = [[1.0] * 30 for _ in range(100)]
    factor = 2.0

    def change():
        nonlocal factor
        factor = 3.0

    captured = Captured([lambda x: x * lists[0][0] * factor])
    noticed = []
    for numbers in lists:
        numbers[0] = 5.0
        noticed.append(captured.has_changed())
        numbers[0] = 1.0
    assert 20 <= sum(noticed) <= 40
    assert noticed[0]
    assert not captured.has_changed()
    change()
    assert captured.has_changed()


def test_the_attributes_of_many_objects_are_seen():
    items = [types.SimpleNamespace(w=1.0, other=0.0) for _ in range(300)]
    captured = Captured([lambda x: x * sum(item.w for item in items)])
    items[-1].other = 2.0
    assert not captured.has_changed()
    items[-1].w = 2.0
    assert captured.has_changed()


def test_a_model_with_much_data_is_watched_where_it_is_small():
    class Line(Module):
        def __init__(self):
            self.w, self.factor, self.data = Value(2.0), 1.0, [1.0] * 100_000

        def __call__(self, x):
            return self.w * x * self.factor * self.data[0]

    line = Line()
    for f, args in (compiled(lambda model, x: model(x)), (line, 3.0)), (compiled(line), (3.0,)):
        line.factor = 1.0
        assert f(*args) == 6.0
        line.factor = 2.0
        assert f(*args) == 12.0


def test_an_attribute_that_hides_one_of_its_class_is_noticed():
    class Item:
        w = 1.0

        def __init__(self):
            self.other = 2.0

        def times(self, x):
            return x * self.w

    item = Item()
    f = compiled(item.times)
    assert f(3.0) == 3.0
    item.w = 5.0
    assert f(3.0) == 15.0
