"""The arguments of a compiled function: structure, and blocks of numbers.   (floor 3)

`read` walks an argument once. It finds the form, a key by which traces are remembered, and the
numbers of each block as they came. A form gives the blocks of a program, the arguments of a trace,
and, from the slopes by each block, a gradient in the argument's structure.
"""

from __future__ import annotations

from copy import copy
from enum import Enum
from functools import lru_cache
from operator import countOf

from ..arithmetic.conversion import as_float
from ..trees import advice, is_array, is_module, with_values
from ..value import Value
from .program import Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import Any

    Form = tuple[Any, ...]  # begins with one of the words below
    _Entry = tuple[str, tuple[int, ...]]  # a block's name, and an index in it

NUMBERS = "numbers"  # a block: what each of its axes is, "list", "tuple" or "array", and its shape
ROWS = "rows"  # what the rows are in, and the form of one
LIST, TUPLE, DICT = "list", "tuple", "dict"  # what makes another of the kind, and the forms in it
ARRAY = "array"
STATE = "state"  # a module or its state: the module, names, shapes, and the mapping's class
FIXED = "fixed"  # no numbers: a text, a function, None
NUMBER: Form = (NUMBERS, (), ())


def are_floats(items: Collection[Any]) -> bool:
    """Whether all items are floats, and none of a subclass: to count them is fastest."""
    return countOf(map(type, items), float) == len(items)


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
        return (
            DICT,
            _maker(argument, dict),
            *[(key, read(item, _at(what, key), contents, above)) for key, item in argument.items()],
        )
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
    return FIXED, Exact(argument)


def _is_truth(item: Any) -> bool:
    """Whether an item is a truth value, also one of NumPy's."""
    if isinstance(item, bool):
        return True
    return not getattr(item, "ndim", 1) and getattr(getattr(item, "dtype", None), "kind", "") == "b"


def _counted(item: Any) -> Any:
    """A truth value among numbers as 1 or 0; all else as it is."""
    return float(item) if _is_truth(item) else item


def _at(what: str, key: Any) -> str:
    return f"{what}[{key!r}]" if type(key) in (str, int) else what


def _maker(container: Any, plain: type) -> Any:
    """None for a plain container, else what knows how to make another of its kind."""
    return None if type(container) is plain else _Kind(container)


def _read_list(items: Any, what: str, contents: list[Any], above: tuple[int, ...]) -> Form:
    """Equally long lists of numbers as one block; else a form for each item."""
    kind, plain = (TUPLE, tuple) if isinstance(items, tuple) else (LIST, list)
    is_plain = type(items) is plain
    if is_plain and are_floats(items):
        contents.append(items)
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
    kinds = (ARRAY,) * array.ndim
    kind = getattr(array.dtype, "kind", "O")
    if kind not in "fiub":
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
    contents.append(array)
    return NUMBERS, kinds, array.shape


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
    return STATE, _Same(state.module), tuple(state), tuple(shapes), type(state)


def _read_number(argument: Any, what: str, contents: list[Any]) -> Form:
    if isinstance(argument, Value):
        raise TypeError(
            f"{what} is a Value, and a compiled function takes numbers: "
            "give its .data, or call the function itself"
        )
    if (
        hasattr(type(argument), "ndim") and argument.ndim == 0 and hasattr(argument, "item")
    ):  # an array of one number
        argument = argument.item()
    if (number := as_float(argument)) is not None:
        contents.append(number)
        return NUMBER
    if (
        argument is None
        or callable(argument)
        or (isinstance(argument, str) and not _is_number(argument))
    ):
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
    """An object as a part of a key: equal to itself alone, and kept alive as long as the key is.

    `ties` are names and indices of a module's entries that are one parameter; a trace finds them.
    """

    def __init__(self, it: Any) -> None:
        self.it = it
        self.ties: list[tuple[_Entry, _Entry]] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.it is self.it

    def __hash__(self) -> int:
        return id(self.it)

    def __repr__(self) -> str:
        return repr(self.it)


class Exact(_Same):
    """A part of the structure as a part of a key: equal to what has the same kinds and content."""

    def __init__(self, it: Any) -> None:
        super().__init__(it)
        self.key = _key(it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exact) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


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
        self.cls, self.like = (
            type(container),
            copy(container) if isinstance(container, dict) else None,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kind) and other.cls is self.cls

    def __hash__(self) -> int:
        return hash(self.cls)

    def __call__(self, items: Any) -> Any:
        if self.like is not None:
            made = copy(self.like)
            for key, item in items.items():  # a Counter's update would add
                made[key] = item
            return made
        return self.cls(*items) if hasattr(self.cls, "_fields") else self.cls(items)


def read_rows(argument: Any, what: str, contents: list[Any]) -> tuple[Form, int]:
    """The form of an argument that carries rows, and their number; the rows are one content."""
    if hasattr(type(argument), "to_numpy"):
        argument = argument.to_numpy()
    if not is_array(argument):
        kind = TUPLE if isinstance(argument, tuple) else LIST
    else:
        kind = ARRAY
        if getattr(argument.dtype, "kind", "O") != "O":
            _, kinds, shape = _read_array(argument, what, contents)
            return (ROWS, kind, (NUMBERS, kinds[1:], shape[1:])), shape[0]
        argument = argument.tolist()
    is_unordered = isinstance(argument, set | frozenset) or getattr(argument, "ndim", 1) == 0
    if (
        is_unordered
        or isinstance(argument, dict | str | bytes | Value)
        or not hasattr(type(argument), "__iter__")
    ):
        raise TypeError(
            f"{what} carries rows and must be a list of rows or an array, "
            f"got {type(argument).__name__}"
        )
    rows = list(argument)
    if are_floats(rows):
        contents.append(rows)
        return (ROWS, kind, NUMBER), len(rows)
    inner: list[Any] = []
    first: Any = None
    for i, row in enumerate(rows):
        form = read(_counted(row), f"row {i} of {what}", inner)
        if form[0] != NUMBERS:
            raise ValueError(
                f"row {i} of {what} must be a number or a regular list of numbers, as all rows must"
            )
        if first is not None and form[2] != first[2]:
            raise ValueError(
                f"row {i} of {what} is {_shown(form)}, row 0 {_shown(first)}: "
                "all rows must be alike"
            )
        first = first or form
    if kind == ARRAY:
        first = NUMBERS, (ARRAY,) * len(first[2]), first[2]
    contents.append([as_lists(row) for row in inner])
    return (ROWS, kind, first), len(rows)


def _shown(form: Form) -> str:
    return "a number" if not form[2] else "a list of " + " × ".join(map(str, form[2]))


# ------------------------------------------------------------------ from a form


def blocks_of(form: Form, name: str, **options: Any) -> list[Block]:
    """The blocks of an argument in order, named after it, or after its keys and parameters."""
    kind = form[0]
    if kind == NUMBERS:
        return [Block(name, form[2], **options)]
    if kind == ROWS:
        return blocks_of(form[2], name, has_rows=True, **options)
    if kind == STATE:
        return [Block(block, shape, **options) for block, shape in zip(form[2], form[3])]
    if kind == FIXED:
        return []
    if kind == DICT:
        return [
            block
            for key, item in form[2:]
            for block in blocks_of(item, key if type(key) is str else f"{name}_{key!s}", **options)
        ]
    return [
        block
        for i, item in enumerate(form[2:])
        for block in blocks_of(item, f"{name}_{i}", **options)
    ]


def traced(form: Form, blocks: Iterator[list[Any]]) -> Any:
    """An argument of the trace: the structure with traced numbers, which `blocks` has by block."""
    kind = form[0]
    if kind == NUMBERS:
        return shaped(next(blocks), form[2], form[1])
    if kind == ROWS:
        return traced(form[2], blocks)
    if kind == STATE:
        return _traced_module(form, blocks)
    if kind == FIXED:
        return form[1].it if isinstance(form[1], _Same) else form[1]
    if kind == DICT:
        items: Any = {key: traced(item, blocks) for key, item in form[2:]}
    else:
        items = [traced(item, blocks) for item in form[2:]]
    return form[1](items) if form[1] else tuple(items) if kind == TUPLE else items


def _traced_module(form: Form, blocks: Iterator[list[Any]]) -> Any:
    """A copy of the module with traced numbers for its parameters.

    A parameter that stands in several blocks is that of the last one.
    """
    same, given = form[1], dict(zip(form[2], form[3]))
    module = same.it
    places = {
        name: as_lists(block, int)
        for name, block in module.arranged(range(len(module.parameters()))).items()
    }
    expected = {name: shape_of(block) for name, block in places.items()}
    if given != expected:
        name = next(name for name in (*expected, *given) if given.get(name) != expected.get(name))
        told = [
            " × ".join(map(str, shapes[name])) or "a number" if name in shapes else "nothing"
            for shapes in (expected, given)
        ]
        raise ValueError(f"{name} is {told[0]} in {module!r}, got {told[1]}")
    content: dict[int, Any] = {}
    entries: list[tuple[int, _Entry]] = []
    for name in given:
        for (index, place), x in zip(_entries(places[name]), next(blocks)):
            content[place] = x
            entries.append((place, (name, index)))
    last = dict(entries)
    same.ties = [(entry, last[place]) for place, entry in entries if entry is not last[place]]
    return with_values(module, iter([content[i] for i in range(len(content))]))


def _entries(content: Any, index: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """The entries of nested lists with their indices."""
    if not isinstance(content, list):
        yield index, content
    elif any(isinstance(item, list) for item in content):
        for i, item in enumerate(content):
            yield from _entries(item, (*index, i))
    else:
        yield from [((*index, i), item) for i, item in enumerate(content)]


def gathered(form: Form, slopes: Iterator[Any], of_rows: str = "") -> Any:
    """A gradient in the structure of an argument, of the slopes by each of its blocks.

    It is in the containers that the argument came in. `of_rows` is the kind of the axis of rows
    that each block has before its own, if it has one.
    """
    kind = form[0]
    if kind == NUMBERS:
        return gathering(form, of_rows)([next(slopes)])
    if kind == ROWS:
        return handing((form[1], *form[2][1]))(next(slopes))
    if kind == STATE:
        return _gathered_state(form, {name: next(slopes) for name in form[2]}, of_rows)
    if kind == FIXED:
        return None
    if kind == DICT:
        items: Any = {key: gathered(item, slopes, of_rows) for key, item in form[2:]}
    else:
        items = [gathered(item, slopes, of_rows) for item in form[2:]]
    return form[1](items) if form[1] else tuple(items) if kind == TUPLE else items


def _with_rows(kinds: tuple[str, ...], of_rows: str) -> tuple[str, ...]:
    """The kinds of the axes of a block with an axis of rows before them: rows of arrays are one."""
    if not of_rows:
        return kinds
    return ((ARRAY if kinds[0] == ARRAY else LIST) if kinds else of_rows, *kinds)


def _gathered_state(form: Form, slopes: dict[str, Any], of_rows: str) -> Any:
    """A gradient by a module: arrays where `module.state()` has them."""
    _, same, names, _, cls = form
    if same.ties:
        slopes = _tied({name: as_lists(slopes[name]) for name in names}, same.ties, bool(of_rows))
    try:
        blocks = {name: as_array(slopes[name]) for name in names}
    except ImportError:
        blocks = slopes
    return cls(same.it, {name: as_number(block) for name, block in blocks.items()})


@lru_cache(maxsize=1024)
def handing(kinds: tuple[str, ...]) -> Callable[[Any], Any]:
    """A function that puts numbers, as a backend gave them, into containers of these kinds.

    >>> handing(("tuple", "list"))([[1.0, 2.0], [3.0, 4.0]])
    ([1.0, 2.0], [3.0, 4.0])
    """
    if not kinds:
        return as_number
    if set(kinds) == {ARRAY}:
        return as_array
    if set(kinds) == {LIST}:
        return as_lists
    outer, inner = tuple if kinds[0] == TUPLE else list, handing(kinds[1:])
    return lambda content: outer(map(inner, content))


def _tied(
    slopes: dict[str, Any], ties: list[tuple[_Entry, _Entry]], by_rows: bool
) -> dict[str, Any]:
    """The slopes by a module's blocks, where one parameter stands in several the same in each."""
    for (name, index), (other, at) in ties:
        if by_rows:
            slopes[name] = [
                _with(row, index, _entry(twin, at))
                for row, twin in zip(slopes[name], slopes[other])
            ]
        else:
            slopes[name] = _with(slopes[name], index, _entry(slopes[other], at))
    return slopes


def _entry(content: Any, index: tuple[int, ...]) -> Any:
    for i in index:
        content = content[i]
    return content


def _with(content: Any, index: tuple[int, ...], number: Any) -> Any:
    """The content with another entry."""
    if not index:
        return number
    content[index[0]] = _with(content[index[0]], index[1:], number)
    return content


def gathering(form: Form, of_rows: str) -> Callable[[Sequence[Any]], Any]:
    """A function like `gathered` for arguments of that form; a short one for a plain block."""
    if form[0] == NUMBERS:
        hand = handing(_with_rows(form[1], of_rows))
        if 0 in form[2] and form[1][0] == ARRAY and not of_rows:  # lists do not tell its shape
            return lambda slopes: hand(slopes[0]).reshape(form[2])
        return lambda slopes: hand(slopes[0])
    return lambda slopes: gathered(form, iter(slopes), of_rows)


def within(form: Form, kind: str) -> Iterator[Any]:
    """The objects that forms of a kind stand for, STATE or FIXED, wherever they are in a form.

    >>> [*within(("dict", None, ("w", NUMBER), ("how", ("fixed", "mean"))), FIXED)]
    ['mean']
    """
    if form[0] == kind:
        yield form[1].it if isinstance(form[1], _Same) else form[1]
    elif form[0] == DICT:
        for _, item in form[2:]:
            yield from within(item, kind)
    elif form[0] in (LIST, TUPLE):
        for item in form[2:]:
            yield from within(item, kind)


def share_ties(form: Form, other: Form) -> None:
    """Let modules that are built alike know their entries that are one parameter."""
    if form[0] == STATE:
        other[1].ties = form[1].ties
    elif form[0] == DICT:
        for (_, item), (_, twin) in zip(form[2:], other[2:]):
            share_ties(item, twin)
    elif form[0] in (LIST, TUPLE):
        for item, twin in zip(form[2:], other[2:]):
            share_ties(item, twin)


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
    size = len(content) // shape[0] if shape[0] else 0
    items = (
        content
        if len(shape) == 1
        else [
            shaped(content[i * size : (i + 1) * size], shape[1:], kinds[1:])
            for i in range(shape[0])
        ]
    )
    return tuple(items) if kinds[:1] == (TUPLE,) else list(items)


# ------------------------------------------------------------------ contents


def flat(content: Any) -> list[Any]:
    """The numbers of nested lists or of an array, as a flat list."""
    if hasattr(content, "ravel"):
        return content.ravel().tolist()  # type: ignore[no-any-return]
    return (
        [x for item in content for x in flat(item)]
        if isinstance(content, list | tuple)
        else [content]
    )


def shape_of(content: Any) -> tuple[int, ...]:
    """The shape of nested lists, by their first items.

    >>> shape_of([[1, 2, 3], [4, 5, 6]]), shape_of(1)
    ((2, 3), ())
    """
    return (
        (len(content), *(shape_of(content[0]) if content else ()))
        if isinstance(content, list)
        else ()
    )


def as_number(result: Any) -> Any:
    """An array of no dimension as the number it holds; all else as it is."""
    return (
        float(result)
        if result.__class__ is not float and getattr(result, "ndim", None) == 0
        else result
    )


def as_lists(content: Any, number: type = float) -> Any:
    """The content of a block as nested lists of floats, for source in plain Python."""
    if hasattr(content, "tolist"):
        return (
            content.tolist()
            if content.dtype.char == "d" and number is float
            else content.astype(number).tolist()
        )
    return content


def as_array(content: Any) -> Any:
    """The content of a block as an array of floats, for source on arrays."""
    import numpy

    return numpy.asarray(content, dtype=numpy.float64)
