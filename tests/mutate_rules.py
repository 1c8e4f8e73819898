"""The tests are tested: every derivative rule is broken on purpose, and shown with the layers of tests that notice.

The mutants are those of `mutants`. For each the layers are run on the rows that read the broken rule, in this process:

    1  differences: central differences on floats, at the tolerances that are usual
    2  random graphs that hold such a row, against differences of the whole program in mpmath
    3  the ulp oracle, at points drawn with a fixed seed and at those known to be hard
    4  the edge table
    5  slopes of slopes, against differences of differences in mpmath
    6  the laws of the walk, as `test_backward` has them (for what is wrong with the walk)

    python -m tests.mutate_rules [--row pow] [--jobs 2]

prints for each rule and each way to be wrong the layers that noticed, and who survived. Survivors must be known, with the
reason why nothing can tell them from the sound rule; it is an error when one of those is noticed after all.
"""

from __future__ import annotations

import argparse
import inspect
import multiprocessing
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from mpmath import mp

from scalargrad import Value, functions, value
from scalargrad.ops import OPS

from . import oracle, random_graphs, test_backward, test_ops
from .edges import EDGES, MASKED
from .mutants import KINDS, Mutant, all_mutants, broken, words
from .programs import Program
from .rows import test_slopes

SEED = "broken on purpose"
POINTS, GRAPHS, GRAPHS_OF_THE_WALK, POOL = 150, 5, 40, 4000

# Who cannot be told from the sound rule: row, part, kind ("*": all kinds) → the reason.
EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("sum", "dxs", "swapped"): "all slopes are 1",
    ("tan", "dx", "twin"): "1/cos² is off by 3.2 ulp at worst, within the budget of 4",
    (
        "cbrt",
        "dx",
        "twin",
    ): "1/(3 out²) is off by 3.3 ulp at worst, within the budget of 4: out is right to its last digit",
    (
        "cbrt",
        "dx 2",
        "factor",
    ): "the formula is read at 0, ±inf and nan, where the slope is inf, 0 and nan",
    ("cbrt", "dx 2", "0.1 %"): "the same",
    ("cbrt", "dx 2", "1e-6"): "the same",
    ("_first_share", "dx x↔y", "swapped"): "the slope of the sigmoid is even",
    ("_first_share", "dy x↔y", "swapped"): "the slope of the sigmoid is even",
    ("_second_share", "dx x↔y", "swapped"): "the slope of the sigmoid is even",
    ("_second_share", "dy x↔y", "swapped"): "the slope of the sigmoid is even",
    ("_unit", "out 2", "*"): "all x are 0 where the formula is read",
}

# ------------------------------------------------------------------ who reads a rule


@cache
def readers(row: str) -> tuple[str, ...]:
    """The row, and if it is not public the public rows whose slopes lead to it."""
    found = [row]
    for name in found:  # which grows
        for op in OPS.values() if not OPS[name].is_public else ():
            texts = [*(op.slopes or ()), *op.work, "" if op.is_public else op.value]
            if (
                op.name not in found
                and not (op.is_public and op.is_composed)
                and any(name in words(text) for text in texts)
            ):
                found.append(op.name)
    return tuple(name for name in found if name == row or OPS[name].is_public)


def public(rows: Sequence[str]) -> list[str]:
    return [row for row in rows if OPS[row].is_public]


# ------------------------------------------------------------------ 1 differences

STEP, RELATIVE, ABSOLUTE = 1e-6, 1e-3, 1e-5  # as checkers of gradients have them


def close(slope: float, difference: float) -> bool:
    return abs(slope - difference) <= ABSOLUTE + RELATIVE * abs(difference)


def check_differences(f: Callable[..., Any], operands: tuple[Any, ...]) -> None:
    """Compare the slopes after `backward` with central differences of f on plain numbers."""
    values = test_slopes.recorded(operands)
    f(*values).backward()
    for i, operand in enumerate(operands):
        for j in range(len(operand)) if isinstance(operand, list) else (None,):
            ahead, behind = (f(*oracle.moved(operands, i, j, by)) for by in (STEP, -STEP))
            leaf: Value = values[i] if j is None else values[i][j]
            assert close(leaf.grad, (ahead - behind) / (2.0 * STEP)), operands


PROGRAMS: tuple[Callable[..., Any], ...] = (
    lambda x, y: functions.tanh(x * y + x) * x + y / (x * x + 1.0),
    lambda x, y: functions.dot([x, y, x], [y, y, 2.0], x) * x,
    lambda x, y: functions.sum([x, x * y, y, x * y]) - (x - y) * y,
    lambda x, y: functions.exp(-x) ** 2.0 + (2.0 - y) * functions.maximum(x, y),
)


def differences(rows: Sequence[str]) -> None:
    for row in public(rows):
        for operands in test_slopes.smooth_points(OPS[row]):
            if all(abs(x) < 10.0 for x in oracle.flat(operands)):
                check_differences(getattr(functions, row), operands)
    for program in PROGRAMS if not rows else ():
        check_differences(program, (0.7, -1.3))


# ------------------------------------------------------------------ 2 random graphs


@cache
def graph(number: int) -> Program:
    return random_graphs.graph(SEED, number)


@cache
def graphs_of(row: str) -> list[Program]:
    """A few regular graphs that hold a row; of the walk's, any."""
    found: list[Program] = []
    for number in range(POOL):
        if len(found) == (GRAPHS if row in OPS else GRAPHS_OF_THE_WALK):
            break
        program = graph(number)
        if (
            row not in OPS or any(step.row == row for step in program.steps)
        ) and not random_graphs.check(program).skipped:
            found.append(program)
    return found


def graphs(rows: Sequence[str]) -> None:
    for row in public(rows) or ("backward",):
        for program in graphs_of(row):
            random_graphs.check(program)


# ------------------------------------------------------------------ 3 the ulp oracle


@cache
def truths(row: str) -> list[tuple[Sequence[Any], dict[str, oracle.Truth]]]:
    """Points of a row, and what is true there."""
    rng = random.Random(f"{SEED} {row}")
    points = [
        *(oracle.draw(rng, OPS[row]) for _ in range(POINTS)),
        *(operands for name, operands in test_ops.HARD if name == row),
    ]
    return [(operands, oracle.truth(OPS[row], operands)) for operands in points]


def ulps(rows: Sequence[str]) -> None:
    mp.dps = 400
    for row in public(rows):
        for operands, true in truths(row):
            for what, error in oracle.errors(OPS[row], operands, true).items():
                assert error <= oracle.budget(row, what), (row, what, operands)


# ------------------------------------------------------------------ 4 the edge table


def edges(rows: Sequence[str]) -> None:
    for edge in EDGES:
        if edge.name in rows or not rows:
            test_ops.test_edges_of_values_are_as_the_table_has_them(edge)
            if len(edge.operands) > 1:
                test_ops.test_edges_are_the_same_beside_constants(edge)
    if not rows or "sqrt" in rows:
        for at, number, slope in MASKED:
            test_ops.test_masked_branch_does_not_poison_its_input(at, number, slope)


# ------------------------------------------------------------------ 5 slopes of slopes


def slopes_of_slopes(rows: Sequence[str]) -> None:
    for row in rows:
        if OPS[row].is_public:
            test_slopes.test_slopes_of_slopes_are_right(OPS[row])
        elif not OPS[row].is_composed:
            test_slopes.test_rows_that_are_slopes_of_others_and_their_slopes_are_right(OPS[row])
    for row in ("silu", "gelu"):
        test_slopes.test_slopes_of_slopes_at_nan_are_nan(row)
    test_slopes.test_slopes_of_slopes_are_right_at_the_ends_of_the_range()
    test_slopes.test_slopes_that_are_not_defined_are_nan()
    test_slopes.test_slopes_of_the_slopes_of_a_power_are_their_limits_at_zero()
    for exponent, expected in enumerate(([0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 6], [0, 0, 0])):
        test_slopes.test_all_slopes_of_a_power_are_right_at_zero(
            exponent, list(map(float, expected))
        )


# ------------------------------------------------------------------ 6 the laws of the walk


def laws(rows: Sequence[str]) -> None:
    """All tests in `test_backward`; and what the walk does with slopes of 0 and with other threads."""
    for test in [test for name, test in vars(test_backward).items() if name.startswith("test_")]:
        cases = next(
            (
                mark.args[1]
                for mark in getattr(test, "pytestmark", ())
                if mark.name == "parametrize"
            ),
            [None],
        )
        for case in cases:
            test(*[case] * len(inspect.signature(test).parameters))
    x = Value(3.0)
    inner = x * x
    (
        inner * 1.0 * 0.0
    ).backward()  # the slope 0 of `inner` must not pass for the mark of a later walk
    inner.backward()
    assert x.grad == 6.0
    with value.one_walk_at_a_time:  # another walk is on: this one must wait
        thread = threading.Thread(target=inner.backward)
        thread.start()
        thread.join(0.05)
        waits = thread.is_alive()
    thread.join()
    assert waits


# ------------------------------------------------------------------ the verdict

Layer = Callable[[Sequence[str]], None]
LAYERS: dict[str, Layer] = {
    "differences": differences, "random graphs": graphs, "ulp oracle": ulps, "edges": edges, "slopes of slopes": slopes_of_slopes,
    "laws": laws,
}  # fmt: skip
OF_RULES, OF_THE_WALK = (
    ("differences", "random graphs", "ulp oracle", "edges", "slopes of slopes"),
    ("differences", "random graphs", "edges", "laws"),
)


NUMERICAL = (AssertionError, random_graphs.Failure, ArithmeticError, ValueError)


def notices(layer: str, rows: Sequence[str]) -> bool:
    """Whether a layer fails as the engine is now; a rule that is no arithmetic at all is no mutant: what it raises is raised."""
    before = mp.dps
    try:
        LAYERS[layer](rows)
    except Exception as error:  # of a broken walk any
        if rows and not (
            isinstance(error, NUMERICAL) and isinstance(error.__cause__, (*NUMERICAL, type(None)))
        ):
            raise
        return True
    finally:
        mp.dps = before
    return False


def judge(mutant: Mutant) -> tuple[str, ...]:
    """The layers that notice a mutant."""
    rows, layers = (readers(mutant.row), OF_RULES) if mutant.op else ((), OF_THE_WALK)
    with broken(mutant):
        return tuple(layer for layer in layers if notices(layer, rows))


waiting: list[Mutant] = []


def judge_number(number: int) -> tuple[str, ...]:
    return judge(waiting[number])


def prepare(mutants: Sequence[Mutant]) -> None:
    """Work out the truths while the engine is sound, and see that no layer complains of it."""
    for row in dict.fromkeys(mutant.row for mutant in mutants):
        rows, layers = (readers(row), OF_RULES) if row in OPS else ((), OF_THE_WALK)
        for name in public(rows):
            truths(name)
        for layer in layers:
            mp.dps = 15
            LAYERS[layer](rows)  # raises if it does


def judged(mutants: Sequence[Mutant], jobs: int) -> Iterator[tuple[Mutant, tuple[str, ...]]]:
    """Each mutant with the layers that notice it."""
    prepare(mutants)
    if jobs == 1:
        yield from zip(mutants, map(judge, mutants), strict=True)
        return
    waiting[:] = (
        mutants  # a row that is sent to another process arrives as the sound one of its name: send a number
    )
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from zip(
            mutants, pool.imap(judge_number, range(len(mutants)), chunksize=8), strict=True
        )


def reason(mutant: Mutant) -> tuple[str, str, str] | None:
    """The entry of EQUIVALENT that says why a mutant may survive."""
    row, part, kind = mutant.name
    return next(
        (
            key
            for key in ((row, part, kind), (row, part, "*"), (row, "*", "*"))
            if key in EQUIVALENT
        ),
        None,
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutate_rules", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--row",
        action="append",
        choices=[*OPS, "backward"],
        help="mutants of this row only; may be repeated",
    )
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    arguments = parser.parse_args()
    began = time.perf_counter()
    mutants = [
        mutant for mutant in all_mutants() if not arguments.row or mutant.row in arguments.row
    ]
    verdicts: dict[Mutant, tuple[str, ...]] = {}
    previous: tuple[str, str] | None = None
    cells: dict[str, list[str]] = defaultdict(list)
    print(", ".join(f"{i} {layer}" for i, layer in enumerate(LAYERS, 1)))
    print(f"{'row':16}{'rule':14}" + "".join(f"{kind:>10}" for kind in KINDS[:-1]))
    for mutant, layers in judged(mutants, arguments.jobs):
        verdicts[mutant] = layers
        if mutant.name[:2] != previous and previous:
            show(previous, cells)
        previous = mutant.name[:2]
        cells[mutant.kind].append(digits(layers))
    if previous:
        show(previous, cells)
    return summary(verdicts, time.perf_counter() - began)


def digits(layers: Sequence[str]) -> str:
    return "".join(str(i) for i, layer in enumerate(LAYERS, 1) if layer in layers) or "none"


def show(rule: tuple[str, str], cells: dict[str, list[str]]) -> None:
    """A line of the table; `cells` are emptied."""
    row, part = rule
    if "walk" in cells:
        print(f"{row:16}{part:100} {cells['walk'][0]}", flush=True)
    else:
        print(
            f"{row:16}{part:14}" + "".join(f"{' '.join(cells[kind]):>10}" for kind in KINDS[:-1]),
            flush=True,
        )
    cells.clear()


def summary(verdicts: dict[Mutant, tuple[str, ...]], seconds: float) -> int:
    """Print the totals and the survivors; 1 where one is not known, or a known one is noticed."""
    by_layer = Counter(layer for layers in verdicts.values() for layer in layers)
    alone = Counter(layers[0] for layers in verdicts.values() if len(layers) == 1)
    survivors = [mutant for mutant, layers in verdicts.items() if not layers]
    known = [mutant for mutant in survivors if reason(mutant)]
    noticed = [mutant for mutant, layers in verdicts.items() if layers and reason(mutant)]
    kinds = Counter(mutant.kind for mutant in verdicts)
    lost = Counter(mutant.kind for mutant in survivors)
    print(
        f"\n{len(verdicts)} mutants in {seconds:.0f} s: {len(verdicts) - len(survivors)} noticed, {len(known)} equivalent"
    )
    print("by kind:", ", ".join(f"{kind} {n - lost[kind]} of {n}" for kind, n in kinds.items()))
    print(
        "by layer:",
        ", ".join(f"{layer} {by_layer[layer]} ({alone[layer]} by it alone)" for layer in LAYERS),
    )
    for title, mutants in (
        ("survives", [m for m in survivors if not reason(m)]),
        ("is called equivalent, but is noticed", noticed),
    ):
        for mutant in mutants:
            print(f"{' '.join(mutant.name)} {title}: {mutant.text if mutant.op else ''}")
    for mutant in known:
        print(f"{' '.join(mutant.name)}: {EQUIVALENT[reason(mutant) or mutant.name]}")
    return 0 if len(known) == len(survivors) and not noticed else 1


if __name__ == "__main__":
    raise SystemExit(main())
