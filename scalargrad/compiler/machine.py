"""A C compiler: where it is, how it is called, and its libraries on disk.   (floor 3)

A library is found again by what it was made of: program, this package's code, compiler, flags and
processor; so no source is written for one that is there. It is written beside its place and moved
there whole, so that two processes may make the same one.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from threading import Lock, get_ident
from time import time
from typing import Any

COMPILERS = ("cc", "gcc", "clang")
# No -ffast-math: nan, infinities, signs of zero and the order of sums stay as they are written.
FLAGS = (
    "-std=c99", "-shared", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math",
)  # fmt: skip
# Loops are turned into vectors, straight lines are not: where the processor has AVX-512, gcc (12 at
# least) takes 6 for 3 in some permutations of eight numbers, such as 0 1 2 6 4 5 6 7. Partial
# redundancy elimination puts branches into loops that call `wide_exp`, which then are no vectors.
OF_GCC = (
    "-ftree-loop-vectorize", "-fno-tree-slp-vectorize", "-fvect-cost-model=dynamic",
    "-fno-ipa-cp-clone", "-fno-tree-pre",
)  # fmt: skip
NATIVE = "-march=native"
ENDING = ".dll" if sys.platform == "win32" else ".so"
MOST = 256  # libraries that are remembered
BEGUN = time()  # when this was read
ADVICE = (
    "install gcc or clang, name one in the environment variable CC, or take the 'native' extra: "
    "pip install ziglang"
)


def compiler() -> tuple[str, ...] | None:
    """The command of a C compiler: the one named by CC, one on the path, or pip's; else None."""
    return _compiler(os.environ.get("CC", ""), os.environ.get("PATH", ""))


@cache
def _compiler(named: str, path: str) -> tuple[str, ...] | None:
    if named:
        from shlex import split

        whole = _which(named, path)
        words = (whole,) if whole else tuple(split(named))
        if words and (found := _which(words[0], path)):
            return (found, *words[1:])
    for name in COMPILERS:
        if found := _which(name, path):
            return (found,)
    return (sys.executable, "-m", "ziglang", "cc") if find_spec("ziglang") else None


def _which(name: str, path: str) -> str | None:
    if os.name != "posix" or os.path.dirname(name):
        from shutil import which  # reading which takes longer than to look in the folders

        return which(name, path=path)
    files = [os.path.join(folder, name) for folder in path.split(os.pathsep) if folder]
    return next((file for file in files if os.path.isfile(file) and os.access(file, os.X_OK)), None)


def check() -> tuple[str, ...]:
    """The command of a C compiler; ImportError that says what to install where there is none."""
    found = compiler()
    if found is None:
        raise ImportError(f"backend='native' needs a C compiler: {ADVICE}")
    return found


@cache
def _identity(command: tuple[str, ...]) -> bytes:
    """A text that tells a compiler and a processor from others."""
    with suppress(OSError):
        found = os.stat(os.path.realpath(command[0]))
        command = (*command, str(found.st_size), str(found.st_mtime_ns))
    processor = [sys.platform]
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith(("model name", "flags", "Features")):
                processor.append(line)
            elif not line.strip():
                break  # one processor is enough
    if len(processor) < 2:
        import platform

        processor += [platform.machine(), platform.processor()]
    return repr((command, processor)).encode()


# ------------------------------------------------------------------ libraries

_loaded: dict[str, Any] = {}  # the name of its file: the library
_building = Lock()


def library(key: str, write: Callable[[], tuple[str, str]]) -> Any:
    """The library that `key` stands for, which says all that its source in C is made of.

    Where it is not there yet, `write` gives the source, and the level it is to be optimised to.

    >>> if compiler():
    ...     source = "double twice(double x) { return 2.0 * x; }"
    ...     double = library("twice", lambda: (source, "-O2")).twice
    ...     double.restype, double.argtypes = ctypes.c_double, [ctypes.c_double]
    ...     assert double(1.5) == 3.0
    """
    command = check()
    name = _filename(command, key)
    with _building:
        if name not in _loaded:
            while len(_loaded) >= MOST:
                del _loaded[next(iter(_loaded))]
            _loaded[name] = _library(command, name, write)
        return _loaded[name]


def is_made(key: str) -> bool:
    """Whether the library that a key stands for is in memory or on disk."""
    command, folder = compiler(), cache_folder()
    name = _filename(command, key) if command else ""
    return name in _loaded or bool(name and folder and os.path.exists(os.path.join(folder, name)))


def _filename(command: tuple[str, ...], key: str) -> str:
    from hashlib import sha256

    sizes = object.__basicsize__, tuple.__basicsize__  # which adapters know
    given = repr((FLAGS, OF_GCC, NATIVE, sys.version, sizes, key)).encode()
    digest = sha256(_identity(command) + _writers() + given)
    return f"{digest.hexdigest()[:32]}{ENDING}"


def _files() -> list[str]:
    """The files of this package by which sources are written."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = [os.path.join(package, "ops.py")]  # none of them is there if the package is frozen
    for part in ("arithmetic", "compiler", "rows"):
        for folder, _, names in os.walk(os.path.join(package, part)):
            found += [os.path.join(folder, x) for x in names if x.endswith((".py", ".c"))]
    return [*filter(os.path.exists, sorted(found))]


@cache
def _writers() -> bytes:
    """A digest of what writes sources: the same key stands for another source where it changes."""
    from hashlib import sha256

    if not _are_as_read():
        return os.urandom(32)  # no library that is there is of the code that runs
    digest = sha256()
    for name in _files():
        with open(name, "rb") as file:
            digest.update(file.read())
    return digest.digest()


def _are_as_read() -> bool:
    """Whether these files are those that run: after an upgrade, they are not."""
    changed = [*map(os.path.getmtime, _files())]
    return bool(changed) and max(changed) < BEGUN


def _library(command: tuple[str, ...], name: str, write: Callable[[], tuple[str, str]]) -> Any:
    folder = cache_folder()
    with suppress(OSError):  # it is not there, or broken
        if folder:
            return ctypes.CDLL(os.path.join(folder, name))
    source = write()
    if folder and _are_as_read():  # else it is not kept
        return _compiled(command, *source, os.path.join(folder, name))
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        return _compiled(command, *source, os.path.join(temporary, name))


def _compiled(command: tuple[str, ...], source: str, level: str, name: str) -> Any:
    """The library of a source, made as a file of that name."""
    import subprocess
    from pathlib import Path

    path = Path(name)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.{get_ident()}")
    text, made = beside.with_suffix(".c"), beside.with_suffix(ENDING)
    own = () if any("clang" in word or "zig" in word for word in command) else OF_GCC
    ends = ["-o", str(made), str(text), *["-lm"] * (os.name == "posix")]
    try:
        text.write_text(source, encoding="utf-8")
        for more in ((*own, NATIVE), (NATIVE,), ()):  # the first that a compiler knows
            run = subprocess.run(
                [*command, *FLAGS, level, *more, *ends], capture_output=True, text=True,
                errors="replace", stdin=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            if run.returncode == 0:
                os.replace(made, path)
                return ctypes.CDLL(name)
        said = run.stderr.strip()[:2000] or "it said nothing"
        raise RuntimeError(f"{' '.join(command)} could not compile what was generated: {said}")
    except OSError as error:
        path.unlink(missing_ok=True)
        what = f"{' '.join(command)} made no library that can be loaded"
        raise RuntimeError(f"{what}: {error}; {ADVICE}") from error
    finally:
        for left in (text, made):
            left.unlink(missing_ok=True)


def cache_folder() -> str | None:
    """The user's own cache folder, else one beside temporary files; else None.

    Only the user may write there: libraries are loaded from it, which run code as the user.
    """
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        home = os.path.expanduser("~/Library/Caches")
    else:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if _is_ours(folder := os.path.join(home, "scalargrad")):
        return folder
    from tempfile import gettempdir

    user = os.getuid() if hasattr(os, "getuid") else None
    folder = os.path.join(gettempdir(), f"scalargrad-{user}")
    return folder if _is_ours(folder) else None


def _is_ours(folder: str) -> bool:
    """Whether a folder is there, made if need be, and the user alone can write to it."""
    with suppress(OSError):
        if os.path.isabs(folder):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            found, user = os.lstat(folder), getattr(os, "getuid", None)
            others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            is_ours = not user or (found.st_uid == user() and not others_write)
            return stat.S_ISDIR(found.st_mode) and is_ours and os.access(folder, os.W_OK)
    return False
