"""Writing a file so that it is whole, or as it was before.   (floor 0)"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def put_in_place(path: str | os.PathLike[str], text: str) -> Path:
    """Write the text beside the file that stands there, then put it in its place.

    FileNotFoundError says which folder is missing; any other OSError names the path itself.
    """
    from pathlib import Path

    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"the folder {str(path.parent)!r} is not there: make it first, "
            f"Path({str(path.parent)!r}).mkdir(parents=True)"
        )
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(text.encode())
        os.replace(beside, path)
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from None
    finally:
        if os.path.exists(beside):
            beside.unlink()
    return path
