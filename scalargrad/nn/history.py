"""History: the losses of a training run, epoch by epoch.   (floor 3)"""

from __future__ import annotations

from .plots import axes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class History:
    """The record of a training run.

    loss: one number an epoch, the loss that was lowered: the mean over the rows, or their sum with
        reduction="sum", and the penalties. Each row has its loss before the step that it is in.
    validation_loss: one number an epoch, the loss of the validation rows after it, without penalty;
        empty if there were no such rows.
    seconds: how long training took.
    interrupted: whether Ctrl-C ended it.
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.validation_loss: list[float] = []
        self.seconds = 0.0
        self.interrupted = False

    def record(self, loss: float, validation_loss: float | None = None) -> None:
        """Add an epoch."""
        if validation_loss is not None:
            self.validation_loss.append(validation_loss)
        self.loss.append(loss)

    def plot(self, ax: Any = None) -> Any:
        """Draw the loss curves on matplotlib Axes, or on new ones, and return the Axes."""
        if not self.loss:
            raise ValueError("the history has no epoch to plot: fit for one at least")
        ax = axes(ax, "history.plot")
        epochs = range(1, len(self.loss) + 1)
        marker = "o" if len(epochs) == 1 else None  # a line of one point is not seen
        ax.plot(epochs, self.loss, marker=marker, label="training")
        if self.validation_loss:
            ax.plot(epochs, self.validation_loss, marker=marker, linestyle="--", label="validation")
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        loss = f", loss={self.loss[-1]:.6g}" if self.loss else ""
        validation = (
            f", validation_loss={self.validation_loss[-1]:.6g}" if self.validation_loss else ""
        )
        interrupted = ", interrupted=True" if self.interrupted else ""
        seconds = f", seconds={self.seconds:.2f}"
        return f"History(epochs={len(self.loss)}{loss}{validation}{seconds}{interrupted})"
