"""Connecting a tool: its lines, run as they stand against the server that gave them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from acts import expect
from axe import violations
from stage import Stage

from venom_core.testing.deadlines import patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acts import OpenWindow
    from playwright.sync_api import Locator, Page


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Stage]:
    """A server with a model that calls tools and one that does not."""
    with Stage(tmp_path / "home", STAGE_SCENE="library") as running:
        yield running


def opened(page: Page) -> Locator:
    page.get_by_role("button", name="Connect a tool").click()
    return page.get_by_role("dialog", name="Connect a tool")


def lines_of(dialog: Locator, tool: str) -> str:
    dialog.get_by_role("tab", name=tool).click()
    return str(dialog.get_by_role("region", name=tool).inner_text())


def ran(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=patience(60), check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_lines_work(dialog: Locator) -> None:
    assert "Hello there." in ran("sh", "-c", lines_of(dialog, "curl").replace("curl ", "curl -s "))
    assert ran(sys.executable, "-c", lines_of(dialog, "Python (openai)")) == "Hello there.\n"


def test_the_lines_work_as_they_stand(library: Stage, open_window: OpenWindow) -> None:
    page = open_window(library.url, permissions=["clipboard-read", "clipboard-write"])
    dialog = opened(page)
    expect(dialog).to_contain_text("None is needed here.")
    dialog.get_by_role("combobox", name="Model", exact=True).select_option("gemma")
    assert_lines_work(dialog)
    for tool, line in {
        "Open WebUI": f"OPENAI_API_BASE_URL={library.url}/v1",
        "Continue": "capabilities: [tool_use]",
        "Zed": f'"api_url": "{library.url}/v1"',
    }.items():
        assert line in lines_of(dialog, tool)
        dialog.get_by_role("button", name=f"Copy: {tool}").click()
        assert line in page.evaluate("navigator.clipboard.readText()")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Connect a tool")).to_be_focused()


def test_what_always_sends_tools_gets_no_model_without_them(
    library: Stage, open_window: OpenWindow
) -> None:
    page = open_window(library.url)
    dialog = opened(page)
    dialog.get_by_role("combobox", name="Model", exact=True).select_option("gemma")
    expect(dialog.get_by_role("tab", name="Zed")).to_be_visible()
    dialog.get_by_role("combobox", name="Model", exact=True).select_option("away")
    expect(dialog.get_by_role("tab", name="Zed")).to_have_count(0)
    expect(dialog).to_contain_text("Zed always sends tools, and this model calls none")


@pytest.mark.refusals(401)
def test_a_key_is_made_on_the_spot_and_is_in_the_lines(
    library: Stage, open_window: OpenWindow
) -> None:
    page = open_window(library.url)
    expect(opened(page).get_by_role("link", name="Ask for keys from now on")).to_be_visible()
    own = httpx.post(f"{library.url}/api/v1/keys", json={"name": "mine"}).json()["key"]
    page = open_window(library.url, bypass_csp=True, reduced_motion="reduce")
    page.get_by_label("API key").fill(own)
    page.keyboard.press("Enter")
    dialog = opened(page)
    dialog.get_by_role("combobox", name="Model", exact=True).select_option("gemma")
    assert "YOUR_KEY" in lines_of(dialog, "curl")
    dialog.get_by_label("Name of the tool").fill("Continue")
    assert violations(page) == []
    dialog.get_by_role("button", name="Make a key").click()
    secret = dialog.get_by_role("region", name="API key").locator("code")
    expect(secret).to_have_count(1, timeout=20_000)
    tool = secret.inner_text()
    assert tool in lines_of(dialog, "curl")
    assert_lines_work(dialog)

    def status(path: str, key: str | None = None) -> int:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.get(f"{library.url}{path}", headers=headers).status_code

    assert status("/v1/models") == 401
    assert status("/v1/models", tool) == 200
    # It may ask models and no more.
    assert status("/api/v1/keys", tool) == 403
    page.keyboard.press("Escape")
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert tool not in kept
    # Shown once: it is not there when this is opened again.
    expect(opened(page).get_by_label("Name of the tool")).to_be_visible()
    expect(page.get_by_text(tool)).to_have_count(0)
