"""What tests of source for numba share: Python reads it, where the breadth of cases matters and not the machine code."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from scalargrad.arithmetic import total
from scalargrad.compiler.in_native import machine

VARIABLES = {"i", "j", "k", "o", "q", "r"}  # of loops


def _as_numba(function: Callable[..., float]) -> Callable[..., Any]:
    return lambda *args: np.float64(function(*args))


def read_by_python(source: str, name: str) -> Callable[..., Any]:
    """The function of a source as Python runs it; what numba computes by itself, arithmetic that never raises, is lent to it."""
    tree = ast.parse(source)
    assigned = {
        ast.unparse(node.targets[0]) for node in ast.walk(tree) if isinstance(node, ast.Assign)
    }
    assert not read_outside(tree, assigned), source
    names = {
        **machine.machine_names(),
        **{name: _as_numba(function) for name, function in total.TOTAL.items()},
    }
    exec(source, names)

    def quiet(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return names[name](*[np.float64(x) if isinstance(x, float) else x for x in args])

    return quiet


def read_outside(node: ast.AST, known: set[str]) -> set[str]:
    """The variables of loops that are read where their loop does not run: they have the number of another."""
    if isinstance(node, ast.Name):
        return {node.id} & VARIABLES - known
    if isinstance(node, ast.FunctionDef):
        known = known | {argument.arg for argument in node.args.args}
    if isinstance(node, ast.For | ast.ListComp):
        loop = node if isinstance(node, ast.For) else node.generators[0]
        outside = read_outside(loop.iter, known)
        inside = [*node.body] if isinstance(node, ast.For) else [node.elt]
        return outside.union(
            *[read_outside(part, known | {ast.unparse(loop.target)}) for part in inside]
        )
    return set[str]().union(*[read_outside(part, known) for part in ast.iter_child_nodes(node)])
