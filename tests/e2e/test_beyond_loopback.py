"""A server that others reach, in a browser of somebody else: sign in, chat, sign out."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from acts import choose, expect, finished, send
from stage import Stage

from tests.unit.cli.processes import venom

if TYPE_CHECKING:
    from acts import OpenWindow

LOOPBACK = "127.0.0.1"


def own_address() -> str:
    """Return an address of this machine that is not loopback's, where it has one."""
    found = [
        one.address
        for network in psutil.net_if_addrs().values()
        for one in network
        if one.family == socket.AF_INET and not one.address.startswith("127.")
    ]
    return found[0] if found else LOOPBACK


@pytest.fixture
def key(tmp_path: Path) -> str:
    """A key, made before the server starts: it would not start beyond loopback without one."""
    return venom(tmp_path / "home", "keys", "create", "laptop").stdout.strip()


@pytest.fixture
def url(tmp_path: Path, key: str) -> Iterator[str]:
    address = own_address()
    reached = {"VENOM_HOST": "0.0.0.0", "VENOM_ALLOWED_HOSTS": address}
    with Stage(tmp_path / "home", **reached) as stage:
        yield f"http://{address}:{stage.url.rpartition(':')[2]}"


@pytest.mark.refusals(401)
def test_sign_in_chat_and_sign_out_at_an_address_that_others_reach(
    url: str, key: str, open_window: OpenWindow
) -> None:
    page = open_window(url)
    # Plain HTTP beyond loopback: what browsers give to secure pages only is not there.
    assert page.evaluate("isSecureContext") is (LOOPBACK in url)
    dialog = page.get_by_role("dialog", name="This server wants a key")
    field = dialog.get_by_label("API key")
    expect(field).to_be_focused()
    field.fill("venom_wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("The server did not accept that key.")
    field.fill(key)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    choose(page, "hello")
    answer = finished(send(page, "a question of mine"))
    expect(answer).to_contain_text("Hello there.")
    answer.get_by_role("button", name="Copy as Markdown").click()
    page.locator("#message").focus()
    page.keyboard.press("Control+V")
    expect(page.locator("#message")).to_have_value("Hello there.")
    expect(page).to_have_url(re.compile("/c/"))
    talk = page.url
    assert key not in talk + page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert page.evaluate("document.cookie") == ""

    # Who is not signed in sees nothing of it, neither on the page nor behind it.
    stranger = open_window(talk)
    expect(stranger.get_by_role("dialog", name="This server wants a key")).to_be_visible()
    expect(stranger.get_by_text("a question of mine")).to_have_count(0)
    assert httpx.get(f"{url}/api/v1/sessions").status_code == 401

    page.reload()
    expect(page.get_by_test_id("answer")).to_contain_text("Hello there.")
    page.get_by_role("button", name="Sign out").click()
    expect(dialog).to_be_visible()
    expect(page.get_by_text("a question of mine")).to_have_count(0)
    page.goto(talk)
    expect(dialog).to_be_visible()
    expect(page.get_by_text("a question of mine")).to_have_count(0)


@pytest.mark.refusals(401)
def test_a_link_signs_one_browser_in_once(
    url: str, key: str, tmp_path: Path, open_window: OpenWindow
) -> None:
    made = json.loads(venom(tmp_path / "home", "keys", "list", "--json").stdout)["keys"]
    printed = venom(tmp_path / "home", "keys", "link", made[0]["id"]).stdout.strip()
    # It has the address that the server goes by; who is elsewhere opens it at one that reaches it.
    link = url + printed[printed.index("/#") :]
    page = open_window(link)
    expect(page.get_by_role("button", name="Model: ")).to_be_enabled()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert printed.partition("#")[2] not in page.url
    choose(page, "hello")
    expect(finished(send(page, "Hello?"))).to_contain_text("Hello there.")
    page.get_by_role("button", name="Sign out").click()
    dialog = page.get_by_role("dialog", name="This server wants a key")
    expect(dialog).to_be_visible()
    again = open_window(link)
    expect(again.get_by_role("dialog", name="This server wants a key")).to_be_visible()
    assert key not in page.content() + again.content()
