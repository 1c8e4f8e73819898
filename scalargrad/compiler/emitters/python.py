"""Programs as straight-line Python: the standard library alone, the bits of Values.   (floor 3)

Each function is written twice. The raw one calls `math` and divides as it is, which raises where
IEEE 754 has inf or nan; when it raises, or a gradient is not finite, the total one answers, in
which nothing raises and a slope of exactly 0 sends 0. A large program is several functions, and
there slopes come row by row of their arrays.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ...arithmetic.total import ERRORS
from ...rows.text import FAST_NAMES, TOTAL_NAMES, run_pieces
from ..carried import columns
from ..contents import as_lists
from ..derive import DIVIDE, DerivedSteps
from ..layout import definition, described, item_name, nested, pattern, sum_of, tuple_of, zeros
from ..lower import LIST, OVER_ROWS, ROWS, line_of
from ..naming import Names, is_word
from ..program import Block, Constant, Program
from .python_lines import AFTER, BEFORE, INSIDE, TERMS, Lines, RowSums, is_zero
from .python_parts import in_parts

MANY = 256  # numbers of an argument that is always unpacked
LARGE = 50_000  # steps of a program that is still one function: compiled it takes 1 kB for each
MEANS = line_of("[x / n for x in xs]")
_counter = itertools.count(1)


def function_source(
    program: Program, name: str, kind: str, reduce: str | None, total: bool = False, of: str = ""
) -> tuple[list[str], dict[str, Any]]:
    """The source of a function of blocks, in pieces, and all that it reads by name.

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
    pieces, names = made.pieces(name, of), TOTAL_NAMES if total else FAST_NAMES
    return pieces, {**names, **made.lines.numbers, "isfinite": math.isfinite}


class Slopes(NamedTuple):
    """The slopes of an output by a block: numbers or lists, their shape, and what a check reads."""

    block: Block
    name: str
    items: list[Any]
    shape: tuple[int, ...]
    checked: list[Any]


class Function:
    """A function of a program.

    `kind` is "value", which returns the output, or several in a tuple; "value_and_grad", which
    returns the one output and a tuple of the slopes by each block; or "jacobian", which returns a
    tuple of outputs and one of such tuples. `reduce` is "mean" or "sum" over the rows, or None for
    a list of what it returns for each row.
    """

    def __init__(self, program: Program, kind: str, reduce: str | None, total: bool) -> None:
        self.program, self.kind, self.reduce, self.total = program, kind, reduce, total
        self.names = Names()
        self.arguments = {block: self.names.take(block.name, "a") for block in program.blocks}
        self.carried = [block for block in program.blocks if block.has_rows]
        self.is_reduced = bool(self.carried) and reduce is not None
        self.end = AFTER if self.is_reduced else INSIDE if self.carried else BEFORE
        self.derived = derived = DerivedSteps(program)
        self.sums = RowSums(derived, self.names)
        self.wishes = self.sums.wishes
        by = [x for block in program.wrt for x in block.inputs]
        roots = program.outputs if kind != "value" else []
        found = [derived.slopes([(root, derived.constant(1.0))], by) for root in roots]
        self.is_large = len(derived.steps) > LARGE
        self.outputs = [derived.of(x) for x in program.outputs]
        if self.is_reduced:
            several = len(self.outputs) > 1
            wishes = [f"total_{i}" if several else "total" for i in range(len(self.outputs))]
            self.outputs = [*map(self._share, map(self.sums.of, self.outputs, wishes))]
        self.count_of_totals = len(self.wishes)
        self.groups = [[*self._by_block(i, slopes)] for i, slopes in enumerate(found)]
        inputs = [x for block in program.blocks for x in block.inputs]
        self.lines = Lines(derived, inputs, self.names, self.wishes, total)

    def _share(self, x: Any) -> Any:
        """The part that a number or a list is of the result: in a mean, over the rows."""
        if not self.is_reduced or self.reduce != "mean" or is_zero(x):
            return x
        is_list = LIST in (x.op, x.operands[0].op if x.op is OVER_ROWS else None)
        return self.derived.put(MEANS if is_list else DIVIDE, (ROWS, x) if is_list else (x, ROWS))

    def _by_block(self, number: int, slopes: Sequence[Any]) -> Iterable[Slopes]:
        """The slopes of an output, block by block, called dW1, or of several outputs d0_dW1, …"""
        rest = iter(slopes)
        prefix = f"d{number}_d" if self.kind == "jacobian" else "d"
        for block in self.program.wrt:
            own: list[Any] = [next(rest) for _ in block.inputs]
            checked = [] if all(x.__class__ is Constant for x in own) else own
            inputs, shape, argument = block.inputs, block.shape, self.arguments[block]
            if self.is_large and shape:
                shape, width = shape[:-1], shape[-1] or 1
                each = [tuple(own[i : i + width]) for i in range(0, len(own), width)]
                own = [self.derived.new(LIST, row) for row in each]
                inputs = inputs[::width]
            is_summed = self.is_reduced and not block.has_rows
            if is_summed or shape != block.shape:
                for i, x in enumerate(inputs):
                    wish = f"{prefix}{item_name(x, argument, len(shape))}"
                    own[i] = self.sums.of(own[i], wish) if is_summed else own[i]
                    self.wishes.setdefault(own[i], wish)
            has_name = block.shape or self._is_listed(block)
            name = self.names.take(f"{prefix}{argument}", "d") if has_name else ""
            yield Slopes(block, name, [*map(self._share, own)], shape, checked and own)

    def _is_listed(self, block: Block) -> bool:
        """Whether the slopes by a block are a list, for they are others in each row."""
        return self.is_reduced and block.has_rows

    # -------------------------------------------------------------- lines

    def pieces(self, name: str, of: str) -> list[str]:
        """The source, as it is compiled: one piece, or one for each part."""
        lines, names, arguments = self.lines, self.names, self.arguments
        values = names.take("values") if self.carried and not self.is_reduced else ""
        lines.at[ROWS].text = rows = names.take("rows")
        returned, read = self._said()
        if values and self.kind != "value":
            returned = f"({returned})"
        lines.say(
            f"{values}.append({returned})" if values else f"return {returned}", read, self.end
        )
        order = lines.decided()
        patterns = {block: self._pattern(block) for block in self.program.blocks}
        pieces, (before, inside, after) = (
            in_parts(lines, order, name) if self.is_large else ([], lines.written(order))
        )
        text = [
            f"{text} = {arguments[block]}"
            for block, text in patterns.items()
            if block.shape and not block.has_rows and text != "_"
        ]
        if lines.at[ROWS].count:
            text.append(f"{rows} = len({arguments[self.carried[0]]})")
        numbers = [name for name, count in lines.sums if not count]
        listed = [s.name for group in self.groups for s in group if self._is_listed(s.block)]
        text += [f"{name} = []" for name in [values] * bool(values) + listed]
        text += zeros(numbers[: self.count_of_totals]) + zeros(numbers[self.count_of_totals :])
        text += [f"{name} = [0.0] * {count}" for name, count in lines.sums if count]
        text += before
        if inside:
            heads = ", ".join([patterns[block] for block in self.carried])
            sources = [arguments[block] for block in self.carried]
            many = f"{heads} in zip({', '.join(sources)})"
            text.append(f"for {many if len(sources) > 1 else f'{heads} in {sources[0]}'}:")
            text += [f"    {part}" for line in inside for part in line.split("\n")]
        text += [*after, *[f"return {values}"] * bool(values)]
        describing = described(self.program, arguments, self.kind, self.reduce, self.total, of)
        return [*pieces, definition(name, arguments.values(), describing, text)]

    def _said(self) -> tuple[str, list[Any]]:
        """Say all but the last statement, of which this gives the text and what it reads."""
        lines, groups, outputs = self.lines, [], ["%s"] * len(self.outputs)
        read: list[Any] = [*self.outputs]
        for group in self.groups:
            texts, terms = list[str](), list[str]()
            checked: list[Any] = []
            for block, name, items, shape, own in group:
                whole = (1, *block.shape) if self._is_listed(block) else block.shape
                text = nested(shape, ["%s"] * len(items))
                if self._is_listed(block):
                    lines.say(f"{name}.append({text})", items, INSIDE)
                elif name:
                    lines.say(f"{name} = {text}", items, self.end)
                else:
                    read += items
                texts.append(name or text)
                if own:
                    terms.append(sum_of(whole, name or "%s"))
                    checked += [] if name else own
            if terms and not self.total:  # else the total function answers
                added = " + ".join(terms) if len(terms) <= TERMS else f"sum([{', '.join(terms)}])"
                check = f"if not isfinite({added}):\n    raise FloatingPointError"
                lines.say(check, checked, self.end)
            groups.append(tuple_of(texts))
        if self.kind == "jacobian":
            return f"{tuple_of(outputs)}, {tuple_of(groups)}", read
        one = outputs if len(outputs) == 1 else [tuple_of(outputs)]
        return ", ".join([*one, *groups]), read

    # -------------------------------------------------------------- arguments taken apart

    def _pattern(self, block: Block) -> str:
        """Name the numbers of a block that are read, and say what it is unpacked into.

        A large block whose numbers are read but once, as are the weights of a first layer that no
        loop is around, is unpacked into rows, whose numbers are read by their places: W1_0[2].
        """
        name, shape = self.arguments[block], block.shape
        numbers = [self.lines.at[x] for x in block.inputs]
        is_once = len(numbers) > MANY and max([number.count for number in numbers]) == 1
        if len(shape) == 2 and is_once and (self.is_large or not self.carried):
            rows = [self.names.take(f"{name}_{k}") for k in range(shape[0])]
            for k, number in enumerate(numbers):
                number.text = f"{rows[k // shape[1]]}[{k % shape[1]}]"
            return pattern(shape[:1], rows)
        is_whole = not shape and not block.has_rows
        for x, number in zip(block.inputs, numbers):
            if number.count:
                number.text = name if is_whole else self.names.take(item_name(x, name))
        return pattern(shape, [number.text for number in numbers], bare=not block.has_rows)


class PythonFunction:
    """A program as a function of its blocks' contents: the raw one, and the total when it raises.

    It is called with contents as they came. It returns a tuple of outputs for the kind "value",
    whatever their number, and else what the generated function returns; of rows that stay apart,
    a list in place of each number.
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
        kind, of = self._kind, self._of
        pieces, names = function_source(self._program, kind, kind, self._reduce, total, of)
        told = f"{'total ' * total}{kind} of {of} {next(_counter)}"
        return run_pieces(pieces, f"<scalargrad {told}>", names)[kind], "\n\n".join(pieces)

    def __call__(self, contents: Sequence[Any]) -> Any:
        contents = [x if x.__class__ is float else as_lists(x) for x in contents]
        try:
            result = self.raw(*contents)
        except ERRORS:
            if self._total is None:
                self._total, _ = self._made(True)
            result = self._total(*contents)
        if self._is_single:
            return (result,)
        return columns(result) if self._by_row else result
