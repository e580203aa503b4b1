"""A real browser for tests: Debian's Chromium, driven by Playwright.

Where there is none the tests are skipped; with LENADOSE_BROWSER=required a skip is a failure.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Chromium without a sandbox of its own, and without requests of its own."""


def skip_or_fail(reason: str) -> None:
    """Skip a test that needs something to be installed, or fail where it is required."""
    if os.environ.get("LENADOSE_BROWSER") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@contextmanager
def open_browser() -> "Iterator[Browser]":
    """Open a headless Chromium; skip the test where there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        skip_or_fail("no browser: pip install playwright")
    if not CHROMIUM.exists():
        skip_or_fail(f"no browser: install Chromium as {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), headless=True, args=list(FLAGS)
        )
        try:
            yield browser
        finally:
            browser.close()
