"""Sums on arrays, over items and rows: products of matrices where lists meet.   (floor 3)

Nothing else is looked for: layers, attention, convolutions and `x.T @ dz` are all found so. In
total arithmetic a partial counts for nothing where its slope is 0; `hides` says which side has the
slopes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce

import numpy

from ..derive_rolled import narrowed
from ..dialects.numpy_text import Expression, template
from ..lower import DOT, OVER_ROWS, SHARES
from ..roll import Vector, View, has_rows
from ..strides import nest_of
from ..views import Meeting, is_all, is_same, is_zero, meeting
from .numpy_sources import TURNED_PRODUCT, Held
from .numpy_views import Views, spread_place

SUMS = template("_0.sum(-1)"), template("_0.sum(-1, keepdims=True)")
PRODUCT = template("_0 * _1")
FEW = 3  # items that are added one by one


class Products(Views):
    """Writes sums on arrays."""

    total = False  # arithmetic

    # -------------------------------------------------------------- over items

    def summed(self, vector: Vector) -> Held:
        """Sums of items."""
        (xs,), size = vector.operands, vector.size
        return self._added_up([xs], size, None)

    def _added_up(self, views: Sequence[View], size: int, hides: int | None) -> Held:
        """Sums of items, or of products of items; a few one by one, but of one list."""
        count, rows = views[0].index.shape[1], any(map(has_rows, views))
        if not count:
            return Held(self.number(0.0), None)
        is_one = size == 1 and all(len(view.sources) == 1 for view in views)
        if count <= FEW and not is_one:
            columns = [narrowed(v.sources, v.index[:, k]) for k in range(count) for v in views]
            return self.elementwise(columns, size, partial(self._of_columns, len(views), hides))
        shape = shape_of_lists(views)
        if size == 1 and not rows and hides is None and len(views) == 2:
            arrays = [self.read(view, (count,))[0] for view in views]
            return Held(self.x.of("_0 @ _1", *arrays), None)
        exact = [{len(shape)}, set[int]()]  # the one side is as long as the lists
        read = [self.read(view, (*shape, count), axes) for view, axes in zip(views, exact)]
        array = self._of_columns(len(views), hides, [array for array, _ in read])
        if not shape:
            form = SUMS[1] if rows else "_0.sum()"
            return Held(self.x.of(form, array), (1,) if rows else None, rows)
        got = numpy.broadcast_shapes(*[one for _, one in read])[:-1]
        return Held(self.x.of(SUMS[0], array), got, rows, spread_place(got, shape))

    def _of_columns(self, width: int, hides: int | None, parts: Sequence[Expression]) -> Expression:
        """The sum of columns, or of products of pairs of them."""
        if width == 2:
            parts = [self.product(*pair, hides) for pair in zip(parts[::2], parts[1::2])]
        return self._added(parts)

    def _added(self, parts: Sequence[Expression]) -> Expression:
        return reduce(lambda total, part: self.x.of("_0 + _1", total, part), parts)

    def dots(self, vector: Vector) -> Held:
        """Sums of products of items, and a bias."""
        line, size = vector.op, vector.size
        x, y = vector.operands[:2]
        held = self._dots(x, y, size, 1 if self.total and line is SHARES else None)
        if line is not DOT or is_zero(vector.operands[2]):
            return held
        return self.elementwise([self.put(held, size), vector.operands[2]], size, self._added)

    def _dots(self, x: View, y: View, size: int, hides: int | None) -> Held:
        met = None if is_same(x, y) or not x.index.size else meeting(x, y)
        if met and size == 1 and has_rows(x) != has_rows(y):
            met = met._replace(left=(0,) * has_rows(y), right=(0,) * has_rows(x))
        if met and (met.left or met.right):
            return self._product(x, y, met, hides)
        return self._added_up([x, y], size, hides)

    def product(self, x: Expression, y: Expression, hides: int | None) -> Expression:
        """A product number by number."""
        return self.x.of("_0 * _1" if hides is None else "share(_0, _1)", x, y)

    # -------------------------------------------------------------- products of matrices

    def _lists(self, view: View, met: Meeting, own: tuple[int, ...], turned: bool = False) -> View:
        """The lists of a side by (both, own, item), or, `turned`, by (both, item, own)."""
        count = view.index.shape[1]
        axes = [*met.both, *own]
        index = view.index.reshape(*met.shape, count)
        index = index[tuple([slice(None) if a in axes else 0 for a in range(len(met.shape))])]
        index = index.transpose(*[sorted(axes).index(a) for a in axes], len(axes))
        index = index.reshape(*[met.size(part) for part in (met.both, own) if part], count)
        return View(view.sources, index.swapaxes(-1, -2) if turned and own else index)

    def _product(self, x: View, y: View, met: Meeting, hides: int | None) -> Held:
        """Lists that meet lists, as a product of matrices: the right one is turned."""
        rows = has_rows(x), has_rows(y)
        is_later = rows == (False, False) and bool(met.left and met.right) and met.left > met.right
        if not met.right or (rows == (False, True) and not met.both) or is_later:
            x, y, met, rows = y, x, met.swapped(), rows[::-1]
            hides = None if hides is None else 1 - hides
        sizes = tuple([met.size(part) for part in (met.both, met.left, met.right) if part])
        lists, matrix = self._lists(x, met, met.left), self._lists(y, met, met.right, True)
        right, _ = self.read(matrix, matrix.index.shape)
        if rows == (True, False) and met.left and not met.both:  # one matrix meets all rows
            left = self.stacked(lists)
            made = self.as_shape(self._matrices(left, right, hides), sizes, True)
            return Held(made, sizes, True, met.place)
        left, _ = self.read(lists, lists.index.shape)
        is_row = not met.left and (bool(met.both) or rows == (True, True))
        if is_row:
            left = self.x.of("_0[..., None, :]", left)
        made = self._matrices(left, right, hides)
        if is_row:
            made = self.x.of("_0[..., 0, :]", made)
        return Held(made, sizes, any(rows), met.place)

    def stacked(self, view: View) -> Expression:
        """Lists of all rows as one matrix."""
        held, index = self.looked(view)
        count = index.shape[-1]
        if held.shape == (count,) and is_all(index, count):
            return held.array
        is_whole = held.shape is not None and is_all(index, held.size)
        array = held.array if is_whole else self.read(view, index.shape)[0]
        return self.x.of(f"_0.reshape(-1, {count})", self.before_shape(array))

    def _matrices(self, left: Expression, right: Expression, hides: int | None) -> Expression:
        text = "_0 @ _1" if hides is None else f"times(_0, _1, {hides})"
        return self.x.of(text, left, right)

    # -------------------------------------------------------------- over rows

    def over_rows(self, vector: Vector, as_number: bool = False) -> Held:
        """The sum over the rows, `as_number` where it is one and that is asked for."""
        (view,), size = vector.operands, vector.size
        held, index = self.looked(view)
        if not held.has_rows:
            return self.elementwise(
                [view], size, lambda parts: self.x.of("_0 * _1", self.count, *parts)
            )
        if as_number and size == 1:
            array, _ = self.read(view, (1,))
            while array.form in SUMS:  # of each row: all is added up at once
                array = array.operands[0]
            if array.form is PRODUCT and len({*array.operands}) == 1:
                return Held(self.x.of("vdot(_0, _1)", *array.operands), None)
            return Held(self.x.of("_0.sum()", array), None)
        shape = held.shape if held.shape and is_all(index, held.size) else (size,)
        array, got = self.read(view, shape, ())
        if len(got) > 1:
            made = self.x.of("_0.sum(0)", array)
        else:
            ones = self.x.of("full(_0, 1.0)", self.count, wish="ones")  # sooner than a sum
            ones.has_line = True
            made = self.x.of("_0 @ _1", ones, array)
        return Held(made, got, False, spread_place(got, shape))

    def row_products(self, vector: Vector) -> Held:
        """Sums over the rows of products: a product of matrices with the rows inside."""
        (x, y), size = vector.operands, vector.size
        hides = 1 if self.total else None
        if x.index.ndim == 1:
            x, y = (View(view.sources, view.index.reshape(-1, 1)) for view in (x, y))
        met = meeting(x, y) if has_rows(x) else None
        if met is None or met.both or not (met.left or met.right or size == 1):
            return self._before_rows(x, y, size, hides)
        if met.left[:1] > met.right[:1] or (met.left and not met.right):
            x, y, met = y, x, met.swapped()
            hides = None if hides is None else 1 - hides
        found = []
        for view, own in ((x, met.left), (y, met.right)):
            lists = self._lists(view, met, own, True)
            found.append(
                self.stacked(View(lists.sources, lists.index if own else lists.index[:, None]))
            )
        left, right = found
        if hides is None:
            made = self.x.of(TURNED_PRODUCT, left, right)
        else:
            made = self._matrices(self.x.of("_0.T", left), right, hides)
        return Held(made, (met.size(met.left), met.size(met.right)), False, met.place)

    def _before_rows(self, x: View, y: View, size: int, hides: int | None) -> Held:
        """Products number by number, then the sum over the rows."""
        products = self.put(self._dots(x, y, size, hides), size)
        return self.over_rows(Vector(OVER_ROWS, (products,), size, False))


def shape_of_lists(views: Sequence[View]) -> tuple[int, ...]:
    """Axes for lists, so that they are read as slices if possible; none for one list."""
    size = len(views[0].index)
    return () if size == 1 else nest_of([view.index for view in views]) or (size,)
