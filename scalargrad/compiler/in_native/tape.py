"""Programs without a pattern for numba: a table of steps, and a loop that runs over it, forward and backward.   (floor 3)

Lines and loops take numba the longer to compile the more there are. Where hardly two steps are alike, what is compiled here is as
long as the list of different rows, and a program is a table of integers: for each step which row, where its number
stands among all numbers, and where those of its operands do. A step takes some nanoseconds more than in a line of its own.
"""

from __future__ import annotations

from ...ops import LISTS
from ..choices import sends
from ..layout import listed, live
from ..program import Constant, grouped, names_at, pulls
from .frame import Frame, Source
from .lines import merged
from .text import filled, is_atom, looped, once, row_text, share, span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ...ops import Op
    from ..naming import Names
    from ..program import Block, Program, Step
    from .text import Lines

HEAD = 3  # numbers of a step in the table before its operands: how it is computed, how it is walked back, its place
RESULT = "values[places[at + 2]]"
COUNTS = 4  # numbers that the table begins with: how many steps, how many of them are walked back, how many numbers, how many constants


class Tape:
    """A program as a table, and the functions `forward` and `backward` that run over it, as text.

    The text depends on which rows there are, and on nothing else of the steps. `blocks` are in the order in which their inputs stand
    among all numbers, from the first on; behind them come the constants and the steps.
    """

    def __init__(self, program: Program, blocks: Sequence[Block], by: Sequence[Block]) -> None:
        steps, outputs = program.steps, program.outputs
        self.outputs, self.has_slopes = outputs, bool(by)
        inputs = [x for block in blocks for x in block.inputs]
        constants = dict.fromkeys(
            [
                x
                for x in (*[x for step in steps for x in step.operands], *outputs)
                if x.__class__ is Constant
            ]
        )
        self.numbers = [x.data for x in constants]
        self.at = {x: place for place, x in enumerate((*inputs, *constants, *steps))}
        self._begin = len(inputs)  # of the constants
        pulled = pulls(steps, outputs, [x for block in by for x in block.inputs]) if by else []
        self._by = {step: names_at(step.row, len(step.operands), places) for step, places in pulled}
        self._forward = _numbered({step.row: (step.row.name,) for step in steps})
        self._backward = _numbered(
            {(step.row, by): (step.row.name, by) for step, by in self._by.items()}
        )
        self.places = self._table(steps)

    def _table(self, steps: Sequence[Step]) -> list[int]:
        """The counts; the places of the outputs; where each step begins, as they are computed and as they are walked back; the steps."""
        at, by, forward, backward = self.at, self._by, self._forward, self._backward
        first = COUNTS + len(self.outputs) + len(steps) + len(by)
        begins: dict[Any, int] = {}
        table: list[int] = []
        for step in steps:
            row, operands = step.row, step.operands
            begins[step] = first + len(table)
            table += forward[row], backward[row, by[step]] if step in by else -1, at[step]
            if row.takes_lists:
                table.append(
                    next(len(group) for group in grouped(row, operands) if group.__class__ is list)
                )
            table += [at[x] for x in operands]
        counts = len(steps), len(by), len(at), len(self.numbers)
        return [
            *counts,
            *[at[x] for x in self.outputs],
            *begins.values(),
            *[begins[step] for step in by],
            *table,
        ]

    @property
    def arrays(self) -> list[str]:
        """The lines that make the arrays of all numbers, and of the slopes by them."""
        return [f"{name} = empty(places[2])" for name in ("values", *["slopes"] * self.has_slopes)]

    @property
    def functions(self) -> list[str]:
        """The functions that run over a table."""
        first = COUNTS + len(self.outputs)
        computed = [_value_lines(row, code) for row, code in self._forward.items()]
        functions = [_function("forward", "values", f"{first}, {first} + places[0]", computed)]
        if self.has_slopes:
            pulled = [_slope_lines(row, by, code) for (row, by), code in self._backward.items()]
            functions.append(
                _function(
                    "backward",
                    "values, slopes",
                    f"{first} + places[0], {first} + places[0] + places[1]",
                    pulled,
                )
            )
        return functions

    def put(
        self, arguments: Mapping[Block, str], names: Names, row: str
    ) -> tuple[list[str], list[str]]:
        """The lines that put constants and arguments among all numbers: once, and again for each row."""
        before = (
            [f"values[{self._begin} : {self._begin} + places[3]] = numbers[: places[3]]"]
            if self.numbers
            else []
        )
        inside: list[str] = []
        for block, name in arguments.items():
            if not (size := len(block.inputs)):
                continue
            first = self.at[block.inputs[0]]
            if block.has_rows:
                by_row = names.take(f"{name}_rows")
                before.append(f"{by_row} = {name}.reshape(len({name}), {size})")
                inside.append(f"values[{span(str(first), size)}] = {by_row}[{row}]")
            else:
                before.append(
                    f"values[{span(str(first), size)}] = {name}.reshape({size})"
                    if block.shape
                    else f"values[{first}] = {name}"
                )
        return before, inside

    def place(self, output: int | str) -> str:
        """The place of an output among all numbers."""
        return f"places[{COUNTS + output if isinstance(output, int) else f'{COUNTS} + {output}'}]"

    def walk(self, seeds: Sequence[str]) -> list[str]:
        """The lines that walk back, when others have given slopes to outputs."""
        return ["clear(slopes)", *seeds, "backward(values, slopes, places)"]


class TapeFunction(Frame):
    """A function that runs over a table of steps."""

    def __init__(self, program: Program, kind: str, reduce: str | None) -> None:
        super().__init__(
            program.blocks, kind, reduce, total=True
        )  # a slope of 0 is passed by, and so sends 0 whatever it meets
        self.tape = Tape(merged(program), self.blocks, self.wrt)
        self.arguments = {block: self.names.take(block.name, "a") for block in self.blocks}
        self.slope_names = {
            block: self.names.take(f"d{self.arguments[block]}") for block in self.wrt
        }

    def source(self) -> Source:
        """The functions that run over the table, and the one that calls them."""
        return Source(
            "\n\n".join([*self.tape.functions, self.text(self.arguments, self._lines(), [])]),
            self.tape,
        )

    def _lines(self) -> list[str]:
        """The lines of the function that calls them."""
        lines = [*self.tape.arrays, *["clear(outputs)"] * (not self.per_row)]
        flats = {block: self.names.take(f"{name}_flat") for block, name in self.slope_names.items()}
        for name, flat in zip(self.slope_names.values(), flats.values()):
            lines += [f"{flat} = {name}.reshape({name}.size)", f"clear({flat})"]
        before, inside = self.tape.put(self.arguments, self.names, "r")
        lines += before
        inside.append("forward(values, places)")
        inside += self._of_outputs(
            ["outputs[q, r] = values[AT]" if self.per_row else "outputs[q] += values[AT]"]
        )
        inside += self._walk(flats) if self.wrt else []
        if not self.has_rows:
            return lines + inside
        mean = self._of_outputs(["outputs[q] /= rows"]) if self.reduce == "mean" else []
        return [*lines, "for r in range(rows):", *("    " + line for line in inside), *mean]

    def _of_outputs(self, lines: Sequence[str]) -> list[str]:
        """Lines for each output q, whose place is AT."""
        count = len(self.tape.outputs)
        known = {"AT": self.tape.place("q" if count > 1 else 0), "q": once("q", count)}
        return looped([("q", count)], [filled(line, known) for line in lines])

    def _walk(self, flats: dict[Block, str]) -> list[str]:
        """The lines that walk back: from each output by itself in a Jacobian."""
        is_jacobian = self.kind == "jacobian"
        seed = [f"slopes[AT] += {'1.0 / rows' if self.reduce == 'mean' else '1.0'}"]
        lines = self.tape.walk(seed if is_jacobian else self._of_outputs(seed))
        for block, flat in flats.items():
            if size := len(block.inputs):
                first = {(0, 0): "0", (0, 1): "r", (1, 0): "q", (1, 1): "(q * rows + r)"}[
                    is_jacobian, self.by_rows(block)
                ]
                first = first if first == "0" else f"{first} * {size}"
                lines.append(
                    f"add_to({flat}, {first}, slopes, {self.tape.at[block.inputs[0]]}, {size})"
                )
        return self._of_outputs(lines) if is_jacobian else lines


def _numbered(rows: dict[Any, Any]) -> dict[Any, int]:
    """Rows, or rows with operands, each with a number: those of other programs with the same rows are the same."""
    return {row: number for number, row in enumerate(sorted(rows, key=rows.__getitem__))}


def _function(name: str, arrays: str, steps: str, rows: Sequence[list[str]]) -> str:
    """A function that runs over the steps of a table and does for each what its row says."""
    lines = [
        f"for k in range({steps}):",
        "    at = places[k]",
        f"    code = places[at{' + 1' * (name == 'backward')}]",
    ]
    if name == "backward":
        lines += ["    d = slopes[places[at + 2]]", "    if d == 0.0:", "        continue"]
    for number, (heading, *row) in enumerate(rows):
        lines += [
            f"    {'elif' if number else 'if'} code == {number}:  # {heading}",
            *("        " + line for line in row),
        ]
    return "\n    ".join([f"def {name}({arrays}, places):", *lines]) + "\n"


def _operands(row: Op) -> tuple[dict[str, str], dict[str, str]]:
    """Where the operands of a step stand in the table, and what reads them."""
    lists = 0
    places: dict[str, str] = {}
    reads: dict[str, str] = {}
    for i, name in enumerate(row.operands):
        more = f" + {lists} * places[at + {HEAD}]" if lists else ""
        places[name] = f"at + {HEAD + row.takes_lists + i - lists}{more}"
        reads[name] = (
            f"gathered(values, places, {places[name]}, places[at + {HEAD}])"
            if name in LISTS
            else f"values[places[{places[name]}]]"
        )
        lists += name in LISTS
    return places, reads


def _written(
    lines: Lines, reads: dict[str, str], code: int, known: dict[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Lines of a row in names of its own, and before them those that read its operands; and what stands there for which name."""
    local = dict(known)
    text = []
    for name, expression in (*reads.items(), *lines):
        expression = filled(expression, local)
        if is_atom(expression) and name not in known:
            local[name] = expression
        else:
            local.setdefault(name, f"{name}_{code}")
            text.append(f"{local[name]} = {expression}")
    return text, local


def _value_lines(row: Op, code: int) -> list[str]:
    """A heading, and the lines that compute a row."""
    forward, _ = row_text(row, ())
    _, reads = _operands(row)
    return [row.name, *live(_written(forward, reads, code, {"out": RESULT})[0], set())]


def _slope_lines(row: Op, by: tuple[str, ...], code: int) -> list[str]:
    """A heading, and the lines that send the slope of a row to its operands."""
    places, reads = _operands(row)
    reads["out"] = RESULT
    forward, slopes = row_text(row, by) if not sends(row) else ([], [])
    lines = [line for line in forward if line[0] != "out"] + slopes
    text, local = _written(lines, reads, code, {})
    for name in by:
        if name in LISTS:
            text.append(f"send(slopes, places, {places[name]}, {local[f'd{name}']}, d)")
            continue
        sent = (
            filled(sends(row)[row.operands.index(name)], {**local, "d": "d"})
            if sends(row)
            else share(local[f"d{name}"], "d", False)
        )
        text.append(f"slopes[places[{places[name]}]] += {sent}")
    return [f"{row.name}, by {listed(by)}", *live(text, set())]
