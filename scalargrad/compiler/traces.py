"""The trace of a function for one structure of arguments, and its code.   (floor 3)"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from copy import copy
from functools import partial
from io import StringIO
from itertools import cycle, islice, repeat
from typing import Any, NamedTuple

from ..arithmetic.conversion import as_float
from ..graph import without_collector
from ..modes import no_grad, switched_on
from ..trees import is_array, leaves, rebuilt
from ..value import Value
from ..walks import BY_TABLE
from . import backends
from .arguments import NUMBER, Fixed, Form, Numbers, State, held
from .backends import Plan
from .captured import Captured
from .contents import ARRAY, LIST, handing
from .draws import Draws
from .kinds import points
from .program import Block, Input, Program, Step, computed, frozen, is_another, sharing
from .tracing import Condition, Traced, TraceError, line_of, tracing
from .update import alike

_OWN = 250  # the size of a trace of nothing: numbers and operands count as one each
_DRAWS = (
    "{} draws random numbers, and those of one call would be frozen into the compiled function; "
    "give them as an argument (at {})"
)
_VARIES = (
    "{} gave another formula when it was called again: what it counts, or takes from an iterator, "
    "a clock, a file or the system, would be frozen into the compiled function; write a list in "
    "place of an iterator, or give the number as an argument (at {})"
)
_OF_KINDS = (
    "{} gives another result of plain numbers than of traced ones: asking for their kind "
    "(isinstance, type, hasattr) would freeze one way; write the same formula for both (at {})"
)


class TracedCall:
    """A call with traced numbers: the blocks of its arguments, these, and the Values that it takes
    from elsewhere, which are one more block.
    """

    def __init__(
        self, name: str, names: Sequence[str], forms: Sequence[Form], wrt: Sequence[int]
    ) -> None:
        self.name, self.blocks = name, list[Block]()
        for i, (argument, form) in enumerate(zip(names, forms)):
            self.blocks += form.blocks(argument, wrt=i in wrt)
        nodes = [[Traced(block.name) for _ in block.inputs] for block in self.blocks]
        content = zip(self.blocks, nodes)
        self.arguments = [form.traced(content) for form in forms]
        inputs = [x for block in self.blocks for x in block.inputs]
        self.known = [*zip([x for xs in nodes for x in xs], inputs)]
        self._captured, self.taken = Block("captured", (0,)), dict[Value, Input]()

    def program(self, outputs: Sequence[Any]) -> Program:
        """The program of what was recorded."""
        steps: list[Step] = []
        ends, own = frozen(outputs, self.known, self.input_for, steps), self._captured
        own.inputs, own.shape = [*self.taken.values()], (len(self.taken),)
        return Program([*self.blocks, *[own] * bool(self.taken)], ends, steps=steps)

    def input_for(self, value: Any) -> Input:
        """The input for a Value that was not handed in."""
        if isinstance(value, Traced):
            raise TraceError(
                f"{self.name} used a traced number of another call: "
                "it must not keep what it is given"
            )
        if value not in self.taken:
            self.taken[value] = Input(self._captured, len(self.taken))
        return self.taken[value]


class Traces:
    """The program that a function was traced to, for arguments of certain forms.

    `wrt` are the positions of the arguments that are differentiated by, or names of some that were
    not given: there is a value then, and no gradient. If `is_tuple`, gradients come in a tuple.
    """

    @without_collector()
    def __init__(
        self, fn: Callable[..., Any], name: str, names: Sequence[str], forms: Sequence[Form],
        count: int, wrt: tuple[Any, ...], is_tuple: bool, reduce: str | None,
    ) -> None:  # fmt: skip
        """Call the function with traced numbers, `count` by position, and freeze the result."""
        self._fn, self.name, self.names, self.forms = fn, name, list(names), tuple(forms)
        self._missing = [x for x in wrt if isinstance(x, str)]
        self.count, self.is_tuple = count, is_tuple
        self.wrt: tuple[int, ...] = () if self._missing else wrt
        of_rows = [form.kinds[0] for form in held(forms, Numbers) if form.has_rows]
        self.has_rows, self.reduce = bool(of_rows), reduce if of_rows else "mean"
        self._of_rows = "" if self.reduce else ARRAY if ARRAY in of_rows else LIST
        self._hand = handing((self._of_rows,) if self._of_rows else ())
        self._is_asked = False  # whether the function took a traced number as text or as a key
        self.look()
        texts = [text.format(name, line_of(fn)) for text in (_DRAWS, _VARIES)]
        draws = Draws(self._look_again)
        twice = draws.twice(lambda: self._trace(fn), self._are_alike, *texts)
        program, self.taken, self.result = twice
        self.program, self.is_single = sharing(program), self.result is None
        if self.captured.asks_kinds or self._is_asked:
            self._compare(fn)
        self._look_again()  # what the function counted or noted itself is no change
        self.rows = [i for i, block in enumerate(self.program.blocks) if block.has_rows]
        self.functions: dict[Any, Any] = {}
        self.plans: dict[Any, Plan] = {}
        self._failures: dict[str, Exception] = {}  # of making machine code, unasked
        self.size = _OWN + sum(len(block.inputs) for block in self.program.blocks)
        self.size += sum(1 + len(step.operands) for step in self.program.steps)
        self._fit()

    def _fit(self) -> None:
        """Make what reads arguments of these forms, and what gives gradients by them."""
        self._fits = [form.fits for form in self.forms]
        self._by = [(i, self.forms[i]) for i in sorted(self.wrt)]  # in the order of blocks
        gather = {i: form.gathering(self._of_rows) for i, form in self._by}

        def in_tuple(slopes: Iterable[Any]) -> tuple[Any, ...]:
            content = iter(slopes)
            made = {i: gathered(content) for i, gathered in gather.items()}
            return tuple([made[i] for i in self.wrt])

        self._gradient: Callable[[Any], Any] = in_tuple
        if self.wrt and not self.is_tuple:
            form = self.forms[self.wrt[0]]
            if isinstance(form, Numbers):  # the usual case: one block
                hand = form.handing(self._of_rows)
                self._gradient = lambda slopes: hand(slopes[0])
            else:
                only = gather[self.wrt[0]]
                self._gradient = lambda slopes: only(iter(slopes))

    def adopted(self, forms: Sequence[Form]) -> Traces:
        """The same traces for other modules that are built alike."""
        twin = copy(self)
        twin.forms = tuple(forms)
        twin.size = _OWN + sum(len(block.inputs) for block in self.program.blocks)
        twin.look()
        twin._fit()
        return twin

    def _trace(self, fn: Callable[..., Any]) -> tuple[Program, list[Value], Any]:
        """Record a call with traced numbers: a program, Values from outside, the structure.

        The structure is that of several results, None for a single one.
        """
        call = TracedCall(self.name, self.names, self.forms, self.wrt)
        numbers = [name for name, form in zip(self.names, self.forms) if form == NUMBER]
        with tracing(numbers) as trace:
            result = self._called(fn, call.arguments)
            if isinstance(result, set | frozenset):
                trace.refused.clear()  # more is said of it below
        self._is_asked |= trace.is_asked
        outputs = _outputs(result, self.name)
        program = call.program(outputs)
        is_several = isinstance(result, list | tuple | dict) or is_array(result)
        structure = rebuilt(result, repeat(0.0)) if is_several or len(outputs) != 1 else None
        return program, list(call.taken), structure

    def _called(self, fn: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        named = dict(zip(self.names[self.count :], arguments[self.count :]))
        return fn(*arguments[: self.count], **named)

    @staticmethod
    def _are_alike(one: tuple[Program, Any, Any], other: tuple[Program, Any, Any]) -> bool:
        """Whether two calls recorded the same, of the same Values or of equal ones they made."""
        (program, taken, _), (again, taken_again, _) = one, other
        partners = dict(zip(again.inputs, program.inputs))
        are_same = len(taken) == len(taken_again) and all(
            value is other or repr(value.data) == repr(other.data)
            for value, other in zip(taken, taken_again)
        )
        return are_same and alike(program.outputs, again.outputs, partners)

    def _compare(self, fn: Callable[..., Any]) -> None:
        """Refuse a function that gives another result of plain numbers, which prints nothing."""
        for point in points(self.captured.functions, self.captured.numbers):
            numbers, blocks, arguments = cycle(point), iter(self.program.blocks), []
            known: dict[Any, float] = {}
            for name, form in zip(self.names, self.forms):
                contents: list[Any] = []
                for block in islice(blocks, len(form.blocks(name))):
                    given = [*islice(numbers, len(block.inputs))]
                    known.update(zip(block.inputs, given))
                    contents.append(
                        (block, [*map(Value, given)] if isinstance(form, State) else given)
                    )
                arguments.append(form.traced(iter(contents)))
            for block in blocks:  # of Values that were taken
                known.update(zip(block.inputs, [value.data for value in self.taken]))
            try:
                with no_grad(), switched_on(BY_TABLE), redirect_stdout(StringIO()):
                    expected = _outputs(self._called(fn, arguments), self.name)
            except Exception:  # it takes Values, not numbers
                continue
            ours = computed(self.program, known)
            theirs = [getattr(x, "data", x) for x in expected]
            if len(ours) != len(theirs) or any(map(is_another, ours, theirs)):
                raise TraceError(_OF_KINDS.format(self.name, line_of(fn)))

    def look(self) -> None:
        """Take what the function reads as it is now."""
        fixed = [form.item for form in held(self.forms, Fixed)]
        modules = [form.module for form in held(self.forms, State)]
        self.captured = Captured([self._fn, *fixed], modules)

    def _look_again(self) -> Captured:
        if self.captured.has_changed():
            self.look()
        return self.captured

    # -------------------------------------------------------------- the way in

    def contents(self, args: Sequence[Any]) -> list[Any] | None:
        """The contents of all blocks, if the arguments have these forms and as many rows each.

        Else None.
        """
        if not len(args) == self.count == len(self._fits):
            return None
        contents: list[Any] = []
        for fits, argument in zip(self._fits, args):
            if not fits(argument, contents):
                return None
        if self.rows:
            counts = {len(contents[i]) for i in self.rows}
            if len(counts) > 1 or 0 in counts:
                return None
        return self.all_contents(contents)

    def all_contents(self, contents: list[Any]) -> list[Any]:
        """The contents of all blocks: the arguments' ones, and the data of captured Values."""
        return [*contents, [value.data for value in self.taken]] if self.taken else contents

    def function(self, backend: str, kind: str, contents: Sequence[Any]) -> Any:
        """The generated function of a kind: "value", "value_and_grad" or "jacobian"."""
        if (function := self.functions.get(self._key(kind, contents))) is None:
            function = self._planned(backend, kind, contents)
        return function

    def _key(self, kind: str, contents: Sequence[Any]) -> Any:
        """A key for the choice of a backend: the kind, and an order of magnitude of rows."""
        return (kind, len(contents[self.rows[0]]).bit_length()) if self.rows else kind

    def _planned(self, backend: str, kind: str, contents: Sequence[Any], calls: int = 1) -> Any:
        """The function that suits, chosen at the first call, and when machine code may pay."""
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
            later = partial(self._planned, backend, kind)
            function = _Until(plan.until, function, calls, later)
        self.functions[key], self.plans[key] = function, plan
        return function

    def _built(self, plan: Plan, kind: str) -> Any:
        """The function that a plan is of."""
        chosen = kind, plan.backend
        if chosen not in self.functions:
            with without_collector():
                self.functions[chosen] = backends.build(
                    plan.backend, self.program, self.name, kind, self.reduce
                )
        return self.functions[chosen]

    def present_plan(self, backend: str, kind: str, contents: Sequence[Any]) -> Plan:
        """The plan that holds for such a call."""
        return self.plans.get(self._key(kind, contents)) or self.plan(backend, kind, contents)

    @without_collector()
    def plan(self, backend: str, kind: str, contents: Sequence[Any], calls: int = 1) -> Plan:
        """The plan for a function after so many calls: as many are expected to come."""
        rows = len(contents[self.rows[0]]) if self.rows else 0

        def is_made() -> bool:
            from .native import has_code

            return has_code(self.program, kind, self.reduce)

        plan = backends.plan_of(backend, self.program, kind, rows, calls, calls, is_made)
        is_unasked = backend == "auto" and plan.backend == "native"
        failure = self._failures.get(kind) if is_unasked else None
        return plan if failure is None else plan.after(failure)

    # -------------------------------------------------------------- the way out

    def value(self, outputs: Any) -> Any:
        """The function's result, of the outputs; with a leading axis of rows for one each."""
        hand = self._hand
        return hand(outputs[0]) if self.is_single else rebuilt(self.result, map(hand, outputs))

    def value_and_grad(self, result: Any) -> tuple[Any, Any]:
        """The value of the one output, and its gradient."""
        value, slopes = result
        return self._hand(value), self._gradient(slopes)

    def jacobian(self, result: Any) -> tuple[Any, Any]:
        """The outputs, and the gradient of each, in the structure of the function's result."""
        outputs, groups = result
        gradients = iter([self._gradient(group) for group in groups])
        slopes = next(gradients) if self.is_single else rebuilt(self.result, gradients)
        return self.value(outputs), slopes

    @property
    def kinds(self) -> list[str]:
        """The functions that can be made: the value, and the derivative if it is by numbers."""
        has_slopes = self._by and not any(isinstance(form, Fixed) for _, form in self._by)
        derivative = "value_and_grad" if self.is_single else "jacobian"
        return ["value", derivative] if has_slopes else ["value"]

    def check_gradient(self) -> None:
        """Refuse to differentiate by what is no number, or was not given."""
        for name in self._missing:
            raise ValueError(
                f"the gradient of {self.name} is by {name} too, which was not given: give it a "
                f"number, {name}=…, or name other arguments by wrt"
            )
        if not self.wrt:
            raise ValueError(f"{self.name} was called with no argument to take a gradient by")
        for i, form in self._by:
            if isinstance(form, Fixed):
                raise TypeError(
                    f"the gradient of {self.name} is by argument {i}, "
                    f"which is no number but {form.item!r}: name another by wrt"
                )


class Request(NamedTuple):
    """The functions of traces that a file is to hold, for arguments with these names.

    `contents` are the numbers of an example, block by block. The first `fixed` blocks stand in the
    file as constants. With `predict` the file has one function of that name, which takes an array
    of inputs and gives an array of outputs.
    """

    traces: Traces
    names: Sequence[str]
    contents: Sequence[Any]
    doc: str = ""
    backend: str = "auto"
    fixed: int = 0
    predict: bool = False


class _Until:
    """A function for so many calls; then another is asked for."""

    def __init__(self, until: int, function: Any, calls: int, next: Callable[..., Any]) -> None:
        self.until, self.function, self.calls, self.next = until, function, calls, next
        self.source = function.source

    def __call__(self, contents: Sequence[Any]) -> Any:
        self.calls += 1
        if self.calls > self.until:
            return self.next(contents, self.calls)(contents)
        return self.function(contents)


def _outputs(result: Any, name: str) -> list[Any]:
    """The traced numbers and floats of a result, however it is nested."""
    if result is None or isinstance(result, str):
        advice = ": did it forget its return?" if result is None else ""
        raise TypeError(
            f"{name} returned {type(result).__name__}, "
            f"expected a number or a structure of numbers{advice}"
        )
    found = leaves(result, f"the result of {name}")
    return [
        x.as_number() if isinstance(x, Condition) else x if isinstance(x, Value) else as_float(x)
        for x in found
    ]
