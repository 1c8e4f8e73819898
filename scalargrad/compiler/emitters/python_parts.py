"""Large programs as several functions: a long one takes much memory to compile.   (floor 3)

A part is given what it reads and returns what others read; the function calls one after the other.
"""

from __future__ import annotations

from ..layout import definition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .python_lines import Lines

PART = 8_000  # places in expressions of a part, about


def in_parts(
    lines: Lines, order: Sequence[int], name: str
) -> tuple[list[str], tuple[list[str], ...]]:
    """The sources of the parts, and the lines that call them, before, in and behind the loop."""
    forms, reads, texts, stages = lines.forms, lines.reads, lines.texts, lines.stages
    for i in lines.statements:
        lines.named.update([j for j in reads[i] if forms[j] is not None])
    members = _hosted(lines, order)
    host = {i: part for part, some in members.items() for i in some}
    written: dict[tuple[int, int], list[str]] = {
        part: [f"{lines.name(i)} = {text}" for i, text in lines.composed(some)]
        for part, some in members.items()
    }
    given: dict[tuple[int, int] | None, dict[str, None]] = {part: {} for part in (*members, None)}
    returned: dict[tuple[int, int] | None, dict[str, None]] = {part: {} for part in members}
    for i in order:
        part = host.get(i)
        for j in reads[i]:
            if forms[j] is None:
                if j not in lines.known:
                    given[part][texts[j].partition("[")[0]] = None
            elif host[j] != part:
                given[part][texts[j]] = None
                returned[host[j]][texts[j]] = None
    pieces = []
    calls: tuple[list[str], ...] = ([], [], [])
    for number, (part, some) in enumerate(written.items(), 1):
        called = lines.names.take(f"{name}_part_{number}", "part")
        results = ", ".join(returned[part])
        pieces.append(
            definition(
                called, given[part], f"Part {number} of {name}.", [*some, f"return {results}"]
            )
        )
        calls[part[0]].append(f"{results} = {called}({', '.join(given[part])})")
    for i, text in lines.composed([i for i in order if i in lines.statements]):
        calls[stages[i]].append(text)
    return pieces, calls


def _hosted(lines: Lines, order: Sequence[int]) -> dict[tuple[int, int], list[int]]:
    """For each part, known by its stage and a number, what it computes in order."""
    forms, reads, named = lines.forms, lines.reads, lines.named
    host: dict[int, tuple[int, int]] = {}
    size = 0
    for i in order:
        size += len(reads[i])
        if i in named:
            host[i] = lines.stages[i], size // PART
    for i in reversed(order):
        for j in reads[i]:
            if forms[j] is not None and j not in named:
                host[j] = host[i]
    members: dict[tuple[int, int], list[int]] = {part: [] for part in sorted({*host.values()})}
    for i in order:
        if i in host:
            members[host[i]].append(i)
    return members
