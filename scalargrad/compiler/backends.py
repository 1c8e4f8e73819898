"""The backends by name, what each needs, and which one suits a program: the reason stands on a Plan.   (floor 3)"""

from __future__ import annotations

import textwrap
from importlib.util import find_spec
from math import ceil

from . import machine
from .arguments import as_lists
from .program import Program, operations
from .roll import has_pattern, is_scattered, rolled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

BACKENDS = ("auto", "python", "numpy", "native")
# What each takes, in µs, as `python -m tests.benchmarks backends` measures it.
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
OF_A_VECTOR, OF_A_LINE = (
    0.03,
    0.00025,
)  # and more for each vector, and for each operation that is written out
PATIENCE = 10.0  # seconds that making it may take, unasked


class Plan:
    """Which backend a compiled function takes for its arguments, and why.

    `operations` is how many elementary operations the value takes for a row, a dot of n being 2n; `rows` is how many rows were given,
    0 if none of the arguments carries them; `estimates` is how many µs a step takes, by backend. After `until` steps another plan
    is to be made; never, where that is 0.
    """

    def __init__(
        self,
        backend: str,
        reason: str,
        operations: int,
        rows: int,
        estimates: dict[str, float] | None = None,
        until: int = 0,
    ) -> None:
        self.backend, self.reason, self.operations, self.rows = backend, reason, operations, rows
        self.estimates, self.until = estimates or {}, until

    @property
    def without_native(self) -> str:
        """The backend that suits where there is no machine code."""
        return _best(
            {name: time for name, time in self.estimates.items() if name != "native"}, self.backend
        )

    def after(self, failure: Exception) -> Plan:
        """The plan where machine code could not be made."""
        what = " ".join(f"{type(failure).__name__}: {failure}".split())
        reason = f"machine code could not be made: {textwrap.shorten(what, 200)}"
        return Plan(self.without_native, reason, self.operations, self.rows, self.estimates)

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
    backend: str,
    program: Program,
    kind: str,
    rows: int,
    steps: int,
    calls: int,
    is_made: Callable[[], bool],
) -> Plan:
    """The plan for `steps` steps in `calls` calls on so many rows, 0 where no argument carries them.

    Machine code is taken where what it spares in all of the steps is more than what it takes to load it, if it `is_made` already, or
    else to make it. That is asked only where it matters, and not of programs that it would take minutes to make it of.
    """
    count, times = operations(program), max(1, rows)
    of_python = of_python_functions(program)
    if of_python and backend == "native":
        raise ValueError(
            f"backend='native' cannot compile {of_python}, an operation of Python functions: "
            "take backend='numpy' or 'python'"
        )
    too_few = f"too few of {count:,} operations are alike for arrays"
    if backend != "auto":
        by_number = backend == "numpy" and is_scattered(program)
        return Plan(
            backend,
            "as asked for" + f"; {too_few}: number by number, between arrays" * by_number,
            count,
            rows,
        )
    if not is_installed("numpy"):
        return Plan("python", "NumPy is not installed", count, rows)
    walks = 0 if kind == "value" else len(program.outputs)  # back, one for each output
    factor, share = 1.0 + (BACKWARD - 1.0) * walks, calls / max(1, steps)
    terms = sum(len(step.operands) // 2 for step in program.steps if step.op.name == "dot")
    sizes = 0, times * (count - 2 * terms), times * terms
    estimates = {"python": _estimate("python", share, factor, *sizes)}
    if estimates["python"] < share * min(COSTS["numpy"][0], COSTS["native"][0]):
        return Plan(
            "python",
            f"{count * times:,} operations are done before an array is made",
            count,
            rows,
            estimates,
        )
    if not is_scattered(program):
        sizes = _on_arrays(program, times)
        estimates["numpy"] = _estimate("numpy", share, factor, *sizes)
    best = _best(estimates)
    usual = f"about {_time(estimates[best])} a step, and "
    usual += f"{_time(max(estimates.values()))} otherwise" if len(estimates) > 1 else too_few
    if of_python:
        return Plan(best, usual, count, rows, estimates)
    if not is_installed("native"):
        usual += f"; machine code needs a C compiler: {machine.ADVICE}"
        return Plan(best, usual, count, rows, estimates)
    estimates["native"] = _estimate("native", share, factor, *sizes)
    spared = (estimates[best] - estimates["native"]) * 1e-6
    if spared <= 0.0 or native_seconds(program, False) > PATIENCE:
        return Plan(best, usual, count, rows, estimates)
    seconds, is_there = native_seconds(program, True), True
    if spared * steps > seconds and not is_made():
        seconds, is_there = native_seconds(program, False), False
    if spared * steps > seconds:
        what = f"in {steps:,} steps this spares more than {'loading' if is_there else 'making'} machine code takes, some {seconds:.1f} s"
        return Plan(
            "native",
            f"about {_time(estimates['native'])} a step, and {_time(estimates[best])} otherwise; {what}",
            count,
            rows,
            estimates,
        )
    until = max(steps, ceil(seconds / spared))
    return Plan(
        best,
        f"{usual}; machine code, {_time(estimates['native'])}, may pay after {until:,} steps",
        count,
        rows,
        estimates,
        until,
    )


def of_python_functions(program: Program) -> str:
    """The name of an operation that calls a user's Python functions; empty if there is none."""
    return next((step.op.name for step in program.steps if step.op.is_python), "")


def native_seconds(program: Program, is_made: bool) -> float:
    """How long it takes, about, to load machine code or to make it: then more for each vector, or for each operation and walk back."""
    if is_made:
        return LOADING
    count = operations(program)
    if not has_pattern(program):
        return MAKING + OF_A_LINE * count * (1 + len(program.outputs))
    return MAKING + OF_A_VECTOR * min(len(rolled(program).vectors), count / 20.0)


def _on_arrays(program: Program, rows: int) -> tuple[int, int, int]:
    """How many vectors a program has on arrays, numbers that are computed in them, and terms of dots."""
    vectors = rolled(program).vectors
    numbers = terms = 0
    for vector in vectors:
        size = (rows if vector.has_rows else 1) * vector.size
        inner = vector.operands[0].index.shape[-1] if vector.op.takes_lists else 1
        if vector.op.name == "dot":
            terms += size * inner
        else:
            numbers += size * inner
    return len(vectors), numbers, terms


def _estimate(
    backend: str, calls: float, factor: float, vectors: int, numbers: int, terms: int
) -> float:
    """The µs of a step."""
    call, vector, number, term = COSTS[backend]
    return calls * call + factor * (vectors * vector + numbers * number + terms * term)


def _best(estimates: dict[str, float], default: str = "") -> str:
    return min(estimates, key=estimates.__getitem__, default=default)


def _time(us: float) -> str:
    return f"{us:.2g} µs" if us < 1 else f"{us:.0f} µs" if us < 1000 else f"{us / 1000:.1f} ms"


class OnPython:
    """A program in plain Python, called with the contents of blocks as they came."""

    backend = "python"

    def __init__(self, program: Program, name: str, kind: str, reduce: str | None) -> None:
        from .emitters.python import PythonFunction

        self.function = PythonFunction(program, name, kind, reduce)
        self.source = self.function.source

    def __call__(self, contents: Sequence[Any]) -> Any:
        return self.function([x if x.__class__ is float else as_lists(x) for x in contents])


def build(backend: str, program: Program, name: str, kind: str, reduce: str | None) -> Any:
    """The function of a program in a backend: called with the contents of its blocks."""
    if backend == "native":
        from .native import NativeFunction

        return NativeFunction(program, name, kind, reduce)
    if backend == "numpy":
        from .on_numpy import NumpyFunction

        return NumpyFunction(program, name, kind, reduce)
    return OnPython(program, name, kind, reduce)
