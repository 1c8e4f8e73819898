"""Structures of arguments and results, as Python and JavaScript write them.   (floor 3)"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .arguments import DICT, FIXED, NUMBERS, ROWS, STATE, TUPLE, Form, parts
from .layout import tuple_of


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

    def places(self, form: Form, path: str, name: str = "") -> Iterator[tuple[str, str, Form]]:
        """Where the blocks of an argument are, their names, and their forms."""
        if form[0] in (NUMBERS, ROWS):
            yield path, name, form
        for block, shape in zip(form[2], form[3]) if form[0] == STATE else ():
            yield f"{path}[{self.at(block)}]", block, (NUMBERS, (), shape)
        for key, item in parts(form):
            at = f"[{self.at(key)}]"
            yield from self.places(item, path + at, name + at)

    def built(self, form: Form, texts: Iterator[str], leaf: Any = lambda form, text: text) -> str:
        """Texts of blocks in the structure of an argument."""
        if form[0] in (NUMBERS, ROWS):
            return leaf(form, next(texts))  # type: ignore[no-any-return]
        if form[0] == FIXED:
            return self.nothing
        if form[0] == STATE:
            return self.mapping({name: next(texts) for name in form[2]})
        items = {key: self.built(item, texts, leaf) for key, item in parts(form)}
        if form[0] == DICT:
            return self.mapping(items)
        return self.listed([*items.values()], form[0] == TUPLE)

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


PYTHON = Writing((str, int, bool, type(None)), "None", _in_python)
JAVASCRIPT = Writing((str, int), "null", _in_javascript, {"__proto__": '["__proto__"]'})
