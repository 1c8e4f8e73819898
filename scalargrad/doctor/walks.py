"""Mistakes in local slopes: walks over the same graph with a few other slopes.   (floor 2)

The table WALKS stands at the end. To add a mistake, write a function that generates hypotheses and
add it to the table. The first in the table counts as the simplest, if several explain the same.
"""

from __future__ import annotations

from ..ops import OPS
from ..rows.methods import evaluated
from ..rows.shares import as_arguments
from ..value import Value
from ..wording import figure, said
from .structure import Group
from .study import Study, Walk
from .tape import slope_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .tape import Changes, Edges

    SlopeAt = Callable[[int, int, float], float | None]  # of a Value, its operand, and the slope

BY_RESULT: dict[str, Callable[[float], float]] = {  # slopes as people write them, of the result
    "sigmoid": lambda out: out * (1.0 - out),
    "tanh": lambda out: 1.0 - out * out,
    "exp": lambda out: out,
    "softplus": lambda out: 1.0 - pow(2.718281828459045, -out) if abs(out) < 700 else 1.0,
}
OTHER_SLOPES = ("sigmoid", "tanh", "relu")


def _with(study: Study, group: Group, slope_at: SlopeAt) -> Changes | None:
    """The group's edges with other slopes; None if no slope differs or one cannot be had."""
    edges: dict[int, Edges] = {}
    for i, k in study.places(group):
        operand, slope = edges.get(i, study.tape.edges[i])[k]
        if (new := slope_at(i, operand, slope)) is None or new != new:
            return None
        changed = edges.get(i, study.tape.edges[i])
        edges[i] = (*changed[:k], (operand, new), *changed[k + 1 :])
    return edges if any(new != study.tape.edges[i] for i, new in edges.items()) else None


def _slope_at(study: Study, i: int, x: float) -> float | None:
    """The local slope of a Value by its one operand, if the operand were x."""
    name = study.tape.functions.get(i)
    if name:
        return slope_of(name, x)
    node = study.tape.nodes[i]
    if node._x is None or node._operation is None:
        return None
    operands = [x if isinstance(operand, Value) else operand for operand in node.parents]
    slopes = evaluated(node._operation, *operands)[1:]
    return float(sum(s for s, o in zip(slopes, node.parents) if isinstance(o, Value)))


def _functions(study: Study) -> Iterator[tuple[Group, str, str]]:
    for group in study.groups:
        if group.kind == "function":
            yield group, group.operation, study.where(group.layer)


def left_out(study: Study) -> Iterator[Walk]:
    """The slope of a function, or a factor of a product, is forgotten: 1 stands in its place."""
    for group in study.groups:
        if group.kind == "term" or not (
            changes := _with(study, group, lambda i, operand, slope: 1.0)
        ):
            continue
        where = study.where(group.layer)
        if group.kind == "factor":
            words = said("factor left out", place=f"{group.operation}{where}")
        elif group.operation == "product":
            words = said("constant left out", where=where)
        else:
            words = said("slope left out", place=f"{group.operation}{where}")
        yield Walk("left out", group.operation, group.layer, words, changes, group=group.number)


def of_power(study: Study) -> Iterator[Walk]:
    """The power rule without its factor, x**2 for 3·x**2, or with the exponent kept, 3·x**3."""
    nodes = study.tape.nodes

    def kept(i: int, operand: int, slope: float) -> float:
        return slope * nodes[operand].data

    def without(factor: float) -> SlopeAt:
        return lambda i, operand, slope: slope / factor

    for group, name, where in _functions(study):
        first, _ = group.places[0]
        if nodes[first].op != "pow" or first in study.tape.functions:
            continue
        exponent = nodes[first].parents[1]  # a number, and the same in the whole group
        if isinstance(exponent, Value) or exponent == 0.0:
            continue
        n = figure(exponent)
        lower = "x" if exponent == 2.0 else f"x**{figure(exponent - 1.0)}"
        slopes: list[tuple[str, SlopeAt]] = [(f"{n}·x**{n}", kept)]
        if exponent not in (2.0, 0.5):  # these are factors that have words of their own
            slopes.append((lower, without(exponent)))
        for wrong, slope_at in slopes:
            words = f"with {wrong} in place of {n}·{lower}{where}"
            if changes := _with(study, group, slope_at):
                yield Walk("power", name, group.layer, words, changes, group=group.number)


def twice(study: Study) -> Iterator[Walk]:
    """A slope is multiplied twice, as that of the sigmoid which cross-entropy cancels."""
    for group, name, where in _functions(study):
        if changes := _with(study, group, lambda i, operand, slope: slope * slope):
            words = f"with the slope of {name}{where} taken twice"
            yield Walk("twice", name, group.layer, words, changes, group=group.number)


def at_result(study: Study) -> Iterator[Walk]:
    """f′(f(z)) stands for f′(z)."""
    nodes = study.tape.nodes
    for group, name, where in _functions(study):
        if changes := _with(
            study, group, lambda i, operand, slope: _slope_at(study, i, nodes[i].data)
        ):
            words = f"with the slope of {name}{where} taken at its result, not at its operand"
            yield Walk("at result", name, group.layer, words, changes, group=group.number)


def at_operand(study: Study) -> Iterator[Walk]:
    """z·(1 − z) stands for s·(1 − s), where s is the sigmoid of z."""
    nodes = study.tape.nodes

    def of_operand(by_result: Callable[[float], float]) -> SlopeAt:
        return lambda i, operand, slope: by_result(nodes[operand].data)

    for group, name, where in _functions(study):
        by_result = BY_RESULT.get(name)
        if by_result and (changes := _with(study, group, of_operand(by_result))):
            words = f"with the formula for the slope of {name}{where} "
            words += "given its operand, where it takes its result"
            yield Walk("at operand", name, group.layer, words, changes, group=group.number)


def other_function(study: Study) -> Iterator[Walk]:
    """The slope of the sigmoid stands for that of tanh; as a formula of the result, too."""
    nodes = study.tape.nodes

    def of_operand(other: str) -> SlopeAt:
        return lambda i, operand, slope: slope_of(other, nodes[operand].data)

    def of_result(by_result: Callable[[float], float]) -> SlopeAt:
        return lambda i, operand, slope: by_result(nodes[i].data)

    for group, name, where in _functions(study):
        if not study.tape.functions.get(group.places[0][0]):
            continue
        for other in OTHER_SLOPES:
            slopes = [(f"the slope of {other}", of_operand(other))]
            if by_result := BY_RESULT.get(other):
                slopes.append((f"the formula for the slope of {other}", of_result(by_result)))
            for words, slope_at in slopes if other != name else ():
                if changes := _with(study, group, slope_at):
                    words = f"with {words} in place of that of {name}{where}"
                    yield Walk(
                        "other function", name, group.layer, words, changes, group=group.number
                    )


def elsewhere(study: Study) -> Iterator[Walk]:
    """The slope is taken at a number that the operand was made of: 2·o stands for 2·(o − y)."""
    structure, nodes = study.structure, study.tape.nodes
    for group, name, where in _functions(study):
        for steps in (1, 2):

            def taken(i: int, operand: int, slope: float) -> float | None:
                for _ in range(steps):  # noqa: B023
                    operand = structure.only[operand] if operand >= 0 else -1
                return None if operand < 0 else _slope_at(study, i, nodes[operand].data)

            if changes := _with(study, group, taken):
                i = group.places[0][0]
                at = study.tape.edges[i][0][0]
                for _ in range(steps):
                    at = structure.only[at]
                words = f"with the slope of {name}{where} taken at another number: "
                words += f"at {structure.name_of(at)}, which its operand was made of"
                yield Walk("elsewhere", name, group.layer, words, changes, group=group.number)


def other_layer(study: Study) -> Iterator[Walk]:
    """The slope is taken at the numbers of the layer above or below."""
    tape = study.tape

    def at_twins(group: Group, other: Group) -> SlopeAt:
        twins = {i: tape.edges[j][0][0] for (i, _), (j, _) in zip(group.places, other.places)}
        return lambda i, operand, slope: _slope_at(study, i, tape.nodes[twins[i]].data)

    def is_one_layers(group: Group) -> bool:
        return group.layer is not None and group.places[0][0] in tape.functions

    for group in filter(is_one_layers, study.groups):
        for other in filter(is_one_layers, study.all_groups):
            if (
                group.layer != other.layer
                and len(group.places) == len(other.places) > 1
                and (changes := _with(study, group, at_twins(group, other)))
            ):
                words = f"with the slope of {group.operation}{study.where(group.layer)} "
                words += f"taken at the numbers of layer {other.layer}"
                yield Walk("other layer", group.operation, group.layer, words, changes,
                           group=group.number)  # fmt: skip


def weights_transposed(study: Study) -> Iterator[Walk]:
    """On the way down W stands where Wᵀ must: both fit if W is square."""
    structure, tape = study.structure, study.tape
    for number, block in enumerate(study.blocks):
        if len(block.shape) != 2 or block.shape[0] != block.shape[1] or block.shape[0] < 2:
            continue
        n = block.shape[0]
        twin: dict[int, float] = {}
        for k, place in enumerate(block.places):
            at, across = tape.leaves[place], tape.leaves[block.places[k % n * n + k // n]]
            if at is not None and across is not None:
                twin[at] = tape.nodes[across].data
        changes: dict[int, Edges] = {}
        for i, edges in enumerate(tape.edges):
            node = tape.nodes[i]
            if len(edges) < 2 or i in structure.block_of:
                continue
            if node.op == "mul":
                for one, two in ((0, 1), (1, 0)) if len(edges) == 2 else ():
                    leaf = edges[one][0]
                    if structure.block_of.get(leaf) == number and edges[two][0] not in twin:
                        other = (edges[two][0], twin[leaf])
                        changes[i] = (edges[0], other) if two else (other, edges[1])
            elif node.op == "dot":
                changed = _dot_transposed(node, edges, tape.nodes, twin)
                if changed != edges:
                    changes[i] = changed
        if changes:
            words = f"with {block.name} not transposed on the way down"
            yield Walk("weights transposed", block.name, None, words, changes)


def _dot_transposed(
    node: Value, edges: Edges, nodes: Sequence[Value], twin: dict[int, float]
) -> Edges:
    ws, xs, _ = as_arguments(OPS["dot"], node.parents)
    place_of = {id(nodes[place]): place for place, _ in edges}
    new: dict[int, float] = {}
    for w, x in zip(ws, xs):
        for leaf, other in ((w, x), (x, w)):
            if place_of.get(id(leaf)) in twin and id(other) in place_of:
                new[place_of[id(other)]] = twin[place_of[id(leaf)]]
    return tuple([(place, new.get(place, slope)) for place, slope in edges])


def shares_of_operands(study: Study) -> Iterator[Walk]:
    """A term of a sum, or one of the ways of the product rule, is forgotten or counted wrongly."""
    structure = study.structure
    for group in sorted(study.groups, key=lambda group: group.kind != "term"):
        if changes := _with(study, group, lambda i, operand, slope: 0.0):
            i, k = group.places[0]
            operand = structure.tape.edges[i][k][0]
            place = f"{group.operation}{study.where(group.layer)}"
            kind, words = "term", said("share", place=place)
            is_weight = operand in structure.block_of
            if group.kind == "term" and not structure.layers[operand] and not is_weight:
                kind, words = "penalty", "its penalty"
            yield Walk(kind, group.operation, group.layer, words, changes, True, group.number)


WALKS = (
    shares_of_operands, left_out, of_power, twice, at_result, at_operand, other_function, elsewhere,
    other_layer, weights_transposed,
)  # fmt: skip
