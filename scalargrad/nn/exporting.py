"""Export: a model's predictions as a file of C, JavaScript or Python.   (floor 3)"""

from __future__ import annotations

from itertools import count as count_up
from textwrap import shorten

from ..checks import whole_number
from ..files import put_in_place
from .rows import to_lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Any

    from .parameters import HasParameters


def export(
    model: HasParameters,
    path: str | os.PathLike[str],
    rows: bool = False,
    inputs: int | None = None,
    labels: Iterable[Any] = (),
) -> None:
    """Write the model's `predict`, with its weights, as a file that needs nothing: .c, .js or .py.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from scalargrad.nn import MLP
    >>> with TemporaryDirectory() as folder:
    ...     MLP(2, [3, 1], seed=0).export(Path(folder, "net.c"))
    ...     Path(folder, "net.c").read_text().splitlines()[3].strip(" *")
    'void predict(const double *restrict x, double *restrict y);'

    path: the file; its ending says the language.
    rows: False for a function of one row, an array of inputs in and an array of outputs out; True
        for a function of many.
    inputs: how many inputs a model of a class of your own takes; None where it takes one number,
        or has the attribute `nin` that says it.
    labels: the names of the classes, in the order of the outputs, for the comment in the file.

    TypeError where the result is no number or list of numbers; ValueError for a `custom_op` of
    Python functions, which no file can hold. The file changes all at once, or not at all.
    """
    from ..compiler import compile
    from ..compiler.languages import of_path, written
    from ..compiler.traces import Request

    language = of_path(path)
    count = getattr(model, "nin", None) if inputs is None else whole_number("inputs", inputs)
    x: Any = 0.0 if count is None else [0.0] * count
    function = compile(lambda model, x: model(x), (), ("x",) if rows else None, None)
    try:
        traces, contents = function._ready((model, [x, x] if rows else x), {})
    except Exception as error:
        if count is None:
            error.add_note(
                f"export called the model with one number: if it takes a row, write inputs=…, how "
                f"many {type(model).__name__} takes"
            )
        raise
    result = to_lists(traces.result)
    is_list = isinstance(result, list | tuple) and all(type(item) is float for item in result)
    if not (traces.is_single or is_list):
        raise TypeError(
            "export takes a model that gives a number or a list of numbers, got "
            f"{shorten(repr(traces.result), 80, placeholder=' …')}: export a module whose __call__ "
            "puts them side by side"
        )
    fixed = len(traces.program.blocks) - bool(traces.taken) - 1
    contents = [*contents]
    contents[fixed] = _example(contents[fixed], count_up(1))  # one that is not all zeros
    labels = [*labels]
    named = [f"{i} {label}" for i, label in enumerate(labels)]
    count = 1 if traces.is_single else len(result)
    if named and len(named) != (count if count > 1 else 2):
        raise ValueError(
            f"labels must name the classes in the order of the outputs, {max(count, 2)} here, "
            f"got {len(named)}: {shorten(repr(labels), 80, placeholder=' …')}"
        )
    outputs = f"The outputs stand for the classes {', '.join(named)}."
    if named and count == 1:
        outputs = "The greater the output, the likelier the class {1}, not {0}.".format(*labels)
    doc = f"The prediction of {model!r}." + f" {outputs}" * bool(named)
    request = Request(traces, traces.names, contents, doc, "python", fixed, predict=True)
    put_in_place(path, written(language, request))


def _example(content: Any, numbers: Any) -> Any:
    if hasattr(content, "__len__"):
        return [_example(item, numbers) for item in content]
    return (next(numbers) * 5 % 9 - 4) / 4.0
