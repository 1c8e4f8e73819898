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

NUMBER, PART = -1, -2  # in place of a form
INDICES = pattern(r"[\d\s.,;:_()\[\]{}-]+")


def roles(
    values: Sequence[Value],
    readers: Readers,
    card: Mapping[Value, Hashable],
    roots: Collection[Value],
) -> dict[Value, Hashable]:
    """The card `("role", number)` of each Value that shares its role with others.

    A Value on another card than its own stays there, and stands for that card.
    """
    whole = _sums(values, readers, card, roots)
    form = _operands_first(values, card, whole, roots)
    role = _readers_first(values, readers, card, whole, form)
    groups: dict[int, list[Value]] = {}
    for value in values:
        if card[value] is value:
            groups.setdefault(role[value], []).append(value)
    return {
        value: ("role", number)
        for number, group in groups.items()
        if len(group) > 1
        for value in group
    }


def _sums(
    values: Sequence[Value],
    readers: Readers,
    card: Mapping[Value, Hashable],
    roots: Collection[Value],
) -> dict[Value, Value]:
    """The sum that a Value is a part of, itself in most cases."""
    whole: dict[Value, Value] = {}
    for value in reversed(values):
        whole[value] = value
        if len(readers[value]) == 1 and value not in roots and card[value] is value:
            ((reader, _),) = readers[value]
            if _is_sum(value) and _is_sum(reader) and card[reader] is reader:
                whole[value] = whole[reader]
    return whole


def _is_sum(value: Value) -> bool:
    return value._operation is not None and value._operation.is_sum


def _operands_first(
    values: Sequence[Value],
    card: Mapping[Value, Hashable],
    whole: Mapping[Value, Value],
    roots: Collection[Value],
) -> dict[Value, int]:
    """A number for each way in which a Value is made; that of a sum is told with its last part."""
    form: dict[Value, int] = {}
    numbers: dict[Hashable, int] = {}
    terms: dict[Value, set[int]] = {}
    for value in values:
        if whole[value] is not value:  # a part of a sum has no form of its own
            form[value] = PART
            terms.setdefault(whole[value], set()).update(_terms(value, whole, form))
            continue
        read = [form[x] if isinstance(x, Value) else NUMBER for x in value.parents]
        made: tuple[Hashable, ...]
        if card[value] is not value:
            made = "card", card[value]
        elif value._operation is None:
            made = "leaf", INDICES.sub("", label_of(value))
        elif _is_sum(value):
            made = "sum", frozenset(terms.pop(value, set()).union(_terms(value, whole, form)))
        elif value._operation.is_commutative:
            made = value.op, frozenset(read)
        else:
            made = value.op, *read
        if value in roots:
            made = "root", id(value)
        form[value] = numbers.setdefault(made, len(numbers))
    return form


def _terms(value: Value, whole: Mapping[Value, Value], form: Mapping[Value, int]) -> Iterator[int]:
    """The forms of the operands of a part of a sum, but for those that are parts of it."""
    for x in value.parents:
        if not isinstance(x, Value):
            yield NUMBER
        elif whole[x] is not whole[value]:
            yield form[x]


def _readers_first(
    values: Sequence[Value],
    readers: Readers,
    card: Mapping[Value, Hashable],
    whole: Mapping[Value, Value],
    form: Mapping[Value, int],
) -> dict[Value, int]:
    """A number for each role: how a Value is made, and the roles of its readers."""
    role: dict[Value, int] = {}
    numbers: dict[Hashable, int] = {}
    for value in reversed(values):
        if whole[value] is not value:
            role[value] = role[whole[value]]
            continue
        read_by: Hashable = card[value]
        if read_by is value:
            read_by = frozenset(
                (role[reader], 0 if _has_no_order(reader) else index)
                for reader, index in readers[value]
            )
        role[value] = numbers.setdefault((form[value], read_by), len(numbers))
    return role


def _has_no_order(value: Value) -> bool:
    return value._operation is not None and value._operation.is_commutative
