"""Structures of arguments and results, as Python and JavaScript write them.   (floor 3)"""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .arguments import Container, Fixed, Form, Numbers, State, numbers
from .layout import listed, tuple_of
from .naming import is_word
from .traces import Request, Traces


class Writing(NamedTuple):
    """A language's own: keys that may be written, nothing, and how a key and its value stand."""

    keys: tuple[type, ...]
    nothing: str
    key: Callable[[Any], str]
    own: Mapping[str, str] = {}

    def at(self, key: Any) -> str:
        """A key of a dict, or an index, as it is written."""
        if type(key) not in self.keys:
            raise TypeError(
                f"a saved module writes the keys of dicts down, and {type(key).__name__} is no "
                f"text or whole number: rename {key!r}"
            )
        return self.key(key)

    def mapping(self, items: Mapping[Any, str]) -> str:
        """A dict of texts."""
        keys = [self.own.get(key) or self.at(key) for key in items]
        if self is JAVASCRIPT and len({*map(str, items)}) < len(items):
            raise TypeError(
                f"JavaScript takes a number as a key for its text, and of the keys {[*items]} two "
                "would be the same: rename one"
            )
        return f"{{{', '.join([f'{key}: {text}' for key, text in zip(keys, items.values())])}}}"

    def listed(self, texts: Sequence[str], is_tuple: bool = False) -> str:
        """A list of texts, or a tuple where the language has them."""
        return tuple_of(texts) if is_tuple and self is PYTHON else f"[{', '.join(texts)}]"

    def places(self, form: Form, path: str, name: str = "") -> Iterator[tuple[str, str, Numbers]]:
        """Where the blocks of an argument are, their names, and their forms."""
        if isinstance(form, Numbers):
            yield path, name, form
        if isinstance(form, State):
            for block, shape in zip(form.names, form.shapes):
                yield f"{path}[{self.at(block)}]", block, numbers((), shape)
        for key, item in form.items if isinstance(form, Container) else ():
            at = f"[{self.at(key)}]"
            yield from self.places(item, path + at, name + at)

    def built(self, form: Form, texts: Iterator[str], leaf: Any = None) -> str:
        """Texts of blocks in the structure of an argument."""
        if isinstance(form, Numbers):
            return leaf(form, next(texts)) if leaf else next(texts)
        if isinstance(form, State):
            return self.mapping({name: next(texts) for name in form.names})
        if not isinstance(form, Container):
            return self.nothing
        items = {key: self.built(item, texts, leaf) for key, item in form.items}
        if form.is_dict:
            return self.mapping(items)
        return self.listed([*items.values()], issubclass(form.kind, tuple))

    def gradient(self, traces: Traces, texts: Iterator[str], leaf: Any = None) -> str:
        """Texts of slopes by blocks in the structure of what they are by."""
        made = {i: self.built(traces.forms[i], texts, leaf) for i in sorted(traces.wrt)}
        parts = [made[i] for i in traces.wrt]
        return self.listed(parts, is_tuple=True) if traces.is_tuple else parts[0]

    def outputs(self, traces: Traces, texts: Iterator[str]) -> str:
        """Texts of outputs in the structure of what the function returns."""
        return next(texts) if traces.is_single else self.result(traces.result, texts)

    def result(self, tree: Any, texts: Iterator[str]) -> str:
        """Texts in the structure of a result."""
        if hasattr(tree, "tolist"):
            tree = tree.tolist()
        if isinstance(tree, dict):
            return self.mapping({key: self.result(item, texts) for key, item in tree.items()})
        if isinstance(tree, list | tuple):
            return self.listed([self.result(x, texts) for x in tree], isinstance(tree, tuple))
        return next(texts)


def _in_python(key: Any) -> str:
    text = ascii(key)
    is_plain = type(key) is str and '"' not in text and "'" not in text[1:-1]
    return f'"{text[1:-1]}"' if is_plain else text


def _in_javascript(key: Any) -> str:
    is_plain = type(key) is int and 0 <= key < 2**53  # beyond, numbers are rounded
    return json.dumps(key if is_plain else str(key))


def description(request: Request, kinds: Sequence[str], needs: str) -> list[str]:
    """Paragraphs on what is in a file."""
    traces, names = request.traces, request.names
    what = f"{traces.name if is_word(traces.name) else 'the function'}: its value"
    if len(kinds) > 1:
        what += f", and its slopes by {listed([names[i] for i in traces.wrt])}"
    doc = inspect.cleandoc(request.doc)
    notes = []
    if traces.has_rows and not request.predict:
        of_rows = f"the {traces.reduce} over the rows" if traces.reduce else "one for each row"
        notes.append(f"With rows, each result is {of_rows}.")
    if traces.taken:
        taken = "Values that the function read from elsewhere are as they were when this was"
        notes.append(f"{taken} saved.")
    if fixed := [name for name, form in zip(names, traces.forms) if isinstance(form, Fixed)]:
        notes.append(f"{listed(fixed)} is fixed as it was, and not given.")
    notes.append(f"Generated by scalargrad; {needs}.")
    parts = [f"{what}." * (not request.predict), doc, " ".join(notes)]
    return [part if "\n" in part else textwrap.fill(part, 96) for part in parts if part]


PYTHON = Writing((str, int, bool, type(None)), "None", _in_python)
JAVASCRIPT = Writing((str, int), "null", _in_javascript, {"__proto__": '["__proto__"]'})
