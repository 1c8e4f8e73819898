"""Steps as lines of Python: what is read once stands where it is read.   (floor 3)

An expression is a number: it has a form, and reads others. What is read more than once, or would
make a line too long, gets a line and a name; a line that nobody reads is not written. Lines stand
before a loop over the rows of data, in it, or behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..derive import DerivedSteps, Found
from ..dialects.forms import ATOM, NAME, SIGN, Form
from ..dialects.python import (
    FLIPPED,
    LESS,
    PLUS,
    PLUS_TIMES,
    TIMES,
    chain,
    form_of,
    item,
    literal,
    row_of,
)
from ..lower import DOT, LIST, LISTED, NEGATE, OVER_ROWS, ROW_SHARE, ROWS, SHARE, SUM
from ..naming import Names, step_names
from ..program import Constant, Step

BEFORE, INSIDE, AFTER = 1, 2, 4  # of the loop over rows: bits, as `readers` has them
WIDTH = 60  # characters of an expression in another
TERMS = 50  # terms that a line adds up at most
PRODUCT = LISTED["prod"]

Term = tuple[Form, Sequence["Expression"]]  # what stands behind a sum or a product


class Expression:
    """A form with others at its places; or, without a form, a text that stands as it is.

    `of` is what it computes; a statement is of nothing. `readers` are the stages of the `count`
    places where it is read; `has_line` says that it has a line of its own, which continues
    `before`, a part of the same long sum, under its name.
    """

    __slots__ = (
        "before", "binds", "count", "form", "has_line", "of", "readers", "reads", "stage", "text",
    )  # fmt: skip

    def __init__(
        self, form: Form | None = None, reads: Sequence[Expression] = (), stage: int = BEFORE,
        of: Any = None, text: str = "",
    ) -> None:  # fmt: skip
        self.form, self.reads, self.stage, self.of, self.text = form, reads, stage, of, text
        self.binds, self.count, self.readers, self.has_line = NAME, 0, 0, False
        self.before: Expression | None = None


class Lines:
    """The steps of a derived program as expressions, which `at` has.

    `inputs` are what the function is given; `wishes` has the names of sums over rows, and names
    that lists would have. `total` is as in `form_of`.

    >>> from scalargrad.compiler.derive import DerivedSteps
    >>> from scalargrad.compiler.naming import Names
    >>> from scalargrad.compiler.program import Block, Program, Step
    >>> from scalargrad.ops import OPS
    >>> x = Block("x", ())
    >>> program = Program([x], [Step(OPS["sin"], (x.inputs[0],))])
    >>> derived = DerivedSteps(program)
    >>> slope, = derived.slopes([(program.outputs[0], derived.constant(1.0))], x.inputs)
    >>> lines = Lines(derived, x.inputs, Names(["x"]))
    >>> lines.at[x.inputs[0]].text = "x"
    >>> lines.say("return %s, %s", [derived.of(program.outputs[0]), slope])
    >>> lines.written()[0]
    ['return sin(x), cos(x)']
    """

    def __init__(
        self, derived: DerivedSteps, inputs: Sequence[Any], names: Names,
        wishes: dict[Any, str] | None = None, total: bool = False,
    ) -> None:  # fmt: skip
        self.derived, self.names, self.total = derived, names, total
        self.wishes = wishes or {}
        self.numbers: dict[str, float] = {}  # constants that the source reads by a name
        self.sums: list[tuple[str, int]] = []  # sums over rows, and how many numbers are in a list
        self.all: list[Expression] = []  # those with a form, in order
        self._constants: dict[str, Expression] = {}
        self._labels: dict[Any, str] = step_names(derived.sources)
        self.at = Found(lambda x: self.number(x.data))
        self._has_rows = bool(derived.carriers)
        for x in inputs:
            stage = INSIDE if x in derived.carriers else BEFORE
            self.at[x] = Expression(stage=stage, of=x)
        for x, text in ((ROWS, "count"), (ROW_SHARE, "share")):
            self.at[x] = Expression(of=x, text=text)
        self.zero, self.one = self.number(0.0), self.number(1.0)
        self._put_all(derived.steps)

    def number(self, number: float) -> Expression:
        """A constant: a short one as it is, another by a name."""
        key = float.__repr__(number)
        if key not in self._constants:
            text = literal(number)
            if not text:
                text = self.names.take("k", "k")
                self.numbers[text] = number
            self._constants[key] = made = Expression(of=Constant(number), text=text)
            made.binds = SIGN if number < 0.0 else NAME
        return self._constants[key]

    def say(self, text: str, read: Sequence[Any], stage: int = BEFORE) -> None:
        """A statement that reads steps at its places."""
        self._add(Form.line(text), [self.at[x] for x in read], None, stage)

    def _add(
        self, form: Form, reads: Sequence[Expression], of: Any, stage: int = BEFORE
    ) -> Expression:
        if self._has_rows and stage == BEFORE:
            for x in reads:
                if x.stage > stage:
                    stage = x.stage
        made = Expression(form, reads, stage, of)
        self.all.append(made)
        return made

    # -------------------------------------------------------------- steps

    def _put_all(self, steps: Sequence[Step]) -> None:
        at, total = self.at, self.total
        known: dict[Any, Any] = {}
        for step in steps:
            line, operands = step.op, step.operands
            if not line.text:
                at[step] = self._listed(step)
                continue
            if line in FLIPPED and operands[0].__class__ is Constant:
                line = FLIPPED[line]  # a number reads better on the right
            if line not in known:
                known[line] = form_of(line, total)
            form, places = known[line]
            reads = [at[operands[k]] for k in places]
            if line is SHARE and not total and reads[0].form is None:
                reads.reverse()  # a name stands behind: fewer parentheses
            if form.holds:
                for x, need in zip(reads, form.needs):
                    x.has_line |= need > ATOM
            at[step] = self._add(form, reads, step)

    def _listed(self, step: Step) -> Expression:
        """A line that reads lists, or rows."""
        line, reads = step.op, [self.at[x] for x in step.operands]
        if line is SUM:
            return self._sum(step, reads)
        if line is DOT:
            return self._dot(step, reads)
        if line is PRODUCT:
            first, *rest = reads or [self.one]
            return self._chained(step, first, [(TIMES, (x,)) for x in rest])
        if line is LIST:
            return self._add(row_of(len(reads)), reads, step)
        if line is OVER_ROWS:
            return self._over_rows(step)
        reads[0].has_line = True
        return self._add(item(int(line.name[5:])), reads, step)

    def _sum(self, step: Step, reads: Sequence[Expression]) -> Expression:
        first, *rest = reads
        if rest and first is self.zero and any(map(_is_square, rest)):
            first, *rest = rest  # 0 + x is x but where all are -0.0, which no square is
        terms: list[Term] = [(LESS, x.reads) if x.of.op is NEGATE else (PLUS, [x]) for x in rest]
        return self._chained(step, first, terms)

    def _dot(self, step: Step, reads: Sequence[Expression]) -> Expression:
        count, one, first = len(reads) // 2, self.one, reads[-1]
        pairs = [*zip(reads[:count], reads[count:-1])]
        terms: list[Term] = [
            (PLUS, (x if w is one else w,)) if one in (w, x) else (PLUS_TIMES, (w, x))
            for w, x in pairs
        ]  # 1 × x is x
        if first is self.zero and any(w is x for w, x in pairs):
            form, own = terms.pop(0)
            first = own[0] if form is PLUS else self._add(TIMES, own, step)
        return self._chained(step, first, terms)

    def _chained(self, step: Step, start: Expression, terms: Sequence[Term]) -> Expression:
        """A start and terms behind it, in lines of not too many."""
        for k in range(0, len(terms), TERMS):
            forms, reads = zip(*terms[k : k + TERMS])
            made = self._add(chain(forms), [start, *[x for own in reads for x in own]], step)
            if k:
                start.has_line, made.before = True, start
            start = made
        return start

    def _over_rows(self, step: Step) -> Expression:
        """A sum over the rows: of a number, or of each number of a list."""
        (x,) = step.operands
        name = self.wishes[step]
        is_list = x.op is LIST
        self.sums.append((name, len(x.operands) if is_list else 0))
        added = f"{name} = [a + b for a, b in zip({name}, %s)]" if is_list else f"{name} += %s"
        self.say(added, [x], INSIDE)
        return Expression(stage=AFTER, of=step, text=name)

    # -------------------------------------------------------------- writing

    def decided(self) -> list[Expression]:
        """The expressions that statements need, in order; what several read has a line."""
        order = []
        for x in self.all:
            x.count = x.readers = 0
        for x in reversed(self.all):
            if x.count or x.of is None:
                order.append(x)
                is_list = isinstance(x.of, Step) and x.of.op is LIST  # another for each row
                if x.stage == BEFORE and x.readers == (INSIDE if is_list else AFTER):
                    x.stage = x.readers
                if x.count > 1 or x.readers not in (0, x.stage):
                    x.has_line = True
                for y in x.reads:
                    y.count += 1
                    y.readers |= x.stage
        order.reverse()
        return order

    def written(self, order: Sequence[Expression] | None = None) -> tuple[list[str], ...]:
        """The lines before, in and behind the loop over rows."""
        stages: dict[int, list[str]] = {BEFORE: [], INSIDE: [], AFTER: []}
        for x, line in self.composed(self.decided() if order is None else order):
            stages[x.stage].append(line)
        return tuple(stages.values())

    def composed(self, order: Sequence[Expression]) -> Iterator[tuple[Expression, str]]:
        """The statements and the other lines, each with what it is of."""
        for x in order:
            form: Any = x.form
            parts = [
                y.text if y.binds >= need else f"({y.text})" for y, need in zip(x.reads, form.needs)
            ]
            text = form.text % tuple(parts)
            if x.of is None:
                yield x, text
            elif x.has_line or len(text) > WIDTH:
                x.has_line = True
                goes_on = x.before and x.before.stage == x.stage and x.before.text
                x.text = goes_on or self.names.take(self._wish(x.of))
                yield x, f"{x.text} = {text}"
            else:
                x.text, x.binds = text, form.binds

    def _wish(self, step: Step) -> str:
        """The name that people would give to a step."""
        if step.op is LIST or step in self.wishes:
            return self.wishes.get(step, "xs")
        of, name = self.derived.roles.get(step, (None, "out"))
        if not name:
            text = self.at[self.derived.of(of)].text
            return f"d{text}" if text.isidentifier() else "d"
        wish = self._labels.get(of, "")
        return wish if name == "out" else name + (wish[1:] if wish[1:2].isdigit() else "")


class RowSums:
    """Sums over the rows, which a derived program gets, and the names that they will have."""

    def __init__(self, derived: DerivedSteps, names: Names) -> None:
        self.derived, self.names = derived, names
        self.wishes: dict[Any, str] = {}

    def of(self, x: Any, wish: str = "total") -> Any:
        """The sum of a number or a list over the rows."""
        if is_zero(x):
            return x
        step = self.derived.put(OVER_ROWS, (x,))
        if step not in self.wishes:
            self.wishes[step] = wish if wish == "total" else self.names.take(wish)
        return step


def is_zero(x: Any) -> bool:
    """Whether it is the constant 0."""
    return x.__class__ is Constant and not x.data


def _is_square(x: Expression) -> bool:
    """Whether a number is a square."""
    if x.form is None or x.form.text not in ("%s * %s", "pow(%s, %s)"):
        return False
    first, last = x.reads
    return last is first if x.form.text[0] == "%" else last.text == "2.0"
