"""export: the prediction of a fitted estimator as a file of C, JavaScript or Python.   (floor 3)"""

from __future__ import annotations

import numpy
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from ..functions import softmax
from ..nn import MLP
from .networks import MLPClassifier, Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any


def export(fitted: Any, path: str | os.PathLike[str], rows: bool = False) -> None:
    """Write what a fitted estimator, or a pipeline, predicts as a file: .c, .js or .py.

    A StandardScaler or a MinMaxScaler before the network is folded into its first weights. The file
    gives a regressor's numbers, and a classifier's probabilities in the order of `classes_`: of two
    classes that of the second.

    TypeError names a step that cannot be written.
    """
    steps = [step for _, step in fitted.steps] if hasattr(fitted, "steps") else [fitted]
    network = steps[-1]
    if not isinstance(network, Network):
        raise TypeError(
            "export writes an MLPClassifier or an MLPRegressor of this package, or a pipeline that "
            f"ends in one, got {type(network).__module__}.{type(network).__name__}; "
            "MLP.from_sklearn(…).export(path) writes one of scikit-learn's"
        )
    check_is_fitted(network)
    model = network.model_
    kind, last = MLP, None
    if isinstance(network, MLPClassifier):
        kind, last = (_Probabilities, None) if network._picks_one() else (MLP, "sigmoid")
    inner = model.activation
    activation = [*inner[:-1], last] if isinstance(inner, list) else inner
    output = None if isinstance(inner, list) else last
    twin = kind(model.nin, model.nouts, activation, output)
    state = {name: numpy.array(block) for name, block in model.state().items()}
    given = [x for x in steps[:-1] if x is not None and not isinstance(x, str)]
    for step in reversed(given):
        scale, shift = _affine(step)
        state["b1"] = state["b1"] + state["W1"] @ shift
        state["W1"] = state["W1"] * scale
    twin.load_state(state)
    twin.export(path, rows, labels=getattr(network, "classes_", ()))


class _Probabilities(MLP):
    """A network whose outputs are probabilities."""

    def __call__(self, x: Any) -> Any:
        outputs: Any = super().__call__(x)
        return softmax(outputs)


def _affine(step: Any) -> tuple[Any, Any]:
    """A scaler as x * scale + shift."""
    kind = type(step)
    if kind is StandardScaler and hasattr(step, "n_features_in_"):
        scale = 1.0 / step.scale_ if step.scale_ is not None else numpy.ones(step.n_features_in_)
        mean = step.mean_ if step.with_mean else numpy.zeros(step.n_features_in_)
        return scale, -mean * scale
    if kind is MinMaxScaler and hasattr(step, "scale_") and not step.clip:
        return step.scale_, step.min_
    name = kind.__name__ + " with clip=True" * bool(getattr(step, "clip", False))
    raise TypeError(
        "export folds a fitted StandardScaler, or MinMaxScaler without clip, into the network, "
        f"not {name}: transform the inputs before they come to the exported function"
    )
