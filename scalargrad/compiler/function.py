"""compile: generated source for a function, by its structure of arguments.   (floor 3)"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from .. import derivatives
from ..files import put_in_place
from ..modes import modes_here, modes_on
from . import backends, languages
from .architectures import built_alike
from .arguments import Fixed, Form, State, held, read, read_rows
from .backends import Plan
from .binding import Binding
from .traces import Request, Traces
from .tracing import TraceError, is_tracing, user_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Executor  # which loads much

REDUCTIONS = ("mean", "sum", None)
ROOM = 500_000  # numbers and operands of all traces that are kept, some 150 bytes each
MOST = 256  # objects whose methods are kept


class Compiled:
    """A function and its derivative as generated source; `compile` makes it.

    It is traced anew for each structure of arguments, never for other numbers. Calls from several
    threads are safe, and it can be pickled if the function that it was made of can.
    """

    def __init__(
        self, fn: Callable[..., Any], wrt: Any, rows: Any, reduce: str | None, backend: str,
        static: Any,
    ) -> None:  # fmt: skip
        self._binding = Binding(fn)
        if reduce not in REDUCTIONS:
            raise ValueError(
                f"reduce={reduce!r} is none of 'mean', 'sum' and None: it is over the rows"
            )
        derivatives.argument_positions(wrt, (None,) * 999)  # refuses what numbers no argument
        backends.check(backend)
        self._fn, self._wrt, self._reduce, self._backend = fn, wrt, reduce, backend
        self._rows = self._binding.check_names("rows", rows)
        self._static = self._binding.check_names("static", static)
        if both := [name for name in self._static if name in self._rows]:
            raise ValueError(f"{both[0]} cannot both carry rows and be static: name it once")
        self._lock = threading.RLock()
        self._traces: dict[Any, Traces] = {}
        self._kin: WeakValueDictionary[Any, Traces] = WeakValueDictionary()
        self._latest: Traces | None = None
        self._bound: dict[int, Compiled] = {}
        self.__wrapped__, self.__name__ = fn, self._binding.name
        self.__doc__ = getattr(fn, "__doc__", None)
        self.__module__ = getattr(fn, "__module__", __name__)
        self.__qualname__ = getattr(fn, "__qualname__", self.__name__)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return the value, a float or floats in the structure of the function's result.

        With rows it is their mean or sum, or one for each row.
        """
        if is_tracing():
            return self._inlined()(*args, **options)
        traces, contents = self._ready(args, options)
        return traces.value(traces.function(self._backend, "value", contents)(contents))

    def value_and_grad(
        self, *args: Any, executor: Executor | None = None, **options: Any
    ) -> tuple[Any, Any]:
        """Return the value, and its slopes by the argument `wrt`, in that argument's structure.

        If `wrt` is a tuple, so are the slopes. An `executor` of `concurrent.futures` (threads,
        processes, Dask's `Client.get_executor()`) computes the rows in pieces. Those are added up
        in their order: the bits are the same in every run, whoever is ready first.

        >>> from concurrent.futures import ThreadPoolExecutor
        >>> f = compile(lambda w, x: (w * x) ** 2, rows="x")
        >>> with ThreadPoolExecutor(2) as executor:
        ...     f.value_and_grad(2.0, [1.0, 2.0, 3.0], executor=executor)
        (18.666666666666668, 18.666666666666668)
        """
        if is_tracing():
            return derivatives.value_and_grad(self._inlined(), self._wrt)(*args, **options)
        traces, contents = self._ready(args, options)
        if not traces.is_single:
            raise TypeError(
                f"{self.__name__} returns several values, and value_and_grad is of one: "
                "take f.jacobian(…), or return their sum"
            )
        if executor is not None:
            from .executors import shared_out

            return traces.value_and_grad(shared_out(executor, traces, self._backend, contents))
        return traces.value_and_grad(
            traces.function(self._backend, "value_and_grad", contents)(contents)
        )

    def jacobian(self, *args: Any, **options: Any) -> tuple[Any, Any]:
        """Return the values of a function that gives several, and the slopes of each by `wrt`.

        The slopes are in the structure of that argument.
        """
        if is_tracing():
            slopes = derivatives.jacobian(self._fn, self._wrt)(*args, **options)
            return self._inlined()(*args, **options), slopes
        traces, contents = self._ready(args, options)
        return traces.jacobian(traces.function(self._backend, "jacobian", contents)(contents))

    def source(self, *args: Any, language: str = "", **options: Any) -> str:
        """The generated source for such arguments, to read: of the value and of the derivative.

        With `language`, "c", "javascript" or "python", the text of the file that `save` writes.
        """
        if language:
            found = languages.named(language)
            return languages.written(found, self._request(args, options))
        traces, contents = self._ready(args, options)
        made = [traces.function(self._backend, kind, contents) for kind in traces.kinds]
        return "\n\n".join([function.source for function in made])

    def save(self, path: str | os.PathLike[str], *args: Any, **options: Any) -> None:
        """Write a file with `value(...)` and the derivative, which runs without scalargrad.

        Its ending says the language: `.py` for Python, which needs NumPy if that is the backend
        ("native" is saved as what would be taken without it); `.c` for C99 with a test of itself;
        `.js` for a module of JavaScript.
        """
        language = languages.of_path(path)
        put_in_place(path, languages.written(language, self._request(args, options)))

    def _request(self, args: tuple[Any, ...], options: dict[str, Any]) -> Request:
        traces, contents = self._ready(args, options)
        return Request(traces, traces.names, contents, self.__doc__ or "", self._backend)

    def plan(self, *args: Any, **options: Any) -> Plan:
        """The backend that the derivative takes, or else the value, and why."""
        traces, contents = self._ready(args, options)
        return traces.present_plan(self._backend, traces.kinds[-1], contents)

    def __get__(self, instance: Any, owner: type | None = None) -> Compiled:
        """As a method: a function of the arguments behind `self`, with traces of its own."""
        if instance is None or not hasattr(self._fn, "__get__"):
            return self
        if (bound := self._bound.get(id(instance))) is None:
            with self._lock:
                fn = self._fn.__get__(instance, owner)
                bound = self._bound.setdefault(id(instance), Compiled(fn, *self._given[1:]))
                while len(self._bound) > MOST:
                    del self._bound[next(iter(self._bound))]
        return bound

    def __reduce__(self) -> str | tuple[Any, ...]:
        name: str = self.__qualname__
        of = getattr(self._fn, "__self__", None)
        if getattr(getattr(of, self.__name__, None), "_given", None) == self._given:  # a method
            return getattr, (of, self.__name__)
        named: Any = sys.modules.get(self.__module__)
        for part in name.split("."):
            named = getattr(named, part, None)
        if named is self:  # the name that its function had: a decorator
            return name
        return Compiled, self._given

    @property
    def _given(self) -> tuple[Any, ...]:
        """The arguments that would make another like it."""
        rows, static = self._rows or None, self._static
        return self._fn, self._wrt, rows, self._reduce, self._backend, static

    def __repr__(self) -> str:
        rows = f", rows={self._rows!r}, reduce={self._reduce!r}" if self._rows else ""
        static = f", static={self._static!r}" if self._static else ""
        options = f"{rows}, backend={self._backend!r}{static}"
        return f"compile({self.__name__}, wrt={self._wrt!r}{options})"

    # -------------------------------------------------------------- a call

    def _ready(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Traces, list[Any]]:
        """The traces for such arguments, and the contents of their blocks."""
        if modes_on and any(mode.watches for mode in modes_here.get()):
            raise ValueError(
                f"{self.__name__} is compiled, and has no Values that detect_anomaly() could "
                f"watch: within it call the function that {self.__name__} was made of, on Values"
            )
        latest = self._latest
        if latest is not None and not options:
            contents = latest.contents(args)
            if contents is not None and not latest.captured.has_changed():
                return latest, contents
        return self._sought(args, options)

    def _sought(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Traces, list[Any]]:
        """The same, for arguments of another structure than the last."""
        args, options = self._binding.ordered(args, options)
        names = self._binding.names(len(args), [*options])
        contents: list[Any] = []
        forms: list[Form] = []
        counts: dict[str, int] = {}
        for name, argument in zip(names, (*args, *options.values())):
            if name in self._rows:
                forms.append(read_rows(argument, name, contents))
                counts[name] = len(contents[-1])
            else:
                static = name in self._static
                forms.append(Fixed(argument) if static else read(argument, name, contents))
        self._check_counts(counts)
        key = (len(args), *names, *forms)
        traces = self._traces.get(key)
        if traces is None or traces.captured.has_changed():
            with self._lock:
                traces = self._traces.get(key)
                if traces is None or traces.captured.has_changed():
                    traces = self._made(key, names, forms, len(args), [*options])
        self._latest = traces
        return traces, traces.all_contents(contents)

    def _made(
        self, key: Any, names: list[str], forms: list[Form], count: int, options: list[str]
    ) -> Traces:
        """Traces for arguments of such forms, kept under that key: those of modules built alike."""
        alike = built_alike(forms) if held(forms, State) else None
        kin = alike and (count, *names, alike)
        known = self._kin.get(kin) if kin else None
        if known is not None and not known.captured.has_changed():
            traces = known.adopted(forms)
        else:
            wrt = self._binding.positions(self._wrt, count, options)
            is_tuple = isinstance(self._wrt, tuple)
            good = [other for other in self._traces.values() if not other.captured.has_changed()]
            given = self._fn, self.__name__, names, forms, count, wrt, is_tuple, self._reduce
            traces = Traces(*given)
            for other in good:
                if other.captured.has_changed():  # by the function itself, just now
                    other.look()
            if kin:
                self._kin[kin] = traces
        self._traces.pop(key, None)
        self._traces[key] = traces
        size = sum(other.size for other in self._traces.values())
        while size > ROOM and len(self._traces) > 1:
            size -= self._traces.pop(next(iter(self._traces))).size
        return traces

    def _check_counts(self, counts: dict[str, int]) -> None:
        """Refuse arguments that carry different numbers of rows, or none."""
        missing = [name for name in self._rows if name not in counts]
        if missing:
            raise TypeError(
                f"{missing[0]} carries rows and was not given: "
                f"call {self.__name__} with all of {', '.join(self._rows)}"
            )
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
            raise ValueError(
                f"all arguments that carry rows must have the same number of them: {listed}"
            )
        if counts and not next(iter(counts.values())):
            raise ValueError(
                f"{' and '.join(counts)} {'have' if len(counts) > 1 else 'has'} no rows: "
                "give one at least"
            )

    def _inlined(self) -> Callable[..., Any]:
        """The function itself, for a call in a function that is traced: it becomes a part of it."""
        if self._rows:
            raise TraceError(
                f"{self.__name__} was compiled for rows, and is called in a function that is "
                f"traced: call what it was made of for each row, and add up (at {user_line()})"
            )
        return self._fn


def compile(
    fn: Callable[..., Any],
    wrt: Any = 0,
    rows: Any = None,
    reduce: str | None = "mean",
    backend: str = "auto",
    static: Any = (),
) -> Compiled:
    """Make generated source for a function of numbers and its derivative.

    >>> f = compile(lambda w, x: (w * x).tanh())
    >>> f(0.5, 2.0), f.value_and_grad(0.5, 2.0)
    (0.7615941559557649, (0.7615941559557649, 0.839948683228052))

    `wrt` is the number of the argument that is differentiated by, or a tuple of them. Arguments are
    numbers, nested lists, tuples and dicts of them, arrays, modules, and the result of
    `module.state()`. The function is traced once for each structure of arguments. `rows` names
    those that carry a leading axis of rows: value and gradient are then the mean over the rows,
    their sum, or with `reduce=None` one for each.

    >>> g = compile(lambda w, x, y: (w * x - y) ** 2, rows=("x", "y"), reduce="sum")
    >>> g.value_and_grad(2.0, [1.0, 3.0], [1.0, 4.0])
    (5.0, 14.0)

    `static` names arguments that are a part of the structure, as texts, truth values and None are
    by themselves: a trace is made for each, and the function may decide by them.

    >>> h = compile(lambda x, n: sum(x**i for i in range(n)), static="n")
    >>> h.value_and_grad(2.0, 4)
    (15.0, 17.0)

    `backend` is "python", which needs nothing and is equal to Values to the last bit, "numpy",
    "native", or "auto", the one that suits: machine code when the calls so far would have been
    worth making it, or loading it where it was made before.

    While it is traced, the function sees numbers that are not known yet, and code that would freeze
    one raises TraceError.

    >>> compile(lambda x: x if x > 0 else 0.0)(1.0)                  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    scalargrad.compiler.tracing.TraceError: the truth of a traced comparison would freeze one ...
    """
    return Compiled(fn, wrt, rows, reduce, backend, static)
