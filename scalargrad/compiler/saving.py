"""Saving: a module with the generated functions, which runs without this package.   (floor 3)

The functions take the arguments that the compiled function takes and return what it returns, with
lists and dicts for
arrays, modules and their states; on NumPy gradients are arrays. All they call stands in the module;
constants are written
to the last bit. A module is plain Python, or needs NumPy alone: machine code is not saved, but what
would do without it.
"""

from __future__ import annotations

import inspect
import math
import textwrap

from ..arithmetic.total import inf, nan
from ..rows.text import FAST_NAMES, TOTAL_NAMES
from . import carried
from .arguments import DICT, FIXED, LIST, NUMBERS, ROWS, STATE, TUPLE
from .constants import named_constants, nested
from .emitters.python import function_source
from .layout import LINE, listed, tuple_of
from .naming import Names, is_word
from .roll import is_scattered
from .standalone import Standalone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from .arguments import Form
    from .program import Program
    from .request import Request
    from .traces import Traces

ON_ARRAYS = "numpy"
CARRIED = {"numbers": carried.numbers, "check_rows": carried.check_rows, "answer": carried.answer}
LOCAL = {
    *CARRIED,
    "contents",
    "outputs",
    "slopes",
    "rows",
    "item",
    "value",
    "one",
    "twin",
}  # what the functions name themselves


def backend_of(backend: str, traces: Traces, contents: Sequence[Any]) -> str:
    """The backend that a module is saved for: the one asked for; of "auto" and "native" the one
    that suits without machine code.
    """
    if backend in ("python", ON_ARRAYS):
        return backend
    return traces.plan("auto", traces.kinds[-1], contents).without_native


def module_source(
    traces: Traces, names: Sequence[str], doc: str = "", backend: str = "python"
) -> str:
    """The source of the module."""
    made, saved = Standalone(), _Saved(traces, names, backend == ON_ARRAYS)
    generated = _on_arrays if backend == ON_ARRAYS else _on_floats
    for kind in saved.kinds:
        for is_total in (False, True):
            made.add(
                *generated(
                    saved.program,
                    f"{'total' if is_total else 'raw'}_{kind}",
                    kind,
                    traces.reduce,
                    is_total,
                    saved.of,
                )
            )
    known = {
        **CARRIED,
        **(_carried_on_arrays(saved.program) if backend == ON_ARRAYS else {}),
        "inf": inf,
        "nan": nan,
    }
    made.add(saved.contents(), known)
    if saved.gradient:
        made.add(saved.gradient, known)
    for kind in saved.kinds:
        made.add(saved.function(kind), known)
    return f'"""{_quoted(saved.description(doc))}\n"""\n\nfrom __future__ import annotations\n\n{made.text()}'


def exported(request: Request) -> str:
    """The source of a module with `predict`, in plain Python, and the weights of the model."""
    traces = request.traces
    module = module_source(traces, request.names, request.doc)
    names = [block.name for block in traces.program.blocks[: request.fixed]]
    weights = "".join(
        [
            f"    {_key(name)}: {_as_text(content)},\n"
            for name, content in zip(names, request.contents)
        ]
    )
    call = "value(WEIGHTS, x)"
    if traces.has_rows:
        result = f"[[y] for y in {call}]" if traces.is_single else f"list(map(list, zip(*{call})))"
    else:
        result = f"[{call}]" if traces.is_single else f"list({call})"
    told = (
        "The outputs for each of many rows of inputs."
        if traces.has_rows
        else "The outputs for a row of inputs."
    )
    head = f'WEIGHTS = {{\n{weights}}}\n\n\ndef predict(x):\n    """{told}"""\n'
    return f"{module.rstrip()}\n\n\n{head}    return {result}\n"


def _as_text(content: Any) -> str:
    """Numbers as source, to the last bit."""
    if hasattr(content, "__len__"):
        return f"[{', '.join(map(_as_text, content))}]"
    return float.__repr__(float(content))


def _on_floats(
    program: Program, name: str, kind: str, reduce: str | None, is_total: bool, of: str
) -> tuple[str, dict[str, Any]]:
    """A generated function in plain Python, and what it calls and reads by name."""
    pieces, numbers = function_source(program, name, kind, reduce, is_total, of)
    return "\n\n".join(pieces), {
        **(TOTAL_NAMES if is_total else FAST_NAMES),
        **numbers,
        "isfinite": math.isfinite,
    }


def _on_arrays(
    program: Program, name: str, kind: str, reduce: str | None, is_total: bool, of: str
) -> tuple[str, dict[str, Any]]:
    """The same on NumPy."""
    from .on_numpy import function_source

    pieces, names = function_source(program, name, kind, reduce, is_total, of)
    return "\n\n".join(pieces), names


def _carried_on_arrays(program: Program) -> dict[str, Any]:
    from .on_numpy import answer

    return {
        "numbers": carried.array,
        **({} if is_scattered(program) else {"answer": answer}),
    }


class _Saved:
    """The functions of a saved module: from the user's arguments to contents of blocks, and back."""

    def __init__(self, traces: Traces, names: Sequence[str], on_arrays: bool = False) -> None:
        self.traces, self.on_arrays = traces, on_arrays
        self.program, self.constants = named_constants(traces)
        self.by_rows = traces.has_rows and traces.reduce is None
        self.of = traces.name if is_word(traces.name) else "the function"
        taken = Names(LOCAL)
        self.arguments = [(taken.take(name, "a"), form) for name, form in zip(names, traces.forms)]
        self.given = [name for name, form in self.arguments if form[0] != FIXED]
        self.kinds: tuple[str, ...] = (
            "value",
            "value_and_grad" if traces.is_single else "jacobian",
        )
        if any(traces.forms[i][0] == FIXED for i in traces.wrt) or not traces.wrt:
            self.kinds = ("value",)  # there is nothing to take a gradient by
        self.gradient = self._gradient() if len(self.kinds) > 1 else ""

    def description(self, doc: str) -> str:
        """The docstring of the module: what is in it, what the function said of itself, and the
        shapes of its arguments.
        """
        what = "its value" + (
            ""
            if len(self.kinds) == 1
            else f", and its slopes by {listed([self.arguments[i][0] for i in self.traces.wrt])}"
        )
        calls = "\n".join([f"    {kind}({', '.join(self.given)})" for kind in self.kinds])
        shapes = "\n".join([f"- {name} is {_told(form)}." for name, form in self.arguments])
        rows = {
            "mean": "the mean over the rows",
            "sum": "the sum over the rows",
            None: "one for each row",
        }[self.traces.reduce]
        notes = [f"With rows, each result is {rows}."] if self.traces.has_rows else []
        notes += (
            ["Values that the function read from elsewhere are as they were when this was saved."]
            if self.traces.taken
            else []
        )
        needs = "NumPy" if self.on_arrays else "Python's standard library"
        note = "\n".join(
            textwrap.wrap(
                " ".join([*notes, f"Generated by scalargrad; needs nothing but {needs}."]), LINE
            )
        )
        return "\n\n".join(
            filter(None, [f"{self.of}: {what}.", calls, inspect.cleandoc(doc), shapes, note])
        )

    def contents(self) -> str:
        """The function that reads the arguments, block by block."""
        lines, rows, count = [], [], 0
        for name, form in self.arguments:
            contents = _contents(form, name, name)
            lines += [f"    {text}," for text in contents]
            rows += [f"{name}=contents[{count}]"] if form[0] == ROWS else []
            count += len(contents)
        for block, flat in zip(self.program.blocks[count:], self.constants):
            text, shape = _as_text(nested(flat, block.shape)), ", ".join(map(str, block.shape))
            lines.append(f'    numbers({text}, "{block.name}"{", " * bool(shape)}{shape}),')
        lines = [
            "contents = [",
            *lines,
            "]",
            *([f"check_rows({', '.join(rows)})"] if rows else []),
            "return contents",
        ]
        kind = "arrays" if self.on_arrays else "lists"
        head = [
            f"def _contents({', '.join(self.given)}):",
            f'    """The arguments as {kind} of floats."""',
        ]
        return "\n".join([*head, *[f"    {line}" for line in lines]])

    def function(self, kind: str) -> str:
        """The function that a user calls."""
        given = ", ".join(self.given)
        option = (
            [str(kind != "value")] if self.on_arrays and not is_scattered(self.program) else []
        )  # whether there are slopes
        lines = self._returned(
            kind,
            f"answer({', '.join([f'raw_{kind}', f'total_{kind}', *option, f'*_contents({given})'])})",
        )
        what = {
            "value": "value",
            "value_and_grad": "value and the gradient",
            "jacobian": "values and the gradient of each",
        }[kind]
        head = [f"def {kind}({given}):", f'    """The {what} of {self.of}."""']
        return "\n".join([*head, *[f"    {line}" for line in lines]])

    def _returned(self, kind: str, answer: str) -> list[str]:
        """The lines that call the generated function and give its results their structure."""
        single, count = self.traces.is_single, len(self.program.outputs)
        by_rows = (
            self.by_rows and not self.on_arrays
        )  # then a list with a result for each row comes
        if kind == "value" and single:
            return [f"return {self._number(answer)}"]
        if kind == "value":
            columns = (
                ["outputs = [list(column) for column in zip(*outputs)]"]
                if by_rows and count > 1
                else []
            )
            outputs = ["outputs"] if count == 1 else [f"outputs[{i}]" for i in range(count)]
            return [
                f"outputs = {answer}",
                *columns,
                f"return {self._result([*map(self._number, outputs)])}",
            ]
        if kind == "value_and_grad":
            if not by_rows:
                return [
                    f"value, slopes = {answer}",
                    f"return {self._number('value')}, _gradient(*slopes)",
                ]
            return [
                f"rows = {answer}",
                "slopes = [list(column) for column in zip(*[slopes for _, slopes in rows])]",
                "return [value for value, _ in rows], _gradient(*slopes)",
            ]
        lines = [f"outputs, slopes = {answer}"]
        if by_rows:
            by_output = "[[list(column) for column in zip(*group)] for group in zip(*[slopes for _, slopes in rows])]"
            lines = [
                f"rows = {answer}",
                "outputs = [list(column) for column in zip(*[outputs for outputs, _ in rows])]",
                f"slopes = {by_output}",
            ]
        values, gradients = [
            [text.format(i) for i in range(count)]
            for text in ("outputs[{}]", "_gradient(*slopes[{}])")
        ]
        return [
            *lines,
            f"return {self._result([*map(self._number, values)])}, {self._result(gradients)}",
        ]

    def _number(self, text: str) -> str:
        """An expression for a number, or with rows that stay apart for one of each: NumPy's become
        floats.
        """
        return f"float({text})" if self.on_arrays and not self.by_rows else text

    def _result(self, texts: Sequence[str]) -> str:
        """Texts in the structure of what the function returns."""
        return texts[0] if self.traces.is_single else _as_result(self.traces.result, iter(texts))

    def _gradient(self) -> str:
        """The function that gives slopes by each block the structure of the arguments."""
        names = Names(LOCAL)
        blocks = {block: names.take(f"d{block.name}", "d") for block in self.program.wrt}
        slopes = iter(blocks.values())
        ties: list[str] = []
        made = {
            i: self._structure(self.traces.forms[i], slopes, ties) for i in sorted(self.traces.wrt)
        }
        parts = [made[i] for i in self.traces.wrt]
        returned = tuple_of(parts) if self.traces.is_tuple else parts[0]
        head = [
            f"def _gradient({', '.join(blocks.values())}):",
            '    """Slopes in the structure of what they are by."""',
        ]
        return "\n".join([*head, *[f"    {line}" for line in ties], f"    return {returned}"])

    def _structure(self, form: Form, slopes: Iterator[str], ties: list[str]) -> str:
        """An expression that gives slopes the structure of an argument; `ties` gets lines for
        parameters that stand in several places.
        """
        kind = form[0]
        if kind in (NUMBERS, ROWS) and self.on_arrays:
            return next(slopes) if kind == ROWS or form[2] else self._number(next(slopes))
        if kind == NUMBERS:
            return _in_kinds(next(slopes), (LIST, *form[1]) if self.by_rows else form[1])
        if kind == ROWS:
            return _in_kinds(next(slopes), (form[1], *form[2][1]))
        if kind == STATE:
            names = {name: next(slopes) for name in form[2]}
            for (name, index), (other, at) in form[1].ties:
                ties += self._tie(names[name], index, names[other], at)
            return _dict(names)
        if kind == FIXED:
            return "None"
        if kind == DICT:
            return _dict({key: self._structure(item, slopes, ties) for key, item in form[2:]})
        items = [self._structure(item, slopes, ties) for item in form[2:]]
        return tuple_of(items) if kind == TUPLE else f"[{', '.join(items)}]"

    def _tie(self, name: str, index: tuple[int, ...], other: str, at: tuple[int, ...]) -> list[str]:
        """Lines that give an entry of one block the slope of another: both are one parameter."""
        to, of = ["".join([f"[{i}]" for i in place]) for place in (index, at)]
        if self.by_rows:
            return [f"for one, twin in zip({name}, {other}):", f"    one{to} = twin{of}"]
        return [f"{name}{to} = {other}{of}"]


def _contents(form: Form, text: str, name: str) -> list[str]:
    """Expressions for the contents of the blocks of an argument."""
    kind = form[0]
    if kind == NUMBERS:
        return [f"numbers({', '.join([text, _key(name), *map(str, form[2])])})"]
    if kind == ROWS:
        return [f"numbers({', '.join([text, _key(name), '-1', *map(str, form[2][2])])})"]
    if kind == STATE:
        return [
            f"numbers({', '.join([f'{text}[{_key(block)}]', _key(block), *map(str, shape)])})"
            for block, shape in zip(form[2], form[3])
        ]
    if kind == FIXED:
        return []
    items = form[2:] if kind == DICT else enumerate(form[2:])
    return [
        content
        for key, item in items
        for content in _contents(item, f"{text}[{_key(key)}]", f"{name}[{_key(key)}]")
    ]


def _key(key: Any) -> str:
    """A key of a dict, or an index, as it is written."""
    if type(key) not in (str, int, bool, type(None)):
        raise TypeError(
            f"a saved module writes the keys of dicts down, and {type(key).__name__} is no text or whole number: rename {key!r}"
        )
    text = ascii(key)
    return (
        f'"{text[1:-1]}"'
        if type(key) is str and '"' not in text and "'" not in text[1:-1]
        else text
    )


def _dict(items: dict[Any, str]) -> str:
    return "{" + ", ".join([f"{_key(key)}: {text}" for key, text in items.items()]) + "}"


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


def _as_result(tree: Any, texts: Iterator[str]) -> str:
    """Texts in the structure of a result."""
    if hasattr(tree, "tolist"):
        tree = tree.tolist()
    if isinstance(tree, dict):
        return _dict({key: _as_result(item, texts) for key, item in tree.items()})
    if isinstance(tree, list | tuple):
        items = [_as_result(item, texts) for item in tree]
        return tuple_of(items) if isinstance(tree, tuple) else f"[{', '.join(items)}]"
    return next(texts)


def _told(form: Form) -> str:
    """What an argument is."""
    kind = form[0]
    if kind == NUMBERS:
        return f"a list of {' × '.join(map(str, form[2]))} numbers" if form[2] else "a number"
    if kind == ROWS:
        return "a list of rows, each " + _told(form[2])
    if kind == STATE:
        return "a mapping: " + ", ".join(
            [
                f"{name} {' × '.join(map(str, shape)) or 'a number'}"
                for name, shape in zip(form[2], form[3])
            ]
        )
    if kind == DICT:
        return "a dict: " + ", ".join([f"{_key(key)} {_told(item)}" for key, item in form[2:]])
    if kind == FIXED:
        return "no number: it is fixed as it was, and not given"
    return f"a {'tuple' if kind == TUPLE else 'list'}: " + ", ".join(
        [_told(item) for item in form[2:]]
    )


def _quoted(text: str) -> str:
    """A text as it may stand in a docstring."""
    plain = "".join([c if c.isprintable() or c == "\n" else " " for c in text]).replace(
        "\\", "\\\\"
    )
    return plain.replace('"""', '\\"\\"\\"')
