"""Parameters in the attributes of an object: found, named, read and set.   (floor 3)"""

from __future__ import annotations

import sys
import warnings
from collections import deque
from contextlib import suppress
from itertools import repeat
from math import prod
from operator import attrgetter, countOf
from textwrap import shorten

from ..arithmetic.conversion import to_float
from ..checks import quoted
from ..copies import is_data
from ..value import Value
from .rows import to_lists
from .shapes import flat, shape_text, shaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from .shapes import Index

    # The name of a block (a matrix, a list, a number), an index in it, and the Values from there on
    # along its last axis. A computed Value is no parameter: it has None in place of the index.
    Place = tuple[str, Index | None, Sequence[Value]]

PACKAGE = f"{__name__.split('.')[0]}."
# the kinds of most attributes: they hold no Value
PLAIN = {float, int, bool, str, type(None), type(len), type(lambda: None)}

_operation = attrgetter("_operation")


class State(dict[str, "Any"]):
    """The numbers of a module's parameters by name, `{"W1": nout × nin, "b1": nout, …}`.

    `module` is the module that they belong to. If a parameter stands in several places, `ties` has
    for each number the place among parameters; else it is empty.
    """

    module: HasParameters

    def __init__(
        self, module: HasParameters, numbers: Mapping[str, Any], ties: tuple[int, ...] = ()
    ) -> None:
        super().__init__(numbers)
        self.module, self.ties = module, ties

    def __reduce__(self) -> tuple[Any, ...]:
        return State, (self.module, dict(self), self.ties)


class HasParameters:
    """An object whose attributes hold Values, others like it, or containers of them."""

    def _places(self, seen: set[int]) -> Iterator[Place]:
        """The place of each Value, in the order of `parameters()`; `seen` has ids of modules."""
        seen.add(id(self))
        for name, item in vars(self).items():
            if type(item) not in PLAIN:
                yield from places_in(item, name, seen)

    def parameters(self) -> list[Value]:
        """All parameters, each once; in a network each neuron's weights and then its bias.

        A class of your own may list fewer. The others are not trained, but stay in `state()`.
        """
        return self._listed(self._places(set()))

    def _listed(self, places: Iterable[Place]) -> list[Value]:
        found: list[Value] = []
        computed: list[tuple[str, Value]] = []
        for name, index, values in places:
            if index is None:
                computed.append((name, values[0]))
            else:
                found += values
        parameters = dict.fromkeys(found)
        for name, value in computed:
            if not _reaches(value, parameters):
                _warn(f"{name} of {type(self).__name__}", value)
        return list(parameters)

    def named_parameters(self) -> list[tuple[str, Value]]:
        """All parameters with their names: `W1[0,1]`, `b1[0]`; `encoder.b1[0]` if in an attribute.

        >>> from scalargrad.nn import Layer
        >>> [name for name, value in Layer(2, 1).named_parameters()]
        ['W[0,0]', 'W[0,1]', 'b[0]']
        """
        names: dict[Value, str] = {}
        for name, index, values in self._places(set()):
            for i, value in enumerate(values):
                names.setdefault(value, _name_of_entry(name, index, i))
        return [(names.get(p, f"parameters[{i}]"), p) for i, p in enumerate(self.parameters())]

    def zero_grad(self) -> None:
        """Set all gradients to 0."""
        for value in self.parameters():
            value.grad = 0.0

    def state(self) -> State:
        """The numbers by name: matrices as arrays if NumPy is installed, else as nested lists.

        >>> from scalargrad.nn import Neuron
        >>> Neuron(1, init="zeros").state()["b"]
        0.0
        """
        blocks = self._blocks()
        numbers = {
            name: shaped([v.data for v in values], shape)
            for name, (shape, values) in blocks.items()
        }
        return State(self, numbers, _ties(blocks))

    def arranged(self, content: Iterable[Any]) -> State:
        """A state of other numbers, a gradient say, given in the order of `parameters()`.

        If only some Values of a block are parameters, each of them has an entry of its own.
        """
        places = [*self._places(set())]
        is_usual = getattr(self.parameters, "__func__", None) is HasParameters.parameters
        parameters = self._listed(places) if is_usual else self.parameters()
        content_of = dict(zip(parameters, content, strict=True))
        arranged: dict[str, Any] = {}
        found: set[Value] = set()
        blocks = self._blocks(places)
        for name, (shape, values) in blocks.items():
            with suppress(KeyError):  # of a Value that is no parameter
                arranged[name] = shaped([*map(content_of.__getitem__, values)], shape)
                found.update(values)
        if len(found) < len(content_of):
            for name, value in self.named_parameters():
                if value not in found:
                    arranged[name] = content_of[value]
        return State(self, arranged, _ties(blocks))

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Set the parameters to the numbers of a state, or of a mapping like it.

        If names or shapes differ from this module's it raises ValueError and changes nothing.

        A PyTorch network of Linear layers has the same numbers in the same order:

        >>> from scalargrad.nn import MLP
        >>> weights = {"0.weight": [[1.0, 2.0]], "0.bias": [3.0]}  # t.tolist() of its state_dict()
        >>> model = MLP(2, [1], activation=None)
        >>> model.load_state(dict(zip(model.state(), weights.values())))
        >>> model.predict([[1.0, 1.0]])
        [6.0]
        """
        blocks = self._blocks()
        if set(state) != set(blocks):
            missing = quoted(name for name in blocks if name not in state)
            surplus = shorten(
                quoted(name for name in state if name not in blocks), 400, placeholder=" …"
            )
            parts = [f"lacks {missing}" * bool(missing), f"has {surplus} more" * bool(surplus)]
            told = " and ".join(filter(None, parts))
            raise ValueError(f"the state {told}: {self!r} has {quoted(blocks)}")
        values: list[Value] = []
        numbers: list[float] = []
        for name, (shape, own) in blocks.items():
            given, found = flat(state[name])
            if given != shape:
                raise ValueError(
                    f"{name} is {shape_text(shape)} in {self!r}, got {shape_text(given)}"
                )
            values += own
            if set(map(type, found)) == {float}:
                numbers += found
            else:
                numbers += [to_float(number, name) for number in found]
        put(values, repeat("data"), numbers)

    def _blocks(self, places: Iterable[Place] = ()) -> dict[str, tuple[Index, list[Value]]]:
        """The shape and the Values of each block, by its name."""
        last: dict[str, Index] = {}
        found: dict[str, list[Value]] = {}
        for name, index, values in places or self._places(set()):
            if index is not None:
                found.setdefault(name, []).extend(values)
                last[name] = (*index[:-1], index[-1] + len(values) - 1) if index else ()
        blocks = {}
        for name, values in found.items():
            shape = tuple([i + 1 for i in last[name]])
            if prod(shape) != len(values):
                raise ValueError(
                    f"two parts of the model are named {name!r}: give one of them another name"
                )
            blocks[name] = shape, values
        return blocks

    def _architecture(self) -> dict[str, Any] | None:
        """The arguments that make such a model, for a file; None if they are not known."""
        return None

    @classmethod
    def _shapes(cls, arguments: dict[str, Any]) -> dict[str, Index]:
        """The shapes, by name, in the state of the model that arguments in a file make."""
        raise ValueError(f"make the {cls.__name__} first, then write model.load(path)")


def _ties(blocks: Mapping[str, tuple[Index, list[Value]]]) -> tuple[int, ...]:
    parts = [values for _, values in blocks.values()]
    if len(set[Value]().union(*parts)) == sum(map(len, parts)):
        return ()
    every = [value for values in parts for value in values]
    places = {value: i for i, value in enumerate(dict.fromkeys(every))}
    return tuple([places[value] for value in every])


def parameters_of(given: Any) -> Any:
    """The parameters of a module; a list, or another iterable, as it is."""
    if hasattr(given, "parameters"):
        return given.parameters()
    if not hasattr(given, "__iter__"):
        raise TypeError(
            f"expected a module or a list of Values, got {type(given).__name__}: write [w] for one"
        )
    return given


def put(objects: Iterable[object], names: Iterable[str], values: Iterable[object]) -> None:
    """Set attributes, all of them or none: Ctrl-C cannot interrupt a single call into C."""
    deque(map(setattr, objects, names, values), maxlen=0)


# ------------------------------------------------------------------ the walk


def places_in(item: Any, name: str, seen: set[int]) -> Iterator[Place]:
    """The place of each Value in an item; `name` is the way to the item, as in `blocks[0]`.

    Lists of leaves that are equally long make one block. Else each part has a name of its own.
    """
    if isinstance(item, Value):
        yield name, () if item._operation is None else None, (item,)
    elif isinstance(item, HasParameters):
        if id(item) not in seen:
            for inner, index, values in item._places(seen):
                yield f"{name}.{inner}", index, values
    elif isinstance(item, dict):
        for key, part in () if is_data(item) else item.items():
            yield from places_in(part, f"{name}.{key}", seen)
    elif items := _items_of(item):
        if rows := _rows(items):
            for index, values in rows:
                yield name, index, values
        else:
            for i, part in enumerate(items):
                yield from places_in(part, f"{name}[{i}]", seen)


def are_leaves(items: Sequence[Any]) -> bool:
    """Whether all items are leaves: Values that were not computed."""
    are_values = all(issubclass(kind, Value) for kind in {*map(type, items)})
    return are_values and countOf(map(_operation, items), None) == len(items)


def layers_of(model: Any) -> list[Any]:
    """The layers that a row runs through one after the other; none if there is more to it.

    An attribute `_layers` of a model, or of a class that is not this package's, is the user's.
    """
    find: Any = getattr(type(model), "_layers", None)
    return find(model) if getattr(find, "__module__", "").startswith(PACKAGE) else []


def is_own(model: Any, *functions: Any) -> bool:
    """Whether all that is traced is code of this package, the same in each call.

    Code of others may count, draw or look at the kind of its numbers, and is looked into.
    """
    layers = layers_of(model)
    parts = [part for layer in layers for part in (layer, *getattr(layer, "neurons", ()))]
    functions = *functions, *[part.activation for part in parts]
    return bool(layers) and all(
        getattr(function, "__module__", "").startswith(PACKAGE)
        for function in functions
        if function is not None and not isinstance(function, str)
    )


def _items_of(item: Any) -> Sequence[Any]:
    """The items of a list, a tuple or an array of objects; none if all are plain numbers."""
    if is_array := getattr(getattr(item, "dtype", None), "kind", "") == "O":
        item = to_lists(item)
    if not isinstance(item, (list, tuple)) or is_data(item, keep=not is_array):
        return ()
    return item


def _rows(items: Sequence[Any], index: Index = ()) -> list[tuple[Index, Sequence[Value]]]:
    """The rows of a block, lists of leaves that are equally long, with their indices; else none."""
    if isinstance(items[0], Value):
        return [((*index, 0), items)] if are_leaves(items) else []
    rows: list[tuple[Index, Sequence[Value]]] = []
    shapes = set()
    for i, part in enumerate(items):
        inner = _items_of(part)
        found = _rows(inner, (*index, i)) if inner else []
        shapes.add(tuple([(at[len(index) + 1 :], len(values)) for at, values in found]))
        rows += found
    return rows if len(shapes) == 1 else []


def _name_of_entry(name: str, index: Index | None, i: int) -> str:
    """The name of one Value: W1[0,3] for the fourth Value in a row that begins at W1[0,0]."""
    if not index:
        return name
    return f"{name}[{','.join(map(str, (*index[:-1], index[-1] + i)))}]"


# ------------------------------------------------------------------ Values that are not trained


def _reaches(value: Value, parameters: Mapping[Value, Any]) -> bool:
    """Whether a Value was computed from a parameter, as an output is that a module keeps."""
    waiting, seen = [value], set[Value]()
    while waiting:
        node = waiting.pop()
        if node in parameters:
            return True
        if node not in seen:
            seen.add(node)
            waiting += [x for x in node.parents if isinstance(x, Value)]
    return False


def _warn(name: str, value: Value) -> None:
    """Warn, at the user's line, that a Value looks like a parameter and is none."""
    frame, level = sys._getframe(1).f_back, 2
    while frame and frame.f_back and frame.f_globals.get("__name__", "").startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(
        f"{name} was computed by {value.op}, so it is no parameter and is never trained: write "
        f"Value({value.data!r}) for a parameter, {value.data!r} for a number that stays",
        stacklevel=level + 1,
    )
