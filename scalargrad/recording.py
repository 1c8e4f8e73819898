"""From a row to the functions that record it: source that is written, shown and run.   (floor 1)

A recorded operation is the hot path of the package, so each row gets functions of its own, with the
row's text in them and no call between: `x * y` runs the source that `inspect.getsource(Value.__mul__)`
shows. They are generated when an operation is first used, which keeps the import short.

`modes` is for what is switched on and off (`no_grad`, `detect_anomaly`): while it is empty, a recorded
operation pays one test for it.
"""

from __future__ import annotations

from contextvars import ContextVar

from .floats import ERRORS, RAW, TOTAL, real
from .ops import LISTS, OPS, Op

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable
    from typing import Any, Protocol

    from .value import Value

    class Mode(Protocol):
        """Something that is told of each node as it is made, and of each backward walk."""

        def made(self, node: Value) -> Value: ...
        def walked(self, order: list[Value]) -> None: ...


modes: list[object] = []  # one entry for each mode that is on in any thread: no entry, no cost
active: ContextVar[tuple[Mode, ...]] = ContextVar("active", default=())  # those of this thread


def watch(node: Value) -> Value:
    """Show a new node to the modes that are on here."""
    for mode in active.get():
        node = mode.made(node)
    return node


def watch_walk(order: list[Value]) -> None:
    """Show a finished backward walk to the modes that are on here."""
    for mode in active.get():
        mode.walked(order)


# ------------------------------------------------------------------ a row as statements


def statements(op: Op, by: tuple[str, ...] | None = None, total: bool = False) -> tuple[list[str], list[str]]:
    """The lines that compute `out`, and those that compute the slopes `dx`, `dy`, … (all, or only `by` some operands).

    Calls of other rows are written out in place and their work is shared; with `total`, division is
    written as a call, so that it can answer 1/0.

    >>> statements(OPS["tanh"])[1]
    ['a = 2.0 * x', 'e = exp(-abs(a))', 'dx = 4.0 * (e / ((1.0 + e) * (1.0 + e)))']
    """
    import ast

    names: dict[str, str] = {}  # expression → the local name that holds it
    lines: list[str] = []

    def local(name: str, expression: str) -> str:
        if expression not in names:
            taken = set(names.values()) | {*op.operands, "out"}
            fresh = name if name not in taken else next(n for i in range(2, 99) if (n := f"{name}{i}") not in taken)
            names[expression] = fresh
            lines.append(f"{fresh} = {expression}")
        return names[expression]

    class Inline(ast.NodeTransformer):
        """Writes rows' own expressions in place of their calls, arguments in place of operands."""

        def __init__(self, arguments: dict[str, str]) -> None:
            self.arguments = arguments

        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.Name(self.arguments.get(node.id, node.id))

        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in RAW or name not in OPS:
                return node
            row = OPS[name]
            simple = (ast.Name, ast.Constant)
            arguments = [ast.unparse(a) if isinstance(a, simple) else local("a", ast.unparse(a)) for a in node.args]
            return ast.parse(written_out(row, dict(zip(row.operands, arguments, strict=True)), row.value), mode="eval").body

        def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
            self.generic_visit(node)
            if total and isinstance(node.op, ast.Div):
                return ast.Call(ast.Name("divide"), [node.left, node.right], [])
            return node

    def written_out(row: Op, arguments: dict[str, str], expression: str) -> str:
        inner = Inline(dict(arguments))
        for line in row.work:
            name, _, text = line.partition(" = ")
            inner.arguments[name] = local(name, ast.unparse(inner.visit(ast.parse(text, mode="eval")).body))
        return ast.unparse(inner.visit(ast.parse(expression, mode="eval")).body)

    plain = {name: name for name in op.operands}
    out = written_out(op, plain, op.value)
    forward, lines[:] = [*lines, f"out = {out}"], []
    for operand, slope in zip(op.operands, op.slopes or (), strict=True):
        if by is None or operand in by:
            lines.append(f"d{operand} = {written_out(op, plain, slope)}")
    return forward, lines


# ------------------------------------------------------------------ statements as functions

# What follows `on Value` records a graph of two Values, what follows `on number` one Value and a constant.
UNARY = """
def record_{name}(self):
    x = self.data
    try:
        {forward}
        {slopes}
    except ERRORS:
        out, dx = total(x)
    node = new(Value)
    node.data = out; node.grad = 0.0; node.label = ""; node.row = row
    node.x = self; node.y = None; node.dx = dx; node.dy = None
    return watch(node) if modes else node
"""

BINARY = """
def record_{name}(self, other):
    x = self.data
    if other.__class__ is Value or isinstance(other, Value):
        y = other.data
        try:
            {forward2}
            {slopes2}
        except ERRORS:
            out, dx, dy = total(x, y)
    else:
        y = other if other.__class__ is float else real(other)
        if y is None:
            return refuse(row, other)
        try:
            {forward2}
            {slope_x2}
        except ERRORS:
            out, dx, dy = total(x, y)
        other, dy = None, y
    node = new(Value)
    node.data = out; node.grad = 0.0; node.label = ""; node.row = row
    node.x = self; node.y = other; node.dx = dx; node.dy = dy
    return watch(node) if modes else node


def record_{name}_swapped(self, other):
    y = self.data
    x = other if other.__class__ is float else real(other)
    if x is None:
        return refuse(row, other)
    try:
        {forward}
        {slope_y}
    except ERRORS:
        out, dx, dy = total(x, y)
    node = new(Value)
    node.data = out; node.grad = 0.0; node.label = ""; node.row = row_swapped
    node.x = self; node.y = None; node.dx = dy; node.dy = x
    return watch(node) if modes else node
"""

OF_LISTS = """
def record_{name}({signature}):
    {read}
    try:
        {forward}
        {slopes}
    except ERRORS:
        out, {results} = total({operands})
    nodes, partials = [], []
    {gather}
    if not nodes:
        return out
    node = new(Value)
    node.data = out; node.grad = 0.0; node.label = ""; node.row = row
    node.x = None; node.y = tuple(nodes); node.dx = ({flat}); node.dy = tuple(partials)
    return watch(node) if modes else node
"""

READ_LIST = """{p}_nodes = tuple({p})
    {p} = [node.data for node in {p}_nodes if node.__class__ is Value]
    {p}_recorded = len({p}) == len({p}_nodes)
    if not {p}_recorded:  # all floats will do, else numbers of several kinds
        if {p} or not only_floats.issuperset(map(type, {p}_nodes)):
            return record_mixed({originals})
        {p} = {p}_nodes"""

READ_ONE = """{p}_node = {p}
    {p}_recorded = {p}.__class__ is Value
    if {p}_recorded:
        {p} = {p}.data
    elif {p}.__class__ is not float:
        return record_mixed({originals})"""

ON_FLOATS = """
def total({operands}):
    {forward}
    {slopes}
    return {results}


def value({operands}):
    {forward}
    return out
"""


def source(op: Op) -> str:
    """The source of the functions that record an operation of one or two operands."""

    def block(lines: list[str], depth: int) -> str:
        return ("\n" + "    " * depth).join(lines)

    forward, slopes = statements(op)
    if len(op.operands) == 1:
        return UNARY.format(name=op.name, forward=block(forward, 2), slopes=block(slopes, 2)).lstrip()
    _, by_x = statements(op, by=("x",))
    _, by_y = statements(op, by=("y",))
    return BINARY.format(
        name=op.name, forward2=block(forward, 3), slopes2=block(slopes, 3), slope_x2=block(by_x, 3),
        forward=block(forward, 2), slope_y=block(by_y, 2),
    ).lstrip()  # fmt: skip


def source_of_lists(op: Op) -> str:
    """The source of the function that records an operation of lists: all Values or all floats in each."""
    forward, slopes = statements(op)
    read, gather, flat, originals = [], [], [], [*op.operands]
    for i, p in enumerate(op.operands):
        is_list = p in LISTS
        originals[i] = f"{p}_nodes" if is_list else f"{p}_node"
        read.append((READ_LIST if is_list else READ_ONE).format(p=p, originals=", ".join(originals)))
        nodes, partials = (f"{p}_nodes", f"d{p}") if is_list else (f"({p}_node,)", f"(d{p},)")
        gather.append(f"if {p}_recorded:\n        nodes += {nodes}\n        partials += {partials}")
        flat.append(f"*{nodes}, " if is_list else f"{p}_node, ")
    return OF_LISTS.format(
        name=op.name, signature=", ".join("bias=0.0" if p == "bias" else p for p in op.operands), operands=", ".join(op.operands),
        read="\n    ".join(read), forward="\n        ".join(forward), slopes="\n        ".join(slopes), gather="\n    ".join(gather),
        results=", ".join(f"d{p}" for p in op.operands), flat="".join(flat).rstrip(" "),
    ).lstrip()  # fmt: skip


def source_on_floats(op: Op) -> str:
    """The source of `total`, value and slopes that never raise, and of `value`, the value alone."""
    forward, slopes = statements(op, total=True)
    return ON_FLOATS.format(
        operands=", ".join(op.operands),
        forward="\n    ".join(forward),
        slopes="\n    ".join(slopes),
        results=", ".join(["out", *(f"d{operand}" for operand in op.operands)]),
    ).lstrip()


def run(text: str, filename: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run generated source in the given names, so that tracebacks and `inspect.getsource` show it."""
    import linecache

    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(text, filename, "exec"), names)
    return names


_on_floats: dict[str, dict[str, Any]] = {}


def on_floats(op: Op) -> dict[str, Any]:
    """The functions `total` and `value` of a row, on floats (and lists of floats).

    >>> on_floats(OPS["div"])["total"](1.0, 0.0)
    (inf, inf, -inf)
    """
    if op.name not in _on_floats:
        _on_floats[op.name] = run(source_on_floats(op), f"<scalargrad {op.name} on floats>", {**TOTAL})
    return _on_floats[op.name]


class recorded:
    """A method that records a row of the table; its function is generated when it is first looked up."""

    def __init__(self, name: str, swapped: bool = False, operator: bool = True) -> None:
        self.row, self.swapped, self.operator = name, swapped, operator

    def __set_name__(self, cls: type[Value], name: str) -> None:
        self.cls, self.name = cls, name

    def __get__(self, node: Value | None, owner: type[Value] | None = None) -> Callable[..., Value]:
        function = recorder(OPS[self.row], self.cls, self.operator)[self.swapped]
        function.__name__, function.__qualname__ = self.name, f"{self.cls.__name__}.{self.name}"
        setattr(self.cls, self.name, function)
        return function if node is None else function.__get__(node)  # type: ignore[no-any-return]


def add_methods(cls: type[Value], op: Op) -> None:
    """Give a row its methods: exp, tanh, maximum, …; a row of lists has none."""
    if op.is_public and not op.takes_lists and not op.is_composed:
        for name in (op.name, *op.aliases):
            method = recorded(op.name, operator=False)
            method.__set_name__(cls, name)
            setattr(cls, name, method)


def recorder(op: Op, cls: type[Value], operator: bool) -> tuple[Any, Any]:
    """The functions that record a row on nodes of `cls`: as it stands, and with a number as first operand.

    An operand that is no number is refused: by an operator with NotImplemented, so that an array on the other
    side has its turn, by a method with a TypeError.
    """

    def refuse(row: Op, other: object) -> object:
        if operator:
            return NotImplemented
        raise TypeError(f"{row.name} takes a Value or a real number, got {type(other).__name__}")

    def total(*operands: float) -> tuple[float, ...]:
        return on_floats(op)["total"](*operands)  # type: ignore[no-any-return]

    names = {
        **RAW, "Value": cls, "new": object.__new__, "row": op, "row_swapped": op.swapped(), "ERRORS": ERRORS, "real": real,
        "refuse": refuse, "modes": modes, "watch": watch, "total": total,
    }  # fmt: skip
    record_mixed = recorder_of_many(op, cls)
    if op.takes_lists:
        names |= {"record_mixed": record_mixed, "only_floats": {float}}
        run(source_of_lists(op), f"<scalargrad {op.name}>", names)
    elif len(op.operands) > 2:
        return record_mixed, None
    else:
        run(source(op), f"<scalargrad {op.name}>", names)
    return names[f"record_{op.name}"], names.get(f"record_{op.name}_swapped")


def recorder_of_many(op: Op, cls: type[Value]) -> Callable[..., Any]:
    """The function that records a row of three operands, or of lists of them, as one node."""
    are_lists = [operand in LISTS for operand in op.operands]
    value, total = on_floats(op)["value"], on_floats(op)["total"]
    only_values, only_floats, new = {cls}, {float}, object.__new__

    def record(*operands: Any) -> Any:
        numbers: list[Any] = []  # for each operand its number, or numbers
        flat: list[Any] = []  # operands as they came
        is_value: list[Any] = []  # for each operand True, False, or a list of them
        for operand, is_list in zip(operands, are_lists):
            items = operand if is_list else (operand,)
            kinds = set(map(type, items))
            if kinds == only_values:
                data, are_values = [item.data for item in items], True
            elif kinds <= only_floats:
                data, are_values = items, False
            else:
                data, are_values = unlike(op, cls, items)
                items = [item if yes else number for item, yes, number in zip(items, are_values, data)]
            numbers.append(data if is_list else data[0])
            flat.append(items)
            is_value.append(are_values)
        if not any(is_value):
            return value(*numbers)
        out, *slopes = total(*numbers)
        parents: list[Value] = []
        partials: list[float] = []
        for items, are_values, slope, is_list in zip(flat, is_value, slopes, are_lists):
            if are_values is True:
                parents += items
                partials += slope if is_list else (slope,)
            elif are_values:
                for item, yes, s in zip(items, are_values, slope if is_list else (slope,)):
                    if yes:
                        parents.append(item)
                        partials.append(s)
        node = new(cls)
        node.data, node.grad, node.label, node.row = out, 0.0, "", op
        node.x, node.y, node.dy = None, tuple(parents), tuple(partials)
        node.dx = tuple([item for items in flat for item in items])
        return watch(node) if modes else node

    return record


def unlike(op: Op, cls: type[Value], items: tuple[Any, ...]) -> tuple[list[float], list[bool]]:
    """The numbers of operands that are not all Values or all floats, and which of them are Values."""
    numbers, are_values = [], []
    for item in items:
        is_value = isinstance(item, cls)
        number = item.data if is_value else real(item)
        if number is None:
            raise TypeError(f"{op.name} takes Values and real numbers, got {type(item).__name__}")
        numbers.append(number)
        are_values.append(is_value)
    return numbers, are_values
