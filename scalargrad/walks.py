"""Walks back and forward that touch no `grad`, and second derivatives at kinks.   (floor 2)

`slopes_back` is `Value.backward` with a dict in place of `grad`, so several walks may run at once.
With `create_graph` the slopes are Values, which can be walked again.
"""

from __future__ import annotations

from functools import reduce
from operator import add

from .arithmetic.total import inf, nan
from .graph import ordered, slopes_of
from .modes import Mode, is_traced, modes_here
from .ops import LISTS, OPS
from .rows.methods import evaluated
from .rows.shares import (
    added,
    as_arguments,
    chain_product,
    is_of_branch,
    joined,
    product_of_both,
    unknown_curvature,
    unknown_slope,
)
from .rows.slopes import data_of, on_values
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from typing import Any

    from .ops import Op

    Doubt = tuple[Value, Callable[[Value], Any]]  # a node, and a term that makes its slopes nan


UNKNOWN = OPS["_unknown"]
BY_TABLE = Mode()  # while it is on, the slope in the table counts at kinks, as in a trace


def between(
    roots: Sequence[Value],
    nodes: Sequence[Value],
    apart: bool = True,
    others: list[Value] | None = None,
) -> list[Value]:
    """The Values on the ways from nodes to roots, operands before their readers.

    `apart` says that no node was made of another. Leaves that are not in `nodes` go to `others`.
    """
    way = set(nodes)
    order = ordered(*roots, stop=way if apart else frozenset(), last_first=True)
    for node in order:
        if node in way:
            continue
        if node._operation is None:
            if others is not None:
                others.append(node)
        elif not way.isdisjoint(node.parents):
            way.add(node)
    return [node for node in order if node in way]


def slopes_back(
    root: Value,
    nodes: Sequence[Value],
    order: list[Value],
    create_graph: bool,
    doubts: bool = True,
) -> list[Any]:
    """The slopes of a root by nodes: `Value.backward` again, with a dict in place of `grad`.

    If the operands at a kink are flat there, second slopes become nan; not so without `doubts`.
    """
    way = set(order)
    sums: dict[Value, Any] = {root: 1.0}
    unknown: list[Doubt] = []
    flat: list[tuple[Value, Value]] = []
    branches: dict[Value, list[Any]] = {}
    traced = is_traced(root)
    for node in reversed(order):
        slope = _total(node, sums, branches) if branches else sums.get(node, 0.0)
        if slope.__class__ is float and slope == 0.0:
            continue
        slopes, factor = _slopes(node, way, create_graph), None
        if create_graph and slopes and _is_at_kink(node):
            factor = _kink_factor(node, slope, unknown)
            if doubts and data_of(slope) != 0.0:
                flat += _flat_at_kink(node, nodes)
        for operand, partial in slopes:
            pair = (partial, slope) if factor is None else (factor, operand)
            part = chain_product(*pair)
            if traced and is_of_branch(part):
                branches.setdefault(operand, []).append(part)
            else:
                sums[operand] = sums[operand] + part if operand in sums else part
    for node, doubt in unknown:
        made_of = way.intersection(nodes).intersection(ordered(node, stop=set(nodes)))
        for reached in made_of:
            sums[reached] = sum(map(doubt, made_of), sums[reached])
    for reached, of_operand in flat:
        sums[reached] = sums.get(reached, 0.0) + unknown_slope(of_operand)
    return [_total(node, sums, branches) for node in nodes]


def _total(node: Value, sums: dict[Value, Any], branches: dict[Value, list[Any]]) -> Any:
    """The slope by a node, with those that came through branches of `where` in a trace."""
    if node in branches:
        slope = joined(branches.pop(node))
        sums[node] = sums[node] + slope if node in sums else slope
    return sums.get(node, 0.0)


def rates_forward(
    roots: Sequence[Value],
    nodes: Sequence[Value],
    order: list[Value],
    direction: Sequence[Any],
    create_graph: bool,
) -> list[Any]:
    """The rates at which roots change when nodes move in a direction: one walk forward.

    Only a walk back can tell whether a kink is smoothed, so at kinks it walks back from each root.
    Where a slope is unknown, a rate is nan wherever the direction is not 0: a rate of 0 on the way
    would hide that.
    """
    if create_graph and any(map(_is_at_kink, order)):
        rows = [slopes_back(root, nodes, order, create_graph) for root in roots]
        return [sum(map(chain_product, row, direction), 0.0) for row in rows]
    rates: dict[Value, Any] = dict(zip(nodes, direction))
    doubts, way = _doubts(nodes, order, direction), set(order)
    plus: Any = added if any(map(is_traced, roots)) else add
    for node in order:
        if node not in rates:
            of = doubts if node._operation is UNKNOWN else rates
            rate: Any = 0.0
            for operand, partial in _slopes(node, way, create_graph):
                rate = plus(rate, product_of_both(partial, of[operand]))
            rates[node] = rate
    return [rates.get(root, 0.0) for root in roots]


def _doubts(
    nodes: Sequence[Value], order: Sequence[Value], direction: Sequence[Any]
) -> dict[Value, Any]:
    """For what slopes are unknown by: nan where it was made of a node that moves, else 0."""
    doubts: dict[Any, Any] = {node: chain_product(nan, x) for node, x in zip(nodes, direction)}
    unknown: list[Any] = [node.parents[0] for node in order if node._operation is UNKNOWN]
    for node in between(unknown, nodes) if unknown else ():
        if node not in doubts:
            made_of = {id(x): x for x in (doubts.get(x, 0.0) for x in node.parents)}
            doubts[node] = reduce(added, made_of.values())
    return doubts


def slopes_of_each(
    roots: Sequence[Value], nodes: Sequence[Value], order: list[Value]
) -> list[list[float]]:
    """The slopes of several roots by nodes, in plain floats."""
    place = {node: i for i, node in enumerate(order)}
    ways = [
        [(place[operand], partial) for operand, partial in _slopes(node, place, create_graph=False)]
        for node in order
    ]
    rows = []
    for root in roots:
        sums = [0.0] * len(order)
        if root in place:
            sums[place[root]] = 1.0
            for i in range(place[root], -1, -1):
                if slope := sums[i]:
                    for operand, partial in ways[i]:
                        sums[operand] += partial * slope
        rows.append([sums[place[node]] if node in place else 0.0 for node in nodes])
    return rows


def _slopes(node: Value, way: Container[Value], create_graph: bool) -> list[tuple[Value, Any]]:
    """The operands of a node that are on the way, with its local slopes: floats, or recorded."""
    if node._operation is None:
        return []
    if not create_graph:
        pairs: Any = zip(node.parents, node.partials)
        return [(operand, partial) for operand, partial in pairs if operand in way]
    arguments = as_arguments(node._operation, node.parents)
    slopes: list[tuple[Value, Any]] = []
    for name, argument, slope in zip(
        node._operation.operands,
        arguments,
        on_values(node._operation, traced=is_traced(node)),
    ):
        operands = argument if name in LISTS else [argument]
        if any(operand in way for operand in operands):
            partials = slope(*arguments, node) if name in LISTS else [slope(*arguments, node)]
            slopes += [
                (operand, partial) for operand, partial in zip(operands, partials) if operand in way
            ]
    return slopes


# ------------------------------------------------------------------ second derivatives at kinks


def _is_at_kink(node: Value) -> bool:
    """Whether a node is at a kink, as |x| at 0 or a maximum of equals, or has a slope of inf."""
    if is_traced(node) or node._operation is None or BY_TABLE in modes_here.get():
        return False
    traits, slopes = node._operation.traits, slopes_of(node)
    if "extreme" in traits:
        return any(0.0 < slope < 1.0 for slope in slopes)
    if "rectifier" in traits:
        return node._x.data == 0.0 and _jumps(node._operation)
    return inf in slopes or -inf in slopes or (node.data == 0.0 and "length" in traits)


def _jumps(op: Op) -> bool:
    """Whether the slope of an operation of one operand jumps at 0: relu's does, silu's does not."""
    return bool(evaluated(op, -5e-324)[1] != evaluated(op, 5e-324)[1])


def _kink_factor(node: Value, slope: Any, unknown: list[Doubt]) -> Any:
    """The number c if the slopes by the operands v of a node at a kink are c·v; else None.

    If the slope that comes in is 0, it smooths the kink. Take f(‖v‖) with f'(0) = 0: near 0 its
    slopes are f''(0)·v. So the slope of |x|² is 2x, whose own slope is 2. By the table it would be
    2|x|·sign(x). At 0 both factors are 0, and its own slope would come out as 0, which is wrong.

    If f'(0) is not 0, f(|x|) has the second slope f''(0) on both sides of its kink. Another term
    may cancel the kink and leave that slope: max(x, 0) + log(1 + e^−|x|) has ¼.

    Second slopes are `unknown`, and made nan, if f' has another kink, if operands are equal, or if
    a slope is infinite. Third slopes are `unknown` if f'' varies.
    """
    traits = node._operation.traits  # type: ignore[union-attr]
    if "rectifier" in traits:
        return None
    is_length, is_smooth = "length" in traits, isinstance(slope, Value) and slope.data == 0.0
    is_single = sum(isinstance(x, Value) for x in node.parents) == 1
    varies = is_smooth or (is_length and is_single and isinstance(slope, Value))
    graph = ordered(slope, stop={node}) if varies else []
    if is_length:  # the slope of |x| is constant on each side, that of a length is not
        is_known = (is_smooth or is_single) and not any(
            other is not node and _is_at_kink(other) for other in graph
        )
    else:
        is_known = node not in graph
    if not is_known:
        unknown.append((node, unknown_slope))
    if not (is_known and varies and is_length):
        return None
    (factor,) = slopes_back(slope, [node], between([slope], [node]), create_graph=True)
    if isinstance(factor, Value) and node in ordered(factor, stop={node}):
        unknown.append((node, unknown_curvature))
    return factor


def _flat_at_kink(node: Value, nodes: Sequence[Value]) -> list[tuple[Value, Value]]:
    """Nodes, each with a slope by it of an operand at a kink; none if these slopes differ.

    If all operands have the same slopes, there is no kink: |x²| has none at 0, where the slope of
    x² is 0; nor has max(x + x², x). But which operand's second slopes count there, the table does
    not tell.
    """
    operands = [x for x in dict.fromkeys(node.parents) if isinstance(x, Value)]
    zeros = [0.0] * len(nodes)
    slopes = [zeros]
    if "extreme" in node._operation.traits:  # type: ignore[union-attr]
        operands = [x for x in operands if x.data == node.data]
        ties = [x for x in node.parents if not isinstance(x, Value) and x == node.data]
        slopes = [zeros for _ in ties[:1]]
        if len(operands) + len(ties) < 2:
            return []
    ways = [between([x], nodes) for x in operands]
    slopes += [slopes_back(x, nodes, way, False) for x, way in zip(operands, ways)]
    if any(row != slopes[0] for row in slopes):
        return []
    return [
        (reached, slope)
        for x, way in zip(operands, ways)
        for reached, slope in zip(nodes, slopes_back(x, nodes, way, True, doubts=False))
        if isinstance(slope, Value)
    ]
