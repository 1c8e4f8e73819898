"""The generated recorders are copies of `value.record`: the same bits, the same fields, for every operation."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from scalargrad import Value
from scalargrad.ops import LISTS, OPS, Op
from scalargrad.rows.free_functions import function_named
from scalargrad.rows.recorders import Floats, Values
from scalargrad.value import record

from .. import oracle
from ..edges import EDGES
from .test_slopes import RECORDED, name_of

inf, nan = float("inf"), float("nan")
HARD = [0.0, -0.0, 1.0, -2.5, 0.3, inf, -inf, nan, 5e-324, -1e-310, 1e308, -745.2]


def points(op: Op) -> Iterator[tuple[Any, ...]]:
    """Edges, hard numbers and random ones."""
    yield from (edge.operands for edge in EDGES if edge.name == op.name)
    rng = random.Random(op.name)
    yield from (tuple(oracle.draw(rng, op)) for _ in range(20))
    if op.takes_lists:
        lists = [list(pair) for pair in itertools.product(HARD[::2], HARD[1::2])]
        yield from (tuple(xs if name in LISTS else xs[0] for name in op.operands) for xs in lists)
    else:
        numbers = HARD if len(op.operands) < 3 else HARD[::3]
        yield from itertools.product(numbers, repeat=len(op.operands))


def bits(x: float | None) -> bytes | None:
    return None if x is None else b"nan" if x != x else struct.pack("<d", x)


def flat(field: Any) -> list[Any]:
    return [x for item in field for x in flat(item)] if isinstance(field, tuple) else [field]


def fields(node: Value) -> list[Any]:
    """All that a node holds: numbers as bits, Values as what they are, an operation by its name."""
    held = [node._x, *flat(node._y), *flat(node._dx), *flat(node._dy)]
    assert node._operation is not None
    return [
        bits(node.data), bits(node.grad), node.label, node._operation.name, node._operation.is_swapped,
        *[id(x) if isinstance(x, Value) else bits(x) for x in held],
    ]  # fmt: skip


def mixtures(op: Op, numbers: tuple[Any, ...]) -> Iterator[list[Any]]:
    """The operands with Values in place of all numbers, of each one alone, and of the others."""
    count = len(oracle.flat(numbers))
    places = {tuple([True] * count)}
    for i in range(count):
        places |= {tuple(j == i for j in range(count)), tuple(j != i for j in range(count))}
    for chosen in sorted(places - {tuple([False] * count)}):
        made = iter([Value(x) if is_value else x for x, is_value in zip(oracle.flat(numbers), chosen, strict=True)])  # fmt: skip
        yield [tuple(next(made) for _ in x) if isinstance(x, list) else next(made) for x in numbers]


def generated(op: Op, operands: list[Any]) -> Iterator[Value]:
    """The nodes that an operation's function, method and operator make of the operands."""
    yield function_named(op.name)(*operands)
    if op.is_public and not op.takes_lists and isinstance(operands[0], Value):
        yield getattr(operands[0], op.name)(*operands[1:])
    if op.takes_lists and all(isinstance(x, tuple) for x in operands):
        yield function_named(op.name)(*[list(xs) for xs in operands])
        kinds = [{type(x) for x in xs} for xs in operands]
        if all(kind in ({Value}, {float}) for kind in kinds):
            known = [(Values if Value in kind else Floats).of(xs) for kind, xs in zip(kinds, operands, strict=True)]  # fmt: skip
            yield function_named(op.name)(*known)


@pytest.mark.parametrize("op", RECORDED, ids=name_of)
def test_a_recorder_gives_the_bits_and_fields_of_record(op: Op) -> None:
    compared = 0
    for numbers in points(op):
        for operands in mixtures(op, numbers):
            expected = fields(record(op, *operands))
            for node in generated(op, operands):
                assert fields(node) == expected, operands
                compared += 1
    assert compared > 30


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "mod", "pow"])
def test_an_operator_gives_the_bits_and_fields_of_record(name: str) -> None:
    dunder = {"div": "truediv"}.get(name, name)
    for numbers in points(OPS[name]):
        for operands in mixtures(OPS[name], numbers):
            x, y = operands
            expected = fields(record(OPS[name], x, y))
            if isinstance(x, Value):
                assert fields(getattr(x, f"__{dunder}__")(y)) == expected
            else:
                assert fields(getattr(y, f"__r{dunder}__")(x)) == expected


@pytest.mark.parametrize("name", ["neg", "abs"])
def test_an_operator_of_one_gives_the_bits_and_fields_of_record(name: str) -> None:
    for x in HARD:
        value = Value(x)
        assert fields(getattr(value, f"__{name}__")()) == fields(record(OPS[name], value))


@pytest.mark.parametrize("number", [2, True, Fraction(1, 4), 10**400])
def test_a_number_of_any_kind_is_recorded_as_a_float(number: Any) -> None:
    x = Value(3.0)
    as_float = inf if number == 10**400 else float(number)
    for name in ("mul", "pow", "maximum", "hypot"):
        for operands, plain in (((x, number), (x, as_float)), ((number, x), (as_float, x))):
            node = function_named(name)(*operands)
            assert fields(node) == fields(record(OPS[name], *plain))
            assert type(next(p for p in node.parents if p is not x)) is float
