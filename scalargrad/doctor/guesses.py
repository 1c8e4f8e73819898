"""Mistakes in a finished gradient: transposed, another argument's, a row forgotten.   (floor 2)

The tables GUESSES and LAST_GUESSES, which are tried if nothing else explains the numbers, stand at
the end. To add a mistake, write a function that generates guesses and add it to a table.
"""

from __future__ import annotations

from ..wording import figure, said
from .blocks import Block
from .study import Case, Guess, Study

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .study import Numbers

MOST_SHARES = 64
LEAST_PENALTY = 1e-6  # of the gradient: a penalty that is smaller is a loss of digits
ROUNDING = 64.0  # of sums of products over the rows, whose own bounds are not known


def transposed(study: Study, case: Case) -> Iterator[Guess]:
    """The matrix is transposed: rows stand for columns."""
    shape = case.block.shape
    if len(shape) == 2 and min(shape) > 1 and case.given.shape == (shape[1], shape[0]):
        order = [j * shape[1] + i for i in range(shape[1]) for j in range(shape[0])]
        yield Guess("transposed", "the exact gradient, transposed", *_picked(case, order))


def other_argument(study: Study, case: Case) -> Iterator[Guess]:
    """It is the gradient of another argument, or that was added to it."""
    for other in study.cases:
        if other is not case and len(other.exact) == len(case.exact):
            name = other.block.name
            yield Guess("other argument", f"the exact gradient of {name}",
                        other.exact, other.bounds, name)  # fmt: skip
            both = [a + b for a, b in zip(case.exact, other.exact)]
            bounds = [a + b for a, b in zip(case.bounds, other.bounds)]
            yield Guess("added", f"the exact gradient with that of {name} added to it",
                        both, bounds, name)  # fmt: skip


def permuted(study: Study, case: Case) -> Iterator[Guess]:
    """The numbers are right, but stand in other places."""
    shape, size = case.block.shape, len(case.exact)
    if size < 2 or size != len(case.given.numbers):
        return
    if len(shape) == 2 and min(shape) > 1:
        rows, columns = shape
        turned = [k % columns * rows + k // columns for k in range(size)]  # of the transpose, in C
        back = sorted(range(size), key=turned.__getitem__)
        for order in (turned, back):
            yield Guess("permuted", "the exact gradient, laid out column by column",
                        *_picked(case, order))  # fmt: skip
        for words, order in (
            ("with its rows in reverse order", [(rows - 1 - k // columns) * columns + k % columns
                                                for k in range(size)]),
            ("with its columns in reverse order", [k // columns * columns + columns - 1
                                                   - k % columns for k in range(size)]),
        ):  # fmt: skip
            yield Guess("permuted", f"the exact gradient {words}", *_picked(case, order))
    places = sorted(range(size), key=case.exact.__getitem__)
    ranks = sorted(range(size), key=case.given.numbers.__getitem__)
    order = [0] * size
    for place, at in zip(places, ranks):
        order[at] = place
    if order != [*range(size)]:
        yield Guess("permuted", "the exact gradient with its numbers in other places",
                    *_picked(case, order))  # fmt: skip


def labelled_shares(study: Study, case: Case) -> Iterator[Guess]:
    """The share through a Value that has a label is left out, subtracted or counted twice."""
    for label, share in study.labelled_shares(case.block):
        for kind, change, factor in (
            ("term", "without", 0.0), ("negated", "subtracted", -1.0), ("term", "counted", 2.0),
        ):  # fmt: skip
            words = said(change, part=said("share", place=label), times=figure(factor))
            numbers = [case.exact[0] + (factor - 1.0) * share]
            yield Guess(
                kind, f"the exact gradient {words}", numbers, case.bounds, label, None, factor
            )


def rows_shares(study: Study, case: Case) -> Iterator[Guess]:
    """The share of one row is left out, or stands alone: assigned in a loop, not added up."""
    shares = study.shares(case.block)
    if not shares or not 2 <= len(shares) <= MOST_SHARES:
        return
    if study.labelled_shares(case.block):
        return
    products = [[a * s for a, s in share] for share in shares]
    rest = [exact - sum(each) for exact, each in zip(case.exact, zip(*products))]  # a penalty's
    count = len(products)
    for r, share in enumerate(products):
        which = "first" if r == 0 else "last" if r == count - 1 else f"number {r + 1}"
        words = f"the exact gradient without the {which} of its {count} shares, a row's perhaps"
        yield Guess("share", words, [a - b for a, b in zip(case.exact, share)], case.bounds)
        if r in (0, count - 1):
            words = (
                f"the {which} of {count} shares alone, a row's perhaps: was it assigned in a loop, "
            )
            alone = [a + b for a, b in zip(share, rest)]
            yield Guess(f"{which} share", f"{words}not added up?", alone, case.bounds)


def not_summed(study: Study, case: Case) -> Iterator[Guess]:
    """The sum over the rows is forgotten: there is an entry for each of them."""
    shares = study.shares(case.block)
    size = len(case.exact)
    if shares and len(shares) > 1 and len(case.given.numbers) == size * len(shares):
        rows = [a * s for share in shares for a, s in share]
        columns = [
            shares[r][k][0] * shares[r][k][1] for k in range(size) for r in range(len(shares))
        ]
        for axis, numbers in ((0, rows), (len(case.given.shape) - 1, columns)):
            bounds = [case.bounds[k % size if axis == 0 else k // len(shares)]
                      for k in range(len(numbers))]  # fmt: skip
            words = f"the exact gradient, not added up over the rows: write .sum(axis={axis})"
            yield Guess("not summed", words, numbers, bounds)


def other_shape(study: Study, case: Case) -> Iterator[Guess]:
    """The numbers are right, but their shape is another one."""
    if case.given.shape != case.block.shape and len(case.given.numbers) == len(case.exact):
        yield Guess("shape", f"the exact gradient, but of the shape {_text(case.given.shape)}: "
                    f"{case.block.name} has {_text(case.block.shape)}",
                    case.exact, case.bounds)  # fmt: skip


def layer_beside(study: Study, case: Case) -> Iterator[Guess]:
    """The sum over the rows takes activations, or slopes, of the layer above or below."""
    own = _outer(study, case.block)
    if own is None:
        return
    inputs, slopes, axis = own
    shape, rows = case.block.shape, len(inputs)
    for words, layer, others in _layers_numbers(study, case.block):
        if others != inputs and len(others) == rows and len(others[0]) == shape[axis]:
            yield _outer_guess(case, words, layer, others, slopes, axis)
    for block in study.blocks:
        if block is not case.block and (outer := _outer(study, block)):
            _, others, _ = outer
            if len(others) == rows and len(others[0]) == shape[1 - axis]:
                words = f"the exact gradient with the slopes of the layer of {block.name}"
                yield _outer_guess(case, words, None, inputs, others, axis)


def _layers_numbers(
    study: Study, own: Block
) -> Iterator[tuple[str, int | None, list[list[float]]]]:
    """The inputs of other layers and the results of all functions, a list for each row."""
    for block in study.blocks:
        if block is not own and (outer := _outer(study, block)):
            yield f"the exact gradient with the inputs of {block.name}", None, outer[0]
    rows = len(study.shares(own) or ())
    for group in study.groups:
        if group.kind == "function" and group.layer and len(group.places) % rows == 0:
            size = len(group.places) // rows
            numbers = [study.tape.nodes[i].data for i, _ in group.places]
            table = [numbers[r * size : (r + 1) * size] for r in range(rows)]
            operation = f"{group.operation}{study.where(group.layer)}"
            words = f"the exact gradient with the results of {operation} for its inputs"
            yield words, group.layer, table


def _outer(study: Study, block: Block) -> tuple[list[list[float]], list[list[float]], int] | None:
    """A matrix's gradient as a sum of outer products: inputs and slopes of each row.

    The third item says along which axis the inputs stand.
    """
    if len(block.shape) != 2 or min(block.shape) < 1 or not (shares := study.shares(block)):
        return None
    rows, columns = block.shape
    for axis in (0, 1):

        def along(table: list[float], axis: int) -> list[float] | None:
            lines = [table[k * columns : (k + 1) * columns] for k in range(rows)]
            if axis == 1:
                return lines[0] if all(line == lines[0] for line in lines) else None
            same = all(x == line[0] for line in lines for x in line)
            return [line[0] for line in lines] if same else None

        inputs = [along([s for _, s in share], axis) for share in shares]
        slopes = [along([a for a, _ in share], 1 - axis) for share in shares]
        if None not in inputs and None not in slopes:
            return inputs, slopes, axis  # type: ignore[return-value]
    return None


def _outer_guess(
    case: Case, words: str, layer: int | None,
    inputs: list[list[float]], slopes: list[list[float]], axis: int,
) -> Guess:  # fmt: skip
    rows, columns = case.block.shape
    numbers, sizes = [], []
    for i in range(rows):
        for j in range(columns):
            one, two = (i, j) if axis == 0 else (j, i)
            terms = [x[one] * s[two] for x, s in zip(inputs, slopes)]
            numbers.append(sum(terms))
            sizes.append(ROUNDING * (sum(map(abs, terms)) + sum(abs(s[two]) for s in slopes)))
    return Guess("layer beside", words, numbers, sizes, None, layer)


def extra_penalty(study: Study, case: Case) -> Iterator[Guess]:
    """The gradient of a penalty is added that f does not have."""
    numbers = [study.tape.nodes[at].data if (at := study.tape.leaves[k]) is not None else 0.0
               for k in case.block.places]  # fmt: skip
    if len(case.given.numbers) != len(numbers):
        return
    rest = [a - b for a, b in zip(case.given.numbers, case.exact)]
    for name, term in (
        (case.block.name, numbers),
        (f"sign({case.block.name})", [float((x > 0) - (x < 0)) for x in numbers]),
    ):
        k = max(range(len(term)), key=lambda k: abs(term[k]), default=None)
        is_large = case.gap(case.given.numbers) > LEAST_PENALTY * max(map(abs, case.exact))
        if k is not None and sum(x != 0 for x in term) > 2 and is_large:
            factor = rest[k] / term[k]
            found = [a + factor * b for a, b in zip(case.exact, term)]
            yield Guess("extra penalty", f"the exact gradient plus {factor:.6g} × {name}: "
                        "f has no such penalty", found, case.bounds, factor=factor)  # fmt: skip


def _picked(case: Case, order: Sequence[int]) -> tuple[Numbers, Numbers]:
    return [case.exact[k] for k in order], [case.bounds[k] for k in order]


def _text(shape: tuple[int, ...]) -> str:
    return "() of a number" if not shape else f"{shape}"


GUESSES = (
    transposed, other_argument, permuted, other_shape, not_summed, labelled_shares, rows_shares,
    layer_beside,
)  # fmt: skip
LAST_GUESSES = (extra_penalty,)
