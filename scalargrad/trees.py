"""Numbers in nested lists, tuples, dicts, arrays and modules.   (floor 2)

`leaves` lists the numbers in order, and `rebuilt` puts other numbers or Values in their places. An
array becomes an array, of floats or, if Values are in it, of objects. A module becomes a mapping
from its parameters' names, like `module.state()`. Here a module is any object with `parameters()`
and `arranged()`.
"""

from __future__ import annotations

from contextlib import suppress
from copy import copy, deepcopy
from gc import get_referents
from itertools import chain
from operator import is_
from types import BuiltinFunctionType, FunctionType, GeneratorType, ModuleType, NoneType

from .arithmetic.conversion import as_float
from .graph import KEEP
from .modes import TRAINING, Mode, scope_here, switched_on
from .rows.recorders import Values

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
        return _same_kind(tree, {key: rebuilt(item, content) for key, item in tree.items()})
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


def with_values(tree: Any, values: Iterator[Any]) -> Any:
    """A copy of the structure with Values in place of its numbers, to call a function with.

    A module is copied with all its objects that lead to a parameter, and with the lists, dicts and
    sets in those objects: items that the function adds to them stay in the copy. All else is
    shared, also lists of 10,000 numbers and more.
    """
    if is_module(tree):
        memo: dict[Any, Any] = dict(zip(map(id, tree.parameters()), values))
        memo.update(_not_to_copy(tree, memo))
        memo[KEEP] = True
        return deepcopy(tree, memo)
    if isinstance(tree, dict):
        return _same_kind(tree, {key: with_values(item, values) for key, item in tree.items()})
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[with_values(item, values) for item in tree])
    if isinstance(tree, list | tuple):
        return type(tree)([with_values(item, values) for item in tree])
    return rebuilt(tree, values)


def _not_to_copy(root: Any, goals: dict[int, Any]) -> dict[int, Any]:
    """A deepcopy memo that shares, or copies flatly, all objects that lead to no id in `goals`, and
    has tuples of what stands for goals.
    """
    made: dict[int, Any] = {}
    found, readers, leading = {id(root): root}, dict[int, list[int]](), [id(root)]
    waiting = [root]
    while waiting:
        item = waiting.pop()
        parts = _parts(item)
        others = [part for part in parts if id(part) not in goals]
        if len(others) < len(parts):
            leading.append(id(item))
        if parts and not others and type(item) in (tuple, Values) and len(item) == len(parts):
            made[id(item)] = tuple([goals[id(x)] for x in item])
        for part in others:
            readers.setdefault(id(part), []).append(id(item))
            if id(part) not in found:
                found[id(part)] = part
                waiting.append(part)
    for place in leading:  # the list grows meanwhile
        leading += readers.pop(place, ())
        found.pop(place, None)
    copied = set(leading)
    return made | {
        place: copy(item)
        if isinstance(item, list | dict | set) and not _is_known_data(item)
        else item
        for place, item in found.items()
        if not copied.isdisjoint(readers[place])
    }


_ATOMS = (float, int, str, bytes, complex, type, NoneType, FunctionType, BuiltinFunctionType)


def _parts(item: Any) -> list[Any]:
    """The objects that an object refers to, without numbers, texts and functions."""
    if hasattr(type(item), "backward") or isinstance(item, GeneratorType | ModuleType):
        return []
    if is_array(item):
        kind = getattr(getattr(item, "dtype", None), "kind", "O")  # a memoryview has no dtype
        parts = item.tolist() if kind == "O" else []
        if is_data(parts, keep=False):
            return []
    elif type(item) in _NESTED and is_data(item):
        return []
    else:
        parts = get_referents(item)
    atoms = {kind for kind in {*map(type, parts)} if issubclass(kind, _ATOMS)}
    return [part for part in parts if type(part) not in atoms] if atoms else parts


_NESTED = {list, tuple, dict, set, frozenset}
_known: dict[int, tuple[Any, Any, int]] = {}  # much data: the object, a copy of it, its size


def is_data(item: Any, keep: bool = True) -> bool:
    """Whether a list, tuple, dict or set holds only numbers and texts, however nested.

    With `keep`, a copy of 10,000 numbers or more is kept, which refers to the same numbers. To see
    that none has changed takes a twentieth of the time of a look at the kind of each.
    """
    if _is_known_data(item):
        return True
    level, size = [item], 0
    for _ in range(20):  # levels, as a list that holds itself has no end of them
        parts = [(*x, *x.values()) if isinstance(x, dict) else x for x in level]
        level = [*chain.from_iterable(parts)]
        size += len(level)
        for items in (level[:1], level):  # if they are parameters, the first tells
            nested = {kind for kind in {*map(type, items)} if not issubclass(kind, _ATOMS)}
            if not nested <= _NESTED:
                return False
        if not nested:
            break
        level = [x for x in level if type(x) in nested and not _is_known_data(x)]
    else:
        return False
    if keep and size >= 10_000:
        if size + sum(size for _, _, size in [*_known.values()]) > 1_000_000:
            _known.clear()
        _known[id(item)] = item, _copied(item), size
    return True


def _is_known_data(item: Any) -> bool:
    """Whether it was found to be data, and is unchanged; a derivative asks once in each call."""
    scope = scope_here.get()
    if scope and scope.data.get(id(item)) is item:
        return True
    same, copied, _ = _known.get(id(item), (None, None, 0))
    if same is not item or not (copied is item or _is_unchanged(item, copied)):
        return False
    if scope and scope is not TRAINING:
        scope.data[id(item)] = item
    return True


def _copied(item: Any) -> Any:
    """A copy of nested data, with the same number objects in it; a tuple of them as it is."""
    if isinstance(item, dict):
        return {key: _copied(x) for key, x in item.items()}
    if type(item) not in _NESTED:
        return item
    parts = [*map(_copied, item)]
    is_fixed = isinstance(item, tuple | frozenset) and all(map(is_, item, parts))
    return item if is_fixed else type(item)(parts)


class _NoValue(Mode):
    """Raises an error if a Value is compared, which may equal the number it replaces."""

    def number_asked(self, node: Any) -> None:
        raise ValueError


def _is_unchanged(item: Any, copied: Any) -> bool:
    """Whether nested data are what they were; the same number is known without a look at it."""
    try:
        with switched_on(_NoValue()):
            return bool(item == copied)
    except Exception:  # it compared a Value, or an array
        return False


def _same_kind(tree: dict[Any, Any], items: dict[Any, Any]) -> dict[Any, Any]:
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
        return _same_kind(tree, {key: detached(item) for key, item in tree.items()})
    if isinstance(tree, list | tuple):
        return rebuilt(tree, iter([detached(item) for item in leaves(tree, "the result")]))
    return tree.detach() if hasattr(type(tree), "backward") else tree
