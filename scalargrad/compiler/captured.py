"""Looks in each call at what a function takes from outside its arguments.   (floor 3)

A trace holds the numbers that a function read from its closure, its defaults, the globals that it
names, and attributes of objects. `Captured` remembers them: some 1,000 numbers by content, so that
an edit in place is noticed and the function traced anew; of larger lists, dicts and arrays, only
which object it is, and its length. So a look takes a bounded time. It looks at those attributes of
objects, modules and classes that code names, whether they are there yet or not. It leaves Values
out, whose data a compiled function reads in each call, unless code names `data` or `detach`, which
take the number itself. It does not notice a `__dict__` or `__bases__` that is exchanged as a whole,
a member of a class that code does not name but finds in a list of them all, and a number in place
of an equal one of another kind, 2.0 for 2.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from contextvars import ContextVar
from functools import partial
from gc import get_referents
from math import prod
from operator import attrgetter
from threading import local
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any
from weakref import ref

from ..modes import Mode, switched_on
from ..rows.recorders import Values
from ..trees import is_array
from ..value import Value
from .kinds import asks_kinds, globals_in, names_in
from .tracing import LIBRARIES, Traced

ROOM = 1000  # numbers that are looked at in a call; ten other objects count as one
_NOT_CALLED = {"__init__", "__new__", "__init_subclass__", "__class_getitem__", "__repr__"}
_NOT_CALLED |= {"__dict__", "__weakref__"}
_BY_ANY_NAME = {"getattr", "hasattr", "vars", "__dict__", "__getattribute__", "attrgetter"}
_BY_ANY_NAME |= {"asdict", "astuple"}  # these names stand for all attributes
_OF_ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}
_READING = {"data": {"data", "detach", "state"}, "grad": {"grad"}}  # of a Value: the names for it
_NUMBERS = {float, int}
_ATOMS = {*_NUMBERS, bool, complex, str, bytes, type(None), type(...), range, CodeType}
_CONTAINERS = (list, dict, set, deque)
# Kinds that never refer to other objects than they do now, though these may change.
# fmt: off
_FIXED: tuple[type, ...] = (
    tuple, frozenset, partial, MethodType, BuiltinFunctionType, MethodWrapperType, property,
    staticmethod, classmethod, MappingProxyType, attrgetter, type({}.keys()), type({}.values()),
    type({}.items()),
)
# fmt: on
Watched = tuple[Callable[[], Any], Any]  # how to read something, and what was read
_nothing = object()  # in place of what is not there


class Captured:
    """All that functions read from outside their arguments, with a copy of what it held.

    >>> ws = [1.0, 2.0]
    >>> captured = Captured([lambda x: ws[0] * x])
    >>> captured.has_changed()
    False
    >>> ws[0] = 3.0
    >>> captured.has_changed()
    True
    """

    def __init__(self, functions: Iterable[Any], arguments: Iterable[Any] = ()) -> None:
        """`arguments` are looked at too, but no Values in them: each call is given their data."""
        functions, arguments = list(functions), list(arguments)
        self._given = {*map(id, arguments)}
        self._names, self._names_of_libraries, known = set[str](), set[str](), -1
        while known < (known := len(self._names) + len(self._names_of_libraries)):
            # again, for what is found names more, and that may stand in what was passed by
            self._room: float = ROOM
            self._watched: list[Watched] = []
            self._held: list[Any] = []  # containers and tables of attributes, compared at once,
            self._copies: list[Any] = []
            self._named: list[Watched] = []  # or else what of these code names
            self._objects: list[Any] = []  # of classes, which may be exchanged
            self._holds_values = False
            self._seen: dict[int, Any] = {}  # kept alive, so that no id is given again
            self._members: dict[type, set[str]] = {}  # of classes
            self.functions: list[FunctionType] = []  # that the user wrote
            self.generators: list[Any] = []  # of random numbers
            self.numbers: list[Any] = []  # those that functions name
            self.asks_kinds = False  # whether code asks for the kind of something
            self._walk(functions, by_value=False)
            if not self._names.isdisjoint(_OF_ENVIRONMENT):
                self._walk([os.environ], by_value=True)
            self._walk(arguments, by_value=True)
        if objects := self._objects:
            self._watched.append((lambda: [*map(type, objects)], [*map(type, objects)]))
        del self._seen, self._members, self._given

    def has_changed(self) -> bool:
        """Whether something is not what it was."""
        try:
            if not self._holds_values:
                return self._differs()
            with switched_on(IDENTITY):
                return self._differs()
        except Exception:  # what cannot be compared is another
            return True

    def latest(self, functions: Iterable[Any], arguments: Iterable[Any]) -> Captured:
        """This one, or where something has changed another of the same."""
        return Captured(functions, arguments) if self.has_changed() else self

    def _differs(self) -> bool:
        for read, before in self._watched:
            if read() != before:
                return True
        try:
            if self._held == self._copies:
                return False
        except Exception:  # an attribute that code does not name cannot be compared
            pass
        return any(read() != before for read, before in self._named)

    # -------------------------------------------------------------- the walk

    def _walk(self, items: Iterable[Any], by_value: bool) -> None:
        """Look at items and all that they lead to, near things first."""
        reads_values = not by_value and not self._names.isdisjoint(
            _READING["data"] | _READING["grad"]
        )
        waiting = list(items)
        for item in waiting:  # the list grows meanwhile
            kind = type(item)
            are_values = kind is Value or kind is Values
            if kind in _ATOMS or (are_values and not reads_values) or id(item) in self._seen:
                self._holds_values |= are_values and not by_value
                continue
            self._seen[id(item)] = item
            if not isinstance(item, Value):
                self.asks_kinds |= asks_kinds(item)
                parts = self._parts(item, by_value)
                waiting += () if _ATOMS.issuperset(map(type, parts)) else parts
            elif not by_value and not isinstance(item, Traced):
                self._holds_values = True
                for attribute, names in _READING.items():
                    if not self._names.isdisjoint(names):
                        self._watch(partial(_text_of, item, attribute))

    def _parts(self, item: Any, by_value: bool) -> Iterable[Any]:
        """The objects that an item leads to; what may change is watched."""
        if isinstance(item, FunctionType):
            return self._of_function(item)
        if isinstance(item, _FIXED):
            self._add_name(item)
            return get_referents(item)
        if isinstance(item, _CONTAINERS):
            content = self._of_container(item, by_value)
            if content and isinstance(item, dict):
                self._watch_order(item)
            return content if type(item) in _CONTAINERS else [*content, *self._of_object(item)]
        if isinstance(item, type):
            return self._of_class(item)
        if isinstance(item, ModuleType):
            if is_library(item.__name__):
                return ()
            self._watched.append((vars(item).__len__, len(vars(item))))  # what was not there
            return self._look_up(vars(item), self._names)
        if is_array(item) or hasattr(type(item), "to_numpy"):
            return self._of_array(item)
        if isinstance(item, bytearray | memoryview) or type(item).__module__ == "array":
            read: Callable[[Any], Any] = bytes if self._fits(item) else len
            return self._watch(lambda: [read(item)])
        if isinstance(item, ref):
            return [item()]
        if isinstance(item, ContextVar):
            return self._watch(lambda: [_present(item)])
        if isinstance(item, local):  # each thread has a dict of its own
            own = self._watch(lambda: [x for pair in vars(item).items() for x in pair])
            return [type(item), *own]
        return self._of_object(item)

    def _of_function(self, function: FunctionType) -> Iterable[Any]:
        wrapped = getattr(function, "__wrapped__", None)
        if function.__code__.co_filename.startswith(LIBRARIES):
            self._add_name(function)
            held = map(_content, function.__closure__ or ())  # grad(f) calls f
            return [wrapped, *[x for x in held if callable(x) and not isinstance(x, type)]]
        own = set(names_in(function.__code__))
        self._names |= own
        self.functions.append(function)
        cells = function.__closure__ or ()
        self.numbers += [x for x in map(_content, cells) if type(x) in _NUMBERS]
        return [
            wrapped,
            *self._look_up(vars(function), self._names, of_object=True),
            *self._look_up(function.__globals__, own, globals_in(function.__code__)),
            *self._watch(lambda: [function.__code__, *map(_content, cells)]),
            *self._watch(lambda: [function.__defaults__, function.__kwdefaults__]),
        ]

    def _of_container(self, item: Any, by_value: bool) -> Collection[Any]:
        read = item.values if isinstance(item, dict) else item.__iter__
        if not self._fits(item.values() if isinstance(item, dict) else item):
            self._watched.append((item.__len__, len(item)))
            return ()
        content = [*read()]
        if by_value and content and all(isinstance(x, Value) for x in content):
            return ()
        self._hold(item, dict(item) if isinstance(item, dict) else item.copy())
        self._named.append((lambda: item, self._copies[-1]))
        self._watch_signs(content, read)
        return content

    def _of_array(self, array: Any) -> Iterable[Any]:
        def content() -> Any:
            now = array.to_numpy() if hasattr(type(array), "to_numpy") else array
            bits = now.tobytes() if hasattr(now, "tobytes") else now.tolist()
            return now.shape, getattr(now, "dtype", None), bits

        size = prod(array.shape)
        if size > self._room:
            self._watched.append((lambda: array.shape, array.shape))
            return ()
        self._room -= size
        self._watched.append((content, content()))
        is_of_objects = getattr(getattr(array, "dtype", None), "kind", "") == "O"
        return array.ravel().tolist() if is_of_objects and hasattr(array, "ravel") else ()

    def _of_class(self, cls: type) -> Iterable[Any]:
        """The members of a class, its bases and their kinds that code names or Python calls."""
        found: list[Any] = []
        kind: Any = type(cls)
        self._seen[id(cls)] = cls
        self._add_name(cls)
        for base in (*cls.__mro__, *kind.__mro__):
            if not is_library(base.__module__):
                special = {name for name in vars(base) if name.startswith("__")} - _NOT_CALLED
                found += self._look_up(vars(base), self._names | special, of_object=True)
            elif base.__module__ not in ("builtins", "abc", "typing"):  # what its code names
                for member in vars(base).values():
                    if isinstance(member, FunctionType):
                        self._names_of_libraries.update(names_in(member.__code__))
        return found

    def _of_object(self, item: Any) -> Iterable[Any]:
        kind = type(item)  # what there is, it says itself: an object may answer to any name
        if id(item) in self._given and kind.__weakrefoffset__:
            alive = ref(item)  # an argument is not kept
            self._watched.append((lambda: type(alive()), kind))
        else:
            self._objects.append(item)
        attributes = vars(item) if kind.__dictoffset__ != 0 else None
        if attributes and "__wrapped__" in attributes and is_library(kind.__module__):
            return [item.__wrapped__]
        if _is_generator(kind):
            self.generators.append(item)
        if "__name__" in vars(kind):  # a function of an extension module
            self._add_name(item)
        found = [] if id(kind) in self._seen else [*self._of_class(kind)]
        is_any = not self._names.isdisjoint(_BY_ANY_NAME)
        names = self._names | self._names_of_libraries
        slots = [name for cls in kind.__mro__ for name in slots_of(cls) if is_any or name in names]
        if attributes is None:
            pass
        elif is_any or names.issuperset(attributes):  # faster to compare at once; copies share keys
            found += self._of_container(attributes, by_value=False)
            if is_any and found:
                self._watch_order(attributes)
        elif self._fits([attributes[name] for name in names if name in attributes]):
            also = self._members.get(kind) or self._members.setdefault(kind, {*dir(kind)})
            found += self._look_up(attributes, names, also, of_object=True)
        if slots:
            found += self._watch(lambda: [getattr(item, name, _nothing) for name in slots])
        return found

    def _add_name(self, item: Any) -> None:
        """Take it for named by code, whatever name the code has for it."""
        name = getattr(item, "__name__", None)
        self._names |= {name} if type(name) is str else {type(item).__name__}

    # -------------------------------------------------------------- what is watched

    def _fits(self, content: Collection[Any]) -> bool:
        """Whether there is room to look at so much in each call; it is taken."""
        cost = len(content) / 10
        if cost <= self._room:
            cost += 0.9 * sum(type(x) in _NUMBERS for x in content)
        if cost > self._room:
            return False
        self._room -= cost
        return True

    def _look_up(
        self,
        table: Mapping[str, Any],
        names: Iterable[str],
        also: Collection[str] = (),
        of_object: bool = False,
    ) -> list[Any]:
        known = sorted(name for name in names if name in table or name in also)
        if of_object:
            self._hold(table, dict(table))
            absent = {*names}.difference(known)
            self._named.append((partial(table.keys().isdisjoint, absent), True))
        if not known:
            return []
        get, watched = table.get, self._named if of_object else self._watched
        found = self._watch(lambda: [get(name, _nothing) for name in known], watched)
        self.numbers += [x for x in found if type(x) in _NUMBERS]
        return found

    def _hold(self, container: Any, before: Any) -> None:
        self._held.append(container)
        self._copies.append(before)

    def _watch_order(self, table: Mapping[Any, Any]) -> None:
        """Tell equal dicts apart that are in another order."""
        self._watched.append((partial(list, table), [*table]))

    def _watch(self, read: Callable[[], list[Any]], watched: Any = None) -> list[Any]:
        content = read()
        (self._watched if watched is None else watched).append((read, content))
        self._watch_signs(content, read)
        return content

    def _watch_signs(self, content: Iterable[Any], read: Callable[[], Iterable[Any]]) -> None:
        """Tell 0.0 from -0.0, which are equal, and not the same."""
        zeros = [i for i, x in enumerate(content) if _has_zero(x)]

        def signs() -> list[Any]:
            now = [*read()]
            return [_sign(now[i]) for i in zeros]

        if zeros:
            self._watched.append((signs, signs()))


class _Identity(Mode):
    """Lets no Value be compared: that two have equal data does not make them one."""

    def number_asked(self, node: Value) -> None:
        raise ValueError("another Value stands here")


IDENTITY = _Identity()


def _has_zero(item: Any) -> bool:
    """Whether it is 0, or a tuple with a 0 in it."""
    if type(item) in _NUMBERS:
        return bool(item == 0)
    return type(item) is tuple and any(map(_has_zero, item))


def _sign(item: Any) -> Any:
    """The text of a number, and of those in a tuple."""
    return [*map(_sign, item)] if type(item) is tuple else str(item) if _has_zero(item) else ""


def _text_of(value: Value, attribute: str) -> list[str]:
    return [repr(getattr(value, attribute))]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return _nothing


def _present(variable: ContextVar[Any]) -> Any:
    """The content of a context variable, or its default."""
    try:
        return variable.get()
    except LookupError:  # neither
        return _nothing


def slots_of(cls: type) -> tuple[str, ...]:
    """The names of the slots that a class itself has."""
    slots = vars(cls).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _is_generator(kind: type) -> bool:
    """Whether such objects draw random numbers from a state that can be taken and put back."""
    pairs = ("getstate", "setstate"), ("get_state", "set_state"), ("random_raw", "state")
    return hasattr(kind, "bit_generator") or any(
        hasattr(kind, get) and hasattr(kind, put) for get, put in pairs
    )


def is_library(module: str | None) -> bool:
    """Whether a module of that name is installed, not written by the user."""
    if module not in sys.modules or module == "__main__":
        return False
    made = sys.modules[module]
    places = [getattr(made, "__file__", None) or "", *getattr(made, "__path__", ())]
    if any(places):  # a namespace package has no file, a folder or several
        return any(os.path.abspath(place).startswith(LIBRARIES) for place in places if place)
    return getattr(getattr(made, "__spec__", None), "origin", None) in ("built-in", "frozen")
