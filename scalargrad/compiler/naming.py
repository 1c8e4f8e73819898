"""Names in generated source: arguments' own, labels that people gave, made ones.   (floor 3)

A name reaches the source only if it is a plain identifier that nothing else bears; whatever else a
label says stays out of it.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable
from keyword import kwlist, softkwlist
from typing import Any

from ..ops import OPS
from ..rows.text import RESERVED

LONGEST = 40  # characters of a name
ITEM = "item"  # what a list comprehension runs over
_weights = re.compile(r"[wW](\d*)", re.ASCII)
FUNCTIONS = {"value", "value_and_grad", "jacobian"}  # what the generated functions are called
TAKEN = {*kwlist, *softkwlist, *RESERVED, *OPS, *dir(builtins), *FUNCTIONS}
TAKEN |= {"math", "isfinite", ITEM}
TAKEN.update(alias for op in OPS.values() for alias in op.aliases)


def is_name(text: str) -> bool:
    """Whether a text can stand in source as a name.

    >>> is_name("W1"), is_name("x'"), is_name("lambda"), is_name("exp")
    (True, False, False, False)
    """
    return _is_plain(text) and text not in TAKEN


def _is_plain(text: str) -> bool:
    """Whether a text is an identifier in plain letters, of which the first is one."""
    return text.isidentifier() and text.isascii() and text[0] != "_" and len(text) <= LONGEST


def is_word(text: str) -> bool:
    """Whether a text can stand in a docstring as it is: the name of a function."""
    return _is_plain(text.lstrip("_"))


class Names:
    """Names that are given out once each.

    >>> names = Names(["x"])
    >>> names.take("x"), names.take("z"), names.take("import os"), names.take("")
    ('x_2', 'z', 'v1', 'v2')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)
        self.counts: dict[str, int] = {}

    def take(self, wish: str, instead: str = "v") -> str:
        """The name wished for, numbered if it is taken; `instead`, numbered, for what is none."""
        made = not wish or not (wish in self.counts or is_name(wish))
        if made:
            wish = instead
        elif wish not in self.taken:
            self.taken.add(wish)
            return wish
        count = self.counts.get(wish, 0 if made else 1)
        while True:
            count += 1
            name = f"{wish}{count}" if made else f"{wish}_{count}"
            if name not in self.taken:
                self.counts[wish] = count
                self.taken.add(name)
                return name


def step_names(steps: Iterable[Any]) -> dict[Any, str]:
    """Names to wish for: a label; z1 for a dot with weights W1, a1 for a step of it alone."""
    wishes: dict[Any, str] = {}
    for step in steps:
        op, operands = step.op, step.operands
        wish = step.label
        if not wish and op.name == "dot":
            wish = _sum_of(operands[0])
        elif not wish and len(operands) == 1:
            below = wishes.get(operands[0], "")
            wish = f"a{below[1:]}" if below[:1] == "z" else ""
        if wish:
            wishes[step] = wish
    return wishes


def _sum_of(weight: Any) -> str:
    """The name of a sum of products with weights, by the first of them: z1_0 for W1[0, 0]."""
    block: Any = getattr(weight, "block", None)
    found = _weights.fullmatch(block.name) if block else None
    if not found:
        return ""
    neurons, inputs = (block.shape[0], block.shape[-1]) if len(block.shape) > 1 else (1, 1)
    return f"z{found[1]}_{weight.place // inputs}" if neurons > 1 else f"z{found[1]}"
