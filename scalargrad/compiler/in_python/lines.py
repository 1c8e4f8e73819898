"""Expressions in the making, and the lines they become: what is read once stands where it is read.   (floor 3)

An expression is a number: it has a form, and reads others. Only when all are known is it decided which of them get a
line and a name: those that are read more than once, or would make a line too long. What nobody reads is not written.
"""

from __future__ import annotations

import functools
from operator import add

from ..forms import ATOM, LESS, MINUS, NAME, OVER, PLUS, SAME, SIGN, TIMES, Form, computed, literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from ..naming import Names

    Wish = str | int  # a name, or the expression that this is the slope by

WIDTH = 100  # characters that an expression has at most, sums and lists of many aside
TERMS = 50  # terms that a line adds up at most
NAME_SIZE = 6  # characters of a name, about


class Lines:
    """Expressions, each known by a number.

    >>> from scalargrad.compiler.forms import TIMES
    >>> from scalargrad.compiler.naming import Names
    >>> lines = Lines(Names(["x"]))
    >>> x = lines.atom("x")
    >>> area = lines.put(TIMES, (x, x), "area")
    >>> lines.say(Form.line("return %s"), [lines.put(TIMES, (lines.added([area, x, area]), lines.number(0.5)))])
    >>> lines.written()[1]
    ['area = x * x', 'return (area + x + area) * 0.5']
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.numbers: dict[str, float] = {}  # constants that the source reads by a name
        self.forms: list[Form | None] = []  # None: it is written as it stands
        self.reads: list[Sequence[int]] = []
        self.texts: list[
            str
        ] = []  # of what is written as it stands; of the others when they are written
        self.wishes: dict[int, Wish] = {}
        self.named: set[int] = set()  # those that must have a line
        self.statements: set[int] = set()
        self.varying: set[int] = set()  # atoms that are others in each run of a loop
        self.known: dict[int, float] = {}  # the numbers of atoms that are constants
        self.continued: dict[
            int, int
        ] = {}  # a part of a long sum → the part before it, whose name it takes over
        self.counts: list[int] = []  # how often each is read, when all is decided
        self.varies: bytearray | None = None  # whether it is another in each run of the loop
        self.binds: list[int] = []  # how tightly each binds, as it is written
        self.own: set[int] = set()  # those that make a line, when all is decided
        self._atoms: dict[str, int] = {}
        self._constants: dict[float, int] = {}
        self.zero, self.one, self.minus_one = self.number(0.0), self.number(1.0), self.number(-1.0)

    def place(self) -> int:
        """What gets its text later: a number of an argument."""
        i = self._add(None, ())
        self._make_room()
        return i

    def atom(self, text: str) -> int:
        """What is written as it stands: a name."""
        if text not in self._atoms:
            i = self._atoms[text] = self.place()
            self.texts[i] = text
        return self._atoms[text]

    def number(self, number: float) -> int:
        """A constant: a short one as it is, another by a name."""
        if text := literal(number):
            i = self.atom(text)
        elif number in self._constants:
            return self._constants[number]
        else:
            name = self.names.take("k", "k")
            self.numbers[name] = number
            i = self._constants[number] = self.atom(name)
        self.known[i] = number
        return i

    def put(self, form: Form, reads: Sequence[int], wish: Wish = "") -> int:
        """An expression of others; one of them itself, where it is but multiplied or divided by 1."""
        if form is SAME:
            return reads[0]
        if self.one in reads and (
            form.text == TIMES.text or (form.text == OVER.text and reads[1] == self.one)
        ):
            return reads[reads[0] == self.one]
        if not reads:
            return self._fixed(form)
        if form.holds:
            self.named.update([j for j, need in zip(reads, form.needs) if need > ATOM])
        i = self._add(form, reads)
        if wish:
            self.wishes[i] = wish
        return i

    def _fixed(self, form: Form) -> int:
        """An expression of no others: as it stands, or what it comes to where it would need parentheses."""
        if form.binds >= ATOM or (number := computed(form.text, {})) is None:
            return self.atom(form.text if form.binds >= ATOM else f"({form.text})")
        return self.number(float(number))

    def product(self, x: int, y: int) -> int:
        """The product of two expressions, neither of them a number."""
        return self._add(TIMES, (x, y))

    def _add(self, form: Form | None, reads: Sequence[int]) -> int:
        self.forms.append(form)
        self.reads.append(reads)
        return len(self.forms) - 1

    def _make_room(self) -> None:
        """Room for the texts of all expressions so far."""
        self.texts += [""] * (len(self.forms) - len(self.texts))

    def added(self, parts: Sequence[int], wish: Wish = "") -> int:
        """The sum of several, from left to right."""
        forms, known = self.forms, self.known
        if parts[0] in known and all(part in known for part in parts):
            return self.number(functools.reduce(add, [known[part] for part in parts]))
        if 1 < len(parts) <= TERMS and MINUS not in [
            forms[part] for part in parts
        ]:  # as what follows has it, only faster
            i = self._add(_sum(len(parts)), tuple(parts))
            if wish:
                self.wishes[i] = wish
            return i
        return self.chained(
            parts[0],
            [
                (LESS, self.reads[part]) if forms[part] is MINUS else (PLUS, (part,))
                for part in parts[1:]
            ],
            wish,
        )

    def chained(
        self, start: int, terms: Sequence[tuple[Form, Sequence[int]]], wish: Wish = ""
    ) -> int:
        """A start and terms behind it, in lines of not too many: forms like `%s + %s`, each with what stands at its further places."""
        for k in range(0, len(terms), TERMS):
            part = terms[k : k + TERMS]
            read = (start, *[j for _, reads in part for j in reads])
            before, start = start, self._add(_chain(tuple([form for form, _ in part])), read)
            if wish:
                self.wishes[start] = wish
            if k:
                self.named.add(before)
                self.continued[start] = before
        return start

    def say(self, form: Form, reads: Sequence[int]) -> None:
        """A statement that reads expressions."""
        self.statements.add(self._add(form, reads))

    def count(self) -> int:
        """How many expressions there are that are not written as they stand."""
        return len(self.forms) - self.forms.count(None)

    # -------------------------------------------------------------- writing

    def written(self, order: Sequence[int] | None = None) -> tuple[list[str], list[str]]:
        """The lines that can stand before a loop, since no atom that varies goes into them, and the others."""
        if order is None:
            order = self.decided()
        texts, varies = self.texts, self.varies
        before: list[str] = []
        lines: list[str] = []
        for i, text in self.composed(order):
            if i in self.statements:
                lines.append(text)
                continue
            earlier = self.continued.get(i, -1)
            goes_on = earlier >= 0 and (varies is None or varies[earlier] == varies[i])
            name = texts[i] = texts[earlier] if goes_on else self.name(i)
            (lines if varies is None or varies[i] else before).append(f"{name} = {text}")
        return before, lines

    def composed(self, order: Iterable[int]) -> Iterator[tuple[int, str]]:
        """The expressions among these that make a line, each with its text: what is read by name has its name in `texts` by then."""
        forms, reads, texts, binds, own = self.forms, self.reads, self.texts, self.binds, self.own
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

    def decided(self, kept: Iterable[int] = ()) -> list[int]:
        """What is read, by statements and from outside (`kept`), in order; by now `named` has all that need a line."""
        forms, reads, named = self.forms, self.reads, self.named
        self._make_room()
        varies = self.varies = self._varying() if self.varying else None
        counts = [0] * len(forms)
        for i in (*kept, *self.statements):
            counts[i] = 2
        order = []
        for i in range(len(forms) - 1, -1, -1):
            if counts[i] and forms[i] is not None:
                order.append(i)
                for j in reads[i]:
                    counts[j] += 1
        order.reverse()
        sizes = [NAME_SIZE] * len(forms)
        for i in order:
            read = reads[i]
            size = forms[i].size  # type: ignore[union-attr]
            for j in read:
                size += sizes[j]
            if size > WIDTH and len(read) <= 4:
                size = self._shortened(read, size, sizes)
            if varies is not None and varies[i]:
                named.update([j for j in read if forms[j] is not None and not varies[j]])
            if counts[i] > 1 or size > WIDTH:
                named.add(i)
            elif i not in named:
                sizes[i] = size
        named -= self.statements
        self.own = named | self.statements
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

    def _varying(self) -> bytearray:
        """For each expression, whether it is another in each run of the loop; statements stand in the loop."""
        varies = bytearray(len(self.forms))
        for i, reads in enumerate(self.reads):
            varies[i] = i in self.varying or i in self.statements or any(varies[j] for j in reads)
        return varies

    def name(self, i: int) -> str:
        """A name for an expression, as it is wished for."""
        wish = self.wishes.get(i, "")
        if isinstance(wish, int):
            of = self.texts[wish]
            wish = f"d{of}" if of.isidentifier() else "d"
        return self.names.take(wish)


@functools.lru_cache(maxsize=256)
def _sum(count: int) -> Form:
    """The form of a sum of so many."""
    return _chain((PLUS,) * (count - 1))


@functools.lru_cache(maxsize=256)
def _chain(forms: tuple[Form, ...]) -> Form:
    """Forms like `%s + %s` one behind the other."""
    text = "".join([form.text[2:] for form in forms])
    return Form(
        f"%s{text}",
        (forms[0].needs[0], *[need for form in forms for need in form.needs[1:]]),
        forms[0].binds,
    )
