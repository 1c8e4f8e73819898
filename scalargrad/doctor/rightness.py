"""Whether a gradient is right, before any hypothesis is tried.   (floor 2)

How far rounding may reach is computed for each number, from the graph. So 1e-9 of a number is
noticed, and a right gradient in single precision is right.
"""

from __future__ import annotations

from math import isfinite, log10

from ..points import same
from ..rows.methods import evaluated
from ..value import Value
from ..wording import counted, figure, said
from .blocks import size_of
from .diagnosis import Diagnosis, without_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .study import Case, Numbers
    from .tape import Edges, Tape

IMPRECISE = 1e-3  # of the gradient: an error that is smaller is a loss of digits


def first_finding(case: Case, sides: list[Numbers]) -> Diagnosis:
    """The finding about a gradient that no hypothesis was tried on.

    `sides` are the gradients on both sides of kinks: a number between them is right too.
    """
    name = case.block.name
    if _is_right(case, sides):
        return without_place("right", said("right", yours=name), 1.0)
    if len(case.given.numbers) != len(case.exact):
        words = f"given with the shape {case.given.shape}, expected {case.block.shape}"
        return without_place("shape", f"{name} is {words}")
    return _not_finite(case) or _unexplained(case)


def _is_right(case: Case, sides: list[Numbers]) -> bool:
    """Whether all numbers are exact up to rounding, or between the two sides of a kink."""
    if not _fits(case.given.shape, case.block.shape):
        return False
    for yours, exact, tolerance, *ends in zip(
        case.given.numbers, case.exact, case.tolerances(), *sides
    ):
        low, high = min([exact, *ends]), max([exact, *ends])
        if not (low - tolerance <= yours <= high + tolerance or same(yours, exact)):
            return False
    return True


def _fits(given: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array of the one shape can be subtracted from one of the other, entry by entry."""
    return size_of(given) == size_of(shape) and (
        given == shape or size_of(shape) == 1 or shape[len(shape) - len(given) :] == given
    )


def _not_finite(case: Case) -> Diagnosis | None:
    """The finding about numbers that are nan or infinite, in what was given or in what is exact."""
    name, block = case.block.name, case.block
    for what, numbers in (("the exact gradient", case.exact), (name, case.given.numbers)):
        for k, x in enumerate(numbers):
            if not isfinite(x) and not same(case.given.numbers[k], case.exact[k]):
                place = f" at {block.entry(k)}" if block.shape else ""
                sentence = f"{what} is {figure(x)}{place}"
                if what == name:
                    sentence += f", where the exact gradient is {figure(case.exact[k])}"
                return without_place("not finite", sentence)
    return None


def _unexplained(case: Case) -> Diagnosis:
    name, gaps = case.block.name, [abs(a - b) for a, b in zip(case.given.numbers, case.exact)]
    size, gap = max(map(abs, case.exact), default=0.0), max(gaps, default=0.0)
    if 0.0 < gap < IMPRECISE * size:
        digits = counted(int(-log10(gap / size)), "digit")
        sentence = said("digits", yours=name, digits=digits)
        return without_place(
            "imprecise", f"{sentence}: were differences taken, or single precision?"
        )
    sentence = said("unexplained", yours=name)
    if len(gaps) > 1:
        wrong = sum(gap > tolerance for gap, tolerance in zip(gaps, case.tolerances()))
        sentence += f": {wrong} of {len(gaps):,} numbers differ"
    return without_place("unexplained", sentence)


def kinks(tape: Tape) -> list[dict[int, Edges]]:
    """For a tape with kinks: its edges with all slopes of the one side, and of the other."""
    low: dict[int, Edges] = {}
    high: dict[int, Edges] = {}
    for i, node in enumerate(tape.nodes):
        op = node._operation
        if op is None or not tape.edges[i]:
            continue
        if "extreme" in op.traits:
            edges = tape.edges[i]
            ties = [x for x in node.parents if (x.data if isinstance(x, Value) else x) == node.data]
            if len(ties) > 1:
                at_tie = [k for k, (place, _) in enumerate(edges)
                          if tape.nodes[place].data == node.data]  # fmt: skip
                ends = at_tie[0], at_tie[-1] if len(at_tie) == len(ties) else None
                for side, end in zip((high, low), ends):
                    side[i] = tuple(
                        [(place, float(k == end)) for k, (place, _) in enumerate(edges)]
                    )
        elif len(op.operands) == 1 and node._x is not None and node._x.data == 0.0:
            below, above = (evaluated(op, x)[1] for x in (-5e-324, 5e-324))
            if below != above and isfinite(below) and isfinite(above):
                place = tape.edges[i][0][0]
                low[i], high[i] = ((place, below),), ((place, above),)
    return [low, high] if low or high else []
