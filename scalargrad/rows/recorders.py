"""Faster copies of `value.record`, generated for each operation.   (floor 1)

A program spends most of its time recording. So each operation gets a function of its own, in which
its formula is written out and nothing else is called: `x * y` runs the source that
`inspect.getsource(Value.__mul__)` shows. `templates` holds the texts with gaps, and here the gaps
are filled. A test holds the copies equal to `value.record`, bit for bit.

`python -m tests.benchmarks.layouts` compares ways to record. With operands in tuples a network took
1.8 to 2 times as long; with one function for all operations 2.1 to 2.8 times, and 1.7 times the
memory.
"""

from __future__ import annotations

from sys import exc_info

from ..arithmetic.conversion import as_float
from ..arithmetic.total import ERRORS
from ..graph import misused
from ..modes import announced, modes_on
from ..ops import LISTS, Op
from .templates import BINARY, MANY_OPERANDS, READ_LIST, READ_ONE, UNARY
from .text import FAST_NAMES, on_floats, run, statements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


# ------------------------------------------------------------------ lists of one kind


class _OneKind(tuple["Any", ...]):
    """A list of operands that are all of one kind, so that an operation need not look at each.

    To call the class gives a plain tuple: who rebuilds the list, as a trace does, may put other
    things in. `of` makes a list that is known to be of one kind.
    """

    __slots__ = ()

    def __new__(cls, items: Iterable[Any]) -> tuple[Any, ...]:  # type: ignore[misc]
        return tuple(items)

    @classmethod
    def of(cls, items: Iterable[Any]) -> tuple[Any, ...]:
        """The list of these items, all of which are of this kind."""
        return super().__new__(cls, items)


class Floats(_OneKind):
    """A list of floats."""

    __slots__ = ()


class Values(_OneKind):
    """A list of Values, none of them of a subclass."""

    __slots__ = ()


# ------------------------------------------------------------------ source


def source(op: Op) -> str:
    """The source of the function, or both functions, that record an operation."""
    if op.takes_lists or len(op.operands) > 2:
        return source_of_many(op)
    forward, slopes = statements(op)
    if len(op.operands) == 1:
        text = UNARY.format(name=op.name, forward=_block(forward, 2), slopes=_block(slopes, 2))
        return text.lstrip()
    _, by_x = statements(op, by=("x",))
    _, by_y = statements(op, by=("y",))
    return BINARY.format(
        name=op.name,
        forward2=_block(forward, 3),
        slopes2=_block(slopes, 3),
        slope_x2=_block(by_x, 3),
        forward=_block(forward, 2),
        slope_y=_block(by_y, 2),
    ).lstrip()


def _block(lines: list[str], depth: int) -> str:
    return ("\n" + "    " * depth).join(lines)


def source_of_many(op: Op) -> str:
    """The source of the function that records an operation on lists, or on three operands."""
    forward, slopes = statements(op)
    read, gather, originals = [], [], [*op.operands]
    for i, p in enumerate(op.operands):
        is_list = p in LISTS
        originals[i] = f"{p}_nodes" if is_list else p
        template = READ_LIST if is_list else READ_ONE
        read.append(template.format(p=p, originals=", ".join(originals)))
        if not is_list:
            originals[i] = f"{p}_nodes[0]"  # the operand itself, as its name now means its number
        partials = f"d{p}" if is_list else f"(d{p},)"
        gather += [f"if {p}_recorded:", f"    nodes += {p}_nodes", f"    partials += {partials}"]
    lists = f"({''.join(f'{p}_nodes, ' for p in op.operands).rstrip()})"
    if "bias" in op.operands:
        # If weights and inputs are all Values and the bias is not, `nodes` holds both lists
        # already. To keep fewer tuples spares the garbage collector work.
        all_values = "ws_recorded and xs_recorded and not bias_recorded"
        lists = f"(nodes, bias_nodes) if {all_values} else {lists}"
    signature = ["bias=0.0" if p == "bias" else p for p in op.operands]
    count = ""
    if len(op.operands) == 1:  # max(x, y) gets an error that says: write max([x, y])
        signature.append("*more")
        count = "if more:\n        too_many(more)\n    "
    return MANY_OPERANDS.format(
        name=op.name,
        operands=", ".join(op.operands),
        signature=", ".join(signature),
        count=count,
        read=_block(read, 1),
        forward=_block(forward, 2),
        slopes=_block(slopes, 2),
        gather=_block(gather, 1),
        results=", ".join(f"d{p}" for p in op.operands),
        lists=lists,
        originals=", ".join(originals),
    ).lstrip()


# ------------------------------------------------------------------ functions


def recorder(op: Op, cls: type[Any], operator: bool) -> tuple[Any, Any]:
    """The function that records an operation on nodes of `cls`, and the one for a number first.

    They refuse an operand that is no number. An operator returns NotImplemented, so that an array
    on the other side has its turn; a method raises TypeError.
    """

    def refuse(node: Any, other: Any) -> object:
        if hasattr(other, "records"):  # a number in a trace records itself
            return other.records(op, (node, other))
        if operator:
            return NotImplemented
        call = f"scalargrad.{op.name}({', '.join(op.operands)})"
        advice = f": write {call} for arrays" if hasattr(other, "__array__") else ""
        raise TypeError(
            f"{op.name} takes a Value or a real number, got {type(other).__name__}{advice}"
        )

    def too_many(more: tuple[Any, ...]) -> None:
        pairwise = f" or {op.name}imum(x, y)" if op.name in ("max", "min") else ""
        raise TypeError(
            f"{op.name} takes one iterable, got {1 + len(more)} arguments: "
            f"write {op.name}([x, y]){pairwise}"
        )

    def data_of(x: Any) -> Any:
        if isinstance(x, tuple):
            return [*map(data_of, x)]
        return number_of(x) if isinstance(x, cls) else x

    def total(*operands: Any) -> tuple[float, ...]:
        numbers = [*map(data_of, operands)]
        if isinstance(error := exc_info()[1], TypeError):  # a user's function raised it
            raise error
        return on_floats(op)["total"](*numbers)  # type: ignore[no-any-return]

    record_mixed = mixed_recorder(op, cls)
    names = {
        **FAST_NAMES, "Value": cls, "new": object.__new__, "op": op, "op_swapped": op.swapped(),
        "ERRORS": (*ERRORS, TypeError), "total": total, "as_float": as_float, "refuse": refuse,
        "modes_on": modes_on, "announced": announced, "record_mixed": record_mixed,
    }  # fmt: skip
    if op.takes_lists:
        names |= {
            "Values": Values, "Floats": Floats, "only_floats": {float}, "list_of": list_of,
            "too_many": too_many,
        }  # fmt: skip
    run(source(op), f"<scalargrad {op.name}>", names)
    return names[f"record_{op.name}"], names.get(f"record_{op.name}_swapped")


def number_of(node: Any) -> float:
    """The data of a Value; TypeError that names it where somebody set them to what is no number."""
    if as_float(node.data) is None and (error := misused(node)):
        raise error from None
    return node.data  # type: ignore[no-any-return]


def list_of(op: Op, operand: Any, name: str) -> tuple[Any, ...]:
    """The items of an operand that is a list; TypeError if it is no list, or a list of lists."""
    try:
        items = tuple(operand)
    except TypeError:
        raise TypeError(
            f"{op.name} takes an iterable of Values and numbers as {name}, "
            f"got {type(operand).__name__}"
        ) from None
    if getattr(operand, "ndim", 1) != 1 or isinstance(next(iter(items), None), (list, tuple)):
        raise got_rows(op, operand)
    return items


def got_rows(op: Op, given: object) -> TypeError:
    """The error for rows of numbers in place of numbers."""
    first, *others = op.lists
    call = f"{op.name}({', '.join(['row', *others])})"
    if hasattr(given, "columns"):  # a data frame, whose items are its columns' names
        first += ".to_numpy()"
    return TypeError(
        f"{op.name} takes one row of Values and numbers, got rows ({type(given).__name__}): "
        f"write [{call} for row in {first}]"
    )


def mixed_recorder(op: Op, cls: type[Any]) -> Callable[..., Any]:
    """The slower function that records an operation on Values and numbers of all kinds."""

    def data_of(name: str, item: Any) -> float:
        data = number_of(item) if isinstance(item, cls) else as_float(item)
        if data is None:
            if name in LISTS and hasattr(item, "__len__") and not isinstance(item, str):
                raise got_rows(op, item)
            raise TypeError(f"{op.name} takes Values and real numbers, got {type(item).__name__}")
        return data

    def record(*operands: Any) -> Any:
        if len(operands) != len(op.operands):
            raise TypeError(
                f"{op.name} takes {len(op.operands)} operands ({', '.join(op.operands)}), "
                f"got {len(operands)}"
            )
        named = [
            (name, tuple(x) if name in LISTS else (x,)) for name, x in zip(op.operands, operands)
        ]
        items = [item for _, list_ in named for item in list_]
        traced = next((x for x in items if x.__class__ is not cls and hasattr(x, "records")), None)
        if traced is not None:
            if op.name == "dot" and len(named[0][1]) != len(named[1][1]):
                raise ValueError(
                    f"dot takes two lists of one length, "
                    f"got {len(named[0][1])} and {len(named[1][1])} numbers"
                )
            if op.name == "dot" and len(items) == 1:  # a dot of nothing is its bias
                return traced
            return traced.records(op, tuple(items))
        # Numbers of all kinds become floats.
        data = [[data_of(name, item) for item in list_] for name, list_ in named]
        if not any(isinstance(item, cls) for item in items):
            numbers = [xs if name in LISTS else xs[0] for (name, _), xs in zip(named, data)]
            return on_floats(op)["value"](*numbers)
        kept = [
            tuple([item if isinstance(item, cls) else x for item, x in zip(list_, xs)])
            for (_, list_), xs in zip(named, data)
        ]
        node = cls._record(
            op, *[xs if name in LISTS else xs[0] for (name, _), xs in zip(named, kept)]
        )
        return announced(node) if modes_on else node

    return record
