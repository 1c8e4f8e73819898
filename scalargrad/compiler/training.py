"""The programs that training lowers: the loss of a row, the penalty, or a whole batch.   (floor 3)

The model is called with traced numbers for its parameters and for a row of data, and gives a
program for any row. The numbers of a few rows that are known are put in: all that depends on data
alone is worked out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, TypeVar

from ..arithmetic.conversion import as_float
from ..ops import OPS
from ..value import Value
from .arguments import State, read_rows
from .captured import Captured
from .contents import flat
from .data import simplified
from .draws import Draws
from .program import Block, Constant, Input, Program, Step, constants, sharing
from .traces import TracedCall
from .tracing import Traced, TraceError, tracing
from .update import alike, same_objects

T = TypeVar("T", bound="TracedModel")
Row = float | tuple[float, ...]
Measure = Callable[[Any, Any], Any]


_DRAWS = (
    "model or loss draws random numbers, and those of one call would be frozen: take engine='eager'"
)
_ANOTHER = (
    "a second call with the same numbers gave another formula: what it counts or draws at random "
    "would be frozen, and of a Value that it makes itself it is not known whether it stays the "
    "same: write the number in its place"
)
COUNTED = (
    "model or loss change something that they read with each call: what they count would be "
    "frozen: take engine='eager'"
)


class TracedModel(TracedCall):
    """A call of a model with traced numbers for its parameters and for a row of data.

    `inputs` has an input for each weight, in the model or not, `taken` one for each other Value
    that is read. `made` is the program of what `outputs` records. `is_asked` says whether a traced
    number was taken as text or as a key. A model that `is_own` is this package's, which counts
    nothing.
    """

    what: Iterable[str] = ("loss", "penalty")

    def __init__(
        self, model: Any, row: Sequence[Row], weights: Sequence[Value], is_own: bool
    ) -> None:
        form, parameters = State.of(model), model.parameters()
        rows = [read_rows([x], "a row", []) for x in row]
        super().__init__("the model or the loss", ("model", "x", "y"), [form, *rows], (0,))
        places = [place for at in form.places.values() for place in flat(at)]
        own = [x for block in self.blocks if block.wrt for x in block.inputs]
        self.inputs: dict[Value, Input] = {parameters[i]: x for i, x in zip(places, own)}
        if others := [weight for weight in weights if weight not in self.inputs]:
            self.blocks.append(Block("others", (len(others),), wrt=True))
            self.inputs.update(zip(others, self.blocks[-1].inputs))
        if weights:
            trained = {self.inputs[weight] for weight in weights}
            self.blocks = [part for block in self.blocks for part in _parts(block, trained)]
        self.is_asked, copy = False, self.arguments[0]
        before = None if is_own else Captured((), [copy])
        self.made = self._recorded()
        if before and before.has_changed():  # it counts, or keeps something of a call
            kept = _kept(copy, {})
            again = self._recorded()
            same = dict(zip(again.inputs, self.made.inputs))
            if not alike(self.made.outputs, again.outputs, same) or kept != _kept(copy, {}):
                raise TraceError(_ANOTHER)

    def outputs(self, model: Any, *row: Any) -> list[Any]:
        """The numbers that the program is of, each with its name in `what`."""
        raise NotImplementedError

    def _recorded(self) -> Program:
        """The program of a call; the blocks that carry rows come last."""
        with tracing() as trace:
            results = self.outputs(*self.arguments)
        self.is_asked |= trace.is_asked
        outputs: list[Any] = []
        for what, result in zip(self.what, results):
            number = result if isinstance(result, Value) else as_float(result)
            if number is None or (number.__class__ is float and number and what == "loss"):
                raise TraceError(
                    f"the {what} must give one Value, got {type(result).__name__} {result!r}: "
                    "compute it from what it is given"
                )
            outputs.append(number)
        program = self.program(outputs)
        program.blocks.sort(key=lambda block: block.has_rows)
        return program

    @property
    def values(self) -> dict[Input, Value]:
        """The Value for each input that is read, but those of rows."""
        return {x: value for value, x in [*self.inputs.items(), *self.taken.items()]}

    def input_for(self, value: Any) -> Input:
        """The input for a Value that was not handed in: one of the model's own, or another."""
        if value in self.inputs:
            return self.inputs[value]
        if value._operation is not None and not isinstance(value, Traced):
            raise TraceError(
                f"the loss reads {value!r}, which {value.op} computed before it was called: "
                "compute it in the loss"
            )
        return super().input_for(value)


class Objective(TracedModel):
    """Programs of one set of weights, for training: the `loss` of a row, of some rows that are
    known, and the `penalty`, or None.
    """

    def __init__(
        self, model: Any, row: Sequence[Row], weights: Sequence[Value], is_own: bool,
        measure: Measure, penalty: Callable[[Any], Any] | None, is_mean: bool,
    ) -> None:  # fmt: skip
        self._measure, self._penalty, self._is_mean = measure, penalty, is_mean
        super().__init__(model, row, weights, is_own)
        blocks, (loss, *others) = self.made.blocks, self.made.outputs
        self.weights = [self.inputs[weight] for weight in weights]
        self.loss = sharing(Program(blocks, [loss]) if others else self.made)
        self._given = [block for block in blocks if not block.has_rows]
        self.penalty = Program(self._given, others) if others else None

    def outputs(self, model: Any, *row: Any) -> list[Any]:
        x, y = row
        found = [self._measure(model(x), y)]
        return [*found, self._penalty(model)] if self._penalty else found

    def of_rows(self, xs: Sequence[Row], ys: Sequence[Row]) -> Program:
        """The loss of these rows, in which all that depends on them alone is worked out, and then
        what slopes are taken of: of a mean each row's loss over their count.
        """
        rows = [given(self.loss, row) for row in zip(xs, ys)]
        losses = [constants(self.loss, row).outputs[0] for row in rows]
        total = losses[0]
        for other in losses[1:]:
            total = Step(OPS["add"], (total, other))
        if self._is_mean and len(losses) > 1:
            count = float(len(losses))
            total = Step(OPS["div"], (total, Constant(count)))
            losses = [Step(OPS["mul"], (other, Constant(1.0 / count))) for other in losses]
        return sharing(simplified(constants(Program(self._given, [total, *losses]))))


class Prediction(TracedModel):
    """The prediction of a model for a row: one number if it `is_single`, or a list of them.

    TraceError of any other structure.
    """

    what = repeat("prediction")

    def outputs(self, model: Any, *row: Any) -> list[Any]:
        made = model(*row)
        made = made.tolist() if hasattr(made, "tolist") else made
        self.is_single = not isinstance(made, list | tuple)
        return [made] if self.is_single else list(made)


def _parts(block: Block, trained: set[Input]) -> list[Block]:
    """The blocks of what is trained in a block, and of what is not: itself, where it is all one.

    Twins, which no step reads, are in neither.
    """
    if block.has_rows:
        return [block]
    inputs = [x for i, x in enumerate(block.inputs) if i not in block.twins]
    found = []
    for is_trained, name in ((True, block.name), (False, f"fixed_{block.name}")):
        own = [x for x in inputs if (x in trained) is is_trained]
        part = block if len(own) == len(block.inputs) else Block(name, (len(own),))
        part.inputs, part.wrt = own, is_trained
        for place, x in enumerate(own):
            x.block, x.place = part, place
        found += [part] * bool(own)
    return found


def given(program: Program, row: Sequence[Row]) -> dict[Any, float]:
    """The numbers of the inputs that carry rows: those of one row, x and y, or x alone."""
    carried = [block for block in program.blocks if block.has_rows]
    lists = [numbers if isinstance(numbers, tuple) else (numbers,) for numbers in row]
    return {x: n for block, numbers in zip(carried, lists) for x, n in zip(block.inputs, numbers)}


def steady(make: Callable[[], T], draws: Draws) -> T:
    """The result of tracing, if it gives the same again; TraceError where it counts or draws."""
    return draws.twice(make, _is_same, _DRAWS, _ANOTHER)


def _is_same(one: TracedModel, other: TracedModel) -> bool:
    """Whether two calls gave one formula, of the same Values."""
    same = dict(zip(other.made.inputs, one.made.inputs))
    are_alike = alike(one.made.outputs, other.made.outputs, same)
    return are_alike and same_objects(one.taken, other.taken)


def _kept(item: Any, seen: dict[int, int]) -> Any:
    """The content of an object, whichever Values stand in it: what differs from call to call is
    counted or collected.
    """
    if isinstance(item, Value) or (callable(item) and not hasattr(item, "__dict__")):
        return type(item)
    if isinstance(item, bool | int | float | complex | str | bytes | None):
        return repr(item)
    if id(item) in seen:
        return seen[id(item)]
    seen[id(item)] = len(seen)
    if isinstance(item, dict):
        return [(repr(key), _kept(inner, seen)) for key, inner in item.items()]
    if isinstance(item, list | tuple | deque):
        return [_kept(inner, seen) for inner in item]
    if isinstance(item, set | frozenset):
        return len(item)
    if hasattr(item, "tobytes"):
        return item.tobytes()  # pyright: ignore[reportFunctionMemberAccess]
    return type(item), _kept(getattr(item, "__dict__", None), seen)
