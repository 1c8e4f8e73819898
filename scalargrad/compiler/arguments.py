"""The arguments of a compiled function: structure, and blocks of numbers.   (floor 3)

`read` walks an argument once. It finds the form, a key by which traces are remembered, and the
numbers of each block as they came. A form gives the blocks of a program, the arguments of a trace,
and, from the slopes by each block, a gradient in the argument's structure.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from copy import copy
from enum import Enum
from functools import lru_cache
from importlib.util import find_spec
from math import prod
from operator import countOf
from typing import Any

from ..arithmetic.conversion import as_float
from ..copies import with_values
from ..trees import advice, is_array, is_module
from ..value import Value
from .program import Block

Form = tuple[Any, ...]  # begins with one of the words below

NUMBERS = "numbers"  # a block: what each of its axes is, "list", "tuple" or "array", and its shape
ROWS = "rows"  # what the rows are in, and the form of one
LIST, TUPLE, DICT = "list", "tuple", "dict"  # what makes another of the kind, and the forms in it
ARRAY = "array"
STATE = "state"  # a module or its state: the module, names, shapes, and the mapping's class
FIXED = "fixed"  # no numbers: a text, a function, None
NUMBER: Form = (NUMBERS, (), ())
_PLAIN = {float, int}


def as_floats(items: Any) -> Any:
    """The items as floats if all are floats or ints, and none of a subclass; else None.

    A list of floats is returned as it is. To count is faster than to look at each item.
    """
    first = type(items[0]) if items else float
    if countOf(map(type, items), first) == len(items):
        if first is float:
            return items
        kinds = {first}
    else:
        kinds = {*map(type, items)}
    if not kinds <= {float, int}:
        return None
    try:
        floats = [float(x) for x in items]
    except OverflowError:  # an int is too large
        return None
    return floats if type(items) is list else type(items)(floats)


# ------------------------------------------------------------------ reading


def read(argument: Any, what: str, contents: list[Any], above: tuple[int, ...] = ()) -> Form:
    """The form of an argument; its blocks are added to `contents`: floats, nested lists, arrays.

    TypeError or ValueError, naming `what`, for all that holds no numbers. Texts, functions and None
    are fixed, and truth values but in lists of numbers: a trace is made for each.

    >>> contents = []
    >>> read({"w": [1, 2]}, "p", contents), contents
    (('dict', None, ('w', ('numbers', ('list',), (2,)))), [[1.0, 2.0]])
    """
    if type(argument) is float:
        contents.append(argument)
        return NUMBER
    if _is_truth(argument):
        return static(bool(argument))
    if id(argument) in above:
        raise ValueError(f"{what} contains itself: give it lists and dicts that end in numbers")
    if isinstance(argument, list | tuple):
        return _read_list(argument, what, contents, (*above, id(argument)))
    if isinstance(argument, dict):
        if is_module(getattr(argument, "module", None)):
            return _read_state(argument, contents)
        above = (*above, id(argument))
        at = {key: f"{what}[{key!r}]" if type(key) in (str, int) else what for key in argument}
        items = [(key, read(argument[key], at[key], contents, above)) for key in argument]
        return DICT, _maker(argument, dict), *items
    if is_module(argument):
        return _read_state(argument.arranged([p.data for p in argument.parameters()]), contents)
    if hasattr(type(argument), "to_numpy"):
        argument = argument.to_numpy()
    if is_array(argument):
        return _read_array(argument, what, contents)
    return _read_number(argument, what, contents)


def static(argument: Any) -> Form:
    """The form of an argument that is a part of the structure: a trace is made for each.

    >>> static([1, "relu"]) == static([1, "relu"]), static(1) == static(True)
    (True, False)
    """
    return FIXED, _Same(argument, ("static", _key(argument)))


def _is_truth(item: Any) -> bool:
    """Whether an item is a truth value, also one of NumPy's."""
    if isinstance(item, bool):
        return True
    return not getattr(item, "ndim", 1) and getattr(getattr(item, "dtype", None), "kind", "") == "b"


def _counted(item: Any) -> Any:
    """A truth value among numbers as 1 or 0; all else as it is."""
    return float(item) if _is_truth(item) else item


def _maker(container: Any, plain: type) -> Any:
    """None for a plain container, else what knows how to make another of its kind."""
    return None if type(container) is plain else _Kind(container)


def _read_list(items: Any, what: str, contents: list[Any], above: tuple[int, ...]) -> Form:
    """Equally long lists of numbers as one block; else a form for each item."""
    kind, plain = (TUPLE, tuple) if isinstance(items, tuple) else (LIST, list)
    is_plain = type(items) is plain
    if is_plain and (floats := as_floats(items)) is not None:
        contents.append(floats)
        return NUMBERS, (kind,), (len(items),)
    inner: list[Any] = []
    forms = [read(_counted(item), f"{what}[{i}]", inner, above) for i, item in enumerate(items)]
    first = forms[0] if forms else NUMBER
    if is_plain and first[0] == NUMBERS and all(form == first for form in forms):
        contents.append([as_lists(item) for item in inner])
        return NUMBERS, (kind, *first[1]), (len(items), *first[2])
    contents += inner
    return kind, _maker(items, plain), *forms


def _read_array(array: Any, what: str, contents: list[Any]) -> Form:
    if getattr(array, "mask", False) is not False and array.mask.any():
        raise ValueError(
            f"{what} is an array with masked numbers: fill them in, {what}.filled(0.0)"
        )
    kinds, kind = (ARRAY,) * array.ndim, getattr(array.dtype, "kind", "O")
    if kind in "fiub":
        contents.append(array)
        return NUMBERS, kinds, array.shape
    if kind != "O":
        raise TypeError(
            f"{what} is an array of {array.dtype}, expected one of real numbers: "
            f"write {what}.astype(float)"
        )
    form = read(array.tolist(), what, contents)
    if form[0] != NUMBERS:
        raise ValueError(
            f"{what} is an array of objects that are no numbers: "
            "write it as lists, or as an array of floats"
        )
    return NUMBERS, kinds, form[2]


def _read_state(state: Any, contents: list[Any]) -> Form:
    shapes = []
    for name, block in state.items():
        form = read(block, str(name), contents)
        if form[0] != NUMBERS:
            raise ValueError(
                f"{name} of the state must be a number, "
                "or an array or equally long lists of numbers"
            )
        shapes.append(form[2])
    same = _Same(state.module, (id(state.module), state.ties))
    return STATE, same, tuple(state), tuple(shapes), type(state)


def form_of(module: Any) -> Form:
    """The form of a module, whose numbers are not read."""
    places, ties = arranged_places(module)
    same = _Same(module, (id(module), ties))
    same.places = places
    return STATE, same, tuple(places), tuple(map(shape_of, places.values())), dict


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
        return FIXED, _Same(argument) if type(argument).__hash__ is None else argument
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


class _Same:
    """An object as a part of a key: equal to what has its `key`, kept alive as long as that is."""

    places: dict[str, Any] | None = None  # of a module, if they are known already

    def __init__(self, it: Any, key: Any = None) -> None:
        self.it, self.key = it, id(it) if key is None else key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return repr(self.it)


def _key(item: Any) -> Any:
    """A key that tells apart what a function can tell apart: 1 from True, 0.0 from -0.0."""
    if isinstance(item, list | tuple):
        return type(item), *map(_key, item)
    if isinstance(item, dict):
        return type(item), *[(_key(key), _key(part)) for key, part in item.items()]
    if isinstance(item, float):
        return type(item), float.__repr__(item)
    return _Same(item) if type(item).__hash__ is None else (type(item), item)


class _Kind:
    """The class of a container as a part of a key; a call makes another such container."""

    def __init__(self, container: Any) -> None:
        self.cls = type(container)
        self.like = copy(container) if isinstance(container, dict) else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kind) and other.cls is self.cls

    def __hash__(self) -> int:
        return hash(self.cls)

    def __call__(self, items: Any) -> Any:
        if self.like is None:
            return self.cls(*items) if hasattr(self.cls, "_fields") else self.cls(items)
        made = copy(self.like)
        for key, item in items.items():  # a Counter's update would add
            made[key] = item
        return made


def read_rows(argument: Any, what: str, contents: list[Any]) -> tuple[Form, int]:
    """The form of an argument that carries rows, and their number; the rows are one content."""
    if hasattr(type(argument), "to_numpy"):
        argument = argument.to_numpy()
    kind = ARRAY if is_array(argument) else (LIST, TUPLE)[isinstance(argument, tuple)]
    if kind == ARRAY:
        if getattr(argument.dtype, "kind", "O") != "O":
            _, kinds, shape = _read_array(argument, what, contents)
            return (ROWS, kind, (NUMBERS, kinds[1:], shape[1:])), shape[0]
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
        return (ROWS, kind, NUMBER), len(rows)
    inner: list[Any] = []
    forms = []
    for i, row in enumerate(rows):
        form = read(_counted(row), f"row {i} of {what}", inner)
        if form[0] != NUMBERS:
            raise ValueError(
                f"row {i} of {what} must be a number or a regular list of numbers, as all rows must"
            )
        forms.append(form)
        if form[2] != forms[0][2]:
            told = ["a list of " * bool(f[2]) + _size(f[2]) for f in (form, forms[0])]
            raise ValueError(
                f"row {i} of {what} is {told[0]}, row 0 {told[1]}: all rows must be alike"
            )
    first = forms[0]
    if kind == ARRAY:
        first = NUMBERS, (ARRAY,) * len(first[2]), first[2]
    contents.append([as_lists(row) for row in inner])
    return (ROWS, kind, first), len(rows)


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a number"


# ------------------------------------------------------------------ from a form


def parts(form: Form) -> Iterable[tuple[Any, Form]]:
    """The forms in that of a container, each with its key or its place; none in other forms."""
    if form[0] not in (LIST, TUPLE, DICT):
        return ()
    return form[2:] if form[0] == DICT else enumerate(form[2:])


def plain_forms(form: Form, name: str = "") -> Iterator[tuple[str, Form]]:
    """The forms that are no containers', in order, each with its name after `name` or its keys.

    >>> form = ("dict", None, ("w", NUMBER), (3, NUMBER))
    >>> [name for name, _ in plain_forms(form, "p")]
    ['w', 'p_3']
    """
    if form[0] not in (LIST, TUPLE, DICT):
        yield name, form
    for key, item in parts(form):
        yield from plain_forms(item, key if type(key) is str else f"{name}_{key!s}")


def within(form: Form, kind: str) -> list[Any]:
    """The objects that forms of a kind stand for, STATE or FIXED, wherever they are in a form.

    >>> within(("dict", None, ("w", NUMBER), ("how", ("fixed", "mean"))), FIXED)
    ['mean']
    """
    return [_object(plain[1]) for _, plain in plain_forms(form) if plain[0] == kind]


def _object(item: Any) -> Any:
    return item.it if isinstance(item, _Same) else item


def blocks_of(form: Form, name: str, wrt: bool = False, has_rows: bool = False) -> list[Block]:
    """The blocks of an argument in order, named after it, or after its keys and parameters."""
    blocks = []
    for own, plain in plain_forms(form, name):
        if plain[0] == STATE:
            blocks += [Block(*block, has_rows, wrt) for block in zip(plain[2], plain[3])]
        elif plain[0] != FIXED:
            of_rows = plain[0] == ROWS
            shape = plain[2][2] if of_rows else plain[2]
            blocks.append(Block(own, shape, has_rows or of_rows, wrt))
    return blocks


def _container(form: Form, items: list[Any]) -> Any:
    """A container like that of a form, of other items."""
    content: Any = items
    if form[0] == DICT:
        content = {key: item for (key, _), item in zip(form[2:], items)}
    return form[1](content) if form[1] else tuple(items) if form[0] == TUPLE else content


def traced(form: Form, blocks: Iterator[tuple[Block, list[Any]]]) -> Any:
    """An argument of the trace: the structure with traced numbers, which `blocks` has by block."""
    if form[0] == NUMBERS:
        return shaped(next(blocks)[1], form[2], form[1])
    if form[0] == ROWS:
        return traced(form[2], blocks)
    if form[0] == STATE:
        return _traced_module(form, blocks)
    if form[0] == FIXED:
        return _object(form[1])
    return _container(form, [traced(item, blocks) for _, item in parts(form)])


def _traced_module(form: Form, blocks: Iterator[tuple[Block, list[Any]]]) -> Any:
    """A copy of the module with traced numbers for its parameters.

    A parameter that stands in several places is that of the last one, and the others are twins.
    """
    module, given = form[1].it, dict(zip(form[2], form[3]))
    places = form[1].places or arranged_places(module)[0]
    expected = {name: shape_of(block) for name, block in places.items()}
    if given != expected:
        name = next(name for name in (*expected, *given) if given.get(name) != expected.get(name))
        told = [_size(x[name]) if name in x else "nothing" for x in (expected, given)]
        raise ValueError(f"{name} is {told[0]} in {module!r}, got {told[1]}")
    content: dict[int, Any] = {}
    found = [(block, flat(places[name]), xs) for name, (block, xs) in zip(given, blocks)]
    for _, at, numbers in found:
        content.update(zip(at, numbers))
    if len(content) < sum(map(prod, given.values())):
        last = {place: x for block, at, _ in found for place, x in zip(at, block.inputs)}
        for block, at, _ in found:
            pairs = enumerate(zip(at, block.inputs))
            block.twins = {i: last[place] for i, (place, x) in pairs if last[place] is not x}
    return with_values(module, iter([content[i] for i in range(len(content))]))


def arranged_places(module: Any) -> tuple[dict[str, Any], tuple[int, ...]]:
    """For each block of a module the places of its parameters in the list of all; and its ties."""
    state = module.arranged(range(len(module.parameters())))
    return {name: as_lists(block, int) for name, block in state.items()}, state.ties


def gathering(form: Form, of_rows: str = "") -> Callable[[Iterator[Any]], Any]:
    """A function that takes the slopes by the blocks of an argument, one by one, and gives them
    the argument's structure, in the containers that it came in.

    `of_rows` is the kind of the axis of rows that each block has before its own, if it has one.
    """
    if form[0] == STATE:
        return _state_gathering(form, of_rows)
    if form[0] == FIXED:
        return lambda slopes: None
    if form[0] in (NUMBERS, ROWS):
        hand = block_handing(form, of_rows)
        return lambda slopes: hand(next(slopes))
    inner = [gathering(item, of_rows) for _, item in parts(form)]
    return lambda slopes: _container(form, [gather(slopes) for gather in inner])


def block_handing(form: Form, of_rows: str) -> Callable[[Any], Any]:
    """A function that puts the slopes by one block into its containers, as `gathering` does."""
    if form[0] == ROWS:
        return handing((form[1], *form[2][1]))
    if of_rows:  # rows of arrays are one
        outer = of_rows if not form[1] else ARRAY if form[1][0] == ARRAY else LIST
        return handing((outer, *form[1]))
    if 0 in form[2] and form[1][0] == ARRAY:  # lists do not tell its shape
        return lambda slopes: as_array(slopes).reshape(form[2])
    return handing(form[1])


def _state_gathering(form: Form, of_rows: str) -> Callable[[Iterator[Any]], Any]:
    """The same of a gradient by a module: arrays where `module.state()` has them."""
    _, same, names, shapes, cls = form
    kind = ARRAY if find_spec("numpy") else LIST
    hands = [handing((kind,) if shape or of_rows else ()) for shape in shapes]

    def gather(slopes: Iterator[Any]) -> Any:
        return cls(same.it, zip(names, [hand(x) for hand, x in zip(hands, slopes)]), same.key[1])

    return gather


@lru_cache(maxsize=1024)
def handing(kinds: tuple[str, ...]) -> Callable[[Any], Any]:
    """A function that puts numbers, as a backend gave them, into containers of these kinds.

    >>> handing(("tuple", "list"))([[1.0, 2.0], [3.0, 4.0]])
    ([1.0, 2.0], [3.0, 4.0])
    """
    if len({*kinds}) < 2 and TUPLE not in kinds:
        if ARRAY in kinds:
            from numpy import ndarray

            return lambda content: content if type(content) is ndarray else as_array(content)
        return as_lists if kinds else as_number
    outer, inner = tuple if kinds[0] == TUPLE else list, handing(kinds[1:])
    return lambda content: outer(map(inner, content))


def shaped(content: list[Any], shape: tuple[int, ...], kinds: tuple[str, ...] = ()) -> Any:
    """A flat list as nested lists of a shape, as tuples or arrays where `kinds` says so.

    >>> shaped([1, 2, 3, 4], (2, 2)), shaped([1, 2, 3, 4], (2, 2), ("list", "tuple"))
    ([[1, 2], [3, 4]], [(1, 2), (3, 4)])
    """
    if not shape:
        return content[0]
    if kinds[:1] == (ARRAY,):
        import numpy

        array = numpy.empty(len(content), dtype=object)
        array[:] = content
        return array.reshape(shape)
    items = content
    if len(shape) > 1:
        size = len(content) // shape[0] if shape[0] else 0
        begins = range(0, shape[0] * size, size) if size else [0] * shape[0]
        items = [shaped(content[i : i + size], shape[1:], kinds[1:]) for i in begins]
    return tuple(items) if kinds[:1] == (TUPLE,) else list(items)


# ------------------------------------------------------------------ contents


def flat(content: Any) -> list[Any]:
    """The numbers of nested lists or of an array, as a flat list."""
    if hasattr(content, "ravel"):
        return content.ravel().tolist()  # type: ignore[no-any-return]
    if not isinstance(content, list | tuple):
        return [content]
    if _PLAIN.issuperset(map(type, content)):
        return [*content]
    return [x for item in content for x in flat(item)]


def shape_of(content: Any) -> tuple[int, ...]:
    """The shape of nested lists, by their first items.

    >>> shape_of([[1, 2, 3], [4, 5, 6]]), shape_of(1)
    ((2, 3), ())
    """
    if not isinstance(content, list):
        return ()
    return len(content), *(shape_of(content[0]) if content else ())


def as_number(result: Any) -> Any:
    """A number of rows, or an array of no dimension, as the float it holds; all else as it is."""
    if result.__class__ is not float and (
        result.__class__ is int or getattr(result, "ndim", None) == 0
    ):
        return float(result)
    return result


def as_lists(content: Any, number: type = float) -> Any:
    """The content of a block as nested lists of floats, for source in plain Python."""
    if not hasattr(content, "tolist"):
        return content
    if content.dtype.char != "d" or number is not float:
        content = content.astype(number)
    return content.tolist()


def as_array(content: Any) -> Any:
    """The content of a block as an array of floats, for source on arrays."""
    import numpy

    if type(content) is list and content:
        rows = content if type(content[0]) is list else [content]
        if len(rows[0]) > 16:
            with suppress(struct.error):  # raised where lists are nested deeper
                packed = [struct.pack(f"{len(rows[0])}d", *row) for row in rows]
                array = numpy.frombuffer(bytearray().join(packed))  # in a third of the time
                return array if rows is not content else array.reshape(len(rows), -1)
    return numpy.asarray(content, dtype=numpy.float64)
