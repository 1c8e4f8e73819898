"""The backends by name, what each needs, and a Plan: the one that suits, and why.   (floor 3)"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from importlib.util import find_spec
from math import ceil
from typing import Any, NamedTuple

from . import machine
from .program import Program, operations
from .roll import has_pattern, is_scattered, rolled

BACKENDS = ("auto", "python", "numpy", "native")
# The µs that each takes, as `python -m tests.benchmarks backends` measures it.
# fmt: off
#            a call  a vector  a number  a term of a dot: of the value alone but for the call
COSTS = {
    "python": (4.0,  0.0,      0.03,     0.022),
    "numpy":  (8.0,  0.8,      0.0016,   0.00005),
    "native": (5.0,  0.0,      0.001,    0.00004),
}
# fmt: on
BACKWARD = 3.0  # value and slopes against the value alone
LOADING = 0.03  # seconds in which machine code is looked for and loaded
MAKING = 0.2  # seconds in which a C compiler makes machine code of any program
OF_A_VECTOR = 0.03  # and more for each vector,
OF_A_LINE = 0.00025  # or for each operation that is written out
PATIENCE = 10.0  # seconds that making it may take, unasked


class Plan(NamedTuple):
    """The backend that a compiled function takes for its arguments, and why.

    `operations` is how many elementary operations the value takes for a row, a dot of n being 2n;
    `rows` is how many rows were given, 0 if none of the arguments carries them; `estimates` is how
    many µs a step takes, by backend. After `until` steps another plan is to be made; never, where
    that is 0.
    """

    backend: str
    reason: str
    operations: int
    rows: int
    estimates: dict[str, float]
    until: int = 0

    @property
    def without_native(self) -> str:
        """The backend that suits where there is no machine code."""
        others = {name: time for name, time in self.estimates.items() if name != "native"}
        return min(others, key=others.__getitem__, default=self.backend)

    def after(self, failure: Exception) -> Plan:
        """The plan where machine code could not be made."""
        what = " ".join(f"{type(failure).__name__}: {failure}".split())
        reason = f"machine code could not be made: {textwrap.shorten(what, 200)}"
        return self._replace(backend=self.without_native, reason=reason, until=0)

    def __repr__(self) -> str:
        return f"{self.backend}: {self.reason}"


def is_installed(backend: str) -> bool:
    """Whether what a backend needs is there: NumPy, and for machine code a C compiler."""
    if backend not in ("numpy", "native"):
        return True
    return find_spec("numpy") is not None and (backend == "numpy" or machine.compiler() is not None)


def check(backend: str) -> None:
    """Refuse what is no backend, or lacks what it needs."""
    if backend not in BACKENDS:
        raise ValueError(f"backend={backend!r} is none of {', '.join(map(repr, BACKENDS))}")
    if not is_installed(backend):
        need = "numpy, the 'numpy' extra: pip install numpy"
        if is_installed("numpy"):
            need = f"a C compiler: {machine.ADVICE}"
        raise ImportError(f"backend={backend!r} needs {need}; backend='python' needs nothing")


def plan_of(
    backend: str, program: Program, kind: str, rows: int, steps: int, calls: int,
    is_made: Callable[[], bool],
) -> Plan:  # fmt: skip
    """The plan for `steps` steps in `calls` calls on so many rows, 0 if no argument carries them.

    Machine code is taken where it spares more in all of the steps than it takes to load it, if it
    `is_made` already, or else to make it. That is asked only where it matters, and not of programs
    that it would take minutes to make it of.
    """
    count, times = operations(program), max(1, rows)
    estimates: dict[str, float] = {}

    def plan(chosen: str, reason: str, until: int = 0) -> Plan:
        return Plan(chosen, reason, count, rows, estimates, until)

    of_python = of_python_functions(program)
    too_few = f"too few of {count:,} operations are alike for arrays"
    if backend != "auto":
        if of_python and backend == "native":
            raise ValueError(
                f"backend='native' cannot compile {of_python}, an operation of Python functions: "
                "take backend='numpy' or 'python'"
            )
        by_number = backend == "numpy" and is_scattered(program)
        asked = f"as asked for; {too_few}: in plain Python, number by number"
        return plan(backend, asked if by_number else "as asked for")
    if not is_installed("numpy"):
        return plan("python", "NumPy is not installed")
    walks = 0 if kind == "value" else len(program.outputs)  # back, one for each output
    factor, share = 1.0 + (BACKWARD - 1.0) * walks, calls / max(1, steps)

    def estimate(name: str) -> float:
        """The µs of a step."""
        call, *costs = COSTS[name]
        return share * call + factor * sum(cost * n for cost, n in zip(costs, sizes))

    terms = sum(len(step.operands) // 2 for step in program.steps if step.op.name == "dot")
    sizes = 0, times * (count - 2 * terms), times * terms
    estimates["python"] = estimate("python")
    if estimates["python"] < share * min(COSTS["numpy"][0], COSTS["native"][0]):
        return plan("python", f"{count * times:,} operations are done before an array is made")
    if not is_scattered(program):
        sizes = _on_arrays(program, times)
        estimates["numpy"] = estimate("numpy")
    best = min(estimates, key=estimates.__getitem__)
    usual = f"about {_time(estimates[best])} a step, and "
    usual += f"{_time(max(estimates.values()))} otherwise" if len(estimates) > 1 else too_few
    if of_python:
        return plan(best, usual)
    if not is_installed("native"):
        return plan(best, f"{usual}; machine code needs a C compiler: {machine.ADVICE}")
    estimates["native"] = estimate("native")
    spared = (estimates[best] - estimates["native"]) * 1e-6
    if spared <= 0.0 or native_seconds(program) > PATIENCE:
        return plan(best, usual)
    seconds, verb = LOADING, "loading"
    if spared * steps > seconds and not is_made():
        seconds, verb = native_seconds(program), "making"
    native = _time(estimates["native"])
    if spared * steps > seconds:
        takes = f"{verb} machine code takes, some {seconds:.1f} s"
        spares = f"{_time(estimates[best])} otherwise; in {steps:,} steps this spares more than"
        return plan("native", f"about {native} a step, and {spares} {takes}")
    until = max(steps, ceil(seconds / spared))
    return plan(best, f"{usual}; machine code, {native}, may pay after {until:,} steps", until)


def of_python_functions(program: Program) -> str:
    """The name of an operation that calls a user's Python functions; empty if there is none."""
    return next((step.op.name for step in program.steps if step.op.is_python), "")


def native_seconds(program: Program) -> float:
    """The seconds, about, to make machine code: some at once, and more for each vector, or for
    each operation and walk back.
    """
    count = operations(program)
    if not has_pattern(program):
        return MAKING + OF_A_LINE * count * (1 + len(program.outputs))
    return MAKING + OF_A_VECTOR * min(len(rolled(program).vectors), count / 20.0)


def _on_arrays(program: Program, rows: int) -> tuple[int, int, int]:
    """The counts of a program's vectors on arrays, of numbers computed there, of terms of dots."""
    vectors, found = rolled(program).vectors, {True: 0, False: 0}
    for vector in vectors:
        inner = vector.operands[0].index.shape[-1] if vector.op.takes_lists else 1
        size = (rows if vector.has_rows else 1) * vector.size * inner
        found[vector.op.name == "dot"] += size
    return len(vectors), found[False], found[True]


def _time(us: float) -> str:
    return f"{us:.2g} µs" if us < 1 else f"{us:.0f} µs" if us < 1000 else f"{us / 1000:.1f} ms"


def build(backend: str, program: Program, name: str, kind: str, reduce: str | None) -> Any:
    """The function of a program in a backend: called with the contents of its blocks."""
    if backend == "native":
        from .native import NativeFunction

        return NativeFunction(program, name, kind, reduce)
    if backend == "numpy" and not is_scattered(program):
        from .on_numpy import NumpyFunction

        return NumpyFunction(program, name, kind, reduce)
    from .emitters.python import PythonFunction

    return PythonFunction(program, name, kind, reduce)
