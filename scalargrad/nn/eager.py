"""Steps of `fit` on Values: a graph for each row, and its backward walk.   (floor 3)"""

from __future__ import annotations

from itertools import repeat
from typing import NamedTuple

from ..arithmetic.conversion import as_float
from ..arithmetic.lists import add_up
from ..copies import with_values
from ..modes import no_grad, record_anyway, training
from ..value import Value
from .losses import LOSSES, cross_entropy
from .optimizers import clip_norm
from .parameters import is_own, put
from .rows import items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor
    from typing import Any

    Table = tuple[list[Any], list[Any]]  # inputs, targets
    Losses = array[float]  # one a step, added before the step is made


NOT_CALLED = "{} cannot be called: give it a method __call__(self, x) that returns the prediction"


class Task:
    """The loss that `fit` lowers: the mean or the sum over the rows of a batch, and the penalty.

    `clip` is the length that the gradient of a step may have at most, or None.
    """

    def __init__(
        self,
        model: Any,
        measure: Any,
        is_mean: bool,
        penalty: Callable[[Any], Any] | None,
        clip: float | None = None,
    ) -> None:
        if not callable(model):
            raise TypeError(NOT_CALLED.format(type(model).__name__))
        self.model: Any = model
        self.forward: Any = model
        self.measure, self.penalty, self.is_mean, self.clip = measure, penalty, is_mean, clip

    @property
    def parts(self) -> tuple[Any, Any, Any]:
        """The model, the loss of a row, and the penalty."""
        return self.model, self.measure, self.penalty

    def classes(self, table: Table) -> int | None:
        """The number of classes, if targets are class numbers; wrong rows and targets are refused.

        Generated code does not check them.
        """
        inputs, targets = table
        row, numbers, seen = 0, [], set()
        forward = self.forward
        if not is_own(*self.parts):  # a copy: a model may count its calls
            forward = with_values(forward, iter(forward.parameters()))
        with no_grad():
            try:
                prediction = forward(inputs[0])
                loss = self.measure(prediction, targets[0])
                number_of(loss, "loss")
                if not isinstance(loss, Value):  # as a derivative is, within no_grad
                    with record_anyway(), training():
                        loss = self.measure(forward(inputs[0]), targets[0])
                check_plain(loss, 0)
                if self.measure in LOSSES.values():
                    numbers = [number_of(p, "prediction") for p in items(prediction, "fit")]
                    for row, target in enumerate(targets):  # noqa: B007
                        if target not in seen:
                            self.measure(numbers, target)
                            seen.add(target)
            except (TypeError, ValueError) as error:
                error.add_note(f"in row {row} of X and y")
                raise
        has_classes = self.measure is cross_entropy and not isinstance(targets[0], tuple)
        return len(numbers) if has_classes else None

    @training()
    def backward(self, table: Table, batch: list[int]) -> float:
        """Add the slopes of a batch to the gradients; return its loss."""
        inputs, targets = table
        divisor = len(batch) if self.is_mean else 1
        total = 0.0
        for i in batch:
            try:
                loss = self.measure(self.forward(inputs[i]), targets[i])
                total += number_of(loss, "loss")
            except (TypeError, ValueError) as error:
                error.add_note(f"in row {i} of X and y")
                raise
            if isinstance(loss, Value):
                (loss if divisor == 1 else loss / divisor).backward()
            else:
                check_plain(loss, i)
        total /= divisor
        if self.penalty:
            extra = self.penalty(self.model)
            if isinstance(extra, Value):
                extra.backward()
            total += number_of(extra, "penalty")
        return total

    def loss_of(self, table: Table) -> float:
        """The loss of these rows, without penalty; nothing is recorded."""
        with no_grad():
            total = add_up(
                [number_of(self.measure(self.forward(x), t), "loss") for x, t in zip(*table)]
            )
        return total / len(table[0]) if self.is_mean else total


def number_of(result: Any, name: str) -> float:
    """The number of a loss or a penalty, which is a Value or a plain number."""
    found = result.data if isinstance(result, Value) else as_float(result)
    if found is None:
        advice = "make one of several with sum or mean"
        if result is None:
            advice = "did it forget its return?"
        raise TypeError(f"the {name} must give one Value, got {type(result).__name__}: {advice}")
    return found


def check_plain(loss: Any, row: int) -> None:
    """Refuse the loss of a row that is a plain number, but 0: that of a row that costs nothing."""
    if not isinstance(loss, Value) and loss != 0:
        raise TypeError(
            f"the loss of row {row} is the plain number {loss}: "
            "compute it from the prediction, not from its .data"
        )


class Asked(NamedTuple):
    """The steps that `fit` asks an engine for.

    They are `expected` steps, of `rows` rows each, in so many `calls`. `keeps` says that the same
    batches, as the same lists, come again. If there is an `executor`, it computes the gradients.
    """

    task: Task
    optimizer: Any
    table: Table
    backend: str
    expected: int
    calls: int
    rows: int
    keeps: bool
    executor: Executor | None = None

    @property
    def kind(self) -> Any:
        """The same for steps that the same code makes, on whatever rows."""
        objects = [*map(id, (*self.task.parts, self.optimizer))]
        settings = self.task.is_mean, self.task.clip, self.backend
        return objects, settings, self.keeps, self.executor


class Eager:
    """Makes steps on Values. The graph of a row is dropped after its backward walk."""

    pace = 1  # a call makes at most so many steps

    def __init__(self, task: Task, optimizer: Any, table: Table) -> None:
        self.task, self.optimizer, self.table = task, optimizer, table
        self.loss_of = task.loss_of
        self.trained = getattr(optimizer, "parameters", None) or task.model.parameters()

    def steps(self, batches: Iterable[list[int]], losses: Losses) -> None:
        """Make a step on each batch, and before it add its loss to `losses`."""
        for batch in batches:
            self.optimizer.zero_grad()
            losses.append(self.task.backward(self.table, batch))
            if self.task.clip is not None:
                clip_norm(self.trained, self.task.clip)
            self.optimizer.step()

    def gradient(self, weights: list[float], batch: list[int]) -> tuple[float, list[float]]:
        """The loss of a batch with these weights, and its slopes; parameters hold them then."""
        parameters = self.optimizer.parameters
        put(parameters, repeat("data"), weights)
        self.optimizer.zero_grad()
        return self.task.backward(self.table, batch), [p.grad for p in parameters]

    def back_to(self, before: Any) -> None:
        """Put the optimiser back to where it was: weights, state, number of steps."""
        self.optimizer.become(*before)

    def after_user_code(self) -> Any:
        """The engine for the next steps, after a callback, which may have changed anything."""
        return self
