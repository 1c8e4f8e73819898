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

import sys
from keyword import iskeyword

from .arithmetic.total import inf
from .ops import OPS, Op, add_row, table
from .rows.free_functions import function_named
from .rows.methods import add_method
from .rows.text import FAST_NAMES, RESERVED
from .value import Value

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


def custom_op(
    name: str,
    value: str,
    slopes: str | tuple[str, ...],
    symbol: str = "",
    domain: tuple[tuple[float, float], ...] | None = None,
    work: tuple[str, ...] = (),
) -> Callable[..., Any]:
    """Add a row to the table and return its function; Values get it as a method, pictures its symbol.

    `value` is an expression of `x` (and `y`, where `slopes` has two expressions) in the names of `math`
    and of the rows; a slope is one in the names of the rows, and of `out`. ValueError for a name that
    is taken or an expression that cannot be read.

    >>> from scalargrad import Value, custom_op
    >>> cube = custom_op("cube", "x * x * x", "3.0 * x * x", symbol="x³")
    >>> x = Value(2.0)
    >>> y = cube(x) + x.cube()
    >>> y.backward()
    >>> y.data, x.grad
    (16.0, 24.0)
    """
    slopes = (slopes,) if isinstance(slopes, str) else tuple(slopes)
    for text in (name, value, *slopes, *work):
        if not isinstance(text, str):
            raise TypeError(
                f"custom_op takes expressions as text, got {type(text).__name__}: write custom_op('cube', 'x * x * x', '3.0 * x * x')"
            )
    if not 1 <= len(slopes) <= 2:
        raise ValueError(f"custom_op takes one slope or two, by x and by y; got {len(slopes)}")
    op = Op(
        name,
        "x y"[: 2 * len(slopes) - 1],
        value,
        slopes,
        symbol or name,
        domain or ((-inf, inf),) * len(slopes),
        tuple(work),
    )
    if not name.isidentifier() or iskeyword(name) or name.startswith("_"):
        raise ValueError(
            f"{name!r} cannot be the name of an operation: write an identifier that does not begin with _"
        )
    package = sys.modules[__package__ or ""]
    if (
        name in OPS
        or hasattr(Value, name)
        or name in FAST_NAMES
        or hasattr(package, name)
        or name in RESERVED
    ):
        raise ValueError(f"the name {name!r} is taken: give the operation another")
    add_row(op, known=set(FAST_NAMES))
    add_method(Value, op)
    _write_table()
    return __getattr__(name)


_TEMPLATE = __doc__ or ""


def _write_table() -> None:
    """Put the table as it is now into this module's docstring."""
    globals()["__doc__"] = _TEMPLATE.replace("{table}", table())


_write_table()
