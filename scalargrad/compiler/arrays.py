"""Arrays of traced numbers, whose comparisons are arrays of conditions for `where`.   (floor 3)

NumPy itself asks each comparison of two objects for its truth, which a trace does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

COMPARISONS = {
    "__lt__": numpy.less, "__le__": numpy.less_equal, "__gt__": numpy.greater,
    "__ge__": numpy.greater_equal, "__eq__": numpy.equal, "__ne__": numpy.not_equal,
}  # fmt: skip


class TracedArray(numpy.ndarray):
    """An array of traced numbers, and what is computed of it.

    >>> x = TracedArray(2, dtype=object)
    >>> x[:] = 1.0, 2.0
    >>> (x > 1.5).tolist(), (x > 1.5).dtype, x.sum()
    ([False, True], dtype('O'), 3.0)
    """

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array.view(TracedArray) if array.ndim else array[()]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, TracedArray):  # of conditions: each is asked for its truth
            index = index.astype(bool)
        return super().__getitem__(index)


def _comparison(compared: Any) -> Callable[[Any, Any], Any]:
    return lambda self, other: compared(self, other, dtype=object)


for _name, _compared in COMPARISONS.items():
    setattr(TracedArray, _name, _comparison(_compared))
