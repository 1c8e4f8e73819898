"""A program as expressions: its value, and its slopes in the order in which `Value.backward` adds them up.   (floor 3)

The text is that of the rows. Raw, it calls `math` and divides as it is, and multiplies by each slope; total, nothing
raises and a slope of exactly 0 sends 0. A choice by `where` is in Values the branch itself, with no node of its own: so
what comes to a choice goes on at once, to each branch under its condition, and sums associate as they do there, in
the order of Values (see `order`). Two things are left that can move a last bit: an order that depends on too many conditions
is that of all branches, and a tree of more than `BRANCHES` choices is a node.
"""

from __future__ import annotations

from ...ops import LISTS, OPS
from ..choices import TRACED, sends, terms
from ..forms import (
    COMPARE,
    IF_ELSE,
    IF_FALSE,
    IF_TRUE,
    MINUS,
    PLUS,
    SAME,
    SUM,
    TIMES,
    TIMES_IF,
    Form,
    asks_about,
    computed,
    takes_lists,
    template,
)
from ..naming import step_names
from ..program import Constant, grouped, pulls
from .order import Fork, by_branches, of_all_branches, of_shares

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...ops import Op
    from ..program import Program
    from .lines import Lines

BRANCHES = 16  # what comes to a tree of choices goes to so many branches at once
SPECIAL = 64  # so many known operands have the choices made that they decide
CHOOSE = TRACED["_choose"]
FLIPPED = {  # a number reads better on the right
    TRACED["_less"]: Form("%s > %s", (SUM, SUM), COMPARE),
    TRACED["_less_equal"]: Form("%s >= %s", (SUM, SUM), COMPARE),
}
ONES = "1.0", "[1.0] * len(xs)"


class Body:
    """The steps of a program, written into lines: `at` has for each input, and then for each step, its expression.

    >>> from scalargrad.compiler.in_python.lines import Lines
    >>> from scalargrad.compiler.naming import Names
    >>> from scalargrad.compiler.program import Block, Program, Step
    >>> x = Block("x", ())
    >>> program = Program([x], [Step(OPS["sin"], (x.inputs[0],))])
    >>> lines = Lines(Names(["x"]))
    >>> body = Body(program, lines, {x.inputs[0]: lines.atom("x")})
    >>> slope, = body.slopes(program.outputs[0], x.inputs)
    >>> lines.say(Form.line("return %s, %s"), [*body.outputs, slope])
    >>> lines.written()[1]
    ['return sin(x), cos(x)']
    """

    def __init__(
        self, program: Program, lines: Lines, at: dict[Any, int], total: bool = False
    ) -> None:
        self.program, self.lines, self.total = program, lines, total
        self.at = _Places(lines)
        self.at.update(at)
        self._simple: dict[
            Any, Form | None
        ] = {}  # rows that are one expression of their operands in order
        self._locals: dict[
            Any, list[int]
        ] = {}  # of a step whose row has work lines: what its template numbers
        self._special: set[Any] = set()
        self._plans: dict[tuple[Op, tuple[int, ...]], Any] = {}
        self._wishes = step_names(program.steps)
        same, at, simple, wishes, put = program.same, self.at, self._simple, self._wishes, lines.put
        for step in program.steps:
            if step in same:
                at[step] = at[same[step]]
                continue
            row = step.row
            if row not in simple:
                simple[row] = self._simple_form(row)
            form = simple[row]
            at[step] = (
                self._value(step)
                if form is None
                else put(form, [at[x] for x in step.operands], wishes.get(step, ""))
            )
        self.outputs = [at[x] for x in program.outputs]
        self._begin = len(lines.forms)  # of the slopes

    def _simple_form(self, row: Op) -> Form | None:
        """The form of a row that is one expression of its operands, each read once and in order."""
        if terms(row) or takes_lists(row) or row in FLIPPED or asks_about(row):
            return None
        (_, form, reads), *more = template(row, (), self.total).forward
        return form if not more and reads == tuple(range(len(row.operands))) else None

    def _value(self, step: Any) -> int:
        """The expression of a step."""
        row, operands, at = step.row, step.operands, self.at
        wish = self._wishes.get(step, "")
        if terms(row):
            return self._written_out(row, operands, wish)
        if row in FLIPPED and operands[0].__class__ is Constant:
            return self.lines.put(FLIPPED[row], (at[operands[1]], at[operands[0]]), wish)
        forward = self._template(step, ()).forward
        local = self._operands(step)
        if len(forward) == 1:
            _, form, reads = forward[0]
            return self.lines.put(form, [local[k] for k in reads], wish)
        suffix = wish[1:] if wish[1:2].isdigit() else ""
        for name, form, reads in forward:
            local.append(
                self.lines.put(
                    form, [local[k] for k in reads], wish if name == "out" else name + suffix
                )
            )
        self._locals[step] = local
        return local[-1]

    def _written_out(self, row: Op, operands: tuple[Any, ...], wish: str) -> int:
        """A sum or a product, term by term."""
        at, lines = self.at, self.lines
        start, term, plain = _terms(row)
        groups = grouped(row, operands)
        many = list(zip(*[[at[x] for x in group] for group in groups if group.__class__ is list]))
        first = at[groups[-1]] if start is None else lines.number(start)
        if plain is None:
            terms: list[tuple[Form, Sequence[int]]] = [(term, reads) for reads in many]
        else:  # 1 × x is x
            terms = [
                (plain, [x if w == lines.one else w]) if lines.one in (w, x) else (term, (w, x))
                for w, x in many
            ]
        is_square = (
            any(w == x for w, x in many) if plain else any(self._is_square(x) for x in groups[0])
        )
        if terms and (
            start == 1.0 or (first == lines.zero and is_square)
        ):  # 0 + x is x but where all are -0.0, which no square is
            _, reads = terms.pop(0)
            first = reads[0] if len(reads) == 1 else lines.put(TIMES, reads, "" if terms else wish)
        return lines.chained(first, terms, wish) if terms else first

    def _is_square(self, x: Any) -> bool:
        """Whether a number is a square."""
        if x.row is None or x.row.name not in ("mul", "pow", "square"):
            return False
        last = x.operands[-1]
        return x.row.name == "square" or (
            self.at[last] == self.at[x.operands[0]]
            if x.row.name == "mul"
            else getattr(last, "data", 0.0) == 2.0
        )

    def _template(self, step: Any, by: tuple[str, ...]) -> Any:
        """The template of a step's row; where it chooses by operands that are constants, the choices are made."""
        row = step.row
        asked = asks_about(row)
        if not asked:
            return template(row, by, self.total)
        known = tuple(
            [
                (name, x.data)
                for name, x in zip(row.operands, step.operands)
                if x.__class__ is Constant and name in asked
            ]
        )
        if known and len(self._special) < SPECIAL:
            self._special.add((row, known))
        return template(row, by, self.total, known if (row, known) in self._special else ())

    def _operands(self, step: Any) -> list[int]:
        """The expressions of a step's operands, a list as a tuple."""
        at = self.at
        if not takes_lists(step.row):
            return [at[x] for x in step.operands]
        return [
            self._tuple([at[x] for x in operand]) if name in LISTS else at[operand]
            for name, operand in zip(step.row.operands, grouped(step.row, step.operands))
        ]

    def _tuple(self, items: list[int]) -> int:
        return self.lines.put(Form.line("(" + "%s, " * len(items) + ")"), items, "xs")

    # -------------------------------------------------------------- slopes

    def slopes(self, root: Any, by: Sequence[Any]) -> list[int]:
        """The slopes of an output by inputs: the chain rule, from the last step to the first."""
        walk = _Walk(self, root, by)
        sums, passing = walk.sums, walk.passing
        for step, places in walk.order:
            if step not in sums:  # a choice has handed on what came to it
                continue
            slope, operands, walk.sender = walk.added(step), step.operands, step
            for place, sent in zip(places, self._sent(step, places, slope)):
                x = operands[place]
                if x in passing or walk.forks:
                    walk.send(x, sent)
                elif x in sums:
                    sums[x].append(sent)
                else:
                    sums[x] = [sent]
        return [walk.added(x) if x in sums else self.lines.zero for x in by]

    def added(self, shares: list[int], of: int, order: Any = None) -> int:
        """The slope by an expression: the sum of what came to it, in this order of `of_shares`, or as it came."""
        if order.__class__ is Fork:
            one, other = (
                self.added(shares, of, order.if_true),
                self.added(shares, of, order.if_false),
            )
            return self.lines.put(IF_ELSE, (one, self.at[order.condition], other), of)
        if order:
            shares = [shares[k] for k in order]
        if len(shares) > 1:
            return self.lines.added(shares, of)
        share = shares[0]
        if share >= self._begin:
            self.lines.wishes.setdefault(share, of)
        return share

    def _sent(self, step: Any, places: tuple[int, ...], slope: int) -> list[int]:
        """What a step sends to some of its operands when a slope comes in."""
        row = step.row
        key = row, places
        try:
            plan = self._plans[key]
        except KeyError:
            plan = self._plans[key] = self._plan(row, places)
        if plan is None:
            if sends(row):
                return self.guarded(step, places, slope)
            if takes_lists(row):
                return self._sent_to_lists(step, places, slope)
            made, local = (
                self._template(step, tuple([row.operands[place] for place in places])),
                self._local(step),
            )
            self._slope_lines(made.slopes, local)
            return [self._share(local[k], slope) for k in made.partials]
        at = self.at
        slopes, partials, fixed = plan
        local = [*[at[x] for x in step.operands], at[step], *fixed]
        if slopes:
            self._slope_lines(slopes, local)
        one, share = self.lines.one, self._share
        return [slope if local[k] == one else share(local[k], slope) for k in partials]

    def _plan(
        self, row: Op, places: tuple[int, ...]
    ) -> tuple[list[Any], list[int], list[int]] | None:
        """What a row of one expression sends: the lines of its slopes, the numbers of these, and slopes that are the same for all.

        As in a template operands have the first numbers, and the value the next; then come the slopes that are the same, then the lines.
        """
        if sends(row) or asks_about(row) or self._simple.get(row) is None:
            return None
        made = template(row, tuple([row.operands[place] for place in places]), self.total)
        fixed = [self.lines.put(form, ()) for _, form, reads in made.slopes if not reads]
        numbers, lines = [*range(len(row.operands) + 1)], []
        count, behind = len(numbers), len(numbers) + len(fixed)
        for name, form, reads in made.slopes:
            if form is SAME:
                numbers.append(numbers[reads[0]])
            elif not reads:
                numbers.append(count)
                count += 1
            else:
                lines.append((name, form, tuple([numbers[k] for k in reads])))
                numbers.append(behind)
                behind += 1
        return lines, [numbers[k] for k in made.partials], fixed

    def _slope_lines(self, slopes: Any, local: list[int]) -> None:
        """Add the lines of a row's slopes to what its template numbers."""
        lines = self.lines
        known, put = lines.known, lines.put
        for name, form, reads in slopes:
            if form is SAME:
                local.append(local[reads[0]])
                continue
            read = [local[k] for k in reads]
            if read and read[0] in known and all(j in known for j in read):
                names = [f"k{n}" for n in range(len(read))]
                number = computed(
                    form.text % tuple(names), dict(zip(names, [known[j] for j in read]))
                )
                if number is not None:
                    local.append(lines.number(number))
                    continue
            local.append(put(form, read, "" if name[:1] == "d" else name))

    def _sent_to_lists(self, step: Any, places: Sequence[int], slope: int) -> list[int]:
        """What a step sends to some of the numbers in its lists."""
        row, at, lines = step.row, self.at, self.lines
        groups = grouped(row, step.operands)
        counts = [len(group) if name in LISTS else 1 for name, group in zip(row.operands, groups)]
        where = [
            (i, j) for i, count in enumerate(counts) for j in range(count)
        ]  # for each operand its group, and its place there
        wanted = [where[place] for place in places]
        if all(text in row.operands or text in ONES for text in row.slopes):
            others = [
                groups[row.operands.index(text)] if text in row.operands else None
                for text in row.slopes
            ]
            return [
                slope if (other := others[i]) is None else self._share(at[other[j]], slope)
                for i, j in wanted
            ]
        by = tuple(dict.fromkeys([row.operands[i] for i, _ in wanted]))
        made = self._template(step, by)
        local = self._local(step)
        self._slope_lines(made.slopes, local)
        partials = {name: local[k] for name, k in zip(by, made.partials)}
        lines.named.update(partials[name] for name in by if name in LISTS)
        return [
            self._share(
                lines.put(Form.line(f"%s[{j}]"), (partials[name],))
                if (name := row.operands[i]) in LISTS
                else partials[name],
                slope,
            )
            for i, j in wanted
        ]

    def _local(self, step: Any) -> list[int]:
        """What the template of a step numbers when its value is computed."""
        first = self.program.same.get(step, step)
        return (
            [*self._locals[first]]
            if first in self._locals
            else [*self._operands(first), self.at[first]]
        )

    def guarded(self, step: Any, places: Sequence[int], slope: int) -> list[int]:
        """What a choice sends to its branches."""
        condition = self.at[step.operands[0]]
        return [
            self.lines.put(IF_TRUE, (slope, condition), "d")
            if place == 1
            else self.lines.put(IF_FALSE, (condition, slope), "d")
            for place in places
        ]

    def _share(self, partial: int, slope: int) -> int:
        """partial × slope; in total arithmetic 0 where the slope is 0."""
        lines = self.lines
        known, one = lines.known, lines.one
        if partial == one:
            return slope
        if slope in known:
            if slope == one:
                return partial
            if not known[slope]:  # -0.0 as well
                return lines.zero
            if partial in known:
                return lines.number(known[partial] * known[slope])
            return lines.put(TIMES, (slope, partial))
        if partial == lines.minus_one:
            return lines.put(MINUS, (slope,))
        x, y = (
            (slope, partial) if lines.forms[partial] is None else (partial, slope)
        )  # a name stands behind: fewer parentheses
        return lines.put(TIMES_IF, (x, y, slope)) if self.total else lines.product(x, y)


class _Places(dict):  # type: ignore[type-arg]
    """The expression of each input and step; a constant's is found when it is read."""

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self.lines = lines

    def __missing__(self, x: Any) -> int:
        self[x] = place = self.lines.number(x.data)
        return place


class _Walk:
    """A walk back from a root: the steps in order, and for each the slopes that have come to it so far."""

    def __init__(self, body: Body, root: Any, by: Sequence[Any]) -> None:
        self.body = body
        steps = body.program.walk
        if len(body.program.outputs) > 1 or any(step.row.name in TRACED for step in steps):
            steps = of_all_branches(root)
        self.order = pulls(steps, [root], by)
        self.sums: dict[Any, list[int]] = {}
        self.senders: dict[
            Any, list[Any]
        ] = {}  # of what is in the sums, where their order depends on conditions
        self.sender: Any = None
        self.passing = self._choices()
        places = (
            by_branches(root, self.passing, body.program.same, self._sums())
            if self.passing
            else None
        )
        self.forks = places if places.__class__ is Fork else None
        self.send(root, body.lines.one)

    def added(self, x: Any) -> int:
        """The slope by a step or input to which all have sent."""
        shares = self.sums.pop(x)
        order = (
            of_shares(self.senders.pop(x), self.forks) if self.forks and len(shares) > 2 else None
        )
        return self.body.added(shares, self.body.at[x], order)

    def _choices(self) -> dict[Any, Sequence[int]]:
        """The choices that hand on at once what comes to them, and the places of their branches that it goes to."""
        leads: dict[Any, int] = {}  # for each, to how many branches in all
        passing: dict[Any, Sequence[int]] = {}
        for step, places in reversed(self.order):
            if step.row is CHOOSE:
                count = sum([leads.get(step.operands[place], 1) for place in places])
                if count <= BRANCHES:
                    leads[step], passing[step] = count, places
        return passing

    def _sums(self) -> list[list[Any]]:
        """Of all that three or more slopes are sent to, who sends them."""
        senders: dict[Any, list[Any]] = {}
        for step, places in self.order:
            if step in self.passing:
                continue
            for place in places:
                for x in self._ends(step.operands[place]):
                    senders.setdefault(x, []).append(step)
        return [those for those in senders.values() if len(those) > 2]

    def _ends(self, x: Any) -> list[Any]:
        """What a slope goes to that is sent to a step or input: the branches of a choice."""
        places = self.passing.get(x)
        return (
            [x]
            if places is None
            else [end for place in places for end in self._ends(x.operands[place])]
        )

    def send(self, x: Any, slope: int) -> None:
        """Send a slope to a step or input."""
        places = self.passing.get(x)
        if places is None:
            if x in self.sums:
                self.sums[x].append(slope)
            else:
                self.sums[x] = [slope]
            if self.forks:
                self.senders.setdefault(x, []).append(self.sender)
            return
        for place, sent in zip(places, self.body.guarded(x, places, slope)):
            self.send(x.operands[place], sent)


def _terms(row: Op) -> tuple[float | None, Form, Form | None]:
    """Of a row that is written out: what it starts with (None: its last operand), the form of a term, and that of one without a factor."""
    start, term = terms(row) or ("", "")
    if row.name == "dot":
        return None, _DOT, PLUS
    return float(start), Form.read(f"start{term}", {"start", "x"})[0], None


_DOT = Form.read(f"start{terms(OPS['dot'])[1]}", {"start", "w", "x"})[0]
