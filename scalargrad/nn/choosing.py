"""The optimiser for `fit`, which is given by its name, its class, or a function.   (floor 3)"""

from __future__ import annotations

from ..checks import look_up, quoted
from .lbfgs import LBFGS
from .optimizers import SGD, Adam, AdamW, Optimizer, RMSprop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..value import Value
    from .optimizers import Rate

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "lbfgs": LBFGS,
}


class Kept:
    """An optimiser for several calls of `fit`, with the code that made steps in one of them.

    `rows` is the size of a batch in the last call that made steps without that code.
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.code: Any = None
        self.rows = 0

    def __call__(self, parameters: list[Value]) -> Any:
        return self.optimizer


def optimizer_for(chosen: Any, parameters: list[Value], lr: Rate | None) -> Any:
    """The optimiser of that name or class with that rate, or the one that a function returns."""
    if isinstance(chosen, str):
        chosen = look_up(
            "optimizer",
            chosen,
            OPTIMIZERS,
            "or a function that takes the parameters and returns an optimiser",
        )
    if isinstance(chosen, type):
        return chosen(parameters) if lr is None else chosen(parameters, lr)
    if not callable(chosen):
        advice = ": write optimizer=lambda parameters: ..." if isinstance(chosen, Optimizer) else ""
        raise TypeError(
            f"optimizer must be one of {quoted(OPTIMIZERS)}, a class or a function, "
            f"got {type(chosen).__name__}{advice}"
        )
    if lr is not None:
        raise ValueError(
            f"lr={lr!r} would be lost on an optimizer that is a function: "
            "write the rate in the function"
        )
    made = chosen(parameters)
    if not (hasattr(made, "step") and hasattr(made, "zero_grad")):
        raise TypeError(
            "optimizer must return an optimiser, with step() and zero_grad(), "
            f"got {type(made).__name__}"
        )
    return made
