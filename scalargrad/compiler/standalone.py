"""Functions as source that stands alone: with the source of all that they call.   (floor 3)

The names that code reads say what is called, and the objects themselves where they are from: those
of the standard library and of NumPy are imported; those of the package are copied, under a name
that begins with _ and so meets no name in generated source.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import itertools
import math
import re
import sys
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ..arithmetic.total import _total as maker_of_total
from .layout import wrapped

LIBRARIES = ("builtins", "math", "operator", "functools", "numpy")


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
        self._modules: set[str] = set()
        self._imports: dict[str, list[str]] = {}  # by module
        self._constants: list[str] = []
        self._definitions: list[str] = []
        self._names: dict[Any, str] = {}
        self._taken: set[str] = set()

    def add(self, text: str, names: Mapping[str, Any]) -> None:
        """Add generated source, and before it the definitions of what it reads among `names`."""
        self._definitions.append(self._copied(text, names))

    def text(self) -> str:
        """The module: imports, constants, definitions."""
        standard = {*self._modules, *self._imports} - {"numpy"}
        parts = [self._import_lines(standard), self._import_lines({"numpy"}), self._constants]
        text, before = "\n\n".join(["\n".join(part) for part in parts if part]), ""
        for definition in self._definitions:
            are_lines = "\n" not in before.strip("\n") + definition.strip("\n") and before
            text += ("\n" if are_lines else "\n\n\n" if text else "") + definition.strip("\n")
            before = definition
        return text + "\n"

    def _import_lines(self, modules: set[str]) -> list[str]:
        lines = [f"import {module}" for module in sorted(modules & self._modules)]
        for module in sorted(modules & self._imports.keys()):
            lines += wrapped(f"from {module} import {', '.join(sorted(self._imports[module]))}")
        return lines

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
        """The name of an object here, where it is imported or defined from now on."""
        item = names[name]
        key = _key(name, item) or (names["__name__"], name)
        if key not in self._names:
            self._names[key] = self._imported(name, item) or self._defined(name, names)
        return self._names[key]

    def _imported(self, name: str, item: Any) -> str:
        """The name of what Python or a library has; nothing for others."""
        if isinstance(item, ModuleType):
            self._modules.add(item.__name__)
            return item.__name__
        if isinstance(item, float) and not math.isfinite(item):
            name, item = str(item), getattr(math, str(item))
        for home in LIBRARIES:
            for own in (name, getattr(item, "__name__", "")):
                if getattr(sys.modules.get(home), own, self) is item:
                    made = own if home == "builtins" else self._fresh(name)
                    if home != "builtins":
                        text = own if made == own else f"{own} as {made}"
                        self._imports.setdefault(home, []).append(text)
                    return made
        return ""

    def _defined(self, name: str, names: Mapping[str, Any]) -> str:
        """The name of what is copied: that of a function begins with _."""
        item, inner = names[name], _made_total(names[name])
        is_function = isinstance(item, FunctionType) or hasattr(item, "__wrapped__")
        made = self._fresh(f"_{(inner or item).__name__.lstrip('_')}" if is_function else name)
        if isinstance(item, float):
            self._constants.append(f"{made} = {float.__repr__(item)}")
        elif hasattr(item, "tobytes"):
            self._modules.add("numpy")
            self._constants += wrapped(f"{made} = {_array(item)}")
        elif inner:
            cells = sorted(_cells(item).items())
            options = [f", {key}={value}" for key, value in cells if key != "function" and value]
            names = {"make": maker_of_total, inner.__name__: inner, "inf": math.inf}
            self.add(f"{made} = make({inner.__name__}{''.join(options)})", names)
        elif is_function:
            source = re.sub(r"  # type: ignore.*", "", textwrap.dedent(inspect.getsource(item)))
            read, own = inspect.unwrap(item).__globals__, {item.__name__: made}
            self._definitions.append(self._copied(source, read, own))
        else:
            self._definitions.append(self._copied(_assignment(names, name), names, {name: made}))
        return made

    def _fresh(self, name: str) -> str:
        """The name, or one like it where it is taken."""
        made, count = f"_{name}" if hasattr(builtins, name) else name, 1
        while made in self._taken:
            count += 1
            made = f"_{name.lstrip('_')}_{count}"
        self._taken.add(made)
        return made


def _cells(item: Any) -> dict[str, Any]:
    """The values of a function's closure by name."""
    return dict(zip(item.__code__.co_freevars, [x.cell_contents for x in item.__closure__ or ()]))


def _made_total(item: Any) -> Any:
    """The function of `math` in one that `floats` made total; None of others."""
    is_made = isinstance(item, FunctionType) and item.__qualname__ == "_total.<locals>.total"
    return _cells(item)["function"] if is_made else None


def _key(name: str, item: Any) -> Any:
    """A key that tells an object from others; None for one that its module makes known."""
    if isinstance(item, float):
        return name, str(item)
    if hasattr(item, "tobytes") and not isinstance(item, type):
        return item.dtype.str, item.shape, item.tobytes()
    return item if callable(item) or isinstance(item, ModuleType) else None


def _array(item: Any) -> str:
    """An array as it is written, to the last bit."""
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
