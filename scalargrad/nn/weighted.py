"""Rows that count more than others: `sample_weight` of fit.   (floor 3)

A weight stands last in the row of targets, and a loss that knows of it multiplies by it. So both
engines train with weights as they train with any targets.
"""

from __future__ import annotations

from ..arithmetic.conversion import to_float
from .eager import Task
from .losses import cross_entropy
from .rows import one_hot, to_lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .eager import Table

    Measure = Callable[[Any, Any], Any]


class Weighing:
    """Rows that carry their weights, and a loss that multiplies by them."""

    def __init__(self, model: Any, measure: Measure, table: Table) -> None:
        self.is_single = not isinstance(table[1][0], tuple)
        self.classes: int | None = None
        if measure is cross_entropy and self.is_single:
            self.classes, self.is_single = Task(model, measure, True, None).classes(table), False
        is_single = self.is_single

        def weighted(prediction: Any, target: Any) -> Any:
            *row, weight = target
            return weight * measure(prediction, row[0] if is_single else row)

        weighted.__module__ = getattr(measure, "__module__", "")  # its code is whose the loss is
        self.measure: Measure = weighted

    def table(self, table: Table, weights: list[float]) -> Table:
        """The rows with their weights last in their targets; those of weight 0 are left out."""
        inputs, targets = table
        if self.classes is not None:
            targets = one_hot(targets, self.classes)
        rows = [
            (x, (t, w) if self.is_single else (*t, w))
            for x, t, w in zip(inputs, targets, weights)
            if w
        ]
        return [x for x, _ in rows], [t for _, t in rows]


def weights_of_rows(given: Any, count: int, is_mean: bool) -> list[float]:
    """The weights as floats; for a mean over the rows they are scaled so that their mean is 1."""
    given = to_lists(given)
    if not isinstance(given, (list, tuple)):
        raise TypeError(
            f"sample_weight must have a number for each row, got {type(given).__name__}"
        )
    weights = [to_float(weight, "sample_weight") for weight in given]
    if len(weights) != count:
        raise ValueError(f"sample_weight has {len(weights)} numbers, and X has {count} rows")
    if not all(0.0 <= weight < float("inf") for weight in weights) or not any(weights):
        wrong = next((w for w in weights if not 0.0 <= w < float("inf")), 0.0)
        raise ValueError(
            f"sample_weight must be numbers from 0, some of them above, got {wrong} "
            + ("everywhere" if wrong == 0.0 else "in it")
        )
    scale = sum(map(bool, weights)) / sum(weights) if is_mean else 1.0
    return [weight * scale for weight in weights]
