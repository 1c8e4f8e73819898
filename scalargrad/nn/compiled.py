"""Steps of `fit` by generated code: many at a time, without Values in between.   (floor 3)

A call makes a block of steps in raw arithmetic and puts weights, state and number of steps in place
at its end, all at once: so Ctrl-C leaves whole steps, and a change between two calls counts. Where
a block meets a nan or an infinity, it is made again with more care, and the step that fails then is
made on Values, which say what is wrong.
"""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from functools import cache
from itertools import repeat
from math import isfinite, nan
from time import perf_counter

from ..arithmetic.total import ERRORS
from ..modes import no_grad
from ..trees import with_values
from .compared import compare_training, traced_or_refused
from .eager import Eager, number_of
from .losses import LOSSES, cross_entropy
from .optimizers import OPTIMIZERS, Optimizer
from .parameters import put
from .rows import items, one_hot, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ..compiler.program import Program
    from .eager import Losses, Table, Task

SECONDS = 0.03  # that a block takes, about
WRITTEN_OUT = 3000  # operations of a batch that is written out row by row, at most
MANY = 1000  # steps from which on that pays
LINES = 6000  # of an update with a line for each weight, at most
SOME = 300  # steps from which on that pays
CHANGES = 3  # one behind the other, after which no more code is made
METHODS = ("step", "rate", "move", "become", "zero_grad", "__setattr__", "__getattribute__")
ATTRIBUTES = ("parameters", "lr", "steps", "state")  # of an Optimizer, and no properties


class Generated:
    """Steps by generated code.

    TraceError where model, loss or penalty cannot be traced, or the optimiser's step is its own.
    `expected` is how many steps there will be, of `rows` rows each, in so many `calls`; `keeps`
    says that the same batches, as the same lists, come again.
    """

    def __init__(
        self,
        task: Task,
        optimizer: Any,
        table: Table,
        backend: str,
        expected: int,
        calls: int,
        rows: int,
        keeps: bool,
    ) -> None:
        from ..compiler.tracing import TraceError

        kind = type(optimizer).__name__
        own = getattr(optimizer, "__dict__", {})
        for name in (*METHODS, *ATTRIBUTES):
            method = getattr(type(optimizer), name, None)
            if method is not getattr(Optimizer, name, None) or (name in own) != (
                name in ATTRIBUTES
            ):
                raise TraceError(
                    f"the {name} of {kind} is its own and cannot be compiled: "
                    "give it an update, and lr as a function of the step, or take engine='eager'"
                )
        self.task, self.optimizer, self.table, self.backend = task, optimizer, table, backend
        self.expected, self.calls, self.rows, self.keeps = expected, calls, rows, keeps
        self.whole = keeps and rows == len(table[0])
        self.pace = 1  # how many steps a call is to make at most
        self._held: tuple[Table, Callable[[], float] | None] | None = None
        self._failure: BaseException | None = None
        with taking_back_draws(self._functions(), task.model):
            self._classes = checked(task, table)
            self._build()

    def _functions(self) -> list[Any]:
        """What the user wrote."""
        return [
            function
            for function in (
                self.task.measure,
                self.task.penalty,
                type(self.task.model),
                None if self._is_known() else type(self.optimizer),
            )
            if function
        ]

    def _is_known(self) -> bool:
        """Whether the optimiser is one of the package's own, which treat all weights alike."""
        return type(self.optimizer) in OPTIMIZERS.values()

    def steps(self, batches: Iterable[list[int]], losses: Losses) -> None:
        """Make a step on each batch, its loss added to `losses` before.

        What fails behind the first of them is raised by the next call.
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
        optimizer.zero_grad()

    def _rates(self, count: int) -> list[float]:
        """The rates of the next steps, as far as there are any."""
        optimizer = self.optimizer
        if not callable(optimizer.lr):
            return [optimizer.lr] * count
        rates: list[float] = []
        try:
            for step in range(optimizer.steps, optimizer.steps + count):
                rates.append(optimizer.rate(step))
        except Exception as error:
            if not rates:
                raise
            self._failure = error
        return rates

    def _at_once(self, batches: list[list[int]], rates: list[float], losses: Losses) -> bool:
        """All steps in one call; False, and no step, where a number became nan or infinite."""
        optimizer = self.optimizer
        before = [p.data for p in optimizer.parameters], optimizer.state, self._fixed()
        try:
            weights, state, found = self._loop.run(
                *before, rates, optimizer.steps, batches, self._moved
            )
        except ERRORS:
            return False
        except Exception:
            if self.backend != "auto" or self._plan.backend != "native":
                raise
            self.backend = self._plan.without_native  # machine code could not be made
            self._begin(self._formula)
            return self._at_once(batches, rates, losses)
        if not all(map(isfinite, map(sum, (weights, found, *state)))):
            return False
        losses.extend(found)
        optimizer.become(weights, state, optimizer.steps + len(batches))
        return True

    def _one_by_one(
        self, batches: list[list[int]], rates: list[float] | None, losses: Losses
    ) -> None:
        """The same steps in total arithmetic, each looked at, and on Values what fails then.

        Without `rates` each is asked for before its step, as on Values: an update may set it.
        """
        optimizer, before = self.optimizer, len(losses)
        made = before
        try:
            for batch, known in zip(batches, repeat(None) if rates is None else rates):
                lr = optimizer.rate(optimizer.steps) if known is None else known
                loss, gradient = self._careful().gradient(
                    [p.data for p in optimizer.parameters], self._fixed(), batch
                )
                if not all(map(isfinite, gradient)):
                    optimizer.zero_grad()
                    loss = self.task.backward(self.table, batch)
                    gradient = [p.grad for p in optimizer.parameters]
                elif not self._is_known():  # an update may read them there
                    put(optimizer.parameters, repeat("grad"), gradient)
                losses.append(loss)
                optimizer.move(gradient, lr)
                made += 1
        except Exception as error:
            if made == before:
                raise
            self._failure = error
            del losses[made:]  # a step that was not made has no loss

    def _moved(self, weights: Any, gradients: Any, lr: float, state: Any, step: int) -> Any:
        """The optimiser's update, of other numbers than its own."""
        self._twin.state, self._twin.steps = state, step
        if not callable(self._twin.lr):
            self._twin.lr = lr
        return self._twin.update(weights, gradients, lr)

    def loss_of(self, table: Table) -> float:
        """The loss of rows, without penalty."""
        if self._held is None or self._held[0] is not table:
            self._held = table, self._evaluator(table)
        evaluate = self._held[1]
        loss = evaluate() if evaluate else nan
        return loss if isfinite(loss) else self.task.loss_of(table)

    def _evaluator(self, table: Table) -> Callable[[], float] | None:
        """Generated code for the loss of rows; None where they are unlike those of training.

        Of code that asks for the kind of numbers it was tried on those of training alone.
        """
        alike = (width(ours[0]) == width(theirs[0]) for ours, theirs in zip(self.table, table))
        if self._is_doubtful or not all(alike) or checked(self.task, table) != self._classes:
            return None
        from ..compiler.backends import plan_of
        from ..compiler.program import Program
        from ..compiler.stepwise import Stepwise

        content: Any = self._prepared(table)
        steps, parameters = self._careful(), self.optimizer.parameters
        if self.backend != "python":
            loss = Program(self._program.blocks, self._program.outputs[:1])
            n, calls = len(table[0]), self.calls
            plan = plan_of("auto", loss, "value", n, calls, calls, lambda: False)
            if plan.without_native == "numpy":  # which is fast enough, and takes no making
                from numpy import array

                content = [array(part) for part in content]
                reduce = "mean" if self.task.is_mean else "sum"
                weights = self._objective.weights
                steps = Stepwise(self._program, None, weights, (), reduce, "numpy")
        return lambda: steps.value([p.data for p in parameters], self._fixed(), content)

    def after_user_code(self) -> Generated | Eager:
        """What makes the next steps after the user's code had its turn: Values, after a change."""
        return _Waiting(self) if self.has_changed() else self

    def has_changed(self) -> bool:
        """Whether what the code was made of is another by now."""
        return self._captured.has_changed() or _settings(self.optimizer) != self._settings

    def look(self) -> None:
        """Take note of what code would be made of now."""
        from ..compiler.captured import Captured

        self._captured = Captured(self._functions(), [self.task.model])
        self._settings = _settings(self.optimizer)

    def made_anew(self) -> Generated | Eager:
        """What makes the next steps, of what it is made of now."""
        try:
            with taking_back_draws(self._functions(), self.task.model):
                self._build()
        except Exception:  # what is wrong Values will say, if anything is
            return Eager(self.task, self.optimizer, self.table)
        return self

    # -------------------------------------------------------------- what is generated

    def _build(self) -> None:
        """Trace loss, penalty and update, and generate what makes the steps."""
        from ..compiler.tracing import TraceError
        from ..compiler.training import COUNTED, Objective, steady
        from ..compiler.update import lets_through, update_of

        task, optimizer, start = self.task, self.optimizer, perf_counter()
        self.look()
        self._twin = copy(optimizer)
        count = len(optimizer.parameters)
        formula = update_of(optimizer, min(2, count) if self._is_known() else count)
        if formula is not None and not lets_through(formula):
            formula = None  # each step must be looked at
        inputs, targets = self._prepared(self.table)

        def objective() -> Objective:
            return Objective(
                task.model, optimizer.parameters, task.measure, task.penalty, task.is_mean
            )

        def of_a_row() -> tuple[Objective, Program]:
            return (made := objective()), made.of_a_row(inputs[0], targets[0])

        made, self._program = traced_or_refused(lambda: steady(of_a_row))
        if self._captured.has_changed():  # once is no matter: a table made when it is first read
            self.look()
            traced_or_refused(of_a_row)
            if self._captured.has_changed():
                raise TraceError(COUNTED)
        self._objective, self._table, self._formula = made, (inputs, targets), formula
        self._is_doubtful = self._captured.asks_kinds or made.is_asked
        compare_training(task, made, self._program, self.table, self._table, self._is_doubtful)
        self._begin(formula)
        self.seconds = perf_counter() - start

    def _begin(self, formula: Program | None) -> None:
        """Choose what makes the steps."""
        self._steps: Any = None
        self._loop: Any = None
        self._held = None
        if formula is not None:
            self._loop = self._loop_for(formula)
        fixed = self._loop.fixed if self._loop else self._careful().fixed
        self._values = [self._objective.values[x] for x in fixed]

    def _loop_for(self, formula: Program) -> Any:
        """What makes many steps at once: one function, or a gradient and an update in turns."""
        from ..compiler.backends import plan_of
        from ..compiler.in_python.loop import LARGE, Loop
        from ..compiler.program import operations
        from ..compiler.stepwise import OnArrays
        from ..compiler.update import fits

        made, weights, count = self._objective, self._objective.weights, operations(self._program)
        reduce = "mean" if self.task.is_mean else "sum"
        small = self.whole and count * self.rows < WRITTEN_OUT
        given = self._program, made.penalty, formula, weights, self._table, reduce, self.keeps

        @cache
        def on_native() -> Any:
            from ..compiler.native_training import LoopOnNative

            return LoopOnNative(*given, whole=made.of_rows(*self._table) if small else None)

        can_loop = fits(self._program, weights)
        plan = self._plan = plan_of(
            self.backend,
            self._program,
            "value_and_grad",
            self.rows,
            self.expected,
            self.calls,
            lambda: can_loop and on_native().has_code(),
        )
        if plan.backend == "native" and can_loop:
            return on_native()
        if plan.backend == "numpy" and can_loop:
            from ..compiler.in_numpy.loop import LoopOnArrays

            return LoopOnArrays(*given)
        if plan.backend != "python":
            return OnArrays(
                self._program,
                made.penalty,
                weights,
                self._table,
                reduce,
                plan.backend,
                self.keeps,
                formula,
            )
        if self.expected >= SOME and count < LARGE and len(weights) * len(formula.steps) < LINES:
            if small and self.expected >= MANY:
                return Loop(made.of_rows(*self._table), made.penalty, formula, weights, None)
            return Loop(self._program, made.penalty, formula, weights, list(zip(*self._table)))
        return self._careful()

    def _careful(self) -> Any:
        """Steps one after the other, each gradient in total arithmetic where it must be."""
        if self._steps is None:
            from ..compiler.stepwise import OnArrays, Stepwise

            if isinstance(self._loop, OnArrays):
                return self._loop
            made, reduce = self._objective, "mean" if self.task.is_mean else "sum"
            self._steps = Stepwise(
                self._program, made.penalty, made.weights, self._table, reduce, keeps=self.keeps
            )
        return self._steps

    def _fixed(self) -> list[float]:
        return [value.data for value in self._values]

    def _prepared(self, table: Table) -> Table:
        """The rows as the programs have them: classes as lists with a 1 in their place."""
        inputs, targets = table
        return inputs, targets if self._classes is None else one_hot(targets, self._classes)


class _Waiting(Eager):
    """Steps on Values after a change, until they have taken as long as the making of code takes.

    What changes again and again, as in annealing, then costs no more code than it saves.
    """

    def __init__(self, made: Generated) -> None:
        super().__init__(made.task, made.optimizer, made.table)
        self.made, self.spent, self.changes = made, 0.0, 1
        made.look()

    def steps(self, batches: Iterable[list[int]], losses: Losses) -> None:
        """Make a step on each batch, its loss added to `losses` before."""
        start = perf_counter()
        super().steps(batches, losses)
        self.spent += perf_counter() - start

    def after_user_code(self) -> Generated | Eager:
        """What makes the next steps after the user's code had its turn."""
        if self.made.has_changed():
            self.spent, self.changes = 0.0, self.changes + 1
            if self.changes == CHANGES:
                return Eager(self.task, self.optimizer, self.table)
            self.made.look()
        elif self.spent > self.made.seconds:
            return self.made.made_anew()
        return self


@contextmanager
def taking_back_draws(functions: list[Any], model: Any) -> Iterator[None]:
    """Take back the random draws of code that fails: Values then draw the same numbers."""
    from ..compiler.captured import Captured
    from ..compiler.draws import Draws, generators

    draws = Draws(generators(Captured(functions, [model])))
    try:
        yield
    except BaseException:
        draws.undo()
        raise


def checked(task: Task, table: Table) -> int | None:
    """Refuse wrong rows and targets, which a generated loss would not.

    Return how many classes there are where targets are their numbers.
    """
    inputs, targets = table
    row, numbers = 0, []
    forward = with_values(
        task.forward, iter(task.forward.parameters())
    )  # a copy, for a model may count its calls
    with no_grad():
        try:
            prediction = forward(inputs[0])
            number_of(task.measure(prediction, targets[0]), "loss")
            if task.measure in LOSSES.values():
                numbers = [number_of(p, "prediction") for p in items(prediction, "fit")]
                while row < len(targets):
                    task.measure(numbers, targets[row])
                    row += 1
        except (TypeError, ValueError) as error:
            error.add_note(f"in row {row} of X and y")
            raise
    return (
        len(numbers)
        if task.measure is cross_entropy and not isinstance(targets[0], tuple)
        else None
    )


def _settings(optimizer: Optimizer) -> dict[str, Any]:
    """What an update may read of an optimiser besides what changes from step to step."""
    return {
        name: item
        for name, item in vars(optimizer).items()
        if name not in ("parameters", "lr", "steps", "state")
    }
