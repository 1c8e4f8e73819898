"""Steps of `fit` by generated code, which makes many at a time.   (floor 3)

A call makes a block of steps in raw arithmetic and puts weights, state and number of steps in place
at its end, all at once: so Ctrl-C leaves whole steps, and a change between two calls counts. Where
a block meets a nan or an infinity, it is made again with more care, and the step that fails then is
made on Values, which say what is wrong.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from functools import cache
from itertools import repeat
from math import isfinite, nan
from time import perf_counter
from typing import Any

from ..arithmetic.total import ERRORS
from ..compiler.backends import build, plan_of
from ..compiler.captured import Captured
from ..compiler.contents import shaped
from ..compiler.draws import Draws
from ..compiler.emitters.python_training import LARGE, LoopInPython
from ..compiler.program import Block, Input, operations
from ..compiler.stepwise import Problem, Steps, Stepwise
from ..compiler.tracing import TraceError
from ..compiler.training import COUNTED, Objective, steady
from ..compiler.update import lets_through, update_of
from ..graph import without_collector
from .choosing import OPTIMIZERS
from .compared import compare, traced_or_refused
from .eager import Eager
from .lbfgs import LBFGS
from .optimizers import Optimizer, clipped
from .parameters import is_own, put
from .rows import one_hot, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..value import Value
    from .eager import Asked, Losses, Table

SECONDS = 0.03  # a block of steps takes about so long
WRITTEN_OUT = 3000  # a batch of at most so many operations is written out row by row,
MANY = 1000  # if there are at least so many steps
LINES = 6000  # an update of at most so many lines has a line for each weight,
SOME = 300  # if there are at least so many steps
CHANGES = 3  # after so many changes, one after the other, no more code is made
METHODS = ("step", "rate", "move", "become", "zero_grad", "__setattr__", "__getattribute__")
ATTRIBUTES = ("parameters", "lr", "steps", "state")  # an Optimizer has these as plain attributes


class Generated:
    """Makes steps by generated code.

    If model, loss or penalty cannot be traced, or the optimiser has a step of its own, it raises
    TraceError.
    """

    def __init__(self, asked: Asked) -> None:
        if not isinstance(asked.optimizer, LBFGS):
            check_optimizer(asked.optimizer)
        self.asked, self.task, self.optimizer, self.table = asked, *asked[:3]
        self._plan: Any = None
        self._problem: Any = None
        self._steps: Any = None
        self.pace = 1  # a call makes at most so many steps
        self._has_slopes = True  # parameters may have gradients
        self._held: tuple[Table, Callable[[], float] | None] | None = None
        self._failure: BaseException | None = None
        self.is_own = is_known(self.optimizer) and is_own(*self.task.parts)
        self._captured: Any = None  # what the code is made from, where a callback may change it
        with self._taking_back_draws() as draws:
            self._classes = self.task.classes(self.table)
            self._build(draws)

    @property
    def is_lasting(self) -> bool:
        """Whether the code may serve for other rows in later calls of `fit`."""
        return self.is_own and not (self.asked.keeps or self.asked.executor)

    def goes_on(self, asked: Asked) -> bool:
        """Take other rows for the next steps; False if the code does not serve for them."""
        before, table = self.asked, asked.table
        is_same = self.is_lasting and asked.kind == before.kind and not self.has_changed()
        if not (is_same and self._reads(table)):
            return False
        self.table, self._problem = table, self._problem._replace(table=self._prepared(table))
        self._held, self._failure, self._has_slopes = None, None, True
        expected, calls = before.expected + asked.expected, before.calls + asked.calls
        self.asked = asked._replace(expected=expected, calls=calls)
        if self._loop and 0 < self._plan.until < expected:
            self._begin()
        for loop in filter(None, (self._loop, self._steps)):
            loop.load(self._problem.table)
        return True

    def _taking_back_draws(self) -> AbstractContextManager[Any]:
        if self.is_own:  # it draws nothing
            return nullcontext()
        self.look()
        return Draws(self._latest)

    def _functions(self) -> list[Any]:
        """The functions and classes that the user wrote."""
        task, own = self.task, None if is_known(self.optimizer) else type(self.optimizer)
        return [*filter(None, (task.measure, task.penalty, type(task.model), own))]

    def steps(self, batches: Iterable[list[int]], losses: Losses) -> None:
        """Make a step on each batch, and before it add its loss to `losses`.

        If a step after the first fails, the next call raises the error.
        """
        if self._failure:
            raise self._failure
        optimizer, start, before = self.optimizer, perf_counter(), len(losses)
        given = list(batches)
        rates = self._rates(len(given)) if self._loop is not None else None
        if rates is None or not self._at_once(given[: len(rates)], rates, losses):
            self._one_by_one(given, rates, losses)
        made, seconds = len(losses) - before, max(perf_counter() - start, 1e-9)
        self.pace = max(1, min(8 * made, int(made * SECONDS / seconds)))
        if self._has_slopes:
            optimizer.zero_grad()
            self._has_slopes = False

    def back_to(self, before: Any) -> None:
        """Put the optimiser back to where it was: weights, state, number of steps."""
        self._failure = None  # of a step that is taken back
        self.optimizer.become(*before)

    def _rates(self, count: int) -> Sequence[float]:
        """The rates of the next steps; if one raises an error, those before it."""
        optimizer = self.optimizer
        if not callable(optimizer.lr):
            return array("d", [optimizer.lr]) * count
        rates: list[float] = []
        try:
            for step in range(optimizer.steps, optimizer.steps + count):
                rates.append(optimizer.rate(step))
        except Exception as error:
            if not rates:
                raise
            self._failure = error
        return rates

    def _at_once(self, batches: list[list[int]], rates: Sequence[float], losses: Losses) -> bool:
        """Make all steps in one call; if a number becomes nan or infinite, make none: False."""
        optimizer = self.optimizer
        before = [p.data for p in optimizer.parameters], optimizer.state, self._fixed()
        try:
            steps = Steps(*before, rates, optimizer.steps, batches, self._moved)
            weights, state, found = self._loop.run(steps)
        except ERRORS:
            return False
        except Exception:
            self._do_without_native()
            return self._at_once(batches, rates, losses)
        if not all(map(isfinite, map(sum, (weights, found, *state)))):
            return False
        losses.extend(found)
        optimizer.become(weights, state, optimizer.steps + len(batches))
        return True

    def _do_without_native(self) -> None:
        """Take other code where machine code, chosen unasked, failed; else raise its error."""
        if self.asked.backend != "auto" or self._plan.backend != "native":
            raise
        self.asked = self.asked._replace(backend=self._plan.without_native)
        self._begin()

    def gradient(self, weights: list[float], batch: list[int]) -> tuple[float, list[float]]:
        """The loss of a batch with these weights, and its slopes; parameters may hold them then."""
        try:
            loss, gradient = self._careful().gradient(weights, self._fixed(), batch)
        except Exception:
            self._do_without_native()
            return self.gradient(weights, batch)
        if all(map(isfinite, gradient)):
            return loss, gradient
        return Eager(self.task, self.optimizer, self.table).gradient(weights, batch)

    def _one_by_one(
        self, batches: list[list[int]], rates: Sequence[float] | None, losses: Losses
    ) -> None:
        """The same steps in total arithmetic, each looked at, and on Values what fails then.

        Without `rates` each is asked for before its step, as on Values: an update may set it.
        """
        optimizer, before = self.optimizer, len(losses)
        made, self._has_slopes = before, True
        try:
            for batch, known in zip(batches, repeat(None) if rates is None else rates):
                lr = optimizer.rate(optimizer.steps) if known is None else known
                loss, gradient = self.gradient([p.data for p in optimizer.parameters], batch)
                gradient = self._clipped(gradient)
                if not is_known(self.optimizer):  # an update may read them there
                    put(optimizer.parameters, repeat("grad"), gradient)
                losses.append(loss)
                optimizer.move(gradient, lr)
                made += 1
        except Exception as error:
            if made == before:
                raise
            self._failure = error
            del losses[made:]  # a step that was not made has no loss

    def _clipped(self, gradient: list[float]) -> list[float]:
        return gradient if self.task.clip is None else clipped(gradient, self.task.clip)

    def _moved(self, weights: Any, gradients: Any, lr: float, state: Any, step: int) -> Any:
        """The optimiser's update, applied to numbers that are not its own."""
        self._twin.state, self._twin.steps = state, step
        if not callable(self._twin.lr):
            self._twin.lr = lr
        return self._twin.update(weights, self._clipped(gradients), lr)

    def loss_of(self, table: Table) -> float:
        """The loss of rows, without penalty."""
        if self._held is None or self._held[0] is not table:
            self._held = table, self._evaluator(table)
        evaluate = self._held[1]
        loss = evaluate() if evaluate else nan
        return loss if isfinite(loss) else self.task.loss_of(table)

    def _evaluator(self, table: Table) -> Callable[[], float] | None:
        """Generated code for the loss of these rows; None if training rows have another form.

        None too if the model asks for the kind of its numbers: it was tried on training rows only.
        """
        if self._is_doubtful or not self._reads(table):
            return None
        problem, n, calls = self._problem, len(table[0]), self.asked.calls
        plan = plan_of("auto", problem.loss, "value", n, calls, calls, lambda: False)
        name = "python" if self.asked.backend == "python" else plan.without_native
        content: list[Any] = [*self._prepared(table)]
        function = build(name, problem.loss, "loss", "value", problem.reduce)
        if name == "numpy":
            from numpy import asarray

            content = [*map(asarray, content)]
        contents = contents_of(problem.given, self._objective.values)
        return lambda: float(function([*contents(), *content])[0])

    def _reads(self, table: Table) -> bool:
        """Whether rows have the form of those that the code was made for."""
        are_alike = all(width(ours[0]) == width(rows[0]) for ours, rows in zip(self.table, table))
        return are_alike and self.task.classes(table) == self._classes

    def after_user_code(self) -> Generated | Eager:
        """The engine for the next steps, after a callback: Values, if it changed anything."""
        self._has_slopes = True
        return _Waiting(self) if self.has_changed() else self

    def has_changed(self) -> bool:
        """Whether anything that the code was made from has changed."""
        if self._captured is None:
            return True
        return self._captured.has_changed() or _settings(self.optimizer) != self._settings

    def look(self) -> None:
        """Note what the code is made from, to see changes later."""
        self._captured = self._latest()
        self._settings = _settings(self.optimizer)

    def _latest(self) -> Captured:
        given = self._functions(), [self.task.model]
        return self._captured.latest(*given) if self._captured else Captured(*given)

    def made_anew(self) -> Generated | Eager:
        """The engine for the next steps, made again after a change."""
        try:
            self.is_own = is_known(self.optimizer) and is_own(*self.task.parts)
            with self._taking_back_draws() as draws:
                self._build(draws)
        except Exception:  # if something is wrong, Values will say what
            return Eager(self.task, self.optimizer, self.table)
        return self

    # -------------------------------------------------------------- what is generated

    @without_collector()
    def _build(self, draws: Any) -> None:
        """Trace loss, penalty and update, and generate the code that makes the steps."""
        task, optimizer, start = self.task, self.optimizer, perf_counter()
        if not self.is_own or self.asked.calls > 1:
            self.look()
        self._twin = copy(optimizer)
        is_search = isinstance(optimizer, LBFGS)
        formula = None if is_search else update_of(optimizer, is_known(optimizer))
        if formula is not None and not lets_through(formula):
            formula = None  # each step must be looked at
        table, weights = self._prepared(self.table), optimizer.parameters
        row, reduce = [column[0] for column in table], "mean" if task.is_mean else "sum"
        given = task.model, row, weights, self.is_own, task.measure, task.penalty, task.is_mean

        def traced() -> Objective:
            return Objective(*given)

        made = traced_or_refused(traced if self.is_own else lambda: steady(traced, draws))
        # to change once is no matter: a table made when it is first read
        if not self.is_own and self._captured.has_changed():
            self.look()
            traced_or_refused(traced)
            if self._captured.has_changed():
                raise TraceError(COUNTED)
        self._is_doubtful = made.is_asked or (not self.is_own and self._captured.asks_kinds)
        if not self.is_own:
            compare(made, task.model, [*zip(*table)], self._is_doubtful)
        programs = made.loss, made.penalty, formula
        self._objective, self._problem = (
            made,
            Problem(*programs, made.weights, table, reduce, self.asked.keeps, task.clip),
        )
        self._fixed = contents_of(self._problem.fixed, made.values)
        self._begin()
        self.seconds = perf_counter() - start

    def _begin(self) -> None:
        """Choose the code that makes the steps."""
        self._held, self._steps = None, None
        self._loop: Any = None if self._problem.update is None else self._loop_for(self._problem)

    def _loop_for(self, problem: Problem) -> Any:
        """The code that makes many steps in a call: one function, or gradients and updates."""
        made, count = self._objective, operations(problem.loss)
        asked, executor = self.asked, self.asked.executor
        if asked.keeps and asked.rows == len(self.table[0]) and count * asked.rows < WRITTEN_OUT:
            table = problem.table
            problem = problem._replace(whole=cache(lambda: made.of_rows(*table)))

        @cache
        def on_native() -> Any:
            from ..compiler.native_training import LoopOnNative

            return LoopOnNative(problem)

        def is_made() -> bool:
            return executor is None and bool(on_native().has_code())

        expected = "value_and_grad", asked.rows, asked.expected, asked.calls
        plan = self._plan = plan_of(asked.backend, problem.loss, *expected, is_made)
        if plan.backend == "native" and executor is None:
            return on_native()
        if plan.backend != "python":
            from ..compiler.numpy_training import LoopOnArrays

            return LoopOnArrays(problem, plan.backend, executor)
        is_short = count < LARGE and len(made.weights) * len(problem.update.steps) < LINES
        if executor is None and asked.expected >= SOME and is_short:
            is_long = asked.expected >= MANY
            return LoopInPython(problem if is_long else problem._replace(whole=None))
        return self._careful()

    def _careful(self) -> Any:
        """The code that makes single steps, in total arithmetic if it must."""
        if self._steps is None:
            name = "python"  # unless all steps are made of single gradients
            asked, steps = self.asked, self.asked.expected
            if asked.executor is not None or isinstance(self.optimizer, LBFGS):
                given = asked.backend, self._problem.loss, "value_and_grad", asked.rows
                self._plan = plan_of(*given, steps, steps, lambda: False)
                name = self._plan.backend
            self._steps = Stepwise(self._problem, name, asked.executor)
        return self._steps

    def _prepared(self, table: Table) -> Table:
        """The rows in the form that programs read: classes as lists with a 1 in their place."""
        inputs, targets = table
        return inputs, targets if self._classes is None else one_hot(targets, self._classes)


class _Waiting(Eager):
    """Makes steps on Values after a change, until as much time has gone as new code would take.

    So a model that changes again and again, as in annealing, does not lose time to code.
    """

    def __init__(self, made: Generated) -> None:
        super().__init__(made.task, made.optimizer, made.table)
        self.made, self.changes = made, 0
        self._begin()

    def _begin(self) -> None:
        self.since, self.changes = perf_counter(), self.changes + 1
        self.made.look()

    def after_user_code(self) -> Generated | Eager:
        """The engine for the next steps, after a callback."""
        if self.made.has_changed():
            self._begin()
            return Eager(*self.made.asked[:3]) if self.changes == CHANGES else self
        return self.made.made_anew() if perf_counter() - self.since > self.made.seconds else self


def contents_of(blocks: Iterable[Block], values: dict[Input, Value]) -> Callable[[], list[Any]]:
    """A function that gives the contents of blocks: the data that the Values have by then."""
    of_blocks = [(block.shape, [values[x] for x in block.inputs]) for block in blocks]
    return lambda: [shaped([value.data for value in own], shape) for shape, own in of_blocks]


def is_known(optimizer: Any) -> bool:
    """Whether the optimiser is one of this package, which treat all weights alike."""
    return type(optimizer) in OPTIMIZERS.values()


def check_optimizer(optimizer: Any) -> None:
    """Raise TraceError for an optimiser that has a step of its own."""

    kind, own = type(optimizer).__name__, getattr(optimizer, "__dict__", {})
    for name in (*METHODS, *ATTRIBUTES):
        method = getattr(type(optimizer), name, None)
        if method is not getattr(Optimizer, name, None) or (name in own) != (name in ATTRIBUTES):
            raise TraceError(
                f"the {name} of {kind} is its own and cannot be compiled: "
                "give it an update, and lr as a function of the step, or take engine='eager'"
            )


def _settings(optimizer: Optimizer) -> dict[str, Any]:
    """The attributes of an optimiser that an update may read and that no step changes."""
    return {name: item for name, item in vars(optimizer).items() if name not in ATTRIBUTES}
