"""Training and prediction: `fit` and `predict`, the methods of every module.   (floor 3)

On Values the graph of a row lives as long as its backward walk: the slopes of the rows of a batch add up in the parameters, in row
order, so the memory is that of one row, whatever the size of the batch. Where it pays, code is generated and makes the steps.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import cycle, islice
from operator import mul
from time import perf_counter

from .. import modes
from ..arithmetic.lists import add_up
from ..modes import no_grad
from ..trees import is_array
from ..value import Value
from .checks import quoted, random_source, whole
from .eager import NOT_CALLED, Eager, Task
from .history import History
from .losses import loss_function
from .optimizers import Optimizer, optimizer_for
from .progress import progress_of
from .rows import as_array, rows, to_lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .compiled import Generated
    from .eager import Table
    from .optimizers import Rate
    from .parameters import HasParameters
    from .progress import Progress

    Engine = Eager | Generated

ENGINES = ("auto", "eager", "compiled")
REDUCTIONS = ("mean", "sum")
PAYS = 1000  # visits of rows from which on generated code makes up for its making


def fit(
    model: HasParameters,
    X: Any,
    y: Any,
    loss: str | Callable[[Any, Any], Any] = "mse",
    optimizer: Any = "sgd",
    lr: Rate | None = None,
    epochs: int = 100,
    batch_size: int | None = None,
    shuffle: bool = False,
    seed: Any = None,
    validation: tuple[Any, Any] | None = None,
    reduction: str = "mean",
    engine: str = "auto",
    backend: str = "auto",
    progress: bool = False,
    callback: Callable[[int, History, Any], object] | None = None,
    penalty: Callable[[Any], Any] | None = None,
) -> History:
    """Lower the loss over the rows of X and y, step by step, and return the History.

    >>> from scalargrad.nn import Neuron
    >>> line = Neuron(1, activation=None, init="zeros")
    >>> history = line.fit([0, 1, 2], [1, 3, 5], lr=0.2, epochs=200)
    >>> f"{line.w[0]:.6f} x + {line.b:.6f}"
    '2.000000 x + 1.000000'

    A row of X or y is a number or a list of them; X and y are lists, arrays or data frames. `loss` is a name or a
    function of (prediction, target) that gives one Value; `penalty`, a function of the model, is added once a batch;
    `reduction` "mean" or "sum" is over the rows of a batch. `optimizer` is a name or a class, with the rate `lr` (a
    number, a function of the step, or None for the optimiser's own), or a function that takes the parameters and
    returns an optimiser. `batch_size=None` makes one step of all rows; `shuffle` draws a new order each epoch, from
    `seed` or from Python's `random`. `validation` is a pair (X, y) whose loss is taken after each epoch.
    `callback(epoch, history, model)` is called after each epoch, counted from 0; if it returns True, training ends.

    `engine` "eager" makes each step on Values. "compiled" traces model, loss, penalty and the optimiser's update, once, and
    runs code generated of them, by one of the backends of `compile`: the same numbers but for rounding, and the Values hold them
    whenever the callback looks and at the end, their gradients at 0. TraceError where that cannot be: where the loss asks a traced
    number for its value, say. "auto" compiles where it pays and can be done.

    Ctrl-C ends training too: the weights are those of the last whole step (of compiled ones, of the last block of some 30 ms), the
    History is that of the epochs that were finished, with `interrupted` set. FloatingPointError, and unchanged
    weights, where a gradient becomes nan.
    """
    _choices(engine, backend, reduction, penalty=penalty, callback=callback)
    task = Task(model, loss_function(loss), reduction == "mean", penalty)
    table, held = _table(X, y), _validation(validation)
    epochs, n = whole("epochs", epochs), len(table[0])
    rows = n if batch_size is None else min(n, whole("batch_size", batch_size))
    rng = random_source(seed)
    batches = _batches(n, rows, rng if shuffle else None)
    chosen = optimizer_for(optimizer, model.parameters(), lr)
    history, epoch_steps, stops = History(), -(-n // rows), bool(callback or held)
    left, record = epochs * epoch_steps, _Record(history, chosen, n, rows, task.is_mean)
    with _running(
        history, chosen, progress_of(epochs, epoch_steps) if progress else None, record
    ) as bar:
        steps = _engine(
            engine, backend, task, chosen, table, left, epochs if stops else 1, rows, shuffle
        )
        record.engine = None if stops else steps
        while left:
            most = left % epoch_steps or epoch_steps if stops else left
            losses = steps.steps(islice(batches, min(steps.pace, most)))
            left -= len(losses)
            record.add(losses)
            if bar:
                bar.advance(
                    len(losses), (epochs * epoch_steps - left - 1) // epoch_steps, losses[-1]
                )
            totals = record.epochs()
            if not stops:
                history.loss += totals
                continue
            for total in totals:
                history.record(total, steps.loss_of(held) if held else None)
                if callback:
                    if _is_true(callback(len(history.loss) - 1, history, model)):
                        left = 0
                    steps = steps.looked_at()
    return history


def predict(model: Any, X: Any) -> Any:
    """What the model makes of each row of X: a number, or a list of them where it has several outputs.

    An array for an array, a series or a data frame, else a list. Nothing is recorded, and no
    gradient touched. Of many rows the numbers are those of generated code: the same to the bit, or,
    where that would take long and NumPy is installed, to rounding.

    >>> from scalargrad.nn import Neuron
    >>> Neuron(2, activation="sigmoid", init="zeros").predict([[0, 1], [1, 1]])
    [0.5, 0.5]
    """
    if not callable(model):
        raise TypeError(NOT_CALLED.format(type(model).__name__))
    found = None
    if hasattr(X, "__len__") and len(X) >= PAYS and not modes.modes_here.get():
        from .predicting import predicted

        table = as_array(X)
        found = predicted(model, rows(X, "X") if table is None else table)
    if found is None:
        with no_grad():
            found = [_numbers(model(x)) for x in rows(X, "X")]
    if hasattr(X, "to_numpy") or is_array(X):
        from numpy import asarray

        return asarray(found)
    return found.tolist() if hasattr(found, "tolist") else found


def _batches(n: int, rows: int, rng: Any) -> Iterator[list[int]]:
    """The rows of each step, without end: in order, or each epoch in a new one."""
    order = list(range(n))
    batches = [order[i : i + rows] for i in range(0, n, rows)]
    while rng:
        rng.shuffle(order)
        yield from [order[i : i + rows] for i in range(0, n, rows)]
    yield from cycle(batches)


class _Record:
    """The losses of steps on their way into the history, epoch by epoch.

    Ctrl-C may come between any two of its lines: `pending` is replaced at once, and what of it is in the history already is told
    by the history.
    """

    def __init__(self, history: History, optimizer: Any, n: int, rows: int, is_mean: bool) -> None:
        self.history, self.optimizer, self.size = history, optimizer, -(-n // rows)
        self.begun = getattr(optimizer, "steps", 0)  # it may have made some before
        self.shares = [
            (rows if (i + 1) * rows <= n else n % rows) / n if is_mean else 1.0
            for i in range(self.size)
        ]
        self.pending: tuple[int, list[float]] = 0, []  # from which step on, and their losses
        self.engine: Engine | None = (
            None  # where an epoch is finished with its steps: neither callback nor validation follows
        )

    def add(self, losses: list[float]) -> None:
        """Take the losses of the next steps."""
        first, before = self.pending
        done = len(self.history.loss) * self.size
        self.pending = done, before[done - first :] + losses

    def epochs(self) -> list[float]:
        """The losses of those whole epochs that are not in the history."""
        first, losses = self.pending
        losses = losses[len(self.history.loss) * self.size - first :]
        if self.size == 1:
            return losses
        return [
            add_up(map(mul, losses[i : i + self.size], self.shares))
            for i in range(0, len(losses) - self.size + 1, self.size)
        ]

    def catch_up(self) -> None:
        """Take what was not yet taken of the steps that were made; the optimiser counts them as it sets weights, after their losses."""
        if self.engine:
            if isinstance(
                self.optimizer, Optimizer
            ):  # what another calls its steps may be anything
                first, losses = self.pending
                missing = self.optimizer.steps - self.begun - first - len(losses)
                if missing > 0:
                    self.add(self.engine.latest[:missing])
            self.history.loss += self.epochs()


def _engine(
    engine: str,
    backend: str,
    task: Task,
    optimizer: Any,
    table: Table,
    steps: int,
    calls: int,
    rows: int,
    shuffle: bool,
) -> Engine:
    """What makes the steps."""
    eager = Eager(task, optimizer, table)
    if engine == "eager" or (engine == "auto" and (steps * rows < PAYS or modes.modes_here.get())):
        return eager
    from .compiled import Generated

    try:
        return Generated(task, optimizer, table, backend, steps, calls, rows, not shuffle)
    except Exception:
        if engine == "compiled":
            raise
        return eager  # what is wrong it will say, if anything is


@contextmanager
def _running(
    history: History, optimizer: Any, bar: Progress | None, record: _Record
) -> Iterator[Progress | None]:
    """Keep the time, take Ctrl-C for the end, and leave all whole."""
    start = perf_counter()
    try:
        yield bar
    except KeyboardInterrupt:
        history.interrupted = True
        record.catch_up()
        del history.validation_loss[len(history.loss) :]
        optimizer.zero_grad()  # a walk that was cut short left half sums
    except FloatingPointError as error:
        error.add_note(f"in epoch {len(history.loss)} of fit, counted from 0")
        raise
    finally:
        history.seconds = perf_counter() - start
        if bar:
            bar.close()


# ------------------------------------------------------------------ what the user gave


def _choices(engine: str, backend: str, reduction: str, **functions: object) -> None:
    if (Value(0.0) + 0.0).op is None:
        raise ValueError(
            "fit cannot learn within no_grad(), where nothing is recorded: call it outside"
        )
    if engine not in ENGINES:
        raise ValueError(
            f"engine={engine!r} is none of {quoted(ENGINES)}: 'eager' makes steps on Values, 'compiled' by generated code"
        )
    if backend != "auto":
        from ..compiler import backends

        backends.check(backend)
    if engine == "compiled" and modes.modes_here.get():
        raise ValueError(
            "fit(engine='compiled') has no Values that detect_anomaly() could watch: take engine='eager' within it"
        )
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"reduction={reduction!r} is none of {quoted(REDUCTIONS)}: it is over the rows of a batch"
        )
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise TypeError(
                f"{name} must be a function or None, got {type(function).__name__} {function!r}"
            )


def _table(X: Any, y: Any, of: str = "") -> Table:
    inputs, targets = rows(X, f"{of}X"), rows(y, f"{of}y")
    if len(inputs) != len(targets):
        raise ValueError(
            f"{of}X has {len(inputs)} rows and {of}y has {len(targets)}: each row of X needs its own of y"
        )
    return inputs, targets


def _validation(pair: Any) -> Table | None:
    if pair is None:
        return None
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(
            f"validation must be a pair of rows and targets, got {type(pair).__name__}: write validation=(X_val, y_val)"
        )
    X, y = pair
    return _table(X, y, of="validation ")


# ------------------------------------------------------------------ what the user's functions gave


def _is_true(answer: object) -> bool:
    """Whether it is True, Python's or NumPy's; a callback may return anything else."""
    return type(answer).__name__ in ("bool", "bool_") and bool(answer)


def _numbers(output: Any) -> Any:
    """Floats in place of Values."""
    if isinstance(output, Value):
        return output.data
    output = to_lists(output)
    return [_numbers(item) for item in output] if isinstance(output, (list, tuple)) else output
