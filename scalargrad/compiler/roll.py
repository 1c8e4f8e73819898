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
from functools import reduce
from itertools import repeat
from operator import attrgetter
from typing import Any

from ..arithmetic.total import inf
from ..ops import OPS, Op
from .choices import sends
from .program import Block, Constant, Program, Step, grouped, operations, rewritten, sharing

ADD, MUL, SUM, DOT = OPS["add"], OPS["mul"], OPS["sum"], OPS["dot"]

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
        levels = [] if are_few else _levels(_prepared(program).steps)
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
    return _Rolling(_prepared(program, together), together).rolled


def _prepared(program: Program, together: bool = True) -> Program:
    """The program in the steps that are to be put together to vectors, or to stand as columns."""
    program = _merged(program)
    if together:
        program, change = _gathered(program), _by_block
    else:
        change = _written_out
    return Program(program.blocks, rewritten(program, {}, change))


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


def _merged(program: Program) -> Program:
    """The program without steps that compute what another does."""
    same, made = (program if program.is_shared else sharing(program)).same, dict[Any, Any]()
    if not same:
        return program
    outputs = rewritten(program, made, lambda step, _: made.get(same.get(step)))
    return Program(program.blocks, outputs)


def _gathered(program: Program) -> Program:
    """Chains of additions as one `sum`, of products as one `dot`, where nobody else reads them."""
    readers: dict[Any, int] = dict.fromkeys(program.outputs, 2)
    for step in program.steps:
        for x in step.operands:
            readers[x] = readers.get(x, 0) + 1
    sums = [step for step in program.steps if step.op is ADD or step.op is SUM]
    inner = {x for step in sums for x in step.operands if x.op is ADD and readers[x] == 1}
    outer = {*sums} - inner
    made: dict[Any, Any] = {}
    find = made.get

    def change(step: Step, _: Any) -> Step | None:
        if step not in outer:
            return None
        terms: list[Any] = []
        stack = [*reversed(step.operands)]
        while stack:
            x = stack.pop()
            if x in inner:
                stack += reversed(x.operands)
            elif not _is_zero(x):
                terms.append(x)
        products = [made[x].operands for x in terms if x.op is MUL and readers[x] == 1]
        if len(products) > 1:
            rest = [find(x, x) for x in terms if x.op is not MUL or readers[x] > 1]
            bias = Step(SUM, tuple(rest)) if len(rest) > 1 else [*rest, Constant(0.0)][0]
            ws, xs = zip(*products)
            return Step(DOT, (*ws, *xs, bias), step.label)
        if len(terms) > 2 and not inner.isdisjoint(step.operands):
            return Step(SUM, tuple([find(x, x) for x in terms]), step.label)
        return None

    return Program(program.blocks, rewritten(program, made, change))


def _filled_up(column: Sequence[Any], op: Op) -> Sequence[Any]:
    """Lists of one length, with what changes no result behind those that are shorter."""
    if column[0].__class__ is not list or len({len(part) for part in column}) == 1:
        return column
    longest = max(map(len, column))
    neutral = Constant(NEUTRAL[op.name])
    return [[*part, *[neutral] * (longest - len(part))] for part in column]


def _by_block(step: Step, operands: tuple[Any, ...]) -> Any:
    """Sums of squares of several arguments, an L2 term, as a sum for each, in its own order."""
    if not _is_of_squares(step):
        return None
    xs, _, bias = grouped(step.op, operands)
    by_block: dict[Any, list[Any]] = {}
    for x in xs:
        by_block.setdefault(getattr(x, "block", None), []).append(x)
    in_order = attrgetter("place")
    lists = [sorted(part, key=in_order) if b else part for b, part in by_block.items()]
    if lists == [xs]:
        return None
    return _added([*[Step(DOT, (*part, *part, Constant(0.0))) for part in lists], bias])


def _is_of_squares(step: Step) -> bool:
    """Whether a step is a dot of a list with itself."""
    half = len(step.operands) // 2
    return step.op is DOT and half > 0 and step.operands[:half] == step.operands[half:-1]


def _written_out(step: Step, operands: tuple[Any, ...]) -> Any:
    """Sums and dots of a few as additions, each a column's."""
    if (step.op is not SUM and step.op is not DOT) or len(operands) > 2 * FEW_TERMS:
        return None
    terms, *others = grouped(step.op, operands)
    if others and terms:
        xs, bias = others
        products = [Step(MUL, pair) for pair in zip(terms, xs)]
        return _added(products if _is_zero(bias) else [bias, *products])
    return _added(terms) if len(terms) > 1 else None


def _added(terms: Sequence[Any]) -> Any:
    """Terms added up one by one, without a 0 at the end."""
    terms = terms[:-1] if _is_zero(terms[-1]) else terms
    return reduce(lambda total, term: Step(ADD, (total, term)), terms)


def _is_zero(x: Any) -> bool:
    return x.__class__ is Constant and x.data == 0.0


class _Rolling:
    """Steps on their way into vectors: of each its `source`, a vector, and its `place` in it."""

    def __init__(self, program: Program, together: bool) -> None:
        self.source: dict[Any, Any] = {}
        self.place: dict[Any, int] = {}
        for block in program.blocks:
            self._put(block.inputs, block)
        self.carriers: set[Any] = {block for block in program.blocks if block.has_rows}
        self.vectors: list[Vector] = []
        if together:
            for level in _levels(program.steps):  # whose operands have places by now
                for alike in self._alike(level):
                    self._add(alike)
        else:
            for step in program.steps:
                self._add([step])
        self.rolled = Rolled(
            program.blocks, self.vectors, [self._output(x) for x in program.outputs]
        )

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
