"""The programs that training lowers: the loss of a row, the penalty, or a whole batch.   (floor 3)

The model is called with traced numbers for its parameters and for a row of data, and gives a
program for any row. The numbers of a few rows that are known are put in: all that depends on data
alone is worked out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ..arithmetic.conversion import as_float
from ..ops import OPS
from ..trees import with_values
from ..value import Value
from .arguments import arranged_places, blocks_of, flat, read, shape_of
from .captured import Captured
from .data import simplified
from .draws import Draws
from .program import Block, Constant, Input, Program, Step, constants, frozen, sharing
from .tracing import Traced, TraceError, add_methods, tracing
from .update import alike, same_objects

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


class TracedModel:
    """A copy of a model whose parameters are traced numbers.

    `inputs` has an input for each weight, in the model or not, `captured` one for each other Value
    that is read, and `values` the Value for each input: in two blocks there may be the same one.
    `is_asked` says whether a traced number was taken as text or as a key. A model that `is_own`
    is this package's, which counts nothing.
    """

    penalty: Program | None = None

    def __init__(self, model: Any, weights: Sequence[Value] = (), is_own: bool = False) -> None:
        add_methods()
        parameters, arranged = model.parameters(), arranged_places(model)
        self._blocks = [Block(name, shape_of(at), wrt=True) for name, at in arranged.items()]
        of_block = [x for block in self._blocks for x in block.inputs]
        places = [place for at in arranged.values() for place in flat(at)]
        self.inputs: dict[Value, Input] = {parameters[i]: x for i, x in zip(places, of_block)}
        inputs = [self.inputs[parameter] for parameter in parameters]
        self._known: list[tuple[Any, Input]] = [(Traced(x.block.name), x) for x in inputs]
        self._model = with_values(model, iter([number for number, _ in self._known]))
        others = [weight for weight in weights if weight not in self.inputs]
        if others:
            self._blocks.append(Block("others", (len(others),), wrt=True))
            self.inputs.update(zip(others, self._blocks[-1].inputs))
        self.values: dict[Input, Value] = {x: parameters[i] for i, x in zip(places, of_block)}
        self.values.update((x, value) for value, x in self.inputs.items())
        self._before = None if is_own else Captured((), [self._model])
        self._own = Block("captured", (0,))
        self.captured: dict[Value, Input] = {}
        self.is_asked = False

    def _row(self, name: str, row: Row) -> tuple[Block, Any]:
        """A block for rows like this one, and the traced numbers of one as the model gets them."""
        (block,) = blocks_of(read(row, name, []), name, has_rows=True)
        numbers = [Traced(name) for _ in block.inputs]
        self._known += zip(numbers, block.inputs)
        return block, tuple(numbers) if block.shape else numbers[0]

    def _program(
        self, function: Callable[[Any], list[Any]], what: str, blocks: Sequence[Block] = ()
    ) -> Program:
        """The program that losses or a penalty of the model record.

        TraceError where another call of the same model records another.
        """
        steps = self._recorded(function, what)
        if self._before and self._before.has_changed():  # it counts, or keeps something of a call
            inputs = [x for _, x in self._known]
            inputs += [*self.inputs.values(), *self.captured.values()]
            kept = _kept(self._model, {})
            again = self._recorded(function, what)
            if not alike(steps, again, dict(zip(inputs, inputs))) or kept != _kept(self._model, {}):
                raise TraceError(_ANOTHER)
        own = [self._own] * bool(self._own.inputs)
        return Program([*self._blocks, *own, *blocks], steps)

    def _recorded(self, function: Callable[[Any], list[Any]], what: str) -> list[Any]:
        """The outputs of a call."""
        with tracing() as trace:
            results = function(self._model)
        self.is_asked |= trace.is_asked
        outputs: list[Any] = []
        for result in results:
            number = result if isinstance(result, Value) else as_float(result)
            if number is None or (number.__class__ is float and number and what == "loss"):
                raise TraceError(
                    f"the {what} must give one Value, got {type(result).__name__} {result!r}: "
                    "compute it from what it is given"
                )
            outputs.append(number)
        return frozen(outputs, self._known, self._input_for)

    def _input_for(self, value: Any) -> Input:
        """The input for a Value that was not handed in: one of the model's own, or another."""
        if isinstance(value, Traced):
            raise TraceError(
                "the model or the loss used a traced number of another call: "
                "it must not keep what it is given"
            )
        if value in self.inputs:
            return self.inputs[value]
        if value._operation is not None:
            raise TraceError(
                f"the loss reads {value!r}, which {value.op} computed before it was called: "
                "compute it in the loss"
            )
        if value not in self.captured:
            own = self._own
            own.inputs.append(x := Input(own, len(self.captured)))
            own.shape = (len(own.inputs),)
            self.captured[value], self.values[x] = x, value
        return self.captured[value]


class Objective(TracedModel):
    """Programs of one set of weights, for training: of a row, of some rows that are known, and
    `penalty`, or None.
    """

    def __init__(
        self,
        model: Any,
        weights: Sequence[Value],
        measure: Measure,
        penalty: Callable[[Any], Any] | None,
        is_mean: bool = True,
        is_own: bool = False,
    ) -> None:
        super().__init__(model, weights, is_own)
        self.weights = [self.inputs[weight] for weight in weights]
        self.measure, self.is_mean = measure, is_mean
        self._loss: Program | None = None
        if penalty is not None:
            self.penalty = self._program(lambda model: [penalty(model)], "penalty")

    def of_a_row(self, x: Row, y: Row) -> Program:
        """The loss of any row like this one, whose numbers are the blocks x and y."""
        (of_x, xs), (of_y, ys) = self._row("x", x), self._row("y", y)
        program = self._program(lambda model: [self.measure(model(xs), ys)], "loss", [of_x, of_y])
        self._loss = sharing(program)
        return self._loss

    def of_rows(self, xs: Sequence[Row], ys: Sequence[Row]) -> Program:
        """The loss of these rows, in which all that depends on them alone is worked out, and then
        what slopes are taken of: of a mean each row's loss over their count.
        """
        if self._loss is None:
            self.of_a_row(xs[0], ys[0])
        loss: Any = self._loss
        losses = [constants(loss, given(loss, row)).outputs[0] for row in zip(xs, ys)]
        total = losses[0]
        for other in losses[1:]:
            total = Step(OPS["add"], (total, other))
        if self.is_mean and len(losses) > 1:
            count = float(len(losses))
            total = Step(OPS["div"], (total, Constant(count)))
            losses = [Step(OPS["mul"], (other, Constant(1.0 / count))) for other in losses]
        blocks = [block for block in loss.blocks if not block.has_rows]
        return sharing(simplified(constants(Program(blocks, [total, *losses]))))


def given(program: Program, row: Sequence[Row]) -> dict[Any, float]:
    """The numbers of the inputs that carry rows: those of one row, x and y, or x alone."""
    carried = [block for block in program.blocks if block.has_rows]
    lists = [numbers if isinstance(numbers, tuple) else (numbers,) for numbers in row]
    return {x: n for block, numbers in zip(carried, lists) for x, n in zip(block.inputs, numbers)}


class Prediction(TracedModel):
    """The prediction of a model for a row, as a program whose block x carries rows."""

    is_single = False  # whether it is one number, no list

    def of_a_row(self, x: Row) -> Program:
        """The program; its outputs are those of the model, one or a list of them.

        TraceError of any other structure.
        """
        block, xs = self._row("x", x)

        def outputs(model: Any) -> list[Any]:
            made = model(xs)
            made = made.tolist() if hasattr(made, "tolist") else made
            self.is_single = not isinstance(made, list | tuple)
            return [made] if self.is_single else list(made)

        return sharing(self._program(outputs, "prediction", [block]))


def steady(make: Callable[[], tuple[Any, Program]], draws: Draws) -> tuple[Any, Program]:
    """The result of tracing, if it gives the same again; TraceError where it counts or draws."""
    return draws.twice(make, _is_same, _DRAWS, _ANOTHER)


def _is_same(one: tuple[Any, Program], other: tuple[Any, Program]) -> bool:
    """Whether two calls gave one formula, of the same Values."""
    (first, program), (second, again) = one, other
    ours, theirs = (
        [*made.outputs, *(of.penalty.outputs if of.penalty else [])] for of, made in (one, other)
    )
    partners = dict(zip(again.inputs, program.inputs))
    return same_objects(first.captured, second.captured) and alike(ours, theirs, partners)


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
