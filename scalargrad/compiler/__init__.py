"""compile: a function of scalars as source that a person can read, and that runs like code written by hand.   (floor 3)

A function is called once with traced numbers (`tracing`); what it recorded is frozen into a program of named steps
(`program`), which passes fold, share and differentiate, and re-roll into vectors (`roll`). It is written in lines (`lower`),
its derivative as more lines (`derive`, `derive_rolled`), and all of them in Python, in NumPy or in C (`emitters`, `dialects`),
which a compiler makes a library of (`machine`, `native`). Nothing here knows an operation: values and slopes are the rows of `ops`.
"""

from __future__ import annotations

from .function import Compiled, compile
from .tracing import TraceError

__all__ = ["Compiled", "TraceError", "compile"]
