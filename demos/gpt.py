"""A small GPT, every number in it a Value: it reads names letter by letter, and invents new ones.

    python -m demos.gpt                        # the names of Python's own modules
    python -m demos.gpt --names FILE           # your names, one a line

A name is read as a document, "abc" as a mark, a, b, c; at each position the model says what comes next: a, b, c, and
the mark again, for the end. A position sees itself and those before it. It has one layer of attention with four heads
and one of feed-forward, each added to what it was computed from (Vaswani and others 2017), with RMSNorm before them
(Zhang and Sennrich 2019). With 26 letters and the mark that is 4,192 parameters.

The names of modules are those that consist of letters alone. Any characters may stand in a file; capitals become small,
and what is longer than 15 characters is left out. The same lines run on Values one by one, with `--engine eager`, to
be read and debugged, and compiled to matrices, to be trained.
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
WIDTH = 16  # numbers by which a position is described
HEADS = 4
BATCH = 8  # names a step
COLDEST = 0.001  # temperature: far below, logits over it would overflow
RATE = 0.01  # at first; it falls to 0 along a line

Vectors = list[list[Any]]  # one for each position; of Values, of traced or of plain numbers


class GPT(Module):
    """Which character comes next, at every position of a document."""

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
        self.queries, self.keys, self.values = (
            matrix(width, width),
            matrix(width, width),
            matrix(width, width),
        )
        self.attention_out = matrix(width, width)
        self.wider, self.narrower = matrix(4 * width, width), matrix(width, 4 * width)
        self.to_logits = matrix(vocabulary, width)

    def __call__(self, document: Sequence[Any]) -> Vectors:
        """The logits at each position; a document is a 1 among 0s for each of its characters, one after another in a single row."""
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
        """Each position asks, all up to itself answer by how well their keys fit the question: a mean of their values, head by head."""
        size = len(self.queries) // self.heads
        heads = [slice(start, start + size) for start in range(0, len(self.queries), size)]
        qs, ks, vs = times(self.queries, xs), times(self.keys, xs), times(self.values, xs)
        scores = [
            [[dot(q[head], k[head]) * size**-0.5 for k in ks[: t + 1]] for head in heads]
            for t, q in enumerate(qs)
        ]
        shares = [[softmax(row) for row in rows] for rows in scores]
        columns = list(zip(*vs, strict=True))  # one number of all the values, position by position
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
    """Each vector over the root of its mean square, so that none is large or small."""
    scales = [(dot(x, x) / len(x) + 1e-5) ** -0.5 for x in xs]
    return [[a * scale for a in x] for x, scale in zip(xs, scales, strict=True)]


def surprise(logits: Vectors, wanted: Sequence[Any]) -> Any:
    """The cross-entropy, −Σ w log softmax(z): `wanted` holds a weight for each logit, zeros where a document is padded."""
    weights = cut(wanted, len(logits[0]))
    return total(total(w) * logsumexp(z) - dot(z, w) for z, w in zip(logits, weights, strict=True))


# ------------------------------------------------------------------ names as numbers


def one_hot(tokens: Iterable[int], vocabulary: int, one: float = 1.0) -> list[float]:
    """For each token as many numbers as there are tokens, all 0 but its own."""
    return [one if k == token else 0.0 for token in tokens for k in range(vocabulary)]


def cut(row: Sequence[Any], size: int) -> Vectors:
    """The row in pieces of that size."""
    return [list(row[i : i + size]) for i in range(0, len(row), size)]


def asked(name: str, alphabet: str) -> list[float]:
    """What the model reads of a name: the mark, which is the last of the tokens, and the characters."""
    return one_hot([len(alphabet), *map(alphabet.index, name)], len(alphabet) + 1)


def answered(name: str, alphabet: str) -> list[float]:
    """What it is to say: the characters and the mark, all with the same weight and together 1."""
    return one_hot(
        [*map(alphabet.index, name), len(alphabet)], len(alphabet) + 1, one=1 / (len(name) + 1)
    )


def tables(names: Sequence[str], alphabet: str) -> tuple[Vectors, Vectors]:
    """A row to read and a row to answer for each name, all padded with 0 to the longest."""
    size = (max(map(len, names)) + 1) * (len(alphabet) + 1)

    def table(row: Callable[[str, str], list[float]]) -> Vectors:
        return [
            numbers + [0.0] * (size - len(numbers))
            for numbers in (row(name, alphabet) for name in names)
        ]

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
    """Go through the names until so many steps are made: Adam, with a rate that falls to 0."""
    batches = ceil(len(names) / BATCH)
    epochs = ceil(steps / batches)
    return model.fit(
        *tables(names, alphabet), loss=surprise, optimizer="adam", lr=lambda step: RATE * (1 - step / (epochs * batches)),
        epochs=epochs, batch_size=BATCH, shuffle=True, seed=seed, engine=engine, progress=True,
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
        f"{len(names):,} names of {len(alphabet)} characters, {len(model.parameters()):,} parameters"
    )
    print(
        "before training  "
        + " ".join(model.invent(alphabet, rng, args.temperature) for _ in range(3))
    )
    history = train(model, names, alphabet, args.steps, args.engine, args.seed)
    if history.loss:  # else Ctrl-C came before the first epoch was over
        first, last, count = history.loss[0], history.loss[-1], len(history.loss)
        print(
            f"loss             {first:.3f} in the first epoch, {last:.3f} in the last of {count}; {history.seconds:.0f} s"
        )
    print("after training, in brackets what it was taught:")
    for _ in range(args.samples):
        name = model.invent(alphabet, rng, args.temperature)
        print(f"    [{name}]" if name in names else f"    {name or '(nothing)'}")
    show.write_curve(history, args.out / "gpt_loss.svg", args.open)


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--names",
        type=Path,
        metavar="FILE",
        help="a text with a name a line, in place of the names of Python's modules",
    )
    parser.add_argument(
        "--steps",
        type=show.at_least_one,
        default=1000,
        help=f"of {BATCH} names each, rounded up to whole epochs (default 1000)",
    )
    parser.add_argument(
        "--engine",
        choices=("auto", "compiled", "eager"),
        default="auto",
        help="what trains (default auto)",
    )
    parser.add_argument(
        "--samples", type=show.at_least_one, default=20, help="names to invent (default 20)"
    )
    parser.add_argument(
        "--temperature",
        type=temperature,
        default=0.7,
        help="low keeps to the likely, high dares more (default 0.7)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of the first weights, the order of names and the draws (default 0)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out"), help="the folder for what is written (default out)"
    )
    parser.add_argument("--open", action="store_true", help="show what is written in the browser")
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
