"""scalargrad: write scalars, see the graph, get the slopes.

A Value is a number that remembers how it was made; `backward` finds the slopes. Read `ops`, then `value`.

>>> from scalargrad import Value, tanh
>>> w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
>>> y = tanh(w * x + b)
>>> y.backward()
>>> y.data, w.grad
(0.0, 2.0)

Derivatives as functions nest to any order; `check_gradient` compares one with differences, `explain` says why
it is what it is, `detect_anomaly` finds the line where a number went wrong.

>>> from scalargrad import grad
>>> grad(grad(lambda x: x**3))(2.0)
12.0

What holds, and where it is written down: the semantics at every kink and edge, in `ops`; arithmetic that never
raises, in `floats`; slopes to 4 ulp over the whole range, in `ops` and `ends`; derivatives without confusion of one
variable with another, in `derivatives`; graphs of a million Values without recursion or cycles, in `value`.

Whatever is not needed yet is not imported yet: `import scalargrad` reads the engine alone.
"""

from __future__ import annotations

from importlib import import_module

from .ops import OPS
from .rows.methods import add_lecture_names
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .anomaly import detect_anomaly as detect_anomaly
    from .checking import GradientError as GradientError
    from .checking import check_gradient as check_gradient
    from .compiler import TraceError as TraceError
    from .compiler import compile as compile
    from .derivatives import grad as grad
    from .derivatives import gradients as gradients
    from .derivatives import hessian as hessian
    from .derivatives import hvp as hvp
    from .derivatives import jacobian as jacobian
    from .derivatives import jvp as jvp
    from .derivatives import value_and_grad as value_and_grad
    from .explaining import explain as explain
    from .functions import custom_op as custom_op
    from .modes import no_grad as no_grad
    from .nn import MLP as MLP
    from .nn import History as History
    from .nn import Layer as Layer
    from .nn import Module as Module
    from .nn import Neuron as Neuron
    from .pictures import Drawing as Drawing
    from .pictures import draw as draw

_HOMES = {
    "custom_op": "functions",
    **dict.fromkeys(("grad", "value_and_grad", "jacobian", "hessian", "jvp", "hvp", "gradients"), "derivatives"),
    "explain": "explaining",
    "check_gradient": "checking", "GradientError": "checking",
    "compile": "compiler", "TraceError": "compiler",
    "no_grad": "modes", "detect_anomaly": "anomaly",
    "Module": "nn", "Neuron": "nn", "Layer": "nn", "MLP": "nn", "History": "nn",
    "draw": "pictures", "Drawing": "pictures",
}  # fmt: skip

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Fetch a name from its module when it is first asked for; a row's function from `functions`."""
    if name in _HOMES:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    elif name in ("compiler", "nn", "pictures"):
        return import_module(f".{name}", __name__)
    elif any(op.is_public and name in (op.name, *op.aliases) for op in OPS.values()):
        return getattr(import_module(".functions", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _repr_mimebundle_(
    self: Value, include: object = None, exclude: object = None
) -> dict[str, str]:
    """What a notebook shows of a Value: its picture where it is small and an engine is there, else its text."""
    from .pictures import notebook_bundle

    return notebook_bundle(self)


add_lecture_names(Value)
Value._repr_mimebundle_ = _repr_mimebundle_  # type: ignore[attr-defined]  # given here: the engine knows of no pictures


def __dir__() -> list[str]:
    rows = [name for op in OPS.values() if op.is_public for name in (op.name, *op.aliases)]
    return sorted({*globals(), *_HOMES, *rows})


__all__ = [
    "MLP", "Drawing", "GradientError", "History", "Layer", "Module", "Neuron", "TraceError", "Value", "check_gradient", "compile",
    "custom_op", "detect_anomaly", "draw", "explain", "grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "no_grad", "value_and_grad",
]  # fmt: skip
