"""A small GPT, every number in it a Value: it reads names letter by letter, and invents new ones.

    python -m demos.gpt                        # the names of Python's own modules
    python -m demos.gpt --names FILE           # your names, one a line

The model reads a name as a document: "abc" is a mark, a, b, c. At each position it says what comes
next: a, b, c, and the mark again, for the end. A position sees itself and those before it. There is
one layer of attention with four heads and one feed-forward layer; each layer adds to its input
(Vaswani and others 2017), after RMSNorm (Zhang and Sennrich 2019). With 26 letters and the mark
that makes 4,192 parameters.

Python's names are those made of letters alone. A file may hold any characters; capitals become
small, and names of more than 15 characters are left out. The same lines run on Values one by one,
with `--engine eager`, to be read and debugged, and compiled to matrices, to be trained.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from math import ceil, inf
from pathlib import Path
from typing import Any

from demos import show
from scalargrad import History, Module, Value, dot, logsumexp, relu, softmax
from scalargrad import sum as total

CONTEXT = 16  # positions: a mark and 15 characters
WIDTH = 16  # numbers that describe a position
HEADS = 4
BATCH = 8  # names a step
COLDEST = 0.001  # temperature: far below, logits over it would overflow
RATE = 0.01  # at first; it falls to 0 along a line

Vectors = list[list[Any]]  # one for each position; of Values, of traced or of plain numbers


class GPT(Module):
    """The character that comes next, at every position of a document."""

    def __init__(
        self,
        vocabulary: int,
        context: int = CONTEXT,
        width: int = WIDTH,
        heads: int = HEADS,
        seed: int = 0,
    ) -> None:
        rng = random.Random(seed)

        def matrix(nout: int, nin: int) -> list[list[Value]]:
            return [[Value(rng.gauss(0.0, 0.08)) for _ in range(nin)] for _ in range(nout)]

        self.heads = heads
        self.token_embedding = matrix(width, vocabulary)
        self.position_embedding = matrix(context, width)
        self.queries = matrix(width, width)
        self.keys = matrix(width, width)
        self.values = matrix(width, width)
        self.attention_out = matrix(width, width)
        self.wider, self.narrower = matrix(4 * width, width), matrix(width, 4 * width)
        self.to_logits = matrix(vocabulary, width)

    def __call__(self, document: Sequence[Any]) -> Vectors:
        """The logits at each position.

        A document is a single row: for each of its characters in turn, a 1 among 0s.
        """
        tokens = cut(document, len(self.to_logits))
        places = self.position_embedding[: len(tokens)]
        xs = [
            [dot(row, token, p) for row, p in zip(self.token_embedding, place, strict=True)]
            for token, place in zip(tokens, places, strict=True)
        ]
        xs = added(xs, self.attention(normed(xs)))
        xs = added(xs, self.feed_forward(normed(xs)))
        return times(self.to_logits, normed(xs))

    def attention(self, xs: Vectors) -> Vectors:
        """Each position asks a question, and gets an answer from all positions up to itself.

        The better a position's key fits the question, the more its values count in the answer, a
        weighted mean. Each head does so with numbers of its own.
        """
        size = len(self.queries) // self.heads
        heads = [slice(start, start + size) for start in range(0, len(self.queries), size)]
        qs, ks, vs = times(self.queries, xs), times(self.keys, xs), times(self.values, xs)
        scores = [
            [[dot(q[head], k[head]) * size**-0.5 for k in ks[: t + 1]] for head in heads]
            for t, q in enumerate(qs)
        ]
        shares = [[softmax(row) for row in rows] for rows in scores]
        columns = list(zip(*vs, strict=True))  # for each number of the values, all positions
        answers = [
            [dot(rows[i // size], column[: t + 1]) for i, column in enumerate(columns)]
            for t, rows in enumerate(shares)
        ]
        return times(self.attention_out, answers)

    def feed_forward(self, xs: Vectors) -> Vectors:
        """Each position by itself: four times as wide, relu, and narrow again."""
        return times(self.narrower, [[relu(h) for h in hidden] for hidden in times(self.wider, xs)])

    def invent(self, alphabet: str, rng: random.Random, temperature: float = 1.0) -> str:
        """A name, drawn character by character; a low temperature keeps to what is likely."""
        name = ""
        while len(name) < len(self.position_embedding) - 1:
            logits = self.predict([asked(name, alphabet)])[0][-1]
            (token,) = rng.choices(range(len(logits)), softmax([z / temperature for z in logits]))
            if token == len(alphabet):
                break
            name += alphabet[token]
        return name


def times(matrix: Sequence[Sequence[Any]], xs: Vectors) -> Vectors:
    """The matrix times each vector."""
    return [[dot(row, x) for row in matrix] for x in xs]


def added(xs: Vectors, ys: Vectors) -> Vectors:
    return [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(xs, ys, strict=True)]


def normed(xs: Vectors) -> Vectors:
    """Each vector divided by the root of its mean square, so that none is large or small."""
    scales = [(dot(x, x) / len(x) + 1e-5) ** -0.5 for x in xs]
    return [[a * scale for a in x] for x, scale in zip(xs, scales, strict=True)]


def surprise(logits: Vectors, wanted: Sequence[Any]) -> Any:
    """The cross-entropy, −Σ w log softmax(z).

    `wanted` holds a weight for each logit, and zeros where a document is padded.
    """
    weights = cut(wanted, len(logits[0]))
    return total(total(w) * logsumexp(z) - dot(z, w) for z, w in zip(logits, weights, strict=True))


# ------------------------------------------------------------------ names as numbers


def one_hot(tokens: Iterable[int], vocabulary: int, one: float = 1.0) -> list[float]:
    """For each token a number for each of the vocabulary: 0 for all but the token itself."""
    return [one if k == token else 0.0 for token in tokens for k in range(vocabulary)]


def cut(row: Sequence[Any], size: int) -> Vectors:
    """The row in pieces of that size."""
    return [list(row[i : i + size]) for i in range(0, len(row), size)]


def asked(name: str, alphabet: str) -> list[float]:
    """The document that the model reads: the mark, the last of the tokens, and the characters."""
    return one_hot([len(alphabet), *map(alphabet.index, name)], len(alphabet) + 1)


def answered(name: str, alphabet: str) -> list[float]:
    """The right answers: the characters and the mark, with equal weights that add up to 1."""
    tokens = [*map(alphabet.index, name), len(alphabet)]
    return one_hot(tokens, len(alphabet) + 1, one=1 / len(tokens))


def tables(names: Sequence[str], alphabet: str) -> tuple[Vectors, Vectors]:
    """For each name a row to read and a row of answers, padded with 0 to the longest."""
    size = (max(map(len, names)) + 1) * (len(alphabet) + 1)

    def table(row: Callable[[str, str], list[float]]) -> Vectors:
        rows = [row(name, alphabet) for name in names]
        return [numbers + [0.0] * (size - len(numbers)) for numbers in rows]

    return table(asked), table(answered)


def read_names(path: Path | None) -> list[str]:
    """The names in a file, or those of Python's own modules; ValueError where there are none."""
    if path is None:
        return sorted(name.lower() for name in sys.stdlib_module_names if name.isalpha())
    lines = (line.strip().lower() for line in path.read_text(encoding="utf-8").splitlines())
    names = [name for name in dict.fromkeys(lines) if 0 < len(name) < CONTEXT]
    if not names:
        raise ValueError(
            f"{path} holds no names of 1 to {CONTEXT - 1} characters: write one a line"
        )
    return names


# ------------------------------------------------------------------ the program


def train(
    model: GPT, names: Sequence[str], alphabet: str, steps: int, engine: str = "auto", seed: int = 0
) -> History:
    """Go through the names for so many steps of Adam, with a rate that falls to 0."""
    batches = ceil(len(names) / BATCH)
    epochs = ceil(steps / batches)
    return model.fit(
        *tables(names, alphabet), loss=surprise, optimizer="adam",
        lr=lambda step: RATE * (1 - step / (epochs * batches)), epochs=epochs, batch_size=BATCH,
        shuffle=True, seed=seed, engine=engine, progress=True,
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    parser = options()
    args = parser.parse_args(argv)
    try:
        names = read_names(args.names)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    rng = random.Random(args.seed)
    alphabet = "".join(sorted(set("".join(names))))
    names = rng.sample(names, min(len(names), BATCH * args.steps))  # more would not be read

    model = GPT(len(alphabet) + 1, seed=args.seed)
    print(
        f"{len(names):,} names of {len(alphabet)} characters, "
        f"{len(model.parameters()):,} parameters"
    )
    before = [model.invent(alphabet, rng, args.temperature) for _ in range(3)]
    print("before training ", *before)
    history = train(model, names, alphabet, args.steps, args.engine, args.seed)
    if history.loss:  # empty if Ctrl-C came within the first epoch
        first, last, count = history.loss[0], history.loss[-1], len(history.loss)
        print(
            f"loss             {first:.3f} in the first epoch, {last:.3f} in the last of {count}; "
            f"{history.seconds:.0f} s"
        )
    print("after training, in brackets what it was taught:")
    for _ in range(args.samples):
        name = model.invent(alphabet, rng, args.temperature)
        print(f"    [{name}]" if name in names else f"    {name or '(nothing)'}")
    show.write_curve(history, args.out / "gpt_loss.svg", args.open)


def options() -> argparse.ArgumentParser:
    parser, count = show.options(__doc__), show.at_least_one
    about_names = "a text with a name a line, in place of the names of Python's modules"
    about_steps = f"of {BATCH} names each, rounded up to whole epochs (default 1000)"
    about_heat = "low keeps to the likely, high dares more (default 0.7)"
    engines = ("auto", "compiled", "eager")
    parser.add_argument("--names", type=Path, metavar="FILE", help=about_names)
    parser.add_argument("--steps", type=count, default=1000, help=about_steps)
    parser.add_argument("--engine", choices=engines, default="auto", help="default auto")
    parser.add_argument("--samples", type=count, default=20, help="names to invent (default 20)")
    parser.add_argument("--temperature", type=temperature, default=0.7, help=about_heat)
    return parser


def temperature(text: str) -> float:
    """A temperature, for argparse."""
    number = float(text)
    if not COLDEST <= number < inf:
        raise argparse.ArgumentTypeError(
            f"{text} is no temperature, expected a number from {COLDEST} on"
        )
    return number


if __name__ == "__main__":
    main()
