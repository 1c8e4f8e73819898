"""The C compiler: which one is taken, and the libraries that are kept on disk, whatever the disk is like."""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mpmath
import pytest

from scalargrad import compile
from scalargrad.compiler import machine
from scalargrad.compiler.dialects.c import MACHINE
from scalargrad.rows.text import TOTAL_NAMES

from .. import oracle

pytestmark = pytest.mark.skipif(machine.compiler() is None, reason="there is no C compiler")

FOLDERS = ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME")
TWICE = "double twice(double x) { return 2.0 * x; }\n"
IN_A_PROCESS = """
import sys, ctypes
from scalargrad.compiler import machine
source = sys.stdin.read()
known = machine.is_made(source)
f = machine.library(source, lambda: (source, "-O2")).twice
f.restype, f.argtypes = ctypes.c_double, [ctypes.c_double]
print(f(1.5), known)
"""


def twice(source: str = TWICE) -> Any:
    function = machine.library(source, lambda: (source, "-O2")).twice
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    return function


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the user's cache, with blanks in its name; nothing is remembered, and there are no temporary files."""
    (tmp_path / "file").touch()
    home = tmp_path / "a home"
    home.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    monkeypatch.setattr(machine, "_loaded", {})
    machine._compiler.cache_clear()
    for name in FOLDERS:
        monkeypatch.setenv(name, str(home))
    return tmp_path


def libraries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in (".so", ".dll", ".c")]


def started(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", IN_A_PROCESS],
        env={**os.environ, **dict.fromkeys(FOLDERS, str(folder))},
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    process.stdin.write(TWICE)
    process.stdin.close()
    return process


def said(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout
    text = process.stdout.read()
    process.stdout.close()
    assert process.wait() == 0
    return text.split()


def test_two_processes_make_one_library_and_a_later_one_finds_it(folders: Path) -> None:
    for process in [started(folders), started(folders)]:  # both at once
        assert said(process)[0] == "3.0"
    (library,) = libraries(folders)
    made = library.stat().st_mtime_ns
    assert said(started(folders)) == ["3.0", "True"]
    assert [library] == libraries(folders)
    assert library.stat().st_mtime_ns == made


def test_a_library_is_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not machine.is_made(TWICE)
    assert twice()(1.5) == 3.0
    assert machine.is_made(TWICE)
    monkeypatch.setattr(machine, "_library", None)
    assert twice()(2.0) == 4.0


def test_a_broken_file_is_made_anew(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = TWICE.replace("2.0", "2.5")
    twice(source)
    (library,) = libraries(folders)
    library.unlink()
    library.write_bytes(b"no library")
    monkeypatch.setattr(machine, "_loaded", {})
    assert twice(source)(2.0) == 5.0


def test_code_that_changes_has_other_libraries_which_are_not_kept(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this process has read is no longer what stands on disk."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    code = folders / "emitter.py"
    code.write_text("one")
    os.utime(code, (0.0, 0.0))
    monkeypatch.setattr(machine, "_files", lambda: [str(code)])
    monkeypatch.setattr(machine, "_writers", machine._writers.__wrapped__)
    assert twice()(1.5) == 3.0
    assert machine.is_made(TWICE)
    code.write_text("two")
    os.utime(code, (1.0, 1.0))  # as a process finds it that begins now
    assert not machine.is_made(TWICE)
    assert twice()(1.5) == 3.0
    assert machine.is_made(TWICE)
    os.utime(code)  # as one finds it that has read it before: that library is none of its own
    assert not machine.is_made(TWICE)
    assert twice()(1.5) == 3.0
    assert len(libraries(folders)) == 2


def test_no_source_is_written_for_a_library_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from scalargrad.nn import MLP

    def made() -> list[Any]:
        f, model = compile(lambda x, y: x * x * y, backend="native"), MLP(2, [1], seed=1)
        options: dict[str, Any] = {
            "engine": "compiled",
            "backend": "native",
            "epochs": 3,
            "lr": 0.1,
        }
        losses = model.fit([[1.0, 2.0], [3.0, 4.0]], [1.0, 0.0], **options).loss
        return [f(3.0, 2.0), f.value_and_grad(3.0, 2.0), losses]

    first = made()
    assert first[:2] == [18.0, (18.0, 12.0)]
    for emitter in ("functions.function_of", "training.training_source"):
        monkeypatch.setattr(f"scalargrad.compiler.emitters.{emitter}", None)
    assert made() == first
    monkeypatch.setattr(machine, "_loaded", {})
    assert made() == first


def test_functions_that_threads_ask_for_at_once_are_made_once_each(folders: Path) -> None:
    sources = [TWICE.replace("2.0", f"{i}.0") for i in range(3)] * 2
    with ThreadPoolExecutor(len(sources)) as threads:
        made = [*threads.map(twice, sources)]
    assert [f(1.0) for f in made] == [0.0, 1.0, 2.0] * 2
    assert len(libraries(folders)) == 3


def test_a_full_disk_costs_only_the_cache(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(machine, "cache_folder", lambda: None)
    assert twice(TWICE.replace("2.0", "3.5"))(2.0) == 7.0
    assert not libraries(folders)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="of permissions as POSIX has them")
def test_a_folder_that_others_can_write_to_is_not_used(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = machine.cache_folder()
    assert folder
    os.chmod(folder, 0o777)
    assert machine.cache_folder() is None
    temporary = folders / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert machine.cache_folder() == str(temporary / f"scalargrad-{os.getuid()}")
    os.chmod(folder, 0o700)
    assert machine.cache_folder() == folder


def test_the_compiler_is_the_one_that_is_named(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = machine.check()
    own = folders / "my cc"
    own.write_text(f'#!/bin/sh\nexec {command[0]} "$@"\n')
    own.chmod(0o755)
    monkeypatch.setenv("CC", str(own))
    assert machine.check() == (str(own),)
    monkeypatch.setenv("CC", f"{command[0]} -O1")
    assert machine.check() == (command[0], "-O1")


def test_without_a_compiler_the_error_says_what_to_install(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folders))
    monkeypatch.setenv("CC", "")
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"install gcc or clang, name one .* pip install ziglang"):
        compile(lambda x: x * x, backend="native")
    f = compile(lambda x: x * x)
    assert f(3.0) == 9.0
    machine._compiler.cache_clear()
    monkeypatch.setattr(machine, "find_spec", lambda name: name == "ziglang")
    assert machine.check() == (sys.executable, "-m", "ziglang", "cc")


def test_what_a_compiler_refuses_is_shown() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)could not compile what was generated: .*error"):
        twice("double twice(double x) { return y; }")


@pytest.mark.skipif(os.name != "posix", reason="the compiler is a script of a shell")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 1", r"could not compile what was generated: it said nothing"),
        ("exit 0", r"made no library that can be loaded: .*; install gcc or clang"),
        ('while [ "$1" != -o ]; do shift; done; echo text > "$2"', r"made no library .* too short"),
    ],
)
def test_a_compiler_that_makes_no_library_is_named(
    script: str, said: str, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = folders / "my cc"
    own.write_text(f"#!/bin/sh\n{script}\n")
    own.chmod(0o755)
    monkeypatch.setenv("CC", str(own))
    with pytest.raises(RuntimeError, match=f"my cc {said}"):
        compile(lambda x: x * x * x, backend="native")(2.0)
    assert not libraries(folders)


NUMBERS = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    float("inf"),
    -float("inf"),
    float("nan"),
    5e-324,
    709.9,
    -745.13,
    -746.0,
    1e308,
    1e-310,
]


@pytest.mark.parametrize(("name", "ulps", "top"), [("exp", 1.0, 709.7), ("tanh", 2.5, 25.0)])
def test_functions_of_vector_instructions_are_total_and_near_the_truth(
    name: str, ulps: float, top: float
) -> None:
    rng = random.Random(name)
    xs = [
        *NUMBERS,
        *(rng.uniform(-top, top) for _ in range(1000)),
        *(rng.gauss(0, 1) for _ in range(1000)),
    ]
    head = "#include <math.h>\n#include <stdint.h>\n"
    source = f"{head}{MACHINE.helpers([f'wide_{name}'])}\ndouble twice(double x) {{ return wide_{name}(x); }}\n"
    function = twice(source)
    with mpmath.workdps(40):
        for x in xs:
            got, expected = function(x), TOTAL_NAMES[name](x)
            if abs(x) < float("inf") and abs(expected) < float("inf") and expected:
                assert oracle.ulps(got, getattr(mpmath, name)(mpmath.mpf(x))) <= ulps, x
            else:
                assert got == expected or (got != got and expected != expected), x
