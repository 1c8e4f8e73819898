"""The layers and functions that a graph of scalars was written in.   (floor 2)

A person derives a gradient layer by layer and function by function. The graph knows neither, so
they are found in it:

- Values have one role if the same operations made them from Values of one role. Sums have the role
  of a set, so a sum of 3 products has the role of a sum of 784.
- A Value is a function of another one if all ways down from it lead through that one. So
  1 / (1 + exp(−z)) is found in four operations, and its numbers say that it is the sigmoid.
- The layer of a Value is the number of weights that were multiplied on the way to it.

A `Group` holds the edges that a person would forget together.
"""

from __future__ import annotations

from typing import NamedTuple

from ..wording import operation_noun
from .tape import ACTIVATION_NAMES, SUMS, Tape, value_at, values_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PRODUCTS = {"mul", "dot"}
LONGEST = 12  # operations that one function is made of, at most
CLIMB = 1000  # steps of a search for the Value that all ways lead through
MOST_GROUPS = 400


class Group(NamedTuple):
    """Edges of one role: `places` holds for each the Value and which of its edges it is."""

    kind: str  # function: of one Value; factor: of a product and the like; term: of a sum
    operation: str  # the name of the function, or of the operand that a term or factor has
    layer: int | None  # None: in every layer
    places: list[tuple[int, int]]
    number: int = 0  # its place in the list of groups


class Structure:
    """The groups of a tape, its layers, and for each Value the one it is a function of."""

    def __init__(self, tape: Tape, names: Sequence[str], block_of: dict[int, int]) -> None:
        self.tape, self.names, self.block_of = tape, names, block_of
        self.only = _bottlenecks(tape)
        self.layers = self._layers()
        self.last_layer = max(self.layers, default=0)
        self.roles, self._terms = self._roles()
        self.members: dict[int, list[int]] = {}
        for i, role in enumerate(self.roles):
            self.members.setdefault(role, []).append(i)
        self.inside: set[int] = set()
        self.readers = [0] * len(tape.nodes)
        for edges in tape.edges:
            for operand, _ in edges:
                self.readers[operand] += 1
        self._join_functions()

    def _layers(self) -> list[int]:
        layers: list[int] = []
        for node, edges in zip(self.tape.nodes, self.tape.edges):
            layer = max([layers[place] for place, _ in edges], default=0)
            if edges and node._operation.name in PRODUCTS:  # type: ignore[union-attr]
                weights = [place in self.block_of for place, _ in edges]
                # W·W is a penalty, but a neuron without inputs that vary is a layer
                layer += any(weights) and (len(edges) != 2 or not all(weights))
            layers.append(layer)
        return layers

    def _roles(self) -> tuple[list[int], dict[int, frozenset[tuple[int, int]]]]:
        """A number for the role of each Value, and the terms that the role of a sum is a set of."""
        known: dict[tuple[object, ...], int] = {}
        terms_of: dict[int, frozenset[tuple[int, int]]] = {}  # (sign, role), by the sum's role
        roles: list[int] = []
        for i, (node, edges) in enumerate(zip(self.tape.nodes, self.tape.edges)):
            op = node._operation
            key: tuple[object, ...]
            if not edges or op is None:
                key = ("leaf", self.block_of.get(i, -1))
            elif op.name in SUMS:
                operands = {(1 if slope >= 0.0 else -1, roles[at]) for at, slope in edges}
                key = ("sum", *operands)
                if key not in known:
                    terms = frozenset(
                        (sign * inner, role)
                        for sign, operand in operands
                        for inner, role in terms_of.get(operand, ((1, operand),))
                    )
                    known[key] = known.setdefault(("terms", terms), len(known))
                    terms_of[known[key]] = terms
            elif op.takes_lists:
                key = (op.name, frozenset([roles[at] for at, _ in edges]))
            else:
                constant = node._dy if op.name == "pow" and node._y is None else None
                key = (op.name, op.is_swapped, constant, *[roles[at] for at, _ in edges])
            roles.append(known.setdefault(key, len(known)))
        return roles, terms_of

    # -------------------------------------------------------------- functions

    def _join_functions(self) -> None:
        """Make one edge of each function of several operations, inner ones first."""
        for members in sorted(self.members.values(), key=lambda members: members[0]):
            if self.tape.edges[members[0]] and (found := self._named_function(members)):
                name, steps = found
                for i in members:
                    slope, inside = self._segment(i, self._chain(i)[steps])
                    self.inside |= inside
                    self.tape.functions[i] = name
                    self.only[i] = self._chain(i)[steps]
                    self.tape.edges[i] = ((self.only[i], slope),)

    def _chain(self, i: int) -> list[int]:
        """The Value i and those that it is a function of, the nearest first."""
        chain = [i]
        while len(chain) <= LONGEST and self.only[chain[-1]] >= 0:
            chain.append(self.only[chain[-1]])
        return chain

    def _named_function(self, members: list[int]) -> tuple[str, int] | None:
        """The name of the function that made these Values, and the length of its chain."""
        nodes, functions = self.tape.nodes, self.tape.functions
        op = nodes[members[0]]._operation
        if op is not None and len(op.operands) == 1 and op.is_activation:
            return op.name, 1
        chain = self._chain(members[0])
        for steps in range(len(chain) - 1, 0, -1):
            inner = {functions.get(i) for i in chain[:steps]}
            z, a = nodes[chain[steps]].data, nodes[chain[0]].data
            for name in ACTIVATION_NAMES:
                if (
                    name not in inner
                    and _close(value_at(name, z), a)
                    and self._is(name, members, steps)
                ):
                    return name, steps
        return None

    def _is(self, name: str, members: list[int], steps: int) -> bool:
        """Whether a function gives the numbers of all members, and not merely their operands'.

        No other Value may read what is inside it.
        """
        nodes, changes = self.tape.nodes, False
        for i in members:
            chain = self._chain(i)
            if len(chain) <= steps:
                return False
            z, a = nodes[chain[steps]].data, nodes[i].data
            if not _close(value_at(name, z), a):
                return False
            changes = changes or a != z
        return changes and all(self._is_closed(i, self._chain(i)[steps]) for i in members)

    def _is_closed(self, i: int, z: int) -> bool:
        _, inside = self._segment(i, z)
        reads = [operand for place in inside for operand, _ in self.tape.edges[place]]
        return all(reads.count(place) == self.readers[place] for place in inside - {i})

    def _segment(self, i: int, z: int) -> tuple[float, set[int]]:
        """The slope of Value i by z, of which it is a function, and what is on the way, with i."""
        slopes: dict[int, float] = {i: 1.0, z: 0.0}
        waiting, inside = [i], set[int]()
        while waiting:
            waiting.sort()
            place = waiting.pop()  # the largest: all its readers have been met
            inside.add(place)
            for operand, partial in self.tape.edges[place]:
                if operand not in slopes:
                    slopes[operand] = 0.0
                    waiting.append(operand)
                slopes[operand] += partial * slopes[place]
        return slopes[z], inside

    # -------------------------------------------------------------- groups

    def groups(self) -> list[Group]:
        """All groups: those of a layer, then those of a role in it, then those of every layer."""
        single: list[Group] = []
        for members in self.members.values():
            i = members[0]
            edges = self.tape.edges[i]
            if not edges or (i in self.inside and i not in self.tape.functions):
                continue
            op = self.tape.nodes[i]._operation
            assert op is not None
            if len(edges) == 1:
                if op.name in SUMS and i not in self.tape.functions:
                    continue
                name = self.name_of(i)
                places = [(m, 0) for m in members]
                single.append(Group("function", name, self.layers[i], places))
            elif op.name in SUMS:
                single += self._terms_of(members)
            elif len(values_of(self.tape.nodes[i])) == len(edges):
                single += self._factors_of(members)
        groups: dict[tuple[str, str, int | None], list[Group]] = {}
        for group in single:
            for layer in {None, group.layer}:
                groups.setdefault((group.kind, group.operation, layer), []).append(group)
        merged = [
            Group(kind, name, layer, sorted({p for g in parts for p in g.places}))
            for (kind, name, layer), parts in groups.items()
            if len(parts) > 1 and (layer is not None or len({g.layer for g in parts}) > 1)
        ]
        chosen = sorted([*merged, *single], key=lambda group: group.layer is None)[:MOST_GROUPS]
        return [group._replace(number=number) for number, group in enumerate(chosen)]

    def _terms_of(self, members: list[int]) -> list[Group]:
        """The groups of a sum's operands, where its operands have several roles."""
        by_operand: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for i in members:
            for k, (operand, slope) in enumerate(self.tape.edges[i]):
                if operand in self.block_of or self._terms.get(
                    self.roles[operand]
                ) != self._terms.get(self.roles[i]):
                    key = self.roles[operand], 1 if slope > 0 else -1
                    by_operand.setdefault(key, []).append((i, k))
        return [
            Group("term", self.name_of(self._operand(places[0])), self.layers[places[0][0]], places)
            for places in by_operand.values()
        ]  # fmt: skip

    def _factors_of(self, members: list[int]) -> list[Group]:
        """The groups of the operands of a product, or of another operation of several Values."""
        first = members[0]
        op = self.tape.nodes[first]._operation
        assert op is not None
        by_operand: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for i in members:
            for k, (operand, _) in enumerate(self.tape.edges[i]):
                position = 0 if op.takes_lists else k
                by_operand.setdefault((position, self.roles[operand]), []).append((i, k))
        return [
            Group("factor", self.name_of(self._operand(places[0])), self.layers[first], places)
            for places in by_operand.values()
        ]  # fmt: skip

    def _operand(self, place: tuple[int, int]) -> int:
        return self.tape.edges[place[0]][place[1]][0]

    def name_of(self, i: int) -> str:
        """A name for people: that of a function, of an argument, or of an operation."""
        if i in self.tape.functions:
            return self.tape.functions[i]
        if i in self.block_of:
            return self.names[self.block_of[i]]
        return operation_noun(self.tape.nodes[i])


def _bottlenecks(tape: Tape) -> list[int]:
    """For each Value the nearest one that all ways down lead through; −1 if there is none.

    These are immediate dominators, found by the rule of Cooper, Harvey and Kennedy; a graph without
    circles needs a single pass.
    """
    only: list[int] = []
    for edges in tape.edges:
        at = edges[0][0] if edges else -1
        for operand, _ in edges[1:]:
            steps = 0
            while at != operand and at >= 0 and steps < CLIMB:
                if operand > at:
                    operand = only[operand]
                else:
                    at = only[at]
                steps += 1
            if at != operand:
                at = -1
                break
        only.append(at)
    return only


def _close(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= 1e-9 * (abs(a) + abs(b)) + 1e-13
