"""A recorded graph as a list of numbers that can be walked back again and again.   (floor 2)

A mistake in a gradient that was derived by hand is the right walk over a graph in which some local
slopes are others. So each hypothesis of the doctor is a walk with a few edges changed. An edge is
the place of an operand and the local slope by it.
"""

from __future__ import annotations

from math import isfinite

from ..graph import ordered, slopes_of
from ..ops import OPS
from ..rows.methods import evaluated
from ..rows.shares import as_arguments
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from ..ops import Op

    Edges = tuple[tuple[int, float], ...]
    Changes = Mapping[int, Edges]

EPSILON = 2.0**-52
STEP = 2.0**-30  # errors are enlarged by it, so that a difference of slopes shows what they do
ACTIVATION_NAMES = (
    "relu", "sigmoid", "tanh", "softplus", "leaky_relu", "elu", "silu", "gelu", "log_sigmoid",
)  # fmt: skip
SUMS = {"add", "sub", "neg", "sum", "mean"}


class Tape:
    """The Values between leaves and a root, operands before their readers.

    `edges[i]` are the edges of Value i, `leaves[k]` is the place of the k-th leaf, or None if the
    root was not made of it. `functions` names Values that are a function of one other Value.
    """

    def __init__(self, root: Value, leaves: Sequence[Value]) -> None:
        self.nodes: list[Value] = []
        self.edges: list[Edges] = []
        self.functions: dict[int, str] = {}
        wanted, place = set(leaves), dict[Value, int]()
        for node in ordered(root):
            edges = tuple(
                [(place[x], s) for x, s in zip(values_of(node), slopes_of(node)) if x in place]
            )
            if edges or node in wanted:
                place[node] = len(self.nodes)
                self.nodes.append(node)
                self.edges.append(edges)
        self.root = place.get(root)
        self.leaves = [place.get(leaf) for leaf in leaves]

    def slopes(self, changes: Changes | None = None) -> list[float]:
        """The slope of the root by each Value, with other edges for some of them."""
        slopes = [0.0] * len(self.nodes)
        if self.root is None:
            return slopes
        slopes[self.root] = 1.0
        edges = self.changed(changes)
        for i in range(self.root, -1, -1):
            if slope := slopes[i]:
                for operand, partial in edges[i]:
                    slopes[operand] += partial * slope
        return slopes

    def changed(self, changes: Changes | None) -> list[Edges]:
        """All edges, those in `changes` in place of what was recorded."""
        if not changes:
            return self.edges
        edges = self.edges.copy()
        for i, others in changes.items():
            edges[i] = others
        return edges

    def of_leaves(self, slopes: Sequence[float]) -> list[float]:
        """Those of all slopes that are slopes by the leaves."""
        return [0.0 if place is None else slopes[place] for place in self.leaves]

    # -------------------------------------------------------------- what rounding may do to a slope

    def doubts(self) -> list[list[float]]:
        """The largest error of each edge's slope, for a rounding error of 1 an operation.

        This is running error analysis (Wilkinson): the error of a number is what its operands'
        errors make of it, and a rounding of its own. The error of a slope is the difference to the
        slope at operands that are off by their errors.
        """
        errors: list[float] = []
        doubts: list[list[float]] = []
        for i, node in enumerate(self.nodes):
            edges = self.edges[i]
            error = 2.0 * abs(node.data)
            for operand, slope in edges:
                error += abs(slope) * errors[operand]
            errors.append(error)
            doubts.append(self._doubts_of(i, node, edges, errors) if edges else [])
        return doubts

    def _doubts_of(self, i: int, node: Value, edges: Edges, errors: list[float]) -> list[float]:
        own = [2.0 * abs(slope) for _, slope in edges]
        op, name = node._operation, self.functions.get(i)
        assert op is not None
        if op.name in SUMS:
            return own
        if op.name == "mul" and not name:
            if node._y is None:
                return own
            shifts = [errors[place] for place, _ in reversed(edges)]
            return [a + b for a, b in zip(own, shifts)] if len(edges) == 2 else own
        if op.name == "dot":
            return self._doubts_of_dot(node, edges, errors, own)
        if name:  # a person takes the slope from the result, 1 − out² say, and loses digits
            ((operand, slope),) = edges
            x = self.nodes[operand].data
            shifted = slope_of(name, x + errors[operand] * STEP)
            return [own[0] + 4.0 + _change(slope, shifted)]
        shifted_slopes = self._slopes_nearby(node, op, {e[0] for e in edges}, errors)
        return [
            own_doubt + max([_change(slope, near[k]) for near in shifted_slopes], default=0.0)
            for k, (own_doubt, (_, slope)) in enumerate(zip(own, edges))
        ]

    def _doubts_of_dot(
        self, node: Value, edges: Edges, errors: list[float], own: list[float]
    ) -> list[float]:
        ws, xs, _ = as_arguments(OPS["dot"], node.parents)
        error_of = {id(self.nodes[place]): errors[place] for place, _ in edges}
        other: dict[int, float] = {}
        for w, x in zip(ws, xs):
            other[id(w)] = other.get(id(w), 0.0) + error_of.get(id(x), 0.0)
            other[id(x)] = other.get(id(x), 0.0) + error_of.get(id(w), 0.0)
        return [
            doubt + other.get(id(self.nodes[place]), 0.0) for doubt, (place, _) in zip(own, edges)
        ]

    def _slopes_nearby(
        self, node: Value, op: Op, places: Iterable[int], errors: list[float]
    ) -> list[list[float]]:
        """The slopes by the operands on the tape, where these are off to the one or other side."""
        error_of = {id(self.nodes[place]): errors[place] for place in places}
        found = []
        for turn in (1.0, -1.0):  # all to one side, or to one side and the other in turn
            shifts = {id(x): turn**k for k, x in enumerate(values_of(node))}

            def shifted(x: Any, shifts: dict[int, float] = shifts) -> float:
                if not isinstance(x, Value):
                    return float(x)
                return x.data + shifts[id(x)] * error_of.get(id(x), 0.0) * STEP

            operands = as_arguments(op, tuple(map(shifted, node.parents)))
            _, *slopes = evaluated(op, *operands)
            flat: list[float] = []
            for name, slope in zip(op.operands, slopes):
                flat += slope if name in op.lists else (slope,)
            of_values = [s for x, s in zip(node.parents, flat) if isinstance(x, Value)]
            on_tape = [id(x) in error_of for x in values_of(node)]
            found.append([s for s, wanted in zip(of_values, on_tape) if wanted])
        return found

    def bounds(self, doubts: list[list[float]], changes: Changes | None = None) -> list[float]:
        """The largest error of the slope by each Value, for a rounding error of 1 an operation.

        A changed edge is as doubtful as its slope is large.
        """
        count = len(self.nodes)
        sizes, bounds = [0.0] * count, [0.0] * count
        if self.root is None:
            return bounds
        sizes[self.root] = 1.0
        edges = self.changed(changes)
        for i in range(self.root, -1, -1):
            size, bound = sizes[i], bounds[i] + sizes[i]
            if not bound:
                continue
            new = changes is not None and i in changes
            of_edges = [4.0 * (1.0 + abs(s)) for _, s in edges[i]] if new else doubts[i]
            for (operand, slope), doubt in zip(edges[i], of_edges):
                sizes[operand] += abs(slope) * size
                bounds[operand] += abs(slope) * bound + doubt * size
        return bounds


class Sample:
    """The part of a tape that leads to some leaves, without the sums that lead to one alone.

    `kept` are Values whose edges may be changed. A walk over the sample gives the same slopes of
    these leaves as a walk over the whole tape, in less time.
    """

    def __init__(self, tape: Tape, places: Iterable[int], kept: Iterable[int]) -> None:
        self.tape, self.places = tape, list(places)
        active, kept, self.alias = set(self.places), set(kept), dict[int, tuple[int, float]]()
        self.edges: dict[int, Edges] = {}
        for i in range(len(tape.nodes)):
            edges = tuple([edge for edge in tape.edges[i] if edge[0] in active])
            if not edges:
                continue
            active.add(i)
            edges = self._resolved(edges)
            if len(edges) == 1 and i not in kept and i != tape.root:
                self.alias[i] = edges[0]
            else:
                self.edges[i] = edges
        self.active = active
        self.order = sorted(self.edges, reverse=True)

    def _resolved(self, edges: Edges) -> Edges:
        alias = self.alias
        return tuple(
            [(alias[b][0], alias[b][1] * slope) if b in alias else (b, slope) for b, slope in edges]
        )

    def slopes(self, changes: Changes) -> list[float]:
        """The slopes by the leaves of the sample."""
        tape, active = self.tape, self.active
        slopes = dict.fromkeys(self.order, 0.0) | dict.fromkeys(self.places, 0.0)
        if tape.root is None or tape.root not in slopes:
            return [0.0 for _ in self.places]
        slopes[tape.root] = 1.0
        edges = self.edges
        if changes:
            edges = edges | {
                i: self._resolved(tuple([edge for edge in others if edge[0] in active]))
                for i, others in changes.items()
                if i in edges
            }
        for i in self.order:
            if slope := slopes[i]:
                for operand, partial in edges[i]:
                    slopes[operand] += partial * slope
        return [slopes[place] for place in self.places]


def values_of(node: Value) -> tuple[Value, ...]:
    """The Values among the operands of a node, in order: those that `slopes_of` has slopes by."""
    if node._operation is None:
        return ()
    if node._x is None:
        return node._y  # type: ignore[no-any-return]
    return (node._x,) if node._y is None else (node._x, node._y)


def value_at(name: str, x: float) -> float:
    """The value of an operation of one operand at a number."""
    return evaluated(OPS[name], x)[0]  # type: ignore[no-any-return]


def slope_of(name: str, x: float) -> float:
    """The slope of an operation of one operand at a number."""
    return evaluated(OPS[name], x)[1]  # type: ignore[no-any-return]


def _change(slope: float, shifted: float) -> float:
    change = abs(shifted - slope) / STEP
    return change if isfinite(change) else abs(slope) / EPSILON
