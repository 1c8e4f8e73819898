"""Programs whose vectors would be of a few numbers each: plain Python between arrays, as NumPy's backend calls it.   (floor 3)

A line of NumPy costs what fifty operations do in plain Python, and much more to write. So where hardly two steps are alike
the function on arrays takes them apart, calls a function of lists, and makes arrays of its slopes.
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
    """The source of a function of arrays, in pieces, and what it reads by name; `kind` as in `emitters.python`.

    >>> from scalargrad.compiler.program import Block, Program, Step
    >>> from scalargrad.ops import OPS
    >>> x = Block("x", (2,), wrt=True)
    >>> print(function_source(Program([x], [Step(OPS["mul"], tuple(x.inputs))]), "f", "value_and_grad")[0][-1])
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
    call = f"{inner}({', '.join([f'{text}.tolist()' if block.shape else f'{text}.item()' for block, text in arguments.items()])})"
    slopes = {names.take(f"d{arguments[block]}", "d"): block for block in program.wrt}
    made = tuple_of(
        [f"array({slope})" if block.shape else slope for slope, block in slopes.items()]
    )
    lines = {
        "value": [f"return {call}"],
        "value_and_grad": [f"value, {tuple_of([*slopes])} = {call}", f"return value, {made}"],
        "jacobian": [
            f"values, slopes = {call}",
            f"return values, tuple([{made} for {tuple_of([*slopes])} in slopes])",
        ],
    }[kind]
    return [
        *pieces,
        definition(
            name, arguments.values(), described(program, arguments, kind, None, total, of), lines
        ),
    ], known
