"""The arguments of a compiled function: the form of each, and its blocks of numbers.   (floor 3)

`read` walks an argument once. It finds the form, and the numbers of each block as they came. There
is a class for each kind of form; traces are remembered by forms. A form tells whether another
argument fits, sooner than reading it would. It gives the blocks of a program, the argument of a
trace, and, from the slopes by each block, a gradient in the argument's structure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from copy import copy
from enum import Enum
from functools import cached_property, lru_cache
from importlib.util import find_spec
from math import prod
from types import MethodType
from typing import Any, TypeVar

from ..arithmetic.conversion import as_float
from ..copies import with_values
from ..trees import advice, is_array, is_module
from ..value import Value
from .contents import (
    ARRAY,
    LIST,
    TUPLE,
    as_array,
    as_floats,
    as_lists,
    flat,
    handing,
    regular,
    shape_of,
    shaped,
)  # fmt: skip
from .places import ParameterReader, arranged_places
from .program import Block

Blocks = Iterator[tuple[Block, list[Any]]]  # with the traced numbers of each
F = TypeVar("F", bound="Form")
Gather = Callable[[Iterator[Any]], Any]


class Form:
    """How an argument is built. Forms of one class with equal keys are equal, and share a trace."""

    def __init__(self, *key: Any) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.key == self.key

    def __hash__(self) -> int:
        return hash((type(self), self.key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self.key}"

    def fits(self, argument: Any, contents: list[Any]) -> bool:
        """Whether an argument surely has this form; then its blocks are added to `contents`.

        If it may have another, what was added is of no use.
        """
        raise NotImplementedError

    def named(self, name: str = "") -> Iterator[tuple[str, Form]]:
        """The forms in it that are no containers', in order, each with a name: `name`, or keys."""
        yield name, self

    def blocks(self, name: str, wrt: bool = False) -> list[Block]:
        """The blocks in order, named after the argument, or after its keys and parameters."""
        raise NotImplementedError

    def traced(self, blocks: Blocks) -> Any:
        """An argument of the trace: the structure with traced numbers."""
        raise NotImplementedError

    def gathering(self, of_rows: str = "") -> Gather:
        """A function that takes the slopes by the blocks, one by one, and gives them the argument's
        structure, in the containers that it came in.

        `of_rows` is the kind of the axis of rows that slopes have before their own, if they do.
        """
        raise NotImplementedError

    def key_by(self, signature: Callable[[Any], Any]) -> Any:
        """A key in which modules stand by their signatures."""
        return self


class Numbers(Form):
    """A block: a number, an array, or equally long lists; if it `has_rows`, many of these.

    `kinds` says what each axis is, "list", "tuple" or "array"; `shape` leaves the rows out.
    """

    def __init__(self, kinds: tuple[str, ...], shape: tuple[int, ...], has_rows: bool) -> None:
        super().__init__(kinds, shape, has_rows)
        self.kinds, self.shape, self.has_rows = kinds, shape, has_rows
        self._are_lists = {*kinds} == {LIST}
        self._array: type | None = None
        if kinds[:1] == (ARRAY,):
            from numpy import ndarray

            self._array = ndarray

    def fits(self, argument: Any, contents: list[Any]) -> bool:
        kind = type(argument)
        if not self.kinds:
            if is_number := kind is int or isinstance(argument, float):
                contents.append(argument if kind is float else as_float(argument))
            return is_number
        if kind is self._array:
            contents.append(argument)
            is_alike = argument.dtype.kind in "fiub" and argument.ndim == len(self.kinds)
            return bool(is_alike and argument.shape[self.has_rows :] == self.shape)
        if kind is list and self._are_lists and (shape := regular(argument)):
            contents.append(argument)
            return shape[self.has_rows :] == self.shape
        if kind is not list and kind is not tuple:  # an iterator can be read but once
            return False
        try:
            form = (read_rows if self.has_rows else _read_list)(argument, "", contents)
        except (TypeError, ValueError):  # who reads it anew can name it
            return False
        return form == self

    def blocks(self, name: str, wrt: bool = False) -> list[Block]:
        return [Block(name, self.shape, self.has_rows, wrt)]

    def traced(self, blocks: Blocks) -> Any:
        return shaped(next(blocks)[1], self.shape, self.kinds[self.has_rows :])

    def gathering(self, of_rows: str = "") -> Gather:
        hand = self.handing(of_rows)
        return lambda slopes: hand(next(slopes))

    def handing(self, of_rows: str = "") -> Callable[[Any], Any]:
        """A function that puts the slopes by the block into its containers."""
        kinds, shape = self.kinds, self.shape
        if self.has_rows or not of_rows:
            if 0 in shape and kinds[0] == ARRAY and not self.has_rows:
                return lambda slopes: as_array(slopes).reshape(shape)  # lists do not tell it
            return handing(kinds)
        outer = of_rows if not kinds else ARRAY if kinds[0] == ARRAY else LIST
        return handing((outer, *kinds))  # rows of arrays are one


@lru_cache(maxsize=1024)
def numbers(kinds: tuple[str, ...], shape: tuple[int, ...], has_rows: bool = False) -> Numbers:
    """The form of a block, made once."""
    return Numbers(kinds, shape, has_rows)


NUMBER = numbers((), ())


class Container(Form):
    """A list, tuple or dict, or one of their subclasses, with a form for each item."""

    def __init__(self, like: Any, keys: Iterable[Any], forms: Iterable[Form]) -> None:
        self.kind, self.keys, self.forms = type(like), tuple(keys), tuple(forms)
        super().__init__(self.kind, self.keys, self.forms)
        self.is_dict = isinstance(like, dict)
        self._like = copy(like) if self.is_dict and self.kind is not dict else {}

    @property
    def items(self) -> Iterable[tuple[Any, Form]]:
        """The forms with their keys, or places."""
        return zip(self.keys, self.forms)

    def fits(self, argument: Any, contents: list[Any]) -> bool:
        if type(argument) is not self.kind or len(argument) != len(self.forms):
            return False
        if self.is_dict:
            if (*argument,) != self.keys:
                return False
            argument = map(argument.__getitem__, self.keys)
        return all(form.fits(item, contents) for form, item in zip(self.forms, argument))

    def named(self, name: str = "") -> Iterator[tuple[str, Form]]:
        for key, form in self.items:
            yield from form.named(key if type(key) is str else f"{name}_{key!s}")

    def blocks(self, name: str, wrt: bool = False) -> list[Block]:
        return [block for own, form in self.named(name) for block in form.blocks(own, wrt)]

    def traced(self, blocks: Blocks) -> Any:
        return self._of([form.traced(blocks) for form in self.forms])

    def gathering(self, of_rows: str = "") -> Gather:
        inner = [form.gathering(of_rows) for form in self.forms]
        return lambda slopes: self._of([gather(slopes) for gather in inner])

    def key_by(self, signature: Callable[[Any], Any]) -> Any:
        return self.kind, self.keys, *[form.key_by(signature) for form in self.forms]

    def _of(self, items: list[Any]) -> Any:
        """Another such container, of other items."""
        if not self.is_dict:
            return self.kind(*items) if hasattr(self.kind, "_fields") else self.kind(items)
        made = copy(self._like)
        for key, item in zip(self.keys, items):  # a Counter's update would add
            made[key] = item
        return made


class Fixed(Form):
    """A part of the structure: a text, a truth value, None, a function, what is `static`.

    >>> Fixed([1, "relu"]) == Fixed([1, "relu"]), Fixed(1) == Fixed(True)
    (True, False)
    """

    def __init__(self, item: Any) -> None:
        super().__init__(_key(item))
        self.item = item

    def fits(self, argument: Any, contents: list[Any]) -> bool:
        return Fixed(argument) == self

    def blocks(self, name: str, wrt: bool = False) -> list[Block]:
        return []

    def traced(self, blocks: Blocks) -> Any:
        return self.item

    def gathering(self, of_rows: str = "") -> Gather:
        return lambda slopes: None


def _key(item: Any, depth: int = 2) -> Any:
    """A key that tells apart what a function can tell apart: 1 from True, 0.0 from -0.0.

    To so many objects deep: attributes may lead back to where they came from.
    """
    kind: Any = type(item)
    if isinstance(item, list | tuple):
        return kind, *[_key(x, depth) for x in item]
    if isinstance(item, dict):
        return kind, *[(_key(key, depth), _key(part, depth)) for key, part in item.items()]
    if isinstance(item, float):
        return kind, float.__repr__(item)
    if kind.__hash__ is None:
        return MethodType(id, item)  # methods are equal if they are of the same object
    is_itself = kind.__eq__ is object.__eq__ or not hasattr(item, "__dict__")
    own = vars(item).values() if depth and not is_itself else ()  # equal in its own way
    return kind, item, *[_key(x, depth - 1) for x in own]


class State(Form):
    """A module or its state: names and shapes of its blocks, whether these `are_lists` all, and
    the class of the state.
    """

    def __init__(
        self, module: Any, blocks: dict[str, tuple[int, ...]], ties: Any, cls: Any, are_lists: bool
    ) -> None:
        self.module, self.names, self.shapes = module, tuple(blocks), tuple(blocks.values())
        self._ties, self._cls, self._are_lists = ties, cls, are_lists
        self._is_as_own = are_lists != bool(find_spec("numpy"))
        super().__init__(id(module), ties, self.names, self.shapes, cls, are_lists)
        self._arrays = [("d", shape) for shape in self.shapes]  # of doubles
        self._parameters = ParameterReader(module, blocks, ties)

    @classmethod
    def of(cls, module: Any) -> State:
        """The form of a module, whose numbers are not read."""
        places, ties = arranged_places(module)
        shapes = {name: shape_of(block) for name, block in places.items()}
        form = cls(module, shapes, ties, dict, not find_spec("numpy"))
        form.places = places
        return form

    @cached_property
    def places(self) -> dict[str, Any]:
        """The places of the module's parameters in the list of all, by block."""
        return arranged_places(self.module)[0]

    def fits(self, argument: Any, contents: list[Any]) -> bool:
        if argument is self.module:
            return self._is_as_own and self._parameters.read(contents)
        if type(argument) is not self._cls or (*argument,) != self.names:
            return False
        if argument.module is not self.module or argument.ties != self._ties:
            return False
        blocks = argument.values()
        try:
            if [(block.dtype.char, block.shape) for block in blocks] == self._arrays:
                contents += blocks
                return not self._are_lists
        except AttributeError:  # lists among them
            pass
        for name, shape, block in zip(self.names, self.shapes, blocks):
            if type(block) is list and regular(block) == shape:
                contents.append(block)
            elif getattr(read(block, name, contents), "shape", None) != shape:
                return False
        return _are_lists(blocks) == self._are_lists

    def blocks(self, name: str, wrt: bool = False) -> list[Block]:
        return [Block(*block, wrt=wrt) for block in zip(self.names, self.shapes)]

    def traced(self, blocks: Blocks) -> Any:
        """A copy of the module with traced numbers for its parameters.

        A parameter that stands in several places is that of the last one, the others are twins.
        """
        places, given = self.places, dict(zip(self.names, self.shapes))
        expected = {name: shape_of(block) for name, block in places.items()}
        if given != expected:
            name = next(n for n in (*expected, *given) if given.get(n) != expected.get(n))
            told = [_size(x[name]) if name in x else "nothing" for x in (expected, given)]
            raise ValueError(f"{name} is {told[0]} in {self.module!r}, got {told[1]}")
        content: dict[int, Any] = {}
        found = [(block, flat(places[name]), xs) for name, (block, xs) in zip(given, blocks)]
        for _, at, traced in found:
            content.update(zip(at, traced))
        if len(content) < sum(map(prod, given.values())):
            last = {place: x for block, at, _ in found for place, x in zip(at, block.inputs)}
            for block, at, _ in found:
                pairs = enumerate(zip(at, block.inputs))
                block.twins = {i: last[place] for i, (place, x) in pairs if last[place] is not x}
        return with_values(self.module, iter([content[i] for i in range(len(content))]))

    def gathering(self, of_rows: str = "") -> Gather:
        kind = LIST if self._are_lists else ARRAY
        hands = [handing((kind,) if shape or of_rows else ()) for shape in self.shapes]

        def gather(slopes: Iterator[Any]) -> Any:
            blocks = zip(self.names, [hand(x) for hand, x in zip(hands, slopes)])
            return self._cls(self.module, blocks, self._ties)

        return gather

    def key_by(self, signature: Callable[[Any], Any]) -> Any:
        return signature(self.module), *self.key[2:]


def held(forms: Iterable[Form], kind: type[F]) -> list[F]:
    """The forms of a kind, wherever they are in some forms.

    >>> held([read({"w": 1.0, "how": "mean"}, "p", [])], Fixed)[0].item
    'mean'
    """
    return [found for form in forms for _, found in form.named() if isinstance(found, kind)]


# ------------------------------------------------------------------ reading


def read(argument: Any, what: str, contents: list[Any], above: tuple[int, ...] = ()) -> Form:
    """The form of an argument; its blocks are added to `contents`: floats, nested lists, arrays.

    TypeError or ValueError, naming `what`, for all that holds no numbers. Texts, functions and None
    are fixed, and truth values but in lists of numbers: a trace is made for each.

    >>> contents = []
    >>> read({"w": [1, 2]}, "p", contents), contents
    (Container(<class 'dict'>, ('w',), (Numbers(('list',), (2,), False),)), [[1.0, 2.0]])
    """
    if type(argument) is float:
        contents.append(argument)
        return NUMBER
    if type(argument) is list and (shape := regular(argument)):
        contents.append(argument)
        return numbers((LIST,) * len(shape), shape)
    if _is_truth(argument):
        return Fixed(bool(argument))
    if id(argument) in above:
        raise ValueError(f"{what} contains itself: give it lists and dicts that end in numbers")
    if isinstance(argument, list | tuple):
        return _read_list(argument, what, contents, (*above, id(argument)))
    if isinstance(argument, dict):
        if is_module(getattr(argument, "module", None)):
            return read_state(argument, contents)
        above = (*above, id(argument))
        at = {key: f"{what}[{key!r}]" if type(key) in (str, int) else what for key in argument}
        items = [read(argument[key], at[key], contents, above) for key in argument]
        return Container(argument, argument, items)
    if is_module(argument):
        return read_state(argument.arranged([p.data for p in argument.parameters()]), contents)
    if hasattr(type(argument), "to_numpy"):
        argument = argument.to_numpy()
    if is_array(argument):
        return _read_array(argument, what, contents)
    return _read_number(argument, what, contents)


def read_rows(argument: Any, what: str, contents: list[Any]) -> Numbers:
    """The form of an argument that carries rows; the rows are one content."""
    if hasattr(type(argument), "to_numpy"):
        argument = argument.to_numpy()
    outer = ARRAY if is_array(argument) else (LIST, TUPLE)[isinstance(argument, tuple)]
    if outer == ARRAY:
        if getattr(argument.dtype, "kind", "O") != "O":
            array = _read_array(argument, what, contents)
            return numbers(array.kinds, array.shape[1:], True)
        argument = argument.tolist()
    is_no_list = isinstance(argument, set | frozenset | dict | str | bytes | Value)
    is_list = hasattr(type(argument), "__iter__") and getattr(argument, "ndim", 1) != 0
    if is_no_list or not is_list:
        raise TypeError(
            f"{what} carries rows and must be a list of rows or an array, "
            f"got {type(argument).__name__}"
        )
    rows = list(argument)
    if (floats := as_floats(rows)) is not None:
        contents.append(floats)
        return numbers((outer,), (), True)
    inner: list[Any] = []
    first = NUMBER
    for i, row in enumerate(rows):
        form = read(_counted(row), f"row {i} of {what}", inner)
        if not isinstance(form, Numbers):
            raise ValueError(
                f"row {i} of {what} must be a number or a regular list of numbers, as all rows must"
            )
        first = first if i else form
        if form.shape != first.shape:
            told = ["a list of " * bool(f.shape) + _size(f.shape) for f in (form, first)]
            raise ValueError(
                f"row {i} of {what} is {told[0]}, row 0 {told[1]}: all rows must be alike"
            )
    contents.append([as_lists(row) for row in inner])
    kinds = (ARRAY,) * len(first.shape) if outer == ARRAY else first.kinds
    return numbers((outer, *kinds), first.shape, True)


def _is_truth(item: Any) -> bool:
    """Whether an item is a truth value, also one of NumPy's."""
    if isinstance(item, bool):
        return True
    return not getattr(item, "ndim", 1) and getattr(getattr(item, "dtype", None), "kind", "") == "b"


def _counted(item: Any) -> Any:
    """A truth value among numbers as 1 or 0; all else as it is."""
    return float(item) if _is_truth(item) else item


def _read_list(items: Any, what: str, contents: list[Any], above: tuple[int, ...] = ()) -> Form:
    """Equally long lists of numbers as one block; else a form for each item."""
    kind, is_plain = TUPLE if isinstance(items, tuple) else LIST, type(items) in (list, tuple)
    if is_plain and (floats := as_floats(items)) is not None:
        contents.append(floats)
        return numbers((kind,), (len(items),))
    inner: list[Any] = []
    forms = [read(_counted(item), f"{what}[{i}]", inner, above) for i, item in enumerate(items)]
    first = forms[0] if forms else None
    if is_plain and isinstance(first, Numbers) and forms.count(first) == len(forms):
        contents.append([as_lists(item) for item in inner])
        return numbers((kind, *first.kinds), (len(items), *first.shape))
    contents += inner
    return Container(items, range(len(items)), forms)


def _read_array(array: Any, what: str, contents: list[Any]) -> Numbers:
    if getattr(array, "mask", False) is not False and array.mask.any():
        raise ValueError(
            f"{what} is an array with masked numbers: fill them in, {what}.filled(0.0)"
        )
    kinds, kind = (ARRAY,) * array.ndim, getattr(array.dtype, "kind", "O")
    if kind in "fiub":
        contents.append(array)
        return numbers(kinds, array.shape)
    if kind != "O":
        raise TypeError(
            f"{what} is an array of {array.dtype}, expected one of real numbers: "
            f"write {what}.astype(float)"
        )
    form = read(array.tolist(), what, contents)
    if not isinstance(form, Numbers):
        raise ValueError(
            f"{what} is an array of objects that are no numbers: "
            "write it as lists, or as an array of floats"
        )
    return numbers(kinds, form.shape)


def read_state(state: Any, contents: list[Any]) -> State:
    """The form of a module's state; its blocks are added to `contents`."""
    shapes = {}
    for name, block in state.items():
        form = read(block, str(name), contents)
        if not isinstance(form, Numbers):
            raise ValueError(
                f"{name} of the state must be a number, "
                "or an array or equally long lists of numbers"
            )
        shapes[name] = form.shape
    return State(state.module, shapes, state.ties, type(state), _are_lists(state.values()))


def _are_lists(blocks: Collection[Any]) -> bool:
    """Whether lists stand in a state, and no arrays; numbers alone are as in the module's own."""
    has_arrays = any(not isinstance(block, list | tuple | float | int) for block in blocks)
    has_lists = any(isinstance(block, list | tuple) for block in blocks)
    return not has_arrays and (has_lists or not find_spec("numpy"))


def _read_number(argument: Any, what: str, contents: list[Any]) -> Form:
    if isinstance(argument, Value):
        raise TypeError(
            f"{what} is a Value, and a compiled function takes numbers: "
            "give its .data, or call the function itself"
        )
    if getattr(argument, "ndim", 1) == 0 and hasattr(argument, "item"):  # an array of one number
        argument = argument.item()
    if (number := as_float(argument)) is not None:
        contents.append(number)
        return NUMBER
    is_word = isinstance(argument, str) and not _is_number(argument)
    if argument is None or callable(argument) or is_word:
        return Fixed(argument)
    told = advice(argument)
    named = f'; or name it: compile(…, static=("{what}",))' if what.isidentifier() else ""
    raise TypeError(
        f"{what} is {type(argument).__name__}, expected a number, a list, tuple or dict of "
        f"numbers, an array or a module{told if told and not isinstance(argument, Enum) else named}"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a number"
