"""From a row to the functions that record it: source that is written, shown and run.   (floor 1)

A recorded operation is the hot path of the package, so each row gets functions of its own, with the
row's text in them and no call between: `x * y` runs the source that `inspect.getsource(Value.__mul__)`
shows. A node is flat, two operands and two slopes in fields of its own. With tuples of them instead a network took 1.8 to 2 times
as long, filled by one function for all rows 2.1 to 2.8 times, and 1.7 times the memory; `python -m tests.benchmarks.layouts`
measures that again.
"""

from __future__ import annotations

from ..arithmetic.conversion import as_float
from ..arithmetic.total import ERRORS
from ..modes import announced, modes_on
from ..ops import LISTS, Op
from .templates import BINARY, OF_LISTS, OF_THREE, READ_LIST, READ_ONE, UNARY
from .text import FAST_NAMES, on_floats, run, statements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class _Known(tuple["Any", ...]):
    """A list of operands of one kind, so that the operations that read it need not look at each."""

    __slots__ = ()

    def __new__(cls, items: Iterable[Any]) -> tuple[Any, ...]:  # type: ignore[misc]
        return tuple(
            items
        )  # a copy of it, or a list made in its image, may hold other things: a trace puts its own in

    @classmethod
    def of(cls, items: Iterable[Any]) -> tuple[Any, ...]:
        """The list of items that are known to be of its kind."""
        return super().__new__(cls, items)


class Floats(_Known):
    """A list of operands known to be floats."""

    __slots__ = ()


class Values(_Known):
    """A list of operands known to be Values, of no subclass."""

    __slots__ = ()


def source(op: Op) -> str:
    """The source of the functions that record an operation of one or two operands."""

    def block(lines: list[str], depth: int) -> str:
        return ("\n" + "    " * depth).join(lines)

    forward, slopes = statements(op)
    if len(op.operands) == 1:
        return UNARY.format(
            name=op.name, forward=block(forward, 2), slopes=block(slopes, 2)
        ).lstrip()
    _, by_x = statements(op, by=("x",))
    _, by_y = statements(op, by=("y",))
    return BINARY.format(
        name=op.name, forward2=block(forward, 3), slopes2=block(slopes, 3), slope_x2=block(by_x, 3),
        forward=block(forward, 2), slope_y=block(by_y, 2),
    ).lstrip()  # fmt: skip


def source_of_lists(op: Op) -> str:
    """The source of the function that records an operation of lists: all Values or all floats in each."""
    forward, slopes = statements(op)
    read, gather, originals = [], [], [*op.operands]
    for i, p in enumerate(op.operands):
        is_list = p in LISTS
        originals[i] = f"{p}_nodes" if is_list else p
        read.append(
            (READ_LIST if is_list else READ_ONE).format(p=p, originals=", ".join(originals))
        )
        slopes_of = f"d{p}" if is_list else f"(d{p},)"
        gather.append(
            f"if {p}_recorded:\n        nodes += {p}_nodes\n        partials += {slopes_of}"
        )
    lists = f"({''.join(f'{p}_nodes, ' for p in op.operands).rstrip()})"
    if (
        "bias" in op.operands
    ):  # of Values without a bias `nodes` has both lists: the fewer are kept, the less has the collector to do
        lists = (
            f"(nodes, bias_nodes) if ws_recorded and xs_recorded and not bias_recorded else {lists}"
        )
    return OF_LISTS.format(
        name=op.name, operands=", ".join(op.operands),
        signature=", ".join("bias=0.0" if p == "bias" else p for p in op.operands) + (", *more" if len(op.operands) == 1 else ""),
        count="if more:\n        too_many(more)\n    " if len(op.operands) == 1 else "",
        read="\n    ".join(read), forward="\n        ".join(forward), slopes="\n        ".join(slopes), gather="\n    ".join(gather),
        results=", ".join(f"d{p}" for p in op.operands), lists=lists,
    ).lstrip()  # fmt: skip


def recorder(op: Op, cls: type[Any], operator: bool) -> tuple[Any, Any]:
    """The functions that record a row on nodes of `cls`: as it stands, and with a number as first operand.

    An operand that is no number is refused: by an operator with NotImplemented, so that an array on the other
    side has its turn, by a method with a TypeError.
    """

    def refuse(node: Any, other: Any) -> object:
        if hasattr(other, "records"):  # it is traced, and no number
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
            f"{op.name} takes one iterable, got {1 + len(more)} arguments: write {op.name}([x, y]){pairwise}"
        )

    def total(*operands: float) -> tuple[float, ...]:
        return on_floats(op)["total"](*operands)  # type: ignore[no-any-return]

    names = {
        **FAST_NAMES, "Value": cls, "new": object.__new__, "op": op, "op_swapped": op.swapped(), "ERRORS": ERRORS, "as_float": as_float,
        "refuse": refuse, "modes_on": modes_on, "announced": announced, "total": total,
    }  # fmt: skip
    record_mixed = recorder_of_many(op, cls)
    if op.takes_lists:
        names |= {
            "record_mixed": record_mixed,
            "only_floats": {float},
            "list_of": list_of,
            "too_many": too_many,
        }
        names |= {"Values": Values, "Floats": Floats}
        run(source_of_lists(op), f"<scalargrad {op.name}>", names)
    elif len(op.operands) > 2:
        others = ", ".join(op.operands[1:])
        names["record_mixed"] = record_mixed
        run(OF_THREE.format(name=op.name, operands=others), f"<scalargrad {op.name}>", names)
    else:
        run(source(op), f"<scalargrad {op.name}>", names)
    return names[f"record_{op.name}"], names.get(f"record_{op.name}_swapped")


def list_of(op: Op, operand: Any, name: str) -> tuple[Any, ...]:
    """The items of an operand that is a list; TypeError where it is none, or where its items are rows."""
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
    """What is said where rows of numbers are given in place of numbers."""
    first, *others = op.lists
    call = f"{op.name}({', '.join(['row', *others])})"
    return TypeError(
        f"{op.name} takes one row of Values and numbers, got rows ({type(given).__name__}): "
        f"write [{call} for row in {first}]"
    )


def recorder_of_many(op: Op, cls: type[Any]) -> Callable[..., Any]:
    """The function that records a row of any operands, numbers of all kinds and Values mixed, as one node."""

    def number(name: str, item: Any) -> float:
        data = item.data if isinstance(item, cls) else as_float(item)
        if data is None:
            if name in LISTS and hasattr(item, "__len__") and not isinstance(item, str):
                raise got_rows(op, item)
            raise TypeError(f"{op.name} takes Values and real numbers, got {type(item).__name__}")
        return data

    def record(*operands: Any) -> Any:
        if len(operands) != len(op.operands):
            raise TypeError(
                f"{op.name} takes {len(op.operands)} operands ({', '.join(op.operands)}), got {len(operands)}"
            )
        lists = [
            tuple(operand) if name in LISTS else (operand,)
            for name, operand in zip(op.operands, operands)
        ]
        for item in (item for items in lists for item in items):
            if (
                item.__class__ is not cls
                and item.__class__ is not float
                and (records := getattr(item, "records", None))
            ):
                ws, xs, *_ = [*lists, ()]
                if op.name == "dot" and len(ws) != len(xs):
                    raise ValueError(
                        f"dot takes two lists of one length, got {len(ws)} and {len(xs)} numbers"
                    )
                return records(
                    op, tuple([item for items in lists for item in items])
                )  # one that is traced
        flat: list[Any] = []  # the operands as they came, numbers as floats
        numbers: list[Any] = []  # for each operand its number, or list of numbers
        for name, items in zip(op.operands, lists):
            data = [number(name, item) for item in items]
            numbers.append(data if name in LISTS else data[0])
            flat += [item if isinstance(item, cls) else x for item, x in zip(items, data)]
        if not any(isinstance(item, cls) for item in flat):
            return on_floats(op)["value"](*numbers)
        rest = iter(flat)
        node = cls._record(
            op,
            *[
                tuple([next(rest) for _ in items]) if name in LISTS else next(rest)
                for name, items in zip(op.operands, lists)
            ],
        )
        return announced(node) if modes_on else node

    return record
