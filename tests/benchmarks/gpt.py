"""W5: a small GPT in scalars, one step of Adam on eight documents.

`python -m tests.benchmarks gpt`

Model, loss and tables are those of `demos.gpt`: 27 characters (one of them begins and ends a
document), one layer, four heads, embedding 16, context 16, RMSNorm, causal softmax attention, relu,
4,192 parameters. The loss is the mean over the documents of the mean surprise at a document's
characters. Values take a document at a time. Libraries of arrays, and scalargrad through `fit`,
take all documents, padded to the longest.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from demos.gpt import surprise

from .contest import AUTO, BACKENDS, COMPILED, EAGER, Contest, Goal, Run, needs_compiled_fit
from .gpt_arrays import hips, jax, numpy_by_hand, pytorch
from .gpt_task import BATCH, BEGIN, BETAS, EPS, HEADS, LR, TABLES, TINY, WIDTH, model
from .peers import SlotsValue, micrograd_value, neuron
from .timing import UNHURRIED, Pace

GOALS = (
    Goal((EAGER,), "slots Value", at_least=5),
    Goal(COMPILED, "slots Value", at_least=60),
    Goal(COMPILED, "PyTorch eager", at_least=1),
    AUTO,
)
CONTEST = Contest(
    "W5: a GPT of 4,192 scalars, Adam, a step of 8 documents", "ms", GOALS, checked_after=2
)


def dot(ws: Any, xs: Any) -> Any:
    return neuron(ws[1:], xs[1:], ws[0] * xs[0])


def softmax(zs: list[Any]) -> list[Any]:
    peak = max(z.data for z in zs)
    exps = [(z + -peak).exp() for z in zs]
    share = neuron(exps[1:], [1.0] * len(exps), exps[0]) ** -1
    return [e * share for e in exps]


def document_loss(P: dict[str, list[list[Any]]], tokens: list[int]) -> Any:
    """The mean surprise at the tokens of a document, each after those before it.

    The Values need to know + * ** and methods alone.
    """

    def linear(name: str, x: list[Any]) -> list[Any]:
        return [dot(row, x) for row in P[name]]

    def normed(x: list[Any]) -> list[Any]:
        scale = (dot(x, x) * (1.0 / WIDTH) + TINY) ** -0.5
        return [xi * scale for xi in x]

    size = WIDTH // HEADS
    keys, values, surprises = [], [], []
    for position, (token, following) in enumerate(pairwise(tokens)):
        x = [
            row[token] + p
            for row, p in zip(P["token_embedding"], P["position_embedding"][position])
        ]
        h = normed(x)
        query = linear("queries", h)
        keys.append(linear("keys", h))
        values.append(linear("values", h))
        heads = []
        for part in (slice(i, i + size) for i in range(0, WIDTH, size)):
            attention = softmax([dot(query[part], key[part]) * size**-0.5 for key in keys])
            heads += [dot(attention, column) for column in zip(*[value[part] for value in values])]
        x = [a + b for a, b in zip(x, linear("attention_out", heads))]
        x = [
            a + b
            for a, b in zip(x, linear("narrower", [z.relu() for z in linear("wider", normed(x))]))
        ]
        surprises.append(softmax(linear("to_logits", normed(x)))[following].log() * -1.0)
    total = surprises[0]
    for another in surprises[1:]:
        total = total + another
    return total * (1.0 / len(surprises))


def by_values(cls: Any) -> Run:
    """Adam in a loop over the parameters."""

    def run(n: int) -> Any:
        P = {name: [[cls(w) for w in row] for row in part] for name, part in BEGIN.items()}
        parameters = [w for part in P.values() for row in part for w in row]
        means, squares = [0.0] * len(parameters), [0.0] * len(parameters)
        for t in range(1, n + 1):
            for p in parameters:
                p.grad = 0.0
            for tokens in BATCH:
                (document_loss(P, tokens) * (1.0 / len(BATCH))).backward()
            for i, p in enumerate(parameters):
                means[i] = m = BETAS[0] * means[i] + (1 - BETAS[0]) * p.grad
                squares[i] = v = BETAS[1] * squares[i] + (1 - BETAS[1]) * p.grad**2
                p.data -= (
                    LR * (m / (1 - BETAS[0] ** t)) / (math.sqrt(v / (1 - BETAS[1] ** t)) + EPS)
                )
        return [p.data for p in parameters]

    return run


def by_fit(**choice: Any) -> Run:
    """The demo's own training, with a constant rate."""
    network = model()
    begin = network.state()

    def run(n: int) -> Any:
        network.load_state(begin)
        network.fit(*TABLES, loss=surprise, optimizer="adam", lr=LR, epochs=n, **choice)
        return network.state()

    run(1)
    return run


def enter_backend(backend: str) -> None:
    def build() -> Run:
        needs_compiled_fit()
        return by_fit(engine="compiled", backend=backend)

    CONTEST.peer(BACKENDS[backend], fixed_cost=True)(build)


CONTEST.peer(EAGER, fixed_cost=True)(lambda: by_fit(engine="eager"))
for backend in BACKENDS:
    enter_backend(backend)
CONTEST.peer("slots Value")(lambda: by_values(SlotsValue))
CONTEST.peer("micrograd")(lambda: by_values(micrograd_value()))
CONTEST.peer("NumPy by hand")(numpy_by_hand)
CONTEST.peer("PyTorch eager")(pytorch)
CONTEST.peer("JAX jit")(jax)
CONTEST.peer("HIPS autograd")(hips)


def main(pace: Pace = UNHURRIED) -> None:
    CONTEST.hold(pace)
