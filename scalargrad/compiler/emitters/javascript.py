"""A file in JavaScript: a module with arguments as they are in Python.   (floor 3)"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from ..arguments import Fixed
from ..dialects.javascript import JAVASCRIPT
from ..dialects.text import broken
from ..layout import nested, shape_text
from ..traces import Request
from ..written import JAVASCRIPT as WRITTEN
from ..written import description
from .c_file import commented
from .files import Plain

IN_NODE = (
    'It is a module: for node let its name end in .mjs, or say "type": "module" in package.json.'
)
LONGEST = 500  # characters of a call that is shown with its numbers


def text(request: Request) -> str:
    """The file."""
    made = _Module(request)
    parts = [
        made.comment(),
        "\n".join(made.tables.lines),
        JAVASCRIPT.helpers(made.calls | {"numbers", "like", "rows_of", "nested"}),
        *[function.text for function in made.functions.values()],
        *map(made.wrapper, made.kinds),
    ]
    return "\n\n".join([part for part in parts if part]) + "\n"


class _Module(Plain):
    """The functions on flat arrays, and those that are exported around them."""

    def __init__(self, request: Request) -> None:
        super().__init__(JAVASCRIPT, request)
        names = JAVASCRIPT.names()
        names.taken |= {*self.slope_names, self.out, *self.tables.written}
        forms = [*zip(request.names, self.traces.forms)][request.predict :]  # the model is none
        self.arguments = [
            (names.take(x, "a"), form) for x, form in forms if not isinstance(form, Fixed)
        ]
        paths = [x[0] for name, form in self.arguments for x in WRITTEN.places(form, name)]
        self.path_of = dict(zip(self.given, paths))
        self.flat_names = {block: names.take(f"{self.name_of[block]}_flat") for block in self.given}

    def called(self, kind: str) -> str:
        """The name of a function on flat arrays."""
        return f"{super().called(kind)}_of"

    # -------------------------------------------------------------- functions

    def wrapper(self, kind: str) -> str:
        """A function that is exported: from arguments to flat arrays, and back."""
        function, lines, rows = self.functions[kind], list[str](), list[str]()
        for block, own in self.flat_names.items():
            shape = json.dumps([*[-1] * block.has_rows, *block.shape])
            given = f"{self.path_of[block]}, {json.dumps(block.name)}, {shape}"
            lines.append(f"const {own} = numbers({given});")
            if block.has_rows:
                rows.append(f"{own}.length / {max(1, len(block.inputs))}")
        if rows:
            lines.append(f"const n = rows_of([{', '.join(rows)}]);")
        filled = self.outputs(kind)[function.returns :]
        lines += [f"const {x} = new Float64Array({_size(shape)});" for x, shape in filled]
        names = [*["n"] * bool(rows), *self.flat_names.values(), *[x for x, _ in filled]]
        call = f"{function.name}({', '.join(names)})"
        lines.append(f"const {self.out} = {call};" if function.returns else f"{call};")
        lines.append(f"return {self._returned(kind)};")
        given = ", ".join([name for name, _ in self.arguments])
        head = broken(f"export function {super().called(kind)}({given}) {{", "    ")
        body = [part for line in lines for part in broken(f"  {line}", "    ")]
        return "\n".join([*head, *body, "}"])

    def _returned(self, kind: str) -> str:
        first = next((self.path_of[block] for block in self.given if block.has_rows), "[]")
        count = len(self.program.outputs)
        if self.request.predict:
            of = first if self.has_rows else self.arguments[0][0]
            return f"like({of}, {self.out}, [{'n, ' * self.has_rows}{count}])"
        values = [f"{self.out}[{i}]" for i in range(count)]
        if self.functions[kind].returns:
            values = [self.out]
        if self.per_row:
            parts = [_part(self.out, i, count, "n") for i in range(count)]
            values = [f"like({first}, {part}, [n])" for part in parts]
        groups = [self._gradient(i, kind) for i in range(count if kind != "value" else 0)]
        texts = [WRITTEN.outputs(self.traces, iter(x)) for x in (values, groups) if x]
        return texts[0] if kind == "value" else f"[{', '.join(texts)}]"

    def _gradient(self, turn: int, kind: str) -> str:
        """The slopes of an output in the structure of what they are by."""
        count, slopes = len(self.program.outputs), []
        for block, (name, shape) in zip(self.wrt, self.outputs(kind)[1:]):
            shape = shape[kind == "jacobian" :]
            part = _part(name, turn, count, _size(shape))
            listed = ", ".join(map(str, shape))
            slopes.append(f"like({self.path_of[block]}, {part}, [{listed}])")
        return WRITTEN.gradient(self.traces, iter(slopes))

    # -------------------------------------------------------------- the comment

    def comment(self) -> str:
        """The comment on what is in the file."""
        *first, last = description(self.request, self.kinds, "it needs nothing")
        results = {"value": "value", "value_and_grad": "[value, slopes]"}
        given, kinds = ", ".join([name for name, _ in self.arguments]), list[str]()
        for kind in self.kinds:
            got = "outputs" if self.request.predict else results.get(kind, "[values, slopes]")
            kinds.append(f"    {super().called(kind)}({given}) -> {got}")
        shapes = [f"- {path} is {shape_text(block)}." for block, path in self.path_of.items()]
        shapes.append("Arrays are nested, or a Float64Array in row order; slopes come as these do.")
        name = super().called(self.kinds[-1])
        call = f"    {name}({', '.join(self._example())})"
        if len(call) > LONGEST:
            call = f"    {name}({given})"
        example = [f'    import {{ {name} }} from "./FILE.js";', *broken(call, "    ", ", ", 96)]
        paragraphs = ["\n".join(kinds), "\n".join(shapes), last]
        return commented([*first, *paragraphs, "\n".join([IN_NODE, "Example:", *example])])

    def _example(self) -> list[str]:
        """The arguments of a call."""
        texts = []
        for block, numbers in zip(self.given, self.example.values()):
            shape = (self.rows,) * block.has_rows + block.shape
            texts.append(nested(shape, [*map(JAVASCRIPT.literal, numbers)]))
        found = iter(texts)
        return [WRITTEN.built(form, found) for _, form in self.arguments]


def _size(shape: Sequence[int | str]) -> str:
    """The number of numbers of an array, some axes of which are n."""
    size = math.prod([x for x in shape if isinstance(x, int)])
    rows = [x for x in shape if isinstance(x, str)]
    return " * ".join([*[str(size)] * (size != 1 or not rows), *rows])


def _part(name: str, turn: int, count: int, size: str) -> str:
    """One of so many parts of an array, of some size."""
    return f"{name}.subarray({turn} * {size}, {turn + 1} * {size})" if count > 1 else name
