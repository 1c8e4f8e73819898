"""Random numbers that a function draws while it is traced: those of one call would be frozen.   (floor 3)"""

from __future__ import annotations

import sys
from pickle import dumps, loads

from .captured import Captured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

CALLS = 8  # that must record the same where random numbers were drawn: some choices are the same by chance


_SHARED = "random", "numpy.random"  # modules that have a generator of their own


def _loaded() -> list[bool]:
    """Which of the modules with a generator of their own are there."""
    return [name in sys.modules for name in _SHARED]


def generators(captured: Captured | None = None) -> list[Any]:
    """The generators of random numbers that functions can reach: Python's own, NumPy's own, and those that they captured."""
    shared = [
        getattr(getattr(sys.modules.get(name), "random", None), "__self__", None)
        for name in _SHARED
    ]
    return [
        generator
        for generator in (*shared, *(captured.generators if captured else ()))
        if generator is not None
    ]


class Draws:
    """Generators of random numbers, each with the state that it was in: drawing changes it.

    >>> import random
    >>> rng = random.Random(1)
    >>> draws = Draws(generators(Captured([lambda x: rng.random() * x])))
    >>> draws.were_made(), rng.random(), draws.were_made()
    (False, 0.13436424411240122, True)
    >>> draws.undo()
    >>> rng.random()
    0.13436424411240122
    """

    def __init__(self, generators: Iterable[Any]) -> None:
        self.generators = list(generators)
        self._modules = _loaded()
        self._states = [*map(_state, self.generators)]

    def were_made(self) -> bool:
        """Whether a number was drawn since."""
        return self._states != [*map(_state, self.generators)]

    def may_have_been_made(self) -> bool:
        """Whether a number may have been drawn since: the operating system's generators, and one imported since, do not tell."""
        return None in self._states or self.were_imported() or self.were_made()

    def were_imported(self) -> bool:
        """Whether a module with a generator of its own was imported since."""
        return self._modules != _loaded()

    def undo(self) -> None:
        """Put the generators back to where they were."""
        for generator, state in zip(self.generators, self._states):
            if state is None or state == _state(generator):
                continue
            before = loads(state)
            if hasattr(generator, "bit_generator"):
                generator.bit_generator.state = before.bit_generator.state
            elif hasattr(generator, "random_raw"):
                generator.state = before.state
            elif hasattr(generator, "get_state"):
                generator.set_state(before.get_state())
            else:
                generator.setstate(before.getstate())


def _state(generator: Any) -> bytes | None:
    try:
        return dumps(generator)
    except Exception:  # one of the operating system's
        return None
