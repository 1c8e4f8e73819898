"""JavaScript for pages: operations one by one, a weight's update, modules as objects.   (floor 3)

A page calls these functions to compute a graph anew, or to make the steps of `fit`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...ops import Op
from ..dialects.javascript import JAVASCRIPT
from ..lower import lines
from ..program import Program
from .training import update_source

LISTS = {  # value and slopes of the operations on lists that no helper has; x is the list
    "sum": ("x.reduce((s, a) => s + a, 0.0)", "x.map(() => 1.0)"),
    "dot": (
        "x.slice(0, n).reduce((s, w, i) => s + w * x[n + i], x[2 * n])",
        "[...x.slice(n, 2 * n), ...x.slice(0, n), 1.0]",
    ),
}


def row_functions(ops: Sequence[Op]) -> str:
    """The helpers that the operations call, and the list `rows`: a function for each operation.

    It takes the operands, those in lists too, one by one. It returns the value, and a list of the
    slopes by each operand. An operation of Python functions has null in its place.

    >>> from scalargrad.ops import OPS
    >>> print(row_functions([OPS["mul"]]))
    const rows = [
      // mul
      (x, y) => {
        const out = x * y;
        const dx = y;
        const dy = x;
        return [out, [dx, dy]];
      },
    ];
    """
    calls: set[str] = set()
    functions = [line for op in ops for line in (f"// {op.name}", *_function(op, calls))]
    rows = "\n".join(["const rows = [", *(f"  {line}" for line in functions), "];"])
    return "\n\n".join(filter(None, [JAVASCRIPT.helpers(calls), rows]))


def _function(op: Op, calls: set[str]) -> list[str]:
    if op.is_python:
        return ["null,"]
    head, body = _of_list(op, calls) if op.takes_lists else _of_operands(op, calls)
    return [f"({head}) => {{", *(f"  {line}" for line in body), "},"]


def _of_operands(op: Op, calls: set[str]) -> tuple[str, list[str]]:
    names = JAVASCRIPT.names()
    name_of = {operand: names.take(operand, "x") for operand in op.operands}
    head, body = ", ".join(name_of.values()), []
    for name, line in [line for part in lines(op, op.operands) for line in part]:
        text = JAVASCRIPT.text(line, {x: name_of[x] for x in line.operands}, calls)
        name_of[name] = "out" if name == "out" else names.take(name)
        body.append(JAVASCRIPT.constant(name_of[name], text))
    slopes = ", ".join([name_of[f"d{operand}"] for operand in op.operands])
    return head, [*body, f"return [out, [{slopes}]];"]


def _of_list(op: Op, calls: set[str]) -> tuple[str, list[str]]:
    if op.name in LISTS:
        value, slopes = LISTS[op.name]
        size = ["const n = (x.length - 1) / 2;"] if op.name == "dot" else []
        return "...x", [*size, f"return [{value}, {slopes}];"]
    value, slopes = JAVASCRIPT.lists[op.name], JAVASCRIPT.lists[f"{op.name}_slopes"]
    calls |= {value, slopes}
    return "...x", [
        f"const out = {value}(x.length, 1, x), slopes = [];",
        f"{slopes}(x.length, 1, x, out, slopes);",
        "return [out, slopes];",
    ]


def update_text(update: Program) -> str:
    """The function `update(n, w, g, state1, …, lr, step)`: it moves n weights and their memory."""
    made = update_source(JAVASCRIPT, "update", update)
    return "\n\n".join(filter(None, [JAVASCRIPT.helpers(made.calls), made.text]))


def as_object(name: str, module: str, functions: tuple[str, ...]) -> str:
    """A module as an object with its functions, so that several can stand in one script.

    >>> print(as_object("double", "export function value(x) { return 2 * x; }", ("value",)))
    const double = (() => {
    function value(x) { return 2 * x; }
    return {value};
    })();
    """
    lines = [line.removeprefix("export ") for line in module.strip().splitlines()]
    end = [f"return {{{', '.join(functions)}}};", "})();"]
    return "\n".join([f"const {name} = (() => {{", *lines, *end])
