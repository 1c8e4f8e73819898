"""Programs as straight-line Python: the standard library alone, bit for bit what Values compute.   (floor 3)

Each function is written twice. The raw one calls `math` and divides as it is, which raises where IEEE 754 has inf or nan; when it
raises, or a gradient is not finite, the total one answers, in which nothing raises and a slope of exactly 0 sends 0. A large
program is several functions, and there slopes come row by row of their arrays.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

from ...arithmetic.total import ERRORS
from ...rows.text import FAST_NAMES, TOTAL_NAMES, run_pieces
from ..derive import DerivedSteps
from ..dialects import python as dialect
from ..layout import (
    definition,
    described,
    index_of,
    nested,
    pattern,
    sum_of,
    targets,
    tuple_of,
    zeros,
)
from ..lower import LIST, OVER_ROWS
from ..naming import Names, is_word
from ..program import Constant
from .python_lines import AFTER, BEFORE, INSIDE, TERMS, Lines
from .python_parts import in_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from ..program import Block, Input, Program

LARGE = 50_000  # steps of a program that is still one function: compiled it takes 1 kB for each
MANY = 256  # numbers of an argument that is always unpacked
_counter = itertools.count(1)


def function_source(
    program: Program, name: str, kind: str, reduce: str | None, total: bool = False, of: str = ""
) -> tuple[list[str], dict[str, float]]:
    """The source of a function of the program's blocks, in one piece or several, and the constants it reads, by name.

    `of` is the name of the function that was compiled; `kind` and `reduce` are as in `Function`.

    >>> from scalargrad.compiler.program import Block, Program, Step
    >>> from scalargrad.ops import OPS
    >>> x, y = Block("x", (), wrt=True), Block("y", ())
    >>> product = Program([x, y], [Step(OPS["mul"], (x.inputs[0], y.inputs[0]))])
    >>> print(*function_source(product, "f", "value", None, of="area")[0])
    def f(x, y):
        \"\"\"The value of area.
    <BLANKLINE>
        x, y: numbers.
        \"\"\"
        return x * y
    <BLANKLINE>
    """
    made = Function(program, kind, reduce, total)
    return made.pieces(name, of), made.lines.numbers


class Slopes(NamedTuple):
    """The slopes of an output by a block: numbers, or lists of them, with the shape in which they are returned."""

    block: Block
    name: str
    items: list[Any]
    shape: tuple[int, ...]
    is_known: bool


class Function:
    """A function of a program.

    `kind` is "value", which returns the output, or several in a tuple; "value_and_grad", which returns the one output and
    a tuple of the slopes by each block; or "jacobian", which returns a tuple of outputs and one of such tuples. `reduce` is
    "mean" or "sum" over the rows, or None for a list of what it returns for each row.
    """

    def __init__(self, program: Program, kind: str, reduce: str | None, total: bool) -> None:
        self.program, self.kind, self.reduce, self.total = program, kind, reduce, total
        self.names = Names()
        self.arguments = {block: self.names.take(block.name, "a") for block in program.blocks}
        self.carried = [block for block in program.blocks if block.has_rows]
        self.is_reduced = bool(self.carried) and reduce is not None
        self.end = AFTER if self.is_reduced else INSIDE if self.carried else BEFORE
        self.share = f" / {self.names.take('rows')}" if self.is_reduced and reduce == "mean" else ""
        self.derived = derived = DerivedSteps(program, per_row=True, has_lists=True)
        self.wishes: dict[Any, str] = {}
        by = [x for block in program.wrt for x in block.inputs]
        found = [
            derived.slopes([(root, derived.constant(1.0))], by)
            for root in (program.outputs if kind != "value" else [])
        ]
        self.is_large = len(derived.steps) > LARGE
        self.outputs = [derived.of(x) for x in program.outputs]
        if self.is_reduced:
            several = len(self.outputs) > 1
            self.outputs = [
                self._added_up(x, f"total_{i}" if several else "total")
                for i, x in enumerate(self.outputs)
            ]
        self.groups = [[*self._by_block(i, slopes)] for i, slopes in enumerate(found)]
        inputs = [x for block in program.blocks for x in block.inputs]
        self.lines = Lines(derived, inputs, self.names, self.wishes, total)

    def _added_up(self, x: Any, wish: str) -> Any:
        """What a number or a list is over the rows."""
        if x.__class__ is Constant and not x.data:
            return x
        step = self.derived.put(OVER_ROWS, (x,))
        if step not in self.wishes:
            self.wishes[step] = "total" if wish == "total" else self.names.take(wish)
        return step

    def _by_block(self, number: int, slopes: Sequence[Any]) -> Iterable[Slopes]:
        """The slopes of an output, block by block, under the names dW1, or of several outputs d0_dW1, …"""
        rest = iter(slopes)
        for block in self.program.wrt:
            own: list[Any] = [next(rest) for _ in block.inputs]
            name = self.arguments[block]
            known, shape = all(x.__class__ is Constant for x in own), block.shape
            inputs: Sequence[Any] = block.inputs
            if self.is_large and shape:
                shape, width = shape[:-1], shape[-1]
                rows = [own[i : i + width] for i in range(0, len(own), width or 1)]
                own = [self.derived.put(LIST, tuple(row)) for row in rows]
                inputs = block.inputs[:: width or 1]
            prefix = f"d{number}_d" if self.kind == "jacobian" else "d"
            is_summed = self.is_reduced and not block.has_rows
            if is_summed or (self.is_large and block.shape):
                wishes = [f"{prefix}{self._item(x, len(shape))}" for x in inputs]
                if is_summed:
                    own = [*map(self._added_up, own, wishes)]
                for x, wish in zip(own, wishes):
                    self.wishes.setdefault(x, wish)
            taken = (
                self.names.take(f"{prefix}{name}", "d")
                if block.shape or self.is_listed(block)
                else ""
            )
            yield Slopes(block, taken, own, shape, known)

    def is_listed(self, block: Block) -> bool:
        """Whether the slopes by a block are a list, for they are others in each row."""
        return self.is_reduced and block.has_rows

    # -------------------------------------------------------------- lines

    def pieces(self, name: str, of: str) -> list[str]:
        """The source, as it is compiled: one piece, or one for each part."""
        lines, names = self.lines, self.names
        values = names.take("values") if self.carried and not self.is_reduced else ""
        returned = self._said()
        statement = f"{values}.append(%s)" if values else "return %s"
        if values and self.kind != "value":
            statement = f"{values}.append((%s))"
        lines.say(
            statement % returned[0],
            returned[1],
            self.end,
            dialect.IF if not self.share else dialect.PRODUCT,
        )
        order = lines.decided()
        patterns = {block: self._pattern(block) for block in self.program.blocks}
        pieces, (before, inside, after) = (
            in_parts(lines, order, name) if self.is_large else ([], lines.written(order))
        )
        text = [
            f"{text} = {self.arguments[block]}"
            for block, text in patterns.items()
            if block.shape and not block.has_rows and text != "_"
        ]
        if self.share:
            text.append(f"{self.share[3:]} = len({self.arguments[self.carried[0]]})")
        text += [f"{values} = []"] * bool(values)
        text += self._begun()
        text += before
        if inside:
            text.append(f"for {self._heads(patterns)}:")
            text += [f"    {part}" for line in inside for part in line.split("\n")]
        text += after
        text += [f"return {values}"] * bool(values)
        describing = described(self.program, self.arguments, self.kind, self.reduce, self.total, of)
        return [*pieces, definition(name, self.arguments.values(), describing, text)]

    def _begun(self) -> list[str]:
        """The lines that set sums over rows to 0, and lists of slopes to empty ones."""
        sums, over = self.lines.sums, self.outputs if self.is_reduced else []
        totals = [*dict.fromkeys([self.wishes[x] for x in over])]
        numbers = [name for name, count in sums if not count and name not in totals]
        lists = [f"{name} = [0.0] * {count}" for name, count in sums if count]
        listed = [s.name for group in self.groups for s in group if self.is_listed(s.block)]
        return [
            *[f"{name} = 0.0" for name in totals],
            *[f"{name} = []" for name in listed],
            *zeros(numbers),
            *lists,
        ]

    def _said(self) -> tuple[str, list[Any]]:
        """Say all but the last statement, of which this gives the text and what it reads."""
        read: list[Any] = [*self.outputs]
        groups: list[list[str]] = []
        for group in self.groups:
            groups.append([])
            checked: list[tuple[str, list[Any]]] = []
            for slopes in group:
                text, own = self._stated(slopes, checked)
                groups[-1].append(text)
                read += own
            self._check(checked, self.end)
        outputs = [f"%s{self.share}"] * len(self.outputs)
        texts = [tuple_of(texts) for texts in groups]
        if self.kind == "jacobian":
            return f"{tuple_of(outputs)}, {tuple_of(texts)}", read
        one = outputs if len(outputs) == 1 else [tuple_of(outputs)]
        return ", ".join([*one, *texts]), read

    def _stated(
        self, slopes: Slopes, checked: list[tuple[str, list[Any]]]
    ) -> tuple[str, list[Any]]:
        """Say the slopes by a block; what is returned of them, and what that reads."""
        block, name, items, shape, is_known = slopes
        is_list = shape != block.shape
        share = self.share
        item = f"%s{share}"
        if is_list and share:
            item = f"[item{share} for item in %s]"
        known = [x.__class__ is Constant and not x.data for x in items]
        text = nested(shape, ["%s" if is_zero else item for is_zero in known])
        need = dialect.PRODUCT if share else dialect.IF
        if self.is_listed(block):
            if not is_known:
                each = "sum(%s)" if is_list else "%s"
                self._check([(each, [x]) for x in items], INSIDE)
            self.lines.say(f"{name}.append({text})", items, INSIDE, need)
            return name, []
        if block.shape:
            self.lines.say(f"{name} = {text}", items, self.end, need)
        if not is_known:
            checked.append((sum_of(block.shape, name or "%s"), [] if block.shape else items))
        return (name, []) if block.shape else (text, items)

    def _check(self, terms: Sequence[tuple[str, list[Any]]], stage: int) -> None:
        """Say a statement that raises where one of many numbers is not finite: the total function answers then."""
        if terms and not self.total:
            texts = [text for text, _ in terms]
            added = " + ".join(texts) if len(texts) <= TERMS else f"sum([{', '.join(texts)}])"
            self.lines.say(
                f"if not isfinite({added}):\n    raise FloatingPointError",
                [x for _, read in terms for x in read],
                stage,
            )

    # -------------------------------------------------------------- arguments taken apart

    def _pattern(self, block: Block) -> str:
        """Name the numbers of a block that are read, and say what it is unpacked into.

        A large block whose numbers are read but once, as are the weights of a first layer, is unpacked into rows, whose
        numbers are read by their places: W1_0[2].
        """
        texts, counts, names = self.lines.texts, self.lines.counts, self.names
        places = [self.lines.at[x] for x in block.inputs]
        shape = block.shape
        if len(shape) == 2 and len(places) > MANY and max([counts[i] for i in places]) == 1:
            rows = [names.take(f"{self.arguments[block]}_{k}") for k in range(shape[0])]
            for k, i in enumerate(places):
                texts[i] = f"{rows[k // shape[1]]}[{k % shape[1]}]"
            return pattern(shape[:1], rows)
        for x, i in zip(block.inputs, places):
            if counts[i]:
                is_whole = not shape and not block.has_rows
                texts[i] = self.arguments[block] if is_whole else names.take(self._item(x))
        return pattern(shape, [texts[i] for i in places])

    def _item(self, x: Input, depth: int | None = None) -> str:
        """The name to wish for of a number of the arguments: W1_0_2; of a list of them W1_0."""
        name = self.arguments[x.block]
        if not x.block.shape:
            return f"{name}_i" if x.block.has_rows else name
        return "_".join([name, *map(str, index_of(x)[:depth])])

    def _heads(self, patterns: Mapping[Block, str]) -> str:
        """What a loop over the rows of blocks reads."""
        names = [self.arguments[block] for block in self.carried]
        if len(names) == 1:
            return f"{patterns[self.carried[0]]} in {names[0]}"
        heads = [patterns[block] for block in self.carried]
        return f"{targets(heads)} in zip({', '.join(names)})"


class PythonFunction:
    """A program as a function of its blocks' contents, lists and floats: the raw one, and the total one when that raises.

    It returns a tuple of outputs for the kind "value", whatever their number, and else what the generated function returns.
    """

    def __init__(self, program: Program, name: str, kind: str, reduce: str | None) -> None:
        self._program, self._kind, self._reduce = program, kind, reduce
        self._of = name if is_word(name) else ""
        self._is_single = kind == "value" and len(program.outputs) == 1
        self._by_row = reduce is None and any(block.has_rows for block in program.blocks)
        self._total: Callable[..., Any] | None = None
        self.raw, self.source = self._made(False)

    def _made(self, total: bool) -> tuple[Callable[..., Any], str]:
        """The generated function, and its source."""
        pieces, numbers = function_source(
            self._program, self._kind, self._kind, self._reduce, total, self._of
        )
        names = {**(TOTAL_NAMES if total else FAST_NAMES), **numbers, "isfinite": math.isfinite}
        run_pieces(
            pieces,
            f"<scalargrad {'total ' * total}{self._kind} of {self._of} {next(_counter)}>",
            names,
        )
        return names[self._kind], "\n\n".join(pieces)

    def __call__(self, contents: Sequence[Any]) -> Any:
        try:
            result = self.raw(*contents)
        except ERRORS:
            if self._total is None:
                self._total, _ = self._made(True)
            result = self._total(*contents)
        if not self._is_single:
            return result
        return [(value,) for value in result] if self._by_row else (result,)
