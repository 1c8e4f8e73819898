"""Random graphs on every backend, many of them as one function of all their leaves.

`python -m tests.random_graphs --backends python,numpy,native,c,javascript` runs it. A batch is the sum Σ w f(x) over its
graphs f with weights w of 1: the slopes by w are the values. Graphs whose numbers are not all finite make batches of
their own, as they make a backend calculate with more care. What fails is halved while it fails.
"""

from __future__ import annotations

import ctypes
import math
import os
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import scalargrad as sg
from scalargrad import Value, functions
from scalargrad.compiler import program as compiled

from .. import programs, rounding
from ..programs import Program
from .files import COMPILERS, NODE, QUICK, in_javascript, run
from .in_c import results

# operations that every language rounds alike
SAME_BITS = {"add", "sub", "mul", "div", "mod", "neg", "abs", "sign", "relu", "sqrt"}
SAME_BITS |= {"maximum", "minimum", "clip", "max", "min"}


class Graph(NamedTuple):
    """A graph, what it gives on Values, and how far each of these numbers may be off."""

    number: int
    program: Program
    expected: list[float]  # the value, then the slopes
    allowed: list[float]


def of_program(number: int, program: Program) -> Graph:
    expected = on_values(program)
    try:
        known = rounding.bounds(program)
        allowed = [2.0 * x for x in (known.value, *known.slopes)]  # both may be off
    except rounding.Irregular:
        scale = max([1.0, *(abs(x) for x in expected if math.isfinite(x))])
        allowed = [max(1e-9 * abs(x), 1e-12 * scale) for x in expected]
        for ulps in (-4.0, -2.0, -1.0, 1.0, 2.0, 4.0):  # a remainder may magnify an ulp of a power
            moved = map(distance, on_values(program, ulps), expected)
            allowed = [*map(max, allowed, moved)]
    return Graph(number, program, expected, allowed)


def on_values(program: Program, ulps: float = 0.0) -> list[float]:
    """The value and the slopes; with `ulps`, every function of a library is off by so many."""
    leaves = [Value(x) for x in program.leaves]
    root = recorded(program, leaves, 1.0 + ulps * rounding.ULP)
    root.backward()
    return [root.data, *(leaf.grad for leaf in leaves)]


def recorded(program: Program, leaves: Sequence[Any], factor: float = 1.0) -> Any:
    def apply(row: str, operands: list[Any]) -> Any:
        out = getattr(functions, row)(*operands)
        return out if factor == 1.0 or row in SAME_BITS else out * factor

    return programs.run(program, leaves, apply)[-1]


# ------------------------------------------------------------------ a batch on a backend


class Batch:
    """Graphs as one function of their weights and of all their leaves."""

    def __init__(self, graphs: Sequence[Graph]) -> None:
        self.graphs = graphs
        self.ws = [1.0] * len(graphs)
        self.xs = [x for graph in graphs for x in graph.program.leaves]

    def total(self, ws: Any, xs: Any) -> Any:
        left, weights = iter(xs), iter(ws)
        found = []
        for graph in self.graphs:
            leaves = [next(left) for _ in graph.program.leaves]
            found.append(next(weights) * recorded(graph.program, leaves))
        return sg.sum(found)

    @cached_property
    def compiled(self) -> Any:
        """In plain Python; the others take its traces, as tracing takes longest."""
        return sg.compile(self.total, wrt=(0, 1), backend="python")

    def arranged(self, values: Iterable[float], slopes: Iterable[float]) -> list[list[float]]:
        """The numbers of each graph: the value, then the slopes."""
        left = iter(slopes)
        pairs = zip(values, self.graphs, strict=True)
        return [[float(v), *(float(next(left)) for _ in g.program.leaves)] for v, g in pairs]


class Part(NamedTuple):
    """One of the functions of a trace: what `results` asks of a `Case`."""

    program: compiled.Program
    contents: list[Any]
    kind: str = "value_and_grad"
    reduce: str = "mean"


Numbers = tuple[float, list[list[float]]]  # the sum by a plain call, and the numbers of each graph


def in_process(backend: str, batch: Batch) -> Numbers:
    traces, contents = batch.compiled._ready((batch.ws, batch.xs), {})
    value, (_, (values, slopes)) = [
        traces.function(backend, kind, contents)(contents) for kind in ("value", "value_and_grad")
    ]
    return float(value[0]), batch.arranged(values, slopes)


def in_machine_code(batch: Batch) -> Numbers:
    """A function for each, of one trace of all, and compiled at once."""
    leaves = [list(graph.program.leaves) for graph in batch.graphs]

    def roots(*parts: Any) -> list[Any]:
        return [recorded(graph.program, xs) for graph, xs in zip(batch.graphs, parts, strict=True)]

    f = sg.compile(roots, wrt=tuple(range(len(leaves))), backend="python")
    traces, contents = f._ready(tuple(leaves), {})
    parts = zip(traces.program.blocks, traces.program.outputs, contents, strict=True)
    cases = [
        Part(compiled.sharing(compiled.Program([block], [root])), [content])
        for block, root, content in parts
    ]
    with mock.patch.dict(os.environ, CC=QUICK):
        found = results(cases)
    return math.nan, [[float(value), *map(float, slopes)] for value, (slopes,) in found]


def in_c(batch: Batch) -> Numbers:
    """A saved file, compiled."""
    with tempfile.TemporaryDirectory() as folder:
        path, library = Path(folder, "f.c"), Path(folder, "f.so")
        batch.compiled.save(path, batch.ws, batch.xs)
        flags = ("-std=c99", "-O0", "-shared", "-fPIC", "-ffp-contract=off")
        run(QUICK, *flags, "-o", library, path, "-lm")
        rooms = re.findall(r"_WORK = (\d+)", path.read_text(encoding="utf-8"))
        loaded = ctypes.CDLL(str(library))
        loaded.value.restype = ctypes.c_double
        parts = [batch.ws, batch.xs, batch.ws, batch.xs, [0.0] * max(map(int, rooms), default=0)]
        ws, xs, dws, dxs, work = [(ctypes.c_double * len(part))(*part) for part in parts]
        loaded.value_and_grad(ws, xs, dws, dxs, work)
        return loaded.value(ws, xs, work), batch.arranged(dws, dxs)


def in_node(batch: Batch) -> Numbers:
    """A saved module, run by node."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "f.mjs")
        batch.compiled.save(path, batch.ws, batch.xs)
        tasks = [(path, name, (batch.ws, batch.xs)) for name in ("value", "value_and_grad")]
        value, (_, slopes) = in_javascript(Path(folder), tasks)
        return value, batch.arranged(*slopes)


BACKENDS: dict[str, Callable[[Batch], Numbers]] = {
    "python": partial(in_process, "python"),
    "numpy": partial(in_process, "numpy"),
    "native": in_machine_code,
    "c": in_c,
    "javascript": in_node,
}


def missing(backend: str) -> str:
    """The thing that a backend lacks on this machine; empty if nothing."""
    if backend == "c" and not COMPILERS:
        return "neither gcc nor clang is installed"
    if backend == "javascript" and not NODE:
        return "node is not installed"
    try:
        sg.compile(lambda x: x, backend=backend if backend in ("numpy", "native") else "python")(
            1.0
        )
    except ImportError as error:
        return str(error)
    return ""


# ------------------------------------------------------------------ comparing


class Wrong(NamedTuple):
    """Graphs that fail together, and what is wrong with them."""

    backend: str
    numbers: list[int]
    reason: str


def compared(backend: str, graphs: Sequence[Graph]) -> tuple[float, int, str]:
    """The largest part of what is allowed by which a graph is off, its number; or what is wrong."""
    try:
        total, found = BACKENDS[backend](Batch(graphs))
    except Exception as error:
        return 0.0, 0, f"raises {type(error).__name__}: {str(error)[:500]}"
    worst, at = 0.0, 0
    for graph, got in zip(graphs, found, strict=True):
        for i, (a, b) in enumerate(zip(got, graph.expected, strict=True)):
            error = off(a, b, graph.allowed[i], exactly=backend == "python")
            if error > 1.0:
                what = f"the slope by x{i}" if i else "the value"
                return error, graph.number, f"{what} is {a!r}, on Values {b!r}: {error:.3g} times what is allowed"  # fmt: skip
            if error > worst:
                worst, at = error, graph.number
    values = [graph.expected[0] for graph in graphs]
    size = sum(map(abs, values))
    if (
        math.isfinite(size)
        and not math.isnan(total)
        and not abs(total - math.fsum(values)) <= 1e-9 * (1.0 + size)
    ):
        return math.inf, 0, f"the sum by a plain call is {total!r}, not {math.fsum(values)!r}"
    return worst, at, ""


def distance(a: float, b: float) -> float:
    """The difference of numbers; inf where one of them alone is inf or nan, or one -inf."""
    if (a != a and b != b) or a == b:
        return 0.0
    return abs(a - b) if math.isfinite(a) and math.isfinite(b) else math.inf


def off(a: float, b: float, allowed: float, exactly: bool) -> float:
    """The difference of numbers in units of what is allowed; 0 if they are the same, or both nan."""
    error = distance(a, b)
    if not error or (allowed == math.inf and not exactly):
        return 0.0
    return math.inf if exactly else error / allowed


def failures(backend: str, graphs: Sequence[Graph], reason: str) -> list[Wrong]:
    """The smallest groups, of those by halving, that fail."""
    halves = [graphs[: len(graphs) // 2], graphs[len(graphs) // 2 :]] if len(graphs) > 1 else []
    found = [
        wrong for half in halves if (why := compared(backend, half)[2])
        for wrong in failures(backend, half, why)
    ]  # fmt: skip
    return found or [Wrong(backend, [graph.number for graph in graphs], reason)]


@dataclass
class Tally:
    """The findings on a backend."""

    graphs: int = 0
    worst: float = 0.0
    at: int = 0
    seconds: float = 0.0
    wrong: list[Wrong] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.graphs += other.graphs
        self.seconds += other.seconds
        self.wrong += other.wrong
        if other.worst > self.worst:
            self.worst, self.at = other.worst, other.at


def check(drawn: Callable[[int], Program], backends: Sequence[str], numbers: Sequence[int]) -> dict[str, Tally]:  # fmt: skip
    """The graphs of these numbers on each backend."""
    graphs = [of_program(number, drawn(number)) for number in numbers]
    tame = [graph for graph in graphs if all(map(math.isfinite, graph.expected))]
    wild = [graph for graph in graphs if not all(map(math.isfinite, graph.expected))]
    tallies = {backend: Tally(len(graphs)) for backend in backends}
    for backend, tally in tallies.items():
        start = time.perf_counter()
        for batch in filter(None, (tame, wild)):
            worst, at, reason = compared(backend, batch)
            if reason:
                tally.wrong += failures(backend, batch, reason)
            elif worst > tally.worst:
                tally.worst, tally.at = worst, at
        tally.seconds = time.perf_counter() - start
    return tallies


def check_many(
    drawn: Callable[[int], Program], backends: Sequence[str], numbers: Sequence[int],
    jobs: int = 1, batch: int = 200, progress: Callable[[int], object] = lambda done: None,
) -> dict[str, Tally]:  # fmt: skip
    """The same in batches, in so many processes, with an empty cache of machine code."""
    batches = [numbers[i : i + batch] for i in range(0, len(numbers), batch)]
    total, done = {backend: Tally() for backend in backends}, 0
    with (
        tempfile.TemporaryDirectory() as cache,
        ProcessPoolExecutor(
            jobs, initializer=os.environ.update, initargs=({"XDG_CACHE_HOME": cache},)
        ) as pool,
    ):
        for each, found in zip(batches, pool.map(partial(check, drawn, backends), batches)):
            for backend, tally in found.items():
                total[backend].add(tally)
            done += len(each)
            progress(done)
    return total


def printed(tallies: dict[str, Tally], again: str, unit: str) -> int:
    """Print a table, what fails, and the command that shows it again; 1 if anything fails."""
    print(f"\n{'':12}{'programs':>9}{'fail':>6}{'worst error':>13}{'of number':>11}{'s':>8}")
    for backend, x in tallies.items():
        print(f"{backend:12}{x.graphs:9,}{len(x.wrong):6}{x.worst:13.2g}{x.at:11}{x.seconds:8.0f}")
    print(f"errors in parts {unit}")
    wrong = [each for x in tallies.values() for each in x.wrong]
    for each in wrong[:20]:
        only = ",".join(map(str, each.numbers))
        command = f"python -m {again} --backends {each.backend} --only {only}"
        print(f"\n{each.backend}: {each.reason}\n({command})")
    return int(bool(wrong))


def check_graphs(backend: str, count: int) -> None:
    """So many graphs of a seed that is always another: an AssertionError tells those that fail."""
    from ..random_graphs import graph

    seed = random.randrange(10**6)
    found = check(partial(graph, seed), [backend], range(count))[backend]
    again = f"python -m tests.random_graphs --seed {seed} --backends {backend} --only "
    assert not found.wrong, [f"{x.reason}: {again}{x.numbers}" for x in found.wrong[:5]]
