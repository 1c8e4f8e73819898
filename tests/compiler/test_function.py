"""compile: values and gradients for arguments of every structure, traced once for each; oracle: the function on Values."""

from __future__ import annotations

import copy
import functools
import gc
import pickle
import random
import re
import subprocess
import sys
import threading
from collections import Counter, OrderedDict, defaultdict, namedtuple
from fractions import Fraction
from typing import Any

import numpy as np
import pandas
import pytest

import scalargrad as sg
from scalargrad import MLP, Module, Neuron, TraceError, Value, functions
from scalargrad.nn import mse, squared_error
from scalargrad.nn.module import State
from scalargrad.ops import OPS

Point = namedtuple("Point", "x y")
NAN = float("nan")


def compiled(fn, **options):
    """In plain Python, unless a test says otherwise."""
    return sg.compile(fn, **{"backend": "python", **options})


def counted(fn):
    """The function, and a list that grows with its calls."""
    calls: list[int] = []

    @functools.wraps(fn)
    def counting(*args, **options):
        calls.append(1)
        return fn(*args, **options)

    return counting, calls


def tanh_of_line(w, x, b=0.5):
    return sg.tanh(w * x + b)


def mean_of_squares(model, x, y):
    return squared_error(model(x), y)


# ------------------------------------------------------------------ arguments of every structure


STRUCTURES = {
    "a number": (lambda x: sg.sin(x) * x, 2.0),
    "an int": (lambda x: x**3, 2),
    "a fraction": (lambda x: x * x, Fraction(1, 3)),
    "a NumPy number": (lambda x: x * x, np.float32(0.1)),
    "a bool": (lambda x: x * 2, True),
    "a list": (lambda p: p[0] * p[1] + p[1], [2.0, 5.0]),
    "a list of one": (lambda p: p[0] * p[0], [2.0]),
    "ints and floats": (lambda p: p[0] * p[1], [2, 5.0]),
    "a tuple": (lambda p: p[0] * p[1], (2.0, 5.0)),
    "lists in a list": (lambda p: p[0][1] * p[1][0], [[1.0, 2.0], [3.0, 4.0]]),
    "tuples in a list": (lambda p: p[0][1] * p[1][0], [(1.0, 2.0), (3.0, 4.0)]),
    "lists in a tuple": (lambda p: p[0][1] * p[1][0], ([1.0, 2.0], [3.0, 4.0])),
    "ragged lists": (lambda p: p[0][1] * p[1][0], [[1.0, 2.0], [3.0]]),
    "numbers and lists": (lambda p: p[0] * p[1][0], [2.0, [3.0, 4.0]]),
    "a dict": (lambda p: p["w"] * p["b"] * p["b"], {"w": 2.0, "b": 5.0}),
    "a dict of lists": (lambda p: p["w"][1] * p["b"], {"w": [1.0, 2.0], "b": 5.0}),
    "numbers as keys": (lambda p: p[1] * p[2], {1: 2.0, 2: 5.0}),
    "a list of dicts": (lambda p: p[0]["a"] * p[1]["a"], [{"a": 2.0}, {"a": 3.0}]),
    "an ordered dict": (lambda p: p["a"] * p["b"], OrderedDict(a=2.0, b=5.0)),
    "a counter": (lambda p: p["a"] * p["b"], Counter(a=2, b=5)),
    "a default dict": (lambda p: p["a"] * p["b"] + p["c"], defaultdict(float, a=2.0, b=5.0)),
    "a named tuple": (lambda p: p.x * p.y * p.y, Point(2.0, 5.0)),
    "named tuples in a list": (lambda p: p[0].x * p[1].y, [Point(1.0, 2.0), Point(3.0, 4.0)]),
    "an empty list": (lambda p: 3.0, []),
    "empty containers": (lambda p: 3.0, {"w": [], "b": (), "c": {}}),
    "empty lists in a list": (lambda p: 3.0, [[], []]),
}


@pytest.mark.parametrize(("fn", "argument"), STRUCTURES.values(), ids=STRUCTURES)
def test_value_and_gradient_are_those_on_values_in_the_argument_s_structure(fn, argument):
    f = compiled(fn)
    value, gradient = sg.value_and_grad(fn)(argument)
    assert f.value_and_grad(argument) == (value, gradient)
    assert f(argument) == value
    assert type(f(argument)) is float
    assert same_types(f.value_and_grad(argument)[1], gradient)
    assert f.jacobian(argument) == (value, gradient)


def same_types(one, other):
    """Whether two structures are of the same classes all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return all(same_types(one[key], other[key]) for key in one)
    return not isinstance(one, list | tuple) or all(map(same_types, one, other))


def test_arrays_stand_wherever_a_list_may():
    def fn(a, p, rest):
        assert isinstance(a, np.ndarray)
        assert a.dtype == object
        assert isinstance(rest[0], np.ndarray)
        return (a @ p["w"]).sum() + (a.T * a.T).mean() + rest[0][1] * rest[1]

    a, w, rest = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0]), [np.array([7, 8]), 9.0]
    f = compiled(fn, wrt=(0, 1, 2))
    value, (da, dp, drest) = f.value_and_grad(a, {"w": w}, rest)
    assert value == (a @ w).sum() + (a * a).mean() + 72
    assert da == (np.outer([1, 1], w) + a / 2).tolist()
    assert dp == {"w": [4.0, 6.0]}
    assert drest == [[0.0, 9.0], 8.0]


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.int64, np.int8, np.uint16, np.bool_, np.longdouble, object])
def test_arrays_of_every_real_kind_are_read(kind):
    a = np.array([0, 1, 1]).astype(kind)
    f = compiled(lambda a: a[0] + 2 * a[1] + a[1] * a[2])
    assert f(a) == 3.0
    assert f.value_and_grad(a)[1] == [1.0, 3.0, 1.0]


def test_an_array_of_no_dimension_is_a_number():
    assert compiled(lambda x: x * x).value_and_grad(np.array(3.0)) == (9.0, 6.0)


def test_arrays_of_no_numbers_have_gradients_of_their_shape():
    f = compiled(lambda a: 2.0 + sg.sum(a.ravel()))
    assert f.value_and_grad(np.zeros((0, 3))) == (2.0, [])
    assert f.value_and_grad(np.zeros((2, 0))) == (2.0, [[], []])


def test_an_array_s_order_in_memory_does_not_matter():
    a = np.arange(6.0).reshape(2, 3)
    f = compiled(lambda a: a[0][1] * 10 + a[1][2])
    assert f(a.T.copy().T) == f(a) == f(np.asfortranarray(a)) == f(np.arange(12.0)[::2].reshape(2, 3) / 2) == 15.0


def test_pandas_is_read_like_an_array():
    frame = pandas.DataFrame({"a": [1.0, 2.0], "b": [3, 4]})
    assert compiled(lambda a: a[0, 1] * a[1, 0])(frame) == 6.0
    assert compiled(lambda s: s[0] * s[1])(frame["b"]) == 12.0
    f = compiled(lambda x, y: (x[0] - y) * x[1], rows=("x", "y"), reduce="sum")
    assert f(frame, frame["a"]) == 0.0
    assert f(frame, [0, 0]) == 11.0


@pytest.mark.parametrize("number", [float("inf"), -float("inf"), 10**400, -0.0])
def test_numbers_at_the_ends_of_the_range_are_numbers(number):
    assert str(compiled(lambda x: x)(number)) == str(float(np.clip(float("1e999"), 0, None)) if number == 10**400 else number)


def test_a_hostile_float_never_gets_into_the_arithmetic():
    class Hostile(float):
        def __mul__(self, other):
            raise AssertionError("asked")

        __rmul__ = __repr__ = __str__ = __format__ = __mul__

    evil = Hostile(2.5)
    f = compiled(lambda x, p: x * p[0] * evil)
    assert f(Hostile(3.0), [Hostile(4.0)]) == 30.0
    assert f.value_and_grad(Hostile(3.0), [Hostile(4.0)]) == (30.0, 10.0)
    assert "asked" not in f.source(Hostile(3.0), [Hostile(4.0)])


@pytest.mark.parametrize(
    "label",
    [
        "import os",
        "x = 1",
        "__import__('os')",
        "lambda",
        "None",
        "exp",
        "π",
        "",
        "a\nb",
        '"',
        "{x}",
        "%s",
        "x" * 1000,
        "total",
        "isfinite",
        "math",
    ],
)
def test_hostile_labels_and_keys_do_not_reach_the_source(label):
    def fn(x, p):
        y = x * p[label]
        y.label = label
        z = sg.exp(y) + y
        z.label = label
        return z * y

    f, arguments = compiled(fn, wrt=(0, 1)), (0.5, {label: 2.0})
    assert f.value_and_grad(*arguments) == sg.value_and_grad(fn, (0, 1))(*arguments)
    code = re.sub(r'""".*?"""', "", f.source(*arguments), flags=re.DOTALL)
    assert not re.search(r"import|os\b|lambda|None|[^ -~\n]|x{9}", code)


def test_a_label_of_a_class_of_its_own_is_a_text_like_others():
    class Label(str):
        def __format__(self, spec):
            return "1; raise SystemExit"

        __str__ = __repr__ = lambda self: "1; raise SystemExit"

    def fn(x):
        y = sg.exp(x)
        y.label = Label("y")
        return y * y + y

    f = compiled(fn)
    assert f(0.0) == 2.0
    assert "SystemExit" not in f.source(0.0)


def test_a_label_that_is_no_text_is_none():
    def fn(x):
        y = sg.exp(x)
        y.label = 3
        return y * y

    assert compiled(fn)(0.0) == 1.0


# ------------------------------------------------------------------ how it is called


def test_arguments_are_given_by_position_and_by_name_and_traced_once():
    fn, calls = counted(tanh_of_line)
    f = compiled(fn, wrt=(0, 1))
    expected = sg.value_and_grad(tanh_of_line, (0, 1))(0.5, 2.0, -1.0)
    assert f.value_and_grad(0.5, 2.0, -1.0) == expected
    assert f.value_and_grad(0.5, b=-1.0, x=2.0) == expected
    assert f.value_and_grad(b=-1.0, x=2.0, w=0.5) == expected
    assert len(calls) == 1
    assert f.value_and_grad(0.5, 2.0)[0] == tanh_of_line(0.5, 2.0)
    assert len(calls) == 2  # without b it is another structure


def test_wrt_counts_arguments_in_the_order_of_the_signature():
    f = compiled(tanh_of_line, wrt=2)
    assert f.value_and_grad(x=2.0, b=-1.0, w=0.5) == (0.0, 1.0)
    assert compiled(tanh_of_line, wrt=-1).value_and_grad(0.5, 2.0)[1] == sg.grad(tanh_of_line, -1)(0.5, 2.0)
    with pytest.raises(ValueError, match=r"wrt=2 asks for argument 2, counted from 0, but the function was called with 2"):
        f(0.5, 2.0)

    def scaled(x, y=1.0, *, scale):
        return x * y * scale

    assert compiled(scaled, wrt=2).value_and_grad(3.0, scale=2.0) == (6.0, 3.0)
    with pytest.raises(ValueError, match=r"wrt=1 asks for y, which was not given"):
        compiled(scaled, wrt=1)(3.0, scale=2.0)


def test_a_tuple_of_arguments_gives_a_tuple_in_its_order():
    f = compiled(lambda x, y, z: x * y + z * 10, wrt=(2, 0, -2))
    assert f.value_and_grad(2.0, 3.0, 4.0) == (46.0, (10.0, 3.0, 2.0))
    assert compiled(lambda x: x * x, wrt=(0,)).value_and_grad(3.0) == (9.0, (6.0,))


def test_functions_of_any_arguments():
    def total(x, *rest, scale=1.0, **more):
        return (x + sum(rest) + sum(more.values())) * scale

    arguments, options = (1.0, 2.0, 3.0), {"scale": 2.0, "a": 4.0, "b": 5.0}
    assert compiled(total, wrt=(0, 2, 4)).value_and_grad(*arguments, **options) == (30.0, (2.0, 2.0, 2.0))
    assert compiled(lambda *x: x[0] * x[1])(3.0, 4.0) == 12.0
    assert compiled(lambda **x: x["a"] * x["x_0"])(a=3.0, x_0=4.0) == 12.0
    assert compiled(lambda x_0, *x: x_0 * x[0], wrt=(0, 1)).value_and_grad(3.0, 4.0) == (12.0, (4.0, 3.0))
    assert compiled(lambda x, /, *, y: x * y, wrt=1).value_and_grad(3.0, y=4.0) == (12.0, 3.0)


def test_partials_methods_and_callables():
    assert compiled(functools.partial(tanh_of_line, 0.5)).value_and_grad(2.0, -1.0) == (0.0, 0.5)
    assert compiled(functools.partial(tanh_of_line, b=-1.0)).value_and_grad(0.5, 2.0) == (0.0, 2.0)

    class Scale:
        by = 3.0

        def __call__(self, x):
            return x * self.by

        def twice(self, x):
            return self(self(x))

    assert compiled(Scale()).value_and_grad(2.0) == (6.0, 3.0)
    assert compiled(Scale().twice).value_and_grad(2.0) == (18.0, 9.0)
    assert compiled(sg.exp)(0.0) == 1.0
    assert compiled(sg.dot)([1.0, 2.0], [3.0, 4.0]) == 11.0
    assert repr(compiled(Scale())) == "compile(Scale, wrt=0, backend='python')"


def test_without_arguments_there_is_a_value_and_no_gradient():
    f = compiled(lambda: 3.0)
    assert f() == 3.0
    assert f.source().count("def ") == 1
    with pytest.raises(ValueError, match="was called with no argument to take a gradient by"):
        f.value_and_grad()


def test_texts_functions_and_none_are_fixed_for_a_trace():
    def fn(x, kind, how, extra):
        return how(x) if kind == "outer" else x * x

    fn, calls = counted(fn)
    f = compiled(fn)
    assert f.value_and_grad(0.0, "outer", sg.exp, None) == (1.0, 1.0)
    assert f.value_and_grad(3.0, "none", sg.exp, None) == (9.0, 6.0)
    assert f(0.0, "outer", sg.cos, None) == 1.0
    assert f(1.0, "outer", sg.cos, None) == sg.cos(1.0)
    assert len(calls) == 3
    g = compiled(lambda kind, x: x * x)
    assert g("text", 3.0) == 9.0
    with pytest.raises(TypeError, match=r"the gradient of lambda is by argument 0, which is no number but 'text': name another by wrt"):
        g.value_and_grad("text", 3.0)


def test_as_a_decorator_it_keeps_name_and_docstring():
    assert decorated(2.0) == 8.0
    assert (decorated.__name__, decorated.__doc__) == ("decorated", "The cube.")
    assert decorated.value_and_grad(2.0) == (8.0, 12.0)


@sg.compile
def decorated(x):
    """The cube."""
    return x**3


# ------------------------------------------------------------------ traced once


def test_the_function_is_called_once_for_each_structure_and_never_for_other_numbers():
    fn, calls = counted(lambda x, p: x * p[0])
    f = compiled(fn, wrt=(0, 1))
    for i in range(5):
        assert f(float(i), [i, 2.0]) == i * i
        f.value_and_grad(i, [1, 2])
        f.jacobian(np.float64(i), [True, 0.5])
        f.source(i, [1, 2])
    assert len(calls) == 1
    f(1.0, (2.0, 3.0))  # a tuple, which the function can tell from a list
    f(1.0, [1.0, 2.0, 3.0])
    f(1.0, np.array([1.0, 2.0]))
    assert len(calls) == 4
    for argument in ([1.0, 2.0], (1.0, 2.0), np.ones(2), np.ones(2, int), [0.0] * 3):
        f(1.0, argument)
    assert len(calls) == 4


def test_more_rows_are_no_other_structure():
    fn, calls = counted(lambda w, x, y: (w * x[0] - y) * x[1])
    f = compiled(fn, rows=("x", "y"))
    for n in (1, 2, 3, 50):
        f.value_and_grad(2.0, [[1.0, 2.0]] * n, [1.0] * n)
        f.value_and_grad(2.0, np.ones((n, 2)), np.ones(n))
    assert len(calls) == 2  # lists, and arrays


def test_a_function_that_counts_its_own_calls_is_traced_once():
    calls = 0

    def fn(x):
        nonlocal calls
        calls += 1
        return x * x

    f = compiled(fn)
    assert [f(x) for x in (1.0, 2.0, 3.0)] == [1.0, 4.0, 9.0]
    assert calls == 1


def test_structures_in_turn_are_each_traced_once():
    fn, calls = counted(lambda p: sg.sum(p))
    f = compiled(fn)
    for _ in range(3):
        for n in (1, 2, 3):
            assert f([1.0] * n) == n
    assert len(calls) == 3


def test_what_is_remembered_has_an_end():
    f = compiled(lambda p: sg.sum(p))
    for n in range(300):
        assert f([1.0] * n) == n
    assert len(f._traces) <= 256


def test_a_function_that_raises_is_asked_again():
    broken = [True]

    def fn(x):
        if broken:
            raise KeyError("not yet")
        return x * x

    f = compiled(fn)
    for _ in range(2):
        with pytest.raises(KeyError, match="not yet"):
            f(3.0)
    broken.clear()
    assert f(3.0) == 9.0


def test_the_collector_is_as_it_was_after_a_trace():
    def fails(x):
        assert not gc.isenabled()
        raise KeyError

    assert gc.isenabled()
    with pytest.raises(KeyError):
        compiled(fails)(1.0)
    assert gc.isenabled()
    gc.disable()
    try:
        compiled(tanh_of_line)(0.5, 2.0)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_many_threads_may_call_it_first_at_once():
    fn, calls = counted(lambda w, x: sg.tanh(w * x[0]) + sg.sin(w) * x[1])
    expected = sg.value_and_grad(fn)(0.5, [2.0, 3.0])
    calls.clear()
    f, barrier, results = compiled(fn), threading.Barrier(16), []

    def call():
        barrier.wait()
        results.append(f.value_and_grad(0.5, [2.0, 3.0]))

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 16
    assert len(calls) == 1


def test_two_functions_are_traced_in_two_threads_at_once():
    barrier, results = threading.Barrier(2), {}
    w = Value(2.0)

    def of(name, factor):
        def fn(x):
            first = w * x
            barrier.wait()
            second = first * factor
            barrier.wait()
            return second + w

        results[name] = compiled(fn).value_and_grad(3.0)

    threads = [threading.Thread(target=of, args=pair) for pair in (("a", 1.0), ("b", 10.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"a": (8.0, 2.0), "b": (62.0, 20.0)}


def test_other_threads_record_values_while_a_function_is_traced():
    seen = []

    def fn(x):
        thread = threading.Thread(target=lambda: seen.append((Value(2.0) * 3.0 > 5.0, (Value(2.0) * 3.0).data)))
        thread.start()
        thread.join()
        return x

    assert compiled(fn)(1.0) == 1.0
    assert seen == [(True, 6.0)]


# ------------------------------------------------------------------ pickling


def test_a_compiled_function_can_be_pickled():
    f = pickle.loads(pickle.dumps(compiled(tanh_of_line, wrt=(0, 1), rows="x", reduce="sum")))
    assert repr(f) == "compile(tanh_of_line, wrt=(0, 1), rows=('x',), reduce='sum', backend='python')"
    assert f.value_and_grad(0.5, [2.0], -1.0) == (0.0, (2.0, [0.5]))
    used = compiled(tanh_of_line)
    used(0.5, 2.0)
    assert pickle.loads(pickle.dumps(used))(0.5, 2.0, -1.0) == 0.0


def test_of_a_lambda_pickle_says_what_it_cannot():
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(compiled(lambda x: x))


def test_it_works_in_another_process(tmp_path):
    (tmp_path / "shipped.py").write_text(
        "import scalargrad as sg\n\ndef line(w, x):\n    return w * x\n\n@sg.compile\ndef cube(x):\n    return x**3\n", encoding="utf-8"
    )
    program = "import pickle, sys; sys.path.insert(0, {!r}); import shipped, scalargrad as sg\n{}"
    made = "sys.stdout.buffer.write(pickle.dumps([sg.compile(shipped.line), shipped.cube]))"
    root = str(tmp_path)
    path = [entry for entry in sys.path if entry]
    environment = {"PYTHONPATH": ":".join([root, str(sg.__path__[0]).rpartition("/")[0], *path])}
    ship = subprocess.run([sys.executable, "-c", program.format(root, made)], capture_output=True, check=True, env=environment).stdout
    use = "f, g = pickle.loads(sys.stdin.buffer.read()); print(f.value_and_grad(2.0, 5.0), g.value_and_grad(2.0), g is shipped.cube)"
    out = subprocess.run(
        [sys.executable, "-c", program.format(root, use)], input=ship, capture_output=True, check=True, env=environment
    ).stdout
    assert out.decode().strip() == "(10.0, 5.0) (8.0, 12.0) True"


def test_it_can_be_saved_as_a_module(tmp_path):
    f = compiled(tanh_of_line, wrt=(0, 1))
    f.save(tmp_path / "saved.py", 0.5, 2.0, b=-1.0)
    names: dict[str, Any] = {}
    exec((tmp_path / "saved.py").read_text(encoding="utf-8"), names)
    assert names["value_and_grad"](0.5, 3.0, -1.0) == f.value_and_grad(0.5, 3.0, -1.0)


# ------------------------------------------------------------------ modules and states


def test_the_gradient_by_a_module_or_its_state_is_such_a_mapping():
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    f = compiled(mean_of_squares)
    model.zero_grad()
    loss = mean_of_squares(model, [0.5, -1.0], 1.0)
    loss.backward()
    expected = {name: np.array(block).tolist() for name, block in model.arranged([p.grad for p in model.parameters()]).items()}
    before = [p.data for p in model.parameters()]
    for argument in (model, model.state(), {name: np.array(block) for name, block in model.state().items()}):
        if type(argument) is dict:
            with pytest.raises(TypeError, match="'dict' object is not callable"):
                f(argument, [0.5, -1.0], 1.0)
            continue
        value, gradient = f.value_and_grad(argument, [0.5, -1.0], 1.0)
        assert value == loss.data
        assert dict(gradient) == expected
        assert type(gradient) is State
        assert gradient.module is model
    assert [p.data for p in model.parameters()] == before
    assert [p.grad for p in model.parameters()] == [x for row in zip(*[[p.grad for p in model.parameters()]]) for x in row]


def test_a_state_is_read_in_each_call_and_the_model_is_left_alone():
    model = Neuron(2, activation="tanh", seed=1)
    fn, calls = counted(lambda model, x: model(x))
    f = compiled(fn)
    state = model.state()
    f(state, [1.0, 2.0])
    state["w"] = np.array([3.0, 4.0])
    state["b"] = 0.5
    assert f(state, [1.0, 2.0]) == sg.tanh(0.5 + 3.0 + 8.0)
    state["w"] = [1, 2]  # lists will do
    assert f(state, [1.0, 2.0]) == sg.tanh(5.5)
    assert len(calls) == 1
    assert f(model, [1.0, 2.0]) == model([1.0, 2.0]).data


def test_a_plain_mapping_is_an_argument_like_others():
    def fn(p, x):
        return sg.dot(p["W"][0], x, p["b"][0])

    p = {"W": np.array([[1.0, 2.0]]), "b": [0.5]}
    assert compiled(fn).value_and_grad(p, [3.0, 4.0]) == (11.5, {"W": [[3.0, 4.0]], "b": [1.0]})


def test_one_parameter_in_two_places_has_its_whole_gradient_in_both():
    class Tied(Module):
        def __init__(self):
            self.a = [Value(2.0), Value(3.0)]
            self.b = [self.a[1], Value(5.0)]
            self.c = self.a[0]

        def __call__(self, x):
            return self.a[0] * self.b[0] * self.b[1] * self.c * x

    model = Tied()
    fn = lambda model, x: model(x)  # noqa: E731
    expected = {key: np.array(block).tolist() for key, block in sg.grad(fn)(model, 2.0).items()}
    assert dict(compiled(fn).value_and_grad(model, 2.0)[1]) == expected
    assert dict(compiled(fn).value_and_grad(model.state(), 2.0)[1]) == expected
    by_rows = compiled(fn, rows="x", reduce=None).value_and_grad(model, [2.0, 0.0])[1]
    assert {key: np.array(block)[0].tolist() for key, block in by_rows.items()} == expected


def test_a_module_without_parameters_has_an_empty_gradient():
    class Twice(Module):
        def __call__(self, x):
            return 2.0 * x

    value, gradient = compiled(lambda model, x: model(x)).value_and_grad(Twice(), 3.0)
    assert value == 6.0
    assert gradient == {}


def test_a_module_of_one_s_own_in_a_list():
    class Line(Module):
        def __init__(self, w):
            self.w = Value(w)

        def __call__(self, x):
            return self.w * x

    models = [Line(2.0), Line(3.0)]
    value, gradient = compiled(lambda models, x: models[0](x) * models[1](x)).value_and_grad(models, 5.0)
    assert (value, gradient) == (150.0, [{"w": 75.0}, {"w": 50.0}])


def test_an_edit_of_the_module_itself_is_noticed():
    model = MLP(2, [2, 1], activation="tanh", seed=1)
    f = compiled(lambda model, x: model(x))
    state = model.state()
    f(state, [1.0, 2.0])
    for neuron in model.layers[0].neurons:
        neuron._activate = None
    assert f(state, [1.0, 2.0]) == model([1.0, 2.0]).data
    model.layers.append(Neuron(1, activation="sigmoid", seed=2))
    with pytest.raises(ValueError, match=r"is .* in MLP.*, got"):
        f(state, [1.0, 2.0])


def test_a_state_that_is_not_the_module_s_is_refused():
    model = MLP(2, [3, 1], seed=1)
    f = compiled(mean_of_squares)
    for change, text in (
        ({"W1": np.zeros((2, 2))}, r"W1 is 3 × 2 in MLP\(2, \[3, 1\].*\), got 2 × 2"),
        ({"b1": 0.0}, r"b1 is 3 in MLP\(2, \[3, 1\].*\), got a number"),
        ({"W3": [1.0]}, r"W3 is nothing in MLP\(2, \[3, 1\].*\), got 1"),
        ({"W1": [[1.0, 2.0], [3.0], [4.0]]}, r"W1 of the state must be a number, or an array or equally long lists of numbers"),
        ({"W1": [["a", "b"]] * 3}, r"W1 of the state must be a number, or"),
        ({"W1": [["1", "2"]] * 3}, r"W1\[0\]\[0\] is str, expected a number.*: write float\('1'\)"),
    ):
        state = model.state()
        state.update(change)
        with pytest.raises((ValueError, TypeError), match=text):
            f(state, [0.0, 1.0], 1.0)
    lacking = model.state()
    del lacking["b2"]
    with pytest.raises(ValueError, match=r"b2 is 1 in MLP.*, got nothing"):
        f(lacking, [0.0, 1.0], 1.0)


# ------------------------------------------------------------------ rows


def line(w, x, y):
    return sg.square(w[0] * x[0] + w[1] * x[1] - y)


X, Y = [[1.0, 2.0], [3.0, 4.0], [5.0, -6.0]], [1.0, 0.0, 2.0]
W = [0.5, -0.25]


def by_hand(reduce):
    """Row after row on Values."""
    total, slopes = 0.0, [0.0, 0.0]
    for x, y in zip(X, Y):
        value, gradient = sg.value_and_grad(line)(W, x, y)
        total += value
        slopes = [s + g for s, g in zip(slopes, gradient)]
    share = 1 if reduce == "sum" else 3
    return total / share, [s / share for s in slopes]


@pytest.mark.parametrize("reduce", ["sum", "mean"])
@pytest.mark.parametrize("kind", [list, tuple, iter, np.array, pandas.DataFrame, lambda rows: (tuple(row) for row in rows)])
def test_rows_are_added_in_order(reduce, kind):
    f = compiled(line, rows=("x", "y"), reduce=reduce)
    assert f.value_and_grad(W, kind(X), Y) == by_hand(reduce)
    assert f(W, kind(X), np.array(Y)) == by_hand(reduce)[0]


def test_one_row_is_enough():
    f = compiled(line, rows=("x", "y"))
    assert f.value_and_grad(W, X[:1], Y[:1]) == sg.value_and_grad(line)(W, X[0], Y[0])


def test_rows_of_numbers_and_of_matrices():
    f = compiled(lambda w, x: w * x[1][0], rows="x", reduce="sum")
    assert f.value_and_grad(2.0, np.arange(8.0).reshape(2, 2, 2)) == (16.0, 8.0)
    assert f.value_and_grad(2.0, [[(0, 1), (2, 3)], [(4, 5), (6, 7)]]) == (16.0, 8.0)


def test_without_reduction_there_is_one_result_a_row():
    f = compiled(line, rows=("x", "y"), reduce=None)
    each = [sg.value_and_grad(line)(W, x, y) for x, y in zip(X, Y)]
    assert f(W, X, Y) == [value for value, _ in each]
    assert f.value_and_grad(W, X, Y) == ([value for value, _ in each], [slopes for _, slopes in each])
    g = compiled(lambda w, x: {"a": w["k"] * x, "b": [w["k"] * w["k"], x]}, rows="x", reduce=None)
    assert g({"k": 3.0}, [1.0, 2.0]) == {"a": [3.0, 6.0], "b": [[9.0, 9.0], [1.0, 2.0]]}
    values, slopes = g.jacobian({"k": 3.0}, [1.0, 2.0])
    assert values == g({"k": 3.0}, [1.0, 2.0])
    assert slopes == {"a": {"k": [1.0, 2.0]}, "b": [{"k": [6.0, 6.0]}, {"k": [0.0, 0.0]}]}


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_gradient_by_what_carries_rows_carries_rows(kind):
    rows = kind(map(tuple, X))
    f = compiled(line, wrt=(1, 2), rows=("x", "y"), reduce="sum")
    value, (dx, dy) = f.value_and_grad(W, rows, Y)
    each = [sg.value_and_grad(line, (1, 2))(W, x, y) for x, y in zip(rows, Y)]
    assert value == sum(value for value, _ in each)
    assert dx == kind(slopes[0] for _, slopes in each)
    assert dy == [slopes[1] for _, slopes in each]
    mean = compiled(line, wrt=1, rows=("x", "y")).value_and_grad(W, rows, Y)[1]
    assert mean == kind(tuple(s / 3 for s in slopes[0]) for _, slopes in each)
    assert compiled(line, wrt=1, rows=("x", "y"), reduce=None).value_and_grad(W, rows, Y)[1] == dx


def test_jacobians_over_rows_are_added_too():
    f = compiled(lambda w, x: [w * x, w * w], rows="x", reduce="sum")
    assert f.jacobian(3.0, [1.0, 2.0]) == ([9.0, 18.0], [3.0, 12.0])


def test_a_result_that_no_row_changes_counts_for_each():
    f = compiled(lambda w, x: w * w, rows="x", reduce="sum")
    assert f.value_and_grad(3.0, [1.0, 2.0]) == (18.0, 12.0)
    assert compiled(lambda w, x: 5.0, rows="x").value_and_grad(3.0, [1.0, 2.0]) == (5.0, 0.0)
    assert compiled(lambda w, x: 5.0, rows="x", reduce=None)(3.0, [1.0, 2.0]) == [5.0, 5.0]


# ------------------------------------------------------------------ results of every structure


def test_results_keep_their_structure():
    f = compiled(lambda x: {"a": [x, 2.0], "p": Point(x * x, (3,))})
    assert f(4.0) == {"a": [4.0, 2.0], "p": Point(16.0, (3.0,))}
    assert f.jacobian(4.0) == (f(4.0), {"a": [1.0, 0.0], "p": Point(8.0, (0.0,))})
    array = compiled(lambda x: np.array([x * x, x]))
    assert isinstance(array(3.0), np.ndarray)
    assert array(3.0).tolist() == [9.0, 3.0]
    with pytest.raises(
        TypeError, match=r"returns several values, and value_and_grad is of one: take f\.jacobian\(…\), or return their sum"
    ):
        f.value_and_grad(4.0)


@pytest.mark.parametrize(
    ("fn", "argument"),
    [
        (lambda p: [p[0] * p[1], p[0] + p[1], 3.0], [2.0, 5.0]),
        (lambda p: {"a": p["w"] * p["b"], "b": (p["b"],)}, {"w": 2.0, "b": 5.0}),
        (lambda x: [x], 3.0),
        (lambda x: [], 3.0),
    ],
)
def test_jacobians_are_those_of_jacobian(fn, argument):
    assert compiled(fn).jacobian(argument)[1] == sg.jacobian(fn)(argument)


def test_inputs_constants_and_nan_are_results_like_others():
    assert compiled(lambda x: x).value_and_grad(3.0) == (3.0, 1.0)
    assert compiled(lambda x, y: y).value_and_grad(3.0, 4.0) == (4.0, 0.0)
    assert compiled(lambda x: 7).value_and_grad(3.0) == (7.0, 0.0)
    assert compiled(lambda p: p)([1.0, 2.0]) == [1.0, 2.0]
    assert compiled(lambda x: [x, x]).jacobian(3.0) == ([3.0, 3.0], [1.0, 1.0])
    assert compiled(lambda x: np.float64(7)).value_and_grad(3.0) == (7.0, 0.0)
    assert compiled(lambda x: Fraction(1, 4)).value_and_grad(3.0) == (0.25, 0.0)
    value, slope = compiled(lambda x: NAN).value_and_grad(3.0)
    assert value != value
    assert slope == 0.0
    value, slope = compiled(lambda x: x * NAN).value_and_grad(3.0)
    assert value != value
    assert slope != slope
    assert str(compiled(lambda x: [0.0, -0.0, x])(1.0)) == "[0.0, -0.0, 1.0]"


def test_a_comparison_as_a_result_counts_as_a_number():
    assert compiled(lambda x: [x > 1.0, (x > 1.0) * x + (x < 5.0)])(3.0) == [1.0, 4.0]


@pytest.mark.parametrize(
    ("fn", "text"),
    [
        (lambda x: None, r"lambda returned NoneType, expected a number or a structure of numbers: did it forget its return\?"),
        (lambda x: "x", r"lambda returned str, expected a number"),
        (lambda x: {x}, r"the result of lambda is set, expected a number"),
        (lambda x: (y for y in [x]), r"the result of lambda is generator, expected a number.*: write list"),
        (lambda x: [x, None], r"the result of lambda\[1\] is NoneType"),
        (lambda x: 1j, r"the result of lambda is complex"),
    ],
)
def test_results_that_are_no_numbers_are_refused(fn, text):
    with pytest.raises(TypeError, match=text):
        compiled(fn)(1.0)


# ------------------------------------------------------------------ in each other, and among Values


def test_a_compiled_function_within_another_becomes_a_part_of_it():
    w = Value(2.0)
    inner = compiled(lambda x: sg.sin(x) * w)
    outer = compiled(lambda x: inner(x * x) + inner(2.0))
    plain = lambda x: sg.sin(x * x) * w + sg.sin(2.0) * w  # noqa: E731
    assert outer.value_and_grad(0.5) == sg.value_and_grad(plain)(0.5)
    w.data = 3.0
    assert outer.value_and_grad(0.5) == sg.value_and_grad(plain)(0.5)
    assert compiled(compiled(tanh_of_line)).value_and_grad(0.5, 2.0, -1.0) == (0.0, 2.0)
    assert compiled(lambda x: inner.value_and_grad(x)[1])(0.5) == sg.cos(0.5) * 3.0
    assert compiled(lambda x: inner.jacobian(x)[1])(0.5) == sg.cos(0.5) * 3.0


def test_one_that_was_compiled_for_rows_refuses_to_be_traced():
    inner = compiled(line, rows=("x", "y"))
    with pytest.raises(
        TraceError, match=r"line was compiled for rows, and is called in a function that is traced: .* \(at .*test_function"
    ):
        compiled(lambda w: inner(w, X, Y))(W)


def of_three(row):
    """A row as a function of a list of three numbers."""
    fn = getattr(functions, row.name)
    if row.name == "softmax":
        return lambda p: fn(p)[0]
    if row.name == "dot":
        return lambda p: fn(p, [p[1], p[2], p[0]], p[0])
    return fn if row.operands == ("xs",) else lambda p: fn(*p[: len(row.operands)])


TWICE = [row for row in OPS.values() if row.is_public and row.name not in ("where", "norm")]


@pytest.mark.parametrize("point", [[0.7, 0.3, 0.9], [-0.4, 0.6, 0.2], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], ids=str)
def test_gradients_and_their_gradients_can_be_compiled(point):
    for row in TWICE:
        slopes = functools.partial(lambda slopes, p: sg.sum(slopes(p)), sg.grad(of_three(row)))
        expected = sg.value_and_grad(slopes)(point)
        value, gradient = compiled(slopes).value_and_grad(point)
        assert [value, *gradient] == pytest.approx([expected[0], *expected[1]], rel=1e-12, nan_ok=True), row
        assert compiled(sg.grad(slopes))(point) == pytest.approx(expected[1], rel=1e-12, nan_ok=True), row


def test_a_second_derivative_of_norm_is_refused():
    with pytest.raises(TraceError, match="the truth of a traced comparison"):
        compiled(sg.hessian(sg.norm))([1.0, 2.0])


def test_a_gradient_of_plain_numbers_in_it_is_a_number():
    assert compiled(lambda x: x * sg.grad(lambda y: y * y)(3.0)).value_and_grad(2.0) == (12.0, 6.0)


def test_of_values_it_says_what_to_give():
    f = compiled(lambda x: x * x)
    for argument, name in ((Value(1.0), "x"), ([Value(1.0)], r"x\[0\]"), (np.array([Value(1.0)]), r"x\[0\]")):
        with pytest.raises(TypeError, match=rf"{name} is a Value, and a compiled function takes numbers: give its \.data, or call"):
            f(argument)
    with pytest.raises(TypeError, match="x is a Value"):
        sg.grad(f)(1.0)


def test_modes_outside_change_nothing():
    w = Value(2.0)
    f = compiled(lambda x: w * x * x)
    with sg.no_grad():
        assert f.value_and_grad(3.0) == (18.0, 12.0)
    assert f.value_and_grad(3.0) == (18.0, 12.0)
    with sg.detect_anomaly():
        assert compiled(lambda x: sg.log(x) * w)(-1.0) != 0.0
    assert sg.grad(lambda y: y * f(3.0))(1.0) == 18.0


def test_no_grad_and_detach_within_cut_gradients_off():
    w = Value(5.0)

    def fn(x):
        with sg.no_grad():
            a = x * x * w
        return a * x + x.detach() * x + sg.square(x).detach()

    value, slope = compiled(fn).value_and_grad(3.0)
    assert (value, slope) == (45.0 * 3.0 + 9.0 + 9.0, 45.0 + 3.0)
    w.data = 1.0
    assert compiled(fn).value_and_grad(3.0) == (27.0 + 18.0, 12.0)


def test_gradients_leave_values_alone():
    w = Value(2.0)
    w.grad = 7.0
    compiled(lambda x: w * x).value_and_grad(3.0)
    assert (w.data, w.grad, w.parents) == (2.0, 7.0, ())


def test_its_call_does_not_depend_on_the_order_of_calls():
    f = compiled(lambda p: [p[0] * p[1], p[0]])
    assert f.jacobian([2.0, 3.0])[1] == [[3.0, 2.0], [1.0, 0.0]]
    assert f([2.0, 3.0]) == [6.0, 2.0]
    assert "def jacobian" in f.source([2.0, 3.0])


def test_loss_functions_of_the_library_compile_as_they_are():
    assert compiled(mse).value_and_grad([1.0, 2.0], [0.0, 4.0]) == (2.5, [1.0, -2.0])


# ------------------------------------------------------------------ methods


class Line:
    """A class with compiled methods."""

    def __init__(self, slope):
        self.slope = slope

    @sg.compile
    def at(self, x):
        """The line at x."""
        return self.slope * x * x

    @functools.partial(sg.compile, rows="x", reduce="sum")
    def over(self, w, x):
        return w * x * self.slope

    @classmethod
    @sg.compile
    def twice(cls, x):
        return 2.0 * x

    @staticmethod
    @sg.compile
    def thrice(x):
        return 3.0 * x

    def of_method(self, x):
        return self.at(x) * x


def test_a_compiled_method_is_of_its_object():
    two, five = Line(2.0), Line(5.0)
    assert two.at.value_and_grad(3.0) == (18.0, 12.0)
    assert five.at(3.0) == 45.0
    two.slope = 1.0
    assert two.at(3.0) == 9.0
    assert two.at is two.at
    assert Line.at.__doc__ == "The line at x."
    assert five.over.value_and_grad(1.0, [1.0, 2.0]) == (15.0, 15.0)
    assert Line.thrice(1.0) == two.thrice(1.0) == 3.0
    assert sg.compile(five.of_method).value_and_grad(2.0) == (40.0, 60.0)
    if sys.version_info < (3, 13):  # later ones call it with the class
        assert Line.twice.value_and_grad(1.0) == two.twice.value_and_grad(1.0) == (2.0, 2.0)


def test_copies_of_an_object_have_methods_of_their_own():
    line = Line(2.0)
    assert line.at(1.0) == 2.0
    other = copy.copy(line)
    other.slope = 7.0
    assert (line.at(1.0), other.at(1.0)) == (2.0, 7.0)
    assert pickle.loads(pickle.dumps(other)).at(1.0) == 7.0
    assert pickle.loads(pickle.dumps(other.over)).value_and_grad(1.0, [2.0]) == (14.0, 14.0)


def test_methods_of_many_objects_are_not_all_remembered():
    for i in range(300):
        assert Line(float(i)).at(1.0) == float(i)
    assert len(Line.at._bound) <= 256


# ------------------------------------------------------------------ what is drawn at random

RNG, GENERATOR = random.Random(1), np.random.default_rng(1)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x * random.random(),
        lambda x: x * random.gauss(0.0, 1.0),
        lambda x: x * RNG.random(),
        lambda x: x * GENERATOR.normal(),
        lambda x: x * np.random.rand(),
    ],
)
def test_random_numbers_would_be_frozen(fn):
    with pytest.raises(TraceError, match=r"lambda draws random numbers, .* give them as an argument"):
        sg.compile(fn)(1.0)


def test_a_module_s_own_generator_is_watched_too():
    class Noisy(Module):
        def __init__(self):
            self.w, self.rng = Value(2.0), random.Random(1)

        def __call__(self, x):
            return self.w * x * self.rng.random()

    model = Noisy()
    for fn, args in (lambda model, x: model(x), (model, 1.0)), (lambda x: model(x), (1.0,)), (model, (1.0,)):
        with pytest.raises(TraceError, match="draws random numbers"):
            sg.compile(fn)(*args)


def test_what_is_drawn_the_same_in_each_call_is_a_constant():
    def seeded(x):
        random.seed(1)
        return x * random.random()

    assert sg.compile(seeded)(1.0) == sg.compile(lambda x: x * random.Random(1).random())(1.0) == random.Random(1).random()


def test_what_is_drawn_elsewhere_meanwhile_is_no_matter():
    def fn(x):
        random.random()
        return x * x

    assert sg.compile(fn)(3.0) == 9.0


@pytest.mark.parametrize("rows", [{1.0, 2.0}, frozenset({1.0}), np.array(3.0)])
def test_rows_are_in_an_order(rows):
    with pytest.raises(TypeError, match="x carries rows and must be a list of rows or an array"):
        sg.compile(lambda x: x, rows="x")(rows)
