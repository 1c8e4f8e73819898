"""The tests are tested: every derivative rule is broken on purpose, and shown with the layers of tests that notice.

The mutants are those of `mutants`. For each the layers are run on the operations that read the broken rule, in this process:

    1  differences: central differences on floats, at the tolerances that are usual
    2  random graphs that hold such an operation, against differences of the whole program in mpmath
    3  the ulp oracle, at points drawn with a fixed seed and at those known to be hard
    4  the edge table
    5  slopes of slopes, against differences of differences in mpmath
    6  the laws of the walk, as `test_backward` has them (for what is wrong with the walk)

    python -m tests.mutate_rules [--op pow] [--jobs 2]

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

from scalargrad import TraceError, Value, functions, value
from scalargrad.ops import OPS

from . import oracle, random_graphs, test_backward, test_ops
from .edges import EDGES, MASKED
from .mutants import KINDS, Mutant, all_mutants, broken, words
from .programs import Program
from .rows import test_slopes

SEED = "broken on purpose"
POINTS, GRAPHS, GRAPHS_OF_THE_WALK, POOL = 150, 5, 40, 4000

# Who cannot be told from the sound rule: operation, part, kind ("*": all kinds) → the reason.
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
def readers(op_name: str) -> tuple[str, ...]:
    """The operation, and if it is not public the public operations whose slopes lead to it."""
    found = [op_name]
    for name in found:  # which grows
        for op in OPS.values() if not OPS[name].is_public else ():
            texts = [*(op.slopes or ()), *op.work, "" if op.is_public else op.value]
            if (
                op.name not in found
                and not (op.is_public and op.is_composed)
                and any(name in words(text) for text in texts)
            ):
                found.append(op.name)
    return tuple(name for name in found if name == op_name or OPS[name].is_public)


def public(op_names: Sequence[str]) -> list[str]:
    return [op_name for op_name in op_names if OPS[op_name].is_public]


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


def differences(op_names: Sequence[str]) -> None:
    for op_name in public(op_names):
        for operands in test_slopes.smooth_points(OPS[op_name]):
            if all(abs(x) < 10.0 for x in oracle.flat(operands)):
                check_differences(getattr(functions, op_name), operands)
    for program in PROGRAMS if not op_names else ():
        check_differences(program, (0.7, -1.3))


# ------------------------------------------------------------------ 2 random graphs


@cache
def graph(number: int) -> Program:
    return random_graphs.graph(SEED, number)


@cache
def graphs_of(op_name: str) -> list[Program]:
    """A few regular graphs that hold an operation; of the walk's, any."""
    found: list[Program] = []
    for number in range(POOL):
        if len(found) == (GRAPHS if op_name in OPS else GRAPHS_OF_THE_WALK):
            break
        program = graph(number)
        if (
            op_name not in OPS or any(step.op_name == op_name for step in program.steps)
        ) and not random_graphs.check(program).skipped:
            found.append(program)
    return found


def graphs(op_names: Sequence[str]) -> None:
    for op_name in public(op_names) or ("backward",):
        for program in graphs_of(op_name):
            random_graphs.check(program)


# ------------------------------------------------------------------ 3 the ulp oracle


@cache
def truths(op_name: str) -> list[tuple[Sequence[Any], dict[str, oracle.Truth]]]:
    """Points of an operation, and what is true there."""
    rng = random.Random(f"{SEED} {op_name}")
    points = [
        *(oracle.draw(rng, OPS[op_name]) for _ in range(POINTS)),
        *(operands for name, operands in test_ops.HARD if name == op_name),
    ]
    return [(operands, oracle.truth(OPS[op_name], operands)) for operands in points]


def ulps(op_names: Sequence[str]) -> None:
    mp.dps = 400
    for op_name in public(op_names):
        for operands, true in truths(op_name):
            for what, error in oracle.errors(OPS[op_name], operands, true).items():
                assert error <= oracle.budget(op_name, what), (op_name, what, operands)


# ------------------------------------------------------------------ 4 the edge table


def edges(op_names: Sequence[str]) -> None:
    for edge in EDGES:
        if edge.name in op_names or not op_names:
            test_ops.test_edges_of_values_are_as_the_table_has_them(edge)
            if len(edge.operands) > 1:
                test_ops.test_edges_are_the_same_beside_constants(edge)
    if not op_names or "sqrt" in op_names:
        for at, number, slope in MASKED:
            test_ops.test_masked_branch_does_not_poison_its_input(at, number, slope)


# ------------------------------------------------------------------ 5 slopes of slopes


def slopes_of_slopes(op_names: Sequence[str]) -> None:
    for op_name in op_names:
        if OPS[op_name].is_public:
            test_slopes.test_slopes_of_slopes_are_right(OPS[op_name])
        elif not OPS[op_name].is_composed:
            test_slopes.test_rows_that_are_slopes_of_others_and_their_slopes_are_right(OPS[op_name])
    for op_name in ("silu", "gelu"):
        test_slopes.test_slopes_of_slopes_at_nan_are_nan(op_name)
    test_slopes.test_slopes_of_slopes_are_right_at_the_ends_of_the_range()
    test_slopes.test_slopes_that_are_not_defined_are_nan()
    test_slopes.test_slopes_of_the_slopes_of_a_power_are_their_limits_at_zero()
    for exponent, expected in enumerate(([0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 6], [0, 0, 0])):
        test_slopes.test_all_slopes_of_a_power_are_right_at_zero(
            exponent, list(map(float, expected))
        )


# ------------------------------------------------------------------ 6 the laws of the walk


def laws(op_names: Sequence[str]) -> None:
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


def notices(layer: str, op_names: Sequence[str]) -> bool:
    """Whether a layer fails as the engine is now; a rule that is no arithmetic at all is no mutant: what it raises is raised.

    A TraceError says that numbers of the compiled function are not those of the function: it counts.
    """
    before = mp.dps
    try:
        LAYERS[layer](op_names)
    except Exception as error:  # of a broken walk any
        if op_names and not (
            isinstance(error, NUMERICAL)
            and isinstance(error.__cause__, (*NUMERICAL, TraceError, type(None)))
        ):
            raise
        return True
    finally:
        mp.dps = before
    return False


def judge(mutant: Mutant) -> tuple[str, ...]:
    """The layers that notice a mutant."""
    op_names, layers = (readers(mutant.op_name), OF_RULES) if mutant.op else ((), OF_THE_WALK)
    with broken(mutant):
        return tuple(layer for layer in layers if notices(layer, op_names))


waiting: list[Mutant] = []


def judge_number(number: int) -> tuple[str, ...]:
    return judge(waiting[number])


def prepare(mutants: Sequence[Mutant]) -> None:
    """Work out the truths while the engine is sound, and see that no layer complains of it."""
    for op_name in dict.fromkeys(mutant.op_name for mutant in mutants):
        op_names, layers = (readers(op_name), OF_RULES) if op_name in OPS else ((), OF_THE_WALK)
        for name in public(op_names):
            truths(name)
        for layer in layers:
            mp.dps = 15
            LAYERS[layer](op_names)  # raises if it does


def judged(mutants: Sequence[Mutant], jobs: int) -> Iterator[tuple[Mutant, tuple[str, ...]]]:
    """Each mutant with the layers that notice it."""
    prepare(mutants)
    if jobs == 1:
        yield from zip(mutants, map(judge, mutants), strict=True)
        return
    waiting[:] = (
        mutants  # an operation that is sent to another process arrives as the sound one of its name: send a number
    )
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from zip(
            mutants, pool.imap(judge_number, range(len(mutants)), chunksize=8), strict=True
        )


def reason(mutant: Mutant) -> tuple[str, str, str] | None:
    """The entry of EQUIVALENT that says why a mutant may survive."""
    op_name, part, kind = mutant.name
    return next(
        (
            key
            for key in ((op_name, part, kind), (op_name, part, "*"), (op_name, "*", "*"))
            if key in EQUIVALENT
        ),
        None,
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutate_rules", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--op",
        action="append",
        choices=[*OPS, "backward"],
        help="mutants of this operation only; may be repeated",
    )
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    arguments = parser.parse_args()
    began = time.perf_counter()
    mutants = [
        mutant for mutant in all_mutants() if not arguments.op or mutant.op_name in arguments.op
    ]
    verdicts: dict[Mutant, tuple[str, ...]] = {}
    previous: tuple[str, str] | None = None
    cells: dict[str, list[str]] = defaultdict(list)
    print(", ".join(f"{i} {layer}" for i, layer in enumerate(LAYERS, 1)))
    print(f"{'operation':16}{'rule':14}" + "".join(f"{kind:>10}" for kind in KINDS[:-1]))
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
    op_name, part = rule
    if "walk" in cells:
        print(f"{op_name:16}{part:100} {cells['walk'][0]}", flush=True)
    else:
        print(
            f"{op_name:16}{part:14}"
            + "".join(f"{' '.join(cells[kind]):>10}" for kind in KINDS[:-1]),
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
