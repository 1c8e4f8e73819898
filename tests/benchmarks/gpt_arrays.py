"""The small GPT in libraries of arrays, all documents as one batch.

NumPy with derivatives by hand, PyTorch, JAX, HIPS autograd.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .contest import Run
from .gpt_task import BEGIN, BETAS, EPS, HEADS, LR, TINY, WIDTH, padded

MASKED = -1e30  # the score of what is yet to come


def batch_loss(
    np: Any,
    softmax: Callable[[Any], Any],
    log_softmax: Callable[[Any], Any],
    relu: Callable[[Any], Any],
) -> Callable[[Any], Any]:
    """The loss as a function of the weights, in a library that writes arrays as NumPy does."""
    import numpy

    tokens, targets, shares = map(numpy.array, padded())
    documents, length = tokens.shape
    later = numpy.triu(numpy.full((length, length), MASKED), 1)
    picked = numpy.zeros((documents, length, len(BEGIN["to_logits"])))
    picked[numpy.arange(documents)[:, None], numpy.arange(length), targets] = shares
    later, picked = (np.asarray(a) for a in (later, picked))

    def normed(x: Any) -> Any:
        return x * ((x * x).mean(axis=-1, keepdims=True) + TINY) ** -0.5

    def loss(P: Any) -> Any:
        x = P["token_embedding"].T[tokens] + P["position_embedding"][:length]
        h = normed(x)
        q, k, v = (
            (h @ P[name].T).reshape(documents, length, HEADS, WIDTH // HEADS)
            for name in ("queries", "keys", "values")
        )
        attention = softmax(np.einsum("bihd,bjhd->bhij", q, k) * (WIDTH // HEADS) ** -0.5 + later)
        x = (
            x
            + np.einsum("bhij,bjhd->bihd", attention, v).reshape(documents, length, WIDTH)
            @ P["attention_out"].T
        )
        x = x + relu(normed(x) @ P["wider"].T) @ P["narrower"].T
        return -(picked * log_softmax(normed(x) @ P["to_logits"].T)).sum()

    return loss


def moved(np: Any, t: Any, w: Any, g: Any, m: Any, v: Any) -> tuple[Any, Any, Any]:
    """Adam's step number t."""
    m = BETAS[0] * m + (1.0 - BETAS[0]) * g
    v = BETAS[1] * v + (1.0 - BETAS[1]) * (g * g)
    return w - LR * (m / (1.0 - BETAS[0] ** t)) / (np.sqrt(v / (1.0 - BETAS[1] ** t)) + EPS), m, v


def numpy_by_hand() -> Run:
    """The derivatives by hand."""
    import numpy as np

    tokens, targets, shares = map(np.array, padded())
    documents, length = tokens.shape
    later, scale = np.triu(np.full((length, length), MASKED), 1), (WIDTH // HEADS) ** -0.5
    picked = np.zeros((documents, length, len(BEGIN["to_logits"])))
    picked[np.arange(documents)[:, None], np.arange(length), targets] = shares

    def normed(x: Any) -> tuple[Any, Any]:
        r = ((x * x).mean(axis=-1, keepdims=True) + TINY) ** -0.5
        return x * r, r

    def through_norm(dy: Any, y: Any, r: Any) -> Any:
        return r * (dy - y * (dy * y).mean(axis=-1, keepdims=True))

    def softmax(z: Any) -> Any:
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def split(h: Any) -> Any:
        return h.reshape(documents, length, HEADS, -1).swapaxes(1, 2)

    def merged(h: Any) -> Any:
        return h.swapaxes(1, 2).reshape(documents * length, WIDTH)

    def value_and_grad(P: Any) -> tuple[float, Any]:
        x0 = (P["token_embedding"].T[tokens] + P["position_embedding"][:length]).reshape(-1, WIDTH)
        h1, r1 = normed(x0)
        q, k, v = (split(h1 @ P[name].T) for name in ("queries", "keys", "values"))
        A = softmax(q @ k.swapaxes(2, 3) * scale + later)
        heads = merged(A @ v)
        x1 = x0 + heads @ P["attention_out"].T
        h2, r2 = normed(x1)
        a = np.maximum(h2 @ P["wider"].T, 0)
        x2 = x1 + a @ P["narrower"].T
        h3, r3 = normed(x2)
        p = softmax(h3 @ P["to_logits"].T)
        share = picked.reshape(p.shape)
        loss = -(share * np.log(p)).sum()

        G = {}
        d_logits = p * share.sum(axis=-1, keepdims=True) - share
        G["to_logits"] = d_logits.T @ h3
        d2 = through_norm(d_logits @ P["to_logits"], h3, r3)
        G["narrower"], da = d2.T @ a, d2 @ P["narrower"] * (a > 0)
        G["wider"], dh2 = da.T @ h2, da @ P["wider"]
        d1 = d2 + through_norm(dh2, h2, r2)
        G["attention_out"], d_heads = d1.T @ heads, split(d1 @ P["attention_out"])
        dA = d_heads @ v.swapaxes(2, 3)
        d_scores = A * (dA - (dA * A).sum(axis=-1, keepdims=True)) * scale
        dq, dk, dv = (
            merged(d_scores @ k),
            merged(d_scores.swapaxes(2, 3) @ q),
            merged(A.swapaxes(2, 3) @ d_heads),
        )
        G["queries"], G["keys"], G["values"] = dq.T @ h1, dk.T @ h1, dv.T @ h1
        d0 = d1 + through_norm(dq @ P["queries"] + dk @ P["keys"] + dv @ P["values"], h1, r1)
        by_token, G["position_embedding"] = (
            np.zeros_like(P["token_embedding"].T),
            np.zeros_like(P["position_embedding"]),
        )
        np.add.at(by_token, tokens.reshape(-1), d0)
        G["token_embedding"] = by_token.T
        G["position_embedding"][:length] = d0.reshape(documents, length, WIDTH).sum(axis=0)
        return loss, G

    return trained(value_and_grad)


def trained(value_and_grad: Callable[[Any], tuple[Any, Any]]) -> Run:
    """Adam on NumPy arrays, all in one vector."""
    import numpy as np

    begin = {name: np.array(part) for name, part in BEGIN.items()}
    sizes = np.cumsum([part.size for part in begin.values()])[:-1]

    def unflat(w: Any) -> Any:
        return {
            name: part.reshape(begin[name].shape) for name, part in zip(begin, np.split(w, sizes))
        }

    def run(n: int) -> Any:
        w = np.concatenate([part.ravel() for part in begin.values()])
        m, v = np.zeros_like(w), np.zeros_like(w)
        for t in range(1, n + 1):
            _, G = value_and_grad(unflat(w))
            w, m, v = moved(np, t, w, np.concatenate([G[name].ravel() for name in begin]), m, v)
        return w

    return run


def hips() -> Run:
    import autograd
    import autograd.numpy as np

    def softmax(z: Any) -> Any:
        e = np.exp(z - np.max(z, axis=-1, keepdims=True))
        return e / np.sum(e, axis=-1, keepdims=True)

    def log_softmax(z: Any) -> Any:
        z = z - np.max(z, axis=-1, keepdims=True)
        return z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))

    return trained(
        autograd.value_and_grad(batch_loss(np, softmax, log_softmax, lambda z: np.maximum(z, 0.0)))
    )


def pytorch() -> Run:
    import torch

    loss = batch_loss(
        torch, lambda z: torch.softmax(z, -1), lambda z: torch.log_softmax(z, -1), torch.relu
    )

    def run(n: int) -> Any:
        P = {
            name: torch.tensor(part, dtype=torch.float64, requires_grad=True)
            for name, part in BEGIN.items()
        }
        adam = torch.optim.Adam(P.values(), lr=LR, betas=BETAS, eps=EPS, fused=True)
        for _ in range(n):
            adam.zero_grad()
            loss(P).backward()
            adam.step()
        return P

    return run


def jax() -> Run:
    import jax
    import jax.numpy as np

    jax.config.update("jax_enable_x64", True)
    slopes = jax.grad(batch_loss(np, jax.nn.softmax, jax.nn.log_softmax, jax.nn.relu))
    begin = {name: np.array(part) for name, part in BEGIN.items()}
    nothing = jax.tree.map(np.zeros_like, begin)

    @jax.jit
    def step(t: Any, P: Any, M: Any, V: Any) -> Any:
        made = {name: moved(np, t, P[name], g, M[name], V[name]) for name, g in slopes(P).items()}
        return tuple({name: parts[i] for name, parts in made.items()} for i in range(3))

    def run(n: int) -> Any:
        state = begin, nothing, nothing
        for t in range(1, n + 1):
            state = step(float(t), *state)
        return [jax.block_until_ready(state)[0][name] for name in BEGIN]

    return run
