"""Functions as source that stands alone: with the source of all that they call.   (floor 3)

The names that code reads say what is called, and the objects themselves where they are from: those
of the standard library are imported; those of the package are copied, under a name that begins
with _ and so meets no name in generated source; NumPy's functions and arrays become assignments.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import itertools
import math
import operator
import re
import sys
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ..arithmetic.total import _total as maker_of_total
from .layout import wrapped

LIBRARIES = (math, operator, functools)


class Standalone:
    """A module's text in the making: definitions, each after what it reads.

    >>> from scalargrad.arithmetic.total import divide
    >>> made = Standalone()
    >>> names = {"over": divide, "exp": math.exp, "half": 0.5}
    >>> made.add("def f(x):\\n    return over(exp(x), half)\\n", names)
    >>> print(made.text())  # doctest: +ELLIPSIS
    import math
    from math import exp, inf, nan
    <BLANKLINE>
    half = 0.5
    <BLANKLINE>
    <BLANKLINE>
    def _divide(x: float, y: float) -> float:
    ...
    def f(x):
        return _divide(exp(x), half)
    <BLANKLINE>
    """

    def __init__(self) -> None:
        self._imports: set[str] = set()
        self._from: dict[str, set[str]] = {}
        self._constants: list[str] = []
        self._definitions: list[str] = []
        self._names: dict[Any, str] = {}
        self._taken: set[str] = set()
        self._kept: list[Any] = []  # so that no id is given again

    def add(self, text: str, names: Mapping[str, Any]) -> None:
        """Add generated source, and before it the definitions of what it reads among `names`."""
        self._definitions.append(self._copied(text, names))

    def text(self) -> str:
        """The module: imports, constants, definitions."""
        imports = [f"import {name}" for name in sorted(self._imports - {"numpy"})]
        for module, names in sorted(self._from.items()):
            imports += wrapped(f"from {module} import {', '.join(sorted(names))}")
        others = ["import numpy"] if "numpy" in self._imports else []
        parts = ["\n".join(part) for part in (imports, others, self._constants) if part]
        text, before = "\n\n".join(parts), ""
        for definition in self._definitions:
            are_lines = "\n" not in before.strip("\n") + definition.strip("\n") and before
            text += ("\n" if are_lines else "\n\n\n" if text else "") + definition.strip("\n")
            before = definition
        return text + "\n"

    def _copied(self, source: str, names: Mapping[str, Any], own: Mapping[str, str] = {}) -> str:
        """Source under the names that what it reads has here; texts and comments stay."""
        read = set(_globals(compile(source, "<saved>", "exec"))).intersection(names)
        new = {**{name: self._name(name, names) for name in sorted(read - own.keys())}, **own}
        lines = source.splitlines(keepends=True)
        found = [*tokenize.generate_tokens(iter(lines).__next__)]
        for before, token in reversed([*itertools.pairwise(found)]):
            if token.type == tokenize.NAME and token.string in new and before.string != ".":
                (line, begin), (_, end) = token.start, token.end
                text = lines[line - 1]
                lines[line - 1] = text[:begin] + new[token.string] + text[end:]
        return "".join(lines)

    def _name(self, name: str, names: Mapping[str, Any]) -> str:
        """The name of an object here, where it is defined from now on."""
        item = names[name]
        key = _key(item) or (names["__name__"], name)
        if key not in self._names:
            self._kept.append(item)
            if (found := self._imported(item)) is not None:
                self._names[key] = found
            else:
                made = self._names[key] = self._fresh(name, item)
                self._define(made, name, names)
        return self._names[key]

    def _imported(self, item: Any) -> str | None:
        """The name of what the standard library has; None of others."""
        if isinstance(item, ModuleType):
            self._imports.add(item.__name__)
            return item.__name__
        if isinstance(item, float):
            return None if math.isfinite(item) else self._import(math, str(item))
        name: str = getattr(item, "__name__", "")
        if getattr(builtins, name, None) is item:
            return name
        home = next((module for module in LIBRARIES if getattr(module, name, None) is item), None)
        return self._import(home, name) if home else None

    def _import(self, module: ModuleType, name: str) -> str:
        self._from.setdefault(module.__name__, set()).add(name)
        return name

    def _fresh(self, name: str, item: Any) -> str:
        """A name for a definition: that of a number stays as it is, where it can."""
        if _is_function(item) and not _of_numpy(item, name):
            name = "_" + (_made_total(item) or item).__name__.lstrip("_")
        elif hasattr(builtins, name):
            name = f"_{name}"
        made, count = name, 1
        while made in self._taken:
            count += 1
            made = f"_{name.lstrip('_')}_{count}"
        self._taken.add(made)
        return made

    def _define(self, made: str, name: str, names: Mapping[str, Any]) -> None:
        item = names[name]
        if isinstance(item, float):
            self._constants.append(f"{made} = {float.__repr__(item)}")
        elif inner := _made_total(item):
            cells = sorted(_cells(item).items())
            options = [f", {key}={value}" for key, value in cells if key != "function" and value]
            names = {"make": maker_of_total, "function": inner, "inf": math.inf}
            self.add(f"{made} = make(function{''.join(options)})", names)
        elif text := _array(item) or _of_numpy(item, name):
            self._imports.add("numpy")
            self._constants += wrapped(f"{made} = {text}")
        elif _is_function(item):
            source = re.sub(r"  # type: ignore.*", "", textwrap.dedent(inspect.getsource(item)))
            read, own = inspect.unwrap(item).__globals__, {item.__name__: made}
            self._definitions.append(self._copied(source, read, own))
        else:
            self._definitions.append(self._copied(_assignment(names, name), names))


def _is_function(item: Any) -> bool:
    return isinstance(item, FunctionType) or hasattr(item, "__wrapped__")


def _cells(item: Any) -> dict[str, Any]:
    """The values of a function's closure by name."""
    return dict(zip(item.__code__.co_freevars, [x.cell_contents for x in item.__closure__ or ()]))


def _made_total(item: Any) -> Any:
    """The function of `math` in one that `floats` made total; None of others."""
    is_made = isinstance(item, FunctionType) and item.__qualname__ == "_total.<locals>.total"
    return _cells(item)["function"] if is_made else None


def _key(item: Any) -> Any:
    """A key that tells an object from others; None for one that its module makes known."""
    if hasattr(item, "tobytes") and not isinstance(item, type):
        return item.dtype.str, item.shape, item.tobytes()
    return id(item) if callable(item) or isinstance(item, float | ModuleType) else None


def _of_numpy(item: Any, name: str) -> str:
    """A function of NumPy as it is written, `numpy.exp`; nothing for others."""
    home, names = sys.modules.get("numpy"), (name, getattr(item, "__name__", ""))
    found = [x for x in names if callable(item) and getattr(home, x, 0) is item]
    return f"numpy.{found[0]}" if found else ""


def _array(item: Any) -> str:
    """An array as it is written, to the last bit; nothing for what is none."""
    if not hasattr(item, "tobytes") or isinstance(item, type):
        return ""
    if not item.size:
        return f"numpy.zeros({item.shape}, {item.dtype.name!r})"
    text = re.sub("inf|nan", lambda found: f"numpy.{found[0]}", repr(item.tolist()))
    return f"numpy.array({text})"


def _assignment(names: Mapping[str, Any], name: str) -> str:
    """The line of a module that gives a name its value."""
    source = inspect.getsource(sys.modules[names["__name__"]])
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return ast.get_source_segment(source, node) or ""
    raise LookupError(f"{name} is assigned nowhere in {names['__name__']}")


def _globals(code: CodeType) -> Iterator[str]:
    """The names that code reads from outside."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals(constant)
