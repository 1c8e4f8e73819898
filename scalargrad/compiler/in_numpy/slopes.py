"""The slopes of a rolled program as NumPy: the walk back, vector by vector, and where each share goes.   (floor 3)"""

from __future__ import annotations

from ...ops import LISTS
from ..choices import sends
from ..program import Block
from ..roll import Numbers, Vector, View, has_rows, size_of
from ..views import inner, is_all, is_same, is_zero, one_of, span_of
from .arrays import array_expression
from .grids import Products, laid, masked
from .text import factored, filled, is_constant, is_number, names_in, primary, turned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .source import Body


class Slopes:
    """The walk back: for each source what was sent to it, put together when all its readers have sent."""

    def __init__(
        self,
        body: Body,
        found: list[tuple[Vector, list[int]]],
        roots: Sequence[tuple[Any, int]],
        seed: str,
    ) -> None:
        self.body = body
        self.sent: dict[
            Any, list[tuple[Any, str]]
        ] = {}  # for each source: indices into it, and what goes there
        rolled = body.rolled
        self.seeds: dict[Any, str] = {}
        for source, j in roots:
            if not isinstance(source, Numbers):
                self._seed(source, j, seed)
        for vector, places in found:
            alone = (
                vector in self.seeds
                and len(self.sent[vector]) == 1
                and vector.size == 1
                and self._is_full(vector)
            )
            slope = (
                self.seeds[vector]
                if alone
                else body.name(self._together(vector), f"d{body.text[vector]}")
            )
            self._send(vector, places, slope)
        self.by_block = [self._block(block) for block in rolled.wrt]

    def _carries(self, source: Any) -> bool:
        """Whether slopes by a source have rows."""
        return bool(self.body.rows) and (source.has_rows or self.body.per_row)

    def _seed(self, source: Any, j: int, seed: str) -> None:
        import numpy

        rows = self.body.rows
        if rows and not self._carries(source):
            text = f"full(1, {seed} * {rows})"  # the same in each row
        else:
            text = (
                f"full(({self.body.lead(self._carries(source))}1), {seed})"
                if self._carries(source)
                else f"full(1, {seed})"
            )
        self.sent.setdefault(source, []).append((numpy.array([j]), text))
        if self._carries(source) or not rows:
            self.seeds[source] = seed

    def _is_full(self, vector: Vector) -> bool:
        """Whether partial × number has the shape of all slopes, so that a seed need not be spelled out."""
        if vector.row.name == "dot":
            return (
                self.body.products[vector] is None
                and is_zero(vector.operands[2])
                and self._alike(vector, vector.operands[:2])
            )
        if sends(vector.row) or vector.row.takes_lists:
            return False
        return self._alike(
            vector, [view for view in vector.operands if not isinstance(view.sources[0], Numbers)]
        )

    def _alike(self, vector: Vector, views: Sequence[View]) -> bool:
        return all(has_rows(view) == vector.has_rows == self._carries(vector) for view in views)

    def _block(self, block: Block) -> str:
        """The slopes by a block in its shape."""
        lead = self.body.lead(self._carries(block))
        sent = self.sent.get(block, [])
        if (
            len(sent) == 1
            and sent[0][0].shape == block.shape
            and is_all(sent[0][0], size_of(block))
        ):
            return sent[0][1]
        text = self._together(block)
        if not block.shape:
            return f"{primary(text)}.reshape({self.body.rows})" if lead else f"{primary(text)}[0]"
        return (
            text
            if len(block.shape) == 1
            else f"{primary(text)}.reshape({lead}{', '.join(map(str, block.shape))})"
        )

    def _together(self, source: Any) -> str:
        """What was sent to a source, as one array with its numbers along the last axis."""
        size, lead = size_of(source), self.body.lead(self._carries(source))
        sent = self.sent.get(source, [])
        flat = [self._ravelled(text, index, source, lead) for index, text in sent]
        whole = [text for index, text in flat if is_all(index, size)]
        parts = [(index, text) for index, text in flat if not is_all(index, size)]
        if parts:
            whole.insert(0, self._scattered(parts, size, lead))
        return " + ".join(whole) if whole else f"zeros(({lead}{size},))"

    def _ravelled(self, text: str, index: Any, source: Any, lead: str) -> tuple[Any, str]:
        """What was sent along one axis, and its index."""
        if index.ndim == 1:
            return index, text
        found = laid(View((source,), index))
        if found is None:
            return index.ravel(), f"({text}).reshape({lead}{index.size})"
        back = found.turned_back
        return found.index.transpose(
            back
        ).ravel(), f"{turned(f'({text})', back, bool(lead))}.reshape({lead}{index.size})"

    def _scattered(self, parts: list[tuple[Any, str]], size: int, lead: str) -> str:
        """Several parts of a source as one array: side by side where they make it up, else added up at their places."""
        import numpy

        at: dict[bytes, tuple[Any, list[str]]] = {}
        for index, text in parts:
            at.setdefault(index.tobytes(), (index, []))[1].append(text)
        parts = sorted(
            ((index, " + ".join(texts)) for index, texts in at.values()),
            key=lambda part: int(part[0][0]),
        )
        index = numpy.concatenate([index for index, _ in parts])
        texts = [text for _, text in parts]
        beside = texts[0] if len(texts) == 1 else f"concatenate(({', '.join(texts)}), axis=-1)"
        if is_all(index, size):
            return beside
        times = len(index) // size
        if (
            times > 1
            and len(index) == times * size
            and (index == numpy.arange(len(index)) // times).all()
        ):
            return f"{primary(beside)}.reshape({lead}{size}, {times}).sum(-1)"
        return f"scattered({beside}, {self.body.constant(index)}, {size})"

    # -------------------------------------------------------------- what a vector sends

    def _send(self, vector: Vector, places: list[int], slope: str) -> None:
        if vector.row.name == "dot":
            self._send_dot(vector, places, slope)
        elif vector.row.name == "sum":
            view = inner(vector.operands[0])
            shape = ", ".join(map(str, view.index.shape))
            text = slope if view.index.ndim == 1 else f"{slope}[..., None]"
            if not masked(view):  # a mask has that shape
                text = f"spread({text}, ({self.body.lead(self._carries(vector))}{shape}))"
            self._to(view, text, self._carries(vector))
        else:
            self._send_row(vector, places, slope)

    def _to(self, view: View, text: str, carried: bool) -> None:
        """Send what has the shape of a view's index to where the view looks."""
        import numpy

        body, begin = self.body, 0
        if found := masked(view):
            part = f"where({body.constant(found.mask)}, {text}, 0.0)"
            summed = carried and not self._carries(found.source)
            self.sent.setdefault(found.source, []).append(
                (found.index, f"{part}.sum(0)" if summed else part)
            )
            return
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
                part = (
                    f"{body.ones()} @ {primary(part)}"
                    if at.ndim == 1
                    else f"{primary(part)}.sum(0)"
                )
            if not inside.all():
                lead = body.lead(carried and self._carries(source))
                part = part if inside.ndim == 1 else f"{primary(part)}.reshape({lead}{inside.size})"
                places = numpy.flatnonzero(inside)
                part = f"{primary(part)}[..., {span_of(places) or body.constant(places)}]"
                at = at[inside]
            if at.ndim == 1 and len(at) > 1 and one_of(at) is not None:
                part, at = f"{primary(part)}.sum(-1, keepdims=True)", at[:1]
            self.sent.setdefault(source, []).append((at, part))

    def _send_row(self, vector: Vector, places: list[int], slope: str) -> None:
        """What rows send whose slopes are their texts."""
        body, row = self.body, vector.row
        local = dict(body.locals[vector])
        if sends(row):
            for place in places:
                text = filled(array_expression(sends(row)[place]), {**local, "d": slope})
                self._to(vector.operands[place], text, self._carries(vector))
            return
        by = tuple(row.operands[place] for place in places)
        partials = {f"d{name}" for name in row.operands}
        for line in body.slope_lines[vector]:
            name, _, form = line.partition(" = ")
            text = filled(form, local)
            local[name] = text if name in partials else body.name(text, name)
        for name, place in zip(by, places):
            partial = local[f"d{name}"]
            if len(body.pulls) > 1 and not is_constant(partial):
                partial = body.name(partial, "s")
            if name not in LISTS and slope == self.seeds.get(vector) and is_constant(partial):
                self._send_number(vector, vector.operands[place], self._share(partial, slope))
                continue
            if slope == self.seeds.get(vector) and is_constant(partial):
                slope = f"full({body.shape(vector, self._carries(vector))}, {slope})"
            text = self._share(partial, f"{slope}[..., None]" if name in LISTS else slope)
            self._to(vector.operands[place], text, self._carries(vector))

    def _send_number(self, vector: Vector, view: View, number: str) -> None:
        """Send what is one number for all, a seed further on if its receiver is one number too."""
        body, source = self.body, view.sources[0]
        self._to(
            view,
            f"full({body.shape(vector, self._carries(vector))}, {number})",
            self._carries(vector),
        )
        if (
            isinstance(source, Vector)
            and source.size == 1
            and self._carries(source) == self._carries(vector)
        ):
            self.seeds[source] = body.name(number, f"d{body.text[source]}")

    def _share(self, partial: str, slope: str) -> str:
        """partial × slope; in total arithmetic 0 where the slope is 0. Numbers are multiplied first."""
        if partial in ("1.0", "-1.0"):
            return slope if partial == "1.0" else f"-{primary(slope)}"
        if slope == "1.0":
            return partial
        if is_number(partial) and is_number(slope):
            return float.__repr__(float(partial) * float(slope))
        if self._is_one_number(slope):
            if self._is_one_number(partial):
                return f"{partial} * {slope}"
            if found := factored(partial):
                return self._share(found[1], self._share(found[0], slope))
        if self.body.total:
            return f"share({partial}, {slope})"
        return (
            f"{slope} * {primary(partial)}"
            if self._is_one_number(slope)
            else f"{primary(partial)} * {primary(slope)}"
        )

    def _is_one_number(self, text: str) -> bool:
        """Whether an expression is of numbers and seeds alone."""
        return names_in(text) <= {*self.seeds.values(), "inf", "nan"}

    def _send_dot(self, vector: Vector, places: list[int], slope: str) -> None:
        body, product = self.body, self.body.products[vector]
        ws, xs, bias = vector.operands
        carried = self._carries(vector)
        if 2 in places:
            self._to(bias, slope, carried)
        if product is None:
            ws, xs = inner(ws), inner(xs)
            if is_same(ws, xs):  # a sum of squares
                slope = self._share("2.0", slope)
                spread = slope if ws.index.ndim == 1 else f"{primary(slope)}[..., None]"
                self._to(ws, self._share(body.taken(ws), spread), carried)
                return
            spread = slope if ws.index.ndim == 1 else f"{slope}[..., None]"
            for view, place, other in ((ws, 0, xs), (xs, 1, ws)):
                if place in places:
                    self._to(view, self._share(body.taken(other), spread), carried)
            return
        if isinstance(product, Products):
            self._send_products(product, places, slope, carried)
            return
        of_left, of_right = [place in places for place in product.places]
        if body.is_stacked(product) and not body.per_row:
            slope = body.name(f"{slope}.reshape(-1, {product.inner})")
            if of_left:
                flat = View(product.left.sources, product.left.index.ravel())
                text = f"({self._times(slope, body.taken(product.right))}).reshape({body.lead(True)}{flat.index.size})"
                self._to(flat, text, carried)
            if of_right:
                self._to(
                    product.right, self._times(f"{slope}.T", body.stacked(product.left)), False
                )
            return
        left = (
            body.name(body.taken(product.left)) if of_right else ""
        )  # each meets the slopes of the other
        right = body.name(body.taken(product.right)) if of_left else ""
        rows_of_left, rows_of_right = has_rows(product.left), has_rows(product.right)
        if product.outer > 1:
            slope = body.name(
                f"{slope}.reshape({body.lead(carried)}{product.outer}, {product.inner})"
            )
        for side, place in zip(("left", "right"), product.places):
            if place not in places:
                continue
            if side == "left":
                self._to(product.left, self._times(slope, right), carried)
            elif (
                carried
                and not body.per_row
                and not rows_of_right
                and rows_of_left
                and product.outer == 1
            ):
                self._to(product.right, self._times(f"{slope}.T", left), False)
            elif product.outer == 1:
                self._to(
                    product.right,
                    self._share(f"{left}[..., None, :]", f"{slope}[..., :, None]"),
                    carried,
                )
            else:
                self._to(product.right, self._times(f"{slope}.swapaxes(-1, -2)", left), carried)

    def _send_products(
        self, product: Products, places: list[int], slope: str, carried: bool
    ) -> None:
        """Each product's slopes: those of the left by the right, and the other way round."""
        body = self.body
        shape = (
            (product.outer, product.groups) if product.is_woven else (product.groups, product.outer)
        )
        slope = f"{slope}.reshape({body.lead(carried)}{shape[0]}, {shape[1]}, {product.inner})"
        slope = body.name(turned(slope, (1, 0, 2), carried) if product.is_woven else slope)
        left, right = body.taken(product.left), body.taken(product.right)
        if product.places[0] in places:
            self._to(product.left, self._times(slope, body.name(right)), carried)
        if product.places[1] in places:
            self._to(
                product.right,
                self._times(turned(slope, (0, 2, 1), carried), body.name(left)),
                carried,
            )

    def _times(self, slope: str, matrix: str) -> str:
        """The matrix product of slopes and partials."""
        return f"times({slope}, {matrix})" if self.body.total else f"{slope} @ {matrix}"
