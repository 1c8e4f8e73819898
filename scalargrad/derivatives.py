"""Derivatives as functions: grad, value_and_grad, jacobian, hessian, jvp, hvp.   (floor 2)

Each takes a function of numbers f and returns another one, which calls f with new Values and walks
the graph that they record. No `grad` changes, so several may run at a time.

>>> from scalargrad import grad, hessian, sin
>>> grad(lambda x: x**3)(2.0)
12.0
>>> hessian(lambda p: p[0] ** 2 * p[1])([3.0, 2.0])
[[4.0, 6.0], [6.0, 0.0]]

Slopes of slopes come from the same table. There the slope of an operation is a text that calls
other operations. Evaluated on Values, not floats, it records a graph, which can be walked again:

>>> grad(grad(grad(sin)))(0.0)
-1.0

If one of these functions runs inside another, its arguments may be Values of the outer one. The
inner function gets new nodes that read them. So the slope of x + y by y is 1 here, not 2, though y
is x:

>>> grad(lambda x: x * grad(lambda y: x + y)(x))(5.0)
1.0

If the function reads other Values than its arguments, a weight for example, the results are Values
too. They remember the weight, so a derivative in a loss reaches it:

>>> w = Value(3.0)
>>> loss = grad(lambda x: w * x**2)(2.0) ** 2 + w               # 16 w² + w
>>> loss.backward()
>>> w.grad
97.0

Else the results are floats. A Value that the function itself makes counts as a constant, and so
does a result computed inside `no_grad`. A derivative taken inside `no_grad` remembers nothing.

Arguments are numbers, nested lists, tuples and dicts of numbers, arrays, or modules. A derivative
has the structure of its argument; for a module that is a mapping from its parameters' names. Only
in `fit` do results remember the parameters of a module. To have that elsewhere, pass them as a
list, `model.parameters()`. An input that does not reach the output gets 0.0.

At a kink, second derivatives are right for |x|², ‖v‖² and the logistic loss, written as
max(x, 0) + log(1 + e^−|x|): they are 2, 2·I and ¼. Where they are not known, as for relu(x²),
maximum(x, -x)² or log(x) at 0, they are nan, and so are those of a higher order. Where the second
derivative jumps, there is none, and the slope in the table is differentiated: relu(x)² has 0 at 0.
A known limit: kinks that cancel each other count each by itself. So min(x, max(x, 1)), which is x,
has the slope ¾ at 1; and relu(x)² + relu(-x)², which is x², has the second derivative 0 at 0. A
compiled function differentiates the slope in the table at every kink.

A new thread, started inside one of these functions, does not count as inside it, unless it runs in
a copy of the context (`contextvars.copy_context().run`).
"""

from __future__ import annotations

from .arithmetic.conversion import as_float
from .copies import with_values
from .modes import TRAINING, Scope, is_recording, is_traced, record_anyway, scope_here
from .rows.shares import fresh_node
from .trees import aligned, detached, is_module, leaves, rebuilt
from .value import Value
from .walks import between, rates_forward, slopes_back, slopes_of_each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Wrt = int | tuple[int, ...]

# ------------------------------------------------------------------ slopes in a recorded graph


def gradients(root: Value, wrt: Any, create_graph: bool = False) -> Any:
    """The slopes of a recorded root by the Values in `wrt`, in the same structure.

    They are floats; with `create_graph` they are Values with a graph, to be differentiated again.
    By a Value that the root was not made of the slope is 0.0. No `grad` changes.

    >>> x, y = Value(3.0), Value(2.0)
    >>> gradients(x * x * y, {"x": x, "y": y})
    {'x': 12.0, 'y': 9.0}
    """
    if not isinstance(root, Value):
        raise TypeError(
            f"gradients takes one Value as root, got {type(root).__name__}: call it for each Value"
        )
    nodes = leaves(wrt, "wrt")
    for node in nodes:
        if not isinstance(node, Value):
            raise TypeError(f"gradients takes Values as wrt, got the number {node!r} in it")
    traced = is_traced(root)  # in a trace slopes have no numbers yet, and are recorded
    with record_anyway():
        order = between([root], nodes, apart=False)
        slopes = slopes_back(root, nodes, order, create_graph or traced)
    if traced and not create_graph:
        slopes = [x.detach() if isinstance(x, Value) else x for x in slopes]
    return rebuilt(wrt, iter(slopes))


# ------------------------------------------------------------------ a call with new Values


def argument_positions(wrt: Wrt, args: tuple[Any, ...]) -> tuple[int, ...]:
    """The positions of the arguments in `wrt`.

    TypeError if `wrt` is no number or tuple of numbers, ValueError if there is no such argument.
    """
    positions: list[int] = []
    for position in wrt if isinstance(wrt, tuple) else (wrt,):
        if isinstance(position, bool) or not hasattr(position, "__index__"):
            raise TypeError(
                f"wrt takes the number of an argument or a tuple of them, got {wrt!r}: "
                "write wrt=0 or wrt=(0, 1)"
            )
        place = int(position)
        if not -len(args) <= place < len(args):
            given = f"{len(args)} by position"
            if not args:
                given = "none by position: write it without its name"
            raise ValueError(
                f"wrt={wrt!r} asks for argument {place}, counted from 0, "
                f"but the function was called with {given}"
            )
        positions.append(place % len(args))
    if len(set(positions)) < len(positions):
        raise ValueError(f"wrt={wrt!r} names an argument twice: name it once")
    return tuple(positions)


class _Call:
    """One call of a function with new Values in place of the numbers it is differentiated by.

    `nodes` are those Values and `tree` is the structure they stand in. `direction`, the last
    argument of jvp and hvp, says how they move. `recorded` says that the results have a graph:
    another of these functions will differentiate them, or they depend on other Values.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        wrt: Wrt,
        args: tuple[Any, ...],
        options: dict[str, Any],
        scope: Scope,
        is_along: bool,
        remembers: bool,
    ) -> None:
        direction = None
        if is_along:
            if len(args) < 2:
                got = "1 argument" if args else "nothing"
                raise TypeError(f"a direction is expected behind the arguments: (x, v), got {got}")
            *args_of_f, direction = args
            args = tuple(args_of_f)
        positions = argument_positions(wrt, args)
        given = [args[position] for position in positions]
        self.tree: Any = tuple(given) if isinstance(wrt, tuple) else given[0]
        numbers = leaves(self.tree, "the argument")
        self.scope, self.remembers = scope, remembers
        self.is_inner = scope.outer is not None and scope.outer is not TRAINING
        outer = numbers if scope.outer is TRAINING else _numbers_outside_modules(self.tree)
        self.recorded = self.is_inner or any(map(_is_value, outer))
        self.nodes = [_input_node(x, self.recorded) for x in numbers]
        content = iter(self.nodes)
        fresh = list(args)
        for position, argument in zip(positions, given):
            fresh[position] = with_values(argument, content)
        self.result = f(*fresh, **options)
        if is_along:
            along = aligned(self.tree, direction, "the direction")
            self.direction = [x if _is_value(x) else float(x) for x in along]
            self.recorded = self.recorded or any(map(_is_value, along))

    def root(self, asker: str) -> Value:
        """The result, if it is one Value or number."""
        return root_of(self.result, asker)

    def roots(self) -> list[Value]:
        """All Values of the result, however it is nested."""
        return [_as_value(x) for x in leaves(self.result, "the result")]

    def order(self, roots: list[Value]) -> list[Value]:
        """The Values between `nodes` and roots. If roots read others, `recorded` becomes True."""
        others: list[Value] = []
        order = between(roots, self.nodes, others=others)
        if self.remembers and not self.recorded:
            self.recorded = not all(map(self.scope.holds, others))
        return order

    def slopes(self, root: Value, create_graph: bool = False) -> list[Any]:
        """The slopes of one root by `nodes`."""
        order = self.order([root])
        return slopes_back(root, self.nodes, order, create_graph or self.recorded)

    def rows(self, roots: list[Value]) -> list[Any]:
        """The slopes of each root by `nodes`, in the structure of the argument."""
        order = [] if self.recorded else self.order(roots)
        rows: list[Any] = (
            [self.slopes(root) for root in roots]
            if self.recorded
            else slopes_of_each(roots, self.nodes, order)
        )
        return [self.like_argument(row) for row in rows]

    def rates(self, roots: list[Value]) -> Iterator[Any]:
        """The rate at which each root changes along the direction."""
        order = self.order(roots)
        rates = rates_forward(roots, self.nodes, order, self.direction, self.recorded)
        return map(self.out, rates)

    def out(self, x: Any) -> Any:
        """A result for the caller: a Value if results are recorded, else a float."""
        if not self.recorded:
            return x.data if isinstance(x, Value) else x
        return x if self.is_inner else _as_value(x)

    def like_argument(self, results: Iterable[Any]) -> Any:
        """Results in the structure of the argument."""
        return rebuilt(self.tree, map(self.out, results) if self.recorded else iter(results))


def root_of(result: Any, asker: str) -> Value:
    """The result of a function as a Value, a plain number as a leaf; TypeError for any other."""
    if isinstance(result, Value):
        return result
    if (number := as_float(result)) is not None:
        return Value(number)
    advice = ""
    if result is None:
        advice = ": did it forget its return?"
    elif getattr(result, "ndim", 1) == 0:
        advice = ": write .item() of it"
    elif hasattr(result, "__len__") and not isinstance(result, str | bytes):
        advice = ": use jacobian"
    kind = type(result).__name__
    raise TypeError(
        f"{asker} takes a function that returns one Value, this one returned {kind}{advice}"
    )


def _is_value(x: Any) -> bool:
    return isinstance(x, Value)


def _as_value(x: Any) -> Value:
    return x if isinstance(x, Value) else Value(x)


def _numbers_outside_modules(tree: Any) -> list[Any]:
    """The numbers of a structure that are not parameters of a module."""
    if is_module(tree):
        return []
    if not isinstance(tree, dict | list | tuple):
        return leaves(tree, "the argument")
    parts = tree.values() if isinstance(tree, dict) else tree
    return [x for part in parts for x in _numbers_outside_modules(part)]


def _input_node(x: Any, is_recorded: bool) -> Value:
    """A new leaf for a number or a Value; if results are recorded, a node that reads the Value."""
    if is_recorded:
        return fresh_node(x)
    return Value(x.data, x.label) if isinstance(x, Value) else Value(x)


# ------------------------------------------------------------------ the functions


def value_and_grad(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., tuple[Any, Any]]:
    """Make the function that returns the value of f and its slopes by argument `wrt`.

    >>> value_and_grad(lambda p: p["w"] * 3 + p["b"])({"w": 2.0, "b": 1.0})
    (7.0, {'w': 3.0, 'b': 1.0})
    """

    def derived(call: _Call) -> tuple[Any, Any]:
        root = call.root("value_and_grad")
        slopes = call.like_argument(call.slopes(root))
        return call.out(root), slopes

    return _function(derived, f, wrt, "value_and_grad")


def grad(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., Any]:
    """Make the function that returns the slopes of f by argument `wrt`, in its structure.

    `wrt` is the position of an argument, or a tuple of positions. The function raises TypeError if
    f returns anything but one Value or number.

    >>> grad(lambda x, y: x * y, wrt=(0, 1))(2.0, 5.0)
    (5.0, 2.0)
    """
    return _function(
        lambda call: call.like_argument(call.slopes(call.root("grad"))), f, wrt, "grad"
    )


def jacobian(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., Any]:
    """Make the function that returns the slopes of each number in the result of f.

    They stand in the structure of that result, and each in the structure of argument `wrt`.

    >>> jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])([2.0, 5.0])
    [[5.0, 2.0], [1.0, 1.0]]
    """
    return _function(
        lambda call: rebuilt(call.result, iter(call.rows(call.roots()))), f, wrt, "jacobian"
    )


def hessian(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., Any]:
    """Make the function that returns the second derivatives of f, a row for each input.

    It records one gradient and walks over it for each input. So n inputs cost no more than n
    gradients.

    >>> hessian(lambda x: x**4)(2.0)
    48.0
    """

    def derived(call: _Call) -> Any:
        slopes = call.slopes(call.root("hessian"), create_graph=True)
        return rebuilt(call.tree, iter(call.rows([*map(_as_value, slopes)])))

    return _function(derived, f, wrt, "hessian")


def jvp(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., Any]:
    """Make the function that returns how fast f changes in a direction, its last argument.

    It walks over the graph a single time, forward.

    >>> jvp(lambda p: [p[0] * p[1], p[0] + p[1]])([2.0, 5.0], [1.0, 0.0])
    [5.0, 1.0]
    """
    return _function(
        lambda call: rebuilt(call.result, call.rates(call.roots())), f, wrt, "jvp", is_along=True
    )


def hvp(f: Callable[..., Any], wrt: Wrt = 0) -> Callable[..., Any]:
    """Make the function that returns the Hessian of f times a direction, its last argument.

    It does not compute the Hessian itself.

    >>> hvp(lambda p: p[0] ** 2 * p[1])([3.0, 2.0], [1.0, 0.0])
    [4.0, 6.0]
    """

    def derived(call: _Call) -> Any:
        slopes = call.slopes(call.root("hvp"), create_graph=True)
        return rebuilt(call.tree, call.rates([*map(_as_value, slopes)]))

    return _function(derived, f, wrt, "hvp", is_along=True)


def _function(
    derived: Callable[[_Call], Any],
    f: Callable[..., Any],
    wrt: Wrt,
    asker: str,
    is_along: bool = False,
) -> Callable[..., Any]:
    """Make a function that calls f and returns what `derived` finds from the call."""
    if not callable(f):
        raise TypeError(f"{asker} takes a function, got {type(f).__name__}: write {asker}(f)(x)")

    def function(*args: Any, **options: Any) -> Any:
        remembers, scope = is_recording(), Scope()
        token = scope_here.set(scope)
        try:
            if remembers:
                return derived(_Call(f, wrt, args, options, scope, is_along, remembers))
            with record_anyway():
                return detached(derived(_Call(f, wrt, args, options, scope, is_along, remembers)))
        finally:
            scope_here.reset(token)

    name = getattr(f, "__name__", type(f).__name__)
    function.__name__ = function.__qualname__ = f"{asker}_of_{name.strip('<>')}"
    function.__doc__ = f"{asker}({name}): derived by scalargrad."
    return function
