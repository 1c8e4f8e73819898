"""Checks of arguments: names in tables, whole numbers, sources of random numbers.   (floor 0)

Errors say what was given, what was expected and what to write instead.
"""

from __future__ import annotations

from operator import index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from random import Random
    from typing import Any, TypeVar

    T = TypeVar("T")


def quoted(names: Iterable[str]) -> str:
    """The names in quotes, with commas between.

    >>> quoted(["mean", "sum"])
    "'mean', 'sum'"
    """
    return ", ".join(map(repr, names))


def one_of(what: str, name: str, names: Collection[str], instead: str = "", kind: str = "") -> str:
    """The name, if it is one of the names; else ValueError tells the nearest of them.

    It lists the names, or says what `kind` of names they are.

    >>> one_of("loss", "msee", ["mse", "mae"])
    Traceback (most recent call last):
    ValueError: loss='msee' is none of 'mse', 'mae': did you mean 'mse'?
    """
    if not isinstance(name, str):
        raise TypeError(
            f"{what} must be {kind or quoted(names)}, got {type(name).__name__} {name!r}"
        )
    if name in names:
        return name
    from difflib import get_close_matches

    close = get_close_matches(name.lower(), names)
    close.sort(key=lambda near: sorted(near) != sorted(name.lower()))  # tahn: tanh before tan
    hint = f": did you mean {close[0]!r}?" if close else instead and f": {instead}"
    raise ValueError(f"{what}={name!r} is none of {kind or quoted(names)}{hint}")


def look_up(what: str, name: str, table: Mapping[str, T], instead: str = "", kind: str = "") -> T:
    """The entry of that name; the errors are those of `one_of`."""
    return table[one_of(what, name, table, instead, kind)]


def whole_number(what: str, number: Any, least: int = 1) -> int:
    """The number as an int; ValueError if it is below `least`, TypeError if it is not whole.

    >>> whole_number("nin", 0)
    Traceback (most recent call last):
    ValueError: nin must be 1 or more, got 0
    """
    try:
        count = index(number)
    except TypeError:
        raise TypeError(
            f"{what} must be a whole number, got {type(number).__name__} {number!r}"
        ) from None
    if isinstance(number, bool):
        raise TypeError(f"{what} must be a whole number, got {number}")
    if count < least:
        raise ValueError(f"{what} must be {least} or more, got {count}")
    return count


def random_source(seed: Any) -> Random:
    """The source of random numbers for a seed: a new one for a whole number, a `Random` as it is.

    None stands for Python's own `random`, which `random.seed` sets.
    """
    import random

    shared: Any = random  # the module has the methods of a Random
    if seed is None or seed is shared:
        return shared  # type: ignore[no-any-return]
    if isinstance(seed, random.Random):
        return seed
    try:
        return random.Random(index(seed))
    except TypeError:
        raise TypeError(
            "seed must be a whole number, a random.Random or None, "
            f"got {type(seed).__name__} {seed!r}"
        ) from None
