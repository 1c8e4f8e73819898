"""Large programs as several functions: a long one takes longer to compile, by the line.   (floor 3)

Numbers that go from one part to another stand in a list. Parts read the arguments' numbers by their places, and
put slopes into nested lists, or add them there.
"""

from __future__ import annotations

from ..forms import Form
from ..layout import definition, index_of, sum_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..program import Block
    from .layout import Layout
    from .lines import Lines

LARGE = 20_000  # expressions of a program that is still one function
PART = 5_000  # lines of a part


def in_parts(layout: Layout, name: str, of: str) -> list[str]:
    """The sources of the parts of a function, and of the function that calls them."""
    names, lines, arguments = layout.names, layout.lines, layout.arguments
    rows = {block: names.take(f"{arguments[block]}_i") for block in layout.carried}
    for block, argument in arguments.items():
        for x in block.inputs:
            lines.texts[layout.body.at[x]] = rows.get(block, argument) + _place(index_of(x))
    values = names.take("v", "v")
    slopes = [
        _Slopes(layout, block, own, variable)
        for group, variables in zip(layout.groups, layout.slope_names())
        for (block, own), variable in zip(layout.by_block(group), variables.values())
    ]
    for each in slopes:
        each.say()
    kept = [*layout.body.outputs, *[each.own[0] for each in slopes if not each.block.shape]]
    parts, count = _written(lines, values, kept)
    given = [
        values,
        *[rows.get(block, argument) for block, argument in arguments.items()],
        *[each.into for each in slopes if each.block.shape],
    ]
    pieces, calls = [], [f"{values} = [0.0] * {count}"]
    for i, part in enumerate(parts):
        call = names.take(f"{name}_part_{i + 1}", "part")
        pieces.append(definition(call, given, f"Part {i + 1} of {name}.", part))
        calls.append(f"{call}({', '.join(given)})")
    body = _loop(layout, rows, slopes, calls) if layout.carried else _calls(layout, slopes, calls)
    return [*pieces, definition(name, arguments.values(), layout.description(of), body)]


def _place(index: tuple[int, ...]) -> str:
    return "".join([f"[{i}]" for i in index])


class _Slopes:
    """The slopes by a block: a number among `values`, or nested lists `into` which parts put them, for each row anew or added up."""

    def __init__(self, layout: Layout, block: Block, own: list[int], name: str) -> None:
        self.lines, self.block, self.own, self.name = layout.lines, block, own, name
        is_reduced = bool(layout.carried) and layout.reduce is not None
        self.is_summed, self.is_listed = is_reduced and not block.has_rows, is_reduced and block.has_rows
        self.into = layout.names.take(f"{name}_i") if self.is_listed else name

    def say(self) -> None:
        """The statements in the parts."""
        if self.block.shape:
            for x, slope in zip(self.block.inputs, self.own):
                if slope != self.lines.zero:
                    self.lines.say(Form.line(f"{self.into}{_place(index_of(x))} {'+' * self.is_summed}= %s"), (slope,))

    @property
    def first(self) -> str:
        """What it is before a row."""
        text = "0.0"
        for n in reversed(self.block.shape):
            text = f"[0.0] * {n}" if text == "0.0" else f"[{text} for _ in range({n})]"
        return text

    @property
    def now(self) -> str:
        """What it is after a row."""
        return self.into if self.block.shape else self.lines.texts[self.own[0]]


def _calls(layout: Layout, slopes: list[_Slopes], calls: list[str]) -> list[str]:
    """The lines that call the parts once, and return."""
    return [*_once(layout, slopes, calls), f"return {_result(layout, slopes)}"]


def _once(layout: Layout, slopes: list[_Slopes], calls: list[str]) -> list[str]:
    """The lines that call the parts for slopes of their own."""
    return [*[f"{each.into} = {each.first}" for each in slopes if each.block.shape], *calls, *_check(layout, slopes)]


def _check(layout: Layout, slopes: list[_Slopes]) -> list[str]:
    """The lines that see to it that slopes are finite."""
    return [] if layout.total or not slopes else layout.check([sum_of(each.block.shape, each.now) for each in slopes]).split("\n")


def _result(layout: Layout, slopes: list[_Slopes]) -> str:
    outputs = [layout.lines.texts[i] for i in layout.body.outputs]
    return layout.joined(outputs, _by_output(layout, [each.now for each in slopes]))


def _by_output(layout: Layout, texts: list[str]) -> list[list[str]]:
    count = len(layout.program.wrt)
    return [texts[i * count : (i + 1) * count] for i in range(len(layout.groups))]


def _loop(layout: Layout, rows: dict[Block, str], slopes: list[_Slopes], calls: list[str]) -> list[str]:
    """The lines that call the parts for each row, and return."""
    if layout.reduce is None:
        values = layout.names.take("values")
        result = _result(layout, slopes) if layout.kind == "value" else f"({_result(layout, slopes)})"
        before, after = [f"{values} = []"], [f"return {values}"]
        inner = [*_once(layout, slopes, calls), f"{values}.append({result})"]
    else:
        before, inner, after = _added_up(layout, slopes, calls)
    sources = [layout.arguments[block] for block in rows]
    zipped = sources[0] if len(sources) == 1 else f"zip({', '.join(sources)})"
    return [*before, f"for {', '.join(rows.values())} in {zipped}:", *[f"    {line}" for line in inner], *after]


def _added_up(layout: Layout, slopes: list[_Slopes], calls: list[str]) -> tuple[list[str], list[str], list[str]]:
    """The lines before a loop that adds up over the rows, in it, and after it."""
    (share, before), totals = layout.share(), layout.totals()
    summed, listed = [each for each in slopes if not each.is_listed], [each for each in slopes if each.is_listed]
    before += [f"{total} = 0.0" for total in totals]
    before += [f"{each.name} = {'[]' if each.is_listed else each.first}" for each in slopes]
    inner = [
        *_once(layout, listed, calls),
        *[f"{total} += {layout.lines.texts[i]}" for total, i in zip(totals, layout.body.outputs)],
        *[f"{each.name} += {each.now}" for each in summed if not each.block.shape],
        *[f"{each.name}.append({_over(each.block.shape, each.now, share)})" for each in listed],
    ]
    sums = [sum_of(each.block.shape, each.name) for each in summed]
    results = [each.name if each.is_listed else _over(each.block.shape, each.name, share) for each in slopes]
    returned = layout.joined([f"{total}{share}" for total in totals], _by_output(layout, results))
    return before, inner, [*([layout.check(sums)] if sums and not layout.total else []), f"return {returned}"]


def _over(shape: tuple[int, ...], name: str, share: str) -> str:
    """Nested lists of a shape, each number divided."""
    if not shape or not share:
        return f"{name}{share}"
    return f"[{_over(shape[1:], 'item', share)} for item in {name}]"


def _written(lines: Lines, values: str, kept: Iterable[int]) -> tuple[list[list[str]], int]:
    """The lines of each part, and how many numbers go from one to another, or are `kept` for whoever calls them."""
    order = lines.decided(kept)
    host, crossing, here = _hosts(lines, order)
    crossing.update([i for i in kept if lines.forms[i] is not None])
    members: list[list[int]] = [[] for _ in range(max([host[i] for i in order], default=-1) + 1)]
    for i in order:
        members[host[i]].append(i)
    parts, count = [], 0
    for part in members:
        written, slots = [], []
        for i in part:
            text = lines.text(i)
            if i in lines.statements:
                written.append(text)
            elif i not in lines.named:
                lines.texts[i] = text
            else:
                earlier = lines.continued.get(i, -1)
                goes_on = earlier >= 0 and host[earlier] == host[i]
                name = (lines.texts[earlier] if goes_on else lines.name(i)) if i in here else ""
                if i in crossing:
                    slots.append((i, f"{values}[{count}]"))
                    count += 1
                lines.texts[i] = name
                written.append(" = ".join([*([name] if name else []), *([slots[-1][1]] if i in crossing else []), text]))
        for i, slot in slots:
            lines.texts[i] = slot
        parts.append(written)
    return parts, count


def _hosts(lines: Lines, order: list[int]) -> tuple[dict[int, int], set[int], set[int]]:
    """For each expression the part it is written in; those that are read in other parts, and those read in their own."""
    host: dict[int, int] = {}
    crossing: set[int] = set()
    here: set[int] = set()
    own = [i for i in order if i in lines.named or i in lines.statements]
    for k, i in enumerate(own):
        host[i] = k // PART
    for i in reversed(order):
        part = host[i]
        for j in lines.reads[i]:
            if j in lines.named:
                (here if host[j] == part else crossing).add(j)
            elif lines.forms[j] is not None:
                host[j] = part
    return host, crossing, here
