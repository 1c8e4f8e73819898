"""Tells models that are built alike, so that one trace serves all of them.   (floor 3)"""

from __future__ import annotations

import pickle
from io import BytesIO
from itertools import count
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from ..rows.recorders import Values
from ..value import Value
from .arguments import Form
from .captured import is_library, slots_of


def built_alike(forms: list[Form]) -> Any:
    """A key that is the same for other modules of the same architecture; None if there is none."""
    try:
        return tuple([form.key_by(_signature) for form in forms])
    except Exception:  # something in a module cannot be written down
        return None


def _signature(module: Any) -> bytes:
    """A digest of all that a module holds, but for the numbers of its parameters."""
    from hashlib import sha256

    room = BytesIO()
    _Writer(room, module.parameters()).dump(module)
    return sha256(room.getvalue()).digest()


class _Writer(pickle.Pickler):
    """Writes parameters by their places, functions and other Values by which object they are."""

    def __init__(self, room: BytesIO, parameters: list[Value]) -> None:
        super().__init__(room, protocol=5)
        self._places = dict(zip(map(id, parameters), count()))

    def reducer_override(self, item: Any) -> Any:
        """All that an object of the user holds, whatever it would have pickled.

        It is asked once for an object, and not for texts, numbers, lists, tuples and dicts.
        """
        kind = type(item)
        if kind is Value or kind is Values:
            places = [self._places.get(id(x)) for x in (item if kind is Values else [item])]
            if None not in places:
                return _made, (kind.__name__, *places)
        if isinstance(item, _BY_IDENTITY):
            return NotImplemented if item is _made else (_made, (id(item),))
        if is_library(kind.__module__) and not hasattr(kind, "arranged"):
            return NotImplemented
        slots = {name: getattr(item, name, None) for cls in kind.__mro__ for name in slots_of(cls)}
        return _made, (kind,), (vars(item) if kind.__dictoffset__ else None, slots)


_BY_IDENTITY = (Value, type, FunctionType, BuiltinFunctionType, ModuleType)


def _made(*key: Any) -> None:
    """Stands for a new object; nothing is ever read back."""
