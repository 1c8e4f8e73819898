"""A formula as compiled code, and the rows of data that it is fitted to.   (floor 3)"""

from __future__ import annotations

from copy import copy
from types import FunctionType

from ..arithmetic.conversion import to_float
from ..compiler import compile
from ..nn.rows import checked_array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

KEPT = 16  # formulas that another fit finds compiled


class Formula:
    """A formula compiled for rows of data; parameters are given as an array."""

    def __init__(self, f: Callable[..., Any], names: list[str], backend: str) -> None:
        self.names, self._made_of = names, (f, names, backend)
        self._compiled = compile(lambda p, x: f(x, **p), rows=("x",), reduce=None, backend=backend)

    def __reduce__(self) -> tuple[Any, ...]:
        return Formula, self._made_of  # compiled code is made anew

    def values(self, p: Any, x: Any) -> Any:
        """The numbers of all rows of x."""
        import numpy

        return numpy.asarray(self._compiled(self._named(p), x), dtype=float)

    def values_and_slopes(self, p: Any, x: Any) -> tuple[Any, list[Any]]:
        """The numbers of all rows of x, and their slopes by each parameter: an array for each."""
        values, slopes = self._compiled.value_and_grad(self._named(p), x)
        return values, [slopes[name] for name in self.names]

    def _named(self, p: Any) -> dict[str, float]:
        return dict(zip(self.names, map(float, p)))


_compiled: dict[Any, Formula] = {}  # the latest, for another fit


def formula_of(f: Callable[..., Any], names: list[str], backend: str) -> Formula:
    """The formula, compiled, as it may be already: what it reads from elsewhere may change."""
    is_plain = isinstance(f, FunctionType) and not (
        f.__closure__ or f.__defaults__ or f.__kwdefaults__
    )
    function = (f.__code__, id(f.__globals__)) if is_plain else id(f)
    key = function, *names, backend
    made = _compiled.get(key)
    if made is None:
        if len(_compiled) >= KEPT:
            _compiled.clear()
        made = _compiled[key] = Formula(f, names, backend)  # which keeps f, and so its id
    return made


class Data:
    """Rows of data as arrays, checked; sigma is an array or a number, 1 where none is given."""

    def __init__(self, x: Any, y: Any, sigma: Any, loss: str) -> None:
        import numpy

        self.loss = loss
        self.x, self.y = checked_array(x, "x"), checked_array(y, "y")
        if self.y.ndim == 2 and self.y.shape[1] == 1:  # a data frame of one column
            self.y = self.y.ravel()
        if self.y.ndim != 1:
            raise ValueError(f"y must be a number a row, got {self.y.shape[1]} columns")
        if len(self.x) != len(self.y):
            raise ValueError(f"x has {len(self.x)} rows and y {len(self.y)}")
        self.has_sigma = sigma is not None
        is_one = not hasattr(sigma, "__len__")
        self.sigma: Any = 1.0
        if self.has_sigma:
            self.sigma = to_float(sigma, "sigma") if is_one else checked_array(sigma, "sigma")
        shape = () if is_one else self.y.shape
        if numpy.shape(self.sigma) != shape or not numpy.all(self.sigma > 0):
            raise ValueError("sigma must be a number above 0, or one for each row of y")

    def blocks(self, most: int) -> list[Data]:
        """The rows in blocks that are about equally long."""
        found, count = [], len(self.y)
        size = -(-count // -(-count // most))
        for i in range(0, count, size):
            block, rows = copy(self), slice(i, i + size)
            block.x, block.y = self.x[rows], self.y[rows]
            block.sigma = self.sigma[rows] if hasattr(self.sigma, "__len__") else self.sigma
            found.append(block)
        return found
