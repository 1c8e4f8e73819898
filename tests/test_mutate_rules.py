"""The command that breaks rules on purpose: its mutants are noticed, by the layers that should, and the engine is mended after each."""

from __future__ import annotations

import linecache
from collections import Counter
from typing import Any

import pytest

import scalargrad
from scalargrad import Value, functions
from scalargrad.ops import OPS
from scalargrad.rows import slopes
from scalargrad.rows import text as rows_text

from . import mutate_rules
from .mutants import KINDS, Mutant, all_mutants, broken, changed
from .mutate_rules import EQUIVALENT, judged, reason, summary

MUTANTS = {mutant.name: mutant for mutant in all_mutants()}
BY_RULE = ["differences", "random graphs", "ulp oracle", "edges", "slopes of slopes"]


def state() -> list[dict[Any, Any]]:
    """All that a broken rule could leave its mark in, object for object."""
    tables: list[Any] = [
        vars(Value),
        vars(functions),
        vars(scalargrad),
        OPS,
        rows_text._on_floats,
        slopes._functions_of,
        linecache.cache,
    ]
    return [dict(table) for table in tables]


def test_mutants_have_names_of_their_own_and_differ_from_the_rule() -> None:
    assert len(MUTANTS) == len(all_mutants())
    for mutant in MUTANTS.values():
        if mutant.op:
            sound = OPS[mutant.op_name]
            assert (mutant.op.value, mutant.op.slopes, mutant.op.work) != (
                sound.value,
                sound.slopes,
                sound.work,
            )


def test_every_rule_is_broken_in_every_way_that_applies() -> None:
    for op in OPS.values():
        kinds = {mutant.kind for mutant in MUTANTS.values() if mutant.op_name == op.name}
        if op.slopes and op.name != "sign":  # its slope is 0 or nan
            assert {"sign", "factor", "0.1 %", "1e-6"} <= kinds
    assert {mutant.kind for mutant in MUTANTS.values()} == set(KINDS)


@pytest.mark.parametrize(
    "name",
    [
        ("tanh", "dx", "sign"),
        ("_sigmoid_slope", "out", "factor"),
        ("clip", "dx", "factor"),
        ("dot", "dws", "sign"),
    ],
)
def test_a_broken_rule_is_felt_and_then_mended_object_for_object(
    name: tuple[str, str, str],
) -> None:
    def slope() -> list[float]:
        x = Value(0.5)
        (
            x.tanh() + functions.tanh(x) * 1.0 + x.clip(0.0, 1.0) + functions.dot([x], [3.0])
        ).backward()
        return [x.grad, functions.tanh(0.5)]

    sound = slope()
    before = state()
    with broken(MUTANTS[name]):
        assert slope()[0] != sound[0]
        assert slope()[1] == sound[1]
    after = state()
    for old, new in zip(before, after, strict=True):
        assert old.keys() == new.keys()
        assert all(old[key] is new[key] for key in old)
    assert slope() == sound


def test_a_broken_walk_is_felt_and_then_mended_even_if_something_is_raised() -> None:
    walk, doubled = (
        Value.backward,
        next(m for m in MUTANTS.values() if m.part.endswith("self.grad += 2.0")),
    )
    x = Value(3.0)
    with pytest.raises(TypeError), broken(doubled):
        float((x * 1.0).backward())  # type: ignore[arg-type,func-returns-value]
    assert Value.backward is walk
    assert x.grad == 2.0


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        (("tanh", "dx", "sign"), [*BY_RULE]),
        (("tanh", "dx", "0.1 %"), BY_RULE[1:]),  # differences do not see it
        (("tanh", "dx", "1e-6"), BY_RULE[1:]),
        (("tanh", "dx", "twin"), BY_RULE[2:4]),  # where the textbook loses all digits
        (("div", "dx↔dy", "swapped"), [*BY_RULE]),
        (("log", "dx 3", "constant"), ["edges"]),
        (("_sigmoid_slope", "dx", "sign"), ["slopes of slopes"]),
        (("sum", "dxs", "swapped"), []),
    ],
)
def test_the_layers_that_should_notice_do(name: tuple[str, str, str], layers: list[str]) -> None:
    ((_, noticed),) = judged([MUTANTS[name]], jobs=1)
    assert set(noticed) >= set(layers) if layers else not noticed
    if layers == BY_RULE[1:]:
        assert "differences" not in noticed


@pytest.mark.parametrize(
    "text",
    [
        "operand.grad = partial * slope",
        "x.grad = node._dx * slope",
        "pass",
        "if True:",
        "for node in order",
    ],
)
def test_a_broken_walk_is_noticed(text: str) -> None:
    mutants = [
        m for m in MUTANTS.values() if m.kind == "walk" and m.part.split(maxsplit=2)[2] == text
    ]
    assert mutants
    for _, noticed in judged(mutants, jobs=1):
        assert noticed


def test_mutants_sent_to_other_processes_are_still_broken() -> None:
    mutants = [MUTANTS["exp", "dx", kind] for kind in ("sign", "factor")]
    assert all("differences" in noticed for _, noticed in judged(mutants, jobs=2))


def test_a_rule_that_is_no_arithmetic_is_not_counted_as_noticed() -> None:
    nonsense = Mutant(
        "exp", "dx", "sign", "undefined * out", changed(OPS["exp"], "dx", "undefined * out")
    )
    with pytest.raises(NameError):
        list(judged([nonsense], jobs=1))


def test_survivors_that_are_called_equivalent_are_mutants_with_a_reason() -> None:
    reasons = Counter(reason(mutant) for mutant in MUTANTS.values())
    assert set(EQUIVALENT) <= set(reasons)
    assert all(EQUIVALENT.values())


def test_an_unknown_survivor_and_a_known_one_that_is_noticed_are_errors(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sound, known = MUTANTS["exp", "dx", "sign"], MUTANTS["sum", "dxs", "swapped"]
    assert summary({sound: ("edges",), known: ()}, 0.0) == 0
    assert "all slopes are 1" in capsys.readouterr().out
    assert summary({sound: (), known: ()}, 0.0) == 1
    assert "exp dx sign survives" in capsys.readouterr().out
    assert summary({known: ("edges",)}, 0.0) == 1
    assert "is called equivalent, but is noticed" in capsys.readouterr().out


def test_the_command_prints_a_line_for_each_rule(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["mutate_rules", "--op", "neg", "--jobs", "1"])
    assert mutate_rules.main() == 0
    printed = capsys.readouterr().out
    assert "neg             dx                  1235      1235       235       235" in printed
    assert "4 mutants" in printed
