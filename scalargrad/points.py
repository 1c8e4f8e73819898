"""A function at one point: recorded as a graph, and called with other numbers.   (floor 2)"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from inspect import signature
from math import isclose, isnan, nan
from time import perf_counter

from .arithmetic.conversion import to_float
from .copies import with_values
from .derivatives import root_of, value_and_grad
from .modes import record_anyway
from .trees import is_module, leaf_names, leaves
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any

# A function is called so often, or for so long, at one input, to see whether it draws at random.
REPEATS, MOST_REPEATS, SECONDS = 20, 1000, 0.005


class Point:
    """The function and the numbers it is checked at: it is recorded, and called with others."""

    def __init__(
        self,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        positions: tuple[int, ...],
        options: dict[str, Any],
    ) -> None:
        self.f, self.args, self.positions, self.options = f, args, positions, options
        given = leaves(tuple(args[i] for i in positions), "the argument")
        self.numbers = [x.data if isinstance(x, Value) else to_float(x, "f") for x in given]
        self.titles = [
            title for i in positions for title in leaf_names(args[i], name_of_argument(f, i))
        ]
        self.models: dict[int, tuple[Any, list[Value]]] = {}  # by position, with their parameters
        for i in positions:
            if _holds_a_module(args[i]):
                values = [Value(0.0) for _ in leaves(args[i], "the argument")]
                self.models[i] = with_values(args[i], iter(values)), values

    def _arguments(self, values: list[Value]) -> list[Any]:
        """The arguments of f with Values in place of the numbers."""
        content, fresh = iter(values), list(self.args)
        for i in self.positions:
            fresh[i] = with_values(self.args[i], content)
        return fresh

    def record(self) -> list[float]:
        """The result of a call that is recorded, followed by the slopes."""

        def on_values(values: list[Value]) -> Any:
            fresh = self._arguments(values)
            return root_of(self.f(*fresh, **self.options), "check_gradient")

        result, slopes = value_and_grad(on_values)(self.numbers)
        return [_as_number(x) for x in (result, *slopes)]

    def at(self, numbers: list[float]) -> float:
        """The result for these numbers; nan if the function raises an error."""
        for kind in dict.fromkeys((self.kind, Value)):
            try:  # math.sqrt(-1.0) raises, and -1.0 ** 0.5 is complex, where Values give nan
                return self._called(kind, numbers)
            except Exception:
                continue
        return nan

    def _called(self, kind: Callable[[float], Any], numbers: list[float]) -> float:
        """The result for these numbers; of a model one copy is used, whose parameters are set."""
        content = iter(numbers)
        fresh = list(self.args)
        for i in self.positions:
            if i in self.models:
                fresh[i], parameters = self.models[i]
                for parameter, number in zip(parameters, content):
                    parameter.data = number
            else:
                fresh[i] = with_values(self.args[i], map(kind, content))
        return _as_number(self.f(*fresh, **self.options))

    def graph(self, with_arrays: bool = True) -> tuple[Value, list[Value]]:
        """The result as it is recorded, and the Values of the numbers that it is differentiated by.

        Arrays record what NumPy decides by comparing, if f takes such arrays.
        """
        with_arrays = with_arrays and "numpy" in sys.modules
        values = [Value(x) for x in self.numbers]
        fresh = self._arguments(values)
        if with_arrays:
            from .doctor.arrays import recording

            fresh = recording(fresh)
        try:
            with record_anyway():
                result = self.f(*fresh, **self.options)
            return root_of(result, "check_gradient"), values
        except Exception:
            if with_arrays:
                return self.graph(with_arrays=False)
            raise

    def settle(self, recorded: float, least: int = REPEATS) -> float:
        """Choose floats if f takes them like Values, and return the result.

        It calls f `least` times at least, and more often where that takes no time. ValueError if f
        gives varying results.
        """
        try:
            takes_floats = alike(self._called(float, self.numbers), recorded)
        except Exception:  # it calls x.tanh(), say
            takes_floats = False
        self.kind = float if takes_floats else Value
        first = self.at(self.numbers)
        end = perf_counter() + SECONDS
        for k in range(MOST_REPEATS):
            if k >= least and perf_counter() > end:
                break
            refuse_two(first, self.at(self.numbers))
        return first


class AlongOne:
    """The function of its i-th number alone, the others fixed; it remembers its results."""

    def __init__(self, point: Point, i: int) -> None:
        self.point, self.i = point, i
        self.results: dict[float, float] = {}

    def __call__(self, x: float) -> float:
        numbers = self.point.numbers
        self.results[x] = self.point.at([*numbers[: self.i], x, *numbers[self.i + 1 :]])
        return self.results[x]

    def repeat(self) -> None:
        """Call it again at the same places; ValueError if a result differs from the one before."""
        for x, result in list(self.results.items()):
            refuse_two(result, self(x))


def refuse_two(first: float, second: float) -> None:
    """Raise ValueError if two calls with one input gave different results."""
    if not same(first, second):
        raise ValueError(
            f"the function gives two results for one input, {first!r} and {second!r}: "
            "draw random numbers before it is called, or seed their generator inside it"
        )


def same(a: float, b: float) -> bool:
    """Whether two numbers are equal, or both are nan."""
    return a == b or (isnan(a) and isnan(b))


def alike(a: float, b: float) -> bool:
    """Whether two numbers are the same, but for some rounding."""
    return same(a, b) or isclose(a, b, rel_tol=1e-9)


def _as_number(result: Any) -> float:
    return result.data if isinstance(result, Value) else to_float(result, "check_gradient")


def _holds_a_module(tree: Any) -> bool:
    parts = tree.values() if isinstance(tree, dict) else tree
    return is_module(tree) or (
        isinstance(tree, list | tuple | dict) and any(map(_holds_a_module, parts))
    )


def without_numpy_warnings() -> AbstractContextManager[Any]:
    """Silence NumPy, which would warn of steps beyond the domain of a function."""
    numpy = sys.modules.get("numpy")
    quiet: AbstractContextManager[Any] = numpy.errstate(all="ignore") if numpy else nullcontext()
    return quiet


def name_of_argument(f: Callable[..., Any], i: int) -> str:
    """The name of f's i-th argument, such as P[1] where f takes *P."""
    try:
        parameters = [*signature(f).parameters.values()]
    except (TypeError, ValueError):
        parameters = []
    for place, one in enumerate(parameters[: i + 1]):
        if one.kind is one.VAR_POSITIONAL:
            return f"{one.name}[{i - place}]"
    return parameters[i].name if i < len(parameters) else f"argument {i}"
