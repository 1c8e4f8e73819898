"""Plots on matplotlib's Axes: the decision boundary of a model.   (floor 3)"""

from __future__ import annotations

from ..checks import whole_number
from ..wording import counted
from .rows import checked_array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def axes(ax: Any, asker: str) -> Any:
    """The given Axes, or those of a new figure; ImportError says who needs matplotlib."""
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError(
            f"{asker} needs matplotlib, the 'plot' extra: pip install matplotlib"
        ) from None
    return pyplot.subplots()[1]


def plot_decision_boundary(
    model: Any,
    X: Any,
    y: Any,
    ax: Any = None,
    threshold: float | None = None,
    resolution: int = 200,
) -> Any:
    """Draw the class that a model predicts at each point of a plane, and the data; return the Axes.

    >>> from scalargrad.nn import MLP
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> ax = plot_decision_boundary(MLP(2, [4, 1], output_activation="sigmoid"), X, y)
    >>> ax.get_xlabel(), len(ax.collections) > 2
    ('x1', True)

    model: one with `predict`, of two inputs. A single output is compared with `threshold`; of
        several, the largest says the class.
    X: the rows, two numbers each; the columns of a data frame name the axes.
    y: the class of each row, 0 and 1, or -1 and 1; for several outputs 0, 1, 2, … or one-hot rows.
    threshold: Default 0.5 for classes 0 and 1, else 0; for logits write 0.
    resolution: at how many points along each axis the model predicts.
    """
    import numpy

    if not hasattr(model, "predict"):
        raise TypeError(
            f"plot_decision_boundary takes a model that predicts, got {type(model).__name__}: "
            "write plot_decision_boundary(model, X, y)"
        )
    resolution = whole_number("resolution", resolution, 2)
    table, classes = checked_array(X, "X"), checked_array(y, "y")
    if table.ndim != 2 or table.shape[1] != 2:
        got = "a number a row" if table.ndim == 1 else counted(table.shape[1], "column")
        raise ValueError(f"plot_decision_boundary draws the plane of two inputs, X has {got}")
    if len(table) != len(classes):
        raise ValueError(f"X has {len(table)} rows and y {len(classes)}")
    classes = classes.argmax(axis=1) if classes.ndim == 2 and classes.shape[1] > 1 else classes
    classes = classes.ravel()
    low, high = table.min(axis=0), table.max(axis=0)
    margin = 0.15 * numpy.where(high > low, high - low, 1.0)
    sides = [numpy.linspace(a, b, resolution) for a, b in zip(low - margin, high + margin)]
    grid = numpy.stack(numpy.meshgrid(*sides), axis=-1).reshape(-1, 2)
    out = numpy.asarray(model.predict(grid), dtype=float).reshape(len(grid), -1)
    ax = axes(ax, "plot_decision_boundary")
    shape = resolution, resolution
    if out.shape[1] == 1:
        level = (0.5 if classes.min() >= 0 else 0.0) if threshold is None else threshold
        heights = out.reshape(shape)
        reach = max(float(abs(heights - level).max()), 1e-12)
        edges = level + reach * numpy.linspace(-1.0, 1.0, 21)
        ax.contourf(*sides, heights, levels=edges, cmap="RdBu_r", alpha=0.5)
        ax.contour(*sides, heights, levels=[level], colors="black", linewidths=1)
    else:
        won, count = out.argmax(axis=1).reshape(shape), out.shape[1]
        ax.pcolormesh(*sides, won, cmap=_colors(count), vmin=0, vmax=count - 1, alpha=0.35)
    names = [*getattr(X, "columns", ("x1", "x2"))]
    found = numpy.unique(classes)
    two = {found[0]: "#2166ac", found[-1]: "#b2182b"} if out.shape[1] == 1 else {}
    for i, kind in enumerate(found):
        of_kind = table[classes == kind]
        color = two.get(kind, f"C{int(kind) if out.shape[1] > 1 else i}")
        ax.scatter(*of_kind.T, color=color, edgecolors="white", linewidths=0.5, label=f"{kind:g}")
    ax.set(xlabel=str(names[0]), ylabel=str(names[1]))
    ax.legend(title="class")
    return ax


def _colors(count: int) -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap([f"C{i % 10}" for i in range(count)])
