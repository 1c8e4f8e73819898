"""no_grad and detect_anomaly."""

import math
import threading

import pytest

import scalargrad as sg
from scalargrad import Value, detect_anomaly, no_grad


def test_no_grad_records_nothing():
    x = Value(2.0)
    with no_grad():
        y = sg.tanh(x * 3) + sg.dot([x], [x]) + sg.sum([x, 1]) + (1 - x)
    assert (y.op, y.parents, y.graph()) == (None, (), [y])
    assert y.data == math.tanh(6.0) + 4.0 + 3.0 - 1.0
    assert (x * 3).op == "mul"


def test_no_grad_ends_with_its_block_even_by_an_error():
    x = Value(2.0)
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert (x * x).op == "mul"


def test_no_grad_nests():
    x = Value(2.0)
    with no_grad():
        with no_grad():
            pass
        assert (x * x).op is None


def test_no_grad_is_of_its_thread():
    ops, inside, done = [], threading.Event(), threading.Event()

    def elsewhere():
        inside.wait(10)
        ops.append((Value(1.0) * 2).op)
        done.set()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    with no_grad():
        inside.set()
        done.wait(10)
        ops.append((Value(1.0) * 2).op)
    thread.join()
    assert ops == ["mul", None]


def test_no_grad_works_as_a_decorator():
    @no_grad()
    def predict(x):
        return x * 2

    assert predict(Value(1.0)).op is None


@pytest.mark.parametrize(
    ("compute", "text"),
    [
        (lambda x: sg.exp(x * 1000), r"exp gave inf: exp\(2000.0\)"),
        (lambda x: sg.log(-x), r"log gave nan: log\(-2.0\)"),
        (lambda x: x / 0, r"div gave inf: div\(x=2.0, 0.0\)"),
        (lambda x: x**5000, r"pow gave inf: pow\(x=2.0, 5000.0\)"),
        (
            lambda x: sg.dot([x, x], [1e308, 1e308]),
            r"dot gave inf: dot\(x=2.0, x=2.0, 1e\+308, 1e\+308, 0.0\)",
        ),
        (lambda x: x * math.nan, r"mul gave nan: mul\(x=2.0, nan\)"),
    ],
)
def test_the_first_nan_or_overflow_is_named(compute, text):
    with (
        pytest.raises(FloatingPointError, match=text + r", at .*test_modes\.py, line \d+"),
        detect_anomaly(),
    ):
        compute(Value(2.0, "x"))


def test_infinite_operands_are_no_overflow():
    with detect_anomaly():
        assert (Value(math.inf) * 2).data == math.inf


def test_the_label_and_the_line_of_a_bad_slope_are_named():
    x = Value(0.0, "x")
    with detect_anomaly():
        y = sg.sqrt(x)
        line = test_the_label_and_the_line_of_a_bad_slope_are_named.__code__.co_firstlineno + 3
        y.label = "root"
        z = y * 3.0
        with pytest.raises(FloatingPointError) as error:
            z.backward()
    assert str(error.value).startswith(
        "backward through sqrt gave inf: gradient 3.0 of sqrt(x=0.0) labelled 'root', times its local slope inf by x, at "
    )
    assert str(error.value).endswith(f"test_modes.py, line {line}")


def test_a_healthy_step_passes_and_gives_the_same_gradients():
    def gradients():
        x, y = Value(0.5), Value(-1.5)
        (sg.tanh(x * y) / (1 + sg.exp(y)) - sg.dot([x, y], [y, 2.0])).backward()
        return x.grad, y.grad

    expected = gradients()
    with detect_anomaly():
        assert gradients() == expected


def test_nodes_made_while_watching_mix_with_others():
    x = Value(2.0)
    before = x * 3
    with detect_anomaly():
        watched = before * x
    after = watched + before
    after.backward()
    assert x.grad == 6.0 + 6.0 + 3.0


def test_modes_leave_nothing_switched_on():
    from scalargrad import modes

    with no_grad(), detect_anomaly():
        assert len(modes.modes_on) == 2
    assert modes.modes_on == []
    assert modes.modes_here.get() == ()


def test_watching_and_forgetting_work_in_either_order():
    for outer, inner in ((no_grad, detect_anomaly), (detect_anomaly, no_grad)):
        with outer(), inner():
            assert (Value(math.inf) * 2).parents == ()
            with pytest.raises(FloatingPointError, match=r"log gave nan: log\(-1.0\)"):
                sg.log(Value(-1.0))


def test_a_sum_of_gradients_that_overflows_is_named():
    x = Value(0.0, "x")
    with detect_anomaly():
        m = x * 1.0
        y = m * 1e308 + m * 1e308
        with pytest.raises(
            FloatingPointError,
            match=r"backward through mul gave 1e\+308, and the gradients of .* add up to inf",
        ):
            y.backward()
    leaf = Value(1.0, "leaf")
    with detect_anomaly():
        z = leaf * 1e308
        z.backward()
        with pytest.raises(FloatingPointError, match="by leaf"):
            z.backward()
