"""MLPRegressor and MLPClassifier: networks by scikit-learn's rules.   (floor 3)"""

from __future__ import annotations

from functools import lru_cache
from math import inf
from random import Random
from warnings import warn
from weakref import WeakKeyDictionary

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ..arithmetic.conversion import to_float
from ..checks import whole_number
from ..functions import log_sigmoid, sigmoid
from ..nn import LBFGS, MLP, SGD, l2
from ..nn.choosing import Kept, optimizer_for
from ..nn.layers import SKLEARN_NAMES
from ..nn.watching import Watch
from .weighted import checked_weights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

LARGEST_BATCH = 200  # rows, with batch_size="auto"
LIMITS = {  # of arguments: from, and below
    "alpha": (0.0, inf), "tol": (0.0, inf), "validation_fraction": (5e-324, 1.0),
}  # fmt: skip
_kept: WeakKeyDictionary[Network, Kept] = WeakKeyDictionary()  # the code for `partial_fit`


class Network(BaseEstimator):  # type: ignore[misc]
    """The part that classifier and regressor share: the arguments, and training."""

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        loss: Any = "auto",
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate_init: Any = 0.001,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        init: Any = "xavier",
        engine: str = "auto",
        backend: str = "auto",
    ) -> None:
        self.hidden_layer_sizes, self.activation, self.loss = hidden_layer_sizes, activation, loss
        self.solver, self.alpha, self.batch_size = solver, alpha, batch_size
        self.learning_rate_init, self.max_iter, self.shuffle = learning_rate_init, max_iter, shuffle
        self.random_state, self.tol, self.verbose = random_state, tol, verbose
        self.warm_start, self.momentum, self.early_stopping = warm_start, momentum, early_stopping
        self.validation_fraction, self.n_iter_no_change = validation_fraction, n_iter_no_change
        self.init, self.engine, self.backend = init, engine, backend

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows X and targets y; with `warm_start`, from the weights of the last call.

        sample_weight: how much each row counts; 0 leaves a row out.
        """
        epochs = self._checked()
        goes_on = self.warm_start and hasattr(self, "model_")
        X, targets, weights = self._read(X, y, sample_weight, reset=not goes_on)
        if not goes_on:
            self._begin(X.shape[1], targets)
        elif self._design() != self._designed:
            raise ValueError(
                f"warm_start goes on with the network that is there, {self.model_}: for another of "
                "hidden_layer_sizes, activation or init set warm_start=False"
            )
        else:
            self._begin_search()
        if self._train(X, targets, weights, epochs) == epochs:
            warn(
                f"training did not converge within max_iter={epochs} epochs: take more of them, "
                "or a greater tol",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Visit these rows once, from the weights and the solver's memory of the last call.

        classes: all classes that any call may bring; a classifier needs them in its first call.
        """
        if self.solver == "lbfgs":
            raise ValueError(
                "partial_fit makes steps on parts of the rows, and L-BFGS needs all: take "
                "solver='adam', or fit"
            )
        self._checked()
        begins = not hasattr(self, "model_")
        if begins and classes is None and is_classifier(self):
            raise ValueError("classes must be given in the first call of partial_fit")
        X, targets, weights = self._read(X, y, sample_weight, begins, classes)
        if begins:
            self._begin(X.shape[1], targets)
        self._train(X, targets, weights, 1)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    # -------------------------------------------------------------- what a kind says

    def _read(
        self, X: Any, y: Any, weights: Any, reset: bool, classes: Any = None
    ) -> tuple[Any, Any, Any]:
        """The rows, the targets as the network's outputs have them, the weights of the rows."""
        raise NotImplementedError

    def _outputs(self, targets: Any) -> tuple[int, str]:
        """The number of outputs of the network, and the loss if the user names none."""
        raise NotImplementedError

    # -------------------------------------------------------------- training

    def _checked(self) -> int:
        """The number of epochs; an error names the argument that is wrong."""
        for name, (least, end) in LIMITS.items():
            number = to_float(getattr(self, name), name)
            if not least <= number < end:
                kind = "between 0 and 1" if end == 1.0 else "0 or more, and finite"
                raise ValueError(f"{name} must be {kind}, got {number}")
        if self.batch_size != "auto":
            whole_number("batch_size", self.batch_size)
        if self.n_iter_no_change != inf:
            whole_number("n_iter_no_change", self.n_iter_no_change)
        return whole_number("max_iter", self.max_iter)

    def _design(self) -> tuple[list[int], Any, Any]:
        """The sizes of the hidden layers, their activations, and how weights begin."""
        sizes: Any = self.hidden_layer_sizes
        sizes = [*sizes] if hasattr(sizes, "__len__") else [sizes]
        hidden = [whole_number(f"hidden_layer_sizes[{i}]", n) for i, n in enumerate(sizes)]
        chosen = self.activation
        if isinstance(chosen, (list, tuple)):
            return hidden, [*map(_by_our_name, chosen), None], self.init
        return hidden, _by_our_name(chosen), self.init

    def _begin(self, nin: int, targets: Any) -> None:
        """A new network, and a new solver."""
        nout, self._loss = self._outputs(targets)
        self._random = check_random_state(self.random_state)
        self._designed = hidden, activation, init = self._design()
        self.model_ = MLP(nin, [*hidden, nout], activation, init=init, seed=self._seed())
        self.loss_curve_: list[float] = []
        self.validation_loss_curve_: list[float] = []
        self.n_iter_ = self.t_ = 0
        self._begin_search()

    def _begin_search(self) -> None:
        """A new solver."""
        if self.solver == "sgd":
            made: Any = SGD(
                self.model_, self.learning_rate_init, self.momentum, nesterov=self.momentum > 0
            )
        elif self.solver == "lbfgs":
            made = LBFGS(self.model_, gtol=self.tol)
        elif isinstance(self.solver, (str, type)):
            made = optimizer_for(self.solver, self.model_.parameters(), self.learning_rate_init)
        else:
            made = optimizer_for(self.solver, self.model_.parameters(), None)
        self._optimizer = made
        _kept.pop(self, None)

    def _seed(self) -> Random:
        return Random(int(self._random.randint(2**31 - 1)))

    def _train(self, X: Any, targets: Any, weights: Any, epochs: int) -> int:
        """Make these epochs, or fewer; return their number."""
        held = None
        if weights is not None:
            kept = weights > 0
            X, targets, weights = X[kept], targets[kept], weights[kept]
        if self.early_stopping and epochs > 1:
            stratify = targets if self._is_stratified() else None
            parts = train_test_split(
                *[part for part in (X, targets, weights) if part is not None],
                test_size=self.validation_fraction,
                random_state=self._random.randint(2**31 - 1),
                stratify=stratify,
            )
            X, targets, held = parts[0], parts[2], (parts[1], parts[3])
            weights = parts[4] if weights is not None else None
        n = len(X)
        rows = min(LARGEST_BATCH, n) if self.batch_size == "auto" else min(n, self.batch_size)
        searches = isinstance(self._optimizer, LBFGS)  # over all rows, to an end of its own
        rows = n if searches else rows
        counted = rows if weights is None else rows * weights.mean()  # a row of weight 2 is two
        order, shuffle = _Order(self._seed().getrandbits(64)), self.shuffle and not searches
        watch = Watch(self.tol, self.n_iter_no_change)
        history = self.model_.fit(
            X, targets, loss=self._loss if self.loss == "auto" else self.loss,
            optimizer=_kept.setdefault(self, Kept(self._optimizer)) if epochs == 1
            else lambda _: self._optimizer,
            epochs=epochs, batch_size=rows, shuffle=shuffle, seed=order, validation=held,
            engine=self.engine, backend=self.backend, progress=bool(self.verbose),
            callback=None if epochs == 1 or held or searches else watch,
            penalty=_penalty(self.alpha / (2 * counted)) if self.alpha else None,
            patience=min(self.n_iter_no_change, epochs) if held else None, sample_weight=weights,
        )  # fmt: skip
        self.loss_curve_ += history.loss
        self.validation_loss_curve_ += history.validation_loss
        self.n_iter_ += len(history.loss)
        self.t_ = self.n_iter_ * n
        self.loss_ = self.loss_curve_[-1]
        return len(history.loss)

    def _is_stratified(self) -> bool:
        return False

    def _raw(self, X: Any) -> Any:
        """The outputs of the network for rows, a row for each."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return numpy.asarray(self.model_.predict(X), dtype=float).reshape(len(X), -1)


def _by_our_name(activation: Any) -> Any:
    """An activation, which may have the name that scikit-learn gives it."""
    return SKLEARN_NAMES.get(activation, activation) if isinstance(activation, str) else activation


@lru_cache
def _penalty(share: float) -> Any:
    """The sum of the squares of all weights, times a share: one function for each share."""

    def penalty(model: Any) -> Any:
        return share * l2(
            [w for layer in model.layers for neuron in layer.neurons for w in neuron.w]
        )

    return penalty


class _Order(Random):
    """Random numbers that turn the numbers of rows, 0, 1, …, into a new order fast."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._numbers = numpy.random.RandomState(self.getrandbits(32))

    def shuffle(self, x: Any) -> None:
        x[:] = self._numbers.permutation(len(x)).tolist()


class MLPRegressor(RegressorMixin, Network):  # type: ignore[misc]
    """A network that predicts numbers, by scikit-learn's rules.

    The arguments are those of scikit-learn's MLPRegressor, and

    activation: also another name of this package, a function of one Value, or a list with one for
        each hidden layer.
    loss: "auto" (half of the squared error), a name as in `fit`, or a function of
        (prediction, target).
    solver: "adam", "sgd", "lbfgs" (SciPy's), "rmsprop", "adamw", or a function that takes the
        parameters.
    init, engine, backend: as in `MLP` and `fit`; weights begin where scikit-learn's do, "xavier".

    `model_` is the network, `loss_curve_` the loss after each epoch.
    """

    n_outputs_: int

    def _read(
        self, X: Any, y: Any, weights: Any, reset: bool, classes: Any = None
    ) -> tuple[Any, Any, Any]:
        X, y = validate_data(
            self, X, y, reset=reset, multi_output=True, y_numeric=True, dtype=float
        )
        y = numpy.asarray(y, dtype=float)
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        if not reset and (y.shape[1] if y.ndim == 2 else 1) != self.n_outputs_:
            raise ValueError(f"y has another number of columns than before, {self.n_outputs_}")
        self.n_outputs_ = y.shape[1] if y.ndim == 2 else 1
        return X, y, checked_weights(weights, X)

    def _outputs(self, targets: Any) -> tuple[int, str]:
        return self.n_outputs_, "half_squared_error"

    def predict(self, X: Any) -> Any:
        """The prediction for each row: a number, or a row of them where y had columns."""
        found = self._raw(X)
        return found if self.n_outputs_ > 1 else found.ravel()


class MLPClassifier(ClassifierMixin, Network):  # type: ignore[misc]
    """A network that predicts classes, or several labels at once, by scikit-learn's rules.

    The arguments are those of scikit-learn's MLPClassifier, and

    activation: also another name of this package, a function of one Value, or a list with one for
        each hidden layer.
    loss: "auto" (cross-entropy), a name as in `fit`, or a function of (outputs, target): the
        target is 0 or 1 for two classes, else a list with a 1 in the place of the class.
    solver: "adam", "sgd", "lbfgs" (SciPy's), "rmsprop", "adamw", or a function that takes the
        parameters.
    init, engine, backend: as in `MLP` and `fit`; weights begin where scikit-learn's do, "xavier".

    Classes are numbers or texts. `model_` is the network; its outputs are logits.
    """

    def _read(
        self, X: Any, y: Any, weights: Any, reset: bool, classes: Any = None
    ) -> tuple[Any, Any, Any]:
        X, y = validate_data(self, X, y, reset=reset, multi_output=True, dtype=float)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind not in ("binary", "multiclass", "multilabel-indicator"):
            raise ValueError(
                f"Unknown label type: {kind}: y must be classes, or 0 and 1 for labels"
            )
        if y.ndim == 2 and kind != "multilabel-indicator":
            y = column_or_1d(y, warn=True)
        has_labels = kind == "multilabel-indicator"
        if reset:
            whole = y if has_labels or classes is None else numpy.asarray(classes)
            self._binarizer = LabelBinarizer().fit(whole)
            self.classes_ = self._binarizer.classes_
        elif classes is not None and not (has_labels or {*classes} == {*self.classes_.tolist()}):
            raise ValueError(
                f"classes are not those of the first call, {self.classes_.tolist()}: a network has "
                "an output for each from the start"
            )
        if has_labels and self._has_labels() and y.shape[1] != len(self.classes_):
            raise ValueError(f"y has {y.shape[1]} labels, and had {len(self.classes_)} before")
        if not has_labels and (unknown := {*numpy.unique(y).tolist()} - {*self.classes_.tolist()}):
            where = "in classes" if reset else "there before"
            raise ValueError(f"y has classes that were not {where}: {sorted(unknown)}")
        targets = self._binarizer.transform(y).astype(float)
        if len(self.classes_) < 2 and not has_labels:
            raise ValueError(f"y has one class only, {self.classes_[0]}: a classifier needs two")
        return X, targets.ravel() if targets.shape[1] == 1 else targets, checked_weights(weights, X)

    def _outputs(self, targets: Any) -> tuple[int, str]:
        nout = 1 if targets.ndim == 1 else targets.shape[1]
        return nout, "cross_entropy" if self._picks_one() else "binary_cross_entropy_with_logits"

    def _has_labels(self) -> bool:
        """Whether a row may have several labels at once."""
        return bool(self._binarizer.y_type_ == "multilabel-indicator")

    def _picks_one(self) -> bool:
        """Whether a row has one class of three or more: an output for each, which softmax joins."""
        return bool(self._binarizer.y_type_ == "multiclass")

    def _is_stratified(self) -> bool:
        return not self._has_labels()

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, a column for each, in the order of `classes_`."""
        logits = self._raw(X)
        if self._picks_one():
            logits = numpy.exp(logits - logits.max(axis=1, keepdims=True))
            return logits / logits.sum(axis=1, keepdims=True)
        chances = numpy.asarray(sigmoid(logits), dtype=float)
        return chances if self._has_labels() else numpy.hstack([1.0 - chances, chances])

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of `predict_proba`, finite where that rounds to 0."""
        logits = self._raw(X)
        if self._picks_one():
            logits = logits - logits.max(axis=1, keepdims=True)
            return logits - numpy.log(numpy.exp(logits).sum(axis=1, keepdims=True))
        if not self._has_labels():
            logits = numpy.hstack([-logits, logits])
        return numpy.asarray(log_sigmoid(logits), dtype=float)

    def predict(self, X: Any) -> Any:
        """The class of each row; for labels a row of 0 and 1."""
        logits = self._raw(X)
        if self._has_labels():
            return (logits > 0.0).astype(int)
        if logits.shape[1] == 1:
            return self.classes_[(logits.ravel() > 0.0).astype(int)]
        return self.classes_[logits.argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
