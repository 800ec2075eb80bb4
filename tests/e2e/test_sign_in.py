"""Signing in, in a real browser: the key becomes a cookie that no script can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from acts import expect, finished, send
from fake_api import FakeVenom
from stage import Stage

if TYPE_CHECKING:
    from acts import OpenWindow


@pytest.mark.refusals(401)
def test_a_key_is_asked_for_and_the_page_goes_on(fake: FakeVenom, open_window: OpenWindow) -> None:
    fake.key = "right"
    page = open_window(fake.url)
    dialog = page.get_by_role("dialog", name="This server wants a key")
    field = dialog.get_by_label("API key")
    expect(field).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("The server did not accept that key.")
    field.fill("right")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Model: gemma3:4b")).to_be_visible()
    finished(send(page, "hi"))
    for place in ("localStorage", "sessionStorage"):
        assert "right" not in page.evaluate(f"JSON.stringify({place})")
    assert fake.session not in page.evaluate("document.cookie"), "scripts can read the session"
    page.get_by_role("button", name="Connect a tool").click()
    lines = page.get_by_role("dialog", name="Connect a tool")
    expect(lines).to_contain_text('api_key="YOUR_KEY"')
    expect(lines).not_to_contain_text("right")


@pytest.mark.refusals(401)
def test_who_signed_in_stays_so_and_can_sign_out(fake: FakeVenom, open_window: OpenWindow) -> None:
    fake.key = "right"
    page = open_window(fake.url)
    dialog = page.get_by_role("dialog", name="This server wants a key")
    dialog.get_by_label("API key").fill("right")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Model: gemma3:4b")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Model: gemma3:4b")).to_be_visible()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(dialog).to_be_visible()


@pytest.mark.refusals(401)
def test_a_key_dialog_that_is_closed_leaves_a_way_back(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    fake.key = "right"
    page = open_window(fake.url)
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_test_id("error")).to_contain_text("invalid_api_key")
    page.get_by_role("button", name="Enter a key").click()
    expect(page.get_by_label("API key")).to_be_focused()


@pytest.mark.refusals(401)
def test_a_link_signs_in_once(stage: Stage, open_window: OpenWindow) -> None:
    made = httpx.post(f"{stage.url}/api/v1/keys", json={"name": "first"}).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    link = httpx.post(f"{stage.url}/api/v1/signins/links", json={}, headers=headers).json()
    page = open_window(stage.url + link["path"])
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page).to_have_url(f"{stage.url}/")
    expect(page.get_by_role("dialog")).to_have_count(0)
    other = open_window(stage.url + link["path"])
    dialog = other.get_by_role("dialog", name="This server wants a key")
    expect(dialog.get_by_role("alert")).to_contain_text("This sign-in link was used")
    expect(dialog).to_contain_text("venom keys link")
    dialog.get_by_label("API key").fill(made["key"])
    other.keyboard.press("Enter")
    expect(other.get_by_role("button", name="Sign out")).to_be_visible()
