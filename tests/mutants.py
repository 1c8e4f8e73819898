"""Broken rules: every derivative rule of the table and every line of the walk, wrong in one way each, and how to break one for a while.

A rule is a slope of a recorded operation, a line of work that slopes alone read, or the value of an operation whose name begins with `_`,
which is a slope of others. Where a rule chooses between formulas, the whole of it is broken and each formula by itself.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import linecache
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import scalargrad
from scalargrad import Value, functions, graph, value
from scalargrad.ops import LISTS, OPS, ROOT_HALF, TWO_BY_ROOT_PI, Op
from scalargrad.rows import slopes
from scalargrad.rows import text as rows_text
from scalargrad.rows.methods import Recorded, add_method

# ------------------------------------------------------------------ the ways to be wrong

FACTORS = {"sign": "-1.0", "factor": "2.0", "0.1 %": "1.001", "1e-6": "1.000001"}
CONSTANTS = {
    "0.0": "1.0",
    "nan": "0.0",
    "inf": "-inf",
}  # a product would not change them, or not always
KINDS = (*FACTORS, "constant", "twin", "swapped", "walk")

# What textbooks write: (operation, operand) → slopes.
TWINS: dict[tuple[str, str], tuple[str, ...]] = {
    ("abs", "x"): ("x / abs(x)",),
    ("exp2", "x"): ("0.6931471805599453 * out",),
    ("expm1", "x"): ("out + 1.0",),
    ("log", "x"): ("1.0 / x",),
    ("log1p", "x"): ("1.0 / (1.0 + x)",),
    ("log2", "x"): ("1.4426950408889634 / x",),
    ("log10", "x"): ("0.4342944819032518 / x",),
    ("sqrt", "x"): ("0.5 / out",),
    ("cbrt", "x"): ("1.0 / (3.0 * out * out)",),
    ("reciprocal", "x"): ("-1.0 / (x * x)",),
    ("tan", "x"): ("1.0 / (cos(x) * cos(x))",),
    ("arcsin", "x"): ("1.0 / sqrt(1.0 - x * x)",),
    ("arccos", "x"): ("-1.0 / sqrt(1.0 - x * x)",),
    ("arctan", "x"): ("1.0 / (1.0 + x * x)",),
    ("tanh", "x"): ("1.0 - out * out",),
    ("arcsinh", "x"): ("1.0 / sqrt(1.0 + x * x)",),
    ("arccosh", "x"): ("1.0 / sqrt(x * x - 1.0)",),
    ("arctanh", "x"): ("1.0 / (1.0 - x * x)",),
    ("erf", "x"): (f"{TWO_BY_ROOT_PI} * exp(-x * x)",),
    ("erfc", "x"): (f"-{TWO_BY_ROOT_PI} * exp(-x * x)",),
    ("sigmoid", "x"): ("out * (1.0 - out)",),
    ("log_sigmoid", "x"): ("1.0 - sigmoid(x)",),
    ("softplus", "x"): ("exp(x) / (1.0 + exp(x))",),
    ("relu", "x"): ("1.0 if x > 0.0 else 0.0",),
    ("leaky_relu", "x"): ("1.0 if x > 0.0 else 0.01",),
    ("elu", "x"): ("1.0 if x > 0.0 else out + 1.0",),
    ("gelu", "x"): (
        f"0.5 * (1.0 + erf(x * {ROOT_HALF})) + 0.3989422804014327 * x * exp(-0.5 * x * x)",
    ),
    ("silu", "x"): (
        "sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)))",
        "sigmoid(x) + x * _sigmoid_slope(x)",
    ),
    ("div", "y"): ("-x / (y * y)", "-out / y"),
    ("pow", "x"): ("y * pow(x, y - 1.0)", "y * (out / x)"),
    ("pow", "y"): ("out * log(x)",),
    ("arctan2", "x"): ("y / (x * x + y * y)", "y / h / h"),
    ("arctan2", "y"): ("-x / (x * x + y * y)", "-x / h / h"),
    ("hypot", "x"): ("x / sqrt(x * x + y * y)", "x / out"),
    ("hypot", "y"): ("y / sqrt(x * x + y * y)", "y / out"),
    ("maximum", "x"): ("1.0 if x >= y else 0.0",),
    ("maximum", "y"): ("1.0 if y > x else 0.0",),
    ("minimum", "x"): ("1.0 if x <= y else 0.0",),
    ("minimum", "y"): ("1.0 if y < x else 0.0",),
    ("xlogy", "y"): ("x / y",),
    ("logaddexp", "x"): ("exp(x - out)", "exp(x) / (exp(x) + exp(y))"),
    ("logaddexp", "y"): ("exp(y - out)", "exp(y) / (exp(x) + exp(y))"),
    ("clip", "x"): ("1.0 if low < x < high else 0.0",),
    ("mod", "y"): ("-(x / y)", "(out - x) / y"),
    ("sinc", "x"): ("(cos(3.141592653589793 * x) - out) / x",),
    ("prod", "xs"): ("[out / x for x in xs]",),
    ("norm", "xs"): ("[x / out for x in xs]",),
    ("logsumexp", "xs"): ("[exp(x - out) for x in xs]",),
    ("max", "xs"): ("[1.0 if x == out else 0.0 for x in xs]",),
    ("min", "xs"): ("[1.0 if x == out else 0.0 for x in xs]",),
}

# The walk: what stands in Value.backward and in graph.computed (lines of any indent), and what stands there instead.
WALK: tuple[tuple[str, str], ...] = (
    ("operand.grad += partial * slope", "operand.grad = partial * slope"),
    ("x.grad += node._dx * slope", "x.grad = node._dx * slope"),
    ("y.grad += node._dy * slope", "y.grad = node._dy * slope"),
    ("leaf.grad += grad", "leaf.grad = grad"),
    ("operand.grad += partial * slope", "operand.grad -= partial * slope"),
    ("x.grad += node._dx * slope", "x.grad -= node._dx * slope"),
    ("y.grad += node._dy * slope", "y.grad -= node._dy * slope"),
    ("leaf.grad += grad", "leaf.grad -= grad"),
    ("partial * slope", "partial + slope"),
    ("node._dx * slope", "node._dx + slope"),
    ("node._dy * slope", "node._dy + slope"),
    ("x.grad += node._dx * slope", "x.grad += node._dx"),
    ("y.grad += node._dy * slope", "y.grad += node._dx * slope"),
    ("leaf.grad += grad", "pass"),  # what was there before the walk is lost
    ("for node in order:\nnode.grad = 0.0", "for node in order:\npass"),
    ("for node in reversed(order)", "for node in order"),
    ("self.grad += 1.0", "self.grad += 2.0"),
    ("self.grad += 1.0", "self.grad += 0.0"),
    ("if slope:", "if True:"),
    ("if slope:", "if slope == slope and slope:"),
    ("if slope:", "if slope > 0.0:"),
    ("zip(node._y, node._dy)", "zip(node._y, reversed(node._dy))"),
    ("with one_walk_at_a_time:", "if one_walk_at_a_time:"),
)
ORDER: tuple[tuple[str, str], ...] = (
    ("before += (node, node.grad)", "pass"),
    ("before += (node, node.grad)\nnode.grad = 0.0", "before += (node, node.grad)"),
    ("before += (operand, operand.grad)", "pass"),
    (
        "before += (operand, operand.grad)\noperand.grad = 0.0",
        "before += (operand, operand.grad)",
    ),
    ("node._x = mark", "pass"),
    ("operand._x = mark", "pass"),
    ("elif node.grad is not mark:", "else:"),
    ("node.grad = mark", "pass"),
    ('mark: Any = float("nan")', "mark: Any = 0.0"),
    ("stack += (node, None)\n", "stack += (None, node)\n"),
    ("if operand._operation is not None:", "if operand._operation is None:"),
    ("push(operand)", "pass"),
    ("if operand.grad is not mark:", "if operand.grad:"),
    ("(node, None, x, y) if y_waits else (node, None, x)", "(node, None, x)"),
    (
        "(node, None, x, y) if y_waits else (node, None, x)",
        "(node, None, x, y) if y_waits else (node, None)",
    ),
    ("elif y_waits:", "elif False:"),
    ("(y._operation is not None or y.grad)", "y._operation is not None"),
    ("(y._operation is not None or y.grad)", "y.grad"),
    (
        "            if x._operation is not None or x.grad:",
        "            if x._operation is not None:",
    ),
    ("            if x._operation is not None or x.grad:", "            if x.grad:"),
)


class Mutant(NamedTuple):
    """A rule that is wrong in one way: `part` is the slope (and formula in it), the line of work or "out"; `text` is wrong."""

    op_name: str
    part: str
    kind: str
    text: str
    op: Op | None  # the broken operation; None for the walk
    number: int = 0  # of several of the kind

    @property
    def name(self) -> tuple[str, str, str]:
        return self.op_name, self.part, f"{self.kind} {self.number}" if self.number else self.kind


# ------------------------------------------------------------------ the mutants


def changed(op: Op, part: str, text: str) -> Op:
    """The operation with another text for its value ("out"), a slope ("dx") or a line of work."""
    slopes = op.slopes and tuple(
        text if part == f"d{o}" else slope for o, slope in zip(op.operands, op.slopes, strict=True)
    )
    work = tuple(f"{part} = {text}" if line.startswith(f"{part} = ") else line for line in op.work)
    return op.changed(value=text if part == "out" else op.value, slopes=slopes, work=work)


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def rules(op: Op) -> Iterator[tuple[str, str, bool]]:
    """The derivative rules of an operation: part, text, and whether it is a list of slopes."""
    for operand, slope in zip(op.operands, op.slopes or (), strict=bool(op.slopes)):
        yield f"d{operand}", slope, operand in LISTS
    if not op.is_public:
        yield "out", op.value, op.value.startswith("[")
    of_value = words(op.value)
    for line in reversed(op.work):
        part, _, text = line.partition(" = ")
        if part in of_value:
            of_value |= words(text)
        elif op.slopes:
            yield part, text, False


def formulas(rule: str, is_list: bool) -> Iterator[tuple[str, ast.expr, bool]]:
    """The whole of a rule and each formula it chooses between: a name, the place, and whether it is a list."""
    tree = ast.parse(rule, mode="eval").body
    yield "", tree, is_list
    within = {
        id(node)
        for listed in ast.walk(tree)
        if isinstance(listed, ast.ListComp)
        for node in ast.walk(listed)
        if node is not listed
    }
    choices = [node for node in ast.walk(tree) if isinstance(node, ast.IfExp)]
    places = [
        side
        for node in choices
        for side in (node.body, node.orelse)
        if not isinstance(side, ast.IfExp)
    ]
    for number, place in enumerate(places, 1):
        yield f" {number}", place, is_list and id(place) not in within


def is_constant(tree: ast.expr) -> bool:
    """Whether it is 0, inf or nan, which factors do not change, or a choice between them."""
    if isinstance(tree, ast.IfExp):
        return is_constant(tree.body) and is_constant(tree.orelse)
    return ast.unparse(tree) in CONSTANTS


def scaled(op: Op, part: str, rule: str, is_list: bool) -> Iterator[Mutant]:
    """The rule, or a formula in it, times a factor; another constant."""
    for which, place, listed in formulas(rule, is_list):
        formula = rule[place.col_offset : place.end_col_offset]
        if formula in CONSTANTS:
            wrong = {"constant": CONSTANTS[formula]}
        elif is_constant(place):
            continue
        elif listed:
            wrong = {
                kind: f"[{factor} * each for each in ({formula})]"
                for kind, factor in FACTORS.items()
            }
        else:
            wrong = {kind: f"({factor} * ({formula}))" for kind, factor in FACTORS.items()}
        for kind, text in wrong.items():
            broken = rule[: place.col_offset] + text + rule[place.end_col_offset :]
            yield Mutant(op.name, part + which, kind, broken, changed(op, part, broken))


def swapped(op: Op) -> Iterator[Mutant]:
    """Slopes in each other's place, operands in each other's place in a slope, a list of slopes the wrong way round."""
    parts, texts = [f"d{o}" for o in op.operands], op.slopes or ()
    for (part, text), operand in zip(
        zip(parts, texts, strict=bool(texts)), op.operands, strict=False
    ):
        if operand in LISTS and len(op.operands) == 1:
            broken = f"[*reversed({text})]"
            yield Mutant(op.name, part, "swapped", broken, changed(op, part, broken))
    for i, j in itertools.combinations(range(len(texts)), 2):
        x, y = op.operands[i], op.operands[j]
        if (x in LISTS) != (y in LISTS):
            continue
        if texts[i] != texts[j]:
            both = changed(changed(op, parts[i], texts[j]), parts[j], texts[i])
            yield Mutant(
                op.name, f"{parts[i]}↔{parts[j]}", "swapped", f"{texts[j]}, {texts[i]}", both
            )
        for part, text in zip(parts, texts, strict=True):
            broken = re.sub(
                rf"\b({x}|{y})\b", lambda found, x=x, y=y: y if found[0] == x else x, text
            )  # type: ignore[misc]
            if broken != text:
                yield Mutant(
                    op.name, f"{part} {x}↔{y}", "swapped", broken, changed(op, part, broken)
                )


def twins(op: Op) -> Iterator[Mutant]:
    for operand in op.operands:
        for number, text in enumerate(TWINS.get((op.name, operand), ())):
            yield Mutant(
                op.name,
                f"d{operand}",
                "twin",
                text,
                changed(op, f"d{operand}", text),
                number and number + 1,
            )


def of_op(op: Op) -> list[Mutant]:
    """All mutants of an operation."""
    return [
        *(
            mutant
            for part, text, is_list in rules(op)
            for mutant in scaled(op, part, text, is_list)
        ),
        *twins(op),
        *swapped(op),
    ]


def of_the_walk() -> list[Mutant]:
    """All mutants of `Value.backward` and of the order that it walks in; `text` is a function's source."""
    mutants = []
    for part, function, changes in (
        ("walk", Value.backward, WALK),
        ("order", graph.computed, ORDER),
    ):
        source = textwrap.dedent(inspect.getsource(function))
        for number, (old, new) in enumerate(changes, 1):
            found = list(re.finditer(r"(\n\s*)".join(map(re.escape, old.split("\n"))), source))
            if len(found) != 1:
                raise ValueError(
                    f"{old!r} stands {len(found)} times in {function.__name__}: write what stands there once"
                )
            first, *others = new.split("\n")
            text = first + "".join(
                indent + line for indent, line in zip(found[0].groups(), others, strict=False)
            )
            whole = source[: found[0].start()] + text + source[found[0].end() :]
            mutants.append(
                Mutant(
                    "backward", f"{part} {number:2} {' '.join(new.split())}", "walk", whole, None
                )
            )
    return mutants


def all_mutants() -> list[Mutant]:
    return [*(mutant for op in OPS.values() for mutant in of_op(op)), *of_the_walk()]


# ------------------------------------------------------------------ breaking, and mending

DUNDERS = {
    "neg": "neg",
    "abs": "abs",
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "div": "truediv",
    "pow": "pow",
    "mod": "mod",
}


def forget() -> None:
    """Throw away all that was generated from operations, so that it is generated anew."""
    rows_text._on_floats.clear()
    slopes._functions_of.clear()
    for op in OPS.values():
        for holder in (functions, scalargrad):
            for name in {*op.names} & vars(holder).keys():
                delattr(holder, name)
        add_method(Value, op)
    for op_name, name in DUNDERS.items():
        for dunder, is_swapped in ((f"__{name}__", False), (f"__r{name}__", True)):
            if dunder in vars(Value):
                method = Recorded(op_name, swapped=is_swapped)
                method.__set_name__(Value, dunder)
                setattr(Value, dunder, method)


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    """The engine with one rule broken; when it ends all is as it was, object for object."""
    tables: list[dict[Any, Any]] = [
        OPS,
        rows_text._on_floats,
        slopes._functions_of,
        linecache.cache,
    ]
    holders = [(holder, dict(vars(holder))) for holder in (Value, value, functions, scalargrad)]
    caches: list[tuple[dict[Any, Any], dict[Any, Any]]] = [(made, dict(made)) for made in tables]
    try:
        if mutant.op is None:
            made = rows_text.run(mutant.text, "<broken walk>", {**vars(graph), **vars(value)})
            if mutant.part.startswith("order"):
                value.computed = made["computed"]
            else:
                Value.backward = made["backward"]  # type: ignore[method-assign]
        else:
            OPS[mutant.op_name] = mutant.op
            forget()
        yield
    finally:
        for made, before in caches:
            made.clear()
            made.update(before)
        for holder, names in holders:
            for name in vars(holder).keys() - names.keys():
                delattr(holder, name)
            for name, content in names.items():
                if vars(holder).get(name) is not content:
                    setattr(holder, name, content)
