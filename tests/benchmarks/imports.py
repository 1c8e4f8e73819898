"""The time that `import scalargrad` adds to a bare interpreter, with its byte code cached.

`python -m tests.benchmarks.imports`
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from .timing import UNHURRIED, Pace, goal, machine


def main(pace: Pace = UNHURRIED) -> None:
    rounds = 6 * pace.rounds
    statements = {"bare interpreter": "pass", "import scalargrad": "import scalargrad"}
    times: dict[str, list[float]] = {name: [] for name in statements}
    with tempfile.TemporaryDirectory() as cache:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {
            "PYTHONPYCACHEPREFIX": cache
        }
        for i in range(rounds + 1):
            for name, statement in statements.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
                if i:  # the first writes the byte code
                    times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(seconds) * 1e3 for name, seconds in times.items()}
    print(f"\nimport: median of {rounds} interleaved starts")
    for name, milliseconds in medians.items():
        print(f"  {name:44}{milliseconds:12.1f} ms")
    goal(
        "above a bare interpreter",
        medians["import scalargrad"] - medians["bare interpreter"],
        at_most=15,
        unit=" ms",
    )


if __name__ == "__main__":
    print(machine())
    main()
