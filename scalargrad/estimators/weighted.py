"""The weights of rows that a caller of `fit` gives.   (floor 3)"""

from __future__ import annotations

from math import inf

import numpy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def checked_weights(given: Any, X: Any) -> Any:
    """The weight of each row, 0 or more, as an array; None if none were given."""
    if given is None:
        return None
    weights = numpy.asarray(given, dtype=float)
    if weights.ndim == 0:
        weights = numpy.full(len(X), float(weights))
    if weights.shape != (len(X),):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(len(X),)}!")
    if not ((weights >= 0.0) & (weights < inf)).all():
        wrong = weights[~((weights >= 0.0) & (weights < inf))][0]
        raise ValueError(f"sample_weight must be 0 or more, and finite, got {wrong}")
    if not weights.any():
        raise ValueError("sample_weight is zero for all rows: give some of them a weight above 0")
    return weights
