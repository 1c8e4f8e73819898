"""Random graphs: programs of up to 25 operations, evaluated in every way there is and against mpmath.

Each is checked for four things: no operation raises; all ways give the same (to the bit where slopes are summed
up in the same order); a second backward doubles the slopes; value and slopes are as far from the truth as
rounding explains (see `rounding`), and no further. That is little: a slope that is wrong by one part in a million
stands out by a factor of a billion. A program that meets a kink, a pole or a number that is not finite, or
loses more than seven of its digits to rounding, is checked for the first three alone, and counted.

    python -m tests.random_graphs [--count 100000] [--seed 1] [--only 17]
    python -m tests.random_graphs --backends python,numpy,native,c,javascript [--jobs 2] [--batch 200]

What fails is made smaller as long as it fails, and printed as Python. With backends, each is held against Values, many
graphs in a function (see `compiler.graphs`).
"""

from __future__ import annotations

import argparse
import math
import random
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from mpmath import mp, mpf

from scalargrad import Value, compile, functions
from scalargrad.derivatives import gradients

from .programs import Program, draw, is_program, lines, pruned, run, size, smaller, source
from .rounding import LOST, Bounds, Irregular, Truth, bounds, differences

# ------------------------------------------------------------------ the ways to evaluate it

Slopes = list[float]


def by_source(program: Program) -> tuple[float, Slopes]:
    """Operators and methods: what `source` prints is what runs."""
    names: dict[str, Any] = {"Value": Value, "functions": functions}
    exec("\n".join(lines(program)), names)
    root = names[f"v{len(program.steps)}"]
    root.backward()
    return root.data, [names[f"x{i + 1}"].grad for i in range(len(program.leaves))]


def recorded(program: Program) -> tuple[list[Value], Value]:
    """Its leaves and its root, by free functions."""
    leaves = [Value(x) for x in program.leaves]
    return leaves, run(
        program, leaves, lambda op_name, operands: getattr(functions, op_name)(*operands)
    )[-1]


def by_functions(program: Program) -> tuple[float, Slopes]:
    leaves, root = recorded(program)
    root.backward()
    return root.data, [leaf.grad for leaf in leaves]


def on_numbers(program: Program) -> tuple[float, None]:
    return run(
        program, program.leaves, lambda op_name, operands: getattr(functions, op_name)(*operands)
    )[-1], None


def by_gradients(program: Program) -> tuple[float, Slopes]:
    """The walk that touches no `grad`."""
    leaves, root = recorded(program)
    return root.data, gradients(root, leaves)


def by_recorded_gradients(program: Program) -> tuple[float, Slopes]:
    """The same, as a graph to be differentiated again: the texts of the slopes, evaluated on Values."""
    leaves, root = recorded(program)
    slopes = gradients(root, leaves, create_graph=True)
    return root.data, [slope.data if isinstance(slope, Value) else slope for slope in slopes]


def by_compiled(program: Program) -> tuple[float, Slopes]:
    """As generated Python."""
    f = compile(
        lambda xs: run(
            program, xs, lambda op_name, operands: getattr(functions, op_name)(*operands)
        )[-1],
        backend="python",
    )
    value, slopes = f.value_and_grad(list(program.leaves))
    if bits([alone := f(list(program.leaves))]) != bits([value]):
        raise Failure(f"compiled, it gives the value {value!r}, and alone {alone!r}")
    return value, slopes


class Way(NamedTuple):
    """A way to find the value and the slopes by the leaves, and whether slopes are summed up in `backward`'s order."""

    run: Callable[[Program], tuple[float, Slopes | None]]
    same_bits: bool


WAYS = (
    Way(by_source, same_bits=True),  # the first: what the others are compared with
    Way(by_functions, same_bits=True),
    Way(on_numbers, same_bits=True),
    Way(by_gradients, same_bits=True),
    Way(by_compiled, same_bits=True),
    Way(by_recorded_gradients, same_bits=False),
)


def slopes_of_two_walks(program: Program) -> tuple[Slopes, Slopes]:
    leaves, root = recorded(program)
    root.backward()
    once = [leaf.grad for leaf in leaves]
    root.backward()
    return once, [leaf.grad for leaf in leaves]


def bits(numbers: Sequence[float]) -> list[bytes]:
    """Comparable to the bit; all nan are one."""
    return [b"nan" if x != x else struct.pack("<d", x) for x in numbers]


def bits_but_zeros(slopes: Sequence[float]) -> list[bytes]:
    """The same, of slopes: the sign of one that is 0 means nothing."""
    return bits([slope + 0.0 for slope in slopes])


# ------------------------------------------------------------------ the check


class Failure(Exception):
    """The faults of a program."""


class Checked(NamedTuple):
    """The worst error, in units of what rounding explains, or why none was measured."""

    error: float
    skipped: str


def check(program: Program) -> Checked:
    """Evaluate a program in all ways and compare; a Failure says what is wrong."""
    before, mp.dps = mp.dps, 15
    try:
        value, ways = evaluated(program)
        allowed = bounds(program)
        return Checked(compared(value, ways, allowed, differences(program, allowed)), "")
    except Irregular as reason:
        return Checked(0.0, str(reason))
    finally:
        mp.dps = before


def evaluated(program: Program) -> tuple[float, dict[str, Slopes]]:
    """The value, the same in all ways, and the slopes of each way that may differ from the others."""
    try:
        results = [way.run(program) for way in WAYS]
        once, twice = slopes_of_two_walks(program)
    except Exception as error:
        raise Failure(f"raises {type(error).__name__}: {error}") from error
    value, first = results[0]
    assert first is not None
    different = {WAYS[0].run.__name__: first}
    for way, (other, slopes) in zip(WAYS, results, strict=True):
        name = way.run.__name__
        if bits([other]) != bits([value]):
            raise Failure(f"{name} gives the value {other!r}, not {value!r}")
        if slopes is not None and way.same_bits and bits_but_zeros(slopes) != bits_but_zeros(first):
            raise Failure(f"{name} gives the slopes {slopes!r}, not {first!r}")
        if slopes is not None and not way.same_bits:
            different[name] = slopes
    if bits(twice) != bits([2.0 * slope for slope in once]):
        raise Failure(f"a second backward makes of the slopes {once!r} {twice!r}")
    return value, different


def compared(value: float, ways: dict[str, Slopes], allowed: Bounds, truth: Truth) -> float:
    """The worst error in units of what is allowed."""
    worst = float(abs(mpf(value) - truth.value)) / allowed.value
    if not worst <= 1.0:
        raise Failure(
            f"the value is {value!r}, mpmath's is {mp.nstr(truth.value, 20)}: {worst:.3g} times what rounding explains"
        )
    for i, (true, blur) in enumerate(zip(truth.slopes, truth.blurs, strict=True)):
        bound = allowed.slopes[i] + blur
        for way, slope in ((way, slopes[i]) for way, slopes in ways.items()):
            text = f"the slope by x{i + 1} {way.replace('_', ' ')} is {slope!r}, a difference gives {mp.nstr(true, 20)}"
            if abs(true) > 1e300:
                raise Irregular("too large or small")
            if not math.isfinite(slope):
                raise Failure(text)
            if not allowed.slopes[i] <= LOST * allowed.sizes[i] + 1e-300:
                raise Irregular("ill-conditioned")
            error = float(abs(mpf(slope) - true))
            if error > bound:
                raise Failure(f"{text}: {error / bound:.3g} times what rounding explains")
            worst = max(worst, error / bound if error else 0.0)
    return worst


# ------------------------------------------------------------------ making a failure small


def failure_of(program: Program) -> str:
    """The faults of it; empty if there are none."""
    try:
        check(program)
    except Failure as failure:
        return str(failure)
    return ""


def shrunk(program: Program) -> Program:
    """The smallest failing program that taking away leads to, one thing after the other."""
    while True:
        for candidate in map(pruned, filter(is_program, smaller(program))):
            if size(candidate) < size(program) and failure_of(candidate):
                program = candidate
                break
        else:
            return program


# ------------------------------------------------------------------ many


class Report(NamedTuple):
    graphs: int
    operations: int
    skipped: Counter[str]
    worst: float
    worst_graph: int

    @property
    def share_skipped(self) -> float:
        return sum(self.skipped.values()) / self.graphs


def graph(seed: int | str, number: int) -> Program:
    """One graph of a seed."""
    return draw(random.Random(f"{seed} {number}"))


def explained(program: Program, seed: int | str, number: int) -> str:
    """The faults of a program, and those of the smallest like it, as Python."""
    small = shrunk(program)
    return (
        f"graph {number} of seed {seed}: {failure_of(program)}\n"
        f"(python -m tests.random_graphs --seed {seed} --only {number})\n\n"
        f"# {failure_of(small)}\n{source(small)}\n"
    )


def check_many(
    seed: int | str, numbers: Sequence[int], progress: Callable[[int], object] = lambda done: None
) -> Report:
    """Check the graphs of a seed; a Failure shows the first that fails, made small."""
    skipped, operations, worst, worst_graph = Counter[str](), 0, 0.0, 0
    for done, number in enumerate(numbers, 1):
        program = graph(seed, number)
        operations += len(program.steps)
        try:
            error, reason = check(program)
        except Failure:
            raise Failure(explained(program, seed, number)) from None
        if reason:
            skipped[reason] += 1
        elif error > worst:
            worst, worst_graph = error, number
        progress(done)
    return Report(len(numbers), operations, skipped, worst, worst_graph)


class Bar:
    """The count of those done, and the time that the rest will take, on stderr."""

    def __init__(self, total: int) -> None:
        self.total, self.began, self.shown = total, time.perf_counter(), 0.0

    def __call__(self, done: int) -> None:
        now = time.perf_counter()
        if now - self.shown > 2.0 and done:
            self.shown = now
            left = (now - self.began) / done * (self.total - done)
            text = f"\r{done:,} of {self.total:,}, {left:.0f} s left   "
            print(text, end="", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.random_graphs", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--count", type=int, default=100_000, help="how many graphs")
    parser.add_argument(
        "--seed", default=str(time.time_ns() % 10**6), help="the same seed draws the same graphs"
    )
    parser.add_argument("--only", help="these graphs alone, say 17 or 17,33: shown and checked")
    parser.add_argument("--backends", help="hold these against Values, say python,numpy,c")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--batch", type=int, default=200, help="graphs of a function")
    given = parser.parse_args()
    numbers: Sequence[int] = range(given.count)
    if given.only is not None:
        numbers = [*map(int, given.only.split(","))]
        for number in numbers:
            print(source(graph(given.seed, number)))
    if given.backends:
        return on_backends(given, numbers)
    bar = Bar(len(numbers))
    try:
        report = check_many(given.seed, numbers, bar)
    except Failure as failure:
        print(f"\n{failure}")
        return 1
    took = time.perf_counter() - bar.began
    print(
        f"\nseed {given.seed}: {report.graphs:,} graphs of {report.operations:,} operations in {took:.0f} s, none fails"
    )
    print(f"worst error {report.worst:.3f} of what rounding explains (graph {report.worst_graph})")
    print(
        f"no difference taken of {report.share_skipped:.1%}:",
        ", ".join(f"{n:,} {reason}" for reason, n in report.skipped.most_common()),
    )
    return 0


def on_backends(given: argparse.Namespace, numbers: Sequence[int]) -> int:
    """Check graphs on backends, and print a table; 1 if any fails."""
    from .compiler import graphs

    backends = []
    for backend in given.backends.split(","):
        if lacks := graphs.missing(backend):
            print(f"{backend} is left out: {lacks}")
        else:
            backends.append(backend)
    drawn = partial(graph, given.seed)
    tallies = graphs.check_many(
        drawn, backends, numbers, given.jobs, given.batch, Bar(len(numbers))
    )
    again = f"tests.random_graphs --seed {given.seed}"
    return graphs.printed(tallies, again, "of what rounding explains")


if __name__ == "__main__":
    raise SystemExit(main())
