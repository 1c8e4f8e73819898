"""Tries each hypothesis on the gradient that was given, and says which explains it.   (floor 2)

A hypothesis explains a gradient if every number is what it says, up to rounding. How far rounding
may reach is computed for each number, from the graph. So 1e-9 of a number is noticed, and a right
gradient in single precision is right.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import isfinite, log10
from typing import NamedTuple

from ..rows.methods import evaluated
from ..value import Value
from ..wording import counted, figure
from .blocks import Block, Given, size_of
from .guesses import GUESSES, LAST_GUESSES
from .structure import Structure
from .study import Case, Guess, Study, Walk
from .tape import Sample, Tape
from .walks import WALKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .study import Numbers
    from .tape import Edges

    Progress = Callable[[float], None]

SAMPLED = 16  # numbers of a large block, of each of three kinds, that hypotheses are tried on first
ALTERNATIVES = 2
IMPRECISE = 1e-3
IMPLIED = {  # kinds that say less, where the first explains the numbers
    "transposed": ("permuted",),
    "shape": ("permuted",),
    "left out": ("other function", "at operand", "elsewhere"),
    "zero": ("first share", "last share", "term", "negated"),
}
WEAK = ("other argument", "added")


@dataclass(frozen=True)
class Diagnosis:
    """The finding about one argument's gradient: the mistake, or that there is none.

    `kind` is a word: "right", "sign", "factor", "left out" and so on. `factor` is the number that
    the exact gradient, or a part of it, was multiplied by. `operation` and `layer` say where the
    mistake is, if it is in one place; layers are counted from 1, and None says in every layer.
    `others` are other mistakes that would give the same numbers.
    """

    kind: str
    factor: float | None
    operation: str | None
    layer: int | None
    sentence: str
    others: tuple[Diagnosis, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether the gradient is right."""
        return self.kind == "right"


class Found(NamedTuple):
    """A hypothesis that explains what was given; simple ones have a small rank."""

    rank: int
    diagnosis: Diagnosis


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
    sides = [tape.of_leaves(tape.slopes(edges)) for edges in _kinks(tape)]
    cases, found, wrong = [], dict[str, Diagnosis](), list[Case]()
    for block, given in zip(blocks, givens):
        if given is None:
            given = Given((), [], 0.0)
            cases.append(Case(block, given, *_of_block(block, exact, bounds)))
            continue
        case = Case(block, given, *_of_block(block, exact, bounds), *tolerances)
        cases.append(case)
        between = [[side[k] for k in block.places] for side in sides]
        if _is_right(case, between):
            found[block.name] = Diagnosis("right", 1.0, None, None, f"{block.name} is right")
        elif unusual := _not_finite(case):
            found[block.name] = unusual
        else:
            wrong.append(case)
            found[block.name] = _unexplained(case)
    if wrong:
        study = Study(structure, cases, blocks, exact, slopes)
        lengths = dict.fromkeys([*study.lengths(), *sorted(sizes)])
        search = _Search(study, wrong, [n for n in lengths if n > 2], doubts, tell)
        results = search.results()
        common = Counter(
            mistake
            for all_found in results.values()
            for mistake in {_mistake(one) for _, one in all_found}
        )
        for case, all_found in results.items():
            if all_found:
                found[case.block.name] = _chosen(case.block.name, all_found, common)
        if any(one.kind == "unexplained" for one in found.values()):
            for case in wrong:  # a single number equals another one easily
                if len(case.exact) == 1 and found[case.block.name].kind in WEAK:
                    found[case.block.name] = _unexplained(case)
    judged = [case for case, given in zip(cases, givens) if given is not None]
    return {case.block.name: found[case.block.name] for case in judged}, judged


def _of_block(block: Block, exact: Numbers, bounds: Numbers) -> tuple[Numbers, Numbers]:
    return [exact[k] for k in block.places], [bounds[k] for k in block.places]


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


# ------------------------------------------------------------------ right or not


def _is_right(case: Case, sides: list[Numbers]) -> bool:
    """Whether all numbers are exact up to rounding, or between the two sides of a kink."""
    if not _fits(case.given.shape, case.block.shape):
        return False
    for yours, exact, tolerance, *ends in zip(
        case.given.numbers, case.exact, case.tolerances(), *sides
    ):
        low, high = min([exact, *ends]), max([exact, *ends])
        if not (low - tolerance <= yours <= high + tolerance or _same(yours, exact)):
            return False
    return True


def _fits(given: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array of the one shape can be subtracted from one of the other, entry by entry."""
    return size_of(given) == size_of(shape) and (
        given == shape or size_of(shape) == 1 or shape[len(shape) - len(given) :] == given
    )  # fmt: skip


def _same(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


def _kinks(tape: Tape) -> list[dict[int, Edges]]:
    """For the tape with kinks: its edges with all slopes of the one side, and of the other."""
    low: dict[int, Edges] = {}
    high: dict[int, Edges] = {}
    for i, node in enumerate(tape.nodes):
        op = node._operation
        if op is None or not tape.edges[i]:
            continue
        if "extreme" in op.traits:
            edges = tape.edges[i]
            ties = [x for x in node.parents if (x.data if isinstance(x, Value) else x) == node.data]
            if len(ties) > 1:
                at_tie = [k for k, (place, _) in enumerate(edges)
                          if tape.nodes[place].data == node.data]  # fmt: skip
                ends = at_tie[0], at_tie[-1] if len(at_tie) == len(ties) else None
                for side, end in zip((high, low), ends):
                    side[i] = tuple(
                        [(place, float(k == end)) for k, (place, _) in enumerate(edges)]
                    )
        elif len(op.operands) == 1 and node._x is not None and node._x.data == 0.0:
            below, above = (evaluated(op, x)[1] for x in (-5e-324, 5e-324))
            if below != above and isfinite(below) and isfinite(above):
                place = tape.edges[i][0][0]
                low[i], high[i] = ((place, below),), ((place, above),)
    return [low, high] if low or high else []


def _not_finite(case: Case) -> Diagnosis | None:
    """The diagnosis of numbers that are nan or infinite, in what was given or in what is exact."""
    name, block = case.block.name, case.block
    if len(case.given.numbers) != len(case.exact):
        return None
    for what, numbers in (("the exact gradient", case.exact), (name, case.given.numbers)):
        for k, x in enumerate(numbers):
            if not isfinite(x) and not _same(case.given.numbers[k], case.exact[k]):
                sentence = f"{what} is {figure(x)} at {block.entry(k)}"
                if what == name:
                    sentence += f", where the exact gradient is {figure(case.exact[k])}"
                return Diagnosis("not finite", None, None, None, sentence)
    return None


def _unexplained(case: Case) -> Diagnosis:
    """The sentence for a gradient that no hypothesis explains."""
    name, block, given = case.block.name, case.block, case.given
    if len(given.numbers) != len(case.exact):
        sentence = f"{name} is given with the shape {given.shape}, expected {block.shape}"
        return Diagnosis("shape", None, None, None, sentence)
    gaps = [abs(a - b) for a, b in zip(given.numbers, case.exact)]
    size = max(map(abs, case.exact), default=0.0)
    wrong = sum(gap > tolerance for gap, tolerance in zip(gaps, case.tolerances()))
    if 0.0 < max(gaps, default=0.0) < IMPRECISE * size:
        digits = int(-log10(max(gaps) / size))
        sentence = f"{name} is exact to {counted(digits, 'digit')} only: were differences taken, "
        return Diagnosis("imprecise", None, None, None, f"{sentence}or single precision?")
    sentence = f"{name} is wrong, and no mistake known here explains it"
    if len(gaps) > 1:
        sentence += f": {wrong} of {len(gaps):,} numbers differ"
    return Diagnosis("unexplained", None, None, None, sentence)


# ------------------------------------------------------------------ the search


class _Search:
    """Tries the hypotheses on the gradients that are wrong."""

    def __init__(
        self, study: Study, wrong: list[Case], sizes: Sequence[int],
        doubts: list[list[float]], tell: Progress,
    ) -> None:  # fmt: skip
        self.study, self.wrong, self.doubts, self.tell = study, wrong, doubts, tell
        self.found: dict[Case, list[Found]] = {case: [] for case in wrong}
        self.factors = _special_factors(sizes)

    def results(self) -> dict[Case, list[Found]]:
        """The hypotheses that explain each of the wrong gradients."""
        for case in self.wrong:
            self._try_factors(case)
            self._try_guesses(case, GUESSES)
        self._try_walks([c for c in self.wrong if len(c.given.numbers) == len(c.exact)])
        for case in self.wrong:
            if not self.found[case]:
                self._try_any_factor(case)
                self._try_guesses(case, LAST_GUESSES)
        return self.found

    def _add(self, case: Case, rank: int, diagnosis: Diagnosis) -> None:
        self.found[case].append(Found(rank, diagnosis))

    # -------------------------------------------------------------- factors and guesses

    def _try_factors(self, case: Case) -> None:
        name, sizes = case.block.name, case.exact
        if not any(case.given.numbers) and any(sizes):
            everywhere = " everywhere" if len(sizes) > 1 else ""
            sentence = f"{name} is 0{everywhere}, was it given before it was computed?"
            self._add(case, 0, Diagnosis("zero", 0.0, None, None, sentence))
        elif (ratio := _ratio(case.given.numbers, sizes)) is not None:
            factor = self._special(ratio)
            if factor not in (None, 1.0) and _explains(case, case.exact, case.bounds, factor):
                self._add(case, 0, self._factor(case, factor))

    def _factor(self, case: Case, factor: float) -> Diagnosis:
        name = case.block.name
        if factor == -1.0:
            sentence = f"{name} is −1 × the exact gradient: its sign is wrong"
            return Diagnosis("sign", factor, None, None, sentence)
        sentence = f"{name} is {figure(factor, 6)} × the exact gradient{self._meaning(factor)}"
        return Diagnosis("factor", factor, None, None, sentence)

    def _meaning(self, factor: float) -> str:
        words = self.factors.get(abs(factor), "")
        parts = filter(None, (words, "the sign is wrong" if factor < 0 else ""))
        return "".join(map("".join, zip((": ", ", and "), parts)))

    def _special(self, ratio: float) -> float | None:
        """The special factor that a ratio is, if it is one."""
        return next((c for c in self.factors if abs(ratio - c) <= 1e-4 * abs(c)), None)

    def _try_any_factor(self, case: Case) -> None:
        ratio = _ratio(case.given.numbers, case.exact)
        least = 2 if case.epsilon < 1e-9 else 3
        if (
            ratio is not None
            and abs(ratio - 1.0) > IMPRECISE
            and _informative(case, case.exact, case.bounds) >= least
            and _explains(case, case.exact, case.bounds, ratio)
        ):
            self._add(case, 2, self._factor(case, ratio))

    def _try_guesses(self, case: Case, guesses: Sequence[Callable[..., Iterator[Guess]]]) -> None:
        for make in guesses:
            for guess in make(self.study, case):
                ratio = _ratio(case.given.numbers, guess.numbers)
                factor = None if ratio is None else self._special(ratio)
                if factor is None or not _explains(case, guess.numbers, guess.bounds, factor):
                    continue
                if factor != 1.0 and _informative(case, guess.numbers, guess.bounds) < 4:
                    continue
                times = "" if factor == 1.0 else f"{figure(factor, 6)} × "
                diagnosis = Diagnosis(
                    guess.kind,
                    factor if guess.factor is None else guess.factor,
                    guess.operation,
                    guess.layer,
                    f"{case.block.name} is {times}{guess.words}",
                )
                self._add(case, 0 if factor == 1.0 else 1, diagnosis)

    # -------------------------------------------------------------- walks

    def _try_walks(self, cases: list[Case]) -> None:
        """Try walks on a sample of the numbers, and those that explain it on all."""
        if not cases:
            return
        study, tape = self.study, self.study.tape
        picks = {id(case): _picks(case) for case in cases}
        places = {at for case in cases for k in picks[id(case)]
                  if (at := tape.leaves[case.block.places[k]]) is not None}  # fmt: skip
        touched = {i for group in study.groups for i, _ in group.places}
        sample = Sample(tape, places, touched)
        of_place = {place: n for n, place in enumerate(sample.places)}
        exact = sample.slopes({})
        study.sample = sample.active
        hopeful: list[tuple[Callable[[Study], Iterator[Walk]], Walk, list[Case]]] = []
        for k, make in enumerate(WALKS):
            for n, walk in enumerate(make(study)):
                self.tell(0.5 + (k + n / (n + len(study.groups))) / len(WALKS) / 2)
                slopes = sample.slopes(walk.changes)
                if fitting := [
                    case for case in cases
                    if self._may_fit(case, picks[id(case)], of_place, slopes, exact, walk)
                ]:  # fmt: skip
                    hopeful.append((make, walk, fitting))
        study.sample = None
        for again, walk, fitting in hopeful:
            if walk.group is not None:
                study.groups = [study.all_groups[walk.group]]
                words = walk.words
                walk = next(whole for whole in again(study) if whole.words == words)
            self._verify(walk, fitting)

    def _may_fit(
        self, case: Case, picks: list[int], of_place: dict[int, int],
        slopes: Numbers, exact: Numbers, walk: Walk,
    ) -> bool:  # fmt: skip
        leaves, places = self.study.tape.leaves, case.block.places
        at = [of_place.get(leaves[places[k]], -1) for k in picks]  # type: ignore[arg-type]
        predicted = [slopes[n] if n >= 0 else 0.0 for n in at]
        yours = [case.given.numbers[k] for k in picks]
        numbers = [exact[n] if n >= 0 else 0.0 for n in at]
        return self._factor_of(case, walk, yours, predicted, numbers, loose=True) is not None

    def _factor_of(
        self, case: Case, walk: Walk, yours: Numbers, predicted: Numbers, exact: Numbers,
        loose: bool = False,
    ) -> float | None:  # fmt: skip
        """How often the walk, or the share it leaves out, must be counted; None if it cannot be."""
        size = max(map(abs, yours), default=0.0)
        slack = (1e-7 if case.epsilon < 1e-9 else 1e-3) * size
        if walk.free:
            share = [a - b for a, b in zip(exact, predicted)]
            largest = max(map(abs, exact), default=0.0)
            if max(map(abs, share), default=0.0) <= 1e-12 * largest:
                return None
            if max(map(abs, predicted), default=0.0) <= 1e-12 * largest:
                return None
            rest = [a - b for a, b in zip(yours, predicted)]
            ratio = _ratio(rest, share)
            if ratio is None:
                return None
            factor = 0.0 if abs(ratio) < 1e-6 else self._special(ratio)
            if factor == 1.0:
                return None
            if factor is None:
                if sum(abs(x) > 1e-9 * largest for x in share) < 3:
                    return None
                factor = ratio
            told = [b + factor * s for b, s in zip(predicted, share)]
        else:
            if all(abs(a - b) <= 1e-12 * abs(a) for a, b in zip(exact, predicted)):
                return None
            ratio = _ratio(yours, predicted)
            factor = None if ratio is None else self._special(ratio)
            if factor is None:
                return None
            largest = max(map(abs, predicted))
            if factor != 1.0 and sum(abs(x) > 1e-9 * largest for x in predicted) < 4:
                return None
            told = [factor * x for x in predicted]
        if loose and not all(abs(a - b) <= slack for a, b in zip(yours, told)):
            return None
        return factor

    def _verify(self, walk: Walk, cases: list[Case]) -> None:
        tape = self.study.tape
        slopes = tape.of_leaves(tape.slopes(walk.changes))
        bounds = tape.of_leaves(tape.bounds(self.doubts, walk.changes))
        for case in cases:
            predicted = [slopes[k] for k in case.block.places]
            bound = [bounds[k] for k in case.block.places]
            factor = self._factor_of(case, walk, case.given.numbers, predicted, case.exact)
            if factor is None:
                continue
            told, times = predicted, factor
            if walk.free:
                told = [b + factor * (a - b) for a, b in zip(case.exact, predicted)]
                bound = [
                    abs(1.0 - factor) * x + abs(factor) * y for x, y in zip(bound, case.bounds)
                ]
                times = 1.0
            if _explains(case, told, bound, times):
                self._add(case, *self._of_walk(case, walk, factor))

    def _of_walk(self, case: Case, walk: Walk, factor: float) -> tuple[int, Diagnosis]:
        name, kind = case.block.name, walk.kind
        if walk.free:
            rank = 0 if factor in self.factors or factor == 0.0 else 1
            if factor == 0.0:
                words = f"the exact gradient without {walk.words}"
            elif factor == -1.0:
                words = f"the exact gradient with {walk.words} subtracted, not added"
                kind = "negated" if kind == "term" else kind
            else:
                words = f"the exact gradient with {walk.words} counted {figure(factor, 6)} times"
        else:
            rank = 0 if factor == 1.0 else 1
            times = "" if factor == 1.0 else f"{figure(factor, 6)} × "
            words = f"{times}the exact gradient {walk.words}"
        diagnosis = Diagnosis(kind, factor, walk.operation, walk.layer, f"{name} is {words}")
        return rank, diagnosis


def _special_factors(sizes: Sequence[int]) -> dict[float, str]:
    """Factors that mistakes are made of, and minus them, with the mistake that each comes from."""
    factors = {
        1.0: "",
        2.0: "added up over two calls, or a factor ½ forgotten",
        0.5: "a factor 2 forgotten",
    }
    for n in sizes:
        too_much, too_little = f"a sum for a mean over {n}", f"a mean over {n} for a sum"
        for factor, words in (
            (n, too_much),
            (1.0 / n, too_little),
            (n / 2.0, f"{too_much}, and a factor 2 forgotten"),
            (2.0 / n, f"{too_little}, and a factor ½ forgotten"),
            (2.0 * n, f"{too_much}, and a factor ½ forgotten"),
            (0.5 / n, f"{too_little}, and a factor 2 forgotten"),
        ):
            factors.setdefault(factor, words)
    return factors | {-factor: words for factor, words in factors.items()}


def _ratio(yours: Numbers, numbers: Numbers) -> float | None:
    """Yours divided by the numbers, at the largest of them."""
    if len(yours) != len(numbers) or not numbers:
        return None
    sizes = [*map(abs, numbers)]
    k = sizes.index(max(sizes))
    return yours[k] / numbers[k] if numbers[k] and isfinite(numbers[k]) else None


def _explains(case: Case, numbers: Numbers, bounds: Numbers, factor: float) -> bool:
    """Whether the numbers, times a factor, are those that were given.

    A hypothesis that is closer to the exact gradient than what was given explains nothing.
    """
    yours, size = case.given.numbers, 2.0 * abs(factor)
    if len(numbers) != len(yours):
        return False
    told = [factor * x for x in numbers]
    return all(
        abs(a - b) <= size * (case.epsilon * bound + case.tiny)
        for a, b, bound in zip(yours, told, bounds)
    ) and (case.gap(told) > 0.5 * case.gap(yours) or case.given.shape != case.block.shape)


def _informative(case: Case, numbers: Numbers, bounds: Numbers) -> int:
    """How many of the numbers are more than rounding."""
    return sum(abs(x) > case.epsilon * b + case.tiny for x, b in zip(numbers, bounds))


def _picks(case: Case) -> list[int]:
    """Numbers of a block that tell most: the largest, the most wrong, and some from all over."""
    size = len(case.exact)
    if size <= 4 * SAMPLED:
        return [*range(size)]
    gaps = [abs(a - b) for a, b in zip(case.exact, case.given.numbers)]
    largest = sorted(range(size), key=lambda k: -abs(case.exact[k]))[:SAMPLED]
    most_wrong = sorted(range(size), key=lambda k: -gaps[k])[:SAMPLED]
    return sorted({*largest, *most_wrong, *range(0, size, size // SAMPLED)})
