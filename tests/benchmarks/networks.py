"""A network's step, or its value and gradient, as each library writes it: peers of W1, W2, W3.

`enter_libraries` enters scalargrad's eager engine, Values by hand and the libraries in a contest;
`enter_fit` and `enter_compiled` enter scalargrad's backends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from scalargrad import MLP, nn

from .contest import BACKENDS, EAGER, Contest, Run, needs_compiled_fit, scalargrad_compile, without
from .peers import SlotsValue, micrograd_value, neuron


@dataclass(frozen=True)
class Task:
    """A network, its data, its loss: for a training step with a rate, else value and gradient."""

    sizes: tuple[int, ...]
    activations: tuple[str | None, str | None]  # hidden, output
    loss: str
    X: list[list[float]]
    y: list[list[float]]
    reduction: str = "mean"
    penalty: float = 0.0
    lr: float | None = None
    init: str | None = None

    def model(self) -> MLP:
        """The network with the weights that all begin with."""
        hidden, last = self.activations
        return MLP(
            self.sizes[0],
            list(self.sizes[1:]),
            activation=hidden,
            output_activation=last,
            init=self.init,
            seed=0,
        )

    @cached_property
    def weights(self) -> list[Any]:
        """W1, b1, W2, b2, … as nested lists."""
        return [
            part.tolist() if hasattr(part, "tolist") else part
            for part in self.model().state().values()
        ]

    def layers(self) -> list[str | None]:
        """The activation of each layer."""
        return [self.activations[0]] * (len(self.sizes) - 2) + [self.activations[1]]

    def total(self, losses: Any) -> Any:
        """Their sum or their mean, as the task has it."""
        return losses if self.reduction == "sum" else losses * (1.0 / len(self.X))


def enter_libraries(contest: Contest, task: Task, deep_walks: bool = True) -> None:
    """Enter all that take the task as it is; Values that record each * and + if `deep_walks`."""
    contest.peer(EAGER)(lambda: eager(task))
    if deep_walks:
        contest.peer("slots Value")(lambda: by_values(task, SlotsValue))
        contest.peer("micrograd")(lambda: by_values(task, micrograd_value()))
    contest.peer("PyTorch eager")(lambda: pytorch(task))
    contest.peer("JAX jit, a call a step")(lambda: jax_calls(task))
    if task.lr is not None:
        contest.peer("JAX jit, lax.scan")(lambda: jax_scan(task))
    contest.peer("HIPS autograd")(lambda: hips(task))


def repeated(
    task: Task, start: Any, value_and_grad: Callable[[Any], Any], update: Callable[[Any, Any], Any]
) -> Run:
    """The run of a peer: value and gradient, and in a training step the update after it."""

    def run(n: int) -> Any:
        weights, result = start(), None
        for _ in range(n):
            result = value_and_grad(weights)
            if task.lr is not None:
                weights = update(weights, result[1])
        return result if task.lr is None else weights

    return run


# ------------------------------------------------------------------ scalargrad


def eager(task: Task) -> Run:
    """`fit` for a training step; for value and gradient a loss and a backward walk for each row."""
    model = task.model()
    begin, parameters = model.state(), model.parameters()
    measure, divisor = getattr(nn, task.loss), len(task.X) if task.reduction == "mean" else 1

    def train(n: int) -> Any:
        return fitted(task, model, begin, n, engine="eager")

    def value_and_gradient(n: int) -> Any:
        for _ in range(n):
            value = 0.0
            for p in parameters:
                p.grad = 0.0
            for x, t in zip(task.X, task.y):
                loss = measure(model(x), t) / divisor
                loss.backward()
                value += loss.data
        return lambda: [value, model.arranged(p.grad for p in parameters)]

    return value_and_gradient if task.lr is None else train


def fitted(task: Task, model: MLP, begin: Any, n: int, **choice: Any) -> Any:
    """The state after n steps of `fit` from the beginning."""
    model.load_state(begin)
    penalty = (lambda model: task.penalty * nn.l2(model)) if task.penalty else None
    model.fit(
        task.X,
        task.y,
        loss=task.loss,
        lr=task.lr,
        epochs=n,
        reduction=task.reduction,
        penalty=penalty,
        **choice,
    )
    return model.state()


def enter_fit(contest: Contest, task: Task) -> None:
    """Enter `fit` with each backend; with the python backend NumPy is not there."""

    def builder(backend: str) -> Callable[[], Run]:
        def build() -> Run:
            needs_compiled_fit()
            model = task.model()
            begin = model.state()

            def run(n: int) -> Any:
                if backend != "python":
                    return fitted(task, model, begin, n, engine="compiled", backend=backend)
                with without("numpy"):
                    return fitted(task, model, begin, n, engine="compiled", backend=backend)

            run(1)
            return run

        return build

    for backend, name in BACKENDS.items():
        contest.peer(name, fixed_cost=True)(builder(backend))


def enter_compiled(contest: Contest, task: Task) -> None:
    """Enter value and gradient by `compile` with each backend: over the rows, or of one row."""

    def builder(backend: str) -> Callable[[], Run]:
        def build() -> Run:
            measure = getattr(nn, task.loss)
            rows = ("x", "t") if len(task.X) > 1 else None
            f = scalargrad_compile()(
                lambda model, x, t: measure(model(x), t),
                rows=rows,
                reduce=task.reduction,
                backend=backend,
            )
            X: Any
            y: Any
            X, y = (task.X, task.y) if rows else (task.X[0], task.y[0])
            model = task.model()
            if backend == "python":
                with without("numpy"):
                    state: Any = model.state()
            else:
                import numpy as np

                state, X, y = model.state(), np.array(X), np.array(y)

            def run(n: int) -> Any:
                for _ in range(n):
                    result = f.value_and_grad(state, X, y)
                return result

            run(1)
            return run

        return build

    for backend, name in BACKENDS.items():
        contest.peer(name)(builder(backend))


# ------------------------------------------------------------------ Values, written with * and +


def by_values(task: Task, cls: Any) -> Run:
    """The whole batch as one graph."""
    layers: list[tuple[list[list[Any]], list[Any]]] = []
    for W, b in zip(*[iter(task.weights)] * 2):
        layers.append(([[cls(w) for w in row] for row in W], [cls(w) for w in b]))
    parameters = [w for W, b in layers for w in (*(w for row in W for w in row), *b)]
    begin = [p.data for p in parameters]

    def batch_loss() -> Any:
        losses = []
        for x, target in zip(task.X, task.y):
            h: list[Any] = x
            for (W, b), activation in zip(layers, task.layers()):
                h = [neuron(row, h, bias) for row, bias in zip(W, b)]
                h = [getattr(z, activation)() for z in h] if activation else h
            losses += [VALUE_LOSSES[task.loss](p, t) for p, t in zip(h, target)]
        loss = task.total(sum(losses[1:], losses[0]))
        return (
            loss
            + task.penalty * sum((p * p for p in parameters[1:]), parameters[0] * parameters[0])
            if task.penalty
            else loss
        )

    def run(n: int) -> Any:
        for p, number in zip(parameters, begin):
            p.data = number
        for _ in range(n):
            loss = batch_loss()
            for p in parameters:
                p.grad = 0.0
            loss.backward()
            if task.lr is not None:
                for p in parameters:
                    p.data -= task.lr * p.grad
        return (
            [loss.data, [p.grad for p in parameters]]
            if task.lr is None
            else [p.data for p in parameters]
        )

    return run


VALUE_LOSSES: dict[str, Callable[[Any, float], Any]] = {
    "half_squared_error": lambda p, t: 0.5 * (p + (-t)) ** 2,
    "squared_error": lambda p, t: (p + (-t)) ** 2,
    "hinge": lambda p, t: ((-t) * p + 1.0).relu(),
}

# ------------------------------------------------------------------ libraries of arrays


def array_loss(
    task: Task, np: Any, activations: dict[str, Callable[[Any], Any]], X: Any, y: Any
) -> Callable[[Any], Any]:
    """The loss as a function of [W1, b1, W2, b2, …] in a library that writes as NumPy does."""
    losses = {
        "half_squared_error": lambda p: 0.5 * ((p - y) ** 2).sum(),
        "squared_error": lambda p: ((p - y) ** 2).sum(),
        "hinge": lambda p: activations["relu"](1.0 - y * p).sum(),
    }

    def loss(weights: Any) -> Any:
        h = X
        for W, b, activation in zip(weights[::2], weights[1::2], task.layers()):
            h = h @ W.T + b
            h = activations[activation](h) if activation else h
        total = task.total(losses[task.loss](h))
        return total + task.penalty * sum((w * w).sum() for w in weights) if task.penalty else total

    return loss


def hips(task: Task) -> Run:
    import autograd
    import autograd.numpy as np

    activations = {
        "sigmoid": lambda z: 1.0 / (1.0 + np.exp(-z)),
        "relu": lambda z: np.maximum(z, 0.0),
    }
    loss = array_loss(task, np, activations, np.array(task.X), np.array(task.y))
    begin = [np.array(part) for part in task.weights]
    return repeated(
        task,
        lambda: begin,
        autograd.value_and_grad(loss),
        lambda weights, slopes: [w - task.lr * g for w, g in zip(weights, slopes)],
    )


def pytorch(task: Task) -> Run:
    import torch

    X, y = (torch.tensor(data, dtype=torch.float64) for data in (task.X, task.y))
    loss = array_loss(task, torch, {"sigmoid": torch.sigmoid, "relu": torch.relu}, X, y)

    begin = [torch.tensor(part, dtype=torch.float64) for part in task.weights]

    def start() -> Any:
        return [part.clone().requires_grad_() for part in begin]

    def value_and_grad(weights: Any) -> Any:
        for w in weights:
            w.grad = None
        value = loss(weights)
        value.backward()
        return value, [w.grad for w in weights]

    def update(weights: Any, slopes: Any) -> Any:
        with torch.no_grad():
            for w, g in zip(weights, slopes):
                w.sub_(g, alpha=task.lr)
        return weights

    return repeated(task, start, value_and_grad, update)


def _jax(task: Task) -> tuple[Any, Any, Any]:
    """JAX in float64, the first weights, and the function from weights to value and gradient."""
    import jax

    jax.config.update("jax_enable_x64", True)
    activations = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}
    loss = array_loss(
        task, jax.numpy, activations, jax.numpy.array(task.X), jax.numpy.array(task.y)
    )
    return jax, [jax.numpy.array(part) for part in task.weights], jax.value_and_grad(loss)


def jax_calls(task: Task) -> Run:
    jax, begin, value_and_grad = _jax(task)

    def one_step(weights: Any) -> Any:
        return [w - task.lr * g for w, g in zip(weights, value_and_grad(weights)[1])]

    step, evaluate = jax.jit(one_step), jax.jit(value_and_grad)

    def run(n: int) -> Any:
        weights = result = begin
        for _ in range(n):
            if task.lr is None:
                result = jax.block_until_ready(evaluate(weights))
            else:
                weights = step(weights)
        return jax.block_until_ready(result if task.lr is None else weights)

    return run


def jax_scan(task: Task) -> Run:
    from functools import partial

    jax, begin, value_and_grad = _jax(task)

    def body(weights: Any, _: Any) -> Any:
        value, slopes = value_and_grad(weights)
        return [w - task.lr * g for w, g in zip(weights, slopes)], value

    @partial(jax.jit, static_argnums=1)
    def scan(weights: Any, n: int) -> Any:
        return jax.lax.scan(body, weights, length=n)

    return lambda n: jax.block_until_ready(scan(begin, n))[0]


def casadi_rows(task: Task) -> tuple[Any, Any, Any]:
    """CasADi, the weights in a column, and its SX (weights, x, y) → value, gradient of one row."""
    import casadi as ca

    p = ca.SX.sym("p", sum((nin + 1) * nout for nin, nout in pairwise(task.sizes)))
    x, t = ca.SX.sym("x", task.sizes[0]), ca.SX.sym("t", task.sizes[-1])
    h, used = x, 0
    activations: dict[str | None, Callable[[Any], Any]] = {
        "sigmoid": lambda z: 1 / (1 + ca.exp(-z)), "relu": lambda z: ca.fmax(z, 0), None: lambda z: z,
    }  # fmt: skip
    for (nin, nout), activation in zip(pairwise(task.sizes), task.layers()):
        W, b = (
            ca.reshape(p[used : used + nin * nout], nin, nout).T,
            p[used + nin * nout : used + (nin + 1) * nout],
        )
        h, used = activations[activation](W @ h + b), used + (nin + 1) * nout
    losses = {"half_squared_error": lambda: 0.5 * ca.sumsqr(h - t), "squared_error": lambda: ca.sumsqr(h - t),
              "hinge": lambda: ca.sum1(ca.fmax(1 - t * h, 0))}  # fmt: skip
    loss = losses[task.loss]()
    return ca, flat(task.weights), ca.Function("row", [p, x, t], [loss, ca.gradient(loss, p)])


def casadi(task: Task, unrolled: bool) -> Run:
    """The rows mapped and summed: all as scalars, or a call of the row's function for each."""
    ca, begin, row = casadi_rows(task)
    p = ca.MX.sym("p", len(begin))
    summed = row.map("summed", "serial", len(task.X), [0], [0, 1])
    X, y = ca.DM(task.X).T, ca.DM(task.y).T
    loss, slopes = (task.total(part) for part in summed(p, X, y))
    loss, slopes = loss + task.penalty * ca.sumsqr(p), slopes + 2 * task.penalty * p
    f = ca.Function("f", [p], [loss, slopes] if task.lr is None else [p - task.lr * slopes])
    f = f.expand() if unrolled else f
    f_of = f.call

    def run(n: int) -> Any:
        weights = result = [ca.DM(begin)]
        for _ in range(n):
            result = f_of(weights)
            if task.lr is not None:
                weights = result
        return [part.full() for part in result]

    return run


def slopes_by_hand(*layers: tuple[Any, Any]) -> list[Any]:
    """The slopes by W and b of each layer, of its inputs and the slopes by its sums, in NumPy."""
    return [slope for x, dz in layers for slope in (dz.T @ x, dz.sum(axis=0))]


def flat(weights: Any) -> list[float]:
    """W1, b1, W2, b2, … as one list, rows of W one after the other."""
    return [w for part in weights for w in flat(part)] if isinstance(weights, list) else [weights]
