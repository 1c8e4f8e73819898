"""Large programs as several functions: a long one takes much memory to compile.   (floor 3)

A part is given what it reads and returns what others read; the function calls one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..layout import definition
from .python_lines import Lines

PART = 6_000  # numbers that a part reads, about


def in_parts(
    lines: Lines, order: Sequence[int], name: str
) -> tuple[list[str], tuple[list[str], ...]]:
    """The sources of the parts, and the lines that call them, before, in and behind the loop."""
    forms, reads, texts = lines.forms, lines.reads, lines.texts
    for i in lines.statements:
        lines.named.update([j for j in reads[i] if forms[j] is not None])
    written: dict[Any, list[str]] = {}  # by the stage and the number of a part
    host: dict[int, Any] = {}
    read: dict[int, list[int]] = {}
    said, size = list[tuple[int, str]](), 0
    for i, text in lines.composed(order):
        read[i] = _read(lines, i)
        if i in lines.statements:
            said.append((i, text))
            continue
        size += len(read[i])
        host[i] = lines.stages[i], size // PART
        written.setdefault(host[i], []).append(f"{lines.name(i)} = {text}")
    given: dict[Any, dict[str, None]] = {part: {} for part in (*written, None)}
    returned: dict[Any, dict[str, None]] = {part: {} for part in written}
    for i, places in read.items():
        part = host.get(i)
        for j in places:
            if j not in host:
                given[part][texts[j].partition("[")[0]] = None
            elif host[j] != part:
                given[part][texts[j]] = returned[host[j]][texts[j]] = None
    pieces = []
    calls: tuple[list[str], ...] = ([], [], [])
    for number, (part, some) in enumerate(sorted(written.items()), 1):
        called = lines.names.take(f"{name}_part_{number}", "part")
        results = ", ".join(returned[part])
        body = [*some, f"return {results}"]
        pieces.append(definition(called, given[part], f"Part {number} of {name}.", body))
        calls[part[0]].append(f"{results} = {called}({', '.join(given[part])})")
    for i, text in said:
        calls[lines.stages[i]].append(text)
    return pieces, calls


def _read(lines: Lines, i: int) -> list[int]:
    """The inputs and the lines that an expression reads, and those that stand in it."""
    found, stack = [], [*reversed(lines.reads[i])]
    while stack:
        j = stack.pop()
        if lines.forms[j] is not None and j not in lines.named:
            stack += reversed(lines.reads[j])
        elif j not in lines.known:
            found.append(j)
    return found
