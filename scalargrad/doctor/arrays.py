"""Arrays of Values that record what NumPy decides by comparing.   (floor 2)

On an array of objects `np.maximum(z, 0)` picks the Value or the 0. A unit that is off leaves no
trace in the graph, and a forgotten slope of relu could not be seen. An array of this class records
the maximum itself.
"""

from __future__ import annotations

import numpy

from ..functions import maximum, minimum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RECORDED = {
    numpy.maximum: maximum, numpy.fmax: maximum, numpy.minimum: minimum, numpy.fmin: minimum,
}  # fmt: skip


class RecordingArray(numpy.ndarray):
    """An array of Values on which `maximum`, `minimum` and `where` record what they do."""

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any
    ) -> Any:
        plain = [_plain(x) for x in inputs]
        if method == "__call__" and ufunc in RECORDED and out is None and not options:
            return recording(RECORDED[ufunc](*plain))
        if out is not None:
            options["out"] = tuple(map(_plain, out))
        result = getattr(ufunc, method)(*plain, **options)
        return out[0] if out is not None and len(out) == 1 else recording(result)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is numpy.where and len(args) == 3 and not kwargs:
            condition, x, y = map(_plain, args)
            if not isinstance(x, numpy.ndarray) or not isinstance(y, numpy.ndarray):
                if isinstance(y, int | float) and y == 0:
                    return recording(x * (condition * 1.0))
                if isinstance(x, int | float) and x == 0:
                    return recording(y * (1.0 - condition))
        return super().__array_function__(func, types, args, kwargs)


def recording(tree: Any) -> Any:
    """The structure with recording arrays in place of arrays of Values."""
    if isinstance(tree, numpy.ndarray):
        return tree.view(RecordingArray) if tree.dtype == object else tree
    if isinstance(tree, dict):
        twin = tree.copy()
        for key, item in tree.items():
            twin[key] = recording(item)
        return twin
    if type(tree) in (list, tuple):
        return type(tree)([recording(item) for item in tree])
    return tree


def _plain(x: Any) -> Any:
    return x.view(numpy.ndarray) if isinstance(x, RecordingArray) else x
