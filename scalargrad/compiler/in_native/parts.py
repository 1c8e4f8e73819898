"""Many lines for numba as several functions: the time that it takes for one grows faster than its lines.   (floor 3)"""

from __future__ import annotations

import re
import symtable

from .text import groups_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..naming import Names

MOST = 150  # lines that stay one function
PART = 40  # lines of a part, about


def in_parts(
    lines: Sequence[str], names: Names, known: Collection[str]
) -> tuple[list[str], list[str]]:
    """Functions, and the lines that call them; what sets a name stays where it is. `known` is what functions can call.

    >>> from scalargrad.compiler.naming import Names
    >>> functions, lines = in_parts(["for r in range(n):", "    y[r] = exp(x[r])"] * 100, Names(), {"exp"})
    >>> len(functions), lines[:2]
    (5, ['part1(n, x, y)', 'part2(n, x, y)'])
    """
    if len(lines) <= MOST:
        return [], [*lines]
    functions: list[str] = []
    result: list[str] = []
    part: list[str] = []

    def close() -> None:
        if part:
            name, arguments = names.take("", "part"), ", ".join(_free(part, known))
            functions.append("\n    ".join([f"def {name}({arguments}):", *part]) + "\n")
            result.append(f"{name}({arguments})")
            part.clear()

    for group in groups_of(lines):
        if re.match(r"(?!row\d)\w+ \+?= ", group[0]):
            close()
            result += group
        elif group[0].startswith("for q in") and len(group) > MOST:  # a walk back in turns
            close()
            inner, body = in_parts([line[4:] for line in group[1:]], names, known)
            functions += inner
            result += [group[0], *("    " + line for line in body)]
        else:
            part += group
            if len(part) >= PART and len(group) > 1:
                close()
    close()
    return functions, result


def _free(lines: Sequence[str], known: Collection[str]) -> list[str]:
    """The names that lines read and do not set; what a comprehension binds is its own.

    >>> _free(["y = [x / z for x in xs]", "f(x)"], {"f"})
    ['x', 'xs', 'z']
    """
    tables = symtable.symtable(
        "\n    ".join(["def part():", *lines]), "part", "exec"
    ).get_children()
    found: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        found.update(symbol.get_name() for symbol in table.get_symbols() if symbol.is_global())
    return sorted(found - {*known, "range", "len"})
