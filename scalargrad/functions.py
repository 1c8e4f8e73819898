"""The free functions: exp(x), maximum(x, y), sum(xs), where(condition, x, y), …   (floor 2)

Given a Value, a function makes a Value; given plain numbers, it returns a plain number. Functions
with one, two or three operands also take arrays, of numbers or of Values. They work on each
element, with shapes broadcast as in NumPy, and return an array, or a Series for a Series. Functions
of lists, such as sum and mean, take one list or another iterable.

>>> from scalargrad import Value, exp, softmax, where
>>> exp(0.0), exp(Value(0.0))
(1.0, Value(data=1.0, grad=0.0))
>>> softmax([1000.0, 1000.0])
[0.5, 0.5]
>>> x = Value(-1.0)
>>> where(x > 0, x, 0.0)            # the branch itself
0.0

The names are NumPy's, and those of `math` are aliases (`arctan2`, `atan2`). This module makes a
function for each operation in the table of `ops`:

{table}
"""

from __future__ import annotations

from .ops import function_names, named
from .rows.custom import custom_op as custom_op
from .rows.documentation import table
from .rows.free_functions import function_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def __getattr__(name: str) -> Callable[..., Any]:
    """Make the function of an operation when it is first asked for."""
    if not named(name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = globals()[name] = function_named(name)
    return function


def __dir__() -> list[str]:
    return sorted({"custom_op", *function_names()})


__doc__ = (__doc__ or "").replace("{table}", table())
