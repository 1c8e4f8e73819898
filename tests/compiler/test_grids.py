"""Ragged lists as whole grids under masks: the same numbers, also where what a mask hides is no number."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import numpy as np
import pytest

from demos.gpt import GPT, surprise, tables
from scalargrad import Value, compile, dot, softmax, where
from scalargrad import sum as total
from scalargrad.compiler.grids import completed, masked
from scalargrad.compiler.on_numpy import NumpyFunction
from scalargrad.compiler.program import Block, Constant, Program, Step
from scalargrad.compiler.roll import Numbers, View, rolled
from scalargrad.compiler.views import meeting
from scalargrad.ops import OPS

POSITIONS, HEADS, SIZE = 5, 2, 3


def attention(qs, ks, vs):
    """Causal attention: for each position and head the weighted sum of the values up to it."""
    heads = [slice(start, start + SIZE) for start in range(0, HEADS * SIZE, SIZE)]
    answers = []
    for t, q in enumerate(qs):
        shares = [softmax([dot(q[head], k[head]) * 0.5 for k in ks[: t + 1]]) for head in heads]
        answers.append(
            [
                dot(shares[i // SIZE], column[: t + 1])
                for i, column in enumerate(zip(*vs, strict=True))
            ]
        )
    return answers


def squares(qs, ks, vs):
    return total(a * a for answer in attention(qs, ks, vs) for a in answer)


def lists(rng, scale=1.0):
    return [[rng.uniform(-scale, scale) for _ in range(HEADS * SIZE)] for _ in range(POSITIONS)]


def eager(function, *arguments):
    """Value and slopes by walking back through Values."""
    values = [[[Value(x) for x in row] for row in part] for part in arguments]
    result = function(*values)
    result.backward()
    return result.data, [[[x.grad for x in row] for row in part] for part in values]


def assert_as_eager(function, arguments, **options):
    f = compile(function, wrt=(0, 1, 2), backend="numpy", **options)
    value, slopes = f.value_and_grad(*arguments)
    expected, grads = eager(function, *arguments)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    for ours, theirs in zip(slopes, grads, strict=True):
        np.testing.assert_allclose(np.array(ours), np.array(theirs), rtol=1e-11, atol=1e-14)
    return f


@pytest.fixture
def only_fast(monkeypatch):
    """The fast function answers, or none."""

    def total(self, *arrays):
        raise AssertionError("the fast function did not answer")

    monkeypatch.setattr(NumpyFunction, "_total", total)


def test_causal_attention_is_matrix_products_under_masks(only_fast):
    rng = random.Random(1)
    arguments = [lists(rng) for _ in range(3)]
    f = assert_as_eager(squares, arguments)
    source = f.source(*arguments)
    assert "scattered(" not in source
    assert " @ " in source


@pytest.mark.parametrize("reduce", ["sum", None])
def test_with_rows_it_is_the_same_for_each(reduce, only_fast):
    rng = random.Random(2)
    rows = [[lists(rng) for _ in range(4)] for _ in range(2)]
    values = lists(rng)  # the same for all rows
    f = compile(squares, wrt=(0, 1, 2), rows=("qs", "ks"), reduce=reduce, backend="numpy")
    ours, slopes = f.value_and_grad(*rows, values)
    each = [eager(squares, *row, values) for row in zip(*rows, strict=True)]
    expected, grads = (
        np.array([value for value, _ in each]),
        [np.array(part) for part in zip(*[grads for _, grads in each], strict=True)],
    )
    if reduce == "sum":
        expected, grads[2] = expected.sum(0), grads[2].sum(0)
    np.testing.assert_allclose(ours, expected, rtol=1e-13)
    for mine, theirs in zip(slopes, grads, strict=True):
        np.testing.assert_allclose(np.array(mine), theirs, rtol=1e-11, atol=1e-14)


def test_a_small_gpt_is_trained_as_on_values():
    alphabet, names = "abc", ["ab", "cabb", "bca"]

    def trained(**choice):
        model = GPT(len(alphabet) + 1, context=5, width=4, heads=2, seed=1)
        history = model.fit(
            *tables(names, alphabet),
            loss=surprise,
            optimizer="adam",
            lr=0.05,
            epochs=20,
            batch_size=2,
            **choice,
        )
        return [p.data for p in model.parameters()] + history.loss

    np.testing.assert_allclose(
        trained(engine="compiled", backend="numpy"), trained(engine="eager"), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_behind_a_mask_stays_there(bad):
    rng = random.Random(3)
    qs, ks, vs = (lists(rng) for _ in range(3))
    vs[-1][0] = bad

    def first(qs, ks, vs):
        answers = attention(qs, ks, vs)
        return total(
            where(a > 0.0, a, -2.0 * a) for answer in answers[:-1] for a in answer
        ) + where(answers[-1][0] > 0.0, 1.0, 2.0)

    assert_as_eager(first, [qs, ks, vs])


def test_a_score_behind_a_mask_may_overflow():
    rng = random.Random(4)
    qs, ks, vs = (lists(rng) for _ in range(3))
    ks[-1] = [
        1e4 * math.copysign(1.0, x) for x in qs[0]
    ]  # far above all that the first position sees
    assert_as_eager(squares, [qs, ks, vs])


def test_a_triangle_of_dots_becomes_a_square_and_its_readers_follow():
    x = Block("x", (4, 2))
    pairs = [x.inputs[i : i + 2] for i in range(0, 8, 2)]
    y = Block("y", (4, 2))
    others = [y.inputs[i : i + 2] for i in range(0, 8, 2)]
    dots = [
        Step(OPS["dot"], (*pairs[i], *others[j], Constant(0.0)))
        for i in range(4)
        for j in range(i + 1)
    ]
    tanhs = [Step(OPS["tanh"], (z,)) for z in dots]
    program = rolled(Program([x, y], tanhs))
    assert [vector.size for vector in program.vectors] == [10, 10]
    grids = completed(program)
    assert [vector.size for vector in grids.vectors] == [16, 16]
    assert [j for _, j in grids.outputs] == [4 * i + j for i in range(4) for j in range(i + 1)]
    assert completed(grids) is grids


def test_a_program_without_triangles_is_left_as_it_is():
    w, x = Block("w", (3, 2)), Block("x", (2,))
    dots = [Step(OPS["dot"], (*w.inputs[i : i + 2], *x.inputs, Constant(0.0))) for i in (0, 2, 4)]
    program = rolled(Program([w, x], dots))
    assert completed(program) is program


def test_lists_that_end_early_are_whole_lists_under_a_mask():
    index = np.arange(16).reshape(4, 4)
    index[np.triu_indices(4, 1)] = 16
    _, read, number, whole = masked(View((Block("x", (16,)), Numbers([-math.inf])), index))
    assert number == -math.inf
    assert (whole == np.arange(16).reshape(4, 4)).all()
    assert (read == (index < 16).ravel()).all()


def test_what_is_read_here_and_not_there_is_under_no_mask():
    index = np.array([[0, 1, 2], [0, 1, 3]])  # the number 2 is read in one list of two
    assert masked(View((Block("x", (3,)), Numbers([0.0])), index)) is None


@pytest.mark.parametrize("is_woven", [True, False])
def test_products_side_by_side_are_found(is_woven):
    groups, outer, inner, items = 2, 3, 4, 5
    left, right = Block("left", (groups, outer, items)), Block("right", (groups, inner, items))
    order = (
        [(g, o) for o in range(outer) for g in range(groups)]
        if is_woven
        else [(g, o) for g in range(groups) for o in range(outer)]
    )

    def part(block, lists, g, i):
        start = (g * lists + i) * items
        return block.inputs[start : start + items]

    dots = [
        Step(OPS["dot"], (*part(left, outer, g, o), *part(right, inner, g, i), Constant(0.0)))
        for g, o in order
        for i in range(inner)
    ]
    (vector,) = rolled(Program([left, right], dots)).vectors
    met = meeting(*vector.operands[:2])
    assert met.shape == ((outer, groups, inner) if is_woven else (groups, outer, inner))
    assert (met.both, met.left, met.right) == (
        ((1,), (0,), (2,)) if is_woven else ((0,), (1,), (2,))
    )


def test_pairs_of_neighbours_are_no_grid():
    x = Block("x", (5, 2))
    pairs = [x.inputs[i : i + 2] for i in range(0, 10, 2)]
    program = rolled(
        Program([x], [Step(OPS["dot"], (*a, *b, Constant(0.0))) for a, b in pairwise(pairs)])
    )
    assert completed(program) is program
    met = meeting(*program.vectors[0].operands[:2])
    assert (met.left, met.right) == ((), ())
