"""The names of Values in a picture.   (floor 3)

A Value is named by its label. Without a label it gets the name that a person would write: `z1[0]`
or `a1[0]` in a network, `w·x` if its operands have labels, else v1, v2 … in the order of the graph.
"""

from __future__ import annotations

from ..value import Value
from ..wording import clean, figure, formulas, label_of, name_formula, symbol_on, unused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .neurons import Neurons

LONGEST = 14  # letters of a name that is made here, at most
LONGEST_BADGE = 12
MOST_LINES = 12  # of a label; a card shows fewer


def picture_names(values: Sequence[Value], neurons: Neurons) -> tuple[dict[Value, str], set[Value]]:
    """The name of each Value, and the set of Values that were named by a user's label."""
    found = {value: label_of(value) for value in values}
    given = {value for value, label in found.items() if label}
    taken = {found[value] for value in given}
    fresh = unused(taken)
    for value in values:
        if value not in given:
            operands = {
                x: name_formula(found[x])
                for x in value.parents[:3]
                if isinstance(x, Value) and x in given
            }
            name = neurons.name(value) or formulas([value], operands, longest=LONGEST).get(
                value, ""
            )
            found[value] = name if name and name not in taken else next(fresh)
    return found, given


def in_lines(value: Value) -> str:
    """The label of a Value as its card shows it, in lines where it has line breaks.

    >>> in_lines(Value(0.5, "dense\\nweight"))
    'dense\\nweight'
    """
    return "\n".join(clean_lines(str(value.label))[:MOST_LINES]) or label_of(value)


def clean_lines(text: str) -> list[str]:
    """The lines of a user's text, each as `clean` makes it, without those that are empty."""
    return [line for part in text.split("\n") if (line := clean(part).strip())]


def badge(value: Value | None) -> str:
    """The symbol of the operation that made a Value, with a dot in place of each operand.

    >>> w = Value(0.5, "w")
    >>> badge(w.tanh()), badge(w.square()), badge(w)
    ('tanh', '·²', '')
    """
    op = value._operation if value is not None else None
    return symbol_on(op, ["·"] * len(op.operands))[:LONGEST_BADGE] if op else ""


def badge_with_number(value: Value) -> str:
    """The symbol of an operation on a Value and a plain number, with that number; else empty.

    >>> w = Value(0.5, "w")
    >>> [badge_with_number(value) for value in (w * 1.01, 1 - w, w**2, w * w)]
    ['× 1.01', '1 −', '** 2', '']
    """
    op, operands = value._operation, value.parents
    if op is None or len(operands) != 2 or sum(isinstance(x, Value) for x in operands) != 1:
        return ""
    texts = ["·" if isinstance(x, Value) else figure(x) for x in operands]
    number = next(text for text in texts if text != "·")
    plain = symbol_on(op, ["·"] * 2)
    if "·" in plain:  # the symbol has places for its operands
        return symbol_on(op, texts)[: LONGEST_BADGE + 4]
    if not op.infix:
        return ""
    return f"{number} {plain}" if texts[1] == "·" and not op.is_commutative else f"{plain} {number}"
