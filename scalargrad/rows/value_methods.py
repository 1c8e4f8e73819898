"""The base of Value: it holds the methods of the table, tanh, maximum, …   (floor 1)

They are made when they are first asked for, by `rows.methods`. Beside this file stands what editors
and type checkers read in its place; `python -m tests.stubs` writes it from the table.
"""


class Methods:
    """The methods of a Value that the table gives it."""

    __slots__ = ()
