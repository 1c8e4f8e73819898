"""Tools of the tests of compile: functions compiled in plain Python, functions that count their calls."""

from __future__ import annotations

import functools

import scalargrad as sg
from scalargrad.nn import squared_error


def compiled(fn, **options):
    """In plain Python, unless a test says otherwise."""
    return sg.compile(fn, **{"backend": "python", **options})


def counted(fn):
    """The function, and a list that grows with its calls: a trace makes two."""
    calls: list[int] = []

    @functools.wraps(fn)
    def counting(*args, **options):
        calls.append(1)
        return fn(*args, **options)

    return counting, calls


def tanh_of_line(w, x, b=0.5):
    return sg.tanh(w * x + b)


def mean_of_squares(model, x, y):
    return squared_error(model(x), y)
