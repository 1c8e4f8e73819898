"""Module: something with parameters, found in its attributes.   (floor 3)

>>> from scalargrad import Value
>>> class Line(Module):
...     def __init__(self):
...         self.slope, self.height = Value(0.0), Value(0.0)
...     def __call__(self, x):
...         return self.slope * x + self.height
>>> line = Line()
>>> history = line.fit([0, 1, 2], [1, 3, 5], lr=0.2, epochs=200)
>>> [(name, round(value.data, 6)) for name, value in line.named_parameters()]
[('slope', 2.0), ('height', 1.0)]
"""

from __future__ import annotations

from itertools import repeat

from ..arithmetic.conversion import to_float
from ..value import Value
from . import training
from .checks import listed
from .optimizers import put
from .rows import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    Block = Value | list[Any]  # a Value, or equally long lists of them


class State(dict[str, "Any"]):
    """The numbers of a module's parameters by name, `{"W1": nout × nin, "b1": nout, …}`; `module` is what they belong to."""

    module: Module

    def __init__(self, module: Module, numbers: Mapping[str, Any]) -> None:
        super().__init__(numbers)
        self.module = module

    def __reduce__(self) -> tuple[Any, ...]:
        return State, (self.module, dict(self))


class Module:
    """The base of all models: an object whose attributes hold Values, Modules, or lists, tuples and dicts of them.

    The leaf Values among them are its parameters, in the order in which the attributes were set.
    """

    fit = training.fit
    predict = training.predict

    def parameters(self) -> list[Value]:
        """All parameters, each once; in a network each neuron's weights and then its bias."""
        return list(dict.fromkeys(leaves(self, set())))

    def named_parameters(self) -> list[tuple[str, Value]]:
        """All parameters with their names: `W1[0,1]`, `b1[0]` in a network, `encoder.W1[0,1]` where it is an attribute.

        >>> from scalargrad.nn import Layer
        >>> [name for name, value in Layer(2, 1).named_parameters()]
        ['W[0,0]', 'W[0,1]', 'b[0]']
        """
        names: dict[Value, str] = {}
        for name, block in self._blocks(set()).items():
            for index, value in _entries(block):
                names.setdefault(value, f"{name}[{','.join(map(str, index))}]" if index else name)
        return [(names[value], value) for value in self.parameters()]

    def zero_grad(self) -> None:
        """Set all gradients to 0."""
        for value in self.parameters():
            value.grad = 0.0

    def state(self) -> State:
        """The parameters' numbers by name, matrices as arrays if NumPy is installed, else as nested lists.

        >>> from scalargrad.nn import Neuron
        >>> Neuron(1, init="zeros").state()["b"]
        0.0
        """
        return self.arranged(value.data for value in self.parameters())

    def arranged(self, content: Iterable[Any]) -> State:
        """What belongs to each parameter, in the order of `parameters()`, in the shapes of a state: a gradient for example."""
        places = dict(zip(self.parameters(), content, strict=True))
        return State(
            self,
            {name: _array(_replaced(block, places)) for name, block in self._blocks(set()).items()},
        )

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Put the numbers of a state, or of any mapping like it, into the parameters.

        ValueError, and no change, where names or shapes differ from this module's.
        """
        blocks = self._blocks(set())
        if set(state) != set(blocks):
            missing, surplus = (
                listed(name for name in blocks if name not in state),
                listed(name for name in state if name not in blocks),
            )
            parts = [
                f"lacks {missing}" if missing else "",
                f"has {surplus} more" if surplus else "",
            ]
            raise ValueError(
                f"the state {' and '.join(filter(None, parts))}: {self!r} has {listed(blocks)}"
            )
        values: list[Value] = []
        numbers: list[float] = []
        for name, block in blocks.items():
            given = plain(state[name])
            if _shape(given) != _shape(block):
                raise ValueError(
                    f"{name} is {_written(_shape(block))} in {self!r}, got {_written(_shape(given))}"
                )
            values += [value for _, value in _entries(block)]
            numbers += [to_float(number, name) for _, number in _entries(given)]
        put(values, repeat("data"), numbers)

    def summary(self) -> str:
        """A table of what it consists of and how many parameters each part has, to be printed.

        >>> from scalargrad.nn import MLP
        >>> print(MLP(2, [3, 1], activation="sigmoid").summary())
        MLP(2, [3, 1], activation='sigmoid')
        layer 1     2 → 3  sigmoid   9
        layer 2     3 → 1  linear    4
        parameters                  13
        """
        parts = [*self._parts(), ("parameters", "", "", len(self.parameters()))]
        texts = [(name, shape, note, f"{count:,}") for name, shape, note, count in parts]
        a, b, c, d = (max(map(len, column)) for column in zip(*texts))
        lines = [
            f"{name:{a}}  {shape:{b}}  {note:{c}}  {count:>{d}}"
            for name, shape, note, count in texts
        ]
        return "\n".join([repr(self), *lines])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.parameters())} parameters)"

    def _blocks(self, seen: set[int]) -> dict[str, Block]:
        """Name and Values of each part that is an array by itself."""
        return self._blocks_but("", seen)

    def _blocks_but(self, own: str, seen: set[int]) -> dict[str, Block]:
        """The blocks of all attributes but one, which a subclass names in a way of its own."""
        seen.add(id(self))
        found: dict[str, Block] = {}
        for name, item in vars(self).items():
            if name != own:
                _collect(name, item, found, seen)
        return found

    def _parts(self) -> Iterator[tuple[str, str, str, int]]:
        """The lines of the summary: name, shape, a note, number of parameters."""
        for name, block in self._blocks(set()).items():
            yield name, _written(_shape(block)), "", sum(1 for _ in _entries(block))


# ------------------------------------------------------------------ walks through attributes


def _contents(item: Any) -> list[tuple[str, Any]]:
    """What a container holds, each with what to write behind the container's name to reach it."""
    if isinstance(item, Module):
        return [(f".{name}", part) for name, part in vars(item).items()]
    if isinstance(item, dict):
        return [(f".{key}", part) for key, part in item.items()]
    if hasattr(item, "dtype"):  # an array of Values
        item = plain(item)
    return (
        [(f"[{i}]", part) for i, part in enumerate(item)] if isinstance(item, (list, tuple)) else []
    )


def leaves(item: Any, seen: set[int]) -> list[Value]:
    """The leaf Values in an item, in order; `seen` keeps what holds its own holder from going round."""
    if isinstance(item, Value):
        return [item] if item._operation is None else []
    if isinstance(item, Module):
        if id(item) in seen:
            return []
        seen.add(id(item))
    found: list[Value] = []
    for part in item if isinstance(item, (list, tuple)) else [part for _, part in _contents(item)]:
        if part.__class__ is not Value:
            found += leaves(part, seen)
        elif part._operation is None:
            found.append(part)
    return found


def _collect(name: str, item: Any, found: dict[str, Block], seen: set[int]) -> None:
    """Put the blocks in an item into `found`."""
    if isinstance(item, Module):
        if id(item) not in seen:
            found.update(
                merged(found, {f"{name}.{key}": inner for key, inner in item._blocks(seen).items()})
            )
    elif (block := _block(item)) is not None:
        found.update(merged(found, {name: block}))
    else:
        for where, part in _contents(item):
            _collect(f"{name}{where}", part, found, seen)


def merged(*parts: Mapping[str, Block]) -> dict[str, Block]:
    """Blocks of several parts; ValueError where two have one name."""
    found: dict[str, Block] = {}
    for part in parts:
        for name in part:
            if name in found:
                raise ValueError(
                    f"two parts of the model are named {name!r}: give one of them another name"
                )
        found.update(part)
    return found


def _block(item: Any) -> Block | None:
    """A leaf Value, or equally long lists of them, as lists; None of anything else."""
    if isinstance(item, Value):
        return item if item._operation is None else None
    if isinstance(item, (dict, Module)):
        return None
    blocks = [_block(part) for _, part in _contents(item)]
    if not blocks or None in blocks or len({_shape(block) for block in blocks}) > 1:
        return None
    return blocks


def _shape(block: Any) -> tuple[int, ...] | None:
    """(3, 2) of three lists of two, () of no list, None of lists that are not alike."""
    if not isinstance(block, (list, tuple)):
        return ()
    shapes = {_shape(part) for part in block}
    if len(shapes) > 1 or None in shapes:
        return None
    return (len(block), *(shapes.pop() if shapes else ()))  # type: ignore[misc]


def _written(shape: tuple[int, ...] | None) -> str:
    return "ragged" if shape is None else " × ".join(map(str, shape)) or "a number"


def _entries(block: Any, index: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """The entries of nested lists, each with its index."""
    if not isinstance(block, (list, tuple)):
        yield index, block
    elif any(isinstance(part, (list, tuple)) for part in block):
        for i, part in enumerate(block):
            yield from _entries(part, (*index, i))
    else:
        yield from [((*index, i), part) for i, part in enumerate(block)]


def _replaced(block: Any, places: Mapping[Value, Any]) -> Any:
    return [_replaced(part, places) for part in block] if isinstance(block, list) else places[block]


def _array(block: Any) -> Any:
    """Nested lists as an array if NumPy is installed and they hold numbers."""
    if not isinstance(block, list) or any(isinstance(entry, Value) for _, entry in _entries(block)):
        return block
    try:
        from numpy import array
    except ImportError:
        return block
    return array(block)
