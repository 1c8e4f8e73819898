"""Numbers in nested lists, tuples, dicts, arrays and modules: taken out in order, put back in the same shape.   (floor 2)

`leaves` and `rebuilt` are two halves: the first lists the numbers, the second puts as many others in their
places. An array comes back as an array, of floats or, where Values stand in it, of objects; a module as
`module.state()` does, a mapping of its parameters' names.
"""

from __future__ import annotations

from copy import copy, deepcopy

from .arithmetic.conversion import as_float
from .graph import KEEP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def is_module(tree: object) -> bool:
    """Whether it has parameters, as a module has."""
    return hasattr(type(tree), "arranged")


def is_array(tree: object) -> bool:
    """Whether it is an array of one dimension or more."""
    return hasattr(type(tree), "tolist") and hasattr(type(tree), "ndim") and tree.ndim > 0  # type: ignore[attr-defined]


def leaves(tree: Any, what: str) -> list[Any]:
    """The numbers and Values of a structure in order; TypeError that names `what` for any other content, ValueError for a cycle.

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
            f"{what} is {kind}, expected a number, a list, tuple or dict of numbers, an array or a module{advice(tree)}"
        )


def names(tree: Any, name: str) -> list[str]:
    """What to call each of `leaves`: p['w'][0] and the like, a module's parameters by their own names.

    >>> names({"w": [1, 2.5], "b": 3}, "p")
    ["p['w'][0]", "p['w'][1]", "p['b']"]
    """
    if is_module(tree):
        return [parameter for parameter, _ in tree.named_parameters()]
    if is_array(tree):
        tree = tree.tolist()
    if isinstance(tree, dict):
        return [leaf for key, item in tree.items() for leaf in names(item, f"{name}[{key!r}]")]
    if isinstance(tree, list | tuple):
        return [leaf for i, item in enumerate(tree) for leaf in names(item, f"{name}[{i}]")]
    return [name]


def advice(tree: object) -> str:
    """What to write in place of something that is no number and no structure of numbers."""
    if isinstance(tree, str | bytes):
        return f": write float({tree!r})"
    if hasattr(type(tree), "ndim") and tree.ndim == 0:  # type: ignore[attr-defined]
        return ": write .item() of it"
    return ": write list(…) of it" if hasattr(type(tree), "__iter__") else ""


def rebuilt(tree: Any, content: Iterator[Any]) -> Any:
    """The structure with the next items of `content` where its numbers stood.

    >>> rebuilt({"w": [1, 2.5], "b": (3,)}, iter("xyz"))
    {'w': ['x', 'y'], 'b': ('z',)}
    """
    if is_module(tree):
        return tree.arranged([next(content) for _ in tree.parameters()])
    if isinstance(tree, dict):
        return _like(tree, {key: rebuilt(item, content) for key, item in tree.items()})
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):  # a namedtuple
        return type(tree)(*[rebuilt(item, content) for item in tree])
    if isinstance(tree, list | tuple):
        return type(tree)([rebuilt(item, content) for item in tree])
    if is_array(tree):
        import numpy

        items = rebuilt(tree.tolist(), content)
        return (
            numpy.array(items)
            if all(type(item) is float for item in leaves(items, ""))
            else numpy.array(items, dtype=object)
        )
    return next(content)


def with_values(tree: Any, values: Iterator[Any]) -> Any:
    """The argument as a function is to see it, with Values for its numbers: a module as a copy that has them as parameters."""
    if is_module(tree):
        parameters = tree.parameters()
        memo: dict[Any, Any] = {
            KEEP: True,
            **{id(parameter): next(values) for parameter in parameters},
        }
        return deepcopy(tree, memo)
    if isinstance(tree, dict):
        return _like(tree, {key: with_values(item, values) for key, item in tree.items()})
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[with_values(item, values) for item in tree])
    if isinstance(tree, list | tuple):
        return type(tree)([with_values(item, values) for item in tree])
    return rebuilt(tree, values)


def _like(tree: dict[Any, Any], items: dict[Any, Any]) -> dict[Any, Any]:
    """The items in a mapping of the tree's own kind."""
    twin = copy(tree)
    for key, item in items.items():  # a Counter's update would add
        twin[key] = item
    return twin


def aligned(tree: Any, other: Any, what: str) -> list[Any]:
    """The numbers of another structure in the order of this one's, dicts by key; ValueError that names `what` where they are not alike.

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
    """The structure with leaves of their numbers in place of computed Values."""
    if isinstance(tree, dict):
        return _like(tree, {key: detached(item) for key, item in tree.items()})
    if isinstance(tree, list | tuple):
        return rebuilt(tree, iter([detached(item) for item in leaves(tree, "the result")]))
    return tree.detach() if hasattr(type(tree), "backward") else tree
