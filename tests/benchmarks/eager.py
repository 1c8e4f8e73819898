"""Eager scalargrad against micrograd and a slots Value: networks, a long chain, memory.

`python -m tests.benchmarks.eager`
"""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from scalargrad import Value, dot

from .peers import SlotsValue, neuron
from .timing import UNHURRIED, Pace, goal, interleaved, machine, table, with_deep_stack

try:
    from micrograd.engine import Value as MicrogradValue
except ImportError:
    MicrogradValue = None

PEERS: dict[str, Any] = {"scalargrad": Value, "slots Value": SlotsValue}
if MicrogradValue is not None:
    PEERS["micrograd 0.1.0"] = MicrogradValue
FUSED = "scalargrad, dot nodes"


def network(
    cls: Any, sizes: tuple[int, ...], rows: int, fused: bool = False, wrap: bool = False
) -> tuple[Callable[[], Any], list[Any], int]:
    """A function for a relu network's output summed over rows; its parameters; its size in * and +.

    `wrap` makes the inputs Values as well.
    """
    rng = random.Random(1)
    layers = []
    for nin, nout in pairwise(sizes):
        layers.append(
            [
                (tuple(cls(rng.uniform(-1, 1)) for _ in range(nin)), cls(rng.uniform(-1, 1)))
                for _ in range(nout)
            ]
        )
    data: list[list[Any]] = [[rng.uniform(-1, 1) for _ in range(sizes[0])] for _ in range(rows)]
    if wrap:
        data = [[cls(number) for number in row] for row in data]
    weigh = dot if fused else neuron

    def run() -> Any:
        total = None
        for x in data:
            h: list[Any] = x
            for layer in layers:
                h = [weigh(w, h, b).relu() for w, b in layer]
            for out in h:
                total = out if total is None else total + out
        return total

    operations = (
        rows * sum((2 * nin + 1) * nout for nin, nout in pairwise(sizes)) + rows * sizes[-1] - 1
    )
    return run, [p for layer in layers for w, b in layer for p in (*w, b)], operations


def chain(cls: Any, operations: int) -> tuple[Callable[[], Any], list[Any], int]:
    """y ← y·b + a, over and over."""
    a, b = cls(0.3), cls(0.5)

    def run() -> Any:
        y = a
        for _ in range(operations // 2):
            y = y * b + a
        return y

    return run, [a, b], operations


def step(run: Callable[[], Any], parameters: list[Any]) -> Callable[[], None]:
    """Forward, backward, gradients set to 0: what a training step does besides the update."""

    def forward_and_backward() -> None:
        run().backward()
        for p in parameters:
            p.grad = 0.0

    return forward_and_backward


def results_of(run: Callable[[], Any], parameters: list[Any]) -> tuple[float, list[float]]:
    """The root's value and the gradients of the parameters, which are set back to 0."""
    root = run()
    root.backward()
    gradients = [p.grad for p in parameters]
    for p in parameters:
        p.grad = 0.0
    return root.data, gradients


def check_equal(results: dict[str, tuple[float, list[float]]]) -> None:
    """All must give the same value and gradients, to 1e-9."""
    value, gradients = results["scalargrad"]
    for name, (other, others) in results.items():
        worst = max(
            abs(g - h) / (1 + abs(g))
            for g, h in zip((value, *gradients), (other, *others), strict=True)
        )
        if worst > 1e-9:
            raise SystemExit(f"{name} computes something else: off by {worst}")


def compare(
    title: str,
    build: Callable[..., Any],
    *,
    fused: bool,
    goals: list[tuple[str, str, str, float]],
    pace: Pace,
) -> None:
    """Print the table of one workload, and its goals: (text, theirs, ours, at least)."""
    built = {name: build(cls) for name, cls in PEERS.items()}
    if fused:
        built[FUSED] = build(Value, fused=True)
    operations = built["scalargrad"][2]
    steps = {name: step(run, parameters) for name, (run, parameters, _) in built.items()}
    check_equal({name: results_of(run, parameters) for name, (run, parameters, _) in built.items()})
    seconds = interleaved(steps, pace)
    table(
        f"{title}: {operations:,} operations, forward + backward",
        "ns/operation",
        seconds,
        1e9 / operations,
        "scalargrad",
    )
    for text, theirs, ours, at_least in goals:
        if theirs in seconds:
            goal(text, seconds[theirs] / seconds[ours], at_least=at_least)


def bytes_a_node(cls: Any) -> float:
    """The bytes of a node of the chain after forward and backward."""
    run, _, operations = chain(cls, 100_000)
    tracemalloc.start()
    root = run()
    root.backward()
    size = tracemalloc.get_traced_memory()[0] / operations
    tracemalloc.stop()
    return size


def memory() -> None:
    """Print the bytes a node of the chain takes after forward and backward."""
    print("\nmemory: a chain of 100,000 operations, after backward")
    for name, cls in PEERS.items():
        size = bytes_a_node(cls)
        print(f"  {name:44}{size:12.0f} bytes a node")
        if cls is Value:
            goal("bytes a node", size, at_most=150, unit="")


def benchmark(pace: Pace) -> None:
    both = [
        ("ahead of a slots Value", "slots Value", "scalargrad", 2.0),
        ("ahead of micrograd", "micrograd 0.1.0", "scalargrad", 4.0),
    ]
    fused = [
        ("ahead of a slots Value, dot nodes", "slots Value", FUSED, 2.0),
        ("ahead of micrograd, dot nodes", "micrograd 0.1.0", FUSED, 4.0),
    ]

    def small(cls: Any, fused: bool = False) -> Any:
        return network(cls, (8, 16, 1), rows=2, fused=fused)

    def digits(cls: Any, fused: bool = False) -> Any:
        return network(cls, (784, 16, 16, 10), rows=1, fused=fused)

    compare(
        "network 8-16-1 on 2 rows, written with * and +",
        small,
        fused=True,
        goals=both + fused,
        pace=pace.times(2),
    )
    compare("chain y·b + a", lambda cls: chain(cls, 100_000), fused=False, goals=both, pace=pace)
    far = [("ahead of micrograd, dot nodes", "micrograd 0.1.0", FUSED, 100.0)]
    compare("MLP 784-16-16-10, one example", digits, fused=True, goals=far, pace=pace)
    memory()


def main(pace: Pace = UNHURRIED) -> None:
    with_deep_stack(lambda: benchmark(pace))


if __name__ == "__main__":
    print(machine())
    main()
