"""The price of machine code: CPU seconds from nothing to the first step.

`python -m tests.benchmarks compiling`

Each is measured twice, with an empty cache and with the cache that the first process left, and each
in a process of its own that has imported NumPy and made the network. The seconds are those of
tracing, of making the machine code, the C compiler's among them, of a training step (W1, W2)
or of value and gradient (W3), and of that step.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from .timing import UNHURRIED, Pace, goal, unmeasured

NETWORKS = {
    "xor": "W1: 2-3-1, training",
    "moons": "W2: 2-16-16-1, training",
    "digits": "W3: 784-16-16-10, value and gradient, 100 rows",
}
GOALS = {"xor": 0.6, "moons": 0.8, "digits": 1.2}
ON_DISK = 0.05
FOLDERS = ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME")  # where a cache may be


def cpu() -> float:
    """CPU seconds of this process and of those that it waited for."""
    return sum(os.times()[:4])


def first_step(name: str) -> float:
    """CPU seconds of the first step in this process."""
    from . import digits, moons, xor
    from .contest import scalargrad_compile
    from .networks import fitted, nn

    if name == "digits":
        import numpy as np

        task = digits.HUNDRED
        state, X, y = task.model().state(), np.array(task.X), np.array(task.y)
        start = cpu()
        f = scalargrad_compile()(
            lambda model, x, t: nn.squared_error(model(x), t), rows=("x", "t"), backend="native"
        )
        f.value_and_grad(state, X, y)
    else:
        task = {"xor": xor, "moons": moons}[name].TASK
        model = task.model()
        state = model.state()
        start = cpu()
        fitted(task, model, state, 1, engine="compiled", backend="native")
    return cpu() - start


def seconds_of(name: str, codes: str) -> tuple[float, float]:
    """CPU seconds of the first step in two processes: with an empty cache, then with a full one.

    Python's own byte code is cached in the folder `codes`.
    """
    command = [sys.executable, "-m", __spec__.name, name]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **dict.fromkeys(FOLDERS, folder), "PYTHONPYCACHEPREFIX": codes}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        empty, left = (
            float(
                subprocess.run(
                    command,
                    check=True,
                    env=environment,
                    cwd=Path(__file__).parents[2],
                    capture_output=True,
                ).stdout
            )
            for _ in range(2)
        )
    return empty, left


def main(pace: Pace = UNHURRIED) -> None:
    from scalargrad.compiler import machine

    if machine.compiler() is None:
        unmeasured("making machine code", "a C compiler")
        return
    rounds = min(pace.rounds, 3)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in NETWORKS}
    with tempfile.TemporaryDirectory() as codes:
        for name, seconds in taken.items():
            seconds_of(name, codes)  # now Python has compiled the package
            seconds += [seconds_of(name, codes) for _ in range(rounds)]
    print(
        f"\nmachine code: CPU seconds to the first step, median of {rounds}\n"
        f"  {'':50}{'empty cache':>12}{'on disk':>12}"
    )
    medians = {
        name: [statistics.median(column) for column in zip(*seconds)]
        for name, seconds in taken.items()
    }
    for name, (empty, left) in medians.items():
        print(f"  {NETWORKS[name]:50}{empty:12.2f}{left:12.2f}")
    for name, most in GOALS.items():
        goal(
            f"{NETWORKS[name]}, machine code from an empty cache",
            medians[name][0],
            at_most=most,
            unit=" s",
        )
    for name in ("xor", "moons"):
        what = f"{NETWORKS[name]}, machine code on disk"
        goal(what, medians[name][1], at_most=ON_DISK, unit=" s")


if __name__ == "__main__":
    print(first_step(sys.argv[1]))
