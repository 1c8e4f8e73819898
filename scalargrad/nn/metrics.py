"""Metrics: numbers that people look at while training lowers the loss.   (floor 3)

>>> accuracy([0.9, 0.2, 0.4], [1, 0, 1])
0.6666666666666666
"""

from __future__ import annotations

from functools import partial

from ..arithmetic.lists import add_up
from ..checks import look_up
from .losses import LOSSES, binary_cross_entropy_with_logits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Metric = Callable[[Sequence[Any], Sequence[Any]], float]


def accuracy(
    predictions: Sequence[Any], targets: Sequence[Any], threshold: float | None = None
) -> float:
    """The share of rows whose class is predicted.

    A single output is compared with `threshold`: by default 0.5 for classes 0 and 1, and 0 for
    classes -1 and 1. The largest of several outputs counts; the target is its place, or one-hot.
    """
    if threshold is None:
        threshold = 0.0 if any(t == -1 for t in targets) else 0.5
    hits = sum(_is_hit(p, t, threshold) for p, t in zip(predictions, targets))
    return hits / len(targets)


def _is_hit(prediction: Any, target: Any, threshold: float) -> bool:
    if not isinstance(prediction, (list, tuple)):
        return bool((prediction > threshold) == (target > threshold))
    wanted = _place_of_largest(target) if isinstance(target, (list, tuple)) else target
    return bool(_place_of_largest(prediction) == wanted)


def _place_of_largest(numbers: Sequence[float]) -> int:
    return max(range(len(numbers)), key=numbers.__getitem__)


def metrics_for(chosen: Any, loss: Any) -> dict[str, Metric]:
    """The chosen metrics by their names; `chosen` is a name, a function, or a list of them.

    A name is "accuracy" or that of a loss, which is averaged over the rows. A function takes all
    predictions and all targets.
    """
    found: dict[str, Metric] = {}
    several = isinstance(chosen, (list, tuple))
    listed: list[Any] = [] if chosen is None else [*chosen] if several else [chosen]
    each: Any
    for each in listed:
        if isinstance(each, str):
            of_logits = loss is binary_cross_entropy_with_logits
            known: dict[str, Metric] = {
                "accuracy": partial(accuracy, threshold=0.0) if of_logits else accuracy
            }
            known |= {name: _mean_of(measure) for name, measure in LOSSES.items()}
            found[each] = look_up("metrics", each, known, "or a function of (predictions, targets)")
        elif callable(each):
            name: str = getattr(each, "__name__", type(each).__name__)
            metric: Any = each
            if found.setdefault(name, metric) is not metric:
                raise ValueError(
                    f"two metrics are named {name!r}, and the history knows them by name: give "
                    "each function a name of its own, with def"
                )
        else:
            raise TypeError(
                "metrics must be a name, a function of (predictions, targets), or a list of them, "
                f"got {type(each).__name__} {each!r}"
            )
    return found


def _mean_of(measure: Callable[[Any, Any], float]) -> Metric:
    def mean(predictions: Sequence[Any], targets: Sequence[Any]) -> float:
        return add_up([measure(p, t) for p, t in zip(predictions, targets)]) / len(targets)

    return mean
