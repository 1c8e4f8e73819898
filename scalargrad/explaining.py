"""Why a gradient is what it is: the paths it flows along, each with its slopes and their product.   (floor 2)

The chain rule, written out, is a sum over all paths from the root to the input, and each path brings the product of
the local slopes on it. `explain` lists them. Backward never does: it adds up where paths meet, and so is done in one
walk where there may be more paths than atoms. So are the two walks here: one from the input up, which counts the
paths and knows for each Value the heaviest of its ways down, and from these the heaviest paths of all (Lawler 1972).
"""

from __future__ import annotations

from heapq import nlargest
from math import floor, frexp, fsum, inf, isclose, isfinite, log10, nan
from operator import itemgetter

from .arithmetic.lists import add_up
from .arithmetic.total import ERRORS
from .derivatives import gradients
from .graph import ordered
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    Edge = tuple[int, float]  # the place of an operand, and the local slope by it
    Weight = tuple[
        float, float
    ]  # how much a path brings: exponent and mantissa of |product|, which no chain is too long for

MOST = 10**4000  # paths are counted up to here
ZERO, ONE, INF, NAN = (-inf, 0.0), (1, 0.5), (inf, 1.0), (inf, 2.0)  # weights, in their order
LONGEST = 8  # Values of a path that the text shows


def explain(root: Value, wrt: Any, paths: int = 10) -> Any:
    """The Explanation of a root's slope by `wrt`, a Value or the label of one; a list of them for a list. No `grad` changes.

    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> ab = a * b
    >>> y = ab * a + b
    >>> ab.label, y.label = "ab", "y"
    >>> print(explain(y, "a"))
    d y/d a = 12.0, the sum over 2 paths:
        y ← v1 ← ab ← a   1.0 × 2.0 × 3.0  =   6.0
        y ← v1 ← a        1.0 × 6.0        =   6.0
        sum                                   12.0
    where
        y  = v1 + b = 12.0 + 3.0 = 15.0
        v1 = ab × a = 6.0 × 2.0 = 12.0
        ab = a × b = 2.0 × 3.0 = 6.0
        a  = 2.0

    An operation that reads a Value twice is on two paths. Where there are more than `paths` of them, the heaviest
    are shown, those that bring nan and inf before all others, and what the rest brings is the remainder:

    >>> x = Value(1.0, "x")
    >>> for _ in range(100):
    ...     x = 0.5 * x + 0.25 * x
    >>> explanation = explain(x, "x", paths=1)
    >>> explanation.total_paths == 2**100, explanation.paths[0].product == 0.5**100
    (True, True)
    >>> explanation.remainder == explanation.gradient - 0.5**100
    True

    ValueError where root was not made of `wrt`, or a label is that of no Value or of several.
    """
    if not isinstance(root, Value):
        raise TypeError(
            f"explain takes as root the Value whose slope is asked for, got {type(root).__name__}"
        )
    if not isinstance(paths, int) or paths < 1:
        raise ValueError(
            f"paths={paths!r} must be a whole number, 1 or more: how many paths to show"
        )
    order = ordered(root)
    if isinstance(wrt, list | tuple):
        return [_explained(root, _found(one, order), order, paths) for one in wrt]
    return _explained(root, _found(wrt, order), order, paths)


class Path:
    """One way from a root to an input: its `values`, root first, the `slopes` between them, and their `product`.

    The product is taken from the root on, and a slope of exactly 0 passes nothing on, as in `Value.backward`: from
    there on the product is 0, whatever follows.
    """

    __slots__ = ("product", "slopes", "values")

    def __init__(self, values: tuple[Value, ...], slopes: tuple[float, ...]) -> None:
        self.values, self.slopes, self.product = values, slopes, 1.0
        for slope in slopes:
            if self.product == 0.0:
                break
            self.product *= slope

    def __repr__(self) -> str:
        names = _names(reversed(_shortened(self.values)))
        return f"<Path {_arrows(self, names)}: {_chain(self)} = {_figure(self.product)}>"


class Explanation:
    """A gradient and the paths it is the sum of: `print` it, or read its fields.

    `gradient` is the slope of `root` by `wrt`, as `gradients` gives it. `paths` are the heaviest of `total_paths`, which is
    exact up to 10**4000 and inf beyond; `shown` says how many they are, `sum` what they bring together, and `remainder`
    what all other paths bring: 0.0 where there are none, nan where the shown ones bring inf or nan.
    """

    __slots__ = ("gradient", "paths", "remainder", "root", "sum", "total_paths", "wrt")

    def __init__(
        self, root: Value, wrt: Value, gradient: float, paths: list[Path], total_paths: float
    ) -> None:
        self.root, self.wrt, self.gradient, self.paths, self.total_paths = (
            root,
            wrt,
            gradient,
            paths,
            total_paths,
        )
        self.sum = _sum([path.product for path in paths])
        self.remainder = 0.0 if len(paths) == total_paths else gradient - self.sum

    @property
    def shown(self) -> int:
        """How many paths are listed."""
        return len(self.paths)

    def __repr__(self) -> str:
        names = _names((self.wrt, self.root))
        slope = f"d {names[self.root]}/d {names[self.wrt]} = {_figure(self.gradient)}"
        return f"<Explanation of {slope}: {self.shown} of {_counted(self.total_paths)}>"

    def __str__(self) -> str:
        return "\n".join(_text(self))


# ------------------------------------------------------------------ the graph between root and input


def _found(wrt: Any, order: list[Value]) -> Value:
    """The Value that is asked for, of those that the root was made of."""
    if isinstance(wrt, str):
        labelled = [node for node in order if node.label == wrt]
        if len(labelled) == 1:
            return labelled[0]
        if labelled:
            raise ValueError(
                f"{len(labelled)} Values of the graph have the label {wrt!r}: give the one that is meant as a Value"
            )
        labels = [
            repr(label)
            for label in _shortened(
                list(dict.fromkeys(node.label for node in order if node.label)), gap="…"
            )
        ]
        known = (
            f"its labels are {', '.join(labels)}" if labels else "none of its Values has a label"
        )
        raise ValueError(f"no Value of the graph has the label {wrt!r}: {known}")
    if not isinstance(wrt, Value):
        what = f"the number {wrt!r}" if isinstance(wrt, int | float) else type(wrt).__name__
        raise TypeError(
            f"explain takes as wrt a Value, its label or a list of them, got {what}: a slope is by a Value"
        )
    return wrt


def _explained(root: Value, wrt: Value, order: list[Value], paths: int) -> Explanation:
    place, values = {wrt: 0}, [wrt]
    edges: list[list[Edge]] = [[]]
    for node in order:
        pairs: Any = zip(node.parents, node.partials)
        ways = [(place[operand], slope) for operand, slope in pairs if operand in place]
        if ways:
            place[node] = len(values)
            values.append(node)
            edges.append(ways)
    if root not in place:
        name = repr(wrt.label) if wrt.label else repr(wrt)
        raise ValueError(
            f"root was not made of {name}: its slope is 0, and there is no path to explain"
        )
    ahead = _Ahead(edges)
    found = []
    for steps in ahead.heaviest(paths):
        found.append(
            Path((root, *[values[at] for at, _ in steps]), tuple([slope for _, slope in steps]))
        )
    found.sort(
        key=lambda path: _weight(path.product), reverse=True
    )  # weights and floats differ by a rounding or an overflow
    return Explanation(root, wrt, gradients(root, wrt), found, ahead.count)


class _Ahead:
    """What lies between each Value and the input, which is at place 0; the root is at the last.

    `best` is the weight of the heaviest way down from each place, `spoils` says whether a way down has a slope of 0 or nan, which
    makes nan of inf; each place's edges are put in order, the heaviest way first; `count` is the number of all ways from the root.
    """

    def __init__(self, edges: list[list[Edge]]) -> None:
        self.edges, self.spoils = edges, [False]
        self.best: list[Weight] = [ONE]
        counts: list[float] = [1]
        for ways in edges[1:]:
            parts = [counts[at] for at, _ in ways]
            count = parts[0] if len(parts) == 1 else inf if inf in parts else sum(parts)
            counts.append(inf if count > MOST else count)
            if len(ways) > 1:
                ways.sort(key=lambda edge: self.through(ONE, edge), reverse=True)
            self.best.append(self.through(ONE, ways[0]))
            self.spoils.append(
                any(self.spoils[at] or slope == 0.0 or slope != slope for at, slope in ways)
            )
        self.count = counts[-1]

    def through(self, weight: Weight, edge: Edge) -> Weight:
        """The weight of the heaviest path that comes with a weight and goes on through an edge."""
        weight = _times(weight, _weight(edge[1]))
        if weight is INF:
            return NAN if self.spoils[edge[0]] else INF
        return _times(weight, self.best[edge[0]])

    def heaviest(self, count: int) -> list[list[Edge]]:
        """The heaviest paths as lists of edges, the heaviest first.

        The paths not found yet are held in sets: those that begin with the same steps and go on by an edge of the same
        place, from some rank on. The heaviest of a set is known without listing it; when it is taken out, the rest of
        its set falls apart into one such set for each step that could have gone elsewhere. A known simplification: weights
        do not overflow, so a path whose product is inf on the way and would be small at its end is ranked as small.
        """
        found: list[list[Edge]] = []
        waiting: list[tuple[Weight, list[Edge], int, Weight, list[Edge], int]]
        waiting = [(self.best[-1], [], 0, ONE, self.edges[-1], 0)]
        while waiting and len(found) < count:
            waiting = nlargest(count - len(found), waiting, key=itemgetter(0))
            _, source, length, weight, ways, rank = waiting.pop(0)
            steps = source[:length]
            while ways:
                if rank + 1 < len(ways):
                    waiting.append(
                        (
                            self.through(weight, ways[rank + 1]),
                            steps,
                            len(steps),
                            weight,
                            ways,
                            rank + 1,
                        )
                    )
                at, slope = ways[rank]
                steps.append(ways[rank])
                weight, ways, rank = _times(weight, _weight(slope)), self.edges[at], 0
                if (
                    weight is INF and len(ways) > 1
                ):  # another order: what makes nan of it comes first
                    ways = sorted(ways, key=lambda edge: self.through(INF, edge), reverse=True)
            found.append(steps)
        return found


def _weight(slope: float) -> Weight:
    if not isfinite(slope):
        return INF if slope == slope else NAN
    mantissa, exponent = frexp(abs(slope))
    return (exponent, mantissa) if mantissa else ZERO


def _times(weight: Weight, after: Weight) -> Weight:
    """The weight of a path and what comes after: 0 passes nothing on, nan stays, and inf × 0 is nan."""
    if weight is ZERO or weight is NAN:
        return weight
    if weight is INF:
        return NAN if after is ZERO or after is NAN else INF
    if after is ZERO or after is INF or after is NAN:
        return after
    mantissa, shift = frexp(weight[1] * after[1])
    return weight[0] + after[0] + shift, mantissa


def _sum(products: list[float]) -> float:
    try:
        return fsum(products)
    except ERRORS:  # inf - inf, or an overflow
        return add_up(products)


# ------------------------------------------------------------------ text


def _text(e: Explanation) -> list[str]:
    """The lines of an explanation: the paths as a table, notes on what surprises, and what the Values are."""
    shown = {value for path in e.paths for value in _shortened(path.values) if value is not None}
    broken = next((path for path in e.paths if not isfinite(path.product)), None)
    at = _breaks(broken) if broken else 0
    if broken:
        shown.add(broken.values[at])
    order = [value for value in ordered(e.root, stop={e.wrt}) if value in shown]
    names = _names(order)
    head = f"d {names[e.root]}/d {names[e.wrt]} = {_figure(e.gradient)}"
    rows = [(_arrows(path, names), _chain(path), path.product) for path in e.paths]
    if e.shown < e.total_paths:
        head += f", the sum over {_counted(e.total_paths)}; the heaviest:"
        others = (
            f"the other {_counted(e.total_paths - e.shown)}"
            if e.total_paths < 10**9
            else "all other paths"
        )
        rows += [("sum of these", "", e.sum), (others, "", e.remainder)]
    else:
        head += f", the sum over {_counted(e.total_paths)}:" if e.shown > 1 else ", by one path:"
    if e.shown > 1 or e.shown < e.total_paths:
        rows.append(("sum", "", e.gradient))
    notes = _notes(
        e, f"{names[broken.values[at]]}" if broken else "", broken.slopes[at] if broken else nan
    )
    legend = [(names[value], _written(value, names)) for value in reversed(order)]
    wide = max(len(name) for name, _ in legend)
    return [
        head,
        *_aligned(rows),
        *notes,
        "where",
        *[f"    {name:{wide}} = {formula}" for name, formula in legend],
    ]


def _aligned(rows: list[tuple[str, str, float]]) -> list[str]:
    """Path, slopes and product in columns, products with their points below each other."""
    figures = [_figure(product).partition(".") for _, _, product in rows]
    wide, chain_wide = (
        max(len(path) for path, _, _ in rows),
        max(len(chain) for _, chain, _ in rows),
    )
    whole = max(len(figure[0]) for figure in figures)
    return [
        f"    {path:{wide}}   {chain:{chain_wide}}  {'=' if chain else ' '}  {left:>{whole}}{point}{right}"
        for (path, chain, _), (left, point, right) in zip(rows, figures)
    ]


def _notes(e: Explanation, broken: str, slope: float) -> list[str]:
    """What a reader who multiplies and adds would stumble over."""
    notes = []
    if broken:
        notes.append(f"the product stops being finite at {broken}, by the slope {_figure(slope)}")
    if any(path.product == 0.0 and not all(map(isfinite, path.slopes)) for path in e.paths):
        notes.append("a slope of 0 passes nothing on: 0 × inf and 0 × nan count as 0 after it")
    size = _sum([abs(path.product) for path in e.paths])
    same = (
        isclose(e.sum, e.gradient, rel_tol=0.0, abs_tol=1e-9 * size)
        if isfinite(size)
        else str(e.sum) == str(e.gradient)
    )
    if e.shown == e.total_paths and not same:
        notes.append(
            f"the paths add up to {_figure(e.sum)}; slopes are added where paths meet, and a sum of 0 is not passed on"
        )
    return [f"  note: {note}" for note in notes]


def _breaks(path: Path) -> int:
    """The first slope with which the product is no longer finite."""
    product = 1.0
    for i, slope in enumerate(path.slopes):
        product *= slope
        if not isfinite(product):
            return i
    raise AssertionError(f"{path!r} is finite")


def _names(order: Iterable[Value | None]) -> dict[Value, str]:
    """Labels, told apart where several Values have the same; v1, v2 … for those that have none."""
    values = [value for value in dict.fromkeys(order) if value is not None]
    names: dict[Value, str] = {}
    taken: set[str] = set()
    for value in sorted(values, key=lambda value: not value.label):  # those with labels first
        stem = _label(value)
        name, number = stem or "v1", 1
        while name in taken:
            number += 1
            name = f"{stem}#{number}" if stem else f"v{number}"
        names[value] = name
        taken.add(name)
    return names


def _label(value: Value) -> str:
    """The label, if it can be shown as it is and is not long."""
    label = value.label if value.label.isprintable() else ascii(value.label)[1:-1]
    return label if len(label) <= 24 else label[:23] + "…"


def _arrows(path: Path, names: dict[Value, str]) -> str:
    """`y ← ab ← a`."""
    hidden = f"… {len(path.values) - LONGEST + 1:,} more …"
    return " ← ".join(
        hidden if value is None else names[value] for value in _shortened(path.values)
    )


def _chain(path: Path) -> str:
    """`1.0 × 3.0`."""
    slopes = _shortened(path.slopes, LONGEST - 1)
    return (
        " × ".join("…" if slope is None else _figure(slope) for slope in slopes)
        or "no slope between"
    )


def _written(value: Value, names: dict[Value, str]) -> str:
    """`a × b = 2.0 × 3.0 = 6.0`: the operation in names and in numbers."""
    figures = [
        _figure(operand.data if isinstance(operand, Value) else operand)
        for operand in value.parents
    ]
    words = []
    for operand, figure in zip(value.parents, figures):
        word = names.get(operand) or _label(operand) if isinstance(operand, Value) else ""
        foreign = (
            isinstance(operand, Value) and operand not in names and word in names.values()
        )  # another Value's name
        words.append(figure if foreign or not word else word)
    forms = [_operation(value, words), _operation(value, figures)] if value._operation else []
    if len("".join(forms)) > 100:
        forms.pop()
    return " = ".join([*dict.fromkeys(forms), _figure(value.data)])


def _operation(value: Value, operands: list[str]) -> str:
    """An operation written on its operands: between two, in front of one, or as a function."""
    assert value._operation is not None
    texts = [f"({text})" if text.startswith("-") else text for text in operands]
    if value.op in ("add", "sub", "mul", "div", "pow"):
        return f" {value._operation.symbol} ".join(texts)
    if value.op == "neg":
        return f"{value._operation.symbol}{texts[0]}"
    if value.op == "dot":
        half = len(texts) // 2
        terms = [f"{w} × {x}" for w, x in zip(texts[:half], texts[half:])]
        return " + ".join(
            _shortened([*terms, texts[-1]] if operands[-1] != "0.0" or not terms else terms, 5, "…")
        )
    if value.op == "sum":
        return " + ".join(_shortened(texts, 5, "…"))
    return f"{value.op}({', '.join(_shortened(operands, 5, '…'))})"


def _shortened(items: Sequence[Any], longest: int = LONGEST, gap: str | None = None) -> list[Any]:
    """The items, or where they are too many the first and the last with a gap between."""
    if len(items) <= longest:
        return [*items]
    return [*items[: longest // 2], gap, *items[len(items) - (longest - 1 - longest // 2) :]]


def _figure(number: float) -> str:
    """A number in at most six figures: `4.0`, `0.333333`, `1e-12`, `inf`."""
    text = f"{number + 0.0:.6g}"  # + 0.0: no minus before a zero
    return text + ".0" if text.lstrip("-").isdigit() else text


def _counted(paths: float) -> str:
    """`1 path`, `1,024 paths`, `about 1.07 × 10^39 paths`."""
    if paths == inf:
        return "more than 10^4000 paths"
    if paths < 10**9:
        return f"{paths:,} path{'' if paths == 1 else 's'}"
    power = log10(paths)
    return f"about {10 ** (power - floor(power)):.2f} × 10^{floor(power)} paths"
