"""Training and prediction: `fit` and `predict`, the methods of every module.   (floor 3)

The graph of a row lives as long as its backward walk: the slopes of the rows of a batch add up in the
parameters, in row order, so the memory is that of one row, whatever the size of the batch.
"""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter

from ..many import add_up
from ..modes import no_grad
from ..reals import real
from ..value import Value
from .checks import listed, random_source, size
from .history import History
from .losses import loss_function
from .optimizers import optimizer_for
from .progress import progress_of
from .rows import plain, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .module import Module
    from .optimizers import Rate
    from .progress import Progress

    Table = tuple[list[Any], list[Any]]  # inputs, targets

ENGINES = ("auto", "eager")
REDUCTIONS = ("mean", "sum")


def fit(
    model: Module,
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

    Ctrl-C ends training too: the weights are those of the last whole step, the History is that of the epochs that
    were finished, with `interrupted` set. FloatingPointError, and unchanged weights, where a gradient becomes nan.
    """
    _choices(engine, reduction, penalty=penalty, callback=callback)
    task = _Task(model, loss, reduction, penalty)
    table, held = _table(X, y), _validation(validation)
    epochs, n = size("epochs", epochs), len(table[0])
    count = n if batch_size is None else min(n, size("batch_size", batch_size))
    rng, order = random_source(seed), list(range(n))
    chosen = optimizer_for(optimizer, model.parameters(), lr)
    history = History()
    with _running(history, chosen, progress_of(epochs, -(-n // count)) if progress else None) as bar:
        for epoch in range(epochs):
            if shuffle:
                rng.shuffle(order)
            total = 0.0
            for batch in (order[i : i + count] for i in range(0, n, count)):
                chosen.zero_grad()
                batch_loss = task.backward(table, batch)
                chosen.step()
                total += batch_loss * (len(batch) / n) if task.is_mean else batch_loss
                if bar:
                    bar.batch(epoch, batch_loss)
            history.record(total, task.loss_of(held) if held else None)
            if callback and _is_true(callback(epoch, history, model)):
                break
    return history


def predict(model: Module, X: Any) -> list[Any]:
    """What the model makes of each row of X: a float, or a list of them where it has several outputs.

    Nothing is recorded, and no gradient touched.

    >>> from scalargrad.nn import Neuron
    >>> Neuron(2, activation="sigmoid", init="zeros").predict([[0, 1], [1, 1]])
    [0.5, 0.5]
    """
    forward = _forward(model)
    with no_grad():
        return [_numbers(forward(x)) for x in rows(X, "X")]


class _Task:
    """What is lowered: the loss of the rows of a batch, their mean or sum, and the penalty."""

    def __init__(self, model: Module, loss: Any, reduction: str, penalty: Callable[[Any], Any] | None) -> None:
        self.model, self.forward = model, _forward(model)
        self.measure, self.penalty = loss_function(loss), penalty
        self.is_mean = reduction == "mean"

    def backward(self, table: Table, batch: list[int]) -> float:
        """Add the slopes of a batch to the gradients; return its loss."""
        inputs, targets = table
        divisor = len(batch) if self.is_mean else 1
        total = 0.0
        for i in batch:
            try:
                loss = self.measure(self.forward(inputs[i]), targets[i])
                total += _number(loss, "loss")
            except (TypeError, ValueError) as error:
                error.add_note(f"in row {i} of X and y")
                raise
            if isinstance(loss, Value):
                (loss if divisor == 1 else loss / divisor).backward()
            elif loss != 0:  # a number without slope is 0 where a row costs nothing, else a mistake
                raise TypeError(f"the loss of row {i} is the plain number {loss}: compute it from the prediction, not from its .data")
        total /= divisor
        if self.penalty:
            extra = self.penalty(self.model)
            if isinstance(extra, Value):
                extra.backward()
            total += _number(extra, "penalty")
        return total

    def loss_of(self, table: Table) -> float:
        """The loss of rows, without penalty; nothing is recorded."""
        with no_grad():
            total = add_up([_number(self.measure(self.forward(x), t), "loss") for x, t in zip(*table)])
        return total / len(table[0]) if self.is_mean else total


@contextmanager
def _running(history: History, optimizer: Any, bar: Progress | None) -> Iterator[Progress | None]:
    """Keep the time, take Ctrl-C for the end, and leave all whole."""
    start = perf_counter()
    try:
        yield bar
    except KeyboardInterrupt:
        history.interrupted = True
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


def _choices(engine: str, reduction: str, **functions: object) -> None:
    if (Value(0.0) + 0.0).op is None:
        raise ValueError("fit cannot learn within no_grad(), where nothing is recorded: call it outside")
    if engine not in ENGINES:
        raise ValueError(f"engine={engine!r} is none of {listed(ENGINES)}: the engine is 'eager', and 'auto' takes it too")
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction={reduction!r} is none of {listed(REDUCTIONS)}: it is over the rows of a batch")
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise TypeError(f"{name} must be a function or None, got {type(function).__name__} {function!r}")


def _forward(model: Module) -> Callable[[Any], Any]:
    if not callable(model):
        raise TypeError(f"{type(model).__name__} cannot be called: give it a method __call__(self, x) that returns the prediction")
    return model


def _table(X: Any, y: Any, of: str = "") -> Table:
    inputs, targets = rows(X, f"{of}X"), rows(y, f"{of}y")
    if len(inputs) != len(targets):
        raise ValueError(f"{of}X has {len(inputs)} rows and {of}y has {len(targets)}: each row of X needs its own of y")
    return inputs, targets


def _validation(pair: Any) -> Table | None:
    if pair is None:
        return None
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(f"validation must be a pair of rows and targets, got {type(pair).__name__}: write validation=(X_val, y_val)")
    X, y = pair
    return _table(X, y, of="validation ")


# ------------------------------------------------------------------ what the user's functions gave


def _number(result: Any, name: str) -> float:
    """The number that a loss or a penalty gave, a Value's or a plain one."""
    number = result.data if isinstance(result, Value) else real(result)
    if number is None:
        raise TypeError(f"the {name} must give one Value, got {type(result).__name__}: of several make one with sum or mean")
    return number


def _is_true(answer: object) -> bool:
    """Whether it is True, Python's or NumPy's; a callback may return anything else."""
    return type(answer).__name__ in ("bool", "bool_") and bool(answer)


def _numbers(output: Any) -> Any:
    """Floats in place of Values."""
    if isinstance(output, Value):
        return output.data
    output = plain(output)
    return [_numbers(item) for item in output] if isinstance(output, (list, tuple)) else output
