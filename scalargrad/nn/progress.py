"""Shows the progress of training: a tqdm bar if tqdm is installed, else a line.   (floor 3)

If stderr is no terminal but a file, say, it gets at most one line a second, and one an epoch.
"""

from __future__ import annotations

import sys
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Progress(Protocol):
        """Is told the number of new steps, and the epoch and the loss of the last of them."""

        def advance(self, steps: int, epoch: int, loss: float) -> None: ...
        def close(self) -> None: ...


def progress_of(epochs: int, batches: int) -> Progress:
    """A bar or lines that show this many epochs of this many batches."""
    if not _can_overwrite():
        return Lines(epochs)
    try:
        from tqdm import tqdm  # type: ignore[import-untyped]
    except ImportError:
        return Line(epochs)
    return Bar(tqdm(total=epochs * batches, unit=" steps", leave=True), epochs)


def _can_overwrite() -> bool:
    """Whether a line on stderr can be overwritten: in a terminal or a notebook it can."""
    return bool(sys.stderr and sys.stderr.isatty()) or "ipykernel" in sys.modules


class Bar:
    """A tqdm bar that counts optimiser steps."""

    def __init__(self, bar: Any, epochs: int) -> None:
        self.bar, self.epochs = bar, epochs

    def advance(self, steps: int, epoch: int, loss: float) -> None:
        self.bar.set_description_str(f"epoch {epoch + 1}/{self.epochs}", refresh=False)
        self.bar.set_postfix_str(f"loss {loss:.6g}", refresh=False)
        self.bar.update(steps)

    def close(self) -> None:
        self.bar.close()


class Line:
    """A line on stderr that is overwritten, at most four times a second."""

    every = 0.25  # seconds

    def __init__(self, epochs: int) -> None:
        self.epochs, self.text, self.width = epochs, "", 0
        self.start = monotonic()
        self.shown = self.start - self.every

    def advance(self, steps: int, epoch: int, loss: float) -> None:
        now = monotonic()
        self.text = f"epoch {epoch + 1}/{self.epochs}  loss {loss:.6g}  {now - self.start:.0f} s"
        if now - self.shown >= self.every:
            self.shown = now
            self._show()

    def close(self) -> None:
        if self.text:
            self._show(end="\n")

    def _show(self, end: str = "") -> None:
        padding = " " * (self.width - len(self.text))  # hides the rest of a longer line
        self.width = len(self.text)
        print(f"\r{self.text}{padding}", end=end, file=sys.stderr, flush=True)


class Lines(Line):
    """Lines on stderr, at most one a second and one an epoch."""

    every = 1.0  # second
    last = ""  # the epoch that was shown

    def _show(self, end: str = "\n") -> None:
        epoch = self.text.split("  ")[0]
        if epoch != self.last and sys.stderr:
            self.last = epoch
            print(self.text, file=sys.stderr, flush=True)
