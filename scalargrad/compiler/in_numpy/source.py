"""Rolled programs as NumPy: a vector a line, layers as matrix products, rows of data as the leading axis.   (floor 3)

A vector of n steps is an array of shape (n,), or (rows, n) where it carries rows. What its operands are written as
follows from their views: as they are, a slice, a matrix, a gather. A slope that flows from what carries rows to what
does not is summed over the rows; that of a matrix is the product that is derived by hand, `dW2 = dz2.T @ a1`.
"""

from __future__ import annotations

import ast
import re

from ...ops import LISTS
from ..choices import fast
from ..layout import WORD, definition, described, tuple_of
from ..naming import Names
from ..program import Block
from ..roll import Numbers, Rolled, Vector, View, has_rows, pulls, size_of
from ..views import Product, inner, is_all, is_zero, kept, name_of, one_of, product_of, span_of
from .arrays import array_names, array_statements
from .grids import Products, laid, products_of
from .slopes import Slopes
from .text import filled, is_constant, is_number, primary, turned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_VIEW = re.compile(r"spread\(.*\)|\w+(\[[^\[\]]*\]|\.reshape\([^()]*\)|\.swapaxes\([^()]*\))+")
OWN = (
    "rows",
    "each",
    "share",
    "times",
    "beside",
    "scattered",
    "spread",
    "vdot",
    "full",
    "zeros",
    "concatenate",
    "numpy",
)


class Body:
    """The lines of a rolled program: its values, and the slopes of its outputs by blocks; in a function of their own, or `beside` others'.

    `per_row` keeps the rows of all slopes apart; `total` sends exactly 0 where a slope is 0, whatever it meets. `rows` is a name for
    how many rows there are, where there are any.
    """

    def __init__(
        self,
        rolled: Rolled,
        roots: Sequence[Sequence[tuple[Any, int]]] = (),
        per_row: bool = False,
        total: bool = False,
        taken: Sequence[str] = (),
        beside: Body | None = None,
        rows: str = "",
    ) -> None:
        self.rolled, self.per_row, self.total = rolled, per_row, total
        self.pulls = [pulls(rolled, [source for source, _ in root], rolled.wrt) for root in roots]
        self.by: dict[Vector, set[int]] = {}  # the operands that a vector's slopes are by
        for vector, places in (pull for found in self.pulls for pull in found):
            self.by.setdefault(vector, set()).update(places)
        self.names: Names = beside.names if beside else Names({*OWN, *array_names(), *taken})
        self.text: dict[Any, str] = (
            beside.text
            if beside
            else {block: self.names.take(block.name, "a") for block in rolled.blocks}
        )
        self.lines: list[str] = beside.lines if beside else []
        self.constants: dict[str, Any] = beside.constants if beside else {}
        self.known: dict[str, str] = {}  # expression → the name that holds it
        self.locals: dict[Vector, dict[str, str]] = {}
        self.slope_lines: dict[Vector, list[str]] = {}
        self.products: dict[Vector, Product | Products | None] = {}
        self.summed = set() if per_row else _only_added_up(rolled)
        self.rows = rows or next(
            (f"len({self.text[block]})" for block in rolled.blocks if block.has_rows), ""
        )
        for vector in rolled.vectors:
            self.text[vector] = self._value(vector)

    # -------------------------------------------------------------- names

    def name(self, expression: str, wish: str = "") -> str:
        """A name for an expression; the same one for the same expression."""
        if WORD.fullmatch(expression) or is_number(expression):
            return expression
        if expression not in self.known:
            self.known[expression] = name = self.names.take(wish)
            self.lines.append(ast.unparse(ast.parse(f"{name} = {expression}")))
        return self.known[expression]

    def constant(self, array: Any) -> str:
        for name, known in self.constants.items():
            if known.dtype == array.dtype and known.shape == array.shape and (known == array).all():
                return name
        name = self.names.take("", "k")
        self.constants[name] = array
        return name

    def ones(self) -> str:
        """The name of as many ones as there are rows: `ones @ d` is `d.sum(0)`, sooner."""
        return self.name(f"full({self.rows}, 1.0)", "ones")

    # -------------------------------------------------------------- operands

    def _source(self, view: View) -> str:
        """The array that a view looks into, its numbers along the last axis."""
        texts = [self.flat(source) for source in view.sources]
        return texts[0] if len(texts) == 1 else self.name(f"beside({', '.join(texts)})")

    def flat(self, source: Any) -> str:
        """An array with its numbers along the last axis."""
        if isinstance(source, Numbers):
            import numpy

            return self.constant(numpy.array(source.data))
        text = self.text[source]
        if isinstance(source, Block) and len(source.shape) > 1:
            return self.name(
                f"{text}.reshape({self.lead(source.has_rows)}{len(source.inputs)})", f"{text}_flat"
            )
        return text

    def lead(self, carried: bool) -> str:
        """What a shape begins with."""
        return f"{self.rows}, " if carried else ""

    def shape(self, vector: Any, carried: bool) -> str:
        """The shape of a vector, or of the slopes by it, as source."""
        return f"({self.lead(carried)}{size_of(vector)}{'' if carried else ','})"

    def taken(self, view: View, exact: bool = True) -> str:
        """An operand as an array with the axes of the view's index; unless `exact`, one number may stand for all."""
        import numpy

        index, shape = view.index, ", ".join(map(str, view.index.shape))
        only = view.sources[0] if len(view.sources) == 1 else None
        if isinstance(only, Numbers):
            return (
                float.__repr__(only.data[0])
                if only.size == 1 and not exact
                else self.constant(numpy.array(only.data)[index])
            )
        if isinstance(only, Block) and index.shape == only.shape and is_all(index, view.size):
            return self.text[only]
        is_whole = is_all(index, view.size)
        if not is_whole and (laid_out := self._laid_out(view)):
            return laid_out
        source, lead = self._source(view), self.lead(has_rows(view))
        if is_whole:
            return source if index.ndim == 1 else f"{source}.reshape({lead}{shape})"
        if index.ndim == 1 and not exact and (j := one_of(index)) is not None:
            column = (
                ".copy()" if has_rows(view) and isinstance(only, Block) else ""
            )  # columns are read in one go
            return f"{source}[..., {j}:{j + 1}]{column}" if view.size > 1 else source
        if (span := span_of(index.ravel())) is not None:
            return f"{source}[..., {span}]" + (f".reshape({lead}{shape})" if index.ndim > 1 else "")
        return f"{source}[..., {self.constant(index)}]"

    def _laid_out(self, view: View) -> str:
        """A view of all of a source, turned or under a mask; nothing where it is something else."""
        if view.index.ndim < 2 or (found := laid(view)) is None:
            return ""
        lead, shape = self.lead(has_rows(view)), ", ".join(map(str, found.shape))
        text = f"{self.flat(found.source)}.reshape({lead}{shape})"
        if found.mask is not None:
            mask = found.mask.transpose(found.turned_back)
            text = f"where({self.constant(mask)}, {text}, {float.__repr__(found.number)})"
        return turned(text, found.order, bool(lead))

    # -------------------------------------------------------------- values

    def _value(self, vector: Vector) -> str:
        row = vector.row
        if row.name == "dot":
            text = self._dot(vector)
            return self.name(text, name_of(vector, self.text.__getitem__))
        wish = name_of(vector, self.text.__getitem__)
        if row.name == "sum":
            view = inner(vector.operands[0])
            return self.name(f"{primary(self.taken(view))}.sum({self._over(vector, view)})", wish)
        local = self._operands(vector)
        by = (
            tuple(row.operands[place] for place in sorted(self.by.get(vector, ())))
            if row.slopes
            else ()
        )
        lines, self.slope_lines[vector] = array_statements(
            row if self.total else fast(row), by, self.numbers(vector)
        )
        for line in lines:
            name, _, form = line.partition(" = ")
            text = filled(form, local)
            if name == "out" and is_constant(form):  # the same number for all
                text = f"full({self.shape(vector, vector.has_rows)}, {text})"
            local[name] = self.name(text, wish if name == "out" else name)
        self.locals[vector] = local
        return local["out"]

    def numbers(self, vector: Vector) -> dict[str, float]:
        """The operands that are one number for all steps."""
        found = {}
        for name, view in zip(vector.row.operands, vector.operands):
            only = view.sources[0]
            if (
                name not in LISTS
                and len(view.sources) == 1
                and isinstance(only, Numbers)
                and only.size == 1
            ):
                found[name] = only.data[0]
        return found

    def _operands(self, vector: Vector) -> dict[str, str]:
        """The operands under the row's names."""
        return {
            name: self.many(view) if name in LISTS else self.name(self.taken(view, exact=False))
            for name, view in zip(vector.row.operands, vector.operands)
        }

    def many(self, view: View) -> str:
        """A list operand, with an axis for the steps and one for the items."""
        if len(view.index) == 1:
            return self.name(f"{self.taken(View(view.sources, view.index[0]))}[..., None, :]")
        return self.name(self.taken(view))

    def _dot(self, vector: Vector) -> str:
        ws, xs, bias = vector.operands
        product = self.products[vector] = product_of(vector) or products_of(vector)
        behind = "" if is_zero(bias) else f" + {self.taken(bias, exact=False)}"
        if product is None:
            ws, xs = inner(ws), inner(xs)
            left, right = self.name(self.taken(ws)), self.name(self.taken(xs))
            if ws.index.ndim == 1 and not has_rows(ws) and not has_rows(xs):
                return f"({left} @ {right})[None]{behind}"
            if vector in self.summed and has_rows(ws) and has_rows(xs):
                return f"vdot({left}, {right})"
            return f"({left} * {right}).sum({self._over(vector, ws)}){behind}"
        left, right = self.taken(product.left), self.taken(product.right)
        if isinstance(product, Products):
            text = f"{self.name(left)} @ {turned(self.name(right), (0, 2, 1), has_rows(product.right))}"
            text = (
                turned(f"({text})", (1, 0, 2), vector.has_rows) if product.is_woven else f"({text})"
            )
            return f"{text}.reshape({self.lead(vector.has_rows)}{vector.size}){behind}"
        if self.is_stacked(product):
            return f"({self.stacked(product.left)} @ {right}.T).reshape({self.lead(True)}{vector.size}){behind}"
        text = f"{left} @ {right}.{'swapaxes(-1, -2)' if has_rows(product.right) else 'T'}"
        if product.outer > 1:
            carried = has_rows(product.left) or has_rows(product.right)
            text = f"({text}).reshape({self.lead(carried)}{vector.size})"
        return text + behind

    def is_stacked(self, product: Product) -> bool:
        """Whether the lists of all rows meet a matrix that is the same for all, so that they can be taken as one matrix."""
        return product.outer > 1 and has_rows(product.left) and not has_rows(product.right)

    def stacked(self, view: View) -> str:
        """The lists of all rows as one matrix."""
        text = self._source(view) if is_all(view.index, view.size) else primary(self.taken(view))
        return self.name(f"{text}.reshape(-1, {view.index.shape[-1]})")

    def _over(self, vector: Vector, view: View) -> str:
        """What a sum is over: the items of each list, and the rows where nobody reads them apart."""
        return "" if vector in self.summed else f"-1{kept(view)}"

    # -------------------------------------------------------------- slopes

    def slopes(self, number: int, roots: Sequence[tuple[Any, int]], seed: str) -> list[str]:
        """The slopes of the sum of the `number`th roots by the blocks that are differentiated by, as expressions; `seed` that of a root."""
        return Slopes(self, self.pulls[number], roots, seed).by_block


def _only_added_up(rolled: Rolled) -> set[Vector]:
    """The sums that are outputs and that nobody else reads, so that only their sum over the rows is asked for."""
    read = {
        source for vector in rolled.vectors for view in vector.operands for source in view.sources
    }
    ends = [
        vector for vector, _ in rolled.outputs if isinstance(vector, Vector) and vector not in read
    ]
    return {
        vector for vector in ends if vector.has_rows and vector.size == 1 and _is_plain_sum(vector)
    }


def _is_plain_sum(vector: Vector) -> bool:
    """Whether a vector is written as a sum over an axis."""
    return vector.row.name == "sum" or (
        vector.row.name == "dot" and not product_of(vector) and is_zero(vector.operands[2])
    )


# ------------------------------------------------------------------ functions


def function_source(
    rolled: Rolled, name: str, kind: str, reduce: str | None, total: bool = False, of: str = ""
) -> tuple[str, dict[str, Any]]:
    """The source of a function of the blocks, and the constants it reads, by name; `kind` and `reduce` as in `emitters.python`.

    Of a mean it takes one argument more, `rows`: how many there are, where it is given but some of them.
    """
    roots = (
        [rolled.outputs]
        if kind == "value_and_grad"
        else [[place] for place in rolled.outputs]
        if kind == "jacobian"
        else []
    )
    body = Body(rolled, roots, per_row=reduce is None, total=total)
    mean = "" if reduce != "mean" or not body.rows else "rows"
    groups: list[list[str]] = []
    if kind != "value":
        if mean:
            body.lines.append("each = 1.0 / rows")
        seed = "each" if mean else "1.0"
        groups = _owned(
            body, [_named(body, body.slopes(i, root, seed)) for i, root in enumerate(roots)]
        )
    outputs = [output(body, source, j, reduce) for source, j in rolled.outputs]
    if body.rows and reduce is None:  # not views of arguments, or of one another
        outputs = [text if text.startswith("full(") else f"{text}.copy()" for text in outputs]
    values = tuple_of(outputs) if outputs else "()"
    results = [tuple_of(group) for group in groups]
    returned = {
        "value": outputs[0] if len(outputs) == 1 else values,
        "value_and_grad": ", ".join([*outputs, *results]),
        "jacobian": f"{values}, {tuple_of(results)}",
    }[kind]
    blocks = {block: body.text[block] for block in rolled.blocks}
    first = [f"rows = rows or {body.rows}"] if mean else []
    arguments = [*blocks.values(), *(["rows=None"] if mean else [])]
    description = described(rolled, blocks, kind, reduce, total, of)
    return definition(
        name, arguments, description, [*first, *body.lines, f"return {returned}"]
    ), body.constants


def _named(body: Body, slopes: Sequence[str]) -> list[str]:
    """Slopes under the names of what they are by: dW1."""
    return [body.name(text, f"d{body.text[block]}") for block, text in zip(body.rolled.wrt, slopes)]


def _owned(body: Body, groups: list[list[str]]) -> list[list[str]]:
    """Slopes as they are returned: copied where they are arguments, values, constants, one another, or views of any."""
    expressions = {name: text for text, name in body.known.items()}
    taken = {*body.text.values(), *body.constants}
    owned: list[list[str]] = []
    for group in groups:
        owned.append([])
        for block, name in zip(body.rolled.wrt, group):
            is_array = block.shape or (body.rows and (block.has_rows or body.per_row))
            is_shared = name in taken or _VIEW.fullmatch(expressions.get(name, ""))
            owned[-1].append(f"{name}.copy()" if is_array and is_shared else name)
            taken.add(name)
    return owned


def output(body: Body, source: Any, j: int, reduce: str | None) -> str:
    """An output as it is returned: a number, or with rows their mean, their sum, or each."""
    if isinstance(source, Numbers):
        text, carried = float.__repr__(source.data[j]), False
    else:
        carried = source.has_rows
        if carried and reduce is not None and size_of(source) == 1:
            total = body.text[source] if source in body.summed else f"{body.text[source]}.sum()"
            return total + (" / rows" if reduce == "mean" else "")
        text = f"{body.flat(source)}[{'..., ' if carried else ''}{j}]"
    if not body.rows:
        return text
    if reduce is None:
        return text if carried else f"full({body.rows}, {text})"
    if carried:
        return f"{text}.sum()" + (" / rows" if reduce == "mean" else "")
    return f"{text} * {body.rows}" + (" / rows" if reduce == "mean" else "")
