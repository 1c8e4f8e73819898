"""The ulp oracle: how far every operation's value and slopes are from the truth, which knows no rule of calculus.

The truth is mpmath's function at 400 digits and more (enough for the arguments at hand), and for a slope
its central difference with a step of 1e-60, so that no derivative that somebody derived by hand takes part.
Arguments are log-uniform over all doubles, subnormals and both signs included, and denser where an operation's
result is neither 0 nor infinite. An error is counted in ulp, the spacing of doubles at the true result.

    python -m tests.oracle [--points 2000] [--op pow] [--seed 1]

prints for each operation the worst error of its value and of each slope, where it happened, and the budget.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import mpmath
from mpmath import mp, mpf

from scalargrad.ops import LISTS, OPS, Op
from scalargrad.rows.text import on_floats

STEP = mpf(10) ** -60
OVERFLOW = mpf(2) ** 1024
ROUNDS_TO_INF = OVERFLOW - mpf(2) ** 970  # the middle between the largest double and 2¹⁰²⁴

# ------------------------------------------------------------------ the truth


def sigmoid(x: mpf) -> mpf:
    return 1 / (1 + mp.exp(-x))


def erfc(x: mpf) -> mpf:
    return mp.erfc(x) if abs(x) < 1e5 else 1 - mp.sign(x)  # beyond, mpmath overflows


def normal_cdf(x: mpf) -> mpf:
    return erfc(-x / mp.sqrt(2)) / 2


def log_sum_exp(xs: Sequence[mpf]) -> mpf:
    m = max(xs)
    return m + mp.log1p(mp.fsum(mp.exp(x - m) for x in xs) - 1)


def larger_term(xs: Sequence[mpf]) -> mpf:
    m = max(xs)
    return max(abs(m), abs(log_sum_exp(xs) - m))


REFERENCES: dict[str, Callable[..., mpf]] = {
    "neg": lambda x: -x, "abs": abs, "exp": mp.exp, "exp2": lambda x: mp.mpf(2) ** x, "expm1": mp.expm1, "log": mp.log,
    "log1p": mp.log1p, "log2": lambda x: mp.log(x) / mp.log(2), "log10": mp.log10, "sqrt": mp.sqrt,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)), "square": lambda x: x * x, "reciprocal": lambda x: 1 / x,
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "arcsin": mp.asin, "arccos": mp.acos, "arctan": mp.atan,
    "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "arcsinh": mp.asinh, "arccosh": mp.acosh, "arctanh": mp.atanh,
    "sign": mp.sign, "erf": mp.erf, "erfc": erfc, "sigmoid": sigmoid, "log_sigmoid": lambda x: -mp.log1p(mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)), "relu": lambda x: max(x, 0 * x), "leaky_relu": lambda x: x if x > 0 else mpf(0.01) * x,
    "elu": lambda x: x if x > 0 else mp.expm1(x), "gelu": lambda x: x * normal_cdf(x), "silu": lambda x: x * sigmoid(x),
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y, "arctan2": mp.atan2, "hypot": lambda x, y: mp.sqrt(x * x + y * y), "maximum": max, "minimum": min,
    "xlogy": lambda x, y: x * mp.log(y), "logaddexp": lambda x, y: log_sum_exp([x, y]),
    "mod": lambda x, y: x - y * mp.floor(x / y), "degrees": mp.degrees, "radians": mp.radians,
    "sinc": lambda x: mp.sinpi(x) / (mp.pi * x) if x else mpf(1),
    "clip": lambda x, low, high: low if x < low else high if x > high else x,
    "sum": mp.fsum, "prod": mp.fprod, "dot": lambda ws, xs, bias: bias + mp.fdot(ws, xs),
    "norm": lambda xs: mp.sqrt(mp.fsum(xs, squared=True)),
    "logsumexp": log_sum_exp, "max": max, "min": min,
}  # fmt: skip

# ------------------------------------------------------------------ the budget, in ulp

VALUE_BUDGET = dict.fromkeys(
    ("add", "sub", "mul", "div", "sqrt", "exp", "log", "pow", "sin", "cos", "expm1", "log1p"), 1.0
)
VALUE_ELSE, SLOPE = 2.5, 4.0


class Measure(NamedTuple):
    """An exception: errors are counted in ulp of `term`, a part of the result that cancels with another."""

    limit: float
    term: Callable[..., mpf]
    reason: str


EXCEPTIONS: dict[tuple[str, str], Measure] = {
    ("gelu", "out"): Measure(3.0, lambda x: mpf(0), "the C library's erfc has 1.9 ulp of its own"),
    ("gelu", "dx"): Measure(
        4.0, lambda x: max(normal_cdf(x), abs(x) * mp.npdf(x)),
        "Φ(x) + x φ(x) is 0 near -0.7518: 4 ulp of its larger term",
    ),
    ("silu", "dx"): Measure(
        3.0, lambda x: sigmoid(x) * max(mpf(1), abs(x) * sigmoid(-x)),
        "σ(x) + x σ′(x) is 0 near -1.2785: 3 ulp of its larger term",
    ),
    ("sinc", "dx"): Measure(
        4.0, lambda x: max(abs(mp.cospi(x)), abs(mp.sinpi(x) / (mp.pi * x))) / abs(x) if abs(x) > 1 else mpf(0),
        "(cos πx - sinc x) / x is 0 near 1.43 and once in every unit beyond: 4 ulp of its larger term",
    ),
    ("logaddexp", "out"): Measure(
        2.0, lambda x, y: larger_term([x, y]),
        "m + log1p(…) is 0 where exp x + exp y = 1: 2 ulp of its larger term",
    ),
    ("logsumexp", "out"): Measure(2.0, lambda xs: larger_term(xs), "m + log1p(…) is 0 where Σ exp x = 1: 2 ulp of its larger term"),
    ("sum", "out"): Measure(3.0, lambda xs: mp.fsum(xs, absolute=True), "one rounding an addition, in ulp of Σ |x|"),
    ("prod", "out"): Measure(
        2.5, lambda xs: mpf(0),
        "measured where no partial product leaves the range of doubles: they are taken from left to right",
    ),
    ("dot", "out"): Measure(
        6.0, lambda ws, xs, bias: abs(bias) + mp.fsum((w * x for w, x in zip(ws, xs)), absolute=True),
        "one rounding an operation, in ulp of |bias| + Σ |wx|",
    ),
}  # fmt: skip


def budget(op_name: str, what: str) -> float:
    """The largest error allowed, in ulp; `what` is "out", or "dx", "dy", … for a slope."""
    if (op_name, what) in EXCEPTIONS:
        return EXCEPTIONS[op_name, what].limit
    return VALUE_BUDGET.get(op_name, VALUE_ELSE) if what == "out" else SLOPE


def ulps(got: float, true: mpf, term: mpf | None = None) -> float:
    """The distance of two results in ulp of the true one (or of `term`, if that is larger)."""
    if math.isnan(got):
        return math.inf
    size = abs(true) if term is None else max(abs(true), abs(term))
    if abs(true) >= ROUNDS_TO_INF:
        if got == math.copysign(math.inf, mp.sign(true)):
            return 0.0
        true = min(max(true, -OVERFLOW), OVERFLOW)
    exponent = mp.frexp(size)[1] if size else -1074
    spacing = mp.ldexp(mpf(1), min(max(exponent - 53, -1074), 971))
    return float(abs((OVERFLOW * mp.sign(got) if math.isinf(got) else mpf(got)) - true) / spacing)


# ------------------------------------------------------------------ the arguments


def anywhere(rng: random.Random) -> float:
    """Log-uniform over all doubles, either sign."""
    return rng.choice((-1.0, 1.0)) * math.ldexp(rng.uniform(0.5, 1.0), rng.randint(-1073, 1024))


def nearby(rng: random.Random) -> float:
    return rng.choice((-1.0, 1.0)) * 2.0 ** rng.uniform(-12.0, 12.0)


def draw_one(rng: random.Random, low: float, high: float) -> float:
    """One argument strictly inside the domain: anywhere, of common size, or close to a finite end."""
    while True:
        way = rng.randrange(5)
        if way == 0:
            x = anywhere(rng)
        elif way == 1:
            x = nearby(rng)
        elif way in (2, 3):  # where exp(x), and where exp(x²), end
            end = 760.0 if way == 2 else 40.0
            x = rng.uniform(max(low, -end), min(high, end))
        else:
            end = rng.choice((low, high, 0.0))
            x = (
                end + abs(end or 1.0) * rng.choice((-1.0, 1.0)) * 2.0 ** rng.uniform(-52.0, 0.0)
                if math.isfinite(end)
                else nearby(rng)
            )
        if low < x < high and math.isfinite(x) and x:
            return x


def draw_pair(rng: random.Random, op: Op) -> list[float]:
    """Two arguments; half of the time the second suits the first, so that the result is a number of note."""
    while True:
        x = draw_one(rng, *op.domain[0])
        if rng.random() < 0.5:
            y = draw_one(rng, *op.domain[1])
        elif op.name == "pow":
            y = rng.uniform(-800.0, 800.0) / math.log(x) if x != 1.0 else 0.5
        elif op.name == "logaddexp":
            y = x + rng.uniform(-800.0, 800.0)
        elif op.name == "mod":
            y = x * 2.0 ** rng.uniform(-60.0, 60.0) * rng.choice((-1.0, 1.0))
        else:
            y = x * 2.0 ** rng.uniform(-60.0, 60.0) * rng.choice((-1.0, 1.0))
        if op.name == "mod" and not (y and 2.0**-60 < abs(x / y) < 2.0**60 and x % y):
            continue  # the difference would step over a jump
        if op.domain[1][0] < y < op.domain[1][1] and math.isfinite(y) and y and x != y:
            return [x, y]


def draw(rng: random.Random, op: Op) -> list[Any]:
    """Operands of an operation: numbers, and lists of them, no two alike."""
    if op.operands == ("x",):
        return [draw_one(rng, *op.domain[0])]
    if op.operands == ("x", "y"):
        return draw_pair(rng, op)
    if op.name == "clip":
        return [draw_one(rng, -math.inf, math.inf), *sorted((anywhere(rng), nearby(rng)))]
    n, first = rng.randint(1, 3), anywhere(rng) if rng.random() < 0.3 else nearby(rng)
    near = [
        lambda: nearby(rng),
        lambda: anywhere(rng),
        lambda: first * 2.0 ** rng.uniform(-60.0, 1.0),
        lambda: first + rng.uniform(-800.0, 800.0),
    ]
    pick = near[0] if op.name == "dot" or (op.name == "prod" and n > 2) else rng.choice(near)
    lists = [[min(max(pick(), -1.7e308), 1.7e308) or 1.0 for _ in range(n)] for _ in op.operands]
    while len(set(lists[0])) < n:  # no ties: those are kinks
        lists[0] = [nearby(rng) for _ in range(n)]
    return [
        numbers if operand in LISTS else numbers[0]
        for operand, numbers in zip(op.operands, lists, strict=True)
    ]


# ------------------------------------------------------------------ the comparison


def flat(operands: Sequence[Any]) -> list[float]:
    return [
        x
        for operand in operands
        for x in (operand if isinstance(operand, (list, tuple)) else (operand,))
    ]


def moved(operands: Sequence[Any], i: int, j: int | None, by: mpf) -> list[Any]:
    """The operands, with operand i (its j-th number) moved."""
    result = [list(o) if isinstance(o, list) else o for o in operands]
    if j is None:
        result[i] += by
    else:
        result[i][j] += by
    return result


def exact(operands: Sequence[Any]) -> list[Any]:
    return [[mpf(x) for x in o] if isinstance(o, (list, tuple)) else mpf(o) for o in operands]


def difference(
    function: Callable[..., mpf], operands: Sequence[Any], i: int, j: int | None = None
) -> mpf:
    """The slope of `function` by operand i (its j-th number), as a central difference."""
    x = operands[i] if j is None else operands[i][j]
    h = min(abs(x), mpf(1)) * STEP or STEP
    return (function(*moved(operands, i, j, h)) - function(*moved(operands, i, j, -h))) / (2 * h)


def set_digits(operands: Sequence[Any]) -> None:
    """Digits enough to tell the step from rounding, however far apart the operands are."""
    decades = max((abs(math.frexp(x)[1]) for x in flat(operands) if x), default=0) * 0.30103
    mp.dps = 400 + int(2.0 * decades)


class Truth(NamedTuple):
    """The truth about an operation's value or one slope at a point: a number for each operand of a list; the term whose ulps are counted."""

    numbers: list[mpf]
    term: mpf | None


def truth(op: Op, operands: Sequence[Any]) -> dict[str, Truth]:
    """The true value and the true slopes of an operation at one point."""
    set_digits(operands)
    at, function = exact(operands), REFERENCES[op.name]
    units = {
        what: exception.term(*at)
        for (name, what), exception in EXCEPTIONS.items()
        if name == op.name
    }
    result = {"out": Truth([function(*at)], units.get("out"))}
    for i, operand in enumerate(op.operands):
        places = range(len(operands[i])) if operand in LISTS else (None,)
        result[f"d{operand}"] = Truth(
            [difference(function, at, i, j) for j in places], units.get(f"d{operand}")
        )
    return result


def errors(
    op: Op, operands: Sequence[Any], true: dict[str, Truth] | None = None
) -> dict[str, float]:
    """The errors in ulp of an operation's value and slopes at one point; `true` where the truth there is known already."""
    true = true or truth(op, operands)
    results = (r if isinstance(r, list) else [r] for r in on_floats(op)["total"](*operands))
    return {
        what: max(ulps(g, t, term) for g, t in zip(got, numbers, strict=True))
        for got, (what, (numbers, term)) in zip(results, true.items(), strict=True)
    }


class Worst(NamedTuple):
    error: float
    operands: Sequence[Any]


def measure(op: Op, points: int, seed: int | str) -> dict[str, Worst]:
    """The worst errors of an operation over so many random points."""
    rng = random.Random(f"{seed} {op.name}")
    worst: dict[str, Worst] = {}
    before = mp.dps
    try:
        for _ in range(points):
            operands = draw(rng, op)
            for what, error in errors(op, operands).items():
                if what not in worst or error > worst[what].error:
                    worst[what] = Worst(error, operands)
    finally:
        mp.dps = before
    return worst


def measured_rows() -> list[Op]:
    return [op for op in OPS.values() if op.name in REFERENCES]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.oracle", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--points", type=int, default=500, help="points for each operation")
    parser.add_argument(
        "--op",
        action="append",
        choices=sorted(REFERENCES),
        help="this operation only; may be repeated",
    )
    parser.add_argument(
        "--seed", default=str(time.time_ns() % 10**6), help="the same seed draws the same points"
    )
    arguments = parser.parse_args()
    print(
        f"seed {arguments.seed}, {arguments.points} points an operation, mpmath {mpmath.__version__}"
    )
    print(f"{'operation':12} {'of':4} {'worst ulp':>10} {'budget':>7}  {'':8}at")
    exceeded = 0
    for op in measured_rows():
        if arguments.op and op.name not in arguments.op:
            continue
        for what, (error, operands) in measure(op, arguments.points, arguments.seed).items():
            limit = budget(op.name, what)
            exceeded += error > limit
            note = EXCEPTIONS[op.name, what].reason if (op.name, what) in EXCEPTIONS else ""
            verdict, at = "ok" if error <= limit else "EXCEEDS", ", ".join(map(repr, operands))
            print(
                f"{op.name:12} {what:4} {error:10.4g} {limit:7.1f}  {verdict:8}{at}  {note}",
                flush=True,
            )
    return 1 if exceeded else 0


if __name__ == "__main__":
    raise SystemExit(main())
