"""Files of weights: JSON and safetensors, which hold numbers and names alone.   (floor 3)"""

from __future__ import annotations

import json
import sys
from itertools import product
from math import isfinite
from typing import NamedTuple

from .shapes import flat, nested

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any, NoReturn

    from .shapes import Index

    Blocks = dict[str, tuple[Index, list[float]]]  # shape and numbers by name

FORMAT = "scalargrad weights 1"
FLOATS = ("F64", "F32", "F16")  # the kinds of numbers in safetensors that NumPy has too
LARGEST = 2**30  # bytes of a file; ten million weights as JSON take a fifth of it


class WeightsError(ValueError):
    """A file of weights is damaged, is none, or does not fit the model; nothing was changed."""


class Content(NamedTuple):
    """The content of a file: numbers, and who has them; no `arguments` if they cannot make it."""

    blocks: Blocks
    kind: str = ""
    arguments: dict[str, Any] | None = None


def read(path: Path) -> Content:
    """The content of a file; WeightsError says what is wrong with it."""
    form = _format_of(path)
    if path.exists() and not path.is_file():  # a pipe would keep a reader waiting
        raise WeightsError(f"{path} is a folder, a pipe or a device, and no file of weights")
    size = path.stat().st_size
    if size > LARGEST:
        raise WeightsError(f"{path} has {size:,} bytes, more than the {LARGEST:,} that load reads")
    return form.read(path)


def _refuse(path: Path, reason: object) -> NoReturn:
    raise WeightsError(f"{path} is no file of weights, or is damaged: {reason}") from None


def about(content: Content) -> dict[str, Any]:
    """The description of a file's model: format, versions, class and arguments."""
    package = sys.modules[__name__.partition(".")[0]]
    found = {"format": FORMAT, "scalargrad": package.__version__, "class": content.kind}
    return found if content.arguments is None else {**found, "arguments": content.arguments}


def _content(told: Any, blocks: Blocks) -> Content:
    """The content that a file's description and its blocks make; ValueError if it is none."""
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"its format is {told.get('format')!r}, not {FORMAT!r}")
    kind, arguments = told.get("class", ""), told.get("arguments")
    if not isinstance(kind, str) or not isinstance(arguments, dict | None):
        raise ValueError("its class is no text, or its arguments have no names")
    for name, (_, numbers) in blocks.items():
        if not numbers:
            raise ValueError(f"{name} has no numbers")
    return Content(blocks, kind, arguments)


def _to_json(content: Content) -> bytes:
    for name, (shape, numbers) in content.blocks.items():
        for index, number in zip(product(*map(range, shape)), numbers):
            if not isfinite(number):
                at = f"[{','.join(map(str, index))}]" * bool(index)
                raise ValueError(
                    f"{name}{at} is {number}, for which JSON has no number: "
                    "save the model as .safetensors, or mend the weight"
                )
    parts = {key: json.dumps(value) for key, value in about(content).items()}
    weights = [
        f"    {json.dumps(name)}: {json.dumps(nested(numbers, shape))}"
        for name, (shape, numbers) in content.blocks.items()
    ]
    parts["weights"] = "{\n" + ",\n".join(weights) + "\n  }"
    lines = [f"  {json.dumps(key)}: {text}" for key, text in parts.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _from_json(path: Path) -> Content:
    try:
        given = json.loads(
            path.read_bytes().decode(), parse_constant=_no_number, object_pairs_hook=_once_each
        )
        weights = given.pop("weights", None) if isinstance(given, dict) else None
        if not isinstance(weights, dict):
            raise ValueError("it is no JSON object with an object 'weights'")
        return _content(given, {name: _numbers(name, part) for name, part in weights.items()})
    except RecursionError:
        _refuse(path, "its lists are nested too deep")
    except (ValueError, OverflowError) as error:
        _refuse(path, error)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name stands in it twice")
    return found


def _numbers(name: str, part: Any) -> tuple[Index, list[float]]:
    shape, numbers = flat(part)
    if shape is None or not {float, int}.issuperset(map(type, numbers)):
        raise ValueError(f"{name} is no number and no block of numbers")
    floats = [float(number) for number in numbers]
    if not all(map(isfinite, floats)):
        raise ValueError(f"{name} has a number that is too large")
    return shape, floats


def _to_safetensors(content: Content) -> bytes:
    array, library = _libraries()
    told = about(content)
    tensors = {
        name: array(numbers, dtype=float).reshape(shape)
        for name, (shape, numbers) in content.blocks.items()
    }
    texts = {key: v if isinstance(v, str) else json.dumps(v) for key, v in told.items()}
    data: bytes = library.numpy.save(tensors, metadata=texts)
    return data


def _from_safetensors(path: Path) -> Content:
    _, library = _libraries()
    tensors: dict[str, Any] = {}
    try:
        with library.safe_open(path, framework="numpy") as file:
            told = file.metadata() or {}
            if not told.get("format", "").startswith("scalargrad"):  # PyTorch's is "pt"
                told = {"format": FORMAT}
            if isinstance(told.get("arguments"), str):
                told["arguments"] = json.loads(told["arguments"])
            for name in file.keys():  # noqa: SIM118
                if (kind := file.get_slice(name).get_dtype()) not in FLOATS:
                    raise ValueError(f"{name} holds {kind}, not floats, {', '.join(FLOATS)}")
                tensors[name] = file.get_tensor(name)
        return _content(told, {name: (x.shape, x.ravel().tolist()) for name, x in tensors.items()})
    except RecursionError:
        _refuse(path, "its arguments are nested too deep")
    except (library.SafetensorError, TypeError, ValueError) as error:
        _refuse(path, error)


def _libraries() -> tuple[Any, Any]:
    try:
        import safetensors.numpy
        from numpy import array
    except ImportError:
        raise ImportError(
            "a .safetensors file needs safetensors and NumPy, the 'weights' extra: "
            "pip install safetensors numpy; a .json file needs nothing"
        ) from None
    return array, safetensors


class _Format(NamedTuple):
    write: Callable[[Content], bytes]
    read: Callable[[Path], Content]


FORMATS = {
    ".json": _Format(_to_json, _from_json),
    ".safetensors": _Format(_to_safetensors, _from_safetensors),
}


def written(path: Path, content: Content) -> bytes:
    """The bytes of a file of that name."""
    return _format_of(path).write(content)


def _format_of(path: Path) -> _Format:
    if path.suffix not in FORMATS:
        raise ValueError(f"the path must end in {' or '.join(FORMATS)}, got {str(path)!r}")
    return FORMATS[path.suffix]
