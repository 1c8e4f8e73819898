"""Plain Python source against eager Values: value and gradient to the bit, also for inf, nan and overflow, in every layout."""

from __future__ import annotations

import inspect
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import Value, compile, functions, where
from scalargrad.compiler.in_python import lines
from scalargrad.compiler.in_python import parts as in_parts
from scalargrad.compiler.in_python import source as in_python
from scalargrad.compiler.in_python.source import PythonFunction, function_source
from scalargrad.compiler.program import Block, Constant, Program, Step, constants, sharing
from scalargrad.kernels import RAW, TOTAL, run
from scalargrad.nn import MLP
from scalargrad.nn.losses import binary_cross_entropy, half_squared_error, squared_error
from scalargrad.ops import OPS
from tests import edges, programs, random_graphs
from tests.random_graphs import bits

inf, nan = math.inf, math.nan
REDUCTIONS = "mean", "sum", None
HARD = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, inf, -inf, nan, 1e200, -1e-300, 5e-324, 800.0, -40.0)


def same(got: Sequence[float], expected: Sequence[float]) -> bool:
    """Equal to the bit, but for the sign of a zero, which means nothing in a slope."""
    return bits([x + 0.0 for x in got]) == bits([x + 0.0 for x in expected])


def eager(fn: Any, numbers: Sequence[float]) -> tuple[float, list[float]]:
    """The value and the slopes by Values."""
    values = [Value(x) for x in numbers]
    root = fn(values)
    if not isinstance(root, Value):
        return float(root), [0.0] * len(values)
    root.backward()
    return root.data, [value.grad for value in values]


def compiled(fn: Any, **options: Any) -> Any:
    return compile(fn, backend="python", **options)


def assert_as_eager(fn: Any, *points: Sequence[float]) -> None:
    """The compiled function of a list has the bits of the eager one, in one function and in many parts."""
    made = compiled(fn)
    for point in points:
        value, slopes = eager(fn, point)
        got, gradient = made.value_and_grad(list(point))
        assert bits([got, made(list(point))]) == bits([value, value]), made.source(list(point))
        assert same(gradient, slopes), (point, gradient, slopes, made.source(list(point)))


@pytest.fixture
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All programs in parts of three lines, sums in lines of two terms."""
    monkeypatch.setattr(in_python, "LARGE", 0)
    monkeypatch.setattr(in_parts, "PART", 3)
    monkeypatch.setattr(lines, "TERMS", 2)
    return


# ------------------------------------------------------------------ graphs at random


def of_list(program: programs.Program) -> Any:
    return lambda xs: programs.run(program, xs, lambda row, operands: getattr(functions, row)(*operands))[-1]


def at_random(seed: int, count: int) -> Iterator[tuple[Any, list[Sequence[float]]]]:
    rng = random.Random(seed)
    for number in range(count):
        program = random_graphs.graph(seed, number)
        yield of_list(program), [program.leaves, [rng.choice(HARD) for _ in program.leaves], [rng.choice(HARD) for _ in program.leaves]]


def test_graphs_at_random_have_the_bits_of_values() -> None:
    for fn, points in at_random(21, 250):
        assert_as_eager(fn, *points)


@pytest.mark.usefixtures("in_small_parts")
def test_graphs_at_random_in_parts_have_the_bits_of_values() -> None:
    for fn, points in at_random(22, 100):
        assert_as_eager(fn, *points)


def test_the_total_function_answers_as_the_raw_one_where_that_answers() -> None:
    for fn, points in at_random(23, 60):
        made = compiled(fn)
        made.value_and_grad(list(points[0]))
        functions = [traced_function(fn, points[0], total) for total in (False, True)]
        try:
            value, (slopes,) = functions[0](list(points[0]))
        except (ArithmeticError, ValueError):
            continue
        other, (others,) = functions[1](list(points[0]))
        assert bits([value]) == bits([other])
        assert same(slopes, others)


def traced_function(fn: Any, point: Sequence[float], total: bool) -> Any:
    """The generated function of the value and the gradient, raw or total."""
    program = traced_program(fn, len(point))
    pieces, numbers = function_source(program, "made", "value_and_grad", None, total)
    names = {**(TOTAL if total else RAW), **numbers, "isfinite": math.isfinite}
    for piece in pieces:
        run(piece, "<test>", names)
    return names["made"]


def traced_program(fn: Any, count: int) -> Program:
    """A function of a list of numbers as a program."""
    from scalargrad.compiler.program import frozen
    from scalargrad.compiler.tracing import Traced, add_methods

    add_methods()
    block = Block("xs", (count,), wrt=True)
    nodes = [Traced() for _ in block.inputs]
    return sharing(Program([block], frozen([fn(nodes)], dict(zip(nodes, block.inputs, strict=True)), lambda value: Constant(value.data))))


@pytest.mark.parametrize(
    "op", [op for op in OPS.values() if op.is_public and not op.takes_lists and op.name != "where"], ids=lambda op: op.name
)
def test_every_row_has_the_bits_of_values_at_the_edges(op: Any) -> None:
    function = getattr(functions, op.name)
    count = len(op.operands)
    points = [*itertools.product(HARD, repeat=count)] if count < 3 else [*itertools.product(HARD[::3], repeat=count)]
    assert_as_eager(lambda xs: function(*xs), *points)
    assert_as_eager(lambda xs: function(*xs) * xs[0] + function(*xs), *points[::7])


@pytest.mark.parametrize(
    "op", [op for op in OPS.values() if op.is_public and len(op.operands) == 2 and not op.takes_lists], ids=lambda op: op.name
)
@pytest.mark.parametrize("constant", [0.0, 1.0, 2.0, 3.0, -1.0, 0.5, 0.1, inf, nan])
def test_a_constant_operand_changes_no_bit(op: Any, constant: float) -> None:
    function = getattr(functions, op.name)
    assert_as_eager(lambda xs: function(xs[0], constant), *[[x] for x in HARD])
    assert_as_eager(lambda xs: function(constant, xs[0]), *[[x] for x in HARD])


@pytest.mark.parametrize("name", [op.name for op in OPS.values() if op.takes_lists and op.is_public and op.name not in ("dot", "softmax")])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_row_of_lists_has_the_bits_of_values(name: str, count: int) -> None:
    rng = random.Random(count)
    points = [[rng.choice(HARD) if rng.random() < 0.3 else rng.uniform(-2.0, 2.0) for _ in range(count)] for _ in range(20)]
    function = getattr(functions, name)
    assert_as_eager(lambda xs: function(xs), *points)
    assert_as_eager(lambda xs: function([*xs, 0.5, xs[0]]) * xs[0], *points)


def test_softmax_and_dot_have_the_bits_of_values() -> None:
    for point in ([0.5, -1.0, 2.0, 0.25], [1000.0, 1000.0, -inf, 0.0], [inf, 1.0, 2.0, 3.0], [nan, 1.0, 0.0, -0.0]):
        assert_as_eager(lambda xs: functions.dot(functions.softmax(xs), xs, xs[1]), point)
        assert_as_eager(lambda xs: functions.dot(xs[:2], xs[2:]) + functions.dot([1.0, xs[0], 2.0], [xs[1], 1.0, 0.0], 1.0), point)


@pytest.mark.parametrize("edge", edges.EDGES, ids=str)
def test_the_table_of_edges_holds(edge: Any) -> None:
    if any(isinstance(operand, (list, tuple)) for operand in edge.operands) or edge.name not in OPS:
        pytest.skip("of lists")
    function = getattr(functions, edge.name)
    value, slopes = compiled(function, wrt=tuple(range(len(edge.operands)))).value_and_grad(*edge.operands)
    for got, expected in zip((value, *slopes), (edge.value, *edge.slopes), strict=True):
        assert expected is None or got == expected or (math.isnan(expected) and math.isnan(got))


# ------------------------------------------------------------------ choices


def test_a_choice_sends_nothing_to_the_branch_that_is_left_out() -> None:
    f = compiled(lambda x: where(x > 0, sg.sqrt(x), 0.0))
    assert [f.value_and_grad(x) for x in (4.0, 0.0, -1.0)] == [(2.0, 0.25), (0.0, 0.0), (0.0, 0.0)]


def chosen(xs: Any) -> Any:
    """A chosen value with several readers, as they are added up in eager: one after the other, to the branch itself."""
    x, y, z = xs
    a, b = sg.sin(x) * y, sg.exp(z) * 0.1
    c = where(x > y, a, where(z > 0, b, a * b))
    return c * x + sg.tanh(c) + c * c * 0.3 + a * 0.7 + sg.sin(c) + b


def test_what_comes_to_a_choice_adds_up_in_the_branches_as_in_values() -> None:
    rng = random.Random(1)
    assert_as_eager(chosen, *[[rng.uniform(-2.0, 2.0) for _ in range(3)] for _ in range(100)])


def test_a_condition_that_is_computed_changes_no_order() -> None:
    def fn(xs: Any) -> Any:
        x, y = xs
        u, v, w = x * y, sg.sin(x * y), sg.exp(x)
        return where(u * v > w * 0.1, u + w, v) * u + v * w + u * u * w

    rng = random.Random(2)
    assert_as_eager(fn, *[[rng.uniform(-2.0, 2.0) for _ in range(2)] for _ in range(100)])


def test_choices_in_choices_are_near_however_many() -> None:
    def fn(xs: Any) -> Any:
        most = xs[0] * 1.5
        for x in xs[1:]:
            most = where(x * x > most, x * x, most)
            most = where(x > 0.9, most + x, most)
        return most * xs[0] + most

    rng = random.Random(3)
    made = compiled(fn)
    for _ in range(10):
        point = [rng.uniform(-1.0, 1.0) for _ in range(40)]
        value, slopes = eager(fn, point)
        got, gradient = made.value_and_grad(point)
        assert got == value
        assert gradient == pytest.approx(slopes, rel=1e-12)


def test_a_running_maximum_by_choices_is_traced_in_linear_size() -> None:
    def fn(xs: Any) -> Any:
        most, total = xs[0], 0.0
        for x in xs[1:]:
            most = where(x > most, x, most)
            total = total + most
        return total

    sizes = [len(compiled(fn).source([0.5] * n)) for n in (50, 100, 200)]
    assert sizes[2] - sizes[1] < 3 * (sizes[1] - sizes[0])
    assert_as_eager(fn, [0.1, 0.5, 0.3, 0.9, 0.2])


def test_conditions_joined_choose_as_they_do_in_values() -> None:
    f = compiled(lambda x, y: where((x > 0) & ~(y >= 1) | (x < -1), x * y, x + y), wrt=(0, 1))
    for x, y in itertools.product((-2.0, -0.5, 0.0, 0.5), (0.5, 1.0, 2.0)):
        product = (x > 0 and not y >= 1) or x < -1
        assert f.value_and_grad(x, y) == ((x * y, (y, x)) if product else (x + y, (1.0, 1.0)))


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
    assert mean.value_and_grad(0.8, ROWS) == (total / 3, ([[s / 3 for s in row] for row in slopes], by_w / 3))
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
    assert f.jacobian([3.0, 5.0]) == ([3.0, 2.0, 15.0, 3.0], [[1.0, 0.0], [0.0, 0.0], [5.0, 3.0], [1.0, 0.0]])
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
    value, gradient = compiled(lambda model, x, y: loss(model(x), y), rows=("x", "y"), reduce="sum").value_and_grad(model, X, y)
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
    assert [list(row) for row in gradient["W1"]] == [[w.grad for w in neuron.w] for neuron in model.layers[0].neurons]
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


# ------------------------------------------------------------------ size


def test_a_long_chain_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_python, "LARGE", 20_000)

    def fn(x: Any) -> Any:
        y = x
        for i in range(11_000):
            y = sg.sin(y) + x if i % 2 else y * 0.75
        return y

    x = Value(0.3)
    root = fn(x)
    root.backward()
    made = compiled(fn)
    assert made.value_and_grad(0.3) == (root.data, x.grad)
    assert made(0.3) == root.data
    assert "def value_and_grad_part_2(" in made.source(0.3)


@pytest.mark.parametrize("part", [1, 7, 40, 10_000])
def test_a_network_in_parts_has_the_bits_of_one_function(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = MLP(6, [5, 4, 2], activation="tanh", seed=0)
    x, y = [0.1 * i - 0.2 for i in range(6)], [0.5, -0.5]

    def cost(model: Any, x: Any, y: Any) -> Any:
        return squared_error(model(x), y)

    whole = compiled(cost, wrt=(0, 1)).value_and_grad(model, x, y)
    of_both = compiled(lambda model, x: model(x)).jacobian(model, x)
    by_rows = {reduce: compiled(cost, rows=("x", "y"), reduce=reduce).value_and_grad(model, [x, x[::-1]], [y, y]) for reduce in REDUCTIONS}
    monkeypatch.setattr(in_python, "LARGE", 0)
    monkeypatch.setattr(in_parts, "PART", part)
    monkeypatch.setattr(in_parts, "ROW", 4)  # a row of six is put in place in two
    assert repr(compiled(cost, wrt=(0, 1)).value_and_grad(model, x, y)) == repr(whole)
    assert repr(compiled(lambda model, x: model(x)).jacobian(model, x)) == repr(of_both)
    for reduce, expected in by_rows.items():
        made = compiled(cost, rows=("x", "y"), reduce=reduce)
        assert repr(made.value_and_grad(model, [x, x[::-1]], [y, y])) == repr(expected)


def test_numbers_that_would_be_called_the_same_stay_apart_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    def fn(w: Any, w_0: Any) -> Any:
        return functions.dot(w[0], w_0) * functions.dot(w[1], w_0) + functions.dot(w_0, w_0)

    w, w_0 = [[0.5, 2.0, -1.0, 3.0], [1.0, 0.25, 4.0, -2.0]], [1.5, -0.5, 2.5, 0.75]
    expected = compiled(fn, wrt=(0, 1)).value_and_grad(w, w_0)
    monkeypatch.setattr(in_python, "LARGE", 0)
    assert compiled(fn, wrt=(0, 1)).value_and_grad(w, w_0) == expected


def test_a_part_unpacks_what_it_reads_much_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_python, "LARGE", 0)

    def fn(w: Any, x: Any) -> Any:
        return functions.dot(w[0], x) * functions.dot(w[1], x) * w[2][0]

    source = compiled(fn).source([[0.5] * 8] * 3, [1.0] * 8)
    for text in ("x_0, x_1, x_2, x_3, x_4, x_5, x_6, x_7 = x\n", "w_0_6, w_0_7 = w[0]\n", "w[2][0]", "dw[0][:] = ["):
        assert text in source, source
    assert "w_2_0" not in source


def test_a_sum_of_many_is_no_deep_expression() -> None:
    xs = [0.1 * (-1) ** i * i for i in range(3000)]
    expected = 0.0
    for x in xs:
        expected += x * x
    made = compiled(lambda xs: functions.dot(xs, xs))
    assert made.value_and_grad(xs) == (expected, [2.0 * x for x in xs])


def test_a_graph_shared_widely_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_python, "LARGE", 20_000)
    rng = random.Random(4)
    places = [(rng.random(), rng.random(), rng.random()) for _ in range(8000)]

    def fn(xs: Any) -> Any:
        nodes = list(xs)
        for a, b, kind in places:
            x, y = nodes[-1 - int(a * min(300, len(nodes)))], nodes[-1 - int(b * min(300, len(nodes)))]
            nodes.append(x * y if kind < 0.4 else x * 0.5 - y if kind < 0.7 else sg.tanh(x))
        return functions.sum(nodes[-200:])

    point = [rng.uniform(-1.0, 1.0) for _ in range(50)]
    value, slopes = eager(fn, point)
    got, gradient = compiled(fn).value_and_grad(point)
    assert got == value
    assert same(gradient, slopes)


@pytest.mark.parametrize("shape", [(2, 1), (1, 2), (1, 1), (3, 1, 2), (2, 2)])
def test_several_arguments_of_rows_may_be_tall_and_flat_matrices(shape: tuple[int, ...]) -> None:
    rng = random.Random(1)
    rows = [filled(shape, rng) for _ in range(3)]
    f = compiled(lambda w, x, y: sg.sum([a * a * w * y for a in numbers(x)]), rows=("x", "y"), reduce=None, wrt=1)
    values, slopes = f.value_and_grad(2.0, rows, [1.0, 2.0, 3.0])
    for row, y, value, slope in zip(rows, (1.0, 2.0, 3.0), values, slopes, strict=True):
        expected = eager(lambda xs, y=y: sg.sum([a * a * 2.0 * y for a in xs]), numbers(row))
        assert (value, numbers(slope)) == expected


def filled(shape: tuple[int, ...], rng: random.Random) -> Any:
    return [filled(shape[1:], rng) for _ in range(shape[0])] if shape else round(rng.gauss(0.0, 1.0), 3)


def numbers(tree: Any) -> list[Any]:
    return [x for item in tree for x in numbers(item)] if isinstance(tree, list) else [tree]


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_slope_of_minus_zero_sends_nothing_either(zero: float) -> None:
    assert_as_eager(lambda p: zero * sg.xlogy(zero, p[0]) + p[0], [-2.0], [0.0], [3.0])
    assert_as_eager(lambda p: sg.log(p[0]) * zero + p[0], [-2.0], [0.0], [3.0])
