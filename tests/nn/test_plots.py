"""Plots of decision boundaries: what is drawn is what the model predicts."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from scalargrad import plot_decision_boundary

figure = pytest.importorskip("matplotlib.figure")
X = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0], [0.2, 0.9]])


class Model:
    """Outputs by a function of rows."""

    def __init__(self, f):
        self.predict = lambda grid: f(np.asarray(grid))


def new_axes():
    return figure.Figure().subplots()


def lines(ax):
    """The points of the boundary."""
    return np.concatenate([path.vertices for c in ax.collections for path in c.get_paths()
                           if len(c.get_edgecolor()) and tuple(c.get_edgecolor()[0]) == (0, 0, 0, 1)])  # fmt: skip


@pytest.mark.parametrize(
    ("y", "threshold", "level"), [([0, 1, 0, 1, 1], None, 0.5), ([-1, 1, -1, 1, 1], None, 0.0), ([0, 1, 0, 1, 1], 0.25, 0.25)]
)  # fmt: skip
def test_the_line_lies_where_the_output_is_the_threshold(y, threshold, level):
    ax = plot_decision_boundary(
        Model(lambda rows: rows[:, 1] - 0.1 * rows[:, 0]), X, y, new_axes(), threshold
    )
    found = lines(ax)
    assert len(found) > 10
    np.testing.assert_allclose(found[:, 1] - 0.1 * found[:, 0], level, atol=1e-9)


@pytest.mark.parametrize(
    "y", [[0, 2, 0, 1, 1], np.eye(3)[[0, 2, 0, 1, 1]]], ids=["numbers", "one-hot"]
)
def test_of_several_outputs_the_largest_is_drawn(y):
    model = Model(lambda rows: np.stack([-rows[:, 0], rows[:, 0], rows[:, 1] - 2.0], axis=1))
    ax = plot_decision_boundary(model, X, y, new_axes())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1", "2"]
    offsets = [len(c.get_offsets()) for c in ax.collections if c.get_label() in ("0", "1", "2")]
    assert offsets == [2, 2, 1]
    (mesh,) = [c for c in ax.collections if type(c).__name__ == "QuadMesh"]
    corners = mesh.get_coordinates()
    middles = (corners[1:, 1:] + corners[:-1, :-1]).reshape(-1, 2) / 2
    assert (mesh.get_array().ravel() == model.predict(middles).argmax(axis=1)).all()


def test_a_data_frame_names_the_axes():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["height", "weight"])
    ax = plot_decision_boundary(Model(lambda rows: rows[:, 0]), frame, [0, 0, 1, 1, 1], new_axes())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("height", "weight")


@pytest.mark.parametrize(
    ("rows", "y", "text"),
    [
        ([[1, 2, 3]], [0], "draws the plane of two inputs, X has 3 columns"),
        ([1.0, 2.0], [0, 1], "draws the plane of two inputs, X has a number a row"),
        (X, [0, 1], "X has 5 rows and y 2"),
        ([[1.0, float("nan")]], [0], "row 0 of X has nan in column 1"),
    ],
)
def test_bad_input_says_what_is_wrong(rows, y, text):
    with pytest.raises(ValueError, match=text):
        plot_decision_boundary(Model(lambda rows: rows[:, 0]), rows, y)


def test_what_is_no_model_or_resolution_is_refused():
    with pytest.raises(TypeError, match=r"takes a model that predicts, got ndarray: write plot"):
        plot_decision_boundary(X, [0, 1, 0, 1, 1], None)
    with pytest.raises(ValueError, match="resolution must be 2 or more, got 1"):
        plot_decision_boundary(Model(lambda rows: rows), X, [0, 1, 0, 1, 1], resolution=1)


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ImportError, match="plot_decision_boundary needs matplotlib, the 'plot' extra"
    ):
        plot_decision_boundary(Model(lambda rows: rows[:, 0]), X, [0, 1, 0, 1, 1])
