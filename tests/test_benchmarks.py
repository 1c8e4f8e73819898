"""The benchmarks' own parts: peers agree before they are timed, and a goal that is missed says so. Nothing is timed here."""

import pytest

from tests.benchmarks import (
    against,
    bundle,
    bundle_arrays,
    digits,
    gpt,
    moons,
    timing,
    xor,
)
from tests.benchmarks import contest as benchmark_contest
from tests.benchmarks.contest import Contest, Goal, difference, numbers
from tests.benchmarks.timing import with_deep_stack

BY_HAND = [
    "pure Python by hand",
    "NumPy by hand",
    "NumPy, as the tutorial writes it",
    "NumPy, tuned by hand",
    "slots Value",
    "scalargrad, eager",
]


@pytest.mark.parametrize(
    ("contest", "least"),
    [(xor.CONTEST, 5), (moons.CONTEST, 5), (digits.ONE_ROW, 5), (gpt.CONTEST, 2)],
    ids=["xor", "moons", "digits", "gpt"],
)
def test_peers_that_are_always_there_agree(contest, least):
    runs = contest.build(name for name in contest.builders if name in BY_HAND)
    assert len(runs) >= least
    contest.checked_after = 1
    with_deep_stack(lambda: contest.check(runs))


def test_jacobians_of_the_camera_agree():
    rows = bundle.ROWS[:20]
    expected = numbers(bundle.slots(rows)(1))
    assert len(expected) == 20 * (2 + 30)
    for build in (bundle.eager, bundle_arrays.numpy_by_columns, bundle_arrays.numpy_by_matrices):
        assert difference(expected, numbers(build(rows)(1))) == ""


def test_a_peer_that_computes_something_else_ends_the_contest():
    contest = Contest("two peers", "ms")
    contest.peer("right")(lambda: lambda n: [1.0, 1e-3 * n])
    contest.peer("wrong")(lambda: lambda n: [1.0, 1.000001e-3 * n])
    with pytest.raises(
        SystemExit, match="two peers: wrong computes something else than right: number 1 is"
    ):
        with_deep_stack(lambda: contest.check(contest.build()))


def test_differences_are_relative_and_nan_is_one():
    assert difference([1e6, 1e-3], [1e6 + 1e-4, 1e-3]) == ""
    assert "number 0" in difference([1e6, 1e-3], [1e6 + 1e-2, 1e-3])
    assert "number 1" in difference([1.0, 1.0], [1.0, float("nan")])
    assert difference([1.0], [1.0, 1.0]) == "2 numbers instead of 1"


def test_a_peer_that_is_not_installed_is_left_out_with_a_line(capsys):
    contest = Contest("one peer", "ms")

    @contest.peer("absent")
    def absent():
        raise ImportError("No module named 'absent'")

    contest.peer("present")(lambda: lambda n: n)
    assert list(contest.build()) == ["present"]
    assert "absent: not here (No module named 'absent')" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ours", "line"),
    [
        (2.0, "goal: we, faster than they ≥ 5×: 5×, met"),
        (2.5, "goal: we, faster than they ≥ 5×: 4×, MISSED"),
    ],
)
def test_a_goal_says_whether_it_was_met(capsys, ours, line):
    Goal(("we",), "they", at_least=5).judge({"we": ours, "they": 10.0})
    assert capsys.readouterr().out.strip() == line


def test_a_bound_from_above_is_on_the_time(capsys):
    goal = Goal(("slow", "fast"), "they", at_most=1.5)
    goal.judge({"slow": 9.0, "fast": 3.0, "they": 2.0})
    goal.judge({"slow": 9.0, "they": 2.0})
    met, missed = capsys.readouterr().out.splitlines()
    assert met.endswith("fast, time over that of they ≤ 1.5×: 1.5×, met")
    assert missed.endswith("slow, time over that of they ≤ 1.5×: 4.5×, MISSED")


def test_a_goal_without_its_peer_is_neither_met_nor_missed(capsys):
    Goal(("we",), "they", at_least=5).judge({"we": 1.0})
    assert capsys.readouterr().out.strip() == "goal: we against they: not measured, without they"


def test_the_summary_counts_and_repeats_what_was_missed(capsys, monkeypatch):
    monkeypatch.setattr(timing, "verdicts", [])
    timing.goal("speed", 3.0, at_least=2.0)
    timing.goal("size", 3.0, at_most=2.0)
    timing.unmeasured("beauty", "an eye")
    capsys.readouterr()
    timing.summary()
    assert (
        capsys.readouterr().out
        == "\n3 goals: 1 met, 1 missed, 1 not measured\n  goal: size ≤ 2×: 3×, MISSED\n"
    )


def test_a_fixed_cost_is_not_counted(monkeypatch):
    monkeypatch.setattr(benchmark_contest, "steps_for", lambda *given: 4)
    monkeypatch.setattr(
        benchmark_contest,
        "interleaved",
        lambda calls, pace: {name: 5.0 + call() for name, call in calls.items()},
    )
    contest = Contest("a cost of 5 and 2 a step", "ms")
    contest.peer("with", fixed_cost=True)(lambda: lambda n: 2.0 * n)
    contest.peer("without")(lambda: lambda n: 2.0 * n - 5.0)
    assert contest.measure(contest.build(), timing.QUICK) == {"with": 2.0, "without": 2.0}


def test_a_checkout_against_itself_computes_the_same(capsys, monkeypatch):
    words = ["against", "bodies", "--against", ".", "--backends", "python", "--rounds", "1"]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setattr(against, "calls", lambda *_: 1)
    against.main()
    head, line = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["here", "µs"]
    assert line.split()[:2] == ["bodies", "python"]
    assert len(line.split()) == 8


def test_a_checkout_that_computes_something_else_is_told(capsys):
    class Checkout:
        def __init__(self, result):
            self.result = result

        def ask(self, do, *_):
            return {"sample": [self.result], "seconds": 1.0, "beside": 0.0}

    checkouts = {"here": Checkout(1.0), "there": Checkout(1.001)}
    against.compared(checkouts, "W1", ["python"], 1, 0.1)
    assert "they compute different things: number 0 is 1.001" in capsys.readouterr().out
