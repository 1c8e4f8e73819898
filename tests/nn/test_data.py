"""Rows as people keep them, and what is said of rows that cannot be used; the History; the progress line."""

from __future__ import annotations

import sys
from fractions import Fraction

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from scalargrad import Value
from scalargrad.nn import History, Neuron, progress
from scalargrad.nn.rows import as_array, rows

mpl.use("Agg")
nan, inf = float("nan"), float("inf")
TABLE = [(1.0, 2.0), (3.0, 4.0)]


# ------------------------------------------------------------------ rows


@pytest.mark.parametrize(
    "data",
    [
        [[1, 2], [3, 4]], ((1, 2), (3, 4)), [(1.0, 2), [3, 4.0]], np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]], dtype=np.float32),
        [np.array([1, 2]), np.array([3, 4])], pd.DataFrame({"a": [1, 3], "b": [2.0, 4.0]}),
        pd.DataFrame({"a": [1, 3], "b": [2, 4]}, index=[7, 9]),
        [pd.Series([1, 2]), pd.Series([3, 4])], zip([1, 3], [2, 4], strict=True), [[np.int8(1), Fraction(2)], [np.float64(3), 4]],
        np.array([[1, 2], [3, 4]], dtype=object),
    ],
    ids=lambda data: type(data).__name__,
)  # fmt: skip
def test_rows_may_be_kept_in_many_ways(data):
    read = rows(data, "X")
    assert read == TABLE
    assert {type(item) for row in read for item in row} == {float}


@pytest.mark.parametrize("last", [
    (3, 4.0), [True, False], (np.float32(3), 4.5), (2**62 + 1, -0.0), (5e-324, 1e308),
    (3.0,), (3.0, 4.0, 5.0), (3.0, nan), (3.0, inf), (3.0, None), (3.0, "4"), (3.0, 10**400), (3.0, Value(4.0)), (3.0, [4.0]),
    "34", {3.0: 1, 4.0: 2}, np.array([3.0, 4.0]), 3.0,
], ids=repr)  # fmt: skip
def test_lists_become_the_array_that_their_rows_are(last):
    table = [(1.0, 2.0), last]
    try:
        expected = [[*row] for row in rows(table, "X")]
    except (TypeError, ValueError):
        assert as_array(table) is None
    else:
        found = as_array(table)
        assert found.dtype == float
        assert found.tolist() == expected
        assert np.signbit(found).tolist() == np.signbit(expected).tolist()


@pytest.mark.parametrize(
    "data",
    [
        [1, 0],
        (True, False),
        np.array([1, 0]),
        pd.Series([1.0, 0.0], index=[5, 6]),
        iter([1, 0]),
        np.array([True, False]),
    ],
    ids=["list", "tuple", "array", "series", "iterator", "bools"],
)
def test_rows_of_one_number_may_be_flat(data):
    read = rows(data, "y")
    assert read == [1.0, 0.0]
    assert {type(item) for item in read} == {float}


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        ([], ValueError, "X has no rows"),
        (np.zeros((0, 2)), ValueError, "X has no rows"),
        ([[], []], ValueError, "row 0 of X is empty"),
        (
            [[1, 2], [3]],
            ValueError,
            "row 1 of X is a list of 1, row 0 a list of 2: all rows must be alike",
        ),
        ([1, [2]], ValueError, "row 1 of X is a list of 1, row 0 a number: all rows must be alike"),
        (
            [[1, 2], [3, nan]],
            ValueError,
            "row 1 of X has nan in column 1: leave such rows out, or fill them in",
        ),
        ([1, 2, nan], ValueError, "row 2 of X is nan"),
        (np.array([[inf, 1.0]]), ValueError, "row 0 of X has inf in column 0"),
        (
            pd.DataFrame({"a": [1.0, None]}),
            ValueError,
            r"row 1 of X has nan in column 0 \('a'\): leave such rows out, or fill them in",
        ),
        (
            ["red", "blue"],
            TypeError,
            "row 0 of X must be a number or a list of numbers, got str: give the classes numbers, 0, 1, 2",
        ),
        (
            [[1, 2], [1, "a"]],
            TypeError,
            "row 1 of X takes a real number, got str 'a' in column 1: encode that column as numbers",
        ),
        (
            pd.DataFrame({"age": [1.0], "city": ["Paris"]}),
            TypeError,
            r"row 0 of X takes a real number, got str 'Paris' in column 1 \('city'\): encode that",
        ),
        ([["1", "2.5"]], TypeError, "got str '1' in column 0: write 1.0$"),
        ([[1.0, None]], TypeError, "got NoneType None in column 1: leave such rows out"),
        ([[10**400, 1]], ValueError, "row 0 of X has inf in column 0"),
        ([[[1.0]]], TypeError, "row 0 of X takes a real number, got list"),
        ([None], TypeError, "row 0 of X must be a number or a list of numbers, got NoneType"),
        ([Value(1.0)], TypeError, "row 0 of X must be a number or a list of numbers, got Value"),
        ([{"a": 1}], TypeError, "row 0 of X must be a number or a list of numbers, got dict"),
        ({"a": [1]}, TypeError, "X must be a list of rows or an array, got dict"),
        ("12", TypeError, "X must be a list of rows or an array, got str"),
        (5, TypeError, "X must be a list of rows or an array, got int"),
        (np.array(5.0), TypeError, "X must be a list of rows or an array, got float"),
        (None, TypeError, "X must be a list of rows or an array, got NoneType"),
    ],
)
def test_rows_that_cannot_be_used_are_named(data, error, text):
    with pytest.raises(error, match=text):
        rows(data, "X")


def test_very_large_numbers_are_finite_though_their_sum_is_not():
    assert rows([[1.7e308, 1.7e308], [-1.7e308, 5]], "X")[0] == (1.7e308, 1.7e308)


def test_fit_and_predict_read_rows_alike():
    X = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 1.0]})
    y = pd.Series([1.0, 2.0, 3.0], index=[4, 5, 6])
    runs = []
    for inputs, targets in (
        (X, y),
        (X.to_numpy(), y.to_numpy()),
        (X.to_numpy().tolist(), y.tolist()),
        (X, y.to_frame()),
    ):
        model = Neuron(2, activation="tanh", seed=0)
        runs.append((model.fit(inputs, targets, lr=0.1, epochs=3).loss, [*model.predict(inputs)]))
    assert runs == [runs[0]] * 4


# ------------------------------------------------------------------ history


def history_of(loss, validation=(), interrupted=False):
    history = History()
    history.loss, history.validation_loss, history.seconds, history.interrupted = (
        list(loss),
        list(validation),
        1.5,
        interrupted,
    )
    return history


def test_history_is_shown_on_one_line():
    assert repr(history_of([1.0, 0.25])) == "History(epochs=2, loss=0.25, seconds=1.50)"
    assert (
        repr(history_of([1 / 3], [0.5], True))
        == "History(epochs=1, loss=0.333333, validation_loss=0.5, seconds=1.50, interrupted=True)"
    )
    assert repr(History()) == "History(epochs=0, seconds=0.00)"


@pytest.mark.parametrize("given", [False, True])
def test_plot_returns_axes_with_curves_labels_and_legend(given):
    from matplotlib import pyplot

    try:
        ax = pyplot.subplots()[1] if given else None
        axes = history_of([3.0, 2.0, 1.0], [4.0, 3.0, 2.0]).plot(ax)
        assert ax is None or axes is ax
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
        assert [text.get_text() for text in axes.get_legend().get_texts()] == [
            "training",
            "validation",
        ]
        training, validation = axes.get_lines()
        assert (list(training.get_xdata()), list(training.get_ydata())) == (
            [1, 2, 3],
            [3.0, 2.0, 1.0],
        )
        assert list(validation.get_ydata()) == [4.0, 3.0, 2.0]
        axes.figure.canvas.draw()
    finally:
        pyplot.close("all")


def test_plot_without_validation_has_one_curve():
    from matplotlib.figure import Figure

    axes = history_of([1.0]).plot(Figure().subplots())
    assert len(axes.get_lines()) == 1
    assert axes.get_lines()[0].get_marker() == "o"


def test_plot_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ImportError,
        match=r"history\.plot needs matplotlib, the 'plot' extra: pip install matplotlib",
    ):
        history_of([1.0]).plot()


def test_plot_of_an_empty_history_is_refused():
    with pytest.raises(ValueError, match="the history has no epoch to plot"):
        History().plot()


# ------------------------------------------------------------------ progress


def train(**settings):
    return Neuron(1, activation=None, init="zeros").fit(
        [1.0, 2.0], [2.0, 4.0], lr=0.1, epochs=3, progress=True, **settings
    )


@pytest.fixture
def terminal(monkeypatch):
    """A stand-in for stderr that passes for a terminal."""
    monkeypatch.setattr(progress, "_can_overwrite", lambda: True)


def test_progress_is_a_tqdm_bar_of_steps(capsys, terminal):
    history = train(batch_size=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch 3/3" in err
    assert "6/6" in err
    assert "loss" in err
    assert len(history.loss) == 3


def test_progress_without_tqdm_is_a_line(capsys, monkeypatch, terminal):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    history = train()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("\repoch 1/3  loss 10 ")
    assert f"\repoch 3/3  loss {history.loss[-1]:.6g} " in err
    assert err.endswith("\n")


def test_the_line_is_written_a_few_times_a_second_and_covers_what_stood_there(capsys, monkeypatch):
    clock = iter([0.0, 0.0, 0.1, 0.2, 0.3, 0.31, 0.6])
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    line = progress.Line(6)
    for epoch, loss in enumerate([0.123456, 9.0, 9.0, 1.0, 9.0, 2.0]):
        line.advance(1, epoch, loss)
    line.close()
    shown = capsys.readouterr().err.split("\r")[1:]
    assert [text.split(" s")[0] for text in shown] == [
        "epoch 1/6  loss 0.123456  0",
        "epoch 4/6  loss 1  0",
        "epoch 6/6  loss 2  1",
        "epoch 6/6  loss 2  1",
    ]
    assert len(shown[1]) == len(shown[0])


@pytest.mark.parametrize("count", [10, 2000])  # few rows are read one by one, many as an array
def test_what_only_turns_into_a_float_is_no_number_in_a_row_among_few_or_many(count):
    class Turns:
        def __float__(self):
            return 3.0

    table = [[1.0, 2.0] for _ in range(count)]
    table[5][0] = Turns()
    with pytest.raises(TypeError, match="row 5 of X takes a real number, got Turns"):
        Neuron(2).predict(table)
    table[5][0] = Fraction(9, 2)
    assert Neuron(2, activation=None, init="zeros").predict(table)[5] == 0.0


def test_progress_in_a_file_is_lines(capsys):
    train(batch_size=1)
    lines = capsys.readouterr().err.splitlines(keepends=True)
    assert all(line.startswith("epoch ") and line.endswith(" s\n") for line in lines)
    assert "\r" not in "".join(lines)
    assert [line[:9] for line in lines] == ["epoch 1/3", "epoch 3/3"]


def test_progress_without_stderr_shows_nothing(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)  # a window without a console
    train(batch_size=1)
    assert capsys.readouterr().out == ""


def test_lines_are_one_a_second_at_most_and_no_two_of_one_epoch(capsys, monkeypatch):
    clock = iter([0.0, 0.0, 1.5, 3.0, 3.1, 4.0, 4.2])
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    lines = progress.Lines(3)
    for epoch in [0, 0, 1, 1, 2, 2]:
        lines.advance(1, epoch, 0.5)
    lines.close()
    shown = capsys.readouterr().err.splitlines()
    assert shown == [f"epoch {i}/3  loss 0.5  {s} s" for i, s in [(1, 0), (2, 3), (3, 4)]]


def test_progress_ends_its_line_when_training_is_interrupted(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)

    def callback(epoch, history, model):
        raise KeyboardInterrupt

    assert train(callback=callback).interrupted
    assert capsys.readouterr().err.endswith("\n")


def test_without_progress_nothing_is_written(capsys):
    Neuron(1).fit([1.0], [2.0], lr=0.1, epochs=2)
    assert capsys.readouterr() == ("", "")
