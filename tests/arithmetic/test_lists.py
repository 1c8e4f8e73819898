"""Functions of many floats, against sums and products written out."""

from __future__ import annotations

import math
import random

import pytest

from scalargrad.arithmetic import lists

from ..edges import nan


def test_sum_is_plain_on_every_python() -> None:
    rng = random.Random(4)
    xs = [rng.uniform(-1, 1) * 10.0 ** rng.randint(-8, 8) for _ in range(500)]
    total = 0.0
    for x in xs:
        total = total + x
    assert lists.add_up(xs) == total
    assert lists.add_up([1e16, 1.0, -1e16]) == 0.0


def test_products_of_others_are_the_products_of_the_others() -> None:
    assert lists.products_of_others([2.0, 3.0, 5.0, 7.0]) == [105.0, 70.0, 42.0, 30.0]
    assert lists.products_of_others([0.0, 3.0, 0.0]) == [0.0, 0.0, 0.0]
    assert (lists.products_of_others([4.0]), lists.products_of_others([])) == ([1.0], [])


def test_ties_share_and_nan_has_no_largest() -> None:
    assert lists.tie_shares([1.0, 3.0, 3.0, 3.0, 2.0], 3.0) == [0.0, 1 / 3, 1 / 3, 1 / 3, 0.0]
    assert all(map(math.isnan, lists.tie_shares([1.0, nan], nan)))
    assert math.isnan(lists.largest([1.0, nan]))
    assert math.isnan(lists.smallest([nan, 1.0]))
    for function in (lists.largest, lists.smallest):
        with pytest.raises(ValueError, match="at least one"):
            function([])


def test_lists_of_unlike_lengths_are_refused_with_their_lengths() -> None:
    with pytest.raises(ValueError, match="got 2 and 3"):
        lists.add_up_products([1.0, 2.0], [1.0, 2.0, 3.0])
