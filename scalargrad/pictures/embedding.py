"""Pages of one file: what stands in them, on the disk and in a notebook.   (floor 3)"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from math import isfinite

from ..compiler.dialects.javascript import JAVASCRIPT
from ..files import path_of, put_in_place, suggested
from .text import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from pathlib import Path
    from typing import Any

IN_NOTEBOOK = 720  # pixels: the height of a page in a notebook


def of_web(package: str | None, name: str) -> str:
    """The text of a file in the folder `web` of a package."""
    return files(package or __name__).joinpath("web", name).read_text("utf-8")


def number(x: float) -> float | str:
    """A number in JSON, which has neither infinities nor nan."""
    return x if isfinite(x) else JAVASCRIPT.literal(x)


def as_json(content: Any) -> str:
    """JSON that can stand in a script element: no `<` in it begins a tag."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def hash_of(script: str) -> str:
    """The hash by which a page's policy names the script that may run."""
    return b64encode(sha256(script.encode()).digest()).decode()


def saved(html: str, path: str | os.PathLike[str], default: str) -> Path:
    """Write a page to a file and return its path; if that fails, an old file is unchanged."""
    path = path_of(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(
            f"a page is saved as HTML, got {path.name!r}: "
            f"write {suggested(path, '.html', default)!r}"
        )
    return put_in_place(path, html)


def framed(html: str, title: str, *rights: str) -> str:
    """A page in a frame, as a notebook shows it."""
    style = f"width:100%;height:{IN_NOTEBOOK}px;border:0"
    sandbox = " ".join(["allow-scripts", *rights])
    return (
        f'<iframe title="{escaped(title)}" style="{style}" sandbox="{sandbox}" '
        f'srcdoc="{escaped(html)}"></iframe>'
    )
