"""Random graphs on backends against Values; and what fails is found, and made few."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from .. import random_graphs
from . import graphs
from .graphs import Batch, check_graphs

PLAIN = graphs.BACKENDS["python"]


@pytest.mark.parametrize("backend", ["python", "numpy"])
def test_random_graphs_are_as_on_values(backend: str) -> None:
    check_graphs(backend, 60)


def wrong_where(number: int, change: float) -> Any:
    """A backend that is wrong in one graph."""

    def run(batch: Batch) -> graphs.Numbers:
        total, found = PLAIN(batch)
        for graph, numbers in zip(batch.graphs, found, strict=True):
            if graph.number == number:
                numbers[-1] *= 1.0 + change
        return total, found

    return run


def test_what_is_wrong_is_found_and_made_few(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = partial(random_graphs.graph, 1)
    number = next(
        n for n in range(5, 20) if 1e-3 < graphs.of_program(n, drawn(n)).expected[-1] < 1e3
    )
    monkeypatch.setitem(graphs.BACKENDS, "numpy", wrong_where(number, 1e-6))
    tally = graphs.check(drawn, ["numpy"], range(20))["numpy"]
    ((backend, numbers, reason),) = tally.wrong
    assert (backend, numbers) == ("numpy", [number])
    assert "the slope by x" in reason
    monkeypatch.setitem(graphs.BACKENDS, "numpy", wrong_where(number, 2.5e-16))
    assert not graphs.check(drawn, ["numpy"], range(20))["numpy"].wrong


def test_what_fails_in_company_alone_is_told_with_its_company(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refusing(batch: Batch) -> graphs.Numbers:
        if len(batch.graphs) > 3:
            raise OverflowError("too many")
        return PLAIN(batch)

    monkeypatch.setitem(graphs.BACKENDS, "numpy", refusing)
    found = graphs.check(partial(random_graphs.graph, 1), ["numpy"], range(4))["numpy"].wrong
    assert [each.numbers for each in found] == [[0, 1, 2, 3]]
    assert found[0].reason == "raises OverflowError: too many"


def test_a_sum_that_is_not_that_of_the_graphs_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        graphs.BACKENDS, "numpy", lambda batch: (PLAIN(batch)[0] + 1.0, PLAIN(batch)[1])
    )
    assert (
        "the sum by a plain call"
        in graphs.check(partial(random_graphs.graph, 1), ["numpy"], range(4))["numpy"]
        .wrong[0]
        .reason
    )


def test_the_command_prints_a_table_and_how_to_see_a_failure_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "--backends",
        "python,numpy",
        "--seed",
        "1",
        "--count",
        "6",
        "--batch",
        "3",
        "--jobs",
        "1",
    ]
    monkeypatch.setattr("sys.argv", ["random_graphs", *words])
    monkeypatch.setitem(graphs.BACKENDS, "numpy", wrong_where(4, 1e-3))
    assert random_graphs.main() == 1
    said = capsys.readouterr().out
    assert said.splitlines()[2].split()[:3] == ["python", "6", "0"]
    assert said.splitlines()[3].split()[:3] == ["numpy", "6", "1"]
    assert "python -m tests.random_graphs --seed 1 --backends numpy --only 4" in said
