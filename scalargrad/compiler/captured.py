"""What a function takes from outside its arguments, looked at when it was traced, and again whenever it is called.   (floor 3)

A trace holds the numbers that a function read from its closure, its globals, its defaults and from the attributes of
objects. `Captured` keeps a copy of what they held, lists and dicts and arrays by what is in them, so that an edit in
place is noticed and the function traced anew. Of objects, modules and classes it looks at what the function's code names, and
what the code that it calls names. Values are no concern of this, a compiled function reads their data in every call; unless
the code names `data` or `detach`, which take the number itself.

Some of what a function can reach gives another number each time: an iterator, a clock, a file. It cannot be looked at without being
used, and so `may_vary` only tells that there is such a thing; whether its numbers are used, a second trace shows.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import MappingView
from contextvars import ContextVar
from functools import partial
from itertools import chain, islice
from opcode import opmap
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
from weakref import ref

from ..modes import Mode, switched_on
from ..trees import is_array
from ..value import Value
from .tracing import LIBRARIES, Traced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

_NOT_CALLED = {
    "__init__",
    "__new__",
    "__init_subclass__",
    "__class_getitem__",
    "__repr__",
    "__doc__",
    "__module__",
    "__dict__",
    "__weakref__",
}
_OF_DATA = {"data", "detach", "state"}  # names by which a Value's number is taken
_OF_VALUES = {*_OF_DATA, "grad"}
_BY_ANY_NAME = {
    "getattr",
    "vars",
    "__dict__",
    "__getattribute__",
    "attrgetter",
    "asdict",
    "astuple",
}  # names by which any attribute is
_OF_ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}
# Names of what gives another number in another call: clocks, what the system or NumPy draws, files and what is typed in.
# fmt: off
_VARYING = {
    "time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time", "process_time_ns", "thread_time",
    "thread_time_ns", "clock_gettime", "clock_gettime_ns", "localtime", "gmtime", "strftime", "ctime", "now", "utcnow", "today",
    "urandom", "getrandom", "SystemRandom", "secrets", "randbelow", "randbits", "token_bytes", "token_hex", "uuid", "uuid1", "uuid4",
    "default_rng", "Random", "RandomState", "SeedSequence", "random_raw",
    "input", "open", "stdin", "read", "readline", "readlines", "read_text", "read_bytes", "fromfile", "genfromtxt", "loadtxt",
}
# fmt: on
_TELLING = {
    *_BY_ANY_NAME,
    *_OF_ENVIRONMENT,
    *_VARYING,
}  # names of what is one of these, whatever code calls it
# Names by which code asks for the kind of a number, which a traced one cannot hide.
# fmt: off
_OF_KINDS = {
    "isinstance", "issubclass", "type", "hasattr", "getattr", "dir", "callable", "__class__", "__dict__", "singledispatch", "dispatch",
    "is_", "is_not", "isscalar", "eval", "exec",
}
# fmt: on
_IS, _CONSTANT = opmap["IS_OP"], opmap["LOAD_CONST"]
_ASKING = {opmap["MATCH_CLASS"], opmap["PUSH_EXC_INFO"]}  # `case float():`; `except` and `with`
_FEW = 50  # numbers that code names, to be tried
_plain = {float, int, bool, complex, str, bytes, type(None), type(...), range, CodeType}
_numbers = {float, int}
_nothing = object()  # in place of what is not there


class Captured:
    """The names and containers that functions read, each with a copy of what it held.

    >>> ws = [1.0, 2.0]
    >>> captured = Captured([lambda x: ws[0] * x])
    >>> captured.has_changed()
    False
    >>> ws[0] = 3.0
    >>> captured.has_changed()
    True
    """

    def __init__(self, functions: Iterable[Any], arguments: Iterable[Any] = ()) -> None:
        """`arguments` are looked at too, but not which Values stand in them: their numbers are given in each call."""
        functions, arguments = list(functions), list(arguments)
        names, names_of_libraries, known = set[str](), set[str](), -1
        while known < len(names) + len(
            names_of_libraries
        ):  # what is found names more, and that is found in what was passed by
            known = len(names) + len(names_of_libraries)
            walk = _Walk(names, names_of_libraries)
            walk.through(functions, by_value=False)
            walk.through(arguments, by_value=True)
            self._held, self._copies, self._named, self._read = (
                walk.held,
                walk.copies,
                walk.named,
                walk.read,
            )
            if not names.isdisjoint(_OF_ENVIRONMENT):
                walk.through([os.environ], by_value=True)
            self.generators = walk.generators
            self._holds_values = walk.holds_values
            self._functions = walk.functions
            self.asks_kinds = walk.asks_kinds
            self.may_vary = walk.may_vary or not names.isdisjoint(_VARYING)
            self._read.append((partial(_codes, walk.functions), _codes(walk.functions)))

    def numbers(self) -> list[float]:
        """Some of the numbers that the functions name, by which they may choose."""
        named = chain.from_iterable(content for _, _, content in self._named)
        cells = (_content(cell) for f in self._functions for cell in f.__closure__ or ())
        found = chain(*(_constants(f.__code__) for f in self._functions), named, cells)
        return list(islice(dict.fromkeys(float(x) for x in found if type(x) in _numbers), _FEW))

    def has_changed(self) -> bool:
        """Whether something is not what it was."""
        try:
            if not self._holds_values:
                return self._differs()
            with switched_on(_identity):
                return self._differs()
        except Exception:  # what cannot be compared is another
            return True

    def _differs(self) -> bool:
        if self._held != self._copies:
            return True
        for get, names, before in self._named:
            if [get(name, _nothing) for name in names] != before:
                return True
        for read, before in self._read:  # noqa: SIM110 - a generator would cost as much as all the rest
            if read() != before:
                return True
        return False


class _Identity(Mode):
    """Values compare by data. Where it is asked for, two are not one, whose == nobody would ask for."""

    def number_asked(self, node: Value) -> None:
        raise ValueError("another Value stands here")


_identity = _Identity()


class _Walk:
    """A walk through all that functions can reach."""

    def __init__(self, names: set[str], names_of_libraries: set[str]) -> None:
        self.names, self.names_of_libraries = (
            names,
            names_of_libraries,
        )  # what code names: attributes, globals, texts
        self.held: list[Any] = []  # containers
        self.copies: list[Any] = []  # and what they held
        self.named: list[
            tuple[Callable[..., Any], list[str], list[Any]]
        ] = []  # names that are looked up, and what they gave
        self.read: list[
            tuple[Callable[[], Any], Any]
        ] = []  # what is to be computed, and what it was
        self.generators: list[Any] = []  # of random numbers
        self.may_vary = False  # whether there is an iterator
        self.holds_values = False  # whether Values are compared
        self.asks_kinds = False  # whether code asks for the kind of something
        self.functions: list[FunctionType] = []
        self._classes: set[type] = set()  # that were seen, of objects too
        self._seen: dict[int, Any] = {}  # and kept, so that no id is given again

    def through(self, items: Iterable[Any], by_value: bool) -> None:
        """See the items and all that they lead to; `by_value` where Values that stand in lists may be others."""
        waiting = list(items)
        while waiting:
            item = waiting.pop()
            kind = type(item)
            if kind in _plain or id(item) in self._seen:
                continue
            if kind is Value and (by_value or self.names.isdisjoint(_OF_VALUES)):
                continue
            self._seen[id(item)] = item
            found = self._see(item, by_value)
            if not _plain.issuperset(map(type, found)):
                waiting += found

    def _see(self, item: Any, by_value: bool) -> Iterable[Any]:
        """Note what an item holds, and give it back."""
        if isinstance(item, Traced):
            return ()
        if isinstance(item, Value):
            if not by_value and not self.names.isdisjoint(_OF_DATA):
                self._compute(lambda: repr(item.data))
            if "grad" in self.names and not by_value:
                self._compute(lambda: repr(item.grad))
            return ()
        if isinstance(item, FunctionType):
            return self._see_function(item)
        if isinstance(item, dict):
            return [*self._hold(item, dict(item), item.values()), *self._see_own(item, dict)]
        if (
            by_value
            and isinstance(item, list | tuple | set | deque)
            and item
            and all(isinstance(x, Value) for x in item)
        ):
            return ()
        if isinstance(item, list | set | deque):
            return [*self._hold(item, item.copy(), item), *self._see_own(item, list, set, deque)]
        if isinstance(item, tuple | frozenset):
            return item
        if isinstance(item, MappingProxyType):
            return self._hold(item, dict(item), item.values())
        if isinstance(item, MappingView):
            view: Any = item
            self._compute(lambda: [*view])
            return [*view]
        if isinstance(item, bytearray | memoryview) or type(item).__module__ == "array":
            self._compute(lambda: bytes(item))
            return ()
        if isinstance(item, ref):
            return [item()]
        if isinstance(item, ContextVar):
            return self._contents_of([item], lambda: [item.get(_nothing), _present(item)])
        if isinstance(item, local):  # each thread has a dict of its own
            return [
                type(item),
                *self._contents_of(
                    [item], lambda: [x for pair in vars(item).items() for x in pair]
                ),
            ]
        if is_array(item) or hasattr(type(item), "to_numpy"):
            return self._see_array(item)
        if isinstance(item, type):
            self._count_as_named(item.__name__)
            return self._see_class(item)
        if isinstance(item, ModuleType):
            return () if _is_library(item.__name__) else self._look_up(vars(item), self.names)
        if isinstance(item, partial):
            return [item.func, item.args, item.keywords]
        if isinstance(item, MethodType):
            return [item.__self__, item.__func__]
        if isinstance(item, attrgetter):
            self._count_as_named("attrgetter")
            return ()
        if isinstance(item, BuiltinFunctionType | MethodWrapperType):
            self._count_as_named(item.__name__)
            return [item.__self__]
        return self._see_object(item)

    def _see_function(self, function: FunctionType) -> Iterable[Any]:
        found: list[Any] = [getattr(function, "__wrapped__", None)]
        if function.__code__.co_filename.startswith(LIBRARIES):
            self._count_as_named(function.__name__)
            self.asks_kinds |= "dispatch" in vars(function)  # of singledispatch
            return found
        own = set(_names(function.__code__))
        self.names |= own
        if function.__code__.co_filename != "<string>":  # a dataclass asks for classes
            self.asks_kinds |= not own.isdisjoint(_OF_KINDS) or _asks(function.__code__)
        self.functions.append(function)
        found += self._look_up(vars(function), self.names)
        cells = [cell for cell in function.__closure__ or () if _content(cell) is not _nothing]
        found += self._contents_of(cells, lambda: [_content(cell) for cell in cells])
        found += self._look_up(function.__globals__, own, also=_BUILTINS)
        if function.__defaults__ or function.__kwdefaults__:
            found += self._contents_of(
                [function], lambda: [function.__defaults__, function.__kwdefaults__]
            )
        return found

    def _see_array(self, array: Any) -> Iterable[Any]:
        def content() -> Any:
            now = array.to_numpy() if hasattr(type(array), "to_numpy") else array
            return (
                (now.dtype, now.shape, now.tobytes()) if hasattr(now, "tobytes") else now.tolist()
            )

        self._compute(content)
        return (
            array.ravel().tolist()
            if getattr(getattr(array, "dtype", None), "kind", "") == "O" and hasattr(array, "ravel")
            else ()
        )

    def _see_class(self, cls: type) -> Iterable[Any]:
        """What a class and those it is made of define, of what code names or Python calls itself."""
        if cls in self._classes:
            return ()
        self._classes.add(cls)
        found: list[Any] = []
        for base in cls.__mro__:
            if not _is_library(base.__module__):
                special = {name for name in vars(base) if name.startswith("__")} - _NOT_CALLED
                for member in self._look_up(vars(base), self.names | special):
                    if isinstance(member, property):
                        found.append(member.fget)
                    else:
                        found.append(getattr(member, "__func__", member))
            elif base.__module__ not in (
                "builtins",
                "abc",
                "typing",
            ):  # its code is not walked through, but what it names is read
                for member in vars(base).values():
                    if isinstance(member, FunctionType):
                        self.names_of_libraries.update(_names(member.__code__))
        return found

    def _see_own(self, item: Any, *builtin: type) -> Iterable[Any]:
        """What a container of a class of one's own has besides its content."""
        return () if type(item) in builtin else self._see_object(item)

    def _see_object(self, item: Any) -> Iterable[Any]:
        kind = type(item)  # what there is, it says itself: an object may answer to any name
        has_dict = kind.__dictoffset__ != 0
        if has_dict and "__wrapped__" in vars(item) and _is_library(kind.__module__):
            return [item.__wrapped__]
        self.asks_kinds |= kind.__name__ == "singledispatchmethod"
        if _is_generator(kind):
            self.generators.append(item)
        if "__name__" in vars(kind):  # a function of an extension module
            self._count_as_named(getattr(item, "__name__", ""))
        self.may_vary |= any("__next__" in vars(base) for base in kind.__mro__)
        found, is_any = [*self._see_class(kind)], not self.names.isdisjoint(_BY_ANY_NAME)
        if has_dict:
            attributes, names = vars(item), self.names | self.names_of_libraries
            is_named = is_any or names.issuperset(
                attributes
            )  # all at once: that is faster to compare, and a copy shares the keys
            found += (
                self._hold(attributes, attributes.copy(), attributes.values())
                if is_named
                else self._look_up(attributes, names)
            )
        slots = [
            name for cls in kind.__mro__ for name in _slots(cls) if is_any or name in self.names
        ]
        return [
            *found,
            *self._contents_of(slots, lambda: [getattr(item, name, _nothing) for name in slots]),
        ]

    def _count_as_named(self, name: str) -> None:
        """Take what a library calls so for named by code, whatever name the code has for it."""
        if name in _TELLING:
            self.names.add(name)
        self.asks_kinds |= name in _OF_KINDS

    # -------------------------------------------------------------- what is kept

    def _hold(self, container: Any, copy: Any, content: Iterable[Any]) -> Iterable[Any]:
        self.held.append(container)
        self.copies.append(copy)
        content = list(content)
        self._look_for_values(content)
        if _has_zeros(content):
            self._compute(
                lambda: _signs(container.values() if isinstance(container, dict) else container)
            )
        return content

    def _look_up(
        self, table: Mapping[str, Any], names: Iterable[str], also: frozenset[str] = frozenset()
    ) -> list[Any]:
        known = sorted(name for name in names if name in table or name in also)
        if not known:
            return []
        get = table.get
        content = [get(name, _nothing) for name in known]
        self.named.append((get, known, content))
        self._look_for_values(content)
        if _has_zeros(content):
            self._compute(lambda: _signs(get(name) for name in known))
        return content

    def _contents_of(self, holders: list[Any], read: Callable[[], list[Any]]) -> list[Any]:
        content = read()
        if holders:
            self.read.append((read, content))
        self._look_for_values(content)
        if _has_zeros(content):
            self._compute(lambda: _signs(read()))
        return content

    def _look_for_values(self, content: Iterable[Any]) -> None:
        self.holds_values |= any(issubclass(kind, Value) for kind in set(map(type, content)))

    def _compute(self, read: Callable[[], Any]) -> None:
        self.read.append((read, read()))


def _names(code: CodeType) -> Iterable[str]:
    """What code names: globals, attributes, and texts that may be names."""
    return chain(
        code.co_names,
        [
            name
            for constant in code.co_consts
            if isinstance(constant, str)
            for name in constant.split(".")
            if name.isidentifier()
        ],
        chain.from_iterable(
            _names(constant) for constant in code.co_consts if isinstance(constant, CodeType)
        ),
    )


def _asks(code: CodeType) -> bool:
    """Whether code may go by the kind of a number without a name: by `is`, but with None, a pattern, or a caught error."""
    ops, places = code.co_code[::2], code.co_code[1::2]
    for i, op in enumerate(ops):
        if op in _ASKING:
            return True
        if op == _IS and not (ops[i - 1] == _CONSTANT and code.co_consts[places[i - 1]] is None):
            return True
    return any(_asks(inner) for inner in code.co_consts if isinstance(inner, CodeType))


def _constants(code: CodeType) -> Iterator[Any]:
    """The numbers in code, those in tuples and sets among them."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _constants(constant)
        elif isinstance(constant, tuple | frozenset):
            yield from constant
        else:
            yield constant


def _codes(functions: list[FunctionType]) -> list[CodeType]:
    return [function.__code__ for function in functions]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return _nothing


def _present(variable: ContextVar[Any]) -> Any:
    """What a context variable is, or its default."""
    try:
        return variable.get()
    except LookupError:  # neither
        return _nothing


def _slots(cls: type) -> tuple[str, ...]:
    slots = vars(cls).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _is_generator(kind: type) -> bool:
    """Whether such objects draw random numbers as those of Python and NumPy do: from a state that can be taken and put back."""
    pairs = ("getstate", "setstate"), ("get_state", "set_state"), ("random_raw", "state")
    return hasattr(kind, "bit_generator") or any(
        hasattr(kind, get) and hasattr(kind, put) for get, put in pairs
    )


def _is_library(module: str | None) -> bool:
    """Whether a module of that name is installed, not written by the user."""
    if module not in sys.modules or module == "__main__":
        return False
    made = sys.modules[module]
    places = [getattr(made, "__file__", None) or "", *getattr(made, "__path__", ())]
    if any(places):  # a namespace package has no file, a folder or several
        return any(os.path.abspath(place).startswith(LIBRARIES) for place in places if place)
    return getattr(getattr(made, "__spec__", None), "origin", None) in ("built-in", "frozen")


def _has_zeros(content: Iterable[Any]) -> bool:
    items = list(content)
    return (
        0 in items
        if _numbers.issuperset(map(type, items))
        else any(type(x) in _numbers and x == 0 for x in items)
    )


def _signs(content: Iterable[Any]) -> list[str]:
    """Zeros as they are written: 0.0 and -0.0 are equal, and not the same."""
    return [str(x) for x in content if type(x) in _numbers and x == 0]


_BUILTINS = frozenset(vars(sys.modules["builtins"]))
