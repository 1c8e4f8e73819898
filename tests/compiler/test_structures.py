"""Functions of random structures, compiled, against Values: each row alone in Python to the bit, and every reduction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from scalargrad import Value, compile
from scalargrad.trees import with_values
from tests.compiler import structured
from tests.compiler.structured import Case, numbers


def on_values(case: Case) -> list[tuple[list[float], list[list[list[float]]]]]:
    """For each row the results, and for each of them the slopes by the numbers of each argument of `wrt`."""
    found = []
    for args in case.rows:
        leaves = [[Value(float(x)) for x in numbers(argument)] for argument in args]
        results = numbers(
            case.fn(
                *[
                    with_values(argument, iter(values))
                    for argument, values in zip(args, leaves, strict=True)
                ]
            )
        )
        slopes = []
        for result in results:
            for value in (x for values in leaves for x in values):
                value.grad = 0.0
            if isinstance(result, Value):
                result.backward()
            slopes.append([[x.grad for x in leaves[i]] for i in chosen(case)])
        found.append(([x.data if isinstance(x, Value) else float(x) for x in results], slopes))
    return found


def chosen(case: Case) -> tuple[int, ...]:
    wrt = case.options["wrt"]
    return wrt if isinstance(wrt, tuple) else (wrt,)


def expected(case: Case) -> list[float]:
    """What a compiled function gives, as a flat list: all results, and then for each its gradients."""
    rows, reduce = on_values(case), case.options["reduce"]
    factor = 1.0 / len(rows) if reduce == "mean" else 1.0
    count = len(rows[0][0])
    if reduce is None:
        values = [results[i] for i in range(count) for results, _ in rows]
    else:
        values = [sum(results[i] for results, _ in rows) * factor for i in range(count)]
    slopes: list[float] = []
    for i in range(count):
        for k, place in enumerate(chosen(case)):
            parts = [row_slopes[i][k] for _, row_slopes in rows]
            if "pqs"[place] in case.options["rows"]:
                slopes += [x * (1.0 if reduce is None else factor) for part in parts for x in part]
            elif reduce is None:
                slopes += by_blocks(case.args[place], parts)
            else:
                slopes += [sum(column) * factor for column in zip(*parts, strict=True)]
    return [*values, *slopes]


def by_blocks(argument: Any, rows: list[list[float]]) -> list[float]:
    """The slopes of each row in the order of a gradient, in which each regular part has its own axis of rows."""
    parts = (
        [*argument.values()]
        if isinstance(argument, dict)
        else argument
        if is_irregular(argument)
        else [argument]
    )
    found, begin = [], 0
    for part in parts:
        size = len(numbers(part))
        found += [x for row in rows for x in row[begin : begin + size]]
        begin += size
    return found


def is_irregular(argument: Any) -> bool:
    return (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], list)
        and not isinstance(argument[1], list)
    )


def got(case: Case, backend: str) -> tuple[list[float], list[float]]:
    """The results alone, and results and gradients, as flat lists."""
    f = compile(case.fn, backend=backend, **case.options)
    alone = f(*case.args)
    values, slopes = (
        f.jacobian(*case.args)
        if isinstance(alone, list) and not is_one(case)
        else f.value_and_grad(*case.args)
    )
    return numbers(alone), [*numbers(values), *numbers(slopes)]


def is_one(case: Case) -> bool:
    return len(on_values(case)[0][0]) == 1


def assert_close(
    case: Case, found: tuple[list[float], list[float]], wanted: list[float], tolerance: float
) -> None:
    alone, everything = found
    assert everything[: len(alone)] == alone
    assert len(everything) == len(wanted), case
    scale = max([1.0, *(abs(x) for x in wanted if math.isfinite(x))])
    np.testing.assert_allclose(everything, wanted, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("seed", range(120))
def test_structures_at_random_are_what_they_are_on_values(seed: int) -> None:
    case = structured.case(seed)
    wanted = expected(case)
    is_exact = len(case.rows) == 1 or case.options["reduce"] is None
    assert_close(case, got(case, "python"), wanted, 1e-15 if is_exact else 1e-12)
    assert_close(case, got(case, "numpy"), wanted, 1e-9)
