"""Makes each trace twice, and refuses one that comes out another way.   (floor 3)

Random numbers, a clock, an iterator or a count are other numbers in another call: those of one call
would be frozen. Where random numbers decide alike in both by chance, the states of their generators
tell that some were drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pickle import dumps, loads
from typing import Any, TypeVar

from .captured import Captured
from .tracing import TraceError

T = TypeVar("T")

_MORE = 20  # a coin falls alike so often once in a million times
_SHARED = "random", "numpy.random"  # modules that have a generator of their own


class Draws:
    """The generators of random numbers that functions reach, and the states that they were in.

    `look` gives what the functions hold now: a call may bring in another generator.

    >>> import random
    >>> from .captured import Captured
    >>> rng = random.Random(1)
    >>> draws = Draws(lambda: Captured([lambda x: rng.random() * x]))
    >>> rng.random(), draws.were_made()
    (0.13436424411240122, True)
    >>> draws.undo()
    >>> rng.random()
    0.13436424411240122
    """

    def __init__(self, look: Callable[[], Captured]) -> None:
        self._look = look
        self._before = self._states()

    def _states(self) -> dict[int, tuple[Any, bytes | None]]:
        """Each generator with its state: Python's own, NumPy's own, and those captured."""
        modules = [sys.modules.get(name) for name in _SHARED]
        shared = [getattr(getattr(module, "random", None), "__self__", None) for module in modules]
        found = [*shared, *self._look().generators]
        return {id(rng): (rng, _state(rng)) for rng in found if rng is not None}

    def were_made(self) -> bool:
        """Whether a number may have been drawn since: some generators do not tell their state."""
        now = self._states()
        return now != self._before or any(state is None for _, state in now.values())

    def undo(self) -> None:
        """Put the generators back to where they were."""
        for generator, state in self._before.values():
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

    def __enter__(self) -> Draws:
        return self

    def __exit__(self, error: Any, *_: object) -> None:
        """If the code fails, take its draws back, so that Values draw the same numbers."""
        if error:
            self.undo()

    def twice(
        self, make: Callable[[], T], are_alike: Callable[[T, T], bool], drawn: str, varied: str
    ) -> T:
        """Make something twice, and return the first; if they are not alike, TraceError(varied).

        If both drew random numbers, or another thread did meanwhile, they may be alike by chance:
        then it is made some times more, and the text is `drawn`. If they left the generator in one
        state, they seeded it, and the numbers are the same in each call.
        """
        made, error = make(), None
        first = self._states()
        try:
            with redirect_stdout(StringIO()):  # it has been printed once
                is_same = are_alike(made, make())
                have_drawn = any(
                    first.get(key) != state and first.get(key) != self._before.get(key)
                    for key, state in self._states().items()
                )
                for _ in range(_MORE if have_drawn and is_same else 0):
                    is_same = is_same and are_alike(made, make())
        except TraceError:
            raise
        except Exception as raised:  # nothing may be left of an iterator
            is_same, have_drawn, error = False, False, raised
        if not is_same:
            self.undo()
            raise TraceError(drawn if have_drawn else varied) from error
        return made


def _state(generator: Any) -> bytes | None:
    try:
        return dumps(generator)
    except Exception:  # one of the operating system's
        return None
