"""The promises of a Value, a line a test."""

import copy
import math
import pickle
import subprocess
import sys
import tracemalloc
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import scalargrad as sg
from scalargrad import Value

nan, inf = math.nan, math.inf


def same(a, b):
    return a == b or (a != a and b != b)


# ------------------------------------------------------------------ what a Value takes


@pytest.mark.parametrize(
    ("number", "stored"),
    [
        (2, 2.0), (True, 1.0), (2.5, 2.5), (Fraction(1, 4), 0.25), (Decimal("0.5"), 0.5), (np.float32(0.5), 0.5), (np.float64(0.1), 0.1),
        (np.int64(3), 3.0), (np.uint8(3), 3.0), (np.bool_(True), 1.0), (np.longdouble(2), 2.0), (10**400, inf), (-(10**400), -inf),
        (Fraction(10**400), inf), (Decimal("sNaN"), nan), (inf, inf), (nan, nan),
    ],
)  # fmt: skip
def test_any_real_number_is_stored_as_float(number, stored):
    data = Value(number).data
    assert type(data) is float
    assert same(data, stored)


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (1j, "Value takes a real number, got complex: use its real and its imaginary part"),
        ("2", "Value takes a real number, got str: write float('2')"),
        (b"2", "Value takes a real number, got bytes: write float(b'2')"),
        (None, "Value takes a real number, got NoneType"),
        ([1.0], "Value takes a real number, got list: give it one number at a time"),
        (
            np.array([1.0, 2.0]),
            "Value takes a real number, got ndarray: give it one number at a time",
        ),
        (np.array(1.0), "Value takes a real number, got ndarray"),
        (np.complex128(1), "Value takes a real number, got complex128"),
        (
            Value(1.0),
            "Value takes a real number, got Value: use it as it is, or its .detach() for a leaf",
        ),
    ],
)
def test_what_is_no_real_number_is_refused(thing, text):
    with pytest.raises(TypeError) as error:
        Value(thing)
    assert str(error.value).startswith(text)


def test_a_label_is_a_string():
    with pytest.raises(TypeError, match=r"label must be a str, got int: write label='3'"):
        Value(1.0, label=3)


def test_a_float_subclass_is_stored_as_plain_float():
    class Loud(float):
        def __mul__(self, other):
            raise AssertionError("a subclass must not take over the arithmetic")

    assert type(Value(Loud(2.0)).data) is float
    y = Value(3.0) * Loud(2.0)
    assert type(y.data) is float
    assert y.data == 6.0
    assert type(y.parents[1]) is float


# ------------------------------------------------------------------ operators

OPERATORS = [
    ("+", lambda x, y: x + y, lambda x, y: (1, 1)),
    ("-", lambda x, y: x - y, lambda x, y: (1, -1)),
    ("*", lambda x, y: x * y, lambda x, y: (y, x)),
    ("/", lambda x, y: x / y, lambda x, y: (1 / y, -x / y**2)),
    ("%", lambda x, y: x % y, lambda x, y: (1, -(x // y))),
    ("**", lambda x, y: x**y, lambda x, y: (y * x ** (y - 1), x**y * math.log(x))),
]


@pytest.mark.parametrize(("symbol", "f", "slopes"), OPERATORS)
def test_operators_with_a_value_or_a_number_on_either_side(symbol, f, slopes):
    a, b = 2.5, 1.5
    for x, y in (
        (Value(a), Value(b)),
        (Value(a), b),
        (a, Value(b)),
        (Value(a), Fraction(3, 2)),
        (Fraction(5, 2), Value(b)),
    ):
        z = f(x, y)
        assert z.data == f(a, b)
        assert len(z.graph()) == 1 + isinstance(x, Value) + isinstance(
            y, Value
        )  # one node each, subtraction and division too
        assert z.parents == (
            x if isinstance(x, Value) else float(x),
            y if isinstance(y, Value) else float(y),
        )
        z.backward()
        for operand, partial, slope in zip((x, y), z.partials, slopes(a, b), strict=True):
            if isinstance(operand, Value):
                assert operand.grad == partial == pytest.approx(slope, rel=1e-15)
            else:
                assert partial is None


def test_negation_and_absolute_value():
    x = Value(-2.0)
    assert ((-x).data, (-x).partials, abs(x).data, abs(x).partials) == (2.0, (-1.0,), 2.0, (-1.0,))


def test_comparisons_compare_data_and_hash_is_by_identity():
    a, b = Value(1.0), Value(1.0)
    assert a <= b
    assert a >= 1
    assert not a < b
    assert a > 0.5
    assert a < 2
    assert a == b
    assert (a != b) is False
    assert a != 2
    assert Value(0.0) == -0.0
    assert a != "1"
    assert a != None  # noqa: E711
    assert len({a, b}) == 2
    assert a in {a}
    assert b not in {a}
    assert Value(nan) != Value(nan)
    assert not Value(nan) < 1
    with pytest.raises(TypeError, match="'<' not supported"):
        _ = a < "1"


def test_values_of_different_subclasses_compare_and_data_may_be_an_int():
    class A(Value):
        pass

    class B(Value):
        pass

    assert A(1.0) < B(2.0) > Value(1.0)
    x = Value(1.0)
    x.data = 2
    assert x > 1
    assert x <= 3


def test_truth_is_that_of_the_number():
    assert Value(0.5)
    assert not Value(0.0)
    assert Value(nan)


def test_format_formats_the_data():
    assert f"{Value(math.pi):.3f}" == "3.142"
    assert f"{Value(2.0, 'x')}" == "Value(data=2.0, grad=0.0, label='x')"


@pytest.mark.parametrize("cut", [float, math.exp, math.floor, int, round])
def test_what_would_cut_the_graph_says_so(cut):
    with pytest.raises(TypeError, match=r"\(Value\) would cut the graph: .*value\.data"):
        cut(Value(1.0))


def test_a_foreign_operand_is_refused_by_python_itself():
    with pytest.raises(TypeError, match="unsupported operand"):
        Value(1.0) + "1"
    with pytest.raises(TypeError, match="unsupported operand"):
        1j * Value(1.0)
    with pytest.raises(TypeError, match="unsupported operand"):
        Value(1.0) - [1.0]


def test_subclasses_of_value_take_part():
    class Weight(Value):
        pass

    w = Weight(2.0)
    y = Value(3.0) * w + w
    y.backward()
    assert (y.data, w.grad) == (8.0, 4.0)


# ------------------------------------------------------------------ what it remembers


def test_parents_hold_operands_in_order_repeats_included():
    a, b = Value(2.0), Value(3.0)
    assert (a + a).parents == (a, a)
    assert (b - a).parents == (b, a)
    assert (5 - a).parents == (5.0, a)
    assert sg.sum([a, 1, a]).parents == (a, 1.0, a)
    assert sg.dot([a, b], [1, a], 4).parents == (a, b, 1.0, a, 4.0)
    assert a.parents == a.partials == ()
    assert a.op is None
    assert ((a * b).op, sg.sum([a, b]).op, (2 - a).op) == ("mul", "sum", "sub")


def test_slopes_are_those_of_the_moment_the_operation_happened():
    x, y = Value(2.0), Value(3.0)
    z = x * y + sg.dot([x], [y]) + sg.exp(x)
    expected = 2 * 3.0 + math.exp(2.0)
    x.data, y.data = 100.0, 100.0
    z.backward()
    assert x.grad == expected


def test_detach_gives_a_leaf_that_passes_no_slope():
    x = Value(2.0, "x")
    y = (x * x).detach() * x
    y.backward()
    assert (x.grad, y.data, x.detach().label) == (4.0, 8.0, "x")


# ------------------------------------------------------------------ size


def test_a_long_chain_of_values_works():
    x, one = Value(1.0, "x"), Value(1.0)
    y = x
    for _ in range(100_000):
        y = y * one
    y.backward()
    assert (x.grad, one.grad) == (1.0, 100_000.0)
    assert repr(y) == "Value(data=1.0, grad=1.0)"
    assert len(y.graph()) == 100_002
    twin = copy.deepcopy(y)
    assert twin is not y
    assert len(twin.graph()) == 100_002
    del y, twin  # no recursion in deletion either


def test_deepcopy_keeps_sharing_and_separates_from_the_original():
    x = Value(3.0, "x")
    y = sg.dot([x, 2.0], [x, x], 1) * x
    twins = copy.deepcopy({"x": x, "y": y})
    twins["y"].backward()
    assert x.grad == 0.0
    assert twins["y"].graph()[0] is twins["x"]
    assert twins["x"].grad == 3 * 9 + 2 * 2 * 3 + 1
    assert (twins["x"].label, twins["y"].parents[1]) == ("x", twins["x"])


@pytest.mark.parametrize("bias", [1.0, Value(1.0)], ids=["number", "Value"])
def test_a_copy_of_an_operation_of_lists_shares_nothing_with_it(bias):
    neuron = sg.nn.Neuron(2, activation=None, seed=0)
    for inputs in ([1.0, 2.0], [Value(1.0), Value(2.0)], [Value(1.0), 2]):
        for out in (neuron(inputs), sg.dot(neuron.w, inputs, bias)):
            twin = copy.deepcopy(out)
            assert not set(twin.graph()) & set(out.graph())
            assert [getattr(p, "data", p) for p in twin.parents] == [
                getattr(p, "data", p) for p in out.parents
            ]
            neuron.zero_grad()
            twin.backward()
            assert [w.grad for w in twin.parents[:2]] == [1.0, 2.0]
            assert [w.grad for w in neuron.w] == [0.0, 0.0]


def test_deepcopy_of_a_subclass_keeps_its_attributes():
    class Tagged(Value):
        pass

    x = Tagged(2.0)
    x.tag = "mine"
    assert copy.deepcopy(x * 1.0).graph()[0].tag == "mine"


def test_methods_document_themselves():
    assert Value(1.0).tanh.__doc__.startswith(
        "The hyperbolic tangent of x: an S-shaped curve from −1 to 1.\n\n"
        "    tanh(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)\n    slope: 1 − tanh(x)²\n\n>>> "
    )
    assert Value.__mul__.__doc__ == (
        "The product of x and y.\n\n    mul(x, y) = x·y\n    slope by x: y\n    slope by y: x"
    )


def test_pickling_keeps_graph_and_sharing():
    x = Value(3.0, "x")
    y = 2 - x * sg.tanh(x)
    x2, y2 = pickle.loads(pickle.dumps((x, y)))
    y.backward()
    y2.backward()
    assert (y2.data, x2.grad, y2.parents[0]) == (y.data, x.grad, 2.0)


TRAINING_LOOP = """
import gc, tracemalloc
import scalargrad as sg

w, b = sg.Value(0.5), sg.Value(0.1)

def step():
    loss = sg.sum([(sg.tanh(sg.dot([w, b], [x, 1.0])) - 0.3) ** 2 for x in (0.1, 0.2, 0.3)])
    w.grad = b.grad = 0.0
    loss.backward()
    w.data -= 0.01 * w.grad
    b.data -= 0.01 * b.grad

step()  # what is made once
gc.collect()
gc.disable()
tracemalloc.start()
for _ in range(3000):
    step()
warm = tracemalloc.get_traced_memory()[0]
for _ in range(1000):
    step()
print(tracemalloc.get_traced_memory()[0] - warm, gc.collect())
"""


def test_a_training_loop_does_not_grow_with_the_collector_off():
    run = [sys.executable, "-c", TRAINING_LOOP]  # a process without other tests' threads
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    grown, cycles = map(int, said.split())
    assert grown < 2_000
    assert cycles == 0


def test_a_node_takes_at_most_150_bytes():
    x = Value(1.5)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        y = x
        for i in range(10_000):
            y = y * x if i % 2 else y + x
        recorded = tracemalloc.get_traced_memory()[0]
        y.backward()
        walked = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert (recorded - before) / 10_000 <= 150
    assert (walked - before) / 10_000 <= 150


# ------------------------------------------------------------------ arrays


def test_an_array_or_series_on_the_other_side_works_elementwise():
    v = Value(2.0)
    for array in (np.array([1.0, 3.0]), np.array([1, 3]), pd.Series([1.0, 3.0])):
        for result, expected in (
            (v * array, [2, 6]),
            (array * v, [2, 6]),
            (v - array, [1, -1]),
            (array - v, [-1, 1]),
            (array / v, [0.5, 1.5]),
        ):
            assert type(result) is type(array)
            assert [element.data for element in result] == expected
            assert all(isinstance(element, Value) for element in result)
    assert (v ** np.array([2.0, 3.0]))[1].data == 8.0


@pytest.mark.parametrize(
    "scalar", [np.float64(3), np.float32(3), np.int64(3), np.int8(3), np.array(3.0)]
)
def test_numpy_scalars_work_on_either_side(scalar):
    v = Value(2.0)
    for result, expected in (
        (v * scalar, 6.0),
        (scalar * v, 6.0),
        (scalar - v, 1.0),
        (v - scalar, -1.0),
        (scalar**v, 9.0),
        (scalar / v, 1.5),
    ):
        assert isinstance(result, Value)
        assert result.data == expected


def test_numpy_functions_on_values_and_object_arrays_give_values():
    v = Value(0.5)
    assert np.exp(v).data == math.exp(0.5)
    o = np.array([Value(1.0), Value(2.0), Value(4.0)], dtype=object)
    assert [x.data for x in np.tanh(o)] == [math.tanh(x) for x in (1.0, 2.0, 4.0)]
    assert np.dot(o, o).data == 21.0
    assert (o @ o).data == 21.0
    assert o.sum().data == 7.0
    assert o.mean().data == 7 / 3
    matrix = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    result = matrix @ o
    assert [x.data for x in result] == [17.0, 38.0]
    result[1].backward()
    assert [x.grad for x in o] == [4.0, 5.0, 6.0]
    assert [x.data for x in np.arctan2(o, 1.0)] == [math.atan2(x, 1.0) for x in (1.0, 2.0, 4.0)]
    assert [getattr(x, "data", x) for x in np.maximum(o, 2.0)] == [2.0, 2.0, 4.0]


# ------------------------------------------------------------------ the import


def test_importing_the_package_imports_no_other():
    others = ("numpy", "graphviz", "matplotlib", "dataclasses", "typing", "threading")
    code = (
        "import sys, scalargrad; imported = {*sys.modules}; scalargrad.Value(2.0) * 3; "
        f"print({{'contextlib', 'collections'}} & imported, {{*{others}}} & {{*sys.modules}})"
    )
    result = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set() set()"
