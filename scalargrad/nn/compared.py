"""Compares the trace of a model with the model itself, on some rows.   (floor 3)

A number in a trace refuses to be read. But Python code may ask for its kind, catch an error or look
at its text, and then take another way than for plain numbers. To find such code, both are computed
and compared. The weights are moved a little first: weights that begin at 0 could hide a difference.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import repeat
from math import sin

from ..compiler.program import computed, is_another
from ..compiler.tracing import TraceError
from ..compiler.training import given
from ..copies import with_values
from ..modes import no_grad
from .eager import number_of
from .parameters import put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeVar

    from ..compiler.training import TracedModel

    T = TypeVar("T")

FEW = 4  # rows to try; all of them if the code asks for the kind of its numbers
_DIFFERENT = (
    "the {what} computed in a trace differs from the one computed on numbers: "
    "asking for their kind (isinstance, type, hasattr), for their text, or catching an error "
    "would freeze one way into the compiled function; write the same formula for both"
)


def traced_or_refused(trace: Callable[[], T]) -> T:
    """The result of `trace`; any error in it is a TraceError, since the model works on numbers."""
    try:
        return trace()
    except TraceError:
        raise
    except Exception as error:
        raise TraceError(
            f"model and loss work on numbers, but fail in a trace: {type(error).__name__}: {error}"
        ) from error


def compare(made: TracedModel, model: Any, rows: Sequence[Any], is_doubtful: bool = False) -> None:
    """Raise TraceError if what a trace recorded differs from the same on Values.

    Each of the rows has what the trace was made with, x or x and y.
    """
    with _with_moved_weights(model) as copy, no_grad():
        known = {x: value.data for x, value in made.values.items()}
        for row in rows if is_doubtful else _rows_to_try(rows):
            found = computed(made.made, known | given(made.made, row))
            expected = made.outputs(copy, *row)
            pairs = zip(made.what, found, expected)
            wrong = [what for what, one, x in pairs if is_another(one, number_of(x, what))]
            if wrong or len(found) != len(expected):
                raise TraceError(_DIFFERENT.format(what=wrong[0] if wrong else "result"))


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


def _rows_to_try(rows: Sequence[Any]) -> list[Any]:
    """Some rows of the whole table, those with the least and the greatest target among them."""
    n, last = len(rows), [row[-1] for row in rows]
    spread = range(n) if n <= FEW else [i * (n - 1) // (FEW - 1) for i in range(FEW)]
    return [rows[i] for i in sorted({*spread, last.index(min(last)), last.index(max(last))})]
