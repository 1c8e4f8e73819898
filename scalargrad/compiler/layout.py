"""The layout of generated functions: docstrings, structures, lines not too long.   (floor 3)"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from .program import Block, Input, Program
from .roll import Rolled

LINE = 130  # characters of a line


def definition(name: str, arguments: Iterable[str], description: str, lines: Iterable[str]) -> str:
    """The source of a function, with a docstring."""
    head = wrapped(f"def {name}({', '.join(arguments)}):")
    body = [
        piece for line in lines for part in line.split("\n") for piece in wrapped("    " + part)
    ]
    doc = [f"    {line}".rstrip() for line in f'"""{description}"""'.split("\n")]
    return "\n".join([*head, *doc, *body]) + "\n"


def described(
    program: Program | Rolled, names: Mapping[Block, str], kind: str, reduce: str | None,
    total: bool, of: str,
) -> str:  # fmt: skip
    """The docstring of a generated function: what it computes, of which function, which shapes."""
    what = "The value" if len(program.outputs) == 1 else "The values"
    what += f" of {of}" if of else ""
    if kind != "value":
        slopes = "the slopes of each by" if kind == "jacobian" else "its slopes by"
        what += f" and {slopes} {listed([names[block] for block in program.wrt]) or 'nothing'}"
    if carried := [name for block, name in names.items() if block.has_rows]:
        over = {"mean": ": the mean over", "sum": ": the sum over", None: ", for each of"}[reduce]
        what += f"{over} the rows of {listed(carried)}"
    if total:
        what += "; never raises"
    shapes = ["", *textwrap.wrap(f"{_shapes(names)}.", LINE - 8), ""] if names else []
    return "\n".join([*textwrap.wrap(f"{what}.", LINE - 8), *shapes])


def _shapes(names: Mapping[Block, str]) -> str:
    """The shapes of arguments: W1: 3 × 2; w, b: numbers."""
    told = []
    for (shape, by_rows), same in groupby(names, key=lambda block: (block.shape, block.has_rows)):
        some, numbers = [names[block] for block in same], " × ".join(map(str, shape))
        one = "numbers" if len(some) > 1 and not by_rows else "a number"
        told.append(f"{', '.join(some)}: {numbers or one}{' a row' * by_rows}")
    return "; ".join(told)


def shape_text(block: Block, lead: str = "") -> str:
    """The shape of a block as text.

    >>> from scalargrad.compiler.program import Block
    >>> shape_text(Block("W1", (3, 2))), shape_text(Block("x", (2,), has_rows=True))
    ('3 × 2 numbers', 'n rows of 2 numbers')
    """
    parts = " × ".join(map(str, block.shape))
    numbers = f"{parts} number{'s' * (parts != '1')}" if parts else "a number"
    if block.has_rows or lead:
        return f"n rows of {numbers}" if parts else "n numbers, one for each row"
    return numbers


def item_name(x: Input, name: str, depth: int | None = None) -> str:
    """The name for a number of an argument, W1_0_2, or for a list of them, at a depth: W1_0."""
    if not x.block.shape:
        return f"{name}_i" if x.block.has_rows else name
    place, index = x.place, list[str]()
    for n in reversed(x.block.shape):
        place, i = divmod(place, n)
        index.append(str(i))
    return "_".join([name, *index[::-1][:depth]])


def tuple_of(items: Sequence[str]) -> str:
    """Items as a tuple, written out."""
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def nested(shape: tuple[int, ...], items: Sequence[str]) -> str:
    """Items as nested lists of a shape, written out.

    >>> nested((2, 2), "abcd")
    '[[a, b], [c, d]]'
    """
    if not shape:
        return items[0]
    size = len(items) // shape[0] if shape[0] else 0
    parts = [items[i * size : (i + 1) * size] for i in range(shape[0])]
    return f"[{', '.join([nested(shape[1:], part) for part in parts])}]"


def pattern(shape: tuple[int, ...], items: Sequence[str], bare: bool = True) -> str:
    """Items as a pattern that an argument of a shape is unpacked into; parts of it of which nothing
    is read ("") are "_". If `bare`, it has no parentheses where it needs none.

    >>> pattern((2, 2), ["a", "", "", ""]), pattern((2,), ["a", "b"], bare=False)
    ('(a, _), _', '(a, b)')
    """
    text = _pattern(shape, items)
    return text[1:-1] if bare and text.endswith(")") and shape[0] > 1 else text


def _pattern(shape: tuple[int, ...], items: Sequence[str]) -> str:
    if not any(items):
        return "_"
    if not shape:
        return items[0]
    size = len(items) // shape[0]
    return tuple_of(
        [_pattern(shape[1:], items[i * size : (i + 1) * size]) for i in range(shape[0])]
    )


def sum_of(shape: tuple[int, ...], name: str) -> str:
    """An expression for the sum of all numbers in nested lists of a shape.

    >>> sum_of((), "d"), sum_of((3,), "d"), sum_of((3, 2), "d"), sum_of((3, 2, 2), "d")
    ('d', 'sum(d)', 'sum(map(sum, d))', 'sum([sum(map(sum, item)) for item in d])')
    """
    if len(shape) < 3:
        return [name, f"sum({name})", f"sum(map(sum, {name}))"][len(shape)]
    return f"sum([{sum_of(shape[1:], 'item')} for item in {name}])"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def wrapped(line: str, width: int = LINE) -> list[str]:
    """A line as lines of at most `width` characters, which end behind a comma, or before + or -.

    They end in brackets; what is long and has none around it gets a pair.

    >>> wrapped("    y = aaa + bbb + ccc", 18)
    ['    y = (aaa + bbb', '        + ccc)']
    """
    if len(line) <= width:
        return [line]
    for mark in (" += ", " = ", "return ", " import "):
        left, found, right = line.rpartition(mark)
        if found:
            pair = f"{left}{mark}({right})"
            if len(left) > len(right):
                pair = f"{_indent(left)}({left.lstrip()}){mark}{right}"
            return _broken(line, width, 0) or _broken(pair, width)
    return _broken(line, width)


def _broken(line: str, width: int, least: int = 1) -> list[str]:
    """A line in lines that end in the outermost brackets open in their second half.

    There are none if one would end in no brackets; it does so only if `least` is 0.
    """
    lead = _indent(line) + "    " * (2 if line.endswith(":") else 1)
    lines, depth = list[str](), 0
    while len(line) > width:
        ends = _ends(line, width // 2, width, depth, least)
        ends = ends or _ends(line, len(lead), width, depth, least)
        if not ends:
            break
        depth, end = max(ends, key=lambda x: (-x[0], x[1]))
        if not depth:
            return []
        lines.append(line[:end])
        line = lead + line[end + 1 :]
    return [*lines, line]


def _ends(line: str, begin: int, end: int, depth: int, least: int) -> list[tuple[int, int]]:
    """Places between two where a line may end, each behind the count of brackets open there."""
    depth += sum(map(line[:begin].count, "([")) - sum(map(line[:begin].count, ")]"))
    found = list[tuple[int, int]]()
    for i, character in enumerate(line[begin : end + 1], begin):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == " " and (line[i - 1] == "," or line[i + 1] in "+-") and depth >= least:
            found.append((depth, i))
    return found


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def zeros(names: Iterable[str]) -> list[str]:
    """Lines that set names to 0.0."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) < LINE - 12:
            lines[-1] = f"{lines[-1][:-3]}{name} = 0.0"
        else:
            lines.append(f"{name} = 0.0")
    return lines
