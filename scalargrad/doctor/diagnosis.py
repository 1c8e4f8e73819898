"""A finding of the doctor: a mistake, or that there is none.   (floor 2)"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """The finding about one argument's gradient: the mistake, or that there is none.

    `kind` is a word: "right", "sign", "factor", "left out" and so on. `factor` is the number that
    the exact gradient, or a part of it, was multiplied by. `operation` and `layer` say where the
    mistake is, if it is in one place; layers are counted from 1, and None says in every layer.
    `others` are other mistakes that would give the same numbers.
    """

    kind: str
    factor: float | None
    operation: str | None
    layer: int | None
    sentence: str
    others: tuple[Diagnosis, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether the gradient is right."""
        return self.kind == "right"


def without_place(kind: str, sentence: str, factor: float | None = None) -> Diagnosis:
    """A finding that is in no one place of the graph."""
    return Diagnosis(kind, factor, None, None, sentence)
