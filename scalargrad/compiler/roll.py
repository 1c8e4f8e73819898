"""Re-rolling: scalar steps of one formula as one step on vectors, which is how layers become matrices again.   (floor 3)

Steps at one depth with the same operation and operands from the same places form a vector; where its operands lie is a
`View`, an index into the vectors and blocks they come from: in order it says "as it is", repeated "shared by all", in strides "a
matrix", and else it gathers. Sums of products written by hand are put together as `dot` first, the inner additions and products of
which nobody else reads.
"""

from __future__ import annotations

from array import array

from ..arithmetic.total import inf
from ..ops import OPS, Op
from .choices import sends
from .program import Block, Constant, Program, Step, grouped, operations, sharing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

# What an operand of many is filled up with, so that lists of several lengths make one matrix. Nothing
# does for max and min: the slope is shared by all that are largest, and what fills up might be.
NEUTRAL = {"sum": 0.0, "dot": 0.0, "norm": 0.0, "prod": 1.0, "_peak": -inf, "logsumexp": -inf}
MOST_PADDING = 3.0  # times the numbers themselves
SHORT = 4.0  # operations a vector: with fewer of them, columns are faster
FEW_TERMS = 16  # of a sum that columns add up one by one
FEW = 3  # vectors of one operation at one depth, which may stay apart
MANY = 100  # vectors of a program that are worth asking whether they should be
WORTHWHILE = 50.0  # operations a vector: with fewer, plain Python is done with them before NumPy with a line for each


class Numbers:
    """Constants side by side."""

    has_rows = False

    def __init__(self, data: Sequence[float]) -> None:
        self.data = tuple(data)
        self.size = len(self.data)
        self.bits = array(
            "d", self.data
        ).tobytes()  # equal for the same numbers, signs of zeros included

    def __repr__(self) -> str:
        return f"<numbers {self.data}>"


class View:
    """Where the operands of a vector lie: `index` into its `sources`, put one behind the other; of lists, a row of it each."""

    __slots__ = ("index", "sources")

    def __init__(self, sources: tuple[Any, ...], index: Any) -> None:
        self.sources, self.index = sources, index

    @property
    def size(self) -> int:
        """How many numbers there are to choose from."""
        return sum(size_of(source) for source in self.sources)

    def __repr__(self) -> str:
        return f"<view of {self.sources}: {self.index.tolist()}>"


class Vector:
    """Steps of one formula side by side: an operation, a view for each of its operands, and how many steps it stands for."""

    __slots__ = ("has_rows", "label", "op", "operands", "size")

    def __init__(
        self, op: Any, operands: tuple[View, ...], size: int, has_rows: bool, label: str = ""
    ) -> None:
        self.op, self.operands, self.size, self.has_rows, self.label = (
            op,
            operands,
            size,
            has_rows,
            label,
        )

    def __repr__(self) -> str:
        return f"<{self.size} × {self.op.name}>"


class Rolled:
    """A program of vectors in order; its outputs are places in them."""

    def __init__(
        self, blocks: Sequence[Block], vectors: list[Vector], outputs: list[tuple[Any, int]]
    ) -> None:
        self.blocks, self.vectors, self.outputs = list(blocks), vectors, outputs

    @property
    def wrt(self) -> list[Block]:
        """The blocks that are differentiated by."""
        return [block for block in self.blocks if block.wrt]


def size_of(source: Any) -> int:
    """How many numbers a block, a vector or constants hold, rows apart."""
    return len(source.inputs) if isinstance(source, Block) else source.size


def pulls(
    rolled: Rolled, roots: Iterable[Any], by: Iterable[Any]
) -> list[tuple[Vector, list[int]]]:
    """The derivative, as `program.pulls` takes it: vectors, last first, with the operands that they send slopes to."""
    way: set[Any] = set(by)
    for vector in rolled.vectors:
        if any(not way.isdisjoint(view.sources) for _, view in _receivers(vector)):
            way.add(vector)
    reached = set(roots)
    found = []
    for vector in reversed(rolled.vectors):
        if vector in way and vector in reached:
            sent = [
                (place, view)
                for place, view in _receivers(vector)
                if not way.isdisjoint(view.sources)
            ]
            for _, view in sent:
                reached.update(source for source in view.sources if source in way)
            found.append((vector, [place for place, _ in sent]))
    return found


def _receivers(vector: Vector) -> list[tuple[int, View]]:
    """The operands that a vector sends any slopes to, each with its place: of a choice its branches."""
    op = vector.op
    if sends(op):
        return [
            (place, view)
            for place, (view, sent) in enumerate(zip(vector.operands, sends(op)))
            if sent
        ]
    return [*enumerate(vector.operands)] if op.slopes else []


# ------------------------------------------------------------------ from steps to vectors


def rolled(program: Program) -> Rolled:
    """The program in vectors, or in columns where vectors would be short; made once for a program."""
    if program.rolled is None:
        vectors = roll(program)
        is_matrix = any(map(_has_weights, vectors.vectors))
        is_short = operations(program) < SHORT * len(vectors.vectors) and not is_matrix
        columns = is_short and any(block.has_rows for block in program.blocks)
        program.rolled = roll(program, together=False) if columns else vectors
    return program.rolled  # type: ignore[no-any-return]


def has_pattern(program: Program) -> bool:
    """Whether many steps have a formula and a depth in common, so that there are fewer vectors than steps by far; or few steps at all.

    It takes no rolling: steps of different rows or depths are different vectors, so that there are at least so many.
    """
    if program.scattered is None:
        count = operations(program)
        least = (
            sum([len({step.op for step in level}) for level in _levels(_prepared(program)[0])])
            if count > MANY
            else 0
        )
        program.scattered = least > MANY and count < WORTHWHILE * least
    return not program.scattered


def is_scattered(program: Program) -> bool:
    """Whether a program has neither rows nor a pattern: then arrays are no gain."""
    return not any(block.has_rows for block in program.blocks) and not has_pattern(program)


def _has_weights(vector: Vector) -> bool:
    """Whether a vector is a matrix that is the same for all rows times a list."""
    return (
        vector.op.name == "dot"
        and vector.size > 1
        and any(not has_rows(view) for view in vector.operands[:2])
    )


def has_rows(view: View) -> bool:
    """Whether an operand carries rows."""
    return any(source.has_rows for source in view.sources)


def roll(program: Program, together: bool = True) -> Rolled:
    """The program in vectors; with `together=False` each step is a vector of one, a column where it carries rows.

    >>> from scalargrad.compiler.program import Block, Program, Step
    >>> w, x = Block("w", (3, 2)), Block("x", (2,))
    >>> dots = [Step(OPS["dot"], (*w.inputs[i : i + 2], *x.inputs, Constant(0.0))) for i in (0, 2, 4)]
    >>> roll(Program([w, x], [Step(OPS["tanh"], (z,)) for z in dots])).vectors
    [<3 × dot>, <3 × tanh>]
    """
    steps, outputs = _prepared(program) if together else _written_out(*_merged(program))
    return _Rolling(program, steps, outputs, together).rolled


def _prepared(program: Program) -> tuple[list[Step], list[Any]]:
    """The steps that are to be put together to vectors."""
    return _by_block(*_gathered_sums(*_merged(program)))


def _levels(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps by depth: one more than that of their deepest operand."""
    depths: dict[Any, int] = {}
    levels: list[list[Step]] = []
    for step in steps:
        depth = max([depths.get(x, 0) for x in step.operands], default=0)
        depths[step] = depth + 1
        if depth == len(levels):
            levels.append([])
        levels[depth].append(step)
    return levels


def _merged(program: Program) -> tuple[list[Step], list[Any]]:
    """The steps without those that compute what another does."""
    same = (program if program.is_shared else sharing(program)).same
    return _rewritten(
        [step for step in program.steps if step not in same], program.outputs, dict(same), {}, set()
    )


def _rewritten(
    steps: Sequence[Step],
    outputs: Sequence[Any],
    now: dict[Any, Any],
    parts: dict[Step, list[Step]],
    gone: set[Any],
) -> tuple[list[Step], list[Any]]:
    """Steps with others in their places: `parts` of some, the last of which is their value; those in `gone` left out."""
    if not (now or parts or gone):
        return list(steps), list(outputs)

    def latest(x: Any) -> Any:
        while x in now and now[x] is not x:
            x = now[x]
        return x

    result = []
    are_as_before = now.keys().isdisjoint
    for step in steps:
        if step in gone:
            continue
        for part in parts.get(step, [step]):
            new = part
            if not are_as_before(part.operands):
                new = now[part] = Step(
                    part.op, tuple([latest(x) for x in part.operands]), part.label
                )
            result.append(new)
        if step in parts:
            now[step] = result[-1]
    return result, [latest(x) for x in outputs]


def _gathered_sums(steps: Sequence[Step], outputs: Sequence[Any]) -> tuple[list[Step], list[Any]]:
    """Chains of additions as one `sum`, and of products as one `dot`, where nobody else reads what is between."""
    add, mul, many = OPS["add"], OPS["mul"], OPS["sum"]
    readers: dict[Any, int] = dict.fromkeys(outputs, 2)
    for step in steps:
        for x in step.operands:
            readers[x] = readers.get(x, 0) + 1
    parts: dict[Step, list[Step]] = {}
    gone: set[Any] = set()
    for step in reversed(steps):
        if step in gone or (step.op is not add and step.op is not many):
            continue
        inner: list[Any] = []
        terms: list[Any] = []
        stack = [*reversed(step.operands)]
        while stack:
            x = stack.pop()
            if x.op is add and readers[x] == 1:
                inner.append(x)
                stack += reversed(x.operands)
            elif not (x.__class__ is Constant and x.data == 0.0):
                terms.append(x)
        products = [x for x in terms if x.op is mul and readers[x] == 1]
        rest = [x for x in terms if x.op is not mul or readers[x] > 1]
        if len(products) > 1:
            bias: Any = (
                rest[0] if len(rest) == 1 else Step(many, tuple(rest)) if rest else Constant(0.0)
            )
            ws, xs = zip(*[x.operands for x in products])
            parts[step] = [
                *([bias] if len(rest) > 1 else []),
                Step(OPS["dot"], (*ws, *xs, bias), step.label),
            ]
            gone.update(inner, products)
        elif len(terms) > 2 and inner:
            parts[step] = [Step(many, tuple(terms), step.label)]
            gone.update(inner)
    return _rewritten(steps, outputs, {}, parts, gone)


def _filled_up(column: Sequence[Any], op: Op) -> Sequence[Any]:
    """Lists of one length, with what changes no result behind those that are shorter."""
    if column[0].__class__ is not list or len({len(part) for part in column}) == 1:
        return column
    longest = max(map(len, column))
    neutral = Constant(NEUTRAL[op.name])
    return [[*part, *[neutral] * (longest - len(part))] for part in column]


def _by_block(steps: Sequence[Step], outputs: Sequence[Any]) -> tuple[list[Step], list[Any]]:
    """Sums of squares of several arguments, an L2 term, as a sum for each of them, in its own order."""
    parts: dict[Step, list[Step]] = {}
    for step in steps:
        if not _is_of_squares(step):
            continue
        xs, _, bias = grouped(step.op, step.operands)
        by_block: dict[Any, list[Any]] = {}
        for x in xs:
            by_block.setdefault(getattr(x, "block", None), []).append(x)
        lists = [
            sorted(part, key=lambda x: x.place) if block else part
            for block, part in by_block.items()
        ]
        if lists != [xs]:
            squares = [Step(step.op, (*part, *part, Constant(0.0))) for part in lists]
            parts[step] = [*squares, *_chain([*squares, bias])]
    return _rewritten(steps, outputs, {}, parts, set())


def _is_of_squares(step: Step) -> bool:
    """Whether a step is a dot of a list with itself."""
    if step.op.name != "dot":
        return False
    ws, xs, _ = grouped(step.op, step.operands)
    return bool(ws) and bool(ws == xs)


def _written_out(steps: Sequence[Step], outputs: Sequence[Any]) -> tuple[list[Step], list[Any]]:
    """Sums and dots of a few as additions, each a column's."""
    mul = OPS["mul"]
    parts: dict[Step, list[Step]] = {}
    now: dict[Any, Any] = {}
    for step in steps:
        if step.op.name not in ("sum", "dot") or len(step.operands) > 2 * FEW_TERMS:
            continue
        groups = grouped(step.op, step.operands)
        terms: list[Any] = (
            groups[0] if step.op.name == "sum" else [Step(mul, pair) for pair in zip(*groups[:2])]
        )
        made = [x for x in terms if x.__class__ is Step and step.op.name == "dot"]
        if step.op.name == "dot" and not (
            groups[2].__class__ is Constant and groups[2].data == 0.0
        ):
            terms = [groups[2], *terms]
        if len(terms) > 1 or made:
            parts[step] = [*made, *_chain(terms)]
            if not parts[step]:  # a term and a 0
                now[step] = terms[0]
    return _rewritten([step for step in steps if step not in now], outputs, now, parts, set())


def _chain(terms: Sequence[Any]) -> list[Step]:
    """Terms added up one by one, without a 0 at the end."""
    if terms[-1].__class__ is Constant and terms[-1].data == 0.0:
        terms = terms[:-1]
    sums: list[Step] = []
    for term in terms[1:]:
        sums.append(Step(OPS["add"], (sums[-1] if sums else terms[0], term)))
    return sums


class _Rolling:
    """Steps on their way into vectors: each step's place is a source and a number in it."""

    def __init__(
        self, program: Program, steps: Sequence[Step], outputs: Sequence[Any], together: bool
    ) -> None:
        self.places: dict[Any, tuple[Any, int]] = {
            x: (block, x.place) for block in program.blocks for x in block.inputs
        }
        self.carriers: set[Any] = {block for block in program.blocks if block.has_rows}
        self.together = together
        self.vectors: list[Vector] = []
        for group in _levels(steps) if together else [[step] for step in steps]:
            if together:
                for alike in self._alike(group):
                    self._add(alike)
            else:
                self._add(group)
        self.rolled = Rolled(program.blocks, self.vectors, [self._output(x) for x in outputs])

    def _alike(self, steps: Sequence[Step]) -> list[list[Step]]:
        """The steps of a level that can be one vector: of one operation, and of operands from the same sources.

        Where that would make many vectors of one operation, which lists of several lengths do, they become one that is filled up.
        """
        found: dict[Any, list[Step]] = {}
        for step in steps:
            sources = tuple([self._sources(operand) for operand in grouped(step.op, step.operands)])
            found.setdefault((step.op, sources), []).append(step)
        by_op: dict[Op, list[list[Step]]] = {}
        for (op, _), group in found.items():
            by_op.setdefault(op, []).append(group)
        return [
            group
            for op, groups in by_op.items()
            for group in (self._together(op, groups) if len(groups) > FEW else groups)
        ]

    def _together(self, op: Op, groups: list[list[Step]]) -> list[list[Step]]:
        """Groups of an operation as one, or as they are where filling up would cost too much."""
        if not op.takes_lists:
            return [[step for group in groups for step in group]]
        if op.name not in NEUTRAL or any(map(_is_of_squares, (group[0] for group in groups))):
            return groups
        lengths = [len(step.operands) for group in groups for step in group]
        if max(lengths) * len(lengths) > MOST_PADDING * sum(lengths):
            return groups
        return [[step for group in groups for step in group]]

    def _sources(self, operand: Any) -> Any:
        """Where an operand comes from; of a list the sources of its items, and its length."""
        if operand.__class__ is not list:
            return self._source(operand)
        return tuple(dict.fromkeys([self._source(x) for x in operand])), len(operand)

    def _source(self, x: Any) -> Any:
        return Constant if x.__class__ is Constant else self.places[x][0]

    def _add(self, steps: list[Step]) -> None:
        columns = zip(*[grouped(step.op, step.operands) for step in steps])
        views = tuple([self._view(_filled_up(column, steps[0].op)) for column in columns])
        has_rows = any(source in self.carriers for view in views for source in view.sources)
        vector = Vector(steps[0].op, views, len(steps), has_rows, steps[0].label)
        if has_rows:
            self.carriers.add(vector)
        self.vectors.append(vector)
        for i, step in enumerate(steps):
            self.places[step] = vector, i

    def _view(self, column: Sequence[Any]) -> View:
        """The view of an operand of several steps: of a number of each, or of a list of each."""
        import numpy

        items = [x for part in column for x in part] if column[0].__class__ is list else column
        numbers: dict[Any, int] = {}
        offsets: dict[Any, int] = {}
        places = []
        for x in items:
            if x.__class__ is Constant:
                source, place = None, numbers.setdefault((x.data, str(x.data)), len(numbers))
            else:
                source, place = self.places[x]
            offsets.setdefault(source, 0)
            places.append((source, place))
        sources = [
            Numbers([data for data, _ in numbers]) if source is None else source
            for source in offsets
        ]
        begin = 0
        for key, source in zip(list(offsets), sources):
            offsets[key] = begin
            begin += size_of(source)
        index = numpy.fromiter(
            (offsets[source] + place for source, place in places),
            dtype=numpy.intp,
            count=len(places),
        )
        return View(
            tuple(sources), index.reshape(len(column), -1) if column[0].__class__ is list else index
        )

    def _output(self, x: Any) -> tuple[Any, int]:
        return (Numbers([x.data]), 0) if x.__class__ is Constant else self.places[x]
