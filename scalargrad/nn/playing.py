"""Playground: a model, its data and its training as a page.   (floor 3)"""

from __future__ import annotations

import random
from math import isfinite

from ..checks import one_of, random_source, whole_number
from ..modes import no_grad
from ..value import Value
from .activations import activation, plain_name
from .choosing import optimizer_for
from .eager import Asked, Task
from .formats import Content, about
from .inits import INITS
from .lbfgs import LBFGS
from .losses import binary_cross_entropy_with_logits, hinge, loss_function
from .optimizers import positive
from .parameters import layers_of
from .rows import one_hot, to_lists, width
from .shapes import flat
from .training import REDUCTIONS, table_of
from .weights import made_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import Any

    from ..playground import Playground, Scripts

MOST_PARAMETERS = 20_000  # of more a page cannot show the training step by step
MOST_NUMBERS = 200_000  # in X and y together


def playground(
    model: Any,
    path: str | os.PathLike[str] | None,
    X: Any,
    y: Any,
    loss: str | Callable[[Any, Any], Any] = "mse",
    optimizer: Any = "sgd",
    lr: Any = None,
    batch_size: int | None = None,
    shuffle: bool = False,
    seed: Any = None,
    reduction: str = "mean",
    penalty: Callable[[Any], Any] | None = None,
    epochs: int | None = None,
    clip_norm: float | None = None,
) -> Playground:
    """Write a page in which the model trains before the reader's eyes, and return it.

    >>> from scalargrad.nn import MLP
    >>> model = MLP(2, [4, 1], activation="tanh", seed=0)
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> model.playground(None, X, y, optimizer="adam", lr=0.05)
    <Playground of MLP(2, [4, 1], activation='tanh'): 17 parameters, 4 rows>

    path: the file, .html; None to write none: `save` does it later, and a notebook shows the page.
    X, y, loss, optimizer, lr, batch_size, shuffle, seed, reduction, penalty, clip_norm: as in
        `fit`, whose steps the page makes. A seed that the reader gives is that of `MLP(…, seed=…)`.
    epochs: where the page stops by itself. Default None: nowhere.

    TraceError where model, loss, penalty or update cannot be traced; ValueError for more than
    20,000 parameters, and for rows that do not fit. The model is not changed.
    """
    from ..playground import Playground

    one_of("reduction", reduction, REDUCTIONS)
    count = _count(model)
    table = _table(X, y)
    task = Task(model, loss_function(loss), reduction == "mean", penalty)
    chosen = optimizer_for(optimizer, model.parameters(), lr)
    update = _update_of(chosen)
    classes = _classes(task, chosen, table)
    inputs, targets = table
    wanted: Any = targets if classes is None else one_hot(targets, classes)
    layers, size = layers_of(model), len(inputs)
    scripts = _scripts(task, bool(layers), inputs[:2], wanted[:2], update)
    content: dict[str, Any] = {
        "title": repr(model),
        "about": about(Content({}, *made_as(model))),
        "weights": _blocks(model, [p.data for p in model.parameters()]),
        "state": [_blocks(model, part) for part in chosen.state],
        "layers": _layers(layers),
        "steps": chosen.steps,
        "optimizer": type(chosen).__name__,
        "clip": None if clip_norm is None else positive("clip_norm", clip_norm),
        "loss": loss if isinstance(loss, str) else getattr(loss, "__name__", "loss"),
        "lr": chosen.lr,
        "batch": size if batch_size is None else min(size, whole_number("batch_size", batch_size)),
        "is_whole": batch_size is None,
        "shuffle": bool(shuffle),
        "seed": _seed(seed),
        "epochs": None if epochs is None else whole_number("epochs", epochs),
        "x": inputs,
        "y": wanted,
        "names": [str(name) for name in getattr(X, "columns", ())],
        **_kind(task.measure, wanted, classes),
    }
    made = Playground(repr(model), count, scripts, content)
    if path is not None:
        made.save(path)
    return made


def _table(X: Any, y: Any) -> Any:
    """The rows of X and y; ValueError if they are more than a page can hold."""
    inputs, targets = table_of(X, y)
    numbers = len(inputs) * ((width(inputs[0]) or 1) + (width(targets[0]) or 1))
    if numbers > MOST_NUMBERS:
        raise ValueError(
            f"X and y have {numbers:,} numbers, and a page holds at most {MOST_NUMBERS:,}: "
            "give it a part of the rows"
        )
    return inputs, targets


def _scripts(task: Task, has_layers: bool, x: Any, y: Any, update: Any) -> Scripts:
    """The compiled code of a page; x and y are two rows, to trace it with."""
    from ..compiler import compile
    from ..playground import Scripts

    model, measure = task.model, task.measure

    def objective(model: Any, x: Any, y: Any) -> Any:
        return measure(model(x), y)

    def predict(model: Any, x: Any) -> Any:
        return model(x)

    def neurons(model: Any, x: Any) -> Any:
        found: list[Any] = []
        for layer in layers_of(model):
            out = layer(x)
            x = out if isinstance(out, list) else [out]
            found += x
        return found

    def of_rows(function: Any) -> str:
        return compile(function, (), ("x",), None).source(model, x, language="javascript")

    reduction = "mean" if task.is_mean else "sum"
    compiled = compile(objective, 0, ("x", "y"), reduction)
    return Scripts(
        task=compiled.source(model, x, y, language="javascript"),
        predict=of_rows(predict),
        neurons=of_rows(neurons) if has_layers else "",
        penalty=compile(task.penalty).source(model, language="javascript") if task.penalty else "",
        update=update,
    )


def _count(model: Any) -> int:
    """The number of parameters of a model; ValueError if a page cannot show them."""
    count = len(model.parameters())
    if count > MOST_PARAMETERS:
        raise ValueError(
            f"a playground trains at most {MOST_PARAMETERS:,} parameters, and {model!r} has "
            f"{count:,}: train it with fit"
        )
    if sum(len(values) for _, values in model._blocks().values()) != count:
        raise ValueError(
            "a playground needs each parameter in one place, and some of this model stand in two: "
            "train it with fit"
        )
    return count


def _update_of(optimizer: Any) -> Any:
    """The formula by which a weight moves."""
    from ..compiler.tracing import TraceError
    from ..compiler.update import update_of
    from .compiled import check_optimizer, is_known

    if isinstance(optimizer, LBFGS):
        raise ValueError(
            "a page makes each step from one gradient, and L-BFGS needs several: take "
            "'sgd', 'rmsprop', 'adam', 'adamw'"
        )
    check_optimizer(optimizer)
    if callable(optimizer.lr):
        raise ValueError(
            "lr is a function of the step, and the page has a field for one number: write lr=0.01"
        )
    found = update_of(optimizer, is_known(optimizer))
    if found is None:
        raise TraceError(
            f"the update of {type(optimizer).__name__} has not one formula for all weights, and a "
            "page needs one: take 'sgd', 'rmsprop', 'adam', 'adamw'"
        )
    return found


def _classes(task: Task, optimizer: Any, table: Any) -> int | None:
    """The number of classes, if the targets are class numbers.

    A page would train wrongly where `fit` refuses to generate code, so the same is refused here.
    """
    from ..compiler.tracing import TraceError
    from .compiled import Generated

    try:
        Generated(Asked(task, optimizer, table, "python", 1, 1, len(table[0]), True))
    except TraceError as error:
        error.add_note("a playground trains by generated code: on Values, fit trains it")
        raise
    return task.classes(table)


def _blocks(model: Any, numbers: list[float]) -> dict[str, Any]:
    """Numbers, one for each parameter, by blocks: shape, and numbers in row order."""
    found = {}
    for name, block in model.arranged(numbers).items():
        shape, each = flat(to_lists(block))
        if not all(map(isfinite, each)):
            raise ValueError(
                f"{name} has a number that is nan or infinite, from which no step can be made: "
                "give the model other weights"
            )
        found[name] = {"shape": shape, "data": [float(x) for x in each]}
    return found


def _layers(layers: list[Any]) -> list[dict[str, Any]]:
    """The layers as the page draws them and draws their weights anew."""
    found = []
    for layer in layers:
        names = [*layer._blocks()]
        nin, nout = layer.nin, getattr(layer, "nout", 1)
        init = getattr(layer, "_init", None)
        found.append(
            {
                "W": names[0],
                "b": names[1] if len(names) > 1 else None,
                "nin": nin,
                "nout": nout,
                "activation": plain_name(layer.activation),
                "level": _at_zero(layer),
                "init": _spread(init, nin, nout),
            }
        )
    return found


def _at_zero(layer: Any) -> float:
    """The activation of 0, the level that a neuron's boundary runs along."""
    function = activation(layer.activation)
    with no_grad():
        return 0.0 if function is None else float(function(Value(0.0)).data)


def _spread(init: str | None, nin: int, nout: int) -> list[Any] | None:
    """The distribution that an init draws from, and its size; None for a function of the user's."""
    if init is None:
        return None
    draw: Any = INITS[init]
    return draw(nin, nout, _Distributions()) or ["zeros", 0.0]


class _Distributions:
    """A source that answers an init with the distribution, not with a number drawn from it."""

    def uniform(self, low: float, high: float) -> list[Any]:
        return ["uniform", high]

    def gauss(self, mean: float, deviation: float) -> list[Any]:
        return ["gauss", deviation]


def _seed(seed: Any) -> int | None:
    """A seed that the page can begin its order of rows from."""
    random_source(seed)
    return None if isinstance(seed, random.Random) or not hasattr(seed, "__index__") else int(seed)


def _kind(measure: Any, targets: Any, classes: int | None) -> dict[str, Any]:
    """Whether the targets are classes, and the outputs between which their border lies."""
    wide, seen = width(targets[0]), {*targets}
    is_one_hot = (wide or 1) > 1 and all({*row} == {0, 1} and sum(row) == 1 for row in seen)
    if classes is not None or is_one_hot:
        return {"kind": "classes", "levels": [0, 0.5, 1]}
    single = {row[0] for row in seen} if wide == 1 else seen
    if wide in (None, 1) and len(single) == 2:
        low, high = sorted(single)
        if measure in (binary_cross_entropy_with_logits, hinge):
            return {"kind": "two", "values": [low, high], "levels": [-3, 0, 3]}
        return {"kind": "two", "values": [low, high], "levels": [low, (low + high) / 2, high]}
    numbers = [x for row in targets for x in (row if wide else [row])]
    low, high = min(numbers), max(numbers)
    return {"kind": "numbers", "levels": [low, (low + high) / 2, high]}
