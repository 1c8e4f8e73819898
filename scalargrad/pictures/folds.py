"""Finds what repeats in a graph: long chains of steps, branches that are alike.   (floor 3)

A chain keeps its first and last repeat, and branches the first two and the last. One card stands
for those between.
"""

from __future__ import annotations

from ..value import Value
from .naming import badge, badge_with_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence

    Readers = Mapping[Value, Sequence[tuple[Value, int]]]

FEWEST = 6  # repeats that are worth a card
LONGEST_STEP = 6  # Values in a step that repeats
MOST_BRANCHES = 12  # more that are alike are folded


def folds(
    values: Sequence[Value],
    readers: Readers,
    kept: Collection[Value],
    shared: Mapping[Value, Hashable],
    any_number: bool = False,
) -> dict[Value, Hashable]:
    """The card `("fold", number, repeats, symbols)` of each Value that is folded.

    Values in `kept`, which the picture shows itself, are not; `shared` tells which of them are on
    one card. The symbols are those of one repeat. The numbers in a step are the same in each, but
    not with `any_number`.
    """
    form, number = _forms(values, readers, kept, shared), 0
    card: dict[Value, Hashable] = {}
    for chain in _chains(values, form):
        for repeats in _repeats(chain, form, shared, any_number):
            whole = [[v for link in links for v in _with_branches(link, chain[link], form)]
                     for links in repeats[1:-1]]  # fmt: skip
            key = ("fold", number, len(whole), _symbols(whole))
            card.update((value, key) for repeat in whole for value in repeat)
            number += 1
    for alike in _branches(values, form):
        key = ("fold", number, len(alike) - 3, _symbols([[top] for top in alike[2:-1]]))
        members = [v for top in alike[2:-1] for v in _all_of(top, form)]
        card = dict.fromkeys(members, key) | card
        number += 1
    return card


def _symbols(repeats: Sequence[Sequence[Value]]) -> str:
    """The badges of one repeat; with a number, where all repeats have the same."""
    texts = []
    for column in zip(*repeats):
        found = {badge_with_number(value) for value in column}
        texts.append(found.pop() if len(found) == 1 and "" not in found else badge(column[0]))
    return "   ".join(filter(None, texts))


def _forms(
    values: Sequence[Value],
    readers: Readers,
    kept: Collection[Value],
    shared: Mapping[Value, Hashable],
) -> dict[Value, int]:
    """The form of each Value that a single Value reads: its operation, the forms it reads."""
    form: dict[Value, int] = {}
    number: dict[Hashable, int] = {}
    for value in values:
        if value not in kept and len({reader for reader, _ in readers[value]}) == 1:
            made_of = value.op, *(_mark(x, form, shared) for x in value.parents)
            form[value] = number.setdefault(made_of, len(number))
    return form


def _mark(
    x: Value | float, form: Mapping[Value, int], shared: Mapping[Value, Hashable]
) -> Hashable:
    """An operand in a form: a Value without one counts as its card or itself, a number as any."""
    if not isinstance(x, Value):
        return "number"
    return form[x] if x in form else shared.get(x, f"Value {id(x)}")


def _chains(
    values: Sequence[Value], form: Mapping[Value, int]
) -> Iterator[dict[Value, Value | None]]:
    """Computed Values of which each reads the one before, and beside it only its own branches.

    Each is told with the one before. A Value in `kept` has no form, so it ends its chain.
    """
    before: dict[Value, Value] = {}
    depth: dict[Value, int] = {}
    for value in values:
        computed = [x for x in value.parents if isinstance(x, Value) and x._operation is not None]
        depth[value] = 1 + max((depth[x] for x in computed), default=0)
        if computed:
            deepest = max(computed, key=depth.__getitem__)
            if deepest in form and sum(x is deepest for x in value.parents) == 1:
                before[value] = deepest
    after = {operand: value for value, operand in before.items()}
    for value in values:
        if value._operation is not None and (value not in before):
            chain: dict[Value, Value | None] = {value: None}
            while value in after:
                chain[after[value]], value = value, after[value]
            yield chain


def _repeats(
    links: Mapping[Value, Value | None],
    form: Mapping[Value, int],
    shared: Mapping[Value, Hashable],
    any_number: bool,
) -> Iterator[list[Sequence[Value]]]:
    """The runs of the same step in a chain: the Values of each repeat."""
    chain = [*links]
    steps = [_step(value, links[value], form, shared, any_number) for value in chain]
    start = 0
    while start < len(chain):
        for length in range(1, LONGEST_STEP + 1):
            end = start + length
            while end < len(chain) and steps[end] == steps[end - length]:
                end += 1
            count = (end - start) // length
            if count >= FEWEST + 2:
                yield [chain[start + i * length : start + (i + 1) * length] for i in range(count)]
                start += count * length - 1
                break
        start += 1


def _step(
    value: Value,
    before: Value | None,
    form: Mapping[Value, int],
    shared: Mapping[Value, Hashable],
    any_number: bool,
) -> Hashable:
    """One link of a chain: the operation, and what it reads beside the link before."""
    read = [x for x in value.parents if isinstance(x, Value)]
    own = [x for x in read if x in form] or read
    if before is None and len(own) == 1:  # the first link goes on from a leaf
        (before,) = own
    return value.op, *(
        ""
        if x is before
        else _mark(x, form, shared)
        if isinstance(x, Value) or any_number
        else repr(x)
        for x in value.parents
    )


def _branches(values: Sequence[Value], form: Mapping[Value, int]) -> Iterator[list[Value]]:
    """Groups of operands of one Value that are alike, with all that they alone read."""
    for value in values:
        alike: dict[int, dict[Value, None]] = {}
        if len(value.parents) > MOST_BRANCHES:
            for x in value.parents:
                if isinstance(x, Value) and x in form and x._operation is not None:
                    alike.setdefault(form[x], {})[x] = None
        yield from ([*tops] for tops in alike.values() if len(tops) > MOST_BRANCHES)


def _with_branches(link: Value, before: Value | None, form: Mapping[Value, int]) -> list[Value]:
    """A link of a chain, after the branches that it alone reads."""
    beside = [x for x in link.parents if isinstance(x, Value) and x in form and x is not before]
    return [*(v for x in beside for v in reversed(_all_of(x, form))), link]


def _all_of(top: Value, form: Mapping[Value, int]) -> list[Value]:
    """A branch: its top, and the Values under it that nothing else reads."""
    found, stack = {top: None}, [top]
    while stack:
        for x in stack.pop().parents:
            if isinstance(x, Value) and x in form and x not in found:
                found[x] = None
                stack.append(x)
    return [*found]
