"""Two pictures for documents: a neuron, and a network that learns XOR, each after `backward()`.

    python -m demos.draw_pictures

writes neuron.svg and xor.svg into demos/pictures, or into a folder that is named after it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scalargrad import MLP, Drawing, Value, draw, tanh


def neuron() -> Drawing:
    """y = tanh(w1·x1 + w2·x2 + b), each step a card: the first example of many lectures."""
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.8813735870195432, "b")
    y = tanh(w1 * x1 + w2 * x2 + b)
    y.label = "y"
    y.backward()
    return draw(y, parameters=[w1, w2, b])


def xor() -> Drawing:
    """An untrained 2-3-1 network on one row of XOR and its squared error, a card for a neuron."""
    model = MLP(2, [3, 1], activation="tanh", output_activation="sigmoid", seed=7)
    prediction = model([Value(1.0, "x0"), Value(1.0, "x1")])
    prediction.label = "prediction"
    error = (prediction - 0.0) ** 2
    error.label = "error"
    error.backward()
    title = "XOR: one row through a 2-3-1 network, and its gradients"
    return draw(error, collapse="neurons", title=title)


def main(folder: Path) -> None:
    """Draw both and say where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in (("neuron", neuron()), ("xor", xor())):
        print(picture.save(folder / f"{name}.svg"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures")
