"""What Values are called in a picture, and what they are as formulas.   (floor 3)

A label is the name. Without one a Value is called by what a person would write: `z1[0]` and `a1[0]` in a
network, `w·x` where its operands have labels, else v1, v2 … in the order of the graph.
"""

from __future__ import annotations

from ..value import Value
from .text import clean, figure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .neurons import Neurons

    Formula = tuple[str, int]  # text, and how tightly it binds

COMMUTATIVE = {
    "add",
    "mul",
    "sum",
    "prod",
    "dot",
    "norm",
    "logsumexp",
    "max",
    "min",
    "maximum",
    "minimum",
    "hypot",
    "logaddexp",
}
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = 1, 2, 3, 4, 5
# fmt: off
_INFIX = {
#   operation  between  binds     the left operand at least  the right one at least
    "add":    (" + ",  _SUM,     _SUM,                       _SUM),
    "sub":    (" − ",  _SUM,     _SUM,                       _PRODUCT),
    "mul":    ("·",    _PRODUCT, _PRODUCT,                   _PRODUCT),
    "div":    (" / ",  _PRODUCT, _PRODUCT,                   _SIGN),
    "pow":    ("**",   _POWER,   _ATOM,                      _SIGN),
}
# fmt: on


def names(
    values: Sequence[Value], neurons: Neurons, longest: int = 14
) -> tuple[dict[Value, str], set[Value]]:
    """The name of each Value, and those that have it from the user."""
    named: dict[Value, str] = {}
    given: set[Value] = set()
    count = 0
    for value in values:
        name = clean(str(value.label))
        if name:
            given.add(value)
        elif inner := neurons.name(value):
            name = inner
        elif (
            value._operation is not None
            and len(value.parents) <= 3
            and given.issuperset(p for p in value.parents if isinstance(p, Value))
        ):
            name = written(
                value,
                [
                    (named[p] if isinstance(p, Value) else figure(p, 3), _ATOM)
                    for p in value.parents
                ],
            )[0]
        if not name or (value not in given and len(name) > longest):
            count += 1
            name = f"v{count}"
        named[value] = name
    return named, given


def written(value: Value, operands: Sequence[Formula]) -> Formula:
    """An operation on operands that are written already.

    >>> from scalargrad import Value
    >>> written(Value(1.0) * 2, [("a + b", 1), ("c", 5)])
    ('(a + b)·c', 2)
    """
    op = value.op
    if op in _INFIX:
        between, binds, *least = _INFIX[op]
        return between.join(
            _wrapped(operand, at_least) for operand, at_least in zip(operands, least)
        ), binds
    if op == "neg":
        return "−" + _wrapped(operands[0], _SIGN), _SIGN
    if op == "sum" and len(operands) > 1:
        return " + ".join(_wrapped(operand, _SUM) for operand in operands), _SUM
    if op == "dot":
        n = len(operands) // 2
        terms = [
            f"{_wrapped(w, _PRODUCT)}·{_wrapped(x, _PRODUCT)}"
            for w, x in zip(operands[:n], operands[n : 2 * n])
        ]
        bias = value.parents[-1]
        has_bias = isinstance(bias, Value) or bias != 0.0
        return " + ".join([*terms, _wrapped(operands[-1], _SUM)] if has_bias else terms), _SUM
    return f"{op}({', '.join(text for text, _ in operands)})", _ATOM


def _wrapped(operand: Formula, at_least: int) -> str:
    text, binds = operand
    return text if binds >= at_least else f"({text})"


def formula(
    root: Value, values: Sequence[Value], longest: int = 72, in_labels: bool = False
) -> str:
    """The root written out in its leaves, or in what has labels; empty where that is long, or of leaves without one.

    >>> from scalargrad import Value, tanh
    >>> w, x = Value(0.5, "w"), Value(2.0, "x")
    >>> y = tanh(w * x + 1) / 2
    >>> formula(y, y.graph())
    'tanh(w·x + 1) / 2'
    """
    texts: dict[Value, Formula | None] = {}
    for value in values:
        operands: list[Formula] = []
        for operand in value.parents if len(value.parents) <= longest else ():
            formula = (
                texts[operand]
                if isinstance(operand, Value)
                else (figure(operand, 3), _ATOM if operand >= 0 else _SIGN)
            )
            if formula is None:
                break
            operands.append(formula)
        if value._operation is None or (in_labels and value.label and value is not root):
            texts[value] = (clean(str(value.label)), _ATOM) if value.label else None
        elif len(operands) < len(value.parents):
            texts[value] = None
        else:
            text, binds = written(value, operands)
            texts[value] = (text, binds) if len(text) <= longest else None
    found = texts[root]
    return found[0] if found else ""
