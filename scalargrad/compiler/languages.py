"""The languages of files that a compiled function is written to, a line for each.   (floor 3)"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from .backends import is_installed, of_python_functions
from .traces import Request


class Language(NamedTuple):
    """The endings of files in a language, and the function that writes one."""

    endings: tuple[str, ...]
    write: Callable[[Request], str]
    title: str = ""  # of a language whose writing needs NumPy


def _of(module: str) -> Callable[[Request], str]:
    """The function `text` of a module, which is imported when it is called."""
    return lambda request: import_module(module, __package__).text(request)


LANGUAGES = {
    "python": Language((".py",), _of(".saving")),
    "c": Language((".c",), _of(".emitters.c_file"), "C"),
    "javascript": Language((".js", ".mjs"), _of(".emitters.javascript"), "JavaScript"),
}


def named(name: str) -> Language:
    """The language of that name."""
    if name not in LANGUAGES:
        listed = ", ".join(map(repr, LANGUAGES))
        raise ValueError(f"language={name!r} is none of {listed}")
    return LANGUAGES[name]


def of_path(path: str | os.PathLike[str]) -> Language:
    """The language of a file, by its ending."""
    ending = os.path.splitext(os.fspath(path))[1].lower()
    for language in LANGUAGES.values():
        if ending in language.endings:
            return language
    endings = " or ".join([end for language in LANGUAGES.values() for end in language.endings])
    raise ValueError(f"the name of a file says its language: {path!r} must end in {endings}")


def written(language: Language, request: Request) -> str:
    """The text of a file."""
    if of_python := of_python_functions(request.traces.program):
        raise ValueError(
            f"a file cannot hold {of_python}, an operation of Python functions: "
            "make it of text to save it"
        )
    if language.title and not is_installed("numpy"):
        raise ImportError(
            f"writing {language.title} needs numpy, the 'numpy' extra: pip install numpy; "
            "the file needs nothing"
        )
    return language.write(request)
