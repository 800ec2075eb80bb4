"""Keys, signed-in browsers and the audit trail, on a real server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from acts import expect, post

if TYPE_CHECKING:
    from acts import OpenWindow
    from playwright.sync_api import Locator, Page
    from stage import Stage


def make(page: Page, name: str) -> Locator:
    """Open the dialog of a new key and give it a name; the dialog."""
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog", name="New key")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type(name)
    return dialog


def shown_key(dialog: Locator) -> str:
    """The key that the dialog shows, this once."""
    code = dialog.get_by_label("The new key")
    expect(code).to_be_visible()
    return str(code.inner_text())


def first_key(page: Page) -> str:
    """Make the key that may do everything; this browser is signed in with it then."""
    dialog = make(page, "owner")
    page.keyboard.press("Enter")
    key = shown_key(dialog)
    expect(dialog).to_contain_text("This browser is signed in with it.")
    dialog.get_by_role("button", name="I have kept it").click()
    return key


def key_row(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name="Keys").get_by_role("listitem").filter(has_text=name)


def sign_in(page: Page, key: str) -> None:
    page.get_by_role("dialog", name="This server wants a key").get_by_label("API key").fill(key)
    page.keyboard.press("Enter")


@pytest.mark.refusals(401)
def test_a_key_is_made_used_and_revoked(stage: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{stage.url}/keys")
    expect(page.get_by_role("region", name="You")).to_contain_text("No key is needed")
    first_key(page)
    expect(page.get_by_role("region", name="You")).to_contain_text("signed in with the key owner")
    dialog = make(page, "editor")
    dialog.get_by_label("Only:").check()
    expect(dialog.get_by_label("use models")).to_be_checked()
    dialog.get_by_label("Models", exact=True).fill("hello, m*")
    dialog.get_by_label("Requests a day").fill("1")
    dialog.get_by_label("How long it lasts").select_option("30 days")
    dialog.get_by_role("button", name="Make the key").click()
    key = shown_key(dialog)
    page.keyboard.press("Escape")
    expect(dialog.get_by_role("alert")).to_contain_text("not shown again")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert key not in page.content()
    for place in ("localStorage", "sessionStorage"):
        assert key not in page.evaluate(f"JSON.stringify({place})")
    row = key_row(page, "editor")
    for words in ("use models", "only the models hello, m*", "1 request a day", "expires"):
        expect(row).to_contain_text(words)
    expect(row).not_to_contain_text("manage models")
    expect(row).to_contain_text("not used yet")
    body = {"model": "hello", "messages": [{"role": "user", "content": "hi"}]}
    sent = (f"{stage.url}/v1/chat/completions", body, key)
    assert post(*sent).status_code == 200
    assert post(*sent).status_code == 429, "one a day"
    page.reload()
    expect(row).to_contain_text("last used")
    row.get_by_role("button", name="Revoke the key editor").click()
    asked = page.get_by_role("dialog", name="Revoke the key editor")
    expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    expect(asked).to_contain_text("ends within seconds")
    asked.get_by_role("button", name="Cancel").click()
    assert post(*sent).status_code == 429
    row.get_by_role("button", name="Revoke the key editor").click()
    asked.get_by_role("button", name="Revoke", exact=True).click()
    expect(row).to_have_count(0)
    assert post(*sent).status_code == 401
    page.get_by_role("button", name="Show 1 that no longer counts").click()
    expect(row).to_contain_text("revoked")


@pytest.mark.refusals(401)
def test_who_signs_in_elsewhere_is_listed_and_signed_out(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{stage.url}/keys")
    key = first_key(page)
    phone = open_window(f"{stage.url}/keys", viewport={"width": 390, "height": 844})
    sign_in(phone, key)
    expect(phone.get_by_role("region", name="You")).to_contain_text("signed in with the key owner")
    page.reload()
    browsers = page.get_by_role("region", name="Signed-in browsers").get_by_role("listitem")
    expect(browsers).to_have_count(2)
    expect(browsers.filter(has_text="this browser")).to_have_count(1)
    other = browsers.filter(has_not_text="this browser").get_by_role("button")
    other.click()
    expect(browsers).to_have_count(2)
    other.click()
    expect(browsers).to_have_count(1)
    phone.reload()
    expect(phone.get_by_role("dialog", name="This server wants a key")).to_be_visible()
    page.get_by_role("region", name="You").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("dialog", name="This server wants a key")).to_be_visible()
    assert "owner" not in page.locator("main").inner_text()


@pytest.mark.refusals(401)
def test_the_last_key_says_that_it_is_and_opens_the_server_again(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{stage.url}/keys")
    first_key(page)
    key_row(page, "owner").get_by_role("button", name="Revoke the key owner").click()
    asked = page.get_by_role("dialog", name="Revoke the key owner")
    expect(asked).to_contain_text("It is the last key")
    expect(asked).to_contain_text("this browser is signed out")
    asked.get_by_role("button", name="Revoke", exact=True).click()
    page.wait_for_url(f"{stage.url}/")
    page.goto(f"{stage.url}/keys")
    expect(page.get_by_role("region", name="You")).to_contain_text("No key is needed")


@pytest.mark.refusals(401, 403)
def test_a_key_that_may_only_chat_is_told_so(stage: Stage, open_window: OpenWindow) -> None:
    made = post(f"{stage.url}/api/v1/keys", {"name": "chat", "scopes": ["chat"]}).json()
    page = open_window(f"{stage.url}/keys")
    sign_in(page, made["key"])
    expect(page.get_by_role("region", name="You")).to_contain_text("It may: use models.")
    expect(page.get_by_text("This one lacks it.")).to_be_visible()
    expect(page.get_by_role("region", name="Signed-in browsers")).to_contain_text("this browser")
    expect(page.get_by_role("button", name="New key")).to_have_count(0)
    expect(page.get_by_role("region", name="What was changed")).to_have_count(0)


def test_a_name_that_cannot_be_is_refused_where_it_is_typed(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{stage.url}/keys")
    dialog = make(page, "a/b")
    page.keyboard.press("Enter")
    assert dialog.get_by_label("Name", exact=True).evaluate("field => !field.validity.valid")
    dialog.get_by_label("Name", exact=True).fill("łódź 1")
    dialog.get_by_label("Only:").check()
    dialog.get_by_label("use models").uncheck()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("Choose at least one.")
    dialog.get_by_label("manage models").check()
    expect(dialog).to_contain_text("you cannot make others here")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="New key")).to_be_focused()


def test_the_trail_is_narrowed_and_paged(stage: Stage, open_window: OpenWindow) -> None:
    for number in range(30):
        body = {"name": f"alias{number}", "target": "hello"}
        assert post(f"{stage.url}/api/v1/models/aliases", body).status_code == 200
    made = post(f"{stage.url}/api/v1/keys", {"name": "owner"}).json()
    mine = {"x-api-key": made["key"]}
    httpx.delete(f"{stage.url}/api/v1/keys/{made['id']}", headers=mine, timeout=60)
    page = open_window(f"{stage.url}/keys")
    trail = page.get_by_role("region", name="What was changed")
    entries = trail.get_by_role("listitem")
    expect(entries).to_have_count(25)
    expect(entries.first).to_contain_text("Revoked the key owner")
    trail.get_by_role("button", name="Older").click()
    expect(entries).to_have_count(7)
    expect(entries.last).to_contain_text("Changed the alias alias0")
    trail.get_by_label("What").select_option("keys")
    expect(entries).to_have_count(2)
    trail.get_by_label("Who").select_option("owner")
    expect(entries).to_have_count(1)
    expect(entries.first).to_contain_text(re.compile("Revoked the key owner.*owner"))
    entries.first.get_by_text("Details").click()
    expect(entries.first.get_by_role("row", name=re.compile("revoked_at nothing"))).to_be_visible()
    trail.get_by_label("To day").fill("2020-01-01")
    expect(trail).to_contain_text("Nothing fits these filters.")
    trail.get_by_role("button", name="Clear the filters").click()
    expect(entries).to_have_count(25)
