"""Re-rolling: scalar steps of one formula become one on vectors, layers matrices.   (floor 3)

Steps at one depth with the same operation and operands from the same places form a vector. Where
its operands lie is a `View`, an index into the vectors and blocks that they come from: in order it
says "as it is", repeated "shared by all", in strides "a matrix", and else it gathers. Sums of
products written by hand are put together as `dot` first, if nobody else reads the additions and
products in them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from ..arithmetic.total import inf
from ..ops import OPS, Op
from .choices import sends
from .program import Block, Constant, Program, Step, grouped, operations, sharing

# The number that fills up a list operand, so that lists of several lengths make a matrix. There is
# none for max and min: the slope is shared by all that are largest, and what fills up might be.
NEUTRAL = {"sum": 0.0, "dot": 0.0, "norm": 0.0, "prod": 1.0, "_peak": -inf, "logsumexp": -inf}
MOST_PADDING = 3.0  # times the numbers themselves
SHORT = 4.0  # operations a vector: with fewer of them, columns are faster
FEW_TERMS = 16  # of a sum that columns add up one by one
FEW = 3  # vectors of one operation at one depth, which may stay apart
MANY = 100  # vectors of a program that are worth asking whether they should be
WORTHWHILE = 50.0  # operations a vector: with fewer, plain Python is done before NumPy is


class Numbers:
    """Constants side by side."""

    has_rows = False

    def __init__(self, data: Sequence[float]) -> None:
        self.data, self.size = tuple(data), len(data)
        self.bits = array("d", data).tobytes()  # equal for the same, signs of zeros included

    def __repr__(self) -> str:
        return f"<numbers {self.data}>"


class View:
    """Where the operands of a vector lie: `index` into its `sources`, one behind the other.

    Lists have a row of it each.
    """

    __slots__ = ("index", "sources")

    def __init__(self, sources: tuple[Any, ...], index: Any) -> None:
        self.sources, self.index = sources, index

    @property
    def size(self) -> int:
        """The count of numbers to choose from."""
        return sum(size_of(source) for source in self.sources)

    def __repr__(self) -> str:
        return f"<view of {self.sources}: {self.index.tolist()}>"


class Vector:
    """Steps of one formula side by side: an operation, a view for each operand, how many steps."""

    __slots__ = ("has_rows", "label", "op", "operands", "size")

    def __init__(
        self, op: Any, operands: tuple[View, ...], size: int, has_rows: bool, label: str = ""
    ) -> None:
        self.op, self.operands, self.size = op, operands, size
        self.has_rows, self.label = has_rows, label

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
    """The count of numbers in a block, a vector or constants, rows apart."""
    return len(source.inputs) if isinstance(source, Block) else source.size


def pulls(
    rolled: Rolled, roots: Iterable[Any], by: Iterable[Any]
) -> list[tuple[Vector, list[int]]]:
    """The vectors that a slope comes to, last first, as `program.pulls` finds steps."""
    way: set[Any] = set(by)
    for vector in rolled.vectors:
        if any(not way.isdisjoint(view.sources) for _, view in _receivers(vector)):
            way.add(vector)
    reached, found = set(roots), []
    for vector in reversed(rolled.vectors):
        if vector in way and vector in reached:
            sent = [
                (place, view)
                for place, view in _receivers(vector)
                if not way.isdisjoint(view.sources)
            ]
            reached.update(source for _, view in sent for source in view.sources)
            found.append((vector, [place for place, _ in sent]))
    return found


def _receivers(vector: Vector) -> list[tuple[int, View]]:
    """The operands that a vector sends slopes to, each with its place: of a choice its branches."""
    if not (ways := sends(vector.op)):
        return [*enumerate(vector.operands)] if vector.op.slopes else []
    return [(place, vector.operands[place]) for place, sent in enumerate(ways) if sent]


# ------------------------------------------------------------------ from steps to vectors


def rolled(program: Program) -> Rolled:
    """The program in vectors, or in columns where these would be short; made once for a program."""
    if program.rolled is None:
        vectors = roll(program)
        is_matrix = any(map(_has_weights, vectors.vectors))
        is_short = operations(program) < SHORT * len(vectors.vectors) and not is_matrix
        columns = is_short and any(block.has_rows for block in program.blocks)
        program.rolled = roll(program, together=False) if columns else vectors
    return program.rolled  # type: ignore[no-any-return]


def has_pattern(program: Program) -> bool:
    """Whether there are fewer vectors than steps by far, or few steps at all.

    It takes no rolling: steps of different operations or depths are different vectors, so that
    there are at least so many.
    """
    if program.scattered is None:
        count = operations(program)
        are_few = count <= MANY or (program.rolled and len(program.rolled.vectors) <= MANY)
        levels = [] if are_few else _levels(_prepared(program)[0])
        least = sum([len({step.op for step in level}) for level in levels])
        program.scattered = least > MANY and count < WORTHWHILE * least
    return not program.scattered


def is_scattered(program: Program) -> bool:
    """Whether a program has neither rows nor a pattern: then arrays are no gain."""
    return not any(block.has_rows for block in program.blocks) and not has_pattern(program)


def _has_weights(vector: Vector) -> bool:
    """Whether a vector is a matrix that is the same for all rows times a list."""
    is_matrix = vector.op.name == "dot" and vector.size > 1
    return is_matrix and not all(map(has_rows, vector.operands[:2]))


def has_rows(view: View) -> bool:
    """Whether an operand carries rows."""
    return any(source.has_rows for source in view.sources)


def roll(program: Program, together: bool = True) -> Rolled:
    """The program in vectors; with `together=False` each step is a vector of one, a column where it
    carries rows.

    >>> from scalargrad.compiler.program import Block, Program, Step
    >>> w, x = Block("w", (3, 2)), Block("x", (2,))
    >>> rows = [w.inputs[i : i + 2] for i in (0, 2, 4)]
    >>> dots = [Step(OPS["dot"], (*row, *x.inputs, Constant(0.0))) for row in rows]
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
    find = depths.get
    levels: list[list[Step]] = []
    for step in steps:
        depth = max(map(find, step.operands, repeat(0)), default=0)
        depths[step] = depth + 1
        if depth == len(levels):
            levels.append([])
        levels[depth].append(step)
    return levels


def _merged(program: Program) -> tuple[list[Step], list[Any]]:
    """The steps without those that compute what another does."""
    same = (program if program.is_shared else sharing(program)).same
    steps = [step for step in program.steps if step not in same]
    return _rewritten(steps, program.outputs, dict(same), {}, set())


def _rewritten(
    steps: Sequence[Step], outputs: Sequence[Any], now: dict[Any, Any],
    parts: dict[Step, list[Step]], gone: set[Any],
) -> tuple[list[Step], list[Any]]:  # fmt: skip
    """Steps with others in their places: `now` has what stands for some, `parts` the steps that
    make some, the last one their value; those in `gone` are left out.
    """
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
                operands = tuple([latest(x) for x in part.operands])
                new = now[part] = Step(part.op, operands, part.label)
            result.append(new)
        if step in parts:
            now[step] = result[-1]
    return result, [latest(x) for x in outputs]


def _gathered_sums(steps: Sequence[Step], outputs: Sequence[Any]) -> tuple[list[Step], list[Any]]:
    """Chains of additions as one `sum`, of products as one `dot`, where nobody else reads them."""
    add, mul, many = OPS["add"], OPS["mul"], OPS["sum"]
    if not any(step.op is add or step.op is many for step in steps):
        return list(steps), list(outputs)
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
            elif not _is_zero(x):
                terms.append(x)
        products = [x for x in terms if x.op is mul and readers[x] == 1]
        rest = [x for x in terms if x.op is not mul or readers[x] > 1]
        if len(products) > 1:
            sums = [Step(many, tuple(rest))] if len(rest) > 1 else []
            bias = [*sums, *rest, Constant(0.0)][0]
            ws, xs = zip(*[x.operands for x in products])
            parts[step] = [*sums, Step(OPS["dot"], (*ws, *xs, bias), step.label)]
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
    """Sums of squares of several arguments, an L2 term, as a sum for each, in its own order."""
    parts: dict[Step, list[Step]] = {}
    for step in steps:
        if not _is_of_squares(step):
            continue
        xs, _, bias = grouped(step.op, step.operands)
        by_block: dict[Any, list[Any]] = {}
        for x in xs:
            by_block.setdefault(getattr(x, "block", None), []).append(x)
        in_order = attrgetter("place")
        lists = [sorted(part, key=in_order) if b else part for b, part in by_block.items()]
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
        made: list[Step] = []
        terms: list[Any] = groups[0]
        if step.op.name == "dot":
            made = [Step(mul, pair) for pair in zip(*groups[:2])]
            terms = [*([] if _is_zero(groups[2]) else groups[2:]), *made]
        if len(terms) > 1 or made:
            parts[step] = [*made, *_chain(terms)]
            if not parts[step]:  # a term and a 0
                now[step] = terms[0]
    return _rewritten([step for step in steps if step not in now], outputs, now, parts, set())


def _chain(terms: Sequence[Any]) -> list[Step]:
    """Terms added up one by one, without a 0 at the end."""
    if _is_zero(terms[-1]):
        terms = terms[:-1]
    sums: list[Step] = []
    for term in terms[1:]:
        sums.append(Step(OPS["add"], (sums[-1] if sums else terms[0], term)))
    return sums


def _is_zero(x: Any) -> bool:
    return x.__class__ is Constant and x.data == 0.0


class _Rolling:
    """Steps on their way into vectors: of each its `source`, a vector, and its `place` in it."""

    def __init__(
        self, program: Program, steps: Sequence[Step], outputs: Sequence[Any], together: bool
    ) -> None:
        self.source: dict[Any, Any] = {}
        self.place: dict[Any, int] = {}
        for block in program.blocks:
            self._put(block.inputs, block)
        self.carriers: set[Any] = {block for block in program.blocks if block.has_rows}
        self.vectors: list[Vector] = []
        if together:
            for level in _levels(steps):  # whose operands have places by now
                for alike in self._alike(level):
                    self._add(alike)
        else:
            for step in steps:
                self._add([step])
        self.rolled = Rolled(program.blocks, self.vectors, [self._output(x) for x in outputs])

    def _put(self, items: Sequence[Any], source: Any) -> None:
        """Let inputs or steps stand side by side in a source."""
        self.source.update(dict.fromkeys(items, source))
        self.place.update(zip(items, range(len(items))))

    def _alike(self, steps: Sequence[Step]) -> list[list[Step]]:
        """The steps of a level that can be one vector: of one operation, of operands from the same
        sources.

        Where that would make many vectors of one operation, which lists of several lengths do, they
        become one that is filled up.
        """
        by_op: dict[Op, dict[Any, list[Step]]] = {}
        for step in steps:
            sources = tuple([self._sources(x) for x in grouped(step.op, step.operands)])
            by_op.setdefault(step.op, {}).setdefault(sources, []).append(step)
        found: list[list[Step]] = []
        for op, groups in by_op.items():
            some = [*groups.values()]
            found += self._together(op, some) if len(some) > FEW else some
        return found

    def _together(self, op: Op, groups: list[list[Step]]) -> list[list[Step]]:
        """Groups of an operation as one, or as they are where filling up would cost too much."""
        every = [step for group in groups for step in group]
        if op.takes_lists:
            lengths = [len(step.operands) for step in every]
            is_wasteful = max(lengths) * len(lengths) > MOST_PADDING * sum(lengths)
            has_squares = any(_is_of_squares(group[0]) for group in groups)
            if is_wasteful or has_squares or op.name not in NEUTRAL:
                return groups
        return [every]

    def _sources(self, operand: Any) -> Any:
        """Where an operand comes from; of a list the sources of its items, and its length."""
        if operand.__class__ is not list:
            return self.source.get(operand)  # None of a constant
        return tuple(dict.fromkeys(map(self.source.get, operand))), len(operand)

    def _add(self, steps: list[Step]) -> None:
        columns = zip(*[grouped(step.op, step.operands) for step in steps])
        views = tuple([self._view(_filled_up(column, steps[0].op)) for column in columns])
        has_rows = any(source in self.carriers for view in views for source in view.sources)
        vector = Vector(steps[0].op, views, len(steps), has_rows, steps[0].label)
        if has_rows:
            self.carriers.add(vector)
        self.vectors.append(vector)
        self._put(steps, vector)

    def _view(self, column: Sequence[Any]) -> View:
        """The view of an operand of several steps: of a number of each, or of a list of each."""
        import numpy

        items = [x for part in column for x in part] if column[0].__class__ is list else column
        numbers: dict[Any, int] = {}
        found = [*map(self.source.get, items)]  # None for constants
        offsets: dict[Any, int] = dict.fromkeys(found, 0)
        if None in offsets:
            places = [
                numbers.setdefault((x.data, str(x.data)), len(numbers))
                if x.__class__ is Constant
                else self.place[x]
                for x in items
            ]
        else:
            places = [*map(self.place.__getitem__, items)]
        of_numbers = Numbers([data for data, _ in numbers])
        sources = [of_numbers if source is None else source for source in offsets]
        begin = 0
        for key, source in zip([*offsets], sources):
            offsets[key] = begin
            begin += size_of(source)
        if len(offsets) > 1:
            places = [offsets[source] + place for source, place in zip(found, places)]
        index = numpy.array(places, numpy.intp)
        shape = (len(column), -1) if column[0].__class__ is list else -1
        return View(tuple(sources), index.reshape(shape))

    def _output(self, x: Any) -> tuple[Any, int]:
        return (
            (Numbers([x.data]), 0) if x.__class__ is Constant else (self.source[x], self.place[x])
        )
