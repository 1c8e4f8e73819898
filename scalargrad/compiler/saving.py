"""Saving: a module with the generated functions, which runs without this package.   (floor 3)

The functions take the arguments that the compiled function takes and return what it returns, with
lists and dicts for arrays, modules and their states; on NumPy gradients are arrays. All they call
stands in the module; constants are written to the last bit. A module is plain Python, or needs
NumPy alone: machine code is not saved, but what would do without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isfinite
from typing import Any

from . import carried
from .arguments import Fixed, Numbers
from .constants import named_constants
from .contents import LIST, TUPLE, shaped
from .emitters import python
from .layout import shape_text
from .naming import Names, is_word
from .roll import is_scattered, rolled
from .standalone import Standalone
from .traces import Request
from .written import PYTHON, description

CARRIED = {name: getattr(carried, name) for name in ("numbers", "check_rows", "answer", "columns")}
TOLD = {
    "value": "value", "value_and_grad": "value and the gradient",
    "jacobian": "values and the gradient of each",
}  # fmt: skip
# The names that the functions have for what is theirs.
LOCAL = {*CARRIED, "array", "contents", "outputs", "slopes", "item", "value"}


def text(request: Request) -> str:
    """The file; for "auto" and "native" with the backend that suits without machine code."""
    traces, backend = request.traces, request.backend
    if backend not in ("python", "numpy"):
        backend = traces.plan("auto", traces.kinds[-1], request.contents).without_native
    module = _module(_Saved(request, backend == "numpy"))
    return f"{module.rstrip()}\n\n\n{_predict(request)}" if request.predict else module


def _module(made: _Saved) -> str:
    """The source of the module."""
    saved = Standalone()
    known: dict[str, Any] = {**CARRIED}
    source: Any = partial(python.function_source, made.program)
    if made.on_arrays:
        from numpy import array

        known["array"] = array
    if made.has_vectors:
        from .emitters import numpy
        from .on_numpy import answer

        source = partial(numpy.function_source, rolled(made.program))
        known |= {"numbers": carried.array, "answer": answer}
    for kind in made.kinds:
        for total in (False, True):
            name = f"{'total' if total else 'raw'}_{kind}"
            pieces, called = source(name, kind, made.traces.reduce, total, made.of)
            saved.add("\n\n".join(pieces), called)
    for function in (made.contents(), made.gradient, *map(made.function, made.kinds)):
        if function:
            saved.add(function, known)
    doc = f'"""{_quoted(made.description())}\n"""'
    return f"{doc}\n\nfrom __future__ import annotations\n\n{saved.text()}"


def _predict(request: Request) -> str:
    """The function `predict` and the weights of the model."""
    traces = request.traces
    names = [block.name for block in traces.program.blocks[: request.fixed]]
    weights = [f"    {PYTHON.at(n)}: {_as_text(x)},\n" for n, x in zip(names, request.contents)]
    call = "value(WEIGHTS, x)"
    result, told = f"[{call}]" if traces.is_single else f"list({call})", "a row of inputs"
    if traces.has_rows:
        result = f"[[y] for y in {call}]" if traces.is_single else f"list(map(list, zip(*{call})))"
        told = "each of many rows of inputs"
    head = f"WEIGHTS = {{\n{''.join(weights)}}}\n\n\ndef predict(x):\n"
    return f'{head}    """The outputs for {told}."""\n    return {result}\n'


def _as_text(content: Any) -> str:
    """Numbers as source, to the last bit."""
    if hasattr(content, "__len__"):
        return f"[{', '.join(map(_as_text, content))}]"
    number = float(content)
    return repr(number) if isfinite(number) else f'float("{number}")'


class _Saved:
    """The functions of a saved module: from arguments to contents of blocks, and back."""

    def __init__(self, request: Request, on_arrays: bool) -> None:
        traces = self.traces = request.traces
        self.request, self.on_arrays = request, on_arrays
        self.program, self.constants = named_constants(traces)
        self.has_vectors = on_arrays and not is_scattered(self.program)
        self.by_rows = traces.has_rows and traces.reduce is None
        self.of = traces.name if is_word(traces.name) else "the function"
        taken = Names(LOCAL)
        self.arguments = [(taken.take(x, "a"), f) for x, f in zip(request.names, traces.forms)]
        self.given = ", ".join(
            [name for name, form in self.arguments if not isinstance(form, Fixed)]
        )
        self.places = [x for name, form in self.arguments for x in PYTHON.places(form, name, name)]
        self.kinds = traces.kinds
        self.gradient = self._gradient() if len(self.kinds) > 1 else ""

    def description(self) -> str:
        """The docstring of the module: what is in it, calls, and the shapes of arguments."""
        needs = "needs nothing but " + ("NumPy" if self.on_arrays else "Python's standard library")
        *first, last = description(self.request, self.kinds, needs)
        calls = "\n".join([f"    {kind}({self.given})" for kind in self.kinds])
        blocks = zip(self.places, self.program.blocks)
        shapes = "\n".join([f"- {path} is {shape_text(block)}." for (path, *_), block in blocks])
        return "\n\n".join(filter(None, [*first, calls, shapes, last]))

    def contents(self) -> str:
        """The function that reads the arguments, block by block."""
        lines: list[str] = []
        rows: list[str] = []
        for text, name, form in self.places:
            rows += [f"{text}=contents[{len(lines)}]"] if form.has_rows else []
            shape = (-1, *form.shape) if form.has_rows else form.shape
            lines.append(f"    {_read(text, name, shape)},")
        for block, flat in zip(self.program.blocks[len(lines) :], self.constants):
            text = _as_text(shaped(flat, block.shape))
            lines.append(f"    {_read(text, block.name, block.shape)},")
        lines = ["contents = [", *lines, "]"]
        lines += [f"check_rows({', '.join(rows)})"] if rows else []
        kind = "arrays" if self.has_vectors else "lists"
        doc = f"The arguments as {kind} of floats."
        return _function("_contents", self.given, doc, [*lines, "return contents"])

    def function(self, kind: str) -> str:
        """The function that a user calls."""
        has_slopes = [str(kind != "value")] if self.has_vectors else []
        called = [f"raw_{kind}", f"total_{kind}", *has_slopes, f"*_contents({self.given})"]
        lines = self._returned(kind, f"answer({', '.join(called)})")
        return _function(kind, self.given, f"The {TOLD[kind]} of {self.of}.", lines)

    def _returned(self, kind: str, answer: str) -> list[str]:
        """The lines that call the generated function and give its results their structure."""
        if kind == "value" and self.traces.is_single:
            return [f"return {self._number(answer)}"]
        if self.by_rows and not self.on_arrays:  # then a list comes, with each row's result
            answer = f"columns({answer})"
        if kind == "value_and_grad":
            returned = f"return {self._number('value')}, _gradient(*slopes)"
            return [f"value, slopes = {answer}", returned]
        count = len(self.program.outputs)
        is_bare = kind == "value" and count == 1
        numbers = [self._number("outputs" if is_bare else f"outputs[{i}]") for i in range(count)]
        values = PYTHON.outputs(self.traces, iter(numbers))
        if kind == "value":
            return [f"outputs = {answer}", f"return {values}"]
        gradients = [f"_gradient(*slopes[{i}])" for i in range(count)]
        slopes = PYTHON.outputs(self.traces, iter(gradients))
        return [f"outputs, slopes = {answer}", f"return {values}, {slopes}"]

    def _number(self, text: str) -> str:
        """An expression for a number, or with rows that stay apart for one of each: NumPy's become
        floats.
        """
        return f"float({text})" if self.on_arrays and not self.by_rows else text

    def _gradient(self) -> str:
        """The function that gives slopes by each block the structure of the arguments."""
        names = Names(LOCAL)
        blocks = {block: names.take(f"d{block.name}", "d") for block in self.program.wrt}
        returned = PYTHON.gradient(self.traces, iter(blocks.values()), self._leaf)
        doc = "Slopes in the structure of what they are by."
        are_lists = self.on_arrays and not self.has_vectors  # plain Python gives them
        arrays = [name for block, name in blocks.items() if block.shape and are_lists]
        lines = [*[f"{name} = array({name})" for name in arrays], f"return {returned}"]
        return _function("_gradient", ", ".join(blocks.values()), doc, lines)

    def _leaf(self, form: Numbers, text: str) -> str:
        """An expression for the slopes by a block, with tuples where the argument has them."""
        if self.on_arrays:
            return text if form.has_rows or form.shape else self._number(text)
        is_by_rows = self.by_rows and not form.has_rows
        return _in_kinds(text, (LIST, *form.kinds) if is_by_rows else form.kinds)


def _function(name: str, arguments: str, doc: str, lines: Sequence[str]) -> str:
    head = [f"def {name}({arguments}):", f'    """{doc}"""']
    return "\n".join([*head, *[f"    {line}" for line in lines]])


def _read(text: str, name: str, shape: Sequence[int]) -> str:
    return f"numbers({', '.join([text, PYTHON.at(name), *map(str, shape)])})"


def _in_kinds(name: str, kinds: tuple[str, ...]) -> str:
    """An expression for nested lists with tuples where an argument has them.

    >>> _in_kinds("d", ("list", "tuple"))
    '[tuple(item) for item in d]'
    """
    if TUPLE not in kinds:
        return name
    inner = _in_kinds("item", kinds[1:])
    text = name if inner == "item" else f"[{inner} for item in {name}]"
    return f"tuple({text})" if kinds[0] == TUPLE else text


def _quoted(text: str) -> str:
    """A text as it may stand in a docstring."""
    plain = "".join([c if c.isprintable() or c == "\n" else " " for c in text])
    return plain.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
