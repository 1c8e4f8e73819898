"""Neuron, Layer and MLP: a neuron is two nodes, a `dot` and an activation.   (floor 3)

>>> from scalargrad import Value
>>> neuron = Neuron(2, activation="tanh")
>>> neuron.load_state({"w": [0.5, -1.0], "b": 0.25})
>>> out = neuron([Value(1.0), 0.75])
>>> out, out.op, out.parents[0].op
(Value(data=0.0, grad=0.0), 'tanh', 'dot')
"""

from __future__ import annotations

from functools import wraps

from .. import functions
from ..arithmetic.conversion import as_float, to_float
from ..checks import random_source, whole_number
from ..rows.recorders import Floats, Values
from ..value import Value
from ..wording import ParameterLabel, counted
from .activations import activation as function_of
from .activations import name_of, plain_name
from .inits import init_name, initializer
from .module import Module
from .parameters import PLAIN, are_leaves, layers_of, places_in
from .rows import is_row, to_lists
from .weights import named_functions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from random import Random
    from typing import Any, Self, TypeVar

    from .parameters import Place
    from .shapes import Index

    Activation = str | Callable[[Any], Any] | None
    Init = str | Callable[[int, int, Random], Any] | None
    F = TypeVar("F", bound=Callable[..., None])

SKLEARN_NAMES = {"identity": None, "logistic": "sigmoid"}  # where scikit-learn has others
_floats, _values, _as_they_are = {float}, {Value}, {float, Value}


def without_nonlin(init: F) -> F:
    """Tell who writes micrograd's `nonlin=False` which argument to write here."""

    @wraps(init)
    def __init__(self: Any, *arguments: Any, **named: Any) -> None:
        if "nonlin" in named:
            raise TypeError(
                f"{type(self).__name__} has no argument nonlin: write activation=None for "
                "nonlin=False, activation='relu' for nonlin=True"
            )
        init(self, *arguments, **named)

    return __init__  # type: ignore[return-value]


class Neuron(Module):
    """activation(w · x + b), a Value; `w` is a tuple of Values, `b` a Value or None.

    >>> Neuron(3)
    Neuron(3, activation='relu')

    nin: how many inputs it reads.
    activation: the name of an operation of one number ("relu", "tanh", "sigmoid", …), a function of
        one Value, or None for a linear neuron. Default "relu".
    bias: whether b is added; it begins at 0. Default True.
    init: how weights begin: "uniform", "normal", "xavier", "he", "zeros", or a function of
        (nin, nout, rng) that returns one weight. Default None: the one that suits the activation.
    seed: a whole number, a `random.Random`, or None for Python's own `random`. Default None.

    The labels are `w[0]`, `w[1]`, … and `b`.
    """

    @without_nonlin
    def __init__(
        self,
        nin: int,
        activation: Activation = "relu",
        bias: bool = True,
        init: Init = None,
        seed: Any = None,
    ) -> None:
        self.nin = whole_number("nin", nin)
        self.activation, self._activate = activation, function_of(activation)
        draw, rng = initializer(init, activation), random_source(seed)
        self._init = init_name(draw)
        self.w: tuple[Value, ...] = Values.of(
            [Value(to_float(draw(self.nin, 1, rng), "init")) for _ in range(self.nin)]
        )
        self.b = Value(0.0) if bias else None
        for i, w in enumerate(self.w):
            w.label = ParameterLabel(f"w[{i}]", None, 0, i)
        if self.b is not None:
            self.b.label = ParameterLabel("b", None, 0)

    def __call__(self, x: Any) -> Value:
        """The output for a row of inputs, numbers or Values."""
        return self._fire(_inputs(x, self.nin, self))

    def _fire(self, xs: tuple[Any, ...]) -> Value:
        """The output for inputs that are known to fit."""
        z = functions.dot(self.w, xs) if self.b is None else functions.dot(self.w, xs, self.b)
        return z if self._activate is None else self._activate(z)  # type: ignore[no-any-return]

    def _layers(self) -> list[Module]:
        return [self] if type(self).__call__ is _call else []

    def _parts(self) -> Iterator[tuple[str, str, str, int]]:
        yield "neuron", f"{self.nin} → 1", plain_name(self.activation), len(self.parameters())

    def __repr__(self) -> str:
        return f"Neuron({self.nin}, {_arguments(self.activation, self.b is not None)})"


_call = Neuron.__call__


class Layer(Module):
    """Neurons side by side that read the same inputs.

    A call returns a list of Values; a layer of one neuron returns its Value.

    >>> layer = Layer(2, 3, number=1)
    >>> len(layer([1.0, 2.0])), layer.neurons[0].w[1].label
    (3, 'W1[0,1]')

    nin: how many inputs each neuron reads.
    nout: how many neurons there are.
    activation: of each neuron, as in Neuron. Default "relu".
    bias: whether each neuron adds a b. Default True.
    init: how weights begin, as in Neuron. Default None: the one that suits the activation.
    seed: a whole number, a `random.Random`, or None for Python's own `random`. Default None.
    number: its place among the layers of a network, from 1. Default None: it is in no network.

    The labels are `W[0,1]`, neuron 0 and input 1, and `b[0]`; with `number=1` they are `W1[0,1]`
    and `b1[0]`. A neuron in `neurons` may be replaced by one of a class of its own.
    """

    @without_nonlin
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
        self.nin, self.nout = whole_number("nin", nin), whole_number("nout", nout)
        self.activation = activation
        self.number = None if number is None else whole_number("number", number, 0)
        draw, rng = initializer(init, activation), random_source(seed)
        self._init = init_name(draw)

        def of_layer(nin: int, _: int, rng: Random) -> Any:
            return draw(nin, self.nout, rng)

        self.neurons = [Neuron(self.nin, activation, bias, of_layer, rng) for _ in range(self.nout)]
        layer = self._name("")
        for j, neuron in enumerate(self.neurons):
            for i, w in enumerate(neuron.w):
                w.label = ParameterLabel(f"W{layer}[{j},{i}]", layer, j, i)
            if neuron.b is not None:
                neuron.b.label = ParameterLabel(f"b{layer}[{j}]", layer, j)

    def __call__(self, x: Any) -> Value | list[Value]:
        """The outputs for a row of inputs, numbers or Values; one output is a Value by itself."""
        xs = _inputs(x, self.nin, self)
        outs = [
            neuron._fire(xs) if type(neuron).__call__ is _call else neuron(xs)  # a class of its own
            for neuron in self.neurons
        ]
        return outs if len(outs) > 1 else outs[0]

    def _places(self, seen: set[int]) -> Iterator[Place]:
        """Weights in a matrix W, biases in a list b; then other attributes of each neuron."""
        seen.add(id(self))
        for name, item in vars(self).items():
            if name == "neurons" and self._is_matrix():
                for j, neuron in enumerate(item):
                    yield self._name("W"), (j, 0), neuron.w
                    if neuron.b is not None:
                        yield self._name("b"), (j,), (neuron.b,)
                    if id(neuron) not in seen:
                        seen.add(id(neuron))
                        for its, part in vars(neuron).items():
                            if its not in ("w", "b") and type(part) not in PLAIN:
                                yield from places_in(part, f"neurons[{j}].{its}", seen)
            elif type(item) not in PLAIN:
                yield from places_in(item, name, seen)

    def _is_matrix(self) -> bool:
        """Whether the weights make a matrix: neurons may have been replaced by others."""
        if not all(isinstance(neuron, Neuron) for neuron in self.neurons):
            return False
        biases = [neuron.b for neuron in self.neurons if neuron.b is not None]
        return (
            len({len(neuron.w) for neuron in self.neurons}) == 1
            and all(are_leaves(neuron.w) for neuron in self.neurons)
            and len(biases) in (0, len(self.neurons))
            and are_leaves(biases)
        )

    def _layers(self) -> list[Module]:
        calls = {type(self).__call__, *(type(neuron).__call__ for neuron in self.neurons)}
        return [self] if self._is_matrix() and calls == {Layer.__call__, _call} else []

    def _name(self, letter: str) -> str:
        return letter if self.number is None else f"{letter}{self.number}"

    def _parts(self) -> Iterator[tuple[str, str, str, int]]:
        name = "layer" if self.number is None else f"layer {self.number}"
        yield (
            name,
            f"{self.nin} → {self.nout}",
            plain_name(self.activation),
            len(self.parameters()),
        )

    def __repr__(self) -> str:
        number = "" if self.number is None else f", number={self.number}"
        arguments = _arguments(self.activation, getattr(self.neurons[0], "b", None) is not None)
        return f"Layer({self.nin}, {self.nout}, {arguments}{number})"


class MLP(Module):
    """A multi-layer perceptron: layers, each of which reads the outputs of the one before it.

    >>> model = MLP(2, [3, 1], activation="sigmoid", seed=0)
    >>> model
    MLP(2, [3, 1], activation='sigmoid')
    >>> [p.label for p in model.parameters()][:4]
    ['W1[0,0]', 'W1[0,1]', 'b1[0]', 'W1[1,0]']
    >>> model([0.5, 2.0]).op
    'dot'

    nin: how many inputs the first layer reads.
    nouts: how many neurons each layer has: [16, 16, 1].
    activation: of all layers but the last: the name of an operation of one number ("relu", "tanh",
        "sigmoid", …), a function of one Value, or None; or a list with one for each layer, the
        last one too. Default "relu".
    output_activation: of the last layer. Default None: linear outputs. Not beside a list.
    bias: whether each neuron adds a b, which begins at 0. Default True.
    init: how weights begin: "uniform", "normal", "xavier", "he", "zeros", or a function of
        (nin, nout, rng) that returns one weight. Default None: the one that suits the activation
        of each layer.
    seed: a whole number, a `random.Random`, or None for Python's own `random`. Default None. One
        source serves all layers, in the order of `parameters()`.
    """

    @without_nonlin
    def __init__(
        self,
        nin: int,
        nouts: Iterable[int],
        activation: Activation | Sequence[Activation] = "relu",
        output_activation: Activation = None,
        bias: bool = True,
        init: Init = None,
        seed: Any = None,
    ) -> None:
        if not hasattr(nouts, "__iter__") or isinstance(nouts, (str, bytes)):
            raise TypeError(
                f"nouts must be a list, the number of neurons in each layer, got {nouts!r}: "
                "write [16, 16, 1]"
            )
        self.nouts = [whole_number(f"nouts[{i}]", nout) for i, nout in enumerate(nouts)]
        if not self.nouts:
            raise ValueError(
                "nouts must name one layer at least, got []: write [1] for a single neuron"
            )
        self.nin = whole_number("nin", nin)
        self.activation, self.output_activation = activation, output_activation
        chosen = _one_a_layer(activation, output_activation, len(self.nouts))
        rng, nins = random_source(seed), [self.nin, *self.nouts]
        self.layers = [
            Layer(nin, nout, each, bias, init, rng, number)
            for number, (nin, nout, each) in enumerate(zip(nins, self.nouts, chosen), 1)
        ]

    def __call__(self, x: Any) -> Value | list[Value]:
        """The outputs for a row of inputs, numbers or Values; one output is a Value by itself."""
        for layer in self.layers:
            x = layer(x)
        return x  # type: ignore[no-any-return]

    def _places(self, seen: set[int]) -> Iterator[Place]:
        """Layers are named by their numbers: W1 and b1, not layers[0].W1."""
        seen.add(id(self))
        for name, item in vars(self).items():
            for i, part in enumerate(item) if name == "layers" else [(None, item)]:
                if isinstance(part, Layer) and i is not None:
                    if id(part) not in seen:
                        yield from part._places(seen)
                else:
                    yield from places_in(part, name if i is None else f"{name}[{i}]", seen)

    @classmethod
    def from_sklearn(cls, fitted: Any) -> Self:
        """The network of a fitted MLPRegressor or MLPClassifier of scikit-learn.

        It predicts what they predict: a regressor's numbers, the probability of the second of two
        classes, or that of each label. If there are more classes, its outputs are the numbers that
        go into softmax.

        >>> from sklearn.neural_network import MLPRegressor
        >>> fitted = MLPRegressor(hidden_layer_sizes=[3], activation="tanh", solver="lbfgs")
        >>> MLP.from_sklearn(fitted.fit([[0.0], [1.0]], [1.0, 2.0]))
        MLP(1, [3, 1], activation='tanh')
        """
        if not hasattr(fitted, "coefs_"):
            raise TypeError(
                "from_sklearn takes a fitted MLPRegressor or MLPClassifier of scikit-learn, got "
                f"{type(fitted).__module__}.{type(fitted).__name__}: call fit(X, y) first, take "
                "the last step of a pipeline; this package's own have theirs as model_"
            )
        last = {"logistic": "sigmoid", "exp": "exp"}.get(fitted.out_activation_)
        model = cls(
            len(fitted.coefs_[0]),
            [len(b) for b in fitted.intercepts_],
            SKLEARN_NAMES.get(fitted.activation, fitted.activation),
            last,
        )
        state: dict[str, Any] = {}
        for i, (weights, biases) in enumerate(zip(fitted.coefs_, fitted.intercepts_), 1):
            state |= {f"W{i}": weights.T, f"b{i}": biases}
        model.load_state(state)
        return model

    def _architecture(self) -> dict[str, Any] | None:
        neurons = [neuron for layer in self.layers for neuron in getattr(layer, "neurons", ())]
        kinds = {*map(type, self.layers), *map(type, neurons)}
        if kinds != {Layer, Neuron} or type(self).__init__ is not MLP.__init__:
            return None
        chosen = _one_a_layer(self.activation, self.output_activation, len(self.nouts))
        if [n.activation for n in neurons] != [
            each for each, layer in zip(chosen, self.layers) for _ in layer.neurons
        ]:
            return None
        functions: dict[str, Any] = {}
        arguments = {
            "nin": self.nin,
            "nouts": self.nouts,
            "activation": named_functions(self.activation, functions),
            "output_activation": named_functions(self.output_activation, functions),
            "bias": neurons[0].b is not None,
        }
        shapes = {name: shape for name, (shape, _) in self._blocks().items()}
        return arguments if shapes == self._shapes(arguments) else None

    def _layers(self) -> list[Module]:
        parts = [part for layer in self.layers for part in layers_of(layer)]
        is_plain = type(self).__call__ is MLP.__call__ and len(parts) == len(self.layers)
        return parts if is_plain else []

    @classmethod
    def _shapes(cls, arguments: dict[str, Any]) -> dict[str, Index]:
        names = {"nin", "nouts", "activation", "output_activation", "bias"}
        if set(arguments) != names or not isinstance(arguments["nouts"], list):
            raise ValueError(f"its arguments are not {', '.join(sorted(names))}")
        nouts = arguments["nouts"]
        nins = [arguments["nin"], *nouts]
        shapes: dict[str, Index] = {}
        for i, (nin, nout) in enumerate(zip(nins, nouts), 1):
            shapes[f"W{i}"] = whole_number("nouts", nout), whole_number("nin", nin)
            if arguments["bias"]:
                shapes[f"b{i}"] = (nout,)
        return shapes

    def _parts(self) -> Iterator[tuple[str, str, str, int]]:
        for layer in self.layers:
            yield from layer._parts()

    def __repr__(self) -> str:
        chosen = self.output_activation
        output = "" if chosen is None else f", output_activation={name_of(chosen)}"
        bias = "" if getattr(self.layers[0].neurons[0], "b", None) is not None else ", bias=False"
        return f"MLP({self.nin}, {self.nouts}, activation={name_of(self.activation)}{output}{bias})"


def _one_a_layer(inner: Any, last: Activation, count: int) -> list[Activation]:
    """The activation of each layer; a wrong one raises an error, even if no layer uses it."""
    if not isinstance(inner, (list, tuple)):
        function_of(inner)
        function_of(last, "output_activation")
        return [*[inner] * (count - 1), last]
    if len(inner) != count:
        raise ValueError(
            f"activation must have one for each of {count} layers, the last one too, "
            f"got {len(inner)}"
        )
    if last is not None:
        raise ValueError(
            f"activation, a list, has one for the last layer, {name_of(inner[-1])}: write "
            f"output_activation={name_of(last)} as the last of the list"
        )
    for i, each in enumerate(inner):
        function_of(each, f"activation[{i}]")
    return [*inner]


def _inputs(x: Any, nin: int, reader: Neuron | Layer) -> tuple[Any, ...]:
    """A row of inputs as a tuple of Values and floats; a number alone is a row of one."""
    if not isinstance(x, (list, tuple)):
        x = to_lists(x)
        if isinstance(x, Value) or as_float(x) is not None:
            if nin > 1:
                raise ValueError(
                    f"{_title(reader)} expects {nin} inputs, got 1, a number alone: write a row as "
                    "a list, and rows for predict and fit as a list of lists, [[…], […]]"
                )
            x = (x,)
        elif not hasattr(x, "__iter__") or isinstance(x, (str, bytes, dict)):
            raise TypeError(
                f"{_title(reader)} takes a row of {counted(nin, 'input')}, got {type(x).__name__}"
            )
    xs: tuple[Any, ...] = tuple(x)
    kinds = set(map(type, xs))
    if not kinds <= _as_they_are:
        if any(map(is_row, xs)):
            raise TypeError(
                f"{_title(reader)} takes one row of {counted(nin, 'input')}, got rows: "
                "for many rows there is predict(X), or a loop, [model(x) for x in X]"
            )
        name = _title(reader)
        xs = tuple([item if isinstance(item, Value) else to_float(item, name) for item in xs])
        kinds = set(map(type, xs))
    if len(xs) != nin:
        raise ValueError(f"{_title(reader)} expects {counted(nin, 'input')}, got {len(xs)}")
    return Floats.of(xs) if kinds == _floats else Values.of(xs) if kinds == _values else xs


def _title(reader: Neuron | Layer) -> str:
    """The name of a layer or neuron in errors: `layer 1 (2 → 3)` within a network."""
    if isinstance(reader, Layer) and reader.number is not None:
        return f"layer {reader.number} ({reader.nin} → {reader.nout})"
    if isinstance(reader, Layer):
        return f"Layer({reader.nin}, {reader.nout})"
    return f"Neuron({reader.nin})"


def _arguments(chosen: Activation, has_bias: bool) -> str:
    return f"activation={name_of(chosen)}" + ("" if has_bias else ", bias=False")
