"""One Chromium for all tests of pages: to start it takes longest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pictures.browser import Browser, executable


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    if executable() is None:
        pytest.skip("Chromium is not on this machine")
    with Browser() as browser:
        yield browser
