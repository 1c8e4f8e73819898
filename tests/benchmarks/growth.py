"""Time against the size of a graph, 10² to 10⁶ operations: value and gradient, and what it takes to compile, as tables and as SVG.

`python -m tests.benchmarks growth --plot growth.svg`

A regular graph, a network k-k-k-1 of tanh on one row, and an irregular one, in which each number is sin(a·b + c)
of three drawn from the latest fifty. A dot product of n counts as 2n operations.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from scalargrad import MLP, Value, sin

from .contest import BACKENDS, EAGER, scalargrad_compile
from .timing import QUICK, UNHURRIED, Pace, goal, unmeasured

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
PATIENCE = 60.0  # CPU seconds; what should take longer to compile is left out
PLOT = Path("growth.svg")
MOST_IRREGULAR = 1_000  # operations without a pattern that are made machine code of: beyond, that takes minutes


@dataclass(frozen=True)
class Graph:
    """How many operations, a function, its arguments, and a function that walks it eagerly."""

    operations: int
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    walk: Callable[[], None]


def network(size: int) -> Graph:
    k = max(2, round((size / 4) ** 0.5))
    model = MLP(k, [k, k, 1], activation="tanh", seed=0)
    x = [random.Random(0).uniform(-1, 1) for _ in range(k)]

    def walk() -> None:
        for p in parameters:
            p.grad = 0.0
        model(x).backward()

    parameters = model.parameters()
    return Graph(2 * (2 * k * k + k) + 2 * k, lambda model, x: model(x), (model.state(), x), walk)


def irregular(size: int) -> Graph:
    rng = random.Random(0)
    begin = [rng.uniform(-1, 1) for _ in range(50)]
    drawn = [(rng.randrange(i, i + 50), rng.randrange(i, i + 50), rng.randrange(i, i + 50)) for i in range(size // 3)]

    def function(begin: Any) -> Any:
        made = list(begin)
        for i, j, k in drawn:
            made.append(sin(made[i] * made[j] + made[k]))
        return made[-1]

    return Graph(3 * (size // 3), function, (begin,), lambda: function([Value(number) for number in begin]).backward())


Curve = dict[int, float]  # seconds by number of operations


@dataclass
class Curves:
    """Of one kind of graph, by row: seconds of a call, and what the first call takes more, for tracing and compiling."""

    call: dict[str, Curve] = field(default_factory=dict)
    compiling: dict[str, Curve] = field(default_factory=dict)


def seconds_of(run: Callable[[], object], times: int = 1) -> float:
    """The CPU seconds of one call, the mean over so many."""
    gc.collect()
    start = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - start) / times


def measured(build: Callable[[int], Graph], sizes: tuple[int, ...], pace: Pace) -> Curves:
    """Each row at each size, but for the backends that would be expected to compile beyond patience."""
    curves = Curves()
    for size in sizes:
        graph = build(size)
        runs: dict[str, Callable[[], object]] = {EAGER: graph.walk}
        without = [name for name, curve in curves.compiling.items() if 10 * max(curve.values()) > PATIENCE]
        if build is irregular and size > MOST_IRREGULAR:
            without.append(BACKENDS["native"])
        for name, run in compiled(graph, without):
            first, second = seconds_of(run), seconds_of(run)
            curves.compiling.setdefault(name, {})[graph.operations] = max(first - second, 0.0)
            runs[name] = run
        for name, run in runs.items():
            times = max(1, int(pace.block / max(seconds_of(run), 1e-6)))
            curves.call.setdefault(name, {})[graph.operations] = statistics.median(
                seconds_of(run, times) for _ in range(min(pace.rounds, 3))
            )
    return curves


def compiled(graph: Graph, without: Collection[str]) -> Iterator[tuple[str, Callable[[], object]]]:
    """A function that takes value and gradient for each backend that is here."""
    for backend, name in BACKENDS.items():
        if backend == "auto" or name in without:
            continue
        try:
            f = scalargrad_compile()(graph.function, backend=backend)
        except ImportError as error:
            print(f"  {name}: not here ({error})")
            continue
        yield name, partial(f.value_and_grad, *graph.arguments)


def print_table(title: str, unit: float, curves: Mapping[str, Curve]) -> None:
    """A line for each row, a column for each size."""
    sizes = sorted({size for curve in curves.values() for size in curve})
    print(f"\n{title}")
    print(f"  {'operations':24}" + "".join(f"{size:>12,}" for size in sizes))
    for name, curve in curves.items():
        print(f"  {name:24}" + "".join(f"{curve[size] / size / unit:12.4g}" if size in curve else f"{'–':>12}" for size in sizes))


def judge(kind: str, compiling: Mapping[str, Curve]) -> None:
    """At most 5 µs an operation, and no more of them at the largest size than at a tenth and a hundredth of it."""
    for name in (BACKENDS["python"], BACKENDS["numpy"]):
        curve = {size: seconds / size * 1e6 for size, seconds in compiling.get(name, {}).items() if size > 500}
        if not curve:
            unmeasured(f"{kind}, {name}, tracing and compiling", name)
            continue
        *smaller, largest = (curve[size] for size in sorted(curve))
        goal(f"{kind}, {name}, tracing and compiling {max(curve):,} operations, each", largest, at_most=5, unit=" µs")
        if smaller:
            goal(f"{kind}, {name}, an operation of {max(curve):,} over one of fewer", largest / min(smaller), at_most=1.5)


def plot(kinds: Mapping[str, Curves], path: Path) -> None:
    """Save all curves as SVG."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, len(kinds), figsize=(6 * len(kinds), 8), sharex=True, sharey="row", layout="constrained", squeeze=False)
    for column, (kind, curves) in enumerate(kinds.items()):
        for row, (title, by_name) in enumerate((("value and gradient", curves.call), ("tracing and compiling", curves.compiling))):
            ax = axes[row][column]
            for i, name in enumerate((EAGER, *BACKENDS.values())):  # one colour and mark for one row, in all panels
                if curve := by_name.get(name):
                    ax.loglog([*curve], [*curve.values()], "osD^v"[i] + "-", color=f"C{i}", label=name)
            ax.set_title(f"{kind}: {title}")
            ax.set_ylabel("seconds")
            ax.grid(alpha=0.3)
            ax.legend()
            if row == 1:
                ax.set_xlabel("operations in the graph")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    print(f"\nplotted: {path}")


def main(pace: Pace = UNHURRIED, path: Path = PLOT) -> None:
    sizes = SIZES[:3] if pace == QUICK else SIZES
    kinds = {"network": measured(network, sizes, pace), "irregular graph": measured(irregular, sizes, pace)}
    for kind, curves in kinds.items():
        print_table(f"growth, {kind}: value and gradient, ns an operation", 1e-9, curves.call)
        if curves.compiling:
            print_table(f"growth, {kind}: tracing and compiling, µs an operation", 1e-6, curves.compiling)
        judge(kind, curves.compiling)
    try:
        plot(kinds, path)
    except ImportError as error:
        print(f"\nno plot: {error}")
