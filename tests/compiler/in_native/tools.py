"""What tests of source for numba share: Python reads it, where the breadth of cases matters and not the machine code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scalargrad import floats
from scalargrad.compiler.in_native import machine


def _as_numba(function: Callable[..., float]) -> Callable[..., Any]:
    return lambda *args: np.float64(function(*args))


def read_by_python(source: str, name: str) -> Callable[..., Any]:
    """The function of a source as Python runs it; what numba computes by itself, arithmetic that never raises, is lent to it."""
    names = {**machine.machine_names(), **{name: _as_numba(function) for name, function in floats.TOTAL.items()}}
    exec(source, names)

    def quiet(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return names[name](*[np.float64(x) if isinstance(x, float) else x for x in args])

    return quiet
