"""The free functions: exp(x), maximum(x, y), sum(xs), where(condition, x, y) … on Values and on numbers.   (floor 2)

Each is a row of `ops`, named as NumPy names it, with `math`'s name as an alias (`arctan2`, `atan2`).
Given a Value they record it; given plain numbers they return plain numbers. Those of many take one
iterable. The table, from the rows themselves:

{table}

>>> from scalargrad import Value, exp, softmax, where
>>> exp(0.0), exp(Value(0.0))
(1.0, Value(data=1.0, grad=0.0))
>>> softmax([1000.0, 1000.0])
[0.5, 0.5]
>>> x = Value(-1.0)
>>> where(x > 0, x, 0.0)            # the branch itself
0.0
"""

from __future__ import annotations

from .ops import OPS
from .rows.custom import custom_op as custom_op
from .rows.free_functions import function_named
from .rows.methods import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def __getattr__(name: str) -> Callable[..., Any]:
    """Make the function of an operation when it is first asked for."""
    try:
        function = function_named(name)
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    globals()[name] = function
    return function


def __dir__() -> list[str]:
    return sorted(
        {"custom_op", *(n for op in OPS.values() if op.is_public for n in (op.name, *op.aliases))}
    )


__doc__ = (__doc__ or "").replace("{table}", table())
