"""For all tests of pictures: one Chromium, which takes longest to start, and Graphviz in this process."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from scalargrad.pictures import engines
from tests.pictures.browser import Browser, executable


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    if executable() is None:
        pytest.skip("Chromium is not on this machine")
    with Browser() as browser:
        yield browser


def laid_out_here(dot: str, timeout: float) -> bytes:
    """The answer of `engines.run_embedded`, without a process of its own, and so without a timeout."""
    from pygraphviz import AGraph

    answer = AGraph(string=dot).draw(format=engines.FORMAT, prog="dot")
    assert isinstance(answer, bytes)
    return answer


@pytest.fixture(scope="module", autouse=True)
def layout() -> Iterator[None]:
    """The engine of a module's pictures: to start a process takes 20 times as long as most layouts."""
    if not find_spec("pygraphviz"):
        yield
        return
    engines.register(laid_out_here)
    yield
    engines.unregister(laid_out_here)
