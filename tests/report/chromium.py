"""The browser that the tests look at pages with."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium to look at the page with; on Debian: apt install chromium"
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Keep a browser open until the block ends."""
    with sync_playwright() as playwright:
        # Without its sandbox, which root cannot have; it opens nothing but our own files.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
