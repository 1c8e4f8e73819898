"""Large programs as several functions: a long one takes much memory to compile.   (floor 3)

Numbers that go from one part to another stand in a list, which each part prolongs by what later ones read. Lists of the arguments
are unpacked where that makes a part shorter, and else read by their places; slopes are put into nested lists, a row at a time.
"""

from __future__ import annotations

from collections import Counter

from ..forms import Form
from ..layout import definition, index_of, pattern, sum_of, tuple_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..program import Block
    from .layout import Layout
    from .lines import Lines

LARGE = 50_000  # expressions of a program that is still one function: compiled it takes 1 kB for each, for a moment
PART = 8_000  # places in expressions of a part, about
HANDED = 12  # numbers from earlier parts that are unpacked together, in a line
ROW = 250  # slopes that are put in place at once, at most


def in_parts(layout: Layout, name: str, of: str) -> list[str]:
    """The sources of the parts of a function, and of the function that calls them."""
    names, arguments = layout.names, layout.arguments
    rows = {block: names.take(f"{arguments[block]}_i") for block in layout.carried}
    values = names.take("v", "v")
    known = _Given(layout, rows, values)
    slopes = [
        _Slopes(layout, block, own, variable)
        for group, variables in zip(layout.groups, layout.slope_names())
        for (block, own), variable in zip(layout.by_block(group), variables.values())
    ]
    for each in slopes:
        each.say()
    kept = [*layout.body.outputs, *[each.own[0] for each in slopes if not each.block.shape]]
    given = [values, *known.arguments.values(), *[each.into for each in slopes if each.block.shape]]
    pieces, calls = [], [f"{values} = []"]
    parts, results = _written(layout.lines, known, kept)
    for i, part in enumerate(parts):
        call = names.take(f"{name}_part_{i + 1}", "part")
        pieces.append(definition(call, given, f"Part {i + 1} of {name}.", part))
        calls.append(f"{call}({', '.join(given)})")
    calls += results
    body = _loop(layout, rows, slopes, calls) if layout.carried else _calls(layout, slopes, calls)
    return [*pieces, definition(name, arguments.values(), layout.description(of), body)]


def _place(index: Sequence[int]) -> str:
    return "".join([f"[{i}]" for i in index])


class _List:
    """Expressions whose numbers stand in a list, which is `text` and could be called `name`; one by one they are places of `places`.

    The first has the place `first`. `called` is the list's name and `names` are theirs, once a part has used them; `now` is the list in
    whose places they are read at present, None where it is by their names.
    """

    __slots__ = ("called", "first", "name", "names", "now", "own", "places", "text")

    def __init__(
        self, text: str, own: Sequence[int], name: str, places: str = "", first: int = 0
    ) -> None:
        self.text, self.own, self.name, self.places, self.first = (
            text,
            own,
            name,
            places or text,
            first,
        )
        self.called, self.names = "", list[str]()
        self.now: str | None = ""


class _Given:
    """The numbers that parts are given, of the arguments and of parts before them, list by list."""

    def __init__(self, layout: Layout, rows: dict[Block, str], values: str) -> None:
        self.names, self.texts, self.values, self.count = (
            layout.names,
            layout.lines.texts,
            values,
            0,
        )
        self.arguments = {
            block: rows.get(block, argument) for block, argument in layout.arguments.items()
        }
        self._lists: dict[int, _List] = {}
        for block, argument in self.arguments.items():
            at = [layout.body.at[x] for x in block.inputs]
            if not block.shape:
                self.texts[at[0]] = argument
                continue
            count = block.shape[-1]
            for first in range(0, len(at), count or 1):
                place = index_of(block.inputs[first])[:-1]
                self._add(
                    _List(
                        f"{argument}{_place(place)}",
                        at[first : first + count],
                        "_".join([argument, *map(str, place)]),
                    )
                )

    def _add(self, some: _List) -> None:
        self._lists.update(dict.fromkeys(some.own, some))

    def hand_on(self, own: list[int]) -> list[str]:
        """The lines at the end of a part by which others are given what it computes."""
        begin, self.count = self.count, self.count + len(own)
        for first in range(begin, self.count, HANDED):
            some = own[first - begin : first - begin + HANDED]
            handed = _List(
                f"{self.values}[{first}:{first + len(some)}]", some, self.values, self.values, first
            )
            handed.names = [self.texts[i] for i in some]
            self._add(handed)
        return [f"{self.values} += {tuple_of([self.texts[i] for i in own])}"] if own else []

    def read(self, numbers: Sequence[int]) -> list[str]:
        """The lines at the head of a part that reads these numbers, each as often; from then on it reads them by `texts`."""
        counts = Counter(map(self._lists.get, numbers))
        del counts[None]  # arguments that are numbers by themselves
        read, lines = set(numbers), list[str]()
        for some, reads in counts.items():
            assert some
            names = 1 + 2 * some.places.count(
                "["
            )  # names and numbers to be read for the list; a place in it takes two more
            by_number, by_list, by_place = (
                reads + len(some.own) + 4 + names,
                3 * reads + 2 + names,
                (2 + names) * reads,
            )
            if by_number < min(by_list, by_place):
                some.names = some.names or [
                    self.names.take(f"{some.name}_{k}") for k in range(len(some.own))
                ]
                items = [name if i in read else "" for name, i in zip(some.names, some.own)]
                lines.append(f"{pattern((len(items),), items)} = {some.text}")
                if some.now is not None:
                    some.now = None
                    for i, name in zip(some.own, some.names):
                        self.texts[i] = name
                continue
            places = some.places
            if (
                some.called or by_list < by_place
            ):  # once called by its name it stays so: to change texts takes time
                places = some.called = some.called or self.names.take(some.name)
                lines.append(f"{places} = {some.text}")
            if some.now != places:
                some.now = places
                for k, i in enumerate(some.own, some.first):
                    self.texts[i] = f"{places}[{k}]"
        return lines


class _Slopes:
    """The slopes by a block: a number among `values`, or nested lists `into` which parts put them, for each row anew or added up."""

    def __init__(self, layout: Layout, block: Block, own: list[int], name: str) -> None:
        self.lines, self.block, self.own, self.name = layout.lines, block, own, name
        is_reduced = bool(layout.carried) and layout.reduce is not None
        self.is_summed, self.is_listed = (
            is_reduced and not block.has_rows,
            is_reduced and block.has_rows,
        )
        self.into = layout.names.take(f"{name}_i") if self.is_listed else name

    def say(self) -> None:
        """The statements in the parts."""
        if not self.block.shape:
            return
        zero, count = self.lines.zero, self.block.shape[-1]
        for first in range(0, len(self.own), count or 1):
            row = f"{self.into}{_place(index_of(self.block.inputs[first])[:-1])}"
            own = self.own[first : first + count]
            if self.is_summed:
                for k, slope in enumerate(own):
                    if slope != zero:
                        self.lines.say(Form.line(f"{row}[{k}] += %s"), (slope,))
                continue
            for begin in range(0, count, ROW):
                some = own[begin : begin + ROW]
                if some.count(zero) < len(some):
                    place = ":" if len(some) == count else f"{begin}:{begin + len(some)}"
                    self.lines.say(
                        Form.line(f"{row}[{place}] = [{', '.join(['%s'] * len(some))}]"), some
                    )

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
    return [
        *[f"{each.into} = {each.first}" for each in slopes if each.block.shape],
        *calls,
        *_check(layout, slopes),
    ]


def _check(layout: Layout, slopes: list[_Slopes]) -> list[str]:
    """The lines that see to it that slopes are finite."""
    return (
        []
        if layout.total or not slopes
        else layout.check([sum_of(each.block.shape, each.now) for each in slopes]).split("\n")
    )


def _result(layout: Layout, slopes: list[_Slopes]) -> str:
    outputs = [layout.lines.texts[i] for i in layout.body.outputs]
    return layout.joined(outputs, _by_output(layout, [each.now for each in slopes]))


def _by_output(layout: Layout, texts: list[str]) -> list[list[str]]:
    count = len(layout.program.wrt)
    return [texts[i * count : (i + 1) * count] for i in range(len(layout.groups))]


def _loop(
    layout: Layout, rows: dict[Block, str], slopes: list[_Slopes], calls: list[str]
) -> list[str]:
    """The lines that call the parts for each row, and return."""
    if layout.reduce is None:
        values = layout.names.take("values")
        result = (
            _result(layout, slopes) if layout.kind == "value" else f"({_result(layout, slopes)})"
        )
        before, after = [f"{values} = []"], [f"return {values}"]
        inner = [*_once(layout, slopes, calls), f"{values}.append({result})"]
    else:
        before, inner, after = _added_up(layout, slopes, calls)
    sources = [layout.arguments[block] for block in rows]
    zipped = sources[0] if len(sources) == 1 else f"zip({', '.join(sources)})"
    return [
        *before,
        f"for {', '.join(rows.values())} in {zipped}:",
        *[f"    {line}" for line in inner],
        *after,
    ]


def _added_up(
    layout: Layout, slopes: list[_Slopes], calls: list[str]
) -> tuple[list[str], list[str], list[str]]:
    """The lines before a loop that adds up over the rows, in it, and after it."""
    (share, before), totals = layout.share(), layout.totals()
    summed, listed = (
        [each for each in slopes if not each.is_listed],
        [each for each in slopes if each.is_listed],
    )
    before += [f"{total} = 0.0" for total in totals]
    before += [f"{each.name} = {'[]' if each.is_listed else each.first}" for each in slopes]
    inner = [
        *_once(layout, listed, calls),
        *[f"{total} += {layout.lines.texts[i]}" for total, i in zip(totals, layout.body.outputs)],
        *[f"{each.name} += {each.now}" for each in summed if not each.block.shape],
        *[f"{each.name}.append({_over(each.block.shape, each.now, share)})" for each in listed],
    ]
    sums = [sum_of(each.block.shape, each.name) for each in summed]
    results = [
        each.name if each.is_listed else _over(each.block.shape, each.name, share)
        for each in slopes
    ]
    returned = layout.joined([f"{total}{share}" for total in totals], _by_output(layout, results))
    return (
        before,
        inner,
        [*([layout.check(sums)] if sums and not layout.total else []), f"return {returned}"],
    )


def _over(shape: tuple[int, ...], name: str, share: str) -> str:
    """Nested lists of a shape, each number divided."""
    if not shape or not share:
        return f"{name}{share}"
    return f"[{_over(shape[1:], 'item', share)} for item in {name}]"


def _written(lines: Lines, given: _Given, kept: Sequence[int]) -> tuple[list[list[str]], list[str]]:
    """The lines of each part, and those with which what is in `kept` is read by whoever calls them."""
    order = lines.decided(kept)
    host, crossing, read = _hosts(lines, order)
    crossing.update([i for i in kept if lines.forms[i] is not None])
    members: list[list[int]] = [[] for _ in read]
    for i in order:
        members[host[i]].append(i)
    texts, statements, continued = lines.texts, lines.statements, lines.continued
    parts = []
    for part, numbers in zip(members, read):
        written, handed = given.read(numbers), []
        for i, text in lines.composed(part):
            if i in statements:
                written.append(text)
                continue
            goes_on = i in continued and host[continued[i]] == host[i]
            name = texts[i] = texts[continued[i]] if goes_on else lines.name(i)
            written.append(f"{name} = {text}")
            if i in crossing:
                handed.append(i)
        written += given.hand_on(handed)
        parts.append(written)
    return parts, given.read(kept)


def _hosts(lines: Lines, order: list[int]) -> tuple[list[int], set[int], list[list[int]]]:
    """For each expression the part it is written in; those that are read in other parts; and for each part what it is given."""
    forms, reads, named, statements = lines.forms, lines.reads, lines.named, lines.statements
    host = [0] * len(forms)
    size = 0
    for i in order:
        size += len(reads[i])
        if i in named or i in statements:
            host[i] = size // PART
    crossing: set[int] = set()
    read: list[list[int]] = [[] for _ in range(size // PART + 1)]
    for i in reversed(order):
        part = host[i]
        for j in reads[i]:
            if forms[j] is None:
                read[part].append(j)
            elif j not in named:
                host[j] = part
            elif host[j] != part:
                crossing.add(j)
                read[part].append(j)
    return host, crossing, read
