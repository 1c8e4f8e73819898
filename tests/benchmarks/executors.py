"""Value and gradient of a network over many rows: on one core, over threads, over processes.

`python -m tests.benchmarks executors`

What counts here is the time on the wall, the least of the rounds, and it says little on a machine
that is busy. Rows stay the same from call to call, so that workers have them; the weights change,
as in training.
"""

from __future__ import annotations

import gc
import os
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from typing import Any

import numpy as np

from scalargrad.nn import MLP, squared_error

from .contest import scalargrad_compile
from .timing import UNHURRIED, Pace

INPUTS = 8
CELLS = [  # backend, layers, rows
    ("native", [10, 1], 10_000),
    ("native", [10, 1], 100_000),
    ("native", [32, 20, 1], 10_000),
    ("native", [32, 20, 1], 100_000),
    ("native", [100, 90, 1], 1_000),
    ("native", [100, 90, 1], 10_000),
    ("python", [10, 1], 100),
    ("python", [10, 1], 1_000),
    ("python", [10, 1], 10_000),
]


def loss(net: Any, x: Any, y: Any) -> Any:
    return squared_error(net(x), y)


def seconds(f: Any, state: Any, x: Any, y: Any, executor: Executor | None, pace: Pace) -> float:
    """The least seconds of a call, of as many as fit into the time of a turn."""
    options = {} if executor is None else {"executor": executor}
    for _ in range(4):  # machine code is made, and what stays the same is sent
        f.value_and_grad(state, x, y, **options)
    gc.collect()
    least, end = float("inf"), time.perf_counter() + 6 * pace.block
    while time.perf_counter() < end:
        state["W1"] += 1e-6
        start = time.perf_counter()
        f.value_and_grad(state, x, y, **options)
        least = min(least, time.perf_counter() - start)
    return least


def main(pace: Pace = UNHURRIED) -> None:
    workers = os.cpu_count() or 1
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg()) if hasattr(os, "getloadavg") else "?"
    print(f"\nvalue and gradient, ms on the wall; {workers} workers; load of the machine: {load}")
    print(f"  {'':32}{'alone':>10}{'threads':>10}{'':7}{'processes':>10}")
    rng = np.random.default_rng(0)
    with ExitStack() as stack:
        executors: dict[str, Executor | None] = {
            "alone": None,
            "threads": stack.enter_context(ThreadPoolExecutor(workers)),
            "processes": stack.enter_context(
                ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
            ),
        }
        for backend, layers, rows in CELLS:
            net = MLP(INPUTS, layers, activation="tanh", seed=0)
            f = scalargrad_compile()(loss, rows=("x", "y"), backend=backend)
            x, y, state = rng.normal(size=(rows, INPUTS)), rng.normal(size=rows), net.state()
            found = dict.fromkeys(executors, float("inf"))
            for _ in range(max(1, pace.rounds // 2)):
                for name, executor in executors.items():
                    found[name] = min(found[name], seconds(f, state, x, y, executor, pace))
            alone, *shared = [found[name] * 1e3 for name in executors]
            texts = "".join(f"{ms:10.3g} {alone / ms:5.2f}×" for ms in shared)
            what = f"{backend}, {rows:,} × {len(net.parameters()):,}"
            print(f"  {what:32}{alone:10.3g}{texts}", flush=True)


if __name__ == "__main__":
    main()
