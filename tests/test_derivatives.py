"""Derivatives as functions: any order, any structure, no confusion, nobody's grad touched."""

import math
import subprocess
import sys
import threading
from collections import Counter

import mpmath
import numpy as np
import pytest

import scalargrad as sg
from scalargrad import Value, grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad
from scalargrad.nn import MLP, Module, mse

from .edges import EDGES, same_slope

FUNCTIONS = [
    (lambda x: sg.exp(sg.sin(x) * x), lambda x: mpmath.exp(mpmath.sin(x) * x)),
    (lambda x: sg.tanh(x) ** 3 / (1 + x**2), lambda x: mpmath.tanh(x) ** 3 / (1 + x**2)),
    (
        lambda x: sg.sigmoid(2 * x) * sg.log(3 + x),
        lambda x: mpmath.log(3 + x) / (1 + mpmath.exp(-2 * x)),
    ),
    (
        lambda x: sg.logsumexp([x, 2 * x, 1.0]) * sg.erf(x),
        lambda x: mpmath.log(mpmath.exp(x) + mpmath.exp(2 * x) + mpmath.e) * mpmath.erf(x),
    ),
    (lambda x: sg.hypot(x, 2.0) ** x, lambda x: mpmath.sqrt(x * x + 4) ** x),
    (
        lambda x: sg.dot([x, x * x], [x, 2.0], x) + sg.prod([x, x + 1, 2.0]),
        lambda x: x * x + 2 * x * x + x + 2 * x * (x + 1),
    ),
    (lambda x: sg.norm([x, 1.0, x * x]), lambda x: mpmath.sqrt(x * x + 1 + x**4)),
    (
        lambda x: sg.softmax([x, 0.5, -x])[0],
        lambda x: mpmath.exp(x) / (mpmath.exp(x) + mpmath.exp(0.5) + mpmath.exp(-x)),
    ),
    (lambda x: sg.gelu(x) + sg.silu(x), lambda x: x * mpmath.ncdf(x) + x / (1 + mpmath.exp(-x))),
]


@pytest.mark.parametrize("i", range(len(FUNCTIONS)))
def test_derivatives_nest_to_the_fourth_order(i):
    f, truth = FUNCTIONS[i]
    with mpmath.workdps(60):
        for x in (0.0, 0.7, -0.4):
            derived = f
            for order in range(1, 5):
                derived = grad(derived)
                expected = float(mpmath.diff(truth, x, order))
                assert derived(x) == pytest.approx(expected, rel=1e-10, abs=1e-10), (x, order)


def test_there_is_no_perturbation_confusion():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x + y)(x))(5.0) == 1.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0  # d/dx 2x² at 3
    assert grad(lambda x: grad(lambda y: x * y)(2.0))(3.0) == 1.0
    assert grad(lambda x: jvp(lambda y: x * y * y)(x, 1.0))(3.0) == 12.0
    assert jvp(lambda x: grad(lambda y: x * y * y)(x))(3.0, 1.0) == 12.0
    assert (
        grad(lambda x: grad(lambda y: grad(lambda z: x * y * z)(y) * y)(x))(2.0) == 8.0
    )  # d/dx of d/dy x y² at y = x


def test_structures_come_back_as_they_were_given():
    f = lambda p: p["w"][0] * p["w"][1] + p["b"][0] ** 2
    value, slopes = value_and_grad(f)({"w": [2.0, 3.0], "b": (4.0,)})
    assert (value, slopes) == (22.0, {"w": [3.0, 2.0], "b": (8.0,)})
    assert grad(lambda x, y: x * y, wrt=(1, 0))(2.0, 5.0) == (2.0, 5.0)
    assert grad(lambda x, y: x * y, wrt=-1)(2.0, 5.0) == 2.0
    assert grad(lambda x, scale=1.0: x * scale)(2.0, scale=3.0) == 3.0
    assert jacobian(lambda x, y: {"sum": x + y, "product": (x * y,)}, wrt=(0, 1))(2.0, 5.0) == {
        "sum": (1.0, 1.0),
        "product": ((5.0, 2.0),),
    }
    assert grad(lambda x: x[0] * 2)([1.0, 9.0]) == [
        2.0,
        0.0,
    ]  # what the output does not reach gets 0.0
    assert grad(lambda x: 3.0)(1.0) == 0.0
    assert grad(lambda x: x)(1.0) == 1.0
    assert type(grad(lambda x: x * x)(np.float64(3.0))) is float
    result = grad(lambda x: np.dot(x, x))(np.array([1.0, 2.0]))
    assert isinstance(result, np.ndarray)
    assert result.tolist() == [2.0, 4.0]


def test_a_direction_is_matched_by_keys_and_shape():
    f = lambda p: p["a"] * 3 + p["b"] * 5
    assert jvp(f)({"a": 1.0, "b": 2.0}, {"b": 0.0, "a": 1.0}) == 3.0
    model = MLP(2, [2, 1], activation="tanh", seed=0)
    g = lambda m: m([0.5, -1.0]) ** 2
    slopes = grad(g)(model)
    expected = sum(float((array**2).sum()) for array in slopes.values())
    assert jvp(g)(model, slopes) == pytest.approx(expected, rel=1e-13)
    curved = hvp(g)(model, slopes)
    again = grad(lambda m: jvp(g)(m, slopes))(model)
    for name, array in curved.items():
        np.testing.assert_allclose(array, again[name], rtol=1e-11)


def test_a_state_is_an_argument_like_any_mapping():
    model = MLP(1, [2], activation=None, seed=0)
    f = lambda s: s["b1"][0] * s["b1"][0] + s["W1"][1][0]
    state = model.state()
    slopes = grad(f)(state)
    assert slopes["b1"].tolist() == [2 * state["b1"][0], 0.0]
    assert slopes["W1"].tolist() == [[0.0], [1.0]]


def test_wrt_takes_numpy_integers():
    assert grad(lambda x, y: x * y, wrt=np.int64(1))(2.0, 5.0) == 2.0


def test_gradients_by_a_value_and_by_what_it_was_made_of():
    a = Value(2.0)
    b = a * a
    assert gradients(b * a, [a, b]) == [12.0, 2.0]


def test_no_grad_of_anybody_is_touched():
    x, model = Value(2.0), MLP(2, [3, 1], seed=0)
    x.grad = 7.0
    for parameter in model.parameters():
        parameter.grad = 5.0
    gradients(x * x, [x])
    gradients(x * x, [x], create_graph=True)
    grad(lambda m: m([1.0, 2.0]) ** 2)(model)
    hessian(lambda m: m([1.0, 2.0]) ** 2)(model)
    assert x.grad == 7.0
    assert {parameter.grad for parameter in model.parameters()} == {5.0}


def test_the_gradient_of_a_module_is_shaped_like_its_state():
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    slopes = grad(lambda m: mse(m([0.5, -1.0]), 0.3))(model)
    mse(model([0.5, -1.0]), 0.3).backward()
    assert {name: array.shape for name, array in slopes.items()} == {
        "W1": (3, 2),
        "b1": (3,),
        "W2": (1, 3),
        "b2": (1,),
    }
    for name, parameter in model.named_parameters():
        block, index = name.rstrip("]").split("[")
        assert slopes[block][tuple(map(int, index.split(",")))] == pytest.approx(
            parameter.grad, rel=1e-14
        )


def test_gradients_of_a_recorded_graph():
    x, y = Value(3.0), Value(2.0)
    h = x * y
    root = h * h + x
    assert gradients(root, {"x": x, "h": h, "y": [y], "root": root}) == {
        "x": 2 * 6 * 2 + 1.0,
        "h": 12.0,
        "y": [2 * 6 * 3.0],
        "root": 1.0,
    }
    by_x = gradients(root, x, create_graph=True)
    assert gradients(by_x, [x, y]) == [2 * 2 * 2.0, 4 * 3 * 2.0]
    assert gradients(root, Value(1.0)) == 0.0
    (by_x * 2).backward()
    assert (x.grad, y.grad) == (16.0, 48.0)


def test_a_hessian_equals_the_formula_and_is_symmetric():
    def rosenbrock(p):
        return 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2

    x, y = -1.2, 1.0
    expected = [[1200 * x * x - 400 * y + 2, -400 * x], [-400 * x, 200.0]]
    np.testing.assert_allclose(hessian(rosenbrock)([x, y]), expected, rtol=1e-14)
    assert hvp(rosenbrock)([x, y], [1.0, 0.0]) == pytest.approx(
        [row[0] for row in expected], rel=1e-14
    )
    assert jvp(rosenbrock)([x, y], [0.5, 2.0]) == pytest.approx(
        np.dot(grad(rosenbrock)([x, y]), [0.5, 2.0]), rel=1e-14
    )
    np.testing.assert_allclose(jacobian(grad(rosenbrock))([x, y]), expected, rtol=1e-14)
    np.testing.assert_allclose(
        hessian(lambda x, y: rosenbrock([x, y]), wrt=(0, 1))(x, y), expected, rtol=1e-14
    )


def test_a_hessian_walks_the_graph_of_one_gradient_n_times_and_a_jvp_walks_once(monkeypatch):
    from scalargrad import derivatives

    calls = []
    original = derivatives.slopes_back
    monkeypatch.setattr(
        derivatives,
        "slopes_back",
        lambda *args, **options: calls.append(args) or original(*args, **options),
    )
    n = 12
    evaluations = []

    def f(p):
        evaluations.append(p)
        return sg.sum([sg.exp(x * p[0]) for x in p])

    hessian(f)([0.1] * n)
    assert (len(calls), len(evaluations)) == (
        1,
        1,
    )  # one recorded gradient; its slopes are walked on floats
    calls.clear()
    jvp(f)([0.1] * n, [1.0] * n)
    assert (len(calls), len(evaluations)) == (0, 2)


def test_a_hessian_inside_a_derivative():
    third = grad(lambda x: hessian(lambda y: y**4 * x)(2.0))  # d/dx 12·4·x
    assert third(5.0) == 48.0
    laplacian = lambda p: sg.sum([hessian(lambda q: q[0] ** 3 * q[1])(p)[i][i] for i in range(2)])
    assert grad(laplacian)([2.0, 3.0]) == [18.0, 12.0]  # of 6xy


def test_a_masked_branch_does_not_poison_derivatives_of_any_order():
    f = lambda x: sg.where(x > 0, sg.sqrt(x), 0.0 * x)
    assert grad(f)(-1.0) == 0.0
    assert grad(grad(f))(-1.0) == 0.0
    assert grad(lambda x: sg.sqrt(x) * 0.0 + x * x)(0.0) == 0.0
    assert grad(grad(lambda x: sg.sqrt(x) * 0.0 + x * x))(0.0) == 2.0


def test_second_derivatives_at_kinks_are_those_of_the_policy():
    assert grad(grad(sg.relu))(0.0) == 0.0
    assert grad(grad(abs))(0.0) == 0.0
    assert grad(grad(lambda x: x**2))(0.0) == 2.0
    assert grad(grad(grad(lambda x: x**3)))(0.0) == 6.0
    assert grad(grad(grad(sg.sigmoid)))(0.0) == -0.125
    assert grad(grad(grad(sg.tanh)))(0.0) == -2.0


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge.name}{edge.operands}")
def test_the_edge_table_holds_for_gradients_plain_and_recorded(edge, create_graph):
    operands = [
        [Value(x) for x in o] if isinstance(o, list | tuple) else Value(o) for o in edge.operands
    ]
    flat = [v for o in operands for v in (o if isinstance(o, list) else [o])]
    slopes = [
        s for slope in edge.slopes for s in (slope if isinstance(slope, list | tuple) else [slope])
    ]
    found = gradients(getattr(sg, edge.name)(*operands), flat, create_graph=create_graph)
    assert len(found) == len(slopes)
    for got, slope in zip(found, slopes, strict=True):
        assert same_slope(got.data if isinstance(got, Value) else got, slope)


def test_derivatives_of_threads_do_not_meet():
    model = MLP(2, [4, 1], activation="tanh", seed=0)
    f = lambda m: m([0.3, -0.2]) ** 2
    expected = [array.tolist() for array in grad(f)(model).values()]
    results, problems = [], []

    def work():
        try:
            for _ in range(20):
                results.append([array.tolist() for array in grad(f)(model).values()])
                results.append(grad(grad(lambda x: sg.sin(x) * x))(0.5))
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert results.count(expected) == 80
    assert results.count(grad(grad(lambda x: sg.sin(x) * x))(0.5)) == 80


def test_a_long_chain_is_differentiated_without_recursion():
    def f(x):
        y = x
        for _ in range(5_000):
            y = y * 1.0 + 0.0
        return y * y

    assert grad(f)(3.0) == 6.0
    assert grad(grad(f))(3.0) == 2.0
    assert jvp(f)(3.0, 1.0) == 6.0


def test_derivatives_work_inside_no_grad():
    with sg.no_grad():
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        assert hessian(lambda x: x**3)(2.0) == 12.0
        assert (Value(1.0) * 2).op is None


def test_derived_functions_tell_where_they_come_from():
    def energy(x):
        return x * x

    assert grad(energy).__name__ == "grad_of_energy"
    assert "energy" in (hessian(energy).__doc__ or "")


def test_values_as_arguments_give_values():
    x = Value(3.0)
    slope = grad(lambda y: y**3)(x)
    assert isinstance(slope, Value)
    slope.backward()
    assert (slope.data, x.grad) == (27.0, 18.0)


def test_the_first_argument_is_the_one_differentiated_by():
    f = lambda x, y: x * x * y
    assert (grad(f)(2.0, 5.0), value_and_grad(f)(2.0, 5.0), jacobian(f)(2.0, 5.0)) == (
        20.0,
        (20.0, 20.0),
        20.0,
    )
    assert (hessian(f)(2.0, 5.0), jvp(f)(2.0, 5.0, 1.0), hvp(f)(2.0, 5.0, 1.0)) == (
        10.0,
        20.0,
        10.0,
    )


def test_results_may_be_constants_arguments_or_made_of_each_other():
    def f(x):
        square = x * x
        return [3.0, x, square * x, square, Value(7.0)]

    assert jacobian(f)(2.0) == jvp(f)(2.0, 1.0) == [0.0, 1.0, 12.0, 4.0, 0.0]
    assert (
        grad(lambda x: sg.sum(jacobian(f)(x)))(2.0)
        == grad(lambda x: sg.sum(jvp(f)(x, 1.0)))(2.0)
        == 12.0 + 2.0
    )


def test_the_value_is_differentiated_too_inside_a_derivative():
    assert grad(lambda x: value_and_grad(lambda y: y * y)(x)[0])(3.0) == 6.0
    value, slope = value_and_grad(lambda y: y * y)(3.0)
    assert (type(value), type(slope)) == (float, float)


def test_a_direction_may_be_of_values_where_the_argument_is_of_numbers():
    assert grad(lambda v: jvp(lambda y: y**3)(2.0, v))(1.0) == 12.0
    assert grad(lambda v: hvp(lambda y: y**3)(2.0, v * v))(3.0) == 12.0 * 6.0
    v = Value(1.0)
    assert gradients(jvp(lambda y: y**3)(2.0, v), v) == 12.0


def test_a_walk_ends_at_the_arguments_and_not_in_what_they_were_made_of(monkeypatch):
    from scalargrad import walks

    orders = []
    original = walks.ordered
    monkeypatch.setattr(
        walks,
        "ordered",
        lambda *roots, **options: orders.append(original(*roots, **options)) or orders[-1],
    )
    x = Value(1.0)
    for _ in range(100):
        x = x * 1.0
    for derived in (grad(lambda y: y * y), jacobian(lambda y: [y * y]), hessian(lambda y: y * y)):
        derived(x)
    jvp(lambda y: y * y)(x, 1.0)
    assert len(orders) == 5
    assert all(len(order) < 10 for order in orders)


def test_the_walk_takes_only_what_leads_from_arguments_to_results(monkeypatch):
    from scalargrad import walks

    x, constant = Value(2.0), Value(3.0)
    unread = sg.exp(x)
    root = x * (constant * constant) + unread * 0.0
    walked = walks.between([root], [x])
    assert walked[0] is x
    assert {node.op for node in walked[1:]} == {"exp", "mul", "add"}
    assert len(walked) == 5  # x, its product, exp, exp times 0, the sum

    asked = []
    original = walks._slopes
    monkeypatch.setattr(
        walks,
        "_slopes",
        lambda node, *rest, **options: asked.append(node) or original(node, *rest, **options),
    )
    assert gradients(root, x) == 9.0
    assert unread not in asked  # a slope of 0 is not passed on


def test_an_inner_function_of_numbers_is_recorded_for_all_outer_ones():
    assert grad(lambda x: grad(lambda y: grad(lambda z: x * y * z)(2.0))(3.0))(5.0) == 1.0
    assert (
        grad(
            lambda w: grad(lambda x: grad(lambda y: grad(lambda z: w * x * y * z)(2.0))(3.0))(5.0)
        )(7.0)
        == 1.0
    )


def test_derivatives_import_no_other_package():
    others = ("numpy", "graphviz", "matplotlib", "dataclasses", "typing", "threading")
    code = f"import sys, scalargrad; scalargrad.grad(abs)(2.0); print([m for m in {others} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_slopes_by_one_operand_are_total_where_the_other_is_a_plain_number():
    x = Value(math.nan)
    assert gradients(x / -0.0, [x], create_graph=True)[0] == -math.inf
    for f in (
        lambda x: x / 0.0,
        lambda x: 1.0 / (x * 0.0),
        lambda x: x**-1.0,
        lambda x: sg.xlogy(x, 0.0),
        lambda x: sg.hypot(x, 0.0),
        sg.log,
    ):
        for point in (0.0, -0.0, -1.0, math.inf, math.nan):
            once, twice = grad(f)(point), grad(grad(f))(point)  # neither raises
            assert type(once) is type(twice) is float


def test_no_grad_cuts_a_derivative_off_from_outside():
    def f(x):
        with sg.no_grad():
            c = grad(lambda y: y**3)(x)
        return c * x

    assert grad(f)(2.0) == 12.0
    with sg.no_grad():
        assert grad(lambda y: y**3)(Value(2.0)).parents == ()
        x = Value(2.0)
    y = x**3
    with sg.no_grad():
        slope = gradients(y, x, create_graph=True)
    assert gradients(slope, x) == 12.0


def test_a_counter_is_an_argument_like_any_dict():
    assert value_and_grad(lambda p: p["a"] * p["a"])(Counter(a=2.0)) == (4.0, {"a": 4.0})


def test_a_module_keeps_outer_values_that_are_no_parameters():
    class Box:
        def __init__(self, value):
            self.value = value

    class Model(Module):
        def __init__(self, box):
            self.w, self.box = Value(2.0), box

        def __call__(self):
            return self.w * self.w * self.box.value

    assert grad(lambda s: grad(lambda m: m())(Model(Box(s * 1.0)))["w"])(3.0) == 4.0


# ------------------------------------------------------------------ functions that read other Values

# With f = w x³: each derivative of it at x = 2, as a function of w, and its slope by w.
OF_A_WEIGHT = {
    "value": (lambda f: value_and_grad(f)(2.0)[0], 8.0),
    "grad": (lambda f: grad(f)(2.0), 12.0),
    "value_and_grad": (lambda f: value_and_grad(f)(2.0)[1], 12.0),
    "jacobian": (lambda f: jacobian(lambda x: [f(x), x])(2.0)[0], 12.0),
    "jvp": (lambda f: jvp(f)(2.0, 3.0), 36.0),
    "hessian": (lambda f: hessian(lambda p: f(p[0]) * p[1])([2.0, 5.0])[0][0], 60.0),
    "hvp": (lambda f: hvp(lambda p: f(p[0]) * p[1])([2.0, 5.0], [1.0, 1.0])[0], 72.0),
    "grad of grad": (lambda f: grad(grad(f))(2.0), 12.0),
    "grad of jvp": (lambda f: grad(lambda x: jvp(f)(x, 1.0))(2.0), 12.0),
    "hvp in grad": (lambda f: grad(lambda x: hvp(f)(x, x))(2.0), 24.0),
    "an array": (lambda f: grad(lambda p: f(p[0]) + p[1])(np.array([2.0, 1.0]))[0], 12.0),
}
WAYS_TO_READ = {
    "a leaf": lambda w: lambda x: w * x**3,
    "computed outside": lambda w: (lambda twice: lambda x: twice * x**3 / 2)(w * 2),
    "computed inside": lambda w: lambda x: (w + 1) * x**3 - x**3,
}


@pytest.mark.parametrize("way", WAYS_TO_READ)
@pytest.mark.parametrize("name", OF_A_WEIGHT)
def test_a_derivative_in_a_loss_reaches_the_weights(name, way):
    derived, slope = OF_A_WEIGHT[name]
    loss = lambda w: derived(WAYS_TO_READ[way](w)) ** 2 + w  # slope² w² + w
    w = Value(3.0)
    loss(w).backward()
    assert w.grad == pytest.approx(2 * slope**2 * 3.0 + 1.0, rel=1e-13)
    assert grad(loss)(3.0) == pytest.approx(w.grad, rel=1e-15)
    assert sg.compile(loss).value_and_grad(3.0)[1] == pytest.approx(w.grad, rel=1e-15)
    with sg.no_grad():
        assert derived(WAYS_TO_READ[way](w)) == pytest.approx(slope * 3.0)
        assert isinstance(derived(WAYS_TO_READ[way](w)), float)


def test_a_function_that_reads_no_other_value_has_floats_for_derivatives():
    def cut(x):
        with sg.no_grad():
            return x * 2.0

    for f in (
        lambda x: x * x,
        lambda x: Value(2.0) * x,
        lambda x: x * x.detach(),
        lambda x: x * cut(x),
        lambda x: x * value_and_grad(lambda y: 3.0)(x)[0],
        lambda x: 3.0,
    ):
        for derived in (grad(f), jacobian(f), hessian(f), grad(grad(f))):
            assert type(derived(2.0)) is float
        assert [*map(type, value_and_grad(f)(2.0))] == [float, float]
        assert type(jvp(f)(2.0, 1.0)) is type(hvp(f)(2.0, 1.0)) is float


def test_all_results_of_a_function_that_reads_other_values_are_values():
    w = Value(3.0)
    for f in (lambda x: w + x, lambda x: w * 3.0, lambda x: w):  # whose slopes depend on nothing
        for result in (*value_and_grad(f)(2.0), jacobian(f)(2.0), hvp(f)(2.0, 1.0)):
            assert isinstance(result, Value)
    assert {type(x) for x in grad(lambda p: w * p[0])(np.zeros(2))} == {Value}


def test_a_value_made_in_another_call_is_no_constant_of_this_one():
    kept = []
    assert grad(lambda x: kept.append(Value(3.0)) or x * kept[0])(2.0) == 3.0
    (w,) = kept
    (grad(lambda x: w * x**2)(2.0) ** 2 + w).backward()
    assert w.grad == 97.0
    inner = grad(lambda w: grad(lambda x: w * x**2)(2.0) ** 2 + w)
    assert inner(3.0) == 97.0


def test_check_gradient_takes_a_derivative_of_a_function_that_reads_a_weight():
    w = Value(3.0)
    sg.check_gradient(lambda x: grad(lambda y: w * sg.sin(y))(x) ** 2 * w, 0.5)
    sg.check_gradient(lambda w: grad(lambda y: w * sg.sin(y))(0.5) ** 2 * w, 2.0)


def test_a_penalty_on_the_slope_of_a_network_reaches_its_weights():
    """With y = v tanh(w x + b): y' = v w (1 - t²), and the slopes of y'² by hand."""
    v, w, b, x = (Value(0.7), Value(-1.3), Value(0.2), 0.4)
    (grad(lambda x: v * sg.tanh(w * x + b))(x) ** 2).backward()
    t = math.tanh(w.data * x + b.data)
    flat = 1 - t * t
    slope = v.data * w.data * flat
    by_b = v.data * w.data * -2 * t * flat
    assert v.grad == pytest.approx(2 * slope * w.data * flat, rel=1e-13)
    assert w.grad == pytest.approx(2 * slope * (v.data * flat + x * by_b), rel=1e-13)
    assert b.grad == pytest.approx(2 * slope * by_b, rel=1e-13)


# ------------------------------------------------------------------ kinks that are smoothed

NAN = math.nan
OUT_AND_BACK = lambda x: sg.maximum(x, -x)  # |x|
SECOND_AT_0 = {
    # smoothed: right
    "abs(x)**2": (lambda x: abs(x) ** 2, 2.0),
    "square of abs": (lambda x: sg.square(abs(x)), 2.0),
    "u*u": (lambda x: (lambda u: u * u)(abs(x)), 2.0),
    "cosh of abs": (lambda x: sg.cosh(abs(3 * x)), 9.0),
    "cos of hypot": (lambda x: sg.cos(sg.hypot(3 * x, 4 * x)), -25.0),
    "norm**2": (lambda x: sg.norm([x, 2 * x]) ** 2, 10.0),
    "a sum of smoothed": (lambda x: abs(x) ** 2 + abs(2 * x) ** 2 + x, 10.0),
    "abs cubed": (lambda x: abs(x) ** 3, 0.0),
    # by another kink, which is linear there
    "max(x, 0) + log(1 + e^-|x|)": (
        lambda x: sg.maximum(x, 0) + sg.log1p(sg.exp(-abs(x))),
        0.25,
    ),
    "log_sigmoid(|x|) + |x|/2": (lambda x: sg.log_sigmoid(abs(x)) + abs(x) / 2, -0.25),
    # by an operand that is flat there
    "|x²|": (lambda x: abs(x**2), NAN),
    "relu(x²)": (lambda x: sg.relu(x**2), NAN),
    "leaky_relu(x²)": (lambda x: sg.leaky_relu(x**2), NAN),
    "maximum(x², 2x²)": (lambda x: sg.maximum(x**2, 2 * x**2), NAN),
    "maximum(x + x², x)": (lambda x: sg.maximum(x + x**2, x), NAN),
    "minimum(x², 0) + x²": (lambda x: sg.minimum(x**2, 0) + x**2, NAN),
    "||x²||": (lambda x: abs(abs(x**2)), NAN),
    "norm of x²": (lambda x: sg.norm([x**2, x**2]), NAN),
    "silu(x²)": (lambda x: sg.silu(x**2), 1.0),
    "logaddexp of |x|, -|x|": (lambda x: sg.logaddexp(abs(x), -abs(x)), NAN),
    # smoothed, but by more than one kink, or with infinite slopes, or where operands tie
    "sqrt(x**2)**2": (lambda x: sg.sqrt(x**2) ** 2, NAN),
    "two kinks": (lambda x: abs(x) * abs(x), NAN),
    "two kinks apart": (lambda x: abs(2 * x) * abs(3 * x), NAN),
    "maximum(x, -x)**2": (lambda x: OUT_AND_BACK(x) ** 2, NAN),
    "minimum(x, -x)**2": (lambda x: sg.minimum(x, -x) ** 2, NAN),
    "max**2": (lambda x: sg.max([x, -x, 3 * x]) ** 2, NAN),
    "min**2": (lambda x: sg.min([x, -x]) ** 2, NAN),
    "a kink of squares": (lambda x: sg.norm([x**2, x**3]), NAN),
    # the policy's slope is one of those beside the kink: so is the second
    "relu**2": (lambda x: sg.relu(x) ** 2, 0.0),
    "leaky_relu**2": (lambda x: sg.leaky_relu(x) ** 2, 2 * 0.01**2),
    "elu**2": (lambda x: sg.elu(x) ** 2, 2.0),
    "clip**2": (lambda x: sg.clip(x, 0.0, 1.0) ** 2, 2.0),
    # kinks that stay: slopes are constant on both sides
    "abs": (abs, 0.0),
    "abs + x**2": (lambda x: 3 * abs(x) + x**2, 2.0),
    "maximum": (lambda x: OUT_AND_BACK(x) + x**2, 2.0),
    # a unit vector has no slope at 0
    "norm": (lambda x: sg.norm([x, 2 * x]), NAN),
}
WAYS_TO_DIFFERENTIATE_TWICE = {
    "grad of grad": lambda f: grad(grad(f))(0.0),
    "hessian": lambda f: hessian(f)(0.0),
    "hvp": lambda f: hvp(f)(0.0, 1.0),
    "jvp of grad": lambda f: jvp(grad(f))(0.0, 1.0),
    "grad of jvp": lambda f: grad(lambda x: jvp(f)(x, 1.0))(0.0),
    "jvp of jvp": lambda f: jvp(lambda x: jvp(f)(x, 1.0))(0.0, 1.0),
    "a recorded graph": lambda f: twice_recorded(f, Value(0.0)),
}


def twice_recorded(f, x):
    slope = gradients(f(x), x, create_graph=True)
    return gradients(slope, x) if isinstance(slope, Value) else 0.0


@pytest.mark.parametrize("way", WAYS_TO_DIFFERENTIATE_TWICE)
@pytest.mark.parametrize("name", SECOND_AT_0)
def test_second_derivatives_at_kinks_are_right_or_nan(name, way):
    f, expected = SECOND_AT_0[name]
    assert WAYS_TO_DIFFERENTIATE_TWICE[way](f) == pytest.approx(expected, nan_ok=True, abs=1e-300)


@pytest.mark.parametrize("name", SECOND_AT_0)
def test_a_second_derivative_changes_no_first_one(name):
    f, _ = SECOND_AT_0[name]
    x = Value(0.0)
    f(x).backward()
    first = gradients(f(y := Value(0.0)), y, create_graph=True)
    assert (first.data if isinstance(first, Value) else first) == x.grad


def test_hessians_of_smoothed_lengths_are_right_in_all_directions():
    np.testing.assert_allclose(hessian(lambda v: sg.norm(v) ** 2)([0.0, 0.0]), 2 * np.eye(2))
    np.testing.assert_allclose(hessian(lambda v: sg.hypot(*v) ** 2)([0.0, 0.0]), 2 * np.eye(2))
    np.testing.assert_allclose(
        hessian(lambda v: sg.exp(-(sg.norm(v) ** 2) / 2) * v[0] + v[1])([0.0, 0.0]),
        np.zeros((2, 2)),
    )
    matrix = np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0]])
    length = lambda v: sg.norm([sg.dot(row, v) for row in matrix.tolist()])
    np.testing.assert_allclose(hessian(lambda v: length(v) ** 2)([0.0, 0.0]), 2 * matrix.T @ matrix)
    assert np.isnan(np.diag(hessian(sg.norm)([0.0, 0.0]))).all()


def test_a_third_derivative_at_a_smoothed_kink_is_right_or_nan():
    third = lambda f: grad(grad(grad(f)))(0.0)
    assert third(lambda x: sg.square(abs(x)) * 3) == 0.0
    for f in (lambda x: abs(x) ** 3, lambda x: sg.cosh(abs(x)), lambda x: sg.norm([x, x]) ** 4):
        assert math.isnan(third(f))  # ±6; 0, which cannot be had
    with mpmath.workdps(60):
        true = float(mpmath.diff(lambda x: mpmath.cosh(abs(x)), 0.5, 3))
    assert grad(grad(grad(lambda x: sg.cosh(abs(x)))))(0.5) == pytest.approx(true)


@pytest.mark.parametrize("length", [abs, lambda x: sg.norm([x, 0.0]), lambda x: sg.hypot(0.0, x)])
def test_a_weight_beside_a_smoothed_kink_gets_its_slope(length):
    w = Value(3.0)
    (grad(grad(lambda x: w * length(x) ** 2))(0.0) ** 2).backward()  # (2w)²
    assert w.grad == 24.0
    w = Value(3.0)
    (grad(lambda x: w * length(x))(0.0) ** 2 + w).backward()
    assert w.grad == 1.0


# ------------------------------------------------------------------ branches, eager and compiled


def test_a_branch_taken_by_the_data_is_differentiated_alone():
    guarded = lambda x: sg.sin(x) / x if x != 0 else 1.0 + x
    assert grad(guarded)(0.0) == 1.0
    assert grad(guarded)(0.5) == pytest.approx((0.5 * math.cos(0.5) - math.sin(0.5)) / 0.25)
    chosen = lambda x: sg.where(x == 0, 1.0, sg.sin(x) / x)
    assert value_and_grad(chosen)(0.0) == (1.0, 0.0)
    assert sg.compile(chosen).value_and_grad(0.0) == (1.0, 0.0)

    def turned(angle, x=3.0, y=4.0):
        s, c = sg.sin(angle), sg.cos(angle)
        return c * x - s * y + (1 - c) / s if s != 0.0 else x - angle * y + angle / 2

    assert grad(turned)(0.0) == -3.5


def test_compiled_derivatives_of_lengths_and_choices_are_those_of_values():
    v = [3.0, 4.0]
    hessian_of_norm = [[0.128, -0.096], [-0.096, 0.072]]
    assert sg.compile(grad(sg.norm))(v) == [0.6, 0.8]
    np.testing.assert_allclose(sg.compile(hessian(sg.norm))(v), hessian_of_norm, rtol=1e-14)
    along = sg.compile(lambda v, d: hvp(sg.norm)(v, d))(v, [1.0, 2.0])
    np.testing.assert_allclose(along, np.dot(hessian_of_norm, [1.0, 2.0]), rtol=1e-14)
    assert sg.compile(lambda v, d: jvp(sg.norm)(v, d))(v, [1.0, 2.0]) == pytest.approx(2.2)
    assert sg.compile(grad(sg.norm))([3e-300, 4e-300]) == pytest.approx([0.6, 0.8])
    masked = lambda x: sg.where(x > 0, sg.sqrt(x), 0.0)
    rate = sg.compile(lambda x: jvp(masked)(x, 1.0))
    assert (rate(-1.0), rate(4.0)) == (0.0, 0.25)
    assert sg.compile(grad(grad(masked)))(4.0) == grad(grad(masked))(4.0) == -1 / 32


def test_newtons_method_finds_its_curvature_for_a_logistic_loss_by_hand_at_zero_weights():
    X, y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]]), [1.0, 0.0, 1.0]

    def loss(w):
        logits = [sg.dot(w, row) for row in X]
        each = [sg.maximum(z, 0) - z * t + sg.log1p(sg.exp(-abs(z))) for z, t in zip(logits, y)]
        return sg.mean(each)

    np.testing.assert_allclose(hessian(loss)([0.0, 0.0]), X.T @ X / 12, rtol=1e-14)
