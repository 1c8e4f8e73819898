"""compile: how it is called, traced once for each structure, pickled, nested, bound to objects; oracle: the function on Values."""

from __future__ import annotations

import functools
import gc
import math
import pickle
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import Value, functions
from scalargrad.nn import mse
from scalargrad.ops import OPS

from .tools import compiled, counted, tanh_of_line

# ------------------------------------------------------------------ how it is called


def test_arguments_are_given_by_position_and_by_name_and_traced_once():
    fn, calls = counted(tanh_of_line)
    f = compiled(fn, wrt=(0, 1))
    expected = sg.value_and_grad(tanh_of_line, (0, 1))(0.5, 2.0, -1.0)
    assert f.value_and_grad(0.5, 2.0, -1.0) == expected
    assert f.value_and_grad(0.5, b=-1.0, x=2.0) == expected
    assert f.value_and_grad(b=-1.0, x=2.0, w=0.5) == expected
    assert len(calls) == 2
    assert f.value_and_grad(0.5, 2.0)[0] == tanh_of_line(0.5, 2.0)
    assert len(calls) == 4  # without b it is another structure


def test_wrt_counts_arguments_in_the_order_of_the_signature():
    f = compiled(tanh_of_line, wrt=2)
    assert f.value_and_grad(x=2.0, b=-1.0, w=0.5) == (0.0, 1.0)
    assert compiled(tanh_of_line, wrt=-1).value_and_grad(0.5, 2.0)[1] == sg.grad(tanh_of_line, -1)(
        0.5, 2.0
    )

    def scaled(x, y=1.0, *, scale):
        return x * y * scale

    assert compiled(scaled, wrt=2).value_and_grad(3.0, scale=2.0) == (6.0, 3.0)
    one, other = compiled(scaled, wrt=1), compiled(tanh_of_line, wrt=(0, 2))
    assert one.value_and_grad(3.0, 2.0, scale=2.0) == (12.0, 6.0)
    assert other.value_and_grad(0.5, 2.0, -1.0) == (0.0, (2.0, 1.0))


def test_of_an_argument_left_at_its_default_there_is_a_value_and_no_gradient():
    f = compiled(tanh_of_line, wrt=(0, 2))
    assert f(0.5, 2.0) == tanh_of_line(0.5, 2.0)
    assert "value_and_grad" not in f.source(0.5, 2.0)
    assert f.plan(0.5, 2.0).backend == "python"
    several = compiled(lambda x, *, y=1.0: [x, x * y], wrt=1)
    assert several(3.0) == [3.0, 3.0]
    wanted = r"is by {} too, which was not given: give it a number, {}=…, or name other arguments"
    between = compiled(lambda x, y=1.0, *, scale: x * y * scale, wrt=(0, 1))
    assert between(3.0, scale=2.0) == 6.0
    for name, call in (
        ("b", lambda: f.value_and_grad(0.5, 2.0)),
        ("y", lambda: several.jacobian(3.0)),
        ("x", lambda: compiled(lambda x=1.0: x * x).value_and_grad()),
        ("y", lambda: between.value_and_grad(3.0, scale=2.0)),
    ):
        with pytest.raises(ValueError, match=wanted.format(name, name)):
            call()
    assert f.value_and_grad(0.5, 2.0, b=-1.0) == (0.0, (2.0, 1.0))


def test_by_position_and_by_name_in_turns():
    f = compiled(lambda x, scale=1.0, *more: x * scale + sum(more))
    for _ in range(2):
        assert f(2.0, scale=3.0) == 6.0
        assert f(2.0, 4.0) == 8.0
        assert f(2.0) == 2.0
        assert f(2.0, 4.0, 1.0) == 9.0
        with pytest.raises(TypeError, match="missing a required argument"):
            f()


def test_a_tuple_of_arguments_gives_a_tuple_in_its_order():
    f = compiled(lambda x, y, z: x * y + z * 10, wrt=(2, 0, -2))
    assert f.value_and_grad(2.0, 3.0, 4.0) == (46.0, (10.0, 3.0, 2.0))
    assert compiled(lambda x: x * x, wrt=(0,)).value_and_grad(3.0) == (9.0, (6.0,))


def test_functions_of_any_arguments():
    def total(x, *rest, scale=1.0, **more):
        return (x + sum(rest) + sum(more.values())) * scale

    arguments, options = (1.0, 2.0, 3.0), {"scale": 2.0, "a": 4.0, "b": 5.0}
    assert compiled(total, wrt=(0, 2, 4)).value_and_grad(*arguments, **options) == (
        30.0,
        (2.0, 2.0, 2.0),
    )
    assert compiled(lambda *x: x[0] * x[1])(3.0, 4.0) == 12.0
    assert compiled(lambda **x: x["a"] * x["x_0"])(a=3.0, x_0=4.0) == 12.0
    assert compiled(lambda x_0, *x: x_0 * x[0], wrt=(0, 1)).value_and_grad(3.0, 4.0) == (
        12.0,
        (4.0, 3.0),
    )
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
    assert len(calls) == 6
    g = compiled(lambda kind, x: x * x)
    assert g("text", 3.0) == 9.0
    with pytest.raises(
        TypeError,
        match=r"the gradient of lambda is by argument 0, which is no number but 'text': name another by wrt",
    ):
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


def test_the_function_is_traced_once_for_each_structure_and_never_for_other_numbers():
    fn, calls = counted(lambda x, p: x * p[0])
    f = compiled(fn, wrt=(0, 1))
    for i in range(5):
        assert f(float(i), [i, 2.0]) == i * i
        f.value_and_grad(i, [1, 2])
        f.jacobian(np.float64(i), [True, 0.5])
        f.source(i, [1, 2])
    assert len(calls) == 2
    f(1.0, (2.0, 3.0))  # a tuple, which the function can tell from a list
    f(1.0, [1.0, 2.0, 3.0])
    f(1.0, np.array([1.0, 2.0]))
    assert len(calls) == 8
    for argument in ([1.0, 2.0], (1.0, 2.0), np.ones(2), np.ones(2, int), [0.0] * 3):
        f(1.0, argument)
    assert len(calls) == 8


def test_more_rows_are_no_other_structure():
    fn, calls = counted(lambda w, x, y: (w * x[0] - y) * x[1])
    f = compiled(fn, rows=("x", "y"))
    for n in (1, 2, 3, 50):
        f.value_and_grad(2.0, [[1.0, 2.0]] * n, [1.0] * n)
        f.value_and_grad(2.0, np.ones((n, 2)), np.ones(n))
    assert len(calls) == 4  # lists, and arrays


def test_a_function_that_counts_its_own_calls_is_traced_once():
    calls = 0

    def fn(x):
        nonlocal calls
        calls += 1
        return x * x

    f = compiled(fn)
    assert [f(x) for x in (1.0, 2.0, 3.0)] == [1.0, 4.0, 9.0]
    assert calls == 2


def test_structures_in_turn_are_each_traced_once():
    fn, calls = counted(lambda p: sg.sum(p))
    f = compiled(fn)
    for _ in range(3):
        for n in (1, 2, 3):
            assert f([1.0] * n) == n
    assert len(calls) == 6


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
    assert len(calls) == 2


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
        thread = threading.Thread(
            target=lambda: seen.append((Value(2.0) * 3.0 > 5.0, (Value(2.0) * 3.0).data))
        )
        thread.start()
        thread.join()
        return x

    assert compiled(fn)(1.0) == 1.0
    assert seen == [(True, 6.0)] * 2


# ------------------------------------------------------------------ pickling


def test_a_compiled_function_can_be_pickled():
    f = pickle.loads(pickle.dumps(compiled(tanh_of_line, wrt=(0, 1), rows="x", reduce="sum")))
    assert (
        repr(f) == "compile(tanh_of_line, wrt=(0, 1), rows=('x',), reduce='sum', backend='python')"
    )
    assert f.value_and_grad(0.5, [2.0], -1.0) == (0.0, (2.0, [0.5]))
    used = compiled(tanh_of_line)
    used(0.5, 2.0)
    assert pickle.loads(pickle.dumps(used))(0.5, 2.0, -1.0) == 0.0


def test_of_a_lambda_pickle_says_what_it_cannot():
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(compiled(lambda x: x))


def test_it_works_in_another_process(tmp_path):
    (tmp_path / "shipped.py").write_text(
        "import scalargrad as sg\n\ndef line(w, x):\n    return w * x\n\n@sg.compile\ndef cube(x):\n    return x**3\n",
        encoding="utf-8",
    )
    program = "import pickle, sys; sys.path.insert(0, {!r}); import shipped, scalargrad as sg\n{}"
    made = "sys.stdout.buffer.write(pickle.dumps([sg.compile(shipped.line), shipped.cube]))"
    root = str(tmp_path)
    path = [entry for entry in sys.path if entry]
    environment = {"PYTHONPATH": ":".join([root, str(sg.__path__[0]).rpartition("/")[0], *path])}
    ship = subprocess.run(
        [sys.executable, "-c", program.format(root, made)],
        capture_output=True,
        check=True,
        env=environment,
    ).stdout
    use = "f, g = pickle.loads(sys.stdin.buffer.read()); print(f.value_and_grad(2.0, 5.0), g.value_and_grad(2.0), g is shipped.cube)"
    out = subprocess.run(
        [sys.executable, "-c", program.format(root, use)],
        input=ship,
        capture_output=True,
        check=True,
        env=environment,
    ).stdout
    assert out.decode().strip() == "(10.0, 5.0) (8.0, 12.0) True"


def test_it_can_be_saved_as_a_module(tmp_path):
    f = compiled(tanh_of_line, wrt=(0, 1))
    f.save(tmp_path / "saved.py", 0.5, 2.0, b=-1.0)
    names: dict[str, Any] = {}
    exec((tmp_path / "saved.py").read_text(encoding="utf-8"), names)
    assert names["value_and_grad"](0.5, 3.0, -1.0) == f.value_and_grad(0.5, 3.0, -1.0)


# ------------------------------------------------------------------ in each other, and among Values


def test_a_compiled_function_within_another_becomes_a_part_of_it():
    w = Value(2.0)
    inner = compiled(lambda x: sg.sin(x) * w)
    outer = compiled(lambda x: inner(x * x) + inner(2.0))
    plain = lambda x: sg.sin(x * x) * w + sg.sin(2.0) * w
    assert outer.value_and_grad(0.5) == sg.value_and_grad(plain)(0.5)
    w.data = 3.0
    assert outer.value_and_grad(0.5) == sg.value_and_grad(plain)(0.5)
    assert compiled(compiled(tanh_of_line)).value_and_grad(0.5, 2.0, -1.0) == (0.0, 2.0)
    assert compiled(lambda x: inner.value_and_grad(x)[1])(0.5) == sg.cos(0.5) * 3.0
    assert compiled(lambda x: inner.jacobian(x)[1])(0.5) == sg.cos(0.5) * 3.0


def of_three(row):
    """A row as a function of a list of three numbers."""
    fn = getattr(functions, row.name)
    if row.name == "softmax":
        return lambda p: fn(p)[0]
    if row.name == "dot":
        return lambda p: fn(p, [p[1], p[2], p[0]], p[0])
    return fn if row.operands == ("xs",) else lambda p: fn(*p[: len(row.operands)])


TWICE = [row for row in OPS.values() if row.is_public and row.name not in ("where", "norm")]


@pytest.mark.parametrize(
    "point", [[0.7, 0.3, 0.9], [-0.4, 0.6, 0.2], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], ids=str
)
def test_gradients_and_their_gradients_can_be_compiled(point):
    for row in TWICE:
        slopes = functools.partial(lambda slopes, p: sg.sum(slopes(p)), sg.grad(of_three(row)))
        expected = sg.value_and_grad(slopes)(point)
        value, gradient = compiled(slopes).value_and_grad(point)
        assert [value, *gradient] == pytest.approx(
            [expected[0], *expected[1]], rel=1e-12, nan_ok=True
        ), row
        assert compiled(sg.grad(slopes))(point) == pytest.approx(
            expected[1], rel=1e-12, nan_ok=True
        ), row


@pytest.mark.parametrize("v", [[1.0, 2.0], [-3e-300, 4e-300], [1e308, 1.5e308]])
def test_derivatives_of_norm_are_those_of_values(v):
    for derived in (sg.grad(sg.norm), sg.hessian(sg.norm)):
        assert compiled(derived)(v) == derived(v)


def test_a_gradient_of_plain_numbers_in_it_is_a_number():
    assert compiled(lambda x: x * sg.grad(lambda y: y * y)(3.0)).value_and_grad(2.0) == (12.0, 6.0)


def test_of_values_it_says_what_to_give():
    f = compiled(lambda x: x * x)
    for argument, name in (
        (Value(1.0), "x"),
        ([Value(1.0)], r"x\[0\]"),
        (np.array([Value(1.0)]), r"x\[0\]"),
    ):
        with pytest.raises(
            TypeError,
            match=rf"{name} is a Value, and a compiled function takes numbers: give its \.data, or call",
        ):
            f(argument)
    with pytest.raises(TypeError, match="x is a Value"):
        sg.grad(f)(1.0)


def test_modes_outside_change_nothing():
    w = Value(2.0)
    f = compiled(lambda x: w * x * x)
    with sg.no_grad():
        assert f.value_and_grad(3.0) == (18.0, 12.0)
    assert f.value_and_grad(3.0) == (18.0, 12.0)
    assert sg.grad(lambda y: y * f(3.0))(1.0) == 18.0


def test_generated_code_has_no_values_that_detect_anomaly_could_watch():
    f = compiled(lambda x: sg.log(x) * x)
    assert math.isnan(f(-1.0))
    with sg.detect_anomaly():
        for call in (f, f.value_and_grad, compiled(lambda x: [x, f(x)]).jacobian):
            with pytest.raises(
                ValueError, match=r"that detect_anomaly\(\) could watch: within it call"
            ):
                call(-1.0)
    assert math.isnan(f(-1.0))


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


# ------------------------------------------------------------------ on every backend


@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
def test_a_slope_of_numbers_alone_is_worked_out(backend):
    steep = sg.custom_op("steep_of_a_test", "(1.0 + 0.5) * x", "1.0 + 0.5")
    plane = sg.custom_op("plane_of_a_test", "3.0 * x - 1.5 * y", ("1.0 + 2.0", "0.5 - 2.0"))
    for fn, expected in (
        (lambda w: (steep(w) - 1.0) ** 2, (4.0, 6.0)),
        (lambda w: w - 2.0 * steep(w), (-4.0, -2.0)),
        (lambda w: plane(w, w * w) ** 2, (0.0, 0.0)),
        (lambda w: plane(w * w, w) ** 2, (81.0, 189.0)),
    ):
        assert sg.value_and_grad(fn)(2.0) == expected
        assert sg.compile(fn, backend=backend).value_and_grad(2.0) == expected


@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
@pytest.mark.parametrize(
    "fn",
    [
        lambda x: sg.where(x == 0, 1.0, sg.sin(x) / x),
        lambda x: sg.where(x != 0, sg.sin(x) / x, 1.0 + x),
        lambda x: sg.where(x == 0, 0.0, x * sg.log(x)),
        lambda x: sg.where((x == 0) | (x == 1), x, 1.0 / (x * (x - 1.0))),
    ],
)
def test_a_choice_by_equality_leaves_out_what_is_not_chosen(fn, backend):
    f = sg.compile(fn, backend=backend)
    for x in (0.0, -0.0, 1.0, 2.0):
        assert f.value_and_grad(x) == pytest.approx(sg.value_and_grad(fn)(x), rel=1e-15)
