"""Training in C: steps on batches, each the slopes of the loss and the update.   (floor 3)

All weights are one array, and so are their slopes and each part of the optimiser's memory, so that
an update is one loop. All is raw
arithmetic: what it gives is good if weights, memory and losses are finite in the end, for neither
nan nor inf ever leaves a weight.
"""

from __future__ import annotations

from itertools import accumulate

from ..derive import DerivedSteps
from ..derive_rolled import Derived, Root, constant
from ..dialects.c import MACHINE
from ..lower import ADD
from ..program import Constant, Program
from ..reduced import reduced, reduced_view
from ..roll import Numbers, has_pattern, rolled
from .frame import LARGE, Frame, Source, file_of
from .steps import LineFunction, NumberResult
from .vectors import Function, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..program import Block

OWN = (
    "gradient", "lr", "step", "weights", "state", "states", "rates", "losses", "loss",
    "first_step", "steps", "starts",
    "ends", "orders", "s", "train_update", "shorten",
)  # fmt: skip
SHORTEN = """\
static void shorten(int n, double *xs, double most)
{
    double squares = 0.0;
    for (int k = 0; k < n; k++) squares += xs[k] * xs[k];
    const int is_plain = squares > 1e-280 && squares < INFINITY;
    const double factor = most / fmax(most, is_plain ? sqrt(squares) : length_of(n, xs));
    for (int k = 0; k < n; k++) xs[k] *= factor;
}"""


class Training:
    """The source of the function `train`.

    The outputs of `program` are the loss of a row and, with `has_penalty`, the penalty; or, of a
    batch whose rows are known, its loss,
    what slopes are taken of in its place, and the penalty. `moving` are the blocks that are
    trained, `update` the formula of a weight.
    `reduce` is over the rows of a batch; with `order`, these are taken in the order of an array. `clip` is the length that the slopes may have at
    most.
    """

    def __init__(
        self, program: Program, moving: Sequence[Block], has_penalty: bool, update: Program,
        reduce: str, order: bool, clip: float | None = None,
    ) -> None:  # fmt: skip
        self.program, self.moving, self.has_penalty = program, moving, has_penalty
        self.reduce, self.order, self.clip = reduce, order, clip
        self.data = [block for block in program.blocks if block.has_rows]
        names = MACHINE.names()
        names.taken.update(OWN)
        self.name_of: dict[Any, str] = {b: names.take(b.name, "v") for b in program.blocks}
        self.all_of = {b: names.take(f"{self.name_of[b]}_all") for b in self.data if not order}
        self.slopes = [names.take(f"d{self.name_of[block]}", "slopes") for block in moving]
        self.step = self._rolled() if has_pattern(program) else self._lines()
        self.update = self._update(update)
        self.source = self._source()
        self.text = file_of([self.source])
        self.level = "-O3" if len(self.text) < LARGE else "-O2"

    # -------------------------------------------------------------- a step

    def _rolled(self) -> Frame:
        made = rolled(self.program)
        derived = Derived(made, fast=True)
        (loss, place), *others = made.outputs
        total, one = derived.output(loss, place), constant(1.0)
        roots = [Root(source, j, one) for source, j in others]
        if self.data:
            total, seed = reduced_view(derived, total, loss.has_rows, self.reduce)
            roots.insert(0, Root(loss, place, seed or one))
        if self.has_penalty:
            total = derived.put(ADD, (total, derived.output(*others[-1])), 1)
        roots = [root for root in roots if not isinstance(root.source, Numbers)]
        views = derived.slopes([roots], self.moving)
        results = [Result(total, "loss", False)]
        results += [Result(view, name, False) for name, view in zip(self.slopes, views)]
        return Function(
            MACHINE, "train", self.program.blocks, derived.vectors, results, self.name_of,
            hides=False,
            moving=self.moving, order=self.order,
        )  # fmt: skip

    def _lines(self) -> Frame:
        program = self.program
        derived = DerivedSteps(program, fast=True)
        loss, *others = program.outputs
        total, one = derived.of(loss), derived.constant(1.0)
        roots: list[tuple[Any, Any]] = [(x, one) for x in others]
        if self.data:
            put = lambda line, *xs: derived.put(line, xs)  # noqa: E731
            carried = loss in program.with_rows()
            total, seed = reduced(put, total, carried, self.reduce)
            roots.insert(0, (loss, seed or one))
        if self.has_penalty:
            total = derived.put(ADD, (total, derived.of(others[-1])))
        inputs = [x for block in self.moving for x in block.inputs]
        roots = [(x, seed) for x, seed in roots if x.__class__ is not Constant]
        found = iter(derived.slopes(roots, inputs))
        results = [NumberResult(total, "loss", 0, 1, False)]
        for block, name in zip(self.moving, self.slopes):
            size = len(block.inputs)
            results += [NumberResult(next(found), name, i, size, False) for i in range(size)]
        options: Any = {"moving": self.moving, "order": self.order}
        return LineFunction(MACHINE, "train", program.blocks, results, self.name_of, **options)

    def _update(self, update: Program) -> Frame:
        """The loop that moves the weights: each is a row, and is written where it was."""
        weight, gradient, *memory, lr, step = update.blocks
        self.memory = [f"state{i + 1}" for i in range(len(memory))]
        names = {weight: "weights", gradient: "gradient", **dict(zip(memory, self.memory))}
        for block in names:
            block.has_rows = True
        derived = DerivedSteps(update, fast=True)
        results = [
            NumberResult(derived.of(x), names[block], 0, 1, True)
            for block, x in zip([weight, *memory], update.outputs)
        ]
        names.update({lr: "lr", step: "step"})
        return LineFunction(MACHINE, "train_update", update.blocks, results, names)

    # -------------------------------------------------------------- the whole

    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of the function: their kinds and names."""
        found = [("output", "weights"), ("output", "states")]
        for block in self.program.blocks:
            if block not in self.moving:
                kind = "input" if block.shape or block.has_rows else "number"
                found.append((kind, self.all_of.get(block) or self.name_of[block]))
        if self.data:
            names = ["orders"] * self.order + ["starts", "ends"]
            found += [("places", name) for name in names]
        return [
            *found, ("input", "rates"), ("number", "first_step"), ("count", "steps"), ("output",
            "losses"),
            ("room", "work"),
        ]  # fmt: skip

    def _source(self) -> Source:
        functions, lines, uses = self.step.body()
        more, moved, used = self.update.body()
        count = sum(len(block.inputs) for block in self.moving)
        room = self.step.room
        parameters = [
            ("count", "n"), ("output", "weights"), ("input", "gradient"), *[("output", x) for x in
            self.memory],
            ("number", "lr"), ("number", "step"), *[("room", "work")] * ("work" in used),
        ]  # fmt: skip
        unused = [f"(void){name};" for _, name in parameters if name not in used]
        update = MACHINE.function("part", "train_update", parameters, [*unused, *moved])
        memory = [f"states + {i * count}" for i in range(len(self.memory))]
        call = ["weights", "gradient", *memory, "rates[s]", "first_step + (double)s"]
        call += [f"work + {room + count}"] * ("work" in used)
        clips = [] if self.clip is None else [f"shorten({count}, gradient, {self.clip!r});"]
        inner = [
            *self._names(uses),
            *lines,
            *clips,
            f"train_update({', '.join([str(count), *call])});",
        ]
        head = MACHINE.loop("s", "steps")
        lines = [
            f"double *gradient = work + {room};", f"{head} {{", *[MACHINE.indent + x for x in inner], "}",
        ]  # fmt: skip
        uses |= {
            "weights",
            "rates",
            "first_step",
            "steps",
            "losses",
            "work",
            *["states"][: len(memory)],
        }
        data = {name for block, name in self.all_of.items() if self.name_of[block] in uses}
        uses |= data | ({"starts", "ends"} if "n" in uses else set())
        uses |= {"starts", *["orders"][: "order" in uses]} if data or "order" in uses else set()
        unused = [f"(void){name};" for _, name in self.parameters() if name not in uses]
        whole = MACHINE.function("nothing", "train", self.parameters(), [*unused, *lines])
        tables = "\n".join(self.step.tables.lines)
        shorten = SHORTEN if clips else ""
        text = "\n\n".join([x for x in [tables, *functions, *more, shorten, update, whole] if x])
        calls = frozenset(self.step.calls | self.update.calls | {*["length_of"][: len(clips)]})
        room += count + self.update.room + 8
        return Source("train", self.parameters(), False, text, calls, room)

    def _names(self, uses: set[str]) -> list[str]:
        """The parts of weights and slopes by their names, and the rows of a step."""
        lines = ["double *restrict loss = losses + s;"] * ("loss" in uses)
        if not uses.isdisjoint({"n", "share"}):
            lines.append("const long n = ends[s] - starts[s];")
        if "order" in uses:
            lines.append("const long *restrict order = orders + starts[s];")
        for block, name in self.all_of.items():
            if self.name_of[block] in uses:
                width = len(block.inputs)
                at = f"{name} + {f'{width} * ' * (width > 1)}starts[s]"
                lines.append(MACHINE.pointer(self.name_of[block], at))
        ends = [*accumulate([len(block.inputs) for block in self.moving])]
        for block, slope, end in zip(self.moving, self.slopes, ends):
            begin, name = end - len(block.inputs), self.name_of[block]
            lines += [MACHINE.pointer(name, f"weights + {begin}")] * (name in uses)
            lines += [f"double *restrict {slope} = gradient + {begin};"] * (slope in uses)
        return lines
