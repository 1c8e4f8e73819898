"""The program between trace and source: its order, and each pass over it alone."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import scalargrad as sg
from scalargrad import Value
from scalargrad.compiler.choices import TRACED, sends
from scalargrad.compiler.program import (
    Block,
    Constant,
    Input,
    Program,
    Step,
    constants,
    frozen,
    grouped,
    hides_nan,
    ordered,
    pulls,
    sharing,
)
from scalargrad.compiler.tracing import Traced, add_methods, tracing
from scalargrad.graph import ordered as of_values
from scalargrad.ops import OPS, Op
from scalargrad.rows.text import on_floats

from .. import programs, random_graphs


def step(name, *operands):
    row = OPS.get(name) or TRACED[name]
    return Step(row, tuple(Constant(x) if isinstance(x, float) else x for x in operands))


def inputs(count, name="x"):
    return Block(name, (count,)).inputs


def program_of(fn, count):
    """The program that a function of so many numbers is traced to."""
    add_methods()
    block = Block("x", (count,), wrt=True)
    numbers = [Traced("x") for _ in block.inputs]
    with tracing():
        result = fn(*numbers)
    results = result if isinstance(result, list) else [result]
    return Program(
        [block],
        frozen(results, zip(numbers, block.inputs), lambda value: Constant(value.data)),
    )


def evaluated(program, xs):
    """The outputs, step by step."""
    values = dict(zip([x for block in program.blocks for x in block.inputs], xs))

    def of(x):
        return x.data if x.__class__ is Constant else values[x]

    for s in program.steps:
        values[s] = on_floats(s.op)["value"](
            *grouped(s.op, [of(program.same.get(x, x)) for x in s.operands])
        )
    return [of(x) for x in program.outputs]


def names(steps):
    return [s.op.name for s in steps]


# ------------------------------------------------------------------ from a trace


def test_steps_stand_in_order_operands_before_their_readers():
    program = program_of(lambda x, y: sg.exp(x) * (x + y) - sg.sin(y), 2)
    assert names(program.steps) == ["exp", "add", "mul", "sin", "sub"]
    seen = set(program.blocks[0].inputs)
    for s in program.steps:
        assert all(x in seen or x.__class__ is Constant for x in s.operands)
        seen.add(s)


def test_the_walk_is_in_the_order_of_values():
    fn = lambda x, y: sg.dot([sg.exp(x), x * y], [y, sg.sin(x)], sg.cos(y)) / (sg.exp(x) + x)
    root = fn(Value(0.5), Value(2.0))
    program = program_of(fn, 2)
    walk = ordered(program.outputs, last_first=True)
    assert names(walk) == [v.op for v in of_values(root, last_first=True) if v.op]
    assert names(program.steps) == [v.op for v in of_values(root) if v.op]


def test_what_no_output_reads_is_no_step():
    def fn(x):
        _ = sg.exp(x) * 3
        return x * x

    assert names(program_of(fn, 1).steps) == ["mul"]


def test_a_deep_chain_is_put_in_order_without_recursion():
    def fn(x):
        for _ in range(20_000):
            x = x + 1.0
        return x

    program = program_of(fn, 1)
    assert len(program.steps) == 20_000
    assert evaluated(program, [0.5]) == [20_000.5]
    assert len(sharing(program).steps) == len(constants(program).steps) == 20_000


def test_one_constant_for_each_number_and_sign():
    program = program_of(lambda x: [x + 2.0, x * 2.0, x + 0.0, x * -0.0, x + float("nan")], 1)
    found = {id(o): o.data for s in program.steps for o in s.operands if o.__class__ is Constant}
    assert sorted(map(repr, found.values())) == ["-0.0", "0.0", "2.0", "nan"]


def test_outputs_may_be_inputs_constants_and_the_same_twice():
    program = program_of(lambda x, y: [x, 3.0, y * y, x], 2)
    assert evaluated(program, [1.0, 2.0]) == [1.0, 3.0, 4.0, 1.0]
    square = program_of(lambda x, y: [y * y] * 2, 2)
    assert square.outputs[0] is square.outputs[1]


def test_labels_stay_with_their_steps():
    def fn(x):
        z = x * x
        z.label = "z"
        return sg.exp(z)

    assert [s.label for s in program_of(fn, 1).steps] == ["z", ""]
    assert repr(program_of(fn, 1).steps) == "[<step z>, <step exp>]"


def test_shapes_tell_how_many_inputs_there_are():
    assert [len(Block("x", shape).inputs) for shape in ((), (3,), (2, 3), (0, 3), (2, 0))] == [
        1,
        3,
        6,
        0,
        0,
    ]
    assert repr(Block("x", (2,), has_rows=True)) == "<block x (2,) by rows>"
    assert repr(Block("x", (2,)).inputs[1]) == "<input x[1]>"
    assert isinstance(Block("x", ()).inputs[0], Input)


# ------------------------------------------------------------------ constants


def test_what_depends_on_no_input_is_computed():
    (x,) = inputs(1)
    two = step("exp", step("sub", 1.0, 1.0))
    program = constants(
        Program([x.block], [step("mul", two, x), step("dot", 1.0, 2.0, 3.0, 4.0, 5.0)])
    )
    assert names(program.steps) == ["mul"]
    assert evaluated(program, [3.0]) == [3.0, 16.0]


def test_known_inputs_are_constants():
    x, y = inputs(2)
    program = Program([x.block], [step("mul", step("exp", x), y)])
    assert evaluated(constants(program, {x: 0.0}), [math.nan, 5.0]) == [5.0]
    assert [o.data for o in constants(program, {x: 0.0, y: 5.0}).outputs] == [5.0]
    assert len(constants(program, {y: 5.0}).steps) == 2


def test_folding_never_raises():
    out = constants(
        Program([], [step("div", 1.0, 0.0), step("log", -1.0), step("exp", 1000.0)])
    ).outputs
    assert [repr(o) for o in out] == ["<constant inf>", "<constant nan>", "<constant inf>"]


@pytest.mark.parametrize("x", [-1.0, 1.0])
@pytest.mark.parametrize("row", ["_and", "_or"])
def test_conditions_that_are_half_known(row, x):
    a, b = inputs(2)
    condition = step(row, step("_less", 0.0, a), step("_less", 0.0, b))
    program = Program([a.block], [step("_choose", condition, a, 10.0)])
    for known in ({a: x}, {b: x}):
        folded = constants(program, known)
        for other in (-1.0, 1.0):
            xs = [known.get(a, other), known.get(b, other)]
            assert evaluated(folded, xs) == evaluated(program, xs)
        assert len(folded.steps) < len(program.steps)


def test_a_choice_by_a_known_condition_is_the_branch():
    a, b = inputs(2)
    program = Program(
        [a.block], [step("_choose", step("_not", step("_less", a, 1.0)), b, step("exp", b))]
    )
    assert constants(program, {a: 2.0}).outputs == [b]
    assert names(constants(program, {a: 0.0}).steps) == ["exp"]


def test_labels_survive_folding():
    x, y = inputs(2)
    z = step("add", x, y)
    z.label = "z"
    assert constants(Program([x.block], [z]), {x: 1.0}).steps[0].label == "z"


# ------------------------------------------------------------------ sharing


def test_equal_steps_are_found_however_deep():
    x, y = inputs(2)
    a = step("exp", step("mul", x, step("sin", y)))
    b = step("exp", step("mul", x, step("sin", y)))
    program = sharing(Program([x.block], [step("add", a, b)]))
    assert program.same[b] is a
    assert len(program.same) == 3
    assert len(program.steps) == 7


def test_only_what_is_the_same_is_shared():
    x, y = inputs(2)
    different = [
        step("sub", x, y), step("sub", y, x), step("add", x, 0.0), step("add", x, -0.0), step("add", x, 1.0), step("mul", x, 1.0),
        step("dot", x, y, 0.0), step("sum", x, y), step("sum", x, y, x),
    ]  # fmt: skip
    assert not sharing(Program([x.block], different)).same
    assert (
        len(sharing(Program([x.block], [*different, step("sub", x, y), step("add", x, -0.0)])).same)
        == 2
    )


# ------------------------------------------------------------------ pulls


def slopes_by(program, root, by, xs):
    """The walk that `pulls` describes, with slopes from the rows."""
    values = dict(zip([x for block in program.blocks for x in block.inputs], xs))
    for s in program.steps:
        values[s] = on_floats(s.op)["value"](
            *grouped(s.op, [x.data if x.__class__ is Constant else values[x] for x in s.operands])
        )
    sums = {root: 1.0}
    for s, places in pulls(ordered([root], last_first=True), [root], by):
        numbers = [x.data if x.__class__ is Constant else values[x] for x in s.operands]
        if sends(s.op):
            partials = [0.0, float(bool(numbers[0])), float(not numbers[0])]
        else:
            _, *nested = on_floats(s.op)["total"](*grouped(s.op, numbers))
            partials = [
                p
                for group in nested
                for p in (group if isinstance(group, list | tuple) else [group])
            ]
        for place in places:
            if slope := sums.get(s, 0.0):
                sums[s.operands[place]] = sums.get(s.operands[place], 0.0) + partials[place] * slope
    return [sums.get(x, 0.0) for x in by]


@pytest.mark.parametrize("seed", range(30))
def test_pulls_in_order_give_the_slopes_of_backward(seed):
    graph = random_graphs.graph("pulls", seed)
    leaves, root = random_graphs.recorded(graph)
    root.backward()
    fn = lambda *xs: programs.run(
        graph, xs, lambda row, operands: getattr(sg.functions, row)(*operands)
    )[-1]
    program = program_of(fn, len(leaves))
    got = slopes_by(program, program.outputs[0], program.blocks[0].inputs, graph.leaves)
    assert random_graphs.bits_but_zeros(got) == random_graphs.bits_but_zeros(
        [leaf.grad for leaf in leaves]
    )


def test_only_what_lies_on_a_way_is_pulled():
    x, y = inputs(2)
    a, b = step("exp", x), step("sin", y)
    c = step("mul", a, b)
    other = step("cos", x)
    found = [(pulled, (*places,)) for pulled, places in pulls([a, b, c, other], [c], [x])]
    assert found == [(c, (0,)), (a, (0,))]
    assert pulls([a, b, c, other], [other], [y]) == []
    assert pulls([a, b, c, other], [x], [x]) == []


def test_nothing_goes_back_through_what_is_detached_or_compared():
    x, y = inputs(2)
    cut, less = step("_detached", step("exp", x)), step("_less", x, y)
    peak = step("_peak", x, y)
    choice = step("_choose", less, step("sin", y), x)
    steps = ordered([step("sum", cut, peak, choice)])
    assert [(s.op.name, (*places,)) for s, places in pulls(steps, [steps[-1]], [x, y])] == [
        ("sum", (2,)),
        ("_choose", (1, 2)),
        ("sin", (0,)),
    ]


def test_a_choice_by_a_number_sends_nothing_to_it():
    x, y = inputs(2)
    choice = step("_choose", step("mul", x, x), y, 3.0)
    assert pulls(ordered([choice]), [choice], [x, y]) == [(choice, (1,))]
    assert sg.compile(
        lambda x, y: sg.where(x * x, y, 3.0), wrt=(0, 1), backend="python"
    ).value_and_grad(2.0, 5.0) == (5.0, (0.0, 1.0))


# ------------------------------------------------------------------ together


@pytest.mark.parametrize("seed", range(30))
def test_passes_change_no_number(seed):
    graph = random_graphs.graph("passes", seed)
    fn = lambda *xs: programs.run(
        graph, xs, lambda row, operands: getattr(sg.functions, row)(*operands)
    )[-1]
    program = program_of(fn, len(graph.leaves))
    expected = evaluated(program, graph.leaves)
    known = {
        x: number
        for x, number in zip(program.blocks[0].inputs, graph.leaves)
        if random.Random(f"{seed}").random() < 0.5
    }
    for changed in (
        sharing(program),
        constants(program),
        constants(program, known),
        sharing(constants(program, known)),
    ):
        assert random_graphs.bits(evaluated(changed, graph.leaves)) == random_graphs.bits(expected)


@pytest.mark.parametrize(
    ("name", "flat", "groups"),
    [
        ("mul", [1, 2], [1, 2]),
        ("sum", [1, 2, 3], [[1, 2, 3]]),
        ("dot", [1, 2, 3, 4, 5], [[1, 2], [3, 4], 5]),
        ("dot", [5], [[], [], 5]),
    ],
)
def test_operands_are_grouped_as_the_row_names_them(name, flat, groups):
    assert grouped(OPS[name], flat) == groups


def test_a_nan_decides_unseen_where_numbers_are_compared():
    rows = {*OPS.values(), *TRACED.values()}
    assert {row.name for row in rows if hides_nan(row)} == {
        "clip",
        "where",
        "_choose",
        "_less",
        "_less_equal",
        "_and",
        "_not",
    }
    assert hides_nan(Op("step", "x", "", value="1.0 if x > 5.0 else 0.0", slopes="0.0"))
    assert not hides_nan(
        Op("floor", "x", "", value="x if x > 5.0 or x != x else 5.0", slopes="0.0")
    )


# ------------------------------------------------------------------ digests


def variants():
    """Programs that differ in one thing each."""

    def made(fn=lambda x, y: sg.tanh(x * 2.0) + y * x, change=lambda program: None):
        program = program_of(fn, 2)
        change(program)
        return program

    def changed(name, value):
        return lambda program: setattr(program.blocks[0], name, value)

    def labelled(program):
        program.steps[0].label = "z"

    def twinned(program):
        program.blocks[0].twins = {0: program.blocks[0].inputs[1]}

    def of_another_formula(program):
        (found,) = [s for s in program.steps if s.op is OPS["tanh"]]
        found.op = found.op.changed(value="tanh(x) + 0.0")

    def with_equal_steps(x, y):
        return sg.exp(x) * sg.exp(x) + y

    yield made()
    yield made(lambda x, y: y * x + sg.tanh(x * 2.0))
    yield made(lambda x, y: sg.tanh(x * 2.0) + x * y)
    yield made(lambda x, y: sg.tanh(x * -2.0) + y * x)
    yield made(lambda x, y: sg.sinh(x * 2.0) + y * x)
    yield made(lambda x, y: [sg.tanh(x * 2.0) + y * x, x])
    yield from [made(lambda x, y, c=c: x * y + c) for c in (0.0, -0.0, math.nan, math.inf, 5e-324)]
    for change in (
        changed("name", "w"), changed("shape", (2, 1)), changed("has_rows", True), changed("wrt", False), labelled, twinned,
        of_another_formula,
    ):  # fmt: skip
        yield made(change=change)
    yield made(with_equal_steps)
    yield sharing(made(with_equal_steps))


def test_programs_that_differ_have_digests_that_differ():
    found = [program.digest for program in variants()]
    assert len({*found}) == len(found)
    assert found == [program.digest for program in variants()]


def test_a_digest_has_all_that_a_program_is():
    """A field that is new here must go into the digest, unless it is known from the others."""
    (block,) = (program := sharing(program_of(lambda x: x * x, 1))).blocks
    assert {*vars(block)} == {"name", "shape", "has_rows", "wrt", "inputs", "twins"}
    assert {*Step.__slots__} == {"op", "operands", "label"}
    known = {"rolled", "scattered", "is_shared"}
    assert {*vars(program)} - known == {"blocks", "outputs", "same", "steps"}


def test_a_digest_is_the_same_in_each_process():
    code = (
        "from tests.compiler.test_program import variants\n"
        "for program in variants(): print(program.digest)"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [program.digest for program in variants()]
