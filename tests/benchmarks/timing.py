"""Interleaved rounds, medians, and tables with goals."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

verdicts: list[str] = []  # a line for each goal, for the summary at the end


@dataclass(frozen=True)
class Pace:
    """The time to take: rounds, CPU seconds of a turn, seconds before a peer sits out."""

    rounds: int = 7
    block: float = 0.05
    patience: float = 10.0

    def times(self, factor: int) -> Pace:
        """As many times the rounds."""
        return replace(self, rounds=factor * self.rounds)


UNHURRIED = Pace()
QUICK = Pace(rounds=1, block=0.01, patience=0.0)


def machine() -> str:
    """Python, processor and cores, for the head of a table."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            model = next(
                line.split(":")[1].strip() for line in lines if line.startswith("model name")
            )
    except (OSError, StopIteration):
        pass  # not Linux
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {model}, {os.cpu_count()} cores, {platform.system()}"


def interleaved(
    runs: Mapping[str, Callable[[], object]], pace: Pace = UNHURRIED
) -> dict[str, float]:
    """The median CPU seconds of one call of each, over rounds in which all take turns.

    In its turn each is called for about `pace.block` seconds, so that it pays itself for the
    collection of the garbage that it leaves.
    """
    calls = {}
    for name, run in runs.items():  # warm up, and find how many calls fill a block
        run()
        start = time.process_time()
        run()
        calls[name] = max(1, int(pace.block / max(time.process_time() - start, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(pace.rounds):
        for name, run in runs.items():
            if sum(times[name]) * calls[name] > pace.patience:
                continue
            gc.collect()
            start = time.process_time()
            for _ in range(calls[name]):
                run()
            times[name].append((time.process_time() - start) / calls[name])
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def table(title: str, unit: str, seconds: Mapping[str, float], scale: float, ours: str) -> None:
    """Print times, each with its ratio to ours."""
    print(f"\n{title}")
    print(f"  {'':44}{unit:>12}{'ratio':>9}")
    for name, value in seconds.items():
        print(f"  {name:44}{value * scale:12.4g}{value / seconds[ours]:9.2f}")


def goal(
    text: str,
    reached: float,
    at_least: float | None = None,
    at_most: float | None = None,
    unit: str = "×",
) -> None:
    """Print a goal, the figure reached and whether it was met."""
    met = (at_least is None or reached >= at_least) and (at_most is None or reached <= at_most)
    bound = f"≥ {at_least:g}{unit}" if at_least is not None else f"≤ {at_most:g}{unit}"
    _verdict(f"goal: {text} {bound}: {reached:.3g}{unit}, {'met' if met else 'MISSED'}")


def unmeasured(text: str, missing: str) -> None:
    """Print a goal that could not be judged, and who was missing."""
    _verdict(f"goal: {text}: not measured, without {missing}")


def _verdict(line: str) -> None:
    verdicts.append(line)
    print(f"  {line}")


def summary() -> None:
    """Print how many goals were met, and those that were not."""
    missed = [line for line in verdicts if line.endswith("MISSED")]
    met = sum(line.endswith(", met") for line in verdicts)
    print(
        f"\n{len(verdicts)} goals: {met} met, {len(missed)} missed, "
        f"{len(verdicts) - met - len(missed)} not measured"
    )
    for line in missed:
        print(f"  {line}")


def with_deep_stack(run: Callable[[], None]) -> None:
    """Run in a thread with room for backward walks that recurse; its exception is raised here."""
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            run()
        except BaseException as error:  # SystemExit too, which a thread would swallow
            raised.append(error)

    limit, size = sys.getrecursionlimit(), threading.stack_size(512 * 2**20)
    sys.setrecursionlimit(10**6)
    try:
        thread = threading.Thread(target=guarded)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
    if raised:
        raise raised[0]
