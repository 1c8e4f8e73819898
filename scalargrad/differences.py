"""Slopes from differences of a function's numbers, and how far they can be trusted.   (floor 0)

A claimed slope is compared with the numbers of the function on both sides of a point. The claim may
be right or wrong; or differences cannot tell, because rounding hides the slope.

>>> from math import sin
>>> judged(sin, 0.0, 1.0, rtol=1e-6, atol=1e-9).verdict
'ok'
>>> judged(sin, 0.0, 1.001, rtol=1e-6, atol=1e-9).verdict
'wrong'
>>> judged(lambda x: 1e18 + x, 0.0, 1.0, rtol=1e-6, atol=1e-9).verdict
'cannot be told by differences'

A claim that agrees with the first differences costs five evaluations. Any other claim is examined
more closely: with long and short steps, from each side alone, and with a search for jumps.
"""

from __future__ import annotations

from itertools import pairwise
from math import copysign, frexp, inf, isfinite, isinf, isnan, ldexp, nan, ulp
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERDICTS = WRONG, UNCLEAR, OK = "wrong", "cannot be told by differences", "ok"
FINE = 1e-4  # a slope that is uncertain by this part of itself may still prove a claim right


class Judgement(NamedTuple):
    """The verdict on a claim, the slope by differences, the error, and error / tolerance."""

    verdict: str
    numeric: float
    error: float
    ratio: float


class Estimate(NamedTuple):
    """A slope from differences at one step, and how far it may be off."""

    slope: float
    uncertain: float
    step: float


class Line:
    """A function of one number near x. It is evaluated at steps from x, and keeps the results."""

    def __init__(self, f: Callable[[float], float], x: float) -> None:
        self.f, self.x = f, x
        self.known: dict[float, float] = {}  # the function's number at each place so far
        self.jumps: list[tuple[float, float]] = []  # how far from x, and how high

    def __call__(self, step: float) -> float:
        place = self.x + step
        if place not in self.known:
            self.known[place] = self.f(place)
        return self.known[place]

    def moved(self, step: float) -> float:
        """The step after rounding, as x + step is rounded."""
        return (self.x + step) - self.x

    def noise(self, step: float) -> float:
        """The largest known jump that a step of this length may cross."""
        return max([height for reach, height in self.jumps if step <= reach], default=0.0)

    def rounding(self, step: float, *numbers: float) -> float:
        """The largest error that these numbers of the function may have, a step away from x."""
        return max(4.0 * ulp(max(map(abs, numbers))), self.noise(step))

    def steps(self, scale: float) -> list[float]:
        """Steps for a scale, each half of the one before, as short as the digits of x allow."""
        steps = [scale * 0.5**k for k in range(2, 52)]
        return [step for step in steps if step >= 4.0 * ulp(self.x)]

    def scales(self, ratio: float = 2.0**-20) -> list[float]:
        """Lengths on which the function may vary, long ones first; powers of 2 make exact steps."""
        size = abs(self.x)
        if not isfinite(size):
            return []
        lengths = {1.0, size, *((2.0**-26, 2.0**-52) if size < 2.0**-20 else ())}
        scales: list[float] = []
        for length in sorted({*lengths, 64.0 * ulp(self.x)} if size > 2.0**20 else lengths)[::-1]:
            if length and length < ratio * (scales[-1] if scales else inf):
                scales.append(ldexp(0.5, frexp(length)[1]))
        return scales


def judged(
    f: Callable[[float], float], x: float, claim: float, rtol: float, atol: float
) -> Judgement:
    """Judge a claimed slope of f at x by differences; it may be off by `atol + rtol · |slope|`.

    At a kink any slope between the slopes of the two sides is right. At the edge of the domain the
    slope of the one side is right.
    """
    line = Line(f, x)
    seen: list[Estimate] = []
    if isfinite(claim):
        for estimate in _central(line):
            tolerance = atol + rtol * max(abs(claim), abs(estimate.slope))
            if abs(claim - estimate.slope) <= tolerance and _trusted(
                line, claim, estimate, tolerance, seen
            ):
                return _right(claim, estimate.slope, tolerance)
            if seen and _plainly_wrong(line, claim, seen[-1], estimate, tolerance):
                return _wrong(claim, estimate.slope, tolerance)
            seen.append(estimate)
    else:
        seen = [*_central(line)]
        if isnan(claim) and isnan(line(0.0)):
            return Judgement(OK, nan, 0.0, 0.0)
    return _by_sides(line, claim, rtol, atol) or _by_the_best(line, claim, rtol, atol, seen)


# ------------------------------------------------------------------ central differences


def _central(line: Line) -> Iterator[Estimate]:
    """Slopes across x: at three steps of each scale, then at all steps, long ones first."""
    for scale in line.scales(2.0**-4):
        yield from _extrapolated(line, line.steps(scale)[8:11])
    for scale in line.scales():
        yield from _extrapolated(line, line.steps(scale))


def _extrapolated(line: Line, steps: list[float]) -> Iterator[Estimate]:
    """Central differences at halved steps, extrapolated to a step of 0 (Ridders 1982)."""
    row: list[float] = []
    for step in steps:
        low, high = line(-step), line(step)
        new = [(high - low) / (line.moved(step) - line.moved(-step))]
        estimates = []
        for k, old in enumerate(row[:4]):
            new.append(new[k] + (new[k] - old) / (4.0 ** (k + 1) - 1.0))
            spread = max(abs(new[-1] - new[-2]), abs(new[-1] - old))
            estimates.append(
                Estimate(new[-1], spread + line.rounding(step, low, high) / step, step)
            )
        row = new if all(map(isfinite, new)) else []
        if row and estimates:
            yield min(estimates, key=lambda estimate: estimate.uncertain)


def _trusted(
    line: Line, claim: float, found: Estimate, tolerance: float, seen: list[Estimate]
) -> bool:
    """Whether the steps that agree with a claim outweigh longer ones that contradict it.

    If the function is smooth but curved, they do. If it jumps from one rounded number to the next,
    and only a flat piece between two jumps agrees, they do not.
    """
    against = [
        (estimate.step, abs(estimate.slope - claim))
        for estimate in seen
        if abs(estimate.slope - claim) > 10.0 * estimate.uncertain + tolerance
    ]
    doubts = [0.1 * error for _, error in against]
    if not (
        found.slope == claim and (against or found.step >= 0.0625 * line.scales()[0])
    ):  # equal numbers say little if a short step moves nothing
        doubts.append(max(tolerance, 0.01 * abs(claim)))
    if found.uncertain > min(doubts, default=inf):
        return False  # they agree by chance
    longest = max([step for step, _ in against], default=0.0)
    enough = max(tolerance, FINE * abs(claim)) * found.step
    if longest > found.step and line.noise(found.step) <= enough:
        for sign in (-1.0, 1.0):
            end = found.step
            while end < longest:
                ahead = line(sign * end)
                if not abs(ahead - line(0.0) - sign * end * claim) <= 0.5 * abs(claim) * end:
                    break
                end *= 2.0
            line.jumps.append((end, _jump(line, claim, 0.0, sign * end)))
    return line.noise(found.step) <= enough


def _plainly_wrong(
    line: Line, claim: float, before: Estimate, found: Estimate, tolerance: float
) -> bool:
    """Whether two estimates, and shorter steps on both sides, agree on a slope far from the claim.

    This finds most wrong slopes, at a tenth of the cost of a search for kinks and jumps.
    """
    slope, uncertain, step = found
    error, here = abs(claim - slope), line(0.0)
    if (
        step < line.scales()[0] * 2.0**-12
        or not (uncertain < 1e-4 * abs(slope) or _is_zero(line, found, claim))
        or _differ(before, found)
        or error <= tolerance + 1e3 * uncertain
        or _is_torn(line, error)
    ):
        return False
    for shorter in (step * 2.0**-10, step * 2.0**-18, step * 2.0**-26):
        low, high = line(-shorter), line(shorter)
        rounding = 4.0 * line.rounding(shorter, low, here, high) / shorter
        near = min(0.25 * error, 0.1 * abs(slope) + rounding)
        if not abs((high - low) / (2.0 * shorter) - slope) <= near:
            return False
    return all(abs(rise / shorter - slope) <= near for rise in (here - low, high - here))


def _jump(line: Line, slope: float, near: float, far: float) -> float:
    """The height of a jump between x + near and x + far, found by halving that way again and again.

    The half that departs more from the slope is kept. If the function is continuous, only a few ulp
    are left at the end, and they count as 0.
    """

    def beyond(near: float, far: float) -> float:
        way = line.moved(far) - line.moved(near)
        return abs(line(far) - line(near) - slope * way)

    height = before = beyond(near, far)
    for _ in range(64):
        middle = 0.5 * (near + far)
        if line.moved(middle) in (line.moved(near), line.moved(far)):
            break
        first, second = beyond(near, middle), beyond(middle, far)
        near, far = (near, middle) if first >= second else (middle, far)
        height, before = max(first, second), height
    jump = 2.0 * height - before  # extrapolated to a way of length 0
    rounding = 16.0 * ulp(max(abs(line(near)), abs(line(far))))
    return jump if isfinite(jump) and jump > rounding else 0.0


# ------------------------------------------------------------------ each side alone


def _one_side(line: Line, sign: float, step: float) -> Estimate | None:
    """The slope on one side of x, from places there but not x; None if the function ends before."""
    numbers = [line(sign * step * far) for far in (1.0, 2.0, 4.0, 8.0)]
    if not all(map(isfinite, numbers)):
        return None
    a, b, c, d = numbers
    slope = sign * (2.5 * b - 2.0 * a - 0.5 * c) / step
    wider = sign * (2.5 * c - 2.0 * b - 0.5 * d) / (2.0 * step)
    if not isfinite(slope):
        return Estimate(slope, 0.0, step)
    return Estimate(slope, abs(slope - wider) + 5.0 * line.rounding(step, *numbers) / step, step)


def _one_sided(line: Line, sign: float) -> Estimate | None:
    """The least uncertain slope on one side of x."""
    steps = [step for scale in line.scales() for step in line.steps(scale)]
    sides = [side for step in steps if (side := _one_side(line, sign, step))]
    return min(sides, key=lambda side: side.uncertain, default=None)


def _diverging(line: Line, sign: float) -> float:
    """The infinite slope on one side of x; 0.0 if slopes there do not grow without end."""
    if not (scales := line.scales()):
        return 0.0
    scale, rises = scales[-1], []
    least = max(16.0 * ulp(line.x), scale * 2.0**-250)
    apart = (frexp(scale)[1] - frexp(least)[1]) // 7
    for k in range(1, 7):
        step = ldexp(scale, -apart * k)
        near, far = line(sign * step), line(sign * 2.0 * step)
        rise = sign * (far - near) / step
        if not line.rounding(step, near, far) / step <= 0.01 * abs(rise):
            return 0.0
        if isinf(rise):
            return rise
        rises.append(rise)
    growth = [b - a for a, b in pairwise(rises)]
    powers = [
        b / a if a else 0.0 for a, b in pairwise(growth)
    ]  # nearly equal if slopes grow like a power
    grows = min(powers) > 0.7 and max(powers) < 2.0 * min(powers) and rises[0] * growth[0] > 0.0
    return copysign(inf, rises[-1]) if grows else 0.0


def _kink(line: Line) -> list[Estimate]:
    """The slopes on the two sides, if they stay apart however short the steps are.

    At the edge of the domain it is the slope on the side that exists. Else the list is empty.
    """
    best: list[Estimate] = []
    most = inf  # shorter steps have shown that they are no further apart
    for step in sorted({step for scale in line.scales() for step in line.steps(scale)}):
        sides = _beside(line, step)
        size = max([abs(side.slope) for side in sides], default=0.0)
        uncertain = max([side.uncertain for side in sides], default=inf)
        is_resolved = uncertain <= 1e-3 * size
        if is_resolved and best and uncertain >= max(side.uncertain for side in best):
            break
        if len(sides) == 2:
            gap, later = (_apart(beside) for beside in (sides, _beside(line, 8.0 * step)))
            if not 8.0 * uncertain < gap <= most or not 0.8 * gap < later < 1.25 * gap:
                most = min(most, gap + 8.0 * uncertain)
                continue
        if is_resolved and (most == inf or len(sides) == 2):
            best = sides
    return best


def _beside(line: Line, step: float) -> list[Estimate]:
    sides = (_one_side(line, sign, step) for sign in (-1.0, 1.0))
    return [side for side in sides if side]


def _apart(sides: list[Estimate]) -> float:
    return abs(sides[0].slope - sides[1].slope) if len(sides) == 2 else nan


# ------------------------------------------------------------------ verdicts


def _right(claim: float, numeric: float, tolerance: float) -> Judgement:
    error = 0.0 if claim == numeric else abs(claim - numeric)
    return Judgement(OK, numeric, error, error / tolerance if error else 0.0)


def _wrong(claim: float, numeric: float, tolerance: float) -> Judgement:
    error = abs(claim - numeric)
    if isnan(error):
        error = inf
    return Judgement(WRONG, numeric, error, error / tolerance if tolerance else inf)


def _by_sides(line: Line, claim: float, rtol: float, atol: float) -> Judgement | None:
    """The verdict at a kink, a jump, an edge of the domain or an infinite slope; else None."""
    infinite = {sign: slope for sign in (-1.0, 1.0) if (slope := _diverging(line, sign))}
    if infinite:
        other = [side for sign in {-1.0, 1.0} - {*infinite} if (side := _one_sided(line, sign))]
        slopes = [*infinite.values(), *[side.slope for side in other]]
        uncertain, step = 0.0, line.steps(line.scales()[-1])[0]
    else:
        sides = _kink(line)
        if not sides:
            agree = isfinite(claim) and _agree(line, claim, rtol, atol)
            return _right(claim, claim, 1.0) if agree else None
        slopes = [side.slope for side in sides]
        uncertain, step = max((side.uncertain, side.step) for side in sides)
    low, high = min(slopes), max(slopes)
    if low == -inf and high == inf:
        return _right(claim, claim, 1.0)
    numeric = low if isnan(claim) else min(max(claim, low), high)
    return _verdict(line, claim, Estimate(numeric, uncertain, step), rtol, atol, True)


def _agree(line: Line, claim: float, rtol: float, atol: float) -> bool:
    """Whether each side has the claimed slope, though differences across x do not show it.

    So it is with x**1.5 at the edge of its domain, and with a function that jumps at x, as sign
    does at 0.
    """
    tolerance = atol + rtol * abs(claim)
    for step in [step for scale in line.scales() for step in line.steps(scale)]:
        sides = _beside(line, step)
        uncertain = max([side.uncertain for side in sides], default=inf)
        across = (line(step) - line(-step)) / (2.0 * step)
        if (
            uncertain <= max(tolerance, FINE * abs(claim))
            and all(abs(side.slope - claim) <= tolerance for side in sides)
            and not abs(across - claim) <= tolerance + 8.0 * uncertain
        ):
            return True
    return False


def _by_the_best(
    line: Line, claim: float, rtol: float, atol: float, seen: list[Estimate]
) -> Judgement:
    """The verdict by the least uncertain estimate."""
    if isinf(claim):  # it is right if a difference overflows to it
        for step in line.steps(line.scales()[-1]) if line.scales() else ():
            width = line.moved(step) - line.moved(-step)
            if (line(step) - line(-step)) / width == claim:
                return _right(claim, claim, 1.0)
    estimates = [
        Estimate(slope, max(uncertain, line.noise(step) / step), step)
        for slope, uncertain, step in sorted(seen, key=lambda found: -found.step)
    ]
    best = _settled(line, estimates, atol)
    settles = best is not None
    if best is None:
        close = [
            found
            for found in estimates
            if abs(claim - found.slope) <= found.uncertain <= 0.5 * abs(claim)
        ]
        best = min(
            close or estimates,
            key=lambda found: found.uncertain,
            default=Estimate(nan, inf, 1.0),
        )
        settles = _is_zero(line, best, claim)
    return _verdict(line, claim, best, rtol, atol, settles)


def _settled(line: Line, estimates: list[Estimate], atol: float) -> Estimate | None:
    """The best estimate that its neighbour agrees with, long steps first; None if there is none."""
    best: Estimate | None = None
    for before, found in pairwise(estimates):
        if not found.uncertain < 1e-3 * abs(found.slope) or _differ(before, found):
            continue
        if best is None or (
            _trusted(line, found.slope, found, atol, [best])
            if _differ(best, found)
            else found.uncertain < best.uncertain
        ):
            best = found
    return best


def _differ(a: Estimate, b: Estimate) -> bool:
    return abs(a.slope - b.slope) > 4.0 * (a.uncertain + b.uncertain)


def _is_zero(line: Line, found: Estimate, claim: float) -> bool:
    """Whether an estimate is 0 up to rounding, at steps that would show any other slope."""
    slope, uncertain, step = found
    size = max([abs(y) for y in line.known.values() if isfinite(y)], default=0.0)
    return (
        abs(slope) <= uncertain <= 16.0 * line.rounding(step, line(0.0)) / step
        and not abs(claim) * line.scales()[0] * 2.0**-50 > size
        and ulp(line.x) <= 0.25  # larger floats are all whole, and sin(πx) is 0 at all of them
    )


def _is_torn(line: Line, error: float) -> bool:
    """Whether f varies so fast from one float to the next that no step is short enough."""
    here, way = line(0.0), 0.25 * line.x
    moved = max(abs(line(-way) - here), abs(line(way) - here))
    return isfinite(error) and 256.0 * error * ulp(line.x) > moved > 0.0


def _verdict(
    line: Line, claim: float, found: Estimate, rtol: float, atol: float, settles: bool
) -> Judgement:
    """Compare a claim with an estimate; before the claim is called wrong, look for jumps.

    `settles` says whether differences agree on the estimate.
    """
    numeric, uncertain, step = found
    size = max([abs(slope) for slope in (claim, numeric) if isfinite(slope)], default=0.0)
    tolerance = atol + rtol * size
    error = abs(claim - numeric) if isfinite(claim - numeric) else inf
    if claim == numeric or error <= tolerance + min(uncertain, FINE * size):
        return _right(claim, numeric, tolerance + min(uncertain, FINE * size))
    noise = max(_jump(line, numeric, 0.5 * way, way) for way in (-step, step))
    for reach, height in line.jumps:  # does f jump there as it does beside x?
        if height:
            ways = [(sign * step, sign * (step + 2.0 * reach)) for sign in (-1.0, 1.0)]
            noise = max(noise, *[_jump(line, claim, near, far) for near, far in ways])
    uncertain = 8.0 * max(uncertain, noise / step)
    # If f jumps, a claim that is right on short pieces may only seem wrong on longer ones.
    settles = settles and not (line.jumps and uncertain > abs(numeric))
    told = settles and error > tolerance + uncertain and not _is_torn(line, error)
    return _wrong(claim, numeric, tolerance) if told else Judgement(UNCLEAR, numeric, error, 0.0)
