"""Examines what was given, and chooses among the mistakes that explain it.   (floor 2)"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from .blocks import Block, Given
from .rightness import first_finding, kinks
from .search import Search
from .structure import Structure
from .study import Case, Study
from .tape import Tape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..value import Value
    from .diagnosis import Diagnosis
    from .search import Found, Progress

ALTERNATIVES = 2
IMPLIED = {  # kinds that say less, where the first explains the numbers
    "transposed": ("permuted",),
    "shape": ("permuted",),
    "left out": ("other function", "at operand", "elsewhere"),
    "power": ("at result",),
    "penalty": ("term", "negated"),
    "zero": ("first share", "last share", "term", "negated"),
}
WEAK = ("other argument", "added")
FINAL = ("right", "not finite")  # findings that no hypothesis can better


def diagnoses(
    root: Value,
    leaves: Sequence[Value],
    blocks: list[Block],
    givens: list[Given | None],
    sizes: Iterable[int] = (),
    tolerances: tuple[float, float] = (0.0, 0.0),
    tell: Progress = lambda done: None,
) -> tuple[dict[str, Diagnosis], list[Case]]:
    """A diagnosis for each block that a gradient was given for, and the numbers compared.

    `sizes` are lengths that a sum or a mean may have been taken over. `tolerances` are the relative
    and the absolute one that were asked for, beyond rounding.
    """
    tell(0.2)
    tape = Tape(root, leaves)
    block_of = {
        at: number
        for number, block in enumerate(blocks)
        for k in block.places
        if (at := tape.leaves[k]) is not None
    }
    structure = Structure(tape, [block.name for block in blocks], block_of)
    tell(0.4)
    slopes = tape.slopes()
    exact = tape.of_leaves(slopes)
    doubts = tape.doubts()
    bounds = tape.of_leaves(tape.bounds(doubts))
    sides = [tape.of_leaves(tape.slopes(edges)) for edges in kinks(tape)]
    cases: list[Case] = []
    found: dict[str, Diagnosis] = {}
    for block, given in zip(blocks, givens):
        numbers, bound, *between = (
            [each[k] for k in block.places] for each in (exact, bounds, *sides)
        )
        case = Case(block, given or Given((), [], 0.0), numbers, bound, *tolerances)
        cases.append(case)
        if given is not None:
            found[block.name] = first_finding(case, between)
    judged = [case for case in cases if case.block.name in found]
    if wrong := [case for case in judged if found[case.block.name].kind not in FINAL]:
        study = Study(structure, cases, blocks, exact, slopes)
        lengths = dict.fromkeys([*study.lengths(), *sorted(sizes)])
        search = Search(study, wrong, [n for n in lengths if n > 2], doubts, tell)
        explained = search.results()
        common = Counter(
            mistake
            for each in explained.values()
            for mistake in {_mistake(diagnosis) for _, diagnosis in each}
        )
        chosen = {case: _chosen(case.block.name, each, common)
                  for case, each in explained.items() if each}  # fmt: skip
        is_whole = all(
            case in chosen or found[case.block.name].kind != "unexplained" for case in wrong
        )
        for case, one in chosen.items():  # a single number equals another one easily
            if is_whole or len(case.exact) > 1 or one.kind not in WEAK:
                found[case.block.name] = one
    return found, judged


def _chosen(name: str, found: list[Found], common: Counter[object]) -> Diagnosis:
    """The simplest of the diagnoses; among these the one that explains most arguments.

    Diagnoses of another kind that are as simple are its alternatives.
    """
    least = min(rank for rank, _ in found)
    simple = [diagnosis for rank, diagnosis in found if rank == least]
    first = max(simple, key=lambda one: common[_mistake(one)])  # of equals the first
    others: dict[str, Diagnosis] = {}
    for one in simple:
        if one.kind != first.kind and one.kind not in IMPLIED.get(first.kind, ()):
            others.setdefault(one.kind, one)
    chosen = [*others.values()][:ALTERNATIVES]
    words = [one.sentence.removeprefix(f"{name} is ") for one in chosen]
    return replace(first, sentence=", or ".join([first.sentence, *words]), others=tuple(chosen))


def _mistake(one: Diagnosis) -> object:
    return one.kind, one.operation, one.layer, one.factor
