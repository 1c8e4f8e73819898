"""One structure of arguments: the program that it was traced to, and the functions that were generated of it.   (floor 3)"""

from __future__ import annotations

import gc
from contextlib import contextmanager, redirect_stdout
from functools import partial
from io import StringIO
from itertools import cycle, islice, repeat

from ..arithmetic.conversion import as_float
from ..modes import no_grad
from ..trees import is_array, leaves, rebuilt
from ..value import Value
from . import backends
from .arguments import (
    FIXED,
    ROWS,
    STATE,
    as_number,
    blocks_of,
    gathered,
    gathering,
    holds_module,
    traced,
)
from .captured import Captured
from .draws import CALLS, Draws, generators
from .fitting import fitting
from .program import Block, Input, Program, Step, constants, frozen, is_another, sharing
from .tracing import Condition, Traced, TraceError, line_of, tracing
from .update import alike, same_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from .arguments import Form
    from .backends import Plan

_DRAWS = "{} draws random numbers, and those of one call would be frozen into the compiled function; give them as an argument"

_VARIES = (
    "{} gave another formula when it was called again: what it takes from an iterator, a clock, a file or the system would be frozen into "
    "the compiled function; write a list in place of an iterator, or give the number as an argument"
)


POINTS = (0.3, 0.8, 0.55, 0.7), (1.0, 2.0, 0.0, 3.0), (-1.5, 2.5, -0.25, 4.0)  # to try


@contextmanager
def without_collector() -> Iterator[None]:
    """Make many objects that are kept without the cyclic collector going through them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Traces:
    """What a function was traced to for arguments of certain forms.

    `wrt` are the positions of the arguments that are differentiated by; their gradients come in a tuple where `is_tuple`.
    """

    @without_collector()
    def __init__(
        self,
        fn: Callable[..., Any],
        name: str,
        names: Sequence[str],
        forms: Sequence[Form],
        count: int,
        wrt: tuple[int, ...],
        is_tuple: bool,
        reduce: str | None,
    ) -> None:
        """Call the function with traced numbers, `count` of its arguments by position, and freeze what it records."""
        self.name, self.names, self.forms, self.count, self.wrt, self.is_tuple = (
            name,
            list(names),
            list(forms),
            count,
            wrt,
            is_tuple,
        )
        self.has_rows = any(form[0] == ROWS for form in forms)
        self.reduce = reduce if self.has_rows else "mean"
        given = [form[1] for form in forms if form[0] == FIXED]
        modules = [form[1].it for form in forms if form[0] == STATE]
        self._reached = [fn, *given], modules
        self.look()
        draws = Draws(generators(self.captured))
        self._known = {id(generator) for generator in draws.generators}
        self._is_asked = False  # whether the function took a traced number as text or as a key
        self.program, self.taken, self.result = self._trace(fn)
        may_vary = self.captured.may_vary or draws.may_have_been_made()
        if may_vary and not all(self._is_repeated(fn) for _ in range(CALLS)):
            reason = _DRAWS if draws.were_made() or draws.were_imported() else _VARIES
            draws.undo()
            raise TraceError(f"{reason.format(name)} (at {line_of(fn)})")
        if self.captured.asks_kinds or self._is_asked:
            self._compare(fn)
        self.is_single = self.result is None
        self.readers = [fitting(form, name) for name, form in zip(names, forms)]
        self.rows = [i for i, block in enumerate(self.program.blocks) if block.has_rows]
        self.functions: dict[Any, Any] = {}
        self.plans: dict[Any, Plan] = {}
        self._failures: dict[str, Exception] = {}  # of making machine code, unasked
        self._by = [(i, forms[i]) for i in sorted(wrt)]  # in the order of blocks
        by_rows = self.reduce is None
        self._gradient = (
            partial(_in_tuple, self._by, wrt, by_rows)
            if is_tuple or not wrt
            else gathering(forms[wrt[0]], by_rows)
        )
        if self.captured.has_changed():  # by the function itself
            self.look()

    def _is_repeated(self, fn: Callable[..., Any]) -> bool:
        """Whether another call with traced numbers records the same."""
        try:
            again, taken, _ = self._trace(fn)
        except TraceError:
            raise
        except Exception:  # of an iterator nothing may be left
            return False
        return same_objects(taken, self.taken) and alike(
            self.program.outputs, again.outputs, dict(zip(_inputs(again), _inputs(self.program)))
        )

    def _trace(self, fn: Callable[..., Any]) -> tuple[Program, list[Value], Any]:
        """The program that a call with traced numbers records, the Values it took from outside, and the structure of several results."""
        name, names, forms, count = self.name, self.names, self.forms, self.count
        parts = [
            blocks_of(form, name, wrt=i in self.wrt)
            for i, (name, form) in enumerate(zip(names, forms))
        ]
        blocks = [block for part in parts for block in part]
        nodes = [[Traced(block.name) for _ in block.inputs] for block in blocks]
        inputs: dict[Any, Input] = {
            x: y for block, xs in zip(blocks, nodes) for x, y in zip(xs, block.inputs)
        }
        content = iter(nodes)
        arguments = [traced(form, content) for form in forms]
        reached = (
            generators(Captured(self._reached[0], arguments))
            if any(map(holds_module, forms))
            else []
        )
        of_copies = [generator for generator in reached if id(generator) not in self._known]
        draws = Draws(of_copies)
        with tracing() as trace:
            result = fn(*arguments[:count], **dict(zip(names[count:], arguments[count:])))
            if isinstance(result, set | frozenset):
                trace.refused.clear()  # more is said of it below
        self._is_asked |= trace.is_asked
        if draws.were_made():
            raise TraceError(_DRAWS.format(name))
        outputs, taken, steps = _outputs(result, name), _Taken(name), list[Step]()
        ends = frozen(outputs, inputs, taken.input, steps)
        program = sharing(Program([*blocks, *taken.blocks()], ends, steps=steps))
        is_single = (
            len(outputs) == 1
            and not isinstance(result, list | tuple | dict)
            and not is_array(result)
        )
        return program, list(taken.inputs), None if is_single else rebuilt(result, repeat(0.0))

    def _compare(self, fn: Callable[..., Any]) -> None:
        """Refuse a function that asks for the kind of its arguments and then gives another result of plain numbers.

        It is tried on the numbers that its code names too, each as one argument after the other.
        """
        of_code = [(x, *POINTS[0][1:3]) for x in self.captured.numbers()]
        turned = [point[i:] + point[:i] for point in of_code for i in range(len(point))]
        for point in (*POINTS, *turned):
            numbers, blocks = cycle(point), iter(self.program.blocks)
            known: dict[Any, float] = {}
            arguments = []
            for name, form in zip(self.names, self.forms):
                contents = []
                for block in islice(blocks, len(blocks_of(form, name))):
                    given = [*islice(numbers, len(block.inputs))]
                    known.update(zip(block.inputs, given))
                    contents.append([*map(Value, given)] if form[0] == STATE else given)
                arguments.append(traced(form, iter(contents)))
            for block in blocks:  # of Values that were taken
                known.update(zip(block.inputs, [value.data for value in self.taken]))
            named = dict(zip(self.names[self.count :], arguments[self.count :]))
            try:
                with no_grad(), redirect_stdout(StringIO()):  # it has been printed once
                    expected = _outputs(fn(*arguments[: self.count], **named), self.name)
            except Exception:  # it takes Values, not numbers
                continue
            ours = [x.data for x in constants(self.program, known).outputs]
            theirs = [getattr(x, "data", x) for x in expected]
            if len(ours) != len(theirs) or any(map(is_another, ours, theirs)):
                raise TraceError(
                    f"{self.name} gives another result of plain numbers than of traced ones: asking for their kind (isinstance, type, "
                    f"hasattr) would freeze one way; write the same formula for both (at {line_of(fn)})"
                )

    def look(self) -> None:
        """Take what the function reads as it is now: what it counted or noted itself while it was traced is no change."""
        self.captured = Captured(*self._reached)

    # -------------------------------------------------------------- the way in

    def contents(self, args: Sequence[Any]) -> list[Any] | None:
        """The contents of all blocks for arguments of these forms, by position; None for others, or where not all have the same rows."""
        if not len(args) == self.count == len(self.readers):
            return None
        contents: list[Any] = []
        for fits, argument in zip(self.readers, args):
            if not fits(argument, contents):
                return None
        if self.rows:
            counts = {len(contents[i]) for i in self.rows}
            if len(counts) > 1 or 0 in counts:
                return None
        return self.all_contents(contents)

    def all_contents(self, contents: list[Any]) -> list[Any]:
        """The contents of all blocks: those of the arguments, and the numbers of Values that were captured."""
        return [*contents, [value.data for value in self.taken]] if self.taken else contents

    def function(self, backend: str, kind: str, contents: Sequence[Any]) -> Any:
        """The generated function for a call with such contents: "value", "value_and_grad" or "jacobian"."""
        if (function := self.functions.get(self._key(kind, contents))) is None:
            function = self._planned(backend, kind, contents)
        return function

    def _key(self, kind: str, contents: Sequence[Any]) -> Any:
        """What a backend is chosen for: a kind of function, and an order of magnitude of rows."""
        return (kind, len(contents[self.rows[0]]).bit_length()) if self.rows else kind

    def _planned(self, backend: str, kind: str, contents: Sequence[Any], calls: int = 1) -> Any:
        """The function that suits, decided when it is first called, and again when machine code may pay."""
        key = self._key(kind, contents)
        if kind != "value":
            self.check_gradient()
        plan = self.plan(backend, kind, contents, calls)
        try:
            function = self._built(plan, kind)
            if backend == "auto" and plan.backend == "native":
                function(contents)  # what fails will fail now
        except Exception as error:
            if backend != "auto" or plan.backend != "native":
                raise
            self._failures[kind] = error
            plan = self.plan(backend, kind, contents, calls)
            function = self._built(plan, kind)
        if plan.until:
            function = _Until(
                plan.until,
                function,
                calls,
                lambda calls, given: self._planned(backend, kind, given, calls),
            )
        self.functions[key], self.plans[key] = function, plan
        return function

    def _built(self, plan: Plan, kind: str) -> Any:
        """The function that a plan is of."""
        in_lists = plan.backend == "native" and plan.without_native == "python"
        chosen = kind, "native, in lists" if in_lists else plan.backend
        if chosen not in self.functions:
            with without_collector():
                function = backends.build(plan.backend, self.program, self.name, kind, self.reduce)
            self.functions[chosen] = backends.InLists(function) if in_lists else function
        return self.functions[chosen]

    def present_plan(self, backend: str, kind: str, contents: Sequence[Any]) -> Plan:
        """The plan that holds for such a call."""
        return self.plans.get(self._key(kind, contents)) or self.plan(backend, kind, contents)

    @without_collector()
    def plan(self, backend: str, kind: str, contents: Sequence[Any], calls: int = 1) -> Plan:
        """The plan for a function that was called so many times: as many calls may be expected to come."""
        rows = len(contents[self.rows[0]]) if self.rows else 0

        def is_made() -> bool:
            from .native import has_code

            return has_code(self.program, kind, self.reduce)

        plan = backends.plan_of(backend, self.program, kind, rows, calls, calls, is_made)
        failure = (
            self._failures.get(kind) if backend == "auto" and plan.backend == "native" else None
        )
        return plan if failure is None else plan.after(failure)

    # -------------------------------------------------------------- the way out

    def value(self, outputs: Any) -> Any:
        """What the function returns, of the outputs; a row's outputs each where nothing is added up over the rows."""
        if self.reduce is None and outputs.__class__ is list:
            outputs = [list(column) for column in zip(*outputs)]
        return (
            as_number(outputs[0])
            if self.is_single
            else rebuilt(self.result, map(as_number, outputs))
        )

    def value_and_grad(self, result: Any) -> tuple[Any, Any]:
        """The value of the one output, and its gradient."""
        if self.reduce is None and result.__class__ is list:
            result = [value for value, _ in result], _columns([slopes for _, slopes in result])
        value, slopes = result
        return as_number(value), self._gradient(slopes)

    def jacobian(self, result: Any) -> tuple[Any, Any]:
        """The outputs, and the gradient of each, in the structure of what the function returns."""
        if self.reduce is None and result.__class__ is list:
            result = (
                [outputs for outputs, _ in result],
                [_columns(group) for group in zip(*[slopes for _, slopes in result])],
            )
        outputs, groups = result
        gradients = iter([self._gradient(group) for group in groups])
        return self.value(outputs), next(gradients) if self.is_single else rebuilt(
            self.result, gradients
        )

    @property
    def kinds(self) -> list[str]:
        """The functions that can be generated: the value, and where it is by numbers the derivative."""
        derivative = "value_and_grad" if self.is_single else "jacobian"
        return (
            ["value", derivative]
            if self._by and all(form[0] != FIXED for _, form in self._by)
            else ["value"]
        )

    def check_gradient(self) -> None:
        """Refuse to differentiate by what is no number."""
        if not self.wrt:
            raise ValueError(f"{self.name} was called with no argument to take a gradient by")
        for i, form in self._by:
            if form[0] == FIXED:
                raise TypeError(
                    f"the gradient of {self.name} is by argument {i}, which is no number but {form[1]!r}: name another by wrt"
                )


class _Until:
    """A function for so many calls; then another is asked for."""

    def __init__(
        self, until: int, function: Any, calls: int, next: Callable[[int, Any], Any]
    ) -> None:
        self.until, self.function, self.calls, self.next = until, function, calls, next
        self.source = function.source

    def __call__(self, contents: Sequence[Any]) -> Any:
        self.calls += 1
        if self.calls > self.until:
            return self.next(self.calls, contents)(contents)
        return self.function(contents)


class _Taken:
    """The Values that a function took from outside its arguments: one more block."""

    def __init__(self, name: str) -> None:
        self.name, self.block, self.inputs = name, Block("captured", (0,)), dict[Value, Input]()

    def input(self, value: Value) -> Input:
        if isinstance(value, Traced):
            raise TraceError(
                f"{self.name} used a traced number of another call: it must not keep what it is given"
            )
        made = self.inputs[value] = Input(self.block, len(self.inputs))
        return made

    def blocks(self) -> list[Block]:
        self.block.inputs, self.block.shape = list(self.inputs.values()), (len(self.inputs),)
        return [self.block] if self.inputs else []


def _in_tuple(
    by: Sequence[tuple[int, Form]], wrt: Sequence[int], by_rows: bool, slopes: Any
) -> tuple[Any, ...]:
    """The gradients by several arguments, of slopes in the order of their blocks."""
    content: Iterator[Any] = iter(slopes)
    made = {i: gathered(form, content, by_rows) for i, form in by}
    return tuple([made[i] for i in wrt])


def _outputs(result: Any, name: str) -> list[Any]:
    """The traced numbers and floats of a result, however it is nested."""
    if result is None or isinstance(result, str):
        advice = ": did it forget its return?" if result is None else ""
        raise TypeError(
            f"{name} returned {type(result).__name__}, expected a number or a structure of numbers{advice}"
        )
    found = leaves(result, f"the result of {name}")
    return [
        x.as_number() if isinstance(x, Condition) else x if isinstance(x, Value) else as_float(x)
        for x in found
    ]


def _inputs(program: Program) -> list[Input]:
    return [x for block in program.blocks for x in block.inputs]


def _columns(rows: Any) -> list[Any]:
    """Of a tuple for each row, a list for each place in it."""
    return [list(column) for column in zip(*rows)]
