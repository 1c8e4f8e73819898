"""Why a node is what it is: layouts of a node, and walks over them, timed in one run.

`python -m tests.benchmarks.layouts` compares, on a network in * and + and on a long chain,

- `tuples, one record`: parents and slopes in tuples, one function that records any operation;
- `tuples, generated`: the same fields, filled by a function generated for each row of the table;
- `flat, readers counted`: two operands, two slopes in fields, and a walk that counts readers;
- `flat, set of seen`: the same, and a depth-first walk that keeps a set of what it has seen;
- `scalargrad`: flat, and a depth-first walk that marks what it has seen in the field `grad`.

The prototypes know + * and relu, walk without recursion and cut corners that a Value does not
(leaves are not summed apart, no modes, no locks), so that a Value is not flattered. The table shows
times relative to a Value, on the network of 611 operations, the network of 100,979 and the chain of
100,000, and bytes a node (CPython 3.11, an AMD EPYC, November 2026):

    tuples, one record        2.75   2.14   2.63   204
    tuples, generated         1.79   1.99   1.91   203
    flat, readers counted     1.34   1.16   1.15   144
    flat, set of seen         1.13   1.03   1.17   144
    scalargrad                1.00   1.00   1.00   120
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scalargrad import Value

from .eager import bytes_a_node, chain, check_equal, network, results_of, step
from .timing import UNHURRIED, Pace, interleaved, machine, table

ROWS = {
    "__add__": ("x + y", "1.0", "1.0"),
    "__mul__": ("x * y", "y", "x"),
    "relu": ("x if x > 0.0 else 0.0", "1.0 if x > 0.0 else 0.0"),
}


class Tuples:
    """Parents and slopes in tuples."""

    __slots__ = ("data", "grad", "op", "parents", "partials")

    def __init__(self, data: float, op: Any = None, parents: Any = (), partials: Any = ()) -> None:
        self.data, self.grad, self.op, self.parents, self.partials = (
            data,
            0.0,
            op,
            parents,
            partials,
        )

    def backward(self) -> None:
        order, seen, stack = [], set(), [self]
        while stack:
            node = stack.pop()
            if node is None:
                order.append(stack.pop())
            elif node.parents and node not in seen:
                seen.add(node)
                stack += (node, None, *node.parents)
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            slope = node.grad
            for parent, partial in zip(node.parents, node.partials):
                parent.grad += partial * slope


class OneRecord(Tuples):
    """`record(kernel, x, y)` for every operation."""

    __slots__ = ()


class Generated(Tuples):
    """A function for each operation, on tuples."""

    __slots__ = ()


class Flat:
    """Two operands, two slopes, a field for the walk."""

    __slots__ = ("data", "dx", "dy", "grad", "mark", "op", "x", "y")

    def __init__(self, data: float) -> None:
        self.data, self.grad, self.mark = data, 0.0, 0
        self.op = self.x = self.y = self.dx = self.dy = None


class Counted(Flat):
    """A node is ready when all its readers have sent their share."""

    __slots__ = ()

    def backward(self) -> None:
        reached = [self]
        self.grad = 0.0
        for node in reached:
            for operand in (node.x, node.y):
                if operand is not None and operand.op is not None:
                    if operand.mark:
                        operand.mark += 1
                    else:
                        operand.mark, operand.grad = 1, 0.0
                        reached.append(operand)
        self.grad = 1.0
        ready = [self]
        while ready:
            node = ready.pop()
            slope = node.grad
            for operand, partial in ((node.x, node.dx), (node.y, node.dy)):
                if operand is not None:
                    operand.grad += partial * slope
                    if operand.op is not None:
                        operand.mark -= 1
                        if not operand.mark:
                            ready.append(operand)


class SetOfSeen(Flat):
    """Depth first, with a set."""

    __slots__ = ()

    def backward(self) -> None:
        order, seen, stack = [], set(), [self]
        while stack:
            node = stack.pop()
            if node is None:
                order.append(stack.pop())
            elif node.op is not None and node not in seen:
                seen.add(node)
                node.grad = 0.0
                stack += (node, None, node.x)
                if node.y is not None:
                    stack.append(node.y)
        self.grad = 1.0
        for node in reversed(order):
            slope = node.grad
            node.x.grad += node.dx * slope
            if node.y is not None:
                node.y.grad += node.dy * slope


TUPLES = """
def record(self{other}):
    x = self.data{y}
    node = new(cls)
    node.data = {value}; node.grad = 0.0; node.op = op; node.parents = (self{other},); node.partials = ({slopes},)
    return node
"""
FLAT = """
def record(self{other}):
    x = self.data{y}
    node = new(cls)
    node.data = {value}; node.grad = 0.0; node.op = op; node.mark = 0
    node.x = self; node.dx = {dx}; node.y = {second}; node.dy = {dy}
    return node
"""


def fill(cls: Any, template: str) -> None:
    """Give a prototype its operations, from the rows."""
    for name, (value, *slopes) in ROWS.items():
        binary = len(slopes) == 2
        source = template.format(
            other=", other" if binary else "", y="; y = other.data" if binary else "", value=value, slopes=", ".join(slopes),
            dx=slopes[0], dy=slopes[1] if binary else "None", second="other" if binary else "None",
        )  # fmt: skip
        names: dict[str, Any] = {"new": object.__new__, "cls": cls, "op": name}
        exec(source, names)
        setattr(cls, name, names["record"])


def fill_one_record() -> None:
    """Give `OneRecord` its operations: kernels called by one function."""

    def record(kernel: Callable[..., Any], *operands: OneRecord) -> OneRecord:
        data, slopes = kernel(*[operand.data for operand in operands])
        return OneRecord(data, kernel, operands, slopes)

    for name, (value, *slopes) in ROWS.items():
        kernel = eval(
            f"lambda {'x, y' if len(slopes) == 2 else 'x'}: ({value}, ({', '.join(slopes)},))"
        )
        setattr(OneRecord, name, lambda *operands, kernel=kernel: record(kernel, *operands))


fill_one_record()
fill(Generated, TUPLES)
fill(Counted, FLAT)
fill(SetOfSeen, FLAT)
LAYOUTS: dict[str, Any] = {
    "tuples, one record": OneRecord,
    "tuples, generated": Generated,
    "flat, readers counted": Counted,
    "flat, set of seen": SetOfSeen,
    "scalargrad": Value,
}


def small(cls: Any) -> Any:
    return network(cls, (8, 16, 1), rows=2, wrap=True)


def large(cls: Any) -> Any:
    return network(cls, (8, 16, 1), rows=330, wrap=True)


def main(pace: Pace = UNHURRIED) -> None:
    workloads = {
        "network on 2 rows": small,
        "network on 330 rows": large,
        "chain": lambda cls: chain(cls, 100_000),
    }
    for title, build in workloads.items():
        built = {name: build(cls) for name, cls in LAYOUTS.items()}
        check_equal(
            {name: results_of(run, parameters) for name, (run, parameters, _) in built.items()}
        )
        operations = built["scalargrad"][2]
        seconds = interleaved(
            {name: step(run, parameters) for name, (run, parameters, _) in built.items()}, pace
        )
        table(
            f"layouts, {title}: {operations:,} operations, forward + backward",
            "ns/operation",
            seconds,
            1e9 / operations,
            "scalargrad",
        )
    print("\nlayouts, memory: bytes a node of the chain after backward")
    for name, cls in LAYOUTS.items():
        print(f"  {name:44}{bytes_a_node(cls):12.0f}")


if __name__ == "__main__":
    print(machine())
    main()
