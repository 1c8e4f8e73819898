"""The layout of generated functions: docstrings, structures, lines not too long.   (floor 3)"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from .program import Block, Input, Program
from .roll import Rolled

LINE = 130  # characters of a line
_BREAKS = re.compile(r"(?<=,) | (?=[+-] )")  # where a line may end


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


def index_of(x: Input) -> tuple[int, ...]:
    """The place of an input as an index into its block's shape."""
    place, shape = x.place, x.block.shape
    if len(shape) < 2:
        return (place,) if shape else ()
    index: list[int] = []
    for n in reversed(shape):
        place, i = divmod(place, n)
        index.append(i)
    return tuple(reversed(index))


def item_name(x: Input, name: str, depth: int | None = None) -> str:
    """The name for a number of an argument, W1_0_2, or for a list of them, at a depth: W1_0."""
    if not x.block.shape:
        return f"{name}_i" if x.block.has_rows else name
    return "_".join([name, *map(str, index_of(x)[:depth])])


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
    """A line as lines of at most `width` characters, where it has commas, + or - to break at; in
    parentheses where it has none around.

    >>> wrapped("    y = aaa + bbb + ccc", 16)
    ['    y = (', '        aaa', '        + bbb', '        + ccc', '    )']
    """
    if len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    if (parts := _split(line, len(indent))) is None:
        return [line]
    head, body, tail = parts
    return [head, *_filled(body, indent + "    ", width), indent + tail]


def _filled(body: str, indent: str, width: int) -> list[str]:
    """A text in lines that end at commas, + or -, in brackets only where they must."""
    items, depth = [""], 0
    for piece in _BREAKS.split(body):
        if depth:
            items[-1] += f" {piece}"
        else:
            items.append(piece)
        depth += sum(map(piece.count, "([")) - sum(map(piece.count, ")]"))
    lines, line = list[str](), indent
    for item in items[1:]:
        for piece in _BREAKS.split(item) if len(indent) + len(item) > width else [item]:
            is_list = piece.startswith("[") and line.endswith("], ")
            if line != indent and (is_list or len(line) + len(piece) > width):
                lines.append(line.rstrip())
                line = indent
            line += f"{piece} "
    return [*lines, line.rstrip()]


def _brackets(text: str) -> list[tuple[int, int]]:
    """Where each pair of outermost brackets begins and ends, without the brackets."""
    places: list[int] = []
    for mark in "()[]":
        place = text.find(mark)
        while place >= 0:
            places.append(place)
            place = text.find(mark, place + 1)
    found, depth, begin = [], 0, 0
    for place in sorted(places):
        if text[place] in "([":
            begin = begin if depth else place + 1
            depth += 1
        else:
            depth -= 1
            if not depth:
                found.append((begin, place))
    return found


def _split(line: str, begin: int) -> tuple[str, str, str] | None:
    """A statement as what opens a bracket, what stands in it and what closes it.

    It gets a pair of its own where none is around it all.
    """
    end = len(line)
    left, equals, right = line.rpartition(" = ")
    if line.startswith("for ", begin):
        begin, end = begin + 4, line.index(" in ")
    elif line.startswith("return ", begin):
        begin += 7
    elif " += " in line:
        begin = line.index(" += ") + 4
    elif equals and len(left) > len(right):
        end = len(left)
    elif equals:
        begin = len(left) + 3
    else:  # a call, or a definition
        begin, end = line.find("("), line.rfind(")") + 1
        if _brackets(line[begin:end]) != [(1, end - begin - 1)]:
            return None
    if _brackets(line[begin:end]) == [(1, end - begin - 1)]:
        return line[: begin + 1], line[begin + 1 : end - 1], line[end - 1 :]
    return f"{line[:begin]}(", line[begin:end], f"){line[end:]}"


def zeros(names: Iterable[str]) -> list[str]:
    """Lines that set names to 0.0."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) < LINE - 12:
            lines[-1] = f"{lines[-1][:-3]}{name} = 0.0"
        else:
            lines.append(f"{name} = 0.0")
    return lines
