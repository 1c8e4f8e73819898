"""Tooltips of cards and edges: the chain rule in symbols and in numbers.   (floor 3)"""

from __future__ import annotations

from ..ops import SUM
from ..value import Value
from ..wording import label_of, name_formula, number_formula, operation_formula

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .plan import Plan

MOST = 6  # terms that are written out, at most
NOT_RUN = "grad   – (backward() has not run)"
ELSEWHERE = (
    "grad holds shares from elsewhere too: from other roots, from readers that are not shown, "
    "or from earlier calls of backward()"
)


class Tips:
    """The tooltips of one picture."""

    def __init__(self, plan: Plan, names: Mapping[Value, str]) -> None:
        self.plan, self.names = plan, names
        # Only if a single root sent all gradients is it known of what they are the slopes.
        (first, *others) = plan.roots
        self.top = names[first] if not others and first.grad == 1.0 else "root"

    def slope(self, value: Value) -> str:
        """∂y/∂value, in symbols."""
        return f"∂{bracketed(self.top)}/∂{bracketed(self.names[value])}"

    def value_tip(self, value: Value, kind: str) -> str:
        """The kind of a Value, its numbers, and where its gradient came from."""
        lines = [f"{self.names[value]} · {kind}"]
        if value._operation is not None:
            op, count = value._operation, len(value.parents)
            expression = self.expression(value) if count <= MOST else f"{count} operands"
            lines.append(f"{op.name}: {expression}" if op.is_public else expression)
        lines.append(f"data   {value.data!r}")
        if value in self.plan.walked:
            return "\n".join([*lines, f"grad   {value.grad!r}", *self.chain(value)])
        lines += [NOT_RUN] if self.plan.has_gradients else []
        if value.grad and value._operation is None and self.plan.has_gradients:
            lines.append(f"an earlier walk left {value.grad!r} here")
        return "\n".join(lines)

    def expression(self, value: Value) -> str:
        """The operation that made a Value, with the names of its operands."""
        operands = [
            name_formula(self.names[x]) if isinstance(x, Value) else number_formula(x, 6)
            for x in value.parents
        ]
        return operation_formula(value, operands)[0]

    def chain(self, value: Value) -> list[str]:
        """The chain rule for one Value: in symbols, in numbers, and the result."""
        readers = self.plan.readers[value]
        if not readers:
            is_top = value in self.plan.are_roots and value.grad == 1.0
            return [
                f"{self.slope(value)} = 1: backward() starts here"
                if is_top
                else "its readers are not in this picture"
            ]
        name, shown = bracketed(self.names[value]), readers[:MOST]
        more = f" + … {len(readers) - MOST} more" if len(readers) > MOST else ""
        symbols = [
            f"{self.slope(reader)} × ∂{bracketed(self.names[reader])}/∂{name}"
            for reader, _ in shown
        ]
        figures = [self.product(reader, index) for reader, index in shown]
        lines = [
            f"{self.slope(value)} = {' + '.join(symbols)}{more}",
            f" = {' + '.join(figures)}{more}",
        ]
        if not more:
            sum_sent = 0.0
            for reader, index in readers:
                sum_sent += self.plan.sent(reader, index)
            lines.append(f" = {sum_sent!r}")
        if not self.plan.is_sum_of_shares(value):
            lines.append(ELSEWHERE)
        return lines

    def product(self, reader: Value, index: int) -> str:
        """The product that a reader sends to an operand: its gradient times the local slope."""
        if reader not in self.plan.walked:
            return "nothing yet"
        if reader.grad == 0.0:
            return "0.0"
        return f"{factor(reader.grad)} × {factor(self.plan.partials[reader][index] or 0.0)}"

    def edge_tip(self, operand: Value | float, reader: Value, index: int) -> str:
        """The local slope of one use of an operand, and the share that goes back along it."""
        count = len(reader.parents)
        place = f" (operand {index + 1} of {count})" if count > 1 else ""
        if not self.plan.has_gradients:
            shown = self.names[operand] if isinstance(operand, Value) else repr(operand)
            return f"{shown} → {self.names[reader]}{place}"
        if not isinstance(operand, Value):
            return (
                f"{operand!r} → {self.names[reader]}{place}\n"
                "a plain number: no gradient goes back to it"
            )
        slope = f"∂{bracketed(self.names[reader])}/∂{bracketed(self.names[operand])}"
        lines = [
            f"{self.names[operand]} → {self.names[reader]}{place}",
            f"local slope {slope} = {self.plan.partials[reader][index]!r}",
        ]
        if reader in self.plan.walked:
            sent = self.plan.sent(reader, index)
            lines.append(f"sends back {self.product(reader, index)} = {sent!r}")
        return "\n".join(lines)


def bracketed(name: str) -> str:
    """A name as it is written behind ∂: in brackets if it is a sum."""
    return f"({name})" if " " in name or name_formula(name)[1] == SUM else name


def factor(x: float) -> str:
    """A number in a product, in brackets if it has a sign.

    >>> factor(2.0), factor(-1.5)
    ('2.0', '(-1.5)')
    """
    return f"({x!r})" if str(x).startswith("-") else repr(x)


def members_tip(name: str, values: Sequence[Value], walked: bool) -> str:
    """The tooltip of a card for several Values: the first of them, and how many more there are."""
    shown = [
        f"{label_of(v) or '·'} = {v.data!r}" + (f", grad {v.grad!r}" if walked else "")
        for v in values[:MOST]
    ]
    more = [f"… {len(values) - MOST} more"] if len(values) > MOST else []
    return "\n".join([name, *shown, *more])
