"""Twelve pictures: graphs and networks of the sizes that people have, and a sheet of them all.

    python -m demos.draw_pictures

writes each as SVG into out/pictures, or into the folder of --out, and contact_sheet.svg, which
shows them all, light and dark. Those that README shows are kept in demos/pictures.
"""

from __future__ import annotations

import argparse
from base64 import b64encode
from pathlib import Path
from random import Random

from scalargrad import MLP, Drawing, Value, draw, exp, log, softmax, tanh
from scalargrad import sum as sum_of

THEMES = ("light", "dark")
COLUMNS, CELL_WIDTH, CELL_HEIGHT = 3, 560, 400  # of the sheet, for each theme
GAP, LINE = 20, 26
GROUNDS = {"light": ("#e2e8f0", "#0f172a"), "dark": ("#1e293b", "#f1f5f9")}


def tanh_neuron() -> tuple[Value, list[Value]]:
    """y = tanh(w1·x1 + w2·x2 + b), the first example of many lectures, and its parameters."""
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.8813735870195432, "b")
    y = tanh(w1 * x1 + w2 * x2 + b)
    y.label = "y"
    y.backward()
    return y, [w1, w2, b]


def neuron(theme: str = "auto") -> Drawing:
    """A neuron, each step a card."""
    y, weights = tanh_neuron()
    return draw(y, parameters=weights, theme=theme)


def forward(theme: str = "auto") -> Drawing:
    """The same neuron downward, without gradients and without a legend."""
    y, weights = tanh_neuron()
    return draw(y, parameters=weights, direction="down", grads=False, legend=False, theme=theme)


def curve(theme: str = "auto") -> Drawing:
    """A polynomial and its slope at one point; numbers stand inside the cards."""
    x = Value(0.5, "x")
    y = x**3 - 2 * x**2 + 1 / x
    y.label = "y"
    y.backward()
    return draw(y, theme=theme)


def probabilities(theme: str = "auto") -> Drawing:
    """The cross-entropy of a softmax of three numbers, as operations."""
    loss = -log(softmax([Value(0.5 * i, f"z{i}") for i in range(3)])[1])
    loss.label = "loss"
    loss.backward()
    return draw(loss, theme=theme)


def xor(theme: str = "auto") -> Drawing:
    """An untrained 2-3-1 network on one row of XOR and its squared error, a card for a neuron."""
    model = MLP(2, [3, 1], activation="tanh", output_activation="sigmoid", seed=7)
    prediction = model([Value(1.0, "x0"), Value(1.0, "x1")])
    prediction.label = "prediction"
    error = (prediction - 0.0) ** 2
    error.label = "error"
    error.backward()
    title = "XOR: one row through a 2-3-1 network, and its gradients"
    return draw(error, collapse="neurons", title=title, theme=theme)


def parameters(theme: str = "auto") -> Drawing:
    """A 2-2-1 network with a card for each parameter, before backward() has run."""
    model = MLP(2, [2, 1], activation="tanh", seed=1)
    return draw(model([Value(0.5, "x0"), Value(-1.0, "x1")]), theme=theme)


def network(theme: str = "auto") -> Drawing:
    """A 2-16-16-1 network: lines between its layers are strong where much gradient flows."""
    model = MLP(2, [16, 16, 1], activation="tanh", seed=1)
    y = model([Value(0.5, "x0"), Value(-1.0, "x1")])
    y.backward()
    return draw(y, theme=theme)


def digits(theme: str = "auto") -> Drawing:
    """A 784-16-16-10 network and the cross-entropy of its softmax; lines are strong by weight."""
    model = MLP(784, [16, 16, 10], activation="relu", seed=0)
    scores = model([Value((i % 28) / 28, f"x{i}") for i in range(784)])
    loss = -log(softmax(scores)[3])
    loss.label = "loss"
    loss.backward()
    return draw(loss, collapse="neurons", edges="weight", theme=theme)


def layers(theme: str = "auto") -> Drawing:
    """A model as its layers."""
    return draw(MLP(784, [16, 16, 10], activation="relu", seed=0), theme=theme)


def rows(theme: str = "auto") -> Drawing:
    """The loss of a 2-4-1 network on 20 rows; what repeats is folded."""
    model = MLP(2, [4, 1], activation="tanh", seed=3)
    loss = sum_of([(model([0.1 * i, 0.5]) - 1.0) ** 2 for i in range(20)])
    loss.label = "loss"
    loss.backward()
    return draw(loss, collapse="neurons", theme=theme)


def chain(theme: str = "auto") -> Drawing:
    """Twenty years of interest and of savings: a long chain, folded."""
    money = Value(100.0, "start")
    for _ in range(20):
        money = money * 1.03 + 5.0
    money.label = "money"
    money.backward()
    return draw(money, theme=theme)


def attention(theme: str = "auto") -> Drawing:
    """A head of attention over 4 tokens in scalars, 780 Values; those alike share a card."""
    random, size = Random(0), 8

    def numbers(name: str) -> list[Value]:
        return [Value(random.gauss(0, 0.5), f"{name}{i}") for i in range(size)]

    def times(matrix: list[list[Value]], xs: list[Value]) -> list[Value]:
        return [sum_of([w * x for w, x in zip(row, xs)]) for row in matrix]

    queries, keys, values = ([numbers(f"{name}{i},") for i in range(size)] for name in "QKV")
    tokens = [numbers(f"t{place},") for place in range(4)]
    query = times(queries, tokens[-1])
    parts = [exp(sum_of([q * k for q, k in zip(query, times(keys, t))])) for t in tokens]
    total, shown = sum_of(parts), [times(values, t) for t in tokens]
    out = [sum_of([part / total * v[i] for part, v in zip(parts, shown)]) for i in range(size)]
    loss = sum_of([x**2 for x in out])
    loss.label = "loss"
    loss.backward()
    return draw(loss, title="A head of attention, in scalars", theme=theme)


PICTURES = (
    neuron, forward, curve, probabilities, xor, parameters,
    network, digits, layers, rows, chain, attention,
)  # fmt: skip
SHOWN = (neuron, network, xor)  # in README


def contact_sheet() -> str:
    """All pictures as one SVG, the light ones above the dark ones."""
    high = (CELL_HEIGHT + GAP) * -(-len(PICTURES) // COLUMNS) + GAP
    wide = (CELL_WIDTH + GAP) * COLUMNS + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high * len(THEMES)}" '
        'font-family="Helvetica,Arial,sans-serif" font-size="16">'
    ]
    for number, theme in enumerate(THEMES):
        ground, ink = GROUNDS[theme]
        parts.append(f'<rect y="{high * number}" width="{wide}" height="{high}" fill="{ground}"/>')
        for place, make in enumerate(PICTURES):
            x = GAP + place % COLUMNS * (CELL_WIDTH + GAP)
            y = GAP + place // COLUMNS * (CELL_HEIGHT + GAP) + high * number
            data = b64encode(make(theme).svg.encode()).decode()
            parts.append(f'<text x="{x}" y="{y + 16}" fill="{ink}">{make.__name__}</text>')
            parts.append(
                f'<image x="{x}" y="{y + LINE}" width="{CELL_WIDTH}" height="{CELL_HEIGHT - LINE}" '
                f'href="data:image/svg+xml;base64,{data}"/>'
            )
    return "\n".join([*parts, "</svg>", ""])


def main(folder: Path) -> None:
    """Draw all and say where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for make in PICTURES:
        print(make().save(folder / f"{make.__name__}.svg"))
    sheet = folder / "contact_sheet.svg"
    sheet.write_text(contact_sheet(), encoding="utf-8")
    print(sheet)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("out", "pictures"), help="a folder")
    main(parser.parse_args().out)
