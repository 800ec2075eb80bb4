"""A real Chromium on the page: against the fake API, or against a server that runs already.

VENOM_E2E_URL   the real-server tests use this server instead of the fake one
VENOM_CHROMIUM  see tools.browser
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fake_api
from stage import Stage

from tools.browser import HOW, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# Read here: each test runs without the VENOM_ variables of whoever started it.
E2E_URL = os.environ.get("VENOM_E2E_URL")

BROWSER_ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A refusal that the page shows is also a line in the console; which ones may occur is for the
# test to say, by the status it expects.
REFUSAL = re.compile(r"the server responded with a status of (\d{3})")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "refusals(*codes): HTTP statuses that this test provokes; `away` where its server restarts",
    )


# By module, not by session: a running Playwright keeps an event loop in this thread, which
# asynchronous tests of other modules would stumble over.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = chromium(playwright.chromium.executable_path)
        if path is None:
            pytest.fail(HOW, pytrace=False)
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def fake() -> Iterator[fake_api.FakeVenom]:
    """A fake server of this test's own; change its scenario before the page is opened."""
    venom = fake_api.FakeVenom()
    try:
        running = fake_api.RunningFake(venom)
    except FileNotFoundError as missing:
        pytest.fail(str(missing), pytrace=False)
    with running:
        yield venom


@pytest.fixture
def venom_url(request: pytest.FixtureRequest) -> str:
    """The server under test: VENOM_E2E_URL, else the fake."""
    if E2E_URL:
        return E2E_URL.rstrip("/")
    fake: fake_api.FakeVenom = request.getfixturevalue("fake")
    return fake.url


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A real server with the scripted engine, of this test's own."""
    with Stage(tmp_path / "home") as running:
        yield running


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Stage]:
    """A real server whose models say what they were asked."""
    with Stage(tmp_path / "home", STAGE_PLUGINS="mirror") as running:
        yield running


class Window:
    """One browser window that keeps what went wrong in it."""

    def __init__(self, context: BrowserContext, allowed: set[str]) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.page.set_default_timeout(10_000)
        self._allowed = allowed
        self.problems: list[str] = []
        self.page.on("console", lambda line: self._note(line.type, line.text, line.location["url"]))
        self.page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))

    def _note(self, kind: str, text: str, address: str) -> None:
        refusal = REFUSAL.search(text)
        if refusal and refusal[1] in self._allowed:
            return
        if "net::ERR_" in text and "away" in self._allowed:
            return
        if kind in ("error", "warning") or "Content Security Policy" in text:
            self.problems.append(f"{kind}: {text} ({address})")


@pytest.fixture
def open_window(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Opens windows: `open_window(url, locale="pl-PL", color_scheme="dark", ...)` -> Page.

    Afterwards no window may have logged an error, a warning or a violation of the policy.
    """
    marker = request.node.get_closest_marker("refusals")
    allowed = {str(code) for code in marker.args} if marker else set()
    windows: list[Window] = []

    def open_(url: str, **options: Any) -> Page:
        settings = {"locale": "en-US", "viewport": {"width": 1280, "height": 800}, **options}
        window = Window(browser.new_context(**settings), allowed)
        windows.append(window)
        window.page.goto(url)
        return window.page

    yield open_
    problems = [problem for window in windows for problem in window.problems]
    for window in windows:
        window.context.close()
    assert problems == []
