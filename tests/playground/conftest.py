"""The Chromium of the tests of pages."""

from tests.pictures.conftest import browser

__all__ = ["browser"]
