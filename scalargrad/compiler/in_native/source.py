"""Programs as source for numba: value and slopes in one function, which writes them into arrays.   (floor 3)

A function takes the contents of the blocks, two tables of constants, an array for the outputs and one for the slopes by each
block. It returns whether all slopes are finite: where one is not, the total variant of the function is asked, in which a
slope of exactly 0 sends 0 whatever it meets.
"""

from __future__ import annotations

from ...arithmetic.total import inf
from ..layout import index_of, live, words
from ..program import operations
from ..program import pulls as pulls_of_steps
from ..roll import Numbers, has_pattern, pulls, roll
from .frame import Frame, Source
from .lines import Lines, merged
from .loops import Loops, Place
from .machine import known_names
from .parts import in_parts
from .slopes import Slopes
from .tape import TapeFunction
from .text import Tables, fused, looped, sliced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..program import Block, Program
    from ..roll import Rolled, Vector

    Roots = list[tuple[Any, int]]

TILES = 16, 256  # rows of a tile, at least and at most
CACHE = 16384  # numbers that the arrays of a tile hold, about
CHUNK = 256  # rows whose slopes are looked at while they are at hand
FEW = 400  # operations, forward and backward, that are written out
FEW_UNLIKE = 1500  # in a program without a pattern: lines run faster than a table, and so many are compiled in seconds still
LARGE = 4096  # numbers of a matrix whose product is left to a library


def tile_of(width: int) -> int:
    """How many rows a tile has, of so many numbers each: a multiple of 8."""
    least, most = TILES
    return max(least, min(most, CACHE // max(1, width) // 8 * 8))


def pulled_by(found: Sequence[Sequence[tuple[Vector, list[int]]]]) -> dict[Vector, set[int]]:
    """For each vector the operands that slopes are taken by."""
    by: dict[Vector, set[int]] = {}
    for vector, places in (pull for one in found for pull in one):
        by.setdefault(vector, set()).update(places)
    return by


class LineFunction(Frame):
    """A function of straight lines."""

    def __init__(
        self, program: Program, kind: str, reduce: str | None, total: bool = False
    ) -> None:
        super().__init__(program.blocks, kind, reduce, total)
        self.program = program
        inputs = [x for block in self.wrt for x in block.inputs]
        groups = (
            [[output] for output in program.outputs]
            if kind == "jacobian"
            else [program.outputs]
            if kind == "value_and_grad"
            else []
        )
        found = [pulls_of_steps(program.steps, roots, inputs) for roots in groups]
        self.tables = Tables()
        self.lines = Lines(program, found, self.names, self.tables, total, self.per_row)
        self.slope_names = {
            block: self.names.take(f"d{self.lines.arrays[block]}") for block in self.wrt
        }
        for number, output in enumerate(program.outputs):
            self._output(number, output)
        for number, (roots, pulled) in enumerate(zip(groups, found)):
            slopes = self.lines.slopes([(root, self._seed(root)) for root in roots], pulled, inputs)
            self._put(f"{number}, " if kind == "jacobian" else "", dict(zip(inputs, slopes)))

    def _seed(self, root: Any) -> str:
        if self.per_row or not self.has_rows:
            return "1.0"
        if root in self.lines.carriers:
            return "1.0" if self.reduce == "sum" else "share"
        return "rows" if self.reduce == "sum" else "1.0"

    def _output(self, number: int, x: Any) -> None:
        lines, text = self.lines, self.lines.of(x)
        if self.per_row:
            lines.inside.append(f"outputs[{number}, r] = {text}")
        elif x in lines.carriers:
            total = self.names.take("total", "total")
            lines.before.append(f"{total} = 0.0")
            lines.inside.append(f"{total} += {text}")
            lines.after.append(
                f"outputs[{number}] = {total}{' / rows' if self.reduce == 'mean' else ''}"
            )
        else:
            lines.after.append(
                f"outputs[{number}] = {text}{' * rows' if self.has_rows and self.reduce == 'sum' else ''}"
            )

    def _put(self, lead: str, slopes: dict[Any, str]) -> None:
        """Write slopes into the arrays for them."""
        for block, name in self.slope_names.items():
            rows = "r, " if self.by_rows(block) else ""
            for x in block.inputs:
                index = ", ".join(map(str, index_of(x))) if block.shape else "0"
                (self.lines.inside if rows else self.lines.after).append(
                    f"{name}[{lead}{rows}{index}] = {slopes[x]}"
                )

    def source(self) -> Source:
        """The function as text."""
        lines, read = self.lines, set[str]()
        after, inside, before = (
            live(part, read) for part in (lines.after, lines.inside, lines.before)
        )
        checks = [
            f"is_finite({name}.ravel())"
            for block, name in self.slope_names.items()
            if not self.by_rows(block)
        ]
        chunked = [name for block, name in self.slope_names.items() if self.by_rows(block)]
        loop = (
            [
                f"for r in range({'first, last' if chunked else 'rows'}):",
                *("    " + line for line in inside),
            ]
            if inside
            else []
        )
        if chunked:
            leads = (
                [f"{i}, " for i in range(len(self.program.outputs))]
                if self.kind == "jacobian"
                else [""]
            )
            fine = [
                f"is_finite({name}[{lead}first:last].ravel())" for name in chunked for lead in leads
            ]
            loop = [
                "fine = True",
                f"for first in range(0, rows, {CHUNK}):",
                f"    last = min(first + {CHUNK}, rows)",
                *("    " + line for line in loop),
            ]
            loop.append(f"    fine = {' and '.join(['fine', *fine])}")
            checks.insert(0, "fine")
        share = ["share = 1.0 / rows"] if "share" in read else []
        text = self.text(
            lines.arrays, [*share, *before, *loop, *after], [] if self.total else checks
        )
        return Source(text, self.tables)


class LoopFunction(Frame):
    """A function of loops."""

    def __init__(
        self, rolled: Rolled, kind: str, reduce: str | None, total: bool = False, large: float = inf
    ) -> None:
        super().__init__(rolled.blocks, kind, reduce, total)
        self.rolled = rolled
        self.groups = self._groups()
        found = [
            pulls(rolled, [source for source, _ in roots], rolled.wrt) for roots, _ in self.groups
        ]
        self.loops = Loops(rolled, pulled_by(found), self.names, Tables(), total, large=large)
        self.slope_names = {
            block: self.names.take(f"d{self.loops.arguments[block]}") for block in self.wrt
        }
        self.flats: dict[Block, str] = {}
        self.after: list[str] = []
        self._outputs()
        self._blocks()
        for (roots, numbers), pulled in zip(self.groups, found):
            self._walk(roots, numbers, pulled)

    def _groups(self) -> list[tuple[Roots, list[int]]]:
        """The roots of each walk back, and which outputs they are: all outputs of a vector of a Jacobian take turns."""
        outputs = self.rolled.outputs
        if self.kind != "jacobian":
            return [(outputs, [0])] if self.kind == "value_and_grad" else []
        groups: dict[Any, tuple[Roots, list[int]]] = {}
        for number, (source, j) in enumerate(outputs):
            roots, numbers = groups.setdefault(source, ([], []))
            roots.append((source, j))
            numbers.append(number)
        return list(groups.values())

    # -------------------------------------------------------------- outputs

    def _outputs(self) -> None:
        import numpy

        by_source: dict[Any, list[tuple[int, int]]] = {}
        for number, (source, j) in enumerate(self.rolled.outputs):
            by_source.setdefault(source, []).append((number, j))
        if not self.per_row:
            self.loops.before.append("clear(outputs)")
        for source, pairs in by_source.items():
            into, index = (numpy.array(column) for column in zip(*pairs))
            self._output(source, self.loops.tables.index(into, "q"), index, len(pairs))
        if self.reduce == "mean":
            self.after += looped(
                [("q", len(self.rolled.outputs))],
                [f"outputs[{'q' if len(self.rolled.outputs) > 1 else 0}] /= rows"],
            )

    def _output(self, source: Any, into: str, index: Any, count: int) -> None:
        import numpy

        loops, turn = self.loops, [("q", count)]
        if isinstance(source, Numbers):
            number, carried = loops.tables.number(numpy.array(source.data)[index], "q"), False
        else:
            place, at = loops.place(source), loops.tables.index(index, "q")
            number, carried = place.at(at), place.carried
            if carried and not self.per_row:
                loops.inside += looped(turn, [f"outputs[{into}] += sum_of({place.all_rows(at)})"])
                return
        if self.per_row:
            loops.inside += looped([*turn, ("r", "n")], [f"outputs[{into}, first + r] = {number}"])
        else:
            self.after[:0] = looped(
                turn, [f"outputs[{into}] = {number}{' * rows' if self.has_rows else ''}"]
            )

    # -------------------------------------------------------------- slopes

    def _blocks(self) -> None:
        """Begin the slopes by each block at 0."""
        for block, name in self.slope_names.items():
            is_flat = len(block.shape) < 2 and not self.by_rows(block) and self.kind != "jacobian"
            self.flats[block] = flat = name if is_flat else self.names.take(f"{name}_flat")
            self.loops.before += (
                [f"clear({name})"]
                if is_flat
                else [f"{flat} = {name}.reshape({name}.size)", f"clear({flat})"]
            )

    def _walk(self, roots: Roots, numbers: list[int], found: Any) -> None:
        import numpy

        loops, is_jacobian = self.loops, self.kind == "jacobian"
        turns = len(roots) if is_jacobian else 1
        number = loops.tables.index(numpy.array(numbers), "q")
        number = f"({number})" if " " in number else number
        heads, into, tiles = [], {}, {}
        for block, name in self.flats.items():
            size, carried = len(block.inputs), self.by_rows(block)
            count = f"{size} * rows" if carried else str(size)
            if is_jacobian:
                name = self.names.take(f"{self.slope_names[block]}_one")
                heads.append(
                    f"{name} = {self.flats[block]}[{number} * {count} : {number} * {count} + {count}]"
                )
            if carried:
                tiles[block] = name
            else:
                into[block] = Place(
                    name,
                    False,
                    self.slope_names[block] if len(block.shape) == 2 and not is_jacobian else "",
                )
        if is_jacobian:
            j = loops.tables.index(numpy.array([j for _, j in roots]), "q")
            starts = [(roots[0][0], j)]
        else:
            starts = [(source, str(j)) for source, j in roots]
        seeded = [
            (source, j, self._seed(source))
            for source, j in starts
            if not isinstance(source, Numbers)
        ]
        slopes = Slopes(loops, found, seeded, into, tiles, self.per_row, turns)
        for block, name in tiles.items():
            if block in slopes.at:
                slopes.inside.append(
                    f"put_rows({slopes.at[block].name}, {len(block.inputs)}, {name}, first, n)"
                )
        for lines, part in ((loops.inside, slopes.inside), (self.after, slopes.after)):
            lines += looped([("q", turns)], [*heads, *slopes.heads, *part]) if part else []

    def _seed(self, source: Any) -> str:
        """The slope of the result by an output, for a row where it carries them."""
        if self.reduce == "mean":
            return "1.0 / rows" if source.has_rows else "1.0"
        return "rows" if self.has_rows and not self.per_row and not source.has_rows else "1.0"

    # -------------------------------------------------------------- text

    def source(self) -> Source:
        """The function as text."""
        loops = self.loops
        tile = str(tile_of(loops.width))
        made = [line.replace("TILE", tile) for line in loops.arrays]
        lines = [*loops.before]
        if any("once" in line for line in loops.inside):
            lines.append("once = min(rows, 1)")
        functions, inside = in_parts(sliced(fused(loops.inside)), self.names, known_names())
        if inside:
            lines += [
                f"for first in range(0, rows, {tile}):",
                f"    last = min(first + {tile}, rows)",
                "    n = last - first",
            ]
            lines += ["    " + line for line in inside]
        lines += self.after
        checks = [f"is_finite({name})" for name in self.flats.values()] if not self.total else []
        lines[:0] = live(made, {word for line in (*lines, *checks) for word in words(line)})
        return Source(
            "\n\n".join([*functions, self.text(loops.arguments, lines, checks)]), loops.tables
        )


def is_small(program: Program, walks: int) -> bool:
    """Whether a program and so many walks back over it are written out in lines."""
    count = operations(program) * (1 + walks)
    return count < FEW or (count < FEW_UNLIKE and not has_pattern(program))


def function_source(
    program: Program, kind: str, reduce: str | None, total: bool = False, large: float = inf
) -> Source:
    """The source of a function of the blocks of a program: of straight lines where they are few, of a table where they are many."""
    if is_small(
        program, 0 if kind == "value" else len(program.outputs) if kind == "jacobian" else 1
    ):
        return LineFunction(merged(program), kind, reduce, total).source()
    if not has_pattern(program):
        return TapeFunction(program, kind, reduce).source()
    return LoopFunction(roll(program), kind, reduce, total, large).source()
