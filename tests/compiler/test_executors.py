"""Rows shared out over executors: the numbers of one machine, the same bits in every run, and clear errors."""

from __future__ import annotations

import math
import os
import pickle
import sys
from concurrent.futures import (
    BrokenExecutor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from types import SimpleNamespace

import numpy as np
import pandas
import pytest

import scalargrad as sg
from scalargrad.compiler import executors
from scalargrad.compiler.backends import build
from scalargrad.compiler.native import source_of
from scalargrad.nn import MLP, squared_error

from ..late import Late
from ..structured_programs import layered_case
from . import shaped, structured

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(1000, 3)), RNG.normal(size=1000)


@pytest.fixture(autouse=True)
def _nothing_was_sent():
    executors._sent.clear()
    executors._kept.clear()


def line(w, x, y):
    return sg.square(
        sg.tanh(w["slope"][0] * x[0] + w["slope"][1] * x[1] + w["slope"][2] * x[2] + w["bias"]) - y
    )


W = {"slope": [0.5, -0.25, 1.5], "bias": 0.125}


def by_hand(w, x, y):
    """The squared error of tanh, row by row, and its slopes."""
    a = np.tanh(x @ np.asarray(w["slope"]) + w["bias"])
    dz = 2 * (a - y) * (1 - a * a)
    return (a - y) ** 2, dz[:, None] * x, dz


def nearly(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def check_by_hand(executor, backend, reduce, x=X, y=Y):
    f = sg.compile(line, rows=("x", "y"), reduce=reduce, backend=backend)
    value, gradient = f.value_and_grad(W, x, y, executor=executor)
    values, slopes, biases = by_hand(W, np.array(x), np.array(y))
    share = {"sum": 1, "mean": len(values), None: None}[reduce]
    if reduce is None:
        nearly(value, values)
        nearly(gradient["slope"], slopes)
        nearly(gradient["bias"], biases)
    else:
        nearly(value, values.sum() / share)
        nearly(gradient["slope"], slopes.sum(axis=0) / share)
        nearly(gradient["bias"], biases.sum() / share)
        assert type(gradient["slope"]) is list
    return value, gradient


BACKENDS = ["python", "numpy", "native", "auto"]


@pytest.mark.parametrize("reduce", ["mean", "sum", None])
@pytest.mark.parametrize("backend", BACKENDS)
def test_rows_are_shared_out_over_threads(threads, backend, reduce):
    check_by_hand(threads, backend, reduce)


@pytest.mark.parametrize("reduce", ["mean", "sum", None])
@pytest.mark.parametrize("backend", BACKENDS)
def test_rows_are_shared_out_over_processes(processes, backend, reduce):
    check_by_hand(processes, backend, reduce)
    check_by_hand(processes, backend, reduce)  # what was sent is known now


@pytest.mark.parametrize("backend", BACKENDS)
def test_bits_are_the_same_in_every_order_and_with_every_executor(threads, processes, backend):
    found = [
        pickle.dumps(check_by_hand(executor, backend, "mean"))
        for executor in (threads, processes, *map(Late, range(5)))
    ]
    assert len({*found}) == 1


@pytest.mark.parametrize("count", [1, 2, 3, 15, 16, 17, 33, 999])
@pytest.mark.parametrize("backend", ["python", "numpy"])
def test_any_number_of_rows_will_do(threads, backend, count):
    check_by_hand(threads, backend, "mean", X[:count], Y[:count])
    check_by_hand(Late(1), backend, None, X[:count].tolist(), Y[:count].tolist())


def test_the_cut_depends_on_the_rows_alone():
    for rows, width in [
        (1, 1),
        (5, 3),
        (16, 1),
        (17, 1),
        (100_000, 2),
        (300_000, 100),
        (1000, 1 << 18),
    ]:
        cuts = executors.cut(rows, width)
        sizes = [end - begin for begin, end in pairwise(cuts)]
        assert (cuts[0], cuts[-1]) == (0, rows)
        assert max(sizes) - min(sizes) <= 1 <= min(sizes)
        assert len(sizes) >= min(rows, 16)
        assert max(sizes) <= executors.ROWS
        assert max(sizes) == 1 or (max(sizes) - 1) * width <= executors.NUMBERS


CONTAINERS = {
    "lists": (list, lambda rows: rows.tolist()),
    "arrays": (np.ndarray, np.array),
    "float32": (np.ndarray, lambda rows: rows.astype(np.float32)),
    "whole numbers": (np.ndarray, lambda rows: (rows * 9).astype(int)),
    "tuples": (tuple, lambda rows: tuple(rows.tolist())),
    "frames": (np.ndarray, pandas.DataFrame),
    "every other": (np.ndarray, lambda rows: np.repeat(rows, 2, axis=0)[::2]),
}


@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
@pytest.mark.parametrize("name", CONTAINERS)
def test_results_come_in_the_containers_that_they_came_in_without_executor(threads, backend, name):
    _, made = CONTAINERS[name]
    x, w = made(X[:50]), made(X[50:52])
    f = sg.compile(
        lambda w, x: sg.tanh(sg.dot(w[0], x)) + sg.dot(w[1], x),
        wrt=(0, 1),
        rows="x",
        backend=backend,
    )
    value, slopes = f.value_and_grad(w, x)
    for executor in (threads, Late(0)):
        found, gradients = f.value_and_grad(w, x, executor=executor)
        assert type(found) is type(value)
        nearly(found, value)
        for ours, theirs in zip(gradients, slopes):
            assert type(ours) is type(theirs)
            assert np.shape(ours) == np.shape(theirs)
            nearly(np.array(ours), np.array(theirs))


@pytest.mark.parametrize("reduce", ["mean", "sum", None])
@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
def test_slopes_by_rows_and_by_what_is_not_read(threads, backend, reduce):
    def function(w, unread, x, y):
        return w * sg.exp(x[0]) * x[1]

    f = sg.compile(function, wrt=(0, 1, 2, 3), rows=("x", "y"), reduce=reduce, backend=backend)
    given = 0.5, [1.0, 2.0], X, Y
    for executor in (threads, Late(0)):
        value, slopes = f.value_and_grad(*given, executor=executor)
        expected, others = f.value_and_grad(*given)
        nearly(value, expected)
        for ours, theirs in zip(slopes, others):
            nearly(ours, theirs)
    share = 1000 if reduce == "mean" else 1
    nearly(np.array(slopes[2])[:, 0] * share, 0.5 * np.exp(X[:, 0]) * X[:, 1])


def cubed(x):
    return x * x * x


def cubed_slope(x):
    if x > 3.5:
        raise LookupError(f"no slope is known at {x}")
    return 3.0 * x * x


def test_operations_of_ones_own_are_made_where_the_rows_go(processes):
    quartic = sg.custom_op("quartic_for_executors", "s * s", "4.0 * x * s", work=("s = x * x",))
    cube = sg.custom_op("cube_for_executors", cubed, cubed_slope)
    for op, power in ((quartic, 4), (cube, 3)):
        f = sg.compile(lambda w, x, op=op: op(w * x), rows="x", reduce="sum")
        value, slope = f.value_and_grad(0.5, Y, executor=processes)
        nearly(value, ((0.5 * Y) ** power).sum())
        nearly(slope, (power * (0.5 * Y) ** (power - 1) * Y).sum())


def test_functions_that_no_other_process_has_are_refused_by_name(processes, threads, monkeypatch):
    monkeypatch.delitem(sys.modules, "cloudpickle", raising=False)
    own = sg.custom_op("own_for_executors", lambda x: 2.0 * x, lambda x: 2.0)
    f = sg.compile(lambda w, x: own(w * x), rows="x")
    assert f.value_and_grad(0.5, [1.0, 3.0], executor=threads) == (2.0, 4.0)
    with pytest.raises(
        TypeError, match="lambda cannot be sent to another process: an operation of its own"
    ):
        f.value_and_grad(0.5, [1.0, 3.0], executor=processes)


@pytest.mark.parametrize("name", ["threads", "processes", "late"])
def test_a_worker_that_fails_gives_its_own_error(request, name):
    executor = Late(3) if name == "late" else request.getfixturevalue(name)
    cube = sg.custom_op("cube_for_executors", cubed, cubed_slope)
    f = sg.compile(lambda w, x: cube(w * x), rows="x", reduce="sum", backend="python")
    x = [1.0] * 40 + [4.0] * 3 + [5.0] + [1.0] * 4
    with pytest.raises(LookupError, match=r"no slope is known at 4\.0") as caught:
        f.value_and_grad(1.0, x, executor=executor)
    (note,) = caught.value.__notes__
    assert note.startswith("in lambda, rows 39 to 41 of 48, by a worker of ")
    assert f.value_and_grad(0.5, x, executor=executor)[0] == f(0.5, x)  # and is none the worse


def dying(x):
    if x > 3.5:
        os._exit(3)
    return x


def one(x):
    return 1.0


DEATH = r"a worker of {} died while it computed lambda, and left no error: .* Make a new executor"


def test_a_worker_that_dies_gives_a_clear_error():
    die = sg.custom_op("dying_for_executors", dying, one)
    f = sg.compile(lambda w, x: die(w * x), rows="x", reduce="sum", backend="python")
    x = [1.0] * 20 + [4.0] + [1.0] * 20
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert f.value_and_grad(0.5, x, executor=executor) == (22.0, 44.0)
        for _ in range(2):  # a pool that is broken says it again
            with pytest.raises(BrokenProcessPool, match=DEATH.format("ProcessPoolExecutor")):
                f.value_and_grad(1.0, x, executor=executor)


def test_what_does_not_change_is_sent_once():
    f = sg.compile(lambda w, k, x: sg.dot(k, x) * w, rows="x", backend="numpy")
    x, k = np.random.default_rng(1).normal(size=(160, 500)), np.arange(500.0)
    sizes = []
    for call in range(3):
        executor = Late(call)
        value, _ = f.value_and_grad(0.5 + call, k, x, executor=executor)
        nearly(value, (x @ k).mean() * (0.5 + call))
        sizes.append(executor.sent)
    assert len(sizes[0]) == len(sizes[1]) == len(sizes[2]) == 16
    assert min(sizes[0]) > 10 * 500 * 8
    assert max(sizes[1] + sizes[2]) < 1000


@pytest.mark.parametrize("made", [np.array, lambda x: np.repeat(x, 2)[::2], list])
def test_numbers_that_changed_in_place_are_sent_again(made):
    f = sg.compile(lambda w, k, x: w * k[0] * x, rows="x")
    k, x = np.array([2.0]), made(np.arange(20.0))
    for _ in range(3):
        k += 1.0
        x[3] += 1.0
        nearly(
            f.value_and_grad(0.5, k, x, executor=Late(0)),
            (0.5 * k[0] * np.mean(x), k[0] * np.mean(x)),
        )


def test_a_worker_that_lacks_something_gets_it():
    f = sg.compile(line, rows=("x", "y"))
    expected = f.value_and_grad(W, X, Y, executor=Late(0))
    assert len(executors._kept) == 18  # the function, what is no row, and 16 pieces
    for key in [*executors._kept][::2]:
        del executors._kept[key]
    assert f.value_and_grad(W, X, Y, executor=Late(1)) == expected
    assert len(executors._kept) == 18


def test_a_worker_keeps_the_latest_only():
    f = sg.compile(line, rows=("x", "y"))
    for i in range(8):
        f.value_and_grad(W, X + i, Y, executor=Late(i))
        assert len(executors._kept) <= 4 * 18


def test_modules_and_captured_values_reach_the_workers(processes):
    net, shift = MLP(3, [4, 1], activation="tanh", seed=0), sg.Value(0.25)
    f = sg.compile(lambda net, x, y: squared_error(net(x) + shift, y), rows=("x", "y"))
    for given in (net.state(), net):
        shift.data += 1.0
        value, gradient = f.value_and_grad(given, X, Y, executor=processes)
        expected, slopes = f.value_and_grad(given, X, Y)
        nearly(value, expected)
        assert {*gradient} == {*slopes}
        for name, slope in slopes.items():
            nearly(gradient[name], slope)


def test_a_deep_function_reaches_the_workers(processes):
    def deep(w, x):
        for _ in range(3000):
            x = x * w + 0.001
        return x

    f = sg.compile(deep, rows="x", backend="python")
    nearly(f.value_and_grad(0.5, Y[:20], executor=processes), f.value_and_grad(0.5, Y[:20]))


def test_conditions_and_shared_steps_reach_the_workers():
    def function(w, x):
        return sg.where((x > 0.0) & (w * x < 1.0), sg.exp(w * x), sg.exp(w * x) * 2.0) + sg.max(
            [w, x]
        )

    for backend in ("python", "numpy"):
        f = sg.compile(function, rows="x", backend=backend)
        nearly(f.value_and_grad(0.5, Y, executor=Late(0)), f.value_and_grad(0.5, Y))


def test_entries_that_are_one_parameter_have_one_slope_from_workers_too():
    model = MLP(3, [2, 1], seed=1)
    first, second = model.layers[0].neurons
    second.w = (first.w[1], *second.w[1:])

    for backend in ("python", "numpy"):
        f = sg.compile(lambda model, x: model(x), rows="x", backend=backend)
        _, slopes = f.value_and_grad(model, X, executor=Late(0))
        _, expected = f.value_and_grad(model, X)
        assert slopes["W1"][1][0] == slopes["W1"][0][1]
        nearly(slopes["W1"], expected["W1"])


REFUSED = [
    (None, ([], []), None, ValueError, "x and y have no rows"),
    (None, (X, Y[:5]), None, ValueError, "must have the same number of them: x has 1000, y has 5"),
    ("Executor", (X, Y), None, TypeError, r"executor must be an executor of concurrent.futures, got str: write ThreadPoolExecutor\(\)"),
    (ThreadPoolExecutor, (X, Y), None, TypeError, r"got the class ThreadPoolExecutor: write ThreadPoolExecutor\(\)"),
    (None, (X[0], Y[0]), (), ValueError, r"an executor shares out rows, and line has none: .* compile\(f, rows=\('x', 'y'\)\)"),
]  # fmt: skip


@pytest.mark.parametrize(("executor", "given", "rows", "kind", "text"), REFUSED)
def test_what_cannot_be_shared_out_is_refused(executor, given, rows, kind, text):
    f = sg.compile(line, rows=("x", "y") if rows is None else rows)
    with pytest.raises(kind, match=text):
        f.value_and_grad(W, *given, executor=executor or Late(0))


def test_an_executor_that_was_shut_down_says_so():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(RuntimeError, match="shutdown"):
        sg.compile(line, rows=("x", "y")).value_and_grad(W, X, Y, executor=executor)


def test_one_without_a_compiler_takes_arrays(monkeypatch):
    f = sg.compile(line, rows=("x", "y"))
    traces, contents = f._ready((W, X, Y), {})
    work = executors.Work(traces.program, "line", "sum", ("native", "numpy"))
    for kind in ("NativeFunction", "NumpyFunction"):
        there = pickle.loads(pickle.dumps(work))
        nearly(there(contents)[0], by_hand(W, X, Y)[0].sum())
        assert type(there._function).__name__ == kind
        monkeypatch.setattr("scalargrad.compiler.machine.compiler", lambda: None)


def test_rows_that_are_kept_are_known_by_being_the_same_objects(threads):
    traces, (*given, x, y) = sg.compile(line, rows=("x", "y"))._ready((W, X, Y), {})
    shared = executors.SharedOut(traces.program, "line", "mean", ("numpy",), keeps=True)
    for _ in range(2):
        for rows in (x, x + 1.0):
            nearly(shared(threads, [*given, rows, y])[0], by_hand(W, rows, Y)[0].mean())


@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
def test_overflow_is_total_in_pieces_and_between_them(threads, backend):
    f = sg.compile(lambda w, x: w * sg.exp(x), rows="x", reduce="sum", backend=backend)
    x = [1.0] * 20 + [1000.0] + [1.0] * 20
    assert f.value_and_grad(1.0, x, executor=threads) == (math.inf, math.inf)
    g = sg.compile(lambda w, x: w * x, rows="x", reduce="sum", backend=backend)
    assert math.isnan(
        g.value_and_grad(1.0, [math.inf] * 20 + [-math.inf] * 20, executor=threads)[0]
    )
    assert g.value_and_grad(1.0, [1e308] * 40, executor=threads) == (math.inf, math.inf)


def test_dask_shares_out_over_its_workers(dask_client):
    executor = dask_client.get_executor()
    for backend in ("python", "numpy", "native"):
        found = [
            pickle.dumps(check_by_hand(e, backend, "mean")) for e in (executor, executor, Late(0))
        ]
        assert len({*found}) == 1
    f = sg.compile(lambda w, x: sg.dot(w, x), rows="x", reduce="sum")
    large = np.arange(1_800_000.0).reshape(9_000, 200)  # 14 MB: of a task so large Dask warns
    _, slopes = f.value_and_grad([1.0] * 200, large, executor=executor)
    nearly(slopes, large.sum(axis=0))
    models = MLP(3, [2, 1], seed=0), MLP(3, [2, 1], seed=0)
    losses = [m.fit(X, Y, epochs=3, executor=e).loss for m, e in zip(models, (executor, Late(1)))]
    assert losses[0] == losses[1]
    own = sg.custom_op("own_on_dask", lambda x: 2.0 * x, lambda x: 2.0)
    f = sg.compile(lambda w, x: own(w * x), rows="x")
    assert f.value_and_grad(0.5, [1.0, 3.0], executor=executor) == (2.0, 4.0)
    cube = sg.custom_op("cube_for_executors", cubed, cubed_slope)
    f = sg.compile(lambda w, x: cube(w * x), rows="x", backend="python")
    with pytest.raises(LookupError, match=r"no slope is known at 4\.0"):
        f.value_and_grad(1.0, [1.0, 4.0], executor=executor)
    die = sg.custom_op("dying_for_executors", dying, one)
    f = sg.compile(lambda w, x: die(w * x), rows="x", backend="python")
    with pytest.raises(BrokenExecutor, match=DEATH.format("ClientExecutor")):
        f.value_and_grad(1.0, [1.0, 4.0], executor=executor)


def test_ones_own_future_is_enough():
    """Ray's and others': an object with submit, of which result() is asked."""
    f = sg.compile(line, rows=("x", "y"), backend="python")

    def submit(fn, *args):
        return SimpleNamespace(result=lambda: fn(*args), cancel=lambda: None)

    executor = SimpleNamespace(submit=submit)
    found = f.value_and_grad(W, X, Y, executor=executor)
    assert found == f.value_and_grad(W, X, Y, executor=Late(0))

    class WorkerCrashedError(Exception):
        """As Ray's."""

    def crash(fn, *args):
        raise WorkerCrashedError

    executor.submit = crash
    with pytest.raises(
        BrokenExecutor,
        match=r"a worker of SimpleNamespace died while it computed line, and left no error",
    ):
        f.value_and_grad(W, X, Y, executor=executor)


def test_machine_code_is_taken_after_calls_and_not_for_what_lies_on_a_disk(monkeypatch):
    def asked(*_):
        raise AssertionError("the bits of a call would depend on it")

    def made(*given):
        taken.append(given[3])
        return shared_out(*given)

    taken, shared_out = [], executors.SharedOut
    monkeypatch.setattr(executors, "SharedOut", made)
    monkeypatch.setattr("scalargrad.compiler.native.has_code", asked)
    monkeypatch.setattr("scalargrad.compiler.machine.is_made", asked)
    monkeypatch.setattr("scalargrad.compiler.backends.LOADING", 1e-3)
    monkeypatch.setattr("scalargrad.compiler.backends.MAKING", 1e-3)
    monkeypatch.setattr("scalargrad.compiler.backends.OF_A_VECTOR", 0.0)
    found = set()
    for _ in range(2):
        f = sg.compile(line, rows=("x", "y"))
        bits = [pickle.dumps(f.value_and_grad(W, X, Y, executor=Late(0))) for _ in range(200)]
        found.add((*bits,))
    assert taken == [("numpy",), ("native", "numpy")] * 2
    assert len(found) == 1


def test_what_is_not_needed_any_more_is_cancelled():
    open_, cancelled = [], []

    def submit(fn, *args):
        if len(open_) == 5:
            raise KeyboardInterrupt
        open_.append(
            SimpleNamespace(result=lambda: None, cancel=partial(cancelled.append, len(open_)))
        )
        return open_[-1]

    with pytest.raises(KeyboardInterrupt):
        sg.compile(line, rows=("x", "y")).value_and_grad(
            W, X, Y, executor=SimpleNamespace(submit=submit)
        )
    assert cancelled == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("made", [structured.case, shaped.case, layered_case])
def test_programs_arrive_as_they_were(made):
    for seed in range(6):
        case = made(seed)
        traces, _ = sg.compile(case.fn, **case.options)._ready(tuple(case.args), {})
        kind, reduce = traces.kinds[-1], traces.reduce
        packed = pickle.loads(pickle.dumps(executors.packed(traces.program)))
        before, after = (
            (
                build("python", program, "f", kind, reduce).source,
                source_of(program, kind, reduce).text,
            )
            for program in (traces.program, executors.unpacked(*packed))
        )
        assert before == after
        same = traces.program.same.items()
        place = traces.program.steps.index
        again = executors.unpacked(*packed)
        assert [(place(x), place(y)) for x, y in same] == [
            (again.steps.index(x), again.steps.index(y)) for x, y in again.same.items()
        ]
