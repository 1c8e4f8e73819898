"""What source for numba is written with: rows' text, indices, nests of loops, tables of constants.   (floor 3)"""

from __future__ import annotations

import re
from functools import cache

from ..forms import literal
from ..layout import WORD, words
from .machine import machine_statements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from ...ops import Op

    Lines = list[tuple[str, str]]  # names, and the expressions that they are set to

OWN = {
    "rows",
    "n",
    "first",
    "last",
    "r",
    "i",
    "j",
    "k",
    "o",
    "q",
    "once",
    "numbers",
    "places",
    "outputs",
    "order",
    "values",
    "slopes",
    "forward",
    "backward",
    "range",
    "len",
    "min",
    *(f"row{i}" for i in range(1, 99)),
}
CONDITIONS = ("_less", "_less_equal", "_and", "_or", "_not")
_atom = re.compile(r"[\w.]+|\w+\([^()]*\)|\w+\[[^\[\]]*\]")  # a name, a number, a call, an item


@cache
def row_text(op: Op, by: tuple[str, ...], wide: bool = False) -> tuple[Lines, Lines]:
    """The lines of a row's value and of its slopes by some operands, as names and expressions.

    What the value does not need stands with the slopes, or nowhere.

    >>> from scalargrad.ops import OPS
    >>> row_text(OPS["square"], ("x",))
    ([('out', 'x * x')], [('dx', '2.0 * x')])
    """
    forward, slopes = (
        [_parted(line) for line in lines] for lines in machine_statements(op, by, wide)
    )
    if op.name in CONDITIONS:
        forward[-1] = "out", f"1.0 if {forward[-1][1]} else 0.0"
    needed = _read_by(forward, {"out"})
    slopes = [line for line in forward if line[0] not in needed] + slopes
    read = _read_by(slopes, {f"d{operand}" for operand in by})
    return [line for line in forward if line[0] in needed], [
        line for line in slopes if line[0] in read
    ]


def _parted(line: str) -> tuple[str, str]:
    name, _, text = line.partition(" = ")
    return name, text


def _read_by(lines: Lines, names: set[str]) -> set[str]:
    """The names, with all that is read by the lines that set them."""
    for name, text in reversed(lines):
        if name in names:
            names = names | words(text)
    return names


def filled(text: str, local: Mapping[str, str]) -> str:
    """An expression with others in place of some names.

    >>> filled("e * out", {"out": "z1[i]"})
    'e * z1[i]'
    """
    return WORD.sub(lambda match: local.get(match[0], match[0]), text)


def is_atom(text: str) -> bool:
    """Whether it is a name or a number."""
    return re.fullmatch(r"-?[\w.]+|\(-[\w.]+\)", text) is not None


def linear(first: int, terms: Iterable[tuple[int, str]]) -> str:
    """A sum of multiples of variables as text.

    >>> linear(3, [(2, "i"), (1, "k"), (0, "r")]), linear(0, [])
    ('3 + 2 * i + k', '0')
    """
    parts = [str(first)] if first else []
    parts += [name if times == 1 else f"{times} * {name}" for times, name in terms if times]
    return " + ".join(parts) or "0"


class Strides:
    """An index that is linear in the place along each of its axes: a first number, and a step for each axis."""

    def __init__(self, first: int, steps: tuple[int, ...]) -> None:
        self.first, self.steps = first, steps

    @classmethod
    def of(cls, index: Any) -> Strides | None:
        """What an index says, where it can be said so.

        >>> import numpy
        >>> strides = Strides.of(numpy.array([[4, 5], [6, 7]]))
        >>> strides.first, strides.steps
        (4, (2, 1))
        """
        import numpy

        first, expected, steps = int(index.flat[0]), index.flat[0], []
        for axis, size in enumerate(index.shape):
            step = int(index.take(1, axis).flat[0]) - first if size > 1 else 0
            shape = [1] * index.ndim
            shape[axis] = size
            expected = expected + step * numpy.arange(size).reshape(shape)
            steps.append(step)
        return cls(first, tuple(steps)) if (index == expected).all() else None


class Tables:
    """Numbers and indices that the source reads by their place in two arrays."""

    def __init__(self) -> None:
        self.numbers: list[float] = []
        self.places: list[int] = []
        self._begins: dict[Any, int] = {}

    def index(self, index: Any, variables: Sequence[str]) -> str:
        """An index as text: a sum of multiples of variables, or what stands in a table there."""
        if (strides := Strides.of(index)) is not None:
            return linear(strides.first, zip(strides.steps, variables))
        return f"places[{self._at(self.places, index, variables)}]"

    def number(self, data: Any, variables: Sequence[str]) -> str:
        """Constants as text: one place, or a literal if it is short, where all are the same; else what stands in a table.

        >>> import numpy
        >>> tables = Tables()
        >>> tables.number(numpy.full(3, 1 / 3), "i"), tables.number(numpy.array([1.0, 2.0]), "i"), tables.numbers
        ('numbers[0]', 'numbers[1 + i]', [0.3333333333333333, 1.0, 2.0])
        """
        first = float(data.flat[0])
        if all(
            float.hex(x) == float.hex(first) for x in data.ravel().tolist()
        ):  # it may be read in a loop of other variables
            if text := literal(first):
                return f"({text})" if text[0] == "-" else text
            data = data.ravel()[:1]
        return f"numbers[{self._at(self.numbers, data, variables)}]"

    def _at(self, table: list[Any], array: Any, variables: Sequence[str]) -> str:
        key = table is self.numbers, array.tobytes()
        if key not in self._begins:
            self._begins[key] = len(table)
            table += array.ravel().tolist()
        steps, size = [], 1
        for n in reversed(array.shape):
            steps.append(size if n > 1 else 0)
            size *= n
        return linear(self._begins[key], zip(reversed(steps), variables))


def share(partial: str, slope: str, total: bool) -> str:
    """partial × slope; in total arithmetic 0 where the slope is 0.

    >>> share("e + 1.0", "d", False), share("x", "d", True), share("-1.0", "d", False)
    ('(e + 1.0) * d', '(0.0 if d == 0.0 else x * d)', '-d')
    """
    if partial in ("1.0", "-1.0", "(-1.0)"):
        return slope if partial == "1.0" else f"-{slope}"
    if slope == "1.0":
        return partial if _atom.fullmatch(partial) else f"({partial})"
    partial = partial if _atom.fullmatch(partial) else f"({partial})"
    return f"(0.0 if {slope} == 0.0 else {partial} * {slope})" if total else f"{partial} * {slope}"


def span(first: str, count: int) -> str:
    """A slice of so many numbers.

    >>> span("0", 4), span("2 * i", 2)
    ('0:4', '2 * i : 2 * i + 2')
    """
    return f"{first}:{int(first) + count}" if first.isdigit() else f"{first} : {first} + {count}"


def once(variable: str, count: int) -> str:
    """A variable of a loop, or 0 where there is no loop."""
    return variable if count != 1 else "0"


def looped(loops: Iterable[tuple[str, int | str]], lines: Iterable[str]) -> list[str]:
    """Lines in loops, each of a variable and how often; none where that is once.

    Around a loop over rows it is written so that no compiler makes copies of that for each turn, which takes its time.

    >>> looped([("i", 2), ("k", 1), ("r", "n")], ["a[i * n + r] = 0.0"])
    ['for i in range(2 * once):', '    for r in range(n):', '        a[i * n + r] = 0.0']
    """
    result = [*lines]
    for variable, count in reversed([*loops]):
        if count != 1:
            is_around = isinstance(count, int) and any(
                "for r in range" in line or ", n)" in line for line in result
            )
            result = [
                f"for {variable} in range({count}{' * once' if is_around else ''}):",
                *("    " + line for line in result),
            ]
    return result


def fused(lines: Iterable[str]) -> list[str]:
    """Loops one after the other as one, where each turn of them reads and writes numbers of that turn alone.

    >>> fused(["for r in range(n):", "    a[r] = x[r]", "for r in range(n):", "    b[r] = a[r] * a[r]"])
    ['for r in range(n):', '    a[r] = x[r]', '    b[r] = a[r] * a[r]']
    """
    result: list[str] = []
    open_loop = ""  # the loop that the last lines are, if others may go into it
    for group in groups_of(lines):
        head, *body = group
        match = re.fullmatch(r"for (\w) in range\(.*\bn\):", head)
        is_apart = match is not None and all(_turn_alone(line, match[1]) for line in body)
        result += body if is_apart and head == open_loop else group
        open_loop = head if is_apart else ""
    return result


def groups_of(lines: Iterable[str]) -> list[list[str]]:
    """Lines, each with those that are indented behind it."""
    groups: list[list[str]] = []
    for line in lines:
        if line[0] == " ":
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _turn_alone(line: str, variable: str) -> bool:
    """Whether a line of a loop indexes what varies in it by its variable, or by columns and the number of a row."""
    found = re.findall(r"\[([^\[\]]*)\]", line)
    alone = re.compile(rf"{variable}|\d+ \* n \+ r|[^nr]*")
    return (
        " for " not in line
        and "places" not in line
        and all(alone.fullmatch(index) for index in found)
    )


def sliced(lines: Sequence[str]) -> list[str]:
    """Loops over rows, or over all numbers of all rows, that index slices by their variable alone, which vector instructions need.

    >>> sliced(["for r in range(n):", "    y[2 * n + r] = x[i * n + r]"])
    ['row1 = y[2 * n : 2 * n + n]', 'row2 = x[i * n : i * n + n]', 'for r in range(n):', '    row1[r] = row2[r]']
    """
    result: list[str] = []
    at = 0
    while at < len(lines):
        head = re.fullmatch(r"( *)for ([rj]) in range\(.*\):", lines[at])
        at += 1
        if head is None:
            result.append(lines[at - 1])
            continue
        end = next(
            (i for i in range(at, len(lines)) if not lines[i].startswith(f"{head[1]}    ")),
            len(lines),
        )
        result += _with_slices(lines[at - 1], lines[at:end], head[1], head[2])
        at = end
    return result


def _with_slices(head: str, body: Sequence[str], margin: str, variable: str) -> list[str]:
    """A loop, and before it the slices that it indexes."""
    inner = set(re.findall(r"for (\w) in", "\n".join(body)))
    rows: dict[str, str] = {}

    def replaced(match: re.Match[str]) -> str:
        if not inner.isdisjoint(words(match[2])):
            return match[0]
        end = f" {match[2]} * n + n" if variable == "r" else ""
        row = rows.setdefault(f"{match[1]}[{match[2]} * n :{end}]", f"row{len(rows) + 1}")
        return f"{row}[{variable}]"

    lines = [
        re.sub(rf"(\w+)\[((?:[^\[\]]|\[[^\[\]]*\])*) \* n \+ {variable}\]", replaced, line)
        for line in body
    ]
    return [*(f"{margin}{row} = {text}" for text, row in rows.items()), head, *lines]
