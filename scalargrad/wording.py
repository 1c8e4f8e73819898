"""Graphs in words: labels, numbers in few figures, formulas, sentences.   (floor 2)

Pictures, explanations, the gradient doctor and the pages' scripts ask here, so they say the same
thing in the same words.
"""

from __future__ import annotations

import math
import re

from .ops import ATOM, PRODUCT, SIGN, SUM
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from .ops import Op

    Formula = tuple[str, int]  # text, and how tightly it binds

JOINERS = "\u200c\u200d"  # invisible characters that join letters of some scripts, and emoji
SPACES = "\n\r\t\u00a0\u3000"
LONGEST = 200  # a label keeps at most so many characters


# ------------------------------------------------------------------ labels


class ParameterLabel(str):
    """The label that `nn` gives a parameter: a text that knows the parameter's place.

    `layer` is the layer's number as the text has it, "" for a layer without a number and None for a
    neuron alone. `input` is None for a bias. A parameter that gets another label loses its place.

    >>> label = ParameterLabel("W1[0,2]", "1", 0, 2)
    >>> label, label.layer, label.neuron, label.input
    ('W1[0,2]', '1', 0, 2)
    """

    __slots__ = ("input", "layer", "neuron")
    layer: str | None
    neuron: int
    input: int | None

    def __new__(
        cls, text: str, layer: str | None, neuron: int, input: int | None = None
    ) -> ParameterLabel:
        label = super().__new__(cls, text)
        label.layer, label.neuron, label.input = layer, neuron, input
        return label

    def __reduce__(self) -> tuple[Any, ...]:
        return ParameterLabel, (str(self), self.layer, self.neuron, self.input)


def label_of(value: Value) -> str:
    """The label of a Value, made safe to show; empty if it has none."""
    return "" if value.label is None else clean(str(value.label))


def clean(text: str) -> str:
    """The text in one line, with a mark in place of each character that cannot be seen.

    So control characters, characters that change the direction of writing, and code points that are
    no characters do no harm where the text is shown.

    >>> clean("a\\x00b\\u202ec\\nd")
    'a�b�c d'
    """
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in JOINERS else " " if c in SPACES else "�" for c in text
    )


def unused(taken: set[str], stem: str = "v", number: int = 1) -> Iterator[str]:
    """Names for Values without a label: v1, v2, …, leaving out those that are taken.

    >>> names = unused({"v1"})
    >>> next(names), next(names)
    ('v2', 'v3')
    """
    while True:
        if (name := f"{stem}{number}") not in taken:
            yield name
        number += 1


def names_of(order: list[Value], shown: set[Value]) -> dict[Value, str]:
    """Different names for the Values that have a label or are shown.

    A label that another Value has already is followed by a number. A Value without a label is named
    v1, v2, …
    """
    names: dict[Value, str] = {}
    taken, given = {label_of(value) for value in order}, set[str]()
    fresh = unused({*taken})
    for value in order:
        name = label_of(value)
        if name and name in given:
            name = next(unused(taken, f"{name}#", 2))
            taken.add(name)
        given.add(name)
        if name or value in shown:
            names[value] = name or next(fresh)
    return names


def first_and_last(items: Sequence[Any], gap: Any) -> list[Any]:
    """The items; if there are more than eight, the first and the last ones with a gap between."""
    return [*items] if len(items) <= 8 else [*items[:4], gap, *items[-3:]]


def listed(names: Sequence[Any]) -> str:
    """Names after each other, not all of them if they are many.

    >>> listed(["W1", "b1"])
    'W1, b1'
    """
    return ", ".join(first_and_last([clean(str(name)) for name in names], "…"))


# ------------------------------------------------------------------ figures


def figure(number: float, digits: int = 4) -> str:
    """A number in few figures, with a minus sign in place of a hyphen.

    >>> figure(-1.4999999999999993), figure(6.881373587), figure(1e-12), figure(float("-inf"))
    ('−1.5', '6.881', '1e−12', '−∞')
    """
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if number == 0.0:
        number = abs(number)
    text = f"{number:.{digits}g}"
    if "e" in text:
        head, _, power = text.partition("e")
        text = f"{head}e{int(power)}"
    return text.replace("-", "−")


def counted(count: int, noun: str) -> str:
    """A count and its noun, in the plural where it must be.

    >>> counted(1, "edge"), counted(13002, "parameter")
    ('1 edge', '13,002 parameters')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# ------------------------------------------------------------------ sentences

SENTENCES = {  # the step-through page takes them too, and fills in {…} as `said` does
    # of a gradient that somebody gave
    "right": "{yours} is right",
    "sign": "{yours} is −1 × the exact gradient: its sign is wrong",
    "digits": "{yours} is exact to {digits} only",
    "unexplained": "{yours} is wrong, and no mistake known here explains it",
    "changed": "{yours} is {times}the exact gradient {change}",
    "without": "without {part}",
    "subtracted": "with {part} subtracted, not added",
    "counted": "with {part} counted {times} times",
    "share": "the share through {place}",
    "shares": "the shares through {places}",
    "slope left out": "with the slope of {place} left out",
    "factor left out": "with a factor left out: the one beside {place}",
    "constant left out": "with a constant factor{where} left out",
    "gradient left out": "with the gradient of {place} left out",
    # of paths
    "paths": "d {root}/d {leaf} = {slope}, the sum over {count}{end}",
    "all shown": ":",
    "heaviest shown": "; the heaviest:",
    "other paths": "the other {count}",
    "values between": "… {count} more …",
    "about": "about {number} paths",
    "no path": "{root} was not made of {leaf}: its slope is 0, no path leads to it",
}


def said(sentence: str, **parts: str) -> str:
    """A sentence of the table, with its parts filled in.

    >>> said("digits", yours="b", digits=counted(2, "digit"))
    'b is exact to 2 digits only'
    """
    return SENTENCES[sentence].format(**parts)


# ------------------------------------------------------------------ operations

NOUNS = {"sub": "subtraction", "div": "division", "mul": "product", "add": "sum"}


def operation_noun(value: Value) -> str:
    """The name of the operation that made a Value, as a sentence has it.

    >>> from scalargrad import Value, tanh
    >>> x = Value(2.0)
    >>> [operation_noun(y) for y in (x * 3, x**2, x**3, tanh(x))]
    ['product', 'square', 'power', 'tanh']
    """
    if value.op == "pow" and not isinstance(value.parents[1], Value):
        return "square" if value.parents[1] == 2.0 else "power"
    return NOUNS.get(value.op or "", value.op or "")


def name_formula(name: str) -> Formula:
    """A name as an operand; one with an operator in it counts as a sum, which may need brackets."""
    return name, SUM if any(sign in name for sign in "+−-*·×/÷^") else ATOM


def number_formula(x: float, digits: int = 3) -> Formula:
    """A number as an operand."""
    text = figure(x, digits)
    return text, SIGN if text.startswith("−") else ATOM


def operation_formula(value: Value, operands: Sequence[Formula]) -> Formula:
    """The operation that made a Value, with formulas for its operands, in brackets where needed.

    >>> from scalargrad import Value
    >>> operation_formula(Value(1.0) * 2, [("a + b", SUM), ("c", ATOM)])
    ('(a + b)·c', 2)
    """
    op = value._operation
    assert op is not None

    def texts(*least: int) -> list[str]:  # no sign may follow an operator
        return [
            f"({text})" if binds < at_least or (i and text.startswith("−")) else text
            for i, ((text, binds), at_least) in enumerate(zip(operands, least))
        ]

    count = len(operands)
    if op.infix and (count > 1 or not op.takes_lists):
        between, binds, first, others = op.infix
        parts = texts(first, *[others] * (count - 1))
        between = clean(between)
        return between.join(parts) if count > 1 else between + parts[0], binds
    if op.name == "dot":
        *factors, bias = texts(*[PRODUCT] * (count - 1), SUM)
        terms = [f"{w}·{x}" for w, x in zip(factors[: count // 2], factors[count // 2 :])]
        if isinstance(value.parents[-1], Value) or value.parents[-1] != 0.0 or not terms:
            terms.append(bias)
        return " + ".join(terms), SUM if len(terms) > 1 else PRODUCT
    if op.is_public:
        return f"{op.name}({', '.join(text for text, _ in operands)})", ATOM
    return symbol_on(op, texts(*[ATOM] * count)), SUM


def symbol_on(op: Op, texts: Sequence[str]) -> str:
    """The symbol of an operation, with texts in place of the operands in it.

    >>> from .ops import OPS
    >>> symbol_on(OPS["square"], ["w1"]), symbol_on(OPS["tanh"], ["w1"])
    ('w1²', 'tanh')
    """
    names = dict(zip([name.removesuffix("s") for name in op.operands], texts))
    return re.sub("[A-Za-z_]+", lambda word: names.get(word[0], word[0]), clean(op.symbol))


def formulas(
    values: Sequence[Value], known: Mapping[Value, Formula], digits: int = 3, longest: int = 72
) -> dict[Value, str]:
    """A formula for each computed Value in terms of the known ones, if it is not too long.

    >>> from scalargrad import Value, tanh
    >>> w, x = Value(0.5, "w"), Value(2.0, "x")
    >>> y = tanh(w * x + 1) / 2
    >>> formulas(y.graph(), {w: name_formula("w"), x: name_formula("x")})[y]
    'tanh(w·x + 1) / 2'
    """
    found: dict[Value, Formula] = {}
    for value in values:
        parents = value.parents if len(value.parents) <= longest else ()
        operands = []
        for x in parents:
            operand = (
                (known.get(x) or found.get(x))
                if isinstance(x, Value)
                else number_formula(x, digits)
            )
            if operand is None:
                break
            operands.append(operand)
        else:
            if parents and len((formula := operation_formula(value, operands))[0]) <= longest:
                found[value] = formula
    return {value: text for value, (text, _) in found.items()}
