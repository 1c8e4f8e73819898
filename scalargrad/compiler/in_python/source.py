"""Programs as straight-line Python: the standard library alone, bit for bit what Values compute.   (floor 3)

Each function is written twice. The raw one calls `math` and divides as it is, which raises where IEEE 754 has
inf or nan, and multiplies by each slope; when it raises, or a gradient is not finite, the total one answers, in which
nothing raises and a slope of exactly 0 sends 0. `body` has the expressions, `lines` makes lines of them; small programs are laid
out here as one function, large ones by `in_parts`.
"""

from __future__ import annotations

import itertools
import math

from ...arithmetic.total import ERRORS
from ...rows.text import FAST_NAMES, TOTAL_NAMES, run_pieces
from ..forms import PRODUCT, Form
from ..layout import definition, index_of, nested, pattern, sum_of, targets, zeros
from ..naming import is_word
from .layout import Layout
from .parts import LARGE, in_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..program import Block, Input, Program

MANY = 256  # numbers of an argument that is always unpacked
_counter = itertools.count(1)


def function_source(
    program: Program, name: str, kind: str, reduce: str | None, total: bool = False, of: str = ""
) -> tuple[list[str], dict[str, float]]:
    """The source of a function of the program's blocks, in one piece or several, and the constants it reads, by name.

    `of` is the name of the function that was compiled; `kind` and `reduce` are as in `Layout`.

    >>> from scalargrad.compiler.program import Block, Program, Step
    >>> from scalargrad.ops import OPS
    >>> x, y = Block("x", (), wrt=True), Block("y", ())
    >>> product = Program([x, y], [Step(OPS["mul"], (x.inputs[0], y.inputs[0]))])
    >>> print(*function_source(product, "f", "value", None, of="area")[0])
    def f(x, y):
        \"\"\"The value of area.
    <BLANKLINE>
        x, y: numbers.
        \"\"\"
        return x * y
    <BLANKLINE>
    """
    layout = Layout(program, kind, reduce, total)
    if layout.lines.count() > LARGE:
        pieces = in_parts(layout, name, of)
    else:
        lines = _by_rows(layout) if layout.carried else _once(layout)
        pieces = [definition(name, layout.arguments.values(), layout.description(of), lines)]
    return pieces, layout.lines.numbers


def _once(layout: Layout) -> list[str]:
    """The lines of a function of arguments without rows."""
    _return(layout, "return %s")
    patterns, order = _patterns(layout)
    return [*_apart(layout, patterns), *layout.lines.written(order)[1]]


def _by_rows(layout: Layout) -> list[str]:
    """The lines of a function that run once for each row, and those around them."""
    lines, before, after = layout.lines, [], []
    if layout.reduce is None:
        values = layout.names.take("values")
        before, after = [f"{values} = []"], [f"return {values}"]
        _return(
            layout, f"{values}.append(%s)" if layout.kind == "value" else f"{values}.append((%s))"
        )
    else:
        (share, before), totals = layout.share(), layout.totals()
        before += [f"{name} = 0.0" for name in totals]
        for name, x in zip(totals, layout.body.outputs):
            lines.say(Form.line(f"{name} += %s"), (x,))
        slopes = [
            _summed(layout, group, names, share, before, after)
            for group, names in zip(layout.groups, layout.slope_names())
        ]
        after.append("return " + layout.joined([f"{name}{share}" for name in totals], slopes))
    patterns, order = _patterns(layout)
    fixed, inner = lines.written(order)
    loop = [f"    {part}" for line in inner for part in line.split("\n")]
    return [
        *_apart(layout, patterns),
        *before,
        *fixed,
        f"for {_rows(layout, patterns)}:",
        *loop,
        *after,
    ]


def _return(layout: Layout, statement: str) -> None:
    """Lines with the slopes by each block, the check that they are finite, and a statement for what is returned."""
    lines = layout.lines
    slopes: list[list[str]] = []
    read: list[int] = []
    for group, names in zip(layout.groups, layout.slope_names(arrays_only=True)):
        slopes.append([])
        checked: list[
            tuple[str, list[int]]
        ] = []  # what is added up in the check, and what that reads
        for block, own in layout.by_block(group):
            name = names.get(block, "%s")
            slopes[-1].append(name)
            if block.shape:
                lines.say(Form.line(f"{name} = {nested(block.shape, ['%s'] * len(own))}"), own)
            else:
                lines.named.update(own)
                read += own
            if any(x not in lines.known for x in own):
                checked.append((sum_of(block.shape, name), [] if block.shape else own))
        if checked and not layout.total:
            lines.say(
                Form.line(layout.check([text for text, _ in checked])),
                [x for _, own in checked for x in own],
            )
    lines.say(
        Form.line(statement % layout.joined(["%s"] * len(layout.body.outputs), slopes)),
        [*layout.body.outputs, *read],
    )


def _summed(
    layout: Layout,
    group: list[int],
    names: dict[Block, str],
    share: str,
    before: list[str],
    after: list[str],
) -> list[str]:
    """Add up slopes over the rows, or list them for what carries rows itself; what is to be returned of them."""
    lines = layout.lines
    results, summed, checked = [], [], []
    for block, own in layout.by_block(group):
        name, is_known = names[block], all(x in lines.known for x in own)
        results.append(name)
        if block.has_rows:
            before.append(f"{name} = []")
            if not is_known and not layout.total:
                lines.say(Form.line(layout.check(["%s"] * len(own))), own)
            lines.say(
                Form.line(
                    f"{name}.append({nested(block.shape, [f'%s{share}'] * len(own))})", PRODUCT
                ),
                own,
            )
            continue
        items = ["0.0"] * len(own)
        for i, (x, slope) in enumerate(zip(block.inputs, own)):
            if slope != lines.zero:
                items[i] = layout.names.take(f"d{_item(layout, x)}") if block.shape else name
                lines.say(Form.line(f"{items[i]} += %s"), (slope,))
                summed.append(items[i])
                items[i] += share
        if block.shape:
            after.append(f"{name} = {nested(block.shape, items)}")
        else:
            results[-1] = items[0]
        if not is_known:
            checked.append(sum_of(block.shape, name))
    before += zeros(summed)
    if checked and not layout.total:
        after.append(layout.check(checked))
    return results


# ------------------------------------------------------------------ arguments taken apart


def _patterns(layout: Layout) -> tuple[dict[Block, str], list[int]]:
    """What each block is unpacked into, now that it is decided what is read, and the order of what is."""
    order = layout.lines.decided()
    return {block: _pattern(layout, block) for block in layout.program.blocks}, order


def _pattern(layout: Layout, block: Block) -> str:
    """Name the numbers of a block that are read, and say what it is unpacked into.

    A large block whose numbers are read but once, as are the weights of a first layer, is unpacked into rows, whose numbers are read by
    their places: W1_0[2].
    """
    texts, counts, names = layout.lines.texts, layout.lines.counts, layout.names
    places = [layout.body.at[x] for x in block.inputs]
    if len(block.shape) == 2 and len(places) > MANY and max([counts[i] for i in places]) == 1:
        rows = [names.take(f"{layout.arguments[block]}_{k}") for k in range(block.shape[0])]
        for k, i in enumerate(places):
            texts[i] = f"{rows[k // block.shape[1]]}[{k % block.shape[1]}]"
        return pattern(block.shape[:1], rows)
    for x, i in zip(block.inputs, places):
        if counts[i]:
            is_whole = not block.shape and not block.has_rows
            texts[i] = layout.arguments[block] if is_whole else names.take(_item(layout, x))
    return pattern(block.shape, [texts[i] for i in places])


def _item(layout: Layout, x: Input) -> str:
    """The name to wish for of a number of the arguments: W1_0_2."""
    name = layout.arguments[x.block]
    return (
        "_".join([name, *map(str, index_of(x))])
        if x.block.shape
        else f"{name}_i"
        if x.block.has_rows
        else name
    )


def _apart(layout: Layout, patterns: dict[Block, str]) -> list[str]:
    """The lines that take apart the blocks that carry no rows."""
    return [
        f"{text} = {layout.arguments[block]}"
        for block, text in patterns.items()
        if block.shape and not block.has_rows and text != "_"
    ]


def _rows(layout: Layout, patterns: dict[Block, str]) -> str:
    """What a loop over the rows of blocks reads."""
    names = [layout.arguments[block] for block in layout.carried]
    if len(names) == 1:
        return f"{patterns[layout.carried[0]]} in {names[0]}"
    return f"{targets(map(patterns.__getitem__, layout.carried))} in zip({', '.join(names)})"


# ------------------------------------------------------------------ running it


class PythonFunction:
    """A program as a function of its blocks' contents, lists and floats: the raw one, and the total one when that raises.

    It returns a tuple of outputs for the kind "value", whatever their number, and else what the generated function returns.
    """

    def __init__(self, program: Program, name: str, kind: str, reduce: str | None) -> None:
        self._program, self._kind, self._reduce = program, kind, reduce
        self._of = name if is_word(name) else ""
        self._is_single = kind == "value" and len(program.outputs) == 1
        self._by_row = reduce is None and any(block.has_rows for block in program.blocks)
        self._total: Callable[..., Any] | None = None
        self.raw, self.source = self._made(False)

    def _made(self, total: bool) -> tuple[Callable[..., Any], str]:
        """The generated function, and its source."""
        pieces, numbers = function_source(
            self._program, self._kind, self._kind, self._reduce, total, self._of
        )
        names = {**(TOTAL_NAMES if total else FAST_NAMES), **numbers, "isfinite": math.isfinite}
        run_pieces(
            pieces,
            f"<scalargrad {'total ' * total}{self._kind} of {self._of} {next(_counter)}>",
            names,
        )
        return names[self._kind], "\n\n".join(pieces)

    def __call__(self, contents: Sequence[Any]) -> Any:
        try:
            result = self.raw(*contents)
        except ERRORS:
            if self._total is None:
                self._total, _ = self._made(True)
            result = self._total(*contents)
        if not self._is_single:
            return result
        return [(value,) for value in result] if self._by_row else (result,)
