"""The error that rounding explains, by a running analysis, and the truth that it is held against.

Every operation is granted the ulps that `oracle` grants it; forwards, errors of operands reach the
result by its slopes; backwards, an error of an operand changes the slopes too (by how much, the operation at a number
nearby tells), and errors of slopes add up along all paths. The truth is mpmath's value of the whole program at 100
digits, and its difference, which knows no rule of calculus.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mpmath import mp, mpf

from scalargrad.ops import LISTS, OPS, Op
from scalargrad.rows.text import on_floats

from . import oracle
from .programs import Operand, Program, Step, mapped, run

ULP = 2.0**-52
TINY = 1e-322  # what underflow adds
NEARBY = 1e-8
SAFE = (1e-60, 1e60)  # within it no partial result of a slope overflows
LOST = 1e-9  # a program whose error may be larger than this part of its slope is left out

SHARP_AT_0 = ("abs", "sign", "relu", "leaky_relu", "elu", "cbrt", "reciprocal")


class Irregular(Exception):
    """The program meets a point where a difference says nothing; the text says which kind."""


class Rounded(NamedTuple):
    """The slopes of a step by all its operands in one list, how far each may be off, and the places of the operands."""

    places: list[Any]
    slopes: list[float]
    errors: list[float]


def gaps(
    op: Op, numbers: list[Any], places: list[Any]
) -> Iterator[tuple[float, tuple[Operand, ...]]]:
    """Distances to points without a slope, and the operands whose errors count."""
    if op.takes_lists:
        if op.name == "norm":
            yield max(map(abs, numbers[0])), tuple(places)
        elif op.name in ("max", "min"):
            best = {"max": max, "min": min}[op.name](numbers[0])
            at = places[numbers[0].index(best)]
            yield from (
                (abs(best - x), (at, place))
                for x, place in zip(numbers[0], places, strict=True)
                if place != at
            )
    elif op.name in ("maximum", "minimum"):
        if places[0] != places[1]:
            yield abs(numbers[0] - numbers[1]), tuple(places)
    elif op.name == "clip":
        yield from (
            (abs(numbers[0] - numbers[i]), (places[0], places[i]))
            for i in (1, 2)
            if places[0] != places[i]
        )
    elif op.name in ("hypot", "arctan2"):
        yield max(map(abs, numbers)), tuple(places)
        if op.name == "arctan2" and numbers[1] < 0.0:
            yield abs(numbers[0]), (places[0],)
    elif op.name == "pow" and numbers[0] < 0.0 and isinstance(places[1], int):
        yield 0.0, ()  # no power is real beside a whole one
    elif op.name == "div":
        yield abs(numbers[1]), (places[1],)
    elif op.name == "mod":  # it jumps where x / y is whole; an error of y counts x / y times
        x, y = numbers
        turns = x / y if y else 0.0
        yield abs(turns - round(turns)) * abs(y) / max(1.0, abs(turns)), tuple(places)
    elif op.name in SHARP_AT_0:
        yield abs(numbers[0]), (places[0],)
    else:
        for x, place, (low, high) in zip(numbers, places, op.domain, strict=False):
            if not low <= x <= high and op.name != "pow":
                yield 0.0, ()  # xlogy(0, -1) has a value, and no slopes
            yield from ((abs(x - end), (place,)) for end in (low, high) if math.isfinite(end))


def granted(op: Op, what: str, numbers: list[Any], result: float) -> float:
    """The error that the oracle grants a value or a slope."""
    exception = oracle.EXCEPTIONS.get((op.name, what))
    size = (
        max(abs(result), abs(float(exception.term(*oracle.exact(numbers)))))
        if exception
        else abs(result)
    )
    return oracle.budget(op.name, what) * ULP * size + TINY


def shifted(operands: tuple[Any, ...], numbers: list[Any], place: int, by: float) -> list[Any]:
    """The numbers with one leaf or step moved wherever it is an operand."""
    left = iter(oracle.flat(numbers))
    return mapped(operands, lambda o: next(left) + by if o is place else next(left))


def rounded_step(
    step: Step, values: list[float], errors: list[float]
) -> tuple[float, float, Rounded]:
    """The value of a step, how far it may be off, and its slopes with the same; Irregular at a kink or a pole."""
    op, places = OPS[step.op_name], list[Any](oracle.flat(step.operands))
    numbers = mapped(step.operands, lambda o: values[o] if isinstance(o, int) else o)
    total = on_floats(op)["total"]
    out, *nested = total(*numbers)
    for x in (*oracle.flat(numbers), out):
        if not (x == 0.0 or SAFE[0] < abs(x) < SAFE[1]):
            raise Irregular("too large or small" if math.isfinite(x) else "not finite")
    ends = [*gaps(op, numbers, places)]
    for distance, near in ends:
        if distance <= 4.0 * sum(errors[o] for o in near if isinstance(o, int)):
            raise Irregular("at a kink or a pole")
    slopes, spread = oracle.flat(nested), [0.0] * len(places)
    for place in {o for o in places if isinstance(o, int) and errors[o]}:
        # near an end of its domain a slope changes fast: the nearer the end, the nearer the number
        nearest = min([d / 8.0 for d, near in ends if place in near], default=math.inf)
        by = max(errors[place], min(abs(values[place]) * NEARBY, nearest))  # nan, if the error is
        there = oracle.flat(total(*shifted(step.operands, numbers, place, by))[1:])
        for i, (s, t) in enumerate(zip(slopes, there, strict=True)):
            spread[i] += abs(t - s) * errors[place] / by
    names = [
        f"d{name}"
        for name, n in zip(op.operands, numbers, strict=True)
        for _ in (n if name in LISTS else (n,))
    ]
    slope_errors = [
        s + granted(op, what, numbers, slope)
        for s, slope, what in zip(spread, slopes, names, strict=True)
    ]
    error = sum(
        abs(s) * errors[o] for s, o in zip(slopes, places, strict=True) if isinstance(o, int)
    )
    return out, error + granted(op, "out", numbers, out), Rounded(places, slopes, slope_errors)


class Bounds(NamedTuple):
    value: float
    slopes: list[float]
    sizes: list[float]  # the sums of |slope| over all paths


def bounds(program: Program) -> Bounds:
    """The errors allowed to the value and the slopes; Irregular where a difference would say nothing."""
    values, rounded = list(program.leaves), []
    errors = [0.0] * len(values)
    for step in program.steps:
        out, error, slopes = rounded_step(step, values, errors)
        values.append(out)
        errors.append(error)
        rounded.append(slopes)
    off, size, readers = [0.0] * len(values), [0.0] * len(values), [0] * len(values)
    size[-1] = 1.0
    for i in range(len(values) - 1, len(program.leaves) - 1, -1):
        if size[i] or off[i]:  # a slope of 0 is not passed on
            off[i] += readers[i] * ULP * size[i]
            for place, slope, error in zip(*rounded[i - len(program.leaves)], strict=True):
                if isinstance(place, int):
                    size[place] += abs(slope) * size[i]
                    off[place] += abs(slope) * off[i] + error * (size[i] + off[i]) + TINY
                    readers[place] += 1
    n = len(program.leaves)
    return Bounds(errors[-1], [off[i] + readers[i] * ULP * size[i] for i in range(n)], size[:n])


# ------------------------------------------------------------------ the truth

DIGITS = (100, 900)  # the second where the first cannot tell a slope from 0


class Truth(NamedTuple):
    value: mpf
    slopes: list[mpf]
    blurs: list[float]  # how far the difference may be from the slope


def differences(program: Program, allowed: Bounds) -> Truth:
    """The value and the slopes by the leaves, each as a difference of the whole program."""

    def root(leaves: Sequence[mpf]) -> mpf:
        return run(
            program, leaves, lambda op_name, operands: oracle.REFERENCES[op_name](*operands), mpf
        )[-1]

    for digits in DIGITS:
        mp.dps = digits
        leaves, relative = [mpf(x) for x in program.leaves], mpf(10) ** (-0.35 * digits)
        value, slopes, blurs = root(leaves), [], []
        for i, x in enumerate(leaves):
            size = abs(x) or mpf(1)
            step = size * relative
            slopes.append((root([*leaves[:i], x + step, *leaves[i + 1 :]]) - value) / step)
            blurs.append(
                float((allowed.value / ULP + 1.0) / size * relative * 1e6)
            )  # curvature; rounding is far less
        if all(
            b < 0.01 * slope + TINY or not size
            for b, slope, size in zip(blurs, allowed.slopes, allowed.sizes, strict=True)
        ):
            break
    return Truth(value, slopes, blurs)
