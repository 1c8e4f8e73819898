from collections.abc import Callable
from typing import Any

from ..ops import Op

class Methods:
    data: float
    grad: float
    label: str
    _operation: Op | None
    _x: Any
    _y: Any
    _dx: Any
    _dy: Any
    @staticmethod
    def _record(op: Op, *operands: Any) -> Any: ...
    def __getattr__(self, name: str) -> Callable[..., Any]: ...
