"""Losses: how far a prediction is from its target, as one Value.   (floor 3)

Prediction and target belong to one row of data. Each is a number or Value, or a list of them. If
all are plain numbers, so is the loss. `squared_error` and `half_squared_error` add over the
outputs, the others average over them. A compiled loss cannot look at its numbers, so it checks
none. Logits may be of any size: nothing overflows, and a small binary loss keeps its digits.

>>> binary_cross_entropy_with_logits(40.0, 1), cross_entropy([1000.0, 0.0], 1)
(4.248354255291589e-18, 1000.0)
"""

from __future__ import annotations

from .. import functions
from ..arithmetic.total import nan
from ..checks import look_up, quoted
from ..modes import is_traced
from ..value import Value
from .parameters import parameters_of
from .rows import items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .parameters import HasParameters


ROWS = ": a loss takes one row; for many rows, add up their losses"


def squared_error(prediction: Any, target: Any) -> Any:
    """Σ (p - t)² over the outputs.

    >>> squared_error([1.0, 2.0], [0.0, 4.0])
    5.0
    """
    return _sum_of_squares(_pairs("squared_error", prediction, target))


def half_squared_error(prediction: Any, target: Any) -> Any:
    """½ Σ (p - t)² over the outputs: its slope is p - t.

    >>> half_squared_error([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    return _sum_of_squares(_pairs("half_squared_error", prediction, target)) * 0.5


def mse(prediction: Any, target: Any) -> Any:
    """The mean of (p - t)² over the outputs.

    >>> mse([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    pairs = _pairs("mse", prediction, target)
    return _sum_of_squares(pairs) if len(pairs) == 1 else _sum_of_squares(pairs) / len(pairs)


def mae(prediction: Any, target: Any) -> Any:
    """The mean of |p - t| over the outputs.

    >>> mae([1.0, 2.0], [0.0, 4.0])
    1.5
    """
    return _mean([abs(p - t) for p, t in _pairs("mae", prediction, target)])


def huber(prediction: Any, target: Any, delta: float = 1.0) -> Any:
    """The mean of ½d², d = p - t, where |d| is at most delta, and of delta (|d| - ½ delta) beyond.

    Its slope is at most delta, so an outlier cannot pull much.

    >>> huber([0.5, 3.0], [0.0, 0.0])
    1.3125
    """
    if not is_traced(delta) and not delta > 0:
        raise ValueError(f"huber's delta must be above 0, got {delta}")
    differences = [p - t for p, t in _pairs("huber", prediction, target)]
    return _mean(
        [
            functions.where(
                abs(d) <= delta, functions.square(d) * 0.5, (abs(d) - 0.5 * delta) * delta
            )
            for d in differences
        ]
    )


def binary_cross_entropy(prediction: Any, target: Any) -> Any:
    """The mean of -t log p - (1 - t) log(1 - p), for probabilities p and targets from 0 to 1.

    It is infinite if p is 0 or 1 and wrong.

    >>> binary_cross_entropy(0.5, 1), binary_cross_entropy(1.0, 1), binary_cross_entropy(0.0, 1)
    (0.6931471805599453, 0.0, inf)
    """
    pairs = _pairs("binary_cross_entropy", prediction, target)
    for p, _ in pairs:
        if not is_traced(p) and (p < 0 or p > 1):
            raise ValueError(
                f"binary_cross_entropy takes probabilities, got {_plain(p)}: "
                "end the model with output_activation='sigmoid', "
                "or take binary_cross_entropy_with_logits"
            )
    return _mean(
        [_surprise(t, 0.0 - functions.log(p), 0.0 - functions.log1p(-p)) for p, t in pairs]
    )


def binary_cross_entropy_with_logits(prediction: Any, target: Any) -> Any:
    """The binary cross-entropy of sigmoid(z), computed from the logits z.

    So no digits are lost where the sigmoid is near 0 or 1.

    >>> binary_cross_entropy_with_logits([0.0, -1000.0], [1, 0])
    0.34657359027997264
    """
    pairs = _pairs("binary_cross_entropy_with_logits", prediction, target)
    return _mean([_surprise(t, functions.softplus(-z), functions.softplus(z)) for z, t in pairs])


def cross_entropy(prediction: Any, target: Any) -> Any:
    """-Σ t log softmax(z), for a list of logits z.

    The target is the number of the right class, or a list of probabilities t that add up to 1.

    >>> cross_entropy([2.0, 2.0], 0), cross_entropy([2.0, 2.0], [1, 0])
    (0.6931471805599454, 0.6931471805599454)
    """
    logits = items(prediction, "cross_entropy", ROWS)
    if len(logits) < 2:
        raise ValueError(
            "cross_entropy takes two logits or more, got 1: "
            "for one output use binary_cross_entropy_with_logits"
        )
    probabilities = items(target, "cross_entropy", ROWS)
    if len(probabilities) == 1:
        return functions.logsumexp(logits) - _logit_of(probabilities[0], logits)
    if len(probabilities) != len(logits):
        raise ValueError(
            "cross_entropy takes one class, or a probability for each of "
            f"{len(logits)} logits; got {len(probabilities)} targets"
        )
    plain = [t for t in probabilities if not isinstance(t, Value)]
    if len(plain) == len(probabilities) and not (min(plain) >= 0 and abs(sum(plain) - 1) < 1e-6):
        raise ValueError(
            f"cross_entropy's targets must be probabilities that add up to 1, got {probabilities}"
        )
    used = [
        (t, z) for t, z in zip(probabilities, logits) if isinstance(t, Value) or t != 0
    ]  # a term 0 × inf would be nan
    return functions.logsumexp(logits) - functions.dot([z for _, z in used], [t for t, _ in used])


def hinge(prediction: Any, target: Any) -> Any:
    """The mean of relu(1 - t p), for scores p and targets of -1 and 1.

    A prediction on the right side of 0, by 1 or more, costs nothing.

    >>> hinge([0.25, 3.0], [-1, 1])
    0.625
    """
    pairs = _pairs("hinge", prediction, target)
    for _, t in pairs:
        if not is_traced(t) and t not in (-1, 1):
            raise ValueError(
                f"hinge takes targets of -1 and 1, got {_plain(t)}: for 0 and 1 write 2 * y - 1"
            )
    return _mean([functions.relu(1 - p * t) for p, t in pairs])


def l2(weights: HasParameters | Iterable[Any]) -> Any:
    """Σ w² over the parameters of a module, or over a list.

    For a penalty write `model.fit(…, penalty=lambda model: 1e-4 * l2(model))`.

    >>> l2([3.0, 4.0])
    25.0
    """
    ws = items(parameters_of(weights), "l2")
    return functions.dot(ws, ws)


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    loss.__name__: loss for loss in (
        squared_error, half_squared_error, mse, mae, huber, binary_cross_entropy,
        binary_cross_entropy_with_logits, cross_entropy, hinge,
    )
}  # fmt: skip


def loss_function(chosen: str | Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The loss of that name; a function as it is."""
    if isinstance(chosen, str):
        return look_up("loss", chosen, LOSSES, "or a function of (prediction, target)")
    if callable(chosen):
        return chosen
    raise TypeError(
        f"loss must be a function of (prediction, target) or one of {quoted(LOSSES)}, "
        f"got {type(chosen).__name__}"
    )


def _pairs(name: str, prediction: Any, target: Any) -> list[tuple[Any, Any]]:
    """Predictions and targets side by side."""
    ps, ts = items(prediction, name, ROWS), items(target, name, ROWS)
    if len(ps) != len(ts) or not ps:
        raise ValueError(
            f"{name} takes a target for each prediction, "
            f"got {len(ps)} predictions and {len(ts)} targets"
        )
    return list(zip(ps, ts))


def _sum_of_squares(pairs: list[tuple[Any, Any]]) -> Any:
    differences = [p - t for p, t in pairs]
    return (
        functions.square(differences[0])
        if len(differences) == 1
        else functions.dot(differences, differences)
    )


def _mean(terms: list[Any]) -> Any:
    return terms[0] if len(terms) == 1 else functions.sum(terms) / len(terms)


def _surprise(t: Any, if_one: Any, if_zero: Any) -> Any:
    """t × if_one + (1 - t) × if_zero; for t = 1 or 0 only one of them, as 0 × inf is nan."""
    if not is_traced(t) and (t < 0 or t > 1):
        raise ValueError(f"a binary target lies between 0 and 1, got {_plain(t)}")
    return functions.where(
        t <= 0, if_zero, functions.where(t >= 1, if_one, t * if_one + (1 - t) * if_zero)
    )


def _logit_of(number: Any, logits: list[Any]) -> Any:
    """The logit of the class with that number.

    A number in a trace is no index into a list, so there it is compared with each class.
    """
    count = len(logits)
    if is_traced(number):
        chosen = functions.sum(
            [functions.where(abs(number - i) < 0.5, z, 0.0) for i, z in enumerate(logits)]
        )
        return functions.where((number > -0.5) & (number < count - 0.5), chosen, nan)
    if isinstance(number, Value):
        raise TypeError(
            "cross_entropy takes the number of the right class as a plain number, got a Value"
        )
    if number % 1 != 0 or not 0 <= number < count:
        raise ValueError(
            f"cross_entropy of {count} logits takes a class from 0 to {count - 1}, got {number}"
        )
    return logits[int(number)]


def _plain(number: Any) -> Any:
    return getattr(number, "data", number)
