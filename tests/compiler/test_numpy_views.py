"""Views of arrays: what is read is what the index says, and no number is moved where steps say it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from scalargrad.compiler.dialects.numpy import array_names
from scalargrad.compiler.dialects.numpy_text import lines_of
from scalargrad.compiler.emitters.numpy import Arrays
from scalargrad.compiler.program import Block
from scalargrad.compiler.roll import Numbers, View

FLAT = np.arange(12)
READ: list[tuple[tuple[int, ...], Any, str]] = [  # the shape of x, an index into it, and the text
    ((12,), FLAT, "x"),
    ((12,), FLAT[2:5], "x[2:5]"),
    ((12,), FLAT[1:8:3], "x[1:8:3]"),
    ((12,), FLAT[::-1], "x[11::-1]"),
    ((12,), FLAT.reshape(3, 4), "x.reshape(3, 4)"),
    ((12,), FLAT.reshape(3, 4).T, "x.reshape(3, 4).T"),
    ((12,), np.array([3, 1, 1]), "x.take(k1, -1)"),
    ((3, 4), FLAT.reshape(3, 4), "x"),
    ((3, 4), FLAT.reshape(3, 4).T, "x.T"),
    ((3, 4), FLAT.reshape(3, 4)[1], "x[1]"),
    ((3, 4), FLAT.reshape(3, 4)[:, 2], "x[:, 2]"),
    ((3, 4), FLAT.reshape(3, 4)[1:, ::2], "x[1:3, 0:3:2]"),
    ((2, 3, 2), FLAT.reshape(2, 3, 2).transpose(2, 0, 1), "x.transpose(2, 0, 1)"),
    ((3, 4), np.repeat(FLAT[:3], 2).reshape(3, 2), "spread(x[0, 0:3, None], (3, 2))"),
]


def text_and_value(arrays: Arrays, view: View, shape: Any, given: Any) -> tuple[str, Any]:
    """The text of a view, and its numbers."""
    made, _ = arrays.read(view, shape)
    lines_of([made], arrays.names)
    names = {**array_names(), **arrays.constants, "x": given}
    return made.text, eval(made.text, names)


@pytest.mark.parametrize(
    ("sizes", "index", "text"), READ, ids=lambda x: x if isinstance(x, str) else ""
)
def test_a_view_is_read_as_one_would_write_it(sizes: Any, index: Any, text: str) -> None:
    block, x = Block("x", sizes), np.random.default_rng(0).normal(size=sizes)
    got = text_and_value(Arrays([block]), View((block,), index), index.shape, x)
    assert got[0] == text
    np.testing.assert_array_equal(got[1], x.ravel()[index])


@pytest.mark.parametrize("seed", range(60))
def test_a_view_at_random_is_what_its_index_says(seed: int) -> None:
    rng = random.Random(seed)
    sizes = rng.choice([(24,), (4, 6), (1, 24), (2, 3, 4)])
    whole = np.arange(24).reshape(rng.choice([(24,), (4, 6), (2, 3, 4), (12, 2)]))
    cut = whole[tuple([slice(rng.randrange(n), None, rng.choice([1, 1, 2])) for n in whole.shape])]
    index = cut.transpose(rng.sample(range(cut.ndim), cut.ndim))
    if rng.random() < 0.3:
        index = np.array([rng.randrange(24) for _ in range(index.size)]).reshape(index.shape)
    has_rows = rng.random() < 0.5
    block = Block("x", sizes, has_rows=has_rows)
    x = np.random.default_rng(seed).normal(size=((5,) if has_rows else ()) + sizes)
    flat = x.reshape(5, 24) if has_rows else x.ravel()
    _, got = text_and_value(Arrays([block]), View((block,), index), index.shape, x)
    np.testing.assert_array_equal(got, flat[..., index])


def test_numbers_in_runs() -> None:
    block, x = Block("x", (3, 4)), np.random.default_rng(0).normal(size=(3, 4))
    index = np.array([12, 4, 5, 6, 7, 13])
    text, got = text_and_value(Arrays([block]), View((block, Numbers([7.0, 8.0])), index), (6,), x)
    assert text == "beside(k1, x[1], k2)"
    assert got.tolist() == [7.0, *x[1], 8.0]
