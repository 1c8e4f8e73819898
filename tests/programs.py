"""Programs as data: leaves and steps, to be run on any kind of number, printed as Python, drawn at random and made smaller."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from scalargrad.ops import LISTS, OPS, Op
from scalargrad.rows.text import on_floats

from . import oracle

# ------------------------------------------------------------------ a program

Operand = int | float  # the place of a leaf or step, leaves first; or a constant


class Step(NamedTuple):
    """One operation; an operand that is a list is a tuple."""

    op_name: str
    operands: tuple[Any, ...]


class Program(NamedTuple):
    """Leaves and steps; the last step is the root."""

    leaves: tuple[float, ...]
    steps: tuple[Step, ...]


def mapped(operands: Sequence[Any], change: Callable[[Operand], Any]) -> list[Any]:
    return [
        [change(o) for o in operand] if isinstance(operand, (list, tuple)) else change(operand)
        for operand in operands
    ]


def run(
    program: Program,
    leaves: Sequence[Any],
    apply: Callable[[str, list[Any]], Any],
    constant: Callable[[float], Any] = float,
) -> list[Any]:
    """The values of all leaves and steps, of whatever kind `apply` calculates with."""
    values = list(leaves)
    for op_name, operands in program.steps:
        values.append(
            apply(
                op_name,
                mapped(operands, lambda o: values[o] if isinstance(o, int) else constant(o)),
            )
        )
    return values


INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
PREFIX = {"neg": "-{}", "abs": "abs({})"}


def lines(program: Program) -> list[str]:
    """The program as Python, by operators and methods where there are some."""
    n = len(program.leaves)

    def text(o: Operand) -> str:
        if isinstance(o, float):
            return repr(o) if math.isfinite(o) else f'float("{o}")'
        return f"x{o + 1}" if o < n else f"v{o - n + 1}"

    result = [f"{text(i)} = Value({text(x)})" for i, x in enumerate(program.leaves)]
    for i, (op_name, operands) in enumerate(program.steps, n):
        names = [f"[{', '.join(o)}]" if isinstance(o, list) else o for o in mapped(operands, text)]
        if op_name in INFIX:
            left = f"({names[0]})" if names[0].startswith("-") else names[0]
            expression = f"{left} {INFIX[op_name]} {names[1]}"
        elif op_name in PREFIX:
            expression = PREFIX[op_name].format(names[0])
        elif OPS[op_name].takes_lists or isinstance(operands[0], float):
            expression = f"functions.{op_name}({', '.join(names)})"
        else:
            expression = f"{names[0]}.{op_name}({', '.join(names[1:])})"
        result.append(f"{text(i)} = {expression}")
    return result


def source(program: Program) -> str:
    """The program as Python to paste and run: it prints its value and its slopes."""
    leaves, root = [f"x{i + 1}" for i in range(len(program.leaves))], f"v{len(program.steps)}"
    show = (
        f"{root}.backward()\nprint({', '.join([f'{root}.data', *(f'{x}.grad' for x in leaves)])})"
    )
    return "\n".join(["from scalargrad import Value, functions", "", *lines(program), show])


# ------------------------------------------------------------------ the generator

HARD = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    math.inf,
    -math.inf,
    math.nan,
    5e-324,
    -1e-310,
    1e308,
    -1e200,
    710.0,
    -745.2,
    40.0,
    -39.0,
)
CONSTANTS = (0.5, 2.0, 3.0, -1.0, -2.5, 0.1, 10.0)
EXPONENTS = (2.0, 3.0, -1.0, 0.5, -2.0, 1.5)
ROWS = [op for op in OPS.values() if op.name in oracle.REFERENCES]
KINDS = (
    [op for op in ROWS if len(op.operands) == 1 and not op.takes_lists],
    [op for op in ROWS if len(op.operands) == 2 and not op.takes_lists],
    [op for op in ROWS if len(op.operands) > 2 or op.takes_lists],
)


def draw_number(rng: random.Random, wild: bool) -> float:
    if wild and rng.random() < 0.3:
        return rng.choice(HARD)
    size: float = 2.0 ** rng.uniform(-3.0, 3.0)
    return rng.choice((-1.0, 1.0)) * size


def draw_operands(
    rng: random.Random, op: Op, values: list[float], unread: list[int], wild: bool, gather: bool
) -> tuple[Any, ...]:
    """Operands of an operation, most of them not read before (all, and none a constant, with `gather`); at least one is no constant."""
    waiting = rng.sample(unread, len(unread))

    def node() -> int:
        return (
            waiting.pop()
            if waiting and (gather or rng.random() < 0.6)
            else rng.randrange(len(values))
        )

    def node_or_constant() -> Operand:
        if gather or rng.random() < 0.8:
            return node()
        return rng.choice(CONSTANTS) if rng.random() < 0.5 else draw_number(rng, wild)

    if len(op.operands) == 1 and not op.takes_lists:
        return (node(),)
    if op.name == "pow" and not gather and rng.random() < 0.4:
        return node(), rng.choice(EXPONENTS)
    n = rng.randint(1, 4)
    while True:
        drawn = [
            tuple(node_or_constant() for _ in range(n)) if name in LISTS else node_or_constant()
            for name in op.operands
        ]
        if op.name == "clip" and all(isinstance(o, float) for o in drawn[1:]):
            drawn[1:] = sorted(drawn[1:])
        if any(isinstance(o, int) for o in oracle.flat(drawn)):
            return tuple(drawn)


def is_tame(
    op: Op, operands: tuple[Any, ...], numbers: list[Any], out: float, rng: random.Random
) -> bool:
    """Whether the operands are inside the operation's domain and the result is a number of common size."""
    if not op.takes_lists:
        whole_power = (
            op.name == "pow" and isinstance(operands[1], float) and operands[1] % 1.0 == 0.0
        )
        if not all(
            low < x < high for x, (low, high) in zip(numbers, op.domain, strict=False)
        ) and not (whole_power and numbers[0]):
            return False
    return 1e-3 < abs(out) < 60.0 or (out == 0.0 and rng.random() < 0.2)


def draw(rng: random.Random) -> Program:
    """A program of 1 to 25 operations; one in twenty-five has numbers that are hard on them, and is held back by nothing."""
    wild = rng.random() < 0.04
    leaves = [draw_number(rng, wild) for _ in range(rng.randint(1, 5))]
    values, steps, unread = list(leaves), [], list(range(len(leaves)))
    for left in range(rng.randint(1, 25), 0, -1):
        gather = len(unread) > left  # what is not read is lost
        for attempt in itertools.count():
            op = rng.choice(rng.choices(KINDS, (0 if gather else 45, 35, 20))[0])
            operands = draw_operands(rng, op, values, unread, wild, gather)
            numbers = mapped(operands, lambda o: values[o] if isinstance(o, int) else o)
            out = on_floats(op)["value"](*numbers)
            if (
                wild
                or attempt == 50
                or rng.random() < 0.002
                or is_tame(op, operands, numbers, out, rng)
            ):
                break
        unread = [o for o in unread if o not in oracle.flat(operands)] + [len(values)]
        values.append(out)
        steps.append(Step(op.name, operands))
    return pruned(Program(tuple(leaves), tuple(steps)))


# ------------------------------------------------------------------ taking away


def pruned(program: Program) -> Program:
    """Without the leaves and steps that the root is not made of."""
    n, total = len(program.leaves), len(program.leaves) + len(program.steps)
    read = {total - 1}
    for i in range(total - 1, n - 1, -1):
        if i in read:
            read.update(o for o in oracle.flat(program.steps[i - n].operands) if isinstance(o, int))
    place = {old: new for new, old in enumerate(sorted(read))}
    steps = [moved(program.steps[i - n], place) for i in range(n, total) if i in read]
    return Program(tuple(x for i, x in enumerate(program.leaves) if i in read), tuple(steps))


def moved(step: Step, place: Mapping[int, Operand]) -> Step:
    """A step whose operands have moved."""
    operands = mapped(step.operands, lambda o: place.get(o, o) if isinstance(o, int) else o)
    return Step(step.op_name, tuple(tuple(o) if isinstance(o, list) else o for o in operands))


def smaller(program: Program) -> Iterator[Program]:
    """Programs made of a program by taking something away: the boldest first."""
    n, steps = len(program.leaves), program.steps
    values = run(
        program,
        program.leaves,
        lambda op_name, operands: on_floats(OPS[op_name])["value"](*operands),
    )
    for i in range(1, len(steps)):
        yield Program(program.leaves, steps[:i])
    for i in range(len(steps) - 1):  # a leaf in place of a step
        shift = {old: old + 1 for old in range(n, n + len(steps))} | {n + i: n}
        yield Program((*program.leaves, values[n + i]), tuple(moved(step, shift) for step in steps))
    for i, step in enumerate(steps[:-1]):  # an operand in its place
        for o in oracle.flat(step.operands):
            if isinstance(o, int):
                yield Program(program.leaves, tuple(moved(later, {n + i: o}) for later in steps))
    for old in range(n + len(steps) - 1):  # a constant in its place
        yield Program(program.leaves, tuple(moved(step, {old: values[old]}) for step in steps))
    for i, step in enumerate(steps):  # lists one shorter
        for k in range(max((len(o) for o in step.operands if isinstance(o, tuple)), default=0)):
            operands = tuple(
                o[:k] + o[k + 1 :] if isinstance(o, tuple) else o for o in step.operands
            )
            if any(isinstance(o, int) for o in oracle.flat(operands)) and () not in operands:
                yield Program(
                    program.leaves, (*steps[:i], Step(step.op_name, operands), *steps[i + 1 :])
                )
    for i, x in enumerate(program.leaves):  # rounder numbers
        for digits in (1, 2, 4, 8) if math.isfinite(x) else ():
            yield Program(
                (*program.leaves[:i], float(f"{x:.{digits}g}"), *program.leaves[i + 1 :]), steps
            )


def is_program(program: Program) -> bool:
    """Whether each step reads a leaf or a step."""
    return bool(program.steps) and all(
        any(isinstance(o, int) for o in oracle.flat(step.operands)) for step in program.steps
    )


def size(program: Program) -> tuple[int, ...]:
    operands = [o for step in program.steps for o in oracle.flat(step.operands)]
    return len(program.steps), len(operands), len(program.leaves), len(source(program))
