"""A contest: peers that do the same work, checked to agree, timed in turns, with goals.

A peer is a function that builds the things it needs and returns a run. `run(n)` makes n steps from
the beginning, or does the same thing n times. It returns the numbers it ends with, or a function
that arranges them. A peer whose library is not installed raises ImportError as it builds; it is
left out, with a line that says so.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from .timing import UNHURRIED, Pace, goal, interleaved, table, unmeasured, with_deep_stack

Run = Callable[[int], Any]
Build = Callable[[], Run]

EAGER = "scalargrad, eager"
BACKENDS = {backend: f"scalargrad, {backend}" for backend in ("python", "numpy", "native", "auto")}
COMPILED = tuple(BACKENDS.values())
UNITS = {"µs": 1e6, "ms": 1e3}


@dataclass(frozen=True)
class Goal:
    """A goal for the fastest of `ours` against `theirs`: so many times as fast, or slow."""

    ours: tuple[str, ...]
    theirs: str
    at_least: float | None = None
    at_most: float | None = None

    def judge(self, seconds: dict[str, float]) -> None:
        here = [name for name in self.ours if name in seconds]
        best = (
            min(here, key=seconds.__getitem__)
            if here
            else self.ours[0]
            if len(self.ours) == 1
            else "scalargrad, compiled"
        )
        if not here or self.theirs not in seconds:
            unmeasured(f"{best} against {self.theirs}", self.theirs if here else best)
        elif self.at_most is not None:
            goal(
                f"{best}, time over that of {self.theirs}",
                seconds[best] / seconds[self.theirs],
                at_most=self.at_most,
            )
        else:
            goal(
                f"{best}, faster than {self.theirs}",
                seconds[self.theirs] / seconds[best],
                at_least=self.at_least,
            )


AUTO = Goal((BACKENDS["auto"],), "the best backend", at_most=1.3)


class Contest:
    """A workload: its title, its peers, its goals. All must agree with the first peer there is."""

    def __init__(
        self, title: str, unit: str, goals: Iterable[Goal] = (), checked_after: int = 1
    ) -> None:
        self.title, self.unit, self.goals, self.checked_after = (
            title,
            unit,
            tuple(goals),
            checked_after,
        )
        self.builders: dict[str, Build] = {}
        self.with_fixed_cost: set[str] = set()

    def peer(self, name: str, fixed_cost: bool = False) -> Callable[[Build], Build]:
        """Enter a peer. With a fixed cost, its time is that of 2n steps less that of n, over n."""

        def enter(build: Build) -> Build:
            if name in self.builders:
                raise ValueError(f"two peers are named {name!r}")
            self.builders[name] = build
            if fixed_cost:
                self.with_fixed_cost.add(name)
            return build

        return enter

    def build(self, names: Iterable[str] | None = None) -> dict[str, Run]:
        """The runs of those that are here; a line for each that is not."""
        runs = {}
        for name in self.builders if names is None else names:
            try:
                runs[name] = self.builders[name]()
            except ImportError as error:
                print(f"  {name}: not here ({error})")
        return runs

    def check(self, runs: dict[str, Run]) -> None:
        """SystemExit where a peer's numbers differ from the first's.

        They may differ by 1e-9 of each or by 1e-12 of the largest.
        """
        (first, run), *others = runs.items()
        expected = numbers(run(self.checked_after))
        for name, run in others:
            if problem := difference(expected, numbers(run(self.checked_after))):
                raise SystemExit(
                    f"{self.title}: {name} computes something else than {first}: {problem}"
                )

    def measure(self, runs: dict[str, Run], pace: Pace) -> dict[str, float]:
        """Seconds a step of each, the fastest first."""
        calls: dict[str, Callable[[], Any]] = {}
        steps = {}
        for name, run in runs.items():
            n = steps[name] = (
                steps_for(run, 4 * pace.block, run)
                if name in self.with_fixed_cost
                else steps_for(run, pace.block)
            )
            calls[name] = partial(run, n)
            if name in self.with_fixed_cost:
                calls[f"{name}, twice"] = partial(run, 2 * n)
        times = interleaved(calls, pace)
        seconds = {
            name: (times.get(f"{name}, twice", 2 * times[name]) - times[name]) / n
            for name, n in steps.items()
        }
        return dict(sorted(seconds.items(), key=lambda item: item[1]))

    def hold(self, pace: Pace = UNHURRIED) -> None:
        """Build, check, time, and print the table and the goals."""
        with_deep_stack(lambda: self._hold(pace))

    def _hold(self, pace: Pace) -> None:
        print(f"\n{self.title}")
        runs = self.build()
        self.check(runs)
        gc.collect()
        gc.freeze()  # what the other libraries hold is no matter of those that make garbage
        try:
            seconds = self.measure(runs, pace)
        finally:
            gc.unfreeze()
        for name in [name for name in seconds if seconds[name] <= 0.0]:
            print(
                f"  {name}: its steps are lost in its fixed cost here; "
                "take more of them, without --quick"
            )
            del seconds[name]
        ours = min(
            (name for name in seconds if name in (EAGER, *COMPILED)), key=seconds.__getitem__
        )
        table(
            f"  {len(seconds)} peers that agree; ratio to {ours}",
            self.unit,
            seconds,
            UNITS[self.unit],
            ours,
        )
        if BACKENDS["auto"] in seconds:
            print(
                "  auto: once it has chosen; if native was measured too, "
                "machine code is there already, as in a script's second run"
            )
        backends = [
            seconds[name]
            for backend, name in BACKENDS.items()
            if backend != "auto" and name in seconds
        ]
        judged = seconds | ({"the best backend": min(backends)} if backends else {})
        for one in self.goals:
            one.judge(judged)


def steps_for(run: Run, block: float, base: Run | None = None) -> int:
    """The number of steps that take about `block` seconds; with a base, beyond what as many take already."""
    n = 1
    while True:
        run(n)  # what it compiles, it compiles here
        if base is not None:
            base(2 * n)
        start = time.process_time()
        run(n)
        taken = time.process_time() - start
        if base is not None:
            start = time.process_time()
            base(2 * n)
            taken = time.process_time() - start - taken
        if taken >= block / 2 or n >= 2**22:
            return min(max(1, round(n * block / max(taken, 1e-9))), 2**24)
        n *= 8


def numbers(result: Any) -> list[float]:
    """All numbers in nested lists, tuples, dicts and arrays, in order; a function is called."""
    if callable(result):
        result = result()
    if hasattr(result, "detach"):
        result = result.detach()
    if hasattr(result, "tolist"):
        result = result.tolist()
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (list, tuple)):
        return [number for part in result for number in numbers(part)]
    return [float(result)]


def difference(expected: list[float], got: list[float]) -> str:
    """The fault of the numbers; "" if right to 1e-9 each, or to 1e-12 of the largest."""
    if len(got) != len(expected):
        return f"{len(got)} numbers instead of {len(expected)}"
    least = 1e-12 * max(map(abs, expected))
    for i, (a, b) in enumerate(zip(expected, got)):
        if not abs(a - b) <= 1e-9 * abs(a) + least:
            return f"number {i} is {b!r} instead of {a!r}"
    return ""


@contextmanager
def without(package: str) -> Iterator[None]:
    """As if the package were not installed."""
    hidden = {name: module for name, module in sys.modules.items() if name.split(".")[0] == package}
    for name in hidden:
        del sys.modules[name]
    sys.modules[package] = None  # type: ignore[assignment]  # an import of it raises ImportError
    try:
        yield
    finally:
        del sys.modules[package]
        sys.modules.update(hidden)


def needs_compiled_fit() -> None:
    """ImportError where `fit` knows no backends."""
    from inspect import signature

    from scalargrad import Module

    if "backend" not in signature(Module.fit).parameters:
        raise ImportError("fit takes no backend")


def scalargrad_compile() -> Any:
    """scalargrad's `compile`."""
    from scalargrad import compile as scalargrad_compile

    return scalargrad_compile
