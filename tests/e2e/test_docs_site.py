"""The documentation as it is built: opened from the disk, searched, with nothing fetched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from acts import expect
from fake_api import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SITE = ROOT / ".cache" / "docs-site"


@pytest.fixture(scope="module")
def site() -> Path:
    """Build it where `make docs` has not."""
    if not (SITE / "pl" / "index.html").is_file():
        subprocess.run([sys.executable, "-m", "tools.docs_site"], cwd=ROOT, check=True, timeout=300)
    return SITE


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("start", "word"), [("index.html", "wheelhouse"),
                                             ("pl/index.html", "indeks")])  # fmt: skip
def test_it_is_searched_without_a_network(
    site: Path, browser: Browser, start: str, word: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / start).as_uri())
        page.locator("input.md-search__input").first.fill(word)
        found = page.locator(".md-search-result__link")
        expect(found.first).to_be_visible(timeout=60_000)
        assert found.count() > 1
        assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
