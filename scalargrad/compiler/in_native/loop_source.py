"""Training as one function for numba: steps on batches, each the slopes of the loss and, behind them, the optimiser's update.   (floor 3)

The weights are one flat array of which the matrices of layers are views, so that an update is one loop. All is raw arithmetic: what
it gives is good if weights, memory and losses are finite in the end, for neither nan nor inf ever leaves a weight again.
"""

from __future__ import annotations

from itertools import accumulate

from ...arithmetic.total import inf
from ..layout import live, words
from ..naming import Names
from ..program import Program
from ..program import pulls as pulls_of_steps
from ..roll import Numbers, has_pattern, pulls, roll
from .frame import Source
from .lines import Lines, merged
from .loops import Loops, Place
from .machine import known_names
from .parts import in_parts
from .slopes import Slopes
from .source import is_small, pulled_by, tile_of
from .tape import Tape
from .text import OWN, Tables, fused, sliced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..program import Block

RESERVED = {
    "weights",
    "gradient",
    "states",
    "rates",
    "first_step",
    "starts",
    "ends",
    "losses",
    "begin",
    "end",
    "s",
    "share",
    "total",
    "lr",
    "step",
    "train",
}


class Training:
    """The source of the function `train`.

    The outputs of `program` are the loss of a row and, with `has_penalty`, the penalty; or, of a batch whose rows are known, its loss,
    what slopes are taken of in its place, and the penalty. `moving` are the blocks that are trained, `update` the formula of
    a weight. `reduce` is over the rows of a batch; with `order`, these are taken in the order of an array.
    """

    def __init__(
        self,
        program: Program,
        moving: Sequence[Block],
        has_penalty: bool,
        update: Program,
        reduce: str,
        order: bool,
        large: float,
    ) -> None:
        self.program, self.moving, self.has_penalty, self.update = (
            program,
            moving,
            has_penalty,
            update,
        )
        self.reduce, self.order, self.large = reduce, order, large
        self.names = Names({*OWN, *RESERVED, *known_names()})
        self.tables = Tables()
        self.data = [block for block in program.blocks if block.has_rows]
        self.arrays: dict[Block, str] = {
            block: self.names.take(block.name, "a") for block in program.blocks
        }
        self.functions: list[str] = []  # parts of the step
        self.views: list[str] = []  # the lines that name parts of the weights and of the gradient
        are_few = not self.data or is_small(program, 1)
        written = self._lines if are_few else self._loops if has_pattern(program) else self._tape
        self.source = Source(self._text(written()), self.tables)

    def _views(self, with_slopes: bool) -> tuple[dict[Block, str], dict[Block, Place]]:
        """Name the parts of the weights that are blocks, along one axis, and those of the gradient; where the slopes by each are."""
        ends = [*accumulate(len(block.inputs) for block in self.moving)]
        flats, places = {}, {}
        for block, end in zip(self.moving, ends):
            name, part = self.arrays[block], f"{end - len(block.inputs)}:{end}"
            shape = f".reshape{block.shape}" if len(block.shape) > 1 else ""
            flats[block] = self._view(name, f"weights[{part}]", shape)
            if with_slopes:
                slopes = self.names.take(f"d{name}")
                places[block] = Place(
                    self._view(slopes, f"gradient[{part}]", shape),
                    False,
                    slopes if len(block.shape) == 2 else "",
                )
        return flats, places

    def _view(self, name: str, part: str, shape: str) -> str:
        """Name a part, in its shape and along one axis; what it is called then."""
        flat = self.names.take(f"{name}_flat") if shape else name
        self.views += [f"{flat} = {part}", *([f"{name} = {flat}{shape}"] if shape else [])]
        return flat

    def _seed(self, carried: bool) -> str:
        """The slope of the loss of a batch by that of a row, or by a loss that is the same for all rows."""
        if self.reduce == "mean":
            return "share" if carried else "1.0"
        return "1.0" if carried else "float(rows)"

    # -------------------------------------------------------------- forward and backward

    def _lines(self) -> list[str]:
        """A step in straight lines."""
        program = merged(self.program)
        loss, *others = program.outputs
        inputs = [x for block in self.moving for x in block.inputs]
        carried = loss in program.with_rows()
        roots = [
            *([(loss, self._seed(carried))] if self.data else []),
            *((x, "1.0") for x in others),
        ]
        found = pulls_of_steps(program.steps, [x for x, _ in roots], inputs)
        self._views(with_slopes=False)
        arrays = {
            block: f"{name}[0]" if block in self.moving and not block.shape else name
            for block, name in self.arrays.items()
        }
        lines = Lines(
            program, [found], self.names, self.tables, row="q" if self.order else "r", arrays=arrays
        )
        slopes = lines.slopes(roots, found, inputs)
        if carried:
            lines.before.insert(0, "total = 0.0")
            lines.inside.append(f"total += {lines.of(loss)}")
        else:
            lines.after.append(f"total = {lines.of(loss)}{' * rows' if self.data else ''}")
        penalty = [lines.of(others[-1])] if self.has_penalty else []
        tail = [
            *(f"gradient[{i}] = {slope}" for i, slope in enumerate(slopes)),
            *self._losses(*penalty),
        ]
        read: set[str] = set()
        after, inside, before = (
            live(part, read) for part in ([*lines.after, *tail], lines.inside, lines.before)
        )
        rows = [*(["q = order[r]"] if self.order else []), *inside]
        loop = ["for r in range(begin, end):", *("    " + line for line in rows)] if inside else []
        return [*before, *loop, *after]

    def _loops(self) -> list[str]:
        """A step in loops."""
        program = roll(self.program)
        (loss, j), *penalty = program.outputs
        found = pulls(program, [source for source, _ in program.outputs], self.moving)
        flats, places = self._views(with_slopes=True)
        by = pulled_by([found])
        loops = Loops(
            program,
            by,
            self.names,
            self.tables,
            order=self.order,
            large=self.large,
            arguments=self.arrays,
            flats=flats,
        )
        carried = not isinstance(loss, Numbers) and loss.has_rows
        results = [
            "0.0" if isinstance(source, Numbers) else loops.place(source).at(str(index))
            for source, index in program.outputs
        ]
        if carried:
            loops.inside.append(f"total += sum_of({loops.place(loss).all_rows(str(j))})")
        seeds = [self._seed(carried), *["1.0"] * len(penalty)]
        roots = [
            (source, str(index), seed)
            for (source, index), seed in zip(program.outputs, seeds)
            if not isinstance(source, Numbers)
        ]
        slopes = Slopes(loops, found, roots, places)
        tile = str(tile_of(loops.width))
        self.views += [line.replace("TILE", tile) for line in loops.arrays]
        self.functions, inside = in_parts(
            sliced(fused([*loops.inside, *slopes.inside])), self.names, known_names()
        )
        if any("once" in line for line in (*inside, *self.functions)):
            self.views.append("once = min(len(rates), 1)")
        head = (
            [
                f"for first in range(begin, end, {tile}):",
                f"    last = min(first + {tile}, end)",
                "    n = last - first",
            ]
            if inside
            else []
        )
        total = "total = 0.0" if carried else f"total = {results[0]} * rows"
        before = [
            "clear(gradient)",
            *loops.before,
            total,
            *head,
            *("    " + line for line in inside),
        ]
        return [*before, *slopes.after, *self._losses(*results[1:])]

    def _tape(self) -> list[str]:
        """A step that runs over a table, row after row."""
        others = [block for block in self.program.blocks if block not in self.moving]
        tape = Tape(merged(self.program), [*self.moving, *others], self.moving)
        self.functions = tape.functions
        self.tables.numbers += tape.numbers
        self.tables.places += tape.places
        put, of_row = tape.put(
            {block: self.arrays[block] for block in others}, self.names, "q" if self.order else "r"
        )
        self.views += [*tape.arrays, *put]
        size = sum(len(block.inputs) for block in self.moving)
        sent = f"add_to(gradient, 0, slopes, 0, {size})"
        before = ["clear(gradient)", "total = 0.0", f"values[0:{size}] = weights"]
        inside = ["q = order[r]"] if self.order else []
        loss, *penalty = range(len(tape.outputs))
        inside += [*of_row, "forward(values, places)", f"total += values[{tape.place(loss)}]"]
        inside += [*tape.walk([f"slopes[{tape.place(loss)}] += {self._seed(True)}"]), sent]
        after = [
            line
            for x in penalty
            for line in (*tape.walk([f"slopes[{tape.place(x)}] += 1.0"]), sent)
        ]
        losses = self._losses(*[f"values[{tape.place(x)}]" for x in penalty])
        return [
            *before,
            "for r in range(begin, end):",
            *("    " + line for line in inside),
            *after,
            *losses,
        ]

    def _losses(self, *penalty: str) -> list[str]:
        loss = "total * share" if self.reduce == "mean" and self.data else "total"
        return [f"losses[s] = {' + '.join([loss, *penalty])}"]

    # -------------------------------------------------------------- the update

    def _moved(self) -> list[str]:
        """The loop that moves the weights."""
        memory = [f"state{i + 1}" for i in range(len(self.update.blocks) - 4)]
        arrays = dict(zip(self.update.blocks, ["weights", "gradient", *memory, "lr", "step"]))
        for block in self.update.blocks[:-2]:
            block.has_rows = True  # a weight is a row
        lines = Lines(merged(self.update), [], self.names, self.tables, row="i", arrays=arrays)
        moved = [
            f"{target}[i] = {lines.of(x)}"
            for target, x in zip(["weights", *memory], lines.program.outputs)
        ]
        return [
            *lines.before,
            "for i in range(len(weights)):",
            *("    " + line for line in [*lines.inside, *moved]),
        ]

    def _text(self, step: Sequence[str]) -> str:
        """The function around a step."""
        others = [
            self.arrays[block]
            for block in self.program.blocks
            if block not in self.moving and not block.has_rows
        ]
        rows = (
            [
                *(self.arrays[block] for block in self.data),
                *(["order"] if self.order else []),
                "starts",
                "ends",
            ]
            if self.data
            else []
        )
        arguments = [
            "weights",
            "states",
            *others,
            *rows,
            "rates",
            "first_step",
            "numbers",
            "places",
            "losses",
        ]
        memory = [f"state{i + 1} = states[{i}]" for i in range(len(self.update.blocks) - 4)]
        begin = (
            ["begin, end, rows = starts[s], ends[s], ends[s] - starts[s]", "share = 1.0 / rows"]
            if self.data
            else []
        )
        lines = [*begin, "lr, step = rates[s], float(first_step + s)", *step, *self._moved()]
        loop = ["for s in range(len(rates)):", *("    " + line for line in lines)]
        head = [
            "gradient = empty(len(weights))",
            *memory,
            *live(self.views, {word for line in loop for word in words(line)}),
            *loop,
        ]
        return "\n\n".join(
            [*self.functions, "\n    ".join([f"def train({', '.join(arguments)}):", *head]) + "\n"]
        )


def training_source(
    program: Program,
    moving: Sequence[Block],
    has_penalty: bool,
    update: Program,
    reduce: str,
    order: bool = False,
    large: float = inf,
) -> Source:
    """The source of the function `train` (see `Training`)."""
    return Training(program, moving, has_penalty, update, reduce, order, large).source
