"""The free functions, on Values, on numbers and on both; those of many; custom operations."""

import doctest
import inspect
import math
import re

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import Value
from scalargrad.ops import OPS

DESIGNED = [
    "exp",
    "exp2",
    "log",
    "log1p",
    "expm1",
    "log2",
    "log10",
    "sqrt",
    "cbrt",
    "square",
    "reciprocal",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "arctan2",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "hypot",
    "abs",
    "sign",
    "erf",
    "erfc",
    "sigmoid",
    "log_sigmoid",
    "softplus",
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "maximum",
    "minimum",
    "clip",
    "where",
    "xlogy",
    "logaddexp",
    "sum",
    "mean",
    "prod",
    "dot",
    "norm",
    "logsumexp",
    "softmax",
    "max",
    "min",
    "var",
]
ALIASES = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}
OF_ONE = [op for op in OPS.values() if op.is_public and op.operands == ("x",)]
OF_TWO = [op for op in OPS.values() if op.is_public and op.operands == ("x", "y")]


def floats(values):
    return [v.data if isinstance(v, Value) else v for v in values]


@pytest.mark.parametrize("name", DESIGNED)
def test_every_function_is_an_operation_and_a_name_of_the_package(name):
    assert name in OPS
    assert getattr(sg, name).__name__ == name
    assert name in dir(sg)


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_the_names_of_math_are_aliases(alias, name):
    assert getattr(sg, alias) is getattr(sg, name)
    assert Value(0.5).__getattribute__(alias) is not None


@pytest.mark.parametrize("op", OF_ONE, ids=lambda op: op.name)
def test_a_function_of_one_equals_the_method_and_takes_numbers(op):
    for x in (0.25, 0.75, 1.5):
        function = getattr(sg, op.name)
        by_function, by_method, by_number = (
            function(Value(x)),
            getattr(Value(x), op.name)(),
            function(x),
        )
        assert type(by_number) is float
        assert by_function.data == by_method.data or math.isnan(by_method.data)
        assert by_number == by_method.data or math.isnan(by_method.data)
        assert by_function.op == op.name


@pytest.mark.parametrize("op", OF_TWO, ids=lambda op: op.name)
def test_a_function_of_two_takes_values_and_numbers_on_either_side(op):
    function = getattr(sg, op.name)
    x, y = 0.75, 1.5
    expected = function(x, y)
    assert type(expected) is float
    both = function(Value(x), Value(y))
    for operands in ((Value(x), y), (x, Value(y)), (np.float64(x), Value(y)), (Value(x), 3 / 2)):
        result = function(*operands)
        assert result.data == expected == both.data
        for got, want, operand in zip(result.partials, both.partials, operands, strict=True):
            assert got == (want if isinstance(operand, Value) else None)
    assert getattr(Value(x), op.name)(Value(y)).data == expected


def test_wrong_operands_are_told_what_is_taken():
    for call, text in (
        (lambda: sg.exp("1"), r"exp takes a real number, got str: write float\('1'\)"),
        (
            lambda: sg.exp([1.0, 2.0]),
            r"exp takes a Value, a number or an array as x, got list: "
            r"write numpy.array\(xs\), or \[exp\(x\) for x in xs\]$",
        ),
        (
            lambda: sg.maximum(Value(1.0), (2.0, 3.0)),
            r"as y, got tuple: write numpy.array\(ys\), or \[maximum\(x, y\) for y in ys\]$",
        ),
        (lambda: sg.exp(np.array(["a"])), r"exp takes a real number, got str"),
        (lambda: sg.maximum(1.0), r"maximum\(\) missing 1 required positional argument: 'y'"),
        (
            lambda: Value(1.0).maximum(np.ones(2)),
            r"got ndarray: write scalargrad.maximum\(x, y\) for arrays$",
        ),
        (lambda: Value(1.0).maximum("2"), r"maximum takes a Value or a real number, got str"),
        (lambda: sg.sum([Value(1.0), None]), r"sum takes Values and real numbers, got NoneType"),
        (
            lambda: sg.sum(Value(1.0)),
            r"sum takes an iterable of Values and numbers as xs, got Value",
        ),
        (lambda: sg.sum(3.0), r"sum takes an iterable of Values and numbers as xs, got float"),
        (lambda: sg.clip(Value(1.0), 0), r"clip\(\) missing 1 required positional argument"),
        (
            lambda: sg.max(Value(1.0), 2.0),
            r"max takes one iterable, got 2 arguments: write max\(\[x, y\]\) or maximum\(x, y\)",
        ),
        (
            lambda: sg.sum(1, 2, 3),
            r"sum takes one iterable, got 3 arguments: write sum\(\[x, y\]\)$",
        ),
        (lambda: sg.softmax(3), r"softmax takes an iterable of Values and numbers as xs, got int"),
        (
            lambda: sg.custom_op("f", lambda x: x, "1.0"),
            r"custom_op takes value and slopes as text or as functions, all of one kind, got function, str",
        ),
        (
            lambda: sg.sum([[1.0], [2.0]]),
            r"sum takes one row of Values and numbers, got rows \(list\): "
            r"write \[sum\(row\) for row in xs\]$",
        ),
        (
            lambda: sg.mean(np.ones((2, 2))),
            r"got rows \(ndarray\): write \[mean\(row\) for row in xs\]$",
        ),
        (lambda: sg.dot(np.ones((2, 2)), [1.0, 1.0]), r"write \[dot\(row, xs\) for row in ws\]$"),
        (lambda: sg.softmax(["a"]), r"softmax takes a real number, got str"),
    ):
        with pytest.raises(TypeError, match=text):
            call()


OF_OPERANDS = [op for op in OPS.values() if op.is_public and not op.takes_lists]


@pytest.mark.parametrize("op", OF_OPERANDS, ids=lambda op: op.name)
def test_on_arrays_a_function_works_on_each_element(op):
    function, count = getattr(sg, op.name), len(op.operands)
    numbers = [0.25, 0.75, 1.5, -2.0]
    expected = [function(x, *[0.5] * (count - 1)) for x in numbers]
    of_floats = function(np.array(numbers).reshape(2, 2), *[0.5] * (count - 1))
    assert of_floats.dtype == float
    np.testing.assert_array_equal(of_floats, np.reshape(expected, (2, 2)))
    last = np.array([Value(x) for x in numbers])
    for operands in ([last] + [0.5] * (count - 1), [0.5] * (count - 1) + [last]):
        of_values = function(*operands)
        by_one = [function(*[x if o is last else o for o in operands]) for x in last]
        assert of_values.dtype == object
        np.testing.assert_array_equal(floats(of_values), floats(by_one))


def test_arrays_broadcast_as_in_numpy():
    X, W = np.array([[1.0, -2.0], [3.0, 4.0]]), np.array([Value(0.5), Value(-1.0)])
    h = sg.relu(X @ W)
    assert floats(h) == [2.5, 0.0]
    sg.sum(h).backward()
    assert [w.grad for w in W] == [1.0, -2.0]
    column, row = np.array([[1.0], [2.0]]), np.array([0.0, 1.5, 3.0])
    np.testing.assert_array_equal(sg.maximum(column, row), np.maximum(column, row))
    np.testing.assert_array_equal(sg.where(X > 0, X, 0), np.where(X > 0, X, 0))
    np.testing.assert_array_equal(sg.where(np.sign(X).astype(int), X, 9), np.where(X, X, 9))
    np.testing.assert_array_equal(sg.clip(X, 0, 1), np.clip(X, 0, 1))
    assert sg.maximum(X, Value(0.0)).dtype == object
    assert type(sg.exp(np.float64(0.0))) is type(sg.exp(np.array(0.0))) is float
    assert sg.exp(np.array([])).shape == (0,)
    with pytest.raises(ValueError, match="broadcast"):
        sg.maximum(np.ones(2), np.ones(3))


def test_a_series_gives_a_series():
    pd = pytest.importorskip("pandas")
    series = pd.Series([1.0, -2.0], index=["a", "b"])
    pd.testing.assert_series_equal(sg.relu(series), pd.Series([1.0, 0.0], index=["a", "b"]))
    assert sg.maximum(series, Value(0.0))["b"].op == "maximum"
    assert sg.sum(series) == -1.0


def test_arrays_of_traced_numbers_compile():
    def layer(W, x):
        return sg.sum(sg.relu(np.array(W) @ np.array(x)) + sg.maximum(np.array(x), 0.75))

    value_and_grad = sg.compile(layer, wrt=1).value_and_grad
    assert value_and_grad([[1.0, 2.0], [-3.0, 1.0]], [0.5, 1.5]) == (5.75, [1.0, 3.0])


def test_of_nothing():
    assert (
        sg.sum([]),
        sg.prod([]),
        sg.norm([]),
        sg.dot([], []),
        sg.softmax([]),
        sg.logsumexp([]),
    ) == (0.0, 1.0, 0.0, 0.0, [], -math.inf)
    for function in (sg.mean, sg.var, sg.max, sg.min):
        with pytest.raises(ValueError, match=r"of no numbers: give it at least one"):
            function([])
    with pytest.raises(ValueError, match=r"^max of no numbers"):
        sg.max([Value(1.0)][1:])


def test_dot_is_one_node_and_equals_numpy():
    rng = np.random.default_rng(0)
    w, x, b = rng.normal(size=7), rng.normal(size=7), 0.3
    for ws, xs, bias in (
        ([Value(v) for v in w], [Value(v) for v in x], Value(b)),
        ([Value(v) for v in w], x.tolist(), Value(b)),
        ([Value(v) for v in w], x, b),
        (w.tolist(), [Value(v) for v in x], b),
        ([Value(w[0]), *w[1:]], [*x[:-1], Value(x[-1])], b),
    ):
        y = sg.dot(ws, xs, bias)
        assert y.data == pytest.approx(float(w @ x + b), rel=1e-14)
        assert y.op == "dot"
        assert len(y.graph()) == 1 + sum(isinstance(v, Value) for v in (*ws, *xs, bias))
        y.backward()
        assert [v.grad for v in ws if isinstance(v, Value)] == [
            s for v, s in zip(ws, x) if isinstance(v, Value)
        ]
        assert [v.grad for v in xs if isinstance(v, Value)] == [
            s for v, s in zip(xs, w) if isinstance(v, Value)
        ]
    assert sg.dot([1, 2], [3, 4], 5) == 16.0
    with pytest.raises(ValueError, match="dot takes two lists of one length, got 2 and 3 numbers"):
        sg.dot([Value(1.0), 2.0], [1.0, 2.0, 3.0])


def test_dot_adds_from_left_to_right_beginning_with_the_bias():
    xs = [1e16, 1.0, -1e16, 3.0]
    total = 0.5
    for x in xs:
        total += x
    assert sg.dot([Value(1.0)] * 4, xs, 0.5).data == total
    assert sg.sum([Value(x) for x in xs]).data == sg.sum(xs) == 3.0


def test_sum_takes_any_iterable():
    x = Value(2.0)
    y = sg.sum(x * i for i in range(4))
    y.backward()
    assert (y.data, x.grad, y.op) == (12.0, 6.0, "sum")
    assert sg.sum(np.array([x, x], dtype=object)).data == 4.0


def slopes_of(function, numbers):
    values = [Value(number) for number in numbers]
    y = function(values)
    y.backward()
    return y.data, [v.grad for v in values]


def test_functions_of_many_equal_numpy():
    xs = [0.5, -1.25, 2.0, 0.75]
    a, n = np.array(xs), len(xs)
    softmax = np.exp(a) / np.exp(a).sum()
    expected = {
        "sum": (a.sum(), np.ones(n)),
        "mean": (a.mean(), np.full(n, 1 / n)),
        "prod": (a.prod(), a.prod() / a),
        "norm": (np.linalg.norm(a), a / np.linalg.norm(a)),
        "logsumexp": (np.log(np.exp(a).sum()), softmax),
        "max": (2.0, [0, 0, 1, 0]),
        "min": (-1.25, [0, 1, 0, 0]),
        "var": (a.var(), 2 * (a - a.mean()) / n),
    }
    for name, (value, slopes) in expected.items():
        got, gradient = slopes_of(getattr(sg, name), xs)
        assert got == pytest.approx(float(value), rel=1e-14), name
        assert gradient == pytest.approx(list(map(float, slopes)), rel=1e-13, abs=1e-15), name
        assert getattr(sg, name)(xs) == got, name
    assert floats(sg.softmax([Value(x) for x in xs])) == pytest.approx(softmax.tolist(), rel=1e-14)
    assert sg.softmax(xs) == pytest.approx(softmax.tolist(), rel=1e-14)


def test_softmax_has_the_jacobian_of_the_textbook():
    xs = [0.5, -1.25, 2.0]
    s = np.exp(xs) / np.exp(xs).sum()
    for i in range(3):
        _, gradient = slopes_of(lambda values, i=i: sg.softmax(values)[i], xs)
        assert gradient == pytest.approx((s[i] * ((np.arange(3) == i) - s)).tolist(), rel=1e-13)


def test_ties_share_the_slope_equally():
    assert slopes_of(sg.max, [1.0, 3.0, 3.0]) == (3.0, [0.0, 0.5, 0.5])
    assert slopes_of(sg.min, [1.0, 1.0, 1.0, 3.0]) == (1.0, [1 / 3, 1 / 3, 1 / 3, 0.0])


def test_prod_is_right_with_zeros():
    assert slopes_of(sg.prod, [2.0, 0.0, 4.0]) == (0.0, [0.0, 8.0, 0.0])
    assert slopes_of(sg.prod, [0.0, 0.0, 4.0]) == (0.0, [0.0, 0.0, 0.0])


def test_norm_at_zero_has_the_least_subgradient():
    assert slopes_of(sg.norm, [0.0, 0.0]) == (0.0, [0.0, 0.0])


def test_large_numbers_do_not_overflow():
    assert slopes_of(sg.logsumexp, [1000.0, 1000.0]) == (1000.6931471805599, [0.5, 0.5])
    assert sg.softmax([1e4, 0.0]) == [1.0, 0.0]
    value, slopes = slopes_of(sg.norm, [3e200, 4e200])
    assert value == pytest.approx(5e200, rel=3e-16)
    assert slopes == pytest.approx([0.6, 0.8], rel=3e-16)


def test_where_returns_the_branch_itself():
    x, y = Value(1.0), Value(2.0)
    assert sg.where(x > 0, x, y) is x
    assert sg.where(x < 0, x, y) is y
    assert sg.where(False, x, 3.0) == 3.0


def test_clip_takes_bounds_that_are_values():
    x, low, high = Value(5.0), Value(0.0), Value(2.0)
    y = x.clip(low, high)
    y.backward()
    assert (y.data, x.grad, low.grad, high.grad) == (2.0, 0.0, 0.0, 1.0)
    assert sg.clip(5, 0, 2) == 2.0
    for bounds in ((Value(0.0), 2), (0, Value(2.0)), (0, 2), (np.float64(0.0), 2.0)):
        y = sg.clip(x, *bounds)
        assert (y.data, y.parents[0] is x) == (2.0, True)
        assert floats(y.parents[1:]) == floats(map(float, floats(bounds)))
    assert sg.clip(Value(1.0), 0, 2).partials == (1.0, None, None)


@pytest.mark.parametrize("op", [op for op in OPS.values() if op.is_public], ids=lambda op: op.name)
def test_help_gives_a_sentence_the_formula_the_slopes_and_an_example_that_runs(op):
    function = getattr(sg, op.name)
    made = [function] if op.is_composed or op.takes_lists else [function, getattr(Value, op.name)]
    for text in (each.__doc__ for each in made):
        sentence, formulas, example = text.split("\n\n")
        assert (sentence, sentence[-1]) == (op.sentence, ".")
        assert f"{op.name}({', '.join(op.operands)}) = {op.formula}" in formulas
        assert all(slope in formulas for slope in op.slope_formulas)
        assert not re.search(r"\b_\w", text), "a name of the package's own"
        test = doctest.DocTestParser().get_doctest(example, {}, op.name, None, 0)
        assert not doctest.DocTestRunner().run(test).failed
    assert [*inspect.signature(function).parameters][: len(op.operands)] == [*op.operands]


def test_the_table_in_the_documentation_has_every_public_operation():
    import scalargrad.functions

    lines = (scalargrad.functions.__doc__ or "").splitlines()
    for op in OPS.values():
        assert any(line.split()[:1] == [op.name] for line in lines) == op.is_public


@pytest.mark.parametrize(
    "name",
    [
        "exp",
        "asin",
        "data",
        "backward",
        "draw",
        "nn",
        "Value",
        "out",
        "node",
        "2x",
        "class",
        "_mine",
        "softmax",
    ],
)
def test_a_name_that_is_taken_is_refused(name):
    with pytest.raises(ValueError, match=r"is taken|cannot be the name"):
        sg.custom_op(name, "x", "1.0")


# ------------------------------------------------------------------ NumPy's own functions


BESIDE = [(np.hypot, "hypot"), (np.arctan2, "arctan2"), (np.logaddexp, "logaddexp"), (np.remainder, "mod"), (np.multiply, "mul")]  # fmt: skip


@pytest.mark.parametrize(("ufunc", "name"), BESIDE)
def test_a_function_of_numpy_takes_a_number_beside_a_value(ufunc, name):
    x = Value(4.0)
    for number in (3.0, 3, np.float64(3.0)):
        for expected, node in (
            (getattr(sg, name)(3.0, x), ufunc(number, x)),
            (getattr(sg, name)(x, 3.0), ufunc(x, number)),
        ):
            assert node.parents == expected.parents
            assert (node.op, node.data, node.partials) == (name, expected.data, expected.partials)


def test_a_function_of_numpy_takes_an_array_beside_a_value():
    x, array = Value(4.0), np.array([3.0, 0.0])
    for nodes in (np.hypot(array, x), np.hypot(x, array)):
        assert [node.data for node in nodes] == [5.0, 4.0]
    assert [node.data for node in array * x] == [node.data for node in x * array] == [12.0, 0.0]
    assert np.add.outer(array, x).tolist() == [7.0, 4.0]
    with pytest.raises(AttributeError, match="fmod"):
        np.fmod(3.0, x)


def test_var_std_and_vdot_of_values_are_values():
    xs = [Value(7.5), Value(-1.0), Value(2.0)]
    array = np.array(xs, dtype=object)
    for result, expected in (
        (np.var(array), sg.var(xs)),
        (np.std(array), sg.sqrt(sg.var(xs))),
        (np.vdot(array, array), sg.dot(xs, xs)),
    ):
        assert result.data == pytest.approx(expected.data, rel=1e-15)
        assert sg.gradients(result, xs) == pytest.approx(sg.gradients(expected, xs), rel=1e-13)


@pytest.mark.parametrize("function", [np.mod, np.remainder])
def test_remainders_of_arrays_of_values(function):
    array = np.array([Value(7.5), Value(-1.0)], dtype=object)
    assert [x.data for x in function(array, 2)] == [x.data for x in array % 2] == [1.5, 1.0]
    assert [x.data for x in 2 % array] == [2.0, -0.0]


# ------------------------------------------------------------------ remainders and sinc


@pytest.mark.parametrize(
    ("x", "y", "value", "slopes"),
    [(7.5, 2.0, 1.5, (1.0, -3.0)), (-7.5, 2.0, 0.5, (1.0, 4.0)), (7.5, -2.0, -0.5, (1.0, 4.0)), (6.0, 2.0, 0.0, (1.0, -3.0)),
     (1.0, math.inf, 1.0, (1.0, -0.0)), (0.3, 0.1, 0.3 % 0.1, (1.0, -2.0))],
)  # fmt: skip
def test_a_remainder_has_the_sign_of_python(x, y, value, slopes):
    node = Value(x) % Value(y)
    assert (node.data, node.partials) == (value, slopes)
    assert (x % Value(y)).partials == (None, slopes[1])
    assert (Value(x) % y).partials == (slopes[0], None)


@pytest.mark.parametrize(
    ("x", "y"), [(1.0, 0.0), (math.inf, 2.0), (math.nan, 1.0), (1.0, math.nan)]
)
def test_a_remainder_that_is_not_defined_is_nan(x, y):
    node = Value(x) % Value(y)
    assert math.isnan(node.data)
    assert all(map(math.isnan, node.partials))
    assert math.isnan(sg.mod(x, y))


def test_sinc_at_0():
    assert (sg.sinc(0.0), sg.grad(sg.sinc)(0.0)) == (1.0, 0.0)
    assert sg.grad(sg.grad(sg.sinc))(0.0) == pytest.approx(-(math.pi**2) / 3.0, rel=1e-15)
    assert sg.grad(sg.grad(sg.grad(sg.grad(sg.sinc))))(0.0) == pytest.approx(math.pi**4 / 5.0)


@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
def test_sinc_and_remainders_are_compiled(backend):
    f = sg.compile(lambda x, k: sg.sinc(x * k) + (x * k) % 1.5, rows=("k",), backend=backend)
    ks = [0.0, 0.25, -1.0, 1.43, 3.0, 1e6]
    rows = [sg.sinc(x * k) + (x * k) % 1.5 for x in [Value(0.7)] for k in ks]
    mean = sg.mean(rows)
    leaf = next(node for node in mean.graph() if node.op is None)
    mean.backward()
    value, slope = f.value_and_grad(0.7, ks)
    assert value == pytest.approx(mean.data, rel=1e-13)
    assert slope == pytest.approx(leaf.grad, rel=1e-13)
