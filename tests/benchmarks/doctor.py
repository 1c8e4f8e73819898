"""The gradient doctor: how long `check_gradient` takes to judge a gradient in NumPy, right and broken.

`python -m tests.benchmarks.doctor`
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from scalargrad import GradientError, check_gradient

from .timing import UNHURRIED, Pace, goal, machine

ROWS = 10
LIMITS = {(5, 8, 3): 0.3, (784, 16, 16, 10): 10.0}  # seconds
MISTAKES = ("right", "sign", "left out", "factor")


def problem(sizes: tuple[int, ...]) -> tuple[Callable[..., Any], list[Any], Callable[..., Any]]:
    """A loss of a tanh network in NumPy, its arguments, and its gradient with one of MISTAKES."""
    random = np.random.default_rng(0)
    X, Y = random.standard_normal((ROWS, sizes[0])), random.standard_normal((ROWS, sizes[-1]))
    arguments: list[Any] = []
    for nin, nout in pairwise(sizes):
        arguments += [random.standard_normal((nin, nout)) / nin**0.5, np.zeros(nout)]

    def outputs(arguments: Any) -> list[Any]:
        found = [X]
        for W, b in zip(arguments[::2], arguments[1::2]):
            z = found[-1] @ W + b
            found.append(z if W is arguments[-2] else np.tanh(z))
        return found

    def loss(*arguments: Any) -> Any:
        return np.sum((outputs(arguments)[-1] - Y) ** 2) / ROWS

    def gradient(mistake: str) -> list[Any]:
        *inputs, last = outputs(arguments)
        delta, found = 2 * (last - Y) / ROWS, []
        for k in reversed(range(len(inputs))):
            found = [inputs[k].T @ delta, delta.sum(axis=0), *found]
            delta = delta @ arguments[2 * k].T
            if mistake != "left out" or k > 1:
                delta = delta * (1 - inputs[k] ** 2)
        if mistake in ("sign", "factor"):
            found[0] = found[0] * (-1 if mistake == "sign" else ROWS)
        return found

    return loss, arguments, gradient


def main(pace: Pace = UNHURRIED) -> None:
    print(f"\ncheck_gradient of a gradient in NumPy, {ROWS} rows: the least of {pace.rounds} runs")
    print(f"  {'network':16}{'parameters':>12}{'mistake':>12}{'CPU s':>10}{'wall s':>10}")
    for sizes, limit in LIMITS.items():
        loss, arguments, gradient = problem(sizes)
        worst = 0.0
        for mistake in MISTAKES:
            given, times = gradient(mistake), []
            for _ in range(pace.rounds):
                start, wall = time.process_time(), time.perf_counter()
                kind = examined(loss, arguments, given)
                times.append((time.process_time() - start, time.perf_counter() - wall))
                assert kind == mistake, kind
                if sum(wall for _, wall in times) > pace.patience * limit:
                    break
            cpu, wall = map(min, zip(*times))
            worst = max(worst, cpu)
            count = sum(x.size for x in arguments)
            print(
                f"  {'-'.join(map(str, sizes)):16}{count:12,}{mistake:>12}{cpu:10.3f}{wall:10.3f}"
            )
        goal(f"{'-'.join(map(str, sizes))} on {ROWS} rows", worst, at_most=limit, unit=" s")


def examined(loss: Callable[..., Any], arguments: list[Any], given: list[Any]) -> str:
    """The diagnosis of the first argument's gradient."""
    try:
        found = check_gradient(loss, *arguments, wrt=tuple(range(len(arguments))), given=given)
    except GradientError as error:
        found = error
    return next(iter(found.diagnosis.values())).kind


if __name__ == "__main__":
    print(machine())
    main()
