"""Traced numbers: a function is called with them, and they record its steps.   (floor 3)

A traced number does all that a Value does in arithmetic, but it has no data. Code that would read
the data, and so freeze it into the compiled function, gets TraceError. A comparison gives a traced
condition, for `where` to choose by. While a function is traced, arithmetic on Values that it took
from elsewhere is traced too: a compiled function reads their data in each call.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

from ..arithmetic.conversion import as_float
from ..graph import KEEP
from ..modes import Mode, Scope, is_recording, modes_here, modes_on, scope_here
from ..ops import OPS, Op
from ..value import Value
from .choices import TRACED

# Where the code of this package stands, and all that a user did not write.
PACKAGE = (os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep, "<scalargrad ")
LIBRARIES = (
    *PACKAGE,
    os.path.dirname(os.path.abspath(os.__file__)) + os.sep,
    *(path + os.sep for path in sys.path if path.endswith(("site-packages", "dist-packages"))),
    "<frozen ",
)


class TraceError(TypeError):
    """A function that is traced asked for the number of an input, which would be frozen."""


# ------------------------------------------------------------------ what is refused


def user_line() -> str:
    """The innermost line of a user's code that is running, to be named in an error."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(LIBRARIES):
        frame = frame.f_back
    return _line(frame.f_code.co_filename, frame.f_lineno)


def line_of(fn: Any) -> str:
    """The line where a function begins, to be named in an error."""
    code = getattr(fn if hasattr(fn, "__code__") else type(fn).__call__, "__code__", None)
    return _line(code.co_filename, code.co_firstlineno) if code else repr(fn)


def _raising_line(error: BaseException) -> str:
    """The innermost line of a user's code that an error went through."""
    from traceback import walk_tb

    frames = [*walk_tb(error.__traceback__)]
    own = [x for x in frames if not x[0].f_code.co_filename.startswith(LIBRARIES)]
    frame, line = (own or frames)[-1]
    return _line(frame.f_code.co_filename, line)


def _line(filename: str, line: int) -> str:
    import linecache

    text = linecache.getline(filename, line).strip()
    return f"{filename}, line {line}" + (f": {text}" if text else "")


def _refuse(what: str, instead: str) -> NoReturn:
    raise _refusal(what, instead)


def _refusal(what: str, instead: str) -> TraceError:
    """The error, which is raised in the end even if the function catches it."""
    error = TraceError(
        f"{what} would freeze one number into the compiled function; {instead} (at {user_line()})"
    )
    if trace := current.get():
        trace.refused.append(error)
    return error


class Trace:
    """A note of what a function did while it was traced."""

    def __init__(self, numbers: Collection[str] = ()) -> None:
        self.numbers = numbers  # names of the arguments that are one number
        self.refused: list[TraceError] = []  # the function itself may catch them
        self.is_asked = False  # whether one was seen as text, or was a key beside a functools cache


current: ContextVar[Trace | None] = ContextVar("current", default=None)


def _of_node(what: str) -> Callable[[Any], int]:
    """A hash that tells nodes apart, for the package and a functools cache; else it is refused."""
    getframe, by_identity = sys._getframe, object.__hash__

    def __hash__(self: object) -> int:
        frame = getframe(1)
        by_package = frame.f_code.co_filename.startswith(PACKAGE)
        if not by_package and (trace := current.get()):
            if not _calls_cached(frame):
                _refusal(what, _CHOOSE)
            trace.is_asked = True
        return by_identity(self)

    return __hash__


def _calls_cached(frame: Any) -> bool:
    """Whether the code of a frame names a function that functools caches."""
    code, known = frame.f_code, {**frame.f_globals, **frame.f_locals}
    names = (*code.co_names, *code.co_freevars, *code.co_varnames)
    return any(hasattr(type(known.get(name)), "cache_info") for name in names)


class _Text(str):
    """The text of a traced number, to be printed.

    A function that reads it while it is traced would decide by it, and is refused.
    """

    __slots__ = ()


def _reading(name: str) -> Callable[..., Any]:
    method = getattr(str, name)

    def read(self: str, *args: Any, **options: Any) -> Any:
        if current.get() and not sys._getframe(1).f_code.co_filename.startswith(LIBRARIES):
            _refuse("the text of a traced number", _CHOOSE)
        return method(self, *args, **options)

    return read


_READING = [
    "eq", "ne", "lt", "le", "gt", "ge", "hash", "len", "getitem", "contains", "iter", "format",
]  # fmt: skip
_METHODS = [name for name in dir(str) if name[0] != "_" and name != "maketrans"]
for _name in [*[f"__{name}__" for name in _READING], *_METHODS]:
    setattr(_Text, _name, _reading(_name))


def _shown(text: str) -> str:
    if (trace := current.get()) and not sys._getframe(2).f_code.co_filename.startswith(PACKAGE):
        trace.is_asked = True
        return _Text(text)
    return text


_JOIN = "join conditions by & and |, turn one round by ~"
_CHOOSE = (
    "write where(condition, a, b) for a choice, maximum(x, y), minimum(x, y), max([…]) or clip of "
    "scalargrad for an extreme"
)
_KEEP = (
    "compute with the traced number itself, by arithmetic and functions of scalargrad, "
    "its max([…]) and softmax([…]) among them"
)
_READ, _SET = "reading .{} of a traced number", "setting .{} of a traced number"
_PRINT = "print what the compiled function returns instead"
_INDEX = "give an index as a plain number that fn captures, or a one-hot list"
_SLOPES = "take f.value_and_grad(…) of the compiled function"
_STATIC = '; if {0} is a part of the structure, name it: compile(…, static=("{0}",))'


def _refused(what: str, instead: str = _KEEP, decides: bool = False) -> Callable[..., Any]:
    """A method that is refused; if it decides by a number, that may be meant to be no number."""

    def refuse(self: object, *args: object) -> NoReturn:
        name = _argument(self) if decides else ""
        _refuse(what, instead + (_STATIC.format(name) if name else ""))

    return refuse


def _argument(node: Any) -> str:
    """The name of the argument that a traced number is, or that a comparison is of."""
    if isinstance(node, Condition):
        return next(filter(None, map(_argument, node.parents)), "")
    is_leaf = isinstance(node, Traced) and node._operation is None
    trace = current.get()
    return node.label if is_leaf and trace and node.label in trace.numbers else ""


# ------------------------------------------------------------------ numbers and conditions


class Condition:
    """A traced comparison: `where` takes it, & and | and ~ join conditions.

    `if`, `and` and `not` would freeze it.
    """

    __slots__ = ("_dx", "_operation", "label")
    __bool__ = _refused("the truth of a traced comparison", f"{_CHOOSE}; {_JOIN}", True)
    __float__ = __int__ = __index__ = _refused(
        "a traced comparison as a number", "write where(condition, 1.0, 0.0)"
    )
    __format__ = _refused("a traced comparison in an f-string", _PRINT)
    __hash__ = _of_node("a traced comparison as a key")  # pyright: ignore[reportAssignmentType]
    __eq__ = __ne__ = __xor__ = __rxor__ = _refused(
        "a traced comparison compared with another or with a bool", _JOIN
    )

    backward = _refused("backward() of a traced comparison", f"return the loss, and {_SLOPES}")

    def __init__(self, op: Op, operands: tuple[Any, ...]) -> None:
        self._operation, self._dx, self.label = op, operands, ""

    @property
    def parents(self) -> tuple[Any, ...]:
        return self._dx

    @staticmethod
    def records(op: Op | str, operands: tuple[Any, ...]) -> Any:
        return record(op, operands)

    def __and__(self, other: Any) -> Any:
        return self._joined("_and", other, True)

    def __or__(self, other: Any) -> Any:
        return self._joined("_or", other, False)

    __rand__, __ror__ = __and__, __or__

    def _joined(self, name: str, other: Any, neutral: bool) -> Any:
        if isinstance(other, Condition):
            return Condition(TRACED[name], (self, other))
        if isinstance(other, bool):
            return self if other is neutral else other
        return NotImplemented

    def __invert__(self) -> Condition:
        return Condition(TRACED["_not"], (self,))

    def as_number(self) -> Any:
        """1 where it holds and 0 where not, as Python's own comparisons count."""
        return record(TRACED["_choose"], (self, 1.0, 0.0))

    def __repr__(self) -> str:
        return _shown(f"Condition({self._operation.symbol!r})")


class Traced(Value):
    """A number that is not known yet: it records what is done with it, and refuses to be read."""

    __slots__ = ()

    def __init__(self, label: str = "") -> None:
        self.label, self._operation, self._dx = label, None, ()
        self._x = self._y = self._dy = None

    @staticmethod
    def records(op: Op | str, operands: tuple[Any, ...]) -> Any:
        return record(op, operands)

    def detach(self) -> Any:
        return record(TRACED["_detached"], (self,))

    @property
    def parents(self) -> tuple[Any, ...]:
        return self._dx  # type: ignore[no-any-return]

    data: Any = property(_refused(_READ.format("data")), _refused(_SET.format("data")))
    grad: Any = property(
        _refused(_READ.format("grad"), _SLOPES), _refused(_SET.format("grad"), _SLOPES)
    )
    partials: Any = property(_refused(_READ.format("partials")))
    backward = _refused("backward() of a traced number", f"return the loss, and {_SLOPES}")
    __hash__ = _of_node("a traced number as a key")
    __bool__ = _refused("the truth of a traced number", _CHOOSE, True)
    __float__ = _refused("float(x) of a traced number")
    __int__ = _refused("int(x) of a traced number", _KEEP, True)
    __complex__ = _refused("complex(x) of a traced number")
    __index__ = _refused("a traced number as an index", _INDEX, True)
    __round__ = _refused("round(x) of a traced number")
    __trunc__ = __floor__ = __ceil__ = _refused("rounding a traced number")
    __format__ = _refused("a traced number in an f-string", _PRINT)
    __copy__ = __reduce_ex__ = _refused("a copy of a traced number", "use it as it is")

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        return self if KEEP in memo else _refuse("a copy of a traced number", "use it as it is")

    def __repr__(self) -> str:
        name = self.label or (self._operation.symbol if self._operation else "")
        return _shown(f"Traced({name!r})")


def record(op: Op | str, operands: tuple[Any, ...]) -> Any:
    """Record an operation on traced numbers, conditions, Values and plain numbers.

    The node is a traced number, or a condition for a comparison. An operation that only a trace
    records may be given by its name.
    """
    if isinstance(op, str):
        op = TRACED[op]
    if op in _COMPARISONS:
        return Condition(op, operands)
    node: Any = object.__new__(Traced)
    node.label, node._operation, node._x, node._y, node._dy = "", op, None, None, None
    for item in operands:
        if item.__class__ is not Traced and item.__class__ is not float:
            operands = tuple([_operand(op, i, item) for i, item in enumerate(operands)])
            break
    node._dx = operands
    if modes_here.get() is not _alone and op.name != "_detached" and not is_recording():
        return record(TRACED["_detached"], (node,))  # within no_grad a result is a constant
    return node


_COMPARISONS = TRACED["_less"], TRACED["_less_equal"]


def _operand(op: Op, place: int, item: Any) -> Any:
    """An operand as the trace keeps it: a Value, a condition to choose by, or a float."""
    if isinstance(item, Value):
        return item
    if isinstance(item, Condition):
        return item if op.name == "_choose" and place == 0 else item.as_number()
    if (number := as_float(item)) is None:
        name = op.symbol if op.name == "_choose" else op.name.strip("_")
        raise TypeError(f"{name} takes Values and real numbers, got {type(item).__name__}")
    return number


# ------------------------------------------------------------------ while a function is traced


class _Tracing(Mode):
    """Makes traced numbers of what a function computes of Values that it captured."""

    turn = 1
    records = staticmethod(record)

    def node_made(self, node: Value) -> Any:
        assert node._operation
        return record(
            OPS[node._operation.name], node.parents
        )  # not a swapped row: parents stand in order

    def walk_done(self, order: list[Value]) -> None:
        _refuse("backward() in a function that is traced", f"return the loss, and {_SLOPES}")

    def number_asked(self, node: Value) -> None:
        if not isinstance(node, Traced):
            _refuse(
                f"a choice by the number of {node.label or 'a Value'} that fn captured",
                f"give it as an argument, and {_CHOOSE}",
            )


_alone = (_Tracing(),)


@contextmanager
def tracing(numbers: Collection[str] = ()) -> Iterator[Trace]:
    """Trace what is computed of Values, whatever modes are on outside, in derivatives too.

    A refusal holds to the end, even if the function caught the error and went on.
    `numbers` are the names of the arguments that are one number.
    """
    add_methods()
    trace = Trace(numbers)
    inside, nested, before = modes_here.set(_alone), scope_here.set(Scope()), current.set(trace)
    modes_on.append(_alone[0])
    try:
        yield trace
        if trace.refused:
            raise trace.refused[0]
    except Exception as error:
        if trace.refused and error is not trace.refused[0]:  # a key that is missing, say
            raise trace.refused[0] from error
        if isinstance(error, TypeError) and Traced.__name__ in str(error):  # of np.rint(x), say
            raise TraceError(f"{error}; {_KEEP} (at {_raising_line(error)})") from error
        raise
    finally:
        modes_on.remove(_alone[0])
        current.reset(before)
        scope_here.reset(nested)
        modes_here.reset(inside)


def is_tracing() -> bool:
    """Whether a function is traced here."""
    return bool(modes_on) and _alone[0] in modes_here.get()


# ------------------------------------------------------------------ operators and methods


def _method(op: Op) -> Callable[..., Any]:
    def method(self: Traced, *others: Any) -> Any:
        if 1 + len(others) != len(op.operands):
            raise TypeError(
                f"{op.name} takes {len(op.operands)} operands ({', '.join(op.operands)}), "
                f"got {1 + len(others)}"
            )
        return record(op, (self, *others))

    return method


def _operator(op: Op, is_swapped: bool) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        if (
            other.__class__ is not Traced
            and not isinstance(other, Value)
            and (other := as_float(other)) is None
        ):
            return NotImplemented
        return record(op, (other, self) if is_swapped else (self, other))

    return operator


def _as_number(operator: str) -> Callable[[Any, Any], Any]:
    """An operator of a comparison as a number."""

    def operate(self: Any, other: Any) -> Any:
        other = other.as_number() if isinstance(other, Condition) else other
        return getattr(self.as_number(), operator)(other)

    return operate


def _is_equal(self: Traced, other: Any) -> Any:
    at_most = _operator(TRACED["_less_equal"], False)(self, other)
    return at_most if at_most is NotImplemented else at_most & (self >= other)


def _is_unequal(self: Traced, other: Any) -> Any:
    equal = _is_equal(self, other)
    return equal if equal is NotImplemented else ~equal


# A float has these and a Value has not: to ask a traced number for one is to ask for the number.
for _name in set(dir(float)) - set(dir(Traced)) - {"__getformat__", "__getnewargs__", "fromhex"}:
    _asked = _refused(f"{_name.strip('_')} of a traced number")
    setattr(Traced, _name, _asked if _name.startswith("__") else property(_asked))

for _name in ("add", "sub", "mul", "truediv", "mod", "pow"):
    _op = OPS[_name.removeprefix("true")]
    for _full, _is_swapped in ((f"__{_name}__", False), (f"__r{_name}__", True)):
        setattr(Traced, _full, _operator(_op, _is_swapped))
        setattr(Condition, _full, _as_number(_full))
for _name, _op, _is_swapped in (
    ("lt", TRACED["_less"], False),
    ("gt", TRACED["_less"], True),
    ("le", TRACED["_less_equal"], False),
    ("ge", TRACED["_less_equal"], True),
):
    setattr(Traced, f"__{_name}__", _operator(_op, _is_swapped))
for _name in ("neg", "abs"):
    setattr(Traced, f"__{_name}__", _method(OPS[_name]))
Traced.__eq__, Traced.__ne__ = _is_equal, _is_unequal  # type: ignore[method-assign, assignment]


def add_methods() -> None:
    """Give traced numbers a method for each operation: all at first, later those of `custom_op`."""
    for op in OPS.values():
        if op.is_public and not op.takes_lists and not op.is_composed:
            for name in op.names:
                if name not in vars(Traced):
                    setattr(Traced, name, _method(op))
