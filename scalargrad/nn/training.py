"""Training and prediction: `fit` and `predict`, the methods of every module.   (floor 3)

On Values, each row of a batch has a graph of its own, which is dropped after its backward walk. The
slopes add up in the parameters, row by row. So a large batch needs no more memory than one row.
Where it saves time, generated code makes the steps.
"""

from __future__ import annotations

from array import array
from contextlib import contextmanager, nullcontext
from itertools import cycle, islice, repeat
from math import inf
from operator import mul
from time import perf_counter

from .. import modes
from ..arithmetic.conversion import to_float
from ..arithmetic.lists import add_up
from ..checks import quoted, random_source, whole_number
from ..modes import no_grad
from ..trees import is_array
from ..value import Value
from .choosing import Kept, optimizer_for
from .eager import NOT_CALLED, Asked, Eager, Task
from .history import History
from .lbfgs import LBFGS
from .losses import loss_function
from .metrics import metrics_for
from .optimizers import Optimizer, positive
from .parameters import put
from .progress import progress_of
from .rows import as_array, rows, to_lists
from .watching import Watch
from .weighted import Weighing, weights_of_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from typing import Any, TypeAlias

    from .compiled import Generated
    from .eager import Table
    from .metrics import Metric
    from .optimizers import Rate
    from .parameters import HasParameters
    from .progress import Progress

    Engine: TypeAlias = Eager | Generated

ENGINES = ("auto", "eager", "compiled")
REDUCTIONS = ("mean", "sum")
PAYS = 1000  # from so many visits of rows on, generated code saves more time than it costs,
WEIGHTS = 500_000  # or of so many weights, each counted once a visit


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
    metrics: Any = None,
    patience: int | None = None,
    sample_weight: Any = None,
    clip_norm: float | None = None,
    executor: Executor | None = None,
) -> History:
    """Lower the loss over the rows of X and y, step by step, and return the History.

    >>> from scalargrad.nn import Neuron
    >>> line = Neuron(1, activation=None, init="zeros")
    >>> history = line.fit([0, 1, 2], [1, 3, 5], lr=0.2, epochs=200)
    >>> f"{line.w[0]:.6f} x + {line.b:.6f}"
    '2.000000 x + 1.000000'

    X, y: rows of inputs, and as many rows of targets: lists, arrays or data frames. A row is a
        number or a list of numbers.
    loss: "mse" (the default), "mae", "squared_error", "half_squared_error", "huber",
        "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "hinge", or a
        function of (prediction, target) that gives one Value.
    optimizer: "sgd" (the default), "rmsprop", "adam", "adamw", "lbfgs" (SciPy's, see `nn.LBFGS`:
        full batches, no rate, an end of its own), a class, or a function that takes the parameters
        and returns an optimiser.
    lr: the rate: a number, or a function of the step, counted from 0. Default None: the
        optimiser's own.
    epochs: how often all rows are visited. Default 100.
    batch_size: rows of a step. Default None: all of them.
    shuffle: whether each epoch has its rows in a new order. Default False.
    seed: for that order: a whole number, a `random.Random`, or None for Python's own `random`.
    validation: a pair (X, y), whose loss is computed after each epoch, without penalty. Default
        None.
    reduction: over the rows of a batch: "mean" (the default) or "sum".
    engine: "eager" makes each step on Values. "compiled" traces model, loss, penalty and update,
        and runs code made from the trace: the same numbers but for rounding, or TraceError if they
        cannot be traced. "auto", the default, compiles if that saves time and is possible.
    backend: for compiled steps: "auto" (the default), "python", "numpy", "native", as in `compile`.
    progress: whether stderr shows how far training has come. Default False.
    callback: a function of (epoch, history, model), called after each epoch, counted from 0. The
        parameters then hold their new numbers; their gradients are those of the last step if it
        was made on Values, else 0. Training ends if it returns True.
    penalty: a function of the model that gives one Value, added once a batch. Default None.
    metrics: "accuracy", the name of a loss, a function of (predictions, targets), or a list of
        them: computed after each epoch, over the validation rows if there are any, and kept in
        `history.metrics`. Default None.
    patience: training ends after so many epochs without a better validation loss, and however it
        ends, the weights of the best epoch come back. Default None: it goes on to the last epoch.
    sample_weight: how much each row counts: a number for each; 0 leaves a row out. With
        reduction="mean" only their ratios matter. Default None: all count the same.
    clip_norm: how long the gradient of a step may be at most, that of all weights together: a
        longer one is shortened. Default None: as long as it is.
    executor: an executor of `concurrent.futures`, such as Dask's `Client.get_executor()`, whose
        workers compute the gradients of full batches, compiled. Default None.

    Ctrl-C ends training too. The weights are those of the last whole step (compiled: of the last
    block of steps, some 30 ms long), the History has the finished epochs, and `interrupted` is set.
    A gradient that is nan raises FloatingPointError and leaves the weights as they were.
    """
    engine = _engine_for(executor, engine)
    _check_arguments(engine, backend, reduction, penalty=penalty, callback=callback)
    measure, is_mean = loss_function(loss), reduction == "mean"
    table, held = table_of(X, y), _validation(validation)
    shown, metrics = held or table, metrics_for(metrics, measure)
    best = None if patience is None else _Best(model, patience, held)
    if sample_weight is not None:
        weights = weights_of_rows(sample_weight, len(table[0]), is_mean)
        weighing = Weighing(model, measure, table)
        table, measure = weighing.table(table, weights), weighing.measure
        held = held and weighing.table(held, [1.0] * len(held[0]))
    clip = None if clip_norm is None else positive("clip_norm", clip_norm)
    task = Task(model, measure, is_mean, penalty, clip)
    epochs, n = whole_number("epochs", epochs), len(table[0])
    rows = n if batch_size is None else min(n, whole_number("batch_size", batch_size))
    rng = random_source(seed)
    batches = _batches(n, rows, rng if shuffle else None)
    chosen = optimizer_for(optimizer, model.parameters(), lr)
    _check_steps(chosen, executor, clip, rows if rows < n else None, shuffle)
    history, losses = History(), _Losses(chosen, n, rows, task.is_mean)
    size, total = losses.size, epochs * losses.size
    watch = None
    in_blocks = isinstance(chosen, Optimizer) and not isinstance(chosen, LBFGS)
    if in_blocks and isinstance(callback, Watch) and not (held or metrics):
        watch, callback = callback, None
    stops = bool(callback or held or metrics)
    bar = progress_of(epochs, size) if progress else None
    with best or nullcontext(), _running(history, losses, chosen, bar, stops):
        calls = epochs if stops else 1
        kept = optimizer if isinstance(optimizer, Kept) else None
        asked = Asked(task, chosen, table, backend, total, calls, rows, not shuffle, executor)
        steps = _engine(engine, kept, asked)

        def is_over() -> bool:
            """Count the steps that were made; after an epoch, record it. Whether training ends."""
            nonlocal steps
            made, now = losses.counted, len(losses.of_steps)
            losses.counted = now
            if bar:
                bar.advance(now - made, (now - 1) // size, losses.of_steps[-1])
            if not stops or now % size:
                return False
            (loss_of_epoch,) = losses.of_epochs(len(history.loss))
            found = _measured(metrics, model, shown) if metrics else {}
            history.record(loss_of_epoch, steps.loss_of(held) if held else None, found)
            if best and best.is_over(history):
                return True
            if callback:
                if _is_true(callback(len(history.loss) - 1, history, model)):
                    return True
                steps = steps.after_user_code()
            return False

        if isinstance(chosen, LBFGS):
            every = next(batches)

            def gradient(weights: list[float]) -> tuple[float, list[float]]:
                return steps.gradient(weights, every)

            chosen.search(gradient, losses.of_steps, is_over, epochs, callback is not None)
        else:
            while (made := losses.counted) < total:
                most = size - made % size if stops else total - made
                given = [*islice(batches, min(steps.pace, most))]
                before = chosen.whole() if watch else None
                steps.steps(given, losses.of_steps)
                if is_over():
                    break
                if watch and before and (ended := watch.ended(losses.of_epochs(watch.seen))):
                    if ended * size < losses.counted:  # the block went beyond that epoch
                        losses.counted = made
                        steps.back_to(before)
                        del losses.of_steps[made:]
                        steps.steps(given[: ended * size - made], losses.of_steps)
                        losses.counted = len(losses.of_steps)
                    break
    return history


def predict(model: Any, X: Any) -> Any:
    """Return the prediction for each row of X: a number, or a list if there are several outputs.

    An array, a series or a data frame gives an array, anything else a list. Nothing is recorded,
    and no gradient changes. Many rows are predicted by generated code, which gives the same bits;
    or, if that would take long and NumPy is installed, the same numbers up to rounding.

    >>> from scalargrad.nn import Neuron
    >>> Neuron(2, activation="sigmoid", init="zeros").predict([[0, 1], [1, 1]])
    [0.5, 0.5]
    """
    if not callable(model):
        raise TypeError(NOT_CALLED.format(type(model).__name__))
    table: Any = None
    if hasattr(X, "__len__") and len(X) >= PAYS:
        table = as_array(X)
    found: Any = _predicted(model, rows(X, "X") if table is None else table)
    if hasattr(X, "to_numpy") or is_array(X):
        from numpy import asarray

        return asarray(found)
    return found.tolist() if hasattr(found, "tolist") else found


def _predicted(model: Any, table: Any) -> Any:
    """The prediction for each row of a table, by generated code if the rows are many."""
    found: Any = None
    if len(table) >= PAYS and not any(mode.watches for mode in modes.modes_here.get()):
        from .predicting import predicted

        found = predicted(model, table)
    if found is None:
        with no_grad():
            found = [_numbers(model(x)) for x in rows(table, "X")]  # of an array as floats
    return found


def _measured(metrics: dict[str, Metric], model: Any, table: Table) -> dict[str, float]:
    """Each metric of a model's predictions for these rows."""
    found = _predicted(model, table[0])
    predictions = found.tolist() if hasattr(found, "tolist") else found
    return {
        name: to_float(metric(predictions, table[1]), f"the metric {name}")
        for name, metric in metrics.items()
    }


class _Best:
    """Keeps the weights of the epoch with the least validation loss, and puts them back."""

    def __init__(self, model: HasParameters, patience: int, held: Table | None) -> None:
        self.patience = whole_number("patience", patience)
        if held is None:
            raise ValueError(
                "patience counts epochs without a better validation loss: give validation=(X, y)"
            )
        self.parameters, self.loss, self.epoch = model.parameters(), inf, -1
        self.weights: list[float] = []

    def is_over(self, history: History) -> bool:
        """Note the latest epoch; say whether the best one lies too far back."""
        epoch = len(history.loss) - 1
        if history.validation_loss[-1] < self.loss:
            self.loss, self.epoch = history.validation_loss[-1], epoch
            self.weights = [p.data for p in self.parameters]
        history.best_epoch = self.epoch
        return epoch - self.epoch >= self.patience

    def __enter__(self) -> _Best:
        return self

    def __exit__(self, *_: object) -> None:
        if self.weights:
            put(self.parameters, repeat("data"), self.weights)


def _batches(n: int, rows: int, rng: Any) -> Iterator[list[int]]:
    """The rows of each step, without end: in order, or in a new order each epoch."""
    order = list(range(n))
    batches = [order[i : i + rows] for i in range(0, n, rows)]
    while rng:
        rng.shuffle(order)
        yield from [order[i : i + rows] for i in range(0, n, rows)]
    yield from cycle(batches)


class _Losses:
    """The losses of all steps, and of the epochs that they make up.

    A loss is added before its step is made, and an Optimizer counts a step as it sets the weights.
    So after Ctrl-C it is known how many steps were made, and all their losses are here.
    """

    def __init__(self, optimizer: Any, n: int, rows: int, is_mean: bool) -> None:
        self.of_steps, self.counted = array("d"), 0  # so many steps are known to be made
        self.optimizer = optimizer if isinstance(optimizer, Optimizer) else None
        self.begun = self.optimizer.steps if self.optimizer else 0
        self.size = -(-n // rows)  # steps of an epoch
        self.weights = [
            (rows if (i + 1) * rows <= n else n % rows) / n if is_mean else 1.0
            for i in range(self.size)
        ]

    def of_epochs(self, first: int) -> list[float]:
        """The losses of the finished epochs, from the `first` on."""
        made = max(self.counted, self.optimizer.steps - self.begun if self.optimizer else 0)
        finished, size = min(made, len(self.of_steps)) // self.size, self.size
        if size == 1:
            return self.of_steps[first:finished].tolist()
        starts = [i * size for i in range(first, finished)]
        return [add_up(map(mul, self.of_steps[i : i + size], self.weights)) for i in starts]


def _engine(engine: str, kept: Kept | None, asked: Asked) -> Engine:
    """The engine that makes the steps."""
    eager, visits = Eager(*asked[:3]), asked.expected * asked.rows
    if engine == "eager" or (engine == "auto" and modes.modes_here.get()):
        return eager
    try:
        if kept and kept.code and kept.code.goes_on(asked):
            return kept.code  # type: ignore[no-any-return]
        is_short = visits < PAYS and visits * len(asked.task.model.parameters()) < WEIGHTS
        if kept:  # a second call like the last is followed by others that code serves for
            comes_again = kept.rows == asked.rows and (kept.code is None or kept.code.is_lasting)
            is_short, kept.rows = is_short and not comes_again, asked.rows
        if engine == "auto" and is_short:
            return eager
        from .compiled import Generated

        made = Generated(asked)
        if kept:
            kept.code = made
            made.look()
        return made
    except Exception:
        if engine == "compiled":
            raise
        return eager  # if something is wrong, it will say what


@contextmanager
def _running(
    history: History, losses: _Losses, optimizer: Any, bar: Progress | None, stops: bool
) -> Iterator[None]:
    """Measure the time, let Ctrl-C end the training, and leave weights and history whole.

    With `stops`, training stops after each epoch for validation and callback, and the history is
    complete there. Else all epochs enter the history at the end.
    """
    start = perf_counter()
    try:
        yield
        if not stops:
            history.loss += losses.of_epochs(0)
    except KeyboardInterrupt:
        history.interrupted = True
        if not stops:
            history.loss += losses.of_epochs(len(history.loss))
        for curve in (history.validation_loss, *history.metrics.values()):
            del curve[len(history.loss) :]
        optimizer.zero_grad()  # an interrupted walk leaves gradients that are half added up
    except FloatingPointError as error:
        error.add_note(f"in epoch {losses.counted // losses.size} of fit, counted from 0")
        raise
    finally:
        history.seconds = perf_counter() - start
        if bar:
            bar.close()


# ------------------------------------------------------------------ arguments


def _engine_for(executor: Any, engine: str) -> str:
    """The engine that was asked for: an executor takes compiled steps alone."""
    if executor is None:
        return engine
    from ..compiler import executors

    executors.check(executor)
    if engine == "eager":
        raise ValueError(
            "engine='eager' makes steps on Values, which an executor cannot share out: "
            "leave one of them out"
        )
    return "compiled"


def _check_arguments(engine: str, backend: str, reduction: str, **functions: object) -> None:
    if (Value(0.0) + 0.0).op is None:
        raise ValueError(
            "fit cannot learn within no_grad(), where nothing is recorded: call it outside"
        )
    if engine not in ENGINES:
        raise ValueError(
            f"engine={engine!r} is none of {quoted(ENGINES)}: "
            "'eager' makes steps on Values, 'compiled' by generated code"
        )
    if backend != "auto":
        from ..compiler import backends

        backends.check(backend)
    if engine == "compiled" and modes.modes_here.get():
        raise ValueError(
            "fit(engine='compiled') makes no Values that detect_anomaly() could watch: "
            "write engine='eager'"
        )
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"reduction={reduction!r} is none of {quoted(REDUCTIONS)}: "
            "it is over the rows of a batch"
        )
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise TypeError(
                f"{name} must be a function or None, got {type(function).__name__} {function!r}"
            )


def _check_steps(
    optimizer: Any, executor: Any, clip: Any, batch: int | None, shuffle: bool
) -> None:
    """Refuse options that the steps cannot follow; `batch` is None for all rows."""
    is_search = isinstance(optimizer, LBFGS)
    whole = "optimizer='lbfgs' compares losses of" * is_search
    whole = whole or "executor shares out" * (executor is not None)
    if whole and (batch or shuffle):
        option = f"batch_size={batch}" if batch else "shuffle=True"
        raise ValueError(f"{whole} all rows, as they are: leave {option} out")
    if clip and is_search:
        raise ValueError("optimizer='lbfgs' searches along the whole gradient: leave clip_norm out")


def table_of(X: Any, y: Any, of: str = "") -> Table:
    """The rows of X and y, as many of the one as of the other."""
    inputs, targets = rows(X, f"{of}X"), rows(y, f"{of}y")
    if len(inputs) != len(targets):
        raise ValueError(
            f"{of}X has {len(inputs)} rows and {of}y has {len(targets)}: "
            "each row of X needs its own of y"
        )
    return inputs, targets


def _validation(pair: Any) -> Table | None:
    if pair is None:
        return None
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(
            f"validation must be a pair of rows and targets, got {type(pair).__name__}: "
            "write validation=(X_val, y_val)"
        )
    X, y = pair
    return table_of(X, y, of="validation ")


# ------------------------------------------------------------------ results of the user's functions


def _is_true(answer: object) -> bool:
    """Whether it is True, Python's or NumPy's. Anything else that a callback returns is ignored."""
    return type(answer).__name__ in ("bool", "bool_") and bool(answer)


def _numbers(output: Any) -> Any:
    """A prediction with floats in place of Values."""
    if isinstance(output, Value):
        return output.data
    output = to_lists(output)
    return [_numbers(item) for item in output] if isinstance(output, (list, tuple)) else output
