"""Re-rolling: which steps become one vector, and what the views of their operands say."""

from __future__ import annotations

from typing import Any

import pytest

import scalargrad as sg
from scalargrad.compiler.choices import TRACED
from scalargrad.compiler.program import Block, Constant, Program, Step
from scalargrad.compiler.roll import Rolled, pulls, roll
from scalargrad.ops import OPS

np = pytest.importorskip("numpy")

from scalargrad.compiler.views import is_all, meeting, one_of  # noqa: E402  # needs NumPy


def step(row: str, *operands: Any) -> Step:
    return Step(OPS[row], operands)


def shapes(rolled: Rolled) -> list[str]:
    return [f"{vector.size} {vector.op.name}" for vector in rolled.vectors]


def layer(nout: int, nin: int, W: Block, xs: list[Any], b: Block) -> list[Step]:
    return [step("dot", *W.inputs[i * nin : (i + 1) * nin], *xs, b.inputs[i]) for i in range(nout)]


def test_a_layer_is_one_vector_of_a_matrix_and_a_shared_list() -> None:
    W, b, x = Block("W1", (3, 2)), Block("b1", (3,)), Block("x", (2,), has_rows=True)
    rolled = roll(Program([W, b, x], [step("tanh", z) for z in layer(3, 2, W, x.inputs, b)]))
    assert shapes(rolled) == ["3 dot", "3 tanh"]
    ws, xs, bias = rolled.vectors[0].operands
    assert ws.sources == (W,)
    assert is_all(ws.index, 6)
    assert (xs.index == xs.index[0]).all()
    assert is_all(bias.index, 3)
    assert [vector.has_rows for vector in rolled.vectors] == [True, True]


def test_products_that_are_added_by_hand_are_a_dot() -> None:
    w, x, b = Block("w", (3,)), Block("x", (3,)), Block("b", ())
    total: Any = b.inputs[0]
    for p, q in zip(w.inputs, x.inputs, strict=True):
        total = step("add", total, step("mul", p, q))
    assert shapes(roll(Program([w, x, b], [total]))) == ["1 dot"]


def test_a_product_that_is_read_twice_stays_a_product() -> None:
    w, x = Block("w", (2,)), Block("x", (2,))
    first, second = (step("mul", p, q) for p, q in zip(w.inputs, x.inputs, strict=True))
    total = step("add", step("add", first, second), first)
    assert shapes(roll(Program([w, x], [total]))) == ["2 mul", "1 sum"]


def test_what_an_output_is_stays_whole() -> None:
    x = Block("x", (3,))
    inner = step("add", x.inputs[0], x.inputs[1])
    rolled = roll(Program([x], [step("add", inner, x.inputs[2]), inner]))
    assert shapes(rolled) == ["1 add", "1 add"]


def test_steps_that_compute_the_same_are_one() -> None:
    x = Block("x", ())
    first, second = step("exp", x.inputs[0]), step("exp", x.inputs[0])
    program = Program([x], [step("mul", first, second)], same={second: first})
    assert shapes(roll(program)) == ["1 exp", "1 mul"]


def test_lists_of_many_lengths_are_filled_up() -> None:
    x = Block("x", (5,))
    outputs = [step("logsumexp", *x.inputs[: n + 1]) for n in range(5)]
    rolled = roll(Program([x], outputs))
    assert shapes(rolled) == ["5 logsumexp"]
    (view,) = rolled.vectors[0].operands
    assert view.index.shape == (5, 5)
    assert {number for source in view.sources for number in getattr(source, "data", ())} == {
        float("-inf")
    }


def test_columns_write_short_sums_out() -> None:
    x, y = Block("x", (2,), has_rows=True), Block("y", (2,), has_rows=True)
    rolled = roll(
        Program([x, y], [step("dot", *x.inputs, *y.inputs, Constant(0.0))]), together=False
    )
    assert shapes(rolled) == ["1 mul", "1 mul", "1 add"]


def test_slopes_go_where_they_lead_to_what_is_asked_for() -> None:
    W, b, x = Block("W1", (3, 2), wrt=True), Block("b1", (3,)), Block("x", (2,))
    rolled = roll(Program([W, b, x], [step("sum", *layer(3, 2, W, x.inputs, b))]))
    found = pulls(rolled, [source for source, _ in rolled.outputs], rolled.wrt)
    assert [(vector.op.name, places) for vector, places in found] == [("sum", [0]), ("dot", [0])]


def test_a_choice_sends_no_slope_to_the_number_that_it_is_made_by() -> None:
    x = Block("x", (3,), wrt=True)
    rolled = roll(
        Program([x], [Step(TRACED["_choose"], (step("exp", x.inputs[0]), *x.inputs[1:]))])
    )
    found = pulls(rolled, [source for source, _ in rolled.outputs], rolled.wrt)
    assert [(vector.op.name, places) for vector, places in found] == [("_choose", [1, 2])]


def test_an_index_of_one_number() -> None:
    assert one_of(np.array([2, 2, 2])) == 2
    assert one_of(np.array([2, 2, 1])) is None


def test_one_matrix_at_several_positions_is_a_product_with_an_outer_axis() -> None:
    W, x = Block("W", (2, 3)), Block("x", (4, 3), has_rows=True)
    outputs = [
        step("dot", *W.inputs[3 * i : 3 * i + 3], *x.inputs[3 * t : 3 * t + 3], Constant(0.0))
        for t in range(4)
        for i in range(2)
    ]
    rolled = roll(Program([W, x], outputs))
    met = meeting(*rolled.vectors[0].operands[:2])
    assert met is not None
    assert (met.shape, met.left, met.right, met.both) == ((4, 2), (1,), (0,), ())


def test_a_thousand_layers_roll_in_order() -> None:
    x = Block("x", (2,))
    xs: list[Any] = list(x.inputs)
    for _ in range(1000):
        xs = [step("sin", xs[1]), step("sin", xs[0])]
    rolled = roll(Program([x], [sg_sum(xs)]))
    assert len(rolled.vectors) == 1001


def sg_sum(xs: list[Any]) -> Step:
    return step("sum", *xs)


def test_the_program_of_a_network_is_as_long_as_its_layers() -> None:
    from scalargrad.nn import MLP

    f = sg.compile(lambda m, x: sg.sum(m(x)), rows="x", backend="numpy")
    model = MLP(4, [8, 8, 8, 2], activation="tanh", seed=0)
    f.value_and_grad(model.state(), np.ones((3, 4)))
    (traces,) = f._traces.values()
    assert shapes(traces.program.rolled) == [
        "8 dot",
        "8 tanh",
        "8 dot",
        "8 tanh",
        "8 dot",
        "8 tanh",
        "2 dot",
        "1 sum",
    ]
