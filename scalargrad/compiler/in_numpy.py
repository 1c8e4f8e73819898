"""Rolled programs as NumPy: a vector a line, layers as matrix products, rows of data as the leading axis.   (floor 3)

A vector of n steps is an array of shape (n,), or (rows, n) where it carries rows. What its operands are written as
follows from their views: as they are, a slice, a matrix, a gather. A slope that flows from what carries rows to what
does not is summed over the rows; that of a matrix is the product that is derived by hand, `dW2 = dz2.T @ a1`.
"""

from __future__ import annotations

import ast
import re

from ..ops import LISTS
from .arrays import array_expression, array_names, array_statements
from .layout import Layout, described, tuple_of
from .naming import Names
from .program import Block
from .roll import Numbers, Rolled, Vector, View, pulls, size_of
from .views import Product, has_rows, is_all, is_same, is_zero, one_of, product_of, span_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_WORD = re.compile(r"\b[A-Za-z_]\w*\b")
_VIEW = re.compile(r"spread\(.*\)|\w+(\[[^\[\]]*\]|\.reshape\([^()]*\)|\.swapaxes\([^()]*\))+")
OWN = ("rows", "each", "share", "times", "beside", "scattered", "spread", "full", "zeros", "concatenate", "numpy")


class Body:
    """The lines of a rolled program: its values, and the slopes of its outputs by blocks; in a function of their own, or `beside` others'.

    `per_row` keeps the rows of all slopes apart; `total` sends exactly 0 where a slope is 0, whatever it meets.
    """

    def __init__(
        self,
        rolled: Rolled,
        roots: Sequence[Sequence[tuple[Any, int]]] = (),
        per_row: bool = False,
        total: bool = False,
        taken: Sequence[str] = (),
        beside: Body | None = None,
    ) -> None:
        self.rolled, self.per_row, self.total = rolled, per_row, total
        self.pulls = [pulls(rolled, [source for source, _ in root], rolled.wrt) for root in roots]
        self.by: dict[Vector, set[int]] = {}  # the operands that a vector's slopes are by
        for vector, places in (pull for found in self.pulls for pull in found):
            self.by.setdefault(vector, set()).update(places)
        self.names: Names = beside.names if beside else Names({*OWN, *array_names(), *taken})
        self.text: dict[Any, str] = beside.text if beside else {block: self.names.take(block.name, "a") for block in rolled.blocks}
        self.lines: list[str] = beside.lines if beside else []
        self.constants: dict[str, Any] = beside.constants if beside else {}
        self.known: dict[str, str] = {}  # expression → the name that holds it
        self.locals: dict[Vector, dict[str, str]] = {}
        self.slope_lines: dict[Vector, list[str]] = {}
        self.products: dict[Vector, Product | None] = {}
        self.rows = next((f"len({self.text[block]})" for block in rolled.blocks if block.has_rows), "")
        for vector in rolled.vectors:
            self.text[vector] = self._value(vector)

    # -------------------------------------------------------------- names

    def name(self, expression: str, wish: str = "") -> str:
        """A name for an expression; the same one for the same expression."""
        if _WORD.fullmatch(expression) or _is_number(expression):
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

    def _wish(self, vector: Vector) -> str:
        """What to call a vector: z1 for a layer with weights W1, a1 for what is made of it alone."""
        if vector.label and vector.size == 1:
            return vector.label
        source = vector.operands[0].sources[0]
        if vector.row.name == "dot" and self.products.get(vector) and isinstance(source, Block) and re.fullmatch(r"[wW]\d*", source.name):
            return f"z{source.name[1:]}"
        is_activation = vector.row.name != "neg" and len(vector.operands) == 1 and isinstance(source, Vector)
        if is_activation and re.fullmatch(r"z\d*", self.text[source]):
            return f"a{self.text[source][1:]}"
        return ""

    # -------------------------------------------------------------- operands

    def _source(self, view: View) -> str:
        """The array that a view looks into, its numbers along the last axis."""
        texts = [self._flat(source) for source in view.sources]
        return texts[0] if len(texts) == 1 else self.name(f"beside({', '.join(texts)})")

    def _flat(self, source: Any) -> str:
        if isinstance(source, Numbers):
            import numpy

            return self.constant(numpy.array(source.data))
        text = self.text[source]
        if isinstance(source, Block) and len(source.shape) > 1:
            return self.name(f"{text}.reshape({self.lead(source.has_rows)}{len(source.inputs)})", f"{text}_flat")
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
            return _literal(only.data[0]) if only.size == 1 and not exact else self.constant(numpy.array(only.data)[index])
        if isinstance(only, Block) and index.shape == only.shape and is_all(index, view.size):
            return self.text[only]
        source, lead = self._source(view), self.lead(has_rows(view))
        if is_all(index, view.size):
            return source if index.ndim == 1 else f"{source}.reshape({lead}{shape})"
        if index.ndim == 1 and not exact and (j := one_of(index)) is not None:
            column = ".copy()" if has_rows(view) and isinstance(only, Block) else ""  # columns are read in one go
            return f"{source}[..., {j}:{j + 1}]{column}" if view.size > 1 else source
        if (span := span_of(index.ravel())) is not None:
            return f"{source}[..., {span}]" + (f".reshape({lead}{shape})" if index.ndim > 1 else "")
        if index.ndim == 2 and is_all(index.T, view.size):
            return f"{source}.reshape({lead}{index.shape[1]}, {index.shape[0]}).swapaxes(-1, -2)"
        return f"{source}[..., {self.constant(index)}]"

    # -------------------------------------------------------------- values

    def _value(self, vector: Vector) -> str:
        row = vector.row
        if row.name == "dot":
            text = self._dot(vector)
            return self.name(text, self._wish(vector))
        wish = self._wish(vector)
        if row.name == "sum":
            view = inner(vector.operands[0])
            return self.name(f"{_primary(self.taken(view))}.sum(-1{_kept(view)})", wish)
        local = self._operands(vector)
        by = tuple(row.operands[place] for place in sorted(self.by.get(vector, ()))) if row.slopes else ()
        lines, self.slope_lines[vector] = array_statements(row if self.total or row.fast is None else row.fast, by, self.numbers(vector))
        for line in lines:
            name, _, form = line.partition(" = ")
            text = filled(form, local)
            if name == "out" and _is_constant(form):  # the same number for all
                text = f"full({self.shape(vector, vector.has_rows)}, {text})"
            local[name] = self.name(text, wish if name == "out" else name)
        self.locals[vector] = local
        return local["out"]

    def numbers(self, vector: Vector) -> dict[str, float]:
        """The operands that are one number for all steps."""
        found = {}
        for name, view in zip(vector.row.operands, vector.operands):
            only = view.sources[0]
            if name not in LISTS and len(view.sources) == 1 and isinstance(only, Numbers) and only.size == 1:
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
        product = self.products[vector] = product_of(vector)
        behind = "" if is_zero(bias) else f" + {self.taken(bias, exact=False)}"
        if product is None:
            ws, xs = inner(ws), inner(xs)
            left, right = self.name(self.taken(ws)), self.name(self.taken(xs))
            if ws.index.ndim == 1 and not has_rows(ws) and not has_rows(xs):
                return f"({left} @ {right})[None]{behind}"
            return f"({left} * {right}).sum(-1{_kept(ws)}){behind}"
        left, right = self.taken(product.left), self.taken(product.right)
        text = f"{left} @ {right}.{'swapaxes(-1, -2)' if has_rows(product.right) else 'T'}"
        if product.outer > 1:
            carried = has_rows(product.left) or has_rows(product.right)
            text = f"({text}).reshape({self.lead(carried)}{vector.size})"
        return text + behind

    # -------------------------------------------------------------- slopes

    def slopes(self, number: int, roots: Sequence[tuple[Any, int]], seed: str) -> list[str]:
        """The slopes of the sum of the `number`th roots by the blocks that are differentiated by, `seed` the slope of each root."""
        return _Slopes(self, self.pulls[number], roots, seed).by_block


class _Slopes:
    """The walk back: for each source what was sent to it, put together when all its readers have sent."""

    def __init__(self, body: Body, found: list[tuple[Vector, list[int]]], roots: Sequence[tuple[Any, int]], seed: str) -> None:
        self.body = body
        self.sent: dict[Any, list[tuple[Any, str]]] = {}  # for each source: indices into it, and what goes there
        rolled = body.rolled
        self.seeds: dict[Any, str] = {}
        for source, j in roots:
            if not isinstance(source, Numbers):
                self._seed(source, j, seed)
        for vector, places in found:
            alone = vector in self.seeds and len(self.sent[vector]) == 1 and vector.size == 1 and self._is_full(vector)
            slope = self.seeds[vector] if alone else body.name(self._together(vector), f"d{body.text[vector]}")
            self._send(vector, places, slope)
        self.by_block = [body.name(self._block(block), f"d{body.text[block]}") for block in rolled.wrt]

    def _carries(self, source: Any) -> bool:
        """Whether slopes by a source have rows."""
        return bool(self.body.rows) and (source.has_rows or self.body.per_row)

    def _seed(self, source: Any, j: int, seed: str) -> None:
        import numpy

        rows = self.body.rows
        if rows and not self._carries(source):
            text = f"full(1, {seed} * {rows})"  # the same in each row
        else:
            text = f"full(({self.body.lead(self._carries(source))}1), {seed})" if self._carries(source) else f"full(1, {seed})"
        self.sent.setdefault(source, []).append((numpy.array([j]), text))
        if self._carries(source) or not rows:
            self.seeds[source] = seed

    def _is_full(self, vector: Vector) -> bool:
        """Whether partial × number has the shape of all slopes, so that a seed need not be spelled out."""
        if vector.row.name == "dot":
            return self.body.products[vector] is None and is_zero(vector.operands[2]) and self._alike(vector, vector.operands[:2])
        if vector.row.sends or vector.row.takes_lists or any(slope in ("1.0", "-1.0") for slope in vector.row.slopes or ()):
            return False
        return self._alike(vector, [view for view in vector.operands if not isinstance(view.sources[0], Numbers)])

    def _alike(self, vector: Vector, views: Sequence[View]) -> bool:
        return all(has_rows(view) == vector.has_rows == self._carries(vector) for view in views)

    def _block(self, block: Block) -> str:
        """The slopes by a block in its shape."""
        lead = self.body.lead(self._carries(block))
        sent = self.sent.get(block, [])
        if len(sent) == 1 and sent[0][0].shape == block.shape and is_all(sent[0][0], size_of(block)):
            return sent[0][1]
        text = self._together(block)
        if not block.shape:
            return f"{_primary(text)}.reshape({self.body.rows})" if lead else f"{_primary(text)}[0]"
        return text if len(block.shape) == 1 else f"{_primary(text)}.reshape({lead}{', '.join(map(str, block.shape))})"

    def _together(self, source: Any) -> str:
        """What was sent to a source, as one array with its numbers along the last axis."""
        size, lead = size_of(source), self.body.lead(self._carries(source))
        sent = self.sent.get(source, [])
        flat = [(index.ravel(), text if index.ndim == 1 else self._ravelled(text, index, lead)) for index, text in sent]
        whole = [text for index, text in flat if is_all(index, size)]
        parts = [(index, text) for index, text in flat if not is_all(index, size)]
        if parts:
            whole.insert(0, self._scattered(parts, size, lead))
        return " + ".join(whole) if whole else f"zeros(({lead}{size},))"

    def _ravelled(self, text: str, index: Any, lead: str) -> str:
        return f"({text}).reshape({lead}{index.size})"

    def _scattered(self, parts: list[tuple[Any, str]], size: int, lead: str) -> str:
        """Several parts of a source as one array: side by side where they make it up, else added up at their places."""
        import numpy

        at: dict[bytes, tuple[Any, list[str]]] = {}
        for index, text in parts:
            at.setdefault(index.tobytes(), (index, []))[1].append(text)
        parts = sorted(((index, " + ".join(texts)) for index, texts in at.values()), key=lambda part: int(part[0][0]))
        index = numpy.concatenate([index for index, _ in parts])
        texts = [text for _, text in parts]
        beside = texts[0] if len(texts) == 1 else f"concatenate(({', '.join(texts)}), axis=-1)"
        if is_all(index, size):
            return beside
        times = len(index) // size
        if times > 1 and len(index) == times * size and (index == numpy.arange(len(index)) // times).all():
            return f"{_primary(beside)}.reshape({lead}{size}, {times}).sum(-1)"
        return f"scattered({beside}, {self.body.constant(index)}, {size})"

    # -------------------------------------------------------------- what a vector sends

    def _send(self, vector: Vector, places: list[int], slope: str) -> None:
        if vector.row.name == "dot":
            self._send_dot(vector, places, slope)
        elif vector.row.name == "sum":
            view = inner(vector.operands[0])
            shape = ", ".join(map(str, view.index.shape))
            text = slope if view.index.ndim == 1 else f"{slope}[..., None]"
            self._to(view, f"spread({text}, ({self.body.lead(self._carries(vector))}{shape}))", self._carries(vector))
        else:
            self._send_row(vector, places, slope)

    def _to(self, view: View, text: str, carried: bool) -> None:
        """Send what has the shape of a view's index to where the view looks."""
        import numpy

        body, begin = self.body, 0
        if sum(not isinstance(source, Numbers) for source in view.sources) > 1:
            text = body.name(text)
        for source in view.sources:
            size = size_of(source)
            inside = (view.index >= begin) & (view.index < begin + size)
            at, part = view.index - begin, text
            begin += size
            if isinstance(source, Numbers) or not inside.any():
                continue
            if carried and not self._carries(source):
                part = f"{_primary(part)}.sum(0)"
            if not inside.all():
                lead = body.lead(carried and self._carries(source))
                part = part if inside.ndim == 1 else f"{_primary(part)}.reshape({lead}{inside.size})"
                places = numpy.flatnonzero(inside)
                part = f"{_primary(part)}[..., {span_of(places) or body.constant(places)}]"
                at = at[inside]
            if at.ndim == 1 and len(at) > 1 and one_of(at) is not None:
                part, at = f"{_primary(part)}.sum(-1, keepdims=True)", at[:1]
            self.sent.setdefault(source, []).append((at, part))

    def _send_row(self, vector: Vector, places: list[int], slope: str) -> None:
        """What rows send whose slopes are their texts."""
        body, row = self.body, vector.row
        local = dict(body.locals[vector])
        if row.sends:
            for place in places:
                text = filled(array_expression(row.sends[place]), {**local, "d": slope})
                self._to(vector.operands[place], text, self._carries(vector))
            return
        by = tuple(row.operands[place] for place in places)
        partials = {f"d{name}" for name in row.operands}
        for line in body.slope_lines[vector]:
            name, _, form = line.partition(" = ")
            text = filled(form, local)
            local[name] = text if name in partials else body.name(text, name)
        for name, place in zip(by, places):
            partial = body.name(local[f"d{name}"], "s") if len(body.pulls) > 1 else local[f"d{name}"]
            if name not in LISTS and slope == self.seeds.get(vector) and _is_constant(partial):
                text = f"full({body.shape(vector, self._carries(vector))}, {self._share(partial, slope)})"
                self._to(vector.operands[place], text, self._carries(vector))
                continue
            if slope == self.seeds.get(vector) and (_is_constant(partial) or "mended" in local[f"d{name}"]):  # it may be a plain number
                slope = f"full({body.shape(vector, self._carries(vector))}, {slope})"
            text = self._share(partial, f"{slope}[..., None]" if name in LISTS else slope)
            self._to(vector.operands[place], text, self._carries(vector))

    def _share(self, partial: str, slope: str) -> str:
        """partial × slope; in total arithmetic 0 where the slope is 0."""
        if partial in ("1.0", "-1.0"):
            return slope if partial == "1.0" else f"-{slope}"
        if slope == "1.0":
            return partial
        if self.body.total:
            return f"share({partial}, {slope})"
        return f"{_primary(partial)} * {slope}"

    def _send_dot(self, vector: Vector, places: list[int], slope: str) -> None:
        body, product = self.body, self.body.products[vector]
        ws, xs, bias = vector.operands
        carried = self._carries(vector)
        if 2 in places:
            self._to(bias, slope, carried)
        if product is None:
            ws, xs = inner(ws), inner(xs)
            spread = slope if ws.index.ndim == 1 else f"{slope}[..., None]"
            if is_same(ws, xs):  # a sum of squares
                self._to(ws, self._share(f"2.0 * {body.taken(ws)}", spread), carried)
                return
            for view, place, other in ((ws, 0, xs), (xs, 1, ws)):
                if place in places:
                    self._to(view, self._share(body.taken(other), spread), carried)
            return
        of_left, of_right = [place in places for place in product.places]
        left = body.name(body.taken(product.left)) if of_right else ""  # each meets the slopes of the other
        right = body.name(body.taken(product.right)) if of_left else ""
        rows_of_left, rows_of_right = has_rows(product.left), has_rows(product.right)
        if product.outer > 1:
            slope = body.name(f"{slope}.reshape({body.lead(carried)}{product.outer}, {product.inner})")
        for side, place in zip(("left", "right"), product.places):
            if place not in places:
                continue
            if side == "left":
                self._to(product.left, self._times(slope, right), carried)
            elif carried and not body.per_row and not rows_of_right and rows_of_left and product.outer == 1:
                self._to(product.right, self._times(f"{slope}.T", left), False)
            elif product.outer == 1:
                self._to(product.right, self._share(f"{left}[..., None, :]", f"{slope}[..., :, None]"), carried)
            else:
                self._to(product.right, self._times(f"{slope}.swapaxes(-1, -2)", left), carried)

    def _times(self, slope: str, matrix: str) -> str:
        """The matrix product of slopes and partials."""
        return f"times({slope}, {matrix})" if self.body.total else f"{slope} @ {matrix}"


def inner(view: View) -> View:
    """The one list of a view that has but one, without an axis for the steps."""
    return View(view.sources, view.index[0]) if len(view.index) == 1 else view


def _kept(view: View) -> str:
    return ", keepdims=True" if view.index.ndim == 1 else ""


class _Fill(ast.NodeTransformer):
    """Writes expressions in place of names, but for those that a lambda binds."""

    def __init__(self, local: dict[str, str]) -> None:
        self.local = {name: ast.parse(text, mode="eval").body for name, text in local.items()}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.local.get(node.id, node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        bound = {argument.arg for argument in node.args.args}
        inner = _Fill({})
        inner.local = {name: text for name, text in self.local.items() if name not in bound}
        node.body = inner.visit(node.body)
        return node


def filled(form: str, local: dict[str, str]) -> str:
    """A row's expression with the texts of this vector for its names."""
    return ast.unparse(_Fill(local).visit(ast.parse(form, mode="eval").body))


def _primary(text: str) -> str:
    """An expression that can stand before a dot or an operator."""
    return text if re.fullmatch(r"[\w.]+|\w+\([^()]*\)|\w+(\[[^\[\]]*\])+", text) and text[0] != "-" else f"({text})"


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"-?[\d.]+(e-?\d+)?|inf|nan|-inf", text))


def _is_constant(text: str) -> bool:
    """Whether an expression reads no name."""
    return not _WORD.search(re.sub(r"\b(inf|nan|\d[\d.]*e[+-]?\d+)\b", "0", text))


def _literal(number: float) -> str:
    return float.__repr__(number)


# ------------------------------------------------------------------ functions


def function_source(
    rolled: Rolled, name: str, kind: str, reduce: str | None, total: bool = False, of: str = ""
) -> tuple[str, dict[str, Any]]:
    """The source of a function of the blocks, and the constants it reads, by name; `kind` and `reduce` as in `in_python`.

    Of a mean it takes one argument more, `rows`: how many there are, where it is given but some of them.
    """
    roots = [rolled.outputs] if kind == "value_and_grad" else [[output] for output in rolled.outputs] if kind == "jacobian" else []
    body = Body(rolled, roots, per_row=reduce is None, total=total)
    mean = "" if reduce != "mean" or not body.rows else "rows"
    groups: list[list[str]] = []
    if kind != "value":
        if mean:
            body.lines.append("each = 1.0 / rows")
        seed = "each" if mean else "1.0"
        groups = _owned(body, [body.slopes(i, root, seed) for i, root in enumerate(roots)])
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
    return Layout.function(name, arguments, description, [*first, *body.lines, f"return {returned}"]), body.constants


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
        text, carried = _literal(source.data[j]), False
    else:
        carried = source.has_rows
        if carried and reduce is not None and size_of(source) == 1:
            return f"{body.text[source]}.sum()" + (" / rows" if reduce == "mean" else "")
        text = f"{body.text[source]}[{'..., ' if carried else ''}{j}]"
    if not body.rows:
        return text
    if reduce is None:
        return text if carried else f"full({body.rows}, {text})"
    if carried:
        return f"{text}.sum()" + (" / rows" if reduce == "mean" else "")
    return f"{text} * {body.rows}" + (" / rows" if reduce == "mean" else "")
