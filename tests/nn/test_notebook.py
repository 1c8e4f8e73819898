"""micrograd's notebook: two moons, a 2-16-16-1 network and a max-margin loss, with its seeds and its schedule.

The published output begins `step 0 loss 0.8958441028683222, accuracy 50.0%` and `step 1 loss 1.7235905336972022,
accuracy 81.0%`, and ends with `step 99 loss 0.01105…, accuracy 100.0%`.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
from sklearn.datasets import make_moons

from scalargrad import relu, sum
from scalargrad.nn import MLP, SGD, l2


def moons():
    np.random.seed(1337)
    random.seed(1337)
    X, y = make_moons(n_samples=100, noise=0.1)
    return X, y * 2 - 1


def notebook_rate(step):
    return 1.0 - 0.9 * step / 100


def run(steps):
    """Losses and accuracies of the notebook's loop, in scalargrad: the whole batch as one graph."""
    X, y = moons()
    model = MLP(2, [16, 16, 1], init="uniform")
    optimizer = SGD(model.parameters(), lr=notebook_rate)
    inputs, targets = X.tolist(), y.tolist()
    losses, accuracies = [], []
    for _ in range(steps):
        scores = [model(x) for x in inputs]
        hinges = [relu(1 - t * score) for t, score in zip(targets, scores, strict=True)]
        loss = sum(hinges) / len(scores) + 1e-4 * l2(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
        right = [(score.data > 0) == (t > 0) for t, score in zip(targets, scores, strict=True)]
        accuracies.append(float(np.mean(right)))
    return losses, accuracies


def test_losses_and_accuracies_are_the_published_ones():
    losses, accuracies = run(20)
    assert losses[:2] == pytest.approx([0.8958441028683222, 1.7235905336972022], rel=1e-9)
    assert accuracies[:2] == [0.5, 0.81]
    X, y = moons()
    model = MLP(2, [16, 16, 1], init="uniform")
    history = model.fit(
        X, y, loss="hinge", lr=notebook_rate, epochs=100, penalty=lambda m: 1e-4 * l2(m)
    )
    assert history.loss[:20] == pytest.approx(losses, rel=1e-9)
    assert history.loss[-1] == pytest.approx(0.011, abs=5e-4)
    assert all((model.predict(X) > 0) == (y > 0))


def test_micrograd_itself_agrees_on_weights_losses_and_gradients():
    nn = pytest.importorskip("micrograd.nn")
    X, y = moons()
    theirs = nn.MLP(2, [16, 16, 1])
    random.seed(1337)
    ours = MLP(2, [16, 16, 1], init="uniform")
    assert [p.data for p in ours.parameters()] == [p.data for p in theirs.parameters()]
    for step in range(2):
        rows = list(zip(X.tolist(), y.tolist(), strict=True))[:30]
        margins = [(1 + -t * theirs(x)).relu() for x, t in rows]
        total = margins[0] * 0
        for margin in margins:
            total = total + margin
        square = theirs.parameters()[0] * 0
        for p in theirs.parameters():
            square = square + p * p
        expected = total * (1.0 / len(margins)) + 1e-4 * square
        theirs.zero_grad()
        expected.backward()

        loss = sum([relu(1 - t * ours(x)) for x, t in rows]) / len(rows) + 1e-4 * l2(ours)
        ours.zero_grad()
        loss.backward()
        assert loss.data == pytest.approx(expected.data, rel=1e-12)
        np.testing.assert_allclose(
            [p.grad for p in ours.parameters()],
            [p.grad for p in theirs.parameters()],
            rtol=1e-9,
            atol=1e-13,
        )
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            p.data -= notebook_rate(step) * p.grad
            q.data -= notebook_rate(step) * q.grad
