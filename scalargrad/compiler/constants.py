"""Values that a function captured, as arrays with the names of their labels.   (floor 3)"""

from __future__ import annotations

import itertools
import math
from typing import Any

from .naming import is_name
from .program import Block, Program, rewritten, sharing
from .traces import Traces


def named_constants(traces: Traces) -> tuple[Program, list[list[float]]]:
    """The program with a block for each array that captured Values are entries of, by their labels,
    behind those of the arguments.

    Captured Values without such a label are in a block `captured`. The numbers of all these blocks
    come with it.
    """
    program = traces.program
    if not traces.taken:
        return program, []
    *blocks, captured = program.blocks
    taken = {block.name for block in blocks}
    entries: dict[str, list[tuple[tuple[int, ...], int]]] = {}
    for at, value in enumerate(traces.taken):
        name, index = _entry(str(value.label))
        entries.setdefault(name, []).append((index, at))
    orders: list[tuple[Block, list[int]]] = []
    left = []
    for name, found in entries.items():
        places = dict(found)
        is_array = len({len(index) for index in places}) == 1 and is_name(name)
        shape = tuple(max(axis) + 1 for axis in zip(*places)) if is_array else ()
        if is_array and name not in taken and len(places) == len(found) == math.prod(shape):
            order = [places[index] for index in itertools.product(*map(range, shape))]
            orders.append((Block(name, shape), order))
        else:
            left += [at for _, at in found]
    orders.sort(key=lambda each: (each[0].name[1:], each[0].name))  # W1, b1, W2, b2
    if left:
        orders.append((Block("captured", (len(left),)), sorted(left)))
    found_places = [(at, x) for block, order in orders for at, x in zip(order, block.inputs)]
    made: dict[Any, Any] = {captured.inputs[at]: x for at, x in found_places}
    outputs = rewritten(program, made)
    named = Program([*blocks, *[block for block, _ in orders]], outputs)
    numbers = [[traces.taken[at].data for at in order] for _, order in orders]
    return sharing(named) if program.is_shared else named, numbers


def _entry(label: str) -> tuple[str, tuple[int, ...]]:
    """The name and the place in a label; no name where it says none.

    >>> _entry("W1[0,2]"), _entry("k"), _entry("x[i]")
    (('W1', (0, 2)), ('k', ()), ('', ()))
    """
    name, bracket, rest = label.partition("[")
    parts = rest.removesuffix("]").split(",") if bracket else []
    is_entry = all(part.isdecimal() and len(part) < 9 for part in parts)
    return (name, tuple(map(int, parts))) if is_entry else ("", ())
