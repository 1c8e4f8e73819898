"""Writing a file so that it is whole, or as it was before.   (floor 0)"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def put_in_place(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write a file beside the one that stands there, then put it in its place.

    Whatever happens, the old file stands there whole or the new one does; even at a power cut, as
    the new file is on the disk before it takes its place. It keeps the old one's mode; a link stays
    a link.

    FileNotFoundError says which folder is missing; any other OSError names the path itself.
    """
    from pathlib import Path

    path = Path(path)
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"the folder {str(path.parent)!r} is not there: make it first, "
            f"Path({str(path.parent)!r}).mkdir(parents=True)"
        )
    data = content.encode() if isinstance(content, str) else content
    beside = target.with_name(f".{os.urandom(8).hex()}.part")  # two savers have one each
    try:
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            os.chmod(beside, target.stat().st_mode & 0o7777)
        os.replace(beside, target)
        _sync_folder(target.parent)
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from None
    finally:
        if os.path.exists(beside):
            os.unlink(beside)
    return path


def _sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
