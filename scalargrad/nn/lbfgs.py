"""L-BFGS: SciPy's search for the least loss over all rows at once.   (floor 3)

>>> from scalargrad.nn import Neuron
>>> line = Neuron(1, activation=None, init="zeros")
>>> history = line.fit([0, 1, 2], [1, 3, 5], optimizer="lbfgs")
>>> f"{line.w[0]:.3f} x + {line.b:.3f}"
'2.000 x + 1.000'
"""

from __future__ import annotations

from itertools import repeat
from math import isfinite

from ..checks import whole_number
from .optimizers import Optimizer, within
from .parameters import put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..value import Value
    from .eager import Losses
    from .optimizers import Numbers
    from .parameters import HasParameters

    Gradient = Callable[[Numbers], tuple[float, Numbers]]

STEEPER = 10.0  # a loss that is not finite is taken to rise so much faster than it fell before


class LBFGS(Optimizer):
    """SciPy's L-BFGS-B, for `fit` on full batches: an epoch is one of its iterations.

    The slopes of the last iterations give the next one its direction, and trials of the loss its
    length. So there is no rate, and no step by hand. Training ends when nothing more is to be
    gained, usually before the last epoch. It needs SciPy, the extra `scipy`.

    memory: how many of the last iterations count. Default 10.
    ftol: the search ends if an iteration lowers the loss by less than this part of it, or of 1 if
        the loss is smaller. Default 2.2e-9.
    gtol: it ends, too, if no slope is larger than this. Default 1e-5.
    """

    def __init__(
        self,
        parameters: HasParameters | Iterable[Value],
        lr: None = None,
        memory: int = 10,
        ftol: float = 2.2e-9,
        gtol: float = 1e-5,
    ) -> None:
        if lr is not None:
            raise ValueError(
                f"L-BFGS finds the length of each step, and lr={lr!r} would be lost: leave lr out"
            )
        super().__init__(parameters, 1.0)
        self.memory = whole_number("memory", memory)
        self.ftol, self.gtol = within("ftol", ftol), within("gtol", gtol)
        _scipy()

    def move(self, gradients: Numbers, lr: float) -> None:
        raise TypeError(
            "L-BFGS tries several places in a step, and step() has one gradient: "
            "write model.fit(X, y, optimizer='lbfgs')"
        )

    def search(
        self,
        gradient: Gradient,
        losses: Losses,
        noted: Callable[[], bool],
        epochs: int,
        is_watched: bool,
    ) -> None:
        """Make at most `epochs` iterations. The loss before each is added to `losses`.

        `gradient` gives the loss and its slopes at some weights. `noted` is called after each
        iteration; if it returns True, the search ends. If it `is_watched`, the user's code runs
        there. If that changed weights or loss, the search begins anew.
        """
        begin, changed = self.steps, True
        while changed and self.steps < begin + epochs:
            search = _Search(self, gradient, losses, noted, is_watched)
            changed = search.run(begin + epochs - self.steps, self.steps == begin)


class _Search:
    """A search from the weights that the parameters have."""

    def __init__(
        self,
        optimizer: LBFGS,
        gradient: Gradient,
        losses: Losses,
        noted: Callable[[], bool],
        is_watched: bool,
    ) -> None:
        self.optimizer, self.gradient, self.losses = optimizer, gradient, losses
        self.noted, self.is_watched = noted, is_watched
        self.trying = -1  # the number of the step that a trial was made for
        weights = [p.data for p in optimizer.parameters]
        self.now = self.tried = (weights, *gradient(weights))
        _, loss, slopes = self.now
        if not (isfinite(loss) and all(map(isfinite, slopes))):
            self._fail(loss, slopes)

    def run(self, iterations: int, is_first: bool) -> bool:
        """Search to the end; return whether the user's code changed weights or loss on the way."""
        from numpy import array

        begin = self.optimizer.steps
        options = {
            "maxiter": iterations,
            "maxfun": 1000 * iterations,
            "maxcor": self.optimizer.memory,
            "ftol": self.optimizer.ftol,
            "gtol": self.optimizer.gtol,
        }
        try:
            _scipy()(
                self.value_and_grad, array(self.now[0]), jac=True, method="L-BFGS-B",
                callback=self.after_iteration, options=options,
            )  # fmt: skip
            if is_first and self.optimizer.steps == begin:
                self.accept(self.now)  # nothing is to be gained: an epoch that moves nothing
        except _Over as over:
            return over.args == (True,)
        finally:
            if self.trying == self.optimizer.steps:  # a trial may stand in the parameters
                put(self.optimizer.parameters, repeat("data"), self.now[0])
            self.optimizer.zero_grad()
        return False

    def value_and_grad(self, x: Any) -> Any:
        """Loss and slopes at some weights, as SciPy asks for them.

        A loss that is not finite counts as a rise, so that the search turns back.
        """
        from numpy import array

        weights = x.tolist()
        if weights != self.tried[0]:
            self.trying = self.optimizer.steps
            loss, slopes = self.gradient(weights)
            if not (isfinite(loss) and all(map(isfinite, slopes))):
                before, loss, slopes = self.now
                fall = sum(s * (w - b) for s, w, b in zip(slopes, weights, before))
                loss, slopes = loss + STEEPER * abs(fall), [-STEEPER * s for s in slopes]
            self.tried = weights, loss, slopes
        return self.tried[1], array(self.tried[2])

    def after_iteration(self, x: Any) -> None:
        """Go on from these weights."""
        self.value_and_grad(x)  # they are known: those tried last
        self.accept(self.tried)

    def accept(self, found: tuple[Numbers, float, Numbers]) -> None:
        """Make these weights those of the parameters; raise _Over where the search ends."""
        self.losses.append(self.now[1])
        self.optimizer.become(found[0], (), self.optimizer.steps + 1)
        self.optimizer.zero_grad()
        self.now = found
        if self.noted():
            raise _Over(False)
        if self.is_watched:
            weights = [p.data for p in self.optimizer.parameters]
            if weights != found[0] or self.gradient(weights) != found[1:]:
                self.now = self.tried = weights, *found[1:]
                raise _Over(True)

    def _fail(self, loss: float, slopes: Numbers) -> None:
        for p, slope in zip(self.optimizer.parameters, slopes):
            if not isfinite(slope):
                what = f"the gradient of {p.label or 'a parameter'} is {slope}"
                break
        else:
            what = f"the loss is {loss}"
        raise FloatingPointError(
            f"{what} where the search begins, so no weight was changed: begin from other weights; "
            "compute the loss within detect_anomaly() to see where it arises"
        )


class _Over(Exception):
    """Ends SciPy's search; True to begin another."""


def _scipy() -> Any:
    try:
        from scipy.optimize import minimize
    except ImportError:
        raise ImportError(
            "optimizer='lbfgs' needs SciPy, the 'scipy' extra: pip install scipy"
        ) from None
    return minimize


__all__ = ["LBFGS"]
