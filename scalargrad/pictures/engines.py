"""Finds a Graphviz and runs it; says how to get one if there is none.   (floor 3)

The engine is the program `dot` on PATH, which the `graphviz` package runs. If there is none, it is
the Graphviz inside the `pygraphviz` wheel, run in another Python. Both run as a process of their
own, which is stopped when its time is over and whose warnings nobody sees. Where the layout is
somebody else's, `register` gives pictures another engine.

In Pyodide no process can start. There the engine is `@viz-js/viz`, Graphviz as WebAssembly, if the
page that runs Python made a global `viz` of it, before or after the import of this package:

    import { instance } from "@viz-js/viz";
    globalThis.viz = await instance();
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Engine = Callable[[str, float], bytes]

FORMAT = "json0"  # positions, without instructions for drawing
NO_ENGINE = """drawing needs Graphviz, and none was found. Any one of these gives it:
  - Graphviz in a wheel, without a system package:   pip install pygraphviz   (the extra `svg`)
  - the system's package, which puts dot on PATH:    apt install graphviz, brew install graphviz,
                                                     winget install graphviz
  - conda's package, which does so too:              conda install graphviz
  - in Pyodide a global of the page, of @viz-js/viz: globalThis.viz = await instance()
The DOT text needs none: drawing.dot is what any Graphviz viewer shows."""

EMBEDDED = """
import sys
sys.path.append(sys.argv[1])
from pygraphviz import AGraph
text = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(AGraph(string=text).draw(format=sys.argv[2], prog="dot"))
"""


# Layout engines of the user's own come first: `engines.register(run)`.
_registered: list[Engine] = []


def register(run: Engine) -> Engine:
    """Make a function the engine of all pictures; it returns the function, so it is a decorator.

    The function gets DOT text and a number of seconds, and returns Graphviz's `json0` as bytes. It
    raises `subprocess.TimeoutExpired`, or TimeoutError, where it takes longer. The last one that is
    registered is used; `unregister` takes it back.

    TypeError for anything that cannot be called.

    >>> from scalargrad.pictures import engines
    >>> @engines.register
    ... def remote(dot, timeout):
    ...     return b"{}"
    >>> engines.engine() is remote
    True
    >>> engines.unregister(remote)
    """
    if not callable(run):
        raise TypeError(
            f"an engine is a function of DOT text and seconds, got {type(run).__name__}: "
            "write register(lambda dot, timeout: …)"
        )
    _registered.append(run)
    return run


def unregister(run: Engine) -> None:
    """Take back an engine; ValueError if it is not registered."""
    if run not in _registered:
        raise ValueError("this engine is not registered: unregister takes what register was given")
    _registered.remove(run)


def engine() -> Engine | None:
    """The function that runs Graphviz on DOT text, for so many seconds; None if there is none."""
    if _registered:
        return _registered[-1]
    if sys.platform == "emscripten":
        return run_page if hasattr(import_module("js"), "viz") else None
    if shutil.which("dot") and find_spec("graphviz"):
        return run_system
    return run_embedded if sys.executable and find_spec("pygraphviz") else None


def run_system(dot: str, timeout: float) -> bytes:
    """Lay out with the `dot` on PATH."""
    run_check = import_module("graphviz.backend.execute").run_check
    answer: bytes = run_check(
        ["dot", f"-T{FORMAT}"], input=dot.encode(), capture_output=True, quiet=True, timeout=timeout
    ).stdout
    return answer


def run_embedded(dot: str, timeout: float) -> bytes:
    """Lay out with the Graphviz of the `pygraphviz` wheel."""
    found = find_spec("pygraphviz")
    assert found is not None
    assert found.submodule_search_locations
    # the folder of the wheel, which need not be where a new Python looks
    home = found.submodule_search_locations[0].rpartition("pygraphviz")[0]
    command = [sys.executable, "-P", "-c", EMBEDDED, home, FORMAT]
    return subprocess.run(
        command, input=dot.encode(), capture_output=True, timeout=timeout, check=True
    ).stdout


def run_page(dot: str, timeout: float) -> bytes:
    """Lay out with the page's `@viz-js/viz`, which nothing can stop: `timeout` goes unheeded."""
    try:
        answer = import_module("js").viz.render(dot, format=FORMAT)
        if answer.status == "success":
            return str(answer.output).encode()
        problem = "; ".join(error.message for error in answer.errors)
    except import_module("pyodide.ffi").JsException as error:  # WebAssembly out of memory
        problem = str(error)
    raise subprocess.CalledProcessError(1, "@viz-js/viz", stderr=problem.encode())


def run(dot: str, timeout: float, size: str) -> bytes:
    """Lay out with the engine at hand.

    RuntimeError where there is none or it fails; TimeoutError where it takes too long.
    """
    at_hand = engine()
    if at_hand is None:
        raise RuntimeError(NO_ENGINE)
    try:
        return at_hand(dot, timeout)
    except subprocess.TimeoutExpired:
        raise TimeoutError(
            f"Graphviz did not place {size} in {timeout:g} s: draw a smaller part, "
            "or with collapse='neurons' or 'layers', or give it a longer timeout=…"
        ) from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(
            f"Graphviz failed: {error.stderr.decode(errors='replace').strip()[-500:]}"
        ) from None
