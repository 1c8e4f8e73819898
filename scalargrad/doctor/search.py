"""Tries each hypothesis on the gradients that are wrong.   (floor 2)

A hypothesis explains a gradient if every number is what it says, up to rounding.
"""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from ..wording import figure, said
from .diagnosis import Diagnosis, without_place
from .guesses import GUESSES, LAST_GUESSES
from .rightness import IMPRECISE
from .tape import Sample
from .walks import WALKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .study import Case, Guess, Numbers, Study, Walk

    Progress = Callable[[float], None]

COUNTS = (0.0, -1.0, 2.0, 0.5)  # how often a share is counted, if one number alone says so
SAMPLED = 16  # numbers of a large block, of each of three kinds, that hypotheses are tried on first


class Found(NamedTuple):
    """A hypothesis that explains what was given; simple ones have a small rank."""

    rank: int
    diagnosis: Diagnosis


class Search:
    """The hypotheses that explain each of the wrong gradients: `results`.

    `sizes` are lengths that a sum or a mean may have been taken over, `doubts` the rounding errors
    of the tape's slopes.
    """

    def __init__(
        self, study: Study, wrong: list[Case], sizes: Sequence[int],
        doubts: list[list[float]], tell: Progress,
    ) -> None:  # fmt: skip
        self.study, self.wrong, self.doubts, self.tell = study, wrong, doubts, tell
        self.found: dict[Case, list[Found]] = {case: [] for case in wrong}
        self.factors = _special_factors(sizes)

    def results(self) -> dict[Case, list[Found]]:
        """Try everything."""
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
        if not any(case.given.numbers) and any(case.exact):
            everywhere = " everywhere" if len(case.exact) > 1 else ""
            words = f"is 0{everywhere}, was it given before it was computed?"
            self._add(case, 0, without_place("zero", f"{case.block.name} {words}", 0.0))
        elif (factor := self._special(_ratio(case.given.numbers, case.exact))) not in (None, 1.0):
            self._try_factor(case, 0, factor)

    def _try_any_factor(self, case: Case) -> None:
        ratio = _ratio(case.given.numbers, case.exact)
        least = 2 if case.epsilon < 1e-9 else 3
        if (
            ratio is not None
            and abs(ratio - 1.0) > IMPRECISE
            and _informative(case, case.exact, case.bounds) >= least
        ):
            self._try_factor(case, 2, ratio)

    def _try_factor(self, case: Case, rank: int, factor: float) -> None:
        if not _explains(case, case.exact, case.bounds, factor):
            return
        kind, sentence = "sign", said("sign", yours=case.block.name)
        if factor != -1.0:
            meaning = [self.factors.get(abs(factor), ""), "the sign is wrong" * (factor < 0)]
            words = ", and ".join(filter(None, meaning))
            change = f"{_times(factor)}the exact gradient{': ' * bool(words)}{words}"
            kind, sentence = "factor", f"{case.block.name} is {change}"
        self._add(case, rank, without_place(kind, sentence, factor))

    def _special(self, ratio: float | None) -> float | None:
        """The special factor that a ratio is, if it is one."""
        if ratio is None:
            return None
        return next((c for c in self.factors if abs(ratio - c) <= 1e-4 * abs(c)), None)

    def _try_guesses(self, case: Case, guesses: Sequence[Callable[..., Iterator[Guess]]]) -> None:
        for make in guesses:
            for guess in make(self.study, case):
                factor = self._special(_ratio(case.given.numbers, guess.numbers))
                if factor is None or not _explains(case, guess.numbers, guess.bounds, factor):
                    continue
                if factor != 1.0 and _informative(case, guess.numbers, guess.bounds) < 4:
                    continue
                diagnosis = Diagnosis(
                    guess.kind,
                    factor if guess.factor is None else guess.factor,
                    guess.operation,
                    guess.layer,
                    f"{case.block.name} is {_times(factor)}{guess.words}",
                )
                self._add(case, int(factor != 1.0), diagnosis)

    # -------------------------------------------------------------- walks

    def _try_walks(self, cases: list[Case]) -> None:
        """Try walks on a sample of the numbers, and those that explain it on all."""
        if not cases:
            return
        study, tape = self.study, self.study.tape
        picks = {case: _picks(case) for case in cases}
        leaves = {case: [tape.leaves[case.block.places[k]] for k in picks[case]] for case in cases}
        touched = {i for group in study.groups for i, _ in group.places}
        places = {at for each in leaves.values() for at in each if at is not None}
        sample = Sample(tape, places, touched)
        number_of = {place: n for n, place in enumerate(sample.places)}

        def picked(case: Case, slopes: Numbers) -> Numbers:
            return [slopes[number_of[at]] if at in number_of else 0.0 for at in leaves[case]]

        slopes = sample.slopes({})
        exact = {case: picked(case, slopes) for case in cases}
        study.sample = sample.active
        hopeful: list[tuple[Callable[[Study], Iterator[Walk]], Walk, list[Case]]] = []
        for k, make in enumerate(WALKS):
            for n, walk in enumerate(make(study)):
                self.tell(0.5 + (k + n / (n + len(study.groups))) / len(WALKS) / 2)
                slopes = sample.slopes(walk.changes)
                if fitting := [
                    case for case in cases
                    if self._may_fit(case, walk, picks[case], picked(case, slopes), exact[case])
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
        self, case: Case, walk: Walk, picks: list[int], predicted: Numbers, exact: Numbers
    ) -> bool:
        yours = [case.given.numbers[k] for k in picks]
        slack = (1e-7 if case.epsilon < 1e-9 else 1e-3) * max(map(abs, yours), default=0.0)
        fit = self._fit(walk, yours, predicted, exact)
        return fit is not None and all(abs(a - b) <= slack for a, b in zip(yours, fit[1]))

    def _fit(
        self, walk: Walk, yours: Numbers, predicted: Numbers, exact: Numbers
    ) -> tuple[float, Numbers] | None:
        """The times that yours counts the walk, or the share it leaves out, and the numbers then.

        None if yours counts neither, or the walk changes nothing.
        """
        if all(abs(a - b) <= 1e-12 * abs(a) for a, b in zip(exact, predicted)):
            return None
        base, part = [0.0] * len(predicted), predicted
        if walk.free:
            base, part = predicted, [a - b for a, b in zip(exact, predicted)]
            if max(map(abs, base)) <= 1e-12 * max(map(abs, exact)):
                return None  # the share is all there is
        ratio = _ratio([a - b for a, b in zip(yours, base)], part)
        if ratio is None:
            return None
        factor = 0.0 if walk.free and abs(ratio) < 1e-6 else self._special(ratio)
        if walk.free:
            least = 0 if factor in COUNTS else 3
            factor = ratio if factor is None else factor
        else:
            least = 0 if factor == 1.0 else 4
        if factor is None or (walk.free and factor == 1.0):
            return None
        largest = max(map(abs, exact if walk.free else part))
        if least and sum(abs(x) > 1e-9 * largest for x in part) < least:
            return None
        return factor, [a + factor * b for a, b in zip(base, part)]

    def _verify(self, walk: Walk, cases: list[Case]) -> None:
        """Try a walk on all numbers, and on the tolerance of each."""
        tape = self.study.tape
        slopes = tape.of_leaves(tape.slopes(walk.changes))
        bounds = tape.of_leaves(tape.bounds(self.doubts, walk.changes))
        for case in cases:
            predicted = [slopes[k] for k in case.block.places]
            if fit := self._fit(walk, case.given.numbers, predicted, case.exact):
                factor, told = fit
                part, rest = abs(factor), abs(1.0 - factor)
                bound = [
                    rest * bounds[k] + part * exact if walk.free else part * bounds[k]
                    for k, exact in zip(case.block.places, case.bounds)
                ]
                if _explains(case, told, bound):
                    self._add(case, *self._of_walk(case, walk, factor))

    def _of_walk(self, case: Case, walk: Walk, factor: float) -> tuple[int, Diagnosis]:
        kind, times, change = walk.kind, _times(factor), walk.words
        is_simple = factor == 1.0
        if walk.free:
            is_simple, times = factor == 0.0 or factor in self.factors, ""
            changes = {0.0: "without", -1.0: "subtracted"}
            change = said(changes.get(factor, "counted"), part=walk.words, times=figure(factor, 6))
            kind = "negated" if kind == "term" and factor == -1.0 else kind
        sentence = said("changed", yours=case.block.name, times=times, change=change)
        return int(not is_simple), Diagnosis(kind, factor, walk.operation, walk.layer, sentence)


def _times(factor: float) -> str:
    return "" if factor == 1.0 else f"{figure(factor, 6)} × "


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


def _explains(case: Case, numbers: Numbers, bounds: Numbers, factor: float = 1.0) -> bool:
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
    """The count of the numbers that are more than rounding."""
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
