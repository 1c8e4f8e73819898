"""How `fit` makes its steps on Values: row by row, and a graph for each.   (floor 3)"""

from __future__ import annotations

from ..arithmetic.conversion import as_float
from ..arithmetic.lists import add_up
from ..modes import no_grad, training
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable
    from typing import Any

    Table = tuple[list[Any], list[Any]]  # inputs, targets
    Losses = array[float]  # of each step, there before the step is made


NOT_CALLED = "{} cannot be called: give it a method __call__(self, x) that returns the prediction"


class Task:
    """The loss that is lowered: of the rows of a batch the mean or the sum, and the penalty."""

    def __init__(
        self, model: Any, measure: Any, is_mean: bool, penalty: Callable[[Any], Any] | None
    ) -> None:
        if not callable(model):
            raise TypeError(NOT_CALLED.format(type(model).__name__))
        self.model: Any = model
        self.forward: Any = model
        self.measure, self.penalty, self.is_mean = measure, penalty, is_mean

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
            elif loss != 0:  # a number without slope is 0 where a row costs nothing, else a mistake
                raise TypeError(
                    f"the loss of row {i} is the plain number {loss}: "
                    "compute it from the prediction, not from its .data"
                )
        total /= divisor
        if self.penalty:
            extra = self.penalty(self.model)
            if isinstance(extra, Value):
                extra.backward()
            total += number_of(extra, "penalty")
        return total

    def loss_of(self, table: Table) -> float:
        """The loss of rows, without penalty; nothing is recorded."""
        with no_grad():
            total = add_up(
                [number_of(self.measure(self.forward(x), t), "loss") for x, t in zip(*table)]
            )
        return total / len(table[0]) if self.is_mean else total


def number_of(result: Any, name: str) -> float:
    """The number that a loss or a penalty gave, a Value's or a plain one."""
    found = result.data if isinstance(result, Value) else as_float(result)
    if found is None:
        raise TypeError(
            f"the {name} must give one Value, got {type(result).__name__}: "
            "of several make one with sum or mean"
        )
    return found


class Eager:
    """A step at a time: the graph of a row lives as long as its backward walk."""

    pace = 1  # how many steps a call is to make at most

    def __init__(self, task: Task, optimizer: Any, table: Table) -> None:
        self.task, self.optimizer, self.table = task, optimizer, table
        self.loss_of = task.loss_of

    def steps(self, batches: Iterable[list[int]], losses: Losses) -> None:
        """Make a step on each batch, its loss added to `losses` before."""
        for batch in batches:
            self.optimizer.zero_grad()
            losses.append(self.task.backward(self.table, batch))
            self.optimizer.step()

    def looked_at(self) -> Any:
        """What makes the next steps after the user's code had its turn."""
        return self
