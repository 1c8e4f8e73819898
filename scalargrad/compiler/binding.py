"""Binding: the arguments of a call by position and name, and those of `wrt`.   (floor 3)"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..derivatives import argument_positions


class Binding:
    """The signature of a function, where it has one.

    >>> binding = Binding(lambda w, x, *more, scale=1.0: w)
    >>> binding.ordered((1.0,), {"scale": 2.0, "x": 3.0})
    ((1.0, 3.0), {'scale': 2.0})
    >>> binding.names(4, ["scale"]), binding.positions((0, -1), 4, ["scale"])
    (['w', 'x', 'more_0', 'more_1', 'scale'], (0, 4))
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        if not callable(fn):
            raise TypeError(
                f"compile takes a function, got {type(fn).__name__}: write compile(f)(x)"
            )
        name = getattr(fn, "__name__", None)
        self.name = str.strip(name, "<>") if isinstance(name, str) else type(fn).__name__
        try:
            signature = inspect.signature(fn)
            self._parameters: Any = [*signature.parameters.values()]
        except (ValueError, TypeError):  # one built in
            self._parameters = None
        kind, parameters = inspect.Parameter, self._parameters or []
        names: dict[Any, list[str]] = {p.kind: [] for p in parameters}
        for p in parameters:
            names[p.kind].append(p.name)
        before = names.get(kind.POSITIONAL_ONLY, [])
        self._places = [*before, *names.get(kind.POSITIONAL_OR_KEYWORD, [])]
        self._more = names.get(kind.VAR_POSITIONAL, ["x"])[0]
        self._by_name = names.get(kind.KEYWORD_ONLY, [])
        self._takes_any_name = self._parameters is None or kind.VAR_KEYWORD in names
        needed = {p.name for p in parameters if p.default is p.empty}
        self._required = len(needed.intersection(self._places))
        self._is_simple = self._parameters is not None and needed.isdisjoint(self._by_name)

    def ordered(
        self, args: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call, by position if they can be; TypeError if they do not fit."""
        is_in_order = not options and self._is_simple
        is_in_order = is_in_order and self._required <= len(args) <= len(self._places)
        if self._parameters is None or is_in_order:
            return args, options
        try:
            bound = inspect.Signature(self._parameters).bind(*args, **options)
        except TypeError as error:
            raise TypeError(
                f"{self.name}() {error}: "
                f"it takes {', '.join(map(str, self._parameters)) or 'no arguments'}"
            ) from None
        return bound.args, bound.kwargs

    def names(self, count: int, options: Sequence[str]) -> list[str]:
        """The names of a call's arguments: so many by position, and those by name."""
        places = self._places[:count]
        return [*places, *(f"{self._more}_{i}" for i in range(count - len(places))), *options]

    def positions(self, wrt: Any, count: int, options: Sequence[str]) -> tuple[Any, ...]:
        """The places in a call of the arguments that `wrt` counts in the order of the signature.

        One that was not given is there by its name. There are none of a call without arguments.
        """
        given = {name: count + i for i, name in enumerate(options)}
        later = [*self._places[count:], *self._by_name]
        later += [name for name in options if name not in later]
        places: list[Any] = [*range(count), *(given.get(name, name) for name in later)]
        end = 1 + max([i for i, x in enumerate(places) if not isinstance(x, str)], default=-1)
        asked = wrt if isinstance(wrt, tuple) else (wrt,)
        missing = [places[i] for i in asked if end <= i < len(places)]
        if missing or not end:
            return tuple(missing)
        return tuple([places[i] for i in argument_positions(wrt, tuple(places[:end]))])

    def check_names(self, what: str, given: Any) -> tuple[str, ...]:
        """The names of arguments that `what` lists; TypeError or ValueError if they name none."""
        is_one = isinstance(given, str) or not (given is None or hasattr(given, "__iter__"))
        names: tuple[Any, ...] = (given,) if is_one else tuple(given or ())
        for name in names:
            if not isinstance(name, str):
                raise TypeError(
                    f"{what} takes names of arguments, got {name!r}: write {what}=('x', 'y')"
                )
            known = [*self._places, *self._by_name]
            if name not in known and not self._takes_any_name:
                raise ValueError(
                    f"{what} names {name!r}, and {self.name} has the arguments "
                    f"{', '.join(known) or 'none'}"
                )
        return names
