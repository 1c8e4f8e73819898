"""A file in JavaScript: a module with arguments as they are in Python.   (floor 3)"""

from __future__ import annotations

import json

from ..arguments import DICT, FIXED, NUMBERS, ROWS, STATE
from ..dialects.javascript import JAVASCRIPT
from ..dialects.text import broken
from .c_file import commented
from .files import Plain, shape_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..arguments import Form
    from ..traces import Request


IN_NODE = (
    'It is a module: for node let its name end in .mjs, or say "type": "module" in package.json.'
)


def text(request: Request) -> str:
    """The file."""
    made = _Module(request)
    texts = [function.text for function in made.functions.values()]
    wrappers = [made.wrapper(kind) for kind in made.kinds]
    calls = made.calls | {"numbers", "like", "rows_of", "nested"}
    parts = [
        made.comment(),
        "\n".join(made.tables.lines),
        JAVASCRIPT.helpers(calls),
        *texts,
        *wrappers,
    ]
    return "\n\n".join([part for part in parts if part]) + "\n"


class _Module(Plain):
    """The functions on flat arrays, and those that are exported around them."""

    def __init__(self, request: Request) -> None:
        super().__init__(JAVASCRIPT, request)
        names = JAVASCRIPT.names()
        names.taken |= {*self.slope_names, self.out, *self.tables.written}
        self.arguments = [
            (names.take(name, "a"), form)
            for name, form in zip(request.names, self.traces.forms)
        ]  # fmt: skip
        self.arguments = self.arguments[request.predict :]  # the model is no argument
        self.flat_names = {block: names.take(f"{self.name_of[block]}_flat") for block in self.given}

    def called(self, kind: str) -> str:
        """The name of a function on flat arrays."""
        return f"{super().called(kind)}_of"

    @property
    def given_arguments(self) -> list[tuple[str, Form]]:
        """The arguments that are no fixed texts."""
        return [(name, form) for name, form in self.arguments if form[0] != FIXED]

    # -------------------------------------------------------------- functions

    def wrapper(self, kind: str) -> str:
        """A function that is exported: from arguments to flat arrays, and back."""
        function, name = self.functions[kind], super().called(kind)
        lines, paths = [], iter(self._paths())
        given, rows, path_of = [], [], {}
        for block in self.given:
            path, _ = next(paths)
            path_of[block] = path
            listed = json.dumps([*([-1] if block.has_rows else []), *block.shape])
            own = self.flat_names[block]
            lines.append(f"const {own} = numbers({path}, {json.dumps(block.name)}, {listed});")
            given.append(own)
            if block.has_rows:
                rows.append(f"{own}.length / {max(1, len(block.inputs))}")
        if rows:
            lines.append(f"const n = rows_of([{', '.join(rows)}]);")
            given.insert(0, "n")
        count = len(self.program.outputs)
        if not function.returns:
            size = (
                f"{count} * n"
                if self.per_row or (self.request.predict and self.has_rows)
                else count
            )
            lines.append(f"const {self.out} = new Float64Array({size});")
            given.append(self.out)
        if kind != "value":
            for block, slopes in zip(self.wrt, self.slope_names):
                parts: list[Any] = [len(block.inputs), *[count] * (kind == "jacobian")]
                parts += ["n"] * (block.has_rows or self.per_row)
                size = " * ".join(str(part) for part in parts if part != 1) or "1"
                lines.append(f"const {slopes} = new Float64Array({size});")
                given.append(slopes)
        call = f"{function.name}({', '.join(given)})"
        lines.append(f"const {self.out} = {call};" if function.returns else f"{call};")
        lines.append(f"return {self._returned(kind, path_of)};")
        head = f"export function {name}({', '.join([name for name, _ in self.given_arguments])}) {{"
        body = [part for line in lines for part in broken(f"  {line}", "    ")]
        return "\n".join([*broken(head, "    "), *body, "}"])

    def _returned(self, kind: str, path_of: dict[Any, str]) -> str:
        first = next((path_of[block] for block in self.given if block.has_rows), "[]")
        count = len(self.program.outputs)
        if self.request.predict:
            lead = "n, " if self.has_rows else ""
            of = first if self.has_rows else self.arguments[0][0]
            return f"like({of}, {self.out}, [{lead}{count}])"
        if self.per_row:
            parts = [f"{self.out}.subarray({i} * n, {i + 1} * n)" for i in range(count)]
            values = [
                f"like({first}, {part}, [n])" for part in (parts if count > 1 else [self.out])
            ]
        elif self.functions[kind].returns:
            values = [self.out]
        else:
            values = [f"{self.out}[{i}]" for i in range(count)]
        value = self._result(values)
        if kind == "value":
            return value
        if kind == "value_and_grad":
            return f"[{value}, {self._gradient(0, 1, path_of)}]"
        groups = [self._gradient(i, count, path_of) for i in range(count)]
        return f"[{value}, {self._result(groups)}]"

    def _result(self, texts: Sequence[str]) -> str:
        return texts[0] if self.traces.is_single else _tree(self.traces.result, iter(texts))

    def _gradient(self, turn: int, count: int, path_of: dict[Any, str]) -> str:
        """The slopes of an output in the structure of what they are by."""
        slopes = []
        for block, name in zip(self.wrt, self.slope_names):
            by_rows = block.has_rows or self.per_row
            if count > 1:
                size = f"{len(block.inputs)}{' * n' * by_rows}"
                name = f"{name}.subarray({turn} * {size}, {turn + 1} * {size})"
            shape = ["n"] * by_rows + [str(size) for size in block.shape]
            slopes.append(f"like({path_of[block]}, {name}, [{', '.join(shape)}])")
        found = iter(slopes)
        made = {i: _structure(self.traces.forms[i], found) for i in sorted(self.traces.wrt)}
        parts = [made[i] for i in self.traces.wrt]
        return f"[{', '.join(parts)}]" if self.traces.is_tuple else parts[0]

    def _paths(self) -> Iterator[tuple[str, Any]]:
        for name, form in self.arguments:
            yield from _paths(form, name)

    # -------------------------------------------------------------- the comment

    def comment(self) -> str:
        """What is in the file."""
        *first, last = self.description("it needs nothing")
        of = ", ".join([name for name, _ in self.given_arguments])
        results = {
            "value": "value",
            "value_and_grad": "[value, slopes]",
            "jacobian": "[values, slopes]",
        }
        calls = [
            f"    {super(_Module, self).called(kind)}({of}) -> "
            + ("outputs" if self.request.predict else results[kind])
            for kind in self.kinds
        ]
        shapes = [
            f"- {path} is {shape_of(block)}." for block, (path, _) in zip(self.given, self._paths())
        ]
        shapes.append("Arrays are nested, or a Float64Array in row order; slopes come as these do.")
        name = super().called(self.kinds[-1])
        example = f'    import {{ {name} }} from "./FILE.js";'
        return commented(
            [
                *first,
                "\n".join(calls),
                "\n".join(shapes),
                last,
                "\n".join([IN_NODE, "Example:", example, *self._example(name)]),
            ]
        )

    def _example(self, name: str) -> list[str]:
        """The lines of a call."""
        numbers = iter(self.example())
        shapes = iter(self.given)
        given = [
            _example(form, shapes, numbers, self.rows_of_example())
            for _, form in self.given_arguments
        ]
        call = f"{name}({', '.join(given)})"
        if len(call) > 500:
            call = f"{name}({', '.join([name for name, _ in self.given_arguments])})"
        return broken(f"    {call}", "    ", ", ", 96)


def _paths(form: Form, path: str) -> Iterator[tuple[str, Any]]:
    """Where the blocks of an argument are, each with its shape."""
    kind = form[0]
    if kind in (NUMBERS, ROWS):
        yield path, form
    elif kind == STATE:
        yield from [(f"{path}[{_key(name)}]", form) for name in form[2]]
    elif kind != FIXED:
        for key, item in form[2:] if kind == DICT else enumerate(form[2:]):
            yield from _paths(item, f"{path}[{_key(key)}]")


def _structure(form: Form, slopes: Iterator[str]) -> str:
    """Slopes in the structure of an argument."""
    kind = form[0]
    if kind in (NUMBERS, ROWS):
        return next(slopes)
    if kind == FIXED:
        return "null"
    if kind == STATE:
        return _object({name: next(slopes) for name in form[2]})
    if kind == DICT:
        return _object({key: _structure(item, slopes) for key, item in form[2:]})
    return f"[{', '.join([_structure(item, slopes) for item in form[2:]])}]"


def _example(form: Form, blocks: Iterator[Any], numbers: Iterator[list[float]], rows: int) -> str:
    """An argument of the example."""
    kind = form[0]
    if kind in (NUMBERS, ROWS):
        block = next(blocks)
        shape = ((rows,) if block.has_rows else ()) + block.shape
        return _nested([JAVASCRIPT.literal(x) for x in next(numbers)], shape)
    if kind == STATE:
        return _object(
            {name: _nested([JAVASCRIPT.literal(x) for x in next(numbers)], next(blocks).shape) for name in form[2]}
        )  # fmt: skip
    if kind == DICT:
        return _object({key: _example(item, blocks, numbers, rows) for key, item in form[2:]})
    return f"[{', '.join([_example(item, blocks, numbers, rows) for item in form[2:] if item[0] != FIXED])}]"


def _nested(texts: list[str], shape: tuple[int, ...]) -> str:
    if not shape:
        return texts[0]
    step = len(texts) // shape[0] if shape[0] else 0
    parts = [_nested(texts[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]
    return f"[{', '.join(parts)}]"


def _tree(tree: Any, texts: Iterator[str]) -> str:
    """Texts in the structure of a result."""
    if hasattr(tree, "tolist"):
        tree = tree.tolist()
    if isinstance(tree, dict):
        return _object({key: _tree(item, texts) for key, item in tree.items()})
    if isinstance(tree, list | tuple):
        return f"[{', '.join([_tree(item, texts) for item in tree])}]"
    return next(texts)


def _object(items: dict[Any, str]) -> str:
    keys = [(_key(key) if key != "__proto__" else '["__proto__"]') for key in items]
    return f"{{{', '.join([f'{key}: {text}' for key, text in zip(keys, items.values())])}}}"


def _key(key: Any) -> str:
    """A key of a dict, or an index, as it is written."""
    if type(key) not in (str, int):
        raise TypeError(
            f"a saved module writes the keys of dicts down, and {type(key).__name__} is no text or whole number: rename {key!r}"
        )
    return json.dumps(key)
