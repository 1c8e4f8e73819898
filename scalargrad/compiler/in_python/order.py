"""The order in which `Value.backward` comes to the steps of a program, and with it the order in which it adds up slopes.   (floor 3)

Sums of three floats or more depend on their order, to the last bit. A choice by `where` is in Values the branch itself: the
search that finds an order goes into the branch that was taken, and what that shares with the rest it finds there first. So the order
depends on conditions, and a sum may have to be written in several: `d_1 + d_2 + d_3 if condition else d_2 + d_3 + d_1`.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from ..choices import sends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from typing import Any

FEW = 2_000  # steps that searches under all conditions may come to in all, asked for or not
STEPS = 200_000  # that they may come to where the order is known to depend on conditions; beyond, it is left to be that of all branches
TRIES = 32  # searches under conditions at random by which that is known

Places = dict["Any", int]  # of the steps that a search comes to: last first, as slopes are sent


class Fork(NamedTuple):
    """What depends on a condition."""

    condition: Any
    if_true: Any
    if_false: Any


def of_all_branches(root: Any) -> list[Any]:
    """The steps that a slope can come to from a root, in the order in which a search finds them that goes into all branches."""
    return _searched(root, (), {}, {}).order


def by_branches(
    root: Any, choices: Container[Any], same: Mapping[Any, Any], sums: Sequence[Sequence[Any]] = ()
) -> Fork | Places | None:
    """For each step that `Value.backward` comes to its place, where `choices` are the branches taken; None where that takes too long.

    `same` has for a step an earlier one that computes the same. None among the steps is who asks for the slopes of the root. `sums`
    are the steps that send to one place, three or more: where their order is never seen to change, as in layers, None is returned soon.
    """
    found = _forked(root, choices, same, FEW)
    if found or all(_keep_order(root, choices, same, sums, Random(seed)) for seed in range(TRIES)):
        return found
    return _forked(root, choices, same, STEPS)


def _keep_order(
    root: Any,
    choices: Container[Any],
    same: Mapping[Any, Any],
    sums: Sequence[Sequence[Any]],
    rng: Random,
) -> bool:
    """Whether the shares of all sums come in the order in which they stand there, under conditions at random."""
    places = _placed(_searched(root, choices, _AtRandom(rng), same).order)
    return all(of_shares(senders, places) == tuple(range(len(senders))) for senders in sums)


class _AtRandom(dict):  # type: ignore[type-arg]
    """Conditions that hold or not, as it is drawn when they are first asked for."""

    def __init__(self, rng: Random) -> None:
        super().__init__()
        self.rng = rng

    def get(self, condition: Any, default: Any = None) -> bool:
        return self.setdefault(condition, self.rng.random() < 0.5)  # type: ignore[no-any-return]


def _placed(order: Sequence[Any]) -> Places:
    return {step: -place for place, step in enumerate([*order, None])}


def _forked(
    root: Any, choices: Container[Any], same: Mapping[Any, Any], left: int
) -> Fork | Places | None:
    """The places under all conditions; None if the searches would come to more than `left` steps."""

    def under(taken: dict[Any, bool]) -> Fork | Places | None:
        nonlocal left
        found = _searched(root, choices, taken, same)
        left -= 1 + max(
            found.size, len(taken)
        )  # steps that it came to, choices that it came through
        if left < 0:
            return None
        if found.condition is None:
            return _placed(found.order)
        if_true = under({**taken, found.condition: True})
        if_false = if_true and under({**taken, found.condition: False})
        return if_false and Fork(found.condition, if_true, if_false)

    return under({})


class _Found(NamedTuple):
    """What a search found: steps, operands before their readers; how many it came to; the condition where it could not go on."""

    order: list[Any]
    size: int
    condition: Any


def _searched(
    root: Any, choices: Container[Any], taken: Mapping[Any, bool], same: Mapping[Any, Any]
) -> _Found:
    """What a depth-first search from a root finds, last operands first, that passes through choices as they are taken."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack: list[Any] = [root]
    while stack:
        step = stack.pop()
        if step is None:
            order.append(stack.pop())
            continue
        while step in choices:
            condition, x, y = step.operands
            if x.row is None and y.row is None:
                step = x
                continue
            condition = same.get(condition, condition)
            holds = taken.get(condition)
            if holds is None:
                return _Found(order, len(seen), condition)
            step = x if holds else y
        if step.row is not None and step not in seen:
            seen.add(step)
            stack += (step, None)
            if step.row.slopes or sends(step.row):
                stack += [
                    x
                    for x in (step.operands[1:] if sends(step.row) else step.operands)
                    if x.row is not None
                ]
    return _Found(order, len(seen), None)


def of_shares(senders: Sequence[Any], places: Fork | Places) -> Fork | tuple[int, ...]:
    """The order in which shares that these steps sent are added up: their numbers, by conditions where it depends on them.

    Shares of steps that no search comes to are 0 there, and may stand anywhere.
    """
    if isinstance(places, Fork):
        one, other = of_shares(senders, places.if_true), of_shares(senders, places.if_false)
        return one if one == other else Fork(places.condition, one, other)
    taken = [k for k, reader in enumerate(senders) if reader in places]
    ordered = sorted(taken, key=lambda k: places[senders[k]])
    if len(taken) < 3 or ordered == taken:
        return tuple(range(len(senders)))
    return tuple(ordered + [k for k in range(len(senders)) if senders[k] not in places])
