"""Whether memory stays flat over 100,000 steps with the cyclic collector off.

`python -m tests.benchmarks memory`

A step is the loss of one row of XOR in a 2-3-1 network, its gradient, and an update, eager and
compiled. The memory that Python tracks is read after a warm-up, and again at the end.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from functools import partial

from scalargrad import MLP
from scalargrad.nn import SGD, half_squared_error

from .contest import BACKENDS, scalargrad_compile
from .timing import QUICK, UNHURRIED, Pace, goal

STEPS, WARM_UP = 100_000, 2_000


def eager() -> Callable[[], None]:
    model = MLP(2, [3, 1], activation="sigmoid", seed=0)
    sgd = SGD(model, lr=0.1)

    def step() -> None:
        sgd.zero_grad()
        half_squared_error(model([0.0, 1.0]), 1.0).backward()
        sgd.step()

    return step


def compiled(backend: str) -> Callable[[], None]:
    f = scalargrad_compile()(lambda model, x, t: half_squared_error(model(x), t), backend=backend)
    model = MLP(2, [3, 1], activation="sigmoid", seed=0)
    state = model.state()

    def step() -> None:
        nonlocal state
        _, slopes = f.value_and_grad(state, [0.0, 1.0], 1.0)
        state = type(state)(
            model, {name: lowered(part, slopes[name]) for name, part in state.items()}
        )

    def lowered(part: object, slope: object) -> object:
        if isinstance(slope, list):
            return [lowered(w, g) for w, g in zip(part, slope)]  # type: ignore[call-overload]
        return part - 0.1 * slope  # type: ignore[operator]

    step()
    return step


def growth(step: Callable[[], None], steps: int) -> float:
    """Bytes tracked after the steps beyond those after the warm-up."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(WARM_UP):
            step()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(steps):
            step()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()


def main(pace: Pace = UNHURRIED) -> None:
    steps = STEPS // 20 if pace == QUICK else STEPS
    print(f"\nmemory: tracked after {steps:,} steps, with the collector off")
    builders: dict[str, Callable[[], Callable[[], None]]] = {
        "eager": eager,
        **{backend: partial(compiled, backend) for backend in BACKENDS},
    }
    for name, build in builders.items():
        try:
            step = build()
        except ImportError as error:
            print(f"  {name}: not here ({error})")
            continue
        goal(
            f"{name}, growth over {steps:,} steps",
            growth(step, steps) / 1000,
            at_most=steps / 1000,
            unit=" kB",
        )
