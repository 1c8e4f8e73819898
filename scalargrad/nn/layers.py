"""Neuron, Layer and MLP: a neuron is a `dot` and an activation, two nodes; the rest is lists.   (floor 3)

>>> from scalargrad import Value
>>> neuron = Neuron(2, activation="tanh")
>>> neuron.load_state({"w": [0.5, -1.0], "b": 0.25})
>>> out = neuron([Value(1.0), 0.75])
>>> out, out.op, out.parents[0].op
(Value(data=0.0, grad=0.0), 'tanh', 'dot')
"""

from __future__ import annotations

from .. import functions
from ..arithmetic.conversion import as_float, to_float
from ..rows.recorders import Floats, Values
from ..value import Value
from ..wording import ParameterLabel
from .activations import activation as function_of
from .activations import shown
from .checks import random_source, size
from .inits import initializer
from .module import Module, merged
from .rows import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from random import Random
    from typing import Any

    from .module import Block

    Activation = str | Callable[[Any], Any] | None
    Init = str | Callable[[int, int, Random], Any] | None

_floats, _as_they_are = {float}, {float, Value}


class Neuron(Module):
    """activation(w · x + b), a Value; `w` is a tuple of Values, `b` a Value or None.

    `activation` is the name of an operation, a function of one Value, or None for none. `init` is "uniform", "normal",
    "xavier", "he", "zeros" or a function of (nin, nout, rng) that draws one weight; None takes what suits the
    activation. Biases begin at 0. `seed` is a number, a `random.Random`, or None for Python's `random`. The labels
    are `w[0]`, `w[1]`, … and `b`.

    >>> Neuron(3)
    Neuron(3, activation='relu')
    """

    def __init__(
        self,
        nin: int,
        activation: Activation = "relu",
        bias: bool = True,
        init: Init = None,
        seed: Any = None,
    ) -> None:
        self.nin = size("nin", nin)
        self.activation, self._activate = activation, function_of(activation)
        draw, rng = initializer(init, activation), random_source(seed)
        self.w = Values.of(
            [Value(to_float(draw(self.nin, 1, rng), "init")) for _ in range(self.nin)]
        )
        self.b = Value(0.0) if bias else None
        for i, w in enumerate(self.w):
            w.label = ParameterLabel(f"w[{i}]", None, 0, i)
        if self.b is not None:
            self.b.label = ParameterLabel("b", None, 0)

    def __call__(self, x: Any) -> Any:
        return self._fire(_inputs(x, self.nin, self))

    def _fire(self, xs: Sequence[Any]) -> Any:
        """What it makes of inputs that are known to fit."""
        z = functions.dot(self.w, xs) if self.b is None else functions.dot(self.w, xs, self.b)
        return z if self._activate is None else self._activate(z)

    def _parts(self) -> Iterator[tuple[str, str, str, int]]:
        yield "neuron", f"{self.nin} → 1", _noted(self.activation), len(self.parameters())

    def __repr__(self) -> str:
        return f"Neuron({self.nin}, {_arguments(self.activation, self.b is not None)})"


class Layer(Module):
    """Neurons side by side that read the same inputs: a list of Values, or one Value if there is one neuron.

    The arguments are those of Neuron. The labels are `W[0,1]`, neuron 0 and input 1, and `b[0]`; with
    `number=1` they are `W1[0,1]` and `b1[0]`.

    >>> layer = Layer(2, 3, number=1)
    >>> len(layer([1.0, 2.0])), layer.neurons[0].w[1].label
    (3, 'W1[0,1]')
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: Activation = "relu",
        bias: bool = True,
        init: Init = None,
        seed: Any = None,
        number: int | None = None,
    ) -> None:
        self.nin, self.nout = size("nin", nin), size("nout", nout)
        self.activation = activation
        self.number = None if number is None else size("number", number, 0)
        draw, rng = initializer(init, activation), random_source(seed)

        def of_layer(nin: int, _: int, rng: Random) -> Any:
            return draw(nin, self.nout, rng)

        self.neurons = [Neuron(self.nin, activation, bias, of_layer, rng) for _ in range(self.nout)]
        layer = self._name("")
        for j, neuron in enumerate(self.neurons):
            for i, w in enumerate(neuron.w):
                w.label = ParameterLabel(f"W{layer}[{j},{i}]", layer, j, i)
            if neuron.b is not None:
                neuron.b.label = ParameterLabel(f"b{layer}[{j}]", layer, j)

    def __call__(self, x: Any) -> Any:
        xs = _inputs(x, self.nin, self)
        outs = [neuron._fire(xs) for neuron in self.neurons]
        return outs if len(outs) > 1 else outs[0]

    def _blocks(self, seen: set[int]) -> dict[str, Block]:
        blocks: dict[str, Block] = {self._name("W"): [list(neuron.w) for neuron in self.neurons]}
        biases = [neuron.b for neuron in self.neurons if neuron.b is not None]
        if biases:
            blocks[self._name("b")] = biases
        return merged(blocks, self._blocks_but("neurons", seen))

    def _name(self, letter: str) -> str:
        return letter if self.number is None else f"{letter}{self.number}"

    def _parts(self) -> Iterator[tuple[str, str, str, int]]:
        name = "layer" if self.number is None else f"layer {self.number}"
        yield name, f"{self.nin} → {self.nout}", _noted(self.activation), len(self.parameters())

    def __repr__(self) -> str:
        number = "" if self.number is None else f", number={self.number}"
        return f"Layer({self.nin}, {self.nout}, {_arguments(self.activation, self.neurons[0].b is not None)}{number})"


class MLP(Module):
    """A multi-layer perceptron: layers in a row, `activation` in all but the last, `output_activation` in the last.

    `nouts` are the numbers of neurons in each layer. The other arguments are those of Neuron; one source of random
    numbers serves all layers, in the order of `parameters()`.

    >>> model = MLP(2, [3, 1], activation="sigmoid", seed=0)
    >>> model
    MLP(2, [3, 1], activation='sigmoid')
    >>> [p.label for p in model.parameters()][:4]
    ['W1[0,0]', 'W1[0,1]', 'b1[0]', 'W1[1,0]']
    >>> model([0.5, 2.0]).op
    'dot'
    """

    def __init__(
        self,
        nin: int,
        nouts: Iterable[int],
        activation: Activation = "relu",
        output_activation: Activation = None,
        bias: bool = True,
        init: Init = None,
        seed: Any = None,
    ) -> None:
        if not hasattr(nouts, "__iter__") or isinstance(nouts, (str, bytes)):
            raise TypeError(
                f"nouts must be a list, the number of neurons in each layer, got {nouts!r}: write [16, 16, 1]"
            )
        self.nouts = [size(f"nouts[{i}]", nout) for i, nout in enumerate(nouts)]
        if not self.nouts:
            raise ValueError(
                "nouts must name one layer at least, got []: write [1] for a single neuron"
            )
        self.nin = size("nin", nin)
        self.activation, self.output_activation = activation, output_activation
        for chosen in (activation, output_activation):
            function_of(chosen)  # a wrong one is refused, whether or not a layer uses it
        rng, sizes, last = random_source(seed), [self.nin, *self.nouts], len(self.nouts)
        self.layers = [
            Layer(
                sizes[k - 1],
                sizes[k],
                output_activation if k == last else activation,
                bias,
                init,
                rng,
                number=k,
            )
            for k in range(1, last + 1)
        ]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def _blocks(self, seen: set[int]) -> dict[str, Block]:
        others = self._blocks_but(
            "layers", seen
        )  # first, so that a module that is the activation is found here
        return merged(*(layer._blocks(seen) for layer in self.layers), others)

    def _parts(self) -> Iterator[tuple[str, str, str, int]]:
        for layer in self.layers:
            yield from layer._parts()

    def __repr__(self) -> str:
        output = (
            ""
            if self.output_activation is None
            else f", output_activation={shown(self.output_activation)}"
        )
        has_bias = self.layers[0].neurons[0].b is not None
        return f"MLP({self.nin}, {self.nouts}, activation={shown(self.activation)}{output}{'' if has_bias else ', bias=False'})"


def _inputs(x: Any, nin: int, reader: Neuron | Layer) -> tuple[Any, ...]:
    """One row of inputs as a tuple of Values and floats; a number stands for a row of one."""
    if not isinstance(x, (list, tuple)):
        x = plain(x)
        if isinstance(x, Value) or as_float(x) is not None:
            x = (x,)
        elif not hasattr(x, "__iter__") or isinstance(x, (str, bytes, dict)):
            raise TypeError(
                f"{_titled(reader)} takes a row of {_counted(nin)}, got {type(x).__name__}"
            )
    xs: tuple[Any, ...] = tuple(x)
    if len(xs) != nin:
        raise ValueError(f"{_titled(reader)} expects {_counted(nin)}, got {len(xs)}")
    kinds = set(map(type, xs))
    if not kinds <= _as_they_are:
        xs = tuple([item if isinstance(item, Value) else _input(item, reader) for item in xs])
        kinds = set(map(type, xs))
    return Floats.of(xs) if kinds == _floats else xs


def _input(item: Any, reader: Neuron | Layer) -> float:
    if isinstance(plain(item), (list, tuple)):
        raise TypeError(
            f"{_titled(reader)} takes one row of {_counted(reader.nin)}, got rows: for many rows there is predict(X)"
        )
    return to_float(item, _titled(reader))


def _titled(reader: Neuron | Layer) -> str:
    """How errors name it: `layer 1, 2 → 3,` within a network."""
    if isinstance(reader, Layer) and reader.number is not None:
        return f"layer {reader.number} ({reader.nin} → {reader.nout})"
    return (
        f"Neuron({reader.nin})"
        if isinstance(reader, Neuron)
        else f"Layer({reader.nin}, {reader.nout})"
    )


def _counted(nin: int) -> str:
    return f"{nin} input{'s' if nin > 1 else ''}"


def _noted(chosen: Activation) -> str:
    return "linear" if chosen is None else shown(chosen).strip("'")


def _arguments(chosen: Activation, has_bias: bool) -> str:
    return f"activation={shown(chosen)}" + ("" if has_bias else ", bias=False")
