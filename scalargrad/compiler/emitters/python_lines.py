"""Steps as lines of Python: what is read once stands where it is read.   (floor 3)

An expression is a number: it has a form, and reads others. Only when all are known is it decided
which of them get a line and a name: those that are read more than once, or would make a line too
long. A line that nobody reads is not written. Lines stand before a loop over the rows of data, in
it, or behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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

BEFORE, INSIDE, AFTER = range(3)  # of the loop over rows
WIDTH = 100  # characters that an expression has at most, sums and lists of many aside
TERMS = 50  # terms that a line adds up at most
NAME_SIZE = 6  # characters of a name, about
PRODUCT = LISTED["prod"]


class Lines:
    """The steps of a derived program as expressions, each known by a number, which `at` has.

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
    >>> lines.texts[0] = "x"
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
        self.forms: list[Form | None] = []  # None: it is written as it stands
        self.reads: list[Sequence[int]] = []
        self.texts: list[str] = []  # of what is written as it stands, or has been written
        self.stages: list[int] = []
        self.named: set[int] = set()  # those that must have a line
        self.statements: set[int] = set()
        self.sums: list[tuple[str, int]] = []  # sums over rows, and how many numbers are in a list
        self.counts: list[int] = []  # how often each is read, when all is decided
        self.binds: list[int] = []  # how tightly each binds, as it is written
        self.known: dict[int, float] = {}  # the numbers of atoms that are constants
        # A part of a long sum, and the part before it, whose name it takes over.
        self.continued: dict[int, int] = {}
        self._step_of: dict[int, Step] = {}
        self._constants: dict[str, int] = {}
        self._names: dict[Any, str] = step_names(derived.sources)
        self.at = Found(lambda x: self.number(x.data))  # of a constant
        self._has_rows = bool(derived.carriers)
        count, carriers = len(inputs), derived.carriers
        self.at.update(zip(inputs, range(count)))
        self.forms += [None] * count
        self.reads += [()] * count
        self.texts += [""] * count
        self.stages += [INSIDE if x in carriers else BEFORE for x in inputs]
        self.at[ROWS], self.at[ROW_SHARE] = self.atom("count"), self.atom("share")
        self.zero, self.one = self.number(0.0), self.number(1.0)
        self._put_all(derived.steps)

    def atom(self, text: str, stage: int = BEFORE) -> int:
        """A name, which is written as it stands."""
        self.texts += [""] * (len(self.forms) - len(self.texts))
        self.texts.append(text)
        self.forms.append(None)
        self.reads.append(())
        self.stages.append(stage)
        return len(self.forms) - 1

    def number(self, number: float) -> int:
        """A constant: a short one as it is, another by a name."""
        key = float.__repr__(number)
        if key not in self._constants:
            text = literal(number)
            if not text:
                text = self.names.take("k", "k")
                self.numbers[text] = number
            self._constants[key] = i = self.atom(text)
            self.known[i] = number
        return self._constants[key]

    def say(self, text: str, read: Sequence[Any], stage: int = BEFORE) -> None:
        """A statement that reads steps at its places."""
        places = [self.at[x] for x in read]
        self.statements.add(self._add(Form.line(text), places, stage))

    def _add(self, form: Form, reads: Sequence[int], stage: int = BEFORE) -> int:
        self.forms.append(form)
        self.reads.append(reads)
        if self._has_rows and not stage:
            stages = self.stages
            for j in reads:
                if stages[j] > stage:
                    stage = stages[j]
        self.stages.append(stage)
        return len(self.forms) - 1

    # -------------------------------------------------------------- steps

    def _put_all(self, steps: Iterable[Step]) -> None:
        at, step_of, total, forms = self.at, self._step_of, self.total, self.forms
        known: dict[Any, Any] = {}
        for step in steps:
            line, operands = step.op, step.operands
            if line.text:
                if line in FLIPPED and operands[0].__class__ is Constant:
                    line = FLIPPED[line]  # a number reads better on the right
                if line not in known:
                    known[line] = form_of(line, total)
                form, places = known[line]
                read = [at[operands[k]] for k in places]
                if line is SHARE and not total and forms[read[0]] is None:
                    read.reverse()  # a name stands behind: fewer parentheses
                if form.holds:
                    self.named.update([j for j, need in zip(read, form.needs) if need > ATOM])
                i = self._add(form, read)
            else:
                i = self._listed(step)
            at[step] = i
            if forms[i] is not None:
                step_of.setdefault(i, step)

    def _listed(self, step: Step) -> int:
        """A line that reads lists, or rows."""
        line, operands, at = step.op, step.operands, self.at
        if line is SUM:
            return self._sum(step)
        if line is DOT:
            return self._dot(step)
        if line is PRODUCT:
            first, *rest = [at[x] for x in operands] or [self.one]
            return self._chained(step, first, [(TIMES, (x,)) for x in rest])
        if line is LIST:
            return self._add(row_of(len(operands)), [at[x] for x in operands])
        if line is OVER_ROWS:
            return self._over_rows(step)
        self.named.add(at[operands[0]])
        return self._add(item(int(line.name[5:])), (at[operands[0]],))

    def _sum(self, step: Step) -> int:
        at, first, *rest = self.at, *step.operands
        if rest and at[first] == self.zero and any(map(_is_square, rest)):
            first, *rest = rest  # 0 + x is x but where all are -0.0, which no square is
        terms: list[tuple[Form, tuple[int, ...]]] = [
            (LESS, (at[x.operands[0]],)) if x.op is NEGATE else (PLUS, (at[x],)) for x in rest
        ]
        return self._chained(step, at[first], terms)

    def _dot(self, step: Step) -> int:
        at, one, operands = self.at, self.one, step.operands
        count = len(operands) // 2
        first = at[operands[-1]]
        places = [at[x] for x in operands[:-1]]
        terms: list[tuple[Form, tuple[int, ...]]] = [
            (PLUS, (x if w == one else w,)) if w == one or x == one else (PLUS_TIMES, (w, x))
            for w, x in zip(places, places[count:])
        ]  # 1 × x is x
        if first == self.zero and any(w == x for w, x in zip(places, places[count:])):
            form, reads = terms.pop(0)
            first = reads[0] if form is PLUS else self._add(TIMES, reads)
            self._step_of.setdefault(first, step)
        return self._chained(step, first, terms)

    def _chained(
        self, step: Step, start: int, terms: Sequence[tuple[Form, tuple[int, ...]]]
    ) -> int:
        """A start and terms behind it, in lines of not too many."""
        for k in range(0, len(terms), TERMS):
            part = terms[k : k + TERMS]
            read = (start, *[j for _, reads in part for j in reads])
            before, start = start, self._add(chain(tuple([form for form, _ in part])), read)
            self._step_of[start] = step
            if k:
                self.named.add(before)
                self.continued[start] = before
        return start

    def _over_rows(self, step: Step) -> int:
        """A sum over the rows: of a number, or of each number of a list."""
        (x,) = step.operands
        name = self.wishes[step]
        is_list = x.op is LIST
        self.sums.append((name, len(x.operands) if is_list else 0))
        added = f"{name} = [a + b for a, b in zip({name}, %s)]" if is_list else f"{name} += %s"
        self.say(added, [x], INSIDE)
        return self.atom(name, AFTER)

    # -------------------------------------------------------------- writing

    def written(self, order: Sequence[int] | None = None) -> tuple[list[str], ...]:
        """The lines before, in and behind the loop over rows."""
        stages: tuple[list[str], ...] = ([], [], [])
        for i, text in self.composed(self.decided() if order is None else order):
            line = text if i in self.statements else f"{self.name(i)} = {text}"
            stages[self.stages[i]].append(line)
        return stages

    def composed(self, order: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Those that make a line, each with its text; what is read must have a name by then."""
        forms, reads, texts, binds = self.forms, self.reads, self.texts, self.binds
        own = self.named | self.statements
        for i in order:
            form: Any = forms[i]
            if len(reads[i]) == 2:  # as the rest has it, only faster
                j, k = reads[i]
                left, right = form.needs
                one = texts[j] if binds[j] >= left else f"({texts[j]})"
                text = form.text % (one, texts[k] if binds[k] >= right else f"({texts[k]})")
            else:
                text = form.text % tuple(
                    [
                        texts[j] if binds[j] >= need else f"({texts[j]})"
                        for j, need in zip(reads[i], form.needs)
                    ]
                )
            if i in own:
                yield i, text
            else:
                texts[i] = text
                binds[i] = form.binds

    def decided(self) -> list[int]:
        """The expressions that statements need, in order; `named` then has all with a line."""
        forms, reads, named, stages = self.forms, self.reads, self.named, self.stages
        self.texts += [""] * (len(forms) - len(self.texts))
        order, counts, first = [], [0] * len(forms), [AFTER] * len(forms)
        has_rows = self._has_rows
        for i in self.statements:
            counts[i], first[i] = 2, BEFORE
        for i in range(len(forms) - 1, -1, -1):
            if counts[i] and forms[i] is not None:
                order.append(i)
                for j in reads[i]:
                    counts[j] += 1
                if has_rows:
                    if not stages[i] and first[i] == AFTER:
                        stages[i] = AFTER  # it can wait
                    stage = stages[i]
                    for j in reads[i]:
                        if stage < first[j]:
                            first[j] = stage
        order.reverse()
        sizes = [NAME_SIZE] * len(forms)
        for i in order:
            read = reads[i]
            size = forms[i].size  # type: ignore[union-attr]
            for j in read:
                size += sizes[j]
            if size > WIDTH and len(read) <= 4:
                size = self._shortened(read, size, sizes)
            if stages[i]:
                stage = stages[i]
                named.update([j for j in read if forms[j] is not None and stages[j] != stage])
            if counts[i] > 1 or size > WIDTH:
                named.add(i)
            elif i not in named:
                sizes[i] = size
        named -= self.statements
        self.counts, self.binds = counts, [NAME] * len(forms)
        for i, number in self.known.items():
            self.binds[i] = SIGN if number < 0.0 else NAME
        return order

    def _shortened(self, reads: Sequence[int], size: int, sizes: list[int]) -> int:
        """The size of an expression when the longest of what it reads have names."""
        for j in sorted(reads, key=sizes.__getitem__, reverse=True):
            if size > WIDTH and sizes[j] > NAME_SIZE:
                self.named.add(j)
                size -= sizes[j] - NAME_SIZE
                sizes[j] = NAME_SIZE
        return size

    def name(self, i: int) -> str:
        """Give an expression a name: the one wished for, or that of what it continues."""
        name, earlier = "", self.continued.get(i)
        if earlier is not None and self.stages[earlier] == self.stages[i]:
            name = self.texts[earlier]
        self.texts[i] = name = name or self.names.take(self._wish(i))
        return name

    def _wish(self, i: int) -> str:
        step = self._step_of[i]
        if step.op is LIST or step in self.wishes:
            return self.wishes.get(step, "xs")
        of, name = self.derived.roles.get(step, (None, "out"))
        if not name:
            text = self.texts[self.at[self.derived.of(of)]]
            return f"d{text}" if text.isidentifier() else "d"
        wish = self._names.get(of, "")
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


def _is_square(x: Any) -> bool:
    """Whether a number is a square."""
    if x.op is None or x.op.text not in ("x * y", "x * x", "pow(x, y)"):
        return False
    last = x.operands[-1]
    if x.op.text == "pow(x, y)":
        return bool(getattr(last, "data", 0.0) == 2.0)
    return last is x.operands[0]
