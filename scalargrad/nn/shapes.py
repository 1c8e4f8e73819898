"""Blocks of numbers: arrays or nested lists, their shapes, their numbers in a list.   (floor 3)"""

from __future__ import annotations

from ..value import Value
from .rows import to_lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Index = tuple[int, ...]


def shaped(items: list[Any], shape: Index) -> Any:
    """The items in a shape: an array if they are numbers and NumPy is installed, else lists."""
    if shape and not any(issubclass(kind, Value) for kind in set(map(type, items))):
        try:
            from numpy import array
        except ImportError:
            pass
        else:
            return array(items).reshape(shape)
    return nested(items, shape)


def nested(items: list[Any], shape: Index) -> Any:
    """The items in a shape, as nested lists; of shape () the one item itself.

    >>> nested([1, 2, 3, 4], (2, 2)), nested([1], ())
    ([[1, 2], [3, 4]], 1)
    """
    if not shape:
        return items[0]
    for length in reversed(shape[1:]):
        items = [items[i : i + length] for i in range(0, len(items), length)]
    return items


def flat(item: Any) -> tuple[Index | None, list[Any]]:
    """The shape of a number, an array or nested lists (ragged: None), and its items in a list.

    >>> flat([[1, 2], [3, 4]])
    ((2, 2), [1, 2, 3, 4])
    """
    if hasattr(item, "ravel"):
        return tuple(item.shape), item.ravel().tolist()
    item = to_lists(item)
    if not isinstance(item, (list, tuple)):
        return (), [item]
    if not any(issubclass(kind, (list, tuple)) for kind in set(map(type, item))):
        return (len(item),), [*item]
    parts = [flat(part) for part in item]
    shapes = {shape for shape, _ in parts}
    shape = shapes.pop()
    items = [x for _, part in parts for x in part]
    return None if shapes or shape is None else (len(item), *shape), items


def shape_text(shape: Index | None) -> str:
    """A shape as text.

    >>> shape_text((3, 2)), shape_text(()), shape_text(None)
    ('3 × 2', 'a number', 'ragged')
    """
    return "ragged" if shape is None else " × ".join(map(str, shape)) or "a number"
