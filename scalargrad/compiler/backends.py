"""The backends by name, what each needs, and which one suits a program: the reason stands on a Plan.   (floor 3)"""

from __future__ import annotations

from importlib.util import find_spec

from .arguments import as_lists
from .program import Program, operations
from .roll import is_scattered, rolled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

BACKENDS = ("auto", "python", "numpy", "native")
NEEDS = {"numpy": "numpy", "native": "numba"}  # what must be installed for which

# What a call costs, in µs, as `python -m tests.benchmarks backends` measures it.
STEP = 0.025  # an operation in plain Python
LINE = 1.3  # a line of NumPy
NUMBER = 0.0012  # a number of an array that is computed
PRODUCT = 0.0002  # a number and its factor in a matrix product
BACKWARD = 3.0  # value and slopes against the value alone
NATIVE_MOST = 8.0  # seconds that making machine code may take, unasked
NATIVE_FROM = 15.0  # what another backend must take before compiling for the processor is worth it


class Plan:
    """Which backend a compiled function takes for its arguments, and why.

    `operations` is how many elementary operations the value takes for a row, a dot of n being 2n; `rows` is how many
    rows were given, 0 if none of the arguments carries them.
    """

    def __init__(self, backend: str, reason: str, operations: int, rows: int, estimates: dict[str, float]) -> None:
        self.backend, self.reason, self.operations, self.rows, self.estimates = backend, reason, operations, rows, estimates

    def __repr__(self) -> str:
        return f"{self.backend}: {self.reason}"


def is_installed(backend: str) -> bool:
    """Whether what a backend needs can be imported."""
    return backend not in NEEDS or find_spec(NEEDS[backend]) is not None


def check(backend: str) -> None:
    """Refuse what is no backend, or lacks what it needs."""
    if backend not in BACKENDS:
        raise ValueError(f"backend={backend!r} is none of {', '.join(map(repr, BACKENDS))}")
    if not is_installed(backend):
        need = NEEDS[backend]
        raise ImportError(f"backend={backend!r} needs {need}, the '{backend}' extra: pip install {need}; backend='python' needs nothing")


def choose(backend: str, program: Program, kind: str, contents: Sequence[Any]) -> str:
    """The backend that a call takes; decided once for each order of magnitude of rows."""
    if backend != "auto":
        return backend
    rows = _rows(program, contents)
    key = kind, rows.bit_length()
    if key not in program.choices:
        program.choices[key] = plan_of(backend, program, kind, rows).backend
    return program.choices[key]


def plan(backend: str, program: Program, kind: str, contents: Sequence[Any]) -> Plan:
    """The backend that a call takes, and why."""
    return plan_of(backend, program, kind, _rows(program, contents))


def _rows(program: Program, contents: Sequence[Any]) -> int:
    return next((len(content) for block, content in zip(program.blocks, contents) if block.has_rows), 0)


def plan_of(backend: str, program: Program, kind: str, rows: int) -> Plan:
    """The plan for so many rows, 0 where no argument carries them."""
    count = operations(program)
    times = max(1, rows)
    factor = 1.0 if kind == "value" else BACKWARD
    too_few = f"too few of {count:,} operations are alike for arrays"
    if backend != "auto":
        by_number = backend == "numpy" and is_scattered(program)
        return Plan(backend, "as asked for" + f"; {too_few}: number by number, between arrays" * by_number, count, rows, {})
    estimates = {"python": STEP * factor * count * times}
    if not is_installed("numpy"):
        return Plan("python", "NumPy is not installed", count, rows, estimates)
    if estimates["python"] < LINE * 8:
        return Plan("python", f"{count * times:,} operations are done before an array is made", count, rows, estimates)
    if not is_scattered(program):
        estimates["numpy"] = factor * _on_arrays(program, times)
    best = min(estimates, key=lambda name: estimates[name])
    if is_installed("native") and estimates[best] > NATIVE_FROM and native_seconds(program) < NATIVE_MOST:
        return Plan("native", f"{count * times:,} operations a call, and numba is installed", count, rows, estimates)
    if len(estimates) == 1:
        return Plan(best, too_few, count, rows, estimates)
    return Plan(best, f"about {_time(estimates[best])} a call, and {_time(max(estimates.values()))} otherwise", count, rows, estimates)


def native_seconds(program: Program) -> float:
    """How long machine code takes to be made, about, where it is not on disk yet: a fraction of a second for each vector."""
    most = operations(program) / 20.0
    return 0.5 + 0.4 * (most if is_scattered(program) else min(len(rolled(program).vectors), most))


def _on_arrays(program: Program, rows: int) -> float:
    """What a value costs on arrays."""
    total = 0.0
    for vector in rolled(program).vectors:
        times = rows if vector.has_rows else 1
        inner = vector.operands[0].index.shape[-1] if vector.row.takes_lists else 1
        total += LINE + times * vector.size * (inner * PRODUCT if vector.row.name == "dot" else inner * NUMBER)
    return total


def _time(us: float) -> str:
    return f"{us:.0f} µs" if us < 1000 else f"{us / 1000:.1f} ms"


class OnPython:
    """A program in plain Python, called with the contents of blocks as they came."""

    backend = "python"

    def __init__(self, program: Program, name: str, kind: str, reduce: str | None) -> None:
        from .in_python.source import PythonFunction

        self.function = PythonFunction(program, name, kind, reduce)
        self.source = self.function.source

    def __call__(self, contents: Sequence[Any]) -> Any:
        return self.function([x if x.__class__ is float else as_lists(x) for x in contents])


def build(backend: str, program: Program, name: str, kind: str, reduce: str | None) -> Any:
    """The function of a program in a backend: called with the contents of its blocks."""
    if backend == "native":
        from .in_native.function import NativeFunction

        return NativeFunction(program, name, kind, reduce)
    if backend == "numpy":
        from .in_numpy.function import NumpyFunction

        return NumpyFunction(program, name, kind, reduce)
    return OnPython(program, name, kind, reduce)
