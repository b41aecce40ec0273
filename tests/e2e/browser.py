"""Debian's Chromium, driven by Playwright, as a person would use an app of the platform."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Page, sync_playwright

# Without these the browser calls home at every start.
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def page() -> Iterator[Page]:
    """A fresh page. Names under .localhost lead to this machine, which Chromium knows by itself."""
    program = shutil.which("chromium")
    assert program, "chromium is missing: run `make test-setup`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_QUIET)
        # The platform's own certificate authority is checked by the tests that use curl.
        context = browser.new_context(ignore_https_errors=True)
        opened = context.new_page()
        opened.set_default_timeout(20_000)
        yield opened
        browser.close()
