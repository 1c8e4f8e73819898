"""Rows shared out over an executor: threads, processes, or the machines of a cluster.   (floor 3)

Rows are cut into pieces, each is a task for a worker, and the results are added up in the order of
the pieces. The cut depends on the rows alone, so that any executor, with any number of workers,
gives the same bits in every run.

A thing that stays the same from call to call is a `Parcel`. In the process of the caller it is the
thing itself. A worker in another process keeps it under a key, the digest of its content: it is
sent where it is not known yet, and else the key alone. A worker that lacks it says so, and gets it.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from functools import cached_property, reduce
from hashlib import sha256
from itertools import pairwise
from threading import Lock
from typing import Any

from ..ops import op_of_copy
from ..rows.custom import custom_op, definition
from . import backends
from .choices import TRACED
from .program import Block, Constant, Program, Step
from .traces import Traces

KIND = "value_and_grad"
PIECES = 16  # at least, if there are so many rows
ROWS, NUMBERS = 8_192, 1 << 19  # at most in a piece
KEPT = 4  # calls whose parcels a worker keeps
KEYS = 10_000  # at most, of parcels that were sent
# Errors by which executors say that a worker died: Python's own, Dask's, Ray's.
DIED = {"BrokenExecutor", "KilledWorker", "WorkerCrashedError"}

NOT_SENT = (
    "{} cannot be sent to another process: an operation of its own is made of functions that only "
    "this one has; define them by def in a module, or give their formulas as text"
)
_sent: set[bytes] = set()  # keys of parcels that reached another process
_kept: dict[bytes, Any] = {}  # in a worker: what came in parcels, by key, the latest last
_keeping = Lock()


class Work:
    """The function of a program, made where it is called, in the first backend that can be.

    It can be pickled however deep the program is, and wherever its operations were defined.
    """

    def __init__(
        self, program: Program, name: str, reduce: str | None, names: Sequence[str]
    ) -> None:
        self._given = name, KIND, reduce
        self._program, self._backends = program, tuple(names)
        self._function: Any = None
        self._lock = Lock()

    def __call__(self, contents: Sequence[Any]) -> Any:
        with self._lock:
            if self._function is None:
                self._function = self._made()
        return self._function(contents)

    def _made(self) -> Any:
        for backend in self._backends[:-1]:
            try:
                return backends.build(backend, self._program, *self._given)
            except Exception:  # machine code cannot be made here
                continue
        return backends.build(self._backends[-1], self._program, *self._given)

    def __repr__(self) -> str:
        return self._given[0]

    def __reduce__(self) -> tuple[Any, ...]:
        name, _, reduce = self._given
        return _work_of, (packed(self._program), name, reduce, self._backends)


def _work_of(parts: Any, name: str, reduce: str | None, names: Sequence[str]) -> Work:
    return Work(unpacked(*parts), name, reduce, names)


def packed(program: Program) -> tuple[Any, ...]:
    """A program without links, and its operations by name, or as they were defined.

    >>> from scalargrad.ops import OPS
    >>> x = Block("x", ())
    >>> packed(Program([x], [Step(OPS["mul"], (x.inputs[0], Constant(2.0)))]))[0]
    [('mul', False, None)]
    """
    ops, *parts = program.flat()
    return [(op.name, op.is_swapped, definition(op)) for op in ops], *parts, program.is_shared


def unpacked(ops: Any, blocks: Any, nodes: Any, outputs: Any, is_shared: bool) -> Program:
    """The program that was packed."""
    for *_, own in ops:
        if own:
            custom_op(*own)
    found_ops = [TRACED.get(name) or op_of_copy(name, is_swapped) for name, is_swapped, _ in ops]
    made = [Block(*block) for *block, _ in blocks]
    items: list[Any] = [x for block in made for x in block.inputs]
    known: dict[str, Constant] = {}
    steps: list[Step] = []
    same: dict[Any, Any] = {}

    def found(places: Sequence[Any]) -> list[Any]:
        return [
            items[x] if x.__class__ is int else known.setdefault(repr(x), Constant(x))
            for x in places
        ]

    for block, (*_, twins) in zip(made, blocks):
        block.twins = {i: items[at] for i, at in twins}
    for op, operands, label, first in nodes:
        steps.append(Step(found_ops[op], tuple(found(operands)), label))
        items.append(steps[-1])
        if first is not None:
            same[steps[-1]] = items[first]
    return Program(made, found(outputs), same if is_shared else None, steps)


# ------------------------------------------------------------------ what is sent


class Parcel:
    """A content that stays the same. `is_whole` says that it must be sent, though it was before."""

    def __init__(self, content: Any, is_whole: bool = False) -> None:
        self.content, self.is_whole = content, is_whole

    @cached_property
    def key(self) -> bytes:
        parts: list[Any] = []
        digest = sha256(self._dumped(buffer_callback=parts.append))
        for part in parts:  # arrays, without a copy
            digest.update(part.raw())
        return digest.digest()

    def _dumped(self, **options: Any) -> bytes:
        # Where Dask brought cloudpickle along, functions of a notebook can be sent too.
        dumps: Any = getattr(sys.modules.get("cloudpickle"), "dumps", pickle.dumps)
        try:
            return dumps(self.content, 5, **options)  # type: ignore[no-any-return]
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise TypeError(NOT_SENT.format(self.content)) from error

    def opened(self, most: int) -> tuple[Any]:
        return (self.content,)

    def __reduce__(self) -> tuple[Any, ...]:
        return Arrived, (
            self.key,
            None if self.key in _sent and not self.is_whole else self._dumped(),
        )

    def note(self) -> None:
        """Know that it arrived, if it was sent to another process."""
        if "key" in vars(self):
            if len(_sent) >= KEYS:
                _sent.clear()
            _sent.add(self.key)


class Arrived:
    """A parcel in the process of a worker: its key, and its data where that was sent."""

    def __init__(self, key: bytes, data: bytes | None) -> None:
        self.key, self.data = key, data

    def opened(self, most: int) -> tuple[Any] | None:
        """Its content in a tuple; None if it is not here. So many of the latest are kept."""
        with _keeping:
            found: tuple[Any] | None = _kept.pop(self.key, None)
            if found is None and self.data is not None:
                found = (pickle.loads(self.data),)
            if found is not None:
                _kept[self.key] = found
            while len(_kept) > most:
                del _kept[next(iter(_kept))]
        return found


def run(parcels: Sequence[Parcel], places: Sequence[Sequence[int]], given: Any, most: int) -> Any:
    """The task of a worker: call the work in the first parcel; None if it lacks one of them.

    `places` say for each of the other parcels, and for what is `given` with the call, which blocks
    their contents are of.
    """
    opened = [parcel.opened(most) for parcel in parcels]
    if None in opened:
        return None
    (work,), *contents = [*filter(None, opened), (given,)]
    ordered = {i: x for at, (part,) in zip(places, contents) for i, x in zip(at, part)}
    return work([ordered[i] for i in range(len(ordered))])


# ------------------------------------------------------------------ a call


class SharedOut:
    """The function of a program with rows: called with an executor and the contents of blocks.

    `names` are the backends to try. If `keeps` is true, rows that are the same objects as in the
    last call have the same numbers.
    """

    def __init__(
        self, program: Program, name: str, reduce: str | None, names: Sequence[str],
        keeps: bool = False,
    ) -> None:  # fmt: skip
        blocks, every = program.blocks, range(len(program.blocks))
        self._name, self._reduce, self._keeps = name, reduce, keeps
        self._by_rows = [block.has_rows for block in program.wrt]
        self._width = sum(len(block.inputs) for block in blocks if block.has_rows)
        self._rows = [i for i in every if blocks[i].has_rows]
        self._same = [i for i in every if not blocks[i].has_rows and not blocks[i].wrt]
        self._given = [i for i in every if not blocks[i].has_rows and blocks[i].wrt]
        self._work = Parcel(Work(program, name, reduce and "sum", names))
        self._latest: tuple[list[Any], list[Parcel]] | None = None

    def __call__(self, executor: Executor, contents: Sequence[Any]) -> Any:
        count = len(contents[self._rows[0]])
        cuts = cut(count, self._width)
        same = Parcel([contents[i] for i in self._same])
        tasks = [(self._work, same, piece) for piece in self._pieces(contents, cuts)]
        places = self._same, self._rows, self._given
        given = [contents[i] for i in self._given]
        most = KEPT * (max(PIECES, len(tasks)) + 2)
        futures: list[Any] = []

        def send(parcels: Sequence[Parcel]) -> Any:
            return executor.submit(run, parcels, places, given, most)

        def result_of(i: int) -> Any:
            try:
                return futures[i].result()
            except Exception as error:
                where = f"rows {cuts[i]} to {cuts[i + 1] - 1} of {count}"
                error.add_note(f"in {self._name}, {where}, by a worker of {_kind(executor)}")
                raise

        try:
            for parcels in tasks:
                futures.append(send(parcels))
            results = [*map(result_of, range(len(tasks)))]
            lacking = [i for i, result in enumerate(results) if result is None]
            for i in lacking:
                futures[i] = send([Parcel(parcel.content, True) for parcel in tasks[i]])
            for i in lacking:
                results[i] = result_of(i)
        except BaseException as error:
            for future in futures:
                future.cancel()
            if DIED.intersection([cls.__name__ for cls in type(error).__mro__]):
                raise _death(error, executor, self._name) from error
            raise
        for parcels in tasks:
            for parcel in parcels:
                parcel.note()
        numpy: Any = sys.modules.get("numpy")
        with numpy.errstate(all="ignore") if numpy else nullcontext():  # as on one machine
            return self._joined(results, count)

    def _pieces(self, contents: Sequence[Any], cuts: Sequence[int]) -> list[Parcel]:
        """The rows in pieces; those of the last call, if they are known to be the same."""
        rows = [contents[i] for i in self._rows]
        if self._latest and all(x is y for x, y in zip(rows, self._latest[0])):
            return self._latest[1]
        found = [Parcel([x[i:j] for x in rows]) for i, j in pairwise(cuts)]
        if self._keeps:
            self._latest = rows, found
        return found

    def _joined(self, results: Sequence[Any], count: int) -> Any:
        """The result for all rows: of each row one after the other, or added up."""
        values, slopes = zip(*results)
        by_block = zip(self._by_rows, zip(*slopes))
        if self._reduce is None:
            return _in_a_row(values), tuple([_in_a_row(parts) for _, parts in by_block])
        total = reduce(_added, values)
        sums = [_in_a_row(x) if by_rows else reduce(_added, x) for by_rows, x in by_block]
        if self._reduce == "mean":
            return total / count, tuple([_divided(x, count) for x in sums])
        return total, tuple(sums)


def shared_out(executor: Executor, traces: Traces, backend: str, contents: Sequence[Any]) -> Any:
    """The value and the slopes of a function for such arguments, computed by an executor.

    "auto" takes machine code after as many calls as on one machine where it is not made yet: what
    lies on a disk must not change the bits.
    """
    check(executor)
    if not traces.rows:
        raise ValueError(
            f"an executor shares out rows, and {traces.name} has none: name the arguments that "
            "carry them, compile(f, rows=('x', 'y')), or leave out executor"
        )
    rows = len(contents[traces.rows[0]])
    key = "calls", rows.bit_length()
    calls, plan = traces.functions.get(key, (0, None))
    if plan is None or 0 < plan.until <= calls:
        program, steps = traces.program, calls + 1
        plan = backends.plan_of(backend, program, KIND, rows, steps, steps, lambda: False)
    traces.functions[key] = calls + 1, plan
    names = choices(plan, backend)
    if names not in traces.functions:
        traces.check_gradient()
        traces.functions[names] = SharedOut(traces.program, traces.name, traces.reduce, names)
    return traces.functions[names](executor, contents)


def choices(plan: backends.Plan, backend: str) -> tuple[str, ...]:
    """The backends that a worker tries: where no other was asked for, one without a compiler."""
    is_free = backend == "auto" and plan.backend == "native"
    return (plan.backend, plan.without_native) if is_free else (plan.backend,)


def check(executor: Any) -> None:
    """Refuse what is no executor."""
    is_class = isinstance(executor, type)
    if is_class or not callable(getattr(executor, "submit", None)):
        got = f"the class {executor.__name__}" if is_class else _kind(executor)
        raise TypeError(
            f"executor must be an executor of concurrent.futures, got {got}: write "
            "ThreadPoolExecutor(), ProcessPoolExecutor(), or Dask's Client.get_executor()"
        )


def cut(rows: int, width: int) -> list[int]:
    """Where pieces begin, and the end; `width` is how many numbers a row has.

    >>> cut(3, 10), cut(40, 10)[:4], len(cut(1_000_000, 10)) - 1
    ([0, 1, 2, 3], [0, 2, 5, 7], 123)
    """
    pieces = min(rows, max(PIECES, -(-rows // ROWS), -(-rows * width // NUMBERS)))
    return [rows * i // pieces for i in range(pieces + 1)]


def _death(error: BaseException, executor: Any, name: str) -> Exception:
    from concurrent.futures import BrokenExecutor

    kind = type(error) if isinstance(error, BrokenExecutor) else BrokenExecutor
    return kind(
        f"a worker of {_kind(executor)} died while it computed {name}, and left no error: it "
        "crashed, or was ended, often because memory ran out. Make a new executor, with fewer "
        "workers if memory is short; processes started by a script need its main part under "
        "if __name__ == '__main__'"
    )


def _kind(executor: Any) -> str:
    return type(executor).__name__


def _in_a_row(parts: Sequence[Any]) -> Any:
    """Lists or arrays of rows, one after the other."""
    if parts[0].__class__ is list:
        return [row for part in parts for row in part]
    from numpy import concatenate

    return concatenate(parts)


def _added(one: Any, other: Any) -> Any:
    """The sum of numbers, arrays or nested lists."""
    return [*map(_added, one, other)] if one.__class__ is list else one + other


def _divided(x: Any, count: int) -> Any:
    return [_divided(item, count) for item in x] if x.__class__ is list else x / count
