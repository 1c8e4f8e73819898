"""Random graphs: 2,000 in each run, half of them always others; and what they would find."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import math
import random
from collections.abc import Iterator

import pytest

from scalargrad import Value, functions
from scalargrad.ops import OPS

from . import mutants, oracle, programs, random_graphs
from .programs import Program, Step
from .random_graphs import Failure

COUNT = 500
ROTATING = random.SystemRandom().randrange(10**6)

PAIR = Program(
    (0.5, -3.0),
    (
        Step("mul", (0, 1)),
        Step("tanh", (2,)),
        Step("sub", (1.0, 3)),
        Step("dot", ((2, 2), (4, 0), 0.25)),
    ),
)


def printed(text: str) -> list[float]:
    """The numbers that a program prints when it is run."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(text, {})
    return [float(word) for word in out.getvalue().split()]


# ------------------------------------------------------------------ the graphs


@pytest.mark.parametrize(
    ("seed", "count"), [(1, COUNT), (ROTATING, COUNT // 2)], ids=["fixed", "rotating"]
)
def test_every_way_gives_the_same_and_the_truth(seed: int, count: int) -> None:
    print(f"python -m tests.random_graphs --seed {seed} --count {count}")
    report = random_graphs.check_many(seed, range(count))
    assert report.operations > 9 * count
    assert report.share_skipped < 0.15
    assert 0.05 < report.worst <= 1.0  # what is allowed is neither too little nor far too much


def test_the_graphs_are_of_all_rows_and_kinds() -> None:
    graphs = [random_graphs.graph(1, number) for number in range(400)]
    sizes = {len(program.steps) for program in graphs}
    assert sizes == set(range(1, 26))
    assert {step.op_name for program in graphs for step in program.steps} == set(oracle.REFERENCES)
    operands = [oracle.flat(step.operands) for program in graphs for step in program.steps]
    assert sum(any(isinstance(o, float) for o in each) for each in operands) > 400  # constants
    assert sum(isinstance(each[0], float) for each in operands) > 100  # and on the left
    assert sum(len(each) > len(set(each)) for each in operands) > 100  # an operand that is repeated
    readers = [
        sum(o == place for step in program.steps for o in oracle.flat(step.operands))
        for program in graphs
        for place in range(5)
    ]
    assert sum(n > 2 for n in readers) > 100  # fan-out
    assert {len(program.leaves) for program in graphs} == {1, 2, 3, 4, 5}


def test_the_same_seed_draws_the_same_graph() -> None:
    assert random_graphs.graph(1, 17) == random_graphs.graph(1, 17) != random_graphs.graph(2, 17)


# ------------------------------------------------------------------ a program


def test_a_program_is_printed_as_python_that_runs() -> None:
    assert programs.source(PAIR) == (
        "from scalargrad import Value, functions\n\n"
        "x1 = Value(0.5)\n"
        "x2 = Value(-3.0)\n"
        "v1 = x1 * x2\n"
        "v2 = v1.tanh()\n"
        "v3 = 1.0 - v2\n"
        "v4 = functions.dot([v1, v1], [v3, x1], 0.25)\n"
        "v4.backward()\n"
        "print(v4.data, x1.grad, x2.grad)"
    )
    x, y = Value(0.5), Value(-3.0)
    xy = x * y
    root = functions.dot([xy, xy], [1.0 - functions.tanh(xy), x], 0.25)
    root.backward()
    assert printed(programs.source(PAIR)) == [root.data, x.grad, y.grad]


def test_signs_and_infinities_are_printed_as_python_reads_them() -> None:
    steps = (
        Step("pow", (-2.0, 0)),
        Step("neg", (1,)),
        Step("maximum", (-math.inf, 2)),
        Step("abs", (3,)),
        Step("clip", (4, -math.inf, 1e3)),
    )
    assert printed(programs.source(Program((3.0,), steps)))[0] == 8.0


def test_what_the_root_does_not_read_is_pruned() -> None:
    extra = Program(
        (1.0, 0.5, -3.0),
        (
            Step("exp", (0,)),
            Step("mul", (1, 2)),
            Step("tanh", (4,)),
            Step("add", (3, 0)),
            Step("neg", (5,)),
        ),
    )
    assert programs.pruned(extra) == Program(
        (0.5, -3.0), (Step("mul", (0, 1)), Step("tanh", (2,)), Step("neg", (3,)))
    )


def test_a_kink_is_counted_and_not_compared() -> None:
    assert (
        random_graphs.check(Program((0.0,), (Step("abs", (0,)),))).skipped == "at a kink or a pole"
    )
    assert random_graphs.check(Program((-1.0,), (Step("log", (0,)),))).skipped == "not finite"
    assert (
        random_graphs.check(Program((1e-70,), (Step("square", (0,)),))).skipped
        == "too large or small"
    )
    cancelling = Program(
        (1.0,),
        (Step("add", (0, 1e13)), Step("sub", (1, 1e13)), Step("square", (2,)), Step("sin", (3,))),
    )
    assert random_graphs.check(cancelling).skipped == "ill-conditioned"
    assert random_graphs.check(PAIR).skipped == ""


# ------------------------------------------------------------------ what they would find


BROKEN = [
    ("tanh", "dx"), ("relu", "dx"), ("mul", "dy"), ("div", "dy"), ("pow", "dx"), ("logaddexp", "dx"), ("clip", "dx"), ("dot", "dws"),
    ("prod", "dxs"), ("max", "dxs"),
]  # fmt: skip


def by_a_millionth(op_name: str, part: str) -> mutants.Mutant:
    """A rule that makes a slope too large by one part in a million."""
    (mutant,) = (
        mutant
        for mutant in mutants.of_op(OPS[op_name])
        if (mutant.part, mutant.kind) == (part, "1e-6")
    )
    return mutant


@functools.cache
def fixed_graph(number: int) -> Program:
    return random_graphs.graph(1, number)


def graphs_that_read(op_name: str) -> Iterator[Program]:
    """Those of the fixed seed that read an operation: in all others it cannot be found wrong."""
    return (
        program
        for program in map(fixed_graph, range(COUNT))
        if any(step.op_name == op_name for step in program.steps)
    )


@pytest.mark.parametrize(("op_name", "part"), BROKEN)
def test_a_slope_that_is_wrong_by_a_millionth_is_found(op_name: str, part: str) -> None:
    with mutants.broken(by_a_millionth(op_name, part)):
        assert any(
            "the slope" in random_graphs.failure_of(program)  # or the ways give several
            for program in graphs_that_read(op_name)
        )


def test_what_fails_is_made_small_and_printed_as_python() -> None:
    with mutants.broken(by_a_millionth("tanh", "dx")):
        with pytest.raises(Failure, match=r"graph [0-9]+ of seed 1: the slope by") as caught:
            random_graphs.check_many(1, range(COUNT))
        report, _, small = str(caught.value).partition("\n\n")
        assert "python -m tests.random_graphs --seed 1 --only" in report
        lines = small.splitlines()
        assert "the slope by x1 by source is" in lines[0]
        assert lines[1:3] == ["from scalargrad import Value, functions", ""]
        assert [line.partition(" = ")[2] for line in lines[4:5]] == ["x1.tanh()"]
        assert len(lines) == 7
        wrong = printed(small)[1]
    right = printed(small)[1]
    assert wrong == pytest.approx(right * (1.0 + 1e-6), rel=1e-12) != right


def test_an_exception_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(x: float) -> float:
        raise OverflowError("too much")

    monkeypatch.setattr(functions, "tanh", refusing)
    assert random_graphs.failure_of(PAIR) == "raises OverflowError: too much"


def test_a_way_that_differs_in_the_last_bit_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def off_by_a_bit(program: Program) -> tuple[float, None]:
        return math.nextafter(random_graphs.on_numbers(program)[0], math.inf), None

    way = random_graphs.Way(off_by_a_bit, same_bits=True)
    monkeypatch.setattr(random_graphs, "WAYS", (*random_graphs.WAYS, way))
    assert random_graphs.failure_of(PAIR).startswith("off_by_a_bit gives the value")


def test_a_second_backward_that_does_not_double_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backward = Value.backward

    def forgetting(root: Value) -> None:
        for node in root.graph():
            node.grad = 0.0
        backward(root)

    monkeypatch.setattr(Value, "backward", forgetting)
    assert random_graphs.failure_of(PAIR).startswith("a second backward makes of the slopes")


def test_the_command_says_what_it_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["random_graphs", "--seed", "1", "--count", "30"])
    assert random_graphs.main() == 0
    said = capsys.readouterr().out
    assert "seed 1: 30 graphs of" in said
    assert "of what rounding explains" in said
    assert "no difference taken of" in said


def test_the_command_shows_what_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = next(n for n in itertools.count() if fixed_graph(n).steps[-1].op_name == "tanh")
    monkeypatch.setattr("sys.argv", ["random_graphs", "--seed", "1", "--only", str(number)])
    with mutants.broken(by_a_millionth("tanh", "dx")):
        assert random_graphs.main() == 1
    said = capsys.readouterr().out
    assert programs.source(fixed_graph(number)) in said
    assert f"graph {number} of seed 1: the slope by" in said
