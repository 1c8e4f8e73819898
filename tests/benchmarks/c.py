"""C by hand, the limit: compiled at run time by the machine's compiler, called by ctypes."""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
FLAGS = ("-O3", "-march=native")


@functools.cache
def library(source: str, *flags: str) -> ctypes.CDLL:
    """The functions of a C source, a file here or text; ImportError where no compiler is."""
    if COMPILER is None:
        raise ImportError("no C compiler: neither cc nor gcc nor clang is on PATH")
    text = (HERE / source).read_text() if source.endswith(".c") else source
    with tempfile.TemporaryDirectory() as folder:
        written, made, built = (
            Path(folder, "peer.c"),
            Path(folder, "peer.o"),
            Path(folder, "peer.so"),
        )
        written.write_text(text)
        subprocess.run(
            [COMPILER, *FLAGS, *flags, "-fPIC", "-c", str(written), "-o", str(made)], check=True
        )
        # linked without the flags: -ffast-math would flush subnormals to 0 in the whole process
        subprocess.run([COMPILER, "-shared", str(made), "-o", str(built), "-lm"], check=True)
        return ctypes.CDLL(str(built))  # stays loaded when the file is gone


def pointer(array: Any) -> Any:
    """Where a NumPy array of floats begins."""
    return array.ctypes.data_as(ctypes.c_void_p)
