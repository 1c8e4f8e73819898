"""Large programs as several functions: a long one takes much memory to compile.   (floor 3)

A part is given what it reads and returns what others read; the function calls one after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import inf

from ..layout import definition
from ..program import Constant
from .python_lines import AFTER, BEFORE, INSIDE, Expression, Lines

PART = 6_000  # numbers that a part reads, about
Key = tuple[int, float]  # of a part: its stage and its number; inf for statements, which come last


def in_parts(
    lines: Lines, order: Sequence[Expression], name: str
) -> tuple[list[str], tuple[list[str], ...]]:
    """The sources of the parts, and the lines that call them, before, in and behind the loop."""
    for x in [y for statement in order if statement.of is None for y in statement.reads]:
        x.has_line = x.has_line or x.form is not None
    host, size = dict[Expression, Key](), 0
    written: dict[Key, list[str]] = defaultdict(list)
    given: dict[Key, dict[str, None]] = defaultdict(dict)
    returned: dict[Key, dict[str, None]] = defaultdict(dict)
    for x, line in lines.composed(order):
        read = _read(x)
        size += len(read)
        part = host[x] = x.stage, inf if x.of is None else size // PART
        written[part].append(line)
        for y in read:
            if host.get(y) != part:
                given[part][y.text.partition("[")[0]] = None
                if y in host:
                    returned[host[y]][y.text] = None
    pieces = list[str]()
    calls: dict[int, list[str]] = {BEFORE: [], INSIDE: [], AFTER: []}
    for part in sorted(written):
        body, (stage, number), results = written[part], part, ", ".join(returned[part])
        if number < inf:
            count = len(pieces) + 1
            called = lines.names.take(f"{name}_part_{count}", "part")
            body = [*body, f"return {results}"]
            pieces.append(definition(called, given[part], f"Part {count} of {name}.", body))
            body = [f"{results} = {called}({', '.join(given[part])})"]
        calls[stage] += body
    return pieces, tuple(calls.values())


def _read(x: Expression) -> list[Expression]:
    """The inputs and the lines that an expression reads, and those that stand in it."""
    found, stack = list[Expression](), [*reversed(x.reads)]
    while stack:
        y = stack.pop()
        if y.form is not None and not y.has_line:
            stack += reversed(y.reads)
        elif y.of.__class__ is not Constant:
            found.append(y)
    return found
