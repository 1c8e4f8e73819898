"""Compares the trace of a model with the model itself, on some rows.   (floor 3)

A number in a trace refuses to be read. But Python code may ask for its kind, catch an error or look
at its text, and then take another way than for plain numbers. To find such code, both are computed
and compared. The weights are moved a little first: weights that begin at 0 could hide a difference.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import repeat
from math import sin

from ..copies import with_values
from ..modes import no_grad
from .eager import number_of
from .parameters import put
from .rows import items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeVar

    from ..compiler.program import Program
    from ..compiler.training import Objective, Prediction
    from .eager import Table, Task

    T = TypeVar("T")

FEW = 4  # rows to try; all of them if the code asks for the kind of its numbers
_DIFFERENT = (
    "the {what} computed in a trace differs from the one computed on numbers: "
    "asking for their kind (isinstance, type, hasattr), for their text, or catching an error "
    "would freeze one way into the compiled function; write the same formula for both"
)


def traced_or_refused(trace: Callable[[], T]) -> T:
    """The result of `trace`; any error in it is a TraceError, since the model works on numbers."""
    from ..compiler.tracing import TraceError

    try:
        return trace()
    except TraceError:
        raise
    except Exception as error:
        raise TraceError(
            f"model and loss work on numbers, but fail in a trace: {type(error).__name__}: {error}"
        ) from error


def compare_training(
    task: Task, made: Objective, program: Program, table: Table, prepared: Table, is_doubtful: bool
) -> None:
    """Raise TraceError if loss or penalty differ from those on Values.

    Where targets are classes, `prepared` has the rows that the program reads.
    """
    inputs, targets = table
    with _with_moved_weights(task.model) as model, no_grad():
        known = _data_of_nodes(made)
        for i in range(len(targets)) if is_doubtful else _rows_to_try(targets):
            found = _outputs(program, known, (prepared[0][i], prepared[1][i]))
            expected = number_of(task.measure(model(inputs[i]), targets[i]), "loss")
            _compare(found[:1], [expected], "loss")
        if task.penalty and made.penalty:
            expected = number_of(task.penalty(model), "penalty")
            _compare(_outputs(made.penalty, known, ()), [expected], "penalty")


def compare_prediction(model: Any, made: Prediction, program: Program, table: list[Any]) -> None:
    """Raise TraceError if predictions differ from those on Values."""
    with _with_moved_weights(model) as forward, no_grad():
        known = _data_of_nodes(made)
        for i in _rows_to_try(table):
            expected = [number_of(p, "prediction") for p in items(forward(table[i]), "predict")]
            _compare(_outputs(program, known, (table[i],)), expected, "prediction")


@contextmanager
def _with_moved_weights(model: Any) -> Iterator[Any]:
    """A copy of the model, with the same weights, which are a little off while the block runs.

    A model that counts its calls does not count those of its copy.
    """
    weights = model.parameters()
    copy = with_values(model, iter(weights))
    before = [w.data for w in weights]
    moved = [w + 0.1 * (1.0 + abs(w)) * sin(i + 1.0) for i, w in enumerate(before)]
    try:
        put(weights, repeat("data"), moved)
        yield copy
    finally:
        put(weights, repeat("data"), before)


def _data_of_nodes(made: Objective | Prediction) -> dict[Any, float]:
    return {x: value.data for x, value in made.values.items()}


def _outputs(program: Program, known: dict[Any, float], row: Sequence[Any]) -> list[float]:
    """The outputs of a program for a row, in plain numbers."""
    from ..compiler.program import computed
    from ..compiler.training import given

    return computed(program, {**known, **given(program, row)})


def _rows_to_try(rows: Sequence[Any]) -> list[int]:
    """Numbers of rows to try, over the whole table, the least and the greatest among them."""
    n = len(rows)
    spread = range(n) if n <= FEW else [i * (n - 1) // (FEW - 1) for i in range(FEW)]
    return sorted({*spread, rows.index(min(rows)), rows.index(max(rows))})


def _compare(found: Sequence[float], expected: Sequence[float], what: str) -> None:
    from ..compiler.program import is_another
    from ..compiler.tracing import TraceError

    if len(found) != len(expected) or any(map(is_another, found, expected)):
        raise TraceError(_DIFFERENT.format(what=what))
