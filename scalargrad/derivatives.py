"""Derivatives as functions: grad, value_and_grad, jacobian, hessian, jvp, hvp.   (floor 2)

Each takes a function of numbers and gives a function of numbers. It calls the function with Values of
its own, walks the graph that was recorded, and touches no `grad`; so several may run at once.

>>> from scalargrad import grad, hessian, sin
>>> grad(lambda x: x**3)(2.0)
12.0
>>> hessian(lambda p: p[0] ** 2 * p[1])([3.0, 2.0])
[[4.0, 6.0], [6.0, 0.0]]

Slopes of slopes come from the same rows of the table: a row's slope is text in the names of other rows,
and evaluated on Values instead of floats it records a graph that can be walked like any other:

>>> grad(grad(grad(sin)))(0.0)
-1.0

While one of these functions runs inside another, its arguments may be Values of the outer one. They reach the
inner function through nodes of their own, so that "by y" never means "by the x that y happens to be":

>>> grad(lambda x: x * grad(lambda y: x + y)(x))(5.0)
1.0

Arguments are numbers, nested lists, tuples and dicts of numbers, arrays, or modules; a derivative has the
structure of the argument it is by, a module's is a mapping of its parameters' names. An input that the
output does not reach gets 0.0. Values come back only where the argument that is differentiated by holds one, or inside
another of these functions; a thread that is started inside one of them is not inside it, unless it runs in a copy of the
context (`contextvars.copy_context().run`).
"""

from __future__ import annotations

from _contextvars import ContextVar

from .arithmetic.conversion import as_float
from .graph import ordered
from .modes import is_recording, record_anyway
from .ops import LISTS
from .rows.slopes import on_values, same, share, structured
from .trees import aligned, detached, is_module, leaves, rebuilt, with_values
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from typing import Any

    Wrt = int | tuple[int, ...]

depth: ContextVar[int] = ContextVar(
    "depth", default=0
)  # of derivative functions running inside each other


# ------------------------------------------------------------------ walks that touch no grad


def gradients(root: Value, wrt: Any, create_graph: bool = False) -> Any:
    """The slopes of a recorded root by the Values in `wrt`, in the same structure; 0.0 by what it was not made of.

    Floats, or with `create_graph` Values with a graph of their own, to be differentiated again. No `grad` changes.

    >>> x, y = Value(3.0), Value(2.0)
    >>> gradients(x * x * y, {"x": x, "y": y})
    {'x': 12.0, 'y': 9.0}
    """
    if not isinstance(root, Value):
        raise TypeError(
            f"gradients are of one Value, got {type(root).__name__}: call it once for each"
        )
    nodes = leaves(wrt, "wrt")
    for node in nodes:
        if not isinstance(node, Value):
            raise TypeError(f"gradients are by Values, got the number {node!r} in wrt")
    with record_anyway():
        return rebuilt(wrt, iter(_pull(root, nodes, create_graph, apart=False)))


def _between(roots: Sequence[Value], nodes: Sequence[Value], apart: bool = True) -> list[Value]:
    """The Values on a way from nodes to roots, operands before their readers; `apart` if no node was made of another."""
    way = set(nodes)
    order = ordered(*roots, stop=way if apart else frozenset(), last_first=True)
    for node in order:
        if node not in way and not way.isdisjoint(node.parents):
            way.add(node)
    return [node for node in order if node in way]


def _pull(root: Value, nodes: Sequence[Value], create_graph: bool, apart: bool = True) -> list[Any]:
    """The slopes of a root by nodes: the walk of `Value.backward`, its sums kept apart from the graph."""
    order = _between([root], nodes, apart)
    way = set(order)
    sums: dict[Value, Any] = {root: 1.0}
    for node in reversed(order):
        slope = sums.get(node, 0.0)
        if slope.__class__ is float and slope == 0.0:
            continue
        for operand, partial in _slopes(node, way, create_graph):
            part = share(partial, slope)
            sums[operand] = sums[operand] + part if operand in sums else part
    return [sums.get(node, 0.0) for node in nodes]


def _push(
    roots: Sequence[Value], nodes: Sequence[Value], direction: Sequence[Any], create_graph: bool
) -> list[Any]:
    """How fast roots change when nodes move in a direction: one walk forward."""
    rates: dict[Value, Any] = dict(zip(nodes, direction))
    order = _between(roots, nodes)
    way = set(order)
    for node in order:
        if node not in rates:
            rates[node] = 0.0
            for operand, partial in _slopes(node, way, create_graph):
                rates[node] = rates[node] + share(partial, rates[operand])
    return [rates.get(root, 0.0) for root in roots]


def _pull_many(roots: Sequence[Value], nodes: Sequence[Value]) -> list[list[float]]:
    """The slopes of each of many roots by nodes: the graph is put in order once, then walked on plain floats."""
    order = _between(roots, nodes)
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
    """The operands of a node that are on the way, each with the local slope by it: a float, or recorded."""
    if node._operation is None:
        return []
    if not create_graph:
        pairs: Any = zip(node.parents, node.partials)
        return [(operand, partial) for operand, partial in pairs if operand in way]
    arguments = structured(node._operation, node.parents)
    slopes: list[tuple[Value, Any]] = []
    for name, argument, slope in zip(
        node._operation.operands,
        arguments,
        on_values(node._operation, traced=hasattr(node, "records")),
    ):
        operands = argument if name in LISTS else [argument]
        if any(operand in way for operand in operands):
            partials = slope(*arguments, node) if name in LISTS else [slope(*arguments, node)]
            slopes += [
                (operand, partial) for operand, partial in zip(operands, partials) if operand in way
            ]
    return slopes


# ------------------------------------------------------------------ a function called with Values of its own


def chosen(wrt: Wrt, args: tuple[Any, ...]) -> tuple[int, ...]:
    """The positions that `wrt` names; TypeError for what names none, ValueError where there is no such argument."""
    positions: list[int] = []
    for position in wrt if isinstance(wrt, tuple) else (wrt,):
        if isinstance(position, bool) or not hasattr(position, "__index__"):
            raise TypeError(
                f"wrt takes the number of an argument or a tuple of them, got {wrt!r}: write wrt=0 or wrt=(0, 1)"
            )
        place = int(position)
        if not -len(args) <= place < len(args):
            given = (
                f"{len(args)} by position"
                if args
                else "none by position: write it without its name"
            )
            raise ValueError(
                f"wrt={wrt!r} asks for argument {place}, counted from 0, but the function was called with {given}"
            )
        positions.append(place % len(args))
    if len(set(positions)) < len(positions):
        raise ValueError(f"wrt={wrt!r} names an argument twice: name it once")
    return tuple(positions)


class _Call:
    """One call of a function with new Values in place of the numbers it is differentiated by.

    `nodes` are those Values, `tree` the structure they stand in, `inside` says whether the result is for another
    derivative function, which will differentiate it: then it is recorded too.
    """

    def __init__(
        self, f: Callable[..., Any], wrt: Wrt, args: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        positions = chosen(wrt, args)
        given = [args[position] for position in positions]
        self.tree: Any = tuple(given) if isinstance(wrt, tuple) else given[0]
        numbers = leaves(self.tree, "the argument")
        self.inside = depth.get() > 0 or any(isinstance(x, Value) for x in _loose(self.tree))
        self.nodes = [_own(x, self.inside) for x in numbers]
        content = iter(self.nodes)
        fresh = list(args)
        for position, argument in zip(positions, given):
            fresh[position] = with_values(argument, content)
        token = depth.set(depth.get() + 1)
        try:
            self.result = f(*fresh, **options)
        finally:
            depth.reset(token)

    def root(self, asker: str) -> Value:
        """The result as one Value; a number is one that depends on nothing."""
        if isinstance(self.result, Value):
            return self.result
        if (number := as_float(self.result)) is None:
            kind = type(self.result).__name__
            is_many = hasattr(self.result, "__len__") and not isinstance(self.result, str | bytes)
            advice = (
                ": use jacobian"
                if is_many
                else ": did it forget its return?"
                if self.result is None
                else ""
            )
            raise TypeError(
                f"{asker} takes a function that returns one Value, this one returned {kind}{advice}"
            )
        return Value(number)

    def roots(self) -> list[Value]:
        """All Values of the result, however it is nested."""
        return [x if isinstance(x, Value) else Value(x) for x in leaves(self.result, "the result")]

    def out(self, x: Any) -> Any:
        """A result as the caller wants it: a Value inside another derivative function, else a float."""
        return x if self.inside or not isinstance(x, Value) else x.data


def _loose(tree: Any) -> list[Any]:
    """The numbers of a structure that are no module's parameters."""
    if is_module(tree):
        return []
    parts = (
        tree.values()
        if isinstance(tree, dict)
        else tree
        if isinstance(tree, list | tuple)
        else None
    )
    return (
        leaves(tree, "the argument")
        if parts is None
        else [x for part in parts for x in _loose(part)]
    )


def _own(x: Any, inside: bool) -> Value:
    """A new Value for a number; inside another derivative function, one that the outer Value is read through."""
    if isinstance(x, Value):
        return same(x) if inside else Value(x.data, x.label)
    return Value(x)


# ------------------------------------------------------------------ the functions


def value_and_grad(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., tuple[Any, Any]]:
    """The function that returns f's value and its slopes by argument `wrt` (a number, or a tuple of them).

    >>> value_and_grad(lambda p: p["w"] * 3 + p["b"])({"w": 2.0, "b": 1.0})
    (7.0, {'w': 3.0, 'b': 1.0})
    """

    def derived(*args: Any, **options: Any) -> tuple[Any, Any]:
        call = _Call(f, wrt, args, options)
        root = call.root("grad")
        return call.out(root), rebuilt(call.tree, iter(_pull(root, call.nodes, call.inside)))

    return named(derived, f, "value_and_grad")


def grad(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., Any]:
    """The function that returns the slopes of f by argument `wrt`, in that argument's structure.

    TypeError where f returns something else than one Value or number.

    >>> grad(lambda x, y: x * y, wrt=(0, 1))(2.0, 5.0)
    (5.0, 2.0)
    """
    return named(lambda *args, **options: value_and_grad(f, wrt)(*args, **options)[1], f, "grad")


def jacobian(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., Any]:
    """The function that returns, in the structure of f's result, the slopes of each number in it.

    >>> jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])([2.0, 5.0])
    [[5.0, 2.0], [1.0, 1.0]]
    """

    def derived(*args: Any, **options: Any) -> Any:
        call = _Call(f, wrt, args, options)
        rows = _rows(call, call.roots())
        return rebuilt(call.result, iter([rebuilt(call.tree, iter(row)) for row in rows]))

    return named(derived, f, "jacobian")


def hessian(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., Any]:
    """The function that returns the second derivatives of f: for each input the slopes of f's slope by it.

    One recorded gradient and a walk over it for each input: no more than n gradients.

    >>> hessian(lambda x: x**4)(2.0)
    48.0
    """

    def derived(*args: Any, **options: Any) -> Any:
        call = _Call(f, wrt, args, options)
        slopes = _pull(call.root("hessian"), call.nodes, create_graph=True)
        rows = _rows(call, [x if isinstance(x, Value) else Value(x) for x in slopes])
        return rebuilt(call.tree, iter([rebuilt(call.tree, iter(row)) for row in rows]))

    return named(derived, f, "hessian")


def jvp(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., Any]:
    """The function of arguments and a direction v that returns how fast f changes along v: one walk forward.

    >>> jvp(lambda p: [p[0] * p[1], p[0] + p[1]])([2.0, 5.0], [1.0, 0.0])
    [5.0, 1.0]
    """

    def derived(*args: Any, **options: Any) -> Any:
        call, direction = _along(f, wrt, args, options)
        roots = call.roots()
        return rebuilt(call.result, iter(_push(roots, call.nodes, direction, call.inside)))

    return named(derived, f, "jvp")


def hvp(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., Any]:
    """The function of arguments and a direction v that returns the Hessian times v, without the Hessian.

    >>> hvp(lambda p: p[0] ** 2 * p[1])([3.0, 2.0], [1.0, 0.0])
    [4.0, 6.0]
    """

    def derived(*args: Any, **options: Any) -> Any:
        call, direction = _along(f, wrt, args, options)
        slopes = [
            x if isinstance(x, Value) else Value(x)
            for x in _pull(call.root("hvp"), call.nodes, create_graph=True)
        ]
        return rebuilt(call.tree, iter(_push(slopes, call.nodes, direction, call.inside)))

    return named(derived, f, "hvp")


def _rows(call: _Call, roots: list[Value]) -> list[list[Any]]:
    return (
        [_pull(root, call.nodes, create_graph=True) for root in roots]
        if call.inside
        else _pull_many(roots, call.nodes)
    )


def _along(
    f: Callable[..., Any], wrt: Wrt, args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[_Call, list[Any]]:
    """The call, and the direction, which is the last argument, as a flat list."""
    if len(args) < 2:
        raise TypeError(
            f"a direction is expected behind the arguments: (x, v), got {'1 argument' if args else 'nothing'}"
        )
    *args_of_f, v = args
    call = _Call(f, wrt, tuple(args_of_f), options)
    direction = [
        x if isinstance(x, Value) else float(x) for x in aligned(call.tree, v, "the direction")
    ]
    call.inside = call.inside or any(isinstance(x, Value) for x in direction)
    return call, direction


def named(derived: Callable[..., Any], f: Callable[..., Any], what: str) -> Callable[..., Any]:
    """Give a derived function a name and a docstring that tell where it comes from."""
    if not callable(f):
        raise TypeError(f"{what} takes a function, got {type(f).__name__}: write {what}(f)(x)")

    def function(*args: Any, **options: Any) -> Any:
        forgetting = not is_recording()
        with record_anyway():
            result = derived(*args, **options)
        return detached(result) if forgetting else result

    name = getattr(f, "__name__", type(f).__name__)
    function.__name__ = function.__qualname__ = f"{what}_of_{name.strip('<>')}"
    function.__doc__ = f"{what}({name}): derived by scalargrad."
    return function
