"""Compiled functions against Values to the bit, on numbers that are hard, and graphs at random."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

from scalargrad import Value, compile, functions
from scalargrad.compiler.emitters.python import function_source
from scalargrad.compiler.program import Block, Constant, Program, sharing
from scalargrad.rows.text import run
from tests import programs, random_graphs
from tests.random_graphs import bits

inf, nan = math.inf, math.nan
REDUCTIONS = "mean", "sum", None
HARD = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    0.5,
    inf,
    -inf,
    nan,
    1e200,
    1.7e308,
    -1e-300,
    -1e-310,
    5e-324,
    710.0,
    -745.2,
    800.0,
    -40.0,
)


def same(got: Sequence[float], expected: Sequence[float]) -> bool:
    """Equal to the bit, but for the sign of a zero, which means nothing in a slope."""
    return bits([x + 0.0 for x in got]) == bits([x + 0.0 for x in expected])


def eager(fn: Any, numbers: Sequence[float]) -> tuple[float, list[float]]:
    """The value and the slopes by Values."""
    values = [Value(x) for x in numbers]
    root = fn(values)
    if not isinstance(root, Value):
        return float(root), [0.0] * len(values)
    root.backward()
    return root.data, [value.grad for value in values]


def compiled(fn: Any, **options: Any) -> Any:
    return compile(fn, backend="python", **options)


def assert_as_eager(fn: Any, *points: Sequence[float]) -> None:
    """The compiled function of a list has the bits of the eager one at each point."""
    made = compiled(fn)
    for point in points:
        value, slopes = eager(fn, point)
        got, gradient = made.value_and_grad(list(point))
        assert bits([got, made(list(point))]) == bits([value, value]), made.source(list(point))
        assert same(gradient, slopes), (point, gradient, slopes, made.source(list(point)))


def of_list(program: programs.Program) -> Any:
    return lambda xs: programs.run(
        program, xs, lambda row, operands: getattr(functions, row)(*operands)
    )[-1]


def at_random(seed: int, count: int) -> Iterator[tuple[Any, list[Sequence[float]]]]:
    rng = random.Random(seed)
    for number in range(count):
        program = random_graphs.graph(seed, number)
        yield (
            of_list(program),
            [
                program.leaves,
                [rng.choice(HARD) for _ in program.leaves],
                [rng.choice(HARD) for _ in program.leaves],
            ],
        )


def traced_function(fn: Any, point: Sequence[float], total: bool) -> Any:
    """The generated function of the value and the gradient, raw or total."""
    program = traced_program(fn, len(point))
    pieces, names = function_source(program, "made", "value_and_grad", None, total)
    for piece in pieces:
        run(piece, "<test>", names)
    return names["made"]


def traced_program(fn: Any, count: int) -> Program:
    """A function of a list of numbers as a program."""
    from scalargrad.compiler.program import frozen
    from scalargrad.compiler.tracing import Traced, add_methods

    add_methods()
    block = Block("xs", (count,), wrt=True)
    nodes = [Traced() for _ in block.inputs]
    return sharing(
        Program(
            [block],
            frozen(
                [fn(nodes)],
                zip(nodes, block.inputs, strict=True),
                lambda value: Constant(value.data),
            ),
        )
    )
