"""Weights on disk: a model's numbers, to the bit, as JSON or safetensors.   (floor 3)

Reading runs no code: both formats hold numbers and names only. The file of an MLP also says how the
model is made, so `MLP.load` needs nothing but the file.
"""

from __future__ import annotations

from types import MethodType

from ..files import path_of, put_in_place
from .formats import Content, WeightsError, read, written
from .shapes import nested

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar, overload

    from .formats import Blocks
    from .parameters import HasParameters

    M = TypeVar("M", bound=HasParameters)
    Functions = Mapping[str, Callable[[Any], Any]]


def save(model: HasParameters, path: str | os.PathLike[str]) -> None:
    """Write the parameters to a file, `.json` or `.safetensors`, from which `load` reads them.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from scalargrad.nn import MLP
    >>> model = MLP(2, [3, 1], activation="tanh")
    >>> with TemporaryDirectory() as folder:
    ...     model.save(Path(folder, "net.json"))
    ...     twin = MLP.load(Path(folder, "net.json"))
    >>> twin, twin.parameters()[0].data == model.parameters()[0].data
    (MLP(2, [3, 1], activation='tanh'), True)

    Every number is kept to the bit. JSON has no nan and no infinity: ValueError names the first
    such weight, which safetensors keeps. A function as an activation is kept by its name.

    The file is replaced as a whole: a failure, or a kill, leaves the old file or the new one.
    """
    path = path_of(path)
    blocks = {
        name: (shape, [float(value.data) for value in values])
        for name, (shape, values) in model._blocks().items()
    }
    content = Content(blocks, *made_as(model))
    put_in_place(path, written(path, content))


def made_as(model: HasParameters) -> tuple[str, dict[str, Any] | None]:
    """The class of a model, and the arguments that make another."""
    return type(model).__qualname__, model._architecture()


def load_into(model: HasParameters, path: str | os.PathLike[str]) -> None:
    """Set the parameters to the numbers of a file that `save` wrote.

    A .safetensors file may come from elsewhere, if its names and shapes are those of `state()`.
    WeightsError says what is wrong with a file, or how it does not fit; then nothing is changed.
    """
    path = path_of(path)
    blocks = read(path).blocks
    try:
        model.load_state(_state(blocks))
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from None


def made_from(kind: type[M], path: str | os.PathLike[str], functions: Functions | None = None) -> M:
    """Make the model that a file describes, with its weights.

    functions: by name, the functions that the model has as activations: {"swish": swish}.

    WeightsError says what is wrong with the file. A file of a class of your own says nothing of how
    its models are made: make one, then write model.load(path).
    """
    path = path_of(path)
    content = read(path)
    if content.kind not in ("", kind.__qualname__):
        raise WeightsError(
            f"{path} has the weights of a model of class {content.kind}, not {kind.__qualname__}"
        )
    if content.arguments is None:
        raise WeightsError(
            f"{path} does not say how its model is made: make the model first, then write "
            "model.load(path)"
        )
    try:
        expected = kind._shapes(content.arguments)
        if expected != {name: shape for name, (shape, _) in content.blocks.items()}:
            raise ValueError("its weights are not those of the model that it describes")
        model = kind(
            **{
                name: _with_functions(argument, functions or {})
                for name, argument in content.arguments.items()
            }
        )
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{path}: {error}") from None
    model.load_state(_state(content.blocks))
    return model


def _state(blocks: Blocks) -> dict[str, Any]:
    return {name: nested(numbers, shape) for name, (shape, numbers) in blocks.items()}


class Load:
    """`model.load(path)` sets a model's weights; `MLP.load(path)` makes a model with them."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, model: None, kind: type[M]) -> Callable[..., M]: ...
        @overload
        def __get__(self, model: M, kind: type[M]) -> Callable[[str | os.PathLike[str]], None]: ...

    def __get__(self, model: Any, kind: Any) -> Any:
        return MethodType(made_from, kind) if model is None else MethodType(load_into, model)


# ------------------------------------------------------------------ functions by name


def named_functions(activation: Any, known: dict[str, Any]) -> Any:
    """An activation, or a list of them, with {"function": name} for each function.

    `known` collects the functions by name; ValueError if two have the same.
    """
    if isinstance(activation, (list, tuple)):
        return [named_functions(each, known) for each in activation]
    if not callable(activation):
        return activation
    name = getattr(activation, "__name__", type(activation).__name__)
    if known.setdefault(name, activation) is not activation:
        raise ValueError(
            f"two activations are functions named {name!r}, and a file knows them by name: "
            "give each a name of its own, with def"
        )
    return {"function": name}


def _with_functions(argument: Any, functions: Functions) -> Any:
    """An argument in a file with functions in the places of their names."""
    if isinstance(argument, list):
        return [_with_functions(each, functions) for each in argument]
    if not isinstance(argument, dict):
        return argument
    name = str(argument.get("function"))
    if name not in functions:
        raise ValueError(
            "the model has an activation that is a function: write "
            f"load(path, functions={{{name!r}: the function}})"
        )
    return functions[name]
