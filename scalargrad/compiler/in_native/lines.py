"""Small programs as straight lines for numba: every number is a local, rows of data run through one loop.   (floor 3)

What carries no rows is computed before the loop, slopes of it are added up in locals and walked back behind it. Locals
live in registers, which is why this is the fastest there is as long as the lines are few; numba takes a hundredth of a second for each.
"""

from __future__ import annotations

from ...ops import LISTS
from ..choices import fast, sends
from ..layout import index_of
from ..naming import step_names
from ..program import Block, Constant, Program, Step, grouped, names_at
from .text import Tables, filled, is_atom, row_text, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..naming import Names

    Found = list[tuple[Any, tuple[int, ...]]]

TERMS = 12  # that a line adds up at most


class Lines:
    """The lines of a program: those `before` the rows, those `inside`, of a row, and those `after` them.

    `found` are the pulls of all walks back. With `total`, rows are written as they are right everywhere; `per_row` keeps the
    rows of all slopes apart. `row` is the number of a row in the loop, `arrays` says what the blocks are called.
    """

    def __init__(
        self,
        program: Program,
        found: Sequence[Found],
        names: Names,
        tables: Tables,
        total: bool = False,
        per_row: bool = False,
        row: str = "r",
        arrays: dict[Block, str] | None = None,
    ) -> None:
        self.program, self.names, self.tables, self.total, self.per_row, self.row = (
            program,
            names,
            tables,
            total,
            per_row,
            row,
        )
        self.before: list[str] = []
        self.inside: list[str] = []
        self.after: list[str] = []
        self.arrays = arrays or {block: names.take(block.name, "a") for block in program.blocks}
        self.carriers = program.with_rows()
        self.at: dict[Any, str] = {}
        self._by: dict[Any, set[int]] = {}
        for step, places in (pull for one in found for pull in one):
            self._by.setdefault(step, set()).update(places)
        self._walks = len(found)
        self._local: dict[Any, dict[str, str]] = {}
        self._partials: dict[Any, dict[str, str]] = {}
        self._wishes = step_names(program.steps)
        for step in program.steps:
            self._value(step)

    # -------------------------------------------------------------- values

    def lines(self, carried: bool) -> list[str]:
        """Where lines of values go."""
        return self.inside if carried else self.before

    def of(self, x: Any) -> str:
        """What a number is written as."""
        if x not in self.at:
            self.at[x] = self._constant(x) if x.__class__ is Constant else self._input(x)
        return self.at[x]

    def _constant(self, x: Constant) -> str:
        import numpy

        return self.tables.number(numpy.array([x.data]), "i")

    def _input(self, x: Any) -> str:
        """A number of a block, read into a local."""
        block, array = x.block, self.arrays[x.block]
        place = [*map(str, index_of(x))] if block.shape else []
        if not block.shape and not block.has_rows:
            return array
        name = self.names.take("_".join([array, *place]) if place else f"{array}_{self.row}")
        index = ", ".join([*([self.row] if block.has_rows else []), *place])
        self.lines(block.has_rows).append(f"{name} = {array}[{index}]")
        return name

    def _value(self, step: Any) -> None:
        row, lines, wish = step.row, self.lines(step in self.carriers), self._wishes.get(step, "")
        groups = grouped(row, step.operands)
        if row.name in ("sum", "dot"):
            self.at[step] = self._added(row.name, groups, lines, wish)
            return
        forward, _ = row_text(self._written(row), self._by_names(step))
        local = self._local[step] = self._operands(row, groups, lines)
        for name, text in forward:
            local[name] = self._set(lines, filled(text, local), wish if name == "out" else name)
        self.at[step] = local["out"]

    def _written(self, row: Any) -> Any:
        return row if self.total else fast(row)

    def _by_names(self, step: Any) -> tuple[str, ...]:
        """The operands that the slopes of a step are by, as its row names them."""
        return (
            names_at(step.row, len(step.operands), tuple(sorted(self._by.get(step, ()))))
            if step.row.slopes
            else ()
        )

    def _set(self, lines: list[str], text: str, wish: str) -> str:
        name = self.names.take(wish)
        lines.append(f"{name} = {text}")
        return name

    def _operands(self, row: Any, groups: Sequence[Any], lines: list[str]) -> dict[str, str]:
        local = {}
        for name, group in zip(row.operands, groups):
            local[name] = (
                self._set(lines, f"_array([{', '.join(map(self.of, group))}])", name)
                if name in LISTS
                else self.of(group)
            )
        return local

    def _added(self, kind: str, groups: Sequence[Any], lines: list[str], wish: str) -> str:
        """A sum or a dot, written out."""
        if kind == "sum":
            terms = [self.of(x) for x in groups[0]]
        else:
            terms = [f"{self.of(w)} * {self.of(x)}" for w, x in zip(groups[0], groups[1])]
            if not (groups[2].__class__ is Constant and groups[2].data == 0.0):
                terms.insert(0, self.of(groups[2]))
        return self.chained(terms or ["0.0"], lines, wish)

    def chained(self, terms: Sequence[str], lines: list[str], wish: str = "") -> str:
        """The sum of terms from left to right, in lines of not too many."""
        name = self._set(lines, " + ".join(terms[:TERMS]), wish)
        for i in range(TERMS, len(terms), TERMS):
            lines.append(f"{name} = {' + '.join([name, *terms[i : i + TERMS]])}")
        return name

    # -------------------------------------------------------------- slopes

    def carries(self, x: Any) -> bool:
        """Whether the slope by a number carries rows."""
        return self.per_row or x in self.carriers

    def slopes(
        self, roots: Sequence[tuple[Any, str]], found: Found, by: Sequence[Any]
    ) -> list[str]:
        """The slopes of the sum of some roots, each with the slope it begins with, by inputs."""
        sums: dict[Any, list[tuple[str, bool]]] = {}
        for root, seed in roots:
            sums.setdefault(root, []).append((seed, self.carries(root)))
        for step, places in found:
            carried = self.carries(step)
            slope = self._slope(step, sums[step])
            for x, sent in self._sent(step, places, slope):
                sums.setdefault(x, []).append((sent, carried))
        return [self._slope(x, sums[x]) if x in sums else "0.0" for x in by]

    def _slope(self, x: Any, sent: Sequence[tuple[str, bool]]) -> str:
        """The slope by a number, of what was sent to it: over all rows, where it carries none."""
        wish = f"d{self.of(x)}" if self.of(x).isidentifier() else ""
        if self.carries(x):
            return (
                sent[0][0]
                if len(sent) == 1 and is_atom(sent[0][0])
                else self.chained([text for text, _ in sent], self.inside, wish)
            )
        of_rows, plain = (
            [text for text, carried in sent if carried],
            [text for text, carried in sent if not carried],
        )
        if of_rows:
            total = self.names.take(wish)
            self.before.append(f"{total} = 0.0")
            self.inside.append(f"{total} += {' + '.join(of_rows)}")
            plain.insert(0, total)
        return (
            plain[0]
            if len(plain) == 1 and is_atom(plain[0])
            else self.chained(plain, self.after, wish)
        )

    def _sent(self, step: Any, places: tuple[int, ...], slope: str) -> list[tuple[Any, str]]:
        """What a step sends to some of its operands, and to which."""
        row = step.row
        groups = grouped(row, step.operands)
        where = [
            (name, i)
            for name, group in zip(row.operands, groups)
            for i in range(len(group) if name in LISTS else 1)
        ]
        wanted = [(step.operands[place], *where[place]) for place in places]
        if row.name in ("sum", "dot"):
            factors = {"ws": 1, "xs": 0} if row.name == "dot" else {}
            partials = [
                self.of(groups[factors[name]][i]) if name in factors else "1.0"
                for _, name, i in wanted
            ]
        elif sends(row):
            local = {**self._local[step], "d": slope}
            return [
                (x, f"({filled(sends(row)[row.operands.index(name)], local)})")
                for x, name, _ in wanted
            ]
        else:
            known = self._slope_lines(step)
            partials = [
                f"{known[name]}[{i}]" if name in LISTS else known[name] for _, name, i in wanted
            ]
        return [
            (x, share(partial, slope, self.total)) for (x, *_), partial in zip(wanted, partials)
        ]

    def _slope_lines(self, step: Any) -> dict[str, str]:
        """The partials of a step, by the names of its operands; what they share has lines, written once."""
        if step not in self._partials:
            lines = self.inside if self.carries(step) else self.after
            _, slopes = row_text(self._written(step.row), self._by_names(step))
            local, partials = dict(self._local[step]), {}
            for name, text in slopes:
                expression, operand = filled(text, local), name[1:]
                is_partial = operand in step.row.operands
                if (
                    not is_partial
                    or operand in LISTS
                    or (self._walks > 1 and not is_atom(expression))
                ):
                    expression = local[name] = self._set(
                        lines, expression, "s" if is_partial else name
                    )
                if is_partial:
                    partials[operand] = expression
            self._partials[step] = partials
        return self._partials[step]


def merged(program: Program) -> Program:
    """The program without the steps that compute what another does."""
    if not program.same:
        return program
    now: dict[Any, Any] = {}
    for step in program.steps:
        first = program.same.get(step)
        operands = tuple([now.get(x, x) for x in step.operands])
        if first is not None:
            now[step] = now.get(first, first)
        elif operands != step.operands:
            now[step] = Step(step.row, operands, step.label)
    return Program(program.blocks, [now.get(x, x) for x in program.outputs])
