"""Finds Values that play the same role in a graph, so that large ones are readable.   (floor 3)

Two Values play the same role if the same operation made them of operands that are alike, and
readers that are alike read them. A chain of additions is one sum, whose terms have no order. Leaves
are alike if their labels are, but for numbers and indices.
"""

from __future__ import annotations

from re import compile as pattern

from ..value import Value
from ..wording import label_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence

    Readers = Mapping[Value, Sequence[tuple[Value, int]]]

NUMBER = -1  # a plain number among the operands
FARTHEST = 4  # steps, between Values that are told apart by what is near
INDICES = pattern(r"[\d\s.,;:_()\[\]{}-]+")


def roles(
    values: Sequence[Value],
    readers: Readers,
    card: Mapping[Value, Hashable],
    roots: Collection[Value],
    most: int,
) -> dict[Value, Hashable]:
    """The card `("role", number, how many)` of each Value that shares its role with others.

    A sum counts as one, whatever its parts. A Value on another card than its own stays there, and
    stands for that card. If there are more than `most` roles, those count as the same that only
    differ far away: the steps of a recurrent network then share cards, and edges lead back.
    """
    found = Roles(values, readers, card, roots)
    role = found.exact()
    if len({*role.values()}) > most:
        role = found.nearby(most // 3)  # with edges that lead back, fewer cards are readable
    groups: dict[int, list[Value]] = {}
    for value in values:
        if card[value] is value:
            groups.setdefault(role[value], []).append(value)
    cards: dict[Value, Hashable] = {}
    for number, group in groups.items():
        if len(group) > 1:
            count = sum(found.whole[value] is value for value in group)
            cards |= dict.fromkeys(group, ("role", number, count))
    return cards


class Roles:
    """The Values of a graph, and for each part of a sum the whole; of others, themselves."""

    def __init__(
        self,
        values: Sequence[Value],
        readers: Readers,
        card: Mapping[Value, Hashable],
        roots: Collection[Value],
    ) -> None:
        self.values, self.readers, self.card, self.roots = values, readers, card, roots
        self.whole: dict[Value, Value] = {}
        self.parts: dict[Value, list[Value]] = {}  # of each sum, itself among them
        for value in reversed(values):
            ((reader, _), *more) = readers[value] or [(value, 0)]
            is_part = _is_sum(value) and _is_sum(reader) and not more and value not in roots
            if is_part and card[value] is value and card[reader] is reader:
                self.whole[value] = self.whole[reader]
            else:
                self.whole[value] = value
            self.parts.setdefault(self.whole[value], []).append(value)

    def exact(self) -> dict[Value, int]:
        """Roles by all that a Value is made of, and by all that it goes into."""
        form: dict[Value, int] = {}
        forms: dict[Hashable, int] = {}
        for value in self.values:
            if self.whole[value] is value:
                made = self.kind(value), self.operands(value, form)
                form[value] = forms.setdefault(made, len(forms))
        role: dict[Value, int] = {}
        numbers: dict[Hashable, int] = {}
        for value in reversed(self.values):
            if self.whole[value] is value:
                mark = form[value], self.read_by(value, role)
                role[value] = numbers.setdefault(mark, len(numbers))
            else:
                role[value] = role[self.whole[value]]
        return role

    def nearby(self, most: int) -> dict[Value, int]:
        """Roles by what is near: by one step more, as long as they are not more than `most`."""
        role = self.numbered({value: self.kind(value) for value in self.parts})
        for _ in range(FARTHEST):
            finer = self.numbered({
                value: (role[value], self.operands(value, role), self.read_by(value, role))
                for value in self.parts
            })  # fmt: skip
            if len({*finer.values()}) > most:
                break
            role = finer
        return role

    def numbered(self, marks: Mapping[Value, Hashable]) -> dict[Value, int]:
        """A number for each mark; a part of a sum has that of the whole."""
        numbers: dict[Hashable, int] = {}
        found = {value: numbers.setdefault(mark, len(numbers)) for value, mark in marks.items()}
        return {value: found[self.whole[value]] for value in self.values}

    def kind(self, value: Value) -> Hashable:
        """The name that a Value would have without its operands."""
        if self.card[value] is not value:
            return "card", self.card[value]
        if value in self.roots:
            return "root", id(value)
        if value._operation is None:
            return "leaf", INDICES.sub("", label_of(value))
        return "sum" if _is_sum(value) else value.op

    def operands(self, value: Value, role: Mapping[Value, int]) -> Hashable:
        """The roles of the operands, in their order where it matters."""
        if self.card[value] is not value:
            return ()
        if _is_sum(value):
            return frozenset(self.terms(value, role))
        found = [role[x] if isinstance(x, Value) else NUMBER for x in value.parents]
        return tuple(found) if _has_order(value) else frozenset(found)

    def terms(self, value: Value, role: Mapping[Value, int]) -> Iterator[int]:
        """The roles of the terms of a sum."""
        for part in self.parts[value]:
            for x in part.parents:
                if not isinstance(x, Value):
                    yield NUMBER
                elif self.whole[x] is not value:
                    yield role[x]

    def read_by(self, value: Value, role: Mapping[Value, int]) -> Hashable:
        """The roles of the readers, and as which operand they read where their order matters."""
        if self.card[value] is not value:
            return ()
        return frozenset(
            (role[reader], index if _has_order(reader) else 0)
            for reader, index in self.readers[value]
        )


def _is_sum(value: Value) -> bool:
    return value._operation is not None and value._operation.is_sum


def _has_order(value: Value) -> bool:
    return value._operation is not None and not value._operation.is_commutative
