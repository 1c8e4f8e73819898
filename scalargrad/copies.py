"""Copies of arguments, to call a function with Values in place of their numbers.   (floor 2)

A copy of a module shares with it all that leads to no parameter. Most of that is data, long lists
of numbers perhaps: `is_data` knows them again.
"""

from __future__ import annotations

from copy import copy, deepcopy
from gc import get_referents
from itertools import chain
from operator import is_
from types import BuiltinFunctionType, FunctionType, GeneratorType, ModuleType, NoneType

from .graph import KEEP
from .modes import TRAINING, Mode, scope_here, switched_on
from .rows.recorders import Values
from .trees import is_array, is_module, rebuilt, same_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


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
        return same_kind(tree, {key: with_values(item, values) for key, item in tree.items()})
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
