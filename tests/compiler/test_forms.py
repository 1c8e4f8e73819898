"""Arguments and results of every structure; oracle: the function on Values."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict, namedtuple
from fractions import Fraction

import numpy as np
import pandas
import pytest

import scalargrad as sg

from .tools import compiled

Point = namedtuple("Point", "x y")
NAN = float("nan")


# ------------------------------------------------------------------ arguments of every structure


STRUCTURES = {
    "a number": (lambda x: sg.sin(x) * x, 2.0),
    "an int": (lambda x: x**3, 2),
    "a fraction": (lambda x: x * x, Fraction(1, 3)),
    "a NumPy number": (lambda x: x * x, np.float32(0.1)),
    "bools among numbers": (lambda p: p[0] * p[1], [2.0, True]),
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
    assert da.tolist() == (np.outer([1, 1], w) + a / 2).tolist()
    assert dp["w"].tolist() == [4.0, 6.0]
    assert [drest[0].tolist(), drest[1]] == [[0.0, 9.0], 8.0]


def test_functions_take_arrays_beside_traced_numbers_element_by_element():
    def fn(a, x):
        chosen = sg.where(x > 1.0, a, -a) + sg.where(x > 5.0, 100.0, a)
        return np.sum(sg.maximum(a, x) + sg.hypot(x, a) + sg.clip(a, 0.0, x) + chosen)

    a, x = np.array([[1.0, 2.0], [3.0, 4.0]]), 2.5
    expected = np.maximum(a, x) + np.hypot(a, x) + np.clip(a, 0.0, x) + 2.0 * a
    assert compiled(fn)(a, x) == pytest.approx(expected.sum(), rel=1e-15)


@pytest.mark.parametrize("backend", ["python", "numpy"])
def test_arrays_are_compared_element_by_element(backend):
    def fn(a, w):
        z = (a @ w)[::-1]
        near = (z > 0.0) & (z <= 3.0) | (a[0] == 1.0)
        count = np.sum(z > 0.0) + ((z != 2.0) * w).sum()
        return np.sum(sg.where(near, z * z, -z)) + w[0] * count

    a, w = np.array([[1.0, -2.0], [3.0, 4.0]]), np.array([0.5, 0.25])
    z, b = np.array([2.5, 0.0]), np.array([True, False])
    assert (a @ w)[::-1].tolist() == z.tolist()
    assert fn(a, w) == 6.25 + 0.5 * (1.0 + 0.75)
    value, slopes = sg.compile(fn, wrt=1, backend=backend).value_and_grad(a, w)
    assert value == fn(a, w)
    by_z = np.where(b, 2.0 * z, -1.0)[::-1]
    assert slopes.tolist() == (by_z @ a + 0.5 + np.array([1.75, 0.0])).tolist()


def test_an_array_of_conditions_chooses_no_items():
    with pytest.raises(sg.TraceError, match="the truth of a traced comparison"):
        compiled(lambda a: a[a > 0.0].sum())(np.array([1.0, -1.0]))


@pytest.mark.parametrize(
    "fn",
    [
        lambda a: np.arctan2(1.0, a),
        lambda a: np.logaddexp(a, 0.25),
        lambda a: np.logaddexp(np.array([1.0, 2.0]), a).sum(),
    ],
)
def test_functions_of_numpy_take_a_number_before_a_traced_one(fn):
    difference = (fn(0.5 + 1e-6) - fn(0.5 - 1e-6)) / 2e-6
    assert compiled(fn).value_and_grad(0.5) == pytest.approx((fn(0.5), difference), rel=1e-9)


@pytest.mark.parametrize(
    "kind",
    [
        np.float64,
        np.float32,
        np.float16,
        np.int64,
        np.int8,
        np.uint16,
        np.bool_,
        np.longdouble,
        object,
    ],
)
def test_arrays_of_every_real_kind_are_read(kind):
    a = np.array([0, 1, 1]).astype(kind)
    f = compiled(lambda a: a[0] + 2 * a[1] + a[1] * a[2])
    assert f(a) == 3.0
    assert f.value_and_grad(a)[1].tolist() == [1.0, 3.0, 1.0]


def test_an_array_of_no_dimension_is_a_number():
    assert compiled(lambda x: x * x).value_and_grad(np.array(3.0)) == (9.0, 6.0)


def test_arrays_of_no_numbers_have_gradients_of_their_shape():
    f = compiled(lambda a: 2.0 + sg.sum(a.ravel()))
    for shape in (0, 3), (2, 0):
        value, gradient = f.value_and_grad(np.zeros(shape))
        assert (value, gradient.shape) == (2.0, shape)


def test_an_array_s_order_in_memory_does_not_matter():
    a = np.arange(6.0).reshape(2, 3)
    f = compiled(lambda a: a[0][1] * 10 + a[1][2])
    assert (
        f(a.T.copy().T)
        == f(a)
        == f(np.asfortranarray(a))
        == f(np.arange(12.0)[::2].reshape(2, 3) / 2)
        == 15.0
    )


def test_pandas_is_read_like_an_array():
    frame = pandas.DataFrame({"a": [1.0, 2.0], "b": [3, 4]})
    assert compiled(lambda a: a[0, 1] * a[1, 0])(frame) == 6.0
    assert compiled(lambda s: s[0] * s[1])(frame["b"]) == 12.0
    f = compiled(lambda x, y: (x[0] - y) * x[1], rows=("x", "y"), reduce="sum")
    assert f(frame, frame["a"]) == 0.0
    assert f(frame, [0, 0]) == 11.0


@pytest.mark.parametrize("number", [float("inf"), -float("inf"), 10**400, -0.0])
def test_numbers_at_the_ends_of_the_range_are_numbers(number):
    assert str(compiled(lambda x: x)(number)) == str(
        float(np.clip(float("1e999"), 0, None)) if number == 10**400 else number
    )


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


# ------------------------------------------------------------------ results of every structure


def test_results_keep_their_structure():
    f = compiled(lambda x: {"a": [x, 2.0], "p": Point(x * x, (3,))})
    assert f(4.0) == {"a": [4.0, 2.0], "p": Point(16.0, (3.0,))}
    assert f.jacobian(4.0) == (f(4.0), {"a": [1.0, 0.0], "p": Point(8.0, (0.0,))})
    array = compiled(lambda x: np.array([x * x, x]))
    assert isinstance(array(3.0), np.ndarray)
    assert array(3.0).tolist() == [9.0, 3.0]
    with pytest.raises(
        TypeError,
        match=r"returns several values, and value_and_grad is of one: take f\.jacobian\(…\), or return their sum",
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
        (
            lambda x: np.array(x),
            r"the result of lambda is ndarray, expected a number, .*: write \.item\(\) of it",
        ),
        (
            lambda x: None,
            r"lambda returned NoneType, expected a number or a structure of numbers: did it forget its return\?",
        ),
        (lambda x: "x", r"lambda returned str, expected a number"),
        (lambda x: {x}, r"the result of lambda is set, expected a number"),
        (
            lambda x: (y for y in [x]),
            r"the result of lambda is generator, expected a number.*: write list",
        ),
        (lambda x: [x, None], r"the result of lambda\[1\] is NoneType"),
        (lambda x: 1j, r"the result of lambda is complex"),
    ],
)
def test_results_that_are_no_numbers_are_refused(fn, text):
    with pytest.raises(TypeError, match=text):
        compiled(fn)(1.0)
