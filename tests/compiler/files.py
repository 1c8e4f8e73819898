"""Saved files in C and JavaScript, compiled and run: many at once, as starting a compiler or node takes longest."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import scalargrad as sg
from scalargrad import Value, functions
from scalargrad.ops import OPS

CLEAN = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
QUICK = COMPILERS[-1] if COMPILERS else ""  # clang takes a third of gcc's time at -O0
NODE = shutil.which("node")


def run(*command: Any) -> str:
    """The output of a command; its errors are those of the test."""
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, errors="replace", check=False
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def says_of_itself(compiler: str, path: Path, *flags: str) -> str:
    """The verdict of a file on itself, compiled with its test under all warnings."""
    program = path.with_suffix(".out")
    run(compiler, *CLEAN, "-DTEST", *(flags or ("-O0",)), "-o", program, path, "-lm")
    return run(program)


@contextmanager
def of_python_functions(name: str) -> Iterator[Any]:
    """An operation of Python functions, for as long as a test needs it."""
    try:
        yield sg.custom_op(name, math.sin, math.cos)
    finally:
        del OPS[name]
        for holder in (Value, functions, sg):
            if name in vars(holder):
                delattr(holder, name)


def as_json(tree: Any) -> Any:
    """Numbers in nested lists and dicts as JSON can have them: those that are none of its as texts."""
    if isinstance(tree, dict):
        return {key: as_json(item) for key, item in tree.items()}
    if isinstance(tree, list | tuple | np.ndarray):
        return [as_json(item) for item in tree]
    number = float(tree)
    is_plain = math.isfinite(number) and (number != 0.0 or math.copysign(1.0, number) > 0.0)
    return number if is_plain else {"$": str(number)}


_RUN = """
import fs from "fs";
const names = { nan: NaN, inf: Infinity, "-inf": -Infinity, "-0.0": -0.0 };
const text = (x) => (x !== x ? "nan" : x === Infinity ? "inf" : x === -Infinity ? "-inf" : "-0.0");
const tasks = JSON.parse(fs.readFileSync(process.argv[2], "utf8"), (key, item) =>
  item !== null && typeof item === "object" && "$" in item ? names[item["$"]] : item);
const results = [];
for (const [path, name, args] of tasks) results.push((await import(path))[name](...args));
console.log(JSON.stringify(results, (key, x) =>
  typeof x === "number" && (!isFinite(x) || Object.is(x, -0.0)) ? { $: text(x) } :
  ArrayBuffer.isView(x) ? Array.from(x) : x));
"""


def in_javascript(folder: Path, tasks: Sequence[tuple[Path, str, Iterable[Any]]]) -> list[Any]:
    """The results of functions of modules for arguments, in one run of node."""
    script, given = folder / "run.mjs", folder / "tasks.json"
    script.write_text(_RUN, encoding="utf-8")
    given.write_text(json.dumps([[str(p), name, as_json([*args])] for p, name, args in tasks]))
    assert NODE
    return json.loads(  # type: ignore[no-any-return]
        run(NODE, script, given), object_hook=lambda x: float(x["$"]) if [*x] == ["$"] else x
    )


def numbers(tree: Any) -> Iterator[float]:
    """All numbers of a result, in the order in which they stand."""
    if isinstance(tree, dict):
        tree = [*tree.values()]
    if isinstance(tree, list | tuple | np.ndarray):
        for item in tree:
            yield from numbers(item)
    elif tree is not None:
        yield float(tree)
