"""A few set-ups of `fit`, always others; all of them by `python -m tests.nn.setups`."""

from __future__ import annotations

import random

import pytest

from . import setups


@pytest.mark.parametrize("backend", ["python", "numpy", "auto"])
def test_a_compiled_fit_ends_where_one_on_values_ends(backend: str) -> None:
    for i in random.sample(range(1000), 4):
        assert not setups.check(i, [backend]), f"python -m tests.nn.setups --only {i}"


def test_a_fit_that_ends_elsewhere_is_found() -> None:
    wanted = [1.0, 100.0, 0.0]
    assert setups.problem(wanted, wanted) == ""
    assert setups.problem(wanted, [1.0, 100.0 + 2e-8, 0.0]).startswith("number 1 of 3")
    assert setups.problem(wanted, [1.0, 100.0, float("nan")]).startswith("number 2 of 3")
    assert setups.problem(wanted, wanted[:2]) == "2 numbers in place of 3"
