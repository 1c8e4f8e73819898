"""Programs whose vectors would be of a few numbers each: plain Python between arrays.   (floor 3)

A line of NumPy costs what fifty operations do in plain Python, and much more to write. So where
hardly two steps are alike the function on arrays takes them apart, calls a function of lists, and
makes arrays of its slopes.
"""

from __future__ import annotations

from math import isfinite

from ...rows.text import FAST_NAMES, TOTAL_NAMES
from ..dialects.numpy import array_names
from ..layout import definition, described, tuple_of
from ..naming import Names
from .python import function_source as source_of_lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..program import Program


def function_source(
    program: Program, name: str, kind: str, total: bool = False, of: str = ""
) -> tuple[list[str], dict[str, Any]]:
    """The source of a function of arrays, in pieces, and what it reads by name.

    `kind` is as in `emitters.python`.

    >>> from scalargrad.compiler.program import Block, Program, Step
    >>> from scalargrad.ops import OPS
    >>> x = Block("x", (2,), wrt=True)
    >>> program = Program([x], [Step(OPS["mul"], tuple(x.inputs))])
    >>> print(function_source(program, "f", "value_and_grad")[0][-1])
    def f(x):
        \"\"\"The value and its slopes by x.
    <BLANKLINE>
        x: 2.
        \"\"\"
        value, (dx,) = f_of_lists(x.tolist())
        return value, (array(dx),)
    <BLANKLINE>
    """
    inner = f"{name}_of_lists"
    pieces, numbers = source_of_lists(program, inner, kind, None, total, of)
    known = {**(TOTAL_NAMES if total else FAST_NAMES), **numbers, "isfinite": isfinite}
    names = Names({*array_names(), *known, inner})
    arguments = {block: names.take(block.name, "a") for block in program.blocks}
    lists = [f"{x}.tolist()" if block.shape else f"{x}.item()" for block, x in arguments.items()]
    call = f"{inner}({', '.join(lists)})"
    slopes = {names.take(f"d{arguments[block]}", "d"): block for block in program.wrt}
    made = tuple_of([f"array({x})" if block.shape else x for x, block in slopes.items()])
    lines = {
        "value": [f"return {call}"],
        "value_and_grad": [f"value, {tuple_of([*slopes])} = {call}", f"return value, {made}"],
        "jacobian": [
            f"values, slopes = {call}",
            f"return values, tuple([{made} for {tuple_of([*slopes])} in slopes])",
        ],
    }[kind]
    description = described(program, arguments, kind, None, total, of)
    return [*pieces, definition(name, arguments.values(), description, lines)], known
