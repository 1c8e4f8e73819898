"""compile: a function of scalars as source that reads and runs like code by hand.   (floor 3)

A function is called with traced numbers (`tracing`); what it recorded is frozen into a program of
named steps (`program`), which passes fold and share, and re-roll into vectors (`roll`). It is
written in lines (`lower`), its derivative as more lines (`derive`, `derive_rolled`), and all of
them in Python, in NumPy or in C (`emitters`, `dialects`), which a compiler makes a library of
(`machine`, `native`). Nothing here knows an operation: values and slopes are the table's.
"""

from __future__ import annotations

from .function import Compiled, compile
from .tracing import TraceError

__all__ = ["Compiled", "TraceError", "compile"]
