"""The program between a trace and the source: steps on named inputs, and passes.   (floor 3)

A trace is frozen into steps, each an operation with its operands, operands before their readers.
A program is made of its outputs: nothing that none of them reads is a step. Passes follow, each a
function of a program: `constants` folds, `sharing` finds steps that compute the same, and `pulls`
finds the ways of the derivative: which step sends a slope to which of its operands, in the order in
which `Value.backward` would. The slopes themselves are made in `derive`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import islice, product
from math import isfinite, nan
from typing import Any

from ..ops import LISTS, Op
from ..rows.text import on_floats
from ..value import Value
from .choices import TRACED, fast, fastest, sends


class Step:
    """An operation of the table, or a line, with its operands, and a label if a person gave one."""

    __slots__ = ("label", "op", "operands")

    def __init__(self, op: Any, operands: tuple[Any, ...], label: str = "") -> None:
        self.op, self.operands, self.label = op, operands, label

    def __repr__(self) -> str:
        return f"<step {self.label or self.op.name}>"


class Input:
    """One number of an argument: its block, and its place in it."""

    __slots__ = ("block", "place")
    operands: tuple[Any, ...] = ()
    op = None
    label = ""

    def __init__(self, block: Block, place: int) -> None:
        self.block, self.place = block, place

    def __repr__(self) -> str:
        return f"<input {self.block.name}[{self.place}]>"


class Constant:
    """A number that is the same in every call."""

    __slots__ = ("data",)
    operands: tuple[Any, ...] = ()
    op = None
    label = ""

    def __init__(self, data: float) -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"<constant {self.data!r}>"


class Block:
    """An argument, or a part of one, that is a number or an array, with an input for each number.

    `has_rows` says that it carries a leading axis of rows, which `shape` leaves out; `wrt`, that it
    is differentiated by. `twins` has by place the inputs that stand for some of its own: entries of
    a module that are one parameter.
    """

    def __init__(
        self, name: str, shape: tuple[int, ...], has_rows: bool = False, wrt: bool = False
    ) -> None:
        self.name, self.shape, self.has_rows, self.wrt = name, shape, has_rows, wrt
        size = 1
        for n in shape:
            size *= n
        self.inputs = [Input(self, place) for place in range(size)]
        self.twins: dict[int, Input] = {}

    def __repr__(self) -> str:
        return f"<block {self.name} {self.shape}{' by rows' if self.has_rows else ''}>"


class Program:
    """Steps in order, operands before their readers; the blocks they read, and the outputs.

    `same` names for a step an earlier one that computes the same number: its value is that one's,
    its slope its own.
    """

    def __init__(
        self, blocks: Sequence[Block], outputs: Sequence[Any], same: dict[Any, Any] | None = None,
        steps: list[Step] | None = None,
    ) -> None:  # fmt: skip
        self.blocks, self.outputs, self.same = list(blocks), list(outputs), same or {}
        self.is_shared = same is not None  # it is known which steps compute the same
        self.steps = ordered(outputs) if steps is None else steps
        self.rolled: Any = None  # the program in vectors, once `roll` has made it
        self.scattered: bool | None = None  # whether vectors are no gain, once `roll` has looked

    @property
    def wrt(self) -> list[Block]:
        """The blocks that are differentiated by."""
        return [block for block in self.blocks if block.wrt]

    @property
    def inputs(self) -> list[Input]:
        """The inputs of all blocks."""
        return [x for block in self.blocks for x in block.inputs]

    def flat(self) -> tuple[list[Op], list[Any], list[Any], list[Any]]:
        """Its operations, blocks, steps and outputs without links.

        A whole number stands for an input or a step, in their order, a float for a constant.

        >>> x, two = Block("x", ()), Constant(2.0)
        >>> Program([x], [Step(TRACED["_less"], (x.inputs[0], two), "small")]).flat()[1:]
        ([('x', (), False, False, [])], [(0, [0, 2.0], 'small', None)], [1])
        """
        places: dict[Any, int] = {x: i for i, x in enumerate(self.inputs)}
        find, ops, nodes = places.get, dict[Op, int](), []

        def found(items: Sequence[Any]) -> list[Any]:
            at = [*map(find, items)]
            return [x.data if i is None else i for i, x in zip(at, items)] if None in at else at

        blocks = [
            (x.name, x.shape, x.has_rows, x.wrt, [*zip(x.twins, found([*x.twins.values()]))])
            for x in self.blocks
        ]
        for step in self.steps:
            op = ops.setdefault(step.op, len(ops))
            nodes.append((op, found(step.operands), step.label, find(self.same.get(step))))
            places[step] = len(places)
        return [*ops], blocks, nodes, found(self.outputs)

    @cached_property
    def digest(self) -> str:
        """A text that tells it from all programs of which another source would be written."""
        from hashlib import sha256

        ops, *parts = self.flat()
        fields = [field for field in Op.__slots__ if field != "traits"]
        texts = [[sorted(op.traits), *[getattr(op, field) for field in fields]] for op in ops]
        return sha256(repr((texts, parts, self.is_shared)).encode()).hexdigest()


def ordered(outputs: Iterable[Any], last_first: bool = False) -> list[Step]:
    """The steps that outputs are made of, operands before their readers.

    First operands come first; or last ones, as `Value.backward` takes them, and of those only what
    slopes go to: slopes that are added up in that order are equal to its to the last bit.
    """
    order: list[Step] = []
    seen: set[Any] = set()
    stack: list[Any] = [*reversed(list(outputs))]
    pop, push = stack.pop, stack.append
    while stack:
        step = pop()
        if step is None:
            order.append(pop())
        elif step.op is not None and step not in seen:
            seen.add(step)
            stack += (step, None)
            for operand in _receivers(step) if last_first else reversed(step.operands):
                if operand and operand.op is not None and operand not in seen:
                    push(operand)
    return order


def frozen(
    outputs: Sequence[Any],
    inputs: Iterable[tuple[Any, Input]],
    captured: Callable[[Value], Any],
    steps: list[Step] | None = None,
) -> list[Any]:
    """The outputs of a trace as steps; `inputs` has the numbers it began with, and their inputs.

    `captured` gives an input for a Value that the function took from elsewhere. The steps are added
    to `steps` as `ordered` has them.
    """
    made: dict[int, Any] = {id(x): y for x, y in inputs}  # ids are hashed faster
    numbers: dict[tuple[float, str], Constant] = {}
    steps = [] if steps is None else steps

    def leaf(item: Any) -> Any:
        """The node of a number or of a Value from elsewhere; None for one yet to be made."""
        if isinstance(item, float):
            key = float(item), float.__repr__(item)  # 0.0 and -0.0 are equal, and not the same
            if key not in numbers:
                numbers[key] = Constant(key[0])
            return numbers[key]
        if id(item) not in made:
            if item._operation is not None and hasattr(item, "records"):
                return None
            made[id(item)] = captured(item)
        return made[id(item)]

    stack: list[Any] = [x for x in reversed(outputs) if not isinstance(x, float)]
    pop, push, find = stack.pop, stack.append, made.get
    while stack:
        node = pop()
        if node is None:
            node = pop()
            operands = tuple([find(id(x)) or leaf(x) for x in node._dx])
        elif (key := id(node)) not in made and (
            (node._operation is not None and hasattr(node, "records")) or leaf(node) is None
        ):
            operands = tuple(map(find, map(id, node._dx)))
            if not all(operands):
                made[key] = None  # on the way
                stack += (node, None)
                for x in reversed(node._dx):
                    if x.__class__ is not float and id(x) not in made:
                        push(x)
                continue
        else:
            continue
        step = made[id(node)] = Step(node._operation, operands, node.label and _text(node.label))
        steps.append(step)
    return [leaf(x) for x in outputs]


def _text(label: Any) -> str:
    """A label as a text of no other class; none where it is no text."""
    return str.__str__(label) if isinstance(label, str) else ""


# ------------------------------------------------------------------ passes


def rewritten(
    program: Program,
    made: dict[Any, Any],
    change: Callable[[Step, tuple[Any, ...]], Any] | None = None,
) -> list[Any]:
    """The outputs of a program in which others stand for some inputs, as `made` says, or steps.

    `change` gives a step's substitute for such operands, None where its operation stays. `made`
    gets what stands for each step.
    """
    find = made.get
    for step in program.steps:
        operands = tuple([find(x, x) for x in step.operands])
        new = change(step, operands) if change else None
        if new is None:
            new = step if operands == step.operands else Step(step.op, operands, step.label)
        made[step] = new
    return [find(x, x) for x in program.outputs]


def constants(program: Program, known: dict[Any, float] | None = None) -> Program:
    """Compute what depends on no input; `known` gives numbers for inputs that are known by now.

    >>> from scalargrad.ops import OPS
    >>> x = Block("x", ())
    >>> double = Step(OPS["mul"], (Constant(2.0), x.inputs[0]))
    >>> constants(Program([x], [double]), {x.inputs[0]: 4.0}).outputs
    [<constant 8.0>]
    """
    numbers = {x: Constant(number) for x, number in (known or {}).items()}
    return Program(program.blocks, rewritten(program, numbers, _folded))


def _folded(step: Step, operands: tuple[Any, ...]) -> Any:
    """The constant that a step is of such operands, or the one that a known condition chooses."""
    op, known = step.op, [x for x in operands if x.__class__ is Constant]
    if len(known) == len(operands):
        return Constant(on_floats(op)["value"](*grouped(op, [x.data for x in operands])))
    if op is TRACED["_choose"] and operands[0].__class__ is Constant:
        return operands[1] if operands[0].data else operands[2]
    if op in (TRACED["_and"], TRACED["_or"]) and known:
        is_neutral = bool(known[0].data) is (op is TRACED["_and"])
        return next(x for x in operands if x not in known) if is_neutral else known[0]
    return None


def computed(program: Program, known: dict[Any, float]) -> list[float]:
    """The outputs of a program, of numbers for all its inputs."""
    numbers = dict(known)
    for step in program.steps:
        own = [x.data if x.__class__ is Constant else numbers[x] for x in step.operands]
        numbers[step] = on_floats(step.op)["value"](*grouped(step.op, own))
    return [x.data if x.__class__ is Constant else numbers[x] for x in program.outputs]


def is_another(one: float, other: float) -> bool:
    """Whether two numbers differ by more than rounding; inf and nan are not told apart."""
    far = abs(one - other) > 1e-9 + 1e-6 * max(abs(one), abs(other))
    return far and isfinite(one) and isfinite(other)


def sharing(program: Program) -> Program:
    """Find steps that compute the same of the same: the number is one, slopes are sent by each.

    >>> from scalargrad.ops import OPS
    >>> x = Block("x", ()).inputs[0]
    >>> a, b = Step(OPS["exp"], (x,)), Step(OPS["exp"], (x,))
    >>> sharing(Program([x.block], [Step(OPS["mul"], (a, b))])).same == {b: a}
    True
    """
    same: dict[Any, Any] = {}
    found: dict[Any, Step] = {}
    for step in program.steps:
        operands = step.operands
        if Constant in {*map(type, operands)} or not same.keys().isdisjoint(operands):
            operands = tuple(
                [repr(x.data) if x.__class__ is Constant else same.get(x, x) for x in operands]
            )
        first = found.setdefault((step.op.name, operands), step)
        if first is not step:
            same[step] = first
    return Program(program.blocks, program.outputs, same, program.steps)


def pulls(
    steps: Sequence[Step], roots: Iterable[Any], by: Iterable[Any]
) -> list[tuple[Step, Sequence[int]]]:
    """The steps that a slope comes to, last first, with the places of operands they send slopes to.

    The slopes are of `roots` by the inputs in `by`; what lies on no way between them is left out.
    """
    way: set[Any] = set(by)
    for step in steps:
        if not way.isdisjoint(_receivers(step)):
            way.add(step)
    reached: set[Any] = set(roots)
    found: list[tuple[Step, Sequence[int]]] = []
    for step in reversed(steps):
        if step in reached and step in way:
            operands = _receivers(step)
            if way.issuperset(operands):
                reached.update(operands)
                found.append((step, range(len(operands))))
            else:
                places = tuple([i for i, x in enumerate(operands) if x in way])
                reached.update([operands[i] for i in places])
                found.append((step, places))
    return found


def _receivers(step: Step) -> Sequence[Any]:
    """The operands that a step sends slopes to; of a choice the branches, not the condition."""
    if step.op.slopes:
        return step.operands
    return [x if sent else None for x, sent in zip(step.operands, sends(step.op))]


def grouped(op: Op, flat: Sequence[Any]) -> list[Any]:
    """The operands of a step as its operation names them, lists as lists."""
    is_list = [name in LISTS for name in op.operands]
    if True not in is_list:
        return list(flat)
    length = (len(flat) - is_list.count(False)) // is_list.count(True)
    rest = iter(flat)
    return [[*islice(rest, length)] if many else next(rest) for many in is_list]


def operations(program: Program) -> int:
    """The count of elementary operations of the outputs for a row; a dot of n is 2n of them."""
    return sum(max(1, len(step.operands) - 1) for step in program.steps)


@lru_cache(maxsize=1024)
def hides_nan(op: Op) -> bool:
    """Whether a nan may decide what an operation gives and leave no trace, as in a comparison."""
    if op.takes_lists:
        return False
    value, count = on_floats(op)["value"], len(op.operands)
    for numbers in product((-1e9, 0.0, 1.0, 1e9), repeat=count):
        for place in range(count):
            given = value(*numbers[:place], nan, *numbers[place + 1 :])
            if given == given and given != value(*numbers):
                return True
    return False


def hastened(program: Program) -> Program:
    """The same program in operations that are right where nothing overflows, or it is seen.

    A nan is seen wherever it comes about, unless it decides something: then it may leave no other
    trace.
    """
    is_seen = not any(map(hides_nan, {step.op for step in program.steps}))
    hasten = fastest if is_seen else fast

    def change(step: Step, operands: tuple[Any, ...]) -> Any:
        op = hasten(step.op)
        return None if op is step.op else Step(op, operands, step.label)

    made: dict[Any, Any] = {}
    outputs = rewritten(program, made, change)
    same = {made[x]: made[y] for x, y in program.same.items()} if program.is_shared else None
    return Program(program.blocks, outputs, same)
