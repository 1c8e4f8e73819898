"""Rows of the table as machine code: the names their text calls there, and functions that numba builds from source.   (floor 3)

Inside a compiled function arithmetic is total by itself: 1/0 is inf, log(-1) is nan, and nothing raises. The helpers of
numbers in `ends` and `many` are compiled as they stand there, with other names in place of those that raise; those
of lists have twins in `machine_lists`. Each is compiled when a text first calls it, in a tenth of a second.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import math
import operator
import os
import stat
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock, get_ident
from types import FunctionType, MappingProxyType

from ...arithmetic import extremes, lists, periodic, total
from ...rows import text as rows_text
from . import machine_lists, machine_products, machine_wide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...ops import Op

OF_NUMBERS: tuple[Any, ...] = (
    extremes.over_hypot, extremes.over_squares, extremes.over_square, extremes.power_slope, extremes.power_log, extremes.cube_root,
    extremes._gelu_tail, extremes.gelu_tail, extremes.gelu_tail_slope, lists.exp_difference,
    periodic.modulo, periodic.whole, periodic.sin_pi, periodic.cos_pi, periodic.sinc_slope,
)  # fmt: skip
ANY_ORDER = {"reassoc", "contract", "nsz"}
MOST = 256  # functions that are kept in memory
WIDE = {"exp": "_wide_exp", "tanh": "_wide_tanh"}


def _jit() -> Callable[..., Any]:
    try:
        from numba import njit
    except ImportError:
        raise ImportError(
            "backend='native' needs numba, the 'native' extra: pip install numba"
        ) from None
    return njit


# ------------------------------------------------------------------ names


def _functions(module: object) -> list[FunctionType]:
    return [f for f in vars(module).values() if isinstance(f, FunctionType)]


HELPERS = (
    *OF_NUMBERS,
    *_functions(machine_lists),
    *_functions(machine_wide),
    *_functions(machine_products),
)
ALIASES = {**lists.NAMES, **extremes.NAMES, **periodic.NAMES}


def _given() -> dict[str, Any]:
    """What source may call that is not made of source."""
    import numpy

    return {
        **total.RAISING, "cbrt": numpy.cbrt, "exp2": numpy.exp2, "inf": total.inf, "nan": total.nan, "len": len,
        "power": math.pow, "divide": operator.truediv, "scaled": math.ldexp, "math": math, "builtins": builtins,
        "_array": numpy.array, "_full": numpy.full, "empty": numpy.empty, "float64": numpy.float64, "int64": numpy.int64,
    }  # fmt: skip


@cache
def known_names() -> frozenset[str]:
    """The names that source for numba may call, found without numba."""
    return frozenset([*_given(), *(f.__name__ for f in HELPERS), *ALIASES, "any_order"])


@cache
def machine_names() -> Mapping[str, Any]:
    """What source for numba may call by name: all that `rows_text.TOTAL_NAMES` has, with the same meaning, and some more.

    Lists are one-dimensional arrays there. `_length` is hypot of an array; `_wide_exp` and `_wide_tanh` are for long
    loops; `any_order` decorates a function whose sums may be added in any order, by vector instructions.
    """
    jit = _jit()
    names: dict[str, Any] = {
        **_given(),
        "any_order": jit(error_model="numpy", fastmath=ANY_ORDER),
        "__name__": __name__,
    }
    for f in HELPERS:
        twin = FunctionType(f.__code__, names, f.__name__, f.__defaults__)
        fastmath = ANY_ORDER if f in machine_products.ANY_ORDER else False
        names[f.__name__] = jit(error_model="numpy", fastmath=fastmath)(twin)
    for name, function in ALIASES.items():
        names[name] = names[function.__name__]
    return MappingProxyType(names)


class _OnArrays(ast.NodeTransformer):
    """Writes arrays in place of lists, and other names in place of some."""

    def __init__(self, renamed: dict[str, str]) -> None:
        self.renamed = renamed

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.renamed.get(node.id, node.id))

    def visit_List(self, node: ast.List | ast.ListComp) -> ast.AST:
        return ast.Call(ast.Name("_array"), [self.generic_visit(node)], [])  # type: ignore[list-item]

    visit_ListComp = visit_List

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if isinstance(node.left, ast.List) and isinstance(node.op, ast.Mult):  # [1.0] * len(xs)
            return ast.Call(ast.Name("_full"), [node.right, *node.left.elts], [])
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if node.args and isinstance(node.args[0], ast.Starred):  # hypot(*xs)
            return ast.Call(ast.Name("_length"), [node.args[0].value], [])
        return self.generic_visit(node)


def machine_statements(
    op: Op, by: tuple[str, ...] | None = None, wide: bool = False
) -> tuple[list[str], list[str]]:
    """The lines of `rows_text.statements` as numba takes them: arrays for lists; with `wide`, exp and tanh of long loops.

    >>> from scalargrad.ops import OPS
    >>> machine_statements(OPS["norm"])
    (['out = _length(xs)'], ['dxs = _array([x / out for x in xs]) if 1e-290 < out < inf else _unit(xs)'])
    """
    rewrite = _OnArrays(WIDE if wide else {})
    forward, slopes = (
        [ast.unparse(rewrite.visit(ast.parse(line))) for line in lines] for lines in rows_text.statements(op, by)
    )  # fmt: skip
    return forward, slopes


# ------------------------------------------------------------------ functions


_built: dict[
    tuple[Path | None, str, str], Any
] = {}  # where it stands on disk, source, name: the function
_building = Lock()  # helpers are compiled once for all functions, whichever thread's comes first


def build(source: str, name: str) -> Callable[..., Any]:
    """The function `name` of a source in the names of `machine_names`; numba compiles it when it is first called.

    So it does with the other functions of the source, which may call one another. The machine code is kept in memory, and on disk
    for the next process where the user has a cache folder that can be written; where not, it is compiled in each process.
    """
    jit = _jit()
    with _building:
        path = _kept(source, name)
        key = path, source, name
        if key not in _built:
            while len(_built) >= MOST:
                del _built[next(iter(_built))]
            _built[key] = _function(jit, source, name, path)
        return _built[key]  # type: ignore[no-any-return]


def _function(
    jit: Callable[..., Any], source: str, name: str, path: Path | None
) -> Callable[..., Any]:
    filename = str(path or f"<scalargrad {name} for numba>")
    names = rows_text.run(source, filename, {**machine_names()})
    for function in [
        f
        for f in names.values()
        if isinstance(f, FunctionType) and f.__code__.co_filename == filename
    ]:
        is_kept = path is not None and function.__name__ == name  # with all that it calls
        names[function.__name__] = jit(error_model="numpy", cache=is_kept)(function)
    if not _is_on_disk(path, name):
        _declare(source, names)
    return names[name]  # type: ignore[no-any-return]


def is_made(source: str, name: str) -> bool:
    """Whether there is machine code for such a function, in memory or on disk; without numba, which may not be imported yet."""
    path = _path(source, name)
    built = _built.get((path, source, name))
    if built is not None and built.signatures:
        return True
    return _is_on_disk(path, name)


def _declare(source: str, names: Mapping[str, Any]) -> None:
    """Compile those helpers that a source calls for the types that they are made for, and for no others."""
    from numba import float64, int64

    types = {"F": float64[::1], "I": int64}
    for helper in machine_products.TYPES:
        if f"{helper}(" in source and not names[helper].signatures:
            for called in ("add_dots", helper) if helper == "layer" else (helper,):
                if not names[called].signatures:
                    names[called].compile(
                        tuple(types[kind] for kind in machine_products.TYPES[called])
                    )
                    names[called].disable_compile()


def _is_on_disk(path: Path | None, name: str) -> bool:
    if path is None:
        return False
    index = f"{path.stem}.{name}-*.py{sys.version_info.major}{sys.version_info.minor}*.nbi"  # numba's, of a function and its line
    numba = sys.modules.get("numba")  # which read what is set when it was imported
    if (
        folder := numba.config.CACHE_DIR if numba else os.environ.get("NUMBA_CACHE_DIR")
    ):  # it has a folder there for each of sources
        return any(Path(folder).glob(f"*/{index}"))
    return any(path.parent.glob(f"__pycache__/{index}"))


@cache
def _version() -> bytes:
    """What machine code depends on besides its source: numba, and the functions that are compiled into it."""
    digest = hashlib.sha256(version("numba").encode())
    for module in (
        extremes,
        lists,
        periodic,
        machine_lists,
        machine_products,
        machine_wide,
        sys.modules[__name__],
    ):
        digest.update(module.__loader__.get_data(module.__file__))  # type: ignore[union-attr]
    return digest.digest()


def _path(source: str, name: str) -> Path | None:
    """The file that is for a source; None where there is no folder for it."""
    folder = _cache_folder()
    return (
        folder
        and folder / f"{name}_{hashlib.sha256(_version() + source.encode()).hexdigest()[:24]}.py"
    )


def _kept(source: str, name: str) -> Path | None:
    """The file in which the source stands on disk, whole; None where it cannot be written."""
    path = _path(source, name)
    if path is None:
        return None
    beside = path.parent / f".{path.name}.{os.getpid()}.{get_ident()}.part"
    try:
        if not path.exists():
            beside.write_bytes(source.encode())
            os.replace(beside, path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        return None
    return path


def _cache_folder() -> Path | None:
    """The user's own cache folder, else one beside temporary files; None if neither can be written by the user alone.

    Who can write there can run code as the user: compiled functions are loaded from it.
    """
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        home = os.path.expanduser("~/Library/Caches")
    else:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    user = os.getuid() if hasattr(os, "getuid") else None
    for folder in (Path(home, "scalargrad"), Path(tempfile.gettempdir(), f"scalargrad-{user}")):
        with suppress(OSError):
            if folder.is_absolute():
                os.makedirs(folder, mode=0o700, exist_ok=True)
                found = folder.lstat()
                is_ours = user is None or (
                    found.st_uid == user and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
                )
                if stat.S_ISDIR(found.st_mode) and is_ours and os.access(folder, os.W_OK):
                    return folder
    return None
