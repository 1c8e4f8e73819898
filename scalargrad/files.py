"""Writing a file so that it is whole, or as it was before.   (floor 0)"""

from __future__ import annotations

import os
from errno import EINVAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def put_in_place(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write a file beside the one that stands there, then put it in its place.

    Whatever happens, the old file stands there whole or the new one does; even at a power cut, as
    the new file is on the disk before it takes its place. It keeps the old one's mode; a link stays
    a link.

    FileNotFoundError says which folder is missing, NotADirectoryError which is none; any other
    OSError names the path itself. A folder, a pipe or a device stays as it is.
    """
    path = path_of(path)
    target = path_of(os.path.realpath(path))
    if not target.parent.is_dir():
        # the folder that a link leads to is named, if it is the one that is missing
        folder = target.parent if path.parent.is_dir() else path.parent
        if folder.exists():
            raise NotADirectoryError(f"{str(folder)!r} is a file, so nothing can stand in it")
        raise FileNotFoundError(
            f"the folder {str(folder)!r} is not there: make it first, "
            f"Path({str(folder)!r}).mkdir(parents=True)"
        )
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise OSError(EINVAL, "a pipe or a device is no file to write anew", str(path))
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


def path_of(path: str | os.PathLike[str]) -> Path:
    """The path that a caller gave; TypeError for anything but a str or a path."""
    from pathlib import Path

    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"a file is named by a str or a Path, got {type(path).__name__}: write 'name.suffix'"
        )
    return Path(path)


def suggested(path: Path, suffix: str, otherwise: str) -> str:
    """A name for advice: that of the path with the suffix, or `otherwise` if it has none."""
    return (otherwise if path.name.startswith(".") else path.stem or otherwise) + suffix


def _sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
