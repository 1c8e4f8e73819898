"""Activations: the name of an operation on one number, or a function of one Value.   (floor 3)

>>> activation("tanh")(0.0), activation(None)
(0.0, None)
"""

from __future__ import annotations

from .. import functions
from ..checks import look_up
from ..ops import OPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def activation(
    chosen: str | Callable[[Any], Any] | None, argument: str = "activation"
) -> Callable[[Any], Any] | None:
    """The function of that name; a function as it is; None, for a linear neuron, as it is.

    Errors name the `argument` that it was given for.

    >>> activation("tan h")
    Traceback (most recent call last):
    ValueError: activation='tan h' is none of the operations of one number: did you mean 'tanh'?
    """
    if isinstance(chosen, str):
        if chosen == "softmax":
            raise ValueError(
                f"{argument}: softmax works on a whole layer, not on one neuron: leave the outputs "
                "linear and use the loss 'cross_entropy'"
            )
        known = {
            name: op.name
            for op in OPS.values()
            if op.is_public and op.operands == ("x",)
            for name in op.names
        }
        advice = "take a function of one Value, or None for a linear neuron"
        name = look_up(argument, chosen, known, advice, "the operations of one number")
        function: Callable[[Any], Any] = getattr(functions, name)
        return function
    if chosen is None or callable(chosen):
        return chosen
    raise TypeError(
        f"{argument} must be a name, a function or None, got {type(chosen).__name__} {chosen!r}"
    )


def name_of(chosen: Any) -> str:
    """An activation as text: 'tanh', the name of a function, None, or a list of them."""
    if isinstance(chosen, (list, tuple)):
        return f"[{', '.join(map(name_of, chosen))}]"
    return repr(chosen) if chosen is None or isinstance(chosen, str) else plain_name(chosen)


def plain_name(chosen: Any) -> str:
    """An activation as a summary shows it: tanh, the name of a function, or linear for None."""
    if chosen is None:
        return "linear"
    return chosen if isinstance(chosen, str) else getattr(chosen, "__name__", repr(chosen))
