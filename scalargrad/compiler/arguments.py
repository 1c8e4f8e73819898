"""The arguments of a compiled function: what structure they have, which blocks of numbers stand in it.   (floor 3)

`read` walks an argument once and finds its form, a key by which traces are remembered, and the numbers of each
block as they came. From a form come the blocks of a program, what the function is called with to be traced, and, of
the slopes by each block, a gradient in the argument's structure.
"""

from __future__ import annotations

from copy import copy
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
STATE = "state"  # a module or its state: the module, names, shapes, and the mapping's class
FIXED = "fixed"  # no numbers: a text, a function, None
NUMBER: Form = (NUMBERS, (), ())


def are_floats(items: Collection[Any]) -> bool:
    """Whether all items are floats, and none of a subclass; they are counted, for which no set of types is to be made."""
    return countOf(map(type, items), float) == len(items)


# ------------------------------------------------------------------ reading


def read(argument: Any, what: str, contents: list[Any], above: tuple[int, ...] = ()) -> Form:
    """The form of an argument; what it holds is added to `contents`, block by block, as floats, nested lists or arrays.

    TypeError or ValueError, naming `what`, for all that holds no numbers. Texts, functions and None are fixed: a trace is made for each.

    >>> contents = []
    >>> read({"w": [[1, 2], [3, 4]], "b": 5}, "p", contents), contents
    (('dict', None, ('w', ('numbers', ('list', 'list'), (2, 2))), ('b', ('numbers', (), ()))), [[[1.0, 2.0], [3.0, 4.0]], 5.0])
    """
    if type(argument) is float:
        contents.append(argument)
        return NUMBER
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
    forms = [read(item, f"{what}[{i}]", inner, above) for i, item in enumerate(items)]
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
    kinds = ("array",) * array.ndim
    kind = getattr(array.dtype, "kind", "O")
    if kind not in "fiub":
        if kind != "O":
            raise TypeError(
                f"{what} is an array of {array.dtype}, expected one of real numbers: write {what}.astype(float)"
            )
        form = read(array.tolist(), what, contents)
        if form[0] != NUMBERS:
            raise ValueError(
                f"{what} is an array of objects that are no numbers: write it as lists, or as an array of floats"
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
                f"{name} of the state must be a number, or an array or equally long lists of numbers"
            )
        shapes.append(form[2])
    return STATE, _Same(state.module), tuple(state), tuple(shapes), type(state)


def _read_number(argument: Any, what: str, contents: list[Any]) -> Form:
    if isinstance(argument, Value):
        raise TypeError(
            f"{what} is a Value, and a compiled function takes numbers: give its .data, or call the function itself"
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
    kind = type(argument).__name__
    raise TypeError(
        f"{what} is {kind}, expected a number, a list, tuple or dict of numbers, an array or a module{advice(argument)}"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class _Same:
    """An object as a part of a key: equal to itself alone, and kept alive as long as the key is.

    `ties` are of a module: the names and indices of entries that are one parameter, found when it is traced.
    """

    def __init__(self, it: Any) -> None:
        self.it = it
        self.ties: list[tuple[_Entry, _Entry]] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.it is self.it

    def __hash__(self) -> int:
        return id(self.it)


class _Kind:
    """A container of a class of its own as a part of a key: equal to others of its class, and what makes another such."""

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
    """The form of an argument that carries rows, and how many rows there are; the rows are one content."""
    if hasattr(type(argument), "to_numpy"):
        argument = argument.to_numpy()
    if not is_array(argument):
        kind = TUPLE if isinstance(argument, tuple) else LIST
    else:
        kind = "array"
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
            f"{what} carries rows and must be a list of rows or an array, got {type(argument).__name__}"
        )
    rows = list(argument)
    if are_floats(rows):
        contents.append(rows)
        return (ROWS, kind, NUMBER), len(rows)
    inner: list[Any] = []
    first: Any = None
    for i, row in enumerate(rows):
        form = read(row, f"row {i} of {what}", inner)
        if form[0] != NUMBERS:
            raise ValueError(
                f"row {i} of {what} must be a number or a regular list of numbers, as all rows must"
            )
        if first is not None and form[2] != first[2]:
            raise ValueError(
                f"row {i} of {what} is {_shown(form)}, row 0 {_shown(first)}: all rows must be alike"
            )
        first = first or form
    if kind == "array":
        first = NUMBERS, ("array",) * len(first[2]), first[2]
    contents.append([as_lists(row) for row in inner])
    return (ROWS, kind, first), len(rows)


def _shown(form: Form) -> str:
    return "a number" if not form[2] else "a list of " + " × ".join(map(str, form[2]))


# ------------------------------------------------------------------ from a form


def blocks_of(form: Form, name: str, **options: Any) -> list[Block]:
    """The blocks of an argument in order, named after it, or after the keys and parameters in it."""
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
    """What the function is called with: the structure, with traced numbers in it; `blocks` gives them block by block."""
    kind = form[0]
    if kind == NUMBERS:
        return shaped(next(blocks), form[2], form[1])
    if kind == ROWS:
        return traced(form[2], blocks)
    if kind == STATE:
        return _traced_module(form, blocks)
    if kind == FIXED:
        return form[1].it if type(form[1]) is _Same else form[1]
    if kind == DICT:
        items: Any = {key: traced(item, blocks) for key, item in form[2:]}
    else:
        items = [traced(item, blocks) for item in form[2:]]
    return form[1](items) if form[1] else tuple(items) if kind == TUPLE else items


def _traced_module(form: Form, blocks: Iterator[list[Any]]) -> Any:
    """A copy of the module with traced numbers for its parameters; one that stands in several blocks is the last one's."""
    same, given = form[1], dict(zip(form[2], form[3]))
    module = same.it
    places = {
        name: as_lists(block, int)
        for name, block in module.arranged(range(len(module.parameters()))).items()
    }
    expected = {name: _shape(block) for name, block in places.items()}
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


def gathered(form: Form, slopes: Iterator[Any], by_rows: bool = False) -> Any:
    """A gradient in the structure of an argument, of the slopes by each of its blocks; `by_rows` where each has an axis of rows before."""
    kind = form[0]
    if kind == NUMBERS:
        return in_kinds(as_number(next(slopes)), (LIST, *form[1]) if by_rows else form[1])
    if kind == ROWS:
        return in_kinds(next(slopes), (form[1], *form[2][1]))
    if kind == STATE:
        by_name = dict(zip(form[2], slopes))
        return form[4](
            form[1].it, _tied(by_name, form[1].ties, by_rows) if form[1].ties else by_name
        )
    if kind == FIXED:
        return None
    if kind == DICT:
        items: Any = {key: gathered(item, slopes, by_rows) for key, item in form[2:]}
    else:
        items = [gathered(item, slopes, by_rows) for item in form[2:]]
    return form[1](items) if form[1] else tuple(items) if kind == TUPLE else items


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


def gathering(form: Form, by_rows: bool) -> Callable[[Sequence[Any]], Any]:
    """What gives slopes the structure of an argument of that form, once it was traced: `gathered`, and shorter for what is most usual."""
    if form[0] == NUMBERS and TUPLE not in form[1]:
        return lambda slopes: as_number(slopes[0])
    if form[0] == STATE and not form[1].ties:
        _, same, names, _, cls = form
        return lambda slopes: cls(same.it, dict(zip(names, slopes)))
    return lambda slopes: gathered(form, iter(slopes), by_rows)


def holds_module(form: Any) -> bool:
    """Whether there is a module in an argument of that form.

    >>> holds_module(("dict", None, ("w", NUMBER))), holds_module(("list", None, (STATE, None, (), (), dict)))
    (False, True)
    """
    return form[:1] == (STATE,) or any(
        isinstance(part, tuple) and holds_module(part) for part in form
    )


def in_kinds(content: Any, kinds: tuple[str, ...]) -> Any:
    """Nested lists with tuples where the argument has them; arrays as they are."""
    if TUPLE not in kinds or not isinstance(content, list):
        return content
    items = [in_kinds(item, kinds[1:]) for item in content]
    return tuple(items) if kinds[0] == TUPLE else items


def shaped(content: list[Any], shape: tuple[int, ...], kinds: tuple[str, ...] = ()) -> Any:
    """A flat list as nested lists of a shape, or as tuples or arrays where `kinds` says so, or as the number it holds.

    >>> shaped([1, 2, 3, 4], (2, 2)), shaped([1, 2, 3, 4], (2, 2), ("list", "tuple"))
    ([[1, 2], [3, 4]], [(1, 2), (3, 4)])
    """
    if not shape:
        return content[0]
    if kinds[:1] == ("array",):
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


def _shape(content: Any) -> tuple[int, ...]:
    return (
        (len(content), *(_shape(content[0]) if content else ()))
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
