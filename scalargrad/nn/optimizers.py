"""Optimisers: they change parameters along the slopes to lower a loss.   (floor 3)

`step()` reads `data` and `grad` of the parameters, computes all new numbers, and then sets them all
together. So a step that fails or is interrupted changes neither weights nor optimiser. The formulas
and defaults are those of PyTorch.

>>> from scalargrad import Value
>>> w = Value(1.0, "w")
>>> optimizer = SGD([w], lr=0.1, momentum=0.9)
>>> for step in range(2):
...     optimizer.zero_grad()
...     (w * w).backward()
...     optimizer.step()
>>> round(w.data, 12)             # 1 - 0.1 × 2 = 0.8, then 0.8 - 0.1 × (0.9 × 2 + 1.6)
0.46

An optimiser of your own is a subclass with an `update`, a function from numbers to numbers.
"""

from __future__ import annotations

from itertools import repeat
from math import hypot, inf, isfinite

from ..arithmetic.conversion import to_float
from ..functions import sqrt
from ..value import Value
from .parameters import parameters_of, put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .parameters import HasParameters

    Parameters = HasParameters | Iterable[Value]
    Numbers = list[float]
    Moved = tuple[Numbers, tuple[Numbers, ...]]  # the weights after a step, and `state`
    Rate = float | Callable[[int], float]


class Optimizer:
    """The base of all optimisers: parameters, a rate, and a step that is whole or nothing.

    parameters: a module, or a list of leaf Values.
    lr: the rate, a number or a function of the step, counted from 0.

    `steps` counts the steps that were made. `state` holds the numbers that the optimiser remembers
    from them: lists with a number for each parameter.
    """

    def __init__(self, parameters: Parameters, lr: Rate) -> None:
        values = list(parameters_of(parameters))
        name = type(self).__name__
        for value in values:
            if not isinstance(value, Value):
                raise TypeError(
                    f"{name} takes Values, got {type(value).__name__}: give it model.parameters()"
                )
            if value._operation is not None:
                raise ValueError(
                    f"{name} takes leaves, and {value!r} was computed by {value.op}: "
                    "give it the leaves that one was computed from"
                )
        if not values:
            raise ValueError(f"{name} got no parameters: there is nothing to learn")
        if len(set(values)) < len(values):
            raise ValueError(
                f"{name} got a parameter twice, which would make two steps: list it once"
            )
        self.parameters = values
        self.lr = lr if callable(lr) else within("lr", lr)
        self.steps = 0
        self.state: tuple[Numbers, ...] = ()

    def update(self, weights: Numbers, gradients: Numbers, lr: float) -> Moved:
        """Return the new weights and the new `state`, and change nothing."""
        return weights, self.state

    def rate(self, step: int) -> float:
        """The rate of a step: `lr`, or what the function `lr` returns for that step."""
        return within(f"lr({step})", self.lr(step)) if callable(self.lr) else self.lr

    def step(self) -> None:
        """Change the parameters by one step.

        If a gradient is nan or infinite it raises FloatingPointError and changes nothing.
        """
        self.move([p.grad for p in self.parameters], self.rate(self.steps))

    def move(self, gradients: Numbers, lr: float) -> None:
        """Make a step with these gradients and this rate."""
        parameters = self.parameters
        if not all(map(isfinite, gradients)):
            i = next(i for i, g in enumerate(gradients) if not isfinite(g))
            raise FloatingPointError(
                f"the gradient of {_called(parameters, i)} is {gradients[i]}, so no weight was "
                f"changed: a smaller lr may help (it is {lr}); compute the loss within "
                "detect_anomaly() to see where it arises"
            )
        weights, state = self.update([p.data for p in parameters], gradients, lr)
        if not all(map(isfinite, weights)):
            i = next(i for i, w in enumerate(weights) if not isfinite(w))
            raise FloatingPointError(
                f"the step would make {_called(parameters, i)} {weights[i]}, so no weight was "
                f"changed: take a smaller lr (it is {lr})"
            )
        self.become(weights, state, self.steps + 1)

    def whole(self) -> tuple[Numbers, tuple[Numbers, ...], int]:
        """Weights, state and number of steps, as `become` takes them."""
        return [p.data for p in self.parameters], self.state, self.steps

    def become(self, weights: Numbers, state: tuple[Numbers, ...], steps: int) -> None:
        """Set weights, state and number of steps, all of them or, if interrupted, none."""
        names = [*repeat("data", len(self.parameters)), "state", "steps"]
        put([*self.parameters, self, self], names, [*weights, state, steps])

    def zero_grad(self) -> None:
        """Set the gradients to 0, so that those of the next step do not add to them."""
        for p in self.parameters:
            p.grad = 0.0

    def __repr__(self) -> str:
        lr = self.lr if isinstance(self.lr, float) else getattr(self.lr, "__name__", "function")
        return (
            f"{type(self).__name__}({len(self.parameters)} parameters, lr={lr}, steps={self.steps})"
        )


class SGD(Optimizer):
    """A step down the slope g: w -= lr × g. With momentum: v = momentum × v + g, w -= lr × v.

    lr: the rate. Default 0.01.
    momentum: the part of the speed v that is kept in a step, from 0 to below 1. Default 0.
    nesterov: whether to add the slope again, w -= lr × (g + momentum × v), as if taken a step
        ahead. Default False.
    weight_decay: adds weight_decay × w to g, the slope of ½ weight_decay × Σ w². Default 0.
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = momentum
        self.nesterov = bool(nesterov)
        self.weight_decay = within("weight_decay", weight_decay)
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov=True needs a momentum: write momentum=0.9")

    @property
    def momentum(self) -> float:
        """The part of the speed that is kept in a step.

        It may be changed between steps. If it was 0, the speed begins at 0.
        """
        return self._momentum

    @momentum.setter
    def momentum(self, momentum: float) -> None:
        self._momentum = within("momentum", momentum, below=1.0)
        if bool(self.state) != bool(self._momentum):
            self.state = (_zeros(self),) if self._momentum else ()

    def update(self, weights: Numbers, gradients: Numbers, lr: float) -> Moved:
        gradients = _decayed(gradients, weights, self.weight_decay)
        if not self.momentum:
            return [w - lr * g for w, g in zip(weights, gradients)], ()
        mu = self.momentum
        velocity = [mu * v + g for v, g in zip(self.state[0], gradients)]
        moves = [g + mu * v for g, v in zip(gradients, velocity)] if self.nesterov else velocity
        return [w - lr * move for w, move in zip(weights, moves)], (velocity,)


class RMSprop(Optimizer):
    """A step along the slope divided by its own recent size (Tieleman and Hinton 2012).

    v = alpha × v + (1 - alpha) × g², w -= lr × g / (√v + eps)

    lr: the rate. Default 0.01.
    alpha: the part of v that is kept in a step. Default 0.99.
    eps: keeps the divisor above 0. Default 1e-8.
    weight_decay: adds weight_decay × w to g. Default 0.
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.alpha = within("alpha", alpha, below=1.0)
        self.eps = positive("eps", eps)
        self.weight_decay = within("weight_decay", weight_decay)
        self.state = (_zeros(self),)

    def update(self, weights: Numbers, gradients: Numbers, lr: float) -> Moved:
        gradients = _decayed(gradients, weights, self.weight_decay)
        alpha, eps = self.alpha, self.eps
        squares = [alpha * v + (1.0 - alpha) * (g * g) for v, g in zip(self.state[0], gradients)]
        moved = [w - lr * g / (sqrt(v) + eps) for w, g, v in zip(weights, gradients, squares)]
        return moved, (squares,)


class Adam(Optimizer):
    """Mean slope divided by recent size, both corrected for their start at 0 (Kingma and Ba 2015).

    m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g², w -= lr × m̂ / (√v̂ + eps)
    with m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ) in step t = 1, 2, ….

    lr: the rate. Default 0.001.
    betas: β₁ and β₂, the parts of m and v that are kept in a step. Default (0.9, 0.999).
    eps: keeps the divisor above 0. Default 1e-8.
    weight_decay: adds weight_decay × w to g. Default 0.
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"betas must be two numbers, got {betas!r}: write betas=(0.9, 0.999)")
        self.betas = (
            within("betas[0]", betas[0], below=1.0),
            within("betas[1]", betas[1], below=1.0),
        )
        self.eps = positive("eps", eps)
        self.weight_decay = within("weight_decay", weight_decay)
        self.state = (_zeros(self), _zeros(self))

    def update(self, weights: Numbers, gradients: Numbers, lr: float) -> Moved:
        return self._moved(weights, _decayed(gradients, weights, self.weight_decay), lr)

    def _moved(self, weights: Numbers, gradients: Numbers, lr: float) -> Moved:
        b1, b2 = self.betas
        means = [b1 * m + (1.0 - b1) * g for m, g in zip(self.state[0], gradients)]
        squares = [b2 * v + (1.0 - b2) * (g * g) for v, g in zip(self.state[1], gradients)]
        t = self.steps + 1
        unbias1, unbias2, eps = 1.0 - b1**t, 1.0 - b2**t, self.eps
        moved = [
            w - lr * (m / unbias1) / (sqrt(v / unbias2) + eps)
            for w, m, v in zip(weights, means, squares)
        ]
        return moved, (means, squares)


class AdamW(Adam):
    """Adam with a decay that is not part of the averages (Loshchilov and Hutter 2019).

    The decay, w -= lr × weight_decay × w, comes before the step. The arguments are those of Adam;
    weight_decay is 0.01 by default.
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def update(self, weights: Numbers, gradients: Numbers, lr: float) -> Moved:
        kept = 1.0 - lr * self.weight_decay
        return self._moved([w * kept for w in weights], gradients, lr)


def clip_norm(parameters: Parameters, most: float) -> float:
    """Shorten the gradient of all parameters together to a length of at most `most`.

    It is called between `backward()` and `step()`, and returns the length that was; where that is
    nan or infinite nothing changes, and the step says what is wrong.

    >>> from scalargrad import Value
    >>> a, b = Value(0.0), Value(0.0)
    >>> (3 * a + 4 * b).backward()
    >>> clip_norm([a, b], 1.0), round(a.grad, 12), round(b.grad, 12)
    (5.0, 0.6, 0.8)
    """
    values = list(parameters_of(parameters))
    most = to_float(most, "most")
    if not most > 0.0:
        raise ValueError(f"most must be above 0, got {most}")
    gradients = [p.grad for p in values]
    put(values, repeat("grad"), clipped(gradients, most))
    return hypot(*gradients)


def clipped(gradients: Numbers, most: float) -> Numbers:
    """The gradients times most / length, where that is less than 1."""
    length = hypot(*gradients)
    if not most < length < inf:
        return gradients
    factor = most / length
    return [g * factor for g in gradients]


def _called(parameters: list[Value], i: int) -> str:
    return parameters[i].label or f"parameter {i}"


def _zeros(optimizer: Optimizer) -> Numbers:
    return [0.0] * len(optimizer.parameters)


def _decayed(gradients: Numbers, weights: Numbers, decay: float) -> Numbers:
    return [g + decay * w for g, w in zip(gradients, weights)] if decay else gradients


def within(name: str, number: Any, below: float = inf) -> float:
    """The number as a float; ValueError if it is not from 0 to below `below`."""
    value = to_float(number, name)
    if not 0.0 <= value < below:
        end = f" and below {below:g}" if below < inf else ", and finite"
        raise ValueError(f"{name} must be 0 or more{end}, got {value}")
    return value


def positive(name: str, number: Any) -> float:
    """The number as a float; ValueError if it is not above 0, or infinite."""
    value = to_float(number, name)
    if not 0.0 < value < inf:
        raise ValueError(f"{name} must be above 0, and finite, got {value}")
    return value
