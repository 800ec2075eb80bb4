"""Every page of the table, on a real server: it opens, is named, and is accessible."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from acts import expect
from axe import violations
from fake_api import ROOT

if TYPE_CHECKING:
    from acts import OpenWindow
    from stage import Stage

ROUTES = json.loads((ROOT / "web" / "lib" / "routes.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("route", [route["path"] for route in ROUTES])
def test_a_page_opens_in_either_language_and_theme(
    route: str, stage: Stage, open_window: OpenWindow
) -> None:
    for locale, scheme in (("en-US", "light"), ("pl-PL", "dark")):
        page = open_window(
            f"{stage.url}{route}", locale=locale, color_scheme=scheme, bypass_csp=True,
            reduced_motion="reduce",
        )  # fmt: skip
        expect(page.locator("html")).to_have_attribute("lang", locale[:2])
        expect(page.locator("h1").first).to_be_visible()
        link = page.locator(f"nav a[href='{route}']")
        if route != "/":
            expect(link.first).to_have_attribute("aria-current", "page")
            assert page.title() == f"{link.first.inner_text().strip()} · Venom"
        assert violations(page) == []
