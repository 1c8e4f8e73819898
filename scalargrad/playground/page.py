"""The file of a playground: what the compiler wrote, the data, and the scripts.   (floor 3)"""

from __future__ import annotations

from functools import cached_property
from string import Template
from typing import NamedTuple

from ..compiler.emitters.javascript_pages import as_object, update_text
from ..pictures.embedding import as_json, framed, hash_of, of_web, saved
from ..pictures.text import escaped
from ..wording import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from pathlib import Path
    from typing import Any

SCRIPTS = ("random.js", "training.js", "canvas.js", "views.js", "network.js", "page.js")


class Scripts(NamedTuple):
    """The compiler's code: modules of JavaScript, and the update of a weight as a program."""

    task: str
    predict: str
    neurons: str  # of models that are layers, else ""
    penalty: str  # where there is one, else ""
    update: Any

    def text(self) -> str:
        """All of it as one script."""
        kinds = {"task": ("value", "value_and_grad"), "predict": ("value",), "neurons": ("value",)}
        kinds["penalty"] = ("value_and_grad",)
        parts = [
            as_object(name, getattr(self, name), functions)
            if getattr(self, name)
            else f"const {name} = null;"
            for name, functions in kinds.items()
        ]
        update = as_object("optimizer", update_text(self.update), ("update",))
        return "\n\n".join([*parts, update])


class Playground:
    """A page in which a model trains: `html` is its text, `save` writes a file.

    A notebook shows the page itself.
    """

    def __init__(self, title: str, count: int, scripts: Scripts, content: dict[str, Any]) -> None:
        self._title, self._count, self._scripts, self._content = title, count, scripts, content

    @cached_property
    def html(self) -> str:
        """The page as HTML text, which asks for no other file."""
        made = self._scripts.text()
        script = "\n".join(map(_text, SCRIPTS))
        return Template(_text("page.html")).substitute(
            title=escaped(self._title),
            made_hash=hash_of(f"\n{made}\n"),
            script_hash=hash_of(f"\n{script}\n"),
            style=_text("page.css"),
            content=as_json(self._content),
            made=made,
            script=script,
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file and return its path; if that fails, an old file is unchanged."""
        return saved(self.html, path, "playground")

    def _repr_html_(self) -> str:
        """The page in a frame, for a notebook."""
        return framed(self.html, self._title, "allow-downloads")

    def __repr__(self) -> str:
        rows = counted(len(self._content["x"]), "row")
        return f"<Playground of {self._title}: {counted(self._count, 'parameter')}, {rows}>"


def _text(name: str) -> str:
    return of_web(__package__, name)
