"""The chain rule, spelled out in figures: what is read when the pointer rests on a card or an edge.   (floor 3)"""

from __future__ import annotations

from math import isclose

from ..value import Value
from .naming import written
from .text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .plan import Plan

MOST = 6  # terms that are spelled out
NOT_RUN = "grad   – (backward() has not run)"


class Tips:
    """Tooltips of one picture."""

    def __init__(self, plan: Plan, names: Mapping[Value, str], has_run: bool) -> None:
        self.names, self.readers, self.partials, self.has_run = (
            names,
            plan.readers,
            plan.partials,
            has_run,
        )
        # Where several roots, or one beyond the picture, sent the gradients, the numerator has no name here.
        self.top = (
            names[plan.roots[0]] if len(plan.roots) == 1 and plan.roots[0].grad == 1.0 else "root"
        )

    def slope(self, value: Value) -> str:
        """∂y/∂value, in symbols."""
        return f"∂{bracketed(self.top)}/∂{bracketed(self.names[value])}"

    def of_value(self, value: Value, kind: str) -> str:
        """What a Value is, its numbers, and where its gradient came from."""
        lines = [f"{self.names[value]} · {kind}", f"data   {value.data!r}"]
        if value._operation is not None and len(value.parents) <= MOST:
            lines.insert(1, f"{value.op}: {self.expression(value)}")
        elif value._operation is not None:
            lines.insert(1, f"{value.op} of {len(value.parents)} operands")
        if not self.has_run:
            return "\n".join([*lines, NOT_RUN])
        return "\n".join([*lines, f"grad   {value.grad!r}", *self.chain(value)])

    def expression(self, value: Value) -> str:
        """The operation on the names of its operands."""
        return written(
            value, [(self.names[p] if isinstance(p, Value) else repr(p), 5) for p in value.parents]
        )[0]

    def chain(self, value: Value) -> list[str]:
        """The chain rule for one Value: in symbols, in figures, and what it gives."""
        terms = [
            (reader, self.partials[reader][index]) for reader, index in self.readers[value][:MOST]
        ]
        shares = [reader.grad * (partial or 0.0) for reader, partial in terms]
        more = len(self.readers[value]) - len(terms)
        if not terms:
            return [
                f"{self.slope(value)} = 1: backward() starts here"
                if value.grad == 1.0
                else "its readers are not in this picture"
            ]
        name = bracketed(self.names[value])
        ellipsis = f" + … {more} more" if more else ""
        lines = [
            f"{self.slope(value)} = "
            + " + ".join(f"{self.slope(r)} × ∂{bracketed(self.names[r])}/∂{name}" for r, _ in terms)
            + ellipsis,
            " = "
            + " + ".join(f"{number(r.grad)} × {number(partial or 0.0)}" for r, partial in terms)
            + ellipsis,
        ]
        if more:
            return lines
        total = shares[0]
        for share in shares[1:]:
            total += share
        lines.append(f" = {total!r}")
        if (
            not isclose(total, value.grad, rel_tol=1e-9, abs_tol=1e-300)
            and value.grad == value.grad
        ):
            lines.append(
                "grad holds shares from elsewhere too: of other roots, or of earlier calls of backward()"
            )
        return lines

    def of_edge(self, operand: Value | float, reader: Value, index: int) -> str:
        """The local slope of one use, and what it sends back."""
        target = bracketed(self.names[reader])
        place = (
            f" (operand {index + 1} of {len(reader.parents)})" if len(reader.parents) > 1 else ""
        )
        if not isinstance(operand, Value):
            return f"{operand!r} → {self.names[reader]}{place}\na plain number: no gradient goes back to it"
        partial = self.partials[reader][index]
        lines = [f"{self.names[operand]} → {self.names[reader]}{place}"]
        lines.append(f"local slope ∂{target}/∂{bracketed(self.names[operand])} = {partial!r}")
        if self.has_run:
            sent = reader.grad * (partial or 0.0)
            lines.append(f"sends back {number(reader.grad)} × {number(partial or 0.0)} = {sent!r}")
        return "\n".join(lines)


def bracketed(name: str) -> str:
    """A name as it stands under ∂."""
    return f"({name})" if any(c in name for c in " ·+−*") else name


def number(x: float) -> str:
    """A factor, its sign in brackets.

    >>> number(2.0), number(-1.5)
    ('2.0', '(-1.5)')
    """
    return f"({x!r})" if str(x).startswith("-") else repr(x)


def of_many(name: str, values: Sequence[Value], has_run: bool) -> str:
    """What a card that stands for several Values holds: the first of them, and how many there are."""
    shown = [
        f"{clean(v.label) or '·'} = {v.data!r}" + (f", grad {v.grad!r}" if has_run else "")
        for v in values[:MOST]
    ]
    more = [f"… {len(values) - MOST} more"] if len(values) > MOST else []
    return "\n".join([name, *shown, *more])
