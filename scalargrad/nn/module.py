"""Module: the base of models, which finds parameters in its attributes.   (floor 3)

>>> from scalargrad import Value
>>> class Line(Module):
...     def __init__(self):
...         self.slope, self.height = Value(0.0), Value(0.0)
...     def __call__(self, x):
...         return self.slope * x + self.height
>>> line = Line()
>>> history = line.fit([0, 1, 2], [1, 3, 5], lr=0.2, epochs=200)
>>> [(name, round(value.data, 6)) for name, value in line.named_parameters()]
[('slope', 2.0), ('height', 1.0)]
"""

from __future__ import annotations

from . import exporting, playing, training, weights
from .parameters import HasParameters, State
from .shapes import shape_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Module(HasParameters):
    """The base of all models: its attributes hold Values, Modules, or containers of them.

    The leaf Values in them, in lists, tuples and dicts too, are its parameters. Their order is that
    in which the attributes were set.
    """

    fit = training.fit
    predict = training.predict
    export = exporting.export
    playground = playing.playground
    save = weights.save
    load = weights.Load()

    def summary(self) -> str:
        """A table of its parts and how many parameters each part has; print it.

        >>> from scalargrad.nn import MLP
        >>> print(MLP(2, [3, 1], activation="sigmoid").summary())
        MLP(2, [3, 1], activation='sigmoid')
        layer 1     2 → 3  sigmoid   9
        layer 2     3 → 1  linear    4
        parameters                  13
        """
        parts = [*self._parts(), ("parameters", "", "", len(self.parameters()))]
        texts = [(name, shape, note, f"{count:,}") for name, shape, note, count in parts]
        a, b, c, d = (max(map(len, column)) for column in zip(*texts))
        lines = [
            f"{name:{a}}  {shape:{b}}  {note:{c}}  {count:>{d}}"
            for name, shape, note, count in texts
        ]
        return "\n".join([repr(self), *lines])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.parameters())} parameters)"

    def _layers(self) -> list[Module]:
        """The layers for `layers_of`."""
        return []

    def _parts(self) -> Iterator[tuple[str, str, str, int]]:
        """The lines of the summary: name, shape, a note, number of parameters."""
        for name, (shape, values) in self._blocks().items():
            yield name, shape_text(shape), "", len(values)


__all__ = ["Module", "State"]
