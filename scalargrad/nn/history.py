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
    metrics: by name, one number an epoch: over the validation rows if there are any, else over
        those of training.
    best_epoch: the epoch with the least validation loss, counted from 0, if fit had patience; its
        weights are the model's now. Else None.
    seconds: how long training took.
    interrupted: whether Ctrl-C ended it.
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.validation_loss: list[float] = []
        self.metrics: dict[str, list[float]] = {}
        self.best_epoch: int | None = None
        self.seconds = 0.0
        self.interrupted = False

    def record(
        self,
        loss: float,
        validation_loss: float | None = None,
        metrics: dict[str, float] | None = None,
    ) -> None:
        """Add an epoch."""
        for name, number in (metrics or {}).items():
            self.metrics.setdefault(name, []).append(number)
        if validation_loss is not None:
            self.validation_loss.append(validation_loss)
        self.loss.append(loss)

    def plot(self, ax: Any = None) -> Any:
        """Draw the loss curves on matplotlib Axes, or on new ones, and return the Axes.

        Metrics stand on Axes of their own, with the scale on the right.
        """
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
        if self.best_epoch is not None:
            ax.axvline(self.best_epoch + 1, color="gray", linewidth=1, label="best epoch")
        lines, names = ax.get_legend_handles_labels()
        if self.metrics:
            beside = ax.twinx()
            for i, (name, curve) in enumerate(self.metrics.items(), 2):
                beside.plot(epochs, curve, marker=marker, color=f"C{i}", label=name)
            beside.set_ylabel(", ".join(self.metrics))
            more = beside.get_legend_handles_labels()
            lines, names = lines + more[0], names + more[1]
        ax.legend(lines, names)
        return ax

    def __repr__(self) -> str:
        curves: list[tuple[str, list[float]]] = [("loss", self.loss)]
        curves += [("validation_loss", self.validation_loss), *self.metrics.items()]
        parts = [f"epochs={len(self.loss)}"]
        parts += [f"{name}={curve[-1]:.6g}" for name, curve in curves if curve]
        parts += [f"seconds={self.seconds:.2f}", *["interrupted=True"] * self.interrupted]
        return f"History({', '.join(parts)})"
