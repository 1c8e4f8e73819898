"""Training in C: steps on batches, each the slopes of the loss and, behind them, the optimiser's update.   (floor 3)

All weights are one array, and so are their slopes and each part of the optimiser's memory, so that an update is one loop. All is raw
arithmetic: what it gives is good if weights, memory and losses are finite in the end, for neither nan nor inf ever leaves a weight.
"""

from __future__ import annotations

from itertools import accumulate

from ..derive import DerivedSteps
from ..derive_rolled import ROW_SHARE, ROWS, Derived, Root, constant, whole
from ..dialects.c import RESERVED
from ..lower import ADD, MULTIPLY, OVER_ROWS, line_of
from ..naming import Names
from ..program import Constant, Program
from ..roll import Numbers, has_pattern, has_rows, rolled
from .c import Function, Result
from .c_frame import INPUT, OUTPUT, Body
from .c_lines import LineFunction, NumberResult
from .c_text import INDENT, Source, function_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..program import Block

MEAN = line_of("x / y")
PLACES = "const long *restrict "


class Training:
    """The source of the function `train`.

    The outputs of `program` are the loss of a row and, with `has_penalty`, the penalty; or, of a batch whose rows are known, its loss,
    what slopes are taken of in its place, and the penalty. `moving` are the blocks that are trained, `update` the formula of a weight.
    `reduce` is over the rows of a batch; with `order`, these are taken in the order of an array.
    """

    def __init__(
        self,
        program: Program,
        moving: Sequence[Block],
        has_penalty: bool,
        update: Program,
        reduce: str,
        order: bool,
    ) -> None:
        self.program, self.moving, self.has_penalty = program, moving, has_penalty
        self.reduce, self.order = reduce, order
        self.data = [block for block in program.blocks if block.has_rows]
        self.names = Names({*RESERVED, "gradient", "lr", "step"})
        self.name_of: dict[Any, str] = {b: self.names.take(b.name, "v") for b in program.blocks}
        self.all_of = {b: self.names.take(f"{self.name_of[b]}_all") for b in self.data if not order}
        self.slopes = [self.names.take(f"d{self.name_of[block]}", "slopes") for block in moving]
        is_rolled = has_pattern(program)
        self.step: Function | LineFunction = self._rolled() if is_rolled else self._lines()
        self.update = self._update(update)
        self.source = self._source()

    # -------------------------------------------------------------- a step

    def _rolled(self) -> Function:
        made = rolled(self.program)
        derived = Derived(made, fast=True)
        (loss, place), *others = made.outputs
        total, one = derived.output(loss, place), constant(1.0)
        roots = [Root(source, j, one) for source, j in others]
        if self.data:
            seed = one
            if self.reduce == "mean" and loss.has_rows:
                seed = whole(ROW_SHARE)
            elif self.reduce == "sum" and not loss.has_rows:
                seed = whole(ROWS)
            roots.insert(0, Root(loss, place, seed))
            if has_rows(total):
                total = derived.put(OVER_ROWS, (total,), 1)
                if self.reduce == "mean":
                    total = derived.put(MEAN, (total, whole(ROWS)), 1)
            elif self.reduce == "sum":
                total = derived.put(MULTIPLY, (total, whole(ROWS)), 1)
        if self.has_penalty:
            total = derived.put(ADD, (total, derived.output(*others[-1])), 1)
        roots = [root for root in roots if not isinstance(root.source, Numbers)]
        views = derived.slopes([roots], self.moving)
        results = [Result(total, "loss", False)]
        results += [Result(view, name, False) for name, view in zip(self.slopes, views)]
        return Function(
            "train",
            self.program.blocks,
            derived.vectors,
            results,
            self.name_of,
            False,
            self.moving,
            self.order,
        )

    def _lines(self) -> LineFunction:
        program = self.program
        derived = DerivedSteps(program, fast=True)
        loss, *others = program.outputs
        total, one = derived.of(loss), derived.constant(1.0)
        roots: list[tuple[Any, Any]] = [(x, one) for x in others]
        if self.data:
            carried = loss in program.with_rows()
            seed = ROW_SHARE if self.reduce == "mean" else one
            if carried:
                total = derived.put(OVER_ROWS, (total,))
                total = derived.put(MEAN, (total, ROWS)) if self.reduce == "mean" else total
            elif self.reduce == "sum":
                seed, total = ROWS, derived.put(MULTIPLY, (total, ROWS))
            roots.insert(0, (loss, seed if carried or self.reduce == "sum" else one))
        if self.has_penalty:
            total = derived.put(ADD, (total, derived.of(others[-1])))
        inputs = [x for block in self.moving for x in block.inputs]
        roots = [(x, seed) for x, seed in roots if x.__class__ is not Constant]
        found = iter(derived.slopes(roots, inputs))
        results = [NumberResult(total, "loss", 0, 1, False)]
        for block, name in zip(self.moving, self.slopes):
            size = len(block.inputs)
            results += [NumberResult(next(found), name, i, size, False) for i in range(size)]
        return LineFunction("train", program.blocks, results, self.name_of, self.moving, self.order)

    def _update(self, update: Program) -> LineFunction:
        """The loop that moves the weights: each is a row."""
        weight, gradient, *memory, lr, step = update.blocks
        self.memory = [f"state{i + 1}" for i in range(len(memory))]
        names = {
            weight: "weights",
            gradient: "gradient",
            lr: "lr",
            step: "step",
            **dict(zip(memory, self.memory)),
        }
        for block in (weight, gradient, *memory):
            block.has_rows = True
        derived = DerivedSteps(update, fast=True)
        results = [
            NumberResult(derived.of(x), name, 0, 1, True)
            for name, x in zip(["weights", *self.memory], update.outputs)
        ]
        return LineFunction("train_update", update.blocks, results, names)

    # -------------------------------------------------------------- text

    def arguments(self) -> list[tuple[str, str]]:
        """The parameters of the function: their types and names."""
        others = [block for block in self.program.blocks if block not in self.moving]
        given = [
            ("double " if not block.shape and not block.has_rows else INPUT, self._given(block))
            for block in others
        ]
        rows = [(PLACES, "orders")] * self.order + [(PLACES, "starts"), (PLACES, "ends")]
        return [
            (OUTPUT, "weights"), (OUTPUT, "states"), *given, *(rows if self.data else []), (INPUT, "rates"),
            ("double ", "first_step"), ("long ", "steps"), (OUTPUT, "losses"), (OUTPUT, "work"),
        ]  # fmt: skip

    def _given(self, block: Block) -> str:
        """The name of what is handed over: of data all rows, where a batch is a part of them."""
        return self.all_of.get(block) or self.name_of[block]

    def _source(self) -> Source:
        step, update = self.step.body(), self.update.body()
        count = sum(len(block.inputs) for block in self.moving)
        room = self.step.room_to_work()
        behind = -(-room // 8) * 8
        needs = "work" in update.uses
        kinds: dict[str, str] = {"weights": OUTPUT, **dict.fromkeys(self.memory, OUTPUT)}
        parameters = [
            ("long ", "rows"), ("double *restrict ", "weights"), (INPUT, "gradient"),
            *[(kinds[name], name) for name in self.memory], ("double ", "lr"), ("double ", "step"), *[(OUTPUT, "work")] * needs,
        ]  # fmt: skip
        unused = [f"(void){name};" for _, name in parameters if name not in update.uses]
        functions = [
            *step.functions,
            *update.functions,
            function_text(
                f"static void train_update({', '.join(kind + name for kind, name in parameters)})",
                [*unused, *update.lines],
            ),
        ]
        lines = self._step_lines(step)
        memory = [f"states + {i * count}" for i in range(len(self.memory))]
        call = [str(count), "weights", "gradient", *memory, "rates[s]", "first_step + (double)s"]
        call += [f"work + {behind + count}"] * needs
        lines.append(f"train_update({', '.join(call)});")
        head = f"void train({', '.join(kind + name for kind, name in self.arguments())})"
        used = {
            "weights",
            "rates",
            "first_step",
            "steps",
            "losses",
            "work",
            "starts",
            "ends",
            "orders",
        }
        used |= (
            step.uses
            | {self.all_of.get(b, "") for b in self.data if self.name_of[b] in step.uses}
            | ({"states"} if memory else set())
        )
        unused = [f"(void){name};" for _, name in self.arguments() if name not in used]
        whole_text = [
            *unused, f"double *gradient = work + {behind};", "for (long s = 0; s < steps; s++) {", *[INDENT + x for x in lines], "}",
        ]  # fmt: skip
        tables = self.step.tables.lines if isinstance(self.step, Function) else []
        text = "\n\n".join(
            x for x in ["\n".join(tables), *functions, function_text(head, whole_text)] if x
        )
        calls = frozenset({*self.step.all_calls(), *self.update.all_calls()})
        return Source("train", text, calls, behind + count + self.update.room_to_work() + 8)

    def _step_lines(self, step: Body) -> list[str]:
        """A step: parts of the weights and of their slopes by name, its rows, and its lines."""
        names, used = [], step.uses
        ends = [*accumulate([len(block.inputs) for block in self.moving])]
        for block, slope, end in zip(self.moving, self.slopes, ends):
            begin, name = end - len(block.inputs), self.name_of[block]
            names += [f"{INPUT}{name} = weights + {begin};"] * (name in used)
            names += [f"{OUTPUT}{slope} = gradient + {begin};"] * (slope in used)
        lines = [f"{OUTPUT}loss = losses + s;"]
        if self.data and not used.isdisjoint({"rows", "share"}):
            lines.append("const long rows = ends[s] - starts[s];")
        if "share" in used:
            lines.append("const double share = 1.0 / (double)rows;")
        if "order" in used:
            lines.append(f"{PLACES}order = orders + starts[s];")
        renamed = []
        if not self.order:
            for block in self.data:
                if (name := self.name_of[block]) in used:
                    width = len(block.inputs)
                    renamed.append(
                        f"{INPUT}{name} = {self.all_of[block]} + starts[s]{f' * {width}' if width > 1 else ''};"
                    )
        return ["{", *[INDENT + line for line in [*lines, *renamed, *names, *step.lines]], "}"]
