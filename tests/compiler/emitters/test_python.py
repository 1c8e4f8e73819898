"""Plain Python source: rows, several outputs, networks, and how it reads; the bits of Values."""

from __future__ import annotations

import inspect
import random
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import Value, functions, where
from scalargrad.compiler.emitters import python as in_python
from scalargrad.compiler.emitters import python_parts as in_parts
from scalargrad.compiler.emitters.python import PythonFunction, function_source
from scalargrad.compiler.program import Block, Constant, Program, Step, constants, sharing
from scalargrad.nn import MLP
from scalargrad.nn.losses import binary_cross_entropy, half_squared_error, squared_error
from scalargrad.ops import OPS
from tests.compiler.emitters.tools import assert_as_eager, compiled, eager, traced_program

# ------------------------------------------------------------------ rows, and several outputs


def graph_with_rows(w: Any, x: Any) -> Any:
    u = sg.sin(w * x[0]) + x[1]
    return u * u * x[0] + w * w * 0.1 + sg.exp(w)


ROWS = [[0.3, -1.0], [0.7, 0.2], [-2.0, 0.9]]


def by_row(w: float) -> tuple[list[float], list[float], list[list[float]]]:
    """Values, slopes by w summed up row after row, slopes by each row."""
    weight, values, slopes = Value(w), [], []
    for row in ROWS:
        numbers = [Value(x) for x in row]
        out = graph_with_rows(weight, numbers)
        out.backward()
        values.append(out.data)
        slopes.append([x.grad for x in numbers])
    return values, [weight.grad], slopes


@pytest.mark.parametrize("parts", [False, True])
def test_rows_are_added_up_in_their_order(parts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if parts:
        monkeypatch.setattr(in_python, "LARGE", 0)
        monkeypatch.setattr(in_parts, "PART", 2)
    values, (by_w,), slopes = by_row(0.8)
    total = 0.0
    for value in values:
        total += value
    made = compiled(graph_with_rows, wrt=(0, 1), rows="x", reduce="sum")
    assert made.value_and_grad(0.8, ROWS) == (total, (by_w, slopes))
    mean = compiled(graph_with_rows, wrt=(1, 0), rows="x")
    assert mean.value_and_grad(0.8, ROWS) == (
        total / 3,
        ([[s / 3 for s in row] for row in slopes], by_w / 3),
    )
    each = compiled(graph_with_rows, wrt=1, rows="x", reduce=None)
    assert each.value_and_grad(0.8, ROWS) == (values, slopes)
    assert each(0.8, ROWS) == values
    assert made(0.8, ROWS) == total


def test_a_row_whose_gradient_is_not_finite_gets_the_total_one() -> None:
    f = compiled(lambda w, x: where(x > 0, sg.sqrt(w * x), 0.0), rows="x", reduce="sum")
    assert f.value_and_grad(4.0, [1.0, 0.0, -1.0]) == (2.0, 0.25)
    g = compiled(lambda w, x: where(x > 0, sg.sqrt(w * x), 0.0), wrt=1, rows="x", reduce="sum")
    assert g.value_and_grad(4.0, [1.0, 0.0, -1.0]) == (2.0, [1.0, 0.0, 0.0])


def test_what_no_row_changes_is_computed_once() -> None:
    def loss(w: Any, x: Any) -> Any:
        return (w[0] * x - w[1]) ** 2 + 0.1 * (sg.exp(w[0]) + sg.exp(w[1]))

    source = compiled(loss, rows="x").source([0.5, 0.25], [1.0, 2.0])
    for text in source.split("def ")[1:]:
        before, loop = text.split("    for ")
        assert "exp(" in before
        assert "exp(" not in loop


@pytest.mark.parametrize("count", [2, 3])
def test_each_output_has_the_slopes_of_its_own_walk(count: int) -> None:
    def fn(xs: Any) -> list[Any]:
        x, y = xs
        u = sg.sin(x * y)
        v = u * x + sg.exp(y) * u
        return [v * u + v, u * v * x + u * y + v * v, x * u + u * u + sg.tanh(u)][:count]

    point = [0.7, -1.3]
    values, slopes = compiled(fn).jacobian(point)
    for i in range(count):
        value, expected = eager(lambda xs, i=i: fn(xs)[i], point)
        assert values[i] == value
        assert slopes[i] == expected


def test_outputs_may_be_inputs_and_constants() -> None:
    f = compiled(lambda p: [p[0], 2.0, p[1] * p[0], p[0]])
    assert f([3.0, 5.0]) == [3.0, 2.0, 15.0, 3.0]
    assert f.jacobian([3.0, 5.0]) == (
        [3.0, 2.0, 15.0, 3.0],
        [[1.0, 0.0], [0.0, 0.0], [5.0, 3.0], [1.0, 0.0]],
    )
    assert compiled(lambda x: 2.0).value_and_grad(1.0) == (2.0, 0.0)
    assert compiled(lambda x: x).value_and_grad(1.0) == (1.0, 1.0)
    assert "isfinite" not in compiled(lambda x: x).source(1.0)


# ------------------------------------------------------------------ networks


@pytest.mark.parametrize(
    ("activation", "output", "loss"),
    [
        ("sigmoid", "sigmoid", half_squared_error),
        ("tanh", None, squared_error),
        ("relu", "sigmoid", binary_cross_entropy),
        ("gelu", "softplus", squared_error),
    ],
)
def test_networks_have_the_bits_of_values(activation: str, output: str | None, loss: Any) -> None:
    model = MLP(3, [4, 3, 1], activation=activation, output_activation=output, seed=5)
    X, y = [[0.5, -1.0, 2.0], [0.1, 0.2, 0.3], [-3.0, 1.0, 0.0]], [1.0, 0.0, 1.0]
    value, gradient = compiled(
        lambda model, x, y: loss(model(x), y), rows=("x", "y"), reduce="sum"
    ).value_and_grad(model, X, y)
    total = 0.0
    for row, target in zip(X, y, strict=True):
        out = loss(model(row), target)
        out.backward()
        total += out.data
    expected = model.arranged([p.grad for p in model.parameters()])
    assert value == total
    assert {k: getattr(v, "tolist", lambda v=v: v)() for k, v in gradient.items()} == {
        k: getattr(v, "tolist", lambda v=v: v)() for k, v in expected.items()
    }


def test_a_first_layer_of_many_weights_is_read_by_its_rows() -> None:
    model = MLP(100, [4, 1], activation="tanh", seed=1)
    x = [0.01 * i for i in range(100)]
    made = compiled(lambda model, x: model(x) * model(x))
    value, gradient = made.value_and_grad(model, x)
    root = model(x) * model(x)
    root.backward()
    assert value == root.data
    assert [list(row) for row in gradient["W1"]] == [
        [w.grad for w in neuron.w] for neuron in model.layers[0].neurons
    ]
    assert "W1_0, W1_1, W1_2, W1_3 = W1\n" in made.source(model, x)
    assert "W1_0[99] * x_99" in made.source(model, x)


# ------------------------------------------------------------------ the source


def test_one_output_is_returned_as_it_is() -> None:
    assert "    return x * y\n" in compiled(lambda x, y: x * y).source(1.0, 2.0)


def test_each_function_says_what_it_is() -> None:
    def area(sides: Any, scale: Any) -> Any:
        return sides[0] * sides[1] * scale

    source = compiled(area, wrt=(0, 1)).source([1.0, 2.0], 3.0)
    assert '"""The value of area.\n' in source
    assert '"""The value of area and its slopes by sides and scale.\n' in source
    assert "sides: 2; scale: a number." in source


def test_the_source_can_be_inspected() -> None:
    program = traced_program(lambda xs: xs[0] * sg.exp(xs[1]), 2)
    made = PythonFunction(program, "f", "value_and_grad", None)
    assert inspect.getsource(made.raw) == made.source
    assert made.source.startswith("def value_and_grad(xs):\n")


def test_sums_of_squares_begin_with_no_zero() -> None:
    source = compiled(lambda xs: squared_error(xs, [1.0, 2.0])).source([0.0, 0.0])
    assert "0.0 +" not in source


def test_minus_zero_stays() -> None:
    assert_as_eager(lambda xs: 1.0 / sg.sum(xs), [-0.0, -0.0], [0.0, -0.0])
    assert_as_eager(lambda xs: 1.0 / (xs[0] * -0.0), [1.0], [-1.0])


def test_a_square_written_as_a_power_has_a_plain_slope() -> None:
    source = compiled(lambda x: (x - 1.0) ** 2).source(1.0)
    assert "2.0 * " in source
    assert "power_slope" not in source


def test_constants_with_many_digits_are_no_text() -> None:
    number = 0.1234567890123456
    made = compiled(lambda x: x * number)
    assert made.value_and_grad(2.0) == (2.0 * number, number)
    assert "0.12345" not in made.source(2.0)


def test_known_rows_are_written_out_without_factors_of_one() -> None:
    """A program of a row whose numbers are known, as training loops have it."""
    w, x = Block("w", (2,), wrt=True), Block("x", (2,))
    total = Step(OPS["dot"], (*w.inputs, *x.inputs, Constant(0.5)))
    program = sharing(constants(Program([w, x], [total]), {x.inputs[0]: 1.0, x.inputs[1]: 3.0}))
    (source,), _ = function_source(program, "f", "value_and_grad", None)
    assert "0.5 + w_0 + w_1 * 3.0" in source
    assert "dw = [1.0, 3.0]" in source


def test_a_sum_of_many_is_no_deep_expression() -> None:
    xs = [0.1 * (-1) ** i * i for i in range(3000)]
    expected = 0.0
    for x in xs:
        expected += x * x
    made = compiled(lambda xs: functions.dot(xs, xs))
    assert made.value_and_grad(xs) == (expected, [2.0 * x for x in xs])


@pytest.mark.parametrize("shape", [(2, 1), (1, 2), (1, 1), (3, 1, 2), (2, 2)])
def test_several_arguments_of_rows_may_be_tall_and_flat_matrices(shape: tuple[int, ...]) -> None:
    rng = random.Random(1)
    rows = [filled(shape, rng) for _ in range(3)]
    f = compiled(
        lambda w, x, y: sg.sum([a * a * w * y for a in numbers(x)]),
        rows=("x", "y"),
        reduce=None,
        wrt=1,
    )
    values, slopes = f.value_and_grad(2.0, rows, [1.0, 2.0, 3.0])
    for row, y, value, slope in zip(rows, (1.0, 2.0, 3.0), values, slopes, strict=True):
        expected = eager(lambda xs, y=y: sg.sum([a * a * 2.0 * y for a in xs]), numbers(row))
        assert (value, numbers(slope)) == expected


def filled(shape: tuple[int, ...], rng: random.Random) -> Any:
    return (
        [filled(shape[1:], rng) for _ in range(shape[0])]
        if shape
        else round(rng.gauss(0.0, 1.0), 3)
    )


def numbers(tree: Any) -> list[Any]:
    return [x for item in tree for x in numbers(item)] if isinstance(tree, list) else [tree]


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_slope_of_minus_zero_sends_nothing_either(zero: float) -> None:
    assert_as_eager(lambda p: zero * sg.xlogy(zero, p[0]) + p[0], [-2.0], [0.0], [3.0])
    assert_as_eager(lambda p: sg.log(p[0]) * zero + p[0], [-2.0], [0.0], [3.0])
