"""The task of the small GPT: the model of `demos.gpt`, its first weights, eight documents."""

from __future__ import annotations

from typing import Any

from demos.gpt import GPT, HEADS, WIDTH, tables

__all__ = [
    "ALPHABET",
    "BATCH",
    "BEGIN",
    "BETAS",
    "DOCUMENTS",
    "EPS",
    "HEADS",
    "LR",
    "TABLES",
    "TINY",
    "WIDTH",
    "model",
    "padded",
]

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
EDGE = len(ALPHABET)  # the token before and after a document
DOCUMENTS = ("argparse", "bisect", "calendar", "json", "operator", "pathlib", "random", "textwrap")
LR, BETAS, EPS = 0.01, (0.9, 0.999), 1e-8  # Adam's
TINY = 1e-5  # what RMSNorm adds to the mean square


def model() -> GPT:
    """The model with the weights that all begin with."""
    return GPT(EDGE + 1, seed=0)


TABLES = tables(DOCUMENTS, ALPHABET)
BATCH = [[EDGE, *map(ALPHABET.index, document), EDGE] for document in DOCUMENTS]
BEGIN: dict[str, Any] = {
    name: part.tolist() if hasattr(part, "tolist") else part
    for name, part in model().state().items()
}


def padded() -> tuple[list[list[int]], list[list[int]], list[list[float]]]:
    """Tokens, the tokens that follow them, and each one's weight in the loss, 0 in the padding."""
    length = max(map(len, BATCH)) - 1
    tokens = [document[:-1] + [0] * (length - len(document) + 1) for document in BATCH]
    targets = [document[1:] + [0] * (length - len(document) + 1) for document in BATCH]
    weights = [
        [
            1.0 / (len(document) - 1) / len(BATCH) if t < len(document) - 1 else 0.0
            for t in range(length)
        ]
        for document in BATCH
    ]
    return tokens, targets, weights
