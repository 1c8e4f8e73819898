"""What the demos share: their options, the loss as it falls, and how a graph and a loss curve are written and opened."""

from __future__ import annotations

import argparse
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scalargrad import History, draw


def options(doc: str | None, epochs: int, seed: int) -> argparse.ArgumentParser:
    """A parser with the options that every demo has; what the demo does is its docstring."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--epochs",
        type=at_least_one,
        default=epochs,
        help=f"how often to go through the data (default {epochs})",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=seed,
        help=f"of the first weights and of made data (default {seed})",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out"), help="the folder for what is written (default out)"
    )
    parser.add_argument("--open", action="store_true", help="show what is written in the browser")
    return parser


def at_least_one(text: str) -> int:
    """A whole number from 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few, expected 1 or more")
    return number


def loss_as_it_falls(epochs: int, lines: int = 10) -> Callable[[int, History, Any], None]:
    """A callback for `fit` that prints the loss of every n-th epoch and of the last."""
    every = max(1, epochs // lines)

    def callback(epoch: int, history: History, model: Any) -> None:
        if epoch % every == 0 or epoch == epochs - 1:
            print(f"epoch {epoch + 1:6,}   loss {history.loss[-1]:.6f}")

    return callback


def write_graph(root: Any, path: Path, open_it: bool = False) -> None:
    """Draw the graph of a Value, or the layers of a model; without a Graphviz engine say how to get one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        draw(root).save(path)
    except (RuntimeError, TimeoutError) as error:
        print(f"{'graph':12} not drawn: {error}")
    else:
        report("graph", path, open_it)


def write_curve(history: History, path: Path, open_it: bool = False) -> None:
    """Plot the loss over the epochs; without matplotlib say so."""
    if not history.loss:
        print(f"{'loss curve':12} not drawn: no epoch was finished")
        return
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print(f"{'loss curve':12} not drawn: it takes matplotlib (the extra `plot`)")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = Figure(
        figsize=(7, 4), layout="constrained"
    )  # belongs to no window: no display is needed
    history.plot(figure.subplots())
    figure.savefig(path)
    report("loss curve", path, open_it)


def report(what: str, path: Path, open_it: bool) -> None:
    print(f"{what:12} {path}")
    if open_it:
        webbrowser.open(path.resolve().as_uri())
