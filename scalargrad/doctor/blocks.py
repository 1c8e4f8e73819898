"""Arguments as blocks of numbers with names and shapes: W1, b1, weights[0].   (floor 2)

A block is an array, a number, or nested lists of numbers in which all rows have one length. The
gradient that a person gives is matched with the blocks of the arguments.
"""

from __future__ import annotations

from itertools import count
from math import prod
from struct import pack, unpack
from typing import NamedTuple

from ..trees import is_array, is_module, leaves, rebuilt
from ..value import Value
from ..wording import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

BITS = {"float16": 10, "bfloat16": 7, "float32": 23}  # of the fraction of a number


class Block(NamedTuple):
    """A block of an argument; `places` are those of its numbers among the numbers of all."""

    name: str
    shape: tuple[int, ...]
    places: list[int]

    def entry(self, k: int) -> str:
        """The name of the k-th number, W1[0, 2]."""
        return self.name + (f"[{', '.join(map(str, self.position(k)))}]" if self.shape else "")

    def position(self, k: int) -> tuple[int, ...]:
        """Where the k-th number stands."""
        place: list[int] = []
        for length in reversed(self.shape):
            k, i = divmod(k, length)
            place.append(i)
        return tuple(reversed(place))


class Given(NamedTuple):
    """The numbers that a person derived for a block, and how exact their kind can be."""

    shape: tuple[int, ...]
    numbers: list[float]
    epsilon: float


def matched(
    args: Sequence[Any], names: Sequence[str], given: Sequence[Any]
) -> tuple[list[Block], list[Given | None]]:
    """The blocks of the arguments, and for each what was given, None if nothing was.

    ValueError if a name or a length does not fit, TypeError if an item is no number.
    """
    counter = count()
    pairs: list[tuple[str, str, Any, Any]] = []
    for tree, name, part in zip(args, names, given):
        pairs += _pairs(rebuilt(tree, counter), part, name, name)
    short = [name for name, *_ in pairs]
    blocks, parts = [], []
    for name, full, tree, part in pairs:
        shape = _shape(tree)
        assert shape is not None
        chosen = name if short.count(name) == 1 else full
        blocks.append(Block(chosen, shape, [int(i) for i in leaves(tree, full)]))
        parts.append(None if part is None else _given(part, chosen))
    if all(part is None for part in parts):
        raise ValueError(f"given holds no gradient: give one of {listed(short)}")
    return blocks, parts


def _pairs(tree: Any, given: Any, name: str, full: str) -> Iterator[tuple[str, str, Any, Any]]:
    """Each block of the structure with what was given for it: (short name, full name, both)."""
    if isinstance(tree, dict):
        if given is not None and not isinstance(given, dict):
            raise ValueError(
                f"given for {full} is {type(given).__name__}: give a dict with the keys "
                f"{listed([*tree])}, or some of them"
            )
        if unknown := [key for key in given or () if key not in tree]:
            raise ValueError(f"given has {listed(unknown)}, but {full} has {listed([*tree])}")
        for key, item in tree.items():
            of_key = key if isinstance(key, str) else f"{full}[{key!r}]"
            part = None if given is None else given.get(key)
            yield from _pairs(item, part, of_key, f"{full}[{key!r}]")
    elif _shape(tree) is None:
        if given is not None and (not isinstance(given, list | tuple) or len(given) != len(tree)):
            got = f"{len(given)}" if isinstance(given, list | tuple) else type(given).__name__
            raise ValueError(f"given for {full} must have {len(tree)} items as it has, got {got}")
        for i, item in enumerate(tree):
            part = None if given is None else given[i]
            yield from _pairs(item, part, f"{name}[{i}]", f"{full}[{i}]")
    else:
        yield name, full, tree, given


def _given(part: Any, name: str) -> Given:
    if is_module(part) or isinstance(part, dict):
        raise ValueError(f"given for {name} is {type(part).__name__}, expected its numbers")
    kind = str(getattr(part, "dtype", "")).removeprefix("torch.")
    if getattr(part, "ndim", 1) == 0 and hasattr(part, "item"):  # an array of one number
        part = part.item()
    numbers = [x.data if isinstance(x, Value) else float(x) for x in leaves(part, f"given {name}")]
    shape = _shape(part)
    if shape is None:
        shape = (len(numbers),)
    bits = BITS.get(kind, 52)
    if bits == 52 and _is_single(numbers):
        bits = 23
    return Given(shape, numbers, 2.0**-bits)


def _is_single(numbers: list[float]) -> bool:
    """Whether numbers were computed in single precision: they fit in it, and fill it."""
    fractions = [x for x in numbers if x and abs(x) < 1e38]
    return (
        bool(fractions)
        and all(_rounded(x, 29) == x for x in fractions)
        and any(_rounded(x, 37) != x for x in fractions)
    )


def _rounded(x: float, bits: int) -> float:
    """The number with its last bits cut off."""
    (whole,) = unpack("<Q", pack("<d", x))
    (cut,) = unpack("<d", pack("<Q", whole >> bits << bits))
    return float(cut)


def _shape(tree: Any) -> tuple[int, ...] | None:
    """The shape of a block; None if the structure is not one."""
    if is_array(tree):
        return tuple(map(int, tree.shape))
    if is_module(tree) or isinstance(tree, dict):
        return None
    if not isinstance(tree, list | tuple):
        return ()
    if any(is_array(x) for x in tree):
        return None
    shapes = {_shape(x) for x in tree}
    if len(shapes) > 1 or None in shapes:
        return None
    return (len(tree), *(shapes.pop() if shapes else ()))  # type: ignore[misc]


def size_of(shape: tuple[int, ...]) -> int:
    """The count of numbers in an array of the shape."""
    return prod(shape)
