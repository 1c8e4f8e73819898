"""Large programs as several functions: a long one takes much memory to compile.   (floor 3)

A part is given what it reads and returns what others read; the function calls one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..layout import definition
from ..program import Constant
from .python_lines import AFTER, BEFORE, INSIDE, Expression, Lines

PART = 6_000  # numbers that a part reads, about


def in_parts(
    lines: Lines, order: Sequence[Expression], name: str
) -> tuple[list[str], tuple[list[str], ...]]:
    """The sources of the parts, and the lines that call them, before, in and behind the loop."""
    statements = [x for x in order if x.of is None]
    for x in statements:
        for y in x.reads:
            y.has_line |= y.form is not None
    written: dict[Any, list[str]] = {}  # by the stage and the number of a part
    host: dict[Expression, Any] = {}
    said, size = list[tuple[int, str]](), 0
    read = {}
    for x, line in lines.composed(order):
        read[x] = _read(x)
        if x.of is None:
            said.append((x.stage, line))
            continue
        size += len(read[x])
        host[x] = x.stage, size // PART
        written.setdefault(host[x], []).append(line)
    given: dict[Any, dict[str, None]] = {part: {} for part in (*written, None)}
    returned: dict[Any, dict[str, None]] = {part: {} for part in written}
    for x, parts in read.items():
        part = host.get(x)
        for y in parts:
            if y not in host:
                given[part][y.text.partition("[")[0]] = None
            elif host[y] != part:
                given[part][y.text] = returned[host[y]][y.text] = None
    pieces = []
    calls: dict[int, list[str]] = {BEFORE: [], INSIDE: [], AFTER: []}
    for number, (part, some) in enumerate(sorted(written.items()), 1):
        called = lines.names.take(f"{name}_part_{number}", "part")
        results = ", ".join(returned[part])
        body = [*some, f"return {results}"]
        pieces.append(definition(called, given[part], f"Part {number} of {name}.", body))
        calls[part[0]].append(f"{results} = {called}({', '.join(given[part])})")
    for stage, line in said:
        calls[stage].append(line)
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
