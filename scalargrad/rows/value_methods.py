"""The base class of Value, with the methods that the table gives it: tanh, maximum, …   (floor 1)

`rows.methods` makes each method when it is first asked for. Editors and type checkers read the stub
beside this file, which `python -m tests.stubs` writes from the table.
"""


class Methods:
    """The methods of a Value that the table gives it."""

    __slots__ = ()
