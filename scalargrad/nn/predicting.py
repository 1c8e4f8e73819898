"""Predictions of many rows by generated code, which is kept for each model.   (floor 3)

Generated Python gives the numbers of Values to the bit. Where that would take more than some
milliseconds, code on arrays gives them up to rounding.
"""

from __future__ import annotations

from weakref import ref

from ..compiler import backends
from ..compiler.arguments import read_state
from ..compiler.captured import Captured
from ..compiler.draws import Draws
from ..compiler.program import sharing
from ..compiler.training import Prediction, steady
from ..graph import without_collector
from .compared import compare
from .parameters import is_own
from .rows import rows, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


LONG = 10_000.0  # µs: if plain Python takes longer, arrays are taken
TRIED = 1000  # at most so many rows of an array are compared with the model
KEPT = 16  # models whose code is kept

_made: dict[int, tuple[ref[Any], Predictor]] = {}


class Predictor:
    """Generated code for rows like these. It keeps what the model reads, not the model itself.

    `is_doubtful`: the model asks for the kind of its numbers. Then its Values make predictions.
    """

    def __init__(self, model: Any, table: Any, shapes: Any) -> None:
        (first,) = rows(table[:1], "X")
        self.width, self.shapes, self.is_doubtful = width(first), shapes, False
        reads = self.reads = Captured([type(model)], [model])
        given = model, (first,), (), (known := is_own(model))
        if known:
            made = Prediction(*given)
        else:
            some = table if isinstance(table, list) else table[:: -(-len(table) // TRIED)]
            with Draws(lambda: reads.latest([type(model)], [model])) as draws:
                made = steady(lambda: Prediction(*given), draws)
                self.is_doubtful = self.reads.asks_kinds or made.is_asked
                compare(made, model, [(x,) for x in rows(some, "X")])
        self.is_single, self.others = made.is_single, [*made.taken]
        self.program = sharing(made.made)
        self.functions: dict[str, Any] = {}

    def predictions(self, contents: list[Any], table: Any) -> Any:
        """The prediction for each row: a list, or an array where that is faster."""
        plan = backends.plan_of("auto", self.program, "value", len(table), 1, 1, lambda: False)
        name = plan.backend if plan.estimates.get("python", 0.0) > LONG else "python"
        if name not in self.functions:
            self.functions[name] = backends.build(name, self.program, "prediction", "value", None)
        if self.others:
            contents = [*contents, [value.data for value in self.others]]
        found = self.functions[name]([*contents, table])
        if self.is_single:
            return found[0]
        if name == "python":
            return [*map(list, zip(*found))]
        import numpy

        return numpy.column_stack(found)


@without_collector()
def predicted(model: Any, table: Any) -> Any:
    """The prediction for each row, as a list or an array; None if the model cannot be traced."""
    try:
        shapes, contents = _contents(model)
        owner, made = _made.get(id(model), (None, None))
        if not (
            made
            and owner
            and owner() is model
            and (made.width, made.shapes) == (width(rows(table[:1], "X")[0]), shapes)
            and not made.reads.has_changed()
        ):
            made = Predictor(model, table, shapes)
            if len(_made) >= KEPT:
                _made.clear()
            _made[id(model)] = ref(model), made
        return None if made.is_doubtful else made.predictions(contents, table)
    except Exception:  # called on Values, the model will say what is wrong
        return None


def _contents(model: Any) -> tuple[Any, list[Any]]:
    """The number of parameters with the names and shapes of their blocks; and their data."""
    contents: list[Any] = []
    parameters = model.parameters()
    form = read_state(model.arranged([p.data for p in parameters]), contents)
    return (len(parameters), form.names, form.shapes), contents
