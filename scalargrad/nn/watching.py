"""An end of training where the loss no longer falls.   (floor 3)"""

from __future__ import annotations

from math import inf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Watch:
    """A callback for `fit` that looks at the losses of epochs alone.

    It returns True after more than `patience` epochs none of which was better by `tol` than the
    best before it. `fit` need not stop after each epoch to ask it.
    """

    def __init__(self, tol: float, patience: int) -> None:
        self.tol, self.patience, self.best, self.waited = tol, patience, inf, 0
        self.seen = 0  # epochs

    def is_over(self, loss: float) -> bool:
        """Look at the loss of the next epoch; say whether training ends with it."""
        self.waited = 0 if loss < self.best - self.tol else self.waited + 1
        self.best = min(self.best, loss)
        return self.waited > self.patience

    def ended(self, losses: list[float]) -> int | None:
        """The number of epochs after which training ends, if it is one of those `losses`."""
        for loss in losses:
            self.seen += 1
            if self.is_over(loss):
                return self.seen
        return None

    def __call__(self, epoch: int, history: Any, model: Any) -> bool:
        return self.is_over(history.loss[-1])


__all__ = ["Watch"]
