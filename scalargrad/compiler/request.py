"""Request: what a file is to hold.   (floor 3)"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .traces import Traces


class Request(NamedTuple):
    """The functions of traces that a file is to hold, for arguments with these names.

    `contents` are the numbers of an example, block by block. The first `fixed` blocks stand in the
    file as constants. With `predict` the file has one function of that name, which takes an array
    of inputs and gives an array of outputs.
    """

    traces: Traces
    names: Sequence[str]
    contents: Sequence[Any]
    doc: str = ""
    backend: str = "auto"
    fixed: int = 0
    predict: bool = False
