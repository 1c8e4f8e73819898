"""Numbers in nested lists, tuples, dicts, arrays and modules.   (floor 2)

`leaves` lists the numbers in order, and `rebuilt` puts other numbers or Values in their places. An
array becomes an array, of floats or, if Values are in it, of objects. A module becomes a mapping
from its parameters' names, like `module.state()`. Here a module is any object with `parameters()`
and `arranged()`.
"""

from __future__ import annotations

from contextlib import suppress
from copy import copy

from .arithmetic.conversion import as_float

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def is_module(tree: object) -> bool:
    """Whether it is a module: an object with parameters."""
    return hasattr(type(tree), "arranged")


def is_array(tree: object) -> bool:
    """Whether it is an array of one dimension or more."""
    kind = type(tree)
    return hasattr(kind, "tolist") and getattr(tree, "ndim", 0) > 0


def leaves(tree: Any, what: str) -> list[Any]:
    """The numbers and Values of a structure in order.

    Any other content raises TypeError, a structure that contains itself ValueError; both call it
    `what`.

    >>> leaves({"w": [1, 2.5], "b": (3,)}, "the argument")
    [1, 2.5, 3]
    """
    return list(_leaves(tree, what, ()))


def _leaves(tree: Any, what: str, above: tuple[int, ...]) -> Iterator[Any]:
    if id(tree) in above:
        raise ValueError(f"{what} contains itself: give it lists and dicts that end in numbers")
    if is_module(tree):
        yield from tree.parameters()
    elif isinstance(tree, dict):
        for key in tree:
            yield from _leaves(tree[key], f"{what}[{key!r}]", (*above, id(tree)))
    elif isinstance(tree, list | tuple):
        for i, item in enumerate(tree):
            yield from _leaves(item, f"{what}[{i}]", (*above, id(tree)))
    elif is_array(tree):
        yield from _leaves(tree.tolist(), what, above)
    elif hasattr(type(tree), "backward") or as_float(tree) is not None:
        yield tree
    else:
        kind = type(tree).__name__
        raise TypeError(
            f"{what} is {kind}, expected a number, a list, tuple or dict of numbers, "
            f"an array or a module{advice(tree)}"
        )


def leaf_names(tree: Any, name: str) -> list[str]:
    """A name for each of `leaves`: p['w'][0] and the like; parameters of a module have their own.

    >>> leaf_names({"w": [1, 2.5], "b": 3}, "p")
    ["p['w'][0]", "p['w'][1]", "p['b']"]
    """
    if is_module(tree):
        return [parameter for parameter, _ in tree.named_parameters()]
    if is_array(tree):
        tree = tree.tolist()
    if isinstance(tree, dict):
        return [leaf for key, item in tree.items() for leaf in leaf_names(item, f"{name}[{key!r}]")]
    if isinstance(tree, list | tuple):
        return [leaf for i, item in enumerate(tree) for leaf in leaf_names(item, f"{name}[{i}]")]
    return [name]


def advice(tree: object) -> str:
    """The end of an error about an object that is no number and no structure of numbers."""
    if isinstance(tree, str | bytes):
        return f": write float({tree!r})"
    if hasattr(type(tree), "columns"):  # a data frame
        return ": write .to_numpy() of it"
    if hasattr(type(tree), "ndim") and tree.ndim == 0:  # type: ignore[attr-defined]
        return ": write .item() of it"
    return ": write list(…) of it" if hasattr(type(tree), "__iter__") else ""


def rebuilt(tree: Any, content: Iterator[Any]) -> Any:
    """The structure with the next items of `content` in place of its numbers.

    >>> rebuilt({"w": [1, 2.5], "b": (3,)}, iter("xyz"))
    {'w': ['x', 'y'], 'b': ('z',)}
    """
    if is_module(tree):
        return tree.arranged([next(content) for _ in tree.parameters()])
    if isinstance(tree, dict):
        return same_kind(tree, {key: rebuilt(item, content) for key, item in tree.items()})
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):  # a namedtuple
        return type(tree)(*[rebuilt(item, content) for item in tree])
    if isinstance(tree, list | tuple):
        return type(tree)([rebuilt(item, content) for item in tree])
    if is_array(tree):
        import numpy

        parts = [next(content) for _ in range(tree.size)]
        if {*map(type, parts)} == {float}:
            return numpy.array(parts).reshape(tree.shape)
        is_plain = all(type(item) is float for item in leaves(parts, ""))
        made = numpy.fromiter(parts, object, len(parts))
        with suppress(ValueError):  # gradients by several arguments may have unequal shapes
            even = numpy.array(parts, dtype=None if is_plain else object)
            if is_plain or not {list, tuple, numpy.ndarray} & {*map(type, even.flat)}:
                made = even
        return made.reshape(tree.shape + made.shape[1:])
    return next(content)


def same_kind(tree: dict[Any, Any], items: dict[Any, Any]) -> dict[Any, Any]:
    """The items in a mapping of the same kind as the tree."""
    twin = copy(tree)
    for key, item in items.items():  # a Counter's update would add
        twin[key] = item
    return twin


def aligned(tree: Any, other: Any, what: str) -> list[Any]:
    """The numbers of `other` in the order of the numbers of `tree`; dicts are matched by key.

    ValueError, which calls it `what`, if the two structures differ.

    >>> aligned({"w": [1, 2], "b": 3}, {"b": 30, "w": [10, 20]}, "the direction")
    [10, 20, 30]
    """
    if is_module(tree):
        places = tree.arranged(range(len(tree.parameters())))
        numbers = aligned(
            places,
            other.arranged(p.data for p in other.parameters()) if is_module(other) else other,
            what,
        )
        return [
            number
            for _, number in sorted(
                zip(leaves(places, what), numbers), key=lambda pair: int(pair[0])
            )
        ]
    tree, other = (x.tolist() if is_array(x) else x for x in (tree, other))
    if isinstance(tree, dict):
        if not isinstance(other, dict) or tree.keys() != other.keys():
            keys = f"the keys {[*other]}" if isinstance(other, dict) else type(other).__name__
            raise ValueError(f"{what} must have the keys {[*tree]} as the argument has, got {keys}")
        return [x for key in tree for x in aligned(tree[key], other[key], f"{what}[{key!r}]")]
    if isinstance(tree, list | tuple):
        if not isinstance(other, list | tuple) or len(tree) != len(other):
            length = f"{len(other)}" if isinstance(other, list | tuple) else type(other).__name__
            raise ValueError(
                f"{what} must have {len(tree)} items as the argument has, got {length}"
            )
        return [
            x for i, (a, b) in enumerate(zip(tree, other)) for x in aligned(a, b, f"{what}[{i}]")
        ]
    if isinstance(other, dict | list | tuple):
        raise ValueError(
            f"{what} must be one number where the argument is one, got {type(other).__name__}"
        )
    return leaves(other, what)


def detached(tree: Any) -> Any:
    """The structure with leaf Values of the same numbers in place of computed ones."""
    if isinstance(tree, dict):
        return same_kind(tree, {key: detached(item) for key, item in tree.items()})
    if isinstance(tree, list | tuple):
        return rebuilt(tree, iter([detached(item) for item in leaves(tree, "the result")]))
    return tree.detach() if hasattr(type(tree), "backward") else tree
