"""Functions of random structures, compiled, against Values: each row alone in Python to the bit, and every reduction."""

from __future__ import annotations

import random

import pytest

from .. import structured_programs
from ..structured_programs import KINDS, check
from .graphs import missing

COUNTS = {"python": 60, "numpy": 60, "native": 4, "c": 3, "javascript": 4}


@pytest.mark.parametrize("backend", COUNTS)
def test_structures_at_random_are_what_they_are_on_values(backend: str) -> None:
    if lacks := missing(backend):
        pytest.skip(lacks)
    first = random.randrange(10**6)
    wrong = check([*KINDS], [backend], range(first, first + COUNTS[backend]))[backend].wrong
    again = f"python -m tests.structured_programs --backends {backend} --only "
    assert not wrong, [f"{x.reason}: {again}{x.numbers[0]}" for x in wrong[:5]]


def test_a_number_that_is_off_is_found() -> None:
    wanted = [1.0, 2.0, 3.0]
    assert structured_programs.problem(([1.0], wanted), wanted, 1e-9) == (0.0, "")
    _, reason = structured_programs.problem(([1.0], [1.0, 2.0, 3.0 + 1e-7]), wanted, 1e-9)
    assert reason.startswith("number 2 with slopes is 3.0000001")
    assert structured_programs.problem(([1.1], wanted), wanted, 1e-9)[1].startswith(
        "number 0 alone"
    )
    assert "2 numbers" in structured_programs.problem(([1.0], wanted[:2]), wanted, 1e-9)[1]
