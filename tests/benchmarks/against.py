"""This checkout against another: the workloads of `workloads`, a process each, in turns.

python -m tests.benchmarks.against --against PATH [--python PYTHON] [--backends numpy,auto] [W2 …]

Names are beginnings: W2 stands for all that begins so. Both must compute the same. Shown is the
median of CPU microseconds of a call, or of a step of `fit`, and how long the first call took.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from .__main__ import ONE_THREAD
from .contest import difference

HERE = Path(__file__).parents[2]
BACKENDS = ("python", "numpy", "native", "auto")
WHERE = ("here", "there")


class Checkout:
    """A process that has imported the scalargrad of a checkout."""

    def __init__(self, path: Path, python: str) -> None:
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(path)}
        script = str(Path(__file__).with_name("workloads.py"))
        self.process = subprocess.Popen(
            [python, "-P", script], env=environment, cwd=path, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def ask(self, do: str, name: str = "", backend: str = "", n: int = 1) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        request = {"do": do, "name": name, "backend": backend, "n": n}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate()


def compared(
    checkouts: dict[str, Checkout], name: str, backends: list[str], rounds: int, block: float
) -> dict[str, dict[str, tuple[float, float]]]:
    """For each backend and checkout the seconds of a call and of the first."""
    built: dict[tuple[str, str], Any] = {}
    for backend in backends:
        for where, checkout in checkouts.items():
            answer = checkout.ask("build", name, backend)
            if "error" in answer:
                print(f"{name:16}{backend:8}{where}: {answer['error'][:100]}")
            else:
                built[backend, where] = answer
        samples = [built[backend, where]["sample"] for where in WHERE if (backend, where) in built]
        if len(samples) == 2 and (problem := difference(*samples)):
            print(f"{name:16}{backend:8}they compute different things: {problem}")
    counts = {
        (backend, where): calls(checkouts[where], name, backend, block) for backend, where in built
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in built}
    for _ in range(rounds):
        for (backend, where), n in counts.items():
            seconds = checkouts[where].ask("time", name, backend, n)["seconds"]
            times[backend, where].append(seconds / n)
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for (backend, where), each in times.items():
        pair = statistics.median(each), built[backend, where]["seconds"]
        found.setdefault(backend, {})[where] = pair
    for checkout in checkouts.values():
        checkout.ask("drop")
    return found


def calls(checkout: Checkout, name: str, backend: str, block: float) -> int:
    """The number of calls that take about `block` seconds; one if it takes longer.

    Steps of `fit` are so many that they weigh against what it does before the first.
    """
    n, known = 1, 0
    while True:
        answer = checkout.ask("time", name, backend, n)
        seconds, least = answer["seconds"], max(block / 2, 0.5 * answer["beside"])
        known += seconds > least
        if known == 2 or n >= 10**6 or answer["beside"] > 20 * block:
            return n
        if seconds <= least:
            n, known = n * 4, 0


def line(name: str, backend: str, found: dict[str, tuple[float, float]], best: float) -> str:
    cells = [f"{found[w][0] * 1e6:11.4g}" if w in found else f"{'–':>11}" for w in WHERE]
    ratio = f"{found['here'][0] / found['there'][0]:8.2f}" if len(found) == 2 else f"{'–':>8}"
    first = [f"{found[w][1]:9.3f}" if w in found else f"{'–':>9}" for w in WHERE]
    to_best = f"{found['here'][0] / best:8.2f}" if "here" in found else ""
    return f"{name:16}{backend:8}{''.join(cells)}{ratio}{to_best:>8}{''.join(first)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="beginnings of workloads' names (default all)")
    parser.add_argument("--against", type=Path, help="another checkout (default none: this alone)")
    parser.add_argument("--python", default=sys.executable, help="its interpreter")
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default 5)")
    parser.add_argument("--block", type=float, default=0.1, help="CPU seconds of a turn")
    given = parser.parse_args()
    checkouts = {"here": Checkout(HERE, sys.executable)}
    if given.against:
        checkouts["there"] = Checkout(given.against.resolve(), given.python)
    from .workloads import WORKLOADS

    print(
        f"{'':24}{'here µs':>11}{'there µs':>11}{'ratio':>8}{'to best':>8}"
        f"{'first s':>9}{'there s':>9}"
    )
    names = [name for name in WORKLOADS if not given.names or name.startswith((*given.names,))]
    for name in names:
        backends = given.backends.split(",")
        found = compared(checkouts, name, backends, given.rounds, given.block)
        best = min((each["here"][0] for each in found.values() if "here" in each), default=1.0)
        for backend, each in found.items():
            print(line(name, backend, each, best), flush=True)
    for checkout in checkouts.values():
        checkout.close()


if __name__ == "__main__":
    main()
