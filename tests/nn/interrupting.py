"""Ctrl-C at the line of a number: for tests of what `fit` leaves, wherever it comes."""

from __future__ import annotations

import sys
from linecache import getline
from types import FrameType
from typing import Any


class AtLine:
    """Within a `with`, raises KeyboardInterrupt at line `at` of the functions of some names; `lines` counts them.

    `start` is called in the function that makes the optimizer: from there on lines count, and those of the `fit`
    that called it too. Lines with `with` and `try` do not: a trace can raise when a lock is taken and its `with`
    not begun, or ended and the lock not given back. No signal comes there.
    """

    def __init__(self, names: set[str], at: int) -> None:
        self.names, self.at, self.lines = names, at, 0

    def start(self) -> None:
        sys._getframe(3).f_trace = self._line
        sys.settrace(self._call)

    def __enter__(self) -> AtLine:
        self._before = sys.gettrace()
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        is_of_fit = "scalargrad" in code.co_filename and "compiler" not in code.co_filename
        return self._line if is_of_fit and code.co_name in self.names else None

    def _line(self, frame: FrameType, event: str, _: Any) -> Any:
        text = getline(frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and not text.lstrip().startswith(("with ", "try:")):
            self.lines += 1
            if self.lines == self.at:
                raise KeyboardInterrupt
        return self._line
