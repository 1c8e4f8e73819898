"""An optimiser's update as a program: the formula by which each weight moves.   (floor 3)

An update is a function from numbers to numbers, and it is traced like any other: called with
numbers that are not known yet. If each weight then moves by one and the same formula of its own
weight, gradient and memory, of the rate and of the step, that formula can stand in generated code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from .captured import Captured
from .draws import Draws
from .program import Block, Constant, Input, Program, computed, frozen
from .tracing import Traced, TraceError, add_methods, tracing

OWN = ("w", "g")  # blocks of a weight's own, before those of the state
SHARED = ("lr", "step")  # blocks that all weights share


def update_of(optimizer: Any, is_known: bool = False) -> Program | None:
    """The formula of an optimiser's `update`, or None where no formula serves all weights.

    The blocks are w, g, a number for each list of the state, lr and step; the outputs are the new
    weight and the new state. It is traced with all weights, unless it `is_known` to treat all
    alike, and to count and draw nothing.

    >>> from scalargrad import Value
    >>> from scalargrad.nn import SGD
    >>> [step.op.name for step in update_of(SGD([Value(1.0)], momentum=0.9)).steps]
    ['mul', 'add', 'mul', 'sub']
    """
    count, state = len(optimizer.parameters), optimizer.state
    if not isinstance(state, tuple) or not all(isinstance(part, list) for part in state):
        return None
    if any(len(part) != count for part in state):
        return None
    names = [*OWN, *(f"state{i + 1}" for i in range(len(state)))]
    size = min(2, count) if is_known else count
    own = [Block(name, (size,)) for name in names]
    blocks = [*own, *[Block(name, ()) for name in SHARED]]
    numbers = [[Traced(block.name) for _ in block.inputs] for block in blocks]
    captured = Captured([] if is_known else [type(optimizer), type(optimizer).update])
    draws = None if is_known else Draws(lambda: Captured([optimizer.update]))
    try:
        results = _called(optimizer, *map(list, numbers))
    except Exception:  # whatever a traced number meets in code that takes floats
        results = None
    if draws and draws.were_made():  # or another thread did, such as one of Dask's
        draws.undo()
        return None
    if results is None or captured.asks_kinds or captured.has_changed():  # it counts
        return None
    inputs = [x for block in blocks for x in block.inputs]
    flat = frozen(results, zip([x for xs in numbers for x in xs], inputs), _refuse)
    formulas = [flat[i::size] for i in range(size)]
    shared = {x: x for x in inputs[size * len(own) :]}
    for i, formula in enumerate(formulas):
        partner = shared | {block.inputs[i]: block.inputs[0] for block in own}
        if not alike(formulas[0], formula, partner):
            return None
    for block in own:
        block.inputs, block.shape = block.inputs[:1], ()
    return Program(blocks, formulas[0])


def _called(optimizer: Any, *numbers: list[Traced]) -> list[Any] | None:
    """The new weights, and behind them the new state, list by list.

    None where the update keeps or returns something else, or takes a number as text.
    """
    weights, gradients, *state, (lr,), (step,) = numbers
    parts = optimizer.parameters, optimizer.lr, optimizer.state
    twin, before = [deepcopy(optimizer, {id(part): part for part in parts}) for _ in range(2)]
    parameters = [Traced(p.label) for p in optimizer.parameters]
    for one in (twin, before):
        one.state, one.steps, one.parameters = tuple(state), step, parameters
        if not callable(one.lr):
            one.lr = lr
    add_methods()
    with tracing() as trace:
        moved, memory = twin.update(weights, gradients, lr)
    columns = [moved, *memory]
    is_other = len(columns) != len(state) + 1 or any(len(x) != len(weights) for x in columns)
    if is_other or trace.is_asked or vars(twin) != vars(before):
        return None
    return [x if isinstance(x, Traced) else float(x) for column in columns for x in column]


def _refuse(value: Any) -> Any:
    raise TraceError(f"the update reads {value!r}, a Value: it must be a function of numbers")


def lets_through(formula: Program) -> bool:
    """Whether a nan or an infinity in weight or gradient comes out in the new weight, so that one
    look at the end finds it.

    >>> from scalargrad import Value
    >>> from scalargrad.nn import SGD
    >>> lets_through(update_of(SGD([Value(1.0)])))
    True
    """
    w, g, *rest = [block.inputs[0] for block in formula.blocks]
    for bad in (w, g):
        for number in (math.inf, -math.inf, math.nan):
            known = {w: 0.5, g: 0.125, **dict.fromkeys(rest, 0.25), bad: number}
            if math.isfinite(computed(formula, known)[0]):
                return False
    return True


def same_objects(some: Iterable[Any], others: Iterable[Any]) -> bool:
    """Whether two lists hold the same objects in order; == would compare the data of Values."""
    return [*map(id, some)] == [*map(id, others)]


def alike(first: Sequence[Any], second: Sequence[Any], partner: Mapping[Any, Any]) -> bool:
    """Whether two lists of outputs are one formula; `partner` says which input of the first stands
    for one of the second.

    >>> from scalargrad.ops import OPS
    >>> from scalargrad.compiler.program import Step
    >>> x, y = Block("x", ()).inputs[0], Block("y", ()).inputs[0]
    >>> double = [Step(OPS["mul"], (Constant(2.0), z)) for z in (x, y)]
    >>> alike(double[:1], double[1:], {y: x}), alike(double[:1], double[1:], {y: y})
    (True, False)
    """
    matched = dict(partner)
    stack = list(zip(first, second))
    while stack:
        a, b = stack.pop()
        if b in matched:
            if matched[b] is not a:
                return False
        elif a.__class__ is not b.__class__ or a.__class__ is Input:
            return False
        elif a.__class__ is Constant:
            if float.hex(a.data) != float.hex(b.data):
                return False
        elif a.op is not b.op or len(a.operands) != len(b.operands):
            return False
        else:
            matched[b] = a
            stack += zip(a.operands, b.operands)
    return len(first) == len(second)
