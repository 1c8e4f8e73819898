"""Random structured programs on every backend against Values: value, value and gradient, rows, Jacobians.

    python -m tests.structured_programs [--count 1000] [--seed 1] [--only 17] [--kinds shaped,layered,structured]
        [--backends python,numpy,native,c,javascript] [--jobs 2]

Kinds are those of `compiler.shaped`, `compiler.layered` and `compiler.structured`, in turns. On Values each row is
calculated alone; sums over rows are added up here.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import scalargrad as sg
from scalargrad import Value
from scalargrad.copies import with_values

from .compiler import files, graphs, layered, shaped, structured
from .compiler.graphs import Tally, Wrong, missing
from .compiler.structured import Case, numbers
from .random_graphs import Bar

CHUNK = 20  # programs of a run of node
CLOSE, EXACT = 1e-9, 1e-12  # of the largest number; in plain Python


def layered_case(seed: int) -> Case:
    """One of `layered`, with rows or without."""
    rows = seed % 4
    args = layered.arguments(seed, rows)
    options = {"wrt": (0, 1, 2), "rows": ("x",) if rows else (), "reduce": "mean"}
    if rows:
        options["reduce"] = ("mean", "sum", None)[seed // 4 % 3]
    each = [[args[0], x, args[2]] for x in args[1]] if rows else [[*args]]
    return Case(layered.function(seed), [*args], options, each)


KINDS: dict[str, Callable[[int], Case]] = {
    "shaped": shaped.case,
    "layered": layered_case,
    "structured": structured.case,
}

# ------------------------------------------------------------------ on Values


def on_values(case: Case) -> list[tuple[list[float], list[list[list[float]]]]]:
    """For each row the results, and for each of them the slopes by the numbers of each argument of `wrt`."""
    found = []
    for args in case.rows:
        leaves = [[Value(float(x)) for x in numbers(argument)] for argument in args]
        pairs = zip(args, leaves, strict=True)
        results = numbers(case.fn(*[with_values(arg, iter(values)) for arg, values in pairs]))
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


def carries_rows(case: Case, place: int) -> bool:
    code = case.fn.__code__
    return code.co_varnames[place] in case.options["rows"]


def expected(case: Case) -> list[float]:
    """The results of a compiled function as a flat list, and then the gradients of each."""
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
            if carries_rows(case, place):
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
    """Whether it is a list of parts of unequal lengths, or of lists and numbers."""
    if not isinstance(argument, list):
        return False
    return len({len(part) if isinstance(part, list) else None for part in argument}) > 1


# ------------------------------------------------------------------ on a backend


def got(case: Case, backend: str) -> tuple[list[float], list[float]]:
    """The results alone, and results and gradients, as flat lists."""
    f = sg.compile(case.fn, backend=backend, **case.options)
    values, slopes = getattr(f, kind_of(case))(*case.args)
    return numbers(f(*case.args)), [*numbers(values), *numbers(slopes)]


def kind_of(case: Case) -> str:
    result = case.fn(*case.rows[0])
    return "jacobian" if isinstance(result, list) else "value_and_grad"


def problem(found: tuple[list[float], list[float]], wanted: list[float], tolerance: float) -> tuple[float, str]:  # fmt: skip
    """The largest difference, over what is allowed, and what is wrong."""
    alone, everything = found
    if len(everything) != len(wanted):
        return math.inf, f"gives {len(everything)} numbers, Values {len(wanted)}"
    scale = max([1.0, *(abs(x) for x in wanted if math.isfinite(x))])
    worst = 0.0
    for name, ours in (("alone", alone), ("with slopes", everything)):
        for i, (a, b) in enumerate(zip(ours, wanted)):
            error = graphs.off(a, b, tolerance * (scale + abs(b)), exactly=False)
            if error > 1.0:
                return error, f"number {i} {name} is {a!r}, on Values {b!r}"
            worst = max(worst, error)
    return worst, ""


def in_process(backend: str, cases: Sequence[tuple[Case, list[float]]]) -> list[tuple[float, str]]:
    found = []
    for case, wanted in cases:
        is_exact = len(case.rows) == 1 or case.options["reduce"] is None
        close = (1e-15 if is_exact else EXACT) if backend == "python" else CLOSE
        try:
            found.append(problem(got(case, backend), wanted, close))
        except Exception as error:
            found.append((math.inf, raised(error)))
    return found


def raised(error: Exception) -> str:
    return f"raises {type(error).__name__}: {str(error)[:300]}"


def saved(case: Case, path: Path) -> Any:
    """The compiled function, saved there."""
    f = sg.compile(case.fn, backend="python", **case.options)
    f.save(path, *case.args)
    return f


def in_c(cases: Sequence[tuple[Case, list[float]]]) -> list[tuple[float, str]]:
    """Saved files, which compare themselves with plain Python."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for i, (case, _) in enumerate(cases):
            try:
                saved(case, path := Path(folder, f"f{i}.c"))
                said = files.says_of_itself(files.QUICK, path)
                found.append((0.0, "" if said == "all numbers are as in Python\n" else said[-300:]))
            except (Exception, AssertionError) as error:
                found.append((math.inf, raised(error)))
    return found


def in_node(cases: Sequence[tuple[Case, list[float]]]) -> list[tuple[float, str]]:
    """Saved modules in one run of node, or where that fails a run for each."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            tasks: list[Any] = []
            for i, (case, _) in enumerate(cases):
                saved(case, path := Path(folder, f"f{i}.mjs"))
                tasks += [(path, name, case.args) for name in ("value", kind_of(case))]
            results = files.in_javascript(Path(folder), tasks)
        except (Exception, AssertionError) as error:
            if len(cases) == 1:
                return [(math.inf, raised(error))]
            return [answer for case in cases for answer in in_node([case])]
    pairs = zip(results[::2], results[1::2], cases, strict=True)
    return [problem(([*files.numbers(v)], [*files.numbers(s)]), w, CLOSE) for v, s, (_, w) in pairs]


BACKENDS: dict[str, Callable[[Sequence[tuple[Case, list[float]]]], list[tuple[float, str]]]] = {
    **{name: partial(in_process, name) for name in ("python", "numpy", "native")},
    "c": in_c,
    "javascript": in_node,
}


def check(kinds: Sequence[str], backends: Sequence[str], seeds: Sequence[int]) -> dict[str, Tally]:
    """The programs of these seeds on each backend."""
    cases = []
    for seed in seeds:
        case = KINDS[kinds[seed % len(kinds)]](seed)
        cases.append((case, expected(case)))
    tallies = {}
    for backend in backends:
        start, tally = time.perf_counter(), Tally(len(cases))
        for seed, (error, reason) in zip(seeds, BACKENDS[backend](cases), strict=True):
            if reason:
                tally.wrong.append(Wrong(backend, [seed], reason))
            elif error > tally.worst:
                tally.worst, tally.at = error, seed
        tally.seconds = time.perf_counter() - start
        tallies[backend] = tally
    return tallies


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.structured_programs")
    parser.add_argument("--count", type=int, default=1000, help="how many programs")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6, help="of the first")
    parser.add_argument("--only", type=int, help="the program of this seed alone")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    given = parser.parse_args()
    first = given.seed if given.only is None else given.only
    seeds = range(first, first + (given.count if given.only is None else 1))
    kinds, backends = given.kinds.split(","), []
    for backend in given.backends.split(","):
        if lacks := missing(backend):
            print(f"{backend} is left out: {lacks}")
        else:
            backends.append(backend)
    chunks = [seeds[i : i + CHUNK] for i in range(0, len(seeds), CHUNK)]
    total, bar, done = {backend: Tally() for backend in backends}, Bar(len(seeds)), 0
    with tempfile.TemporaryDirectory() as cache, ProcessPoolExecutor(
        given.jobs, initializer=os.environ.update, initargs=({"XDG_CACHE_HOME": cache},)
    ) as pool:  # fmt: skip
        for chunk, found in zip(chunks, pool.map(partial(check, kinds, backends), chunks), strict=True):  # fmt: skip
            for backend, tally in found.items():
                total[backend].add(tally)
            done += len(chunk)
            bar(done)
    return graphs.printed(
        total, f"tests.structured_programs --kinds {given.kinds}", "of what is allowed"
    )


if __name__ == "__main__":
    raise SystemExit(main())
