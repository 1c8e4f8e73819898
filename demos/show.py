"""Tools that the demos share: options, the part of answers that is right, writing of pictures."""

from __future__ import annotations

import argparse
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scalargrad import History, Module, draw, plot_decision_boundary


def options(doc: str | None, epochs: int | None = None) -> argparse.ArgumentParser:
    """A parser with the options that the demos share; its help shows the demo's docstring."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if epochs is not None:
        about_epochs = f"how often to go through the data (default {epochs})"
        parser.add_argument("--epochs", type=at_least_one, default=epochs, help=about_epochs)
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default 0)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="a folder (default out)")
    parser.add_argument("--open", action="store_true", help="open the pictures in the browser")
    return parser


def at_least_one(text: str) -> int:
    """A whole number from 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few, expected 1 or more")
    return number


def loss_as_it_falls(epochs: int, lines: int = 10) -> Callable[[int, History, Any], None]:
    """A callback for `fit` that prints the loss some ten times, and after the last epoch."""
    every = max(1, epochs // lines)

    def callback(epoch: int, history: History, model: Any) -> None:
        if epoch % every == 0 or epoch == epochs - 1:
            print(f"epoch {epoch + 1:6,}   loss {history.loss[-1]:.6f}")

    return callback


def accuracy(model: Module, X: Sequence[Any], labels: Sequence[int]) -> float:
    """The share of rows whose output is on the side of ½ where the label, 0 or 1, is."""
    answers = zip(model.predict(X), labels, strict=True)
    return sum((output > 0.5) == (label == 1) for output, label in answers) / len(labels)


def write_graph(root: Any, path: Path, open_it: bool = False, collapse: str = "auto") -> None:
    """Draw the graph of a Value; without a Graphviz engine, say how to get one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        draw(root, collapse=collapse).save(path)
    except (RuntimeError, TimeoutError) as error:
        print(f"{'graph':12} not drawn: {error}")
    else:
        report("graph", path, open_it)


def write_curve(history: History, path: Path, open_it: bool = False) -> None:
    """Plot the loss over the epochs."""
    if not history.loss:
        print(f"{'loss curve':12} not drawn: no epoch was finished")
        return
    write_plot("loss curve", history.plot, path, open_it, size=(7, 4))


def write_boundary(model: Module, X: Any, y: Any, path: Path, open_it: bool = False) -> None:
    """Plot the class that a model of two inputs predicts at each point, and the data."""
    write_plot("boundary", lambda ax: plot_decision_boundary(model, X, y, ax), path, open_it)


def write_plot(
    what: str,
    plot: Callable[[Any], object],
    path: Path,
    open_it: bool = False,
    size: tuple[float, float] = (8, 4.5),
) -> None:
    """Let `plot` draw on the Axes of a new figure, and save that; without matplotlib say so."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print(f"{what:12} not drawn: it takes matplotlib (the extra `plot`)")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=size, layout="constrained")  # belongs to no window: needs no display
    plot(figure.subplots())
    figure.savefig(path)
    report(what, path, open_it)


def report(what: str, path: Path, open_it: bool) -> None:
    print(f"{what:12} {path}")
    if open_it:
        webbrowser.open(path.resolve().as_uri())
