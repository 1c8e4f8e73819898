"""Residuals and their slopes, as a search by least squares asks for them.   (floor 3)"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .compiled import Data, Formula

CACHE = 131072  # numbers that stay near the processor, 1 MB
PIECE, DOT = 32_000, 8192  # numbers of a table, of a column: few enough for a single thread
ALIKE = 1e-3  # where less of a column stands apart from the others, products lose its digits
MOST_POLISHING = 5  # steps


class Residuals:
    """The residuals of some rows, divided by sigma, and their slopes by each parameter."""

    def __init__(self, formula: Formula, data: Data) -> None:
        self.formula, self.data = formula, data

    def columns(self, p: Any) -> list[Any]:
        """The slopes by each parameter, then the residuals: an array for each."""
        values, slopes = self.formula.values_and_slopes(p, self.data.x)
        found = [*slopes, values - self.data.y]
        return [column / self.data.sigma for column in found] if self.data.has_sigma else found

    def table(self, p: Any) -> Any:
        """The columns, each as a row."""
        import numpy

        return numpy.array(self.columns(p))

    def products(self, p: Any) -> Any:
        """The dot product of each column with those before it and itself: a lower triangle."""
        import numpy

        columns = self.columns(p)
        found = numpy.zeros((len(columns), len(columns)))
        for begin in range(0, len(self.data.y), DOT):
            parts = [column[begin : begin + DOT] for column in columns]
            for i, part in enumerate(parts):
                for j, other in enumerate(parts[: i + 1]):
                    found[i, j] += part.dot(other)
        return found

    def residuals(self, p: Any) -> Any:
        return self.table(p)[-1]

    def slopes(self, p: Any) -> Any:
        return self.table(p)[:-1].T


class Triangle:
    """Fewer rows that are as good for plain squares: those of R, where [slopes | residuals] = Q R.

    A search by least squares looks at lengths and products of the columns only, which Q keeps. So
    a hundred thousand rows cost it no more than a hundred. R of many rows is the root of the
    columns' products, which are summed block by block, as long as these tell the columns apart.
    """

    def __init__(self, formula: Formula, data: Data) -> None:
        self.seen: dict[bytes, Any] = {}  # the two latest
        most = CACHE // (len(formula.names) + 2)
        self.blocks = [Residuals(formula, block) for block in data.blocks(most)]
        self.is_doubtful = len(self.blocks) == 1

    def reduced(self, p: Any) -> Any:
        """R at some parameters; it is remembered, since a search asks for it again."""
        import numpy

        key = numpy.asarray(p).tobytes()
        if key not in self.seen:
            root = None
            if not self.is_doubtful:
                root = _root(sum(block.products(p) for block in self.blocks))
                self.is_doubtful = root is None
            if root is None:
                made = [_triangle(block.table(p).T) for block in self.blocks]
                root = _triangle(numpy.concatenate(made)) if len(made) > 1 else made[0]
            whole = numpy.isfinite(root).all()
            self.seen[key] = root if whole else numpy.full_like(root, numpy.nan)
            if len(self.seen) > 2:
                del self.seen[next(iter(self.seen))]
        return self.seen[key]

    def residuals(self, p: Any) -> Any:
        return self.reduced(p)[:, -1]

    def slopes(self, p: Any) -> Any:
        return self.reduced(p)[:, :-1]

    def polished(self, p: Any) -> Any:
        """Parameters after a few steps of Gauss and Newton's, as long as the gradient shrinks.

        The search stops where the sum of squares no longer falls, which a double shows in half of
        the digits only; the gradient shows in all of them where the minimum is.
        """
        import numpy

        def steepness(p: Any) -> float:
            slopes, scale = self.slopes(p), numpy.sqrt((self.slopes(p) ** 2).sum(axis=0))
            return float(numpy.linalg.norm(self.residuals(p) @ (slopes / scale)))

        now = steepness(p)
        for _ in range(MOST_POLISHING):
            if not self.slopes(p).any(axis=0).all():
                break
            shift = numpy.linalg.lstsq(self.slopes(p), self.residuals(p), rcond=None)[0]
            if (abs(shift) <= numpy.finfo(float).eps * abs(p)).all():
                break
            nearer = p - shift
            then = steepness(nearer)
            if not then < now:
                break
            p, now = nearer, then
        return p


def sum_of_squares(numbers: Any) -> float:
    """The sum of the squares of an array's numbers; inf where that is too large."""
    import numpy

    with numpy.errstate(over="ignore"):
        return float(numpy.square(numbers).sum())


def _triangle(table: Any) -> Any:
    """R of table = Q R. Tall tables go in pieces: on those, LAPACK would share out trifles."""
    import numpy
    from scipy.linalg import get_lapack_funcs

    (factored,) = get_lapack_funcs(("geqrf",), (numpy.empty(0),))
    rows, columns = table.shape
    most = max(2 * columns, PIECE // columns)
    if rows > most:
        parts = [_triangle(table[i : i + most]) for i in range(0, rows, most)]
        return _triangle(numpy.concatenate(parts))
    return numpy.triu(factored(table)[0][:columns])


def _root(products: Any) -> Any:
    """R of Rᵀ R = products of columns, a lower triangle; None where these are too much alike."""
    import numpy

    scale = numpy.sqrt(products.diagonal())
    try:
        root = numpy.linalg.cholesky(products / scale / scale[:, None]).T
    except numpy.linalg.LinAlgError:
        return None
    return root * scale if root.diagonal().min() > ALIKE else None  # nan is not more
