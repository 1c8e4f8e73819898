"""What a training run leaves behind: its losses, epoch by epoch.   (floor 3)"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class History:
    """The record of a training run.

    `loss` has one entry an epoch: the loss that was lowered, each row's taken with the weights that it met. With
    reduction "mean" it is the mean over the rows, with "sum" their sum; the penalty of each batch is in it.
    `validation_loss`, where there were validation rows, is theirs after each epoch, without a penalty.
    `seconds` is how long it took; `interrupted` says whether Ctrl-C ended it.
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
        """Draw the loss curves on matplotlib Axes, new ones if none are given, and return them."""
        if not self.loss:
            raise ValueError("the history has no epoch to plot: fit for one at least")
        if ax is None:
            try:
                from matplotlib import pyplot
            except ImportError:
                raise ImportError(
                    "history.plot needs matplotlib, the 'plot' extra: pip install matplotlib"
                ) from None
            ax = pyplot.subplots()[1]
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
        return f"History(epochs={len(self.loss)}{loss}{validation}, seconds={self.seconds:.2f}{interrupted})"
