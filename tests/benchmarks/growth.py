"""Time against the size of a graph, 10² to 10⁶ operations, as tables and as SVG.

`python -m tests.benchmarks growth --plot growth.svg`

Measured are value and gradient, and the time to compile them. The regular graph is a network
k-k-k-1 of tanh on one row. In the irregular one each number is sin(a·b + c) of three drawn from the
latest fifty. A dot product of n counts as 2n operations. Beside the time of tracing and compiling
stands the time that CPython's own `compile` of the text takes: no generated source is ready sooner.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from scalargrad import MLP, Value, sin
from scalargrad.rows import text as rows_text

from .contest import BACKENDS, EAGER, scalargrad_compile
from .timing import QUICK, UNHURRIED, Pace, goal, unmeasured

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
PATIENCE = 60.0  # CPU seconds; what should take longer to compile is left out
PLOT = Path("growth.svg")


@dataclass(frozen=True)
class Graph:
    """A number of operations, a function, its arguments, and a function that walks it eagerly."""

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
    drawn = [
        (rng.randrange(i, i + 50), rng.randrange(i, i + 50), rng.randrange(i, i + 50))
        for i in range(size // 3)
    ]

    def function(begin: Any) -> Any:
        made = list(begin)
        for i, j, k in drawn:
            made.append(sin(made[i] * made[j] + made[k]))
        return made[-1]

    return Graph(
        3 * (size // 3),
        function,
        (begin,),
        lambda: function([Value(number) for number in begin]).backward(),
    )


Curve = dict[int, float]  # seconds by number of operations
VALUE, BOTH = "value", "value and gradient"
FLOOR = "of it CPython's compile"


@dataclass
class Curves:
    """The seconds of one kind of graph, by row.

    Of a call; of the first call beyond that; and Python's compiler's part in these.
    """

    call: dict[str, Curve] = field(default_factory=dict)
    compiling: dict[str, Curve] = field(default_factory=dict)
    floor: dict[str, Curve] = field(default_factory=dict)


def seconds_of(run: Callable[[], object], times: int = 1) -> float:
    """The CPU seconds of one call, the mean over so many."""
    gc.collect()
    start = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - start) / times


@contextmanager
def compiler_watched() -> Iterator[list[float]]:
    """Note the CPU seconds of each call of Python's `compile` for generated source."""
    seconds: list[float] = []

    def watched(*arguments: Any) -> Any:
        start = time.process_time()
        code = compile(*arguments)
        seconds.append(time.process_time() - start)
        return code

    rows_text.compile = watched  # type: ignore[attr-defined]
    try:
        yield seconds
    finally:
        del rows_text.compile  # type: ignore[attr-defined]


def measured(
    kind: str, build: Callable[[int], Graph], sizes: tuple[int, ...], pace: Pace
) -> Curves:
    """Each row at each size, but for backends that are expected to compile beyond patience."""
    curves = Curves()
    for size in sizes:
        graph = build(size)
        runs: dict[str, Callable[[], object]] = {EAGER: graph.walk}
        for backend, name in BACKENDS.items():
            if backend == "auto":
                continue
            before = [
                curve[max(curve)] / max(curve)
                for row, curve in curves.compiling.items()
                if row.startswith(name)
            ]
            if before and max(before) * graph.operations > PATIENCE:
                print(
                    f"  {kind}, {name}: {graph.operations:,} operations left out, "
                    f"they would take more than {PATIENCE:.0f} s to compile"
                )
            else:
                runs |= compiled(graph, backend, name, curves)
        for name, run in runs.items():
            times = max(1, int(pace.block / max(seconds_of(run), 1e-6)))
            curves.call.setdefault(name, {})[graph.operations] = statistics.median(
                seconds_of(run, times) for _ in range(min(pace.rounds, 3))
            )
    return curves


def compiled(
    graph: Graph, backend: str, name: str, curves: Curves
) -> dict[str, Callable[[], object]]:
    """A function that takes value and gradient; the time of its making goes into the curves."""
    run: Callable[[], object] = graph.walk
    for what in (BOTH,) if backend == "native" else (VALUE, BOTH):
        try:
            f = scalargrad_compile()(graph.function, backend=backend)
        except ImportError as error:
            print(f"  {name}: not here ({error})")
            return {}
        run = partial(f if what == VALUE else f.value_and_grad, *graph.arguments)
        with compiler_watched() as compiler:
            first = seconds_of(run)
        row = f"{name}, {what}"
        curves.compiling.setdefault(row, {})[graph.operations] = max(first - seconds_of(run), 0.0)
        curves.floor.setdefault(row, {})[graph.operations] = sum(compiler)
    return {name: run}


def print_table(
    title: str, unit: float, curves: Mapping[str, Curve], floor: Mapping[str, Curve] | None = None
) -> None:
    """A line for each row, a column for each size; below each what is `of it`."""
    sizes = sorted({size for curve in curves.values() for size in curve})
    print(f"\n{title}")
    print(f"  {'operations':44}" + "".join(f"{size:>12,}" for size in sizes))
    for name, curve in curves.items():
        for text, line in ((name, curve), (f"    {FLOOR}", (floor or {}).get(name, {}))):
            if line:
                cells = [
                    f"{line[size] / size / unit:12.4g}" if size in line else f"{'–':>12}"
                    for size in sizes
                ]
                print(f"  {text:44}" + "".join(cells))


def judge(kind: str, curves: Curves) -> None:
    """At most 5 µs an operation, and no more at the largest size than at a tenth or hundredth."""
    for name in (BACKENDS["python"], BACKENDS["numpy"]):
        for row in (f"{name}, {VALUE}", f"{name}, {BOTH}"):
            each = {
                size: seconds / size * 1e6
                for size, seconds in curves.compiling.get(row, {}).items()
                if size > 500
            }
            if not each:
                unmeasured(f"{kind}, {row}: tracing and compiling", name)
                continue
            *smaller, largest = sorted(each)
            text = f"{kind}, {row}: tracing and compiling, an operation of {largest:,}"
            goal(
                f"{text} (CPython's compile: {curves.floor[row][largest] / largest * 1e6:.2g})",
                each[largest],
                at_most=5,
                unit=" µs",
            )
            if smaller:
                least = min(each[size] for size in smaller)
                goal(
                    f"{kind}, {row}: an operation of {largest:,} over one of fewer",
                    each[largest] / least,
                    at_most=1.5,
                )


def plot(kinds: Mapping[str, Curves], path: Path) -> None:
    """Save all curves as SVG."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        2,
        len(kinds),
        figsize=(6 * len(kinds), 8),
        sharex=True,
        sharey="row",
        layout="constrained",
        squeeze=False,
    )
    for column, (kind, curves) in enumerate(kinds.items()):
        for row, (title, by_name) in enumerate(
            ((BOTH, curves.call), (f"tracing and compiling {BOTH}", curves.compiling))
        ):
            ax = axes[row][column]
            for i, name in enumerate(
                (EAGER, *BACKENDS.values())
            ):  # one colour and mark for one row, in all panels
                if curve := by_name.get(name) or by_name.get(f"{name}, {BOTH}"):
                    ax.loglog(
                        [*curve], [*curve.values()], "osD^v"[i] + "-", color=f"C{i}", label=name
                    )
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
    kinds: dict[str, Curves] = {}
    for kind, build in (("network", network), ("irregular graph", irregular)):
        curves = kinds[kind] = measured(kind, build, sizes, pace)
        print_table(f"growth, {kind}: value and gradient, ns an operation", 1e-9, curves.call)
        if curves.compiling:
            print_table(
                f"growth, {kind}: tracing and compiling, µs an operation",
                1e-6,
                curves.compiling,
                curves.floor,
            )
        judge(kind, curves)
    try:
        plot(kinds, path)
    except ImportError as error:
        print(f"\nno plot: {error}")
