"""scalargrad: write scalars, see the graph, get the slopes.

A Value is a number that remembers how it was made; `backward` finds the slopes.

>>> from scalargrad import Value, tanh
>>> w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
>>> y = tanh(w * x + b)
>>> y.backward()
>>> y.data, w.grad
(0.0, 2.0)

`grad` and its relatives turn a function into its derivative, to any order. `check_gradient`
compares a derivative with differences, `explain` shows the paths that it is the sum of, and
`detect_anomaly` finds the line where a number went wrong.

>>> from scalargrad import grad
>>> grad(grad(lambda x: x**3))(2.0)
12.0

A reader begins with `value`, the graph and its walk back, and `ops`, the table of all operations.
`import scalargrad` reads little more than these two; other modules wait until they are needed.
"""

# Completion offers names for users only: an underscore hides every other name here.
import builtins as _builtins
from importlib import import_module as _import_module

from .ops import function_names as _function_names
from .rows.methods import add_lecture_names as _add_lecture_names
from .value import Value

_HOMES = {
    "custom_op": "functions",
    "grad": "derivatives", "value_and_grad": "derivatives", "gradients": "derivatives",
    "jacobian": "derivatives", "hessian": "derivatives", "jvp": "derivatives", "hvp": "derivatives",
    "explain": "explaining",
    "check_gradient": "checking", "GradientError": "checking",
    "compile": "compiler", "TraceError": "compiler",
    "fit_formula": "formulas", "FormulaFit": "formulas",
    "no_grad": "modes", "detect_anomaly": "anomaly",
    "Module": "nn", "Neuron": "nn", "Layer": "nn", "MLP": "nn", "History": "nn",
    "WeightsError": "nn",
    "plot_decision_boundary": "nn.plots",
    "draw": "pictures", "Drawing": "pictures",
}  # fmt: skip

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Fetch a name from its module when it is first asked for."""
    if name in ("compiler", "functions", "nn", "pictures"):
        return _import_module(f".{name}", __name__)
    if name not in _HOMES and name not in _function_names():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(f".{_HOMES.get(name, 'functions')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(["Value", "nn", "__version__", *_HOMES, *_function_names()])


# `import *` brings every name but those that hide a function of Python, such as sum or compile.
_names = {"Value", *_HOMES, *_function_names()} - {*dir(_builtins)}
__all__ = sorted(_names)  # pyright: ignore[reportUnsupportedDunderAll]


def _repr_mimebundle_(
    self: Value, include: object = None, exclude: object = None
) -> dict[str, str]:
    """A notebook shows the picture of a small Value where Graphviz is there, else its text."""
    from .pictures import notebook_bundle

    return notebook_bundle(self)


_add_lecture_names(Value)
# It is set here, since the engine knows nothing of pictures.
Value._repr_mimebundle_ = _repr_mimebundle_  # type: ignore[attr-defined]
