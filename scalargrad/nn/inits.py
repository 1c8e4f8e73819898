"""Initial weights: functions of (nin, nout, rng) that draw one weight of a layer.   (floor 3)

`rng` is a `random.Random`. A layer calls the function for each weight, in the order of
`parameters()`; biases begin at 0. A weighted sum of nin inputs of size 1 should be of size 1 again,
or numbers grow or fade from layer to layer. So `xavier` and `he` divide by the square root of nin.

>>> from random import Random
>>> -1 <= uniform(2, 3, Random(0)) <= 1
True
"""

from __future__ import annotations

from math import sqrt

from ..checks import look_up
from ..ops import named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random
    from typing import Any


def uniform(nin: int, nout: int, rng: Random) -> float:
    """Evenly between -1 and 1, as in micrograd."""
    return rng.uniform(-1, 1)


def normal(nin: int, nout: int, rng: Random) -> float:
    """Normal, with standard deviation 1."""
    return rng.gauss(0.0, 1.0)


def xavier(nin: int, nout: int, rng: Random) -> float:
    """Evenly within ±√(6 / (nin + nout)) (Glorot and Bengio 2010).

    It keeps the spread of the numbers through tanh, sigmoid and linear layers.
    """
    bound = sqrt(6.0 / (nin + nout))
    return rng.uniform(-bound, bound)


def he(nin: int, nout: int, rng: Random) -> float:
    """Normal, with standard deviation √(2 / nin) (He and others 2015).

    The factor 2 makes up for the half of the numbers that relu cuts off.
    """
    return rng.gauss(0.0, sqrt(2.0 / nin))


def zeros(nin: int, nout: int, rng: Random) -> float:
    """All 0. Neurons of a hidden layer that begin alike stay alike."""
    return 0.0


INITS: dict[str, Callable[[int, int, Random], float]] = {
    "uniform": uniform, "normal": normal, "xavier": xavier, "he": he, "zeros": zeros,
}  # fmt: skip


def init_name(draw: Any) -> str | None:
    """The name of an init of the table; None for a function of the user's."""
    return next((name for name, known in INITS.items() if known is draw), None)


def initializer(chosen: Any, activation: Any) -> Callable[[int, int, Random], Any]:
    """The init of that name; a function as it is; None: the one that suits the activation.

    >>> initializer(None, "relu") is he, initializer(None, "tanh") is xavier
    (True, True)
    """
    if chosen is None:
        name = activation if isinstance(activation, str) else getattr(activation, "__name__", "")
        op = named(name)
        return he if op is not None and op.is_rectifier else xavier
    if isinstance(chosen, str):
        return look_up("init", chosen, INITS, "or a function of (nin, nout, rng)")
    if callable(chosen):
        return chosen  # type: ignore[no-any-return]
    raise TypeError(
        "init must be a name, a function of (nin, nout, rng) or None, "
        f"got {type(chosen).__name__} {chosen!r}"
    )
